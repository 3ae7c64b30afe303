"""Checks of notebook 05: a safe log-softmax, the way back through a layer, sizes of weights, batch norm."""

import numpy as np

from course_lib.exercises import exercise

__all__ = [
    "check_batch_norm",
    "check_glorot_limit",
    "check_log_softmax",
    "check_relu_rms",
    "check_sigmoid_backward",
    "check_update_running",
]


def _largest(z):
    return z.max(axis=1, keepdims=True)


def _log_softmax(z, largest=_largest, axis=1):
    z = z - largest(z)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


def _log_sum(z):
    return np.log(np.exp(z).sum(axis=1, keepdims=True))


def _softmax(z):
    return np.exp(_log_softmax(z))


@exercise(
    "05.1",
    "A safe log-softmax",
    reference=lambda z: _log_softmax(z),
    mistakes=[
        (
            "The logarithm of a softmax: a tiny probability is 0 by then. Use the formula for log p.",
            lambda z: np.log(_softmax(z)),
        ),
        (
            "The logarithm of a softmax, and no row's largest logit subtracted: use the formula for log p.",
            lambda z: np.log(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)),
        ),
        (
            "Each row needs its own largest logit: `z.max(axis=1, keepdims=True)`.",
            lambda z: _log_softmax(z, lambda z: z.max()),
        ),
        (
            "A row is an example: maximum and sum go along `axis=1`.",
            lambda z: _log_softmax(z, lambda z: z.max(axis=0, keepdims=True), 0),
        ),
        (
            "The sum goes over all examples: give it `axis=1, keepdims=True`.",
            lambda z: _log_softmax(z, axis=None),
        ),
        (
            "The sum holds the z that you shifted: exp(z - m) in it, as in the formula.",
            lambda z: z - _largest(z) - _log_sum(z),
        ),
        ("You shifted z in the sum only: z - m before it too.", lambda z: z - _log_sum(z - _largest(z))),
        (
            "m is subtracted, twice: in front of the sum and in it.",
            lambda z: z + _largest(z) - _log_sum(z - _largest(z)),
        ),
        ("Before the logarithm comes the sum over the classes.", lambda z: 0 * z),
        (
            "The logarithm of the sum is subtracted: its sign is turned round.",
            lambda z: z - _largest(z) + _log_sum(z - _largest(z)),
        ),
        (
            "The *largest* logit, not the mean or the smallest: beside (0, 3000) they leave exp(1500).",
            lambda z: _log_softmax(z, lambda z: z.mean(axis=1, keepdims=True)),
        ),
        ("These are the probabilities; their logarithm is wanted.", _softmax),
        ("This is the loss, -log p: the sign is turned round.", lambda z: -_log_softmax(z)),
        (
            "`exp` overflows or runs out: subtract the largest logit of each row first.",
            lambda z: _log_softmax(z, lambda z: 0.0),
        ),
    ],
    hint="First `z = z - z.max(axis=1, keepdims=True)`, then subtract the logarithm of the sum of exp(z).",
    passed="No logit is too large for it, and none too small.",
)
def check_log_softmax():
    """Compare with z - m - log Σ exp(z - m), row by row."""
    yield np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 0.5]])
    yield np.array([[1000.0, 1001.0], [-3000.0, -3002.0], [0.0, 3000.0]])
    yield np.array([[0.5, 0.5, 0.5, 0.5]])


def _backward(
    x,
    W,
    y,
    dy,
    dz=lambda y, dy: dy * y * (1 - y),
    dx=lambda W, dz: dz @ W.T,
    dW=lambda x, dz: x.T @ dz,
    db=lambda dz: dz.sum(axis=0),
    order=(0, 1, 2),
):
    dz = dz(y, dy)
    parts = dx(W, dz), dW(x, dz), db(dz)
    return tuple(parts[i] for i in order)


def _slip(**parts):
    return lambda x, W, y, dy: _backward(x, W, y, dy, **parts)


