"""Regression losses against plain loops, differences, closed forms; minibatches against smaller data."""

import dataclasses
import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import derivatives
from course_lib.landscapes import noisy
from course_lib.regressions import (
    LOSSES,
    Regression,
    SoftmaxRegression,
    gabor,
    gabor_data,
    gabor_model,
    linear_regression,
    log_softmax,
    softmax,
    softmax_regression,
)

RNG = np.random.default_rng(20)
X1 = RNG.uniform(-15, 15, 23)
Y1 = 0.4 * X1 - 1 + RNG.normal(size=23)
X4, Y4 = RNG.normal(size=(23, 4)), RNG.permutation(np.arange(23) % 3)

# name: how to make the loss on some of the examples
MAKE = {
    "linear mean": lambda i=slice(None): linear_regression(X1[i], Y1[i]),
    "linear half-mean": lambda i=slice(None): linear_regression(X1[i], Y1[i], "half-mean"),
    "linear sum": lambda i=slice(None): linear_regression(X1[i], Y1[i], loss="sum"),
    "gabor 8": lambda i=slice(None): gabor(X1[i], Y1[i]),
    "gabor 32": lambda i=slice(None): gabor(X1[i], Y1[i], 32, "sum"),
    "softmax": lambda i=slice(None): softmax_regression(X4[i], Y4[i], 3),
    "softmax decayed": lambda i=slice(None): softmax_regression(X4[i], Y4[i], 3, 0.7),
}


@functools.cache
def on_all(name):
    return MAKE[name]()


@pytest.fixture(params=MAKE, name="case")
def _case(request):
    land = on_all(request.param)
    low, high = np.array(land.window).T
    return MAKE[request.param], land, np.random.default_rng(7).uniform(low, high, (12, land.dim))


def functions(land):
    return (land, land.grad) if land.hessian is None else (land, land.grad, land.hess)


def close(a, b, rtol=1e-12):
    np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max())


# ----------------------------------------------------------------------------------- every regression loss


def test_gradient_agrees_with_differences(case):
    _, land, x = case
    for point in x:
        close(land.grad(point), derivatives.gradient(land, point, method="complex-step"), 1e-11)
    assert all(derivatives.check_gradient(land, land.grad, point).ok for point in x[:3])


def test_hessian_agrees_with_differences(case):
    _, land, x = case
    if land.hessian is None:
        with pytest.raises(ValueError, match=r"^hessian = None.*course_lib\.derivatives\.hessian"):
            land.hess(x)
        return
    for point, h in zip(x, land.hess(x), strict=True):
        close(h, derivatives.jacobian(land.grad, point, method="complex-step"), 1e-11)
        np.testing.assert_array_equal(h, h.T)


def test_batch_equals_single(case):
    _, land, x = case
    for function in functions(land):
        single = np.stack([function(point) for point in x])
        close(function(x), single)
        close(function(x.reshape(3, 4, -1)), single.reshape(3, 4, *single.shape[1:]))
        close(function(np.asfortranarray(x)), single)
        close(function(x[::-1]), single[::-1])
        close(function(x[:1]), single[:1])
        assert function(x[:0]).shape == (0, *single.shape[1:])


def test_shared_minibatch_is_the_loss_on_these_examples(case):
    make, land, x = case
    rows = np.array([4, 0, 17, 4])  # in any order, and twice
    for function, smaller in zip(functions(land), functions(make(rows)), strict=True):
        close(function(x, rows), smaller(x))
        close(function(x[0], rows), smaller(x[0]))
        close(function(x, rows=rows.tolist()), smaller(x))
        close(function(x, rows.astype(np.uint8)), smaller(x))


def test_each_member_may_have_its_own_minibatch(case):
    _, land, x = case
    rows = np.random.default_rng(1).integers(0, 23, (12, 5))
    for function in functions(land):
        single = np.stack([function(*pair) for pair in zip(x, rows, strict=True)])
        close(function(x, rows), single)
        close(function(x.reshape(3, 4, -1), rows.reshape(3, 4, 5)), single.reshape(3, 4, *single.shape[1:]))


def test_one_point_may_meet_many_minibatches(case):
    _, land, x = case
    rows = np.random.default_rng(1).integers(0, 23, (6, 5))
    for function in functions(land):
        close(function(x[0], rows), np.stack([function(x[0], row) for row in rows]))


