import json
import math
import re

import numpy as np
import pytest

from course_lib import layers, networks
from course_lib.datasets import digits
from course_lib.derivatives import gradient
from course_lib.descent import minimize
from course_lib.initializers import glorot, normal, zeros
from course_lib.networks import (
    ELU,
    MLP,
    BatchNorm,
    Dense,
    Dropout,
    LayerNorm,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Tanh,
    load,
    mean_squared_error,
    softmax_cross_entropy,
)
from course_lib.optimizers import Adam, GradientDescent


def rng(seed=0):
    return np.random.default_rng(seed)


def away(x, distance=1e-3):
    """Return x with a gap round the kink at 0."""
    return x + np.where(x >= 0, distance, -distance)


def relative(a, b):
    """Return the distance of two arrays relative to their size, with an absolute floor."""
    return np.linalg.norm(a - b) / max(np.linalg.norm(a), np.linalg.norm(b), 1e-6)


# ---- Layers against finite differences ------------------------------------------------------------------

LAYERS = {
    "dense": lambda n: Dense(n, 4),
    "sigmoid": lambda n: Sigmoid(),
    "tanh": lambda n: Tanh(),
    "relu": lambda n: ReLU(),
    "leaky": lambda n: LeakyReLU(0.3),
    "elu": lambda n: ELU(0.7),
    "batch norm": lambda n: BatchNorm(n),
    "layer norm": lambda n: LayerNorm(n),
    "dropout": lambda n: Dropout(0.4),
}


@pytest.mark.parametrize("batch", [1, 2, 5, 64])
@pytest.mark.parametrize("n", [1, 3, 8])
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_backward_is_the_derivative_of_forward(name, train, n, batch):
    if name == "batch norm" and train and batch == 1:  # refused, see below
        batch = 3
    layer, chance = LAYERS[name](n), rng(batch + 10 * n)
    x = away(chance.standard_normal((batch, n)))
    params = tuple(chance.standard_normal(shape) for shape in layer.shapes)
    stats = [chance.standard_normal(n), 0.5 + chance.random(n)]

    def forward(params, x):
        copies = [s.copy() for s in stats]
        return layer.forward(params, x, train, rng(5), copies)

    y, cache = forward(params, x)
    weights = chance.standard_normal(y.shape)
    out = tuple(np.full(shape, np.nan) for shape in layer.shapes)
    kept = x.copy()
    dx = layer.backward(params, cache, weights.copy(), out)
    assert (x == kept).all()
    scale = 1e-6 if name == "batch norm" and batch == 2 else 1e-7
    numerical = gradient(lambda v: float((forward(params, v)[0] * weights).sum()), x, method="five-point")
    assert relative(dx, numerical) < scale
    for i, part in enumerate(params):

        def changed(v, i=i):
            return float((forward((*params[:i], v, *params[i + 1 :]), x)[0] * weights).sum())

        assert relative(out[i], gradient(changed, part, method="five-point")) < scale


def test_activations_at_known_points():
    x = np.array([[-800.0, -1.0, 0.0, 2.0, 800.0]])
    value = {
        name: LAYERS[name](5).forward((), x)[0][0] for name in ("sigmoid", "tanh", "relu", "leaky", "elu")
    }
    np.testing.assert_allclose(value["sigmoid"], [0, 1 / (1 + math.e), 0.5, 1 / (1 + math.exp(-2)), 1])
    np.testing.assert_allclose(value["tanh"], [-1, -math.tanh(1), 0, math.tanh(2), 1])
    assert value["relu"].tolist() == [0, 0, 0, 2, 800]
    assert value["leaky"].tolist() == [-240, -0.3, 0, 2, 800]
    np.testing.assert_allclose(value["elu"], [-0.7, 0.7 * (1 / math.e - 1), 0, 2, 800])


def test_slopes_at_the_kink_and_defaults():
    zero, one = np.zeros((1, 1)), np.ones((1, 1))
    slopes = [
        layer.backward((), layer.forward((), zero)[1], one)[0, 0] for layer in (ReLU(), LeakyReLU(), ELU())
    ]
    assert slopes == [0, 0.01, 1]
    assert (BatchNorm(3).momentum, BatchNorm(3).eps, LayerNorm(3).eps) == (0.1, 1e-5, 1e-5)


