"""An osxcross in shape and behaviour: its wrappers do what osxcross's own do (wrapper/target.cpp), and call a ``clang`` of PATH;
its SDK is the default tool chain's, as one of macOS 11.3.
"""

from __future__ import annotations

import shutil
from pathlib import Path

CONF = """#!/bin/sh
here=$(cd "${0%/*}/.." && pwd)
cat <<EOF
export OSXCROSS_VERSION="1.5"
export OSXCROSS_OSX_VERSION_MIN="10.9"
export OSXCROSS_TARGET="darwin20.4"
export OSXCROSS_SDK="$here/bin/../SDK/MacOSX11.3.sdk"
export OSXCROSS_SDK_VERSION="11.3"
export OSXCROSS_LINKER_VERSION="609"
EOF
"""
WRAPPER = """#!/bin/sh
name=${0##*/} sdk=${0%/*}/../SDK/MacOSX11.3.sdk
minimum=${MACOSX_DEPLOYMENT_TARGET:-10.9}
for word; do
    case $word in -mmacosx-version-min=*) minimum=${word#*=} ;; esac
done
unset MACOSX_DEPLOYMENT_TARGET
export COMPILER_PATH="${0%/*}"
exec "${name##*-}" -target "${name%-*}" -mlinker-version=609 -isysroot "$sdk" -isystem "$sdk/usr/include/c++/v1" \\
    -mmacosx-version-min="$minimum" -arch "${name%%-*}" -Wno-liblto "$@"
"""


def make(root: Path, toolchain: Path) -> Path:
    """The folder, with what osxcross has in it; ``toolchain`` is the default one, for macOS."""
    for name in ("bin", "lib", "SDK"):
        (root / name).mkdir(parents=True)
    sdk = root / "SDK" / "MacOSX11.3.sdk"
    shutil.copytree(toolchain / "SDK" / "MacOSX11.0.sdk", sdk, symlinks=True)
    settings = sdk / "SDKSettings.json"
    settings.write_text(settings.read_text(encoding="utf-8").replace("11.0", "11.3"), encoding="utf-8")
    names = [
        f"{arch}-apple-darwin20.4-{tool}" for arch in ("x86_64", "arm64") for tool in ("clang", "clang++")
    ]
    for name, text in {**dict.fromkeys(names, WRAPPER), "osxcross-conf": CONF}.items():
        (root / "bin" / name).write_text(text, encoding="utf-8")
        (root / "bin" / name).chmod(0o755)
    return root
