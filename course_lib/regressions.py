"""Regressions: landscapes whose value is the loss of a model on data.

Each takes ``rows=``, the indices of a minibatch: ``land.grad(x, rows)`` is the gradient on these examples
only. A batch equals its single evaluations to about 1e-12 relative, not to the bit: sums over examples may be
taken in another order. A result has the wider dtype of data and point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from course_lib._checks import finite_array, number_in, one_of, require, whole_number
from course_lib.landscapes import Landscape, as_points

__all__ = [
    "LOSSES",
    "Regression",
    "SoftmaxRegression",
    "gabor",
    "gabor_data",
    "gabor_model",
    "linear_regression",
    "log_softmax",
    "softmax",
    "softmax_regression",
]

LOSSES = ("mean", "half-mean", "sum")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Regression(Landscape):
    """The loss of a model with parameters x on `n_examples` examples, or on some of them.

    ``land(x, rows)``, ``land.grad(x, rows)`` and ``land.hess(x, rows)`` use the examples with indices `rows`:
    None for all, shape (B,) for one minibatch that every point shares, (..., B) for one minibatch a point.
    The leading axes of `rows` broadcast against those of x.

    Raises
    ------
    ValueError
        If `rows` holds anything but integers from 0 to n_examples - 1, or does not fit x.
    """

    n_examples: int

    def __call__(self, x, rows=None):
        """Loss at `x`: shape (..., d) to (...)."""
        return self._at(x, self.f, rows)

    def grad(self, x, rows=None):
        """Gradient at `x`: shape (..., d) to (..., d)."""
        return self._at(x, self.gradient, rows)

    def hess(self, x, rows=None):
        """Hessian at `x`: shape (..., d) to (..., d, d). ValueError if the landscape has none."""
        return self._at(x, self.hessian, rows)

    def _at(self, x, function, rows):
        x = as_points(x, self.dim)
        return super()._at(x, function, self._indices(x, rows))

    def _indices(self, x, rows):
        if rows is None:
            return slice(None)
        remedy = "Pass the indices that minibatches() gives."
        rows = _below(self.n_examples, "rows", rows, "shape (B,) or (..., B)", remedy)
        try:
            np.broadcast_shapes(x.shape[:-1], rows.shape[:-1])
        except ValueError:
            remedy = "Give each point its own minibatch, or all points one."
            require(False, "rows.shape", rows.shape, f"(B,) or {(*x.shape[:-1], 'B')}", remedy)
        return rows


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SoftmaxRegression(Regression):
    """Softmax regression: class k has probability softmax(Wᵀ x + b)_k.

    Its parameters form one vector theta, shape ((n_features + 1) * n_classes,): W row by row, then b.
    """

    n_features: int
    n_classes: int

    def unpack(self, theta):
        """Split theta, shape (..., d), into W (..., n_features, n_classes) and b (..., n_classes)."""
        table = self._table(theta)
        return table[..., :-1, :], table[..., -1, :]

    def logits(self, theta, X):
        """Wᵀ x + b for each row x of X, shape (n, n_features): shape (..., n, n_classes)."""
        X = finite_array("X", X, "Pass one example a row.", ndim=2)
        remedy = "Pass as many features as the model was made for."
        require(X.shape[1] == self.n_features, "X.shape", X.shape, f"(n, {self.n_features})", remedy)
        with np.errstate(all="ignore"):
            return _with_ones(X) @ self._table(theta)

    def predict(self, theta, X):
        """Most probable class of each row of X: shape (..., n)."""
        return self.logits(theta, X).argmax(-1)

    def accuracy(self, theta, X, y):
        """Share of the rows of X whose most probable class is that in y, shape (n,): shape (...)."""
        found = self.predict(theta, X)
        y = _labels(y, found.shape[-1], self.n_classes)
        return (found == y).mean(-1)

    def _table(self, theta):
        theta = as_points(theta, self.dim, "theta")
        return theta.reshape(*theta.shape[:-1], self.n_features + 1, self.n_classes)


def _with_ones(X):
    """Append a feature that is always 1, so that the bias becomes the last row of the weights."""
    return np.concatenate([X, np.ones_like(X[:, :1])], axis=1)


def _below(n, name, value, shape, remedy):
    """Return `value` as a non-empty array of integers from 0 to n - 1, else raise ValueError."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        array = np.asarray(None)
    whole = array.dtype.kind in "iu" and array.size > 0 and array.ndim > 0
    inside = whole and array.min() >= 0 and array.max() < n
    require(inside, name, value, f"integers from 0 to {n - 1}, {shape}", remedy)
    return array


def _labels(y, n, n_classes):
    """Return `y` as n class numbers below n_classes, else raise ValueError."""
    remedy = "Pass one class number for each row of X."
    y = _below(n_classes, "y", y, f"shape ({n},)", remedy)
    require(y.shape == (n,), "y.shape", y.shape, f"({n},)", remedy)
    return y


