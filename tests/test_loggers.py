"""What tells others how a run goes: against a real server, and by reading the files again."""

import csv
import http.server
import json
import math
import socket
import struct
import threading
import time

import numpy as np
import pytest

from course_lib import loggers
from course_lib._run import Callback
from course_lib.callbacks import CSVLogger, LambdaCallback, ModelCheckpoint, RemoteMonitor, TensorBoard
from course_lib.loggers import crc32c
from course_lib.networks import MLP
from course_lib.optimizers import Adam
from course_lib.training import fit

X = np.random.default_rng(7).normal(size=(12, 3))
Y = np.arange(12) % 2


def run(*watching, epochs=4, **options):
    net, rng = MLP([3, 5, 2], rng=np.random.default_rng(0)), np.random.default_rng(1)
    options = {"validation": (X, Y)} | options
    return fit(net, (X, Y), Adam(0.1), epochs=epochs, batch_size=4, rng=rng, callbacks=watching, **options)


class Told(Callback):
    def __init__(self, values):
        self.values = values

    def on_epoch_end(self, run):
        run.record["val_loss"] = self.values[run.epoch - 1]


# --- the CSV file ----------------------------------------------------------------------------------------


def test_csv_file_holds_the_records(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("of an earlier run\n")
    seen = []
    watch = LambdaCallback(on_epoch_end=lambda run: seen.append(len(path.read_text().splitlines())))
    history = run(CSVLogger(path), watch)
    with open(path, newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert rows == history.epochs
    assert seen == [2, 3, 4, 5]


def test_csv_file_of_a_resumed_run_goes_on_behind_the_checkpoint(tmp_path):
    path, kept = tmp_path / "log.csv", tmp_path / "run.npz"
    run(CSVLogger(path), ModelCheckpoint(kept, every=2), epochs=3)
    history = run(CSVLogger(path), ModelCheckpoint(kept, every=2), epochs=4, resume=kept)
    with open(path, newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert rows == history.epochs
    assert len(rows) == 4


# --- the server ------------------------------------------------------------------------------------------


@pytest.fixture
def server(monkeypatch):
    """A real server, with what it got in `got`, and what it answers in `answer` and `pause`."""
    monkeypatch.setenv("no_proxy", "*")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            web.got.append((self.path, self.headers["Content-Type"], content))
            time.sleep(web.pause)
            self.send_response(web.answer)
            self.end_headers()

        def log_message(self, *words):
            pass

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.got, web.answer, web.pause = [], 200, 0
    thread = threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    web.url = f"http://127.0.0.1:{web.server_port}/publish"
    yield web
    web.shutdown()
    web.server_close()
    thread.join()


def test_server_gets_each_record(server):
    monitor = RemoteMonitor(server.url, timeout=10)
    history = run(monitor)
    assert [json.loads(content) for _, _, content in server.got] == history.epochs
    assert {(path, kind) for path, kind, _ in server.got} == {("/publish", "application/json")}
    assert monitor.failures == []


def test_what_json_cannot_hold_is_null(server):
    run(Told([math.nan, math.inf, 1.5]), RemoteMonitor(server.url, timeout=10), epochs=3)
    values = [json.loads(content)["val_loss"] for _, _, content in server.got]
    assert values == [None, None, 1.5]
    assert not any(word in content for _, _, content in server.got for word in (b"NaN", b"Infinity"))


def closed_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def test_dead_server_does_not_stop_training(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monitor = RemoteMonitor(f"http://127.0.0.1:{closed_port()}/", timeout=10)
    for _ in range(2):
        assert len(run(monitor, epochs=6).epochs) == 6
        assert len(monitor.failures) == 3  # then it gave up
        assert monitor.failures[0].startswith("epoch 1: ")
        assert "refused" in monitor.failures[0]


def test_server_that_answers_with_an_error(server):
    server.answer = 500
    monitor = RemoteMonitor(server.url, timeout=10, patience=2)
    assert len(run(monitor).epochs) == 4
    assert len(server.got) == 2
    assert monitor.failures[1] == "epoch 2: HTTP Error 500: Internal Server Error"


def test_where_there_are_no_threads_training_goes_on(server, monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monitor = RemoteMonitor(server.url, timeout=10, patience=2)
    with monkeypatch.context() as patch:
        patch.setattr("threading.Thread.start", start)
        run(monitor, epochs=3)
    assert monitor.failures == [f"epoch {epoch}: can't start new thread" for epoch in (1, 2)]


def test_a_success_forgives_the_failures_before(server):
    server.answer = 500

    def heal(run):
        server.answer = 200 if run.epoch % 2 else 500

    monitor = RemoteMonitor(server.url, timeout=10, patience=2)
    run(LambdaCallback(on_epoch_begin=heal), monitor, epochs=6)
    assert len(server.got) == 6
    assert [words.split(":")[0] for words in monitor.failures] == ["epoch 1", "epoch 3", "epoch 5"]


def test_silent_server_delays_by_the_timeout_only(server):
    server.pause = 1.5
    monitor = RemoteMonitor(server.url, timeout=0.05, patience=1)
    begin = time.monotonic()
    assert len(run(monitor, epochs=3).epochs) == 3
    assert time.monotonic() - begin < 1.4
    assert monitor.failures == ["epoch 1: no answer in 0.05 s"] or "timed out" in monitor.failures[0]


def test_server_that_hangs_up(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up():
            listening.accept()[0].close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        monitor = RemoteMonitor(f"http://127.0.0.1:{listening.getsockname()[1]}/", timeout=10, patience=1)
        assert len(run(monitor).epochs) == 4
        thread.join()
    assert len(monitor.failures) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "file:///etc/passwd"}, r"url = 'file:///etc/passwd': must be an address of the web"),
        ({"url": 3}, "url = 3"),
        ({"timeout": 0}, "timeout = 0"),
        ({"timeout": math.inf}, "timeout = inf"),
        ({"patience": 0}, "patience = 0"),
    ],
)
def test_bad_arguments_are_explained(options, message):
    with pytest.raises(ValueError, match=message):
        RemoteMonitor(**{"url": "http://localhost/"} | options)


# --- TensorBoard -----------------------------------------------------------------------------------------


def varint(content, at):
    value = shift = 0
    while True:
        byte = content[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


def fields(content):
    """Return (number, value) of each field of a message of protocol buffers."""
    at, found = 0, []
    while at < len(content):
        key, at = varint(content, at)
        if key & 7 == 0:
            value, at = varint(content, at)
        else:
            size, at = varint(content, at) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], at)
            value, at = content[at : at + size], at + size
        found.append((key >> 3, value))
    return found


def masked(content):
    crc = crc32c(content)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def events(path):
    """Return the events of a file as dicts field -> value, its checksums checked."""
    content, at, found = path.read_bytes(), 0, []
    while at < len(content):
        size, check = struct.unpack("<QI", content[at : at + 12])
        assert check == masked(content[at : at + 8])
        event = content[at + 12 : at + 12 + size]
        assert struct.unpack("<I", content[at + 12 + size : at + 16 + size]) == (masked(event),)
        found.append(dict(fields(event)))
        at += 16 + size
    return found


def scalars(event):
    values = [dict(fields(value)) for _, value in fields(event[5])]
    return {value[1].decode(): struct.unpack("<f", value[2])[0] for value in values}


def test_event_file_holds_the_records(tmp_path):
    board = TensorBoard(tmp_path / "new" / "folder")
    begin = time.time()
    history = run(board, epochs=150)
    head, *rest = events(board.path)
    assert board.path.name.startswith("events.out.tfevents.")
    assert head[3] == b"brain.Event:2"
    assert [event[2] for event in rest] == list(range(1, 151))
    for event, record in zip(rest, history.epochs, strict=True):
        expected = {name: np.float32(value) for name, value in record.items() if name != "epoch"}
        assert scalars(event) == expected
        assert begin <= struct.unpack("<d", event[1])[0] <= time.time()


def test_each_run_has_a_file_of_its_own_and_a_resumed_one_says_where_it_starts(tmp_path):
    board, path = TensorBoard(tmp_path / "log"), tmp_path / "run.npz"
    run(board, ModelCheckpoint(path, every=2), epochs=3)
    first = board.path
    run(board, ModelCheckpoint(path, every=2), epochs=4, resume=path)
    assert board.path != first
    assert len(events(first)) == 4
    _, session, *rest = events(board.path)
    assert (session[2], fields(session[7])) == (3, [(1, 1)])
    assert [event[2] for event in rest] == [3, 4]


def test_numbers_beyond_float32_are_infinite(tmp_path):
    board = TensorBoard(tmp_path)
    run(Told([1e300, -1e300, math.nan]), board, epochs=3)
    values = [scalars(event)["val_loss"] for event in events(board.path)[1:]]
    assert values[:2] == [math.inf, -math.inf]
    assert math.isnan(values[2])


@pytest.mark.parametrize(
    ("content", "crc"),
    [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)],
)
def test_checksum_is_that_of_rfc_3720(content, crc):
    assert crc32c(content) == crc


def test_event_has_the_bytes_that_tensorboard_wrote():
    """Step 300, tag "loss", value 0.5: written once by the package tensorboard, without its clock."""
    value = loggers._text(1, loggers._text(1, b"loss") + loggers._float(2, 0.5))
    assert (loggers._whole(2, 300) + loggers._text(5, value)).hex() == GOLDEN


GOLDEN = "10ac022a0d0a0b0a046c6f7373150000003f"