def test_all_rows_are_no_rows(case):
    _, land, x = case
    for function in (land.f, land.gradient, land.hessian or land.f):  # called directly, they need no rows
        close(function(x), function(x, np.arange(23)))
    for function in functions(land):
        close(function(x, np.arange(23)), function(x))
        close(function(x, None), function(x))


@pytest.mark.parametrize("name", [name for name in MAKE if "sum" not in name and name != "gabor 32"])
def test_minibatch_gradients_are_unbiased(name):
    land = MAKE[name]()
    x = np.full(land.dim, 0.3)
    close(land.grad(x, np.arange(23)[:, None]).mean(0), land.grad(x))


def test_points_that_ran_away_pass_quietly(case):
    _, land, x = case
    for bad in (np.nan, np.inf, -np.inf, 1e200, -1e300):
        batch = np.stack([x[0], np.full(land.dim, bad)])
        for function in functions(land):
            close(function(batch)[0], function(x[0]))
            with np.errstate(all="raise"):
                function(batch[1], [0, 2])
        if np.isnan(bad):
            assert np.isnan(land(batch[1]))
            assert np.isnan(land.grad(batch[1])).all()


def test_points_and_rows_are_left_alone(case):
    _, land, x = case
    rows = np.arange(5)
    x.flags.writeable = rows.flags.writeable = False
    for function in functions(land):
        first = function(x, rows).copy()
        result = function(x, rows)
        result += 1
        np.testing.assert_array_equal(function(x, rows), first)


def test_window_holds_start_and_minima(case):
    _, land, _ = case
    low, high = np.array(land.window).T
    for point in (land.start, *land.minima):
        assert (point > low).all()
        assert (point < high).all()


def test_number_of_examples_and_kind(case):
    _, land, _ = case
    assert isinstance(land, Regression)
    assert land.n_examples == 23
    assert repr(land) == f"<{type(land).__name__} {land.name!r}, dim={land.dim}>"


def test_landscapes_are_told_apart_by_identity_and_made_by_keyword(case):
    make, land, _ = case
    assert land != make()
    assert len({land, make()}) == 2
    assert all(field.kw_only for field in dataclasses.fields(land))


def test_noise_keeps_minibatches(case):
    _, land, x = case
    shaky = noisy(land, 0.1, np.random.default_rng(0))
    rows = np.arange(24).reshape(12, 2) % 23
    noise = shaky.grad(x, rows) - land.grad(x, rows)
    close(noise, 0.1 * np.random.default_rng(0).standard_normal(x.shape), 1e-6)
    np.testing.assert_array_equal(shaky(x, rows), land(x, rows))
    assert type(shaky) is type(land)


@pytest.mark.parametrize("method", ["__call__", "grad"])
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([-1], "^rows = .*: must be integers from 0 to 22, shape"),
        ([23], "^rows = .*: must be integers from 0 to 22"),
        (3, "^rows = 3: must be integers"),
        ([], "^rows = "),
        (np.zeros(0, int), "^rows = .*: must be"),
        (np.zeros((12, 0), int), "^rows = .*: must be"),
        ([1.0], "^rows = "),
        ([True], "^rows = "),
        ("12", "^rows = '12'"),
        ([[1, 2], [3]], r"^rows = \[\[1, 2\], \[3\]\]: must be"),
        (slice(3), "^rows = "),
        (np.zeros((5, 2), int), r"^rows\.shape = \(5, 2\): must be \(B,\) or \(12, 'B'\)"),
    ],
)
def test_bad_rows_are_refused_by_name(case, method, rows, message):
    _, land, x = case
    with pytest.raises(ValueError, match=message):
        getattr(land, method)(x, rows)


def test_rows_that_fit_no_batch_are_told_the_batch(case):
    _, land, x = case
    with pytest.raises(ValueError, match=r"^rows\.shape = \(5, 2\): must be \(B,\) or \(3, 4, 'B'\)"):
        land(x.reshape(3, 4, -1), np.zeros((5, 2), int))


@pytest.mark.parametrize("rows", [None, [0, 1]])
def test_bad_points_are_refused_by_name(case, rows):
    _, land, x = case
    for function in functions(land):
        with pytest.raises(ValueError, match=rf"^x\.shape = .*must be \(\.\.\., {land.dim}\)"):
            function(x[:, 1:], rows)
        with pytest.raises(ValueError, match=r"^x = None: must be numbers"):
            function(None, rows)


# -------------------------------------------------------------------------------------- linear regression


