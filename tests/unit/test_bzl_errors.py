"""What is wrong in PyOxidizer's configuration files, and with the command line that speaks of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bzl_files import evaluated, lines

from oxcross.bzl import NAME, symbols
from oxcross.bzl.staging import stage
from oxcross.cli import main
from oxcross.errors import ConfigError


def _error(folder: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        evaluated(folder, text)
    return caught.value


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("policy.include_tests = True", "a PythonPackagingPolicy has no 'include_tests'", "did you mean 'include_test'?"),
        ("policy.include_test = 'yes'", "PythonPackagingPolicy.include_test cannot be 'yes'", "it must be bool"),
        ("policy.extension_module_filter = 'al'", "cannot be 'al'", "did you mean 'all'?"),
        ("config.bytes_warning = 3", "cannot be 3", "it must be 'none' or 'warn' or 'raise' or None"),
        ("config.optimization_level = 3", "cannot be 3", "it must be 0, 1, 2 or None"),
        ("config.run_filename = 'nope.py'", "there is no script 'nope.py'", "a script to embed"),
        ("config.run_filename = '../x/pyoxidizer.bzl'", "'../x/pyoxidizer.bzl'", "in the file's folder"),
        ("exe.tcl_files_path = 'lib'", "PythonExecutable.tcl_files_path is not for oxcross", "tkinter"),
        ("exe.packed_resources_load_mode = 'none'", "cannot be 'none'", "embedded:packed-resources"),
        ("exe.foo()", "a PythonExecutable has no 'foo'", "docs/pyoxidizer.md"),
        ("exe.pip_install('six')", "args is 'six'", "it must be a list of str"),
        ("exe.pip_install()", "missing a required argument: 'args'", "its arguments: args, extra_envs"),
        ("exe.pip_install([])", "nothing is to be installed", "flask"),
        ("exe.pip_install(['--no-deps', 'six'])", "pip's --no-deps is not for oxcross", "add_include"),
        ("exe.pip_install(['-r'])", "-r names nothing", "requirements.txt"),
        ("exe.pip_install(['-r', 'nope.txt'])", "there is no requirements file 'nope.txt'", "looked for:"),
        ("exe.pip_install(['./nope'])", "there is no './nope'", "looked for:"),
        ("exe.pip_install(['-r', 'latin.txt'])", "not UTF-8", "save it as UTF-8"),
        ("exe.pip_install(['broken/'])", "not TOML", "mend that file first"),
        ("exe.setup_py_install('nowhere')", "there is no setup.py in 'nowhere'", "pip_install"),
        ("exe.read_package_root(CWD, ['broke'])", "no package or module 'broke'", "did you mean 'broken'?"),
        ("exe.read_virtualenv('broken')", "not a virtual environment", "site-packages"),
        ("exe.add_python_resource(policy)", "a PythonPackagingPolicy cannot be added", "it must be"),
        ("exe.make_python_module_source('a b', '')", "not a module's name: 'a b'", "package.module"),
        ("exe.filter_resources_from_files(files = ['nope'])", "there is no filter file", "in each line"),
        ("exe.filter_resources_from_files(files = ['latin.txt'])", "not UTF-8", "save it as UTF-8"),
        ("dist.to_python_executable('../x')", "an executable's name cannot be '../x'", "a file's name"),
        ("register_target('../x', make)", "a target's name cannot be '../x'", "a file's name"),
        ("exe.to_wix_msi_builder('a', 'b', 'c', 'd')", "to_wix_msi_builder is not for oxcross", "installers"),
        ("policy.resources_location = 'on-disk'", "no such location: 'on-disk'", "filesystem-relative:PREFIX"),
        ("policy.resources_location = 'filesystem-relative:../x'", "'../x'", "name one below it"),
        ("policy.register_resource_callback(3)", "f is 3", "it must be a function"),
        ("policy.set_resource_handling_mode('x')", "no such mode: 'x'", "classify"),
        ("policy.preferred_extension_module_variants = {}", "is read-only", "one variant"),
        ("FileContent()", "either path or content", "notes.txt"),
        ("FileContent(path = 'nope')", "cannot be read: nope", "looked for:"),
        ("FileContent(filename = 'a/b', content = '')", "not a file's name: 'a/b'", "manifest"),
        ("FileManifest().add_path('broken/pyproject.toml', 'x', 1, 2)", "too many positional", "its arguments"),
        ("FileManifest().add_python_resource('../..', exe)", "not a path in a manifest", "relative"),
        ("FileManifest().add_file(exe)", "content is a PythonExecutable", "it must be FileContent"),
        ("exe.to_file_manifest('a').get_file('a/app').write_to_directory('x')", "app is not built yet", "target"),
        ("default_python_distribution('x')", "there is no flavor 'x'", "standalone"),
        ("default_python_distribution(build_target = 'x')", "built is x86_64", "--target-triple x"),
        ("prompt_input('name?')", "nobody is there to answer: name?", "--var NAME=VALUE"),
        ("resolve_target('made')", "targets depend on each other: made -> made", "break the circle"),
        ("resolve_target('mad')", "there is no target 'mad'", "did you mean 'made'?"),
        ("code_signer_from_pfx_file('nope', '')", "there is no certificate 'nope'", "looked for:"),
        ("MacOsApplicationBundleBuilder('x').add_macos_file(FileContent(filename = 'x', content = ''))", "no executable", "data"),
        ("fail('own words')", "own words", "fail('own words')"),
        ("undefined()", "Variable `undefined` not found", "undefined()"),
        ("{}['a']", 'Key `"a"` was not found', "{}['a']"),
        ("x = [1].y", "not supported on type `list`", "x = [1].y"),
        ("import os", "cannot use reserved keyword `import`", "import os"),
        ("for exe.x in []: pass", "set by a statement of its own", "for exe.x"),
    ],
)  # fmt: skip
def test_line_and_next_step(tmp_path: Path, line: str, message: str, hint: str) -> None:
    (tmp_path / "latin.txt").write_bytes(b"\xff")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/pyproject.toml").write_text("no toml")
    error = _error(tmp_path, lines(after=line))
    assert str(error.where).endswith(f"{NAME}:8: in make")
    assert message in error.message
    assert hint in str(error.hint)


@pytest.mark.parametrize(
    "name", [name for name, row in symbols.variables().items() if row.state == "refused"]
)
def test_refused_by_name(tmp_path: Path, name: str) -> None:
    error = _error(tmp_path, 'load("other.bzl", "x")\n' if name == "load" else f"{name}()\n")
    assert error.message.startswith(name)
    assert error.hint == symbols.variables()[name].does


def test_innermost_function_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("")
    callback = "def outer():\n    def inner(policy, resource):\n        {}['x']\n    return inner\n\n"
    after = "policy.register_resource_callback(outer())\nexe.read_package_root(CWD, ['one'])"
    error = _error(tmp_path, callback + lines(after=after))
    assert str(error.where).endswith(f"{NAME}:3: in inner")


def test_endless_recursion_ends(tmp_path: Path) -> None:
    error = _error(tmp_path, "def again(n):\n    return again(n + 1)\nagain(0)\n")
    assert str(error.where).endswith(f"{NAME}:2: in again")


def test_defect_of_ours_is_no_error_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="not for unit tests"):
        evaluated(tmp_path, lines(after="result = dist.python_resources()"))


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "no target is registered"), ("register_target('x', lambda: 1)", "the file does not resolve 'x'")],
)
def test_nothing_to_build(tmp_path: Path, text: str, message: str) -> None:
    found = evaluated(tmp_path, text)
    with pytest.raises(ConfigError, match=message):
        found.goals.value()


def test_folders_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "build/pyoxidizer/app").mkdir(parents=True)
    (tmp_path / "build/pyoxidizer/app/precious").write_text("")
    world = evaluated(tmp_path, lines()).world
    with pytest.raises(ConfigError, match="was not made by oxcross"):
        stage(world, "app", {"name": "app", "version": "1", "repl": True}, {})
    assert (tmp_path / "build/pyoxidizer/app/precious").exists()


def _say(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(list(words))
    return status, capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("build nope", 3, "there is no target 'nope'"),
        ("build --var WHAT", 2, "not a variable: 'WHAT'"),
        ("build --target-triple x86_64-unknown-linux-gno", 2, "did you mean 'x86_64-unknown-linux-gnu'?"),
        ("build --targets win-x64", 2, "--targets is for [tool.oxcross]"),
        ("build --dry-run", 2, "--dry-run is for [tool.oxcross]"),
        ("build number", 3, "the target 'number' is nothing to build: 3"),
        ("build resources", 3, "build its target"),
        ("build loose", 3, "a module of no package cannot go in: loose/one.py"),
        ("build bundle", 3, "bundles are for macOS"),
        ("run files", 2, "the target has no executable to run"),
        ("migrate --bzl-target number", 3, "the target 'number' has no executable"),
        ("release", 3, "for all else: oxcross migrate --write"),
        ("build made extra", 2, "build takes no argument 'extra'"),
    ],
)
def test_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, status: int, message: str
) -> None:
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose/one.py").write_text("")
    (tmp_path / NAME).write_text(
        "def loose():\n"
        "    exe = resolve_target('made')\n"
        "    exe.add_python_resources(exe.read_package_root(CWD, ['loose']))\n"
        "    return exe\n"
        "register_target('loose', loose)\n"
        "register_target('number', lambda: 3)\n"
        "register_target('resources', lambda: resolve_target('made').to_embedded_resources())\n"
        "register_target('bundle', lambda: MacOsApplicationBundleBuilder('x'))\n"
        "register_target('files', lambda: FileManifest())\n" + lines()
    )
    flag = "--project" if words == "release" else "--path"
    found, said = _say(capsys, *words.split(), flag, str(tmp_path))
    assert message in said
    assert found == status


def test_configuration_of_oxcross_goes_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / NAME).write_text("fail('read')")
    (tmp_path / "pyproject.toml").write_text("[tool.oxcross]\nname = 3\n")
    assert "tool.oxcross.name" in _say(capsys, "build", "--project", str(tmp_path))[1]
    assert "goes before pyoxidizer.bzl" in _say(capsys, "build", "made", "--project", str(tmp_path))[1]
    assert "is there already" in _say(capsys, "migrate", "--path", str(tmp_path))[1]


def test_flags_without_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = _say(capsys, "build", "--project", str(tmp_path), "--var", "A", "b")
    assert (status, "--var is for a pyoxidizer.bzl" in said) == (2, True)
    status, said = _say(capsys, "migrate", "--path", str(tmp_path))
    assert (status, "no pyoxidizer.bzl" in said) == (3, True)


def test_starlark_is_imported_only_for_a_file() -> None:
    code = "import sys, oxcross.tasks, oxcross.wanted; sys.exit('starlark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
