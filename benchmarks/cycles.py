"""Test what is claimed of cyclical learning rates: fewer epochs, and several networks for one training.

A network 64-32-10 (ReLU, float32), momentum 0.9, minibatches of 32. A seed deals the digits anew into
training, validation and test parts (60, 20, 20 %), draws the weights and shuffles. The largest rate of every
arm comes from the same grid and is the one best on validation, in the mean of five seeds set aside for that;
what is reported comes from 20 others.

Race: validation loss and accuracy after each epoch, under eight schedules of 31 epochs (1 + 2 + 4 + 8 + 16);
those that fall once, and SGDR, also for 3, 7 and 15 epochs. The rate is tuned once for the loss at the end,
and once for each level that is to be reached as soon as possible. Ensembles: five members of one training of
40 epochs (cosines with restarts, or a constant rate), of five trainings of 8 epochs, and of five trainings of
40 epochs; beside them one training of 40 epochs.

``nice python benchmarks/cycles.py`` prints tables; ``--write`` also stores the runs in
``notebooks/data/cycles.json``, from which notebook 06b draws.
"""

import math
import time

import numpy as np
from _record import DATA, main, record, rounded

from course_lib.callbacks import Snapshot
from course_lib.datasets import digits
from course_lib.networks import MLP
from course_lib.optimizers import Momentum
from course_lib.schedules import constant, cosine, exp_range, one_cycle, sgdr, triangular, triangular2
from course_lib.training import fit

COMMAND = "nice python benchmarks/cycles.py --write"
TUNING, SEEDS = tuple(range(100, 105)), tuple(range(20))
LRS = np.round(10 ** np.arange(-1.75, -0.2, 0.25), 6)
BATCH, EPOCHS, BUDGETS = 32, 31, (3, 7, 15)
N_TRAINING = round(0.6 * 1797)
EPOCH = math.ceil(N_TRAINING / BATCH)  # steps
LEVELS = {"val_loss": (0.3, 0.2, 0.16), "val_accuracy": (0.92, 0.94, 0.95)}
CYCLE, MEMBERS = 8, 5


def drops(lr, steps):
    """Return the schedule that SGDR was compared with: a fifth at 30, 60 and 80 % of the run."""
    return lambda t: lr * 0.2 ** sum(t >= share * steps for share in (0.3, 0.6, 0.8))


