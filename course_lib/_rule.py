r"""What all update rules share: the checks of their hyperparameters, `rate`, and the leaky average."""

import math
from dataclasses import field, fields

import numpy as np

from course_lib._checks import one_of, require
from course_lib.schedules import hyperparameter

__all__ = ["Rule", "cast", "leaky", "option", "rate"]

_LR = dict(low=0, high=math.inf, open_high=True, remedy="Start with a small number such as 0.1.")
_BETA = dict(low=0, high=1, remedy="0 forgets the past at once; 0.9 is usual.")
_AVERAGE = dict(low=0, high=1, open_high=True, remedy="0 forgets the past at once; 0.9 to 0.999 is usual.")
_EPS = dict(low=0, high=math.inf, open_high=True, remedy="A tiny number such as 1e-8 is usual.")
_RANGES = {
    "lr": _LR,
    "beta": _BETA,
    "momentum": _BETA,
    "beta1": _AVERAGE,
    "beta2": _AVERAGE,
    "rho": _AVERAGE,
    "eps": _EPS,
    "initial_accumulator": {**_EPS, "remedy": "0 is PyTorch's, 0.1 Keras's and optax's."},
    "weight_decay": {**_EPS, "remedy": "0 is no decay; 0.01 is usual."},
    "max_norm": {**_EPS, "open_low": True, "remedy": "1 is usual."},
}


def rate(value, t, like=None):
    """Return a hyperparameter's value at step `t`, without promoting the dtype of `like`.

    A callable is called with `t`. A Python float is returned as it is: NumPy computes it in the precision of
    the array that it meets. Anything else (an array, or the NumPy scalar that a schedule returned) would
    promote float32 to float64, and is therefore cast to the dtype of `like`. Both ways round the same float64
    number once, so that a setting gives the same bits alone and in a batch.

    Parameters
    ----------
    value : float, ndarray of shape (..., 1), or callable
        The hyperparameter, or a schedule for it.
    t : int
        The number of updates made so far.
    like : ndarray, optional
        The point or gradient whose precision is to be kept; without it, double precision. What is computed
        from several values, such as 1 − β or lr·λ, is computed so, and rounded afterwards by `cast`.

    Returns
    -------
    float or ndarray of shape () or (..., 1)
        The value at step `t`.

    Examples
    --------
    >>> rate(0.1, t=3)
    0.1
    >>> rate(lambda t: 1 / (1 + t), t=3)
    0.25
    >>> rate(np.array([[0.1], [0.2]]), t=3, like=np.zeros(2, np.float32)).dtype
    dtype('float32')
    """
    if callable(value):
        value = value(t)
    if like is None:
        return value if isinstance(value, float) else np.asarray(value, np.float64)
    return cast(value, like)


def cast(value, like):
    """Return a number computed from hyperparameters in the precision of `like`; a Python float as it is."""
    if type(value) is float:
        return value
    return np.asarray(value, dtype=like.dtype if like.dtype.kind == "f" else np.float64)


def leaky(beta, average, new):
    """Return the leaky average: β·average + (1 − β)·new.

    β is used as `rate` gave it: were it rounded to float32 before the subtraction, 1 − 0.999 would keep four
    correct digits.

    Examples
    --------
    >>> leaky(0.75, 4.0, np.array([8.0]))
    array([5.])
    """
    return cast(beta, new) * average + cast(1 - beta, new) * new


def option(default, *others, **kw):
    """Return the dataclass field of an argument that takes one of a few values, the default first."""
    return field(default=default, metadata={"choices": (default, *others)}, **kw)


class Rule:
    """Checks the hyperparameters of a rule by their names, and measures the gradient at the point itself."""

    def __post_init__(self):
        for entry in fields(self):
            name, value, choices = entry.name, getattr(self, entry.name), entry.metadata.get("choices")
            if name in _RANGES:
                object.__setattr__(self, name, hyperparameter(name, value, **_RANGES[name]))
            elif choices == (False, True) or choices == (True, False):
                require(isinstance(value, bool), name, value, "True or False", "Choose one of them.")
            elif choices:
                one_of(name, value, choices)

    def where(self, x, state):
        """Return the point at which the gradient is to be measured: `x` itself."""
        return x
