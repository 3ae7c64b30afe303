r"""Penalties on the size of parameters: value, gradient, and the proximal step that a kink needs.

A penalty is added to a loss, :math:`L(\theta) + R(\theta)`. It can enter a step of size η in two ways:
through its (sub)gradient, or, after a step on L alone, through its proximal step

.. math:: \operatorname{prox}(\theta) = \arg\min_z \; \tfrac12 \lVert z - \theta \rVert^2 + \eta R(z)

which alone makes zeros of `L1` exact. Everything works on parameters of shape ``(..., d)``. The mask, a
vector of d zeros and ones, says what is penalised: ``net.decay_mask()`` spares biases and the parameters of
normalisation layers, as one usually does; without a mask everything is.

`course_lib.penalised` puts them to work (its names are offered here): `Penalised` adds a penalty to a problem
for `minimize`, `PenalisedModel` to a network for training, `Proximal` puts a proximal step behind a rule.
"""

import math
from dataclasses import dataclass

import numpy as np

from course_lib._checks import number_in, require
from course_lib._rule import cast
from course_lib._schedule import hyperparameter
from course_lib.penalised import Penalised, PenalisedModel, Proximal

__all__ = ["L1", "L2", "ElasticNet", "MaxNorm", "Penalised", "PenalisedModel", "Proximal", "units"]


def _inputs(theta, mask):
    """Return parameters and mask as arrays; the mask is True where there is none."""
    theta = np.asarray(theta)
    real = theta.ndim > 0 and theta.dtype.kind in "iuf"
    require(real, "theta", theta, "real numbers of shape (..., d)", "Give the parameters in an array.")
    theta = theta if theta.dtype.kind == "f" else theta.astype(np.float64)
    if mask is None:
        return theta, True
    mask = np.asarray(mask)
    fits = mask.shape == theta.shape[-1:]
    require(fits, "mask.shape", mask.shape, f"{theta.shape[-1:]}", "One number, 0 or 1, for each parameter.")
    return theta, mask.astype(bool)


def _soft(theta, threshold):
    """Pull each coordinate towards 0 by `threshold`, and to 0 exactly if it is nearer than that."""
    return theta - np.clip(theta, -threshold, threshold)


class _Penalty:
    """λ (r Σ|θ| + q Σθ²): `L1`, `L2` and `ElasticNet` give r and q as `_shares`."""

    def __post_init__(self):
        require(not callable(self.lam), "lam", self.lam, "a number or an array", "Use 0.01.")
        lam = hyperparameter("lam", self.lam, 0, math.inf, "Use 0.01; 0 is no penalty.", open_high=True)
        object.__setattr__(self, "lam", lam)

    def value(self, theta, mask=None):
        """Return the penalty of parameters ``(..., d)``, of shape ``(...)``; only where `mask` is not 0."""
        theta, mask = _inputs(theta, mask)
        absolute, squares = self._shares
        terms = absolute * np.abs(theta) + squares * (theta * theta)
        return np.sum(np.where(mask, cast(self.lam, theta) * terms, 0), axis=-1)

    def grad(self, theta, mask=None):
        """Return the gradient (at a kink the subgradient 0), of the parameters' shape."""
        theta, mask = _inputs(theta, mask)
        absolute, squares = self._shares
        slopes = absolute * np.sign(theta) + squares * (2 * theta)
        return np.where(mask, cast(self.lam, theta) * slopes, 0)

    def prox(self, theta, lr, mask=None):
        """Return the proximal step from `theta`; its size `lr` is a number, or one for each of a batch."""
        theta, mask = _inputs(theta, mask)
        absolute, squares = self._shares
        remedy = "Give the rate of this step."
        require(not callable(lr), "lr", lr, "a number or an array with last axis 1", remedy)
        pull = hyperparameter("lr", lr, 0, math.inf, remedy, open_high=True) * self.lam
        pulled = _soft(theta, cast(absolute * pull, theta)) / cast(1 + squares * 2 * pull, theta)
        return np.where(mask, pulled, theta)