FALLS = {"step": drops, "cosine": cosine, "one-cycle": one_cycle}
CYCLES = {
    "constant": lambda lr, steps: constant(lr),
    "triangular": lambda lr, steps: triangular(lr / 6, lr, steps // 8),
    "triangular2": lambda lr, steps: triangular2(lr / 6, lr, steps // 8),
    "exp_range": lambda lr, steps: exp_range(lr / 6, lr, steps // 8, 0.1 ** (1 / steps)),
    "SGDR": lambda lr, steps: sgdr(lr, EPOCH, 2),
}


def deal(seed):
    """Return a seed's training, validation and test part, and its generator."""
    data, rng = digits(), np.random.default_rng(seed)
    cuts = [N_TRAINING, round(0.8 * len(data))]
    parts = np.split(rng.permutation(len(data)), cuts)
    return [(data.X[rows].astype(np.float32), data.y[rows]) for rows in parts], rng


def train(schedule, epochs, parts, rng, callbacks=()):
    """Return a fresh network and its history."""
    net = MLP([64, 32, 10], rng=rng, dtype=np.float32)
    options = {"epochs": epochs, "batch_size": BATCH, "rng": rng, "progress": False, "callbacks": callbacks}
    return net, fit(net, parts[0], Momentum(schedule), validation=parts[1], **options)


# --- the race


def race(make, epochs, lr, seed):
    """Return validation loss and accuracy after each epoch, and the test accuracy at the end."""
    parts, rng = deal(seed)
    net, history = train(make(lr, epochs * EPOCH), epochs, parts, rng)
    curves = np.full((2, epochs), np.nan)
    done = len(history.epochs)
    curves[:, :done] = [[record[name] for record in history.epochs] for name in LEVELS]
    return curves, net.accuracy(history.theta, *parts[2]) if done == epochs else np.nan


def reached(curves, level, better):
    """Return the first epoch at which each curve (…, epochs) is as good as the level; NaN if never."""
    good = curves <= level if better == "lower" else curves >= level
    return np.where(good.any(axis=-1), 1.0 + good.argmax(axis=-1), np.nan)


def run_arm(make, epochs):
    """Run an arm for each rate and seed; return its record."""
    tuning = np.array([[race(make, epochs, lr, seed)[0] for seed in TUNING] for lr in LRS])
    found = [[race(make, epochs, lr, seed) for seed in SEEDS] for lr in LRS]
    curves = np.array([[curve for curve, _ in row] for row in found])  # (rates, seeds, 2, epochs)
    ends = np.nan_to_num(tuning[:, :, 0, -1], nan=np.inf).mean(axis=1)
    best = ends.argmin()
    arm = {
        "epochs": epochs,
        "lr": float(LRS[best]),
        "tuning_val_loss_by_lr": rounded(ends),
        "val_loss_by_lr": rounded(curves[:, :, 0, -1].mean(axis=1)),
        "val_loss": rounded(curves[best, :, 0, -1]),
        "val_accuracy": rounded(curves[best, :, 1, -1]),
        "test_accuracy": rounded([test for _, test in found[best]]),
        "val_loss_curves": [rounded(row) for row in curves[:, :, 0].mean(axis=1)],  # for each rate
    }
    for i, (name, levels) in enumerate(LEVELS.items()):
        better = "lower" if name == "val_loss" else "higher"
        arm[f"epochs_to_{name}"] = {}
        for level in levels:
            needed = np.nan_to_num(reached(tuning[:, :, i], level, better), nan=2 * epochs).mean(axis=1)
            own = needed.argmin()
            by_lr = [rounded(row) for row in reached(curves[:, :, i], level, better)]
            arm[f"epochs_to_{name}"][str(level)] = {"lr": float(LRS[own]), "epochs_by_lr": by_lr}
    return arm


# --- the ensembles


def members(kind, lr, seed):
    """Return probabilities of the members on validation and test part, shapes (members, n, 10)."""
    parts, rng = deal(seed)
    if kind in ("snapshots", "snapshots, constant rate"):
        schedule = sgdr(lr, CYCLE * EPOCH) if kind == "snapshots" else constant(lr)
        keep = Snapshot(CYCLE)
        net, _ = train(schedule, CYCLE * MEMBERS, parts, rng, [keep])
        if len(keep.members) < MEMBERS:
            return None, parts
        return [keep.outputs(net, X) for X, _ in parts[1:]], parts
    epochs = CYCLE if kind == "short runs" else CYCLE * MEMBERS
    found = []
    for _ in range(1 if kind == "one long run" else MEMBERS):
        keep = Snapshot(epochs)
        net, _ = train(cosine(lr, epochs * EPOCH), epochs, parts, rng, [keep])
        if not keep.members:
            return None, parts
        found.append([keep.outputs(net, X)[0] for X, _ in parts[1:]])
    return [np.array(outputs) for outputs in zip(*found, strict=True)], parts


def log_loss(p, y):
    """Return the mean of −log p of the right class, over the last axis but one."""
    return -np.log(np.maximum(p[..., np.arange(len(y)), y], 1e-12)).mean(axis=-1)


def run_ensemble(kind):
    """Tune the rate by the ensemble's validation loss, then measure on the test part."""
    tuning = np.full((len(LRS), len(TUNING)), np.inf)
    for i, lr in enumerate(LRS):
        for j, seed in enumerate(TUNING):
            outputs, parts = members(kind, lr, seed)
            if outputs is not None:
                tuning[i, j] = log_loss(outputs[0].mean(axis=0), parts[1][1])
    best = tuning.mean(axis=1).argmin()
    rows = {name: [] for name in ("member_error", "member_loss", "error", "loss", "disagreement")}
    for seed in SEEDS:
        (_, p), parts = members(kind, LRS[best], seed)
        y, classes = parts[2][1], p.argmax(axis=-1)
        rows["member_error"].append((classes != y).mean(axis=1))
        rows["member_loss"].append(log_loss(p, y))
        rows["error"].append((p.mean(axis=0).argmax(axis=-1) != y).mean())
        rows["loss"].append(log_loss(p.mean(axis=0), y))
        rows["disagreement"].append((classes[:, None] != classes).mean(axis=-1))  # (members, members)
    entry = {"lr": float(LRS[best]), "tuning_loss_by_lr": rounded(tuning.mean(axis=1))}
    entry |= {name: rounded(rows[name]) for name in ("error", "loss")}
    entry |= {name: [rounded(row) for row in rows[name]] for name in ("member_error", "member_loss")}
    matrices, pairs = np.array(rows["disagreement"]), np.triu_indices(p.shape[0], 1)
    entry["pairs_disagree"] = rounded(matrices[:, *pairs].mean(axis=1)) if p.shape[0] > 1 else None
    return entry | {"disagreement": [rounded(row) for row in matrices.mean(axis=0)]}


def measure(report=print):
    """Return everything as a dict."""
    begin, arms, ensembles = time.perf_counter(), {}, {}
    todo = {name: (make, EPOCHS) for name, make in (CYCLES | FALLS).items()}
    planned = FALLS | {"SGDR": CYCLES["SGDR"]}
    todo |= {f"{name}, {n} epochs": (make, n) for n in BUDGETS for name, make in planned.items()}
    for name, (make, epochs) in todo.items():
        arm = arms[name] = run_arm(make, epochs)
        loss, hits = (np.mean(np.array(arm[part], float)) for part in ("val_loss", "test_accuracy"))
        seconds = time.perf_counter() - begin
        report(f"{name:22} lr {arm['lr']:.3g}, val loss {loss:.4f}, test {hits:.4f}, {seconds:4.0f} s")
    for kind in ("one long run", "snapshots", "snapshots, constant rate", "short runs", "long runs"):
        found = ensembles[kind] = run_ensemble(kind)
        means = [np.mean(found[name]) for name in ("member_error", "error", "member_loss", "loss")]
        seconds = time.perf_counter() - begin
        report(f"{kind:22} lr {found['lr']:.3g}, {np.round(means, 4)}, {seconds:4.0f} s")
    return record(
        "64-32-10 on the digits under rates that cycle or fall, and ensembles of what they give",
        COMMAND,
        seeds=list(SEEDS),
        tuning_seeds=list(TUNING),
        lr=rounded(LRS),
        batch_size=BATCH,
        steps_per_epoch=EPOCH,
        cycle=CYCLE,
        race=arms,
        ensembles=ensembles,
    )


if __name__ == "__main__":
    main(measure, __doc__, DATA / "cycles.json")
