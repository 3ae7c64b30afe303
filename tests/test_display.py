"""Pictures are small, sharp, exact in their areas and the same each time; captions reach everybody."""

import base64
import io
import struct

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from course_lib import display, plots

CAPTION = "The loss falls to 0.25 < 1 & stays there."


@pytest.fixture(autouse=True)
def _plain_style():
    with plt.style.context("default", after_reset=True):
        yield


@pytest.fixture
def fig():
    fig, ax = plt.subplots(figsize=(4, 2))
    fig.set_facecolor("#fefdfc")
    ax.set_facecolor("#f7fafd")
    ax.plot([0, 1, 3], [0, 2, 1], color="#c01d77")
    ax.fill_between([0, 3], 0, 0.5, color="#f0f4f9")
    ax.plot(
        range(4), np.add.outer(range(4), range(9)) % 5 / 2.0
    )  # many colours, and many more where they cross
    yield fig
    plt.close("all")


@pytest.fixture
def shown(monkeypatch):
    """What show hands to IPython, as a kernel would send it: a list of (data, metadata)."""
    sent = []
    formatter = DisplayFormatter()
    monkeypatch.setattr("IPython.display.display", lambda thing: sent.append(formatter.format(thing)))
    return sent


def picture(data):
    return Image.open(io.BytesIO(data))


def full_colour(fig, dpi):
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=dpi)
    return np.asarray(picture(file.getvalue()).convert("RGB"), dtype=int)


def colours_of(data):
    return {
        tuple(colour) for colour in np.unique(np.asarray(picture(data).convert("RGB")).reshape(-1, 3), axis=0)
    }


def chunks(data):
    names, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        names.append(data[at + 4 : at + 8].decode())
        at += 12 + length
    return names


def test_png_is_palettised_sharp_and_free_of_metadata(fig):
    data = display.png(fig)
    assert picture(data).mode == "P"
    assert picture(data).size == (800, 400)
    assert set(chunks(data)) == {"IHDR", "PLTE", "IDAT", "IEND"}
    assert data == display.png(fig)
    assert picture(display.png(fig, dpi=50)).size == (200, 100)


@pytest.mark.parametrize("colors", [2, 3, 4, 16, 256])
def test_png_keeps_to_its_palette(fig, colors):
    assert len(colours_of(display.png(fig, 60, colors))) <= colors


def test_a_full_palette_is_used(fig):
    assert len(np.unique(full_colour(fig, 200).reshape(-1, 3), axis=0)) > 1000
    assert 240 < len(colours_of(display.png(fig))) <= 256


def test_the_file_is_well_compressed(fig):
    data, plain = display.png(fig), io.BytesIO()
    picture(data).save(plain, format="png")
    assert len(data) < 0.97 * len(plain.getvalue())


def test_areas_keep_their_exact_colours_and_lines_nearly(fig):
    before = full_colour(fig, 200)
    after = np.asarray(picture(display.png(fig)).convert("RGB"), dtype=int)
    error = np.abs(after - before).max(axis=-1)
    assert error.max() <= 16
    for area in ("#fefdfc", "#f7fafd", "#f0f4f9", "#c01d77"):
        colour = [int(area[i : i + 2], 16) for i in (1, 3, 5)]
        where = (before == colour).all(axis=-1)
        assert where.sum() > 100
        assert error[where].max() == 0


def test_every_pixel_takes_the_nearest_colour_of_the_palette():
    rng = np.random.default_rng(0)
    colours = rng.integers(
        0, 256, (60, 500, 3), dtype=np.uint8
    )  # 30,000 colours: more than one part of the search
    out = picture(display.palettised(Image.fromarray(colours), 64))
    palette = np.unique(np.reshape(out.getpalette(), (-1, 3))[: out.getextrema()[1] + 1], axis=0)
    assert 50 < len(palette) <= 64
    got = np.asarray(out.convert("RGB"), dtype=int)
    distance = ((colours[:, :, None, :].astype(int) - palette) ** 2).sum(axis=-1)
    np.testing.assert_array_equal(((got - colours) ** 2).sum(axis=-1), distance.min(axis=-1))


