import itertools
import math
import re
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import landscapes, regressions
from course_lib.descent import LineSearch, Path, minibatches, minimize, steepest_descent
from course_lib.optimizers import GradientDescent, Momentum, Nesterov
from course_lib.schedules import exponential, inverse_time

quick = settings(derandomize=True, deadline=None, max_examples=30)

LANDSCAPES = {
    "valley": landscapes.valley(),
    "quadratic": landscapes.quadratic(30, angle=0.7),
    "quadratic in 9-D": landscapes.quadratic(30, angle=0.7, dim=9),
    "bowl": landscapes.bowl(),
    "saddle": landscapes.saddle(),
    "Rosenbrock": landscapes.rosenbrock(),
    "Beale": landscapes.beale(),
    "Himmelblau": landscapes.himmelblau(),
    "plateau": landscapes.plateau(),
}
ARRAYS = ["x", "loss", "grad_norm"]
MEMBERS = ["diverged", "diverged_at", "stopped_at", "evaluations", "x_last", "loss_last"]


@dataclass
class Problem:
    """A problem from two functions; it keeps the points at which it was asked."""

    f: object
    gradient: object

    def __post_init__(self):
        self.asked, self.losses = [], 0

    def __call__(self, x):
        self.losses += 1
        return self.f(x)

    def grad(self, x, rows=None):
        self.asked.append(np.copy(x))
        return self.gradient(x) if rows is None else self.gradient(x, rows)


def square():
    """½x², in one dimension and without a sum over coordinates."""
    return Problem(lambda x: 0.5 * x[..., 0] * x[..., 0], lambda x: 1 * x)


def assert_same(one, other):
    np.testing.assert_array_equal(one, other, strict=True)


def assert_member(batch, i, single):
    for name in ARRAYS:
        assert_same(getattr(batch, name)[:, *np.atleast_1d(i)], getattr(single, name))
    for name in MEMBERS:
        assert_same(np.asarray(getattr(batch, name)[i]), np.asarray(getattr(single, name)))


def line(n=40, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, n)
    return regressions.linear_regression(x, 2 * x - 1 + 0.1 * rng.standard_normal(n))


# ------------------------------------------------------------------ minimize


def test_the_record_is_that_of_a_loop_by_hand():
    land, lr, beta = landscapes.valley(), 0.1, 0.5
    path = minimize(land, [-5, -2], Momentum(lr, beta), 30)
    x, v = np.array([-5.0, -2.0]), np.zeros(2)
    for t in range(31):
        g = land.grad(x)
        assert_same(path.x[t], x)
        assert path.loss[t] == land(x)
        assert path.grad_norm[t] == pytest.approx(math.hypot(*g), rel=1e-15)
        v = beta * v + g
        x = x - lr * v
    assert isinstance(path, Path)
    assert path.x.shape == (31, 2)
    assert path.loss.shape == path.grad_norm.shape == path.t.shape == (31,)
    assert_same(path.t, np.arange(31))
    assert not path.diverged
    assert (path.diverged_at, path.stopped_at, path.evaluations) == (-1, -1, 31)
    assert_same(path.x_last, path.x[30])
    assert path.loss_last == path.loss[30]
    assert path.diverged.shape == path.evaluations.shape == path.loss_last.shape == ()


def test_the_number_of_evaluations_is_right():
    problem = square()
    path = minimize(problem, [1.0], GradientDescent(0.5), 7)
    assert len(problem.asked) == problem.losses == path.evaluations == 8
    path = minimize(problem, [1.0], GradientDescent(0.5), 0)
    assert path.evaluations == 1
    assert path.x.tolist() == [[1.0]]


@pytest.mark.parametrize("name", LANDSCAPES)
@pytest.mark.parametrize("make", [GradientDescent, Momentum, Nesterov])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_batch_equals_single_runs_bit_for_bit(name, make, dtype):
    land, rng = LANDSCAPES[name], np.random.default_rng(5)
    starts = (land.start + rng.standard_normal((6, land.dim))).astype(dtype)
    lrs = np.array([1e-4, 0.003, 0.02, 0.1, 0.55, 3.0])
    stopping = {"tol_grad": 0.05, "tol_loss": 0.001}
    batch = minimize(land, starts, make(lrs[:, None]), 60, **stopping)
    assert batch.x.dtype == batch.loss.dtype == batch.grad_norm.dtype == batch.loss_last.dtype == dtype
    for i, lr in enumerate(lrs):
        assert_member(batch, i, minimize(land, starts[i], make(lr), 60, **stopping))
    np.testing.assert_allclose(batch.loss[0], land(starts), rtol=1e-5)


def test_batches_of_two_axes_under_a_schedule():
    land, lrs, betas = landscapes.beale(), np.array([[[0.001]], [[0.01]]]), np.array([[0.0], [0.5], [0.9]])
    batch = minimize(land, land.start, Momentum(exponential(lrs, 0.01), betas), 40)
    assert batch.x.shape == (41, 2, 3, 2)
    assert batch.diverged.shape == (2, 3)
    for i, j in itertools.product(range(2), range(3)):
        lr, beta = float(lrs[i, 0, 0]), float(betas[j, 0])
        assert_member(batch, (i, j), minimize(land, land.start, Momentum(exponential(lr, 0.01), beta), 40))


