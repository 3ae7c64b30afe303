"""Callbacks that tell others how a run goes: a CSV file, a server, TensorBoard."""

import csv
from pathlib import Path

from course_lib._run import Callback

__all__ = ["CSVLogger"]


class CSVLogger(Callback):
    """Write the record of each epoch as a line of a CSV file, at once.

    Parameters
    ----------
    path : path-like
        The file. A new run writes it anew; a resumed run keeps the lines up to its checkpoint.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from course_lib.networks import MLP
    >>> from course_lib.optimizers import GradientDescent
    >>> from course_lib.training import fit
    >>> net, rng = MLP([2, 2], rng=np.random.default_rng(0)), np.random.default_rng(1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "log.csv")
    ...     _ = fit(net, (np.eye(2), [0, 1]), GradientDescent(0.1), epochs=2, batch_size=2, rng=rng,
    ...             callbacks=[CSVLogger(path)])
    ...     path.read_text().splitlines()[0]
    'epoch,loss,lr,seconds'
    """

    def __init__(self, path):
        self.path = Path(path)

    def on_train_begin(self, run):
        """Write what a resumed run has recorded already."""
        with open(self.path, "w", newline="", encoding="utf-8") as file:
            self._lines(file, run.records, head=True)

    def on_epoch_end(self, run):
        """Append the line of the epoch."""
        with open(self.path, "a", newline="", encoding="utf-8") as file:
            self._lines(file, [run.record], head=run.epoch == 1)

    def _lines(self, file, records, head):
        if records:
            writer = csv.DictWriter(file, list(records[0]))
            if head:
                writer.writeheader()
            writer.writerows(records)
