"""Checks of notebook 07: draws, an unequal race, a choice inside the range, an unfair report, paired runs."""

import itertools

import numpy as np

from course_lib.exercises import NotYet, exercise
from course_lib.exercises._compare import short

__all__ = [
    "REPORT",
    "RULES",
    "check_against",
    "check_choose",
    "check_looks_better",
    "check_stratified",
    "check_unfair",
]


def _stratified(u, low, high, share=lambda k, u, n: (k + u) / n):
    n = len(u)
    return low * (high / low) ** share(np.arange(n), u, n)


def _stratified_changed(share):
    return lambda u, low, high: _stratified(u, low, high, share)


@exercise(
    "07.1",
    "One draw from each part",
    reference=_stratified_changed(lambda k, u, n: (k + u) / n),
    mistakes=[
        (
            "These are free draws: two may fall together, and a part may stay empty. Part k begins at k/n.",
            _stratified_changed(lambda k, u, n: u),
        ),
        (
            "Sorting free draws does not spread them: part k begins at k/n of the way.",
            _stratified_changed(lambda k, u, n: np.sort(u)),
        ),
        (
            "That is a grid of the middles; where in its part a draw lies, `u` says.",
            _stratified_changed(lambda k, u, n: (k + 0.5) / n),
        ),
        (
            "That is a grid; where in its part a draw lies, `u` says.",
            _stratified_changed(lambda k, u, n: k / n),
        ),
        ("That is a grid without `u`.", lambda u, low, high: np.geomspace(low, high, len(u))),
        (
            "Count the parts from 0: the first begins at `low`.",
            _stratified_changed(lambda k, u, n: (k + 1 + u) / n),
        ),
        ("There are n parts, not n − 1.", _stratified_changed(lambda k, u, n: (k + u) / (n - 1))),
        (
            "Inside its part, too, the share counts on the logarithmic scale.",
            lambda u, low, high: (
                _stratified(0 * u, low, high)
                + u * (_stratified(0 * u + 1, low, high) - _stratified(0 * u, low, high))
            ),
        ),
        ("Divide by n: the whole way is 1.", _stratified_changed(lambda k, u, n: k + u)),
        (
            "A part has the width 1/n, and `u` is a share of it: (k + u)/n.",
            _stratified_changed(lambda k, u, n: k / n + u),
        ),
        (
            "Equal parts on a *logarithmic* scale: nearly all of yours are large.",
            lambda u, low, high: low + (high - low) * (np.arange(len(u)) + u) / len(u),
        ),
        (
            "Those are the logarithms: raise 10 to them.",
            lambda u, low, high: np.log10(_stratified(u, low, high)),
        ),
        (
            "Those are the logarithms: `np.exp` of them.",
            lambda u, low, high: np.log(_stratified(u, low, high)),
        ),
        (
            "`np.exp` belongs to `np.log`; to `np.log10` belongs `10 **`.",
            lambda u, low, high: np.exp(np.log10(_stratified(u, low, high))),
        ),
        ("Multiply by `low`: the way begins there.", lambda u, low, high: _stratified(u, low, high) / low),
        (
            "It goes down from `high`; the first part begins at `low`.",
            lambda u, low, high: _stratified(u, high, low),
        ),
    ],
    hint="First the share of the whole way at which draw k lies; then the point at that share, on the "
    "logarithmic scale.",
    passed="One draw in each part: no luck with gaps, and the same draws can serve every method.",
    lists=True,
)
def check_stratified():
    """Compare with low (high / low)^((k + u_k) / n)."""
    yield np.array([0.5, 0.25, 0.875, 0.125]), 1e-4, 10.0
    yield np.array([0.75, 0.0, 0.5]), 1e-3, 1.0
    yield np.array([0.9, 0.8, 0.3, 0.6, 0.1, 0.7]), 0.5, 32.0


def _best_of(scores, k):
    return np.array([max(some) for some in itertools.combinations(scores, k)])


def _looks_better(a, k, b, m, best=_best_of, ahead=np.greater):
    return np.mean(ahead.outer(best(a, k), best(b, m)))


def _looks_better_changed(**changes):
    return lambda a, k, b, m: _looks_better(a, k, b, m, **changes)


def _of(choose, what):
    return lambda scores, k: np.array([what(some) for some in choose(scores, k)])


def _again(scores, k):
    return itertools.product(scores, repeat=k)


