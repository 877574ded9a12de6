"""Code as it was written for PyOxidizer: each function asserts one part of oxidized_importer."""

import importlib
import importlib.metadata
import importlib.resources
import importlib.resources.abc
import io
import marshal
import os
import pkgutil
import sys
import tempfile
import zipfile
from pathlib import Path

MODULE = b"import sys\nname = __name__\n"
# Every name that PyOxidizer's documentation of the module gives.
DOCUMENTED = {
    "decode_source": "",
    "find_resources_in_path": "",
    "register_pkg_resources": "",
    "pkg_resources_find_distributions": "",
    "OxidizedFinder": "multiprocessing_set_start_method origin path_hook_base_str pkg_resources_import_auto_register index_bytes "
    "index_file_memory_mapped index_interpreter_builtins index_interpreter_builtin_extension_modules "
    "index_interpreter_frozen_modules indexed_resources add_resource add_resources serialize_indexed_resources path_hook "
    "find_spec find_module invalidate_caches create_module exec_module load_module get_code get_source source_to_code "
    "is_package get_filename get_data get_resource_reader find_distributions iter_modules",
    "OxidizedDistribution": "from_name discover read_text metadata name version entry_points files requires _normalized_name",
    "OxidizedResourceReader": "open_resource resource_path is_resource contents",
    "OxidizedPathEntryFinder": "find_spec invalidate_caches iter_modules",
    "OxidizedPkgResourcesProvider": "has_metadata get_metadata get_metadata_lines metadata_isdir metadata_listdir run_script "
    "get_resource_filename get_resource_stream get_resource_string has_resource resource_isdir resource_listdir",
    "OxidizedResource": "is_module is_builtin_extension_module is_frozen_module is_extension_module is_shared_library name "
    "is_package is_namespace_package in_memory_source in_memory_bytecode in_memory_bytecode_opt1 in_memory_bytecode_opt2 "
    "in_memory_extension_module_shared_library in_memory_package_resources in_memory_distribution_resources "
    "in_memory_shared_library shared_library_dependency_names relative_path_module_source relative_path_module_bytecode "
    "relative_path_module_bytecode_opt1 relative_path_module_bytecode_opt2 relative_path_extension_module_shared_library "
    "relative_path_package_resources relative_path_distribution_resources",
    "OxidizedResourceCollector": "allowed_locations add_in_memory add_in_memory_resource add_filesystem_relative oxidize",
    "OxidizedZipFinder": "from_zip_data from_path find_spec find_module invalidate_caches create_module exec_module "
    "load_module get_code get_source source_to_code is_package",
    "PythonModuleSource": "module source is_package",
    "PythonModuleBytecode": "module bytecode optimize_level is_package",
    "PythonPackageResource": "package name data",
    "PythonPackageDistributionResource": "package version name data",
    "PythonExtensionModule": "name",
}


def raised(expected, action, *arguments):
    try:
        action(*arguments)
    except expected as error:
        return str(error)
    raise AssertionError(f"no {expected.__name__}")


def resource(name, source=None, **attributes):
    from oxidized_importer import OxidizedResource

    made = OxidizedResource()
    made.name = name
    if source is not None:
        made.is_module = True
        made.in_memory_source = source
    for key, value in attributes.items():
        setattr(made, key, value)
    return made


def executables_finder():
    """The finder of what is embedded, as PyOxidizer's documentation has it looked for."""
    from oxidized_importer import OxidizedFinder

    (finder,) = (one for one in sys.meta_path if isinstance(one, OxidizedFinder))
    return finder


