"""The one command runner of the course: ``python tools/course.py COMMAND [NAME=value ...]``.

Every target of the Makefile is a call of this file, which runs on every system and needs nothing but Python.
It only makes sure that this Python is new enough; an old one must be able to read it, to be told so.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "course: Python {0}.{1} is too old: install Python 3.11 or newer (python.org, or your package "
        "manager), then name it: make lab PYTHON=python3.12".format(*sys.version_info[:2])
    )

from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])
from tools.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
