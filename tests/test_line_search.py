import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import landscapes
from course_lib.line_search import Bracket, LineSearch, backtracking, bracket, exact_step, golden_section

quick = settings(derandomize=True, deadline=None, max_examples=40)
GOLDEN = (math.sqrt(5) - 1) / 2


class Phi:
    """A function of one number that keeps its arguments."""

    def __init__(self, f):
        self.f, self.asked = f, []

    def __call__(self, t):
        self.asked.append(t)
        return self.f(t)


def parabola(minimum=3.0):
    return Phi(lambda t: (t - minimum) * (t - minimum))


# ------------------------------------------------------------------- bracket


@pytest.mark.parametrize(
    ("minimum", "options", "result", "asked"),
    [
        (3, {}, (1, 4, 4), [0, 1, 2, 4]),  # φ(2) = φ(4): not below, so it stops
        (3.1, {}, (2, 8, 5), [0, 1, 2, 4, 8]),
        (0.3, {}, (0, 1, 2), [0, 1]),
        (0.7, {}, (0, 2, 3), [0, 1, 2]),
        (-1, {}, (0, 1, 2), [0, 1]),
        (3.1, {"t": 0.5, "growth": 3.0}, (1.5, 13.5, 5), [0, 0.5, 1.5, 4.5, 13.5]),
        (3.1, {"t": 8}, (0, 8, 2), [0, 8]),
    ],
)
def test_bracket(minimum, options, result, asked):
    phi = parabola(minimum)
    found = bracket(phi, **options)
    assert isinstance(found, Bracket)
    assert found == result
    assert phi.asked == asked
    assert (found.a, found.b, found.evaluations) == result


@pytest.mark.parametrize("beyond", [math.inf, math.nan, 1e308 * 10])
def test_a_value_that_is_not_finite_ends_the_growth(beyond):
    assert bracket(lambda t: -t if t < 3 else beyond) == (1, 4, 4)


def test_bracket_overflow_is_quiet():
    assert bracket(lambda t: -t + np.exp(np.float64(t) * 400))[:2] == (0, 1)


@pytest.mark.parametrize("unbounded", [lambda t: -t, lambda t: -math.inf if t > 3 else -t])
def test_bracket_of_an_unbounded_function(unbounded):
    if unbounded(5) == -math.inf:
        assert bracket(unbounded)[:2] == (2, 8)
    else:
        with pytest.raises(
            ValueError, match=r"^phi = .*: must be a function that rises somewhere. .*unbounded"
        ):
            bracket(unbounded)


@quick
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(1.1, 10))
def test_the_bracket_holds_the_minimum(minimum, t, growth):
    a, b, _ = bracket(parabola(minimum), t, growth)
    assert a <= minimum <= b


# ------------------------------------------------------------ golden section


def test_each_interval_is_0618_times_the_one_before_and_costs_one_evaluation():
    phi = parabola(math.pi)
    found = golden_section(phi, 2, 8, tol=1e-4)
    widths = np.diff(found.intervals)[:, 0]
    np.testing.assert_allclose(widths, 6 * GOLDEN ** np.arange(len(widths)), rtol=1e-9)
    assert isinstance(found, LineSearch)
    assert found.evaluations == len(phi.asked) == len(widths) + 1
    assert widths[-1] <= 1e-4 < widths[-2]
    assert (found.intervals[:, 0] <= math.pi).all()
    assert (found.intervals[:, 1] >= math.pi).all()
    assert found.intervals[0].tolist() == [2, 8]
    assert found.intervals.shape == (len(widths), 2)
    assert abs(found.t - math.pi) < 1e-4
    assert found.intervals[-1, 0] < found.t < found.intervals[-1, 1]
    assert found.value == phi.f(found.t) == min(map(phi.f, phi.asked))


@pytest.mark.parametrize("minimum", [-1, 2, 2.01, 5, 7.99, 8, 11])
def test_the_minimum_may_lie_anywhere(minimum):
    found = golden_section(parabola(minimum), 2, 8)
    assert found.t == pytest.approx(min(max(minimum, 2), 8), abs=1e-6)


