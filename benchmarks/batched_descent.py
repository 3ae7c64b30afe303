"""Measure batched descent: 10,000 settings × 200 steps at once, against single runs and a bare NumPy loop.

``python benchmarks/batched_descent.py`` prints one line a rule. All times of a line are taken in turns, and
its ratios are medians over rounds, so that a busy machine does not favour one side. The columns:

single / bare    `minimize` of one run, against a bare loop of the same equations on the same landscape that
                 notes points and losses (and, in brackets, one that notes points only). Target: at most 1.5.
loop / batch     single runs one after another, against all of them as one batch. Target: at least 250.

Before it times anything it makes sure that all of them compute the same numbers.
"""

import argparse
import statistics
import time

import numpy as np

from course_lib.descent import minimize
from course_lib.landscapes import valley
from course_lib.optimizers import GradientDescent, Momentum, Nesterov

LAND = valley()
STEPS, SETTINGS, SINGLES = 200, 10_000, 40
RATES = np.linspace(0.001, 0.35, SETTINGS)[:, None]  # up to here all rules converge
BETA = 0.5


def bare_gradient_descent(lr, steps, losses):
    x = LAND.start
    xs, loss = np.empty((steps + 1, x.size)), np.empty(steps + 1)
    for t in range(steps + 1):
        xs[t] = x
        if losses:
            loss[t] = LAND(x)
        g = LAND.grad(x)
        x = x - lr * g
    return xs, loss


def bare_momentum(lr, steps, losses):
    x, v = LAND.start, np.zeros_like(LAND.start)
    xs, loss = np.empty((steps + 1, x.size)), np.empty(steps + 1)
    for t in range(steps + 1):
        xs[t] = x
        if losses:
            loss[t] = LAND(x)
        g = LAND.grad(x)
        v = BETA * v + g
        x = x - lr * v
    return xs, loss


def bare_nesterov(lr, steps, losses):
    x, v = LAND.start, np.zeros_like(LAND.start)
    xs, loss = np.empty((steps + 1, x.size)), np.empty(steps + 1)
    for t in range(steps + 1):
        xs[t] = x
        if losses:
            loss[t] = LAND(x)
        g = LAND.grad(x)
        v = BETA * v + g
        x = x - lr * (g + BETA * v)
    return xs, loss


RULES = {
    # name: (rule at a rate, bare loop of the same equations)
    "GradientDescent": (GradientDescent, bare_gradient_descent),
    "Momentum": (lambda lr: Momentum(lr, BETA), bare_momentum),
    "Nesterov": (lambda lr: Nesterov(lr, BETA), bare_nesterov),
}


def seconds(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def check(rule, bare):
    """Make sure that the batch, the single runs and the bare loop give the same bits."""
    batch = minimize(LAND, LAND.start, rule(RATES), STEPS)
    for i in (0, SETTINGS // 2, SETTINGS - 1):
        single = minimize(LAND, LAND.start, rule(float(RATES[i, 0])), STEPS)
        xs, loss = bare(float(RATES[i, 0]), STEPS, True)
        assert np.array_equal(single.x, xs)
        assert np.array_equal(single.loss, loss)
        assert np.array_equal(single.x, batch.x[:, i])
        assert np.array_equal(single.loss, batch.loss[:, i])


def measure(rule, bare, rounds):
    """Return medians over rounds: µs a step of the single run, ms of the batch, and the three ratios."""
    some = [float(lr) for lr in RATES[:: SETTINGS // SINGLES, 0]]
    table = []
    for _ in range(rounds):
        noting = seconds(lambda: [bare(lr, STEPS, True) for lr in some])
        single = seconds(lambda: [minimize(LAND, LAND.start, rule(lr), STEPS) for lr in some])
        points = seconds(lambda: [bare(lr, STEPS, False) for lr in some])
        batch = seconds(lambda: minimize(LAND, LAND.start, rule(RATES), STEPS))
        per_step = single / SINGLES / STEPS * 1e6
        speed = single / SINGLES * SETTINGS / batch
        table.append((per_step, batch * 1e3, single / noting, single / points, speed))
    return [statistics.median(column) for column in zip(*table, strict=True)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(f"{SETTINGS:,} settings x {STEPS} steps on the {LAND.name}; medians of {rounds} rounds")
    print(f"{'rule':16} {'single':>12} {'batch':>10} {'single / bare':>18} {'loop / batch':>14}")
    for name, (rule, bare) in RULES.items():
        check(rule, bare)
        per_step, batch, noting, points, speed = measure(rule, bare, rounds)
        missed = "" if noting <= 1.5 and speed >= 250 else "  target missed"
        against_bare = f"{noting:.2f} ({points:.2f})"
        print(f"{name:16} {per_step:6.1f} µs/step {batch:7.1f} ms {against_bare:>18} {speed:13.0f}x{missed}")


if __name__ == "__main__":
    main()
