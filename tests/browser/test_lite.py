"""Every notebook runs in JupyterLite, in a real browser from which no other host can be reached."""

import time

import pytest
from visits import SELECT, Visit, printed

from tools.environment import ROOT

pytestmark = pytest.mark.browser

NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("[!.]*.ipynb"))

DRAWN = "view => [view.querySelector('canvas').toDataURL(), view.querySelector('.live-status').textContent]"
MOVED = f"([view, before]) => ({DRAWN})(view).every((part, i) => part !== before[i])"


@pytest.fixture(scope="module")
def lite(chromium, web):
    """Return a visitor in JupyterLite, who opens one notebook after the other in the same page."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1200})
    yield Visit(context.new_page(), web)
    context.close()


def run_without_a_fault(lite, stem):
    """Open a notebook, run it; assert that it is content, and return its outputs: identity -> list."""
    began = time.perf_counter()
    lite.open_lab(stem)
    opened = time.perf_counter()
    outputs = lite.run_all()
    print(f"{stem}: start {opened - began:.0f} s, run {time.perf_counter() - opened:.0f} s")
    everything = [(cell, one) for cell, all_of_it in outputs.items() for one in all_of_it]
    assert [(c, o) for c, o in everything if o["output_type"] == "error" or o.get("name") == "stderr"] == []
    assert lite.outside == []
    return outputs


@pytest.mark.parametrize("stem", sorted(set(NOTEBOOKS) - {"00_start_here", "01_gradients"}))
def test_notebook_runs_in_the_browser(lite, stem):
    run_without_a_fault(lite, stem)


def test_an_exercise_of_01_counts_in_00_and_a_slider_moves_its_picture(lite):
    run_without_a_fault(lite, "01_gradients")
    lite.write("ex1-stub", "def central(f, x, h): return (f(x + h) - f(x - h)) / (2 * h)")
    lite.run("ex1-stub")
    assert "✓ 01.1" in printed(lite.run("ex1-check"))[-1]
    outputs = run_without_a_fault(lite, "00_start_here")  # with 01 its kernel ends, which knew of that
    assert "Notebook 01: 1 of 6 passed\n  ✓ 01.1" in printed(outputs["progress"])[-1]
    lite.page.evaluate(SELECT, "live-walk")
    view = lite.page.locator(".live-view")
    before = view.evaluate(DRAWN)
    view.get_by_role("slider").first.focus()
    lite.page.keyboard.press("ArrowRight")
    lite.page.wait_for_function(MOVED, arg=[view.element_handle(), before])
    assert lite.outside == []
