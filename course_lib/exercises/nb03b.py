"""Checks of notebook 03b: a saddle, the accelerated method, and the noise of momentum."""

import numpy as np

from course_lib.exercises import exercise

__all__ = [
    "check_accelerated",
    "check_nesterov_growth",
    "check_same_noise_lr",
    "check_variance_of_average",
]


def _larger(b, c):
    """Return the larger root of r² − b r + c."""
    return (b + np.sqrt(b * b - 4 * c)) / 2


def _growth(lr, beta, lam):
    return _larger((1 + beta) * (1 + lr * lam), beta * (1 + lr * lam))


@exercise(
    "03b.1",
    "Nesterov at a saddle",
    reference=_growth,
    mistakes=[
        (
            "That is momentum's root: here both coefficients hold the factor 1 + lr·λ.",
            lambda lr, beta, lam: _larger(1 + beta + lr * lam, beta),
        ),
        (
            "The factor 1 + lr·λ stands in the last coefficient, too.",
            lambda lr, beta, lam: _larger((1 + beta) * (1 + lr * lam), beta),
        ),
        (
            "At a saddle the eigenvalue is −λ, so that the factor is 1 + lr·λ. Yours belongs to a minimum.",
            lambda lr, beta, lam: _larger((1 + beta) * (1 - lr * lam), beta * (1 - lr * lam)),
        ),
        (
            "That is the smaller root; the larger one wins in the long run.",
            lambda lr, beta, lam: beta * (1 + lr * lam) / _growth(lr, beta, lam),
        ),
        (
            "You took the −b of a x² + b x + c; here −b is the coefficient itself: (b + √(b² − 4c))/2.",
            lambda lr, beta, lam: -beta * (1 + lr * lam) / _growth(lr, beta, lam),
        ),
        (
            "Divide the whole of b + √(b² − 4c) by 2, not the root alone.",
            lambda lr, beta, lam: (2 * _growth(lr, beta, lam) + (1 + beta) * (1 + lr * lam)) / 2,
        ),
        (
            "c stands in the equation with a plus; under the root it is b² − 4c.",
            lambda lr, beta, lam: _larger((1 + beta) * (1 + lr * lam), -beta * (1 + lr * lam)),
        ),
        ("That is gradient descent's factor: β is missing.", lambda lr, beta, lam: 1 + lr * lam),
        (
            "That is the approximation for tiny lr; here the root itself is wanted.",
            lambda lr, beta, lam: 1 + lr * lam / (1 - beta),
        ),
    ],
    hint="`b = (1 + beta) * (1 + lr * lam)`, `c = beta * (1 + lr * lam)`; (b + √(b² − 4c))/2.",
    passed="One root lies above 1, the other below: one part of ε grows, the other dies away.",
)
def check_nesterov_growth():
    """Compare with the larger root of r² − (1 + β)(1 + lr λ) r + β(1 + lr λ)."""
    # Steps so small that the mistaken equation, that of a minimum, has real roots as well.
    yield 0.1, 0.5, 1.0
    yield 0.001, 0.9, 2.0
    yield 0.1, 0.2, 3.0


def _accelerated(grad, x0, L, steps, *, beta=lambda t: (t - 1) / (t + 2), ahead=1, lr=lambda L: 1 / L):
    x, v = x0, np.zeros_like(x0)
    for t in range(steps):
        b = beta(t)
        v = b * v - lr(L) * grad(x + ahead * b * v)
        x = x + v
    return x


def _with(**changes):
    """Return the reference with one thing changed."""
    return lambda grad, x0, L, steps: _accelerated(grad, x0, L, steps, **changes)


def _more(k):
    """Return the reference with `k` more updates."""
    return lambda grad, x0, L, steps: _accelerated(grad, x0, L, steps + k)


def _turned(grad, x0, L, steps):
    x, v = x0, np.zeros_like(x0)
    for t in range(steps):
        b = (t - 1) / (t + 2)
        v = b * v - grad(x + b * v) / L
        x = x - v
    return x


def _averaged(grad, x0, L, steps):
    x, v = x0, np.zeros_like(x0)
    for t in range(steps):
        b = (t - 1) / (t + 2)
        v = b * v - (1 - b) * grad(x + b * v) / L
        x = x + v
    return x


