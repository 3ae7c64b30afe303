"""What a screen reader, a keyboard and an eye that needs contrast meet; axe-core looks, too."""

import os

import axe
import nbformat
import published
import pytest

from tools.environment import CourseError
from tools.notebooks import FOLDER

pytestmark = pytest.mark.browser

KINDS = [
    """
import matplotlib.pyplot as plt
from course_lib import plots
from course_lib.display import show
from course_lib.exercises import Feedback, Progress
from course_lib.race import race
from course_lib.widgets import live, log_slider, player, slider

plots.use_style()
fig, ax = plt.subplots(figsize=(6, 3))
(line,) = ax.plot([0, 1], [0, 1])

def step(lr, k, c):
    if lr > 9.9:
        raise ValueError("lr is too large")
    line.set_ydata([0, lr])
    return f"lr = {lr}, k = {k}"

live(fig, step, line, alt="A line through the origin.", lr=log_slider(0.01, 10, 1, label="learning rate"),
     c=slider(0, 1, 0.5, label="weight", unit="kg"), k=player(20, fps=20))
""",
    """
fig, ax = plt.subplots(figsize=(4, 3))
race(fig, ax.plot([0, 1, 2], [0, 1, 0], "r", lw=4), alt="One track goes up and comes down.", seconds=2)
""",
    """
fig, ax = plt.subplots(figsize=(4, 3))
show(fig, "An empty plot, in which nothing is to be seen.")
""",
    'Feedback("passed", "01.2 Slope", "Its error shrinks with `h**2`.", exercise="01.2")',
    'Feedback("not yet", "01.2 Slope", "Expected `2`, got -2.", "Look at the `sign`.", "01.2", note="Lost.")',
    'Feedback("not attempted", "01.2 Slope", "Replace the `...`.")',
    'Progress({"01.1": "Slope", "01.2": "Step", "02.1": "Valley"}, {"01.1"}, "The file was damaged.")',
]

THEMES = ["JupyterLab Light", "JupyterLab Dark"]

OURS = ".jp-OutputArea-output"  # all else on the page is JupyterLab's

# The contrast of an element's border, focus ring and slider with the colour on which it stands.
CONTRAST = """(element, part) => {
    const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const light = (...colours) => {
        pixel.clearRect(0, 0, 1, 1);
        for (const colour of colours) {
            pixel.fillStyle = colour;
            pixel.fillRect(0, 0, 1, 1);
        }
        const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const [r, g, b] = [...pixel.getImageData(0, 0, 1, 1).data].map((v) => linear(v / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const behind = [];
    for (let at = element.parentElement; at; at = at.parentElement) {
        behind.unshift(getComputedStyle(at).backgroundColor);
    }
    const [one, other] = [light(...behind, getComputedStyle(element)[part]), light(...behind)];
    return Math.max(one, other) / Math.min(one, other);
}"""


@pytest.fixture(scope="session", autouse=True)
def _axe():
    try:
        axe.source()
    except CourseError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"axe-core: {error}")


# ---- In JupyterLab -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(jupyter, chromium):
    """Return a page in JupyterLab with one output of each kind that the course makes."""
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in KINDS]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), jupyter.folder / "kinds.ipynb")
    page = chromium.new_context(viewport={"width": 1280, "height": 2600}).new_page()
    jupyter.open(page, "kinds.ipynb")
    assert jupyter.run_all(page) == []
    for canvas in (".live-view canvas", ".race-view canvas"):
        page.locator(canvas).wait_for()
    return page


@pytest.fixture(params=THEMES)
def themed(request, page, jupyter):
    """Return the page in light and in dark colours."""
    jupyter.set_theme(page, request.param)
    return page


def test_axe_finds_nothing_in_the_outputs(themed):
    slider = themed.get_by_role("slider", name="learning rate")
    slider.press("End")
    themed.locator(".live-error").wait_for()
    assert axe.faults(themed, OURS) == []
    slider.press("PageDown")
    themed.locator(".live-status:not(.live-error)").wait_for()
    assert axe.faults(themed, OURS) == []


def test_controls_and_their_focus_stand_out(themed):
    measured = {}
    for control in themed.locator(":is(.live-view, .race-view) :is(button, select, input)").all():
        control.press("Shift")  # by keyboard: only then is there a ring
        assert control.evaluate("element => parseFloat(getComputedStyle(element).outlineWidth)") >= 2
        part = "accentColor" if control.get_attribute("type") == "range" else "borderTopColor"
        for colour in (part, "outlineColor"):
            measured[str(control), colour] = control.evaluate(CONTRAST, colour)
    assert len(measured) == 2 * 8
    assert {key: value for key, value in measured.items() if value < 3} == {}
    edges = [
        panel.evaluate(CONTRAST, "borderLeftColor") for panel in themed.locator("[role=status][style]").all()
    ]
    assert len(edges) == 3
    assert min(edges) > 3


