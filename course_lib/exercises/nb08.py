"""Checks of notebook 08: letters, velocities, Keras's ε, weight decay, and tests that expose eight bugs."""

import inspect
import textwrap

import numpy as np

from course_lib.exercises import NotYet, call, exercise
from course_lib.exercises._call import Blank
from course_lib.exercises._compare import short

__all__ = [
    "BUGS",
    "PASSED",
    "check_letters",
    "check_same_eps",
    "check_same_shrinkage",
    "check_tests",
    "check_velocity",
    "printed",
    "trace",
]

LETTERS = [
    ("beta", "it multiplies the old velocity, so it says how much of the past is kept."),
    ("lr", "it multiplies the whole step, and nothing else."),
    ("rho", "it is the share kept of an average of g², and no average of g stands beside it."),
    ("eps", "a tiny number that keeps the root from being 0."),
    ("beta2", "it is the share kept of the average of g², and Adam has a name of its own for that."),
    ("lr", "it multiplies the whole step, and nothing else."),
]
"""What the letter asked for is called in the course, and how one sees it."""

WORDS = ("lr", "beta", "beta1", "beta2", "rho", "eps")


@exercise(
    "08.1",
    "Six letters",
    kind="custom",
    hint="Ask where the letter stands: before the step, before the old value, or beside the root.",
    passed="Three letters α, three meanings. The place tells, the letter does not.",
)
def check_letters(answer):
    """Require one of the course's names for each of the six letters."""
    given = np.ravel(answer).tolist() if isinstance(answer, list | tuple | np.ndarray) else []
    if len(given) != len(LETTERS) or not all(isinstance(word, str) for word in given):
        raise NotYet(f'Expected six names such as ("lr", "rho", …), got {short(answer)}.')
    given = [word.strip().casefold() for word in given]
    for word in given:
        if word not in WORDS:
            raise NotYet(f"{short(word)} is no name of this course.", f"One of {', '.join(WORDS)}.")
    wrong = [k for k, (right, _) in enumerate(LETTERS) if given[k] != right]
    if wrong:
        k = wrong[0]
        message = f"{len(LETTERS) - len(wrong)} of {len(LETTERS)} are right."
        raise NotYet(message, f"Look at line {k + 1} once more: {LETTERS[k][1]}")


def _velocity(v, lr, beta, to, b=lambda v, lr, beta: -lr * v, c=lambda v, lr, beta: (1 - beta) * v):
    return {"a": v, "b": b(v, lr, beta), "c": c(v, lr, beta)}[to]


def _velocity_changed(**changes):
    return lambda v, lr, beta, to: _velocity(v, lr, beta, to, **changes)


@exercise(
    "08.2",
    "The same velocity",
    reference=_velocity_changed(),
    mistakes=[
        (
            "In (b) the step is *added*: `x += v`. So its velocity points downhill.",
            _velocity_changed(b=lambda v, lr, beta: lr * v),
        ),
        (
            "In (b) the rate is in the velocity already: multiply by `lr`.",
            _velocity_changed(b=lambda v, lr, beta: -v),
        ),
        (
            "In (b) the rate is in the velocity already: multiply by `lr`, and mind the sign.",
            _velocity_changed(b=lambda v, lr, beta: v),
        ),
        (
            "Multiply by `lr`: (b) *has* the rate in its velocity, (a) has not.",
            _velocity_changed(b=lambda v, lr, beta: -v / lr),
        ),
        (
            "(c) is an *average*: every gradient enters it with the factor 1 − β, so it is smaller.",
            _velocity_changed(c=lambda v, lr, beta: v / (1 - beta)),
        ),
        (
            "(c) is an average: every gradient enters it with the factor 1 − β.",
            _velocity_changed(c=lambda v, lr, beta: v),
        ),
        (
            "(c) has no rate in its velocity: the 1 − β alone.",
            _velocity_changed(c=lambda v, lr, beta: lr * (1 - beta) * v),
        ),
        (
            "lr/(1 − β) is the rate of (c), and stays out of its velocity: there it is the 1 − β alone.",
            _velocity_changed(c=lambda v, lr, beta: lr * v / (1 - beta)),
        ),
        (
            "The factor of a fresh gradient in (c) is 1 − β, not β.",
            _velocity_changed(c=lambda v, lr, beta: beta * v),
        ),
    ],
    hint="Follow one gradient g: it enters (a) as g, (b) as −lr·g, (c) as (1 − β)·g. Then all leak alike.",
    passed="One and the same motion, saved in three ways: now a checkpoint may change its framework.",
)
def check_velocity():
    """Compare with v, -lr v and (1 - β) v."""
    for to in "abc":
        yield np.array([2.0, -1.0, 0.5]), 0.1, 0.9, to
        yield np.array([-3.0, 4.0]), 0.25, 0.5, to
        yield np.array([[1.0], [2.0]]), 2.0, 0.75, to


