"""Live views as a learner meets them: in a real JupyterLab, moved by keyboard."""

import base64
import io
import os
import signal
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))

SMALL = [
    """
import matplotlib.pyplot as plt
import numpy as np
from course_lib import plots
from course_lib.widgets import live, log_slider, player, slider

plots.use_style()
fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.5))
left.contourf([-1, 0, 1], [-1, 1], [[0, 4, 8], [0, 4, 8]], cmap="Blues", alpha=0.5)
left.plot(0, 0, "*", ms=25, color="gold", mec="k", zorder=9)
right.set(xlim=(0, 20), ylim=(1e-3, 10), yscale="log")
lines = [
    left.plot([], [], "o-", mec="white", lw=1)[0],
    left.plot([], [], "s--", alpha=0.5, zorder=8)[0],
    right.plot([], [], marker="^", markevery=5, ls=(0, (6, 2, 1, 2)))[0],
    right.plot([], [], "x", ms=9, mew=3)[0],
]
bars = right.bar([4, 8], [1, 1], color="#33669980", edgecolor="k")

def step(lr, k):
    if lr > 9.9:
        raise ValueError("lr is too large")
    t = np.linspace(0, 20, 101)
    lines[0].set_data(0.9 * np.cos(t[:21] * lr), np.where(t[:21] == t[7], np.nan, 0.9 * np.sin(t[:21])))
    lines[1].set_data([-5, 0, 5 * lr], [-5 * lr, 0, 4])
    lines[2].set_data(t, 5 * np.exp(-t * lr / 20))
    lines[3].set_data([k], [lr])
    bars[1].set_height(lr)
    return f"lr = {lr}, k = {k}"

view = live(fig, step, [*lines, bars], alt="Lines and bars.",
            lr=log_slider(0.01, 10, 1, label="learning rate", unit="per step"), k=player(20, fps=20))
view
""",
    """
fig, ax = plt.subplots(figsize=(5, 3))
image = ax.imshow(np.zeros((8, 8)), vmin=0, vmax=1, interpolation="nearest")
ax.plot([0, 7], [0, 7], "r")
text = ax.text(0, 5, "", color="white", size=20)

def change(c):
    image.set_data(np.arange(64).reshape(8, 8) / 64 * c)
    text.set_text(f"c = {c:.2f}")

live(fig, change, [image, text], alt="A picture.", c=slider(0, 1, 0.5, label="contrast"))
""",
    "view",
]

# Where Matplotlib draws the lines and bars of a view at given positions of its sliders, in pixels.
ORACLE = """
import numpy as np
from ipywidgets.widgets import widget
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from course_lib.widgets import LiveFigure

view = [v for v in widget._instances.values() if isinstance(v, LiveFigure) and v.alt == {alt!r}][-1]
view._step(**{{name: view._controls[name].values[i] for name, i in {positions!r}.items()}})
result = []
for artist in [artist for _, artists in view._levels for artist in artists]:
    if artist.get_visible() and isinstance(artist, Line2D | Patch):
        points = artist.get_xydata() if isinstance(artist, Line2D) else artist.get_path().vertices
        with np.errstate(all="ignore"):
            points = artist.get_transform().transform(points)
        points = points[np.isfinite(points).all(axis=1)]
        if artist.get_clip_on():
            low, high = artist.axes.bbox.get_points()
            points = points[((low <= points) & (points <= high)).all(axis=1)]
        result += ((points - (0, view._fig.bbox.height)) * (1, -1) * 100 / view._fig.dpi).tolist()
"""

SAVE = """
import base64, io
file = io.BytesIO()
view._fig.savefig(file, dpi=200)
result = base64.b64encode(file.getvalue()).decode()
"""

DRAWN = """view => ({
    points: view.drawn.paths.map(path => [...path]),
    alt: view.querySelector("canvas").getAttribute("aria-label"),
    positions: view.drawn.answer.positions,
    error: view.drawn.answer.error,
    picture: view.querySelector("canvas").toDataURL(),
})"""

SETTLED = """([view, presses]) => view.drawn && view.keyups >= presses &&
    !(view.drawn.answer.haste && view.drawn.answer.pictures.length) &&
    [...view.querySelectorAll("input")].every(
        input => view.drawn.answer.positions[input.name] === Number(input.value))"""

COUNT_KEYS = "view => { view.keyups = 0; view.addEventListener('keyup', () => { view.keyups += 1; }); }"


