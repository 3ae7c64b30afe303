"""What all schedules share: the checks of their arguments by name."""

import math
import numbers

import numpy as np

from course_lib._checks import number_in, require, whole_number

__all__ = ["Schedule", "hyperparameter"]

_LR_REMEDY = "Start with a small number such as 0.1."


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


def _rate(remedy):
    def check(name, value):
        require(not callable(value), name, value, "a number or an array with last axis 1", remedy)
        return hyperparameter(name, value, 0, math.inf, remedy, open_high=True)

    return check


def _number(low, high, remedy, **ends):
    return lambda name, value: number_in(name, value, low, high, remedy, **ends)


def _whole(low, remedy="Count it in steps."):
    return lambda name, value: whole_number(name, value, low, remedy)


_CHECKS = {
    "lr": _rate(_LR_REMEDY),
    "lr0": _rate(_LR_REMEDY),
    "lr_max": _rate(_LR_REMEDY),
    "lr_min": _rate("Use 0, or a hundredth of the largest rate."),
    "lr_end": _rate("Use 0, or a hundredth of the first rate."),
    "decay": _rate("Use 0 for no decay, or a small number such as 0.01."),
    "drop": _number(0, 1, "Use 0.5 to halve the rate.", open_low=True),
    "power": _number(0, math.inf, "1 is a straight line.", open_low=True, open_high=True),
    "gamma": _number(0, 1, "Use 0.999.", open_low=True),
    "start": _number(0, 1, "Use 0, or a share such as 0.1."),
    "rise": _number(0, 1, "Use 0.3.", open_low=True, open_high=True),
    "div": _number(1, math.inf, "Use 25.", open_high=True),
    "final_div": _number(1, math.inf, "Use 10000.", open_high=True),
    "every": _whole(1),
    "steps": _whole(1),
    "half_cycle": _whole(1),
    "period": _whole(1),
    "multiplier": _whole(1, "1 repeats the first cycle, 2 doubles it each time."),
    "warmup_steps": _whole(0),
    "stable_steps": _whole(0),
    "decay_steps": _whole(1),
    "steps_per_epoch": _whole(1, "It is the number of minibatches in an epoch."),
}
_ORDERED = [("lr_end", "lr0"), ("lr_end", "lr"), ("lr_min", "lr_max")]


class Schedule:
    """Checks the arguments of a schedule by their names."""

    def __post_init__(self):
        for name, check in _CHECKS.items():
            if hasattr(self, name):
                object.__setattr__(self, name, check(name, getattr(self, name)))
        for low, high in _ORDERED:
            if hasattr(self, low) and hasattr(self, high):
                value = getattr(self, low)
                ordered = bool(np.all(value <= getattr(self, high)))
                require(ordered, low, value, f"at most {high}", "Are the two the wrong way round?")
