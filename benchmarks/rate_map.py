"""Measure the map of convergence rates over the (lr, β) plane, as the live view of notebook 03 draws it.

``python benchmarks/rate_map.py`` prints seconds for maps of several sizes, each one batched run of 100 steps,
beside the same map made by single runs (a few of them, scaled up). Target: 150 × 150 in at most 0.5 s.
"""

import statistics
import time

import numpy as np

from course_lib.descent import minimize
from course_lib.landscapes import quadratic
from course_lib.optimizers import Momentum
from course_lib.rates import rate_map

KAPPA, STEPS, SINGLES = 30, 100, 40


def seconds(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def main():
    land = quadratic(KAPPA)
    print(f"Momentum on a quadratic with κ = {KAPPA}, {STEPS} steps a setting; medians of 7")
    for n in (50, 150, 300):
        lrs, betas = np.linspace(0.001, 0.13, n), np.linspace(0, 0.99, n)
        batch = statistics.median(
            seconds(lambda lrs=lrs, betas=betas: rate_map(land.eigenvalues, lrs, betas, STEPS))
            for _ in range(7)
        )
        some = [(lr, beta) for lr, beta in zip(lrs, betas, strict=True)][:: max(1, n // SINGLES)]
        single = seconds(lambda some=some: [minimize(land, [1, 1], Momentum(*s), STEPS) for s in some])
        ratio = single / len(some) * n * n / batch
        missed = "  target missed" if n == 150 and batch > 0.5 else ""
        print(f"{n:4} × {n:<4} {batch:6.3f} s   {ratio:5.0f} × as fast as single runs{missed}")


if __name__ == "__main__":
    main()
