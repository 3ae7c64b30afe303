"""Training: the loop against one written by hand, what stops it, and what comes back."""

import io
import math
import os
import signal
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import _run, training
from course_lib._run import Stepper
from course_lib.callbacks import Callback, LambdaCallback
from course_lib.datasets import digits_split
from course_lib.networks import MLP
from course_lib.optimizers import (
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Clipped,
    GradientDescent,
    Lion,
    Momentum,
    Nadam,
    Nesterov,
    RMSProp,
)
from course_lib.penalised import PenalisedModel, Proximal
from course_lib.regularizers import L1, L2
from course_lib.schedules import cosine, inverse_time
from course_lib.training import fit

X = np.random.default_rng(7).normal(size=(10, 3))
Y = np.arange(10) % 2


def net(dtype=np.float64, **options):
    return MLP([3, 5, 2], rng=np.random.default_rng(0), dtype=dtype, **options)


def run(model, rule, data=(X, Y), **options):
    options = {"epochs": 3, "batch_size": 4, "rng": np.random.default_rng(1)} | options
    return fit(model, data, rule, **options)


# --- the loop --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "rule",
    [
        GradientDescent(0.1),
        GradientDescent(inverse_time(0.5, 0.1)),
        Nesterov(0.1, 0.9, form="look-ahead"),
        Adam(cosine(0.1, 9)),
        AdamW(0.1, mask=net().decay_mask()),
        Clipped(Momentum(0.1), 0.5),
        Proximal(GradientDescent(0.1), L1(0.01)),
    ],
    ids=repr,
)
@pytest.mark.parametrize("dropout", [0, 0.5])
def test_fit_is_the_loop_written_by_hand(rule, dtype, dropout):
    model = net(dtype, dropout=dropout)
    history = run(model, rule, validation=(X[:4], Y[:4]))
    rng, theta, losses = np.random.default_rng(1), model.theta0, []
    state = rule.init(theta)
    for epoch in range(3):
        order, total = rng.permutation(10), 0
        for rows in (order[:4], order[4:8], order[8:]):
            loss, g = model.loss_and_grad(rule.where(theta, state), X[rows], Y[rows], rng)
            theta, state = rule.step(theta, g, state)
            losses.append(loss)
            total += loss * len(rows)
        record = history.epochs[epoch]
        assert record["epoch"] == epoch + 1
        assert math.isclose(record["loss"], total / 10, rel_tol=1e-12)
    assert history.theta.dtype == dtype
    assert np.array_equal(history.theta, theta)
    assert history.loss.tolist() == losses
    assert history.stopped == ""
    assert record["val_loss"] == model.loss(theta, X[:4], Y[:4])
    assert record["val_accuracy"] == model.accuracy(theta, X[:4], Y[:4])
    assert record["lr"] == pytest.approx(float(_run.rate(getattr(rule, "rule", rule).lr, 8)))
    assert record["seconds"] > 0
    assert list(record) == ["epoch", "loss", "val_loss", "val_accuracy", "lr", "seconds"]


def test_fit_leaves_its_arguments_alone():
    model, rule = net(), Momentum(0.1)
    theta, data = model.theta0.copy(), (X.copy(), Y.copy())
    first = run(model, rule, data, theta=theta)
    assert np.array_equal(theta, model.theta0)
    assert np.array_equal(data[0], X)
    assert rule.lr == 0.1
    assert np.array_equal(run(model, rule).theta, first.theta)
    assert not np.shares_memory(first.theta, model.theta0)


def test_fit_goes_on_from_theta():
    model = net()
    first = run(model, GradientDescent(0.1))
    second = run(model, GradientDescent(0.1), theta=first.theta, epochs=0)
    assert np.array_equal(second.theta, first.theta)
    assert second.best is None
    assert repr(second) == "<History: 0 epochs, 0 steps>"


def test_fresh_start_sets_running_statistics_back_and_going_on_keeps_them():
    model = net(norm="batch")
    first = run(model, Adam(0.1), batch_size=5, validation=(X, Y))
    again = run(model, Adam(0.1), batch_size=5, validation=(X, Y))
    assert again["val_loss"].tolist() == first["val_loss"].tolist()
    moved = [part.copy() for part in model.stats[1]]
    run(model, Adam(0.1), batch_size=5, epochs=0, theta=first.theta)
    assert np.array_equal(model.stats[1], moved)


