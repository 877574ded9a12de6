"""The workflows of .github/workflows as data, and what their expressions refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

REPOSITORY: Final = Path(__file__).parent.parent.parent
FILES: Final = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
_EXPRESSION: Final = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TEXT: Final = re.compile(r"'[^']*'")
_REFERENCE: Final = re.compile(r"\b(inputs|secrets|needs|steps|matrix|jobs)((?:\.[\w-]+)+)")


def parse(text: str) -> dict[str, Any]:
    """YAML 1.2, in which ``on`` is a word."""
    document: dict[str, Any] = YAML(typ="safe").load(text)
    return document


def load(name: str) -> dict[str, Any]:
    """A workflow, by the name of its file."""
    return parse((REPOSITORY / ".github" / "workflows" / name).read_text(encoding="utf-8"))


def call(workflow: Mapping[str, Any], part: str) -> dict[str, Any]:
    """What a reusable workflow declares: "inputs", "secrets" or "outputs"."""
    found: dict[str, Any] = (workflow["on"].get("workflow_call") or {}).get(part, {})
    return found


def steps(workflow: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Every step: its job's name, the job, the step."""
    for name, job in workflow["jobs"].items():
        for step in job.get("steps", ()):
            yield name, job, step


def needed(job: Mapping[str, Any]) -> list[str]:
    """The jobs that a job waits for."""
    found = job.get("needs", [])
    return [found] if isinstance(found, str) else list(found)


def references(value: object) -> Iterator[tuple[str, list[str]]]:
    """What the expressions in a value refer to: the context, and the names behind it."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from references(f"${{{{ {one} }}}}" if key == "if" else one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, str):
        for expression in _EXPRESSION.findall(value):
            for context, names in _REFERENCE.findall(_TEXT.sub("", expression)):
                yield context, names[1:].split(".")


def dangling(workflow: Mapping[str, Any]) -> Iterator[str]:
    """References to what there is not, in words."""
    for part, value in call(workflow, "outputs").items():
        for context, names in references(value):
            job = workflow["jobs"].get(names[0], {}) if context == "jobs" else {}
            if names[-1] not in job.get("outputs", {}):
                yield f"output {part}: {context}.{'.'.join(names)}"
    for name, job in workflow["jobs"].items():
        yield from (f"{name}: needs {one}" for one in needed(job) if one not in workflow["jobs"])
        identifiers = {step["id"] for step in job.get("steps", ()) if "id" in step}
        around = {key: value for key, value in job.items() if key not in ("steps", "outputs")}
        yield from _wrong(name, workflow, job, set(), around)
        yield from _wrong(name, workflow, job, identifiers, job.get("outputs", {}))
        earlier: set[str] = set()
        for step in job.get("steps", ()):
            yield from _wrong(name, workflow, job, earlier, step)
            earlier.add(step.get("id", ""))
    outside = {key: workflow.get(key) for key in ("concurrency", "env", "run-name")}
    yield from _wrong("the workflow", workflow, {}, set(), outside)


def _wrong(
    name: str, workflow: Mapping[str, Any], job: Mapping[str, Any], identifiers: set[str], value: object
) -> Iterator[str]:
    matrix = job.get("strategy", {}).get("matrix", {})
    for context, names in references(value):
        other = workflow["jobs"].get(names[0], {}) if names[0] in needed(job) else {}
        known = {
            "inputs": names[0] in call(workflow, "inputs"),
            "secrets": names[0] in call(workflow, "secrets"),
            "matrix": names[0] in matrix,
            "steps": names[0] in identifiers and names[1] in ("outputs", "outcome", "conclusion"),
            "needs": names[-1] in other.get("outputs", {}) or names[1:] == ["result"],
        }
        if not known.get(context):
            yield f"{name}: {context}.{'.'.join(names)}"
