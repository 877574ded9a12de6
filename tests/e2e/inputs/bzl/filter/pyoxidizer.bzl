# Only what lists name.
def make_exe():
    dist = default_python_distribution()
    config = dist.make_python_interpreter_config()
    config.run_module = "tool"
    exe = dist.to_python_executable(name = "filter", config = config)
    exe.add_python_resources(exe.read_package_root(CWD, ["tool"]))
    stdlib = [r.name for r in dist.python_resources() if type(r) == "PythonModuleSource" and not r.name.startswith("json")]
    FileContent(filename = "stdlib.list", content = "# the standard library\n" + "\n".join(stdlib)).write_to_directory("lists")
    exe.filter_resources_from_files(files = ["tool.list"], glob_files = ["build/lists/*.list"])
    return exe

register_target("exe", make_exe)
resolve_targets()
