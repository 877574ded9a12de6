from importlib.util import find_spec

print([name for name in ("tool.unused", "json", "decimal") if find_spec(name)])
