# What surrounds the file, and what the command line says.
DEBUG = VARS.get("DEBUG", "no") == "yes"

def settings():
    return {
        "app": VARS.get("APP_NAME", "variables"),
        "debug": DEBUG,
        "triple": BUILD_TARGET_TRIPLE,
        "linux": "linux" in BUILD_TARGET_TRIPLE,
        "file": CONFIG_PATH.split("/")[-1],
        "below": CONFIG_PATH.startswith(CWD),
        "context": type(CONTEXT),
        "home": VARS["HOME_OF"] if "HOME_OF" in VARS else None,
    }

def make_exe():
    values = settings()
    dist = default_python_distribution(build_target = BUILD_TARGET_TRIPLE)
    config = dist.make_python_interpreter_config()
    config.run_command = "print(" + repr(values) + ")"
    return dist.to_python_executable(name = values["app"], config = config)

register_target("exe", make_exe)
set_build_path("out")
resolve_targets()
