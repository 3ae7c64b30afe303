"""Callbacks: each against a run by hand; a killed run goes on with the same bits."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from course_lib import _whole, callbacks, checkpoints
from course_lib._run import ScaledRate, with_rate
from course_lib.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Snapshot,
    TerminateOnNaN,
)
from course_lib.networks import MLP
from course_lib.optimizers import Adam, AdamW, Clipped, GradientDescent, Momentum, Nesterov
from course_lib.penalised import Proximal
from course_lib.regularizers import L1
from course_lib.schedules import inverse_time, step_decay
from course_lib.training import fit

X = np.random.default_rng(7).normal(size=(12, 3))
Y = np.arange(12) % 2


def net(dtype=np.float64, **options):
    return MLP([3, 5, 2], rng=np.random.default_rng(0), dtype=dtype, **options)


def run(model, rule, *watching, **options):
    options = {"epochs": 4, "batch_size": 4, "rng": np.random.default_rng(1), "validation": (X, Y)} | options
    return fit(model, (X, Y), rule, callbacks=watching, **options)


class Told(Callback):
    """Put values in the place of what an epoch's validation gave."""

    def __init__(self, values, name="val_loss"):
        self.values, self.name = values, name

    def on_epoch_end(self, run):
        run.record[self.name] = self.values[run.epoch - 1]


def rates(history):
    return [round(lr, 12) for lr in history["lr"]]


# --- the learning rate -----------------------------------------------------------------------------------


