"""Checks of notebook 03: momentum and Nesterov."""

import math

import numpy as np

from course_lib.exercises import NotYet, exercise
from course_lib.exercises._compare import short
from course_lib.exercises.nb02 import _gradient_of
from course_lib.landscapes import rosenbrock, valley

__all__ = [
    "check_best_settings",
    "check_formulas",
    "check_lookahead_step",
    "check_momentum",
    "check_same_way",
]


def _momentum(grad, x0, lr, beta, steps, velocity=lambda v, g, beta: beta * v + g, kept=True):
    x, v = np.array(x0, dtype=float), np.zeros(len(x0))
    points = [x]
    for _ in range(steps):
        new = velocity(v, grad(x), beta)
        x = x - lr * new
        v = new if kept else v
        points.append(x)
    return np.array(points)


def _with_velocity(rule, kept=True):
    return lambda grad, x0, lr, beta, steps: _momentum(grad, x0, lr, beta, steps, rule, kept)


def _old_velocity(grad, x0, lr, beta, steps):
    x, v = np.array(x0, dtype=float), np.zeros(len(x0))
    points = [x]
    for _ in range(steps):
        g = grad(x)
        x = x - lr * v
        v = beta * v + g
        points.append(x)
    return np.array(points)


def _lr_twice(grad, x0, lr, beta, steps):
    return _momentum(grad, x0, lr, beta, steps, lambda v, g, beta: beta * v + lr * g)


def _mixed(grad, x0, lr, beta, steps):
    return _momentum(grad, x0, lr, beta, steps, lambda v, g, beta: beta * v - lr * g)


def _steps_uphill(grad, x0, lr, beta, steps):
    return _momentum(grad, x0, -lr, beta, steps)


@exercise(
    "03.1",
    "Momentum",
    reference=lambda grad, x0, lr, beta, steps: _momentum(grad, x0, lr, beta, steps),
    mistakes=[
        (
            "v is forgotten after each step: keep the new v for the next one (set it to 0 before the loop).",
            _with_velocity(lambda v, g, beta: beta * v + g, kept=False),
        ),
        (
            "`v += beta * v + g` keeps all of the old v and adds to it: write `v = beta * v + g`.",
            _with_velocity(lambda v, g, beta: v + beta * v + g),
        ),
        (
            "Nothing leaks: the old v must be multiplied by `beta`.",
            _with_velocity(lambda v, g, beta: v + g),
        ),
        (
            "That is the average, convention (c): here the gradient enters whole, without (1 - beta).",
            _with_velocity(lambda v, g, beta: beta * v + (1 - beta) * g),
        ),
        ("First update v, then move x with the *new* v.", _old_velocity),
        ("lr is used twice: in (a) it multiplies v when x moves, and nothing else.", _lr_twice),
        ("Two conventions are mixed: in (a) v gathers `+ grad(x)`, without lr.", _mixed),
        ("You go up: v gathers `+ grad(x)`, and x moves by minus `lr * v`.", _steps_uphill),
        (
            "The old v has the wrong sign: `beta * v + g`.",
            _with_velocity(lambda v, g, beta: g - beta * v),
        ),
        ("The start is missing: the first row is `x0`.", lambda *given: _momentum(*given)[1:]),
        (
            "All rows are one and the same array, changed in place: write `x = x - ...`, not `x -= ...`.",
            lambda g, x0, lr, beta, n: np.tile(_momentum(g, x0, lr, beta, n)[-1], (n + 1, 1)),
        ),
        ("Keep every point on the way, not the last alone.", lambda *given: _momentum(*given)[-1]),
    ],
    hint="Begin with v = zeros; in each step `v = beta * v + grad(x)`, then `x = x - lr * v`.",
    passed="One line more than gradient descent.",
)
def check_momentum():
    """Compare with v = beta v + g, x = x - lr v from v = 0, shape (steps + 1, d)."""

    def three(x):
        return x * np.array([1.0, 3.0, 0.5])

    three.__name__ = "gradient of x₁²/2 + 3x₂²/2 + x₃²/4"
    narrow = _gradient_of(valley(), "the valley")
    yield narrow, np.array([-5.0, -2.0]), 0.6, 0.5, 5
    yield three, np.array([1.0, -2.0, 0.5]), 0.1, 0.9, 7
    yield _gradient_of(rosenbrock(), "Rosenbrock's function"), np.array([-1.2, 1.0]), 0.0005, 0.8, 4
    yield narrow, np.array([-5.0, -2.0]), 0.2, 0.0, 3


