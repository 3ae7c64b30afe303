"""Checks of arguments: one sentence that names argument, value, allowed range and remedy."""

import numbers

import numpy as np

__all__ = ["finite_array", "number_in", "one_of", "require", "whole_number"]


def require(condition, name, value, allowed, remedy):
    """Raise ``ValueError("NAME = VALUE: must be ALLOWED. REMEDY")`` unless `condition` holds."""
    if not condition:
        text = repr(value)
        if len(text) > 120:
            text = text[:117] + "..."
        raise ValueError(f"{name} = {text}: must be {allowed}. {remedy}")


def number_in(name, value, low, high, remedy, *, open_low=False, open_high=False):
    """Return `value` as float if it is one real number in the range, else raise ValueError."""
    brackets = f"{'(' if open_low else '['}{low:g}, {high:g}{')' if open_high else ']'}"
    real = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    require(real, name, value, f"one real number in {brackets}", remedy)
    try:
        number = float(value)
    except OverflowError:  # an integer beyond 1e308
        number = np.inf if value > 0 else -np.inf
    above = number > low if open_low else number >= low
    below = number < high if open_high else number <= high
    require(above and below, name, value, f"in {brackets}", remedy)
    return number


def whole_number(name, value, low, remedy):
    """Return `value` as int if it is a whole number of at least `low`, else raise ValueError."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)
    require(whole and value >= low, name, value, f"a whole number of at least {low}", remedy)
    return int(value)


def one_of(name, value, allowed, remedy="Choose one of them."):
    """Return `value` if it is among the names in `allowed`, else raise ValueError."""
    listed = "one of " + ", ".join(repr(item) for item in allowed)
    require(isinstance(value, str) and value in allowed, name, value, listed, remedy)
    return value


def finite_array(name, value, remedy, *, ndim=None, complex_ok=False):
    """Return `value` as a non-empty, finite floating array (float32 stays float32), else raise ValueError.

    Numbers, lists and integer arrays are turned into float64; nothing is copied when it already fits.
    """
    kind = "finite numbers" if ndim is None else f"finite numbers with {ndim} axes"
    try:
        array = np.asarray(value)
    except ValueError:
        array = None
    numeric = array is not None and array.dtype.kind in ("iufc" if complex_ok else "iuf")
    require(numeric, name, value, kind, remedy)
    if array.dtype.kind in "iu" or array.dtype == np.float16:
        array = array.astype(np.float64)
    require(array.size > 0, name, value, f"a non-empty array of {kind}", remedy)
    require(ndim is None or array.ndim == ndim, name, value, kind, remedy)
    require(bool(np.isfinite(array).all()), name, value, kind, remedy)
    return array
