"""How fast a live view follows its slider, in a real JupyterLab in headless Chromium.

    python benchmarks/live_view.py [--presses 100]

A text echo, the smallest widget that asks the kernel at each press, is measured in the same run in the same
way: it is the limit that server and browser set. Times run from the key event to the frame that shows it.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from lab import browser, jupyterlab

ECHO = '''
import anywidget

class Echo(anywidget.AnyWidget):
    """A slider whose value the kernel sends back as a text."""

    _esm = """
    export default { render({ model, el }) {
      const input = document.createElement("input");
      const text = document.createElement("span");
      Object.assign(input, { type: "range", min: 0, max: 200, value: 100 });
      el.className = "echo";
      input.addEventListener("input", () => model.send(input.value));
      input.addEventListener("keydown", (event) => event.stopPropagation());
      model.on("msg:custom", (message) => {
        text.textContent = message;
        el.dispatchEvent(new Event("drawn"));
      });
      el.append(input, text);
    } };
    """

    def __init__(self):
        super().__init__()
        self.on_msg(lambda _, message, buffers: self.send(message))

Echo()
'''

LINES = """
import matplotlib.pyplot as plt
import numpy as np

from course_lib import plots
from course_lib.widgets import live, slider

plots.use_style()
grid = np.stack(np.meshgrid(np.linspace(-6, 6, 200), np.linspace(-3, 3, 200)), axis=-1)
valley = lambda x: 0.1 * x[..., 0] ** 2 + 2 * x[..., 1] ** 2
fig, (left, right) = plt.subplots(1, 2)
left.contourf(grid[..., 0], grid[..., 1], valley(grid), 20, cmap="Blues_r", alpha=0.6)
right.set(xlim=(0, 200), ylim=(1e-12, 100), yscale="log")
(path,) = left.plot([], [], "o-", ms=4, lw=1)
(loss,) = right.plot([], [])

def step(lr):
    x = [np.array([-5.0, -2.0])]
    for _ in range(200):
        x.append(x[-1] - lr * np.array([0.2, 4.0]) * x[-1])
    path.set_data(*np.array(x).T)
    loss.set_data(np.arange(201), valley(np.array(x)))
    return f"Loss after 200 steps: {valley(x[-1]):.1e}."

live(fig, step, [path, loss], alt="A path of 200 steps and its loss.", lr=slider(0, 0.5, 0.25))
"""

PICTURE = """
x = np.linspace(-3, 3, 128)
fig, (left, right) = plt.subplots(1, 2)
image = left.imshow(np.zeros((128, 128)), extent=(-3, 3, -3, 3), vmin=-1, vmax=1, cmap="viridis")
left.contour(x, x, x**2 + x[:, None] ** 2, 5, colors="white")
bars = right.bar(range(8), np.zeros(8))
right.set_ylim(0, 1)

def step(w):
    image.set_data(np.sin(w * x) * np.cos(w * x[:, None]))
    for i, bar in enumerate(bars):
        bar.set_height(np.sin(w * i) ** 2)

live(fig, step, [image, bars], alt="A picture and bars.", w=slider(0, 4, 2))
"""

MAP = """
from course_lib import rates
from course_lib.descent import minimize
from course_lib.landscapes import valley as make_valley
from course_lib.optimizers import Momentum

land, betas = make_valley(), np.linspace(0, 0.995, 200)
rate = rates.rate_map(land.eigenvalues, np.linspace(0.005, 1, 200), betas)
fig, (left, right) = plt.subplots(1, 2)
left.imshow(np.where(rate < 1, rate, np.nan), origin="lower", extent=(0.005, 1, 0, 0.995), aspect="auto")
plots.contours(right, land, window=((-6, 6), (-4, 4)))
(here,) = left.plot([], [], "o", color="white", mec="black", ms=11)
(walk,) = right.plot([], [], "^-", ms=4)

def visit(lr, beta):
    run = minimize(land, land.start, Momentum(lr, beta), steps=100, limit=1e4)
    here.set_data([lr], [beta])
    walk.set_data(*run.x.T)
    return f"rate {rates.momentum_rate(lr, beta, land.eigenvalues):.3f}"

