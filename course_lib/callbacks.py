"""What `fit` can do beside training: change the learning rate, stop, keep the best, write down.

A callback is an object with methods that `fit` calls; each takes the `Run`, with ``run.epoch``, ``run.step``,
``run.record``, ``run.theta``, ``run.lr`` and ``run.stop(reason)``. `LambdaCallback` makes one of functions;
a class of one's own inherits `Callback`.

Checkpoints live in `course_lib.checkpoints`, what writes logs in `course_lib.loggers`; all can be imported
from here. The names are those of Keras; the docstrings say where the behaviour differs.
"""

import math

import numpy as np

from course_lib._checks import number_in, require, whole_number
from course_lib._run import Callback, Run, copied_stats, put_stats
from course_lib.checkpoints import ModelCheckpoint, better
from course_lib.loggers import CSVLogger, RemoteMonitor, TensorBoard
from course_lib.regressions import softmax

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "Run",
    "Snapshot",
    "TensorBoard",
    "TerminateOnNaN",
]


class LambdaCallback(Callback):
    """A callback made of functions, each of which takes the `Run`.

    Parameters
    ----------
    on_train_begin, on_epoch_begin, on_batch_end, on_epoch_end, on_train_end : callable, optional
        See `Callback`.

    Raises
    ------
    ValueError
        If one is not callable.

    Examples
    --------
    ::

        say = LambdaCallback(on_epoch_end=lambda run: print(run.record["loss"]))
    """

    def __init__(
        self,
        *,
        on_train_begin=None,
        on_epoch_begin=None,
        on_batch_end=None,
        on_epoch_end=None,
        on_train_end=None,
    ):
        given = {name: function for name, function in locals().items() if name.startswith("on_")}
        self._functions = {name: function for name, function in given.items() if function is not None}
        for name, function in self._functions.items():
            require(callable(function), name, function, "a function of the run", "Write lambda run: …")

    def _call(self, name, run):
        if name in self._functions:
            self._functions[name](run)

    def on_train_begin(self, run):
        """Call the function given for it."""
        self._call("on_train_begin", run)

    def on_epoch_begin(self, run):
        """Call the function given for it."""
        self._call("on_epoch_begin", run)

    def on_batch_end(self, run):
        """Call the function given for it."""
        self._call("on_batch_end", run)

    def on_epoch_end(self, run):
        """Call the function given for it."""
        self._call("on_epoch_end", run)

    def on_train_end(self, run):
        """Call the function given for it."""
        self._call("on_train_end", run)


class LearningRateScheduler(Callback):
    """Set the learning rate before each epoch: ``run.lr = schedule(epoch)``.

    Parameters
    ----------
    schedule : callable
        From the epoch, counted from 0, to the learning rate: any of `course_lib.schedules`, or a function.

    Raises
    ------
    ValueError
        If `schedule` is not callable or returns no rate, or if the rule's own ``lr`` is a schedule already.

    Notes
    -----
    A schedule of the *step* is given to the rule instead: ``Adam(cosine(0.001, steps))``. Keras calls
    ``schedule(epoch, lr)``, with the present rate as second argument.

    Examples
    --------
    >>> from course_lib.schedules import step_decay
    >>> halve = LearningRateScheduler(step_decay(0.1, 0.5, every=10))
    """

    def __init__(self, schedule):
        remedy = "Give one of course_lib.schedules, or a function of the epoch."
        require(callable(schedule), "schedule", schedule, "a callable", remedy)
        self.schedule = schedule

    def on_train_begin(self, run):
        """Refuse two schedules at once."""
        remedy = "Give the rule a number, or leave this callback out."
        require(not run.scheduled, "lr of the optimizer", run.stepper.rule, "no schedule itself", remedy)

    def on_epoch_begin(self, run):
        """Set the rate of this epoch."""
        run.lr = self.schedule(run.epoch)