@pytest.mark.parametrize(
    ("x0", "lr", "batch"),
    [
        ([1.0, 1.0], 0.1, ()),
        ([[1.0, 1.0]], 0.1, (1,)),
        ([1.0, 1.0], [[0.1]], (1,)),
        ([1.0, 1.0], [0.1], ()),
        ([1.0, 1.0], [[0.1], [0.2], [0.3]], (3,)),
        (np.ones((3, 2)), [[0.1], [0.2], [0.3]], (3,)),
        (np.ones((4, 1, 2)), [[0.1], [0.2], [0.3]], (4, 3)),
        (np.ones((4, 2)), lambda t: 0.1, (4,)),
        ([1, 1], inverse_time(np.array([[0.1], [0.2]]), 0.1), (2,)),
        ([1, 1], lambda t: np.array([[0.1], [0.2]]), (2,)),
    ],
)
def test_starts_and_hyperparameters_broadcast(x0, lr, batch):
    path = minimize(landscapes.valley(), x0, GradientDescent(lr), 4)
    assert path.x.shape == (5, *batch, 2)
    assert path.x_last.shape == (*batch, 2)
    for name in ("loss", "grad_norm"):
        assert getattr(path, name).shape == (5, *batch)
    for name in ("diverged", "diverged_at", "stopped_at", "evaluations", "loss_last"):
        assert getattr(path, name).shape == batch


def test_the_start_is_not_modified_and_not_shared():
    x0 = np.array([-5.0, -2.0])
    path = minimize(landscapes.valley(), x0, GradientDescent(0.1), 3)
    path.x[:] = 9
    assert x0.tolist() == [-5, -2]


def test_the_gradient_is_measured_where_the_rule_wants_it():
    """Nesterov's own form looks ahead: its looked-ahead points are those of the rewritten form."""

    @dataclass(frozen=True)
    class LookAhead:
        lr: float
        beta: float

        def init(self, y):
            return np.zeros_like(y)

        def where(self, y, v):
            return y - self.lr * self.beta * v

        def step(self, y, g, v):
            v = self.beta * v + g
            return y - self.lr * v, v

    land = landscapes.valley()
    problem = Problem(land, land.grad)
    path = minimize(problem, [-5, -2], LookAhead(0.1, 0.8), 25)
    rewritten = minimize(land, [-5, -2], Nesterov(0.1, 0.8), 25)
    np.testing.assert_allclose(np.concatenate(problem.asked), rewritten.x, atol=1e-13)
    np.testing.assert_allclose(path.grad_norm, rewritten.grad_norm, atol=1e-12)
    assert np.abs(path.x - rewritten.x).max() > 0.1
    np.testing.assert_array_equal(path.loss, land(path.x))


def test_a_rule_without_where_is_measured_at_the_point():
    class Bare:
        def init(self, x):
            return None

        def step(self, x, g, state):
            return x - 0.5 * g, state

    assert minimize(square(), [8.0], Bare(), 3).x[:, 0].tolist() == [8, 4, 2, 1]


# ---------------------------------------------------------------- divergence


def test_a_diverged_member_stops_and_the_others_go_on():
    lrs = np.array([[0.5], [11.0], [1.0], [101.0]])
    path = minimize(square(), [1.0], GradientDescent(lrs), 20)  # factors 0.5, -10, 0, -100
    assert path.diverged.tolist() == [False, True, False, True]
    assert path.diverged_at.tolist() == [-1, 9, -1, 5]  # 10^8 is still inside, 10^9 is not; 100^4, 100^5
    assert path.evaluations.tolist() == [21, 10, 21, 6]
    assert path.x[:10, 1, 0].tolist() == [(-10.0) ** t for t in range(10)]
    assert path.loss[9, 1] == 0.5e18
    assert path.grad_norm[9, 1] == 1e9
    for name in ARRAYS:
        assert np.isnan(getattr(path, name)[10:, 1]).all()
        assert np.isnan(getattr(path, name)[6:, 3]).all()
        assert np.isfinite(getattr(path, name)[:6]).all()
        assert np.isfinite(getattr(path, name)[:, [0, 2]]).all()
    assert path.x[20, 0, 0] == 0.5**20
    assert path.x_last[:, 0].tolist() == [0.5**20, -1e9, 0, -1e10]
    assert path.loss_last.tolist() == [0.5**41, 0.5e18, 0, 0.5e20]
    assert np.all(path.stopped_at == -1)


@pytest.mark.parametrize(
    ("limit", "at"), [(1e8, 9), (1e3, 4), (999, 3), (math.inf, 155), (1e200, 155), (0.5, 0)]
)
def test_the_limit(limit, at):
    path = minimize(square(), [1.0], GradientDescent(11.0), 400, limit=limit)
    assert path.diverged
    assert path.diverged_at == at  # without a limit: when 10^155, squared, overflows in the loss
    assert path.evaluations == at + 1
    assert abs(path.x_last[0]) == pytest.approx(1e154 if at == 155 else 10.0**at, rel=1e-12)
    assert np.isfinite(path.loss_last)
    assert not np.isinf(path.loss).any()
    assert np.isnan(path.x[at + 1 :]).all()


def test_the_usual_limit():
    path = minimize(square(), [[1e8], [-1e8], [1e8 + 0.5]], GradientDescent(0.0), 1)
    assert path.diverged.tolist() == [False, False, True]


def test_every_coordinate_and_both_signs_count():
    for sign in (1.0, -1.0):
        land = Problem(lambda x: x[..., 0] * 0, lambda x, sign=sign: np.broadcast_to([0.0, sign], x.shape))
        path = minimize(land, [0.0, 0.0], GradientDescent(0.5), 10, limit=2)
        assert path.diverged_at == 5


