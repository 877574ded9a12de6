# A project with a pyproject.toml, installed as it is; tests of packages are taken.
def make_exe():
    dist = default_python_distribution()
    policy = dist.make_python_packaging_policy()
    policy.include_test = True
    policy.file_scanner_emit_files = True
    policy.allow_files = True
    config = dist.make_python_interpreter_config()
    config.run_command = "from teller.__main__ import main; main()"
    exe = dist.to_python_executable(name = "teller", packaging_policy = policy, config = config)
    exe.add_python_resources(exe.pip_install([CWD]))
    return exe

register_target("exe", make_exe)
resolve_targets()