@exercise(
    "05.2",
    "The way back through a layer",
    reference=lambda x, W, y, dy: _backward(x, W, y, dy),
    mistakes=[
        (
            "First through the sigmoid: `dz = dy * …`; only then through the matrix.",
            _slip(dz=lambda y, dy: dy),
        ),
        ("1 - y² is the derivative of tanh. The sigmoid's?", _slip(dz=lambda y, dy: dy * (1 - y**2))),
        ("The sigmoid rises: its derivative y(1 - y) is above 0.", _slip(dz=lambda y, dy: dy * y * (y - 1))),
        ("The sigmoid's derivative is y(1 - y): both factors.", _slip(dz=lambda y, dy: dy * y)),
        ("The sigmoid's derivative is y(1 - y): both factors.", _slip(dz=lambda y, dy: dy * (1 - y))),
        ("y is the sigmoid's value already; do not take it again.", _slip(dz=lambda y, dy: dy * _slope(y))),
        *[
            ("All three go through the sigmoid first: one of yours takes `dy` as it came.", slip)
            for slip in (
                lambda x, W, y, dy: (dy @ W.T, *_backward(x, W, y, dy)[1:]),
                lambda x, W, y, dy: (_backward(x, W, y, dy)[0], x.T @ dy, _backward(x, W, y, dy)[2]),
                lambda x, W, y, dy: (*_backward(x, W, y, dy)[:2], dy.sum(axis=0)),
            )
        ],
        ("By the chain rule dy is a factor of all three.", _slip(dz=lambda y, dy: y * (1 - y))),
        (
            "b was added to every example: its derivative is the *sum* over them, not the mean.",
            _slip(db=lambda dz: dz.mean(axis=0)),
        ),
        ("Sum over the examples for b: `.sum(axis=0)`.", _slip(db=lambda dz: dz)),
        ("Sum over the examples only, each unit has its own b: `axis=0`.", _slip(db=lambda dz: dz.sum())),
        ("Sum over the examples, not over the units: `axis=0`.", _slip(db=lambda dz: dz.sum(axis=1))),
        (
            "The derivative by b has b's shape, (units,): no `keepdims`.",
            _slip(db=lambda dz: dz.sum(axis=0)[None]),
        ),
        (
            "The derivative by W has W's shape: inputs transposed times `dz`, not its transpose.",
            _slip(dW=lambda x, dz: dz.T @ x),
        ),
        ("The inputs stand transposed in the derivative by W.", _slip(dW=lambda x, dz: x @ dz)),
        (
            "The sum for W already runs over the examples; do not divide by their number again.",
            _slip(dW=lambda x, dz: x.T @ dz / len(x)),
        ),
        (
            "The sums over the examples stay sums: dy has its 1/B already.",
            _slip(dW=lambda x, dz: x.T @ dz / len(x), db=lambda dz: dz.mean(axis=0)),
        ),
        ("W goes back transposed: `dz @ W.T`.", _slip(dx=lambda W, dz: dz @ W)),
        ("W goes back transposed, on the right: `dz @ W.T`.", _slip(dx=lambda W, dz: W @ dz)),
        ("W goes back transposed, on the right: `dz @ W.T`.", _slip(dx=lambda W, dz: W.T @ dz)),
        *[
            ("The order is: by x, by W, by b.", _slip(order=order))
            for order in ((0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
        ],
    ],
    hint="Let dz be the derivative by x W + b. All three follow from it; look at the shapes.",
    passed="A slope, two matrix products and a sum: and a network of any depth has its gradient.",
)
def check_sigmoid_backward():
    """Compare with dz = dy y (1 − y), dz Wᵀ, xᵀ dz and the sum of dz over the examples."""
    x, W = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[0.5, -1.0], [2.0, 0.25]])
    yield x, W, _sigmoid(x @ W + 0.5), np.array([[1.0, -2.0], [0.5, 3.0]])
    x, W = x[:, ::-1] / 4, W.T
    yield x.copy(), W.copy(), _sigmoid(x @ W - 1), np.array([[0.0, 1.0], [-1.0, 2.0]])


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _slope(z):
    return _sigmoid(z) * (1 - _sigmoid(z))


def _rms(n, std, layers, share=0.5):
    return (share * n * std**2) ** (layers / 2)


