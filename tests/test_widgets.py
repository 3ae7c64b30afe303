"""Live views without a browser: what the widget answers to the messages that the browser sends."""

import base64
import dataclasses
import io
import json
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from course_lib import _canvas
from course_lib.widgets import Control, LiveFigure, live, log_slider, player, slider


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def ask(view, seq=1, ratio=2, haste=False, **positions):
    """Send a request as the browser does; return the messages that the widget sent back."""
    sent = []
    view.comm.send = lambda data, buffers=None, **kwargs: sent.append((data, buffers or []))
    start = {control["name"]: control["start"] for control in view.controls}
    content = {"view": "tab", "seq": seq, "ratio": ratio, "haste": haste, "positions": start | positions}
    view._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
    return sent


def size(message):
    data, buffers = message
    return len(json.dumps(data)) + sum(len(memoryview(b).cast("B")) for b in buffers)


def drawn(view):
    """Return [(scene item, coordinates in pixels with NaN in the gaps)] of what moves."""
    items = [item for item in view.scene if item["kind"] in ("line", "markers")]
    points = np.frombuffer(view.answer["points"], "<i2").reshape(-1, 2).astype(float)
    assert len(points) == sum(view.answer["counts"])
    points[points[:, 0] == -(2**15)] = np.nan
    ends = np.cumsum(view.answer["counts"], dtype=int)
    parts = [points[end - n : end] / 16 for n, end in zip(view.answer["counts"], ends, strict=True)]
    return list(zip(items, parts, strict=True))


def pixels(ax, x, y):
    """Return where Matplotlib draws data points, in pixels from the upper left at 100 to the inch."""
    points = ax.transData.transform(np.column_stack([x, y])) * 100 / ax.figure.dpi
    return np.column_stack([points[:, 0], 100 * ax.figure.get_size_inches()[1] - points[:, 1]])


def one_line(*, data=lambda k: ([0, 1], [0, k]), style=None, xlim=(0, 1), ylim=(0, 4), **scales):
    """Return a view of one line in one plot, the line, and its axes."""
    fig, ax = plt.subplots(figsize=(4, 3), layout="constrained")
    ax.set(xlim=xlim, ylim=ylim, **scales)
    (line,) = ax.plot([], [], **(style or {}))

    def step(k):
        line.set_data(*data(k))

    return live(fig, step, line, alt="A line.", k=slider(0, 4, 1, n=4)), line, ax


# ---- Sliders -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("control", "values", "texts"),
    [
        (slider(0, 1, 0.5, n=4), (0.0, 0.25, 0.5, 0.75, 1.0), ("0.00", "0.25", "0.50", "0.75", "1.00")),
        (slider(0, 1, 0.4, n=2), (0.0, 0.4, 1.0), ("0.00", "0.40", "1.00")),  # starts exactly there
        (slider(0, 1, 0.4567, n=2), (0.0, 0.4567, 1.0), ("0.00", "0.4567", "1.00")),  # and says so
        (slider(-1, 1, 0, n=2, unit="m"), (-1, 0, 1), ("−1 m", "0 m", "1 m")),
        (slider(2, 8, 4, n=3), (2, 4, 6, 8), ("2", "4", "6", "8")),
        (slider(2, 4, 3.5, n=2), (2.0, 3.5, 4.0), ("2.00", "3.50", "4.00")),
        (slider(-1, 1, 0.33, n=3), (-1.0, -0.33, 0.33, 1.0), ("−1.00", "−0.33", "0.33", "1.00")),
        (slider(0, 100, 20.0, n=3, digits=4), (0.0, 20.0, 66.7, 100.0), ("0.0", "20.0", "66.7", "100.0")),
        (slider(0, 0.03, 0, n=2, digits=1), (0.0, 0.015, 0.03), ("0.000", "0.015", "0.030")),
        (log_slider(1e-10, 1, 1e-5, n=2), (1e-10, 1e-5, 1.0), ("1.00e−10", "1.00e−5", "1.00")),
        (
            log_slider(1, 1000, 10, n=3, digits=2),
            (1.0, 10.0, 100.0, 1000.0),
            ("1.0", "10", "1.0e+02", "1.0e+03"),
        ),
        (log_slider(1, 1.01, 1, n=2), (1.0, 1.005, 1.01), ("1.000", "1.005", "1.010")),
        (player(2, 1, label="k"), (0, 1, 2), ("0", "1", "2")),
    ],
)
def test_slider_values_and_texts(control, values, texts):
    assert control.values == values
    assert [type(v) for v in control.values] == [type(v) for v in values]
    assert control.texts == texts


def test_controls_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        slider(0, 1, 0).label = "other"


