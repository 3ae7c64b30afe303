"""The search for the learning rate: against the loop by hand, and on losses made up."""

import math

import numpy as np
import pytest

from course_lib.datasets import digits_split
from course_lib.descent import minibatches
from course_lib.networks import MLP
from course_lib.optimizers import Adam, Clipped, GradientDescent, Momentum, Nesterov
from course_lib.training import LRSweep, fit, lr_finder

X = np.random.default_rng(7).normal(size=(12, 3))
Y = np.arange(12) % 2


def net(dtype=np.float64, **options):
    return MLP([3, 5, 2], rng=np.random.default_rng(0), dtype=dtype, **options)


def find(model, rule, **options):
    options = {"steps": 20, "batch_size": 4, "lr_max": 1, "rng": np.random.default_rng(1)} | options
    return lr_finder(model, (X, Y), rule, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "make",
    [Adam, GradientDescent, lambda lr: Nesterov(lr, form="look-ahead"), lambda lr: Clipped(Momentum(lr), 1)],
)
def test_sweep_is_the_loop_written_by_hand(make, dtype):
    model = net(dtype, dropout=0.2)
    found = find(model, make(123.0), stop=math.inf)
    rates = [1e-6 * (1 / 1e-6) ** (k / 19) for k in range(20)]
    assert np.allclose(found.lr, rates, rtol=1e-12)
    rng, rule = np.random.default_rng(1), make(lambda t: found.lr[t])
    theta, rows, average = model.theta0, minibatches(12, 4, rng), 0
    state = rule.init(theta)
    for k in range(20):
        batch = next(rows)
        loss, g = model.loss_and_grad(rule.where(theta, state), X[batch], Y[batch], rng)
        theta, state = rule.step(theta, g, state)
        average = 0.9 * average + 0.1 * loss
        assert found.loss[k] == loss
        assert math.isclose(found.smoothed[k], average / (1 - 0.9 ** (k + 1)), rel_tol=1e-12)


def test_defaults():
    rng = np.random.default_rng(1)
    found = lr_finder(net(), (np.tile(X, (6, 1)), np.tile(Y, 6)), Clipped(GradientDescent(1), 1e-9), rng=rng)
    assert (found.lr[0], found.lr[-1], len(found.lr)) == (1e-6, 10.0, 100)
    assert math.isclose(found.smoothed[1], (0.9 * 0.1 * found.loss[0] + 0.1 * found.loss[1]) / 0.19)
    batches, again = minibatches(72, 64, np.random.default_rng(1)), net()
    rows = next(batches)
    assert found.loss[0] == again.loss_and_grad(again.theta0, X[rows % 12], Y[rows % 12])[0]


def test_model_and_rule_are_left_as_they_were():
    model, rule = net(norm="batch"), Adam(0.1)
    theta = fit(model, (X, Y), rule, epochs=2, batch_size=4, rng=np.random.default_rng(0)).theta
    before, copy = [part.copy() for part in model.stats[1]], theta.copy()
    find(model, rule, theta=theta)
    assert np.array_equal(model.stats[1], before)
    assert np.array_equal(theta, copy)
    assert rule.lr == 0.1

    def fail(*arguments, **options):
        model.stats[1][0] += 1
        raise KeyboardInterrupt

    model.loss_and_grad = fail
    with pytest.raises(KeyboardInterrupt):
        find(model, rule)
    assert np.array_equal(model.stats[1], before)


def test_theta_is_where_it_starts():
    model = net()
    assert find(model, Adam(1), theta=np.zeros(model.n_parameters)).loss[0] == pytest.approx(math.log(2))


def sweep(smoothed):
    k = len(smoothed)
    return LRSweep(10.0 ** np.arange(-k, 0), np.array(smoothed), np.array(smoothed))


def test_suggestions_lie_before_the_lowest():
    found = sweep([5.0, 4.9, 4.0, 2.0, 1.5, 9.0, 99.0])
    assert found.lowest == pytest.approx(1e-3)
    assert found.suggestion == pytest.approx(1e-4)
    assert found.steepest == pytest.approx(1e-5)  # (2 − 4.9) / 2 decades
    assert repr(found) == ("<LRSweep: 7 rates from 1e-07 to 0.1, lowest loss at 0.001, suggestion 0.0001>")
    assert sweep([5.0, 4.9, 4.8, 4.7, 2.0, 9.0]).steepest == pytest.approx(1e-2)
    assert sweep([5.0, 2.0, 1.5, 9.0]).steepest == pytest.approx(1e-4)
    assert sweep([5.0, 4.0, 9.0]).steepest == pytest.approx(1e-2)
    assert sweep([5.0, 4.5, 3.0, 9.0]).steepest == pytest.approx(1e-2)
    assert sweep([1.0, 2.0]).steepest == sweep([1.0, 2.0]).lowest == pytest.approx(1e-2)


def test_sweep_stops_early():
    whole = find(net(), GradientDescent(1), lr_max=1e6, stop=math.inf, smoothing=0, steps=60)
    early = find(net(), GradientDescent(1), lr_max=1e6, stop=2, smoothing=0, steps=60)
    k = len(early.loss)
    assert k < len(whole.loss)
    assert np.array_equal(early.loss, whole.loss[:k])
    lowest = np.minimum.accumulate(whole.loss)
    assert (whole.loss[1:k] <= 2 * lowest[: k - 1]).all()
    assert whole.loss[k] > 2 * lowest[k - 1]


def test_what_is_not_finite_is_left_out():
    found = find(net(), GradientDescent(1), lr_max=1e300, stop=math.inf)
    assert 1 < len(found.loss) < 20
    assert np.isfinite(found.loss).all()
    assert len(found.lr) == len(found.loss) == len(found.smoothed)
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"the first loss = .*must be finite"):
            lr_finder(net(), (np.full((12, 3), bad), Y), Adam(1), rng=np.random.default_rng(0), batch_size=4)


def test_suggestion_trains_the_digits():
    train, validation, _ = digits_split()
    model = MLP([64, 32, 10], rng=np.random.default_rng(0), dtype=np.float32)
    found = lr_finder(model, train, Adam(1), rng=np.random.default_rng(1))
    history = fit(
        model, train, Adam(found.suggestion), epochs=5, rng=np.random.default_rng(1), validation=validation
    )
    assert history["val_accuracy"][-1] > 0.93


class Plain:
    def init(self, x):
        return ()

    def step(self, x, g, state):
        return x, state


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr_min": 0}, "lr_min = 0"),
        ({"lr_min": 2}, r"lr_max = 1: must be in \(2, inf\)"),
        ({"lr_max": np.inf}, "lr_max = inf"),
        ({"steps": 1}, "steps = 1: must be a whole number of at least 2"),
        ({"smoothing": 1}, r"smoothing = 1: must be in \[0, 1\)"),
        ({"stop": 1}, r"stop = 1: must be in \(1, inf\]"),
        ({"batch_size": 13}, "batch_size = 13"),
        ({"rng": None}, "rng = None"),
        ({"theta": np.zeros(2)}, r"theta.shape = \(2,\)"),
        ({"rule": Plain()}, r"optimizer = .*must be a dataclass with lr"),
    ],
)
def test_bad_arguments_are_explained(options, message):
    with pytest.raises(ValueError, match=message):
        find(net(), options.pop("rule", Adam(1)), **options)