def test_batches_of_one_size_and_full_batch():
    model = net()
    assert len(run(model, Adam(0.1), batch_size=10).loss) == 3
    assert len(run(model, Adam(0.1), batch_size=5).loss) == 6
    assert len(run(model, Adam(0.1), batch_size=1).loss) == 30


def test_drop_last_leaves_out_the_short_minibatch_and_other_examples_each_time():
    seen, net_ = [], net()
    plain = net_.loss_and_grad

    def noting(theta, X, y, rng=None):
        seen.append(X[:, 0])
        return plain(theta, X, y, rng)

    net_.loss_and_grad = noting
    history = run(net_, GradientDescent(0.1), drop_last=True)
    assert [len(batch) for batch in seen] == [4] * 6
    left_out = [set(X[:, 0]) - set(np.concatenate(seen[at : at + 2])) for at in (0, 2, 4)]
    assert [len(rest) for rest in left_out] == [2, 2, 2]
    assert left_out[0] != left_out[1]
    assert history["loss"] == pytest.approx(history.loss.reshape(3, 2).mean(axis=1), rel=1e-12)
    whole = run(net(), GradientDescent(0.1), drop_last=True, batch_size=5)
    assert np.array_equal(whole.theta, run(net(), GradientDescent(0.1), batch_size=5).theta)


def test_batch_norm_with_one_example_left_over_asks_for_drop_last():
    normed = net(norm="batch")
    with pytest.raises(ValueError, match="drop_last=True in fit"):
        run(normed, GradientDescent(0.1), batch_size=9)
    assert run(normed, GradientDescent(0.1), batch_size=9, drop_last=True).loss.shape == (3,)


def test_digits_are_learned_and_the_object_is_taken():
    train, validation, _ = digits_split()
    model = MLP([64, 32, 10], rng=np.random.default_rng(0), dtype=np.float32)
    history = run(model, Adam(0.003), train, epochs=8, batch_size=64, validation=validation)
    assert history.theta.dtype == np.float32
    assert history["val_accuracy"][-1] > 0.93
    assert history.best["val_loss"] == history["val_loss"].min()
    assert "8 epochs, 136 steps, loss " in repr(history)
    assert "val_accuracy 9" in repr(history)


def test_validation_in_chunks_is_that_of_the_whole(monkeypatch):
    model = net()
    whole = run(model, Adam(0.1), validation=(X, Y))
    monkeypatch.setattr(training, "CHUNK", 3)
    chunks = run(model, Adam(0.1), validation=(X, Y))
    assert np.allclose(chunks["val_loss"], whole["val_loss"], rtol=1e-12)
    assert np.allclose(chunks["val_accuracy"], whole["val_accuracy"], rtol=1e-12)


def test_squared_errors_have_no_accuracy():
    model = MLP([3, 4, 1], rng=np.random.default_rng(0), loss="mean squared error")
    history = run(model, Adam(0.1), (X, X[:, :1]), validation=(X, X[:, :1]))
    assert "val_accuracy" not in history.epochs[0]
    assert "val_accuracy" not in repr(history)
    assert history["val_loss"][-1] < history["val_loss"][0]


def test_penalised_network_is_trained_with_its_penalty():
    plain, heavy = net(), net()
    with_penalty = run(PenalisedModel(heavy, L2(1.0)), Adam(0.1), epochs=20, validation=(X, Y))
    without = run(plain, Adam(0.1), epochs=20)
    assert np.linalg.norm(with_penalty.theta) < 0.5 * np.linalg.norm(without.theta)
    assert with_penalty["val_loss"][-1] == heavy.loss(with_penalty.theta, X, Y)


def test_best_without_validation_is_that_of_the_training_loss():
    history = run(net(), GradientDescent(0.1), epochs=5)
    assert history.best["loss"] == history["loss"].min()
    with pytest.raises(ValueError, match=r"name = 'val_loss': must be one of 'epoch', 'loss', 'lr'"):
        history["val_loss"]