@exercise(
    "08.3",
    "An ε that makes two Adams one",
    reference=lambda eps, beta2, t: eps / np.sqrt(1 - beta2 ** (t + 1)),
    mistakes=[
        (
            "t counts the steps made *before*: in the first step t = 0, and the power is t + 1.",
            lambda eps, beta2, t: eps / np.sqrt(1 - beta2**t),
        ),
        (
            "The correction stands under the root: `np.sqrt(1 - beta2 ** (t + 1))`.",
            lambda eps, beta2, t: eps / (1 - beta2 ** (t + 1)),
        ),
        (
            "Turn it round: early on Keras's ε weighs *more*, so the result is larger than eps.",
            lambda eps, beta2, t: eps * np.sqrt(1 - beta2 ** (t + 1)),
        ),
        (
            "That is the ε of the first step only: the power is t + 1.",
            lambda eps, beta2, t: eps / np.sqrt(1 - beta2),
        ),
        ("No constant does it: divide by √(1 − β₂ᵗ⁺¹).", lambda eps, beta2, t: eps),
        ("β₂ᵗ⁺¹ is a power, `beta2 ** (t + 1)`.", lambda eps, beta2, t: eps / np.sqrt(1 - beta2 * (t + 1))),
        (
            "That is the root of β₂ᵗ⁺¹ itself; the correction is 1 minus it.",
            lambda eps, beta2, t: eps / np.sqrt(beta2 ** (t + 1)),
        ),
    ],
    hint="Write √v + ε with v = v̂·(1 − β₂ᵗ⁺¹), and take √(1 − β₂ᵗ⁺¹) out of the sum.",
    passed="An ε that begins 32 times as large and fades to its own size: with it PyTorch's formula goes "
    "Keras's way, step for step.",
)
def check_same_eps():
    """Compare with ε / √(1 − β2^(t+1)), t counting the updates made before."""
    for t in (0, 1, 4, 99):
        yield 1e-7, 0.999, t
        yield 0.5, 0.75, t


def _shrinkage(shrink, lr, sgd=1.0, penalty=0.5, paper=None):
    return sgd * shrink / lr, penalty * shrink / lr, shrink if paper is None else paper(shrink, lr)


def _shrinkage_changed(**changes):
    return lambda shrink, lr: _shrinkage(shrink, lr, **changes)


@exercise(
    "08.4",
    "The same shrinkage",
    reference=_shrinkage_changed(),
    mistakes=[
        (
            "The derivative of c·w² is 2·c·w: Keras's number is *half* of PyTorch's.",
            _shrinkage_changed(penalty=1.0),
        ),
        (
            "The derivative of c·w² is 2·c·w: Keras's number is half of PyTorch's, not twice.",
            _shrinkage_changed(penalty=2.0),
        ),
        (
            "The paper does not multiply its λ by lr: there λ is the shrinkage itself.",
            _shrinkage_changed(paper=lambda s, lr: s / lr),
        ),
        (
            "The paper does not multiply its λ by lr: there λ is the shrinkage itself.",
            _shrinkage_changed(paper=lambda s, lr: s * lr),
        ),
        (
            "PyTorch multiplies weight_decay by lr in the step: so divide by lr here.",
            lambda s, lr: (s, s / 2, s),
        ),
        (
            "PyTorch multiplies weight_decay by lr in the step: so divide by lr here.",
            lambda s, lr: (s * lr, s * lr / 2, s),
        ),
        (
            "Three formulas: the derivative of c·w² is 2·c·w, and the paper does not multiply λ by lr.",
            lambda s, lr: (s / lr, s / lr, s / lr),
        ),
        (
            "Only the paper's λ is the shrinkage itself; PyTorch and Keras multiply theirs by lr.",
            lambda s, lr: (s, s, s),
        ),
        ("The order is PyTorch, Keras's penalty, the paper.", lambda s, lr: (s / (2 * lr), s / lr, s)),
    ],
    hint="Write each step as w ← w − (…)·w − …, and set the bracket equal to `shrink`.",
    passed="Three numbers for one shrinkage: copy a weight decay only together with its formula.",
)
def check_same_shrinkage():
    """Compare with shrink / lr, shrink / (2 lr) and shrink."""
    yield 1e-4, 0.1
    yield 0.01, 0.5
    yield 0.02, 4.0


