"""The checks of notebook 01, gradients and finite differences."""

import numpy as np

from course_lib.exercises import exercise
from course_lib.regressions import softmax

__all__ = [
    "SUSPECTS",
    "check_central",
    "check_classify",
    "check_culprits",
    "check_hvp",
    "check_mended_softmax",
    "check_numerical_gradient",
]

CLASSES = 10


def central(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


@exercise(
    "01.1",
    "The central difference",
    reference=central,
    mistakes=[
        ("The two points are 2h apart: divide by `2 * h`.", lambda f, x, h: (f(x + h) - f(x - h)) / h),
        (
            "Python reads `a / 2 * h` as (a / 2) · h: write `a / (2 * h)`.",
            lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h,
        ),
        (
            "The division takes f(x - h) alone: put brackets round the difference.",
            lambda f, x, h: f(x + h) - f(x - h) / (2 * h),
        ),
        ("That is the forward difference: go to `x - h` too.", lambda f, x, h: (f(x + h) - f(x)) / h),
        ("That is the backward difference: go to `x + h` too.", lambda f, x, h: (f(x) - f(x - h)) / h),
        (
            "That is the forward difference, halved: the second point is `x - h`.",
            lambda f, x, h: (f(x + h) - f(x)) / (2 * h),
        ),
        ("A slope has a sign: no absolute value.", lambda f, x, h: abs(f(x + h) - f(x - h)) / (2 * h)),
        ("That is the rise; divide it by the run.", lambda f, x, h: f(x + h) - f(x - h)),
        (
            "That is a central difference with the step h/2: here the points are x + h and x - h.",
            lambda f, x, h: (f(x + h / 2) - f(x - h / 2)) / h,
        ),
        (
            "The two values are added; a slope needs their difference.",
            lambda f, x, h: (f(x + h) + f(x - h)) / (2 * h),
        ),
    ],
    hint="Rise over run: f(x + h) - f(x - h), divided by the distance of the two points.",
    passed="Two evaluations, as before, and an error of order h².",
)
def check_central():
    """Compare with (f(x + h) - f(x - h)) / 2h."""
    yield np.sin, 0.5, 0.1
    yield np.exp, np.array([0.0, 1.0, 2.0]), 0.01
    yield np.tanh, np.array([[0.3, -0.7]]), 0.5
    yield np.cos, np.array([-1.0, 0.7, 2.0]), 0.1


def wave(x):
    return np.sum(np.sin(x) * np.arange(1, x.size + 1).reshape(x.shape))


def product(x):
    return np.prod(x)


def numerical_gradient(f, x, h):
    g = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[i] = h
        g[i] = (f(x + step) - f(x - step)) / (2 * h)
    return g


def _along_all(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


def _forward_gradient(f, x, h):
    return np.array([(f(x + h * e.reshape(x.shape)) - f(x)) / h for e in np.eye(x.size)]).reshape(x.shape)


def _backward_gradient(f, x, h):
    return _forward_gradient(f, x, -h)


def _one_array(f, x, h):
    """Take `a = x` for a copy: both points are the same array, and nothing differs."""
    return np.zeros(x.shape)


def _first_only(f, x, h):
    g = np.zeros(x.size)
    g[0] = numerical_gradient(f, x, h).flat[0]
    return g.reshape(x.shape)


def _rows(f, x, h):
    """Loop over the first axis: in a matrix, a whole row moves."""
    slopes = []
    for i in range(len(x)):
        step = np.zeros(x.shape)
        step[i] = h
        slopes.append((f(x + step) - f(x - step)) / (2 * h))
    return np.array(slopes)


def _filled_rows(f, x, h):
    return np.zeros(x.shape) + _rows(f, x, h).reshape(-1, *[1] * (x.ndim - 1))


def _never_reset(f, x, h):
    """Keep the steps of the coordinates before in the step."""
    g, step = np.zeros(x.shape), np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        step[i] = h
        g[i] = (f(x + step) - f(x - step)) / (2 * h)
    return g


def _walking_on(f, x, h):
    """Step one coordinate after the other without stepping back."""
    g, x = np.zeros_like(x), x.copy()
    for i in np.ndindex(x.shape):
        before = f(x)
        x[i] += h
        g[i] = (f(x) - before) / h
    return g


@exercise(
    "01.2",
    "A gradient from values alone",
    reference=numerical_gradient,
    mistakes=[
        ("The two points are 2h apart: divide by `2 * h`.", lambda f, x, h: 2 * numerical_gradient(f, x, h)),
        ("`x + h` moves all coordinates at once; move one, and hold the others still.", _along_all),
        (
            "`x + h` moves all coordinates at once; move one, and hold the others still.",
            lambda f, x, h: np.full(x.shape, _along_all(f, x, h)),
        ),
        (
            "The values are right, but the result must have the shape of `x`.",
            lambda f, x, h: numerical_gradient(f, x, h).ravel(),
        ),
        (
            "Python reads `a / 2 * h` as (a / 2) · h: write `a / (2 * h)`.",
            lambda f, x, h: numerical_gradient(f, x, h) * h * h,
        ),
        ("Those are forward differences: use `x - step` too.", _forward_gradient),
        ("Those are backward differences: use `x + step` too.", _backward_gradient),
        ("Only the first entry is set: is `return` inside the loop?", _first_only),
        (
            "All zeros: is each slope stored in `g[i]`? Is the step a float array? And are both points "
            "arrays of their own (`a = x` makes no copy: take `x.copy()`, or `x + step`)?",
            _one_array,
        ),
        ("`x` may be a matrix: `range(len(x))` moves a whole row. Use `np.ndindex(x.shape)`.", _rows),
        ("`x` may be a matrix: `range(len(x))` moves a whole row. Use `np.ndindex(x.shape)`.", _filled_rows),
        (
            "Step back before you move the next coordinate: each derivative starts from the same `x`.",
            _walking_on,
        ),
        ("The step keeps its old entries: make it all zeros again for each coordinate.", _never_reset),
    ],
    hint="For each index i in np.ndindex(x.shape), as `x` may be a matrix: a step of x's shape that is h at "
    "i and 0 elsewhere, then a central difference.",
    passed="Two evaluations for each coordinate: 2n in all.",
)
def check_numerical_gradient():
    """Compare with central differences in each coordinate."""
    yield wave, np.array([0.2, -0.4]), 0.1
    yield product, np.array([1.5, -2.0, 0.5]), 0.01
    yield wave, np.array([[0.1, 0.2, 0.3], [1.0, -1.0, 2.0]]), 0.2
    yield np.sum, np.array([3.0]), 0.5


def line_gradient(theta, x, y):
    r = theta[0] * x + theta[1] - y
    return np.array([2 * np.mean(r * x), 2 * np.mean(r)])


SUSPECTS = {
    "A": lambda theta, x, y: line_gradient(theta, x, y) * len(x),
    "B": lambda theta, x, y: line_gradient(theta, x, y) / 2,
    "C": lambda theta, x, y: line_gradient(theta, x, y) * np.array([1, -1]),
}
"""Three gradients of the straight line's mean squared error, grad(theta, x, y), each with one mistake."""


@exercise(
    "01.3",
    "Three suspects",
    kind="value",
    mistakes=[
        ("A and B are exchanged: a ratio of 2 means that the formula is too small.", ("half", "sum", "sign")),
    ],
    hint="For each suspect, divide measured (numerical) by formula (analytic) at the worst coordinate. "
    "2: half of it is there; -1: a sign; 1/N: a sum for a mean; no round ratio: perhaps swapped.",
    passed="A round ratio names the culprit before anybody reads the code.",
)
def check_culprits():
    """Compare with the mistakes of `SUSPECTS`, in alphabetical order."""
    return "sum", "half", "sign"


def _parts(theta, X, y):
    W, b = theta[:-CLASSES].reshape(-1, CLASSES), theta[-CLASSES:]
    E = softmax(X @ W + b) - np.eye(CLASSES)[y]
    return X.T @ E / len(y), E


def softmax_gradient(theta, X, y):
    weights, E = _parts(theta, X, y)
    return np.concatenate([weights.ravel(), E.mean(axis=0)])


def _with_bias(of_error):
    """Return a gradient whose last entries are of_error(E)."""

    def wrong(theta, X, y):
        weights, E = _parts(theta, X, y)
        return np.concatenate([weights.ravel(), of_error(E)])

    return wrong


def _all_summed(theta, X, y):
    return softmax_gradient(theta, X, y) * len(y)


def _weights_summed(theta, X, y):
    weights, E = _parts(theta, X, y)
    return np.concatenate([len(y) * weights.ravel(), E.mean(axis=0)])


def _biases_first(theta, X, y):
    return np.roll(softmax_gradient(theta, X, y), CLASSES)


def _by_columns(theta, X, y):
    weights, E = _parts(theta, X, y)
    return np.concatenate([weights.T.ravel(), E.mean(axis=0)])


def _minus_labels(theta, X, y):
    weights, E = _parts(theta, X, y)
    return np.concatenate([weights.ravel(), -E.mean(axis=0)])


def _class_numbers_subtracted(theta, X, y):
    P = softmax(X @ theta[:-CLASSES].reshape(-1, CLASSES) + theta[-CLASSES:])
    E = P - y[:, None]
    return np.concatenate([(X.T @ E / len(y)).ravel(), E.mean(axis=0)])


def _softmax_of_all(theta, X, y):
    z = X @ theta[:-CLASSES].reshape(-1, CLASSES) + theta[-CLASSES:]
    E = softmax(z.ravel()).reshape(z.shape) - np.eye(CLASSES)[y]
    return np.concatenate([(X.T @ E / len(y)).ravel(), E.mean(axis=0)])


@exercise(
    "01.4",
    "Mend the classifier",
    reference=softmax_gradient,
    mistakes=[
        (
            "That is the colleague's: `E.mean()` runs over the classes too, where the errors cancel.",
            _with_bias(lambda E: np.full(CLASSES, E.mean())),
        ),
        ("The biases get a sum; the loss is a mean over the examples.", _with_bias(lambda E: E.sum(axis=0))),
        (
            "axis=1 runs over the classes, one number an example; you want one number a class.",
            _with_bias(lambda E: E.mean(axis=1)),
        ),
        ("The weights were right before: do not lose their 1/N.", _weights_summed),
        ("Both are sums now; the loss is a mean over the examples.", _all_summed),
        ("theta holds the weights first, then the biases.", _biases_first),
        (
            "The weights go row by row: `ravel()` of the (features, classes) matrix, not of its transpose.",
            _by_columns,
        ),
        ("The biases have the wrong sign: the error is P - Y, as for the weights.", _minus_labels),
        (
            "The labels are class numbers, and P has a column a class: subtract `np.eye(10)[y]`.",
            _class_numbers_subtracted,
        ),
        ("`softmax` here works along each row; yours runs over all entries: mind the axis.", _softmax_of_all),
        (
            "A mean over the examples *and* the classes' number: divide by N only.",
            _with_bias(lambda E: E.mean(axis=0) / CLASSES),
        ),
    ],
    hint="Count theta from the end, `theta[:-10]` and `theta[-10:]`: any number of features. The labels are "
    "one-hot, Y = `np.eye(10)[y]`. The bias of class k gets the mean over the examples of column k of P - Y.",
    passed="Ten coordinates in 650, and the loss curve never told. The check did.",
)
def check_mended_softmax():
    """Compare with the exact gradient."""
    rng = np.random.default_rng(4)
    for n, features in ((3, 4), (7, 2), (12, 5)):
        theta = rng.normal(size=(features + 1) * CLASSES)
        yield theta, rng.normal(size=(n, features)), rng.integers(CLASSES, size=n)


def classify(H):
    values = np.linalg.eigvalsh(H)
    tiny = 1e-8 * np.abs(values).max()
    return _name((values > tiny), (values < -tiny))


def _name(up, down):
    if up.any() and down.any():
        return "saddle"
    return "minimum" if up.all() else "maximum" if down.all() else "undecided"


def _swapped(H):
    return {"minimum": "maximum", "maximum": "minimum"}.get(classify(H), classify(H))


def _by_determinant(H, undecided="undecided"):
    d = np.linalg.det(H)
    return "minimum" if d > 0 else "saddle" if d < 0 else undecided


def _by_determinant_and_trace(H):
    d = np.linalg.det(H)
    return "saddle" if d < 0 else "undecided" if d == 0 else "minimum" if np.trace(H) > 0 else "maximum"


def _by_diagonal(H):
    values = np.diag(H)
    return _name(values > 0, values < 0)


def _zero_first(H):
    values = np.linalg.eigvalsh(H)
    tiny = 1e-8 * np.abs(values).max()
    return "undecided" if (np.abs(values) <= tiny).any() else classify(H)


def _without_tolerance(H):
    values = np.linalg.eigvalsh(H)
    return _name(values > 0, values < 0)


def _absolute_tolerance(H):
    values = np.linalg.eigvalsh(H)
    return _name(values > 1e-8, values < -1e-8)


def _largest_signed(H):
    values = np.linalg.eigvalsh(H)
    tiny = 1e-8 * values.max()
    return _name(values > tiny, values < -tiny)


def _relative_to(size, factor=1e-8):
    """Return a rule whose tolerance is `factor` times another size than the largest absolute eigenvalue."""

    def wrong(H):
        values = np.linalg.eigvalsh(H)
        tiny = factor * size(H)
        return _name(values > tiny, values < -tiny)

    return wrong


def _largest(H):
    return np.abs(np.linalg.eigvalsh(H)).max()


TOLERANCE = "The tolerance is 1e-8 times the largest absolute *eigenvalue*: not a norm, not an entry of H."
OTHER_TOLERANCES = (
    _relative_to(_largest, 1e-7),
    _relative_to(_largest, 1e-9),
    _relative_to(np.linalg.norm),
    _relative_to(lambda H: np.abs(H).max()),
)


def _zero_ignored(H):
    values = np.linalg.eigvalsh(H)
    tiny = 1e-8 * np.abs(values).max()
    return "minimum" if (values >= -tiny).all() else "maximum" if (values <= tiny).all() else "saddle"


def _else_saddle(H):
    named = _zero_first(H)
    return "saddle" if named == "undecided" else named


@exercise(
    "01.5",
    "Name the point",
    reference=classify,
    mistakes=[
        ("Minimum and maximum are swapped: positive curvature means that every way leads up.", _swapped),
        (
            "The determinant only tells that two signs agree: -x² - y² has 4. Use the eigenvalues.",
            _by_determinant,
        ),
        (
            "The determinant only tells that two signs agree: -x² - y² has 4. Use the eigenvalues.",
            lambda H: _by_determinant(H, "saddle"),
        ),
        ("Determinant and trace settle it in 2-D only: use the eigenvalues.", _by_determinant_and_trace),
        ("Those are the diagonal entries; [[1, 2], [2, 1]] has the eigenvalues -1 and 3.", _by_diagonal),
        ("Both signs make a saddle even if a third eigenvalue is 0: ask for it first.", _zero_first),
        ("An eigenvalue that should be 0 may come out as ±1e-17: use the tolerance.", _without_tolerance),
        ("The tolerance is relative: 1e-8 times the largest absolute value.", _absolute_tolerance),
        (
            "The tolerance needs the largest *absolute* value: with -1000 and 0.001 that is 1000.",
            _largest_signed,
        ),
        *((TOLERANCE, wrong) for wrong in OTHER_TOLERANCES),
        ("An eigenvalue of 0 leaves it undecided: x² + y³ has 2 and 0, and no minimum.", _zero_ignored),
        ("A zero eigenvalue alone makes no saddle: it is undecided.", _else_saddle),
    ],
    hint="Take np.linalg.eigvalsh(H). Both signs: saddle; all positive: minimum; all negative: maximum.",
    passed="You would not have fallen for -x² - y².",
)
def check_classify():
    """Compare with the signs of the eigenvalues."""
    yield np.diag([2.0, 6.0])
    yield np.diag([-2.0, -2.0])
    yield np.diag([2.0, -2.0])
    yield np.array([[1.0, 2.0], [2.0, 1.0]])
    yield np.diag([2.0, 0.0])
    yield np.diag([0.0, -1.0])
    yield np.diag([1.0, 0.0, -1.0])
    yield np.diag([-1.0, -2.0, -3.0])
    yield np.diag([1.0, 2.0, 3.0])
    yield np.diag([-1.0, -2.0, 3.0])
    yield np.diag([1.0, 1e-7])
    yield np.diag([1.0, -1e-7])
    yield np.diag([1.0, 1e-9])
    yield np.zeros((2, 2))
    yield np.array([[0.0, 1.0], [1.0, 0.0]])
    yield np.diag([1.0, 1e-10])
    yield np.diag([1.0, -1e-10])
    yield np.diag([-1e6, 1e-5])
    u = np.array([1.0, 0.7, -0.3])
    yield np.outer(u, u)  # eigenvalues |u|², 0, 0
    yield 1e-10 * np.diag([2.0, 1.0])
    yield np.diag([1.0, 2e-8])
    yield np.diag([1.0, 5e-9])
    yield np.diag([1.0, 1.0, 1.0, 1.0, 1.5e-8])
    mean = np.full((4, 4), 0.25)
    yield mean + 5e-9 * (np.eye(4) - mean)  # eigenvalues 1 and three times 5e-9, entries of 0.25
    yield np.array([[0.5]])


def valley_gradient(x):
    return np.array([0.2, 4.0]) * x


def quartic_gradient(x):
    return x * x * x + np.sum(x)


def hvp(grad, x, v, h):
    return (grad(x + h * v) - grad(x - h * v)) / (2 * h)


ANOTHER_STEP = "A right idea, but another step: here it is `h * v`, with v as it is."


def _unit_step(grad, x, v, h):
    return hvp(grad, x, v / np.linalg.norm(v), h) * np.linalg.norm(v)


def _half_step(grad, x, v, h):
    return hvp(grad, x, v, h / 2)


def _small_step(grad, x, v, h):
    """Choose a step oneself, or take the exact product."""
    return hvp(grad, x, v, 1e-5)


@exercise(
    "01.6",
    "The Hessian-vector product",
    reference=hvp,
    mistakes=[
        ("The two points are 2h·v apart: divide by `2 * h`.", lambda grad, x, v, h: 2 * hvp(grad, x, v, h)),
        (
            "That is the forward difference: go to `x - h * v` too.",
            lambda grad, x, v, h: (grad(x + h * v) - grad(x)) / h,
        ),
        ("The step is `h * v`, not `v`.", lambda grad, x, v, h: (grad(x + v) - grad(x - v)) / (2 * h)),
        (
            "The step goes along v: `x + h * v`. You stepped along (1, 1, …) and multiplied afterwards.",
            lambda grad, x, v, h: (grad(x + h) - grad(x - h)) / (2 * h) * v,
        ),
        (
            "The step goes along v: `x + h * v`, not `x + h`.",
            lambda grad, x, v, h: (grad(x + h) - grad(x - h)) / (2 * h),
        ),
        (
            "Do not divide by the length of v: H v grows with v.",
            lambda grad, x, v, h: hvp(grad, x, v / np.linalg.norm(v), h),
        ),
        *((ANOTHER_STEP, another) for another in (_unit_step, _half_step, _small_step)),
        (
            "That is vᵀHv, one number; H v is a vector: leave out the last product with v.",
            lambda grad, x, v, h: v @ hvp(grad, x, v, h),
        ),
        (
            "Python reads `a / 2 * h` as (a / 2) · h: write `a / (2 * h)`.",
            lambda grad, x, v, h: hvp(grad, x, v, h) * h * h,
        ),
    ],
    hint="The central difference of exercise 01.1, with grad for f and h·v for the step.",
    passed="Two gradients, whether there are two parameters or a million.",
)
def check_hvp():
    """Compare with (grad(x + h v) - grad(x - h v)) / 2h."""
    yield valley_gradient, np.array([-5.0, -2.0]), np.array([1.0, 2.0]), 0.1
    yield quartic_gradient, np.array([0.5, -1.0, 2.0]), np.array([2.0, 0.0, -1.0]), 0.01
    yield quartic_gradient, np.array([1.5]), np.array([-3.0]), 0.2
