"""Every plot function draws what its baseline shows, returns what it drew, and refuses bad data.

To draw the baselines anew:
pytest tests/test_plots.py -o mpl-baseline-path= --mpl-generate-path=tests/baseline
"""

import itertools
import os
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import _labels, plots
from course_lib._labels import EndLabels, spread
from course_lib.datasets import digits
from course_lib.landscapes import himmelblau, saddle, valley

STYLE = Path(plots.__file__).with_name("course.mplstyle")
PINNED = "3.11.2"
OPTIMISERS = list(plots.STYLES)[:12]
few = settings(derandomize=True, deadline=None, max_examples=25)

# The pictures hold for one version of Matplotlib. In CI this version must be there: nothing is skipped.
elsewhere = matplotlib.__version__ != PINNED and os.environ.get("CI") != "true"


def looks_right(test):
    look = {"style": ["default", str(STYLE)], "tolerance": 0.05, "savefig_kwargs": {"dpi": 100}}
    test = pytest.mark.mpl_image_compare(**look)(test)
    reason = f"the baseline pictures hold for Matplotlib {PINNED}, this is {matplotlib.__version__}"
    return pytest.mark.skipif(elsewhere, reason=reason)(test)


@pytest.fixture(autouse=True)
def _clean():
    with matplotlib.rc_context():
        yield
    plt.close("all")


@pytest.fixture
def ax():
    plots.use_style()
    return plt.subplots(figsize=(4, 3))[1]


def walk(lr, beta=0.0, steps=20):
    """Heavy ball on the valley 0.1 x0² + 2 x1² from (-5, -2)."""
    x, v, path = np.array([-5.0, -2.0]), 0.0, []
    for _ in range(steps + 1):
        path.append(x)
        v = beta * v + np.array([0.2, 4.0]) * x
        x = x - lr * v
    return np.array(path)


def diverged(lr=0.6, after=6):
    path = walk(lr)
    path[after:] = np.nan
    return path


def test_pictures_are_compared(request):
    assert request.config.getoption("--mpl"), "run pytest with --mpl, else no picture is compared"


# ---- pictures


@looks_right
def test_contours():
    fig, axs = plt.subplots(1, 2, figsize=(7, 3))
    plots.contours(axs[0], himmelblau())
    plots.contours(axs[1], saddle(), levels=9)
    axs[0].set(title="Log levels, minima as stars", xlabel="$x_0$", ylabel="$x_1$")
    axs[1].set(title="No minimum: even levels")
    return fig


@looks_right
def test_trajectory():
    fig, ax = plt.subplots(figsize=(6, 3.4))
    plots.contours(ax, valley())
    plots.trajectory(ax, walk(0.4), "GD", "GD")
    plots.trajectory(ax, walk(0.4, 0.5), "Momentum", "momentum", every=2)
    plots.trajectory(ax, diverged(0.52), "Nesterov", "diverged")
    ax.set_title("Ring: start, dot: end, cross: diverged")
    return fig


@looks_right
def test_loss_curve():
    fig, ax = plt.subplots(figsize=(6, 3.4))
    land = valley()
    plots.loss_curve(ax, land(walk(0.4)), "GD", "GD")
    plots.loss_curve(ax, land(walk(0.4, 0.5)), "Momentum", "momentum")
    plots.loss_curve(ax, land(diverged()), "SGD", "SGD")
    for i, method in enumerate(["Adam", "RMSProp", "Adadelta", "AdamW", "AMSGrad"]):
        plots.loss_curve(ax, land(walk(0.1)) * 2**i, method, x=np.arange(21) / 2)
    ax.set(yscale="log", title="Loss at each step", xlabel="step", ylabel="loss")
    return fig


@looks_right
def test_band():
    fig, ax = plt.subplots(figsize=(5, 3))
    t = np.arange(40)
    mean = np.exp(-t / 15)
    mean[36:] = np.nan
    plots.band(ax, t, mean, 0.7 * mean, 1.5 * mean, "SGD", "SGD")
    plots.band(ax, t, np.exp(-t / 8), np.exp(-t / 7) - 0.2, np.exp(-t / 8) + 0.1, "Adam")
    return fig


@looks_right
def test_arrows():
    fig, ax = plt.subplots(figsize=(4, 3))
    grid = np.stack(np.meshgrid(np.linspace(-2, 2, 5), np.linspace(-1, 1, 3)), axis=-1)
    plots.arrows(ax, grid, grid[..., ::-1], scale=0.3)
    plots.arrows(ax, [[0.0, 0.0]], [[1.0, 1.0]], color="C3")
    ax.set(xlim=(-3, 3), ylim=(-2, 2))
    return fig


