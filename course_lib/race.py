"""Races: tracks that grow step by step over a figure, played by the browser alone.

The cell's HTML holds it all: pictures of what stays, the tracks' pixel coordinates, and a small player. It
needs no kernel and no network; where no script may run, the still picture stands there. For slides, a race
can be saved as a GIF or MP4.
"""

import base64
import copy
import html
import io
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from course_lib import _canvas, _movies
from course_lib._checks import number_in, one_of, require
from course_lib._labels import EndLabels
from course_lib.display import PIXELS_PER_INCH, SMALL, described, palettised, png

__all__ = ["Race", "race"]

MOST_POINTS = 18_000
"""Points of all tracks together: they travel as less than 100 kB of text."""

REACH = 2040
"""Pixels from the corner of the figure within which all points are kept: 16 bits hold no more."""

HOLD = 1.5
"""Seconds for which a movie shows the end before it begins anew."""

ABOVE = 8
"""Where heads are drawn: above the minima's stars, below names at the ends of lines."""

NO_MARKER = (None, "None", "none", " ", "")

PNG = "data:image/png;base64,"


def race(fig, tracks, *, alt, seconds=8, heads=True):
    """Return a player in which `tracks` grow from their first point to their last, all in step.

    Leave it as the last line of a cell. All tracks take their step k at the same moment, whichever axes they
    belong to; a shorter one waits at its end.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        One inch takes 100 pixels on the page, 20 inches at most. Its layout is frozen as it stands.
    tracks : sequence of matplotlib.lines.Line2D
        Lines that hold their whole data, one point a step; NaN after a divergence.
    alt : str
        What the race shows, in words: its caption, and for who cannot see it.
    seconds : float
        How long it lasts, 1 to 120, at the usual speed.
    heads : bool
        Whether each track has its marker at its tip, and a cross where it diverged; it has no others.

    Returns
    -------
    Race
        In a saved notebook, the figure with all tracks at their ends.

    Raises
    ------
    ValueError
        If the tracks are not lines of the figure with two or more points, or are too long, or another
        argument does not fit.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> tracks = ax.plot([0, 1, 2], [[2, 2], [1, 1], [0, 2]])
    >>> race(fig, tracks, alt="Of two tracks, one turns round.")
    Race: Of two tracks, one turns round.
    """
    require(isinstance(fig, Figure), "fig", fig, "a Matplotlib figure", "Make one with plt.subplots().")
    inches = fig.get_size_inches().max()
    require(inches <= 20, "figsize", inches, "at most 20 inches", "Make the figure smaller.")
    require(isinstance(alt, str) and alt.strip(), "alt", alt, "a text", "Say what the race shows.")
    require(isinstance(heads, bool), "heads", heads, "True or False", "Leave it out for heads.")
    seconds = number_in("seconds", seconds, 1, 120, "Take 8.")
    several = isinstance(tracks, list | tuple) and tracks and all(isinstance(t, Line2D) for t in tracks)
    require(several, "tracks", tracks, "a list of lines", "Collect what ax.plot returned.")
    require(len(set(tracks)) == len(tracks), "tracks", tracks, "different lines", "Name each one once.")
    for track in tracks:
        require(track.axes in fig.axes, "tracks", track, "drawn by axes of fig", "Plot it there.")
    counts = [len(track.get_xydata()) for track in tracks]
    require(min(counts) > 1, "tracks", counts, "of 2 points or more each", "Set their whole data first.")
    remedy = "Leave out tracks, or draw every second step."
    require(sum(counts) <= MOST_POINTS, "tracks", sum(counts), f"at most {MOST_POINTS:,} points", remedy)
    plt.close(fig)
    return Race(fig, list(tracks), " ".join(alt.split()), seconds, heads)