def _from_one(grad, x0, L, steps):
    x, v = x0, np.zeros_like(x0)
    for t in range(1, steps):
        b = (t - 1) / (t + 2)
        v = b * v - grad(x + b * v) / L
        x = x + v
    return x


def _fista(grad, x0, L, steps):
    x = y = x0
    s = 1.0
    for _ in range(steps):
        new, s_new = y - grad(y) / L, (1 + np.sqrt(1 + 4 * s * s)) / 2
        x, y, s = new, new + (s - 1) / s_new * (new - x), s_new
    return x


def _pytorch(grad, x0, L, steps):
    x, v = x0, np.zeros_like(x0)
    for t in range(steps):
        b = max(t - 1, 0) / (t + 2)
        g = grad(x)
        v = b * v + g
        x = x - (g + b * v) / L
    return x


def _rewritten(grad, x0, L, steps):
    x, v = x0, np.zeros_like(x0)
    for t in range(steps):
        b, b_next = max(t - 1, 0) / (t + 2), t / (t + 3)
        new = b * v - grad(x) / L
        x, v = x - b * v + (1 + b_next) * new, new
    return x


@exercise(
    "03b.2",
    "The accelerated method",
    reference=_accelerated,
    mistakes=[
        ("Look ahead: measure the gradient at `x + beta * v`, not at `x`.", _with(ahead=0)),
        (
            "The look-ahead goes the wrong way: with `x = x + v`, ahead is `x + beta * v`; "
            "with `x = x - v` it is `x - beta * v`.",
            _with(ahead=-1),
        ),
        ("Look ahead by `beta * v`, the part of the velocity that is kept.", _with(beta=lambda t: 1)),
        (
            "Your velocity is lost between the steps: start it once, before the loop, and keep it.",
            _with(beta=lambda t: 0),
        ),
        ("β must rise with t: it is (t − 1)/(t + 2), not 0.9.", _with(beta=lambda t: 0.9)),
        (
            "Your t runs ahead by one: in the first two steps β·v is zero.",
            _with(beta=lambda t: t / (t + 3)),
        ),
        (
            "Your t lags by one: it counts the updates already made, 0 in the first step.",
            _with(beta=lambda t: (t - 2) / (t + 1)),
        ),
        ("β is (t − 1)/(t + 2), not t/(t + 2).", _with(beta=lambda t: t / (t + 2))),
        ("The learning rate is missing: divide the gradient by L.", _with(lr=lambda L: 1)),
        ("The learning rate is 1/L, not L.", _with(lr=lambda L: L)),
        ("That goes uphill: with `x = x + v` the gradient is subtracted.", _with(lr=lambda L: -1 / L)),
        ("`v` holds −gradient/L already: add it, `x = x + v`.", _turned),
        ("No factor 1 − β on the gradient: this is the sum of steps, not an average.", _averaged),
        ("The learning rate is 1/L, not 2/L: the promise holds up to 1/L.", _with(lr=lambda L: 2 / L)),
        (
            "One update too few: make `steps` of them, and in each first the velocity, then the point.",
            _more(-1),
        ),
        ("One update too few: `range(steps)` starts at 0, and so does t.", _from_one),
        ("One update too many: make `steps` of them.", _more(1)),
        (
            "Only one update is made: does `return` stand inside the loop?",
            lambda grad, x0, L, steps: _accelerated(grad, x0, L, 1),
        ),
        (
            "That is the velocity. Return the point `x`.",
            lambda grad, x0, L, steps: _accelerated(grad, x0, L, steps) - _more(-1)(grad, x0, L, steps),
        ),
        ("That is FISTA's sequence, close to it; take β = (t − 1)/(t + 2).", _fista),
        ("That is PyTorch's form. Under a rising β it goes another way.", _pytorch),
        ("That is the point ahead, x + β·v, of the rewritten form. Return x itself.", _rewritten),
    ],
    hint="`beta = (t - 1) / (t + 2)`, `v = beta * v - grad(x + beta * v) / L`, `x = x + v`.",
    passed="Six lines, and no method that uses gradients alone can promise a better power of t "
    "in every dimension.",
)
def check_accelerated():
    """Compare with Nesterov's look-ahead form, lr = 1/L, β_t = (t − 1)/(t + 2)."""
    lam = np.array([1.0, 0.1, 0.01])

    def quadratic(x):
        return lam * x

    def cube(x):
        return x**3

    yield quadratic, np.array([1.0, -1.0, 2.0]), 1.0, 12
    yield quadratic, np.array([0.5, 1.0, 1.0]), 2.0, 25
    yield cube, np.array([0.9, -0.4]), 3.0, 8


