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

The momentum rules live in `course_lib.momentum`, the adaptive ones in `course_lib.adaptive` and
`course_lib.adam` and `course_lib.nadam_lion`; all are offered here. `Clipped` wraps any of them.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course_lib._checks import require
from course_lib._rule import Rule, rate
from course_lib.adam import Adam, AdamState, AdamW, AMSGrad, AMSGradState
from course_lib.adaptive import Adadelta, AdadeltaState, Adagrad, AdagradState, RMSProp, RMSPropState
from course_lib.momentum import Momentum, MomentumState, Nesterov
from course_lib.nadam_lion import Lion, LionState, Nadam, NadamState

__all__ = [
    "AMSGrad",
    "AMSGradState",
    "Adadelta",
    "AdadeltaState",
    "Adagrad",
    "AdagradState",
    "Adam",
    "AdamState",
    "AdamW",
    "Clipped",
    "GradientDescent",
    "GradientDescentState",
    "Lion",
    "LionState",
    "Momentum",
    "MomentumState",
    "Nadam",
    "NadamState",
    "Nesterov",
    "RMSProp",
    "RMSPropState",
    "rate",
]


class GradientDescentState(NamedTuple):
    """State of `GradientDescent`: the number of updates made."""

    t: int


@dataclass(frozen=True, eq=False)
class GradientDescent(Rule):
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


@dataclass(frozen=True, eq=False)
class Clipped(Rule):
    r"""Any rule, fed with gradients cut to a largest norm: :math:`g \cdot \min(1, c / \lVert g \rVert)`.

    The direction is kept. The norm is that of the whole last axis, so that a network's gradient must be
    clipped before its flat vector is cut into pieces; each member of a batch has its own norm.

    Parameters
    ----------
    rule : GradientDescent, Momentum, Adam, …
        The rule that takes the clipped gradient, with its own state.
    max_norm : float, array_like of shape (..., 1), or callable of t
        The largest norm :math:`c > 0`.

    Raises
    ------
    ValueError
        If `rule` is no rule, or `max_norm` not positive, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``optax.chain(optax.clip_by_global_norm(max_norm), …)`` and Keras's ``global_clipnorm=max_norm``.
    ``torch.nn.utils.clip_grad_norm_(parameters, max_norm)`` divides by the norm + 1e-6 instead, and so makes
    gradients a little too short.

    References
    ----------
    R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks", ICML
    (2013), algorithm 1.

    Examples
    --------
    >>> rule = Clipped(GradientDescent(lr=1.0), max_norm=1)
    >>> x = np.zeros(2)
    >>> rule.step(x, np.array([3.0, 4.0]), rule.init(x))
    (array([-0.6, -0.8]), GradientDescentState(t=1))
    """

    rule: object
    max_norm: object

    def __post_init__(self):
        super().__post_init__()
        able = not isinstance(self.rule, type) and all(hasattr(self.rule, name) for name in ("init", "step"))
        require(able, "rule", self.rule, "an object with init and step", "Write Clipped(Adam(0.001), 1).")

    def init(self, x):
        """Return the inner rule's state before the first step from `x`."""
        return self.rule.init(x)

    def where(self, x, state):
        """Return the point at which the inner rule wants its gradient."""
        return self.rule.where(x, state) if hasattr(self.rule, "where") else x

    def step(self, x, g, state):
        """Return the inner rule's next point and state, from the clipped gradient."""
        norm = np.sqrt(np.sum(g * g, axis=-1, keepdims=True))
        limit = rate(self.max_norm, state.t, x)
        return self.rule.step(x, g * (limit / np.maximum(limit, norm)), state)
