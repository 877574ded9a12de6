"""What a project's configuration asks of the machine: tools that sign, passwords and keys, an oxcross.lock that is up to date."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from oxcross import passwords, targets
from oxcross.checkup.check import Check
from oxcross.checkup.machine import starts_nothing
from oxcross.errors import ConfigError, ConfigErrors, OxcrossError
from oxcross.project import Project

# Where Amazon's programs look for credentials; a machine's own role is not asked for, which takes seconds.
_CREDENTIALS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_CREDENTIAL_FILES: Final = {
    "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials",
    "AWS_CONFIG_FILE": "~/.aws/config",
}


def examine(folder: Path) -> list[Check]:
    """What the project in that folder asks for; nothing where there is no [tool.oxcross]."""
    if not _configured(folder):
        return []
    from oxcross import project as projects

    try:
        first = projects.load(folder)
    except OxcrossError as error:
        errors = error.errors if isinstance(error, ConfigErrors) else (error,)
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        return [
            Check(
                name="project",
                ok=False,
                detail=f"{_line(errors[0])}{more}",
                fix="oxcross check",
                group="project",
            )
        ]
    views = [first.for_target(name) for name in first.targets]
    return [
        Check(name="project", ok=True, detail=f"{first.name} {first.version}", group="project"),
        *_folder(first),
        *_lock(views),
        *_windows(views),
        *_macos(views),
        *_signing(first),
        *_publishing(first),
        *_pushing(first),
    ]


def _configured(folder: Path) -> bool:
    try:
        document = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return "oxcross" in document.get("tool", {})


def _folder(project: Project) -> Iterator[Check]:
    where = str(project.root)
    if not os.access(project.root, os.W_OK):
        yield Check(
            name="build folder",
            ok=False,
            detail=f"{where} cannot be written",
            fix=f'chown -R "$USER" {where}',
            group="project",
        )
    elif starts_nothing(project.root):
        yield Check(
            name="build folder",
            ok=False,
            detail=f"{where} is mounted with noexec: executables cannot be tried out there",
            fix=f"mount -o remount,exec {_mount(project.root)}",
            group="project",
        )


def _mount(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.is_mount())


def _lock(views: list[Project]) -> Iterator[Check]:
    """Only what can be told without a resolution."""
    from oxcross.collect import lockfile, resolve

    path = views[0].root / lockfile.NAME
    if not path.exists():
        return
    try:
        old = [one.target for one in views if resolve.outdated(one, targets.get(one.target))]
    except OxcrossError as error:
        yield Check(name=lockfile.NAME, ok=False, detail=_line(error), fix=error.hint or "", group="project")
        return
    if old:
        detail = f"of other requirements than today's, for {', '.join(old)}: the next build resolves them"
        yield Check(name=lockfile.NAME, ok=False, detail=detail, fix="oxcross build", group="lock")
    else:
        yield Check(name=lockfile.NAME, ok=True, detail="there", group="lock")


def _windows(views: list[Project]) -> Iterator[Check]:
    from oxcross.doctor import install

    for sign in dict.fromkeys(view.windows.sign for view in views if view.windows.sign):
        if shutil.which("osslsigncode") is None:
            detail = "osslsigncode is not found, which [tool.oxcross.windows.sign] needs"
            yield Check(
                name="signing", ok=False, detail=detail, fix=install(["osslsigncode"]), group="project"
            )
        yield from _password("tool.oxcross.windows.sign", sign.password_env, sign.password_file, "project")


def _macos(views: list[Project]) -> Iterator[Check]:
    from oxcross.macos.apple import EXTRA

    places = [
        (view.macos.sign.identity if view.macos.sign else None, view.macos.package.identity) for view in views
    ]
    identities = dict.fromkeys(one for pair in places for one in pair if one)
    if identities and importlib.util.find_spec("apple_platform") is None:
        detail = "apple_platform is not found, which signs for macOS with a certificate"
        yield Check(name="signing", ok=False, detail=detail, fix=EXTRA, group="project")
    for identity in identities:
        yield from _password(identity.where, identity.password_env, identity.password_file, "project")


def _signing(project: Project) -> Iterator[Check]:
    """What releases are signed with. Where they are made is often another machine."""
    if (sign := project.release.sign) is not None:
        place = "tool.oxcross.release.sign"
        if sign.key_file is not None and not sign.key_file.is_file():
            yield _missing(f"{place}.key-file", f"there is no file {sign.key_file}", "oxcross keygen")
        elif sign.key_file is None and not os.environ.get(sign.key_env):
            yield _missing(f"{place}.key-env", f"{sign.key_env} is not set", _export(sign.key_env))
        yield from _password(place, sign.password_env, sign.password_file, "release")
    if project.release.sigstore.mode == "required" and importlib.util.find_spec("sigstore") is None:
        fix = "pip install 'oxcross[sigstore]'"
        yield _missing("tool.oxcross.release.sigstore", "sigstore is not installed", fix)


def _publishing(project: Project) -> Iterator[Check]:
    if not project.publish.bucket:
        return
    found = [name for name in _CREDENTIALS if os.environ.get(name)]
    if project.publish.profile:
        found.append(f"the profile {project.publish.profile}")
    for variable, default in _CREDENTIAL_FILES.items():
        path = Path(os.environ.get(variable, default)).expanduser()
        found += [str(path)] if path.is_file() else []
    where = f"s3://{project.publish.bucket}"
    if found:
        yield Check(name="credentials", ok=True, detail=f"for {where}: {found[0]}", group="publish")
    else:
        detail = f"none for {where} in the environment or in ~/.aws; a machine of Amazon's may have its own"
        fix = "export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…"
        yield Check(name="credentials", ok=False, detail=detail, fix=fix, group="publish")


def _pushing(project: Project) -> Iterator[Check]:
    from oxcross.cache import settings

    if settings.pushes() and not os.environ.get(project.cache.key_env):
        detail = f"{project.cache.key_env} is not set, and OXCROSS_CACHE_PUSH is"
        yield Check(
            name="cache", ok=False, detail=detail, fix=_export(project.cache.key_env), group="project"
        )


def _password(where: str, variable: str, file: Path | None, group: str) -> Iterator[Check]:
    try:
        passwords.read(where, variable, file)
    except ConfigError as error:
        fix = _export(variable) if variable else f"write the password into {file}"
        yield Check(name="password", ok=False, detail=f"{error.where}: {error.message}", fix=fix, group=group)


def _missing(where: str, what: str, fix: str) -> Check:
    return Check(name="signing", ok=False, detail=f"{where}: {what}", fix=fix, group="release")


def _export(variable: str) -> str:
    return f"export {variable}=…"


def _line(error: OxcrossError) -> str:
    return str(error).partition("\n")[0]
