# Targets that depend on others, one function for several of them, values that are not built.
def make_dist():
    return default_python_distribution()

def make_settings():
    return {"name": "targets", "text": "one"}

def make_exe(dist, settings):
    config = dist.make_python_interpreter_config()
    config.run_command = "print('" + settings["text"] + "')"
    return dist.to_python_executable(name = settings["name"], config = config)

def make_other():
    dist = resolve_target("dist")
    settings = resolve_target("settings")
    return make_exe(dist, {"name": "other", "text": settings["text"] + " and another"})

def make_install():
    manifest = FileManifest()
    manifest.add_manifest(resolve_target("exe").to_file_manifest("bin"))
    manifest.add_python_resource("bin", resolve_target("other"))
    return manifest

for name, function, depends in [
    ("dist", make_dist, None),
    ("settings", make_settings, []),
    ("exe", make_exe, ["dist", "settings"]),
    ("other", make_other, None),
]:
    register_target(name, function, depends = depends)
register_target("install", make_install, default = True)
resolve_targets()
