"""Configuration with its lines read, converted and refused."""

from __future__ import annotations

from pathlib import Path

import iniconfig

TEXT = "# top\n[server]\nhost = example.org ; comment\nport: 80\npaths =\n    a\n    b\n\n[empty]\n[other section]\nkey=va=lue\n"


def main() -> None:
    Path("a.ini").write_text(TEXT)
    for config in (
        iniconfig.IniConfig("a.ini"),
        iniconfig.IniConfig.parse("a.ini", strip_inline_comments=True),
    ):
        print(
            [section.name for section in config],
            config["server"]["host"],
            config.get("server", "port", convert=int),
        )
        print(
            config["server"]["paths"].split(), list(config["server"].items()), config.lineof("server", "port")
        )
        print(config.get("none", "x", "default"), "empty" in config, config["server"].lineof("host"))
    for broken in ("[a\nx=1", "x=1", "[a]\n[a]", "[a]\nx=1\nx=2", "[a]\n  y"):
        try:
            iniconfig.IniConfig("bad.ini", data=broken)
        except iniconfig.ParseError as error:
            print(error.lineno, error)
    try:
        config["none"]
    except KeyError as error:
        print(repr(error))
