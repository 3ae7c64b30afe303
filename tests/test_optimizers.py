import json
import math
import re
import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import adam, adaptive, landscapes, momentum, nadam_lion, optimizers
from course_lib._rule import cast, leaky
from course_lib.descent import minimize
from course_lib.optimizers import (
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Clipped,
    GradientDescent,
    GradientDescentState,
    Lion,
    Momentum,
    MomentumState,
    Nadam,
    Nesterov,
    RMSProp,
    rate,
)
from course_lib.schedules import constant, exponential, inverse_sqrt, inverse_time, step_decay

RULES = [GradientDescent, Momentum, Nesterov, Adagrad, RMSProp, Adam, AdamW, AMSGrad, Nadam, Lion]
WITH_BETA = [Momentum, Nesterov]


def adadelta(lr, **options):
    return Adadelta(lr=lr, **options)


def clipped(rule):
    def make(lr, max_norm=1.0, **options):
        return Clipped(rule(lr, **options), max_norm)

    return make


# Every rule in all its options, as a function of lr.
VARIANTS = {
    "GradientDescent": GradientDescent,
    "Momentum a": Momentum,
    "Momentum b": partial(Momentum, convention="sum-of-steps"),
    "Momentum c": partial(Momentum, convention="average-of-gradients"),
    "Nesterov": Nesterov,
    "Nesterov look-ahead": partial(Nesterov, form="look-ahead"),
    "Nesterov rewritten": partial(Nesterov, form="rewritten"),
    "Adagrad": Adagrad,
    "Adagrad inside": partial(Adagrad, initial_accumulator=0.1, eps=0.1, eps_place="inside"),
    "RMSProp": RMSProp,
    "RMSProp inside": partial(RMSProp, momentum=0.5, eps=0.1, eps_place="inside"),
    "RMSProp centred": partial(RMSProp, rho=0.7, centered=True),
    "Adadelta": adadelta,
    "Adam": Adam,
    "Adam inside": partial(Adam, eps=0.1, eps_place="inside"),
    "Adam uncorrected": partial(Adam, eps=0.1, eps_place="uncorrected"),
    "Adam without correction": partial(Adam, bias_correction=False),
    "AdamW": AdamW,
    "AdamW masked": partial(AdamW, mask=[1, 0], weight_decay=0.1),
    "AMSGrad": AMSGrad,
    "AMSGrad after": partial(AMSGrad, maximum="after", eps=0.1, eps_place="uncorrected"),
    "Nadam": Nadam,
    "Nadam constant": partial(Nadam, momentum_decay=None),
    "Lion": partial(Lion, weight_decay=0.1),
    "Clipped look-ahead": clipped(partial(Nesterov, form="look-ahead")),
    "Clipped Adam": clipped(Adam),
}
OTHER_HYPERPARAMETERS = [
    pytest.param(VARIANTS[variant], name, id=f"{variant} {name}")
    for variant, names in {
        "Momentum a": "beta",
        "Momentum b": "beta",
        "Momentum c": "beta",
        "Nesterov": "beta",
        "Nesterov look-ahead": "beta",
        "Nesterov rewritten": "beta",
        "Adagrad": "eps initial_accumulator",
        "Adagrad inside": "eps",
        "RMSProp": "rho eps momentum",
        "RMSProp centred": "rho",
        "Adadelta": "rho eps",
        "Adam": "beta1 beta2 eps",
        "Adam inside": "beta1 beta2 eps",
        "Adam uncorrected": "beta1 beta2 eps",
        "Adam without correction": "beta1 beta2",
        "AdamW": "beta1 beta2 eps weight_decay",
        "AMSGrad": "beta1 beta2 eps",
        "AMSGrad after": "beta1 beta2 eps",
        "Nadam": "beta1 beta2 eps",
        "Nadam constant": "beta1 beta2",
        "Lion": "beta1 beta2 weight_decay",
        "Clipped Adam": "max_norm beta1",
    }.items()
    for name in names.split()
]
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