def test_linear_regression_by_hand():
    # residuals of a x + b - y at (a, b) = (2, 1): 0, -2, 1
    land = linear_regression([0, 1, 2], [1, 5, 4])
    assert land([2, 1]) == pytest.approx(5 / 3, rel=1e-15)
    np.testing.assert_allclose(land.grad([2, 1]), [2 * (-2 * 1 + 1 * 2) / 3, 2 * (-2 + 1) / 3], atol=1e-15)
    np.testing.assert_allclose(land.hess([2, 1]), [[2 * 5 / 3, 2 * 3 / 3], [2 * 3 / 3, 2]], rtol=1e-15)
    np.testing.assert_array_equal(land.grad([2, 1], [1]), [-4, -4])  # a minibatch of one
    assert land([2, 1], [1]) == 4


@pytest.mark.parametrize(("loss", "factor"), [("mean", 1), ("half-mean", 0.5), ("sum", 23)])
@pytest.mark.parametrize("make", [linear_regression, lambda x, y, loss: gabor(x, y, 8, loss)])
def test_losses_differ_by_their_factor(make, loss, factor):
    x = [0.3, 7]
    for function, base in zip(functions(make(X1, Y1, loss)), functions(make(X1, Y1, "mean")), strict=True):
        close(function(x), factor * base(x), 1e-14)
    rows = [1, 2, 3, 4]
    batch_factor = factor if loss != "sum" else 4
    close(make(X1, Y1, loss).grad(x, rows), batch_factor * make(X1, Y1, "mean").grad(x, rows), 1e-14)


def test_losses_are_listed_and_mean_is_the_default():
    assert LOSSES == ("mean", "half-mean", "sum")
    assert linear_regression(X1, Y1)([1, 2]) == linear_regression(X1, Y1, "mean")([1, 2])
    assert gabor(X1, Y1)([1, 2]) == gabor(X1, Y1, 8.0, "mean")([1, 2])


@pytest.mark.parametrize("loss", LOSSES)
def test_line_is_the_least_squares_line(loss):
    land = linear_regression(X1, Y1, loss)
    np.testing.assert_allclose(land.minima, [np.polyfit(X1, Y1, 1)], rtol=1e-12)
    np.testing.assert_allclose(land.grad(land.minima[0]), 0, atol=1e-13 * land.hess(land.start).max())
    assert np.linalg.eigvalsh(land.hess(land.start)).min() > 0


def test_linear_regression_fields():
    land = linear_regression([0, 1, 2], [11, 8, 5])
    np.testing.assert_allclose(land.minima, [[-3, 11]], rtol=1e-15)
    np.testing.assert_allclose(land.window, [(-7.5, 1.5), (-5.5, 27.5)], rtol=1e-14)
    np.testing.assert_array_equal(land.start, [0, 0])
    assert land.name == "linear regression"
    small = linear_regression([0, 1], [0.25, 0.5])
    np.testing.assert_allclose(small.window, [(-1.25, 1.75), (-1.25, 1.75)], rtol=1e-14)


def test_data_are_copied():
    x, y = X1.copy(), Y1.copy()
    X, c = X4.copy(), Y4.copy()
    lands = linear_regression(x, y), gabor(x, y), softmax_regression(X, c)
    before = [land(land.start + 1) for land in lands]
    x += 1
    y += 1
    X += 1
    c[:] = 0
    assert [land(land.start + 1) for land in lands] == before


def test_float32_data_stay_float32():
    for land in (
        linear_regression(X1.astype(np.float32), Y1.astype(np.float32)),
        gabor(X1.astype(np.float32), Y1.astype(np.float32)),
        softmax_regression(X4.astype(np.float32), Y4, weight_decay=0.1),
    ):
        for function in functions(land):
            assert function(land.start.astype(np.float32)).dtype == np.float32
            assert function(land.start).dtype == np.float64
            assert function(land.start.astype(np.float32), [0, 1]).dtype == np.float32


@pytest.mark.parametrize("make", [linear_regression, gabor])
@pytest.mark.parametrize(
    ("args", "name"),
    [
        (([], []), "x"),
        (([[1, 2]], [1, 2]), "x"),
        (([1, np.nan], [1, 2]), "x"),
        (([1, 2], [1, np.inf]), "y"),
        (([1, 2], [1, 2, 3]), r"y\.shape"),
        (([1, 2], [[1, 2]]), "y"),
        (([1, 1e200], [1, 2]), "x"),
        (([1, 2], [1, 1e200]), "y"),
        ((["a", "b"], [1, 2]), "x"),
        (([1, 2], None), "y"),
        ((3, [3]), "x"),
        (([1, 2], [1, 2], "median"), "loss|width"),
    ],
)
def test_curve_fits_refuse(make, args, name):
    with pytest.raises(ValueError, match=rf"^({name}) = (.|\n)*: must be "):
        make(*args)


