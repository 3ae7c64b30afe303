r"""Train a network: `fit`, its `History`, and a search for the learning rate, `lr_finder`.

`fit` is the loop of `course_lib.descent.minimize` with all that a network wants around it: shuffled
minibatches, validation, callbacks (`course_lib.callbacks`), a progress bar, and resuming. The search for the
learning rate lives in `course_lib.lr_search` and is offered here.
"""

import math
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np

from course_lib._checks import one_of, require, whole_number
from course_lib._run import Callback, Run, copied_stats, examples, put_stats, start
from course_lib.checkpoints import resume_from
from course_lib.lr_search import LRSweep, lr_finder

__all__ = ["History", "LRSweep", "evaluate", "fit", "lr_finder"]

CHUNK = 1000
"""Examples evaluated at a time in validation: what the layers keep of them stays small."""


@dataclass(frozen=True, eq=False)
class History:
    """What `fit` returns.

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,)
        The parameters at the end.
    loss : ndarray of shape (steps,)
        The training loss of each minibatch, before its update.
    epochs : list of dict
        For each whole epoch: ``epoch`` (from 1), ``loss`` (mean over its examples, while θ moved),
        ``val_loss`` and ``val_accuracy`` (if there was validation data), ``lr`` (of its last step), and
        ``seconds`` (of its training steps).
    stopped : str
        Why the run ended before its time; "" if it did not.
    """

    theta: np.ndarray
    loss: np.ndarray
    epochs: list
    stopped: str = ""

    def __getitem__(self, name):
        """Return one entry of all records as an array, e.g. ``history["val_loss"]``."""
        names = tuple(self.epochs[0]) if self.epochs else ()
        one_of("name", name, names, "Give fit validation data for those of it.")
        return np.array([record[name] for record in self.epochs])

    @property
    def best(self):
        """The record with the lowest val_loss (without validation: loss); None before the first epoch."""
        if not self.epochs:
            return None
        name = "val_loss" if "val_loss" in self.epochs[0] else "loss"
        return min(self.epochs, key=lambda record: record[name])

    def __repr__(self):
        words = [f"{len(self.epochs)} epochs, {len(self.loss)} steps"]
        if self.epochs:
            words.append(f"loss {self.epochs[0]['loss']:.4g} -> {self.epochs[-1]['loss']:.4g}")
            if "val_accuracy" in self.epochs[-1]:
                words.append(f"val_accuracy {self.epochs[-1]['val_accuracy']:.2%}")
        if self.stopped:
            words.append(f"stopped: {self.stopped}")
        return f"<History: {', '.join(words)}>"


def fit(
    model,
    data,
    optimizer,
    *,
    epochs,
    batch_size=64,
    drop_last=False,
    validation=None,
    callbacks=(),
    rng,
    theta=None,
    progress=None,
    resume=None,
):
    """Train a network on minibatches and return the `History`.

    Each epoch the examples are shuffled by `rng` and walked through once; the last minibatch is shorter where
    `batch_size` does not divide their number. The loss is stopped at as soon as it is not finite.

    Parameters
    ----------
    model : MLP
        Or anything with ``theta0``, ``dtype``, ``loss_and_grad``, and for validation ``loss`` and
        ``accuracy``.
    data : (X, y), or Digits
        Training examples ``(N, n_in)`` and their labels or targets. X is converted to the model's dtype
        once, if it has another.
    optimizer : GradientDescent, Adam, …
        A rule of `course_lib.optimizers`, or anything with its `init` and `step`.
    epochs : int
        How often to walk through the examples; in a resumed run, those before the checkpoint count.
    batch_size : int, default 64
        Examples a minibatch, at most N.
    drop_last : bool, default False
        Whether to leave out the shorter minibatch at the end of an epoch: batch norm cannot standardise one
        example. Each epoch leaves out others. Same name and default in PyTorch's DataLoader.
    validation : (X, y), or Digits, optional
        Examples on which loss and accuracy are measured after each epoch, in evaluation mode.
    callbacks : sequence of Callback
        See `course_lib.callbacks`.
    rng : numpy.random.Generator
        Shuffles, and draws for dropout.
    theta : ndarray of shape (n_parameters,), optional
        Where to start (it is copied); by default at ``model.theta0``, with the running statistics of batch
        norm set back.
    progress : bool, optional
        Whether to show a progress bar; by default if the standard error is a terminal.
    resume : path-like, optional
        A file that `ModelCheckpoint` wrote: the run goes on behind it, with the bits of a run that was never
        interrupted, if everything else given is the same.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If an argument is out of range, the shapes do not fit, or the checkpoint belongs to another run.

    Notes
    -----
    Interrupting (Ctrl-C, the notebook's stop button) ends the run and returns what was learned so far.

    The rule itself is never changed. `fit` uses a copy whose learning rate is that of the rule (a number, or
    a schedule of the step) times a factor, ``run.lr_factor``, 1 at the start; callbacks that change the rate
    change the factor. What stands in the rule as a schedule and what a callback does thus multiply.

    Examples
    --------
    >>> from course_lib.networks import MLP
    >>> from course_lib.optimizers import Adam
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> net = MLP([2, 8, 2], rng=np.random.default_rng(0))
    >>> history = fit(net, (X, [0, 1, 1, 0]), Adam(0.05), epochs=100, batch_size=4,
    ...               rng=np.random.default_rng(1))
    >>> len(history.loss), net.predict(history.theta, X)
    (100, array([0, 1, 1, 0]))
    """
    able = all(hasattr(model, name) for name in ("theta0", "dtype", "loss_and_grad"))
    require(able, "model", model, "a network", "Give an MLP.")
    X, y = examples("data", data, model.dtype)
    held_out = None if validation is None else examples("validation", validation, model.dtype)
    epochs = whole_number("epochs", epochs, 0, "Count walks through the data.")
    batch_size = whole_number("batch_size", batch_size, 1, "64 is usual.")
    remedy = f"Use {len(X)} for the full batch."
    require(batch_size <= len(X), "batch_size", batch_size, f"at most {len(X)}, the examples", remedy)
    able = isinstance(drop_last, bool)
    require(able, "drop_last", drop_last, "True or False", "True leaves out the last, shorter minibatch.")
    require(isinstance(rng, np.random.Generator), "rng", rng, "a Generator", "Pass np.random.default_rng(0).")
    able = not isinstance(optimizer, type) and all(hasattr(optimizer, name) for name in ("init", "step"))
    require(able, "optimizer", optimizer, "an object with init and step", "Write Adam(0.001).")
    callbacks = list(callbacks)
    for callback in callbacks:
        remedy = "Give objects, as in [EarlyStopping()]."
        require(isinstance(callback, Callback), "callbacks", callback, "a list of Callback", remedy)
    require(theta is None or resume is None, "theta", theta, "None in a resumed run", "Leave it out.")
    used = len(X) - (len(X) % batch_size if drop_last else 0)
    run = Run(model, optimizer, start(model, theta), rng, epochs, batch_size, used, callbacks)
    if theta is None:
        put_stats(model, [s and [np.zeros_like(s[0]), np.ones_like(s[1])] for s in copied_stats(model)])
    states = [] if resume is None else resume_from(resume, run)
    run.call("on_train_begin")
    for callback, state in states:
        callback.restore(state)
    try:
        with np.errstate(all="ignore"), _bar(progress, run) as bar:
            while run.epoch < epochs and not run.stopped:
                _epoch(run, X, y, held_out, bar)
    except KeyboardInterrupt:
        run.stop(f"interrupted in epoch {run.epoch + 1}, after step {run.step}")
    run.call("on_train_end")
    return History(run.stepper.theta, np.array(run.losses), run.records, run.stopped)