def test_dense_starts_as_its_initializer_says():
    W, b = Dense(400, 300).start(rng())
    assert W.var() == pytest.approx(2 / 400, rel=0.02)
    assert (b == np.zeros(300)).all()
    W, _ = Dense(3, 2, normal(5.0)).start(rng())
    assert np.abs(W).max() > 1


# ---- Normalisation and dropout --------------------------------------------------------------------------


def test_batch_norm_standardises_and_can_undo_it():
    x = rng().normal(5, 3, (200, 4))
    norm = BatchNorm(4, eps=0)
    y, _ = norm.forward(norm.start(None), x, train=True)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=0), 1)
    undone, _ = norm.forward((x.std(axis=0), x.mean(axis=0)), x, train=True)
    np.testing.assert_allclose(undone, x)


def test_batch_norm_follows_the_batches_and_uses_what_it_followed():
    norm, stats = BatchNorm(2, momentum=0.25), [np.zeros(2), np.ones(2)]
    x = np.array([[1.0, 10.0], [3.0, 30.0]])
    norm.forward(norm.start(None), x, True, None, stats)
    np.testing.assert_allclose(stats[0], [0.5, 5])
    np.testing.assert_allclose(stats[1], 0.75 + 0.25 * np.array([2, 200]))  # the variance with 1/(B − 1)
    y, _ = norm.forward((np.array([2.0, 1.0]), np.array([0.0, 7.0])), x, False, None, stats)
    expected = (x - stats[0]) / np.sqrt(stats[1] + 1e-5) * [2, 1] + [0, 7]
    np.testing.assert_allclose(y, expected)
    with pytest.raises(ValueError, match=r"^len\(x\) = 1: must be at least 2 in training mode. Take larger"):
        norm.forward(norm.start(None), x[:1], True)


def test_the_bias_before_batch_norm_has_no_gradient():
    net = MLP([3, 4, 2], norm="batch", rng=rng())
    x, y = rng(1).standard_normal((16, 3)), np.arange(16) % 2
    _, grad = net.loss_and_grad(net.theta0, x, y)
    (_, b), *_ = net.unpack(grad)
    assert np.abs(b).max() < 1e-15
    assert np.abs(grad).max() > 1e-3


def test_layer_norm_standardises_each_example():
    x = rng().normal(5, 3, (7, 50))
    norm = LayerNorm(50, eps=0)
    y, _ = norm.forward(norm.start(None), x)
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=1), 1)
    np.testing.assert_allclose(norm.forward((np.full(50, 2.0), np.ones(50)), x)[0], 2 * y + 1)


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_dropout_keeps_the_expectation(p):
    x = np.ones((400, 500))
    y, factors = Dropout(p).forward((), x, True, rng())
    assert (y == 0).mean() == pytest.approx(p, abs=0.01)
    assert y.mean() == pytest.approx(1, abs=0.02)
    assert set(np.unique(factors).round(9)) == {0, round(1 / (1 - p), 9)}
    assert Dropout(p).forward((), x, False)[0] is x
    assert Dropout(0).forward((), x, True)[0] is x
    with pytest.raises(
        ValueError, match=r"^rng = None: must be a numpy Generator in training mode. Dropout draws"
    ):
        Dropout(p).forward((), x, True)


# ---- Losses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_cross_entropy_by_its_definition(smoothing):
    logits, y = rng().standard_normal((6, 4)), rng(1).integers(0, 4, 6)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    q = (1 - smoothing) * np.eye(4)[y] + smoothing / 4
    loss, d = softmax_cross_entropy(logits, y, smoothing)
    assert loss == pytest.approx(-(q * np.log(p)).sum() / 6)
    np.testing.assert_allclose(d, (p - q) / 6)
    numerical = gradient(lambda z: softmax_cross_entropy(z, y, smoothing)[0], logits, method="five-point")
    assert relative(d, numerical) < 1e-9


