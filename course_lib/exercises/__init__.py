r'''Exercises: a check looks at what the learner wrote and answers kindly.

One module a notebook (``nb01.py`` for notebook 01) holds its checks. In the notebook, the stub cell defines
``def name(...): ...`` or ``name = ...``, the check cell is ``check_name(name)``, and the last line of the
solution cell is ``check_name(name_solution, solution=True)``: the same check, not counted as progress.

How to write a check
--------------------
**A function** is the usual case. Write the reference, the usual mistakes as functions of the same arguments
with the hint that each deserves, and a generator of the arguments to try (other values and *other shapes*
than the notebook's example). An answer that equals a mistake in every case gets that mistake's hint.

>>> import numpy as np
>>> from course_lib.exercises import exercise
>>> def central(f, x, h):
...     return (f(x + h) - f(x - h)) / (2 * h)
>>> @exercise(
...     "99.1",
...     "Central difference",
...     reference=central,
...     mistakes=[
...         ("The two points are 2h apart: divide by `2 * h`.", lambda f, x, h: (f(x + h) - f(x - h)) / h),
...         ("That is the forward difference: use `x - h` too.", lambda f, x, h: (f(x + h) - f(x)) / h),
...     ],
...     passed="Its error shrinks with h².",
... )
... def check_central():
...     """Compare with (f(x + h) - f(x - h)) / (2 h)."""
...     yield np.sin, 0.5, 0.1
...     yield np.exp, np.array([0.0, 1.0, 2.0]), 1e-2

The decorated generator has become the check:

>>> check_central(...)
○ 99.1 Central difference: not attempted yet
  Replace the `...` with your answer, run its cell, then this one.
>>> check_central(lambda f, x, h: (f(x + h) - f(x - h)) / h)
→ 99.1 Central difference: not yet
  With f = sin, x = 0.5, h = 0.1: expected 0.8761, got 1.752.
  Hint: The two points are 2h apart: divide by `2 * h`.
>>> check_central(central, solution=True)
✓ 99.1 Central difference: the solution passes
  Its error shrinks with h².

**A value** (a number, an array, True or False, a text such as "B", or a tuple of these): the decorated
function returns it, and the mistakes are values.

>>> @exercise(
...     "99.2",
...     "Largest step",
...     kind="value",
...     mistakes=[("That is 1/λ; the limit is twice as far.", 0.25)],
... )
... def check_largest_step():
...     """Compare with 2 / λ for λ = 4."""
...     return 2 / 4
>>> check_largest_step(0.25)
→ 99.2 Largest step: not yet
  Expected 0.5, got 0.25.
  Hint: That is 1/λ; the limit is twice as far.

**Anything else**: with ``kind="custom"`` the decorated function gets the learner's object, calls it through
`call` (which answers for blanks, exceptions, missing returns and changed arguments) and raises
`NotYet(message, hint)`.

>>> from course_lib.exercises import NotYet, call
>>> @exercise("99.3", "A descent step", kind="custom")
... def check_descends(step):
...     """Require of `step(x)` only that it lowers x²."""
...     for x in (3.0, -2.0):
...         if not call(step, x) ** 2 < x**2:
...             raise NotYet(f"From x = {x:g} the step does not go down.", "Go against the slope.")
>>> check_descends(lambda x: x + 0.1 * 2 * x).hint
'Go against the slope.'

What the machinery sees to without being asked: a blank stub; a function that prints or forgets to return; an
exception (its type, message and the learner's line); another number of arguments; a list, text or complex
number where an array belongs; a wrong shape; NaN and infinity; arguments changed in place (a listed mistake
written so, such as ``s += rho * s``, gets its own hint all the same); a result that is minus, twice or half
the expected one everywhere; a transposed result. Every case gets fresh copies of its arrays, lists and random
generators. Each check needs its test: `check.exercise.mistakes` lists what it must refuse.
'''

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps

import numpy as np

from course_lib._checks import one_of, require
from course_lib.exercises._call import Blank, Changed, NotYet, call, explain, fresh
from course_lib.exercises._compare import difference, equal, is_numeric, like, short
from course_lib.exercises._feedback import Feedback
from course_lib.exercises._progress import Progress, passed, record

__all__ = ["Exercise", "Feedback", "NotYet", "Progress", "call", "exercise", "progress", "record"]

SYSTEMATIC = (
    ("Everything has the opposite sign.", lambda a: -a),
    ("Everything is twice what it should be.", lambda a: 2 * a),
    ("Everything is half of what it should be.", lambda a: a / 2),
    ("The result is transposed: exchange its axes.", np.transpose),
)
"""What is recognised without being asked: a hint, and how it turns the right result into the wrong one."""

_REGISTERED = {}


@dataclass(frozen=True, eq=False)
class Exercise:
    """What `exercise` was told; stands on each check as ``check.exercise``."""

    number: str
    title: str
    kind: str
    body: Callable
    reference: Callable | None
    mistakes: tuple
    hint: str
    passed: str
    rtol: float
    atol: float
    lists: bool


