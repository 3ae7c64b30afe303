"""Handouts: notebooks without solutions, and the pages that are printed. Chromium: tests/browser."""

import re
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.notebooks.test_solutions import NAMES, answers_of, as_answer, exercise
from tests.notebooks.test_structure import cell as cell_of
from tests.notebooks.test_structure import good_book
from tools import commands, handouts, vendor
from tools.environment import CourseError
from tools.notebooks import FOLDER, execute, reveals, tags, write


def stored(name):
    return nbformat.read(FOLDER / name, as_version=4)


def without(cell):
    """Return a cell without what says how it is numbered, and without its speaker notes."""
    plain = nbformat.from_dict(cell)
    plain.pop("execution_count", None)
    for output in plain.get("outputs", []):
        output.pop("execution_count", None)
    plain.metadata.get("slideshow", {}).pop("notes", None)
    return plain


# --- notebooks for students --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_student_gets_everything_but_the_answers(name):
    original, made = stored(name), handouts.student(stored(name))
    for cell in made.cells:
        assert not {"solution", "answer"} & set(tags(cell))
        assert "notes" not in cell.metadata.get("slideshow", {})
        assert not re.search(r"\w_solution\b|solution=True", cell.source), cell.id
    assert [without(cell) for cell in made.cells] == [without(c) for c in original.cells if not reveals(c)]
    for tag in ("stub", "check"):
        numbers = [exercise(cell) for cell in made.cells if tag in tags(cell)]
        assert numbers == [exercise(cell) for cell in original.cells if "solution" in tags(cell)]
    counts = [cell.execution_count for cell in made.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert original == stored(name)


def test_speaker_notes_and_answers_are_left_out():
    book = good_book()
    cell_of(book, "recap").metadata["slideshow"] = {"slide_type": "slide", "notes": "They say: twice."}
    cell_of(book, "same").metadata |= {"tags": ["answer"], "exercise": "01.1"}
    made = {cell.id: cell for cell in handouts.student(book.notebook).cells}
    assert made["recap"].metadata == {"slideshow": {"slide_type": "slide"}}
    assert "same" not in made
    assert "stub1" in made
    assert "solution1" not in made


def test_students_notebook_runs_and_its_checks_work(tmp_path):
    name = "00_start_here.ipynb"
    made = handouts.student(stored(name))
    handouts.copy_data(tmp_path)
    assert {path.name for path in (tmp_path / "data").iterdir()} == {
        p.name for p in (FOLDER / "data").iterdir()
    }
    blank = answers_of(made, "check")
    (solution,) = (cell for cell in stored(name).cells if "solution" in tags(cell))
    for cell in made.cells:
        if "stub" in tags(cell):
            cell.source = as_answer(solution.source)
    execute(made, tmp_path, timeout=60)
    assert "not attempted yet" in blank["00.1"]
    assert answers_of(made, "check")["00.1"].splitlines()[0].endswith("passed")


def test_students_notebooks_are_the_same_bytes_twice(tmp_path):
    paths = tmp_path / "one.ipynb", tmp_path / "other.ipynb"
    for path in paths:
        write(handouts.student(stored("04_adaptive_methods.ipynb")), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


# --- pages to print ----------------------------------------------------------------------------------------


@pytest.fixture
def page(monkeypatch, tmp_path):
    """Return a function that gives the page of a notebook; nothing is fetched from npm."""
    from bs4 import BeautifulSoup

    monkeypatch.setattr(handouts, "package", lambda name: tmp_path)

    def make(notebook, solutions="no"):
        return BeautifulSoup(handouts.page_of(notebook, solutions), "html.parser")

    return make


FOLDED = """## Recap

<details><summary>1. Why? (2)</summary>Because.</details>
<details><summary>Hint</summary>Think.</details>"""


def with_folded():
    book = good_book()
    cell_of(book, "recap").source = FOLDED
    cell_of(book, "same").metadata |= {"tags": ["answer"], "exercise": "01.5"}
    cell_of(book, "same").source = "It is the same in PyTorch."
    return book.notebook


def test_page_leaves_answers_out_but_not_the_questions(page):
    made = page(with_folded())
    text = made.body.get_text()
    assert made.title.string == "1 · Example"
    assert not made.find_all("details")
    assert "1. Why? (2)" in text
    for gone in ("Because.", "Hint", "Think.", "_solution", "solution=True", "PyTorch", "at the end"):
        assert gone not in text, gone
    assert "def f1(x): ..." in text


def test_page_has_answers_and_solutions_at_the_end(page):
    made = page(with_folded(), "end")
    before, end = made.body.get_text().split("Hints and answers")
    assert "Because." not in before
    assert re.search(r"1\. Why\? \(2\)\s*Because\.\s*Hint · Recap\s*Think\.\s*Solutions", end)
    assert re.search(r"Solution of exercise 01\.5\s+def f5_solution\(x\):\s+return x\s+It is the same", end)
    assert "solution=True" not in end
    links = [link["href"] for link in made.select("a[href^='#']")]
    assert links == ["#folded-1", "#folded-2"]
    assert all(made.select(link) for link in links)


def test_pictures_stand_with_caption_and_text_alternative(page):
    made = page(good_book().notebook)
    captions = [figure.figcaption.get_text() for figure in made.select("figure")]
    book = good_book().notebook
    outputs = [o for one in book.cells for o in one.get("outputs", []) if "image/png" in o.get("data", {})]
    texts = [o.metadata.get("image/png", {}).get("alt", o.data["text/plain"]) for o in outputs]
    assert [figure.img["alt"] for figure in made.select("figure")] == texts
    assert captions[0] == "Three walkers go downhill; one is thrown out."
    assert captions[1].startswith("A live view: three walkers go downhill.")
    assert captions[2].startswith("Three methods run down a valley. (It runs in the notebook")
    assert not made.select(".course-caption")
    assert made.body.get_text().count(captions[0]) == 1


def test_a_check_prints_nothing(page):
    assert "not attempted yet" not in page(good_book().notebook).body.get_text()


def test_links_lead_to_other_pdfs(page):
    text = "# T\n[a](02_next.ipynb#Some-part) [b](https://example.org/x.ipynb) [c](#Here)"
    made = page(new_notebook(cells=[new_markdown_cell(text)]))
    assert [link["href"] for link in made.select("a")] == [
        "02_next.pdf",
        "https://example.org/x.ipynb",
        "#Here",
    ]


def test_a_long_line_is_set_smaller(page):
    source = f"'''{'x' * 150}'''"
    made = page(new_notebook(cells=[new_markdown_cell("# T"), new_code_cell(source), new_code_cell("short")]))
    assert [pre.get("style") for pre in made.select("pre")] == ["font-size: 6.35pt", None]


# --- what is missing is said in one line -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["ONLY=99"], "ONLY=99: there is no such notebook"),
        (["SOLUTIONS=yes"], "SOLUTIONS=yes: must be no or end."),
        (["SOLUTION=end"], "handouts takes ONLY=..., SOLUTIONS=..., TO=..., not SOLUTION=end."),
    ],
)
def test_a_bad_option_is_said_in_one_line(options, words, capsys):
    assert commands.main(["handouts", *options]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"course: {words}")


def test_the_command_hands_on_what_to_write_and_where(monkeypatch):
    ran = []
    monkeypatch.setattr(commands, "environment", lambda *extras: extras)
    monkeypatch.setattr(commands, "run", lambda *command: ran.append(command) or 0)
    assert commands.main(["handouts", "ONLY=00", "SOLUTIONS=end"]) == 0
    notebook = commands.named("00", "ONLY")
    folder = commands.ROOT / "handouts"
    assert ran == [(("lab", "handouts"), "tools/handouts.py", folder, notebook, "--solutions=end")]


@pytest.mark.parametrize("folder", [FOLDER, FOLDER.parent, FOLDER.parent / "my_course"])
def test_no_folder_of_notebooks_is_overwritten(folder, capsys, monkeypatch):
    monkeypatch.setattr(handouts, "handouts", lambda *_: pytest.fail("it would be overwritten"))
    assert handouts.main([str(folder)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("course: TO=")
    assert line.endswith("name another folder.")


def test_without_npm_it_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(vendor, "FOLDER", tmp_path / "npm")
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(CourseError, match="npm is missing"):
        handouts.page_of(good_book().notebook, "no")