def test_controls_carry_label_and_speed():
    assert slider(0, 1, 0, label="h").label == log_slider(1, 2, 1, label="h").label == "h"
    assert slider(0, 1, 0).fps == log_slider(1, 2, 1).fps == 0
    assert (player(3).label, player(3).fps, player(3, fps=25).fps) == ("step", 10, 25)
    assert player(3, 2).start == 2
    assert len(slider(0, 1, 0.3).values) == len(log_slider(1, 2, 1).values) == 201


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    kind=st.sampled_from([slider, log_slider]),
    ends=st.tuples(st.floats(1e-9, 1e6), st.floats(1e-9, 1e6)).filter(lambda e: max(e) > 1.01 * min(e)),
    share=st.floats(0, 1),
    n=st.integers(1, 300),
    digits=st.integers(1, 6),
)
def test_any_slider_says_what_step_is_given(kind, ends, share, n, digits):
    lo, hi = min(ends), max(ends)
    value = min(hi, max(lo, lo + share * (hi - lo)))
    control = kind(lo, hi, value, n=n, digits=digits)
    values, spoken = np.array(control.values), [float(text.replace("−", "-")) for text in control.texts]
    assert len(values) == n + 1
    assert control.values[control.start] == value
    assert (np.diff(values) >= 0).all()
    assert spoken == pytest.approx(values)


BAD = [None, "a", np.nan, np.inf, [1], np.zeros(2), True, 1j]


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: slider(1, 1, 1), "hi"),
        (lambda: slider(2, 1, 1), "hi"),
        (lambda: slider(0, 1, 1.5), "value"),
        (lambda: slider(0, 1, -0.1), "value"),
        (lambda: slider(0, 1, 0, n=0), "n"),
        (lambda: slider(0, 1, 0, n=10_001), "n"),
        (lambda: slider(0, 1, 0, n=2.5), "n"),
        (lambda: slider(0, 1, 0, digits=0), "digits"),
        (lambda: slider(0, 1, 0, label=3), "label"),
        (lambda: slider(0, 1, 0, unit=None), "unit"),
        (lambda: log_slider(0, 1, 1), "lo"),
        (lambda: log_slider(-1, 1, 1), "lo"),
        (lambda: log_slider(1, 10, 11), "value"),
        (lambda: player(0), "n"),
        (lambda: player(3, 4), "value"),
        (lambda: player(3, -1), "value"),
        (lambda: player(3, fps=0), "fps"),
        (lambda: player(3, fps=61), "fps"),
        *[(lambda bad=bad: slider(bad, 1, 1), "lo") for bad in BAD],
        *[(lambda bad=bad: slider(0, bad, 0), "hi") for bad in BAD],
        *[(lambda bad=bad: slider(0, 1, bad), "value") for bad in BAD],
        *[(lambda bad=bad: player(bad), "n") for bad in BAD],
    ],
)
def test_bad_sliders_are_refused(make, named):
    with pytest.raises(ValueError, match=rf"^{named} = .*must be"):
        make()


def test_largest_slider_is_accepted():
    assert len(slider(0, 1, 0, n=10_000).values) == 10_001


# ---- What live() refuses -------------------------------------------------------------------------------