def test_a_batch_that_is_large_as_a_whole_has_not_diverged():
    path = minimize(square(), np.full((100, 1), 0.9e8), GradientDescent(0.0), 3)
    assert not path.diverged.any()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_losses_and_gradients_that_are_not_finite(bad, dtype):
    """Below 3 the loss has no value; below 0.5 the gradient has none."""

    def spoiled(limit):
        return lambda x: np.where(x < limit, bad, 1.0).astype(x.dtype)

    def run(problem, keep):
        return minimize(problem, np.array([[4.2], [9.2]], dtype), GradientDescent(1.0), 6, keep=keep)

    for keep in ("all", 4, "last"):
        path = run(Problem(lambda x: spoiled(3)(x[..., 0]), lambda x: np.ones_like(x)), keep)
        assert path.diverged_at.tolist() == [2, -1]
        np.testing.assert_allclose(path.x_last[:, 0], [3.2, 3.2], rtol=1e-6)
        assert path.loss_last.tolist() == [1, 1]
        path = run(Problem(lambda x: x[..., 0], spoiled(0.5)), keep)
        assert path.diverged_at.tolist() == [4, -1]
        np.testing.assert_allclose(path.x_last[:, 0], [1.2, 3.2], rtol=1e-6)
        np.testing.assert_allclose(path.loss_last, [1.2, 3.2], rtol=1e-6)
        assert path.x.dtype == dtype
    path = run(Problem(lambda x: spoiled(3)(x[..., 0]), lambda x: np.ones_like(x)), "all")
    np.testing.assert_allclose(path.x[:, 0, 0], [4.2, 3.2, 2.2, *[math.nan] * 4], rtol=1e-6)
    np.testing.assert_array_equal(path.loss[:, 0], [1, 1, *[math.nan] * 5])
    np.testing.assert_array_equal(path.grad_norm[:, 0], [1, 1, 1, *[math.nan] * 4])
    path = run(Problem(lambda x: x[..., 0], spoiled(0.5)), "all")
    np.testing.assert_array_equal(path.grad_norm[:, 0], [1, 1, 1, 1, *[math.nan] * 3])
    np.testing.assert_allclose(path.loss[:, 0], [4.2, 3.2, 2.2, 1.2, 0.2, math.nan, math.nan], rtol=1e-5)


def test_functions_that_are_finite_at_nan_do_not_bring_a_diverged_member_back():
    problem = Problem(lambda x: np.where(x[..., 0] > 0, 1.0, 2.0), lambda x: np.where(x > 0, -1.0, 1.0))
    path = minimize(problem, [[1.0], [0.5]], GradientDescent([[60.0], [0.5]]), 6, limit=100)
    assert path.diverged_at.tolist() == [2, -1]
    for name in ARRAYS:
        assert np.isnan(getattr(path, name)[3:, 0]).all()
        assert np.isfinite(getattr(path, name)[:, 1]).all()


def test_starts_that_are_bad_already():
    problem = Problem(lambda x: np.where(x[..., 0] < 3, math.inf, 1.0), lambda x: np.ones_like(x))
    path = minimize(problem, [[1.0], [2.0]], GradientDescent(1.0), 5)
    assert path.diverged_at.tolist() == [0, 0]
    assert path.evaluations.tolist() == [1, 1]
    assert len(problem.asked) == 1
    assert path.x_last.tolist() == [[1], [2]]
    assert path.x[0].tolist() == [[1], [2]]
    assert np.isnan(path.x[1:]).all()
    assert np.isnan(path.loss).all()
    path = minimize(problem, [[1.0], [9.0]], GradientDescent(1.0), 5)
    assert path.diverged_at.tolist() == [0, -1]
    assert path.evaluations.tolist() == [1, 6]


def test_everyone_done_at_the_start():
    problem = Problem(lambda x: np.where(x[..., 0] < 3, math.inf, 1.0), lambda x: np.ones_like(x))
    path = minimize(problem, [[1.0], [9.0]], GradientDescent(1.0), 5, tol_grad=1)
    assert path.diverged_at.tolist() == [0, -1]
    assert path.stopped_at.tolist() == [-1, 0]
    assert len(problem.asked) == 1


def test_all_diverged_ends_the_run_early():
    problem = square()
    path = minimize(problem, [1.0], GradientDescent([[11.0], [101.0]]), 10**6, keep=10**5)
    assert len(problem.asked) == 10
    assert path.x.shape == (11, 2, 1)
    for name in ARRAYS:
        assert np.isnan(getattr(path, name)[1:]).all()


def test_a_limit_beyond_float32():
    x0 = np.ones(1, np.float32)
    path = minimize(square(), x0, GradientDescent(11.0), 60, limit=1e30)
    assert path.diverged_at == 20  # its square is beyond float32
    path = minimize(square(), x0, GradientDescent(0.5), 60, limit=1e30)
    assert not path.diverged


# ------------------------------------------------------------- stopping rules