def test_scheduler_sets_the_rate_of_each_epoch():
    schedule = step_decay(0.4, 0.5, every=2)
    history = run(net(), GradientDescent(0.1), LearningRateScheduler(schedule))
    assert rates(history) == [0.4, 0.4, 0.2, 0.2]
    by_rule = run(net(), GradientDescent(lambda t: schedule(t // 3)))
    assert np.allclose(history.theta, by_rule.theta, rtol=1e-13)


def test_scheduler_may_rest_for_an_epoch():
    history = run(net(), GradientDescent(0.1), LearningRateScheduler(lambda epoch: [0.1, 0, 0, 0.2][epoch]))
    assert rates(history) == [0.1, 0, 0, 0.2]
    assert history["val_loss"][0] == history["val_loss"][2] != history["val_loss"][3]


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, None, "x"])
def test_scheduler_refuses_what_is_no_rate(value):
    with pytest.raises(ValueError, match="lr = "):
        run(net(), GradientDescent(0.1), LearningRateScheduler(lambda epoch: value))


def test_scheduler_refuses_a_second_schedule_and_what_is_none():
    with pytest.raises(ValueError, match=r"lr of the optimizer = .*no schedule itself"):
        run(net(), GradientDescent(inverse_time(0.1, 1)), LearningRateScheduler(lambda epoch: 0.1))
    with pytest.raises(ValueError, match=r"schedule = 0.1: must be a callable"):
        LearningRateScheduler(0.1)


class Plain:
    def init(self, x):
        return ()

    def step(self, x, g, state):
        return x - 0.1 * g, state


@pytest.mark.parametrize(
    "change", [LearningRateScheduler(lambda epoch: 0.1), ReduceLROnPlateau(patience=0)], ids=["set", "reduce"]
)
def test_a_rule_without_lr_cannot_be_scheduled(change):
    with pytest.raises(ValueError, match=r"optimizer = .*a dataclass with lr"):
        run(net(), Plain(), Told([1, 1, 1, 1]), change)


def test_a_rate_of_0_cannot_be_scaled():
    with pytest.raises(ValueError, match=r"the rule's own lr = 0.0: must be above 0"):
        run(net(), GradientDescent(0.0), LearningRateScheduler(lambda epoch: 0.1))


@pytest.mark.parametrize(
    ("rule", "inside"),
    [
        (Adam(0.5), lambda rule: rule),
        (Clipped(Momentum(0.5), 1), lambda rule: rule.rule),
        (Clipped(Proximal(GradientDescent(0.5), L1(0.1)), 1), lambda rule: rule.rule.rule),
    ],
    ids=lambda value: None if callable(value) else repr(value),
)
def test_the_factor_reaches_the_rule_inside_and_leaves_it_alone(rule, inside):
    changed, factor = with_rate(rule, ScaledRate)
    factor.factor = 0.25
    assert inside(changed).lr(3) == 0.125
    assert inside(rule).lr == 0.5


def test_factor_multiplies_a_schedule():
    def halve(run):
        run.lr_factor = 0.5

    rule = GradientDescent(inverse_time(0.4, 1))
    history = run(net(), rule, LambdaCallback(on_epoch_end=halve), epochs=2)
    assert rates(history) == rates({"lr": [0.4 / 3, 0.2 / 6]})


def test_weight_decay_shrinks_with_the_rate():
    def stop(run):
        run.lr = 0

    first = run(net(), AdamW(0.1), epochs=1)
    rest = run(net(), AdamW(0.1), LambdaCallback(on_epoch_end=stop))
    assert np.array_equal(first.theta, rest.theta)


def test_a_changed_rate_keeps_float32():
    history = run(net(np.float32), Adam(0.1), LearningRateScheduler(lambda epoch: np.float64(0.1)))
    assert history.theta.dtype == np.float32


PLATEAU = [
    # values, options, rates (of each epoch)
    ([5, 4, 4, 4, 4, 4], dict(patience=2), [1, 1, 1, 1, 1, 0.1]),
    ([4, 4, 4, 4, 4, 4], dict(patience=1), [1, 1, 1, 0.1, 0.1, 0.01]),
    ([5, 4, 4, 4, 4, 4], dict(patience=0), [1, 1, 1, 0.1, 0.01, 0.001]),
    ([5, 4, 4, 4, 4, 4], dict(patience=0, cooldown=2), [1, 1, 1, 0.1, 0.1, 0.1]),
    ([5, 4, 4, 4, 4, 4], dict(patience=0, cooldown=1), [1, 1, 1, 0.1, 0.1, 0.01]),
    ([5, 4, 4, 4, 4, 4], dict(patience=0, min_lr=0.05), [1, 1, 1, 0.1, 0.05, 0.05]),
    ([5, 5, 5, 5, 5, 5], dict(patience=0, min_lr=2), [1, 1, 1, 1, 1, 1]),
    ([5, 4.9, 4.8, 4.6, 4.5, 4.5], dict(patience=0, min_delta=0.15), [1, 1, 0.1, 0.1, 0.1, 0.01]),
    ([5, 4.5, 4, 3.5, 3, 2.5], dict(patience=0, min_delta=0.5), [1, 1, 0.5, 0.5, 0.25, 0.25]),
    ([np.nan, 5, 4, 3, 2, 1], dict(patience=0), [1, 0.1, 0.1, 0.1, 0.1, 0.1]),
]


@pytest.mark.parametrize(("values", "options", "expected"), PLATEAU)
def test_plateau(values, options, expected):
    if options.get("min_delta") == 0.5:
        options = options | {"factor": 0.5}
    reduce = ReduceLROnPlateau(**options)
    history = run(net(), GradientDescent(1.0), Told(values), reduce, epochs=6)
    assert rates(history) == expected
    again = run(net(), GradientDescent(1.0), Told(values), reduce, epochs=6)
    assert rates(again) == expected


def test_plateau_of_an_accuracy_is_where_it_does_not_rise():
    told = Told([0.5, 0.6, 0.6, 0.7], "val_accuracy")
    history = run(net(), GradientDescent(1.0), told, ReduceLROnPlateau("val_accuracy", patience=0))
    assert rates(history) == [1, 1, 1, 0.1]


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (ReduceLROnPlateau, {"factor": 1.0}, r"factor = 1.0: must be in \(0, 1\)"),
        (ReduceLROnPlateau, {"factor": 0}, "factor = 0"),
        (ReduceLROnPlateau, {"patience": -1}, "patience = -1"),
        (ReduceLROnPlateau, {"cooldown": 1.5}, "cooldown = 1.5"),
        (ReduceLROnPlateau, {"min_lr": -1}, "min_lr = -1"),
        (ReduceLROnPlateau, {"min_delta": np.inf}, "min_delta = inf"),
        (EarlyStopping, {"patience": None}, "patience = None"),
        (EarlyStopping, {"restore_best": 1}, "restore_best = 1"),
        (ModelCheckpoint, {"path": "x", "every": 0}, "every = 0"),
        (Snapshot, {"every": 0}, "every = 0"),
        (LambdaCallback, {"on_epoch_end": 3}, "on_epoch_end = 3"),
    ],
)
def test_bad_arguments_are_explained(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


# --- stopping --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", [None, "batch"])
def test_early_stopping_goes_back_to_the_best(norm):
    model, kept = net(norm=norm), []
    note = LambdaCallback(on_epoch_end=lambda run: kept.append((run.theta, checkpoints.copied_stats(model))))
    stop = EarlyStopping(patience=2)
    history = run(model, Adam(0.1), Told([3, 1, 2, 1, 0, 0]), stop, note, epochs=6)
    assert history.stopped == "val_loss was best in epoch 2"
    assert len(history.epochs) == 4
    assert stop.best_epoch == 2
    assert np.array_equal(history.theta, kept[1][0])
    if norm:
        assert np.array_equal(model.stats[1], kept[1][1][1])
        assert not np.array_equal(model.stats[1], kept[3][1][1])


@pytest.mark.parametrize(("patience", "epochs"), [(0, 3), (1, 3), (2, 4), (3, 6)])
def test_early_stopping_waits(patience, epochs):
    stop = EarlyStopping(patience=patience, restore_best=False)
    for _ in range(2):
        history = run(net(), Adam(0.1), Told([3, 1, 1, 1, 0, 0]), stop, epochs=6)
        assert len(history.epochs) == epochs
    whole = run(net(), Adam(0.1), epochs=epochs)
    assert np.array_equal(history.theta, whole.theta)


def test_early_stopping_before_there_is_a_best():
    stop = EarlyStopping(patience=2)
    assert (stop.best_epoch, stop.patience) == (0, 2)
    history = run(net(), Adam(0.1), Told([np.nan] * 4), stop)
    assert history.stopped == "val_loss was best in epoch 0"
    assert len(history.epochs) == 2
    assert np.array_equal(history.theta, run(net(), Adam(0.1), epochs=2).theta)


def test_defaults_are_as_said():
    reduce, stop = ReduceLROnPlateau(), EarlyStopping()
    assert (reduce.factor, reduce.patience, reduce.min_delta) == (0.1, 10, 1e-4)
    assert (reduce.cooldown, reduce.min_lr, reduce.monitor) == (0, 0, "val_loss")
    assert (stop.patience, stop.min_delta, stop.monitor, stop.restore_best) == (10, 0, "val_loss", True)
    assert ModelCheckpoint("x").every == 1


def test_early_stopping_by_accuracy_and_the_margin():
    told = Told([0.5, 0.6, 0.62, 0.63, 0.9, 0.9], "val_accuracy")
    stop = EarlyStopping("val_accuracy", patience=2, min_delta=0.05)
    assert run(net(), Adam(0.1), told, stop, epochs=6).stopped == "val_accuracy was best in epoch 2"


def test_early_stopping_restores_after_an_interruption():
    def interrupt(run):
        if run.epoch == 3:
            raise KeyboardInterrupt

    stop = EarlyStopping()
    watch = LambdaCallback(on_epoch_begin=interrupt)
    history = run(net(), Adam(0.1), Told([1, 2, 3]), stop, watch)
    assert np.array_equal(history.theta, run(net(), Adam(0.1), epochs=1).theta)


def test_what_is_not_recorded_cannot_be_watched():
    message = "monitor = 'val_loss': must be one of epoch, loss, lr, seconds. Give fit validation data"
    with pytest.raises(ValueError, match=message):
        run(net(), Adam(0.1), EarlyStopping(), validation=None)


def test_terminate_on_nan_names_the_layer():
    model = net()

    def spoil(run):
        if run.step == 5:
            run.stepper.theta[-1] = np.nan

    history = run(model, Adam(0.1), LambdaCallback(on_batch_end=spoil), TerminateOnNaN())
    assert history.stopped == "layer 2 (Dense) became NaN or infinite at step 5, in epoch 2"
    assert len(history.loss) == 5
    assert run(model, Adam(0.1), TerminateOnNaN()).stopped == ""

    class OfOnesOwn:
        theta0, dtype, loss_and_grad = model.theta0, model.dtype, model.loss_and_grad

    watch = [LambdaCallback(on_batch_end=spoil), TerminateOnNaN()]
    stopped = run(OfOnesOwn(), Adam(0.1), *watch, validation=None).stopped
    assert stopped == "the parameters became NaN or infinite at step 5, in epoch 2"


def test_terminate_on_nan_stops_before_the_loss_is_seen():
    watch = TerminateOnNaN()
    history = run(net(), GradientDescent(1e308), LambdaCallback(on_batch_end=_blow), watch)
    assert history.stopped == "layer 0 (Dense) became NaN or infinite at step 1, in epoch 1"
    assert np.isfinite(history.loss).all()


def _blow(run):
    run.stepper.theta[0] = np.inf


# --- snapshots -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", [None, "batch"])
def test_snapshots_are_those_of_the_epochs(norm):
    model, snapshot = net(norm=norm), Snapshot(every=2)
    for _ in range(2):
        run(model, Adam(0.1), snapshot, epochs=5)
    assert [member["epoch"] for member in snapshot.members] == [2, 4]
    other = net(norm=norm)
    second = run(other, Adam(0.1), epochs=2)
    outputs = snapshot.outputs(model, X)
    assert outputs.shape == (2, 12, 2)
    assert np.allclose(outputs.sum(axis=2), 1)
    assert np.array_equal(snapshot.members[0]["theta"], second.theta)
    z = other.forward(second.theta, X)[0][-1]
    assert np.allclose(outputs[0], np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))


