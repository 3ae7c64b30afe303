"""Live views: sliders beside a Matplotlib figure whose moving parts follow them.

Matplotlib draws once, at twice the resolution, whatever stays. At each move of a slider the notebook's own
`step` sets the artists that move. Lines and patches travel to the browser as pixel coordinates, all others
(images, texts, collections) as a small picture, and a canvas stacks everything in Matplotlib's order.
"""

import base64
import inspect
import io
import itertools
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import anywidget
import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path as MplPath
from PIL import Image, features

from course_lib._checks import number_in, require, whole_number
from course_lib.display import PIXELS_PER_INCH, SMALL, png

__all__ = ["Control", "LiveFigure", "live", "log_slider", "player", "slider"]

SHARP = 2
"""Pixels painted for each pixel on the page, for screens of twice the usual resolution."""

UNIT = 16
"""Coordinates travel as 16-bit whole numbers of sixteenths of a pixel: half the bytes of float32."""

GAP = -(2**15)
"""In place of x: the pen is lifted before the next point."""

BUDGET = 1950
"""Points in one update, which then stays below 8 kB."""


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
    texts = [write(v) for v in values]
    values = [type(value)(text) for text in texts]  # what the slider says is what step is given
    values[start] = value
    if values[start] != type(value)(texts[start]):
        texts[start] = repr(value)
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
        shown below the figure.
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
    width = fig.get_size_inches().max()
    require(width <= 20, "fig", fig, "at most 20 inches wide and high", "Choose a smaller figsize.")
    require(isinstance(alt, str) and alt.strip(), "alt", alt, "a text", "Say what the figure shows.")
    _check_step(step, controls)
    artists = list(_flat(artists))
    require(artists, "artists", artists, "at least one artist", "Name those which step changes.")
    drawn = {artist for artist, _ in _drawing_order(fig, artists)}
    for artist in artists:
        remedy = "Give lines, patches, images, texts, collections, or whole axes."
        require(artist in drawn, "artists", artist, "drawn by fig or its axes", remedy)
    plt.close(fig)
    return LiveFigure(fig, step, artists, " ".join(alt.split()), controls)


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


def _flat(artists):
    """Yield the artists in nested sequences; a BarContainer is one of them."""
    if isinstance(artists, Artist):
        yield artists
    else:
        remedy = "Give the artists that step changes, as a list."
        require(isinstance(artists, list | tuple | np.ndarray), "artists", artists, "artists", remedy)
        for artist in artists:
            yield from _flat(artist)


def _drawing_order(parent, moving):
    """Yield each artist under `parent`, lowest first, with the box in which it is drawn."""
    for child in sorted(parent.get_children(), key=lambda a: (a is not parent.patch, a.get_zorder())):
        if isinstance(child, Axes | SubFigure) and child not in moving:
            yield from _drawing_order(child, moving)
        else:
            yield child, (child if isinstance(child, Axes) else parent).bbox


def _levels(fig, moving):
    """Sort the artists of `fig` into levels (what stays, what moves above it), lowest first."""
    levels, tops = [([], [])], {}
    for artist, box in _drawing_order(fig, moving):
        moves = artist in moving
        below = [n + (moved and not moves) for other, n, moved in tops.values() if other.overlaps(box)]
        level = max(below, default=0)
        tops[id(box)] = box, level, moves
        if level == len(levels):
            levels.append(([], []))
        levels[level][moves].append(artist)
    return levels


def _paint(fig, draw, scale):
    """Return the image that `draw(renderer)` leaves on a transparent canvas, at `scale` pixels for one."""
    fig.dpi = scale * PIXELS_PER_INCH
    try:
        renderer = RendererAgg(*np.rint(fig.bbox.size).astype(int).tolist(), fig.dpi)
        draw(renderer)
    finally:
        fig.dpi = PIXELS_PER_INCH
    return Image.fromarray(np.array(renderer.buffer_rgba()))


def _encode(image, **options):
    file = io.BytesIO()
    image.save(file, **options)
    return file.getvalue()


