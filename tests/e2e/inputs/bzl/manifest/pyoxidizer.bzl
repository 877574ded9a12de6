# Files beside the executable.
def make_exe():
    dist = default_python_distribution()
    config = dist.make_python_interpreter_config()
    config.run_command = "import sys, pathlib; print((pathlib.Path(sys.executable).parent.parent / 'share/about.txt').read_text())"
    return dist.to_python_executable(name = "manifest", config = config)

def make_install(exe):
    files = FileManifest()
    files.add_manifest(glob(["share/**/*"], exclude = ["share/**/*.tmp"]))
    files.add_python_resource("bin", exe)
    files.add_file(FileContent(filename = "start", content = "#!/bin/sh\nexec \"$(dirname \"$0\")/bin/manifest\"\n", executable = True))
    files.add_file(FileContent(path = "LICENSE"), directory = "share/licences")
    files.add_path(CWD + "/share/icons/app.svg", strip_prefix = CWD + "/share")
    about = files.get_file("share/about.txt")
    about.filename = "ABOUT"
    files.add_file(about)
    files.remove("share/obsolete.txt")
    for module in exe.read_package_root(CWD, ["helper"]):
        files.add_python_resource("lib", module)
    print(files.paths())
    files.install("copy")
    return files

register_target("exe", make_exe)
register_target("install", make_install, depends = ["exe"], default = True)
resolve_targets()
