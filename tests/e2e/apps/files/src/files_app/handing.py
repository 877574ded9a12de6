"""Handing files to other programs, and running programs that are such files."""

import errno
import os
import subprocess
import sys
import threading

import certifi

from files_app.places import CONTENT, DATA, MACOS, NATIVE, SCRATCH, TEXT, fails, same


def _output(line, **keywords):
    keywords.setdefault("errors", "surrogateescape")
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **keywords)
    same((done.returncode, done.stderr), (0, ""))
    return done.stdout


def check_argument():
    same(_output(["cat", TEXT, DATA / "empty", TEXT]), CONTENT * 2)
    same(_output(["/bin/cat", os.fsencode(TEXT)]), CONTENT)
    same(_output(["cat", TEXT], close_fds=False), CONTENT)
    same(_output(["cat", TEXT], env={"PATH": os.environ["PATH"]}), CONTENT)
    same(_output(["cat", TEXT], preexec_fn=lambda: None), CONTENT)
    same(_output(["cat", TEXT], cwd="/"), CONTENT)
    same(_output(["cat", TEXT], start_new_session=True), CONTENT)
    same(_output(["sh", "-c", 'cat "$1" "$1"', "sh", TEXT]), CONTENT * 2)
    same(_output(["sh", "-c", 'exec 3< /dev/null 4< /dev/null; cat "$1"', "sh", TEXT]), CONTENT)


def check_argument_read_twice():
    """Each who opens it reads from its beginning, also together with others."""
    line = 'exec 3< "$1"; read -r first <&3; cat "$1"; cat <&3; sh -c \'cat "$1"\' sh "$1"'
    same(_output(["sh", "-c", line, "sh", TEXT]), CONTENT + CONTENT.partition("\n")[2] + CONTENT)


def check_argument_big():
    same(len(_output(["cat", DATA / "big.bin"], errors="replace")) > 1_000_000, True)


def check_option_argument():
    same(_output(["dd", f"if={TEXT}", "status=none"]), CONTENT)
    same(_output(["grep", f"--file={DATA}/deep/deeper/note.txt", "--count", "-e", "x"], input="deep\n"), "1\n")


def check_environment():
    same(_output(["sh", "-c", 'cat "$WHERE"'], env={**os.environ, "WHERE": str(TEXT)}), CONTENT)
    os.environ["FILES_WHERE"] = str(TEXT)
    same(_output(["sh", "-c", 'cat "$FILES_WHERE"; sh -c \'cat "$FILES_WHERE"\'']), CONTENT * 2)
    same(os.environ.pop("FILES_WHERE"), str(TEXT))


def check_openssl():
    same(_output(["openssl", "crl2pkcs7", "-nocrl", "-certfile", certifi.where(), "-out", SCRATCH / "all.p7"]), "")
    same((SCRATCH / "all.p7").stat().st_size > 100_000, True)


def check_what_is_not_a_file_stays():
    """Folders, missing files, parts of words: handed over as they are."""
    line = [str(DATA), f"{DATA}/missing", f"x{TEXT}", f"{TEXT}x", "=", f"a={DATA}"]
    same(_output(["printf", "%s\n", *line]).splitlines(), line)
    same(_output(["printf", "%s", sys.executable]), sys.executable)
    same(_output(["env", "-i", f"A={DATA}", "printenv", "A"]), f"{DATA}\n")


def check_self_gets_paths():
    """This executable itself understands its paths, also behind another program."""
    code = "import sys; sys.stdout.reconfigure(errors='surrogateescape'); print(sys.argv[1], open(sys.argv[1]).read(), end='')"
    expected = f"{TEXT} {CONTENT}"
    same(_output([sys.executable, "-I", "-c", code, TEXT]), expected)
    same(_output(["nice", sys.executable, "-I", "-c", code, TEXT]), expected)
    os.symlink(sys.executable, SCRATCH / "self")
    same(_output([SCRATCH / "self", "show", TEXT]), CONTENT)


def check_posix_spawn():
    for spawn in (os.posix_spawn, os.posix_spawnp):
        read, write = os.pipe()
        before = set(os.listdir("/dev/fd"))
        pid = spawn("/bin/cat", ["cat", TEXT], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)])
        same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        same(set(os.listdir("/dev/fd")), before)
        os.close(write)
        same(os.read(read, 1000).decode(), CONTENT)
        os.close(read)