class _Recorder(RendererBase):
    """A Matplotlib renderer that only writes down what an artist draws, in pixels on the page."""

    def __init__(self, fig):
        super().__init__()
        self.low, self.high = np.full(2, -50.0), fig.bbox.size + 50  # wider than any marker or line
        self.items, self.paths = [], []

    def points_to_pixels(self, points):
        return points * PIXELS_PER_INCH / 72

    def draw_path(self, gc, path, transform, rgbFace=None):
        fill = _hex(rgbFace)
        # An open line is cut at the margin, so that its direction stays right however far it runs.
        path = path.cleaned(transform, remove_nans=True, clip=None if fill else (*self.low, *self.high))
        keep = path.codes != path.STOP
        path = MplPath(path.vertices[keep], path.codes[keep])
        closed = path.codes == path.CLOSEPOLY  # whose own coordinates say nothing
        starts = np.maximum.accumulate(np.where(path.codes == path.MOVETO, np.arange(len(closed)), 0))
        path.vertices[closed] = path.vertices[starts[closed]]
        self._write(gc, path, kind="line", fill=fill)

    def draw_markers(self, gc, marker_path, marker_trans, path, trans, rgbFace=None):
        points = trans.transform(path.vertices)
        inside = ((self.low < points) & (points < self.high)).all(axis=1)  # NaN is not
        self._write(
            gc,
            MplPath(points[inside]),
            kind="markers",
            fill=_hex(rgbFace),
            marker=_svg(marker_path.transformed(marker_trans)),
        )

    def _write(self, gc, path, **item):
        height = self.high[1] - 50
        offset, dashes = gc.get_dashes()
        clip = gc.get_clip_rectangle()
        scale = self.points_to_pixels
        self.items.append(
            item
            | {
                "stroke": _hex(gc.get_rgb()) if gc.get_linewidth() > 0 else "",
                "width": scale(gc.get_linewidth()),
                "dashes": [scale(float(d)) for d in (() if dashes is None else dashes)],
                "offset": scale(float(offset or 0)),
                "cap": gc.get_capstyle().replace("projecting", "square"),
                "join": gc.get_joinstyle(),
                "clip": clip and [float(v) for v in (clip.x0, height - clip.y1, clip.width, clip.height)],
            }
        )
        self.paths.append(path)

    def points(self):
        """Return one array of points a path, y downwards, thinned out to what an update can hold."""
        paths, tolerance = self.paths, 1 / 9
        while sum(len(path.vertices) for path in paths) > BUDGET:
            paths = [_thinned(path, tolerance) for path in self.paths]
            tolerance *= 2
        return [_short(path, self.low, self.high) for path in paths]


def _hex(color):
    """Return a colour as CSS, or "" where nothing is to be drawn."""
    return "" if color is None or (len(color) == 4 and color[3] == 0) else to_hex(color, keep_alpha=True)


def _svg(path):
    letters = {MplPath.MOVETO: "M", MplPath.LINETO: "L", MplPath.CURVE3: "Q", MplPath.CURVE4: "C"}
    words = []
    for vertices, code in path.iter_segments():
        numbers = (vertices.reshape(-1, 2) * (1, -1)).ravel()
        words.append(letters[code] + " ".join(f"{v:.3f}" for v in numbers) if code in letters else "Z")
    return "".join(words)


def _thinned(path, tolerance):
    """Merge what differs by less than `tolerance` pixels."""
    if path.codes is None:
        cells = np.unique(np.floor(path.vertices / tolerance), axis=0, return_index=True)[1]
        return MplPath(path.vertices[np.sort(cells)])
    path = MplPath(path.vertices, path.codes)
    path.simplify_threshold = tolerance
    path = path.cleaned(simplify=True)
    return MplPath(path.vertices[:-1], path.codes[:-1])


