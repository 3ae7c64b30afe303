"""One JupyterLab, one Chromium, one site and one set of slides for all browser tests, from the notebooks."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import nbformat
import pytest

from tools import slides
from tools.environment import CourseError

sys.path.insert(0, str(Path(__file__).parent))
import lab
import published

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="session", autouse=True)
def _needs_a_browser():
    missing = "Chromium" if lab.chromium() is None else None
    missing = missing or ("playwright" if importlib.util.find_spec("playwright") is None else None)
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{missing} is missing, which CI must have")
    if missing:
        pytest.skip(f"{missing} is not installed")


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory):
    """Return a running JupyterLab on a copy of the notebooks."""
    folder = tmp_path_factory.mktemp("lab") / "notebooks"
    shutil.copytree(NOTEBOOKS, folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with lab.jupyterlab(folder) as running:
        yield running


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id):
    """Return the folder of the course's site, with a Pyodide of its own: built once for all workers.

    COURSE_SITE names one that `make site PYODIDE=folder` has made, to save the time.
    """
    if "COURSE_SITE" in os.environ:
        return Path(os.environ["COURSE_SITE"])
    shared = tmp_path_factory.getbasetemp()
    return published.once((shared if worker_id == "master" else shared.parent) / "site", published.build)


@pytest.fixture(scope="session")
def web(site):
    """Return the address at which that site is served."""
    with published.served(site) as address:
        yield address


@pytest.fixture(scope="session")
def deck(tmp_path_factory):
    """Return a function that makes the deck of a notebook, once, and returns its address on the disk."""
    missing = None if importlib.util.find_spec("nbconvert") else "nbconvert is not installed"
    folder = tmp_path_factory.mktemp("slides")
    try:
        for name, content in {} if missing else slides.assets().items():
            slides.write(folder / "assets" / name, content)
    except CourseError as error:
        missing = str(error)
    if missing and os.environ.get("CI") == "true":
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)

    def make(path):
        file = folder / f"{path.stem}.html"
        if not file.exists():
            notebook = nbformat.read(path, as_version=4)
            slides.write(file, slides.page(notebook, path.name.split("_")[0]).encode())
        return file.as_uri()

    return make


@pytest.fixture(scope="session")
def chromium():
    with lab.browser() as running:
        yield running


@pytest.fixture
def new_page(chromium):
    """Return a function that opens an empty page; keywords are those of a Playwright context."""
    contexts = []

    def open_page(**options):
        contexts.append(chromium.new_context(**({"viewport": {"width": 1280, "height": 1200}} | options)))
        return contexts[-1].new_page()

    yield open_page
    for context in contexts:
        context.close()
