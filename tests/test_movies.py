"""Races in notebooks: `make movie` saves them, and nbval compares their coordinates, not their pictures."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

from course_lib import _movies
from tools import commands, movies
from tools.notebooks import METADATA, execute, normalise, write

SETUP = "import matplotlib.pyplot as plt\nfrom course_lib.race import race"
RACE = """fig, ax = plt.subplots(figsize=(2, 1))
race(fig, ax.plot([0, 1, 3]), alt="One track goes up and up.", seconds=1)"""


def notebook(*races):
    """Return a notebook with these races, and a cell behind them that must not run."""
    cells = [new_markdown_cell("# A race"), new_code_cell(SETUP)]
    cells += [new_code_cell(source, metadata={"tags": ["race"]}) for source in races]
    return new_notebook(cells=[*cells, new_code_cell("raise SystemError('too far')")], metadata=METADATA)


def save(folder, *races):
    nbformat.write(notebook(*races), folder / "04_adaptive.ipynb")
    return movies.main([folder / "out", folder / "04_adaptive.ipynb"])


def test_races_are_saved_as_gif_and_mp4(tmp_path, capsys, monkeypatch):
    if not any(has_ffmpeg()):
        pytest.skip("there is no ffmpeg")
    assert save(tmp_path, RACE, RACE.replace("(2, 1)", "(3, 1)")) == 0
    names = [f"04_adaptive{number}{ending}" for number in ("", "-2") for ending in (".gif", ".mp4")]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)
    with Image.open(tmp_path / "out/04_adaptive-2.gif") as movie:
        assert movie.size == (300, 100)
    assert [line.split(": ")[0] for line in capsys.readouterr().out.splitlines()] == [
        str(tmp_path / "out" / name) for name in names
    ]


def has_ffmpeg():
    try:
        yield bool(_movies.ffmpeg("x.mp4"))
    except RuntimeError:
        return


def test_what_is_missing_is_said_in_one_line(tmp_path, capsys):
    hidden = "import shutil, sys\nshutil.which = lambda name: None\nsys.modules['imageio_ffmpeg'] = None\n"
    assert save(tmp_path, hidden + RACE) == 1
    error, gif = capsys.readouterr().out.splitlines()
    assert error.endswith(
        "raised RuntimeError: 04_adaptive.mp4: needs ffmpeg: `pip install imageio-ffmpeg`, or save a GIF."
    )
    assert gif.split(": ")[0].endswith("04_adaptive.gif")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["04_adaptive.gif"]


def test_a_notebook_without_a_race_says_so(tmp_path, capsys):
    assert save(tmp_path) == 1
    assert capsys.readouterr().out == "No cell is tagged race.\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["ONLY=01"], [commands.ROOT / "movies", commands.named("01", "ONLY")]),
        (["TO=there"], [Path.cwd() / "there"]),
    ],
)
def test_the_command_hands_on_what_to_save_and_where(options, expected, monkeypatch):
    ran = []
    monkeypatch.setattr(commands, "environment", lambda *extras: extras)
    monkeypatch.setattr(commands, "run", lambda *command: ran.extend(command) or 0)
    assert commands.main(["movie", *options]) == 0
    assert ran == [("lab", "movie"), "tools/movies.py", *expected]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Return the path of a stored notebook with a race."""
    folder = tmp_path_factory.mktemp("stored")
    book = notebook(RACE)
    del book.cells[-1]
    write(normalise(execute(book, folder)), folder / "race.ipynb")
    return folder / "race.ipynb"


def test_nbval_compares_coordinates_and_no_pictures(stored):
    changes = {
        "picture": (r"(data:image/png;base64,)[^\"]*", r"\1AAAA+/=="),
        "points": (r'("points":)"[^"]*"', r'\1"AAAA"'),
        "seconds": (r'"seconds":1', '"seconds":2'),
    }
    copies = [stored.with_name(f"{name}.ipynb") for name in changes]
    for copy, (pattern, change) in zip(copies, changes.values(), strict=True):
        book = nbformat.read(stored, as_version=4)
        data = book.cells[-1].outputs[0].data
        data["text/html"], count = re.subn(pattern, change, data["text/html"])
        assert count >= 1
        nbformat.write(book, copy)
    command = [sys.executable, "-m", "pytest", "-qrA", "-p", "no:cacheprovider", *copies, *commands.NBVAL]
    said = subprocess.run(command, cwd=commands.ROOT, capture_output=True, text=True).stdout
    verdicts = re.findall(r"^(PASSED|FAILED) \S*?(\w+)\.ipynb::Cell 1", said, re.MULTILINE)
    assert sorted(verdicts) == [("FAILED", "points"), ("FAILED", "seconds"), ("PASSED", "picture")], said
