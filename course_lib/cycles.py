r"""Schedules that rise and fall: one cycle, triangles, cosines with warm restarts.

All lengths and all t are in steps (minibatches), counted from 0. Multiply by the steps per epoch what is
given in epochs.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import one_of, require, whole_number
from course_lib._schedule import Schedule

__all__ = ["exp_range", "one_cycle", "sgdr", "triangular", "triangular2"]


def _share(shape, u):
    """Return how much of the way from 0 to 1 is gone at the share `u` of the time."""
    return (1 - np.cos(np.pi * u)) / 2 if shape == "cosine" else u


@dataclass(frozen=True, eq=False)
class one_cycle(Schedule):
    r"""One rise to a large rate and one long fall to almost nothing.

    From :math:`\eta_{max}/a` at t = 0 to :math:`\eta_{max}` at t = rT − 1, then down to
    :math:`\eta_{max}/(ab)` at t = T − 1, where it stays; each way along half a cosine or a line.

    Parameters
    ----------
    lr_max : float or array_like of shape (..., 1)
        The largest rate. What an `lr_finder` curve bears is a good start.
    steps : int
        T: the number of steps (not epochs) of the whole run.
    rise : float, default 0.3
        r in (0, 1): the share of the steps for the rise; ``rise * steps`` must be more than 1.
    div, final_div : float, default 25 and 10,000
        a and b, at least 1.
    shape : "cosine" (default) or "linear"
        The form of both ways.

    Raises
    ------
    ValueError
        If an argument is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``torch.optim.lr_scheduler.OneCycleLR(optimizer, lr_max, steps, pct_start=rise, …)``, which by
    default also moves momentum the other way, from 0.95 to 0.85 and back (here a schedule for ``beta`` does
    that), and which raises an error after T steps. Smith's own has two equal lines and a short tail.

    References
    ----------
    L. Smith and N. Topin, "Super-convergence: very fast training of neural networks using large learning
    rates" (2018), the policy "1cycle"; L. Smith, "A disciplined approach to neural network
    hyper-parameters" (2018).

    Examples
    --------
    >>> schedule = one_cycle(1.0, steps=11, rise=4 / 11, div=4, final_div=10, shape="linear")
    >>> [round(float(schedule(t)), 3) for t in (0, 1, 2, 3, 10, 11)]
    [0.25, 0.5, 0.75, 1.0, 0.025, 0.025]
    """

    lr_max: float | np.ndarray
    steps: int
    rise: float = 0.3
    div: float = 25.0
    final_div: float = 1e4
    shape: str = "cosine"

    def __post_init__(self):
        super().__post_init__()
        one_of("shape", self.shape, ("cosine", "linear"))
        product = self.rise * self.steps
        require(product > 1, "rise * steps", product, "more than 1", "Give the rise some steps.")

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        top, last = self.rise * self.steps - 1, self.steps - 1
        first, end = self.lr_max / self.div, self.lr_max / (self.div * self.final_div)
        up = _share(self.shape, np.minimum(t / top, 1))
        down = _share(self.shape, np.clip((t - top) / (last - top), 0, 1))
        return first + (self.lr_max - first) * up + (end - self.lr_max) * down


@dataclass(frozen=True, eq=False)
class triangular(Schedule):
    r"""Up and down between two rates along straight lines, for ever.

    .. math:: \eta_t = \eta_{min} + (\eta_{max} - \eta_{min})\,\left(1 - |\,(t \bmod 2s)/s - 1|\right) A_t

    with the height :math:`A_t = 1`; c counts the finished cycles of 2s steps.

    Parameters
    ----------
    lr_min, lr_max : float or array_like of shape (..., 1)
        The rates at t = 0, 2s, 4s, … and at t = s, 3s, …; lr_min ≤ lr_max.
    half_cycle : int
        s, at least 1, in steps: half a cycle (Smith's "stepsize", by him 2 to 8 epochs' worth of steps).

    Raises
    ------
    ValueError
        If an argument is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``torch.optim.lr_scheduler.CyclicLR(optimizer, lr_min, lr_max, half_cycle, mode="triangular")``,
    which by default also moves momentum the other way; here a schedule for ``beta`` does that.

    References
    ----------
    L. Smith, "Cyclical learning rates for training neural networks", WACV (2017), section 3.1.

    Examples
    --------
    >>> schedule = triangular(0.0, 0.5, half_cycle=2)
    >>> [float(schedule(t)) for t in range(7)]
    [0.0, 0.25, 0.5, 0.25, 0.0, 0.25, 0.5]
    """

    lr_min: float | np.ndarray
    lr_max: float | np.ndarray
    half_cycle: int

    def _height(self, t, cycle):
        return 1.0

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        cycle = 2 * self.half_cycle
        triangle = 1 - np.abs(t % cycle / self.half_cycle - 1)
        return self.lr_min + (self.lr_max - self.lr_min) * (triangle * self._height(t, t // cycle))


@dataclass(frozen=True, eq=False)
class triangular2(triangular):
    r"""`triangular` with half the height after each cycle: :math:`A_t = 2^{-c}`.

    Arguments (in steps, not epochs), errors and source are those of `triangular`;
    ``CyclicLR(…, mode="triangular2")``.

    Examples
    --------
    >>> schedule = triangular2(0.0, 0.5, half_cycle=1)
    >>> [float(schedule(t)) for t in range(6)]
    [0.0, 0.5, 0.0, 0.25, 0.0, 0.125]
    """

    def _height(self, t, cycle):
        return 0.5**cycle


@dataclass(frozen=True, eq=False)
class exp_range(triangular):
    r"""`triangular` with a height that shrinks at every step: :math:`A_t = \gamma^t`.

    Errors and source are those of `triangular`; ``CyclicLR(…, mode="exp_range", gamma=gamma)``.

    Parameters
    ----------
    lr_min, lr_max, half_cycle
        As for `triangular`.
    gamma : float
        γ in (0, 1], per step (not per cycle or epoch): for a height of one half after T steps,
        ``0.5 ** (1 / T)``.

    Examples
    --------
    >>> schedule = exp_range(0.0, 0.5, half_cycle=1, gamma=0.5)
    >>> [float(schedule(t)) for t in range(4)]
    [0.0, 0.25, 0.0, 0.0625]
    """

    gamma: float

    def _height(self, t, cycle):
        return self.gamma**t


@dataclass(frozen=True, eq=False)
class sgdr(Schedule):
    r"""Cosine decays with warm restarts, each cycle m times as long as the one before.

    .. math:: \eta_t = \eta_{min} + \tfrac12 (\eta_{max} - \eta_{min}) \left(1 + \cos(\pi\, \tau/T_i)\right)

    with τ the number of steps since the last restart, and :math:`T_i = T_0 m^i`.

    Parameters
    ----------
    lr_max : float or array_like of shape (..., 1)
        The rate at each restart.
    period : int
        :math:`T_0`, at least 1: the first cycle's length in steps (not epochs).
    multiplier : int, default 1
        m, at least 1. Cycles of 1, 2 and 4 epochs: ``sgdr(lr_max, steps_per_epoch, 2)``.
    lr_min : float or array_like of shape (..., 1), default 0
        The rate that a cycle tends to, at most `lr_max`: the last step before a restart comes near to it.

    Raises
    ------
    ValueError
        If an argument is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, period, multiplier, lr_min)``
    and ``keras.optimizers.schedules.CosineDecayRestarts(lr_max, period, multiplier, 1.0, lr_min / lr_max)``.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR (2017),
    equation 5.

    Examples
    --------
    >>> schedule = sgdr(0.4, period=2, multiplier=2)
    >>> [round(float(schedule(t)), 12) for t in (0, 1, 2, 4, 6, 10)]
    [0.4, 0.2, 0.4, 0.2, 0.4, 0.2]
    >>> schedule.restarts(20)
    [2, 6, 14]
    """

    lr_max: float | np.ndarray
    period: int
    multiplier: int = 1
    lr_min: float | np.ndarray = 0.0

    def restarts(self, steps):
        """Return the steps t ≤ `steps` at which a new cycle begins; after t updates a cycle is complete."""
        last = whole_number("steps", steps, 0, "Give the number of updates of the run.")
        m = self.multiplier
        if m == 1:
            return list(range(self.period, last + 1, self.period))
        starts = (self.period * (m**k - 1) // (m - 1) for k in range(1, last.bit_length() + 1))
        return [start for start in starts if start <= last]

    def _position(self, t):
        """Return the number of steps since the last restart, and the length of the cycle."""
        if self.multiplier == 1:
            return t % self.period, self.period
        starts = np.array([0, *self.restarts(int(np.max(t, initial=0)))])
        cycle = np.searchsorted(starts, t, side="right") - 1
        return t - starts[cycle], self.period * self.multiplier**cycle

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        since, length = self._position(t)
        return self.lr_min + (self.lr_max - self.lr_min) * ((1 + np.cos(np.pi * since / length)) / 2)
