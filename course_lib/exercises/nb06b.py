"""Checks of notebook 06b: a pick from a sweep, a triangle, warm restarts, epochs to a level, an ensemble."""

import numpy as np

from course_lib.exercises import exercise

__all__ = ["check_ensemble", "check_epochs_to", "check_pick", "check_triangle", "check_warm_restart"]


def _pick(lrs, smoothed, share=0.1, refuse=(0, -1), find=np.argmin):
    k = find(smoothed)
    return np.nan if k in [end % len(lrs) for end in refuse] else share * lrs[k]


def _pick_changed(**changes):
    return lambda lrs, smoothed: _pick(lrs, smoothed, **changes)


def _pick_loss(lrs, smoothed):
    return np.min(smoothed) / 10 if np.isfinite(_pick(lrs, smoothed)) else np.nan


def _pick_steepest(lrs, smoothed):
    return lrs[np.gradient(smoothed, np.log(lrs)).argmin()]


@exercise(
    "06b.1",
    "A rate from a sweep",
    reference=_pick_changed(),
    mistakes=[
        ("At the lowest point the rate is too high already: return a tenth of it.", _pick_changed(share=1)),
        ("If the lowest point is at an end of the sweep, answer NaN.", _pick_changed(refuse=())),
        (
            "If the lowest point is the *first* rate, the sweep tells nothing either: NaN.",
            _pick_changed(refuse=(-1,)),
        ),
        (
            "If the lowest point is the *last* rate (position `len(lrs) - 1`), answer NaN as well.",
            _pick_changed(refuse=(0,)),
        ),
        (
            "A tenth of it, and NaN if the lowest point is at an end of the sweep.",
            _pick_changed(share=1, refuse=()),
        ),
        ("That is a tenth of the lowest *loss*; return a rate.", lambda lrs, s: np.min(s) / 10),
        ("That is a tenth of the lowest *loss*; return a rate.", _pick_loss),
        ("That is the position; look up the rate there.", lambda lrs, s: np.argmin(s)),
        (
            "NaN only if the lowest point is at an end: `k == 0 or k == len(lrs) - 1`.",
            lambda lrs, s: np.nan,
        ),
        ("That is where the loss is highest: `argmin`.", _pick_changed(find=np.argmax)),
        ("That is the steepest point; asked is a tenth of the lowest.", _pick_steepest),
    ],
    hint="`k = np.argmin(smoothed)`; NaN if k is 0 or the last position, else `lrs[k] / 10`.",
    passed="And it says so when the sweep began too high or ended too low to know.",
)
def check_pick():
    """Compare with a tenth of the rate of the lowest loss, NaN at the ends."""
    lrs = np.geomspace(1e-3, 10, 5)
    yield lrs, np.array([2.0, 1.5, 1.0, 1.25, 9.0])
    yield lrs, np.array([2.0, 0.5, 3.0, 1.25, 2.5])
    yield lrs, np.array([2.0, 1.75, 1.5, 1.25, 1.0])
    yield lrs[1:], np.array([1.0, 1.5, 2.0, 2.5])


def _triangle(t, lr_min, lr_max, s):
    return lr_min + (lr_max - lr_min) * (1 - np.abs(t % (2 * s) / s - 1))


