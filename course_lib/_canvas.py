"""What Matplotlib draws, as data for a canvas: pictures of what stays, coordinates of what moves.

Everything is in pixels on the page, 100 to the inch, from the upper left corner.
"""

import io
import itertools

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_hex
from matplotlib.figure import SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path
from PIL import Image, features

from course_lib._contrast import legible
from course_lib.display import PIXELS_PER_INCH

__all__ = [
    "BUDGET",
    "GAP",
    "SHARP",
    "UNIT",
    "drawing_order",
    "layers",
    "levels",
    "painted",
    "record",
    "strokes",
]

SHARP = 2
"""Pixels painted for each pixel on the page, for screens of twice the usual resolution."""

UNIT = 16
"""Coordinates travel as 16-bit whole numbers of sixteenths of a pixel: half the bytes of float32."""

GAP = -(2**15)
"""In place of x: the pen is lifted before the next point."""

BUDGET = 1700
"""Points in one update, which then stays below 8 kB, headers and all."""

SMALL = 8000
"""Bytes up to which a moving picture is sent without loss; beyond, loss must halve it, in haste save any."""

MARGIN = 50
"""Pixels round the figure in which coordinates are kept: more than any marker or line is wide."""


def drawing_order(parent, moving):
    """Yield each artist under `parent`, lowest first, with the box in which it is drawn."""
    for child in sorted(parent.get_children(), key=lambda a: (a is not parent.patch, a.get_zorder())):
        if isinstance(child, Axes | SubFigure) and child not in moving:
            yield from drawing_order(child, moving)
        else:
            yield child, (child if isinstance(child, Axes) else parent).bbox


def levels(fig, moving):
    """Return pairs (artists that stay, artists that move above them), lowest first.

    An artist that stays stands one level above those moving ones that it may cover.
    """
    pairs, tops = [([], [])], {}
    for artist, box in drawing_order(fig, moving):
        moves = artist in moving
        below = [
            level + (moved and not moves) for other, level, moved in tops.values() if other.overlaps(box)
        ]
        level = max(below, default=0)
        tops[id(box)] = box, level, moves
        if level == len(pairs):
            pairs.append(([], []))
        pairs[level][moves].append(artist)
    return pairs


def layers(fig, pairs):
    """Return what stays as PNG files, one transparent picture of the whole figure for each level."""
    visible = [artist for pair in pairs for artist in pair[0] + pair[1] if artist.get_visible()]
    pictures = []
    for staying, _ in pairs:
        for artist in visible:
            artist.set_visible(artist in staying)
        pictures.append(_encoded(painted(fig, [fig], SHARP), format="png", compress_level=3))
    for artist in visible:
        artist.set_visible(True)
    return pictures


def record(fig, pairs, scale, haste=False):
    """Return what is to be drawn in which style and order, and the coordinates and pictures for it.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    pairs : list
        What `levels` returned.
    scale : float
        Pixels painted for each pixel on the page, 1 to `SHARP`.
    haste : bool
        While a slider moves: pictures cost less time and fewer bytes, and look it.

    Returns
    -------
    scene : list of dict
        ``{"kind": "layer" | "picture" | "line" | "markers", ...}`` with colours, widths and so on.
    drawn : dict
        `points`: int16 pairs x, y; `counts`: how many pairs belong to each line or set of markers;
        `pictures`: compressed images with their boxes.
    """
    recorder, pictures = _Recorder(fig), []
    for _, moving in pairs:
        recorder.scene.append({"kind": "layer"})
        for as_points, group in itertools.groupby(moving, key=_is_lines):
            if as_points:
                for artist in group:
                    artist.draw(recorder)
            else:
                recorder.scene.append({"kind": "picture"})
                pictures.append(_picture(fig, list(group), scale, haste))
    points = [recorder.coordinates(path) for path in _within_budget(recorder.paths)]
    packed = b"".join(part.tobytes() for part in points)
    return recorder.scene, {"points": packed, "counts": [len(part) for part in points], "pictures": pictures}


def strokes(fig, artist):
    """Return how a canvas draws a line or its markers, path effects and all: items as in a scene."""
    recorder = _Recorder(fig)
    artist.draw(recorder)
    return recorder.scene


def _is_lines(artist):
    """Tell whether a canvas can draw the artist as Matplotlib does, from coordinates and a style."""
    plain = artist.get_clip_path() is None and not artist.get_path_effects()
    return plain and (isinstance(artist, Line2D) or (isinstance(artist, Patch) and not artist.get_hatch()))


def _picture(fig, artists, scale, haste):
    """Return the artists painted alone, as a compressed image, and the box where it belongs."""
    image = painted(fig, artists, scale)
    box = image.getbbox() or (0, 0, 1, 1)
    image = image.crop(box)
    kind = "webp" if features.check("webp") else "png"
    method, quality, worth = (0, 20, 1) if haste else (1, 60, 2)
    data = _encoded(image, format=kind, lossless=True, quality=0, method=method)
    if len(data) > SMALL:
        lossy = _encoded(image, format=kind, quality=quality, method=0)
        data = lossy if len(lossy) < len(data) / worth else data
    return {"box": [edge / scale for edge in box], "type": f"image/{kind}", "data": data}