# --- spot the bug: each rule as it was committed, and as it was meant


def momentum(x, v, slope, lr, t, beta):
    """Momentum as PyTorch has it."""
    v = beta * v + lr * slope(x)
    return x - v, v


def momentum_meant(x, v, slope, lr, t, beta):
    v = beta * v + slope(x)
    return x - lr * v, v


def nesterov(x, v, slope, lr, t, beta):
    """Nesterov: look ahead, measure the slope there."""
    v = beta * v + lr * slope(x + beta * v)
    return x - v, v


def nesterov_meant(x, v, slope, lr, t, beta):
    v = beta * v + lr * slope(x - beta * v)
    return x - v, v


def rmsprop(x, s, slope, lr, t, rho):
    """RMSProp."""
    g = slope(x)
    s = s + rho * s + (1 - rho) * g**2
    return x - lr * g / (np.sqrt(s) + 1e-8), s


def rmsprop_meant(x, s, slope, lr, t, rho):
    g = slope(x)
    s = rho * s + (1 - rho) * g**2
    return x - lr * g / (np.sqrt(s) + 1e-8), s


def adam(x, mv, slope, lr, t, beta1, beta2):
    """Adam; t = 1, 2, 3, …."""
    (m, v), g = mv, slope(x)
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta1**t)
    return x - lr * m_hat / (np.sqrt(v_hat) + 1e-8), (m, v)


def adam_meant(x, mv, slope, lr, t, beta1, beta2):
    (m, v), g = mv, slope(x)
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return x - lr * m_hat / (np.sqrt(v_hat) + 1e-8), (m, v)


def clipped(x, nothing, slope, lr, t, c):
    """Gradient descent, clipped by global norm."""
    g = np.clip(slope(x), -c, c)
    return x - lr * g, nothing


def clipped_meant(x, nothing, slope, lr, t, c):
    g = slope(x)
    return x - lr * g * min(1, c / max(np.linalg.norm(g), 1e-300)), nothing


def adamw(x, mv, slope, lr, t, decay):
    """AdamW: the decay stays out of the averages."""
    (m, v), g = mv, slope(x) + decay * x
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return x - lr * m_hat / (np.sqrt(v_hat) + 1e-8), (m, v)


def adamw_meant(x, mv, slope, lr, t, decay):
    (m, v), g = mv, slope(x)
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return x - lr * decay * x - lr * m_hat / (np.sqrt(v_hat) + 1e-8), (m, v)


def amsgrad(x, v_max, slope, lr, t, beta2):
    """AMSGrad without momentum: divide by the largest average so far."""
    (v, largest), g = v_max, slope(x)
    before, v = v, beta2 * v + (1 - beta2) * g**2
    largest = np.maximum(before, v)
    return x - lr * g / (np.sqrt(largest) + 1e-8), (v, largest)


def amsgrad_meant(x, v_max, slope, lr, t, beta2):
    (v, largest), g = v_max, slope(x)
    v = beta2 * v + (1 - beta2) * g**2
    largest = np.maximum(largest, v)
    return x - lr * g / (np.sqrt(largest) + 1e-8), (v, largest)


