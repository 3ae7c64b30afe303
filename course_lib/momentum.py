r"""Momentum in its three conventions, and Nesterov's in its three forms; see `course_lib.optimizers`."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course_lib._rule import Rule, cast, leaky, option, rate

__all__ = ["Momentum", "MomentumState", "Nesterov"]


class MomentumState(NamedTuple):
    """State of `Momentum` and `Nesterov`: the number of updates made, and the velocity in the shape of x."""

    t: int
    v: np.ndarray


@dataclass(frozen=True, eq=False)
class Momentum(Rule):
    r"""Gradient descent with momentum (the heavy ball), in the three conventions in use; :math:`v_0 = 0`.

    .. math::
        \text{sum-of-gradients:}\quad & v_{t+1} = \beta v_t + g_t, & x_{t+1} = x_t - \eta\, v_{t+1} \\
        \text{sum-of-steps:}\quad & v_{t+1} = \beta v_t - \eta\, g_t, & x_{t+1} = x_t + v_{t+1} \\
        \text{average-of-gradients:}\quad
        & v_{t+1} = \beta v_t + (1-\beta)\, g_t, & x_{t+1} = x_t - \eta\, v_{t+1}

    Parameters
    ----------
    lr : float, array_like of shape (..., 1), or callable of t
        Learning rate :math:`\eta \ge 0`.
    beta : float, array_like of shape (..., 1), or callable of t, default 0.9
        Momentum :math:`\beta` in [0, 1]; 0 is gradient descent, 1 an undamped oscillation.
    convention : "sum-of-gradients", "sum-of-steps" or "average-of-gradients", default "sum-of-gradients"
        What the velocity is.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, not a number, or an array whose last axis is not 1; or if
        there is no such convention.

    Notes
    -----
    - "sum-of-gradients" is ``torch.optim.SGD(lr, momentum=beta)`` (dampening 0) and
      ``optax.sgd(lr, momentum=beta)``. A change of lr rescales the old gradients too.
    - "sum-of-steps" is ``keras.optimizers.SGD(lr, momentum=beta)``. Each gradient keeps the lr of its step.
      While lr is constant it goes the same way as the first.
    - "average-of-gradients" with lr/(1 − β) goes the same way as the first with lr, at every schedule for lr.
      PyTorch's ``dampening=beta`` is not this: its first velocity is the whole gradient.

    On a quadratic the first two converge if and only if 0 < lr < 2(1 + β)/λmax (β < 1) and end, under
    gradient noise, with a variance ∝ lr/(1 − β) for small lr. In the third, put lr·(1 − β) for lr: its limit
    is 2(1 + β)/((1 − β)λmax), its variance ∝ lr.

    References
    ----------
    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", USSR Computational
    Mathematics and Mathematical Physics 4 (1964), section 2. "sum-of-steps" as in I. Sutskever, J. Martens,
    G. Dahl and G. Hinton, "On the importance of initialization and momentum in deep learning", ICML (2013),
    section 2.

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
    convention: str = option("sum-of-gradients", "sum-of-steps", "average-of-gradients")

    def init(self, x):
        """Return the state before the first step from `x`: at rest."""
        return MomentumState(t=0, v=np.zeros_like(x))

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at `x`."""
        lr, beta = rate(self.lr, state.t, x), rate(self.beta, state.t)
        if self.convention == "sum-of-steps":
            v = cast(beta, x) * state.v - lr * g
            return x + v, MomentumState(state.t + 1, v)
        if self.convention == "average-of-gradients":
            v = leaky(beta, state.v, g)
        else:
            v = cast(beta, x) * state.v + g
        return x - lr * v, MomentumState(state.t + 1, v)


@dataclass(frozen=True, eq=False)
class Nesterov(Rule):
    r"""Nesterov's accelerated gradient, in its three forms; :math:`v_0 = 0`.

    .. math::
        \text{pytorch:}\quad
        & v_{t+1} = \beta v_t + g_t, & x_{t+1} = x_t - \eta\,(g_t + \beta v_{t+1}) \\
        \text{look-ahead:}\quad
        & v_{t+1} = \beta_t v_t - \eta\, \nabla f(x_t + \beta_t v_t), & x_{t+1} = x_t + v_{t+1} \\
        \text{rewritten:}\quad
        & v_{t+1} = \beta_t v_t - \eta\, g_t, & x_{t+1} = x_t - \beta_t v_t + (1 + \beta_{t+1})\, v_{t+1}

    Parameters
    ----------
    lr : float, array_like of shape (..., 1), or callable of t
        Learning rate :math:`\eta \ge 0`.
    beta : float, array_like of shape (..., 1), or callable of t, default 0.9
        Momentum :math:`\beta` in [0, 1]; 0 is gradient descent.
    form : "pytorch", "look-ahead" or "rewritten", default "pytorch"
        "look-ahead" wants its gradient at ``where(x, state)``, the other two at `x`.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, not a number, or an array whose last axis is not 1; or if
        there is no such form.

    Notes
    -----
    - "pytorch" is ``torch.optim.SGD(lr, momentum=beta, nesterov=True)`` and
      ``optax.sgd(lr, momentum=beta, nesterov=True)``.
    - "look-ahead" is the original. No framework has it: a framework measures gradients where the weights are.
    - "rewritten" stores y = x + βv in the place of x, and so steps exactly as "look-ahead" does, at mapped
      points, whatever the schedules for `lr` and `beta`. With constant `beta` it is
      ``keras.optimizers.SGD(lr, momentum=beta, nesterov=True)``.

    While lr and β are constant "pytorch" and "rewritten" go the same way; under a schedule they part.

    On a convex function that is not strongly convex the rate O(1/t²) needs lr ≤ 1/L and a β that tends to 1:
    β_t = (t − 1)/(t + 2), as ``beta=lambda t: max(t - 1, 0) / (t + 2)`` (at t = 0 the velocity is zero, so
    that β does not count), in the form "look-ahead" or "rewritten".

    References
    ----------
    Y. Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)", Soviet
    Mathematics Doklady 27 (1983). "look-ahead" as in I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the
    importance of initialization and momentum in deep learning", ICML (2013), section 2; "rewritten" as in
    Y. Bengio, N. Boulanger-Lewandowski and R. Pascanu, "Advances in optimizing recurrent networks", ICASSP
    (2013), section 3.5.

    Examples
    --------
    >>> rule = Nesterov(lr=0.1, beta=0.5)
    >>> x, state = rule.step(np.array([1.0]), np.array([2.0]), rule.init(np.array([1.0])))
    >>> x, state
    (array([0.7]), MomentumState(t=1, v=array([2.])))
    >>> rule = Nesterov(0.1, 0.5, form="look-ahead")
    >>> rule.where(np.array([1.0]), MomentumState(t=1, v=np.array([-0.5])))
    array([0.75])
    """

    lr: object
    beta: object = 0.9
    form: str = option("pytorch", "look-ahead", "rewritten")

    def init(self, x):
        """Return the state before the first step from `x`: at rest."""
        return MomentumState(t=0, v=np.zeros_like(x))

    def where(self, x, state):
        """Return the point at which the gradient is to be measured: ahead in the form "look-ahead"."""
        return x + rate(self.beta, state.t, x) * state.v if self.form == "look-ahead" else x

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at ``where(x, state)``."""
        lr, beta = rate(self.lr, state.t, x), rate(self.beta, state.t, x)
        if self.form == "pytorch":
            v = beta * state.v + g
            return x - lr * (g + beta * v), MomentumState(state.t + 1, v)
        v = beta * state.v - lr * g
        if self.form == "look-ahead":
            return x + v, MomentumState(state.t + 1, v)
        ahead = cast(1 + rate(self.beta, state.t + 1), x)
        return x - beta * state.v + ahead * v, MomentumState(state.t + 1, v)
