r"""Learning-rate schedules: callables that turn the step count t = 0, 1, 2, … into a learning rate.

Every schedule is a small frozen object whose ``__call__`` is its equation. It works for one step, for an
array of steps (``schedule(np.arange(200))`` draws the curve) and, where rates have shape ``(n, 1)``, for a
batch of settings at once. An optimiser takes it in the place of a number:
``GradientDescent(lr=inverse_time(0.4, 0.01))``.

The step count belongs to the optimiser's state: it counts updates (minibatches), not epochs. What is meant
per epoch is wrapped: ``per_epoch(step_decay(0.4, 0.5, every=10), steps_per_epoch)``.

The decays stand here, schedules that begin with a warm-up in `course_lib.warmups`, those that rise and fall
in `course_lib.cycles`; all can be imported from here.

Robbins and Monro's conditions for stochastic approximation, :math:`\sum_t \eta_t = \infty` and
:math:`\sum_t \eta_t^2 < \infty`, are met by `inverse_time` alone. The squares of `constant` and
`inverse_sqrt` sum to infinity, and so do those of the cycles that come back for ever. The rates of
`exponential`, of `step_decay`, and of whatever ends at 0 have a finite sum: where gradients are no longer
than G, gradient descent never gets further than :math:`G \sum_t \eta_t` from where it began. `triangular2`
and `exp_range` settle at ``lr_min``.

References
----------
H. Robbins and S. Monro, "A stochastic approximation method", Annals of Mathematical Statistics 22 (1951),
section 2.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._schedule import Schedule, hyperparameter
from course_lib.cycles import exp_range, one_cycle, sgdr, triangular, triangular2
from course_lib.warmups import per_epoch, warmup, warmup_stable_decay

__all__ = [
    "constant",
    "cosine",
    "exp_range",
    "exponential",
    "hyperparameter",
    "inverse_sqrt",
    "inverse_time",
    "one_cycle",
    "per_epoch",
    "polynomial",
    "sgdr",
    "step_decay",
    "triangular",
    "triangular2",
    "warmup",
    "warmup_stable_decay",
]


@dataclass(frozen=True, eq=False)
class constant(Schedule):
    r"""The same rate at every step: :math:`\eta_t = \eta`.

    Parameters
    ----------
    lr : float or array_like of shape (..., 1)
        The learning rate, at least 0.

    Raises
    ------
    ValueError
        If the rate is negative, not finite, not a number, or an array whose last axis is not 1.

    Examples
    --------
    >>> schedule = constant(0.1)
    >>> schedule
    constant(lr=0.1)
    >>> schedule(7)
    0.1
    """

    lr: float | np.ndarray

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        return self.lr + 0 * t


@dataclass(frozen=True, eq=False)
class inverse_time(Schedule):
    r"""Time-based decay: :math:`\eta_t = \eta_0 / (1 + k t)`.

    The only schedule here that meets both of Robbins and Monro's conditions (for k > 0).

    Parameters
    ----------
    lr0 : float or array_like of shape (..., 1)
        The rate at t = 0.
    decay : float or array_like of shape (..., 1)
        k, at least 0, per step: after 1/k steps the rate has halved.

    Raises
    ------
    ValueError
        If an argument is negative, not finite, not a number, or an array whose last axis is not 1.

    Examples
    --------
    >>> schedule = inverse_time(0.4, 0.25)
    >>> schedule(0), schedule(4)
    (0.4, 0.2)
    """

    lr0: float | np.ndarray
    decay: float | np.ndarray

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        return self.lr0 / (1 + self.decay * t)


@dataclass(frozen=True, eq=False)
class inverse_sqrt(Schedule):
    r"""Inverse square-root decay: :math:`\eta_t = \eta_0 / \sqrt{1 + k t}`.

    Parameters
    ----------
    lr0 : float or array_like of shape (..., 1)
        The rate at t = 0.
    decay : float or array_like of shape (..., 1)
        k, at least 0, per step: after 3/k steps the rate has halved.

    Raises
    ------
    ValueError
        If an argument is negative, not finite, not a number, or an array whose last axis is not 1.

    Examples
    --------
    >>> schedule = inverse_sqrt(0.4, 0.25)
    >>> float(schedule(12))
    0.2
    """

    lr0: float | np.ndarray
    decay: float | np.ndarray

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        return self.lr0 / np.sqrt(1 + self.decay * t)


@dataclass(frozen=True, eq=False)
class exponential(Schedule):
    r"""Exponential decay: :math:`\eta_t = \eta_0 e^{-k t}`.

    Parameters
    ----------
    lr0 : float or array_like of shape (..., 1)
        The rate at t = 0.
    decay : float or array_like of shape (..., 1)
        k, at least 0, per step: after ln(2)/k steps the rate has halved.

    Raises
    ------
    ValueError
        If an argument is negative, not finite, not a number, or an array whose last axis is not 1.

    Examples
    --------
    >>> schedule = exponential(0.4, np.log(2) / 100)
    >>> round(float(schedule(100)), 12)
    0.2
    """

    lr0: float | np.ndarray
    decay: float | np.ndarray

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        return self.lr0 * np.exp(-self.decay * t)


@dataclass(frozen=True, eq=False)
class step_decay(Schedule):
    r"""A staircase: :math:`\eta_t = \eta_0\, c^{\lfloor t/s \rfloor}`.

    With c = 1/2 and s = 100 this is the other usual spelling, :math:`\eta_0 / 2^{\lfloor t/100 \rfloor}`.

    Parameters
    ----------
    lr0 : float or array_like of shape (..., 1)
        The rate at t = 0.
    drop : float
        c in (0, 1], the factor at each drop.
    every : int
        s, at least 1: the number of steps (not epochs) between two drops.

    Raises
    ------
    ValueError
        If an argument is out of its range, not a number, or `lr0` an array whose last axis is not 1.

    Examples
    --------
    >>> schedule = step_decay(0.4, drop=0.5, every=100)
    >>> schedule(99), schedule(100), schedule(250)
    (0.4, 0.2, 0.1)
    """

    lr0: float | np.ndarray
    drop: float
    every: int

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        return self.lr0 * self.drop ** (t // self.every)


@dataclass(frozen=True, eq=False)
class polynomial(Schedule):
    r"""Polynomial decay: :math:`\eta_t = \eta_T + (\eta_0 - \eta_T)\,(1 - t/T)^p` up to t = T, then flat.

    Parameters
    ----------
    lr0 : float or array_like of shape (..., 1)
        The rate at t = 0.
    steps : int
        T, at least 1: the number of steps (not epochs) after which the last rate is reached.
    power : float, default 1
        p > 0: 1 is a straight line, 2 falls faster at first.
    lr_end : float or array_like of shape (..., 1), default 0
        :math:`\eta_T`, at most `lr0`.

    Raises
    ------
    ValueError
        If an argument is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``torch.optim.lr_scheduler.PolynomialLR(optimizer, steps, power)``, which ends at 0, and
    ``keras.optimizers.schedules.PolynomialDecay(lr0, steps, lr_end, power)``, whose default end is 0.0001.

    References
    ----------
    L.-C. Chen, G. Papandreou, I. Kokkinos, K. Murphy and A. Yuille, "DeepLab", IEEE Transactions on Pattern
    Analysis and Machine Intelligence 40 (2018), section 4.1.2 (where it is called "poly").

    Examples
    --------
    >>> schedule = polynomial(0.4, steps=100, power=2)
    >>> [float(schedule(t)) for t in (0, 50, 100, 1000)]
    [0.4, 0.1, 0.0, 0.0]
    """

    lr0: float | np.ndarray
    steps: int
    power: float = 1.0
    lr_end: float | np.ndarray = 0.0

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        left = 1 - np.minimum(t, self.steps) / self.steps
        return self.lr_end + (self.lr0 - self.lr_end) * left**self.power


@dataclass(frozen=True, eq=False)
class cosine(Schedule):
    r"""Half a cosine: :math:`\eta_t = \eta_T + \frac12 (\eta_0 - \eta_T)(1 + \cos(\pi t/T))`, flat from T on.

    Parameters
    ----------
    lr0 : float or array_like of shape (..., 1)
        The rate at t = 0.
    steps : int
        T, at least 1: the number of steps (not epochs) after which the last rate is reached.
    lr_end : float or array_like of shape (..., 1), default 0
        :math:`\eta_T`, at most `lr0`.

    Raises
    ------
    ValueError
        If an argument is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``keras.optimizers.schedules.CosineDecay(lr0, steps, alpha)``, where the end is ``alpha * lr0``.
    ``torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, lr_end)`` is the same up to T, and then
    climbs up again; `sgdr` jumps up.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR (2017),
    equation 5 without restarts.

    Examples
    --------
    >>> schedule = cosine(0.4, steps=100)
    >>> [round(float(schedule(t)), 12) for t in (0, 50, 100, 1000)]
    [0.4, 0.2, 0.0, 0.0]
    """

    lr0: float | np.ndarray
    steps: int
    lr_end: float | np.ndarray = 0.0

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        angle = np.pi * np.minimum(t, self.steps) / self.steps
        return self.lr_end + (self.lr0 - self.lr_end) * ((1 + np.cos(angle)) / 2)