def test_tolerance_of_the_gradient():
    lrs = np.array([[0.5], [0.75], [0.0]])
    problem = square()
    path = minimize(problem, [8.0], GradientDescent(lrs), 12, tol_grad=1.0)
    assert path.stopped_at.tolist() == [3, 2, -1]  # at 1, not above the tolerance; at 0.5; never
    assert path.evaluations.tolist() == [4, 3, 13]
    assert path.x[:, 0, 0].tolist() == [8, 4, 2, *[1] * 10]
    assert path.loss[:, 0].tolist() == [32, 8, 2, *[0.5] * 10]
    assert path.grad_norm[:, 0].tolist() == [8, 4, 2, *[1] * 10]
    assert path.x[:, 1, 0].tolist() == [8, 2, *[0.5] * 11]
    assert path.x_last[:, 0].tolist() == [1, 0.5, 8]
    assert not path.diverged.any()
    assert len(problem.asked) == 13


def test_tolerance_of_the_loss():
    problem = square()
    path = minimize(problem, [[8.0], [32.0]], GradientDescent(0.5), 100, tol_loss=0.5)
    assert path.stopped_at.tolist() == [3, 5]
    assert len(problem.asked) == 6
    assert path.x.shape == (101, 2, 1)
    assert (path.x[5:] == 1).all()
    assert (path.loss[5:] == 0.5).all()
    assert (path.grad_norm[5:] == 1).all()
    assert path.loss_last.tolist() == [0.5, 0.5]
    path = minimize(problem, [[8.0], [32.0]], GradientDescent(0.5), 100, tol_loss=0.49)
    assert path.stopped_at.tolist() == [4, 6]


def test_either_tolerance_stops():
    for tolerances, at in (({"tol_grad": 4, "tol_loss": 0.5}, 1), ({"tol_grad": 0.1, "tol_loss": 2}, 2)):
        path = minimize(square(), [8.0], GradientDescent(0.5), 9, **tolerances)
        assert path.stopped_at == at
        assert path.evaluations == at + 1


def test_a_stopped_member_waits_while_its_velocity_dies():
    """Momentum would carry it on; it must not move, and not be found to stop again."""
    path = minimize(square(), [[8.0], [1e6]], Momentum(0.5, 0.9), 40, tol_grad=4)
    at = path.stopped_at[0]
    assert 0 < at < 10
    assert (path.x[at:, 0] == path.x[at, 0]).all()


def test_some_stop_some_diverge_and_then_nobody_is_left():
    problem = square()
    path = minimize(problem, [8.0], GradientDescent([[0.5], [11.0]]), 50, tol_grad=1)
    assert path.stopped_at.tolist() == [3, -1]
    assert path.diverged_at.tolist() == [-1, 8]
    assert len(problem.asked) == 9
    assert (path.x[3:, 0] == 1).all()
    assert np.isnan(path.x[9:, 1]).all()
    assert np.isnan(path.loss[9:, 1]).all()
    assert np.isnan(path.grad_norm[9:, 1]).all()
    assert (path.loss[3:, 0] == 0.5).all()
    problem = square()
    path = minimize(problem, [8.0], GradientDescent([[0.99], [101.0]]), 50, tol_grad=1e-5)
    assert path.stopped_at.tolist() == [3, -1]
    assert path.diverged_at.tolist() == [-1, 4]


def test_one_stops_at_the_start_and_the_last_diverges():
    problem = square()
    path = minimize(problem, [[0.5], [8.0]], GradientDescent(11.0), 50, tol_grad=1)
    assert path.stopped_at.tolist() == [0, -1]
    assert path.diverged_at.tolist() == [-1, 8]
    assert len(problem.asked) == 9


def test_a_member_that_diverges_does_not_also_stop():
    path = minimize(square(), [8.0], GradientDescent(0.5), 5, tol_loss=1e9, limit=4)
    assert path.diverged_at == 0
    assert path.stopped_at == -1


def test_tolerance_met_at_the_last_step():
    path = minimize(square(), [8.0], GradientDescent(0.5), 3, tol_grad=1)
    assert path.stopped_at == 3
    assert path.evaluations == 4


# ----------------------------------------------------------------------- keep


@pytest.mark.parametrize(
    ("keep", "steps", "times"),
    [
        ("all", 4, [0, 1, 2, 3, 4]),
        ("last", 4, [4]),
        (1, 4, [0, 1, 2, 3, 4]),
        (2, 4, [0, 2, 4]),
        (3, 4, [0, 3, 4]),
        (9, 4, [0, 4]),
        ("all", 0, [0]),
        ("last", 0, [0]),
        (3, 0, [0]),
    ],
)
def test_keep(keep, steps, times):
    options = {"tol_grad": 0.9, "limit": 1e4}
    lrs = np.array([[0.1], [0.9], [31.0]])
    whole = minimize(square(), [8.0], GradientDescent(lrs), steps, **options)
    path = minimize(square(), [8.0], GradientDescent(lrs), steps, keep=keep, **options)
    assert path.t.tolist() == times
    for name in ARRAYS:
        assert_same(getattr(path, name), getattr(whole, name)[times])
    for name in MEMBERS:
        assert_same(getattr(path, name), getattr(whole, name))


def test_many_norms_are_taken_right_across_the_buffer():
    path = minimize(square(), [1.0], GradientDescent(1e-4), 9000)
    assert_same(path.grad_norm, np.abs(path.x[:, 0]))
    path = minimize(square(), [1.0], GradientDescent(1e-4), 9000, keep=2)
    assert_same(path.grad_norm, np.abs(path.x[:, 0]))
    assert path.grad_norm.shape == (4501,)


def test_norms_of_a_large_batch():
    path = minimize(square(), np.linspace(-1, 1, 5000)[:, None], GradientDescent(0.5), 4)
    assert_same(path.grad_norm, np.abs(path.x[..., 0]))


