"""Say in one sentence how a learner's result differs from the expected one."""

import numpy as np

__all__ = ["difference", "equal", "is_numeric", "like", "short"]


def equal(expected, got, rtol, atol):
    """Return whether `got` is what was expected, of the right shape and kind, within the tolerance."""
    return difference(expected, got, rtol, atol) is None


def difference(expected, got, rtol, atol):
    """Return None if `got` equals `expected` within the tolerance, else a sentence that says how it differs.

    Parameters
    ----------
    expected : number, array, bool, str, or a tuple of these
    got : object
        Whatever the learner's code returned.
    rtol, atol : float
        Numbers agree when ``|got - expected| <= atol + rtol * |expected|``.

    Returns
    -------
    str or None
    """
    if isinstance(expected, tuple):
        return _tuple_difference(expected, got, rtol, atol)
    if isinstance(expected, str):
        same = isinstance(got, str) and got.strip().casefold() == expected.casefold()
        return None if same else f"expected another answer than {short(got)}."
    if isinstance(expected, bool | np.bool_):
        if not isinstance(got, bool | np.bool_):
            return f"expected True or False, got {_kind(got)}."
        return None if bool(got) == bool(expected) else f"expected {expected}, got {got}."
    return _number_difference(np.asarray(expected), got, rtol, atol)


def like(expected, got):
    """Return `got` with lists made arrays where arrays are expected, and 0 and 1 made False and True.

    >>> like((np.zeros(2), True), [[1, 2], 1])
    (array([1, 2]), True)
    """
    if isinstance(expected, tuple) and (isinstance(got, tuple | list) or np.ndim(got) > 1):
        return tuple(map(like, expected, got)) if len(got) == len(expected) else got
    if isinstance(expected, bool | np.bool_) and isinstance(got, int | np.integer) and got in (0, 1):
        return bool(got)
    if isinstance(expected, np.ndarray) and isinstance(got, tuple | list) and _is_regular(got):
        return np.asarray(got)
    return got


def is_numeric(value):
    """Return whether `value` is a number or an array of numbers; True and False are none."""
    kinds = int | float | complex | np.number | np.ndarray
    return isinstance(value, kinds) and np.asarray(value).dtype.kind in "iufc"


def _tuple_difference(expected, got, rtol, atol):
    count = len(expected)
    if isinstance(got, np.ndarray) and got.ndim == 1 and not any(map(np.ndim, expected)):
        got = tuple(got)  # three numbers are three numbers, in an array as well
    if not isinstance(got, tuple | list):
        return f"expected {count} results (`return a, b`), got {_kind(got)}."
    if len(got) != count:
        return f"expected {count} results, got {len(got)}."
    for i, (want, have) in enumerate(zip(expected, got, strict=True), start=1):
        text = difference(want, have, rtol, atol)
        if text:
            return f"result {i} of {count}: {text}"
    return None


def _number_difference(expected, got, rtol, atol):
    wanted = "a number" if expected.ndim == 0 else f"an array of shape {expected.shape}"
    if isinstance(got, list | tuple):
        row = expected.shape[1:]  # a list of such parts only needs to become an array
        joined = any(isinstance(part, np.ndarray) and part.ndim and part.shape != row for part in got)
        remedy = (
            "join the parts with `np.concatenate([...])`"
            if joined
            else "make it an array with `np.array(...)`"
        )
        return f"expected {wanted}, got {_kind(got)}; {remedy}."
    same_kind = is_numeric(got) or (expected.dtype.kind == "b" and np.asarray(got).dtype.kind == "b")
    if not same_kind or np.shape(got) != expected.shape:
        return f"expected {wanted}, got {_kind(got)}."
    if np.iscomplexobj(got) and not np.iscomplexobj(expected):
        return f"expected {wanted}, got complex numbers; take the part that you need (`.real` or `.imag`)."
    got = np.asarray(got)
    with np.errstate(all="ignore"):
        distance = np.abs(np.subtract(got, expected, dtype=np.result_type(got, expected, float)))
        near = distance <= atol + rtol * np.abs(expected)
    far = ~(near & np.isfinite(got)) & (got != expected) & ~(np.isnan(got) & np.isnan(expected))
    if not far.any():
        return None
    worst = np.where(far, np.where(np.isfinite(distance), distance, np.inf), -1.0)
    where = np.unravel_index(worst.argmax(), worst.shape)
    want, have = _numbers(expected[where], got[where])
    text = f"expected {want}, got {have}."
    if expected.ndim:
        index = "[" + ", ".join(str(i) for i in where) + "]"
        count = "1 entry differs" if far.sum() == 1 else f"{far.sum()} of {far.size} entries differ"
        text = f"{count}; at {index} {text}"
    if np.isnan(got[where]):
        text += " `nan` comes from 0/0, inf - inf, or the root or logarithm of a negative number."
    elif np.isinf(got[where]):
        text += " `inf` comes from a division by 0, or from a number too large to hold."
    return text


def _numbers(*values):
    """Return the numbers as texts of as few digits as tell them apart, at least 4."""
    for digits in (4, 6, 9, 12, 17):
        texts = [_number(value, digits) for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts


def _number(value, digits=4):
    value = value.item() if isinstance(value, np.generic | np.ndarray) else value
    return str(value) if isinstance(value, int) else f"{value + 0:.{digits}g}"  # -0.0 + 0 is 0.0


def _kind(value):
    """Return in words what kind of thing `value` is."""
    if isinstance(value, bool | np.bool_):
        return str(value)
    if isinstance(value, np.ndarray) and value.ndim:
        kinds = {"b": " of True and False"} | dict.fromkeys("iufc", "")
        return f"an array of shape {value.shape}{kinds.get(value.dtype.kind, ' of no numbers')}"
    if is_numeric(value):
        return "a single number"
    if isinstance(value, str):
        return f"the text {short(value)}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    if callable(value):
        return f"a function ({short(value)})"
    return f"an object of type {type(value).__name__}"


def short(value):
    """Return a short, stable text for an argument or result: numbers rounded, functions by name."""
    if isinstance(value, bool | np.bool_):
        return str(value)
    if isinstance(value, np.ndarray | list | tuple):
        array = np.asarray(value) if isinstance(value, np.ndarray) or _is_regular(value) else None
        small = array is not None and array.size <= 6 and array.dtype.kind in "biufc"
        return _nested(array) if small else _kind(value)
    if is_numeric(value):
        return _number(value)
    if isinstance(value, str):
        return repr(value) if len(value) <= 40 else repr(value[:39] + "…")
    name = getattr(value, "__name__", None) or getattr(value, "name", None)
    if isinstance(name, str) and name != "<lambda>":
        return name
    return "a function" if callable(value) else f"an object of type {type(value).__name__}"


def _is_regular(value):
    try:
        return np.asarray(value).dtype.kind in "biufc"
    except ValueError:  # rows of different lengths
        return False


def _nested(array):
    if array.ndim:
        return "[" + ", ".join(_nested(row) for row in array) + "]"
    return str(array) if array.dtype.kind == "b" else _number(array)