FACTORS = {"a": lambda beta: 1.0, "b": lambda beta: 1.0, "c": lambda beta: 1 - beta}
"""What multiplies the newest gradient in a step of each convention, apart from lr."""


def _same_way(lr, beta, source, target):
    return lr * FACTORS[source](beta) / FACTORS[target](beta)


def _c_to_c(slip):
    def wrong(lr, beta, source, target):
        return slip(lr, beta) if source == target == "c" else _same_way(lr, beta, source, target)

    return wrong


@exercise(
    "03.2",
    "The same way in another convention",
    reference=_same_way,
    mistakes=[
        (
            "The other way round: the average is (1 - beta) times the sum, so (c) needs the *larger* lr.",
            lambda lr, beta, source, target: _same_way(lr, beta, target, source),
        ),
        (
            "The effective lr is forgotten: (c) weighs a gradient with lr·(1 - beta), (a) and (b) with lr.",
            lambda lr, beta, source, target: lr,
        ),
        (
            "Right from (a) or (b) to (c); but from (c) to the others lr shrinks, within a kind it stays.",
            lambda lr, beta, source, target: lr / (1 - beta),
        ),
        (
            "Right from (c) to (a) or (b); but from them to (c) lr grows, within a kind it stays.",
            lambda lr, beta, source, target: lr * (1 - beta),
        ),
        (
            "(a) and (b) are one and the same while lr is constant.",
            lambda lr, beta, source, target: (
                _same_way(lr, beta, source, target)
                * {"ab": 1 - beta, "ba": 1 / (1 - beta)}.get(source + target, 1)
            ),
        ),
        (
            "(a) and (b) are one and the same while lr is constant.",
            lambda lr, beta, source, target: (
                _same_way(lr, beta, source, target) * {"ab": 1 / lr, "ba": lr}.get(source + target, 1)
            ),
        ),
        (
            "Right between (c) and the others; but from (a) to (b) and back, and from (c) to (c), lr stays.",
            lambda lr, beta, source, target: lr * (1 - beta) if target != "c" else lr / (1 - beta),
        ),
        (
            "Right from (a) or (b) to (c); but from (c) to the others lr shrinks, within a kind it stays.",
            lambda lr, beta, source, target: lr / (1 - beta) if target == "c" else lr,
        ),
        (
            "Right from (c) to (a) or (b); but from them to (c) lr grows, within a kind it stays.",
            lambda lr, beta, source, target: lr * (1 - beta) if source == "c" else lr,
        ),
        *(
            ("Right from one convention to another; but from (c) to (c) lr stays.", slip)
            for slip in (_c_to_c(lambda lr, beta: lr * (1 - beta)), _c_to_c(lambda lr, beta: lr / (1 - beta)))
        ),
        (
            "Right between (a) and (c); and (b) is like (a): between (b) and (c) lr changes too.",
            lambda lr, beta, source, target: (
                lr if "b" in source + target else _same_way(lr, beta, source, target)
            ),
        ),
    ],
    hint="In one step the newest gradient is multiplied by lr in (a) and (b), by lr·(1 - beta) in (c): "
    "make the two equal.",
    passed="The newest gradient weighs the same in both: and so do all the others.",
)
def check_same_way():
    """Compare with the lr that makes two conventions go one way at constant lr."""
    for source, target in ("ac", "ca", "ab", "bc", "cb", "cc", "ba"):
        yield 0.1, 0.9, source, target
        yield 0.6, 0.5, source, target


