"""Checks of notebook 02: gradient descent and SGD."""

import numpy as np

from course_lib.exercises import NotYet, call, exercise
from course_lib.landscapes import rosenbrock, valley

__all__ = [
    "check_epoch_batches",
    "check_gradient_descent",
    "check_lr_for_radius",
    "check_minibatch_variance",
    "check_step_sizes",
    "check_steps_needed",
]


def _descent(grad, x0, lr, steps):
    x = np.array(x0, dtype=float)
    points = [x]
    for _ in range(steps):
        x = x - lr * grad(x)
        points.append(x)
    return np.array(points)


def _first_gradient_only(grad, x0, lr, steps):
    return x0 - lr * np.arange(steps + 1)[:, None] * grad(x0)


@exercise(
    "02.1",
    "Gradient descent",
    reference=_descent,
    mistakes=[
        ("You go up: the step is minus `lr * grad(x)`.", lambda g, x, lr, n: _descent(g, x, -lr, n)),
        (
            "All rows are one and the same array, changed in place: write `x = x - ...`, not `x -= ...`.",
            lambda g, x, lr, n: np.tile(_descent(g, x, lr, n)[-1], (n + 1, 1)),
        ),
        (
            "The gradient is measured at the start only: call `grad(x)` anew in each step.",
            _first_gradient_only,
        ),
        ("The start is missing: the first row is `x0`.", lambda g, x, lr, n: _descent(g, x, lr, n)[1:]),
        ("The last step is missing: take `steps` steps.", lambda g, x, lr, n: _descent(g, x, lr, n)[:-1]),
        (
            "Keep every point on the way, not the last alone.",
            lambda g, x, lr, n: _descent(g, x, lr, n)[-1],
        ),
        (
            "You follow the direction of the gradient but not its length: do not divide by its norm.",
            lambda g, x, lr, n: _descent(lambda z: g(z) / np.linalg.norm(g(z)), x, lr, n),
        ),
    ],
    hint="Begin the list with x0; then `x = x - lr * grad(x)`, and append x, `steps` times.",
    passed="Six lines: all of this notebook stands on them.",
)
def check_gradient_descent():
    """Compare with x_{k+1} = x_k - lr grad(x_k), shape (steps + 1, d)."""

    def three(x):
        return x * np.array([1.0, 3.0, 0.5])

    three.__name__ = "gradient of x₁²/2 + 3x₂²/2 + x₃²/4"
    narrow = _gradient_of(valley(), "the valley")
    yield narrow, np.array([-5.0, -2.0]), 0.4, 4
    yield three, np.array([1.0, -2.0, 0.5]), 0.1, 7
    yield _gradient_of(rosenbrock(), "Rosenbrock's function"), np.array([-1.2, 1.0]), 0.001, 3
    yield narrow, np.array([-5.0, -2.0]), 0.6, 30  # divergence is a result, too


def _gradient_of(land, name):
    def gradient(x):
        return land.grad(x)

    gradient.__name__ = f"gradient of {name}"  # messages name it
    return gradient


def _step_sizes(eigenvalues):
    low, high = np.min(eigenvalues), np.max(eigenvalues)
    return 2 / high, 2 / (low + high), (high - low) / (high + low)


def _in_order(eigenvalues):
    first, last = eigenvalues[0], eigenvalues[-1]
    return 2 / last, 2 / (first + last), (last - first) / (last + first)


def _replaced(index, change):
    def wrong(eigenvalues):
        right = list(_step_sizes(eigenvalues))
        right[index] = change(np.min(eigenvalues), np.max(eigenvalues))
        return tuple(right)

    return wrong


