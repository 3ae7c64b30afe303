"""The checks of notebook 01: right variants pass, usual mistakes are refused with the hint that they need."""

import math

import numpy as np
import pytest

from course_lib.derivatives import check_gradient, derivative, gradient, hessian_vector
from course_lib.exercises import nb01
from course_lib.regressions import linear_regression, softmax, softmax_regression
from tests.exercise_bank import bank


def gradient_by_identity(f, x, h):
    units = np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in units]).reshape(x.shape)


def gradient_by_copies(f, x, h):
    g = np.empty(x.shape)
    for i in range(x.size):
        up, down = x.copy(), x.copy()
        up.flat[i] += h
        down.flat[i] -= h
        g.flat[i] = (f(up) - f(down)) / h / 2
    return g


def forward_loop(f, x, h):
    g = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        up = x.copy()
        up[i] += h
        g[i] = (f(up) - f(x)) / h
    return g


def never_steps_back(f, x, h):
    g, x = np.zeros(x.shape), x.copy()
    for i in np.ndindex(x.shape):
        before = f(x)
        x[i] += h
        g[i] = (f(x) - before) / h
    return g


def one_array_twice(f, x, h):
    g = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        up = down = x
        up[i] += h
        down[i] -= h
        g[i] = (f(up) - f(down)) / (2 * h)
    return g


def returns_inside(f, x, h):
    g = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[i] = h
        g[i] = (f(x + step) - f(x - step)) / (2 * h)
        return g


def by_rows(f, x, h):
    g = np.zeros(x.shape)
    for i in range(len(x)):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        g[i] = (f(up) - f(down)) / (2 * h)
    return g


def vectors_only(f, x, h):
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))])


def changes_x(f, x, h):
    g = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        x[i] += h
        up = f(x)
        x[i] -= 2 * h
        g[i] = (up - f(x)) / (2 * h)
    return g


def parts(theta, X, y):
    W, b = theta[:-10].reshape(-1, 10), theta[-10:]
    return X.T, softmax(X @ W + b) - np.eye(10)[y]


def classifier(theta, X, y):
    XT, E = parts(theta, X, y)
    return np.append(XT @ E / len(y), E.mean(axis=0))


def classifier_by_loop(theta, X, y):
    total = np.zeros_like(theta)
    for x, label in zip(X, y, strict=True):
        z = x @ theta[:-10].reshape(-1, 10) + theta[-10:]
        error = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
        error[label] -= 1
        total += np.concatenate([np.outer(x, error).ravel(), error])
    return total / len(y)


def classifier_with(bias, weights=lambda XT, E: XT @ E / E.shape[0]):
    def wrong(theta, X, y):
        XT, E = parts(theta, X, y)
        return np.append(weights(XT, E), bias(E))

    return wrong


def biases_first(theta, X, y):
    XT, E = parts(theta, X, y)
    return np.append(E.mean(axis=0), XT @ E / len(y))


def of_digits_only(theta, X, y):
    E = softmax(X @ theta[:640].reshape(64, 10) + theta[640:]) - np.eye(10)[y]
    return np.append(X.T @ E / len(y), E.mean(axis=0))


def without_one_hot(theta, X, y):
    E = softmax(X @ theta[:-10].reshape(-1, 10) + theta[-10:]) - y
    return np.append(X.T @ E / len(y), E.mean(axis=0))


def name_by_counting(H):
    values = np.linalg.eigvals(H).real
    values[abs(values) <= 1e-8 * abs(values).max()] = 0
    signs = set(np.sign(values))
    return {(1.0,): "minimum", (-1.0,): "maximum"}.get(
        tuple(signs), "saddle" if {1, -1} <= signs else "undecided"
    )


def name_by_extremes(H):
    low, high = np.linalg.eigvalsh(H)[[0, -1]]
    tiny = 1e-8 * max(abs(low), abs(high))
    if low > tiny:
        return "minimum"
    if high < -tiny:
        return "maximum"
    return "saddle" if low < -tiny and high > tiny else "undecided"


def name_by_ratio(H):
    values = np.linalg.eigvalsh(H)
    signs = np.where(np.abs(values) > 1e-8 * np.abs(values).max(), np.sign(values), 0)
    if signs.min() * signs.max() < 0:
        return "Saddle"
    return "Undecided" if (signs == 0).any() else ("Minimum" if signs[0] > 0 else "Maximum")


def name_with(
    tolerance=lambda values: 1e-8 * np.abs(values).max(), zero="undecided", low="maximum", high="minimum"
):
    def name(H):
        values = np.linalg.eigvalsh(H)
        tiny = tolerance(values)
        if (values > tiny).any() and (values < -tiny).any():
            return "saddle"
        return high if (values > tiny).all() else low if (values < -tiny).all() else zero

    return name


def name_by_largest_entry(H):
    return name_with(lambda values: 1e-8 * np.abs(H).max())(H)


