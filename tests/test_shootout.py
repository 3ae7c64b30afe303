"""The shoot-out: its protocol on toy runs, resuming after a kill, and two kinds of workers."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from course_lib import contest, shootout
from course_lib.contest import DATASETS, METHODS, Task, data, digest, draws, train
from course_lib.datasets import Digits, SparseRows
from course_lib.imdb import Reviews
from course_lib.optimizers import Adam
from course_lib.shootout import SEARCH_SEED, chosen

ROOT = Path(__file__).resolve().parents[1]


# --- learning rates to try -------------------------------------------------------------------------------


@pytest.mark.parametrize("trials", [3, 12, 40])
def test_one_draw_in_each_of_equal_parts(trials):
    lrs = np.log10(draws(trials))
    parts = np.floor((lrs + 4) / (5 / trials))
    assert parts.tolist() == list(range(trials))
    assert draws(trials, 1e-3, 1.0) == pytest.approx(10 ** (0.6 * (lrs + 4) - 3), rel=1e-4)


def test_widening_adds_parts_and_leaves_the_others_alone():
    lrs, wide = draws(12), draws(12, below=2, above=3)
    assert wide[2:-3] == lrs
    assert (len(wide), sorted(wide)) == (17, wide)
    width = 10 ** (5 / 12)
    assert 1e-4 / width**2 < wide[0] < 1e-4 / width < wide[1] < 1e-4
    assert 10 < wide[-3] < 10 * width < wide[-2] < 10 * width**2 < wide[-1] < 10 * width**3
    shares = np.log10(draws(12, below=12, above=12)) * 12 / 5 % 1
    assert len(np.unique(shares.round(6))) == 36  # each part has a draw of its own


# --- one run ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    return data("digits")


def test_pictures_are_centred_by_the_training_part_alone(digits):
    training = digits[0][0]
    assert [len(y) for _, y in digits] == [1079, 359, 359]
    assert all(X.dtype == np.float32 for X, _ in digits)
    np.testing.assert_allclose(training.mean(axis=0), 0, atol=1e-6)
    raw = [Digits(np.arange(6.0).reshape(3, 2) + k, np.zeros(3, int)) for k in range(3)]
    (a, _), (b, _), _ = contest.scaled(raw)
    spread = np.arange(6.0).std()
    np.testing.assert_allclose(a, (np.arange(6.0).reshape(3, 2) - [2, 3]) / spread)
    np.testing.assert_allclose(b - a, 1 / spread)


def test_of_words_only_their_presence_counts():
    X = SparseRows(np.array([3.0, 1.0]), np.array([1, 0]), np.array([0, 1, 2]), 2)
    ((found, y),) = contest.present([Reviews(X, np.array([1, 0]), ("a", "b"))])
    np.testing.assert_array_equal(found[:], [[0, 1], [1, 0]])
    assert y.tolist() == [1, 0]


def test_digest_knows_every_array():
    X = SparseRows(np.array([3.0, 1.0]), np.array([1, 0]), np.array([0, 1, 2]), 2)
    other = SparseRows(np.array([3.0, 1.0]), np.array([0, 0]), np.array([0, 1, 2]), 2)
    y = np.array([0, 1])
    found = {digest([(X, y)]), digest([(other, y)]), digest([(X, 1 - y)]), digest([(X[:], y)])}
    assert len(found) == 4
    assert digest([(X, y)]) == digest([(X, y.copy())])


def test_a_run_is_fit_with_a_cosine(digits):
    run = train("digits", digits, "Adam", 0.01, 3, epochs=2, test=True)
    assert (run["lr"], run["seed"], run["diverged"]) == (0.01, 3, False)
    assert [len(run[key]) for key in ("loss", "val_loss", "val_accuracy", "seconds")] == [2] * 4
    assert run["cpu_seconds"] > 0
    weights, order = (np.random.default_rng([3, k]) for k in range(2))
    net = contest.MLP([64, 64, 10], rng=weights, dtype=np.float32)
    rule = Adam(contest.cosine(0.01, 2 * 34))
    history = contest.fit(net, digits[0], rule, epochs=2, batch_size=32, rng=order)
    accuracy = np.mean(net.predict(history.theta, digits[2][0]) == digits[2][1])
    assert run["test_accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert run["test_accuracy"] > 0.9
    assert run["loss"] == pytest.approx(history["loss"], rel=1e-5)
    assert train("digits", digits, "Adam", 0.01, 3, 2)["loss"] == run["loss"]
    assert "test_accuracy" not in train("digits", digits, "Adam", 0.01, 3, 1)
    assert train("digits", digits, "Adam", 0.01, 4, 2)["loss"] != run["loss"]


def test_a_run_that_diverges_is_recorded_as_json_can_hold_it(digits):
    run = train("digits", digits, "SGD", 1e30, 0, epochs=2, test=True)
    assert run["diverged"]
    assert json.loads(json.dumps(run, allow_nan=False)) == run


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_digits_with_some_rate(digits, method):
    rates = {"SGD": 0.1, "Adadelta": 5.0, "Adagrad": 0.03, "Lion": 1e-3, "Momentum": 0.03, "Nesterov": 0.03}
    run = train("digits", digits, method, rates.get(method, 3e-3), 0, epochs=3)
    assert run["val_accuracy"][-1] > 0.8


def test_tasks_are_those_of_the_three_data_sets():
    found = {name: (task.sizes, task.batch_size, task.epochs) for name, task in DATASETS.items()}
    assert found == {
        "digits": ((64, 64, 10), 32, 5),
        "mnist": ((784, 256, 128, 10), 128, 5),
        "cifar10": ((3072, 128, 64, 10), 128, 8),
        "imdb": ((8000, 2), 128, 6),
    }
    assert len(METHODS) >= 8
    with pytest.raises(ValueError, match="dataset = 'svhn'"):
        data("svhn")


def test_other_pixels_are_asked_for_by_name(monkeypatch):
    asked = []

    def load(**options):
        asked.append(options)
        return [Digits(np.eye(2), np.array([0, 1]))] * 3

    task = DATASETS["digits"]
    for name in ("cifar10", "mnist"):
        monkeypatch.setitem(DATASETS, name, Task(load, task.sizes, 32, 5, contest.scaled))
    data("cifar10")
    data("cifar10", release=False)
    data("mnist", release=False)
    assert asked == [{}, {"release": False}, {}]


# --- the choice ------------------------------------------------------------------------------------------


def fake(accuracy, loss=1.0, diverged=False):
    return {"val_accuracy": [0.99, accuracy], "val_loss": [0.0, loss], "diverged": diverged}


@pytest.mark.parametrize(
    ("runs", "best"),
    [
        ([fake(0.5), fake(0.7), fake(0.6)], 1),
        ([fake(0.7, 2.0), fake(0.7, 1.0), fake(0.7, 3.0)], 1),
        ([fake(0.9, diverged=True), fake(0.1), fake(0.05)], 1),
        ([fake(0.9, None), fake(0.1), fake(0.05)], 1),
        ([{"val_accuracy": [], "val_loss": [], "diverged": True}, fake(0.0)], 1),
    ],
)
def test_the_highest_last_accuracy_is_chosen_then_the_lowest_loss(runs, best):
    assert chosen(runs) == best


@pytest.fixture
def toys(monkeypatch):
    """Let a run be a formula: "a" is best at lr 0.05, "b" at 40, "c" at 2e-5, others nowhere; note each."""
    made = []

    def toy(name, parts, method, lr, seed, epochs, test=False):
        made.append((method, lr, seed, test))
        peak = {"a": 0.05, "b": 40.0, "c": 2e-5, "d": 1e-99, "e": 1e99}[method]
        accuracy = -abs(np.log10(lr / peak))
        run = {"lr": lr, "seed": seed, "diverged": False, "val_accuracy": [accuracy], "val_loss": [1.0]}
        return run | ({"test_accuracy": accuracy + seed} if test else {})

    monkeypatch.setattr(shootout, "train", toy)
    for method in "abcde":
        monkeypatch.setitem(METHODS, method, METHODS["Adam"])
    return made


def compare(tmp_path, *methods, **options):
    """Run the shoot-out in this process."""
    return shootout.shootout("digits", methods=methods, out=tmp_path / "out.json", **options)


def test_the_same_trials_for_all_and_none_is_best_at_an_end(toys, tmp_path):
    result = compare(tmp_path, "a", "b", "c", trials=5, seeds=2)
    for method, peak in (("a", 0.05), ("b", 40.0), ("c", 2e-5)):
        entry = result["methods"][method]
        lrs = [run["lr"] for run in entry["search"]]
        assert lrs == draws(5, below=2, above=2)
        assert 0 < lrs.index(entry["lr"]) < len(lrs) - 1
        assert entry["lr"] == min(lrs, key=lambda lr: abs(np.log(lr / peak)))
        assert [run["seed"] for run in entry["tuned"]] == [run["seed"] for run in entry["untuned"]] == [0, 1]
        assert {run["lr"] for run in entry["tuned"]} == {entry["lr"]}
        assert {run["lr"] for run in entry["untuned"]} == {entry["default_lr"]} == {1e-3}
    searches = [job for job in toys if not job[3]]
    assert {seed for _, _, seed, _ in searches} == {SEARCH_SEED}
    assert len(searches) == len(set(searches)) == 3 * 9
    tests = [job for job in toys if job[3]]
    assert len(tests) == len(set(tests)) == 3 * 2 * 2
    assert toys == searches + tests  # nothing sees the test part before all choices are made


@pytest.mark.parametrize(("method", "end"), [("d", 0), ("e", -1)])
def test_what_never_has_a_best_rate_inside_is_given_up(toys, tmp_path, method, end):
    ends = draws(5, below=12)[0], draws(5, above=12)[-1]
    with pytest.raises(ValueError, match=f"best learning rate = {ends[end]}: must be inside"):
        compare(tmp_path, method, trials=5)
    assert not (tmp_path / "out.json").exists()


def test_the_record_is_whole_and_says_where_it_comes_from(toys, tmp_path):
    result = compare(tmp_path, "a", trials=3, seeds=1, command="the command")
    assert json.loads((tmp_path / "out.json").read_bytes()) == result
    assert result["command"] == "the command"
    assert (result["dataset"], result["epochs"], result["trials"]) == ("digits", 5, 3)
    assert (result["seeds"], result["search_seed"]) == ([0], SEARCH_SEED)
    assert result["data"] == digest(data("digits"))
    assert result["machine"]["numpy"] == np.__version__
    assert result["methods"]["a"]["rule"].startswith("Adam(lr=0.0")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "out.json.runs"]
    assert not list(tmp_path.rglob("*.part"))


def test_what_has_ended_is_not_run_again(toys, tmp_path, monkeypatch):
    whole = compare(tmp_path / "whole", "a", "b", trials=4, seeds=3)
    count, broken = len(toys), shootout.train

    def breaks(*arguments):
        if len(toys) == count + 9:
            raise KeyboardInterrupt
        return broken(*arguments)

    monkeypatch.setattr(shootout, "train", breaks)
    with pytest.raises(KeyboardInterrupt):
        compare(tmp_path / "broken", "a", "b", trials=4, seeds=3)
    folder = tmp_path / "broken" / "out.json.runs"
    assert len(list(folder.iterdir())) == 9 + 1
    (folder / next(p.name for p in folder.iterdir() if p.name.startswith("a-"))).write_bytes(b"{")  # damaged
    monkeypatch.setattr(shootout, "train", broken)
    assert compare(tmp_path / "broken", "a", "b", trials=4, seeds=3) == whole
    assert len(toys) == 2 * count + 1
    compare(tmp_path / "broken", "a", "b", trials=4, seeds=4)
    assert len(toys) == 2 * count + 1 + 4  # one more seed: for two methods, tuned and untuned


def test_runs_of_other_settings_are_not_mixed_in(toys, tmp_path):
    compare(tmp_path, "a", trials=4, seeds=1)
    with pytest.raises(ValueError, match=r"settings of the runs on disk.*delete out.json.runs"):
        compare(tmp_path, "a", trials=4, seeds=1, epochs=7)
    with pytest.raises(ValueError, match="settings of the runs on disk"):
        compare(tmp_path, "a", trials=5, seeds=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trials": 2}, "trials = 2"),
        ({"seeds": 0}, "seeds = 0"),
        ({"epochs": 0}, "epochs = 0"),
        ({"backend": "threads"}, "backend = 'threads'"),
        ({"backend": "dask"}, r"scheduler = None: must be the address of one. Start one with"),
        ({"methods": ["SDG"]}, "methods = 'SDG'"),
    ],
)
def test_bad_arguments_are_explained(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        shootout.shootout("digits", out=tmp_path / "out.json", **options)
    with pytest.raises(ValueError, match="dataset = 'svhn'"):
        shootout.shootout("svhn", out=tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == []


# --- the command, its workers, and kills -----------------------------------------------------------------

SMALL = ["digits", "--methods", "SGD", "Adam", "--seeds", "2", "--trials", "4", "--epochs", "2"]


def command(*words, **options):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "course_lib.shootout", *SMALL, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def numbers(path):
    """Return all of a record that a second run must repeat."""

    def kept(value):
        if isinstance(value, dict):
            return {k: kept(v) for k, v in value.items() if k not in ("seconds", "cpu_seconds", "command")}
        return [kept(item) for item in value] if isinstance(value, list) else value

    return kept(json.loads(path.read_bytes()))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    out = tmp_path_factory.mktemp("unbroken") / "out.json"
    process = command("--out", str(out))
    text, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return numbers(out), text


def ended(folder):
    return len(list(folder.glob("*-*.json"))) if folder.exists() else 0


def wait_for(condition, process, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)


def test_the_command_prints_a_table(unbroken):
    record, text = unbroken
    lines = text.splitlines()
    assert lines[0].startswith("method           lr  test accuracy, tuned and untuned: mean of 2 seeds")
    assert [line.split()[0] for line in lines[1:]] == ["SGD", "Adam"]
    means = [np.mean([run["test_accuracy"] for run in record["methods"]["Adam"][arm]]) for arm in ARMS]
    assert lines[2].split()[2:] == [f"{mean:.2%}" for mean in means]


ARMS = ("tuned", "untuned")


def test_a_killed_run_goes_on_and_ends_with_the_same_numbers(unbroken, tmp_path):
    out = tmp_path / "out.json"
    process = command("--out", str(out), "--jobs", "2", start_new_session=True)
    folder = tmp_path / "out.json.runs"
    wait_for(lambda: ended(folder) >= 3, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not out.exists()
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*-*.json")}
    assert 3 <= len(before) < len(list_of_runs(unbroken[0]))
    process = command("--out", str(out), "--jobs", "2")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert numbers(out) == unbroken[0]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert ended(folder) == len(list_of_runs(unbroken[0]))
    assert json.loads(out.read_bytes())["command"].endswith("--out out.json --jobs 2")


def list_of_runs(record):
    """Return all single runs that a record was made of."""
    return [
        (method, run["lr"], run.get("seed"))
        for method, entry in record["methods"].items()
        for arm in ("search", *ARMS)
        for run in entry[arm]
    ]


@pytest.mark.parametrize(("words", "release"), [([], True), (["--other-pixels"], False)])
def test_the_command_hands_on_what_was_asked_for(monkeypatch, capsys, words, release):
    asked = {}

    def compare(name, **options):
        asked.update(options, name=name)
        return {"methods": {}}

    monkeypatch.setattr(shootout, "shootout", compare)
    shootout.main(["cifar10", "--jobs", "2", "--out", "a/b.json", *words])
    assert (asked["name"], asked["release"], asked["jobs"], asked["out"]) == (
        "cifar10",
        release,
        2,
        Path("a/b.json"),
    )
    assert (asked["seeds"], asked["trials"], asked["epochs"], asked["backend"]) == (5, 12, None, "loky")
    assert asked["methods"] == tuple(METHODS)
    line = "python -m course_lib.shootout cifar10 --jobs 2 --out b.json"
    assert asked["command"] == " ".join([line, *words])
    assert capsys.readouterr().out.endswith("mean of 5 seeds\n")


def test_the_command_explains_itself(capsys):
    with pytest.raises(SystemExit):
        shootout.main(["--help"])
    text = capsys.readouterr().out
    assert text.startswith("usage: python -m course_lib.shootout")
    assert "Compare update rules on one data set, fairly" in text


def test_an_interruption_is_one_line(monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(shootout, "shootout", interrupted)
    with pytest.raises(SystemExit, match="the same command goes on from there"):
        shootout.main(["digits"])


def test_errors_of_the_command_are_one_line(tmp_path):
    process = command("--trials", "1", "--out", str(tmp_path / "out.json"))
    text, errors = process.communicate(timeout=60)
    assert (process.returncode, text) == (1, "")
    assert errors == "shootout: trials = 1: must be a whole number of at least 3. 12 is usual.\n"


@pytest.fixture
def cluster(tmp_path):
    """Yield a Dask scheduler's address and its two worker processes."""
    pytest.importorskip("distributed")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    environment |= {"DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment, "cwd": tmp_path}
    address = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    options = ["--host", "127.0.0.1", "--no-dashboard"]
    processes = [
        subprocess.Popen([*dask, "scheduler", *options, "--port", "0", "--scheduler-file", address], **quiet)
    ]
    wait_for(address.exists, processes[0])
    alone = ["--nthreads", "1", "--nworkers", "1", "--no-nanny", "--scheduler-file", address]
    for _ in range(2):
        processes.append(subprocess.Popen([*dask, "worker", *options, *alone], **quiet))
    yield json.loads(address.read_text())["address"], processes[1:]
    for process in processes:
        process.kill()
        process.wait()


def test_a_cluster_of_which_a_worker_is_killed_loses_nothing(cluster, unbroken, tmp_path):
    address, workers = cluster
    out = tmp_path / "out.json"
    process = command("--backend", "dask", "--scheduler", address, "--out", str(out))
    folder = tmp_path / "out.json.runs"
    wait_for(lambda: ended(folder) >= 3, process)
    before = ended(folder)
    workers[0].kill()
    text, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert 3 <= before < len(list_of_runs(unbroken[0]))
    assert numbers(out) == unbroken[0]
    assert ended(folder) == len(list_of_runs(unbroken[0]))
    assert text == unbroken[1]
