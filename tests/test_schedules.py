import json
import math
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import schedules
from course_lib.optimizers import GradientDescent
from course_lib.schedules import (
    constant,
    cosine,
    exp_range,
    exponential,
    hyperparameter,
    inverse_sqrt,
    inverse_time,
    one_cycle,
    per_epoch,
    polynomial,
    sgdr,
    step_decay,
    triangular,
    triangular2,
    warmup,
    warmup_stable_decay,
)

quick = settings(derandomize=True, deadline=None, max_examples=40)

CURVES = [
    # schedule, {t: the value by hand}
    (constant(0.3), {0: 0.3, 1: 0.3, 1000: 0.3}),
    (inverse_time(0.4, 0.05), {0: 0.4, 1: 0.4 / 1.05, 20: 0.2, 60: 0.1}),
    (inverse_sqrt(0.4, 0.05), {0: 0.4, 1: 0.4 / math.sqrt(1.05), 60: 0.2, 300: 0.1}),
    (exponential(0.4, 0.005), {0: 0.4, 1: 0.4 * 0.9950124791926823, 200: 0.4 / math.e}),
    (step_decay(0.4, 0.5, 100), {0: 0.4, 99: 0.4, 100: 0.2, 199: 0.2, 200: 0.1, 350: 0.05}),
    (step_decay(0.4, 0.1, 1), {0: 0.4, 1: 0.04, 2: 0.004}),
    (polynomial(0.4, 100), {0: 0.4, 25: 0.3, 75: 0.1, 100: 0, 101: 0}),
    (polynomial(0.5, 10, 2, 0.1), {0: 0.5, 5: 0.2, 9: 0.104, 10: 0.1, 11: 0.1, 1000: 0.1}),
    (cosine(0.4, 90, 0.2), {0: 0.4, 30: 0.35, 45: 0.3, 60: 0.25, 90: 0.2, 91: 0.2, 180: 0.2}),
    (cosine(0.4, 3), {0: 0.4, 1: 0.3, 2: 0.1}),
    (warmup(0.4, 4), {0: 0, 1: 0.1, 3: 0.3, 4: 0.4, 5: 0.4, 400: 0.4}),
    (warmup(0.4, 4, 0.5), {0: 0.2, 1: 0.25, 2: 0.3, 3: 0.35, 4: 0.4}),
    (warmup(step_decay(0.4, 0.5, 3), 2), {0: 0, 1: 0.2, 2: 0.4, 4: 0.4, 5: 0.2, 7: 0.2, 8: 0.1}),
    (warmup(lambda t: 1 if t < 3 else 0.5, 2, 1), {0: 1, 1: 1, 4: 1, 5: 0.5}),
    (warmup(warmup(0.4, 2, 0.5), 2), {0: 0, 1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4, 5: 0.4}),
    (
        warmup_stable_decay(0.4, 4, 10, 5, 0.1),
        {0: 0, 1: 0.1, 3: 0.3, 4: 0.4, 13: 0.4, 14: 0.4, 15: 0.34, 18: 0.16, 19: 0.1, 20: 0.1},
    ),
    (warmup_stable_decay(0.4, 0, 0, 2), {0: 0.4, 1: 0.2, 2: 0, 3: 0}),
    (warmup_stable_decay(0.4, 1, 0, 1), {0: 0, 1: 0.4, 2: 0}),
    (per_epoch(exponential(0.4, math.log(2)), 5), {0: 0.4, 4: 0.4, 5: 0.2, 9: 0.2, 10: 0.1}),
    (per_epoch(0.3, 5), {0: 0.3, 5: 0.3}),
    (
        one_cycle(1, 10, 0.4, 4, 10, "linear"),
        {0: 0.25, 1: 0.5, 3: 1, 6: 0.5125, 9: 0.025, 10: 0.025, 500: 0.025},
    ),
    (one_cycle(1, 13, 5 / 13, 4, 10), {0: 0.25, 2: 0.625, 4: 1, 8: 0.5125, 12: 0.025, 13: 0.025}),
    (one_cycle(1, 101, 0.5), {0: 0.04, 100: 4e-6}),
    (one_cycle(1, 110), {0: 0.04, 16: 0.52, 32: 1, 109: 4e-6}),
    (triangular(0.1, 0.5, 4), {0: 0.1, 1: 0.2, 4: 0.5, 5: 0.4, 7: 0.2, 8: 0.1, 9: 0.2, 12: 0.5, 80: 0.1}),
    (triangular2(0.1, 0.5, 2), {0: 0.1, 1: 0.3, 2: 0.5, 4: 0.1, 6: 0.3, 7: 0.2, 8: 0.1, 10: 0.2}),
    (exp_range(0.1, 0.5, 2, 0.5), {0: 0.1, 1: 0.2, 2: 0.2, 3: 0.125, 4: 0.1, 6: 0.10625}),
    (sgdr(0.4, 4), {0: 0.4, 2: 0.2, 4: 0.4, 6: 0.2, 40: 0.4}),
    (
        sgdr(0.5, 3, 2, 0.1),
        {0: 0.5, 1: 0.4, 2: 0.2, 3: 0.5, 5: 0.4, 6: 0.3, 7: 0.2, 9: 0.5, 15: 0.3, 21: 0.5},
    ),
    (sgdr(0.4, 2, 3), {1: 0.2, 2: 0.4, 4: 0.3, 5: 0.2, 6: 0.1, 8: 0.4, 17: 0.2, 26: 0.4, 80: 0.4}),
    (sgdr(0.4, 1), {0: 0.4, 1: 0.4, 2: 0.4}),
]
FAMILIES = {
    "constant": lambda lr: constant(lr),
    "inverse_time": lambda lr: inverse_time(lr, 0.05),
    "inverse_sqrt": lambda lr: inverse_sqrt(lr, 0.05),
    "exponential": lambda lr: exponential(lr, 0.05),
    "step_decay": lambda lr: step_decay(lr, 0.5, 3),
    "polynomial": lambda lr: polynomial(lr, 9, 1.5, lr / 10),
    "cosine": lambda lr: cosine(lr, 9, lr / 10),
    "warmup": lambda lr: warmup(cosine(lr, 5), 4, 0.1),
    "warmup of a number": lambda lr: warmup(lr, 4, 0.1),
    "warmup_stable_decay": lambda lr: warmup_stable_decay(lr, 3, 3, 3, lr / 10),
    "one_cycle": lambda lr: one_cycle(lr, 10, 0.45),
    "one_cycle, linear": lambda lr: one_cycle(lr, 10, 0.45, shape="linear"),
    "triangular": lambda lr: triangular(lr / 10, lr, 3),
    "triangular2": lambda lr: triangular2(0, lr, 3),
    "exp_range": lambda lr: exp_range(lr / 10, lr, 3, 0.9),
    "sgdr": lambda lr: sgdr(lr, 5),
    "sgdr with longer cycles": lambda lr: sgdr(lr, 3, 2, lr / 10),
    "per_epoch": lambda lr: per_epoch(inverse_time(lr, 0.05), 3),
}


