"""Expressions searched in documents, with functions of its own, and errors."""

from __future__ import annotations

import jmespath
from jmespath import exceptions, functions, visitor

DATA = {
    "people": [{"name": "ada", "age": 36, "tags": ["x", "y"]}, {"name": "bob", "age": 20, "tags": []}],
    "n": {"a": 1, "b": 2},
}


class Own(functions.Functions):
    """Adds a function."""

    @functions.signature({"types": ["string"]})
    def _func_shout(self, text: str) -> str:
        return text.upper() + "!"


def main() -> None:
    for expression in (
        "people[?age > `21`].name", "people[*].{n: name, first: tags[0]}", "sort_by(people, &age)[-1].name", "length(people)",
        "people[].tags[]", "n.* | sum(@)", "max_by(people, &age).name || 'none'", "join(',', people[*].name)", "keys(n)", "people[::-1].age",
        "map(&to_string(age), people)",
    ):  # fmt: skip
        print(expression, jmespath.search(expression, DATA))
    print(jmespath.search("shout(people[0].name)", DATA, jmespath.Options(custom_functions=Own())))
    compiled = jmespath.compile("a.b[0]")
    print(
        compiled.search({"a": {"b": [7]}}),
        compiled.parsed["type"],
        visitor.GraphvizVisitor().visit(compiled.parsed)[:20],
    )
    for broken in ("a[", "foo(", "unknown(@)", "sum('x')", "a.'b'"):
        try:
            jmespath.search(broken, DATA)
        except exceptions.JMESPathError as error:
            print(type(error).__name__, str(error).splitlines()[0])
