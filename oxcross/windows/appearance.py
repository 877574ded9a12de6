"""An executable's icon, version and manifest, out of what a project says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcross.errors import ConfigError
from oxcross.link.pe import Appearance
from oxcross.windows import icon, manifest, version
from oxcross.windows.resources import RT_MANIFEST, RT_VERSION, Resources

if TYPE_CHECKING:
    from oxcross.project import Project


def appearance(project: Project) -> Appearance:
    """Icon, version and manifest of the project's executable, and whether a console is opened for it.

    Raises ConfigError for an icon or manifest that is none, and for a version that Windows cannot have.
    """
    wanted = project.windows
    resources = Resources()
    if wanted.icon:
        icon.add(icon.load(wanted.icon), resources)
    product = _numbers(project)
    info = wanted.version_info
    file_version = info.file_version or project.version
    strings = {
        "CompanyName": info.company,
        "FileDescription": info.description or project.name,
        "FileVersion": file_version,
        "InternalName": project.name,
        "LegalCopyright": info.copyright,
        "LegalTrademarks": info.trademarks,
        "OriginalFilename": f"{project.name}.exe",
        "ProductName": info.product or project.name,
        "ProductVersion": project.version,
        "Comments": info.comments,
    }
    pre = version.prerelease(project.version)
    file = version.numbers(info.file_version) if info.file_version else product
    resources.add(RT_VERSION, 1, version.pack(file, product, strings, pre=pre))
    if wanted.manifest:
        text = manifest.load(wanted.manifest)
    else:
        text = manifest.make(
            project.name,
            file,
            level=wanted.execution_level,
            ui_access=wanted.ui_access,
            windowed=wanted.subsystem == "windows",
        )
    resources.add(RT_MANIFEST, 1, text)
    return Appearance(resources, wanted.subsystem)


def require(project: Project) -> None:
    """Look at all that the last steps of an executable for Windows will need, before anything is built.

    Raises ConfigError, or ToolError when it is to be signed and there is no program for it.
    """
    appearance(project)
    if project.windows.sign:
        from oxcross.windows import sign

        sign.require(project.windows.sign)


def _numbers(project: Project) -> version.Numbers:
    """The product's version; that of the file where it does not fit."""
    try:
        return version.numbers(project.version)
    except ConfigError as error:
        if project.windows.version_info.file_version:
            return version.numbers(project.windows.version_info.file_version)
        where = str(project.pyproject)
        raise ConfigError(error.message, where=where, hint=error.hint, page=error.page) from None
