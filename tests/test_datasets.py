"""The digits are the published ones, cannot be changed by accident, and are split once and for all.

MNIST is read from small files of its format, which a server here hands out, whole and spoiled.
"""

import dataclasses
import gzip
import hashlib
import http.server
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from course_lib import _fetch, datasets
from course_lib.datasets import Digits, digits, digits_split, mnist, read_idx

SPLIT = ["10204f491ddbb644", "9b11704c491f752a", "02fb2e1e47545487"]
"""Of labels and pixels of each part: pinned, so that results on the digits stay comparable."""


@pytest.fixture
def altered(monkeypatch, tmp_path):
    """Replace the bundled file by other bytes."""

    def write(content):
        path = tmp_path / "digits.csv.gz"
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setattr(datasets, "FILE", path)

    digits.cache_clear()
    yield write
    digits.cache_clear()


def test_shapes_types_and_ranges():
    data = digits()
    assert (data.X.shape, data.X.dtype) == ((1797, 64), np.float64)
    assert (data.y.shape, data.y.dtype) == ((1797,), np.int64)
    assert (data.X.min(), data.X.max()) == (0, 1)
    np.testing.assert_array_equal(data.X * 16, np.round(data.X * 16))
    np.testing.assert_array_equal(np.bincount(data.y), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    assert len(data) == 1797


def test_the_first_picture_is_a_zero():
    first = digits().images[0] * 16
    np.testing.assert_array_equal(first[0], [0, 0, 5, 13, 9, 1, 0, 0])
    np.testing.assert_array_equal(first[7], [0, 0, 6, 13, 10, 0, 0, 0])
    assert digits().y[0] == 0
    assert digits().images.shape == (1797, 8, 8)
    assert repr(digits()) == "<1797 digits of 8 × 8 pixels>"


def test_arrays_cannot_be_changed():
    for part in (digits(), *digits_split()):
        for array in (part.X, part.y, part.images):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_digits_are_themselves_only():
    data = digits()
    assert data != Digits(data.X, data.y)
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.X = None


def test_every_public_name_is_there():
    assert all(hasattr(datasets, name) for name in datasets.__all__)


def test_small_enough_to_be_bundled_with_its_source():
    assert datasets.FILE.stat().st_size < 100_000
    notes = datasets.FILE.with_name("README.md").read_text(encoding="utf-8")
    for fact in ("Alpaydin", "Kaynak", "10.24432/C50P49", "Attribution 4.0", datasets.SHA256, "1,797"):
        assert fact in notes


def test_split_is_complete_and_keeps_the_shares_of_the_classes():
    parts = digits_split()
    assert [len(part) for part in parts] == [1079, 359, 359]
    rows = np.concatenate([np.column_stack([part.X, part.y]) for part in parts])
    everything = np.column_stack([digits().X, digits().y])
    np.testing.assert_array_equal(rows[np.lexsort(rows.T)], everything[np.lexsort(everything.T)])
    counts = np.array([np.bincount(part.y) for part in parts])
    np.testing.assert_array_equal(counts[1], [36, 36, 35, 37, 36, 36, 36, 36, 35, 36])
    np.testing.assert_array_equal(counts[2], counts[1])


def test_split_never_changes():
    found = [
        hashlib.sha256(part.y.astype("u1").tobytes() + part.X.astype("f8").tobytes())
        for part in digits_split()
    ]
    assert [h.hexdigest()[:16] for h in found] == SPLIT


def test_split_mixes_the_classes():
    for part in digits_split():
        assert len(set(part.y[:80])) == 10
        assert (np.diff(part.y) != 0).mean() > 0.8


def test_loaded_once():
    assert digits() is digits()
    assert digits_split() is digits_split()


def good():
    return gzip.decompress(datasets.FILE.read_bytes())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: None,
        lambda: b"",
        lambda: b"not a gzip file",
        lambda: datasets.FILE.read_bytes()[:20_000],
        lambda: datasets.FILE.read_bytes()[:5000] + b"\0\0\0" + datasets.FILE.read_bytes()[5003:],
        lambda: gzip.compress(good().replace(b"16", b"15", 1)),
        lambda: gzip.compress(good() + b"0\n"),
    ],
    ids=["missing", "empty", "no gzip", "cut short", "damaged", "one pixel changed", "one line more"],
)
def test_an_altered_file_is_refused(altered, spoil):
    altered(spoil())
    with pytest.raises(ValueError, match=r"^SHA-256 of digits\.csv\.gz, .*missing or was altered: install"):
        digits()


