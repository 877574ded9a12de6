# One file for several systems.
def is_windows():
    return "windows" in BUILD_TARGET_TRIPLE

def make_exe():
    dist = default_python_distribution(flavor = "standalone_dynamic")
    policy = dist.make_python_packaging_policy()
    policy.allow_in_memory_shared_library_loading = True
    config = dist.make_python_interpreter_config()
    config.run_command = "import sys; print(sys.platform)"
    exe = dist.to_python_executable("windows", policy, config)
    exe.windows_runtime_dlls_mode = "always"
    exe.windows_subsystem = "console" if VARS.get("CONSOLE") else "windows"
    if is_windows():
        exe.windows_subsystem = "console"
    return exe

register_target("exe", make_exe)
resolve_targets()
