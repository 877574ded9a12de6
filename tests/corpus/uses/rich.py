"""Tables, trees, markdown, syntax, tracebacks, progress, emoji and spinners on a console of fixed size."""

from __future__ import annotations

import io

import rich
from rich import (
    box,
    inspect,
    markdown,
    panel,
    pretty,
    progress,
    spinner,
    syntax,
    table,
    text,
    traceback,
    tree,
)
from rich.console import Console
from rich.logging import RichHandler

from uses import helpers


def main() -> None:
    out = io.StringIO()
    console = Console(
        file=out, width=200, force_terminal=True, color_system="truecolor", legacy_windows=False
    )
    grid = table.Table(title="Tab", box=box.ROUNDED)
    grid.add_column("name", justify="right", style="cyan")
    grid.add_column("日本")
    grid.add_row("a", "[bold]x[/] :smile:")
    console.print(grid, panel.Panel(text.Text("hi", style="red on blue")))
    root = tree.Tree("root")
    root.add("leaf").add("deep")
    console.print(root, pretty.Pretty({"a": list(range(30)), "b": {1, 2}}))
    console.print(markdown.Markdown("# Head\n* one\n* two `code`\n\n```python\nprint(1)\n```\n"))
    console.print(syntax.Syntax("def f():\n    return 1\n", "python", line_numbers=True))
    console.print(caught())
    inspect(3.5, console=console, methods=False)
    for _ in progress.track(range(3), console=console, auto_refresh=False, description="go", update_period=9):
        pass
    console.print(spinner.Spinner("dots").render(0), Console(width=10).render_str("[u]x"))
    print(out.getvalue())
    console = Console(record=True, width=30, file=io.StringIO())
    console.print("[green]exported", {"k": None})
    print(
        console.export_text(clear=False),
        len(console.export_svg(title="t", unique_id="u")),
        len(console.export_html()),
    )
    rich.print_json('{"a": [1, true]}')
    print(
        RichHandler(console=console).console is console, helpers.python("-m", "rich.emoji").count("\n") > 100
    )
    print(helpers.python("-m", "rich.box").count("╭"))


def caught() -> traceback.Traceback:
    """Its local variables are laid out alike on every system: addresses have more digits on Windows."""
    words = {"a": ["list", 2], "b": None}
    try:
        print(boom(3), words)
    except ZeroDivisionError:
        return traceback.Traceback(show_locals=True, width=200)


def boom(n: int) -> float:
    return 1 / (boom(n - 1) if n else 0)
