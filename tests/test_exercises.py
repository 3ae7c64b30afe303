"""Checks accept what is right, recognise what is wrong, and explain everything else; progress survives."""

import dataclasses
import functools
import importlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import exercises
from course_lib.exercises import (
    Feedback,
    NotYet,
    Progress,
    _compare,
    _progress,
    call,
    exercise,
    progress,
    record,
)
from course_lib.exercises._call import Blank

few = settings(derandomize=True, deadline=None, max_examples=60)


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "progress.json"
    monkeypatch.setenv("COURSE_PROGRESS", str(path))
    return path


@pytest.fixture(autouse=True)
def _own_register(monkeypatch, file):
    progress()  # loads the course's own exercises, so that they do not land in this register
    monkeypatch.setattr(exercises, "_REGISTERED", {})


def scaled(a, x):
    return a * x


CASES = ((2.0, 3.0), (0.5, np.array([1.0, -4.0])))


def make(reference=scaled, cases=CASES, number="90.1", **more):
    @exercise(number, "Scale", reference=reference, **more)
    def check():
        """Compare with a x."""
        yield from cases

    return check


@pytest.fixture
def check():
    return make(
        mistakes=[
            ("That adds.", lambda a, x: a + x),
            ("The factor is squared.", lambda a, x: a * a * x),
        ],
        hint="Multiply.",
        passed="Well scaled.",
    )


# ---- functions


def test_a_right_function_passes(check):
    feedback = check(lambda factor, y: y * factor)
    assert feedback == Feedback("passed", "90.1 Scale", "Well scaled.", "", "90.1")
    assert feedback.ok
    assert repr(feedback) == "✓ 90.1 Scale: passed\n  Well scaled."


def test_the_check_keeps_its_name_and_words(check):
    assert (check.__name__, check.__doc__) == ("check", "Compare with a x.")
    assert check.exercise.number == "90.1"
    assert [hint for hint, _ in check.exercise.mistakes] == ["That adds.", "The factor is squared."]


def test_each_mistake_gets_its_hint(check):
    for hint, wrong in check.exercise.mistakes:
        assert check(wrong).hint == hint
        assert check(wrong).status == "not yet"
        assert not check(wrong).ok


def test_expected_and_got_are_shown(check):
    feedback = check(lambda a, x: a + x)
    assert feedback.message == "With a = 2, x = 3: expected 6, got 5."
    assert (
        repr(feedback) == "→ 90.1 Scale: not yet\n  With a = 2, x = 3: expected 6, got 5.\n  Hint: That adds."
    )


def test_the_first_wrong_case_is_shown(check):
    feedback = check(lambda a, x: a * x if np.ndim(x) == 0 else a * x + 1)
    assert feedback.message == (
        "With a = 0.5, x = [1, -4]: 2 of 2 entries differ; at [0] expected 0.5, got 1.5."
    )
    assert feedback.hint == "Multiply."


def test_a_mistake_must_explain_every_case(check):
    assert check(lambda a, x: a + x if np.ndim(x) == 0 else a * x).hint == "Multiply."


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda a, x: -a * x, "Everything has the opposite sign."),
        (lambda a, x: 2 * a * x, "Everything is twice what it should be."),
        (lambda a, x: a * x / 2, "Everything is half of what it should be."),
        (lambda a, x: 3 * a * x, "Multiply."),
    ],
)
def test_common_factors_are_recognised(check, wrong, hint):
    assert check(wrong).hint == hint


def test_a_transposed_result_is_recognised():
    check = make(cases=[(2.0, np.arange(6.0).reshape(2, 3))])
    feedback = check(lambda a, x: (a * x).T)
    assert feedback.hint == "The result is transposed: exchange its axes."
    assert feedback.message.endswith("expected an array of shape (2, 3), got an array of shape (3, 2).")


def test_the_author_s_mistakes_come_before_the_general_ones():
    check = make(mistakes=[("You go up.", lambda a, x: -a * x)])
    assert check(lambda a, x: -(a * x)).hint == "You go up."


def test_a_mistake_that_fails_on_the_case_is_passed_over():
    check = make(mistakes=[("No.", lambda a, x: 1 / 0), ("Nor this.", lambda a, x: ...), ("Plus.", np.add)])
    assert check(lambda a, x: a + x).hint == "Plus."


def test_texts_and_tuples_are_not_negated():
    check = make(lambda x: (x, "up"), cases=[(1.0,)])
    assert check(lambda x: (-x, "up")).message == "With x = 1: result 1 of 2: expected 1, got -1."


def test_cases_may_be_bare_values():
    check = make(np.negative, cases=[1.0, np.array([2.0, 3.0])])
    assert check(lambda x: -x).ok


