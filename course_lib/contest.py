"""What the shoot-out compares: update rules, data sets with their models, learning rates to try, one run."""

import hashlib
import math
import time
from dataclasses import dataclass

import numpy as np

from course_lib import optimizers
from course_lib._checks import one_of
from course_lib.datasets import SparseRows, cifar10, digits_split, imdb, mnist
from course_lib.networks import MLP
from course_lib.schedules import cosine
from course_lib.training import evaluate, fit

__all__ = [
    "DATASETS",
    "HIGH",
    "LOW",
    "METHODS",
    "WIDEST",
    "Method",
    "Task",
    "data",
    "digest",
    "draws",
    "train",
]

LOW, HIGH, WIDEST = 1e-4, 10.0, 12
"""Range of learning rates to begin with, and by how many parts it may grow at each end."""


@dataclass(frozen=True)
class Method:
    """A rule for a learning rate, and the learning rate that PyTorch gives it when none is named."""

    rule: type
    default: float
    options: tuple = ()

    def __call__(self, lr):
        """Return the rule."""
        options = dict(self.options)
        return self.rule(lr=lr, **options)


METHODS = {
    "SGD": Method(optimizers.GradientDescent, 1e-3),
    "Momentum": Method(optimizers.Momentum, 1e-3, (("beta", 0.9),)),
    "Nesterov": Method(optimizers.Nesterov, 1e-3, (("beta", 0.9),)),
    "Adagrad": Method(optimizers.Adagrad, 1e-2),
    "RMSProp": Method(optimizers.RMSProp, 1e-2),
    "Adadelta": Method(optimizers.Adadelta, 1.0),
    "Adam": Method(optimizers.Adam, 1e-3),
    "AdamW": Method(optimizers.AdamW, 1e-3),
    "AMSGrad": Method(optimizers.AMSGrad, 1e-3),
    "Nadam": Method(optimizers.Nadam, 2e-3),
    "Lion": Method(optimizers.Lion, 1e-4),
}
"""What can be compared. PyTorch has no Lion: its default is that of the paper."""


@dataclass(frozen=True)
class Task:
    """A data set with the model and the budget that it is given."""

    load: object
    sizes: tuple
    batch_size: int
    epochs: int
    prepare: object


def scaled(parts):
    """Return the pictures with each pixel's mean and the overall spread of the training part taken out."""
    X = parts[0].X
    mean, spread = X.mean(axis=0), X.std()
    return [((part.X - mean) / spread, part.y) for part in parts]


def present(parts):
    """Return the bags of words with 1 for every word that occurs, however often."""
    ones = (SparseRows(np.ones_like(X.values), X.columns, X.starts, X.width) for X in (p.X for p in parts))
    return [(X, part.y) for X, part in zip(ones, parts, strict=True)]


DATASETS = {
    "digits": Task(digits_split, (64, 64, 10), 32, 5, scaled),
    "mnist": Task(mnist, (784, 256, 128, 10), 128, 5, scaled),
    "cifar10": Task(cifar10, (3072, 128, 64, 10), 128, 8, scaled),
    "imdb": Task(imdb, (8000, 2), 128, 6, present),
}


def data(name, release=True):
    """Return training, validation and test part of a data set, each as (X, y) in float32.

    Parameters
    ----------
    name : str
        One of `DATASETS`.
    release : bool, default True
        With False, CIFAR-10 may have other pixels than those published.

    Returns
    -------
    list of (X, y)
    """
    task = DATASETS[one_of("dataset", name, tuple(DATASETS))]
    parts = task.load() if release or name != "cifar10" else task.load(release=False)
    return [(X.astype(np.float32), y) for X, y in task.prepare(parts)]


def digest(parts):
    """Return the SHA-256 of all that is learned from and measured on."""
    whole = hashlib.sha256()
    for X, y in parts:
        for array in (X.values, X.columns, X.starts, y) if isinstance(X, SparseRows) else (X, y):
            whole.update(np.ascontiguousarray(array))
    return whole.hexdigest()


def draws(trials, low=LOW, high=HIGH, below=0, above=0):
    """Return learning rates, one from each of equal parts of a range, on a logarithmic scale.

    Parameters
    ----------
    trials : int
        Parts of the range from `low` to `high`.
    low, high : float
    below, above : int, default 0
        By how many parts of the same width the range was widened at each end. The draws in the other parts
        do not depend on it.

    Returns
    -------
    list of float, rising

    Examples
    --------
    >>> [f"{lr:.2g}" for lr in draws(4)]
    ['0.00032', '0.019', '0.074', '3.1']
    >>> draws(4, above=1)[:4] == draws(4)
    True
    """
    width = math.log10(high / low) / trials
    inside = {k: np.random.default_rng([k + WIDEST, trials]).random() for k in range(-below, trials + above)}
    return [float(f"{low * 10 ** (width * (k + share)):.6g}") for k, share in inside.items()]


def train(name, parts, method, lr, seed, epochs, test=False):
    """Return what one run gave, as numbers for JSON.

    Parameters
    ----------
    name, method : str
        From `DATASETS` and `METHODS`.
    parts : list of (X, y)
        As `data` returns them.
    lr : float
        Learning rate of the first step.
    seed : int
        Draws the first weights and deals the minibatches.
    epochs : int
    test : bool, default False
        Whether to measure on the test part, too.

    Returns
    -------
    dict
        ``lr`` and ``seed``; ``loss``, ``val_loss``, ``val_accuracy`` and ``seconds`` by epoch (fewer if the
        run ``diverged``, None where a number is not finite); ``cpu_seconds`` of the whole run; with `test`,
        ``test_loss`` and ``test_accuracy``.
    """
    task, (training, validation, held_out) = DATASETS[name], parts
    weights, order = (np.random.default_rng([seed, k]) for k in range(2))
    net = MLP(task.sizes, rng=weights, dtype=np.float32)
    steps = epochs * math.ceil(len(training[1]) / task.batch_size)
    rule, options = METHODS[method](cosine(lr, steps)), {"epochs": epochs, "batch_size": task.batch_size}
    begin = time.process_time()
    history = fit(net, training, rule, validation=validation, rng=order, progress=False, **options)
    run = {"lr": lr, "seed": seed, "diverged": bool(history.stopped)}
    run |= {key: [_short(record[key]) for record in history.epochs] for key in BY_EPOCH}
    run["cpu_seconds"] = _short(time.process_time() - begin)
    if test:
        with np.errstate(all="ignore"):
            found = evaluate(net, history.theta, held_out)
        run |= {f"test_{key}": _short(value) for key, value in found.items()}
    return run


BY_EPOCH = ("loss", "val_loss", "val_accuracy", "seconds")


def _short(value):
    """Return a number with six digits, None if it is not finite: JSON knows no NaN."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