@pytest.mark.parametrize(("schedule", "values"), CURVES)
def test_values_by_hand(schedule, values):
    for t, value in values.items():
        assert float(schedule(t)) == pytest.approx(value, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("name", FAMILIES)
def test_one_call_with_all_steps_equals_calls_one_by_one(name):
    schedule = FAMILIES[name](0.3)
    together = schedule(np.arange(12))
    assert together.shape == (12,)
    singles = np.array([schedule(t) for t in range(12)])
    np.testing.assert_allclose(together, singles, rtol=2e-15, atol=1e-17)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_batch_of_rates_equals_single_ones_bit_for_bit(name):
    rates = np.array([[0.1], [0.25], [1 / 3]])
    batch = FAMILIES[name](rates)
    for t in (0, 1, 2, 3, 17):
        assert batch(t).shape == (3, 1)
        singles = [FAMILIES[name](float(lr))(t) for lr in rates[:, 0]]
        np.testing.assert_array_equal(batch(t)[:, 0], singles)


def test_an_array_of_decays():
    decay = np.array([[0.0], [0.5]])
    np.testing.assert_array_equal(inverse_time(0.4, decay)(2), [[0.4], [0.2]])
    np.testing.assert_array_equal(inverse_sqrt(0.4, decay)(6), [[0.4], [0.2]])
    np.testing.assert_allclose(exponential(0.4, decay)(2), [[0.4], [0.4 / math.e]], rtol=1e-15)


def test_python_numbers_stay_python_floats():
    for schedule in (constant(1), inverse_time(1, 0), step_decay(1, 1, 5)):
        assert type(schedule(3)) is float


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (constant(0.1), "constant(lr=0.1)"),
        (inverse_time(0.4, 0.05), "inverse_time(lr0=0.4, decay=0.05)"),
        (inverse_sqrt(0.4, 0.05), "inverse_sqrt(lr0=0.4, decay=0.05)"),
        (exponential(0.4, 0.005), "exponential(lr0=0.4, decay=0.005)"),
        (step_decay(0.4, 0.5, 100), "step_decay(lr0=0.4, drop=0.5, every=100)"),
        (polynomial(0.4, 100, 2), "polynomial(lr0=0.4, steps=100, power=2.0, lr_end=0.0)"),
        (warmup(0.4, 5), "warmup(schedule=0.4, steps=5, start=0.0)"),
        (per_epoch(constant(1), 5), "per_epoch(schedule=constant(lr=1.0), steps_per_epoch=5)"),
        (exp_range(0, 1, 5, 0.9), "exp_range(lr_min=0.0, lr_max=1.0, half_cycle=5, gamma=0.9)"),
        (sgdr(0.4, 5), "sgdr(lr_max=0.4, period=5, multiplier=1, lr_min=0.0)"),
    ],
)
def test_repr(schedule, text):
    assert repr(schedule) == text


