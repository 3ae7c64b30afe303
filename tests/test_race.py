"""Races without a browser: what is stored in a notebook, and the movies."""

import base64
import hashlib
import html
import io
import json
import re
import shutil
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib import patheffects
from PIL import Image

import course_lib.race as module
from course_lib import _movies, plots
from course_lib.display import PIXELS_PER_INCH
from course_lib.race import MOST_POINTS, REACH, race

GAP = -(2**15)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def data_of(shown):
    """Return what the player is given, and the coordinates of each track in pixels, NaN for a gap."""
    text = shown._repr_mimebundle_()[0]["text/html"]
    (found,) = re.findall(r"^race\(document\.currentScript\.parentElement, (.*)\);$", text, re.MULTILINE)
    data = json.loads(found)
    points = np.frombuffer(base64.b64decode(data["points"]), "<i2").reshape(-1, 2).astype(float)
    assert len(points) == sum(data["counts"])
    points[points[:, 0] == GAP] = np.nan
    return data, np.split(points / 16, np.cumsum(data["counts"])[:-1])


def picture(data, mode="RGB"):
    return Image.open(io.BytesIO(base64.b64decode(data.split(",")[-1]))).convert(mode)


def drawn(fig, track):
    """Return where Matplotlib draws the points of a track, in pixels from the upper left."""
    fig.draw_without_rendering()
    with np.errstate(all="ignore"):
        points = track.get_transform().transform(track.get_xydata()) * PIXELS_PER_INCH / fig.dpi
    return points * (1, -1) + (0, fig.get_figheight() * PIXELS_PER_INCH)


