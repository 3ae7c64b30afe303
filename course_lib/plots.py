"""Draw what was computed: each function takes axes and data, only draws, and returns what it drew.

Values that are not finite leave gaps, so that the path of a diverged run can be drawn as it is; it ends in a
cross. One colour, marker and dash belongs to each method in the whole course; they stand in `STYLES`.

Examples
--------
A path over its landscape, beside its loss; `course_lib.display.show` then shows the figure with its caption.

>>> from course_lib.descent import minimize
>>> from course_lib.landscapes import valley
>>> from course_lib.optimizers import GradientDescent
>>> use_style()
>>> land = valley()
>>> path = minimize(land, land.start, GradientDescent(lr=0.4), steps=20)
>>> fig, (left, right) = plt.subplots(1, 2)
>>> drawn = contours(left, land), trajectory(left, path.x, "GD"), loss_curve(right, path.loss, "GD", "lr 0.4")
>>> plt.close(fig)
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, ListedColormap

from course_lib._checks import finite_array, number_in, one_of, require, whole_number
from course_lib._labels import HALO, EndLabels

__all__ = [
    "SCHEDULES",
    "STYLES",
    "arrows",
    "band",
    "bars",
    "basins",
    "contours",
    "direct_labels",
    "error_against_h",
    "histogram",
    "images",
    "loss_curve",
    "method_style",
    "schedule_style",
    "slope_triangle",
    "trajectory",
    "use_style",
]

DASHES = {"solid": "-", "dashed": (0, (5, 2)), "dotted": (0, (1.2, 1.4)), "dashdot": (0, (6, 1.8, 1.4, 1.8))}

STYLES = {
    # the optimisers
    "GD": ("#262626", "o", "solid"),
    "SGD": ("#ff4f01", "s", "dotted"),
    "Momentum": ("#2a6bb6", "^", "solid"),
    "Nesterov": ("#8f84fe", "v", "dashed"),
    "Adagrad": ("#11a14c", "D", "dashdot"),
    "RMSProp": ("#ac1ef9", "P", "dashed"),
    "Adadelta": ("#805624", "X", "dotted"),
    "Adam": ("#c01d77", "*", "solid"),
    "AdamW": ("#5509d3", "p", "dashed"),
    "AMSGrad": ("#c4809c", "h", "dashdot"),
    "Nadam": ("#001d88", "<", "dotted"),
    "Lion": ("#711e55", ">", "dashdot"),
    # the finite differences
    "forward": ("#ff4f01", "o", "solid"),
    "backward": ("#8f84fe", "s", "dotted"),
    "central": ("#2a6bb6", "^", "solid"),
    "five-point": ("#11a14c", "D", "dashed"),
    "richardson": ("#c01d77", "v", "dashdot"),
    "complex-step": ("#262626", "*", "solid"),
}
"""Method -> (colour, marker, dash): told apart with every kind of colour vision, and without colour."""

_DECAY, _WARM, _WAVE = ("#11a14c", "dotted"), ("#805624", "dashdot"), ("#1a1a1a", "dashed")
SCHEDULES = {
    "constant": ("#8c8c8c", "solid"),
    "step_decay": ("#ec5f00", "solid"),
    "exponential": ("#2a6bb6", "dashed"),
    "inverse_time": _DECAY,
    "inverse_sqrt": _DECAY,
    "polynomial": ("#9a3fe0", "dotted"),
    "cosine": ("#b80f3a", "solid"),
    "warmup": _WARM,
    "warmup_stable_decay": _WARM,
    "one_cycle": ("#006d77", "solid"),
    "triangular": _WAVE,
    "triangular2": _WAVE,
    "exp_range": _WAVE,
    "sgdr": _WAVE,
}
"""Schedule of `course_lib.schedules` -> (colour, dash), one look a family."""

INK, QUIET = "#222222", "#666666"
LEVELS = LinearSegmentedColormap.from_list("levels", ["#f7fafd", "#dce9f5", "#b9d3ea", "#8fb6d9"]).reversed()
CATEGORIES = ["#709af5", "#ffc93a", "#de6e31", "#71eb9c", "#ac83a7", "#bdc6ec", "#9ab18d", "#ee9d24"]


def use_style():
    """Give every figure from here on the look of the course, whatever was set before.

    Examples
    --------
    >>> use_style()
    >>> import matplotlib
    >>> matplotlib.rcParams["axes.titlelocation"]
    'left'
    """
    plt.style.use(["default", Path(__file__).with_name("course.mplstyle")])


def method_style(method):
    """Return the colour, marker and line style that belong to `method` in the whole course.

    Parameters
    ----------
    method : str
        A key of `STYLES`: an optimiser ("GD", "SGD", "Momentum", ...) or a difference ("forward", ...).

    Returns
    -------
    dict
        Keywords of `Axes.plot`: color, marker, linestyle.

    Raises
    ------
    ValueError
        If the method has no style.

    Examples
    --------
    >>> sorted(method_style("Momentum"))
    ['color', 'linestyle', 'marker']
    """
    color, marker, dash = STYLES[one_of("method", method, STYLES)]
    return {"color": color, "marker": marker, "linestyle": DASHES[dash]}


def schedule_style(schedule):
    """Return the colour and line style that belong to a family of learning-rate schedules.

    Parameters
    ----------
    schedule : str
        A key of `SCHEDULES`: the name in `course_lib.schedules` ("constant", "step_decay", "cosine", ...).

    Returns
    -------
    dict
        Keywords of `Axes.plot`: color, linestyle.

    Raises
    ------
    ValueError
        If the schedule has no style.

    Examples
    --------
    >>> schedule_style("exponential")["color"]
    '#2a6bb6'
    """
    color, dash = SCHEDULES[one_of("schedule", schedule, SCHEDULES)]
    return {"color": color, "linestyle": DASHES[dash]}


def contours(ax, land, window=None, levels=None):
    """Draw the level sets of a function of two variables, darker where it is lower, its minima as stars.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    land : callable
        ``land(x)`` with x of shape (..., 2); usually a `Landscape`.
    window : ((float, float), (float, float)), optional
        Range of each variable; by default the landscape's own.
    levels : int or sequence of float, optional
        How many levels (default 14), or the levels. A number of levels is spaced evenly in the logarithm of
        the height above the lowest minimum, or evenly in height where no minimum is known.

    Returns
    -------
    tuple
        The filled contours, the lines between them, and the stars (a Line2D, perhaps empty).

    Raises
    ------
    ValueError
        If the function is not one of two variables, or window or levels are not as above.
    """
    window = land.window if window is None and hasattr(land, "window") else window
    window = _window(window)
    minima = getattr(land, "minima", None)
    minima = np.empty((0, 2)) if minima is None else np.asarray(minima)
    require(minima.shape[1] == 2, "land", land, "a function of two variables", "Draw others as a curve.")
    axes = [np.linspace(low, high, 201) for low, high in window]
    grid = np.stack(np.meshgrid(*axes), axis=-1)
    height = np.ma.masked_invalid(land(grid))
    plane = height.shape == grid.shape[:2]
    require(plane, "land", land, "a function of two variables", "It takes x of shape (..., 2).")
    require(height.count() > 0, "land", land, "finite somewhere in the window", "Move the window.")
    if levels is None or np.ndim(levels) == 0:
        count = whole_number("levels", 14 if levels is None else levels, 2, "Take 14.")
        low, high = float(height.min()), float(height.max())
        require(low < high, "land", land, "not constant in the window", "Choose another window.")
        if len(minima):
            low = min(low, float(np.min(land(minima))))
            levels = low + (high - low) * np.append(0.0, np.geomspace(2e-4, 1, count - 1))
        else:
            levels = np.linspace(low, high, count)
    levels = finite_array("levels", levels, "Give increasing heights.", ndim=1)
    require(len(levels) > 1 and (np.diff(levels) > 0).all(), "levels", levels, "increasing", "Sort them.")
    shades = [*LEVELS(np.linspace(0, 1, len(levels) - 1)), "white"]
    filled = ax.contourf(*axes, height, levels=levels, colors=shades, extend="max")
    lines = ax.contour(*axes, height, levels=levels[1:], colors="#6f9bc4", linewidths=0.6)
    stars = _stars(ax, minima)
    ax.set(xlim=window[0], ylim=window[1])
    ax.grid(False)
    return filled, lines, stars


def trajectory(ax, x, method="GD", label=None, every=1):
    """Draw the points that a method visited: the start as a ring, the end as a dot, divergence as a cross.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Usually with `contours` drawn before.
    x : array, shape (T, 2)
        The points; NaN after a divergence.
    method : str
        Whose style to use.
    label : str, optional
        Text beside the last visible point.
    every : int
        Mark each `every`-th point.

    Returns
    -------
    matplotlib.lines.Line2D

    Raises
    ------
    ValueError
        If x is not an array of points of the plane with at least one finite point.
    """
    x = _data("x", x, 2)
    require(x.shape[1] == 2, "x.shape", x.shape, "(T, 2)", "Draw one member of a batch at a time.")
    every = whole_number("every", every, 1, "Take 1 to mark every point.")
    style = method_style(method)
    finite = np.isfinite(x).all(axis=1)
    require(finite.any(), "x", x, "finite at one point at least", "Was the start finite?")
    ax.plot(*x.T, color="white", lw=4, alpha=0.8, zorder=5.5)
    (line,) = ax.plot(*x.T, **style, **_marks(method, every), lw=2, zorder=6)
    first, last = x[finite.argmax()], x[np.flatnonzero(finite)[-1]]
    ax.plot(*first, "o", mfc="white", mec=style["color"], mew=2, ms=9, zorder=7)
    if finite[-1]:
        ax.plot(*last, style["marker"], color=style["color"], mec="white", mew=1, ms=10, zorder=7)
    else:
        _cross(ax, *last, style["color"])
    if label:
        direct_labels(ax, [line], [label])
    return line


def loss_curve(ax, loss, method="GD", label=None, x=None):
    """Draw a loss (or any other quantity) against the step.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With a logarithmic y-axis, if that is wanted.
    loss : array, shape (T,)
        NaN after a divergence, which is drawn as a cross.
    method : str
        Whose style to use.
    label : str, optional
        Text at the curve's right end.
    x : array, shape (T,), optional
        What to draw it against; 0, 1, 2, ... by default.

    Returns
    -------
    matplotlib.lines.Line2D

    Raises
    ------
    ValueError
        If loss is not a curve with at least one finite value, or x has another length.
    """
    loss = _data("loss", loss, 1)
    x = np.arange(len(loss), dtype=float) if x is None else _data("x", x, 1)
    _require_shape("x", x, loss, "loss")
    finite = np.flatnonzero(np.isfinite(loss))
    require(len(finite) > 0, "loss", loss, "finite at one step at least", "Was the start finite?")
    style, last = method_style(method), finite[-1]
    (line,) = ax.plot(x, loss, **style, **_marks(method, _apart(method, len(x))))
    if last < len(loss) - 1:
        _cross(ax, x[last], loss[last], style["color"])
    if label:
        direct_labels(ax, [line], [label])
    return line


def band(ax, t, mean, low, high, method="GD", label=None):
    """Draw a mean with the band between two bounds, such as a 95 % interval over seeds.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    t, mean, low, high : array, shape (T,)
        Where, the mean, and the bounds of the band.
    method : str
        Whose style to use.
    label : str, optional
        Text at the curve's right end.

    Returns
    -------
    tuple
        The mean's Line2D and the band.

    Raises
    ------
    ValueError
        If the four are not curves of one length, or low exceeds high.
    """
    t = _data("t", t, 1)
    mean, low, high = _data("mean", mean, 1), _data("low", low, 1), _data("high", high, 1)
    for name, array in (("mean", mean), ("low", low), ("high", high)):
        _require_shape(name, array, t, "t")
    require(not (low > high).any(), "low", low, "at most high", "Exchange low and high.")
    line = loss_curve(ax, mean, method, label, x=t)
    return line, ax.fill_between(t, low, high, color=line.get_color(), alpha=0.18, lw=0)


def arrows(ax, points, vectors, color=INK, scale=1.0):
    """Draw vectors in the plane, in the axes' own units times `scale`.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    points, vectors : array, shape (..., 2)
        Where each arrow starts, and how far it goes; one shape for both.
    color : colour
    scale : float
        Factor on every length; 1 draws vectors as long as they are.

    Returns
    -------
    matplotlib.quiver.Quiver

    Raises
    ------
    ValueError
        If points and vectors are not finite arrays of one shape (..., 2), or scale is not positive.
    """
    points = finite_array("points", points, "Give an array of shape (n, 2).")
    vectors = finite_array("vectors", vectors, "Give an array of shape (n, 2).")
    require(points.shape[-1:] == (2,), "points.shape", points.shape, "(..., 2)", "Give points of the plane.")
    _require_shape("vectors", vectors, points, "points")
    scale = number_in("scale", scale, 0, np.inf, "Take 1 for true lengths.", open_low=True, open_high=True)
    x, v = points.reshape(-1, 2), vectors.reshape(-1, 2) * scale
    units = {"angles": "xy", "scale_units": "xy", "scale": 1}
    # In inches, an arrow is as thick in a small panel as in a large one.
    shaft = {"units": "inches", "width": 0.026, "headwidth": 4.5}
    return ax.quiver(*x.T, *v.T, color=color, zorder=4, **shaft, **units)


def slope_triangle(ax, x, y, slope, size=None, label=None):
    """Draw a triangle that shows a slope: a power law on log-log axes, a rise over a run on linear ones.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Both axes logarithmic, or both linear, before this call.
    x, y : float
        The left corner.
    slope : float
        The exponent of the power law, or the rise per unit.
    size : float, optional
        On log-log axes the factor from the left to the right corner, 10 by default; on linear ones the run,
        1 by default.
    label : str, optional
        By default ``slope`` and its value.

    Returns
    -------
    tuple
        The triangle (a Polygon) and its text.

    Raises
    ------
    ValueError
        If one axis is logarithmic and the other is not, or a number is out of range.
    """
    log = ax.get_xscale() == "log"
    require(
        ax.get_yscale() == ax.get_xscale(),
        "ax",
        ax.get_yscale(),
        "log-log or linear",
        "Set both scales first.",
    )
    low, least, usual = (0, 1, 10) if log else (-np.inf, 0, 1)
    inside, ends = "Choose a corner inside the axes.", {"open_low": True, "open_high": True}
    x, y = number_in("x", x, low, np.inf, inside, **ends), number_in("y", y, low, np.inf, inside, **ends)
    slope = number_in("slope", slope, -100, 100, "Give the exponent or the rise per unit.")
    size = number_in("size", usual if size is None else size, least, np.inf, "Leave it out.", **ends)
    right, top = (x * size, y * size**slope) if log else (x + size, y + size * slope)
    (triangle,) = ax.fill([x, right, right], [y, y, top], fc="#00000010", ec=QUIET, lw=1.2, zorder=3)
    middle = np.sqrt(y * top) if log else (y + top) / 2
    text = ax.annotate(
        f"slope {slope:g}".replace("-", "−") if label is None else label,
        (right, middle),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        color=QUIET,
        path_effects=HALO,
    )
    return triangle, text


def error_against_h(ax, h, errors, floor=1e-17):
    """Draw the error of several difference formulas against the step h, on log-log axes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    h : array, shape (n,)
        Steps, positive.
    errors : dict of str -> array, shape (n,)
        Absolute (or relative) errors by method; keys are names in `STYLES`.
    floor : float
        Smaller errors, zero among them, are drawn here: a logarithmic axis has no zero.

    Returns
    -------
    list of matplotlib.lines.Line2D

    Raises
    ------
    ValueError
        If a length differs from h's, an error is negative, or a method is unknown.
    """
    h = finite_array("h", h, "Give an array of steps.", ndim=1)
    require((h > 0).all(), "h", h, "positive", "Take np.logspace(-16, 0, 65).")
    floor = number_in("floor", floor, 0, 1, "Take 1e-17.", open_low=True)
    some = isinstance(errors, dict) and errors
    require(some, "errors", errors, "a non-empty dict", "Map methods to errors.")
    ax.set(xscale="log", yscale="log")
    lines = []
    for method, error in errors.items():
        name = f"errors[{one_of('method', method, STYLES)!r}]"
        error = _data(name, error, 1)
        _require_shape(name, error, h, "h")
        require(not (error < 0).any(), name, error, "not negative", "Take np.abs of it.")
        marks = _marks(method, _apart(method, len(h)))
        (line,) = ax.plot(h, np.maximum(error, floor), **method_style(method), **marks)
        lines.append(line)
    direct_labels(ax, lines, list(errors))
    return lines


def bars(ax, values, labels=None, color="C0", fmt=None):
    """Draw one bar for each value.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : array, shape (n,)
    labels : sequence of str, optional
        Text below each bar; by default its number.
    color : colour or sequence of colours
    fmt : str, optional
        Format of the value written on each bar, such as ``"{:.0%}"``.

    Returns
    -------
    matplotlib.container.BarContainer

    Raises
    ------
    ValueError
        If values is not a finite curve or the labels are not as many.
    """
    values = finite_array("values", values, "Give one number for each bar.", ndim=1)
    labels = list(range(len(values))) if labels is None else list(labels)
    require(len(labels) == len(values), "labels", labels, f"{len(values)} texts", "Give one for each bar.")
    drawn = ax.bar(np.arange(len(values)), values, color=color, width=0.72)
    if len(values) <= 12 or fmt:
        ax.set_xticks(np.arange(len(values)), [str(label) for label in labels])
    if fmt:
        ax.bar_label(drawn, [fmt.format(value).replace("-", "−") for value in values], padding=3)
        ax.margins(y=0.12)
    ax.grid(False, axis="x")
    return drawn


def histogram(ax, values, bins=30, color="C0", label=None):
    """Draw how often values fall into equal bins, as a density (area 1).

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : array
        Any shape; values that are not finite are left out.
    bins : int or sequence of float
        Number of bins, or their edges.
    color : colour
    label : str, optional
        For a legend.

    Returns
    -------
    matplotlib.patches.StepPatch

    Raises
    ------
    ValueError
        If there is no finite value.
    """
    values = _data("values", values)
    values = values[np.isfinite(values)]
    require(values.size > 0, "values", values, "finite somewhere", "Did every run diverge?")
    try:
        density, edges = np.histogram(values, bins=bins, density=True)
    except (ValueError, TypeError):
        require(False, "bins", bins, "a number of bins or their increasing edges", "Take 30.")
    return ax.stairs(density, edges, fill=True, color=color, alpha=0.75, label=label)


def images(ax, X, titles=None, columns=None):
    """Draw small grey pictures side by side, dark on light.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : array, shape (n, height, width) or (n, side * side)
        One picture a row; all share one grey scale.
    titles : sequence, optional
        What to write above each picture.
    columns : int, optional
        Pictures in a line, by default all up to 10.

    Returns
    -------
    matplotlib.image.AxesImage

    Raises
    ------
    ValueError
        If X holds no pictures or the titles are not as many.
    """
    X = finite_array("X", X, "Give an array of shape (n, height, width).")
    if X.ndim == 2:
        side = round(X.shape[1] ** 0.5)
        require(
            side * side == X.shape[1], "X", X.shape, "rows of side * side pixels", "Reshape it to 3 axes."
        )
        X = X.reshape(-1, side, side)
    require(X.ndim == 3, "X", X.shape, "an array with 2 or 3 axes", "Give one picture a row.")
    n, height, width = X.shape
    columns = whole_number("columns", min(n, 10) if columns is None else columns, 1, "Take 10.")
    titles = [""] * n if titles is None else [str(title) for title in titles]
    require(len(titles) == n, "titles", titles, f"{n} texts", "Give one for each picture.")
    gap = max(1, width // 6)
    top = gap + (height // 3 if any(titles) else 0)
    lines = -(-n // columns)
    sheet = np.full((lines * (height + top), columns * (width + gap)), np.nan)
    for i, (picture, title) in enumerate(zip(X, titles, strict=True)):
        r, c = (i // columns) * (height + top) + top, (i % columns) * (width + gap)
        sheet[r : r + height, c : c + width] = picture
        ax.text(c + width / 2 - 0.5, r - 1, title, ha="center", va="bottom", fontsize=11)
    drawn = ax.imshow(sheet, cmap="gray_r", vmin=X.min(), vmax=X.max() or 1)
    ax.set_axis_off()
    return drawn


def basins(ax, labels, window, minima=None):
    """Draw a map whose colours say where each start ended.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    labels : int array, shape (ny, nx)
        Number of the minimum reached from each start (row: second variable, upwards); -1 for none.
    window : ((float, float), (float, float))
        Range of the first and of the second variable.
    minima : array, shape (k, 2), optional
        Drawn as stars.

    Returns
    -------
    matplotlib.image.AxesImage

    Raises
    ------
    ValueError
        If labels is not a 2-D array of whole numbers from -1 to 7.
    """
    labels = np.asarray(labels)
    fits = (
        labels.ndim == 2
        and labels.dtype.kind in "iu"
        and labels.size
        and -1 <= labels.min() <= labels.max() < 8
    )
    require(fits, "labels", labels, "a 2-D array of whole numbers from -1 to 7", "Join the smallest basins.")
    window = _window(window)
    drawn = ax.imshow(
        labels,
        origin="lower",
        extent=[*window[0], *window[1]],
        aspect="auto",
        cmap=ListedColormap(["#e3e3e3", *CATEGORIES]),
        vmin=-1.5,
        vmax=7.5,
    )
    if minima is not None:
        minima = finite_array("minima", minima, "Give an array of shape (k, 2).", ndim=2)
        require(minima.shape[1] == 2, "minima", minima, "of shape (k, 2)", "Points of the plane.")
        _stars(ax, minima)
    ax.grid(False)
    return drawn


def direct_labels(ax, lines, texts=None):
    """Write each line's name at its last visible point, moved apart where they would overlap.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    lines : sequence of matplotlib.lines.Line2D
    texts : sequence of str, optional
        By default each line's label.

    Returns
    -------
    list of matplotlib.text.Text

    Raises
    ------
    ValueError
        If there are not as many texts as lines.
    """
    lines = list(lines)
    texts = [line.get_label() for line in lines] if texts is None else list(texts)
    require(len(texts) == len(lines), "texts", texts, f"{len(lines)} texts", "Give one for each line.")
    labels = next((a for a in ax.artists if isinstance(a, EndLabels)), None)
    if labels is None:
        labels = ax.add_artist(EndLabels())
        labels.set_clip_on(False)  # else constrained layout leaves no room for them
    return [labels.add(line, text) for line, text in zip(lines, texts, strict=True)]


def _marks(method, every):
    """Return the keywords for markers of one apparent size with a white edge."""
    size = {"*": 10, "P": 8, "X": 8, "p": 7.5, "h": 7.5}.get(STYLES[method][1], 6.5)
    return {"markevery": every, "markersize": size, "markeredgecolor": "white", "markeredgewidth": 0.7}


def _apart(method, count):
    """Return `markevery` for about 8 markers on `count` points, at other points for each method."""
    every = max(1, count // 8)
    return (list(STYLES).index(method) * 3 % 8 * every // 8, every)


def _stars(ax, minima):
    return ax.plot(*minima.T, "*", color="#ffc400", mec=INK, mew=1, ms=15, zorder=5.8)[0]


def _cross(ax, x, y, color):
    ax.plot(x, y, "X", color=color, mec="white", mew=1, ms=12, zorder=7, clip_on=True)


def _data(name, value, ndim=None):
    """Return a non-empty array of real numbers in which everything that is not finite is NaN."""
    shape = "an array of numbers" if ndim is None else f"an array of numbers with {ndim} axes"
    try:
        array = np.array(value)
    except ValueError:
        array = np.array(None)
    fits = array.dtype.kind in "iuf" and array.size > 0 and (ndim is None or array.ndim == ndim)
    require(fits, name, value, f"{shape}, not empty", "Turn it into such an array first.")
    array = array.astype(np.float64)
    array[~np.isfinite(array)] = np.nan
    return array


def _require_shape(name, array, other, like):
    allowed = f"{other.shape} like {like}"
    require(array.shape == other.shape, f"{name}.shape", array.shape, allowed, "Give one for each of them.")


def _window(window):
    window = finite_array("window", window, "Give ((low, high), (low, high)).", ndim=2)
    require(
        window.shape == (2, 2), "window", window, "((low, high), (low, high))", "Give one range a variable."
    )
    require(
        (window[:, 0] < window[:, 1]).all(), "window", window, "with low < high", "Exchange low and high."
    )
    return window
