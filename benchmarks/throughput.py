"""Measure how the batch size sets the pace of SGD: softmax regression on the digits, B from 1 to all.

``python benchmarks/throughput.py`` prints a table; ``--write`` also stores it in
``notebooks/data/throughput.json``, from which notebook 02 draws. The file names the machine by its kind only.
"""

import argparse
import os
import time

import numpy as np
from _record import DATA, machine, write

from course_lib.datasets import digits_split
from course_lib.optimizers import GradientDescent
from course_lib.regressions import softmax_regression

TARGET = DATA / "throughput.json"


def batch_sizes(n):
    """Return 1, 2, 4, ... below n, then n itself."""
    return [2**k for k in range(20) if 2**k < n] + [n]


def one_round(land, B, rng, budget):
    """Return seconds a step: as many steps as fit in `budget` seconds, drawing the examples included."""
    optimizer = GradientDescent(0.1)
    x = np.zeros(land.dim)
    state, order, at, steps = optimizer.init(x), rng.permutation(land.n_examples), 0, 0
    begin = time.perf_counter()
    while True:
        if at + B > land.n_examples:
            order, at = rng.permutation(land.n_examples), 0
        rows = None if land.n_examples == B else order[at : at + B]
        x, state = optimizer.step(x, land.grad(x, rows), state)
        at, steps = at + B, steps + 1
        seconds = time.perf_counter() - begin
        if seconds > budget:
            return seconds / steps


def measure(rounds=9, budget=0.05):
    """Return the measurement as a dict: the machine, the task, and the best of `rounds` for each batch size.

    The rounds of all sizes take turns, so that a busy spell of the machine does not fall on one size alone.
    """
    train, _, _ = digits_split()
    land = softmax_regression(train.X, train.y, n_classes=10)
    rng = np.random.default_rng(0)
    sizes = batch_sizes(land.n_examples)
    seconds = np.array([[one_round(land, B, rng, budget) for B in sizes] for _ in range(rounds)]).min(axis=0)
    return {
        "what": "seconds for one step of SGD, softmax regression on the digits (float64), best of rounds",
        "machine": machine() | {"threads": int(os.environ.get("OPENBLAS_NUM_THREADS", os.cpu_count()))},
        "rounds": rounds,
        "examples": land.n_examples,
        "parameters": land.dim,
        "batch_size": sizes,
        "seconds_per_step": [float(f"{s:.3g}") for s in seconds],
        "examples_per_second": [float(f"{B / s:.3g}") for B, s in zip(sizes, seconds, strict=True)],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"store the result in {TARGET.name}")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    result = measure(arguments.rounds)
    print(result["machine"])
    columns = (result[name] for name in ("batch_size", "seconds_per_step", "examples_per_second"))
    for B, s, pace in zip(*columns, strict=True):
        print(f"B = {B:5}: {s * 1e6:8.1f} µs a step, {pace:10,.0f} examples/s")
    if arguments.write:
        write(result, TARGET)


if __name__ == "__main__":
    main()