@pytest.mark.parametrize("dim", [1, 2, 7, 8, 9, 50])
def test_norms_of_long_gradients(dim):
    problem = Problem(lambda x: x[..., 0] * 0, lambda x: 1 * x)
    x0 = np.random.default_rng(1).standard_normal((12, dim))
    path = minimize(problem, x0, GradientDescent(0.5), 6, tol_grad=1e-9)
    np.testing.assert_allclose(path.grad_norm, np.linalg.norm(path.x, axis=-1), rtol=1e-14)
    for i in range(12):
        assert_same(path.grad_norm[:, i], minimize(problem, x0[i], GradientDescent(0.5), 6).grad_norm)


# ---------------------------------------------------------------- minibatches


def test_descent_on_minibatches_is_the_loop_by_hand():
    land, lr = line(), 0.1
    path = minimize(land, [0, 0], GradientDescent(lr), 25, rows=minibatches(40, 8, np.random.default_rng(1)))
    rows, x = minibatches(40, 8, np.random.default_rng(1)), np.zeros(2)
    for t in range(25):
        g = land.grad(x, rows=next(rows))
        np.testing.assert_allclose(path.x[t], x, rtol=1e-12)
        assert path.loss[t] == pytest.approx(land(path.x[t]), rel=1e-12)  # on all examples
        assert path.grad_norm[t] == pytest.approx(np.hypot(*g), rel=1e-10)
        x = x - lr * g
    np.testing.assert_allclose(path.x[25], x, rtol=1e-12)
    assert path.loss[25] == path.loss_last == pytest.approx(land(x), rel=1e-12)
    assert np.isnan(path.grad_norm[25])
    assert np.isfinite(path.grad_norm[:25]).all()
    assert path.evaluations == 25
    assert not path.diverged


def test_exactly_one_minibatch_a_step_is_drawn():
    rows = iter([np.array([i]) for i in range(7)])
    minimize(line(), [0, 0], GradientDescent(0.1), 5, rows=rows)
    assert next(rows).tolist() == [5]
    batches = [np.array([0, 1])] * 5
    assert minimize(line(), [0, 0], GradientDescent(0.1), 5, rows=batches).evaluations == 5
    with pytest.raises(
        ValueError, match=r"^rows = .*: must be an iterator of 6 minibatches. It ended after 5."
    ):
        minimize(line(), [0, 0], GradientDescent(0.1), 6, rows=batches)


def test_members_with_their_own_minibatches():
    land, shape = line(), (3,)
    rows = list(itertools.islice(minibatches(40, 8, np.random.default_rng(2), shape=shape), 20))
    path = minimize(land, np.zeros((3, 2)), Momentum(0.1), 20, rows=rows)
    for i in range(3):
        single = minimize(land, [0, 0], Momentum(0.1), 20, rows=[index[i] for index in rows])
        np.testing.assert_allclose(path.x[:, i], single.x, rtol=1e-12)


def test_the_loss_of_unrecorded_steps_is_not_evaluated_with_minibatches():
    def problem():
        return Problem(lambda x: x[..., 0] * x[..., 0], lambda x, rows=None: 2 * x)

    for keep, losses in (("all", 7), (3, 3), (4, 3), ("last", 1)):
        land = problem()
        path = minimize(land, [1.0], GradientDescent(0.1), 6, rows=itertools.repeat(0), keep=keep)
        assert land.losses == losses
        assert path.evaluations == len(land.asked) == 6
        assert path.loss[-1] == path.loss_last == path.x_last[0] * path.x_last[0]
    land = problem()
    minimize(land, [1.0], GradientDescent(0.1), 6, rows=itertools.repeat(0), keep="last", tol_loss=0.0)
    assert land.losses == 7


def test_stopping_with_minibatches():
    """The minibatch's gradient is what tol_grad sees; a stopped member's record stays as it is."""
    gradients = np.array([4.0, 3.0, 0.5, 9.0, 9.0, 9.0])
    land = Problem(
        lambda x: x[..., 0], lambda x, rows=None: np.full(x.shape, gradients[rows]) * [[1.0], [2.0]]
    )
    for keep in ("all", 2):
        path = minimize(land, [[0.0], [0.0]], GradientDescent(1.0), 6, rows=range(6), tol_grad=0.6, keep=keep)
        every = 1 if keep == "all" else keep
        assert path.stopped_at.tolist() == [2, -1]
        assert path.evaluations.tolist() == [3, 6]
        np.testing.assert_array_equal(path.x[:, 0, 0], np.array([0, -4, -7, -7, -7, -7, -7.0])[::every])
        norms = np.array([4, 3, 0.5, 0.5, 0.5, 0.5, math.nan])
        np.testing.assert_array_equal(path.grad_norm[:, 0], norms[::every])
        assert path.loss_last.tolist() == [-7, -69]
    path = minimize(land, [[0.0], [0.0]], GradientDescent(1.0), 6, rows=range(6), tol_grad=2, keep="last")
    assert path.stopped_at.tolist() == [2, 2]
    assert path.loss_last.tolist() == path.loss[0].tolist() == [-7, -14]
    assert path.grad_norm[0].tolist() == [0.5, 1]
    path = minimize(land, [[0.0], [0.0]], GradientDescent(1.0), 2, rows=range(6), tol_loss=-14)
    assert path.stopped_at.tolist() == [-1, 2]
    assert path.evaluations.tolist() == [2, 2]


