"""The sentences that reject bad input: argument, value, allowed range, remedy."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_lib import _checks
from course_lib._checks import finite_array, number_in, one_of, require, whole_number

quick = settings(derandomize=True, deadline=None, max_examples=60, database=None)
# What is no number at all, for every check of one number.
NO_NUMBERS = [
    None,
    "1",
    "",
    [1],
    (1,),
    {},
    1j,
    True,
    False,
    np.True_,
    np.array(1.0),
    np.array([1.0]),
    object(),
]


def message(call, *args, **kwargs):
    """Text of the ValueError that the call raises."""
    with pytest.raises(ValueError, match=": must be ") as caught:
        call(*args, **kwargs)
    return str(caught.value)


def test_all_public_names_exist():
    assert all(callable(getattr(_checks, name)) for name in _checks.__all__)


def test_require_names_argument_value_range_and_remedy():
    assert require(True, "lr", -1, "positive", "Take 0.1.") is None
    assert (
        message(require, False, "lr", -1, "positive", "Take 0.1.") == "lr = -1: must be positive. Take 0.1."
    )
    assert message(require, 0, "m", "ab", "c", "D.") == "m = 'ab': must be c. D."


@pytest.mark.parametrize("length", [118, 119, 120, 121, 122, 10_000])
def test_require_shortens_the_text_of_a_long_value(length):
    class Long:
        def __repr__(self):
            return "a" * 60 + "b" * (length - 60)

    shown = message(require, False, "x", Long(), "short", "Cut it.")[
        len("x = ") : -len(": must be short. Cut it.")
    ]
    whole = "a" * 60 + "b" * (length - 60)
    assert shown == (whole if length <= 120 else whole[:117] + "...")
    assert len(shown) == min(length, 120)


@pytest.mark.parametrize(
    ("value", "open_low", "open_high", "inside"),
    [
        (0.5, False, False, True),
        (0, False, False, True),
        (1, False, False, True),
        (0, True, False, False),
        (1, True, False, True),
        (0, False, True, True),
        (1, False, True, False),
        (5e-324, True, True, True),
        (np.nextafter(1, 0), True, True, True),
        (-5e-324, False, False, False),
        (np.nextafter(1, 2), False, False, False),
        (math.nan, False, False, False),
        (math.inf, False, False, False),
        (-math.inf, False, False, False),
        (np.float32(0.5), False, False, True),
        (np.int64(1), False, False, True),
        (Fraction(1, 2), True, True, True),
    ],
)
def test_number_in_at_the_ends_of_its_range(value, open_low, open_high, inside):
    call = dict(open_low=open_low, open_high=open_high)
    if inside:
        result = number_in("beta", value, 0, 1, "Try 0.9.", **call)
        assert type(result) is float
        assert result == value
    else:
        brackets = f"{'(' if open_low else '['}0, 1{')' if open_high else ']'}"
        text = message(number_in, "beta", value, 0, 1, "Try 0.9.", **call)
        assert text == f"beta = {value!r}: must be in {brackets}. Try 0.9."


def test_number_in_ranges_are_closed_unless_said_otherwise():
    assert number_in("x", 2, 2, 2, "") == 2.0
    assert number_in("x", math.inf, 0, math.inf, "") == math.inf
    assert message(number_in, "x", -1, 0, np.inf, "Go up.") == "x = -1: must be in [0, inf]. Go up."
    assert message(number_in, "x", 9, -0.5, 1e-8, "Go.") == "x = 9: must be in [-0.5, 1e-08]. Go."


@pytest.mark.parametrize("value", [10**400, -(10**400)])
def test_number_in_takes_an_integer_beyond_all_floats_for_infinity(value):
    text = message(number_in, "x", value, -np.inf, np.inf, "Go back.", open_low=True, open_high=True)
    assert text.endswith("...: must be in (-inf, inf). Go back.")
    assert number_in("x", value, -np.inf, np.inf, "") == (np.inf if value > 0 else -np.inf)


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_number_in_rejects_what_is_no_number(value):
    text = message(number_in, "lr", value, 0, 1, "Try 0.1.", open_low=True)
    assert text == f"lr = {value!r}: must be one real number in (0, 1]. Try 0.1."


@pytest.mark.parametrize("value", [3, 4, np.int32(3), np.uint8(200), 10**30])
def test_whole_number_accepts_integers_from_the_lowest_up(value):
    result = whole_number("steps", value, 3, "More.")
    assert type(result) is int
    assert result == value


@pytest.mark.parametrize(
    "value", [2, -5, 3.0, np.float64(4), math.nan, math.inf, Fraction(7, 2), *NO_NUMBERS]
)
def test_whole_number_rejects_the_rest(value):
    text = message(whole_number, "steps", value, 3, "Take more.")
    assert text == f"steps = {value!r}: must be a whole number of at least 3. Take more."


def test_whole_number_rejects_truth_values_that_are_large_enough():
    for value in (True, np.True_):
        assert "must be a whole number of at least 0" in message(whole_number, "n", value, 0, "")


def test_one_of_returns_the_name_or_lists_the_names():
    assert one_of("loss", "mean", ("mean", "sum")) == "mean"
    assert message(one_of, "loss", "men", ("mean", "sum")) == (
        "loss = 'men': must be one of 'mean', 'sum'. Choose one of them."
    )
    assert message(one_of, "loss", "men", ("mean", "sum"), "Look.").endswith("'sum'. Look.")


@pytest.mark.parametrize(
    "value", ["", "m", "MEAN", None, 0, 1.5, ["mean"], np.array(["mean", "sum"]), b"mean"]
)
def test_one_of_rejects_the_rest(value):
    assert message(one_of, "loss", value, ("mean", "sum")).startswith(
        f"loss = {value!r}: must be one of 'mean'"
    )
    # An object that is among the names without being text is no name.
    assert "must be one of 0, 1" in message(one_of, "n", 0, (0, 1))


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (3, "float64", ()),
        (2.5, "float64", ()),
        ([1, 2], "float64", (2,)),
        (((1.0, 2), (3, 4)), "float64", (2, 2)),
        (np.arange(3, dtype=np.uint8), "float64", (3,)),
        (np.arange(3, dtype=np.int32), "float64", (3,)),
        (np.ones(3, np.float16), "float64", (3,)),
        (np.ones((2, 1), np.float32), "float32", (2, 1)),
        (np.float32(1), "float32", ()),
        (np.array(5.0), "float64", ()),
        (range(4), "float64", (4,)),
        (1e308, "float64", ()),
    ],
)
def test_finite_array_gives_floating_arrays(value, dtype, shape):
    array = finite_array("x", value, "")
    assert isinstance(array, np.ndarray)
    assert (array.dtype, array.shape) == (np.dtype(dtype), shape)
    np.testing.assert_array_equal(array, value)
    assert finite_array("x", value, "", ndim=len(shape)).shape == shape


def test_finite_array_copies_nothing_that_fits():
    for dtype in (np.float32, np.float64):
        x = np.ones(3, dtype)
        assert finite_array("x", x, "") is x


def test_finite_array_takes_complex_numbers_only_where_they_are_welcome():
    z = np.array([1 + 2j])
    assert finite_array("z", z, "", complex_ok=True) is z
    assert finite_array("z", [1, 2], "", complex_ok=True).dtype == np.float64
    assert (
        message(finite_array, "z", z, "Drop it.") == "z = array([1.+2.j]): must be finite numbers. Drop it."
    )
    assert "must be finite numbers" in message(finite_array, "z", [complex(0, math.nan)], "", complex_ok=True)


@pytest.mark.parametrize("complex_ok", [False, True])
@pytest.mark.parametrize(
    "value",
    [
        None,
        "1",
        ["a"],
        [1, [2]],
        {},
        {1},
        object(),
        True,
        [True],
        np.array([None]),
        b"1",
        np.datetime64(0, "s"),
    ],
)
def test_finite_array_rejects_what_is_not_numeric(value, complex_ok):
    text = message(finite_array, "x", value, "Pass numbers.", complex_ok=complex_ok)
    assert text == f"x = {value!r}: must be finite numbers. Pass numbers."


@pytest.mark.parametrize("value", [[], [[]], np.zeros((3, 0)), ()])
def test_finite_array_rejects_emptiness(value):
    text = message(finite_array, "x", value, "Fill it.")
    assert text == f"x = {value!r}: must be a non-empty array of finite numbers. Fill it."


@pytest.mark.parametrize(("value", "ndim"), [(1.0, 1), ([1.0], 0), ([1.0], 2), ([[1.0]], 1), ([[[1.0]]], 2)])
def test_finite_array_rejects_the_wrong_number_of_axes(value, ndim):
    text = message(finite_array, "x", value, "Reshape it.", ndim=ndim)
    assert text == f"x = {value!r}: must be finite numbers with {ndim} axes. Reshape it."


@quick
@given(
    x=hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        hnp.array_shapes(max_dims=3, max_side=3),
        elements=st.floats(-(2.0**100), 2.0**100, width=32),
    ),
    bad=st.sampled_from([math.nan, math.inf, -math.inf]),
    data=st.data(),
)
def test_one_value_that_is_not_finite_spoils_an_array(x, bad, data):
    np.testing.assert_array_equal(finite_array("x", x, ""), x)
    x[tuple(data.draw(st.integers(0, n - 1)) for n in x.shape)] = bad
    assert message(finite_array, "x", x, "Clean it.").endswith(": must be finite numbers. Clean it.")


@quick
@given(
    value=st.floats(),
    low=st.floats(-1e6, 0),
    width=st.floats(0, 1e6),
    ends=st.tuples(st.booleans(), st.booleans()),
)
def test_number_in_is_the_inequality(value, low, width, ends):
    high = low + width
    inside = (low < value if ends[0] else low <= value) and (value < high if ends[1] else value <= high)
    call = dict(open_low=ends[0], open_high=ends[1])
    if inside:
        assert number_in("x", value, low, high, "", **call) == value
    else:
        assert message(number_in, "x", value, low, high, "", **call).startswith(f"x = {value!r}: must be in ")
