"""importlib.metadata: real distributions, found by name and by path."""

import importlib.metadata as metadata
import os
import sys

import alpha

from contract import told

ROOT = os.path.dirname(os.path.dirname(alpha.__file__))


def fields():
    for name in ("alpha", "beta", "lines"):
        one = metadata.distribution(name)
        print(isinstance(one, metadata.Distribution), one.name, one.version, one.metadata["Name"], one.requires)
        print("   ", one.metadata.get_all("Classifier"), one.metadata.json.get("summary"), metadata.version(name))
        print("   ", one.read_text("METADATA").splitlines()[0], one.read_text("nowhere"), one.locate_file("alpha"))
        for file in sorted(one.files):
            if file.parts[-1] != "RECORD" and file.suffix != ".pyc":
                print("   ", file, file.hash, file.size, file.locate(), len(file.read_binary()), file.dist is one)
    print(metadata.files("alpha") == metadata.distribution("alpha").files, metadata.requires("beta"))
    print(metadata.metadata("alpha")["Summary"], told(metadata.distribution, "missing"), told(metadata.version, ""))


def entry_points():
    for one in sorted(metadata.entry_points(group="contract.plugins"), key=lambda one: one.name):
        print(one.name, one.value, one.group, one.module, one.attr, one.extras, one.dist.name, one.load())
    (command,) = metadata.entry_points(name="alpha-command")
    print(command, command.load()())
    print(sorted(metadata.distribution("alpha").entry_points.groups), metadata.entry_points(group="missing"))


def found():
    print(sorted(one.name for one in metadata.distributions() if one.name in {"alpha", "beta", "lines", "mute"}))
    for context in ({"name": "alpha"}, {"name": "Alpha"}, {"name": "missing"}, {"path": [ROOT], "name": "beta"}, {"path": []}):
        print(context.get("name"), [one.name for one in metadata.distributions(**context)])
    print(sorted(one.name for one in metadata.distributions(path=[ROOT]) if one.name != "pip"))
    context = metadata.DistributionFinder.Context(name="beta")
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_distributions")]
    print([one.version for finder in finders for one in finder.find_distributions(context)])
    print([one.version for one in metadata.MetadataPathFinder.find_distributions(context)])
    print(metadata.Distribution.from_name("alpha").version, [d.name for d in metadata.Distribution.discover(name="beta")])
    packages = metadata.packages_distributions()
    print(packages["alpha"], sorted(packages["shared"]), packages["beta"], packages.get("os"))
    print(metadata.Distribution.at(os.path.join(ROOT, "alpha-1.0.dist-info")).version)
