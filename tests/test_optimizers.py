import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.optimizers import (
    GradientDescent,
    GradientDescentState,
    Momentum,
    MomentumState,
    Nesterov,
    rate,
)
from course_lib.schedules import constant, exponential, inverse_sqrt, inverse_time, step_decay

RULES = [GradientDescent, Momentum, Nesterov]
WITH_BETA = [Momentum, Nesterov]
SCHEDULES = {
    "number": lambda lr: lr,
    "constant": constant,
    "inverse_time": lambda lr: inverse_time(lr, 0.05),
    "inverse_sqrt": lambda lr: inverse_sqrt(lr, 0.05),
    "exponential": lambda lr: exponential(lr, 0.05),
    "step_decay": lambda lr: step_decay(lr, 0.5, 3),
}
quick = settings(derandomize=True, deadline=None, max_examples=30)


def run(rule, gradients, x):
    """All points of a walk along given gradients."""
    state, points = rule.init(x), [x]
    for g in gradients:
        x, state = rule.step(x, g, state)
        points.append(x)
    return np.array(points)


def descend(rule, eigenvalues, x, steps):
    """All points of a descent of ½ Σ λ x²."""
    state, points = rule.init(x), [x]
    for _ in range(steps):
        x, state = rule.step(x, eigenvalues * x, state)
        points.append(x)
    return np.array(points)


# ------------------------------------------------------------------ equations

TWO_STEPS = [
    # rule, the points after gradients 4 and 2 from x = 1, by hand
    (GradientDescent(0.25), [1, 0, -0.5]),
    (Momentum(0.25, 0.5), [1, 0, -1]),  # v = 4, then 2 + 2
    (Momentum(0.25, 0), [1, 0, -0.5]),
    (Momentum(0.25, 1), [1, 0, -1.5]),
    (Nesterov(0.25, 0.5), [1, -0.5, -1.5]),  # steps 4 + 2, then 2 + 2
    (Nesterov(0.25, 0), [1, 0, -0.5]),
    (GradientDescent(lambda t: 0.25 / (t + 1)), [1, 0, -0.25]),
    (Momentum(lambda t: 0.25 / (t + 1), 0.5), [1, 0, -0.5]),
    (Momentum(0.25, lambda t: t / 2), [1, 0, -1]),
    (Nesterov(0.25, lambda t: t / 2), [1, 0, -1]),
    (Nesterov(lambda t: 0.25 / (t + 1), 0.5), [1, -0.5, -1]),
]


@pytest.mark.parametrize(("rule", "points"), TWO_STEPS)
def test_two_steps_by_hand(rule, points):
    np.testing.assert_array_equal(run(rule, np.array([[4.0], [2.0]]), np.array([1.0]))[:, 0], points)


def test_states():
    x, g = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    assert GradientDescent(0.1).init(x) == GradientDescentState(t=0)
    assert GradientDescent(0.1).step(x, g, GradientDescentState(t=6))[1] == GradientDescentState(t=7)
    for rule in (Momentum(0.1, 0.5), Nesterov(0.1, 0.5)):
        start = rule.init(x)
        assert start.t == 0
        assert start.v.tolist() == [0, 0]
        after = rule.step(x, g, MomentumState(t=6, v=np.array([2.0, 0.0])))[1]
        assert after.t == 7
        assert after.v.tolist() == [4, 4]


def test_defaults_and_order_are_those_of_pytorch():
    assert repr(GradientDescent(0.1)) == "GradientDescent(lr=0.1)"
    assert repr(Momentum(0.1)) == "Momentum(lr=0.1, beta=0.9, convention='sum-of-gradients')"
    assert repr(Nesterov(0.1, 0.5)) == "Nesterov(lr=0.1, beta=0.5, form='pytorch')"
    assert "lr=inverse_time(lr0=1.0, decay=0.1), beta=0.9" in repr(Momentum(inverse_time(1, 0.1)))


@pytest.mark.parametrize("make", RULES)
def test_nothing_is_modified_and_nothing_can_be(make):
    rule = make(np.full((3, 1), 0.1))
    x, g = np.ones((3, 2)), np.full((3, 2), 2.0)
    state = rule.init(x)
    kept = [np.copy(part) for part in state]
    _, after = rule.step(x, g, state)
    rule.step(x, g, after)
    np.testing.assert_array_equal(x, 1)
    np.testing.assert_array_equal(g, 2)
    for part, copy in zip(state, kept, strict=True):
        np.testing.assert_array_equal(part, copy)
    with pytest.raises(AttributeError):
        rule.lr = 1
    with pytest.raises(ValueError, match="read-only"):
        rule.lr[0] = 1
    assert make(0.1) != make(0.1)
    assert rule == rule
    assert rule.where(x, state) is x


