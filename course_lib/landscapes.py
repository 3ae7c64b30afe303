"""Landscapes: functions to walk down, each with its exact gradient and Hessian.

A landscape is called at points of shape ``(..., d)``: ``land(x)`` has shape ``(...)``, ``land.grad(x)`` has
shape ``(..., d)``, ``land.hess(x)`` has shape ``(..., d, d)``. Here stand those given by a formula; those
that measure a model against data stand in `course_lib.regressions`.

The formulas hold only ``+ - * /``, coordinate by coordinate, and no powers: such operations round in the
same way for one point and for ten thousand, so a batch equals its single evaluations bit for bit, and float32
stays float32. Points that ran off to infinity are evaluated quietly: divergence is part of the subject.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from course_lib._checks import finite_array, number_in, require, whole_number

__all__ = [
    "Landscape",
    "Quadratic",
    "as_points",
    "beale",
    "bowl",
    "himmelblau",
    "noisy",
    "plateau",
    "quadratic",
    "rosenbrock",
    "saddle",
    "valley",
]


def as_points(x, dim, name="x"):
    """Return `x` as a floating array of points, shape (..., dim).

    Parameters
    ----------
    x : array_like, shape (..., dim)
        Points. Integers become float64; float32 and complex numbers stay; NaN and infinity pass.
    dim : int or None
        Number of coordinates of a point; None for any number but 0.
    name : str
        What to call `x` in an error.

    Returns
    -------
    ndarray, shape (..., dim)

    Raises
    ------
    ValueError
        If `x` does not hold numbers, or its last axis does not have `dim` entries.

    Examples
    --------
    >>> as_points([[1, 2], [3, 4]], 2).dtype
    dtype('float64')
    """
    try:
        array = np.asarray(x)
    except ValueError:  # rows of different lengths
        array = np.asarray(None)
    shape = f"(..., {'d' if dim is None else dim})"
    require(array.dtype.kind in "iufc", name, x, f"numbers in shape {shape}", "Pass an array of floats.")
    if array.dtype.kind in "iu" or array.dtype == np.float16:
        array = array.astype(np.float64)
    remedy = "Put the coordinates of a point on the last axis."
    last = array.shape[-1] if array.ndim else 0
    require(last > 0 and dim in (None, last), f"{name}.shape", array.shape, shape, remedy)
    return array


@dataclass(frozen=True, eq=False, kw_only=True)  # eq by identity: arrays have no one truth value
class Landscape:
    """A function of d variables with its exact derivatives and what a picture of it needs.

    Parameters
    ----------
    f : callable
        Points (..., d) to values (...).
    gradient : callable
        Points (..., d) to gradients (..., d).
    hessian : callable, optional
        Points (..., d) to Hessians (..., d, d).
    minima : array_like, shape (k, d)
        The local minima, lowest first; k = 0 if there is none or none is known.
    window : sequence of d pairs (low, high)
        The part worth drawing.
    start : array_like, shape (d,)
        Where a descent usually sets out.
    name : str
        How to call it in a title.

    Raises
    ------
    ValueError
        If the shapes do not fit together; on evaluation, if the last axis of x is not d.

    Examples
    --------
    >>> cup = Landscape(
    ...     f=lambda x: x[..., 0] * x[..., 0], gradient=lambda x: 2 * x,
    ...     minima=[[0]], window=[(-2, 2)], start=[1], name="cup",
    ... )
    >>> cup
    <Landscape 'cup', dim=1>
    >>> cup([[1], [3]]).tolist(), cup.grad([3]).tolist()
    ([1.0, 9.0], [6.0])
    """

    f: Callable
    gradient: Callable
    hessian: Callable | None = None
    minima: np.ndarray
    window: tuple
    start: np.ndarray
    name: str

    def __post_init__(self):
        for field in ("f", "gradient"):
            value = getattr(self, field)
            require(callable(value), field, value, "a function of points (..., d)", "Pass a function.")
        start = np.array(finite_array("start", self.start, "Pass one point, shape (d,).", ndim=1))
        none = np.size(self.minima) == 0
        minima = np.zeros((0, start.size)) if none else as_points(self.minima, start.size, "minima").copy()
        require(minima.ndim == 2, "minima.shape", minima.shape, "(k, d)", "Pass a list of points.")
        window = finite_array("window", self.window, "Pass a pair (low, high) for each axis.", ndim=2)
        fits = window.shape == (start.size, 2) and bool((window[:, 0] < window[:, 1]).all())
        require(fits, "window", self.window, f"{start.size} pairs low < high", "Pass one pair for each axis.")
        start.flags.writeable = minima.flags.writeable = False  # `x -= ...` on land.start must not move it
        self._set(start=start, minima=minima, window=tuple(map(tuple, window.tolist())))

    def _set(self, **fields):
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    @property
    def dim(self):
        """Number of variables d."""
        return self.start.size

    def __call__(self, x):
        """Value at `x`: shape (..., d) to (...)."""
        return self._at(x, self.f)

    def grad(self, x):
        """Gradient at `x`: shape (..., d) to (..., d)."""
        return self._at(x, self.gradient)

    def hess(self, x):
        """Hessian at `x`: shape (..., d) to (..., d, d). ValueError if the landscape has none."""
        return self._at(x, self.hessian)

    def _at(self, x, function, *rows):
        remedy = "Difference the gradient instead: course_lib.derivatives.hessian(land.grad, x)."
        require(function is not None, "hessian", None, "a function for hess to work", remedy)
        with np.errstate(all="ignore"):  # a diverging run passes through inf and nan
            return function(as_points(x, self.dim), *rows)

    def __repr__(self):
        return f"<{type(self).__name__} {self.name!r}, dim={self.dim}>"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Quadratic(Landscape):
    """A landscape with one Hessian everywhere; `eigenvalues`, shape (d,), are that Hessian's, ascending."""

    eigenvalues: np.ndarray

    def __post_init__(self):
        super().__post_init__()
        remedy = "Pass those of the Hessian."
        eigenvalues = np.array(finite_array("eigenvalues", self.eigenvalues, remedy, ndim=1))
        require(
            eigenvalues.shape == self.start.shape, "eigenvalues", eigenvalues, f"{self.dim} numbers", remedy
        )
        eigenvalues.flags.writeable = False
        self._set(eigenvalues=eigenvalues)


