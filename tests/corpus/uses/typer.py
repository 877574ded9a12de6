"""Commands from annotated functions: groups, prompts, choices, callbacks, rich help, completion, as a child."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer
from typer.testing import CliRunner

from uses import helpers

app = typer.Typer(help="Do [bold]things[/bold].", rich_markup_mode="rich", no_args_is_help=True)
nested = typer.Typer()
app.add_typer(nested, name="nested", help="More.")


class Mode(enum.StrEnum):
    FAST = "fast"
    SLOW = "slow"


@app.command()
def show(
    names: Annotated[list[str], typer.Argument(help="Who.")],
    mode: Annotated[Mode, typer.Option("--mode", "-m", case_sensitive=False)] = Mode.FAST,
    count: Annotated[int, typer.Option(min=1, max=3, envvar="COUNT")] = 1,
    path: Annotated[Path | None, typer.Option(exists=True)] = None,
    pair: tuple[int, str] = (1, "x"),
) -> None:
    """Show NAMES."""
    typer.echo(f"{names * count} {mode.value} {path} {pair}")


@nested.command("ask")
def ask(name: Annotated[str, typer.Option(prompt=True)]) -> None:
    typer.secho(f"hello {name}", fg=typer.colors.GREEN)
    raise typer.Exit(3)


@app.command(hidden=True)
def boom() -> None:
    raise RuntimeError("boom")


def main() -> None:
    runner = CliRunner()
    for line, typed in (([], ""), (["--help"], ""), (["show", "--help"], ""), (["show", "a", "b", "--mode", "SLOW", "--count", "2", "--pair", "5", "y"], ""),
                        (["show", "a", "--count", "9"], ""), (["show"], ""), (["nested", "ask"], "ada\n"), (["shwo"], ""), (["show", "a", "--path", "none"], "")):  # fmt: skip
        result = runner.invoke(
            app, line, input=typed, prog_name="program", env={"TERMINAL_WIDTH": "80", "COLUMNS": "80"}
        )
        print(line, result.exit_code, result.output)
    print(repr(runner.invoke(app, ["boom"]).exception))
    Path("tool.py").write_text(
        "import typer\ndef main(x: int = 2): print('tool', x)\nif __name__ == '__main__': typer.run(main)\n"
    )
    print(helpers.python("-m", "typer", "tool.py", "run", "--x", "7"))
    print(helpers.python("-c", "import typer; typer.run(lambda: typer.echo('ran'))"))
    print(helpers.python("-m", "typer", "tool.py", "utils", "docs", "--name", "tool"))
