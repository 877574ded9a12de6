"""What the project leaves out, and whether what it runs is there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from oxcross import squeeze
from oxcross.collect import globs, parts
from oxcross.errors import CollectError, nearest
from oxcross.pack.resources import Resources
from oxcross.project import Project, Run

_METADATA = re.compile(r"[^/]+\.(dist-info|egg-info)/")
_NATIVE = re.compile(r"\.so|\.(pyd|dll)$", re.IGNORECASE)
_TESTS = re.compile(r"(^|/)(tests?|_tests)/")
_TEST_MODULES = re.compile(r"(^|\.)(tests?|_tests)(\.|$)")


def apply(resources: Resources, project: Project) -> list[str]:
    """Take out of ``resources`` what the project's settings say; warnings for what was not there."""
    warnings = [
        f"exclude-modules: there is no module {name}"
        for name in project.exclude_modules
        if not _exclude(resources, name)
    ]
    warnings += _exclude_files(resources, project)
    policy = project.policy
    if not policy.include_tests:
        _drop_modules(resources, [name for name in resources.modules if _is_test(resources, name)])
        _drop_files(resources, [path for path in resources.files if _TESTS.search(path) and _is_site(path)])
    if not policy.include_metadata:
        _drop_files(resources, [path for path in resources.files if _METADATA.match(path)])
    if not policy.include_data:
        _drop_files(resources, _data_of_packages(resources, project))
    return warnings


def _data_of_packages(resources: Resources, project: Project) -> list[str]:
    """The files of packages that are neither code nor metadata, less those that the project names in ``data``."""
    keep = {module.path for module in resources.modules.values()} | {one.path for one in project.data}
    return [
        path
        for path in resources.files
        if path not in keep and _is_site(path) and not _METADATA.match(path) and not _NATIVE.search(path)
    ]


def _exclude_files(resources: Resources, project: Project) -> list[str]:
    """Leave out what exclude-files says, with the folders that nothing is in then; warnings for globs that match nothing."""
    if not project.exclude_files:
        return []
    modules = {one.path: name for name, one in resources.modules.items() if not one.namespace}
    asked = {one.path for one in project.data}
    excluded = {path: False for path in (*resources.files, *modules) if path not in asked}
    warnings = []
    for pattern in project.exclude_files:
        matches = globs.compiled(pattern.removeprefix("!")).fullmatch
        found = [path for path in excluded if matches(path)]
        excluded.update(dict.fromkeys(found, not pattern.startswith("!")))
        if not found:
            warnings.append(f"exclude-files: nothing matches {pattern}")
    gone = [path for path, out in excluded.items() if out]
    _drop_modules(resources, [modules[path] for path in gone if path in modules])
    _drop_files(resources, [path for path in gone if path in resources.files])
    left = {one.path for one in resources.modules.values() if not one.namespace}
    empty = globs.folders(gone) - globs.folders([*resources.files, *left])
    _drop_modules(resources, [name for name, one in resources.modules.items() if one.path in empty])
    resources.directories -= empty
    return warnings


def thin(
    resources: Resources,
    project: Project,
    system: str,
    python: Path,
    runs: Iterable[Run],
    builtin: Collection[str],
) -> tuple[str, ...]:
    """Take the parts of the standard library out that the project does without on a ``system`` (``Target.os``); ``python`` reads
    bytecode.

    Of ``builtin``, the interpreter's own modules, those are only named: what is returned is to be left out.
    """
    may = {name for modules in squeeze.optional().values() for name in modules} & set(builtin)
    gone = parts.excluded(resources, project.stdlib_exclude, project.stdlib_include, may, system=system)
    _leave_out(resources, gone - may)
    if not project.stdlib_unreached:
        roots = [run.value.partition(":")[0] for run in runs if run.kind in ("module", "entry-point")]
        texts = [run.value for run in runs if run.kind == "command"]
        roots += [word for text in texts for word in re.findall(r"[A-Za-z_][\w.]*", text)]
        roots += project.stdlib_include
        unreached = parts.unreached(resources, python, roots, may - gone, system=system)
        _leave_out(resources, unreached - may)
        gone |= unreached
    return tuple(sorted(gone & may))


def _leave_out(resources: Resources, names: set[str]) -> None:
    paths = [resources.modules[name].path for name in names]
    folders = [path.rpartition("/")[0] + "/" for path in paths if path.endswith("/__init__.py")]
    _drop_modules(resources, names)
    left = {module.path for module in resources.modules.values()}
    data = [path for path in resources.files if path not in left and any(map(path.startswith, folders))]
    _drop_files(resources, {path for path in (*paths, *data) if path in resources.files})


def check_run(resources: Resources, project: Project, run: Run, builtin: Iterable[str]) -> None:
    """Raise CollectError when the module or script that ``run`` names is not inside."""
    kind, value = run.kind, run.value
    where = str(project.pyproject)
    if kind == "file" and value not in {m.path for m in resources.modules.values()} | set(resources.files):
        raise CollectError(f"the script {value} is not among the resources", where=where)
    if kind not in ("module", "entry-point"):
        return
    name = value.partition(":")[0]
    module = resources.modules.get(name)
    if module is None and _is_bytecode(resources, name):
        return
    if module is None and name not in set(builtin):
        raise CollectError(
            f"nothing that is installed has the module {name}",
            where=where,
            hint=nearest(name, resources.modules)
            if name.partition(".")[0] in resources.modules
            else "add the distribution that has it to requirements",
        )
    is_package = module is not None and (module.package or module.namespace)
    if kind == "module" and is_package and f"{name}.__main__" not in resources.modules:
        raise CollectError(
            f"{name} is a package without __main__: it cannot be run",
            where=where,
            hint="name a module of it, or an entry-point",
        )


def _is_bytecode(resources: Resources, name: str) -> bool:
    """Whether a module is there as a .pyc file without source."""
    path = name.replace(".", "/")
    return any(file in resources.files for file in (f"{path}.pyc", f"{path}/__init__.pyc"))


def _is_site(path: str) -> bool:
    return not path.startswith("lib/")


def _is_test(resources: Resources, name: str) -> bool:
    return not resources.modules[name].stdlib and _TEST_MODULES.search(name) is not None


def _exclude(resources: Resources, name: str) -> bool:
    """Leave out a module, its file, and all below it; whether there was any."""
    module = resources.modules.get(name)
    if module is None:
        return False
    below = [one for one in resources.modules if one == name or one.startswith(f"{name}.")]
    folder = module.path if module.namespace else module.path.rpartition("/")[0]
    paths = {resources.modules[one].path for one in below}
    if module.package or module.namespace:
        paths |= {path for path in resources.files if path.startswith(f"{folder}/")}
    _drop_modules(resources, below)
    _drop_files(resources, [path for path in paths if path in resources.files])
    return True


def _drop_modules(resources: Resources, names: Iterable[str]) -> None:
    for name in names:
        path = resources.modules.pop(name).path
        resources.directories -= {
            one for one in resources.directories if one == path or one.startswith(f"{path}/")
        }


def _drop_files(resources: Resources, paths: Iterable[str]) -> None:
    for path in paths:
        del resources.files[path]
