"""Open the lecture of a notebook as a live slideshow: ``python tools/lecture.py NOTEBOOK [OPTION...]``.

A copy of the notebook is opened in nbclassic; it runs from top to bottom, and RISE shows it: the live views
move. The options go to the Jupyter server. What is on a slide is the same as in `make slides`.

Not jupyterlab-rise: 0.43.1, tried in November 2026, shows no widgets with jupyterlab-widgets 3.0.11 or newer
(its page does not share @jupyterlab/console); with 3.0.10 it does, but takes the arrow keys from the sliders.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for whoever runs this file from elsewhere
from tools import slides
from tools.environment import ROOT, CourseError

RISE = {
    "auto_select": "none",
    "center": False,
    "controls": False,
    "enable_chalkboard": False,
    "height": 720,
    "history": False,
    "margin": 0,
    "minScale": 0.2,
    "scroll": True,
    "show_buttons_on_startup": False,
    "slideNumber": "c/t",
    "theme": "white",
    "transition": "none",
    "width": 1280,
}
UNUSED = ("jupyterlab", "jupyter_lsp", "jupyter_server_terminals", "notebook")  # parts of the server
CUSTOM = ("custom.js", "custom.css")  # what nbclassic loads with each notebook: from tools/lecture.*


def prepared(notebook):
    """Return the notebook for the lecture: slides one after the other, notes behind each, the rest unseen.

    All code is still there, so that everything is defined when the views are moved; other text is not.
    """
    opened = {slide.name: slide for slide in slides.slides(notebook)}
    if not opened:
        raise CourseError("this notebook has no lecture yet: no cell of it is on a slide.")
    cells, last, begins = [], None, 0

    def add(cell, kind, code=False):
        metadata = {"slideshow": {"slide_type": kind}, "lecture": {"code": code}}
        cells.append(nbformat.from_dict(cell | {"metadata": metadata}))

    def add_notes(slide):
        nonlocal begins
        if slide is not None:
            ends = begins + slide.minutes
            lines = [*slide.notes.splitlines(), f"*Minutes {begins:g} to {ends:g}.*"]
            add(new_markdown_cell("\n\n".join(lines), id=f"{slide.name}-notes"), "notes")
            begins = ends

    for cell in notebook.cells:
        kind = slides.kind(cell)
        if kind == "skip":
            if cell.cell_type == "code":
                add(cell, "skip")
            continue
        for part in slides.as_cells(cell) if cell.cell_type == "markdown" else [cell]:
            if part.id in opened:
                add_notes(last)
                last = opened[part.id]
            add(part, "slide" if part.id in opened else kind, slides.slideshow(cell).get("code", False))
    add_notes(last)
    return new_notebook(cells=cells, metadata=notebook.metadata)


def prepare(path, folder):
    """Put into an empty folder what the lecture of the notebook at `path` needs; return its copy there."""
    work, custom = folder / "lecture", folder / "config" / "custom"
    shutil.copytree(path.parent, work, ignore=shutil.ignore_patterns("*.ipynb", ".*"))
    custom.mkdir(parents=True)
    for name in CUSTOM:
        shutil.copyfile(ROOT / "tools" / name.replace("custom", "lecture"), custom / name)
    settings = {
        "jupyter_server_config.json": {"ServerApp": {"jpserver_extensions": dict.fromkeys(UNUSED, False)}},
        "nbconfig/rise.json": RISE,  # in the notebook's metadata RISE may look for it too early
    }
    for name, content in settings.items():
        slides.write(folder / "config" / name, json.dumps(content).encode())
    copy = work / path.name
    nbformat.write(prepared(nbformat.read(path, as_version=4)), copy)
    return copy


def main(arguments):
    """Serve the lecture of one notebook until it is stopped; return the server's exit status."""
    path, *options = arguments
    with tempfile.TemporaryDirectory(prefix="lecture-", ignore_cleanup_errors=True) as scratch:
        try:
            copy = prepare(Path(path).resolve(), Path(scratch))
        except CourseError as error:
            print(f"course: {error}", flush=True)
            return 1
        command = [sys.executable, "-m", "nbclassic", "--ServerApp.ip=127.0.0.1", *options]
        command.append(f"--ServerApp.root_dir={copy.parent}")
        command.append(f"--NotebookApp.default_url=/nbclassic/notebooks/{copy.name}")
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # as in a container; bound to this machine anyway
            command.append("--allow-root")
        variables = {"JUPYTER_CONFIG_DIR": str(Path(scratch, "config")), "JUPYTER_PLATFORM_DIRS": "1"}
        process = subprocess.Popen(command, env=os.environ | variables)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())  # whoever stops this stops the server
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the server asks whether to stop
                continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
