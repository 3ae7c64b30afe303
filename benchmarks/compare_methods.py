"""Compare every method of the course on the digits, each with a tuned learning rate.

Softmax regression from theta = 0, minibatches of 32, 20 epochs. A seed deals the digits anew into training,
validation and test parts (60, 20, 20 %) and shuffles the minibatches; all methods are given the same. Each
method tries the same grid of learning rates, its other arguments at their defaults; for each seed the lr with
the lowest final validation loss is chosen, and its test loss reported. So too after 2 epochs, and for three
methods with an lr that decays to a hundredth. All learning rates and seeds of a method run as one batch.

``nice python benchmarks/compare_methods.py`` prints a table; ``--write`` also stores the runs in
``notebooks/data/comparison.json``, from which notebook 04b draws. The file names the machine by its kind
only.
"""

import math
import time

import numpy as np
from _record import DATA, main, record, rounded

from course_lib.datasets import digits
from course_lib.descent import minibatches
from course_lib.optimizers import (
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    GradientDescent,
    Lion,
    Momentum,
    Nadam,
    Nesterov,
    RMSProp,
)
from course_lib.regressions import softmax_regression
from course_lib.schedules import exponential

COMMAND = "nice python benchmarks/compare_methods.py --write"

BATCH_SIZE, EPOCHS, SHORT = 32, 20, 2
SEEDS = tuple(range(20))
T_975 = 2.093  # Student's t for 95 % and 19 degrees of freedom
LRS = np.round(10 ** np.arange(-4, 2.51, 0.25), 6)
FALL = 100  # a decayed lr ends at 1/FALL of the first
METHODS = {
    "SGD": GradientDescent,
    "Momentum": Momentum,
    "Nesterov": Nesterov,
    "Adagrad": Adagrad,
    "RMSProp": RMSProp,
    "Adadelta": lambda lr: Adadelta(lr=lr),
    "Adam": Adam,
    "AdamW": AdamW,
    "AMSGrad": AMSGrad,
    "Nadam": Nadam,
    "Lion": Lion,
}
DECAYED = ("SGD", "Momentum", "Adam")


def deal(n, seed):
    """Return the indices of a seed's training, validation and test part, and its stream of minibatches."""
    rng = np.random.default_rng(seed)
    parts = np.split(rng.permutation(n), [round(0.6 * n), round(0.8 * n)])
    return (*parts, (parts[0][rows] for rows in minibatches(len(parts[0]), BATCH_SIZE, rng)))


def train(rule, land, x, streams, marks):
    """Return theta after each number of steps in `marks`; one stream of minibatches for each seed."""
    state, kept = rule.init(x), []
    for t in range(1, max(marks) + 1):
        rows = np.stack([next(stream) for stream in streams])
        x, state = rule.step(x, land.grad(rule.where(x, state), rows), state)
        if t in marks:
            kept.append(x)
    return kept


def score(theta, land, data, lrs, parts):
    """Return the losses of theta, shape (lrs, seeds, d), and those of the lr chosen for each seed."""
    training, validation, test = (land(theta, rows=np.stack(rows)) for rows in parts)
    validation = np.where(np.isfinite(validation), validation, np.inf)
    best, seeds = validation.argmin(axis=0), np.arange(theta.shape[1])
    hits = land.predict(theta[best, seeds], data.X) == data.y
    with np.errstate(all="ignore"):
        half = T_975 * training.std(axis=1, ddof=1) / math.sqrt(len(seeds))
    return {
        "chosen_lr": rounded(lrs[best]),
        "training_at_chosen": rounded(training[best, seeds]),
        "test_at_chosen": rounded(test[best, seeds]),
        "accuracy_at_chosen": rounded([hit[rows].mean() for hit, rows in zip(hits, parts[2], strict=True)]),
        "training_by_lr": rounded(training.mean(axis=1)),
        "half_interval_by_lr": rounded(half),
        "validation_by_lr": rounded(validation.mean(axis=1)),
    }


def measure(report=print):
    """Return the comparison as a dict: the machine, the protocol, and the final losses of every method."""
    data = digits()
    land = softmax_regression(data.X, data.y, n_classes=10)
    parts = list(zip(*[deal(len(data), seed)[:3] for seed in SEEDS], strict=True))
    epoch = math.ceil(len(parts[0][0]) / BATCH_SIZE)
    steps, column = EPOCHS * epoch, LRS[:, None, None]
    arms = {name: (make(column), (SHORT * epoch, steps)) for name, make in METHODS.items()}
    decay = exponential(column, math.log(FALL) / steps)
    arms |= {f"{name}, decayed": (METHODS[name](decay), (steps,)) for name in DECAYED}
    runs = {}
    for name, (rule, marks) in arms.items():
        begin = time.perf_counter()
        streams = [deal(len(data), seed)[3] for seed in SEEDS]
        x = np.zeros((len(LRS), len(SEEDS), land.dim))
        with np.errstate(all="ignore"):  # the largest lr of AdamW diverge
            kept = train(rule, land, x, streams, marks)
        for mark, theta in zip(marks, kept, strict=True):
            entry = score(theta, land, data, LRS, parts)
            runs[name if mark == steps else f"{name}, short"] = entry
        loss, share = np.mean(entry["test_at_chosen"]), np.mean(entry["accuracy_at_chosen"])
        seconds = time.perf_counter() - begin
        report(f"{name:18} test loss {loss:.4f}, accuracy {share:.3f}, {seconds:5.1f} s")
    return record(
        "final losses of softmax regression on the digits (float64), by method, lr and seed",
        COMMAND,
        batch_size=BATCH_SIZE,
        steps=steps,
        short_steps=SHORT * epoch,
        fall=FALL,
        seeds=list(SEEDS),
        lr=rounded(LRS),
        runs=runs,
    )


if __name__ == "__main__":
    main(measure, __doc__, DATA / "comparison.json")