@looks_right
def test_slope_triangle():
    fig, axs = plt.subplots(1, 2, figsize=(7, 3))
    axs[0].loglog([1e-4, 1], [1e-8, 1])
    plots.slope_triangle(axs[0], 1e-3, 1e-7, 2)
    plots.slope_triangle(axs[0], 1e-3, 1e-2, -1, size=30, label="−1")
    axs[1].plot([0, 5], [0, 10])
    plots.slope_triangle(axs[1], 1, 1, 2)
    plots.slope_triangle(axs[1], 2, 7, -2.5, size=1.5)
    return fig


@looks_right
def test_error_against_h():
    fig, ax = plt.subplots(figsize=(6, 3.6))
    h = np.logspace(-8, 0, 33)
    errors = {"forward": h + 1e-16 / h, "central": h**2 + 1e-16 / h, "complex-step": h**2 * (h > 1e-6)}
    plots.error_against_h(ax, h, errors)
    ax.set(title="Error against the step", xlabel="h", ylabel="error")
    return fig


@looks_right
def test_bars():
    fig, axs = plt.subplots(1, 2, figsize=(7, 3))
    plots.bars(axs[0], [0.9, 0.5, -0.25], ["A", "B", "C"], color=["C0", "C1", "C2"], fmt="{:.0%}")
    plots.bars(axs[1], 0.9 ** np.arange(30))
    return fig


@looks_right
def test_histogram():
    fig, axs = plt.subplots(1, 2, figsize=(7, 3))
    values = np.sin(np.arange(3000) ** 2)
    plots.histogram(axs[0], values)
    plots.histogram(axs[1], values, bins=[-1, -0.5, 0.5, 1], color="C1", label="three bins")
    axs[1].legend()
    return fig


@looks_right
def test_images():
    fig, axs = plt.subplots(2, 1, figsize=(7, 3.4), height_ratios=[2, 1])
    plots.images(axs[0], digits().X[:17], titles=digits().y[:17])
    plots.images(axs[1], digits().images[:6], columns=6)
    return fig


@looks_right
def test_basins():
    fig, ax = plt.subplots(figsize=(4, 3))
    y, x = np.mgrid[-1:1:60j, -1:1:90j]
    labels = (np.arctan2(y, x) / (2 * np.pi) * 8.99 + 4.5).astype(int) - 1
    plots.basins(ax, labels, ((-3, 3), (-2, 2)), minima=[[1, 1], [-2, 0.5]])
    return fig


@looks_right
def test_direct_labels():
    fig, ax = plt.subplots(figsize=(6, 3.6))
    x = np.linspace(0, 10, 60)
    lines = [
        ax.plot(x, np.exp(-x / (3 + i)) + 0.02 * i, **plots.method_style(m), markevery=8)[0]
        for i, m in enumerate(OPTIMISERS)
    ]
    plots.direct_labels(ax, lines, OPTIMISERS)
    return fig


# ---- what they return and how they place it


def test_contours_levels_follow_the_height_above_the_minimum(ax):
    filled, lines, stars = plots.contours(ax, valley(), ((-6, 6), (-4, 4)), levels=5)
    top = 0.1 * 36 + 2 * 16
    np.testing.assert_allclose(filled.levels, top * np.array([0, *np.geomspace(2e-4, 1, 4)]), rtol=1e-12)
    np.testing.assert_array_equal(lines.levels, filled.levels[1:])
    np.testing.assert_array_equal(stars.get_xydata(), [[0, 0]])
    assert ax.get_xlim() == (-6, 6)
    assert ax.get_ylim() == (-4, 4)


def test_contours_takes_the_landscape_s_window_and_fourteen_levels(ax):
    filled, *_ = plots.contours(ax, himmelblau())
    assert len(filled.levels) == 14
    np.testing.assert_array_equal([ax.get_xlim(), ax.get_ylim()], himmelblau().window)


def test_contours_without_minimum_has_even_levels(ax):
    filled, _, stars = plots.contours(ax, saddle(), ((-1, 1), (-1, 1)), levels=5)
    np.testing.assert_allclose(filled.levels, [-1, -0.5, 0, 0.5, 1], atol=1e-12)
    assert len(stars.get_xydata()) == 0


def test_contours_of_a_bare_function_with_given_levels(ax):
    filled, *_ = plots.contours(ax, lambda x: x[..., 0] + x[..., 1], ((0, 1), (0, 2)), levels=[0.5, 1, 2])
    np.testing.assert_array_equal(filled.levels, [0.5, 1, 2])


def test_contours_can_do_with_two_levels(ax):
    filled, *_ = plots.contours(ax, lambda x: x[..., 0], ((0, 1), (0, 1)), levels=[0.2, 0.7])
    np.testing.assert_array_equal(filled.levels, [0.2, 0.7])


