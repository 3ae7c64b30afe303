"""Momentum's conventions and Nesterov's forms against closed forms. Against frameworks: test_optimizers."""

import numpy as np
import pytest

from course_lib import momentum
from course_lib.momentum import Momentum, MomentumState, Nesterov
from course_lib.optimizers import GradientDescent, rate
from course_lib.schedules import constant, exponential, inverse_sqrt, inverse_time, step_decay

CONVENTIONS = ["sum-of-gradients", "sum-of-steps", "average-of-gradients"]
FORMS = ["pytorch", "look-ahead", "rewritten"]
SCHEDULES = [
    constant(0.3),
    inverse_time(0.3, 0.1),
    inverse_sqrt(0.3, 0.1),
    exponential(0.3, 0.05),
    step_decay(0.3, 0.5, 7),
]
BETAS = [0.9, lambda t: max(t - 1, 0) / (t + 2), lambda t: 0.99 - 0.5 / (t + 1)]
GRADIENTS = np.random.default_rng(0).standard_normal((30, 3))


def run(rule, gradients, x):
    """All points and velocities of a walk along given gradients."""
    state = rule.init(x)
    points, velocities = [x], [state.v]
    for g in gradients:
        x, state = rule.step(x, g, state)
        points.append(x)
        velocities.append(state.v)
    return np.array(points), np.array(velocities)


def descend(rule, eigenvalues, x, steps):
    """All points, and where the gradient was measured, of a descent of ½ Σ λ x²."""
    state, points, measured = rule.init(x), [x], []
    for _ in range(steps):
        measured.append(rule.where(x, state))
        x, state = rule.step(x, eigenvalues * measured[-1], state)
        points.append(x)
    return np.array(points), np.array(measured)


def half(t):
    """A rate that halves at every step: 1/4, 1/8, …"""
    return 0.25 / 2**t


def quarter_then_half(t):
    """A β that changes: 1/4, 1/2, 1/2, …"""
    return 0.25 if t == 0 else 0.5


BY_HAND = [
    # rule, points and velocities after the gradients 4 and 2 from x = 1
    (Momentum(0.25, 0.5), [1, 0, -1], [0, 4, 4]),
    (Momentum(0.25, 0.5, "sum-of-steps"), [1, 0, -1], [0, -1, -1]),
    (Momentum(0.25, 0.5, "average-of-gradients"), [1, 0.5, 0], [0, 2, 2]),
    (Momentum(half, 0.5), [1, 0, -0.5], [0, 4, 4]),
    (Momentum(half, 0.5, "sum-of-steps"), [1, 0, -0.75], [0, -1, -0.75]),
    (Momentum(half, 0.5, "average-of-gradients"), [1, 0.5, 0.25], [0, 2, 2]),
    (Momentum(0.25, quarter_then_half), [1, 0, -1], [0, 4, 4]),
    (Momentum(0.25, quarter_then_half, "sum-of-steps"), [1, 0, -1], [0, -1, -1]),
    (Momentum(0.25, quarter_then_half, "average-of-gradients"), [1, 0.25, -0.375], [0, 3, 2.5]),
    (Nesterov(0.25, 0.5), [1, -0.5, -1.5], [0, 4, 4]),
    (Nesterov(0.25, 0.5, "look-ahead"), [1, 0, -1], [0, -1, -1]),
    (Nesterov(0.25, 0.5, "rewritten"), [1, -0.5, -1.5], [0, -1, -1]),
    (Nesterov(half, 0.5), [1, -0.5, -1], [0, 4, 4]),
    (Nesterov(half, 0.5, "look-ahead"), [1, 0, -0.75], [0, -1, -0.75]),
    (Nesterov(half, 0.5, "rewritten"), [1, -0.5, -1.125], [0, -1, -0.75]),
    (Nesterov(0.25, quarter_then_half, "rewritten"), [1, -0.5, -1.5], [0, -1, -1]),
    (Nesterov(0.25, lambda t: (t + 1) / 4, "rewritten"), [1, -0.5, -1.75], [0, -1, -1]),
]


@pytest.mark.parametrize(("rule", "points", "velocities"), BY_HAND)
def test_two_steps_by_hand(rule, points, velocities):
    x, v = run(rule, np.array([[4.0], [2.0]]), np.array([1.0]))
    assert x[:, 0].tolist() == points
    assert v[:, 0].tolist() == velocities


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_the_average_with_a_rate_divided_by_one_minus_beta_is_the_sum(schedule, beta):
    """(c) with lr/(1-β) is (a) with lr, under schedules too; not the other way round."""
    x0 = np.array([1.0, -2.0, 3.0])
    a, _ = run(Momentum(schedule, beta), GRADIENTS, x0)
    larger = Momentum(lambda t: schedule(t) / (1 - beta), beta, "average-of-gradients")
    np.testing.assert_allclose(run(larger, GRADIENTS, x0)[0], a, rtol=0, atol=1e-12)
    smaller = Momentum(lambda t: schedule(t) * (1 - beta), beta, "average-of-gradients")
    assert beta == 0 or np.abs(run(smaller, GRADIENTS, x0)[0] - a).max() > 0.3


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_the_rate_outside_and_inside_the_velocity_agree_only_while_it_is_constant(schedule):
    x0 = np.array([1.0, -2.0, 3.0])
    a, _ = run(Momentum(schedule, 0.9), GRADIENTS, x0)
    b, _ = run(Momentum(schedule, 0.9, "sum-of-steps"), GRADIENTS, x0)
    if isinstance(schedule, constant):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-12)
    else:
        assert np.abs(b - a).max() > 0.1


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_velocities_are_sums_of_powers(schedule):
    """(a) Σ β^τ g; (b) -Σ β^τ lr g, each gradient with the rate of its step; (c) (1-β) Σ β^τ g."""
    n, beta = len(GRADIENTS), 0.8
    rates = schedule(np.arange(n))[:, None]
    weights = beta ** np.arange(n)[::-1, None]
    expected = {
        "sum-of-gradients": (weights * GRADIENTS).sum(axis=0),
        "sum-of-steps": -(weights * rates * GRADIENTS).sum(axis=0),
        "average-of-gradients": (1 - beta) * (weights * GRADIENTS).sum(axis=0),
    }
    for convention in CONVENTIONS:
        _, v = run(Momentum(schedule, beta, convention), GRADIENTS, np.zeros(3))
        np.testing.assert_allclose(v[-1], expected[convention], rtol=0, atol=1e-13)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("beta", [0.3, 0.9])
