"""What the shoot-out recorded: fair by its own protocol, made with the settings of today, and sane."""

import json
from pathlib import Path

import numpy as np
import pytest

from course_lib.contest import DATASETS, METHODS, draws

DATA = Path(__file__).resolve().parents[1] / "notebooks" / "data"
RECORDS = {path.stem.removeprefix("shootout_"): path for path in sorted(DATA.glob("shootout_*.json"))}
LEAST = {"mnist": 0.98, "cifar10": 0.50, "imdb": 0.87}
"""Test accuracy that the best method must reach."""


@pytest.fixture(params=RECORDS)
def record(request):
    return json.loads(RECORDS[request.param].read_text("utf-8"))


def test_there_are_records_of_real_data():
    assert set(RECORDS) <= set(LEAST)
    assert RECORDS


def test_settings_are_those_of_today(record):
    task = DATASETS[record["dataset"]]
    assert tuple(record["sizes"]) == task.sizes
    assert (record["batch_size"], record["epochs"]) == (task.batch_size, task.epochs)
    assert record["trials"] >= 12
    assert record["seeds"] == list(range(len(record["seeds"])))
    assert len(record["seeds"]) >= 5
    assert set(record["methods"]) == set(METHODS)
    assert record["command"].startswith(f"python -m course_lib.shootout {record['dataset']} ")
    assert record["machine"]["numpy"]


def test_no_chosen_rate_lies_at_an_end_of_the_range(record):
    lrs = {tuple(run["lr"] for run in entry["search"]) for entry in record["methods"].values()}
    assert len(lrs) == 1  # the same trials for all
    (lrs,) = lrs
    inside = lrs.index(draws(record["trials"])[0])
    above = len(lrs) - inside - record["trials"]
    assert lrs == tuple(draws(record["trials"], below=inside, above=above))
    for entry in record["methods"].values():
        scores = [-1.0 if run["diverged"] else run["val_accuracy"] for run in entry["search"]]
        assert 0 < lrs.index(entry["lr"]) < len(lrs) - 1
        assert scores[lrs.index(entry["lr"])] == max(scores)


def test_runs_are_those_that_were_promised(record):
    for name, entry in record["methods"].items():
        assert entry["default_lr"] == METHODS[name].default
        for arm, lr in (("tuned", entry["lr"]), ("untuned", entry["default_lr"])):
            assert [run["seed"] for run in entry[arm]] == record["seeds"]
            assert {run["lr"] for run in entry[arm]} == {lr}
            for run in entry[arm]:
                assert run["diverged"] or len(run["val_accuracy"]) == record["epochs"]
                assert 0 <= run["test_accuracy"] <= 1


def test_the_best_method_is_as_good_as_such_a_model_can_be(record):
    means = {
        name: np.mean([run["test_accuracy"] for run in entry["tuned"]])
        for name, entry in record["methods"].items()
    }
    assert LEAST[record["dataset"]] <= max(means.values()) < 0.995
    if record["dataset"] == "imdb":
        assert max(means.values()) < 0.895
    assert min(means.values()) > 0.9 * max(means.values())  # tuned, none is hopeless
