"""Call what a learner wrote, and turn everything that can go wrong into one kind sentence."""

import contextlib
import copy
import dis
import inspect
import io
import linecache
import traceback
from pathlib import Path

import numpy as np

from course_lib.exercises._compare import equal, short

__all__ = ["Blank", "Changed", "NotYet", "call", "explain", "fresh"]

PLAIN = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "POP_TOP"}
"""Instructions of a function without content."""

OURS, LIBRARIES = str(Path(__file__).parents[1]), str(Path(np.__file__).parents[1])


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


class Changed(NotYet):
    """The learner's function changed its arguments.

    Parameters
    ----------
    message, hint : str
    result : object
        What it returned all the same: it may show a mistake that matters more.
    """

    def __init__(self, message, hint, result):
        super().__init__(message, hint)
        self.result = result


def call(function, *args, context=""):
    """Return ``function(*args)`` for a learner's function, or raise `Blank` or `NotYet`.

    Arrays, lists, dicts and random generators are handed over as copies. A function that is blank, raises,
    prints instead of returning, or changes its arguments raises an exception that `exercise` turns into
    feedback.

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
    if not callable(function):
        hint = "Give the function itself, without brackets behind it."
        raise NotYet(f"Expected a function, got {short(function)}.", hint)
    if _is_blank(function):
        raise Blank
    _require_arguments(function, args)
    handed, printed = fresh(args), io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), np.errstate(all="ignore"):
            result = function(*handed)
    except Exception as error:
        raise explain(error, function, context) from None
    if result is Ellipsis:
        raise Blank
    yours, said = f"{_your(context)} function", printed.getvalue().strip()
    if result is None and said:
        raise NotYet(f"{yours} prints {short(said)} and returns nothing.", "`return` it instead.")
    if result is None:
        raise NotYet(f"{yours} returns nothing (None).", "Does it end with `return ...`?")
    print(printed.getvalue(), end="")
    for value, kept, name in zip(handed, args, _names(function, len(args)), strict=True):
        if not _same(value, kept):
            raise Changed(
                f"{yours} changes its argument `{name}`; whoever called it would be surprised.",
                f"Make a new array: `{name} = ...`, not `{name} += ...`, `{name} -= ...`, `{name}[0] = ...`.",
                result,
            )
    return result


def fresh(args):
    """Return the arguments, with copies of those that a function could change."""
    changeable = np.ndarray | list | dict | np.random.Generator
    return [copy.deepcopy(value) if isinstance(value, changeable) else value for value in args]


def explain(error, function=None, context=""):
    """Return the exception for an error in the learner's code: type, message and the learner's own line."""
    if isinstance(error, NotImplementedError) or "'ellipsis'" in str(error):
        return Blank()
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    text = " ".join(text.replace("`", "'").split())
    text = text if len(text) <= 200 else text[:199] + "…"
    return NotYet(f"{_your(context)} code stopped with `{text}`{_line(error, function)}.")


def _your(context):
    return f"{context}: your" if context else "Your"


def _line(error, function):
    code = getattr(function, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    if code:
        frames = [frame for frame in frames if frame.filename == code.co_filename]
    else:  # a class, say: whatever is neither ours nor a library's
        frames = [frame for frame in frames if not frame.filename.startswith((OURS, LIBRARIES, "<"))]
    if not frames:
        return ""
    source = linecache.getline(frames[-1].filename, frames[-1].lineno).strip().replace("`", "'")
    return f" in line {frames[-1].lineno}" + (f": `{source}`" if source else "")


def _is_blank(function):
    """Return whether the function is nothing but `...`, `pass`, a docstring, or a return of None or `...`."""
    code = getattr(function, "__code__", None)
    steps = list(dis.get_instructions(code)) if code else []
    constants = [step.argval for step in steps if step.opname in ("LOAD_CONST", "RETURN_CONST")]
    return all(step.opname in PLAIN for step in steps) and constants in ([None], [Ellipsis])


def _require_arguments(function, args):
    try:
        signature = inspect.signature(function)
    except ValueError:  # some built-in functions have none
        return
    try:
        signature.bind(*args)
    except TypeError:
        many = "1 argument" if len(args) == 1 else f"{len(args)} arguments"
        message = f"Your function takes `{signature}`; it is called with {many}."
        raise NotYet(message, "Keep the arguments of the stub.") from None


def _names(function, count):
    try:
        names = list(inspect.signature(function).parameters)
    except ValueError:
        names = []
    return (names + [f"number {i + 1}" for i in range(len(names), count)])[:count]


def _same(value, kept):
    """Return whether an argument is as it was, up to the rounding of `x[i] += h` and back again."""
    if isinstance(kept, np.ndarray):
        return equal(kept, value, 1e-9, 1e-12) if kept.dtype.kind in "fc" else np.array_equal(kept, value)
    if isinstance(kept, list):
        return len(value) == len(kept) and all(map(_same, value, kept))
    if isinstance(kept, dict):
        return value.keys() == kept.keys() and all(_same(value[key], kept[key]) for key in kept)
    return isinstance(kept, np.random.Generator) or value is kept or value == kept