def _least_squares(x, y, loss, columns, curve, **fields):
    """Make the loss Σ (m(u) - y)² / N of a model m(u), where u = θ0 columns[0] + θ1 columns[1].

    `curve(u, k)` returns m and its first k derivatives at u.
    """
    loss = one_of("loss", loss, LOSSES)

    def fit(theta, rows, order):
        z = [column[rows] for column in columns]
        m, *slopes = curve(theta[..., :1] * z[0] + theta[..., 1:] * z[1], order)
        n = z[0].shape[-1]
        weight = {"mean": 1 / n, "half-mean": 0.5 / n, "sum": 1.0}[loss]
        return weight, z, m - y[rows], slopes

    def f(theta, rows=slice(None)):
        weight, _, r, _ = fit(theta, rows, 0)
        return weight * (r * r).sum(-1)

    def gradient(theta, rows=slice(None)):
        weight, z, r, (dm,) = fit(theta, rows, 1)
        return 2 * weight * np.stack([(r * dm * zi).sum(-1) for zi in z], axis=-1)

    def hessian(theta, rows=slice(None)):
        weight, z, r, (dm, d2m) = fit(theta, rows, 2)
        bend = dm * dm + r * d2m
        entries = [[(bend * zi * zj).sum(-1) for zj in z] for zi in z]
        return 2 * weight * np.stack([np.stack(row, axis=-1) for row in entries], axis=-2)

    return Regression(f=f, gradient=gradient, hessian=hessian, n_examples=len(x), **fields)


def _pairs(x, y):
    """Return the data of a curve fit as two float arrays of one length, else raise ValueError."""
    x = finite_array("x", x, "Pass the inputs, shape (N,).", ndim=1)
    y = finite_array("y", y, "Pass one value for each x.", ndim=1)
    require(len(x) == len(y), "y.shape", y.shape, f"{x.shape}, as x", "Pass one value for each x.")
    for name, data in (("x", x), ("y", y)):
        with np.errstate(over="ignore"):
            usual = np.isfinite((data * data).sum())
        require(usual, name, data, "numbers with squares that do not overflow", "Rescale the data.")
    return x.copy(), y.copy()  # what the caller does to the data later must not move the landscape


def linear_regression(x, y, loss="mean"):
    """Return the loss of the line a x + b on data, as a function of (a, b).

    mean: Σ (a x_n + b - y_n)² / N; half-mean: half of that; sum: N times that. With `rows`, N counts them.

    Parameters
    ----------
    x, y : array_like, shape (N,)
        Data; x must hold at least two different values, else the best line is not unique.
    loss : {"mean", "half-mean", "sum"}
        Its Hessian, and with it the usable step size, scales with the factor.

    Returns
    -------
    Regression
        Minimum: the least-squares line. Start: (0, 0).

    Raises
    ------
    ValueError
        If the data are not finite, of unequal length or on one x.

    Examples
    --------
    >>> line = linear_regression([0, 1, 2], [1, 3, 5])
    >>> line.minima.tolist(), float(line([2, 0])), line.grad([2, 0]).tolist()
    ([[2.0, 1.0]], 1.0, [-2.0, -2.0])
    """
    x, y = _pairs(x, y)
    with np.errstate(all="ignore"):
        dx = x - x.mean()
        a = float((dx * (y - y.mean())).sum() / (dx * dx).sum())
        b = float(y.mean() - a * x.mean())
    unique = x.min() < x.max() and math.isfinite(a) and math.isfinite(b)
    require(unique, "x", x, "two or more different values", "Through a single x many lines fit equally well.")
    reach = [1.5 * max(1, abs(value)) for value in (a, b)]
    return _least_squares(
        x,
        y,
        loss,
        columns=(x, np.ones_like(x)),
        curve=lambda u, order: (u, 1.0, 0.0)[: order + 1],
        minima=[[a, b]],
        window=[(value - half, value + half) for value, half in zip((a, b), reach, strict=True)],
        start=[0, 0],
        name="linear regression",
    )


def gabor_model(phi, x, width=8.0):
    """Return the Gabor curve f[x, φ] = sin(u) exp(-u² / width), u = φ0 + 0.06 φ1 x.

    Parameters
    ----------
    phi : array_like, shape (..., 2)
        Shift φ0 and frequency φ1.
    x : array_like, shape (N,)
        Inputs.
    width : float
        8 in the lecture decks; the published code of the book below uses 32.

    Returns
    -------
    ndarray, shape (..., N)

    Raises
    ------
    ValueError
        If an argument has the wrong shape or range.

    References
    ----------
    Prince (2023), Understanding Deep Learning, section 6.1.2.

    Examples
    --------
    >>> gabor_model([0, 0], [-1, 0, 1]).tolist()
    [0.0, 0.0, 0.0]
    """
    phi = as_points(phi, 2, "phi")
    x = finite_array("x", x, "Pass the inputs, shape (N,).", ndim=1)
    width = number_in("width", width, 0, math.inf, "Try 8 or 32.", open_low=True, open_high=True)
    with np.errstate(all="ignore"):
        return _wave(phi[..., :1] + 0.06 * x * phi[..., 1:], width, 0)[0]


