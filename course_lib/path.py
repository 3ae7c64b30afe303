"""The record of a descent: `Path`, and the recorder that fills it and finds who diverged or is done."""

import math
from dataclasses import dataclass

import numpy as np

from course_lib._checks import require, whole_number

__all__ = ["Path", "Recorder"]


@dataclass(frozen=True, eq=False, repr=False)
class Path:
    """What a descent did: the record that `minimize` returns and the plots take.

    ``*batch`` is empty for a single run. Row k of `x`, `loss` and `grad_norm` belongs to step ``t[k]``.

    Parameters
    ----------
    t : ndarray of shape (kept,)
        The recorded steps, 0 being the start; with ``keep="all"``: 0, 1, …, steps.
    x : ndarray of shape (kept, *batch, d)
        The points. After a member diverged: NaN; after it stopped: the point where it stopped.
    loss : ndarray of shape (kept, *batch)
        The loss at `x`, on all examples.
    grad_norm : ndarray of shape (kept, *batch)
        Euclidean norm of the gradient that the rule was given at this step (with minibatches: the
        minibatch's; the last entry is then NaN, since no step is taken from there).
    diverged : ndarray of bool, shape batch
        Whether the member ran off.
    diverged_at : ndarray of int, shape batch
        The step at which `x`, loss or gradient was first not finite, or beyond the limit; -1 if none was.
        The record holds that step's entries as far as they are finite.
    stopped_at : ndarray of int, shape batch
        The step at which a tolerance was met; -1 if none was.
    evaluations : ndarray of int, shape batch
        Gradient evaluations spent on the member, the one at its last point included.
    x_last, loss_last : ndarray of shape (*batch, d) and batch
        The last point at which point, loss and gradient were finite (or else the start), and the loss there.
    """

    t: np.ndarray
    x: np.ndarray
    loss: np.ndarray
    grad_norm: np.ndarray
    diverged: np.ndarray
    diverged_at: np.ndarray
    stopped_at: np.ndarray
    evaluations: np.ndarray
    x_last: np.ndarray
    loss_last: np.ndarray

    def averaged(self, start=0):
        """Return the running means of the recorded points from entry `start` on (Polyak–Ruppert averaging).

        Parameters
        ----------
        start : int, default 0
            The first entry to count, so that the way from the start can be left out.

        Returns
        -------
        ndarray of shape (kept - start, *batch, d)
            Entry k is the mean of ``x[start], …, x[start + k]``.

        Raises
        ------
        ValueError
            If there is no entry `start`.

        References
        ----------
        B. T. Polyak and A. B. Juditsky, "Acceleration of stochastic approximation by averaging", SIAM Journal
        on Control and Optimization 30 (1992).
        """
        start = whole_number("start", start, 0, "Count the recorded entries from 0.")
        require(start < len(self.x), "start", start, f"below {len(self.x)}", "Start at a recorded entry.")
        x = self.x[start:]
        count = np.arange(1, len(x) + 1, dtype=x.dtype).reshape(-1, *[1] * (x.ndim - 1))
        return np.cumsum(x, axis=0) / count

    def __repr__(self):
        steps, batch = self.t[-1], self.diverged.shape
        if not batch:
            end = f"after {steps} steps"
            end = f"diverged at step {self.diverged_at}" if self.diverged else end
            end = f"stopped at step {self.stopped_at} of {steps}" if self.stopped_at >= 0 else end
            start = f"{self.loss[0]:.4g} -> " if self.t[0] == 0 else ""
            return f"<Path in {self.x.shape[-1]}-D: {end}, loss {start}{self.loss_last:.4g}>"
        counts = f"{np.sum(self.diverged)} diverged, {np.sum(self.stopped_at >= 0)} stopped early"
        runs = " x ".join(map(str, batch))
        return f"<Path of {runs} runs in {self.x.shape[-1]}-D: {steps} steps, {counts}>"


def _over_coordinates(ufunc, a):
    """Reduce the last axis in an order that depends on its length only, not on the batch."""
    if a.shape[-1] >= 8:  # below that, NumPy's reduction is the slower way
        return ufunc.reduce(a, axis=-1)
    total = a[..., 0]
    for i in range(1, a.shape[-1]):
        total = ufunc(total, a[..., i])
    return total


def _length(a):
    """Euclidean length over all entries, the quick way: for many, BLAS would wake its threads first."""
    return math.hypot(*a.ravel().tolist()) if a.size < 16 else math.sqrt(np.add.reduce(a * a, axis=None))


def norm(g):
    """Euclidean norm over the last axis."""
    return np.sqrt(_over_coordinates(np.add, g * g))


