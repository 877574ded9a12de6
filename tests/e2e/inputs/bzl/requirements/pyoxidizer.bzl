# A requirements file, and a module of one's own beside it.
def make_exe():
    dist = default_python_distribution()
    config = dist.make_python_interpreter_config()
    config.run_module = "shout"
    exe = dist.to_python_executable(name = "shout", config = config)
    exe.add_python_resources(exe.pip_install(["-r", "requirements.txt"]))
    exe.add_python_resources(exe.read_package_root(path = CWD, packages = ["shout"]))
    return exe

register_target("exe", make_exe)
resolve_targets()