@pytest.mark.parametrize("size", [1e4, 1e300])
def test_cross_entropy_of_huge_logits(size):
    logits = np.array([[size, 0, -size], [size, 0, -size]])
    loss, d = softmax_cross_entropy(logits, np.array([0, 2]))
    assert loss == pytest.approx(size)
    np.testing.assert_allclose(d, [[0, 0, 0], [0.5, 0, -0.5]])
    net = MLP([1, 3], initializer=zeros(), rng=rng())
    theta = net.theta0.copy()
    theta[:3] = [1e4, 0, -1e4]
    loss, grad = net.loss_and_grad(theta, [[1.0]], [2])
    assert (loss, np.isfinite(grad).all()) == (2e4, True)


def test_squared_error():
    outputs, y = rng().standard_normal((5, 3)), rng(1).standard_normal((5, 3))
    loss, d = mean_squared_error(outputs, y)
    assert loss == pytest.approx(((outputs - y) ** 2).sum() / 15)
    np.testing.assert_allclose(d, 2 * (outputs - y) / 15)


# ---- Networks -------------------------------------------------------------------------------------------

NETWORKS = {
    "relu": {},
    "tanh, batch norm": {"activation": "tanh", "norm": "batch"},
    "sigmoid, layer norm": {"activation": "sigmoid", "norm": "layer"},
    "elu, smoothing": {"activation": "elu", "smoothing": 0.2},
    "leaky, squared errors": {"activation": LeakyReLU(0.2), "loss": "mean squared error"},
}


@pytest.mark.parametrize("batch", [2, 7, 64])
@pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS.keys())
def test_gradient_of_a_network(options, batch):
    net = MLP([4, 6, 5, 3], initializer=glorot(), rng=rng(3), **options)
    theta = net.theta0 + 0.1 * rng(4).standard_normal(net.n_parameters)
    X = rng(5).standard_normal((batch, 4))
    y = rng(6).standard_normal((batch, 3)) if "loss" in options else rng(6).integers(0, 3, batch)
    for train in (True, False):
        _, grad = net.loss_and_grad(theta, X, y, train=train)
        stats = [s and [s[0].copy(), s[1].copy()] for s in net.stats]

        def loss(point, train=train, stats=stats):
            net.stats = [s and [s[0].copy(), s[1].copy()] for s in stats]
            return net.loss_and_grad(point, X, y, train=train)[0]

        numerical = gradient(loss, theta)  # a longer step would meet kinks
        assert relative(grad, numerical) < (1e-6 if options.get("norm") == "batch" and batch == 2 else 1e-7)


def test_gradient_with_dropout_at_fixed_chance():
    net = MLP([4, 8, 3], dropout=0.5, activation="tanh", rng=rng())
    X, y = rng(1).standard_normal((9, 4)), rng(2).integers(0, 3, 9)
    _, grad = net.loss_and_grad(net.theta0, X, y, rng(7))
    numerical = gradient(
        lambda t: net.loss_and_grad(t, X, y, rng(7))[0], net.theta0.copy(), method="five-point"
    )
    assert relative(grad, numerical) < 1e-7


def test_forward_by_hand():
    net = MLP([2, 3, 2], rng=rng())
    (W1, b1), _, (W2, b2) = net.unpack(net.theta0)
    X = rng(1).standard_normal((5, 2))
    logits = np.maximum(X @ W1 + b1, 0) @ W2 + b2
    outputs, _ = net.forward(net.theta0, X)
    np.testing.assert_allclose(outputs[-1], logits)
    assert len(outputs) == 4
    assert (net.predict(net.theta0, X) == logits.argmax(axis=1)).all()
    y = np.array([0, 1, 1, 0, 1])
    assert net.accuracy(net.theta0, X, y) == (logits.argmax(axis=1) == y).mean()
    assert net.loss(net.theta0, X, y) == net.loss_and_grad(net.theta0, X, y)[0]
    other = MLP([2, 3, 2], loss="mean squared error", rng=rng())
    np.testing.assert_allclose(other.predict(other.theta0, X), logits)


