# A policy's settings, and a function that looks at every resource.
EXCLUDED = ["app.secret", "wave"]
SEEN = {}

def resource_callback(policy, resource):
    SEEN[type(resource)] = SEEN.get(type(resource), 0) + 1
    if type(resource) == "PythonModuleSource":
        if resource.name in EXCLUDED:
            resource.add_include = False
    elif type(resource) == "PythonPackageResource" and resource.name.endswith(".bin"):
        resource.add_include = False
    if hasattr(resource, "is_stdlib") and resource.is_stdlib:
        resource.add_source = False

def make_exe():
    dist = default_python_distribution()
    policy = dist.make_python_packaging_policy()
    policy.extension_module_filter = "no-copyleft"
    policy.include_distribution_sources = False
    policy.include_test = False
    policy.resources_location_fallback = "filesystem-relative:lib"
    policy.bytecode_optimize_level_two = True
    policy.register_resource_callback(resource_callback)
    config = dist.make_python_interpreter_config()
    config.run_module = "app"
    config.optimization_level = 2
    exe = dist.to_python_executable(name = "callback", packaging_policy = policy, config = config)
    exe.add_python_resources(exe.read_package_root(CWD, ["app"]))
    exe.add_python_resources([
        resource
        for resource in exe.pip_install(["six==1.17.0"])
        if type(resource) != "PythonPackageDistributionResource"
    ])
    print("seen", sorted(SEEN.keys()))
    return exe

register_target("exe", make_exe)
resolve_targets()
