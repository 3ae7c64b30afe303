"""Checks of notebook 02b: line searches, averages, Robbins and Monro."""

import itertools
import re
from functools import wraps

import numpy as np

from course_lib.exercises import NotYet, exercise
from course_lib.exercises._compare import short
from course_lib.landscapes import himmelblau

__all__ = ["check_armijo_step", "check_basin_shares", "check_robbins_monro", "check_running_average"]

CALLS = 10_000  # no backtracking needs so many values of φ: its loop will not end


def _armijo(phi, slope, t0, c, shrink):
    t = t0
    for _ in range(200):
        if phi(t) <= phi(0) + c * t * slope:
            break
        t = t * shrink
    return t


def _ending(phi):
    """Return φ that stops a loop which would go on for ever."""
    count = itertools.count()

    @wraps(phi)
    def limited(t):
        if next(count) >= CALLS:
            raise RuntimeError(f"the loop does not end; it has called phi {CALLS:,} times")
        return phi(t)

    return limited


def _one_shrink(phi, slope, t0, c, shrink):
    return t0 * shrink if phi(t0) > phi(0) + c * t0 * slope else t0


@exercise(
    "02b.1",
    "Backtracking",
    reference=_armijo,
    mistakes=[
        (
            "Use the `shrink` you are given, not always one half.",
            lambda phi, slope, t0, c, shrink: _armijo(phi, slope, t0, c, 0.5),
        ),
        (
            "The slope is negative already: the line is `phi(0) + c * t * slope`.",
            lambda phi, slope, t0, c, shrink: _armijo(phi, -slope, t0, c, shrink),
        ),
        (
            "Any decrease will do for you. Armijo asks for the share `c` of what the slope promises.",
            lambda phi, slope, t0, c, shrink: _armijo(phi, slope, t0, 0, shrink),
        ),
        (
            "Use the `c` you are given, not always 1e-4.",
            lambda phi, slope, t0, c, shrink: _armijo(phi, slope, t0, 1e-4, shrink),
        ),
        (
            "The share `c` is missing: a convex function never keeps the whole promise of its slope.",
            lambda phi, slope, t0, c, shrink: _armijo(phi, slope, t0, 1, shrink),
        ),
        (
            "One step too small: test first, shrink only when the rule fails.",
            lambda phi, slope, t0, c, shrink: shrink * _armijo(phi, slope, t0, c, shrink),
        ),
        (
            "Where `t0` satisfies the rule, return `t0`: test before you shrink.",
            lambda phi, slope, t0, c, shrink: _armijo(phi, slope, t0 * shrink, c, shrink),
        ),
        ("One shrink may not be enough: use `while`.", _one_shrink),
        ("`t0` itself may fail the rule: shrink until it holds.", lambda phi, slope, t0, c, shrink: t0),
        (
            "Return the step t, not the value there.",
            lambda phi, slope, t0, c, shrink: phi(_armijo(phi, slope, t0, c, shrink)),
        ),
    ],
    hint="Test the rule at t; as long as it fails, shrink (`t = t * shrink`) and test again.",
    passed="A fair share of the promised descent, for a few evaluations.",
)
def check_armijo_step():
    """Compare with the first t0 shrink^k that satisfies Armijo's rule."""
    hilly = himmelblau()

    def along(x):
        g = hilly.grad(x)
        return (lambda t: float(hilly(x - t * g))), -float(g @ g)

    def parabola(t):
        return 3 * t * t - 2 * t + 1

    for phi, slope, t0, c, shrink in (
        (*along(np.array([0.0, 0.0])), 1.0, 1e-4, 0.5),
        (*along(np.array([-1.0, 3.0])), 2.0, 0.3, 0.7),
        (parabola, -2.0, 0.7, 0.1, 0.9),
        (parabola, -2.0, 1.0, 0.6, 0.8),
        (parabola, -2.0, 0.3, 0.1, 0.4),  # t0 will do
        (parabola, -2.0, 0.66665, 1e-4, 0.5),  # t0 lowers φ, but by less than the share c
        (lambda t: (t - 1) * (t - 1), -2.0, 1.0, 0.5, 0.5),  # exactly the share c: enough
    ):
        yield _ending(phi), slope, t0, c, shrink


