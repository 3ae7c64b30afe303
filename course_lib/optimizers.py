r"""Update rules: one frozen class of hyperparameters a rule, whose `step` is its equation.

Every rule has three pure methods, which modify nothing in place:

``init(x) -> state``
    the state before the first step: a NamedTuple with the step count `t` and zeros in the shape of `x`;
``step(x, g, state) -> (new_x, new_state)``
    one update of the point `x` of shape ``(..., d)`` with the gradient `g` measured at ``where(x, state)``;
``where(x, state) -> x``
    where the rule wants its gradient measured: at `x` itself, for all rules that do not look ahead.

A hyperparameter is a number; or an array with last axis 1 that broadcasts against a batch of points (``lr``
of shape ``(n, 1)`` runs n settings at once); or a callable of the step count t = 0, 1, 2, … (a schedule).

The precision of the point is kept: with `x` and `g` in float32 every rule under every schedule stays in
float32 (`rate` says how).
"""

import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from course_lib.schedules import hyperparameter

__all__ = ["GradientDescent", "GradientDescentState", "Momentum", "MomentumState", "Nesterov", "rate"]

_RANGES = {
    "lr": dict(low=0, high=math.inf, open_high=True, remedy="Start with a small number such as 0.1."),
    "beta": dict(low=0, high=1, remedy="0 forgets the past at once; 0.9 is usual."),
}


def rate(value, t, like=None):
    """Return a hyperparameter's value at step `t`, without promoting the dtype of `like`.

    A callable is called with `t`. A Python float is returned as it is: NumPy computes it in the precision of
    the array that it meets. Anything else (an array, or the NumPy scalar that a schedule returned) would
    promote float32 to float64, and is therefore cast to the dtype of `like`. Both ways round the same float64
    number once, so that a setting gives the same bits alone and in a batch.

    Parameters
    ----------
    value : float, ndarray of shape (..., 1), or callable
        The hyperparameter, or a schedule for it.
    t : int
        The number of updates made so far.
    like : ndarray, optional
        The point or gradient whose precision is to be kept; without it nothing is cast.

    Returns
    -------
    float or ndarray of shape () or (..., 1)
        The value at step `t`.

    Examples
    --------
    >>> rate(0.1, t=3)
    0.1
    >>> rate(lambda t: 1 / (1 + t), t=3)
    0.25
    >>> rate(np.array([[0.1], [0.2]]), t=3, like=np.zeros(2, np.float32)).dtype
    dtype('float32')
    """
    if callable(value):
        value = value(t)
    if type(value) is float or like is None:
        return value
    return np.asarray(value, dtype=like.dtype if like.dtype.kind == "f" else np.float64)


class _Rule:
    """Checks the hyperparameters of a rule by their names, and measures the gradient at the point itself."""

    def __post_init__(self):
        for field in fields(self):
            value = hyperparameter(field.name, getattr(self, field.name), **_RANGES[field.name])
            object.__setattr__(self, field.name, value)

    def where(self, x, state):
        """Return the point at which the gradient is to be measured: `x` itself."""
        return x


class GradientDescentState(NamedTuple):
    """State of `GradientDescent`: the number of updates made."""

    t: int