def test_an_error_after_a_wrong_case_does_not_hide_it(check):
    feedback = check(lambda a, x: a + x if np.ndim(x) == 0 else undefined)  # noqa: F821
    assert feedback.message == "With a = 2, x = 3: expected 6, got 5."
    assert feedback.hint == "That adds."


def test_tolerance():
    check = make(rtol=1e-3, atol=0.0)
    assert check(lambda a, x: a * x * 1.0009).ok
    assert not check(lambda a, x: a * x * 1.0011).ok
    check = make(rtol=0.0, atol=0.01, number="90.2")
    assert check(lambda a, x: a * x + 0.009).ok
    assert not check(lambda a, x: a * x + 0.011).ok


def test_the_end_of_the_tolerance_belongs_to_it():
    assert _compare.equal(0.0, 0.5, 0.0, 0.5)
    assert _compare.equal(2.0, 3.0, 0.5, 0.0)
    assert not _compare.equal(2.0, 3.0, 0.49, 0.0)


def test_default_tolerance_is_one_millionth(check):
    assert (check.exercise.rtol, check.exercise.atol) == (1e-6, 1e-10)
    assert check(lambda a, x: a * x * (1 + 9e-7)).ok
    assert not check(lambda a, x: a * x * (1 + 2e-6)).ok
    zero = make(number="90.3", cases=[(0.0, 1.0)])
    assert zero(lambda a, x: 5e-11).ok
    assert not zero(lambda a, x: 2e-10).ok


# ---- blanks


def stub(a, x): ...


def stub_with_words(a, x):
    """Return a x."""


def stub_returning_dots(a, x):
    """Return a x."""
    return ...


def stub_passing(a, x):
    pass


def stub_with_keywords(a, x, *, b=1):
    return None


def half_a_stub(a, x):
    product = ...
    return product


def computes_with_dots(a, x):
    return a * ...


def calls_dots(a, x):
    product = ...
    return product(a)


def not_implemented(a, x):
    raise NotImplementedError


BLANK = [
    None, ..., stub, stub_with_words, stub_returning_dots, stub_passing, stub_with_keywords, half_a_stub,
    computes_with_dots, calls_dots, not_implemented, lambda a, x: ..., lambda a, x: None,
]  # fmt: skip


@pytest.mark.parametrize("blank", BLANK)
def test_a_blank_is_not_attempted(check, blank, file):
    feedback = check(blank)
    assert feedback.status == "not attempted"
    assert repr(feedback) == (
        "○ 90.1 Scale: not attempted yet\n  Replace the `...` with your answer, run its cell, then this one."
    )
    assert not file.exists()


def test_a_function_that_returns_a_constant_is_no_blank(check):
    assert check(lambda a, x: 6.0).status == "not yet"


# ---- what goes wrong in the learner's code


def divides(a, x):
    y = a * x
    return y / 0 + undefined_name  # noqa: F821


def forgets_return(a, x):
    a * x


def prints(a, x):
    print("the product is", a * x)


def changes(a, x):
    x *= a
    return x


def empties(a, x):
    return a


class Picky:
    def __init__(self, a, x):
        raise KeyError("no such\n`thing`")


def test_an_exception_is_explained_with_its_line(check):
    line = divides.__code__.co_firstlineno + 2
    feedback = check(divides)
    assert feedback.status == "not yet"
    assert feedback.message == (
        "With a = 2, x = 3: your code stopped with `ZeroDivisionError: float division by zero` "
        f"in line {line}: `return y / 0 + undefined_name  # noqa: F821`."
    )
    assert feedback.hint == "Multiply."


def test_an_exception_below_the_learner_s_code_names_the_learner_s_line(check):
    def deep(a, x):
        return np.linalg.inv(np.zeros((2, 2)))

    line = deep.__code__.co_firstlineno + 1
    assert f"LinAlgError: Singular matrix` in line {line}: `return np.linalg" in check(deep).message


def test_an_exception_in_a_class_is_explained(check):
    message = check(Picky).message
    assert "`KeyError: 'no such\\n'thing''` in line" in message
    assert "raise KeyError" in message


def test_an_exception_without_words_or_source(check):
    namespace = {}
    exec("def quiet(a, x):\n    raise ValueError\n", namespace)
    assert (
        check(namespace["quiet"]).message
        == "With a = 2, x = 3: your code stopped with `ValueError` in line 2."
    )
    assert check(functools.partial(namespace["quiet"])).message.endswith(
        "your code stopped with `ValueError`."
    )


def test_a_long_exception_is_cut(check):
    def talks(a, x):
        raise ValueError("word " * 100)

    message = check(talks).message
    quoted = message.split("`")[1]
    assert len(quoted) == 200
    assert quoted.endswith("…")


def test_a_missing_return_is_named(check):
    feedback = check(forgets_return)
    assert feedback.message == "With a = 2, x = 3: your function returns nothing (None)."
    assert feedback.hint == "Does it end with `return ...`?"


