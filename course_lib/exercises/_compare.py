"""Say in one sentence how a learner's result differs from the expected one."""

import numpy as np

__all__ = ["difference", "equal", "short"]


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


def _tuple_difference(expected, got, rtol, atol):
    if not isinstance(got, tuple | list):
        return f"expected {len(expected)} results (`return a, b`), got {_kind(got)}."
    if len(got) != len(expected):
        return f"expected {len(expected)} results, got {len(got)}."
    for i, (want, have) in enumerate(zip(expected, got, strict=True), start=1):
        text = difference(want, have, rtol, atol)
        if text:
            return f"result {i} of {len(expected)}: {text}"
    return None


def _number_difference(expected, got, rtol, atol):
    wanted = "a number" if expected.ndim == 0 else f"an array of shape {expected.shape}"
    if isinstance(got, list | tuple):
        return f"expected {wanted}, got {_kind(got)}; make it an array with `np.array(...)`."
    number = isinstance(got, int | float | complex | np.generic | np.ndarray) and not isinstance(got, bool)
    if not number or np.asarray(got).dtype.kind not in "iufc":
        return f"expected {wanted}, got {_kind(got)}."
    if np.iscomplexobj(got) and not np.iscomplexobj(expected):
        return f"expected {wanted}, got complex numbers; take the part that you need (`.real` or `.imag`)."
    got = np.asarray(got)
    if got.shape != expected.shape:
        return f"expected {wanted}, got {_kind(got)}."
    with np.errstate(all="ignore"):
        far = ~(np.abs(got - expected) <= atol + rtol * np.abs(expected))
        far &= ~((got == expected) | (np.isnan(got) & np.isnan(expected)))
        worst = np.where(far, np.nan_to_num(np.abs(got - expected), nan=np.inf), -1.0)
    if not far.any():
        return None
    where = np.unravel_index(worst.argmax(), worst.shape)
    want, have = numbers(expected[where], got[where])
    if expected.ndim == 0:
        return f"expected {want}, got {have}."
    index = "[" + ", ".join(str(i) for i in where) + "]"
    count = f"{far.sum()} of {far.size} entries differ" if far.sum() > 1 else "one entry differs"
    return f"{count}; at {index} expected {want}, got {have}."


def numbers(*values):
    """Return the numbers as texts of as few digits as tell them apart, at least 4."""
    for digits in (4, 6, 9, 12, 17):
        texts = [_number(value, digits) for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts


def _number(value, digits=4):
    value = value.item() if isinstance(value, np.generic | np.ndarray) else value
    if isinstance(value, complex):
        return f"{value:.{digits}g}"
    return f"{value + 0:.{digits}g}".replace("-0", "0") if value == 0 else f"{value:.{digits}g}"


def _kind(value):
    """Return in words what kind of thing `value` is."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "iufcb":
            return f"an array of {value.dtype} of shape {value.shape}"
        return "a number" if value.ndim == 0 else f"an array of shape {value.shape}"
    if isinstance(value, bool | np.bool_):
        return f"{value}"
    if isinstance(value, str):
        return f"the text {short(value)}"
    if isinstance(value, int | float | complex | np.number):
        return "a single number"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    if callable(value):
        return f"a function ({short(value)})"
    return f"{type(value).__name__}"


def short(value):
    """Return a short, stable text for an argument or result: numbers rounded, functions by name."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | complex | np.number):
        return _number(value)
    if isinstance(value, np.ndarray | list | tuple):
        array = np.asarray(value) if isinstance(value, np.ndarray) or _regular(value) else None
        if array is None or array.dtype.kind not in "iufcb":
            return f"a {type(value).__name__} of {len(value)}"
        if array.size > 6:
            return f"an array of shape {array.shape}"
        return _nested(array)
    if isinstance(value, str):
        return repr(value) if len(value) <= 40 else repr(value[:37]) + "…"
    name = getattr(value, "__name__", None) or getattr(value, "name", None)
    if isinstance(name, str) and name != "<lambda>":
        return name
    return "a function" if callable(value) else type(value).__name__


def _regular(value):
    try:
        return np.asarray(value).dtype.kind in "iufcb"
    except ValueError:
        return False


def _nested(array):
    if array.ndim == 0:
        return str(bool(array)) if array.dtype.kind == "b" else _number(array)
    return "[" + ", ".join(_nested(row) for row in array) + "]"