def test_safe_from_the_caller():
    rates = np.array([[0.1], [0.2]])
    schedule = constant(rates)
    rates[:] = 7
    assert schedule(0).tolist() == [[0.1], [0.2]]
    with pytest.raises(ValueError, match="read-only"):
        schedule.lr[:] = 7


@pytest.mark.parametrize("name", FAMILIES)
def test_frozen_and_equal_to_itself_only(name):
    schedule = FAMILIES[name](0.3)
    with pytest.raises(AttributeError):
        schedule.lr0 = 7
    assert schedule == schedule
    assert schedule != FAMILIES[name](0.3)


def test_robbins_monro():
    """Sums to 2T against sums to T: a divergent series goes on growing, a convergent one has stopped."""
    steps = np.arange(200_000)

    def grows(values):
        half = values[: len(values) // 2].sum()
        return values.sum() / half > 1.01

    expected = {
        constant(0.5): (True, True),
        inverse_time(0.5, 1): (True, False),
        inverse_sqrt(0.5, 1): (True, True),
        exponential(0.5, 0.01): (False, False),
        step_decay(0.5, 0.5, 100): (False, False),
        polynomial(0.5, 1000): (False, False),
        cosine(0.5, 1000): (False, False),
        warmup_stable_decay(0.5, 10, 500, 100): (False, False),
        one_cycle(0.5, 1000, final_div=1e12): (False, False),
        triangular(0, 0.5, 100): (True, True),
        triangular2(0, 0.5, 100): (False, False),
        exp_range(0, 0.5, 100, 0.999): (False, False),
        sgdr(0.5, 100, 2): (True, True),
    }
    for schedule, (rates, squares) in expected.items():
        eta = schedule(steps)
        assert (grows(eta), grows(eta * eta)) == (rates, squares), schedule


def test_hyperparameter_returns_floats_and_float64_arrays():
    for one in (1, 1.0, np.float32(1), np.int64(1), np.array(1.0)):
        value = hyperparameter("lr", one, 0, 2, "")
        assert type(value) is float
        assert value == 1
    for many in ([[1], [2]], np.array([[1], [2]], np.float32)):
        value = hyperparameter("lr", many, 0, 2, "")
        assert value.dtype == np.float64
        assert value.tolist() == [[1.0], [2.0]]
    function = constant(1)
    assert hyperparameter("lr", function, 0, 2, "") is function


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: np.array([[v]]), lambda v: lambda t: v])
def test_ends_of_the_range(wrap):
    for low_open, high_open in [(False, False), (True, False), (False, True), (True, True)]:
        for value, inside in [
            (1, not low_open),
            (2, not high_open),
            (0.999, False),
            (2.001, False),
            (1.5, True),
        ]:
            if inside:
                hyperparameter("q", wrap(value), 1, 2, "", open_low=low_open, open_high=high_open)
            else:
                brackets = f"{'(' if low_open else '['}1, 2{')' if high_open else ']'}"
                with pytest.raises(ValueError, match=r"q(\(0\))? = .*: must be .*") as error:
                    hyperparameter("q", wrap(value), 1, 2, "", open_low=low_open, open_high=high_open)
                assert brackets in str(error.value)


