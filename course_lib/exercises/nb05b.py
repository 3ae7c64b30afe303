"""Checks of notebook 05b: the proximal step of L1, inverted dropout, smoothed targets, shifted pictures."""

import numpy as np

from course_lib.exercises import exercise

__all__ = ["check_dropout", "check_shift", "check_smooth_targets", "check_soft_threshold"]


def _soft(w, t):
    return np.sign(w) * np.maximum(np.abs(w) - t, 0)


@exercise(
    "05b.1",
    "The proximal step of L1",
    reference=lambda w, t: _soft(w, t),
    mistakes=[
        (
            "That throws small weights past 0: stop there, with `np.maximum(..., 0)`.",
            lambda w, t: w - t * np.sign(w),
        ),
        (
            "Large weights move towards 0 by t as well: this is hard thresholding.",
            lambda w, t: np.where(np.abs(w) > t, w, 0.0),
        ),
        (
            "Large weights move towards 0 by t as well: this is hard thresholding.",
            lambda w, t: np.where(np.abs(w) < t, 0.0, w),
        ),
        (
            "`np.max` takes the largest of an array; `np.maximum` compares number by number.",
            lambda w, t: np.sign(w) * np.max(np.abs(w) - t, 0),
        ),
        (
            "A weight nearer to 0 than t ends at 0: what is negative must not come back with `np.abs`.",
            lambda w, t: np.sign(w) * np.abs(np.abs(w) - t),
        ),
        ("Towards 0, not away from it: subtract t.", lambda w, t: np.sign(w) * (np.abs(w) + t)),
        (
            "Subtract t before you compare with 0: `np.maximum(np.abs(w) - t, 0)`.",
            lambda w, t: np.sign(w) * np.maximum(np.abs(w), t),
        ),
        ("Negative weights count too: use `np.abs(w)`.", lambda w, t: np.sign(w) * np.maximum(w - t, 0)),
        (
            "Negative weights lost their sign: multiply by `np.sign(w)`.",
            lambda w, t: np.maximum(np.abs(w) - t, 0),
        ),
        ("Negative weights count too: use `np.abs(w)`.", lambda w, t: np.maximum(w - t, 0)),
        ("That shrinks all by one factor, as L2 does: nothing becomes 0.", lambda w, t: w / (1 + t)),
        ("That shrinks all by one factor, as L2 does: nothing becomes 0.", lambda w, t: w / (1 + 2 * t)),
        (
            "Negative weights went away from 0: towards it they go *up* by t.",
            lambda w, t: np.where(np.abs(w) > t, w - t, 0.0),
        ),
        (
            "That is what the step takes away, w cut off at ±t; return what is left.",
            lambda w, t: np.clip(w, -t, t),
        ),
    ],
    hint="The size becomes max(|w| - t, 0); the sign stays.",
    passed="It stops at 0 instead of jumping over it: that is where exact zeros come from.",
)
def check_soft_threshold():
    """Compare with sign(w) max(|w| - t, 0)."""
    yield np.array([3.0, -2.0, 0.25, -0.125, 0.0]), 0.5
    yield np.array([[1.0, -1.0], [0.75, 4.0]]), 1.0
    yield np.array([-0.3, 0.7]), 0.0


@exercise(
    "05b.2",
    "Inverted dropout",
    reference=lambda x, chances, p: x * (chances >= p) / (1 - p),
    mistakes=[
        (
            "The expectation shrinks: divide the survivors by 1 - p.",
            lambda x, chances, p: x * (chances >= p),
        ),
        ("Dropped where the chance is *below* p: you keep those.", lambda x, c, p: x * (c < p) / (1 - p)),
        ("You keep with probability p, and drop with 1 - p.", lambda x, c, p: x * (c < p) / p),
        ("A share 1 - p survives: divide by 1 - p, not by p.", lambda x, c, p: x * (c >= p) / p),
        ("Divide by 1 - p, not multiply: the survivors must grow.", lambda x, c, p: x * (c >= p) * (1 - p)),
        ("Drop where the chance is below p, not below 1 - p.", lambda x, c, p: x * (c >= 1 - p) / (1 - p)),
        ("Low chances are dropped, high ones survive.", lambda x, c, p: x * (c < 1 - p) / (1 - p)),
        ("Only *below* p: a chance of exactly p survives.", lambda x, c, p: x * (c > p) / (1 - p)),
        ("Brackets: `/ 1 - p` divides by 1, then subtracts p.", lambda x, c, p: x * (c >= p) / 1 - p),
        (
            "Divide by the chance to survive, 1 - p, not by the share that did this time.",
            lambda x, c, p: x * (c >= p) / (c >= p).mean(),
        ),
        (
            "That keeps the mean square; the mean wants 1 - p without a root.",
            lambda x, c, p: x * (c >= p) / np.sqrt(1 - p),
        ),
        ("That is the mean, not a draw: use `chances`.", lambda x, c, p: x * (1 - p)),
        ("That is evaluation mode; drop some.", lambda x, chances, p: x * 1.0),
        ("That says who survives; multiply x by it, and make up for the dropped.", lambda x, c, p: c >= p),
        ("These are the factors; multiply x by them.", lambda x, chances, p: (chances >= p) / (1 - p)),
    ],
    hint="Two factors stand beside x: 1 or 0 for each value, and one number that makes up for the dropped.",
    passed="The mean stays as it was, so evaluation needs nothing.",
)
def check_dropout():
    """Compare with x where chances >= p, divided by 1 - p, else 0."""
    x, chances = (
        np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]]),
        np.array([[0.1, 0.6, 0.9], [0.3, 0.25, 0.05]]),
    )
    yield x, chances, 0.25
    yield x, chances, 0.5
    yield x[0], chances[1], 0.125
    yield x, chances, 0.0


