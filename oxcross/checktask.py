"""The task that only looks at the configuration: ``oxcross check``, for editors and commit hooks."""

from __future__ import annotations

from invoke.context import Context

from oxcross import report
from oxcross.command import command


@command
def check(_c: Context, project: str = ".", json: bool = False) -> None:
    """Check the project's configuration for all targets: what is wrong with it, or what would be built.

    Nothing is built, fetched or resolved.

    `--json` prints {"name", "version", "python", "targets": [TARGET], "runs": {"kind", "value"}, "commands": [NAME]}.

    Examples:
      oxcross check                        # every mistake at once
      oxcross check --project path/to/app  # of a project elsewhere
    """
    from oxcross import wanted

    found = wanted.select(project, "")
    first = found[0]
    commands = [one.name for one in first.commands]
    if json:
        report.emit(
            {
                "name": first.name,
                "version": first.version,
                "python": first.python,
                "targets": list(first.targets),
                "runs": {"kind": first.run.kind, "value": first.run.value},
                "commands": commands,
            }
        )
        return
    runs = ", ".join(commands) or first.run.value or first.run.kind
    print(
        f"{first.name} {first.version}: {runs}, with CPython {first.python}, for {', '.join(first.targets)}"
    )
