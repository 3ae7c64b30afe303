import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.schedules import (
    constant,
    exponential,
    hyperparameter,
    inverse_sqrt,
    inverse_time,
    step_decay,
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
]
FAMILIES = {
    "constant": lambda lr: constant(lr),
    "inverse_time": lambda lr: inverse_time(lr, 0.05),
    "inverse_sqrt": lambda lr: inverse_sqrt(lr, 0.05),
    "exponential": lambda lr: exponential(lr, 0.05),
    "step_decay": lambda lr: step_decay(lr, 0.5, 3),
}


@pytest.mark.parametrize(("schedule", "values"), CURVES, ids=repr)
def test_values_by_hand(schedule, values):
    for t, value in values.items():
        assert float(schedule(t)) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("name", FAMILIES)
def test_one_call_with_all_steps_equals_calls_one_by_one(name):
    schedule = FAMILIES[name](0.3)
    together = schedule(np.arange(12))
    assert together.shape == (12,)
    np.testing.assert_array_max_ulp(together, np.array([schedule(t) for t in range(12)]), maxulp=1)


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


@pytest.mark.parametrize("make", FAMILIES.values(), ids=FAMILIES)
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


@pytest.mark.parametrize("drop", [0, 1.01, -1, math.nan, True, "a", [0.5], None])
def test_step_decay_refuses_bad_drops(drop):
    with pytest.raises(ValueError, match=r"^drop = .*: must be .*\(0, 1\]"):
        step_decay(0.1, drop, 10)


@pytest.mark.parametrize("every", [0, -1, 1.5, math.nan, True, "a", [5], None])
def test_step_decay_refuses_bad_intervals(every):
    with pytest.raises(ValueError, match=r"^every = .*: must be a whole number of at least 1"):
        step_decay(0.1, 0.5, every)


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
