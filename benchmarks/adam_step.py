"""Measure one step of Adam on 10,000,000 parameters against PyTorch's, in one run.

``python benchmarks/adam_step.py`` prints milliseconds a step, in float32, in turns: the rule as `fit` applies
it, piece by piece; the same rule on the whole vector at once; ``torch.optim.Adam`` as it comes; and its fused
kernel, as the limit. Before it times anything it makes sure that all of them go the same way. The number of
threads is that of OPENBLAS_NUM_THREADS, for PyTorch; NumPy's elementwise work has one. Without PyTorch, the
rest is measured.
"""

import importlib.util
import os
import statistics
import time

import numpy as np

from course_lib._run import Stepper
from course_lib.optimizers import Adam

N, LR, ROUNDS = 10_000_000, 1e-3, 7
THREADS = int(os.environ.get("OPENBLAS_NUM_THREADS", os.cpu_count()))


def pieces(theta, g):
    """Return a function that takes a step as `fit` does, and one that returns the point."""
    stepper = Stepper(Adam(LR), theta.copy())
    return lambda: stepper.step(g), lambda: stepper.theta


def whole(theta, g):
    """Return the same for the rule on the whole vector at once."""
    rule = Adam(LR)
    now = [theta.copy(), rule.init(theta)]

    def step():
        now[:] = rule.step(now[0], g, now[1])

    return step, lambda: now[0]


def torch(theta, g, **options):
    """Return the same for PyTorch."""
    import torch

    torch.set_num_threads(THREADS)
    point = torch.from_numpy(theta.copy()).requires_grad_()
    point.grad = torch.from_numpy(g)
    return torch.optim.Adam([point], LR, **options).step, lambda: point.detach().numpy()


def main():
    rng = np.random.default_rng(0)
    theta, g = (rng.standard_normal(N, dtype=np.float32) for _ in range(2))
    runs = {"course_lib, as fit steps": pieces(theta, g), "course_lib, all at once": whole(theta, g)}
    if importlib.util.find_spec("torch"):
        runs["torch.optim.Adam"] = torch(theta, g)
        runs["torch.optim.Adam, fused"] = torch(theta, g, fused=True)
    else:
        print("PyTorch: absent")
    seconds = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, (step, _) in runs.items():
            begin = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - begin)
    points = [point() for _, point in runs.values()]
    for other in points[1:]:
        np.testing.assert_allclose(other, points[0], rtol=1e-4, atol=1e-6)
    print(f"{N:,} parameters, float32, {ROUNDS} steps each, threads for PyTorch: {THREADS}")
    ours = statistics.median(next(iter(seconds.values()))[1:])
    for name, each in seconds.items():
        median = statistics.median(each[1:])  # the first step also fetches the memory
        print(f"  {name:26} {1000 * median:7.1f} ms   {median / ours:5.2f} × the first")


if __name__ == "__main__":
    main()
