"""The course's site for tests: built with a Pyodide from a wheel of PyPI, and served; the decks of slides."""

import contextlib
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile

import nbformat
import pytest

from tools import slides
from tools.environment import ROOT

WHEEL, INSIDE = "open-webui==0.12.4", "open_webui/frontend/pyodide/"
CACHE = ROOT / ".cache" / WHEEL.replace("==", "-")


def once(folder, make):
    """Let the first process that asks make a folder, and all others wait for it; return the folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    claim, failed = folder.with_name(folder.name + ".claimed"), folder.with_name(folder.name + ".failed")
    try:
        os.close(os.open(claim, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        while not folder.exists():
            if failed.exists():
                pytest.fail(f"another worker could not make {folder.name}")
            time.sleep(0.5)
        return folder
    try:
        make(folder)
    except BaseException:
        failed.touch()
        raise
    return folder


def build(folder):
    """Build the site as `make site PYODIDE=folder` does."""
    from tools import site

    site.build(folder, pyodide())


def lectures():
    """Return the notebooks that have slides."""
    paths = sorted(slides.FOLDER.glob("[!.]*.ipynb"))
    return [path for path in paths if slides.slides(nbformat.read(path, as_version=4))]


def pyodide():
    """Return a folder with a Pyodide that holds NumPy and Matplotlib, fetched once."""
    folder = CACHE / INSIDE
    if not (folder / "pyodide-lock.json").exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "-q", "-d", CACHE]
        command += ["--python-version", "3.12", "--only-binary=:all:", WHEEL]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip() or "no reason given").splitlines()[-1]
            pytest.skip(f"{WHEEL}, whose Pyodide this test takes, cannot be fetched: {last}")
        (wheel,) = CACHE.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.startswith(INSIDE)]
            lock = INSIDE + "pyodide-lock.json"
            archive.extractall(CACHE, [name for name in names if name != lock])
            clean(json.loads(archive.read(lock)), folder)
        wheel.unlink()
    return str(folder)


def clean(lock, folder):
    """Write the list of packages without those whose file is not there."""
    packages = lock["packages"].items()
    lock["packages"] = {name: entry for name, entry in packages if (folder / entry["file_name"]).exists()}
    part = folder / "pyodide-lock.part"
    part.write_text(json.dumps(lock), "utf-8")
    part.replace(folder / "pyodide-lock.json")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files that knows what browsers ask for, and says nothing."""

    protocol_version = "HTTP/1.1"
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *arguments):
        """Say nothing."""


@contextlib.contextmanager
def served(folder):
    """Serve a folder for the length of a with block; yield the address."""
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
