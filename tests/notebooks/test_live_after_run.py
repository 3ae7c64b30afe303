"""The checks that live views outlast their notebook, and that no label is pale, find what does not hold.

test_solutions.py makes them on every notebook.
"""

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.notebooks.after_run import complaints

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


PALE = """
import matplotlib.pyplot as plt
from course_lib import _canvas, display
from course_lib.widgets import live, slider
NOT_DARKENED
fig, ax = plt.subplots()
label = ax.text(0.5, 0.5, "AMSGrad", color="#c4809c")
ax.text(0.5, 0.2, "on a map", color="white")
"""


@pytest.mark.parametrize(
    "shown",
    [
        'display.show(fig, "A pale label.")',
        'live(fig, lambda k: None, label, alt="A pale label.", k=slider(0, 1, 0))',
    ],
)
@pytest.mark.parametrize(
    ("spoiled", "words"),
    [("display.legible = _canvas.legible = lambda artist: None", ["'AMSGrad' has contrast 3.04"]), ("", [])],
)
def test_a_pale_label_is_found(shown, spoiled, words):
    cell = new_code_cell(PALE.replace("NOT_DARKENED", spoiled) + shown)
    assert list(complaints(new_notebook(cells=[cell]))) == words
