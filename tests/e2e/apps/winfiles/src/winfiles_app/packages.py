"""What packages make of files beside their code."""

import importlib.metadata
import importlib.resources
import importlib.util
import inspect
import pkgutil
import runpy
from pathlib import Path

import winfiles_app
from winfiles_app import plugins
from winfiles_app.places import CONTENT, HERE, TEXT, same


def check_importlib_resources():
    root = importlib.resources.files("winfiles_app")
    same((root / "data" / "text.txt").read_text(), CONTENT)
    with importlib.resources.as_file(root / "data" / "text.txt") as path:
        same(path.read_text(), CONTENT)
        same(path, TEXT)
    with importlib.resources.as_file(root / "data" / "deep") as path:
        same((path / "deeper" / "note.txt").read_text(), "deep\n")
    same(importlib.resources.read_text("winfiles_app", "data", "text.txt", encoding="utf-8"), CONTENT)


def check_pkgutil():
    same(pkgutil.get_data("winfiles_app", "data/text.txt"), CONTENT.encode())
    same("plugins" in {module.name for module in pkgutil.iter_modules(winfiles_app.__path__)}, True)


def check_inspect():
    same(inspect.getsource(plugins.loud), 'def loud(text):\n    return text.upper() + "!"\n')
    same(inspect.getsourcefile(plugins), str(HERE / "plugins.py"))


def check_entry_points():
    points = importlib.metadata.entry_points(group="winfiles_app.plugins")
    same([(point.name, point.load()("a")) for point in points], [("loud", "A!")])
    distribution = importlib.metadata.distribution("winfiles-app")
    paths = {path.as_posix(): path for path in distribution.files}
    same(paths["winfiles_app/data/text.txt"].read_text(), CONTENT)
    same(Path(distribution.locate_file("winfiles_app/data/text.txt")), TEXT)


def check_run_path():
    same(runpy.run_path(str(HERE / "plugins.py"))["loud"]("b"), "B!")


def check_spec_from_file_location():
    spec = importlib.util.spec_from_file_location("again", HERE / "plugins.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    same(module.loud("c"), "C!")
