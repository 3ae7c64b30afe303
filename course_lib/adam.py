r"""Adam, AdamW and AMSGrad; see `course_lib.optimizers`.

The powers β^t of the bias corrections are running products kept in the state (`p1`, `p2`): so they have the
same bits alone and in a batch, and remain right when β follows a schedule.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course_lib._checks import require
from course_lib._rule import Rule, cast, leaky, option, rate
from course_lib.adaptive import root

__all__ = ["AMSGrad", "AMSGradState", "Adam", "AdamState", "AdamW"]


class AdamState(NamedTuple):
    """State of `Adam` and `AdamW`: updates made, mean gradient, mean squared gradient, ∏β1, ∏β2."""

    t: int
    m: np.ndarray
    v: np.ndarray
    p1: float | np.ndarray
    p2: float | np.ndarray


@dataclass(frozen=True, eq=False)
class Adam(Rule):
    r"""Adam: an average of the gradient over the root of an average of its square, both corrected for bias.

    .. math::
        m_{t+1} &= \beta_1 m_t + (1-\beta_1)\, g_t, \qquad v_{t+1} = \beta_2 v_t + (1-\beta_2)\, g_t^2 \\
        \hat m &= \frac{m_{t+1}}{1-\beta_1^{t+1}}, \qquad \hat v = \frac{v_{t+1}}{1-\beta_2^{t+1}}, \qquad
        x_{t+1} = x_t - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon}

    Parameters
    ----------
    lr : float, array_like of shape (..., 1), or callable of t
        Learning rate :math:`\eta \ge 0`; 0.001 is usual. The first step of every coordinate has this length.
    beta1, beta2 : float, array_like of shape (..., 1), or callable of t, default 0.9 and 0.999
        Decays :math:`\beta_1, \beta_2` of the two averages, in [0, 1).
    eps : float, array_like of shape (..., 1), or callable of t, default 1e-8
        :math:`\epsilon \ge 0`. Keras takes 1e-7.
    bias_correction : bool, default True
        Whether to divide by 1 − β^t. Without it the first step has the length lr·(1 − β1)/√(1 − β2).
    eps_place : "outside", "inside" or "uncorrected", default "outside"
        √v̂ + ε; √(v̂ + ε); or √v̂ + ε/√(1 − β2^t), which adds ε to the uncorrected root √v.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, not a number, or an array whose last axis is not 1; or if an
        option is unknown.

    Notes
    -----
    Variant: ``torch.optim.Adam(lr, (beta1, beta2), eps)`` and ``optax.adam(lr, beta1, beta2, eps)``.
    ``optax.adam(lr, beta1, beta2, eps=0, eps_root=eps)`` is eps_place="inside", and
    ``keras.optimizers.Adam(lr, beta1, beta2, epsilon=eps)`` is eps_place="uncorrected".

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR (2015), algorithm 1; the
    uncorrected ε at the end of section 2.

    Examples
    --------
    >>> rule = Adam(lr=0.5)
    >>> x, state = rule.step(np.ones(2), np.array([3.0, -300.0]), rule.init(np.ones(2)))
    >>> x.round(6), state.m.round(6)
    (array([0.5, 1.5]), array([  0.3, -30. ]))
    """

    lr: object
    beta1: object = 0.9
    beta2: object = 0.999
    eps: object = 1e-8
    bias_correction: bool = option(True, False)
    eps_place: str = option("outside", "inside", "uncorrected")

    def init(self, x):
        """Return the state before the first step from `x`."""
        return AdamState(0, np.zeros_like(x), np.zeros_like(x), p1=1.0, p2=1.0)

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at `x`."""
        beta1, beta2 = rate(self.beta1, state.t), rate(self.beta2, state.t)
        m, v = leaky(beta1, state.m, g), leaky(beta2, state.v, g * g)
        p1, p2 = state.p1 * beta1, state.p2 * beta2
        c1, c2 = (1 - p1, 1 - p2) if self.bias_correction else (1.0, 1.0)
        m_hat, v_hat = m / cast(c1, x), v / cast(c2, x)
        denominator = root(v_hat, rate(self.eps, state.t), self.eps_place, c2)
        return x - rate(self.lr, state.t, x) * m_hat / denominator, AdamState(state.t + 1, m, v, p1, p2)


