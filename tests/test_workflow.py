"""The workflow: what it runs exists, what it may do is little, what it uses is pinned."""

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tools import commands

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / ".github/workflows/course.yml").read_text("utf-8")
WORKFLOW = yaml.safe_load(TEXT)
JOBS = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
USES = re.findall(r"uses: (.*)", TEXT)


@pytest.mark.parametrize("line", USES)
def test_each_action_is_pinned_by_its_commit_and_says_which_release_that_is(line):
    assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)


def test_no_line_that_uses_an_action_was_overlooked():
    assert len(USES) == sum("uses" in step for step in STEPS) > 4


def test_only_the_job_that_publishes_may_write():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    allowed = {name: job["permissions"] for name, job in JOBS.items() if "permissions" in job}
    assert allowed == {"publish": {"pages": "write", "id-token": "write"}}


def test_no_step_keeps_the_token_or_pastes_what_a_stranger_wrote_into_a_shell():
    checkouts = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)
    assert not [step for step in STEPS if "${{" in step.get("run", "")]
    assert "pull_request_target" not in TEXT
    assert "secrets." not in TEXT


def test_every_promised_python_is_tested():
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    tested = JOBS["python"]["strategy"]["matrix"]["python"]
    assert (
        tested
        == [f"3.{minor}" for minor in range(20) if f"3.{minor}" in SpecifierSet(promised)][: len(tested)]
    )
    assert tested[-1] == "3.14"


def test_what_it_runs_is_there():
    assert os.access(ROOT / ".ci/run", os.X_OK)
    for command in re.findall(r"tools/course\.py (\w+)", TEXT):
        assert command in commands.COMMANDS
    assert {"test", "site"} <= set(re.findall(r"tools/course\.py (\w+)", TEXT))


def test_the_site_is_published_from_main_alone_after_everything_has_passed():
    assert "github.ref == 'refs/heads/main'" in JOBS["site"]["if"]
    assert set(JOBS["site"]["needs"]) == {"everything", "python"}
    assert JOBS["publish"]["needs"] == "site"
    built = re.search(r"course\.py site TO=(\S+)", TEXT)[1]
    [upload] = [step for step in JOBS["site"]["steps"] if "upload-pages-artifact" in step.get("uses", "")]
    assert upload["with"]["path"] == built


def test_every_job_ends_by_itself():
    assert all(job["timeout-minutes"] <= 45 for job in JOBS.values())
