"""Compare the remedies against over-fitting on few digits: the gap between training and unseen digits.

A network 64-100-10 (ReLU, float32) learns 150 digits for 1,000 steps of momentum 0.9 with lr 0.05 and
minibatches of 32. 20 seeds; a seed draws digits, weights and minibatches. Twice: with true labels, and with
30 % of the training labels replaced by random ones. Each remedy's strength is the one of its grid with the
highest mean validation accuracy; what is reported is training and *test* accuracy.

``nice python benchmarks/regularisation.py`` prints a table; ``--write`` also stores the runs in
``notebooks/data/regularisation.json``, from which notebook 05b draws.
"""

import numpy as np
from _record import DATA, main, record, rounded

from course_lib.datasets import digits_split
from course_lib.networks import MLP
from course_lib.optimizers import Momentum

COMMAND = "nice python benchmarks/regularisation.py --write"
SEEDS = tuple(range(20))
FEW, STEPS, BATCH, LR, NOISE = 150, 1000, 32, 0.05, 0.3
EVERY = 25  # steps between two looks at the validation part
GRIDS = {
    "nothing": (0,),
    "early stopping": (0,),
    "L2": (1e-3, 3e-3, 1e-2, 3e-2, 0.1),
    "L1": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
    "dropout": (0.2, 0.4, 0.6, 0.8),
    "label smoothing": (0.1, 0.2, 0.4),
    "shifts": (0.1, 0.2, 0.4, 0.8),
    "more data": (300, 600, 1079),
}


def shifted(X, share, rng):
    """Return pictures of which about `share` are moved by one pixel in each direction that is drawn."""
    images = np.pad(X.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    moved = rng.random(len(X)) < share
    down, right = np.where(moved, rng.integers(0, 3, (2, len(X))), 1)
    rows, columns = down[:, None] + np.arange(8), right[:, None] + np.arange(8)
    return images[np.arange(len(X))[:, None, None], rows[:, :, None], columns[:, None, :]].reshape(len(X), 64)


def run(remedy, strength, noise, seed):
    """Return training, validation and test accuracy at the end, or at the best look with early stopping."""
    training, validation, test = digits_split()
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(training))[: strength if remedy == "more data" else FEW]
    X, y = training.X[rows], training.y[rows].copy()
    wrong = rng.random(len(y)) < noise
    y[wrong] = rng.integers(0, 10, wrong.sum())
    options = {"dropout": {"dropout": strength}, "label smoothing": {"smoothing": strength}}
    net = MLP([64, 100, 10], rng=rng, dtype=np.float32, **options.get(remedy, {}))
    theta, mask, rule = net.theta0.copy(), net.decay_mask(), Momentum(LR)
    state, found = rule.init(theta), []
    for t in range(1, STEPS + 1):
        rows = rng.integers(0, len(X), BATCH)
        batch = shifted(X[rows], strength, rng) if remedy == "shifts" else X[rows]
        _, grad = net.loss_and_grad(theta, batch, y[rows], rng)
        if remedy == "L2":
            grad += strength * mask * theta
        if remedy == "L1":
            grad += strength * mask * np.sign(theta)
        theta, state = rule.step(theta, grad, state)
        if t % EVERY == 0:
            parts = (X, y), (validation.X, validation.y), (test.X, test.y)
            found.append([net.accuracy(theta, *part) for part in parts])
    curve = np.array(found)
    return curve[curve[:, 1].argmax() if remedy == "early stopping" else -1], curve


def measure(report=print):
    """Return the comparison as a dict."""
    settings = {}
    for setting, noise in (("true labels", 0.0), ("30 % random labels", NOISE)):
        arms = {}
        for remedy, grid in GRIDS.items():
            runs = [[run(remedy, strength, noise, seed) for seed in SEEDS] for strength in grid]
            ends = np.array([[end for end, _ in of] for of in runs])  # (strengths, seeds, 3)
            best = ends[..., 1].mean(axis=1).argmax()
            curve = np.mean([curve for _, curve in runs[best]], axis=0)
            names = ("training", "validation", "test")
            arms[remedy] = {"strength": grid[best]}
            arms[remedy] |= {name: rounded(ends[best, :, i]) for i, name in enumerate(names)}
            arms[remedy] |= {f"{name}_curve": rounded(curve[:, i]) for i, name in enumerate(names)}
            arms[remedy]["test_by_strength"] = rounded(ends[..., 2].mean(axis=1))
            means = ends[best].mean(axis=0).round(3)
            report(f"{setting:18} {remedy:15} strength {grid[best]:g}, train, val, test {means}")
        settings[setting] = arms
    return record(
        "accuracy of 64-100-10 on few digits, by remedy and seed, each with its best strength",
        COMMAND,
        seeds=list(SEEDS),
        examples=FEW,
        steps=STEPS,
        every=EVERY,
        grids={name: list(grid) for name, grid in GRIDS.items()},
        settings=settings,
    )


if __name__ == "__main__":
    main(measure, __doc__, DATA / "regularisation.json")