class View:
    """A live view on the page, with its sliders, and what it has drawn."""

    def __init__(self, locator):
        self.box = locator
        self.sliders = locator.get_by_role("slider")
        self.status = locator.locator(".live-status")
        self.presses = 0
        locator.evaluate(COUNT_KEYS)

    def settle(self):
        """Wait until what is drawn belongs to where the sliders stand; return it."""
        here = [self.box.element_handle(), self.presses]
        self.box.page.wait_for_function(SETTLED, arg=here, timeout=30_000)
        return self.box.evaluate(DRAWN)

    def press(self, *keys, slider=0):
        for key in keys:
            self.sliders.nth(slider).press(key)
            self.presses += 1
        return self.settle()

    def text(self, slider=0):
        return self.sliders.nth(slider).get_attribute("aria-valuetext")


def views_of(page):
    boxes = page.locator(".live-view")
    return [View(boxes.nth(i)) for i in range(boxes.count())]


def image(drawn):
    data = base64.b64decode(drawn["picture"].split(",")[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)


def assert_points_agree(jupyter, name, drawn):
    """Compare the streamed coordinates with those which Matplotlib gives to the artists at these values."""
    sent = np.concatenate([[], *drawn["points"]]).reshape(-1, 2)
    sent = sent[sent[:, 0] != -(2**15)] / 16
    code = ORACLE.format(alt=drawn["alt"], positions=drawn["positions"])
    expected = np.array(jupyter.in_kernel(name, code), float).reshape(-1, 2)
    if len(expected):
        distances = np.array([np.abs(sent - point).max(axis=1).min() for point in expected])
        assert distances.max() < 0.05, (drawn["positions"], expected[distances.argmax()])
    return len(expected)


# ---- Every notebook ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(chromium):
    """Return the page in which all notebooks are opened, one after the other."""
    context = chromium.new_context(viewport={"width": 1600, "height": 1200})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_live_view_of_the_notebook_follows_its_sliders(path, jupyter, desk):
    notebook = nbformat.read(path, as_version=4)
    live = [i for i, cell in enumerate(notebook.cells) if "'Live view: " in str(cell.get("outputs"))]
    notebook.cells = notebook.cells[: live[-1] + 1]  # what comes behind its last view would only take time
    name = f"views of {path.name}"
    nbformat.write(notebook, jupyter.folder / name)
    jupyter.switch(desk, name)
    assert jupyter.run_all(desk) == []
    views = views_of(desk)
    assert len(views) == len(live)
    for view in views:
        before = view.settle()
        assert_points_agree(jupyter, name, before)
        for slider in range(view.sliders.count()):
            end = "Home" if view.sliders.nth(slider).evaluate("input => input.value === input.max") else "End"
            changed = []  # where a run has come to rest, or a slider at its end, one press may show the same
            for key in (end, "PageUp" if end == "Home" else "PageDown", "ArrowLeft"):
                after = view.press(key, slider=slider)
                assert after["error"] == ""
                assert_points_agree(jupyter, name, after)
                changed.append(np.abs(image(after) - image(before)).max() > 0)
                before = after
            assert any(changed), (slider, before["positions"])


# ---- One small notebook --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def small(jupyter):
    """Return a function that writes and opens the small notebook, runs it, and returns its views."""
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in SMALL]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}

    def run(page, name="small.ipynb"):
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), jupyter.folder / name)
        jupyter.open(page, name)
        assert jupyter.run_all(page) == []
        views = views_of(page)
        for view in views:
            view.settle()
        return views

    return run


@pytest.fixture(scope="session")
def opened(chromium, small):
    """Return the small notebook's page, open and run."""
    page = chromium.new_context(viewport={"width": 1280, "height": 1200}).new_page()
    return page, small(page)


@pytest.fixture
def page(opened):
    return opened[0]


@pytest.fixture
def views(opened):
    """Return the three views of the small notebook, put back to their start."""
    for view in opened[1]:
        view.presses = view.box.evaluate("view => { view.drawn.old = true; return view.keyups; }")
        view.box.get_by_role("button", name="Reset").click()
        view.box.page.wait_for_function("view => !view.drawn.old", arg=view.box.element_handle())
        view.settle()
    return opened[1]