def documented():
    """Every name is there, and the interfaces of importlib.abc are what the documentation says."""
    import importlib.abc as abc

    import oxidized_importer

    missing = [
        f"{name}.{attribute}" if attribute else name
        for name, attributes in DOCUMENTED.items()
        for attribute in attributes.split() or [""]
        if not hasattr(getattr(oxidized_importer, name), attribute or "__call__")
    ]
    assert missing == [] and set(DOCUMENTED) == set(oxidized_importer.__all__), missing
    for name, interfaces in {
        "OxidizedFinder": (abc.MetaPathFinder, abc.Loader, abc.InspectLoader, abc.ExecutionLoader),
        "OxidizedDistribution": (importlib.metadata.Distribution,),
        "OxidizedResourceReader": (importlib.resources.abc.ResourceReader,),
        "OxidizedPathEntryFinder": (abc.PathEntryFinder,),
        "OxidizedZipFinder": (abc.MetaPathFinder, abc.Loader, abc.InspectLoader),
    }.items():
        assert all(issubclass(getattr(oxidized_importer, name), one) for one in interfaces), name
    finder = executables_finder()
    assert finder.source_to_code("x = 3", "x.py").co_filename == "x.py"


def own_finder():
    assert "oxidized_importer" not in sys.modules
    from oxidized_importer import OxidizedFinder

    finder = executables_finder()
    assert type(finder) is OxidizedFinder and sys.oxidized
    assert finder.path_hook_base_str == sys.executable and finder.origin == os.path.dirname(sys.executable)
    assert finder.multiprocessing_set_start_method is None and finder.pkg_resources_import_auto_register
    spec = finder.find_spec("parcel", None)
    assert spec.origin == os.path.join(sys.executable, "parcel", "__init__.py")
    assert finder.find_spec("_io", None).origin == "built-in" and finder.find_spec("missing") is None
    assert finder.find_module("parcel").path == spec.origin and finder.get_code("_io") is None
    assert finder.get_code("parcel.part").co_filename == finder.get_filename("parcel.part")
    assert finder.get_source("parcel.part") == "value = 7\n" and finder.is_package("parcel")
    assert finder.get_data(os.path.join(sys.executable, "parcel", "note.txt")) == b"a note\n"
    assert finder.get_resource_reader("parcel").open_resource("note.txt").read() == b"a note\n"
    assert ("parcel", True) in finder.iter_modules() and ("x.json", True) in finder.iter_modules("x.")
    for method in (finder.get_code, finder.get_source, finder.get_filename, finder.is_package):
        assert "missing" in raised(ImportError, method, "missing")
    raised(ImportError, finder.get_filename, "_io")
    names = [one.metadata["Name"] for one in finder.find_distributions()]
    assert names == ["setuptools"], names
    assert [one.name for one in importlib.metadata.distributions()] == names
    import parcel.part

    assert parcel.part.value == 7 and importlib.reload(parcel.part).value == 7


def own_resources():
    finder = executables_finder()
    found = {one.name: one for one in finder.indexed_resources()}
    assert found["_io"].is_builtin_extension_module and not found["_io"].is_module
    assert found["zipimport"].is_module or found["zipimport"].is_frozen_module
    parcel = found["parcel"]
    assert repr(parcel) == '<OxidizedResource name="parcel">' and parcel.is_module and parcel.is_package
    assert parcel.in_memory_source == b'"""A package with a resource."""\n'
    assert parcel.in_memory_package_resources == {"note.txt": b"a note\n"}
    assert marshal.loads(found["parcel.part"].in_memory_bytecode).co_name == "<module>"
    assert "METADATA" in found["setuptools"].in_memory_distribution_resources
    finder.add_resource(resource("parcel.added", MODULE))
    import parcel.added

    assert parcel.added.name == "parcel.added" and parcel.added.__loader__ is finder
    assert len(finder.serialize_indexed_resources()) > 1_000_000


