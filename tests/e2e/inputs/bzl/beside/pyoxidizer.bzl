# Resources that lie beside the executable.
def make_exe():
    dist = default_python_distribution()
    policy = dist.make_python_packaging_policy()
    policy.resources_location = "filesystem-relative:lib"
    config = dist.make_python_interpreter_config()
    config.run_module = "main"
    exe = dist.to_python_executable(name = "beside", packaging_policy = policy, config = config)
    exe.add_python_resources(exe.pip_install(["markupsafe==3.0.2"]))
    for resource in exe.read_package_root(CWD, ["main", "plugin"]):
        if type(resource) == "PythonModuleSource" and resource.name == "main":
            resource.add_location = "in-memory"
        exe.add_python_resource(resource)
    exe.add_python_resource(exe.make_python_module_source("made", "TEXT = 'made'\n", False))
    return exe

register_target("exe", make_exe)
resolve_targets()
