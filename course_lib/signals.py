"""What becomes of numbers on their way through a fresh deep network, and of a derivative on its way back."""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import require, whole_number
from course_lib.layers import Dense
from course_lib.networks import MLP

__all__ = ["SATURATED", "Signals", "signals"]

SATURATED = 0.99
"""An output beyond this, in absolute value, counts as saturated (for tanh, whose limits are −1 and 1)."""


@dataclass(frozen=True, eq=False)
class Signals:
    """What `signals` returns; printed, it is a table with one line a layer.

    Parameters
    ----------
    outputs : list of ndarray of shape (examples, size)
        What each layer puts out, behind its activation.
    derivatives : list of ndarray of shape (examples, size)
        What arrives, on the way back, at the input of each layer.
    """

    outputs: list
    derivatives: list

    @property
    def mean(self):
        """Mean of each layer's outputs."""
        return np.array([h.mean() for h in self.outputs])

    @property
    def std(self):
        """Standard deviation of each layer's outputs."""
        return np.array([h.std() for h in self.outputs])

    @property
    def saturated(self):
        """Share of each layer's outputs with an absolute value above 0.99."""
        return np.array([np.mean(np.abs(h) > SATURATED) for h in self.outputs])

    @property
    def zero(self):
        """Share of each layer's outputs that are exactly 0."""
        return np.array([np.mean(h == 0) for h in self.outputs])

    @property
    def dead(self):
        """Share of each layer's units that put out 0 for every example."""
        return np.array([np.mean((h == 0).all(axis=0)) for h in self.outputs])

    @property
    def back(self):
        """Standard deviation of the derivative at each layer's input."""
        return np.array([d.std() for d in self.derivatives])

    def __repr__(self):
        lines = ["layer      mean       std  saturated   zero   dead   derivative"]
        columns = self.mean, self.std, self.saturated, self.zero, self.dead, self.back
        for k, (mean, std, flat, zero, dead, back) in enumerate(zip(*columns, strict=True), 1):
            lines.append(f"{k:5} {mean:9.1e} {std:9.1e} {flat:10.0%} {zero:6.0%} {dead:6.0%} {back:12.1e}")
        return "\n".join(lines)


def signals(activation, initializer, rng, *, size=500, layers=10, examples=300):
    r"""Send random numbers through a fresh network of equal layers, and random derivatives back.

    .. math:: h_0 \sim N(0, 1), \quad h_k = \varphi(h_{k-1} W_k), \qquad
              d_n \sim N(0, 1), \quad d_{k-1} = (d_k \odot \varphi'(h_{k-1} W_k))\, W_k^\top

    Parameters
    ----------
    activation : str or layer
        As for `MLP`.
    initializer : callable
        Draws the weights, see `course_lib.initializers`. Biases are 0.
    rng : numpy.random.Generator
        Draws the weights, then the inputs, then the derivatives at the last layer's output.
    size : int, default 500
        Units a layer.
    layers : int, default 10
    examples : int, default 300

    Returns
    -------
    Signals

    Raises
    ------
    ValueError
        If an argument is none that `MLP` takes, or a number is no whole number from 1 on.

    References
    ----------
    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS (2010), section 4.

    Examples
    --------
    >>> from course_lib.initializers import he
    >>> signals("relu", he(), np.random.default_rng(0), layers=2)
    layer      mean       std  saturated   zero   dead   derivative
        1   5.6e-01   8.3e-01        24%    50%     0%      1.0e+00
        2   6.0e-01   8.5e-01        26%    48%     0%      1.0e+00
    """
    size = whole_number("size", size, 1, "500 is usual here.")
    layers = whole_number("layers", layers, 1, "10 is usual here.")
    examples = whole_number("examples", examples, 1, "300 is usual here.")
    require(callable(initializer), "initializer", initializer, "a callable", "Take he().")
    net = MLP([size] * (layers + 1) + [1], activation, initializer, rng=rng)
    outputs, caches = net.forward(net.theta0, rng.standard_normal((examples, size)))
    way = list(zip(net.layers, net.unpack(net.theta0), caches, net.unpack(net.theta0.copy()), strict=True))
    d, derivatives = rng.standard_normal((examples, size)), []
    for layer, params, cache, unused in way[-2::-1]:  # from the last activation back; not the output layer
        d = layer.backward(params, cache, d, unused)
        if isinstance(layer, Dense):
            derivatives.append(d)
    return Signals(outputs[2::2], derivatives[::-1])