def test_live_refuses_what_does_not_fit():
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1], [0, 1])
    other = plt.figure().add_subplot().plot([0, 1])[0]
    k = slider(0, 1, 0)

    def step(k, fixed=3):
        pass

    good = {"fig": fig, "step": step, "artists": [line], "alt": "A line.", "k": k}
    for bad, message in [
        ({"fig": ax}, "fig = .* a Matplotlib figure"),
        ({"fig": plt.figure(figsize=(21, 3))}, "figsize = .* at most 20"),
        ({"step": None}, "step = None: must be a function"),
        ({"alt": ""}, "alt = '': must be a text"),
        ({"alt": None}, "alt = None: must be a text"),
        ({"artists": []}, "artists = .* at least one"),
        ({"artists": None}, "artists = None: must be artists"),
        ({"artists": "line"}, "artists = 'line': must be artists"),
        ({"artists": [other]}, "artists = .* drawn by fig"),
        ({"artists": [ax.xaxis.label]}, "artists = .* drawn by fig"),
        ({"k": 3}, "k = 3: must be a control"),
        ({"q": k}, r"controls = k, q: must be the arguments of step\(k, fixed=3\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            live(**(good | bad))
    with pytest.raises(ValueError, match=r"controls = fixed: must be the arguments of step"):
        live(fig, step, line, alt="A line.", fixed=k)
    with pytest.raises(ValueError, match=r"controls = {}: must be at least one"):
        live(fig, step, line, alt="A line.")
    assert repr(live(**good)) == "Live view: A line."
    live(fig, step, line, alt="A line.", k=k, fixed=k)
    live(fig, lambda **values: None, line, alt="A line.", anything=k)


def test_live_refuses_a_fault_of_step_at_once():
    fig, ax = plt.subplots()
    with pytest.raises(ZeroDivisionError):
        live(fig, lambda k: 1 / k, ax.plot([], []), alt="A line.", k=slider(0, 1, 0))


def test_later_cells_may_reuse_the_names_that_step_uses():
    notebook = {"fig": plt.figure(), "live": live, "k": slider(0, 1, 0)}
    first = """
line = fig.add_subplot().plot([], [])[0]
height = lambda k, *, scale=2: offset + k * scale
height.unit = 1
offset = 3
def step(k, *, start=0):
    line.set_data([start, 1], [0, height(k) * height.unit])
view = live(fig, step, line, alt="A line.", k=k)
"""
    exec(first, notebook)
    view, line = notebook["view"], notebook["line"]
    exec("line = {}; offset = None; height = None", notebook)
    ask(view, k=200)
    assert view.answer["error"] == ""
    assert (line.get_xdata(), line.get_ydata()) == ([0, 1], [0, 5])


# ---- Coordinates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scales",
    [
        {"xlim": (0, 1), "ylim": (0, 4)},
        {"xlim": (1, -1), "ylim": (-3, 9)},
        {"xlim": (1e-3, 10), "ylim": (1e-2, 1e2), "xscale": "log", "yscale": "log"},
    ],
)
@pytest.mark.parametrize("dpi", [72, 200])
def test_lines_are_sent_where_matplotlib_draws_them(scales, dpi):
    with plt.rc_context({"figure.dpi": dpi}):
        x = np.linspace(0.1, 0.9, 7)
        view, line, ax = one_line(data=lambda k: (x, 1 + 0.2 * k * x), **scales)
    for position in (1, 0, 3, 4):
        if position != 1:
            ask(view, k=position)
        np.testing.assert_allclose(line.get_ydata(), 1 + 0.2 * position * x)
        ((item, points),) = drawn(view)
        assert item["kind"] == "line"
        np.testing.assert_allclose(points, pixels(ax, x, 1 + 0.2 * position * x), atol=1 / 32 + 1e-9)
    assert view.size == [400, 300]


def test_answers_carry_sequence_positions_and_text():
    fig, ax = plt.subplots()
    (line,) = ax.plot([], [])

    def step(lr, k):
        line.set_data([0, 1], [lr, k])
        return f"lr = {lr}, k = {k}" if k < 3 else [line]

    view = live(
        fig, step, line, alt=" Two\n words. ", lr=log_slider(0.01, 1, 0.1, n=2, unit="m"), k=player(4, 1)
    )
    assert view.alt == "Two words."
    assert [(c["name"], c["label"], list(c["texts"]), c["start"], c["fps"]) for c in view.controls] == [
        ("lr", "lr", ["0.0100 m", "0.100 m", "1.00 m"], 1, 0),
        ("k", "step", ["0", "1", "2", "3", "4"], 1, 10),
    ]
    first = view.answer
    assert (first["seq"], first["view"], first["status"], first["error"]) == (0, "", "lr = 0.1, k = 1", "")
    for seq, lr, k, status in [(7, 0, 2, "lr = 0.01, k = 2"), (8, 2, 3, ""), (9, 1, 0, "lr = 0.1, k = 0")]:
        ((message, _),) = ask(view, seq, lr=lr, k=k)
        answer = message["state"]["answer"]
        assert (answer["seq"], answer["view"], answer["status"]) == (seq, "tab", status)
        assert answer["positions"] == {"lr": lr, "k": k}
        assert answer["kernel"] > 0


def test_positions_beyond_the_ends_are_clamped():
    view, line, _ = one_line()
    for position, value in [(-5, 0), (99, 4)]:
        ask(view, k=position)
        assert line.get_ydata()[1] == value
        assert view.answer["positions"] == {"k": value}


def test_an_equal_answer_is_sent_again():
    view, *_ = one_line()
    assert [len(ask(view, seq, k=2)) for seq in (1, 2)] == [1, 1]


def test_styles_are_sent_only_when_they_change():
    view, line, _ = one_line()
    assert "scene" not in ask(view, 1, k=2)[0][0]["state"]
    line.set_color("red")
    assert ask(view, 2, k=3)[0][0]["state"]["scene"][1]["stroke"] == "#ff0000ff"
    assert "scene" not in ask(view, 3, k=2)[0][0]["state"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_points_that_are_not_finite_leave_gaps(bad):
    y = [1, 2, bad, 3, 2, bad, bad, 1]
    view, _, ax = one_line(data=lambda k: (np.linspace(0, 1, 8), y), style={"marker": "o"})
    (_, line), (_, marks) = drawn(view)
    where = pixels(ax, np.linspace(0, 1, 8), np.nan_to_num(y, posinf=0, neginf=0))
    lift = [[np.nan, np.nan]]
    expected = np.concatenate([where[:2], lift, where[3:5], lift, where[7:]])
    np.testing.assert_allclose(line, expected, atol=1 / 16)
    np.testing.assert_allclose(marks, where[[0, 1, 3, 4, 7]], atol=1 / 16)


@pytest.mark.parametrize("far", [1e3, 1e9, 1e30, 1e300])
def test_a_line_that_runs_far_away_keeps_its_direction(far):
    view, _, ax = one_line(data=lambda k: ([0.5, 0.5 + far, 0.5], [2, 2 + 2 * far, 1]), style={"marker": "o"})
    (_, line), (_, marks) = drawn(view)
    line = line[np.isfinite(line[:, 0])]
    start, middle = pixels(ax, [0.5, 0.6], [2, 2.2])
    ahead = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
    np.testing.assert_allclose(ahead, (middle - start) / np.linalg.norm(middle - start), atol=2e-3)
    assert line[1, 1] < 0 or line[1, 0] > 400  # it leaves the figure
    assert np.abs(line).max() < 600
    np.testing.assert_allclose(line[[0, -1]], pixels(ax, [0.5, 0.5], [2, 1]), atol=1 / 16)
    assert len(marks) == 2


def test_an_empty_line_is_no_fault():
    view, *_ = one_line(data=lambda k: ([], []), style={"marker": "o"})
    assert view.answer["points"] == b""
    assert view.answer["error"] == ask(view)[0][0]["state"]["answer"]["error"] == ""


def test_bars_are_sent_as_their_corners():
    fig, ax = plt.subplots()
    bars = ax.bar([1, 2], [1, 1], width=0.5, color="#112233", edgecolor="none")
    ax.set(xlim=(0, 3), ylim=(0, 10))

    def step(k):
        bars[1].set_height(k)

    view = live(fig, step, bars, alt="Bars.", k=slider(0, 10, 2, n=10))
    ask(view, k=7)
    (first, _), (second, corners) = drawn(view)
    assert second["fill"] == "#112233ff"
    assert not second.get("stroke")
    assert first["clip"] == second["clip"]
    expected = pixels(ax, [1.75, 2.25, 2.25, 1.75, 1.75], [0, 0, 7, 7, 0])
    np.testing.assert_allclose(corners, expected, atol=1 / 16)


@pytest.mark.parametrize(
    "data",
    [
        lambda k: (np.linspace(0, 1, 5000), 2 + np.sin(np.linspace(0, 40, 5000))),
        lambda k: (np.linspace(0, 1, 5000), np.random.default_rng(0).uniform(1, 3, 5000)),
    ],
    ids=["smooth", "noise"],
)
@pytest.mark.parametrize("marker", ["", "."])
def test_an_update_stays_below_8_kB_and_looks_the_same(data, marker):
    view, line, ax = one_line(data=data, style={"marker": marker})
    assert max(map(size, ask(view, k=2))) < 8000
    _, sent = drawn(view)[0]
    where = pixels(ax, *line.get_data())
    filled = np.concatenate([np.linspace(a, b, 200) for a, b in pairwise(sent)])
    # every column of the picture is covered from the same lowest to the same highest point
    for left in range(60, 380, 10):
        dense, sparse = (p[(left <= p[:, 0]) & (p[:, 0] < left + 10), 1] for p in (where, filled))
        np.testing.assert_allclose([dense.min(), dense.max()], [sparse.min(), sparse.max()], atol=2)


def test_points_that_fit_are_all_sent():
    view, *_ = one_line(data=lambda k: (np.linspace(0, 1, 1690), np.linspace(0, 1, 1690)))
    assert view.answer["counts"] == [1690]
    assert 6700 < max(map(size, ask(view))) < 8000
    view, *_ = one_line(data=lambda k: (np.linspace(0, 1, 1710), np.linspace(0, 1, 1710)))
    assert view.answer["counts"][0] < 10


def test_gaps_count_as_points():
    y = np.where(np.arange(1500) % 2, np.nan, 1)
    view, *_ = one_line(data=lambda k: (np.linspace(0, 1, 1500), y), style={"marker": "."})
    assert max(map(size, ask(view))) < 8000


# ---- Styles --------------------------------------------------------------------------------------------


def test_style_of_a_line_with_markers():
    style = {
        "color": "#ff0000",
        "alpha": 0.5,
        "lw": 7.2,
        "ls": (3.6, (7.2, 3.6)),
        "dash_capstyle": "projecting",
    }
    style |= {
        "dash_joinstyle": "bevel",
        "marker": "s",
        "ms": 14.4,
        "mfc": "#00ff00",
        "mec": "#0000ff",
        "mew": 1.44,
    }
    view, _, ax = one_line(style=style)
    (line, _), (marks, _) = drawn(view)
    assert (line["stroke"], line["fill"], line["width"]) == ("#ff000080", "", pytest.approx(10))
    # Matplotlib counts dashes in line widths
    assert (line["dashes"], line["offset"]) == (pytest.approx([72, 36]), pytest.approx(36))
    assert (line["cap"], line["join"]) == ("square", "bevel")
    assert (marks["stroke"], marks["fill"], marks["width"]) == ("#0000ff80", "#00ff0080", pytest.approx(2))
    assert (marks["dashes"], marks["offset"]) == ([], 0)
    assert marks["shape"] == "M-10.000 10.000L10.000 10.000L10.000 -10.000L-10.000 -10.000Z"
    box = ax.bbox
    assert line["clip"] == marks["clip"] == pytest.approx([box.x0, 300 - box.y1, box.width, box.height])


def test_style_of_markers_alone_without_clip():
    view, *_ = one_line(
        style={"ls": "", "marker": "x", "color": "k", "clip_on": False, "solid_capstyle": "round"}
    )
    ((marks, _),) = drawn(view)
    assert (marks["kind"], marks["stroke"]) == ("markers", "#000000ff")
    assert "clip" not in marks


def test_round_markers_are_curves_and_unpainted_edges_are_left_out():
    view, *_ = one_line(style={"ls": "", "marker": "o", "ms": 7.2, "mew": 0})
    ((marks, _),) = drawn(view)
    assert marks["shape"].startswith("M0.000 5.000C")
    assert marks["shape"].endswith("Z")
    assert "stroke" not in marks


def test_markevery_and_steps_are_those_of_matplotlib():
    x = np.linspace(0, 1, 5)
    style = {"marker": "o", "markevery": (1, 2), "drawstyle": "steps-post"}
    view, _, ax = one_line(data=lambda k: (x, 1 + x), style=style)
    (_, line), (_, marks) = drawn(view)
    np.testing.assert_allclose(marks, pixels(ax, x[1::2], 1 + x[1::2]), atol=1 / 16)
    assert len(line) == 9
    np.testing.assert_allclose(line[1], pixels(ax, x[1:2], 1 + x[:1])[0], atol=1 / 16)


def test_artists_that_are_not_visible_are_not_drawn():
    view, line, _ = one_line()
    line.set_visible(False)
    ask(view, k=2)
    assert drawn(view) == []
    line.set_visible(True)
    ask(view, k=2)
    assert len(drawn(view)) == 1


# ---- Order, layers, pictures ---------------------------------------------------------------------------


def kinds(view):
    return [item["kind"] for item in view.scene]


def layer(view, index):
    return np.asarray(Image.open(io.BytesIO(view.layers[index])))


def matplotlib_picture(fig, dpi=200):
    fig.dpi = dpi
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba()).copy()
    fig.dpi = 100
    return picture


def worst(picture, other):
    """Return the largest difference of two pictures in one colour of one pixel, of 255."""
    return int(np.abs(picture.astype(int) - other.astype(int)).max())


def stacked(view, scale=2):
    """Return layers and moving pictures upon one another, for views in which no lines move."""
    width, height = (round(scale * side) for side in view.size)
    canvas = Image.new("RGBA", (width, height))
    stays, moves = iter(view.layers), iter(view.answer["pictures"])
    for item in view.scene:
        if item["kind"] == "layer":
            above = Image.open(io.BytesIO(next(stays))).resize((width, height))
            canvas = Image.alpha_composite(canvas, above)
        else:
            picture = next(moves)
            left, top, right, bottom = (round(scale * edge) for edge in picture["box"])
            image = Image.open(io.BytesIO(picture["data"])).convert("RGBA")
            assert image.size == (right - left, bottom - top)
            above = Image.new("RGBA", canvas.size)
            above.paste(image, (left, top))
            canvas = Image.alpha_composite(canvas, above)
    return np.asarray(canvas)


def test_what_lies_above_a_moving_line_stays_above_it():
    fig, ax = plt.subplots(figsize=(4, 3))
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.axhspan(0, 1, color="#eeeeff", zorder=0)
    ax.plot(0.5, 0.5, "s", ms=20, color="red", zorder=5)
    (low,) = ax.plot([], [], zorder=2, color="k")
    (high,) = ax.plot([0, 1], [1, 0], zorder=6, color="k")
    view = live(fig, lambda k: low.set_data([0, 1], [k, k]), [high, low], alt="Lines.", k=slider(0, 1, 0.5))
    assert kinds(view) == ["layer", "line", "layer", "line"]
    x, y = (2 * pixels(ax, [0.5], [0.5])[0]).astype(int)
    assert layer(view, 0)[y, x].tolist() == [238, 238, 255, 255]
    assert layer(view, 1)[y, x].tolist() == [255, 0, 0, 255]
    assert layer(view, 1)[y - 60, x, 3] == 0
    assert low.get_visible()
    assert high.get_visible()


def test_axes_that_do_not_overlap_share_their_layers():
    fig, axes = plt.subplots(1, 3, layout="constrained")
    lines = [ax.plot([0, 1], [0, 1])[0] for ax in axes]
    view = live(fig, lambda k: None, lines, alt="Lines.", k=slider(0, 1, 0))
    assert kinds(view) == ["layer", "line", "line", "line", "layer"]


def test_an_inset_covers_the_moving_line_below_it():
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1], [0, 1])
    inset = ax.inset_axes([0.5, 0.5, 0.4, 0.4])
    (inner,) = inset.plot([0, 1], [0, 1])
    view = live(fig, lambda k: None, [line, inner], alt="Lines.", k=slider(0, 1, 0))
    assert kinds(view) == ["layer", "line", "layer", "line", "layer"]
    x, y = (2 * np.array([inset.bbox.x0 + 20, 450 - inset.bbox.y0 - 20])).astype(int)
    assert layer(view, 1)[y, x].tolist() == [255, 255, 255, 255]


