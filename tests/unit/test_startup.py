"""What .pth files ask for, by site's rules."""

from oxcross.collect import startup
from oxcross.collect.startup import Line
from oxcross.pack.codec import Encoder, Payload
from oxcross.pack.resources import File, Module, Resources

NAMESPACE = (
    "import sys, types, os;has_mfs = sys.version_info > (3, 5);"
    "p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('google',));m = None"
)


def resources(**files: str) -> Resources:
    made = Resources()
    for name, text in {"extra/module.py": "", "deep/er/x.txt": "", **files}.items():
        made.add_file(File(name, Payload.raw(text.encode())))
    return made


def test_folders_and_lines_in_the_order_of_names() -> None:
    found = startup.of(
        resources(
            **{
                "b.pth": "\ufeffdeep/er\nextra\n",
                "a.pth": "# a comment\n\nextra/ \nimport one\nimport\ttwo; two.start()  \n",
                "below/c.pth": "deep\n",
            }
        ),
        "linux",
    )
    assert found.paths == ["extra", "deep/er"]
    assert found.lines == [Line("a.pth", 4, "import one"), Line("a.pth", 5, "import\ttwo; two.start()")]
    assert found.warnings == []


def test_what_is_not_inside_is_told() -> None:
    found = startup.of(resources(**{"a.pth": "nowhere\n/usr/lib/python3\n.\nimportant\n"}), "linux")
    assert found.paths == []
    assert [warning.partition(" is not")[0] for warning in found.warnings] == [
        "a.pth:1: nowhere",
        "a.pth:2: /usr/lib/python3",
        "a.pth:4: important",
    ]


def test_namespace_packages_need_no_line() -> None:
    found = startup.of(resources(**{"google-nspkg.pth": NAMESPACE}), "linux")
    assert (found.paths, found.lines, found.warnings) == ([], [], [])


def test_a_folder_of_modules_without_sources() -> None:
    made = Resources()
    made.add_module(Module("inner.one", "inner/one.py", Payload.raw(b"code")))
    made.add_file(File("x.pth", Encoder("zstd").payload(b"inner\n" * 99)))
    assert startup.of(made, "linux").paths == ["inner"]


def test_folders_as_windows_names_them() -> None:
    """As pywin32.pth does; the executable's folder is written as it is."""
    made = resources(**{"win32/lib/a.py": "", "a.pth": "Extra\r\nwin32\\Lib\r\nnowhere\\x\r\nC:\\Python\r\n"})
    found = startup.of(made, "windows")
    assert found.paths == ["extra", "win32/lib"]
    assert [warning.partition(" is not")[0] for warning in found.warnings] == [
        "a.pth:3: nowhere\\x",
        "a.pth:4: C:\\Python",
    ]
    assert len(startup.of(made, "linux").warnings) == 4