def test_divergence_with_minibatches_between_recorded_losses():
    land = Problem(lambda x: x[..., 0] * x[..., 0], lambda x, rows=None: 1 * x)
    path = minimize(land, [1.0], GradientDescent([[11.0], [0.5]]), 20, rows=itertools.repeat(0), keep="last")
    assert path.diverged_at.tolist() == [9, -1]
    assert path.x_last[:, 0].tolist() == [-1e9, 0.5**20]
    assert path.loss_last.tolist() == [1e18, 0.25**20]


@pytest.mark.parametrize(
    ("n", "size", "lengths"), [(6, 2, [2, 2, 2]), (7, 3, [3, 3, 1]), (3, 3, [3]), (4, 1, [1] * 4)]
)
@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_an_epoch_uses_every_example_once(n, size, lengths, shape):
    rows = minibatches(n, size, np.random.default_rng(0), shape=shape)
    seen = []
    for _ in range(3):
        epoch = [next(rows) for _ in lengths]
        assert [index.shape for index in epoch] == [(*shape, length) for length in lengths]
        order = np.concatenate(epoch, axis=-1)
        assert_same(np.sort(order, axis=-1), np.broadcast_to(np.arange(n), (*shape, n)))
        seen.append(order)
    assert n < 6 or not np.array_equal(seen[0], seen[1])
    if shape == (5,) and n >= 6:
        assert len({tuple(order) for order in seen[0].tolist()}) > 1  # each member its own


def test_every_order_is_equally_likely():
    rows = minibatches(3, 3, np.random.default_rng(0), shape=(6000,))
    orders, counts = np.unique(next(rows), axis=0, return_counts=True)
    assert len(orders) == 6
    assert (np.abs(counts - 1000) < 5 * math.sqrt(1000 * 5 / 6)).all()


def test_drawing_with_replacement():
    rows = minibatches(10, 4, np.random.default_rng(0), replace=True, shape=(2000,))
    draws = next(rows)
    assert draws.shape == (2000, 4)
    assert (draws.min(), draws.max()) == (0, 9)
    assert (np.abs(np.bincount(draws.ravel()) - 800) < 5 * math.sqrt(800)).all()
    repeats = np.mean([len(set(row)) < 4 for row in draws.tolist()])
    assert repeats == pytest.approx(1 - 0.9 * 0.8 * 0.7, abs=0.06)
    assert not np.array_equal(draws, next(rows))
    assert next(minibatches(2, 5, np.random.default_rng(0), replace=True)).shape == (5,)


def test_minibatches_repeat_with_the_seed():
    for replace in (True, False):
        one, other = (minibatches(9, 2, np.random.default_rng(4), replace=replace) for _ in range(2))
        for _ in range(12):
            assert_same(next(one), next(other))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_examples": 0}, "n_examples = 0: must be a whole number of at least 1"),
        ({"n_examples": 2.0}, "n_examples = 2.0: must be a whole number"),
        ({"n_examples": True}, "n_examples = True"),
        ({"batch_size": 0}, "batch_size = 0: must be a whole number of at least 1"),
        ({"batch_size": 7}, "batch_size = 7: must be at most n_examples = 6 without replacement"),
        ({"batch_size": "2"}, "batch_size = '2'"),
        ({"rng": 0}, "rng = 0: must be a Generator. Pass np.random.default_rng"),
        ({"rng": np.random}, "rng = "),
        ({"replace": 1}, "replace = 1: must be True or False"),
        ({"replace": "yes"}, "replace = 'yes'"),
        ({"shape": 3}, "shape = 3: must be a tuple of whole numbers"),
        ({"shape": (0,)}, "shape = 0: must be a whole number of at least 1"),
        ({"shape": (1.5,)}, "shape = 1.5"),
    ],
)
def test_minibatches_refuses_at_once(arguments, message):
    good = {"n_examples": 6, "batch_size": 2, "rng": np.random.default_rng(0)}
    with pytest.raises(ValueError, match=f"^{message}"):
        minibatches(**{**good, **arguments})


# ------------------------------------------------------------ steepest descent


def test_exact_steepest_descent_zigzags():
    """Successive gradients are orthogonal, and the loss falls by ((κ-1)/(κ+1))² from the worst start."""
    land, kappa = landscapes.valley(), 20
    path = steepest_descent(land, [20, 1], 30)  # worst: coordinates ∝ 1/λ
    g = land.grad(path.x)
    cosines = np.sum(g[1:] * g[:-1], axis=-1) / (path.grad_norm[1:] * path.grad_norm[:-1])
    assert np.abs(cosines).max() < 1e-12
    np.testing.assert_allclose(path.loss[1:] / path.loss[:-1], ((kappa - 1) / (kappa + 1)) ** 2, rtol=1e-10)
    assert path.evaluations == 0
    assert path.t[-1] == 30


@pytest.mark.parametrize("search", ["exact", "golden", "armijo"])
def test_each_search_reaches_the_minimum(search):
    land = landscapes.quadratic(10)
    path = steepest_descent(land, [3, 1], 300, search, tol_grad=1e-3)
    assert path.stopped_at > 0
    np.testing.assert_allclose(path.x_last, 0, atol=2e-3)
    assert (np.diff(path.loss) <= 0).all()


