r"""The layers of a network, each with the derivative of its own step.

A layer is a frozen object without parameters of its own. It has

``shapes``
    the shapes of its parameters, a tuple (empty for an activation);
``start(rng)``
    their first values;
``forward(params, x, train, rng, stats) -> (y, cache)``
    the outputs for a batch x of shape ``(B, n_in)``, and what the way back needs;
``backward(params, cache, dy, out) -> dx``
    from the loss's derivative by y its derivative by x; that by the parameters is written into `out`.

``spared`` says that weight decay leaves all its parameters alone; a Dense layer spares its biases.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from course_lib._checks import number_in, require, whole_number
from course_lib.initializers import he

__all__ = [
    "ELU",
    "BatchNorm",
    "Dense",
    "Dropout",
    "LayerNorm",
    "LeakyReLU",
    "ReLU",
    "Sigmoid",
    "Tanh",
    "mean_squared_error",
    "softmax_cross_entropy",
]


class _Layer:
    """A layer without parameters."""

    shapes = ()
    spared = ()

    def start(self, rng):
        """Return the first values of the parameters."""
        return ()


@dataclass(frozen=True)
class Dense(_Layer):
    """A dense layer: y = x W + b.

    Parameters
    ----------
    n_in, n_out : int
        Numbers of inputs and of units; W has the shape ``(n_in, n_out)``.
    initializer : callable, default he()
        ``initializer(rng, n_in, n_out)`` draws W. Biases start at 0.

    Raises
    ------
    ValueError
        If a number is no whole number from 1 on.

    Examples
    --------
    >>> layer = Dense(2, 1)
    >>> y, _ = layer.forward((np.array([[1.0], [2.0]]), np.array([0.5])), np.array([[3.0, 4.0]]))
    >>> y
    array([[11.5]])
    """

    n_in: int
    n_out: int
    initializer: object = field(default_factory=he)

    def __post_init__(self):
        whole_number("n_in", self.n_in, 1, "It is the number of inputs.")
        whole_number("n_out", self.n_out, 1, "It is the number of units.")

    @property
    def shapes(self):
        """The shapes of W and b."""
        return (self.n_in, self.n_out), (self.n_out,)

    spared = (False, True)

    def start(self, rng):
        """Return W as the initialiser draws it, and b = 0."""
        return self.initializer(rng, self.n_in, self.n_out), np.zeros(self.n_out)

    def forward(self, params, x, train=False, rng=None, stats=None):
        """Return the outputs, and the inputs for the way back."""
        W, b = params
        y = x @ W
        y += b
        return y, x

    def backward(self, params, cache, dy, out, first=False):
        """Write the derivatives by W and b into `out`; return that by x, or None for the `first` layer."""
        W, _ = params
        np.dot(cache.T, dy, out=out[0])
        dy.sum(axis=0, out=out[1])
        return None if first else dy @ W.T


@dataclass(frozen=True)
class Sigmoid(_Layer):
    """The logistic function y = 1/(1 + e^(-x)), computed as (1 + tanh(x/2))/2, which never overflows."""

    def forward(self, params, x, train=False, rng=None, stats=None):
        """Return y, and y for the way back."""
        y = 0.5 * (1 + np.tanh(0.5 * x))
        return y, y

    def backward(self, params, cache, dy, out=()):
        """Return dy · y(1 − y)."""
        return dy * cache * (1 - cache)


@dataclass(frozen=True)
class Tanh(_Layer):
    """The hyperbolic tangent."""

    def forward(self, params, x, train=False, rng=None, stats=None):
        """Return y, and y for the way back."""
        y = np.tanh(x)
        return y, y

    def backward(self, params, cache, dy, out=()):
        """Return dy · (1 − y²)."""
        return dy * (1 - cache * cache)


@dataclass(frozen=True)
class ReLU(_Layer):
    """The rectifier y = max(x, 0), with derivative 0 at the kink."""

    def forward(self, params, x, train=False, rng=None, stats=None):
        """Return y, and y for the way back."""
        y = np.maximum(x, 0)
        return y, y

    def backward(self, params, cache, dy, out=()):
        """Return dy where y > 0, else 0."""
        return dy * (cache > 0)


@dataclass(frozen=True)
class LeakyReLU(_Layer):
    """The leaky rectifier: x above 0, slope · x below.

    Parameters
    ----------
    slope : float, default 0.01
        PyTorch's default; Keras takes 0.3, some slides 0.1.

    Raises
    ------
    ValueError
        If `slope` is not in [0, 1].
    """

    slope: float = 0.01

    def __post_init__(self):
        number_in("slope", self.slope, 0, 1, "0.01 is usual.")

    def forward(self, params, x, train=False, rng=None, stats=None):
        """Return y, and the slopes for the way back."""
        slopes = np.where(x > 0, 1, self.slope).astype(x.dtype)
        return slopes * x, slopes

    def backward(self, params, cache, dy, out=()):
        """Return dy times the slope."""
        return dy * cache


@dataclass(frozen=True)
class ELU(_Layer):
    """The exponential linear unit: x above 0, alpha · (e^x − 1) below.

    Parameters
    ----------
    alpha : float, default 1
        With 1 the derivative has no jump.

    Raises
    ------
    ValueError
        If `alpha` is negative or not finite.
    """

    alpha: float = 1.0

    def __post_init__(self):
        number_in("alpha", self.alpha, 0, math.inf, "1 is usual.", open_high=True)

    def forward(self, params, x, train=False, rng=None, stats=None):
        """Return y, and the slopes for the way back."""
        below = self.alpha * np.expm1(np.minimum(x, 0))
        return np.where(x > 0, x, below), np.where(x > 0, 1, below + self.alpha).astype(x.dtype)

    def backward(self, params, cache, dy, out=()):
        """Return dy times the slope."""
        return dy * cache


@dataclass(frozen=True)
class BatchNorm(_Layer):
    r"""Batch normalisation: each unit gets mean 0 and variance 1 over the batch, then a scale and a shift.

    .. math:: y = \gamma\, \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta

    In training mode μ and σ² are the batch's own (σ² with 1/B) and the running ones move towards them; in
    evaluation mode they are the running ones. A bias before this layer is lost in μ: its gradient is zero.

    Parameters
    ----------
    n : int
        Number of units.
    momentum : float, default 0.1
        Share of the new batch in the running mean and variance (the variance with 1/(B − 1)), as in PyTorch.
        Keras calls 1 − this "momentum".
    eps : float, default 1e-5
        ε.

    Raises
    ------
    ValueError
        If an argument is out of range; in training mode, if the batch has fewer than 2 examples.

    References
    ----------
    S. Ioffe and C. Szegedy, "Batch normalization", ICML (2015), algorithm 1.
    """

    n: int
    momentum: float = 0.1
    eps: float = 1e-5
    spared = (True, True)

    def __post_init__(self):
        whole_number("n", self.n, 1, "It is the number of units.")
        number_in("momentum", self.momentum, 0, 1, "0.1 is usual.")
        number_in("eps", self.eps, 0, math.inf, "1e-5 is usual.", open_high=True)

    @property
    def shapes(self):
        """The shapes of γ and β."""
        return (self.n,), (self.n,)

    def start(self, rng):
        """Return γ = 1 and β = 0."""
        return np.ones(self.n), np.zeros(self.n)

    def forward(self, params, x, train=False, rng=None, stats=None):
        """Return y; in training mode move the running mean and variance in `stats` (if given)."""
        gamma, beta = params
        if train:
            remedy = "Take larger batches, drop_last=True in fit, or LayerNorm."
            require(len(x) > 1, "len(x)", len(x), "at least 2 in training mode", remedy)
            mean, var = x.mean(axis=0), x.var(axis=0)
            if stats is not None:
                stats[0] += self.momentum * (mean - stats[0])
                stats[1] += self.momentum * (var * (len(x) / (len(x) - 1)) - stats[1])
        else:
            mean, var = (np.asarray(s, x.dtype) for s in stats)
        scale = 1 / np.sqrt(var + self.eps)
        standard = (x - mean) * scale
        return gamma * standard + beta, (standard, scale, train)

    def backward(self, params, cache, dy, out):
        """Write the derivatives by γ and β into `out`; return that by x."""
        standard, scale, train = cache
        (dy * standard).sum(axis=0, out=out[0])
        dy.sum(axis=0, out=out[1])
        ds = dy * params[0]
        if train:
            ds = ds - ds.mean(axis=0) - standard * (ds * standard).mean(axis=0)
        return ds * scale


@dataclass(frozen=True)
class LayerNorm(_Layer):
    r"""Layer normalisation: as `BatchNorm`, but over the units of each example, the same in both modes.

    Parameters
    ----------
    n : int
        Number of units.
    eps : float, default 1e-5
        ε.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", arXiv:1607.06450 (2016), section 3.
    """

    n: int
    eps: float = 1e-5
    spared = (True, True)

    def __post_init__(self):
        whole_number("n", self.n, 1, "It is the number of units.")
        number_in("eps", self.eps, 0, math.inf, "1e-5 is usual.", open_high=True)

    @property
    def shapes(self):
        """The shapes of γ and β."""
        return (self.n,), (self.n,)

    def start(self, rng):
        """Return γ = 1 and β = 0."""
        return np.ones(self.n), np.zeros(self.n)

    def forward(self, params, x, train=False, rng=None, stats=None):
        """Return y."""
        scale = 1 / np.sqrt(x.var(axis=1, keepdims=True) + self.eps)
        standard = (x - x.mean(axis=1, keepdims=True)) * scale
        return params[0] * standard + params[1], (standard, scale)

    def backward(self, params, cache, dy, out):
        """Write the derivatives by γ and β into `out`; return that by x."""
        standard, scale = cache
        (dy * standard).sum(axis=0, out=out[0])
        dy.sum(axis=0, out=out[1])
        ds = dy * params[0]
        inner = (ds * standard).mean(axis=1, keepdims=True)
        return (ds - ds.mean(axis=1, keepdims=True) - standard * inner) * scale


@dataclass(frozen=True)
class Dropout(_Layer):
    """Dropout: in training mode each value is dropped with probability p, the others grow by 1/(1 − p).

    So the expectation stays (inverted dropout), and in evaluation mode nothing is to be done.

    Parameters
    ----------
    p : float
        Probability to drop a value, in [0, 1).

    Raises
    ------
    ValueError
        If `p` is out of range; in training mode, if there is no `rng`.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: a simple way to
    prevent neural networks from overfitting", Journal of Machine Learning Research 15 (2014), section 4.
    """

    p: float

    def __post_init__(self):
        number_in("p", self.p, 0, 1, "0.5 is usual.", open_high=True)

    def forward(self, params, x, train=False, rng=None, stats=None):
        """Return y, and the factors for the way back."""
        if not train or self.p == 0:
            return x, None
        able = isinstance(rng, np.random.Generator)
        require(able, "rng", rng, "a numpy Generator in training mode", "Dropout draws which values to drop.")
        factors = (rng.random(x.shape, np.float32) >= self.p).astype(x.dtype) / x.dtype.type(1 - self.p)
        return x * factors, factors

    def backward(self, params, cache, dy, out=()):
        """Return dy where the value was kept, times 1/(1 − p)."""
        return dy if cache is None else dy * cache


def softmax_cross_entropy(logits, y, smoothing=0.0):
    r"""Return the mean cross-entropy of softmax(logits) against labels, and its derivative by the logits.

    .. math:: L = -\frac1B \sum_i \sum_k q_{ik} \log p_{ik}, \qquad
              \frac{\partial L}{\partial z_{ik}} = \frac{p_{ik} - q_{ik}}{B}

    Here q is 1 for the label and 0 else; with label smoothing s it is 1 − s + s/K for the label and s/K else,
    as in PyTorch.

    Parameters
    ----------
    logits : ndarray of shape (B, K)
        The largest of a row is taken away first, so that numbers of any size are safe.
    y : integer ndarray of shape (B,)
        Labels from 0 to K − 1.
    smoothing : float, default 0
        s in [0, 1).

    Returns
    -------
    loss : float
    derivative : ndarray of shape (B, K)

    Raises
    ------
    ValueError
        If the shapes do not fit, a label is none of 0 to K − 1, or `smoothing` is out of range.

    Examples
    --------
    >>> loss, d = softmax_cross_entropy(np.array([[0.0, 0.0]]), np.array([1]))
    >>> round(loss, 4), d
    (0.6931, array([[ 0.5, -0.5]]))
    """
    smoothing = number_in("smoothing", smoothing, 0, 1, "0.1 is usual.", open_high=True)
    size, classes = logits.shape
    fits = y.shape == (size,) and y.dtype.kind in "iu"
    require(fits, "y", y, f"{size} whole numbers", "Give one label for each example.")
    require(y.min() >= 0 and y.max() < classes, "y", y, f"from 0 to {classes - 1}", "Count classes from 0.")
    rows = np.arange(size)
    z = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=1, keepdims=True)
    log_total = np.log(total[:, 0])
    loss = (log_total - z[rows, y]).mean()
    d = e / total
    d[rows, y] -= 1 - smoothing
    if smoothing:
        loss = (1 - smoothing) * loss + smoothing * (log_total - z.mean(axis=1)).mean()
        d -= smoothing / classes
    d /= size
    return float(loss), d


def mean_squared_error(outputs, y):
    """Return the mean of (outputs − y)² over examples and outputs, and its derivative by the outputs.

    Parameters
    ----------
    outputs, y : ndarray of shape (B, K)

    Returns
    -------
    loss : float
    derivative : ndarray of shape (B, K)

    Raises
    ------
    ValueError
        If the shapes differ: (B,) against (B, 1) would silently compare each with each.

    Examples
    --------
    >>> mean_squared_error(np.array([[1.0, 3.0]]), np.array([[0.0, 0.0]]))
    (5.0, array([[1., 3.]]))
    """
    require(y.shape == outputs.shape, "y.shape", y.shape, f"{outputs.shape}", "Give one number an output.")
    error = outputs - y
    return float((error * error).mean()), (2 / error.size) * error
