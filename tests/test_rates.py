import contextlib
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import rates
from course_lib.descent import minimize
from course_lib.landscapes import quadratic, valley
from course_lib.optimizers import GradientDescent, Momentum, Nesterov

quick = settings(derandomize=True, deadline=None, max_examples=40)
SPECTRUM = [0.2, 1.5, 4.0]


def matrix_rate(rule, lr, beta, eigenvalues):
    """Return the spectral radius of one step as a matrix, found by stepping unit vectors of (x, v)."""
    radius = 0.0
    for value in eigenvalues:
        columns = []
        for x, v in ((1.0, 0.0), (0.0, 1.0)):
            optimizer = rule(lr, beta)
            state = optimizer.init(np.zeros(1))._replace(v=np.array([v]))
            new, state = optimizer.step(np.array([x]), value * np.array([x]), state)
            columns.append([new[0], state.v[0]])
        radius = max(radius, np.abs(np.linalg.eigvals(np.array(columns).T)).max())
    return radius


# ---- Rates ----------------------------------------------------------------------------------------------


@quick
@given(lr=st.floats(0.001, 1.2), beta=st.floats(0, 1))
def test_rates_are_the_spectral_radius_of_one_step(lr, beta):
    for rule, rate in ((Momentum, rates.momentum_rate), (Nesterov, rates.nesterov_rate)):
        assert rate(lr, beta, SPECTRUM) == pytest.approx(matrix_rate(rule, lr, beta, SPECTRUM), abs=1e-6)
    assert rates.gd_rate(lr, SPECTRUM) == pytest.approx(max(abs(1 - lr * v) for v in SPECTRUM))


def test_rates_broadcast():
    lr, beta = np.array([[0.1], [0.3]]), np.array([0.0, 0.5, 0.9])
    for rate in (rates.momentum_rate, rates.nesterov_rate):
        table = rate(lr, beta, SPECTRUM)
        assert table.shape == (2, 3)
        assert table[1, 2] == rate(0.3, 0.9, SPECTRUM)
        assert type(rate(0.3, 0.9, SPECTRUM)) is float
    assert rates.gd_rate([0.1, 0.2], SPECTRUM).shape == (2,)


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.9, 0.99])
def test_limits_are_where_the_rate_becomes_one(beta):
    for limit, rate in (
        (rates.momentum_limit, rates.momentum_rate),
        (rates.nesterov_limit, rates.nesterov_rate),
    ):
        lr = limit(beta, SPECTRUM)
        assert rate(lr * 0.999, beta, SPECTRUM) < 1 < rate(lr * 1.001, beta, SPECTRUM)
    assert rates.gd_limit(SPECTRUM) == rates.momentum_limit(0, SPECTRUM) == 0.5
    assert rates.nesterov_limit([0, 1], SPECTRUM).tolist() == [0.5, pytest.approx(1 / 3)]


@pytest.mark.parametrize("kappa", [1, 2, 10, 100, 1e4])
def test_best_settings_have_their_rate_and_no_neighbour_is_better(kappa):
    eigenvalues = [0.5, 0.5 * kappa]
    lr, rate = rates.best_gd(eigenvalues)
    assert rates.gd_rate(lr, eigenvalues) == pytest.approx(rate, abs=1e-12)
    assert rate == pytest.approx((kappa - 1) / (kappa + 1))
    for other in (0.99 * lr, 1.01 * lr):
        assert rates.gd_rate(other, eigenvalues) > rate
    for best, function in (
        (rates.best_momentum, rates.momentum_rate),
        (rates.best_nesterov, rates.nesterov_rate),
    ):
        lr, beta, rate = best(eigenvalues)
        assert function(lr, beta, eigenvalues) == pytest.approx(rate, abs=2e-8 + 1e-7 * kappa**0.5)
        for more in (0.999, 1.001):
            for shift in (-1e-3, 0, 1e-3):
                near = min(max(beta + shift * (1 - beta), 0), 1)
                assert function(lr * more, near, eigenvalues) >= rate - 1e-9


