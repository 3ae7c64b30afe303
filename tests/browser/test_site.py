"""The site in a real browser from which no other host can be reached: pages to read, notebooks that run."""

import time
from pathlib import Path

import lab
import pytest

pytestmark = pytest.mark.browser

NOTEBOOKS = sorted(path.stem for path in (Path(__file__).parents[2] / "notebooks").glob("[!.]*.ipynb"))
START = 120_000  # milliseconds until Python must have started: two of them may start at once
TYPESET = "() => !document.querySelector('.math') || document.querySelector('mjx-container')"
ALTS = "all => all.map(one => one.alt)"


class Visit:
    """A page of the browser that cannot leave the site; it remembers what it tried, and what went wrong."""

    def __init__(self, page, web):
        self.page, self.web, self.outside, self.wrong = page, web, [], []
        page.context.route(lambda address: not address.startswith((web, "blob:", "data:")), self._refuse)
        page.on("console", lambda said: said.type == "error" and self.wrong.append(said.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("response", lambda answer: answer.status >= 400 and self.wrong.append(answer.url))

    def _refuse(self, route):
        self.outside.append(route.request.url)
        route.abort()

    def open(self, path):
        self.page.goto(f"{self.web}/{path}", wait_until="load")

    def open_lab(self, notebook):
        """Open a notebook in JupyterLite and wait until Python has started."""
        self.open(f"lite/lab/index.html?path={notebook}.ipynb")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=START)
        self.page.wait_for_function(lab.AT_REST, arg=1500, timeout=START)


@pytest.fixture
def visit(new_page, web):
    """Return a visitor; afterwards assert that nothing was wanted from another host."""
    visitor = Visit(new_page(), web)
    yield visitor
    assert visitor.outside == []


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_page_renders(visit, stem):
    visit.open(f"{stem}.html")
    page = visit.page
    page.wait_for_function(TYPESET)
    assert visit.wrong == []
    pictures = page.locator("article img")
    assert pictures.count() > 0
    assert all(alt.strip() and not alt.endswith(".png") for alt in pictures.evaluate_all(ALTS))


@pytest.mark.parametrize("stem", NOTEBOOKS[:1])
def test_notebook_runs_in_the_browser(visit, stem):
    visit.open_lab(stem)
    began = time.perf_counter()
    raised = lab.run_all(visit.page)
    print(f"{stem}: {time.perf_counter() - began:.0f} s")
    assert raised == []
