"""Uses the C code of packages, and tells what came of it and how their modules look to importlib; as JSON."""

import importlib
import importlib.machinery
import importlib.metadata
import importlib.resources
import inspect
import json
import os
import pkgutil
import sys
import threading

MODULES = {
    "frozenlist": "frozenlist._frozenlist",
    "markupsafe": "markupsafe._speedups",
    "msgpack": "msgpack._cmsgpack",
    "pyyaml": "yaml._yaml",
    "regex": "regex._regex",
    "simplejson": "simplejson._speedups",
    "sqlalchemy": "sqlalchemy.engine._row_cy",
}


def installed(distribution):
    """Whether it is there: not every target has all, each takes its time to build."""
    try:
        return bool(importlib.metadata.version(distribution))
    except importlib.metadata.PackageNotFoundError:
        return False


def looks(distribution, name):
    """What importlib and others see of an extension module; nothing that differs from platform to platform."""
    module = importlib.import_module(name)
    package, _, last = name.rpartition(".")
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    file = module.__file__
    assert file.endswith(f"/{name.replace('.', '/')}{suffix}"), file
    spec = importlib.util.find_spec(name)
    folder = importlib.resources.files(package)
    listed = {one.name: one.ispkg for one in pkgutil.iter_modules(importlib.import_module(package).__path__)}
    files = {str(path) for path in importlib.metadata.files(distribution)}
    return {
        "loader": type(module.__loader__).__name__,
        "spec": [spec.name, type(spec.loader).__name__, spec.origin == file, spec.cached, spec.has_location],
        "exists": os.path.isfile(file),
        "listed": listed.get(last),
        "resource": folder.joinpath(last + suffix).is_file(),
        "recorded": f"{name.replace('.', '/')}{suffix}" in files,
        "getfile": inspect.getfile(module) == file,
        "builtin": name in sys.builtin_module_names,
        "same": importlib.import_module(name) is module,
        "reload": importlib.reload(module) is module,
        "package": module.__package__,
    }


def again(name):
    """The module anew, by its file alone, as some plugin systems do it."""
    module = sys.modules[name]
    loader = importlib.machinery.ExtensionFileLoader(name, module.__file__)
    spec = importlib.util.spec_from_file_location(name, module.__file__, loader=loader)
    return type(importlib.util.module_from_spec(spec)).__name__


def missing(name):
    """What is said of a shared library that is not there."""
    try:
        loader = importlib.machinery.ExtensionFileLoader(name, f"/nowhere/{name}.so")
        importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    except ImportError as error:
        return [error.name, error.path]
    return "loaded"


def in_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found


def in_interpreter(code):
    import _interpreters

    number = _interpreters.create()
    failed = _interpreters.run_string(number, code)
    _interpreters.destroy(number)
    return failed.formatted if failed else "fine"


def use_frozenlist():
    from frozenlist import FrozenList

    values = FrozenList([1, 2])
    values.append(3)
    values.freeze()
    try:
        values.append(4)
    except RuntimeError as error:
        return [FrozenList.__module__, list(values), str(error).partition("<")[0], hash(values) == hash((1, 2, 3))]


def use_markupsafe():
    import markupsafe

    return [str(markupsafe.escape("<a href='x'>&é漢😀")), markupsafe._escape_inner.__module__]


def use_msgpack():
    import msgpack

    value = {"a": [1, -2, 3.5, None, True, b"\x00\xff", "漢"], "t": msgpack.Timestamp(1, 2)}
    packed = msgpack.packb(value)
    unpacker = msgpack.Unpacker(max_buffer_size=100)
    unpacker.feed(packed[:7])
    unpacker.feed(packed[7:])
    try:
        msgpack.unpackb(b"\xc1")
    except ValueError as error:
        wrong = type(error).__name__
    return [msgpack.Packer.__module__, packed.hex(), repr(msgpack.unpackb(packed)) == repr(next(unpacker)), wrong]


def use_yaml():
    import yaml

    text = "a: &x [1, 2.5, ~, 'q']\nb: *x\nc: !!set {d}\nd: 2001-12-14\n"
    value = yaml.load(text, Loader=yaml.CSafeLoader)
    try:
        yaml.load("a: [", Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        wrong = str(error)
    return [
        yaml.__with_libyaml__,
        repr(value),
        yaml.dump(value, Dumper=yaml.CSafeDumper),
        wrong,
    ]


def use_regex():
    import regex

    return [
        regex.findall(r"\p{Lu}\p{Ll}+", "Hé Wörld 漢"),
        regex.fullmatch(r"(?:cats|dogs){e<=1}", "cat").fuzzy_counts,
        regex.search(r"(?<n>\d+)(?&n)", "12").groupdict(),
        regex.sub(r"(?V1)[[a-z]--[aeiou]]", "-", "consonants"),
        regex._regex.MAGIC,
    ]


def use_simplejson():
    import simplejson

    value = {"a": [1, 2.5, "é", None], "b": {"c": "</script>"}}
    try:
        simplejson.loads("[1,")
    except simplejson.JSONDecodeError as error:
        wrong = [error.msg, error.pos]
    return [
        simplejson.dumps(value, sort_keys=True),
        simplejson.loads("[1, 2.5, 1e3]", use_decimal=True).__repr__(),
        simplejson.encoder.c_make_encoder is not None,
        type(simplejson.scanner.c_make_scanner).__name__,
        wrong,
    ]


def use_sqlalchemy():
    from sqlalchemy import Integer, String, create_engine, select, util
    from sqlalchemy.engine import _result_cy, _row_cy
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.util import _immutabledict_cy

    class Base(DeclarativeBase):
        pass

    class Star(Base):
        __tablename__ = "star"
        name: Mapped[str] = mapped_column(String, primary_key=True)
        size: Mapped[int] = mapped_column(Integer)

    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Star(name="Vega", size=2), Star(name="Rigel", size=79)])
        session.commit()
        rows = session.execute(select(Star.name, Star.size).order_by(Star.size.desc())).all()
    return [
        util.has_compiled_ext(),
        [module._is_compiled() for module in (_row_cy, _result_cy, _immutabledict_cy)],
        [tuple(row) for row in rows],
        repr(rows[0]),
        util.immutabledict({1: 2}).union({3: 4}) == {1: 2, 3: 4},
    ]


def main():
    here = {distribution: name for distribution, name in MODULES.items() if installed(distribution)}
    found = {
        "used": {name: globals()[f"use_{MODULES[name].partition('.')[0]}"]() for name in here},
        "looks": {distribution: looks(distribution, name) for distribution, name in here.items()},
        "again": again("markupsafe._speedups"),
        "missing": missing("nothing"),
        "thread": in_thread(use_markupsafe) == [use_markupsafe()],
        "interpreters": [
            in_interpreter("import markupsafe; print(markupsafe.escape('<'), flush=True)"),
            in_interpreter("import regex._regex, sys; print('regex' in sys.modules, flush=True)"),
        ],
        "versions": {name: importlib.metadata.version(name) for name in here},
    }
    print(json.dumps(found, indent=1, sort_keys=True, default=str))


if __name__ == "__main__":
    main()
