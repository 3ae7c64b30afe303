"""A reader of the site in a real browser from which no other host can be reached."""

import json

import lab

PATIENCE = 600_000  # milliseconds: other tests may want the processor, too

OPENED = """path => {
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return context?.path === path && context.session?.kernel?.status === 'idle';
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
            self.page.evaluate(lab.SWITCH, path)
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
