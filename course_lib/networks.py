r"""Multilayer perceptrons on one flat parameter vector.

All weights and biases of a network stand behind one another in one vector θ; its layers see reshaped views of
it, and write their part of the gradient into views of one vector of the same length. So whatever works on a
point works on a network: every update rule, the finite differences of `course_lib.derivatives`, `minimize`.
"""

import io
import json
import math

import numpy as np

from course_lib._checks import finite_array, number_in, one_of, require, whole_number
from course_lib._whole import write_whole
from course_lib.initializers import he
from course_lib.layers import (
    ELU,
    BatchNorm,
    Dense,
    Dropout,
    LayerNorm,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Tanh,
    mean_squared_error,
    softmax_cross_entropy,
)

__all__ = [
    "ELU",
    "MLP",
    "BatchNorm",
    "Dense",
    "Dropout",
    "LayerNorm",
    "LeakyReLU",
    "ReLU",
    "Sigmoid",
    "Tanh",
    "load",
    "mean_squared_error",
    "softmax_cross_entropy",
]

ACTIVATIONS = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU, "leaky relu": LeakyReLU, "elu": ELU}
NORMS = {"batch": BatchNorm, "layer": LayerNorm}
LOSSES = ("cross-entropy", "mean squared error")
MARK = "course_lib.networks.MLP, version 1"


