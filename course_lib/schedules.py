r"""Learning-rate schedules: callables that turn the step count t = 0, 1, 2, … into a learning rate.

Every schedule is a small frozen object whose ``__call__`` is its equation. It works for one step, for an
array of steps (``schedule(np.arange(200))`` draws the curve) and, where ``lr0`` has shape ``(n, 1)``, for a
batch of settings at once. An optimiser takes it in the place of a number:
``GradientDescent(lr=inverse_time(0.4, 0.01))``.

The step count belongs to the optimiser's state: it counts updates (minibatches), not epochs.

Robbins and Monro's conditions for stochastic approximation, :math:`\sum_t \eta_t = \infty` and
:math:`\sum_t \eta_t^2 < \infty`, are met by `inverse_time` alone. The squares of `constant` and
`inverse_sqrt` sum to infinity; the rates of `exponential` and `step_decay` have a finite sum.

References
----------
H. Robbins and S. Monro, "A stochastic approximation method", Annals of Mathematical Statistics 22 (1951),
section 2.
"""

import math
import numbers
from dataclasses import dataclass

import numpy as np

from course_lib._checks import number_in, require, whole_number

__all__ = ["constant", "exponential", "hyperparameter", "inverse_sqrt", "inverse_time", "step_decay"]

_LR_REMEDY = "Start with a small number such as 0.1."
_DECAY_REMEDY = "Use 0 for no decay, or a small number such as 0.01."


def hyperparameter(name, value, low, high, remedy, *, open_low=False, open_high=False):
    """Check one hyperparameter: a number, an array over a batch of settings, or a callable of the step t.

    Parameters
    ----------
    name : str
        The argument's name, for the error message.
    value : float, array_like of shape (..., 1), or callable
        What the user gave. Of a callable, the value at t = 0 is checked.
    low, high : float
        The allowed range.
    remedy : str
        What to do instead, for the error message.
    open_low, open_high : bool
        Whether the end of the range is excluded.

    Returns
    -------
    float, ndarray of shape (..., 1), or callable
        A Python float (which never promotes float32), a read-only float64 copy of the array, or the callable.

    Raises
    ------
    ValueError
        If a number is out of range, not finite or not a real number (booleans and strings are none), or if an
        array's last axis is not 1, so that it would silently give each coordinate its own value.

    Examples
    --------
    >>> hyperparameter("beta", 0.9, 0, 1, "Use 0.9.")
    0.9
    >>> hyperparameter("beta", 1.5, 0, 1, "Use 0.9.")
    Traceback (most recent call last):
        ...
    ValueError: beta = 1.5: must be in [0, 1]. Use 0.9.
    """
    if callable(value):
        try:
            first = value(0)
        except Exception as error:
            text = f"a callable of the step count t = 0, 1, 2, …; at t = 0 it raised {error!r}"
            raise ValueError(f"{name} = {value!r}: must be {text}. {remedy}") from error
        require(not callable(first), f"{name}(0)", first, "a number or an array, not a callable", remedy)
        hyperparameter(f"{name}(0)", first, low, high, remedy, open_low=open_low, open_high=open_high)
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, numbers.Real):
        return number_in(name, value, low, high, remedy, open_low=open_low, open_high=open_high)
    brackets = f"{'(' if open_low else '['}{low:g}, {high:g}{')' if open_high else ']'}"
    allowed = f"a number in {brackets}, an array of them with last axis 1, or a callable of the step t"
    try:
        array = np.array(value)
    except ValueError:
        array = np.array(None)
    require(array.dtype.kind in "iuf" and array.size > 0, name, value, allowed, remedy)
    inside = (array > low if open_low else array >= low) & (array < high if open_high else array <= high)
    require(bool(inside.all()), name, value, allowed, remedy)
    per_member = "Reshape it to (-1, 1), one value for each member of a batch: it must not be per coordinate."
    require(array.shape[-1] == 1, name, value, allowed, per_member)
    array = array.astype(np.float64)
    array.setflags(write=False)
    return array


class _Schedule:
    """Checks the initial rate and the decay of the schedules that have them."""

    def __post_init__(self):
        for name, remedy in (("lr", _LR_REMEDY), ("lr0", _LR_REMEDY), ("decay", _DECAY_REMEDY)):
            if hasattr(self, name):
                value = getattr(self, name)
                require(not callable(value), name, value, "a number or an array with last axis 1", remedy)
                value = hyperparameter(name, value, 0, math.inf, remedy, open_high=True)
                object.__setattr__(self, name, value)


@dataclass(frozen=True, eq=False)
class constant(_Schedule):
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
class inverse_time(_Schedule):
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
class inverse_sqrt(_Schedule):
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
class exponential(_Schedule):
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
class step_decay(_Schedule):
    r"""A staircase: :math:`\eta_t = \eta_0\, c^{\lfloor t/s \rfloor}`.

    Parameters
    ----------
    lr0 : float or array_like of shape (..., 1)
        The rate at t = 0.
    drop : float
        c in (0, 1], the factor at each drop.
    every : int
        s, at least 1: the number of steps between two drops.

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

    def __post_init__(self):
        super().__post_init__()
        drop = number_in("drop", self.drop, 0, 1, "Use 0.5 to halve the rate.", open_low=True)
        object.__setattr__(self, "drop", drop)
        object.__setattr__(self, "every", whole_number("every", self.every, 1, "Count it in steps."))

    def __call__(self, t):
        """Return the rate at step `t` (an int, or an array of steps)."""
        return self.lr0 * self.drop ** (t // self.every)
