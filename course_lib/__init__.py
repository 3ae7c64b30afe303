"""A small NumPy library for understanding how neural networks are optimised.

The modules, in the order in which they build on one another; each loads when it is first used:

derivatives, landscapes, regressions, schedules, optimizers, descent, rates, initializers, regularizers,
layers, networks, penalised, signals, cifar, imdb, datasets, callbacks, training, contest, shootout, display,
plots, widgets, race, exercises
"""

import importlib

__version__ = "0.1.0"
__all__ = [
    "callbacks",
    "cifar",
    "contest",
    "datasets",
    "derivatives",
    "descent",
    "display",
    "exercises",
    "imdb",
    "initializers",
    "landscapes",
    "layers",
    "networks",
    "optimizers",
    "penalised",
    "plots",
    "race",
    "rates",
    "regressions",
    "regularizers",
    "schedules",
    "shootout",
    "signals",
    "training",
    "widgets",
]


def __getattr__(name):
    if name in __all__:
        return importlib.import_module(f"course_lib.{name}")
    raise AttributeError(f"module 'course_lib' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
