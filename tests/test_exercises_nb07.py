"""The checks of notebook 07: right variants pass, usual mistakes get the hint they deserve."""

import itertools
import math

import numpy as np
import pytest

from course_lib.contest import WIDEST, draws
from course_lib.exercises import nb07
from course_lib.shootout import chosen
from tests.exercise_bank import bank

# --- the references against the library


@pytest.mark.parametrize("trials", [3, 12])
def test_stratified_draws_are_those_of_the_contest(trials):
    u = np.array([np.random.default_rng([k + WIDEST, trials]).random() for k in range(trials)])
    got = nb07.check_stratified.exercise.reference(u, 1e-4, 10.0)
    np.testing.assert_allclose(got, draws(trials), rtol=1e-5)


def test_the_choice_is_that_of_the_shoot_out():
    accuracy = np.array([[0.3, 0.9, np.nan, 0.4], [0.7, 0.2, np.nan, np.nan], [0.1, 0.2, 0.3, 0.8]])
    best, below, above = nb07.check_choose.exercise.reference(accuracy)
    for row, k in zip(accuracy, best, strict=True):
        runs = [
            {"diverged": math.isnan(a), "val_accuracy": [a], "val_loss": [None if math.isnan(a) else 1.0]}
            for a in row
        ]
        assert chosen(runs) == k
    assert (below, above) == (True, True)


def test_the_chance_of_an_unequal_race_is_what_sampling_gives():
    rng, a, b = np.random.default_rng(0), np.arange(8.0), np.arange(8.0) + 0.5
    wins = [max(rng.choice(a, 5, replace=False)) > max(rng.choice(b, 2, replace=False)) for _ in range(4000)]
    assert nb07.check_looks_better.exercise.reference(a, 5, b, 2) == pytest.approx(np.mean(wins), abs=0.02)


def test_six_lines_of_the_report_break_one_rule_each():
    assert [int(line[:2]) for line in nb07.REPORT.splitlines()] == list(range(1, 13))
    assert sorted([*nb07.FAIR, *nb07.UNFAIR]) == list(range(1, 13))
    assert sorted(word for word, _ in nb07.UNFAIR.values()) == sorted(nb07.RULES)
    low, high, parts = 1e-4, 0.1, 6
    last = high / (high / low) ** (1 / parts)
    assert low < 0.0031 < last < 0.098 < high  # SGD's rate lies in the last part of the range
    assert max(0.021, 0.019) < last


# --- right answers, written in other ways


def draws_by_logarithms(u, low, high):
    edges = np.linspace(np.log10(low), np.log10(high), len(u) + 1)
    return 10 ** (edges[:-1] + u * np.diff(edges))


def draws_by_loop(u, low, high):
    width = math.log(high / low) / len(u)
    return np.array([low * math.exp(width * (k + share)) for k, share in enumerate(u)])


def draws_in_a_list(u, low, high):
    return list(draws_by_loop(u, low, high))


def draws_straight_inside_their_parts(u, low, high):
    edges = np.geomspace(low, high, len(u) + 1)
    return edges[:-1] + u * np.diff(edges)


def better_by_loops(a, k, b, m):
    pairs = itertools.product(itertools.combinations(a, k), itertools.combinations(b, m))
    wins = [max(one) > max(other) for one, other in pairs]
    return sum(wins) / len(wins)


def better_by_counting(a, k, b, m):
    """The chance that the j-th best is the best of a choice is C(n − j, k − 1) / C(n, k)."""

    def chances(scores, k):
        n = len(scores)
        return [
            (s, math.comb(n - 1 - j, k - 1) / math.comb(n, k)) for j, s in enumerate(sorted(scores)[::-1])
        ]

    return sum(p * q for s, p in chances(a, k) for t, q in chances(b, m) if s > t)


def choose_by_nanargmax(accuracy):
    best = np.nanargmax(accuracy, axis=1)
    return best, 0 in best, accuracy.shape[1] - 1 in best


def choose_by_nan_to_num(accuracy):
    best = np.argmax(np.nan_to_num(accuracy, nan=-1.0), axis=-1)
    return best, bool(np.any(best == 0)), bool(np.any(best == len(accuracy.T) - 1))


def choose_in_a_list(accuracy):
    best, below, above = choose_by_nanargmax(accuracy)
    return [int(k) for k in best], int(below), int(above)


UNFAIR = {line: word for line, (word, _) in nb07.UNFAIR.items()}


