"""Write schedules.json: the rates that the schedules of PyTorch and Keras give, step by step, in float64.

    python -m venv gold && gold/bin/pip install torch keras jax
    gold/bin/python tests/golden/make_schedules.py

The calls stand in schedule_calls.py. The tests read the file and need neither framework. README.md names the
versions that made it.
"""

# ruff: noqa: E402  (the frameworks read their settings when they are imported)
import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import jax

jax.config.update("jax_enable_x64", True)

import keras
import torch
from schedule_calls import DIFFERENT, SAME, STEPS

keras.config.set_floatx("float64")


def run_torch(call):
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([x], 0.1, momentum=0.9)
    scheduler = eval(call, {"torch": torch, "optimizer": optimizer})
    for t in range(STEPS):
        yield float(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if t < STEPS - 1:  # OneCycleLR refuses one step more
            scheduler.step()


def run_keras(call):
    schedule = eval(call, {"keras": keras})
    return [float(schedule(t)) for t in range(STEPS)]


def main():
    calls = dict.fromkeys(entry.theirs for entry in SAME + DIFFERENT)
    rates = {call: list((run_torch if call.startswith("torch") else run_keras)(call)) for call in calls}
    rows = [f"{json.dumps(call)}: {json.dumps(values)}" for call, values in rates.items()]
    text = "{\n" + ",\n".join(rows) + "\n}\n"
    Path(__file__).with_name("schedules.json").write_text(text, encoding="utf-8")
    for module in (torch, keras, jax):
        print(module.__name__, module.__version__)


if __name__ == "__main__":
    main()
