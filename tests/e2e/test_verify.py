"""What ``oxcross verify`` catches, against a real S3 server: whoever can write into the bucket changes something there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import publishing
import pytest
import s3server
import sigstores
from disturbed import ENVIRONMENT
from publisher import Publishers
from publishing import BUCKET, Made

from oxcross import project as projects
from oxcross.publish import identity, provenance
from oxcross.publish.draft import Draft
from oxcross.publish.latest import stable_name
from oxcross.publish.minisign import SecretKey
from oxcross.publish.settings import Sigstore
from oxcross.store import Store

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

OWN = SecretKey.generate()
OTHER = SecretKey.generate()


@dataclass(frozen=True)
class Server:
    """The server, and who speaks to it."""

    address: str
    publishers: Publishers
    client: S3Client


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("verify")
    with (
        s3server.running(folder / "server") as running,
        Publishers(folder / "said", ENVIRONMENT) as publishers,
    ):
        client = running.client()
        client.create_bucket(Bucket=BUCKET)
        yield Server(running.address, publishers, client)
        client.close()


@dataclass(frozen=True)
class World:
    """Releases 1.0 and 1.1, signed and published, and a place for more; 1.1 is what stable points at."""

    server: Server
    folder: Path
    name: str

    def make(
        self,
        version: str,
        secret: SecretKey | None = OWN,
        *,
        seed: int = 0,
        wrong: bool = False,
        again: bool = False,
    ) -> Made:
        """A release; ``wrong``: its statement is about other executables; ``again``: in another folder."""
        signer = secret.public.name if secret else "unsigned"
        root = self.folder / f"{version}-{seed}-{signer}-{wrong}-{again}"
        contents = publishing.contents(seed or int(version.replace(".", "")), large=False)

        def add(draft: Draft) -> None:
            project = projects.load(root)
            with Store(self.folder / "store") as store:
                provenance.addition([project], store)(draft)
            if wrong:
                draft.manifest["artifacts"] = draft.manifest["artifacts"][1:]

        return publishing.make(
            root,
            self.name,
            version,
            self.server.address,
            contents,
            additions=[add],
            secret=secret,
            settings={"channels": ["stable", "beta"]},
        )

    def run(self, made: Made, *argv: str, status: int = 0, state: str = "") -> str:
        """``state``: the folder that has what a user remembers."""
        env = {"XDG_STATE_HOME": str(self.folder / state)} if state else {}
        done = self.server.publishers.run(*argv, "--project", str(made.root), **env)
        assert done.status == status, done.output
        return done.output

    def put(self, key: str, content: bytes) -> None:
        """As somebody who can write there would, digest and all."""
        noted = {"sha256": hashlib.sha256(content).hexdigest()}
        self.server.client.put_object(Bucket=BUCKET, Key=key, Body=content, Metadata=noted)

    def get(self, key: str) -> bytes:
        return publishing.content(self.server.client, key)

    def remove(self, key: str) -> None:
        self.server.client.delete_object(Bucket=BUCKET, Key=key)

    def keys(self, made: Made) -> list[str]:
        return sorted(publishing.snapshot(self.server.client, made.layout))

    def replace(self, made: Made) -> None:
        """Put all of a release in the place of another one of that version."""
        for path in made.folder.iterdir():
            self.put(made.layout.file(made.version, path.name), path.read_bytes())


@pytest.fixture
def world(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> World:
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    world = World(server, tmp_path, f"app{name}")
    for version in ("1.0", "1.1"):
        world.run(world.make(version), "publish", "--channel", "stable")
    return world


def test_what_was_released_verifies(world: World) -> None:
    made = world.make("1.1")
    found: dict[str, Any] = json.loads(world.run(made, "verify", "1.1", "--json"))
    assert (found["problems"], found["channels"], found["signed"], found["files"]) == (
        [],
        ["stable"],
        True,
        7,
    )
    assert "signed with the project's key" in world.run(made, "verify", "1.0")


def test_a_flipped_bit_anywhere(world: World) -> None:
    """In each object there is, by somebody who gives it the right digest; but for those of the other version."""
    made = world.make("1.0")
    looked_at = [key for key in world.keys(made) if not key.startswith(made.layout.version("1.1"))]
    # The release, layout.json, the pointer and those that there were, the copies of what it points at.
    assert len(looked_at) == 7 + 1 + 3 + 7
    for key in looked_at:
        good = world.get(key)
        bad = bytearray(good)
        bad[len(bad) // 2] ^= 1
        world.put(key, bytes(bad))
        assert f"s3://{BUCKET}/{key}: " in world.run(made, "verify", "1.0", status=10)
        world.put(key, good)
    world.run(made, "verify", "1.0")


Attack = Callable[[World, Made], None]


def other_files(world: World, made: Made) -> None:
    """Other executables with a manifest and sums that fit, and the old signatures."""
    world.replace(world.make("1.0", None, seed=5))


def other_files_signed(world: World, made: Made) -> None:
    """The same, signed: by somebody else."""
    world.replace(world.make("1.0", OTHER, seed=5))


def another_keys_signature(world: World, made: Made) -> None:
    content = (made.folder / "SHA256SUMS").read_bytes()
    text = OTHER.sign(content, f"{made.name} 1.0 SHA256SUMS")
    world.put(made.layout.file("1.0", "SHA256SUMS.minisig"), text.encode())


def a_namesakes_signature(world: World, made: Made) -> None:
    """By a key that calls itself as ours does."""
    content = (made.folder / "SHA256SUMS").read_bytes()
    text = SecretKey(OWN.identifier, bytes(32)).sign(content, f"{made.name} 1.0 SHA256SUMS")
    world.put(made.layout.file("1.0", "SHA256SUMS.minisig"), text.encode())


def another_files_signature(world: World, made: Made) -> None:
    text = (made.folder / "manifest.json.minisig").read_bytes()
    world.put(made.layout.file("1.0", "SHA256SUMS.minisig"), text)


def another_versions_signature(world: World, made: Made) -> None:
    """Of the same content, made with the right key for another version."""
    text = OWN.sign((made.folder / "SHA256SUMS").read_bytes(), f"{made.name} 0.9 SHA256SUMS")
    world.put(made.layout.file("1.0", "SHA256SUMS.minisig"), text.encode())


def another_versions_files(world: World, made: Made) -> None:
    """1.1's sums with their signature, in the place of 1.0's."""
    for file in ("SHA256SUMS", "SHA256SUMS.minisig"):
        world.put(made.layout.file("1.0", file), world.get(made.layout.file("1.1", file)))


def no_signature(world: World, made: Made) -> None:
    world.remove(made.layout.file("1.0", "manifest.json.minisig"))


def a_stranger(world: World, made: Made) -> None:
    world.put(made.layout.file("1.0", "install.sh"), b"rm -rf ~\n")


def pointer_put_back(world: World, made: Made) -> None:
    """The first pointer in the place of the second."""
    second = json.loads(world.get(made.layout.pointer("stable")))
    world.put(made.layout.pointer("stable"), world.get(made.layout.history("stable", second["previous"])))


def pointer_put_back_without_trace(world: World, made: Made) -> None:
    """And what is left of the second is removed: the bucket is what it once was."""
    second = hashlib.sha256(world.get(made.layout.pointer("stable"))).hexdigest()
    pointer_put_back(world, made)
    world.remove(made.layout.history("stable", second))


def pointer_removed(world: World, made: Made) -> None:
    world.remove(made.layout.pointer("stable"))


def channel_removed(world: World, made: Made) -> None:
    for key in world.keys(made):
        if key.startswith(made.layout.channels):
            world.remove(key)


def a_file_removed(world: World, made: Made) -> None:
    world.remove(made.layout.file("1.0", f"{made.name}-1.0-linux-x64"))


def sums_removed(world: World, made: Made) -> None:
    world.remove(made.layout.file("1.0", "SHA256SUMS"))


@pytest.mark.parametrize(
    ("attack", "object_", "message"),
    [
        (other_files, "1.0/manifest.json.minisig", "not the signature of this content"),
        (other_files, "1.0/SHA256SUMS.minisig", "not the signature of this content"),
        (other_files, "channels/stable/", "it names another manifest of 1.0"),
        (other_files_signed, "1.0/SHA256SUMS.minisig", "signed with another key"),
        (other_files_signed, "channels/stable/", "it names another manifest of 1.0"),
        (another_keys_signature, "1.0/SHA256SUMS.minisig", "signed with another key"),
        (a_namesakes_signature, "1.0/SHA256SUMS.minisig", "not the signature of this content"),
        (another_files_signature, "1.0/SHA256SUMS.minisig", "not the signature of this content"),
        (another_versions_signature, "1.0/SHA256SUMS.minisig", "0.9 SHA256SUMS', not of"),
        (another_versions_files, "1.0/SHA256SUMS.minisig", "1.1 SHA256SUMS', not of"),
        (no_signature, "1.0/manifest.json.minisig", "manifest.json is not signed"),
        (a_stranger, "1.0/install.sh", "SHA256SUMS does not name it"),
        (pointer_put_back, "channels/stable.json", "a later pointer was written, to 1.1"),
        (pointer_put_back, "channels/stable.json", "it was seen to point at 1.1 (number 2)"),
        (pointer_put_back_without_trace, "channels/stable.json", "it was seen to point at 1.1 (number 2)"),
        (
            pointer_removed,
            "channels/stable.json",
            "stable points at nothing, but a later pointer was written",
        ),
        (channel_removed, "channels/stable.json", "it was seen to point at 1.1 (number 2)"),
        (a_file_removed, "linux-x64", "it is missing"),
        (sums_removed, "1.0/SHA256SUMS", "it is missing"),
    ],
)
def test_attacks(world: World, attack: Attack, object_: str, message: str) -> None:
    made = world.make("1.0")
    attack(world, made)
    said = world.run(made, "verify", "1.0", status=10)
    assert any(object_ in line and message in line for line in said.splitlines()), said
    again = world.run(made, "verify", "1.0", status=10)  # it is not got used to
    assert sorted(again.splitlines()) == sorted(said.splitlines())


def test_without_a_key_the_pointers_catch_a_swapped_manifest(world: World) -> None:
    made = world.make("1.0", None)
    world.run(made, "verify", "1.0")
    world.replace(world.make("1.0", None, seed=5))
    said = world.run(made, "verify", "1.0", status=10)
    assert "it names another manifest of 1.0" in said
    assert "minisig" not in said


def test_a_statement_about_something_else(world: World) -> None:
    """Signed, and named by SHA256SUMS: whoever made it was wrong, or lied."""
    made = world.make("1.2", wrong=True)
    world.run(made, "publish")
    said = world.run(made, "verify", "1.2", status=10)
    name = f"{made.name}-1.2.provenance.json"
    assert (
        f"{made.layout.file('1.2', name)}: it and the manifest differ about {made.name}-1.2-linux-x64" in said
    )


@pytest.mark.parametrize(
    "attack", [other_files, other_files_signed, another_versions_signature, no_signature]
)
def test_no_channel_is_moved_to_what_is_not_signed(world: World, attack: Attack) -> None:
    made = world.make("1.0")
    attack(world, made)
    before = world.get(made.layout.pointer("stable"))
    for line in (("promote", "1.0", "--channel", "beta"), ("rollback", "--channel", "stable")):
        assert ".minisig: " in world.run(made, *line, status=10)
    assert world.get(made.layout.pointer("stable")) == before
    assert made.layout.pointer("beta") not in world.keys(made)


def test_after_a_change_of_keys(world: World) -> None:
    """Earlier releases can be gone back to where the project says who signed them; new ones cannot be signed so."""
    made = world.make("1.0")
    file = made.root / "pyproject.toml"
    text = file.read_text(encoding="utf-8").partition("[tool.oxcross.release.sign]")[0]
    file.write_text(text + publishing.signed_by(OTHER), encoding="utf-8")
    world.run(made, "rollback", "--channel", "stable", status=10)
    file.write_text(f'{text}{publishing.signed_by(OTHER)}former-keys = ["{OWN.public}"]\n', encoding="utf-8")
    assert json.loads(world.run(made, "verify", "1.0", "--json"))["signed"]
    world.run(made, "rollback", "--channel", "stable")
    assert "signed with another key" in world.run(made, "publish", status=10)


def test_what_is_not_signed_is_not_published(world: World) -> None:
    made = world.make("1.3", None)
    file = made.root / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + publishing.signed_by(OWN), encoding="utf-8")
    for line in (("publish",), ("publish", "--dry-run"), ("publish", "--channel", "stable")):
        said = world.run(made, *line, status=10)
        assert "SHA256SUMS.minisig: SHA256SUMS is not signed" in said
        assert "adds the signatures that are missing" in said
    file.write_text(text + publishing.signed_by(OTHER), encoding="utf-8")
    signed = world.make("1.3")
    (signed.root / "pyproject.toml").write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    assert "signed with another key" in world.run(signed, "publish", status=10)
    assert not [key for key in world.keys(made) if key.startswith(made.layout.version("1.3"))]


def test_a_stranger_is_not_published(world: World) -> None:
    made = world.make("1.3")
    (made.folder / "notes.txt").write_text("…", encoding="utf-8")
    assert "notes.txt: SHA256SUMS does not name it" in world.run(made, "publish", status=10)


def test_a_bundle_is_another_one_each_time(world: World) -> None:
    """And the first that is published stays, whoever publishes the same release."""
    one, two = world.make("1.3", seed=7), world.make("1.3", seed=7, again=True)
    for number, made in enumerate((one, two)):
        (made.folder / "SHA256SUMS.sigstore.json").write_text(f"{number}\n", encoding="utf-8")
    world.run(one, "publish")
    found: dict[str, Any] = json.loads(world.run(two, "publish", "--channel", "stable", "--json"))
    assert {row["state"] for row in found["objects"]} == {"there"}
    assert found["channel"]["version"] == "1.3"
    key = one.layout.file("1.3", "SHA256SUMS.sigstore.json")
    assert world.get(key) == b"0\n"
    assert key in [row["key"] for row in found["objects"]]
    world.run(two, "verify", "1.3")


def test_signed_by_an_identity(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Sigstore's client made is published and verified; another identity's, or none, is told."""
    who, other = (f"https://git.example/{name}/app/.github/workflows/a.yml@refs/heads/main" for name in "ab")
    made = world.make("1.3")
    key = made.layout.file("1.3", "SHA256SUMS.sigstore.json")
    with sigstores.running() as services:
        trust = made.root / "trust.json"
        trust.write_text(services.trust(), encoding="utf-8")
        monkeypatch.setenv("SIGSTORE_ID_TOKEN", sigstores.token(who))
        sign = identity.signer(Sigstore(mode="required", trust=trust), pytest.fail)
        assert sign is not None
        bundles = []
        for name in (who, other):
            monkeypatch.setenv("SIGSTORE_ID_TOKEN", sigstores.token(name))
            bundles.append(sign(made.folder / "SHA256SUMS")[".sigstore.json"])
    file = made.root / "pyproject.toml"
    table = f'sigstore-trust = "trust.json"\nsigstore-identity = "{who}"\nsigstore-issuer = "{sigstores.ISSUER}"\n'
    file.write_text(file.read_text(encoding="utf-8") + f"[tool.oxcross.release]\n{table}", encoding="utf-8")
    (made.folder / "SHA256SUMS.sigstore.json").write_bytes(bundles[0])
    world.run(made, "publish")
    world.run(made, "verify", "1.3")
    world.put(key, bundles[1])
    assert f"{key}: the signature of SHA256SUMS by {who} does not verify" in world.run(
        made, "verify", "1.3", status=10
    )
    world.remove(key)
    assert f"{key}: SHA256SUMS is not signed by {who}" in world.run(made, "verify", "1.3", status=10)


