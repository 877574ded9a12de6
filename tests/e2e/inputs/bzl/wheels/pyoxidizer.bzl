# Wheels, one of them with an extension module.
def make_exe():
    dist = default_python_distribution(python_version = "3.10")
    config = dist.make_python_interpreter_config()
    config.run_module = "six"
    config.run_module = None
    config.run_command = "import markupsafe._speedups, six; print(six.text_type(markupsafe.escape('<b>')))"
    exe = dist.to_python_executable(name = "wheels", config = config)
    exe.add_python_resources(exe.pip_install(["--upgrade", "markupsafe==3.0.2"]))
    for resource in exe.pip_download(["six==1.17.0"]):
        exe.add_python_resource(resource)
    return exe

register_target("exe", make_exe)
resolve_targets()