def attributes():
    from oxidized_importer import OxidizedResource

    made = OxidizedResource()
    flags = ("module", "builtin_extension_module", "frozen_module", "extension_module", "shared_library", "package")
    for name in [*(f"is_{flag}" for flag in flags), "is_namespace_package"]:
        assert getattr(made, name) is False
        setattr(made, name, True)
        assert getattr(made, name) is True
        raised(TypeError, setattr, made, name, None)
        raised(AttributeError, delattr, made, name)
    assert made.name == ""
    raised(TypeError, setattr, made, "name", None)
    data = ["source", "bytecode", "bytecode_opt1", "bytecode_opt2", "extension_module_shared_library", "shared_library"]
    for name in (f"in_memory_{one}" for one in data):
        for value in (b"x", bytearray(b"x"), memoryview(b"x")):
            setattr(made, name, value)
            assert getattr(made, name) == b"x"
        raised(TypeError, setattr, made, name, "x")
        setattr(made, name, None)
        assert getattr(made, name) is None
    paths = [one for one in dir(made) if one.startswith("relative_path_module") or one.endswith("path_extension_module")]
    for name in paths:
        for value in ("lib/x.py", b"lib/x.py", Path("lib/x.py")):
            setattr(made, name, value)
            assert getattr(made, name) == Path("lib/x.py")
        raised(TypeError, setattr, made, name, True)
    assert len(paths) == 4
    for name, value in {"in_memory_package_resources": b"x", "relative_path_distribution_resources": Path("x")}.items():
        setattr(made, name, {"file": value})
        getattr(made, name)["other"] = value
        assert getattr(made, name) == {"file": value}
        for wrong in ([], {b"file": value}, {"file": None}):
            raised(TypeError, setattr, made, name, wrong)
    made.shared_library_dependency_names = ["a"]
    made.shared_library_dependency_names.append("b")
    assert made.shared_library_dependency_names == ["a"]
    raised(TypeError, setattr, made, "shared_library_dependency_names", [b"a"])


def indexed():
    from oxidized_importer import OxidizedFinder, OxidizedResourceReader

    finder = OxidizedFinder()
    code = marshal.dumps(compile("from .__init__ import x\nvalue = x", "y", "exec"))
    files = {"a.txt": b"a", "deep/b.txt": b"b"}
    metadata = {"METADATA": b"Name: one\nVersion: 3\nRequires-Dist: two\n", "entry_points.txt": b"[g]\nn = one:x\n"}
    finder.add_resources(
        [
            resource("one", b"x = 1\n", is_package=True, in_memory_package_resources=files,
                     in_memory_distribution_resources=metadata),
            resource("one.two", in_memory_bytecode=code, is_module=True),
            resource("space", is_module=True, is_package=True, is_namespace_package=True),
            resource("native", is_extension_module=True, in_memory_extension_module_shared_library=b"\x7fELF"),
        ]
    )
    again = OxidizedFinder()
    again.index_bytes(finder.serialize_indexed_resources())
    with tempfile.NamedTemporaryFile() as file:
        file.write(finder.serialize_indexed_resources())
        file.flush()
        mapped = OxidizedFinder()
        mapped.index_file_memory_mapped(Path(file.name))
    assert [one._values for one in again.indexed_resources()] == [one._values for one in mapped.indexed_resources()]
    spec = again.find_spec("one", None)
    assert (spec.origin, spec.has_location, spec.loader, spec.parent) == (None, False, again, "one")
    assert spec.submodule_search_locations == [os.path.join(again.path_hook_base_str, "one")]
    assert again.find_spec("one.__init__").name == "one" and again.find_spec("flask") is None
    sys.meta_path.insert(0, again)
    import one.two
    import space

    assert one.two.value == 1 and not hasattr(one, "__file__") and one.__loader__ is again and space.__path__
    assert "one.__init__" not in sys.modules and again.get_source("one") == "x = 1\n"
    assert "indexed as bytes" in raised(ImportError, importlib.import_module, "native")
    reader = again.get_resource_reader("one")
    assert isinstance(reader, OxidizedResourceReader) and reader.contents() == ["a.txt", "deep/b.txt"]
    assert reader.open_resource("a.txt").getvalue() == b"a" and reader.is_resource("deep/b.txt")
    for method in (reader.is_resource, reader.open_resource, reader.resource_path):
        raised(FileNotFoundError, method, "missing")
    folder = importlib.resources.files("one")
    assert [one.name for one in folder.iterdir()] == ["a.txt", "deep"] and (folder / "deep").is_dir()
    assert (folder / "deep" / "b.txt").read_text() == "b" and importlib.resources.read_binary("one", "a.txt") == b"a"
    with importlib.resources.as_file(folder) as path:
        assert (path / "deep" / "b.txt").read_bytes() == b"b"
    assert pkgutil.get_data("one", "a.txt") if hasattr(one, "__file__") else again.get_resource_reader("one.two") is None
    assert again.get_data(os.path.join(again.path_hook_base_str, "one", "deep", "b.txt")) == b"b"
    raised(OSError, again.get_data, "/nowhere/one/a.txt")
    for wrong, message in ((b"foo", "8 byte"), (b"\xde\xad\xbe\xef" * 4, "unrecognized"), (b"pyembed\x03", "early")):
        assert message in raised(ValueError, finder.index_bytes, wrong), message
    damaged = finder.serialize_indexed_resources()
    raised(ValueError, finder.index_bytes, damaged[:-9])
    raised(TypeError, finder.index_bytes, "foo")
    raised(TypeError, OxidizedFinder, True)
    raised(ValueError, finder.index_file_memory_mapped, "/nowhere")