def test_printing_instead_of_returning_is_named(check, capsys):
    feedback = check(prints)
    assert (
        feedback.message
        == "With a = 2, x = 3: your function prints 'the product is 6.0' and returns nothing."
    )
    assert feedback.hint == "`return` it instead."
    assert capsys.readouterr().out == ""


def test_what_a_returning_function_prints_is_seen(check, capsys):
    def talks(a, x):
        print("x:", x)
        return a * x

    assert check(talks).ok
    assert capsys.readouterr().out == "x: 3.0\nx: [ 1. -4.]\n"


def test_changing_an_argument_is_named(check):
    feedback = check(changes)
    assert feedback.message == (
        "With a = 0.5, x = [1, -4]: your function changes its argument `x`; "
        "whoever called it would be surprised."
    )
    assert feedback.hint == "Make a new array: `x = ...`, not `x += ...`, `x -= ...`, `x[0] = ...`."


def adds_in_place(a, x):
    if np.ndim(x) == 0:
        return a * x
    x += a
    return x


def test_a_listed_mistake_written_in_place_gets_its_own_hint():
    array = np.array([1.0, -4.0])
    mistakes = [("That adds.", lambda a, x: a + x), ("No sign.", lambda a, x: a * np.abs(x))]
    feedback = make(cases=[(0.5, array)], mistakes=mistakes)(adds_in_place)
    assert "changes its argument `x`" in feedback.message
    assert feedback.hint == "That adds."
    both = make(cases=[(2.0, 3.0), (0.5, array)], mistakes=mistakes, number="90.2")
    assert both(adds_in_place).hint.startswith("Make a new array")  # a mistake must explain every case
    plus = make(cases=[(0.5, abs(array))], mistakes=mistakes, number="90.3")
    assert plus(changes).hint.startswith("Make a new array")  # right: the change alone is wrong


def test_an_argument_put_back_is_no_change():
    def steps(x):
        total = 0.0
        for i in range(len(x)):
            x[i] += 0.1
            total += x.sum()
            x[i] -= 0.2
            total += x.sum()
            x[i] += 0.1
        return total

    for x in (np.array([0.1, 0.7, 1e3]), np.array([0.1, 0.7j, 1e3])):
        kept = x.copy()
        assert call(steps, x) == pytest.approx(6 * x.sum())
        np.testing.assert_array_equal(x, kept)


def grows(x):
    x.append(1)
    return 1


def replaces(x):
    x[0] = 5
    return 1


def deletes(x):
    del x["a"]
    return 1


def reshapes(x):
    x.shape = (1, 2)
    return 1


def swaps(x):
    x["a"][0] = 9
    return 1


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (grows, [1]),
        (replaces, [1, 2]),
        (replaces, [np.zeros(2), 1]),
        (replaces, {0: 1}),
        (replaces, np.array([1, 2])),
        (replaces, np.array([False, True])),
        (replaces, np.array([np.nan, 1])),
        (deletes, {"a": 1}),
        (swaps, {"a": np.zeros(2)}),
        (reshapes, np.zeros(2)),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_every_kind_of_change_is_seen(function, argument):
    before = repr(argument)
    with pytest.raises(NotYet, match="changes its argument `x`"):
        call(function, argument)
    assert repr(argument) == before


