r"""Schedules that begin with a warm-up, and the adapter for schedules that count epochs.

A large first step does harm where the loss is steep at the start, and where an optimiser's averages rest on
few gradients. All steps t count updates (minibatches) from 0.
"""

import math
from dataclasses import dataclass

import numpy as np

from course_lib._schedule import Schedule, hyperparameter

__all__ = ["per_epoch", "warmup", "warmup_stable_decay"]


class _Around(Schedule):
    """Checks the schedule inside, too."""

    def __post_init__(self):
        super().__post_init__()
        remedy = "Give a rate such as 0.1, or a schedule such as cosine(0.1, 1000)."
        inside = hyperparameter("schedule", self.schedule, 0, math.inf, remedy, open_high=True)
        object.__setattr__(self, "schedule", inside)

    def _inside(self, t):
        return self.schedule(t) if callable(self.schedule) else self.schedule


@dataclass(frozen=True, eq=False)
class warmup(_Around):
    r"""A linear rise, then any schedule from its own beginning.

    .. math:: \eta_t = s_0 \left(a + (1 - a)\, t/w\right) \text{ for } t < w, \qquad \eta_t = s_{t-w}

    after that.

    Parameters
    ----------
    schedule : callable, float or array_like of shape (..., 1)
        s, the schedule (or the constant rate) that follows. Its clock starts when the rise is over.
    steps : int
        w, at least 1: the number of steps (not epochs) of the rise.
    start : float, default 0
        a in [0, 1]: the share of :math:`s_0` at t = 0. With 0 the first update does nothing, except that
        the optimiser's averages see its gradient.

    Raises
    ------
    ValueError
        If an argument is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``keras.optimizers.schedules.CosineDecay(0.0, …, warmup_target=lr, warmup_steps=steps)`` is
    ``warmup(cosine(lr, …), steps)``; in PyTorch, ``LinearLR(optimizer, start, total_iters=steps)`` followed
    through ``SequentialLR``. Some texts use (t + 1)/w instead, which has no empty step and ends one early.

    References
    ----------
    P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour" (2017), section 2.2.

    Examples
    --------
    >>> schedule = warmup(0.4, steps=4)
    >>> [round(float(schedule(t)), 12) for t in range(6)]
    [0.0, 0.1, 0.2, 0.3, 0.4, 0.4]
    """

    schedule: object
    steps: int
    start: float = 0.0

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        share = 1 - (1 - self.start) * np.maximum(1 - t / self.steps, 0)
        return share * self._inside(np.maximum(t - self.steps, 0))


@dataclass(frozen=True, eq=False)
class warmup_stable_decay(Schedule):
    r"""A trapezium: a linear rise from 0, a plateau, a linear fall.

    .. math:: \eta_t = \eta\, t/w, \qquad \eta, \qquad \eta_T + (\eta - \eta_T) (T - t)/d

    for t < w, up to w + s, and up to T = w + s + d; :math:`\eta_T` after that. The plateau can be prolonged
    without a decision beforehand; only the fall must know where the run ends.

    Parameters
    ----------
    lr : float or array_like of shape (..., 1)
        The rate of the plateau.
    warmup_steps, stable_steps, decay_steps : int
        w ≥ 0, s ≥ 0 and d ≥ 1, in steps (not epochs).
    lr_end : float or array_like of shape (..., 1), default 0
        :math:`\eta_T`, at most `lr`.

    Raises
    ------
    ValueError
        If an argument is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: the fall is linear, as by Zhai et al.; others let it follow 1 − √ or an exponential.

    References
    ----------
    X. Zhai, A. Kolesnikov, N. Houlsby and L. Beyer, "Scaling vision transformers", CVPR (2022), section 3.5.
    S. Hu et al., "MiniCPM" (2024), section 4, gave it this name.

    Examples
    --------
    >>> schedule = warmup_stable_decay(0.5, warmup_steps=2, stable_steps=3, decay_steps=2)
    >>> [float(schedule(t)) for t in range(9)]
    [0.0, 0.25, 0.5, 0.5, 0.5, 0.5, 0.25, 0.0, 0.0]
    """

    lr: float | np.ndarray
    warmup_steps: int
    stable_steps: int
    decay_steps: int
    lr_end: float | np.ndarray = 0.0

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        last = self.warmup_steps + self.stable_steps + self.decay_steps
        left = np.clip((last - t) / self.decay_steps, 0, 1)
        risen = np.minimum(t / self.warmup_steps, 1) if self.warmup_steps else 1.0
        return risen * (self.lr_end + (self.lr - self.lr_end) * left)


@dataclass(frozen=True, eq=False)
class per_epoch(_Around):
    r"""A schedule that counts epochs: :math:`\eta_t = s_{\lfloor t/n \rfloor}`, constant within each epoch.

    To let it change within the epoch, multiply the schedule's own lengths by the steps per epoch instead.

    Parameters
    ----------
    schedule : callable, float or array_like of shape (..., 1)
        s, called with the number of epochs finished, 0, 1, 2, ….
    steps_per_epoch : int
        n, at least 1: minibatches in an epoch, ``math.ceil(n_examples / batch_size)``.

    Raises
    ------
    ValueError
        If an argument is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``keras.callbacks.LearningRateScheduler``, and PyTorch's schedulers where ``scheduler.step()`` is
    called after each epoch. Objects in ``keras.optimizers.schedules`` count steps.

    Examples
    --------
    >>> from course_lib.schedules import step_decay
    >>> schedule = per_epoch(step_decay(0.4, 0.5, every=1), steps_per_epoch=3)
    >>> [schedule(t) for t in range(7)]
    [0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.1]
    """

    schedule: object
    steps_per_epoch: int

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        return self._inside(t // self.steps_per_epoch)
