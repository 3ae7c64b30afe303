"""Archives from elsewhere: what is read, and all that is refused without a trace on the disk."""

import gzip
import io
import re
import tarfile

import pytest

from course_lib._archive import members

WANTED = re.compile(r"set/\w+\.txt")
LIMITS = {"largest": 100, "total": 1000, "count": 5}


def packed(path, *entries, mode="w:gz"):
    """Write an archive of (name, content) pairs, or of ready TarInfo objects."""
    with tarfile.open(path, mode) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            archive.addfile(info, io.BytesIO(entry[1]))
    return path


def kind(name, type_, **fields):
    info = tarfile.TarInfo(name)
    info.type = type_
    for field, value in fields.items():
        setattr(info, field, value)
    return info


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_wanted_files_come_in_their_order_whatever_the_compression(tmp_path, mode):
    folder = kind("set", tarfile.DIRTYPE)
    entries = folder, ("set/b.txt", b"B" * 100), ("set/x.bin", b"no"), ("set/a.txt", b""), ("b.txt", b"no")
    found = list(members(packed(tmp_path / "a.tar", *entries, mode=mode), WANTED, **LIMITS))
    assert found == [("set/b.txt", b"B" * 100), ("set/a.txt", b"")]
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([("../set/a.txt", b"")], "member of a.tar = '../set/a.txt': must be inside"),
        ([("set/../../a.txt", b"")], "must be inside the archive's folder"),
        ([("/set/a.txt", b"")], "must be inside the archive's folder"),
        ([("set\\..\\a.txt", b"")], "must be inside the archive's folder"),
        ([kind("set/a.txt", tarfile.SYMTYPE, linkname="/etc/passwd")], "must be a plain file or folder"),
        ([kind("set/a.txt", tarfile.LNKTYPE, linkname="set/b.txt")], "must be a plain file or folder"),
        ([kind("set/a.txt", tarfile.CHRTYPE)], "must be a plain file or folder"),
        ([kind("set/a.txt", tarfile.FIFOTYPE)], "must be a plain file or folder"),
        ([("set/a.txt", b"1"), ("set/a.txt", b"2")], "must be there once"),
        ([("set/a.txt", bytes(101))], "size of set/a.txt = 101: must be at most 100 bytes"),
        ([("set/x.bin", bytes(101))], "size of set/x.bin = 101"),
        ([(f"set/{k}.txt", bytes(100)) for k in range(6)], "members of a.tar = 6: must be at most 5"),
        ([("set/a.txt", b"x"), ("../b", b"")], r"member of a.tar = '../b'"),
    ],
)
def test_what_looks_hostile_is_refused(tmp_path, entries, message):
    path = packed(tmp_path / "a.tar", *entries)
    with pytest.raises(ValueError, match=re.escape(message)):
        list(members(path, WANTED, **LIMITS))
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


def test_a_small_archive_that_holds_much_is_refused_before_it_is_unpacked(tmp_path):
    path = packed(tmp_path / "bomb.tar", *((f"set/{k}.txt", bytes(90_000_000)) for k in range(2)))
    assert path.stat().st_size < 1_000_000
    limits, read = {"largest": 100_000_000, "total": 170_000_000, "count": 5}, []
    message = "size of bomb.tar, unpacked, = 180000000: must be at most 170,000,000"
    with pytest.raises(ValueError, match=re.escape(message)):
        read.extend((name, len(content)) for name, content in members(path, WANTED, **limits))
    assert read == [("set/0.txt", 90_000_000)]
    exactly = {"largest": 100, "total": 100, "count": 1}
    full = packed(tmp_path / "full.tar", ("set/a.txt", bytes(100)))
    assert len(list(members(full, WANTED, **exactly))) == 1


def test_what_follows_the_end_of_the_archive_counts_too(tmp_path):
    path = packed(tmp_path / "a.tar", ("set/a.txt", b"x"))
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + bytes(3_000_000)))
    assert len(list(members(path, WANTED, largest=1, total=4_000_000, count=1))) == 1
    with pytest.raises(ValueError, match=r"size of a.tar, unpacked, = \d+: must be at most 2,010,240"):
        list(members(path, WANTED, largest=1, total=2_000_000, count=1))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_truncated_archive_is_refused(tmp_path, mode):
    entries = [(f"set/{k}.txt", bytes(range(100))) for k in range(5)]
    path = packed(tmp_path / "a.tar", *entries, mode=mode)
    whole = path.read_bytes()
    path.write_bytes(whole[: 550 if mode == "w" else len(whole) // 2])
    with pytest.raises(ValueError, match=r"a.tar: must be a whole tar archive. Get the archive again"):
        list(members(path, WANTED, **LIMITS))


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08" + bytes(50), bytes(40)])
def test_what_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="must be a whole tar archive"):
        list(members(path, WANTED, **LIMITS))


def test_a_flipped_byte_is_noticed(tmp_path):
    path = packed(tmp_path / "a.tar", *((f"set/{k}.txt", bytes(range(100))) for k in range(5)))
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # in the checksum of gzip
    path.write_bytes(content)
    with pytest.raises(ValueError, match="must be a whole tar archive"):
        list(members(path, WANTED, **LIMITS))