class MLP:
    r"""A multilayer perceptron: dense layers, each but the last followed by norm, activation and dropout.

    .. math:: h_1 = \varphi(x W_1 + b_1), \quad h_2 = \varphi(h_1 W_2 + b_2), \quad \ldots, \quad
              z = h_{l-1} W_l + b_l

    Parameters
    ----------
    sizes : sequence of int
        Numbers of inputs, of units in each hidden layer, and of outputs.
    activation : str or layer, default "relu"
        "sigmoid", "tanh", "relu", "leaky relu", "elu", or a layer such as ``LeakyReLU(0.1)``.
    initializer : callable, default he()
        Draws the weights, see `course_lib.initializers`. Biases start at 0.
    norm : None, "batch" or "layer"
        Normalisation before each activation.
    dropout : float, default 0
        Probability to drop a hidden unit, in [0, 1).
    rng : numpy.random.Generator
        Draws `theta0`.
    dtype : dtype, default float64
        Of parameters, activations and gradients: float64 or float32.
    loss : "cross-entropy" (default) or "mean squared error"
        Softmax cross-entropy with whole-number labels ``(B,)``, or the mean of squared errors against
        targets ``(B, n_out)``.
    smoothing : float, default 0
        Label smoothing of the cross-entropy, in [0, 1).

    Attributes
    ----------
    theta0 : ndarray of shape (n_parameters,)
        The first parameters; read-only.
    n_parameters : int
        How many they are.
    stats : list
        Running mean and variance of each `BatchNorm`, which only ``loss_and_grad(…, train=True)`` moves.

    Raises
    ------
    ValueError
        If an argument does not fit.

    Examples
    --------
    >>> net = MLP([2, 3, 2], rng=np.random.default_rng(0))
    >>> net
    MLP(2-3-2, relu, 17 parameters, float64)
    >>> loss, grad = net.loss_and_grad(net.theta0, np.array([[1.0, 2.0]]), np.array([0]))
    >>> grad.shape
    (17,)
    """

    def __init__(
        self,
        sizes,
        activation="relu",
        initializer=None,
        norm=None,
        dropout=0.0,
        rng=None,
        *,
        dtype=np.float64,
        loss="cross-entropy",
        smoothing=0.0,
    ):
        counts = isinstance(sizes, list | tuple) and len(sizes) > 1
        require(counts, "sizes", sizes, "a list of at least 2 numbers", "Take [64, 32, 10].")
        self.sizes = [whole_number("sizes", n, 1, "Each is a number of units.") for n in sizes]
        self.activation = activation
        if isinstance(activation, str):
            one_of("activation", activation, tuple(ACTIVATIONS), "Or give a layer.")
            activation = ACTIVATIONS[activation]()
        require(hasattr(activation, "backward"), "activation", activation, "a layer", "Take 'relu'.")
        require(
            norm is None or norm in NORMS, "norm", norm, "None, 'batch' or 'layer'", "Choose one of them."
        )
        able = isinstance(rng, np.random.Generator)
        require(able, "rng", rng, "a numpy Generator", "Take rng=np.random.default_rng(0).")
        self.dtype = np.dtype(dtype)
        small = self.dtype in (np.float32, np.float64)
        require(small, "dtype", dtype, "float64 or float32", "Take np.float64.")
        self.norm, self.loss_name = norm, one_of("loss", loss, LOSSES)
        self.dropout = number_in("dropout", dropout, 0, 1, "0.5 is usual.", open_high=True)
        self.smoothing = number_in("smoothing", smoothing, 0, 1, "0.1 is usual.", open_high=True)
        self.layers = self._build(activation, he() if initializer is None else initializer)
        self.shapes = [layer.shapes for layer in self.layers]
        self.n_parameters = sum(math.prod(shape) for shapes in self.shapes for shape in shapes)
        theta0 = np.empty(self.n_parameters, self.dtype)
        for layer, views in zip(self.layers, self.unpack(theta0), strict=True):
            for view, value in zip(views, layer.start(rng), strict=True):
                view[...] = value
        theta0.flags.writeable = False
        self.theta0 = theta0
        self.stats = [
            [np.zeros(layer.n), np.ones(layer.n)] if isinstance(layer, BatchNorm) else None
            for layer in self.layers
        ]

    def _build(self, activation, initializer):
        layers = []
        for n_in, n_out in zip(self.sizes[:-2], self.sizes[1:-1], strict=True):
            layers.append(Dense(n_in, n_out, initializer))
            if self.norm:
                layers.append(NORMS[self.norm](n_out))
            layers.append(activation)
            if self.dropout:
                layers.append(Dropout(self.dropout))
        return [*layers, Dense(self.sizes[-2], self.sizes[-1], initializer)]

    def __repr__(self):
        kind = self.activation if isinstance(self.activation, str) else repr(self.activation)
        extras = [f"{self.norm} norm"] if self.norm else []
        extras += [f"dropout {self.dropout:g}"] if self.dropout else []
        sizes = "-".join(map(str, self.sizes))
        return f"MLP({', '.join([sizes, kind, *extras])}, {self.n_parameters:,} parameters, {self.dtype})"

    def unpack(self, theta):
        """Return, for each layer, its parameters as views of the flat vector.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            Parameters, or a gradient by them.

        Returns
        -------
        list of tuples of ndarrays

        Raises
        ------
        ValueError
            If the length is not `n_parameters`.
        """
        fits = isinstance(theta, np.ndarray) and theta.shape == (self.n_parameters,)
        remedy = "Start from net.theta0."
        require(fits, "theta", theta, f"an array of shape ({self.n_parameters},)", remedy)
        views, end = [], 0
        for shapes in self.shapes:
            parts = []
            for shape in shapes:
                begin, end = end, end + math.prod(shape)
                parts.append(theta[begin:end].reshape(shape))
            views.append(tuple(parts))
        return views

    def decay_mask(self):
        """Return a vector with 1 where weight decay applies, 0 for biases and norm parameters.

        Returns
        -------
        ndarray of shape (n_parameters,)
        """
        mask = np.ones(self.n_parameters, self.dtype)
        for layer, views in zip(self.layers, self.unpack(mask), strict=True):
            for view, spared in zip(views, layer.spared, strict=True):
                view[...] = not spared
        return mask

    def forward(self, theta, X, *, train=False, rng=None, stats=None):
        """Return the activations of every layer.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
        X : array_like of shape (B, n_in)
        train : bool, default False
            Whether batch norm takes the batch's own statistics, and dropout drops.
        rng : numpy.random.Generator, optional
            Needed by dropout in training mode.
        stats : list, optional
            Running statistics for batch norm: moved in training mode; by default those of the network, read
            only.

        Returns
        -------
        outputs : list of ndarrays
            The inputs, then what each layer gives; the last are the logits.
        caches : list
            What the way back needs.

        Raises
        ------
        ValueError
            If the shapes do not fit, or the batch is empty.
        """
        X = np.asarray(X, self.dtype)
        fits = X.ndim == 2 and X.shape[1] == self.sizes[0] and len(X) > 0
        remedy = "Give one example a row, and at least one."
        require(fits, "X.shape", X.shape, f"(B, {self.sizes[0]}) with B > 0", remedy)
        if stats is None and not train:
            stats = self.stats
        outputs, caches = [X], []
        for i, (layer, params) in enumerate(zip(self.layers, self.unpack(theta), strict=True)):
            y, cache = layer.forward(params, outputs[-1], train, rng, stats and stats[i])
            outputs.append(y)
            caches.append(cache)
        return outputs, caches

    def loss_and_grad(self, theta, X, y, rng=None, *, train=True):
        """Return the loss of a batch, and its gradient by all parameters.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
        X : array_like of shape (B, n_in)
        y : array_like of shape (B,), or (B, n_out) for squared errors
        rng : numpy.random.Generator, optional
            Needed by dropout in training mode.
        train : bool, default True
            Training mode moves `stats`; evaluation mode is the loss that `predict` goes with.

        Returns
        -------
        loss : float
        grad : ndarray of shape (n_parameters,)

        Raises
        ------
        ValueError
            If the shapes do not fit, the batch is empty, or a label is no class.
        """
        return self._loss_and_grad(theta, X, y, rng, train, self.stats)

    def _loss_and_grad(self, theta, X, y, rng, train, stats):
        outputs, caches = self.forward(theta, X, train=train, rng=rng, stats=stats)
        loss, d = self._loss(outputs[-1], y)
        params, grad = self.unpack(theta), np.empty(self.n_parameters, self.dtype)
        way = list(zip(self.layers, params, caches, self.unpack(grad), strict=True))
        for layer, p, cache, g in way[:0:-1]:
            d = layer.backward(p, cache, d, g)
        layer, p, cache, g = way[0]
        layer.backward(p, cache, d, g, first=True)  # nobody asks for the gradient by the data
        return loss, grad

    def _loss(self, outputs, y):
        if self.loss_name == "cross-entropy":
            return softmax_cross_entropy(outputs, np.asarray(y), self.smoothing)
        return mean_squared_error(outputs, np.asarray(y, self.dtype))

    def loss(self, theta, X, y):
        """Return the loss in evaluation mode; the arguments and errors are those of `loss_and_grad`."""
        return self._loss(self.forward(theta, X)[0][-1], y)[0]

    def predict(self, theta, X):
        """Return the classes (or the outputs, for squared errors) in evaluation mode.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
        X : array_like of shape (B, n_in)

        Returns
        -------
        ndarray of shape (B,) of int, or (B, n_out)
        """
        outputs = self.forward(theta, X)[0][-1]
        return outputs.argmax(axis=1) if self.loss_name == "cross-entropy" else outputs

    def accuracy(self, theta, X, y):
        """Return the share of examples whose predicted class is right."""
        return float((self.predict(theta, X) == np.asarray(y)).mean())

    def landscape(self, X, y):
        """Return the loss over θ on these examples, as `minimize` and the finite differences take it.

        Training mode without dropout's chance: a network with dropout is refused. `stats` is left alone.

        Parameters
        ----------
        X : array_like of shape (N, n_in)
        y : array_like of shape (N,) or (N, n_out)

        Returns
        -------
        callable
            ``problem(theta)`` and ``problem.grad(theta)`` for θ of shape ``(..., n_parameters)``, with
            ``rows=`` for a minibatch.

        Raises
        ------
        ValueError
            If the network has dropout.
        """
        remedy = "The loss would differ at each call."
        require(not self.dropout, "dropout", self.dropout, "0 for a landscape", remedy)
        return _Landscape(self, np.asarray(X, self.dtype), np.asarray(y))

    def save(self, path, theta):
        """Write the network and its parameters to an .npz file, whole or not at all.

        Parameters
        ----------
        path : path-like
        theta : ndarray of shape (n_parameters,)

        Raises
        ------
        ValueError
            If `theta` does not fit, or the activation is given by a layer of another module.
        """
        self.unpack(theta)
        options = {"sizes": self.sizes, "activation": _written(self.activation), "norm": self.norm}
        options |= {"dropout": self.dropout, "loss": self.loss_name, "smoothing": self.smoothing}
        stats = {f"stats{i}": np.array(s) for i, s in enumerate(self.stats) if s is not None}
        words = np.frombuffer(json.dumps(options | {"dtype": self.dtype.name}).encode(), np.uint8)
        file, mark = io.BytesIO(), np.frombuffer(MARK.encode(), np.uint8)
        np.savez(file, mark=mark, options=words, theta=theta, **stats)
        write_whole(path, file.getbuffer())