def _wave(u, width, order):
    """Return sin(u) exp(-u²/width) and its first `order` derivatives."""
    sin, bell, slope = np.sin(u), np.exp(-u * u / width), 2 * u / width
    waves = [sin * bell]
    if order > 0:
        cos = np.cos(u)
        waves.append((cos - slope * sin) * bell)
    if order > 1:
        waves.append(((slope * slope - 2 / width - 1) * sin - 2 * slope * cos) * bell)
    return waves


def gabor_data(rng, n=28, noise=0.1, *, phi=(0.0, 16.6), width=8.0):
    """Draw points of a Gabor curve, y = f[x, φ] + N(0, noise²), with x uniform in [-15, 15] and ascending.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the randomness comes from.
    n : int
        Number of points, at least 2.
    noise : float
        Standard deviation of the noise, at least 0.
    phi, width
        The true curve: see `gabor_model`.

    Returns
    -------
    x, y : ndarray, shape (n,)

    Raises
    ------
    ValueError
        If an argument has the wrong kind, shape or range.

    Examples
    --------
    >>> x, y = gabor_data(np.random.default_rng(0))
    >>> x.shape, bool(abs(x).max() < 15)
    ((28,), True)
    """
    seeded = isinstance(rng, np.random.Generator)
    require(seeded, "rng", rng, "a numpy.random.Generator", "Pass numpy.random.default_rng(seed).")
    n = whole_number("n", n, 2, "Two points at least.")
    noise = number_in("noise", noise, 0, math.inf, "It is a standard deviation.", open_high=True)
    phi = finite_array("phi", phi, "Pass shift and frequency of one curve.", ndim=1)
    x = np.sort(rng.uniform(-15, 15, n))
    return x, gabor_model(phi, x, width) + noise * rng.standard_normal(n)


def gabor(x, y, width=8.0, loss="mean"):
    """Return the loss of the Gabor curve on data, as a function of φ: it has several minima and saddles.

    L[φ] = Σ (f[x_n, φ] - y_n)² / N with f as in `gabor_model`; the factor is that of `loss`.

    Parameters
    ----------
    x, y : array_like, shape (N,)
        Data, for example from `gabor_data`.
    width : float
        Of the bell in the curve: 8 or 32.
    loss : {"mean", "half-mean", "sum"}
        As in `linear_regression`. The book sums.

    Returns
    -------
    Regression
        `minima` holds the local minima found inside the window, lowest first.

    Raises
    ------
    ValueError
        If an argument has the wrong shape or range.

    References
    ----------
    Prince (2023), Understanding Deep Learning, section 6.1.2.

    Examples
    --------
    >>> hills = gabor(*gabor_data(np.random.default_rng(1)))
    >>> len(hills.minima) > 1
    True
    """
    x, y = _pairs(x, y)
    width = number_in("width", width, 0, math.inf, "Try 8 or 32.", open_low=True, open_high=True)
    land = _least_squares(
        x,
        y,
        loss,
        columns=(np.ones_like(x), 0.06 * x),
        curve=lambda u, order: _wave(u, width, order),
        minima=[],
        window=[(-10, 10), (2.5, 22.5)],
        start=[-5, 20],
        name=f"Gabor, width {width:g}",
    )
    return replace(land, minima=_local_minima(land))


def _local_minima(land, n=121, steps=30):
    """Find the minima in a 2-D window, lowest first: hollows of a grid, then Newton's method."""
    low, high = np.array(land.window).T
    cell = (high - low) / (n - 1)
    axes = np.linspace(low - cell, high + cell, n + 2).T  # one cell more, so that an edge has neighbours too
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    loss = np.stack([land(line) for line in grid])  # line by line: the data add an axis
    around = [loss[i : n + i, j : n + j] for i in range(3) for j in range(3)]
    centre = loss[1:-1, 1:-1]
    x = grid[1:-1, 1:-1][(centre == np.min(around, axis=0)) & (centre < np.max(around, axis=0))]
    for _ in range(steps):
        x = x[np.isfinite(land.hess(x)).all((-2, -1))]
        curvature, basis = np.linalg.eigh(land.hess(x))
        slope = basis.mT @ land.grad(x)[..., None]
        step = basis @ (slope / np.maximum(np.abs(curvature), 1e-12)[..., None])
        x = x - np.clip(step[..., 0], -cell, cell)
    settled = np.abs(land.grad(x)).max(-1) < 1e-9 * curvature[:, -1]
    inside = ((x > low) & (x < high)).all(-1)
    isolated = curvature[:, 0] > 1e-9 * curvature[:, -1]  # eigh sorts them
    x = x[settled & inside & isolated]
    near = np.abs(x[:, None] - x).max(-1) < 1e-6
    x = x[~np.tril(near, -1).any(1)]  # the same minimum reached from two hollows counts once
    return x[np.argsort(land(x))]