class _Watching(Callback):
    """What follows one entry of the record and counts the epochs without a better value."""

    def __init__(self, monitor, patience, min_delta):
        self.monitor, remedy = monitor, "0 takes any improvement."
        self.patience = whole_number("patience", patience, 0, "Count epochs.")
        self.min_delta = number_in("min_delta", min_delta, 0, math.inf, remedy, open_high=True)
        self.on_train_begin(None)

    def on_train_begin(self, run):
        """Start anew."""
        self.best, self.waited = None, 0

    def improved(self, run):
        """Note this epoch's value, and return whether it is the best so far."""
        value = run.watched(self.monitor)
        if better(self.monitor, value, self.best, self.min_delta):
            self.best, self.waited = value, 0
            return True
        self.waited += 1
        return False

    def state(self):
        """Return what is remembered between epochs."""
        return {name: value for name, value in vars(self).items() if name in self.remembered}

    def restore(self, state):
        """Go on from what was remembered."""
        vars(self).update(state)

    remembered = ("best", "waited")


class ReduceLROnPlateau(_Watching):
    """Multiply the learning rate by a factor when a value has not improved for some epochs.

    Parameters
    ----------
    monitor : str, default "val_loss"
        An entry of the epoch's record. An accuracy is to rise, anything else to fall.
    factor : float, default 0.1
        In (0, 1).
    patience : int, default 10
        So many epochs in a row without improvement are borne; the next one reduces the rate.
    min_delta : float, default 1e-4
        What counts as improvement is more than this.
    cooldown : int, default 0
        After a reduction, epochs that are not counted.
    min_lr : float, default 0
        The rate is not reduced below this.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the record has no such entry.

    Notes
    -----
    Variant: ``torch.optim.lr_scheduler.ReduceLROnPlateau`` with threshold_mode="abs"; its own default is a
    relative threshold. Keras reduces in the epoch in which `patience` is reached, one earlier.

    Examples
    --------
    >>> reduce = ReduceLROnPlateau(factor=0.5, patience=5)
    """

    remembered = ("best", "waited", "resting")

    def __init__(self, monitor="val_loss", factor=0.1, patience=10, min_delta=1e-4, cooldown=0, min_lr=0.0):
        super().__init__(monitor, patience, min_delta)
        remedy = "0.1 and 0.5 are usual."
        self.factor = number_in("factor", factor, 0, 1, remedy, open_low=True, open_high=True)
        self.cooldown = whole_number("cooldown", cooldown, 0, "Count epochs.")
        self.min_lr = number_in("min_lr", min_lr, 0, math.inf, "0 is no limit.", open_high=True)

    def on_train_begin(self, run):
        """Start anew."""
        super().on_train_begin(run)
        self.resting = 0

    def on_epoch_end(self, run):
        """Reduce the rate if it is time."""
        self.improved(run)
        if self.resting:
            self.resting, self.waited = self.resting - 1, 0
        if self.waited > self.patience:
            self.waited, self.resting = 0, self.cooldown
            if run.lr > self.min_lr:
                run.lr_factor *= max(self.factor, self.min_lr / run.lr)


class EarlyStopping(_Watching):
    """Stop when a value has not improved for some epochs, and go back to the best parameters.

    Parameters
    ----------
    monitor : str, default "val_loss"
        An entry of the epoch's record. An accuracy is to rise, anything else to fall.
    patience : int, default 10
        Stop after so many epochs in a row without improvement (0 means 1).
    min_delta : float, default 0
        What counts as improvement is more than this.
    restore_best : bool, default True
        Whether θ and the running statistics of batch norm return to the best epoch's at the end, also if
        the run ended for another reason.

    Attributes
    ----------
    best_epoch : int
        The epoch of the best value, from 1; 0 before there is one.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the record has no such entry.

    Notes
    -----
    In ``keras.callbacks.EarlyStopping``, ``restore_best_weights`` is False and `patience` 0 by default.

    Examples
    --------
    >>> stop = EarlyStopping("val_accuracy", patience=5)
    """

    remembered = ("best", "waited", "best_epoch", "theta", "stats")

    def __init__(self, monitor="val_loss", patience=10, min_delta=0.0, restore_best=True):
        super().__init__(monitor, patience, min_delta)
        able = isinstance(restore_best, bool)
        require(able, "restore_best", restore_best, "True or False", "Choose one of them.")
        self.restore_best = restore_best

    def on_train_begin(self, run):
        """Start anew."""
        super().on_train_begin(run)
        self.best_epoch, self.theta, self.stats = 0, None, None

    def on_epoch_end(self, run):
        """Keep the best parameters; stop if it is time."""
        if self.improved(run):
            self.best_epoch = run.epoch
            if self.restore_best:
                self.theta, self.stats = run.theta, copied_stats(run.model)
        elif self.waited >= self.patience:
            run.stop(f"{self.monitor} was best in epoch {self.best_epoch}")

    def on_train_end(self, run):
        """Go back to the best parameters."""
        if self.theta is not None:
            run.theta = self.theta
            put_stats(run.model, self.stats)