FORMULAS = (
    ("a", "the gradient enters u whole, and the rate η waits until w moves."),
    ("b", "the rate ε is inside p already, and the step is p itself; the signs are a matter of taste."),
    ("c", "the gradient is multiplied by 1 − μ on its way into s."),
    ("b", "the velocity is θ_t − θ_{t−1}, the last step itself, with its own rate in it."),
)


@exercise(
    "03.3",
    "Which convention is it?",
    kind="custom",
    hint="Ask what multiplies the fresh gradient on its way in: 1 (a), the rate (b), or 1 − beta (c).",
    passed="No letters, no signs: only what multiplies the fresh gradient.",
)
def check_formulas(answer):
    """Require one letter for each of the four formulas: "abcb"."""
    if isinstance(answer, list | tuple):
        answer = "".join(part for part in answer if isinstance(part, str))
    letters = [c for c in answer.casefold() if c.isalpha()] if isinstance(answer, str) else []
    if len(letters) != len(FORMULAS) or set(letters) - set("abc"):
        raise NotYet(f'Expected four letters such as "ccaa", got {short(answer)}.', "One letter a formula.")
    wrong = [i for i, (right, _) in enumerate(FORMULAS) if letters[i] != right]
    if wrong:
        message = f"{len(FORMULAS) - len(wrong)} of {len(FORMULAS)} are right."
        raise NotYet(message, f"Look at formula {wrong[0] + 1} once more: {FORMULAS[wrong[0]][1]}")


def _best_settings(eigenvalues):
    low, high = math.sqrt(np.min(eigenvalues)), math.sqrt(np.max(eigenvalues))
    rate = (high - low) / (high + low)
    return (2 / (low + high)) ** 2, rate**2, rate


def _changed(index, change):
    def wrong(eigenvalues):
        right = list(_best_settings(eigenvalues))
        right[index] = change(*right, np.min(eigenvalues), np.max(eigenvalues))
        return tuple(right)

    return wrong


def _kappa_rate(eigenvalues):
    low, high = np.min(eigenvalues), np.max(eigenvalues)
    return (high - low) / (high + low)


def _of_plain_descent(beta):
    return lambda lam: (2 / (np.min(lam) + np.max(lam)), beta(_kappa_rate(lam)), _kappa_rate(lam))


def _without_roots(eigenvalues):
    rate = _kappa_rate(eigenvalues)
    return (2 / (np.min(eigenvalues) + np.max(eigenvalues))) ** 2, rate**2, rate


def _in_order(places):
    return lambda eigenvalues: tuple(_best_settings(eigenvalues)[i] for i in places)


def _by_place(first, last, signed):
    """Take the eigenvalue at place `first` for the smallest, with or without the sign this gives the rate."""

    def wrong(eigenvalues):
        low, high = eigenvalues[first], eigenvalues[last]
        lr, beta, rate = _best_settings(np.array([low, high]))
        return lr, beta, rate if high > low or not signed else -rate

    return wrong


