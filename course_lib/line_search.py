r"""Line searches: how far to go along a direction, and what finding out costs.

A line search sees a function of one variable, :math:`\varphi(t) = f(x + t\,p)` with a direction p, and counts
how often it evaluates it. For the steepest-descent direction p = −g, t is the learning rate of that step.
"""

import math
from typing import NamedTuple

import numpy as np

from course_lib._checks import finite_array, number_in, require

__all__ = ["Bracket", "LineSearch", "backtracking", "bracket", "exact_step", "golden_section"]

_SHRINK = (math.sqrt(5) - 1) / 2  # 0.618…, the golden ratio's inverse


class LineSearch(NamedTuple):
    """Result of a line search.

    Parameters
    ----------
    t : float
        The step found.
    value : float
        φ(t).
    evaluations : int
        How often φ was evaluated.
    intervals : ndarray of shape (k, 2)
        The intervals in which the answer was sought, the first one first.
    """

    t: float
    value: float
    evaluations: int
    intervals: np.ndarray


class Bracket(NamedTuple):
    """An interval (a, b) inside which a continuous function has a minimum, and the evaluations it took."""

    a: float
    b: float
    evaluations: int


class _Counted:
    """A function of one number that counts its evaluations and gives +inf where it has no value."""

    def __init__(self, phi):
        require(callable(phi), "phi", phi, "a function of one number", "Write lambda t: land(x - t * g).")
        self.phi, self.evaluations = phi, 0

    def __call__(self, t):
        self.evaluations += 1
        with np.errstate(all="ignore"):  # a step too long may well overflow
            value = np.asarray(self.phi(t))
        number = value.size == 1 and value.dtype.kind in "iuf"
        require(number, f"phi({t:.4g})", value, "one real number", "Return the loss at one point.")
        return math.inf if np.isnan(value) else float(value.item())


def bracket(phi, t=1.0, growth=2.0):
    """Bracket a minimum of φ on t > 0 by growth: go on, with longer and longer steps, until φ rises.

    Of the last three points 0 ≤ a < m < b tried, φ(m) is below φ(a) and not above φ(b); if φ rises at once,
    the interval is (0, t). If φ is continuous (and falls at 0) it has a minimum between a and b, perhaps more
    than one. A value that is not finite counts as a rise.

    Parameters
    ----------
    phi : callable
        Takes and returns a number.
    t : float, default 1
        The first point to try, above 0.
    growth : float, default 2
        Each point is this many times the one before; above 1.

    Returns
    -------
    Bracket
        ``(a, b, evaluations)``.

    Raises
    ------
    ValueError
        If an argument is out of range, or φ falls as far as there are numbers.

    Examples
    --------
    >>> bracket(lambda t: (t - 3) * (t - 3))
    Bracket(a=1.0, b=4.0, evaluations=4)
    """
    phi = _Counted(phi)
    b = number_in("t", t, 0, math.inf, "1 is usual.", open_low=True, open_high=True)
    growth = number_in("growth", growth, 1, math.inf, "2 is usual.", open_low=True, open_high=True)
    a, m, value, value_b = 0.0, 0.0, phi(0.0), phi(b)
    while value_b < value:
        a, m, b, value = m, b, growth * b, value_b
        remedy = "It seems to be unbounded below."
        require(b < math.inf, "phi", phi.phi, "a function that rises somewhere", remedy)
        value_b = phi(b)
    return Bracket(a, b, phi.evaluations)


def golden_section(phi, a, b, tol=1e-6):
    """Shrink an interval round a minimum of φ by comparing two interior points (golden-section search).

    If φ falls and then rises in [a, b], the interval always holds its minimum. With several valleys the
    search may end in any of them, or even at an end of [a, b].

    The points lie so that the one that is kept is an interior point of the next interval: each interval costs
    one evaluation, and is 0.618… times as long as the one before.

    Parameters
    ----------
    phi : callable
        Takes and returns a number; it falls and then rises in [a, b].
    a, b : float
        The interval, a < b; see `bracket`.
    tol : float, default 1e-6
        The length at which to stop, above 0. (The search also stops where the points become equal.) Rounding
        hides the minimum's place below about 1e-8 of its scale, whatever `tol` says.

    Returns
    -------
    LineSearch
        ``t`` is the best interior point of the last interval; ``intervals`` holds all of them.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    J. Kiefer, "Sequential minimax search for a maximum", Proceedings of the AMS 4 (1953).

    Examples
    --------
    >>> found = golden_section(lambda t: (t - 3) * (t - 3), 2, 8, tol=1e-3)
    >>> round(found.t, 3), found.evaluations
    (3.0, 21)
    """
    phi = _Counted(phi)
    a = number_in("a", a, -math.inf, math.inf, "Use bracket().", open_low=True, open_high=True)
    b = number_in("b", b, a, math.inf, "Use bracket().", open_low=True, open_high=True)
    tol = number_in("tol", tol, 0, math.inf, "1e-6 is usual.", open_low=True)
    intervals = [(a, b)]
    c, d = b - _SHRINK * (b - a), a + _SHRINK * (b - a)
    value_c, value_d = phi(c), phi(d)
    while b - a > tol and a < c < d < b:
        if value_c < value_d:
            b, d, value_d = d, c, value_c
            c = b - _SHRINK * (b - a)
            value_c = phi(c)
        else:
            a, c, value_c = c, d, value_d
            d = a + _SHRINK * (b - a)
            value_d = phi(d)
        intervals.append((a, b))
    t, value = (c, value_c) if value_c < value_d else (d, value_d)
    return LineSearch(t, value, phi.evaluations, np.array(intervals))


