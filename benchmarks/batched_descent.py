"""Measure batched descent: 10,000 settings × 200 steps at once, against single runs and a bare NumPy loop.

``python benchmarks/batched_descent.py`` prints one line a rule. All times of a line are taken in turns, and
its ratios are medians over rounds, so that a busy machine does not favour one side. The columns:

single / bare    `minimize` of one run, against a bare loop of the same equations on the same landscape that
                 notes points and losses (and, in brackets, one that notes points only). Target: at most 1.5.
loop / batch     single runs one after another, against all of them as one batch. Target: at least 250.

Then Adam's batch is timed beside the same runs made by optax under ``jax.vmap`` and ``jax.jit`` (compiled
once, float64) and by a loop over ``torch.optim.Adam``, where these are installed.

Before it times anything it makes sure that all of them compute the same numbers.
"""

import argparse
import importlib.util
import statistics
import time

import numpy as np

from course_lib.descent import minimize
from course_lib.landscapes import valley
from course_lib.optimizers import Adam, GradientDescent, Momentum, Nesterov

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


def bare_adam(lr, steps, losses):
    x, m, v, p1, p2 = LAND.start, np.zeros_like(LAND.start), np.zeros_like(LAND.start), 1.0, 1.0
    xs, loss = np.empty((steps + 1, x.size)), np.empty(steps + 1)
    for t in range(steps + 1):
        xs[t] = x
        if losses:
            loss[t] = LAND(x)
        g = LAND.grad(x)
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * (g * g)
        p1, p2 = p1 * 0.9, p2 * 0.999
        x = x - lr * (m / (1 - p1)) / (np.sqrt(v / (1 - p2)) + 1e-8)
    return xs, loss


RULES = {
    # name: (rule at a rate, bare loop of the same equations)
    "GradientDescent": (GradientDescent, bare_gradient_descent),
    "Momentum": (lambda lr: Momentum(lr, BETA), bare_momentum),
    "Nesterov": (lambda lr: Nesterov(lr, BETA), bare_nesterov),
    "Adam": (Adam, bare_adam),
}


def seconds(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def check(rule, bare):
    """Make sure that the batch and the single runs give the same bits, and the bare loop the same numbers."""
    batch = minimize(LAND, LAND.start, rule(RATES), STEPS)
    for i in (0, SETTINGS // 2, SETTINGS - 1):
        single = minimize(LAND, LAND.start, rule(float(RATES[i, 0])), STEPS)
        xs, loss = bare(float(RATES[i, 0]), STEPS, True)
        np.testing.assert_allclose(single.x, xs, rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(single.loss, loss, rtol=1e-12, atol=1e-300)
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


def with_optax():
    """Return a call that makes all runs of Adam with optax, and gives the last points."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    import optax

    start, curvature = jnp.asarray(LAND.start), jnp.asarray([0.2, 4.0])

    def one(lr):
        rule = optax.adam(lr)

        def step(carry, _):
            x, state = carry
            updates, state = rule.update(curvature * x, state)
            x = x + updates
            return (x, state), x

        return jax.lax.scan(step, (start, rule.init(start)), None, length=STEPS)[1]

    run = jax.jit(jax.vmap(one))
    return lambda: np.asarray(run(jnp.asarray(RATES[:, 0])).block_until_ready())[:, -1]


def with_torch(rates):
    """Return a call that makes some runs of Adam with PyTorch, one after the other."""
    import torch

    def one(lr):
        x = torch.tensor(LAND.start, requires_grad=True)
        rule, curvature = torch.optim.Adam([x], lr=lr), torch.tensor([0.2, 4.0], dtype=torch.float64)
        for _ in range(STEPS):
            x.grad = curvature * x.detach()
            rule.step()
        return x.detach().numpy()

    return lambda: np.array([one(float(lr)) for lr in rates])


def compare_with_others(rounds):
    """Print how long the batch of Adam takes beside what others need for the same runs."""
    batch = minimize(LAND, LAND.start, Adam(RATES), STEPS)
    ours = statistics.median(
        seconds(lambda: minimize(LAND, LAND.start, Adam(RATES), STEPS)) for _ in range(rounds)
    )
    print(f"\nAdam, {SETTINGS:,} settings: {ours:.2f} s in one batch of ours")
    for name, make, some in (("optax", with_optax, SETTINGS), ("torch", with_torch, 20)):
        if importlib.util.find_spec(name) is None:
            print(f"{name}: absent")
            continue
        chosen = RATES[:: SETTINGS // some, 0]
        call = make() if name == "optax" else make(chosen)
        np.testing.assert_allclose(call(), batch.x[-1, :: SETTINGS // some], rtol=1e-6, atol=1e-12)
        took = statistics.median(seconds(call) for _ in range(rounds)) * SETTINGS / some
        how = "jax.vmap, compiled" if name == "optax" else f"a loop, from {some} of them"
        print(f"{name} ({how}): {took:.2f} s, {took / ours:.2f} times as long")


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
    compare_with_others(min(rounds, 5))


if __name__ == "__main__":
    main()