@dataclass(frozen=True, eq=False)
class L2(_Penalty):
    r"""Ridge penalty: :math:`R(\theta) = \lambda \sum_i \theta_i^2`, gradient :math:`2 \lambda \theta`.

    Parameters
    ----------
    lam : float or array_like of shape (..., 1)
        λ ≥ 0; an array gives one for each member of a batch.

    Raises
    ------
    ValueError
        If λ is negative, not finite, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: without a factor ½, as ``keras.regularizers.L2(lam)``; PyTorch's ``weight_decay=w`` adds wθ to
    the gradient, which is λ = w/2. The proximal step is :math:`\theta / (1 + 2 \eta \lambda)`: it shrinks
    everything by one factor, and makes nothing zero.

    References
    ----------
    A. Hoerl and R. Kennard, "Ridge regression", Technometrics 12 (1970); A. Krogh and J. Hertz, "A simple
    weight decay can improve generalization", NIPS (1991).

    Examples
    --------
    >>> float(L2(1).value([1, 0, 0, 0])), float(L2(1).value([0.25, 0.25, 0.25, 0.25]))
    (1.0, 0.25)
    >>> L2(0.5).grad(np.array([3.0, -1.0])), L2(0.5).prox(np.array([3.0, -1.0]), lr=1)
    (array([ 3., -1.]), array([ 1.5, -0.5]))
    """

    lam: float | np.ndarray
    _shares = (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class L1(_Penalty):
    r"""Lasso penalty: :math:`R(\theta) = \lambda \sum_i |\theta_i|`, subgradient λ sign(θ).

    Parameters
    ----------
    lam : float or array_like of shape (..., 1)
        λ ≥ 0; an array gives one for each member of a batch.

    Raises
    ------
    ValueError
        If λ is negative, not finite, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``keras.regularizers.L1(lam)``. Its gradient pulls past 0 and back at each step, and never stays
    there. The proximal step, :math:`\operatorname{sign}(\theta) \max(|\theta| - \eta\lambda, 0)` or
    soft-thresholding, gives exact zeros.

    References
    ----------
    R. Tibshirani, "Regression shrinkage and selection via the lasso", Journal of the Royal Statistical
    Society B 58 (1996); I. Daubechies, M. Defrise and C. De Mol, "An iterative thresholding algorithm",
    Communications on Pure and Applied Mathematics 57 (2004), for the proximal step.

    Examples
    --------
    >>> penalty = L1(0.5)
    >>> penalty.grad(np.array([3.0, 0.0, -0.25])), penalty.prox(np.array([3.0, 0.0, -0.25]), lr=1)
    (array([ 0.5,  0. , -0.5]), array([2.5, 0. , 0. ]))
    """

    lam: float | np.ndarray
    _shares = (1.0, 0.0)


@dataclass(frozen=True, eq=False)
class ElasticNet(_Penalty):
    r"""Both: :math:`R(\theta) = \lambda \sum_i \left(r |\theta_i| + (1 - r)\, \theta_i^2\right)`.

    Parameters
    ----------
    lam : float or array_like of shape (..., 1)
        λ ≥ 0; an array gives one for each member of a batch.
    ratio : float, default 0.5
        r in [0, 1]: 1 is `L1`, 0 is `L2`.

    Raises
    ------
    ValueError
        If λ is negative, not finite, not a number, or an array whose last axis is not 1; if `ratio` lies
        outside [0, 1].

    Notes
    -----
    Variant: ``keras.regularizers.L1L2(lam * ratio, lam * (1 - ratio))``; scikit-learn's ``ElasticNet`` has ½
    before the square. The proximal step thresholds first, then shrinks.

    References
    ----------
    H. Zou and T. Hastie, "Regularization and variable selection via the elastic net", Journal of the Royal
    Statistical Society B 67 (2005).

    Examples
    --------
    >>> float(ElasticNet(1, ratio=0.25).value([2.0, -1.0]))
    4.5
    """

    lam: float | np.ndarray
    ratio: float = 0.5

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "ratio", number_in("ratio", self.ratio, 0, 1, "1 is L1, 0 is L2."))

    @property
    def _shares(self):
        return self.ratio, 1 - self.ratio