@exercise(
    "02.2",
    "Step sizes from eigenvalues",
    reference=_step_sizes,
    mistakes=[
        ("They come in any order: use `np.min` and `np.max`.", _in_order),
        (
            "They come in any order: use `np.min` and `np.max`.",
            lambda lam: _in_order(lam[::-1]),
        ),
        (
            "At lr = 1/λmax the steep direction is done in one step; it diverges from twice that on.",
            _replaced(0, lambda low, high: 1 / high),
        ),
        ("The steepest direction, λmax, sets the limit.", _replaced(0, lambda low, high: 2 / low)),
        (
            "At the best lr both extremes shrink alike: 1 - lr·λmin = lr·λmax - 1. Solve for lr.",
            _replaced(1, lambda low, high: 1 / high),
        ),
        (
            "At the best lr both extremes shrink alike: 1 - lr·λmin = lr·λmax - 1. Mind the 2.",
            _replaced(1, lambda low, high: 1 / (low + high)),
        ),
        (
            "That is the factor of the loss; asked is the distance: do not square.",
            _replaced(2, lambda low, high: ((high - low) / (high + low)) ** 2),
        ),
        (
            "The rate is below 1: (κ - 1)/(κ + 1), not its inverse, with κ = λmax/λmin.",
            _replaced(2, lambda low, high: (high + low) / (high - low)),
        ),
        (
            "κ is λmax/λmin, at least 1; you have its inverse, and the rate turned negative.",
            _replaced(2, lambda low, high: (low - high) / (high + low)),
        ),
    ],
    hint="`limit` is 2/λmax, `best` is 2/(λmin + λmax), `rate` is (κ - 1)/(κ + 1).",
    passed="Two eigenvalues tell the limit, the best step and its rate.",
)
def check_step_sizes():
    """Compare with (2/λmax, 2/(λmin + λmax), (κ - 1)/(κ + 1))."""
    yield (np.array([4.0, 0.2]),)
    yield (np.array([3.0, 1.0, 10.0, 2.0]),)
    yield (np.array([0.5, 7.0, 6.0]),)


@exercise(
    "02.3",
    "Shuffled epoch",
    kind="custom",
    hint="`order = rng.permutation(N)`, then the slices `order[k : k + B]` for k = 0, B, 2B, ...",
    passed="Every example once, in an order that no one could have foretold.",
)
def check_epoch_batches(epoch_batches):
    """Require of the batches that they cut one random permutation of 0, ..., N - 1 into pieces of B."""
    for N, B in ((10, 4), (12, 3), (7, 10), (64, 1)):
        given = f"With N = {N}, B = {B}"
        batches = _batches(epoch_batches, N, B, 0, given)
        if any(len(batch) == 0 for batch in batches):
            raise NotYet(f"{given}: one batch is empty.", "Count the starts with `range(0, N, B)`.")
        flat = np.concatenate(batches) if batches else np.array([], int)
        if flat.size and (flat.min() < 0 or flat.max() >= N):
            text = f"{given}: indices run from {flat.min()} to {flat.max()}, expected 0 to {N - 1}."
            raise NotYet(text, "`rng.permutation(N)` gives 0, ..., N - 1.")
        used = np.bincount(flat.astype(int), minlength=N)
        if len(flat) == N // B * B < N and used.max() <= 1:
            left = N - len(flat)
            raise NotYet(
                f"{given}: {left} example{'s are' if left > 1 else ' is'} left out.",
                "Keep the short last batch: let the slices begin at `range(0, N, B)`.",
            )
        if used.max() > 1:
            raise NotYet(
                f"{given}: example {used.argmax()} comes {used.max()} times.",
                "Shuffle once, then slice at 0, B, 2B, ... (`range(0, N, B)`). Examples repeat "
                "if slices overlap, if each batch is shuffled anew, or if you draw with replacement.",
            )
        if len(flat) < N:
            text = f"{given}: {N - len(flat)} of {N} examples are left out."
            raise NotYet(text, "Each belongs to one batch.")
        sizes, wanted = [len(batch) for batch in batches], [min(B, N - k) for k in range(0, N, B)]
        if sizes != wanted:
            text = f"{given}: batch sizes {sizes}, expected {wanted}."
            raise NotYet(text, "All but the last have B indices.")
    for N, B in ((12, 3), (64, 8)):
        given = f"With N = {N}, B = {B}"
        orders = np.stack([np.concatenate(_batches(epoch_batches, N, B, seed, given)) for seed in range(20)])
        if np.array_equal(orders[0], np.arange(N)):
            raise NotYet(
                f"{given}: the examples come in their stored order.", "Shuffle: `rng.permutation(N)`."
            )
        kept = max(np.mean(orders == np.arange(N)), np.mean(np.diff(orders, axis=1) == 1))
        if kept > 0.4:
            raise NotYet(
                f"{given}: in 20 epochs {kept:.0%} of the examples keep their place, or their neighbour.",
                "`rng.permutation(N)` sends each example to every place with the same chance.",
            )
    _require_own_chance(epoch_batches, 8)
    _require_new_company(epoch_batches)
    _require_own_chance(epoch_batches, 1)


