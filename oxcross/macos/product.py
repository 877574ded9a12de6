"""What becomes of an executable for macOS: a signature, a bundle, packages, as [tool.oxcross.macos] says."""

from __future__ import annotations

from pathlib import Path

from oxcross.errors import BuildError
from oxcross.macos import archive, bundle, information, pkg
from oxcross.macos.sign import Notice
from oxcross.project import Project
from oxcross.targets import Target


def packages(project: Project, target: Target, executable: Path, notice: Notice) -> list[Path]:
    """Make the bundle and the packages of an executable, beside it; what was made.

    Raises ToolError, ConfigError or BuildError.
    """
    wanted = project.macos
    made: list[Path] = []
    try:
        if wanted.app:
            made.append(bundle.make(executable, executable.parent, wanted, notice))
        source = made[0] if made else executable
        for form in wanted.package.formats:
            out = executable.with_name(f"{executable.name}.{form}")
            if form == "zip":
                archive.write(source, out)
            else:
                about = pkg.About(
                    name=wanted.app.name if wanted.app else project.name,
                    identifier=wanted.identifier,
                    version=information.version_numbers(project.version),
                    minimum=wanted.minimum,
                    arch=target.arch,
                )
                pkg.make(source, out, about, wanted.package)
            made.append(out)
    except OSError as error:
        raise BuildError(
            f"cannot be written: {error.strerror}",
            where=str(error.filename or executable),
            page="it-cannot-be-written",
        ) from error
    return made
