"""A training run while it goes on: the point, the rule's state, the learning rate, and what was noted."""

import math
from dataclasses import fields, is_dataclass, replace

import numpy as np

from course_lib import optimizers as rules
from course_lib._checks import number_in, require
from course_lib._rule import rate
from course_lib._sparse import SparseRows

__all__ = [
    "Callback",
    "Run",
    "ScaledRate",
    "Stepper",
    "copied_stats",
    "examples",
    "put_stats",
    "start",
    "with_rate",
]

ELEMENTWISE = (
    *(rules.GradientDescent, rules.Momentum, rules.Nesterov, rules.Adagrad, rules.RMSProp, rules.Adadelta),
    *(rules.Adam, rules.AdamW, rules.AMSGrad, rules.Nadam, rules.Lion),
)
LONG, PIECE = 1 << 18, 1 << 15
"""A vector longer than LONG is moved in pieces: arrays so small stay in the cache, and in memory that is used
again and again, where the system takes back larger ones each time (measured by benchmarks/adam_step.py)."""


class ScaledRate:
    """A rule's learning rate times a factor that changes while the run goes on; a callable of t."""

    def __init__(self, lr):
        self.lr, self.factor = lr, 1.0

    def base(self, t):
        """Return the rule's own learning rate at step t."""
        value = rate(self.lr, t)
        remedy = "A network is one point, not a batch of settings."
        require(np.size(value) == 1, "lr", value, "a single number at each step", remedy)
        return value

    def __call__(self, t):
        """Return the learning rate at step t."""
        return self.base(t) * self.factor


def with_rate(rule, change):
    """Return a copy of the rule, and what `change` made of its learning rate; or the rule itself and None.

    The rate may be that of a rule inside, as in ``Clipped(Adam(0.001), 1)``.
    """
    names = [entry.name for entry in fields(rule)] if is_dataclass(rule) else []
    if "lr" in names:
        changed = change(rule.lr)
        return replace(rule, lr=changed), changed
    if "rule" in names:
        inner, changed = with_rate(rule.rule, change)
        return replace(rule, rule=inner), changed
    return rule, None


class Stepper:
    """A point and the state of a rule, moved in place; the bits are those of ``rule.step``.

    An elementwise rule moves a long vector piece by piece: a piece's arrays stay in the cache, where those of
    the whole would go to memory and back a dozen times. What one coordinate becomes does not depend on the
    others, so that this changes nothing else. A rule not known to be elementwise moves all at once.
    """

    def __init__(self, rule, theta):
        self.rule, self.theta, self.state = rule, theta, rule.init(theta)
        self.where = getattr(rule, "where", None)
        self.pieces = [(slice(None), rule)]
        if type(rule) in ELEMENTWISE and len(theta) > LONG:
            parts = [slice(at, at + PIECE) for at in range(0, len(theta), PIECE)]
            mask = getattr(rule, "mask", None)
            self.pieces = [(s, rule if mask is None else replace(rule, mask=mask[..., s])) for s in parts]

    def point(self):
        """Return the point at which the rule wants its gradient."""
        return self.theta if self.where is None else self.where(self.theta, self.state)

    def step(self, g):
        """Take one step with the gradient `g`."""
        if len(self.pieces) == 1:
            self.theta, self.state = self.rule.step(self.theta, g, self.state)
            return
        theta, kind, old = self.theta, type(self.state), self.state
        for part, rule in self.pieces:
            whole = [isinstance(value, np.ndarray) and value.shape == theta.shape for value in old]
            piece = kind(*(v[part] if cut else v for v, cut in zip(old, whole, strict=True)))
            theta[part], new = rule.step(theta[part], g[part], piece)
            for value, cut, after in zip(old, whole, new, strict=True):
                if cut:
                    value[part] = after
        self.state = kind(*(v if cut else after for v, cut, after in zip(old, whole, new, strict=True)))


def copied_stats(model):
    """Return a copy of the running statistics of a model's batch norms."""
    return [None if s is None else [part.copy() for part in s] for s in getattr(model, "stats", [])]


def put_stats(model, stats):
    """Give a model's batch norms the running statistics that `copied_stats` returned."""
    for own, given in zip(getattr(model, "stats", []), stats, strict=True):
        if own is not None:
            own[0][...], own[1][...] = given


def examples(name, data, dtype):
    """Return X in the model's dtype, and y, as many, of a pair or of an object that holds both."""
    if hasattr(data, "X") and hasattr(data, "y"):
        data = data.X, data.y
    remedy = "Write (X, y), one example a row."
    require(isinstance(data, tuple | list) and len(data) == 2, name, data, "a pair (X, y)", remedy)
    sparse = isinstance(data[0], SparseRows)
    X = data[0].astype(dtype) if sparse else np.ascontiguousarray(data[0], dtype)
    y = np.asarray(data[1])
    require(X.ndim == 2 and len(X) > 0, f"X.shape of {name}", X.shape, "(N, n_in) with N > 0", remedy)
    fits = y.shape[:1] == X.shape[:1]
    require(fits, f"y.shape of {name}", y.shape, f"({len(X)}, ...)", "Give one label an example.")
    return X, y


