"""Write defaults.json: the defaults in the signatures of PyTorch, Keras and optax, and two surprises, run.

    python -m venv gold && gold/bin/pip install torch keras jax optax
    gold/bin/python tests/golden/make_defaults.py

The surprises are run: schedules of PyTorch that move momentum, and optax's Adadelta without a rate. The tests
read the file and need none of the three frameworks.
"""

# ruff: noqa: E402  (the frameworks read their settings when they are imported)
import inspect
import json
import os
import platform
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import keras
import optax
import torch

CALLS = {
    "PyTorch": (torch.optim, ["SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "NAdam", "Lion"]),
    "Keras": (keras.optimizers, ["SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "Nadam", "Lion"]),
    "optax": (optax, ["sgd", "adagrad", "rmsprop", "adadelta", "adam", "adamw", "nadam", "lion"]),
}
STEPS = 12
ONE_CYCLE = "OneCycleLR(optimizer, 0.1, 12{more})"
CYCLIC = "CyclicLR(optimizer, 0.01, 0.1, 3{more})"


def signature(module, name):
    """Return {argument: default}, where "required" has no default; None where there is no such call."""
    if not hasattr(module, name):
        return None
    arguments = inspect.signature(getattr(module, name)).parameters.values()
    return {
        each.name: "required" if each.default is each.empty else each.default
        for each in arguments
        if each.kind is not each.VAR_KEYWORD
    }


def momentum(call):
    """Return SGD's momentum before there is a schedule, and then in each step under it."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)
    yield float(optimizer.param_groups[0]["momentum"])
    scheduler = eval("torch.optim.lr_scheduler." + call, {"torch": torch, "optimizer": optimizer})
    for t in range(STEPS):
        yield float(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        if t < STEPS - 1:  # OneCycleLR refuses one step more
            scheduler.step()


def descent(optimizer):
    """Return the points from 1 on, on the slope of x**2 / 2, which is x."""
    x = jnp.asarray(1.0)
    state = optimizer.init(x)
    yield float(x)
    for _ in range(STEPS):
        updates, state = optimizer.update(x, state, x)
        x = optax.apply_updates(x, updates)
        yield float(x)


def main():
    signatures = {
        framework: {name: signature(module, name) for name in names}
        for framework, (module, names) in CALLS.items()
    }
    calls = [
        text.format(more=more) for text in (ONE_CYCLE, CYCLIC) for more in ("", ", cycle_momentum=False")
    ]
    runs = {call: list(momentum(call)) for call in calls}
    runs |= {call: list(descent(eval("optax." + call))) for call in ("adadelta()", "adadelta(1.0)")}
    versions = {module.__name__: module.__version__ for module in (torch, keras, jax, optax)}
    tables = {"versions": {"Python": platform.python_version()} | versions} | signatures | {"runs": runs}
    parts = (
        f'"{key}": {{\n'
        + ",\n".join(f'"{name}": {json.dumps(value)}' for name, value in table.items())
        + "\n}"
        for key, table in tables.items()
    )
    text = "{\n" + ",\n".join(parts) + "\n}\n"
    Path(__file__).with_name("defaults.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
