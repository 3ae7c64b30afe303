"""Time one gradient of softmax regression, by formula and by differences, while the parameters grow.

``python benchmarks/gradient_cost.py`` writes notebooks/data/gradient_cost.json, from which notebook 01 draws
its cost curve. The machine is named by processor, cores and versions only.
"""

import os
import platform
from timeit import timeit

import numpy as np
from _record import DATA, processor, write

from course_lib.derivatives import gradient
from course_lib.regressions import softmax_regression

EXAMPLES, CLASSES = 500, 10
FEATURES = (1, 3, 7, 15, 31, 63, 127, 255)


def once(call, least=0.01):
    """Return the seconds of one call, averaged over as many calls as take `least` seconds."""
    number = max(1, round(least / timeit(call, number=1)))
    return timeit(call, number=number) / number


def measure(rounds=7):
    """Return parameters and seconds, the best of `rounds`; all sizes take turns: a busy spell hits all."""
    rng = np.random.default_rng(0)
    tasks = []
    for features in FEATURES:
        X = rng.normal(size=(EXAMPLES, features))
        land = softmax_regression(X, rng.integers(CLASSES, size=EXAMPLES), n_classes=CLASSES)
        tasks.append((land, rng.normal(0, 0.1, size=land.dim)))
    calls = {
        "loss": lambda land, theta: land(theta),
        "analytic": lambda land, theta: land.grad(theta),
        "forward": lambda land, theta: gradient(land, theta, method="forward"),
        "central": lambda land, theta: gradient(land, theta, method="central"),
    }
    times = [
        [[once(lambda: call(land, theta)) for land, theta in tasks] for call in calls.values()]  # noqa: B023
        for _ in range(rounds)
    ]
    best = np.min(times, axis=0)
    rounded = {name: [float(f"{s:.3g}") for s in row] for name, row in zip(calls, best, strict=True)}
    return {"n": [land.dim for land, _ in tasks], **rounded}


if __name__ == "__main__":
    threads = os.environ.get("OPENBLAS_NUM_THREADS", os.cpu_count())
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
    machine = f"{processor()}, {os.cpu_count()} cores, {threads} used, {versions}"
    command = "python benchmarks/gradient_cost.py"
    result = {"command": command, "machine": machine, "examples": EXAMPLES, **measure()}
    write(result, DATA / "gradient_cost.json")
