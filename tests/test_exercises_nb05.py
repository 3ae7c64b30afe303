"""The checks of notebook 05: right variants pass, usual mistakes get the hint they deserve."""

import numpy as np

from course_lib.exercises import nb05
from course_lib.initializers import glorot
from course_lib.layers import BatchNorm, Dense, Sigmoid
from tests.exercise_bank import bank

# --- right answers, written in other ways


def log_softmax_by_logaddexp(z):
    return z - np.logaddexp.reduce(z, axis=1)[:, None]


def log_softmax_by_rows(z):
    return np.array([row - row.max() - np.log(np.sum(np.exp(row - row.max()))) for row in z])


def backward_by_the_course(x, W, y, dy):
    dz = Sigmoid().backward((), y, dy)
    dW, db = np.empty_like(W), np.empty(W.shape[1])
    dx = Dense(*W.shape).backward((W, np.zeros(W.shape[1])), x, dz, (dW, db))
    return dx, dW, db


def backward_by_example(x, W, y, dy):
    dz = [di * (yi - yi**2) for di, yi in zip(dy, y, strict=True)]
    dW = sum(np.outer(xi, di) for xi, di in zip(x, dz, strict=True))
    return [np.array([W @ di for di in dz]), dW, sum(dz)]


def rms_layer_by_layer(n, std, layers):
    square = 1.0
    for _ in range(layers):
        square = n * std**2 * square / 2
    return square**0.5


def limit_by_the_course(n_in, n_out):
    return (3 * glorot().variance(n_in, n_out)) ** 0.5


def norm_by_the_course(x, gamma, beta, eps):
    return BatchNorm(x.shape[1], eps=eps).forward((gamma, beta), x, train=True)[0]


def norm_by_column(x, gamma, beta, eps):
    y = np.empty_like(x)
    for j in range(x.shape[1]):
        centred = x[:, j] - np.mean(x[:, j])
        y[:, j] = gamma[j] * centred * (np.mean(centred**2) + eps) ** -0.5 + beta[j]
    return y


def running_by_the_course(mean, var, x, momentum):
    stats, units = [mean.copy(), var.copy()], x.shape[1]
    layer = BatchNorm(units, momentum=momentum)
    layer.forward((np.ones(units), np.zeros(units)), x, train=True, stats=stats)
    return tuple(stats)


def running_towards(mean, var, x, momentum):
    spread = ((x - x.mean(axis=0)) ** 2).sum(axis=0) / (len(x) - 1)
    return mean + momentum * (x.mean(axis=0) - mean), var + momentum * (spread - var)


RIGHT = {
    nb05.check_log_softmax: [log_softmax_by_logaddexp, log_softmax_by_rows],
    nb05.check_sigmoid_backward: [backward_by_the_course, backward_by_example],
    nb05.check_relu_rms: [rms_layer_by_layer],
    nb05.check_glorot_limit: [limit_by_the_course],
    nb05.check_batch_norm: [norm_by_the_course, norm_by_column],
    nb05.check_update_running: [running_by_the_course, running_towards],
}


# --- wrong answers beyond the listed ones


def running_in_place(mean, var, x, momentum):
    mean += momentum * (x.mean(axis=0) - mean)
    var += momentum * (x.var(axis=0, ddof=1) - var)
    return mean, var


def backward_in_place(x, W, y, dy):
    dy *= y * (1 - y)
    return dy @ W.T, x.T @ dy, dy.sum(axis=0)


def _log_sum_about_the_mean(z):
    with np.errstate(over="ignore"):
        return np.log(np.exp(z - z.mean(axis=1, keepdims=True)).sum(axis=1, keepdims=True))


def _log_softmax_about_the_smallest(z):
    z = z - z.min(axis=1, keepdims=True)
    with np.errstate(over="ignore"):
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def _log_softmax_with_the_sign_turned(z):
    m = z.max(axis=1, keepdims=True)
    return z - m + np.log(np.exp(z - m).sum(axis=1, keepdims=True))


def backward_with_dy_for_the_weights(x, W, y, dy):
    dz = dy * y * (1 - y)
    return dz @ W.T, x.T @ dy, dz.sum(axis=0)


def softmax_in_place(z):
    z -= z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def norm_with_literal_brackets(x, gamma, beta, eps):
    return gamma * x - x.mean(axis=0) / np.sqrt(x.var(axis=0) + eps) + beta


WRONG = {
    nb05.check_log_softmax: [
        (lambda z: z - z.max(axis=1, keepdims=True), ""),
        (lambda z: np.log(np.exp(z - z.max()) + 1e-12), ""),
        (lambda z: z - z.max(axis=1, keepdims=True) - np.exp(z).sum(axis=1, keepdims=True), ""),
        (lambda z: (z - z.mean(axis=1, keepdims=True)) - _log_sum_about_the_mean(z), "not the mean"),
        (_log_softmax_about_the_smallest, "or the smallest"),
        (_log_softmax_with_the_sign_turned, "its sign is turned round"),
        (softmax_in_place, "Make a new array"),
    ],
    nb05.check_sigmoid_backward: [
        (lambda x, W, y, dy: (dy @ W.T, x.T @ dy), ""),
        (lambda x, W, y, dy: (dy, W, x), ""),
        (lambda x, W, y, dy: (dy @ W.T * y * (1 - y), x.T @ dy, dy.sum(axis=0)), ""),
        (backward_with_dy_for_the_weights, "go through the sigmoid first"),
        (backward_in_place, "Make a new array"),
    ],
    nb05.check_relu_rms: [
        (lambda n, std, layers: 1.0, ""),
        (lambda n, std, layers: (n * std**2 / 2) ** (layers // 2), ""),
    ],
    nb05.check_glorot_limit: [(lambda n_in, n_out: np.sqrt(6 / n_in + n_out), "")],
    nb05.check_batch_norm: [
        (lambda x, gamma, beta, eps: gamma * x + beta, ""),
        (norm_with_literal_brackets, ""),
    ],
    nb05.check_update_running: [
        (lambda mean, var, x, momentum: (mean, var), ""),
        (running_in_place, "Make a new array"),
    ],
}

TestBank = bank(nb05, right=RIGHT, wrong=WRONG)
