"""Callbacks that tell others how a run goes: a CSV file, a server, TensorBoard."""

import csv
import json
import math
import os
import socket
import struct
import threading
import time
import urllib.request
from pathlib import Path

from course_lib._checks import number_in, require, whole_number
from course_lib._run import Callback

__all__ = ["CSVLogger", "RemoteMonitor", "TensorBoard", "crc32c"]


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
        self._write("w", run.records, head=True)

    def on_epoch_end(self, run):
        """Append the line of the epoch."""
        self._write("a", [run.record], head=run.epoch == 1)

    def _write(self, mode, records, head):
        with open(self.path, mode, newline="", encoding="utf-8") as file:
            if records:
                writer = csv.DictWriter(file, list(records[0]))
                if head:
                    writer.writeheader()
                writer.writerows(records)


class RemoteMonitor(Callback):
    """Send the record of each epoch to a server: a POST of JSON, NaN and infinity as null.

    A server that is dead, slow or answers with an error never stops or delays training by more than `timeout`
    each epoch: what went wrong is noted in `failures`, and after `patience` failures in a row nothing more is
    sent.

    Parameters
    ----------
    url : str
        An address that begins with ``http://`` or ``https://``.
    timeout : float, default 1
        Seconds to wait for the answer.
    patience : int, default 3
        Failures in a row after which to give up.

    Attributes
    ----------
    failures : list of str
        What went wrong, one sentence each.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    ``keras.callbacks.RemoteMonitor`` sends a form field "data" with JSON in it, unless send_as_json=True, as
    here.

    Examples
    --------
    >>> RemoteMonitor("http://localhost:9000/publish/epoch/end/").failures
    []
    """

    def __init__(self, url, timeout=1.0, patience=3):
        web = isinstance(url, str) and url.startswith(("http://", "https://"))
        require(web, "url", url, "an address of the web", "Write http://localhost:9000/.")
        remedy = "Give a few seconds at most."
        self.url, self.failures, self._failed = url, [], 0
        self.timeout = number_in("timeout", timeout, 0, math.inf, remedy, open_low=True, open_high=True)
        self.patience = whole_number("patience", patience, 1, "Count failures.")

    def on_train_begin(self, run):
        """Start anew."""
        self.failures, self._failed = [], 0

    def on_epoch_end(self, run):
        """Send the record, in a thread: a server can be slow in ways that no timeout of a socket sees."""
        if self._failed >= self.patience:
            return
        record = {name: value if math.isfinite(value) else None for name, value in run.record.items()}
        answer = [f"no answer in {self.timeout:g} s"]
        thread = threading.Thread(target=self._send, args=(json.dumps(record).encode(), answer), daemon=True)
        try:
            thread.start()
            thread.join(self.timeout)
        except RuntimeError as error:  # Python in a browser has no threads
            answer[0] = str(error)
        self._failed = self._failed + 1 if answer[0] else 0
        if answer[0]:
            self.failures.append(f"epoch {run.epoch}: {answer[0]}")

    def _send(self, content, answer):
        head = {"Content-Type": "application/json"}
        try:
            request = urllib.request.Request(self.url, content, head, method="POST")
            with urllib.request.urlopen(request, timeout=self.timeout):
                answer[0] = ""
        except Exception as error:  # whatever it is, training goes on
            answer[0] = str(error) or type(error).__name__


class TensorBoard(Callback):
    """Write the record of each epoch as TensorBoard reads it: ``tensorboard --logdir FOLDER``.

    Parameters
    ----------
    folder : path-like
        It is made if it is not there. Each run writes a file of its own in it.

    Attributes
    ----------
    path : Path
        The file of this run.

    Notes
    -----
    The format: a file of records, each a length, a checksum of it, the content, a checksum of that; the
    content is an Event in the format of protocol buffers. Scalars only. TensorBoard itself is not needed to
    write them; to look at them, install the package tensorboard. A resumed run tells it to forget what an
    earlier file has of the epochs that follow.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     board = TensorBoard(folder)
    """

    def __init__(self, folder):
        self.folder, self.path = Path(folder), None

    def on_train_begin(self, run):
        """Begin a file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010}.{socket.gethostname()}.{os.getpid()}"
        number = 0
        while (path := self.folder / f"{name}.{number}").exists():
            number += 1
        self.path = path
        self._append(_text(3, b"brain.Event:2"))
        if run.epoch:  # a session starts here: what older files have from this step on is void
            self._append(_whole(2, run.epoch + 1) + _text(7, _whole(1, 1)))

    def on_epoch_end(self, run):
        """Append the entries of the record."""
        entries = [(name, value) for name, value in run.record.items() if name != "epoch"]
        values = [_text(1, _text(1, name.encode()) + _float(2, value)) for name, value in entries]
        self._append(_whole(2, run.epoch) + _text(5, b"".join(values)))

    def _append(self, event):
        event = _double(1, time.time()) + event
        length = struct.pack("<Q", len(event))
        with open(self.path, "ab") as file:
            file.write(length + _masked(length) + event + _masked(event))


def _whole(field, value):
    return bytes([field << 3]) + _varint(value)


def _double(field, value):
    return bytes([field << 3 | 1]) + struct.pack("<d", value)


def _text(field, value):
    return bytes([field << 3 | 2]) + _varint(len(value)) + value


def _float(field, value):
    try:
        return bytes([field << 3 | 5]) + struct.pack("<f", value)
    except OverflowError:  # beyond 3.4e38
        return _float(field, math.copysign(math.inf, value))


def _varint(value):
    """Return a whole number, seven bits a byte, the lowest first; the top bit says that more follow."""
    more = b""
    while value > 127:
        more += bytes([value & 127 | 128])
        value >>= 7
    return more + bytes([value])


def _masked(content):
    """Return the checksum as the format wants it: rotated by 15 bits, plus a constant."""
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def crc32c(content):
    """Return the CRC-32C (Castagnoli) of bytes, a whole number below 2³².

    Parameters
    ----------
    content : bytes

    Returns
    -------
    int

    References
    ----------
    G. Castagnoli, S. Bräuer and M. Herrmann, "Optimization of cyclic redundancy-check codes with 24 and 32
    parity bits", IEEE Transactions on Communications 41 (1993).

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
