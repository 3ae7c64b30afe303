"""Checks of notebook 04b: AMSGrad, clipping by global norm, choosing a learning rate, comparing in pairs."""

import numpy as np

from course_lib.exercises import exercise

__all__ = ["check_amsgrad_step", "check_choose_lr", "check_clip_together", "check_paired_difference"]


def _amsgrad(
    x,
    g,
    v,
    vmax,
    lr,
    beta2,
    eps,
    kept=None,
    sign=1.0,
    root=np.sqrt,
    inside=False,
    largest=np.maximum,
    square=np.square,
    safe=1,
):
    v = beta2 * v + (1 - beta2) * square(g)
    vmax = largest(vmax, v)
    divisor = np.sqrt(vmax + eps) if inside else root(vmax) + safe * eps
    x = x - sign * lr * g / divisor
    return (x, v, vmax) if kept is None else kept(x, v, vmax)


def _amsgrad_changed(**changes):
    return lambda x, g, v, vmax, lr, beta2, eps: _amsgrad(x, g, v, vmax, lr, beta2, eps, **changes)


def _amsgrad_old(x, g, v, vmax, lr, beta2, eps):
    _, v, larger = _amsgrad(x, g, v, vmax, lr, beta2, eps)
    return x - lr * g / (np.sqrt(vmax) + eps), v, larger


def _amsgrad_state(keep):
    def wrong(x, g, v, vmax, lr, beta2, eps):
        new, _, _ = _amsgrad(x, g, v, vmax, lr, beta2, eps)
        return keep(new, v, vmax)

    return wrong


def _amsgrad_two(x, g, v, vmax, lr, beta2, eps):
    new = beta2 * v + (1 - beta2) * g**2
    larger = np.maximum(v, new)
    return x - lr * g / (np.sqrt(larger) + eps), new, larger


def _amsgrad_gradient(x, g, v, vmax, lr, beta2, eps):
    v, larger = beta2 * v + (1 - beta2) * g**2, np.maximum(vmax, g**2)
    return x - lr * g / (np.sqrt(larger) + eps), v, larger


def _amsgrad_by_v(x, g, v, vmax, lr, beta2, eps):
    _, v, larger = _amsgrad(x, g, v, vmax, lr, beta2, eps)
    return x - lr * g / (np.sqrt(v) + eps), v, larger


STATE_LOST = (
    "Return the new averages too: `return x, v, vmax`. Without them every step forgets the ones before."
)


