"""JupyterLite for the course: every notebook runs in the reader's browser, without a server (see site.py).

Python itself, Pyodide, comes from a local folder, which is copied into the site, or from an address. The
course and all that Pyodide lacks come as wheels, which are added to Pyodide's own list of packages: so
``import course_lib`` works in every kernel, and no package index is ever asked.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from email.parser import HeaderParser
from importlib.metadata import version
from pathlib import Path

import nbformat
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from tools.environment import ROOT, CourseError
from tools.notebooks import FOLDER

WHEELS = ROOT / ".cache" / "wheels"
EPOCH = "1767225600"  # the date of every file: twice the same bytes, whenever the site is built
KERNEL = "@jupyterlite/pyodide-kernel-extension"
EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", KERNEL, "anywidget", "jupyterlab_pygments"]
CORE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"]
PACKAGES = ["comm", "course-lib", "ipykernel", "ipython", "jedi", "micropip", "piplite", "pyodide-kernel"]
UNUSED = {"joblib", "pooch", "jupyterlab-widgets"}  # a browser fetches no data sets and has one process
BROWSER = {  # what is true of Python in a browser, for requirements that depend on it
    "extra": "",
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "wasm32",
    "platform_python_implementation": "CPython",
    "platform_system": "Emscripten",
    "sys_platform": "emscripten",
}


def notebooks():
    """Return the paths of all notebooks, in order."""
    return sorted(FOLDER.glob("[!.]*.ipynb"))


def write_lite(folder, scratch, pyodide):
    """Let JupyterLite make its pages in `folder`, with all notebooks, their data, and a Python."""
    lite, share = scratch / "lite", Path(sys.prefix, "share", "jupyter", "labextensions")
    shutil.copytree(FOLDER / "data", lite / "files" / "data")
    for path in notebooks():
        notebook = nbformat.read(path, as_version=4)
        notebook.metadata["kernelspec"] = {"name": "python", "display_name": "Python (Pyodide)"}
        nbformat.write(notebook, lite / "files" / path.name)
    config = {
        "apps": ["lab"],
        "federated_extensions": [str(share / name) for name in EXTENSIONS],  # not all that is installed
        "ignore_sys_prefix": ["federated_extensions"],
        "no_libarchive": True,
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        "output_dir": str(folder),
    }
    write_json(lite / "jupyter_lite_config.json", {"LiteBuildConfig": config})
    run([sys.executable, "-m", "jupyterlite_core", "build"], cwd=lite)
    write_python(folder, scratch, pyodide)


def write_python(folder, scratch, pyodide):
    """Write Pyodide, if it is a folder, the wheels that it lacks, the list of both, and where all that is."""
    local, place = "://" not in pyodide, pyodide.rstrip("/")
    lock = read_lock(place)
    theirs, ours = lock["packages"], own_wheels(folder, scratch, lock)
    if local:
        needed = closure(theirs | ours) - set(ours)
        theirs = {name: entry for name, entry in theirs.items() if name in needed}
        copy_pyodide(Path(pyodide), [entry["file_name"] for entry in theirs.values()], folder / "pyodide")
    base = "../pyodide/" if local else f"{place}/"
    theirs = {name: entry | {"file_name": base + entry["file_name"]} for name, entry in theirs.items()}
    write_json(folder / "wheels" / "pyodide-lock.json", lock | {"packages": theirs | ours})
    settings = {
        "pyodideUrl": "./pyodide/pyodide.mjs" if local else f"{place}/pyodide.mjs",
        "disablePyPIFallback": local,
        "loadPyodideOptions": {"lockFileURL": "./wheels/pyodide-lock.json", "packages": PACKAGES},
    }
    config = json.loads((folder / "jupyter-lite.json").read_text("utf-8"))
    config["jupyter-config-data"]["litePluginSettings"] = {f"{KERNEL}:kernel": settings}
    write_json(folder / "jupyter-lite.json", config)


def read_lock(place):
    """Return Pyodide's own list of packages."""
    try:
        if "://" in place:
            with urllib.request.urlopen(f"{place}/pyodide-lock.json", timeout=30) as answer:
                return json.load(answer)
        return json.loads(Path(place, "pyodide-lock.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(
            f"PYODIDE={place}: no pyodide-lock.json can be read there ({error}): name the folder or the "
            "address of a Pyodide distribution, or check the network."
        ) from None


def copy_pyodide(source, files, target):
    """Copy what the course needs of a Pyodide distribution."""
    target.mkdir()
    for name in CORE + files:
        if not (source / name).is_file():
            raise CourseError(f"PYODIDE={source}: {name} is missing: take a full distribution of Pyodide.")
        shutil.copyfile(source / name, target / name)


def closure(packages):
    """Return the names of all packages that a kernel loads at its start."""
    reached, waiting = set(), list(PACKAGES)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += map(canonicalize_name, packages[name]["depends"])
    return reached


def own_wheels(folder, scratch, lock):
    """Put the course and the kernel, with all they need that Pyodide lacks, into ``wheels``; list them."""
    kernels = (folder / "extensions" / KERNEL / "static" / "pypi").glob("*.whl")
    waiting = [build_wheel(scratch), *sorted(kernels, key=lambda path: parse_wheel_filename(path.name)[:2])]
    entries, known = {}, {parse_wheel_filename(path.name)[0] for path in waiting} | UNUSED
    (folder / "wheels").mkdir()
    while waiting:
        path = waiting.pop(0)
        entry, needed = describe(path, lock["info"]["python"])
        former = entries.get(entry["name"])
        if former:  # the kernel brings two versions of one: the newer stays
            (folder / "wheels" / former["file_name"]).unlink()
        entries[entry["name"]] = entry
        shutil.copyfile(path, folder / "wheels" / path.name)
        for requirement in needed:
            name = canonicalize_name(requirement.name)
            has = lock["packages"].get(name)
            if name not in known and not (has and requirement.specifier.contains(has["version"], True)):
                known.add(name)
                waiting.append(download(name))
    return entries


def describe(path, python):
    """Return a wheel's entry in Pyodide's list of packages, and the requirements that hold in a browser."""
    name, number, _, _ = parse_wheel_filename(path.name)
    with zipfile.ZipFile(path) as wheel:
        parts = [file.split("/") for file in wheel.namelist()]
        (about,) = (top for top, *inner in parts if top.endswith(".dist-info") and inner == ["METADATA"])
        metadata = HeaderParser().parsestr(wheel.read(f"{about}/METADATA").decode("utf-8"))
    where = BROWSER | {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    wanted = map(Requirement, metadata.get_all("Requires-Dist", []))
    wanted = [one for one in wanted if one.marker is None or one.marker.evaluate(where)]
    entry = {
        "depends": sorted({canonicalize_name(one.name) for one in wanted} - UNUSED),
        "file_name": path.name,
        "imports": sorted({top.removesuffix(".py") for top, *_ in parts} - {about, f"{about[:-10]}.data"}),
        "install_dir": "site",
        "name": name,
        "package_type": "package",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "unvendored_tests": False,
        "version": str(number),
    }
    return entry, wanted


def build_wheel(scratch):
    """Return a wheel of the course, built from a copy: twice the same bytes."""
    copy, litter = scratch / "wheel", shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(ROOT / "course_lib", copy / "course_lib", ignore=litter)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, copy / name)
    for path in copy.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    build = "import os; os.umask(0o022); from setuptools.build_meta import build_wheel; build_wheel('.')"
    run([sys.executable, "-c", build], cwd=copy)
    (wheel,) = copy.glob("*.whl")
    return wheel


def download(name):
    """Return the wheel of a package in the version that is installed here, fetched once."""
    number = version(name)
    place = WHEELS / f"{name}-{number}"
    if not place.is_dir():
        part = place.with_name(f"{place.name}.{os.getpid()}.part")
        pure = ["--platform", "any", "--implementation", "py", "--abi", "none", "--only-binary=:all:"]
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "-q", *pure]
        run([*command, "-d", part, f"{name}=={number}"])
        part.rename(place)
    (wheel,) = place.glob("*.whl")
    return wheel


def run(command, cwd=ROOT, **variables):
    """Run a command; if it fails, raise CourseError with the last of what it wrote."""
    variables |= {"SOURCE_DATE_EPOCH": EPOCH, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
    command = [str(part) for part in command]
    environment = os.environ | variables
    done = subprocess.run(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        said = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
        last = " | ".join([line.strip() for line in said if line.strip()][-9:])
        raise CourseError(f"{' '.join(command[1:5])} failed: {last or 'it gave no reason'}")


def write_json(path, content):
    """Write JSON in one stable form."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