@exercise(
    "07.2",
    "An unequal race",
    reference=_looks_better_changed(),
    mistakes=[
        (
            "On a tie `a` does not look better: `>`, not `>=`.",
            _looks_better_changed(ahead=np.greater_equal),
        ),
        ("That is how often `b` looks better.", lambda a, k, b, m: _looks_better(b, m, a, k)),
        (
            "That is how often `a` does *not* look better.",
            lambda a, k, b, m: 1 - _looks_better(a, k, b, m),
        ),
        (
            "`k` trials of `a`, `m` of `b`: you have them exchanged.",
            lambda a, k, b, m: _looks_better(a, m, b, k),
        ),
        ("`b` gets `m` trials, not `k`.", lambda a, k, b, m: _looks_better(a, k, b, k)),
        ("`a` gets `k` trials, not `m`.", lambda a, k, b, m: _looks_better(a, m, b, m)),
        (
            "No trial is made twice: `itertools.combinations`, not `product`.",
            _looks_better_changed(best=_of(_again, max)),
        ),
        (
            "Who searches keeps the *best* trial, not the mean of all.",
            _looks_better_changed(best=_of(itertools.combinations, np.mean)),
        ),
        (
            "The scores are accuracies: the best is the highest.",
            _looks_better_changed(best=_of(itertools.combinations, min)),
        ),
        (
            "Compare every choice with every other, not only the means of the bests.",
            lambda a, k, b, m: float(_best_of(a, k).mean() > _best_of(b, m).mean()),
        ),
        (
            "That is how far apart the expected bests are; asked is how often `a` is ahead.",
            lambda a, k, b, m: _best_of(a, k).mean() - _best_of(b, m).mean(),
        ),
        ("A share lies between 0 and 1: not per cent.", lambda a, k, b, m: 100 * _looks_better(a, k, b, m)),
        (
            "That is the number of pairs; divide by how many pairs there are.",
            lambda a, k, b, m: np.sum(np.greater.outer(_best_of(a, k), _best_of(b, m))),
        ),
    ],
    hint="Every choice against every choice: a table, one list of bests as a column, the other as a row.",
    passed="Whoever counts trials can say how much of a victory was bought.",
)
def check_looks_better():
    """Compare with the share of pairs of choices in which the best of a is higher."""
    a, b = np.array([0.5, 0.9, 0.7, 0.2]), np.array([0.8, 0.95, 0.1, 0.7, 0.6])
    yield a, 4, b, 1
    yield a, 1, b, 2
    yield b, 3, a, 2
    yield np.array([0.3, 0.5]), 1, np.array([0.5, 0.25, 0.125]), 2


def _choose(
    accuracy, nan=-np.inf, find=np.argmax, ends=lambda best, n: ((best == 0).any(), (best == n - 1).any())
):
    best = find(np.where(np.isnan(accuracy), nan, accuracy), axis=1)
    return (best, *ends(best, accuracy.shape[1]))


def _choose_changed(**changes):
    return lambda accuracy: _choose(accuracy, **changes)


@exercise(
    "07.3",
    "A choice inside the range",
    reference=_choose_changed(),
    mistakes=[
        (
            "For `np.argmax` NaN is the largest: a run that diverged would be chosen. Make it −inf first.",
            _choose_changed(nan=np.inf),
        ),
        ("Accuracy: the highest is the best.", _choose_changed(nan=np.inf, find=np.argmin)),
        ("Accuracy: the highest is the best, and NaN counts for nothing.", _choose_changed(find=np.argmin)),
        (
            "The last trial has the position n − 1, not n.",
            _choose_changed(ends=lambda best, n: ((best == 0).any(), (best == n).any())),
        ),
        (
            "Positions count from 0: the lowest rate is at 0.",
            _choose_changed(ends=lambda best, n: ((best == 1).any(), (best == n - 1).any())),
        ),
        (
            "First below, then above.",
            _choose_changed(ends=lambda best, n: ((best == n - 1).any(), (best == 0).any())),
        ),
        (
            "*One* method at an end is enough to widen the range for all: `any`, not `all`.",
            _choose_changed(ends=lambda best, n: ((best == 0).all(), (best == n - 1).all())),
        ),
        (
            "The range is widened for all methods at once: one True or False for each end, `.any()`.",
            _choose_changed(ends=lambda best, n: (best == 0, best == n - 1)),
        ),
        (
            "True where it must be *widened*; you say where all is well.",
            _choose_changed(ends=lambda best, n: (not (best == 0).any(), not (best == n - 1).any())),
        ),
        (
            "Below and above are two questions: a range may be too short at one end only.",
            _choose_changed(ends=lambda best, n: (((best == 0) | (best == n - 1)).any(),) * 2),
        ),
        (
            "Those are the best accuracies; return their positions.",
            lambda accuracy: (np.nanmax(accuracy, axis=1), *_choose(accuracy)[1:]),
        ),
        (
            "One row is one method: look along axis 1.",
            lambda accuracy: _choose(accuracy.T),
        ),
        ("The two ends are missing: return `best, below, above`.", lambda accuracy: _choose(accuracy)[0]),
    ],
    hint="`scores = np.where(np.isnan(accuracy), -np.inf, accuracy)`; `best = scores.argmax(axis=1)`; "
    "`(best == 0).any()`.",
    passed="A best at an end of the range is no best: beyond the end nobody has looked.",
    lists=True,
)
def check_choose():
    """Compare with the positions of the best, and whether one of them is the first or the last."""
    nan = np.nan
    yield np.array([[0.1, 0.7, 0.9, nan], [0.2, 0.8, 0.75, 0.1], [0.5, 0.6, nan, nan]])
    yield np.array([[0.9, 0.7, 0.2, nan], [0.3, 0.85, 0.6, nan]])
    yield np.array([[0.1, 0.2, 0.3, 0.4, 0.5], [nan, 0.2, 0.6, 0.3, 0.1], [0.1, 0.4, 0.7, 0.9, nan]])
    yield np.array([[0.6, 0.5, 0.4], [0.1, 0.2, 0.3]])


