"""Whoever installs the course, by make, conda or Binder, gets the same thing; the pages say what is there."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler import MatchSpec

import course_lib
from tools import commands

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
CONSTRAINTS = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
PYPI_NAMES = {"matplotlib-base": "matplotlib"}  # where conda-forge calls it otherwise
UNPINNED = {"pip", "jupyterlab"}  # Binder brings both: a pin would make it solve again
FOR_CLASSES = {"nbgitpuller"}  # no notebook needs it: it brings them into a learner's folder


def pins():
    """Return constraints.txt: canonical name -> version."""
    lines = [line for line in CONSTRAINTS if line and not line.startswith("#")]
    return {canonicalize_name(line.split("==")[0]): Version(line.split("==")[1]) for line in lines}


def conda():
    """Return environment.yml: name on PyPI -> range of versions."""
    found = {}
    for dependency in ENVIRONMENT["dependencies"]:
        spec = MatchSpec(dependency, strict=True)
        name = spec.name.normalized
        found[PYPI_NAMES.get(name, name)] = spec.version or ""
    return found


def lowest(specifiers):
    """Return the lower bound of a range."""
    return {Version(s.version) for s in SpecifierSet(str(specifiers)) if s.operator == ">="}


def requirements(*extras):
    """Return what the course requires on this system, directly."""
    texts = PROJECT["dependencies"] + [r for e in extras for r in PROJECT["optional-dependencies"][e]]
    texts = [text for text in texts if not text.startswith(PROJECT["name"])]  # an extra that names another
    return [r for r in map(Requirement, texts) if r.marker is None or r.marker.evaluate()]


# --- the three lists of dependencies agree ---------------------------------------------------------------


@pytest.mark.parametrize("dependency", ENVIRONMENT["dependencies"])
def test_dependency_of_conda_is_well_formed(dependency):
    spec = MatchSpec(dependency, strict=True)
    name, version = spec.name.normalized, spec.version
    if name == "python":
        assert re.fullmatch(r"3\.\d+\.\*", version), "python is pinned to a minor version"
    elif name in UNPINNED:
        assert version is None
    else:
        assert re.fullmatch(r">=[\d.]+,<\d+", version), "a lower bound and a loose upper bound"


def test_environment_lists_the_direct_dependencies_only():
    direct = {canonicalize_name(requirement.name) for requirement in requirements()}
    assert set(conda()) - UNPINNED - FOR_CLASSES - {"python"} == direct
    assert "jupyterlab" in conda()
    assert "pip" in conda()


def test_lower_bounds_agree():
    for requirement in requirements():
        name = canonicalize_name(requirement.name)
        assert lowest(conda()[name]) == lowest(requirement.specifier), name


def test_environment_installs_nothing_by_pip():
    assert all(isinstance(dependency, str) for dependency in ENVIRONMENT["dependencies"])
    assert ENVIRONMENT["channels"] == ["conda-forge"]


def test_pinned_versions_lie_in_both_ranges():
    for name, version in pins().items():
        assert version in SpecifierSet(conda().get(name, "")), name
    build = list(map(Requirement, PYPROJECT["build-system"]["requires"]))
    for requirement in requirements("lab", "test", "site", "lecture", "hub") + build:
        assert pins()[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_every_package_that_make_installs_is_pinned():
    reached, waiting = set(), requirements("lab", "test", "site")
    while waiting:
        requirement = waiting.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in reached:
            continue
        reached.add(key)
        try:
            listed = requires(requirement.name) or []
        except PackageNotFoundError:
            continue
        for text in listed:
            one = Requirement(text)
            environments = [{"extra": extra} for extra in ("", *requirement.extras)]
            if one.marker is None or any(map(one.marker.evaluate, environments)):
                waiting.append(one)
    assert {name for name, _ in reached} - set(pins()) <= {"pip"}


def test_constraints_are_exact_sorted_and_without_an_address():
    lines = [line for line in CONSTRAINTS if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.!+]+", line) for line in lines)
    assert "course-lib" not in pins()
    assert len(pins()) == len(lines)


def test_no_file_names_a_package_index():
    for name in ("constraints.txt", "environment.yml", "pyproject.toml", "Makefile", ".ci/run", "postBuild"):
        assert not re.search(r"https?://|index-url|find-links", (ROOT / name).read_text("utf-8")), name
    for path in (ROOT / "tools").glob("*.py"):
        assert "http" not in path.read_text("utf-8").replace("HTTPS_PROXY", ""), path


def test_oldest_python_is_the_same_everywhere():
    oldest = PROJECT["requires-python"].removeprefix(">=")
    course = (ROOT / "tools/course.py").read_text("utf-8")
    assert f"sys.version_info < ({oldest.replace('.', ', ')})" in course
    assert f"Python {oldest} or newer" in course
    assert f"Python {oldest} or newer" in (ROOT / "README.md").read_text("utf-8")
    assert PYPROJECT["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    assert Version(conda()["python"].removesuffix(".*")) >= Version(oldest)


# --- Binder ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def binder(tmp_path_factory):
    """Let repo2docker itself write the Dockerfile that Binder would build from; no engine is needed."""
    folder = tmp_path_factory.mktemp("binder")
    for name in ("environment.yml", "postBuild", "pyproject.toml", "README.md"):
        shutil.copy2(ROOT / name, folder / name)
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=120)


def test_binder_makes_the_environment_before_it_copies_the_course(binder):
    """So the image of the environment is cached until environment.yml itself changes."""
    steps = [
        "COPY --chown=0:0 src/environment.yml ${REPO_DIR}/environment.yml",
        'env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"',
        "COPY --chown=0:0 src/ ${REPO_DIR}/",
        "RUN ./postBuild",
    ]
    places = [binder.stdout.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)


def test_binder_takes_the_python_of_the_environment(binder):
    minor = conda()["python"].removesuffix(".*")
    assert f"Building conda environment for python={minor}\n" in binder.stderr


def test_post_build_adds_only_the_course():
    lines = (ROOT / "postBuild").read_text("utf-8").splitlines()
    assert lines[0] == "#!/bin/bash"
    assert [line for line in lines if not line.startswith("#")] == ["set -eu", "pip install --no-deps -e ."]
    assert os.name == "nt" or os.access(ROOT / "postBuild", os.X_OK)


# --- the pages ---------------------------------------------------------------------------------------------


def test_every_command_is_a_target_and_every_target_a_command():
    targets = re.search(r"^TARGETS = (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)[1].split()
    assert sorted(targets) == sorted(commands.COMMANDS)
    assert targets[0] == "help"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_pages_name_only_commands_that_exist(page):
    text = (ROOT / page).read_text("utf-8")
    for words in re.findall(r"`make ([^`]*)`", text) + re.findall(r"tools/course\.py ([^`]*)`", text):
        for word in words.split():
            name, _, value = word.partition("=")
            known = commands.OPTIONS.get(words.split()[0], []) if value else commands.COMMANDS
            assert name in known, words


def test_ci_runs_the_readmes_test_command_first():
    script = (ROOT / ".ci/run").read_text("utf-8")
    (targets,) = re.findall(r"^for target in (.*); do$", script, re.MULTILINE)
    assert targets.split()[0] == "test"
    assert {"test", "browser", "processors"} <= set(targets.split())
    assert "`make test`" in (ROOT / "README.md").read_text("utf-8")
    assert "export CI=true" in script
    assert os.name == "nt" or os.access(ROOT / ".ci/run", os.X_OK)


def test_readme_links_the_published_address_or_says_that_it_is_to_come():
    head = (ROOT / "README.md").read_text("utf-8").split("\n## ")[0]
    visible = re.sub("<!--.*?-->", "", head, flags=re.DOTALL)
    owner, _, name = PYPROJECT["tool"]["course"]["repository"].partition("/")
    if name:
        assert f"(https://{owner}.github.io/{name}/)" in visible
        assert f"(https://mybinder.org/v2/gh/{owner}/{name}/" in visible
    else:
        assert "Binder: to come" in visible
        assert "browser version: to come" in visible


def test_licences_and_citation():
    text = (ROOT / "LICENSE").read_text("utf-8")
    for words in ("BSD 3-Clause License", "Redistribution and use", "Attribution 4.0 International"):
        assert words in text
    assert "https://creativecommons.org/licenses/by/4.0/legalcode" in text
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors", "license"} <= set(citation)
    assert set(citation["license"]) == set(PROJECT["license"].split(" AND "))
    assert str(citation["version"]) == course_lib.__version__


def test_the_learners_copy_is_not_tracked():
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {"my_course/", ".venv/"} <= set(ignored)
