"""The checks of notebook 03: right variants pass, usual mistakes get the hint they deserve."""

import re
import runpy
from pathlib import Path

import nbformat
import numpy as np
import pytest

from course_lib.descent import minimize
from course_lib.exercises import nb03
from course_lib.landscapes import valley
from course_lib.optimizers import Momentum, Nesterov
from course_lib.rates import best_momentum
from tests.exercise_bank import bank

ROOT = Path(__file__).parents[1]


# --- the references against the library


def test_momentum_is_the_library_s():
    land = valley()
    path = minimize(land, land.start, Momentum(0.6, 0.5), 7).x
    got = nb03.check_momentum.exercise.reference(land.grad, land.start, 0.6, 0.5, 7)
    np.testing.assert_allclose(got, path, rtol=1e-13)


@pytest.mark.parametrize("source", "abc")
@pytest.mark.parametrize("target", "abc")
def test_translated_rates_go_the_same_way(source, target):
    names = {"a": "sum-of-gradients", "b": "sum-of-steps", "c": "average-of-gradients"}
    land, lr = valley(), 0.05
    other = nb03.check_same_way.exercise.reference(lr, 0.8, source, target)
    one, two = (
        minimize(land, land.start, Momentum(rate, 0.8, names[letter]), 50).x
        for letter, rate in ((source, lr), (target, other))
    )
    np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-12)


def test_formulas_are_what_they_are_called():
    land, lr, beta = valley(), 0.05, 0.8

    def run(formula, steps=30):
        x, before, v = land.start, land.start, 0
        rates = [lr if t < 15 else lr / 10 for t in range(steps)]
        for rate in rates:
            g = land.grad(x)
            if formula == 4:
                x, before = x - rate * g + beta * (x - before), x
                continue
            v = beta * v + (g if formula == 1 else rate * g if formula == 2 else (1 - beta) * g)
            x = x - (v if formula == 2 else rate * v)
        return x

    names = {"a": "sum-of-gradients", "b": "sum-of-steps", "c": "average-of-gradients"}
    for formula, (letter, _) in enumerate(nb03.FORMULAS, start=1):
        rule = Momentum(lambda t: lr if t < 15 else lr / 10, beta, names[letter])
        np.testing.assert_allclose(run(formula), minimize(land, land.start, rule, 30).x[-1], rtol=1e-12)


def test_best_settings_are_the_library_s():
    reference = nb03.check_best_settings.exercise.reference
    for eigenvalues in ([0.2, 4], [9.0, 1.0, 3.0]):
        np.testing.assert_allclose(reference(np.array(eigenvalues)), best_momentum(sorted(eigenvalues)))


def test_look_ahead_step_is_the_library_s():
    land, rule = valley(), Nesterov(0.2, 0.9, form="look-ahead")
    x, v, path = land.start, np.zeros(2), minimize(land, land.start, rule, 5).x
    for row in path[1:]:
        x, v = nb03.check_lookahead_step.exercise.reference(land.grad, x, v, 0.2, 0.9)
        np.testing.assert_allclose(x, row, rtol=1e-13)


# --- right answers, written in other ways


def momentum_table(grad, x0, lr, beta, steps):
    points, v = np.empty((steps + 1, len(x0))), 0
    points[0] = x0
    for k in range(steps):
        v = v * beta + grad(points[k])
        points[k + 1] = points[k] - lr * v
    return points


def momentum_of_steps(grad, x0, lr, beta, steps):
    points, v = [x0], np.zeros_like(x0)
    for _ in range(steps):
        v = beta * v - lr * grad(points[-1])
        points.append(points[-1] + v)
    return np.stack(points)


def momentum_without_velocity(grad, x0, lr, beta, steps):
    points = [x0, x0]
    for _ in range(steps):
        points.append(points[-1] - lr * grad(points[-1]) + beta * (points[-1] - points[-2]))
    return np.array(points[1:])


def momentum_sum(grad, x0, lr, beta, steps):
    points, gradients = [x0], []
    for _ in range(steps):
        gradients.insert(0, grad(points[-1]))
        points.append(points[-1] - lr * sum(beta**k * g for k, g in enumerate(gradients)))
    return np.array(points)


def momentum_by_the_library(grad, x0, lr, beta, steps):
    rule, x = Momentum(lr, beta), x0
    points, state = [x], rule.init(x0)
    for _ in range(steps):
        x, state = rule.step(x, grad(x), state)
        points.append(x)
    return np.array(points)


def same_way_ifs(lr, beta, source, target):
    if source == "c" and target != "c":
        return lr * (1 - beta)
    if source != "c" and target == "c":
        return lr / (1 - beta)
    return lr


def same_way_powers(lr, beta, source, target):
    return lr * (1 - beta) ** ((source == "c") - (target == "c"))


