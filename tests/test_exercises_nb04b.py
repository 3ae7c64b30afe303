"""The checks of notebook 04b: right variants pass, usual mistakes get the hint they deserve."""

import numpy as np

from course_lib.exercises import nb04b
from course_lib.optimizers import AMSGrad, AMSGradState, Clipped, GradientDescent
from tests.exercise_bank import bank

# --- right answers, written in other ways


def amsgrad_by_the_course(x, g, v, vmax, lr, beta2, eps):
    rule = AMSGrad(lr, 0.0, beta2, eps, bias_correction=False)
    x, state = rule.step(x, g, AMSGradState(0, np.zeros_like(x), v, 1.0, 1.0, vmax))
    return x, state.v, state.vmax


def amsgrad_with_where(x, g, v, vmax, lr, beta2, eps):
    v = v + (1 - beta2) * (g * g - v)
    vmax = np.where(v > vmax, v, vmax)
    return x - g * (lr / (eps + vmax**0.5)), v, vmax


def clip_by_the_course(gW, gb, c):
    g = np.concatenate([gW.ravel(), gb])
    x, _ = Clipped(GradientDescent(1.0), c).step(0 * g, g, Clipped(GradientDescent(1.0), c).init(g))
    return -x[: gW.size].reshape(gW.shape), -x[gW.size :]


def clip_with_if(gW, gb, c):
    norm = np.hypot(np.linalg.norm(gW), np.linalg.norm(gb))
    if norm > c:
        return gW / norm * c, gb / norm * c
    return gW, gb


def choose_with_a_loop(lrs, losses):
    best, found = np.inf, 0
    for k, row in enumerate(losses):
        if np.mean(row) < best:  # False for NaN
            best, found = np.mean(row), k
    return float(lrs[found]), found not in (0, len(lrs) - 1)


def choose_with_nanargmin(lrs, losses):
    k = np.nanargmin(losses.mean(axis=1))
    return lrs[k], bool(0 < k < len(lrs) - 1)


def paired_by_hand(a, b, t):
    d = [p - q for p, q in zip(a, b, strict=True)]
    n, mean = len(d), sum(d) / len(d)
    variance = sum((x - mean) ** 2 for x in d) / (n - 1)
    return mean, t * (variance / n) ** 0.5


RIGHT = {
    nb04b.check_amsgrad_step: [amsgrad_by_the_course, amsgrad_with_where],
    nb04b.check_clip_together: [clip_by_the_course, clip_with_if],
    nb04b.check_choose_lr: [choose_with_a_loop, choose_with_nanargmin],
    nb04b.check_paired_difference: [paired_by_hand],
}


# --- wrong answers that are in no list


def amsgrad_smaller_rate(x, g, v, vmax, lr, beta2, eps):
    x, v, vmax = amsgrad_with_where(x, g, v, vmax, lr, beta2, eps)
    return x, v, 0.9 * vmax


def amsgrad_over_root_of_v(x, g, v, vmax, lr, beta2, eps):
    _, v, vmax = amsgrad_with_where(x, g, v, vmax, lr, beta2, eps)
    return x - lr * g / (v**0.5 + eps), v, vmax


def clip_with_the_fraction_turned(gW, gb, c):
    factor = min(1.0, np.sqrt((gW**2).sum() + (gb**2).sum()) / c)
    return factor * gW, factor * gb


def choose_by_the_unluckiest_run(lrs, losses):
    return choose_with_a_loop(lrs, losses.max(axis=1)[:, None])


def choose_among_the_rows_kept(lrs, losses):
    rows = [k for k, row in enumerate(losses) if np.isfinite(row).all()]
    return choose_with_a_loop(lrs[rows], losses[rows])


def choose_by_vote(lrs, losses):
    winners = [int(np.nanargmin(column)) for column in losses.T]
    k = max(sorted(set(winners)), key=winners.count)
    return lrs[k], 0 < k < len(lrs) - 1


def clip_by_the_norm_of(which):
    def wrong(gW, gb, c):
        factor = min(1.0, c / np.linalg.norm({"gW": gW, "gb": gb}[which]))
        return gW * factor, gb * factor

    return wrong


WRONG = {
    nb04b.check_amsgrad_step: [
        (amsgrad_smaller_rate, ""),
        (amsgrad_over_root_of_v, "root of v"),
        (lambda x, g, v, vmax, lr, b, eps: amsgrad_with_where(x, g, v, vmax, lr, 1 - b, eps), "*kept*"),
    ],
    nb04b.check_clip_together: [
        (lambda gW, gb, c: (gW, gb), ""),
        (clip_with_the_fraction_turned, "Turn the fraction"),
        (clip_by_the_norm_of("gW"), "squares of gb"),
        (clip_by_the_norm_of("gb"), "squares of gW"),
    ],
    nb04b.check_choose_lr: [
        (lambda lrs, losses: (lrs[1], True), ""),
        (lambda lrs, losses: (lrs[len(lrs) // 2], True), ""),
        (lambda lrs, losses: choose_with_a_loop(lrs, np.median(losses, axis=1)[:, None]), ""),
        (lambda lrs, losses: choose_with_a_loop(lrs, np.nan_to_num(losses, nan=10)), ""),
        (lambda lrs, losses: choose_with_a_loop(lrs, np.nan_to_num(losses, nan=20)), ""),
        (lambda lrs, losses: choose_with_a_loop(lrs, np.nan_to_num(losses)), "nor put 0"),
        (choose_by_the_unluckiest_run, "unluckiest"),
        (choose_among_the_rows_kept, "whole grid"),
        (choose_by_vote, "vote"),
    ],
    nb04b.check_paired_difference: [
        (lambda a, b, t: paired_by_hand(abs(a - b), 0 * b, t), ""),
        (lambda a, b, t: (abs((a - b).mean()), paired_by_hand(a, b, t)[1]), ""),
        (lambda a, b, t: ((a - b).mean(), 0.0), ""),
    ],
}

TestBank = bank(nb04b, right=RIGHT, wrong=WRONG)


def test_the_cases_hold_what_the_notebook_speaks_of():
    """A short gradient, an lr at each end of the grid, differences of both signs."""
    cases = list(nb04b.check_clip_together.exercise.body())
    assert any(np.sum(gW**2) + np.sum(gb**2) < c**2 for gW, gb, c in cases)
    chosen = [
        nb04b.check_choose_lr.exercise.reference(*case) for case in nb04b.check_choose_lr.exercise.body()
    ]
    assert {bool(inside) for _, inside in chosen} == {True, False}
    for a, b, _ in nb04b.check_paired_difference.exercise.body():
        assert (a > b).any()
        assert (a < b).any()
