r"""How fast, and whether, descent converges on a quadratic: theory, and a measured map to hold against it.

On a quadratic each eigenvector of the Hessian is a descent of its own, :math:`x_{t+1}` a fixed combination of
:math:`x_t` and :math:`x_{t-1}`. The error shrinks by the larger root of a polynomial of degree two at each
step, and the slowest eigenvalue decides: the *rate* is that factor, below 1 where the method converges.

Momentum is in the convention "sum-of-gradients" throughout: v = βv + g, x −= lr·v. In "sum-of-steps" all is
the same; in "average-of-gradients" with lr, put lr·(1 − β) in the place of lr here.

References
----------
B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", USSR Computational
Mathematics and Mathematical Physics 4 (1964). L. Lessard, B. Recht and A. Packard, "Analysis and design of
optimization algorithms via integral quadratic constraints", SIAM Journal on Optimization 26 (2016), table 1.
"""

import math

import numpy as np

from course_lib._checks import finite_array, number_in, require, whole_number
from course_lib.descent import minimize
from course_lib.landscapes import Landscape
from course_lib.optimizers import Momentum

__all__ = [
    "best_gd",
    "best_momentum",
    "best_nesterov",
    "damping",
    "gd_limit",
    "gd_rate",
    "measured_rate",
    "momentum_limit",
    "momentum_rate",
    "nesterov_limit",
    "nesterov_rate",
    "noise_variance",
    "rate_map",
]


def gd_rate(lr, eigenvalues):
    """Return max |1 − lr·λ|, the factor by which gradient descent shrinks the error at each step.

    Parameters
    ----------
    lr : float or array_like
        Learning rate, at least 0.
    eigenvalues : array_like of shape (d,)
        The Hessian's eigenvalues λ, all above 0.

    Returns
    -------
    float or ndarray of lr's shape
        Below 1 where it converges.

    Raises
    ------
    ValueError
        If a learning rate is negative, an eigenvalue not above 0, or either not finite.

    Examples
    --------
    >>> round(gd_rate(0.4, [0.2, 4]), 3)  # the valley
    0.92
    """
    return momentum_rate(lr, 0.0, eigenvalues)


def momentum_rate(lr, beta, eigenvalues):
    """Return the factor by which momentum shrinks the error at each step in the long run.

    The largest root, in modulus, of r² − (1 + β − lr·λ) r + β over all eigenvalues. Where the roots are
    complex, it is √β, whatever lr and λ are.

    Parameters
    ----------
    lr, beta : float or array_like
        Learning rates (at least 0) and momenta (0 to 1), which broadcast against each other.
    eigenvalues : array_like of shape (d,)
        The Hessian's eigenvalues λ, all above 0.

    Returns
    -------
    float or ndarray
        Below 1 where it converges.

    Raises
    ------
    ValueError
        If a value is out of its range.

    Examples
    --------
    >>> round(momentum_rate(0.6, 0.5, [0.2, 4]), 3)  # √0.5
    0.707
    """
    lr, beta, eigenvalues = _settings(lr, beta, eigenvalues)
    return _slowest(1 + beta - lr * eigenvalues, beta)


def nesterov_rate(lr, beta, eigenvalues):
    """Return the factor by which Nesterov's method shrinks the error at each step in the long run.

    The largest root, in modulus, of r² − (1 + β)(1 − lr·λ) r + β(1 − lr·λ) over all eigenvalues. The
    arguments, the result and the errors are those of `momentum_rate`; all forms of the method agree.

    Examples
    --------
    >>> round(nesterov_rate(0.25, 0.6, [0.2, 4]), 3)
    0.847
    """
    lr, beta, eigenvalues = _settings(lr, beta, eigenvalues)
    shrink = 1 - lr * eigenvalues
    return _slowest((1 + beta) * shrink, beta * shrink)


def gd_limit(eigenvalues):
    """Return 2/λ_max: gradient descent converges for learning rates above 0 and below it.

    Examples
    --------
    >>> gd_limit([0.2, 4])
    0.5
    """
    return momentum_limit(0.0, eigenvalues)


def momentum_limit(beta, eigenvalues):
    """Return 2(1 + β)/λ_max: momentum with β < 1 converges for learning rates above 0 and below it.

    Parameters
    ----------
    beta : float or array_like
        Momentum, 0 to 1.
    eigenvalues : array_like of shape (d,)
        The Hessian's eigenvalues, all above 0.

    Returns
    -------
    float or ndarray of beta's shape

    Raises
    ------
    ValueError
        If a value is out of its range.

    Examples
    --------
    >>> momentum_limit(0.5, [0.2, 4])
    0.75
    """
    _, beta, eigenvalues = _settings(0.0, beta, eigenvalues)
    return _plain(2 * (1 + beta[..., 0]) / eigenvalues.max())


def nesterov_limit(beta, eigenvalues):
    """Return 2(1 + β)/((1 + 2β) λ_max), below which Nesterov's method with β < 1 converges.

    The arguments, the result and the errors are those of `momentum_limit`. More momentum means smaller steps.

    Examples
    --------
    >>> nesterov_limit(0.5, [0.2, 4])
    0.375
    """
    _, beta, eigenvalues = _settings(0.0, beta, eigenvalues)
    return _plain(2 * (1 + beta[..., 0]) / ((1 + 2 * beta[..., 0]) * eigenvalues.max()))