# --- long vectors in pieces ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "rule",
    [
        GradientDescent(0.1),
        Momentum(0.1),
        Nesterov(0.1),
        Adagrad(0.1),
        RMSProp(0.1, momentum=0.5, centered=True),
        Adadelta(),
        Adam(inverse_time(0.1, 0.5)),
        AdamW(0.1, weight_decay=0.5, mask=np.arange(103) % 2),
        AdamW(0.1),
        AMSGrad(0.1),
        Nadam(0.1),
        Lion(0.1),
        Clipped(Adam(0.1), 0.5),
    ],
    ids=repr,
)
def test_pieces_have_the_bits_of_the_whole(rule, dtype, monkeypatch):
    monkeypatch.setattr(_run, "PIECE", 10)
    monkeypatch.setattr(_run, "LONG", 100)
    rng = np.random.default_rng(0)
    theta = rng.normal(size=103).astype(dtype)
    stepper, state = Stepper(rule, theta.copy()), rule.init(theta)
    assert len(stepper.pieces) == (1 if isinstance(rule, Clipped) else 11)
    for _ in range(4):
        g = rng.normal(size=103).astype(dtype)
        stepper.step(g)
        theta, state = rule.step(theta, g, state)
        assert np.array_equal(stepper.theta, theta)
        assert stepper.theta.dtype == dtype
        assert type(stepper.state) is type(state)
        for mine, whole in zip(stepper.state, state, strict=True):
            assert np.array_equal(mine, whole)
            assert type(mine) is type(whole)


def test_short_vector_is_one_piece(monkeypatch):
    monkeypatch.setattr(_run, "PIECE", 52)
    monkeypatch.setattr(_run, "LONG", 104)
    assert len(Stepper(Adam(0.1), np.zeros(104)).pieces) == 1
    assert len(Stepper(Adam(0.1), np.zeros(105)).pieces) == 3


# --- what ends a run -------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_stops_with_a_report():
    history = run(net(), GradientDescent(1e200), epochs=50, validation=(X, Y))
    assert not math.isfinite(history.loss[-1])
    assert np.isfinite(history.loss[:-1]).all()
    assert history.stopped.startswith("the loss became ")
    assert "in epoch 1, after step" in history.stopped
    assert "with learning rate 1e+200: try a lower rate, or clip the gradient" in history.stopped
    assert "stopped: the loss became" in repr(history)


def test_a_validation_loss_that_is_not_finite_stops_with_a_report():
    history = run(net(), GradientDescent(0.1), validation=(np.full((2, 3), np.inf), [0, 1]))
    assert len(history.epochs) == 1
    assert "the validation loss became nan" in history.stopped
    assert "in epoch 1, after step 3" in history.stopped


class Plain:
    """A rule of one's own, without lr."""

    def init(self, x):
        return ()

    def step(self, x, g, state):
        return x - 0.1 * g, state


def test_a_rule_of_ones_own_without_lr():
    history = run(net(), Plain())
    assert np.array_equal(history.theta, run(net(), GradientDescent(0.1)).theta)
    assert math.isnan(history.epochs[0]["lr"])
    stopped = run(net(), Plain(), (np.full((10, 3), np.nan), Y)).stopped
    assert stopped == "the loss became nan in epoch 1, after step 0: try a lower rate, or clip the gradient"


def test_interruption_keeps_what_was_learned():
    def interrupt(run):
        if run.step == 5:
            raise KeyboardInterrupt

    ended = []
    watch = LambdaCallback(on_batch_end=interrupt, on_train_end=lambda run: ended.append(run.step))
    history = run(net(), Adam(0.1), callbacks=[watch])
    assert history.stopped == "interrupted in epoch 2, after step 5"
    assert len(history.loss) == 5
    assert len(history.epochs) == 1
    assert ended == [5]
    whole = []
    note = LambdaCallback(on_batch_end=lambda run: whole.append(run.theta))
    run(net(), Adam(0.1), callbacks=[note])
    assert np.array_equal(history.theta, whole[4])


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal to itself")
def test_interruption_by_a_real_signal():
    threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    history = run(net(), Adam(0.01), epochs=10**6)
    assert history.stopped.startswith("interrupted in epoch")
    assert len(history.loss) > 3


# --- callbacks are called in order -----------------------------------------------------------------------


class Noting(Callback):
    def __init__(self, notes):
        self.notes = notes

    def on_train_begin(self, run):
        self.notes.append(("train begin", run.epoch, run.step))

    def on_epoch_begin(self, run):
        self.notes.append(("epoch begin", run.epoch, run.step))

    def on_batch_end(self, run):
        self.notes.append(("batch end", run.epoch, run.step))

    def on_epoch_end(self, run):
        self.notes.append(("epoch end", run.epoch, run.step))

    def on_train_end(self, run):
        self.notes.append(("train end", run.epoch, run.step))


