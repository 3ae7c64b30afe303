import numpy as np
import pytest

from course_lib import landscapes
from course_lib.descent import minimize
from course_lib.optimizers import GradientDescent
from course_lib.path import Path


def walk(x):
    """A path through given points (kept, *batch, d); only the points matter."""
    x = np.asarray(x, float)
    batch = x.shape[1:-1]
    zeros, whole = np.zeros(x.shape[:-1]), np.zeros(batch, int)
    return Path(
        t=np.arange(len(x)),
        x=x,
        loss=zeros,
        grad_norm=zeros,
        diverged=whole > 0,
        diverged_at=whole - 1,
        stopped_at=whole - 1,
        evaluations=whole,
        x_last=x[-1],
        loss_last=zeros[-1],
    )


def test_averaged_is_the_running_mean():
    path = walk([[1, 10], [3, 20], [8, 60]])
    assert path.averaged().tolist() == [[1, 10], [2, 15], [4, 30]]
    assert path.averaged(start=1).tolist() == [[3, 20], [5.5, 40]]
    assert path.averaged(2).tolist() == [[8, 60]]


def test_averaged_of_a_batch():
    x = np.random.default_rng(0).standard_normal((5, 2, 3, 4))
    np.testing.assert_allclose(walk(x).averaged()[3], x[:4].mean(axis=0), rtol=1e-13)
    assert walk(x).averaged(2).shape == (3, 2, 3, 4)


def test_averaged_keeps_float32():
    path = minimize(landscapes.valley(), np.ones(2, np.float32), GradientDescent(0.1), 3)
    assert path.averaged().dtype == np.float32


@pytest.mark.parametrize("start", [3, 4, -1, 0.0, True, None, "a"])
def test_averaged_refuses_entries_that_are_not_there(start):
    with pytest.raises(ValueError, match=r"^start = .*: must be (below 3|a whole number of at least 0)"):
        walk(np.ones((3, 2))).averaged(start)


@pytest.mark.parametrize(
    ("lr", "options", "text"),
    [
        (0.1, {}, "<Path in 2-D: after 20 steps, loss 10.5 -> 1.114>"),
        (0.1, {"keep": "last"}, "<Path in 2-D: after 20 steps, loss 1.114>"),
        (0.1, {"keep": 7}, "<Path in 2-D: after 20 steps, loss 10.5 -> 1.114>"),
        (11.0, {}, "<Path in 2-D: diverged at step 5, loss 10.5 -> 1.729e+17>"),
        (0.1, {"tol_grad": 1.0}, "<Path in 2-D: stopped at step 6 of 20, loss 10.5 -> 1.979>"),
        (0.1, {"tol_grad": 9.0}, "<Path in 2-D: stopped at step 0 of 20, loss 10.5 -> 10.5>"),
        ([[0.1], [0.2], [11.0]], {}, "<Path of 3 runs in 2-D: 20 steps, 1 diverged, 0 stopped early>"),
        (
            [[[0.1], [0.2]]],
            {"tol_grad": 9},
            "<Path of 1 x 2 runs in 2-D: 20 steps, 0 diverged, 2 stopped early>",
        ),
    ],
)
def test_repr(lr, options, text):
    assert repr(minimize(landscapes.valley(), [-5, -2], GradientDescent(lr), 20, **options)) == text


def test_frozen():
    with pytest.raises(AttributeError):
        walk(np.ones((3, 2))).x = 1


def test_a_path_equals_itself_only():
    path = walk(np.ones((3, 2)))
    assert path == path
    assert path != walk(np.ones((3, 2)))