@pytest.mark.parametrize(
    "argument",
    [
        [1, [2.0]],
        {"a": np.array([np.nan, np.inf])},
        np.array([1 + 2j]),
        np.array(["a"]),
        "text",
        scaled,
        None,
        3,
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_is_left_alone_is_no_change(argument):
    assert call(lambda x: 1, argument) == 1


def test_a_random_generator_starts_anew_in_each_call():
    rng = np.random.default_rng(3)
    draw = call(lambda rng: rng.normal(), rng)
    assert draw == call(lambda rng: rng.normal(), rng) == rng.normal()


@pytest.mark.parametrize(
    ("function", "takes", "given"),
    [
        (lambda a: a, "(a)", "2 arguments"),
        (lambda a, x, c: a, "(a, x, c)", "2 arguments"),
        (lambda: 1, "()", "2"),
    ],
)
def test_another_number_of_arguments_is_named(check, function, takes, given):
    feedback = check(function)
    assert feedback.message.startswith(f"Your function takes `{takes}`; it is called with {given}")
    assert feedback.hint == "Keep the arguments of the stub."


def test_one_argument_is_singular():
    with pytest.raises(NotYet, match=r"takes `\(\)`; it is called with 1 argument\."):
        call(lambda: 1, 2)


@pytest.mark.parametrize(
    ("thing", "text"),
    [(6.0, "6"), ("scaled", "'scaled'"), ([1], "[1]"), (np.array([6.0, 1.0]), "[6, 1]")],
)
def test_something_else_than_a_function_is_named(check, thing, text):
    feedback = check(thing)
    assert feedback.message == f"Expected a function, got {text}."
    assert feedback.hint == "Give the function itself, without brackets behind it."


def test_built_in_functions_can_be_called(check):
    assert check(np.multiply).ok
    assert call(max, 2, 3) == 3
    assert call(dict, {"a": 1}) == {"a": 1}


def test_arguments_without_names_are_numbered():
    with pytest.raises(NotYet, match=r"changes its argument `(number 1|self)`"):
        call(dict.pop, {"a": 1}, "a")


def test_not_yet_prints_its_message():
    assert str(NotYet("Not so.", "Try.")) == "Not so."


def test_warnings_of_the_learner_s_arithmetic_stay_quiet(check):
    assert "got inf" in check(lambda a, x: np.float64(1) / 0 * a * x).message


def test_an_interrupt_is_not_swallowed(check):
    def interrupted(a, x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(interrupted)


def test_an_error_in_the_reference_is_the_author_s():
    check = make(lambda a, x: a / 0)
    with pytest.raises(ZeroDivisionError):
        check(scaled)


def test_the_reference_may_divide_by_zero_quietly_and_gets_fresh_copies():
    def spoils(a, x):
        x /= 0
        return x

    check = make(spoils, cases=[(1.0, np.array([1.0, 2.0]))])
    assert check(lambda a, x: np.full(2, np.inf)).ok


# ---- values


def value_check(expected, number="91.1", **more):
    @exercise(number, "A value", kind="value", **more)
    def check():
        """Compare."""
        return expected

    return check


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (0.5, 0.5),
        (0.5, np.float32(0.5)),
        (2, 2.0),
        (2.0, np.array(2)),
        (np.array([1.0, 2.0]), np.array([1, 2])),
        ("B", " b "),
        (True, np.True_),
        ((1.0, "up"), [1, "UP"]),
        (1j, 1j),
        (np.array([True, False]), np.array([True, False])),
        (np.array([np.nan, np.inf]), np.array([np.nan, np.inf])),
    ],
)
def test_a_right_value_passes(expected, answer):
    assert value_check(expected)(answer).ok


@pytest.mark.parametrize(
    ("expected", "answer", "message"),
    [
        (0.5, 0.25, "Expected 0.5, got 0.25."),
        (1.0, 1.00002, "Expected 1, got 1.00002."),
        (0.0, -1e-9, "Expected 0, got -1e-09."),
        (1.0, -0.0, "Expected 1, got 0."),
        (3, 4, "Expected 3, got 4."),
        (123456, 123457, "Expected 123456, got 123457."),
        (0.5, True, "Expected a number, got True."),
        (0.5, "0.5", "Expected a number, got the text '0.5'."),
        (0.5, [0.5], "Expected a number, got a list of 1; make it an array with `np.array(...)`."),
        (
            np.ones(3),
            (np.ones(2), np.ones(1)),
            "Expected an array of shape (3,), got a tuple of 2; join the parts with `np.concatenate([...])`.",
        ),
        (
            np.ones((2, 3)),
            [np.ones(3), np.ones(3)],
            "Expected an array of shape (2, 3), got a list of 2; make it an array with `np.array(...)`.",
        ),
        (
            np.ones((4, 2)),
            [np.ones((2, 2)), np.ones((2, 2))],
            "Expected an array of shape (4, 2), got a list of 2; join the parts with `np.concatenate",
        ),
        (0.5, np.array([0.5]), "Expected a number, got an array of shape (1,)."),
        (0.5, scaled, "Expected a number, got a function (scaled)."),
        (0.5, {}, "Expected a number, got an object of type dict."),
        (
            0.5,
            0.5j,
            "Expected a number, got complex numbers; take the part that you need (`.real` or `.imag`).",
        ),
        (np.ones(2), 1.0, "Expected an array of shape (2,), got a single number."),
        (np.ones(2), (1.0, 1.0), "Expected an array of shape (2,), got a tuple of 2; make it an array with"),
        (
            np.ones(2),
            np.array([None, 1]),
            "Expected an array of shape (2,), got an array of shape (2,) of no numbers.",
        ),
        (
            np.ones(2),
            np.array([True, False]),
            "Expected an array of shape (2,), got an array of shape (2,) of True and False.",
        ),
        (np.ones((2, 2)), np.array([[1, 1], [3, 1]]), "1 entry differs; at [1, 0] expected 1, got 3."),
        (np.ones(3), np.array([2, 1, 4]), "2 of 3 entries differ; at [2] expected 1, got 4."),
        (
            np.ones(3),
            np.array([9, np.nan, 1]),
            "2 of 3 entries differ; at [1] expected 1, got nan. `nan` comes from",
        ),
        (np.ones(1), np.array([np.inf]), "1 entry differs; at [0] expected 1, got inf. `inf` comes from"),
        (np.inf, -np.inf, "Expected inf, got -inf."),
        (np.nan, 1.0, "Expected nan, got 1."),
        (np.array([1, 2]), np.array([1, 3]), "1 entry differs; at [1] expected 2, got 3."),
        (np.uint8(3), np.uint8(200), "Expected 3, got 200."),
        (
            np.array([True, False]),
            np.array([True, True]),
            "1 entry differs; at [1] expected False, got True.",
        ),
        (1j, 2j, "Expected 0+1j, got 0+2j."),
        (True, 1, "Expected True or False, got a single number."),
        (True, False, "Expected True, got False."),
        (False, np.True_, "Expected False, got True."),
        ("B", "C", "Expected another answer than 'C'."),
        ("B", 2, "Expected another answer than 2."),
        ((1, 2), 1, "Expected 2 results (`return a, b`), got a single number."),
        ((1, 2), (1, 2, 3), "Expected 2 results, got 3."),
        ((1, 2), (1, 3), "Result 2 of 2: expected 2, got 3."),
    ],
)
def test_a_wrong_value_is_explained(expected, answer, message):
    feedback = value_check(expected)(answer)
    assert feedback.status == "not yet"
    assert feedback.message.startswith(message)


def test_nan_and_inf_are_explained():
    assert _compare.difference(1.0, np.nan, 0, 0) == (
        "expected 1, got nan. `nan` comes from 0/0, inf - inf, or the root or logarithm of a negative number."
    )
    assert _compare.difference(1.0, -np.inf, 0, 0) == (
        "expected 1, got -inf. `inf` comes from a division by 0, or from a number too large to hold."
    )


def test_wrong_values_get_their_hint():
    check = value_check(0.5, mistakes=[("Twice as far.", 0.25), ("Half.", 1.0)], hint="Try.", rtol=0.1)
    assert check(0.26).hint == "Twice as far."
    assert check(1.05).hint == "Half."
    assert check(3).hint == "Try."
    assert check(0.54).ok
    assert check(...).status == "not attempted"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60) | st.complex_numbers(),
        lambda inner: (
            st.lists(inner, max_size=8) | st.tuples(inner) | st.dictionaries(st.text(max_size=2), inner)
        ),
        max_leaves=9,
    ),
    st.sampled_from([1.0, np.ones(2), np.ones((2, 2)), "B", True, (1.0, "B"), np.array([True]), 2j]),
)
@few
def test_any_answer_gets_a_sentence_or_passes(answer, expected):
    text = _compare.difference(expected, answer, 1e-6, 1e-10)
    assert text is None or (text.endswith((".", ")`.")) and len(text) < 200)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
