"""Patterns as git has them, matched on names and on a tree of files."""

from __future__ import annotations

from pathlib import Path

import pathspec
from pathspec.patterns.gitwildmatch import GitWildMatchPatternError
from pathspec.util import lookup_pattern

LINES = ["# comment", "*.pyc", "!keep.pyc", "/build/", "docs/**/*.html", "a[0-9]?.txt", r"\!odd", "**/deep"]


def main() -> None:
    for factory in ("gitwildmatch", "gitignore"):
        spec = pathspec.PathSpec.from_lines(factory, LINES)
        names = [
            "x.pyc",
            "keep.pyc",
            "build/a",
            "src/build/a",
            "docs/a/b/c.html",
            "a1x.txt",
            "!odd",
            "x/y/deep/z",
        ]
        print(factory, [spec.match_file(name) for name in names], len(spec))
    spec = pathspec.GitIgnoreSpec.from_lines(LINES)
    for name in ("build/x.txt", "pkg/m.pyc", "pkg/keep.pyc", "docs/i/j.html", "readme"):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    print(sorted(spec.match_tree_files(".")), sorted(spec.match_tree_files(".", negate=True)))
    print([(one.file, one.include, one.index) for one in spec.check_files(["x.pyc", "y"])])
    print(
        spec == pathspec.GitIgnoreSpec.from_lines(LINES),
        (spec + spec) is not spec,
        lookup_pattern("gitwildmatch").__name__,
    )
    try:
        pathspec.PathSpec.from_lines("gitwildmatch", ["!"])
    except GitWildMatchPatternError as error:
        print(error)
