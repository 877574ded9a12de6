"""The keys of ``[tool.oxcross]``: names, types, defaults and meanings, as pydantic models.

The models say what each table may hold, nothing about the project around it: that is for
view.py. The JSON Schema for editors comes from here too. pydantic takes a tenth of a second to import: only ``project.load``
and the ``schema`` task import this module.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from oxcross.config.cache import Cache
from oxcross.config.macos import MacOS
from oxcross.config.publish import Publish
from oxcross.config.release import Release
from oxcross.config.table import Table, Text
from oxcross.config.windows import Windows
from oxcross.errors import nearest

ModuleName = Annotated[str, StringConstraints(strict=True, pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)*$")]
DistributionName = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
]
_FILE_NAME: Final = r"^[A-Za-z0-9_][A-Za-z0-9._+-]*$"
FileName = Annotated[str, StringConstraints(strict=True, pattern=_FILE_NAME)]
Glibc = Annotated[str, StringConstraints(strict=True, pattern=r"^2\.[1-9][0-9]$")]
Python = Annotated[str, StringConstraints(strict=True, pattern=r"^3\.[0-9]+(\.[0-9]+)?$")]

WARNING_ACTIONS: Final = ("default", "error", "ignore", "always", "module", "once")


def _location(value: str) -> str:
    kind, colon, prefix = value.partition(":")
    if value == "in-memory" or (kind == "filesystem-relative" and colon and prefix):
        return value
    choices = ("in-memory", "filesystem-relative:PREFIX")
    raise PydanticCustomError("location", "no such location: {value}\n{hint}", _hint(value, choices))


def _warning(value: str) -> str:
    action = value.partition(":")[0]
    if value.count(":") > 4:
        raise PydanticCustomError(
            "warning", "not action:message:category:module:line: {value}", {"value": value}
        )
    if action and not any(known.startswith(action) for known in WARNING_ACTIONS):
        raise PydanticCustomError(
            "warning", "no such action: {value}\n{hint}", _hint(action, WARNING_ACTIONS)
        )
    return value


def _path_entry(value: str) -> str:
    if not value.startswith(("$ORIGIN", "/")):
        raise PydanticCustomError(
            "sys_path",
            "must be absolute: {value}\nwrite '$ORIGIN/{value}' for a folder beside the executable",
            {"value": value},
        )
    return value


def _digits(value: int) -> int:
    if 0 < value < 640:
        raise PydanticCustomError(
            "digits", "must be 0 (no limit) or at least 640, not {value}", {"value": value}
        )
    return value


def _accepted(value: str) -> str:
    from oxcross.analyze import rules

    known = rules.load().rules
    if value.partition(":")[0] not in known:
        raise PydanticCustomError(
            "rule", "there is no rule {value}\n{hint}", _hint(value.partition(":")[0], tuple(known))
        )
    return value


def _part(value: str) -> str:
    from oxcross.collect.parts import load

    if value not in load():
        raise PydanticCustomError("part", "there is no group {value}\n{hint}", _hint(value, tuple(load())))
    return value


def _path_glob(value: str) -> str:
    pattern = value.removeprefix("!")
    if not pattern or pattern.startswith("/") or ".." in pattern.split("/"):
        raise PydanticCustomError(
            "path_glob",
            "not a glob of paths in the executable: {value}\nwrite 'package/folder/**', and '!package/folder/file' for what is to stay",
            {"value": repr(value)},
        )
    return value


def _data(value: object) -> object:
    return {"from": value} if isinstance(value, str) else value


def _hint(value: str, choices: tuple[str, ...]) -> dict[str, Any]:
    return {"value": repr(value), "hint": nearest(value, choices)}


ALL_SCRIPTS: Final = "*"


def _commands(value: object) -> object:
    """The three ways to write them as one: a table from the name to what it runs."""
    if value is True:
        return {ALL_SCRIPTS: {}}
    if isinstance(value, list):
        named: dict[Any, Any] = {str(name): {} for name in value}
    elif isinstance(value, dict):
        named = {name: {"entry-point": one} if isinstance(one, str) else one for name, one in value.items()}
    else:
        raise PydanticCustomError(
            "commands", "must be true, a list or a table, not {value}", {"value": repr(value).lower()}
        )
    for name in named:
        if not re.fullmatch(_FILE_NAME, name):
            raise PydanticCustomError(
                "commands", "not a command's name: {name}\nit becomes a file name", {"name": repr(name)}
            )
    return named


Location = Annotated[Text, AfterValidator(_location)]


class Data(Table):
    """Files that are embedded besides the packages."""

    source: Text = Field(alias="from")
    """Glob below the project's folder; `**` matches any depth."""
    to: str = Field(default="", strict=True)
    """Folder in the executable; default: where the files lie in the project."""


