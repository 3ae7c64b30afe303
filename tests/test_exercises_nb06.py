"""The checks of notebook 06: right variants pass, usual mistakes get the hint they deserve."""

import math

import numpy as np

from course_lib import schedules
from course_lib.callbacks import ReduceLROnPlateau
from course_lib.exercises import nb06
from tests.exercise_bank import bank

# --- right answers, written in other ways


def staircase_by_the_course(t, lr0, c, s):
    return schedules.step_decay(lr0, c, s)(t)


def staircase_by_floor(t, lr0, c, s):
    return lr0 * np.power(c, np.floor(np.asarray(t) / s))


def staircase_by_logarithms(t, lr0, c, s):
    return np.exp(np.log(lr0) + (t // s) * np.log(c))


def rise_by_the_course(t, lr, w, n):
    return schedules.warmup(schedules.cosine(lr, n - w), w)(t)


def rise_by_step(t, lr, w, n):
    def rate(k):
        if k < w:
            return lr * k / w
        return lr * math.cos(math.pi / 2 * min((k - w) / (n - w), 1)) ** 2

    return np.vectorize(rate)(t)


def rise_by_slices(t, lr, w, n):
    rates = np.zeros(t.shape)
    up, down = t < w, (t >= w) & (t < n)
    rates[up] = t[up] / w * lr
    rates[down] = 0.5 * lr * (1 + np.cos(np.pi * (t[down] - w) / (n - w)))
    return rates


def rise_of_floats(t, lr, w, n):
    """Both ways to decide at t = w are right: there the two formulas agree."""
    done = np.minimum(np.maximum(t - w, 0) / (n - w), 1)
    return np.where(t <= w, lr * t / w, lr * (1 + np.cos(np.pi * done)) / 2)


def reach_by_adding(lr0, c, s, G):
    return G * sum(lr0 * c ** (t // s) for t in range(800 * s))


def reach_by_stairs(lr0, c, s, G):
    far, stair = 0.0, lr0 * s
    while stair > 1e-15:
        far, stair = far + stair * G, stair * c
    return far


class Epoch:
    """As much of a `Run` as the callback looks at."""

    def __init__(self, lr):
        self.base, self.lr_factor = lr, 1.0

    @property
    def lr(self):
        return self.base * self.lr_factor

    def watched(self, name):
        return self.loss


def plateau_by_the_course(losses, lr, factor, patience):
    callback, run, rates = ReduceLROnPlateau("loss", factor, patience, min_delta=0.0), Epoch(lr), []
    callback.on_train_begin(run)
    for run.loss in losses:
        callback.on_epoch_end(run)
        rates.append(run.lr)
    return np.array(rates)


def plateau_by_index(losses, lr, factor, patience):
    """Count from the last improvement or reduction."""
    rates, since = np.empty(len(losses)), 0
    for k in range(len(losses)):
        if k == 0 or losses[k] < losses[:k].min():
            since = k
        if k - since > patience:
            lr, since = lr * factor, k
        rates[k] = lr
    return rates


# --- wrong answers, as learners write them


def staircase_of_the_first_drop(t, lr0, c, s):
    return np.where(t < s, lr0, lr0 * c)


def staircase_minus(t, lr0, c, s):
    return lr0 - c * (t // s)


def staircase_exponential(t, lr0, c, s):
    return lr0 * np.exp(-c * (t // s))


def rise_added(t, lr, w, n):
    return lr * np.minimum(t / w, 1) * (1 + np.cos(np.pi * np.clip(t / n, 0, 1))) / 2


def rise_in_degrees(t, lr, w, n):
    done = np.clip((t - w) / (n - w), 0, 1)
    return np.where(t < w, lr * t / w, lr * (1 + np.cos(180 * done)) / 2)


def rise_ending_high(t, lr, w, n):
    return np.where(t < n, rise_by_step(t, lr, w, n), lr)


def plateau_without_memory(losses, lr, factor, patience):
    worse = np.diff(losses, prepend=np.inf) >= 0
    return lr * factor ** np.cumsum(worse)


def plateau_off_by_one(losses, lr, factor, patience):
    return plateau_by_index(losses, lr, factor, patience + 1)


def plateau_to_the_factor(losses, lr, factor, patience):
    return np.where(plateau_by_index(losses, lr, factor, patience) < lr, factor, lr)


TestBank = bank(
    nb06,
    right={
        nb06.check_staircase: [staircase_by_the_course, staircase_by_floor, staircase_by_logarithms],
        nb06.check_rise_and_fall: [rise_by_the_course, rise_by_step, rise_by_slices, rise_of_floats],
        nb06.check_decay: [
            1 / 340,
            np.float64(1 / 340),
            0.00294117647,
            np.array(1 / (10 * np.ceil(1079 / 32))),
        ],
        nb06.check_reach: [reach_by_adding, reach_by_stairs],
        nb06.check_reduce_on_plateau: [plateau_by_the_course, plateau_by_index],
    },
    wrong={
        nb06.check_staircase: [
            (staircase_of_the_first_drop, ""),
            (staircase_minus, ""),
            (staircase_exponential, ""),
            (lambda t, lr0, c, s: lr0 * c ** (np.asarray(t) / s).round(), ""),
            (lambda t, lr0, c, s: lr0 * c ** ((t - 1) // s), ""),
        ],
        nb06.check_rise_and_fall: [
            (rise_added, "one, then the other"),
            (rise_in_degrees, ""),
            (rise_ending_high, ""),
            (lambda t, lr, w, n: np.minimum(rise_by_step(t, lr, w, n), lr / 2), ""),
        ],
        nb06.check_decay: [(34 / 10, ""), (0.05, ""), (0.1 / 33, "round up"), (-1 / 340, "")],
        nb06.check_reach: [
            (lambda lr0, c, s, G: np.inf, ""),
            (lambda lr0, c, s, G: lr0 * G, ""),
            (lambda lr0, c, s, G: 2 * G * lr0 * s / (1 - c), "twice"),
        ],
        nb06.check_reduce_on_plateau: [
            (plateau_without_memory, ""),
            (plateau_off_by_one, ""),
            (plateau_to_the_factor, ""),
            (lambda losses, lr, factor, patience: plateau_by_index(losses, lr, factor, patience)[-1], ""),
            (lambda losses, lr, factor, patience: plateau_by_index(losses, lr, factor, patience)[1:], ""),
        ],
    },
)
