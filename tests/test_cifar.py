"""CIFAR-10 in its binary format: on small archives, written here, with all that can be wrong with them."""

import hashlib
import io
import tarfile

import numpy as np
import pytest

from course_lib import _fetch, cifar
from course_lib.datasets import Pictures, cifar10

RECORDS = np.random.default_rng(0).integers(0, 256, (18, 3073)).astype("u1")
RECORDS[:, 0] = np.arange(18) % 10
RECORDS[0, 1:3] = 0, 255
FILES = {name: RECORDS[3 * k : 3 * k + 3].tobytes() for k, name in enumerate(cifar.FILES)}


def archive(path, files=FILES, extra=()):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in [*((f"cifar-10-batches-bin/{n}", c) for n, c in files.items()), *extra]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Let a file hold three records, and COURSE_DATA be an empty folder."""
    monkeypatch.setattr(cifar, "EXAMPLES", 3)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    return tmp_path


def whole(parts, validation):
    assert [len(part) for part in parts] == [15 - validation, validation, 3]
    X, y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("X", "y"))
    np.testing.assert_array_equal(X, RECORDS[:, 1:].astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(y, np.arange(18) % 10)
    assert (X.dtype, y.dtype) == (np.float32, np.int64)
    assert (parts[0].X[0, 0], parts[0].X[0, 1]) == (0, 1)


def test_the_published_archive_is_taken(folder, monkeypatch):
    (folder / "cifar10").mkdir()
    monkeypatch.setattr(cifar, "SHA256", archive(folder / "cifar10" / "cifar-10-binary.tar.gz"))
    whole(cifar10(4), 4)
    whole(cifar10(0, release=True), 0)


def test_another_archive_is_refused_unless_asked_for(folder):
    archive(folder / "cifar-10-binary.tar.gz")
    with pytest.raises(ValueError, match=r"SHA-256 of cifar-10-binary.tar.gz = .*release=False"):
        cifar10(4)
    whole(cifar10(4, release=False), 4)


def test_a_folder_of_the_same_files_is_taken_if_asked_for(folder):
    place = folder / "cifar-10-batches-bin"
    place.mkdir()
    for name, content in FILES.items():
        (place / name).write_bytes(content)
    with pytest.raises(ValueError, match="must be the published archive"):
        cifar10(4)
    whole(cifar10(14, release=False), 14)
    (place / "data_batch_4.bin").unlink()
    with pytest.raises(ValueError, match=r"files in cifar-10-batches-bin = \['data_batch_4.bin'\]"):
        cifar10(4, release=False)


def test_pictures_have_their_colours_last():
    X = np.arange(2 * 3072, dtype=np.float32).reshape(2, 3072)
    pictures = Pictures(X, np.array([3, 4]))
    assert pictures.images.shape == (2, 32, 32, 3)
    np.testing.assert_array_equal(pictures.images[1, 2, 5], 3072 + 2 * 32 + 5 + np.array([0, 1024, 2048]))
    assert (len(pictures), repr(pictures)) == (2, "<2 pictures of 32 × 32 pixels>")
    assert not pictures.X.flags.writeable
    assert not pictures.y.flags.writeable
    assert len(cifar.CLASSES) == 10


def spoiled(name, content):
    return FILES | {name: content}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            spoiled("data_batch_2.bin", FILES["data_batch_2.bin"][:-1]),
            r"like data_batch_1.bin = 9218: must be 3 rec",
        ),
        (spoiled("test_batch.bin", FILES["test_batch.bin"][:3073]), "length of a file like test_batch.bin"),
        (spoiled("test_batch.bin", b"\x0a" + FILES["test_batch.bin"][1:]), "= 10: must be 0 to 9"),
        ({name: FILES[name] for name in list(FILES)[1:]}, r"\['data_batch_1.bin'\]: must be there"),
        (spoiled("data_batch_1.bin", FILES["data_batch_1.bin"] + b"x"), "must be at most 9,219 bytes"),
    ],
)
def test_other_content_is_refused(folder, files, message):
    archive(folder / "cifar-10-binary.tar.gz", files)
    with pytest.raises(ValueError, match=message):
        cifar10(4, release=False)


def test_an_unsafe_archive_is_refused(folder):
    archive(folder / "cifar-10-binary.tar.gz", extra=[("cifar-10-batches-bin/../../evil", b"")])
    with pytest.raises(ValueError, match="must be inside the archive's folder"):
        cifar10(4, release=False)
    archive(folder / "cifar-10-binary.tar.gz", extra=[(f"cifar-10-batches-bin/{k}", b"") for k in range(95)])
    with pytest.raises(ValueError, match="must be at most 100"):
        cifar10(4, release=False)
    extra = [(f"cifar-10-batches-bin/more{k}", bytes(9219)) for k in range(5)]
    archive(folder / "cifar-10-binary.tar.gz", extra=extra)
    with pytest.raises(ValueError, match="must be at most 92,190 bytes"):
        cifar10(4, release=False)


def test_bad_arguments_are_explained(folder):
    archive(folder / "cifar-10-binary.tar.gz")
    for validation in (15, -1, 2.5):
        with pytest.raises(ValueError, match=f"validation = {validation}"):
            cifar10(validation, release=False)
    with pytest.raises(ValueError, match="release = 1"):
        cifar10(release=1)


def test_it_is_downloaded_once_checked_and_kept(monkeypatch, tmp_path):
    sums = archive(tmp_path / "cifar-10-binary.tar.gz")
    content, asked = (tmp_path / "cifar-10-binary.tar.gz").read_bytes(), []

    class Downloader:
        def __init__(self, timeout):
            assert timeout == _fetch.TIMEOUT

        def __call__(self, address, output, _):
            asked.append(address)
            with open(output, "wb") as file:
                file.write(content)

    monkeypatch.setattr("pooch.HTTPDownloader", Downloader)

    def user_cache_dir(name, author):
        assert author is False  # else Windows would put an author's folder above the course's
        return str(tmp_path / "cache" / name)

    monkeypatch.setattr(_fetch.platformdirs, "user_cache_dir", user_cache_dir)
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setattr(cifar, "EXAMPLES", 3)
    with pytest.raises(ValueError, match="The server has something else"):
        cifar10(4)
    place = tmp_path / "cache" / "course_lib" / "cifar10"
    assert list(place.iterdir()) == []
    monkeypatch.setattr(cifar, "SHA256", sums)
    whole(cifar10(4), 4)
    whole(cifar10(4), 4)
    assert asked == [f"{cifar.SOURCES[0]}cifar-10-binary.tar.gz"] * 2
    assert [path.name for path in place.iterdir()] == ["cifar-10-binary.tar.gz"]
