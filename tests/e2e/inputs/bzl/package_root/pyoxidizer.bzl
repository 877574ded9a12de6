# A package below src, with data, read by importlib.resources; one module is made here.
def make_exe():
    dist = default_python_distribution()
    policy = dist.make_python_packaging_policy()
    policy.include_non_distribution_sources = False
    config = dist.make_python_interpreter_config()
    config.run_module = "greeter"
    exe = dist.to_python_executable(name = "greeter", packaging_policy = policy, config = config)
    exe.add_python_resources(exe.read_package_root(
        path = CWD + "/src",
        packages = ["greeter"],
    ))
    return exe

register_target("exe", make_exe)
resolve_targets()