def test_best_settings_by_hand():
    assert rates.best_gd([9, 3, 1]) == (0.2, 0.8)
    assert rates.best_momentum([9, 3, 1]) == (0.25, 0.25, 0.5)
    assert rates.best_nesterov([5, 1]) == pytest.approx((1 / 4, 1 / 3, 1 / 2))
    assert rates.best_momentum([2, 2]) == pytest.approx((0.5, 0, 0))


# ---- Theory against runs --------------------------------------------------------------------------------


@pytest.mark.parametrize("kappa", [4, 30, 200])
def test_measured_rates_are_the_predicted_ones(kappa):
    land = quadratic(kappa, angle=0.5)
    lr, rate = rates.best_gd(land.eigenvalues)
    steps = max(100, round(8 * kappa**0.5))
    path = minimize(land, land.start, GradientDescent(lr), steps)
    assert rates.measured_rate(path) == pytest.approx(rate, abs=1e-6)
    lr, beta, rate = rates.best_momentum(land.eigenvalues)
    path = minimize(land, land.start, Momentum(lr * 0.99, beta**0.9), steps)
    predicted = rates.momentum_rate(lr * 0.99, beta**0.9, land.eigenvalues)
    assert rates.measured_rate(path) == pytest.approx(predicted, rel=0.03)
    lr, beta, rate = rates.best_nesterov(land.eigenvalues)
    path = minimize(land, land.start, Nesterov(lr * 0.9, beta), steps)
    predicted = rates.nesterov_rate(lr * 0.9, beta, land.eigenvalues)
    assert rates.measured_rate(path) == pytest.approx(predicted, rel=0.03)


def test_measured_rate_of_a_known_decay():
    land = quadratic(1)
    path = minimize(land, [1.0, 1.0], GradientDescent(np.array([[0.25], [1.0], [2.5]])), 40, limit=1e300)
    assert rates.measured_rate(path).tolist() == pytest.approx([0.75, 0.0, 1.5])
    every_third = minimize(land, [1.0, 1.0], GradientDescent(0.25), 40, keep=3)
    assert rates.measured_rate(every_third) == pytest.approx(0.75)
    assert type(rates.measured_rate(every_third)) is float
    gone = minimize(land, [1.0, 1.0], GradientDescent(2.5), 100)
    assert math.isnan(rates.measured_rate(gone))
    shortest = minimize(land, [1.0, 1.0], GradientDescent(0.5), 7)
    assert rates.measured_rate(shortest) == pytest.approx(0.5)


def test_measured_rate_evens_out_swings():
    lr, beta = 0.1, 0.98  # swings with a period of about 20 steps
    path = minimize(quadratic(1), [1.0, 1.0], Momentum(lr, beta), 200)
    assert rates.measured_rate(path) == pytest.approx(math.sqrt(beta), abs=2e-3)


def test_rate_map_of_the_shortest_runs():
    assert rates.rate_map([1.0], [0.5], [0.0], 8) == pytest.approx(0.5)


def test_rate_map_agrees_with_theory():
    lrs, betas = np.linspace(0.01, 0.38, 30), np.linspace(0, 0.98, 20)
    for rule, rate in ((Momentum, rates.momentum_rate), (Nesterov, rates.nesterov_rate)):
        measured = rates.rate_map([1, 10], lrs, betas, steps=200, rule=rule)
        predicted = rate(lrs, betas[:, None], [1, 10])
        assert measured.shape == (20, 30)
        slow = predicted < 2
        assert np.abs(measured - predicted)[slow].max() < 0.05
        assert (measured[~slow] > 1.9).all()
        clear = np.abs(predicted - 1) > 0.005
        assert ((measured < 1) == (predicted < 1))[clear].all()
    assert (rates.rate_map([1, 10], lrs, betas) == rates.rate_map([1, 10], lrs, betas, 100, Momentum)).all()


