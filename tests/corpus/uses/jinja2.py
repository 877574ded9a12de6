"""Templates from packages, folders and dictionaries: inheritance, macros, filters, asyncio, sandbox, translations, tracebacks."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path

import jinja2
from jinja2 import nativetypes, sandbox
from jinja2.ext import babel_extract


def main() -> None:
    Path("templates").mkdir()
    Path("templates/base.html").write_text(
        "<title>{% block title %}base{% endblock %}</title>{% block body %}{% endblock %}"
    )
    Path("templates/page.html").write_text(
        '{% extends "base.html" %}{% from "m.html" import row %}{% block title %}{{ super() }} page{% endblock %}\n{% block body %}{% for x in items if x %}{{ row(x, loop.index) }}{% else %}none{% endfor %}{% endblock %}'
    )
    Path("templates/m.html").write_text(
        "{% macro row(x, n=0) -%}<li>{{ n }} {{ x|upper|replace('A', '&') }}</li>{%- endmacro %}"
    )
    Path("templates/bad.html").write_text("line\n{{ 1 / zero }}\n")
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader("templates"), jinja2.PackageLoader("uses", "."), jinja2.DictLoader({"d": "{{ x }}"})]),
        autoescape=jinja2.select_autoescape(), extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
        bytecode_cache=jinja2.FileSystemBytecodeCache("."), trim_blocks=True,
    )  # fmt: skip
    for _ in range(2):
        print(environment.get_template("page.html").render(items=["a<", "", "b"]))
        environment.cache.clear()
    print(
        len(list(Path(".").glob("__jinja2_*"))),
        len(environment.list_templates()) > 50,
        "boto3.py" in environment.list_templates(),
    )
    print(environment.get_template("six.py").filename, jinja2.PackageLoader("uses", ".").list_templates()[:2])
    try:
        environment.get_template("bad.html").render(zero=0)
    except ZeroDivisionError:
        print(traceback.format_exc().splitlines()[-4:])
    try:
        environment.from_string("{% if %}")
    except jinja2.TemplateSyntaxError as error:
        print(error.lineno, error)
    try:
        environment.get_template("none.html")
    except jinja2.TemplateNotFound as error:
        print(repr(error))
    environment.install_gettext_translations(
        type(
            "T",
            (),
            {
                "gettext": staticmethod(str.upper),
                "ngettext": staticmethod(lambda a, b, n: f"{a if n == 1 else b}"),
            },
        )
    )
    print(
        environment.from_string(
            "{% trans n=n %}{{ n }} thing{% pluralize %}{{ n }} things{% endtrans %} {{ _('x') }}"
        ).render(n=2)
    )
    lazy = jinja2.Environment(enable_async=True)
    print(asyncio.run(lazy.from_string("{% for x in s() %}{{ x }}{% endfor %}").render_async(s=numbers)))
    try:
        sandbox.SandboxedEnvironment().from_string("{{ ''.__class__.__mro__ }}").render()
    except sandbox.SecurityError as error:
        print(error)
    print(nativetypes.NativeEnvironment().from_string("{{ [1, 2] }}").render(), babel_extract.__name__)
    environment.compile_templates("compiled", extensions=["html"], zip=None)
    loaded = jinja2.Environment(loader=jinja2.ModuleLoader("compiled"), extensions=["jinja2.ext.i18n"])
    print(loaded.get_template("m.html").module.row("q"))


async def numbers() -> object:
    for number in range(3):
        yield number