def against_by_variance(accuracy, k, T):
    d = accuracy - accuracy[k : k + 1]
    n = d.shape[1]
    squares = ((d - d.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return d.sum(axis=1) / n, T[n - 1] * np.sqrt(squares / (n - 1) / n)


def against_by_rows(accuracy, k, T):
    n = len(accuracy[0])
    rows = [row - accuracy[k] for row in accuracy]
    return np.array([r.mean() for r in rows]), np.array([T[n - 1] * r.std(ddof=1) / n**0.5 for r in rows])


def against_in_lists(accuracy, k, T):
    return tuple(list(part) for part in against_by_rows(accuracy, k, T))


def against_in_one_array(accuracy, k, T):
    return np.array(against_by_rows(accuracy, k, T))


RIGHT = {
    nb07.check_stratified: [draws_by_logarithms, draws_by_loop, draws_in_a_list],
    nb07.check_looks_better: [better_by_loops, better_by_counting],
    nb07.check_choose: [choose_by_nanargmax, choose_by_nan_to_num, choose_in_a_list],
    nb07.check_unfair: [UNFAIR, {line: f" {word.title()}" for line, word in reversed(UNFAIR.items())}],
    nb07.check_against: [against_by_variance, against_by_rows, against_in_lists, against_in_one_array],
}


# --- wrong answers beyond the listed ones


def without(line):
    """Return the right answer without one line."""
    return {k: word for k, word in UNFAIR.items() if k != line}


def choose_in_place(accuracy):
    accuracy[np.isnan(accuracy)] = -1
    return choose_by_nanargmax(accuracy)


def against_in_place(accuracy, k, T):
    accuracy -= accuracy[k].copy()
    return against_by_rows(accuracy, k, T)


WRONG = {
    nb07.check_stratified: [
        (lambda u, low, high: np.random.default_rng(0).uniform(low, high, len(u)), ""),
        (lambda u, low, high: low * (high / low) ** u, "free draws"),
        (lambda u, low, high: 10 ** np.linspace(np.log10(low), np.log10(high), len(u)), "grid without `u`"),
        (lambda u, low, high: np.log10(draws_by_loop(u, low, high)), "raise 10 to them"),
        (lambda u, low, high: np.log(draws_by_loop(u, low, high)), "`np.exp` of them"),
        (lambda u, low, high: np.exp(np.log10(draws_by_loop(u, low, high))), "`np.exp` belongs to `np.log`"),
        (lambda u, low, high: draws_by_loop(u, low, high) / low, "Multiply by `low`"),
        (lambda u, low, high: draws_by_loop(u, high, low), "It goes down from `high`"),
        (draws_straight_inside_their_parts, "Inside its part, too"),
        (lambda u, low, high: [low] * len(u), ""),
        (lambda u, low, high: list(low * (high / low) ** u), "free draws"),
        (lambda u, low, high: [low, [high]], ""),
    ],
    nb07.check_looks_better: [
        (lambda a, k, b, m: max(a) > max(b), ""),
        (lambda a, k, b, m: 0.5, ""),
        (lambda a, k, b, m: np.mean(a[:k].max() > b[:m]), ""),
    ],
    nb07.check_choose: [
        (lambda accuracy: choose_by_nanargmax(1 - accuracy), "the highest is the best"),
        (choose_in_place, "Make a new array"),
        (lambda accuracy: (np.argmax(accuracy, axis=1), False, True), ""),
    ],
    nb07.check_unfair: [
        *[(without(line), hint) for line, (_, hint) in nb07.UNFAIR.items()],
        *[(UNFAIR | {line: "seeds"}, hint) for line, hint in nb07.FAIR.items()],
        (UNFAIR | {3: "budget"}, "Count the trials"),
        (UNFAIR | {13: "seeds"}, "numbered 1 to 12"),
        (UNFAIR | {3: "money"}, "One of"),
        (UNFAIR | {3: 1}, "One of"),
        ([3, 5, 7, 9, 10, 12], "one by one"),
        ({}, "Count the trials"),
    ],
    nb07.check_against: [
        (against_in_place, "Make a new array"),
        (lambda accuracy, k, T: ((accuracy - accuracy[k]).mean(axis=1), 0.1), ""),
        (lambda accuracy, k, T: against_by_rows(accuracy, 0, T), ""),
    ],
}

TestBank = bank(nb07, right=RIGHT, wrong=WRONG)
