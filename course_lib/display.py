"""Show a figure once, small and sharp, with a caption that everybody can read."""

import base64
import html
import io
import re
import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from course_lib._checks import number_in, require, whole_number
from course_lib._contrast import legible

__all__ = ["IN_BROWSER", "described", "palettised", "png", "show"]

PIXELS_PER_INCH = 100
"""Pixels on the page per inch of `figsize`: a figure 9 inches wide takes 900 pixels."""

SMALL = 60_000
"""Bytes that a stored picture shall stay below."""


IN_BROWSER = sys.platform == "emscripten"
"""Whether Python runs in a browser: it is slow there, and nothing is stored that has to be small."""


def png(fig, dpi=2 * PIXELS_PER_INCH, colors=256):
    """Render `fig` as a PNG of at most `colors` colours; figures built alike give the same bytes.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    dpi : float
        Pixels per inch, 10 to 600. 200 stores two pixels for each one on the page.
    colors : int
        Size of the palette, 2 to 256.

    Returns
    -------
    bytes
        A PNG file without date or program name in it.

    Raises
    ------
    ValueError
        If `fig` is no figure, or `dpi` or `colors` lies outside its range.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> one, two = [png(plt.subplots(figsize=(2, 1))[0], dpi=50) for _ in range(2)]
    >>> one[1:4], one == two
    (b'PNG', True)
    >>> plt.close("all")
    """
    _require_figure(fig)
    dpi = number_in("dpi", dpi, 10, 600, "Take 200 for a sharp picture, 100 for a small one.")
    colors = whole_number("colors", colors, 2, "Take 256.")
    require(colors <= 256, "colors", colors, "at most 256", "A PNG palette has no more.")
    return palettised(_render(fig, dpi), colors)


def _render(fig, dpi):
    """Return `fig` as an image in full colour; its labels are dark enough from then on."""
    legible(fig)
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=dpi, pil_kwargs={"compress_level": 1})
    return Image.open(file).convert("RGB")


