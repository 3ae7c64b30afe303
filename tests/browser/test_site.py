"""The site in a real browser from which no other host can be reached: pages to read, notebooks that run."""

import json
import time

import lab
import pytest
from links import broken

from tools.environment import ROOT

pytestmark = pytest.mark.browser

NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("[!.]*.ipynb"))
PATIENCE = 600_000  # milliseconds: other tests may want the processor, too

TYPESET = "() => !document.querySelector('.math') || document.querySelector('mjx-container')"
ALTS = "all => all.map(one => one.alt)"

OPENED = """path => {
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return context?.path === path && context.session?.kernel?.status === 'idle';
}"""
SWITCH = """async path => {
    const old = jupyterapp.shell.currentWidget;
    await jupyterapp.serviceManager.sessions.shutdownAll();
    old.context.model.dirty = false;
    old.close();
    await jupyterapp.commands.execute('docmanager:open', {path});
}"""
CODE = "[...jupyterapp.shell.currentWidget.content.model.cells].filter(cell => cell.type === 'code')"
CELLS = f"() => {CODE}.map(cell => ({{id: cell.id, outputs: cell.outputs.toJSON()}}))"
RUNNING = f"() => {CODE}.some(cell => cell.executionCount === null)"
RAN = f"""() => {CODE}.every(cell => cell.executionCount !== null) || {CODE}.some(
    ({{outputs}}) => [...Array(outputs.length).keys()].some(i => outputs.get(i).type === 'error'))"""
SELECT = """async id => {
    const notebook = jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = notebook.widgets.findIndex(cell => cell.model.id === id);
    notebook.mode = 'command';
    notebook.activate();
    await notebook.scrollToItem(notebook.activeCellIndex, 'center');
}"""
DRAWN = "view => [view.querySelector('canvas').toDataURL(), view.querySelector('.live-status').textContent]"
MOVED = f"([view, before]) => ({DRAWN})(view).every((part, i) => part !== before[i])"


class Visit:
    """A page of the browser that cannot leave the site; it remembers what it tried, and what went wrong."""

    def __init__(self, page, web):
        self.page, self.web, self.outside, self.wrong = page, web, [], []
        page.set_default_timeout(PATIENCE)
        page.context.route(lambda address: not address.startswith((web, "blob:", "data:")), self._refuse)
        page.context.route("**/lite/jupyter-lite.json", self._expose)
        page.on("console", lambda said: said.type == "error" and self.wrong.append(said.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("response", lambda answer: answer.status >= 400 and self.wrong.append(answer.url))

    def _refuse(self, route):
        self.outside.append(route.request.url)
        route.abort()

    def _expose(self, route):
        """Let JupyterLite say which outputs cells have, also of those that are not in sight."""
        answer = route.fetch()
        config = answer.json()
        config["jupyter-config-data"]["exposeAppInBrowser"] = True
        route.fulfill(response=answer, body=json.dumps(config))

    def open(self, path):
        self.page.goto(f"{self.web}/{path}", wait_until="load")

    def open_lab(self, notebook):
        """Open a notebook in JupyterLite, in place of the one that is open; wait until Python has started."""
        path = f"{notebook}.ipynb"
        if self.page.url == "about:blank":
            self.open(f"lite/lab/index.html?path={path}")
        else:
            self.page.evaluate(SWITCH, path)
        self.page.wait_for_function(OPENED, arg=path, polling=lab.NOW_AND_THEN)

    def run_all(self):
        """Run all cells of the open notebook; return them with their outputs: identity -> list."""
        for name in ("Run", "Run All Cells"):
            self.page.get_by_role("menuitem", name=name, exact=True).click()
        self.page.wait_for_function(RUNNING)
        self.page.wait_for_function(RAN, polling=lab.NOW_AND_THEN)
        return {cell["id"]: cell["outputs"] for cell in self.page.evaluate(CELLS)}

    def run(self, cell):
        """Run one cell by keyboard; return its outputs."""
        self.page.evaluate(SELECT, cell)
        self.page.keyboard.press("Shift+Enter")
        self.page.wait_for_function(RAN)
        return next(one["outputs"] for one in self.page.evaluate(CELLS) if one["id"] == cell)

    def write(self, cell, text):
        """Replace what stands in a cell, as a learner does."""
        self.page.evaluate(SELECT, cell)
        self.page.keyboard.press("Enter")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Escape")


def printed(outputs):
    """Return what outputs say in words."""
    return ["".join(one.get("text", one.get("data", {}).get("text/plain", ""))) for one in outputs]


@pytest.fixture
def visit(new_page, web):
    """Return a visitor; afterwards assert that nothing was wanted from another host."""
    visitor = Visit(new_page(), web)
    yield visitor
    assert visitor.outside == []


@pytest.fixture(scope="module")
def lite(chromium, web):
    """Return a visitor in JupyterLite, who opens one notebook after the other in the same page."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1200})
    yield Visit(context.new_page(), web)
    context.close()


def test_every_link_of_the_site_leads_somewhere(site):
    assert broken(site) == []


def test_pages_render_without_another_host(visit):
    for stem in ("index", *NOTEBOOKS):
        visit.open(f"{stem}.html")
        visit.page.wait_for_function(TYPESET)
        assert visit.wrong == [], stem
        pictures = visit.page.locator("article img").evaluate_all(ALTS)
        assert stem == "index" or pictures
        assert all(alt.strip() and not alt.endswith(".png") for alt in pictures)


def test_search_finds_a_notebook(visit):
    visit.open("search.html?q=Nesterov")
    visit.page.locator("#search-results li a").first.wait_for()
    assert "03_momentum_and_nesterov.html" in visit.page.locator("#search-results").inner_html()


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
