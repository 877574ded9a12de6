"""A release as it was released, to be compared with: from dist/ as it lies there, from a bucket into a folder; all of it hashed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oxcross.errors import PublishError, ReproduceError
from oxcross.publish import folder, keys, published, verification
from oxcross.publish.draft import sha256_of
from oxcross.publish.keys import Layout
from oxcross.publish.s3 import Bucket
from oxcross.publish.signing import Anchor


@dataclass(frozen=True, kw_only=True)
class Original:
    """``files``: the SHA-256 (hex) of all that lies in the folder. ``listed``: what the manifest and SHA256SUMS say of files.

    ``problems``: where these three are not of one mind, and what is wrong with the channels' pointers.
    """

    place: str  # for people
    folder: Path
    manifest: dict[str, Any]
    files: dict[str, str]
    listed: dict[str, str]
    problems: tuple[str, ...]

    @property
    def signatures(self) -> set[str]:
        """The signatures of SHA256SUMS and of the manifest, which nothing lists."""
        return {name for name in self.files if name not in self.listed and keys.is_signature(name)}


def from_folder(path: Path, name: str, version: str, place: str = "") -> Original:
    """The release in that folder. ReproduceError when there is none, PublishError when its manifest cannot be read."""
    manifest_file, sums = path / keys.MANIFEST, path / keys.SUMS
    if not manifest_file.is_file() or not sums.is_file():
        hint = "`oxcross release` makes it; --from bucket takes a published one"
        message = f"there is no release {version} of {name}"
        raise ReproduceError(message, where=str(path), hint=hint, page="no-such-release")
    manifest = folder.parse(manifest_file.read_bytes(), str(manifest_file), name, version)
    listed = folder.rows(manifest)
    files = {
        one.relative_to(path).as_posix(): sha256_of(one) for one in sorted(path.rglob("*")) if one.is_file()
    }
    problems = []
    for file, sha256 in folder.parse_sums(sums.read_bytes(), str(sums)).items():
        if listed.setdefault(file, sha256) != sha256:
            problems.append(f"SHA256SUMS and the manifest differ about {file}")
    for file, sha256 in listed.items():
        if file not in files:
            problems.append(f"{file} is missing")
        elif files[file] != sha256:
            problems.append(f"{file} is not what the manifest says: its SHA-256 is {files[file]}")
    unknown = [file for file in files if file not in {*listed, keys.SUMS, keys.MANIFEST}]
    problems += [
        f"neither the manifest nor SHA256SUMS knows {file}" for file in unknown if not keys.is_signature(file)
    ]
    return Original(
        place=place or str(path),
        folder=path,
        manifest=manifest,
        files=files,
        listed=listed,
        problems=tuple(problems),
    )


def from_bucket(bucket: Bucket, layout: Layout, version: str, into: Path, anchor: Anchor | None) -> Original:
    """The published release, downloaded into a folder, its signatures checked with the project's key. PublishError when it is not
    complete.
    """
    whole = published.manifest(bucket, layout, version)
    prefix = layout.version(version)
    for one in bucket.objects(prefix):
        name = one.key.removeprefix(prefix)
        layout.file(version, name)  # whatever is in the bucket, it gets into this folder
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as stream:
            if bucket.download(one.key, stream.write) is None:
                raise PublishError("it is missing", where=bucket.where(one.key))
    found = from_folder(into, layout.name, version, bucket.where(prefix))
    problems = list(found.problems)
    if found.files[keys.MANIFEST] != whole.sha256:
        problems.append(f"{bucket.where(prefix + keys.MANIFEST)} changed while it was read")
    problems += verification.signatures(bucket, layout, version, whole, anchor) if anchor else []
    problems += verification.channels(bucket, layout, version, whole.sha256)[1]
    return Original(
        place=found.place,
        folder=into,
        manifest=found.manifest,
        files=found.files,
        listed=found.listed,
        problems=tuple(problems),
    )