@pytest.mark.parametrize("make", VARIANTS.values(), ids=VARIANTS)
def test_nothing_is_modified(make):
    rule = make(np.full((3, 1), 0.1))
    x, g = np.ones((3, 2)), np.full((3, 2), 2.0)
    state = rule.init(x)
    assert state.t == 0
    for t in range(1, 4):
        kept = [np.copy(part) for part in state]
        rule.where(x, state)
        _, after = rule.step(x, g, state)
        np.testing.assert_array_equal(x, 1)
        np.testing.assert_array_equal(g, 2)
        for part, copy in zip(state, kept, strict=True):
            np.testing.assert_array_equal(part, copy)
        assert type(after) is type(state)
        assert after.t == t
        state = after


@pytest.mark.parametrize("make", [*RULES, adadelta, partial(Clipped, Adam(0.1))])
def test_nothing_can_be_modified(make):
    rule = make(np.full((3, 1), 0.1))
    name = "max_norm" if isinstance(rule, Clipped) else "lr"
    with pytest.raises(AttributeError):
        setattr(rule, name, 1)
    with pytest.raises(ValueError, match="read-only"):
        getattr(rule, name)[0] = 1
    assert make(0.1) != make(0.1)
    assert rule == rule
    x = np.ones(2)
    assert rule.where(x, rule.init(x)) is x


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

FOLDER = Path(__file__).parent / "golden"
CALLS = runpy.run_path(str(FOLDER / "calls.py"))
GOLDEN = json.loads((FOLDER / "golden.json").read_text(encoding="utf-8"))
GRADIENTS, X0 = np.array(GOLDEN["gradients"]), np.array(GOLDEN["x0"])
POINTS = {(row["call"], row["schedule"]): np.array(row["x"]) for row in GOLDEN["rows"]}
GOLDEN_LR = {"constant": 0.1, "inverse_time": inverse_time(0.1, 0.05)}
TOLERANCE = 1e-12
NAMES = {**vars(optimizers), "inverse_time": inverse_time}

SAME = [
    pytest.param(call, schedule, id=f"{call.theirs} = {call.ours}, {schedule}")
    for call in CALLS["SAME"]
    for schedule in GOLDEN_LR
    if call.when == "always" or schedule == "constant"
]
DIFFERENT = [
    pytest.param(call, schedule, id=f"{call.theirs} != {call.ours}, {schedule}")
    for call in CALLS["DIFFERENT"]
    for schedule in GOLDEN_LR
]


def distance(got, expected):
    """Largest difference in each coordinate, relative to the coordinate's largest value; then the worst."""
    return (np.abs(got - expected).max(axis=0) / np.abs(expected).max(axis=0)).max()


def ours(call, schedule):
    """What the course's call does with the golden gradients, at the recorded steps."""
    rule = eval(call.ours, {**NAMES, "lr": GOLDEN_LR[schedule]})
    return run(rule, GRADIENTS, X0)[GOLDEN["recorded"]]


@pytest.mark.parametrize(("call", "schedule"), SAME)
def test_equals_the_framework(call, schedule):
    assert distance(ours(call, schedule), POINTS[call.theirs, schedule]) < TOLERANCE


@pytest.mark.parametrize(("call", "schedule"), DIFFERENT)
def test_differs_from_the_framework_by_what_is_said(call, schedule):
    said = call.constant if schedule == "constant" else call.scheduled
    measured = distance(ours(call, schedule), POINTS[call.theirs, schedule])
    if said == 0:
        assert measured < TOLERANCE
    else:
        assert said > 1e-10
        assert measured == pytest.approx(said, rel=0.05)


def their_dampening(rate, t, x, g, s):
    """PyTorch's dampening: the first velocity is the whole gradient, later ones v = βv + (1 - damp) g."""
    v = 0.9 * s[0] + (1 - 0.9) * g if t else g
    return x - rate * v, [v]


def their_rmsprop(rho, eps, inside):
    """Keras and optax: RMSprop whose velocity contains the rate."""

    def step(rate, t, x, g, s):
        mean = rho * s[0] + (1 - rho) * g * g
        v = 0.9 * s[1] + rate * g / (np.sqrt(mean + eps) if inside else np.sqrt(mean) + eps)
        return x - v, [mean, v]

    return step


def their_clipping(rate, t, x, g, s):
    """PyTorch: the norm gets 1e-6."""
    return x - rate * g * min(1, 900 / (np.sqrt(np.sum(g * g)) + 1e-6)), s


