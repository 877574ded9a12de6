"""PythonPackagingPolicy: what resources are like when they are made."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from oxcross.bzl.resources import File, PythonModuleSource, Resource, prefix
from oxcross.bzl.values import Call, Calls, Function, Value
from oxcross.errors import ConfigError

if TYPE_CHECKING:
    from oxcross.bzl.world import World

_TESTS = re.compile(r"(^|/)(tests?|_tests)(/|$)")


class PythonPackagingPolicy(Value):
    """See symbols.toml."""

    kind = "PythonPackagingPolicy"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.callbacks: list[Function] = []

    def set(self, name: str, value: Any) -> None:
        """As Value's; a location must be one."""
        if name == "preferred_extension_module_variants":
            raise ConfigError(f"{self.kind}.{name} is read-only", hint=self.rows.attributes[name].does)
        beside = prefix(value) if name.startswith("resources_location") and isinstance(value, str) else None
        if beside is not None and name == "resources_location":
            self.world.warn("the standard library stays in the executable, wherever resources are to lie")
        super().set(name, value)

    def register_resource_callback(self, f: Function) -> None:
        self.callbacks.append(f)

    def set_resource_handling_mode(self, mode: str) -> None:
        if mode not in ("classify", "files"):
            raise ConfigError(f"no such mode: {mode!r}", hint='"classify" or "files"')
        files = mode == "files"
        self.set("file_scanner_classify_files", not files)
        self.set("file_scanner_emit_files", files)
        self.set("include_file_resources", files)
        self.set("include_classified_resources", value=True)
        self.set("allow_files", files)

    def applied(self, resource: Resource) -> None:
        """Give a resource the attributes that the policy says."""
        own = "include_file_resources" if isinstance(resource, File) else "include_classified_resources"
        test = _TESTS.search(resource.source.path) is not None and not resource.source.origin.stdlib
        resource.attributes |= {
            "add_include": self.attributes[own] and (self.attributes["include_test"] or not test),
            "add_location": self.attributes["resources_location"],
            "add_location_fallback": self.attributes["resources_location_fallback"],
        }
        if isinstance(resource, PythonModuleSource):
            stdlib = resource.source.origin.stdlib
            sources = "include_distribution_sources" if stdlib else "include_non_distribution_sources"
            resource.attributes["add_source"] = self.attributes[sources]

    def tell(self, resources: Iterable[Resource]) -> Calls:
        """Call the file's functions with each resource."""
        for resource in resources if self.callbacks else ():
            for function in self.callbacks:
                yield Call(function, [self, resource])