class Command(Table):
    """What one of several commands runs; without either key the console script of that name."""

    entry_point: Text | None = None
    """Run a function: `package.module:function`."""
    run_module: ModuleName | None = None
    """Run a module as `python -m` does."""


class Interpreter(Table):
    """How the embedded CPython is set up before the application runs (PyConfig, PEP 587)."""

    utf8_mode: StrictBool = True
    """UTF-8 for files and streams whatever the locale says (PEP 540)."""
    isolated: StrictBool = True
    """Take nothing from PYTHON* variables, the current folder or the user's site-packages."""
    hash_seed: Annotated[StrictInt, Field(ge=0, le=4294967295)] | None = None
    """Fixed seed of str hashes; without it each run has another."""
    warnings: tuple[Annotated[Text, AfterValidator(_warning)], ...] = ()
    """Warning filters as `python -W` takes them."""
    x_options: tuple[Text, ...] = ()
    """Options as `python -X` takes them."""
    dev_mode: StrictBool = False
    """Python Development Mode (`-X dev`)."""
    unbuffered: StrictBool = False
    """Standard streams without buffer (`-u`)."""
    faulthandler: StrictBool = False
    """Print Python tracebacks on fatal signals."""
    verbose: Annotated[StrictInt, Field(ge=0, le=2)] = 0
    """How much the import system says (`-v`)."""
    quiet: StrictBool = False
    """No banner before the REPL (`-q`)."""
    inspect: StrictBool = False
    """Enter the REPL after the application (`-i`)."""
    bytes_warning: Annotated[StrictInt, Field(ge=0, le=2)] = 0
    """0: nothing, 1: warn, 2: raise where bytes are compared with str (`-b`)."""
    int_max_str_digits: Annotated[StrictInt, Field(ge=0, le=2147483647), AfterValidator(_digits)] | None = (
        None
    )
    """Longest int that may be turned into text; 0: no limit; default: CPython's."""
    exit: Literal["fast", "full"] = "fast"
    """`fast`: atexit, threads and streams, then leave; `full`: tear the interpreter down as well."""
    locale: StrictBool = True
    """Take LC_CTYPE from the environment as `python` does."""
    allocator: Literal["default", "malloc", "mimalloc"] = "default"
    """`default` is pymalloc."""
    site: StrictBool = False
    """Import `site` at start: .pth files of sys-path folders, `exit`, `help`."""
    child_python: StrictBool = True
    """Act as Python in processes that libraries start as `sys.executable`; false: always run the application."""
    sys_path: tuple[Annotated[Text, AfterValidator(_path_entry)], ...] = ()
    """Folders added to sys.path; `$ORIGIN` is the executable's folder."""
    filesystem_importer: StrictBool = True
    """Import what a program adds to sys.path, as in an environment; false: modules come from the executable and `sys-path` only."""
    sys_frozen: StrictBool = True
    """Set `sys.frozen`, by which libraries know an executable."""
    sys_oxidized: StrictBool = True
    """Set `sys.oxidized`, by which code written for PyOxidizer does."""
    sys_meipass: StrictBool = False
    """Set `sys._MEIPASS`, for code written for PyInstaller, to the executable's path, below which its files are."""


class Policy(Table):
    """Which resources are taken, and where each lies."""

    location: Location = "in-memory"
    """Where resources lie: `in-memory` (the executable) or `filesystem-relative:PREFIX` (beside it)."""
    location_fallback: Location | None = None
    """Where those lie that cannot be in the first place; default: none, it is an error."""
    modules: Location | None = None
    """Where Python modules lie; default: `location`."""
    extensions: Location | None = None
    """Where extension modules and shared libraries lie; default: `location`."""
    data: Location | None = None
    """Where package data lies; default: `location`."""
    include_tests: StrictBool = True
    """Take the packages' own tests."""
    include_data: StrictBool = True
    """Take the packages' data files."""
    include_metadata: StrictBool = True
    """Take the distributions' metadata (importlib.metadata)."""
    include_stdlib_sources: StrictBool | None = None
    """Embed the standard library's sources; default: as `sources`."""


class Stdlib(Table):
    """What is left out of the standard library; by default nothing is."""

    exclude: tuple[Annotated[Text, AfterValidator(_part)], ...] = ()
    """Named groups of modules to leave out, by what they are for: oxcross/collect/stdlib.toml has them."""
    unreached: StrictBool = True
    """false: leave out the modules that no import statement of the application leads to. Name those that are imported by
    computed names in `include`."""
    include: tuple[ModuleName, ...] = ()
    """Modules to keep, with all that they import, whatever the other keys say."""


