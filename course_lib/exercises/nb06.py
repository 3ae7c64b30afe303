"""Checks of notebook 06: a staircase, warm-up with cosine, a decay per step, the reach, a plateau."""

import math

import numpy as np

from course_lib.exercises import exercise

__all__ = [
    "check_decay",
    "check_reach",
    "check_reduce_on_plateau",
    "check_rise_and_fall",
    "check_staircase",
]


def _passed(t, boundaries):
    return np.searchsorted(boundaries, t, side="right")


@exercise(
    "06.1",
    "The staircase",
    reference=lambda t, lr0, c, boundaries: lr0 * c ** _passed(t, boundaries),
    mistakes=[
        (
            "A drop holds from its own step on: at a boundary the rate is lower already (`t >= b`).",
            lambda t, lr0, c, boundaries: lr0 * c ** np.searchsorted(boundaries, t, side="left"),
        ),
        (
            "The stairs are not equally long: count the boundaries that step t has passed.",
            lambda t, lr0, c, boundaries: lr0 * c ** (t // boundaries[0]),
        ),
        (
            "It has to go on falling: every boundary multiplies by c.",
            lambda t, lr0, c, boundaries: lr0 * c ** np.minimum(_passed(t, boundaries), 1),
        ),
        (
            "It drops one stair too early: before the first boundary the rate is lr0.",
            lambda t, lr0, c, boundaries: lr0 * c ** (_passed(t, boundaries) + 1),
        ),
        (
            "c is what is left at each drop, not what is taken away.",
            lambda t, lr0, c, boundaries: lr0 * (1 - c) ** _passed(t, boundaries),
        ),
        (
            "Each drop multiplies the rate of the stair before: a power of c.",
            lambda t, lr0, c, boundaries: lr0 * c * _passed(t, boundaries),
        ),
        (
            "That grows: multiply by c, do not divide.",
            lambda t, lr0, c, boundaries: lr0 / c ** _passed(t, boundaries),
        ),
        (
            "These are the powers of c; multiply by lr0.",
            lambda t, lr0, c, boundaries: c ** _passed(t, boundaries),
        ),
    ],
    hint="`lr0 * c ** passed`, where passed is the number of boundaries b with `t >= b`.",
    passed="With boundaries 100, 200, 300, … and c = 1/2 it is lr0 / 2^⌊t/100⌋.",
)
def check_staircase():
    """Compare with lr0 times c to the number of boundaries passed."""
    yield np.arange(12), 0.8, 0.5, [3, 4, 9]
    yield np.array([[0, 29, 30], [60, 61, 300]]), 0.1, 0.7, [30, 61, 62, 200]
    yield 350, 1.0, 0.25, [200, 350, 500]


def _rise_and_fall(t, lr, w, n, *, length=None, since=None, falling=None):
    done = np.clip((t - (w if since is None else since)) / ((n - w) if length is None else length), 0, 1)
    fall = lr * (1 + np.cos(np.pi * done)) / 2 if falling is None else falling(done)
    return np.where(t < w, lr * t / w, fall)


@exercise(
    "06.2",
    "Warm-up, then cosine",
    reference=lambda t, lr, w, n: _rise_and_fall(t, lr, w, n),
    mistakes=[
        (
            "At t = w the cosine has run for w steps already, and the rate jumps: let it begin at t = w.",
            lambda t, lr, w, n: _rise_and_fall(t, lr, w, n, length=n, since=0),
        ),
        (
            "That multiplies the two, so that the cosine falls while the rate shall rise: use one, then the "
            "other, with `np.where`.",
            lambda t, lr, w, n: lr * np.minimum(t / w, 1) * (1 + np.cos(np.pi * np.clip(t / n, 0, 1))) / 2,
        ),
        (
            "The fall lasts n - w steps: n counts from the start of the run.",
            lambda t, lr, w, n: _rise_and_fall(t, lr, w, n, length=n),
        ),
        (
            "Behind the end the cosine climbs again: clip the share that is done to [0, 1].",
            lambda t, lr, w, n: np.where(t < w, lr * t / w, lr * (1 + np.cos(np.pi * (t - w) / (n - w))) / 2),
        ),
        (
            "Half of it is missing: (1 + cos)/2 goes from 1 to 0.",
            lambda t, lr, w, n: _rise_and_fall(
                t, lr, w, n, falling=lambda done: lr * (1 + np.cos(np.pi * done))
            ),
        ),
        (
            "A cosine from 0 to π goes from 1 to -1: use (1 + cos)/2.",
            lambda t, lr, w, n: _rise_and_fall(t, lr, w, n, falling=lambda done: lr * np.cos(np.pi * done)),
        ),
        (
            "Half a cosine: π times the share, not 2π.",
            lambda t, lr, w, n: _rise_and_fall(
                t, lr, w, n, falling=lambda done: lr * (1 + np.cos(2 * np.pi * done)) / 2
            ),
        ),
        (
            "A quarter of a cosine starts falling slowly, and ends steep: half a cosine, (1 + cos πu)/2.",
            lambda t, lr, w, n: _rise_and_fall(
                t, lr, w, n, falling=lambda done: lr * np.cos(np.pi * done / 2)
            ),
        ),
        (
            "That falls along a line: half a cosine is asked for.",
            lambda t, lr, w, n: _rise_and_fall(t, lr, w, n, falling=lambda done: lr * (1 - done)),
        ),
        (
            "That is (t + 1)/w. Here the rise begins at 0: t/w.",
            lambda t, lr, w, n: np.where(t < w, lr * (t + 1) / w, _rise_and_fall(t, lr, w, n)),
        ),
        (
            "The rise goes up to 1: multiply by lr there, too.",
            lambda t, lr, w, n: np.where(t < w, t / w, _rise_and_fall(t, lr, w, n)),
        ),
        (
            "The fall starts from 1: multiply by lr there, too.",
            lambda t, lr, w, n: np.where(t < w, lr * t / w, _rise_and_fall(t, 1.0, w, n)),
        ),
        (
            "All whole numbers? `np.zeros_like(t)` and `np.piecewise` take over that t is whole: begin with "
            "`t = t * 1.0`.",
            lambda t, lr, w, n: _rise_and_fall(t, lr, w, n).astype(int),
        ),
        (
            "The rise is missing: before w the rate is lr t/w.",
            lambda t, lr, w, n: _rise_and_fall(np.maximum(t, w), lr, w, n),
        ),
        ("This has the largest rate 1: multiply by lr.", lambda t, lr, w, n: _rise_and_fall(t, 1.0, w, n)),
    ],
    hint="Before w: `lr * t / w`. After: `lr * (1 + np.cos(np.pi * done)) / 2` with done = (t - w)/(n - w).",
    passed="At t = w both formulas give lr: nothing jumps.",
)
def check_rise_and_fall():
    """Compare with the line up to w and half a cosine down to 0 at n."""
    yield np.arange(26), 0.4, 5, 20
    yield np.array([[0, 99, 100], [550, 1000, 2000]]), 3e-4, 100, 1000
    yield np.arange(0, 80, 7), 1.0, 30, 60


@exercise(
    "06.3",
    "The decay that was meant",
    kind="value",
    mistakes=[
        ("Per epoch; t counts steps, and an epoch has more than one.", 1 / 10),
        ("The last minibatch is shorter, and it is a step too: round up to 34.", 1 / 330),
        ("Steps are whole: round 1079/32 up to 34.", 32 / 10790),
        ("Each epoch ends with a short minibatch of its own: round up first, then take ten epochs.", 1 / 338),
        ("Each epoch has whole steps: round 1079/32 up to 34 first, then take ten epochs.", 1 / 337),
        ("t counts steps, one a minibatch, not examples.", 1 / 10790),
        ("That is the number of steps; k is one over it.", 340.0),
        ("A rate of half asks for 1 + kt = 2, so kt = 1.", 0.5 / 340),
        ("1 + kt = 2 means kt = 1, not 2.", 2 / 340),
        ("That halves an exponential schedule; this one is 1/(1 + kt).", math.log(2) / 340),
        ("After 10 epochs, not after one.", 1 / 34),
    ],
    hint="k t = 1 after t = 10 · 34 steps. (Give the expression, not a rounded number.)",
    passed="Thirty-four times smaller than what is meant per epoch.",
)
def check_decay():
    """Compare with 1/340."""
    return 1 / (10 * 34)


@exercise(
    "06.4",
    "The wall",
    reference=lambda lr0, c, s, G: G * lr0 * s / (1 - c),
    mistakes=[
        ("A step is lr times the gradient: multiply by G.", lambda lr0, c, s, G: lr0 * s / (1 - c)),
        ("Each stair has s steps: multiply by s.", lambda lr0, c, s, G: G * lr0 / (1 - c)),
        ("That is the first stair; the others follow: divide by 1 - c.", lambda lr0, c, s, G: G * lr0 * s),
        ("1 + c + c² + … is 1/(1 - c), not 1/c.", lambda lr0, c, s, G: G * lr0 * s / c),
        (
            "The first stair counts too: 1 + c + c² + …, not c + c² + ….",
            lambda lr0, c, s, G: G * lr0 * s * c / (1 - c),
        ),
        (
            "c falls once in s steps, not at every step: c per stair.",
            lambda lr0, c, s, G: G * lr0 / (1 - c ** (1 / s)),
        ),
        (
            "A staircase is no smooth curve: sum the stairs, s equal steps each.",
            lambda lr0, c, s, G: -G * lr0 * s / math.log(c),
        ),
        ("Lengths add up as they are, not squared.", lambda lr0, c, s, G: G * lr0**2 * s / (1 - c**2)),
    ],
    hint="`G * lr0 * s / (1 - c)`.",
    passed="A finite Σ lr is a wall: no gradient descent gets beyond G Σ lr.",
)
def check_reach():
    """Compare with G lr0 s / (1 - c)."""
    yield 0.1, 0.5, 100, 1.0
    yield 0.3, 0.1, 30, 2.5
    yield 1.0, 0.9, 1, 0.5


def _plateau(
    losses,
    lr,
    factor,
    patience,
    *,
    keras=False,
    previous=False,
    ties=False,
    carry=False,
    forget=True,
    best_anew=False,
    delay=False,
    once=False,
    first=math.inf,
):
    best, waited, rates, cut = first, 0, [], False
    for loss in losses:
        before = lr
        if loss < best or (ties and loss == best):
            best, waited = loss, waited if carry else 0
        else:
            waited += 1
        if previous:
            best = loss
        if (waited >= patience if keras else waited > patience) and not (once and cut):
            lr, cut = lr * factor, True
            waited = 0 if forget else waited
            best = loss if best_anew else best
        rates.append(before if delay else lr)
    return np.array(rates)


@exercise(
    "06.5",
    "Reduce on plateau",
    reference=lambda losses, lr, factor, patience: _plateau(losses, lr, factor, patience),
    mistakes=[
        (
            "That is Keras's count, which reduces in the epoch in which `patience` is reached. Here one more "
            "is borne: reduce when waited > patience.",
            lambda losses, lr, factor, patience: _plateau(losses, lr, factor, patience, keras=True),
        ),
        (
            "One epoch too late: `patience` epochs are borne, the very next one reduces.",
            lambda losses, lr, factor, patience: _plateau(losses, lr, factor, patience + 1),
        ),
        (
            "The first epoch is an improvement, for nothing came before it: begin with `best = np.inf`.",
            lambda losses, lr, factor, patience: _plateau(losses, lr, factor, patience, first=losses[0]),
        ),
        (
            "Compare with the best loss so far, not with the one before.",
            lambda losses, lr, factor, patience: _plateau(losses, lr, factor, patience, previous=True),
        ),
        (
            "An improvement ends the waiting: set the count back to 0, for only epochs *in a row* count.",
            lambda losses, lr, factor, patience: _plateau(losses, lr, factor, patience, carry=True),
        ),
        (
            "A loss equal to the best is no improvement: it has to be below all before.",
            lambda losses, lr, factor, patience: _plateau(losses, lr, factor, patience, ties=True),
        ),
        (
            "Keep the best through a reduction: only the count begins anew.",
            lambda losses, lr, factor, patience: _plateau(losses, lr, factor, patience, best_anew=True),
        ),
        (
            "After a reduction begin to count anew, else every epoch that follows reduces again.",
            lambda losses, lr, factor, patience: _plateau(losses, lr, factor, patience, forget=False),
        ),
        (
            "It has to go on watching: a second plateau reduces the rate again.",
            lambda losses, lr, factor, patience: _plateau(losses, lr, factor, patience, once=True),
        ),
        (
            "Append the rate *after* the decision of its epoch.",
            lambda losses, lr, factor, patience: _plateau(losses, lr, factor, patience, delay=True),
        ),
    ],
    hint="Keep `best` and `waited`; when `waited > patience`, multiply `lr` and set `waited` to 0.",
    passed="The only schedule here that looks at the loss: it needs no plan, and a validation part.",
)
def check_reduce_on_plateau():
    """Compare with PyTorch's count: patience epochs in a row are borne, the next one reduces."""
    yield np.array([5.0, 4.0, 4.5, 4.2, 4.1, 3.0, 3.5, 3.2, 3.1, 3.4, 3.3, 3.2, 3.05]), 0.8, 0.5, 2
    yield np.array([3.0, 2.0, 2.5, 1.5, 1.8, 1.0, 1.2, 1.1, 1.3]), 0.4, 0.5, 2
    yield np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.75, 0.6]), 0.1, 0.1, 1
    yield np.array([2.0, 3.0, 2.5, 1.0, 2.0]), 1.0, 0.5, 0
