"""Checks of notebook 04: Adagrad, Adadelta and Adam, one step each, and three slips to recognise."""

import numpy as np

from course_lib.exercises import NotYet, exercise
from course_lib.exercises._compare import short

__all__ = [
    "SLIPS",
    "check_adadelta_step",
    "check_adagrad_step",
    "check_adam_step",
    "check_diagnosis",
    "check_uncorrected_step",
]

EPS_INSIDE = "ε stands outside the root here: `np.sqrt(s) + eps`, not `np.sqrt(s + eps)`."
STATE_LOST = "Return the new state too: the next step needs it."
UPHILL = "You go up: the step is minus the gradient over its size."
OWN_SUM = "Each coordinate has its own sum: no `np.sum`, no norm."
GRADIENT_LOST = "The gradient is missing: `lr / (np.sqrt(s) + eps)` is the rate, and it multiplies g."


SQUARE = "Add the *square* of the gradient."
RATE_LOST = "The learning rate is missing: the step is `lr` times g over the divisor."
BRACKETS = "ε belongs to the divisor: brackets round `np.sqrt(s) + eps`."


def _adagrad(x, g, s, lr, eps, power=2, root=np.sqrt, memory=1.0):
    s = memory * s + g**power
    return x - lr * g / (root(s) + eps), s


def _old_adagrad(x, g, s, lr, eps):
    return x - lr * g / (np.sqrt(s) + eps), s + g**2


@exercise(
    "04.1",
    "One step of Adagrad",
    reference=lambda x, g, s, lr, eps: _adagrad(x, g, s, lr, eps),
    mistakes=[
        (STATE_LOST, lambda x, g, s, lr, eps: _adagrad(x, g, s, lr, eps)[0]),
        (STATE_LOST, lambda x, g, s, lr, eps: (_adagrad(x, g, s, lr, eps)[0], s)),
        ("The order is x, then s.", lambda x, g, s, lr, eps: _adagrad(x, g, s, lr, eps)[::-1]),
        (GRADIENT_LOST, lambda x, g, s, lr, eps: (x - lr / (np.sqrt(s + g**2) + eps), s + g**2)),
        ("Add to the old sum: `s + g**2`.", lambda x, g, s, lr, eps: _adagrad(x, g, s, lr, eps, memory=0)),
        ("The new s belongs under the root: first add, then step.", _old_adagrad),
        ("The root is missing.", lambda x, g, s, lr, eps: _adagrad(x, g, s, lr, eps, root=lambda s: s)),
        (SQUARE, lambda x, g, s, lr, eps: _adagrad(x, g, s, lr, eps, power=1)),
        (SQUARE, lambda x, g, s, lr, eps: (x - lr * g / (np.sqrt(s + abs(g)) + eps), s + abs(g))),
        (RATE_LOST, lambda x, g, s, lr, eps: _adagrad(x, g, s, 1, eps)),
        (BRACKETS, lambda x, g, s, lr, eps: (x - lr * g / np.sqrt(s + g**2) + eps, s + g**2)),
        (
            EPS_INSIDE,
            lambda x, g, s, lr, eps: (x - lr * g / np.sqrt(s + g**2 + eps), s + g**2),
        ),
        ("ε is missing: `np.sqrt(s) + eps`.", lambda x, g, s, lr, eps: _adagrad(x, g, s, lr, 0)),
        (UPHILL, lambda x, g, s, lr, eps: _adagrad(x, g, s, -lr, eps)),
        (
            OWN_SUM,
            lambda x, g, s, lr, eps: (x - lr * g / (np.sqrt(np.sum(s + g**2)) + eps), s + g**2),
        ),
        (
            OWN_SUM,
            lambda x, g, s, lr, eps: _adagrad(x, np.linalg.norm(g), s, lr * g / np.linalg.norm(g), eps),
        ),
    ],
    hint="The section's two formulas in their order, with `np.sqrt`: first s, then x; return both.",
    passed="Each coordinate has a rate of its own now.",
)
def check_adagrad_step():
    """Compare with s + g², and x - lr g / (√s + ε) with the new s."""
    for x, g, s in _points():
        yield x, g, s, 0.5, 0.125
    yield np.array([1.0]), np.array([3.0]), np.array([0.0]), 0.1, 1e-10