def best_by_kappa(eigenvalues):
    lam = np.sort(eigenvalues)
    q = np.sqrt(lam[-1] / lam[0])
    beta = ((q - 1) / (q + 1)) ** 2
    return 4 / (lam[0] * (1 + q) ** 2), beta, np.sqrt(beta)


def best_by_list(eigenvalues):
    low, high = min(eigenvalues), max(eigenvalues)
    rate = (np.sqrt(high / low) - 1) / (np.sqrt(high / low) + 1)
    return np.array([(1 + rate) ** 2 / high, rate**2, rate])


def ahead_by_place(grad, x, v, lr, beta):
    place = x + beta * v
    x_new = place - lr * grad(place)
    return x_new, x_new - x


def ahead_by_library(grad, x, v, lr, beta):
    rule = Nesterov(lr, beta, form="look-ahead")
    state = rule.init(x)._replace(v=v)
    x, state = rule.step(x, grad(rule.where(x, state)), state)
    return x, state.v


def ahead_as_list(grad, x, v, lr, beta):
    v = beta * v - lr * grad(beta * v + x)
    return [x + v, v]


RIGHT = {
    nb03.check_momentum: [
        momentum_table,
        momentum_of_steps,
        momentum_without_velocity,
        momentum_sum,
        momentum_by_the_library,
    ],
    nb03.check_same_way: [same_way_ifs, same_way_powers],
    nb03.check_formulas: [
        "abcb",
        "ABCB",
        "a, b, c, b",
        "a b c b",
        ("a", "b", "c", "b"),
        ["A", "B", "C", "B"],
        "1a 2b 3c 4b",
    ],
    nb03.check_best_settings: [best_by_kappa, best_by_list],
    nb03.check_lookahead_step: [ahead_by_place, ahead_by_library, ahead_as_list],
}


# --- wrong answers as learners write them


def momentum_aliased(grad, x0, lr, beta, steps):
    x, v = x0.copy(), np.zeros(len(x0))
    points = [x]
    for _ in range(steps):
        v = beta * v + grad(x)
        x -= lr * v
        points.append(x)
    return np.array(points)


def momentum_spoils_its_argument(grad, x0, lr, beta, steps):
    points, v = [x0.copy()], np.zeros(len(x0))
    for _ in range(steps):
        v = beta * v + grad(x0)
        x0 -= lr * v
        points.append(x0.copy())
    return np.array(points)


def momentum_reset(grad, x0, lr, beta, steps):
    points = [x0]
    for _ in range(steps):
        v = np.zeros(len(x0))
        v = beta * v + grad(points[-1])
        points.append(points[-1] - lr * v)
    return np.array(points)


def momentum_leaks_the_gradient(grad, x0, lr, beta, steps):
    points, v = [x0], 0
    for _ in range(steps):
        v = v + beta * grad(points[-1])
        points.append(points[-1] - lr * v)
    return np.array(points)


def momentum_looks_ahead(grad, x0, lr, beta, steps):
    points, v = [x0], np.zeros(len(x0))
    for _ in range(steps):
        v = beta * v - lr * grad(points[-1] + beta * v)
        points.append(points[-1] + v)
    return np.array(points)


def same_way_c_first(lr, beta, source, target):
    if source == "c":
        return lr * (1 - beta)
    return lr / (1 - beta) if target == "c" else lr


def same_way_without_b(lr, beta, source, target):
    if (source, target) == ("a", "c"):
        return lr / (1 - beta)
    return lr * (1 - beta) if (source, target) == ("c", "a") else lr


def best_by_place(eigenvalues):
    q = np.sqrt(eigenvalues[-1] / eigenvalues[0])
    rate = (q - 1) / (q + 1)
    return 4 / (np.sqrt(eigenvalues[0]) + np.sqrt(eigenvalues[-1])) ** 2, rate**2, rate


def best_of_descent(eigenvalues):
    kappa = max(eigenvalues) / min(eigenvalues)
    return 2 / sum((min(eigenvalues), max(eigenvalues))), 0, (kappa - 1) / (kappa + 1)


def best_with_one_root(eigenvalues):
    _, beta, rate = best_by_list(eigenvalues)
    return (2 / np.sqrt(min(eigenvalues) + max(eigenvalues))) ** 2, beta, rate


def best_half_squared(eigenvalues):
    _, beta, rate = best_by_list(eigenvalues)
    return 2 / (np.sqrt(min(eigenvalues)) + np.sqrt(max(eigenvalues))) ** 2, beta, rate


def ahead_uphill(grad, x, v, lr, beta):
    v = beta * v + lr * grad(x + beta * v)
    return x + v, v


def ahead_by_old_v(grad, x, v, lr, beta):
    g = grad(x + beta * v)
    return x + v, beta * v - lr * g


