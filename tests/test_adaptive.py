"""Adagrad, RMSProp and Adadelta against closed forms; against frameworks: test_optimizers.py."""

import math

import numpy as np
import pytest

from course_lib import adaptive
from course_lib.adaptive import Adadelta, Adagrad, RMSProp, root
from tests.walk import GRADIENTS, one, run


def test_places_of_epsilon():
    s = np.array([9.0, 16.0])
    assert root(s, 7.0, "outside").tolist() == [10, 11]
    assert root(s, 9.0, "inside").tolist() == [math.sqrt(18), 5]
    assert root(s, 3.0, "uncorrected", 0.25).tolist() == [9, 10]
    assert root(s, 3.0, "uncorrected").tolist() == [6, 7]
    assert root(s, np.array([[7.0], [9.0]]), "inside")[:, 0].tolist() == [4, math.sqrt(18)]


# ---------------------------------------------------------------- Adagrad


def test_adagrads_sum_and_points():
    x0 = np.array([1.0, 2.0, 3.0])
    points, state = run(Adagrad(0.3, eps=0), GRADIENTS, x0)
    sums = np.cumsum(GRADIENTS**2, axis=0)
    np.testing.assert_allclose(state.s, sums[-1], rtol=1e-14)
    expected = x0 - np.cumsum(0.3 * GRADIENTS / np.sqrt(sums), axis=0)
    np.testing.assert_allclose(points[1:], expected, rtol=0, atol=1e-13)


def test_adagrad_under_a_constant_gradient_goes_as_the_sum_of_one_over_root_t():
    points, _ = run(Adagrad(0.5, eps=0), np.full((100, 1), 7.0), np.zeros(1))
    assert points[-1, 0] == pytest.approx(-0.5 * sum(1 / math.sqrt(t) for t in range(1, 101)), rel=1e-13)


@pytest.mark.parametrize("size", [1e-3, 1, 1e3])
def test_adagrads_first_step_has_the_length_of_the_rate_whatever_the_gradient(size):
    assert one(Adagrad(0.25, eps=0), size) == 0.25
    assert one(Adagrad(0.25, eps=0), -size) == -0.25


def test_adagrads_options():
    assert one(Adagrad(8, eps=1), 3) == 6
    assert one(Adagrad(8, eps=7, eps_place="inside"), 3) == 6
    assert one(Adagrad(8, 0, 7), 3) == 6
    assert one(Adagrad(8, 9, 7, "inside"), 3) == 4.8
    assert one(Adagrad(lambda t: 8 if t == 0 else 1, lambda t: 1 if t == 0 else 5), 3) == 6
    assert repr(Adagrad(1)) == "Adagrad(lr=1.0, eps=1e-10, initial_accumulator=0.0, eps_place='outside')"
    assert Adagrad(1, 0, lambda t: 7 if t == 0 else 1).init(np.zeros(2)).s.tolist() == [7, 7]
    assert Adagrad(1, 0, [[1], [2]]).init(np.zeros(2)).s.tolist() == [[1, 1], [2, 2]]


# ---------------------------------------------------------------- RMSProp


@pytest.mark.parametrize("rho", [0.95, 0.9, 0.7, 0.0])
def test_rmsprops_average_weighs_the_gradients_with_powers_of_rho(rho):
    weights = (1 - rho) * rho ** np.arange(40.0)[::-1, None]
    _, state = run(RMSProp(0.1, rho, centered=True), GRADIENTS, np.zeros(3))
    np.testing.assert_allclose(state.s, (weights * GRADIENTS**2).sum(axis=0), rtol=1e-13)
    np.testing.assert_allclose(state.a / (weights * np.abs(GRADIENTS)).sum(axis=0),
                               (weights * GRADIENTS).sum(axis=0) / (weights * np.abs(GRADIENTS)).sum(axis=0),
                               rtol=0, atol=1e-14)  # fmt: skip


def test_rmsprop_is_not_corrected_for_its_start_at_zero():
    """The first step has the length lr/√(1-ρ), later ones tend to lr; with ρ = 0 it is sign descent."""
    assert one(RMSProp(0.1, 0.99, eps=0), 7) == pytest.approx(0.1 / math.sqrt(1 - 0.99), rel=1e-13)
    points, _ = run(RMSProp(0.1, 0.9, eps=0), np.full((400, 1), 7.0), np.zeros(1))
    steps = -np.diff(points[:, 0])
    np.testing.assert_allclose(steps, 0.1 / np.sqrt(1 - 0.9 ** np.arange(1, 401)), rtol=1e-11)
    np.testing.assert_array_equal(run(RMSProp(0.5, 0, eps=0), GRADIENTS, np.zeros(3))[0][1:],
                                  np.cumsum(-0.5 * np.sign(GRADIENTS), axis=0))  # fmt: skip


