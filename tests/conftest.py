"""Figures are drawn in memory: no test needs a screen."""

import matplotlib

matplotlib.use("agg")
