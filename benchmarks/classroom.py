"""Measure a class: 20 learners at once in a real JupyterHub on this machine.

    python benchmarks/classroom.py [--learners 20] [--browsers 1] [--think 3] [--pause 0] [--write]

All log in at the same moment, each gets a Jupyter server of its own, opens notebook 02, and chooses *Run All
Cells* when everybody is ready; then each goes back to the live views, runs them again and drags their
sliders, with some `--think` seconds before each. `--browsers` of them are real JupyterLabs in Chromium, the
others send the same messages without a screen (`_learner.py`). With `--pause` the cells are not sent at once,
but each so many seconds after the last. Whatever any of them would complain of is listed as a failure.

``--write`` stores the record in benchmarks/classroom.json and rewrites the tables of docs/instructors.md
from it; ``--document`` only does the latter. ``make classroom`` installs what is needed and calls this with
``--write``; nothing else should run meanwhile. It takes Linux, Chromium and npm: the hub's proxy comes from
there, once, into .cache.
"""

import argparse
import contextlib
import importlib.util
import json
import math
import os
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from _record import record, write
from _tables import rewritten

from course_lib._whole import write_whole

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "benchmarks" / "classroom.json"
DOCUMENT = ROOT / "docs" / "instructors.md"
PACKAGES = "jupyterhub", "jupyterlab", "jupyter_server", "ipykernel"
NOTEBOOK = "02_gradient_descent_and_sgd.ipynb"


class Class:
    """Learners, each in a thread of its own, who all do the same at the same time."""

    def __init__(self, learners):
        self.threads = {learner: ThreadPoolExecutor(1) for learner in learners}
        self.failures = []

    def do(self, verb, *arguments):
        """Let everybody do it; return the seconds that each took, by name. Who fails is out."""
        began, seconds, over = time.perf_counter(), {}, threading.Event()

        def act(learner):
            getattr(learner, verb)(*arguments)
            seconds[learner.name] = time.perf_counter() - began

        def wait(learner):
            while not over.is_set():
                learner.wait()

        acts = {learner: thread.submit(act, learner) for learner, thread in self.threads.items()}
        for learner, thread in self.threads.items():
            thread.submit(wait, learner)
        errors = {learner: going.exception() for learner, going in acts.items()}  # when all have done it
        over.set()
        for learner, error in errors.items():
            if error:  # failures are what is measured
                said = str(error).splitlines() or [""]
                self.failures.append(f"{learner.name}, {verb}: {type(error).__name__}: {said[0][:200]}")
                print(self.failures[-1], flush=True)
                self.dismiss(learner)
        print(f"{verb:6}{len(seconds):3} learners {time.perf_counter() - began:5.0f} s", flush=True)
        return seconds

    def dismiss(self, *learners):
        """Let these learners leave, or all."""
        for learner in learners or list(self.threads):
            thread = self.threads.pop(learner)
            with contextlib.suppress(Exception):
                thread.submit(learner.leave).result()
            thread.shutdown()