# ------------------------------------------------------------- closed forms


def test_gradient_descent_on_a_quadratic_is_a_geometric_sequence():
    """x_t = (1 - lr λ)^t x_0: exactly, in numbers that have few bits."""
    eigenvalues, x0 = np.array([0.25, 1.0, 3.0]), np.array([1.0, -2.0, 0.5])
    points = descend(GradientDescent(0.5), eigenvalues, x0, 15)
    factor = np.array([0.875, 0.5, -0.5])
    np.testing.assert_array_equal(points, [x0 * factor**t for t in range(16)])


@pytest.mark.parametrize(("lr", "converges"), [(0.495, True), (0.499, True), (0.501, False), (0.505, False)])
def test_gradient_descent_converges_iff_lr_is_below_two_over_the_largest_eigenvalue(lr, converges):
    points = descend(GradientDescent(lr), np.array([0.5, 4.0]), np.ones(2), 3000)
    last = np.abs(points[-1]).max()
    assert (last < 1e-5) if converges else (last > 1e5)


@pytest.mark.parametrize("kappa", [2, 10, 100])
def test_the_best_fixed_rate_contracts_by_kappa_minus_one_over_kappa_plus_one(kappa):
    eigenvalues = np.array([1.0, math.sqrt(kappa), kappa])
    best, expected = 2 / (1 + kappa), (kappa - 1) / (kappa + 1)

    def contraction(lr):
        norms = np.linalg.norm(descend(GradientDescent(lr), eigenvalues, np.ones(3), 300), axis=-1)
        return (norms[300] / norms[200]) ** (1 / 100)

    assert contraction(best) == pytest.approx(expected, rel=1e-10)
    assert contraction(best * 1.02) > expected * (1 + 1e-5)
    assert contraction(best * 0.98) > expected * (1 + 1e-5)


def companion(rule, eigenvalue):
    """One step on ½λx² as a matrix that acts on (x, v)."""
    lr, beta = rule.lr, rule.beta
    if isinstance(rule, Momentum):
        return np.array([[1 - lr * eigenvalue, -lr * beta], [eigenvalue, beta]])
    return np.array([[1 - lr * eigenvalue * (1 + beta), -lr * beta * beta], [eigenvalue, beta]])


@pytest.mark.parametrize("make", WITH_BETA)
@pytest.mark.parametrize(("lr", "beta"), [(0.1, 0.9), (0.3, 0.5), (0.02, 0.99), (0.05, 0.0)])
def test_momentum_on_a_quadratic_is_a_power_of_a_matrix(make, lr, beta):
    rule, eigenvalues = make(lr, beta), np.array([0.2, 1.0, 4.0])
    points = descend(rule, eigenvalues, np.ones(3), 60)
    for i, eigenvalue in enumerate(eigenvalues):
        powers = [np.linalg.matrix_power(companion(rule, eigenvalue), t)[0, 0] for t in range(61)]
        np.testing.assert_allclose(points[:, i], powers, rtol=0, atol=1e-12)


def test_heavy_ball_on_the_edge_of_stability():
    """|β| < 1 converges iff lr λ < 2 (1 + β)."""
    for factor, converges in ((0.99, True), (1.01, False)):
        points = descend(Momentum(factor * 2 * 1.9, 0.9), np.ones(1), np.ones(1), 2000)
        assert (abs(points[-1, 0]) < 1e-3) == converges


def test_nesterov_is_the_look_ahead_form_at_mapped_points():
    """y looks ahead to x = y - lr β v, measures there, then v = βv + g, y -= lr v."""
    lr, beta, eigenvalues = 0.15, 0.8, np.array([0.2, 1.0, 4.0])
    x = descend(Nesterov(lr, beta), eigenvalues, np.ones(3), 50)
    y, v = np.ones(3), np.zeros(3)
    for t in range(51):
        ahead = y - lr * beta * v
        np.testing.assert_allclose(x[t], ahead, rtol=0, atol=1e-13)
        v = beta * v + eigenvalues * ahead
        y = y - lr * v


# ------------------------------------------------------ PyTorch, Keras, optax

GOLDEN = json.loads((Path(__file__).parent / "golden" / "sgd.json").read_text(encoding="utf-8"))
GRADIENTS, X0 = np.array(GOLDEN["gradients"]), np.array(GOLDEN["x0"])
GOLDEN_SCHEDULES = {
    "constant": 0.1,
    "inverse_time": inverse_time(0.1, 0.05),
    "step_decay": step_decay(0.1, 0.5, 30),
}
TOLERANCE = 1e-12


