"""The JSON Schema of ``[tool.oxcross]`` as other programs want it: editors, and validate-pyproject, which finds ``tool_schema`` by its
entry point.
"""

from __future__ import annotations

from typing import Any, Final

from oxcross.config import schema

# What validate-pyproject reads: draft 7, by an address to which the references in it are relative. There is nothing at this one (RFC 2606).
_DRAFT_7: Final = "http://json-schema.org/draft-07/schema#"
_ADDRESS: Final = "https://oxcross.invalid/tool.schema.json"


def tool_schema(tool: str) -> dict[str, Any]:
    """The schema in draft 7, in which it says the same. ``tool``: "oxcross".

    Source: https://validate-pyproject.readthedocs.io/en/latest/dev-guide.html
    """
    return {**schema.json_schema(), "$schema": _DRAFT_7, "$id": _ADDRESS, "title": f"tool.{tool}"}


def pyproject_schema() -> dict[str, Any]:
    """The schema of a whole pyproject.toml, of which only [tool.oxcross] is looked at: for editors that have one schema a file."""
    table = schema.json_schema()
    dialect, definitions = table.pop("$schema"), table.pop("$defs")
    tools = {"type": "object", "properties": {"oxcross": table}}
    return {
        "$schema": dialect,
        "$defs": definitions,
        "title": "pyproject.toml with [tool.oxcross]",
        "type": "object",
        "properties": {"tool": tools},
    }
