"""Signals through fresh deep networks: against the recursion written by hand, and against theory."""

import numpy as np
import pytest

from course_lib.initializers import glorot, he, lecun, normal
from course_lib.layers import LeakyReLU
from course_lib.signals import Signals, signals

RNG = np.random.default_rng


def by_hand(size, layers, examples):
    """Return outputs and derivatives of a tanh network with N(0, 0.2²), drawn in the same order."""
    rng = RNG(3)
    weights = [normal(0.2)(rng, size, size) for _ in range(layers)]
    normal(0.2)(rng, size, 1)  # the output layer, which is not used
    outputs = [rng.standard_normal((examples, size))]
    for w in weights:
        outputs.append(np.tanh(outputs[-1] @ w))
    back = [rng.standard_normal((examples, size))]
    for w, h in zip(weights[::-1], outputs[:0:-1], strict=True):
        back.append((back[-1] * (1 - h**2)) @ w.T)
    return outputs[1:], back[:0:-1]


def test_signals_are_the_recursion_written_by_hand():
    found = signals("tanh", normal(0.2), RNG(3), size=7, layers=4, examples=5)
    outputs, back = by_hand(7, 4, 5)
    assert [h.shape for h in found.outputs] == [(5, 7)] * 4
    np.testing.assert_allclose(found.outputs, outputs, rtol=1e-12)
    np.testing.assert_allclose(found.derivatives, back, rtol=1e-12)


def test_defaults_are_ten_layers_of_500_units_and_300_examples():
    found = signals("relu", he(), RNG(0))
    assert np.shape(found.outputs) == np.shape(found.derivatives) == (10, 300, 500)
    assert np.all((found.std > 0.6) & (found.std < 1.1))
    assert np.all((found.back > 0.8) & (found.back < 1.3))


@pytest.mark.parametrize(
    ("activation", "initializer", "factor"),
    [("relu", he(), 1.0), ("relu", lecun(), 0.5), (LeakyReLU(0.5), he(), 1.25), ("tanh", normal(0.01), 0.04)],
)
def test_second_moments_change_by_the_factor_of_theory(activation, initializer, factor):
    """Each layer multiplies the mean square by n·Var W·E[φ²]: ½ for ReLU, (1 + slope²)/2 for leaky ReLU."""
    found = signals(activation, initializer, RNG(1), size=400, layers=4, examples=100)
    second = found.std**2 + found.mean**2
    np.testing.assert_allclose(second[1:] / second[:-1], factor, rtol=0.15)
    np.testing.assert_allclose(found.back[:-1] ** 2 / found.back[1:] ** 2, factor, rtol=0.15)


def test_one_unit_one_layer_one_example():
    found = signals("tanh", normal(1.0), RNG(0), size=1, layers=1, examples=1)
    assert np.shape(found.outputs) == np.shape(found.derivatives) == (1, 1, 1)


def test_shares_and_the_table():
    h = [np.array([[0.0, 0.991, -1.0], [0.0, 0.0, 0.99]]), np.array([[1.0, 1.0, 0.0], [3.0, 3.0, 0.5]])]
    found = Signals(h, [np.array([[1.0, -1.0]]), np.array([[2.0, -2.0]])])
    np.testing.assert_allclose(found.saturated, [2 / 6, 4 / 6])
    np.testing.assert_allclose(found.zero, [3 / 6, 1 / 6])
    np.testing.assert_allclose(found.dead, [1 / 3, 0])
    np.testing.assert_allclose(found.back, [1, 2])
    np.testing.assert_allclose(found.mean, [0.981 / 6, 8.5 / 6])
    assert repr(found).splitlines()[2] == "    2   1.4e+00   1.2e+00        67%    17%     0%      2.0e+00"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size = 0"),
        ({"layers": 2.5}, "layers = 2.5"),
        ({"examples": -1}, "examples = -1"),
        ({"activation": "softplus"}, "activation = 'softplus'"),
        ({"initializer": "he"}, "initializer = 'he'"),
        ({"rng": 0}, "rng = 0"),
    ],
)
def test_bad_arguments_are_explained(options, message):
    options = {"activation": "relu", "initializer": glorot(), "rng": RNG(0)} | options
    with pytest.raises(ValueError, match=message):
        signals(**options)
