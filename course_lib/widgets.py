"""Live views: sliders beside a Matplotlib figure whose moving parts follow them.

Matplotlib draws once, at twice the resolution, whatever stays. At each move of a slider the notebook's own
`step` sets the artists that move. Lines and patches travel to the browser as pixel coordinates, all others
(images, texts, collections) as a small picture, and a canvas stacks everything in Matplotlib's order.
"""

import base64
import inspect
import time
import traceback
import types
from dataclasses import dataclass
from pathlib import Path

import anywidget
import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from course_lib import _canvas
from course_lib._checks import number_in, require, whole_number
from course_lib.display import PIXELS_PER_INCH, SMALL, described, png

__all__ = ["Control", "LiveFigure", "live", "log_slider", "player", "slider"]


@dataclass(frozen=True)
class Control:
    """A slider: the values that `step` may be given, and how each one reads."""

    values: tuple
    texts: tuple
    start: int
    label: str
    fps: float = 0.0


def slider(lo, hi, value, *, n=200, label="", digits=3, unit=""):
    """Describe a slider from `lo` to `hi` in `n` equal steps that starts exactly at `value`.

    Parameters
    ----------
    lo, hi, value : float
        If `lo` and `hi` are whole and so is each step, `step` is given ints.
    n : int
        Number of steps.
    label : str
        Text beside the slider; by default the name of the argument.
    digits : int
        Significant digits shown of the largest value; more where two neighbours would read the same.
    unit : str
        Written and spoken after each value.

    Returns
    -------
    Control

    Raises
    ------
    ValueError
        If ``lo < hi`` does not hold, `value` lies outside, or another argument does not fit.

    Examples
    --------
    >>> lr = slider(0, 1, 0.4, n=5, label="learning rate")
    >>> lr.values
    (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    >>> lr.texts[lr.start]
    '0.40'
    >>> slider(1, 5, 2, n=4).values
    (1, 2, 3, 4, 5)
    """
    value, n, digits = _check_slider(lo, hi, value, n, digits, -1e300, "")
    values = np.linspace(lo, hi, n + 1)
    if all(float(v).is_integer() for v in (lo, hi, value, (hi - lo) / n)):
        return _control([int(v) for v in values], str, int(value), label, unit)
    decimals = max(0, digits - 1 - int(np.floor(np.log10(max(abs(lo), abs(hi))))))
    while np.abs(np.round(values, decimals) - values).max() > (hi - lo) / n / 20:  # steps would look unequal
        decimals += 1
    return _control(values, lambda v: f"{v:.{decimals}f}", value, label, unit)


def log_slider(lo, hi, value, *, n=200, label="", digits=3, unit=""):
    """Describe a slider from `lo` > 0 to `hi` in `n` equal factors that starts exactly at `value`.

    The arguments, the result and the errors are those of `slider`.

    Examples
    --------
    >>> h = log_slider(1e-8, 1, 1e-2, n=4, label="h")
    >>> h.values
    (1e-08, 1e-06, 0.0001, 0.01, 1.0)
    >>> h.texts
    ('1.00e−8', '1.00e−6', '0.000100', '0.0100', '1.00')
    """
    value, n, digits = _check_slider(lo, hi, value, n, digits, 0, "A log slider needs lo > 0. ")
    values = np.geomspace(lo, hi, n + 1)
    while len({f"{v:.{digits}g}" for v in values}) <= n:
        digits += 1
    return _control(values, lambda v: f"{v:#.{digits}g}".rstrip(".").replace("e-0", "e-"), value, label, unit)


def player(n, value=0, *, fps=10, label="step"):
    """Describe a slider over 0, 1, …, `n` with a play button that moves it on by `fps` steps a second.

    Parameters
    ----------
    n : int
        The last step.
    value : int
        The step shown at first.
    fps : float
        Steps a second, at most 60. Who asked for reduced motion goes step by step instead.
    label : str
        Text beside the slider.

    Returns
    -------
    Control

    Raises
    ------
    ValueError
        If `n`, `value` or `fps` lies outside its range.

    Examples
    --------
    >>> player(3, fps=4)
    Control(values=(0, 1, 2, 3), texts=('0', '1', '2', '3'), start=0, label='step', fps=4.0)
    """
    n = whole_number("n", n, 1, "It is the last step.")
    value = whole_number("value", value, 0, "It is the step shown at first.")
    require(value <= n, "value", value, f"at most n = {n}", "It is the step shown at first.")
    fps = number_in("fps", fps, 0, 60, "Try 10 steps a second.", open_low=True)
    return _control(list(range(n + 1)), str, value, label, "", fps)


