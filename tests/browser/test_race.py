"""Races as a reader meets them: in JupyterLab, on an exported page, where no script may run, on a slide."""

import base64
import io
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbconvert import HTMLExporter
from PIL import Image

from tools import commands, movies
from tools.notebooks import tags

pytestmark = pytest.mark.browser

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[!.]*.ipynb"))

SOURCE = [
    """
import matplotlib.pyplot as plt
import numpy as np
from course_lib import plots
from course_lib.race import race

plots.use_style()
t = np.linspace(0, 1, 41)
fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3))
left.contourf([0, 1], [0, 1], [[0, 4], [0, 4]], cmap="Blues", alpha=0.5)
left.plot(0.8, 0.64, "*", ms=20, color="gold", zorder=5)
right.set(xlim=(0, 40), ylim=(1e-3, 2), yscale="log")
tracks = left.plot(t, t**2, **plots.method_style("Momentum"))
tracks += right.plot(np.where(t > 0.61, np.nan, np.exp(-5 * t)), **plots.method_style("Nesterov"))
race(fig, tracks, alt="A parabola and a loss that is lost.", seconds=2)
""",
    """
fig, ax = plt.subplots(figsize=(4, 3))
race(fig, ax.plot([0, 1, 2], [0, 1, 0], "r", lw=4), alt="One more, with two steps.", heads=False)
""",
]

STATE = """box => ({
    position: box.drawn.position,
    playing: box.drawn.playing,
    picture: box.querySelector("canvas").toDataURL(),
})"""

COUNT = """(box, milliseconds) => new Promise(done => {
    const times = [];
    box.addEventListener("drawn", () => times.push(performance.now()));
    box.querySelector("button").click();
    setTimeout(() => done(times.length), milliseconds);
})"""


class Race:
    """A race on the page."""

    def __init__(self, box):
        self.box = box
        self.button = box.get_by_role("button")
        self.slider = box.get_by_role("slider")
        self.speed = box.get_by_role("combobox", name="speed")
        box.locator("canvas").wait_for(timeout=30_000)

    def state(self):
        return self.box.evaluate(STATE)

    def image(self):
        data = base64.b64decode(self.state()["picture"].split(",")[1])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)

    def wait(self, condition):
        self.box.page.wait_for_function(f"box => {condition}", arg=self.box.element_handle(), timeout=20_000)

    def press(self, *keys):
        for key in keys:
            self.slider.press(key)
        return self.state()["position"]


def races_of(page):
    boxes = page.locator(".race-view")
    return [Race(boxes.nth(i)) for i in range(boxes.count())]


@pytest.fixture(scope="session")
def notebook(jupyter):
    """Return the path of a notebook with two races that JupyterLab has run and saved."""
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in SOURCE]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = jupyter.folder / "races.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    return path


@pytest.fixture(scope="session")
def in_lab(jupyter, notebook, chromium):
    """Return the page of the notebook, run in JupyterLab and saved, and what its console said."""
    page = chromium.new_context(viewport={"width": 1280, "height": 1200}).new_page()
    said = []
    jupyter.open(page, notebook.name)
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    assert jupyter.run_all(page) == []
    races_of(page)
    page.keyboard.press("Control+s")
    page.wait_for_timeout(1500)
    return page, said


