"""What PyOxidizer's configuration files come to: types, targets, files; test_bzl_errors.py has what is wrong in them."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from bzl_files import evaluated, lines

from oxcross import targets
from oxcross.bzl import symbols, tables, toml, triples
from oxcross.bzl.apple import AppleUniversalBinary, MacOsApplicationBundleBuilder
from oxcross.bzl.distribution import PythonDistribution
from oxcross.bzl.executable import PythonEmbeddedResources, PythonExecutable
from oxcross.bzl.files import FileContent, FileManifest
from oxcross.bzl.interpreter import PythonInterpreterConfig
from oxcross.bzl.migrate import migrate, put
from oxcross.bzl.policy import PythonPackagingPolicy
from oxcross.bzl.resolved import ResolvedTarget
from oxcross.bzl.rewrite import Unreadable, rewrite
from oxcross.bzl.signing import CodeSigner

ROOT = Path(__file__).parents[2]
CLASSES = (
    PythonDistribution, PythonPackagingPolicy, PythonInterpreterConfig, PythonExecutable, PythonEmbeddedResources,
    FileContent, FileManifest, CodeSigner, MacOsApplicationBundleBuilder, AppleUniversalBinary, ResolvedTarget,
)  # fmt: skip


def _interpreter(folder: Path, settings: str) -> dict[str, Any]:
    return evaluated(folder, lines(settings)).executable.config.table()


# -- the table of symbols -----------------------------------------------------------------


def test_page_is_made_of_the_table() -> None:
    assert (ROOT / "docs/pyoxidizer.md").read_text(encoding="utf-8") == symbols.page()


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: str(kind.kind))
def test_methods_that_work_are_there(kind: type) -> None:
    rows = symbols.types()[kind.kind]  # type: ignore[attr-defined]
    working = {name for name, row in rows.methods.items() if row.state == "works"}
    assert working == {name for name in rows.methods if name in dir(kind)}


@pytest.mark.parametrize("name", sorted(set(symbols.variables()) - {"load"}))
def test_globals_are_there(tmp_path: Path, name: str) -> None:
    text = f"register_target('x', lambda: type({name}))\nresolve_targets()"
    assert evaluated(tmp_path, text).value in ("string", "dict", "function", "Context")


def test_states_are_known() -> None:
    rows = [*symbols.variables().values()]
    for one in symbols.types().values():
        rows += [*one.attributes.values(), *one.methods.values()]
    assert {row.state for row in rows} == {"works", "noted", "refused"}
    assert all(row.does for row in rows)


def test_every_attribute_takes_its_default(tmp_path: Path) -> None:
    text = "result = []\n"
    for variable in ("policy", "config"):
        text += f"for name in dir_of['{variable}']:\n    result.append(getattr({variable}, name))\n"
    kinds = {"policy": "PythonPackagingPolicy", "config": "PythonInterpreterConfig"}
    names = {variable: list(symbols.types()[kind].attributes) for variable, kind in kinds.items()}
    found = evaluated(tmp_path, f"dir_of = {names!r}\n" + lines(after=text)).value
    expected = [row.default for kind in kinds.values() for row in symbols.types()[kind].attributes.values()]
    assert found == expected


# -- attributes as calls --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a.b = c.d", '_oxcross_set(a, "b",  _oxcross_get(c, "d"))'),
        ("a.b.c = 1", '_oxcross_set(_oxcross_get(a, "b"), "c",  1)'),
        ("a.b += [1]", '_oxcross_set(a, "b", _oxcross_get(a, "b") + ( [1]))'),
        ("(a).b()", '_oxcross_get((a), "b")()'),
        ("a.b = (1)", '_oxcross_set(a, "b",  (1))'),
        ("x = 'a.b'  # c.d", "x = 'a.b'  # c.d"),
        ("é.ü('ß'.ö)", '_oxcross_get(é, "ü")(_oxcross_get(\'ß\', "ö"))'),
    ],
)
def test_rewritten(before: str, after: str) -> None:
    assert rewrite(before) == after


def test_lines_stay_where_they_are() -> None:
    text = "(a\n  .b  # c.d\n  .e(\n    f.g,\n  )\n)\nh.i = [\n  1,\n]\n"
    assert rewrite(text).count("\n") == text.count("\n")
    assert rewrite(text).splitlines()[6].startswith("_oxcross_set(h")


@pytest.mark.parametrize("text", ["a.b, c = 1, 2", "a.b = c.d = 1", "f().b += 1", "for a.b in c: pass"])
def test_attributes_that_cannot_be_calls(text: str) -> None:
    with pytest.raises(Unreadable):
        rewrite(text)


# -- interpreter and policy -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "table"),
    [
        ("filesystem_importer = True", {"filesystem-importer": True}),
        ("sys_frozen = False", {"sys-frozen": False}),
        ("use_environment = True", {"isolated": False}),
        ("buffered_stdio = False", {"unbuffered": True}),
        ("bytes_warning = 'raise'", {"bytes-warning": 2}),
        ("hash_seed = 3", {"hash-seed": 3}),
        ("allocator_backend = 'mimalloc'", {"allocator": "mimalloc"}),
        ("allocator = 'malloc'", {"allocator": "malloc"}),
        ("import_time = True", {"x-options": ["importtime"]}),
        ("verbose = True", {"verbose": 1}),
        ("config_profile = 'python'", {"isolated": False, "site": True}),
        ("module_search_paths = ['$ORIGIN/x']", {"filesystem-importer": True, "sys-path": ["$ORIGIN/x"]}),
        ("isolated = None", {}),
    ],
)
def test_interpreter(tmp_path: Path, setting: str, table: dict[str, Any]) -> None:
    assert _interpreter(tmp_path, f"config.{setting}") == table


def test_interpreter_that_is_not_touched_says_nothing(tmp_path: Path) -> None:
    assert _interpreter(tmp_path, "") == {}


def test_lists_are_copies(tmp_path: Path) -> None:
    setting = "config.x_options = ['a']\nconfig.x_options.append('b')"
    assert _interpreter(tmp_path, setting) == {"x-options": ["a"]}


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("run_command = 'print(1)'", "run-command"),
        ("run_module = 'app'", "run-module"),
        ("run_module = None", "repl"),
    ],
)
def test_what_runs(tmp_path: Path, setting: str, key: str) -> None:
    assert list(evaluated(tmp_path, lines(f"config.{setting}")).executable.config.run()) == [key]


def test_what_changes_nothing_is_told_with_its_line(tmp_path: Path) -> None:
    found = evaluated(
        tmp_path, lines("config.argvb = True\npolicy.set_preferred_extension_module_variant('a', 'b')")
    )
    assert [text.partition("pyoxidizer.bzl:")[2].partition(": Python")[0] for text in found.told] == [
        "5: in make",
        "6: in make",
    ]
    assert "os.fsencode" in found.told[0]


def test_what_changes_nothing_at_its_default_is_not_told(tmp_path: Path) -> None:
    assert evaluated(tmp_path, lines("config.argvb = False")).told == []


def test_resource_handling_mode(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/__init__.py").write_text("")
    after = "result = [type(one) for one in exe.read_package_root(CWD, ['pkg'])]"
    assert evaluated(tmp_path, lines(after=after)).value == ["PythonModuleSource"]
    files = lines("policy.set_resource_handling_mode('files')", after)
    assert evaluated(tmp_path, files).value == ["File"]


# -- resources ----------------------------------------------------------------------------------


def _package(folder: Path) -> None:
    for path in (
        "__init__.py",
        "one.py",
        "tests/__init__.py",
        "data/text.txt",
        "data.bin",
        "deep/fast.abi3.so",
    ):
        file = folder / "pkg" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# {path}\n")


def test_resources_are_told_apart(tmp_path: Path) -> None:
    _package(tmp_path)
    after = (
        "result = [(type(one), one.package + ':' + one.name if hasattr(one, 'package') else one.name, one.add_include)\n"
        "    for one in exe.read_package_root(path = CWD, packages = ['pkg'])]"
    )
    assert evaluated(tmp_path, lines(after=after)).value == [
        ["PythonModuleSource", "pkg", True],
        ["PythonPackageResource", "pkg:data.bin", True],
        ["PythonPackageResource", "pkg:data/text.txt", True],
        ["PythonExtensionModule", "pkg.deep.fast", True],
        ["PythonModuleSource", "pkg.one", True],
        ["PythonModuleSource", "pkg.tests", False],
    ]


def test_only_what_is_added_goes_in(tmp_path: Path) -> None:
    _package(tmp_path)
    after = (
        "for one in exe.read_package_root(CWD, ['pkg']):\n"
        "    if type(one) == 'PythonModuleSource':\n"
        "        one.add_include = one.source != '# one.py\\n'\n"
        "        exe.add_python_resource(one)\n"
        "exe.add_python_resource(exe.make_python_module_source('made.up', 'X = 1', True))"
    )
    wanted = tables.wanted(evaluated(tmp_path, lines(after=after)).executable)
    assert sorted(wanted.files) == ["made/up/__init__.py", "pkg/__init__.py", "pkg/tests/__init__.py"]
    assert wanted.files["made/up/__init__.py"].read() == b"X = 1"


def test_locations_beside_the_executable(tmp_path: Path) -> None:
    _package(tmp_path)
    after = (
        "for one in exe.read_package_root(CWD, ['pkg']):\n"
        "    if type(one) == 'PythonPackageResource':\n"
        "        one.add_location = 'in-memory'\n"
        "    exe.add_python_resource(one)"
    )
    before = "policy.resources_location = 'filesystem-relative:lib'"
    wanted = tables.wanted(evaluated(tmp_path, lines(before, after)).executable)
    assert sorted(wanted.files) == ["pkg/data.bin", "pkg/data/text.txt"]
    assert sorted(wanted.beside) == ["lib/pkg/__init__.py", "lib/pkg/deep/fast.abi3.so", "lib/pkg/one.py"]
    assert wanted.tables["interpreter"] == {"sys-path": ["$ORIGIN/lib"], "filesystem-importer": True}


@pytest.mark.parametrize(
    ("location", "key"), [("in-memory", "run-module"), ("filesystem-relative:.", "run-command")]
)
def test_module_that_runs_may_lie_beside(tmp_path: Path, location: str, key: str) -> None:
    (tmp_path / "app.py").write_text("")
    before = f"config.run_module = 'app'\npolicy.resources_location = '{location}'"
    after = "exe.add_python_resources(exe.read_package_root(CWD, ['app']))"
    found = tables.wanted(evaluated(tmp_path, lines(before, after)).executable)
    assert key in found.tables
    assert list(found.beside or found.files) == ["app.py"]


def test_sources_of_all_modules_or_none(tmp_path: Path) -> None:
    _package(tmp_path)
    add = "exe.add_python_resources(exe.read_package_root(CWD, ['pkg']))"
    none = evaluated(tmp_path, lines("policy.include_non_distribution_sources = False", add))
    assert tables.wanted(none.executable).tables["sources"] is False
    one = "modules = exe.read_package_root(CWD, ['pkg'])\nmodules[0].add_source = False\nexe.add_python_resources(modules)"
    some = tables.wanted(evaluated(tmp_path, lines(after=one)).executable)
    assert "sources" not in some.tables
    assert "of all modules or of none" in some.notes[0]


def test_virtual_environment(tmp_path: Path) -> None:
    site = tmp_path / "venv/lib/python3.13/site-packages"
    (site / "thing-1.0.dist-info").mkdir(parents=True)
    (site / "thing.py").write_text("")
    (site / "pip").mkdir()
    (site / "pip/__init__.py").write_text("")
    (site / "thing-1.0.dist-info/METADATA").write_text("Name: thing\n")
    after = "result = [(type(one), one.name) for one in exe.read_virtualenv('venv')]"
    assert evaluated(tmp_path, lines(after=after)).value == [
        ["PythonPackageDistributionResource", "METADATA"],
        ["PythonModuleSource", "thing"],
    ]


# -- targets --------------------------------------------------------------------------------------

_TARGETS = """\
COUNT = []
def base():
    COUNT.append(1)
    return "base"