@exercise(
    "06b.2",
    "A triangular cycle",
    reference=_triangle,
    mistakes=[
        (
            "It begins at the top: use 1 - |...|, not |...|.",
            lambda t, lr_min, lr_max, s: _triangle(t, lr_max, lr_min, s),
        ),
        (
            "A saw: it jumps down. A whole cycle takes 2s steps, up and down.",
            lambda t, lr_min, lr_max, s: lr_min + (lr_max - lr_min) * (t % s) / s,
        ),
        (
            "Your cycles take s steps; here s is *half* a cycle.",
            lambda t, lr_min, lr_max, s: _triangle(t, lr_min, lr_max, s / 2),
        ),
        (
            "Your peaks are lr_min + lr_max: the height of the triangle is lr_max - lr_min.",
            lambda t, lr_min, lr_max, s: lr_min + lr_max * (1 - np.abs(t % (2 * s) / s - 1)),
        ),
        (
            "It begins at 0: lr_min is added below.",
            lambda t, lr_min, lr_max, s: (lr_max - lr_min) * (1 - np.abs(t % (2 * s) / s - 1)),
        ),
        (
            "Python reads `t % 2 * s` as `(t % 2) * s`: write `t % (2 * s)`.",
            lambda t, lr_min, lr_max, s: lr_min + (lr_max - lr_min) * (1 - np.abs(t % 2 * s / s - 1)),
        ),
        (
            "Without the absolute value it only falls, and jumps up: `np.abs(...)`.",
            lambda t, lr_min, lr_max, s: lr_min + (lr_max - lr_min) * (2 - t % (2 * s) / s),
        ),
        (
            "`//` cuts to whole numbers: divide by s with `/`.",
            lambda t, lr_min, lr_max, s: lr_min + (lr_max - lr_min) * (1 - np.abs(t % (2 * s) // s - 1)),
        ),
        (
            "That is triangular2; here all peaks are equally high.",
            lambda t, lr_min, lr_max, s: (
                lr_min + (_triangle(t, lr_min, lr_max, s) - lr_min) * 0.5 ** (t // (2 * s))
            ),
        ),
        (
            "It goes up and down once only: `t % (2 * s)` begins again.",
            lambda t, lr_min, lr_max, s: lr_min + (lr_max - lr_min) * (1 - np.abs(t / s - 1)),
        ),
        (
            "It stays at lr_min after the first cycle: `t % (2 * s)` begins again.",
            lambda t, lr_min, lr_max, s: lr_min + (lr_max - lr_min) * np.maximum(0, 1 - np.abs(t / s - 1)),
        ),
        (
            "That is a wave of cosines; here the ways are straight lines.",
            lambda t, lr_min, lr_max, s: lr_min + (lr_max - lr_min) * (1 - np.cos(np.pi * t / s)) / 2,
        ),
        (
            "That is the share of the height; now scale it to lr_min ... lr_max.",
            lambda t, lr_min, lr_max, s: 1 - np.abs(t % (2 * s) / s - 1),
        ),
    ],
    hint="`lr_min + (lr_max - lr_min) * (1 - np.abs(t % (2 * s) / s - 1))`.",
    passed="lr_min at 0, 2s, 4s, ...; lr_max half-way between.",
)
def check_triangle():
    """Compare with straight lines up and down."""
    yield np.arange(13), 0.1, 0.5, 4
    yield np.arange(30), 0.0, 1.0, 3
    yield 7, 0.02, 0.2, 2


def _restart(t, lr_max, period, grow=lambda length: 2 * length, late=0, shape=None):
    length = period
    while t >= length + late:
        t, length = t - length, grow(length)
    return lr_max * ((1 + np.cos(np.pi * t / length)) / 2 if shape is None else shape(t / length))


def _restart_changed(**changes):
    return lambda t, lr_max, period: _restart(t, lr_max, period, **changes)


def _restart_once(t, lr_max, period):
    if t >= period:
        t, period = t - period, 2 * period
    return lr_max * (1 + np.cos(np.pi * t / period)) / 2


def _restart_doubled_first(t, lr_max, period):
    while t >= period:
        period = 2 * period
        t = t - period
    return lr_max * (1 + np.cos(np.pi * t / period)) / 2


def _restart_unstretched(t, lr_max, period):
    length = period
    while t >= length:
        t, length = t - length, 2 * length
    return lr_max * (1 + np.cos(np.pi * t / period)) / 2


def _restart_on(t, lr_max, period):
    """Double the length but do not set the clock back."""
    length = period
    while t >= length:
        length *= 2
    return lr_max * (1 + np.cos(np.pi * t / length)) / 2


@exercise(
    "06b.3",
    "Warm restarts",
    reference=_restart_changed(),
    mistakes=[
        (
            "Each cycle is twice as long as the one before; yours stay equal.",
            _restart_changed(grow=lambda n: n),
        ),
        ("The clock starts anew with each cycle: subtract the finished cycles from t.", _restart_on),
        ("`if` allows one restart; `while` as many as t asks for.", _restart_once),
        ("First subtract the finished cycle's length from t, then double it.", _restart_doubled_first),
        (
            "The later cosines must be stretched too: divide t by the length of *its* cycle.",
            _restart_unstretched,
        ),
        (
            "Your restart comes one step late: at t = period a new cycle begins, with lr_max.",
            _restart_changed(late=1),
        ),
        (
            "It rises within a cycle: 1 + cos, not 1 - cos.",
            _restart_changed(shape=lambda u: (1 - np.cos(np.pi * u)) / 2),
        ),
        ("Half of it: 1 + cos goes from 2 to 0.", _restart_changed(shape=lambda u: 1 + np.cos(np.pi * u))),
        ("cos alone becomes negative: use (1 + cos)/2.", _restart_changed(shape=lambda u: np.cos(np.pi * u))),
        (
            "A cycle goes over half a turn, π, not a whole one.",
            _restart_changed(shape=lambda u: (1 + np.cos(2 * np.pi * u)) / 2),
        ),
        ("Half a turn is π: `np.cos(np.pi * ...)`.", _restart_changed(shape=lambda u: (1 + np.cos(u)) / 2)),
        ("It falls along a line; asked is half a cosine.", _restart_changed(shape=lambda u: 1 - u)),
        (
            "There is no restart: t goes on and on.",
            lambda t, lr_max, period: lr_max * (1 + np.cos(np.pi * t / period)) / 2,
        ),
    ],
    hint="While t is not below the cycle's length: subtract the length from t, and double the length.",
    passed="Cycles of 1, 2, 4, ... periods end after 1, 3, 7, ...: these are the moments to stop.",
)
def check_warm_restart():
    """Compare with cosines whose lengths double."""
    for t in (0, 3, 4, 5, 9, 11, 12, 20, 27, 28, 40):
        yield t, 0.4, 4
    yield 25, 1.0, 10


def _first(curve, level, good=np.less_equal, never=np.nan, count=1.0, which=np.argmax):
    hits = good(curve, level)
    return which(hits) + count if hits.any() else never


def _first_changed(**changes):
    return lambda curve, level: _first(curve, level, **changes)


def _for_good(hits):
    """Return the place from which on the curve stays there."""
    worse = np.flatnonzero(~hits)
    return worse[-1] + 1 if len(worse) else 0


@exercise(
    "06b.4",
    "Epochs to a level",
    reference=_first_changed(),
    mistakes=[
        ("Epochs count from 1: the first entry is the end of epoch 1.", _first_changed(count=0.0)),
        (
            "A curve that never gets there must give NaN, not 1: `argmax` of all False is 0.",
            _first_changed(never=1.0),
        ),
        (
            "Epochs count from 1, and a curve that never gets there must give NaN.",
            _first_changed(never=0.0, count=0.0),
        ),
        (
            "The last epoch is no answer for a curve that never gets there: NaN.",
            lambda c, a: _first(c, a, never=len(c)),
        ),
        ("Asked is NaN, which no mean takes for an epoch.", _first_changed(never=-1.0)),
        (  # any number for "never" comes here: all are within rtol of infinity
            "For a curve that never gets there `np.nan` is asked: no epoch, and not infinity either.",
            _first_changed(never=np.inf),
        ),
        ("`argmin` finds the first False; `argmax` finds the first True.", _first_changed(which=np.argmin)),
        (
            "The *first* epoch that is good enough, not the last.",
            _first_changed(which=lambda hits: np.flatnonzero(hits)[-1]),
        ),
        (
            "That is the loss; return the number of its epoch.",
            lambda c, a: c[np.argmax(c <= a)] if (c <= a).any() else np.nan,
        ),
        ("A loss equal to the level counts: `<=`.", _first_changed(good=np.less)),
        ("Lower is better: `curve <= level`.", _first_changed(good=np.greater_equal)),
        (
            "The *first* epoch that is good enough, not the best one.",
            lambda c, a: np.argmin(c) + 1 if (c <= a).any() else np.nan,
        ),
        ("The first time counts, even if the loss rises again.", lambda c, a: _first(c, a, which=_for_good)),
        (
            "How many epochs were good enough is another question.",
            lambda c, a: np.sum(c <= a) if (c <= a).any() else np.nan,
        ),
    ],
    hint="`good = curve <= level`; if `good.any()`, then `good.argmax() + 1`, else `np.nan`.",
    passed="Runs that never arrive must be counted, not left out: NaN keeps them in sight.",
)
def check_epochs_to():
    """Compare with the first epoch at or below the level."""
    curve = np.array([1.5, 0.75, 0.5, 0.625, 0.25, 0.375])
    for level in (0.5, 0.6, 0.3, 2.0, 0.1):
        yield curve, level
    yield np.array([0.5, 0.25, 0.5]), 0.25


def _ensemble(p, mean=None, matrix=None):
    classes = p.argmax(axis=-1)
    predicted = p.mean(axis=0).argmax(axis=-1) if mean is None else mean(p, classes)
    return predicted, (classes[:, None] != classes).mean(axis=-1) if matrix is None else matrix(classes)


def _vote(p, classes):
    return np.array([np.bincount(column).argmax() for column in classes.T])


def _ensemble_changed(**changes):
    return lambda p: _ensemble(p, **changes)


@exercise(
    "06b.5",
    "An ensemble and its diversity",
    reference=_ensemble_changed(),
    mistakes=[
        (
            "That is the vote of the members; average their probabilities, then take the largest.",
            _ensemble_changed(mean=_vote),
        ),
        (
            "That is the class of the *product* of the probabilities: take their mean.",
            _ensemble_changed(mean=lambda p, c: p.prod(axis=0).argmax(axis=-1)),
        ),
        (
            "Return the class, not its probability.",
            _ensemble_changed(mean=lambda p, c: p.mean(axis=0).max(axis=-1)),
        ),
        (
            "Return the classes: `argmax` over the last axis.",
            _ensemble_changed(mean=lambda p, c: p.mean(axis=0)),
        ),
        (
            "Class numbers are names, not amounts: average the probabilities.",
            _ensemble_changed(mean=lambda p, c: c.mean(axis=0)),
        ),
        (
            "That is the class of the surest member; take the mean of the probabilities.",
            _ensemble_changed(mean=lambda p, c: p.max(axis=0).argmax(axis=-1)),
        ),
        ("That is the first member alone.", _ensemble_changed(mean=lambda p, c: c[0])),
        (
            "That is the share on which they *agree*: members with themselves must give 0.",
            _ensemble_changed(matrix=lambda c: (c[:, None] == c).mean(axis=-1)),
        ),
        (
            "These are counts; divide by the number of examples.",
            _ensemble_changed(matrix=lambda c: (c[:, None] != c).sum(axis=-1)),
        ),
        (
            "A share lies between 0 and 1: not per cent.",
            _ensemble_changed(matrix=lambda c: 100 * (c[:, None] != c).mean(axis=-1)),
        ),
        (
            "Take the mean over the examples, the last axis: members × members remain.",
            _ensemble_changed(matrix=lambda c: (c[:, None] != c).mean(axis=0)),
        ),
        (
            "Compare the members' classes, not how far apart the classes' numbers are.",
            _ensemble_changed(matrix=lambda c: np.abs(c[:, None] - c).mean(axis=-1)),
        ),
        ("The disagreement is missing: return both.", lambda p: p.mean(axis=0).argmax(axis=-1)),
        ("The classes are missing: return both.", lambda p: _ensemble(p)[1]),
        ("First the classes, then the matrix.", lambda p: _ensemble(p)[::-1]),
    ],
    hint="`classes = p.argmax(axis=-1)`; `(classes[:, None] != classes).mean(axis=-1)` compares every pair.",
    passed="Errors that differ are what an average can remove.",
)
def check_ensemble():
    """Compare with the class of the mean probabilities and the shares of different classes."""
    p = np.array(
        [
            [[0.5, 0.375, 0.125], [0.125, 0.25, 0.625], [0.25, 0.25, 0.5]],
            [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.1875, 0.5, 0.3125]],
            [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.75, 0.125, 0.125]],
        ]
    )
    yield p
    yield np.array([[[0.875, 0.125]], [[0.875, 0.125]], [[0.0078125, 0.9921875]]])
    yield np.concatenate([p, p[1:2]])[:, :2]
    many = np.random.default_rng(0).dirichlet(np.ones(4), size=(2, 7))
    yield many