def _require_own_chance(epoch_batches, B):
    """Require that equally seeded generators give one order, and others another."""
    given = f"With N = 64, B = {B}"
    first, again, other = (np.concatenate(_batches(epoch_batches, 64, B, seed, given)) for seed in (0, 0, 1))
    if not np.array_equal(again, first):
        raise NotYet(
            "Two calls with equally seeded generators differ.",
            "Take all randomness from `rng`, not from `np.random`: only then can a run be repeated.",
        )
    if np.array_equal(other, first):
        raise NotYet(
            "Differently seeded generators give the same order.",
            "Use the `rng` you are given; do not make a new one inside.",
        )


def _require_new_company(epoch_batches):
    """Require that no two examples share a batch in nearly every epoch, as stored blocks would."""
    for N, B in ((12, 3), (64, 8)):
        given, together = f"With N = {N}, B = {B}", np.zeros((N, N), int)
        for seed in range(20):
            for batch in _batches(epoch_batches, N, B, seed, given):
                together[np.ix_(batch, batch)] += 1
        np.fill_diagonal(together, 0)
        i, j = np.unravel_index(together.argmax(), together.shape)
        if together[i, j] > 15:  # by chance: less than once in a thousand million
            raise NotYet(
                f"{given}: in {together[i, j]} of 20 epochs examples {i} and {j} share a batch.",
                "You shuffle blocks, or within blocks: shuffle all N examples, then slice.",
            )


def _batches(epoch_batches, N, B, seed, given):
    got = call(epoch_batches, N, B, np.random.default_rng(seed), context=given)
    try:
        batches = [np.asarray(batch) for batch in got]
    except (TypeError, ValueError):
        batches = []
    if not batches or any(batch.ndim != 1 or batch.dtype.kind not in "iu" for batch in batches if batch.size):
        text = f"{given}: expected a list of 1-D arrays of whole numbers."
        raise NotYet(text, "One array of indices a batch.")
    return batches


def _lr_for_radius(radius, sigma2, B, lam):
    v = radius**2
    return 2 * v * B * lam / (sigma2 + v * B * lam**2)


@exercise(
    "02.4",
    "Step for a given accuracy",
    reference=_lr_for_radius,
    mistakes=[
        (
            "The formula holds for the variance: put in radius², not the radius.",
            lambda radius, sigma2, B, lam: _lr_for_radius(np.sqrt(radius), sigma2, B, lam),
        ),
        (
            "That is the formula for small lr. Keep the lr in `2 - lr·λ`, and collect both terms with lr.",
            lambda radius, sigma2, B, lam: 2 * radius**2 * B * lam / sigma2,
        ),
        (
            "The batch size is missing: the noise of one step is σ²/B.",
            lambda radius, sigma2, B, lam: _lr_for_radius(radius, sigma2, 1, lam),
        ),
        (
            "B stands on the wrong side: a larger batch allows a larger lr.",
            lambda radius, sigma2, B, lam: _lr_for_radius(radius, sigma2, 1 / B, lam),
        ),
        (
            "`sigma2` is the variance σ² already: do not square it.",
            lambda radius, sigma2, B, lam: _lr_for_radius(radius, sigma2**2, B, lam),
        ),
        (
            "A sign got lost: v·B·λ·(2 - lr·λ) = lr·σ² gives σ² *plus* v·B·λ² below.",
            lambda radius, sigma2, B, lam: 2 * radius**2 * B * lam / (sigma2 - radius**2 * B * lam**2),
        ),
    ],
    hint="From v·B·λ·(2 - lr·λ) = lr·σ² collect the terms with lr on one side.",
    passed="Half the radius costs about a quarter of the step, or four times the batch.",
)
def check_lr_for_radius():
    """Compare with the lr that solves radius² = lr σ² / (B λ (2 - lr λ))."""
    yield from ((0.1, 2.0, 4, 3.0), (0.5, 0.5, 2, 0.7), (2.0, 3.0, 32, 0.2))


def _exact_steps(kappa, factor, power=2):
    return np.log(factor) / (power * np.log((kappa - 1) / (kappa + 1)))