@exercise(
    "04b.1",
    "One step of AMSGrad",
    reference=_amsgrad_changed(),
    mistakes=[
        (STATE_LOST, _amsgrad_changed(kept=lambda x, v, vmax: x)),
        (STATE_LOST, _amsgrad_changed(kept=lambda x, v, vmax: (x, v))),
        (STATE_LOST, _amsgrad_state(lambda x, v, vmax: (x, v, vmax))),
        (
            "Keep v and vmax apart: v goes on leaking, only vmax is not allowed to fall.",
            _amsgrad_changed(kept=lambda x, v, vmax: (x, vmax, vmax)),
        ),
        (
            "The order is `return x, v, vmax`.",
            _amsgrad_changed(kept=lambda x, v, vmax: (x, vmax, v)),
        ),
        (
            "v is an average of g *squared*: `g**2`.",
            _amsgrad_changed(square=lambda g: g),
        ),
        ("vmax takes no part yet: that is RMSProp.", _amsgrad_changed(largest=lambda vmax, v: v)),
        ("You have vmax but divide by the root of v: that step is RMSProp's.", _amsgrad_by_v),
        (
            "β2 is the share that is *kept*: `beta2 * v + (1 - beta2) * g**2`.",
            lambda x, g, v, vmax, lr, beta2, eps: _amsgrad(x, g, v, vmax, lr, 1 - beta2, eps),
        ),
        ("Compare the new v with vmax, the largest of *all* so far, not with the old v alone.", _amsgrad_two),
        ("vmax is the largest *average*: compare it with the new v, not with g².", _amsgrad_gradient),
        (
            "The larger of the two, coordinate by coordinate: `np.maximum`.",
            _amsgrad_changed(largest=np.minimum),
        ),
        (
            "`np.max` makes one number for all: `np.maximum` goes coordinate by coordinate.",
            _amsgrad_changed(largest=lambda vmax, v: np.max([vmax, v])),
        ),
        (
            "`np.max` makes one number for all: `np.maximum` goes coordinate by coordinate.",
            _amsgrad_changed(largest=lambda vmax, v: np.full_like(v, max(vmax.max(), v.max()))),
        ),
        ("Divide by the new vmax: first the average, then the maximum, then the step.", _amsgrad_old),
        ("The root is missing.", _amsgrad_changed(root=lambda s: s)),
        ("ε is missing: it is added to the root of vmax.", _amsgrad_changed(safe=0)),
        ("Here ε stands outside the root: `np.sqrt(vmax) + eps`.", _amsgrad_changed(inside=True)),
        ("You go uphill: the step has a minus.", _amsgrad_changed(sign=-1.0)),
    ],
    hint="`v = beta2 * v + (1 - beta2) * g**2`, then `vmax = np.maximum(vmax, v)`, then the step.",
    passed="One word more than RMSProp: a rate that has fallen stays down.",
)
def check_amsgrad_step():
    """Compare with v ← β2 v + (1 - β2) g², vmax ← max(vmax, v), x ← x - lr g / (√vmax + ε)."""
    x, g = np.array([1.0, -2.0, 0.5, 3.0]), np.array([0.5, -4.0, 1.0, 2.0])
    v, vmax = np.array([4.0, 1.0, 0.25, 9.0]), np.array([6.0, 2.0, 0.75, 9.0])
    yield x, g, v, vmax, 0.5, 0.75, 0.125
    yield x[:2], g[2:], v[:2], vmax[:2], 0.1, 0.1, 0.5
    yield np.array([1.0]), np.array([3.0]), np.array([0.0]), np.array([0.0]), 0.25, 0.5, 0.25


def _norm(*parts):
    return np.sqrt(sum(np.sum(part**2) for part in parts))


def _scaled(gW, gb, factor):
    return gW * factor, gb * factor