def test_layers_without_moving_artists_are_the_figure_itself():
    fig, (a, b) = plt.subplots(1, 2, figsize=(4, 3), layout="constrained")
    a.plot([0, 1], [0, 1], label="a line")
    a.plot([1, 2], visible=False)
    a.legend()
    a.set_axis_off()
    b.imshow(np.eye(3))
    b.set_title("Above")
    fig.suptitle("All")
    (line,) = b.plot([], [])
    view = live(fig, lambda k: None, line, alt="Nothing moves.", k=slider(0, 1, 0))
    view.scene = [item for item in view.scene if item["kind"] == "layer"]
    assert worst(stacked(view), matplotlib_picture(fig)) <= 2


def test_pictures_and_texts_are_painted_as_matplotlib_does():
    fig, ax = plt.subplots(figsize=(4, 3), layout="constrained")
    image = ax.imshow(np.zeros((4, 4)), vmin=0, vmax=1, interpolation="nearest")
    ax.plot([0, 3], [0, 3], "r-", lw=4)
    text = ax.text(1, 2, "", color="white", zorder=7)
    spots = ax.scatter([0, 1], [1, 2], zorder=1)

    def step(k):
        image.set_data(np.arange(16).reshape(4, 4) / 16 * k)
        text.set_text(f"k = {k}")
        spots.set_offsets([[k / 4, 1], [1, 2]])

    view = live(fig, step, [image, text, spots], alt="A picture.", k=slider(0, 4, 1, n=4))
    assert kinds(view) == ["layer", "picture", "layer", "picture"]
    for position in (1, 3):
        ask(view, k=position)
        assert worst(stacked(view), matplotlib_picture(fig)) <= 3
    small = view.answer["pictures"][0]
    assert (small["type"], len(small["data"]) < 8000) == ("image/webp", True)


