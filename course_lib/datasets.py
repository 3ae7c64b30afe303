"""Data to learn from: 1,797 handwritten digits that come with the course, and how they are split."""

import gzip
import hashlib
import io
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from course_lib._checks import require

__all__ = ["Digits", "digits", "digits_split"]

FILE = Path(__file__).parent / "data" / "digits.csv.gz"
SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"
"""Of the uncompressed content, so that it does not depend on how the file was compressed."""

HELD_OUT = 0.2
"""Share of each class that goes into the validation part, and again into the test part."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Some digits; the arrays can be read but not changed.

    Parameters
    ----------
    X : float64 array, shape (n, 64)
        Pixels row by row, 0 for white paper to 1 for full ink.
    y : int64 array, shape (n,)
        The digit, 0 to 9.
    """

    X: np.ndarray
    y: np.ndarray

    def __post_init__(self):
        self.X.setflags(write=False)
        self.y.setflags(write=False)

    @property
    def images(self):
        """The pixels as pictures, shape (n, 8, 8)."""
        return self.X.reshape(-1, 8, 8)

    def __len__(self):
        return len(self.y)

    def __repr__(self):
        return f"<{len(self)} digits of 8 × 8 pixels>"


@cache
def digits():
    """Return the 1,797 digits in the order of the file.

    Returns
    -------
    Digits
        X of shape (1797, 64) and y of shape (1797,). 32 × 32 scans of handwriting by 13 people; each pixel is
        the share of ink in one of 64 blocks, in sixteenths.

    Raises
    ------
    ValueError
        If the file was altered or cut short.

    References
    ----------
    Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    https://doi.org/10.24432/C50P49, CC BY 4.0.

    Examples
    --------
    >>> data = digits()
    >>> data, data.X.shape, data.y[:5]
    (<1797 digits of 8 × 8 pixels>, (1797, 64), array([0, 1, 2, 3, 4]))
    """
    table = np.loadtxt(io.BytesIO(_content()), delimiter=",", dtype=np.int64)
    return Digits(table[:, :64] / 16, table[:, 64].copy())


@cache
def digits_split():
    """Return the digits as a training, a validation and a test part, always the same.

    Each class is dealt out in the same shares: 20 % to validation, 20 % to test, the rest to training.

    Returns
    -------
    tuple of Digits
        Training (1,079 examples), validation (359) and test (359), each in mixed order.

    Notes
    -----
    The order comes from the SHA-256 of each example's number, not from a random generator: no version of
    NumPy can change it. The parts come from the same 13 writers: the test part says how well a model does
    on new digits of known hands, not on new hands.

    Examples
    --------
    >>> training, validation, test = digits_split()
    >>> len(training), len(validation), len(test)
    (1079, 359, 359)
    """
    data = digits()
    parts = [], [], []
    for digit in range(10):
        rows = sorted(np.flatnonzero(data.y == digit).tolist(), key=lambda i: _hash(f"deal {i}"))
        cut = round(HELD_OUT * len(rows))
        for part, dealt in zip(parts, (rows[2 * cut :], rows[:cut], rows[cut : 2 * cut]), strict=True):
            part.extend(dealt)
    for part in parts:
        part.sort(key=lambda i: _hash(f"order {i}"))
    return tuple(Digits(data.X[part], data.y[part]) for part in parts)


def _hash(text):
    return hashlib.sha256(text.encode()).digest()


def _content():
    """Return the file's uncompressed content if it is what it should be, else raise ValueError."""
    try:
        content = gzip.decompress(FILE.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        content = str(error).encode()
    found = hashlib.sha256(content).hexdigest()
    remedy = f"{FILE.name} is missing or was altered: install course_lib again, or restore the file with git."
    require(found == SHA256, "SHA-256 of the digits", found, SHA256, remedy)
    return content