def log_softmax(z):
    """Return z - log Σ exp(z) over the last axis, safe for large entries.

    Parameters
    ----------
    z : array_like, shape (..., K)
        Logits.

    Returns
    -------
    ndarray, shape (..., K)

    Raises
    ------
    ValueError
        If z has no last axis or holds no numbers.

    Examples
    --------
    >>> log_softmax([1e4, 0, -1e4]).tolist()
    [0.0, -10000.0, -20000.0]
    """
    z = as_points(z, None, "z")
    with np.errstate(all="ignore"):
        z = z - z.max(-1, keepdims=True)  # the largest exponent is 0: nothing overflows
        return z - np.log(np.exp(z).sum(-1, keepdims=True))


def softmax(z):
    """Return exp(z) / Σ exp(z) over the last axis, safe for large entries.

    Parameters, errors as in `log_softmax`.

    Examples
    --------
    >>> softmax([1e4, 1e4, -1e4]).tolist()
    [0.5, 0.5, 0.0]
    """
    with np.errstate(all="ignore"):
        return np.exp(log_softmax(z))


def softmax_regression(X, y, n_classes=None, weight_decay=0.0):
    """Return the cross-entropy of softmax regression on data, as a function of one flat vector theta.

    L = -(1/N) Σ_n log softmax(Wᵀ x_n + b)[y_n] + ½ weight_decay ‖W‖²; biases are not penalised.

    Parameters
    ----------
    X : array_like, shape (N, n_features)
        One example a row.
    y : array_like of int, shape (N,)
        Class numbers from 0.
    n_classes : int, optional
        At least 2; by default the largest class number plus one.
    weight_decay : float
        At least 0.

    Returns
    -------
    SoftmaxRegression
        theta holds W (n_features, n_classes) row by row, then b: see its `unpack`. It starts at 0.
        `minima` is empty (no closed form), `hessian` None.

    Raises
    ------
    ValueError
        If an argument has the wrong shape or range.

    Examples
    --------
    >>> land = softmax_regression([[0, 1], [1, 0], [1, 1]], [0, 1, 1])
    >>> land.dim, round(float(land(land.start)), 4)
    (6, 0.6931)
    """
    X = finite_array("X", X, "Pass one example a row.", ndim=2)
    if n_classes is None:
        remedy = "Number the classes from 0, or pass n_classes."
        n_classes = int(_below(len(X), "y", y, f"shape ({len(X)},)", remedy).max()) + 1
    n_classes = whole_number("n_classes", n_classes, 2, "Pass the number of classes.")
    y = _labels(y, len(X), n_classes)
    decay = number_in("weight_decay", weight_decay, 0, math.inf, "Zero means none.", open_high=True)
    dim = (X.shape[1] + 1) * n_classes
    return SoftmaxRegression(
        **_cross_entropy(_with_ones(X), np.eye(n_classes, dtype=X.dtype)[y], decay),
        n_examples=len(X),
        n_features=X.shape[1],
        n_classes=n_classes,
        minima=[],
        window=[(-1, 1)] * dim,
        start=np.zeros(dim),
        name="softmax regression",
    )


def _cross_entropy(X, target, decay):
    """Value and gradient, for X (N, n_features + 1) with its column of ones and one-hot target (N, K)."""
    shape = X.shape[1], target.shape[1]

    def table(theta):  # the weights, and below them the biases
        return theta.reshape(*theta.shape[:-1], *shape)

    def f(theta, rows=slice(None)):
        logs = log_softmax(X[rows] @ table(theta))
        loss = -np.where(target[rows] > 0, logs, 0).sum(-1).mean(-1)
        W = table(theta)[..., :-1, :]
        return loss + 0.5 * decay * (W * W).sum((-2, -1))

    def gradient(theta, rows=slice(None)):
        x = X[rows]
        error = softmax(x @ table(theta)) - target[rows]
        g = x.mT @ error / x.shape[-2]
        g[..., :-1, :] += decay * table(theta)[..., :-1, :]
        return g.reshape(*g.shape[:-2], math.prod(shape))

    return {"f": f, "gradient": gradient}