def _check_slider(lo, hi, value, n, digits, lowest, hint):
    lo = number_in("lo", lo, lowest, 1e300, hint + "It is the left end.", open_low=True)
    hi = number_in("hi", hi, lo, 1e300, "It is the right end.", open_low=True)
    value = number_in("value", value, lo, hi, "The slider starts there.")
    n = whole_number("n", n, 1, "It counts the steps of the slider.")
    require(n <= 10_000, "n", n, "at most 10,000", "A screen has no more pixels.")
    return value, n, whole_number("digits", digits, 1, "Take 3.")


def _control(values, write, value, label, unit, fps=0.0):
    require(isinstance(label, str), "label", label, "a text", "It stands beside the slider.")
    require(isinstance(unit, str), "unit", unit, "a text", "It stands behind the value.")
    start = int(np.argmin(np.abs(np.array(values) - value)))
    values[start] = value
    texts = [write(v) for v in values]
    if type(value)(texts[start]) != value:
        texts[start] = repr(value)
    values = [type(value)(text) for text in texts]  # what the slider says is what step is given
    texts = [f"{text} {unit}".strip().replace("-", "−") for text in texts]
    return Control(tuple(values), tuple(texts), start, label, fps)


def live(fig, step, artists, *, alt, **controls):
    """Show `fig` with a slider for each argument of `step`; leave the result as the last line of a cell.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        One inch takes 100 pixels on the page, 20 inches at most. Its layout is frozen as it stands.
    step : callable
        ``step(**values)`` sets the artists to what belongs to the values; it may return a text, which is
        shown below the figure. It sees the notebook as it is now: later cells may reuse its names.
    artists : artist or sequence of artists
        All that `step` changes. `Line2D` and patches (bars) are the fastest; images, texts, collections
        and whole `Axes` (if limits or ticks change as well) do too.
    alt : str
        What the figure shows, in words, for who cannot see it.
    **controls : Control
        For each argument of `step`, a `slider`, `log_slider` or `player`.

    Returns
    -------
    LiveFigure
        A widget; in a saved notebook, the figure at the starting values.

    Raises
    ------
    ValueError
        If the artists are not drawn by `fig` itself or its axes, or the controls do not fit `step`.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> _ = ax.set(xlim=(0, 1), ylim=(0, 3))
    >>> (line,) = ax.plot([], [])
    >>> def step(slope):
    ...     line.set_data([0, 1], [0, slope])
    >>> live(fig, step, line, alt="A line through the origin.", slope=slider(0, 3, 1))
    Live view: A line through the origin.
    """
    require(isinstance(fig, Figure), "fig", fig, "a Matplotlib figure", "Make one with plt.subplots().")
    inches = fig.get_size_inches().max()
    require(inches <= 20, "figsize", inches, "at most 20 inches", "Make the figure smaller.")
    require(isinstance(alt, str) and alt.strip(), "alt", alt, "a text", "Say what the figure shows.")
    _check_step(step, controls)
    artists = list(_flat(artists))
    require(artists, "artists", artists, "at least one artist", "Name those which step changes.")
    drawn = {artist for artist, _ in _canvas.drawing_order(fig, artists)}
    for artist in artists:
        remedy = "Give lines, patches, images, texts, collections, or whole axes."
        require(artist in drawn, "artists", artist, "drawn by fig itself or by its axes", remedy)
    plt.close(fig)
    return LiveFigure(fig, _detached(step), artists, " ".join(alt.split()), controls)


def _check_step(step, controls):
    require(callable(step), "step", step, "a function", "It sets the artists to what belongs to the values.")
    require(controls, "controls", controls, "at least one slider", "Add one for each argument of step.")
    for name, control in controls.items():
        remedy = "Make it with slider, log_slider or player."
        require(isinstance(control, Control), name, control, "a control", remedy)
    try:
        inspect.signature(step).bind(**controls)
    except TypeError as error:
        names = ", ".join(controls)
        raise ValueError(
            f"controls = {names}: must be the arguments of step{inspect.signature(step)}: {error}. "
            "Give each argument one slider of its name."
        ) from None


def _detached(step):
    """Return `step` in a copy of its notebook, so that later cells may give its names another meaning."""
    if not isinstance(step, types.FunctionType):
        return step
    notebook, copy = step.__globals__, dict(step.__globals__)

    def moved(function):
        twin = types.FunctionType(
            function.__code__, copy, function.__name__, function.__defaults__, function.__closure__
        )
        twin.__kwdefaults__ = function.__kwdefaults__
        twin.__dict__.update(function.__dict__)
        return twin

    for name, value in notebook.items():  # the functions that step calls, too
        if isinstance(value, types.FunctionType) and value.__globals__ is notebook:
            copy[name] = moved(value)
    return moved(step)


