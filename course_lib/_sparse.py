"""Rows of numbers most of which are 0, kept small; minibatches of them come out dense."""

from dataclasses import dataclass

import numpy as np

__all__ = ["SparseRows"]


@dataclass(frozen=True, eq=False)
class SparseRows:
    """A matrix of shape (n, columns) of which only the entries that are not 0 are kept.

    `fit` takes it in the place of an array: what it asks for are rows, and those come out as a dense array.

    Parameters
    ----------
    values : float array of shape (entries,)
        The entries that are not 0, row after row.
    columns : int array of shape (entries,)
        In which column each of them stands.
    starts : int array of shape (n + 1,)
        Where each row begins among the entries, and the end.
    width : int
        Number of columns.

    Examples
    --------
    >>> X = SparseRows(np.array([2.0, 1.0, 5.0]), np.array([3, 0, 1]), np.array([0, 1, 1, 3]), 4)
    >>> X
    <SparseRows: 3 × 4, 25.0 % of the entries>
    >>> X[1:]
    array([[0., 0., 0., 0.],
           [1., 5., 0., 0.]])
    """

    values: np.ndarray
    columns: np.ndarray
    starts: np.ndarray
    width: int

    ndim = 2

    @property
    def shape(self):
        """Numbers of rows and columns."""
        return len(self), self.width

    @property
    def dtype(self):
        """Type of the entries."""
        return self.values.dtype

    def __len__(self):
        return len(self.starts) - 1

    def __repr__(self):
        share = 100 * len(self.values) / (len(self) * self.width)
        return f"<SparseRows: {len(self):,} × {self.width:,}, {share:.1f} % of the entries>"

    def __getitem__(self, rows):
        """Return rows, by a slice or by whole numbers, as a dense array."""
        return self.take(np.arange(len(self))[rows])

    def take(self, rows, axis=0):
        """Return the rows with these numbers as a dense array of shape (len(rows), width)."""
        begin, lengths = self.starts[rows], self.starts[np.add(rows, 1)] - self.starts[rows]
        ends = np.cumsum(lengths)
        at = np.arange(lengths.sum()) + np.repeat(begin - (ends - lengths), lengths)
        dense = np.zeros((len(rows), self.width), self.dtype)
        dense[np.repeat(np.arange(len(rows)), lengths), self.columns[at]] = self.values[at]
        return dense

    def astype(self, dtype):
        """Return the same matrix with entries of another type."""
        if self.dtype == dtype:
            return self
        return SparseRows(self.values.astype(dtype), self.columns, self.starts, self.width)
