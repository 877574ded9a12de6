"""Versions, specifiers, markers, tags, metadata and requirements judged."""

from __future__ import annotations

import pickle
import sys

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
        'requests[socks,security]>=2.8.1,==2.8.* ; python_version < "2.7" or os_name == "posix"'
    )
    print(requirement, sorted(requirement.extras), requirement.marker.evaluate())
    print(Marker("python_full_version >= '3.13' and platform_machine == 'x86_64'").evaluate())
    environment = default_environment()
    print({name: environment[name] for name in ("implementation_name", "sys_platform", "python_version")})
    supported = list(tags.sys_tags())
    print(len(supported), supported[0], supported[-1], tags.interpreter_name(), tags.interpreter_version())
    print([str(tag) for tag in supported if "manylinux_2_17" in tag.platform][:3], sys.abiflags == "")
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
