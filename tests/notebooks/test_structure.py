"""Each notebook has the form that CONTRIBUTING.md describes; each rule is shown to be able to fail."""

import base64
import html
import io
import re
from functools import cache

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from tools.notebooks import FOLDER, METADATA, ROOT, SWITCH, WIDGET_VIEW
from tools.structure import (
    LARGEST,
    LARGEST_RACE,
    LECTURE,
    MOST_FIGURES,
    MOST_LINES,
    MOST_LIVE,
    RULES,
    Book,
    compares_every_output,
    computes_nothing_unseen,
    has_a_lecture,
    has_captions,
    has_complete_exercises,
    has_few_figures,
    has_known_tags,
    has_no_clock,
    has_no_error_and_no_warning,
    has_no_widget_state,
    has_proper_live_views,
    has_proper_races,
    has_short_cells,
    has_small_pictures,
    has_text_alternatives,
    has_the_closing_frame,
    has_the_opening_frame,
    has_the_stored_form,
    has_unique_ids,
    imports_first,
    is_executed_in_order,
    is_small,
    links_its_neighbours,
    measures_only_on_request,
    names_no_machine,
    prints_no_noise,
    stands_without_its_solutions,
)

NAMES = tuple(sorted(path.name for path in FOLDER.glob("[!.]*.ipynb")))
BOOKS = {name: Book(name, nbformat.read(FOLDER / name, as_version=4), NAMES) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", RULES)
def test_notebook(rule, name):
    complaints = list(rule(BOOKS[name]))
    assert not complaints, "\n" + "\n".join(complaints)


def test_stored_as_written():
    """The files themselves, not only their contents, are as `make notebooks` writes them."""
    for name in NAMES:
        text = (FOLDER / name).read_text("utf-8")
        assert text == nbformat.writes(BOOKS[name].notebook).rstrip("\n") + "\n", name


def table_rows(readme):
    """Return number, linked file and text of each row of the README's table of notebooks."""
    pattern = r"^\| *(\d\d[a-z]?) *\| *(?:\[([^]]+)\]\(notebooks/([^)]+)\)|([^|\[]+)) *\|([^|]*)\|"
    rows = re.findall(pattern, readme, re.MULTILINE)
    return [(number, file or None, title or plain, rest) for number, title, file, plain, rest in rows]


def test_readme_lists_every_notebook_in_order():
    rows = table_rows((ROOT / "README.md").read_text("utf-8"))
    assert [file for _, file, _, _ in rows if file] == list(NAMES)
    numbers = [number for number, *_ in rows]
    assert numbers == sorted(numbers)
    for number, file, title, rest in rows:
        assert file is None or file.startswith(number + "_")
        assert file or "planned" in rest or "planned" in title, number
        assert len(rest.split()) > 3, number


def test_each_notebook_opens_with_its_title_in_the_readme():
    rows = table_rows((ROOT / "README.md").read_text("utf-8"))
    for _, file, title, _ in rows:
        if file:
            opening = "\n".join(cell.source for cell in BOOKS[file].cells[:2])
            heading = re.search(r"^# (.*)$", opening, re.MULTILINE)[1]
            assert title.strip().casefold() in heading.casefold(), file


# --- tests of these tests ----------------------------------------------------------------------------------


@cache
def picture(width=900, height=300, mode="P", noise=False):
    """Return a picture as a notebook stores it."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8) * noise
    out = io.BytesIO()
    Image.fromarray(pixels, "L").convert(mode).save(out, format="png")
    return base64.b64encode(out.getvalue()).decode()


def figure(caption="Three walkers go downhill; one is thrown out."):
    """Return the two outputs of show."""
    metadata = {"image/png": {"alt": f"Downhill (x: x; y: loss). {caption}", "width": 900}}
    return [
        new_output("display_data", {"image/png": picture(), "text/plain": caption}, metadata=metadata),
        new_output("display_data", {"text/html": f"<p>{html.escape(caption)}</p>", "text/plain": caption}),
    ]


def live_view():
    """Return the output of a live view."""
    data = {"image/png": picture(), "text/plain": "Live view: three walkers go downhill"}
    alt = "Downhill (x: x; y: loss). Live view: three walkers go downhill. lr = 0.1."
    return new_output("execute_result", data, metadata={"image/png": {"alt": alt, "width": 900}})


def race(caption="Three methods run down a valley."):
    """Return the output of a race."""
    player = f'<div><p class="course-caption" style="">{html.escape(caption)}</p><script></script></div>'
    data = {"image/png": picture(), "text/plain": f"Race: {caption}", "text/html": player}
    alt = f"Valley (x: x1; y: x2). {caption}"
    return new_output("execute_result", data, metadata={"image/png": {"alt": alt, "width": 900}})


def said(text):
    """Return a printed output."""
    return new_output("stream", name="stdout", text=text)


OPENING = """# 1 · Example
[Contents](00_start_here.ipynb) · next: [2](02_next.ipynb)

*Which way is down?*

**After this notebook you will be able to**

- do this;
- and that.

**Time** 45 minutes. **You need** derivatives."""


def good_book():
    """Return a notebook that all rules accept."""
    cells = [
        new_markdown_cell(OPENING, id="title"),
        new_code_cell("from course_lib import plots\n\nplots.use_style()", id="imports"),
        new_markdown_cell("> **Predict.** Which?", id="predict"),
        new_code_cell("x = 3\nxs = []\nfor i in range(3):\n    xs.append(i)", id="data"),
        new_code_cell("print(x, xs)", id="print", outputs=[said("3 [0, 1, 2]\n")]),
        new_code_cell("show(plots, x)", id="figure", outputs=figure()),
        new_code_cell("live(x)", id="live", outputs=[live_view()], metadata={"tags": ["live"]}),
        new_code_cell("race(x)", id="race", outputs=[race()], metadata={"tags": ["race"]}),
    ]
    for i in range(1, 6):
        metadata = {"exercise": f"01.{i}"}
        hidden = {"jupyter": {"source_hidden": True}}
        sources = {
            "stub": (f"def f{i}(x): ...", []),
            "check": (f"nb.check_f{i}(f{i})", [said(f"○ 01.{i} F: not attempted yet\n")]),
            "solution": (
                f"def f{i}_solution(x):\n    return x\n\n\nnb.check_f{i}(f{i}_solution, solution=True)",
                [said(f"✓ 01.{i} F: the solution passes\n")],
            ),
        }
        for tag, (source, result) in sources.items():
            extra = metadata | {"tags": [tag]} | (hidden if tag == "solution" else {})
            cells.append(new_code_cell(source, id=f"{tag}{i}", outputs=result, metadata=extra))
    cells += [
        new_markdown_cell("## Recap\nWhat?", id="recap"),
        new_markdown_cell("## The same in PyTorch", id="same"),
        new_markdown_cell("## References", id="references"),
        new_markdown_cell("## Further: more\n*10 minutes*", id="further"),
        new_code_cell(f"{SWITCH}\nif MEASURE:\n    print(1)", id="timing", metadata={"tags": ["timing"]}),
        new_markdown_cell("[Contents](00_start_here.ipynb) · next: [2](02_next.ipynb)", id="footer"),
    ]
    notebook = new_notebook(cells=cells, metadata=METADATA)
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), 1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    for cell in cells:
        seen = cell.id != "footer" and (cell.cell_type == "markdown" or cell.outputs)
        slide = {"slide_type": "slide", "minutes": 3, "notes": "Ask the class which way is down."}
        lecture = (
            slide if seen and "solution" not in cell.metadata.get("tags", []) else {"slide_type": "skip"}
        )
        cell.metadata["slideshow"] = lecture
    siblings = ("00_start_here.ipynb", "01_example.ipynb", "01b_more.ipynb", "02_next.ipynb", "03_far.ipynb")
    return Book("01_example.ipynb", notebook, siblings)


@pytest.mark.parametrize("rule", RULES)
def test_good_notebook_passes(rule):
    assert list(rule(good_book())) == []


PLANTED = []


def planted(*rules):
    """Note what must make a rule complain: a function that spoils the good notebook."""

    def note(spoil):
        PLANTED.extend(pytest.param(rule, spoil, id=f"{rule.__name__}-{spoil.__name__}") for rule in rules)
        return spoil

    return note


def cell(book, name):
    """Return the cell of that id."""
    return next(cell for cell in book.cells if cell.id == name)


@planted(has_the_stored_form, has_no_clock)
def time_in_metadata(book):
    cell(book, "print").metadata["execution"] = {"iopub.status.idle": "2025-01-01T10:00:00.000000Z"}


@planted(has_the_stored_form)
def python_version_in_metadata(book):
    book.notebook.metadata = {**METADATA, "language_info": {"name": "python", "version": "3.11.2"}}


@planted(is_executed_in_order)
def a_cell_not_run(book):
    cell(book, "data").execution_count = None


@planted(is_executed_in_order)
def two_cells_swapped(book):
    cell(book, "data").execution_count, cell(book, "print").execution_count = 3, 2


@planted(is_executed_in_order)
def an_empty_cell(book):
    cell(book, "data").source = " \n"


@planted(has_unique_ids)
def the_same_id_twice(book):
    cell(book, "data").id = "print"


@planted(has_known_tags)
def a_misspelt_tag(book):
    cell(book, "stub1").metadata["tags"] = ["stubb"]


@planted(compares_every_output)
def exempt_by_comment(book):
    cell(book, "print").source = "# NBVAL_IGNORE_OUTPUT\nprint(x, xs)"


@planted(compares_every_output)
def exempt_without_reason(book):
    cell(book, "print").metadata["tags"] = ["nbval-ignore-output"]


@planted(computes_nothing_unseen)
def unseen_call(book):
    cell(book, "data").source += "\nax.plot(x)"


@planted(computes_nothing_unseen)
def unseen_call_in_a_loop(book):
    cell(book, "data").source += "\nfor i in xs:\n    ax.plot(i)"


@planted(computes_nothing_unseen)
def nobody_needs_it(book):
    cell(book, "data").source = "unused = 1"


@planted(computes_nothing_unseen)
def needed_only_by_what_nobody_needs(book):
    cell(book, "data").source = "x = xs = 3\ny = 3"
    cell(book, "print").source, cell(book, "print").outputs = "z = y", []


@planted(computes_nothing_unseen)
def a_function_never_used(book):
    cell(book, "data").source += "\n\n\ndef helper():\n    return 1"


@planted(measures_only_on_request)
def a_timing_cell_switched_on(book):
    cell(book, "timing").source = "MEASURE = True\nif MEASURE:\n    print(1)"


@planted(measures_only_on_request)
def a_timing_cell_that_works_while_it_is_off(book):
    cell(book, "timing").source = "MEASURE = False\nwork()\nif MEASURE:\n    print(1)"


@planted(measures_only_on_request)
def a_timing_cell_that_reads_the_clock_while_it_is_off(book):
    cell(book, "timing").source = "MEASURE = False\nt = time.perf_counter()\nif MEASURE:\n    print(t)"


@planted(measures_only_on_request)
def a_timing_cell_with_another_branch(book):
    cell(book, "timing").source = "MEASURE = False\nif MEASURE:\n    x = 1\nelse:\n    x = 2"


@planted(measures_only_on_request)
def a_timing_cell_without_condition(book):
    cell(book, "timing").source = "MEASURE = False\nx = 2"


@planted(measures_only_on_request)
def a_timing_cell_with_output(book):
    cell(book, "timing").outputs = [said("0.3 s\n")]


@planted(measures_only_on_request)
def a_clock_elsewhere(book):
    cell(book, "print").source = "start = time.perf_counter()\nprint(x)"


@planted(has_no_error_and_no_warning)
def a_warning(book):
    cell(book, "print").outputs = [new_output("stream", name="stderr", text="RuntimeWarning")]


@planted(has_no_error_and_no_warning)
def an_error(book):
    cell(book, "print").outputs = [new_output("error", ename="E", evalue="", traceback=[])]


@planted(has_no_clock)
def a_date(book):
    cell(book, "print").outputs = [said("run on 2025-03-01\n")]


@planted(has_no_clock)
def a_time_of_day(book):
    cell(book, "print").outputs = [said("started 10:20:30\n")]


@planted(has_no_widget_state)
def widget_state(book):
    book.notebook.metadata["widgets"] = {}


@planted(has_no_widget_state, has_the_stored_form)
def a_model_id(book):
    cell(book, "live").outputs[0].data[WIDGET_VIEW] = {"model_id": "ab"}


@planted(names_no_machine)
def an_absolute_path(book):
    path = "/".join(
        ["", "home", "ada", "data.csv"]
    )  # in pieces: no file of the project names a machine's path
    cell(book, "print").outputs = [said(f"read {path}\n")]


@planted(names_no_machine)
def a_windows_path_in_the_source(book):
    cell(book, "data").source = r"x = xs = 'C:\data'"


@planted(names_no_machine)
def an_address(book):
    cell(book, "print").outputs = [said("http://localhost:8888\n")]


@planted(names_no_machine)
def a_host_name(book):
    book.host = "ada-desktop"
    cell(book, "print").outputs = [said("on ada-desktop it took long\n")]


@planted(prints_no_noise)
def a_negative_zero(book):
    cell(book, "print").outputs = [said("[1.0, -0.000, 2.0]\n")]


@planted(prints_no_noise)
def a_negative_zero_of_numpy(book):
    cell(book, "print").outputs = [said("[ 1. -0.]\n")]


@planted(is_small)
def a_huge_output(book):
    cell(book, "print").outputs = [said("x" * LARGEST)]


@planted(has_captions)
def a_bare_figure(book):
    data = {"image/png": picture(), "text/plain": "<Figure size 640x480 with 1 Axes>"}
    cell(book, "figure").outputs = [new_output("display_data", data)]


@planted(has_captions)
def no_caption_below(book):
    cell(book, "figure").outputs.pop()


@planted(has_captions)
def another_caption_below(book):
    cell(book, "figure").outputs[1].data["text/html"] = "<p>Something else is to be seen.</p>"


@planted(has_captions, has_text_alternatives)
def no_text_alternative(book):
    cell(book, "figure").outputs[0].metadata = {}


@planted(has_captions, has_text_alternatives)
def a_title_as_text_alternative(book):
    title = "Three walkers on the parabola go downhill and one is thrown out"
    cell(book, "figure").outputs[0].metadata["image/png"]["alt"] = title


@planted(has_text_alternatives)
def a_text_alternative_that_names_a_picture_only(book):
    caption = cell(book, "figure").outputs[0].data["text/plain"]
    cell(book, "figure").outputs[0].metadata["image/png"]["alt"] = f"A figure. {caption}"


@planted(has_text_alternatives)
def a_live_view_without_text_alternative(book):
    cell(book, "live").outputs[0].metadata = {}


@planted(has_text_alternatives)
def a_markdown_image_without_text_alternative(book):
    cell(book, "recap").source += "\n![Valley](valley.png)"


@planted(has_text_alternatives)
def an_html_image_without_text_alternative(book):
    cell(book, "recap").source += '\n<img src="valley.png" width="300">'


@planted(has_text_alternatives)
def an_image_in_an_output_without_text_alternative(book):
    cell(book, "race").outputs[0].data["text/html"] += '<img src="valley.png">'


@planted(has_captions)
def a_vector_picture(book):
    data = {"image/svg+xml": "<svg/>", "text/plain": "A caption of five words."}
    cell(book, "figure").outputs[0].data = data


@planted(has_proper_live_views)
def a_live_view_without_tag(book):
    cell(book, "live").metadata["tags"] = []


@planted(has_proper_live_views)
def a_live_view_without_picture(book):
    del cell(book, "live").outputs[0].data["image/png"]


@planted(has_proper_live_views)
def a_live_view_without_words(book):
    cell(book, "live").outputs[0].data["text/plain"] = "Live view: figure"


@planted(has_proper_live_views)
def no_live_view(book):
    book.cells.remove(cell(book, "live"))


@planted(has_proper_races)
def a_race_without_tag(book):
    cell(book, "race").metadata["tags"] = []


@planted(has_proper_races)
def a_tag_without_a_race(book):
    cell(book, "print").metadata["tags"] = ["race"]


@planted(has_proper_races)
def a_race_without_picture(book):
    cell(book, "race").outputs[0].metadata = {}


@planted(has_proper_races)
def a_race_without_words(book):
    cell(book, "race").outputs = [race("A race.")]


@planted(has_proper_races)
def a_race_without_player(book):
    del cell(book, "race").outputs[0].data["text/html"]


@planted(has_proper_races)
def a_race_with_another_caption(book):
    cell(book, "race").outputs[0].data["text/html"] = '<p class="course-caption">Something else.</p>'


@planted(has_proper_races)
def a_heavy_race(book):
    cell(book, "race").outputs[0].data["text/html"] += "x" * LARGEST_RACE


@planted(has_small_pictures)
def a_race_in_full_colour(book):
    cell(book, "race").outputs[0].data["image/png"] = picture(mode="RGB")


@planted(has_few_figures)
def too_many_figures(book):
    cell(book, "figure").outputs *= MOST_FIGURES + 1


@planted(has_few_figures)
def too_many_live_views(book):
    cell(book, "live").outputs *= MOST_LIVE + 1


@planted(has_small_pictures)
def a_heavy_picture(book):
    cell(book, "figure").outputs[0].data["image/png"] = picture(noise=True)


@planted(has_small_pictures)
def a_dense_picture_too_heavy(book):
    cell(book, "figure").outputs[0].data["image/png"] = picture(noise=True)
    cell(book, "figure").metadata["tags"] = ["dense"]


@planted(has_small_pictures)
def a_picture_in_full_colour(book):
    cell(book, "figure").outputs[0].data["image/png"] = picture(mode="RGB")


@planted(has_short_cells)
def a_long_cell(book):
    cell(book, "data").source = "x = xs = 3\n" * (MOST_LINES + 1)


@planted(has_short_cells)
def a_semicolon(book):
    cell(book, "print").source = "x;"


@planted(imports_first)
def no_style(book):
    cell(book, "imports").source = "from course_lib import plots"


@planted(imports_first)
def a_late_import(book):
    cell(book, "data").source = "import os\nx = xs = os.sep"


@planted(imports_first)
def a_star_import(book):
    cell(book, "imports").source = "from course_lib.plots import *\nuse_style()"


@planted(has_complete_exercises)
def too_few_exercises(book):
    for name in ("stub5", "check5", "solution5"):
        book.cells.remove(cell(book, name))


@planted(has_complete_exercises)
def an_exercise_without_solution(book):
    book.cells.remove(cell(book, "solution3"))


@planted(has_complete_exercises)
def a_solution_before_its_check(book):
    book.cells.insert(0, book.cells.pop(book.cells.index(cell(book, "solution1"))))


@planted(has_complete_exercises)
def a_wrong_number(book):
    for name in ("stub5", "check5", "solution5"):
        cell(book, name).metadata["exercise"] = "01.6"


@planted(has_complete_exercises)
def a_stub_already_done(book):
    cell(book, "stub1").source = "def f1(x):\n    return x"


@planted(has_complete_exercises)
def an_attempted_check(book):
    cell(book, "check1").outputs = [said("✓ 01.1 F: passed\n")]


@planted(has_complete_exercises)
def a_failing_solution(book):
    cell(book, "solution1").outputs = [said("→ 01.1 F: not yet\n")]


@planted(has_complete_exercises)
def an_open_solution(book):
    del cell(book, "solution1").metadata["jupyter"]


@planted(has_complete_exercises)
def an_answer_that_shows_when_folded(book):
    solution = cell(book, "solution1")
    solution.source = 'f1_solution = "B"\n' + solution.source


@planted(has_complete_exercises)
def a_solution_checked_by_another(book):
    source = cell(book, "solution1").source
    cell(book, "solution1").source = source.replace("check_f1", "check_f2")


@planted(stands_without_its_solutions)
def a_cell_that_needs_a_solution(book):
    cell(book, "print").source = "print(f1_solution(x), xs)"


@planted(stands_without_its_solutions)
def an_answer_to_nothing(book):
    cell(book, "recap").metadata["tags"] = ["answer"]


@planted(has_the_opening_frame)
def no_question(book):
    cell(book, "title").source = OPENING.replace("?", ".")


@planted(has_the_opening_frame)
def no_title(book):
    cell(book, "title").source = OPENING.replace("# 1", "1")


@planted(has_the_opening_frame)
def no_objectives(book):
    cell(book, "title").source = OPENING.replace("- ", "")


@planted(has_the_opening_frame)
def no_time(book):
    cell(book, "title").source = OPENING.replace("45 minutes", "not long")


@planted(has_the_opening_frame)
def no_prerequisites(book):
    cell(book, "title").source = OPENING.replace("You need", "Bring")


@planted(has_the_closing_frame)
def no_recap(book):
    cell(book, "recap").source = "## Goodbye"


@planted(has_the_closing_frame)
def no_other_libraries(book):
    book.cells.remove(cell(book, "same"))


@planted(has_the_closing_frame)
def no_references(book):
    book.cells.remove(cell(book, "references"))


@planted(has_the_closing_frame)
def further_without_time(book):
    cell(book, "further").source = "## Further: more"


@planted(has_the_closing_frame)
def further_before_the_recap(book):
    book.cells.insert(3, book.cells.pop(book.cells.index(cell(book, "further"))))


@planted(has_the_closing_frame)
def no_prediction(book):
    book.cells.remove(cell(book, "predict"))


@planted(links_its_neighbours)
def no_contents_at_the_top(book):
    cell(book, "title").source = OPENING.replace("00_start_here", "00_elsewhere")


@planted(links_its_neighbours)
def no_next_at_the_bottom(book):
    cell(book, "footer").source = "[Contents](00_start_here.ipynb)"


@planted(links_its_neighbours)
def a_companion_without_its_notebook(book):
    book.name = "01b_more.ipynb"


@planted(has_a_lecture)
def no_slides(book):
    for one in book.cells:
        one.metadata["slideshow"] = {"slide_type": "skip"}


@planted(has_a_lecture)
def a_cell_without_a_slide_type(book):
    del cell(book, "data").metadata["slideshow"]


@planted(has_a_lecture)
def a_misspelt_slide_type(book):
    cell(book, "data").metadata["slideshow"] = {"slide_type": "skipped"}


@planted(has_a_lecture)
def a_solution_on_a_slide(book):
    cell(book, "solution1").metadata["slideshow"] = {"slide_type": "-"}


@planted(has_a_lecture)
def a_cell_on_a_slide_that_shows_nothing(book):
    cell(book, "data").metadata["slideshow"] = {"slide_type": "fragment"}


@planted(has_a_lecture)
def links_alone_on_a_slide(book):
    cell(book, "footer").metadata["slideshow"] = {"slide_type": "-"}


@planted(has_a_lecture)
def a_slide_without_notes(book):
    del cell(book, "recap").metadata["slideshow"]["notes"]


@planted(has_a_lecture)
def a_slide_without_minutes(book):
    del cell(book, "recap").metadata["slideshow"]["minutes"]


@planted(has_a_lecture)
def minutes_on_a_skipped_cell(book):
    cell(book, "footer").metadata["slideshow"]["minutes"] = 1


@planted(has_a_lecture)
def something_behind_a_prediction(book):
    cell(book, "print").metadata["slideshow"] = {"slide_type": "-"}


@planted(has_a_lecture)
def notes_for_one_of_two_slides(book):
    cell(book, "predict").source = "Two walkers.\n\n> **Predict.** Which?"


@planted(has_a_lecture)
def a_passage_that_is_not_there(book):
    cell(book, "recap").metadata["slideshow"]["show"] = ["Why"]


@planted(has_a_lecture)
def a_lecture_too_long(book):
    cell(book, "recap").metadata["slideshow"]["minutes"] = 3 + LECTURE["minutes"][1] - 44


@planted(has_a_lecture)
def too_few_slides(book):
    cell(book, "recap").metadata["slideshow"] = {"slide_type": "-"}
    cell(book, "references").metadata["slideshow"]["minutes"] = 6


@planted(has_a_lecture)
def a_cell_that_says_nothing_about_the_lecture(book):
    del cell(book, "recap").metadata["slideshow"]


@pytest.mark.parametrize(("rule", "spoil"), PLANTED)
def test_rule_can_fail(rule, spoil):
    book = good_book()
    spoil(book)
    assert list(rule(book)) != []


def test_every_rule_can_fail():
    assert {parameter.values[0] for parameter in PLANTED} == set(RULES)


@pytest.mark.parametrize("text", ["-0.05", "1e-05", "x-0", "-0.001e-3", "10-0.5", "2-0", "−0.25", "-0.10"])
def test_small_numbers_are_no_noise(text):
    book = good_book()
    cell(book, "print").outputs = [said(text + "\n")]
    assert list(prints_no_noise(book)) == []
