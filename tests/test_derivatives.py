"""Derivatives against closed forms, orders of convergence, counts of calls, and gradients that are wrong."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_lib.derivatives import (
    METHODS,
    GradientReport,
    check_gradient,
    default_step,
    derivative,
    gradient,
    hessian,
    hessian_vector,
    jacobian,
)

U = {"float64": 2.0**-53, "float32": 2.0**-24}
ORDER = {"forward": 1, "backward": 1, "central": 2, "five-point": 4, "complex-step": 2, "richardson": 4}
POWER = {"forward": 1 / 2, "backward": 1 / 2, "central": 1 / 3, "five-point": 1 / 5, "complex-step": 2}
POWER["richardson"] = 1 / 5
CALLS = {"forward": 2, "backward": 2, "central": 2, "five-point": 4, "complex-step": 1, "richardson": 4}
# Relative error allowed at the default step in float64, about ten times what is seen.
TOLERANCE = {"forward": 3e-7, "backward": 3e-7, "central": 1e-9, "five-point": 1e-11}
TOLERANCE |= {"complex-step": 1e-14, "richardson": 1e-11}
every_method = pytest.mark.parametrize("method", METHODS)
quick = settings(derandomize=True, deadline=None, max_examples=30, database=None)


class Counted:
    """A function that counts its calls and keeps the points."""

    def __init__(self, f):
        self.f, self.points = f, []

    def __call__(self, x):
        self.points.append(np.array(x))
        return self.f(x)


def sum_of_squares(x):
    return (x * x).sum()


def twice(x):
    return 2 * x


# -- one variable ---------------------------------------------------------------------------------------


def test_the_methods_and_their_order_are_the_published_ones():
    assert METHODS == ("forward", "backward", "central", "five-point", "complex-step", "richardson")


@every_method
@pytest.mark.parametrize(
    ("f", "df"),
    [
        (lambda x: x * x - 4 * x + 5, lambda x: 2 * x - 4),
        (lambda x: x * x * x, lambda x: 3 * x * x),
        (np.exp, np.exp),
        (np.sin, np.cos),
        (lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
    ],
    ids=["parabola", "cube", "exp", "sin", "sigmoid"],
)
def test_derivative_agrees_with_closed_forms(f, df, method):
    x = np.array([[-2.5, -1.0, 0.0], [0.3, 1.0, 4.0]])
    result = derivative(f, x, method=method)
    assert result.shape == x.shape
    assert result.dtype == np.float64
    np.testing.assert_allclose(
        result, df(x), rtol=TOLERANCE[method], atol=TOLERANCE[method] * np.abs(f(x)).max()
    )


def test_the_slopes_of_the_first_parabola():
    def f(x):
        return x**2 - 4 * x + 5

    np.testing.assert_allclose(derivative(f, [3, 4, 1, 0]), [2, 4, -2, -4], atol=1e-9)
    assert abs(derivative(f, 3, h=0.001) - 2) < 1e-12


@pytest.mark.parametrize(
    ("method", "power", "expected"),
    [
        ("forward", 2, 2 + 0.5),
        ("backward", 2, 2 - 0.5),
        ("central", 3, 3 + 0.5**2),
        ("complex-step", 3, 3 - 0.5**2),
        ("five-point", 5, 5 - 4 * 0.5**4),
        ("richardson", 5, 5 - 0.5**4 / 4),
    ],
)
def test_truncation_error_is_exactly_the_first_neglected_term(method, power, expected):
    # At x = 1 with h = 1/2 nothing is rounded: the value pins every coefficient of the formula.
    assert derivative(lambda x: x**power, 1.0, h=0.5, method=method) == expected


@every_method
def test_a_polynomial_below_the_order_is_differentiated_without_truncation(method):
    degree = {1: 1, 2: 2, 4: 4}[ORDER[method]]
    assert derivative(lambda x: x**degree, 1.0, h=0.5, method=method) == degree


@every_method
def test_observed_order_of_convergence(method):
    h = 2.0 ** -np.arange(2, 7)
    error = np.abs(derivative(np.exp, 1.0, h=h, method=method) - np.e)
    slope = np.polyfit(np.log(h), np.log(error), 1)[0]
    assert slope == pytest.approx(ORDER[method], abs=0.08)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "complex-step"])
def test_round_off_grows_as_h_shrinks(method):
    x, h = np.linspace(1, 1.3, 100)[:, None], np.logspace(-13, -9, 100)
    error = np.median(np.abs(derivative(np.sin, x, h=h, method=method) - np.cos(x)), axis=0)
    assert np.polyfit(np.log(h), np.log(error), 1)[0] == pytest.approx(-1, abs=0.1)


def test_the_complex_step_has_no_round_off_branch():
    h = np.array([1e-8, 1e-16, 1e-100, 1e-200, 1e-300])
    result = derivative(np.exp, 1.0, h=h, method="complex-step")
    np.testing.assert_allclose(result, np.e, rtol=4 * U["float64"])


def test_the_complex_step_silently_lies_where_the_modulus_is_taken():
    # Documented, not detected: |z| of a complex number is real, yet the result is complex.
    assert derivative(lambda z: abs(z) + 0 * z, 2.0, method="complex-step") == 0
    assert derivative(lambda z: abs(z) + 0 * z, 2.0) == pytest.approx(1)


@every_method
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_no_step_is_far_better_than_the_default(method, dtype):
    x = np.array([0.2, 0.7, 1.1, 1.6, 2.1, 2.6, -0.4, -1.3, 30.5], dtype=dtype)[:, None]
    exact = np.cos(x.astype(float))
    h = np.logspace(-12 if dtype == "float64" else -6, -0.1, 100)
    best = np.median(np.abs(derivative(np.sin, x, h=h, method=method) - exact), axis=0).min()
    error = np.median(np.abs(derivative(np.sin, x, method=method) - exact))
    assert error <= max(12 * best, U[dtype])


def test_best_step_lies_near_the_predicted_one():
    x = np.linspace(0.3, 1.2, 50)[:, None]
    h = np.logspace(-12, -0.1, 240)
    for method in ("forward", "backward", "central", "five-point", "richardson"):
        error = np.abs(derivative(np.exp, x, h=h, method=method) - np.exp(x))
        ratio = h[np.median(error, axis=0).argmin()] / U["float64"] ** POWER[method]
        assert 1 / 8 < ratio < 8, method


@every_method
def test_derivative_calls_f_as_often_as_documented(method):
    for h in (None, np.logspace(-8, -1, 7)):
        f = Counted(np.exp)
        derivative(f, 1.0, h=h, method=method)
        assert len(f.points) == CALLS[method]


@every_method
def test_float32_stays_float32_and_is_as_good_as_it_can_be(method):
    x = np.array([0.5, 1.0, 2.0], dtype=np.float32)
    seen = Counted(np.exp)
    result = derivative(seen, x, method=method)
    assert result.dtype == np.float32
    assert {p.dtype for p in seen.points} == {
        np.dtype("complex64" if method == "complex-step" else "float32")
    }
    np.testing.assert_allclose(result, np.exp(x), rtol={1: 5e-3, 2: 3e-4, 4: 3e-5}[ORDER[method]])
    scalar = derivative(np.exp, np.float32(1), h=np.float64(0.01), method=method)
    assert type(scalar) is np.float32
    # f may compute more accurately: the result is still in x's dtype.
    assert derivative(lambda t: t * np.float64(1), x).dtype == np.float32


@pytest.mark.parametrize(
    ("x", "h", "shape"),
    [
        (1.0, None, ()),
        (1, 0.1, ()),
        (np.array(1.0), np.array(0.1), ()),
        ([1, 2], None, (2,)),
        ([1, 2], 0.1, (2,)),
        ([1, 2], [0.1, 0.2], (2,)),
        (1.0, [0.1, 0.2, 0.3], (3,)),
        ([1, 2], [[0.1], [0.2], [0.3]], (3, 2)),
        ([[1], [2]], [0.1, 0.2, 0.3], (2, 3)),
        ([1.0], 1, (1,)),
    ],
)
@every_method
def test_x_and_h_broadcast(x, h, shape, method):
    result = derivative(lambda t: t * t, x, h=h, method=method)
    assert np.shape(result) == shape
    assert isinstance(result, np.ndarray if shape else np.float64)
    shift = {"forward": 1, "backward": -1}.get(method, 0)
    step = 0 if h is None else np.asarray(h)
    np.testing.assert_allclose(result, np.broadcast_to(2 * np.asarray(x) + shift * step, shape), atol=1e-6)


def test_each_step_of_an_array_is_the_step_alone():
    h = np.logspace(-16, 0, 30)
    for method in METHODS:
        curve = derivative(np.sin, 1.0, h=h, method=method)
        alone = np.array([derivative(np.sin, 1.0, h=step, method=method) for step in h])
        # Vector instructions may round the last bit of sin otherwise than the single call does.
        assert (np.abs(curve - alone) <= 8 * U["float64"] / h).all()


@pytest.mark.parametrize("method", ["forward", "backward", "central", "five-point", "richardson"])
def test_a_given_step_divides_as_it_stands(method):
    # x + h rounds to x: the formula yields 0, not 0/0, and no other step is taken instead.
    assert derivative(np.exp, 1.0, h=1e-17, method=method) == 0
    # x + h rounds up to 1 + 2**-52, while the divisor is h itself.
    h = 0.75 * 2.0**-52
    assert derivative(lambda t: t, 1.0, h=h, method="forward") == 2.0**-52 / h


# -- default steps --------------------------------------------------------------------------------------


@every_method
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("x", "scale"), [(0.0, 1), (0.1, 1), (-1.0, 1), (3.0, 3), (-700.0, 700), (1e12, 1e12)]
)
def test_default_step_is_a_power_of_the_round_off_times_the_scale(x, scale, dtype, method):
    h = default_step(method, np.dtype(dtype).type(x))
    assert type(h) is np.dtype(dtype).type
    assert float(h) == pytest.approx(U[dtype] ** POWER[method] * scale, rel=2e-3)
    if method != "complex-step":
        assert (np.dtype(dtype).type(x) + h) - np.dtype(dtype).type(x) == h


def test_default_step_of_an_array_and_of_integers():
    h = default_step("central", [[1, -8], [0, 100]])
    assert h.dtype == np.float64
    np.testing.assert_allclose(h / h[0, 0], [[1, 8], [1, 100]], rtol=1e-8)


def test_default_step_of_the_complex_step_is_used_as_it_is():
    assert default_step("complex-step", 2.0) == 2 * U["float64"] ** 2
    assert default_step("complex-step", np.array([0.5, 4.0])).tolist() == [
        U["float64"] ** 2,
        4 * U["float64"] ** 2,
    ]


# -- several variables ----------------------------------------------------------------------------------


@every_method
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 1, 2)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gradient_against_the_closed_form(method, shape, dtype):
    x = np.random.default_rng(1).normal(size=shape).astype(dtype)
    weights = np.arange(1, x.size + 1).reshape(shape)
    result = gradient(lambda x: (weights * np.sin(x)).sum() + x.sum() ** 2, x, method=method)
    assert np.shape(result) == shape
    assert result.dtype == dtype
    tolerance = {"float64": 10 * TOLERANCE[method], "float32": {1: 3e-2, 2: 2e-3, 4: 5e-4}[ORDER[method]]}[
        dtype
    ]
    np.testing.assert_allclose(result, weights * np.cos(x) + 2 * x.sum(), atol=10 * tolerance, rtol=tolerance)


def test_gradient_of_the_bowl():
    def bowl(x):
        return x[0] ** 2 + x[1] ** 2 - 4 * x[0] - 4 * x[1] + 5

    np.testing.assert_allclose(gradient(bowl, [-1, -1]), [-6, -6], atol=1e-9)
    np.testing.assert_allclose(gradient(bowl, [3, 3]), [2, 2], atol=1e-9)


@pytest.mark.parametrize(
    ("method", "calls"),
    [
        ("forward", 6),
        ("backward", 6),
        ("central", 10),
        ("five-point", 20),
        ("complex-step", 5),
        ("richardson", 20),
    ],
)
def test_gradient_jacobian_and_hessian_call_as_often_as_documented(method, calls):
    x = np.arange(1.0, 6.0)
    for function, f in ((gradient, sum_of_squares), (jacobian, twice), (hessian, twice)):
        counted = Counted(f)
        function(counted, x, method=method)
        assert len(counted.points) == calls
        moved = [np.count_nonzero(p != x) for p in counted.points]
        assert max(moved) == 1, "one coordinate at a time"


@pytest.mark.parametrize("function", [gradient, jacobian])
def test_each_coordinate_takes_its_own_step(function):
    x, h = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.25, 0.125])
    np.testing.assert_array_equal(function(sum_of_squares, x, h=h, method="forward"), 2 * x + h)
    np.testing.assert_array_equal(function(sum_of_squares, x, h=0.5, method="backward"), 2 * x - 0.5)
    x = np.ones((2, 3))
    np.testing.assert_array_equal(function(sum_of_squares, x, h=h, method="forward"), 2 * x + h)


@every_method
def test_jacobian_against_the_closed_form(method):
    def f(x):
        return np.array([x[0] * x[1], np.sin(x[0]), x[1] ** 3])

    x = np.array([0.7, -1.3])
    expected = [[x[1], x[0]], [np.cos(x[0]), 0], [0, 3 * x[1] ** 2]]
    result = jacobian(f, x, method=method)
    np.testing.assert_allclose(result, expected, atol=10 * TOLERANCE[method])


@pytest.mark.parametrize(
    ("rows", "shape"), [((), (3,)), ((2,), (3,)), ((2, 2), (3,)), ((2,), (2, 3)), ((2,), ())]
)
def test_jacobian_has_the_axes_of_the_value_then_those_of_x(rows, shape):
    rng = np.random.default_rng(2)
    a, x = rng.normal(size=rows + shape), rng.normal(size=shape)
    result = jacobian(lambda x: np.tensordot(a, x, axes=x.ndim) if np.ndim(x) else a * x, x, h=0.5)
    assert result.shape == rows + shape
    np.testing.assert_allclose(result, a, atol=1e-14)
    assert jacobian(np.sin, x.astype(np.float32)).dtype == np.float32


@every_method
def test_hessian_of_rosenbrock(method):
    def grad(x):
        return np.array([-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)])

    x, y = -1.2, 1.0
    expected = [[2 - 400 * y + 1200 * x * x, -400 * x], [-400 * x, 200]]
    result = hessian(grad, [x, y], method=method)
    np.testing.assert_allclose(result, expected, rtol=100 * TOLERANCE[method])
    np.testing.assert_array_equal(result, result.T)
    assert hessian(twice, np.ones(3, dtype=np.float32)).dtype == np.float32


def test_hessian_is_the_symmetric_part_with_the_given_steps():
    def not_a_gradient(x):
        return np.array([x[0] ** 2 + 3 * x[1], x[1] ** 2 + x[0]])

    H = hessian(not_a_gradient, [1.0, 2.0], h=[0.5, 0.25], method="forward")
    np.testing.assert_array_equal(H, [[2.5, 2.0], [2.0, 4.25]])


def test_hessian_vector_against_the_closed_form():
    rng = np.random.default_rng(3)
    x, v = rng.normal(size=(2, 4))

    def grad(x):
        return np.cos(x) * x.sum() + np.sin(x).sum()

    outer = np.cos(x)[:, None] + np.cos(x)
    expected = outer @ v - np.sin(x) * x.sum() * v
    np.testing.assert_allclose(hessian_vector(grad, x, v), expected, atol=1e-9)
    # The default step follows the length of v and the size of x: no v is too long or too short.
    for length in (1e-30, 1e-3, 1e30):
        np.testing.assert_allclose(hessian_vector(grad, x, length * v), length * expected, rtol=1e-7)
    # v has any shape that x has.
    matrix = hessian_vector(lambda x: x * x, np.ones((2, 2)), [[1, 2], [3, 4]])
    np.testing.assert_allclose(matrix, [[2, 4], [6, 8]], rtol=1e-9)
    number = hessian_vector(lambda x: x * x, 3.0, 2)
    assert number == pytest.approx(12)
    assert type(number) is np.float64


def test_hessian_vector_calls_grad_twice_at_points_along_v():
    for h, step in ((0.25, 0.25), (None, default_step("central", 100.0) / 4)):
        grad = Counted(lambda x: x * x)
        x, v = np.array([3.0, -100.0]), np.array([-4.0, 1.0])
        hessian_vector(grad, x, v, h=h)
        np.testing.assert_array_equal(grad.points, [x + step * v, x - step * v])
    assert hessian_vector(lambda x: x * x * x, 1.0, 1.0, h=0.5) == 3.25
    assert hessian_vector(twice, [1.0, 2.0], [0, 0]).tolist() == [0, 0]
    result = hessian_vector(twice, np.ones(2, np.float32), [1.0, 2.0])
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, [2, 4], rtol=1e-4)


def test_x_is_left_alone_and_f_may_spoil_its_argument_or_reuse_its_memory():
    x, memory = np.array([1.0, 2.0]), np.zeros(2)

    def spoils(x):
        x *= x
        return x

    def reuses(x):
        memory[:] = x * x
        return memory

    for f in (spoils, reuses):
        for method in METHODS[:4]:
            np.testing.assert_allclose(derivative(f, x, method=method), [2, 4], rtol=1e-6)
            np.testing.assert_allclose(jacobian(f, x, method=method), [[2, 0], [0, 4]], atol=1e-6)
        np.testing.assert_allclose(hessian_vector(f, x, [1, 1]), [2, 4], rtol=1e-6)
        assert check_gradient(sum_of_squares, lambda x, f=f: 2 * np.sqrt(f(x)), x).ok
        assert check_gradient(lambda x, f=f: f(x).sum(), twice, x).ok
        assert x.tolist() == [1, 2]


# -- bad input ------------------------------------------------------------------------------------------

FUNCTIONS = {
    "derivative": lambda x, h=None, method="central": derivative(np.sin, x, h, method),
    "gradient": lambda x, h=None, method="central": gradient(np.sum, x, h, method),
    "jacobian": lambda x, h=None, method="central": jacobian(np.sin, x, h, method),
    "hessian": lambda x, h=None, method="central": hessian(np.sin, x, h, method),
    "hessian_vector": lambda x, h=None, method="central": hessian_vector(np.sin, x, [1, 1], h),
    "check_gradient": lambda x, h=None, method="central": check_gradient(np.sum, np.ones_like, x, h, method),
}
every_function = pytest.mark.parametrize("call", FUNCTIONS.values(), ids=FUNCTIONS)
nonsense = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.booleans(),
    st.sampled_from(
        [[], [[]], [1, [2]], {}, {1}, 1j, math.nan, math.inf, -math.inf, object(), np.array([None])]
    ),
    hnp.arrays(
        float, hnp.array_shapes(max_dims=2, max_side=3), elements=st.sampled_from([math.nan, -math.inf])
    ),
)


@every_function
@quick
@given(x=nonsense)
def test_bad_x_is_named(call, x):
    for one in (call, lambda x: call(x, 0.1), lambda x: default_step("central", x)):
        with pytest.raises(ValueError, match=r"(?s)^x = .*: must be .*\. Pass"):
            one(x)


@every_function
@quick
@given(
    h=st.one_of(nonsense.filter(lambda h: h is not None), st.floats(max_value=0), st.integers(max_value=0))
)
def test_bad_h_is_named(call, h):
    with pytest.raises(ValueError, match=r"(?s)^h = .*: must be .*\. Pass one step.*leave h out"):
        call([1.0, 2.0], h)


@pytest.mark.parametrize("name", ["default_step", *(name for name in FUNCTIONS if name != "hessian_vector")])
@quick
@given(method=nonsense, h=st.sampled_from([None, 0.1]))
def test_bad_method_is_named(name, method, h):
    call = FUNCTIONS.get(name, lambda x, h, method: default_step(method, x))
    with pytest.raises(
        ValueError, match=r"(?s)^method = .*: must be one of 'forward', .*'richardson'\. Choose"
    ):
        call([1.0, 2.0], h, method=method)


@every_function
@pytest.mark.parametrize("h", [[0.1, 0.1, 0.1], [[0.1, 0.1, 0.1]]])
def test_steps_that_do_not_fit_are_named(call, h):
    with pytest.raises(
        ValueError, match=r"^h = .*of a shape that broadcasts to x's, \((2,)?\)\. Pass one step"
    ):
        call([1.0, 2.0], h)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "derivative"])
def test_only_derivative_lets_the_step_add_axes(name):
    with pytest.raises(ValueError, match=r"^h = \[\[0\.1\], \[0\.1\]\]: must be of a shape"):
        FUNCTIONS[name]([1.0, 2.0], [[0.1], [0.1]])


@pytest.mark.parametrize(
    ("x", "h", "message"),
    [
        (1.0, 1.2e307, r"h = 1\.2e\+307: must be above 0 and below 1e\+307, in float64"),
        (1.0, np.finfo(float).max / 16, r"h = 1.1\d+e\+307: must be above 0"),
        (1.0, 0, r"h = 0\.0: must be above 0"),
        (1.0, [0.1, 0.0], r"h = \[0\.1, 0\.0\]: must be above 0"),
        (np.float32(1), 1e-200, r"h = 1e-200: must be above 0 and below 2e\+37, in float32"),
        (np.float32(1), 1e300, r"h = 1e\+300: must be above 0 and below 2e\+37, in float32"),
        (np.float32(1), 2.0**124, r"h = 2\.1\d+e\+37: must be above 0"),
    ],
)
def test_steps_out_of_the_range_of_the_dtype_are_named(x, h, message):
    for errors in ("warn", "raise"):  # also where the reader has told NumPy to raise
        with np.errstate(all=errors), pytest.raises(ValueError, match=f"^{message}"):
            derivative(np.tanh, x, h=h)


@every_method
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_huge_steps_below_the_limit_and_tiny_ones_are_used(method, dtype):
    limit = np.finfo(dtype).max / 16
    for h in (np.nextafter(limit, limit * 0), np.finfo(dtype).tiny):
        assert derivative(lambda t: t * 1, np.dtype(dtype).type(0), h=h, method=method) == pytest.approx(1)


@pytest.mark.parametrize("bad", [None, 3, "sin", [1.0]])
def test_what_is_no_function_is_named(bad):
    for name, call in {
        "f": [
            lambda: derivative(bad, 1.0),
            lambda: gradient(bad, [1.0]),
            lambda: jacobian(bad, [1.0]),
            lambda: check_gradient(bad, twice, [1.0]),
        ],
        "grad": [
            lambda: hessian(bad, [1.0]),
            lambda: hessian_vector(bad, [1.0], [1.0]),
            lambda: check_gradient(sum_of_squares, bad, [1.0]),
        ],
    }.items():
        for one in call:
            with pytest.raises(
                ValueError, match=rf"^{name} = .*: must be a function\. Pass the function itself"
            ):
                one()


def raises(x):
    raise KeyError("lost")


BAD_VALUES = [
    (raises, "raised KeyError: 'lost'. Call {} with such an x by itself"),
    (lambda x: None, "dtype of {}(x) = 'object': must be a real one. Let {} return real numbers"),
    (lambda x: "a", "dtype of {}(x) = 'str32': must be a real one."),
    (lambda x: x > 0, "dtype of {}(x) = 'bool': must be a real one."),
    (lambda x: x * 1j, "dtype of {}(x) = 'complex128': must be a real one."),
    (lambda x: [1, [2, 3]], "raised ValueError: "),
    (lambda x: np.ones(7), "shape of {}(x) = (7,): must be "),
    (lambda x: x.sum() * math.nan, "= nan: must be finite. Take a smaller h, or x further inside"),
    (lambda x: x.sum() * math.inf, "must be finite."),
]


@pytest.mark.parametrize(("bad", "text"), BAD_VALUES)
def test_what_f_does_wrong_is_explained(bad, text):
    x = np.array([1.0, 2.0])
    for name, call in [
        ("f", lambda: derivative(bad, x)),
        ("f", lambda: gradient(bad, x)),
        ("grad", lambda: hessian(bad, x)),
        ("grad", lambda: hessian_vector(bad, x, x)),
        ("f", lambda: check_gradient(bad, twice, x)),
        ("grad", lambda: check_gradient(sum_of_squares, bad, x)),
    ]:
        with pytest.raises(ValueError, match=r"\.") as caught:
            call()
        message = str(caught.value)
        if "finite" not in text or "shape" not in message:  # a NaN of the wrong shape may be called either
            assert text.replace("{}", name) in message
        assert f"{name}(" in message


@every_method
def test_a_nan_names_the_point_where_f_gave_it(method):
    bad = {"forward": r"1\.25", "backward": r"0\.75", "complex-step": r"1\.\+0\.25j"}.get(
        method, r"(1\.25|1\.125)"
    )

    def f(x):
        return np.where((x == 1) | (np.real(x) == 2), x, math.nan)

    with pytest.raises(
        ValueError, match=rf"^f\({bad}\) = (nan|\(nan\+0j\)): must be finite\. Take a smaller h"
    ):
        derivative(f, [2.0, 1.0], h=[1e-300, 0.25], method=method)


def test_a_point_of_several_coordinates_is_shown_whole_or_shortened():
    with pytest.raises(ValueError, match=r"^f\(\[ ?1\.0+e\+00, -4\.806\d{11,}e-06\]\) = nan"):
        gradient(lambda x: np.log(x).sum(), [1.0, 1e-12])
    with pytest.raises(ValueError, match=r"^f\(\[1\.5, 1\. , \.\.\., 1\. , 1\. \]\) = nan"):
        gradient(lambda x: math.nan, np.ones(7), h=0.5)
    with pytest.raises(ValueError, match=r"^f\(\[1\.5, 1\. , 1\. , 1\. , 1\. , 1\. \]\) = nan"):
        gradient(lambda x: math.nan, np.ones(6), h=0.5)


def test_a_gradient_that_is_nan_shows_the_whole_point():
    with pytest.raises(ValueError, match=r"^grad\(\[1\.5, 2\. \]\) = nan: must be finite\."):
        hessian(lambda x: np.where(x == 1.5, math.nan, x), [1.0, 2.0], h=0.5)
    with pytest.raises(ValueError, match=r"^f\(\[1\.5, 2\. \]\) = inf: must be finite\."):
        jacobian(lambda x: np.array([1.0, 2.0, math.inf]), [1.0, 2.0], h=0.5)


def test_a_logarithm_beyond_its_domain_is_explained_without_warnings():
    with pytest.raises(
        ValueError, match=r"^f\(-0\.5\) = nan: must be finite.*inside the region where f is finite"
    ):
        derivative(np.log, 0.5, h=1.0)
    with pytest.raises(ValueError, match=r"^f\(0\.\) = -inf"):
        derivative(np.log, 1.0, h=1.0)
    for method in ("forward", "backward"):
        with pytest.raises(ValueError, match=r"^f\(-1\.\) = nan"):
            derivative(np.log, -1.0, method=method)
        with pytest.raises(ValueError, match=r"^f\(-1\.\) = nan"):
            derivative(np.log, [-1.0, 0.0], method=method)
    with pytest.raises(ValueError, match=r"^grad\(\[0\., 1\.\]\) = inf"):
        check_gradient(lambda x: np.log(x + 1).sum(), lambda x: 1 / x, [0.0, 1.0])


@pytest.mark.parametrize("f", [abs, np.real, lambda z: 3.0, lambda z: np.real(z) > 0])
def test_a_real_value_for_a_complex_argument_is_refused(f):
    with pytest.raises(
        ValueError, match=r"^dtype of f\(x\) = '(float64|bool)': must be complex.*take another method"
    ):
        derivative(f, 1.0, method="complex-step")


def test_functions_that_cannot_take_what_they_get_are_explained():
    with pytest.raises(
        ValueError, match=r"^f\(\[.*\]\) raised TypeError: .*\. Call f with such an x"
    ) as caught:
        derivative(math.sin, [1.0, 2.0])
    assert isinstance(caught.value.__cause__, TypeError)
    with pytest.raises(ValueError, match=r"^f\(1\.\+1\.\d+e-32j\) raised ComplexWarning"):
        derivative(lambda z: math.sin(z) + 0 * z, 1.0, method="complex-step")


def test_values_of_the_wrong_shape_are_explained():
    with pytest.raises(
        ValueError, match=r"^shape of f\(x\) = \(\): must be \(2,\)\. Let f .* x of shape \(2,\)\."
    ):
        derivative(lambda x: 3.0, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"^shape of f\(x\) = \(1,\): must be \(\), one number\."):
        gradient(lambda x: x[:1], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"^shape of grad\(x\) = \(3,\): must be \(2,\)\."):
        hessian(lambda x: np.ones(3), [1.0, 2.0])
    with pytest.raises(ValueError, match=r"^shape of grad\(x\) = \(\): must be \(2,\)\."):
        hessian_vector(lambda x: 1.0, [1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"^shape of f\(x\) = \(2,\): must be \(1,\)\."):
        jacobian(lambda x: np.ones(1 if x[0] > 1 else 2), [1.0, 2.0])


def test_hessian_wants_one_axis():
    for x in (1.0, [[1.0]]):
        with pytest.raises(ValueError, match=r"^x = .*: must be an array with 1 axis\. Flatten x"):
            hessian(twice, x)


@pytest.mark.parametrize("v", [[1.0], 1.0, [[1.0, 2.0]], [1.0, math.nan], "ab", [1e300, 0]])
def test_a_direction_that_does_not_fit_is_named(v):
    with pytest.raises(ValueError, match=r"^v = .*: must be .*\. Pass a direction of x's shape \(2,\)"):
        hessian_vector(twice, np.ones(2, dtype=np.float32), v)


def test_a_direction_too_short_for_a_step_is_refused():
    with pytest.raises(ValueError, match=r"^h = .*: must be"):
        hessian_vector(twice, [1.0], [1e-320])


def test_overflow_is_refused_not_returned():
    big = np.finfo(float).max
    with pytest.raises(ValueError, match=r"^x \+ h = .*inf.*: must be finite\. Take a smaller h"):
        derivative(np.tanh, 0.99 * big, h=0.06 * big)
    with pytest.raises(ValueError, match=r"(?s)^x \+ h = .*inf.*: must be finite"):
        gradient(lambda x: np.tanh(x).sum(), [1.0, 0.99 * big], h=0.06 * big)
    with pytest.raises(ValueError, match=r"^x = .*e\+308.*: must be so far from overflow.* Scale x down"):
        gradient(lambda x: np.tanh(x).sum(), [1.0, big])
    assert default_step("complex-step", [1.0, big]).max() == big * U["float64"] ** 2
    with pytest.raises(ValueError, match=r"^derivative = .*inf.*: must be finite\. Take a larger h"):
        derivative(lambda x: 1e300 * np.sin(1e10 * x), 0.0, h=1e-11)
    with pytest.raises(ValueError, match=r"(?s)^derivative = .*inf.*: must be finite"):
        jacobian(lambda x: 1e50 * x.astype(float), np.ones(2, dtype=np.float32))


@every_method
@quick
@given(x=st.floats(-1e300, 1e300), slope=st.floats(-1e3, 1e3))
def test_a_straight_line_has_its_slope_everywhere(method, x, slope):
    result = derivative(lambda t: slope * t, x, method=method)
    assert abs(result - slope) <= 1e-6 * abs(slope) + 1e-300


# -- checking gradients ---------------------------------------------------------------------------------


def regression(weight_decay=0.0, y_scale=1.0):
    """Loss and gradient of a small linear regression with known data; theta has shape (4,)."""
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(20, 4)), y_scale * rng.normal(size=20)

    def loss(theta):
        return ((X @ theta - y) ** 2).mean() + weight_decay * (theta * theta).sum()

    def grad(theta):
        return 2 * X.T @ (X @ theta - y) / 20 + 2 * weight_decay * theta

    return loss, grad, np.array([0.5, -1.0, 2.0, 0.1])


@every_method
def test_right_gradients_are_found_right(method):
    loss, grad, theta = regression(0.1)
    report = check_gradient(loss, grad, theta, method=method)
    assert report.verdict in ("right", "probably right (kink or float32?)")
    assert report.verdict == "right" or ORDER[method] == 1
    assert report.ok
    assert report.method == method
    assert report.h == default_step(method, theta)[report.worst]
    assert report.analytic == grad(theta)[report.worst]
    assert report.numerical == gradient(loss, theta, method=method)[report.worst]


def one_coordinate(g):
    return g * [1, 1, 1.05, 1]


PLANTED = {
    "sign": (lambda g, theta: -g, 2.0),
    "factor 2": (lambda g, theta: g / 2, 0.5),
    "1/N forgotten": (lambda g, theta: 20 * g, 0.95),
    "one coordinate": (lambda g, theta: one_coordinate(g), 0.05 / 1.05),
    "order": (lambda g, theta: g[::-1], None),
    "constant": (lambda g, theta: g + 0.5, None),
    "zero": (lambda g, theta: 0 * g, 1.0),
    "decay forgotten": (lambda g, theta: g - 2 * 0.1 * theta, None),
    "decay halved": (lambda g, theta: g - 0.1 * theta, None),
}


@every_method
@pytest.mark.parametrize("name", PLANTED)
def test_planted_mistakes_are_found_wrong(name, method):
    loss, grad, theta = regression(0.1)
    plant, error = PLANTED[name]
    report = check_gradient(loss, lambda x: plant(grad(x), x), theta, method=method)
    assert report.verdict == "wrong"
    assert not report.ok
    right, wrong = grad(theta), plant(grad(theta), theta)
    expected = np.abs(wrong - right) / np.maximum(np.abs(wrong), np.abs(right))
    assert report.relative_error == pytest.approx(expected.max(), rel=1e-4)
    assert error is None or report.relative_error == pytest.approx(error, rel=1e-4)
    assert report.worst == (int(np.argmax(expected > 0.995 * expected.max())),)
    assert report.analytic == wrong[report.worst]
    assert report.numerical == pytest.approx(right[report.worst], rel=1e-4)


def test_a_slope_of_zero_raises_no_false_alarm():
    def bowl(x):
        return x[0] ** 2 + x[1] ** 2 - 4 * x[0] - 4 * x[1] + 8

    def rosenbrock(x):
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    def rosenbrock_grad(x):
        return np.array([-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)])

    assert check_gradient(bowl, lambda x: 2 * x - 4, [2.0, 2.0]).verdict == "right"
    assert check_gradient(bowl, lambda x: 2 * x - 4, [2.0, -3.0]).verdict == "right"
    assert check_gradient(rosenbrock, rosenbrock_grad, [1.0, 1.0]).ok
    # A parameter that does nothing, as a bias before batch normalisation, in float32 too; the loss is large.
    for dtype in (np.float64, np.float32):
        x = np.array([0.3, 0.7, 1.1], dtype=dtype)
        report = check_gradient(
            lambda x: 1e4 * (x - x.mean()).std(), lambda x: 1e4 * (x - x.mean()) / (3 * x.std()), x
        )
        assert report.ok, report
    still = check_gradient(lambda x: 1e6 + 0 * x.sum(), lambda x: 0 * x, [1.0, 2.0])
    assert (still.relative_error, still.worst, still.verdict) == (0, (0,), "right")


@pytest.mark.parametrize(
    ("error", "verdict", "ok"),
    [
        (0.0, "right", True),
        (1e-7, "right", True),
        (1.01e-7, "probably right (kink or float32?)", True),
        (1e-4, "probably right (kink or float32?)", True),
        (1.01e-4, "suspicious", False),
        (1e-2, "suspicious", False),
        (1.01e-2, "wrong", False),
        (1.0, "wrong", False),
    ],
)
def test_thresholds_of_the_verdict(error, verdict, ok):
    # At x = 0 with h = 1 the numerical slope is exactly `error`; divided by a floor of 1 it stays so.
    report = check_gradient(lambda x: error * x, lambda x: 0 * x, 0.0, h=1.0, floor=1.0)
    assert (report.relative_error, report.verdict, report.ok) == (error, verdict, ok)
    assert (report.worst, report.analytic, report.numerical, report.h) == ((), 0, error, 1)


@pytest.mark.parametrize(
    ("value", "dtype", "floor"),
    [(0.5, "float64", 1.0), (1.0, "float64", 1.0), (-40.0, "float64", 40.0), (8.0, "float32", 8.0)],
)
def test_the_default_floor_follows_the_loss_and_the_dtype(value, dtype, floor):
    floor *= 10 * U[dtype] ** 0.25
    x = np.array([0.0], dtype=dtype)
    tiny = 2.0**-30
    report = check_gradient(lambda x: value + 0 * x.sum(), lambda x: 0 * x + tiny, x)
    assert report.relative_error == pytest.approx(tiny / floor)


def test_a_given_floor_sharpens_the_check_of_a_tiny_loss():
    loss, grad, theta = regression()
    tiny, wrong = lambda x: 1e-12 * loss(x), lambda x: -1e-12 * grad(x)
    assert check_gradient(tiny, wrong, theta).ok, "as documented"
    assert check_gradient(tiny, wrong, theta, floor=1e-14).verdict == "wrong"
    # Above the floor it changes nothing, for an analytic value that is too small and one that is too large.
    for grad_x in (0.5, 4.0):
        assert check_gradient(
            lambda x: x, lambda x, g=grad_x: 0 * x + g, 0.0, h=1.0, floor=0.25
        ).relative_error == (0.5 if grad_x < 1 else 0.75)


@pytest.mark.parametrize("floor", [0, -1, math.nan, math.inf, "small", [0.1], True])
def test_a_bad_floor_is_named(floor):
    with pytest.raises(ValueError, match=r"^floor = .*: must be .*\(0, inf\)\. Pass the size"):
        check_gradient(sum_of_squares, twice, [1.0], floor=floor)


@pytest.mark.parametrize(("first", "worst"), [(0.98, 1), (0.99, 0), (0.995, 0), (1.0, 0)])
def test_the_first_coordinate_within_one_per_cent_of_the_worst_is_named(first, worst):
    report = check_gradient(
        lambda x: 0 * x.sum(), lambda x: 0 * x + [first, 1.0], [0.0, 0.0], h=1.0, floor=1.0
    )
    assert report.worst == (worst,)
    assert report.analytic == (first, 1.0)[worst]
    assert report.relative_error == 1


def test_the_report_holds_plain_numbers_in_double_precision():
    x = np.ones((1, 2), dtype=np.float32)
    report = check_gradient(sum_of_squares, lambda x: 3 * x, x)
    kinds = [type(value) for value in dataclasses.astuple(report)]
    assert kinds == [float, tuple, float, float, str, float, str]
    assert [type(i) for i in report.worst] == [int, int]
    assert type(report.ok) is bool
    # A floor below the range of float32 is no division by zero.
    assert check_gradient(lambda x: 0 * x.sum(), lambda x: 0 * x, x, floor=1e-60).relative_error == 0


def test_a_loss_of_many_numbers_is_refused_with_any_floor():
    for floor in (None, 0.1):
        with pytest.raises(ValueError, match=r"^shape of f\(x\) = \(2,\): must be \(\), one number"):
            check_gradient(lambda x: x * x, twice, [1.0, 2.0], floor=floor)


def test_known_false_alarms():
    def relu_loss(x):
        return np.maximum(x, 0).sum()

    def relu_grad(x):
        return (x > 0).astype(float)

    kink = check_gradient(relu_loss, relu_grad, [1.0, 1e-7])
    assert (kink.verdict, kink.worst) == ("wrong", (1,))
    assert check_gradient(relu_loss, relu_grad, [1.0, 1e-7], h=1e-8).verdict == "right"
    loss, grad, theta = regression()
    assert check_gradient(loss, grad, theta, h=1e-14).verdict in ("suspicious", "wrong")
    single = check_gradient(lambda x: np.exp(x).sum(), np.exp, np.linspace(-1, 1, 5, dtype=np.float32))
    assert single.verdict != "right"
    assert single.relative_error < 1e-2


def test_values_too_large_for_a_difference_are_compared_all_the_same():
    big = 1.5e308
    report = check_gradient(lambda x: big * x, lambda x: 0 * x - big, 0.0, h=0.5)
    assert (report.relative_error, report.verdict) == (2, "wrong")


def test_the_report_of_a_right_gradient_prints_no_round_off():
    report = check_gradient(sum_of_squares, twice, [1.0, 2.0])
    assert repr(report) == "Gradient check: right\n  relative error < 1e-7 in every coordinate (central)"


def test_the_report_of_a_wrong_gradient_names_the_place():
    def f(x):
        return (x * x * x).sum()

    x = np.array([[1.0, 2.0], [0.5, -1.0]])
    planted = np.array([[1, 1], [1, -1]])
    assert repr(check_gradient(f, lambda x: 3 * x * x * planted, x, method="forward")) == (
        "Gradient check: wrong\n"
        "  relative error 2 (forward, h = 1.1e-08)\n"
        "  worst at x[1, 1]: analytic -3, numerical 3"
    )
    assert repr(check_gradient(f, lambda x: 3 * x * x + 0.001, [1.0, 2.0], h=1e-5)) == (
        "Gradient check: suspicious\n"
        "  relative error 0.00033 (central, h = 1e-05)\n"
        "  worst at x[0]: analytic 3.001, numerical 3"
    )
    assert repr(check_gradient(f, lambda x: 3 * x * x * (1 + 1e-5), 2)) == (
        "Gradient check: probably right (kink or float32?)\n"
        "  relative error 1e-05 (central, h = 9.6e-06)\n"
        "  worst at x: analytic 12, numerical 12"
    )
    assert repr(check_gradient(lambda x: 1 + 0 * x[0], lambda x: 1 + 0 * x, [0.0])).endswith(
        "worst at x[0]: analytic 1, numerical 0"
    )


def test_the_printed_digits_do_not_turn_on_round_off():
    base = GradientReport(0.125, (3,), 2.0, 1.75, "wrong", 1e-5, "central")
    for nudge in (-1e-9, 0, 1e-9):
        report = dataclasses.replace(
            base, relative_error=0.125 + nudge, analytic=2 + nudge, numerical=2.0005 + nudge
        )
        assert repr(report) == (
            "Gradient check: wrong\n"
            "  relative error 0.13 (central, h = 1e-05)\n"
            "  worst at x[3]: analytic 2, numerical 2.001"
        )
    for small, text in ((1e-6, "0"), (-1e-6, "0"), (1.1e-6, "1.1e-06"), (-0.0, "0")):
        assert repr(dataclasses.replace(base, analytic=small, numerical=-1.0)).endswith(
            f"{text}, numerical -1"
        )
        assert repr(dataclasses.replace(base, analytic=1.0, numerical=small)).endswith(f"1, numerical {text}")
        assert repr(dataclasses.replace(base, analytic=100 * small, numerical=-100.0)).endswith(
            f"{'0.00011' if small > 1e-6 else '0'}, numerical -100"
        )
        assert repr(dataclasses.replace(base, analytic=-1.0, numerical=small)).endswith(
            f"-1, numerical {text}"
        )


def test_a_report_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GradientReport(0.1, (0,), 1.0, 1.0, "wrong", 1e-5, "central").verdict = "right"
