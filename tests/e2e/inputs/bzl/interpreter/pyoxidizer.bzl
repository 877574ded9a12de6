# Fields of the interpreter's configuration.
def make_exe():
    dist = default_python_distribution()
    config = dist.make_python_interpreter_config()
    config.config_profile = "isolated"
    config.allocator_backend = "mimalloc"
    config.development_mode = True
    config.hash_seed = 7
    config.buffered_stdio = False
    config.fault_handler = True
    config.warn_options = ["ignore::ResourceWarning"]
    config.x_options = ["cli=yes"]
    config.sys_meipass = True
    config.sys_frozen = False
    config.optimization_level = 1
    config.bytes_warning = "warn"
    config.module_search_paths = ["$ORIGIN/plugins"]
    paths = config.module_search_paths
    paths.append("$ORIGIN/more")
    config.module_search_paths = paths
    config.utf8_mode = True
    config.quiet = True
    config.program_name = "somebody-else"
    config.run_filename = "show.py"
    return dist.to_python_executable(name = "interpreter", config = config)

register_target("exe", make_exe)
resolve_targets()