def small(style=None, alt="Two tracks.", **options):
    """Return a race of two tracks in two plots, one of them lost at step 3, and where they were drawn."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(5, 2), layout="constrained")
    right.set(yscale="log", ylim=(1e-3, 10))
    tracks = left.plot([0, 1, 3, np.nan, np.nan], [0, 2, 1, 0, np.inf], marker="^", **(style or {}))
    tracks += right.plot([0, 1, 2], [5.0, 0.3, 0.02], color="C1")
    left.set(xlim=(0, 4), ylim=(-1, 3))
    places = [drawn(fig, track) for track in tracks]
    return race(fig, tracks, alt=alt, **options), places


# ---- What is stored ------------------------------------------------------------------------------------


def test_the_bundle_holds_text_still_and_player():
    shown, _ = small(alt=' Two tracks,\n "one" <lost> & gone. ')
    bundle, metadata = shown._repr_mimebundle_()
    alt = 'Two tracks, "one" <lost> & gone.'
    assert list(bundle) == ["text/plain", "image/png", "text/html"]
    assert bundle["text/plain"] == repr(shown) == f"Race: {alt}"
    assert metadata == {"image/png": {"alt": alt, "width": 500}}
    assert picture(bundle["image/png"], "P").size == (1000, 400)
    text = bundle["text/html"]
    assert (
        f'<img src="data:image/png;base64,{bundle["image/png"]}" alt="{html.escape(alt)}" width="500">'
        in text
    )
    assert re.search(r'<p class="course-caption"[^>]*>(.*)</p>', text)[1] == html.escape(alt)
    assert f'role="group" aria-label="Race: {html.escape(alt)}"' in text
    assert text.count("<script") == text.count("</script") == 1
    assert not re.search(r"https?://|\bid=|[-−]0\.0*\b(?!\d)", re.sub('base64,[^"]*', "", text))
    data, _ = data_of(shown)
    assert (data["alt"], data["size"], data["seconds"], data["counts"]) == (alt, [500, 200], 8, [5, 3])


def test_titles_and_axes_are_part_of_the_text_alternative():
    fig, ax = plt.subplots()
    ax.set(title="The <valley>", xlabel="$x_1$")
    bundle, metadata = race(fig, ax.plot([0, 1]), alt="One track.")._repr_mimebundle_()
    alt = "The <valley> (x: x1). One track."
    assert metadata["image/png"]["alt"] == alt
    assert f' alt="{html.escape(alt)}" width=' in bundle["text/html"]
    assert 'aria-label="Race: One track."' in bundle["text/html"]
    assert '"alt":"The \\u003cvalley> (x: x1). One track."' in bundle["text/html"]


def test_no_text_can_end_the_script():
    text = small(alt="A line and </script> behind it.")[0]._repr_mimebundle_()[0]["text/html"]
    assert text.count("</script") == 1


def test_shapes_of_markers_have_no_negative_zero():
    fig, ax = plt.subplots(figsize=(3, 2))
    tracks = [ax.plot([0, 1], marker=marker)[0] for marker in "os^vDPX*ph<>"]
    shapes = [
        item["shape"]
        for item in data_of(race(fig, tracks, alt="Markers."))[0]["scene"][1:]
        if "shape" in item
    ]
    assert len({*shapes}) == 12 + 1, "the cross is larger than a marker of that shape"
    assert not re.search(r"-0\.000\b", " ".join(shapes))


@pytest.mark.parametrize(
    ("k", "lost"), [(0, False), (2, False), (2.5, False), (3, True), (3.5, True), (4, True)]
)
def test_a_cross_stands_where_a_track_is_lost_from_then_on(k, lost):
    shown, _ = small()
    shown._go_to(k)
    (head, _), (cross, _) = shown._heads, shown._crosses
    assert (head.get_visible(), cross.get_visible()) == (not lost, lost)
    for marker in (head, cross):
        expected = shown._points[0][min(int(k), 2)] * (1, -1) + (0, 200)
        np.testing.assert_allclose(marker.get_xydata() * 100, [expected])


def test_coordinates_are_where_matplotlib_draws():
    shown, places = small()
    _, points = data_of(shown)
    assert np.isnan(points[0][3:]).all()
    np.testing.assert_allclose(points[0][:3], places[0][:3], atol=0.04)
    np.testing.assert_allclose(points[1], places[1], atol=0.04)


def test_the_still_looks_as_the_figure_did_with_its_tips():
    def figure():
        fig, ax = plt.subplots(figsize=(4, 3))
        ax.plot(2, 4, "*", ms=20, zorder=5)
        return fig, ax, ax.plot([0, 1, 2], [0, 1, 4], ls=(0, (4, 1)), marker="s", color="C3")

    fig, ax, (track,) = figure()
    track.set(marker="None")
    ax.plot(2, 4, "s", ms=10, mec="white", mew=1, color="C3", zorder=9)
    expected = np.asarray(picture(base64.b64encode(module.png(fig)).decode()), float)
    fig, ax, tracks = figure()
    shown = race(fig, tracks, alt="A parabola.")
    still = np.asarray(picture(shown._repr_mimebundle_()[0]["image/png"]), float)
    assert np.abs(still - expected).max() < 10
    assert track.get_marker() == "None"


def test_layers_hold_what_stays_and_no_track():
    fig, ax = plt.subplots(figsize=(3, 2), layout="constrained")
    ax.set_axis_off()
    ax.fill_between([0, 4], 4, color="#00ff00", zorder=1)
    tracks = ax.plot([0, 1, 4], [2, 2, 2], color="#ff0000", zorder=2)
    ax.plot(1, 2, "o", color="#0000ff", ms=20, zorder=3)
    data, _ = data_of(race(fig, tracks, alt="A line."))
    assert [item["kind"] for item in data["scene"]] == ["layer", "track", "layer", "head", "cross"]
    below, above = (picture(layer, "RGBA") for layer in data["layers"])
    assert below.size == above.size == (600, 400)
    assert {color for _, color in below.getcolors(1 << 16)} >= {(255, 255, 255, 255), (0, 255, 0, 255)}
    assert (0, 0, 255, 255) in {color for _, color in above.getcolors(1 << 16)}
    for layer in (below, above):
        assert (255, 0, 0, 255) not in {color for _, color in layer.getcolors(1 << 16)}
    assert above.getpixel((0, 0))[3] == 0


def test_the_scene_says_how_to_draw():
    halo = [patheffects.withStroke(linewidth=5, foreground="white")]
    shown, _ = small(style={"lw": 1.5, "ls": "--", "color": "#336699", "path_effects": halo})
    items = [item for item in data_of(shown)[0]["scene"] if item.get("track") == 0]
    under, line, head, cross = items
    assert [item["kind"] for item in items] == ["track", "track", "head", "cross"]
    assert (under["stroke"], under["width"]) == ("#ffffffff", round(5 * 100 / 72, 3))
    assert (line["stroke"], line["width"], len(line["dashes"])) == ("#336699ff", 2.083, 2)
    assert line["clip"] == cross["clip"]
    assert (head["fill"], head["stroke"]) == (cross["fill"], cross["stroke"]) == ("#336699ff", "#ffffffff")
    assert head["shape"] == "M0.000 -6.944L-6.944 6.944L6.944 6.944Z"
    assert cross["shape"].count("L") == 11
    other = [item for item in data_of(shown)[0]["scene"] if item.get("track") == 1 and item["kind"] == "head"]
    assert "C" in other[0]["shape"], "a round head where the track has no marker"


def test_without_heads_there_are_only_tracks():
    shown, _ = small(heads=False)
    assert {item["kind"] for item in data_of(shown)[0]["scene"]} == {"layer", "track"}


def test_a_track_leaves_the_plot_in_its_direction():
    fig, ax = plt.subplots(figsize=(4, 3))
    ax.set(xlim=(0, 1), ylim=(0, 1))
    tracks = ax.plot([0.5, 300, 1e9, 0.5], [0.5, 400, -1e300, 0.25])
    tracks += ax.plot([0.5, 0.5, 0.5], [0.5, 1e200, 1e200])
    tracks += ax.plot([1e5, 0.5], [0.5, 0.5])
    places = [drawn(fig, track) for track in tracks]
    _, points = data_of(race(fig, tracks, alt="Far away."))
    for track in points:
        assert np.abs(track).max() <= REACH
    way, far = points[0][1] - points[0][0], places[0][1] - places[0][0]
    assert way[0] / way[1] == pytest.approx(far[0] / far[1], rel=1e-3)
    assert np.abs(points[0][1]).max() == pytest.approx(REACH, abs=0.04)
    np.testing.assert_allclose(points[0][3], places[0][3], atol=0.04)
    assert points[1][1, 0] == points[1][0, 0]
    assert points[2][0, 0] == REACH


def test_a_loss_of_zero_falls_out_of_a_logarithmic_plot():
    fig, ax = plt.subplots()
    ax.set(yscale="log", ylim=(1e-9, 1))
    _, ((*_, last),) = data_of(race(fig, ax.plot([0, 1, 2], [1, 1e-3, 0]), alt="To zero."))
    assert last[1] == pytest.approx(REACH)


def test_half_way_between_two_numbers_the_last_bit_does_not_count():
    exact = np.array([[10.5, 20.5], [7.5, 3.5]]) / 16
    packed = {module._packed(exact * (1 + noise)) for noise in (-1e-14, 0, 1e-14)}
    assert len(packed) == 1


# ---- Determinism and size ------------------------------------------------------------------------------

ELSEWHERE = """
import hashlib, sys
sys.path[:0] = sys.argv[1:]
from test_race import small
print(hashlib.sha256(repr(small()[0]._repr_mimebundle_()).encode()).hexdigest())
"""


def test_the_same_race_gives_the_same_bytes_also_elsewhere():
    shown = small()[0]
    here = [
        hashlib.sha256(repr(r._repr_mimebundle_()).encode()).hexdigest() for r in (shown, shown, small()[0])
    ]
    command = [sys.executable, "-c", ELSEWHERE, str(module.Path(__file__).parent)]
    there = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    assert {*here} == {there}


def test_ten_methods_on_three_landscapes_stay_small():
    plots.use_style()
    fig, axes = plt.subplots(1, 3, figsize=(9, 3.4))
    t = np.linspace(0, 1, 201)
    tracks = [ax.plot(t, i * t**2)[0] for ax in axes for i in range(10)]
    shown = race(fig, tracks, alt="Thirty tracks.")
    assert len(data_of(shown)[0]["points"]) < 33_000
    assert len(shown._repr_mimebundle_()[0]["text/html"]) < 300_000


def test_the_largest_race_allowed_sends_less_than_100_kb_of_coordinates():
    fig, ax = plt.subplots(figsize=(3, 2))
    tracks = ax.plot(np.zeros((MOST_POINTS // 2, 2)))
    assert len(data_of(race(fig, tracks, alt="Long."))[0]["points"]) < 100_000


# ---- Bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shades", "scale"), [(1, 2), (256, 1.5)])
def test_a_still_that_would_be_heavy_has_fewer_pixels(shades, scale):
    fig, ax = plt.subplots(figsize=(4, 3))
    ax.imshow(np.random.default_rng(0).integers(0, shades, (150, 200)), interpolation="bilinear")
    shown = race(fig, ax.plot([0, 1], [0, 1]), alt="A line over noise.")
    assert picture(shown._repr_mimebundle_()[0]["image/png"]).size == (400 * scale, 300 * scale)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fig": 3}, "fig = 3: must be a Matplotlib figure"),
        ({"alt": " "}, "alt = ' ': must be a text"),
        ({"alt": None}, "alt = None"),
        ({"heads": 1}, "heads = 1: must be True or False"),
        ({"seconds": 0}, r"seconds = 0: must be in \[1, 120\]"),
        ({"seconds": "8"}, "seconds = '8'"),
        ({"tracks": []}, r"tracks = \[\]: must be a list of lines"),
        ({"tracks": [1]}, "must be a list of lines"),
        ({"tracks": lambda tracks: tracks[0]}, "must be a list of lines"),
        ({"tracks": lambda tracks: tracks * 2}, "must be different lines"),
        ({"tracks": lambda tracks: plt.subplots()[1].plot([1, 2])}, "must be drawn by axes of fig"),
        ({"tracks": lambda tracks: tracks[0].axes.plot([1])}, r"tracks = \[1\]: must be of 2 points or more"),
        ({"tracks": lambda tracks: tracks[0].axes.plot([np.nan, 1])}, "must be finite at their first point"),
        (
            {"tracks": lambda tracks: tracks[0].axes.plot(np.zeros(MOST_POINTS + 1))},
            "tracks = 18001: must be at most 18,000 points. Leave out tracks",
        ),
    ],
)
def test_bad_input_is_explained(change, words):
    fig, ax = plt.subplots()
    arguments = {"fig": fig, "tracks": ax.plot([0, 1], [0, 1]), "alt": "A line."}
    for name, value in change.items():
        arguments[name] = value(arguments[name]) if callable(value) else value
    with pytest.raises(ValueError, match=words):
        race(arguments.pop("fig"), arguments.pop("tracks"), **arguments)


def test_a_figure_too_large_is_refused():
    fig, ax = plt.subplots(figsize=(20.5, 3))
    with pytest.raises(ValueError, match="at most 20 inches"):
        race(fig, ax.plot([0, 1]), alt="Wide.")


def test_the_figure_is_closed():
    small()
    assert plt.get_fignums() == []


# ---- Movies --------------------------------------------------------------------------------------------


def tips(frame, color=(255, 0, 0)):
    """Return the rightmost pixel of that colour."""
    found = np.argwhere((np.asarray(frame.convert("RGB"), int) - color == 0).all(axis=2))
    return found[:, 1].max() if len(found) else None


def moving():
    """Return a race of one red dot from left to right in two steps, its halves at different speeds."""
    fig = plt.figure(figsize=(2.01, 1))
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, 201), ylim=(0, 1))
    ax.set_axis_off()
    return race(fig, ax.plot([20, 60, 180], [0.5] * 3, color="#ff0000", lw=4), alt="A dot runs.", seconds=1)


def test_a_gif_shows_the_race_from_start_to_end_and_rests(tmp_path):
    shown = moving()
    before = shown._repr_mimebundle_()
    shown.save(tmp_path / "dot.gif")
    assert shown._repr_mimebundle_() == before
    with Image.open(tmp_path / "dot.gif") as movie:
        assert movie.size == (201, 100)
        assert movie.info["loop"] == 0
        places, lengths = [], []
        for i in range(movie.n_frames):
            movie.seek(i)
            places.append(tips(movie))
            lengths.append(movie.info["duration"])
    assert sum(lengths) == 1000 + 50 + 1500
    assert places[0] == pytest.approx(25, abs=3)
    assert places[5] == pytest.approx(45, abs=3)
    assert places[10] == pytest.approx(65, abs=3)
    assert places[15] == pytest.approx(125, abs=3)
    assert places[20] == places[-1] == pytest.approx(185, abs=3)


@pytest.mark.parametrize("scale", [1, 2])
def test_frames_are_stacked_as_the_still_is(scale):
    shown, _ = small()
    *_, last = shown._frames(2, scale)
    still = picture(shown._repr_mimebundle_()[0]["image/png"])
    still = still.resize(last.size, Image.Resampling.BOX)
    assert last.size == (500 * scale, 200 * scale)
    assert np.abs(np.asarray(last, float) - np.asarray(still, float)).mean() < 0.5


@pytest.mark.parametrize("frame", [0, -1])
def test_names_stand_at_the_ends_of_lines_from_the_start(frame):
    fig, ax = plt.subplots(figsize=(3, 2), layout="constrained")
    tracks = ax.plot([0, 1, 3], color="#ff0000")
    plots.direct_labels(ax, tracks, ["up"])
    shown = race(fig, tracks, alt="It goes up.", seconds=1)
    drawn = np.asarray(list(shown._frames(2, 2))[frame], int)
    red = (np.abs(drawn - (255, 0, 0)).max(axis=2) < 30).nonzero()
    still = np.asarray(picture(shown._repr_mimebundle_()[0]["image/png"]), int)
    places = (np.abs(still - (255, 0, 0)).max(axis=2) < 30).nonzero()
    assert red[1].max() == pytest.approx(places[1].max(), abs=2) != 0
    assert red[0].min() == pytest.approx(places[0].min(), abs=6)  # the still has the head there


def ffmpeg():
    try:
        return _movies.ffmpeg("x.mp4")
    except RuntimeError:
        return None


def test_an_mp4_has_every_frame_and_even_sides(tmp_path):
    if not ffmpeg():
        pytest.skip("there is no ffmpeg")
    moving().save(str(tmp_path / "dot.MP4"))
    assert (tmp_path / "dot.MP4").read_bytes()[4:8] == b"ftyp"
    command = [ffmpeg(), "-i", tmp_path / "dot.MP4", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, 200, 402, 3)
    assert len(frames) == 30 + 1 + 45
    red = (frames[:, :, :, 0] > 200) & (frames[:, :, :, 1] < 80)
    ends = [np.flatnonzero(frame.any(axis=0)).max() for frame in red[[0, 15, 30, -1]]]
    assert ends == pytest.approx([50, 130, 370, 370], abs=8)


@pytest.mark.parametrize("name", ["race", "race.avi", "race.png"])
def test_other_formats_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"must be one of '\.gif', '\.mp4'"):
        moving().save(tmp_path / name)


def test_a_missing_ffmpeg_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(
        RuntimeError, match=r"^race\.mp4: needs ffmpeg: `pip install imageio-ffmpeg`, or save a GIF\.$"
    ):
        moving().save(tmp_path / "race.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for ffmpeg")
def test_an_ffmpeg_that_fails_is_said_in_one_line(tmp_path, monkeypatch):
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\necho Unknown encoder libx264 >&2\necho more >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(broken))
    with pytest.raises(
        RuntimeError, match=r"ffmpeg failed \(Unknown encoder libx264\)\. Save a GIF instead\.$"
    ):
        moving().save(tmp_path / "race.mp4")
