"""The task about what was made for macOS: ``oxcross notarize``."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.context import Context

from oxcross import report
from oxcross.command import command
from oxcross.errors import PublishError, UsageError

if TYPE_CHECKING:
    from oxcross.macos.notary import Notary

_UPLOADED = (".zip", ".pkg", ".dmg")
_STAPLED = (".app", ".pkg")


@command(
    iterable=["also"],
    help={
        "file": "a bundle, package, zip or executable that is signed with a certificate of Apple's",
        "also": "another such file; repeatable",
        "wait": "how many seconds to wait for the answer (default: 3600)",
        "submission": "wait for one that was made before, instead of uploading again",
        "service": "the notary service's address (default: Apple's)",
        "upload": "the address to upload to, with {bucket} in it (default: Amazon S3's)",
        "tickets": "the address of the service for tickets (default: Apple's)",
    },
)
def notarize(
    _c: Context,
    file: str,
    also: Iterable[str] | None = None,
    project: str = ".",
    wait: int = 3600,
    submission: str = "",
    service: str = "",
    upload: str = "",
    tickets: str = "",
    json: bool = False,
) -> None:
    """Have Apple notarize what was signed, and put its ticket into bundles and packages.

    The key is that of [tool.oxcross.macos.notarize], or of OXCROSS_NOTARY_ISSUER, OXCROSS_NOTARY_KEY_ID and
    OXCROSS_NOTARY_KEY (a .p8 file). A zip beside a bundle that has that bundle in it is made anew, with the ticket.

    `--json` prints {"notarized": [{"file", "submission", "status", "stapled"}]}.

    Examples:
      oxcross notarize build/macos-arm64/MyApp.app                                  # uploads it, waits, staples
      oxcross notarize MyApp.pkg --submission 2efe2717-52ef-43a5-96dc-0797e4ca1041  # wait for one that was made before
    """
    from oxcross.macos import notary

    files = [Path(name) for name in (file, *(also or ()))]
    for path in files:
        _check(path)
    if submission and len(files) > 1:
        raise UsageError("a submission is of one file", where="--submission")
    wanted = _settings(project, {"service": service, "upload": upload, "tickets": tickets})
    client = notary.Notary(wanted, notary.key(wanted))
    rows = []
    for path in files:
        identifier = submission or _submit(client, path)
        rows.append(_finish(client, path, identifier, wait, wanted.tickets))
    if json:
        report.emit({"notarized": rows})
        return
    report.table(
        ["file", "submission", "state"],
        [
            [row["file"], row["submission"], "stapled" if row["stapled"] else row["status"].lower()]
            for row in rows
        ],
    )


def _notice(text: str) -> None:
    print(text, file=sys.stderr)


def _settings(project: str, addresses: dict[str, str]) -> Any:
    from oxcross import project as projects
    from oxcross.macos.settings import Notarize

    there = (Path(project) / "pyproject.toml").is_file()
    found = projects.load(Path(project)).macos.notarize if there else Notarize()
    given: dict[str, Any] = {name: value.rstrip("/") for name, value in addresses.items() if value}
    return dataclasses.replace(found, **given)


def _check(path: Path) -> None:
    """UsageError for what Apple would refuse after the upload."""
    from oxcross.macho import MachoError, is_macho
    from oxcross.macos import staple, xar
    from oxcross.macos.sign import machos
    from oxcross.macos.verify import verify

    if not path.exists():
        raise UsageError("there is no such file", where=str(path))
    hint = "see [tool.oxcross.macos.sign]"
    if path.suffix == ".pkg":
        try:
            signed = bool(xar.read(path.read_bytes()).certificates)
        except xar.XarError as error:
            raise UsageError(f"it is no package: {error}", where=str(path)) from None
        if not signed:
            raise UsageError("it is not signed", where=str(path), hint="see [tool.oxcross.macos.package]")
    elif path.is_dir() and path.suffix != ".app":
        raise UsageError(
            "a folder that is no bundle", where=str(path), hint="name a .app, .pkg, .zip, or an executable"
        )
    elif path.suffix not in _UPLOADED:
        data = (staple.executable(path) if path.is_dir() else path).read_bytes()
        if not is_macho(data):
            raise UsageError(
                "neither a bundle, a package, a zip nor an executable for macOS", where=str(path)
            )
        try:
            seen = [verify(one) for one in machos(data)]
        except MachoError as error:
            raise UsageError(f"its signature is not right: {error}", where=str(path)) from None
        if any(one is None or one.adhoc for one in seen):
            raise UsageError(
                "Apple notarizes only what is signed with a certificate", where=str(path), hint=hint
            )
        if any(one is not None and not one.hardened for one in seen):
            raise UsageError(
                "Apple notarizes only programs with the hardened runtime", where=str(path), hint=hint
            )


def _submit(client: Notary, path: Path) -> str:
    """Upload it, in a zip where need be."""
    import tempfile

    from oxcross.macos import archive

    if path.suffix in _UPLOADED:
        identifier = client.submit(path, path.name)
    else:
        with tempfile.TemporaryDirectory(prefix="oxcross-") as folder:
            packed = archive.write(path.absolute(), Path(folder) / f"{path.stem}.zip")
            identifier = client.submit(packed, packed.name)
    _notice(f"{path.name}: submitted as {identifier}")
    return identifier


def _finish(client: Notary, path: Path, identifier: str, seconds: float, tickets: str) -> dict[str, Any]:
    """Wait for the answer; staple."""
    from oxcross.macos import notary, staple

    status = client.wait(identifier, seconds, _notice)
    if status != notary.ACCEPTED:
        found = "\n  ".join(notary.issues(client.log(identifier)))
        raise PublishError(f"Apple does not notarize it ({status}):\n  {found}", where=str(path))
    stapled = path.suffix in _STAPLED
    if stapled:
        staple.staple(path.absolute(), tickets)
        _pack_anew(path.absolute())
    else:
        kind = "executables" if path.suffix not in _UPLOADED else f"{path.suffix} files"
        _notice(
            f"{path.name}: {kind} have no place for a ticket; macOS asks Apple for it when it first starts the program"
        )
    return {"file": str(path), "submission": identifier, "status": status, "stapled": stapled}


def _pack_anew(path: Path) -> None:
    """The zip of a bundle, with the ticket in it."""
    import zipfile

    from oxcross.macos import archive

    if path.suffix != ".app":
        return
    for packed in sorted(path.parent.glob("*.zip")):
        with zipfile.ZipFile(packed) as old:
            whole = old.namelist()[:1] == [f"{path.name}/"]
        if whole:
            archive.write(path, packed)
            _notice(f"{packed.name}: made anew, with the ticket")
