"""A JupyterHub on this machine, with a home for each learner, and a meter of what the learners use."""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from lab import SETTINGS, free_port

ROOT = Path(__file__).resolve().parents[1]
PROXY = "configurable-http-proxy"
PROXY_VERSION = "5.3.0"
EVERY = 5  # seconds between two looks at the memory

# Kernels talk over sockets in the file system: of twenty that started in the same second and drew their ports
# by lot, one found its port taken and died.
CONFIG = """
c.JupyterHub.bind_url = "{base}"
c.JupyterHub.hub_port = {hub}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = "{password}"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{homes}/{{username}}"
c.Spawner.cmd = ["{python}", "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root", "--log-level=WARN", "--KernelManager.transport=ipc"]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {{
    "OPENBLAS_NUM_THREADS": "1",
    # for sockets, whose paths must be short
    "JUPYTER_RUNTIME_DIR": lambda spawner: f"{homes}/{{spawner.user.name}}/run",
}}
c.Spawner.start_timeout = c.Spawner.http_timeout = 300
"""


def programs():
    """Return where to look for programs: Node.js may lie beside this Python."""
    return os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])


def proxy():
    """Return the path of the hub's proxy, which npm installs once."""
    folder = ROOT / ".cache" / "classroom" / PROXY_VERSION
    program = folder / "node_modules" / ".bin" / PROXY
    if not program.exists():
        npm = shutil.which("npm", path=programs())
        if npm is None:
            raise SystemExit("course: npm is missing, for the hub's proxy: install Node.js.")
        folder.mkdir(parents=True, exist_ok=True)
        install = [npm, "install", "--silent", "--prefix", folder, f"{PROXY}@{PROXY_VERSION}"]
        if subprocess.run(install, env=os.environ | {"PATH": programs()}).returncode:
            raise SystemExit(f"course: npm does not get {PROXY}: check the network, then call again.")
    return program


class Hub:
    """A JupyterHub on this machine, for the length of a with block."""

    def __init__(self, folder, names, notebook):
        self.folder, self.password = Path(folder), secrets.token_hex(16)
        port, hub, api = free_port(), free_port(), free_port()
        self.base = f"http://127.0.0.1:{port}"
        homes = self.folder / "home"
        values = {"base": self.base, "hub": hub, "api": api, "proxy": proxy(), "homes": homes}
        values |= {"python": sys.executable, "password": self.password}
        (self.folder / "config.py").write_text(CONFIG.format(**values))
        for name in names:
            prepare(homes / name, notebook)

    def __enter__(self):
        command = [sys.executable, "-m", "jupyterhub", "--config=config.py", "--log-level=WARN"]
        self.log = open(self.folder / "hub.log", "wb")
        env = os.environ | {"PATH": programs()}
        self.process = psutil.Popen(command, cwd=self.folder, env=env, stdout=self.log, stderr=self.log)
        for _ in range(600):  # half a second each
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.base}/hub/health", timeout=2):
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.5)
        self.__exit__()
        raise RuntimeError(f"JupyterHub did not start:\n{self.said()}")

    def __exit__(self, *error):
        family = []
        with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            family = [self.process, *self.process.children(recursive=True)]
            self.process.terminate()  # it stops its servers
            self.process.wait(30)
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(family, 10)
        self.log.close()

    def said(self):
        """Return the end of the hub's log."""
        return (self.folder / "hub.log").read_text("utf-8", "replace")[-3000:]

    def processes(self):
        """Return the processes of each learner, by name; those of the hub and its proxy by ''."""
        family = defaultdict(list)
        family[""].append(self.process)
        for process in self.process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                family[process.environ().get("JUPYTERHUB_USER", "")].append(process)
        return family


def prepare(home, notebook):
    """Make the home of a learner: what nbgitpuller would put there, and settings for a quiet JupyterLab."""
    home.mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / notebook, home)
    shutil.copytree(ROOT / "notebooks" / "data", home / "data")
    for plugin, settings in SETTINGS.items():
        file = home / ".jupyter/lab/user-settings" / (plugin.replace(":", "/") + ".jupyterlab-settings")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))


class Meter(threading.Thread):
    """Looks at everybody's memory again and again, and at the processor's time when asked."""

    KINDS = "pss", "uss", "rss"

    def __init__(self, hub):
        super().__init__(daemon=True)
        self.hub, self.over = hub, threading.Event()
        self.memory = defaultdict(list)  # name -> what was used at each look, in megabytes by kind

    def run(self):
        """Look until it is over."""
        while not self.over.wait(EVERY):
            self.look()

    def look(self):
        """Note what everybody's processes use now."""
        for name, processes in self.hub.processes().items():
            total = dict.fromkeys(self.KINDS, 0)
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    used = process.memory_full_info()
                    total = {kind: total[kind] + getattr(used, kind) / 1e6 for kind in total}
            self.memory[name].append(total)

    def stop(self):
        """Look a last time; return all that was seen, by name."""
        self.over.set()
        self.join()
        self.look()
        return self.memory

    def seconds(self):
        """Return the seconds of processor time that each learner has used up to now, by name."""
        used = {}
        for name, processes in self.hub.processes().items():
            used[name] = 0.0
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    used[name] += sum(process.cpu_times()[:4])  # that of ended children too
        return used