def distributions():
    from oxidized_importer import OxidizedDistribution, OxidizedFinder

    finder = OxidizedFinder(relative_path_origin="/path/to/origin")
    assert finder.origin == "/path/to/origin"
    text = b"Name: One-Two\nVersion: 3\nRequires-Dist: two\n"
    files = {"METADATA": text, "entry_points.txt": b"[g]\nn = one:x\n"}
    finder.add_resource(resource("one_two", in_memory_distribution_resources=files))
    sys.meta_path.insert(0, finder)
    found = OxidizedDistribution.from_name("one-two")
    assert isinstance(found, importlib.metadata.Distribution) and isinstance(found, OxidizedDistribution)
    assert (found.name, found.version, found.requires, found.read_text("missing")) == ("One-Two", "3", ["two"], None)
    assert [one.value for one in found.entry_points] == ["one:x"] and found._normalized_name == "one_two"
    assert importlib.metadata.version("one.two") == "3" and importlib.metadata.entry_points(group="g")["n"].value
    raised(importlib.metadata.PackageNotFoundError, OxidizedDistribution.from_name, "missing")
    assert "in memory" in raised(NotImplementedError, found.locate_file, "x")
    assert [one.name for one in OxidizedDistribution.discover(name="setuptools")] == ["setuptools"]
    raised(ValueError, lambda: OxidizedDistribution.discover(context="x", name="x"))


def paths():
    from oxidized_importer import OxidizedFinder, OxidizedPathEntryFinder

    finder = OxidizedFinder()
    finder.add_resources([resource("a", b"", is_package=True), resource("a.b", b"", is_package=True), resource("a.b.c", b"")])
    base = finder.path_hook_base_str
    for path, package, names in ((base, None, [("a", True)]), (f"{base}/a", "a", [("b", True)]), (f"{base}\\a/b", "a.b", [("c", False)])):
        entry = finder.path_hook(path)
        assert isinstance(entry, OxidizedPathEntryFinder) and entry._package == package
        assert list(entry.iter_modules()) == names and [one[0] for one in entry.iter_modules("p.")] == [f"p.{names[0][0]}"]
    entry.invalidate_caches()
    assert entry.find_spec("a.b.c").name == "a.b.c" and entry.find_spec("a.b") is None and entry.find_spec("c") is None
    for wrong in ("", os.path.dirname(base), f"{base}/", f"{base}//a", f"{base}/.a", f"{base}/a.", f"{base}/a..b", b"foo", Path(base)):
        assert "error running OxidizedFinder.path_hook" in raised(ImportError, finder.path_hook, wrong)
    assert type(executables_finder().path_hook(base)) is OxidizedPathEntryFinder
    assert ("part", False) in executables_finder().path_hook(f"{base}/parcel").iter_modules()