def _variance(lr, beta, lam, sigma):
    """Return the stationary variance in the convention "sum-of-gradients"."""
    return lr * sigma**2 * (1 + beta) / ((1 - beta) * lam * (2 + 2 * beta - lr * lam))


def _variance_of_average(lr, beta, lam, sigma):
    return _variance(lr * (1 - beta), beta, lam, sigma)


@exercise(
    "03b.3",
    "The law in the other convention",
    reference=_variance_of_average,
    mistakes=[
        (
            "That is the law of the sum of gradients. Here the effective step is `lr * (1 - beta)`.",
            _variance,
        ),
        (
            "The wrong way round: in the average the effective step is *smaller*, `lr * (1 - beta)`.",
            lambda lr, beta, lam, sigma: _variance(lr / (1 - beta), beta, lam, sigma),
        ),
        (
            "`lr` stands twice in the law; replace it in the bracket below as well.",
            lambda lr, beta, lam, sigma: (1 - beta) * _variance(lr, beta, lam, sigma),
        ),
        (
            "`lr` stands twice in the law; replace it in front as well.",
            lambda lr, beta, lam, sigma: _variance_of_average(lr, beta, lam, sigma) / (1 - beta),
        ),
        (
            "(1 − β) cancels: strike it above as well as below.",
            lambda lr, beta, lam, sigma: (1 - beta) * _variance_of_average(lr, beta, lam, sigma),
        ),
        (
            "Noise enters by its variance: σ².",
            lambda lr, beta, lam, sigma: _variance_of_average(lr, beta, lam, sigma) / sigma,
        ),
        (
            "That is the standard deviation; its square is wanted.",
            lambda lr, beta, lam, sigma: _variance_of_average(lr, beta, lam, sigma) ** 0.5,
        ),
        (
            "That is the approximation for small lr; give the exact law.",
            lambda lr, beta, lam, sigma: lr * sigma**2 / (2 * lam),
        ),
        (
            "That is the approximation for small lr, and of the sum of gradients.",
            lambda lr, beta, lam, sigma: lr * sigma**2 / (2 * (1 - beta) * lam),
        ),
        (
            "Put the whole denominator into brackets: `/ lam * (...)` multiplies by the bracket.",
            lambda lr, beta, lam, sigma: (
                lr * sigma**2 * (1 + beta) / lam * (2 + 2 * beta - lr * (1 - beta) * lam)
            ),
        ),
    ],
    hint="Put `lr * (1 - beta)` for each `lr` in the law of the sum of gradients.",
    passed="For small lr it is lr σ²/(2λ), whatever β is: gradient descent's own noise.",
)
def check_variance_of_average():
    """Compare with lr σ²(1 + β)/(λ(2 + 2β − lr(1 − β)λ))."""
    yield 0.1, 0.9, 1.0, 2.0
    yield 0.5, 0.5, 3.0, 0.7
    yield 1.0, 0.8, 0.5, 3.0


@exercise(
    "03b.4",
    "Trade",
    kind="value",
    mistakes=[
        ("Then the effective step lr/(1 − β) would be twenty times larger.", 0.02),
        ("The wrong way round: lr/(1 − β) is to stay 0.02, so that lr must shrink.", 0.4),
        ("That keeps lr·β; what counts is lr/(1 − β).", 0.019),
        ("Divided by β; what counts is lr/(1 − β).", 0.02 / 0.95),
    ],
    hint="lr/(1 − 0.95) = 0.02/(1 − 0).",
    passed="Same speed, same noise; momentum's gain is the room to go faster while the noise is small.",
)
def check_same_noise_lr():
    """Compare with 0.02 (1 − 0.95)."""
    return 0.02 * (1 - 0.95)