def test_golden_steps_are_nearly_exact():
    land = landscapes.valley()
    exact = steepest_descent(land, [-5, -2], 6)
    golden = steepest_descent(land, [-5, -2], 6, "golden")
    np.testing.assert_allclose(golden.x, exact.x, atol=1e-4)
    assert 6 * 25 < golden.evaluations < 6 * 45


@pytest.mark.parametrize("search", ["golden", "armijo"])
def test_function_evaluations_are_counted(search):
    land = landscapes.himmelblau()
    problem = Problem(land, land.grad)
    path = steepest_descent(problem, [0, 0], 8, search)
    assert path.evaluations == problem.losses - 9  # 9 losses are for the record
    assert len(problem.asked) == 9


def test_golden_search_shrinks_its_bracket_to_a_millionth():
    land = Problem(lambda x: 0.05 * x[..., 0] * x[..., 0], lambda x: 0.1 * x)  # the best step is 10
    path = steepest_descent(land, [3.0], 1, "golden")
    shrinkings = math.ceil(math.log(1e-6) / math.log((math.sqrt(5) - 1) / 2))
    assert path.evaluations == 6 + 2 + shrinkings  # at 0, 1, 2, 4, 8, 16, hence between 4 and 16
    assert path.x[1, 0] == pytest.approx(0, abs=1e-5)


def test_armijo_starts_from_one():
    problem = square()
    path = steepest_descent(problem, [3.0], 1, "armijo")
    assert path.x[:, 0].tolist() == [3, 0]
    assert path.evaluations == 2


def test_a_search_of_ones_own():
    slopes = []

    def half(phi, slope):
        slopes.append((slope, phi(0.5)))
        return 0.5

    path = steepest_descent(square(), [4.0], 2, half)
    assert path.x[:, 0].tolist() == [4, 2, 1]
    assert slopes == [(-16, 2), (-4, 0.5)]
    assert path.evaluations == 2
    found = LineSearch(0.25, 0.0, 0, np.zeros((1, 2)))
    assert steepest_descent(square(), [4.0], 1, lambda phi, slope: found).x[:, 0].tolist() == [4, 3]


def test_steepest_descent_passes_the_stopping_rules_on():
    land = landscapes.valley()
    assert steepest_descent(land, [-5, -2], 30, keep="last").x.shape == (1, 2)
    whole = steepest_descent(land, [-5, -2], 30)
    by_grad = steepest_descent(land, [-5, -2], 30, tol_grad=0.1).stopped_at
    by_loss = steepest_descent(land, [-5, -2], 30, tol_loss=0.1).stopped_at
    assert by_grad == np.argmax(whole.grad_norm <= 0.1)
    assert by_loss == np.argmax(whole.loss <= 0.1)


def test_at_the_minimum_nothing_moves():
    for search in ("exact", "golden", "armijo"):
        path = steepest_descent(landscapes.valley(), [0, 0], 3, search)
        assert (path.x == 0).all()
        assert path.evaluations == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"search": "newton"}, "search = 'newton': must be one of 'exact', 'golden', 'armijo'"),
        ({"search": None}, "search = None"),
        ({"x0": [[1, 2]]}, r"x0 = \[\[1, 2\]\]: must be one start"),
        ({"x0": 1.0}, "x0 = 1.0: must be one start"),
        (
            {"problem": landscapes.saddle(), "x0": [0.1, 1]},
            r"land.hess\(x\) = .*: must be of curvature above 0",
        ),
    ],
)
def test_steepest_descent_refuses(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        steepest_descent(**{"problem": landscapes.valley(), "x0": [1, 2], "steps": 3, **arguments})


# ------------------------------------------------------------------ bad input


class Promising:
    """A rule that changes the number of coordinates."""

    def init(self, x):
        return None

    def step(self, x, g, state):
        return np.repeat(x, 2, axis=-1), state


ONE = Problem(lambda x: np.zeros(3), lambda x: x)
TWO = Problem(lambda x: x[..., 0], lambda x: x[..., 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"x0": 1.0},
            r"x0 = .*: must be an array of shape \(..., d\). Put the d coordinates on the last axis",
        ),
        ({"x0": []}, "x0 = "),
        ({"x0": [1, math.nan]}, "x0 = .*: must be finite numbers"),
        ({"x0": ["a", "b"]}, "x0 = .*: must be finite numbers"),
        ({"x0": [True, False]}, "x0 = .*: must be finite numbers"),
        ({"x0": [[1], [2, 3]]}, "x0 = .*: must be finite numbers"),
        ({"x0": [1, 2, 3]}, r"x.shape = \(2, 3\): must be \(..., 2\)"),
        (
            {"x0": np.ones((5, 2))},
            r"x0.shape = \(5, 2\): must be a shape .* GradientDescent.*hyperparameters in",
        ),
        (
            {"optimizer": Promising()},
            r"x0.shape = \(2,\): must be a shape \(..., d\) that broadcasts against",
        ),
        ({"optimizer": GradientDescent}, "optimizer = .*: must be an object with init and step"),
        ({"optimizer": 0.1}, "optimizer = 0.1: must be an object with init and step"),
        ({"problem": landscapes.valley}, "problem = .*: must be an object with __call__ and grad"),
        ({"problem": lambda x: x}, "problem = .*: must be an object with __call__ and grad"),
        ({"problem": ONE}, r"problem\(x\).shape = \(3,\): must be \(2,\). The problem must take points"),
        (
            {"problem": TWO},
            r"problem.grad\(x\).shape = \(2,\): must be \(2, 2\). The problem must take points",
        ),
        ({"steps": -1}, "steps = -1: must be a whole number of at least 0"),
        ({"steps": 1.0}, "steps = 1.0"),
        ({"steps": True}, "steps = True"),
        ({"keep": "first"}, "keep = 'first': must be one of 'all', 'last'"),
        ({"keep": 0}, "keep = 0: must be a whole number of at least 1"),
        ({"keep": 2.0}, "keep = 2.0"),
        ({"keep": None}, "keep = None"),
        ({"keep": True}, "keep = True"),
        ({"tol_grad": -1}, r"tol_grad = -1: must be in \[0, inf\]"),
        ({"tol_grad": "a"}, "tol_grad = 'a'"),
        ({"tol_loss": math.nan}, "tol_loss = nan"),
        ({"tol_loss": [1]}, r"tol_loss = \[1\]"),
        ({"limit": 0}, r"limit = 0: must be in \(0, inf\]"),
        ({"limit": None}, "limit = None"),
        ({"rows": 5}, r"rows = 5: must be an iterator. Use minibatches\(\)"),
    ],
)
def test_minimize_refuses(arguments, message):
    good = {
        "problem": landscapes.valley(),
        "x0": [1, 2],
        "optimizer": GradientDescent([[0.1], [0.2]]),
        "steps": 3,
    }
    with pytest.raises(ValueError, match=f"(?s)^{message}"):
        minimize(**{**good, **arguments})