def adagrad(x, s, slope, lr, t, eps):
    """Adagrad as PyTorch has it: ε outside the root."""
    g = slope(x)
    s = s + g**2
    return x - lr * g / np.sqrt(s + eps), s


def adagrad_meant(x, s, slope, lr, t, eps):
    g = slope(x)
    s = s + g**2
    return x - lr * g / (np.sqrt(s) + eps), s


BUGS = {
    1: (momentum, momentum_meant),
    2: (nesterov, nesterov_meant),
    3: (rmsprop, rmsprop_meant),
    4: (adam, adam_meant),
    5: (clipped, clipped_meant),
    6: (adamw, adamw_meant),
    7: (amsgrad, amsgrad_meant),
    8: (adagrad, adagrad_meant),
}
"""Number of the bug: the rule as it was committed, and as it was meant."""

PASSED = {
    1: {"x": 0.0, "g": [1.0, -2.0, 3.0, 1.0], "lr": 0.1, "beta": 0.9},
    2: {"x": 0.0, "g": [1.0, -2.0, 3.0, 1.0], "lr": 0.1, "beta": 0.9},
    3: {"x": 0.0, "g": [2.0], "lr": 0.1, "rho": 0.9},
    4: {"x": 0.0, "g": [2.0, -1.0, 3.0], "lr": 0.1, "beta1": 0.9, "beta2": 0.9},
    5: {"x": 0.0, "g": [0.5, -3.0, 2.0], "lr": 0.1, "c": 1.0},
    6: {"x": 0.0, "g": [2.0], "lr": 0.1, "decay": 0.1},
    7: {"x": 0.0, "g": [1.0, 2.0, 3.0], "lr": 0.1, "beta2": 0.9},
    8: {"x": 0.0, "g": [3.0, -1.0, 2.0], "lr": 0.1, "eps": 1e-8},
}
"""The test that each committed rule passed: start, gradients, rate, and the rule's own numbers."""

LEAST = 1e-3
"""A bug is exposed when the two runs part by this share of the longer way."""

STEPS = 8
"""How many steps are made when the gradient is a function."""

PAIRS = {"adam", "adamw", "amsgrad"}
"""Rules that keep two averages."""


def printed(*numbers):
    """Return the source of these committed rules, with the test that each of them passed."""
    parts = []
    for k in numbers or BUGS:
        source = textwrap.dedent(inspect.getsource(BUGS[k][0])).strip()
        test = ", ".join(f"{name}={value}" for name, value in PASSED[k].items())
        parts.append(f"# --- {k} --- passed: {test}\n{source}")
    return "\n\n".join(parts)


def trace(rule, test):
    """Return the points that a rule of `BUGS` visits in a test such as those of `PASSED`.

    Parameters
    ----------
    rule : callable
        ``rule(x, state, slope, lr, t, **numbers)``, which returns the next point and state.
    test : dict
        ``x``, the start; ``g``, a list of gradients, or the gradient as a function of the point (then 8
        steps are made); ``lr``, a rate or a list of rates, one a step; and the rule's own numbers.

    Returns
    -------
    ndarray of shape (steps + 1, d)
    """
    g, rates = test["g"], test["lr"]
    steps = STEPS if callable(g) else len(g)
    rates = list(rates) if isinstance(rates, list | tuple | np.ndarray) else [rates] * steps
    numbers = {name: value for name, value in test.items() if name not in ("x", "g", "lr")}
    x = _start(test)
    state = (np.zeros_like(x), np.zeros_like(x)) if rule.__name__.split("_")[0] in PAIRS else np.zeros_like(x)
    points = [x]
    for t in range(1, steps + 1):
        x, state = rule(x, state, _slope(g, t), rates[t - 1], t, **numbers)
        points.append(x)
    return np.array(points)


def _start(test):
    x, g = np.atleast_1d(np.asarray(test["x"], dtype=float)), test["g"]
    rows = [call(g, x)] if callable(g) else g
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, *map(np.shape, rows))).copy()


def _slope(g, t):
    if callable(g):
        return lambda x: np.asarray(call(g, x), dtype=float) + 0 * x
    return lambda x: np.asarray(g[t - 1], dtype=float) + 0 * x


