"""The configuration: what is right is taken as it is meant, what is wrong is named, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from configuring import HEAD, Write, error, errors, load, writer

from oxcross import project as projects
from oxcross.config import schema
from oxcross.errors import ConfigError, UsageError
from oxcross.project import DataFile, Run

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path)


def test_defaults(write: Write) -> None:
    found = load(write('[tool.oxcross]\nrun-file = "app.py"\n'))
    assert (found.name, found.version, found.run) == ("app", "1.0", Run("file", "app.py"))
    assert found.targets == ("linux-x64",)
    assert found.target == "linux-x64"
    assert found.python.startswith("3.13.")
    assert not found.include_project  # no build-system: there is nothing to install
    assert found.sources
    assert (found.optimize, found.compression, found.glibc) == (0, "none", "2.28")
    assert found.interpreter.utf8_mode
    assert found.interpreter.isolated
    assert found.interpreter.exit == "fast"
    assert found.policy.location == "in-memory"


def test_no_pyproject(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no pyproject.toml\n.*--project DIR"):
        projects.load(tmp_path)
    with pytest.raises(ConfigError, match=r"no pyproject.toml"):
        projects.load(tmp_path / "missing")


def test_not_toml(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: .*line 5"):
        projects.load(write("[tool.oxcross]\nname =\n"))


def test_name_and_version_from_the_table(write: Write) -> None:
    head = '[tool.oxcross]\nname = "tool"\nversion = "2"\nrun-file = "app.py"\n'
    found = load(write("", head=head))
    assert (found.name, found.version) == ("tool", "2")


def test_no_name_and_dynamic_version(write: Write) -> None:
    texts = errors(write('[tool.oxcross]\nrun-file = "app.py"\n', head='[project]\ndynamic = ["version"]\n'))
    assert any("tool.oxcross.name" in text and "no project.name" in text for text in texts)
    assert any(
        "tool.oxcross.version" in text and "there is no [build-system] that computes it" in text
        for text in texts
    )


def test_a_version_that_cannot_be_computed(write: Write) -> None:
    head = '[project]\nname = "app"\ndynamic = ["version"]\n'
    system = '[build-system]\nrequires = []\nbuild-backend = "nothing"\nbackend-path = ["."]\n'
    text = error(write(f'{system}[tool.oxcross]\nrun-file = "app.py"\n', head=head))
    assert (
        "tool.oxcross.version: missing: it is left to the build backend, and its wheel cannot be built"
        in text
    )
    assert "nothing" in text
    assert 'or write version = "…" below [tool.oxcross]' in text


@pytest.mark.parametrize(
    ("line", "key", "says"),
    [
        ('compresion = "zstd"', "tool.oxcross.compresion", "did you mean 'compression'?"),
        ('compression = "zst"', "tool.oxcross.compression", "did you mean 'zstd'?"),
        ("compression = 3", "tool.oxcross.compression", "not 3"),
        ("optimize = 3", "tool.oxcross.optimize", "at most 2"),
        ("optimize = true", "tool.oxcross.optimize", "a whole number"),
        ('sources = "yes"', "tool.oxcross.sources", "true or false"),
        ('targets = "linux-x64"', "tool.oxcross.targets", "a list"),
        ('targets = ["linux-x65"]', "tool.oxcross.targets[0]", "did you mean 'linux-x64'?"),
        ("targets = []", "tool.oxcross.targets", "names no target"),
        ('python = "2.7"', "tool.oxcross.python", "version such as"),
        ('python = "3.7"', "tool.oxcross.python", "CPython 3.7 is not offered"),
        ("python = 3.13", "tool.oxcross.python", "a string"),
        ('glibc = "2.12"', "tool.oxcross.glibc", "2.17"),
        ('glibc = "newest"', "tool.oxcross.glibc", "2.28"),
        ('name = "a/b"', "tool.oxcross.name", "a file name"),
        ('requirements = ["requests>=2", "no such=="]', "tool.oxcross.requirements[1]", "PEP 508"),
        ('requirements-file = "reqs.txt"', "tool.oxcross.requirements-file", "there is no file 'reqs.txt'"),
        ('lock = "uv.lck"', "tool.oxcross.lock", "there is no file"),
        ('lock = "app.py"', "tool.oxcross.lock", "pylock.toml"),
        ('exclude-modules = ["a-b"]', "tool.oxcross.exclude-modules[0]", "dotted name"),
        (
            'exclude-files = ["!../a"]',
            "tool.oxcross.exclude-files[0]",
            "not a glob of paths in the executable: '!../a'",
        ),
        ('exclude-packages = ["a>1"]', "tool.oxcross.exclude-packages[0]", "without version"),
        ('data = ["assets/**"]', "tool.oxcross.data[0]", "matches nothing"),
        ('data = ["ap.py"]', "tool.oxcross.data[0]", "did you mean 'app.py'?"),
        ('data = ["../x"]', "tool.oxcross.data[0]", "must lie in the project"),
        ('data = [{from = "app.py", to = "/etc"}]', "tool.oxcross.data[0]", "must lie in the executable"),
        ('data = [{from = "app.py", form = "x"}]', "tool.oxcross.data[0].form", "did you mean 'from'?"),
        ("data = [3]", "tool.oxcross.data[0]", "a table"),
        ("exit = 'full'", "tool.oxcross.exit", "[tool.oxcross.interpreter]"),
        ("interpreter.hash-seed = -1", "tool.oxcross.interpreter.hash-seed", "at least 0"),
        ("interpreter.exit = 'slow'", "tool.oxcross.interpreter.exit", "choose one of: fast, full"),
        ("interpreter.warnings = ['eror']", "tool.oxcross.interpreter.warnings[0]", "did you mean 'error'?"),
        ("interpreter.int-max-str-digits = 5", "tool.oxcross.interpreter.int-max-str-digits", "640"),
        ("interpreter.sys-path = ['lib']", "tool.oxcross.interpreter.sys-path[0]", "$ORIGIN/lib"),
        ("interpreter.compression = 'zstd'", "tool.oxcross.interpreter.compression", "in [tool.oxcross]"),
        ("policy.location = 'memory'", "tool.oxcross.policy.location", "did you mean 'in-memory'?"),
        ("policy.location = 'filesystem-relative:lib'", "tool.oxcross.policy.location", "cannot be built"),
        ("policy.data = 'filesystem-relative:share'", "tool.oxcross.policy.data", "cannot be built"),
        ("policy.include-tests = 'no'", "tool.oxcross.policy.include-tests", "true or false"),
        ("target.linux-x46.optimize = 2", "tool.oxcross.target.linux-x46", "did you mean 'linux-x64'?"),
        ("target.linux-x64.optimise = 2", "tool.oxcross.target.linux-x64.optimise", "'optimize'"),
        ("target.linux-x64.python = '3.7'", "tool.oxcross.target.linux-x64.python", "not offered"),
        ("commands = false", "tool.oxcross.commands", "must be true, a list or a table, not false"),
        ("commands = []", "tool.oxcross.commands", "names no command"),
        ("commands = ['a/b']", "tool.oxcross.commands", "not a command's name: 'a/b'"),
        ("commands = true", "tool.oxcross.commands", "the project has no scripts"),
        ("commands = ['run']", "tool.oxcross.commands.run", "no script 'run' in this project"),
        ("commands.run = 'app:mian'", "tool.oxcross.commands.run", "did you mean 'main'?"),
        ("commands.run = 3", "tool.oxcross.commands.run", "must be a table, not 3"),
        ("commands.run = {run-modul = 'app'}", "tool.oxcross.commands.run.run-modul", "'run-module'?"),
        ("commands.run = {run-module = 'ap'}", "tool.oxcross.commands.run", "did you mean 'app'?"),
        (
            "commands.run = {run-module = 'app', entry-point = 'app:main'}",
            "tool.oxcross.commands.run",
            "exclude each other",
        ),
        ("store.mirror = ['x']", "tool.oxcross.store.mirror", "did you mean 'mirrors'?"),
    ],
)
def test_wrong_value(write: Write, line: str, key: str, says: str) -> None:
    text = error(write(f'[tool.oxcross]\nrun-file = "app.py"\n{line}\n'))
    assert "pyproject.toml" in text.partition("tool.oxcross")[0]
    assert f"{key}: " in text
    assert says in text


def test_the_line_is_named(write: Write) -> None:
    text = error(write('[tool.oxcross]\nrun-file = "app.py"\n\n[tool.oxcross.interpreter]\nexit = "no"\n'))
    assert "pyproject.toml:8: tool.oxcross.interpreter.exit" in text


def test_all_errors_at_once(write: Write) -> None:
    texts = errors(
        write(
            """
            [tool.oxcross]
            entry-point = "app:mian"
            run-file = "app.py"
            data = ["nothing/*"]
            requirements = ["?"]
            targets = ["linux-x65"]
            compresion = "zstd"
            sources = 1
            exclude-modules = ["ok", "a-b"]
            interpreter.warnings = ["no"]
            """
        )
    )
    keys = {text.split(": ")[1].removeprefix("tool.oxcross.") for text in texts}
    assert keys == {
        "run-file",
        "entry-point",
        "data[0]",
        "requirements[0]",
        "targets[0]",
        "compresion",
        "sources",
        "exclude-modules[1]",
        "interpreter.warnings[0]",
    }


@pytest.mark.parametrize("text", ["tool = {oxcross = 3}", "[tool]\noxcross = []"])
def test_not_a_table(write: Write, text: str) -> None:
    assert "must be a table" in error(write(text, head=""))


@pytest.mark.parametrize("text", ["tool = 3\n", "project = 3\n", "[project]\nscripts = 3\n"])
def test_tables_around_it_are_wrong(write: Write, text: str) -> None:
    with pytest.raises(ConfigError, match="must be a table"):
        load(write("", head=text))


def test_python_against_requires_python(write: Write) -> None:
    head = HEAD + 'requires-python = "<3.13"\n'
    text = error(write('[tool.oxcross]\nrun-file = "app.py"\n', head=head))
    assert "requires-python: <3.13" in text


def test_allocator_that_the_python_lacks(write: Write) -> None:
    text = '[tool.oxcross]\nrun-file = "app.py"\npython = "{}"\n[tool.oxcross.interpreter]\nallocator = "mimalloc"\n'
    assert load(write(text.format("3.13"))).interpreter.allocator == "mimalloc"
    assert "tool.oxcross.interpreter.allocator: CPython 3.12." in error(write(text.format("3.12")))


def test_a_python_without_a_recipe_for_windows(write: Write) -> None:
    text = '[tool.oxcross]\nrun-file = "app.py"\npython = "{}"\ntargets = ["win-x64"]\n'
    assert load(write(text.format("3.13"))).for_target("win-x64").python == "3.13.15"
    said = error(write(text.format("3.12")))
    assert "tool.oxcross.python: there is no recipe for CPython 3.12." in said
    assert "on win-x64" in said
    assert 'python = "3.13"' in said


def test_data(write: Write) -> None:
    folder = write(
        """
        [tool.oxcross]
        run-file = "app.py"
        data = ["assets", {from = "static/**/*.css", to = "web"}, "notes.txt"]
        """,
        **{
            "assets/a.txt": "a",
            "assets/deep/b.txt": "b",
            "static/x/y.css": "c",
            "static/x/y.js": "d",
            "static/.cache/z.css": "e",
            "notes.txt": "f",
        },
    )
    assert load(folder).data == (
        DataFile(folder / "assets/a.txt", "assets/a.txt"),
        DataFile(folder / "assets/deep/b.txt", "assets/deep/b.txt"),
        DataFile(folder / "notes.txt", "notes.txt"),
        DataFile(folder / "static/x/y.css", "web/x/y.css"),
    )


def test_data_two_files_for_one_place(write: Write) -> None:
    files = {"one/a.txt": "1", "two/a.txt": "2"}
    text = error(
        write(
            '[tool.oxcross]\nrun-file = "app.py"\ndata = [{from = "one/*", to = "x"}, {from = "two/*", to = "x"}]\n',
            **files,
        )
    )
    assert "two files for one place, x/a.txt" in text


def test_data_does_not_match_output(write: Write) -> None:
    files = {"build/linux-x64/a.txt": "", "dist/b.txt": "", ".venv/c.txt": "", "d.txt": ""}
    found = load(write('[tool.oxcross]\nrun-file = "app.py"\ndata = ["**/*.txt"]\n', **files))
    assert [file.path for file in found.data] == ["d.txt"]


HASH = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("requests==2.0\n", "requests has no hash"),
        (f"-e .\nrequests==2.0 {HASH}\n", "holds an option: -e"),
        ("# nothing\n", "holds no requirement"),
    ],
)
def test_requirements_file_that_is_not_locked(write: Write, content: str, says: str) -> None:
    text = '[tool.oxcross]\nrun-file = "app.py"\nrequirements-file = "r.txt"\n'
    assert says in error(write(text, **{"r.txt": content}))


def test_requirements_file(write: Write) -> None:
    folder = write(
        '[tool.oxcross]\nrun-file = "app.py"\nrequirements-file = "r.txt"\n',
        **{
            "r.txt": f"# made by a tool\nrequests==2.0 ; python_version > '3' \\\n    {HASH} \\\n    {HASH}\n"
        },
    )
    assert load(folder).requirements_file == folder / "r.txt"


def test_locked_and_unlocked_requirements(write: Write) -> None:
    text = error(
        write(
            '[tool.oxcross]\nrun-file = "app.py"\nrequirements = ["requests"]\nlock = "uv.lock"\n',
            **{"uv.lock": "version = 1\n"},
        )
    )
    assert "lock and requirements exclude each other" in text


def test_target_overrides(write: Write) -> None:
    found = load(
        write(
            """
            [tool.oxcross]
            run-file = "app.py"
            optimize = 1
            interpreter = {utf8-mode = false, dev-mode = true}

            [tool.oxcross.target.linux-arm64]
            run-module = "http.server"
            optimize = 2
            interpreter.utf8-mode = true
            """
        )
    )
    assert (found.target, found.optimize, found.interpreter.utf8_mode) == ("linux-x64", 1, False)
    other = found.for_target("linux-arm64")
    assert (other.target, other.optimize, other.run) == ("linux-arm64", 2, Run("module", "http.server"))
    assert (other.interpreter.utf8_mode, other.interpreter.dev_mode) == (True, True)
    assert other.for_target("linux-x64") == found
    assert found.for_target("win-x64").optimize == 1
    with pytest.raises(UsageError, match="did you mean 'linux-x64'"):
        found.for_target("linux-x46")


def test_this_repository() -> None:
    found = load(REPOSITORY)
    assert found.run == Run("entry-point", "oxcross.cli:main")
    assert found.include_project
    assert found.requirements_file == REPOSITORY / "requirements.lock"


def test_schema_describes_every_key() -> None:
    document = schema.json_schema()
    properties = document["properties"]
    assert set(properties) == set(schema.keys(schema.Config))
    assert "entry-point" in properties
    assert not document["additionalProperties"]
    for table in (document, *document["$defs"].values()):
        for key, value in table["properties"].items():
            assert "description" in value or "$ref" in value or "default" in value, key


def test_targets_that_are_not_configured_link_as_they_must(write: Write) -> None:
    found = load(
        write('[tool.oxcross]\nrun-file = "app.py"\ntargets = ["linux-x64"]\nlink = ["Some.Name"]\n')
    )
    assert found.link == found.for_target("linux-arm64").link == ("some-name",)
    assert found.for_target("linux-x64-musl").link == "static"
    other = load(write('[tool.oxcross]\nrun-file = "app.py"\ntargets = ["linux-x64-musl"]\n'))
    assert other.link == "static"
    assert other.for_target("linux-x64").link == "memory"
