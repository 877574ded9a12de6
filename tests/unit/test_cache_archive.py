"""Archives of trees: the same bytes for the same tree, back to the same tree, and nothing else gets out of one."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcross import trees
from oxcross.cache import archive
from oxcross.cache.statement import Untrue

Row = tuple[tarfile.TarInfo, bytes]


def tree(folder: Path) -> Path:
    """Of all there may be: an executable, links, empty folders, long names, names that are no ASCII."""
    root = folder / "tree"
    deep = root / "lib" / ("a" * 120) / ("b" * 120) / "c"
    deep.mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "empty file").write_bytes(b"")
    (root / "bin").mkdir()
    (root / "bin" / "tool").write_bytes(b"\x7fELF" * 1000)
    (root / "bin" / "tool").chmod(0o755)
    (root / "bin" / "alias").symlink_to("tool")
    (root / "up").symlink_to("bin/../lib")
    (root / "naïve 名").write_bytes(b"x")
    (deep / "file").write_bytes(b"deep")
    trees.normalise(root)
    return root


def unpacked(data: bytes, folder: Path, size: int = 10_000, paths: int = 100) -> Path:
    (folder / "archive").write_bytes(data)
    (folder / "out").mkdir()
    archive.unpack(folder / "archive", folder / "out", size=size, paths=paths)
    return folder / "out"


def test_there_and_back(tmp_path: Path) -> None:
    root = tree(tmp_path)
    rows = trees.listing(root)
    archive.pack(root, tmp_path / "one")
    archive.pack(root, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    out = unpacked((tmp_path / "one").read_bytes(), tmp_path, trees.total_size(rows), len(rows))
    trees.normalise(out)
    assert trees.listing(out) == rows


def test_no_more_than_is_said(tmp_path: Path) -> None:
    root = tree(tmp_path)
    rows = trees.listing(root)
    archive.pack(root, tmp_path / "packed")
    for number, (size, paths) in enumerate(
        [(trees.total_size(rows) - 1, len(rows)), (trees.total_size(rows), len(rows) - 1), (0, 0)]
    ):
        (tmp_path / str(number)).mkdir()
        with pytest.raises(Untrue, match="more than is said"):
            unpacked((tmp_path / "packed").read_bytes(), tmp_path / str(number), size, paths)


def packed(*rows: Row) -> bytes:
    """An archive made by hand."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in rows:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return zstandard.compress(stream.getvalue())


def row(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", content: bytes = b"") -> Row:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, 0o6777
    return info, content


FOLDER, LINK = row("d", tarfile.DIRTYPE), row("l", tarfile.SYMTYPE, "d")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row("/etc/passwd", content=b"x")], "no place in it"),
        ([row("../x", content=b"x")], "no place in it"),
        ([FOLDER, row("d/../../x")], "no place in it"),
        ([FOLDER, row("d//x")], "no place in it"),
        ([row("./x")], "no place in it"),
        ([row("."), row("x")], "no place in it"),
        ([row("")], "no place in it"),
        ([row("nowhere/x")], "no place in it"),
        ([row("f"), row("f/x")], "no place in it"),
        ([FOLDER, LINK, row("l/x", content=b"x")], "no place in it"),
        ([row("x" * 5000)], "no place in it"),
        ([row("f", content=b"1"), row("f", content=b"2")], "a path twice"),
        ([FOLDER, FOLDER], "a path twice"),
        ([FOLDER, LINK, row("l", content=b"x")], "a path twice"),
        ([row("l", tarfile.SYMTYPE, "/etc")], "leads out"),
        ([row("l", tarfile.SYMTYPE, "..")], "leads out"),
        ([row("l", tarfile.SYMTYPE, "")], "leads out"),
        ([FOLDER, row("d/l", tarfile.SYMTYPE, "../../x")], "leads out"),
        (
            [
                FOLDER,
                row("d/e", tarfile.DIRTYPE),
                row("d/e/l", tarfile.SYMTYPE, "../.."),
                row("d/e/m", tarfile.SYMTYPE, "l/../x"),
            ],
            "leads out",
        ),
        ([row("f"), row("h", tarfile.LNKTYPE, "f")], "neither a file"),
        ([row("f", tarfile.FIFOTYPE)], "neither a file"),
        ([row("f", tarfile.CHRTYPE)], "neither a file"),
        ([row("f", tarfile.BLKTYPE)], "neither a file"),
        ([row("f", tarfile.CONTTYPE)], "neither a file"),
    ],
)
def test_what_is_refused(tmp_path: Path, rows: list[Row], said: str) -> None:
    with pytest.raises(Untrue, match=said):
        unpacked(packed(*rows), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "out"}


