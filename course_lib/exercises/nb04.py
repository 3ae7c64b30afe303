"""Checks of notebook 04: Adagrad, RMSProp, Adadelta and Adam, one step each."""

import numpy as np

from course_lib.exercises import exercise

__all__ = [
    "check_adadelta_step",
    "check_adagrad_step",
    "check_adam_step",
    "check_rmsprop_step",
    "check_uncorrected_step",
]

EPS_INSIDE = "ε stands outside the root here: `np.sqrt(s) + eps`, not `np.sqrt(s + eps)`."
STATE_LOST = "Return the new state too: the next step needs it."
UPHILL = "You go up: the step is minus the gradient over its size."


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
        ("Add to the old sum: `s + g**2`.", lambda x, g, s, lr, eps: _adagrad(x, g, s, lr, eps, memory=0)),
        ("The new s belongs under the root: first add, then step.", _old_adagrad),
        ("The root is missing.", lambda x, g, s, lr, eps: _adagrad(x, g, s, lr, eps, root=lambda s: s)),
        ("Add the *square* of the gradient.", lambda x, g, s, lr, eps: _adagrad(x, g, s, lr, eps, power=1)),
        (
            EPS_INSIDE,
            lambda x, g, s, lr, eps: (x - lr * g / np.sqrt(s + g**2 + eps), s + g**2),
        ),
        (UPHILL, lambda x, g, s, lr, eps: _adagrad(x, g, s, -lr, eps)),
        (
            "Each coordinate has its own sum: no `np.sum`, no norm.",
            lambda x, g, s, lr, eps: (x - lr * g / (np.sqrt(np.sum(s + g**2)) + eps), s + g**2),
        ),
    ],
    hint="`s = s + g**2`, then `x = x - lr * g / (np.sqrt(s) + eps)`, then `return x, s`.",
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


def _rmsprop(x, g, s, lr, rho, eps, kept=None, new=None, power=2, root=np.sqrt):
    s = (rho if kept is None else kept) * s + (1 - rho if new is None else new) * g**power
    return x - lr * g / (root(s) + eps), s


def _rmsprop_inside(x, g, s, lr, rho, eps):
    s = rho * s + (1 - rho) * g**2
    return x - lr * g / np.sqrt(s + eps), s


def _rmsprop_old(x, g, s, lr, rho, eps):
    return x - lr * g / (np.sqrt(s) + eps), rho * s + (1 - rho) * g**2


@exercise(
    "04.2",
    "One step of RMSProp",
    reference=lambda x, g, s, lr, rho, eps: _rmsprop(x, g, s, lr, rho, eps),
    mistakes=[
        (STATE_LOST, lambda x, g, s, lr, rho, eps: _rmsprop(x, g, s, lr, rho, eps)[0]),
        (STATE_LOST, lambda x, g, s, lr, rho, eps: (_rmsprop(x, g, s, lr, rho, eps)[0], s)),
        (
            "`s += rho * s + ...` keeps the whole old s *and* ρ of it: the cache blows up. Write `s = ...`.",
            lambda x, g, s, lr, rho, eps: _rmsprop(x, g, s, lr, rho, eps, kept=1 + rho),
        ),
        (
            "That is Adagrad: the old s must fade, `rho * s`.",
            lambda x, g, s, lr, rho, eps: _rmsprop(x, g, s, lr, rho, eps, kept=1, new=1),
        ),
        (
            "The new square is weighted too, with 1 - ρ: the weights then add up to 1.",
            lambda x, g, s, lr, rho, eps: _rmsprop(x, g, s, lr, rho, eps, new=1),
        ),
        (
            "The weights are exchanged: ρ belongs to the old s, 1 - ρ to the new square.",
            lambda x, g, s, lr, rho, eps: _rmsprop(x, g, s, lr, rho, eps, kept=1 - rho, new=rho),
        ),
        (
            "Average the *square* of the gradient.",
            lambda x, g, s, lr, rho, eps: _rmsprop(x, g, s, lr, rho, eps, power=1),
        ),
        (
            "The root is missing.",
            lambda x, g, s, lr, rho, eps: _rmsprop(x, g, s, lr, rho, eps, root=lambda s: s),
        ),
        ("The new s belongs under the root: first average, then step.", _rmsprop_old),
        (EPS_INSIDE, _rmsprop_inside),
        (UPHILL, lambda x, g, s, lr, rho, eps: _rmsprop(x, g, s, -lr, rho, eps)),
    ],
    hint="`s = rho * s + (1 - rho) * g**2`; the rest is as in Adagrad.",
    passed="One word changed, sum to average: the rate can recover now.",
)
def check_rmsprop_step():
    """Compare with ρs + (1 - ρ)g², and x - lr g / (√s + ε) with the new s."""
    for x, g, s in _points():
        yield x, g, s, 0.5, 0.75, 0.125
    yield np.array([1.0]), np.array([3.0]), np.array([0.0]), 0.1, 0.9, 1e-8


def _adadelta(x, g, s, u, rho, eps, swap=False, sign=-1.0, scale=None, squared=None):
    s = rho * s + (1 - rho) * g**2
    up, down = np.sqrt(u + eps), np.sqrt(s + eps)
    delta = sign * (down / up if swap else up / down) * g
    u = rho * u + (1 - rho) * (delta**2 if squared is None else squared(delta, g))
    return x + delta, s, u