def _distances(ends, minima):
    return np.linalg.norm(ends[:, None] - minima, axis=-1)


def _basin_shares(ends, minima, radius):
    distance = _distances(ends, minima)
    label = np.where(distance.min(axis=1) < radius, distance.argmin(axis=1), len(minima))
    return np.bincount(label, minlength=len(minima) + 1) / len(ends)


def _shares_found_only(ends, minima, radius):
    found = _basin_shares(ends, minima, radius)[:-1]
    return np.append(found / found.sum(), 1 - found.sum())


def _within(ends, minima, radius):
    near = np.sum((ends[:, None] - minima) ** 2, axis=-1) < radius**2
    return np.append(near.mean(axis=0), 1 - near.any(axis=1).mean())


@exercise(
    "02b.2",
    "Shares of the basins",
    reference=_basin_shares,
    mistakes=[
        (
            "Give one share more than there are minima: the last for the walkers that reached none.",
            lambda ends, minima, radius: _basin_shares(ends, minima, radius)[:-1],
        ),
        (
            "A walker counts only if it ends nearer than `radius`: the nearest minimum may be far away.",
            lambda ends, minima, radius: _basin_shares(ends, minima, np.inf),
        ),
        (
            "These are numbers of walkers: divide by how many there are.",
            lambda ends, minima, radius: _basin_shares(ends, minima, radius) * len(ends),
        ),
        (
            "The walkers that reached no minimum come last, not first.",
            lambda ends, minima, radius: np.roll(_basin_shares(ends, minima, radius), 1),
        ),
        ("A walker counts once, for the nearest minimum, also where two lie within the radius.", _within),
        ("Divide by all walkers, also by those that reached no minimum.", _shares_found_only),
        (
            "That is the squared distance: take its root, or compare it with `radius**2`.",
            lambda ends, minima, radius: _basin_shares(ends, minima, np.sqrt(radius)),
        ),
        (
            "Shares are asked for, from 0 to 1, not per cent.",
            lambda ends, minima, radius: 100 * _basin_shares(ends, minima, radius),
        ),
    ],
    hint="`distance` and `label` as in the cell of the map; then `np.mean(label == i)`, at last for −1.",
    passed="The map in a few numbers, which may be compared between methods.",
)
def check_basin_shares():
    """Compare with the share of ends near each minimum, and near none."""
    rng = np.random.default_rng(2)
    for n, minima, radius in (
        (40, np.array([[0.0, 15.8], [-5.8, 3.4], [6.4, 18.0]]), 1.5),
        (25, np.array([[-1.0, 0.0], [3.0, 1.0]]), 0.5),
        (30, np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [9.0, 9.0]]), 0.8),  # the last is reached by none
    ):
        reached = rng.integers(min(3, len(minima)), size=n)
        yield minima[reached] + radius * rng.standard_normal((n, 2)), minima, radius
    near_both = np.array([[0.9, 0.0], [-0.5, 0.0], [2.0, 0.0], [9.0, 9.0]])  # each walker counts once
    yield near_both, np.array([[0.0, 0.0], [1.5, 0.0]]), 1.0


def _running_average(x):
    return np.cumsum(x, axis=0) / np.arange(1, len(x) + 1)[:, None]


def _leaky(x, rho=0.9):
    out = [x[0]]
    for row in x[1:]:
        out.append(rho * out[-1] + (1 - rho) * row)
    return np.array(out)