@exercise(
    "05.3",
    "How far off after some layers",
    reference=lambda n, std, layers: _rms(n, std, layers),
    mistakes=[
        ("That is the mean *square*: take the root.", lambda n, std, layers: _rms(n, std, 2 * layers)),
        (
            "ReLU lets only half of the mean square through.",
            lambda n, std, layers: _rms(n, std, layers, share=1),
        ),
        ("That is one layer: there are more.", lambda n, std, layers: _rms(n, std, 1)),
        ("The *variance* of a weight counts: `std**2`.", lambda n, std, layers: _rms(n, std**0.5, layers)),
        (
            "It multiplies layer by layer: a power, not a product.",
            lambda n, std, layers: _rms(n, std, 1) * layers,
        ),
        ("Half of the mean square: the 2 divides.", lambda n, std, layers: _rms(n, std, layers, share=2)),
        (
            "ReLU halves in *each* layer, not once at the end.",
            lambda n, std, layers: _rms(n, std, layers, share=1) / 2,
        ),
        (
            "ReLU halves in *each* layer, not once at the end.",
            lambda n, std, layers: _rms(n, std, layers, share=1) / np.sqrt(2),
        ),
        (
            "ReLU halves the mean *square*, not its root.",
            lambda n, std, layers: _rms(n, std, layers, share=0.25),
        ),
        ("A unit adds up n inputs: their number counts.", lambda n, std, layers: _rms(1, std, layers)),
        (
            "One layer too few: the inputs of the first have mean square 1.",
            lambda n, std, layers: _rms(n, std, layers - 1),
        ),
    ],
    hint="The mean square is multiplied by n·std²/2 in each layer; the root of it halves the power.",
    passed="With std = √(2/n) it is 1 after any number of layers: that is He's choice.",
)
def check_relu_rms():
    """Compare with (n std² / 2)^(layers/2)."""
    yield from ((800, 0.1, 10), (500, 0.01, 10), (50, 0.2, 3), (128, 0.125, 20), (2, 3.0, 1), (100, 0.3, 2))


def _limit(n_in, n_out, factor=6.0):
    return np.sqrt(factor / (n_in + n_out))


@exercise(
    "05.4",
    "The bound of Glorot's uniform",
    reference=lambda n_in, n_out: _limit(n_in, n_out),
    mistakes=[
        (
            "That is the standard deviation. A uniform number on ±a has the variance a²/3.",
            lambda n_in, n_out: _limit(n_in, n_out, 2.0),
        ),
        ("That is LeCun's: Glorot & Bengio use both widths.", lambda n_in, n_out: np.sqrt(3 / n_in)),
        ("That is He's: Glorot & Bengio use both widths.", lambda n_in, n_out: np.sqrt(6 / n_in)),
        ("Variance 1/(n_in + n_out) is half of theirs.", lambda n_in, n_out: _limit(n_in, n_out, 3.0)),
        ("The width of the interval is 2a, so the variance is (2a)²/12.", lambda a, b: _limit(a, b, 24.0)),
        (
            "The mean of the two widths stands in place of n_in: 2/(n_in + n_out) has its 2 already.",
            lambda a, b: _limit(a, b, 12.0),
        ),
        ("That is the variance, not the bound.", lambda n_in, n_out: 2 / (n_in + n_out)),
        (
            "√3 *standard deviations*: take the root of the variance first.",
            lambda n_in, n_out: np.sqrt(3) * 2 / (n_in + n_out),
        ),
        ("a² = 3 · variance: the 3 multiplies.", lambda n_in, n_out: _limit(n_in, n_out, 2 / 3)),
        ("The two widths are added, not multiplied.", lambda n_in, n_out: np.sqrt(6 / (n_in * n_out))),
        ("Both widths count.", lambda n_in, n_out: np.sqrt(6 / n_out)),
        ("The root is missing.", lambda n_in, n_out: _limit(n_in, n_out) ** 2),
        ("PyTorch's default, 1/√n_in, is another recipe.", lambda n_in, n_out: 1 / np.sqrt(n_in)),
    ],
    hint="Solve a²/3 = 2/(n_in + n_out).",
    passed="This is what Keras draws for a Dense layer unless told otherwise.",
)
def check_glorot_limit():
    """Compare with √(6 / (n_in + n_out))."""
    yield from ((64, 32), (500, 10), (3, 7), (784, 256))


def _multiplied(x, gamma, beta, eps):
    return gamma * (x - x.mean(axis=0)) * np.sqrt(x.var(axis=0) + eps) + beta