class Recorder:
    """The growing record of a batch of runs; it also finds the members that have ended."""

    def __init__(self, problem, x, times, limit, tol_grad, tol_loss):
        kept, shape = len(times), x.shape[:-1]
        self.problem, self.times, self.k = problem, times, 0
        self.limit, self.tol_grad, self.tol_loss = limit, tol_grad, tol_loss
        self.x = np.empty((kept, *x.shape), x.dtype)
        self.loss, self.grad_norm = np.empty((2, kept, *shape), x.dtype)
        self.recent = np.empty((max(1, 4096 // x.size), *x.shape), x.dtype)  # gradients still without norm
        self.filled, self.g = 0, None
        self.diverged_at, self.stopped_at = np.full((2, *shape), -1)
        self.x_before = self.x_last = x
        self.held, self.all_ended = None, False

    def due(self, t):
        """Whether step `t` is to be recorded."""
        return t == self.times[self.k]

    def note(self, t, x, g, loss):
        """Record step `t` if it is due and end members; return x and g as the next step shall see them."""
        if self.held is not None and g is not None:
            g = np.where(self.held, self.g, g)
        new = None
        # The length of the whole batch is a cheap proof that every member is finite and inside.
        if not (
            _length(x) < self.limit
            and (g is None or _length(g) < math.inf)
            and (loss is None or _length(loss) < math.inf)
        ):
            x, g, loss, new = self.diverge(t, x, g, loss)
        if t == self.times[self.k]:
            self.x[self.k], self.loss[self.k] = x, loss
            self.recent[self.filled] = math.nan if g is None else g
            self.k, self.filled = self.k + 1, self.filled + 1
            if self.filled == len(self.recent):
                self.flush()
        if self.tol_grad is not None or self.tol_loss is not None:
            self.stop(t, g, loss)
        if new is not None:
            x = np.where(new[..., None], math.nan, x)
        self.x_before, self.g = x, g
        return x, g

    def flush(self):
        """Take the norms of the gradients noted since the last time, all at once."""
        self.grad_norm[self.k - self.filled : self.k] = norm(self.recent[: self.filled])
        self.filled = 0

    def diverge(self, t, x, g, loss):
        """Find members that diverge at `t`; return x, g, loss with NaN for what is not finite or gone."""
        gone = self.diverged_at >= 0
        loss = self.problem(x) if loss is None else loss
        ok = np.isfinite(x) if g is None else np.isfinite(x) & np.isfinite(g)
        finite = _over_coordinates(np.logical_and, ok) & np.isfinite(loss)
        inside = finite & _over_coordinates(np.logical_and, np.abs(x) <= self.limit)
        new = ~(inside | gone)
        if new.any():
            self.diverged_at[new] = t
            self.x_last = np.where((new & finite)[..., None], x, self.x_last)
            self.x_last = np.where((new & ~finite)[..., None], self.x_before, self.x_last)
            self.all_ended = bool(((self.diverged_at >= 0) | (self.stopped_at >= 0)).all())
        else:
            new = None
        x = np.where(np.isfinite(x), x, math.nan)
        g = None if g is None else np.where(np.isfinite(g) & ~gone[..., None], g, math.nan)
        return x, g, np.where(np.isfinite(loss) & ~gone, loss, math.nan), new

    def stop(self, t, g, loss):
        """End the members that meet a tolerance at step `t`."""
        met = np.zeros(self.stopped_at.shape, bool)
        if self.tol_grad is not None and g is not None:
            met |= norm(g) <= self.tol_grad
        if self.tol_loss is not None:
            met |= loss <= self.tol_loss
        new = met & (self.stopped_at < 0) & (self.diverged_at < 0)
        if new.any():
            self.stopped_at[new] = t
            self.held = (self.stopped_at >= 0)[..., None]
            self.all_ended = bool(((self.diverged_at >= 0) | (self.stopped_at >= 0)).all())

    def path(self, x, g, loss, batch):
        """Return the finished record, from the last point, gradient and loss."""
        self.flush()
        diverged = self.diverged_at >= 0
        x_last = np.where(diverged[..., None], self.x_last, x)
        loss_last = self.problem(x_last) if loss is None or diverged.any() else loss
        loss_last = np.asarray(loss_last, self.loss.dtype)
        if self.k < len(self.times):  # every member ended early
            self.x[self.k :] = x
            self.loss[self.k :] = np.where(diverged, math.nan, loss_last)
            self.grad_norm[self.k :] = np.where(diverged, math.nan, norm(g))
        end = np.maximum(self.diverged_at, self.stopped_at)
        end = np.where(end < 0, self.times[-1], end)
        evaluations = np.minimum(end + 1, self.times[-1] + (g is not None))
        i = ... if batch else 0  # a single run was a batch of one
        return Path(
            t=np.array(self.times),
            x=self.x[:, i],
            loss=self.loss[:, i],
            grad_norm=self.grad_norm[:, i],
            diverged=diverged[i],
            diverged_at=self.diverged_at[i],
            stopped_at=self.stopped_at[i],
            evaluations=evaluations[i],
            x_last=x_last[i],
            loss_last=loss_last[i],
        )
