"""How many frames a second a race draws while it plays in headless Chromium, and how much it weighs.

    python benchmarks/race.py [--seconds 5]

The page is opened from the disk: no server and no kernel take part. Each frame is drawn anew from all tracks.
"""

import argparse
import base64
import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from lab import browser

from course_lib import plots
from course_lib.descent import minimize
from course_lib.landscapes import beale, saddle, valley
from course_lib.optimizers import GradientDescent, Momentum, Nesterov
from course_lib.race import race

LANDSCAPES = {beale: 1e-3, valley: 0.1, saddle: 0.02}
RULES = {"GD": GradientDescent, "Momentum": Momentum, "Nesterov": Nesterov}

COUNT = """seconds => new Promise(done => {
    const times = [];
    document.querySelector(".race-view").addEventListener("drawn", () => times.push(performance.now()));
    document.querySelector("button").click();
    setTimeout(() => done(times.slice(1)), 1000 * seconds);
})"""


def example(members, steps):
    """Return a race of `members` tracks on each of three landscapes."""
    fig, axes = plt.subplots(1, 3, figsize=(9, 3.4))
    tracks = []
    for ax, (land, lr) in zip(axes, LANDSCAPES.items(), strict=True):
        plots.contours(ax, land())
        for i in range(members):
            name = list(RULES)[i % len(RULES)]
            path = minimize(land(), land().start, RULES[name](lr * (1 - i / members / 2)), steps)
            tracks += ax.plot(*path.x.T, **plots.method_style(name))
    return race(fig, tracks, alt="Methods on three landscapes.")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5)
    seconds = parser.parse_args().seconds
    plots.use_style()
    print(f"{'tracks × steps':16}{'ratio':>6}{'draws':>10}{'longest':>10}{'coordinates':>14}{'all':>10}")
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        for members, steps in ((3, 100), (10, 100), (10, 400)):
            bundle = example(members, steps)._repr_mimebundle_()[0]
            page_file = Path(folder, "race.html")
            page_file.write_text(f"<!doctype html><meta charset=utf-8>{bundle['text/html']}", "utf-8")
            for ratio in (1, 2):
                window = {"viewport": {"width": 1280, "height": 800}, "device_scale_factor": ratio}
                page = chromium.new_context(**window).new_page()
                page.goto(page_file.as_uri())
                page.wait_for_selector("canvas")
                gaps = np.diff(page.evaluate(COUNT, seconds))
                page.context.close()
                points = len(base64.b64encode(bytes(4 * 3 * members * (steps + 1))))
                print(
                    f"{f'{3 * members} × {steps}':16}{ratio:6}{1000 / gaps.mean():8.1f}/s{gaps.max():7.0f} ms"
                    f"{points:11,} B{len(bundle['text/html']) / 1000:7.0f} kB"
                )


if __name__ == "__main__":
    main()