def _short(path, low, high):
    """Return the points in units of 1/16 pixel as int16, with a gap where the pen is lifted."""
    points = np.clip(path.vertices, low, high) * (1, -1) + (0, high[1] - 50)
    points = np.rint(points * UNIT).astype("<i2")
    if path.codes is None:
        return points
    lifted = np.flatnonzero(path.codes == path.MOVETO)[1:]
    return np.insert(points, lifted, [GAP, 0], axis=0)


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
        fig.dpi = PIXELS_PER_INCH
        positions = {name: control.start for name, control in controls.items()}
        status = self._set(positions)
        fig.draw_without_rendering()
        fig.set_layout_engine("none")
        self._levels = _levels(fig, artists)
        self._limits = self._staying_limits()
        layers = self._paint_layers()
        scene, answer = self._record(SHARP)
        answer |= {"view": "", "seq": 0, "positions": positions, "status": status, "error": "", "kernel": 0}
        super().__init__(
            alt=alt,
            size=fig.bbox.size.tolist(),
            controls=[
                {"name": n, "label": c.label or n, "texts": c.texts, "start": c.start, "fps": c.fps}
                for n, c in controls.items()
            ],
            layers=layers,
            scene=scene,
            answer=answer,
        )
        self.on_msg(self._receive)

    def __repr__(self):
        return f"Live view: {self.alt}"

    def _set(self, positions):
        """Let `step` set the artists to the values at these positions; return its text."""
        status = self._step(**{name: self._controls[name].values[i] for name, i in positions.items()})
        return status if isinstance(status, str) else ""

    def _staying_limits(self):
        moving = {artist for _, artists in self._levels for artist in artists}
        staying = [ax for ax in self._fig.axes if ax not in moving]
        return {ax: {"xlim": ax.get_xlim(), "ylim": ax.get_ylim()} for ax in staying}

    def _paint_layers(self):
        """Return what stays as PNG pictures, one for each level."""
        shown = [a for level in self._levels for artists in level for a in artists if a.get_visible()]
        pictures = []
        for staying, _ in self._levels:
            for artist in shown:
                artist.set_visible(artist in staying)
            pictures.append(_encode(_paint(self._fig, self._fig.draw, SHARP), format="png", compress_level=3))
        for artist in shown:
            artist.set_visible(True)
        return pictures

    def _record(self, scale):
        """Return the drawing order, with styles, and the coordinates and pictures of all that moves."""
        recorder, pictures = _Recorder(self._fig), []
        for _, moving in self._levels:
            recorder.items.append({"kind": "layer"})
            for streamed, artists in itertools.groupby(moving, key=_is_streamed):
                if streamed:
                    for artist in artists:
                        artist.draw(recorder)
                else:
                    recorder.items.append({"kind": "picture"})
                    pictures.append(_picture(self._fig, list(artists), scale))
        points = recorder.points()
        return recorder.items, {
            "counts": [len(part) for part in points],
            "points": b"".join(part.tobytes() for part in points),
            "pictures": pictures,
        }

    def _receive(self, _, request, buffers):
        """Answer the positions of the sliders with what belongs to them, or with the error they caused."""
        began = time.perf_counter()
        positions = {
            name: min(max(int(request["positions"][name]), 0), len(control.values) - 1)
            for name, control in self._controls.items()
        }
        scene, answer = self.scene, self.answer | {"status": "", "error": ""}
        try:
            answer["status"] = self._set(positions)
            self._require_limits()
            scene, drawn = self._record(min(max(request["ratio"], 1), SHARP))
            answer |= drawn
        except Exception as error:  # shown in the view: a log would hide it from who moved the slider
            answer["error"] = _explain(error, self._step)
        answer |= {"view": request["view"], "seq": request["seq"], "positions": positions}
        answer["kernel"] = 1000 * (time.perf_counter() - began)
        with self.hold_sync():
            self.scene, self.answer = scene, answer

    def _require_limits(self):
        for ax, limits in self._limits.items():
            if limits != {"xlim": ax.get_xlim(), "ylim": ax.get_ylim()}:
                ax.set(**limits)
                raise ValueError("step changed the limits of an axes: give live() the whole axes to move.")

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)[0]
        picture = png(self._fig)
        if len(picture) >= SMALL:
            picture = png(self._fig, dpi=1.5 * PIXELS_PER_INCH)
        bundle |= {"text/plain": repr(self), "image/png": base64.b64encode(picture).decode("ascii")}
        return bundle, {"image/png": {"alt": self.alt, "width": round(self.size[0])}}


def _is_streamed(artist):
    """Tell whether the canvas draws the artist from its coordinates as Matplotlib does."""
    kind = isinstance(artist, Line2D) or (isinstance(artist, Patch) and not artist.get_hatch())
    return kind and artist.get_clip_path() is None and not artist.get_path_effects()


def _picture(fig, artists, scale):
    """Return the artists painted alone, as a compressed image, and the box in pixels where it belongs."""

    def draw(renderer):
        for artist in artists:
            artist.draw(renderer)

    image = _paint(fig, draw, scale)
    box = image.getbbox() or (0, 0, 1, 1)
    kind = "webp" if features.check("webp") else "png"
    data = _encode(image.crop(box), format=kind, **({"quality": 80, "method": 0} if kind == "webp" else {}))
    return {"box": [edge / scale for edge in box], "kind": f"image/{kind}", "data": data}


def _explain(error, step):
    """Return the error in words, with the line of the cell that holds `step` where it happened."""
    code = getattr(step, "__code__", None)
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if code and frame.filename == code.co_filename
    ]
    where = f" (line {lines[-1]} of the cell that defines step)" if lines else ""
    return f"{type(error).__name__}: {error}{where}"