def backtracking(phi, slope, t0=1.0, c=1e-4, shrink=0.5):
    r"""Shrink the step until it pays (Armijo's rule).

    .. math:: \varphi(t) \le \varphi(0) + c\,t\,\varphi'(0), \qquad t = t_0, s t_0, s^2 t_0, \dots

    Parameters
    ----------
    phi : callable
        Takes and returns a number. A value that is not finite is refused like one that is too high.
    slope : float
        φ'(0), below 0: the direction must lead downhill.
    t0 : float, default 1
        The first step to try, above 0.
    c : float, default 1e-4
        The share of the decrease promised by the slope that is asked for, in (0, 1).
    shrink : float, default 0.5
        s in (0, 1).

    Returns
    -------
    LineSearch
        ``intervals`` holds (0, t) for each t tried. If no t above 1e-16·t0 will do (at a minimum, to
        rounding; or if `slope` is wrong), t is 0.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    L. Armijo, "Minimization of functions having Lipschitz continuous first partial derivatives", Pacific
    Journal of Mathematics 16 (1966). J. Nocedal and S. J. Wright, Numerical Optimization (2006), section 3.1.

    Examples
    --------
    >>> backtracking(lambda t: (t - 3) * (t - 3), slope=-6, t0=20)[:3]
    (5.0, 4.0, 4)
    """
    phi = _Counted(phi)
    remedy = "It is the gradient times the direction."
    slope = number_in("slope", slope, -math.inf, 0, remedy, open_low=True, open_high=True)
    t = t0 = number_in("t0", t0, 0, math.inf, "1 is usual.", open_low=True, open_high=True)
    c = number_in("c", c, 0, 1, "1e-4 is usual.", open_low=True, open_high=True)
    shrink = number_in("shrink", shrink, 0, 1, "0.5 is usual.", open_low=True, open_high=True)
    start, value = phi(0.0), phi(t)
    intervals = [(0.0, t)]
    while not -math.inf < value <= start + c * t * slope:
        t *= shrink
        if t <= 1e-16 * t0:
            return LineSearch(0.0, start, phi.evaluations, np.array(intervals))
        value = phi(t)
        intervals.append((0.0, t))
    return LineSearch(t, value, phi.evaluations, np.array(intervals))


def exact_step(land, x, g=None):
    r"""Return the step to the minimum along −g on a quadratic: :math:`t = g^T g / (g^T H g)`.

    It takes no evaluation of the function: one gradient and one Hessian.

    Parameters
    ----------
    land : Landscape
        With a Hessian. Where it is not quadratic, t is the step to the minimum of its quadratic model.
    x : array_like of shape (..., d)
        The points.
    g : array_like of shape (..., d), optional
        The gradients there; ``land.grad(x)`` if not given.

    Returns
    -------
    float or ndarray of shape (...)
        The step; 0 where g is 0.

    Raises
    ------
    ValueError
        If the curvature along g is not above 0, so that there is no minimum.

    Examples
    --------
    >>> from course_lib.landscapes import valley
    >>> round(float(exact_step(valley(), [-5, -2])), 4)
    0.2537
    """
    x = finite_array("x", x, "Give points of shape (..., d).")
    g = finite_array("g", land.grad(x) if g is None else g, "Give gradients of shape (..., d).")
    require(g.shape == x.shape, "g.shape", g.shape, f"{x.shape}, as of x", "Use land.grad(x).")
    square = np.sum(g * g, axis=-1)
    curvature = np.einsum("...i,...ij,...j->...", g, land.hess(x), g)
    downhill = bool(np.all((curvature > 0) | (square == 0)))
    require(downhill, "land.hess(x)", curvature, "of curvature above 0 along g", "Use golden_section().")
    return square / np.where(square == 0, 1, curvature)