def check_posix_spawn_opens():
    before = set(os.listdir("/dev/fd"))
    read, write = os.pipe()
    actions = [(os.POSIX_SPAWN_OPEN, 0, TEXT, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, write, 1)]
    pid = os.posix_spawn("/bin/cat", ["cat"], os.environ, file_actions=actions)
    same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    os.close(write)
    same(os.read(read, 1000).decode(), CONTENT)
    os.close(read)
    same(set(os.listdir("/dev/fd")), before)


def _forked(call):
    """What a forked child writes before and after it becomes another program by ``call``."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(write, 1)
            call()
        finally:
            os._exit(99)
    os.close(write)
    with os.fdopen(read) as stream:
        text = stream.read()
    same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    return text


def check_exec_family():
    same(_forked(lambda: os.execv("/bin/cat", ["cat", TEXT])), CONTENT)
    same(_forked(lambda: os.execvp("cat", ["cat", TEXT])), CONTENT)
    same(_forked(lambda: os.execve("/bin/cat", ["cat", TEXT], {})), CONTENT)
    same(_forked(lambda: os.execvpe("cat", ["cat", TEXT], os.environ)), CONTENT)
    same(_forked(lambda: os.execl("/bin/cat", "cat", str(TEXT))), CONTENT)
    if not MACOS:  # which has no fexecve
        same(_forked(lambda: os.execve(os.open("/bin/cat", os.O_RDONLY), ["cat", TEXT], {})), CONTENT)
    same(os.spawnv(os.P_WAIT, "/bin/grep", ["grep", "-q", "second", str(TEXT)]), 0)


def _is_handed(path):
    """Whether it is what another program gets for TEXT."""
    return path.endswith("/files_app/data/text.txt") if MACOS else path.startswith("/proc/self/fd/")


def check_run_program():
    """A program among the data."""
    same(_output([NATIVE / "program", "a", "b"]), "program: a b\n")
    name, given, last = _output([NATIVE / "program", TEXT, "b"]).split()
    same((name, _is_handed(given), last), ("program:", True, "b"))
    same(_output(["program"], env={"PATH": f"/nowhere:{NATIVE}"}), "program:\n")
    pid = os.posix_spawn(NATIVE / "program", ["program"], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    same(_forked(lambda: os.execv(NATIVE / "program", ["program", "x"])), "program: x\n")
    if not MACOS:
        same(_forked(lambda: os.execve(os.open(NATIVE / "program", os.O_RDONLY), ["program", "y"], {})), "program: y\n")
    fails(errno.EACCES, subprocess.run, [TEXT])
    fails(errno.ENOENT, subprocess.run, [DATA / "missing"])
    fails(errno.EACCES, subprocess.run, [DATA])


def check_run_script():
    same(_output([NATIVE / "script", "one"]), "script: one\n")
    name, given = _output([NATIVE / "script", TEXT]).split()
    same((name, _is_handed(given)), ("script:", True))


def check_run_python_script():
    """A script for the Python of its environment, which is this executable."""
    for line in ([NATIVE / "tool", "one", TEXT], ["tool", "one", TEXT]):
        environment = {**os.environ, "PATH": f"{NATIVE}:{os.environ['PATH']}"}
        same(_output(line, env=environment), f"tool {NATIVE / 'tool'} {['one', str(TEXT)]} {CONTENT}")


def check_threads_start_children():
    """Many at once: nothing is shared that one could take from the other."""
    failures = []

    def run():
        try:
            for _ in range(5):
                same(_output(["cat", TEXT, DATA / "deep" / "deeper" / "note.txt"]), CONTENT + "deep\n")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(failures, [])


def check_no_leak():
    """A child leaves no memory and no descriptor behind."""

    def size():
        maps = 0 if MACOS else open("/proc/self/maps", "rb").read().count(b"\n")
        return maps, len(os.listdir("/dev/fd"))

    _output(["cat", DATA / "big.bin"], errors="replace")
    before = size()
    for _ in range(20):
        _output(["cat", TEXT, DATA / "tree.xml"])
    after = size()
    assert after[1] == before[1] and after[0] <= before[0] + 5, (before, after)


def check_working_folder():
    """A folder of these cannot be another program's working folder: said at once."""
    fails(errno.ENOTDIR, subprocess.run, ["pwd"], cwd=DATA)