@exercise(
    "04b.2",
    "Clip two arrays together",
    reference=lambda gW, gb, c: _scaled(gW, gb, min(1.0, c / _norm(gW, gb))),
    mistakes=[
        (
            "Each array has its own norm in yours, and so the direction changes: measure both together.",
            lambda gW, gb, c: (gW * min(1.0, c / _norm(gW)), gb * min(1.0, c / _norm(gb))),
        ),
        (
            "That limits each entry, and so the direction changes: multiply both arrays by *one* number.",
            lambda gW, gb, c: (np.clip(gW, -c, c), np.clip(gb, -c, c)),
        ),
        (
            "A gradient shorter than c must stay as it is: the factor is at most 1.",
            lambda gW, gb, c: _scaled(gW, gb, c / _norm(gW, gb)),
        ),
        (
            "The factor is at most 1: the smaller of 1 and c / norm, not the larger.",
            lambda gW, gb, c: _scaled(gW, gb, max(1.0, c / _norm(gW, gb))),
        ),
        (
            "Turn the fraction round: a norm *above* c needs a factor below 1, c / norm.",
            lambda gW, gb, c: _scaled(gW, gb, min(1.0, _norm(gW, gb) / c)),
        ),
        (
            "The longer of the two norms is not the norm of both together: add the squares first.",
            lambda gW, gb, c: _scaled(gW, gb, min(1.0, c / max(_norm(gW), _norm(gb)))),
        ),
        (
            "The norm is the *root* of the sum of squares.",
            lambda gW, gb, c: _scaled(gW, gb, min(1.0, c / _norm(gW, gb) ** 2)),
        ),
        (
            "Norms do not add: add the squares of all entries, then take one root.",
            lambda gW, gb, c: _scaled(gW, gb, min(1.0, c / (_norm(gW) + _norm(gb)))),
        ),
        (
            "The norm is that of *both* arrays: the squares of gb belong into the sum.",
            lambda gW, gb, c: _scaled(gW, gb, min(1.0, c / _norm(gW))),
        ),
        (
            "The norm is that of *both* arrays: the squares of gW belong into the sum.",
            lambda gW, gb, c: _scaled(gW, gb, min(1.0, c / _norm(gb))),
        ),
        (
            "That makes the norm 1, whatever c is: the factor is c / norm, and at most 1.",
            lambda gW, gb, c: _scaled(gW, gb, 1 / _norm(gW, gb)),
        ),
        (
            "That makes the norm 1, whatever c is: the factor is c / norm, and at most 1.",
            lambda gW, gb, c: _scaled(gW, gb, min(1.0, 1 / _norm(gW, gb))),
        ),
        (
            "Square the entries first, then sum: the other way round signs cancel.",
            lambda gW, gb, c: _scaled(gW, gb, min(1.0, c / np.hypot(np.sum(gW), np.sum(gb)))),
        ),
        (
            "Clip gb as well, by the same factor.",
            lambda gW, gb, c: (gW * min(1.0, c / _norm(gW, gb)), gb),
        ),
    ],
    hint="`norm = np.sqrt(np.sum(gW**2) + np.sum(gb**2))`, then multiply both by `min(1, c / norm)`.",
    passed="Shorter, and in the same direction: the whole gradient has one norm.",
)
def check_clip_together():
    """Compare with both arrays times min(1, c / norm), the norm being that of all entries."""
    gW, gb = np.array([[3.0, -1.0], [0.5, 2.0], [-4.0, 1.0]]), np.array([1.5, -6.0])
    for c in (5.0, 2.0, 0.5, 20.0):
        yield gW, gb, c
    yield np.array([[3.0]]), np.array([4.0]), 1.0
    yield np.array([[4.0, -3.0]]), np.array([2.0]), 3.0
    yield np.array([[0.3]]), np.array([0.4]), 1.0


def _choose(lrs, losses, centre=np.mean):
    means = centre(losses, axis=1)
    best = int(np.argmin(np.where(np.isnan(means), np.inf, means)))
    return lrs[best], 0 < best < len(lrs) - 1


def _choose_nan(lrs, losses):
    best = int(np.argmin(losses.mean(axis=1)))
    return lrs[best], 0 < best < len(lrs) - 1


def _choose_among_kept(lrs, losses):
    kept = ~np.isnan(losses).any(axis=1)
    return _choose(lrs[kept], losses[kept])


def _choose_end(low, high):
    def wrong(lrs, losses):
        lr, _ = _choose(lrs, losses)
        best = int(np.flatnonzero(lrs == lr)[0])
        return lr, (best > 0 or not low) and (best < len(lrs) - 1 or not high)

    return wrong


def _choose_by_vote(lrs, losses):
    best = int(np.bincount(np.nanargmin(losses, axis=0)).argmax())
    return lrs[best], 0 < best < len(lrs) - 1


def _choose_by_columns(lrs, losses):
    best = int(np.nanargmin(losses.mean(axis=0)))
    return lrs[best], 0 < best < len(lrs) - 1


def _choose_loss(lrs, losses):
    return np.nanmin(losses.mean(axis=1)), _choose(lrs, losses)[1]


def _choose_index(lrs, losses):
    lr, inside = _choose(lrs, losses)
    return int(np.flatnonzero(lrs == lr)[0]), inside