@pytest.mark.parametrize(("ratio", "scale"), [(1, 1), (0.5, 1), (1.5, 1.5), (2, 2), (3, 2)])
def test_pictures_have_the_resolution_of_the_screen(ratio, scale):
    fig, ax = plt.subplots(figsize=(4, 3))
    image = ax.imshow(np.eye(3))
    view = live(fig, lambda k: None, image, alt="A picture.", k=slider(0, 1, 0))
    ask(view, ratio=ratio)
    (picture,) = view.answer["pictures"]
    left, top, right, bottom = picture["box"]
    assert Image.open(io.BytesIO(picture["data"])).width == pytest.approx(scale * (right - left))
    box = image.get_window_extent()
    assert [left, top, right, bottom] == pytest.approx([box.x0, 300 - box.y1, box.x1, 300 - box.y0], abs=1.1)


def test_pictures_in_haste_are_small_whatever_the_screen():
    fig, ax = plt.subplots(figsize=(5, 5))
    wave = np.sin(np.linspace(0, 12, 128))
    image = ax.imshow(wave * wave[:, None])
    view = live(fig, lambda k: None, image, alt="Waves.", k=slider(0, 1, 0))
    assert not view.answer["haste"]
    ask(view, haste=True)
    (quick,) = view.answer["pictures"]
    assert view.answer["haste"]
    ask(view)
    (sharp,) = view.answer["pictures"]
    assert not view.answer["haste"]
    files = [io.BytesIO(picture["data"]) for picture in (quick, sharp)]
    pair = [np.asarray(Image.open(file).convert("L").resize((300, 300)), float) for file in files]
    assert sharp["box"] == pytest.approx(quick["box"], abs=1.1)
    assert len(quick["data"]) < min(8000, len(sharp["data"]) / 1.5)
    assert 0 < np.abs(pair[0] - pair[1]).mean() < 10


