"""The global names of a configuration file: constants, functions, constructors."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Mapping
from typing import Any

from oxcross.bzl import distribution, files, symbols
from oxcross.bzl.apple import AppleUniversalBinary, MacOsApplicationBundleBuilder
from oxcross.bzl.goals import Goals
from oxcross.bzl.signing import CodeSigner
from oxcross.bzl.values import Value
from oxcross.bzl.world import World
from oxcross.errors import ConfigError


def constants(world: World) -> dict[str, Any]:
    """The names that hold plain data."""
    return {
        "BUILD_TARGET_TRIPLE": world.triple,
        "BUILD_TARGET": world.triple,
        "CONFIG_PATH": str(world.file),
        "CWD": str(world.folder),
        "VARS": dict(world.variables),
    }


def functions(world: World, goals: Goals) -> Mapping[str, Callable[..., Any] | None]:
    """The functions and constructors by name; None for one that is refused."""

    def default_python_distribution(
        flavor: str = "standalone", build_target: str | None = None, python_version: str | None = None
    ) -> Value:
        return distribution.default_python_distribution(world, flavor, build_target, python_version)

    def set_build_path(path: str) -> None:
        world.build_path = world.path(path)

    def glob(include: list[str], exclude: list[str] | None = None, strip_prefix: str | None = None) -> Value:
        return files.glob(world, include, exclude, strip_prefix)

    def file_content(
        path: str | None = None,
        filename: str | None = None,
        content: str | None = None,
        executable: bool | None = None,
    ) -> Value:
        return files.content(world, path, filename, content, executable)

    def file_manifest() -> Value:
        return files.FileManifest(world)

    def bundle(bundle_name: str) -> Value:
        return MacOsApplicationBundleBuilder(world, bundle_name)

    def universal(filename: str) -> Value:
        return AppleUniversalBinary(world, filename)

    def signer(path: str, password: str) -> Value:
        return CodeSigner(world, path, password)

    known: dict[str, Callable[..., Any] | None] = {
        "default_python_distribution": default_python_distribution,
        "register_target": goals.register_target,
        "resolve_target": goals.resolve_target,
        "resolve_targets": goals.resolve_targets,
        "set_build_path": set_build_path,
        "glob": glob,
        "can_prompt": _can_prompt,
        "prompt_confirm": _confirm,
        "prompt_input": _ask,
        "prompt_password": _ask_secretly,
        "code_signer_from_pfx_file": signer,
        "FileContent": file_content,
        "FileManifest": file_manifest,
        "MacOsApplicationBundleBuilder": bundle,
        "AppleUniversalBinary": universal,
    }
    refused = [name for name, row in symbols.variables().items() if row.state == "refused" and name != "load"]
    return known | dict.fromkeys(refused)


def _can_prompt() -> bool:
    return sys.stdin.isatty()


def _confirm(prompt: str, default: bool | None = None) -> bool:
    if not _can_prompt():
        return bool(_defaulted(prompt, default))
    answer = _read(f"{prompt} [y/n] ").strip().lower()
    return answer.startswith("y") if answer else bool(_defaulted(prompt, default))


def _ask(prompt: str, default: str | None = None) -> str:
    if not _can_prompt():
        return str(_defaulted(prompt, default))
    return _read(f"{prompt} ") or str(_defaulted(prompt, default))


def _ask_secretly(prompt: str, confirm: bool = False, default: str | None = None) -> str:
    if not _can_prompt():
        return str(_defaulted(prompt, default))
    while True:
        answer = getpass.getpass(f"{prompt} ")
        if not confirm or getpass.getpass(f"{prompt} (again) ") == answer:
            return answer


def _read(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().rstrip("\n")


def _defaulted(prompt: str, default: Any) -> Any:
    if default is None:
        hint = "give it a default, or take it from VARS: --var NAME=VALUE"
        raise ConfigError(f"nobody is there to answer: {prompt}", hint=hint)
    return default