REPORT = """\
 1  Task: the digits, a network 64-64-10, batches of 32; first weights and minibatches are the same for all.
 2  Learning rates: one draw from each of 6 equal parts (on a log scale) of 0.0001 to 0.1.
 3  SGD, Momentum and Adagrad make these 6 trials; our new method, Zoom, makes 30.
 4  Of its trials each method keeps the one with the highest validation accuracy.
 5  That is: SGD 0.098, Momentum 0.021, Adagrad 0.019, Zoom 0.0031.
 6  Each is then trained from the seeds 0 to 9. None of them was used in the search.
 7  SGD, Momentum, Adagrad train for 5 epochs, Zoom for 8, for its curve was still rising.
 8  All other arguments keep their defaults, for everybody.
 9  After each epoch we measure the accuracy on the test part, and report the highest of the run.
10  For Zoom's row in the table we give the best of the ten seeds, for the others the mean.
11  CPU seconds stand beside the epochs, one core of one machine for all.
12  Adam is shown as well, with the rate 0.001 that its authors recommend."""
"""Six of these lines break a rule."""

RULES = {
    "tuning": "every method's rate is searched",
    "trials": "as many trials for each",
    "range": "no choice in the first or last part of the range",
    "test": "chosen on validation, tested once",
    "seeds": "several seeds, and all of them count",
    "budget": "the same epochs for all",
}

UNFAIR = {
    3: ("trials", "Count the trials of each."),
    5: ("range", "Compare the chosen rates with the range in line 2."),
    7: ("budget", "Count the epochs of each."),
    9: ("test", "Which part may be looked at only once?"),
    10: ("seeds", "What becomes of the nine other seeds?"),
    12: ("tuning", "One method's rate was never searched."),
}

FAIR = {
    1: "The same task, start and minibatches for all: so the runs can be compared in pairs.",
    2: "The same range and the same draws for all; whether it was wide enough shows elsewhere.",
    4: "The validation part is there to choose on.",
    6: "New seeds after the search: nothing of the luck of the search is carried over.",
    8: "Equal for everybody: it may be poor tuning, but it favours nobody.",
    11: "Time beside epochs, measured alike: more than most reports give.",
}


@exercise(
    "07.4",
    "What is unfair here?",
    kind="custom",
    hint="Go through the six rules one by one, and look for the line that breaks it.",
    passed="Six in one page. Each of them alone can make a winner.",
)
def check_unfair(unfair):
    """Require the six unfair lines, each with the rule that it breaks."""
    form = 'such as {1: "tuning", 2: "seeds"}'
    if not isinstance(unfair, dict):
        raise NotYet(f"Expected a dict {form}, got {short(unfair)}.")
    words = ", ".join(f'"{word}"' for word in RULES)
    for line, word in unfair.items():
        if line not in FAIR and line not in UNFAIR:
            raise NotYet(f"There is no line {short(line)}.", "They are numbered 1 to 12.")
        if not isinstance(word, str) or word.strip().casefold() not in RULES:
            raise NotYet(f"Line {line}: {short(word)} is none of the six rules.", f"One of {words}.")
    given = {line: word.strip().casefold() for line, word in unfair.items()}
    right = [line for line, word in given.items() if line in UNFAIR and UNFAIR[line][0] == word]
    score = f"{len(right)} of {len(UNFAIR)} found."
    for line, word in sorted(given.items()):
        if line in FAIR:
            raise NotYet(f"{score} Line {line} breaks no rule.", FAIR[line])
        if UNFAIR[line][0] != word:
            raise NotYet(f'{score} Line {line} is unfair, but "{word}" is not its fault.', UNFAIR[line][1])
    missing = [line for line in UNFAIR if line not in given]
    if missing:
        word, hint = UNFAIR[missing[0]]
        raise NotYet(f'{score} Somewhere the rule "{word}" is broken.', hint)