def their_l2(rate, t, x, g, s):
    """PyTorch: λx is part of the gradient."""
    x, state = Adam(rate).step(x, g + 0.1 * x, s[0] if t else Adam(rate).init(x))
    return x, [state]


REASONS = {
    "torch.optim.SGD([x], lr, momentum=0.9, dampening=0.9)": their_dampening,
    "keras.optimizers.RMSprop(lr, momentum=0.9)": their_rmsprop(0.9, 1e-7, True),
    "optax.rmsprop(lr, 0.99, eps_in_sqrt=False, momentum=0.9)": their_rmsprop(0.99, 1e-8, False),
    "torch.nn.utils.clip_grad_norm_([x], 900.0); torch.optim.SGD([x], lr)": their_clipping,
    "torch.optim.Adam([x], lr, weight_decay=0.1)": their_l2,
}


@pytest.mark.parametrize("schedule", GOLDEN_LR)
@pytest.mark.parametrize("call", CALLS["DIFFERENT"], ids=lambda call: call.theirs)
def test_the_reason_of_a_difference_is_the_reason(call, schedule):
    """Either another call of ours equals theirs, or a few lines with the named difference do."""
    if call.theirs not in REASONS:
        assert call.theirs in [same.theirs for same in CALLS["SAME"] if same.when == "always"]
        return
    x, s, points = X0, [0.0, 0.0], [X0]
    for t, g in enumerate(GRADIENTS):
        x, s = REASONS[call.theirs](rate(GOLDEN_LR[schedule], t), t, x, g, s)
        points.append(x)
    assert distance(np.array(points)[GOLDEN["recorded"]], POINTS[call.theirs, schedule]) < TOLERANCE


def test_every_rule_is_compared_with_every_framework_that_has_it():
    found = {}
    for call in CALLS["SAME"]:
        found.setdefault(call.ours.split("(")[0], set()).add(call.framework)
    rules = {name for name in optimizers.__all__ if name[0].isupper() and not name.endswith("State")}
    assert set(found) == rules
    everywhere = {"torch", "keras", "optax"}
    assert {name for name in rules if found[name] == everywhere} == rules - {"Lion", "Clipped"}
    assert found["Lion"] == found["Clipped"] == {"keras", "optax"}  # PyTorch has no Lion, and clips otherwise
    options = " ".join(call.ours for call in CALLS["SAME"])
    for option in ("sum-of-steps", "average-of-gradients", "rewritten", "inside", "uncorrected", "after"):
        assert repr(option) in options


def test_no_golden_value_is_left_over():
    called = {call.theirs for call in CALLS["SAME"] + CALLS["DIFFERENT"]}
    assert {call for call, _ in POINTS} == called
    assert all(points.shape == (5, 4) for points in POINTS.values())


# ----------------------------------------------------- batches and precision