def _points():
    yield np.array([1.0, -2.0]), np.array([3.0, -0.5]), np.array([16.0, 0.25])
    yield np.array([0.5, 2.0, -1.0]), np.array([-0.3, 4.0, 1.0]), np.array([1.0, 9.0, 0.5])


def _adadelta(x, g, s, u, rho, eps, swap=False, sign=-1.0, squared=None, root=np.sqrt, old=None, new=None):
    (old_s, old_u), new = old or (rho, rho), 1 - rho if new is None else new
    s = old_s * s + new * g**2
    up, down = root(u + eps), root(s + eps)
    delta = sign * (down / up if swap else up / down) * g
    u = old_u * u + new * (delta**2 if squared is None else squared(delta, g))
    return x + delta, s, u


def _adadelta_twice_first(x, g, s, u, rho, eps):
    s, u = rho * s + (1 - rho) * g**2, rho * u + (1 - rho) * g**2
    return x - np.sqrt(u + eps) / np.sqrt(s + eps) * g, s, u


def _adadelta_new_u(x, g, s, u, rho, eps):
    _, s, u = _adadelta(x, g, s, u, rho, eps)
    return x - np.sqrt(u + eps) / np.sqrt(s + eps) * g, s, u


def _adadelta_old_s(x, g, s, u, rho, eps):
    delta = -np.sqrt(u + eps) / np.sqrt(s + eps) * g
    return x + delta, rho * s + (1 - rho) * g**2, rho * u + (1 - rho) * delta**2


def _adadelta_above(x, g, s, u, rho, eps):
    s = rho * s + (1 - rho) * g**2
    delta = -np.sqrt(u) / np.sqrt(s + eps) * g
    return x + delta, s, rho * u + (1 - rho) * delta**2


def _adadelta_half(x, g, s, u, rho, eps):
    s = rho * s + (1 - rho) * g**2
    delta = -np.sqrt(u + eps) / (np.sqrt(s) + eps) * g
    return x + delta, s, rho * u + (1 - rho) * delta**2


def _adadelta_below(x, g, s, u, rho, eps):
    s = rho * s + (1 - rho) * g**2
    delta = -np.sqrt(u + eps) / np.sqrt(s) * g
    return x + delta, s, rho * u + (1 - rho) * delta**2


def _adadelta_bare(x, g, s, u, rho, eps):
    s = rho * s + (1 - rho) * g**2
    delta = -np.sqrt(u + eps) / np.sqrt(s + eps)
    return x + delta, s, rho * u + (1 - rho) * delta**2


def _adadelta_step_only(x, *rest):
    new, s, u = _adadelta(x, *rest)
    return new - x, s, u


def _adadelta_outside(x, g, s, u, rho, eps):
    s = rho * s + (1 - rho) * g**2
    delta = -(np.sqrt(u) + eps) / (np.sqrt(s) + eps) * g
    return x + delta, s, rho * u + (1 - rho) * delta**2


PLUS = "`{0} += ...` keeps all of the old {0} and adds to it: write `{0} = {1} * {0} + ...`, which leaks."
INSIDE_BOTH = "ε stands inside both roots here: `np.sqrt(u + eps)`, `np.sqrt(s + eps)`."
TWICE = "You average g² twice: u averages the square of the *update* Δ."


