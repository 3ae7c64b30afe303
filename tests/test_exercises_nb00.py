"""The bank of notebook 00: right answers pass, typical wrong ones are refused with their hint."""

import numpy as np
import pytest

from course_lib.exercises import nb00


def in_one_line(x, slope, lr):
    return x - lr * slope


def with_arrays(x, slope, lr):
    return np.subtract(x, np.multiply(slope, lr))


def in_two_steps(x, slope, lr):
    step = -lr * slope
    return x + step


@pytest.mark.parametrize("answer", [in_one_line, with_arrays, in_two_steps])
def test_right_answers_pass(answer):
    assert nb00.check_downhill(answer).status == "passed"


def changes_its_input(x, slope, lr):
    x -= lr * slope
    return x


def forgets_to_return(x, slope, lr):
    x = x - lr * slope
    print(x)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, slope, lr: x + lr * slope, "sign"),
        (lambda x, slope, lr: x - slope, "multiply the slope"),
        (lambda x, slope, lr: -lr * slope, "Add it to where you are"),
        (lambda x, slope, lr: x - lr * x, "not the place"),
        (lambda x, slope, lr: x - slope / lr, "longer step"),
        (changes_its_input, "changes its argument `x`"),
        (forgets_to_return, "return"),
    ],
)
def test_wrong_answers_meet_their_hint(answer, words):
    feedback = nb00.check_downhill(answer)
    assert feedback.status == "not yet"
    assert words in feedback.message + feedback.hint


def test_a_blank_is_no_mistake():
    assert nb00.check_downhill(...).status == "not attempted"