@dataclass(frozen=True, eq=False)
class AdamW(Adam):
    r"""Adam with decoupled weight decay: the weights shrink by themselves, past Adam's averages.

    .. math:: x_{t+1} = x_t - \eta\,\lambda\, x_t - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon}

    with the averages of `Adam`. This is not L2 regularisation, which would add λx to the gradient, where Adam
    divides it by the gradient's size.

    Parameters
    ----------
    lr, beta1, beta2, eps
        As for `Adam`.
    weight_decay : float, array_like of shape (..., 1), or callable of t, default 0.01
        :math:`\lambda \ge 0`. It is multiplied by lr, so that a schedule for lr weakens the decay too.
    mask : array_like that broadcasts against x, optional
        1 where the decay applies, 0 where not (biases). Without it everything decays.
    bias_correction, eps_place
        As for `Adam`; keyword only.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, not a number, or an array whose last axis is not 1; if an
        option is unknown; if the mask holds anything but 0 and 1 or does not fit x.

    Notes
    -----
    Variant: ``torch.optim.AdamW(lr, (beta1, beta2), eps, weight_decay)`` and ``optax.adamw(lr, beta1, beta2,
    eps, weight_decay=weight_decay)``, whose default decay is 1e-4. ``keras.optimizers.AdamW(lr, weight_decay,
    beta1, beta2, epsilon=eps)``, whose default decay is 0.004, is eps_place="uncorrected". The paper
    multiplies the decay by the schedule's factor only, not by the initial lr.

    References
    ----------
    I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR (2019), algorithm 2.

    Examples
    --------
    >>> rule = AdamW(lr=0.5, weight_decay=0.1, mask=[1, 0])
    >>> x, state = rule.step(np.ones(2), np.array([3.0, -300.0]), rule.init(np.ones(2)))
    >>> x.round(6)
    array([0.45, 1.5 ])
    """

    weight_decay: object = 0.01
    mask: object = None
    bias_correction: bool = option(True, False, kw_only=True)
    eps_place: str = option("outside", "inside", "uncorrected", kw_only=True)

    def __post_init__(self):
        super().__post_init__()
        if self.mask is not None:
            try:
                mask = np.array(self.mask, np.float64)
            except (TypeError, ValueError):
                mask = np.array([])
            fine, remedy = mask.size > 0 and np.isin(mask, (0, 1)).all(), "Give 1 where the decay applies."
            require(fine, "mask", self.mask, "an array of 0 and 1 like x", remedy)
            mask.setflags(write=False)
            object.__setattr__(self, "mask", mask)

    def init(self, x):
        """Return the state before the first step from `x`."""
        if self.mask is not None:
            like, remedy = f"(..., {np.shape(x)[-1]}) like x", "Give 1 where the decay applies."
            require(self.mask.shape[-1:] == np.shape(x)[-1:], "mask.shape", self.mask.shape, like, remedy)
        return super().init(x)

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at `x`."""
        decay = cast(rate(self.lr, state.t) * rate(self.weight_decay, state.t), x)
        weights = x if self.mask is None else cast(self.mask, x) * x
        return super().step(x - decay * weights, g, state)


class AMSGradState(NamedTuple):
    """State of `AMSGrad`: that of `Adam`, and the largest mean squared gradient so far."""

    t: int
    m: np.ndarray
    v: np.ndarray
    p1: float | np.ndarray
    p2: float | np.ndarray
    vmax: np.ndarray


@dataclass(frozen=True, eq=False)
class AMSGrad(Rule):
    r"""AMSGrad: Adam that divides by the largest mean squared gradient so far, so that no rate grows again.

    .. math::
        v^{\max}_{t+1} = \max(v^{\max}_t, v_{t+1}), \qquad
        x_{t+1} = x_t - \eta\, \frac{\hat m}{\sqrt{v^{\max}_{t+1} / (1-\beta_2^{t+1})} + \epsilon}

    with the averages of `Adam`.

    Parameters
    ----------
    lr, beta1, beta2, eps
        As for `Adam`.
    maximum : "before" or "after", default "before"
        Whether the maximum is that of v, before the bias correction, or that of v̂, after it.
    bias_correction, eps_place
        As for `Adam`. The paper has no correction; without it both maxima are one.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, not a number, or an array whose last axis is not 1; or if an
        option is unknown.

    Notes
    -----
    Variant: ``torch.optim.Adam(lr, (beta1, beta2), eps, amsgrad=True)``. ``keras.optimizers.Adam(lr, beta1,
    beta2, epsilon=eps, amsgrad=True)`` is eps_place="uncorrected", and ``optax.amsgrad(lr, beta1, beta2,
    eps)`` is maximum="after", where the large v̂ of the first steps, when few gradients count, stays.

    References
    ----------
    S. J. Reddi, S. Kale and S. Kumar, "On the convergence of Adam and beyond", ICLR (2018), algorithm 2.

    Examples
    --------
    >>> rule = AMSGrad(lr=0.5, beta1=0, beta2=0.75, eps=0, bias_correction=False)
    >>> x, state = rule.step(np.array([1.0]), np.array([4.0]), rule.init(np.array([1.0])))
    >>> x, state = rule.step(x, np.array([0.5]), state)
    >>> x, state.v, state.vmax
    (array([-0.125]), array([3.0625]), array([4.]))
    """

    lr: object
    beta1: object = 0.9
    beta2: object = 0.999
    eps: object = 1e-8
    maximum: str = option("before", "after")
    bias_correction: bool = option(True, False)
    eps_place: str = option("outside", "inside", "uncorrected")

    def init(self, x):
        """Return the state before the first step from `x`."""
        return AMSGradState(0, np.zeros_like(x), np.zeros_like(x), 1.0, 1.0, np.zeros_like(x))

    def step(self, x, g, state):
        """Return the next point and state, from the gradient `g` at `x`."""
        beta1, beta2 = rate(self.beta1, state.t), rate(self.beta2, state.t)
        m, v = leaky(beta1, state.m, g), leaky(beta2, state.v, g * g)
        p1, p2 = state.p1 * beta1, state.p2 * beta2
        c1, c2 = (1 - p1, 1 - p2) if self.bias_correction else (1.0, 1.0)
        if self.maximum == "before":
            vmax = np.maximum(state.vmax, v)
            v_hat = vmax / cast(c2, x)
        else:
            vmax = v_hat = np.maximum(state.vmax, v / cast(c2, x))
        m_hat, denominator = m / cast(c1, x), root(v_hat, rate(self.eps, state.t), self.eps_place, c2)
        x = x - rate(self.lr, state.t, x) * m_hat / denominator
        return x, AMSGradState(state.t + 1, m, v, p1, p2, vmax)