def measure(learners, browsers, think, pause):
    """Hold the class; return the record."""
    from _hub import PROXY, PROXY_VERSION, Hub, Meter
    from _learner import BrowserLearner, Learner

    began, load = time.perf_counter(), os.getloadavg()[0]
    names = [f"learner{i:02}" for i in range(1, learners + 1)]
    with tempfile.TemporaryDirectory() as folder, Hub(folder, [*names, "visitor"], NOTEBOOK) as hub:
        visitor = BrowserLearner(hub.base, "visitor", hub.password)
        rehearsal = Class([visitor])  # what does JupyterLab fetch here?
        rehearsal.do("enter", NOTEBOOK)
        rehearsal.dismiss()
        if rehearsal.failures:
            raise SystemExit(f"course: the rehearsal failed: {rehearsal.failures[0]}\n{hub.said()}")
        real = [BrowserLearner(hub.base, name, hub.password) for name in names[:browsers]]
        light = [Learner(hub.base, name, hub.password, visitor.fetched) for name in names[browsers:]]
        everyone, meter = Class(real + light), Meter(hub)
        meter.start()
        seconds, processor = {}, {}
        for verb, argument in {"enter": NOTEBOOK, "run": pause, "slide": think}.items():
            before = meter.seconds()
            seconds[verb] = everyone.do(verb, argument)
            processor[verb] = {name: used - before.get(name, 0) for name, used in meter.seconds().items()}
        memory = meter.stop()
        everyone.dismiss()
        if everyone.failures:
            print(hub.said())
    from psutil import virtual_memory

    names_of = {"light": [one.name for one in light], "browser": [one.name for one in real]}
    result = record(f"{learners} learners at once in a JupyterHub", "make classroom")
    result["machine"]["memory_gb"] = round(virtual_memory().total / 1e9)
    result |= {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {
            name: version(name) for name in ("jupyterhub", "jupyterlab", "jupyter_server", "ipykernel")
        }
        | {PROXY: PROXY_VERSION, "chromium": visitor.version},
        "setting": {
            "notebook": NOTEBOOK,
            "learners": learners,
            "browsers": browsers,
            "think_seconds": think,
            "pause_seconds": pause,
            "threads_per_kernel": 1,
            "load_before": round(load, 1),
        },
        "failures": everyone.failures,
        "connections_made_anew": sum(one.again for one in light),
        "seconds": {
            kind: {verb: spread(seconds[verb].get(name) for name in some) for verb in seconds}
            for kind, some in names_of.items()
        },
        "slider_ms": {
            "light": spread(ms for one in light for ms in one.answers),
            "browser": spread(ms for one in real for ms in one.answers),
        },
        "memory_mb": {kind: figures(memory, names, kind) for kind in Meter.KINDS}
        | {"hub": round(max(look["pss"] for look in memory[""]))},
        "cpu_seconds": {verb: spread(used.get(name) for name in names) for verb, used in processor.items()},
        "cpu_seconds_hub": {verb: round(used[""], 1) for verb, used in processor.items()},
        "minutes": round((time.perf_counter() - began) / 60, 1),
    }
    return result


def spread(values):
    """Return the number of values, the median, the 95th percentile (one of them), and the highest."""
    values = sorted(value for value in values if value is not None)
    if not values:
        return {"number": 0}
    shown = {
        "median": median(values),
        "p95": values[math.ceil(0.95 * len(values)) - 1],
        "highest": values[-1],
    }
    return {"number": len(values)} | {name: round(value, 1) for name, value in shown.items()}


def figures(memory, names, kind):
    """Return megabytes: the median learner in the middle of the class and at the peak, the highest peak."""
    looks = [[look[kind] for look in memory[name]] for name in names if memory[name]]
    shown = {
        "typical": median(map(median, looks)),
        "peak": median(map(max, looks)),
        "highest": max(map(max, looks)),
    }
    return {name: round(value) for name, value in shown.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--learners", type=int, default=20)
    parser.add_argument("--browsers", type=int, default=1, help="how many of them are real browsers")
    parser.add_argument("--think", type=float, default=3, help="seconds before a learner drags a slider")
    parser.add_argument("--pause", type=float, default=0, help="seconds between two cells; 0: all at once")
    parser.add_argument("--write", action="store_true", help=f"store {RECORD.name}, rewrite {DOCUMENT.name}")
    parser.add_argument("--document", action="store_true", help=f"rewrite the tables of {DOCUMENT.name} only")
    options = parser.parse_args()
    if not options.document:
        missing = [name for name in ("jupyterhub", "playwright") if not importlib.util.find_spec(name)]
        if missing:
            raise SystemExit(
                f"course: {' and '.join(missing)} missing: call `make classroom`, which installs it."
            )
        result = measure(options.learners, options.browsers, options.think, options.pause)
        print(json.dumps(result, indent=1))
        if options.write:
            write(result, RECORD)
    if options.write or options.document:
        text = rewritten(DOCUMENT.read_text("utf-8"), json.loads(RECORD.read_text("utf-8")))
        write_whole(DOCUMENT, text.encode())
        print(f"The tables of docs/{DOCUMENT.name} hold these numbers now: read them before you commit.")


if __name__ == "__main__":
    main()
