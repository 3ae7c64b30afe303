"""A live view still answers as it was stored after the whole notebook has run, whatever later cells reuse."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools.notebooks import FOLDER, execute, tags

PROBE = """
import json
from course_lib.widgets import LiveFigure

def _look(view):
    return [view.answer["status"], view.answer["error"], repr(view)]

_found = {}
for _count, _view in list(Out.items()):
    if isinstance(_view, LiveFigure):
        _ask = {"view": "", "seq": 1, "haste": False, "ratio": 2}
        _before, _scene = _look(_view), _view.scene
        _start = dict(_view.answer["positions"])
        for _at in ({name: 0 for name in _start}, _start):  # away, and back
            _view._receive(None, _ask | {"positions": _at}, [])
        _picture = _view._repr_mimebundle_()[0]["image/png"]
        _found[_count] = [_before, _look(_view), _view.scene == _scene, _picture]
print(json.dumps(_found))
"""


def with_live_views():
    """Yield the names of the notebooks that have live views."""
    for path in sorted(FOLDER.glob("[!.]*.ipynb")):
        if any("live" in tags(cell) for cell in nbformat.read(path, as_version=4).cells):
            yield path.name


def complaints(notebook):
    """Run a notebook and say which live views no longer show at their start what they showed at first."""
    probe = new_code_cell(PROBE)
    notebook.cells.append(probe)
    execute(notebook, FOLDER, timeout=120)
    found = json.loads("".join(output.text for output in probe.outputs))
    for cell in notebook.cells:
        if "live" in tags(cell):
            before, after, same_scene, picture = found[str(cell.execution_count)]
            shown = next(output.data for output in cell.outputs if "image/png" in output.get("data", {}))
            if before != after:
                yield f"{cell.id}: said {before}, now {after}"
            if not same_scene or shown["image/png"].strip() != picture.strip():
                yield f"{cell.id}: shows another picture"


@pytest.mark.parametrize("name", list(with_live_views()))
def test_live_views_outlast_the_notebook(name):
    assert not list(complaints(nbformat.read(FOLDER / name, as_version=4)))


SMALL = """
import matplotlib.pyplot as plt
from course_lib.widgets import live, slider
box = [1.0]
scale = 2.0
fig, ax = plt.subplots()
ax.set(xlim=(0, 1), ylim=(0, 10))
(line,) = ax.plot([], [])
def step(slope):
    line.set_data([0, 1], [0, slope * scale * box[0]])
    return f"end: {slope * scale * box[0]:.1f}"
live(fig, step, line, alt="A line through the origin.", slope=slider(0, 3, 1))
"""


@pytest.mark.parametrize(
    ("later", "words"),
    [
        ("scale, line, box = 5.0, None, None", []),
        ("box[0] = 3.0", ["said ['end: 2.0',", "shows another picture"]),
        ("box.clear()", ["IndexError"]),
    ],
)
def test_a_later_cell_that_spoils_a_view_is_found(later, words):
    cells = [new_code_cell(SMALL, metadata={"tags": ["live"]}), new_code_cell(later)]
    found = list(complaints(new_notebook(cells=cells)))
    assert len(found) == len(words), found
    assert all(word in text for word, text in zip(words, found, strict=True))