def test_snapshots_of_squared_errors_and_none():
    model = MLP([3, 4, 1], rng=np.random.default_rng(0), loss="mean squared error")
    snapshot = Snapshot(1)
    fit(
        model,
        (X, X[:, :1]),
        Adam(0.1),
        epochs=1,
        batch_size=4,
        rng=np.random.default_rng(0),
        callbacks=[snapshot],
    )
    assert np.array_equal(snapshot.outputs(model, X)[0], model.predict(snapshot.members[0]["theta"], X))
    with pytest.raises(ValueError, match=r"members = \[\]: must be not empty"):
        Snapshot(1).outputs(model, X)


# --- checkpoints -----------------------------------------------------------------------------------------


def same_bits(first, second):
    assert first.theta.tobytes() == second.theta.tobytes()
    assert first.theta.dtype == second.theta.dtype
    assert first.loss.tobytes() == second.loss.tobytes()
    assert first.stopped == second.stopped
    strip = [[{k: v for k, v in r.items() if k != "seconds"} for r in h.epochs] for h in (first, second)]
    assert strip[0] == strip[1]


RUNS = {
    "GD": (GradientDescent(0.1), {}, np.float64),
    "Adam float32 batch norm": (Adam(inverse_time(0.1, 0.1)), {"norm": "batch", "dropout": 0.3}, np.float32),
    "beta by schedule": (Adam(0.1, beta1=lambda t: np.float64(0.9)), {"norm": "batch"}, np.float32),
    "clipped AdamW": (Clipped(AdamW(0.1, mask=net().decay_mask()), 1), {"dropout": 0.5}, np.float64),
}