@exercise(
    "03.4",
    "The best lr and beta",
    reference=_best_settings,
    mistakes=[
        *(
            (
                "These are plain gradient descent's: momentum has the roots of λ, and √κ.",
                _of_plain_descent(beta),
            )
            for beta in (lambda rate: rate**2, lambda rate: rate, lambda rate: 0.0)
        ),
        (
            "The lr is right; but beta and the rate have √κ in the place of κ.",
            lambda lam: (_best_settings(lam)[0], _kappa_rate(lam) ** 2, _kappa_rate(lam)),
        ),
        (
            "Both lr and beta are squares.",
            lambda lam: (_best_settings(lam)[0] ** 0.5, _best_settings(lam)[2], _best_settings(lam)[2]),
        ),
        ("The roots are missing: it is √λmin + √λmax, and √κ.", _without_roots),
        *(
            ("They come in any order: use `np.min` and `np.max`.", _by_place(*places))
            for places in ((0, -1, False), (0, -1, True), (-1, 0, True))
        ),
        (
            "The best beta is the *square* of (√κ − 1)/(√κ + 1).",
            _changed(1, lambda lr, beta, rate, low, high: rate),
        ),
        ("The rate is √beta, not beta.", _changed(2, lambda lr, beta, rate, low, high: beta)),
        (
            "The best lr is the *square* of 2/(√λmin + √λmax).",
            _changed(0, lambda lr, beta, rate, low, high: lr**0.5),
        ),
        (
            "Two roots, then their sum: √λmin + √λmax, not √(λmin + λmax).",
            _changed(0, lambda lr, beta, rate, low, high: 4 / (low + high)),
        ),
        (
            "The roots are missing in lr: it is √λmin + √λmax.",
            _changed(0, lambda lr, beta, rate, low, high: (2 / (low + high)) ** 2),
        ),
        (
            "The square of the best lr takes in the 2 as well.",
            _changed(0, lambda lr, beta, rate, low, high: lr / 2),
        ),
        (
            "That is the lr for convention (c): in (a) it is (1 - beta) times that.",
            _changed(0, lambda lr, beta, rate, low, high: lr / (1 - beta)),
        ),
        (
            "That is the best lr of plain gradient descent; momentum's is (2/(√λmin + √λmax))².",
            _changed(0, lambda lr, beta, rate, low, high: 2 / (low + high)),
        ),
        (
            "That is the rate of plain gradient descent; momentum's has √κ in the place of κ.",
            lambda lam: (*_best_settings(lam)[:2], _kappa_rate(lam)),
        ),
        *(
            ("The order asked for is lr, beta, rate.", _in_order(places))
            for places in ((2, 1, 0), (1, 0, 2), (0, 2, 1), (2, 0, 1), (1, 2, 0))
        ),
    ],
    hint="With q = √(λmax/λmin): rate = (q − 1)/(q + 1), beta = rate², lr = (2/(√λmin + √λmax))².",
    passed="√κ in the place of κ: that is what momentum buys.",
)
def check_best_settings():
    """Compare with ((2/(√λmin + √λmax))², ((√κ − 1)/(√κ + 1))², (√κ − 1)/(√κ + 1))."""
    yield (np.array([4.0, 0.2]),)
    yield (np.array([3.0, 1.0, 16.0, 2.0]),)
    yield (np.array([0.5, 8.0, 6.0]),)


def _lookahead_step(grad, x, v, lr, beta, ahead=1.0):
    v = beta * v - lr * grad(x + ahead * beta * v)
    return x + v, v


def _averaged(grad, x, v, lr, beta):
    return _lookahead_step(grad, x, v, (1 - beta) * lr, beta)


def _other_sign(grad, x, v, lr, beta):
    new = _lookahead_step(grad, x, v, lr, beta)[1]
    return x - new, new


def _trap(grad, x, v, lr, beta):
    v = beta * v + lr * grad(x + beta * v)
    return x - v, v


def _uphill(grad, x, v, lr, beta):
    v = beta * v + lr * grad(x - beta * v)
    return x - v, v


def _whole_velocity(grad, x, v, lr, beta):
    v = beta * v - lr * grad(x + v)
    return x + v, v


def _lr_ahead(grad, x, v, lr, beta):
    v = beta * v - lr * grad(x + lr * beta * v)
    return x + v, v


def _both(grad, x, v, lr, beta):
    ahead = x + beta * v
    v = beta * v - lr * grad(ahead)
    return ahead + v, v


def _gradient_uphill(grad, x, v, lr, beta):
    return _lookahead_step(grad, x, v, -lr, beta)


