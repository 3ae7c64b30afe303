"""Penalties by hand, their gradients by differences, their proximal steps by the minimum they are."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import penalised, regularizers
from course_lib.derivatives import gradient
from course_lib.descent import minimize
from course_lib.landscapes import quadratic
from course_lib.momentum import Momentum, Nesterov
from course_lib.networks import MLP
from course_lib.optimizers import GradientDescent
from course_lib.regressions import linear_regression
from course_lib.regularizers import L1, L2, ElasticNet, MaxNorm, Penalised, PenalisedModel, Proximal, units
from course_lib.schedules import constant, inverse_time

quick = settings(derandomize=True, deadline=None, max_examples=40)

PENALTIES = {
    "L2": L2(0.7),
    "L1": L1(0.7),
    "ElasticNet": ElasticNet(0.7, 0.3),
    "ElasticNet 1": ElasticNet(0.7, 1),
    "ElasticNet 0": ElasticNet(0.7, 0),
}
THETA = np.array([1.5, -0.2, 0.4, -3.0])
MASK = np.array([1.0, 1.0, 0.0, 1.0])


def network(**options):
    return MLP([3, 4, 2], "tanh", rng=np.random.default_rng(0), **options)


# ------------------------------------------------------------------- values, gradients


def test_values_by_hand():
    w1, w2 = [1, 0, 0, 0], [0.25] * 4
    assert (L2(1).value(w1), L2(1).value(w2)) == (1, 0.25)
    assert (L1(1).value(w1), L1(1).value(w2)) == (1, 1)
    assert L2(0.5).value(THETA) == pytest.approx(0.5 * (2.25 + 0.04 + 0.16 + 9), rel=1e-15)
    assert L1(0.5).value(THETA) == pytest.approx(0.5 * 5.1, rel=1e-15)
    assert ElasticNet(2, 0.25).value(THETA) == pytest.approx(2 * (0.25 * 5.1 + 0.75 * 11.45), rel=1e-15)
    assert ElasticNet(2).value([1, -2]) == 2 * (0.5 * 3 + 0.5 * 5)
    assert L1(0.5).value(THETA, MASK) == pytest.approx(0.5 * 4.7, rel=1e-15)
    assert L2(0.5).value(THETA, MASK) == pytest.approx(0.5 * 11.29, rel=1e-15)


@pytest.mark.parametrize("mask", [None, MASK, MASK.astype(bool), [1, 1, 0, 1]])
@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
def test_gradients_by_differences(penalty, mask):
    expected = gradient(lambda x: penalty.value(x, mask), THETA)
    np.testing.assert_allclose(penalty.grad(THETA, mask), expected, rtol=1e-8, atol=1e-9)
    assert mask is None or penalty.grad(THETA, mask)[2] == 0


def test_the_subgradient_at_the_kink_is_zero():
    assert L1(1).grad([0.0, -1e-300, 1e-300]).tolist() == [0, -1, 1]


@pytest.mark.parametrize(
    ("ours", "same"),
    [(ElasticNet(0.7, 1), L1(0.7)), (ElasticNet(0.7, 0), L2(0.7))],
)
def test_the_ends_of_the_elastic_net(ours, same):
    np.testing.assert_array_equal(ours.value(THETA), same.value(THETA))
    np.testing.assert_array_equal(ours.grad(THETA), same.grad(THETA))
    np.testing.assert_array_equal(ours.prox(THETA, 0.3), same.prox(THETA, 0.3))


# ------------------------------------------------------------------- proximal steps


def test_proximal_steps_by_hand():
    assert L1(0.5).prox([3, -3, 0.2, -0.2, 1, 0], 2).tolist() == [2, -2, 0, 0, 0, 0]
    assert L2(0.5).prox([3, -3, 0], 2).tolist() == [1, -1, 0]
    assert ElasticNet(1, 0.5).prox([4, -0.5], 1).tolist() == [1.75, 0]
    assert L1(0.5).prox([3.0, 0.2], 0).tolist() == [3, 0.2]
    assert L1(0).prox([3.0, 0.2], 2).tolist() == [3, 0.2]


@quick
@given(
    st.sampled_from(list(PENALTIES.values())),
    st.floats(-5, 5),
    st.floats(0, 3),
)
def test_a_proximal_step_is_the_minimum_that_defines_it(penalty, theta, lr):
    def objective(z):
        return 0.5 * (z - theta) ** 2 + lr * penalty.value(z[..., None])

    best = penalty.prox(np.array([theta]), lr)
    z = best + np.concatenate([np.linspace(-6, 6, 241), [-1e-4, 1e-4]])
    assert (objective(z) >= objective(best) - 1e-15).all()


@pytest.mark.parametrize("penalty", [*PENALTIES.values(), MaxNorm(0.5)])
def test_what_the_mask_spares_keeps_its_bits(penalty):
    moved = penalty.prox(THETA, 0.1, MASK)
    assert moved[2] == THETA[2]
    assert (moved[[0, 1, 3]] != THETA[[0, 1, 3]]).all()
    assert THETA.tolist() == [1.5, -0.2, 0.4, -3.0]


def test_no_zero_carries_a_sign():
    assert not np.signbit(L1(1).prox([-0.5, 0.5, -0.0 + 0], 1)).any()


# ------------------------------------------------------------------- batches, precision


@pytest.mark.parametrize("kind", [L1, L2, ElasticNet])
def test_a_batch_of_strengths_equals_single_ones(kind):
    strengths = np.array([[0.1], [0.5], [2.0]])
    rates = np.array([[0.3], [0.1], [1.0]])
    theta = np.random.default_rng(0).standard_normal((3, 4))
    batch = kind(strengths)
    assert batch.value(theta).shape == (3,)
    for i, (lam, lr) in enumerate(zip(strengths[:, 0], rates[:, 0], strict=True)):
        one = kind(float(lam))
        assert batch.value(theta)[i] == one.value(theta[i])
        np.testing.assert_array_equal(batch.grad(theta)[i], one.grad(theta[i]))
        np.testing.assert_array_equal(batch.prox(theta, rates)[i], one.prox(theta[i], float(lr)))


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("penalty", [*PENALTIES.values(), L1([[0.5], [0.1]]), MaxNorm(1)])
def test_precision_is_kept(penalty, dtype, mask):
    theta = np.stack([THETA, THETA]).astype(dtype)
    assert penalty.grad(theta, mask).dtype == dtype
    assert penalty.prox(theta, 0.1, mask).dtype == dtype
    assert penalty.prox(theta, np.array([[0.1], [0.2]]), mask).dtype == dtype
    if not isinstance(penalty, MaxNorm):
        assert penalty.value(theta, mask).dtype == dtype


# ------------------------------------------------------------------- max-norm


def test_max_norm_by_hand():
    assert MaxNorm(1).prox([3, 4]) == pytest.approx([0.6, 0.8], rel=1e-15)
    np.testing.assert_array_equal(MaxNorm(5).prox([3.0, 4.0]), [3, 4])
    assert (MaxNorm(5).value([3, 4]), MaxNorm(4.99).value([3, 4])) == (0, math.inf)
    assert (MaxNorm(1).value([3, 4, 9], [0, 0, 0]), MaxNorm(4).value([3, 4, 1], [1, 0, 1])) == (0, 0)
    np.testing.assert_array_equal(MaxNorm(1).grad([3, 4]), [0, 0])
    grouped = MaxNorm(1, [0, 2, 0, 2, -1])
    moved = grouped.prox([[3, 0.1, 4, 0.2, 9], [0.3, 0, 0.4, 5, 9]])
    np.testing.assert_allclose(moved, [[0.6, 0.1, 0.8, 0.2, 9], [0.3, 0, 0.4, 1, 9]], rtol=1e-15)
    assert moved[0, 3] == 0.2
    assert grouped.value([[3, 0.1, 4, 0.2, 9], [0.3, 0, 0.4, 1, 9]]).tolist() == [math.inf, 0]
    masked = grouped.prox([3.0, 3, 4, 4, 9], mask=[1, 1, 1, 0, 1])
    np.testing.assert_allclose(masked, [0.6, 1, 0.8, 4, 9], rtol=1e-15)
    np.testing.assert_array_equal(MaxNorm(1, [-1, -1]).prox([3.0, 4.0]), [3, 4])
    np.testing.assert_array_equal(MaxNorm(1, [0]).prox([3.0]), [1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_was_projected_keeps_the_bound(dtype):
    theta = (10 * np.random.default_rng(0).standard_normal((200, 30))).astype(dtype)
    bound = MaxNorm(0.3, np.arange(30) % 7)
    assert (bound.value(theta) == np.inf).all()
    assert (bound.value(bound.prox(theta)) == 0).all()
    assert (bound.value(bound.prox(theta) * dtype(1.00001)) == np.inf).all()


def test_units_of_a_network():
    net = network(norm="batch")
    bound, theta = MaxNorm(0.5, units(net)), 3 * net.theta0 + 1
    before, after = net.unpack(theta), net.unpack(bound.prox(theta, mask=net.decay_mask()))
    lengths = []
    for old, new in zip(before, after, strict=True):
        for a, b in zip(old, new, strict=True):
            if a.ndim == 2:
                lengths += np.linalg.norm(b, axis=0).tolist()
                np.testing.assert_allclose(b / b[0], a / a[0], rtol=1e-12)
            else:
                np.testing.assert_array_equal(a, b)
    assert lengths == pytest.approx([0.5] * 6)
    assert units(net).max() == 5
    assert (units(net) == -1).sum() == (net.decay_mask() == 0).sum()


# ------------------------------------------------------------------- at work

X = np.array([[0.0], [1.0], [2.0], [3.0]])[:, 0]
Y = np.array([1.0, 1.5, 2.5, 2.0])


def test_a_penalised_problem_has_the_minimum_of_ridge_regression():
    land = linear_regression(X, Y, loss="sum")
    ridge = Penalised(land, L2(0.5), [1, 0])
    path = minimize(ridge, [0.0, 0.0], GradientDescent(0.03), 3000, keep="last")
    A = np.column_stack([X, np.ones(4)])
    closed = np.linalg.solve(A.T @ A + np.diag([0.5, 0.0]), A.T @ Y)
    np.testing.assert_allclose(path.x_last, closed, rtol=1e-9)
    np.testing.assert_allclose(ridge.grad(path.x_last), 0, atol=1e-9)


def test_a_penalised_problem_passes_rows_and_places_on():
    land = linear_regression(X, Y)
    both = Penalised(land, L1(0.5))
    point, rows = np.array([0.4, -0.1]), [0, 2]
    assert both(point) == land(point) + 0.25
    assert both(point, rows=rows) == land(point, rows=rows) + 0.25
    np.testing.assert_allclose(
        both.grad(point, rows=rows), land.grad(point, rows=rows) + np.array([0.5, -0.5]), rtol=1e-15
    )
    assert (both.n_examples, both.dim) == (4, 2)
    assert (both.window, both.start.tolist()) == (land.window, land.start.tolist())
    assert not hasattr(both, "minima")
    assert repr(both).endswith(" + L1(lam=0.5)")


def test_only_the_proximal_step_makes_exact_zeros():
    land = quadratic(4, dim=5)
    start = np.array([1.0, 1.0, 1.0, 1.0, 1.0])

    class Moved:
        """½ Σ λᵢ (xᵢ − cᵢ)², whose lasso solution is known."""

        target = np.array([2.0, 0.1, -0.05, -2.0, 0.02])

        def __call__(self, x):
            return land(x - self.target)

        def grad(self, x):
            return land.grad(x - self.target)

    curvature = np.diag(land.hess(start))
    solution = Moved.target - np.clip(Moved.target, -0.3 / curvature, 0.3 / curvature)
    assert (solution == 0).sum() == 3
    proximal = minimize(Moved(), start, Proximal(GradientDescent(0.1), L1(0.3)), 500).x_last
    np.testing.assert_allclose(proximal, solution, atol=1e-12)
    assert ((proximal == 0) == (solution == 0)).all()
    subgradient = minimize(Penalised(Moved(), L1(0.3)), start, GradientDescent(0.1), 500).x
    assert (subgradient[-10:] != 0).all()
    assert np.abs(subgradient[-1] - solution).max() > 1e-3


def test_the_proximal_step_has_the_rate_of_its_step():
    rule = Proximal(GradientDescent(inverse_time(1.0, 1.0)), L1(0.6))
    x, state = np.array([2.0]), rule.init(np.array([2.0]))
    found = []
    for _ in range(3):
        x, state = rule.step(x, np.zeros(1), state)
        found.append(float(x[0]))
    assert found == pytest.approx([2 - 0.6, 2 - 0.6 - 0.3, 2 - 0.6 - 0.3 - 0.2])
    assert state.t == 3
    assert rule.lr is rule.rule.lr


def test_a_batch_of_proximal_runs_equals_single_ones():
    rates = np.array([[0.1], [0.3]])
    path = minimize(quadratic(3), [1.0, 1.0], Proximal(GradientDescent(rates), L1(0.4)), 20)
    for i, lr in enumerate(rates[:, 0]):
        single = minimize(quadratic(3), [1.0, 1.0], Proximal(GradientDescent(float(lr)), L1(0.4)), 20)
        np.testing.assert_array_equal(path.x[:, i], single.x)


def test_a_proximal_step_with_a_mask_and_other_rules():
    x, g = np.array([1.0, 1.0], np.float32), np.ones(2, np.float32)
    rule = Proximal(Momentum(0.1), L1(5), [1, 0])
    moved, state = rule.step(x, g, rule.init(x))
    plain, plain_state = Momentum(0.1).step(x, g, Momentum(0.1).init(x))
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved, [0.4, plain[1]], rtol=1e-6)
    np.testing.assert_array_equal(state.v, plain_state.v)
    np.testing.assert_array_equal(rule.where(x, state), x)
    ahead = Proximal(Nesterov(0.1, form="look-ahead"), L1(5))
    where = ahead.where(x, state)
    np.testing.assert_array_equal(where, ahead.rule.where(x, state))
    assert (where != x).all()


# ------------------------------------------------------------------- networks

INPUTS = np.random.default_rng(1).standard_normal((6, 3))
LABELS = np.array([0, 1, 0, 1, 1, 0])


@pytest.mark.parametrize("penalty", [L2(0.3), L1(0.3), ElasticNet(0.3)])
def test_a_penalised_network_has_the_gradient_of_its_loss(penalty):
    net = network()
    model = PenalisedModel(net, penalty)
    theta = net.theta0 + 0.01
    loss, grad = model.loss_and_grad(theta, INPUTS, LABELS)
    expected = gradient(lambda x: model.loss_and_grad(x, INPUTS, LABELS)[0], theta)
    np.testing.assert_allclose(grad, expected, rtol=1e-6, atol=1e-8)
    data, slope = net.loss_and_grad(theta, INPUTS, LABELS)
    assert loss == pytest.approx(data + penalty.value(theta, net.decay_mask()))
    np.testing.assert_array_equal((grad == slope), net.decay_mask() == 0)
    assert model.loss(theta, INPUTS, LABELS) == net.loss(theta, INPUTS, LABELS)
    land = model.landscape(INPUTS, LABELS)
    assert land(theta) == pytest.approx(loss)
    np.testing.assert_allclose(land.grad(theta), grad, rtol=1e-14)


def test_a_penalised_network_is_the_network_otherwise():
    net = network(dropout=0.5, dtype=np.float32)
    model = PenalisedModel(net, L2(0.3), np.ones(net.n_parameters))
    assert model.theta0 is net.theta0
    np.testing.assert_array_equal(model.predict(net.theta0, INPUTS), net.predict(net.theta0, INPUTS))
    arguments = net.theta0, INPUTS, LABELS
    loss, grad = model.loss_and_grad(*arguments, np.random.default_rng(3))
    same, slope = net.loss_and_grad(*arguments, np.random.default_rng(3))
    assert (type(loss), grad.dtype) == (float, np.float32)
    assert loss == pytest.approx(same + 0.3 * float((net.theta0**2).sum()), rel=1e-5)
    np.testing.assert_allclose(grad, slope + np.float32(0.6) * net.theta0, rtol=1e-5, atol=1e-7)
    evaluated = model.loss_and_grad(*arguments, train=False)[0] - net.loss(*arguments)
    assert evaluated == pytest.approx(0.3 * float((net.theta0**2).sum()), rel=1e-5)
    assert repr(model) == f"{net!r} + L2(lam=0.3)"
    with pytest.raises(AttributeError):
        model.no_such_thing  # noqa: B018
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.n_parameters == net.n_parameters


# ------------------------------------------------------------------- bad input

BAD = [-0.1, math.nan, math.inf, True, "0.1", None, [], [0.1, 0.2], [[0.1, 0.2]], [[-1.0]], constant(0.1)]


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("kind", [L1, L2, ElasticNet])
def test_bad_strengths(kind, value):
    with pytest.raises(ValueError, match=r"^lam = .*: must be .*(Use 0\.01|Reshape)"):
        kind(value)
    assert kind(0).value([1.0]) == 0


@pytest.mark.parametrize("value", BAD)
def test_bad_rates(value):
    with pytest.raises(ValueError, match=r"^lr = .*: must be .*(rate of this step|Reshape)"):
        L1(0.1).prox(THETA, value)


@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan, "a", None, [0.5], True])
def test_bad_ratios(value):
    with pytest.raises(ValueError, match=r"^ratio = .*: must be .*\[0, 1\].*1 is L1, 0 is L2"):
        ElasticNet(0.1, value)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "a", None, [0.5], True])
def test_bad_limits(value):
    with pytest.raises(ValueError, match=r"^limit = .*: must be .*\(0, inf\).*3 is usual"):
        MaxNorm(value)


@pytest.mark.parametrize("value", [[], 3, [0.5], [-2, 0], [[0, 1]], "ab", [True, False]])
def test_bad_groups(value):
    with pytest.raises(ValueError, match=r"^groups = .*: must be whole numbers from -1 on"):
        MaxNorm(1, value)


def test_groups_of_another_length_and_safe_from_the_caller():
    with pytest.raises(ValueError, match=r"^groups\.shape = \(3,\): must be \(4,\)"):
        MaxNorm(1, [0, 0, 0]).prox(THETA)
    groups = np.array([0, 1])
    bound = MaxNorm(1, groups)
    groups[:] = 5
    assert bound.groups.tolist() == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        bound.groups[0] = 1


@pytest.mark.parametrize("method", ["value", "grad", "prox"])
@pytest.mark.parametrize("penalty", [*PENALTIES.values(), MaxNorm(1)])
def test_bad_parameters_and_masks(penalty, method):
    extra = {"lr": 0.1} if method == "prox" else {}
    for theta in (1.0, None, "a", ["a"], [None], [True], [1j]):
        with pytest.raises(ValueError, match=r"^theta = .*: must be real numbers of shape \(\.\.\., d\)"):
            getattr(penalty, method)(theta, **extra)
    for mask in ([1, 1], np.ones((1, 4)), 1):
        with pytest.raises(ValueError, match=r"^mask\.shape = .*: must be \(4,\)\. One number, 0 or 1"):
            getattr(penalty, method)(THETA, mask=mask, **extra)


@pytest.mark.parametrize("rule", [GradientDescent, None, 3, L1(1)])
def test_proximal_needs_a_rule(rule):
    with pytest.raises(ValueError, match=r"^rule = .*: must be an object with init, step and lr"):
        Proximal(rule, L1(1))


@pytest.mark.parametrize("penalty", [L1, None, 3, GradientDescent(0.1)])
def test_proximal_needs_a_penalty(penalty):
    with pytest.raises(ValueError, match=r"^penalty = .*: must be an object with prox"):
        Proximal(GradientDescent(0.1), penalty)


@pytest.mark.parametrize(
    "make",
    [
        lambda: L1(1),
        lambda: L2(1),
        lambda: ElasticNet(1),
        lambda: MaxNorm(1),
        lambda: Proximal(GradientDescent(1), PENALTIES["L1"]),
    ],
)
def test_frozen_and_equal_to_itself_only(make):
    one = make()
    assert one == one
    assert one != make()
    with pytest.raises(AttributeError):
        one.lam = 7


def test_every_public_name_is_there():
    assert all(hasattr(regularizers, name) for name in regularizers.__all__)
    assert set(penalised.__all__) <= set(regularizers.__all__)