@pytest.mark.parametrize("loss", ["median", "Mean", None, 2, ["mean"]])
def test_unknown_losses_are_refused(loss):
    for make in (linear_regression, gabor):
        with pytest.raises(ValueError, match=r"^loss = .*: must be one of 'mean', 'half-mean', 'sum'"):
            make(X1, Y1, loss=loss)


@pytest.mark.parametrize("x", [[2, 2, 2], [0.1, 0.1, 0.1], [5], [1e-170, 2e-170]])
def test_line_through_one_x_is_refused(x):
    with pytest.raises(ValueError, match=r"^x = .*two or more different values"):
        linear_regression(x, np.arange(len(x)))


# -------------------------------------------------------------------------------------------------- Gabor


@pytest.mark.parametrize("width", [8, 32, 0.5])
def test_gabor_model_is_its_formula(width):
    for phi0, phi1 in ((0, 16.6), (-3, 7), (2.5, 0)):
        for x in (-15, -1.0, 0, 4):
            u = phi0 + 0.06 * phi1 * x
            expected = math.sin(u) * math.exp(-(u**2) / width)
            assert gabor_model([phi0, phi1], [x], width)[0] == pytest.approx(expected, rel=1e-13)


def test_gabor_model_shapes_and_default_width():
    phi, x = np.random.default_rng(0).normal(size=(3, 4, 2)), np.linspace(-15, 15, 6)
    curves = gabor_model(phi, x)
    assert curves.shape == (3, 4, 6)
    np.testing.assert_allclose(curves[2, 1], gabor_model(phi[2, 1], x, 8.0), rtol=1e-12)
    assert np.isnan(gabor_model([np.nan, 1], x)).all()
    with np.errstate(all="raise"):
        gabor_model([np.inf, 1e300], x)


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (([1, 2, 3], [1]), r"phi\.shape"),
        ((None, [1]), "phi"),
        (([1, 2], [[1]]), "x"),
        (([1, 2], [np.nan]), "x"),
        (([1, 2], [1], 0), "width"),
        (([1, 2], [1], -8), "width"),
        (([1, 2], [1], np.inf), "width"),
        (([1, 2], [1], "8"), "width"),
    ],
)
def test_gabor_model_refuses(args, name):
    with pytest.raises(ValueError, match=rf"^{name} = .*: must be "):
        gabor_model(*args)


def test_gabor_loss_is_the_mean_squared_distance_from_the_model():
    for width in (8, 32):
        for phi in ([0, 16.6], [-5, 20], [3, 4]):
            expected = ((gabor_model(phi, X1, width) - Y1) ** 2).mean()
            assert gabor(X1, Y1, width)(phi) == pytest.approx(expected, rel=1e-12)


def test_gabor_data():
    x, y = gabor_data(np.random.default_rng(3))
    assert x.shape == y.shape == (28,)
    assert (np.diff(x) > 0).all()
    again = gabor_data(np.random.default_rng(3))
    np.testing.assert_array_equal([x, y], again)
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(x, np.sort(rng.uniform(-15, 15, 28)))
    np.testing.assert_allclose(y, gabor_model([0, 16.6], x, 8) + 0.1 * rng.standard_normal(28), atol=1e-14)
    x, y = gabor_data(np.random.default_rng(3), 5000)
    assert (abs(x) < 15).all()
    np.testing.assert_allclose([x.min(), x.max(), x.mean()], [-15, 15, 0], atol=0.3)
    np.testing.assert_allclose((y - gabor_model([0, 16.6], x)).std(), 0.1, rtol=0.05)
    np.testing.assert_allclose((y - gabor_model([0, 16.6], x)).mean(), 0, atol=0.005)


def test_gabor_data_without_noise_lie_on_the_given_curve():
    x, y = gabor_data(np.random.default_rng(3), 2, 0, phi=(-2, 9), width=32)
    np.testing.assert_array_equal(y, gabor_model([-2, 9], x, 32))
    assert gabor(x, y, 32)([-2, 9]) == pytest.approx(0, abs=1e-30)


