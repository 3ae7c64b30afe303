"""The checks of notebook 03b: right variants pass, usual mistakes get the hint they deserve."""

import numpy as np
import pytest

from course_lib.descent import minimize
from course_lib.exercises import nb03b
from course_lib.landscapes import noisy, quadratic, saddle
from course_lib.optimizers import Momentum, Nesterov
from course_lib.rates import noise_variance
from tests.exercise_bank import bank

# --- right answers, written in other ways


def growth_by_roots(lr, beta, lam):
    a = 1 + lr * lam
    return np.roots([1, -(1 + beta) * a, beta * a]).real.max()


def growth_by_matrix(lr, beta, lam):
    a = 1 + lr * lam
    return np.abs(np.linalg.eigvals([[(1 + beta) * a, -beta * a], [1, 0]])).max()


def accelerated_by_points(grad, x0, L, steps):
    old = x = x0
    for k in range(1, steps + 1):  # y = x + (k − 2)/(k + 1) (x − old), k counting the steps from 1
        y = x + (k - 2) / (k + 1) * (x - old)
        old, x = x, y - grad(y) / L
    return x


def accelerated_by_max(grad, x0, L, steps):
    x, v = np.copy(x0), 0 * x0
    for t in range(steps):
        beta = max(t - 1, 0) / (t + 2)
        v *= beta
        v -= grad(x + v) / L
        x += v
    return x


def accelerated_by_other_sign(grad, x0, L, steps):
    x, v = x0, 0.0
    for t in range(steps):
        beta = max(t - 1, 0) / (t + 2)
        v = beta * v + grad(x - beta * v) / L
        x = x - v
    return x


def variance_by_effective_step(lr, beta, lam, sigma):
    step = lr * (1 - beta)
    return step * sigma**2 * (1 + beta) / ((1 - beta) * lam * (2 + 2 * beta - step * lam))


def variance_by_library(lr, beta, lam, sigma):
    return noise_variance(lr * (1 - beta), beta, lam, sigma)


RIGHT = {
    nb03b.check_nesterov_growth: [growth_by_roots, growth_by_matrix],
    nb03b.check_accelerated: [accelerated_by_points, accelerated_by_max, accelerated_by_other_sign],
    nb03b.check_variance_of_average: [variance_by_effective_step, variance_by_library],
    nb03b.check_same_noise_lr: [0.001, np.float64(0.001), 0.02 / 20],
}


# --- wrong answers as learners write them


def growth_of_a_minimum(lr, beta, lam):
    b, c = (1 + beta) * (1 - lr * lam), beta * (1 - lr * lam)
    return (b + np.sqrt(b * b - 4 * c)) / 2  # NaN for larger lr, which the check does not ask for


def growth_by_the_school_formula(lr, beta, lam):
    b, c = (1 + beta) * (1 + lr * lam), beta * (1 + lr * lam)
    return (-b + np.sqrt(b * b - 4 * c)) / 2


def accelerated_in_place(grad, x0, L, steps):
    v = np.zeros_like(x0)
    for t in range(steps):
        beta = max(t - 1, 0) / (t + 2)
        v = beta * v - grad(x0 + beta * v) / L
        x0 += v
    return x0


def accelerated_forgets_velocity(grad, x0, L, steps):
    x = x0
    for t in range(steps):
        v = np.zeros_like(x0)
        beta = (t - 1) / (t + 2)
        v = beta * v - grad(x + beta * v) / L
        x = x + v
    return x


def accelerated_returns_in_the_loop(grad, x0, L, steps):
    x, v = x0, np.zeros_like(x0)
    for t in range(steps):
        v = (t - 1) / (t + 2) * v - grad(x + (t - 1) / (t + 2) * v) / L
        x = x + v
        return x


def accelerated_velocity(grad, x0, L, steps):
    x, v = x0, np.zeros_like(x0)
    for t in range(steps):
        v = (t - 1) / (t + 2) * v - grad(x + (t - 1) / (t + 2) * v) / L
        x = x + v
    return v


def accelerated_uphill(grad, x0, L, steps):
    x, v = x0, np.zeros_like(x0)
    for t in range(steps):
        v = (t - 1) / (t + 2) * v + grad(x + (t - 1) / (t + 2) * v) / L
        x = x + v
    return x


def accelerated_point_first(grad, x0, L, steps):
    x, v = x0, np.zeros_like(x0)
    for t in range(steps):
        x = x + v
        v = (t - 1) / (t + 2) * v - grad(x + (t - 1) / (t + 2) * v) / L
    return x


