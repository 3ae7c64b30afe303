"""Penalties at work: added to a problem, added to a network's training loss, or as a step behind a rule."""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import require
from course_lib._rule import Rule, rate

__all__ = ["Penalised", "PenalisedModel", "Proximal"]


class Penalised:
    r"""A problem plus a penalty, :math:`L(\theta) + R(\theta)`, for `minimize` and pictures.

    Parameters
    ----------
    problem : Landscape
        Or anything with ``problem(x)`` and ``problem.grad(x)``; ``rows=`` is passed on.
    penalty : L1, L2, ElasticNet or MaxNorm
    mask : array_like of shape (d,), optional
        What is penalised.

    Examples
    --------
    >>> from course_lib.landscapes import quadratic
    >>> from course_lib.regularizers import L2
    >>> ridge = Penalised(quadratic(4), L2(0.5))
    >>> float(ridge([1.0, 0.0])), ridge.grad(np.array([1.0, 0.0]))
    (1.0, array([2., 0.]))
    """

    def __init__(self, problem, penalty, mask=None):
        self.problem, self.penalty, self.mask = problem, penalty, mask
        for name in ("dim", "window", "start", "n_examples"):
            if hasattr(problem, name):
                setattr(self, name, getattr(problem, name))

    def __repr__(self):
        return f"{self.problem!r} + {self.penalty!r}"

    def __call__(self, x, **rows):
        """Return loss plus penalty at ``(..., d)``."""
        return self.problem(x, **rows) + self.penalty.value(x, self.mask)

    def grad(self, x, **rows):
        """Return the gradient of both at ``(..., d)``."""
        return self.problem.grad(x, **rows) + self.penalty.grad(x, self.mask)


class PenalisedModel:
    """A network whose training loss contains a penalty; everything else is the network's own.

    `loss`, `predict` and `accuracy` leave the penalty out: what is measured on validation data is the loss of
    the data, which can be compared between penalties.

    Parameters
    ----------
    model : MLP
    penalty : L1, L2 or ElasticNet
    mask : array_like of shape (n_parameters,), optional
        What is penalised; by default ``model.decay_mask()``, which spares biases and norm parameters.

    Examples
    --------
    >>> from course_lib.networks import MLP
    >>> from course_lib.regularizers import L2
    >>> net = MLP([2, 2], rng=np.random.default_rng(0))
    >>> X, y = np.ones((1, 2)), np.array([1])
    >>> with_penalty, _ = PenalisedModel(net, L2(0.1)).loss_and_grad(net.theta0, X, y)
    >>> bool(np.isclose(with_penalty - net.loss(net.theta0, X, y), 0.1 * np.sum(net.theta0**2)))
    True
    """

    def __init__(self, model, penalty, mask=None):
        self.model, self.penalty = model, penalty
        self.mask = model.decay_mask() if mask is None else mask

    def __getattr__(self, name):
        if name.startswith("_") or name == "model":
            raise AttributeError(name)
        return getattr(self.model, name)

    def __repr__(self):
        return f"{self.model!r} + {self.penalty!r}"

    def loss_and_grad(self, theta, X, y, rng=None, *, train=True):
        """Return loss plus penalty, and the gradient of both."""
        loss, grad = self.model.loss_and_grad(theta, X, y, rng, train=train)
        return loss + float(self.penalty.value(theta, self.mask)), grad + self.penalty.grad(theta, self.mask)

    def landscape(self, X, y):
        """Return loss plus penalty over θ on these examples."""
        return Penalised(self.model.landscape(X, y), self.penalty, self.mask)


@dataclass(frozen=True, eq=False)
class Proximal(Rule):
    r"""An update rule followed by the proximal step of a penalty, with the rule's learning rate.

    .. math:: x_{t+1} = \operatorname{prox}_{\eta_t R}(x_{t+1}^{\text{rule}})

    Parameters
    ----------
    rule : GradientDescent, …
        A rule with ``lr``, given the gradient of the loss without the penalty.
    penalty : L1, L2, ElasticNet or MaxNorm
    mask : array_like of shape (d,), optional
        What is penalised.

    Raises
    ------
    ValueError
        If `rule` has no ``init``, ``step`` and ``lr``, or `penalty` no ``prox``.

    Notes
    -----
    With `GradientDescent` this is proximal gradient descent (ISTA with `L1`, projected gradient descent with
    `MaxNorm`), which reaches the minimum of loss plus penalty. Behind momentum, or behind a rule that gives
    each coordinate its own step, the same prox makes zeros just as exact, but the point of rest may be
    another one. It is elementwise unless the penalty is `MaxNorm` or there is a mask.

    References
    ----------
    N. Parikh and S. Boyd, "Proximal algorithms", Foundations and Trends in Optimization 1 (2014), section
    4.2.

    Examples
    --------
    >>> from course_lib.optimizers import GradientDescent
    >>> from course_lib.regularizers import L1
    >>> rule = Proximal(GradientDescent(0.5), L1(1))
    >>> x = np.array([2.0, 0.25])
    >>> rule.step(x, np.zeros(2), rule.init(x))
    (array([1.5, 0. ]), GradientDescentState(t=1))
    """

    rule: object
    penalty: object
    mask: np.ndarray | None = None

    def __post_init__(self):
        able = not isinstance(self.rule, type) and all(hasattr(self.rule, n) for n in ("init", "step", "lr"))
        require(able, "rule", self.rule, "an object with init, step and lr", "Write GradientDescent(0.1).")
        able = not isinstance(self.penalty, type) and hasattr(self.penalty, "prox")
        require(able, "penalty", self.penalty, "an object with prox", "Write L1(0.01).")

    @property
    def lr(self):
        """The inner rule's learning rate."""
        return self.rule.lr

    def init(self, x):
        """Return the inner rule's state before the first step from `x`."""
        return self.rule.init(x)

    def where(self, x, state):
        """Return the point at which the inner rule wants its gradient."""
        return self.rule.where(x, state) if hasattr(self.rule, "where") else x

    def step(self, x, g, state):
        """Return the next point, after the proximal step, and the inner rule's next state."""
        moved, after = self.rule.step(x, g, state)
        return self.penalty.prox(moved, rate(self.rule.lr, state.t), self.mask), after