def test_modes_are_the_stores(tmp_path: Path) -> None:
    out = unpacked(packed(FOLDER, row("d/x", content=b"x")), tmp_path)
    assert (out / "d" / "x").stat().st_mode & 0o7777 == 0o755
    assert (out / "d").stat().st_mode & 0o7777 == 0o755


def test_a_bomb(tmp_path: Path) -> None:
    """Much is in little, before the first header ends, and behind the last."""
    zeros = bytes(50_000_000)
    header = tarfile.TarInfo("x").tobuf()
    for number, content in enumerate((b"x" * 50_000_000, packed_bomb(header, zeros))):
        (tmp_path / str(number)).mkdir()
        with pytest.raises(Untrue):
            unpacked(zstandard.compress(content), tmp_path / str(number))


def packed_bomb(header: bytes, zeros: bytes) -> bytes:
    """A pax header of fifty megabytes."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, len(zeros)
    return info.tobuf() + zeros + header


def test_a_link_out_of_the_tree_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to("/etc/passwd")
    with pytest.raises(Untrue, match="leads out of the tree"):
        archive.pack(tmp_path / "tree", tmp_path / "packed")


def harmless(data: bytes) -> None:
    """It is unpacked or refused, and in either case nothing is beside the folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "a" / "b"
        folder.mkdir(parents=True)
        try:
            out = unpacked(data, folder)
        except Untrue:
            out = folder / "out"
        assert {path.name for path in folder.iterdir()} == {"archive", "out"}
        assert [path.name for path in Path(name).iterdir()] == ["a"]
        for path in out.rglob("*"):
            assert path.is_dir() or path.is_file() or path.is_symlink()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """An archive, and the tar in it."""
    folder = tmp_path_factory.mktemp("archive")
    archive.pack(tree(folder), folder / "packed")
    data = (folder / "packed").read_bytes()
    with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(data) as stream:
        return data, stream.read()


Edits = list[tuple[int, int]]
EDITS = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=6)


def edited(data: bytes, edits: Edits, cut: int) -> bytes:
    found = bytearray(data)
    for place, byte in edits:
        found[place % len(found)] = byte
    return bytes(found[: max(1, len(found) - cut)])


@settings(deadline=None, max_examples=100)
@given(edits=EDITS, cut=st.integers(0, 600))
@pytest.mark.parametrize("repack", [lambda data: data, zstandard.compress])
def test_damage(plain: tuple[bytes, bytes], repack: Callable[[bytes], bytes], edits: Edits, cut: int) -> None:
    packed, bare = plain
    harmless(
        edited(packed, edits, cut) if repack is not zstandard.compress else repack(edited(bare, edits, cut))
    )


def checksummed(header: bytes) -> bytes:
    """A header of tar whose checksum fits."""
    total = sum(header[:148]) + 8 * 32 + sum(header[156:])
    return header[:148] + b"%06o\0 " % total + header[156:]


@settings(deadline=None, max_examples=100)
@given(edits=EDITS, number=st.integers(0, 20))
def test_damaged_headers(plain: tuple[bytes, bytes], edits: Edits, number: int) -> None:
    """Of which the checksum fits."""
    bare = plain[1]
    place = 512 * (number % (len(bare) // 512))
    header = checksummed(edited(bare[place : place + 512], edits, 0))
    harmless(zstandard.compress(bare[:place] + header + bare[place + 512 :]))


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_anything(data: bytes) -> None:
    harmless(data)
    harmless(zstandard.compress(data))