def _batch_norm(x, gamma, beta, eps, axis=0, ddof=0, outside=False):
    mean, var = x.mean(axis=axis, keepdims=True), x.var(axis=axis, ddof=ddof, keepdims=True)
    size = np.sqrt(var) + eps if outside else np.sqrt(var + eps)
    return gamma * (x - mean) / size + beta


@exercise(
    "05.5",
    "Batch normalisation",
    reference=lambda x, gamma, beta, eps: _batch_norm(x, gamma, beta, eps),
    mistakes=[
        (
            "That is layer normalisation: mean and variance go over the examples, `axis=0`.",
            lambda x, gamma, beta, eps: _batch_norm(x, gamma, beta, eps, axis=1),
        ),
        (
            "Each unit has its own mean and variance: `axis=0`.",
            lambda x, gamma, beta, eps: _batch_norm(x, gamma, beta, eps, axis=None),
        ),
        (
            "In training mode the variance is divided by B, not B - 1.",
            lambda x, gamma, beta, eps: _batch_norm(x, gamma, beta, eps, ddof=1),
        ),
        (
            "ε stands inside the root: `np.sqrt(var + eps)`.",
            lambda x, gamma, beta, eps: _batch_norm(x, gamma, beta, eps, outside=True),
        ),
        ("ε is missing.", lambda x, gamma, beta, eps: _batch_norm(x, gamma, beta, 0.0)),
        ("γ and β are missing.", lambda x, gamma, beta, eps: _batch_norm(x, 1.0, 0.0, eps)),
        ("β is missing.", lambda x, gamma, beta, eps: _batch_norm(x, gamma, 0.0, eps)),
        ("γ is missing.", lambda x, gamma, beta, eps: _batch_norm(x, 1.0, beta, eps)),
        (
            "First standardise, then times γ, then plus β.",
            lambda x, gamma, beta, eps: gamma * (_batch_norm(x, 1.0, 0.0, eps) + beta),
        ),
        ("γ multiplies, β is added: they are exchanged.", lambda x, g, b, eps: _batch_norm(x, b, g, eps)),
        ("β is added.", lambda x, g, b, eps: 2 * _batch_norm(x, g, 0.0, eps) - _batch_norm(x, g, b, eps)),
        (
            "The mean is to be subtracted first.",
            lambda x, g, b, eps: (
                _batch_norm(x, g, b, eps) + g * x.mean(axis=0) / np.sqrt(x.var(axis=0) + eps)
            ),
        ),
        (
            "Brackets: all of (x - μ) is divided.",
            lambda x, g, b, eps: g * (x - x.mean(axis=0) / np.sqrt(x.var(axis=0) + eps)) + b,
        ),
        (
            "σ² is the *mean* of the squares, not their sum.",
            lambda x, g, b, eps: g * (x - x.mean(axis=0)) / np.sqrt(len(x) * x.var(axis=0) + eps) + b,
        ),
        (
            "Under the root stands the variance, not the standard deviation.",
            lambda x, g, b, eps: g * (x - x.mean(axis=0)) / np.sqrt(x.std(axis=0) + eps) + b,
        ),
        ("Divide by the root; you multiply.", lambda x, g, b, eps: _multiplied(x, g, b, eps)),
        (
            "Divide by the standard deviation, the *root* of the variance.",
            lambda x, gamma, beta, eps: gamma * (x - x.mean(axis=0)) / (x.var(axis=0) + eps) + beta,
        ),
    ],
    hint="`(x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)`, then γ and β.",
    passed="One line, and our ten layers learn from every one of the four starts.",
)
def check_batch_norm():
    """Compare with γ (x - μ)/√(σ² + ε) + β, μ and σ² over the examples, σ² with 1/B."""
    x = np.array([[1.0, 5.0, -2.0], [2.0, 3.0, 0.5], [4.0, -1.0, 0.0], [0.5, 2.0, 3.0]])
    yield x, np.array([1.5, 2.0, 0.5]), np.array([0.25, -1.0, 3.0]), 0.125
    yield x[:2, :2] / 4, np.array([2.0, 0.5]), np.array([1.0, 2.0]), 0.01
    yield x.T, np.array([1.0, 2.0, 3.0, 4.0]), np.array([4.0, 3.0, 2.0, 1.0]), 0.5