def test_the_commonest_colours_are_a_quarter_of_the_palette():
    pixels = np.zeros((1, 1000, 3), dtype=np.uint8)
    pixels[0, :, 0] = np.arange(1000) // 4  # 250 shades of red, 4 pixels each ...
    pixels[0, :30] = [3, 3, 3]  # ... and three commoner greys, close together
    pixels[0, 30:50] = [3, 4, 3]
    pixels[0, 50:60] = [3, 3, 4]
    pixels[0, 60:68] = [4, 3, 3]  # the fourth: too close to the others to be chosen among the rest
    reduced = picture(display.palettised(Image.fromarray(pixels), 12)).convert("RGB")
    got = {tuple(p) for p in np.asarray(reduced)[0]}
    assert {(3, 3, 3), (3, 4, 3), (3, 3, 4)} <= got
    assert (4, 3, 3) not in got


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fig": "no"}, r"fig = 'no': must be a Matplotlib figure. Make one with plt.subplots\(\).$"),
        ({"dpi": 9}, r"dpi = 9: must be in \[10, 600\]. Take 200 for a sharp picture, 100 for a small one.$"),
        ({"dpi": 601}, "dpi = 601"),
        ({"dpi": np.nan}, "dpi = nan"),
        ({"colors": 1}, "colors = 1: must be a whole number of at least 2. Take 256."),
        ({"colors": 257}, "colors = 257: must be at most 256"),
        ({"colors": 2.5}, "colors = 2.5"),
    ],
)
def test_png_refuses(fig, arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        display.png(**({"fig": fig} | arguments))


def test_the_ends_of_the_ranges_are_allowed(fig):
    fig.set_size_inches(1, 0.6)
    assert picture(display.png(fig, 10, 2)).size == (10, 6)
    assert picture(display.png(fig, 600, 256)).size == (600, 360)


def test_show_sends_the_picture_once_and_the_caption_below(fig, shown):
    expected = display.png(fig)
    assert display.show(fig, CAPTION) is None
    (image, about), (text, _) = shown
    assert set(image) == {"image/png", "text/plain"}
    assert base64.b64decode(image["image/png"], validate=True) == expected
    assert "\n" not in image["image/png"]
    assert image["text/plain"] == text["text/plain"] == CAPTION
    assert about == {"image/png": {"width": 400, "alt": CAPTION}}
    assert set(text) == {"text/html", "text/plain"}
    html = text["text/html"]
    assert html.startswith('<p class="course-caption" style="max-width: 400px">')
    assert html.endswith(">The loss falls to 0.25 &lt; 1 &amp; stays there.</p>")


def test_show_closes_the_figure(fig, shown):
    display.show(fig, CAPTION)
    assert not plt.get_fignums()


def test_show_gives_the_same_outputs_twice(shown):
    for _ in range(2):
        fig, ax = plt.subplots(figsize=(2, 1))
        ax.plot([1, 2])
        display.show(fig, CAPTION)
    assert shown[:2] == shown[2:]


def test_figures_built_alike_in_the_course_s_style_give_the_same_bytes():
    # one figure drawn twice may not: the layout settles within a fraction of a pixel
    plots.use_style()
    pictures = []
    for _ in range(2):
        fig, ax = plt.subplots(figsize=(3, 2))
        plots.loss_curve(ax, [3, 1, 2], "Adam", "Adam")
        pictures.append(display.png(fig))
    assert pictures[0] == pictures[1]


def test_a_caption_on_several_lines_becomes_one(fig, shown):
    display.show(fig, "  One line,\n   and another. ")
    assert shown[0][0]["text/plain"] == "One line, and another."


@pytest.mark.parametrize(
    ("limit", "size", "colours"),
    [(60_000, (800, 400), 256), ("middle", (800, 400), 128), (1, (600, 300), 256)],
    ids=["fits", "with fewer colours", "with fewer pixels"],
)
def test_a_heavy_picture_is_stored_smaller(fig, shown, monkeypatch, limit, size, colours):
    many, few = len(display.png(fig)), len(display.png(fig, colors=128))
    assert few < many < 60_000
    limit = many if limit == "middle" else limit  # a picture of exactly the limit is too large
    expected = display.png(fig, size[0] / 4, colours)
    monkeypatch.setattr(display, "SMALL", limit)
    display.show(fig, CAPTION)
    stored = base64.b64decode(shown[0][0]["image/png"])
    assert picture(stored).size == size
    assert stored == expected
    assert shown[0][1]["image/png"]["width"] == 400


def test_in_a_browser_pictures_are_made_fast_not_small(fig, shown, monkeypatch):
    expected = full_colour(fig, 150)
    monkeypatch.setattr(display, "IN_BROWSER", True)
    display.show(fig, CAPTION)
    stored = picture(base64.b64decode(shown[0][0]["image/png"]))
    assert stored.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(stored), expected)
    assert shown[0][1]["image/png"] == {"width": 400, "alt": CAPTION}