def test_contours_of_something_whose_minima_are_unknown(ax):
    class Bare:
        minima = None

        def __call__(self, x):
            return x[..., 0]

    *_, stars = plots.contours(ax, Bare(), ((0, 1), (0, 1)))
    assert len(stars.get_xydata()) == 0


def test_contours_reaches_down_to_minima_outside_the_window(ax):
    filled, *_ = plots.contours(ax, valley(), ((3, 4), (1, 2)), levels=3)
    assert filled.levels[0] == 0


def test_contours_leaves_out_what_is_not_finite(ax):
    def half(x):
        return np.where(x[..., 0] < 0, np.inf, x[..., 0])

    filled, *_ = plots.contours(ax, half, ((-1, 1), (0, 1)), levels=3)
    np.testing.assert_allclose(filled.levels, [0, 0.5, 1])


def test_lower_is_darker(ax):
    filled, *_ = plots.contours(ax, valley(), levels=6)
    lightness = filled.get_facecolor()[:, :3].sum(axis=1)
    assert (np.diff(lightness) > 0).all()


def test_trajectory_draws_the_points_it_is_given(ax):
    line = plots.trajectory(ax, walk(0.4), "Momentum", every=4)
    np.testing.assert_array_equal(line.get_xydata(), walk(0.4))
    assert line.get_color() == plots.method_style("Momentum")["color"]
    assert line.get_markevery() == 4
    start, end = ax.lines[-2:]
    np.testing.assert_array_equal(start.get_xydata(), [[-5, -2]])
    np.testing.assert_array_equal(end.get_xydata(), walk(0.4)[-1:])
    assert end.get_marker() == "^"


def test_a_diverged_trajectory_ends_in_a_cross(ax):
    plots.trajectory(ax, diverged(), "GD")
    assert ax.lines[-1].get_marker() == "X"
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), walk(0.6)[5:6])


def test_infinite_values_count_as_diverged(ax):
    path = walk(0.6)
    path[6:] = np.inf
    plots.trajectory(ax, path, "GD")
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), path[5:6])


def test_loss_curve_against_steps_or_something_else(ax):
    line = plots.loss_curve(ax, [3, 2, 1], "Adam")
    np.testing.assert_array_equal(line.get_xydata(), [[0, 3], [1, 2], [2, 1]])
    line = plots.loss_curve(ax, [3, 2, 1], "Adam", x=[1, 10, 100])
    np.testing.assert_array_equal(line.get_xdata(), [1, 10, 100])
    assert len(ax.lines) == 2


def test_plain_descent_is_the_default(ax):
    gd = plots.method_style("GD")["color"]
    assert plots.loss_curve(ax, [2, 1]).get_color() == gd
    assert plots.trajectory(ax, walk(0.4)).get_color() == gd
    assert plots.band(ax, [0, 1], [2, 1], [1, 1], [3, 2])[0].get_color() == gd


def test_a_diverged_loss_ends_in_a_cross(ax):
    plots.loss_curve(ax, [1, 5, 25, np.nan], "SGD", x=[0, 2, 4, 6])
    assert ax.lines[-1].get_marker() == "X"
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), [[4, 25]])


def test_band_returns_line_and_band(ax):
    line, filled = plots.band(ax, [0, 1], [2, 2], [1, 1], [3, 4], "Adam")
    np.testing.assert_array_equal(line.get_ydata(), [2, 2])
    np.testing.assert_array_equal(filled.get_datalim(ax.transData).get_points(), [[0, 1], [1, 4]])


def test_arrows_have_the_length_that_the_axes_say(ax):
    quiver = plots.arrows(ax, np.zeros((2, 3, 2)), np.full((2, 3, 2), [1.0, 2.0]), scale=0.5)
    assert quiver.N == 6
    np.testing.assert_array_equal(quiver.U, 0.5)
    np.testing.assert_array_equal(quiver.V, 1.0)
    assert (quiver.scale, quiver.angles, quiver.scale_units) == (1, "xy", "xy")
    assert (quiver.units, quiver.width) == ("inches", 0.026)  # whatever the size of the panel


@pytest.mark.parametrize(
    ("scale", "slope", "size", "corner"),
    [("log", 2, None, (1e-2, 1e-4)), ("log", -1, 4, (4e-3, 2.5e-7)), ("linear", 3, None, (1.001, 3.000001))],
)
def test_slope_triangle_has_that_slope(ax, scale, slope, size, corner):
    ax.set(xscale=scale, yscale=scale)
    triangle, text = plots.slope_triangle(ax, 1e-3, 1e-6, slope, size)
    np.testing.assert_allclose(triangle.get_xy()[2], corner, rtol=1e-12)
    assert text.get_text() == f"slope {slope}".replace("-", "−")