def _against(accuracy, k, T, d=None, degrees=1, ddof=1, root=np.sqrt):
    n = accuracy.shape[1]
    d = accuracy - accuracy[k] if d is None else d(accuracy, k)
    return d.mean(axis=1), T[n - degrees] * d.std(axis=1, ddof=ddof) / root(n)


def _against_changed(**changes):
    return lambda accuracy, k, T: _against(accuracy, k, T, **changes)


def _of_methods(accuracy, k, T, n):
    return T[len(accuracy) - 1] * (accuracy - accuracy[k]).std(axis=1, ddof=1) / np.sqrt(n)


def _unpaired(accuracy, k, T):
    n = accuracy.shape[1]
    spread = accuracy.var(axis=1, ddof=1)
    return (accuracy - accuracy[k]).mean(axis=1), T[n - 1] * np.sqrt((spread + spread[k]) / n)


@exercise(
    "07.5",
    "All against one, in pairs",
    reference=_against_changed(),
    mistakes=[
        (
            "Turn it round: a method that is better than number k has a positive difference.",
            _against_changed(d=lambda a, k: a[k] - a),
        ),
        (
            "Subtract number k *seed by seed*, not its mean: what the seeds have in common must go.",
            _against_changed(d=lambda a, k: a - a[k].mean()),
        ),
        ("You add the spreads of both: take the differences first, then their spread.", _unpaired),
        (
            "The standard deviation of a sample divides by n − 1: `std(axis=1, ddof=1)`.",
            _against_changed(ddof=0),
        ),
        ("n runs leave n − 1 degrees of freedom: `T[n - 1]`.", _against_changed(degrees=0)),
        (
            "n counts the seeds, not the methods: `accuracy.shape[1]`.",
            lambda a, k, T: (_against(a, k, T)[0], _of_methods(a, k, T, a.shape[1])),
        ),
        (
            "n counts the seeds, not the methods: `accuracy.shape[1]`.",
            lambda a, k, T: (_against(a, k, T)[0], _of_methods(a, k, T, len(a))),
        ),
        (
            "Two slips: `T[n - 1]`, and `std(axis=1, ddof=1)`.",
            _against_changed(degrees=0, ddof=0),
        ),
        (
            "That is the spread of one difference; the mean of n has 1/√n of it.",
            _against_changed(root=lambda n: 1),
        ),
        ("Divide by √n, not by n.", _against_changed(root=lambda n: n)),
        (
            "That is the whole width; asked is the half, on either side of the mean.",
            lambda a, k, T: (_against(a, k, T)[0], 2 * _against(a, k, T)[1]),
        ),
        (
            "Multiply by Student's t for n runs, `T[n - 1]`.",
            lambda a, k, T: (_against(a, k, T)[0], _against(a, k, dict.fromkeys(T, 1.0))[1]),
        ),
        (
            "1.96 is for very many runs: here Student's t, `T[n - 1]`.",
            lambda a, k, T: (_against(a, k, T)[0], _against(a, k, dict.fromkeys(T, 1.96))[1]),
        ),
        (
            "Nothing was subtracted: `accuracy - accuracy[k]`.",
            _against_changed(d=lambda a, k: a),
        ),
        (
            "Return the mean and the half-width, not the two ends.",
            lambda a, k, T: (_against(a, k, T)[0] - _against(a, k, T)[1], sum(_against(a, k, T))),
        ),
        ("The half-widths are missing: return both.", lambda a, k, T: _against(a, k, T)[0]),
        ("First the means, then the half-widths.", lambda a, k, T: _against(a, k, T)[::-1]),
        (
            "The seeds lie along axis 1: one number for each method.",
            lambda a, k, T: (
                (a - a[k]).mean(axis=0),
                T[a.shape[1] - 1] * (a - a[k]).std(axis=0, ddof=1) / np.sqrt(a.shape[1]),
            ),
        ),
    ],
    hint="First the differences to row k, seed by seed; then their mean, and t·s/√n of them.",
    passed="Number k itself gets 0 ± 0: a good sign that the pairs are pairs.",
    lists=True,
)
def check_against():
    """Compare with mean and half-width of the differences to row k."""
    T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447}
    accuracy = np.array(
        [[98.0, 97.5, 98.25, 97.0, 98.5], [97.0, 96.75, 97.5, 96.5, 97.25], [98.5, 97.0, 98.0, 97.5, 99.0]]
    )
    yield accuracy, 0, T
    yield accuracy, 2, T
    yield accuracy[:2, :3], 1, T
    yield np.array([[1.0, 2.0, 4.0, 8.0], [3.0, 1.0, 2.0, 9.0]]), 1, T