BAD = [-0.1, math.nan, math.inf, -math.inf, True, False, np.True_, "0.1", None, 1j, 10**400, [], [[]], {}]
BAD += [[True], [["a"]], [[0.1, 0.2]], [0.1, 0.2], [[0.1], [-0.2]], [[math.nan]], [[math.inf]], [[1], [2, 3]]]
BAD += [
    np.empty((0, 1)),
    np.array([0.1, 0.2]),
    np.array([[1j]]),
    np.array([["a"]]),
    np.array(True),
    np.array("a"),
    object(),
]
BAD += [
    lambda t: constant(0.1),
    lambda t: -1,
    lambda t: "a",
    lambda t: np.array([1.0, 2.0]),
    lambda: 1,
    lambda t: 1 / t,
]


@pytest.mark.parametrize("value", BAD)
def test_bad_hyperparameters(value):
    with pytest.raises(ValueError, match=r"^lr.* = .*: must be .*(Try 0\.1\.|Reshape it to \(-1, 1\))"):
        hyperparameter("lr", value, 0, math.inf, "Try 0.1.", open_high=True)


def test_the_remedy_for_per_coordinate_rates():
    with pytest.raises(ValueError, match=r"lr = .*last axis 1.*Reshape it to \(-1, 1\)"):
        hyperparameter("lr", np.array([0.1, 0.2]), 0, 1, "Try 0.1.")


def test_a_callable_that_fails_is_explained():
    with pytest.raises(ValueError, match=r"at t = 0 it raised ZeroDivisionError"):
        hyperparameter("lr", lambda t: 1 / t, 0, 1, "Try 0.1.")


@pytest.mark.parametrize(
    "make",
    [
        constant,
        lambda lr: inverse_time(lr, 0.05),
        lambda lr: inverse_sqrt(lr, 0.05),
        lambda lr: exponential(lr, 0.05),
        lambda lr: step_decay(lr, 0.5, 3),
        lambda lr: polynomial(lr, 9),
        lambda lr: cosine(lr, 9),
        lambda lr: warmup_stable_decay(lr, 3, 3, 3),
    ],
)
@pytest.mark.parametrize("value", [*BAD, constant(0.1)])
def test_schedules_refuse_bad_rates(make, value):
    with pytest.raises(ValueError, match=r"^lr0? = .*: must be .*(number|0)"):
        make(value)


@pytest.mark.parametrize("family", [inverse_time, inverse_sqrt, exponential])
@pytest.mark.parametrize("value", [*BAD, constant(0.1)])
def test_schedules_refuse_bad_decays(family, value):
    with pytest.raises(ValueError, match=r"^decay = .*: must be .*(number|0)"):
        family(0.1, value)
    assert family(0, 0)(3) == 0