@exercise(
    "04.2",
    "One step of Adadelta",
    reference=lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps),
    mistakes=[
        (STATE_LOST, lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps)[0]),
        (STATE_LOST, lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps)[:2]),
        (STATE_LOST, lambda x, g, s, u, rho, eps: (_adadelta(x, g, s, u, rho, eps)[0], s, u)),
        (
            "The order is x, then s (of g²), then u (of Δ²).",
            lambda x, g, s, u, rho, eps: tuple(_adadelta(x, g, s, u, rho, eps)[i] for i in (0, 2, 1)),
        ),
        (TWICE, lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps, squared=lambda d, g: g**2)),
        (TWICE, _adadelta_twice_first),
        (PLUS.format("s", "rho"), lambda *now: _adadelta(*now, old=(1 + now[4], now[4]))),
        (PLUS.format("u", "rho"), lambda *now: _adadelta(*now, old=(now[4], 1 + now[4]))),
        (PLUS.format("s", "rho"), lambda *now: _adadelta(*now, old=(1 + now[4], 1 + now[4]))),
        (
            "ρ and 1 - ρ are exchanged: the *old* average keeps the weight `rho`.",
            lambda *now: _adadelta(*now, old=(1 - now[4], 1 - now[4]), new=now[4]),
        ),
        ("The new square enters with the weight `1 - rho`.", lambda *now: _adadelta(*now, new=1)),
        ("Both roots are missing.", lambda *now: _adadelta(*now, root=lambda s: s)),
        (
            "u averages the *square* of the update.",
            lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps, squared=lambda d, g: d),
        ),
        ("Δ is made with the *old* u: its own square cannot be in there yet.", _adadelta_new_u),
        ("Δ is made with the *new* s: first average g², then divide.", _adadelta_old_s),
        (INSIDE_BOTH, _adadelta_outside),
        (INSIDE_BOTH, _adadelta_half),
        ("ε is missing below: both roots have it, `np.sqrt(s + eps)` too.", _adadelta_below),
        ("ε is missing above: with u = 0 at the start nothing would ever move.", _adadelta_above),
        ("The gradient is missing: Δ is minus the two roots' ratio *times g*.", _adadelta_bare),
        ("Return the new x, which is x + Δ, not Δ.", _adadelta_step_only),
        (
            "Those are Adagrad's sums: here both accounts leak.",
            lambda *now: _adadelta(*now, old=(1, 1), new=1),
        ),
        (
            "The roots are exchanged: the update's stands above, the gradient's below.",
            lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps, swap=True),
        ),
        (
            "You go up: Δ has a minus, and is added, `x + Δ`.",
            lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps, sign=1.0),
        ),
    ],
    hint="In this order: the new s; Δ with the old u and the new s; the new u from Δ²; `return x + Δ, s, u`.",
    passed="No learning rate, and the update has the unit of x.",
)
def check_adadelta_step():
    """Compare with the new s, then Δ = -√(u + ε)/√(s + ε) g, then the new u; return x + Δ, s, u."""
    for x, g, s in _points():
        yield x, g, s, np.arange(1.0, len(x) + 1) / 8, 0.75, 0.125
    yield np.array([1.0]), np.array([3.0]), np.array([0.0]), np.array([0.0]), 0.9, 1e-6


MULTIPLIED = "Divide by 1 - β^t, do not multiply: the averages start too small and are made larger."
POWER = "That is β where β^t belongs: the correction fades as t grows, `1 - beta1**t`."
SHARED = "Both corrections share one β: m is corrected with beta1, v with beta2."
SHARED_MEANS = "Both averages share one β: beta1 belongs to m, beta2 to v."
WEIGHT = "m and v are averages: g enters with the weight `1 - beta1`, g² with `1 - beta2`."


def _adam(
    x, g, m, v, t, lr, beta1, beta2, eps, powers=None, stored=False, sign=1.0, place="outside", weights=None
):
    (old1, new1), (old2, new2) = weights(beta1, beta2) if weights else _leaky(beta1, beta2)
    m, v = old1 * m + new1 * g, old2 * v + new2 * g**2
    p1, p2 = (beta1**t, beta2**t) if powers is None else powers(beta1, beta2, t)
    m_hat, v_hat = m / (1 - p1), v / (1 - p2)
    size = {
        "outside": np.sqrt(v_hat) + eps,
        "inside": np.sqrt(v_hat + eps),
        "inside, uncorrected": np.sqrt((v + eps) / (1 - p2)),
        "uncorrected": np.sqrt(v_hat) + eps / np.sqrt(1 - p2),
        "no root": v_hat + eps,
        "half a root": np.sqrt(v) / (1 - p2) + eps,
    }[place]
    x = x - sign * lr * m_hat / size
    return (x, m_hat, v_hat) if stored else (x, m, v)


def _leaky(beta1, beta2):
    return (beta1, 1 - beta1), (beta2, 1 - beta2)


def _changed(**changes):
    return lambda x, g, m, v, t, lr, beta1, beta2, eps: _adam(x, g, m, v, t, lr, beta1, beta2, eps, **changes)