def zero_first(H):
    values = np.linalg.eigvalsh(H)
    if (np.abs(values) <= 1e-8 * np.abs(values).max()).any():
        return "undecided"
    return "minimum" if values[0] > 0 else "maximum" if values[-1] < 0 else "saddle"


def by_determinant(H):
    d = np.linalg.det(H)
    return "minimum" if d > 0 else "saddle" if d < 0 else "undecided"


def zero_is_flat(H):
    values = np.linalg.eigvalsh(H)
    tiny = 1e-8 * np.abs(values).max()
    return "minimum" if values[0] >= -tiny else "maximum" if values[-1] <= tiny else "saddle"


def by_diagonal(H):
    values = np.diag(H)
    if (values > 0).any() and (values < 0).any():
        return "saddle"
    return "minimum" if (values > 0).all() else "maximum" if (values < 0).all() else "undecided"


def unit_step(grad, x, v, h):
    length = np.linalg.norm(v)
    return hessian_vector(grad, x, v / length, h=h) * length


RIGHT = {
    nb01.check_central: [
        lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h),
        lambda f, x, h: 0.5 / h * (f(x + h) - f(x - h)),
        lambda f, x, h: ((f(x + h) - f(x)) / h + (f(x) - f(x - h)) / h) / 2,
        lambda f, x, h: derivative(f, x, h=h),
    ],
    nb01.check_numerical_gradient: [
        gradient_by_identity,
        gradient_by_copies,
        lambda f, x, h: gradient(f, x, h=h),
    ],
    nb01.check_culprits: [
        ("sum", "half", "sign"),
        ["Sum", "HALF", " sign "],
    ],
    nb01.check_mended_softmax: [
        classifier,
        classifier_by_loop,
        lambda theta, X, y: softmax_regression(X, y, n_classes=10).grad(theta),
    ],
    nb01.check_classify: [name_by_counting, name_by_extremes, name_by_ratio, name_with()],
    nb01.check_hvp: [
        lambda grad, x, v, h: (grad(x + h * v) - grad(x - h * v)) / (2 * h),
        lambda grad, x, v, h: derivative(lambda t: grad(x + t * v), np.zeros_like(x), h=h),
        lambda grad, x, v, h: hessian_vector(grad, x, v, h=h),
    ],
}

