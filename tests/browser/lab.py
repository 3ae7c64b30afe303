"""A real JupyterLab on a folder of notebooks, and a headless Chromium that looks at it."""

import ast
import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SETTINGS = {
    # every cell is on the page, and nothing looks for news
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}

# The kernel is idle and no cell waits, and has been so for a while: a page that has just opened reports
# "idle" once before it has a kernel.
AT_REST = """milliseconds => {
    const idle = document.querySelector('.jp-NotebookPanel [data-status="idle"]') &&
        ![...document.querySelectorAll('.jp-InputPrompt')].some(e => e.textContent.includes('[*]'));
    const now = performance.now();
    window.idleSince = idle ? window.idleSince ?? now : undefined;
    return idle && now - window.idleSince > milliseconds;
}"""
STARTED = "() => [...document.querySelectorAll('.jp-InputPrompt')].some(e => /[*0-9]/.test(e.textContent))"

# Open a notebook in place of the one that is open, whose kernel ends: far quicker than a page of its own.
SWITCH = """async path => {
    const old = jupyterapp.shell.currentWidget;
    await old.sessionContext.shutdown();
    old.context.model.dirty = false;
    old.close();
    await jupyterapp.commands.execute('docmanager:open', {path});
}"""

NOW_AND_THEN = 200  # milliseconds between two looks: to look at each frame costs as much as what is awaited


def chromium():
    """Return the path of a Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


@contextlib.contextmanager
def browser():
    """Start a headless browser for the length of a with block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield running
        finally:
            running.close()


def run_all(page, seconds=300):
    """Run all cells of the notebook that is open; return the texts of the errors that cells raised."""
    from playwright.sync_api import TimeoutError as TooLate

    for _ in range(3):  # a click that comes while the page still loads is lost
        page.keyboard.press("Escape")
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with contextlib.suppress(TooLate):
            page.wait_for_function(STARTED, timeout=10_000)
            break
    page.wait_for_function(AT_REST, arg=300, timeout=1000 * seconds, polling=NOW_AND_THEN)
    raised = page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']")
    return raised.all_inner_texts()


class Lab:
    """A running JupyterLab: where it is, and how to open a notebook of its folder in it."""

    def __init__(self, base, token, folder, runtime):
        self.base, self.token, self.folder, self.runtime = base, token, folder, runtime
        self._clients = {}

    def open(self, page, name):
        """Open a notebook of the folder and wait for its kernel."""
        page.goto(f"{self.base}/doc/tree/{name}?token={self.token}&reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
        page.wait_for_function(AT_REST, arg=1500, timeout=90_000, polling=NOW_AND_THEN)

    def switch(self, page, name):
        """Open a notebook of the folder in place of the one that is open, and wait for its kernel."""
        if page.url == "about:blank":
            page.goto(f"{self.base}/lab/tree/{name}?token={self.token}&reset")
            page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
        else:
            page.evaluate(SWITCH, name)
        page.wait_for_function(AT_REST, arg=1500, timeout=90_000, polling=NOW_AND_THEN)

    def run_all(self, page):
        """Run all cells of the notebook that is open; return the texts of the errors that cells raised."""
        return run_all(page)

    def set_theme(self, page, name):
        """Change JupyterLab's colours: to "JupyterLab Light" or "JupyterLab Dark"."""
        page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)

    def close(self):
        """Hang up on all kernels."""
        for client in self._clients.values():
            client.stop_channels()

    def _api(self, path, method="GET"):
        request = urllib.request.Request(f"{self.base}/api/{path}?token={self.token}", method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    def _kernel(self, name):
        return {session["path"]: session["kernel"]["id"] for session in self._api("sessions")}[name]

    def end_kernel(self, name, how):
        """Stop the kernel of an open notebook: "restart" or "shutdown"."""
        restart = how == "restart"
        path = f"kernels/{self._kernel(name)}" + "/restart" * restart
        self._api(path, "POST" if restart else "DELETE")

    def _client(self, kernel):
        """Return what talks to a kernel: one for all its questions, since each holds sockets."""
        from jupyter_client import BlockingKernelClient

        if kernel not in self._clients:
            client = BlockingKernelClient(connection_file=str(self.runtime / f"kernel-{kernel}.json"))
            client.load_connection_file()
            client.start_channels(iopub=False, stdin=False, hb=False, control=False)
            self._clients[kernel] = client
        return self._clients[kernel]

    def in_kernel(self, name, code):
        """Execute code in the kernel of an open notebook, unseen; return what it called `result`."""
        expressions = {"json": "__import__('json').dumps(result)"}
        client = self._client(self._kernel(name))
        reply = client.execute(code, silent=True, user_expressions=expressions, reply=True, timeout=60)
        value = reply["content"].get("user_expressions", {}).get("json", reply["content"])
        if value["status"] != "ok":
            raise RuntimeError("\n".join(value.get("traceback", [str(value)])))
        return json.loads(ast.literal_eval(value["data"]["text/plain"]))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def jupyterlab(folder):
    """Serve `folder` from a JupyterLab with stock settings for the length of a with block."""
    port, token = free_port(), secrets.token_hex(16)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        settings = Path(home, "settings", "overrides.json")
        settings.parent.mkdir()
        settings.write_text(json.dumps(SETTINGS))
        own = {f"JUPYTER_{kind}_DIR": f"{home}/{kind.lower()}" for kind in ("RUNTIME", "CONFIG", "DATA")}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
        command += [f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
        command.append("--LabApp.expose_app_in_browser=True")  # as window.jupyterapp, see set_theme
        command += [f"--LabApp.app_settings_dir={settings.parent}", f"--ServerApp.root_dir={folder}"]
        with open(Path(home, "lab.log"), "wb") as log:
            env = os.environ | own | {"JUPYTERLAB_WORKSPACES_DIR": f"{home}/workspaces"}
            server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        try:
            base = f"http://127.0.0.1:{port}"
            wait_until_up(f"{base}/api/status?token={token}", server, Path(log.name))
            running = Lab(base, token, Path(folder), Path(own["JUPYTER_RUNTIME_DIR"]))
            yield running
            running.close()
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def wait_until_up(address, server, log):
    for _ in range(180):
        if server.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
                return
            time.sleep(0.5)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
