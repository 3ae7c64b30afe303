"""Count on 16 data sets whether gradient noise brings more walkers to the best minimum of the Gabor loss.

``python benchmarks/noise_on_other_data.py`` writes notebooks/data/noise_on_other_data.json, which notebook
02b reads. Each set is the experiment of its Section 7: 256 starts, 500 steps, the last quarter at a tenth of
the learning rate; GD once, SGD with five seeds. A minute or two; no clock enters the file.
"""

import json
from pathlib import Path

import numpy as np

from course_lib.descent import minibatches, minimize
from course_lib.optimizers import GradientDescent
from course_lib.regressions import gabor, gabor_data

OUT = Path(__file__).resolve().parents[1] / "notebooks" / "data" / "noise_on_other_data.json"
SETS, SEEDS, EXAMPLES = 16, 5, 28
LRS = [1.0, 2.0, 3.0, 4.0]


def shares(land, starts, B, seeds, rng):
    """Return the share of starts that end in the best minimum, of shape (learning rates, seeds)."""
    lrs = np.array(LRS).reshape(-1, 1, 1, 1)
    shape = (len(LRS), seeds, len(starts))
    rows = minibatches(EXAMPLES, B, rng, replace=True, shape=shape) if B < EXAMPLES else None
    cut = GradientDescent(lambda t: lrs * (1.0 if t < 375 else 0.1))
    end = minimize(land, np.broadcast_to(starts, (*shape, 2)), cut, 500, rows=rows, keep="last")
    return np.mean(end.loss[-1] < land(land.minima[:2]).mean(), axis=-1)


def main():
    """Write the shares of GD and of SGD with one and two examples, for each data set."""
    axes = np.linspace(-10, 10, 48)[1::3], np.linspace(2.5, 22.5, 48)[1::3]
    starts = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    sets = []
    for seed in range(SETS):
        land = gabor(*gabor_data(np.random.default_rng(seed), width=8), width=8)
        row = {"seed": seed}
        for name, B, seeds in (("GD", EXAMPLES, 1), ("SGD, B = 2", 2, SEEDS), ("SGD, B = 1", 1, SEEDS)):
            got = shares(land, starts, B, seeds, np.random.default_rng([seed, B]))
            row[name] = [[round(float(share), 4) for share in of_lr] for of_lr in got]
        sets.append(row)
    text = ",\n".join("  " + json.dumps(row) for row in sets)
    OUT.write_text(f'{{"lr": {LRS},\n "sets": [\n{text}\n]}}\n')


if __name__ == "__main__":
    main()
