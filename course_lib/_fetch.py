"""Files of data that do not come with the course: from a folder of the user, from the cache, from the net.

What a file must contain is known by the SHA-256 of its uncompressed content, wherever it comes from and
however it was compressed. What does not fit is refused and goes nowhere.
"""

import gzip
import hashlib
import os
import sys
import tempfile
import zlib
from pathlib import Path

import platformdirs

from course_lib._checks import require

__all__ = ["fetch", "located", "unpacked"]

FOLDER = "COURSE_DATA"
"""Environment variable that names a folder with the files: nothing is downloaded while it is set."""

TIMEOUT = 30
"""Seconds without a sign of life from a server."""

OTHER = "The server has something else."


def fetch(data, name, sha256, sources):
    """Return the uncompressed content of one file of a data set.

    Parameters
    ----------
    data : str
        The data set, which is also the name of its folder.
    name : str
        The file's name without ``.gz``.
    sha256 : str
        Of the uncompressed content.
    sources : sequence of str
        Addresses that ``NAME.gz`` is appended to, tried one after the other.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If the file is not where ``COURSE_DATA`` says, or cannot be had from any source, or is not what it
        should be. The cache stays as it was.

    Notes
    -----
    The cache is the user's cache folder of the system, with a folder ``course_lib``. A download is written
    beside its place, checked, and then moved there in one step: an interrupted one leaves nothing behind.
    """
    if named := os.environ.get(FOLDER):
        return unpacked(
            _in_folder(Path(named), data, f"{name}.gz", name),
            sha256,
            f"Replace it in {named}, or unset COURSE_DATA.",
        )
    place = Path(platformdirs.user_cache_dir("course_lib", False), data, f"{name}.gz")
    if place.exists():
        return unpacked(place, sha256, f"Delete {place}, and it will be fetched again.")
    return _download(place, sources, lambda file: unpacked(file, sha256, OTHER))


def located(data, names, sha256, sources):
    """Return where an archive is: in the user's folder, or in the cache, downloaded if it is not there yet.

    Parameters
    ----------
    data : str
        The data set, which is also the name of its folder.
    names : sequence of str
        Names under which the archive, or a folder with its content, may stand in the user's folder; the first
        is that of the published archive.
    sha256 : str
        Of the published archive. What is downloaded must have it; whoever reads what a user has put into a
        folder checks the content.
    sources : sequence of str
        Addresses that the first name is appended to.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If there is none, or the download fails or is something else. The cache stays as it was.
    """
    if named := os.environ.get(FOLDER):
        return _in_folder(Path(named), data, *names)
    place = Path(platformdirs.user_cache_dir("course_lib", False), data, names[0])
    if not place.exists():
        _download(place, sources, lambda file: published(file, sha256, OTHER))
    return place


def published(path, sha256, remedy):
    """Raise ValueError unless a file, as it is, has this SHA-256."""
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    require(found == sha256, f"SHA-256 of {path.name}", found, sha256, remedy)


def unpacked(path, sha256, remedy):
    """Return a file's content, uncompressed if it was compressed by gzip, else raise ValueError."""
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        found = hashlib.sha256(content).hexdigest()
    except (OSError, EOFError, zlib.error) as error:
        found = f"none: {error}"
    require(found == sha256, f"SHA-256 of {path.name}, uncompressed,", found, sha256, remedy)
    return content


def _in_folder(folder, data, *names):
    for place in [folder / data / name for name in names] + [folder / name for name in names]:
        if place.exists():
            return place
    allowed = f"a folder with {data}/{names[0]} in it"
    require(False, FOLDER, str(folder), allowed, "Put the file there, or unset COURSE_DATA to download it.")


def _download(place, sources, check):
    """Fetch a file into its place, and return what `check` makes of it."""
    if sys.platform == "emscripten":
        remedy = "A browser cannot fetch it: install the course on your computer, where `make lab` opens it."
        require(False, f"download of {place.name}", "impossible", "done by Python outside a browser", remedy)
    import pooch

    get = pooch.HTTPDownloader(timeout=TIMEOUT)
    place.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    for source in sources:
        handle, partial = tempfile.mkstemp(dir=place.parent, prefix=place.name, suffix=".part")
        os.close(handle)
        try:
            get(source + place.name, partial, None)
            checked = check(Path(partial))
            os.replace(partial, place)
            return checked
        except (OSError, ValueError) as error:
            failures.append(f"{source + place.name}: {error}")
        finally:
            Path(partial).unlink(missing_ok=True)
    remedy = f"Check the connection, or set COURSE_DATA to a folder with the file. {' '.join(failures)}"
    require(False, f"download of {place.name}", "failed", "possible from one of its sources", remedy)