# ---- Damping and noise ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lr", [0.01, 0.3, 1.7])
def test_damping_names_the_roots(lr):
    for beta in (0.05, 0.4, 0.8, 0.97, 1.0):
        for value in (0.1, 1.0, 2.3):
            name = rates.damping(lr, beta, value)
            roots = np.roots([1, -(1 + beta - lr * value), beta])
            expected = "under-damped" if abs(roots[0].imag) > 1e-9 else None
            if expected is None:
                expected = "alternating" if roots.real.max() < 0 else "over-damped"
            assert name == expected
        border = (1 - math.sqrt(lr)) ** 2
    if lr < 1:
        assert rates.damping(lr, border, 1) == "critically damped"
        assert rates.damping(lr, border - 1e-9, 1) == "over-damped"
        assert rates.damping(lr, border + 1e-9, 1) == "under-damped"
    assert rates.damping(4.0, 1.0, 1) == "alternating"
    assert rates.damping(3.9, 1.0, 1) == "under-damped"


def test_critical_damping_neither_swings_nor_creeps():
    signs, sizes = {}, {}
    for beta in (0.7, 0.81, 0.9):
        x = minimize(quadratic(1), [1.0, 1.0], Momentum(0.01, beta), 150).x[:, 0]
        signs[beta], sizes[beta] = bool((x > 0).all()), abs(x[-1])
    assert signs == {0.7: True, 0.81: True, 0.9: False}
    assert sizes[0.81] < sizes[0.7]


@pytest.mark.parametrize(("lr", "beta"), [(0.1, 0.0), (0.5, 0.5), (0.05, 0.9), (1.9, 0.3)])
def test_noise_variance_solves_the_stationary_equation(lr, beta):
    value, sigma = 1.3, 0.7
    step = np.array([[1 - lr * value, -lr * beta], [value, beta]])  # of (x, v), with v' = βv + λx + noise
    noise = sigma**2 * np.outer([-lr, 1], [-lr, 1])
    covariance = np.linalg.solve(np.eye(4) - np.kron(step, step), noise.ravel()).reshape(2, 2)
    assert rates.noise_variance(lr, beta, value, sigma) == pytest.approx(covariance[0, 0], rel=1e-12)


def test_noise_variance_is_measured_in_many_runs():
    rng = np.random.default_rng(5)
    lr, beta, sigma = 0.2, 0.8, 0.5
    x, v = np.zeros(40_000), np.zeros(40_000)
    for _ in range(150):
        v = beta * v + x + sigma * rng.standard_normal(x.size)
        x = x - lr * v
    assert x.var() == pytest.approx(rates.noise_variance(lr, beta, 1.0, sigma), rel=0.03)


def test_noise_variance_without_momentum_and_for_small_rates():
    assert rates.noise_variance(0.5, 0.0, 2.0, 3.0) == 0.5 * 9 / (2 * (2 - 1.0))
    small = rates.noise_variance(1e-6, [0.0, 0.9], 1.0, 1.0)
    assert small == pytest.approx([0.5e-6, 5e-6], rel=1e-5)
    assert rates.noise_variance(0.1, 0.5, 1.0, 0) == 0


# ---- Bad input ------------------------------------------------------------------------------------------

