"""The exercise of notebook 00."""

import numpy as np

from course_lib.exercises import exercise


def _downhill(x, slope, lr):
    return x - lr * slope


@exercise(
    "00.1",
    "One step downhill",
    reference=_downhill,
    mistakes=[
        (
            "The slope points uphill, and the step should go down: mind the sign.",
            lambda x, slope, lr: x + lr * slope,
        ),
        ("The learning rate has no say yet: multiply the slope by it.", lambda x, slope, lr: x - slope),
        ("That is the step alone. Add it to where you are.", lambda x, slope, lr: -lr * slope),
        ("The learning rate multiplies the slope, not the place.", lambda x, slope, lr: x - lr * x),
        (
            "That divides by the learning rate: a larger one should give a longer step.",
            lambda x, slope, lr: x - slope / lr,
        ),
    ],
    passed="That line, with a better slope or a better length, is every method in this course.",
)
def check_downhill():
    """Compare with x - lr * slope, for numbers and for arrays."""
    yield 2.0, 4.0, 0.1
    yield -1.5, 0.3, 0.7
    yield np.array([1.0, -2.0, 0.5]), np.array([0.5, 3.0, -1.0]), 0.25
    yield np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.2, -0.4], [0.0, 1.0]]), 2.0
