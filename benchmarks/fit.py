"""Measure `fit` against PyTorch eager: same network, data, minibatches, dtype and threads, in one run.

``COURSE_DATA=FOLDER python benchmarks/fit.py`` (or ``--data FOLDER``) prints, for digits (64-128-64-10, batch
64) and MNIST (784-256-128-10, batch 128), both with Adam in float32:

the pace        examples a second of `fit` and of a plain PyTorch loop over the same tensors (no DataLoader,
                which would be slower), epochs in turns; the ratio is the median over rounds. Beside it the
                loop with PyTorch's fused Adam, as the limit.
the profile     microseconds of a step and what it consists of, beside the matrix products alone.
the memory      what `fit` allocates at most, against parameters and a minibatch with its activations.
the accuracy    on MNIST's test part, after some epochs, and the seconds that took.

Before it times anything it makes sure that both compute the same. The number of threads is that of
OPENBLAS_NUM_THREADS, for both; without it, all cores. Without PyTorch or MNIST, the rest is measured.
"""

import argparse
import importlib.util
import os
import statistics
import time
import tracemalloc

import numpy as np

from course_lib.callbacks import LambdaCallback
from course_lib.datasets import digits_split, mnist
from course_lib.networks import MLP
from course_lib.optimizers import Adam
from course_lib.schedules import cosine
from course_lib.training import fit

THREADS = int(os.environ.get("OPENBLAS_NUM_THREADS", os.cpu_count()))
TORCH = importlib.util.find_spec("torch") is not None
LR = 1e-3
TARGETS = {"digits": 1.5, "MNIST": 1.0}


class Ours:
    """Epochs of `fit`, one after the other, in one run."""

    def __init__(self, net, X, y, batch_size):
        self.net, self.X, self.y, self.batch_size = net, X, y, batch_size

    def epochs(self, n, seed=0):
        """Return the seconds of n epochs, and the parameters after them."""
        begin, rng = time.perf_counter(), np.random.default_rng(seed)
        history = fit(self.net, (self.X, self.y), Adam(LR), epochs=n, batch_size=self.batch_size, rng=rng)
        return time.perf_counter() - begin, history.theta


class Torch:
    """The same in PyTorch, from the same parameters and in the same order."""

    def __init__(self, net, X, y, batch_size, fused=False):
        import torch

        torch.set_num_threads(THREADS)
        self.torch, self.net, self.fused, self.batch_size = torch, net, fused, batch_size
        self.X, self.y = torch.from_numpy(X.copy()), torch.from_numpy(y.copy())

    def model(self):
        """Return a PyTorch network with the first parameters of ours."""
        torch, layers = self.torch, []
        for W, b in (views for views in self.net.unpack(self.net.theta0.copy()) if views):
            dense = torch.nn.Linear(*W.shape)
            with torch.no_grad():
                dense.weight.copy_(torch.from_numpy(W.T))
                dense.bias.copy_(torch.from_numpy(b))
            layers += [dense, torch.nn.ReLU()]
        return torch.nn.Sequential(*layers[:-1])

    def epochs(self, n, seed=0):
        """Return the seconds of n epochs, and the parameters after them as our flat vector."""
        torch, model = self.torch, self.model()
        options = {"fused": True} if self.fused else {}
        optimizer = torch.optim.Adam(model.parameters(), LR, **options)
        loss_function = torch.nn.CrossEntropyLoss()
        begin, rng, losses = time.perf_counter(), np.random.default_rng(seed), []
        for _ in range(n):
            order = torch.from_numpy(rng.permutation(len(self.X)))
            for rows in order.split(self.batch_size):
                optimizer.zero_grad()
                loss = loss_function(model(self.X[rows]), self.y[rows])
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        seconds = time.perf_counter() - begin
        parts = [part.detach().numpy() for part in model.parameters()]
        return seconds, np.concatenate([part.T.ravel() for part in parts])


def compare(name, net, X, y, batch_size, epochs, rounds):
    """Print examples a second of all, and their ratios."""
    ours = Ours(net, X, y, batch_size)
    others = (
        {"eager": Torch(net, X, y, batch_size), "fused": Torch(net, X, y, batch_size, True)} if TORCH else {}
    )
    for label, other in others.items():
        few = slice(0, 5 * batch_size)
        mine = Ours(net, X[few], y[few], batch_size).epochs(1)[1]
        theirs = Torch(net, X[few], y[few], batch_size, label == "fused").epochs(1)[1]
        assert np.allclose(mine, theirs, atol=2e-4), f"other numbers than PyTorch: {abs(mine - theirs).max()}"
        other.epochs(1)
    seconds = {label: [] for label in ("fit", *others)}
    ours.epochs(1)
    for _ in range(rounds):
        seconds["fit"].append(ours.epochs(epochs)[0])
        for label, other in others.items():
            seconds[label].append(other.epochs(epochs)[0])
    for label, times in seconds.items():
        pace = epochs * len(X) / statistics.median(times)
        print(f"  {'fit' if label == 'fit' else 'PyTorch ' + label:14} {pace:10,.0f} examples/s")
    for label in others:
        ratios = [theirs / mine for mine, theirs in zip(seconds["fit"], seconds[label], strict=True)]
        target = f"  (target: at least {TARGETS[name]})" if label == "eager" else ""
        low, high = min(ratios), max(ratios)
        print(f"  fit / {label}: {statistics.median(ratios):.2f} ({low:.2f} to {high:.2f}){target}")


