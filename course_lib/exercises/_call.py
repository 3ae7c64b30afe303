"""Call what a learner wrote, and turn everything that can go wrong into one kind sentence."""

import contextlib
import copy
import dis
import inspect
import io
import linecache
import traceback

import numpy as np

from course_lib.exercises._compare import short

__all__ = ["Blank", "NotYet", "call", "explain"]

PLAIN = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "POP_TOP"}
"""Instructions of a function without content."""


class Blank(Exception):
    """The learner has not begun."""


class NotYet(Exception):
    """The learner's answer is not right yet.

    Parameters
    ----------
    message : str
        What was expected and what came.
    hint : str
        What may help.
    """

    def __init__(self, message, hint=""):
        super().__init__(message)
        self.message, self.hint = message, hint


def call(function, *args, context=""):
    """Return ``function(*args)`` for a learner's function, or raise `Blank` or `NotYet`.

    Arrays, lists and random generators are handed over as copies. A function that is blank, raises, prints
    instead of returning, or changes its arguments raises an exception that `exercise` turns into feedback.

    Parameters
    ----------
    function : callable
    *args : object
    context : str
        Begins the message, such as "With x = 2".

    Returns
    -------
    object
        What the function returned: neither None nor Ellipsis.
    """
    where = f"{context}: " if context else ""
    if not callable(function):
        raise NotYet(
            f"Expected a function, got {short(function)}.",
            "Give the function itself, without brackets behind it.",
        )
    if _is_blank(function):
        raise Blank
    _require_arguments(function, args)
    handed = [_copy(value) for value in args]
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), np.errstate(all="ignore"):
            result = function(*handed)
    except Exception as error:
        raise explain(error, function, where) from None
    if result is Ellipsis:
        raise Blank
    if result is None:
        said = printed.getvalue().strip()
        if said:
            raise NotYet(
                f"{where}your function prints {short(said)} and returns nothing.",
                "Use `return`, not `print`.",
            )
        raise NotYet(f"{where}your function returns nothing (None).", "Does it end with `return ...`?")
    for value, kept, name in zip(handed, args, _names(function, len(args)), strict=True):
        if not _same(value, kept):
            raise NotYet(
                f"{where}your function changes its argument `{name}`; whoever called it would be surprised.",
                f"Make a new array: `{name} = {name} - ...`, not `{name} -= ...` or `{name}[...] = ...`.",
            )
    return result


def explain(error, function=None, where=""):
    """Return the exception for an error in the learner's code: type, message and the learner's own line."""
    if isinstance(error, NotImplementedError) or (isinstance(error, TypeError) and "ellipsis" in str(error)):
        return Blank()
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    line = _line(error, function)
    if len(text) > 200:
        text = text[:197] + "..."
    text = text.replace("`", "'").replace("\n", " ")
    return NotYet(f"{where}your code stopped with `{text}`{line}.")


def _line(error, function):
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    frames = [f for f in traceback.extract_tb(error.__traceback__) if code and f.filename == code.co_filename]
    if not frames:
        return ""
    source = linecache.getline(frames[-1].filename, frames[-1].lineno).strip().replace("`", "'")
    return f" in line {frames[-1].lineno}" + (f": `{source}`" if source else "")


def _is_blank(function):
    """Return whether the function is nothing but `...`, `pass`, a docstring, or a return of None or `...`."""
    code = getattr(function, "__code__", None)
    steps = list(dis.get_instructions(code)) if code else []
    constants = [step.argval for step in steps if step.opname in ("LOAD_CONST", "RETURN_CONST")]
    return all(step.opname in PLAIN for step in steps) and constants[-1:] in ([None], [Ellipsis])


def _require_arguments(function, args):
    try:
        inspect.signature(function).bind(*args)
    except TypeError:
        takes = str(inspect.signature(function))
        raise NotYet(
            f"Your function takes {takes}; it is called with {len(args)} argument{'s' * (len(args) != 1)}.",
            "Keep the arguments of the stub.",
        ) from None
    except ValueError:  # a built-in without a signature
        pass


def _names(function, count):
    try:
        names = list(inspect.signature(function).parameters)
    except ValueError:
        names = []
    return (names + [f"number {i + 1}" for i in range(len(names), count)])[:count]


def _copy(value):
    return (
        copy.deepcopy(value) if isinstance(value, np.ndarray | list | dict | np.random.Generator) else value
    )


def _same(value, kept):
    if isinstance(kept, np.ndarray):
        return value.shape == kept.shape and value.tobytes() == kept.tobytes()
    return value == kept if isinstance(kept, list | dict) and _plain(kept) else True


def _plain(value):
    return not any(
        isinstance(item, np.ndarray) for item in (value.values() if isinstance(value, dict) else value)
    )