def test_the_limit_of_the_rate_belongs_to_its_convention(convention, beta):
    """2 (1+β)/λ for (a) and (b); for (c) that over 1-β."""
    limit = 2 * (1 + beta) / 4 / ((1 - beta) if convention == "average-of-gradients" else 1)
    for factor, converges in ((0.99, True), (1.01, False)):
        points, _ = descend(Momentum(factor * limit, beta, convention), np.array([4.0]), np.ones(1), 3000)
        assert (abs(points[-1, 0]) < 1e-3) == converges


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("beta", [0.3, 0.9])
def test_the_limit_of_nesterovs_rate(form, beta):
    limit = 2 * (1 + beta) / ((1 + 2 * beta) * 4)
    for factor, converges in ((0.99, True), (1.01, False)):
        points, _ = descend(Nesterov(factor * limit, beta, form), np.array([4.0]), np.ones(1), 3000)
        assert (abs(points[-1, 0]) < 1e-3) == converges


@pytest.mark.parametrize("beta", BETAS, ids=["constant", "(t-1)/(t+2)", "growing"])
@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_the_rewritten_form_is_the_look_ahead_form_at_mapped_points(schedule, beta):
    """What "rewritten" stores is where "look-ahead" measures."""
    eigenvalues = np.array([0.1, 1.0, 4.0])
    ahead = descend(Nesterov(schedule, beta, "look-ahead"), eigenvalues, np.ones(3), 60)
    stored = descend(Nesterov(schedule, beta, "rewritten"), eigenvalues, np.ones(3), 60)
    np.testing.assert_allclose(stored[1], ahead[1], rtol=0, atol=1e-13)
    np.testing.assert_array_equal(stored[0][:-1], stored[1])
    assert np.abs(stored[0] - ahead[0]).max() > 0.01  # the points themselves are others


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_pytorchs_form_is_the_rewritten_one_only_while_the_rate_is_constant(schedule):
    eigenvalues = np.array([0.1, 1.0, 4.0])
    theirs, _ = descend(Nesterov(schedule, 0.9), eigenvalues, np.ones(3), 60)
    rewritten, _ = descend(Nesterov(schedule, 0.9, "rewritten"), eigenvalues, np.ones(3), 60)
    if isinstance(schedule, constant):
        np.testing.assert_allclose(theirs, rewritten, rtol=0, atol=1e-13)
    else:
        assert np.abs(theirs - rewritten).max() > 0.01


def test_a_growing_beta_reaches_one_over_t_squared_and_a_constant_one_does_not():
    """Su, Boyd and Candès: f(x_t) ≤ 2 |x_0|²/(lr (t+1)²), on a quadratic with eigenvalues down to 1e-7."""
    eigenvalues = np.logspace(-7, 0, 60)
    t = np.arange(2001)
    bound = 2 * len(eigenvalues) / (t + 1) ** 2

    def losses(beta):
        points, _ = descend(Nesterov(1.0, beta, "look-ahead"), eigenvalues, np.ones(60), 2000)
        return 0.5 * (eigenvalues * points**2).sum(axis=-1)

    assert (losses(lambda t: max(t - 1, 0) / (t + 2)) <= bound).all()
    constant_beta = losses(0.5)
    slope = np.log(constant_beta[2000] / constant_beta[200]) / np.log(10)
    assert -1.2 < slope < -0.8


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_without_momentum_every_convention_is_gradient_descent(convention):
    x0 = np.array([1.0, -2.0, 3.0])
    points, _ = run(Momentum(0.25, 0, convention), GRADIENTS, x0)
    state, x = GradientDescent(0.25).init(x0), x0
    for t, g in enumerate(GRADIENTS):
        x, state = GradientDescent(0.25).step(x, g, state)
        np.testing.assert_array_equal(points[t + 1], x)


@pytest.mark.parametrize("form", FORMS)
def test_only_the_look_ahead_form_looks_ahead(form):
    x, state = np.array([1.0, 2.0]), MomentumState(3, np.array([4.0, -8.0]))
    for beta in (0.5, lambda t: rate(0.5, t) if t == 3 else 0.25):
        where = Nesterov(0.1, beta, form).where(x, state)
        assert where.tolist() == ([3, -2] if form == "look-ahead" else [1, 2])


@pytest.mark.parametrize("value", ["sum", "", None, 1, True, ["sum-of-steps"], np.array(1), "Sum-of-steps"])
def test_unknown_conventions_and_forms_are_refused(value):
    with pytest.raises(ValueError, match=r"^convention = .*: must be one of 'sum-of-gradients', 'sum-of-"):
        Momentum(0.1, 0.9, value)
    with pytest.raises(ValueError, match=r"^form = .*: must be one of 'pytorch', 'look-ahead', 'rewritten'"):
        Nesterov(0.1, 0.9, value)


def test_public_names_exist():
    assert all(hasattr(momentum, name) for name in momentum.__all__)
