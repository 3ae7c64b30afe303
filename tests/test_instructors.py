"""docs/instructors.md names what is there, its sums add up, and its numbers are those of the record."""

import json
import re
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest
import yaml

from tools import commands

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
import _tables

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "instructors.md").read_text("utf-8")
RECORD = json.loads((ROOT / "benchmarks" / "classroom.json").read_text("utf-8"))
NOTEBOOKS = {path.name.split("_")[0]: path for path in sorted((ROOT / "notebooks").glob("[!.]*.ipynb"))}
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line[:1] == "|"
]
OVERVIEW = {row[0].split()[0]: row for row in ROWS if len(row) == 6 and re.match(r"\d\d", row[0])}

EXERCISE = r"\b(0\db?)\.(\d)\b"


@cache
def words(number):
    """Return the Markdown of a notebook."""
    cells = nbformat.read(NOTEBOOKS[number], as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def parts(number):
    """Return what a plan may name: numbers of sections and of parts, letters of Further."""
    headings = re.findall(r"^##? (.*)", words(number), re.MULTILINE)
    found = {m[1] for h in headings if (m := re.match(r"(\d+)\. ", h))}
    found |= {m[0] for h in headings if (m := re.match(r"Part [IVX]+|Further [A-Z]", h))}
    return found | {"Further"} if any(h.startswith("Further") for h in headings) else found


def sections(text):
    """Return the numbers in "Section 6", "Sections 4–7, 9" and "Sections 1 to 4"."""
    found = []
    for listed in re.findall(r"Sections? (\d+(?:(?:–|, | to )\d+)*)", text):
        for piece in listed.split(", "):
            first, *last = map(int, re.split("–| to ", piece))
            found += map(str, range(first, (last or [first])[0] + 1))
    return found


def exercises(number):
    """Return the exercises of a notebook, as their checks name them."""
    cells = nbformat.read(NOTEBOOKS[number], as_version=4).cells
    return {cell.metadata["exercise"] for cell in cells if "check" in cell.metadata.get("tags", [])}


def stated_minutes(number):
    """Return what a notebook says of itself: minutes of the lecture (the upper end), of everything."""
    lecture = re.search(r"\*\*In class\D*?(?:\d+ to )?(\d+) minutes", words(number))
    alone = re.search(r"\*\*Time:?\*\*:?\D*(\d+) minutes", words(number))
    return int((lecture or alone)[1]), int(alone[1])


# --- the notebooks -----------------------------------------------------------------------------------------


def test_every_notebook_stands_in_the_overview():
    assert list(OVERVIEW) == sorted(NOTEBOOKS)


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_minutes_are_those_that_the_notebook_states(number):
    _, lecture, alone, *_ = OVERVIEW[number]
    assert (int(lecture), int(alone)) == stated_minutes(number)


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_what_is_left_out_or_asked_about_exists(number):
    _, _, _, left_out, ask, _ = OVERVIEW[number]
    assert set(sections(left_out + ";" + ask)) <= parts(number)
    assert ("Further" in left_out) == ("Further" in parts(number))
    assert not set(sections(left_out)) & set(sections(ask))


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_what_is_left_out_is_in_no_slide(number):
    left_out, section = [*sections(OVERVIEW[number][3]), "Further"], None
    for cell in nbformat.read(NOTEBOOKS[number], as_version=4).cells:
        if cell.cell_type == "markdown" and (heading := re.search(r"^## (\w+)", cell.source, re.MULTILINE)):
            section = heading[1]
        shown = cell.metadata.get("slideshow", {}).get("slide_type", "skip") != "skip"
        said = f"docs/instructors.md leaves out Section {section} of {number}, the slides show {cell.id}"
        assert not (section in left_out and shown), said


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_exercises_of_the_overview_are_all(number):
    first, *last = re.findall(EXERCISE, OVERVIEW[number][5])
    count = range(int(first[1]), int((last or [first])[0][1]) + 1)
    assert {f"{number}.{i}" for i in count} == exercises(number)


def test_every_exercise_that_is_named_exists():
    named = {f"{number}.{i}" for number, i in re.findall(EXERCISE, TEXT)}
    assert named <= set().union(*map(exercises, NOTEBOOKS))


def test_sections_that_the_plans_name_exist():
    checked = 0
    for line in TEXT.splitlines():
        if line.startswith("| ") and "notebook" not in line:
            continue
        for number, rest in re.findall(r"notebook (\d\db?), ([^|;]*)", line):
            named = set(sections(rest)) | set(re.findall(r"Part [IVX]+|Further [A-Z]", rest))
            assert named <= parts(number), line
            checked += 1
    assert checked > 5


# --- the plans ---------------------------------------------------------------------------------------------


def plans():
    """Return each table with a sum: its rows, without head and sum, and the sum."""
    found, rows = [], []
    for row in ROWS:
        if set(row[0]) == {"-"}:
            rows = []
        elif row[0] == "**together**":
            found.append((rows, int(row[-1].strip("*"))))
            rows = []
        else:
            rows.append(row)
    return found


def test_minutes_of_each_meeting_add_up():
    sums = []
    for rows, total in plans():
        assert sum(int(row[-1]) for row in rows) == total, rows
        sums.append(total)
    assert sums[:-2] == [75] * 12
    assert len(sums) == 14


def test_a_lecture_takes_the_minutes_of_the_overview():
    lectures = [row for rows, _ in plans() for row in rows if row[0].startswith("lecture")]
    for row in lectures:
        assert row[-1] == OVERVIEW[row[0].split()[1].strip(",")][1], row
    assert len(lectures) == 11 + 8


def test_further_sections_and_parts_take_the_minutes_that_the_notebook_states():
    checked = 0
    for row in [row for rows, _ in plans() for row in rows]:
        for number, part in re.findall(r"notebook (\d\db?), (Part [IVX]+|Further [A-Z])", row[0]):
            heading = rf"^##? {part}\b.*\n+\*(\d+) minutes"
            assert re.search(heading, words(number), re.MULTILINE)[1] == row[-1], row
            checked += 1
    assert checked == 3


def test_no_exercise_comes_before_its_notebook():
    plan = TEXT[TEXT.index("## Six weeks") : TEXT.index("## Two days")]
    opened = {
        found[1]: found.start() for found in reversed([*re.finditer(r"(?:lecture|notebook) (\d\db?)", plan)])
    }
    for found in re.finditer(EXERCISE, plan):
        assert opened.get(found[1], 0) < found.start(), found[0]


# --- how to run it -----------------------------------------------------------------------------------------


def test_commands_exist():
    calls = re.findall(r"`make ([^`]*)`", TEXT)
    for name, *options in map(str.split, calls):
        assert name in commands.COMMANDS, name
        for option in options:
            assert option.split("=")[0] in commands.OPTIONS[name], option
    assert len(calls) > 8


def pulled(link):
    """Return what nbgitpuller reads from a link's query."""
    query = parse_qs(urlsplit(link).query, strict_parsing=True)
    return {name: value for name, (value,) in query.items()}


def test_links_fetch_the_repository_and_open_a_notebook():
    hub, binder = re.findall(r"^(https://.*git-pull.*)$", TEXT, re.MULTILINE)
    assert urlsplit(hub).path == "/hub/user-redirect/git-pull"
    assert urlsplit(binder).path == "/v2/gh/OWNER/REPOSITORY/main"
    inner = pulled(binder)["urlpath"]
    assert urlsplit(inner).path == "git-pull"
    for query in (pulled(hub), pulled(inner)):
        assert query.keys() == {"repo", "branch", "urlpath"}
        assert query["repo"] == "https://github.com/OWNER/REPOSITORY"
        page, repository, path = re.fullmatch(r"(lab/tree)/(\w+)/(.*)", query["urlpath"]).groups()
        assert (page, repository) == ("lab/tree", "REPOSITORY")
        assert (ROOT / path).is_file()


def test_binder_has_what_pulls():
    assert "nbgitpuller" in (ROOT / "environment.yml").read_text("utf-8")


def test_tables_are_those_of_the_record():
    assert _tables.rewritten(TEXT, RECORD) == TEXT, "make classroom, or benchmarks/classroom.py --document"


def test_a_table_without_a_place_is_noticed():
    with pytest.raises(ValueError, match="0 places marked sizes"):
        _tables.rewritten(TEXT.replace("<!-- sizes:", "<!-- size:"), RECORD)


def test_record_is_that_of_a_whole_class_without_failures():
    setting = RECORD["setting"]
    assert setting["learners"] == 20
    assert setting["browsers"] >= 1
    assert RECORD["failures"] == []
    for verb in ("enter", "run", "slide"):
        numbers = [RECORD["seconds"][kind][verb]["number"] for kind in ("light", "browser")]
        assert sum(numbers) == RECORD["cpu_seconds"][verb]["number"] == 20
    light = setting["learners"] - setting["browsers"]
    assert RECORD["slider_ms"]["light"]["number"] == light * 7 * 20  # seven sliders, twenty moves
    assert (ROOT / "notebooks" / setting["notebook"]).is_file()


def test_cluster_gives_a_learner_what_was_measured():
    (excerpt,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    user = yaml.safe_load(excerpt)["singleuser"]
    guarantee, limit = (int(user["memory"][name].removesuffix("M")) for name in ("guarantee", "limit"))
    used = RECORD["memory_mb"]["rss"]
    assert used["peak"] <= guarantee <= used["peak"] + 50
    assert 2 * used["highest"] <= limit
    assert user["cpu"]["guarantee"] == RECORD["machine"]["cores"] / RECORD["setting"]["learners"]


def test_the_guarantee_is_the_median_and_the_limit_twice_the_highest():
    record = {
        "memory_mb": {"rss": {"peak": 501, "highest": 800}},
        "machine": {"cores": 4},
        "setting": {"learners": 16},
    }
    assert _tables.limits(record) == (550, 1792, 0.25, 1)


def test_memory_of_a_server_grows_with_the_learners():
    rows = [row for row in ROWS if len(row) == 3 and row[1].endswith(" GB")]
    assert [int(row[0]) for row in rows] == list(_tables.SIZES)
    for row in rows:
        needed = int(row[0]) * RECORD["memory_mb"]["pss"]["peak"] / 1000
        assert 1.2 * needed < int(row[1].removesuffix(" GB")) < 1.2 * needed + 3
    assert all(int(a[2]) < int(b[2]) for a, b in pairwise(rows))