@few
def test_expected_and_got_never_look_alike(a, b):
    text = _compare.difference(a, b, 0.0, 0.0)
    assert (text is None) == (a == b)
    if text:
        want, have = text.removeprefix("expected ").removesuffix(".").split(", got ")
        assert want != have


@pytest.mark.parametrize(
    ("pair", "texts"),
    [
        ((1.0, 2.0), ["1", "2"]),
        ((1.0, 1.0004), ["1", "1.0004"]),
        ((1.0, 1.001), ["1", "1.001"]),
        ((1.0, 1.00001), ["1", "1.00001"]),
        ((1.0, 1.000004), ["1", "1.000004"]),
        ((1.0, 1.00000001), ["1", "1.00000001"]),
        ((1.0, 1.000000004), ["1", "1.000000004"]),
        ((1.0, 1.00000000001), ["1", "1.00000000001"]),
        ((0.1 + 0.2, 0.3), ["0.30000000000000004", "0.29999999999999999"]),
    ],
)
def test_numbers_are_shown_with_the_digits_that_tell_them_apart(pair, texts):
    assert _compare._numbers(*pair) == texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.sin, "sin"),
        (np.array([1j]), "[0+1j]"),
        ([1j, 2], "[0+1j, 2+0j]"),
        (np.ones(7, complex), "an array of shape (7,)"),
        (lambda x: x, "a function"),
        (2.0, "2"),
        (np.float64(1 / 3), "0.3333"),
        (np.array(2.5), "2.5"),
        (True, "True"),
        (np.False_, "False"),
        (np.arange(6.0), "[0, 1, 2, 3, 4, 5]"),
        (np.arange(7.0), "an array of shape (7,)"),
        (np.eye(2), "[[1, 0], [0, 1]]"),
        (np.array([True, False]), "[True, False]"),
        (np.array(["a", "b"]), "an array of shape (2,) of no numbers"),
        ([1, 2.5], "[1, 2.5]"),
        ((1, 2), "[1, 2]"),
        ([1, "a"], "a list of 2"),
        ([[1], [2, 3]], "a list of 2"),
        (list(range(7)), "a list of 7"),
        ("word", "'word'"),
        ("x" * 40, repr("x" * 40)),
        ("x" * 41, repr("x" * 39 + "…")),
        (np.random.default_rng(0), "an object of type Generator"),
        (functools.partial(scaled, 1), "a function"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_short_texts_for_arguments(value, text):
    assert _compare.short(value) == text


def test_landscapes_go_by_their_name():
    from course_lib.landscapes import valley

    assert _compare.short(valley()) == valley().name


# ---- anything else


def test_custom_checks_judge_for_themselves():
    @exercise("92.1", "Descend", kind="custom", hint="Go down.", passed="Down it goes.")
    def check(step):
        """Require a descent."""
        if call(step, 3.0) >= 3:
            raise NotYet("It rises.", "Sign?")
        if call(step, 3.0) < 0:
            raise NotYet("Too far.")

    assert check(lambda x: x / 2).message == "Down it goes."
    assert (check(lambda x: x + 1).message, check(lambda x: x + 1).hint) == ("It rises.", "Sign?")
    assert check(lambda x: -x).hint == "Go down."
    assert check(lambda x: ...).status == "not attempted"
    assert check(None).status == "not attempted"


def test_custom_checks_explain_exceptions_outside_of_call():
    @exercise("92.1", "A class", kind="custom")
    def check(rule):
        """Make one."""
        rule(1).step()

    class Rule:
        def __init__(self, lr):
            self.lr = lr

        def step(self):
            return self.rate

    message = check(Rule).message
    assert message.startswith(
        "Your code stopped with `AttributeError: 'Rule' object has no attribute 'rate'` in line"
    )
    assert message.endswith(": `return self.rate`.")
    assert "Your code stopped with `TypeError" in check(lambda: 1).message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"number": "1.1"},
            "number = '1.1': must be notebook.exercise such as '01.2'. "
            "Number the exercises of a notebook from 1.",
        ),
        ({"number": "01.x"}, "number = '01.x'"),
        ({"number": 1.1}, "number = 1.1"),
        ({"number": "01.1 "}, "number = '01.1 '"),
        ({"kind": "text"}, "kind = 'text'"),
        (
            {"reference": None},
            "reference = None: must be a function for kind='function', else None. Give the right function.",
        ),
        ({"kind": "value"}, "reference = "),
        ({"kind": "custom"}, "reference = "),
    ],
)
def test_a_malformed_exercise_is_refused(arguments, message):
    arguments = {"number": "01.1", "title": "T", "reference": scaled} | arguments
    with pytest.raises(ValueError, match=f"^{message}"):
        exercise(**arguments)