def _gap(k, test):
    """Return by which share of the longer way the committed rule and the one meant part."""
    with np.errstate(all="ignore"):
        wrong, right = (trace(rule, test) for rule in BUGS[k])
    if not np.isfinite(right).all():
        raise NotYet(f"Test {k}: even the right rule leaves the numbers.", "Smaller numbers will do.")
    way = max(np.abs(right - right[0]).max(), np.abs(wrong - wrong[0]).max())
    gap = np.abs(np.where(np.isfinite(wrong), wrong, np.inf) - right).max()
    return 0.0 if gap == 0 else gap / way if np.isfinite(way) else np.inf


def _met(k, test):
    """Return the gradients that the rule meant meets, one a step, as it goes."""
    points = trace(BUGS[k][1], test)[:-1]
    return np.array([_slope(test["g"], t)(x) for t, x in enumerate(points, start=1)])


def _about_rates(test):
    if not isinstance(test["lr"], list | tuple | np.ndarray):
        return "At a constant rate the two go the same way: give `lr` as a list, one rate a step."
    return "The rates in your list are all alike, or change where nothing moves: let the rate drop midway."


def _about_where(test):
    if not callable(test["g"]):
        return (
            "A list of gradients comes wherever the slope is measured. Give `g` as a function of the point, "
            "such as `lambda x: ...`."
        )
    return "Your slope is the same at every point near the start: let it depend on x."


def _about_length(test):
    if not callable(test["g"]) and len(test["g"]) < 2:
        return "In the first step the old s is 0, and nothing is added twice: make a second step."
    return (
        "Some gradient before the last must not be 0 (nor tiny beside it), and the last must be large enough "
        "to move x visibly."
    )


def _about_betas(test):
    if test["beta1"] == test["beta2"]:
        return "While β1 = β2 both corrections are one, and no gradient can tell them apart."
    return "β1 and β2 differ too little here to be seen."


def _about_parameters(test):
    gradients = _met(5, test)
    if gradients[0].size == 1:
        return (
            "With one parameter the norm *is* the absolute value: give gradients of two, such as `[[1, 2]]`."
        )
    if all(np.count_nonzero(g) < 2 for g in gradients):
        return "With a single entry that is not 0 the norm is its absolute value: let two of them be large."
    return "No gradient here is longer than c: nothing is clipped."


def _about_start(test):
    if test["decay"] == 0:
        return "Without decay the two are one."
    if np.any(trace(BUGS[6][1], test)[:-1]):
        return "So near 0 the decay is too small to be seen: start farther out."
    return "At x = 0 there is nothing that could decay: start elsewhere."


def _about_falls(test):
    v = largest = below = longest = 0  # below: for how many steps v has been below its largest value
    for g in _met(7, test):
        v = test["beta2"] * v + (1 - test["beta2"]) * g**2
        largest = np.maximum(largest, v)
        below = np.where(v < largest, below + 1, 0)
        longest = max(longest, below.max())
    if longest == 0:
        return "The average v only rises here, so the last value is the largest: begin with a large gradient."
    if longest == 1:
        return (
            "When v falls, it rises again at once, or the test ends: the value before is still the largest "
            "of all. Keep v below its largest for two steps running."
        )
    return "v falls, but while it is down the steps are too short to be seen: larger gradients there."


def _about_size(test):
    if test["eps"] == 0:
        return "Without ε the two are one."
    return f"Beside these gradients an ε of {test['eps']:g} is not seen: make them tiny (or ε large)."


ABOUT = {
    1: _about_rates,
    2: _about_where,
    3: _about_length,
    4: _about_betas,
    5: _about_parameters,
    6: _about_start,
    7: _about_falls,
    8: _about_size,
}
"""What to say of a test that does not expose the bug."""