def _vector(x, entries):
    """Stack d entries, each of shape (...) or a number, to (..., d) in the dtype of x."""
    out = np.empty(x.shape, x.dtype)
    for i, entry in enumerate(entries):
        out[..., i] = entry
    return out


def _formula(kind=Landscape, *, f, gradient, hessian, **fields):
    """Make a landscape from formulas in the coordinates: value, d gradient entries, d rows of the Hessian."""

    def coordinates(x):
        return (x[..., i] for i in range(x.shape[-1]))

    return kind(
        f=lambda x: f(*coordinates(x)),
        gradient=lambda x: _vector(x, gradient(*coordinates(x))),
        hessian=lambda x: np.stack([_vector(x, row) for row in hessian(*coordinates(x))], axis=-2),
        **fields,
    )


def valley():
    """Return the long valley f(x) = 0.1 x0² + 2 x1², condition number 20, minimum 0 at the origin.

    Notes
    -----
    Start (-5, -2). Zhang et al., Dive into Deep Learning, ch. 12 (momentum).

    Examples
    --------
    >>> valley().grad([-5, -2]).tolist()
    [-1.0, -8.0]
    """
    return _formula(
        Quadratic,
        f=lambda x0, x1: 0.1 * x0 * x0 + 2 * x1 * x1,
        gradient=lambda x0, x1: (0.2 * x0, 4 * x1),
        hessian=lambda x0, x1: ((0.2, 0), (0, 4)),
        eigenvalues=[0.2, 4],
        minima=[[0, 0]],
        window=[(-6, 2), (-3, 3)],
        start=[-5, -2],
        name="valley",
    )


def quadratic(kappa, angle=0.0, dim=2):
    """Return f(x) = ½ Σ λ_i u_i², u = x turned by `angle`, with condition number `kappa`.

    Parameters
    ----------
    kappa : float
        λ_max / λ_min, at least 1. The eigenvalues go from 1 to kappa in equal ratios.
    angle : float
        Radians from the first axis to the flattest direction (λ = 1), towards the last axis. The plane of
        these two axes is turned: u_0 = c x_0 + s x_{d-1}, u_{d-1} = c x_{d-1} - s x_0.
    dim : int
        Number of variables, at least 2.

    Returns
    -------
    Quadratic
        Minimum 0 at the origin; it starts where each u_i is -1.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> quadratic(100, dim=3).eigenvalues.tolist()
    [1.0, 10.0, 100.0]
    """
    kappa = number_in("kappa", kappa, 1, math.inf, "The roundest bowl has kappa = 1.", open_high=True)
    angle = number_in("angle", angle, -math.inf, math.inf, "Give radians.", open_low=True, open_high=True)
    dim = whole_number("dim", dim, 2, "One variable has no condition number.")
    eigenvalues = np.geomspace(1, kappa, dim)

    def scale(u):
        return eigenvalues.astype(u.dtype) * u

    def f(x):
        u = _turn(x, angle)
        terms = u * scale(u)
        return 0.5 * sum(terms[..., i] for i in range(dim))  # np.sum's order depends on the batch

    def gradient(x):
        return _turn(scale(_turn(x, angle)), -angle)

    rows = gradient(np.eye(dim))
    matrix = (rows + rows.T) / 2  # equal to the last bit on both sides of the diagonal
    return Quadratic(
        f=f,
        gradient=gradient,
        hessian=lambda x: np.broadcast_to(matrix.astype(x.dtype), (*x.shape, dim)).copy(),
        eigenvalues=eigenvalues,
        minima=np.zeros((1, dim)),
        window=[(-1.5, 1.5)] * dim,
        start=_turn(-np.ones(dim), -angle),
        name=f"quadratic, κ = {kappa:g}",
    )