def microseconds(function, seconds=0.3, calls=10):
    """Return the best time of a call, measured for some seconds, so many calls at a time."""
    best, tries, end = np.inf, 0, time.perf_counter() + seconds
    while time.perf_counter() < end or tries < 20:
        tries, begin = tries + 1, time.perf_counter()
        for _ in range(calls):
            function()
        best = min(best, (time.perf_counter() - begin) / calls)
    return best * 1e6


def profile(net, X, y, batch_size):
    """Print where the time of a step goes."""
    rows, theta, rule = np.random.default_rng(0).permutation(len(X))[:batch_size], net.theta0, Adam(LR)
    batch, labels, state = X[rows], y[rows], rule.init(theta)
    _, g = net.loss_and_grad(theta, batch, labels)
    weights = [views[0] for views in net.unpack(theta) if views]
    h = [np.ones((batch_size, n), np.float32) for n in net.sizes]

    def products():
        for i, W in enumerate(weights):
            h[i] @ W
            h[i].T @ h[i + 1]
            if i:  # nobody asks for the gradient by the data
                h[i + 1] @ W.T

    few = slice(0, 40 * batch_size)
    short = Ours(net, X[few], y[few], batch_size)
    whole = microseconds(lambda: short.epochs(1), 1.0, 1) / -(-len(short.X) // batch_size)
    parts = {
        "drawing the minibatch": microseconds(lambda: (X.take(rows, axis=0), y.take(rows))),
        "loss and gradient": microseconds(lambda: net.loss_and_grad(theta, batch, labels)),
        "Adam": microseconds(lambda: rule.step(theta, g, state)),
    }
    for name, time_of_it in parts.items():
        print(f"  {name:24} {time_of_it:8.1f} µs")
    alone = microseconds(products)
    print(f"  {'a step of fit, whole':24} {whole:8.1f} µs")
    print(f"  {'matrix products alone':24} {alone:8.1f} µs: {alone / whole:.0%} of the step")


def memory(net, X, y, batch_size):
    """Print what `fit` allocates at most, beside the data it is given."""
    tracemalloc.start()
    few = slice(0, 20 * batch_size)
    quiet = LambdaCallback()
    data, rng = (X[few], y[few]), np.random.default_rng(0)
    fit(net, data, Adam(LR), epochs=2, batch_size=batch_size, rng=rng, callbacks=[quiet])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    parameters, activations = 4 * net.n_parameters, 4 * batch_size * sum(net.sizes)
    print(
        f"  peak memory {peak / 1e6:.2f} MB: parameters {parameters / 1e6:.2f} MB × "
        f"{(peak - activations) / parameters:.1f} + a minibatch and its outputs {activations / 1e6:.2f} MB"
    )


def learn_mnist(train, test, epochs):
    """Print the accuracy on the test part, and how long it took."""
    net = MLP([784, 256, 128, 10], dropout=0.2, rng=np.random.default_rng(0), dtype=np.float32)
    begin, steps = time.perf_counter(), epochs * -(-len(train) // 128)
    rng = np.random.default_rng(1)
    history = fit(net, train, Adam(cosine(LR, steps)), epochs=epochs, batch_size=128, rng=rng)
    seconds = time.perf_counter() - begin
    reached = net.accuracy(history.theta, test.X, test.y)
    print(f"  test accuracy {reached:.2%} after {epochs} epochs, {seconds:.1f} s  (target: at least 98 %)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with MNIST, instead of COURSE_DATA")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=12, help="of the run whose accuracy is measured")
    options = parser.parse_args()
    if options.data:
        os.environ["COURSE_DATA"] = options.data
    print(f"threads: {THREADS}; NumPy {np.__version__}; PyTorch {'measured' if TORCH else 'not installed'}")

    part = digits_split()[0]
    net = MLP([64, 128, 64, 10], rng=np.random.default_rng(0), dtype=np.float32)
    arguments = net, part.X.astype(np.float32), part.y, 64
    print(f"digits: {net}, batch 64")
    compare("digits", *arguments, epochs=15, rounds=options.rounds)
    profile(*arguments)
    memory(*arguments)

    if "COURSE_DATA" not in os.environ:
        print("MNIST: left out; set COURSE_DATA or give --data")
        return
    train, _, test = mnist(validation=0)
    net = MLP([784, 256, 128, 10], rng=np.random.default_rng(0), dtype=np.float32)
    arguments = net, train.X[:20_000], train.y[:20_000], 128
    print(f"MNIST: {net}, batch 128")
    compare("MNIST", *arguments, epochs=1, rounds=options.rounds)
    profile(*arguments)
    memory(*arguments)
    learn_mnist(train, test, options.epochs)


if __name__ == "__main__":
    main()
