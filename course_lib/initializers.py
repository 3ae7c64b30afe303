r"""Initialisers: how to draw the weights of a layer, as small frozen objects called with the fans.

``initializer(rng, fan_in, fan_out)`` returns a float64 array of shape ``(fan_in, fan_out)``: what a unit
takes in stands in a column. With independent inputs and weights of mean 0, a sum of n_in terms has the
variance :math:`\operatorname{Var} Y = n_{in} \operatorname{Var} W \operatorname{E} X^2`. That keeps the
signal's size on the way forward if :math:`\operatorname{Var} W = 1/n_{in}`, and the gradient's size on the
way back if it is :math:`1/n_{out}`.

Names are mixed up in many texts: variance :math:`1/n_{in}` is LeCun's (and what Caffe calls "xavier"); Glorot
and Bengio (Xavier is Glorot's first name) use :math:`2/(n_{in} + n_{out})`; the factor 2 for ReLU is He's.
"""

import math
from dataclasses import dataclass

import numpy as np

from course_lib._checks import number_in, one_of, require, whole_number

__all__ = ["glorot", "he", "lecun", "normal", "orthogonal", "zeros"]

DISTRIBUTIONS = ("normal", "uniform", "truncated")
CUT = 2.0
"""A truncated normal is drawn anew beyond this many standard deviations."""

SHRINK = 0.8796256610342398
"""Standard deviation of a standard normal cut at ±2: it is divided by this, so that the variance is right."""


class _Initializer:
    """Checks fans and draws with a standard deviation that the subclass gives."""

    def __post_init__(self):
        if hasattr(self, "distribution"):
            one_of("distribution", self.distribution, DISTRIBUTIONS)

    def __call__(self, rng, fan_in, fan_out):
        """Return weights of shape (fan_in, fan_out) drawn from `rng`."""
        fan_in = whole_number("fan_in", fan_in, 1, "It is the number of inputs of a unit.")
        fan_out = whole_number("fan_out", fan_out, 1, "It is the number of units of the layer.")
        able = isinstance(rng, np.random.Generator)
        require(able, "rng", rng, "a numpy Generator", "Take np.random.default_rng(0).")
        return self._draw(rng, fan_in, fan_out)

    def _draw(self, rng, fan_in, fan_out):
        std = math.sqrt(self.variance(fan_in, fan_out))
        return std * _standard(rng, self.distribution, (fan_in, fan_out))


def _standard(rng, distribution, shape):
    """Return numbers of mean 0 and variance 1."""
    if distribution == "normal":
        return rng.standard_normal(shape)
    if distribution == "uniform":
        return rng.uniform(-math.sqrt(3), math.sqrt(3), shape)
    values = rng.standard_normal(shape)
    while (far := np.abs(values) > CUT).any():
        values[far] = rng.standard_normal(far.sum())
    return values / SHRINK


@dataclass(frozen=True)
class zeros(_Initializer):
    """All weights 0: units of a layer stay alike for ever.

    Examples
    --------
    >>> zeros()(np.random.default_rng(0), 2, 1).tolist()
    [[0.0], [0.0]]
    """

    def _draw(self, rng, fan_in, fan_out):
        return np.zeros((fan_in, fan_out))


@dataclass(frozen=True)
class normal(_Initializer):
    """Normal weights of one standard deviation, whatever the layer's size.

    Parameters
    ----------
    std : float
        Standard deviation, above 0.

    Raises
    ------
    ValueError
        If `std` is not above 0; on a call, if a fan is no whole number from 1 on, or `rng` no generator.

    Examples
    --------
    >>> normal(0.01)(np.random.default_rng(0), 500, 500).std().round(4)
    np.float64(0.01)
    """

    std: float

    def __post_init__(self):
        std = number_in("std", self.std, 0, math.inf, "Take 0.01.", open_low=True, open_high=True)
        object.__setattr__(self, "std", std)

    def _draw(self, rng, fan_in, fan_out):
        return self.std * rng.standard_normal((fan_in, fan_out))


