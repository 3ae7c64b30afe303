"""A search for the learning rate: one short run in which it grows, and what the loss makes of it."""

import math
from dataclasses import dataclass

import numpy as np

from course_lib._checks import number_in, require, whole_number
from course_lib._run import Stepper, copied_stats, examples, put_stats, start, with_rate
from course_lib.descent import minibatches

__all__ = ["LRSweep", "lr_finder"]


@dataclass(frozen=True, eq=False)
class LRSweep:
    """What `lr_finder` returns.

    Parameters
    ----------
    lr : ndarray of shape (k,)
        The rates tried, each by one step.
    loss : ndarray of shape (k,)
        The loss of each step's minibatch, before the step.
    smoothed : ndarray of shape (k,)
        Its leaky average, corrected for the bias of the first steps.
    """

    lr: np.ndarray
    loss: np.ndarray
    smoothed: np.ndarray

    @property
    def lowest(self):
        """The rate at which the smoothed loss was lowest: from here on it was too high."""
        return float(self.lr[self.smoothed.argmin()])

    @property
    def suggestion(self):
        """A tenth of `lowest`: by then the averages have seen too high rates for a while."""
        return self.lowest / 10

    @property
    def steepest(self):
        """The rate, up to `lowest`, at which the smoothed loss fell fastest over log lr."""
        until = self.smoothed.argmin() + 1
        if until < 3:
            return self.lowest
        return float(self.lr[np.gradient(self.smoothed[:until], np.log(self.lr[:until])).argmin()])

    def __repr__(self):
        tried = f"{len(self.lr)} rates from {self.lr[0]:.2g} to {self.lr[-1]:.2g}"
        return f"<LRSweep: {tried}, lowest loss at {self.lowest:.2g}, suggestion {self.suggestion:.2g}>"


def lr_finder(
    model,
    data,
    optimizer,
    *,
    lr_min=1e-6,
    lr_max=10.0,
    steps=100,
    batch_size=64,
    smoothing=0.9,
    stop=4.0,
    rng,
    theta=None,
):
    r"""Let the learning rate grow exponentially from step to step, and note the loss.

    .. math:: \eta_k = \eta_\min (\eta_\max / \eta_\min)^{k/(n-1)}, \qquad
              s_k = \frac{a_k}{1 - \beta^{k+1}}, \quad a_k = \beta a_{k-1} + (1 - \beta) L_k

    The model is left as it was, also its running statistics.

    Parameters
    ----------
    model, data, optimizer, rng, theta
        As for `fit`. The rule's own learning rate is not used.
    lr_min, lr_max : float, default 1e-6 and 10
        The first and the last rate.
    steps : int, default 100
        n, at least 2.
    batch_size : int, default 64
        Small minibatches make the loss noisy, and bear less high rates.
    smoothing : float, default 0.9
        β in [0, 1). The smoothed loss lags behind by about β/(1 − β) steps, so that the larger β, the higher
        the suggestion.
    stop : float, default 4
        Stop early when the smoothed loss exceeds so many times its lowest value, or is not finite.

    Returns
    -------
    LRSweep

    Raises
    ------
    ValueError
        If an argument is out of its range, the rule has no ``lr``, or the very first loss is not finite.

    References
    ----------
    L. N. Smith, "Cyclical learning rates for training neural networks", WACV (2017), section 3.3. The
    smoothed loss, the early stop and "a tenth of the lowest" are those of the fastai library.

    Examples
    --------
    >>> from course_lib.datasets import digits_split
    >>> from course_lib.networks import MLP
    >>> from course_lib.optimizers import Adam
    >>> net, rng = MLP([64, 32, 10], rng=np.random.default_rng(0)), np.random.default_rng(1)
    >>> found = lr_finder(net, digits_split()[0], Adam(0.001), rng=rng)
    >>> 0.001 < found.suggestion < 0.1
    True
    """
    remedy = "1e-6 and 10 are usual."
    lr_min = number_in("lr_min", lr_min, 0, math.inf, remedy, open_low=True, open_high=True)
    lr_max = number_in("lr_max", lr_max, lr_min, math.inf, remedy, open_low=True, open_high=True)
    steps = whole_number("steps", steps, 2, "100 is usual.")
    smoothing = number_in("smoothing", smoothing, 0, 1, "0.9 is usual.", open_high=True)
    stop = number_in("stop", stop, 1, math.inf, "4 is usual.", open_low=True)
    rates = np.geomspace(lr_min, lr_max, steps)
    rule, found = with_rate(optimizer, lambda own: lambda t: rates[t])
    require(found is not None, "optimizer", optimizer, "a dataclass with lr", "Write Adam(0.001).")
    X, y = examples("data", data, model.dtype)
    batches = minibatches(len(X), batch_size, rng)
    stepper, stats = Stepper(rule, start(model, theta)), copied_stats(model)
    losses, smoothed, average = [], [], 0.0
    try:
        with np.errstate(all="ignore"):
            for k, rows in zip(range(steps), batches, strict=False):
                loss, g = model.loss_and_grad(stepper.point(), X[rows], y[rows], rng)
                average = smoothing * average + (1 - smoothing) * loss
                value = average / (1 - smoothing ** (k + 1))
                if not math.isfinite(value) or value > stop * min(smoothed, default=math.inf):
                    break
                losses.append(loss)
                smoothed.append(value)
                stepper.step(g)
    finally:
        put_stats(model, stats)
    require(losses, "the first loss", loss, "finite", "Are there NaN in the data or in theta?")
    return LRSweep(rates[: len(losses)], np.array(losses), np.array(smoothed))