def test_a_number_is_given_once():
    make(number="01b.12")

    def other():
        yield 1.0

    with pytest.raises(
        ValueError, match=r"^number = '01b.12': must be a free number. Another check has it already.$"
    ):
        exercise("01b.12", "Other", reference=scaled)(other)
    first = make(number="01b.12").exercise
    assert first != dataclasses.replace(first)
    make(number="01b.12")  # a module that is loaded again registers the same checks


# ---- feedback


PANEL = (
    '<div role="status" style="border-left: 5px solid {edge}; background: {tint}; color: inherit; '
    'border-radius: 4px; padding: 8px 14px; margin: 4px 0; max-width: 860px; line-height: 1.55">'
    '<strong><span aria-hidden="true">{sign}</span> 01.1 a &lt; b: {words}</strong>'
    "<div>got <code>&lt;b&gt;</code></div>"
    "<div><strong>Hint:</strong> use <code>&amp;</code></div>"
    "<div><small>kept?</small></div></div>"
)


@pytest.mark.parametrize(
    ("status", "sign", "words", "edge", "tint"),
    [
        ("passed", "✓", "passed", "#2e7d32", "rgba(46, 125, 50, 0.10)"),
        ("not yet", "→", "not yet", "#b26a00", "rgba(178, 106, 0, 0.10)"),
        ("not attempted", "○", "not attempted yet", "#607d8b", "rgba(96, 125, 139, 0.10)"),
    ],
)
def test_the_panel_escapes_names_and_never_relies_on_colour(status, sign, words, edge, tint):
    feedback = Feedback(status, "01.1 a < b", "got `<b>`", "use `&`", note="kept?")
    assert feedback._repr_html_() == PANEL.format(sign=sign, words=words, edge=edge, tint=tint)
    assert repr(feedback).startswith(f"{sign} 01.1 a < b: {words}")


def test_feedback_exercises_and_progress_cannot_be_changed(check):
    for thing, name in (
        (Feedback("passed", "t"), "status"),
        (check.exercise, "rtol"),
        (Progress({}, frozenset()), "done"),
    ):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, None)