def test_views_share_the_vector():
    net = MLP([2, 3, 2], norm="layer", rng=rng())
    theta = np.arange(float(net.n_parameters))
    parts = [part for views in net.unpack(theta) for part in views]
    assert [part.shape for part in parts] == [(2, 3), (3,), (3,), (3,), (3, 2), (2,)]
    np.testing.assert_array_equal(np.concatenate([part.ravel() for part in parts]), theta)
    parts[0][1, 2] = -1
    assert theta[5] == -1
    assert net.n_parameters == 6 + 3 + 3 + 3 + 6 + 2


def test_theta0_is_drawn_and_kept():
    net = MLP([400, 300, 2], rng=rng())
    (W1, b1), _, _ = net.unpack(net.theta0)
    assert W1.var() == pytest.approx(2 / 400, rel=0.02)
    assert (b1 == 0).all()
    with pytest.raises(ValueError, match="read-only"):
        net.theta0[0] = 1
    assert (MLP([400, 300, 2], rng=rng()).theta0 == net.theta0).all()


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_decay_spares_biases_and_norms(norm):
    net = MLP([2, 3, 2], norm=norm, rng=rng())
    mask = net.decay_mask()
    parts = [sorted(set(part.ravel().tolist())) for views in net.unpack(mask) for part in views]
    assert parts == [[1], [0], [0], [0], [1], [0]]


def test_only_training_moves_the_running_statistics():
    net = MLP([2, 3, 2], norm="batch", rng=rng())
    X, y = rng(1).standard_normal((8, 2)), np.arange(8) % 2
    before = net.loss(net.theta0, X, y)
    net.landscape(X, y)(net.theta0)
    net.forward(net.theta0, X, train=True)
    net.loss_and_grad(net.theta0, X, y, train=False)
    assert net.loss(net.theta0, X, y) == before
    net.loss_and_grad(net.theta0, X, y)
    assert net.loss(net.theta0, X, y) != before


@pytest.mark.parametrize(
    "options", [{}, {"norm": "batch"}, {"norm": "layer", "activation": "elu"}, {"dropout": 0.5}]
)
def test_float32_stays_float32(options):
    net = MLP([4, 8, 3], dtype=np.float32, rng=rng(), smoothing=0.1, **options)
    X, y = rng(1).standard_normal((5, 4)), rng(2).integers(0, 3, 5)
    _, grad = net.loss_and_grad(net.theta0, X, y, rng(3))
    outputs, _ = net.forward(net.theta0, X)
    assert {net.theta0.dtype, grad.dtype, *(o.dtype for o in outputs)} == {np.dtype(np.float32)}
    double = MLP([4, 8, 3], rng=rng(), smoothing=0.1, **options)
    assert relative(double.loss_and_grad(double.theta0, X, y, rng(3))[1], grad) < 1e-5


def test_an_update_rule_and_minimize_take_a_network():
    data = digits()
    X, y = data.X[:200], data.y[:200]
    net = MLP([64, 16, 10], rng=rng())
    path = minimize(net.landscape(X, y), net.theta0, Adam(0.01), 60, keep="last")
    assert path.loss[-1] < 0.1
    assert net.accuracy(path.x[-1], X, y) > 0.97
    theta, rule = net.theta0, GradientDescent(0.5)
    state = rule.init(theta)
    for _ in range(3):
        theta, state = rule.step(theta, net.loss_and_grad(theta, X, y)[1], state)
    np.testing.assert_allclose(minimize(net.landscape(X, y), net.theta0, rule, 3).x[-1], theta, rtol=1e-12)


def test_landscape_takes_batches_of_points_and_of_examples():
    net = MLP([2, 3, 2], rng=rng())
    X, y = rng(1).standard_normal((9, 2)), np.arange(9) % 2
    land = net.landscape(X, y)
    points = net.theta0 + rng(2).standard_normal((2, 3, net.n_parameters))
    assert land(points).shape == (2, 3)
    assert land.grad(points).shape == points.shape
    assert land(points)[1, 2] == land(points[1, 2]) == net.loss(points[1, 2], X, y)
    rows = np.array([0, 4])
    np.testing.assert_allclose(
        land.grad(net.theta0, rows=rows), net.loss_and_grad(net.theta0, X[rows], y[rows])[1]
    )


