"""Whatever shows a figure darkens pale labels, by as much as is needed, in their own hue; lines stay."""

import base64
import colorsys
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from course_lib import _canvas, display, plots
from course_lib._contrast import ENOUGH, contrast, darkened, legible
from course_lib.race import race
from course_lib.widgets import live, slider

WHITE = (1, 1, 1)
COLOURS = sorted({look[0] for look in [*plots.STYLES.values(), *plots.SCHEDULES.values()]})
PALE = {"#ff4f01", "#8f84fe", "#11a14c", "#c4809c", "#8c8c8c", "#ec5f00"}
ORANGE = "#ff4f01"


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    plots.use_style()
    return plt.subplots(figsize=(4, 3))[1]


def degrees(color):
    return 360 * colorsys.rgb_to_hsv(*to_rgb(color))[0]


def after(text):
    """Return the colour of a text once its figure is legible."""
    legible(text.get_figure())
    return text.get_color()


def has(picture, color):
    """Tell whether a picture has pixels of exactly this colour."""
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGBA")).reshape(-1, 4)
    pixels = pixels[pixels[:, 3] == 255, :3].astype(int)
    return bool((pixels == np.rint(255 * np.array(to_rgb(color)))).all(axis=1).any())


def shown(view):
    """Return the picture that a notebook stores of a live view or race."""
    return base64.b64decode(view._repr_mimebundle_()[0]["image/png"])


def test_contrast_is_wcag_s():
    assert contrast(WHITE, (0, 0, 0)) == pytest.approx(21)
    assert contrast(to_rgb("#767676"), WHITE) == contrast(WHITE, to_rgb("#767676")) > 4.5
    assert contrast(to_rgb("#777777"), WHITE) == pytest.approx(4.478, abs=1e-3)
    assert contrast(to_rgb("#0000ff"), WHITE) == pytest.approx(8.59, abs=5e-3)
    assert contrast(to_rgb("#0a0a0a"), (0, 0, 0)) == pytest.approx(1.06, abs=5e-3)


@pytest.mark.parametrize("colour", COLOURS)
def test_each_colour_of_the_course_is_legible_as_a_label_in_its_own_hue(ax, colour):
    (line,) = ax.plot([1, 2], color=colour)
    label = ax.text(1, 1, "label", color=colour)
    named = plots.direct_labels(ax, [line], ["name"])[0]
    before = contrast(to_rgb(colour), WHITE)
    assert after(label) == after(named)
    assert line.get_color() == colour
    if before >= ENOUGH:
        assert label.get_color() == colour
    else:
        assert ENOUGH <= contrast(to_rgb(label.get_color()), WHITE) < ENOUGH + 0.1
        assert abs(degrees(label.get_color()) - degrees(colour)) < 2
    assert after(label) == label.get_color()  # twice is as good as once


def test_pale_colours_of_the_course_are_known():
    assert {colour for colour in COLOURS if contrast(to_rgb(colour), WHITE) < ENOUGH} == PALE


@pytest.mark.parametrize(
    ("color", "alpha", "expected"),
    [
        ("C1", None, "#d74100"),
        ("#30b040", None, "#23882f"),
        ("0.55", None, "#767676"),
        ((0, 0, 0, 0.4), None, "#767676"),  # what is seen is 60 % grey
        ("black", 0.4, "#767676"),
        ("#767676", None, "#767676"),
        ("#777777", None, "#767676"),
        ("#b9b9b9", None, "#b9b9b9"),  # contrast 1.96
        ("#b6b6b6", None, "#767676"),  # contrast 2.03
        ("white", None, "white"),
        ("#ff4f0100", None, "#ff4f0100"),
        ("none", None, "none"),
        ("black", 0, "black"),
    ],
)
def test_any_way_to_name_a_colour(ax, color, alpha, expected):
    text = ax.text(0, 0, "words", color=color, alpha=alpha)
    assert after(text) == expected
    assert text.get_alpha() == (None if expected != color else alpha)


def test_every_kind_of_text_is_found(ax):
    fig = plt.figure()
    upper, lower = fig.subfigures(2)
    ax = upper.subplots()
    inset = ax.inset_axes([0.1, 0.1, 0.2, 0.2])
    ax.plot([1, 2], [1e7, 2e7], color=ORANGE, label="line")
    ax.tick_params(labelcolor=ORANGE)
    arrow = ax.annotate("there", (1, 1), (2, 1e7), color=ORANGE, arrowprops={"color": ORANGE})
    texts = [
        arrow,
        inset.text(0, 0, "inset", color=ORANGE),
        lower.text(0, 0, "subfigure", color=ORANGE),
        fig.suptitle("all", color=ORANGE),
        ax.set_title("title", color=ORANGE),
        ax.set_xlabel("x", color=ORANGE),
        *ax.legend(labelcolor="linecolor").get_texts(),
        *ax.clabel(ax.contour([[0, 1], [1, 2]], levels=[1], colors=ORANGE)),
    ]
    legible(fig)
    fig.draw_without_rendering()
    texts += [*ax.get_xticklabels(), *ax.get_yticklabels()]
    assert len(texts) > 12
    assert {text.get_color() for text in texts} == {"#d74100"}
    assert arrow.arrow_patch.get_edgecolor()[:3] == to_rgb(ORANGE)


