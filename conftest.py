"""What holds for every test, also when only notebooks are compared.

No test, and no notebook that a test runs, sees or touches the user's own files; in CI nothing may be skipped.
"""

import os
import sys
import tempfile

import pytest

from tools.environment import CONSTRAINTS, shut_out

IN_CI = os.environ.get("CI", "").lower() in ("1", "true")


def pytest_configure(config):
    """Shut out the learner's progress and the user's IPython start-up files, also for kernels."""
    scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    config.add_cleanup(scratch.cleanup)
    os.environ.update(shut_out(scratch.name))
    os.environ.pop("MPLBACKEND", None)
    config.option.cov_source = None  # the tests are to take the branches: nbval would count its kernels' too


@pytest.fixture(autouse=True)
def _settings_of_matplotlib():
    """Undo what a test or an example did to Matplotlib's settings."""
    if "matplotlib" not in sys.modules:
        yield
        return
    with sys.modules["matplotlib"].rc_context():
        yield


def pytest_collection_modifyitems(items):
    """Put the longest files first, for two workers; compare pictures only under what drew the baselines."""
    longest = ("test_solutions.py", "browser/test_lite.py")
    items.sort(key=lambda item: (not item.path.as_posix().endswith(longest), item.path.suffix != ".ipynb"))
    compared = [item for item in items if item.get_closest_marker("mpl_image_compare")]
    reason = other_matplotlib() if compared else None
    if reason:
        for item in compared:
            item.add_marker(pytest.mark.skip(reason=reason))


def other_matplotlib():
    """Say why the baselines do not hold here; None if they do."""
    import matplotlib
    from matplotlib import ft2font

    drawn_by = f"matplotlib=={matplotlib.__version__}"
    if drawn_by not in CONSTRAINTS.read_text("utf-8").split():
        return f"the baselines hold for the Matplotlib that constraints.txt names, not for {drawn_by}"
    if ft2font.__freetype_build_type__ != "local":
        return "the baselines hold for Matplotlib's own FreeType, not for the system's"
    return None


def failed_in_ci(report):
    """Turn a skip into a failure where nothing may be skipped."""
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"In CI nothing may be skipped. {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """See `failed_in_ci`."""
    return failed_in_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    """See `failed_in_ci`: a whole module can be skipped as well."""
    return failed_in_ci((yield))
