"""Commands, groups, options, prompts, completion, lazy subcommands and help, by the test runner and as a child."""

from __future__ import annotations

import importlib
from pathlib import Path

import click
from click.shell_completion import BashComplete
from click.testing import CliRunner

from uses import helpers


class Lazy(click.Group):
    """Imports a command when it is wanted."""

    def list_commands(self, context: click.Context) -> list[str]:
        return [*super().list_commands(context), "lazy"]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name == "lazy":
            return click.Command(
                "lazy", callback=lambda: click.echo(importlib.import_module("colorsys").__name__)
            )
        return super().get_command(context, name)


@click.group(cls=Lazy)
@click.version_option(package_name="click")
@click.option("--debug/--no-debug", default=False, envvar="DEBUG")
@click.pass_context
def program(context: click.Context, debug: bool) -> None:
    """Do things."""
    context.obj = {"debug": debug}


@program.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-n", type=click.IntRange(1, 5), default=2, show_default=True, help="How often.")
@click.option("--mode", type=click.Choice(["fast", "slow"], case_sensitive=False))
@click.pass_obj
def show(state: dict[str, bool], source: Path, n: int, mode: str | None) -> None:
    """Show SOURCE."""
    click.secho(source.read_text() * n, fg="red")
    click.echo(f"{state} {mode}", err=True)


@program.command()
@click.option("--name", prompt=True)
@click.password_option()
def login(name: str, password: str) -> None:
    click.echo(f"{name} {len(password)} {click.confirm('Sure?')}")


def main() -> None:
    runner = CliRunner()
    Path("a.txt").write_text("text ")
    for line, typed in (
        (["--help"], ""), (["--version"], ""), (["show", "--help"], ""), (["--debug", "show", "a.txt", "-n", "3"], ""),
        (["show", "a.txt", "-n", "9"], ""), (["show", "missing"], ""), (["shwo"], ""), (["lazy"], ""),
        (["login"], "ada\npw\npw\ny\n"), (["show", "a.txt", "--mode", "FAST"], ""),
    ):  # fmt: skip
        result = runner.invoke(program, line, input=typed, color=True, prog_name="program")
        print(line, result.exit_code, result.output)
    complete = BashComplete(program, {}, "program", "_PROGRAM_COMPLETE")
    print([one.value for one in complete.get_completions(["show"], "--")])
    print(len(complete.source()) > 100, click.style("x", bold=True), click.format_filename(b"a\xff"))
    with click.progressbar(range(3), label="bar") as bar:
        print(sum(bar))
    print(click.get_app_dir("thing"), click.launch.__name__)
    print(
        helpers.python(
            "-c",
            "import click; click.command()(click.option('--x', type=int)(lambda x: print(x)))()",
            "--x",
            "y",
        )
    )
