"""Compare learning-rate schedules on the digits, each with a tuned rate, with momentum 0.9 and with Adam.

Three tasks: a network 64-64-10 (ReLU, float32) for 15 epochs of minibatches of 32; the same with dropout 0.5,
whose noise never dies; and a deep one, 64 - six times 64 - 10, for 10 epochs, with four of the schedules. A
seed deals the digits anew into training, validation and test parts (60, 20, 20 %), draws the weights and
shuffles the minibatches; all schedules of a seed are given the same. Each schedule tries the same grid of
eight rates; the one with the lowest mean validation loss is chosen, and its test loss reported.

``nice python benchmarks/schedules.py`` prints a table; ``--write`` also stores the runs in
``notebooks/data/schedules.json``, from which notebook 06 draws.
"""

import math
import time

import numpy as np
from _record import DATA, main, record, rounded

from course_lib import schedules
from course_lib.datasets import digits
from course_lib.networks import MLP
from course_lib.optimizers import Adam, Momentum

COMMAND = "nice python benchmarks/schedules.py --write"
SEEDS = tuple(range(12))
BATCH = 32
SCHEDULES = {  # from the rate and the number of steps of the run
    "constant": lambda lr, n: schedules.constant(lr),
    "step_decay": lambda lr, n: schedules.step_decay(lr, 0.1, every=math.ceil(n / 3)),
    "exponential": lambda lr, n: schedules.exponential(lr, math.log(100) / n),
    "inverse_time": lambda lr, n: schedules.inverse_time(lr, 9 / n),
    "polynomial": lambda lr, n: schedules.polynomial(lr, n),
    "cosine": lambda lr, n: schedules.cosine(lr, n),
    "warmup": lambda lr, n: schedules.warmup(lr, n // 10),
    "warmup_cosine": lambda lr, n: schedules.warmup(schedules.cosine(lr, n - n // 10), n // 10),
    "warmup_stable_decay": lambda lr, n: schedules.warmup_stable_decay(
        lr, n // 10, n - 4 * (n // 10), 3 * (n // 10)
    ),
    "one_cycle": lambda lr, n: schedules.one_cycle(lr, n),
}
FEW = ("constant", "cosine", "warmup", "warmup_cosine")
TASKS = {  # sizes, dropout, epochs, schedules, exponent of the lowest rate for each method
    "shallow": ([64, 64, 10], 0.0, 15, tuple(SCHEDULES), {"Momentum": -1.75, "Adam": -2.75}),
    "dropout": ([64, 64, 10], 0.5, 15, tuple(SCHEDULES), {"Momentum": -1.75, "Adam": -2.75}),
    "deep": ([64, *[64] * 6, 10], 0.0, 10, FEW, {"Momentum": -2.5, "Adam": -3.25}),
}
METHODS = {"Momentum": Momentum, "Adam": Adam}


def deal(n, rng):
    """Return the indices of the training, validation and test part."""
    return np.split(rng.permutation(n), [round(0.6 * n), round(0.8 * n)])


def run(X, y, sizes, dropout, epochs, make, seed):
    """Return the loss on each part and the accuracy on the test part, after the last epoch."""
    rng = np.random.default_rng(seed)
    parts = deal(len(X), rng)
    net = MLP(sizes, rng=rng, dtype=np.float32, dropout=dropout)
    training, per_epoch = parts[0], math.ceil(len(parts[0]) / BATCH)
    rule, theta = make(epochs * per_epoch), net.theta0.copy()
    state = rule.init(theta)
    with np.errstate(all="ignore"):  # the largest rates diverge
        for _ in range(epochs):
            order = rng.permutation(training)
            for at in range(0, len(order), BATCH):
                rows = order[at : at + BATCH]
                _, g = net.loss_and_grad(theta, X[rows], y[rows], rng)
                theta, state = rule.step(theta, g, state)
        losses = [net.loss(theta, X[rows], y[rows]) for rows in parts]
        return [*losses, net.accuracy(theta, X[parts[2]], y[parts[2]])]


def compare(X, y, sizes, dropout, epochs, schedule, method, lrs):
    """Return what one schedule gets with one method: by rate, and by seed at the chosen rate."""
    found = np.array(
        [
            [
                run(
                    X,
                    y,
                    sizes,
                    dropout,
                    epochs,
                    lambda n, lr=lr: METHODS[method](SCHEDULES[schedule](lr, n)),
                    s,
                )
                for s in SEEDS
            ]
            for lr in lrs
        ]
    )
    training, validation, test, accuracy = np.moveaxis(found, -1, 0)  # each (lrs, seeds)
    means = np.where(np.isfinite(validation), validation, np.inf).mean(axis=1)
    best = means.argmin()
    return {
        "chosen_lr": rounded(lrs[[best]])[0],
        "at_the_edge": bool(best in (0, len(lrs) - 1)),
        "test_at_chosen": rounded(test[best]),
        "accuracy_at_chosen": rounded(accuracy[best]),
        "training_at_chosen": rounded(training[best]),
        "validation_by_lr": rounded(means),
        "test_by_lr": rounded(np.where(np.isfinite(test), test, np.inf).mean(axis=1)),
    }


def measure(report=print):
    """Return the comparison as a dict."""
    data, runs = digits(), {}
    X, y = data.X.astype(np.float32), data.y
    for task, (sizes, dropout, epochs, names, lowest) in TASKS.items():
        runs[task] = {"sizes": sizes, "dropout": dropout, "epochs": epochs, "lr": {}, "runs": {}}
        for method in METHODS:
            lrs = np.round(10 ** (lowest[method] + 0.25 * np.arange(8)), 6)
            runs[task]["lr"][method], runs[task]["runs"][method] = rounded(lrs), {}
            for name in names:
                begin = time.perf_counter()
                entry = compare(X, y, sizes, dropout, epochs, name, method, lrs)
                runs[task]["runs"][method][name] = entry
                loss, share = np.mean(entry["test_at_chosen"]), np.mean(entry["accuracy_at_chosen"])
                edge = " (edge)" if entry["at_the_edge"] else ""
                seconds = time.perf_counter() - begin
                line = f"{task:8} {method:9} {name:20} lr {entry['chosen_lr']:<7g}{edge}"
                report(f"{line} test loss {loss:.4f}, accuracy {share:.4f}, {seconds:.0f} s", flush=True)
    return record(
        "final losses of small networks on the digits, by task, method, schedule and seed",
        COMMAND,
        seeds=list(SEEDS),
        batch_size=BATCH,
        tasks=runs,
    )


if __name__ == "__main__":
    main(measure, __doc__, DATA / "schedules.json")