def accelerated_from_one(grad, x0, L, steps):
    x, v = x0, np.zeros_like(x0)
    for t in range(1, steps):
        v = (t - 1) / (t + 2) * v - grad(x + (t - 1) / (t + 2) * v) / L
        x = x + v
    return x


def accelerated_turned(grad, x0, L, steps):
    x, v = x0, np.zeros_like(x0)
    for t in range(steps):
        v = (t - 1) / (t + 2) * v - grad(x + (t - 1) / (t + 2) * v) / L
        x = x - v
    return x


def accelerated_by_fista(grad, x0, L, steps):
    x = y = x0
    s = 1
    for _ in range(steps):
        old, x, before = x, y - grad(y) / L, s
        s = (1 + (1 + 4 * s * s) ** 0.5) / 2
        y = x + (before - 1) / s * (x - old)
    return x


def variance_half_cancelled(lr, beta, lam, sigma):
    return lr * (1 - beta) * sigma**2 * (1 + beta) / (lam * (2 + 2 * beta - lr * (1 - beta) * lam))


def accelerated_path(grad, x0, L, steps):
    return np.array([nb03b.check_accelerated.exercise.reference(grad, x0, L, k) for k in range(steps + 1)])


WRONG = {
    nb03b.check_accelerated: [
        (accelerated_in_place, "Make a new array"),
        (accelerated_forgets_velocity, "lost between the steps"),
        (accelerated_returns_in_the_loop, "inside the loop"),
        (accelerated_velocity, "That is the velocity"),
        (accelerated_uphill, "uphill"),
        (accelerated_point_first, "first the velocity"),
        (accelerated_from_one, "starts at 0"),
        (accelerated_turned, "add it"),
        (accelerated_by_fista, "FISTA"),
        (accelerated_path, ""),
        (lambda grad, x0, L, steps: x0, ""),
    ],
    nb03b.check_nesterov_growth: [
        (lambda lr, beta, lam: 1.0, ""),
        (growth_of_a_minimum, "At a saddle the eigenvalue is −λ"),
        (growth_by_the_school_formula, "You took the −b"),
    ],
    nb03b.check_variance_of_average: [
        (lambda lr, beta, lam, sigma: lr * sigma**2 / lam, ""),
        (variance_half_cancelled, "strike it above"),
    ],
    nb03b.check_same_noise_lr: [("0.001", ""), (0.01, "0.95"), (0.02 / 0.95, "Divided by β")],
}

TestBank = bank(nb03b, right=RIGHT, wrong=WRONG)


# --- the references are what they say, by the library's own runs


def test_growth_is_what_nesterov_does_at_a_saddle():
    path = minimize(saddle(), [0.0, 1e-9], Nesterov(0.01, 0.9), 200)
    ratio = path.x[-1, 1] / path.x[-2, 1]
    assert nb03b.check_nesterov_growth.exercise.reference(0.01, 0.9, 2.0) == pytest.approx(ratio, rel=1e-9)


def test_one_lies_between_the_roots_of_growth():
    for lr, beta, lam in nb03b.check_nesterov_growth.exercise.body():
        larger = nb03b.check_nesterov_growth.exercise.reference(lr, beta, lam)
        assert 0 < beta * (1 + lr * lam) / larger < 1 < larger


def test_growth_is_larger_than_momentum():
    for lr, beta, lam in nb03b.check_nesterov_growth.exercise.body():
        b = 1 + beta + lr * lam
        momentum = (b + np.sqrt(b * b - 4 * beta)) / 2
        assert nb03b.check_nesterov_growth.exercise.reference(lr, beta, lam) > momentum


def test_accelerated_is_the_look_ahead_form():
    bowl = quadratic(10)
    rule = Nesterov(0.1, lambda t: max(t - 1, 0) / (t + 2), form="look-ahead")
    end = minimize(bowl, [1.0, -2.0], rule, 30).x[-1]
    mine = nb03b.check_accelerated.exercise.reference(bowl.grad, np.array([1.0, -2.0]), 10.0, 30)
    assert mine == pytest.approx(end, rel=1e-12)


def test_variance_is_what_the_average_of_gradients_does():
    shaky = noisy(quadratic(4), 1.0, np.random.default_rng(0))
    rule = Momentum(0.2, 0.8, "average-of-gradients")
    x = minimize(shaky, np.zeros((2000, 2)), rule, 600, keep=20).x[10:]
    law = [nb03b.check_variance_of_average.exercise.reference(0.2, 0.8, lam, 1.0) for lam in (1.0, 4.0)]
    assert np.mean(x**2, axis=(0, 1)) == pytest.approx(law, rel=0.05)