def test_error_against_h_draws_zeros_at_the_floor(ax):
    (line,) = plots.error_against_h(ax, [0.1, 1], {"central": [0, 1]}, floor=1e-9)
    np.testing.assert_array_equal(line.get_ydata(), [1e-9, 1])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    (line,) = plots.error_against_h(ax, [0.1, 1], {"central": [0, np.nan]})
    np.testing.assert_array_equal(line.get_ydata(), [1e-17, np.nan])


def test_bars_have_names_when_they_are_few(ax):
    drawn = plots.bars(ax, [1, 2], ["a", "b"], fmt="{:.1f}")
    assert [bar.get_height() for bar in drawn] == [1, 2]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b"]
    assert {"1.0", "2.0"} <= {text.get_text() for text in ax.texts}


@pytest.mark.parametrize(("count", "named"), [(12, True), (13, False)])
def test_many_bars_are_numbered_by_the_axis(ax, count, named):
    plots.bars(ax, np.ones(count))
    assert (len(ax.get_xticks()) == count) is named


def test_histogram_is_a_density_of_the_finite_values(ax):
    drawn = plots.histogram(ax, [[0, 1, 1], [np.nan, np.inf, 3]], bins=[0, 2, 4])
    np.testing.assert_allclose(drawn.get_data().values, [3 / 8, 1 / 8])
    assert plots.histogram(ax, np.arange(100.0)).get_data().values.shape == (30,)


def test_images_stand_side_by_side(ax):
    drawn = plots.images(ax, np.arange(1, 3)[:, None, None] * np.ones((2, 6, 6)))
    sheet = np.ma.filled(drawn.get_array(), np.nan)
    assert sheet.shape == (7, 14)
    np.testing.assert_array_equal(sheet[-1], [1] * 6 + [np.nan] + [2] * 6 + [np.nan])
    assert drawn.get_clim() == (1, 2)


def test_images_begin_a_new_line_after_ten(ax):
    drawn = plots.images(ax, np.ones((11, 64)), titles=range(11))
    assert drawn.get_array().shape == (2 * (8 + 1 + 2), 10 * 9)
    assert [text.get_text() for text in ax.texts] == [str(i) for i in range(11)]


def test_basins_has_one_colour_for_each_minimum_and_grey_for_none(ax):
    drawn = plots.basins(ax, [[-1, 0], [1, 7]], ((0, 1), (2, 3)))
    colours = drawn.to_rgba(drawn.get_array())
    expected = matplotlib.colors.to_rgba_array(["#e3e3e3", *(plots.CATEGORIES[i] for i in (0, 1, 7))])
    np.testing.assert_allclose(colours.reshape(-1, 4), expected)
    assert drawn.get_extent() == [0, 1, 2, 3]
    assert drawn.origin == "lower"


# ---- labels at the ends of lines


def placed(ax):
    """Label text -> box in pixels, after the layout."""
    renderer = ax.figure.canvas.get_renderer()
    ax.figure.draw_without_rendering()
    (labels,) = [artist for artist in ax.artists if isinstance(artist, EndLabels)]
    return {text.get_text(): text.get_window_extent(renderer) for text in labels.place(renderer)}


def test_a_label_stands_right_of_the_last_visible_point(ax):
    line = plots.loss_curve(ax, [0.0, 2.0, 1.0, np.nan], "Adam", "Adam")
    box = placed(ax)["Adam"]
    x, y = ax.transData.transform((2, 1))
    assert box.x0 - x == pytest.approx(8 * 100 / 72, abs=1.5)
    assert (box.y0 + box.y1) / 2 == pytest.approx(y, abs=1.5)
    assert line.get_color() == ax.artists[0].pairs[0][1].get_color()


@pytest.mark.parametrize("away", [1e9, -1e9, np.nan])
def test_a_label_stays_with_what_is_inside_the_axes(ax, away):
    plots.loss_curve(ax, [1.0, 2.0, away], "GD", "away")
    ax.set(xlim=(0, 3), ylim=(0, 3))
    assert placed(ax)["away"].x0 > ax.transData.transform((1, 2))[0]
    assert placed(ax)["away"].x1 < ax.transData.transform((2, 2))[0] + 30


def test_lines_out_of_sight_have_no_label(ax):
    hidden, away = ax.plot([0, 1], [0, 1], [5, 6], [5, 6])
    plots.direct_labels(ax, [hidden, away], ["hidden", "away"])
    ax.set(xlim=(0, 1), ylim=(0, 1))
    hidden.set_visible(False)
    assert placed(ax) == {}
    hidden.set_visible(True)
    assert list(placed(ax)) == ["hidden"]


