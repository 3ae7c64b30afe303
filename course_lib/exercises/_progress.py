"""Which exercises a learner has passed, kept in one small file outside the course.

The file is ``progress.json`` in the user's data folder, or the file that COURSE_PROGRESS names; where Python
runs in a browser, it lies beside the notebooks. Whatever goes wrong with it is said in one sentence and never
stops anybody from working.
"""

import html
import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

__all__ = ["Progress", "passed", "record"]

PATIENCE, STALE = 2.0, 10.0
"""Seconds to wait for another kernel that is writing, and after which its lock counts as left behind."""


DRIVE = Path("/drive")
"""Where a kernel in a browser finds the notebooks: the only folder there that outlives the kernel."""


def progress_file():
    """Return the path of the file that holds the learner's progress."""
    named = os.environ.get("COURSE_PROGRESS")
    if named:
        return Path(named)
    if sys.platform == "emscripten" and DRIVE.is_dir():
        return DRIVE / "progress.json"
    return Path(platformdirs.user_data_dir("course_lib", False), "progress.json")


def record(exercise):
    """Add one exercise to the passed ones and return "" or a sentence that says why that was not possible."""
    path = progress_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(path):
            done, note = _read(path)  # read again: another notebook may have passed something meanwhile
            if exercise not in done:
                _write(path, done | {exercise})
            return note
    except OSError as error:
        return f"Your progress could not be kept ({error.strerror or error})."


def passed():
    """Return the set of passed exercises and "" or a sentence on what is wrong with the file."""
    path = progress_file()
    try:
        return _read(path)
    except OSError as error:
        return set(), f"Your progress could not be read ({error.strerror or error})."


def _read(path):
    """Return what the file holds; a damaged file is set aside and counts as empty."""
    try:
        done = json.loads(path.read_bytes())["passed"]
        if not isinstance(done, list) or not all(isinstance(name, str) for name in done):
            raise ValueError("not a list of names")
        return set(done), ""
    except FileNotFoundError:
        return set(), ""
    except (ValueError, KeyError, TypeError, RecursionError):
        aside = path.with_name(path.name + ".damaged")
        os.replace(path, aside)
        note = f"The file with your progress was damaged; it is kept as {aside.name}, and you start afresh."
        return set(), note


def _write(path, done):
    """Replace the file in one go, so that no reader ever meets half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            json.dump({"passed": sorted(done)}, file, indent=1)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise


@contextmanager
def _lock(path):
    """Hold the file ``<name>.lock`` for as long as the block runs; only one kernel at a time can make it."""
    lock = path.with_name(path.name + ".lock")
    end = time.monotonic() + PATIENCE
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            with suppress(FileNotFoundError):
                if time.time() - lock.stat().st_mtime > STALE:
                    lock.unlink()
            if time.monotonic() > end:
                raise TimeoutError("another notebook is writing it") from None
            time.sleep(0.01)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            lock.unlink()


@dataclass(frozen=True)
class Progress:
    """The exercises of the course and which of them are passed; prints as a table.

    Parameters
    ----------
    titles : dict of str -> str
        Exercise number -> title, in order.
    done : set of str
        Numbers of the passed ones.
    note : str
        What is wrong with the file, if anything.
    """

    titles: dict
    done: frozenset
    note: str = ""

    def notebooks(self):
        """Return the exercise numbers of each notebook: number of the notebook -> list."""
        books = {}
        for number in self.titles:
            books.setdefault(number.split(".")[0], []).append(number)
        return books

    def __repr__(self):
        lines = [self.note] if self.note else []
        for book, numbers in self.notebooks().items():
            lines.append(f"Notebook {book}: {self._count(numbers)} passed")
            lines += [f"  {'✓' if n in self.done else '○'} {n} {self.titles[n]}" for n in numbers]
        return "\n".join(lines)

    def _count(self, numbers):
        return f"{sum(n in self.done for n in numbers)} of {len(numbers)}"

    def _repr_html_(self):
        cell = 'style="text-align: left; padding: 3px 14px 3px 0"'
        rows = []
        for book, numbers in self.notebooks().items():
            count = f"{self._count(numbers)} passed"
            head = f'<th {cell} colspan="2" scope="rowgroup">Notebook {book}</th>'
            rows.append(f"<tr>{head}<th {cell}>{count}</th></tr>")
            for n in numbers:
                mark = "✓ passed" if n in self.done else "○ open"
                title = html.escape(self.titles[n])
                rows.append(f"<tr><td {cell}>{n}</td><td {cell}>{title}</td><td {cell}>{mark}</td></tr>")
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        caption = '<caption style="text-align: left">Your progress</caption>'
        return f"{note}<table>{caption}<tbody>{''.join(rows)}</tbody></table>"
