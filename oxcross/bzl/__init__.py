"""An existing ``pyoxidizer.bzl`` builds: PyOxidizer 0.24's configuration files, read as they are.

    pyoxidizer.bzl -> rewrite -> evaluate (Starlark, with the types of this package)
      -> goals: what a target came to -> tables: [tool.oxcross], what has no equal -> make: oxcross's own road
      -> or migrate: the tables as text

What there is, and what each symbol does here, is one table: symbols.toml.
"""

NAME = "pyoxidizer.bzl"
