"""The commands of an executable: what each name runs, and the programs that stand for them below ``bin``.

A program's file is what an installer would write: code that finds ``sys.argv[0]`` finds a script there, with the
command's name. The executable itself never reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oxcross import pack
from oxcross.collect import distributions
from oxcross.errors import CollectError, nearest
from oxcross.project import Project, Run

_ENTRY_POINT = """\
#!python
import sys

from {module} import {top}

sys.exit({function}())
"""
_MODULE = """\
#!python
import runpy

runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
"""


def of_metadata(texts: Iterable[bytes]) -> dict[str, str]:
    """The console scripts that distributions' entry_points.txt name: ``module:function`` by name."""
    found: dict[str, str] = {}
    for text in texts:
        found |= distributions.console_scripts(text)
    return found


def resolve(project: Project, resources: pack.Resources) -> dict[str, Run]:
    """What each command runs. CollectError for names that no distribution among ``resources`` brings."""
    points = [file for path, file in resources.files.items() if path.endswith(".dist-info/entry_points.txt")]
    scripts = of_metadata(pack.decode(file.data, resources.dictionary) for file in points)
    found: dict[str, Run] = {}
    for command in project.commands:
        if command.run is None and command.name not in scripts:
            raise missing(project, command.key, command.name, scripts)
        found[command.name] = command.run or Run("entry-point", scripts[command.name])
    return found


def missing(project: Project, key: str, name: str, scripts: Mapping[str, str]) -> CollectError:
    """The error for a command that neither the project nor its requirements bring."""
    message = f"nothing that is installed has the console script {name!r}"
    hint = nearest(name, scripts) if scripts else "no requirement brings any: say what it runs in a table"
    return CollectError(message, where=f"{project.pyproject}: {key}", hint=hint)


def add_programs(commands: Mapping[str, Run], resources: pack.Resources) -> None:
    """Add the file ``bin/NAME`` for each command."""
    encoder = pack.Encoder()
    for name, run in commands.items():
        module, _, function = run.value.partition(":")
        text = _MODULE if run.kind == "module" else _ENTRY_POINT
        text = text.format(module=module, function=function, top=function.partition(".")[0])
        resources.add_file(pack.File(f"bin/{name}", encoder.payload(text.encode()), executable=True))