def _old_velocity_moves(grad, x, v, lr, beta):
    return x + v, _lookahead_step(grad, x, v, lr, beta)[1]


def _rewritten(grad, x, v, lr, beta):
    new = _lookahead_step(grad, x, v, lr, beta, ahead=0.0)[1]
    return x - beta * v + (1 + beta) * new, new


def _sum_of_gradients(grad, x, v, lr, beta):
    new = beta * v + grad(x - lr * beta * v)
    return x - lr * new, new


def _no_leak(grad, x, v, lr, beta):
    new = v - lr * grad(x + beta * v)
    return x + new, new


@exercise(
    "03.5",
    "A look-ahead step",
    reference=lambda grad, x, v, lr, beta: _lookahead_step(grad, x, v, lr, beta),
    mistakes=[
        (
            "That is plain momentum, convention (b): measure the gradient at `x + beta * v`.",
            lambda grad, x, v, lr, beta: _lookahead_step(grad, x, v, lr, beta, ahead=0.0),
        ),
        (
            "You look back: with `x = x + v` the place ahead is `x + beta * v`, with a plus.",
            lambda grad, x, v, lr, beta: _lookahead_step(grad, x, v, lr, beta, ahead=-1.0),
        ),
        (
            "The trap of this section: with + lr·g and x − v, v points uphill, so ahead is `x − beta·v`.",
            _trap,
        ),
        (
            "v has the other sign in the result: with `v = beta * v - lr * g` the step is `x + v`.",
            _other_sign,
        ),
        ("A right idea with v uphill, but here v is the step itself: `x + v`.", _uphill),
        ("Only beta * v is sure to come: look ahead to `x + beta * v`, not to x + v.", _whole_velocity),
        ("In (b) v is a step already: look ahead by beta * v, without lr.", _lr_ahead),
        (
            "Start the step from x, not from the place ahead: beta * v would count twice.",
            _both,
        ),
        (
            "Give back the *new* v: without it the next step knows nothing of this one.",
            lambda grad, x, v, lr, beta: (_lookahead_step(grad, x, v, lr, beta)[0], v),
        ),
        (
            "v is missing: `return x, v`, or the next step knows nothing of this one.",
            lambda grad, x, v, lr, beta: _lookahead_step(grad, x, v, lr, beta)[0],
        ),
        (
            "The order asked for is x, v.",
            lambda grad, x, v, lr, beta: _lookahead_step(grad, x, v, lr, beta)[::-1],
        ),
        (
            "That is the average: `beta * v - lr * g`, without (1 - beta).",
            _averaged,
        ),
        ("You go up: v gathers *minus* `lr * g`.", _gradient_uphill),
        ("First update v, then move x with the *new* v.", _old_velocity_moves),
        (
            "That is the rewritten form, which starts from the place ahead: here x stays behind, "
            "and the gradient is measured at `x + beta * v`.",
            _rewritten,
        ),
        ("That is convention (a): here lr multiplies the gradient, and v is the step.", _sum_of_gradients),
        ("Nothing leaks: the old v must be multiplied by `beta`.", _no_leak),
    ],
    hint="Measure one gradient, at `x + beta * v`; then all goes on as in (b): first the new v, then x.",
    passed="The only change to (b) is where the gradient is measured.",
)
def check_lookahead_step():
    """Compare with v = beta v - lr grad(x + beta v), x = x + v."""
    narrow = _gradient_of(valley(), "the valley")
    yield narrow, np.array([-5.0, -2.0]), np.array([0.5, 1.0]), 0.2, 0.9
    yield narrow, np.array([1.0, 0.5]), np.array([-0.3, 0.2]), 0.1, 0.5
    yield (
        _gradient_of(rosenbrock(), "Rosenbrock's function"),
        np.array([-1.2, 1.0]),
        np.ones(2) / 8,
        0.001,
        0.8,
    )
