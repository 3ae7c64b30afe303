"""IMDB: 50,000 film reviews as bags of words, read from the archive of their texts."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from course_lib._archive import members
from course_lib._checks import require, whole_number
from course_lib._fetch import located
from course_lib._sparse import SparseRows

__all__ = ["Reviews", "imdb", "tokens"]

NAMES = ("aclImdb_v1.tar.gz", "aclImdb_labelled.tar.xz")
SHA256 = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"
"""Of the published archive."""

CONTENT = "001395494e96599b5a8e592c1bc2063d6737641942163a9a64201a4140c0096c"
"""SHA-256 of names and texts of the labelled reviews, sorted by name: whatever else the archive holds."""

SOURCES = ("https://ai.stanford.edu/~amaas/data/sentiment/",)
REVIEW = re.compile(r"aclImdb/(train|test)/(pos|neg)/(\d+)_(\d+)\.txt")
LIMITS = {"largest": 50_000_000, "total": 1_000_000_000, "count": 200_000}
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


@dataclass(frozen=True, eq=False)
class Reviews:
    """Some reviews as bags of words.

    Parameters
    ----------
    X : SparseRows of shape (n, words), float32
        How often each word of the vocabulary stands in each review.
    y : int64 array, shape (n,)
        1 for a favourable review, 0 for an unfavourable one.
    words : tuple of str
        The vocabulary, the commonest word first.
    """

    X: SparseRows
    y: np.ndarray
    words: tuple

    def __post_init__(self):
        for array in (self.X.values, self.X.columns, self.X.starts, self.y):
            array.setflags(write=False)

    def __len__(self):
        return len(self.y)

    def __repr__(self):
        return f"<{len(self)} reviews, {len(self.words)} words>"


def tokens(text):
    """Return the words of a text, in small letters; line breaks of the web page are left out.

    Examples
    --------
    >>> tokens("Don't miss it!<br /><br />10 out of 10.")
    ["don't", 'miss', 'it', 'out', 'of']
    """
    return WORD.findall(text.lower().replace("<br />", " "))


def imdb(validation=5_000, words=8_000):
    """Return the labelled IMDB reviews as a training, a validation and a test part of bags of words.

    The archive is read from the folder that the environment variable ``COURSE_DATA`` names (in it, or in its
    folder ``imdb``). If it is not set, it is downloaded once (84 MB) into a cache.

    Parameters
    ----------
    validation : int, default 5,000
        How many of the 25,000 training reviews are set aside for validation; from 0 to 24,999.
    words : int, default 8,000
        Size of the vocabulary: the words that are commonest in the *training* part, those of equal frequency
        in alphabetical order. What the other parts contain has no influence on it.

    Returns
    -------
    tuple of Reviews
        Training (25,000 − validation), validation, and test (25,000). The order comes from the SHA-256 of
        each review's name. They are read anew at each call, which takes some 20 seconds, and need 70 MB.

    Raises
    ------
    ValueError
        If the archive is missing, cannot be downloaded, is damaged, unsafe or altered (by the SHA-256 of its
        labelled texts), or an argument is out of its range.

    References
    ----------
    A. L. Maas et al., "Learning word vectors for sentiment analysis", ACL (2011), section 4.

    Examples
    --------
    ::

        training, validation, test = imdb()
        training  # <20000 reviews, 8000 words>
    """
    words = whole_number("words", words, 1, "8,000 is usual here.")
    validation = whole_number("validation", validation, 0, "5,000 is usual; 0 sets none aside.")
    place, remedy = located("imdb", NAMES, SHA256, SOURCES), "Get it again from its publisher."
    texts = dict(sorted(members(place, REVIEW, **LIMITS)))
    found = _digest(texts)
    require(found == CONTENT, f"SHA-256 of the reviews in {place.name}", found, CONTENT, remedy)
    parts = {"train": [], "test": []}
    for name in sorted(texts, key=lambda name: hashlib.sha256(name.encode()).digest()):
        parts[REVIEW.fullmatch(name)[1]].append(name)
    most = len(parts["train"])
    require(validation < most, "validation", validation, f"below {most:,}", "5,000 is usual.")
    cut = most - validation
    names = parts["train"][:cut], parts["train"][cut:], parts["test"]
    bags = [[Counter(tokens(texts.pop(name).decode())) for name in part] for part in names]
    vocabulary = _commonest(bags[0], words)
    return tuple(_reviews(*pair, vocabulary) for pair in zip(names, bags, strict=True))


def _digest(texts):
    """Return the SHA-256 of names and texts, each with its length before it."""
    whole = hashlib.sha256()
    for name, text in texts.items():
        whole.update(f"{name} {len(text)}\n".encode())
        whole.update(text)
    return whole.hexdigest()


def _commonest(bags, words):
    total = Counter()
    for bag in bags:
        total.update(bag)
    require(
        words <= len(total), "words", words, f"at most {len(total):,}, those that occur", "Ask for fewer."
    )
    ranked = sorted(total, key=lambda word: (-total[word], word))
    return tuple(ranked[:words])


def _reviews(names, bags, vocabulary):
    column = {word: k for k, word in enumerate(vocabulary)}
    rows = [sorted((column[word], n) for word, n in bag.items() if word in column) for bag in bags]
    starts = np.cumsum([0, *map(len, rows)])
    columns = np.array([k for row in rows for k, _ in row], np.int32)
    values = np.array([n for row in rows for _, n in row], np.float32)
    y = np.array([REVIEW.fullmatch(name)[2] == "pos" for name in names], np.int64)
    return Reviews(SparseRows(values, columns, starts, len(vocabulary)), y, vocabulary)