def ahead_rewritten(grad, x, v, lr, beta):
    before, v = v, beta * v - lr * grad(x)
    return x - beta * before + (1 + beta) * v, v


def ahead_in_a(grad, x, v, lr, beta):
    v = beta * v + grad(x - lr * beta * v)
    return x - lr * v, v


def ahead_by_lr(grad, x, v, lr, beta):
    v = beta * v - lr * grad(x + lr * beta * v)
    return x + v, v


def ahead_without_leak(grad, x, v, lr, beta):
    v = v - lr * grad(x + beta * v)
    return x + v, v


WRONG = {
    nb03.check_momentum: [
        (momentum_aliased, "one and the same array"),
        (momentum_spoils_its_argument, "Make a new array"),
        (momentum_reset, "set it to 0 before the loop"),
        (momentum_leaks_the_gradient, "Begin with v = zeros"),
        (momentum_looks_ahead, "Begin with v = zeros"),
    ],
    nb03.check_same_way: [
        (lambda lr, beta, source, target: lr / beta, "multiplied by lr in (a) and (b)"),
        (lambda lr, beta, source, target: 0.1, ""),
        (same_way_c_first, "from (c) to (c) lr stays"),
        (same_way_without_b, "(b) is like (a)"),
        (
            lambda lr, beta, source, target: lr / (1 - beta) if target == "c" else lr,
            "to the others lr shrinks",
        ),
        (
            lambda lr, beta, source, target: lr * (1 - beta) if source == "c" else lr,
            "from them to (c) lr grows",
        ),
    ],
    nb03.check_formulas: [
        ("aacb", "formula 2"),
        ("cbcb", "formula 1"),
        ("abab", "formula 3"),
        ("abca", "θ_t − θ_{t−1}"),
        ("abc", "One letter a formula"),
        ("abcbb", "One letter a formula"),
        ("abcd", "One letter a formula"),
        ("", "One letter a formula"),
        (4, "One letter a formula"),
        (("a", "b", "c", 2), "One letter a formula"),
    ],
    nb03.check_best_settings: [
        (lambda lam: (0.1, 0.9, 0.95), "With q = "),
        (lambda lam: best_by_kappa(lam)[:2], ""),
        (best_by_place, "in any order"),
        (lambda lam: best_by_place(lam[::-1]), "in any order"),
        (best_of_descent, "plain gradient descent's"),
        (best_with_one_root, "Two roots"),
        (best_half_squared, "the 2 as well"),
        (lambda lam: (4 / (min(lam) + max(lam)) ** 2, *best_by_kappa(lam)[1:]), "roots are missing in lr"),
        (lambda lam: tuple(best_by_list(lam)[[1, 0, 2]]), "The order asked for"),
        (
            lambda lam: (best_by_kappa(lam)[0], best_of_descent(lam)[2] ** 2, best_of_descent(lam)[2]),
            "The lr is right",
        ),
    ],
    nb03.check_lookahead_step: [
        (lambda grad, x, v, lr, beta: (x - lr * grad(x), v), "one gradient, at `x + beta * v`"),
        (ahead_uphill, "You go up"),
        (ahead_by_old_v, "*new* v"),
        (ahead_rewritten, "rewritten form"),
        (ahead_in_a, "convention (a)"),
        (ahead_without_leak, "Nothing leaks"),
        (ahead_by_lr, "without lr"),
    ],
}

TestBank = bank(nb03, right=RIGHT, wrong=WRONG)


def test_formulas_are_asked_for_by_letters():
    assert nb03.check_formulas(4).message == 'Expected four letters such as "ccaa", got 4.'
    assert nb03.check_formulas("abca").message == "3 of 4 are right."
    assert nb03.check_formulas("cccc").message == "1 of 4 are right."


# --- the panel of the notebook against the golden values


def test_the_panel_says_what_the_golden_values_prove():
    notebook = nbformat.read(ROOT / "notebooks" / "03_momentum_and_nesterov.ipynb", as_version=4)
    panel = next(cell.source for cell in notebook.cells if cell.source.startswith("## The same in"))
    proved = {(row.theirs, row.ours): row.when for row in _golden("SAME")}
    claims = 0
    for line in panel.splitlines():
        ours, *cells = re.findall(r"\| ([^|]+) (?=\|)", line) or [""]
        ours = ours.split("`")[1].replace('"', "'") if "`" in ours else ours
        for cell in cells:
            for theirs in re.findall(r"`((?:torch|keras|optax)[^`]+)`", cell):
                claims += 1
                theirs, constant = theirs.replace("params", "[x]"), "constant" in cell
                assert (theirs, ours) in proved or constant, (theirs, ours)
                assert proved.get((theirs, ours), "constant lr") == ("constant lr" if constant else "always")
    assert claims >= 9


def _golden(name):
    return runpy.run_path(str(ROOT / "tests" / "golden" / "calls.py"))[name]
