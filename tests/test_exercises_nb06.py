"""The checks of notebook 06: right variants pass, usual mistakes get the hint they deserve."""

import math

import numpy as np

from course_lib import schedules
from course_lib.callbacks import ReduceLROnPlateau
from course_lib.exercises import nb06
from tests.exercise_bank import bank

# --- right answers, written in other ways


def staircase_by_counting(t, lr0, c, boundaries):
    return lr0 * c ** sum(t >= b for b in boundaries)


def staircase_by_products(t, lr0, c, boundaries):
    rate = np.full(np.shape(t), lr0)
    for b in boundaries:
        rate = np.where(np.asarray(t) < b, rate, rate * c)
    return rate


def staircase_by_logarithms(t, lr0, c, boundaries):
    return np.exp(np.log(lr0) + np.searchsorted(boundaries, t, side="right") * np.log(c))


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


def staircase_of_the_last_drop(t, lr0, c, boundaries):
    return np.where(np.asarray(t) < boundaries[-1], lr0, lr0 * c)


def staircase_once(t, lr0, c, boundaries):
    return np.where(np.asarray(t) < boundaries[0], lr0, lr0 * c)


def staircase_minus(t, lr0, c, boundaries):
    return lr0 - c * sum(t >= b for b in boundaries)


def rise_added(t, lr, w, n):
    return lr * np.minimum(t / w, 1) * (1 + np.cos(np.pi * np.clip(t / n, 0, 1))) / 2


def rise_of_whole_numbers(t, lr, w, n):
    rates = np.zeros_like(t)
    rates[...] = rise_by_step(t, lr, w, n)
    return rates


def rise_in_degrees(t, lr, w, n):
    done = np.clip((t - w) / (n - w), 0, 1)
    return np.where(t < w, lr * t / w, lr * (1 + np.cos(180 * done)) / 2)


def rise_ending_high(t, lr, w, n):
    return np.where(t < n, rise_by_step(t, lr, w, n), lr)


def plateau_without_memory(losses, lr, factor, patience):
    worse = np.diff(losses, prepend=np.inf) >= 0
    return lr * factor ** np.cumsum(worse)


def plateau_not_in_a_row(losses, lr, factor, patience):
    best, waited, rates = np.inf, 0, []
    for loss in losses:
        if loss < best:
            best = loss
        else:
            waited += 1
            if waited > patience:
                lr, waited = lr * factor, 0
        rates.append(lr)
    return np.array(rates)


def plateau_off_by_one(losses, lr, factor, patience):
    return plateau_by_index(losses, lr, factor, patience + 1)


def plateau_from_the_first(losses, lr, factor, patience):
    best, waited, rates = losses[0], 0, []
    for loss in losses:
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited > patience:
            lr, waited = lr * factor, 0
        rates.append(lr)
    return np.array(rates)


def plateau_to_the_factor(losses, lr, factor, patience):
    return np.where(plateau_by_index(losses, lr, factor, patience) < lr, factor, lr)


TestBank = bank(
    nb06,
    right={
        nb06.check_staircase: [staircase_by_counting, staircase_by_products, staircase_by_logarithms],
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
            (staircase_of_the_last_drop, ""),
            (staircase_once, "go on falling"),
            (staircase_minus, ""),
            (lambda t, lr0, c, boundaries: lr0 * c ** sum(t > b for b in boundaries), "from its own step on"),
            (lambda t, lr0, c, boundaries: lr0 * c ** len(boundaries) + 0.0 * t, ""),
        ],
        nb06.check_rise_and_fall: [
            (rise_added, "one, then the other"),
            (rise_of_whole_numbers, "zeros_like"),
            (rise_in_degrees, ""),
            (rise_ending_high, ""),
            (lambda t, lr, w, n: np.minimum(rise_by_step(t, lr, w, n), lr / 2), ""),
        ],
        nb06.check_decay: [
            (34 / 10, ""),
            (0.05, ""),
            (0.00294, "not a rounded number"),
            (0.1 / 33, "round up"),
            (1 / np.ceil(10790 / 32), "of its own"),
            (1 / (10790 // 32), "whole steps"),
            (1 / 10790, "not examples"),
            (-1 / 340, ""),
        ],
        nb06.check_reach: [
            (lambda lr0, c, s, G: np.inf, ""),
            (lambda lr0, c, s, G: lr0 * G, ""),
            (lambda lr0, c, s, G: 2 * G * lr0 * s / (1 - c), "twice"),
        ],
        nb06.check_reduce_on_plateau: [
            (plateau_without_memory, ""),
            (plateau_not_in_a_row, "in a row"),
            (plateau_off_by_one, "One epoch too late"),
            (plateau_from_the_first, "The first epoch"),
            (plateau_to_the_factor, ""),
            (lambda losses, lr, factor, patience: plateau_by_index(losses, lr, factor, patience)[-1], ""),
            (lambda losses, lr, factor, patience: plateau_by_index(losses, lr, factor, patience)[1:], ""),
        ],
    },
)