def test_an_error_in_haste_asks_for_no_sharp_picture():
    fig, ax = plt.subplots()
    image = ax.imshow(np.eye(3))

    def step(k):
        assert k < 1, "too far"

    view = live(fig, step, image, alt="Error.", k=slider(0, 1, 0))
    ask(view, haste=True)
    ask(view, haste=False, k=len(view.controls[0]["texts"]) - 1)
    assert "too far" in view.answer["error"]
    assert not view.answer["haste"]


def test_an_empty_message_hastens_the_answer_before_it_and_gets_none():
    asked = []
    view, *_ = one_line(data=lambda k: asked.append(k) or ([0, 1], [0, k]))
    asked.clear()
    sent = []
    view.comm.send = lambda data, buffers=None, **kwargs: sent.append(data)
    view._handle_msg({"content": {"data": {"method": "custom", "content": {}}}, "buffers": []})
    assert (asked, sent) == ([], [])


def test_rich_pictures_are_sent_with_loss(monkeypatch):
    fig, ax = plt.subplots(figsize=(4, 4))
    noise = np.random.default_rng(0).normal(size=(300, 300))
    image = ax.imshow(noise, cmap="gray")
    view = live(fig, lambda k: None, image, alt="Noise.", k=slider(0, 1, 0))
    webp = view.answer["pictures"][0]["data"]
    monkeypatch.setattr(_canvas.features, "check", lambda kind: False)  # a Pillow without WebP
    ask(view)
    (png,) = view.answer["pictures"]
    assert png["type"] == "image/png"
    assert len(webp) < len(png["data"]) / 2
    exact, lossy = (np.asarray(Image.open(io.BytesIO(d)).convert("L"), float) for d in (png["data"], webp))
    assert 0 < np.abs(exact - lossy).mean() < 20


