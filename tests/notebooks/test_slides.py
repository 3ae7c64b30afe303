"""How the cells of a notebook become slides; tests/browser/test_slides.py looks at them."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import slides
from tools.environment import CourseError

LECTURES = [
    path
    for path in sorted(slides.FOLDER.glob("[!.]*.ipynb"))
    if slides.slides(nbformat.read(path, as_version=4))
]
SECTION = """## 1. Walk

*5 minutes*

A walker goes [downhill](01_gradients.ipynb). He steps.

$$x \\leftarrow x

- g$$

> **Predict.** Where to?

<details><summary>Hint</summary>

Down.</details>"""


def on_slide(source, **slideshow):
    return new_markdown_cell(source, id="walk", metadata={"slideshow": {"slide_type": "slide"} | slideshow})


def figure(kind="subslide", text="Live view: a walker on a slope", **picture):
    data = {"image/png": "AAAA", "text/plain": text}
    output = new_output("execute_result", data, execution_count=1, metadata={"image/png": picture})
    metadata = {"slideshow": {"slide_type": kind, "notes": "Look at it.", "minutes": 1}}
    return new_code_cell("live()", id="live", outputs=[output], metadata=metadata)


def test_blocks_keep_formulas_and_answers_whole():
    heading, minutes, _, formula, predict, hint = slides.blocks(SECTION)
    assert (heading, minutes) == ("## 1. Walk", "*5 minutes*")
    assert formula.startswith("$$") and formula.endswith("g$$")  # noqa: PT018
    assert predict == "> **Predict.** Where to?"
    assert hint.endswith("Down.</details>")


def test_a_heading_is_a_block_without_a_blank_line_below():
    text = "## 1. Walk\n*5 minutes*\n\n```python\n# a comment\nstep()\n```"
    assert slides.blocks(text) == ["## 1. Walk", "*5 minutes*", "```python\n# a comment\nstep()\n```"]


def test_show_takes_blocks_and_passages_in_the_order_of_the_cell():
    cell = on_slide(SECTION, show=["$$x", "He … steps."])
    assert slides.shown(cell) == ["## 1. Walk", "He steps.", "$$x \\leftarrow x\n\n- g$$"]
    with pytest.raises(CourseError, match=r"walk: .*'He runs'"):
        slides.shown(on_slide(SECTION, show=["He runs"]))


def test_show_takes_the_heading_of_an_exercise_only_if_it_is_named():
    text = SECTION + "\n\n### Exercise 03.1 · Write it\n\nWrite `walk(x)`."
    assert slides.shown(on_slide(text, show=["$$x"])) == ["## 1. Walk", "$$x \\leftarrow x\n\n- g$$"]
    assert "### Exercise 03.1 · Write it" in slides.shown(on_slide(text, show=["### Exercise"]))


def test_without_show_minutes_and_links_are_left_out():
    text = SECTION + "\n\n[contents](00_start_here.ipynb) · next: [2](02_next.ipynb)"
    assert len(slides.shown(on_slide(text))) == len(slides.blocks(SECTION)) - 1


def test_a_prediction_has_a_slide_of_its_own():
    cell = on_slide(SECTION, notes="First this.\n---\nThen ask.", minutes=4)
    one, two, three = slides.slides(new_notebook(cells=[cell, figure()]))
    assert [slide.predicts for slide in (one, two, three)] == [False, True, False]
    assert (one.notes, two.notes) == ("First this.", "Then ask.")
    assert (one.kind, two.kind, one.minutes, two.minutes) == ("slide", "subslide", 2, 2)
    assert "ipynb" not in one.cells[0].source
    assert (one.section, two.section, three.section) == ("", "1. Walk", "1. Walk")


def test_code_in_the_name_of_a_section_looks_like_code_above_its_slides():
    slide = slides.Slide("walk", "subslide", 1, "", "2. Keep `lr` < 1", [on_slide("Downhill.")])
    assert '<p class="kicker">2. Keep <code>lr</code> &lt; 1</p>' in slides.opening(slide)


def test_a_comment_in_code_names_no_section():
    code = on_slide("## 2. Run\n\n```python\n# 1: wrong\nstep()\n```", notes="Ask.", minutes=1)
    assert [slide.section for slide in slides.slides(new_notebook(cells=[code, figure()]))] == ["", "2. Run"]


def test_a_long_formula_stands_in_rows():
    assert slides.in_rows(r"$$a, \quad b, \qquad c, \qquad d$$") == (
        r"$$\begin{gathered}a, \quad b, \\[4pt] c, \\[4pt] d\end{gathered}$$"
    )
    for short in (
        r"$$a \qquad b \qquad c$$",
        "a formula $a$",
        r"$$\begin{aligned}a\quad b\quad c\quad\end{aligned}$$",
    ):
        assert slides.in_rows(short) == short


def test_a_prediction_alone_makes_one_slide():
    cell = on_slide(SECTION, show=["> **Predict.**"])
    (slide,) = slides.slides(new_notebook(cells=[cell]))
    assert slide.predicts
    assert slide.cells[0].source == "## 1. Walk\n\n> **Predict.** Where to?"


def test_page_describes_pictures_and_keeps_notes_and_source_apart():
    live = figure()
    source = figure("-", "A slope.", alt="A slope.")
    source.id, source.source = "source", "x < 1 & y"
    source.metadata["slideshow"]["code"] = True
    page = slides.page(new_notebook(cells=[on_slide("# 3 · Walk", notes="a < b"), live, source]), "03")
    assert "<title>3 · Walk</title>" in page
    assert page.count("<section") == page.count("</section>") == 3  # a stack of two slides
    assert re.findall('alt="([^"]*)"', page) == ["a walker on a slope", "A slope."]
    assert page.count("make lecture NOTEBOOK=03") == 1
    assert "live()" not in page
    assert "x &lt; 1 &amp; y" in page
    assert '<aside class="notes"><p>a &lt; b</p></aside>' in page
    assert not re.search(r'(src|href)="(?!assets/|data:)', page)


def test_twice_the_same_page():
    notebook = nbformat.read(LECTURES[0], as_version=4)
    assert slides.page(notebook, "02") == slides.page(notebook, "02")


@pytest.mark.parametrize("path", LECTURES, ids=[path.stem for path in LECTURES])
def test_names_of_slides_are_unique(path):
    names = [slide.name for slide in slides.slides(nbformat.read(path, as_version=4))]
    assert len(set(names)) == len(names)
