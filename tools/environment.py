"""Make the virtual environment ``.venv`` once, as constraints.txt says, and say plainly what is missing.

Only the standard library is needed: this runs before anything is installed.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = "course.json"  # in an environment: what it holds
CONSTRAINTS = ROOT / "constraints.txt"

REMEDIES = [  # what an installer wrote, and what to do about it
    ("No space left on device", "the disk is full: make room, then call again."),
    (
        "NewConnectionError|ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|name resolution"
        "|Could not fetch URL|dns error|error sending request|Failed to fetch|SSLError|CERTIFICATE_VERIFY",
        "no package index answers: check the network (behind a proxy set HTTPS_PROXY; an index of your own: "
        "PIP_INDEX_URL, for uv UV_DEFAULT_INDEX), then call again.",
    ),
    (
        "No matching distribution|no version of|No solution found",
        "the package index lacks a version that constraints.txt names: take Python 3.11, 3.12 or 3.13 "
        "(make PYTHON=python3.12), or another index.",
    ),
]


class CourseError(Exception):
    """Something is missing; the text is one line that names it and the remedy."""


def venv_python(folder):
    """Return the path of the Python in a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def pyproject():
    """Return what pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def fingerprint():
    """Return a text that changes whenever the environment must be made anew."""
    parts = [pyproject()["project"], pyproject()["build-system"], CONSTRAINTS.read_text("utf-8")]
    parts.append(sys.version_info[:2])
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def installed(folder):
    """Return the extras that the environment holds; None if it is missing, half-made or out of date."""
    try:
        stamp = json.loads((folder / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    fresh = stamp.get("fingerprint") == fingerprint() and venv_python(folder).exists()
    return stamp["extras"] if fresh else None


def environment(*extras, folder=None):
    """Return the Python of ``.venv``, or of `folder`; it is made first, or completed, where that is needed.

    The stamp is written last: what an interruption left half-made is thrown away by the next call.
    """
    folder = folder or VENV
    present = installed(folder)
    if present is None or not set(extras) <= set(present):
        wanted = sorted({*extras, *(present or [])})
        print(
            f"Preparing {folder.name} ({', '.join(wanted)}): once, it takes a minute or two ...", flush=True
        )
        (folder / STAMP).unlink(missing_ok=True)
        make(folder, f"{ROOT}[{','.join(wanted)}]", CONSTRAINTS, anew=present is None)
        quiet_jupyter(folder)
        (folder / STAMP).write_text(json.dumps({"fingerprint": fingerprint(), "extras": wanted}), "utf-8")
    return str(venv_python(folder))


def make(folder, course, constraints, anew=True):
    """Install the course, written ``PATH[extras]``, in a virtual environment: with uv, else venv and pip."""
    uv, python = shutil.which("uv"), str(venv_python(folder))
    pip = [python, "-m", "pip", "install", "--no-input", "--retries", "2"]
    ways = {"pip": ([sys.executable, "-m", "venv"], pip)}
    if uv:
        create = [uv, "venv", "--seed", "--no-project", "--python", sys.executable]
        ways = {"uv": (create, [uv, "pip", "install", "--python", python]), **ways}
    for way, (create, install) in ways.items():
        install = [*install, "--quiet", "--constraint", str(constraints)]
        steps = [  # without build isolation: the build tool too must have the version that is pinned
            [*install, *pyproject()["build-system"]["requires"]],
            [*install, "--no-build-isolation", "--editable", course],
        ]
        if anew:
            remove(folder)
            steps.insert(0, [*create, str(folder)])
        if anew and way == "pip":
            require_venv()
        said = next(filter(None, map(failure, steps)), None)
        if said is None:
            return
        if way == "uv":
            print(f"uv did not manage ({explanation(said)}) Trying pip ...", flush=True)
    raise CourseError(explanation(said))


def remove(folder):
    """Delete a virtual environment, and nothing else."""
    foreign = folder.is_dir() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists()
    if folder.is_symlink() or foreign:
        raise CourseError(f"{folder} is no virtual environment: move it away, then call again.")
    shutil.rmtree(folder, ignore_errors=True)


def require_venv():
    """Raise CourseError if this Python cannot make virtual environments."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        package = "python{}.{}-venv".format(*sys.version_info)
        raise CourseError(
            "this Python cannot make virtual environments (no venv or ensurepip): "
            f"install them (Debian, Ubuntu: sudo apt install {package}), or uv."
        ) from None


def failure(command):
    """Run a command; return None, or what it wrote if it failed."""
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return (done.stdout.decode("utf-8", "replace") or "no message") if done.returncode else None


def explanation(said):
    """Turn what an installer wrote into one line: what is missing, and the remedy."""
    for pattern, remedy in REMEDIES:
        if re.search(pattern, said):
            return remedy
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if re.match("(?i)error", line)]
    return f"the installation failed: {(errors or lines)[-1]}"


def quiet_jupyter(folder):
    """Keep JupyterLab from asking about news, and from looking for updates, when it opens."""
    settings = folder / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    overrides = {"@jupyterlab/apputils-extension:notification": quiet}
    (settings / "overrides.json").write_text(json.dumps(overrides), "utf-8")


def shut_out(scratch):
    """Return environment variables that keep the user's own files from changing the outputs of a kernel."""
    return {
        "COURSE_DATA": "",  # real data on this disk, which notebook 07 would train on
        "COURSE_PROGRESS": str(Path(scratch, "progress.json")),  # what the learner has passed
        "IPYTHONDIR": str(Path(scratch, "ipython")),  # start-up files
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # a warning of the debugger
    }