def golden_rule(row):
    arguments, lr = row["arguments"], GOLDEN_SCHEDULES[row["schedule"]]
    if "momentum" not in arguments:
        return GradientDescent(lr)
    return (Nesterov if arguments.get("nesterov") else Momentum)(lr, arguments["momentum"])


def distance(points, row):
    """Largest difference in each coordinate, relative to the coordinate's largest value; then the worst."""
    expected = np.array(row["x"])
    got = points[GOLDEN["recorded"]]
    return (np.abs(got - expected).max(axis=0) / np.abs(expected).max(axis=0)).max()


def golden_id(row):
    options = ", ".join(f"{key}={value}" for key, value in row["arguments"].items())
    return f"{row['framework']}({options}) {row['schedule']}"


def keras_convention(row):
    """Keras keeps the rate in the velocity: v = βv - lr g; x += v, or with Nesterov x += βv - lr g."""
    lr, beta = GOLDEN_SCHEDULES[row["schedule"]], row["arguments"]["momentum"]
    x, v, points = X0, np.zeros(4), [X0]
    for t, g in enumerate(GRADIENTS):
        v = beta * v - rate(lr, t) * g
        x = x + (beta * v - rate(lr, t) * g if row["arguments"].get("nesterov") else v)
        points.append(x)
    return np.array(points)


def pytorch_dampening(row):
    """PyTorch's dampening: the first velocity is the whole gradient, later ones v = βv + (1 - damp) g."""
    lr, beta, damp = (
        GOLDEN_SCHEDULES[row["schedule"]],
        row["arguments"]["momentum"],
        row["arguments"]["dampening"],
    )
    x, v, points = X0, 0, [X0]
    for t, g in enumerate(GRADIENTS):
        v = beta * v + (1 - damp) * g if t else g
        x = x - rate(lr, t) * v
        points.append(x)
    return np.array(points)


def other_variant(row):
    """Return the variant that a framework's row follows where it is not ours, else None."""
    if "dampening" in row["arguments"]:
        return pytorch_dampening
    changing = row["schedule"] != "constant"
    return (
        keras_convention
        if row["framework"] == "keras" and "momentum" in row["arguments"] and changing
        else None
    )


SAME = [row for row in GOLDEN["rows"] if other_variant(row) is None]
OTHER = [row for row in GOLDEN["rows"] if other_variant(row) is not None]


@pytest.mark.parametrize("row", SAME, ids=golden_id)
def test_equals_the_framework(row):
    assert distance(run(golden_rule(row), GRADIENTS, X0), row) < TOLERANCE


@pytest.mark.parametrize("row", OTHER, ids=golden_id)
def test_differs_from_the_framework_and_says_by_what(row):
    assert distance(run(golden_rule(row), GRADIENTS, X0), row) > 0.1
    assert distance(other_variant(row)(row), row) < TOLERANCE


def test_every_framework_is_compared():
    assert len(SAME) == 23  # 3 rules x 3 schedules x 3 frameworks, less Keras's momentum under 2 schedules
    assert len(OTHER) == 7  # ... 2 rules x 2 schedules; and PyTorch's dampening
    assert {row["framework"] for row in SAME} == {"torch", "keras", "optax"}


# ----------------------------------------------------- batches and precision


@pytest.mark.parametrize("make", RULES)
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_batch_of_rates_equals_single_runs_bit_for_bit(make, schedule, dtype):
    rates = np.array([0.1, 1 / 3, 0.7])
    g = np.random.default_rng(1).standard_normal((20, 3, 2)).astype(dtype)
    x = np.ones((3, 2), dtype)
    batch = run(make(SCHEDULES[schedule](rates[:, None])), g, x)
    assert batch.dtype == dtype
    for i, lr in enumerate(rates):
        single = run(make(SCHEDULES[schedule](float(lr))), g[:, i], x[i])
        np.testing.assert_array_equal(batch[:, i], single)


@pytest.mark.parametrize("make", WITH_BETA)
def test_a_batch_of_betas_equals_single_runs_bit_for_bit(make):
    betas = np.array([0.0, 0.3, 0.9, 1.0])
    g = np.random.default_rng(2).standard_normal((20, 4, 2))
    batch = run(make(0.1, betas[:, None]), g, np.ones((4, 2)))
    scheduled = run(make(0.1, lambda t: betas[:, None]), g, np.ones((4, 2)))
    np.testing.assert_array_equal(batch, scheduled)
    for i, beta in enumerate(betas):
        np.testing.assert_array_equal(batch[:, i], run(make(0.1, beta), g[:, i], np.ones(2)))


LRS_IN_EVERY_SHAPE = {
    "python float": 0.1,
    "python int": 1,
    "float64 scalar": np.float64(0.1),
    "0-d array": np.array(0.1),
    "float64 array": np.array([[0.1], [0.2]]),
    "float32 array": np.array([[0.1], [0.2]], np.float32),
    "list": [[0.1], [0.2]],
    "int array": np.array([[1], [2]]),
}


