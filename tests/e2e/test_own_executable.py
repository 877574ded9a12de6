"""oxcross as its own executable publishes: what of Amazon's kit is left out of it is not missed; and it explains errors."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import publishing
import pytest
import s3server
from disturbed import ENVIRONMENT
from program import REPOSITORY, build
from terminals import on_a_terminal

from oxcross import explain
from oxcross.publish import contained

_ANSWER = """\
<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken></SessionToken>
<Expiration>2199-01-01T00:00:00Z</Expiration></Credentials>
<AssumedRoleUser><AssumedRoleId>a:b</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/a/b</Arn></AssumedRoleUser>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
"""


@pytest.fixture(scope="module")
def executable() -> Path:
    return build(REPOSITORY)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3server.Server]:
    with s3server.running(tmp_path_factory.mktemp("server")) as server:
        with closing(server.client()) as client:
            client.create_bucket(Bucket=publishing.BUCKET)
        yield server


class _Identities(BaseHTTPRequestHandler):
    """Amazon's service that gives credentials for a role (STS), as far as a publisher asks it."""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        good = "Action=AssumeRoleWithWebIdentity" in asked and "WebIdentityToken=of-the-workflow" in asked
        body = _ANSWER.format(key=s3server.KEY_ID, secret=s3server.SECRET).encode()
        self.send_response(200 if good else 400)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def identities() -> Iterator[str]:
    listener = ThreadingHTTPServer(("127.0.0.1", 0), _Identities)
    Thread(target=listener.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listener.server_address[1]}"
    listener.shutdown()
    listener.server_close()


def run(executable: Path, made: publishing.Made, *argv: str, **env: str) -> str:
    done = subprocess.run(
        [executable, *argv, "--project", str(made.root)],
        env={"HOME": str(made.root), "PATH": os.environ["PATH"], **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_publish(executable: Path, server: s3server.Server, tmp_path: Path) -> None:
    contents = publishing.contents(1, large=True)
    made = publishing.make(tmp_path, "own", "1.0", server.address, contents)
    assert "create" in run(executable, made, "publish", "--dry-run", **ENVIRONMENT)
    assert "created" in run(executable, made, "publish", "--channel", "stable", **ENVIRONMENT)
    assert "all as they were released" in run(executable, made, "verify", "1.0", **ENVIRONMENT)


def test_with_a_role(executable: Path, server: s3server.Server, identities: str, tmp_path: Path) -> None:
    """As a workflow of GitHub's does it, which has a token and no key."""
    made = publishing.make(tmp_path, "role", "1.0", server.address, publishing.contents(2, large=False))
    (tmp_path / "token").write_text("of-the-workflow", encoding="utf-8")
    env = {name: value for name, value in ENVIRONMENT.items() if "KEY" not in name}
    env |= {
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/releases",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ENDPOINT_URL_STS": identities,
    }
    assert "created" in run(executable, made, "publish", **env)


def test_what_is_left_of_amazons_kit(executable: Path) -> None:
    files = [name for kind, name in contained.read(executable).pieces if kind == "file"]
    data = [Path(name).parts for name in files if name.startswith("botocore/data/")]
    services = {parts[2] for parts in data if len(parts) > 3}
    assert services == {"s3", "sts", "sso", "sso-oidc", "signin"}
    assert {"endpoints.json", "partitions.json", "sdk-default-configuration.json", "_retry.json"} == {
        parts[2] for parts in data if len(parts) == 3
    }
    installed = Path(sys.prefix, "lib").glob("python3*/site-packages/botocore/data/*")
    assert len([path for path in installed if path.is_dir()]) > 100  # so there was something to leave out


def test_errors_are_explained(executable: Path, tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    failed = subprocess.run(
        [executable, "build"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert failed.returncode == 3
    assert failed.stderr.endswith("\n  more: oxcross explain no-project\n")
    line: list[str | Path] = [executable, "explain", "no-project"]
    said = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout
    assert said == explain.find("no-project").markdown
    drawn = on_a_terminal(line)  # by other packages
    assert "No project" in drawn
    assert "```" not in drawn