def first(one): return one + " first"
def second(one, two): return [one, two, resolve_target("base"), len(COUNT)]
register_target("base", base)
register_target("first", first, depends = ["base"])
register_target("second", second, ["base", "first"], {default})
resolve_targets()
"""


@pytest.mark.parametrize(
    ("wanted", "default", "value"),
    [
        (None, "False", "base"),
        (None, "default = True", ["base", "base first", "base", 1]),
        ("first", "True", "base first"),
    ],
)
def test_targets(tmp_path: Path, wanted: str | None, default: str, value: object) -> None:
    assert evaluated(tmp_path, _TARGETS.format(default=default), wanted).value == value


def test_what_surrounds_a_file(tmp_path: Path) -> None:
    text = "register_target('x', lambda: [CWD, CONFIG_PATH, BUILD_TARGET_TRIPLE, VARS, type(CONTEXT)])\nresolve_targets()"
    found = evaluated(tmp_path, text, triple="aarch64-apple-darwin", variables={"A": "b", "C": None})
    here = str(tmp_path.resolve())
    assert found.value == [
        here,
        f"{here}/pyoxidizer.bzl",
        "aarch64-apple-darwin",
        {"A": "b", "C": None},
        "Context",
    ]


def test_every_target_has_a_triple() -> None:
    assert {triples.target(triples.triple(name)) for name in targets.load()} == set(targets.load())


def test_print_goes_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluated(tmp_path, lines(after="print('made', exe, [1, 'x'], True)"))
    assert capsys.readouterr() == ("", 'made <PythonExecutable> [1, "x"] True\n')


# -- files ------------------------------------------------------------------------------------------


def test_manifests(tmp_path: Path) -> None:
    (tmp_path / "docs/deep").mkdir(parents=True)
    for name in ("docs/a.txt", "docs/deep/b.txt", "docs/c.tmp"):
        (tmp_path / name).write_text(name)
    after = (
        "result = FileManifest()\n"
        "result.add_manifest(glob(['docs/**/*'], exclude = ['**/*.tmp'], strip_prefix = 'docs/'))\n"
        "result.add_file(FileContent(filename = 'run', content = '#!', executable = True), directory = 'bin')\n"
        "result.add_path('docs/c.tmp', strip_prefix = CWD + '/docs')\n"
        "result.add_python_resource('bin', exe)\n"
        "result.remove('a.txt')\n"
        "print(result.get_file('nothing'), result.get_file('bin/app').filename)"
    )
    manifest = evaluated(tmp_path, lines(after=after)).value
    assert manifest.paths() == ["bin/app", "bin/run", "c.tmp", "deep/b.txt"]
    assert manifest.files["bin/run"].attributes["executable"] is True


def test_executables_for_windows_have_a_suffix(tmp_path: Path) -> None:
    text = lines(after="result = exe.to_file_manifest('.')")
    assert evaluated(tmp_path, text, triple="x86_64-pc-windows-msvc").value.paths() == ["app.exe"]


def test_file_content_is_written(tmp_path: Path) -> None:
    after = (
        "result = FileContent(filename = 'x', content = 'text', executable = True).write_to_directory('made')"
    )
    path = Path(evaluated(tmp_path, lines(after=after)).value)
    assert path == tmp_path.resolve() / "build/made/x"
    assert path.read_text() == "text"
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


# -- signatures, bundles, TOML ------------------------------------------------------------------------


def test_signers_are_for_windows_and_macos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OXCROSS_BZL_PASSWORD", "")
    (tmp_path / "key.pfx").write_bytes(b"")
    text = lines(
        "signer = code_signer_from_pfx_file('key.pfx', 'secret')\n"
        "signer.set_time_stamp_server('http://clock')\nsigner.activate()"
    )
    signed = tables.wanted(evaluated(tmp_path, text, triple="x86_64-pc-windows-gnu").executable).tables
    assert signed["windows"]["sign"] == {
        "certificate": str(tmp_path.resolve() / "key.pfx"),
        "password-env": "OXCROSS_BZL_PASSWORD",
        "timestamp": "http://clock",
    }
    assert "windows" not in tables.wanted(evaluated(tmp_path, text).executable).tables


def test_bundles(tmp_path: Path) -> None:
    after = (
        "result = MacOsApplicationBundleBuilder('App')\n"
        "result.set_info_plist_required_keys('My App', 'org.example.app', '1.2', '????', 'app')\n"
        "result.set_info_plist_key('LSUIElement', True)\n"
        "result.add_macos_manifest(exe.to_file_manifest('.'))"
    )
    builder = evaluated(tmp_path, lines(after=after), triple="aarch64-apple-darwin").value
    assert builder.table == {"name": "My App", "identifier": "org.example.app", "info": {"LSUIElement": True}}
    assert (builder.version, builder.executable.name) == ("1.2", "app")


def test_bundles_migrate(tmp_path: Path) -> None:
    after = (
        "result = MacOsApplicationBundleBuilder('App')\n"
        "result.add_icon('art/icon.png')\n"
        "result.set_info_plist_required_keys('App', 'org.example.app', '1.2', '????', 'app')\n"
        "result.add_macos_file(exe.to_file_manifest('.').get_file('app'))"
    )
    found = evaluated(tmp_path, lines(after=after), triple="aarch64-apple-darwin")
    table = tomllib.loads(migrate(found.world, found.goals))["tool"]["oxcross"]
    assert table["macos"]["app"] == {
        "name": "App",
        "icon": "art/icon.png",
        "identifier": "org.example.app",
    }
    assert (table["version"], table["targets"]) == ("1.2", ["macos-arm64"])


def test_migrated_tables_stand_below_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "3"\n')
    found = evaluated(tmp_path, lines())
    text = put(found.world, migrate(found.world, found.goals)).read_text(encoding="utf-8")
    document = tomllib.loads(text)
    assert text.startswith('[project]\nname = "app"')
    assert document["tool"]["oxcross"] == {
        "repl": True,
        "project": False,
        "policy": {"include-tests": False},
    }


@pytest.mark.parametrize(
    "document",
    [
        {"a": 'quote " \\ \n \x7f é', "b": [], "c": {"d": {"e": True, "f": [1, 2]}, "g h": {"i": -1}}},
        {"long": [f"number {number}" for number in range(20)], "empty": {}},
    ],
)
def test_toml_reads_back(document: dict[str, Any]) -> None:
    assert tomllib.loads(toml.dumps(document)) == document
