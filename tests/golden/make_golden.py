"""Write golden.json: what PyTorch, Keras and optax do with one fixed sequence of gradients, in float64.

    python -m venv gold && gold/bin/pip install torch keras jax optax numpy
    gold/bin/python tests/golden/make_golden.py

The calls stand in calls.py. The tests read the file and need none of the three frameworks. README.md names
the versions that made it.
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
from calls import DIFFERENT, SAME

keras.config.set_floatx("float64")
torch.set_default_dtype(torch.float64)  # NAdam keeps its product of μ in it: with float32 it is off by 5e-9

STEPS = 100
RECORDED = [1, 2, 10, 31, 100]
LR = 0.1
SCHEDULES = {"constant": lambda t: LR, "inverse_time": lambda t: LR / (1 + 0.05 * t)}


def gradients():
    """Four coordinates: ordinary, tiny, huge, and mostly zero."""
    rng = np.random.default_rng(20)
    g = rng.standard_normal((STEPS, 4)) * [1, 1e-6, 1e3, 1] + [0.5, 0, 0, 0]
    g[:, 3] *= rng.random(STEPS) < 0.1
    return g


def run_torch(g, x0, schedule, call):
    """What stands before a semicolon is done to the gradient before each step."""
    x = torch.tensor(x0, dtype=torch.float64, requires_grad=True)
    *before, call = call.split("; ")
    optimizer = eval(call, {"torch": torch, "x": x, "lr": LR})
    for t in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = schedule(t)
        x.grad = torch.tensor(g[t])
        for line in before:
            eval(line, {"torch": torch, "x": x})
        optimizer.step()
        yield x.detach().numpy().copy()


def run_keras(g, x0, schedule, call):
    x = keras.Variable(x0, dtype="float64")
    optimizer = eval(call, {"keras": keras, "lr": LR})
    optimizer.build([x])
    assert optimizer.learning_rate.dtype == "float64"  # with floatx float32 the rate is 0.1 (1 + 1.5e-8)
    for t in range(STEPS):
        optimizer.learning_rate.assign(np.float64(schedule(t)))
        optimizer.apply([jnp.asarray(g[t])], [x])
        yield np.array(x.value)


def run_optax(g, x0, schedule, call):
    x, rates = jnp.asarray(x0), jnp.asarray([schedule(t) for t in range(STEPS)])
    optimizer = eval(call, {"optax": optax, "lr": lambda count: rates[count]})
    state = optimizer.init(x)
    for t in range(STEPS):
        updates, state = optimizer.update(jnp.asarray(g[t]), state, x)
        x = optax.apply_updates(x, updates)
        assert x.dtype == jnp.float64
        yield np.array(x)


RUN = {"torch": run_torch, "keras": run_keras, "optax": run_optax}


def main():
    g, x0 = gradients(), [1.0, 0.0, -3.0, 0.5]
    rows = []
    for call in dict.fromkeys(entry.theirs for entry in SAME + DIFFERENT):
        for name, schedule in SCHEDULES.items():
            x = list(RUN[call.split(".")[0]](g, x0, schedule, call))
            points = [x[t - 1].tolist() for t in RECORDED]
            rows.append({"call": call, "schedule": name, "x": points})
    head = {"x0": x0, "recorded": RECORDED, "gradients": g.tolist()}
    lines = [f'"{key}": {json.dumps(value)}' for key, value in head.items()]
    lines.append('"rows": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]")
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    Path(__file__).with_name("golden.json").write_text(text, encoding="utf-8")
    for module in (torch, keras, jax, optax, np):
        print(module.__name__, module.__version__)


if __name__ == "__main__":
    main()
