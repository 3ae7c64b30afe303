"""Data to learn from: 1,797 handwritten digits that come with the course; MNIST, CIFAR-10, IMDB by name."""

import hashlib
import io
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from course_lib._checks import require, whole_number
from course_lib._fetch import fetch, unpacked
from course_lib._sparse import SparseRows
from course_lib.cifar import Pictures, cifar10
from course_lib.imdb import Reviews, imdb

__all__ = [
    "Digits",
    "Pictures",
    "Reviews",
    "SparseRows",
    "cifar10",
    "digits",
    "digits_split",
    "imdb",
    "mnist",
    "read_idx",
]

FILE = Path(__file__).parent / "data" / "digits.csv.gz"
SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"
"""Of the uncompressed content, so that it does not depend on how the file was compressed."""

HELD_OUT = 0.2
"""Share of each class that goes into the validation part, and again into the test part."""

MNIST = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of the uncompressed content of each file."""

MNIST_SOURCES = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""Third byte of an IDX file: the type of its numbers."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Some digits; the arrays can be read but not changed.

    Parameters
    ----------
    X : float array, shape (n, side²)
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
        """The pixels as pictures, shape (n, side, side)."""
        return self.X.reshape(len(self), self.side, self.side)

    @property
    def side(self):
        """Pixels along a side of a picture."""
        return math.isqrt(self.X.shape[1])

    def __len__(self):
        return len(self.y)

    def __repr__(self):
        return f"<{len(self)} digits of {self.side} × {self.side} pixels>"


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
    remedy = "It is missing or was altered: install course_lib again, or restore the file with git."
    content = unpacked(FILE, SHA256, remedy)
    table = np.loadtxt(io.BytesIO(content), delimiter=",", dtype=np.int64)
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


def mnist(validation=10_000):
    """Return MNIST as a training, a validation and a test part: 70,000 digits of 28 × 28 pixels.

    The files are read from the folder that the environment variable ``COURSE_DATA`` names (in it, or in its
    folder ``mnist``, compressed or not). If it is not set, they are downloaded once (11 MB) into a cache.

    Parameters
    ----------
    validation : int, default 10,000
        How many of the 60,000 training examples, from their end, are set aside for validation; from 0 to
        59,999.

    Returns
    -------
    tuple of Digits
        Training (60,000 − validation), validation, and test (10,000), in the order of the files; X is float32
        of shape (n, 784). They are read anew at each call, which takes seconds, and need 220 MB.

    Raises
    ------
    ValueError
        If a file is missing, cannot be downloaded, or is not the published one (by the SHA-256 of its
        uncompressed content), or if `validation` is out of its range.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition",
    Proceedings of the IEEE 86 (1998), section 3.

    Examples
    --------
    ::

        training, validation, test = mnist()
        training  # <50000 digits of 28 × 28 pixels>
    """
    X, y = _mnist("train")
    remedy = "10,000 is usual; 0 sets none aside."
    validation = whole_number("validation", validation, 0, remedy)
    require(validation < len(y), "validation", validation, f"below {len(y)}", remedy)
    cut = len(y) - validation
    return Digits(X[:cut], y[:cut]), Digits(X[cut:], y[cut:]), Digits(*_mnist("t10k"))


def _mnist(part):
    """Return the pixels, from 0 to 1, and the labels of one of the two parts."""
    images, labels = (
        read_idx(fetch("mnist", name, MNIST[name], MNIST_SOURCES), name, axes)
        for name, axes in ((f"{part}-images-idx3-ubyte", 3), (f"{part}-labels-idx1-ubyte", 1))
    )
    remedy = "The two files do not belong together."
    require(len(labels) == len(images), "number of labels", len(labels), f"{len(images)}", remedy)
    pixels = images.reshape(len(images), math.prod(images.shape[1:]))
    return np.divide(pixels, 255, dtype=np.float32), labels.astype(np.int64)


def read_idx(content, name="content", axes=None):
    r"""Return the array that an IDX file holds, the format of MNIST.

    Two zero bytes, one byte for the type of the numbers, one for the number of axes; the length of each axis
    as a big-endian unsigned 32-bit integer; then the numbers, the last axis running fastest, big-endian.

    Parameters
    ----------
    content : bytes
        The whole file, uncompressed.
    name : str, optional
        What to call it in an error message.
    axes : int, optional
        The number of axes that it must have.

    Returns
    -------
    ndarray
        Read-only; it shares its memory with `content`.

    Raises
    ------
    ValueError
        If it is no IDX file, has another number of axes, or is too short or too long for what it announces.

    References
    ----------
    Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits", section "File formats".

    Examples
    --------
    >>> read_idx(b"\x00\x00\x08\x02" + b"\x00\x00\x00\x01" + b"\x00\x00\x00\x03" + b"abc").tolist()
    [[97, 98, 99]]
    """
    magic, remedy = bytes(content[:4]), "Is it the right file, uncompressed and whole?"
    right = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in IDX_TYPES
    require(
        right, f"first bytes of {name}", magic, "those of an IDX file, 00 00, type, number of axes", remedy
    )
    require(axes in (None, magic[3]), f"number of axes of {name}", magic[3], f"{axes}", remedy)
    start, kind = 4 + 4 * magic[3], np.dtype(IDX_TYPES[magic[2]])
    require(len(content) >= start, f"length of {name}", len(content), f"at least {start} bytes", remedy)
    shape = [int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4)]
    size = start + math.prod(shape) * kind.itemsize
    require(len(content) == size, f"length of {name}", len(content), f"{size} bytes, as it announces", remedy)
    return np.frombuffer(content, kind, offset=start).reshape(shape)