def test_a_stopped_publisher_looks_like_a_pointer_put_back(world: World) -> None:
    """Until the same is run again."""
    made = world.make("1.2")
    world.run(made, "publish", "--channel", "stable")
    previous = json.loads(world.get(made.layout.pointer("stable")))["previous"]
    elsewhere = "elsewhere"  # it was stopped before it remembered
    world.put(made.layout.pointer("stable"), world.get(made.layout.history("stable", previous)))
    said = world.run(made, "verify", "1.1", status=10, state=elsewhere)
    assert "a publisher was stopped between the two: to run it again mends that" in said
    world.run(made, "publish", "--channel", "stable", state=elsewhere)
    world.run(made, "verify", "1.2", state=elsewhere)


def test_what_was_seen_is_remembered_by_whoever_looks(world: World) -> None:
    """Not only by who publishes; and a rollback by oxcross is no attack."""
    made = world.make("1.1")
    world.run(made, "verify", "1.1", state="other")
    world.run(made, "rollback", "--channel", "stable")
    world.run(made, "verify", "1.1", state="other")
    third = world.get(made.layout.pointer("stable"))
    second = json.loads(third)["previous"]
    world.put(made.layout.pointer("stable"), world.get(made.layout.history("stable", second)))
    world.remove(made.layout.history("stable", hashlib.sha256(third).hexdigest()))
    said = world.run(made, "verify", "1.1", status=10, state="other")
    assert "it was seen to point at 1.0 (number 3)" in said
    assert "latest/stable/manifest.json: it is no copy of 1.1's" in said
    for key in world.keys(made):
        if key.startswith(made.layout.latest()):
            world.remove(key)
    for file in made.folder.iterdir():
        key = made.layout.latest("stable") + stable_name(made.name, "1.1", file.name)
        world.put(key, file.read_bytes())
    world.run(made, "verify", "1.1", state="fresh")  # nothing tells somebody who never looked