def collected():
    from oxidized_importer import (
        OxidizedFinder, OxidizedResourceCollector, PythonExtensionModule, PythonModuleBytecode, PythonModuleSource,
        PythonPackageDistributionResource, PythonPackageResource, find_resources_in_path,
    )

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("tree/pack/__pycache__", "tree/pack/data", "tree/pack-2.0.dist-info"):
            (root / name).mkdir(parents=True)
        pyc = root / f"tree/pack/__pycache__/mod.{sys.implementation.cache_tag}.opt-1.pyc"
        pyc.write_bytes(b"0123456789abcdef" + marshal.dumps(compile("v = 5", "v", "exec")))
        for name, text in {"pack/__init__.py": "x = 2\n", "pack/mod.py": "v = 4\n", "pack/data/file.txt": "text\n",
                           "pack-2.0.dist-info/METADATA": "Name: pack\nVersion: 2.0\n", "loose.txt": ""}.items():
            (root / "tree" / name).write_text(text)
        (root / f"tree/native{importlib.machinery.EXTENSION_SUFFIXES[0]}").write_bytes(b"dummy")
        found = find_resources_in_path(root / "tree")
        kinds = {type(one): one for one in found}
        assert len(found) == 6, found
        assert kinds[PythonExtensionModule].name == "native"
        assert [one.module for one in found if isinstance(one, PythonModuleSource)] == ["pack", "pack.mod"]
        assert (kinds[PythonModuleBytecode].module, kinds[PythonModuleBytecode].optimize_level) == ("pack.mod", 1)
        assert not kinds[PythonModuleBytecode].is_package and kinds[PythonModuleBytecode].bytecode == pyc.read_bytes()[16:]
        data, metadata = kinds[PythonPackageResource], kinds[PythonPackageDistributionResource]
        assert (data.package, data.name, data.data) == ("pack", "data/file.txt", b"text\n")
        assert (metadata.package, metadata.version, metadata.name) == ("pack", "2.0", "METADATA")
        assert "path is not a directory" in raised(ValueError, find_resources_in_path, root / "missing")
        for locations, add in (
            (["in-memory"], lambda collector, one: collector.add_in_memory(one)),
            (["filesystem-relative"], lambda collector, one: collector.add_filesystem_relative("lib", one)),
        ):
            collector = OxidizedResourceCollector(allowed_locations=locations)
            assert collector.allowed_locations == locations
            for one in found:
                add(collector, one)
            resources, files = collector.oxidize()
            for path, content, executable in files:
                assert not executable
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(content)
            assert [one.name for one in resources] == ["native", "pack", "pack.mod"]
            finder = OxidizedFinder(relative_path_origin=root)
            finder.add_resources(resources)
            finder = OxidizedFinder(relative_path_origin=root)
            finder.index_bytes(_packed(resources))
            sys.meta_path.insert(0, finder)
            for name in ("pack", "pack.mod"):
                sys.modules.pop(name, None)
            module = importlib.import_module("pack.mod")
            assert module.v == 4 and hasattr(module, "__file__") == (locations != ["in-memory"])
            assert importlib.resources.files("pack").joinpath("data/file.txt").read_text() == "text\n"
            assert importlib.metadata.version("pack") == "2.0"
            sys.meta_path.remove(finder)
        assert "may not be in-memory" in raised(ValueError, collector.add_in_memory, found[0])
        raised(TypeError, collector.add_filesystem_relative, "", object())
        raised(ValueError, OxidizedResourceCollector, ["elsewhere"])
        raised(TypeError, OxidizedResourceCollector)


def _packed(resources):
    from oxidized_importer import OxidizedFinder

    finder = OxidizedFinder()
    finder.add_resources(resources)
    return finder.serialize_indexed_resources()


def interpreter():
    from oxidized_importer import OxidizedFinder, decode_source

    finder = OxidizedFinder()
    finder.index_interpreter_builtins()
    found = {one.name: one for one in finder.indexed_resources()}
    assert found["_io"].is_builtin_extension_module and found["_frozen_importlib"].is_frozen_module
    assert finder.find_spec("_io").origin == "built-in" and finder.find_spec("zipimport").origin == "frozen"
    assert OxidizedFinder().indexed_resources() == []
    finder.index_bytes(finder.serialize_indexed_resources(ignore_builtin=False, ignore_frozen=False))
    assert len(finder.indexed_resources()) == len(found)
    assert decode_source(io, b"# -*- coding: latin-1 -*-\r\nx = '\xe9'\n") == "# -*- coding: latin-1 -*-\nx = 'é'\n"