def test_the_interior_points_of_the_first_interval():
    phi = parabola(4.4)
    found = golden_section(phi, 2, 8, tol=6)
    np.testing.assert_allclose(phi.asked, [8 - 6 * GOLDEN, 2 + 6 * GOLDEN], rtol=1e-15)
    assert found.t == phi.asked[0]
    assert found.evaluations == 2
    assert found.intervals.tolist() == [[2, 8]]
    assert golden_section(parabola(6), 2, 8, tol=6).t == 2 + 6 * GOLDEN


def test_an_impossible_tolerance_still_ends():
    found = golden_section(lambda t: abs(t - 1 / 3), 0, 1, tol=1e-300)
    assert found.t == pytest.approx(1 / 3, abs=1e-14)
    assert found.evaluations == 79  # one less than it would take to meet a point twice


def test_of_two_equal_values_the_right_part_is_kept():
    assert golden_section(lambda t: 1, 0, 1, tol=1).t == GOLDEN
    assert golden_section(lambda t: 1, 0, 1).t == pytest.approx(1, abs=1e-6)


def test_golden_section_moves_away_from_where_there_is_no_value():
    assert golden_section(lambda t: (t - 1) ** 2 if t < 4 else math.nan, 0, 10).t == pytest.approx(
        1, abs=1e-6
    )


# --------------------------------------------------------------- backtracking


@pytest.mark.parametrize(
    ("options", "tried"),
    [
        ({"t0": 20}, [20, 10, 5]),  # on (t - 3)² with c = 1e-4 the step must be below 6 (1 - c)
        ({"t0": 20, "shrink": 0.1}, [20, 2]),
        ({"t0": 6}, [6, 3]),
        ({"t0": 5.999}, [5.999]),
        ({"t0": 5.9995}, [5.9995, 2.99975]),
        ({"t0": 4, "c": 0.5}, [4, 2]),
        ({"t0": 3, "c": 0.5}, [3]),  # equality is enough
        ({"t0": 3.001, "c": 0.5}, [3.001, 1.5005]),
        ({}, [1]),
    ],
)
def test_backtracking(options, tried):
    phi = parabola()
    found = backtracking(phi, -6, **options)
    assert phi.asked == [0, *tried]
    assert found.t == tried[-1]
    assert found.value == phi.f(found.t)
    assert found.evaluations == len(tried) + 1
    assert found.intervals.tolist() == [[0, t] for t in tried]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_backtracking_refuses_values_that_are_not_finite(bad):
    assert backtracking(lambda t: (t - 3) ** 2 if t < 2 else bad, -6, t0=8).t == 1


def test_backtracking_uphill_gives_up():
    phi = Phi(lambda t: 1 + t)
    found = backtracking(phi, -1)
    assert (found.t, found.value) == (2.0**-53, 1.0)  # too small for the sum to notice
    phi = Phi(lambda t: t)
    found = backtracking(phi, -1)
    assert (found.t, found.value) == (0, 0)
    assert found.evaluations == len(phi.asked) == len(found.intervals) + 1
    assert phi.asked[-1] == 2.0**-53  # above 1e-16; the next would not be
    assert backtracking(lambda t: t, -1, shrink=1e-16).evaluations == 2
    assert backtracking(lambda t: t, -1, t0=100).intervals[-1, 1] == 100 * 2.0**-53


# ----------------------------------------------------------------- exact step


def test_the_exact_step_is_the_minimum_along_the_gradient():
    land = landscapes.quadratic(30, angle=0.4)
    x = np.array([1.0, -2.0])
    g = land.grad(x)
    t = exact_step(land, x, g)
    assert t == exact_step(land, x)
    assert t == pytest.approx((g @ g) / (g @ land.hess(x) @ g), rel=1e-14)
    assert land.grad(x - t * g) @ g == pytest.approx(0, abs=1e-10)
    assert t == pytest.approx(golden_section(lambda s: land(x - s * g), 0, 1).t, abs=1e-6)


