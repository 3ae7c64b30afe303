"""Sparse rows: against the dense matrix, and in training."""

import numpy as np
import pytest

from course_lib._sparse import SparseRows
from course_lib.networks import MLP
from course_lib.optimizers import Adam
from course_lib.training import evaluate, fit

RNG = np.random.default_rng(5)
DENSE = np.where(RNG.random((30, 8)) < 0.3, RNG.standard_normal((30, 8)), 0)
DENSE[[0, 7, 29]] = 0  # empty rows at both ends and between


def sparse(dense, dtype=np.float64):
    rows, columns = np.nonzero(dense)
    starts = np.searchsorted(rows, np.arange(len(dense) + 1))
    return SparseRows(dense[rows, columns].astype(dtype), columns.astype(np.int32), starts, dense.shape[1])


@pytest.mark.parametrize("rows", [[3], [0], [29, 0, 3, 3], list(range(30)), [], np.array([5, 6, 7])])
def test_rows_are_those_of_the_dense_matrix(rows):
    rows = np.asarray(rows, int)
    X = sparse(DENSE)
    np.testing.assert_array_equal(X.take(rows, axis=0), DENSE.take(rows, axis=0))
    np.testing.assert_array_equal(X[rows], DENSE[rows])


@pytest.mark.parametrize("part", [slice(None), slice(3, 9), slice(28, 99), slice(None, None, -2)])
def test_slices_are_those_of_the_dense_matrix(part):
    np.testing.assert_array_equal(sparse(DENSE)[part], DENSE[part])


def test_shape_type_and_words():
    X = sparse(DENSE)
    assert (len(X), X.shape, X.ndim, X.dtype) == (30, (30, 8), 2, np.float64)
    small = X.astype(np.float32)
    assert small.dtype == small[:2].dtype == np.float32
    assert X.astype(np.float64) is X
    assert sparse(DENSE) != X  # compared by identity, not number by number
    assert repr(SparseRows(np.ones(3), np.arange(3), np.array([0, 3]), 4000)) == (
        "<SparseRows: 1 × 4,000, 0.1 % of the entries>"
    )


def test_fit_and_evaluate_take_them_as_they_take_the_dense_matrix():
    y = np.arange(30) % 3
    found = []
    for X in (DENSE.astype(np.float32), sparse(DENSE)):
        net = MLP([8, 3], rng=np.random.default_rng(0), dtype=np.float32)
        options = {"epochs": 3, "batch_size": 7, "rng": np.random.default_rng(1)}
        history = fit(net, (X, y), Adam(0.1), validation=(X, y), **options)
        found.append((history.theta, history["val_loss"], evaluate(net, history.theta, (X, y))))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])
    assert found[0][2] == found[1][2]
