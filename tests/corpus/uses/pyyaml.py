"""Documents loaded and dumped by the C library and by Python, own tags, anchors, errors, and refusals."""

from __future__ import annotations

import io

import yaml
import yaml._yaml

TEXT = """\
base: &base {a: 1, when: 2026-01-02 03:04:05}
list: [1, 2.5, ~, true, 0x10, 1e3, "é"]
text: |
  two
  lines
merged:
  <<: *base
  b: !point [3, 4]
"""


class Point(yaml.YAMLObject):
    """Its own tag, made by a metaclass."""

    yaml_tag = "!point"
    yaml_loader = [yaml.SafeLoader, yaml.CSafeLoader]

    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y

    @classmethod
    def from_yaml(cls, loader: yaml.SafeLoader, node: yaml.Node) -> Point:
        return cls(*loader.construct_sequence(node))

    def __repr__(self) -> str:
        return f"Point({self.x}, {self.y})"


def main() -> None:
    print(yaml.__with_libyaml__, yaml._yaml.get_version_string(), yaml._yaml.__file__)
    slow, fast = yaml.load(TEXT, yaml.SafeLoader), yaml.load(io.BytesIO(TEXT.encode()), yaml.CSafeLoader)
    print(fast, repr(slow) == repr(fast))
    for dumper in (yaml.SafeDumper, yaml.CSafeDumper):
        print(yaml.dump({"b": [1, {"c": "ü"}], "a": None}, Dumper=dumper, allow_unicode=True, sort_keys=True))
    print(yaml.dump(Point(1, 2)), yaml.safe_dump_all([1, [2]], explicit_start=True))
    print([type(event).__name__ for event in yaml.parse("a: [1]", Loader=yaml.CLoader)])
    for loader in (yaml.SafeLoader, yaml.CSafeLoader):
        for broken in ("a: [1", "!!python/object/apply:os.system [echo no]", "\x07"):
            try:
                yaml.load(broken, loader)
            except yaml.YAMLError as error:
                print(str(error).splitlines()[0])
    many = yaml.load(yaml.dump(list(range(20000)), Dumper=yaml.CDumper), yaml.CSafeLoader)
    print(sum(many))
