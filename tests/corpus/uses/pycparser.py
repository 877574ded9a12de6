"""C parsed into a tree, visited, changed and written again; errors with their places."""

from __future__ import annotations

import inspect
import io

from pycparser import c_ast, c_generator, c_lexer, c_parser

CODE = r"""
typedef unsigned long size;
struct node { int value; struct node *next; };
static inline size count(const struct node *list, int (*want)(int)) {
    size n = 0;
    for (; list; list = list->next) { if (want ? want(list->value) : 1) n++; }
    switch (n) { case 0: return 0; default: break; }
    char *text = "a\n" "b"; double d = 0x1.8p3 + .5e-3;
    do { n -= sizeof(struct node) % 7; } while (n > 100);
    return (size)n;
}
_Static_assert(sizeof(int) == 4, "int");
"""


class Counter(c_ast.NodeVisitor):
    """Functions and what they call."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def visit_FuncDef(self, node: c_ast.FuncDef) -> None:
        self.seen.append(f"def {node.decl.name} {node.decl.coord.line}")
        self.generic_visit(node)

    def visit_FuncCall(self, node: c_ast.FuncCall) -> None:
        self.seen.append(f"call {node.name.name}")


def main() -> None:
    tree = c_parser.CParser().parse(CODE, "list.c")
    counter = Counter()
    counter.visit(tree)
    print(counter.seen)
    out = io.StringIO()
    tree.show(buf=out, attrnames=True, showcoord=True)
    print(out.getvalue())
    text = c_generator.CGenerator().visit(tree)
    print(text, c_generator.CGenerator().visit(c_parser.CParser().parse(text)) == text)
    for broken in ("int f( {", "int x = 08;", "int a b;"):
        try:
            c_parser.CParser().parse(broken, "bad.c")
        except Exception as error:
            print(type(error).__name__, error)
    print(
        len([name for name, one in inspect.getmembers(c_ast, inspect.isclass) if issubclass(one, c_ast.Node)])
    )
    print(c_lexer.__file__, len(inspect.getsource(c_parser.CParser)) > 1000)
