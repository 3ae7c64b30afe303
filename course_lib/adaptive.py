r"""Adagrad, RMSProp and Adadelta: a rate of its own for each coordinate; see `course_lib.optimizers`.

Where ε stands is an option: "outside" the root, √s + ε, as in PyTorch, or "inside" it, √(s + ε), as in Keras
and optax. With ε = 0 a coordinate whose gradient has always been 0 becomes NaN (0/0).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course_lib._rule import Rule, cast, leaky, option, rate

__all__ = ["Adadelta", "AdadeltaState", "Adagrad", "AdagradState", "RMSProp", "RMSPropState", "root"]


def root(s, eps, place, correction=1.0):
    """Return the denominator of an adaptive rule, in the precision of `s`, with ε at its place.

    Parameters
    ----------
    s : ndarray
        The (corrected) average of squared gradients.
    eps : float or ndarray of shape (..., 1)
        ε.
    place : "outside", "inside" or "uncorrected"
        √s + ε; √(s + ε); or √s + ε/√correction, which is (√v + ε)/√correction with v the uncorrected average.
    correction : float or ndarray of shape (..., 1)
        Adam's 1 − β2^t.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> s = np.array([9.0])
    >>> root(s, 7.0, "outside"), root(s, 7.0, "inside"), root(s, 7.0, "uncorrected", 0.25)
    (array([10.]), array([4.]), array([17.]))
    """
    if place == "inside":
        return np.sqrt(s + cast(eps, s))
    if place == "uncorrected":
        eps = eps / np.sqrt(correction)
    return np.sqrt(s) + cast(eps, s)


class AdagradState(NamedTuple):
    """State of `Adagrad`: the number of updates made, and the sum of squared gradients."""

    t: int
    s: np.ndarray


@dataclass(frozen=True, eq=False)
class Adagrad(Rule):
    r"""Adagrad: each coordinate's rate is divided by the root of the sum of its squared gradients.

    .. math:: s_{t+1} = s_t + g_t^2, \qquad x_{t+1} = x_t - \eta\, \frac{g_t}{\sqrt{s_{t+1}} + \epsilon}

    Parameters
    ----------
    lr : float, array_like of shape (..., 1), or callable of t
        Learning rate :math:`\eta \ge 0`.
    eps : float, array_like of shape (..., 1), or callable of t, default 1e-10
        :math:`\epsilon \ge 0`.
    initial_accumulator : float or array_like of shape (..., 1), default 0
        :math:`s_0 \ge 0`. With 0 the first step of every coordinate has the length lr.
    eps_place : "outside" or "inside", default "outside"
        Whether the denominator is √s + ε or √(s + ε).

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, not a number, or an array whose last axis is not 1; or if
        there is no such place.

    Notes
    -----
    Variant: ``torch.optim.Adagrad(lr, eps=eps, initial_accumulator_value=s0)``.
    ``keras.optimizers.Adagrad(lr, initial_accumulator_value=s0, epsilon=eps)`` and ``optax.adagrad(lr,
    initial_accumulator_value=s0, eps=eps)`` have eps_place="inside"; their defaults are s0 = 0.1, eps = 1e-7.

    References
    ----------
    J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and stochastic
    optimization", Journal of Machine Learning Research 12 (2011), section 1.

    Examples
    --------
    >>> rule = Adagrad(lr=0.5, eps=0)
    >>> x, state = np.array([1.0, 1.0]), rule.init(np.zeros(2))
    >>> x, state = rule.step(x, np.array([3.0, -300.0]), state)
    >>> x
    array([0.5, 1.5])
    >>> x, state = rule.step(x, np.array([4.0, -400.0]), state)
    >>> x, state.s
    (array([0.1, 1.9]), array([2.5e+01, 2.5e+05]))
    """

    lr: object
    eps: object = 1e-10
    initial_accumulator: object = 0.0
    eps_place: str = option("outside", "inside")

    def init(self, x):
        """Return the state before the first step from `x`."""
        return AdagradState(t=0, s=np.zeros_like(x) + rate(self.initial_accumulator, 0, x))

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at `x`."""
        s = state.s + g * g
        x = x - rate(self.lr, state.t, x) * g / root(s, rate(self.eps, state.t), self.eps_place)
        return x, AdagradState(state.t + 1, s)


class RMSPropState(NamedTuple):
    """State of `RMSProp`: updates made, mean squared gradient, mean gradient (if centred), velocity."""

    t: int
    s: np.ndarray
    a: np.ndarray
    v: np.ndarray