@pytest.mark.parametrize("make", RULES)
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("lr", LRS_IN_EVERY_SHAPE)
def test_float32_stays_float32(make, schedule, lr):
    x = np.ones((2, 2), np.float32)
    rule = make(SCHEDULES[schedule](LRS_IN_EVERY_SHAPE[lr]))
    state = rule.init(x)
    for _ in range(3):
        x, state = rule.step(x, np.ones_like(x), state)
        assert x.dtype == np.float32
        assert getattr(state, "v", x).dtype == np.float32


@pytest.mark.parametrize("make", WITH_BETA)
@pytest.mark.parametrize("beta", LRS_IN_EVERY_SHAPE)
def test_float32_stays_float32_with_every_beta(make, beta):
    x = np.ones((2, 2), np.float32)
    value = LRS_IN_EVERY_SHAPE[beta]
    value = np.minimum(value, 1) if isinstance(value, np.ndarray) else value
    for wrapped in (value, lambda t: value):
        rule = make(0.1, wrapped)
        x, state = rule.step(x, np.ones_like(x), rule.init(x))
        assert x.dtype == np.float32
        assert state.v.dtype == np.float32


def test_rate():
    assert rate(0.1, 5) == 0.1
    assert rate(lambda t: t + 0.5, 5) == 5.5
    array = np.array([[0.1], [0.2]])
    assert rate(array, 5) is array
    assert rate(array, 5, array) is array
    single = np.zeros(2, np.float32)
    assert rate(0.1, 5, single) == 0.1  # not rounded to float32
    assert type(rate(0.1, 5, single)) is float
    for value in (array, np.float64(0.1), np.array(0.1), 1, lambda t: np.float64(0.1), lambda t: 1):
        assert rate(value, 5, single).dtype == np.float32
    assert rate(array, 5, single).tolist() == array.astype(np.float32).tolist()
    # A point of whole numbers must not cut the rate to 0.
    assert rate(array, 5, np.array([1, 2])).tolist() == array.tolist()


# -------------------------------------------------------------------- bad input

BAD = [
    -0.1,
    math.nan,
    math.inf,
    -math.inf,
    True,
    False,
    np.True_,
    "0.1",
    None,
    1j,
    10**400,
    [],
    [[]],
    {},
    object(),
]
BAD += [
    [0.1, 0.2],
    np.array([0.1, 0.2]),
    np.full((3, 2), 0.1),
    [[0.1], [-0.2]],
    [[math.nan]],
    [[True]],
    [["a"]],
]
BAD += [lambda t: -1, lambda t: "a", lambda t: np.array([0.1, 0.2]), lambda: 1, lambda t: 1 / t]


@pytest.mark.parametrize("make", RULES)
@pytest.mark.parametrize("lr", BAD)
def test_bad_rates_raise_at_construction(make, lr):
    with pytest.raises(ValueError, match=r"(?s)^lr.* = .*: must be .*(Start with a small number|Reshape it)"):
        make(lr)


@pytest.mark.parametrize("make", WITH_BETA)
@pytest.mark.parametrize("beta", [*BAD, 1.0001, [[1.0001]], lambda t: 1.0001])
def test_bad_betas_raise_at_construction(make, beta):
    with pytest.raises(
        ValueError, match=r"(?s)^beta.* = .*: must be .*(\[0, 1\]|raised).*(0\.9 is usual|Reshape it)"
    ):
        make(0.1, beta)


@pytest.mark.parametrize("make", WITH_BETA)
def test_ends_of_the_ranges_are_allowed(make):
    for beta in (0, 1):
        assert make(0, beta).beta == beta
        assert make(0, beta).lr == 0
    assert make(1e300).lr == 1e300


@quick
@given(
    st.one_of(
        st.floats(),
        st.integers(),
        st.lists(st.floats(0, 1), min_size=1, max_size=4),
        st.lists(st.lists(st.floats(-1, 1), min_size=1, max_size=1), max_size=4),
        st.text(max_size=2),
    )
)
def test_every_rate_either_works_or_is_refused(lr):
    for make in RULES:
        try:
            rule = make(lr)
        except ValueError as error:
            assert str(error).startswith("lr = ")  # noqa: PT017
            continue
        x = np.ones(2)
        with np.errstate(over="ignore"):
            stepped, _ = rule.step(x, x, rule.init(x))
        rates = np.asarray(lr)
        assert rates.shape[-1:] in ((), (1,))
        assert stepped.shape == np.broadcast_shapes(rates.shape, (2,))
