"""The checks of notebook 06b: right variants pass, usual mistakes get the hint they deserve."""

import math

import numpy as np

from course_lib.exercises import nb06b
from course_lib.schedules import sgdr, triangular, triangular2
from tests.exercise_bank import bank

# --- right answers, written in other ways


def pick_by_sorting(lrs, smoothed):
    order = sorted(range(len(lrs)), key=lambda k: smoothed[k])
    return float("nan") if order[0] in {0, len(lrs) - 1} else 0.1 * lrs[order[0]]


def pick_by_slices(lrs, smoothed):
    inner = smoothed[1:-1].argmin() + 1
    return lrs[inner] / 10 if smoothed[inner] < min(smoothed[0], smoothed[-1]) else math.nan


def triangle_by_the_course(t, lr_min, lr_max, s):
    return triangular(lr_min, lr_max, s)(t)


def triangle_by_smith(t, lr_min, lr_max, s):
    cycle = np.floor(1 + t / (2 * s))
    x = np.abs(t / s - 2 * cycle + 1)
    return lr_min + (lr_max - lr_min) * np.maximum(0, 1 - x)


def triangle_by_minimum(t, lr_min, lr_max, s):
    r = np.asarray(t) % (2 * s)
    return lr_min + (lr_max - lr_min) / s * np.minimum(r, 2 * s - r)


def restart_by_the_course(t, lr_max, period):
    return sgdr(lr_max, period, 2)(t)


def restart_by_logarithm(t, lr_max, period):
    cycle = int(math.log2(t / period + 1))
    since = t - period * (2**cycle - 1)
    return lr_max * math.cos(math.pi * since / (2 * period * 2**cycle)) ** 2


def epochs_by_loop(curve, level):
    for epoch, loss in enumerate(curve, start=1):
        if loss <= level:
            return epoch
    return float("nan")


def epochs_by_flatnonzero(curve, level):
    found = np.flatnonzero(curve <= level)
    return found[0] + 1 if found.size else np.nan


def ensemble_by_loops(p):
    classes = np.argmax(p, axis=2)
    return np.argmax(p.sum(axis=0), axis=1), np.array([[np.mean(a != b) for b in classes] for a in classes])


def ensemble_by_agreement(p):
    classes = p.argmax(axis=-1)
    same = sum((classes == k).astype(float) @ (classes == k).T for k in range(p.shape[-1]))
    return p.mean(axis=0).argmax(axis=-1), 1 - same / p.shape[1]


RIGHT = {
    nb06b.check_pick: [pick_by_sorting, pick_by_slices],
    nb06b.check_triangle: [triangle_by_the_course, triangle_by_smith, triangle_by_minimum],
    nb06b.check_warm_restart: [restart_by_the_course, restart_by_logarithm],
    nb06b.check_epochs_to: [epochs_by_loop, epochs_by_flatnonzero],
    nb06b.check_ensemble: [ensemble_by_loops, ensemble_by_agreement],
}


# --- wrong answers beyond the listed ones


def epochs_or_nothing(curve, level):
    for epoch, loss in enumerate(curve, start=1):
        if loss <= level:
            return epoch


def restart_in_one_line_too_many(t, lr_max, period):
    while t >= period:
        t = t - period
        period = 2 * period
        t = t - 1
    return lr_max * (1 + math.cos(math.pi * t / period)) / 2


def epochs_by_search(curve, level):
    return float(np.searchsorted(-curve, -level) + 1)


def ensemble_in_place(p):
    p /= p.max(axis=-1, keepdims=True)
    return nb06b.check_ensemble.exercise.reference(p)


WRONG = {
    nb06b.check_pick: [
        (lambda lrs, smoothed: np.nan, "NaN only if"),
        (lambda lrs, smoothed: lrs[smoothed.argmin() - 1], ""),
        (lambda lrs, smoothed: lrs[smoothed.argmin()] / 10, "at an end of the sweep"),
        (lambda lrs, smoothed: 10 * lrs[smoothed.argmin()], ""),
        (lambda lrs, smoothed: lrs.min() / 10, ""),
        (
            lambda lrs, smoothed: _unless(smoothed, (0, len(lrs)), lrs[np.argmin(smoothed)] / 10),
            "*last* rate",
        ),
        (lambda lrs, smoothed: _unless(smoothed, (0, len(lrs) - 1), min(smoothed) / 10), "*loss*"),
    ],
    nb06b.check_triangle: [
        (lambda t, lr_min, lr_max, s: 0 * t + lr_min, ""),
        (lambda t, lr_min, lr_max, s: triangular(lr_min, lr_max, s)(t + s), "begins at the top"),
        (lambda t, lr_min, lr_max, s: triangular(lr_min, lr_max, 2 * s)(t), ""),
        (lambda t, lr_min, lr_max, s: lr_min + (lr_max - lr_min) * t / s, ""),
        (lambda t, lr_min, lr_max, s: triangular2(lr_min, lr_max, s)(t), "triangular2"),
    ],
    nb06b.check_warm_restart: [
        (lambda t, lr_max, period: sgdr(lr_max, period, 3)(t), ""),
        (lambda t, lr_max, period: sgdr(lr_max, period, 2)(t + 1), ""),
        (lambda t, lr_max, period: sgdr(lr_max, period)(t), "twice as long"),
        (restart_in_one_line_too_many, ""),
    ],
    nb06b.check_epochs_to: [
        (epochs_or_nothing, "return"),
        (epochs_by_search, ""),
        (lambda curve, level: np.argmax(curve <= level), "count from 1"),
        (lambda curve, level: np.argmax(curve <= level) + 1, "not 1"),
        (lambda curve, level: next((k for k, a in enumerate(curve, 1) if a <= level), math.inf), "infinity"),
        (lambda curve, level: next((k for k, a in enumerate(curve, 1) if a <= level), 0), "never gets there"),
    ],
    nb06b.check_ensemble: [
        (lambda p: (p.argmax(axis=-1), np.zeros((len(p), len(p)))), ""),
        (lambda p: (p.mean(axis=0).argmax(axis=-1), np.zeros((len(p), len(p)))), ""),
        (lambda p: (np.median(p, axis=0).argmax(axis=-1), _disagreement(p)), ""),
        (lambda p: (np.log(p + 1e-9).sum(axis=0).argmax(axis=-1), _disagreement(p)), "product"),
        (lambda p: (p.mean(axis=0).argmax(axis=-1), 100 * _disagreement(p)), "between 0 and 1"),
        (lambda p: _disagreement(p), "classes are missing"),
        (ensemble_in_place, "Make a new array"),
    ],
}


def _unless(smoothed, refused, answer):
    return math.nan if np.argmin(smoothed) in refused else answer


def _disagreement(p):
    return ensemble_by_loops(p)[1]


TestBank = bank(nb06b, right=RIGHT, wrong=WRONG)