def load(path):
    """Return the network and the parameters that `MLP.save` wrote.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    net : MLP
    theta : ndarray

    Raises
    ------
    ValueError
        If the file is none that `MLP.save` wrote. Nothing in it is executed.
    """
    remedy = "Give a file that MLP.save wrote."
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            parts = {name: file[name] for name in file.files}
        require(parts["mark"].tobytes().decode() == MARK, "path", str(path), "a saved MLP", remedy)
        options = json.loads(parts["options"].tobytes())
        activation = _read(options.pop("activation"))
        rng = np.random.default_rng(0)
        net = MLP(activation=activation, initializer=_nothing, rng=rng, **options)
        theta = finite_array("theta", parts["theta"], remedy)
        net.unpack(theta)
        for i, stats in enumerate(net.stats):
            if stats is not None:
                stats[0], stats[1] = np.array(parts[f"stats{i}"].reshape(2, -1), float)
                require(len(stats[0]) == net.layers[i].n, "path", str(path), "a saved MLP", remedy)
    except FileNotFoundError:
        raise
    except Exception as error:  # a foreign file can fail in any way
        raise ValueError(f"path = {str(path)!r}: must be a saved MLP. {remedy} ({error})") from error
    return net, theta


def _nothing(rng, fan_in, fan_out):
    return 0.0


