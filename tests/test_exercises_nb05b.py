"""The checks of notebook 05b: right variants pass, usual mistakes get the hint they deserve."""

import numpy as np

from course_lib.exercises import nb05b
from course_lib.layers import softmax_cross_entropy
from course_lib.regularizers import L1
from tests.exercise_bank import bank

# --- right answers, written in other ways


def soft_by_the_course(w, t):
    return L1(1.0).prox(w, t)


def soft_by_clipping(w, t):
    return w - np.clip(w, -t, t)


def soft_by_cases(w, t):
    return np.where(w > t, w - t, np.where(w < -t, w + t, 0.0))


def soft_by_search(w, t):
    """Take the better of the three places where the minimum can be."""
    places = np.stack([np.zeros_like(w), np.maximum(w - t, 0), np.minimum(w + t, 0)])
    best = (0.5 * (places - w) ** 2 + t * np.abs(places)).argmin(axis=0)
    return np.take_along_axis(places, best[None], axis=0)[0]


def dropout_by_copy(x, chances, p):
    y = x / (1 - p)
    y[chances < p] = 0
    return y


def dropout_by_where(x, chances, p):
    return np.where(chances < p, 0.0, x / (1 - p))


def targets_by_rows(y, n_classes, s):
    q = np.full((len(y), n_classes), s / n_classes)
    for row, label in zip(q, y, strict=True):
        row[label] += 1 - s
    return q


def targets_by_the_loss(y, n_classes, s):
    """Read q off the derivative (p - q) / B of the course's loss at equal logits, where p = 1/K."""
    _, d = softmax_cross_entropy(np.zeros((len(y), n_classes)), y, smoothing=s)
    return 1 / n_classes - d * len(y)


def shift_by_roll(image, down, right):
    new = np.roll(image, (down, right), (0, 1))
    high, wide = image.shape
    i, j = np.arange(high) - down, np.arange(wide) - right
    return new * ((i >= 0) & (i < high))[:, None] * ((j >= 0) & (j < wide))


def shift_by_slices(image, down, right):
    new = np.zeros_like(image)
    high, wide = image.shape
    there = slice(max(down, 0), high + min(down, 0)), slice(max(right, 0), wide + min(right, 0))
    here = slice(max(-down, 0), high - max(down, 0)), slice(max(-right, 0), wide - max(right, 0))
    new[there] = image[here]
    return new


def shift_by_pixel(image, down, right):
    new = np.zeros_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            if 0 <= i - down < image.shape[0] and 0 <= j - right < image.shape[1]:
                new[i, j] = image[i - down, j - right]
    return new


RIGHT = {
    nb05b.check_soft_threshold: [soft_by_the_course, soft_by_clipping, soft_by_cases, soft_by_search],
    nb05b.check_dropout: [dropout_by_copy, dropout_by_where],
    nb05b.check_smooth_targets: [targets_by_rows, targets_by_the_loss],
    nb05b.check_shift: [shift_by_roll, shift_by_slices, shift_by_pixel],
}


# --- wrong answers beyond the listed ones


def dropout_in_place(x, chances, p):
    x[chances < p] = 0
    x /= 1 - p
    return x


WRONG = {
    nb05b.check_soft_threshold: [
        (lambda w, t: np.maximum(w - t, 0) + np.minimum(w, 0), ""),
        (lambda w, t: w * 0, ""),
        (lambda w, t: np.sign(w) * max(abs(w) - t, 0), ""),
        (lambda w, t: np.sign(w) * np.maximum(abs(w) - t / 2, 0), ""),
    ],
    nb05b.check_dropout: [
        (lambda x, chances, p: (x - p) * (chances >= p), ""),
        (lambda x, chances, p: x * (chances >= 0.25) / 0.75, ""),
        (lambda x, chances, p: x[chances >= p] / (1 - p), ""),
        (dropout_in_place, "Make a new array"),
    ],
    nb05b.check_smooth_targets: [
        (lambda y, n, s: np.full(n, s / n), ""),
        (lambda y, n, s: (1 - s) * np.eye(n)[:, y] + s / n, "transposed"),
    ],
    nb05b.check_shift: [
        (lambda image, down, right: image, ""),
        (lambda image, down, right: np.roll(image, down * image.shape[1] + right), ""),
    ],
}

TestBank = bank(nb05b, right=RIGHT, wrong=WRONG)


def test_no_hint_is_the_solution():
    """After one slip the formula itself must not appear."""
    lines = ("x * (chances >= p) / (1 - p)", "(1 - s) * np.eye(n_classes)[y] + s / n_classes")
    for check in RIGHT:
        assert not any(line in check.exercise.hint for line in lines)
