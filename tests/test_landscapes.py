"""Landscapes against textbook formulas, differences, and, for batches, their own single evaluations."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import derivatives
from course_lib.landscapes import (
    Landscape,
    Quadratic,
    as_points,
    beale,
    bowl,
    himmelblau,
    noisy,
    plateau,
    quadratic,
    rosenbrock,
    saddle,
    valley,
)

FACTORIES = {
    "valley": valley,
    "bowl": bowl,
    "saddle": saddle,
    "rosenbrock": rosenbrock,
    "beale": beale,
    "himmelblau": himmelblau,
    "plateau": plateau,
    "quadratic": lambda: quadratic(20),
    "quadratic turned": lambda: quadratic(50, angle=0.7),
    "quadratic 12-D": lambda: quadratic(1000, angle=-2.1, dim=12),
}

# The formulas once more, as textbooks write them.
TEXTBOOK = {
    "valley": lambda x, y: 0.1 * x**2 + 2 * y**2,
    "bowl": lambda x, y: (x - 2) ** 2 + (y - 2) ** 2 - 3,
    "saddle": lambda x, y: (x - y) * (x + y),
    "rosenbrock": lambda x, y: 100 * (y - x**2) ** 2 + (1 - x) ** 2,
    "beale": lambda x, y: sum((c - x * (1 - y**k)) ** 2 for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))),
    "himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "plateau": lambda x: -0.5 / (1 + (2 * (x + 1)) ** 2) - 2 / (1 + (x - 2) ** 2),
    "quadratic": lambda x, y: (x**2 + 20 * y**2) / 2,
    "quadratic turned": lambda x, y: (
        ((np.cos(0.7) * x + np.sin(0.7) * y) ** 2 + 50 * (np.cos(0.7) * y - np.sin(0.7) * x) ** 2) / 2
    ),
    "quadratic 12-D": lambda *x: (
        (
            (np.cos(-2.1) * x[0] + np.sin(-2.1) * x[11]) ** 2
            + sum(1000 ** (i / 11) * x[i] ** 2 for i in range(1, 11))
            + 1000 * (np.cos(-2.1) * x[11] - np.sin(-2.1) * x[0]) ** 2
        )
        / 2
    ),
}

FIELDS = {  # start, window, minima, name: what a picture or a race in a notebook relies on
    "valley": ([-5, -2], ((-6, 2), (-3, 3)), [[0, 0]], "valley"),
    "bowl": ([-1, -1], ((-2, 5), (-2, 5)), [[2, 2]], "bowl"),
    "saddle": ([-1, 0.01], ((-1.5, 1.5), (-1.5, 1.5)), np.zeros((0, 2)), "saddle"),
    "rosenbrock": ([-1.2, 1], ((-2, 2), (-1, 3)), [[1, 1]], "Rosenbrock"),
    "beale": ([1, 1], ((-4.5, 4.5), (-4.5, 4.5)), [[3, 0.5]], "Beale"),
    "himmelblau": (
        [0, 0],
        ((-6, 6), (-6, 6)),
        [[3, 2], [-2.805118, 3.131313], [-3.77931, -3.283186], [3.584428, -1.848127]],
        "Himmelblau",
    ),
    "plateau": ([-5], ((-7, 7),), [[1.997804], [-0.96894]], "plateau"),
    "quadratic": ([-1, -1], ((-1.5, 1.5), (-1.5, 1.5)), [[0, 0]], "quadratic, κ = 20"),
}


@pytest.fixture(params=FACTORIES, name="case")
def _case(request):
    land = FACTORIES[request.param]()
    rng = np.random.default_rng(7)
    low, high = np.array(land.window).T
    return request.param, land, rng.uniform(low, high, (40, land.dim))


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


# ------------------------------------------------------------------------------------------------- values


def test_value_is_the_textbook_formula(case):
    name, land, x = case
    np.testing.assert_allclose(land(x), TEXTBOOK[name](*x.T), rtol=1e-12, atol=1e-12)


def test_gradient_agrees_with_differences(case):
    _, land, x = case
    for point, g in zip(x, land.grad(x), strict=True):
        exact = derivatives.gradient(land, point, method="complex-step")
        np.testing.assert_allclose(g, exact, rtol=1e-12, atol=1e-12 * np.abs(g).max())
    assert all(derivatives.check_gradient(land, land.grad, point).ok for point in x[:5])


def test_hessian_agrees_with_differences(case):
    _, land, x = case
    for point, h in zip(x, land.hess(x), strict=True):
        exact = derivatives.jacobian(land.grad, point, method="complex-step")
        np.testing.assert_allclose(h, exact, rtol=1e-11, atol=1e-12 * np.abs(h).max())
        np.testing.assert_array_equal(h, h.T)


def test_minima_are_minima(case):
    _, land, _ = case
    for x in land.minima:
        size = np.abs(land.hess(x)).max()
        np.testing.assert_allclose(land.grad(x), 0, atol=4e-15 * size)
        assert np.linalg.eigvalsh(land.hess(x)).min() > 0
    values = land(land.minima)
    assert (values[1:] >= values[:-1] - 1e-12).all()


@pytest.mark.parametrize("name", FIELDS)
def test_fields(name):
    land = FACTORIES[name]()
    start, window, minima, title = FIELDS[name]
    np.testing.assert_array_equal(land.start, start)
    assert land.window == window
    np.testing.assert_allclose(land.minima, minima, atol=1e-6)
    assert land.minima.shape == np.shape(minima)
    assert land.name == title
    assert repr(land) == f"<{type(land).__name__} {title!r}, dim={land.dim}>"


def test_start_and_minima_lie_in_the_window(case):
    _, land, _ = case
    low, high = np.array(land.window).T
    for x in (land.start, *land.minima):
        assert (x > low).all()
        assert (x < high).all()


# ------------------------------------------------------------------------------- batches, layouts, dtypes


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_batch_equals_single_bit_for_bit(case, dtype):
    _, land, _ = case
    rng = np.random.default_rng(3)
    grid = rng.uniform(-3, 3, (5, 7, land.dim)).astype(dtype)  # 35 points: vector loops and their tails
    flat = grid.reshape(-1, land.dim)
    for function in (land, land.grad, land.hess):
        whole = function(grid)
        assert whole.dtype == dtype
        assert whole.shape[:2] == (5, 7)
        assert same_bits(whole.reshape(35, *whole.shape[2:]), function(flat))
        for i, point in enumerate(flat):
            one = np.asarray(function(point))
            assert same_bits(one, function(flat)[i].copy())
            assert same_bits(function(point[None]), function(flat)[i : i + 1].copy())


@pytest.mark.parametrize(
    "layout",
    [
        np.asfortranarray,
        lambda x: np.repeat(x, 2, axis=0)[::2],
        lambda x: np.repeat(x, 3, axis=1)[:, ::3],
        lambda x: x[::-1].copy()[::-1],
        lambda x: x[:, ::-1].copy()[:, ::-1],
    ],
    ids=["fortran", "every second row", "every third column", "backwards", "coordinates backwards"],
)
def test_memory_layout_does_not_matter(case, layout):
    _, land, x = case
    other = layout(x)
    np.testing.assert_array_equal(other, x)
    for function in (land, land.grad, land.hess):
        assert same_bits(np.ascontiguousarray(function(other)), np.ascontiguousarray(function(x)))


def test_large_batch_equals_its_parts_bit_for_bit(case):
    _, land, _ = case
    x = np.random.default_rng(5).normal(size=(10_000, land.dim))
    for function in (land, land.grad):
        parts = np.concatenate([function(part) for part in np.split(x, 16)])
        assert same_bits(function(x), parts)


def test_shapes(case):
    _, land, _ = case
    d = land.dim
    for batch in ((), (1,), (3,), (2, 3), (0,)):
        x = np.ones((*batch, d))
        assert np.shape(land(x)) == batch
        assert land.grad(x).shape == (*batch, d)
        assert land.hess(x).shape == (*batch, d, d)


def test_points_of_other_types(case):
    _, land, _ = case
    whole = [[1] * land.dim, [2] * land.dim]
    for function in (land, land.grad, land.hess):
        expected = function(np.array(whole, float))
        for x in (whole, np.array(whole), np.array(whole, np.float16), np.array(whole, np.uint8)):
            assert same_bits(function(x), expected)


def test_float32_is_close_to_float64(case):
    _, land, x = case
    x = x.astype(np.float32)
    for function in (land, land.grad, land.hess):
        exact = function(x.astype(float))
        np.testing.assert_allclose(function(x), exact, rtol=1e-5, atol=1e-5 * np.abs(exact).max())


def test_points_are_left_alone_and_results_are_new(case):
    _, land, x = case
    before = x.copy()
    x.flags.writeable = False
    for function in (land, land.grad, land.hess):
        result = function(x)
        result += 1
        assert not np.array_equal(function(x), result)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200, -1e300])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_points_that_ran_away_pass_quietly(case, bad, dtype):
    _, land, x = case
    with np.errstate(over="ignore"):
        runaway = np.full(land.dim, bad).astype(dtype)
    batch = np.stack([x[0].astype(dtype), runaway])
    for function in (land, land.grad, land.hess):
        result = function(batch)
        assert same_bits(result[0].copy(), np.asarray(function(batch[0])))  # the neighbour is untouched
        function(runaway)
        with np.errstate(all="raise"):  # the caller's own setting does not matter
            function(runaway)
    if np.isnan(bad):
        assert np.isnan(land(runaway))
        assert np.isnan(land.grad(runaway)).all()


def test_divergence_ends_beyond_all_numbers():
    for land in (valley(), rosenbrock(), quadratic(5, 0.3)):
        assert not np.isfinite(land([1e200, 1e200]))


# ------------------------------------------------------------------------------------------ one by one


@pytest.mark.parametrize("name", [name for name in FACTORIES if isinstance(FACTORIES[name](), Quadratic)])
def test_eigenvalues_are_those_of_the_hessian(name):
    land = FACTORIES[name]()
    np.testing.assert_allclose(land.eigenvalues, np.linalg.eigvalsh(land.hess(land.start)), rtol=1e-10)
    assert not land.eigenvalues.flags.writeable


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 2, -2.0])
@pytest.mark.parametrize("dim", [2, 3, 6])
def test_quadratic_is_flattest_along_angle_and_steepest_across(angle, dim):
    land = quadratic(80, angle, dim)
    along, across = np.zeros(dim), np.zeros(dim)
    along[[0, -1]] = np.cos(angle), np.sin(angle)
    across[[0, -1]] = -np.sin(angle), np.cos(angle)
    np.testing.assert_allclose(land.hess(along) @ along, along, atol=1e-13)
    np.testing.assert_allclose(land.hess(along) @ across, 80 * across, atol=1e-13)
    np.testing.assert_allclose(land.start, -along - across - np.r_[0, np.ones(dim - 2), 0], atol=1e-15)
    np.testing.assert_allclose(land(land.start), land.eigenvalues.sum() / 2, rtol=1e-13)
    np.testing.assert_allclose(land.eigenvalues, np.logspace(0, np.log10(80), dim), rtol=1e-13)
    assert land.eigenvalues[0] == 1
    assert land.eigenvalues[-1] == 80
    assert land.window == ((-1.5, 1.5),) * dim
    np.testing.assert_array_equal(land.minima, np.zeros((1, dim)))


def test_quadratic_defaults_and_the_round_case():
    assert quadratic(4).dim == 2
    np.testing.assert_array_equal(quadratic(4).hess([0, 0]), [[1, 0], [0, 4]])
    np.testing.assert_allclose(quadratic(1, 1.0).grad([3, 4]), [3, 4], rtol=1e-15)


@pytest.mark.parametrize(
    ("kwargs", "name"),
    [
        ({"kappa": 0.99}, "kappa"),
        ({"kappa": np.nan}, "kappa"),
        ({"kappa": np.inf}, "kappa"),
        ({"kappa": [3]}, "kappa"),
        ({"kappa": "20"}, "kappa"),
        ({"kappa": 2, "angle": np.inf}, "angle"),
        ({"kappa": 2, "angle": -np.inf}, "angle"),
        ({"kappa": 2, "angle": None}, "angle"),
        ({"kappa": 2, "dim": 1}, "dim"),
        ({"kappa": 2, "dim": 2.0}, "dim"),
        ({"kappa": 2, "dim": True}, "dim"),
    ],
)
def test_quadratic_refuses(kwargs, name):
    with pytest.raises(ValueError, match=rf"^{name} = .*: must be "):
        quadratic(**kwargs)


def test_valley_condition_number_is_20():
    low, high = valley().eigenvalues
    assert high / low == 20


def test_bowl_has_the_slopes_of_the_syllabus():
    np.testing.assert_array_equal(bowl().grad([[-1, -1], [3, 3], [2, 2]]), [[-6, -6], [2, 2], [0, 0]])
    assert bowl()([2, 2]) == -3


def test_himmelblau_has_four_minima_of_value_0():
    land = himmelblau()
    assert len(land.minima) == 4
    np.testing.assert_allclose(land(land.minima), 0, atol=1e-25)


@pytest.mark.parametrize("land", [rosenbrock(), beale()])
def test_minimum_is_exactly_0(land):
    assert land(land.minima[0]) == 0
    np.testing.assert_array_equal(land.grad(land.minima[0]), 0)


def test_plateau_profile():
    land = plateau()
    x = np.linspace(-7, 7, 14_001)[:, None]
    slope = np.sign(land.grad(x)[:, 0])
    turns = x[:-1][slope[1:] != slope[:-1], 0]
    np.testing.assert_allclose(turns, [-0.97, -0.21, 1.997], atol=5e-3)
    np.testing.assert_allclose(land(turns[:, None]), [-0.70, -0.48, -2.01], atol=5e-3)
    assert np.abs(land.grad(land.start)) < 0.02  # flat where the descent starts
    assert land.grad(land.start) < 0  # and leading to the right


@pytest.mark.parametrize(("lr", "beta", "end"), [(0.2, 0.5, -0.97), (0.2, 0.9, 2.0), (0.5, 0.99, None)])
def test_plateau_holds_back_crosses_or_loses_a_heavy_ball(lr, beta, end):
    land, x, v = plateau(), plateau().start.copy(), 0
    for _ in range(600):
        v = beta * v + land.grad(x)
        x = x - lr * v
    if end is None:
        assert x > 20
    else:
        np.testing.assert_allclose(x, end, atol=0.01)


# ---------------------------------------------------------------------------------------------- noisy


def test_noise_has_mean_0_and_the_given_deviation():
    shaky = noisy(valley(), 0.5, np.random.default_rng(0))
    x = np.ones((40_000, 2))
    noise = shaky.grad(x) - valley().grad(x)
    np.testing.assert_allclose(noise.mean(0), 0, atol=0.01)
    np.testing.assert_allclose(noise.std(0), 0.5, rtol=0.02)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.02
    draws = np.random.default_rng(0).standard_normal((40_000, 2))
    np.testing.assert_allclose(noise, 0.5 * draws, atol=1e-14)


def test_noise_leaves_all_else():
    land = quadratic(20)
    shaky = noisy(land, 0.5, np.random.default_rng(0))
    assert shaky([1, 2]) == land([1, 2])
    np.testing.assert_array_equal(shaky.hess([1, 2]), land.hess([1, 2]))
    np.testing.assert_array_equal(shaky.eigenvalues, land.eigenvalues)
    np.testing.assert_array_equal(shaky.start, land.start)
    assert isinstance(shaky, Quadratic)
    assert shaky.name == "quadratic, κ = 20, noisy"


def test_noise_is_reproducible_fresh_and_of_the_points_dtype():
    one, two = (noisy(bowl(), 1.0, np.random.default_rng(4)) for _ in range(2))
    x = np.zeros((3, 2), np.float32)
    first = one.grad(x)
    assert first.dtype == np.float32
    assert same_bits(first, two.grad(x))
    assert not np.array_equal(first, one.grad(x))


def test_no_noise_at_sigma_0():
    np.testing.assert_array_equal(noisy(bowl(), 0, np.random.default_rng(4)).grad([1, 5]), [-2, 6])


@pytest.mark.parametrize(
    ("args", "name"),
    [
        ((np.sin, 1.0, np.random.default_rng(0)), "land"),
        ((bowl, 1.0, np.random.default_rng(0)), "land"),
        ((bowl(), -0.1, np.random.default_rng(0)), "sigma"),
        ((bowl(), np.nan, np.random.default_rng(0)), "sigma"),
        ((bowl(), np.inf, np.random.default_rng(0)), "sigma"),
        ((bowl(), 1.0, 0), "rng"),
        ((bowl(), 1.0, np.random), "rng"),
        ((bowl(), 1.0, None), "rng"),
    ],
)
def test_noisy_refuses(args, name):
    with pytest.raises(ValueError, match=rf"^{name} = (.|\n)*: must be "):
        noisy(*args)


# ------------------------------------------------------------------------------------- the class itself


def cup(**changes):
    fields = {
        "f": lambda x: x[..., 0] * x[..., 0],
        "gradient": lambda x: 2 * x,
        "minima": [[0]],
        "window": [(-2, 2)],
        "start": [1],
        "name": "cup",
    }
    return Landscape(**{**fields, **changes})


def test_own_landscape():
    land = cup()
    assert land.dim == 1
    assert land([3]) == 9
    assert land.start.dtype == float
    assert land.window == ((-2.0, 2.0),)
    assert repr(land) == "<Landscape 'cup', dim=1>"


def test_without_hessian():
    with pytest.raises(
        ValueError, match=r"^hessian = None.*course_lib\.derivatives\.hessian\(land\.grad, x\)"
    ):
        cup().hess([1])


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"f": None}, "f"),
        ({"gradient": 3}, "gradient"),
        ({"start": [[1]]}, "start"),
        ({"start": []}, "start"),
        ({"start": [np.nan]}, "start"),
        ({"minima": [[0, 0]]}, r"minima\.shape"),
        ({"minima": [0]}, r"minima\.shape"),
        ({"minima": "none"}, "minima"),
        ({"window": [(-2, 2), (-2, 2)]}, "window"),
        ({"window": [(2, 2)]}, "window"),
        ({"window": [(2, -2)]}, "window"),
        ({"window": (-2, 2)}, "window"),
        ({"window": [(-2, np.inf)]}, "window"),
        ({"window": [(-2, 0, 2)]}, "window"),
    ],
)
def test_landscape_refuses(changes, name):
    with pytest.raises(ValueError, match=rf"^{name} = .*: must be "):
        cup(**changes)


@pytest.mark.parametrize("eigenvalues", [[1], [1, 2, 3], [1, np.nan], [[1, 2]], "12"])
def test_quadratic_class_refuses_other_eigenvalues(eigenvalues):
    with pytest.raises(ValueError, match=r"^eigenvalues = .*: must be "):
        dataclasses.replace(valley(), eigenvalues=eigenvalues)


def test_no_minima_may_be_given_in_any_empty_form():
    for none in ([], np.zeros((0, 1)), ()):
        assert cup(minima=none).minima.shape == (0, 1)


def test_landscape_is_frozen(case):
    _, land, _ = case
    with pytest.raises(dataclasses.FrozenInstanceError):
        land.name = "other"
    with pytest.raises(ValueError, match="read-only"):
        land.start[0] = 0
    assert not land.minima.flags.writeable


@pytest.mark.parametrize("make", [rosenbrock, valley])
def test_landscapes_are_told_apart_by_identity_and_made_by_keyword(make):
    land = make()
    assert land != make()
    assert len({land, make()}) == 2
    assert all(field.kw_only for field in dataclasses.fields(land))


def test_given_arrays_are_copied():
    start, minima, eigenvalues = np.array([1.0]), np.array([[0.0]]), np.array([2.0])
    land = Quadratic(
        f=sum, gradient=abs, minima=minima, window=[(-1, 1)], start=start, name="own", eigenvalues=eigenvalues
    )
    start[0] = minima[0] = eigenvalues[0] = 5
    assert (land.start, land.minima, land.eigenvalues) == (1, 0, 2)


# ------------------------------------------------------------------------------------------- bad points


@pytest.mark.parametrize("method", ["__call__", "grad", "hess"])
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (3.0, r"^x\.shape = \(\): must be \(\.\.\., 2\)\. Put the coordinates"),
        ([1, 2, 3], r"^x\.shape = \(3,\): must be \(\.\.\., 2\)"),
        ([[1], [2]], r"^x\.shape = \(2, 1\): must be \(\.\.\., 2\)"),
        ([], r"^x\.shape = \(0,\)"),
        ("12", r"^x = '12': must be numbers in shape \(\.\.\., 2\)"),
        (None, "^x = None: must be numbers"),
        ([[1, 2], [3]], r"^x = \[\[1, 2\], \[3\]\]: must be numbers"),
        ([True, False], r"^x = \[True, False\]: must be numbers"),
        ([None, 1], "must be numbers"),
        ({"x": 1}, "must be numbers"),
    ],
)
def test_bad_points_are_refused_by_name(method, x, message):
    with pytest.raises(ValueError, match=message):
        getattr(valley(), method)(x)


ANYTHING = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.lists(st.one_of(st.floats(), st.integers(-5, 5), st.lists(st.floats(), max_size=3)), max_size=4),
    st.tuples(st.integers(0, 3), st.integers(0, 3)).map(np.ones),
)


@given(x=ANYTHING, name=st.sampled_from(["valley", "beale", "plateau", "quadratic turned"]))
@settings(derandomize=True, deadline=None, max_examples=80)
def test_any_point_gives_its_shape_or_a_named_error(x, name):
    land = FACTORIES[name]()
    try:
        value, g, h = land(x), land.grad(x), land.hess(x)
    except ValueError as error:
        assert str(error).startswith("x")  # noqa: PT017  (it may, it need not raise)
        assert "must be" in str(error)  # noqa: PT017
    else:
        assert (*np.shape(value), land.dim) == g.shape == h.shape[:-1] == np.shape(x)


@given(kappa=ANYTHING, angle=ANYTHING, dim=st.one_of(st.integers(-3, 9), st.floats(), st.none()))
@settings(derandomize=True, deadline=None, max_examples=80)
def test_any_argument_of_quadratic_works_or_is_named(kappa, angle, dim):
    try:
        land = quadratic(kappa, angle, dim)
    except ValueError as error:
        assert str(error).startswith(("kappa", "angle", "dim"))  # noqa: PT017
    else:
        assert np.isfinite(land.grad(land.start)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_as_points_keeps_what_fits(dtype):
    x = np.ones((4, 3), dtype)
    assert as_points(x, 3) is x


@pytest.mark.parametrize("x", [[], 3.0, np.zeros((2, 0))])
def test_as_points_without_coordinates_are_refused(x):
    assert as_points(np.zeros((0, 5)), None).shape == (0, 5)
    with pytest.raises(ValueError, match=r"^x\.shape = .*: must be \(\.\.\., d\)"):
        as_points(x, None)


def test_as_points_names_what_it_is_told():
    with pytest.raises(ValueError, match=r"^theta\.shape = \(2,\): must be \(\.\.\., 3\)"):
        as_points([1, 2], 3, "theta")