class TerminateOnNaN(Callback):
    """Stop at the first step that makes a parameter NaN or infinite, and say in which layer.

    Notes
    -----
    `fit` stops by itself as soon as a *loss* is not finite, one step later, so that this callback is not
    needed as in Keras. It looks at every parameter after every step.

    Examples
    --------
    >>> watch = TerminateOnNaN()
    """

    def on_batch_end(self, run):
        """Look at all parameters."""
        theta = run.stepper.theta
        if np.isfinite(theta).all():
            return
        layer = "the parameters"
        if hasattr(run.model, "unpack"):
            parts = zip(run.model.layers, run.model.unpack(theta), strict=True)
            bad = [i for i, (_, views) in enumerate(parts) if any(not np.isfinite(v).all() for v in views)]
            layer = f"layer {bad[0]} ({type(run.model.layers[bad[0]]).__name__})"
        run.stop(f"{layer} became NaN or infinite at step {run.step}, in epoch {run.epoch + 1}")


class Snapshot(Callback):
    """Keep the parameters every so many epochs, as members of an ensemble.

    With a schedule that falls to nearly 0 and starts again (`course_lib.schedules.sgdr`), each cycle ends in
    a minimum of its own: as many networks for the price of one training.

    Parameters
    ----------
    every : int
        Epochs between two snapshots: the length of a cycle.

    Attributes
    ----------
    members : list of dict
        Each with ``epoch``, ``theta``, and ``stats``, the running statistics of batch norm.

    Raises
    ------
    ValueError
        If `every` is no whole number from 1 on.

    References
    ----------
    G. Huang et al., "Snapshot ensembles: train 1, get M for free", ICLR (2017), section 3.

    Examples
    --------
    >>> Snapshot(every=10).members
    []
    """

    def __init__(self, every):
        self.every = whole_number("every", every, 1, "Give the length of a cycle in epochs.")
        self.members = []

    def on_train_begin(self, run):
        """Start anew."""
        self.members = []

    def on_epoch_end(self, run):
        """Keep the parameters if a cycle is over."""
        if run.epoch % self.every == 0:
            stats = copied_stats(run.model)
            self.members.append({"epoch": run.epoch, "theta": run.theta, "stats": stats})

    def outputs(self, model, X):
        """Return what each member predicts, in evaluation mode.

        Parameters
        ----------
        model : MLP
            The network that was trained; it is left alone.
        X : array_like of shape (n, n_in)

        Returns
        -------
        ndarray of shape (members, n, n_out)
            Probabilities of the classes (or outputs, for squared errors). Their mean over the first axis is
            the ensemble's prediction.

        Raises
        ------
        ValueError
            If there is no member yet.
        """
        require(self.members, "members", self.members, "not empty", "Train for `every` epochs at least.")
        each = [model.forward(m["theta"], X, stats=m["stats"])[0][-1] for m in self.members]
        classes = model.loss_name == "cross-entropy"
        return np.array([softmax(outputs) if classes else outputs for outputs in each])

    def state(self):
        """Return the members."""
        return {"members": self.members}

    def restore(self, state):
        """Go on with the members so far."""
        self.members = state["members"]