class Race:
    """What `race` returns: a figure whose tracks play, as the output of a cell or as a movie."""

    def __init__(self, fig, tracks, alt, seconds, heads):
        self.alt, self.seconds = alt, seconds
        self._fig, self._tracks = fig, tracks
        fig.dpi = PIXELS_PER_INCH
        fig.draw_without_rendering()
        fig.set_layout_engine("none")  # or the plots would shift when an artist is left out
        for labels in (a for ax in fig.axes for a in ax.artists if isinstance(a, EndLabels)):
            # Names stand at the ends from the start: they follow lines that neither move nor are hidden.
            labels.pairs = [(copy.copy(line), text) for line, text in labels.pairs]
        self._points = [_on_the_page(track) for track in tracks]
        self._steps = max(map(len, self._points)) - 1
        self._heads = [_marker(track, lost=False) for track in tracks] if heads else []
        self._crosses = [_marker(track, lost=True) for track in tracks] if heads else []
        for track in tracks:
            track.set(marker="None", transform=fig.dpi_scale_trans)
        self._levels = _canvas.levels(fig, [*tracks, *self._heads, *self._crosses])
        self._go_to(self._steps)

    def __repr__(self):
        return f"Race: {self.alt}"

    def _go_to(self, k):
        """Let all tracks end at step `k`; between two steps, on the way from one to the other."""
        for i, (track, points) in enumerate(zip(self._tracks, self._points, strict=True)):
            last = min(int(k), len(points) - 1)
            ahead = points[min(last + 1, len(points) - 1)]
            way = (k - last) * (ahead - points[last])
            seen = np.vstack([points[: last + 1], points[last] + way])
            seen = (seen * (1, -1) + (0, self._fig.bbox.height)) / PIXELS_PER_INCH
            track.set_data(*seen.T)
            if self._heads:
                tip, lost = seen[np.isfinite(seen[:, 0])][-1:].T, np.isnan(points[last, 0])
                self._heads[i].set(data=tip, visible=not lost)
                self._crosses[i].set(data=tip, visible=lost)

    def _repr_mimebundle_(self, include=None, exclude=None):
        self._go_to(self._steps)
        still = png(self._fig)
        if len(still) >= SMALL:
            still = png(self._fig, dpi=1.5 * PIXELS_PER_INCH)
        still, width = _base64(still), round(self._fig.bbox.width)
        bundle = {"text/plain": repr(self), "image/png": still, "text/html": self._html(still, width)}
        return bundle, {"image/png": {"alt": described(self._fig, self.alt), "width": width}}

    def _html(self, still, width):
        """Return the player: a picture with its caption, and the script that brings it to life."""
        style = Path(__file__).with_name("live.css").read_text("utf-8")
        script = Path(__file__).with_name("race.js").read_text("utf-8")
        data = json.dumps(self._data(), separators=(",", ":")).replace("<", "\\u003c")
        caption, alt = html.escape(self.alt), html.escape(described(self._fig, self.alt))
        return (
            f'<div class="race-view" role="group" aria-label="Race: {caption}">\n<style>\n{style}</style>\n'
            f'<img src="{PNG}{still}" alt="{alt}" width="{width}">\n'
            f'<p class="course-caption" style="max-width: {width}px">{caption}</p>\n'
            f"<script>\n(() => {{\n{script}\nrace(document.currentScript.parentElement, {data});\n}})();\n"
            "</script>\n</div>"
        )

    def _data(self):
        """Return what race.js needs: pictures, what is drawn in which order and style, and coordinates."""
        scene = []
        for _, moving in self._levels:
            scene.append({"kind": "layer"})
            for artist in moving:
                scene += self._looks(artist)
        return {
            "alt": described(self._fig, self.alt),
            "size": self._size(1),
            "seconds": self.seconds,
            "layers": [PNG + _base64(_small(layer)) for layer in _canvas.layers(self._fig, self._levels)],
            "scene": scene,
            "counts": [len(points) for points in self._points],
            "points": _base64(b"".join(map(_packed, self._points))),
        }

    def _looks(self, artist):
        """Return how to draw a track, a head or a cross: one item, or several with path effects."""
        kinds = {"track": self._tracks, "head": self._heads, "cross": self._crosses}
        (name, i) = next((name, group.index(artist)) for name, group in kinds.items() if artist in group)
        visible = artist.get_visible()
        artist.set_visible(True)
        items = _canvas.strokes(self._fig, artist)
        artist.set_visible(visible)
        return [_rounded(item) | {"kind": name, "track": i} for item in items]

    def _size(self, scale):
        return np.rint(self._fig.bbox.size * scale).astype(int).tolist()

    def save(self, path):
        """Write the race as a movie that slides can show: ``race.gif`` or ``race.mp4``.

        Parameters
        ----------
        path : str or Path
            Where to; the ending tells the format. An MP4 has twice the pixels each way, and needs ffmpeg:
            the program itself, or the package imageio-ffmpeg, which brings it.

        Raises
        ------
        ValueError
            If the ending is another one.
        RuntimeError
            If there is no ffmpeg, or it fails.
        """
        path = Path(path)
        kind = one_of("suffix", path.suffix.lower(), _movies.FORMATS, "A GIF needs nothing else.")
        fps, scale = _movies.FORMATS[kind]
        _movies.write(path, self._frames(fps, scale), fps, self._size(scale))

    def _frames(self, fps, scale):
        """Yield the pictures of a movie; the last one `HOLD` seconds long."""
        size = tuple(self._size(scale))
        layers = [Image.open(io.BytesIO(layer)) for layer in _canvas.layers(self._fig, self._levels)]
        layers = [layer.resize(size, Image.Resampling.BOX) for layer in layers]
        for k in np.linspace(0, self._steps, round(fps * self.seconds) + 1):
            self._go_to(k)
            frame = Image.new("RGBA", size)
            for layer, (_, moving) in zip(layers, self._levels, strict=True):
                frame.alpha_composite(layer)
                frame.alpha_composite(_canvas.painted(self._fig, moving, scale))
            frame = frame.convert("RGB")
            yield frame
        for _ in range(round(fps * HOLD)):
            yield frame


