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


def shift_by_pixel(image, down, right):
    new = np.zeros_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            if 0 <= i - down < image.shape[0] and 0 <= j - right < image.shape[1]:
                new[i, j] = image[i - down, j - right]
    return new


RIGHT = {
    nb05b.check_soft_threshold: [soft_by_the_course, soft_by_clipping, soft_by_cases],
    nb05b.check_dropout: [dropout_by_copy, dropout_by_where],
    nb05b.check_smooth_targets: [targets_by_rows, targets_by_the_loss],
    nb05b.check_shift: [shift_by_roll, shift_by_pixel],
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
    ],
    nb05b.check_dropout: [
        (lambda x, chances, p: (x - p) * (chances >= p), ""),
        (lambda x, chances, p: x * (chances >= 0.25) / 0.75, ""),
        (dropout_in_place, "Make a new array"),
    ],
    nb05b.check_smooth_targets: [(lambda y, n, s: np.full(n, s / n), "")],
    nb05b.check_shift: [(lambda image, down, right: image, "")],
}

TestBank = bank(nb05b, right=RIGHT, wrong=WRONG)