def _part(keep):
    def wrong(x, g, m, v, t, lr, beta1, beta2, eps):
        return keep(_adam(x, g, m, v, t, lr, beta1, beta2, eps), m, v)

    return wrong


def _bare(x, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = _adam(x, g, m, v, t, lr, beta1, beta2, eps)
    return x - lr * g / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def _old_averages(x, g, m, v, t, lr, beta1, beta2, eps):
    _, new_m, new_v = _adam(x, g, m, v, t, lr, beta1, beta2, eps)
    return x - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), new_m, new_v


def _square_of_m(x, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * m**2
    return x - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def _exchanged(x, g, m, v, t, lr, beta1, beta2, eps):
    return _adam(x, g, m, v, t, lr, beta2, beta1, eps)


def _step_only(x, *rest):
    new, m, v = _adam(x, *rest)
    return new - x, m, v


def _without_eps(*now, added=0.0):
    new, m, v = _adam(*now[:8], 0.0)
    return new + added, m, v


@exercise(
    "04.3",
    "One step of Adam",
    reference=_changed(),
    mistakes=[
        (STATE_LOST, _part(lambda new, m, v: new[0])),
        (STATE_LOST, _part(lambda new, m, v: new[:2])),
        (STATE_LOST, _part(lambda new, m, v: (new[0], m, v))),
        (STATE_LOST, _part(lambda new, m, v: (*new[:2], v))),
        (STATE_LOST, _part(lambda new, m, v: (new[0], m, new[2]))),
        ("The order is x, then m, then v.", _part(lambda new, m, v: (new[0], new[2], new[1]))),
        ("The step goes along m_hat, the average; yours goes along the present g.", _bare),
        (MULTIPLIED, _changed(powers=lambda b1, b2, t: (1 - 1 / (1 - b1**t), b2**t))),
        (MULTIPLIED, _changed(powers=lambda b1, b2, t: (b1**t, 1 - 1 / (1 - b2**t)))),
        (MULTIPLIED, _changed(powers=lambda b1, b2, t: (1 - 1 / (1 - b1**t), 1 - 1 / (1 - b2**t)))),
        (
            "β to the power t is `beta1**t`; `beta1 * t` is t times β.",
            _changed(powers=lambda b1, b2, t: (b1 * t, b2 * t)),
        ),
        (POWER, _changed(powers=lambda b1, b2, t: (b1, b2))),
        (POWER, _changed(powers=lambda b1, b2, t: (b1, b2**t))),
        (POWER, _changed(powers=lambda b1, b2, t: (b1**t, b2))),
        (SHARED, _changed(powers=lambda b1, b2, t: (b1**t, b1**t))),
        (SHARED, _changed(powers=lambda b1, b2, t: (b2**t, b2**t))),
        (
            "The corrections are exchanged: m is corrected with beta1, v with beta2.",
            _changed(powers=lambda b1, b2, t: (b2**t, b1**t)),
        ),
        (SHARED_MEANS, _changed(weights=lambda b1, b2: _leaky(b1, b1))),
        (SHARED_MEANS, _changed(weights=lambda b1, b2: _leaky(b2, b2))),
        (SHARED_MEANS, lambda *now: _adam(*now[:7], now[6], now[8])),
        (SHARED_MEANS, lambda *now: _adam(*now[:6], now[7], now[7], now[8])),
        (PLUS.format("m", "beta1"), _changed(weights=lambda b1, b2: ((1 + b1, 1 - b1), (b2, 1 - b2)))),
        (PLUS.format("v", "beta2"), _changed(weights=lambda b1, b2: ((b1, 1 - b1), (1 + b2, 1 - b2)))),
        (PLUS.format("m", "beta1"), _changed(weights=lambda b1, b2: ((1 + b1, 1 - b1), (1 + b2, 1 - b2)))),
        (WEIGHT, _changed(weights=lambda b1, b2: ((b1, 1), (b2, 1)))),
        (WEIGHT, _changed(weights=lambda b1, b2: ((b1, 1), (b2, 1 - b2)))),
        (WEIGHT, _changed(weights=lambda b1, b2: ((b1, 1 - b1), (b2, 1)))),
        (
            "The two β are exchanged: beta1 belongs to the mean of g, beta2 to that of g².",
            _exchanged,
        ),
        (
            "The bias correction is missing: divide m by `1 - beta1**t`, v by `1 - beta2**t`.",
            _changed(powers=lambda b1, b2, t: (0.0, 0.0)),
        ),
        (
            "v is not corrected yet: divide it by `1 - beta2**t`.",
            _changed(powers=lambda b1, b2, t: (b1**t, 0.0)),
        ),
        (
            "m is not corrected yet: divide it by `1 - beta1**t`.",
            _changed(powers=lambda b1, b2, t: (0.0, b2**t)),
        ),
        (
            "t is 1 at the first step already: the power is t, not t + 1.",
            _changed(powers=lambda b1, b2, t: (b1 ** (t + 1), b2 ** (t + 1))),
        ),
        (
            "t is 1 at the first step already: the power is t, not t - 1.",
            _changed(powers=lambda b1, b2, t: (b1 ** (t - 1), b2 ** (t - 1))),
        ),
        ("Return m and v as they are, uncorrected: the next step corrects anew.", _changed(stored=True)),
        (EPS_INSIDE.replace("(s", "(v_hat"), _changed(place="inside")),
        (EPS_INSIDE.replace("(s", "(v_hat"), _changed(place="inside, uncorrected")),
        (
            "That is Keras's place for ε. Here it is added to the root of the *corrected* v.",
            _changed(place="uncorrected"),
        ),
        (BRACKETS.replace("(s)", "(v_hat)"), lambda *now: _without_eps(*now, added=now[8])),
        ("ε is missing: `np.sqrt(v_hat) + eps`.", _without_eps),
        (RATE_LOST, lambda *now: _adam(*now[:5], 1.0, *now[6:])),
        ("Return the new x, not the step.", _step_only),
        (
            "1 - β^t is one minus the power, `1 - beta1**t`, not the power of 1 - β.",
            _changed(powers=lambda b1, b2, t: (1 - (1 - b1) ** t, 1 - (1 - b2) ** t)),
        ),
        (
            "β and 1 - β are exchanged: the *old* average keeps the weight β.",
            _changed(weights=lambda b1, b2: ((1 - b1, b1), (1 - b2, b2))),
        ),
        ("The root is missing.", _changed(place="no root")),
        ("Correct first, then take the root: `np.sqrt(v / (1 - beta2**t))`.", _changed(place="half a root")),
        ("The step uses the *new* m and v: average first.", _old_averages),
        ("v averages the square of g, not of m.", _square_of_m),
        (UPHILL, _changed(sign=-1.0)),
    ],
    hint="Average g and g², divide by `1 - beta1**t` and `1 - beta2**t`, step, and return x, m, v.",
    passed="The rule behind much of today's training, all your own.",
)
def check_adam_step():
    """Compare with Adam, ε outside the root of the corrected average, t counted from 1."""
    for x, g, s in _points():
        yield x, g, g[::-1] / 2, s, 3, 0.5, 0.25, 0.1875, 0.125  # small, so that 1 - β t is above 0 too
    yield np.array([1.0, 2.0]), np.array([3.0, -1.0]), np.zeros(2), np.zeros(2), 1, 0.1, 0.9, 0.999, 1e-8


def _uncorrected(t, beta1, beta2, root=np.sqrt):
    return (1 - beta1**t) / root(1 - beta2**t)


@exercise(
    "04.4",
    "Steps without bias correction",
    reference=lambda t, beta1, beta2: _uncorrected(t, beta1, beta2),
    mistakes=[
        (
            "That is right for the first step alone: after t steps the averages hold 1 - β^t of g and g².",
            lambda t, beta1, beta2: _uncorrected(1, beta1, beta2),
        ),
        (
            "The average of g² stands under a root.",
            lambda t, b1, b2: _uncorrected(t, b1, b2, root=lambda s: s),
        ),
        (
            "Only v stands under a root, not m.",
            lambda t, b1, b2: np.sqrt(_uncorrected(t, b1, b2, root=lambda s: s)),
        ),
        (
            "The root goes over 1 - β2^t, the whole of it.",
            lambda t, b1, b2: (1 - b1**t) / (1 - np.sqrt(b2**t)),
        ),
        ("m stands above, the root of v below.", lambda t, b1, b2: 1 / _uncorrected(t, b1, b2)),
        ("The two β are exchanged.", lambda t, beta1, beta2: _uncorrected(t, beta2, beta1)),
        ("m = (1 - β1^t) g: one minus the power.", lambda t, b1, b2: b1**t / np.sqrt(b2**t)),
        (
            "1 - β^t is one minus the power, not the power of 1 - β.",
            lambda t, b1, b2: (1 - b1) ** t / np.sqrt((1 - b2) ** t),
        ),
        ("That is the step *with* correction.", lambda t, b1, b2: 1.0),
        (
            "The first step has t = 1: the power is t, not t - 1.",
            lambda t, b1, b2: _uncorrected(t - 1, b1, b2) if t > 1 else 0.0,
        ),
        (
            "The first step has t = 1: the power is t, not t + 1.",
            lambda t, b1, b2: _uncorrected(t + 1, b1, b2),
        ),
    ],
    hint="With g always the same, m = (1 - β1^t)·g and v = (1 - β2^t)·g²: divide m by the root of v.",
    passed="So the first steps are several times too long; the correction makes each of them 1.",
)
def check_uncorrected_step():
    """Compare with (1 - β1^t) / √(1 - β2^t)."""
    yield from ((1, 0.9, 0.999), (11, 0.9, 0.999), (3, 0.5, 0.75), (5, 0.0, 0.9), (40, 0.9, 0.99))


def _walk(step, grad, x, steps):
    """Take steps until they are done, or the run has exploded; return the points, one a row."""
    points, state = [np.array(x, float)], (0.0, 0.0)
    for t in range(1, steps + 1):
        with np.errstate(over="ignore"):  # the cache of C grows without end
            change, *state = step(np.asarray(grad(points[-1])), *state, t)
        points.append(points[-1] - change)
        if np.abs(points[-1]).max() > 1e50:
            break
    return np.array(points)


def _twice(g, s, u, t, rho=0.9, eps=1e-6):
    s = rho * s + (1 - rho) * g**2
    return np.sqrt(u + eps) / np.sqrt(s + eps) * g, s, rho * u + (1 - rho) * g**2


def _power(g, m, v, t, lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    return lr * m / (1 - beta1) / (np.sqrt(v / (1 - beta2)) + eps), m, v


def _leak(g, s, unused, t, lr=0.1, rho=0.9, eps=1e-8):
    s = s + rho * s + (1 - rho) * g**2
    return lr * g / (np.sqrt(s) + eps), s, unused


SLIPS = {
    "A": lambda grad, x, steps: _walk(_twice, grad, x, steps),
    "B": lambda grad, x, steps: _walk(_power, grad, x, steps),
    "C": lambda grad, x, steps: _walk(_leak, grad, x, steps),
}
"""Three methods, each with one slip: run(grad, x, steps) returns the points, of shape (steps + 1, d)."""

WORDS = ("+=", "twice", "power", "shared", "right")

FOUND = {
    "A": ("twice", "run it in the valley, and in a valley ten times flatter."),
    "B": ("power", "on a constant slope, how long is its first step, and how long the 5,000th?"),
    "C": ("+=", "in the valley, compare its loss after 40 and after 400 steps."),
}


@exercise(
    "04.5",
    "Three colleagues, three slips",
    kind="custom",
    hint="Run each on a constant slope, in the valley and in a flatter one.",
    passed="Each slip has a symptom; none needs an error message.",
)
def check_diagnosis(answer):
    """Require one word for each of `SLIPS`: "twice", "power", "+="."""
    given = list(answer) if isinstance(answer, list | tuple) else []
    if len(given) != len(FOUND) or not all(isinstance(word, str) for word in given):
        raise NotYet(f"Expected three words such as ('right', 'shared', 'right'), got {short(answer)}.")
    given = [word.strip().casefold() for word in given]
    for word in given:
        if word not in WORDS:
            raise NotYet(f"Expected words of the table, got {short(word)}.", f"One of {', '.join(WORDS)}.")
    wrong = [name for name, word in zip(FOUND, given, strict=True) if word != FOUND[name][0]]
    if wrong:
        message = f"{len(FOUND) - len(wrong)} of {len(FOUND)} are right."
        raise NotYet(message, f"Look at {wrong[0]} once more: {FOUND[wrong[0]][1]}")