def exercise(
    number,
    title,
    *,
    kind="function",
    reference=None,
    mistakes=(),
    hint="",
    passed="",
    rtol=1e-6,
    atol=1e-10,
    lists=False,
):
    """Turn a function that gives the cases into the check of an exercise (see the top of this module).

    Parameters
    ----------
    number : str
        Notebook and exercise, such as "01.2".
    title : str
    kind : {"function", "value", "custom"}
        What the learner writes, and so what the decorated function does: yield argument tuples, return the
        expected value, or judge the learner's object itself.
    reference : callable
        The right function (for kind "function" only).
    mistakes : sequence of (hint, wrong function or value)
        Tried in order; a wrong function takes the reference's arguments.
    hint : str
        Shown when no mistake is recognised.
    passed : str
        Shown when the check passes: what to take away.
    rtol, atol : float
        Numbers agree when ``|got - expected| <= atol + rtol * |expected|``.
    lists : bool, default False
        Whether a list will do where an array is expected, and 0 or 1 for False or True (for kind "function").

    Returns
    -------
    callable
        A decorator; what it returns is ``check(learner, solution=False) -> Feedback``.

    Raises
    ------
    ValueError
        If the number is malformed or taken, or the parts do not fit the kind.
    """
    form = isinstance(number, str) and re.fullmatch(r"\d\d[a-z]?\.\d+", number)
    require(
        form,
        "number",
        number,
        "notebook.exercise such as '01.2'",
        "Number the exercises of a notebook from 1.",
    )
    one_of("kind", kind, ("function", "value", "custom"))
    fits = callable(reference) if kind == "function" else reference is None
    require(
        fits, "reference", reference, "a function for kind='function', else None", "Give the right function."
    )

    def decorate(body):
        name = f"{body.__module__}.{body.__qualname__}"
        known = _REGISTERED.get(number)
        free = known is None or f"{known.body.__module__}.{known.body.__qualname__}" == name
        require(free, "number", number, "a free number", "Another check has it already.")
        task = Exercise(
            number, title, kind, body, reference, tuple(mistakes), hint, passed, rtol, atol, lists
        )
        _REGISTERED[number] = task

        @wraps(body)
        def check(learner, solution=False):
            return _check(task, learner, solution)

        del check.__wrapped__  # its signature is its own
        check.exercise = task
        return check

    return decorate


def progress():
    """Return the table of all exercises and which of them this learner has passed."""
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("nb"):
            importlib.import_module(f"{__name__}.{module.name}")
    order = sorted(_REGISTERED, key=lambda number: (number.split(".")[0], int(number.split(".")[1])))
    done, note = passed()
    return Progress({number: _REGISTERED[number].title for number in order}, frozenset(done), note)


def _check(task, learner, solution):
    title = f"{task.number} {task.title}"
    judge = {"function": _judge_function, "value": _judge_value, "custom": _judge_custom}[task.kind]
    try:
        if learner is None or learner is Ellipsis:
            raise Blank
        judge(task, learner)
    except Blank:
        message = "Replace the `...` with your answer, run its cell, then this one."
        return Feedback("not attempted", title, message, "", task.number)
    except NotYet as answer:
        return Feedback("not yet", title, answer.message, answer.hint or task.hint, task.number)
    good = Feedback("passed", title, task.passed, "", task.number)
    if solution:
        return replace(good, words="the solution passes")
    return replace(good, note=record(task.number))


def _judge_custom(task, learner):
    try:
        task.body(learner)
    except (Blank, NotYet):
        raise
    except Exception as error:
        raise explain(error, learner) from None


def _judge_value(task, learner):
    expected = task.body()
    text = difference(expected, learner, task.rtol, task.atol)
    if text is None:
        return
    for hint, wrong in task.mistakes:
        if equal(wrong, learner, task.rtol, task.atol):
            raise NotYet(_sentence(text), hint)
    raise NotYet(_sentence(text))


def _judge_function(task, learner):
    names = list(inspect.signature(task.reference).parameters)
    cases = [case if isinstance(case, tuple) else (case,) for case in task.body()]
    results, first = [], ""
    for case in cases:
        pairs = zip(names, case, strict=False)
        given = "With " + ", ".join(f"{name} = {short(value)}" for name, value in pairs)
        with np.errstate(all="ignore"):
            want = task.reference(*fresh(case))
        try:
            got = call(learner, *case, context=given)
        except NotYet as answer:
            if first:
                break
            if isinstance(answer, Changed) and not equal(want, answer.result, task.rtol, task.atol):
                slip = _recognise(task, [*results, (case, want, answer.result)])
                raise NotYet(answer.message, slip or answer.hint) from None
            raise
        got = like(want, got) if task.lists else got
        results.append((case, want, got))
        text = difference(want, got, task.rtol, task.atol)
        first = first or (text and f"{given}: {text}")
    if first:
        raise NotYet(first, _recognise(task, results))


def _recognise(task, results):
    """Return the hint of the mistake that explains every result, or ""."""
    for hint, wrong in task.mistakes:
        if all(_mistaken(wrong, case, got, task) for case, _, got in results):
            return hint
    for hint, change in SYSTEMATIC if all(is_numeric(want) for _, want, _ in results) else ():
        if all(equal(change(np.asarray(want)), got, task.rtol, task.atol) for _, want, got in results):
            return hint
    return ""


def _mistaken(wrong, case, got, task):
    try:
        return equal(call(wrong, *case), got, task.rtol, task.atol)
    except (Blank, NotYet):  # this mistake cannot be made with these arguments
        return False


def _sentence(text):
    return text[0].upper() + text[1:]