def _merged(k, change):
    """Return the whole test, or raise NotYet if the change is none, more than one, or cannot be run."""
    known = ", ".join(f"`{name}`" for name in PASSED[k])
    if not isinstance(change, dict) or not change:
        raise NotYet(
            f"Test {k}: expected a change such as dict(x=1.0), got {short(change)}.",
            f"Change one of {known}.",
        )
    for name in change:
        if name not in PASSED[k]:
            raise NotYet(f"Test {k}: rule {k} has no `{name}`.", f"It has {known}.")
    if len(change) > 1:
        hint = "If such a test fails, which of the changes was it? One is enough to expose this bug."
        raise NotYet(f"Test {k} changes {len(change)} things at once: {', '.join(change)}.", hint)
    test = PASSED[k] | change
    for name, value in change.items():
        if not (name == "g" and callable(value)):
            _require_numbers(k, name, value)
    g, rates = test["g"], test["lr"]
    if not callable(g) and (not isinstance(g, list | tuple | np.ndarray) or not len(g)):
        raise NotYet(f"Test {k}: `g` must be a list of gradients, or a function.", "Such as `[1.0, 2.0]`.")
    steps = STEPS if callable(g) else len(g)
    if isinstance(rates, list | tuple | np.ndarray) and len(rates) != steps:
        raise NotYet(f"Test {k}: {len(rates)} rates for {steps} steps.", f"Give {steps} rates, one a step.")
    for name in ("beta", "beta1", "beta2", "rho"):
        if not 0 <= test.get(name, 0) < 1:
            text = f"Test {k}: `{name}` must lie from 0 to below 1, got {short(test[name])}."
            raise NotYet(text, "0 forgets the past at once; 0.9 is usual.")
    if test.get("c", 1) <= 0 or test.get("eps", 0) < 0 or test.get("decay", 0) < 0:
        raise NotYet(f"Test {k}: a number below its range.", "c > 0, eps ≥ 0, decay ≥ 0.")
    return test


def _require_numbers(k, name, value):
    try:
        numbers = np.asarray(value, dtype=float)
        fine = numbers.size > 0 and np.isfinite(numbers).all()
    except (TypeError, ValueError):
        fine = False
    if fine and name not in ("x", "g", "lr"):
        fine = numbers.ndim == 0
    if not fine:
        hint = "Finite numbers; if the gradients are lists, all of one length."
        if name == "lr":
            hint = "Give a rate, or a list of rates, one a step."
        raise NotYet(f"Test {k}: `{name}` = {short(value)} cannot be run.", hint)


@exercise(
    "08.5",
    "Eight bugs, eight tests",
    kind="custom",
    hint="Ask of each rule what its test kept constant, zero, or of size 1.",
    passed="Eight bugs that no error message reports, and for each an input that does.",
)
def check_tests(tests):
    """Require of each of the eight tests that the committed rule and the one meant part by a thousandth."""
    if not isinstance(tests, dict):
        raise NotYet(f"Expected a dict such as {{1: dict(x=1.0), …}}, got {short(tests)}.")
    given = {k: change for k, change in tests.items() if change is not Ellipsis and change is not None}
    if not given:
        raise Blank
    strange = [k for k in tests if k not in BUGS]
    if strange:
        raise NotYet(f"There is no rule {short(strange[0])}.", "They are numbered 1 to 8.")
    exposed, first = [], ""
    for k in sorted(given):
        test = _merged(k, given[k])
        try:
            gap = _gap(k, test)
        except (TypeError, ValueError) as error:
            raise NotYet(f"Test {k} cannot be run: {error}.", "Do x and the gradients fit?") from None
        if gap >= LEAST:
            exposed.append(k)
        elif not first:
            part = "not at all" if gap < 1e-12 else f"by {gap:.0e} of the way"
            still = not np.ptp(trace(BUGS[k][1], test), axis=0).any()
            hint = "Nothing moves in this test: at the start the gradient is 0." if still else ABOUT[k](test)
            first = f"In test {k} the rule and the one that was meant part {part}."
    score = f"{len(exposed)} of {len(BUGS)} exposed"
    failing = [str(k) for k in sorted(given) if k not in exposed]
    if len(failing) > 1:
        score += f"; not yet: {', '.join(failing)}"
    if first:
        raise NotYet(f"{score}. {first}", hint)
    left = [str(k) for k in BUGS if k not in given]
    if left:
        raise NotYet(f"{score}. No test yet for {', '.join(left)}.", "So far, so good: go on.")
