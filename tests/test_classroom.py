"""The learners of benchmarks/classroom.py who have no screen do what JupyterLab does, and notice faults."""

import contextlib
import importlib.util
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
import _learner
import lab
from classroom import Class, figures, spread

LIVE = """
import matplotlib.pyplot as plt
from course_lib.widgets import live, slider

fig, ax = plt.subplots(figsize=(3, 2))
(line,) = ax.plot([], [])

def step(a, b):
    if b == 3 and {fails}:
        raise ValueError("b is 3")
    line.set_data([0, 1], [a, b])

live(fig, step, line, alt="A line.", a=slider(0, 100, 0, n=100), b=slider(0, 3, 2, n=3))
"""
HUB = [name for name in ("jupyterhub", "playwright") if importlib.util.find_spec(name) is None]
HUB += [name for name in ("npm",) if shutil.which(name) is None]


def write(folder, *sources):
    """Write a notebook with these cells, and return its name."""
    cells = [new_code_cell(source) for source in sources]
    for cell in cells:
        cell.metadata["tags"] = ["live"] if "live(" in cell.source else []
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Text"), *cells]), folder / "trial.ipynb")
    return "trial.ipynb"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return a running JupyterLab."""
    with lab.jupyterlab(tmp_path_factory.mktemp("classroom")) as running:
        yield running


@pytest.fixture
def learner(server):
    """Return a learner whom the server knows."""
    one = _learner.Learner(server.base, "one")
    one.ask(f"{server.base}/lab?token={server.token}")
    yield one
    one.leave()


def test_learner_runs_all_and_moves_each_slider(server, learner):
    learner.enter(write(server.folder, "a = 1", "print(a + 1)", LIVE.format(fails=False)))
    learner.run()
    (model,) = learner.views.values()
    assert learner.models[model]["answer"]["positions"] == {"a": 0, "b": 2}
    learner.slide(0)
    assert len(learner.answers) == 2 * _learner.MOVES
    assert all(0 < milliseconds < 20_000 for milliseconds in learner.answers)
    *_, again = learner.views.values()
    moved = learner.models[again]["answer"]
    assert again != model
    assert moved["positions"]["a"] > 0
    assert moved["positions"]["b"] != 2
    assert moved["seq"] >= 2 * _learner.MOVES


def test_learner_may_pause_between_cells(server, learner):
    learner.enter(write(server.folder, "a = 1", "a + 1"))
    learner.run(pause=0.01)
    assert len([one for one in learner.replies.values() if one.get("execution_count")]) == 2


def test_learner_complains_of_a_cell_that_fails_and_of_a_view_that_fails(server, learner):
    learner.enter(write(server.folder, "1 / 0"))
    with pytest.raises(_learner.Failure, match="ZeroDivisionError: division by zero"):
        learner.run()
    learner.leave()
    learner.enter(write(server.folder, LIVE.format(fails=True)))
    learner.random.choice = max
    learner.run()
    with pytest.raises(_learner.Failure, match=r"slider b: Error in step .* b is 3"):
        learner.slide(0)


def test_learner_complains_of_a_page_that_is_not_there(server, learner):
    with pytest.raises(_learner.Failure, match=r"GET /api/contents/none\.ipynb\S*: 404"):
        learner.enter("none.ipynb")


class Pupil:
    """Stands in for a learner."""

    def __init__(self, name, fails):
        self.name, self.fails, self.did = name, fails, []

    def work(self, what):
        self.did.append(what)
        if what == self.fails:
            raise _learner.Failure("I cannot\nfor a reason")

    def wait(self):
        self.did.append("wait")
        time.sleep(0.01)

    def leave(self):
        self.did.append("leave")


def test_who_fails_is_listed_and_leaves_and_the_others_go_on(capsys):
    good, bad = Pupil("good", None), Pupil("bad", "maths")
    lesson = Class([good, bad])
    assert lesson.do("work", "reading").keys() == {"good", "bad"}
    assert lesson.do("work", "maths").keys() == {"good"}
    assert lesson.failures == ["bad, work: Failure: I cannot"]
    assert lesson.do("work", "music").keys() == {"good"}
    lesson.dismiss()
    kept = [[what for what in one.did if what != "wait"] for one in (good, bad)]
    assert kept == [["reading", "maths", "music", "leave"], ["reading", "maths", "leave"]]


def test_percentile_is_one_of_the_values():
    assert spread(range(1, 21)) == {"number": 20, "median": 10.5, "p95": 19, "highest": 20}
    assert spread([7, None]) == {"number": 1, "median": 7, "p95": 7, "highest": 7}
    assert spread([None]) == {"number": 0}


def test_memory_is_the_median_learners_and_the_highest():
    looks = {"a": [{"pss": 1}, {"pss": 5}, {"pss": 2}], "b": [{"pss": 3}, {"pss": 9}, {"pss": 4}], "": []}
    assert figures(looks, ["a", "b"], "pss") == {"typical": 3, "peak": 7, "highest": 9}


# In CI nothing may be skipped, and the hub is not installed there: this is for whoever changes the benchmark.
if not HUB or os.environ.get("CI") != "true":

    @pytest.mark.skipif(bool(HUB), reason=f"for the hub itself, missing: {', '.join(HUB)}")
    def test_one_learner_in_a_hub():
        from _hub import Hub, Meter

        short = tempfile.TemporaryDirectory()  # the paths of sockets must be
        with short as folder, Hub(folder, ["one"], "00_start_here.ipynb") as hub:
            one, meter = _learner.Learner(hub.base, "one", hub.password), Meter(hub)
            with contextlib.closing(one.http):
                one.enter("00_start_here.ipynb")
                one.run()
                one.slide(0)
                meter.look()
                used = meter.seconds()["one"]
                one.leave()
        assert len(one.answers) >= _learner.MOVES
        assert 50 < meter.memory["one"][0]["pss"] < 1000
        assert used > 1
        assert not hub.process.is_running()
