"""Descent: run an update rule down a landscape, choose minibatches, search along a line.

`minimize` is the loop of the whole course: measure the gradient, take the rule's step, note where it led. It
runs one point, or a batch of starts and hyperparameters at once, and gives the same numbers either way.

The record that it returns, `Path`, is made in `course_lib.path`; the line searches, which `steepest_descent`
uses, in `course_lib.line_search`. Both are offered here as well.
"""

import dataclasses
import itertools
import math

import numpy as np

from course_lib._checks import finite_array, number_in, one_of, require, whole_number
from course_lib.line_search import Bracket, LineSearch, backtracking, bracket, exact_step, golden_section
from course_lib.path import Path, Recorder

__all__ = [
    "Bracket",
    "LineSearch",
    "Path",
    "backtracking",
    "bracket",
    "exact_step",
    "golden_section",
    "minibatches",
    "minimize",
    "steepest_descent",
]


def minimize(
    problem,
    x0,
    optimizer,
    steps,
    *,
    rows=None,
    project=None,
    keep="all",
    tol_grad=None,
    tol_loss=None,
    limit=1e8,
):
    """Run an update rule from `x0` and return the path.

    Starts and hyperparameters broadcast: ``x0`` of shape ``(2,)`` with ``lr`` of shape ``(n, 1)``, or ``x0``
    of shape ``(n, 2)`` with one ``lr``, are n runs made at once. Each gets the bits that it would get alone,
    where the problem's own arithmetic does not depend on the batch, as in the analytic landscapes.

    A member diverges when its point, loss or gradient is not finite or a coordinate exceeds `limit`. It then
    stops (its coordinates become NaN), the others go on, and no warning is given: `Path.diverged` and
    `Path.diverged_at` tell.

    Parameters
    ----------
    problem : Landscape
        Or anything with ``problem(x)`` and ``problem.grad(x)`` that takes points ``(..., d)``.
    x0 : array_like of shape (..., d)
        One start or a batch of them. float32 stays float32.
    optimizer : GradientDescent, Momentum, …
        Or anything with their pure methods `init` and `step`; `where` is used if there. `step` is tried once
        with a gradient of zero, to learn the shape of the batch.
    steps : int
        The number of updates, at least 0.
    rows : iterator of index arrays, optional
        The minibatch of each step (see `minibatches`): the gradient is ``problem.grad(x, rows=next(rows))``.
        The loss is that of all examples, evaluated at the recorded steps only (or at all, for `tol_loss`).
    project : callable, optional
        Applied to the start and after each step: takes points ``(..., d)`` to the nearest points of the set
        in which the path must stay, e.g. ``lambda x: np.clip(x, -1, 1)``. The rule's state is left alone.
    keep : "all", "last" or int, default "all"
        Which steps to record: all, the last, or every k-th and the last.
    tol_grad, tol_loss : float, optional
        Stop a member as soon as its gradient's norm, or its loss, is not above this.
    limit : float, default 1e8
        The largest absolute coordinate that does not count as divergence.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If an argument is out of range, shapes do not fit, or `rows` ends too early.

    Examples
    --------
    >>> from course_lib.landscapes import valley
    >>> from course_lib.optimizers import GradientDescent
    >>> path = minimize(valley(), [-5, -2], GradientDescent(lr=0.4), steps=20)
    >>> path
    <Path in 2-D: after 20 steps, loss 10.5 -> 0.08901>
    >>> lrs = np.array([[0.1], [0.4], [0.6]])
    >>> minimize(valley(), [-5, -2], GradientDescent(lrs), steps=200).diverged
    array([False, False,  True])
    """
    steps = whole_number("steps", steps, 0, "Give the number of updates.")
    limit = number_in("limit", limit, 0, math.inf, "1e8 is usual.", open_low=True)
    if tol_grad is not None:
        tol_grad = number_in("tol_grad", tol_grad, 0, math.inf, "Use None not to stop early.")
    if tol_loss is not None:
        tol_loss = number_in("tol_loss", tol_loss, -math.inf, math.inf, "Use None not to stop early.")
    for name, value, methods in (
        ("problem", problem, ("__call__", "grad")),
        ("optimizer", optimizer, ("init", "step")),
    ):
        able = not isinstance(value, type) and all(hasattr(value, method) for method in methods)
        require(
            able, name, value, f"an object with {' and '.join(methods)}", "See the docstring of minimize."
        )
    able = project is None or callable(project)
    require(able, "project", project, "a callable", "Use None to leave the points where they are.")
    require(rows is None or hasattr(rows, "__iter__"), "rows", rows, "an iterator", "Use minibatches().")
    rows, where = rows if rows is None else iter(rows), getattr(optimizer, "where", lambda x, state: x)
    with np.errstate(all="ignore"):  # divergence is part of the subject
        x, batch = _start(x0, optimizer)
        x = _projected(project, x)
        record = Recorder(problem, x, _times(keep, steps), limit, tol_grad, tol_loss)
        state = optimizer.init(x)
        for t in itertools.count():
            if rows is None:
                g = np.asarray(problem.grad(where(x, state)), x.dtype)
            elif t < steps:
                g = np.asarray(problem.grad(where(x, state), rows=_next(rows, t, steps)), x.dtype)
            else:
                g = None
            due = rows is None or tol_loss is not None or record.due(t)
            loss = np.asarray(problem(x)) if due else None
            if t == 0:
                _check_shapes(x, g, loss)
            x, g = record.note(t, x, g, loss)
            if t == steps or record.all_ended:
                break
            new, state = optimizer.step(x, g, state)
            new = _projected(project, new)
            x = new if record.held is None else np.where(record.held, x, new)
        return record.path(x, g, loss, batch)