@exercise(
    "04b.3",
    "Choose a learning rate",
    reference=_choose,
    mistakes=[
        (
            "An lr with a diverged run (NaN) is out: neither leave the NaN away nor put 0 for it.",
            lambda lrs, losses: _choose(lrs, losses, np.nanmean),
        ),
        (
            "`np.argmin` takes a NaN for the smallest: replace NaN by infinity first.",
            _choose_nan,
        ),
        (
            "That is the luckiest single run: compare the *means* over the seeds.",
            lambda lrs, losses: _choose(lrs, losses, np.min),
        ),
        (
            "That is the luckiest single run: compare the *means* over the seeds.",
            lambda lrs, losses: _choose(lrs, losses, np.nanmin),
        ),
        (
            "That is the median: a single bad run hides in it. Compare the *means* over the seeds.",
            lambda lrs, losses: _choose(lrs, losses, np.median),
        ),
        (
            "Any finite number in the place of NaN may still be the smallest: put infinity there.",
            lambda lrs, losses: _choose(lrs, np.nan_to_num(losses, nan=10.0)),
        ),
        (
            "That judges each lr by its unluckiest run alone: compare the *means* over the seeds.",
            lambda lrs, losses: _choose(lrs, losses, np.max),
        ),
        (
            "The ends are those of the whole grid: an lr that is out still counts as a neighbour.",
            _choose_among_kept,
        ),
        (
            "That lets the seeds vote, one each: here *one* lr is chosen, by its mean loss over all seeds.",
            _choose_by_vote,
        ),
        ("A row is one lr, a column one seed: the mean over the seeds is `axis=1`.", _choose_by_columns),
        ("Return the learning rate, not its index.", _choose_index),
        ("Return the learning rate, not its loss.", _choose_loss),
        (
            "First the learning rate, then whether it is inside.",
            lambda lrs, losses: _choose(lrs, losses)[::-1],
        ),
        (
            "True stands for *inside*, False for an end.",
            lambda lrs, losses: (_choose(lrs, losses)[0], not _choose(lrs, losses)[1]),
        ),
        (
            "Return the learning rate *and* whether it lies inside.",
            lambda lrs, losses: _choose(lrs, losses)[0],
        ),
        ("The first of the grid is an end as well.", _choose_end(False, True)),
        ("The last of the grid is an end as well.", _choose_end(True, False)),
        ("An lr at an end of the grid is not inside.", _choose_end(False, False)),
    ],
    hint="`means = losses.mean(axis=1)`, NaN to infinity, `k = means.argmin()`; inside: 0 < k < n - 1.",
    passed="And if it is not inside, the grid was too short: no result yet.",
)
def check_choose_lr():
    """Compare with the lr of the smallest mean without NaN, and whether it is neither first nor last."""
    nan = np.nan
    lrs = np.array([0.01, 0.03, 0.1, 0.3, 1.0])
    losses = np.array([[0.9, 1.1, 1.0], [0.7, 0.6, 0.5], [0.2, 0.9, 0.9], [0.1, nan, 0.2], [nan, nan, 0.05]])
    yield lrs, losses
    yield lrs[1:], losses[1:]
    yield lrs[:2], losses[:2]
    yield lrs[:3], np.array([[0.5, 0.4], [0.6, 0.6], [0.9, 0.3]])
    yield lrs[1:4], np.array([[0.5, 0.5], [0.3, 0.2], [nan, 0.1]])
    yield lrs, np.array([[9, 9, 9], [1, 0.9, 0.8], [0.1, 0.2, 5], [30, nan, 40], [50, 50, 50]])
    yield lrs[:4], np.array([[50.0, 60], [30, 30], [12, nan], [40, 45]])
    yield lrs, np.array([[1.0, 1.0], [0.1, 0.9], [0.6, 0.6], [0.7, 0.8], [2.0, 2.0]])
    rows = [[2, 4, 4, 9, 9], [4, 1, 9, 7, 6], [5, 3, 7, 5, 8], [8, 7, 3, 9, 3], [9, 4, 5, 4, 6]]
    yield lrs, np.array(rows) / 10  # mean, median, maximum and the seeds' vote choose four different rows


