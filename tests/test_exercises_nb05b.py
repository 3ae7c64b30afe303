"""The checks of notebook 05b: right variants pass, usual mistakes get the hint they deserve."""

import numpy as np
import pytest

from course_lib.exercises import nb05b
from course_lib.layers import softmax_cross_entropy
from course_lib.regularizers import L1


@pytest.fixture(autouse=True)
def _own_progress(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))


CHECKS = [getattr(nb05b, name) for name in nb05b.__all__]
MISTAKES = [
    pytest.param(check, wrong, hint, id=f"{check.exercise.number}-{i}")
    for check in CHECKS
    for i, (hint, wrong) in enumerate(check.exercise.mistakes)
]


@pytest.mark.parametrize(("check", "wrong", "hint"), MISTAKES)
def test_each_listed_mistake_gets_its_hint(check, wrong, hint):
    answer = check(wrong)
    assert (answer.status, answer.hint) == ("not yet", hint)


@pytest.mark.parametrize("check", CHECKS)
def test_blank_and_reference(check):
    assert check(...).status == "not attempted"
    assert check(check.exercise.reference, solution=True).status == "passed"


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


RIGHT = [
    (nb05b.check_soft_threshold, soft_by_the_course),
    (nb05b.check_soft_threshold, soft_by_clipping),
    (nb05b.check_soft_threshold, soft_by_cases),
    (nb05b.check_dropout, dropout_by_copy),
    (nb05b.check_dropout, dropout_by_where),
    (nb05b.check_smooth_targets, targets_by_rows),
    (nb05b.check_smooth_targets, targets_by_the_loss),
    (nb05b.check_shift, shift_by_roll),
    (nb05b.check_shift, shift_by_pixel),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right_answers_pass(check, answer):
    feedback = check(answer)
    assert feedback.status == "passed", feedback


# --- wrong answers beyond the listed ones


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (nb05b.check_soft_threshold, lambda w, t: np.maximum(w - t, 0) + np.minimum(w, 0)),
        (nb05b.check_soft_threshold, lambda w, t: w * 0),
        (nb05b.check_dropout, lambda x, chances, p: (x - p) * (chances >= p)),
        (nb05b.check_dropout, lambda x, chances, p: x * (chances >= 0.25) / 0.75),
        (nb05b.check_smooth_targets, lambda y, n, s: np.full(n, s / n)),
        (nb05b.check_shift, lambda image, down, right: image),
    ],
)
def test_other_wrong_answers_do_not_pass(check, answer):
    assert check(answer).status == "not yet"


def test_arguments_must_not_be_changed():
    def dropout(x, chances, p):
        x[chances < p] = 0
        x /= 1 - p
        return x

    assert nb05b.check_dropout(dropout).status == "not yet"