def _turn(x, angle):
    """Coordinates of x along axes turned by `angle` in the plane of the first and the last."""
    cos, sin = math.cos(angle), math.sin(angle)
    u = x.copy()
    u[..., 0] = cos * x[..., 0] + sin * x[..., -1]
    u[..., -1] = cos * x[..., -1] - sin * x[..., 0]
    return u


def bowl():
    """Return the round bowl f(x) = x0² + x1² - 4 x0 - 4 x1 + 5, minimum -3 at (2, 2).

    Examples
    --------
    >>> bowl().grad([[-1, -1], [3, 3]]).tolist()
    [[-6.0, -6.0], [2.0, 2.0]]
    """
    return _formula(
        Quadratic,
        f=lambda x0, x1: x0 * x0 + x1 * x1 - 4 * x0 - 4 * x1 + 5,
        gradient=lambda x0, x1: (2 * x0 - 4, 2 * x1 - 4),
        hessian=lambda x0, x1: ((2, 0), (0, 2)),
        eigenvalues=[2, 2],
        minima=[[2, 2]],
        window=[(-2, 5), (-2, 5)],
        start=[-1, -1],
        name="bowl",
    )


def saddle():
    """Return the saddle f(x) = x0² - x1²: stationary at the origin, without minimum and unbounded below.

    Notes
    -----
    It starts at (-1, 0.01), close to the axis along which a descent runs into the saddle point.

    Examples
    --------
    >>> saddle().eigenvalues.tolist()
    [-2.0, 2.0]
    """
    return _formula(
        Quadratic,
        f=lambda x0, x1: x0 * x0 - x1 * x1,
        gradient=lambda x0, x1: (2 * x0, -2 * x1),
        hessian=lambda x0, x1: ((2, 0), (0, -2)),
        eigenvalues=[-2, 2],
        minima=[],
        window=[(-1.5, 1.5), (-1.5, 1.5)],
        start=[-1, 0.01],
        name="saddle",
    )


def rosenbrock():
    """Return Rosenbrock's banana valley f(x) = 100 (x1 - x0²)² + (1 - x0)², minimum 0 at (1, 1).

    References
    ----------
    Rosenbrock (1960), The Computer Journal 3, 175: function and start (-1.2, 1).

    Examples
    --------
    >>> rosenbrock().grad([0, 1]).tolist()
    [-2.0, 200.0]
    """

    def rise(x0, x1):
        return x1 - x0 * x0

    return _formula(
        f=lambda x0, x1: 100 * rise(x0, x1) * rise(x0, x1) + (1 - x0) * (1 - x0),
        gradient=lambda x0, x1: (-400 * x0 * rise(x0, x1) - 2 * (1 - x0), 200 * rise(x0, x1)),
        hessian=lambda x0, x1: ((800 * x0 * x0 - 400 * rise(x0, x1) + 2, -400 * x0), (-400 * x0, 200)),
        minima=[[1, 1]],
        window=[(-2, 2), (-1, 3)],
        start=[-1.2, 1],
        name="Rosenbrock",
    )


def beale():
    """Return Beale's function, steep walls round a flat valley, minimum 0 at (3, 0.5).

    f(x) = (1.5 - x0 + x0 x1)² + (2.25 - x0 + x0 x1²)² + (2.625 - x0 + x0 x1³)²

    References
    ----------
    Moré, Garbow, Hillstrom (1981), ACM Transactions on Mathematical Software 7, 17, problem 5: start (1, 1).

    Examples
    --------
    >>> float(beale()([0, 0]))
    14.203125
    """

    def parts(x, y):  # each residual is c + x q; dq and ddq are the derivatives of q by y
        q = (y - 1, y * y - 1, y * y * y - 1)
        residuals = [c + x * qi for c, qi in zip((1.5, 2.25, 2.625), q, strict=True)]
        return residuals, q, (1, 2 * y, 3 * y * y), (0, 2, 6 * y)

    def dot(a, b):
        return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]

    def gradient(x, y):
        r, q, dq, _ = parts(x, y)
        return 2 * dot(r, q), 2 * x * dot(r, dq)

    def hessian(x, y):
        r, q, dq, ddq = parts(x, y)
        cross = 2 * dot(r, dq) + 2 * x * dot(q, dq)
        return (2 * dot(q, q), cross), (cross, 2 * x * (x * dot(dq, dq) + dot(r, ddq)))

    return _formula(
        f=lambda x, y: dot(parts(x, y)[0], parts(x, y)[0]),
        gradient=gradient,
        hessian=hessian,
        minima=[[3, 0.5]],
        window=[(-4.5, 4.5), (-4.5, 4.5)],
        start=[1, 1],
        name="Beale",
    )