def test_labels_do_not_overlap_and_keep_the_order_of_their_lines(ax):
    for i, method in enumerate(OPTIMISERS[:6]):
        plots.loss_curve(ax, [1, 0.01 * i], method, method)
    boxes = [placed(ax)[method] for method in OPTIMISERS[:6]]
    for lower, upper in itertools.pairwise(boxes):
        assert lower.y1 <= upper.y0 + 0.5
    assert boxes[0].y0 >= ax.bbox.y0 - 0.5


def test_labels_at_the_top_stay_below_the_title(ax):
    for method in ("GD", "SGD", "Adam"):
        plots.loss_curve(ax, [0, 1], method, method)
    ax.margins(y=0)
    assert max(box.y1 for box in placed(ax).values()) <= ax.bbox.y1 + 0.5


def test_labels_far_apart_across_do_not_push_each_other(ax):
    lines = ax.plot([0, 1], [0, 5], [8, 9], [0, 5])
    plots.direct_labels(ax, lines, ["a", "b"])
    ax.set(xlim=(0, 10), ylim=(0, 10))
    boxes = placed(ax)
    assert boxes["a"].y0 == pytest.approx(boxes["b"].y0, abs=1)


def test_the_layout_leaves_room_for_labels(ax):
    line = plots.loss_curve(ax, [1, 2, 3], "GD")
    ax.figure.draw_without_rendering()
    before = ax.get_position().x1
    assert plots.direct_labels(ax, [line], ["a long label indeed"])[0].get_text() == "a long label indeed"
    assert placed(ax)["a long label indeed"].x1 <= ax.figure.bbox.x1
    assert ax.get_position().x1 < before - 0.1


def test_lines_that_meet_are_named_as_they_arrive(ax):
    lines = ax.plot([0, 1], [1, 1], [0, 1], [0, 1], [0, 1], [3, 1])
    plots.direct_labels(ax, lines, ["middle", "low", "high"])
    boxes = placed(ax)
    assert boxes["low"].y1 <= boxes["middle"].y0 + 0.5
    assert boxes["middle"].y1 <= boxes["high"].y0 + 0.5


def test_direct_labels_takes_the_lines_own_names(ax):
    (line,) = ax.plot([1, 2], label="mine")
    assert [text.get_text() for text in plots.direct_labels(ax, [line])] == ["mine"]


@pytest.mark.parametrize(
    ("centres", "heights", "expected"),
    [
        ([0, 10], [4, 4], [0, 10]),
        ([0, 0], [4, 4], [-2, 2]),
        ([10, 0], [4, 4], [10, 0]),
        ([0, 1], [2, 4], [-1, 2]),
        ([0, 0, 0, 20], [2, 2, 2, 2], [-2, 0, 2, 20]),
        ([0, 3, 3.5], [2, 2, 2], [0, 2.25, 4.25]),
        ([0, 1.9, 2], [2, 2, 2], [-0.7, 1.3, 3.3]),
    ],
)
def test_spread(centres, heights, expected):
    np.testing.assert_allclose(spread(np.array(centres, float), np.array(heights, float)), expected)


def test_spread_keeps_the_order_of_equals():
    heights = 1 + np.arange(40) % 3.0
    assert (np.diff(spread(np.zeros(40), heights)) > 0).all()


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(1, 20)), min_size=1, max_size=8))
@few
def test_spread_never_overlaps_and_cannot_be_improved(labels):
    centres, heights = np.array(labels).T
    got = spread(centres, heights)
    order = np.argsort(centres, kind="stable")
    gaps = np.diff(got[order]) - (heights[order][1:] + heights[order][:-1]) / 2
    assert (gaps > -1e-9).all()
    for end in np.flatnonzero(np.append(gaps > 1e-6, True)):  # a pool that touches nothing stands at its mean
        start = end
        while start and gaps[start - 1] <= 1e-6:
            start -= 1
        pool = order[start : end + 1]
        assert np.mean(got[pool] - centres[pool]) == pytest.approx(0, abs=1e-5)


# ---- colours