def test_rmsprops_options():
    assert one(RMSProp(8, 0, 1), 3) == 6
    assert one(RMSProp(8, 0, 7, eps_place="inside"), 3) == 6
    # variance 0.25·16 - (0.25·4)² = 3
    assert one(RMSProp(8, 0.75, 1, centered=True, eps_place="inside"), 4) == 16
    assert one(RMSProp(8, lambda t: 0.75 if t == 0 else 0, 2), 4) == 8
    said = "RMSProp(lr=1.0, rho=0.99, eps=1e-08, momentum=0.0, centered=False, eps_place='outside')"
    assert repr(RMSProp(1)) == said


def test_rmsprops_momentum_sums_the_divided_gradients_and_the_rate_stands_outside():
    rule = RMSProp(lambda t: 8 / 2**t, rho=0, eps=0, momentum=0.5)
    points, state = run(rule, np.array([[3.0], [5.0], [-2.0]]), np.zeros(1))
    assert state.v.tolist() == [-0.25]  # 1, 1.5, 0.75 - 1
    assert points[:, 0].tolist() == [0, -8, -8 - 4 * 1.5, -14 + 2 * 0.25]


def test_a_centred_rmsprop_divides_by_the_standard_deviation():
    """Under a constant gradient the variance is g² (1 - ρ^t) ρ^t: the steps grow."""
    t = np.arange(1, 21)
    points, _ = run(RMSProp(0.1, 0.9, eps=0, centered=True), np.full((20, 1), 7.0), np.zeros(1))
    np.testing.assert_allclose(-np.diff(points[:, 0]), 0.1 / np.sqrt((1 - 0.9**t) * 0.9**t), rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_variance_that_rounding_makes_negative_counts_as_zero(dtype):
    g = np.broadcast_to(np.linspace(1, 2, 500).astype(dtype), (600, 500))
    points, state = run(RMSProp(1e-3, 0.5, eps=1, centered=True), g, np.zeros(500, dtype))
    negative = state.s < state.a * state.a
    assert 10 < negative.sum() < 490
    assert np.isfinite(points).all()
    last = points[-2] - points[-1]
    np.testing.assert_allclose(last[negative], 1e-3 * g[0, negative], rtol=1e-3)


# ---------------------------------------------------------------- Adadelta


def test_two_steps_of_adadelta_by_hand():
    """ε = 1, ρ = 3/4, gradients 4 and 2: s = 4 then 4; Δ² = 16/5, u = 4/5; then Δ² = 4 · 1.8/5."""
    points, state = run(Adadelta(0.75, 1.0), np.array([[4.0], [2.0]]), np.zeros(1))
    first, second = math.sqrt(16 / 5), math.sqrt(4 * 1.8 / 5)
    np.testing.assert_allclose(points[:, 0], [0, -first, -first - second], rtol=1e-14)
    np.testing.assert_allclose([state.s[0], state.u[0]], [4, 0.75 * 0.8 + 0.25 * 1.44], rtol=1e-14)


def test_adadeltas_rate_multiplies_the_update_and_does_not_enter_its_average():
    x0 = np.zeros(3)
    points, state = run(Adadelta(), GRADIENTS, x0)
    doubled, same = run(Adadelta(lr=2), GRADIENTS, x0)
    np.testing.assert_array_equal(doubled, 2 * points)
    np.testing.assert_array_equal(same.u, state.u)
    scheduled, _ = run(Adadelta(lr=lambda t: 1.0 if t < 20 else 0.0), GRADIENTS, x0)
    np.testing.assert_array_equal(scheduled[20:], np.broadcast_to(points[20], (21, 3)))
    assert repr(Adadelta()) == "Adadelta(rho=0.9, eps=1e-06, lr=1.0)"


def test_adadelta_does_not_care_for_the_units_of_the_loss():
    """Its averages see g and Δ; here ε is nothing beside them."""
    points, _ = run(Adadelta(eps=1e-300), GRADIENTS, np.zeros(3))
    scaled, _ = run(Adadelta(eps=1e-300), 1024 * GRADIENTS, np.zeros(3))
    np.testing.assert_allclose(scaled, points, rtol=1e-12)


def test_adadelta_without_epsilon_never_moves():
    points, _ = run(Adadelta(eps=0), GRADIENTS, np.ones(3))
    assert (points == 1).all()


def test_public_names_exist():
    assert all(hasattr(adaptive, name) for name in adaptive.__all__)
