"""A cache that machines share: filled from the user's own store into a real S3 server, read by machines with empty stores."""

from __future__ import annotations

import http.server
import json
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import caching
import faults
import pytest
import s3server
import trustme
from caching import PUBLIC, SECRET, STEPS, STRANGER, STRANGERS_SECRET, Machine, Maker, Place, prefix, states
from program import oxcross

from oxcross.cache import remote, signing

TARGETS = "linux-x64,linux-x64-musl"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with caching.running(tmp_path_factory.mktemp("cache")) as place:
        yield place


@pytest.fixture
def machine(place: Place, tmp_path: Path, request: pytest.FixtureRequest) -> Maker:
    return caching.maker(place, tmp_path, request.node.name)


@pytest.fixture
def builder(machine: Maker) -> Machine:
    """A machine that has built everything and may fill the cache."""
    return machine("builder", filled=True, secret=SECRET)


def test_a_new_machine_builds_nothing(builder: Machine, machine: Maker, place: Place) -> None:
    document = builder.json("cache", "push", "--targets", TARGETS)
    assert set(states(document).values()) == {"new"}
    assert set(states(document)) == {
        *STEPS,
        *(f"linux-x64-musl/{name}" for name in ("cpython", "launcher", "licences")),
    }
    assert set(states(builder.json("cache", "push", "--targets", TARGETS)).values()) == {"there"}

    new = machine("new")
    done = new.run("build", "--targets", TARGETS, DOCKER_HOST="tcp://127.0.0.1:9", OXCROSS_MIRROR="")
    assert done.returncode == 0, done.stderr
    lines = [line.split()[:2] for line in done.stderr.splitlines()]
    assert not [line for line in lines if line[0] in ("building", "built")]
    assert sorted(line[1] for line in lines if line[0] == "fetched") == sorted(states(document))
    said = subprocess.run([new.folder / "hello/build/linux-x64/hello"], capture_output=True, check=True)
    assert said.stdout == b"hello world\n"

    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    again = new.run("build", "--targets", TARGETS)
    assert again.returncode == 0
    assert "fetched" not in again.stderr
    assert place.proxy.log == []
    verified = oxcross("cache", "verify", env=new.env)
    assert verified.returncode == 0, verified.stderr


def test_what_is_there_is_listed(builder: Machine, machine: Maker, place: Place) -> None:
    builder.json("cache", "push")
    pair = json.loads(oxcross("cache", "keygen", "--json").stdout)
    other = machine("other", filled=True, secret=pair["secret"], trust=(pair["public"],))
    assert set(states(other.json("cache", "push")).values()) == {
        "new"
    }  # its own statements, the same archives
    found = builder.json("cache", "remote")
    assert {kind: row["entries"] for kind, row in found["kinds"].items()} == {
        "steps": 2 * len(STEPS),
        "blobs": len(STEPS),
        "sources": 0,
    }
    assert found["kinds"]["blobs"]["size"] > 10_000_000
    assert {(row["signer"], row["trusted"], row["steps"]) for row in found["signers"]} == {
        (signing.short(PUBLIC), True, len(STEPS)),
        (signing.short(pair["public"]), False, len(STEPS)),
    }
    text = builder.run("cache", "remote").stdout
    assert f"{len(STEPS)} steps signed by {PUBLIC}, trusted" in text
    assert f"{len(STEPS)} steps signed by {signing.short(pair['public'])}, not trusted" in text


def test_a_build_pushes_when_it_is_asked_to(builder: Machine, machine: Maker, place: Place) -> None:
    done = builder.run("build")
    assert done.returncode == 0, done.stderr
    assert place.keys(prefix(builder)) == []
    done = builder.run("build", "--push")
    assert done.returncode == 0, done.stderr
    assert f"pushed to the shared cache: {len(STEPS)} steps, " in done.stderr
    done = builder.run("build", OXCROSS_CACHE_PUSH="1")
    assert done.returncode == 0, done.stderr
    assert "pushed" not in done.stderr
    assert set(states(machine("new").json("cache", "pull")).values()) == {"fetched"}


def test_a_build_does_not_fail_for_what_is_not_pushed(builder: Machine, place: Place) -> None:
    place.proxy.reset(lambda *_: faults.ERROR_BEFORE, 0)
    begun = time.monotonic()
    done = builder.run("build", "--push")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 60
    assert done.stderr.count("not pushed to the shared cache: ") == 1
    assert (builder.folder / "hello/build/linux-x64/hello").exists()


def test_who_may_not_push(machine: Maker, place: Place) -> None:
    without = machine("without", filled=True)
    for words in (("build", "--push"), ("cache", "push")):
        done = without.run(*words)
        assert done.returncode == 3
        assert "there is no secret key to sign what is pushed with" in done.stderr
    stranger = machine("stranger", filled=True, secret=STRANGERS_SECRET)
    done = stranger.run("cache", "push")
    assert done.returncode == 3
    assert f'add its public key: "{STRANGER}"' in done.stderr
    assert STRANGERS_SECRET not in done.stderr
    refused = machine("refused", filled=True, secret=SECRET).run(
        "cache", "push", AWS_SECRET_ACCESS_KEY=s3server.SECRET[::-1]
    )
    assert refused.returncode == 8
    assert "the server does not accept the secret key" in refused.stderr