def _written(activation):
    """Return an activation as JSON: its name, or the name and the numbers of the layer."""
    if isinstance(activation, str):
        return activation
    name = type(activation).__name__
    ours = type(activation) in ACTIVATIONS.values()
    require(ours, "activation", activation, "one of course_lib's to be saved", "Save theta with np.save.")
    return [name, vars(activation)]


def _read(written):
    if isinstance(written, str):
        return written
    name, values = written
    return {kind.__name__: kind for kind in ACTIVATIONS.values()}[name](**values)


class _Landscape:
    """The loss of a network over θ, one point after the other."""

    def __init__(self, net, X, y):
        self.net, self.X, self.y = net, X, y
        self.name, self.dim = repr(net), net.n_parameters

    def _at(self, theta, rows, what):
        theta = np.asarray(theta, self.net.dtype)
        X, y = (self.X, self.y) if rows is None else (self.X[rows], self.y[rows])
        flat = theta.reshape(-1, theta.shape[-1])
        values = [self.net._loss_and_grad(point, X, y, None, True, None)[what] for point in flat]
        return np.array(values, self.net.dtype).reshape(theta.shape[: theta.ndim - 1 + what])

    def __call__(self, theta, rows=None):
        """Return the loss at each point."""
        return self._at(theta, rows, 0)[()]

    def grad(self, theta, rows=None):
        """Return the gradient at each point."""
        return self._at(theta, rows, 1)