def _paired(a, b, t, ddof=1, root=np.sqrt, sign=1):
    d = sign * (a - b)
    return d.mean(), t * d.std(ddof=ddof) / root(len(d))


def _unpaired(a, b, t):
    return a.mean() - b.mean(), t * np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))


@exercise(
    "04b.4",
    "A difference with its interval",
    reference=lambda a, b, t: _paired(a, b, t),
    mistakes=[
        (
            "The runs are pairs: first subtract, seed by seed, then take the spread of the *differences*.",
            _unpaired,
        ),
        ("With n differences divide by n - 1: `std(ddof=1)`.", lambda a, b, t: _paired(a, b, t, ddof=0)),
        (
            "That is the spread of single differences; the mean of n varies √n times less.",
            lambda a, b, t: _paired(a, b, t, root=lambda n: 1.0),
        ),
        (
            "n - 1 belongs under the sum of squares only (`ddof=1`); the mean is one of n: divide by √n.",
            lambda a, b, t: (_paired(a, b, t)[0], t * (a - b).std(ddof=1) / np.sqrt(len(a) - 1)),
        ),
        ("Divide by the *root* of n.", lambda a, b, t: _paired(a, b, t, root=lambda n: n)),
        (
            "That is the variance: s is its root, `std(ddof=1)`.",
            lambda a, b, t: (_paired(a, b, t)[0], t * (a - b).var(ddof=1) / np.sqrt(len(a))),
        ),
        (
            "That is the variance: s is its root, `std(ddof=1)`.",
            lambda a, b, t: (_paired(a, b, t)[0], t * (a - b).var(ddof=1) / len(a)),
        ),
        (
            "Half of it: from the mean to one end, not from end to end.",
            lambda a, b, t: (_paired(a, b, t)[0], 2 * _paired(a, b, t)[1]),
        ),
        (
            "1.96 is for very many runs: use the t that is given.",
            lambda a, b, t: _paired(a, b, 1.96),
        ),
        (
            "s is the spread of the *differences* `a - b`: first subtract, seed by seed.",
            lambda a, b, t: (_paired(a, b, t)[0], t * (a.std(ddof=1) + b.std(ddof=1)) / np.sqrt(len(a))),
        ),
        (
            "s is missing: t times `d.std(ddof=1)`, divided by √n.",
            lambda a, b, t: (_paired(a, b, t)[0], t / np.sqrt(len(a))),
        ),
        ("The half-width is t standard errors, not one.", lambda a, b, t: _paired(a, b, 1.0)),
        (
            "Keep the signs: where a is the smaller the difference is negative, no `abs`.",
            lambda a, b, t: _paired(abs(a - b), 0 * b, t),
        ),
        ("Subtract b from a.", lambda a, b, t: _paired(a, b, t, sign=-1)),
        (
            "Return the mean and the half-width, not the two ends.",
            lambda a, b, t: (_paired(a, b, t)[0] - _paired(a, b, t)[1], sum(_paired(a, b, t))),
        ),
        ("Return the half-width too.", lambda a, b, t: _paired(a, b, t)[0]),
    ],
    hint="`d = a - b`, then `d.mean(), t * d.std(ddof=1) / np.sqrt(len(d))`.",
    passed="What both runs of a seed share has gone, and the interval with it.",
)
def check_paired_difference():
    """Compare with the mean of a - b, and t times its standard error."""
    rng = np.random.default_rng(4)
    for n, t in ((5, 2.776), (8, 2.365), (20, 2.093)):
        hard = rng.uniform(0, 2, n)  # what the two runs of a seed share
        yield hard + 0.1 * rng.standard_normal(n), hard + 0.1 * rng.standard_normal(n) - 0.05, t
