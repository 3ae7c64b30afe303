"""Walks of an update rule along given gradients, for the tests that compare rules with closed forms."""

import numpy as np

GRADIENTS = np.random.default_rng(0).standard_normal((40, 3)) * [1, 1e-4, 1e4]


def run(rule, gradients, x):
    """Return all points, and the last state, of a walk along given gradients."""
    state, points = rule.init(x), [x]
    for g in gradients:
        x, state = rule.step(x, g, state)
        points.append(x)
    return np.array(points), state


def one(rule, g):
    """Return how far one coordinate goes against the gradient `g` in the first step from 0."""
    x = np.zeros(1)
    return -rule.step(x, np.array([float(g)]), rule.init(x))[0].item()
