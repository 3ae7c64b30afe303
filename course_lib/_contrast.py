"""Text dark enough to be read: a contrast of 4.5 : 1, though a label may share the colour of a paler line."""

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.text import Text

__all__ = ["ENOUGH", "PALE", "contrast", "darkened", "legible"]

ENOUGH = 4.5
"""The contrast that WCAG 2.2 asks of text (1.4.3, level AA)."""

PALE = 2
"""Text that has less contrast with white is meant for a dark ground, such as a map."""

WHITE = np.ones(3)


def legible(artist):
    """Darken each text in `artist` that has too little contrast with its ground; all else keeps its colour.

    The ground is white, or the text's own box. Pale text stays as it is, and so does text that is lighter
    than its box.

    Parameters
    ----------
    artist : matplotlib.artist.Artist
        A figure, or any part of one.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> (line,) = ax.plot([1, 2], color="#ff4f01")
    >>> label = ax.text(1, 2, "SGD", color="#ff4f01")
    >>> legible(fig)
    >>> label.get_color(), line.get_color()
    ('#d74100', '#ff4f01')
    >>> plt.close(fig)
    """
    for text in artist.findobj(Text):  # the empty ones, too: ticks learn what they say while they are drawn
        box = text.get_bbox_patch()
        ground = WHITE if box is None else _over(WHITE, box.get_facecolor())
        color = _over(ground, to_rgba(text.get_color(), text.get_alpha()))
        light, around = _luminance(color), _luminance(ground)
        if 0 < _most(around) < light < around and contrast(color, WHITE) >= PALE:
            text.set(color=darkened(color, ground), alpha=None)


def contrast(one, other):
    """Return the contrast of two colours, 1 to 21, as WCAG 2.2 defines it.

    Parameters
    ----------
    one, other : array, shape (3,)
        Red, green and blue (sRGB), 0 to 1.

    Returns
    -------
    float

    Examples
    --------
    >>> round(contrast([0, 0, 0], [1, 1, 1]), 2)
    21.0
    """
    low, high = sorted([_luminance(one), _luminance(other)])
    return (high + 0.05) / (low + 0.05)


def darkened(color, ground):
    """Return `color` with as much light as leaves it enough contrast with a lighter ground, and no more.

    The light of red, green and blue shrinks by one factor, so that the hue stays.

    Parameters
    ----------
    color, ground : array, shape (3,)
        Red, green and blue (sRGB), 0 to 1.

    Returns
    -------
    str

    Examples
    --------
    >>> darkened([1, 0, 0], [1, 1, 1])
    '#ee0000'
    """
    light = _linear(color) * _most(_luminance(ground)) / _luminance(color)
    channels = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return "#{:02x}{:02x}{:02x}".format(*np.floor(255 * channels).astype(int))


def _most(around):
    """Return the largest luminance of text on a ground of luminance `around`."""
    return (around + 0.05) / ENOUGH - 0.05


def _linear(color):
    """Return how much light each channel of an sRGB colour stands for."""
    color = np.asarray(color, float)
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)


def _luminance(color):
    return float(_linear(color) @ [0.2126, 0.7152, 0.0722])


def _over(ground, rgba):
    """Return the colour that is seen where `rgba` lies over `ground`."""
    return ground + rgba[3] * (np.array(rgba[:3]) - ground)
