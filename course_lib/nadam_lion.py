r"""Nadam (Adam with Nesterov's momentum) and Lion (the sign of a momentum); see `course_lib.optimizers`."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course_lib._checks import number_in
from course_lib._rule import Rule, cast, leaky, rate
from course_lib.adaptive import root

__all__ = ["Lion", "LionState", "Nadam", "NadamState"]


class NadamState(NamedTuple):
    """State of `Nadam`: updates made, mean gradient, mean squared gradient, ∏μ, ∏β2."""

    t: int
    m: np.ndarray
    v: np.ndarray
    p: float | np.ndarray
    p2: float | np.ndarray


@dataclass(frozen=True, eq=False)
class Nadam(Rule):
    r"""Nadam: Adam with Nesterov's momentum, whose strength μ grows towards β1.

    .. math::
        \mu_t &= \beta_1 \bigl(1 - \tfrac12\, 0.96^{\psi t}\bigr), \qquad
        \hat m = \frac{\mu_{t+2}\, m_{t+1}}{1 - \prod_{i=1}^{t+2} \mu_i}
        + \frac{(1-\mu_{t+1})\, g_t}{1 - \prod_{i=1}^{t+1} \mu_i} \\
        x_{t+1} &= x_t - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon}

    with the averages m and v of `Adam`; t counts the updates made, from 0.

    Parameters
    ----------
    lr, beta1, beta2, eps
        As for `Adam`.
    momentum_decay : float or None, default 0.004
        :math:`\psi \ge 0`; None for a constant μ = β1.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``torch.optim.NAdam(lr, (beta1, beta2), eps, momentum_decay=ψ)``. ``keras.optimizers.Nadam(lr,
    beta1, beta2, epsilon=eps)`` is momentum_decay=1, ``optax.nadam(lr, beta1, beta2, eps)`` is
    momentum_decay=None.

    References
    ----------
    T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop (2016), algorithm 2.

    Examples
    --------
    >>> rule = Nadam(lr=0.5, momentum_decay=None)
    >>> x, state = rule.step(np.ones(2), np.array([3.0, -300.0]), rule.init(np.ones(2)))
    >>> (1 - x).round(6), round(0.5 * (0.9 / (1 + 0.9) + 1), 6)
    (array([ 0.736842, -0.736842]), 0.736842)
    """

    lr: object
    beta1: object = 0.9
    beta2: object = 0.999
    eps: object = 1e-8
    momentum_decay: float | None = 0.004

    def __post_init__(self):
        super().__post_init__()
        if self.momentum_decay is not None:
            remedy = "0.004 is PyTorch's, 1 Keras's; None keeps the momentum constant."
            number = number_in("momentum_decay", self.momentum_decay, 0, np.inf, remedy, open_high=True)
            object.__setattr__(self, "momentum_decay", number)

    def init(self, x):
        """Return the state before the first step from `x`."""
        return NadamState(0, np.zeros_like(x), np.zeros_like(x), p=1.0, p2=1.0)

    def mu(self, t):
        """Return the momentum μ of the update after `t` updates."""
        grown = 1.0 if self.momentum_decay is None else 1 - 0.5 * 0.96 ** (self.momentum_decay * (t + 1))
        return rate(self.beta1, t) * grown

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at `x`."""
        t, mu, mu_next = state.t, self.mu(state.t), self.mu(state.t + 1)
        beta1, beta2 = rate(self.beta1, t), rate(self.beta2, t)
        m, v = leaky(beta1, state.m, g), leaky(beta2, state.v, g * g)
        p, p2 = state.p * mu, state.p2 * beta2
        m_hat = cast(mu_next / (1 - p * mu_next), x) * m + cast((1 - mu) / (1 - p), x) * g
        denominator = root(v / cast(1 - p2, x), rate(self.eps, t), "outside")
        return x - rate(self.lr, t, x) * m_hat / denominator, NadamState(t + 1, m, v, p, p2)


class LionState(NamedTuple):
    """State of `Lion`: the number of updates made, and the mean gradient."""

    t: int
    m: np.ndarray


@dataclass(frozen=True, eq=False)
class Lion(Rule):
    r"""Lion (evolved sign momentum): every coordinate moves by lr, in the direction of an average gradient.

    .. math::
        x_{t+1} &= x_t - \eta\,\lambda\, x_t
        - \eta\, \operatorname{sign}\bigl(\beta_1 m_t + (1-\beta_1)\, g_t\bigr) \\
        m_{t+1} &= \beta_2 m_t + (1-\beta_2)\, g_t

    Parameters
    ----------
    lr : float, array_like of shape (..., 1), or callable of t
        Learning rate :math:`\eta \ge 0`: a third to a tenth of Adam's.
    beta1 : float, array_like of shape (..., 1), or callable of t, default 0.9
        :math:`\beta_1` in [0, 1): how much the average counts in the direction.
    beta2 : float, array_like of shape (..., 1), or callable of t, default 0.99
        Decay :math:`\beta_2` of the average, in [0, 1).
    weight_decay : float, array_like of shape (..., 1), or callable of t, default 0
        :math:`\lambda \ge 0`, decoupled as in `AdamW`.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, not a number, or an array whose last axis is not 1.

    Notes
    -----
    Variant: ``optax.lion(lr, beta1, beta2, weight_decay=weight_decay)``, whose default decay is 1e-3, and
    ``keras.optimizers.Lion(lr, beta1, beta2, weight_decay=weight_decay)``. PyTorch has none.

    References
    ----------
    X. Chen and others, "Symbolic discovery of optimization algorithms", NeurIPS (2023), algorithm 2.

    Examples
    --------
    >>> rule = Lion(lr=0.25)
    >>> x, state = rule.step(np.ones(2), np.array([3.0, -300.0]), rule.init(np.ones(2)))
    >>> x, state.m.round(6)
    (array([0.75, 1.25]), array([ 0.03, -3.  ]))
    """

    lr: object
    beta1: object = 0.9
    beta2: object = 0.99
    weight_decay: object = 0.0

    def init(self, x):
        """Return the state before the first step from `x`."""
        return LionState(t=0, m=np.zeros_like(x))

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at `x`."""
        lr, decay = rate(self.lr, state.t), rate(self.weight_decay, state.t)
        sign = np.sign(leaky(rate(self.beta1, state.t), state.m, g))
        m = leaky(rate(self.beta2, state.t), state.m, g)
        return x - cast(lr * decay, x) * x - cast(lr, x) * sign, LionState(state.t + 1, m)