@pytest.mark.parametrize("generator", [np.random.PCG64, np.random.MT19937, np.random.Philox])
@pytest.mark.parametrize("name", RUNS)
def test_resumed_run_has_the_bits_of_the_whole(name, generator, tmp_path):
    rule, options, dtype = RUNS[name]
    path = tmp_path / "run.npz"

    def watching():
        return [
            ReduceLROnPlateau(patience=0),
            EarlyStopping(patience=3),
            Snapshot(2),
            CSVLogger(tmp_path / "log"),
        ]

    def train(epochs, seed, callbacks, **more):
        model = net(dtype, **options)
        rng = np.random.Generator(generator(seed))
        return run(model, rule, *callbacks, epochs=epochs, rng=rng, **more), model

    wholes, parts = watching(), watching()
    whole, model = train(7, 5, wholes)
    train(3, 5, [ModelCheckpoint(path), *watching()])
    resumed, other = train(7, 99, [ModelCheckpoint(path), *parts], resume=path)
    same_bits(whole, resumed)
    for mine, theirs in zip(model.stats, other.stats, strict=True):
        assert (mine is None) == (theirs is None)
        assert mine is None or np.array_equal(mine, theirs)
    assert [m["epoch"] for m in parts[2].members] == [m["epoch"] for m in wholes[2].members]
    assert np.array_equal(parts[2].members[0]["theta"], wholes[2].members[0]["theta"])
    assert (tmp_path / "log").read_text().count("\n") == len(whole.epochs) + 1
    done, _ = train(7, 1, [ModelCheckpoint(path), *watching()], resume=path)
    same_bits(whole, done)