def test_a_picture_that_is_empty_is_no_fault():
    fig, ax = plt.subplots()
    text = ax.text(0, 0, "")
    view = live(fig, lambda k: text.set_text(""), text, alt="No text.", k=slider(0, 1, 0))
    ask(view)
    assert view.answer["error"] == ""


@pytest.mark.parametrize("special", ["hatch", "halo", "polar"])
def test_what_a_canvas_cannot_draw_is_painted(special):
    from matplotlib.patheffects import withStroke

    fig, ax = plt.subplots(subplot_kw={"projection": "polar" if special == "polar" else None})
    effects = [withStroke(linewidth=5, foreground="w")] if special == "halo" else None
    artist = (
        ax.bar([1], [1], hatch="//")[0]
        if special == "hatch"
        else ax.plot([0, 1], [0, 1], path_effects=effects)[0]
    )
    view = live(fig, lambda k: None, [artist], alt="Special.", k=slider(0, 1, 0))
    assert "picture" in kinds(view)
    assert worst(stacked(view), matplotlib_picture(fig)) <= 3


def test_whole_axes_move_with_their_limits():
    fig, (a, _) = plt.subplots(1, 2, figsize=(4, 3), layout="constrained")
    (line,) = a.plot([0, 1], [0, 1])

    def step(k):
        line.set_data([0, k], [0, k])
        a.set(xlim=(0, k), title=f"k = {k}")

    view = live(fig, step, [a], alt="Axes.", k=slider(1, 5, 2, n=4))
    ask(view, k=3)
    assert view.answer["error"] == ""
    assert kinds(view) == ["layer", "picture"]
    assert worst(stacked(view), matplotlib_picture(fig)) <= 3


def test_the_layout_is_frozen():
    fig, (_, b) = plt.subplots(1, 2, layout="constrained")
    title = b.set_title("short")
    view = live(
        fig,
        lambda k: title.set_text("very\nvery\nlong" if k else "short"),
        title,
        alt="T.",
        k=slider(0, 1, 0),
    )
    before = b.get_position().bounds
    ask(view, k=200)
    matplotlib_picture(fig)
    assert b.get_position().bounds == before