@pytest.mark.parametrize(
    ("kwargs", "name"),
    [
        ({"rng": 0}, "rng"),
        ({"rng": np.random}, "rng"),
        ({"n": 1}, "n"),
        ({"n": 28.0}, "n"),
        ({"noise": -0.1}, "noise"),
        ({"noise": np.nan}, "noise"),
        ({"noise": np.inf}, "noise"),
        ({"phi": [1, 2, 3]}, r"phi\.shape"),
        ({"phi": [1, np.nan]}, "phi"),
        ({"phi": [[0, 16.6]]}, "phi"),
        ({"width": 0}, "width"),
    ],
)
def test_gabor_data_refuse(kwargs, name):
    with pytest.raises(ValueError, match=rf"^{name} = (.|\n)*: must be "):
        gabor_data(**{"rng": np.random.default_rng(0), **kwargs})


def stationary_points(land):
    """All stationary points in the window, by Newton's method from a grid of starts."""
    (left, right), (low, high) = land.window
    x = np.stack(np.meshgrid(np.linspace(left, right, 41), np.linspace(low, high, 41)), axis=-1).reshape(
        -1, 2
    )
    for _ in range(40):
        step = np.linalg.solve(land.hess(x) + 1e-14 * np.eye(2), land.grad(x)[..., None])[..., 0]
        x = x - np.clip(step, -0.2, 0.2)
    inside = ((x > [left, low]) & (x < [right, high])).all(-1) & (np.abs(land.grad(x)).max(-1) < 1e-11)
    x = x[inside]
    return x[np.unique(x.round(5), axis=0, return_index=True)[1]]


@pytest.mark.parametrize("width", [8, 32])
@pytest.mark.parametrize("seed", [0, 7])
def test_gabor_surface_has_several_minima_and_saddles(width, seed):
    x, y = gabor_data(np.random.default_rng(seed))
    land = gabor(x, y, width)
    points = stationary_points(land)
    curvature = np.linalg.eigvalsh(land.hess(points))
    minima = points[curvature[:, 0] > 1e-9]
    assert len(minima) >= 3
    assert ((curvature[:, 0] < -1e-9) & (curvature[:, 1] > 1e-9)).sum() >= 3
    # `minima` lists exactly these, lowest first
    minima = minima[np.argsort(land(minima))]
    np.testing.assert_allclose(land.minima, minima, atol=1e-6)
    np.testing.assert_allclose(land.grad(land.minima), 0, atol=1e-13)
    assert (np.linalg.eigvalsh(land.hess(land.minima)) > 0).all()
    assert (np.diff(land(land.minima)) > 0).all()


def test_the_lowest_gabor_minimum_is_the_true_curve():
    for width in (8, 32):
        land = gabor(*gabor_data(np.random.default_rng(0), 400, 0.05, width=width), width)
        np.testing.assert_allclose(land.minima[0], [0, 16.6], atol=0.3)
        assert land(land.minima[0]) == pytest.approx(0.05**2, rel=0.2)


@pytest.mark.parametrize("width", [0, -0.5, np.inf, np.nan, "8"])
def test_gabor_refuses_widths(width):
    with pytest.raises(ValueError, match=r"^width = .*: must be "):
        gabor(X1, Y1, width)


@pytest.mark.parametrize(
    ("inside", "beyond"),
    [
        ((0, 22.45), (0, 22.55)),
        ((0, 2.55), (0, 2.45)),
        ((9.95, 12), (10.05, 12)),
        ((-9.95, 12), (-10.05, 12)),
    ],
)
def test_minima_are_found_up_to_the_edge_of_the_window_and_not_beyond(inside, beyond):
    x = np.linspace(-15, 15, 40)
    land = gabor(x, gabor_model(inside, x))
    np.testing.assert_allclose(land.minima[0], inside, atol=1e-8)
    land = gabor(x, gabor_model(beyond, x))
    assert land(beyond) == 0
    assert (np.abs(land.minima - beyond).max(-1) > 0.05).all()


def test_close_minima_are_both_listed():
    land = gabor(*gabor_data(np.random.default_rng(37), 4, 0.5), 32)
    gaps = np.abs(land.minima[:, None] - land.minima).max(-1)[np.triu_indices(len(land.minima), 1)]
    assert 0.6 < gaps.min() < 0.7


@pytest.mark.parametrize(("x", "y"), [([3.0], [0.5]), ([0.0, 0.0], [0.5, 0.5])])
def test_a_floor_of_minima_is_not_listed_point_by_point(x, y):
    assert len(gabor(x, y).minima) == 0


