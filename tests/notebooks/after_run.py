"""Does a live view answer as it did at first after the whole notebook has run, whatever later cells reuse?"""

import json

from nbformat.v4 import new_code_cell

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
