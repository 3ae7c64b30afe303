"""A lecture as it is given: in nbclassic with RISE, in an environment of its own, live views included."""

import os
import re
import secrets
import shutil
import subprocess

import lab
import nbformat
import pytest

from tools import lecture, slides
from tools.commands import CACHE
from tools.environment import ROOT, CourseError, environment

pytestmark = pytest.mark.browser
NOTEBOOK = slides.FOLDER / "02_gradient_descent_and_sgd.ipynb"
LAST = "rule-live"  # up to its first live view: the rest would only take time


@pytest.fixture(scope="module")
def python():
    """Return the Python of the environment in which `make lecture` runs."""
    try:
        return environment("lecture", folder=CACHE / "lecture")
    except CourseError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Return the beginning of a notebook, in a folder with its data."""
    folder = tmp_path_factory.mktemp("short")
    shutil.copytree(slides.FOLDER / "data", folder / "data")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    last = next(i for i, cell in enumerate(notebook.cells) if cell.id == LAST)
    notebook.cells = notebook.cells[: last + 1]
    nbformat.write(notebook, folder / NOTEBOOK.name)
    return folder / NOTEBOOK.name


@pytest.fixture(scope="module")
def address(python, short, tmp_path_factory):
    """Return the address that the server prints, and opens in a browser."""
    port, token = lab.free_port(), secrets.token_hex(16)
    log = tmp_path_factory.mktemp("log") / "lecture.log"
    command = [python, ROOT / "tools/lecture.py", short, "--no-browser"]
    command += [f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
    with log.open("wb") as said:
        server = subprocess.Popen(list(map(str, command)), stdout=said, stderr=said)
    try:
        base = f"http://127.0.0.1:{port}"
        lab.wait_until_up(f"{base}/api/status?token={token}", server, log)
        (path,) = set(re.findall(rf"{base}(/\S+)\?token=", log.read_text()))
        yield f"{base}{path}?token={token}"
    finally:
        server.terminate()
        server.wait(60)


def test_a_slider_moves_the_picture_in_the_slideshow(address, short, new_page):
    page, outside = new_page(viewport={"width": 1280, "height": 720}), []
    page.set_default_timeout(120_000)
    page.context.route(
        lambda url: not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")),
        lambda route: (outside.append(route.request.url), route.abort()),
    )
    page.goto(address, wait_until="commit")
    page.wait_for_selector("body.rise-enabled #notebook.reveal section.present h1", timeout=240_000)
    made = slides.slides(nbformat.read(short, as_version=4))
    page.wait_for_function("count => window.Reveal?.getTotalSlides() === count", arg=len(made))
    assert page.locator("#lecture-banner").count() == 0
    assert not page.locator("section.present .prompt, section.present aside").filter(visible=True).count()

    with page.expect_popup() as popup:
        page.keyboard.press("t")
    notes = popup.value
    for slide in made[:2]:
        notes.get_by_text(slide.notes.splitlines()[0]).wait_for()
        page.keyboard.press("ArrowRight")
    page.bring_to_front()
    for _ in made[3:]:
        page.keyboard.press("ArrowRight")
    view = page.locator("section.present .live-view")
    view.wait_for()
    assert page.evaluate("Reveal.getScale()") == 1
    assert not page.locator("section.present div.input").filter(visible=True).count()
    box = view.bounding_box()
    assert box["width"] > 1000
    assert 0 <= box["x"] <= box["x"] + box["width"] <= 1280
    assert 0 <= box["y"] <= box["y"] + box["height"] <= 720

    def picture():
        return view.locator("canvas").evaluate("canvas => canvas.toDataURL()")

    before, status = picture(), view.locator(".live-status").inner_text()
    slider = view.locator("input[name=lr]")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "([status]) => document.querySelector('section.present .live-status').textContent !== status",
        arg=[status],
    )
    assert picture() != before
    assert slider.is_visible(), "the arrow keys moved the slides, not the slider"
    assert not outside


def test_notes_stand_behind_each_slide(short):
    cells = lecture.prepared(nbformat.read(short, as_version=4)).cells
    kinds = [cell.metadata["slideshow"]["slide_type"] for cell in cells]
    shown = [kind for kind in kinds if kind != "skip"]
    made = slides.slides(nbformat.read(short, as_version=4))
    assert shown.count("slide") == shown.count("notes") == len(made)
    assert shown[:2] == ["slide", "notes"]
    notes = [cell.source for cell in cells if cell.metadata["slideshow"]["slide_type"] == "notes"]
    assert [text.split()[:-4] for text in notes] == [slide.notes.split() for slide in made]
    assert notes[0].endswith("\n\n*Minutes 0 to 1.*")


def test_all_code_is_still_there(short):
    before = nbformat.read(short, as_version=4)
    after = lecture.prepared(before)
    assert [c.source for c in after.cells if c.cell_type == "code"] == [
        c.source for c in before.cells if c.cell_type == "code"
    ]