@dataclass(frozen=True)
class lecun(_Initializer):
    r"""Variance :math:`1/n_{in}`: keeps the size of the signal through linear (or tanh, near 0) layers.

    Parameters
    ----------
    distribution : "normal", "uniform" or "truncated"
        Uniform on ±√(3 variance); truncated: cut at two standard deviations, then widened to the variance.

    Raises
    ------
    ValueError
        If there is no such distribution; on a call, if a fan is no whole number from 1 on.

    References
    ----------
    Y. LeCun, L. Bottou, G. Orr and K.-R. Müller, "Efficient BackProp", in Neural Networks: Tricks of the
    Trade (1998), section 4.6.

    Examples
    --------
    >>> lecun().variance(100, 50)
    0.01
    """

    distribution: str = "normal"

    def variance(self, fan_in, fan_out):
        """Return the variance of a weight."""
        return 1 / fan_in


@dataclass(frozen=True)
class glorot(_Initializer):
    r"""Variance :math:`2/(n_{in} + n_{out})`: between what the way forward and the way back ask for.

    The arguments and the errors are those of `lecun`. Equals ``torch.nn.init.xavier_normal_`` and
    ``xavier_uniform_``, and with "truncated" ``keras.initializers.GlorotNormal``.

    References
    ----------
    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS (2010), equation 12.

    Examples
    --------
    >>> glorot().variance(100, 300)
    0.005
    """

    distribution: str = "uniform"

    def variance(self, fan_in, fan_out):
        """Return the variance of a weight."""
        return 2 / (fan_in + fan_out)


@dataclass(frozen=True)
class he(_Initializer):
    r"""Variance :math:`2/((1 + a^2)\, n_{in})`: ReLU lets half of the mean square through: twice is needed.

    Parameters
    ----------
    distribution : "normal", "uniform" or "truncated"
        As for `lecun`.
    negative_slope : float, default 0
        Slope a of a leaky ReLU below 0.

    Raises
    ------
    ValueError
        If an argument does not fit; on a call, if a fan is no whole number from 1 on.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers", ICCV (2015), equations 10 and 15.

    Examples
    --------
    >>> he().variance(100, 300), he(negative_slope=1).variance(100, 300)
    (0.02, 0.01)
    """

    distribution: str = "normal"
    negative_slope: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        slope = number_in("negative_slope", self.negative_slope, 0, 1, "0 is ReLU, 0.01 a usual leak.")
        object.__setattr__(self, "negative_slope", slope)

    def variance(self, fan_in, fan_out):
        """Return the variance of a weight."""
        return 2 / ((1 + self.negative_slope**2) * fan_in)


@dataclass(frozen=True)
class orthogonal(_Initializer):
    r"""Orthonormal columns (or rows, whichever are fewer) times a gain: no direction is stretched or lost.

    Parameters
    ----------
    gain : float, default 1
        Factor, above 0. √2 suits ReLU.

    Raises
    ------
    ValueError
        If `gain` is not above 0; on a call, if a fan is no whole number from 1 on.

    References
    ----------
    A. Saxe, J. McClelland and S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks", ICLR (2014).

    Examples
    --------
    >>> W = orthogonal()(np.random.default_rng(0), 3, 2)
    >>> np.allclose(W.T @ W, np.eye(2))
    True
    """

    gain: float = 1.0

    def __post_init__(self):
        gain = number_in("gain", self.gain, 0, math.inf, "Take 1.", open_low=True, open_high=True)
        object.__setattr__(self, "gain", gain)

    def _draw(self, rng, fan_in, fan_out):
        tall = rng.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out)))
        q, r = np.linalg.qr(tall)
        q = q * np.sign(np.diag(r))  # without this the distribution would depend on how qr chooses signs
        return self.gain * (q if fan_in >= fan_out else q.T)