WRONG = {
    nb01.check_central: [
        (lambda f, x, h: (f(x + h) - f(x - h)) / h, "divide by `2 * h`"),
        (lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h, "(a / 2) · h"),
        (lambda f, x, h: f(x + h) - f(x - h) / (2 * h), "brackets round the difference"),
        (lambda f, x, h: (f(x + h) - f(x)) / h, "forward difference: go to"),
        (lambda f, x, h: (f(x) - f(x - h)) / h, "backward difference"),
        (lambda f, x, h: (f(x + h) - f(x)) / (2 * h), "halved"),
        (lambda f, x, h: f(x + h) - f(x - h), "by the run"),
        (lambda f, x, h: (f(x + h) + f(x - h)) / (2 * h), "added"),
        (lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h), "opposite sign"),
        (lambda f, x, h: math.nan * x, "Rise over run"),
    ],
    nb01.check_numerical_gradient: [
        (lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h), "one, and hold the others still"),
        (lambda f, x, h: 2 * gradient_by_copies(f, x, h), "divide by `2 * h`"),
        (lambda f, x, h: gradient_by_copies(f, x, h).ravel(), "shape of `x`"),
        (lambda f, x, h: gradient_by_copies(f, x, h) * h**2, "(a / 2) · h"),
        (forward_loop, "forward differences"),
        (lambda f, x, h: forward_loop(f, x, -h), "backward differences"),
        (one_array_twice, "makes no copy"),
        (returns_inside, "inside the loop"),
        (by_rows, "a whole row"),
        (lambda f, x, h: by_rows(f, x, h)[:, 0] if x.ndim == 2 else by_rows(f, x, h), "a whole row"),
        (vectors_only, "may be a matrix"),
        (never_steps_back, "Step back"),
        (changes_x, "Make a new array"),
        (lambda f, x, h: np.full(x.shape, (f(x + h) - f(x - h)) / (2 * h)), "hold the others still"),
        (lambda f, x, h: -gradient_by_copies(f, x, h), "opposite sign"),
    ],
    nb01.check_culprits: [
        (("half", "sum", "sign"), "A and B are exchanged"),
        (("sum", "sign", "half"), "divide measured"),
        (("sum", "half", "swapped"), "divide measured"),
        (("half", "half", "sign"), "divide measured"),
        ("sum half sign", "divide measured"),
        (("sum", "half"), "divide measured"),
        ({"A": "sum", "B": "half", "C": "sign"}, "divide measured"),
    ],
    nb01.check_mended_softmax: [
        (classifier_with(lambda E: np.full(10, E.mean())), "the colleague's"),
        (classifier_with(lambda E: E.sum(axis=0)), "get a sum"),
        (classifier_with(lambda E: E.mean(axis=1)), "axis=1"),
        (classifier_with(lambda E: E.sum(axis=1)), "axis=1"),
        (classifier_with(lambda E: E.mean(axis=0), lambda XT, E: XT @ E), "do not lose their 1/N"),
        (classifier_with(lambda E: E.sum(axis=0), lambda XT, E: XT @ E), "Both are sums"),
        (classifier_with(lambda E: E.mean(axis=0), lambda XT, E: (XT @ E).T / len(E)), "row by row"),
        (classifier_with(lambda E: -E.mean(axis=0)), "wrong sign"),
        (classifier_with(lambda E: E.mean(axis=0) / 10), "divide by N only"),
        (biases_first, "weights first"),
        (of_digits_only, "any number of features"),
        (without_one_hot, "np.eye(10)[y]"),
        (lambda theta, X, y: -classifier(theta, X, y), "opposite sign"),
    ],
    nb01.check_classify: [
        (name_with(low="minimum", high="maximum"), "swapped"),
        (by_determinant, "determinant only tells"),
        (by_diagonal, "diagonal entries"),
        (zero_first, "even if a third"),
        (name_with(lambda values: 0.0), "use the tolerance"),
        (name_with(lambda values: 1e-8), "relative"),
        (name_with(lambda values: 1e-7 * abs(values).max()), "largest absolute *eigenvalue*"),
        (name_with(lambda values: 1e-9 * abs(values).max()), "largest absolute *eigenvalue*"),
        (name_with(lambda values: 1e-8 * np.linalg.norm(values)), "largest absolute *eigenvalue*"),
        (name_with(lambda values: 1e-8 * abs(values).sum()), "largest absolute *eigenvalue*"),
        (name_with(lambda values: 1e-8 * abs(values).mean()), "largest absolute *eigenvalue*"),
        (name_by_largest_entry, "largest absolute *eigenvalue*"),
        (zero_is_flat, "leaves it undecided"),
        (lambda H: "saddle" if zero_first(H) == "undecided" else zero_first(H), "no saddle"),
        (lambda H: bool(np.linalg.det(H) > 0), "eigvalsh"),
    ],
    nb01.check_hvp: [
        (lambda grad, x, v, h: (grad(x + h * v) - grad(x - h * v)) / h, "divide by `2 * h`"),
        (lambda grad, x, v, h: (grad(x + h * v) - grad(x)) / h, "forward difference"),
        (lambda grad, x, v, h: (grad(x + v) - grad(x - v)) / (2 * h), "not `v`"),
        (lambda grad, x, v, h: (grad(x + h) - grad(x - h)) / (2 * h), "not `x + h`"),
        (lambda grad, x, v, h: v * (grad(x + h) - grad(x - h)) / (2 * h), "multiplied afterwards"),
        (lambda grad, x, v, h: (grad(x + h * v) - grad(x - h * v)) / 2 * h, "(a / 2) · h"),
        (lambda grad, x, v, h: v @ (grad(x + h * v) - grad(x - h * v)) / (2 * h), "vᵀHv"),
        (lambda grad, x, v, h: hessian_vector(grad, x, v / np.linalg.norm(v), h=h), "length of v"),
        (lambda grad, x, v, h: hessian_vector(grad, x, v), "another step"),
        (lambda grad, x, v, h: hessian_vector(grad, x, v, h=h / 2), "another step"),
        (unit_step, "another step"),
    ],
}

TestBank = bank(nb01, right=RIGHT, wrong=WRONG)


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_numbers_are_those_of_the_notebook(check):
    order = ("central", "numerical_gradient", "culprits", "mended_softmax", "classify", "hvp")
    assert check.exercise.number == f"01.{order.index(check.__name__[6:]) + 1}"


def test_a_negligible_eigenvalue_counts_as_zero_relative_to_the_largest():
    assert nb01.classify(np.diag([1.0, 1e-8])) == "undecided"
    assert nb01.classify(np.diag([1.0, 2e-8])) == "minimum"
    assert nb01.classify(np.zeros((2, 2))) == "undecided"


@pytest.mark.parametrize(("name", "ratio", "worst"), [("A", 1 / 12, 0), ("B", 2, 0), ("C", -1, 1)])
def test_each_suspect_betrays_itself_by_its_ratio(name, ratio, worst):
    x, theta = np.linspace(-1, 3, 12), np.array([-0.5, 2.0])
    y = 1.5 * x - 0.5 + np.cos(x)
    report = check_gradient(linear_regression(x, y), lambda t: nb01.SUSPECTS[name](t, x, y), theta)
    assert report.verdict == "wrong"
    assert report.worst == (worst,)
    assert report.numerical / report.analytic == pytest.approx(ratio)


def test_suspects_are_right_but_for_one_mistake():
    x, y, theta = np.array([1.0, 2.0, 4.0]), np.array([2.0, 0.0, 3.0]), np.array([0.5, -1.0])
    right = linear_regression(x, y).grad(theta)
    for name, factors in (("A", 3), ("B", 0.5), ("C", np.array([1, -1]))):
        assert nb01.SUSPECTS[name](theta, x, y) == pytest.approx(factors * right)