@dataclass(frozen=True, eq=False)
class RMSProp(Rule):
    r"""RMSProp: Adagrad with a leaky average in the place of the sum, so that the rate need not go to 0.

    .. math::
        s_{t+1} &= \rho s_t + (1-\rho)\, g_t^2 \\
        v_{t+1} &= \mu v_t + \frac{g_t}{\sqrt{s_{t+1}} + \epsilon}, \qquad x_{t+1} = x_t - \eta\, v_{t+1}

    and, if centred, with :math:`a_{t+1} = \rho a_t + (1-\rho)\, g_t` and the variance
    :math:`s_{t+1} - a_{t+1}^2` under the root. All averages start at 0 and are not corrected for it.

    Parameters
    ----------
    lr : float, array_like of shape (..., 1), or callable of t
        Learning rate :math:`\eta \ge 0`.
    rho : float, array_like of shape (..., 1), or callable of t, default 0.99
        Decay :math:`\rho` of the average, in [0, 1). Keras and optax take 0.9.
    eps : float, array_like of shape (..., 1), or callable of t, default 1e-8
        :math:`\epsilon \ge 0`.
    momentum : float, array_like of shape (..., 1), or callable of t, default 0
        Momentum :math:`\mu` in [0, 1].
    centered : bool, default False
        Whether to divide by the standard deviation of the gradient instead of its root mean square. A
        variance that rounding has made negative counts as 0 (PyTorch makes NaN of it).
    eps_place : "outside" or "inside", default "outside"
        Whether the denominator is √s + ε or √(s + ε).

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, not a number, or an array whose last axis is not 1; or if an
        option is unknown.

    Notes
    -----
    Variant: ``torch.optim.RMSprop(lr, alpha=rho, eps=eps, momentum=momentum, centered=centered)``.
    ``keras.optimizers.RMSprop(lr, rho=rho, momentum=momentum, epsilon=eps, centered=centered)`` and
    ``optax.rmsprop(lr, decay=rho, eps=eps, centered=centered, momentum=momentum)`` have eps_place="inside",
    and with momentum they keep the rate in the velocity: the same way only while lr is constant. optax has
    PyTorch's place with ``eps_in_sqrt=False``.

    References
    ----------
    T. Tieleman and G. Hinton, "Lecture 6.5: rmsprop", Neural networks for machine learning (2012). Centred:
    A. Graves, "Generating sequences with recurrent neural networks", arXiv:1308.0850 (2013).

    Examples
    --------
    >>> rule = RMSProp(lr=0.1, rho=0.75, eps=0)
    >>> x, state = rule.step(np.array([1.0]), np.array([4.0]), rule.init(np.array([1.0])))
    >>> x, state.s
    (array([0.8]), array([4.]))
    """

    lr: object
    rho: object = 0.99
    eps: object = 1e-8
    momentum: object = 0.0
    centered: bool = option(False, True)
    eps_place: str = option("outside", "inside")

    def init(self, x):
        """Return the state before the first step from `x`."""
        return RMSPropState(0, np.zeros_like(x), np.zeros_like(x), np.zeros_like(x))

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at `x`."""
        rho = rate(self.rho, state.t)
        s, a = leaky(rho, state.s, g * g), state.a
        spread = s
        if self.centered:
            a = leaky(rho, state.a, g)
            spread = np.maximum(s - a * a, 0)
        step = g / root(spread, rate(self.eps, state.t), self.eps_place)
        v = rate(self.momentum, state.t, x) * state.v + step
        return x - rate(self.lr, state.t, x) * v, RMSPropState(state.t + 1, s, a, v)


class AdadeltaState(NamedTuple):
    """State of `Adadelta`: updates made, mean squared gradient, mean squared update."""

    t: int
    s: np.ndarray
    u: np.ndarray


@dataclass(frozen=True, eq=False)
class Adadelta(Rule):
    r"""Adadelta: RMSProp whose rate is the root mean square of its own past updates.

    .. math::
        s_{t+1} &= \rho s_t + (1-\rho)\, g_t^2, \qquad
        \Delta_t = -\frac{\sqrt{u_t + \epsilon}}{\sqrt{s_{t+1} + \epsilon}}\, g_t \\
        u_{t+1} &= \rho u_t + (1-\rho)\, \Delta_t^2, \qquad x_{t+1} = x_t + \eta\, \Delta_t

    The update has the units of x, as the gradient's own units cancel.

    Parameters
    ----------
    rho : float, array_like of shape (..., 1), or callable of t, default 0.9
        Decay :math:`\rho` of both averages, in [0, 1).
    eps : float, array_like of shape (..., 1), or callable of t, default 1e-6
        :math:`\epsilon \ge 0`, inside both roots. It alone gets the method going: with 0 it never moves.
    lr : float, array_like of shape (..., 1), or callable of t, default 1
        :math:`\eta \ge 0`, which the paper does not have. It does not enter the average u.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``torch.optim.Adadelta(lr, rho=rho, eps=eps)``, ``keras.optimizers.Adadelta(lr, rho=rho,
    epsilon=eps)``, whose default lr is 0.001, and ``optax.adadelta(lr, rho=rho, eps=eps)``.

    References
    ----------
    M. D. Zeiler, "ADADELTA: an adaptive learning rate method", arXiv:1212.5701 (2012), algorithm 1.

    Examples
    --------
    >>> rule = Adadelta(rho=0.75, eps=1.0)
    >>> x, state = rule.step(np.array([1.0]), np.array([4.0]), rule.init(np.array([1.0])))
    >>> (1 - x).round(6), state.s, state.u.round(6)
    (array([1.788854]), array([4.]), array([0.8]))
    """

    rho: object = 0.9
    eps: object = 1e-6
    lr: object = 1.0

    def init(self, x):
        """Return the state before the first step from `x`."""
        return AdadeltaState(0, np.zeros_like(x), np.zeros_like(x))

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at `x`."""
        rho, eps = rate(self.rho, state.t), rate(self.eps, state.t)
        s = leaky(rho, state.s, g * g)
        delta = -root(state.u, eps, "inside") / root(s, eps, "inside") * g
        u = leaky(rho, state.u, delta * delta)
        return x + rate(self.lr, state.t, x) * delta, AdadeltaState(state.t + 1, s, u)