# ---- Errors --------------------------------------------------------------------------------------------


def test_an_error_in_step_is_answered_in_words_and_the_view_lives_on():
    view, _, ax = one_line(data=lambda k: ([0, 1], [0, 6 / (k - 2)]))
    good = view.answer["points"]
    ask(view, 5, k=2)
    answer = view.answer
    assert answer["error"].startswith("Error in step (line ")
    assert answer["error"].endswith(" of its cell): ZeroDivisionError: division by zero")
    assert (answer["seq"], answer["positions"], answer["status"]) == (5, {"k": 2}, "")
    assert answer["points"] == good
    ask(view, 6, k=4)
    assert view.answer["error"] == ""
    np.testing.assert_allclose(drawn(view)[0][1], pixels(ax, [0, 1], [0, 3]), atol=1 / 16)


def test_the_line_named_is_the_last_one_of_the_notebook():
    def step(k):
        if k:
            np.linalg.inv(np.zeros((2, 2)))

    fig, ax = plt.subplots()
    view = live(fig, step, ax.plot([], []), alt="A line.", k=slider(0, 1, 0))
    ask(view, k=200)
    assert f"(line {step.__code__.co_firstlineno + 2} of its cell): LinAlgError" in view.answer["error"]


@pytest.mark.parametrize("kind", [KeyError, KeyboardInterrupt])
def test_an_error_without_a_line(kind):
    class Step:
        def __call__(self, k):
            if k:
                raise kind(3)

    fig, ax = plt.subplots()
    view = live(fig, Step(), ax.plot([], []), alt="A line.", k=slider(0, 1, 0))
    ask(view, k=200)
    assert view.answer["error"] == f"Error in step: {kind.__name__}: 3"


@pytest.mark.parametrize("limits", ["xlim", "ylim"])
def test_limits_that_step_moves_are_an_error_and_put_back(limits):
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1], [0, 1])
    ax.set(xlim=(0, 1), ylim=(0, 1))
    view = live(
        fig, lambda k: ax.set(**{limits: (0, 1 + k)}) and None, line, alt="A line.", k=slider(0, 1, 0)
    )
    ask(view, k=200)
    assert "step changed the limits of axes that stay" in view.answer["error"]
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 1), (0, 1))
    ask(view, k=0)
    assert view.answer["error"] == ""


# ---- The saved notebook --------------------------------------------------------------------------------


def test_the_text_alternative_says_where_the_view_stands():
    fig, ax = plt.subplots()
    ax.set(title="Slope", xlabel="x")
    view = live(fig, lambda k: f"k = {k}", ax.plot([0, 1]), alt="a line", k=slider(0, 3, 1, n=3))
    assert view._repr_mimebundle_()[1]["image/png"]["alt"] == "Slope (x: x). Live view: a line. k = 1."
    assert view.alt == "a line"


def test_the_saved_notebook_holds_the_picture():
    view, *_ = one_line()
    assert plt.get_fignums() == []
    bundle, metadata = view._repr_mimebundle_()
    assert bundle["text/plain"] == repr(view) == "Live view: A line."
    assert metadata == {"image/png": {"alt": "Live view: A line.", "width": 400}}
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == view.model_id
    picture = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "P", (800, 600))
    assert bundle["image/png"] == view._repr_mimebundle_()[0]["image/png"]
    ask(view, k=4)
    assert bundle["image/png"] != view._repr_mimebundle_()[0]["image/png"]


def test_a_long_description_is_not_cut():
    fig, ax = plt.subplots()
    view = live(fig, lambda k: None, ax.plot([], []), alt="long " * 50, k=slider(0, 1, 0))
    assert view._repr_mimebundle_()[0]["text/plain"] == "Live view: " + ("long " * 50).strip()


def test_rich_pictures_are_stored_smaller():
    fig, ax = plt.subplots(figsize=(4, 4))
    ax.imshow(np.random.default_rng(0).normal(size=(400, 400)))
    view = live(fig, lambda k: None, ax.plot([], []), alt="Noise.", k=slider(0, 1, 0))
    bundle, metadata = view._repr_mimebundle_()
    assert Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).size == (600, 600)
    assert metadata["image/png"]["width"] == 400


def test_all_that_the_browser_draws_from_is_sent_to_it():
    sent = {"alt", "size", "controls", "layers", "scene", "answer"}
    assert sent <= set(LiveFigure.class_trait_names(sync=True))


def test_a_control_does_not_play_unless_told_to():
    assert Control((0, 1), ("0", "1"), 0, "k").fps == 0
