"""Time one gradient, by formula and by differences, while the parameters grow.

``python benchmarks/gradient_cost.py`` writes notebooks/data/gradient_cost.json: softmax regression, whose
inputs grow (notebook 01 draws it), and under "mlp" a network whose one hidden layer of tanh units grows
(notebook 05). Seconds are the processor's, so that other work on the machine hardly shows; run it on one
thread (OPENBLAS_NUM_THREADS=1). The machine is named by processor, cores and versions only.
"""

import os
import platform
from functools import partial
from time import process_time
from timeit import timeit

import numpy as np
from _record import DATA, processor, write

from course_lib.derivatives import gradient
from course_lib.networks import MLP
from course_lib.regressions import softmax_regression

EXAMPLES, CLASSES = 500, 10
FEATURES = (1, 3, 7, 15, 31, 63, 127, 255)
PIXELS, HIDDEN = 64, (1, 2, 4, 8, 16, 32)


def once(call, least=0.01):
    """Return the seconds of one call, averaged over as many calls as take `least` seconds."""
    number = max(1, round(least / timeit(call, number=1, timer=process_time)))
    return timeit(call, number=number, timer=process_time) / number


def softmax_tasks(rng):
    """Yield loss, gradient and a point of softmax regressions with more and more inputs."""
    for features in FEATURES:
        X = rng.normal(size=(EXAMPLES, features))
        land = softmax_regression(X, rng.integers(CLASSES, size=EXAMPLES), n_classes=CLASSES)
        yield land, land.grad, rng.normal(0, 0.1, size=land.dim)


def mlp_tasks(rng):
    """Yield the same of networks with more and more hidden units; the loss goes forward only."""
    X, y = rng.normal(size=(EXAMPLES, PIXELS)), rng.integers(CLASSES, size=EXAMPLES)
    for hidden in HIDDEN:
        net = MLP([PIXELS, hidden, CLASSES], "tanh", rng=rng)
        yield partial(net.loss, X=X, y=y), net.landscape(X, y).grad, net.theta0.copy()


CALLS = {
    "loss": lambda loss, grad, theta: loss(theta),
    "analytic": lambda loss, grad, theta: grad(theta),
    "forward": lambda loss, grad, theta: gradient(loss, theta, method="forward"),
    "central": lambda loss, grad, theta: gradient(loss, theta, method="central"),
}


def measure(tasks, rounds=7):
    """Return parameters and seconds, the best of `rounds`; all sizes take turns: a busy spell hits all."""
    tasks = list(tasks)
    times = [
        [[once(partial(call, *task)) for task in tasks] for call in CALLS.values()] for _ in range(rounds)
    ]
    best = np.min(times, axis=0)
    rounded = {name: [float(f"{s:.3g}") for s in row] for name, row in zip(CALLS, best, strict=True)}
    return {"n": [theta.size for *_, theta in tasks], **rounded}


if __name__ == "__main__":
    threads = os.environ.get("OPENBLAS_NUM_THREADS", os.cpu_count())
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
    machine = f"{processor()}, {os.cpu_count()} cores, {threads} used, {versions}"
    command = "python benchmarks/gradient_cost.py"
    result = {"command": command, "machine": machine, "examples": EXAMPLES}
    result |= measure(softmax_tasks(np.random.default_rng(0)))
    result["mlp"] = {"inputs": PIXELS, "hidden": HIDDEN, **measure(mlp_tasks(np.random.default_rng(0)))}
    write(result, DATA / "gradient_cost.json")
