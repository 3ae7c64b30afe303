"""Names written at the ends of lines; placed when drawn, because only then is the layout known."""

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.artist import Artist
from matplotlib.text import Text
from matplotlib.transforms import Bbox

__all__ = ["HALO", "EndLabels", "spread"]

HALO = [effects.withStroke(linewidth=3, foreground="white")]
"""A white edge, so that text can be read on lines and fills."""


def spread(centres, heights):
    """Return new centres, as near to the old ones as can be (least squares), at which nothing overlaps.

    Parameters
    ----------
    centres, heights : array, shape (n,)
        Where each label would like to stand, in any order, and how tall it is.

    Returns
    -------
    array, shape (n,)

    Notes
    -----
    Stacked in order without gaps, label i stands at c_i. Labels at x_i do not overlap when x_i - c_i never
    decreases with i: an isotonic regression, solved by pooling adjacent violators (Ayer et al. 1955).

    Examples
    --------
    >>> spread(np.array([0.0, 10.0, 1.0]), np.array([4.0, 4.0, 4.0]))
    array([-1.5, 10. ,  2.5])
    """
    order = np.argsort(centres, kind="stable")
    stacked = np.cumsum(heights[order]) - heights[order] / 2
    pools = []  # of [mean, count]
    for wish in centres[order] - stacked:
        pools.append([wish, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, n), (b, m) = pools[-2:]
            pools[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    placed = np.empty(len(centres))
    placed[order] = stacked + np.concatenate([np.full(n, mean) for mean, n in pools])
    return placed


class EndLabels(Artist):
    """All end labels of one pair of axes."""

    def __init__(self):
        super().__init__()
        self.pairs = []
        self.set_zorder(9)

    def add(self, line, text):
        """Write `text` in the line's colour at its end, and return the Text."""
        label = Text(0, 0, text, color=line.get_color(), va="center", weight="bold", path_effects=HALO)
        label.set_figure(self.get_figure())
        self.pairs.append((line, label))
        return label

    def get_children(self):
        """Return the labels, for `Artist.findobj`."""
        return [label for _, label in self.pairs]

    def place(self, renderer):
        """Move the labels of the lines that can be seen to their places, and return them."""
        labels = []
        for line, label in self.pairs:
            end = self._end(line)
            if end is not None:
                label.set_position((end[0] + renderer.points_to_pixels(8), end[1]))
                labels.append(label)
        boxes = [label.get_window_extent(renderer) for label in labels]
        for group in _columns(boxes):
            centres = np.array([labels[i].get_position()[1] for i in group])
            heights = np.array([boxes[i].height for i in group])
            for i, y in zip(group, self._keep_inside(spread(centres, heights), heights), strict=True):
                labels[i].set_y(y)
        return labels

    def _keep_inside(self, centres, heights):
        """Return `centres` moved together into the axes; too many begin at the bottom."""
        lowest, highest = (centres - heights / 2).min(), (centres + heights / 2).max()
        return centres + max(self.axes.bbox.y0 - lowest, min(self.axes.bbox.y1 - highest, 0))

    def _end(self, line):
        """Return the last point of `line` inside the axes, in pixels, or None.

        A trace of the mean height is added: lines that end in one point are then named in the order in which
        they arrive there.
        """
        box = self.axes.bbox
        points = line.get_transform().transform(np.ma.filled(line.get_xydata(), np.nan).astype(float))
        inside = ((points > box.min - 1) & (points < box.max + 1)).all(axis=1)
        if not (line.get_visible() and inside.any()):
            return None
        visible = points[inside]
        return visible[-1] + [0, 1e-6 * visible[:, 1].mean()]

    def draw(self, renderer):
        """Draw the labels; called by Matplotlib."""
        for label in self.place(renderer):
            label.draw(renderer)

    def get_tightbbox(self, renderer=None):
        """Return the room that the labels need; called by the layout."""
        boxes = [label.get_window_extent(renderer) for label in self.place(renderer)]
        return Bbox.union(boxes) if boxes else Bbox.null()


def _columns(boxes):
    """Return lists of the numbers of boxes that stand one above the other."""
    groups, right = [], -np.inf
    for i in sorted(range(len(boxes)), key=lambda i: boxes[i].x0):
        if boxes[i].x0 > right:
            groups.append([])
        groups[-1].append(i)
        right = max(right, boxes[i].x1)
    return groups