def test_exact_steps_of_a_batch():
    land = landscapes.valley()
    x = np.array([[[5.0, 0], [0, 3]], [[-5, -2], [0, 0]]])
    t = exact_step(land, x)
    assert t.shape == (2, 2)
    assert t[0].tolist() == [5, 0.25]
    assert t[1, 0] == pytest.approx(65 / (0.2 + 4 * 64), rel=1e-14)
    assert t[1, 1] == 0  # nowhere to go
    assert exact_step(land, [0, 0]) == 0
    assert exact_step(land, [1, 1], [5, 0]) == 5


@pytest.mark.parametrize(
    ("land", "x", "g", "message"),
    [
        (landscapes.saddle(), [0, 1], None, r"land.hess\(x\) = .*: must be of curvature above 0 along g"),
        (landscapes.saddle(), [1, 1], None, r"land.hess\(x\) = "),  # curvature 0
        (landscapes.saddle(), [[1, 0], [0, 1]], None, r"land.hess\(x\) = "),
        (landscapes.valley(), [1, math.nan], None, "x = .*: must be finite numbers"),
        (landscapes.valley(), [1, 1], [math.inf, 1], "g = .*: must be finite numbers"),
        (landscapes.valley(), [1, 1], [1, 1, 1], r"g.shape = \(3,\): must be \(2,\), as of x"),
        (landscapes.plateau(), "a", None, "x = 'a'"),
    ],
)
def test_exact_step_refuses(land, x, g, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        exact_step(land, x, g)


# ------------------------------------------------------------------ bad input

BAD_NUMBERS = [math.nan, "a", None, True, [1.0], 1j]


@pytest.mark.parametrize(
    ("function", "good", "name", "bad"),
    [
        (bracket, {}, "t", [0, -1, math.inf, *BAD_NUMBERS]),
        (bracket, {}, "growth", [1, 0.5, math.inf, *BAD_NUMBERS]),
        (golden_section, {"a": 0, "b": 1}, "a", [-math.inf, math.inf, *BAD_NUMBERS]),
        (golden_section, {"a": 0, "b": 1}, "b", [0, -1, math.inf, *BAD_NUMBERS]),
        (golden_section, {"a": 0, "b": 1}, "tol", [0, -1, *BAD_NUMBERS]),
        (backtracking, {"slope": -6}, "slope", [0, 1, -math.inf, *BAD_NUMBERS]),
        (backtracking, {"slope": -6}, "t0", [0, -1, math.inf, *BAD_NUMBERS]),
        (backtracking, {"slope": -6}, "c", [0, 1, -0.1, 1.1, *BAD_NUMBERS]),
        (backtracking, {"slope": -6}, "shrink", [0, 1, -0.1, 1.1, *BAD_NUMBERS]),
    ],
)
def test_bad_numbers(function, good, name, bad):
    for value in bad:
        with pytest.raises(ValueError, match=f"(?s)^{name} = .*: must be "):
            function(parabola(), **{**good, name: value})


@pytest.mark.parametrize(
    "search", [bracket, lambda phi: golden_section(phi, 0, 1), lambda phi: backtracking(phi, -1)]
)
def test_bad_functions(search):
    for phi in (None, 3.0, "a"):
        with pytest.raises(ValueError, match=r"^phi = .*: must be a function of one number"):
            search(phi)
    for value in (None, "a", np.ones(2), [], 1j, True):
        with pytest.raises(ValueError, match=r"^phi\([\d.]+\) = .*: must be one real number"):
            search(lambda t, value=value: value)
    assert type(search(lambda t: np.array([(t - 0.4) ** 2]))[1]) is float
    search(lambda t: 1)


@quick
@given(st.floats(), st.floats(), st.floats())
def test_searches_end_or_raise_value_error(p, q, r):
    for call in (
        lambda: bracket(parabola(0.7), p, q),
        lambda: golden_section(parabola(0.7), p, q, r),
        lambda: backtracking(parabola(0.7), p, q, r, 0.5),
        lambda: backtracking(parabola(0.7), -1, q, r, p),
    ):
        try:
            found = call()
        except ValueError as error:
            assert " = " in str(error)  # noqa: PT017
        else:
            assert found.evaluations >= 2
