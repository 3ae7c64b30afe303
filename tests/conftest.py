"""Figures are drawn in memory: no test needs a screen."""

import matplotlib

matplotlib.use("agg")
collect_ignore = ["golden"]  # what made the golden values needs frameworks that the tests do not
