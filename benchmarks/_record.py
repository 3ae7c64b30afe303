"""What a benchmark stores in notebooks/data: command, versions, runs, and the machine by its kind only."""

import argparse
import json
import os
import platform
import re
from pathlib import Path

import numpy as np

from course_lib._whole import write_whole

DATA = Path(__file__).resolve().parents[1] / "notebooks" / "data"


def main(measure, description, target):
    """Print what `measure` reports; with ``--write``, store the record that it returns in `target`."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"store the result in {target.name}")
    arguments = parser.parse_args()
    result = measure()
    print(result["machine"])
    if arguments.write:
        write(result, target)


def record(what, command, **fields):
    """Return a record: what was measured, by which command, on which machine, and the fields."""
    return {"what": what, "command": command, "machine": machine(), **fields}


def machine():
    """Return the kind of this machine, and the versions of Python and NumPy."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def processor():
    """Return the processor's model name, or its architecture where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def rounded(values):
    """Return an array as a list of numbers with four significant digits, None where a run diverged."""
    return [float(f"{v:.4g}") if np.isfinite(v) else None for v in np.asarray(values)]


def write(result, target):
    """Store `result` in `target` in one go: an interrupted run leaves the old file whole."""
    text = json.dumps(result, indent=1)
    text = re.sub(r"\[[^]]*\]", lambda found: " ".join(found[0].split()), text)  # a list a line
    write_whole(target, (text + "\n").encode())