def test_gabor_fields():
    land = gabor(X1, Y1)
    assert land.window == ((-10, 10), (2.5, 22.5))
    np.testing.assert_array_equal(land.start, [-5, 20])
    assert land.name == "Gabor, width 8"
    assert gabor(X1, Y1, 32.0).name == "Gabor, width 32"


@pytest.mark.parametrize(
    ("x", "y", "width"),
    [
        ([0.0, 0.0], [0.0, 0.0], 8),  # the loss does not depend on the frequency
        ([-15.0, 15.0], [1e100, -1e100], 8),
        ([1e100, -1e100], [1.0, 2.0], 8),
        ([1.0, 2.0], [0.0, 0.0], 1e-3),  # flat nearly everywhere
        ([1.0, 2.0], [0.0, 1.0], 1e-300),
        ([1.0, 2.0], [0.0, 1.0], 1e300),
        ([3.0], [0.5], 8),  # a valley of minima, none of them isolated
    ],
)
def test_search_for_minima_survives_odd_data(x, y, width):
    land = gabor(x, y, width)
    assert land.minima.shape[1] == 2
    assert np.isfinite(land.minima).all()


# ------------------------------------------------------------------------------------------------ softmax


def plain_loss(W, b, X, y, decay):
    """The definition, example by example."""
    total = 0
    for x, label in zip(X, y, strict=True):
        scores = [sum(x[i] * W[i, k] for i in range(len(x))) + b[k] for k in range(len(b))]
        total -= scores[label] - math.log(sum(math.exp(s) for s in scores))
    return total / len(X) + 0.5 * decay * sum(w * w for w in W.ravel())


@pytest.mark.parametrize("decay", [0, 0.7])
def test_softmax_loss_is_its_definition(decay):
    land = softmax_regression(X4, Y4, weight_decay=decay)
    for theta in np.random.default_rng(2).normal(size=(5, 15)):
        W, b = theta[:12].reshape(4, 3), theta[12:]
        assert land(theta) == pytest.approx(plain_loss(W, b, X4, Y4, decay), rel=1e-13)


def test_softmax_regression_without_decay_by_default():
    theta = np.arange(15) / 10
    assert softmax_regression(X4, Y4)(theta) == softmax_regression(X4, Y4, None, 0.0)(theta)


def test_softmax_regression_at_its_start():
    land = softmax_regression(X4, Y4, n_classes=5)
    np.testing.assert_array_equal(land.start, np.zeros(25))
    assert land(land.start) == pytest.approx(math.log(5), rel=1e-15)
    W, b = land.unpack(land.grad(land.start))
    share = np.bincount(Y4, minlength=5) / 23
    np.testing.assert_allclose(b, 1 / 5 - share, atol=1e-15)
    np.testing.assert_allclose(W, X4.T @ (1 / 5 - np.eye(5)[Y4]) / 23, atol=1e-15)


def test_decay_spares_the_biases():
    theta = np.random.default_rng(2).normal(size=15)
    W, b = softmax_regression(X4, Y4).unpack(
        softmax_regression(X4, Y4, weight_decay=2).grad(theta) - softmax_regression(X4, Y4).grad(theta)
    )
    np.testing.assert_allclose(W, 2 * theta[:12].reshape(4, 3), rtol=1e-12)
    np.testing.assert_array_equal(b, 0)


def test_softmax_regression_fields():
    land = softmax_regression(X4, Y4)
    assert isinstance(land, SoftmaxRegression)
    assert (land.n_examples, land.n_features, land.n_classes, land.dim) == (23, 4, 3, 15)
    assert land.minima.shape == (0, 15)
    assert land.window == ((-1, 1),) * 15
    assert land.name == "softmax regression"
    assert land.hessian is None


def test_unpack():
    land = softmax_regression(X4, Y4)
    W, b = land.unpack(np.arange(30).reshape(2, 15))
    np.testing.assert_array_equal(W[0], np.arange(12).reshape(4, 3))
    np.testing.assert_array_equal(b, [[12, 13, 14], [27, 28, 29]])
    with pytest.raises(ValueError, match=r"^theta\.shape = \(14,\): must be \(\.\.\., 15\)"):
        land.unpack(np.zeros(14))