@pytest.mark.parametrize("make", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_batch_of_rates_equals_single_runs_bit_for_bit(make, schedule, dtype):
    rates = np.array([0.1, 1 / 3, 0.7])
    g = np.random.default_rng(1).standard_normal((12, 3, 2)).astype(dtype)
    x = np.ones((3, 2), dtype)
    batch = run(make(SCHEDULES[schedule](rates[:, None])), g, x)
    assert batch.dtype == dtype
    for i, lr in enumerate(rates):
        single = run(make(SCHEDULES[schedule](float(lr))), g[:, i], x[i])
        np.testing.assert_array_equal(batch[:, i], single)


@pytest.mark.parametrize(("make", "name"), OTHER_HYPERPARAMETERS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_batch_of_other_hyperparameters_equals_single_runs_bit_for_bit(make, name, dtype):
    values = np.array([1e-3, 0.3, 0.9, 0.999])
    g = np.random.default_rng(2).standard_normal((12, 4, 2)).astype(dtype)
    x = np.ones((4, 2), dtype)
    batch = run(make(0.1, **{name: values[:, None]}), g, x)
    assert batch.dtype == dtype
    if name != "initial_accumulator":
        scheduled = run(make(0.1, **{name: lambda t: values[:, None]}), g, x)
        np.testing.assert_array_equal(batch, scheduled)
    for i, value in enumerate(values):
        single = run(make(0.1, **{name: value}), g[:, i], x[i])
        np.testing.assert_array_equal(batch[:, i], single)


@pytest.mark.parametrize("make", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("land", [landscapes.valley(), landscapes.beale(), landscapes.saddle()], ids=str)
def test_a_batch_of_descents_equals_single_descents_bit_for_bit(make, land):
    rates = np.array([1e-3, 1 / 90, 0.3])
    batch = minimize(land, land.start, make(rates[:, None]), 15)
    for i, lr in enumerate(rates):
        single = minimize(land, land.start, make(float(lr)), 15)
        np.testing.assert_array_equal(batch.x[:, i], single.x)
        np.testing.assert_array_equal(batch.loss[:, i], single.loss)


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


def stays_float32(rule, steps=3):
    x = np.ones((2, 2), np.float32)
    state = rule.init(x)
    for _ in range(steps):
        assert rule.where(x, state).dtype == np.float32
        x, state = rule.step(x, np.ones_like(x), state)
        assert x.dtype == np.float32
        for name, part in state._asdict().items():
            if name not in ("t", "p", "p1", "p2"):
                assert part.dtype == np.float32, name
        # The powers stay in double precision: 1 - 0.999 has four correct digits in float32.
        for name in {"p", "p1", "p2"} & set(state._fields):
            assert np.asarray(getattr(state, name)).dtype == np.float64, name


@pytest.mark.parametrize("make", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("lr", LRS_IN_EVERY_SHAPE)
def test_float32_stays_float32(make, schedule, lr):
    stays_float32(make(SCHEDULES[schedule](LRS_IN_EVERY_SHAPE[lr])))


@pytest.mark.parametrize(("make", "name"), OTHER_HYPERPARAMETERS, ids=str)
@pytest.mark.parametrize("shape", LRS_IN_EVERY_SHAPE)
def test_float32_stays_float32_with_every_hyperparameter(make, name, shape):
    value = LRS_IN_EVERY_SHAPE[shape]
    value = np.multiply(value, 0.25) if np.max(value) >= 1 else value
    for wrapped in (value, lambda t: value):
        stays_float32(make(0.1, **{name: wrapped}))


@pytest.mark.parametrize("make", VARIANTS.values(), ids=VARIANTS)
def test_a_point_of_whole_numbers_moves_as_one_of_floats_does(make):
    """The start [1, 2] must cut neither the rate nor the state to 0."""
    g = np.random.default_rng(3).standard_normal((3, 2))
    whole = run(make(0.1), g, np.array([1, 2]))
    np.testing.assert_array_equal(whole, run(make(0.1), g, np.array([1.0, 2.0])))


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
    # Without a point: double precision, in which 1 - β and lr·λ are computed.
    assert type(rate(np.float64(0.1), 5)) is np.float64
    for value in (np.array([[0.1]], np.float32), [[0.1]], lambda t: [[0.1]], 1):
        assert rate(value, 5).dtype == np.float64
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


# Every other hyperparameter: how its rule is made from it, the range in the message, the remedy, and values
# just outside and just inside.
BY_NAME = [
    (Momentum, "beta", r"\[0, 1\]", "0.9 is usual", [1.0001], [0, 1]),
    (Nesterov, "beta", r"\[0, 1\]", "0.9 is usual", [1.0001], [0, 1]),
    (RMSProp, "momentum", r"\[0, 1\]", "0.9 is usual", [1.0001], [0, 1]),
    (RMSProp, "rho", r"\[0, 1\)", "0.9 to 0.999 is usual", [1], [0, 0.9999]),
    (adadelta, "rho", r"\[0, 1\)", "0.9 to 0.999 is usual", [1], [0, 0.9999]),
    *[
        (rule, beta, r"\[0, 1\)", "0.9 to 0.999 is usual", [1], [0, 0.9999])
        for rule in (Adam, AdamW, AMSGrad, Nadam, Lion)
        for beta in ("beta1", "beta2")
    ],
    *[
        (rule, "eps", r"\[0, inf\)", "1e-8 is usual", [-1e-300], [0, 1e300])
        for rule in (Adagrad, RMSProp, adadelta, Adam, AdamW, AMSGrad, Nadam)
    ],
    (Adagrad, "initial_accumulator", r"\[0, inf\)", "0 is PyTorch's", [-1e-300], [0, 1e300]),
    (AdamW, "weight_decay", r"\[0, inf\)", "0.01 is usual", [-1e-300], [0, 1e300]),
    (Lion, "weight_decay", r"\[0, inf\)", "0.01 is usual", [-1e-300], [0, 1e300]),
    (clipped(Adam), "max_norm", r"\(0, inf\)", "1 is usual", [0], [1e-300, 1e300]),
]


@pytest.mark.parametrize(
    ("make", "name", "interval", "remedy", "outside", "inside"),
    BY_NAME,
    ids=lambda v: v if isinstance(v, str) else getattr(v, "__name__", ""),
)
def test_bad_hyperparameters_raise_at_construction(make, name, interval, remedy, outside, inside):
    for bad in (*BAD, *outside, [outside], lambda t: outside[0]):
        with pytest.raises(
            ValueError, match=rf"(?s)^{name}.* = .*: must be .*({remedy}|Reshape it)"
        ) as error:
            make(0.1, **{name: bad})
        text = str(error.value)
        assert "raised" in text or "not a callable" in text or re.search(interval, text), text
    for good in inside:
        rule = make(0.1, **{name: good})
        assert getattr(rule, name) == good
        assert type(getattr(rule, name)) is float


@pytest.mark.parametrize("make", RULES)
def test_ends_of_the_range_of_the_rate_are_allowed(make):
    assert make(0).lr == 0
    assert make(1e300).lr == 1e300


OPTIONS = [
    (Adagrad, "eps_place", "'outside', 'inside'", "uncorrected"),
    (RMSProp, "eps_place", "'outside', 'inside'", "uncorrected"),
    (Adam, "eps_place", "'outside', 'inside', 'uncorrected'", "above"),
    (AdamW, "eps_place", "'outside', 'inside', 'uncorrected'", "above"),
    (AMSGrad, "eps_place", "'outside', 'inside', 'uncorrected'", "above"),
    (AMSGrad, "maximum", "'before', 'after'", "both"),
    (RMSProp, "centered", "True or False", "yes"),
    (Adam, "bias_correction", "True or False", "yes"),
    (AdamW, "bias_correction", "True or False", "yes"),
    (AMSGrad, "bias_correction", "True or False", "yes"),
]


@pytest.mark.parametrize(("make", "name", "listed", "other"), OPTIONS)
def test_unknown_options_raise_at_construction(make, name, listed, other):
    for bad in (other, "", None, 1, 0, 0.5, ["outside"], np.array(True), np.ones(2), {}):
        with pytest.raises(ValueError, match=f"^{name} = .*: must be .*{listed}.* Choose one of them"):
            make(0.1, **{name: bad})


HYPERPARAMETERS = st.one_of(
    st.floats(),
    st.integers(),
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
    st.lists(st.lists(st.floats(-1, 1), min_size=1, max_size=1), max_size=4),
    st.text(max_size=2),
)
EVERY_NAME = [(make, "lr") for make in RULES] + [row[:2] for row in BY_NAME]


@quick
@given(HYPERPARAMETERS)
def test_every_hyperparameter_either_works_or_is_refused(value):
    for make, name in EVERY_NAME:
        try:
            rule = make(**{"lr": 0.1, name: value})
        except ValueError as error:
            assert str(error).startswith(f"{name} = ")  # noqa: PT017
            continue
        x = np.ones(2)
        with np.errstate(over="ignore", invalid="ignore"):
            stepped, state = rule.step(x, x, rule.init(x))
        values = np.asarray(value)
        assert values.shape[-1:] in ((), (1,))
        assert state.t == 1
        if name not in ("beta", "momentum") or make is Nesterov:  # these do not act on the first step
            assert np.shape(stepped) in ((2,), np.broadcast_shapes(values.shape, (2,)))


# --------------------------------------------------------------------- clipping


def clip(g, max_norm, t=0):
    """What reaches the rule inside: the step of plain gradient descent with rate 1, backwards."""
    rule, x = Clipped(GradientDescent(1), max_norm), np.zeros_like(g)
    return -rule.step(x, g, GradientDescentState(t))[0]


def test_clipping_keeps_the_direction_and_cuts_the_length():
    assert clip(np.array([3.0, 4.0]), 10).tolist() == [3, 4]
    assert clip(np.array([3.0, 4.0]), 5).tolist() == [3, 4]
    assert clip(np.array([3.0, 4.0]), 2.5).tolist() == [1.5, 2]
    assert clip(np.array([0.0, 0.0]), 2.5).tolist() == [0, 0]
    assert clip(np.array([3.0, -4.0], np.float32), 2.5).dtype == np.float32
    g = np.random.default_rng(4).standard_normal(50)
    assert np.linalg.norm(clip(g, 0.1)) == pytest.approx(0.1, rel=1e-14)


def test_every_member_of_a_batch_is_clipped_by_its_own_norm():
    g = np.array([[3.0, 4.0], [0.3, 0.4], [30.0, 40.0]])
    assert clip(g, 1).round(12).tolist() == [[0.6, 0.8], [0.3, 0.4], [0.6, 0.8]]
    assert clip(g, [[10], [0.25], [25]]).tolist() == [[3, 4], [0.15, 0.2], [15, 20]]


def test_the_largest_norm_may_follow_a_schedule():
    assert clip(np.array([3.0, 4.0]), lambda t: 2.5 if t == 7 else 5, t=7).tolist() == [1.5, 2]


@pytest.mark.parametrize("make", VARIANTS.values(), ids=VARIANTS)
def test_clipping_composes_with_every_rule(make):
    """It is the rule on the clipped gradients, and the rule itself while nothing is clipped."""
    g, x0 = np.random.default_rng(5).standard_normal((20, 2)), np.array([1.0, -2.0])
    shortened = np.array([clip(each, 0.5) for each in g])
    np.testing.assert_array_equal(run(Clipped(make(0.1), 0.5), g, x0), run(make(0.1), shortened, x0))
    np.testing.assert_array_equal(run(Clipped(make(0.1), 1e9), g, x0), run(make(0.1), g, x0))


@pytest.mark.parametrize("form", ["pytorch", "look-ahead", "rewritten"])
def test_clipping_measures_where_the_rule_wants_it(form):
    land, rule = landscapes.valley(), Nesterov(0.1, 0.9, form)
    plain, wide = (minimize(land, [-5, -2], each, 30) for each in (rule, Clipped(rule, 1e9)))
    np.testing.assert_array_equal(wide.x, plain.x)
    x, state = np.array([1.0]), MomentumState(1, np.array([2.0]))
    np.testing.assert_array_equal(Clipped(rule, 1).where(x, state), rule.where(x, state))


class Bare:
    """A rule of the reader's own, with the two methods that a rule must have."""

    def init(self, x):
        return GradientDescentState(0)

    def step(self, x, g, state):
        return x - g, GradientDescentState(state.t + 1)


def test_a_readers_own_rule_can_be_clipped():
    path = minimize(landscapes.valley(), [-5, -2], Clipped(Bare(), 0.5), 3)
    np.testing.assert_allclose(np.linalg.norm(np.diff(path.x, axis=0), axis=-1), 0.5)


@pytest.mark.parametrize("bad", [Adam, 0.1, None, "Adam", lambda x, g: x, object(), landscapes.valley()])
def test_what_is_no_rule_cannot_be_clipped(bad):
    with pytest.raises(ValueError, match=r"^rule = .*: must be an object with init and step.* Write Clipped"):
        Clipped(bad, 1)


# ------------------------------------------------------- what all rules share


def test_the_precision_of_what_is_computed_from_hyperparameters():
    single = np.ones(2, np.float32)
    assert cast(0.1, single) == 0.1
    assert type(cast(0.1, single)) is float
    assert cast(np.float64(0.1), single).dtype == np.float32
    assert cast(np.array([[0.1]]), np.array([1, 2])).tolist() == [[0.1]]
    # 1 - β is rounded once, alone and in a batch.
    for beta in (0.999, np.array([[0.999]])):
        assert leaky(beta, np.zeros(2, np.float32), single).ravel()[0] == np.float32(1 - 0.999)
    assert leaky(0.75, np.array([4.0]), np.array([8.0])).tolist() == [5]


def test_every_public_name_exists():
    assert all(hasattr(optimizers, name) for name in optimizers.__all__)
    for module in (momentum, adaptive, adam, nadam_lion):
        assert set(module.__all__) - {"root"} <= set(optimizers.__all__)