@pytest.mark.parametrize("fault", [faults.HANG, faults.BUSY, faults.CUT_REQUEST])
def test_a_server_that_fails(builder: Machine, machine: Maker, place: Place, fault: str) -> None:
    """That is told once and soon, and it is left alone."""
    builder.json("cache", "push")
    place.proxy.reset(lambda *_: fault, 0)
    place.proxy.hang = 3
    new = machine("new")
    begun = time.monotonic()
    done = new.run("cache", "pull", "--json")
    assert time.monotonic() - begun < 25
    assert done.returncode == 0, done.stderr
    assert set(states(json.loads(done.stdout)).values()) == {"lacking"}
    told = [line for line in done.stderr.splitlines() if line.startswith("note ")]
    assert len(told) == 1, done.stderr
    assert "the shared cache is left out: " in told[0]
    assert new.left() == []


def test_two_builders_at_once(builder: Machine, machine: Maker, place: Place) -> None:
    """Each object is written once, and both are content."""
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: states(builder.json("cache", "push")), range(2))
    assert all({one[name], other[name]} <= {"new", "there"} for name in STEPS)
    assert set(place.written().values()) == {1}
    assert len(place.keys(prefix(builder))) == 2 * len(STEPS)
    assert set(states(machine("new").json("cache", "pull")).values()) == {"fetched"}


@pytest.mark.parametrize("at", [1, 4, 7])
def test_a_killed_push(builder: Machine, machine: Maker, place: Place, at: int) -> None:
    """Whatever request it was killed at: the same again does the rest, and nothing misleads meanwhile."""
    process = builder.start("cache", "push")
    place.proxy.reset(faults.once(at, faults.KILL), at, process.kill)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, output
    meanwhile = states(machine("meanwhile").json("cache", "pull"))
    assert set(meanwhile.values()) <= {"fetched", "lacking"}
    assert "lacking" in meanwhile.values()
    again = states(builder.json("cache", "push"))
    assert "new" in again.values()
    assert set(states(machine("new").json("cache", "pull")).values()) == {"fetched"}


def test_stopped_while_it_fetches(builder: Machine, machine: Maker, place: Place) -> None:
    builder.json("cache", "push")
    new = machine("new")

    def hanging(_: int, request: faults.Request) -> str:
        return faults.HANG if remote.BLOBS in request.key else faults.THROUGH

    place.proxy.reset(hanging, 0)
    place.proxy.hang = 60
    process = new.start("build")
    while not any(remote.BLOBS in entry.key for entry in place.proxy.log):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - begun < 15
    assert process.returncode == 130, output
    assert new.left() == []
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    done = new.run("build")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def mirror(place: Place) -> Iterator[Callable[[ssl.SSLContext | None], str]]:
    """A function that serves the bucket to everybody, as a public bucket or what lies before one does."""
    running: list[http.server.ThreadingHTTPServer] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                content = place.content(self.path.lstrip("/"))
            except place.client.exceptions.NoSuchKey:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Keep the test's output clean."""

    def start(context: ssl.SSLContext | None) -> str:
        listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            listener.socket = context.wrap_socket(listener.socket, server_side=True)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        running.append(listener)
        return f"http{'s' if context else ''}://127.0.0.1:{listener.server_address[1]}"

    yield start
    for listener in running:
        listener.shutdown()
        listener.server_close()


@pytest.mark.parametrize("safe", [False, True])
def test_an_address(
    builder: Machine,
    machine: Maker,
    mirror: Callable[[ssl.SSLContext | None], str],
    tmp_path: Path,
    safe: bool,
) -> None:
    """It takes no credentials."""
    builder.json("cache", "push")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    url = f"{mirror(context if safe else None)}/{prefix(builder)}"
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "OXCROSS_CACHE_URL": url}
    new = machine("new")
    if safe:  # of an authority that nobody knows
        done = new.run("cache", "pull", "--json", **nobody)
        assert set(states(json.loads(done.stdout)).values()) == {"lacking"}
        assert "the shared cache is left out: " in done.stderr
        nobody["SSL_CERT_FILE"] = str(tmp_path / "ca.pem")
    done = new.run("build", **nobody)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("fetched ") == len(STEPS)
    assert "building" not in done.stderr
    nobody |= {"OXCROSS_CACHE_URL": f"{url}/nowhere", "OXCROSS_STORE": str(tmp_path / "other")}
    unknown = new.run("cache", "pull", **nobody)
    assert unknown.stdout.count("not had") == len(STEPS)
    assert "note " not in unknown.stderr


def test_steps_before_the_last_and_sources(builder: Machine, machine: Maker, place: Place) -> None:
    """With --all another machine can build further with it."""
    done = states(builder.json("cache", "push", "--all"))
    assert {"linux-x64/toolchain", "linux-x64/openssl", *STEPS} <= set(done)
    assert set(done.values()) == {"new"}
    found = builder.json("cache", "remote")["kinds"]
    assert found["sources"]["entries"] > 10
    assert set(states(builder.json("cache", "push", "--all")).values()) == {"there"}