def linear(colour):
    rgb = np.array(matplotlib.colors.to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


# Machado, Oliveira & Fernandes (2009), full severity, on linear RGB
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def oklab(colour, sight):
    """Ottosson's OKLab coordinates of a colour as someone with that sight sees it."""
    rgb = np.clip(np.array(SIGHT[sight]) @ linear(colour), 0, 1)
    lms = np.cbrt(
        np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
        @ rgb
    )
    return (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ lms
    )


def nearest(colours, sight):
    seen = [oklab(colour, sight) for colour in colours]
    return min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_are_told_apart_with_every_sight(sight):
    # 0.02 is a just noticeable difference in OKLab
    assert nearest([plots.STYLES[method][0] for method in OPTIMISERS], sight) > 0.085
    assert nearest([style[0] for style in list(plots.STYLES.values())[12:]], sight) > 0.085
    assert nearest(["#e3e3e3", *plots.CATEGORIES], sight) > 0.085


@pytest.mark.parametrize("method", plots.STYLES)
def test_colours_stand_out_from_white(method):
    luminance = linear(plots.STYLES[method][0]) @ [0.2126, 0.7152, 0.0722]
    assert 1.05 / (luminance + 0.05) > 2.99  # 3 : 1 is asked of graphics (WCAG 2.1, 1.4.11)


def test_methods_are_told_apart_in_grey():
    for methods in (OPTIMISERS, list(plots.STYLES)[12:]):
        assert len({plots.STYLES[method][1] for method in methods}) == len(methods)
    together = (
        ["GD", "SGD", "Momentum", "Nesterov"],
        ["AdamW", "AMSGrad", "Nadam"],
        ["RMSProp", "Adadelta", "Adam"],
    )
    for methods in together:
        looks = {(plots.STYLES[m][2], round(oklab(plots.STYLES[m][0], "normal")[0], 1)) for m in methods}
        assert len(looks) == len(methods)


@pytest.mark.parametrize("method", plots.STYLES)
def test_every_style_can_be_drawn(ax, method):
    (line,) = ax.plot([1, 2], **plots.method_style(method))
    assert line.get_color() == plots.STYLES[method][0]
    ax.figure.draw_without_rendering()


def test_every_schedule_has_a_style():
    from course_lib import schedules

    helpers = {"hyperparameter", "per_epoch"}
    assert set(plots.SCHEDULES) == set(schedules.__all__) - helpers


@pytest.mark.parametrize("schedule", plots.SCHEDULES)
def test_every_schedule_can_be_drawn_and_stands_out_from_white(ax, schedule):
    colour, dash = plots.SCHEDULES[schedule]
    (line,) = ax.plot([1, 2], **plots.schedule_style(schedule))
    assert line.get_color() == colour
    assert plots.schedule_style(schedule)["linestyle"] == plots.DASHES[dash]
    assert 1.05 / (linear(colour) @ [0.2126, 0.7152, 0.0722] + 0.05) > 2.99
    ax.figure.draw_without_rendering()


@pytest.mark.parametrize("sight", SIGHT)
def test_schedules_are_told_apart_with_every_sight(sight):
    families = set(plots.SCHEDULES.values())
    assert len(families) == 9
    for dash in ("solid", "dashed", "dotted"):
        assert nearest([colour for colour, of in families if of == dash], sight) > 0.1


def test_the_course_s_own_names_are_styled():
    names = "GD, SGD, Momentum, Nesterov, Adagrad, RMSProp, Adadelta, Adam, AdamW, AMSGrad, Nadam, Lion"
    assert ", ".join(OPTIMISERS) == names
    from course_lib.derivatives import METHODS

    assert set(METHODS) == set(list(plots.STYLES)[12:])


def test_every_public_name_is_there():
    for module in (plots, _labels):
        assert all(hasattr(module, name) for name in module.__all__)


def test_use_style_forgets_what_was_set_before():
    plt.rcParams["font.size"] = 3
    plots.use_style()
    assert plt.rcParams["font.size"] == 12
    assert plt.rcParams["axes.titlesize"] == 14
    plt.rcParams["lines.dash_joinstyle"] = "bevel"
    plots.use_style()
    assert plt.rcParams["lines.dash_joinstyle"] == "round"


# ---- what they refuse


def down(x):
    return x[..., 0]


class Line:
    minima, window = np.zeros((1, 1)), ((0, 1),)


REFUSED = [
    (plots.method_style, ("adam",), "method = 'adam'", "Choose one of them."),
    (plots.method_style, (3,), "method = 3", "Choose one of them."),
    (plots.schedule_style, ("Cosine",), "schedule = 'Cosine'", "Choose one of them."),
    (plots.contours, ("ax", down), "window = None", "Give ((low, high), (low, high))."),
    (
        plots.contours,
        ("ax", down, ((0, 1),)),
        "window = .*: must be .*\\(\\(low",
        "Give one range a variable.",
    ),
    (plots.contours, ("ax", down, ((0, 1), (1, 1))), "window = .*low < high", "Exchange low and high."),
    (plots.contours, ("ax", down, ((0, 1), (0, np.inf))), "window = ", "Give ((low, high), (low, high))."),
    (
        plots.contours,
        ("ax", lambda x: x, ((0, 1), (0, 1))),
        "land = .*two variables",
        "It takes x of shape (..., 2).",
    ),
    (plots.contours, ("ax", Line(), ((0, 1), (0, 1))), "land = .*two variables", "Draw others as a curve."),
    (plots.contours, ("ax", down, ((0, 1), (0, 1)), 1), "levels = 1", "Take 14."),
    (plots.contours, ("ax", down, ((0, 1), (0, 1)), [1.0]), "levels = .*increasing", "Sort them."),
    (plots.contours, ("ax", down, ((0, 1), (0, 1)), [0, 2, 2]), "levels = .*increasing", "Sort them."),
    (
        plots.contours,
        ("ax", lambda x: 0 * x[..., 0], ((0, 1), (0, 1))),
        "land = .*not constant",
        "Choose another window.",
    ),
    (
        plots.contours,
        ("ax", lambda x: np.nan * x[..., 0], ((0, 1), (0, 1))),
        "land = .*finite",
        "Move the window.",
    ),
    (
        plots.trajectory,
        ("ax", np.zeros((4, 3))),
        "x.shape = \\(4, 3\\)",
        "Draw one member of a batch at a time.",
    ),
    (plots.trajectory, ("ax", np.zeros((4, 2, 2))), "x = .*2 axes", "Turn it into such an array first."),
    (plots.trajectory, ("ax", np.full((4, 2), np.nan)), "x = .*finite", "Was the start finite?"),
    (plots.trajectory, ("ax", np.zeros((4, 2)), "SGDM"), "method = 'SGDM'", "Choose one of them."),
    (plots.trajectory, ("ax", np.zeros((4, 2)), "GD", None, 0), "every = 0", "Take 1 to mark every point."),
    (plots.loss_curve, ("ax", [np.nan]), "loss = .*finite", "Was the start finite?"),
    (plots.loss_curve, ("ax", [[1.0]]), "loss = .*1 axes", "Turn it into such an array first."),
    (plots.loss_curve, ("ax", []), "loss = ", "Turn it into such an array first."),
    (plots.loss_curve, ("ax", ["a"]), "loss = ", "Turn it into such an array first."),
    (plots.loss_curve, ("ax", [1, 2], "GD", None, [1]), "x.shape = .*\\(2,\\)", "Give one for each of them."),
    (
        plots.band,
        ("ax", [1, 2], [1, 2], [1], [1, 2]),
        "low.shape = .*\\(2,\\) like t",
        "Give one for each of them.",
    ),
    (
        plots.band,
        ("ax", [1, 2], [1], [1, 2], [1, 2]),
        "mean.shape = .*\\(2,\\) like t",
        "Give one for each of them.",
    ),
    (
        plots.band,
        ("ax", [1, 2], [1, 2], [1, 2], [1, 2, 3]),
        "high.shape = .*\\(2,\\) like t",
        "Give one for each of them.",
    ),
    (plots.band, ("ax", [1, 2], [1, 2], [2, 2], [3, 1]), "low = .*at most high", "Exchange low and high."),
    (
        plots.arrows,
        ("ax", [[0, 0]], [[1, 1], [2, 2]]),
        "vectors.shape = .*\\(1, 2\\)",
        "Give one for each of them.",
    ),
    (plots.arrows, ("ax", [[0, 0, 0]], [[1, 1, 1]]), "points.shape = ", "Give points of the plane."),
    (plots.arrows, ("ax", 1.0, 1.0), "points.shape = ", "Give points of the plane."),
    (plots.arrows, ("ax", [[0, np.nan]], [[1, 1]]), "points = .*finite", "Give an array of shape (n, 2)."),
    (plots.arrows, ("ax", [[0, 0]], [[1, 1]], "k", 0), "scale = 0", "Take 1 for true lengths."),
    (plots.slope_triangle, ("semi", 1, 1, 1), "ax = 'linear'", "Set both scales first."),
    (plots.slope_triangle, ("log", 0, 1, 1), "x = 0", "Choose a corner inside the axes."),
    (plots.slope_triangle, ("log", 1, -1, 1), "y = -1", "Choose a corner inside the axes."),
    (plots.slope_triangle, ("log", 1, 1, np.nan), "slope = nan", "Give the exponent or the rise per unit."),
    (plots.slope_triangle, ("log", 1, 1, 1, 1), "size = 1", "Leave it out."),
    (plots.slope_triangle, ("ax", 1, 1, 1, 0), "size = 0", "Leave it out."),
    (plots.slope_triangle, ("ax", 1, 1, 101), "slope = 101", "Give the exponent or the rise per unit."),
    (
        plots.error_against_h,
        ("ax", [0.0, 1.0], {"central": [1, 1]}),
        "h = .*positive",
        "Take np.logspace(-16, 0, 65).",
    ),
    (plots.error_against_h, ("ax", [1.0], {}), "errors = {}", "Map methods to errors."),
    (plots.error_against_h, ("ax", [1.0], [1.0]), "errors = ", "Map methods to errors."),
    (
        plots.error_against_h,
        ("ax", [1.0], {"central": [1.0, 2.0]}),
        "errors\\['central'\\].shape = .*\\(1,\\) like h",
        "Give one for each of them.",
    ),
    (
        plots.error_against_h,
        ("ax", [1.0], {"central": [-1.0]}),
        "errors\\['central'\\] = .*not negative",
        "Take np.abs of it.",
    ),
    (plots.error_against_h, ("ax", [1.0], {"zentral": [1.0]}), "method = 'zentral'", "Choose one of them."),
    (plots.error_against_h, ("ax", [1.0], {"central": [1.0]}, 0), "floor = 0", "Take 1e-17."),
    (plots.error_against_h, ("ax", [1.0], {"central": [1.0]}, 2), "floor = 2", "Take 1e-17."),
    (plots.bars, ("ax", [1, np.nan]), "values = ", "Give one number for each bar."),
    (plots.bars, ("ax", [[1]]), "values = ", "Give one number for each bar."),
    (plots.bars, ("ax", [1, 2], ["a"]), "labels = .*2 texts", "Give one for each bar."),
    (plots.histogram, ("ax", [np.nan]), "values = .*finite", "Did every run diverge?"),
    (plots.histogram, ("ax", ["a"]), "values = ", "Turn it into such an array first."),
    (plots.images, ("ax", np.ones((2, 63))), "X = .*side", "Reshape it to 3 axes."),
    (plots.images, ("ax", np.ones(64)), "X = .*2 or 3 axes", "Give one picture a row."),
    (plots.images, ("ax", np.ones((2, 64)), ["a"]), "titles = .*2 texts", "Give one for each picture."),
    (plots.images, ("ax", np.ones((2, 64)), None, 0), "columns = 0", "Take 10."),
    (plots.basins, ("ax", [[0.5]], ((0, 1), (0, 1))), "labels = ", "Join the smallest basins."),
    (plots.basins, ("ax", [0, 1], ((0, 1), (0, 1))), "labels = ", "Join the smallest basins."),
    (plots.basins, ("ax", [[8]], ((0, 1), (0, 1))), "labels = .*-1 to 7", "Join the smallest basins."),
    (plots.basins, ("ax", [[-2]], ((0, 1), (0, 1))), "labels = ", "Join the smallest basins."),
    (plots.basins, ("ax", np.zeros((0, 2), int), ((0, 1), (0, 1))), "labels = ", "Join the smallest basins."),
    (plots.basins, ("ax", [[0]], ((0, 1), (2, 1))), "window = ", "Exchange low and high."),
    (plots.basins, ("ax", [[0]], ((0, 1), (0, 1)), [1, 2]), "minima = ", "Give an array of shape (k, 2)."),
    (plots.basins, ("ax", [[0]], ((0, 1), (0, 1)), [[1, 2, 3]]), "minima = ", "Points of the plane."),
    (plots.direct_labels, ("ax", [], ["a"]), "texts = .*0 texts", "Give one for each line."),
]


@pytest.mark.parametrize(("function", "arguments", "message", "remedy"), REFUSED)
def test_refuses(ax, function, arguments, message, remedy):
    if arguments[0] in ("log", "semi"):
        ax.set(xscale="log", yscale="log" if arguments[0] == "log" else "linear")
    styles = (plots.method_style, plots.schedule_style)
    arguments = arguments if function in styles else (ax, *arguments[1:])
    with pytest.raises(ValueError, match=f"(?s)^{message}") as error:
        function(*arguments)
    assert str(error.value).endswith(f". {remedy}")


ODD = st.sampled_from(
    [
        None, "text", [], {}, 0, -1, 1e300, np.nan, [1, [2]], np.float64(2), np.array(3.0), np.zeros((0, 2)),
        np.ones((2, 2, 2)), [np.nan, 1], [[np.inf, 1]], [[1, 2]], [1j], [True], ["a", "b"], object(),
        np.arange(3),
    ]
)  # fmt: skip
CALLS = [
    (plots.trajectory, 1),
    (plots.loss_curve, 1),
    (plots.band, 4),
    (plots.arrows, 2),
    (plots.slope_triangle, 3),
    (plots.error_against_h, 2),
    (plots.bars, 1),
    (plots.histogram, 1),
    (plots.images, 1),
    (plots.basins, 2),
]


@pytest.mark.parametrize(("function", "count"), CALLS)
@given(data=st.data())
@few
def test_odd_input_is_drawn_or_refused(function, count, data):
    ax = plt.figure().add_subplot()
    refused = ""
    try:
        function(ax, *(data.draw(ODD) for _ in range(count)))
    except ValueError as error:
        refused = str(error)
    plt.close("all")
    assert ": must be " in refused or not refused


def test_arrows_stand_above_lines(ax):
    (line,) = ax.plot([0, 1], [0, 1])
    assert plots.arrows(ax, [[0, 0]], [[1, 1]]).get_zorder() == 4 > line.get_zorder()