def palettised(image, colors):
    """Return `image` as PNG bytes in at most `colors` colours.

    A quarter of the palette are the commonest colours, exactly, so that no area changes its shade; the rest
    is chosen by maximum coverage, which keeps the worst error small, so that thin lines keep their colours.
    In a browser the image stays as it is.
    """
    file = io.BytesIO()
    if IN_BROWSER:
        image.save(file, format="png", compress_level=1)
        return file.getvalue()
    pixels = np.asarray(image).reshape(-1, 3).astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    values, counts = np.unique(pixels, return_counts=True)
    common = values[np.argsort(-counts, kind="stable")[: colors // 4]]
    spread = image.quantize(colors - len(common), Image.Quantize.MAXCOVERAGE)
    palette = np.unique(np.concatenate([_channels(common), np.reshape(spread.getpalette(), (-1, 3))]), axis=0)
    nearest = np.zeros(1 << 24, np.uint8)
    for part in np.array_split(values, 1 + len(values) // 20_000):
        # |p - c|² - |c|² for each colour c and palette entry p: whole numbers, so the same everywhere
        distance = (palette**2).sum(axis=1) - 2 * _channels(part) @ palette.T
        nearest[part] = distance.argmin(axis=1)
    result = Image.fromarray(nearest[pixels].reshape(image.height, image.width)).convert("P")
    result.putpalette(palette.astype(np.uint8).tobytes())
    result.save(file, format="png", optimize=True)
    return file.getvalue()


def _channels(values):
    """Return red, green and blue of packed colours, as floats."""
    return np.stack([values >> 16, values >> 8 & 255, values & 255], axis=-1).astype(float)


def show(fig, caption):
    """Display `fig` with `caption` below it, then close it.

    The picture is stored once, at twice the pixels that it takes on the page, or at one and a half times if
    it would otherwise reach 60 kB. Titles, axes and caption are its text alternative: see `described`.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        One inch of its width takes 100 pixels on the page.
    caption : str
        One or two sentences that say what is to be seen, with numbers filled in from the data.

    Raises
    ------
    ValueError
        If `fig` is no figure or `caption` is no text.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots(figsize=(2, 1))
    >>> show(fig, "An empty plot.")
    An empty plot.
    An empty plot.
    """
    from IPython.display import display

    _require_figure(fig)
    words = isinstance(caption, str) and caption.strip()
    require(words, "caption", caption, "a text", "Say in one or two sentences what is to be seen.")
    caption = " ".join(caption.split())
    picture = _small(fig)
    width, alt = round(fig.get_size_inches()[0] * PIXELS_PER_INCH), described(fig, caption)
    plt.close(fig)
    data = base64.b64encode(picture).decode("ascii")
    display(_Output(caption, "image/png", data, {"width": width, "alt": alt}))
    paragraph = f'<p class="course-caption" style="max-width: {width}px">{html.escape(caption)}</p>'
    display(_Output(caption, "text/html", paragraph, {}))


def _small(fig):
    """Return the best of three encodings of `fig` that stays below 60 kB, or the last."""
    if IN_BROWSER:
        return png(fig, 1.5 * PIXELS_PER_INCH)
    image = _render(fig, 2 * PIXELS_PER_INCH)
    for colors in (256, 128):
        picture = palettised(image, colors)
        if len(picture) < SMALL:
            return picture
    return palettised(_render(fig, 1.5 * PIXELS_PER_INCH), 256)


def described(fig, caption):
    """Return the text alternative of `fig`: its titles and axes, then `caption`.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    caption : str
        What is to be seen, which tells most to whoever knows what is drawn.

    Returns
    -------
    str

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, (left, right) = plt.subplots(1, 2)
    >>> _ = left.set(title="Path", xlabel="$x_1$", ylabel="$x_2$")
    >>> _ = right.set(title="Loss", xlabel="step", yscale="log")
    >>> described(fig, "It arrives.")
    'Path (x: x1; y: x2); Loss (x: step; y: logarithmic). It arrives.'
    >>> plt.close(fig)
    """
    panels = "; ".join(filter(None, map(_panel, fig.axes)))
    whole = [_plain(text) for text in (fig.get_suptitle(), fig.get_supxlabel(), fig.get_supylabel())]
    head = ": ".join(filter(None, [*whole, panels]))
    return f"{head}{'' if head.endswith(('.', '?', '!')) else '.'} {caption}" if head else caption


def _panel(ax):
    """Return title and axes of one panel in words, or nothing if it names neither."""
    labels = {"x": ax.get_xlabel(), "y": ax.get_ylabel()} if ax.axison else {}
    title = "".join(ax.get_title(loc=place) for place in ("left", "center", "right"))
    if not (ax.get_visible() and (title or any(labels.values()))):
        return ""
    axes = []
    for name, label in labels.items():
        log = "logarithmic" if getattr(ax, f"get_{name}scale")() == "log" else ""
        if label or log:
            axes.append(f"{name}: {', '.join(filter(None, [label, log]))}")
    if ax.get_label() == "<colorbar>":
        axes = [f"colours: {label}" for label in labels.values() if label]
    return _plain(f"{title} ({'; '.join(axes)})" if axes else title)


def _plain(text):
    """Return a text of Matplotlib as one line without the signs of its mathematics."""
    words = {r"\cdot": "·", r"\,": " "}
    for sign, word in words.items():
        text = text.replace(sign, word)
    text = re.sub(r"\$([^$]*)\$", lambda formula: re.sub(r"[\\_{}]", "", formula[1]), text)
    return " ".join(text.split())


class _Output:
    """One output of a cell: a rich form, and `caption` for whoever cannot show that."""

    def __init__(self, caption, kind, data, metadata):
        self.caption = caption
        self.bundle = {kind: data, "text/plain": caption}
        self.metadata = {kind: metadata} if metadata else {}

    def __repr__(self):
        return self.caption

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.bundle, self.metadata


def _require_figure(fig):
    require(isinstance(fig, Figure), "fig", fig, "a Matplotlib figure", "Make one with plt.subplots().")
