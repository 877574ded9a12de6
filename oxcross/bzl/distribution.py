"""PythonDistribution: CPython as oxcross builds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oxcross.bzl.executable import PythonExecutable
from oxcross.bzl.interpreter import PythonInterpreterConfig
from oxcross.bzl.library import resources
from oxcross.bzl.policy import PythonPackagingPolicy
from oxcross.bzl.values import Calls, Value
from oxcross.errors import ConfigError

if TYPE_CHECKING:
    from oxcross.bzl.world import World


class PythonDistribution(Value):
    """See symbols.toml."""

    kind = "PythonDistribution"

    def make_python_interpreter_config(self) -> Value:
        return PythonInterpreterConfig(self.world)

    def make_python_packaging_policy(self) -> Value:
        return PythonPackagingPolicy(self.world)

    def python_resources(self) -> list[Any]:
        return list(resources(self.world, PythonPackagingPolicy(self.world)))

    def to_python_executable(
        self,
        name: str,
        packaging_policy: PythonPackagingPolicy | None = None,
        config: PythonInterpreterConfig | None = None,
    ) -> Calls:
        policy = packaging_policy or PythonPackagingPolicy(self.world)
        executable = PythonExecutable(self.world, name, policy, config or PythonInterpreterConfig(self.world))
        if policy.callbacks:
            executable.library = resources(self.world, policy)
            yield from policy.tell(executable.library)
        return executable


def default_python_distribution(
    world: World, flavor: str, build_target: str | None, python_version: str | None
) -> PythonDistribution:
    """Starlark's function of that name."""
    flavors = ("standalone", "standalone_dynamic", "standalone_static")
    if flavor not in flavors:
        raise ConfigError(f"there is no flavor {flavor!r}", hint="choose one of: " + ", ".join(flavors))
    if build_target not in (None, world.triple):
        hint = f"oxcross build --target-triple {build_target}"
        raise ConfigError(f"built is {world.triple}, not {build_target}", hint=hint)
    if python_version not in (None, "3.13"):
        world.warn(f"CPython 3.13 is what there is, not {python_version}: leave python_version out")
    return PythonDistribution(world)