def himmelblau():
    """Return Himmelblau's f(x) = (x0² + x1 - 11)² + (x0 + x1² - 7)²: four minima, all of value 0.

    References
    ----------
    Himmelblau (1972), Applied Nonlinear Programming, McGraw-Hill.

    Examples
    --------
    >>> float(himmelblau()([3, 2]))
    0.0
    """

    def p(x, y):
        return x * x + y - 11

    def q(x, y):
        return x + y * y - 7

    return _formula(
        f=lambda x, y: p(x, y) * p(x, y) + q(x, y) * q(x, y),
        gradient=lambda x, y: (4 * x * p(x, y) + 2 * q(x, y), 2 * p(x, y) + 4 * y * q(x, y)),
        hessian=lambda x, y: (
            (8 * x * x + 4 * p(x, y) + 2, 4 * (x + y)),
            (4 * (x + y), 8 * y * y + 4 * q(x, y) + 2),
        ),
        minima=[
            [3, 2],
            [-2.805118086952745, 3.131312518250573],
            [-3.779310253377747, -3.2831859912861696],
            [3.5844283403304917, -1.8481265269644036],
        ],
        window=[(-6, 6), (-6, 6)],
        start=[0, 0],
        name="Himmelblau",
    )


def plateau():
    """Return a 1-D function with a plateau, a shallow local minimum and a global one.

    f(x) = -½ / (1 + 4 (x + 1)²) - 2 / (1 + (x - 2)²)

    Two dents in a plain at height 0. From the start at -5, on the nearly flat plain, the way leads over the
    shallow dent (minimum -0.70 near -0.97) and a ridge (-0.48 near -0.21) to the deep one (-2.01 near 2.00).
    Beyond it the plain rises again, so a descent that runs too fast is pulled back only weakly.

    Examples
    --------
    >>> plateau().minima.round(2).tolist()
    [[2.0], [-0.97]]
    """

    def parts(x):
        a, b = x + 1, x - 2
        return a, b, 1 + 4 * a * a, 1 + b * b

    def f(x):
        _, _, p, q = parts(x)
        return -0.5 / p - 2 / q

    def gradient(x):
        a, b, p, q = parts(x)
        return (4 * a / (p * p) + 4 * b / (q * q),)

    def hessian(x):
        a, b, p, q = parts(x)
        return ((4 * (p - 16 * a * a) / (p * p * p) + 4 * (q - 4 * b * b) / (q * q * q),),)

    return _formula(
        f=f,
        gradient=gradient,
        hessian=hessian,
        minima=[[1.9978039528007459], [-0.9689400235023382]],
        window=[(-7, 7)],
        start=[-5],
        name="plateau",
    )


def noisy(land, sigma, rng):
    """Return `land` with independent N(0, sigma²) noise added to each entry of its gradient.

    Parameters
    ----------
    land : Landscape
        Value and Hessian stay exact.
    sigma : float
        Standard deviation of the noise, at least 0.
    rng : numpy.random.Generator
        Where the noise comes from. Each call of `grad` draws afresh.

    Returns
    -------
    Landscape
        Of the same class as `land`.

    Raises
    ------
    ValueError
        If an argument is of the wrong kind or sigma is negative.

    Examples
    --------
    >>> shaky = noisy(bowl(), 0.1, np.random.default_rng(0))
    >>> bool((shaky.grad([2, 2]) == shaky.grad([2, 2])).any())
    False
    """
    require(isinstance(land, Landscape), "land", land, "a Landscape", "Pass for example valley().")
    sigma = number_in("sigma", sigma, 0, math.inf, "It is a standard deviation.", open_high=True)
    seeded = isinstance(rng, np.random.Generator)
    require(seeded, "rng", rng, "a numpy.random.Generator", "Pass numpy.random.default_rng(seed).")

    def gradient(x, *rows):
        g = land.gradient(x, *rows)
        return g + sigma * rng.standard_normal(g.shape).astype(g.dtype)

    return dataclasses.replace(land, gradient=gradient, name=f"{land.name}, noisy")
