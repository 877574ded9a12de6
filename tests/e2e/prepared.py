"""What the readers of pages begin with: a project, a bucket, and what a page can only name, such as an address or a key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import s3server
from pages import program
from reader import PROJECT, Reader
from tools import need

PUBLIC_KEY = "RWQ…"
CACHE_KEY = "m0Zq…="
Preparation = Callable[[Path], AbstractContextManager[Reader]]


def example(folder: Path) -> Path:
    """The project of somebody who reads a page: a program ``myapp``, without a word about oxcross."""
    (folder / "src" / "myapp").mkdir(parents=True)
    (folder / "src" / "myapp" / "__init__.py").write_text("", encoding="utf-8")
    (folder / "src" / "myapp" / "cli.py").write_text(
        "import sys\n\n\ndef main() -> None:\n    print('myapp', *sys.argv[1:])\n", encoding="utf-8"
    )
    (folder / PROJECT).write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n'
        '[project]\nname = "myapp"\nversion = "1.0"\nrequires-python = ">=3.11"\n\n'
        '[project.scripts]\nmyapp = "myapp.cli:main"\n',
        encoding="utf-8",
    )
    return folder


@contextmanager
def project(home: Path) -> Iterator[Reader]:
    """For pages that any project will do for."""
    yield Reader(home, folder=example(home / "myapp"))


@contextmanager
def repository(home: Path) -> Iterator[Reader]:
    """The same, and git knows who commits."""
    with project(home) as reader:
        for who in ("AUTHOR", "COMMITTER"):
            reader.environment |= {f"GIT_{who}_NAME": "A Reader", f"GIT_{who}_EMAIL": "reader@example.org"}
        yield reader


@contextmanager
def with_invoke(home: Path) -> Iterator[Reader]:
    """Any project, and Invoke's own program."""
    with project(home) as reader:
        program(reader.tools, "invoke")
        yield reader


@contextmanager
def bucket(home: Path) -> Iterator[Reader]:
    """With a server that has the page's bucket, which everybody may read."""
    with s3server.running(home / "server") as server:
        with closing(server.client()) as client:
            client.create_bucket(Bucket=s3server.PUBLIC)
        reader = Reader(home, folder=example(home / "myapp"))
        reader.substitute = lambda text: _at(server.address, text)
        reader.environment |= {
            "AWS_ACCESS_KEY_ID": s3server.KEY_ID,
            "AWS_SECRET_ACCESS_KEY": s3server.SECRET,
            "AWS_REGION": s3server.REGION,
        }
        yield reader


@contextmanager
def signer(home: Path) -> Iterator[Reader]:
    """With a bucket, and on the page stands the key that was made there."""
    need(minisign="minisign", openssl="openssl", curl="curl", sha256sum="coreutils")
    with bucket(home) as reader:
        located = reader.substitute
        made = Path(reader.environment["HOME"]) / "oxcross.key.pub"

        def known(text: str) -> str:
            key = made.read_text(encoding="ascii").split()[-1] if made.exists() else PUBLIC_KEY
            return located(text.replace(PUBLIC_KEY, key))

        reader.substitute = known
        yield reader


@contextmanager
def builder(home: Path) -> Iterator[Reader]:
    """With a bucket, and on the page stand the two keys that were made there."""
    with bucket(home) as reader:
        located = reader.substitute
        keys = {"public": CACHE_KEY, "secret": "…"}

        def known(text: str) -> str:
            keys.update(re.findall(r"^(public|secret) +(\S+) ", reader.printed, re.MULTILINE))
            text = text.replace(CACHE_KEY, keys["public"])
            return located(text.replace('CACHE_KEY="…"', f'CACHE_KEY="{keys["secret"]}"'))

        reader.substitute = known
        yield reader


def _at(address: str, text: str) -> str:
    """A page's text with the server's address and bucket in it."""
    public = f"{address}/{s3server.PUBLIC}"
    for named, there in (
        ("https://downloads.example.org", public),
        ("https://s3.example.org", address),
        ("s3://downloads/", f"s3://{s3server.PUBLIC}/"),
        ('"downloads"', f'"{s3server.PUBLIC}"'),
    ):
        text = text.replace(named, there)
    return text