def test_predict_and_accuracy():
    land = softmax_regression([[0, 1], [1, 0]], [0, 1])
    theta = np.array([[-1, 1, 1, -1, 0, 0], [0, 0, 0, 0, 0, 5]])  # right; always class 1
    X, y = [[0, 2], [2, 0], [3, 1]], [0, 1, 0]
    np.testing.assert_array_equal(land.logits(theta[0], X), [[2, -2], [-2, 2], [-2, 2]])
    np.testing.assert_array_equal(land.predict(theta, X), [[0, 1, 1], [1, 1, 1]])
    np.testing.assert_allclose(land.accuracy(theta, X, y), [2 / 3, 1 / 3])
    assert land.accuracy(theta[0], X, y) == pytest.approx(2 / 3)
    with np.errstate(all="raise"):
        land.logits([np.inf] * 6, X)


def test_descent_on_softmax_regression_learns():
    X = np.random.default_rng(0).normal(size=(200, 2)) + np.array([[3, 0], [0, 3]])[np.arange(200) % 2]
    land = softmax_regression(X, np.arange(200) % 2)
    theta = land.start
    for _ in range(100):
        theta = theta - 0.5 * land.grad(theta)
    assert land.accuracy(theta, X, np.arange(200) % 2) > 0.95


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1, 2, 3]], [0], r"^X\.shape = \(1, 3\): must be \(n, 2\)"),
        ([1, 2], [0], "^X = .*: must be finite numbers with 2 axes"),
        ([[1, np.nan]], [0], "^X = "),
        ([[1, 2]], [2], "^y = .*: must be integers from 0 to 1"),
        ([[1, 2]], [0, 1], r"^y\.shape = \(2,\): must be \(1,\)"),
    ],
)
def test_accuracy_refuses(X, y, message):
    land = softmax_regression([[0, 1], [1, 0]], [0, 1])
    with pytest.raises(ValueError, match=message):
        land.accuracy(land.start, X, y)


@pytest.mark.parametrize(
    ("kwargs", "name"),
    [
        ({"X": X1}, "X"),
        ({"X": X4 * np.nan}, "X"),
        ({"X": []}, "X"),
        ({"y": Y4[:-1]}, r"y\.shape"),
        ({"y": Y4[:, None]}, r"y\.shape"),
        ({"y": Y4.astype(float)}, "y"),
        ({"y": Y4 - 1}, "y"),
        ({"y": Y4 > 0}, "y"),
        ({"y": Y4 * 0 + 23}, "y"),
        ({"y": Y4 * 0 + 10**15}, "y"),
        ({"y": [[0], [1, 2]]}, "y"),
        ({"y": []}, "y"),
        ({"y": 1}, "y"),
        ({"y": None}, "y"),
        ({"y": Y4 * 0}, "n_classes"),
        ({"n_classes": 2}, "y"),
        ({"n_classes": 1}, "n_classes"),
        ({"n_classes": 3.0}, "n_classes"),
        ({"weight_decay": -1}, "weight_decay"),
        ({"weight_decay": np.inf}, "weight_decay"),
        ({"weight_decay": np.nan}, "weight_decay"),
        ({"weight_decay": None}, "weight_decay"),
    ],
)
def test_softmax_regression_refuses(kwargs, name):
    with pytest.raises(ValueError, match=rf"^{name} = (.|\n)*: must be "):
        softmax_regression(**{"X": X4, "y": Y4, **kwargs})


def test_two_classes_given_or_found():
    assert softmax_regression(X4, Y4 * 0, n_classes=2).dim == 10
    assert softmax_regression([[1, 2]], [1], 2)(np.zeros(6)) == pytest.approx(math.log(2))
    assert softmax_regression([[1], [2]], [0, 1]).n_classes == 2


def test_softmax_is_its_definition():
    z = np.random.default_rng(0).normal(size=(3, 4, 5))
    expected = np.exp(z) / np.exp(z).sum(-1)[..., None]
    np.testing.assert_allclose(softmax(z), expected, rtol=1e-14)
    np.testing.assert_allclose(log_softmax(z), np.log(expected), rtol=1e-13)
    np.testing.assert_array_equal(softmax([5]), [1])
    np.testing.assert_allclose(softmax([0, 1]), [1 / (1 + math.e), math.e / (1 + math.e)], rtol=1e-15)