def _times(keep, steps):
    """Return the steps to record: every k-th, and the last."""
    if isinstance(keep, str):
        one_of("keep", keep, ("all", "last"), "Or give k to keep every k-th step.")
        return [*range(steps + 1)] if keep == "all" else [steps]
    every = whole_number("keep", keep, 1, 'Use "all", "last", or k for every k-th step.')
    return [*range(0, steps, every), steps]


def _start(x0, optimizer):
    """Return the starts broadcast against the hyperparameters, and the shape of the batch ((): one run)."""
    x0 = finite_array("x0", x0, "Give one start of shape (d,) or a batch of shape (..., d).")
    remedy = "Put the d coordinates on the last axis, and hyperparameters in shape (n, 1)."
    require(x0.ndim > 0, "x0", x0, "an array of shape (..., d)", remedy)
    allowed = f"a shape (..., d) that broadcasts against {optimizer}"
    try:
        shape = np.shape(optimizer.step(x0, np.zeros_like(x0), optimizer.init(x0))[0])
    except ValueError as error:
        raise ValueError(f"x0.shape = {x0.shape}: must be {allowed}. {remedy} ({error})") from error
    require(shape[-1:] == x0.shape[-1:], "x0.shape", x0.shape, allowed, remedy)
    return np.array(np.broadcast_to(x0, shape if len(shape) > 1 else (1, *shape))), shape[:-1]


def _projected(project, x):
    """Return the points where `project` puts them."""
    if project is None:
        return x
    inside = np.asarray(project(x), x.dtype)
    remedy = "It must take points of shape (..., d), also a batch of them, to as many points."
    require(inside.shape == x.shape, "project(x).shape", inside.shape, f"{x.shape}", remedy)
    return inside


def _next(rows, t, steps):
    """Return the minibatch of step t."""
    index = next(rows, None)
    require(index is not None, "rows", rows, f"an iterator of {steps} minibatches", f"It ended after {t}.")
    return index


def _check_shapes(x, g, loss):
    remedy = "The problem must take points of shape (..., d), also a batch of them."
    for name, value, shape in (("problem(x)", loss, x.shape[:-1]), ("problem.grad(x)", g, x.shape)):
        require(
            value is None or np.shape(value) == shape, f"{name}.shape", np.shape(value), f"{shape}", remedy
        )


