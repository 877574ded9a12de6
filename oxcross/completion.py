"""Completion for shells: what may stand in the place of the word that is being typed, and the scripts that ask for it.

Invoke's own knows tasks with dots only, and no values. A script calls ``oxcross --complete -- WORD …`` with the words behind the program's
name, the last of them being the one at the cursor (which may be empty), and gets a candidate a line; none means a file's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from invoke.collection import Collection
from invoke.parser.context import ParserContext

from oxcross import targets
from oxcross.errors import UsageError, nearest

_BASH: Final = """\
_NAME_complete() {
    mapfile -t COMPREPLY < <("$1" --complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null)
}
complete -o default -F _NAME_complete NAME
"""
_ZSH: Final = """\
#compdef NAME
_NAME_complete() {
    local -a found
    found=("${(@f)$("$words[1]" --complete -- "${(@)words[2,CURRENT]}" 2> /dev/null)}")
    if [[ -n "$found[1]" ]]; then compadd -Q -- "${found[@]}"; else _files; fi
}
compdef _NAME_complete NAME
"""
_FISH: Final = """\
function _NAME_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found ($words[1] --complete -- $words[2..-1] 2> /dev/null)
    if set -q found[1]
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c NAME -f -a '(_NAME_complete)'
"""
SCRIPTS: Final[Mapping[str, str]] = {"bash": _BASH, "fish": _FISH, "zsh": _ZSH}


def script(shell: str, name: str) -> str:
    """The script for a shell, for the program of that name. UsageError for a shell that there is none for."""
    if shell not in SCRIPTS:
        raise UsageError(f"there is no completion for {shell!r}", hint=nearest(shell, SCRIPTS))
    return SCRIPTS[shell].replace("NAME", name)


def candidates(
    words: Sequence[str], namespace: Collection, contexts: Mapping[str, ParserContext], core: ParserContext
) -> list[str]:
    """What may stand in the place of the last word; nothing where that is a file's name."""
    *before, current = words or [""]
    if "--" in before:
        return []
    # bash takes --flag=value for three words
    before = [word for word in before if word != "="]
    current = "" if current == "=" else current
    group, name = _task(before, namespace, contexts)
    context = contexts.get(name or group)  # a group's own flags are those of its default task
    flags = {**core.flags, **(context.flags if context else {})}
    flag, equals, value = current.partition("=")
    if current.startswith("--") and equals:
        found = [f"{flag}={one}" for one in _values(flag, value)]
    elif before and before[-1] in flags and flags[before[-1]].takes_value:
        found = _values(before[-1], current)
    elif current.startswith("-"):
        found = [one for one in flags if one.startswith("--") and one != "--complete"]
    elif name:
        found = _explained() if name == "explain" else []
    elif group:
        found = list(namespace.collections[group].task_names)
    else:
        found = [*namespace.tasks, *namespace.collections, *([] if before else ["help"])]
    return sorted(one for one in found if one.startswith(current))


def _task(
    words: Sequence[str], namespace: Collection, contexts: Mapping[str, ParserContext]
) -> tuple[str, str]:
    """The group and the task that the words so far name, each "" where they do not."""
    group = ""
    for word in words:
        name = f"{group}.{word}".lstrip(".")
        if word in namespace.collections:
            group = word
        elif name in contexts:
            return group, name
    return group, ""


def _values(flag: str, current: str) -> list[str]:
    """What a flag can be set to, where that is known."""
    if flag == "--name":
        return _explained()
    if flag == "--targets":
        before, comma, _ = current.rpartition(",")
        return [f"{before}{comma}{name}" for name in targets.load() if name not in before.split(",")]
    known: Mapping[str, Sequence[str]] = {
        "--engine": ("auto", "docker", "local"),
        "--from": ("bucket", "dist"),
        "--print-completion-script": tuple(SCRIPTS),
        "--target": tuple(targets.load()),
    }
    return list(known.get(flag, ()))


def _explained() -> list[str]:
    """The names of what can be explained."""
    from oxcross import explain

    return [section.name for section in explain.sections()]
