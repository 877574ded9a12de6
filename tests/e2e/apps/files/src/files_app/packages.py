"""What packages make of files beside their code."""

import importlib.metadata
import importlib.resources
import importlib.util
import inspect
import logging.config
import os
import pkgutil
import runpy
import zoneinfo
from datetime import datetime, timezone
from pathlib import Path

import babel.dates
import babel.numbers
import certifi
import jinja2
import pkg_resources
import pytz

import files_app
from files_app import plugins
from files_app.places import CONTENT, DATA, HERE, SCRATCH, TEXT, same


def check_importlib_resources():
    root = importlib.resources.files("files_app")
    same((root / "data" / "text.txt").read_text(), CONTENT)
    with importlib.resources.as_file(root / "data" / "text.txt") as path:
        same(path.read_text(), CONTENT)
        same(path, TEXT)
    with importlib.resources.as_file(root / "data" / "deep") as path:
        same((path / "deeper" / "note.txt").read_text(), "deep\n")
    same(importlib.resources.read_text("files_app", "data", "text.txt", encoding="utf-8"), CONTENT)
    same(importlib.resources.is_resource("files_app", "data", "text.txt"), True)
    same("deep" in importlib.resources.contents(files_app) or (root / "data" / "deep").is_dir(), True)


def check_pkgutil():
    same(pkgutil.get_data("files_app", "data/text.txt"), CONTENT.encode())
    same("plugins" in {module.name for module in pkgutil.iter_modules(files_app.__path__)}, True)


def check_inspect():
    same(inspect.getsource(plugins.loud), 'def loud(text):\n    return text.upper() + "!"\n')
    same(inspect.getsourcefile(plugins), str(HERE / "plugins.py"))
    same(Path(plugins.__file__).read_text(), inspect.getsource(plugins))


def check_jinja_package_loader():
    environment = jinja2.Environment(loader=jinja2.PackageLoader("files_app"))
    same(environment.get_template("page.html").render(name="you"), "<p>hello you</p>")
    same(sorted(environment.list_templates()), ["base.html", "page.html"])


def check_jinja_file_system_loader():
    loader = jinja2.FileSystemLoader(HERE / "templates")
    environment = jinja2.Environment(loader=loader, bytecode_cache=jinja2.FileSystemBytecodeCache(SCRATCH))
    same(environment.get_template("page.html").render(name="you"), "<p>hello you</p>")
    same(sorted(environment.list_templates()), ["base.html", "page.html"])
    same(environment.get_template("page.html").is_up_to_date, True)


def check_babel():
    day = datetime(2024, 3, 5, tzinfo=timezone.utc)
    same(babel.dates.format_date(day, "full", locale="fr"), "mardi 5 mars 2024")
    same(babel.numbers.format_decimal(1234.5, locale="de"), "1.234,5")
    same(len(babel.localedata.locale_identifiers()) > 300, True)


def check_pytz():
    zone = pytz.timezone("Europe/Paris")
    same(zone.localize(datetime(2024, 7, 1)).utcoffset().total_seconds(), 7200)
    same(len(pytz.all_timezones) > 400, True)


def check_tzdata():
    zoneinfo.reset_tzpath(to=[])
    zone = zoneinfo.ZoneInfo.no_cache("Asia/Tokyo")
    same(datetime(2024, 7, 1, tzinfo=zone).utcoffset().total_seconds(), 32400)
    same(len(zoneinfo.available_timezones()) > 400, True)
    zoneinfo.reset_tzpath(to=[str(Path(importlib.util.find_spec("tzdata").origin).parent / "zoneinfo")])
    same(zoneinfo.ZoneInfo.no_cache("Asia/Tokyo").key, "Asia/Tokyo")


def check_certifi():
    same(os.path.isfile(certifi.where()), True)
    same(certifi.contents(), Path(certifi.where()).read_text("ascii"))


def check_pkg_resources():
    same(pkg_resources.resource_string("files_app", "data/text.txt"), CONTENT.encode())
    same(pkg_resources.resource_filename("files_app", "data/text.txt"), str(TEXT))
    same(pkg_resources.resource_exists("files_app", "data/missing"), False)
    same(pkg_resources.resource_isdir("files_app", "data/deep"), True)
    same("text.txt" in pkg_resources.resource_listdir("files_app", "data"), True)
    same(pkg_resources.resource_stream("files_app", "data/text.txt").read(), CONTENT.encode())


def check_pkg_resources_distributions():
    same(pkg_resources.get_distribution("files-app").version, "1.5")
    same([point.load()("a") for point in pkg_resources.iter_entry_points("files_app.plugins")], ["A!"])


def check_entry_points():
    points = importlib.metadata.entry_points(group="files_app.plugins")
    same([(point.name, point.load()("a")) for point in points], [("loud", "A!")])
    distribution = importlib.metadata.distribution("files-app")
    paths = {str(path): path for path in distribution.files}
    same(paths["files_app/data/text.txt"].read_text(), CONTENT)
    same(Path(distribution.locate_file("files_app/data/text.txt")), TEXT)


def check_run_path():
    same(runpy.run_path(str(HERE / "plugins.py"))["loud"]("b"), "B!")


def check_spec_from_file_location():
    spec = importlib.util.spec_from_file_location("again", HERE / "plugins.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    same(module.loud("c"), "C!")


def check_configparser():
    import configparser

    parser = configparser.ConfigParser()
    same(parser.read([TEXT.with_name("missing.ini")]), [])
    same(logging.config.__file__.endswith("/logging/config.py"), True)
    same(os.path.exists(logging.config.__file__), True)
    same(DATA.exists(), True)