def _smooth(y, n_classes, s, label=None, other=None):
    q = np.full((len(y), n_classes), s / n_classes if other is None else other)
    q[np.arange(len(y)), y] = 1 - s + s / n_classes if label is None else label
    return q


def _columns(y, n_classes, s):
    """Fill the columns of all labels, as `q[:, y] = ...` does."""
    q = np.full((len(y), n_classes), s / n_classes)
    q[:, y] = 1 - s + s / n_classes
    return q


@exercise(
    "05b.3",
    "Smoothed targets",
    reference=lambda y, n_classes, s: _smooth(y, n_classes, s),
    mistakes=[
        (
            "The label gets its share of s too: 1 - s + s/K. Your rows do not add up to 1.",
            lambda y, n, s: _smooth(y, n, s, label=1 - s),
        ),
        (
            "Here s is spread over all K classes, the label's too; you spread it over the other K - 1.",
            lambda y, n, s: _smooth(y, n, s, 1 - s, s / (n - 1)),
        ),
        ("The label's 1 shrinks too: your rows add up to more than 1.", lambda y, n, s: np.eye(n)[y] + s / n),
        ("Spread s over the classes: s/K each.", lambda y, n, s: (1 - s) * np.eye(n)[y] + s),
        ("These are the unsmoothed targets.", lambda y, n, s: np.eye(n)[y]),
        (
            "s is spread over the K classes, not over the examples: s/K.",
            lambda y, n, s: (1 - s) * np.eye(n)[y] + s / len(y),
        ),
        (
            "s is spread over all K classes: s/K each, not s/(K - 1).",
            lambda y, n, s: (1 - s) * np.eye(n)[y] + s / (n - 1),
        ),
        ("What was taken from the label must go somewhere: add s/K.", lambda y, n, s: (1 - s) * np.eye(n)[y]),
        (
            "One row for each *example*: take the rows `[y]` of the unit matrix.",
            lambda y, n, s: (1 - s) * np.eye(n) + s / n,
        ),
        (
            "`q[:, y]` fills whole columns: pair each row with its label, `q[np.arange(len(y)), y]`.",
            lambda *a: _columns(*a),
        ),
        ("1 - s and s are exchanged.", lambda y, n, s: s * np.eye(n)[y] + (1 - s) / n),
    ],
    hint="Shrink the unsmoothed targets, then give every class the same share of s; each row adds up to 1.",
    passed="Each row adds up to 1, and no logit has to go to infinity any more.",
)
def check_smooth_targets():
    """Compare with (1 - s) one-hot + s/K."""
    yield np.array([2, 0, 1, 2]), 3, 0.3
    yield np.array([1, 1, 4, 0]), 5, 0.125
    yield np.array([0, 1]), 4, 0.0


def _shift(image, down, right):
    border = max(abs(down), abs(right), 1)
    padded, (high, wide) = np.pad(image, border), image.shape
    return padded[border - down : border - down + high, border - right : border - right + wide]


def _cleared(image, down, right):
    """Clear what a move down or right frees, as if there were no other."""
    new = np.roll(image, (down, right), (0, 1))
    new[:down], new[:, :right] = 0, 0
    return new


@exercise(
    "05b.4",
    "Shift without wrapping",
    reference=lambda image, down, right: _shift(image, down, right),
    mistakes=[
        (
            "What leaves on one side comes back on the other: fill with 0 instead.",
            lambda image, down, right: np.roll(image, (down, right), (0, 1)),
        ),
        (
            "Down is the first axis, the rows; and what leaves must not come back.",
            lambda image, down, right: np.roll(image, (right, down), (0, 1)),
        ),
        (
            "A border of 1 is enough for moves of one pixel only: make it as wide as the move.",
            lambda im, down, right: np.pad(im, 1)[
                1 - down : 1 - down + im.shape[0], 1 - right : 1 - right + im.shape[1]
            ],
        ),
        ("Negative moves free rows and columns at the other end: clear those.", lambda *a: _cleared(*a)),
        ("It moves the opposite way.", lambda image, down, right: _shift(image, -down, -right)),
        (
            "Down is the first axis, the rows; right is the second.",
            lambda im, down, right: _shift(im, right, down),
        ),
        ("Up and down are exchanged.", lambda image, down, right: _shift(image, -down, right)),
        ("Left and right are exchanged.", lambda image, down, right: _shift(image, down, -right)),
        ("It moves down, but not to the right.", lambda image, down, right: _shift(image, down, 0)),
        ("It moves to the right, but not down.", lambda image, down, right: _shift(image, 0, right)),
        (
            "Fill with 0, not with copies of the edge.",
            lambda image, down, right: np.pad(image, 3, mode="edge")[
                3 - down : 3 - down + image.shape[0], 3 - right : 3 - right + image.shape[1]
            ],
        ),
    ],
    hint="Pad with zeros all round, then cut a window of the old size out of it, moved the other way.",
    passed="Ink that leaves is gone: whether that is a harmless change, the data must say.",
)
def check_shift():
    """Compare with the picture moved, zeros where it came from."""
    image = np.arange(1.0, 13.0).reshape(3, 4)
    yield from (
        (image, 1, 0),
        (image, 0, -1),
        (image, -1, 1),
        (image, 2, 1),
        (image, 0, 0),
        (image.T.copy(), 1, 2),
    )
