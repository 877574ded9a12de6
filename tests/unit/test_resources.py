"""Sets of resources are merged as sys.path = [stdlib, site-packages] would see them."""

from __future__ import annotations

import pytest

from oxcross.pack import File, Library, Module, Payload, Resources, merge


def module(
    name: str, path: str, *, package: bool = False, extension: bool = False, stdlib: bool = False
) -> Module:
    return Module(name, path, Payload.raw(path.encode()), package, extension, stdlib)


def resources(*parts: Module | File | Library) -> Resources:
    made = Resources()
    for part in parts:
        match part:
            case Module():
                made.add_module(part)
            case File():
                made.add_file(part)
            case Library():
                made.add_library(part)
    return made


def file(path: str, data: bytes = b"x") -> File:
    return File(path, Payload.raw(data))


def test_stdlib_wins_with_all_below() -> None:
    stdlib = resources(module("email", "lib/python3.13/email/__init__.py", package=True, stdlib=True))
    site = resources(
        module("email", "email/__init__.py", package=True),
        module("email.extra", "email/extra.py"),
        module("emails", "emails.py"),
        file("email/extra.py"),
    )
    merged, warnings = merge(stdlib, site)
    assert sorted(merged.modules) == ["email", "emails"]
    assert merged.modules["email"].stdlib
    assert "email/extra.py" in merged.files
    assert warnings == []


def test_builtin_modules_win() -> None:
    merged, _ = merge(
        Resources(), resources(module("_ssl", "_ssl.py"), module("ssl2", "ssl2.py")), builtin=["_ssl"]
    )
    assert sorted(merged.modules) == ["ssl2"]


@pytest.mark.parametrize("swapped", [False, True])
def test_file_finder_order_across_sets(swapped: bool) -> None:
    package = resources(module("a", "a/__init__.py", package=True), module("b", "b.so", extension=True))
    plain = resources(module("a", "a.py"), module("b", "b.py"), Module("c", "c", None))
    other = resources(module("c", "c.py"))
    parts = [other, plain, package] if swapped else [package, plain, other]
    merged, _ = merge(Resources(), *parts)
    assert {name: one.path for name, one in merged.modules.items()} == {
        "a": "a/__init__.py",
        "b": "b.so",
        "c": "c.py",
    }


def test_later_file_wins_with_a_warning() -> None:
    first = resources(file("share/x.txt", b"1"), file("share/same.txt", b"s"))
    second = resources(file("share/x.txt", b"2"), file("share/same.txt", b"s"))
    merged, warnings = merge(Resources(), first, second)
    assert merged.files["share/x.txt"].data.stored == b"2"
    assert warnings == ["share/x.txt: two different files; the later one is taken"]


def test_later_module_at_the_same_path_wins() -> None:
    old, new = Payload.raw(b"old"), Payload.raw(b"new")
    merged, _ = merge(Resources(), resources(Module("a", "a.py", old)), resources(Module("a", "a.py", new)))
    assert merged.modules["a"].code is new


def test_first_library_wins() -> None:
    merged, _ = merge(
        Resources(),
        resources(Library("libx.so.1", "a.libs/libx.so.1")),
        resources(Library("libx.so.1", "b.libs/libx.so.1"), Library("liby.so", "b.libs/liby.so")),
    )
    assert [(one.soname, one.path) for one in merged.libraries.values()] == [
        ("libx.so.1", "a.libs/libx.so.1"),
        ("liby.so", "b.libs/liby.so"),
    ]


def test_one_dictionary() -> None:
    merged, _ = merge(Resources(dictionary=b"d"), Resources(), Resources(dictionary=b"d"))
    assert merged.dictionary == b"d"
    with pytest.raises(ValueError, match="dictionaries"):
        merge(Resources(dictionary=b"d"), Resources(dictionary=b"e"))