def _update(mean, var, x, momentum, ddof=1, axis=0):
    new_mean = (1 - momentum) * mean + momentum * x.mean(axis=axis)
    return new_mean, (1 - momentum) * var + momentum * x.var(axis=axis, ddof=ddof)


def _about(mean, var, x, momentum, centre):
    spread = ((x - centre) ** 2).sum(axis=0) / (len(x) - 1)
    return _update(mean, var, x, momentum)[0], (1 - momentum) * var + momentum * spread


@exercise(
    "05.6",
    "Running mean and variance",
    reference=lambda mean, var, x, momentum: _update(mean, var, x, momentum),
    mistakes=[
        (
            "That is Keras's momentum. In PyTorch's convention it is the share of the *new* batch.",
            lambda mean, var, x, momentum: _update(mean, var, x, 1 - momentum),
        ),
        (
            "The running variance takes the batch's with 1/(B - 1): `ddof=1`.",
            lambda mean, var, x, momentum: _update(mean, var, x, momentum, ddof=0),
        ),
        (
            "That is Keras's convention in both: momentum for the old, and 1/B.",
            lambda mean, var, x, momentum: _update(mean, var, x, 1 - momentum, ddof=0),
        ),
        (
            "The old value must stay, with the weight 1 - momentum.",
            lambda mean, var, x, momentum: _update(mean, var, x, 1.0),
        ),
        (
            "The old value has the weight 1 - momentum, or it would grow for ever.",
            lambda mean, var, x, m: (mean + m * x.mean(axis=0), var + m * x.var(axis=0, ddof=1)),
        ),
        (
            "The variance is averaged, not the standard deviation.",
            lambda mean, var, x, m: (
                _update(mean, var, x, m)[0],
                (1 - m) * var + m * x.std(axis=0, ddof=1),
            ),
        ),
        (
            "The variance of the batch is taken about its *own* mean, not about the running one.",
            lambda mean, var, x, m: _about(mean, var, x, m, (1 - m) * mean + m * x.mean(axis=0)),
        ),
        (
            "The variance of the batch is taken about its *own* mean, not about the running one.",
            lambda mean, var, x, m: _about(mean, var, x, m, mean),
        ),
        (
            "Each unit has its own mean and variance: over the examples, `axis=0`.",
            lambda mean, var, x, m: _update(mean, var, x, m, axis=None),
        ),
        (
            "The new batch's share is momentum, for both: else the two weights do not add up to 1.",
            lambda mean, var, x, m: (
                (1 - m) * mean + x.mean(axis=0),
                (1 - m) * var + x.var(axis=0, ddof=1),
            ),
        ),
        (
            "The old value's weight is 1 - momentum: the two weights add up to 1.",
            lambda mean, var, x, m: _update(m / (1 - m) * mean, m / (1 - m) * var, x, m),
        ),
        (
            "The mean is right. The variance is averaged in the same way.",
            lambda mean, var, x, m: (_update(mean, var, x, m)[0], x.var(axis=0, ddof=1)),
        ),
        (
            "The mean is right. The variance is averaged in the same way.",
            lambda mean, var, x, m: (_update(mean, var, x, m)[0], _update(mean, var, x, 1 - m)[1]),
        ),
        ("The variance is right. Return the mean too, before it.", lambda *a: _update(*a)[1]),
        ("Return the mean first, then the variance.", lambda mean, var, x, m: _update(mean, var, x, m)[::-1]),
        ("Return both, `return mean, var`.", lambda mean, var, x, m: _update(mean, var, x, m)[0]),
    ],
    hint="`(1 - momentum) * old + momentum * new`, for the mean and for the variance.",
    passed="With these a finished network gives each example the same answer in any company.",
)
def check_update_running():
    """Compare with (1 - m) old + m new, the variance with 1/(B - 1)."""
    x = np.array([[1.0, 5.0], [2.0, 3.0], [4.0, -1.0]])
    yield np.zeros(2), np.ones(2), x, 0.125
    yield np.array([1.0, -1.0]), np.array([2.0, 0.5]), x[:2] * 3, 0.25
    yield np.array([2.0, 0.0, 1.0]), np.array([3.0, 1.0, 2.0]), x.T, 0.1
