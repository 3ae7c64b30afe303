"""The checks of notebook 04: right variants pass, usual mistakes get the hint they deserve."""

import math

import numpy as np
import pytest

from course_lib.exercises import nb04
from course_lib.optimizers import (
    Adadelta,
    AdadeltaState,
    Adagrad,
    AdagradState,
    Adam,
    AdamState,
)
from tests.exercise_bank import bank

# --- right answers, written in other ways


def adagrad_by_the_course(x, g, s, lr, eps):
    x, state = Adagrad(lr, eps).step(x, g, AdagradState(0, s))
    return x, state.s


def adagrad_in_place(x, g, s, lr, eps):
    x, s = x.copy(), s.copy()
    s += g * g
    x -= lr / (s**0.5 + eps) * g
    return x, s


def adagrad_by_coordinate(x, g, s, lr, eps):
    s = [si + gi**2 for si, gi in zip(s, g, strict=True)]
    x = [xi - lr * gi / (si**0.5 + eps) for xi, gi, si in zip(x, g, s, strict=True)]
    return np.array(x), np.array(s)


def adadelta_by_the_course(x, g, s, u, rho, eps):
    x, state = Adadelta(rho, eps).step(x, g, AdadeltaState(0, s, u))
    return x, state.s, state.u


def adadelta_one_root(x, g, s, u, rho, eps):
    s = rho * s + (1 - rho) * g**2
    delta = g * np.sqrt((u + eps) / (s + eps))
    return x - delta, s, rho * u + (1 - rho) * delta**2


def adam_by_the_course(x, g, m, v, t, lr, beta1, beta2, eps):
    rule = Adam(lr, beta1, beta2, eps)
    x, state = rule.step(x, g, AdamState(t - 1, m, v, beta1 ** (t - 1), beta2 ** (t - 1)))
    return x, state.m, state.v


def adam_with_a_corrected_rate(x, g, m, v, t, lr, beta1, beta2, eps):
    m, v = m + (1 - beta1) * (g - m), v + (1 - beta2) * (g * g - v)
    root = np.sqrt(1 - beta2**t)
    return x - lr * root / (1 - beta1**t) * m / (np.sqrt(v) + eps * root), m, v


def uncorrected_by_running(t, beta1, beta2):
    m = v = 0.0
    for _ in range(t):
        m, v = beta1 * m + 1 - beta1, beta2 * v + 1 - beta2
    return m / v**0.5


def uncorrected_by_the_course(t, beta1, beta2):
    rule, x = Adam(1.0, beta1, beta2, 0.0, bias_correction=False), np.zeros(1)
    state = rule.init(x)
    for _ in range(t):
        before = x
        x, state = rule.step(x, np.array([-5.0]), state)
    return (x - before).item()


RIGHT = {
    nb04.check_adagrad_step: [adagrad_by_the_course, adagrad_in_place, adagrad_by_coordinate],
    nb04.check_adadelta_step: [adadelta_by_the_course, adadelta_one_root],
    nb04.check_adam_step: [adam_by_the_course, adam_with_a_corrected_rate],
    nb04.check_uncorrected_step: [uncorrected_by_running, uncorrected_by_the_course],
    nb04.check_diagnosis: [("twice", "power", "+="), ["Twice", "power ", "+="]],
}


# --- wrong answers beyond the listed ones


def adagrad_spoils_its_argument(x, g, s, lr, eps):
    s += g**2
    return x - lr * g / (np.sqrt(s) + eps), s


def adagrad_keeps_its_state_to_itself(x, g, s, lr, eps):
    s += g**2
    return x - lr * g / (np.sqrt(s) + eps)


def adagrad_of_the_norm(x, g, s, lr, eps):
    s = s + np.dot(g, g)
    return x - lr * g / (np.sqrt(s) + eps), s


def adagrad_without_eps(x, g, s, lr, eps):
    s = s + g**2
    return x - lr * g / np.sqrt(s), s


def adadelta_with_plus(x, g, s, u, rho, eps):
    s += rho * s + (1 - rho) * g**2
    delta = -np.sqrt(u + eps) / np.sqrt(s + eps) * g
    u = rho * u + (1 - rho) * delta**2
    return x + delta, s, u


def adadelta_with_plus_for_the_update(x, g, s, u, rho, eps):
    s = rho * s + (1 - rho) * g**2
    delta = -np.sqrt(u + eps) / np.sqrt(s + eps) * g
    return x + delta, s, u + rho * u + (1 - rho) * delta**2


def adadelta_of_the_slides(x, g, s, u, rho, eps):
    s = rho * s + (1 - rho) * g**2
    u = rho * u + (1 - rho) * g**2
    return x - np.sqrt(u + eps) / np.sqrt(s + eps) * g, s, u


def adadelta_with_exchanged_weights(x, g, s, u, rho, eps):
    s = (1 - rho) * s + rho * g**2
    delta = -np.sqrt(u + eps) / np.sqrt(s + eps) * g
    return x + delta, s, (1 - rho) * u + rho * delta**2


