"""Makes a bundle, ``NAME.app``: the executable, Info.plist, an icon, and a signature over all of it.

    NAME.app/Contents/Info.plist
                      MacOS/EXECUTABLE
                      Resources/EXECUTABLE.icns
                      _CodeSignature/CodeResources     digests of what is in Resources

The executable's signature has the digests of Info.plist and of CodeResources. The same inputs give the same bytes, save for what
sign.py says. Source: "Bundle Resources: Information Property List" (developer.apple.com/documentation/bundleresources) and
"Bundle Structures", Apple's documentation; the rules of resources: "Technical Note TN2206".
"""

from __future__ import annotations

import hashlib
import plistlib
import shutil
import tempfile
from pathlib import Path
from typing import Final

from oxcross.errors import BuildError
from oxcross.macos import apple, icns, information, settings
from oxcross.macos import sign as signing
from oxcross.macos.verify import INFO, RESOURCES

_ADHOC: Final = settings.Signing(hardened_runtime=False, timestamp="")


def make(executable: Path, folder: Path, wanted: settings.MacOS, notice: signing.Notice) -> Path:
    """Make the bundle of ``wanted.app`` in ``folder``, in the place of one that is there; its path.

    Raises as ``sign.sign``.
    """
    app = wanted.app
    if app is None:
        raise ValueError("no bundle is wanted")
    out = folder / f"{app.name}.app"
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{app.name}.") as name:
        scratch = Path(name)
        made = scratch / "new" / out.name
        _fill(made / "Contents", executable, app, wanted.minimum)
        how = wanted.sign or _ADHOC
        with signing.options(how, app.identifier, scratch, notice if wanted.sign else lambda _: None) as more:
            apple.sign(made, None, out, "see [tool.oxcross.macos.sign]", **more)
        _modes(made)
        check(made, executable, how, app, out)
        if out.exists():
            out.rename(scratch / "old")
        made.rename(out)
    return out


def _fill(contents: Path, executable: Path, app: settings.App, minimum: str) -> None:
    (contents / "MacOS").mkdir(parents=True)
    shutil.copyfile(executable, contents / "MacOS" / executable.name)
    (contents / "Info.plist").write_bytes(information.info(app, executable.name, minimum))
    if app.icon:
        (contents / "Resources").mkdir()
        (contents / "Resources" / f"{executable.name}.icns").write_bytes(icns.load(app.icon))
    _modes(contents.parent)


def _modes(bundle: Path) -> None:
    """What everybody may do: read all, and run the program."""
    for path in (bundle, *bundle.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "MacOS" else 0o644)


def check(made: Path, executable: Path, how: settings.Signing, app: settings.App, out: Path) -> None:
    """BuildError unless the bundle is what was put into it with a signature that is right, of the kind that is wanted."""
    contents = made / "Contents"
    main = contents / "MacOS" / executable.name
    data = main.read_bytes()
    signing.check(executable.read_bytes(), data, how, app.identifier, out)
    outside = {
        INFO: (contents / "Info.plist").read_bytes(),
        RESOURCES: (contents / "_CodeSignature" / "CodeResources").read_bytes(),
    }
    for file in signing.machos(data):
        signing.check_signature(file, how, app.identifier, out, outside)
    _check_resources(contents, outside[RESOURCES], main, out)
    signing.check_certificate(main, how, out)


def _check_resources(contents: Path, listing: bytes, main: Path, out: Path) -> None:
    """That CodeResources lists every file, with its digest, that is not the program or covered by its signature."""
    listed = plistlib.loads(listing).get("files2", {})
    found = {
        str(path.relative_to(contents)): hashlib.sha256(path.read_bytes()).digest()
        for path in contents.rglob("*")
        if path.is_file()
        and path not in {main, contents / "Info.plist"}
        and path.parent.name != "_CodeSignature"
    }
    if found != {name: row.get("hash2") for name, row in listed.items()}:
        raise BuildError("its signature is not for the files in it", where=str(out))
