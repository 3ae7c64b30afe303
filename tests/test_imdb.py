"""IMDB: bags of words from small archives, written here, with all that can be wrong with them."""

import dataclasses
import hashlib
import inspect
import io
import tarfile

import numpy as np
import pytest

from course_lib import imdb as module
from course_lib.datasets import imdb
from course_lib.imdb import tokens

TEXTS = {
    "train/pos/0_9.txt": "Good, good film.<br />Isn't it?",
    "train/pos/1_8.txt": "a good GOOD plot",
    "train/neg/0_1.txt": "bad film; a bad, bad plot",
    "train/neg/1_2.txt": "bad zebra aardvark",
    "test/pos/0_7.txt": "good unseen unseen unseen",
    "test/neg/0_4.txt": "Nothing known.",
}


def archive(path, texts=TEXTS, extra=(), mode="w:gz"):
    files = [(f"aclImdb/{name}", text.encode()) for name, text in texts.items()]
    with tarfile.open(path, mode) as tar:
        for name, content in [*files, ("aclImdb/train/unsup/0_0.txt", b"good " * 99), *extra]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Let the small archive's content be the published one, and COURSE_DATA an empty folder."""
    parts = [(f"aclImdb/{name}", text) for name, text in sorted(TEXTS.items())]
    whole = "".join(f"{name} {len(text)}\n{text}" for name, text in parts)
    monkeypatch.setattr(module, "CONTENT", hashlib.sha256(whole.encode()).hexdigest())
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    return tmp_path


def bags(part):
    """Return the reviews as sets of (word, count), with their labels, in a fixed order."""
    rows = [tuple((part.words[k], int(row[k])) for k in np.flatnonzero(row)) for row in part.X[:]]
    return sorted(zip(rows, part.y.tolist(), strict=True))


def test_bags_are_counted_by_hand(folder):
    archive(folder / "aclImdb_v1.tar.gz")
    training, validation, test = imdb(0, words=4)
    assert training.words == ("bad", "good", "a", "film")  # 4, 4, 2, 2; plot, 2 too, is behind film
    assert bags(training) == sorted(
        [
            ((("good", 2), ("film", 1)), 1),
            ((("good", 2), ("a", 1)), 1),
            ((("bad", 3), ("a", 1), ("film", 1)), 0),
            ((("bad", 1),), 0),
        ]
    )
    assert bags(test) == [((), 0), ((("good", 1),), 1)]
    assert (len(training), len(validation), len(test)) == (4, 0, 2)
    assert validation.words is test.words is training.words
    assert repr(training) == "<4 reviews, 4 words>"
    assert (training.X.dtype, training.X.shape, training.y.dtype) == (np.float32, (4, 4), np.int64)
    assert not any(a.flags.writeable for a in (training.X.values, training.X.columns, training.X.starts))
    assert not training.y.flags.writeable


def test_the_vocabulary_comes_from_the_training_part_alone(folder):
    archive(folder / "aclImdb_v1.tar.gz")
    whole = {review for part in imdb(0, words=4) for review in bags(part)}
    for set_aside in (1, 3):
        training, validation, test = imdb(set_aside, words=1)
        assert (len(training), len(validation), len(test)) == (4 - set_aside, set_aside, 2)
        own = [word for row in training.X[:] for word in np.flatnonzero(row)]
        assert own  # its commonest word occurs in it
    assert whole
    training, _, _ = imdb(3, words=2)
    assert "unseen" not in training.words
    with pytest.raises(ValueError, match="words = 9: must be at most"):
        imdb(3, words=9)


def test_the_order_does_not_depend_on_the_archives_nor_on_its_compression(folder):
    archive(folder / "aclImdb_v1.tar.gz")
    first = imdb(2, words=3)
    (folder / "aclImdb_v1.tar.gz").unlink()
    (folder / "imdb").mkdir()
    backwards = dict(reversed(TEXTS.items()))
    archive(folder / "imdb" / "aclImdb_labelled.tar.xz", backwards, mode="w:xz")
    for ours, theirs in zip(first, imdb(2, words=3), strict=True):
        np.testing.assert_array_equal(ours.X[:], theirs.X[:])
        np.testing.assert_array_equal(ours.y, theirs.y)
        assert ours.words == theirs.words


def test_reviews_are_fixed_and_the_usual_sizes_are_the_defaults(folder):
    archive(folder / "aclImdb_v1.tar.gz")
    training, _, _ = imdb(0, words=9)  # all that occur
    assert len(training.words) == 9
    with pytest.raises(dataclasses.FrozenInstanceError):
        training.y = None
    defaults = {name: p.default for name, p in inspect.signature(imdb).parameters.items()}
    assert defaults == {"validation": 5_000, "words": 8_000}


def test_words_are_found():
    assert tokens("DON'T stop--'quoted' e-mail 3rd") == ["don't", "stop", "quoted", "e", "mail", "rd"]
    assert tokens("") == []


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS | {"train/pos/0_9.txt": TEXTS["train/pos/0_9.txt"] + " "},
        TEXTS | {"train/pos/0_9.txt": TEXTS["train/pos/0_9.txt"].replace("good", "evil")},
        {name: text for name, text in TEXTS.items() if name != "test/neg/0_4.txt"},
        TEXTS | {"train/pos/7_7.txt": "one more"},
        {name.replace("1_2", "1_3"): text for name, text in TEXTS.items()},
    ],
    ids=["longer", "other words", "missing", "added", "renamed"],
)
def test_an_altered_archive_is_refused(folder, texts):
    archive(folder / "aclImdb_v1.tar.gz", texts)
    with pytest.raises(ValueError, match=r"SHA-256 of the reviews in aclImdb_v1.tar.gz = .*Get it again"):
        imdb(1, words=3)


def test_an_unsafe_or_truncated_archive_is_refused(folder):
    place = folder / "aclImdb_v1.tar.gz"
    archive(place, extra=[("aclImdb/train/pos/../../../evil", b"")])
    with pytest.raises(ValueError, match="must be inside the archive's folder"):
        imdb(1, words=3)
    archive(place)
    place.write_bytes(place.read_bytes()[:-30])
    with pytest.raises(ValueError, match="must be a whole tar archive"):
        imdb(1, words=3)


def test_bad_arguments_are_explained(folder):
    archive(folder / "aclImdb_v1.tar.gz")
    for options, message in (
        ({"validation": 4}, "validation = 4: must be below 4"),
        ({"validation": -1}, "validation = -1"),
        ({"words": 0}, "words = 0"),
    ):
        with pytest.raises(ValueError, match=message):
            imdb(**{"validation": 1, "words": 2} | options)
    (folder / "aclImdb_v1.tar.gz").unlink()
    with pytest.raises(ValueError, match=r"must be a folder with imdb/aclImdb_v1.tar.gz in it"):
        imdb(1, words=2)