def test_another_compression_of_the_same_content_is_accepted(altered):
    altered(gzip.compress(good(), 1))
    assert len(digits()) == 1797


def test_digits_of_ones_own():
    own = Digits(np.zeros((2, 64)), np.array([1, 2]))
    assert own.images.shape == (2, 8, 8)
    assert repr(own) == "<2 digits of 8 × 8 pixels>"


# ------------------------------------------------------------------------------- IDX files


def idx(array, kind=8):
    """Return an array as an IDX file, written independently of the parser."""
    lengths = b"".join(bytes([n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255]) for n in array.shape)
    return bytes([0, 0, kind, array.ndim]) + lengths + array.tobytes()


@pytest.mark.parametrize(
    ("kind", "dtype"), [(8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")]
)
@pytest.mark.parametrize("shape", [(3,), (300,), (2, 3), (2, 3, 4), (0, 5), (1, 1, 1, 2)])
def test_idx_files_of_every_type_and_shape(kind, dtype, shape):
    array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    found = read_idx(idx(array, kind), axes=len(shape))
    np.testing.assert_array_equal(found, array)
    assert (found.dtype, found.shape) == (array.dtype, shape)
    assert not found.flags.writeable


def test_a_long_axis():
    assert read_idx(idx(np.zeros(70_000, "u1"))).shape == (70_000,)


GOOD = idx(np.arange(6, dtype="u1").reshape(2, 3))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", r"first bytes of labels = b''"),
        (GOOD[:3], r"first bytes of labels = b'\\x00\\x00\\x08'"),
        (b"\1" + GOOD[1:], r"first bytes of labels"),
        (b"\0\1" + GOOD[2:], r"first bytes of labels"),
        (b"\0\0\7" + GOOD[3:], r"first bytes of labels"),
        (gzip.compress(GOOD, mtime=0), r"first bytes of labels"),
        (b"\0\0\x08\1" + GOOD[4:], r"number of axes of labels = 1: must be 2"),
        (GOOD[:11], r"length of labels = 11: must be at least 12 bytes"),
        (GOOD[:12], r"length of labels = 12: must be 18 bytes, as it announces"),
        (GOOD[:17], r"length of labels = 17: must be 18 bytes, as it announces"),
        (GOOD + b"\0", r"length of labels = 19: must be 18 bytes, as it announces"),
        (b"\0\0\x0c" + GOOD[3:], r"length of labels = 18: must be 36 bytes, as it announces"),
    ],
)
def test_what_is_no_idx_file_is_refused(content, text):
    with pytest.raises(ValueError, match=rf"^{text}.*right file, uncompressed and whole\?$"):
        read_idx(content, "labels", 2)


# ------------------------------------------------------------------------------- small MNIST

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 4, 4)).astype("u1")
PIXELS[0, 0, :2] = 0, 255
ANSWERS = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5], "u1")
SMALL = {
    "train-images-idx3-ubyte": idx(PIXELS[:7]),
    "train-labels-idx1-ubyte": idx(ANSWERS[:7]),
    "t10k-images-idx3-ubyte": idx(PIXELS[7:]),
    "t10k-labels-idx1-ubyte": idx(ANSWERS[7:]),
}
FIRST = "train-images-idx3-ubyte.gz"


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Let MNIST be four small files, the cache a folder of the test, and no source answer."""

    def expect(files):
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        monkeypatch.setattr(datasets, "MNIST", sums)

    expect(SMALL)
    monkeypatch.setattr(datasets, "MNIST_SOURCES", ())

    def user_cache_dir(name, author):
        assert author is False  # else Windows would put an author's folder above the course's
        return str(tmp_path / "cache" / name)

    monkeypatch.setattr(_fetch.platformdirs, "user_cache_dir", user_cache_dir)
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return expect


@pytest.fixture
def server(monkeypatch):
    """Serve what `server.files` holds; a value may be a function that writes the answer itself."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            httpd.asked.append(self.path)
            answer = httpd.files.get(self.path)
            if answer is None:
                self.send_error(404)
            elif callable(answer):
                answer(self)
            else:
                send(self, answer, len(answer))

        def log_message(self, *_):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.asked, httpd.address = [], f"http://127.0.0.1:{httpd.server_port}/"
    httpd.files = {f"/{name}.gz": gzip.compress(content, mtime=0) for name, content in SMALL.items()}
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(datasets, "MNIST_SOURCES", (httpd.address,))
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def send(handler, content, length):
    handler.send_response(200)
    if length is not None:
        handler.send_header("Content-Length", str(length))
    handler.end_headers()
    handler.wfile.write(content)


