"""The bank of notebook 00: right answers pass, typical wrong ones are refused with their hint."""

import numpy as np

from course_lib.exercises import nb00
from tests.exercise_bank import bank


def in_one_line(x, slope, lr):
    return x - lr * slope


def with_arrays(x, slope, lr):
    return np.subtract(x, np.multiply(slope, lr))


def in_two_steps(x, slope, lr):
    step = -lr * slope
    return x + step


def changes_its_input(x, slope, lr):
    x -= lr * slope
    return x


def forgets_to_return(x, slope, lr):
    x = x - lr * slope
    print(x)


TestBank = bank(
    nb00,
    right={nb00.check_downhill: [in_one_line, with_arrays, in_two_steps]},
    wrong={
        nb00.check_downhill: [
            (lambda x, slope, lr: x + lr * slope, "sign"),
            (lambda x, slope, lr: x - slope, "multiply the slope"),
            (lambda x, slope, lr: -lr * slope, "Add it to where you are"),
            (lambda x, slope, lr: x - lr * x, "not the place"),
            (lambda x, slope, lr: x - slope / lr, "longer step"),
            (changes_its_input, "Make a new array"),
            (forgets_to_return, "return"),
        ]
    },
)
