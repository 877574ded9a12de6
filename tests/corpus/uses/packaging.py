"""Versions, specifiers, markers, tags, metadata and requirements judged."""

from __future__ import annotations

import os
import pickle
import platform
import sys
import sysconfig

from packaging import tags
from packaging.markers import Marker, default_environment
from packaging.metadata import Metadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version


def main() -> None:
    versions = [Version(text) for text in ("1.0", "1.0rc1", "1.0.post1", "2!0.1", "1.0.dev3", "1.0+local.7")]
    print(sorted(versions), pickle.loads(pickle.dumps(versions)) == versions)
    print(list(SpecifierSet(">=1.0,!=1.0.post1").filter(versions)))
    requirement = Requirement(
        'requests[socks,security]>=2.8.1,==2.8.* ; python_version < "2.7" or os_name != "java"'
    )
    print(requirement, sorted(requirement.extras), requirement.marker.evaluate())
    print(Marker(f"python_full_version >= '3.13' and platform_machine == '{platform.machine()}'").evaluate())
    environment = default_environment()
    print({name: environment[name] for name in ("implementation_name", "python_version")})
    print(environment["sys_platform"] == sys.platform, environment["os_name"] == os.name)
    supported = list(tags.sys_tags())
    own = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    print(len(supported) > 40, str(supported[0]) == f"cp313-cp313-{own}", supported[-1])
    print(tags.interpreter_name(), tags.interpreter_version(), getattr(sys, "abiflags", "") == "")
    wide = [str(tag) for tag in supported if "manylinux_2_17" in tag.platform][:3]
    expected = [f"cp313-{abi}-manylinux_2_17_x86_64" for abi in ("cp313", "abi3", "none")]
    print(wide == (expected if sys.platform == "linux" else []))
    name, version, build, found = parse_wheel_filename("foo_bar-1.2.3-1-py3-none-any.whl")
    print(name, version, build, [str(tag) for tag in found], canonicalize_name("Foo._-Bar"))
    for broken in ("not a version", "1..2"):
        try:
            Version(broken)
        except InvalidVersion as error:
            print(error)
    try:
        Requirement("name @@ 1")
    except InvalidRequirement as error:
        print(error)
    print(
        Metadata.from_email("Metadata-Version: 2.4\nName: a\nVersion: 1\nRequires-Dist: b>1\n").requires_dist
    )