def _epoch(run, X, y, validation, bar):
    """Walk through the examples once."""
    run.call("on_epoch_begin")
    watching = [c for c in run.callbacks if type(c).on_batch_end is not Callback.on_batch_end]
    model, stepper, size, total = run.model, run.stepper, run.batch_size, 0.0
    begin = time.perf_counter()
    order = run.rng.permutation(len(X))[: run.n_examples]
    for at in range(0, len(order), size):
        rows = order[at : at + size]
        loss, g = model.loss_and_grad(stepper.point(), X.take(rows, axis=0), y.take(rows, axis=0), run.rng)
        run.losses.append(loss)
        if not math.isfinite(loss):
            return run.stop(_report("loss", loss, run))
        stepper.step(g)
        run.step += 1
        total += loss * len(rows)
        for callback in watching:
            callback.on_batch_end(run)
        if bar is not None:
            bar.update()
        if run.stopped:
            return None
    seconds = time.perf_counter() - begin
    run.epoch += 1
    record = {"epoch": run.epoch, "loss": total / len(order)}
    if validation is not None:
        found = evaluate(model, stepper.theta, validation)
        record |= {f"val_{name}": value for name, value in found.items()}
        if not math.isfinite(record["val_loss"]):
            run.stop(_report("validation loss", record["val_loss"], run))
    run.records.append(record | {"lr": run.lr_at(run.step - 1), "seconds": seconds})
    if bar is not None:
        bar.set_postfix({name: f"{value:.4g}" for name, value in record.items() if name != "epoch"})
    return run.call("on_epoch_end")


def _report(what, value, run):
    lr = run.lr_at(run.step)
    rate = "" if math.isnan(lr) else f" with learning rate {lr:.3g}"
    where = f"in epoch {len(run.records) + 1}, after step {run.step}{rate}"
    return f"the {what} became {value} {where}: try a lower rate, or clip the gradient"


def evaluate(model, theta, data):
    """Return the loss, and of a classifier the accuracy, in evaluation mode, a chunk of examples at a time.

    Parameters
    ----------
    model : MLP
        Or anything with ``loss`` and ``accuracy``.
    theta : ndarray of shape (n_parameters,)
    data : (X, y), or Digits

    Returns
    -------
    dict
        ``loss``, and ``accuracy`` if the model's loss is the cross-entropy.

    Examples
    --------
    >>> from course_lib.networks import MLP
    >>> net = MLP([2, 2], rng=np.random.default_rng(0))
    >>> evaluate(net, 0 * net.theta0, (np.ones((4, 2)), [0, 0, 0, 1]))["accuracy"]
    0.75
    """
    X, y = examples("data", data, model.dtype)
    found, classes = {"loss": 0.0}, getattr(model, "loss_name", "") == "cross-entropy"
    if classes:
        found["accuracy"] = 0.0
    for at in range(0, len(X), CHUNK):
        part = slice(at, at + CHUNK)
        inputs, share = X[part], len(y[part]) / len(y)
        found["loss"] += share * model.loss(theta, inputs, y[part])
        if classes:
            found["accuracy"] += share * model.accuracy(theta, inputs, y[part])
    return found


def _bar(progress, run):
    """Return a progress bar, or a context without one."""
    allowed = progress is None or isinstance(progress, bool)
    require(allowed, "progress", progress, "True, False or None", "None shows it on a terminal.")
    if not (sys.stderr.isatty() if progress is None else progress):
        return nullcontext()
    from tqdm import tqdm  # text, not a widget: it can be redirected, and leaves nothing in a notebook

    steps = math.ceil(run.n_examples / run.batch_size)
    return tqdm(total=run.n_epochs * steps, initial=run.epoch * steps, unit="step", desc="fit")