GOOD = [1.0, 4.0]
REFUSED = [
    (rates.gd_rate, (-0.1, GOOD), "lr = ", "in [0, 1e100). Start with a small number such as 0.1."),
    (
        rates.gd_rate,
        (0.1, [0.0, 1]),
        "eigenvalues = ",
        "in (0, 1e100). Give those of a Hessian",
    ),
    (rates.gd_rate, (0.1, []), "eigenvalues = ", "Give those of a Hessian with one minimum."),
    (rates.gd_rate, (0.1, 3.0), "eigenvalues = ", "1 axes. Give those of a Hessian with one minimum."),
    (rates.gd_rate, (np.nan, GOOD), "lr = ", "Give learning rates."),
    (rates.momentum_rate, (0.1, 1.1, GOOD), "beta = ", "in [0, 1]. 0.9 is usual."),
    (rates.momentum_rate, (0.1, -1e-9, GOOD), "beta = ", "in [0, 1]. 0.9 is usual."),
    (rates.nesterov_rate, (0.1, "a", GOOD), "beta = ", "Give momenta."),
    (rates.momentum_limit, (2, GOOD), "beta = ", "in [0, 1]. 0.9 is usual."),
    (rates.nesterov_limit, (0.5, [-1.0]), "eigenvalues = ", "in (0, 1e100). Give those of a Hessian"),
    (rates.best_gd, ([np.inf],), "eigenvalues = ", "Give those of a Hessian"),
    (rates.best_momentum, (0.5,), "eigenvalues = ", "Give those of a Hessian"),
    (rates.best_nesterov, ([0.0],), "eigenvalues = ", "Give those of a Hessian"),
    (rates.damping, (0, 0.9, 1), "lr = 0", "Give a learning rate."),
    (rates.damping, (0.1, 1.5, 1), "beta = 1.5", "0.9 is usual."),
    (rates.damping, (0.1, 0.9, 0), "eigenvalue = 0", "Give an eigenvalue of the Hessian."),
    (rates.noise_variance, (0, 0.5, 1, 1), "lr = ", "Give a learning rate above 0."),
    (rates.noise_variance, (0.1, 1.0, 1, 1), "beta = ", "With β = 1 the noise adds up for ever."),
    (rates.noise_variance, (0.1, -0.1, 1, 1), "beta = ", "With β = 1 the noise adds up for ever."),
    (rates.noise_variance, (0.1, 0.5, 0, 1), "eigenvalue = ", "Give an eigenvalue of the Hessian above 0."),
    (rates.noise_variance, (0.1, 0.5, 1, -1), "sigma = ", "at least 0. Give the noise's standard deviation."),
    (rates.noise_variance, (3.0, 0.5, 1, 1), "lr = ", "Beyond it nothing settles."),
    (rates.rate_map, (GOOD, 0.1, [0.5]), "lrs = ", "Give learning rates."),
    (rates.rate_map, (GOOD, [0.1], 0.5), "betas = ", "Give momenta."),
    (rates.rate_map, (GOOD, [0.1], [0.5], 7), "steps = 7", "at least 8. 100 is usual."),
    (rates.rate_map, ([0.0], [0.1], [0.5]), "eigenvalues = ", "Give those of a Hessian with one minimum."),
]


@pytest.mark.parametrize(("function", "arguments", "begin", "end"), REFUSED)
def test_refuses(function, arguments, begin, end):
    with pytest.raises(ValueError, match=f"(?s)^{re.escape(begin)}.*{re.escape(end)}"):
        function(*arguments)


def test_refuses_a_path_too_short_to_measure():
    path = minimize(valley(), [-5, -2], GradientDescent(0.1), 6)
    with pytest.raises(
        ValueError, match=r"^path = .*: must be a path of at least 8 recorded steps\. Take more"
    ):
        rates.measured_rate(path)


ODD = st.one_of(st.floats(), st.integers(), st.lists(st.floats(), max_size=3), st.text(max_size=2), st.none())


@quick
@given(first=ODD, second=ODD, third=ODD)
def test_odd_input_gives_numbers_or_a_value_error(first, second, third):
    calls = [(rates.gd_rate, (first, third)), (rates.best_gd, (third,)), (rates.gd_limit, (third,))]
    calls += [(f, (first, second, third)) for f in (rates.momentum_rate, rates.nesterov_rate, rates.damping)]
    for function, arguments in calls:
        with contextlib.suppress(ValueError):
            assert np.all(np.asarray(function(*arguments)) != -1)