CHILD = """
    import os, signal, sys
    import numpy as np
    from course_lib.callbacks import EarlyStopping, LambdaCallback, ModelCheckpoint
    from course_lib.networks import MLP
    from course_lib.optimizers import Adam
    from course_lib.training import fit

    path, when, resume = sys.argv[1:]
    die = lambda: os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    data = np.random.default_rng(7).normal(size=(12, 3)), np.arange(12) % 2
    model = MLP([3, 5, 2], norm="batch", dropout=0.2, rng=np.random.default_rng(0), dtype=np.float32)
    written, fsync = [], os.fsync

    def synced(file):  # the third checkpoint is on its way
        written.append(file)
        if when == "while writing" and len(written) == 3:
            os.truncate(file, 500)
            die()
        fsync(file)

    os.fsync = synced
    kill = lambda run: die() if when == "in an epoch" and run.step == 8 else None
    killer = LambdaCallback(on_batch_end=kill)
    history = fit(model, data, Adam(0.05), epochs=6, batch_size=4, validation=data,
                  rng=np.random.default_rng(3), callbacks=[EarlyStopping(), killer, ModelCheckpoint(path)],
                  resume=resume or None)
    np.savez(path + ".result.npz", theta=history.theta, loss=history.loss, var=model.stats[1][1])
"""


@pytest.mark.parametrize("when", ["in an epoch", "while writing"])
def test_killed_run_resumes_from_the_last_whole_checkpoint(when, tmp_path):
    def child(name, when="never", resume=""):
        code = [sys.executable, "-c", textwrap.dedent(CHILD), str(tmp_path / name), when, str(resume)]
        return subprocess.run(code, capture_output=True, text=True)

    killed = child("run.npz", when)
    assert killed.returncode in (-getattr(signal, "SIGKILL", 9), signal.SIGTERM), killed.stderr
    with np.load(tmp_path / "run.npz") as file:
        tree = json.loads(file["tree"].tobytes())
    assert dict(tree["dict"])["epoch"] == 2
    assert (tmp_path / "run.npz.part").exists() == (when == "while writing")
    resumed = child("run.npz", resume=tmp_path / "run.npz")
    assert resumed.returncode == 0, resumed.stderr
    whole = child("whole.npz")
    assert whole.returncode == 0, whole.stderr
    with (
        np.load(tmp_path / "run.npz.result.npz") as mine,
        np.load(tmp_path / "whole.npz.result.npz") as theirs,
    ):
        assert all(mine[name].tobytes() == theirs[name].tobytes() for name in ("theta", "loss", "var"))
    assert not (tmp_path / "run.npz.part").exists()


