"""A release: the wheel is the same bytes wherever it is built, and works without the repository."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import course_lib

ROOT = Path(__file__).resolve().parents[1]
PIP = [sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check", "-q"]
EPOCH = "1800000000"  # some second of 2027

ELSEWHERE = """
import importlib, pkgutil, sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import course_lib

home = Path(course_lib.__file__).parent
assert home.parent == Path(sys.argv[1]), home
names = [module.name for module in pkgutil.walk_packages([home], "course_lib.")]
for name in names:
    assert Path(importlib.import_module(name).__file__).is_relative_to(home), name
print(*sorted(names))

from course_lib import datasets, networks, optimizers, plots, training, widgets
from course_lib.exercises import nb00
from course_lib.race import race

digits = datasets.digits()
assert digits.X.shape == (1797, 64)
plots.use_style()
assert plt.rcParams["figure.figsize"] == [9, 4.5]

net = networks.MLP([64, 10], rng=np.random.default_rng(0))
before = net.loss(net.theta0, digits.X, digits.y)
rule, rng = optimizers.Adam(0.01), np.random.default_rng(1)
after = training.fit(net, digits, rule, epochs=1, batch_size=1797, rng=rng).theta
assert net.loss(after, digits.X, digits.y) < before

fig, ax = plt.subplots()
(line,) = ax.plot([], [])
move = lambda slope: line.set_data([0, 1], [0, slope])
view = widgets.live(fig, move, line, alt="A line through the origin.", slope=widgets.slider(0, 3, 1))
assert view._repr_mimebundle_()[0]["image/png"]
fig, ax = plt.subplots()
moving = race(fig, ax.plot([0, 1, 3]), alt="One goes up.", seconds=1)
assert "<script" in moving._repr_mimebundle_()[0]["text/html"]

print(nb00.check_downhill(lambda x, slope, lr: x - lr * slope))
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Build the wheel twice, from two copies with other dates; return both."""
    pytest.importorskip("setuptools", minversion="77")
    found = []
    for i in range(2):
        source = tmp_path_factory.mktemp("source")
        litter = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT / "course_lib", source / "course_lib", ignore=litter)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        for path in source.rglob("*"):
            os.utime(path, (1e9 + 60 * i, 1e9 + 60 * i))
        build = "from setuptools.build_meta import build_wheel; build_wheel('dist')"  # as pip would
        variables = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
        command = [sys.executable, "-c", build]
        subprocess.run(command, cwd=source, env=variables, check=True, capture_output=True)
        found += source.glob("dist/*.whl")
    return found


def files_of_the_library():
    """Return all files under course_lib, as a wheel names them."""
    paths = (path for path in (ROOT / "course_lib").rglob("*") if path.is_file())
    names = (path.relative_to(ROOT).as_posix() for path in paths)
    return {name for name in names if "__pycache__" not in name and "/." not in name}


def test_wheel_is_the_same_bytes_twice(wheels):
    one, other = wheels
    assert one.name == other.name
    assert one.name.startswith(f"course_lib-{course_lib.__version__}-py3-none-any")
    assert one.read_bytes() == other.read_bytes()


def test_wheel_holds_every_file_of_the_library_and_the_licences(wheels):
    with zipfile.ZipFile(wheels[0]) as wheel:
        names = wheel.namelist()
        (licence,) = (name for name in names if name.endswith("licenses/LICENSE"))
        assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
        assert b"licenses/by/4.0" in wheel.read("course_lib/data/README.md")
    assert {name for name in names if ".dist-info" not in name} == files_of_the_library()


def test_installed_from_a_folder_it_works_elsewhere(wheels, tmp_path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = ["--no-index", "--find-links", wheels[0].parent, "--no-deps", "--no-compile"]
    subprocess.run([*PIP, "install", *folder, "--target", site, "course_lib"], check=True, cwd=elsewhere)

    def python(*arguments):
        command = [sys.executable, "-W", "error", *map(str, arguments)]
        done = subprocess.run(
            command,
            cwd=elsewhere,
            env=os.environ | {"PYTHONPATH": str(site), "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    imported, verdict, *_ = python("-c", ELSEWHERE, site).splitlines()
    files = (name for name in files_of_the_library() if name.endswith(".py"))
    modules = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in files}
    assert set(imported.split()) == modules - {"course_lib"}
    assert verdict.endswith("passed")
    assert "--jobs" in python("-m", "course_lib.shootout", "--help")
    assert not any(elsewhere.iterdir())