@exercise(
    "02b.4",
    "Running average",
    reference=_running_average,
    mistakes=[
        (
            "Row k averages the points up to k only; yours is the mean of all of them.",
            lambda x: np.tile(x.mean(axis=0), (len(x), 1)),
        ),
        ("Give one mean for each step, not the last alone.", lambda x: x.mean(axis=0)),
        ("Divide row k by the number of its terms, not by T.", lambda x: np.cumsum(x, axis=0) / len(x)),
        (
            "Row k has k + 1 terms, counted from 0.",
            lambda x: np.cumsum(x, axis=0) / np.maximum(1, np.arange(len(x)))[:, None],
        ),
        (
            "Row k has k + 1 terms, counted from 0.",
            lambda x: np.cumsum(x, axis=0) / np.arange(2, len(x) + 2)[:, None],
        ),
        ("These are sums: divide each by the number of its terms.", lambda x: np.cumsum(x, axis=0)),
        (
            "Sum over the steps (`axis=0`), not over the coordinates.",
            lambda x: np.cumsum(x, axis=1) / np.arange(1, x.shape[1] + 1),
        ),
        ("That is a leaky average; here every point has the same weight.", _leaky),
    ],
    hint="Sums with `np.cumsum`, then divide row k by k + 1: by a column, "
    "`np.arange(1, len(x) + 1)[:, None]` has shape (T, 1).",
    passed="The dance averages out, at the price of one more array.",
)
def check_running_average():
    """Compare with the means of x[0], ..., x[k]."""
    rng = np.random.default_rng(0)
    for shape in ((6, 2), (9, 3), (4, 1)):
        yield (rng.standard_normal(shape) + 1,)


@exercise(
    "02b.3",
    "Robbins and Monro",
    kind="custom",
    mistakes=[
        ("C fits too: for 1/k^p both hold as long as ½ < p ≤ 1.", "B"),
        ("B fits too: for 1/k^p both hold as long as ½ < p ≤ 1.", "C"),
        ("Look at D once more: its squares are 1/(1 + k), and their sum is infinite.", "BCD"),
        ("Look at D once more: its squares are 1/(1 + k), and their sum is infinite.", "BD"),
        ("E and F shrink too fast: their sums are finite, so the run may stop on its way.", "BCEF"),
        ("E is a geometric series: its sum is finite, so the run may stop on its way.", "BCE"),
        ("The sum of 1/k² is finite: with F the run may stop on its way.", "BCF"),
        ("The sum of 1/k² is finite: with F the run may stop on its way.", "BF"),
        (
            "A never shrinks: the sum of squares is infinite, so the noise adds up without end.",
            "ABCD",
        ),
        (
            "A never shrinks: the sum of squares is infinite, so the noise adds up without end.",
            "ABC",
        ),
        (
            "A never shrinks: the sum of squares is infinite, so the noise adds up without end.",
            "AB",
        ),
        ("Look at D once more: its squares are 1/(1 + k), and their sum is infinite.", "D"),
        ("Look at D once more: its squares are 1/(1 + k), and their sum is infinite.", "CD"),
        ("E is a geometric series: its sum is finite, so the run may stop on its way.", "BE"),
    ],
    hint="Test both sums: Σ 1/k^p is infinite for p ≤ 1; the squares have 2p in place of p.",
    passed="Slow enough to arrive, fast enough to settle: ½ < p ≤ 1.",
)
def check_robbins_monro(answer):
    """Compare with the letters of the schedules with ½ < p ≤ 1, in any order and however set apart."""
    parts = list(answer) if isinstance(answer, tuple | list | set) else [answer]
    if not all(isinstance(part, str) for part in parts):
        raise NotYet(f'Expected letters such as "AF", got {short(answer)}.')
    words = re.sub(r"\band\b", " ", " ".join(parts), flags=re.IGNORECASE)
    letters = "".join(sorted(set(re.sub(r"[\W_]", "", words).upper())))
    if letters != "BC":
        hints = {wrong: hint for hint, wrong in check_robbins_monro.exercise.mistakes}
        raise NotYet(f"Expected another answer than {short(answer)}.", hints.get(letters, ""))
