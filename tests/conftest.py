"""Figures are drawn in memory: no test needs a screen."""

import matplotlib
import pytest

matplotlib.use("agg")
collect_ignore = ["golden"]  # what made the golden values needs frameworks that the tests do not


def pytest_collection_modifyitems(items):
    """Refuse names of tests that hold an address: workers would disagree about them."""
    unstable = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if unstable:
        raise pytest.UsageError("give these tests ids without addresses: " + ", ".join(unstable[:3]))
