# A project with a setup.py, and what it requires.
def make_exe():
    dist = default_python_distribution()
    config = dist.make_python_interpreter_config()
    config.run_module = "pieces"
    exe = dist.to_python_executable(name = "pieces", config = config)
    exe.add_python_resources(exe.setup_py_install(package_path = CWD))
    return exe

register_target("exe", make_exe)
resolve_targets()