def test_tab_goes_from_control_to_control_as_they_stand(page):
    focus = """() => {
        const { left, bottom } = document.activeElement.getBoundingClientRect();
        const element = document.activeElement;
        return [element.name || element.textContent, Math.round(bottom / 20), left];
    }"""
    page.get_by_role("slider", name="learning rate").focus()
    stops = []
    for _ in range(5):
        stops.append(page.evaluate(focus))
        page.keyboard.press("Tab")
    assert [name for name, *_ in stops] == ["lr", "c", "k", "Play", "Reset"]
    assert [place for _, *place in stops] == sorted(place for _, *place in stops)
    page.locator(".race-view").get_by_role("button").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.type") == "range"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.tagName") == "SELECT"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("() => document.activeElement.type") == "range"


def test_the_picture_of_a_live_view_says_what_it_shows_now(page):
    slider = page.get_by_role("slider", name="weight")
    slider.press("Home")
    assert slider.get_attribute("aria-valuetext") == "0.000 kg"
    picture = page.locator(".live-view canvas")
    assert picture.get_attribute("aria-label") == "A line through the origin."
    described = page.locator(f"[id='{picture.get_attribute('aria-describedby')}']")
    assert described.inner_text().startswith("lr = ")
    assert described.is_visible()


def test_the_text_below_is_spoken_once_it_rests(page):
    view = page.locator(".live-view")
    view.evaluate("""view => {
        view.spoken = [];
        const status = view.querySelector("[role=status]");
        const note = () => status.textContent && view.spoken.push(status.textContent);
        new MutationObserver(note).observe(status, { childList: true });
    }""")
    slider = page.get_by_role("slider", name="learning rate")
    slider.press("Home")
    page.wait_for_function("view => view.spoken.length === 1", arg=view.element_handle())
    for _ in range(20):
        slider.press("ArrowRight")
    view.get_by_role("button", name="Play").click()
    page.wait_for_timeout(800)
    assert view.evaluate("view => view.spoken.length") == 1
    page.wait_for_function("view => view.spoken.length === 2", arg=view.element_handle())
    said = view.evaluate("view => view.spoken")
    assert said == ["lr = 0.01, k = 0", "lr = 0.02, k = 20"]
    assert view.locator(".live-status").inner_text() == said[-1]


def test_a_figure_has_its_caption_as_its_text_alternative(page):
    page.get_by_role("img", name="An empty plot, in which nothing is to be seen.").wait_for()


# ---- On the site ---------------------------------------------------------------------------------------

PAGES = ["index", "search", *sorted(path.stem for path in FOLDER.glob("[!.]*.ipynb"))]
WITH_FORMULAS = ["02_gradient_descent_and_sgd"]  # MathJax's own output is looked at once

# A page holds thousands of coloured words of code, in a few colours: one of each stands for all.
FEWER_WORDS = """() => {
    const seen = new Set();
    for (const word of document.querySelectorAll(".highlight span[class]")) {
        if (seen.has(word.className)) word.replaceWith(...word.childNodes);
        seen.add(word.className);
    }
}"""


@pytest.fixture(scope="module")
def reader(chromium):
    """Return one page for the whole site, which keeps the files that all pages share."""
    page = chromium.new_context(viewport={"width": 1280, "height": 1200}, reduced_motion="reduce").new_page()
    yield page
    page.context.close()


@pytest.mark.parametrize("stem", PAGES)
def test_axe_finds_nothing_on_a_page_of_the_site(stem, web, reader):
    page = reader
    page.emulate_media(color_scheme="light")
    page.unroute_all()
    if stem not in WITH_FORMULAS:
        page.route("**/mathjax/**", lambda route: route.abort())
    page.goto(f"{web}/{stem}.html", wait_until="load")
    if stem in WITH_FORMULAS:
        page.locator("mjx-container").first.wait_for()
    page.evaluate(FEWER_WORDS)
    page.add_style_tag(content="* { transition: none !important }")
    assert axe.faults(page) == []
    page.emulate_media(color_scheme="dark")
    page.locator("html[data-theme=dark]").wait_for(state="attached")
    assert axe.faults(page, rules=axe.CONTRAST) == []


# ---- On the slides -------------------------------------------------------------------------------------

# All slides at once, one below the other, with all that appears step by step: axe sees what a class may see.
SPREAD = """() => {
    document.head.insertAdjacentHTML("beforeend", `<style>
        html, body, .reveal, .slides { height: auto !important; overflow: visible !important;
                                       position: static !important; transform: none !important }
        .slides section { display: block !important; position: relative !important; inset: auto !important;
                          opacity: 1 !important; visibility: visible !important; transform: none !important }
        .slides section.stack { height: auto !important }
        .reveal > :not(.slides) { display: none !important }
        .slides * { transition: none !important }
    </style>`);
    for (const slide of document.querySelectorAll(".slides section")) {
        for (const name of ["hidden", "aria-hidden"]) slide.removeAttribute(name);
        slide.querySelector("details")?.setAttribute("open", "");
    }
    for (const part of document.querySelectorAll(".fragment")) part.classList.add("visible");
}"""


@pytest.mark.parametrize("path", published.lectures(), ids=lambda path: path.stem)
def test_axe_finds_nothing_on_the_slides(path, deck, new_page):
    page = new_page(viewport={"width": 1280, "height": 720})
    page.goto(deck(path))
    page.wait_for_function("window.MathJax?.startup?.promise && window.Reveal?.isReady()")
    page.evaluate("() => MathJax.startup.promise")
    assert axe.faults(page) == []
    page.evaluate(SPREAD)
    assert axe.faults(page) == []
