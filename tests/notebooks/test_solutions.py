"""Each notebook runs with the solutions put in place of the stubs: exercises pass, live views outlast it."""

import ast
import copy
import re

import nbformat
import pytest

from tests.notebooks.after_run import complaints
from tools.notebooks import FOLDER, tags

NAMES = sorted(path.name for path in FOLDER.glob("[!.]*.ipynb"))


def exercise(cell):
    """Return the number of the exercise that a cell belongs to."""
    return cell.metadata.get("exercise")


def as_answer(solution):
    """Return a solution as a learner would have written it: without its check, under the stub's name."""
    lines = solution.strip().splitlines()
    check = ast.parse(lines[-1]).body[0].value
    assert any(word.arg == "solution" for word in check.keywords), f"the last line is no check: {lines[-1]}"
    given = check.args[0].id
    assert given.endswith("_solution"), given
    return re.sub(rf"\b{given}\b", given.removesuffix("_solution"), "\n".join(lines[:-1])).strip()


def with_solutions(notebook):
    """Return a copy of a notebook in which each stub holds its solution."""
    solved = copy.deepcopy(notebook)
    answers = {exercise(cell): as_answer(cell.source) for cell in solved.cells if "solution" in tags(cell)}
    for cell in solved.cells:
        if "stub" in tags(cell):
            cell.source = answers[exercise(cell)]
    return solved


def said(cell):
    """Return what a cell shows, as plain text."""
    return "".join(output.data["text/plain"] if "data" in output else output.text for output in cell.outputs)


def answers_of(notebook, tag):
    """Return what the cells with that tag say: exercise number -> text."""
    return {exercise(cell): said(cell) for cell in notebook.cells if tag in tags(cell)}


@pytest.mark.parametrize("name", NAMES)
def test_solutions_pass_in_place_of_the_stubs(name):
    stored = nbformat.read(FOLDER / name, as_version=4)
    solved = with_solutions(stored)
    assert not list(complaints(solved))  # runs it
    blank = answers_of(stored, "check")
    for number, text in answers_of(solved, "check").items():
        assert text.startswith(f"✓ {number} "), text
        assert text.splitlines()[0].endswith("passed"), text
        # nbval holds the stored notebook to what it computes: so does a blank stub say today
        assert blank[number].splitlines()[0].endswith("not attempted yet"), blank[number]
    for number, text in answers_of(solved, "solution").items():
        assert text.splitlines()[0].endswith("the solution passes"), f"{number}: {text}"


def test_answer_keeps_other_names_and_lines():
    solution = "def f_solution(x):\n    return an_f_solution_2(x)\n\n\ncheck(f_solution, solution=True)\n"
    assert as_answer(solution) == "def f(x):\n    return an_f_solution_2(x)"


def test_value_becomes_an_answer():
    assert as_answer("lr_solution = 2 / 4\nnb.check_lr(lr_solution, solution=True)") == "lr = 2 / 4"


@pytest.mark.parametrize("last", ["nb.check_f(f_solution)", "nb.check_f(f, solution=True)"])
def test_solution_without_its_check_is_refused(last):
    with pytest.raises(AssertionError):
        as_answer(f"f_solution = 1\n{last}")


def test_solutions_go_into_their_own_stubs():
    cells = [
        nbformat.v4.new_code_cell(f"{name}{suffix}", metadata={"tags": [tag], "exercise": number})
        for number, name in (("01.1", "a"), ("01.2", "b"))
        for tag, suffix in (
            ("stub", " = ..."),
            ("solution", f"_solution = 1\nnb.check({name}_solution, solution=True)"),
        )
    ]
    solved = with_solutions(nbformat.v4.new_notebook(cells=cells))
    assert [cell.source for cell in solved.cells if "stub" in tags(cell)] == ["a = 1", "b = 1"]