def test_keys_move_the_slider_and_no_cell(views, page):
    lines = views[0]
    page.evaluate("() => document.addEventListener('keydown', e => (window.heard ??= []).push(e.key))")
    position = lines.settle()["positions"]["lr"]
    for key, move in {
        "ArrowRight": 1,
        "ArrowUp": 1,
        "ArrowLeft": -1,
        "ArrowDown": -1,
        "PageUp": 20,
        "PageDown": -20,
    }.items():
        position += move
        assert lines.press(key)["positions"]["lr"] == position, key
    assert lines.press("Home")["positions"]["lr"] == 0
    assert lines.text() == "0.0100 per step"
    assert lines.press("End", slider=1)["positions"] == {"lr": 0, "k": 20}
    lines.sliders.first.focus()
    cells = page.locator(".jp-Cell").count()
    for key in ("a", "b", "x", "d", "d", "Enter", "Shift"):
        page.keyboard.press(key)
    assert page.locator(".jp-Cell").count() == cells
    assert page.evaluate("() => window.heard ?? []") == []
    page.keyboard.press("Tab")
    assert page.evaluate("() => [window.heard, document.activeElement.name]") == [["Tab"], "k"]
    page.keyboard.press("Escape")
    assert page.evaluate("() => window.heard") == ["Tab", "Escape"]


def test_coordinates_picture_and_text_follow(views, jupyter):
    lines, picture, _ = views
    before = lines.settle()
    after = lines.press("PageDown", "PageDown", "ArrowLeft")
    assert assert_points_agree(jupyter, "small.ipynb", after) > 100
    assert np.abs(image(after) - image(before)).max() > 100
    assert lines.status.inner_text().startswith(f"lr = {float(lines.text().split()[0])}")
    before = picture.settle()
    after = picture.press("End")
    assert np.abs(image(after) - image(before)).max() > 100
    assert picture.status.inner_text() == ""


def test_a_second_look_at_the_same_view_keeps_step(views, page):
    lines, _, again = views
    drawn = lines.press("PageDown")
    page.wait_for_function(
        "([a, b]) => a.drawn.answer === b.drawn.answer",
        arg=[lines.box.element_handle(), again.box.element_handle()],
    )
    assert again.settle()["positions"] == drawn["positions"]
    assert again.text() == lines.text()
    drawn = again.press("ArrowRight", "ArrowRight")
    assert lines.settle()["positions"] == drawn["positions"]


def test_names_roles_and_values_are_there_for_a_screen_reader(views, page):
    group = page.get_by_role("group", name="Live view: Lines and bars.").first
    tree = group.aria_snapshot()
    for part in (
        'slider "learning rate": ',
        'slider "step": ',
        'button "Play"',
        'button "Reset"',
        'img "Lines and bars."',
        "text: lr = 1.0, k = 0",
    ):
        assert part in tree, tree
    # Chromium's own protocol leaves aria-valuetext out of the tree that it reports
    assert [views[0].text(), views[0].text(1), views[1].text()] == ["1.00 per step", "0", "0.500"]


def test_reset_goes_back_to_the_start(views):
    lines = views[0]
    start = lines.settle()
    lines.press("Home")
    lines.press("End", slider=1)
    lines.box.get_by_role("button", name="Reset").click()
    drawn = lines.settle()
    assert drawn["positions"] == start["positions"] == {"lr": 133, "k": 0}
    assert drawn["picture"] == start["picture"]
    assert lines.text() == "1.00 per step"


def test_play_runs_pauses_and_ends(views, page):
    lines = views[0]
    button = lines.box.get_by_role("button").first
    assert button.inner_text() == "Play"
    button.click()
    page.wait_for_function("view => view.drawn.answer.positions.k >= 3", arg=lines.box.element_handle())
    button.click()
    assert button.inner_text() == "Play"
    paused = lines.settle()["positions"]["k"]
    page.wait_for_timeout(300)
    assert lines.settle()["positions"]["k"] == paused < 20
    button.click()
    assert button.inner_text() == "Pause"
    page.wait_for_function("view => view.drawn.answer.positions.k === 20", arg=lines.box.element_handle())
    assert button.inner_text() == "Play"
    button.click()  # starts anew
    page.wait_for_function("view => view.drawn.answer.positions.k < 10", arg=lines.box.element_handle())
    lines.press("ArrowRight", slider=1)
    assert button.inner_text() == "Play"


def test_reduced_motion_goes_step_by_step(small, new_page):
    page = new_page(reduced_motion="reduce")
    lines = small(page)[0]
    button = lines.box.get_by_role("button").first
    assert button.inner_text() == "Next step"
    for k in (1, 2):
        button.click()
        assert lines.settle()["positions"]["k"] == k
    page.wait_for_timeout(300)
    assert lines.settle()["positions"]["k"] == 2
    lines.press("End", slider=1)
    button.click()
    assert lines.settle()["positions"]["k"] == 0


def test_many_presses_end_where_the_slider_stands(views, page):
    lines = views[0]
    lines.box.evaluate("view => { view.count = 0; view.addEventListener('drawn', () => view.count++); }")
    lines.sliders.first.focus()
    for _ in range(60):
        page.keyboard.down("ArrowLeft")
    page.keyboard.up("ArrowLeft")
    lines.presses += 1
    assert lines.settle()["positions"]["lr"] == 133 - 60
    assert 2 <= lines.box.evaluate("view => view.count") <= 60