def cached(tmp_path):
    folder = tmp_path / "cache" / "course_lib" / "mnist"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def whole(parts, validation=2):
    training, _, test = parts
    assert [len(part) for part in parts] == [7 - validation, validation, 2]
    X, y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("X", "y"))
    np.testing.assert_array_equal(X, PIXELS.reshape(9, 16).astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(y, ANSWERS)
    for part in parts:
        assert (part.X.dtype, part.y.dtype) == (np.float32, np.int64)
        assert part.images.shape == (len(part), 4, 4)
        assert not part.X.flags.writeable
    assert (training.X[0, 0], training.X[0, 1]) == (0, 1)
    assert repr(test) == "<2 digits of 4 × 4 pixels>"


def test_mnist_is_downloaded_once(small, server, tmp_path):
    whole(mnist(2))
    assert server.asked == [f"/{name}.gz" for name in SMALL]
    assert cached(tmp_path) == {path[1:]: content for path, content in server.files.items()}
    server.files.clear()
    whole(mnist(0), 0)
    whole(mnist(validation=6), 6)
    assert len(server.asked) == 4


def test_the_next_source_is_asked(small, server, monkeypatch, tmp_path):
    missing, spoiled = server.address + "missing/", server.address + "spoiled/"
    server.files["/spoiled/" + FIRST] = gzip.compress(b"something else", mtime=0)
    monkeypatch.setattr(datasets, "MNIST_SOURCES", (missing, spoiled, server.address))
    whole(mnist(2))
    assert server.asked[:3] == ["/missing/" + FIRST, "/spoiled/" + FIRST, "/" + FIRST]
    assert set(cached(tmp_path)) == {path + ".gz" for path in SMALL}


PACKED = gzip.compress(SMALL["train-images-idx3-ubyte"], mtime=0)
SPOILED = {
    "cut short": PACKED[:50],
    "cut at the end": PACKED[:-1],
    "damaged": PACKED[:40] + b"\0\0\0" + PACKED[43:],
    "one pixel changed": gzip.compress(SMALL["train-images-idx3-ubyte"][:-1] + b"\0", mtime=0),
    "another file": gzip.compress(SMALL["train-labels-idx1-ubyte"], mtime=0),
    "a page": b"<html>Not here</html>",
    "empty": b"",
    "none": None,
    "interrupted": lambda handler: send(handler, PACKED[:60], len(PACKED)),
    "interrupted, length unknown": lambda handler: send(handler, PACKED[:60], None),
    "interrupted at once": lambda handler: None,
}


@pytest.mark.parametrize("answer", SPOILED.values(), ids=SPOILED)
def test_a_bad_download_is_refused_and_leaves_no_trace(small, server, tmp_path, answer):
    server.files["/" + FIRST] = answer
    with pytest.raises(
        ValueError, match=rf"^download of {FIRST} = 'failed': .*connection, or set COURSE_DATA.*http"
    ):
        mnist(2)
    assert cached(tmp_path) == {}
    server.files["/" + FIRST] = PACKED
    whole(mnist(2))


def test_a_browser_is_told_that_it_cannot_download(small, server, monkeypatch, tmp_path):
    monkeypatch.setattr(_fetch.sys, "platform", "emscripten")
    with pytest.raises(ValueError, match=rf"^download of {FIRST} = 'impossible': .*make lab"):
        mnist(2)
    assert server.asked == []
    assert cached(tmp_path) == {}


def test_a_bad_download_leaves_what_was_cached(small, server, tmp_path):
    server.files["/t10k-labels-idx1-ubyte.gz"] = b""
    with pytest.raises(ValueError, match=r"^download of t10k-labels-idx1-ubyte\.gz"):
        mnist(2)
    before = cached(tmp_path)
    assert set(before) == {f"{name}.gz" for name in list(SMALL)[:3]}
    with pytest.raises(ValueError, match=r"^download of t10k-labels-idx1-ubyte\.gz"):
        mnist(2)
    assert cached(tmp_path) == before
    assert len(server.asked) == 5


def test_an_interrupted_process_leaves_no_trace(small, server, monkeypatch, tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_fetch.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        mnist(2)
    assert cached(tmp_path) == {}


def test_no_connection(small, server, monkeypatch, tmp_path):
    monkeypatch.setattr(datasets, "MNIST_SOURCES", ("http://127.0.0.1:9/", "http://127.0.0.1:9/b/"))
    with pytest.raises(ValueError, match=rf"^download of {FIRST} = 'failed'.*:9/{FIRST}: .*:9/b/{FIRST}: "):
        mnist(2)
    assert cached(tmp_path) == {}


def test_a_silent_server_is_given_up(small, server, monkeypatch, tmp_path):
    assert _fetch.TIMEOUT == 30
    monkeypatch.setattr(_fetch, "TIMEOUT", 0.1)
    awake = threading.Event()
    server.files["/" + FIRST] = lambda handler: awake.wait(10)
    with pytest.raises(ValueError, match=rf"^download of {FIRST} = 'failed'.*[Tt]imed? ?out"):
        mnist(2)
    awake.set()
    assert cached(tmp_path) == {}


@pytest.mark.parametrize("answer", [PACKED[:50], b"", gzip.compress(b"other", mtime=0)])
def test_a_spoiled_cache_is_refused_and_left_alone(small, server, tmp_path, answer):
    whole(mnist(2))
    path = tmp_path / "cache" / "course_lib" / "mnist" / FIRST
    path.write_bytes(answer)
    with pytest.raises(
        ValueError, match=rf"^SHA-256 of {FIRST}, uncompressed, = .*Delete .*{FIRST}, and it will"
    ):
        mnist(2)
    assert path.read_bytes() == answer
    path.unlink()
    whole(mnist(2))


@pytest.mark.parametrize("place", ["mnist", "."])
@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_of_ones_own(small, server, monkeypatch, tmp_path, place, packed):
    folder = tmp_path / "own" / place
    folder.mkdir(parents=True)
    for name, content in SMALL.items():
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(content, 1, mtime=0) if packed else content)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "own"))
    whole(mnist(2))
    path.write_bytes(b"spoiled")
    with pytest.raises(
        ValueError, match=r"^SHA-256 of t10k-labels.*Replace it in .*own, or unset COURSE_DATA"
    ):
        mnist(2)
    path.unlink()
    with pytest.raises(
        ValueError, match=r"^COURSE_DATA = .*with mnist/t10k-labels-idx1-ubyte\.gz in it\. Put"
    ):
        mnist(2)
    assert server.asked == []
    assert cached(tmp_path) == {}
    monkeypatch.setenv("COURSE_DATA", "")
    whole(mnist(2))