def test_the_panel_leaves_out_what_is_empty():
    html = Feedback("passed", "01.1 T")._repr_html_()
    assert "Hint" not in html
    assert html.count("<div") == 1
    assert "<small" not in html
    assert repr(Feedback("passed", "01.1 T")) == "✓ 01.1 T: passed"


def test_a_note_is_printed():
    assert repr(Feedback("passed", "01.1 T", note="Not kept.")) == "✓ 01.1 T: passed\n  Note: Not kept."


# ---- progress


def test_a_pass_is_recorded_and_a_solution_is_not(check, file):
    feedback = check(scaled, solution=True)
    assert repr(feedback) == "✓ 90.1 Scale: the solution passes\n  Well scaled."
    assert "the solution passes</strong>" in feedback._repr_html_()
    assert feedback.ok
    assert not file.exists()
    check(lambda a, x: a + x)
    assert not file.exists()
    check(scaled)
    check(scaled)
    assert json.loads(file.read_text(encoding="utf-8")) == {"passed": ["90.1"]}
    assert [path.name for path in file.parent.iterdir()] == ["progress.json"]


def test_progress_lists_the_exercises_by_notebook(check, monkeypatch):
    monkeypatch.setattr(exercises.pkgutil, "iter_modules", lambda path: [])
    make(number="90.10")
    make(number="89b.1")
    make(number="90.2")
    check(scaled)
    assert repr(progress()) == (
        "Notebook 89b: 0 of 1 passed\n  ○ 89b.1 Scale\n"
        "Notebook 90: 1 of 3 passed\n  ✓ 90.1 Scale\n  ○ 90.2 Scale\n  ○ 90.10 Scale"
    )
    html = progress()._repr_html_()
    assert html.startswith('<table><caption style="text-align: left">Your progress</caption><tbody><tr>')
    assert html.count("<tr>") == 6
    assert html.count("✓ passed") == 1
    assert html.count("○ open") == 3
    assert html.index("89b.1") < html.index("90.1<") < html.index("90.2<") < html.index("90.10<")
    assert 'scope="rowgroup">Notebook 90</th>' in html
    assert ">1 of 3 passed</th>" in html


def test_progress_knows_the_course_s_own_exercises_without_their_modules_being_loaded():
    code = (
        "import sys; from course_lib.exercises import progress\n"
        "assert not any('.nb' in module for module in sys.modules)\n"
        "print(repr(progress()))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    ).stdout.decode()
    for book in ("00", "01", "02"):
        assert f"Notebook {book}: 0 of " in out
        assert f"  ○ {book}.1 " in out


def test_titles_are_escaped_in_the_table():
    table = Progress({"01.1": "a < b"}, frozenset(), "note & more")
    assert "a &lt; b" in table._repr_html_()
    assert table._repr_html_().startswith("<p>note &amp; more</p>")
    assert repr(table) == "note & more\nNotebook 01: 0 of 1 passed\n  ○ 01.1 a < b"


def test_the_file_is_named_by_the_environment_or_lies_in_the_user_s_folder(monkeypatch, file):
    assert _progress.progress_file() == file
    monkeypatch.delenv("COURSE_PROGRESS")
    monkeypatch.setattr(_progress.platformdirs, "user_data_dir", lambda *a: "data of " + repr(a))
    assert _progress.progress_file().as_posix() == "data of ('course_lib', False)/progress.json"
    monkeypatch.setenv("COURSE_PROGRESS", "")
    assert _progress.progress_file().name == "progress.json"


def test_in_a_browser_the_file_lies_beside_the_notebooks(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_PROGRESS")
    monkeypatch.setattr(_progress.sys, "platform", "emscripten")
    monkeypatch.setattr(_progress, "DRIVE", tmp_path)
    assert _progress.progress_file() == tmp_path / "progress.json"
    monkeypatch.setattr(_progress, "DRIVE", tmp_path / "private window")
    monkeypatch.setattr(_progress.platformdirs, "user_data_dir", lambda *a: "memory")
    assert _progress.progress_file().parts[0] == "memory"


def test_records_add_up(file):
    assert record("01.2") == ""
    assert record("01.1") == ""
    assert record("01.2") == ""
    assert _progress.passed() == ({"01.1", "01.2"}, "")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b"{}", b'{"passed": 3}', b'{"passed": [1]}', b'{"passed": null}', b"null",
     b"1", b'{"passed": "01.1"}', b"[" * 100_000],
    ids=lambda content: repr(content[:12]),
)  # fmt: skip
def test_a_damaged_file_is_set_aside(file, content, check):
    file.parent.mkdir()
    file.write_bytes(content)
    feedback = check(scaled)
    assert feedback.ok
    assert feedback.note == (
        "The file with your progress was damaged; it is kept as progress.json.damaged, and you start afresh."
    )
    assert file.with_name("progress.json.damaged").read_bytes() == content
    assert _progress.passed() == ({"90.1"}, "")