def _on_the_page(track):
    """Return where Matplotlib draws each point, in pixels from the upper left; NaN where it draws none."""
    with np.errstate(all="ignore"):  # the logarithm of a loss that is 0
        points = np.array(track.get_transform().transform(track.get_xydata()), float)
        points = points * (1, -1) + (0, track.get_figure().bbox.height)
    points[~np.isfinite(points).all(axis=1)] = np.nan
    require(np.isfinite(points[0, 0]), "tracks", track, "finite at their first point", "Check its start.")
    for i in np.flatnonzero((np.abs(points) > REACH).any(axis=1)):
        before = points[max(i - 1, 0)]
        if (np.abs(before) <= REACH).all():  # stop on the way: the line leaves the plot in its direction
            way = points[i] - before
            points[i] = before + way * ((np.copysign(REACH, way) - before) / np.where(way, way, 1e-9)).min()
        points[i] = np.clip(points[i], -REACH, REACH)
    return points


def _marker(track, lost):
    """Add what stands at the tip of `track`: its own marker, or the cross that tells that it was lost."""
    own = track.get_marker()
    marker, size = ("X", 12) if lost else ("o" if own in NO_MARKER else own, 10)
    look = {"marker": marker, "markersize": size, "color": track.get_color(), "mec": "white", "mew": 1}
    head = Line2D([], [], ls="", zorder=max(ABOVE, track.get_zorder()), **look)
    head.set_transform(track.get_figure().dpi_scale_trans)
    return track.axes.add_artist(head)


def _packed(points):
    """Return points as they travel: int16, and a gap for NaN."""
    # A coordinate half way between two whole numbers must not be rounded by its last bit.
    whole = np.rint(points * _canvas.UNIT + 1e-4)
    return np.where(np.isnan(points), (_canvas.GAP, 0), whole).astype("<i2").tobytes()


def _small(layer):
    """Return a layer as a smaller PNG: with a palette where nothing shines through."""
    image = Image.open(io.BytesIO(layer))
    if image.getextrema()[3][0] == 255:
        return palettised(image.convert("RGB"), 256)
    file = io.BytesIO()
    image.save(file, format="png", optimize=True)
    return file.getvalue()


def _rounded(value):
    """Return lists and numbers with three decimals, which hold on every processor."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, 3) + 0.0 if isinstance(value, float) else value


def _base64(data):
    return base64.b64encode(data).decode("ascii")