def minibatches(n_examples, batch_size, rng, *, replace=False, shape=()):
    """Return an endless iterator of minibatches: arrays of row indices in [0, n_examples).

    Without replacement the examples are shuffled once an epoch and then walked through, so that each is used
    once an epoch; the last minibatch of an epoch is shorter where `batch_size` does not divide `n_examples`.
    With replacement every index is drawn afresh; there are no epochs.

    Parameters
    ----------
    n_examples : int
        N, at least 1.
    batch_size : int
        B, at least 1; without replacement at most N.
    rng : numpy.random.Generator
        The source of chance, e.g. ``np.random.default_rng(0)``.
    replace : bool, default False
        Whether to draw with replacement.
    shape : tuple of int, default ()
        The batch of runs: each member gets its own minibatches (its own permutation).

    Returns
    -------
    iterator of integer ndarrays of shape (*shape, B)

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> rows = minibatches(5, 2, np.random.default_rng(0))
    >>> epoch = [next(rows) for _ in range(3)]
    >>> [len(index) for index in epoch], sorted(np.concatenate(epoch).tolist())
    ([2, 2, 1], [0, 1, 2, 3, 4])
    """
    n = whole_number("n_examples", n_examples, 1, "Give the number of examples in the data.")
    size = whole_number("batch_size", batch_size, 1, "1 is plain SGD.")
    require(isinstance(rng, np.random.Generator), "rng", rng, "a Generator", "Pass np.random.default_rng(0).")
    require(isinstance(replace, bool | np.bool_), "replace", replace, "True or False", "Choose one of them.")
    remedy = "Use n_examples for the full batch, or replace=True."
    require(replace or size <= n, "batch_size", size, f"at most n_examples = {n} without replacement", remedy)
    require(isinstance(shape, tuple), "shape", shape, "a tuple of whole numbers", "Write (runs,).")
    shape = tuple(whole_number("shape", axis, 1, "Write (runs,), or () for one run.") for axis in shape)
    return _with_replacement(n, size, rng, shape) if replace else _epochs(n, size, rng, shape)


def _with_replacement(n, size, rng, shape):
    while True:
        yield rng.integers(n, size=(*shape, size))


def _epochs(n, size, rng, shape):
    examples = np.broadcast_to(np.arange(n), (*shape, n))
    while True:
        order = rng.permuted(examples, axis=-1)
        for start in range(0, n, size):
            yield order[..., start : start + size]


def steepest_descent(problem, x0, steps, search="exact", *, keep="all", tol_grad=None, tol_loss=None):
    r"""Go along the negative gradient, each time as far as a line search says: x ← x − t·g.

    Parameters
    ----------
    problem : Landscape
        As for `minimize`.
    x0 : array_like of shape (d,)
        The start; one run only.
    steps : int
        The number of steps, at least 0.
    search : "exact", "golden", "armijo" or callable, default "exact"
        `exact_step`; `bracket` and then `golden_section` to a millionth of the bracket; `backtracking` from
        t = 1; or ``search(phi, slope)``, which returns the step or a `LineSearch`, where ``phi(t)`` is the
        loss at x − t·g and ``slope`` its derivative −g·g at t = 0.
    keep, tol_grad, tol_loss
        As for `minimize`.

    Returns
    -------
    Path
        Its `evaluations` counts the evaluations of the *function* by the line searches: none for "exact",
        which takes a Hessian each step instead. (The gradient is evaluated once a step, as in `minimize`.)

    Raises
    ------
    ValueError
        If an argument is out of range, or a line search finds no step.

    References
    ----------
    A. Cauchy, "Méthode générale pour la résolution des systèmes d'équations simultanées", Comptes rendus de
    l'Académie des sciences 25 (1847).

    Examples
    --------
    >>> from course_lib.landscapes import valley
    >>> steepest_descent(valley(), [-5, -2], steps=20)
    <Path in 2-D: after 20 steps, loss 10.5 -> 4.554e-13>
    """
    require(np.ndim(x0) == 1, "x0", x0, "one start of shape (d,)", "Run a batch of starts one by one.")
    if not callable(search):
        one_of("search", search, ("exact", "golden", "armijo"), "Or pass a function of (phi, slope).")
    rule = _SteepestDescent(problem, search)
    path = minimize(problem, x0, rule, steps, keep=keep, tol_grad=tol_grad, tol_loss=tol_loss)
    return dataclasses.replace(path, evaluations=np.int64(rule.evaluations))


class _SteepestDescent:
    """The rule of `steepest_descent`; unlike the pure rules it counts its function evaluations."""

    def __init__(self, problem, search):
        self.problem, self.search, self.evaluations = problem, search, 0

    def init(self, x):
        return None

    def step(self, x, g, state):
        if not g.any():
            return x, state

        def phi(t):
            self.evaluations += 1
            return self.problem(x - t * g).item()

        slope = -np.sum(g * g).item()  # not by BLAS, whose last bit depends on the processor
        if self.search == "exact":
            found = exact_step(self.problem, x, g).item()
        elif self.search == "golden":
            a, b, _ = bracket(phi)
            found = golden_section(phi, a, b, tol=1e-6 * (b - a))
        elif self.search == "armijo":
            found = backtracking(phi, slope)
        else:
            found = self.search(phi, slope)
        return x - getattr(found, "t", found) * g, state
