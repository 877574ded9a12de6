"""Steps' keys and plans' order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from oxcross.plan import Plan, State, Step, Tree


@dataclass(frozen=True)
class Pin:
    name: str = "zlib"
    version: str = "1"
    sha256: str = "a" * 64
    size: int = 0
    filename: str = "zlib.tar.gz"
    upstream: tuple[str, ...] = ()
    pool: str | None = None
    kind: str = "archive"


class Shelf:
    """The keys and sources that are said to be in the store."""

    def __init__(self, *known: str) -> None:
        self.known = known

    def has(self, key: str) -> bool:
        return key in self.known

    def has_source(self, sha256: str) -> bool:
        return sha256 in self.known


def step(name: str, **fields: object) -> Step:
    return Step(name=name, **{"script": f"echo {name}\n", **fields})  # type: ignore[arg-type]


def test_key_depends_on_script_environment_and_inputs_only() -> None:
    base = step("a", inputs={"src": Pin(), "files": Tree({"x": b"1"})}, env={"A": "1"})
    same = [
        replace(base, name="b"),
        replace(base, image="base"),
        replace(base, outputs=("lib",)),
        replace(base, inputs={"files": Tree({"x": b"1"}), "src": Pin(name="other", filename="y")}),
    ]
    other = [
        replace(base, script="echo b\n"),
        replace(base, env={"A": "2"}),
        replace(base, env={}),
        replace(base, inputs={**base.inputs, "src": Pin(sha256="b" * 64)}),
        replace(base, inputs={**base.inputs, "files": Tree({"x": b"2"})}),
        replace(base, inputs={**base.inputs, "files": Tree({"y": b"1"})}),
        replace(base, inputs={"elsewhere": Pin(), "files": Tree({"x": b"1"})}),
    ]
    assert {found.key for found in same} == {base.key}
    assert len({base.key, *(found.key for found in other)}) == len(other) + 1


def test_key_is_pinned() -> None:
    """A change of this value makes every cached result worthless: it must be meant."""
    found = Step(name="n", script="true\n", inputs={"src": Pin()}, env={"A": "1"}).key
    assert found == "3106f9eda78be5a1a0aeba39cbb4ac5b713f0ad0024cb2a20760f8b54bb4de58"


def test_key_follows_needed_steps() -> None:
    one, two = step("lib", script="echo 1"), step("lib", script="echo 2")
    assert step("app", inputs={"lib": one}).key != step("app", inputs={"lib": two}).key


@pytest.mark.parametrize("mount", ["", ".", "..", "a/b"])
def test_mount_names_are_single(mount: str) -> None:
    with pytest.raises(ValueError, match="mount name"):
        step("a", inputs={mount: Pin()})


def test_fixed_variables_cannot_be_set() -> None:
    with pytest.raises(ValueError, match="HOME, TZ"):
        step("a", env={"TZ": "CET", "HOME": "/"})


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", ""])
def test_trees_stay_inside(path: str) -> None:
    with pytest.raises(ValueError, match="inside the tree"):
        Tree({path: b""})


def test_plan_orders_and_collects() -> None:
    tool = step("tool")
    libs = [step(f"lib{n}", inputs={"tool": tool}) for n in range(3)]
    app = step("app", inputs={lib.name: lib for lib in libs})
    plan = Plan.of([app, libs[0]])
    names = [found.name for found in plan]
    assert names[0] == "tool"
    assert names[-1] == "app"
    assert sorted(names) == ["app", "lib0", "lib1", "lib2", "tool"]
    assert [found.name for found in plan.wanted] == ["app", "lib0"]
    assert plan.named("lib1") is libs[1]
    with pytest.raises(KeyError):
        plan.named("lib9")


def test_equal_steps_are_one() -> None:
    plan = Plan.of([step("a", script="x"), step("b", script="x")])
    assert [found.name for found in plan] == ["a"]
    assert plan.wanted == plan.steps


def test_one_name_for_two_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="called 'a'"):
        Plan.of([step("a", script="x"), step("a", script="y")])


def test_cycles_are_refused() -> None:
    inputs: dict[str, Step] = {}
    first = step("first", inputs=inputs)
    inputs["second"] = step("second", inputs={"first": first})
    with pytest.raises(ValueError, match="first -> second -> first"):
        Plan.of([first])


def test_large_diamonds_are_quick() -> None:
    below = step("0")
    for number in range(1, 60):  # 2**59 ways through it
        below = step(str(number), inputs={"left": below, "right": below})
    assert len(Plan.of([below])) == 60


def test_states() -> None:
    tool = step("tool", inputs={"src": Pin(sha256="1" * 64)})
    lib = step("lib", inputs={"tool": tool, "src": Pin(sha256="2" * 64)})
    app = step("app", inputs={"lib": lib})
    states = Plan.of([app]).states(Shelf(tool.key, "2" * 64))
    assert list(states.values()) == [State.CACHED, State.BUILD, State.BUILD]
    states = Plan.of([app]).states(Shelf("2" * 64))
    assert list(states.values()) == [State.FETCH, State.BUILD, State.BUILD]