@pytest.mark.parametrize(
    ("color", "box", "least"),
    [
        ("#666666", "#cccccc", ENOUGH),  # enough on white, too little on this box
        ("#d74100", "#dce9f5", ENOUGH),
        (ORANGE, "white", ENOUGH),
        (ORANGE, "#00000000", None),  # no box is seen
        ("#00000066", "#cccccc", ENOUGH),
    ],
)
def test_a_box_is_the_ground_of_its_text(ax, color, box, least):
    text = ax.text(0, 0, "words", color=color, bbox={"fc": box})
    ground = WHITE if least is None else to_rgb(box)
    assert ENOUGH <= contrast(to_rgb(after(text)), ground) < ENOUGH + 0.12


@pytest.mark.parametrize(
    ("color", "box"),
    [
        ("white", "#333333"),
        ("#b0b0b0", "#808080"),  # lighter than its box: darker would be worse
        ("#303030", "#505050"),  # even black would not do on this box
        ("black", "#333333"),
        ("#333333", "#cccccc"),
    ],
)
def test_text_on_a_box_stays_where_darkening_does_not_help(ax, color, box):
    assert after(ax.text(0, 0, "words", color=color, bbox={"fc": box})) == color


@pytest.mark.parametrize("colour", sorted(PALE))
def test_darkened_takes_no_more_light_than_it_must(colour):
    found = to_rgb(darkened(to_rgb(colour), WHITE))
    assert contrast(found, WHITE) >= ENOUGH > contrast(np.array(found) + 1 / 255, WHITE)


# ---- through whatever shows a figure


def test_show_darkens_the_label_and_keeps_the_line(ax, monkeypatch):
    sent = []
    monkeypatch.setattr("IPython.display.display", sent.append)
    ax.plot([1, 2], color=ORANGE)
    ax.text(0.2, 1.2, "█", color=ORANGE, size=40)  # a text that is all ink
    display.show(ax.figure, "An orange line with its label.")
    picture = base64.b64decode(sent[0].bundle["image/png"])
    assert has(picture, ORANGE)
    assert has(picture, "#d74100")


def test_white_words_on_a_dark_map_stay_white(ax, monkeypatch):
    sent = []
    monkeypatch.setattr("IPython.display.display", sent.append)
    ax.set_axis_off()
    ax.imshow(np.ones((2, 2)), cmap="gray_r", vmin=0, vmax=1, aspect="auto", extent=(0, 1, 0, 1))
    ax.figure.set_facecolor("black")
    ax.text(0.2, 0.4, "█", color="white", size=40)
    monkeypatch.setitem(plt.rcParams, "savefig.facecolor", "black")
    display.show(ax.figure, "White on black.")
    assert has(base64.b64decode(sent[0].bundle["image/png"]), "white")


def test_a_live_view_darkens_what_stays_and_what_a_step_colours(ax):
    ax.text(0.1, 0.6, "█", color=ORANGE, size=30)
    moving = ax.text(0.5, 0.2, "", size=30)

    def step(k):
        moving.set(text="█", color=("C1", "C4")[k])

    view = live(ax.figure, step, moving, alt="Two words.", k=slider(0, 1, 0, n=1))
    layers = [has(layer, "#d74100") for layer in view.layers]
    assert any(layers)
    assert not any(has(layer, ORANGE) for layer in view.layers)
    for k, dark, pale in ((1, "#7269cd", "#8f84fe"), (0, "#d74100", ORANGE)):
        request = {"view": "", "seq": 1, "haste": False, "ratio": 2, "positions": {"k": k}}
        view._receive(None, request, [])
        (picture,) = view.answer["pictures"]
        assert has(picture["data"], dark)
        assert not has(picture["data"], pale)
    assert has(shown(view), "#d74100")
    assert not has(shown(view), ORANGE)


def test_a_race_darkens_its_names_and_keeps_its_tracks(ax):
    tracks = ax.plot([0, 1, 2], [0, 1, 0], color=ORANGE)
    plots.direct_labels(ax, tracks, ["█"])
    view = race(ax.figure, tracks, alt="One track.")
    layers = _canvas.layers(view._fig, view._levels)
    assert any(has(layer, "#d74100") for layer in layers)
    assert not any(has(layer, ORANGE) for layer in layers)
    assert has(shown(view), ORANGE)
    assert has(shown(view), "#d74100")
    assert view._data()["scene"][1]["stroke"] == "#ff4f01ff"
