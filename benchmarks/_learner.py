"""What a learner does to a Jupyter server: log in, open a notebook, run its cells, move its sliders.

`Learner` sends what JupyterLab and live.js send, in the same words over the same addresses and websocket, but
draws nothing: twenty of them cost little beside the servers that they ask. `BrowserLearner` is a real
JupyterLab in Chromium. Both have the same three verbs: `enter`, `run` and `slide`.
"""

import contextlib
import json
import random
import re
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import requests
import websocket
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from lab import AT_REST, browser, run_all
from live_view import WATCH

PROTOCOL = "v1.kernel.websocket.jupyter.org"
WIDGET = "application/vnd.jupyter.widget-view+json"
PATIENCE = 900  # seconds after which a learner gives up
MOVES = 20  # positions that a slider passes in one drag; presses of an arrow key in a browser
FRAME = 1 / 60  # a slider that is dragged moves once a frame
TRIES = 7  # connections to a kernel, as in JupyterLab
NUDGES = 0.008, 0.02  # live.js sends an empty message so many seconds after a question
REST = 0.25  # after this pause live.js asks again for pictures that came in haste


class Failure(Exception):
    """What a learner would complain of."""


class Learner:
    """A learner without a screen.

    Parameters
    ----------
    base : str
        Address of the hub; or of a single Jupyter server without a password, if `password` is None.
    name : str
        Whom to log in as.
    password : str or None
        The hub's password.
    pages : sequence of str
        What JupyterLab fetches beside its first page, as a browser did at this server: see `Visit`.
    """

    def __init__(self, base, name, password=None, pages=()):
        self.base, self.name, self.password, self.pages = base, name, password, pages
        self.home = f"{base}/user/{name}" if password else base
        self.random = random.Random(name)
        self.answers = []  # milliseconds from each move of a slider to its answer
        self.again = 0  # connections that were lost before the kernel greeted, and made anew
        self.http, self.session, self.socket = requests.Session(), uuid.uuid4().hex, None
        self.idle, self.replies, self.errors, self.views, self.models = set(), {}, {}, {}, {}

    # ---- Pages --------------------------------------------------------------------------------------------

    def ask(self, address, method="GET", **more):
        """Send a request as a page of this server would; return the answer, or raise Failure."""
        path = re.sub("^https?://[^/]+", "", address)
        tokens = [c for c in self.http.cookies if c.name == "_xsrf" and path.startswith(c.path)]
        headers = {"X-XSRFToken": max(tokens, key=lambda c: len(c.path)).value} if tokens else {}
        answer = self.http.request(method, address, headers=headers, timeout=PATIENCE, **more)
        if not answer.ok:
            raise Failure(f"{method} {path}: {answer.status_code} {answer.reason}")
        return answer

    def enter(self, notebook):
        """Log in, wait for the server, and open JupyterLab, the notebook, a kernel and its websocket."""
        if self.password:
            self._log_in()
        page = self.ask(f"{self.home}/lab/tree/{notebook}")
        if not page.url.startswith(self.home):
            raise Failure(f"sent away to {page.url}")
        for path in self.pages:
            self.ask(f"{self.home}/{path}")
        self.file = f"{self.home}/api/contents/{notebook}"
        self.model = self.ask(f"{self.file}?type=notebook&content=1").json()
        body = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}}
        kernel = self.ask(f"{self.home}/api/sessions", "POST", json=body).json()["kernel"]["id"]
        channels = f"{self.home}/api/kernels/{kernel}/channels"
        for _ in range(TRIES):
            try:
                return self.connect(channels)
            except (OSError, websocket.WebSocketException):
                self.again += 1
                time.sleep(2)
        raise Failure("no connection to the kernel")

    def connect(self, channels):
        """Open the websocket of a kernel and greet it."""
        cookies = requests.cookies.get_cookie_header(self.http.cookies, requests.Request("GET", channels))
        self.socket = websocket.create_connection(
            f"{channels.replace('http', 'ws', 1)}?session_id={self.session}",
            subprotocols=[PROTOCOL],
            cookie=cookies,
            timeout=PATIENCE,
        )
        asked = self.tell("kernel_info_request", {})
        self.until(lambda: asked in self.replies, "the kernel's greeting")
        self.tell("comm_info_request", {"target_name": "jupyter.widget"})

    def _log_in(self):
        self.ask(f"{self.base}/hub/login")
        form = {"username": self.name, "password": self.password}
        form["_xsrf"] = next(c.value for c in self.http.cookies if c.name == "_xsrf")
        page = self.ask(f"{self.base}/hub/login?next=", "POST", data=form)
        if "/spawn-pending/" not in page.url:
            return
        progress = f"{self.base}/hub/api/users/{self.name}/server/progress?_xsrf={form['_xsrf']}"
        with self.ask(progress, stream=True) as events:
            for line in events.iter_lines():
                event = json.loads(line[5:]) if line.startswith(b"data:") else {}
                if event.get("failed"):
                    raise Failure(f"the server did not start: {event['message']}")
                if event.get("ready"):
                    return
        raise Failure("the hub stopped telling how far the server is")

    def save(self):
        """Save the notebook, as JupyterLab does by itself."""
        body = {"type": "notebook", "format": "json", "content": self.model["content"]}
        self.ask(self.file, "PUT", json=body)

    # ---- Messages of the kernel ---------------------------------------------------------------------------

    def tell(self, kind, content, **metadata):
        """Send the kernel a message; return its id."""
        name, now = uuid.uuid4().hex, datetime.now(UTC).isoformat()
        header = {"msg_id": name, "msg_type": kind, "username": "", "session": self.session}
        header |= {"date": now, "version": "5.2"}
        message = {"header": header, "parent_header": {}, "metadata": metadata, "content": content}
        packed = serialize_msg_to_ws_v1(message, "shell", lambda part: json.dumps(part).encode())
        self.socket.send_binary(packed)
        return name

    def hear(self, seconds):
        """Take one message of the kernel's, if one comes within so many seconds."""
        self.socket.settimeout(max(seconds, 1e-4))
        try:
            data = self.socket.recv()
        except websocket.WebSocketTimeoutException:
            return
        _, (header, parent, _, content, *_) = deserialize_msg_from_ws_v1(data)
        kind, content = json.loads(header)["msg_type"], json.loads(content)
        asked = json.loads(parent).get("msg_id")
        if kind == "status" and content["execution_state"] == "idle":
            self.idle.add(asked)
        elif kind.endswith("_reply"):
            self.replies[asked] = content
        elif kind == "error":
            self.errors[asked] = f"{content['ename']}: {content['evalue']}"
        elif kind in ("display_data", "execute_result") and WIDGET in content["data"]:
            self.views[asked] = content["data"][WIDGET]["model_id"]
        elif kind == "comm_open":
            self.models[content["comm_id"]] = content["data"]["state"]
        elif kind == "comm_msg" and content["data"].get("method") == "update":
            self.models[content["comm_id"]] |= content["data"]["state"]

    def until(self, done, what):
        """Listen until `done()`; raise Failure if that takes too long."""
        end = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > end:
                raise Failure(f"waited {PATIENCE} s for {what}")
            self.hear(1)

    def pause(self, seconds):
        """Think, while the websocket is served."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.hear(left)

    # ---- Cells and sliders --------------------------------------------------------------------------------

    def cells(self):
        """Return the code cells of the notebook."""
        return [cell for cell in self.model["content"]["cells"] if cell["cell_type"] == "code"]

    def send_cell(self, cell):
        """Ask the kernel to execute a cell; return the id of the message."""
        content = {"code": cell["source"], "silent": False, "store_history": True, "allow_stdin": True}
        content |= {"user_expressions": {}, "stop_on_error": True}
        return self.tell("execute_request", content, deletedCells=[], recordTiming=False, cellId=cell["id"])

    def finish(self, asked, cell):
        """Wait until a cell has been executed; raise Failure if it raised an error."""
        self.until(lambda: asked in self.replies and asked in self.idle, f"cell {cell['id']}")
        if self.replies[asked]["status"] != "ok":
            raise Failure(f"cell {cell['id']}: {self.errors.get(asked, 'not executed')}")

    def run(self, pause=0):
        """Run all cells: at once, as *Run All Cells* does, or each after a pause of so many seconds."""
        asked = []
        for cell in self.cells():
            asked.append(self.send_cell(cell))
            if pause:
                self.finish(asked[-1], cell)
                self.pause(self.random.uniform(0.5, 1.5) * pause)
        for one, cell in zip(asked, self.cells(), strict=True):
            self.finish(one, cell)
        self.save()

    def slide(self, think):
        """Run each cell with a live view again and drag each of its sliders, after so many seconds each."""
        for cell in self.cells():
            if "live" in cell["metadata"].get("tags", []):
                self.pause(self.random.uniform(0.5, 1.5) * think)
                asked = self.send_cell(cell)
                self.finish(asked, cell)
                for control in self.models[self.views[asked]]["controls"]:
                    self.pause(self.random.uniform(0.5, 1.5) * think)
                    self.drag(self.views[asked], control)

    def drag(self, model, control):
        """Drag a slider from where it stands to another place, as the pointer does; note the milliseconds."""
        state = self.models[model]
        start, last = state["answer"]["positions"][control["name"]], len(control["texts"]) - 1
        target = self.random.choice([i for i in range(last + 1) if i != start])
        for move in range(1, MOVES + 1):
            began = time.perf_counter()
            self.question(model, control["name"], round(start + (target - start) * move / MOVES), True)
            self.answers.append(1000 * (time.perf_counter() - began))
            self.pause(began + FRAME - time.perf_counter())
        if state["answer"]["pictures"]:
            self.pause(REST)
            self.question(model, control["name"], target, False)

    def question(self, model, slider, position, haste):
        """Ask for the picture that belongs to a position, as live.js does, and wait for it."""
        state, view = self.models[model], f"{self.session}-{model}"
        seq = state["answer"]["seq"] + 1
        content = {"view": view, "seq": seq, "haste": haste, "ratio": 1}
        content["positions"] = state["answer"]["positions"] | {slider: position}

        def send(content):
            self.tell("comm_msg", {"comm_id": model, "data": {"method": "custom", "content": content}})

        def answered():
            return (state["answer"]["view"], state["answer"]["seq"]) == (view, seq)

        began = time.perf_counter()
        send(content)
        for nudge in NUDGES:
            while not answered() and (left := began + nudge - time.perf_counter()) > 0:
                self.hear(left)
            if not answered():
                send({})
        self.until(answered, f"the answer of slider {slider}")
        answer = state["answer"]
        if answer["error"] or answer["positions"] != content["positions"]:
            raise Failure(f"slider {slider}: {answer['error'] or answer['positions']}")

    def wait(self):
        """Do nothing for a while, but answer the server's questions whether anybody is there."""
        if self.socket:
            self.hear(0.5)

    def leave(self):
        """Close the websocket."""
        if self.socket:
            self.socket.close()


