"""Does a live view answer as it did at first after the whole notebook has run, whatever later cells reuse?

And is every text in the pictures that are made meanwhile dark enough to be read?
"""

import json

from nbformat.v4 import new_code_cell

from tools.notebooks import FOLDER, execute, tags

WATCH = """
def _watch():
    from matplotlib.colors import to_rgb
    from matplotlib.text import Text
    from course_lib import _canvas, display
    from course_lib._contrast import contrast

    pale, draw, at_work = {}, Text.draw, []

    def watched(make):
        def made(*args):
            at_work.append(make)
            try:
                return make(*args)
            finally:
                at_work.pop()
        return made

    def noted(text, renderer):
        value = contrast(to_rgb(text.get_color()), to_rgb("white"))
        if at_work and text.get_visible() and text.get_text().strip() and 2 < value < 4.5:
            pale[text.get_text()] = value
        draw(text, renderer)

    display._render, _canvas.painted = watched(display._render), watched(_canvas.painted)
    Text.draw = noted
    return pale

_pale = _watch()
"""

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
print(json.dumps([_found, _pale]))
"""


def complaints(notebook):
    """Run a notebook; say which live views no longer show what they did at first, and which text is pale."""
    watch, probe = new_code_cell(WATCH), new_code_cell(PROBE)
    notebook.cells[:] = [watch, *notebook.cells, probe]
    execute(notebook, FOLDER, timeout=120)
    found, pale = json.loads("".join(output.text for output in probe.outputs))
    yield from (f"{text!r} has contrast {value:.2f}" for text, value in pale.items())
    for cell in notebook.cells:
        if "live" in tags(cell):
            before, after, same_scene, picture = found[str(cell.execution_count)]
            shown = next(output.data for output in cell.outputs if "image/png" in output.get("data", {}))
            if before != after:
                yield f"{cell.id}: said {before}, now {after}"
            if not same_scene or shown["image/png"].strip() != picture.strip():
                yield f"{cell.id}: shows another picture"
