"""The digits are the published ones, cannot be changed by accident, and are split once and for all."""

import dataclasses
import gzip
import hashlib

import numpy as np
import pytest

from course_lib import datasets
from course_lib.datasets import Digits, digits, digits_split

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
    with pytest.raises(ValueError, match=r"^SHA-256 of the digits = .*missing or was altered: install"):
        digits()


def test_another_compression_of_the_same_content_is_accepted(altered):
    altered(gzip.compress(good(), 1))
    assert len(digits()) == 1797


def test_digits_of_ones_own():
    own = Digits(np.zeros((2, 64)), np.array([1, 2]))
    assert own.images.shape == (2, 8, 8)
    assert repr(own) == "<2 digits of 8 × 8 pixels>"