@dataclass(frozen=True, eq=False)
class GradientDescent(_Rule):
    r"""Gradient descent: :math:`x_{t+1} = x_t - \eta\, g_t`.

    Fed with the gradient of a minibatch it is stochastic gradient descent (SGD).

    Parameters
    ----------
    lr : float, array_like of shape (..., 1), or callable of t
        Learning rate :math:`\eta \ge 0`.

    Raises
    ------
    ValueError
        If `lr` is negative, not finite, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Equals ``torch.optim.SGD(lr)``, ``keras.optimizers.SGD(lr)`` and ``optax.sgd(lr)``. On a quadratic with
    eigenvalues in :math:`[\lambda_\min, \lambda_\max]` it converges from every start if and only if
    :math:`0 < \eta < 2/\lambda_\max`.

    References
    ----------
    A. Cauchy, "Méthode générale pour la résolution des systèmes d'équations simultanées", Comptes rendus de
    l'Académie des sciences 25 (1847).

    Examples
    --------
    >>> rule = GradientDescent(lr=0.1)
    >>> x = np.array([5.0, -2.0])
    >>> x, state = rule.step(x, 2 * x, rule.init(x))
    >>> x, state
    (array([ 4. , -1.6]), GradientDescentState(t=1))
    """

    lr: object

    def init(self, x):
        """Return the state before the first step from `x`."""
        return GradientDescentState(t=0)

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at `x`."""
        return x - rate(self.lr, state.t, x) * g, GradientDescentState(state.t + 1)


class MomentumState(NamedTuple):
    """State of `Momentum` and `Nesterov`: the number of updates made, and the velocity in the shape of x."""

    t: int
    v: np.ndarray


@dataclass(frozen=True, eq=False)
class Momentum(_Rule):
    r"""Gradient descent with momentum (the heavy ball), in PyTorch's convention.

    .. math:: v_{t+1} = \beta v_t + g_t, \qquad x_{t+1} = x_t - \eta\, v_{t+1}, \qquad v_0 = 0

    Parameters
    ----------
    lr : float, array_like of shape (..., 1), or callable of t
        Learning rate :math:`\eta \ge 0`. It multiplies the whole velocity, old gradients included.
    beta : float, array_like of shape (..., 1), or callable of t, default 0.9
        Momentum :math:`\beta` in [0, 1]; 0 is gradient descent, 1 an undamped oscillation.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``torch.optim.SGD(lr, momentum=beta)`` (dampening 0) and ``optax.sgd(lr, momentum=beta)``.
    Keras keeps the rate inside the velocity, v = βv − lr·g; x += v: the same path while `lr` is constant,
    another as soon as a schedule changes it.

    References
    ----------
    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", USSR Computational
    Mathematics and Mathematical Physics 4 (1964), section 2.

    Examples
    --------
    >>> rule = Momentum(lr=0.1, beta=0.5)
    >>> x, state = np.array([1.0]), rule.init(np.array([1.0]))
    >>> for _ in range(2):
    ...     x, state = rule.step(x, np.array([2.0]), state)
    >>> x, state
    (array([0.5]), MomentumState(t=2, v=array([3.])))
    """

    lr: object
    beta: object = 0.9

    def init(self, x):
        """Return the state before the first step from `x`: at rest."""
        return MomentumState(t=0, v=np.zeros_like(x))

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at `x`."""
        v = rate(self.beta, state.t, x) * state.v + g
        return x - rate(self.lr, state.t, x) * v, MomentumState(state.t + 1, v)


@dataclass(frozen=True, eq=False)
class Nesterov(_Rule):
    r"""Nesterov's accelerated gradient, rewritten so that the gradient is needed at the stored point only.

    .. math:: v_{t+1} = \beta v_t + g_t, \qquad x_{t+1} = x_t - \eta\,(g_t + \beta v_{t+1}), \qquad v_0 = 0

    Parameters
    ----------
    lr : float, array_like of shape (..., 1), or callable of t
        Learning rate :math:`\eta \ge 0`.
    beta : float, array_like of shape (..., 1), or callable of t, default 0.9
        Momentum :math:`\beta` in [0, 1]; 0 is gradient descent.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``torch.optim.SGD(lr, momentum=beta, nesterov=True)`` and ``optax.sgd(lr, momentum=beta,
    nesterov=True)``. The stored `x` is the looked-ahead point y − lr·β·v of the original form, which steps
    from y with the gradient at the looked-ahead point; the two agree, at mapped points, while `lr` and `beta`
    are constant. Keras's ``nesterov=True``, with the rate inside the velocity, equals this at constant `lr`.

    References
    ----------
    Y. Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)", Soviet
    Mathematics Doklady 27 (1983). Rewritten as by I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the
    importance of initialization and momentum in deep learning", ICML (2013), section 2, and Y. Bengio,
    N. Boulanger-Lewandowski and R. Pascanu, "Advances in optimizing recurrent networks", ICASSP (2013),
    section 3.5.

    Examples
    --------
    >>> rule = Nesterov(lr=0.1, beta=0.5)
    >>> x, state = rule.step(np.array([1.0]), np.array([2.0]), rule.init(np.array([1.0])))
    >>> x, state
    (array([0.7]), MomentumState(t=1, v=array([2.])))
    """

    lr: object
    beta: object = 0.9

    def init(self, x):
        """Return the state before the first step from `x`: at rest."""
        return MomentumState(t=0, v=np.zeros_like(x))

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at `x`."""
        beta = rate(self.beta, state.t, x)
        v = beta * state.v + g
        return x - rate(self.lr, state.t, x) * (g + beta * v), MomentumState(state.t + 1, v)