NUMBERS = {  # argument, how to give it, what is allowed, the ends of that
    "lr_max": (lambda v: sgdr(v, 5), r"number", [0], [-1e-9]),
    "lr_max of triangular": (lambda v: triangular(0, v, 5), r"number", [0], [-1e-9]),
    "lr_max of one_cycle": (lambda v: one_cycle(v, 9), r"number", [0], [-1e-9]),
    "lr_min": (lambda v: triangular(v, 1, 5), r"number|0, inf|at most lr_max", [0, 1], [-1e-9, 1.01]),
    "lr_min of sgdr": (lambda v: sgdr(1, 5, 1, v), r"number|0, inf|at most lr_max", [0, 1], [-1e-9, 1.01]),
    "lr_end": (lambda v: polynomial(1, 5, 1, v), r"number|0, inf|at most lr0", [0, 1], [-1e-9, 1.01]),
    "lr_end of cosine": (lambda v: cosine(1, 5, v), r"number|0, inf|at most lr0", [0, 1], [-1e-9, 1.01]),
    "lr_end of the trapezium": (
        lambda v: warmup_stable_decay(1, 1, 1, 1, v),
        r"number|0, inf|at most lr\.",
        [0, 1],
        [-1e-9, 1.01],
    ),
    "drop": (lambda v: step_decay(0.1, v, 10), r"\(0, 1\]", [1e-9, 1], [0, 1.01, -1, [0.5]]),
    "power": (lambda v: polynomial(0.1, 5, v), r"\(0, inf\)", [1e-9, 99], [0, -1, [0.5]]),
    "gamma": (lambda v: exp_range(0, 1, 5, v), r"\(0, 1\]", [1e-9, 1], [0, 1.01, -1, [0.5]]),
    "start": (lambda v: warmup(0.1, 5, v), r"\[0, 1\]", [0, 1], [-0.01, 1.01, [0.5]]),
    "rise": (lambda v: one_cycle(1, 1000, v), r"\(0, 1\)", [0.0011, 0.999], [0, 1, -1, [0.5]]),
    "div": (lambda v: one_cycle(1, 9, 0.3, v), r"\[1, inf\)", [1, 1e9], [0.99, [2.0]]),
    "final_div": (lambda v: one_cycle(1, 9, 0.3, 25, v), r"\[1, inf\)", [1, 1e9], [0.99, [2.0]]),
}
COUNTS = {
    "every": (lambda v: step_decay(0.1, 0.5, v), 1, r"Count it in steps\."),
    "steps": (lambda v: polynomial(0.1, v), 1, r"Count it in steps\."),
    "steps of cosine": (lambda v: cosine(0.1, v), 1, r"Count it in steps\."),
    "steps of warmup": (lambda v: warmup(0.1, v), 1, r"Count it in steps\."),
    "half_cycle": (lambda v: triangular(0, 1, v), 1, r"Count it in steps\."),
    "half_cycle of triangular2": (lambda v: triangular2(0, 1, v), 1, r"Count it in steps\."),
    "period": (lambda v: sgdr(1, v), 1, r"Count it in steps\."),
    "multiplier": (lambda v: sgdr(1, 5, v), 1, r"1 repeats the first cycle"),
    "warmup_steps": (lambda v: warmup_stable_decay(1, v, 1, 1), 0, r"Count it in steps\."),
    "stable_steps": (lambda v: warmup_stable_decay(1, 1, v, 1), 0, r"Count it in steps\."),
    "decay_steps": (lambda v: warmup_stable_decay(1, 1, 1, v), 1, r"Count it in steps\."),
    "steps_per_epoch": (lambda v: per_epoch(1, v), 1, r"It is the number of minibatches"),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_and_their_ranges(name):
    make, allowed, inside, outside = NUMBERS[name]
    name = name.split()[0]
    for value in inside:
        assert type(getattr(make(value), name)) is float
    for value in [*outside, math.nan, math.inf, True, "a", None, constant(0.1)]:
        with pytest.raises(ValueError, match=rf"^{name} = .*: must be .*({allowed}).*[.?]$"):
            make(value)


@pytest.mark.parametrize("name", COUNTS)
def test_counts_and_their_ranges(name):
    make, low, remedy = COUNTS[name]
    name = name.split()[0]
    assert type(getattr(make(np.int64(low)), name)) is int
    for value in [low - 1, -1, 1.5, math.nan, True, "a", [5], None]:
        with pytest.raises(
            ValueError, match=rf"^{name} = .*: must be a whole number of at least {low}\. {remedy}"
        ):
            make(value)


@pytest.mark.parametrize("make", [lambda s: warmup(s, 3), lambda s: per_epoch(s, 3)])
@pytest.mark.parametrize("value", BAD)
def test_the_schedule_inside_is_checked(make, value):
    with pytest.raises(ValueError, match=r"^schedule.* = .*: must be .*(a rate such as|Reshape)"):
        make(value)


def test_two_rates_the_wrong_way_round():
    with pytest.raises(ValueError, match=r"^lr_min = 0\.5: must be at most lr_max\. Are the two the wrong"):
        triangular(0.5, 0.1, 5)
    with pytest.raises(ValueError, match=r"^lr_min = .*: must be at most lr_max"):
        sgdr([[0.1], [0.3]], 5, 1, 0.2)


def test_one_cycle_needs_a_rise_and_a_shape():
    with pytest.raises(ValueError, match=r"^rise \* steps = 1\.0: must be more than 1\. Give"):
        one_cycle(1, 2, 0.5)
    assert one_cycle(1, 3, 0.5)(0) == 0.04
    with pytest.raises(ValueError, match=r"^shape = 'cos': must be one of 'cosine', 'linear'"):
        one_cycle(1, 10, shape="cos")


# ------------------------------------------------------------------------- restarts


def test_restarts():
    assert sgdr(1, 4).restarts(12) == [4, 8, 12]
    assert sgdr(1, 4).restarts(11) == [4, 8]
    assert sgdr(1, 4, 2).restarts(28) == [4, 12, 28]
    assert sgdr(1, 4, 2).restarts(3) == []
    assert sgdr(1, 4, 2).restarts(4) == [4]
    assert sgdr(1, 1, 2).restarts(1) == [1]
    assert sgdr(1, 1, 2).restarts(0) == sgdr(1, 1).restarts(0) == []
    with pytest.raises(
        ValueError, match=r"^steps = -1: must be a whole number of at least 0. Give the number"
    ):
        sgdr(1, 4).restarts(-1)
    assert sgdr(1, 1, 3).restarts(400) == [1, 4, 13, 40, 121, 364]


@pytest.mark.parametrize(("period", "multiplier"), [(1, 2), (1, 3), (5, 2), (7, 3), (10, 10), (4, 1), (1, 5)])
def test_the_rate_is_whole_at_each_restart_and_falls_between(period, multiplier):
    """A logarithm of t would miss some: log(243)/log(3) is less than 5 in floating point."""
    schedule = sgdr(0.1, period, multiplier)
    last = 20_000
    jumps = schedule.restarts(last)
    eta = schedule(np.arange(last + 1))
    assert set(np.flatnonzero(eta == 0.1)) == {0, *jumps}
    falling = np.diff(eta) < 0
    assert set(np.flatnonzero(~falling) + 1) == (set(jumps) if period > 1 or multiplier > 1 else set())
    assert all(float(schedule(t)) == 0.1 for t in jumps[-3:])


def test_no_step_at_all():
    for make in FAMILIES.values():
        assert make(0.1)(np.arange(0)).shape == (0,)


def test_a_schedule_drives_an_optimizer_in_its_precision():
    x = np.zeros(2, np.float32)
    for make in FAMILIES.values():
        rule = GradientDescent(make(0.5))
        point, state = x, rule.init(x)
        for t in range(3):
            before = point
            point, state = rule.step(point, np.ones(2, np.float32), state)
            assert point.dtype == np.float32
            np.testing.assert_allclose(before - point, np.float32(make(0.5)(t)), rtol=1e-5, atol=1e-8)


# ------------------------------------------------------------------ PyTorch and Keras

FOLDER = Path(__file__).parent / "golden"
CALLS = runpy.run_path(str(FOLDER / "schedule_calls.py"))
GOLDEN = json.loads((FOLDER / "schedules.json").read_text(encoding="utf-8"))


def ours(call):
    return eval(call.ours, {**vars(schedules), "np": np})(np.arange(CALLS["STEPS"])) + np.zeros(
        CALLS["STEPS"]
    )


@pytest.mark.parametrize("call", CALLS["SAME"], ids=lambda call: f"{call.theirs} = {call.ours}")
def test_equals_the_framework(call):
    np.testing.assert_allclose(ours(call), GOLDEN[call.theirs], rtol=0, atol=0.1 * call.within)


@pytest.mark.parametrize("call", CALLS["DIFFERENT"], ids=lambda call: f"{call.theirs} != {call.ours}")
def test_differs_from_the_framework_from_the_step_on_that_is_said(call):
    apart = ~np.isclose(ours(call), GOLDEN[call.theirs], rtol=0, atol=1e-8)
    assert np.flatnonzero(apart)[0] == call.first


def test_every_schedule_is_compared_and_no_golden_value_is_left_over():
    assert set(GOLDEN) == {call.theirs for call in CALLS["SAME"] + CALLS["DIFFERENT"]}
    assert all(len(rates) == CALLS["STEPS"] for rates in GOLDEN.values())
    compared = {call.ours.split("(")[0] for call in CALLS["SAME"]}
    assert compared == set(schedules.__all__) - {"hyperparameter"}


@quick
@given(
    st.one_of(st.floats(), st.integers(), st.text(max_size=3), st.none(), st.lists(st.floats(), max_size=3))
)
def test_hyperparameter_is_right_or_raises_value_error(value):
    good = isinstance(value, int | float) and 0 <= value <= np.finfo(float).max
    good = good or (isinstance(value, list) and len(value) == 1 and 0 <= value[0] < math.inf)
    if good:
        np.testing.assert_array_equal(hyperparameter("lr", value, 0, math.inf, "", open_high=True), value)
    else:
        with pytest.raises(ValueError, match=r"^lr = "):
            hyperparameter("lr", value, 0, math.inf, "", open_high=True)