# ---- Files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"norm": "batch", "dropout": 0.25, "smoothing": 0.1},
        {"activation": LeakyReLU(0.3), "dtype": "float32"},
    ],
)
def test_what_was_saved_is_loaded(options, tmp_path):
    net = MLP([4, 6, 3], rng=rng(), **options)
    X, y = rng(1).standard_normal((8, 4)), rng(2).integers(0, 3, 8)
    net.loss_and_grad(net.theta0, X, y, rng(3))
    theta = net.theta0 + np.float32(0.5)
    net.save(tmp_path / "net.npz", theta)
    again, loaded = load(tmp_path / "net.npz")
    assert repr(again) == repr(net)
    assert loaded.dtype == theta.dtype
    np.testing.assert_array_equal(loaded, theta)
    np.testing.assert_array_equal(again.forward(loaded, X)[0][-1], net.forward(theta, X)[0][-1])
    assert again.loss(loaded, X, y) == net.loss(theta, X, y)
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    net = MLP([4, 6, 3], rng=rng())
    net.save(tmp_path / "net.npz", net.theta0)
    before = (tmp_path / "net.npz").read_bytes()

    def broken(file, **parts):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(networks.np, "savez", broken)
    with pytest.raises(KeyboardInterrupt):
        net.save(tmp_path / "net.npz", net.theta0 + 1)
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]
    assert (tmp_path / "net.npz").read_bytes() == before


def foreign(name, path):
    net = MLP([4, 6, 3], norm="batch", rng=rng())
    net.save(path, net.theta0)
    with np.load(path) as file:
        parts = dict(file)
    options = json.loads(parts["options"].tobytes())
    if name == "text":
        path.write_text("weights")
    elif name == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif name == "pickle":
        np.savez(path, **(parts | {"theta": np.array([{}], dtype=object)}))
    elif name == "another mark":
        np.savez(path, **(parts | {"mark": np.frombuffer(b"other", np.uint8)}))
    elif name == "no mark":
        np.savez(path, theta=net.theta0)
    elif name == "short":
        np.savez(path, **(parts | {"theta": net.theta0[:-1]}))
    elif name == "NaN":
        np.savez(path, **(parts | {"theta": net.theta0 * np.nan}))
    elif name == "statistics":
        np.savez(path, **(parts | {"stats1": np.ones((2, 5))}))
    elif name == "code":
        words = json.dumps(options | {"activation": ["os.system", {}]}).encode()
        np.savez(path, **(parts | {"options": np.frombuffer(words, np.uint8)}))


@pytest.mark.parametrize(
    "name", ["text", "cut", "pickle", "another mark", "no mark", "short", "NaN", "statistics", "code"]
)
def test_a_foreign_file_is_refused(name, tmp_path):
    path = tmp_path / "net.npz"
    foreign(name, path)
    with pytest.raises(
        ValueError, match=r"(?s)^path = '.*net.npz': must be a saved MLP. Give a file that MLP.save"
    ):
        load(path)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.npz")


# ---- Bad input ------------------------------------------------------------------------------------------