def start(model, theta):
    """Return a copy of the parameters to start from, by default the model's first."""
    theta, like = np.array(model.theta0 if theta is None else theta, model.dtype), model.theta0.shape
    require(theta.shape == like, "theta.shape", theta.shape, f"{like}", "Start from model.theta0.")
    return theta


class Callback:
    """What `fit` calls while it trains; every method does nothing until a subclass defines it.

    Each takes the `Run`. What a callback must remember when a run is resumed it returns from `state`
    (numbers, strings, arrays, lists and dicts of them), and takes back in `restore`; `on_train_begin` starts
    it anew.
    """

    last = False
    """Whether to be called after all others, at the end of an epoch."""

    def on_train_begin(self, run):
        """Before the first epoch; in a resumed run, ``run.epoch`` is not 0."""

    def on_epoch_begin(self, run):
        """Before each epoch: ``run.epoch`` counts those before it."""

    def on_batch_end(self, run):
        """After each step."""

    def on_epoch_end(self, run):
        """After each epoch: ``run.epoch`` counts it, ``run.record`` is its record."""

    def on_train_end(self, run):
        """After the last epoch, or after the run was stopped or interrupted."""

    def state(self):
        """Return what a checkpoint must hold of this callback."""
        return None

    def restore(self, state):
        """Go on from what `state` returned."""


class Run:
    """A training run while it goes on, as callbacks see it.

    Attributes
    ----------
    model
        The network.
    epoch, step : int
        Whole epochs and updates made so far.
    n_epochs, batch_size : int
        What `fit` was given.
    n_examples : int
        How many examples an epoch uses.
    losses : list of float
        The loss of each minibatch so far, before its update.
    records : list of dict
        One record for each epoch so far.
    stopped : str
        Why the run is to stop, or "".
    """

    def __init__(self, model, optimizer, theta, rng, n_epochs, batch_size, n_examples, callbacks):
        self.model, self.rng, self.callbacks = model, rng, callbacks
        self.n_epochs, self.batch_size, self.n_examples = n_epochs, batch_size, n_examples
        rule, self._rate = with_rate(optimizer, ScaledRate)
        self.stepper = Stepper(rule, theta)
        self.epoch = self.step = 0
        self.losses, self.records, self.stopped = [], [], ""

    @property
    def theta(self):
        """The parameters, as a copy; assigning replaces them."""
        return self.stepper.theta.copy()

    @theta.setter
    def theta(self, value):
        self.stepper.theta = value.copy()

    @property
    def record(self):
        """The record of the last epoch: a dict with epoch, loss, val_loss, val_accuracy, lr, seconds."""
        return self.records[-1]

    def watched(self, name):
        """Return an entry of the record, else say which entries there are."""
        if name not in self.record:
            there = ", ".join(self.record)
            require(False, "monitor", name, f"one of {there}", "Give fit validation data for those of it.")
        return self.record[name]

    @property
    def lr(self):
        """The learning rate of the next step; assigning changes it, and in proportion all that follow."""
        self._able()
        return self.lr_at(self.step)

    @lr.setter
    def lr(self, value):
        value = number_in("lr", value, 0, math.inf, "Give a small number such as 0.1.", open_high=True)
        self._able()
        base = float(np.squeeze(self._rate.base(self.step)))
        require(base > 0, "the rule's own lr", base, "above 0 to be scaled", "Change it at another step.")
        self._rate.factor = value / base

    @property
    def lr_factor(self):
        """What the rule's own learning rate, or schedule, is multiplied by: 1 at the start."""
        return 1.0 if self._rate is None else self._rate.factor

    @lr_factor.setter
    def lr_factor(self, value):
        self._able()
        self._rate.factor = number_in(
            "lr_factor", value, 0, math.inf, "1 leaves it as it is.", open_high=True
        )

    def lr_at(self, step):
        """Return the learning rate of one step under the present factor; NaN if the rule has none."""
        return math.nan if self._rate is None else float(np.squeeze(self._rate(step)))

    @property
    def scheduled(self):
        """Whether the rule's own learning rate follows a schedule."""
        self._able()
        return callable(self._rate.lr)

    def _able(self):
        remedy = "Take a rule of course_lib.optimizers."
        require(self._rate is not None, "optimizer", self.stepper.rule, "a dataclass with lr", remedy)

    def stop(self, reason):
        """Ask `fit` to stop after this step or epoch; the first reason is kept."""
        self.stopped = self.stopped or reason

    def call(self, name):
        """Call one method of all callbacks, in their order, those with `last` behind the others."""
        for callback in sorted(self.callbacks, key=lambda callback: callback.last):
            getattr(callback, name)(self)