def test_callbacks_are_called_where_they_say():
    notes = []
    run(net(), Adam(0.1), epochs=2, batch_size=5, callbacks=[Noting(notes)])
    epochs = [
        [
            ("epoch begin", e, 2 * e),
            ("batch end", e, 2 * e + 1),
            ("batch end", e, 2 * e + 2),
            ("epoch end", e + 1, 2 * e + 2),
        ]
        for e in (0, 1)
    ]
    assert notes == [("train begin", 0, 0), *epochs[0], *epochs[1], ("train end", 2, 4)]


def test_a_callback_can_stop_within_an_epoch_or_after_one():
    early = LambdaCallback(on_batch_end=lambda run: run.stop("enough") if run.step == 2 else None)
    history = run(net(), Adam(0.1), callbacks=[early])
    assert (history.stopped, len(history.loss), history.epochs) == ("enough", 2, [])
    after = LambdaCallback(on_epoch_end=lambda run: [run.stop("first"), run.stop("second")])
    history = run(net(), Adam(0.1), callbacks=[after])
    assert (history.stopped, len(history.loss)) == ("first", 3)


def test_what_a_run_shows_is_a_copy():
    kept = []
    run(net(), Adam(0.1), callbacks=[LambdaCallback(on_batch_end=lambda run: kept.append(run.theta))])
    assert len({theta.tobytes() for theta in kept}) == 9


# --- the bar ---------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("progress", "terminal", "shown"), [
    (None, True, True), (None, False, False), (True, False, True), (False, True, False),
])  # fmt: skip
def test_progress_bar(progress, terminal, shown, monkeypatch):
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    run(net(), Adam(0.1), progress=progress, validation=(X, Y))
    assert ("9/9" in stream.getvalue()) == shown
    assert ("val_loss=" in stream.getvalue()) == shown


# --- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": (X[:0], Y[:0])}, r"X.shape of data = \(0, 3\)"),
        ({"data": (X[0], Y[:3])}, r"X.shape of data = \(3,\)"),
        ({"data": (X, Y[:3])}, r"y.shape of data = \(3,\): must be \(10, ...\)"),
        ({"data": X}, r"(?s)data = .*must be a pair"),
        ({"validation": (X, Y, X)}, r"(?s)validation = .*must be a pair"),
        ({"drop_last": 1}, "drop_last"),
        ({"batch_size": 11}, "batch_size = 11: must be at most 10"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"epochs": -1}, "epochs = -1"),
        ({"epochs": 2.0}, "epochs = 2.0"),
        ({"rng": 3}, "rng = 3: must be a Generator"),
        ({"rule": Adam}, "optimizer = .*init and step"),
        ({"rule": 0.1}, "optimizer = 0.1"),
        ({"rule": Adam([[0.1], [0.2]])}, "lr = .*a single number"),
        ({"callbacks": [Callback]}, "callbacks = .*a list of Callback"),
        ({"theta": np.zeros(3)}, r"theta.shape = \(3,\)"),
        ({"theta": np.zeros(32), "resume": "x"}, "None in a resumed run"),
        ({"progress": "yes"}, "progress = 'yes'"),
        ({"model": "net"}, "model = 'net': must be a network"),
    ],
)
def test_bad_arguments_are_explained(options, message):
    options = {"model": net(), "rule": Adam(0.1)} | options
    with pytest.raises(ValueError, match=message):
        run(options.pop("model"), options.pop("rule"), **options)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    st.one_of(st.integers(-5, 20), st.floats(), st.booleans(), st.none(), st.text(max_size=3)),
    st.sampled_from(["epochs", "batch_size"]),
)
def test_any_count_is_taken_or_refused_in_words(value, name):
    able = type(value) is int and (value >= 0 if name == "epochs" else 1 <= value <= 10)
    if able:
        assert len(run(net(), Adam(0.1), **{name: value}).epochs) == (value if name == "epochs" else 3)
    else:
        with pytest.raises(ValueError, match=f"{name} = "):
            run(net(), Adam(0.1), **{name: value})