def _adadelta_new_u(x, g, s, u, rho, eps):
    _, s, u = _adadelta(x, g, s, u, rho, eps)
    return x - np.sqrt(u + eps) / np.sqrt(s + eps) * g, s, u


def _adadelta_old_s(x, g, s, u, rho, eps):
    delta = -np.sqrt(u + eps) / np.sqrt(s + eps) * g
    return x + delta, rho * s + (1 - rho) * g**2, rho * u + (1 - rho) * delta**2


def _adadelta_outside(x, g, s, u, rho, eps):
    s = rho * s + (1 - rho) * g**2
    delta = -(np.sqrt(u) + eps) / (np.sqrt(s) + eps) * g
    return x + delta, s, rho * u + (1 - rho) * delta**2


@exercise(
    "04.3",
    "One step of Adadelta",
    reference=lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps),
    mistakes=[
        (STATE_LOST, lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps)[0]),
        (STATE_LOST, lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps)[:2]),
        (STATE_LOST, lambda x, g, s, u, rho, eps: (_adadelta(x, g, s, u, rho, eps)[0], s, u)),
        (
            "You average g² twice: u averages the square of the *update* Δ.",
            lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps, squared=lambda d, g: g**2),
        ),
        (
            "u averages the *square* of the update.",
            lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps, squared=lambda d, g: d),
        ),
        ("Δ is made with the *old* u: its own square cannot be in there yet.", _adadelta_new_u),
        ("Δ is made with the *new* s: first average g², then divide.", _adadelta_old_s),
        ("ε stands inside both roots here: `np.sqrt(u + eps)`.", _adadelta_outside),
        (
            "The roots are exchanged: the update's stands above, the gradient's below.",
            lambda x, g, s, u, rho, eps: _adadelta(x, g, s, u, rho, eps, swap=True),
        ),
        (
            "You go up: Δ has a minus.",
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


def _adam(x, g, m, v, t, lr, beta1, beta2, eps, powers=None, stored=False, sign=1.0, place="outside"):
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    p1, p2 = (beta1**t, beta2**t) if powers is None else powers(beta1, beta2, t)
    m_hat, v_hat = m / (1 - p1), v / (1 - p2)
    size = {
        "outside": np.sqrt(v_hat) + eps,
        "inside": np.sqrt(v_hat + eps),
        "uncorrected": np.sqrt(v_hat) + eps / np.sqrt(1 - p2),
        "no root": v_hat + eps,
    }[place]
    x = x - sign * lr * m_hat / size
    return (x, m_hat, v_hat) if stored else (x, m, v)


def _changed(**changes):
    return lambda x, g, m, v, t, lr, beta1, beta2, eps: _adam(x, g, m, v, t, lr, beta1, beta2, eps, **changes)


def _part(keep):
    def wrong(x, g, m, v, t, lr, beta1, beta2, eps):
        return keep(_adam(x, g, m, v, t, lr, beta1, beta2, eps), m, v)

    return wrong


def _exchanged(x, g, m, v, t, lr, beta1, beta2, eps):
    return _adam(x, g, m, v, t, lr, beta2, beta1, eps)


@exercise(
    "04.4",
    "One step of Adam",
    reference=_changed(),
    mistakes=[
        (STATE_LOST, _part(lambda new, m, v: new[0])),
        (STATE_LOST, _part(lambda new, m, v: (new[0], m, v))),
        (
            "That is β where β^t belongs: the correction fades as t grows, `1 - beta1**t`.",
            _changed(powers=lambda b1, b2, t: (b1, b2)),
        ),
        (
            "Both corrections share one β: m is corrected with beta1, v with beta2.",
            _changed(powers=lambda b1, b2, t: (b1**t, b1**t)),
        ),
        (
            "Both corrections share one β: m is corrected with beta1, v with beta2.",
            _changed(powers=lambda b1, b2, t: (b2**t, b2**t)),
        ),
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
        ("Return m and v as they are, uncorrected: the next step corrects anew.", _changed(stored=True)),
        (EPS_INSIDE.replace("(s", "(v_hat"), _changed(place="inside")),
        (
            "That is Keras's place for ε. Here it is added to the root of the *corrected* v.",
            _changed(place="uncorrected"),
        ),
        ("The root is missing.", _changed(place="no root")),
        (UPHILL, _changed(sign=-1.0)),
    ],
    hint="Average g and g², divide by `1 - beta1**t` and `1 - beta2**t`, step, and return x, m, v.",
    passed="The rule that most networks are trained with; seven lines, all your own.",
)
def check_adam_step():
    """Compare with Adam, ε outside the root of the corrected average, t counted from 1."""
    for x, g, s in _points():
        yield x, g, g[::-1] / 2, s, 3, 0.5, 0.75, 0.9375, 0.125
    yield np.array([1.0, 2.0]), np.array([3.0, -1.0]), np.zeros(2), np.zeros(2), 1, 0.1, 0.9, 0.999, 1e-8


def _uncorrected(t, beta1, beta2, root=np.sqrt):
    return (1 - beta1**t) / root(1 - beta2**t)


@exercise(
    "04.5",
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
        ("m stands above, the root of v below.", lambda t, b1, b2: 1 / _uncorrected(t, b1, b2)),
        ("The two β are exchanged.", lambda t, beta1, beta2: _uncorrected(t, beta2, beta1)),
        ("m = (1 - β1^t) g: one minus the power.", lambda t, b1, b2: b1**t / np.sqrt(b2**t)),
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