sliders = {"lr": slider(0.005, 1, 0.3), "beta": slider(0, 0.99, 0.8)}
live(fig, visit, [here, walk], alt="The rate map and a run.", **sliders)
"""

WIDGETS = {"text echo": ECHO, "lines, 2 × 201 points": LINES, "picture and bars": PICTURE}
WIDGETS |= {"point on the rate map, run": MAP}

# Note the time of each key event, and of each frame that shows something new once it has been painted.
WATCH = """
node => {
  const seen = (window.seen = { presses: [], frames: [], release: 0 });
  node.addEventListener("keydown", event => seen.presses.push(event.timeStamp), true);
  node.addEventListener("keyup", event => { seen.release = event.timeStamp; }, true);
  node.addEventListener("drawn", () => requestAnimationFrame(frame => {
    const { port1, port2 } = new MessageChannel();  // a task behind the painting of this frame
    port1.onmessage = () => {
      const shown = JSON.stringify(node.drawn?.answer.positions ?? node.textContent);
      if (seen.frames.at(-1)?.frame !== frame) seen.frames.push({ frame, painted: performance.now(), shown });
    };
    port2.postMessage(0);
  }));
}
"""

# Note the size of each answer as it comes through the websocket, headers and all.
WEIGH = """
window.updates = [];
window.WebSocket = class extends WebSocket {
  constructor(...where) {
    super(...where);
    this.addEventListener("message", ({ data }) => {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data);
      const head = new TextDecoder().decode(bytes.subarray(0, 1500));
      if (head.includes("comm_msg")) window.updates.push(bytes.length);
    });
  }
};
"""


def single_presses(page, presses):
    """Press an arrow `presses` times, each after the last was answered; return milliseconds to the frame."""
    times = []
    for i in range(presses):
        before = page.evaluate("() => (window.seen.presses = [], window.seen.frames.length)")
        page.keyboard.press("ArrowRight" if i // 20 % 2 else "ArrowLeft")
        page.wait_for_function(f"() => window.seen.frames.length > {before}", timeout=10_000)
        times.append(page.evaluate("() => window.seen.frames.at(-1).painted - window.seen.presses[0]"))
        page.wait_for_timeout(80 + 7 * (i % 10))
    return times


def held_key(page, seconds=4.0, rate=30):
    """Hold an arrow; return what the table shows of it.

    Presses and frames a second, milliseconds from the release to the last position, and the bytes of the
    largest update, while the key is held and at rest.
    """
    page.keyboard.press("End")
    page.wait_for_timeout(500)
    page.evaluate("() => { window.seen.presses = []; window.seen.frames = []; window.updates = []; }")
    began = time.perf_counter()
    for i in range(int(seconds * rate)):
        page.keyboard.down("ArrowLeft")
        time.sleep(max(0, began + (i + 1) / rate - time.perf_counter()))
    page.keyboard.up("ArrowLeft")
    page.wait_for_timeout(200)
    moving = page.evaluate("() => window.updates.splice(0)")
    page.wait_for_timeout(600)
    sharp = page.evaluate("() => window.updates")
    seen = page.evaluate("() => window.seen")
    span = (seen["presses"][-1] - seen["presses"][0]) / 1000
    frames = sum(frame["painted"] <= seen["release"] for frame in seen["frames"])
    last = next(f["painted"] for f in seen["frames"] if f["shown"] == seen["frames"][-1]["shown"])
    bytes_ = max(moving), max(sharp, default=0)
    return len(seen["presses"]) / span, frames / span, last - seen["release"], *bytes_


def measure(page, view, name, presses):
    """Print one row of the table."""
    view.evaluate(WATCH)
    view.get_by_role("slider").first.focus()
    single_presses(page, 10)  # warm-up
    times = single_presses(page, presses)
    held, frames, rest, moving, sharp = held_key(page)
    p95 = statistics.quantiles(times, n=20)[-1]
    print(
        f"{name:33}{statistics.median(times):6.0f} ms{p95:6.0f} ms"
        f"{held:9.1f}/s{frames:9.1f}/s{rest:7.0f} ms{moving:9}{sharp:9}"
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presses", type=int, default=100)
    presses = parser.parse_args().presses
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in WIDGETS.values()]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    with tempfile.TemporaryDirectory() as folder, jupyterlab(folder) as lab, browser() as chromium:
        nbformat.write(notebook, Path(folder, "views.ipynb"))
        heads = f"{'median':>9}{'95 %':>9}{'presses':>11}{'frames':>11}{'rest':>10}{'bytes':>9}{'at rest':>9}"
        print(f"{'from press to painted frame':33}{heads}")
        for ratio in (1, 2):
            window = {"viewport": {"width": 1280, "height": 2000}, "device_scale_factor": ratio}
            page = chromium.new_context(**window).new_page()
            page.add_init_script(WEIGH)
            lab.open(page, "views.ipynb")
            if errors := lab.run_all(page):
                sys.exit("\n".join(errors))
            page.wait_for_selector("canvas >> nth=2")
            page.wait_for_timeout(1000)
            for number, name in enumerate(WIDGETS):
                view = page.locator(".echo, .live-view").nth(number)
                measure(page, view, f"{name}, ratio {ratio}", presses)
            page.context.close()


if __name__ == "__main__":
    main()
