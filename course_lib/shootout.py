r"""Compare update rules on one data set, fairly: ``python -m course_lib.shootout DATASET [options]``.

The protocol, the same for every method:

1. the same model, the same number of epochs, the same minibatches, and the learning rate falling along half a
   cosine to 0;
2. the learning rate is searched with as many trials for each, at the *same* draws: one in each of equal parts
   of a range, on a logarithmic scale. If any method's best draw lies at an end of the range, the range is
   widened for all;
3. the best is chosen by accuracy on the validation part;
4. then the network is trained anew from several seeds, with the chosen rate and with the library's default;
   only these runs see the test part, and each of them once.

Every run that ends is on disk at once (``OUT.runs/``): a search that was killed goes on behind it, and ends
with the numbers of one that was not. The result is written whole or not at all.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

from course_lib._checks import one_of, require, whole_number
from course_lib._whole import write_whole
from course_lib.contest import DATASETS, HIGH, LOW, METHODS, WIDEST, data, digest, draws, train

__all__ = ["SEARCH_SEED", "chosen", "main", "shootout"]

SEARCH_SEED = 1_000_000
"""Seed of the runs of the search; those that are counted have the seeds 0, 1, 2, …"""


def chosen(runs):
    """Return the index of the best run: highest last validation accuracy, then lowest validation loss."""

    def merit(k):
        last = None if runs[k]["diverged"] else runs[k]["val_loss"][-1]
        return (-1, 0) if last is None else (runs[k]["val_accuracy"][-1], -last)

    return max(range(len(runs)), key=merit)


class _Runs:
    """The runs that have ended, each in a file of its own."""

    def __init__(self, folder, settings):
        self.folder = folder
        try:
            found = json.loads((folder / "settings.json").read_bytes())
        except (OSError, ValueError):
            found = None
        remedy = f"Name another file with --out, or delete {folder.name}."
        other = found is not None and found != settings
        require(not other, "settings of the runs on disk", found, f"{settings}", remedy)
        write_whole(folder / "settings.json", _json(settings))

    def _path(self, job):
        method, lr, seed, test = job
        return self.folder / f"{method}-{lr:g}-{seed}{'-test' if test else ''}.json"

    def get(self, job):
        """Return a run, or None if it has not ended."""
        try:
            return json.loads(self._path(job).read_bytes())
        except (OSError, ValueError):
            return None

    def put(self, job, run):
        """Keep a run."""
        write_whole(self._path(job), _json(run))


def _json(value):
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _job(name, parts, job, epochs):
    method, lr, seed, test = job
    return job, train(name, parts, method, lr, seed, epochs, test)


def shootout(
    name,
    *,
    methods=tuple(METHODS),
    seeds=5,
    trials=12,
    epochs=None,
    jobs=1,
    backend="loky",
    scheduler=None,
    out=None,
    release=True,
    command="",
):
    """Run the whole comparison, or go on with it, and return and write its result.

    Parameters
    ----------
    name : str
        One of `DATASETS`.
    methods : sequence of str
        From `METHODS`; all by default.
    seeds : int, default 5
        Runs for each method and each of the two learning rates, with the seeds 0, 1, …
    trials : int, default 12
        Draws in the range of learning rates before it is widened, at least 3.
    epochs : int, optional
        Of every run; by default those of the task.
    jobs : int, default 1
        Runs at a time; −1 for as many as there are cores. On a cluster the workers decide.
    backend : "loky" (default) or "dask"
        Processes of this machine, or a Dask cluster, whose workers must have course_lib.
    scheduler : str, optional
        Address of the Dask scheduler.
    out : path-like, optional
        File of the result; ``OUT.runs`` beside it holds the single runs. By default ``shootout_NAME.json``.
    release : bool, default True
        With False, CIFAR-10 may have other pixels than those published.
    command : str, default ""
        How this was called, for the record.

    Returns
    -------
    dict
        What the file holds.

    Raises
    ------
    ValueError
        If an argument is out of its range, the data cannot be had, the runs on disk belong to other settings,
        or a method wants a learning rate far outside the range.
    """
    task = DATASETS[one_of("dataset", name, tuple(DATASETS))]
    methods = [one_of("methods", method, tuple(METHODS)) for method in methods]
    trials = whole_number("trials", trials, 3, "12 is usual.")
    seeds = whole_number("seeds", seeds, 1, "5 is usual.")
    epochs = whole_number("epochs", task.epochs if epochs is None else epochs, 1, "Leave it out.")
    one_of("backend", backend, ("loky", "dask"))
    remedy = "Start one with: dask scheduler."
    require(backend == "loky" or scheduler, "scheduler", scheduler, "the address of one", remedy)
    out = Path(f"shootout_{name}.json" if out is None else out)
    parts = data(name, release)
    settings = {"dataset": name, "data": digest(parts), "sizes": list(task.sizes)}
    settings |= {"batch_size": task.batch_size, "epochs": epochs, "trials": trials, "range": [LOW, HIGH]}
    runs = _Runs(out.with_name(out.name + ".runs"), settings)
    with _workers(name, parts, epochs, jobs, backend, scheduler) as work:
        searched = _search(methods, trials, lambda wanted: _finish(wanted, runs, work))
        best = {method: found[chosen(found)]["lr"] for method, found in searched.items()}
        arms = {"tuned": best, "untuned": {method: METHODS[method].default for method in methods}}
        wanted = [
            (m, lr, seed, True) for arm in arms.values() for m, lr in arm.items() for seed in range(seeds)
        ]
        ended = _finish(wanted, runs, work)
    result = settings | {"command": command, "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"}
    result |= {"seeds": list(range(seeds)), "search_seed": SEARCH_SEED, "machine": _machine(), "methods": {}}
    for method in methods:
        entry = {"rule": repr(METHODS[method](best[method])), "lr": best[method]}
        entry |= {"default_lr": METHODS[method].default, "search": [_brief(run) for run in searched[method]]}
        for arm, lrs in arms.items():
            entry[arm] = [ended[method, lrs[method], seed, True] for seed in range(seeds)]
        result["methods"][method] = entry
    write_whole(out, _json(result))
    return result


def _search(methods, trials, finish):
    """Return the runs of the search by method, in the order of their rates; none is best at an end."""
    below = above = 0
    while True:
        lrs = draws(trials, below=below, above=above)
        ended = finish([(method, lr, SEARCH_SEED, False) for method in methods for lr in lrs])
        found = {method: [ended[method, lr, SEARCH_SEED, False] for lr in lrs] for method in methods}
        best = [chosen(runs) for runs in found.values()]
        down, up = min(best) == 0, max(best) == len(lrs) - 1
        if not down and not up:
            return found
        below, above = below + down, above + up
        remedy = "Does this method learn anything at all?"
        require(max(below, above) <= WIDEST, "best learning rate", lrs[0 if down else -1], "inside", remedy)


def _finish(wanted, runs, work):
    """Return the wanted runs by job: those on disk as they are, the others made now and kept at once."""
    ended = {job: runs.get(job) for job in dict.fromkeys(wanted)}
    for job, run in work([job for job, run in ended.items() if run is None]):
        runs.put(job, run)
        ended[job] = run
    return ended


@contextlib.contextmanager
def _workers(name, parts, epochs, jobs, backend, scheduler):
    """Yield a function that takes jobs and yields each with its run, as they end."""
    from joblib import Parallel, delayed, parallel_config
    from tqdm import tqdm

    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(tqdm(total=0, unit="run", desc=name, disable=None))
        if backend == "dask":
            from dask.distributed import Client

            client = stack.enter_context(Client(scheduler))
            stack.enter_context(parallel_config(backend="dask", client=client, n_jobs=-1))
        else:
            stack.enter_context(parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1))

        def work(wanted):
            bar.total += len(wanted)
            bar.refresh()
            parallel = Parallel(return_as="generator_unordered")
            for job, run in parallel(delayed(_job)(name, parts, job, epochs) for job in wanted):
                yield tuple(job), run
                bar.update()

        yield work


def _brief(run):
    """Return what is kept of a run of the search."""
    last = {key: run[key][-1] if run[key] else None for key in ("val_accuracy", "val_loss")}
    return {"lr": run["lr"], "diverged": run["diverged"]} | last


def _machine():
    """Return what the figures in seconds depend on."""
    versions = {name: version(name) for name in ("numpy", "joblib")}
    kind = {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()}
    return kind | {"python": platform.python_version(), **versions}


def main(arguments=None):
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m course_lib.shootout", description=__doc__.splitlines()[0]
    )
    parser.add_argument("dataset", choices=tuple(DATASETS))
    parser.add_argument(
        "--methods", nargs="+", choices=tuple(METHODS), default=tuple(METHODS), metavar="NAME"
    )
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    parser.add_argument("--trials", type=int, default=12, metavar="N")
    parser.add_argument("--epochs", type=int, metavar="N")
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    parser.add_argument("--backend", choices=("loky", "dask"), default="loky")
    parser.add_argument("--scheduler", metavar="ADDRESS")
    parser.add_argument("--out", type=Path, metavar="FILE")
    parser.add_argument(
        "--other-pixels", action="store_true", help="CIFAR-10 in its format, not as published"
    )
    given = vars(parser.parse_args(arguments))
    name, release = given.pop("dataset"), not given.pop("other_pixels")
    words = sys.argv[1:] if arguments is None else list(arguments)
    command = "python -m course_lib.shootout " + shlex.join(Path(w).name if "/" in w else w for w in words)
    try:
        result = shootout(name, release=release, command=command, **given)
    except ValueError as error:
        sys.exit(f"shootout: {error}")
    except KeyboardInterrupt:
        sys.exit("shootout: interrupted. What has ended is kept; the same command goes on from there.")
    print(f"{'method':10} {'lr':>8}  test accuracy, tuned and untuned: mean of {given['seeds']} seeds")
    for method, entry in result["methods"].items():
        means = [np.mean([run["test_accuracy"] for run in entry[arm]]) for arm in ("tuned", "untuned")]
        print(f"{method:10} {entry['lr']:8.2g}  {means[0]:.2%}  {means[1]:.2%}")


if __name__ == "__main__":
    main()