class BrowserLearner:
    """A learner with JupyterLab in headless Chromium; all calls must come from one thread."""

    def __init__(self, base, name, password):
        self.base, self.name, self.password = base, name, password
        self.home = f"{base}/user/{name}"
        self.answers, self.fetched = [], []
        self.version, self.open = None, contextlib.ExitStack()

    def _note(self, request):
        path = request.url.split("?")[0].removeprefix(f"{self.home}/")
        kept = path.startswith(("static/", "lab/", "lsp/", "api/")) and not path.startswith("api/contents")
        if request.method == "GET" and kept and path not in self.fetched:
            self.fetched.append(path)

    def enter(self, notebook):
        """Log in through the hub's form and wait for the notebook and its kernel."""
        chromium = self.open.enter_context(browser())
        self.version, self.page = chromium.version, chromium.new_page()
        page = self.page
        page.set_default_timeout(1000 * PATIENCE / 3)
        page.goto(f"{self.base}/hub/login")
        page.on("requestfinished", self._note)
        page.fill("input[name=username]", self.name)
        page.fill("input[name=password]", self.password)
        page.click("input[type=submit]")
        page.wait_for_url(f"{self.home}/lab**")
        page.goto(f"{self.home}/lab/tree/{notebook}?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_function(AT_REST, arg=1500)

    def run(self, pause=0):
        """Choose *Run All Cells* and wait; `pause` is a light learner's."""
        errors = run_all(self.page, PATIENCE)
        while self.busy():  # a page that is slow may look as if it were at rest
            self.page.wait_for_timeout(1000)
        if errors:
            raise Failure(errors[0])

    def busy(self):
        """Return whether the kernel has something to do, as the server says."""
        (kernel,) = self.page.request.get(f"{self.home}/api/kernels").json()
        return kernel["execution_state"] != "idle"

    def slide(self, think):
        """Move each slider by the arrow keys; note the milliseconds from each press to the picture."""
        for view in self.page.locator(".live-view").all():
            view.evaluate(WATCH)
            for slider in view.get_by_role("slider").all():
                self.page.wait_for_timeout(1000 * think)
                slider.focus()
                for move in range(MOVES):
                    self.answers.append(self.press(slider, "ArrowRight" if move % 2 else "ArrowLeft"))
            if error := view.locator(".live-error").all_inner_texts():
                raise Failure(error[0])

    def press(self, slider, key):
        """Press a key on a slider, the other one if it stands at the end; return the milliseconds."""
        place, last = slider.evaluate("slider => [Number(slider.value), Number(slider.max)]")
        key = {0: "ArrowRight", last: "ArrowLeft"}.get(place, key)
        before = self.page.evaluate("() => (window.seen.presses = [], window.seen.frames.length)")
        self.page.keyboard.press(key)
        self.page.wait_for_function(f"() => window.seen.frames.length > {before}")
        self.page.wait_for_timeout(80)
        return self.page.evaluate(f"() => window.seen.frames[{before}].painted - window.seen.presses[0]")

    def wait(self):
        """Do nothing for a while."""
        self.page.wait_for_timeout(500)

    def leave(self):
        """Close the browser."""
        self.open.close()