def archives():
    from oxidized_importer import OxidizedZipFinder

    stream = io.BytesIO()
    code = compile("v = 6", "v", "exec")
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("zipped/__init__.py", "x = 1\n")
        archive.writestr("zipped/code.pyc", b"0123456789abcdef" + marshal.dumps(code))
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(stream.getvalue())
        file.flush()
        for finder, base in ((OxidizedZipFinder.from_zip_data(stream.getvalue()), sys.executable), (OxidizedZipFinder.from_path(Path(file.name)), file.name)):
            sys.meta_path.insert(0, finder)
            for name in ("zipped", "zipped.code"):
                sys.modules.pop(name, None)
            import zipped.code

            zipped = importlib.import_module("zipped")
            assert zipped.code.v == 6 and zipped.__file__ == os.path.join(base, "zipped", "__init__.py")
            assert zipped.__path__ == [os.path.join(base, "zipped")] and zipped.code.__file__.endswith("code.pyc")
            assert finder.get_source("zipped") == "x = 1\n" and finder.get_source("zipped.code") is None
            assert finder.is_package("zipped") and finder.find_module("zipped") is finder
            assert finder.find_spec("missing") is None and finder.find_module("missing") is None
            raised(ImportError, finder.get_code, "missing")
            sys.meta_path.remove(finder)
    raised(ValueError, OxidizedZipFinder.from_zip_data, b"no archive")


def packages():
    """pkg_resources, as it is and with resources that were indexed."""
    import warnings

    warnings.simplefilter("ignore")
    import pkg_resources

    assert pkg_resources.get_distribution("setuptools").version == "80.9.0"
    assert "setuptools" in [one.project_name for one in pkg_resources.working_set]
    assert pkg_resources.resource_string("parcel", "note.txt") == b"a note\n"
    assert pkg_resources.resource_listdir("parcel", "") and pkg_resources.resource_exists("parcel", "note.txt")
    assert os.path.isfile(pkg_resources.resource_filename("parcel", "note.txt"))
    assert pkg_resources.load_entry_point("setuptools", "distutils.commands", "build").__name__ == "build"
    from oxidized_importer import OxidizedFinder, OxidizedPkgResourcesProvider, register_pkg_resources

    finder = OxidizedFinder()
    files = {"file.txt": b"f", "sub/deep.txt": b"d"}
    metadata = {"METADATA": b"Name: held\nVersion: 4\n", "entry_points.txt": b"[g]\nn = held:x\n"}
    finder.add_resource(resource("held", b"", is_package=True, in_memory_package_resources=files, in_memory_distribution_resources=metadata))
    sys.meta_path.insert(0, finder)
    register_pkg_resources()
    register_pkg_resources()
    provider = pkg_resources.get_provider("held")
    assert isinstance(provider, OxidizedPkgResourcesProvider) and provider.has_metadata("METADATA")
    assert list(provider.get_metadata_lines("METADATA")) == ["Name: held", "Version: 4"]
    assert pkg_resources.resource_string("held", "file.txt") == b"f" and pkg_resources.resource_isdir("held", "sub")
    assert pkg_resources.resource_listdir("held", "sub") == ["deep.txt"]
    assert "no file name" in raised(NotImplementedError, pkg_resources.resource_filename, "held", "file.txt")
    raised(OSError, pkg_resources.resource_stream, "held", "missing")
    raised(NotImplementedError, provider.run_script, "x", {})
    sys.path_hooks.insert(0, finder.path_hook)
    sys.path_importer_cache.clear()
    (one,) = pkg_resources.find_distributions(finder.path_hook_base_str)
    assert (one.project_name, one.version, list(one.get_entry_map("g"))) == ("held", "4", ["n"])
    assert list(pkg_resources.find_distributions(f"{finder.path_hook_base_str}/held")) == []


def distutils():
    """What setuptools' .pth file does at the start of an environment."""
    import distutils.command.build

    assert "setuptools" in distutils.__file__, distutils.__file__


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("done")
