"""A recipe's script: a template of ``templates/``, rendered with what all of them have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from oxcross import rooms, targets
from oxcross.plan import Input, Step
from oxcross.targets import Target

HOST = "linux-x64"  # the build machine, whose programs the steps run

# Objects fit a PIE and a plain executable; a section a function and a datum lets the link drop what is
# unused; hardening is what costs little. No debug information: nothing of a build folder can leak by it.
_CFLAGS = (
    "-g0",
    "-fPIE",
    "-ffunction-sections",
    "-fdata-sections",
    "-fstack-protector-strong",
    "-D_FORTIFY_SOURCE=2",
    "-Wno-unused-command-line-argument",
)
# Windows: code of an executable needs no flag to be position-independent. Its C library has no fortified functions;
# indirect calls are checked (Control Flow Guard).
_WINDOWS_CFLAGS = (
    "-g0",
    "-ffunction-sections",
    "-fdata-sections",
    "-fstack-protector-strong",
    "-mguard=cf",
    "-Wno-unused-command-line-argument",
)
# macOS: what clang makes is position-independent, and a section is split by its symbols. A function that is newer than the
# floor may only be called where its presence was asked for.
_MACOS_CFLAGS = (
    "-g0",
    "-fstack-protector-strong",
    "-D_FORTIFY_SOURCE=2",
    "-Werror=unguarded-availability-new",
    "-Wno-unused-command-line-argument",
)
_CFLAGS_OF = {"windows": _WINDOWS_CFLAGS, "macos": _MACOS_CFLAGS}
LDFLAGS = ("-Wl,--as-needed", "-Wl,--gc-sections", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack", "-s")
_MACOS_LDFLAGS = ("-Wl,-dead_strip", "-Wl,-S", "-Wl,-x")


def native(target: Target) -> bool:
    """Whether the target's programs run on the build machine itself."""
    return target.triple == targets.get(HOST).triple


def step(
    target: Target,
    name: str,
    *,
    title: str,
    inputs: Mapping[str, Input],
    outputs: Iterable[str],
    template: str = "",
    cflags: Iterable[str] = (),
    memory: int = 500_000_000,
    image: str | None = None,
    **values: Any,
) -> Step:
    """The step ``target.name/name``; its template is called like it, or ``template``, and is told ``values``."""
    values = {
        "toolchain": True,
        "ldflags": _MACOS_LDFLAGS if target.os == "macos" else LDFLAGS,
        **values,
    }
    if target.osxcross and "toolchain" in inputs:  # of which the tool chain has wrappers only
        inputs = {**inputs, "osxcross": target.osxcross.folder}
    script = _template(f"{template or name}.sh.j2").render(
        target=target,
        host=targets.get(HOST),
        native=native(target),
        step=name,
        title=title,
        inputs=sorted(inputs),
        cflags=(*_CFLAGS_OF.get(target.os, _CFLAGS), *cflags),
        **values,
    )
    return Step(
        name=f"{target.name}/{name}",
        script=script,
        inputs=inputs,
        image=image or target.image,
        outputs=tuple(outputs),
        memory=memory,
    )


def _template(name: str) -> Any:
    """A template of the room; a name that it uses and nobody gives is an error."""
    return _environment().get_template(name)


@cache
def _environment() -> Any:
    """One for all templates: what many of them include is compiled once."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(rooms.room("templates")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (shell scripts, not HTML)
    )