def test_checkpoint_every_so_many_epochs_and_of_the_best(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(checkpoints, "_write", lambda path, content: written.append(content["epoch"]))
    run(net(), Adam(0.1), ModelCheckpoint(tmp_path / "a", every=3), epochs=7)
    assert written == [3, 6]
    written.clear()
    best = ModelCheckpoint(tmp_path / "a", monitor="val_loss")
    for _ in range(2):
        run(net(), Adam(0.1), best, Told([3, 2, 2, 4, 1, np.nan]), epochs=6)
    assert written == [1, 2, 5] * 2
    written.clear()
    told = Told([0.2, 0.1, 0.3], "val_accuracy")
    run(net(), Adam(0.1), told, ModelCheckpoint(tmp_path / "a", monitor="val_accuracy"), epochs=3)
    assert written == [1, 3]


def test_failed_write_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    run(net(), Adam(0.1), ModelCheckpoint(path), epochs=1)
    before = path.read_bytes()
    monkeypatch.setattr(_whole.os, "fsync", lambda file: os.truncate(file, 1))
    monkeypatch.setattr(_whole.os, "replace", _full)
    with pytest.raises(OSError, match="No space left"):
        run(net(), Adam(0.1), ModelCheckpoint(path), epochs=2)
    assert path.read_bytes() == before


def _full(*args):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 3}, "batch_size of the run = 3: must be 4"),
        ({"rule": GradientDescent(0.1)}, "another rule"),
        ({"model": net(np.float32)}, "another theta"),
        ({"model": MLP([3, 4, 2], rng=np.random.default_rng(0))}, "another theta"),
        ({"rng": np.random.Generator(np.random.MT19937(0))}, "generator of the run = 'MT19937'"),
        ({"watching": []}, r"callbacks of the run = .*'ModelCheckpoint'"),
        ({"data": (X[:8], Y[:8])}, "n_examples of the run = 8: must be 12"),
    ],
    ids=["batch size", "rule", "dtype", "sizes", "generator", "callbacks", "data"],
)
def test_checkpoint_of_another_run_is_refused_and_nothing_moves(change, message, tmp_path):
    path = tmp_path / "run.npz"
    run(net(), Adam(0.1), EarlyStopping(), ModelCheckpoint(path), epochs=1)
    rng = change.get("rng", np.random.default_rng(0))
    before = rng.bit_generator.state
    with pytest.raises(ValueError, match=message):
        fit(
            change.get("model", net()),
            change.get("data", (X, Y)),
            change.get("rule", Adam(0.1)),
            epochs=2,
            batch_size=change.get("batch_size", 4),
            rng=rng,
            callbacks=change.get("watching", [EarlyStopping(), ModelCheckpoint(path)]),
            resume=path,
        )
    assert str(rng.bit_generator.state) == str(before)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Momentum(0.1), Nesterov(0.1)),
        (Adam(0.1), AdamW(0.1)),
        (Clipped(Momentum(0.1), 1), Momentum(0.1)),
        (Clipped(Momentum(0.1), 1), Clipped(Nesterov(0.1), 1)),
    ],
    ids=repr,
)
def test_checkpoint_of_a_rule_with_the_same_state_is_refused(first, second, tmp_path):
    path = tmp_path / "run.npz"
    run(net(), first, ModelCheckpoint(path), epochs=1)
    with pytest.raises(ValueError, match="another rule"):
        run(net(), second, ModelCheckpoint(path), resume=path)


@pytest.mark.parametrize("factor", [-1, np.inf, np.nan, "x"])
def test_a_factor_is_a_finite_number(factor):
    def change(run):
        run.lr_factor = factor

    with pytest.raises(ValueError, match="lr_factor = "):
        run(net(), Adam(0.1), LambdaCallback(on_epoch_end=change))


def test_checkpoint_of_batch_norm_does_not_fit_a_layer_norm(tmp_path):
    path = tmp_path / "run.npz"
    run(net(norm="batch"), Adam(0.1), ModelCheckpoint(path), epochs=1)
    with pytest.raises(ValueError, match="another stats"):
        run(net(norm="layer"), Adam(0.1), ModelCheckpoint(path), resume=path)


@pytest.mark.parametrize("content", [None, b"", b"PK\3\4 no", "cut", "foreign", "mark"])
def test_what_is_no_checkpoint_is_refused(content, tmp_path):
    path = tmp_path / "run.npz"
    run(net(), Adam(0.1), ModelCheckpoint(path), epochs=1)
    if content is None:
        path.unlink()
    elif content == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif content == "foreign":
        np.savez(path, a=np.zeros(3))
    elif content == "mark":
        np.savez(path, mark=np.zeros(3, np.uint8), tree=np.zeros(3, np.uint8))
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"resume = .*must be a checkpoint. Give a file that Model"):
        run(net(), Adam(0.1), ModelCheckpoint(path), resume=path)


def test_checkpoint_holds_no_pickle(tmp_path):
    path = tmp_path / "run.npz"
    run(net(), Adam(0.1), Snapshot(1), EarlyStopping(), ModelCheckpoint(path))
    with np.load(path, allow_pickle=False) as file:
        assert all(file[name].dtype.kind in "fui" for name in file.files)


def test_all_names_are_there():
    assert all(hasattr(callbacks, name) for name in callbacks.__all__)
