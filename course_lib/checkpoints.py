"""Checkpoints of a training run, from which it goes on as if it had never been interrupted."""

import io
import json
from pathlib import Path

import numpy as np

from course_lib._checks import require, whole_number
from course_lib._run import Callback, copied_stats, put_stats
from course_lib._whole import write_whole

__all__ = ["ModelCheckpoint", "resume_from"]

MARK = "course_lib.checkpoints, version 1"


class ModelCheckpoint(Callback):
    """Write all that a run needs to go on, after epochs: ``fit(…, resume=path)`` continues from there.

    The file holds the parameters, the rule's state, the running statistics of batch norm, the state of the
    random generator (from which the order of the examples follows), what was recorded, and what the other
    callbacks remember. It is an .npz file without pickle: nothing in it can be executed.

    Parameters
    ----------
    path : path-like
        The file, replaced each time. It is written beside its place (``PATH.part``) and moved there in one
        step: whenever the process dies, `path` is whole, or not there yet.
    every : int, default 1
        Epochs between two checkpoints.
    monitor : str, optional
        An entry of the epoch's record, e.g. "val_loss": write only when it was never better (higher for an
        accuracy, lower for anything else).

    Raises
    ------
    ValueError
        If `every` is no whole number from 1 on, or the record has no such entry.

    Notes
    -----
    ``keras.callbacks.ModelCheckpoint`` writes the model only; the random state is not in it. Its
    ``save_best_only=True`` is `monitor`.

    Examples
    --------
    ::

        fit(net, data, rule, epochs=50, rng=rng, callbacks=[ModelCheckpoint("run.npz")])
        fit(net, data, rule, epochs=50, rng=rng, callbacks=[ModelCheckpoint("run.npz")], resume="run.npz")
    """

    last = True  # so that it finds the others as they are after the epoch

    def __init__(self, path, every=1, monitor=None):
        self.path, self.monitor, self.best = Path(path), monitor, None
        self.every = whole_number("every", every, 1, "1 writes after each epoch.")

    def on_train_begin(self, run):
        """Forget the best of an earlier run."""
        self.best = None

    def on_epoch_end(self, run):
        """Write the checkpoint if it is due."""
        if run.epoch % self.every:
            return
        if self.monitor is not None:
            value = run.watched(self.monitor)
            if not better(self.monitor, value, self.best):
                return
            self.best = value
        _write(self.path, _content(run))

    def state(self):
        """Return the best so far."""
        return {"best": self.best}

    def restore(self, state):
        """Go on from the best so far."""
        self.best = state["best"]


def better(name, value, best, margin=0.0):
    """Return whether a recorded value is better than the best so far, by more than a margin."""
    if best is None:
        return not np.isnan(value)
    return value > best + margin if "accuracy" in name else value < best - margin


def resume_from(path, run):
    """Put a run into the state that a checkpoint holds.

    Parameters
    ----------
    path : path-like
    run : Run
        A fresh run of the same model, rule, data, batch size and callbacks.

    Returns
    -------
    list of (Callback, state)
        What the callbacks are to take back once they have begun.

    Raises
    ------
    ValueError
        If the file is no whole checkpoint, or one of another run. The run is then left alone.
    """
    remedy = "Give a file that ModelCheckpoint wrote."
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = [file[f"array{i}"] for i in range(len(file.files) - 2)]
            require(file["mark"].tobytes().decode() == MARK, "mark", "another", MARK, remedy)
            saved = _unpacked(json.loads(file["tree"].tobytes()), arrays)
    except Exception as error:  # a foreign file can fail in any way
        raise ValueError(f"resume = {str(path)!r}: must be a checkpoint. {remedy} ({error})") from error
    now, stepper = _content(run), run.stepper
    for name in ("n_examples", "batch_size", "generator", "callbacks"):
        found = [kind for kind, _ in saved[name]] if name == "callbacks" else saved[name]
        here = [kind for kind, _ in now[name]] if name == "callbacks" else now[name]
        require(found == here, f"{name} of the run", here, f"{found}, as in the checkpoint", "Give the same.")
    for name in ("theta", "rule", "stats"):
        same = _form(saved[name]) == _form(now[name])
        remedy = "Give the same model and optimizer."
        require(same, f"resume = {str(path)!r}", f"another {name}", "a checkpoint of this run", remedy)
    stepper.theta, stepper.state = saved["theta"], type(stepper.state)(*saved["rule"][1])
    put_stats(run.model, saved["stats"])
    run.rng.bit_generator.state = saved["rng"]
    run.epoch, run.step, run.stopped = saved["epoch"], saved["step"], saved["stopped"]
    run.losses, run.records = saved["losses"].tolist(), saved["records"]
    if saved["lr_factor"] != 1:
        run.lr_factor = saved["lr_factor"]
    remembering = [callback for callback in run.callbacks if callback.state() is not None]
    return [(callback, state) for callback, (_, state) in zip(remembering, saved["callbacks"], strict=True)]


def _content(run):
    """Return all that a run needs to go on."""
    states = [(type(callback).__name__, callback.state()) for callback in run.callbacks]
    generator = run.rng.bit_generator
    return {
        "theta": run.stepper.theta,
        "rule": [_named(run.stepper.rule), list(run.stepper.state)],
        "stats": copied_stats(run.model),
        "rng": generator.state,
        "generator": type(generator).__name__,
        "epoch": run.epoch,
        "step": run.step,
        "stopped": run.stopped,
        "losses": np.array(run.losses, np.float64),
        "records": run.records,
        "lr_factor": run.lr_factor,
        "n_examples": run.n_examples,
        "batch_size": run.batch_size,
        "callbacks": [list(pair) for pair in states if pair[1] is not None],
    }


def _named(rule):
    """Return the class of a rule, and of a rule inside: Momentum's state would fit Nesterov, too."""
    inside = [_named(rule.rule)] if hasattr(rule, "rule") else []
    return " ".join([type(rule).__name__, *inside])


def _form(value):
    """Return the structure of a tree: shapes and dtypes of its arrays, and its words."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str
    if isinstance(value, list):
        return [_form(item) for item in value]
    return value if isinstance(value, str) or value is None else "number"


def _packed(value, arrays):
    """Return a tree as JSON can hold it; its arrays and NumPy scalars go into the list `arrays`."""
    if isinstance(value, np.ndarray | np.generic):
        arrays.append(np.asarray(value))
        return {"array": len(arrays) - 1}
    if isinstance(value, dict):
        return {"dict": [[name, _packed(item, arrays)] for name, item in value.items()]}
    return [_packed(item, arrays) for item in value] if isinstance(value, list | tuple) else value


def _unpacked(value, arrays):
    """Return the tree that `_packed` took, with lists for tuples."""
    if isinstance(value, list):
        return [_unpacked(item, arrays) for item in value]
    if isinstance(value, dict) and "array" in value:
        array = arrays[value["array"]]
        return array if array.ndim else array[()]
    if isinstance(value, dict):
        return {name: _unpacked(item, arrays) for name, item in value["dict"]}
    return value


def _write(path, content):
    """Replace the file in one step."""
    arrays, file = [], io.BytesIO()
    tree = json.dumps(_packed(content, arrays)).encode()
    named = {f"array{i}": array for i, array in enumerate(arrays)}
    mark = np.frombuffer(MARK.encode(), np.uint8)
    np.savez(file, mark=mark, tree=np.frombuffer(tree, np.uint8), **named)
    write_whole(path, file.getbuffer())