def best_gd(eigenvalues):
    """Return the best constant learning rate 2/(λ_min + λ_max), and its rate (κ − 1)/(κ + 1).

    Parameters
    ----------
    eigenvalues : array_like of shape (d,)
        The Hessian's eigenvalues, all above 0. Only the smallest and the largest matter.

    Returns
    -------
    lr, rate : float

    Raises
    ------
    ValueError
        If an eigenvalue is not above 0 or not finite.

    Examples
    --------
    >>> best_gd([1, 9])
    (0.2, 0.8)
    """
    low, high = _ends(eigenvalues)
    return 2 / (low + high), (high - low) / (high + low)


def best_momentum(eigenvalues):
    """Return the best constants lr = (2/(√λ_min + √λ_max))² and β = ((√κ − 1)/(√κ + 1))², and the rate √β.

    The argument and the errors are those of `best_gd`.

    Returns
    -------
    lr, beta, rate : float

    Examples
    --------
    >>> best_momentum([1, 9])
    (0.25, 0.25, 0.5)
    """
    low, high = np.sqrt(_ends(eigenvalues)).tolist()
    rate = (high - low) / (high + low)
    return (2 / (low + high)) ** 2, rate**2, rate


def best_nesterov(eigenvalues):
    """Return the best constants lr = 4/(3λ_max + λ_min) and β = (q − 2)/(q + 2), and the rate 1 − 2/q.

    Here q = √(3κ + 1). The argument and the errors are those of `best_gd`.

    Returns
    -------
    lr, beta, rate : float

    Examples
    --------
    >>> best_nesterov([1, 5])
    (0.25, 0.3333333333333333, 0.5)
    """
    low, high = _ends(eigenvalues)
    q = math.sqrt(3 * high / low + 1)
    return 4 / (3 * high + low), (q - 2) / (q + 2), 1 - 2 / q


def damping(lr, beta, eigenvalue):
    """Say how the error moves along one eigenvector, as one says of a spring with friction.

    With r = √(lr·λ): over-damped below β = (1 − r)², where it creeps in without swinging; critically damped
    at it; under-damped above, where it swings. From r = 1 + √β on, both roots are negative: the error
    changes sign at each step.

    Parameters
    ----------
    lr, beta, eigenvalue : float
        Learning rate (above 0), momentum (0 to 1), eigenvalue λ (above 0).

    Returns
    -------
    {"over-damped", "critically damped", "under-damped", "alternating"}

    Raises
    ------
    ValueError
        If a value is out of its range.

    Examples
    --------
    >>> [damping(0.01, beta, 1) for beta in (0.5, 0.81, 0.9)]
    ['over-damped', 'critically damped', 'under-damped']
    """
    lr = number_in("lr", lr, 0, math.inf, "Give a learning rate.", open_low=True, open_high=True)
    beta = number_in("beta", beta, 0, 1, "0.9 is usual.")
    remedy = "Give an eigenvalue of the Hessian."
    eigenvalue = number_in("eigenvalue", eigenvalue, 0, math.inf, remedy, open_low=True, open_high=True)
    r = math.sqrt(lr * eigenvalue)
    if r >= 1 + math.sqrt(beta):
        return "alternating"
    gap = math.sqrt(beta) - (1 - r)
    if math.isclose(gap, 0, abs_tol=1e-12):
        return "critically damped"
    return "over-damped" if gap < 0 else "under-damped"


def noise_variance(lr, beta, eigenvalue, sigma):
    r"""Return the variance in which x ends on ½λx² if each gradient carries noise of variance σ².

    .. math:: \frac{\eta\,\sigma^2 (1 + \beta)}{(1 - \beta)\,\lambda\,(2 + 2\beta - \eta\lambda)}

    For small lr it is lr σ²/(2 λ (1 − β)): momentum with lr(1 − β) is as noisy as gradient descent with lr.

    Parameters
    ----------
    lr, beta, eigenvalue, sigma : float or array_like
        They broadcast against each other. lr and λ are above 0, β is in [0, 1), σ at least 0.

    Returns
    -------
    float or ndarray

    Raises
    ------
    ValueError
        If a value is out of its range, or lr is not below 2(1 + β)/λ, where nothing settles.

    Examples
    --------
    >>> noise_variance(0.5, 0.0, 2.0, 3.0)
    2.25
    """
    lr = _positive("lr", lr, "Give a learning rate above 0.")
    eigenvalue = _positive("eigenvalue", eigenvalue, "Give an eigenvalue of the Hessian above 0.")
    beta = finite_array("beta", beta, "Give a momentum in [0, 1).")
    sigma = finite_array("sigma", sigma, "Give the noise's standard deviation.")
    inside = bool(((beta >= 0) & (beta < 1)).all())
    require(inside, "beta", beta, "in [0, 1)", "With β = 1 the noise adds up for ever.")
    require(bool((sigma >= 0).all()), "sigma", sigma, "at least 0", "Give the noise's standard deviation.")
    rest = 2 + 2 * beta - lr * eigenvalue
    require(bool((rest > 0).all()), "lr", lr, "below 2(1 + beta)/eigenvalue", "Beyond it nothing settles.")
    return _plain(lr * sigma * sigma * (1 + beta) / ((1 - beta) * eigenvalue * rest))