@pytest.mark.parametrize("tolerance", [0, math.inf])
def test_ends_of_the_ranges_are_allowed(tolerance):
    path = minimize(square(), [1.0], GradientDescent(0.5), 2, tol_grad=tolerance, limit=math.inf)
    assert path.stopped_at == (0 if tolerance else -1)
    for loss in (math.inf, -math.inf):
        path = minimize(square(), [1.0], GradientDescent(0.5), 2, tol_loss=loss)
        assert path.stopped_at == (0 if loss > 0 else -1)


number = st.one_of(st.floats(-1e9, 1e9), st.integers(-5, 5), st.booleans(), st.just(math.nan))
anything = st.one_of(number, st.text(max_size=2), st.none(), st.lists(number, max_size=3))


@quick
@given(
    x0=st.one_of(anything, st.lists(st.lists(number, max_size=3), max_size=3)), steps=anything, keep=anything
)
def test_minimize_runs_or_raises_value_error(x0, steps, keep):
    for arguments in ({"x0": x0}, {"steps": steps}, {"keep": keep}):
        good = {"x0": [1.0, 2.0], "steps": 3, "keep": "all"}
        try:
            path = minimize(landscapes.valley(), optimizer=GradientDescent(0.1), **{**good, **arguments})
        except ValueError as error:
            assert str(error).startswith((*arguments, "x"))  # noqa: PT017
            continue
        assert path.x.shape[-1] == 2


@quick
@given(anything, anything, anything)
def test_minibatches_gives_rows_or_raises_value_error(n, size, shape):
    try:
        rows = minibatches(n, size, np.random.default_rng(0), shape=shape)
    except ValueError as error:
        assert str(error).startswith(("n_examples", "batch_size", "shape"))  # noqa: PT017
    else:
        assert next(rows).max() < n


# ---- Projection -----------------------------------------------------------------------------------------


def test_projected_descent_ends_at_the_nearest_point_of_the_set():
    land = landscapes.quadratic(10)  # its minimum is the origin
    path = minimize(land, [3.0, -0.5], GradientDescent(0.1), 200, project=lambda x: np.clip(x, 1, 4))
    assert path.x[0].tolist() == [3.0, 1.0]  # the start, too
    assert path.x.min() == 1.0
    assert path.x_last.tolist() == [1.0, 1.0]


def test_projection_by_hand_and_in_a_batch():
    land, rule, disc = (
        landscapes.valley(),
        Momentum(0.3, 0.5),
        lambda x: x / np.maximum(1, np.hypot(x[..., :1], x[..., 1:])),
    )
    x = disc(np.array([-5.0, -2.0]))
    state = rule.init(x)
    path = minimize(land, [-5, -2], rule, 7, project=disc)
    for t in range(8):
        np.testing.assert_array_equal(path.x[t], x)
        x, state = rule.step(x, land.grad(x), state)
        x = disc(x)
    batch = minimize(land, [-5, -2], Momentum(np.array([[0.1], [0.3]]), 0.5), 7, project=disc)
    np.testing.assert_array_equal(batch.x[:, 1], path.x)


def test_projection_keeps_float32_and_the_state():
    seen = []
    start = np.array([-5, -2], np.float32)
    rule = Momentum(0.1, 0.5)
    path = minimize(
        landscapes.valley(), start, rule, 2, project=lambda x: seen.append(x) or np.clip(x, -1.0, 1.0)
    )
    assert path.x.dtype == np.float32
    assert len(seen) == 3  # the start and two new points


@pytest.mark.parametrize(
    ("project", "message"),
    [
        (1, "project = 1: must be a callable. Use None to leave the points where they are."),
        (
            lambda x: x[..., :1],
            r"project(x).shape = (1, 1): must be (1, 2). "
            "It must take points of shape (..., d), also a batch of them, to as many points.",
        ),
    ],
)
def test_projection_refuses(project, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        minimize(landscapes.valley(), [-5, -2], GradientDescent(0.1), 1, project=project)