def _flat(artists):
    """Yield the artists in nested sequences; a BarContainer is one of them."""
    if isinstance(artists, Artist):
        yield artists
    else:
        remedy = "Give the artists that step changes, as a list."
        require(isinstance(artists, list | tuple | np.ndarray), "artists", artists, "artists", remedy)
        for artist in artists:
            yield from _flat(artist)


class LiveFigure(anywidget.AnyWidget):
    """The widget that `live` returns: a figure, its sliders, and the text that `step` returned.

    The browser sends the positions of the sliders; `answer` holds what belongs to them.
    """

    _esm = Path(__file__).with_name("live.js")
    _css = Path(__file__).with_name("live.css")
    alt = traitlets.Unicode().tag(sync=True)
    size = traitlets.List().tag(sync=True)
    controls = traitlets.List().tag(sync=True)
    layers = traitlets.List().tag(sync=True)
    scene = traitlets.List().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, fig, step, artists, alt, controls):
        self._fig, self._step, self._controls = fig, step, controls
        positions = {name: control.start for name, control in controls.items()}
        status = self._set(positions)
        fig.dpi = PIXELS_PER_INCH
        fig.draw_without_rendering()
        fig.set_layout_engine("none")  # or the plots would shift when an artist is left out
        self._levels = _canvas.levels(fig, artists)
        self._limits = {ax: _limits(ax) for ax in fig.axes if ax not in artists}
        layers = _canvas.layers(fig, self._levels)
        scene, drawn = _canvas.record(fig, self._levels, _canvas.SHARP)
        heard = {"view": "", "seq": 0, "positions": positions, "status": status, "error": "", "kernel": 0.0}
        heard["haste"] = False
        super().__init__(
            alt=alt,
            size=fig.bbox.size.tolist(),
            controls=[
                {"name": name, "label": c.label or name, "texts": c.texts, "start": c.start, "fps": c.fps}
                for name, c in controls.items()
            ],
            layers=layers,
            scene=scene,
            answer=drawn | heard,
        )
        self.on_msg(self._receive)

    def __repr__(self):
        return f"Live view: {self.alt}"

    def _set(self, positions):
        """Let `step` set the artists to the values at these positions; return its text."""
        status = self._step(**{name: self._controls[name].values[i] for name, i in positions.items()})
        return status if isinstance(status, str) else ""

    def _receive(self, _, request, buffers):
        """Answer the positions of the sliders with what belongs to them, or with the error they caused."""
        if not request:  # sent to hasten the answer to the question before it, see live.js
            return
        began = time.perf_counter()
        positions = {
            name: min(max(int(request["positions"][name]), 0), len(control.values) - 1)
            for name, control in self._controls.items()
        }
        scene, answer = self.scene, self.answer | {"status": "", "error": ""}
        try:
            answer["status"] = self._set(positions)
            self._require_limits()
            ratio = 1 if request["haste"] else min(max(request["ratio"], 1), _canvas.SHARP)
            scene, drawn = _canvas.record(self._fig, self._levels, ratio, request["haste"])
            answer |= drawn
        except (Exception, KeyboardInterrupt) as error:  # told in the view: a log would hide it
            answer["error"] = _explain(error, self._step)
        answer |= {"positions": positions} | {key: request[key] for key in ("view", "seq", "haste")}
        answer["kernel"] = 1000 * (time.perf_counter() - began)
        with self.hold_sync():
            self.scene, self.answer = scene, answer

    def _require_limits(self):
        for ax, limits in self._limits.items():
            if _limits(ax) != limits:
                ax.set(**limits)
                raise ValueError(
                    "step changed the limits of axes that stay: name the axes among the artists."
                )

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)[0]
        picture = png(self._fig)
        if len(picture) >= SMALL:
            picture = png(self._fig, dpi=1.5 * PIXELS_PER_INCH)
        bundle |= {"text/plain": repr(self), "image/png": base64.b64encode(picture).decode("ascii")}
        sentences = [text.rstrip(".") for text in (repr(self), self.answer["status"]) if text]
        alt = described(self._fig, ". ".join(sentences) + ".")
        return bundle, {"image/png": {"alt": alt, "width": round(self.size[0])}}


def _limits(ax):
    return {"xlim": ax.get_xlim(), "ylim": ax.get_ylim()}


def _explain(error, step):
    """Return the error in words, with the line of the cell that holds `step` where it happened."""
    frames = traceback.extract_tb(error.__traceback__)
    cell = getattr(getattr(step, "__code__", None), "co_filename", None)
    line = next((frame.lineno for frame in reversed(frames) if frame.filename == cell), None)
    where = f" (line {line} of its cell)" if line else ""
    return f"Error in step{where}: {type(error).__name__}: {error}"
