"""CIFAR-10: 60,000 small photographs of ten kinds of things, read from their binary format."""

import re
from dataclasses import dataclass

import numpy as np

from course_lib._archive import members
from course_lib._checks import require, whole_number
from course_lib._fetch import located, published

__all__ = ["CLASSES", "Pictures", "cifar10"]

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
"""What the labels 0 to 9 mean."""

ARCHIVE, FOLDER = "cifar-10-binary.tar.gz", "cifar-10-batches-bin"
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
"""Of the published archive."""

SOURCES = ("https://www.cs.toronto.edu/~kriz/",)
FILES = (*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin")
SIDE, RECORD, EXAMPLES = 32, 1 + 3 * 32 * 32, 10_000


@dataclass(frozen=True, eq=False)
class Pictures:
    """Some photographs; the arrays can be read but not changed.

    Parameters
    ----------
    X : float32 array, shape (n, 3072)
        For each picture its red, its green, and its blue part, each 32 × 32 pixels row by row, from 0 to 1.
    y : int64 array, shape (n,)
        What is to be seen, 0 to 9: see `CLASSES`.
    """

    X: np.ndarray
    y: np.ndarray

    def __post_init__(self):
        self.X.setflags(write=False)
        self.y.setflags(write=False)

    @property
    def images(self):
        """The pixels as pictures with a colour axis, shape (n, 32, 32, 3)."""
        return self.X.reshape(len(self), 3, SIDE, SIDE).transpose(0, 2, 3, 1)

    def __len__(self):
        return len(self.y)

    def __repr__(self):
        return f"<{len(self)} pictures of {SIDE} × {SIDE} pixels>"


def cifar10(validation=5_000, *, release=True):
    """Return CIFAR-10 as a training, a validation and a test part: 60,000 pictures of 32 × 32 pixels.

    The archive is read from the folder that the environment variable ``COURSE_DATA`` names (in it, or in its
    folder ``cifar10``). If it is not set, it is downloaded once (170 MB) into a cache.

    Parameters
    ----------
    validation : int, default 5,000
        How many of the 50,000 training examples, from their end, are set aside for validation; from 0 to
        49,999.
    release : bool, default True
        Whether only the published archive is taken, known by its SHA-256. With False, anything of the same
        format is, also a folder ``cifar-10-batches-bin``: pictures that were stored in another way since.

    Returns
    -------
    tuple of Pictures
        Training (50,000 − validation), validation, and test (10,000), in the order of the files. They are
        read anew at each call, which takes seconds, and need 740 MB.

    Raises
    ------
    ValueError
        If the archive is missing, cannot be downloaded, is not the published one, is damaged or unsafe, if a
        file has not 10,000 records, a label is no class, or `validation` is out of its range.

    References
    ----------
    A. Krizhevsky, "Learning multiple layers of features from tiny images" (2009), chapter 3.

    Examples
    --------
    ::

        training, validation, test = cifar10()
        training  # <45000 pictures of 32 × 32 pixels>
    """
    require(isinstance(release, bool), "release", release, "True or False", "False takes other pixels.")
    place = located("cifar10", (ARCHIVE, FOLDER), SHA256, SOURCES)
    remedy = f"Get {ARCHIVE} again, or say release=False to take other pixels in the same format."
    if release:
        require(place.is_file(), "CIFAR-10", str(place), "the published archive", remedy)
        published(place, SHA256, remedy)
    if place.is_dir():
        contents = {name: (place / name).read_bytes() for name in FILES if (place / name).is_file()}
    else:
        wanted, limits = re.compile(f"{FOLDER}/({'|'.join(map(re.escape, FILES))})"), {"count": 100}
        found = members(place, wanted, largest=RECORD * EXAMPLES, total=10 * RECORD * EXAMPLES, **limits)
        contents = {name.split("/")[-1]: content for name, content in found}
    missing = [name for name in FILES if name not in contents]
    require(not missing, f"files in {place.name}", missing, "there", "Get it again, whole.")
    validation = whole_number("validation", validation, 0, "5,000 is usual; 0 sets none aside.")
    X, y = _records([contents[name] for name in FILES[:-1]], FILES[0])
    require(validation < len(y), "validation", validation, f"below {len(y)}", "5,000 is usual.")
    cut = len(y) - validation
    test = Pictures(*_records([contents[FILES[-1]]], FILES[-1]))
    return Pictures(X[:cut], y[:cut]), Pictures(X[cut:], y[cut:]), test


def _records(contents, name):
    """Return pixels and labels of files of records: one byte for the label, then 3 × 1,024 pixels."""
    for content in contents:
        right = len(content) == RECORD * EXAMPLES
        allowed = f"{EXAMPLES:,} records of {RECORD:,} bytes"
        require(right, f"length of a file like {name}", len(content), allowed, "Get it again, whole.")
    records = np.frombuffer(b"".join(contents), np.uint8).reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    highest = int(labels.max())
    require(highest < 10, f"label in a file like {name}", highest, "0 to 9", "Is it CIFAR-100?")
    return np.divide(records[:, 1:], 255, dtype=np.float32), labels