def small(**options):
    return MLP([2, 3, 2], rng=rng(), **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: MLP([2], rng=rng()),
            "sizes = [2]: must be a list of at least 2 numbers. Take [64, 32, 10].",
        ),
        (lambda: MLP([2, 0], rng=rng()), "sizes = 0: must be a whole number of at least 1. Each is a number"),
        (lambda: MLP(7, rng=rng()), "sizes = 7"),
        (lambda: small(activation="step"), "activation = 'step': must be one of 'sigmoid', 'tanh', 'relu', "),
        (lambda: small(activation=np.tanh), "activation = <ufunc 'tanh'>: must be a layer. Take 'relu'."),
        (
            lambda: small(norm="group"),
            "norm = 'group': must be None, 'batch' or 'layer'. Choose one of them.",
        ),
        (lambda: small(dropout=1), "dropout = 1: must be in [0, 1). 0.5 is usual."),
        (lambda: small(smoothing=-0.1), "smoothing = -0.1: must be in [0, 1). 0.1 is usual."),
        (
            lambda: small(loss="hinge"),
            "loss = 'hinge': must be one of 'cross-entropy', 'mean squared error'.",
        ),
        (lambda: small(dtype=int), "dtype = <class 'int'>: must be float64 or float32. Take np.float64."),
        (lambda: MLP([2, 2]), "rng = None: must be a numpy Generator. Take rng=np.random.default_rng(0)."),
        (
            lambda: small().loss_and_grad(np.zeros(3), [[1, 2]], [0]),
            "theta = array([0., 0., 0.]): must be an array of shape (17,). Start from net.theta0.",
        ),
        (
            lambda: small().loss_and_grad(small().theta0, np.zeros((0, 2)), np.zeros(0, int)),
            "X.shape = (0, 2): must be (B, 2) with B > 0. Give one example a row, and at least one.",
        ),
        (lambda: small().predict(small().theta0, [1.0, 2.0]), "X.shape = (2,): must be (B, 2) with B > 0."),
        (lambda: small().predict(small().theta0, [[1.0]]), "X.shape = (1, 1): must be (B, 2) with B > 0."),
        (
            lambda: small().loss(small().theta0, [[1, 2]], [2]),
            "y = array([2]): must be from 0 to 1. Count classes from 0.",
        ),
        (lambda: small().loss(small().theta0, [[1, 2]], [-1]), "y = array([-1]): must be from 0 to 1."),
        (
            lambda: small().loss(small().theta0, [[1, 2]], [0, 1]),
            "y = array([0, 1]): must be 1 whole numbers. Give one label for each example.",
        ),
        (lambda: small().loss(small().theta0, [[1, 2]], [0.0]), "y = array([0.]): must be 1 whole numbers."),
        (
            lambda: small(loss="mean squared error").loss(small().theta0, [[1, 2]], [0.0]),
            "y.shape = (1,): must be (1, 2). Give one number an output.",
        ),
        (
            lambda: small(dropout=0.5).landscape([[1, 2]], [0]),
            "dropout = 0.5: must be 0 for a landscape. The loss would differ at each call.",
        ),
        (
            lambda: softmax_cross_entropy(np.zeros((1, 2)), np.array([0]), 1),
            "smoothing = 1: must be in [0, 1).",
        ),
        (lambda: LeakyReLU(-0.1), "slope = -0.1: must be in [0, 1]. 0.01 is usual."),
        (lambda: ELU(math.nan), "alpha = nan: must be in [0, inf). 1 is usual."),
        (lambda: BatchNorm(0), "n = 0: must be a whole number of at least 1. It is the number of units."),
        (lambda: BatchNorm(2, momentum=1.5), "momentum = 1.5: must be in [0, 1]. 0.1 is usual."),
        (lambda: BatchNorm(2, eps=-1), "eps = -1: must be in [0, inf). 1e-5 is usual."),
        (lambda: LayerNorm(2, eps=-1), "eps = -1: must be in [0, inf). 1e-5 is usual."),
        (lambda: LayerNorm(1.5), "n = 1.5"),
        (lambda: Dropout(1.0), "p = 1.0: must be in [0, 1). 0.5 is usual."),
        (lambda: Dense(0, 1), "n_in = 0: must be a whole number of at least 1. It is the number of inputs."),
        (lambda: Dense(1, 0), "n_out = 0: must be a whole number of at least 1. It is the number of units."),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        call()


def test_a_layer_of_another_module_cannot_be_saved(tmp_path):
    class Swish(layers.Tanh):
        pass

    net = small(activation=Swish())
    with pytest.raises(ValueError, match=r"^activation = .*Swish.*: must be one of course_lib's to be saved"):
        net.save(tmp_path / "net.npz", net.theta0)
    with pytest.raises(ValueError, match=r"^theta = "):
        small().save(tmp_path / "net.npz", np.zeros(2))
    assert list(tmp_path.iterdir()) == []


def test_a_network_says_what_it_is():
    assert repr(small()) == "MLP(2-3-2, relu, 17 parameters, float64)"
    net = MLP([64, 100, 10], LeakyReLU(0.1), norm="batch", dropout=0.5, dtype=np.float32, rng=rng())
    text = "MLP(64-100-10, LeakyReLU(slope=0.1), batch norm, dropout 0.5, 7,710 parameters, float32)"
    assert repr(net) == text
