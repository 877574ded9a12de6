"""Grammars for arithmetic, JSON and CSV; actions, packrat, errors with places, diagrams' data, unicode sets."""

from __future__ import annotations

import operator
import pickle

import pyparsing as pp
from pyparsing import common, testing, unicode

OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def fold(tokens: pp.ParseResults) -> float:
    items = tokens[0]
    value = items[0]
    for sign, right in zip(items[1::2], items[2::2], strict=True):
        value = OPERATORS[sign](value, right)
    return value


def main() -> None:
    pp.ParserElement.enable_packrat()
    number = common.number.copy()
    expression = pp.infix_notation(
        number, [(pp.one_of("* /"), 2, pp.OpAssoc.LEFT, fold), (pp.one_of("+ -"), 2, pp.OpAssoc.LEFT, fold)]
    )
    for text in ("1 + 2 * 3", "(1 + 2) * 3 - 4 / 2", "2"):
        print(text, expression.parse_string(text, parse_all=True)[0])
    value = pp.Forward()
    string = pp.dbl_quoted_string.copy().set_parse_action(pp.remove_quotes)
    array = pp.Group(pp.Suppress("[") + pp.Optional(pp.DelimitedList(value)) + pp.Suppress("]"), aslist=True)
    thing = pp.Dict(
        pp.Suppress("{")
        + pp.Optional(pp.DelimitedList(pp.Group(string + pp.Suppress(":") + value)))
        + pp.Suppress("}"),
        asdict=True,
    )
    value <<= string | number | array | thing | pp.Keyword("null").set_parse_action(pp.replace_with(None))
    print(value.parse_string('{"a": [1, 2.5, {"b": null}], "c": "d"}')[0])
    for broken in ("1 +", "(1", "x"):
        try:
            expression.parse_string(broken, parse_all=True)
        except pp.ParseException as error:
            print(error, error.loc, error.explain(depth=0).splitlines()[-1])
    word = pp.Word(unicode.Greek.alphas)("word") + pp.Optional(common.iso8601_date("when"))
    found = word.parse_string("αβγ 2026-01-02")
    print(
        found.as_dict(),
        found.dump(),
        list(number.scan_string("a 1 b 22"))[1][1:],
        pickle.loads(pickle.dumps(found)).as_list(),
    )
    print(
        pp.nested_expr().parse_string("(a (b c) d)").as_list(),
        common.comma_separated_list.parse_string("a,b c,,d").as_list(),
        expression,
    )
    passed, _ = number.run_tests("1\n2.5\n# comment\n1e3", print_results=False)
    print(passed, testing.with_line_numbers("a\nb"), pp.__version__)
    try:
        from pyparsing.diagram import to_railroad

        print(to_railroad.__name__)
    except ImportError as error:
        print(error)