def measured_rate(path):
    """Return the factor by which the gradient's norm changed at each step, late in a path.

    The largest norm of the last quarter is held against that of the second, so that swings even out.

    Parameters
    ----------
    path : Path
        Of at least 8 recorded steps.

    Returns
    -------
    float or ndarray of the batch's shape
        0 where the gradient became 0, NaN for members that diverged.

    Raises
    ------
    ValueError
        If the path is too short.

    Examples
    --------
    >>> from course_lib.landscapes import quadratic
    >>> from course_lib.optimizers import GradientDescent
    >>> path = minimize(quadratic(9), [-1.0, -1.0], GradientDescent(0.2), 100)
    >>> round(measured_rate(path), 3)
    0.8
    """
    require(len(path.t) >= 8, "path", path, "a path of at least 8 recorded steps", "Take more steps.")
    quarter = len(path.t) // 4
    early, late = (path.grad_norm[end - quarter : end].max(axis=0) for end in (2 * quarter, 4 * quarter))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(late == 0, 0.0, late / early)
    return _plain(ratio ** (1 / (path.t[4 * quarter - 1] - path.t[2 * quarter - 1])))


def rate_map(eigenvalues, lrs, betas, steps=100, rule=Momentum):
    """Measure the rate for each pair of settings, on the quadratic of these eigenvalues, in one batched run.

    Parameters
    ----------
    eigenvalues : array_like of shape (d,)
        The Hessian's eigenvalues, all above 0. Each run starts at (1, …, 1).
    lrs, betas : array_like of shapes (m,) and (n,)
        Learning rates (at least 0) and momenta (0 to 1).
    steps : int, default 100
        Length of each run, at least 8. Slow swings need more.
    rule : callable, default Momentum
        ``rule(lr, beta)`` returns the optimizer.

    Returns
    -------
    ndarray of shape (n, m)
        `measured_rate` for each pair, β by rows; above 1 where it diverges (infinity beyond 1e300).

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> rate_map([1, 9], [0.2, 0.25], [0, 0.25]).round(2)
    array([[0.8 , 1.25],
           [0.69, 0.51]])
    """
    eigenvalues = _spectrum(eigenvalues)
    lrs = finite_array("lrs", lrs, "Give learning rates.", ndim=1)
    betas = finite_array("betas", betas, "Give momenta.", ndim=1)
    whole_number("steps", steps, 8, "100 is usual.")
    problem = Landscape(
        f=lambda x: 0.5 * np.add.reduce(eigenvalues * x * x, axis=-1),
        gradient=lambda x: eigenvalues * x,
        minima=np.zeros((1, len(eigenvalues))),
        start=np.ones(len(eigenvalues)),
        window=[(-1.5, 1.5)] * len(eigenvalues),
        name="quadratic",
    )
    optimizer = rule(lrs[None, :, None], betas[:, None, None])
    path = minimize(problem, problem.start, optimizer, steps, limit=1e300)
    return np.where(path.diverged, math.inf, measured_rate(path))


def _slowest(b, c):
    """Return the largest modulus of the roots of r² − b r + c, over the last axis."""
    with np.errstate(over="ignore"):
        square = b * b - 4 * c
    real = (np.abs(b) + np.sqrt(np.maximum(square, 0))) / 2
    return _plain(np.where(square < 0, np.sqrt(np.maximum(c, 0)), real).max(axis=-1))


def _settings(lr, beta, eigenvalues):
    """Return lr and beta with a new last axis, against which the eigenvalues broadcast."""
    lr, beta = finite_array("lr", lr, "Give learning rates."), finite_array("beta", beta, "Give momenta.")
    inside = bool(((lr >= 0) & (lr < 1e100)).all())
    require(inside, "lr", lr, "in [0, 1e100)", "Start with a small number such as 0.1.")
    require(bool(((beta >= 0) & (beta <= 1)).all()), "beta", beta, "in [0, 1]", "0.9 is usual.")
    return lr[..., None], beta[..., None], _spectrum(eigenvalues)


def _spectrum(eigenvalues):
    return _positive("eigenvalues", eigenvalues, "Give those of a Hessian with one minimum.", ndim=1)


def _positive(name, value, remedy, ndim=None):
    array = finite_array(name, value, remedy, ndim=ndim)
    require(bool(((array > 0) & (array < 1e100)).all()), name, value, "in (0, 1e100)", remedy)
    return array


def _ends(eigenvalues):
    """Return the smallest and the largest eigenvalue."""
    eigenvalues = _spectrum(eigenvalues)
    return float(eigenvalues.min()), float(eigenvalues.max())


def _plain(value):
    """Return a number for an array without axes."""
    return float(value) if np.ndim(value) == 0 else value