@pytest.fixture(scope="session")
def exported(in_lab, notebook, tmp_path_factory):
    """Return the page that nbconvert makes of the saved notebook, as a file."""
    stored = nbformat.read(notebook, as_version=4)
    assert all("text/html" in cell.outputs[0].data for cell in stored.cells)
    text = HTMLExporter().from_notebook_node(stored)[0]
    path = tmp_path_factory.mktemp("site") / "races.html"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def open_page(exported, new_page):
    """Return a function that opens the exported page without any network, and the list of what went wrong."""

    def open_it(**options):
        page, wrong = new_page(**options), []
        page.route(
            "**/*",
            lambda route: route.continue_() if route.request.url[:5] in ("file:", "data:") else route.abort(),
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(exported.as_uri(), wait_until="domcontentloaded")
        return page, wrong

    return open_it


def assert_plays(race):
    """Let a race of two seconds run, and hold its course."""
    start = race.image()
    assert race.state()["position"] == 40
    assert race.button.inner_text() == "Play"
    assert race.box.evaluate(COUNT, 1200) > 40

    state = race.state()
    assert state["playing"]
    assert 14 < state["position"] < 30
    assert race.button.inner_text() == "Pause"
    assert np.abs(race.image() - start).max() > 100
    race.wait("!box.drawn.playing")
    assert race.state()["position"] == 40
    assert race.button.inner_text() == "Play"
    np.testing.assert_array_equal(race.image(), start)


# ---- In JupyterLab -------------------------------------------------------------------------------------


def test_it_plays_in_jupyterlab_after_a_run(in_lab):
    page, said = in_lab
    first, second = races_of(page)
    before = second.image()
    assert_plays(first)
    np.testing.assert_array_equal(second.image(), before)
    assert second.state()["position"] == 2
    assert said == []


def test_keys_move_the_race_and_no_cell(in_lab):
    page, _ = in_lab
    race = races_of(page)[0]
    page.evaluate("() => document.addEventListener('keydown', e => (window.heard ??= []).push(e.key))")
    assert race.press("Home") == 0
    assert race.press("ArrowRight", "ArrowUp", "ArrowRight", "ArrowLeft") == 2
    assert race.press("End", "ArrowLeft") == 39
    for key in ("a", "b", "d", "d"):
        race.slider.press(key)
    assert page.evaluate("() => window.heard ?? []") == []
    page.keyboard.press("Tab")
    assert page.evaluate("() => [window.heard, document.activeElement.tagName]") == [["Tab"], "SELECT"]


def test_a_saved_race_stands_there_before_anything_runs(in_lab, jupyter, notebook, new_page):
    copy = notebook.with_name("stored.ipynb")
    stored = nbformat.read(notebook, as_version=4)
    for cell in stored.cells:  # as if it came from elsewhere: JupyterLab does not trust it
        cell.metadata["trusted"] = False
        cell.source += "\n"
    nbformat.write(stored, copy)
    page = new_page()
    jupyter.open(page, copy.name)
    image = page.get_by_role("img", name="A parabola and a loss that is lost.").first
    image.wait_for()
    assert image.evaluate("image => image.naturalWidth || image.width") > 700
    assert page.get_by_text("A parabola and a loss that is lost.", exact=True).last.is_visible()
    assert page.locator("canvas").count() == 0, "it is not trusted: no script has run"


def test_the_races_of_all_notebooks_play_from_the_disk(new_page, tmp_path):
    for path in NOTEBOOKS:
        stored = nbformat.read(path, as_version=4)
        races = [
            o for cell in stored.cells for o in cell.get("outputs", []) if "Race: " in str(o.get("data"))
        ]
        if races:
            page, wrong = new_page(), []
            page.on("pageerror", lambda error, wrong=wrong: wrong.append(str(error)))
            (tmp_path / "page.html").write_text(
                "<meta charset=utf-8>" + "\n".join(o.data["text/html"] for o in races), "utf-8"
            )
            page.goto((tmp_path / "page.html").as_uri())
            for race in races_of(page):
                assert race.press("Home") == 0
                assert race.box.evaluate(COUNT, 500) > 15
                assert race.state()["position"] > 0
            assert (len(races_of(page)), wrong) == (len(races), []), path.name


# ---- On an exported page -------------------------------------------------------------------------------


def test_it_plays_from_the_disk_without_kernel_and_network(open_page):
    page, wrong = open_page()
    first, second = races_of(page)
    assert_plays(first)
    assert second.press("Home") == 0
    assert first.state()["position"] == 40
    assert wrong == []


def test_pause_and_scrubbing_stop_it_where_it_is(open_page):
    page, _ = open_page()
    race = races_of(page)[0]
    race.button.click()
    race.wait("box.drawn.position > 5")
    race.button.click()
    paused = race.state()
    assert not paused["playing"]
    page.wait_for_timeout(300)
    assert race.state() == paused
    race.button.click()
    race.wait(f"box.drawn.position > {paused['position'] + 2}")
    place = race.press("ArrowRight")
    assert place == round(place)
    page.wait_for_timeout(300)
    assert race.state()["position"] == place
    assert race.button.inner_text() == "Play"
    assert race.slider.get_attribute("aria-valuetext") == f"{place} of 40"


@pytest.mark.parametrize(("speed", "steps"), [("0.25", 5), ("2", 40)])
def test_speed_is_a_choice(speed, steps, open_page):
    page, _ = open_page()
    race = races_of(page)[0]
    race.speed.select_option(speed)
    race.press("Home")
    assert race.box.evaluate(COUNT, 1100) > 20
    assert race.state()["position"] == pytest.approx(steps, abs=2)


def test_reduced_motion_goes_step_by_step(open_page):
    page, _ = open_page(reduced_motion="reduce")
    race = races_of(page)[0]
    assert race.button.inner_text() == "Next step"
    assert race.speed.count() == 0, "it would change nothing"
    race.box.evaluate("box => { box.count = 0; box.addEventListener('drawn', () => box.count++); }")
    for k in (0, 1, 2):
        race.button.click()
        page.wait_for_timeout(100)
        assert race.state() | {"picture": ""} == {"position": k, "playing": False, "picture": ""}
        assert race.box.get_by_role("status").inner_text() == f"step {k} of 40"
    assert race.press("ArrowRight", "ArrowRight") == 4
    assert race.box.evaluate("box => box.count") == 5, "one picture for each press"


def test_names_roles_and_values_are_there_for_a_screen_reader(open_page):
    page, _ = open_page()
    race = races_of(page)[0]
    tree = page.get_by_role("group", name="Race: A parabola and a loss that is lost.").aria_snapshot()
    for part in (
        'button "Play"',
        'slider "step"',
        'combobox "speed"',
        'img "A parabola and a loss that is lost."',
    ):
        assert part in tree, tree
    assert race.slider.get_attribute("aria-valuetext") == "40 of 40"


@pytest.mark.parametrize("ratio", [1, 2])
def test_its_end_looks_like_the_still(ratio, open_page, notebook):
    page, _ = open_page(device_scale_factor=ratio)
    drawn = races_of(page)[0].image()
    data = nbformat.read(notebook, as_version=4).cells[0].outputs[0].data["image/png"]
    still = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    assert drawn.shape == (300 * ratio, 800 * ratio, 3)
    still = np.asarray(still.resize(drawn.shape[1::-1], Image.Resampling.BOX), float)
    difference = np.abs(drawn - still).max(axis=2)
    assert difference.mean() < 2
    assert (difference > 60).mean() < 0.005


def test_the_head_turns_into_a_cross_where_a_track_is_lost(open_page):
    page, _ = open_page()
    race = races_of(page)[0]
    race.press("Home", *["PageUp"] * 6)  # steps of a tenth
    assert race.state()["position"] == 24
    before = race.image()
    race.press("ArrowRight")
    changed = np.argwhere(np.abs(race.image() - before).max(axis=2) > 60)
    right = changed[changed[:, 1] > 400]
    assert len(right) > 20, "the marker of the lost track changes"
    assert np.ptp(right, axis=0).max() < 40, "and nothing else of it"


def test_without_scripts_the_still_and_its_caption_are_there(open_page):
    page, _ = open_page(java_script_enabled=False)
    image = page.get_by_role("img", name="One more, with two steps.")
    assert image.bounding_box()["width"] == 400
    assert page.locator(".race-view .course-caption").last.inner_text() == "One more, with two steps."
    assert page.locator(".race-view").get_by_role("button").count() == 0


# ---- On a slide ----------------------------------------------------------------------------------------


def test_the_race_of_notebook_04_becomes_a_movie(tmp_path):
    """The real notebook, but for a movie of 1.2 seconds instead of 8."""
    source = commands.named("04", "ONLY")
    book = nbformat.read(source, as_version=4)
    (cell,) = (cell for cell in book.cells if "race" in tags(cell))
    assert cell.source.count("race(fig, ") == 1
    cell.source = cell.source.replace("race(fig, ", "race(seconds=1.2, fig=fig, tracks=")
    nbformat.write(book, tmp_path / source.name)
    shutil.copytree(source.parent / "data", tmp_path / "data")
    assert movies.main([tmp_path / "out", tmp_path / source.name]) == 0
    with Image.open(tmp_path / "out" / f"{source.stem}.gif") as movie:
        assert movie.n_frames > 20
        assert movie.size == (1200, 470)
    assert (tmp_path / "out" / f"{source.stem}.mp4").stat().st_size > 0
