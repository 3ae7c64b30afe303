"""Train deep networks on the digits from several initialisations, with and without normalisation.

Two comparisons, each with momentum 0.9 and float32, 10 seeds, and the learning rate tuned: for each arm the
one of a grid with the highest mean validation accuracy at the end is kept. A seed draws the weights and deals
the minibatches; training and validation part are those of `digits_split`.

- `start`: 10 hidden layers of 64 ReLU units, minibatches of 64, 10 epochs; weights N(0, 0.01²), N(0, 1),
  variance 1/n_in and 2/n_in; no normalisation, batch norm, layer norm. Without normalisation the first two
  stay at chance on the whole grid: they get a wider one, from 1e-11 to 10.
- `batch`: 2 hidden layers of 64 ReLU units, 3 epochs; minibatches of 2 to 64; the same three.

``nice python benchmarks/initialisation.py`` prints a table; ``--write`` also stores the runs in
``notebooks/data/initialisation.json``, from which notebook 05 draws.
"""

import numpy as np
from _record import DATA, main, record, rounded

from course_lib.datasets import digits_split
from course_lib.descent import minibatches
from course_lib.initializers import he, lecun, normal
from course_lib.networks import MLP
from course_lib.optimizers import Momentum

COMMAND = "nice python benchmarks/initialisation.py --write"
SEEDS = tuple(range(10))
STARTS = {"std 0.01": normal(0.01), "std 1": normal(1.0), "1/√n": lecun(), "√(2/n)": he()}
NORMS = {"none": None, "batch": "batch", "layer": "layer"}
LRS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
WIDE = tuple(float(f"{k % 2 * 2 + 1}e{k // 2}") for k in range(-22, 3))
BATCHES = (2, 4, 8, 16, 64)


def train(net, lr, batch, epochs, rng):
    """Return the validation accuracy after each epoch; 0.1 (chance) once the run has diverged."""
    training, validation, _ = digits_split()
    theta, rule, found = net.theta0.copy(), Momentum(lr), []
    state, epoch = rule.init(theta), len(training) // batch
    for t, rows in zip(range(epochs * epoch), minibatches(len(training), batch, rng), strict=False):
        if len(rows) > 1:  # batch norm cannot take the lone example that may be left over
            _, grad = net.loss_and_grad(theta, training.X[rows], training.y[rows])
            theta, state = rule.step(theta, grad, state)
        if not np.isfinite(theta).all():
            return found + [0.1] * (epochs - len(found))
        if (t + 1) % epoch == 0:
            found.append(net.accuracy(theta, validation.X, validation.y))
    return found


def arm(sizes, initializer, norm, batch, epochs, lrs):
    """Return the runs with the best learning rate: accuracy by seed and epoch."""
    curves = np.empty((len(lrs), len(SEEDS), epochs))
    for i, lr in enumerate(lrs):
        for j, seed in enumerate(SEEDS):
            rng = np.random.default_rng(seed)
            net = MLP(sizes, "relu", initializer, norm, rng=rng, dtype=np.float32)
            with np.errstate(all="ignore"):
                curves[i, j] = train(net, lr, batch, epochs, rng)
    best = curves[..., -1].mean(axis=1).argmax()
    return {
        "lr": lrs[best],
        "lrs": list(lrs),
        "final_by_lr": rounded(curves[..., -1].mean(axis=1)),
        "accuracy": [rounded(c) for c in curves[best]],
    }


def measure(report=print):
    """Return both comparisons as a dict."""
    start, by_batch = {}, {}
    for norm, kind in NORMS.items():
        for name, initializer in STARTS.items():
            wide = kind is None and name in ("std 0.01", "std 1")
            run = arm([64] * 11 + [10], initializer, kind, 64, 10, WIDE if wide else LRS)
            start[f"{name}, {norm}"] = run
            report(f"start {name:9} {norm:6} lr {run['lr']:g}, {np.mean(run['accuracy'], axis=0)[-1]:.3f}")
    for norm, kind in NORMS.items():
        for batch in BATCHES:
            run = arm([64, 64, 64, 10], he(), kind, batch, 3, LRS)
            by_batch[f"{batch}, {norm}"] = run
            report(f"batch {batch:3} {norm:6} lr {run['lr']:g}, {np.mean(run['accuracy'], axis=0)[-1]:.3f}")
    return record(
        "validation accuracy on the digits, by seed and epoch, each arm with its best lr",
        COMMAND,
        seeds=list(SEEDS),
        start=start,
        batch=by_batch,
    )


if __name__ == "__main__":
    main(measure, __doc__, DATA / "initialisation.json")