@pytest.mark.parametrize(("number", "sent"), [(0, [True]), (1, [True, False])])
def test_pictures_come_in_haste_and_then_sharp_and_lines_once(number, sent, views, page):
    view = views[number]
    view.box.evaluate("""view => {
        view.haste = [];
        view.addEventListener("drawn", () => view.haste.push(view.drawn.answer.haste));
    }""")
    view.press("ArrowLeft")
    page.wait_for_timeout(600)
    assert view.box.evaluate("view => view.haste") == sent


def test_an_error_in_step_stands_in_the_view(views):
    lines = views[0]
    good = lines.settle()
    drawn = lines.press("End")
    assert drawn["error"] == lines.status.inner_text()
    assert lines.status.inner_text().endswith("ValueError: lr is too large")
    assert "live-error" in lines.status.get_attribute("class")
    assert drawn["picture"] == good["picture"]
    assert lines.press("PageDown")["error"] == ""
    assert lines.status.inner_text().startswith("lr = ")
    assert "live-error" not in lines.status.get_attribute("class")


def test_a_silent_kernel_is_told_and_caught_up_with(views, page, jupyter):
    lines = views[0]
    kernel = jupyter.in_kernel("small.ipynb", "import os; result = os.getpid()")
    os.kill(kernel, signal.SIGSTOP)
    try:
        for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft"):
            lines.sliders.first.press(key)
        lines.status.filter(has_text="No answer from the kernel for 5 s").wait_for(timeout=15_000)
        assert "live-error" in lines.status.get_attribute("class")
    finally:
        os.kill(kernel, signal.SIGCONT)
    assert lines.settle()["positions"]["lr"] == 130
    assert lines.status.inner_text().startswith("lr = ")


@pytest.mark.parametrize("end", ["restart", "shutdown"])
def test_a_dead_kernel_is_told(end, small, new_page, jupyter):
    page = new_page()
    lines = small(page, f"{end}.ipynb")[0]
    jupyter.end_kernel(f"{end}.ipynb", end)
    page.wait_for_timeout(1000)
    lines.sliders.first.press("ArrowLeft")
    lines.status.filter(has_text="kernel").wait_for(timeout=15_000)
    assert "stopped" in lines.status.inner_text()
    assert lines.sliders.first.get_attribute("aria-valuetext") == lines.text() != "1.00 per step"


@pytest.mark.parametrize("ratio", [1, 2])
def test_the_canvas_is_sharp_and_looks_like_matplotlib(ratio, small, new_page, jupyter):
    page = new_page(device_scale_factor=ratio)
    lines, picture, _ = small(page)
    for view, alt, size, key in [
        (lines, "Lines and bars.", (800, 350), "PageDown"),
        (picture, "A picture.", (500, 300), "PageUp"),
    ]:
        drawn = view.press(key)
        canvas = image(drawn)
        assert canvas.shape[1::-1] == (ratio * size[0], ratio * size[1])
        assert view.box.locator("canvas").bounding_box()["width"] == size[0]
        code = ORACLE.format(alt=alt, positions=drawn["positions"]) + SAVE
        picture = Image.open(io.BytesIO(base64.b64decode(jupyter.in_kernel("small.ipynb", code))))
        expected = np.asarray(picture.convert("RGB").resize(canvas.shape[1::-1]), float)
        difference = np.abs(canvas - expected).max(axis=2)
        assert difference.mean() < 1.5
        assert (difference > 100).mean() < 0.004


def test_without_a_kernel_there_is_the_picture(new_page, tmp_path):
    import matplotlib.pyplot as plt
    from nbconvert import HTMLExporter

    from course_lib.widgets import live, slider

    fig, ax = plt.subplots(figsize=(4, 3))
    (line,) = ax.plot([0, 1], [0, 1])
    view = live(fig, lambda k: line.set_ydata([0, k]), line, alt="A line.", k=slider(0, 1, 1))
    data, metadata = view._repr_mimebundle_()
    cell = nbformat.v4.new_code_cell("view")
    cell.outputs = [nbformat.v4.new_output("display_data", data=data, metadata=metadata)]
    html, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    (tmp_path / "view.html").write_text(html)
    page = new_page(java_script_enabled=False)
    page.goto((tmp_path / "view.html").as_uri())
    picture = page.locator(".jp-OutputArea-output img")
    assert picture.bounding_box()["width"] == 400
    assert picture.get_attribute("src").startswith("data:image/png;base64,")
    assert page.get_by_role("slider").count() == 0