@pytest.mark.parametrize("big", [1e4, 1e300])
def test_softmax_is_safe_for_large_logits(big):
    z = np.array([[big, 0, -big], [big, big, -big], [-big, -big, -big], [big, big, big]])
    expected = [[1, 0, 0], [0.5, 0.5, 0], [1 / 3] * 3, [1 / 3] * 3]
    with np.errstate(all="raise"):
        np.testing.assert_allclose(softmax(z), expected, rtol=1e-15)
        np.testing.assert_allclose(log_softmax(z)[0], [0, -big, -2 * big], rtol=1e-15)
    assert np.isfinite(log_softmax(z)).all()


def test_softmax_regression_is_safe_for_large_logits():
    land = softmax_regression([[1, 0], [0, 1]], [0, 1])
    right = np.array([1e4, -1e4, -1e4, 1e4, 0, 0])
    assert land(right) == 0
    np.testing.assert_array_equal(land.grad(right), 0)
    assert land(-right) == pytest.approx(2e4)
    np.testing.assert_allclose(land.grad(-right), [-0.5, 0.5, 0.5, -0.5, 0, 0])


def test_softmax_of_runaways_is_quiet():
    with np.errstate(all="raise"):
        assert np.isnan(softmax([np.nan, 1])).all()
        assert np.isnan(softmax([np.inf, np.inf])).all()
        np.testing.assert_array_equal(softmax([-np.inf, 0]), [0, 1])
        np.testing.assert_array_equal(log_softmax([-np.inf, 0]), [-np.inf, 0])


def test_softmax_keeps_float32_and_its_argument():
    z = np.ones((2, 3), np.float32)
    z.flags.writeable = False
    assert softmax(z).dtype == log_softmax(z).dtype == np.float32


@pytest.mark.parametrize("function", [softmax, log_softmax])
@pytest.mark.parametrize("z", [3.0, "abc", None, [[1, 2], [3]], [True], [], np.zeros((2, 0))])
def test_softmax_refuses(function, z):
    with pytest.raises(ValueError, match=r"^z(\.shape)? = (.|\n)*: must be "):
        function(z)


# ------------------------------------------------------------------------------------------ anything else

NUMBERS = st.one_of(
    st.floats(), st.integers(-(10**20), 10**20), st.booleans(), st.none(), st.text(max_size=2)
)
ANYTHING = st.one_of(
    NUMBERS,
    st.lists(NUMBERS, max_size=4),
    st.lists(st.lists(NUMBERS, max_size=3), max_size=3),
    st.tuples(st.integers(0, 3), st.integers(0, 3)).map(np.ones),
    st.lists(st.floats(allow_nan=False), min_size=2, max_size=2),
)
MANY = settings(derandomize=True, deadline=None, max_examples=60)


@given(x=ANYTHING, y=ANYTHING)
@MANY
def test_any_data_give_a_line_or_a_named_error(x, y):
    try:
        land = linear_regression(x, y)
    except ValueError as error:
        assert str(error).startswith(("x", "y"))  # noqa: PT017
        assert "must be" in str(error)  # noqa: PT017
    else:
        assert np.isfinite(land.minima).all()


@given(
    x=st.lists(st.floats(-1e153, 1e153), min_size=2, max_size=2),
    width=st.floats(min_value=0, exclude_min=True),
)
@settings(derandomize=True, deadline=None, max_examples=10)
def test_any_width_works_or_is_named(x, width):
    try:
        land = gabor(x, [0.5, -0.5], width)
    except ValueError as error:
        assert str(error).startswith(("x", "width"))  # noqa: PT017
    else:
        assert land.minima.ndim == 2


@given(X=ANYTHING, y=ANYTHING, n_classes=st.one_of(st.none(), st.integers(-2, 5), st.floats()), decay=NUMBERS)
@MANY
def test_any_data_give_a_classifier_or_a_named_error(X, y, n_classes, decay):
    try:
        land = softmax_regression(X, y, n_classes, decay)
    except ValueError as error:
        assert str(error).startswith(("X", "y", "n_classes", "weight_decay"))  # noqa: PT017
    else:
        assert np.isfinite(land(land.start))


@given(rows=ANYTHING)
@MANY
def test_any_rows_work_or_are_named(rows):
    land = linear_regression(X1, Y1)
    try:
        g = land.grad([1, 2], rows)
    except ValueError as error:
        assert str(error).startswith("rows")  # noqa: PT017
    else:
        assert g.shape == (*np.shape(rows)[:-1], 2)


@given(z=ANYTHING)
@MANY
def test_any_logits_work_or_are_named(z):
    try:
        p = softmax(z)
    except ValueError as error:
        assert str(error).startswith("z")  # noqa: PT017
    else:
        assert p.shape == np.shape(z)