@dataclass(frozen=True, eq=False)
class MaxNorm:
    r"""A bound on the length of a unit's incoming weights: :math:`\lVert w \rVert_2 \le c`.

    A constraint rather than a penalty: the value is 0 inside and ∞ outside, the proximal step is the
    projection :math:`w \min(1, c / \lVert w \rVert)`, and the gradient, 0 inside, is of no use.

    Parameters
    ----------
    limit : float
        c > 0.
    groups : array_like of shape (d,) of int, optional
        The number of the unit to which each parameter belongs, -1 for none; see `units`. Without it, all
        parameters (that the mask names) are one vector.

    Raises
    ------
    ValueError
        If `limit` is not above 0, or `groups` no vector of whole numbers from -1 on.

    Notes
    -----
    Variant: ``keras.constraints.MaxNorm(limit, axis=0)`` on each kernel (up to Keras's ε of 1e-7).

    References
    ----------
    N. Srebro, J. Rennie and T. Jaakkola, "Maximum-margin matrix factorization", NIPS (2005); N. Srivastava,
    G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout", JMLR 15 (2014), section 5.1.

    Examples
    --------
    >>> MaxNorm(1.0).prox(np.array([3.0, 4.0]), lr=0.1)
    array([0.6, 0.8])
    >>> MaxNorm(1.0, groups=[0, 1, 1, -1]).prox(np.array([0.5, 3.0, 4.0, 9.0]), lr=0.1)
    array([0.5, 0.6, 0.8, 9. ])
    """

    limit: float
    groups: np.ndarray | None = None

    def __post_init__(self):
        limit = number_in("limit", self.limit, 0, math.inf, "3 is usual.", open_low=True, open_high=True)
        object.__setattr__(self, "limit", limit)
        if self.groups is not None:
            groups = np.array(self.groups)
            able = groups.ndim == 1 and groups.dtype.kind == "i" and groups.size > 0 and groups.min() >= -1
            require(able, "groups", self.groups, "whole numbers from -1 on, one a parameter", "See units.")
            groups.setflags(write=False)
            object.__setattr__(self, "groups", groups)

    def _norms(self, theta, mask):
        """Return the length of the unit of each parameter, 0 for what is free."""
        groups = np.zeros(theta.shape[-1:], int) if self.groups is None else self.groups
        fits = groups.shape == theta.shape[-1:]
        require(fits, "groups.shape", groups.shape, f"{theta.shape[-1:]}", "One number for each parameter.")
        bound = mask & (groups >= 0)
        squares = np.zeros((*theta.shape[:-1], groups.max(initial=0) + 1), theta.dtype)
        np.add.at(squares, (..., groups[bound]), (theta * theta)[..., bound])
        return np.where(bound, np.sqrt(squares)[..., groups], 0)

    def value(self, theta, mask=None):
        """Return 0 for each member of ``(..., d)`` that keeps the bound (to round-off), else infinity."""
        theta, mask = _inputs(theta, mask)
        slack = 1 + 8 * np.finfo(theta.dtype).eps
        kept = (self._norms(theta, mask) <= self.limit * slack).all(axis=-1)
        return np.where(kept, 0.0, np.inf)[()]

    def grad(self, theta, mask=None):
        """Return zeros: a bound does not pull, `prox` enforces it."""
        return np.zeros_like(_inputs(theta, mask)[0])

    def prox(self, theta, lr=None, mask=None):
        """Return the nearest parameters that keep the bound, whatever the step size `lr`."""
        theta, mask = _inputs(theta, mask)
        return theta * (self.limit / np.maximum(self._norms(theta, mask), self.limit))


def units(net):
    """Return, for each parameter of a network, the number of its unit: -1 for all but weights.

    Parameters
    ----------
    net : MLP
        Or anything with ``n_parameters`` and ``unpack``, whose weights have shape ``(n_in, n_out)``.

    Returns
    -------
    int array of shape (n_parameters,)
        As the `groups` of `MaxNorm`: a weight belongs to the unit that it leads into.

    Examples
    --------
    >>> from course_lib.networks import MLP
    >>> units(MLP([2, 2, 1], rng=np.random.default_rng(0)))
    array([ 0,  1,  0,  1, -1, -1,  2,  2, -1])
    """
    groups, count = np.full(net.n_parameters, -1), 0
    for views in net.unpack(groups):
        for view in views:
            if view.ndim == 2:
                view[...] = count + np.arange(view.shape[1])
                count += view.shape[1]
    return groups
