"""Write sgd.json: what PyTorch, Keras and optax do with one fixed sequence of gradients, in float64.

    python -m venv gold && gold/bin/pip install torch keras jax optax numpy
    gold/bin/python tests/golden/make_golden.py

The tests read the file and need none of the three. README.md names the versions that made it.
"""

# ruff: noqa: E402  (the frameworks read their settings when they are imported)
import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import keras
import numpy as np
import optax
import torch

keras.config.set_floatx("float64")

STEPS = 100
RECORDED = [1, 2, 3, 10, 30, 31, 50, 100]
LR, BETA = 0.1, 0.9


def inverse_time(t):
    return LR / (1 + 0.05 * t)


def step_decay(t):
    return LR * 0.5 ** (t // 30)


SCHEDULES = {"constant": lambda t: LR, "inverse_time": inverse_time, "step_decay": step_decay}


def gradients():
    """Four coordinates: ordinary, tiny, huge, and mostly zero."""
    rng = np.random.default_rng(20)
    g = rng.standard_normal((STEPS, 4)) * [1, 1e-6, 1e3, 1] + [0.5, 0, 0, 0]
    g[:, 3] *= rng.random(STEPS) < 0.1
    return g


def run_torch(g, x0, schedule, **arguments):
    x = torch.tensor(x0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=LR, **arguments)
    for t in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = schedule(t)
        x.grad = torch.tensor(g[t])
        optimizer.step()
        yield x.detach().numpy().copy()


def run_keras(g, x0, schedule, **arguments):
    x = keras.Variable(x0, dtype="float64")
    optimizer = keras.optimizers.SGD(LR, **arguments)
    optimizer.build([x])
    assert optimizer.learning_rate.dtype == "float64"  # with floatx float32 the rate is 0.1 (1 + 1.5e-8)
    for t in range(STEPS):
        optimizer.learning_rate.assign(np.float64(schedule(t)))
        optimizer.apply([jnp.asarray(g[t])], [x])
        yield np.array(x.value)


def run_optax(g, x0, schedule, **arguments):
    x, rates = jnp.asarray(x0), jnp.asarray([schedule(t) for t in range(STEPS)])
    optimizer = optax.sgd(lambda count: rates[count], **arguments)
    state = optimizer.init(x)
    for t in range(STEPS):
        updates, state = optimizer.update(jnp.asarray(g[t]), state, x)
        x = optax.apply_updates(x, updates)
        assert x.dtype == jnp.float64
        yield np.array(x)


CASES = [
    ("torch", run_torch, {}),
    ("torch", run_torch, {"momentum": BETA}),
    ("torch", run_torch, {"momentum": BETA, "nesterov": True}),
    ("torch", run_torch, {"momentum": BETA, "dampening": BETA}),
    ("keras", run_keras, {}),
    ("keras", run_keras, {"momentum": BETA}),
    ("keras", run_keras, {"momentum": BETA, "nesterov": True}),
    ("optax", run_optax, {}),
    ("optax", run_optax, {"momentum": BETA}),
    ("optax", run_optax, {"momentum": BETA, "nesterov": True}),
]


def main():
    g, x0 = gradients(), [1.0, -2.0, 3.0, 0.5]
    rows = []
    for framework, run, arguments in CASES:
        for name, schedule in SCHEDULES.items():
            x = list(run(g, x0, schedule, **arguments))
            points = [x[t - 1].tolist() for t in RECORDED]
            rows.append({"framework": framework, "arguments": arguments, "schedule": name, "x": points})
    head = {"x0": x0, "recorded": RECORDED, "gradients": g.tolist()}
    lines = [f'"{key}": {json.dumps(value)}' for key, value in head.items()]
    lines.append('"rows": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]")
    Path(__file__).with_name("sgd.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    for module in (torch, keras, jax, optax, np):
        print(module.__name__, module.__version__)


if __name__ == "__main__":
    main()