def adam_with_plus(x, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v += beta2 * v + (1 - beta2) * g**2
    return x - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_with_a_new_array_and_plus(x, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = v + beta2 * v + (1 - beta2) * g**2
    return x - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_with_plus_for_the_gradient(x, g, m, v, t, lr, beta1, beta2, eps):
    m = m + beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return x - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_of_one_beta(x, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta1 * v + (1 - beta1) * g**2
    return x - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta1**t)) + eps), m, v


def adam_of_sums(x, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + g
    v = beta2 * v + (1 - beta2) * g**2
    return x - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_with(correct, place=lambda v_hat, eps: np.sqrt(v_hat) + eps, keep=lambda m, v: (m, v)):
    """Return Adam whose averages are divided by what `correct` says."""

    def step(x, g, m, v, t, lr, beta1, beta2, eps):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        first, second = correct(beta1, beta2, t)
        return x - lr * m / first / place(v / second, eps), *keep(m, v)

    return step


def fair(beta1, beta2, t):
    return 1 - beta1**t, 1 - beta2**t


def adagrad_without_brackets(x, g, s, lr, eps):
    s = s + g**2
    return x - lr * g / np.sqrt(s) + eps, s


def adagrad_in_pure_python(x, g, s, lr, eps):
    s = s + g**2
    return x - lr * g / (math.sqrt(s) + eps), s


def adadelta_that_never_moves(x, g, s, u, rho, eps):
    s = rho * s + (1 - rho) * g**2
    delta = -np.sqrt(u / (s + eps)) * g
    return x + delta, s, rho * u + (1 - rho) * delta**2


def adadelta_that_returns_the_step(x, g, s, u, rho, eps):
    new, s, u = adadelta_one_root(x, g, s, u, rho, eps)
    return new - x, s, u


def adadelta_that_subtracts_its_minus(x, g, s, u, rho, eps):
    new, s, u = adadelta_one_root(x, g, s, u, rho, eps)
    return x - (new - x), s, u


def adadelta_with_one_eps(x, g, s, u, rho, eps):
    s = rho * s + (1 - rho) * g**2
    delta = -np.sqrt((u + eps) / s) * g
    return x + delta, s, rho * u + (1 - rho) * delta**2


def adam_without_brackets(x, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return x - lr * (m / (1 - beta1**t)) / np.sqrt(v / (1 - beta2**t)) + eps, m, v


def adam_with_exchanged_weights(x, g, m, v, t, lr, beta1, beta2, eps):
    m = (1 - beta1) * m + beta1 * g
    v = (1 - beta2) * v + beta2 * g**2
    return x - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_of_the_square_of_m(x, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * m * m
    return x - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_with_the_root_of_v_alone(x, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return x - lr * (m / (1 - beta1**t)) / (np.sqrt(v) / (1 - beta2**t) + eps), m, v


WRONG = {
    nb04.check_adagrad_step: [
        (lambda x, g, s, lr, eps: (x - lr * np.sign(g), s + g**2), ""),
        (adagrad_spoils_its_argument, "Make a new array"),
        (adagrad_keeps_its_state_to_itself, "Return the new state too"),
        (lambda x, g, s, lr, eps: (x - lr * g / np.sqrt(s + g**2 + eps), s + g**2), "outside the root"),
        (adagrad_of_the_norm, "has its own sum"),
        (adagrad_without_eps, "ε is missing"),
        (adagrad_without_brackets, "brackets round"),
        (adagrad_in_pure_python, "with `np.sqrt`"),
        (lambda x, g, s, lr, eps: (x - g / (np.sqrt(s + g * g) + eps), s + g * g), "rate is missing"),
        (lambda x, g, s, lr, eps: (x - lr * g / (s**0.5 + eps), 0.9 * s + 0.1 * g**2), "two formulas"),
    ],
    nb04.check_adadelta_step: [
        (lambda x, g, s, u, rho, eps: (x - g, s, u), ""),
        (adadelta_with_plus, "write `s = rho * s"),
        (adadelta_with_plus_for_the_update, "write `u = rho * u"),
        (adadelta_of_the_slides, "You average g² twice"),
        (adadelta_with_exchanged_weights, "ρ and 1 - ρ are exchanged"),
        (adadelta_that_never_moves, "nothing would ever move"),
        (adadelta_that_returns_the_step, "not Δ"),
        (adadelta_that_subtracts_its_minus, "is added"),
        (adadelta_with_one_eps, "missing below"),
    ],
    nb04.check_adam_step: [
        (lambda x, g, m, v, t, lr, b1, b2, eps: (x - lr * np.sign(g), m, v), ""),
        (adam_with_plus, "write `v = beta2 * v"),
        (adam_with_a_new_array_and_plus, "write `v = beta2 * v"),
        (adam_with_plus_for_the_gradient, "write `m = beta1 * m"),
        (adam_of_one_beta, "averages share one β"),
        (adam_of_sums, "m and v are averages"),
        (adam_of_the_square_of_m, "not of m"),
        (adam_with_the_root_of_v_alone, "Correct first"),
        (adam_with(lambda b1, b2, t: (1 - b1, 1 - b2)), "β where β^t belongs"),
        (adam_with(lambda b1, b2, t: (1 - b1**t, 1 - b2)), "β where β^t belongs"),
        (adam_with(lambda b1, b2, t: (1 - b1, 1 - b2**t)), "β where β^t belongs"),
        (adam_with(lambda b1, b2, t: (1 - b1**t, 1 - b1**t)), "corrections share one β"),
        (adam_with(lambda b1, b2, t: (1 - b2**t, 1 - b1**t)), "corrections are exchanged"),
        (adam_with(lambda b1, b2, t: fair(b1, b2, t - 1)), "t, not t - 1"),
        (adam_with(fair, place=lambda v_hat, eps: np.sqrt(v_hat + eps)), "outside the root"),
        (lambda *now: adam_with(fair)(*now)[0], "Return the new state too"),
        (adam_with(fair, keep=lambda m, v: (m,)), "Return the new state too"),
        (adam_without_brackets, "brackets round `np.sqrt(v_hat)"),
        (adam_with(fair, place=lambda v_hat, eps: np.sqrt(v_hat)), "ε is missing"),
        (lambda *now: adam_with(fair)(*now[:5], 1, *now[6:]), "rate is missing"),
        (adam_with(lambda b1, b2, t: ((1 - b1) ** t, (1 - b2) ** t)), "not the power of 1 - β"),
        (adam_with_exchanged_weights, "β and 1 - β are exchanged"),
        (
            lambda x, *now: (adam_by_the_course(x, *now)[0] - x, *adam_by_the_course(x, *now)[1:]),
            "not the step",
        ),
    ],
    nb04.check_uncorrected_step: [
        (lambda t, beta1, beta2: 3.16, ""),
        (lambda t, beta1, beta2: ((1 - beta1**t) / (1 - beta2**t)) ** 0.5, "Only v stands under a root"),
        (lambda t, beta1, beta2: (1 - beta1**t) / (1 - beta2 ** (t / 2)), "the whole of it"),
        (lambda t, beta1, beta2: (1 - beta1) ** t / np.sqrt((1 - beta2) ** t), "not the power of 1 - β"),
    ],
}

TestBank = bank(nb04, right=RIGHT, wrong=WRONG)


# --- three slips


def valley_gradient(x):
    return x * np.array([0.2, 4.0])


START = np.array([-5.0, -2.0])


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        (("right", "power", "+="), "2 of 3 are right.", "Look at A once more"),
        (("twice", "shared", "+="), "2 of 3 are right.", "Look at B once more"),
        (("+=", "power", "twice"), "1 of 3 are right.", "Look at A once more"),
        (("twice", "power", "right"), "2 of 3 are right.", "Look at C once more"),
        (("twice", "power"), "Expected three words such as ('right', 'shared', 'right')", ""),
        (("twice", "power", 3), "Expected three words", ""),
        ("twice", "Expected three words", ""),
        (("twice", "power", "leak"), "Expected words of the table", "One of +=, twice"),
    ],
)
def test_wrong_diagnosis_is_told_where_to_look(answer, message, hint):
    feedback = nb04.check_diagnosis(answer)
    assert feedback.status == "not yet"
    assert message in feedback.message
    assert hint in feedback.hint


def test_slip_a_is_adadelta_with_the_squared_gradient_in_both_accounts():
    points = nb04.SLIPS["A"](valley_gradient, START, 400)
    assert np.allclose(points[1] - points[0], np.sqrt(1e-6 / 0.1), rtol=1e-3)
    assert len(points) < 401  # it stops when it has exploded
    assert np.abs(points[-1]).max() > 1e50 > np.abs(points[-2]).max()
    slopes = valley_gradient(points[:30])
    weights = 0.1 * 0.9 ** (np.arange(30)[:, None] - np.arange(30))  # of the slope of step j at step i
    sums = np.tril(weights) @ slopes**2
    rates = -np.diff(points[:31], axis=0) / slopes
    assert np.allclose(rates[1:] ** 2, (sums[:-1] + 1e-6) / (sums[1:] + 1e-6))
    calm = nb04.SLIPS["A"](lambda x: valley_gradient(x) / 10, START, 400)
    assert calm.shape == (401, 2)
    assert np.abs(calm[-1]).max() < 0.01


def test_slip_b_is_adam_with_the_wrong_correction():
    points = nb04.SLIPS["B"](lambda x: np.array([1.0, -3.0]), np.zeros(2), 5000)
    t = np.arange(1, 5001)
    lengths = 0.1 * (1 - 0.9**t) / 0.1 / np.sqrt((1 - 0.999**t) / 0.001)
    assert np.allclose(np.diff(points, axis=0), lengths[:, None] * [-1, 1], rtol=1e-6)


def test_slip_c_is_rmsprop_whose_cache_blows_up():
    points = nb04.SLIPS["C"](lambda x: np.array([1.0, -3.0]), np.zeros(2), 100)
    cache = 0.1 * np.cumsum(1.9 ** np.arange(100))
    assert np.allclose(np.diff(points, axis=0), 0.1 / np.sqrt(cache)[:, None] * [-1, 1], atol=1e-15)