WRONG = {
    "labels for images": (
        {"train-images-idx3-ubyte": SMALL["train-labels-idx1-ubyte"]},
        "number of axes of train-im",
    ),
    "images for labels": (
        {"t10k-labels-idx1-ubyte": SMALL["t10k-images-idx3-ubyte"]},
        "number of axes of t10k-lab",
    ),
    "wrong magic": ({"t10k-images-idx3-ubyte": b"\1\0\x08\3"}, "first bytes of t10k-images-idx3-ubyte"),
    "too few labels": ({"train-labels-idx1-ubyte": idx(ANSWERS[:6])}, "number of labels = 6: must be 7"),
}


@pytest.mark.parametrize(("files", "text"), WRONG.values(), ids=WRONG)
def test_wrong_files_with_the_right_sum(small, server, files, text):
    small(SMALL | files)
    server.files |= {f"/{name}.gz": gzip.compress(content, mtime=0) for name, content in files.items()}
    with pytest.raises(ValueError, match=rf"^{text}"):
        mnist(2)


@pytest.mark.parametrize("validation", [7, 100, -1, 1.5, True, None, "a"])
def test_the_validation_part_leaves_something_to_learn(small, server, validation):
    with pytest.raises(ValueError, match=r"^validation = .*: must be .*10,000 is usual; 0 sets none aside"):
        mnist(validation)


def test_ten_thousand_are_set_aside(small, server, monkeypatch):
    with pytest.raises(ValueError, match=r"^validation = 10000: must be below 7"):
        mnist()


def test_pooch_is_imported_for_a_download_only():
    code = "import sys, course_lib.datasets as d; d.digits(); "
    code += "print('pooch' in sys.modules, 'requests' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_published_files_are_expected_from_two_places():
    assert [value[:8] for value in datasets.MNIST.values()] == [
        "ba891046",
        "65a50cbb",
        "0fa7898d",
        "ff7bcfd4",
    ]
    assert [len(value) for value in datasets.MNIST.values()] == [64] * 4
    assert len(datasets.MNIST_SOURCES) == 2
    assert all(source.startswith("https://") and source.endswith("/") for source in datasets.MNIST_SOURCES)
    assert Path(datasets.FILE).exists()