def test_a_damaged_file_is_reported_by_the_table(file, monkeypatch):
    monkeypatch.setattr(exercises.pkgutil, "iter_modules", lambda path: [])
    file.parent.mkdir()
    file.write_bytes(b"?")
    assert repr(progress()).startswith("The file with your progress was damaged")
    assert repr(progress()) == ""


@given(st.binary(max_size=40))
@few
def test_no_content_of_the_file_is_fatal(content):
    path = _progress.progress_file()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    assert isinstance(_progress.passed()[0], set)
    assert record("01.1") == ""  # the damage was seen to by the reading
    assert "01.1" in _progress.passed()[0]


def test_a_folder_that_cannot_be_written_is_tolerated(file, check, monkeypatch):
    file.parent.write_text("a file where the folder should be")
    feedback = check(scaled)
    assert feedback.ok
    assert feedback.note.startswith("Your progress could not be kept (")
    assert feedback.note.endswith(").")
    monkeypatch.setattr(exercises.pkgutil, "iter_modules", lambda path: [])
    assert progress().note.startswith("Your progress could not be read (")
    assert progress().done == frozenset()


def test_a_folder_in_the_file_s_place_is_tolerated(file, check):
    file.mkdir(parents=True)
    assert check(scaled).note.startswith("Your progress could not be kept (")


def test_a_full_disk_leaves_the_old_file_and_no_litter(file, monkeypatch):
    record("01.1")

    def full(*arguments, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_progress.json, "dump", full)
    assert record("01.2") == "Your progress could not be kept (No space left on device)."
    assert [path.name for path in file.parent.iterdir()] == ["progress.json"]
    assert _progress.passed() == ({"01.1"}, "")


def test_the_file_is_replaced_in_one_go(file, monkeypatch):
    record("01.1")
    seen = []
    replace = os.replace

    def watch(source, target):
        seen.append((json.loads(Path(source).read_text(encoding="utf-8")), target, Path(source).parent))
        replace(source, target)

    monkeypatch.setattr(_progress.os, "replace", watch)
    record("01.2")
    assert seen == [({"passed": ["01.1", "01.2"]}, file, file.parent)]


def test_two_kernels_at_once_lose_nothing(file):
    code = (
        "import sys; from course_lib.exercises import record\n"
        "for i in range(25):\n    assert record(f'{sys.argv[1]}.{i}') == ''"
    )
    kernels = [subprocess.Popen([sys.executable, "-c", code, book]) for book in ("01", "02")]
    assert [kernel.wait(60) for kernel in kernels] == [0, 0]
    assert _progress.passed() == ({f"{book}.{i}" for book in ("01", "02") for i in range(25)}, "")
    assert [path.name for path in file.parent.iterdir()] == ["progress.json"]


def test_writing_waits_for_another_kernel(file):
    record("01.1")
    lock = file.with_name("progress.json.lock")
    lock.touch()
    other = threading.Timer(0.15, lock.unlink)
    other.start()
    began = time.monotonic()
    assert record("01.2") == ""
    assert time.monotonic() - began > 0.1
    other.join()
    assert _progress.passed()[0] == {"01.1", "01.2"}


def test_a_kernel_that_writes_for_ever_is_not_waited_for(file, monkeypatch):
    monkeypatch.setattr(_progress, "PATIENCE", 0.05)
    record("01.1")
    lock = file.with_name("progress.json.lock")
    lock.touch()
    assert record("01.2") == "Your progress could not be kept (another notebook is writing it)."
    assert lock.exists()
    assert _progress.passed()[0] == {"01.1"}


@pytest.mark.parametrize(("age", "freed"), [(11, True), (9, False)])
def test_a_lock_left_behind_is_removed(file, age, freed, monkeypatch):
    monkeypatch.setattr(_progress, "PATIENCE", 0.05)
    record("01.1")
    lock = file.with_name("progress.json.lock")
    lock.touch()
    os.utime(lock, (time.time() - age,) * 2)
    assert (record("01.2") == "") is freed
    assert lock.exists() is not freed


def test_patience_is_short():
    assert (_progress.PATIENCE, _progress.STALE) == (2.0, 10.0)


@pytest.mark.parametrize("name", ["", "._call", "._compare", "._feedback", "._progress"])
def test_every_public_name_is_there(name):
    module = importlib.import_module(f"course_lib.exercises{name}")
    assert all(hasattr(module, public) for public in module.__all__)


def test_blank_is_not_a_wrong_answer():
    with pytest.raises(Blank):
        call(stub, 1, 2)
