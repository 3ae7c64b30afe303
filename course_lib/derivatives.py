"""Derivatives of any function by differences and by the complex step; a check for gradients.

Throughout, u is the unit round-off of x's dtype: 1.1e-16 in float64, 6.0e-8 in float32.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from course_lib._checks import finite_array, number_in, one_of, require

__all__ = [
    "METHODS",
    "GradientReport",
    "check_gradient",
    "default_step",
    "derivative",
    "gradient",
    "hessian",
    "hessian_vector",
    "jacobian",
]

METHODS = ("forward", "backward", "central", "five-point", "complex-step", "richardson")
_ONE_SIDED = ("forward", "backward")
_EXPONENTS = dict(zip(METHODS, (1 / 2, 1 / 2, 1 / 3, 1 / 5, 2, 1 / 5), strict=True))
_VERDICTS = ((1e-7, "right"), (1e-4, "probably right (kink or float32?)"), (1e-2, "suspicious"))


def default_step(method, x):
    """Step h = u**p * max(1, |x|) that balances truncation against round-off.

    The exponent p is 1/2 for forward and backward, 1/3 for central, 1/5 for five-point and richardson.
    The complex step subtracts nothing, so any h with h**2 far below u will do: p = 2.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    x : array_like
        Where the derivative is wanted; its dtype decides u.

    Returns
    -------
    float or ndarray of x's shape
        Rounded to (x + h) - x, so that x + h is exact; not for the complex step, which adds h to nothing.

    Raises
    ------
    ValueError
        For bad arguments, and where x + h overflows.

    Examples
    --------
    >>> print(f"{default_step('central', 1.0):.1e}  {default_step('central', np.float32(1)):.1e}")
    4.8e-06  3.9e-03
    """
    one_of("method", method, METHODS)
    x = finite_array("x", x, "Pass a finite number or an array of them.")
    with np.errstate(over="ignore"):
        h = (np.finfo(x.dtype).eps / 2) ** _EXPONENTS[method] * np.maximum(1, np.abs(x))
        h = h if method == "complex-step" else (x + h) - x
    require(bool(np.isfinite(h).all()), "x", x, "so far from overflow that x + h is finite", "Scale x down.")
    return h


def derivative(f, x, h=None, method="central"):
    r"""Differentiate an elementwise function: f'(x), the limit of (f(x + h) - f(x)) / h.

    ============  ====================================================  =============  ===========
    method        formula                                               truncation     calls of f
    ============  ====================================================  =============  ===========
    forward       (f(x+h) - f(x)) / h                                   order 1        2
    backward      (f(x) - f(x-h)) / h                                   order 1        2
    central       D(h) = (f(x+h) - f(x-h)) / 2h                         order 2        2
    five-point    (8(f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h       order 4        4
    complex-step  Im f(x+ih) / h                                        order 2        1
    richardson    (4 D(h/2) - D(h)) / 3, one extrapolation of central   order 4        4
    ============  ====================================================  =============  ===========

    Parameters
    ----------
    f : callable
        Maps an array to an array of the same shape, element by element.
    x : array_like
        Where to differentiate. float32 stays float32; integers become float64.
    h : array_like, optional
        Positive step; an array broadcasts against x, so that one call gives a whole curve of errors
        against h. Default: `default_step`.
    method : str
        One of `METHODS`.

    Returns
    -------
    float or ndarray of the broadcast shape of x and h, in x's dtype

    Raises
    ------
    ValueError
        For bad arguments, and where f raises, changes the shape, or is not finite at a shifted point.

    Notes
    -----
    A given h divides as it stands, though x + h is rounded: so the formula is usually written, and for
    h < u\|x\| it yields 0, which belongs in a curve of errors. Default steps avoid this rounding.

    The complex step needs an analytic f. It raises where f casts to real or returns a real dtype; but where
    f takes a modulus or a real part on the way and yet returns a complex number, it silently gives a wrong
    value.

    References
    ----------
    Fornberg (1988), Table 1, for the stencils; Squire and Trapp (1998) for the complex step.

    Examples
    --------
    >>> print(f"{derivative(lambda x: x**2 - 4*x + 5, 3):.6f}")
    2.000000
    >>> print(derivative(np.exp, 0.0, h=[0.1, 0.01], method="forward").round(3))
    [1.052 1.005]
    """
    x, h = _arguments(f, x, h, method, grows=True)

    def at(t):
        point = x + t
        return _evaluate(f, point, "f", np.shape(point), elementwise=True)

    return _finish(_quotient(at, at(0) if method in _ONE_SIDED else None, h, method), x.dtype)


def gradient(f, x, h=None, method="central"):
    """Differentiate a scalar function by each coordinate: g_i = d/dt f(x + t e_i) at t = 0.

    Calls of f: n + 1 forward or backward, 2n central, 4n five-point or richardson, n complex-step.

    Parameters
    ----------
    f : callable
        Maps an array of x's shape to one number.
    x : array_like
        Where to differentiate: n coordinates, in any shape.
    h : array_like, optional
        Positive step, or one for each coordinate. Default: `default_step`.
    method : str
        One of `METHODS`; `derivative` gives their formulae.

    Returns
    -------
    ndarray of x's shape and dtype

    Raises
    ------
    ValueError
        As in `derivative`.

    Examples
    --------
    >>> print(gradient(lambda x: x[0]**2 + x[1]**2 - 4*x[0] - 4*x[1] + 5, [-1, 3]).round(6))
    [-6.  2.]
    """
    return _partials(f, *_arguments(f, x, h, method), method, "f", shape=())


def jacobian(f, x, h=None, method="central"):
    """Differentiate an array-valued function by each coordinate: J[i, j] = d f_i / d x_j.

    Parameters
    ----------
    f : callable
        Maps an array of x's shape to an array of any one shape.
    x, h, method
        As in `gradient`, and so is the number of calls of f.

    Returns
    -------
    ndarray of shape f(x).shape + x.shape, in x's dtype

    Raises
    ------
    ValueError
        As in `derivative`.

    Examples
    --------
    >>> print(jacobian(lambda x: np.array([x[0] * x[1], x[0], x[1]]), [2.0, 5.0]).round(6))
    [[5. 2.]
     [1. 0.]
     [0. 1.]]
    """
    return _partials(f, *_arguments(f, x, h, method), method, "f")


def hessian(grad, x, h=None, method="central"):
    """Difference a gradient function for the Hessian: its Jacobian J made symmetric, (J + J.T) / 2.

    Parameters
    ----------
    grad : callable
        Maps x of shape (d,) to the gradient there, of shape (d,).
    x, h, method
        As in `gradient`, and so is the number of calls of grad; x has shape (d,).

    Returns
    -------
    ndarray of shape (d, d), in x's dtype

    Raises
    ------
    ValueError
        As in `derivative`, and if x has not exactly one axis.

    Examples
    --------
    >>> print(hessian(lambda x: np.array([0.2 * x[0], 4 * x[1]]), [-5, -2]).round(6))
    [[0.2 0. ]
     [0.  4. ]]
    """
    x, h = _arguments(grad, x, h, method, name="grad")
    require(x.ndim == 1, "x", x, "an array with 1 axis", "Flatten x; grad takes and returns flat arrays.")
    J = _partials(grad, x, h, method, "grad", shape=x.shape)
    return (J + J.T) / 2


def hessian_vector(grad, x, v, h=None):
    r"""Multiply the Hessian by v with one central difference: (grad(x + h v) - grad(x - h v)) / 2h.

    Parameters
    ----------
    grad : callable
        Maps an array of x's shape to the gradient there, of x's shape; called twice, however large x is.
    x, v : array_like
        Point and direction, of one shape.
    h : float, optional
        Positive step. Default: `default_step` for the largest \|x_i\|, divided by the largest \|v_i\|.

    Returns
    -------
    ndarray of x's shape and dtype

    Raises
    ------
    ValueError
        As in `derivative`, and if v has another shape than x.

    Examples
    --------
    >>> print(hessian_vector(lambda x: np.array([0.2 * x[0], 4 * x[1]]), [-5, -2], [1, 1]).round(6))
    [0.2 4. ]
    """
    x, _ = _arguments(grad, x, None, "central", name="grad")
    remedy = f"Pass a direction of x's shape {x.shape}, in the range of {x.dtype}."
    v = finite_array("v", v, remedy)
    require(v.shape == x.shape, "v", v, f"of shape {x.shape}", remedy)
    with np.errstate(over="ignore"):
        v = finite_array("v", v.astype(x.dtype), remedy)
        if h is None:
            h = default_step("central", np.abs(x).max()) / (np.abs(v).max() or 1)
    h = _step(h, x.flat[0])
    return _finish(
        _quotient(lambda t: _evaluate(grad, x + t * v, "grad", x.shape), None, h, "central"), x.dtype
    )


@dataclass(frozen=True)
class GradientReport:
    """What `check_gradient` found: its Returns section lists the fields.

    What it prints does not depend on the processor. A right gradient prints the bound that it meets, since
    what is left is round-off; otherwise the error has 2 digits, and a value that is 0 beside the other is 0.
    """

    relative_error: float
    worst: tuple
    analytic: float
    numerical: float
    verdict: str
    h: float
    method: str

    @property
    def ok(self):
        """Whether the gradient is right or probably right."""
        return self.relative_error <= _VERDICTS[1][0]

    def __repr__(self):
        if self.verdict == "right":
            return f"Gradient check: right\n  relative error < 1e-7 in every coordinate ({self.method})"
        largest = max(abs(self.analytic), abs(self.numerical))
        a, n = (_digits(v, 4) if abs(v) > 1e-6 * largest else "0" for v in (self.analytic, self.numerical))
        place = f"x[{', '.join(map(str, self.worst))}]" if self.worst else "x"
        return (
            f"Gradient check: {self.verdict}\n"
            f"  relative error {_digits(self.relative_error, 2)} ({self.method}, h = {_digits(self.h, 2)})\n"
            f"  worst at {place}: analytic {a}, numerical {n}"
        )


def check_gradient(f, grad, x, h=None, method="central", *, floor=None):
    r"""Compare `grad` with the numerical gradient of `f` at x by \|a - n\| / max(\|a\|, \|n\|, floor).

    Here a is the analytic and n the numerical value of a coordinate. The largest relative error gives the
    verdict: up to 1e-7 right, up to 1e-4 probably right, up to 1e-2 suspicious, above that wrong.

    Parameters
    ----------
    f, grad : callable
        Map an array of x's shape to a number, and to an array of x's shape.
    x, h, method
        As in `gradient`.
    floor : float, optional
        Gradients below it are compared absolutely: where f has no slope, round-off alone makes a quotient of
        about u\|f\|/h. Default: 10 u**(1/4) max(1, \|f(x)\|), which for losses up to 1 is 0.001 in float64,
        0.16 in float32. Take a smaller one for losses of tiny scale.

    Returns
    -------
    GradientReport
        With `relative_error` (the largest), `worst` (index of the first coordinate within 1 % of it),
        `analytic`, `numerical` and the step `h` there, `verdict`, `method`, and `ok` (verdict right or
        probably right).

    Raises
    ------
    ValueError
        As in `gradient`, and where `grad` raises, is not finite or not of x's shape.

    Examples
    --------
    >>> check_gradient(lambda x: (x * x).sum(), lambda x: 2 * x, [1.0, 2.0])
    Gradient check: right
      relative error < 1e-7 in every coordinate (central)
    >>> check_gradient(lambda x: (x * x).sum(), lambda x: x * [2, -2], [1.0, 2.0])
    Gradient check: wrong
      relative error 2 (central, h = 9.6e-06)
      worst at x[1]: analytic -4, numerical 4
    """
    x, h = _arguments(f, x, h, method)
    require(callable(grad), "grad", grad, "a function", "Pass the function itself, not its value.")
    if floor is None:
        size = max(1.0, abs(float(_evaluate(f, x.copy(), "f", ()))))
        floor = 10 * float(np.finfo(x.dtype).eps / 2) ** 0.25 * size
    remedy = "Pass the size below which a gradient counts as 0."
    number_in("floor", floor, 0, np.inf, remedy, open_low=True, open_high=True)
    a = _evaluate(grad, x.copy(), "grad", x.shape).astype(float)
    n = _partials(f, x, h, method, "f", shape=())
    size = np.maximum(np.maximum(np.abs(a), np.abs(n)), floor)
    errors = np.abs(a / size - n / size)
    error = float(errors.max())
    # Equal mistakes differ by round-off: the first of them is named, not the one that came out largest.
    worst = tuple(int(i) for i in np.argwhere(errors >= 0.99 * error)[0])
    verdict = next((text for limit, text in _VERDICTS if error <= limit), "wrong")
    h = np.broadcast_to(h, x.shape)
    return GradientReport(error, worst, float(a[worst]), float(n[worst]), verdict, float(h[worst]), method)


def _quotient(at, origin, h, method):
    """Difference quotient of at(t), the function at x + t; origin is at(0) if the method has it."""

    def D(h):
        return (at(h) - at(-h)) / (2 * h)

    with np.errstate(all="ignore"):
        if method == "forward":
            return (at(h) - origin) / h
        if method == "backward":
            return (origin - at(-h)) / h
        if method == "five-point":
            return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
        if method == "complex-step":
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)  # a cast to real, on the way
                return at(1j * h).imag / h
        if method == "richardson":
            return (4 * D(h / 2) - D(h)) / 3
        return D(h)


def _partials(f, x, h, method, name, shape=None):
    """Partial derivatives, shape f(x).shape + x.shape; all values of f must have one shape."""

    def at(t):
        nonlocal shape
        value = _evaluate(f, x + t * unit, name, shape)
        shape = value.shape
        return value

    unit = np.zeros_like(x)
    origin = at(0) if method in _ONE_SIDED else None
    h = np.broadcast_to(h, x.shape)
    columns = []
    for i in np.ndindex(x.shape):
        unit[i] = 1
        columns.append(_quotient(at, origin, h[i], method))
        unit[i] = 0
    return _finish(np.stack(columns, axis=-1).reshape(shape + x.shape), x.dtype)


def _finish(result, dtype):
    """Return the result in dtype, as a number if it has no axes; refuse an overflow."""
    with np.errstate(over="ignore"):
        result = result.astype(dtype)
    require(bool(np.isfinite(result).all()), "derivative", result, "finite", "Take a larger h, or scale f.")
    return result[()]


def _arguments(f, x, h, method, *, name="f", grows=False):
    """Check what all functions take; return x as a floating array, and its step."""
    require(callable(f), name, f, "a function", "Pass the function itself, not its value.")
    one_of("method", method, METHODS)
    x = finite_array("x", x, "Pass a finite number or an array of them.")
    return x, _step(default_step(method, x) if h is None else h, x, grows=grows)


def _step(h, x, *, grows=False):
    """Return h in x's dtype: positive, far from overflow, of a shape that fits x's (or makes it grow)."""
    remedy = "Pass one step, or one for each x; or leave h out."
    given = finite_array("h", h, remedy)
    limit = np.finfo(x.dtype).max / 16
    with np.errstate(over="ignore", under="ignore"):
        h = given.astype(x.dtype)
    inside = bool(np.all((h > 0) & (h < limit)))
    require(inside, "h", given.tolist(), f"above 0 and below {limit:.0e}, in {x.dtype}", remedy)
    try:
        shape = np.broadcast_shapes(h.shape, x.shape)
    except ValueError:
        shape = None
    fits = shape == x.shape or (grows and shape)
    require(fits, "h", given.tolist(), f"of a shape that broadcasts to x's, {x.shape}", remedy)
    return h


def _evaluate(f, point, name, shape, *, elementwise=False):
    """Return f(point) as a finite array of the given shape (any if None), else say why in a ValueError."""
    remedy = "Take a smaller h, or x further from overflow."
    require(bool(np.isfinite(point).all()), "x + h", point, "finite", remedy)
    try:
        with np.errstate(all="ignore"):
            value = np.array(f(point))  # a copy: f may reuse its memory
    except Exception as error:
        text = f"{name}({_shown(point)}) raised {type(error).__name__}: {error}."
        raise ValueError(f"{text} Call {name} with such an x by itself, and see why.") from error
    kinds, allowed = "iuf", "a real one"
    remedy = f"Let {name} return real numbers (it gives None without `return`)."
    if np.iscomplexobj(point):
        kinds, allowed = "c", "complex for complex x"
        remedy = f"{name} drops the imaginary part, so the complex step would give 0: take another method."
    require(value.dtype.kind in kinds, f"dtype of {name}(x)", value.dtype.name, allowed, remedy)
    allowed = "(), one number" if shape == () else f"{shape}"
    remedy = f"Let {name} return that shape for x of shape {np.shape(point)}."
    require(shape in (None, value.shape), f"shape of {name}(x)", value.shape, allowed, remedy)
    bad = ~np.isfinite(value)
    if bad.any():
        where = _shown(point[bad][0] if elementwise else point)
        remedy = f"Take a smaller h, or x further inside the region where {name} is finite."
        require(False, f"{name}({where})", value[bad][0].item(), "finite", remedy)
    return value


def _shown(point):
    """Return the text of a point, shortened if it is long."""
    return np.array2string(point, threshold=6, edgeitems=2, separator=", ", floatmode="unique")


def _digits(value, n):
    """Return n digits; the nudge decides ties, which round-off would tip either way, on every processor."""
    return f"{value * (1 + 1e-6):.{n}g}"
