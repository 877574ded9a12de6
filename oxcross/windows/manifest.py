"""A program's manifest: what it tells Windows of itself before it runs.

Source: "Application manifests", Microsoft's documentation of Win32.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

from oxcross.errors import ConfigError
from oxcross.windows.version import Numbers

LEVELS = {
    "as-invoker": "asInvoker",
    "highest-available": "highestAvailable",
    "require-administrator": "requireAdministrator",
}

_ROOT = "{urn:schemas-microsoft-com:asm.v1}assembly"
_SYSTEMS = {  # the identifiers of Windows releases
    "7": "35138b9a-5d96-4fbd-8e2d-a2440225f93a",
    "8": "4a2f28e3-53b9-4441-ba9c-d69d4a4a6e38",
    "8.1": "1f676c76-80e1-4239-95bb-83d0f6d0da78",
    "10 and 11": "8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a",
}
_TEXT = """\
<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">
  <assemblyIdentity type="win32" name={name} version="{version}" processorArchitecture="amd64"/>
  <trustInfo xmlns="urn:schemas-microsoft-com:asm.v3">
    <security>
      <requestedPrivileges>
        <requestedExecutionLevel level="{level}" uiAccess="{ui_access}"/>
      </requestedPrivileges>
    </security>
  </trustInfo>
  <compatibility xmlns="urn:schemas-microsoft-com:compatibility.v1">
    <application>
{systems}
    </application>
  </compatibility>
  <application xmlns="urn:schemas-microsoft-com:asm.v3">
    <windowsSettings>
      <activeCodePage xmlns="http://schemas.microsoft.com/SMI/2019/WindowsSettings">UTF-8</activeCodePage>
      <longPathAware xmlns="http://schemas.microsoft.com/SMI/2016/WindowsSettings">true</longPathAware>
{screen}    </windowsSettings>
  </application>
  <dependency>
    <dependentAssembly>
      <assemblyIdentity type="win32" name="Microsoft.Windows.Common-Controls" version="6.0.0.0"
        processorArchitecture="*" publicKeyToken="6595b64144ccf1df" language="*"/>
    </dependentAssembly>
  </dependency>
</assembly>
"""
_SCREEN = """\
      <dpiAware xmlns="http://schemas.microsoft.com/SMI/2005/WindowsSettings">true/pm</dpiAware>
      <dpiAwareness xmlns="http://schemas.microsoft.com/SMI/2016/WindowsSettings">PerMonitorV2, PerMonitor</dpiAwareness>
"""


def make(name: str, version: Numbers, *, level: str, ui_access: bool, windowed: bool) -> bytes:
    """The manifest of a program: the rights that it runs with (one of LEVELS), UTF-8 as its code page, paths of any
    length, modern controls; a windowed one draws itself for the screen that it is on.
    """
    systems = "\n".join(
        f'      <supportedOS Id="{{{guid}}}"/> <!-- Windows {system} -->' for system, guid in _SYSTEMS.items()
    )
    text = _TEXT.format(
        name=quoteattr(re.sub(r"[^A-Za-z0-9._-]", "_", name)),
        version=".".join(map(str, version)),
        level=LEVELS[level],
        ui_access=str(ui_access).lower(),
        systems=systems,
        screen=_SCREEN if windowed else "",
    )
    return text.encode()


def load(path: Path) -> bytes:
    """A manifest of the user's own. ConfigError when it is none: Windows would not start the program."""
    try:
        data = path.read_bytes()
        root = ET.fromstring(data)  # noqa: S314 # the user's own file
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except ET.ParseError as error:
        raise ConfigError(f"not XML: {error}", where=str(path)) from None
    if root.tag != _ROOT:
        hint = 'write <assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0"> around it'
        raise ConfigError("not a manifest: it has another root element", where=str(path), hint=hint)
    return data