def test_every_public_name_is_there():
    assert all(hasattr(display, name) for name in display.__all__)


def test_the_limit_is_sixty_kilobytes():
    assert display.SMALL == 60_000


@pytest.mark.parametrize("caption", ["", "  \n ", None, 3, b"bytes", ["a"]])
def test_show_wants_a_caption(fig, caption, shown):
    with pytest.raises(ValueError, match=r"^caption = "):
        display.show(fig, caption)
    assert not shown
    assert plt.get_fignums()


def test_show_wants_a_figure(fig, shown):
    with pytest.raises(ValueError, match=r"^fig = .*plt\.subplots"):
        display.show(fig.axes[0], CAPTION)


# --- what a picture shows, in words ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("panels", "whole", "words"),
    [
        ([{}], {}, ""),
        ([{"yscale": "log"}], {}, ""),
        ([{"title": "Loss"}], {}, "Loss. "),
        ([{"title": "Who wins?"}], {}, "Who wins? "),
        ([{"xlabel": "step"}], {}, "(x: step). "),
        (
            [{"title": "Two\nlines", "ylabel": r"$\phi_1$ in exp_range"}],
            {},
            "Two lines (y: phi1 in exp_range). ",
        ),
        ([{"ylabel": r"$u^p\,\cdot$ scale", "yscale": "log"}], {}, "(y: u^p · scale, logarithmic). "),
        ([{"title": "A", "xscale": "log"}, {"title": "B"}], {}, "A (x: logarithmic); B. "),
        ([{"title": "A"}, {}, {"title": "C", "visible": False}], {"suptitle": "All"}, "All: A. "),
        ([{"title": "A"}], {"suptitle": "All", "supxlabel": "step", "supylabel": "f"}, "All: step: f: A. "),
    ],
)
def test_titles_and_axes_are_said_before_the_caption(panels, whole, words):
    fig, axs = plt.subplots(1, len(panels), squeeze=False)
    for ax, about in zip(axs.flat, panels, strict=True):
        ax.set(**about)
    for name, text in whole.items():
        getattr(fig, name)(text)
    assert display.described(fig, "It falls.") == f"{words}It falls."
    plt.close(fig)


def test_axes_that_are_not_drawn_are_not_said_and_a_colour_bar_is():
    fig, (left, right) = plt.subplots(1, 2)
    left.set(title="A digit", xlabel="unseen")
    left.set_axis_off()
    fig.colorbar(right.imshow([[0, 1]]), ax=right, label="rate")
    assert display.described(fig, "It falls.") == "A digit; (colours: rate). It falls."
    plt.close(fig)


@pytest.mark.parametrize("place", ["left", "center", "right"])
def test_a_title_may_stand_anywhere(fig, place):
    fig.axes[0].set_title("Loss", loc=place)
    fig.axes[0].set(xlabel="", ylabel="")
    assert display.described(fig, "It falls.").endswith("Loss. It falls.")


def test_show_stores_titles_and_axes_with_the_picture(fig, shown):
    fig.axes[0].set(title="Loss", xlabel="step", ylabel="")
    display.show(fig, CAPTION)
    assert shown[0][1]["image/png"]["alt"] == f"Loss (x: step). {CAPTION}"