def painted(fig, artists, scale):
    """Return the artists on a transparent image of the whole figure, labels dark enough to be read."""
    fig.dpi = scale * PIXELS_PER_INCH
    try:
        renderer = RendererAgg(*np.rint(fig.bbox.size).astype(int).tolist(), fig.dpi)
        for artist in artists:
            legible(artist)  # each time: a step may have coloured a text anew
            artist.draw(renderer)
    finally:
        fig.dpi = PIXELS_PER_INCH
    return Image.fromarray(np.asarray(renderer.buffer_rgba()))


def _encoded(image, **options):
    file = io.BytesIO()
    image.save(file, **options)
    return file.getvalue()


class _Recorder(RendererBase):
    """A Matplotlib renderer that paints nothing: it writes down what an artist asks it to draw."""

    def __init__(self, fig):
        super().__init__()
        self.size = fig.bbox.size
        self.scene, self.paths = [], []

    def points_to_pixels(self, points):
        return points * PIXELS_PER_INCH / 72

    def draw_path(self, gc, path, transform, rgbFace=None):
        fill = _color(rgbFace)
        # An open line is cut at the margin, so that its direction stays right however far it runs.
        cut = None if fill else (-MARGIN, -MARGIN, *(self.size + MARGIN))
        path = _without_stop(path.cleaned(transform, remove_nans=True, clip=cut))
        closing = path.codes == Path.CLOSEPOLY  # goes back to where the pen was put down
        starts = np.maximum.accumulate(np.where(path.codes == Path.MOVETO, np.arange(len(closing)), 0))
        path.vertices[closing] = path.vertices[starts[closing]]
        self._write(gc, path, kind="line", fill=fill)

    def draw_markers(self, gc, marker_path, marker_trans, path, trans, rgbFace=None):
        points = trans.transform(path.vertices)
        inside = (np.abs(points - self.size / 2) < self.size / 2 + MARGIN).all(axis=1)  # NaN is not
        shape = _svg(marker_path.transformed(marker_trans))
        self._write(gc, Path(points[inside]), kind="markers", fill=_color(rgbFace), shape=shape)

    def _write(self, gc, path, **item):
        offset, dashes = gc.get_dashes()
        if gc.get_linewidth() > 0:
            item |= {
                "stroke": _color(gc.get_rgb()),
                "width": self.points_to_pixels(gc.get_linewidth()),
                "dashes": [] if dashes is None else self.points_to_pixels(np.array(dashes)).tolist(),
                "offset": self.points_to_pixels(offset or 0),
                "cap": gc.get_capstyle().replace("projecting", "square"),
                "join": gc.get_joinstyle(),
            }
        if clip := gc.get_clip_rectangle():
            item["clip"] = [float(v) for v in (clip.x0, self.size[1] - clip.y1, clip.width, clip.height)]
        self.scene.append(item)
        self.paths.append(path)

    def coordinates(self, path):
        """Return the points of a path as they travel: int16, y downwards, with gaps."""
        points = np.clip(path.vertices, -MARGIN, self.size + MARGIN) * (1, -1) + (0, self.size[1])
        points = np.rint(points * UNIT).astype("<i2")
        if path.codes is None:
            return points
        return np.insert(points, np.flatnonzero(path.codes == Path.MOVETO)[1:], [GAP, 0], axis=0)


def _without_stop(path):
    """Return the path without the end mark that `Path.cleaned` adds."""
    return Path(path.vertices[path.codes != Path.STOP], path.codes[path.codes != Path.STOP])


def _color(rgba):
    """Return a colour as in CSS, or "" for none."""
    css = "#00000000" if rgba is None else to_hex(rgba, keep_alpha=True)
    return "" if css.endswith("00") else css


def _svg(path):
    """Return the shape of a marker in the language of SVG, y downwards."""
    letters = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}
    words = []
    for vertices, code in path.iter_segments():
        numbers = () if code == Path.CLOSEPOLY else (vertices.reshape(-1, 2) * (1, -1)).ravel()
        words.append(letters[code] + " ".join(f"{round(number, 3) + 0:.3f}" for number in numbers))
    return "".join(words)


def _within_budget(paths):
    """Leave out points that change a line by less than 1/8, 1/4, ... 2 pixels, until all fit."""
    for tolerance in (0.125, 0.25, 0.5, 1, 2):
        gaps = sum(np.sum(path.codes == Path.MOVETO) for path in paths)
        if gaps + sum(len(path.vertices) for path in paths) <= BUDGET:
            break
        paths = [_merged(path, tolerance) for path in paths]
    return paths


def _merged(path, tolerance):
    if path.codes is None:  # markers, which overlap long before: one for each cell of 1, 2, ... 16 pixels
        cells = np.floor(path.vertices / (8 * tolerance))
        return Path(path.vertices[np.sort(np.unique(cells, axis=0, return_index=True)[1])])
    path = Path(path.vertices, path.codes)
    path.simplify_threshold = tolerance
    return _without_stop(path.cleaned(simplify=True))