class Settings(Table):
    """What may differ from target to target."""

    python: Python = "3.13"
    """CPython's version: `3.13`, or one release of it, `3.13.15`."""
    entry_point: Text | None = Field(None, examples=["myapp.cli:main"])
    """Run a function: `package.module:function`. Its result is the exit status, as of a console script."""
    run_module: ModuleName | None = Field(None, examples=["myapp"])
    """Run a module as `python -m` does."""
    run_file: Text | None = Field(None, examples=["app.py"])
    """Run a script of the project as `python FILE` does."""
    run_command: Text | None = None
    """Run a line of Python as `python -c` does."""
    repl: Literal[True] | None = None
    """Start Python's interactive mode."""
    commands: (
        Annotated[
            dict[str, Command],
            BeforeValidator(
                _commands,
                json_schema_input_type=Literal[True] | list[FileName] | dict[FileName, Text | Command],
            ),
        ]
        | None
    ) = None
    """Several programs in one executable, chosen by its name (a link) or the first argument: names of console
    scripts, `true` for all of [project.scripts], or a table from names to what each runs."""
    project: StrictBool | None = None
    """Include the project itself and what it depends on; default: when it can be installed, or depends on something."""
    requirements: tuple[Text, ...] = ()
    """Further requirements (PEP 508)."""
    requirements_file: Text | None = None
    """A requirements file in which every line has hashes."""
    lock: Text | None = None
    """`uv.lock` or a `pylock.toml` (PEP 751) that says what is installed."""
    data: tuple[Annotated[Data, BeforeValidator(_data, json_schema_input_type=str | Data)], ...] = ()
    """Files to embed: globs, or tables with `from` and `to`."""
    exclude_modules: tuple[ModuleName, ...] = Field((), examples=[["myapp.testing"]])
    """Modules to leave out, with all below them."""
    exclude_files: tuple[Annotated[Text, AfterValidator(_path_glob)], ...] = ()
    """Files to leave out, modules among them: globs of their paths in the executable, in which `**` matches any depth. `!GLOB` keeps
    what one before it leaves out; what `data` names stays."""
    exclude_packages: tuple[DistributionName, ...] = ()
    """Distributions to leave out."""
    optimize: Annotated[StrictInt, Field(ge=0, le=2)] = 0
    """Bytecode: 0 all, 1 without asserts, 2 without docstrings too."""
    sources: StrictBool = True
    """Embed sources, for tracebacks and `inspect`."""
    columns: StrictBool | None = None
    """Keep in bytecode the columns that tracebacks mark below a line (PEP 657); default: as `sources`."""
    stdlib: Stdlib = Stdlib()
    compression: Literal["none", "zstd", "zstd-resources"] = "none"
    """`zstd`: resources and what native code the start does without, smallest; `zstd-resources`: resources only."""
    glibc: Glibc = "2.28"
    """Highest glibc that a wheel for Linux may ask for; the interpreter itself asks for 2.17."""
    link: Literal["memory", "static"] | tuple[DistributionName, ...] | None = None
    """Extension modules: `memory` loads those of wheels from memory, `static` builds them from source distributions and
    links them in; names link only these distributions in. Default: `memory`, and `static` where nothing can be loaded."""
    pure_packages: tuple[DistributionName, ...] = ()
    """Distributions that do without their extension modules, where these would be linked in or there is no wheel: their pure
    Python wheel is taken, or their source distribution is built without a compiler."""
    interpreter: Interpreter = Interpreter()
    policy: Policy = Policy()
    windows: Windows = Windows()
    macos: MacOS = MacOS()


class Analyze(Table):
    """What `oxcross analyze` tells."""

    ignore: tuple[Annotated[Text, AfterValidator(_accepted)], ...] = ()
    """Findings that are accepted: `rule`, or `rule:distribution`."""


class Store(Table):
    """Where sources come from besides their upstreams."""

    mirrors: tuple[Text, ...] = ()
    """Folders, file:// or http(s):// addresses that hold pinned sources by file name or SHA-256."""


class Config(Settings):
    """The whole of `[tool.oxcross]`."""

    name: FileName | None = None
    """The executable's name; default: the project's."""
    version: FileName | None = None
    """The release's version; default: the project's."""
    targets: tuple[Text, ...] = Field(("linux-x64",), examples=[["linux-x64", "win-x64", "macos-arm64"]])
    """What is built when no target is asked for."""
    target: dict[str, Settings] = {}  # noqa: RUF012 # pydantic copies it
    """Settings of one target that replace the general ones."""
    store: Store = Store()
    analyze: Analyze = Analyze()
    publish: Publish = Publish()
    release: Release = Release()
    cache: Cache = Cache()


RUN_KEYS: Final = ("entry-point", "run-module", "run-file", "run-command", "repl")


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``[tool.oxcross]``."""
    schema = Config.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "tool.oxcross"}


def keys(table: type[Table]) -> list[str]:
    """The keys of a table, as the configuration spells them."""
    return [field.alias or name for name, field in table.model_fields.items()]