@exercise(
    "02.5",
    "Steps needed",
    reference=lambda kappa, factor: int(np.ceil(_exact_steps(kappa, factor))),
    mistakes=[
        (
            "That is for the distance. The loss shrinks by the rate *squared* each step: half the steps.",
            lambda kappa, factor: int(np.ceil(_exact_steps(kappa, factor, 1))),
        ),
        (
            "Not yet there: round up, not down.",
            lambda kappa, factor: int(_exact_steps(kappa, factor)),
        ),
        (
            "Round up (`np.ceil`), not to the nearest whole number.",
            lambda kappa, factor: round(_exact_steps(kappa, factor)),
        ),
        (
            "Round up with `np.ceil`: a whole number stays as it is.",
            lambda kappa, factor: int(_exact_steps(kappa, factor)) + 1,
        ),
        ("A number of steps is whole: round up.", _exact_steps),
        (
            "Both logarithms are negative: their quotient is positive.",
            lambda kappa, factor: int(np.floor(-_exact_steps(kappa, factor))),
        ),
        (
            "Both logarithms are negative: their quotient is positive.",
            lambda kappa, factor: int(np.ceil(-_exact_steps(kappa, factor))),
        ),
    ],
    hint="Solve ((κ - 1)/(κ + 1))^(2k) = factor for k with logarithms, then round up.",
    passed="Ten times κ, ten times the steps.",
)
def check_steps_needed():
    """Compare with the smallest k for which rate^(2k) <= factor."""
    yield from ((10, 1e-6), (100, 1e-6), (1.5, 1e-6), (2, 1e-3), (3, 1 / 16))
    yield from ((20.0, 0.01), (1000, 1e-4), (50, 1e-5))


def _minibatch_variance(single, B, replace, ddof=0):
    N = len(single)
    variance = np.var(single, axis=0, ddof=ddof) / B
    return variance if replace else variance * (N - B) / (N - 1)


def _changed_variance(factor):
    def wrong(single, B, replace):
        return _minibatch_variance(single, B, replace) * factor(len(single), B, replace)

    return wrong


@exercise(
    "02.6",
    "Variance of a minibatch gradient",
    reference=_minibatch_variance,
    mistakes=[
        (
            "The mean of B has a variance B times smaller: divide by `B`.",
            _changed_variance(lambda N, B, replace: B),
        ),
        (
            "S divides by N, not N - 1: `np.var(single, axis=0)` without `ddof`.",
            lambda single, B, replace: _minibatch_variance(single, B, replace, ddof=1),
        ),
        (
            "Without replacement comes the factor (N - B)/(N - 1).",
            lambda single, B, replace: _minibatch_variance(single, B, True),
        ),
        (
            "The two cases are exchanged: the factor (N - B)/(N - 1) belongs to `replace=False`.",
            lambda single, B, replace: _minibatch_variance(single, B, not replace),
        ),
        (
            "The factor is (N - B)/(N - 1), with N - 1 below: at B = 1 it must be 1.",
            _changed_variance(lambda N, B, replace: 1 if replace else (N - 1) / N),
        ),
        (
            "Asked is the variance, the square of the standard deviation.",
            lambda single, B, replace: np.sqrt(_minibatch_variance(single, B, replace)),
        ),
        (
            "Give one variance for each of the d entries: `axis=0`, and no sum.",
            lambda single, B, replace: _minibatch_variance(single, B, replace).sum(),
        ),
        (
            "Take the variance over the examples, `axis=0`, not over all numbers at once.",
            lambda single, B, replace: (
                _minibatch_variance(single.ravel(), B, True)
                * (1 if replace else (len(single) - B) / (len(single) - 1))
            ),
        ),
    ],
    hint="`np.var(single, axis=0) / B`, and without replacement times (N - B)/(N - 1).",
    passed="Four times the batch, half the error; and none at all once every example is in.",
)
def check_minibatch_variance():
    """Compare with S/B, and S/B (N - B)/(N - 1) without replacement."""
    rng = np.random.default_rng(0)
    for N, d, B in ((20, 2, 5), (7, 3, 7), (50, 1, 8)):
        for replace in (True, False):
            yield rng.standard_normal((N, d)) * np.arange(1, d + 1), B, replace
