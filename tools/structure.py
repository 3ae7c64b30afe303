"""The form of a notebook, as CONTRIBUTING.md describes it: one function a rule.

A rule takes a `Book` and yields what it finds wrong, one sentence each, with the id of the cell.
tests/notebooks/test_structure.py holds every notebook to every rule, and shows that each rule can fail.
"""

import ast
import base64
import copy
import html
import re
import socket
import symtable
from dataclasses import dataclass, field
from functools import cached_property

import nbformat

from tools import slides
from tools.notebooks import SWITCH, WIDGET_VIEW, normalise, reveals, tags

LARGEST = 1_500_000  # bytes of a notebook
LARGEST_PICTURE, LARGEST_DENSE = 60_000, 150_000
LARGEST_RACE = 500_000  # characters of its player
MOST_FIGURES, MOST_LIVE = 15, 3  # in the core path
MOST_LINES = 18  # of a code cell
LEAST_EXERCISES = {"00": 1, "01": 5, "02": 5}  # elsewhere 4; a companion may do without
LECTURE = {"minutes": (40, 50), "most": (15, 30)}
SHORT_LECTURES = {"00": {"minutes": (10, 20), "most": (6, 15)}}
KNOWN_TAGS = {"answer", "check", "dense", "live", "race", "solution", "stub", "timing"}
EXEMPTIONS = {"nbval-ignore-output", "nbval-skip", "nbval-raises-exception", "raises-exception"}


@dataclass
class Book:
    """A notebook with its file name, and the names of all notebooks beside it."""

    name: str
    notebook: nbformat.NotebookNode
    siblings: tuple
    host: str = field(default_factory=socket.gethostname)

    @property
    def cells(self):
        """All cells."""
        return self.notebook.cells

    @cached_property
    def code(self):
        """The code cells."""
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @property
    def number(self):
        """``01`` or, for a companion, ``01b``."""
        return self.name.split("_")[0]

    @property
    def companion(self):
        """Whether it goes beyond the core path of the notebook whose number it bears."""
        return len(self.number) > 2

    @cached_property
    def core(self):
        """The cells before the first section marked Further."""
        further = (i for i, cell in enumerate(self.cells) if headings(cell, "## Further"))
        return self.cells[: next(further, len(self.cells))]


def headings(cell, start):
    """Return the lines of a Markdown cell that begin like that."""
    lines = cell.source.splitlines() if cell.cell_type == "markdown" else []
    return [line for line in lines if line.startswith(start)]


def outputs(cells):
    """Yield each output of these cells with the id of its cell."""
    for cell in cells:
        for output in cell.get("outputs", []):
            yield cell.id, output


def texts(cells):
    """Yield all that is to be read in the outputs, with the id of the cell."""
    for name, output in outputs(cells):
        yield (
            name,
            output.get("text", "")
            + "\n".join(text for kind, text in output.get("data", {}).items() if kind.startswith("text/")),
        )


def pictures(cells):
    """Yield cell, position and data of each stored picture."""
    for cell in cells:
        for position, output in enumerate(cell.get("outputs", [])):
            if any(kind.startswith("image/") for kind in output.get("data", {})):
                yield cell, position, output


def is_live(output):
    """Tell a live view from a figure."""
    return output.data.get("text/plain", "").startswith("Live view: ")


def is_race(output):
    """Tell a race from a figure."""
    return output.get("data", {}).get("text/plain", "").startswith("Race: ")


def exercise_cells(book):
    """Return the tagged cells of each exercise: number -> list of (position, tag, cell)."""
    found = {}
    for position, cell in enumerate(book.cells):
        for tag in set(tags(cell)) & {"stub", "check", "solution"}:
            found.setdefault(cell.metadata.get("exercise", "?"), []).append((position, tag, cell))
    return found


# --- the rules -------------------------------------------------------------------------------------------


def has_the_stored_form(book):
    """`make notebooks` would change nothing but outputs."""
    normal = normalise(copy.deepcopy(book.notebook))
    if nbformat.writes(normal) != nbformat.writes(book.notebook):
        yield "not normalised: run `make notebooks`"


def is_executed_in_order(book):
    """A reader sees what Run All shows."""
    counts = [cell.execution_count for cell in book.code]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are not 1, 2, 3, ...: {counts}"
    for cell in book.code:
        if not cell.source.strip():
            yield f"{cell.id}: an empty cell"


def has_unique_ids(book):
    """Ids are how a diff, a review and a test name a cell."""
    ids = [cell.id for cell in book.cells]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"{name}: two cells have this id"


def has_known_tags(book):
    """A misspelt tag would silently do nothing."""
    for cell in book.cells:
        for tag in set(tags(cell)) - KNOWN_TAGS - EXEMPTIONS:
            yield f"{cell.id}: unknown tag {tag!r}"


def compares_every_output(book):
    """nbval skips a cell only by tag, with the reason in a comment."""
    for cell in book.code:
        if re.search(r"^\s*#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source, re.MULTILINE):
            yield f"{cell.id}: exempt by comment; use a tag, and give the reason"
        if EXEMPTIONS & set(tags(cell)) and not re.search("# not compared: .{10}", cell.source):
            yield f"{cell.id}: exempt without a comment `# not compared: REASON`"


def only_defines(statement):
    """Tell whether a statement does nothing but define, assign, collect or assert."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.ClassDef() | ast.Assert() | ast.Pass():
            return True
        case ast.Assign() | ast.AugAssign() | ast.AnnAssign():
            return True
        case ast.For() | ast.While() | ast.If():
            return all(map(only_defines, statement.body + statement.orelse))
        case ast.With():
            return all(map(only_defines, statement.body))
        case ast.Expr(ast.Constant()):
            return True
        case ast.Expr(ast.Call(ast.Attribute(_, attr="append" | "extend" | "update" | "use_style"))):
            return True
    return False


def bound_and_read(source):
    """Return the names that a cell binds (or changes) at its top level, and all names that it reads."""
    bound, read = set(), set()
    for statement in ast.parse(source).body:
        for node in ast.walk(statement):
            match node:
                case ast.Name(name, ast.Load()):
                    read.add(name)
                case ast.FunctionDef(name) | ast.ClassDef(name):
                    bound.add(name)
                case ast.alias(name, alias):
                    bound.add(alias or name.split(".")[0])
                case ast.Name(name, ast.Store()):
                    bound.add(name)
                case ast.Attribute(ast.Name(name), _, ast.Store()):
                    bound.add(name)
                case ast.Subscript(ast.Name(name), _, ast.Store()):
                    bound.add(name)
                case ast.Call(ast.Attribute(ast.Name(name), attr="append" | "extend" | "update")):
                    bound.add(name)
    return bound, read


def computes_nothing_unseen(book):
    """A cell without output only defines or assigns, and a later compared output depends on it."""
    needed = set()
    for cell in reversed(book.code):
        if "timing" in tags(cell):
            continue
        bound, read = bound_and_read(cell.source)
        if not cell.outputs:
            if not all(map(only_defines, ast.parse(cell.source).body)):
                yield f"{cell.id}: it does more than define or assign, but shows nothing"
            if not bound & needed:
                yield f"{cell.id}: no later output depends on it"
                continue
        needed |= read
    read_anywhere = set().union(*(bound_and_read(cell.source)[1] for cell in book.code))
    for cell in book.code:
        for statement in ast.parse(cell.source).body:
            defines = isinstance(statement, ast.FunctionDef | ast.ClassDef)
            if defines and statement.name not in read_anywhere:
                yield f"{cell.id}: {statement.name} is defined but never used"


def measures_only_on_request(book):
    """A cell tagged timing shows nothing until the reader switches it on; no other reads a clock."""
    clock = re.compile(r"\bperf_counter|\btimeit\b|\btime\.time\b|\bdatetime\b|^%%?time", re.MULTILINE)
    for cell in book.code:
        if "timing" not in tags(cell):
            if clock.search(cell.source):
                yield f"{cell.id}: reads a clock without the tag timing"
            continue
        *before, last = map(ast.unparse, ast.parse(cell.source).body)
        prepares = all(map(only_defines, ast.parse("\n".join(before)).body))
        if before[:1] != [SWITCH] or not prepares or not last.startswith("if MEASURE:"):
            yield f"{cell.id}: must begin with `{SWITCH}` and do its work under `if MEASURE:`"
        if any(map(clock.search, before)) or "\nelse:" in last:
            yield f"{cell.id}: reads a clock, or does something else, while it is off"
        if cell.outputs:
            yield f"{cell.id}: tagged timing, but stores an output"


def has_no_error_and_no_warning(book):
    """What went wrong once is not shown to every reader."""
    for name, output in outputs(book.cells):
        if output.output_type == "error":
            yield f"{name}: stores an error"
        if output.get("name") == "stderr":
            yield f"{name}: stores what was written to stderr"


def has_no_clock(book):
    """No date or time in outputs or metadata."""
    for name, text in texts(book.cells):
        if re.search(r"\b20\d\d-\d\d-\d\d\b|\b\d\d:\d\d:\d\d\b", text):
            yield f"{name}: stores a date or a time of day"
    for cell in book.cells:
        if re.search(r"\d{4}-\d\d-\d\dT", str(cell.metadata)):
            yield f"{cell.id}: has a time in its metadata"


def has_no_widget_state(book):
    """A stored model id belongs to a kernel that is gone."""
    if "widgets" in book.notebook.metadata:
        yield "stores widget state"
    for name, output in outputs(book.cells):
        if WIDGET_VIEW in output.get("data", {}) or "IPY_MODEL_" in str(output.get("data", {})):
            yield f"{name}: stores a model id"


def names_no_machine(book):
    """No absolute path, host name or address of whoever executed it."""
    path = r"""(?<![\w.:/<)}\]])/(?:home|root|tmp|usr|opt|Users|var|work|mnt|private)/\w|\b[A-Z]:\\\w"""
    host = re.escape(book.host)
    for name, text in [*texts(book.cells), *((cell.id, cell.source) for cell in book.cells)]:
        if re.search(path, text) or re.search(r"\blocalhost\b|\b\d+\.\d+\.\d+\.\d+\b", text):
            yield f"{name}: holds an absolute path or an address"
        if len(host) > 3 and re.search(rf"\b{host}\b", text):
            yield f"{name}: holds the host name"


def prints_no_noise(book):
    """-0.000 and the like differ between processors."""
    for name, text in texts(book.cells):
        if re.search(r"(?<![\w.])[-−]0\.?0*(?![\d.]*[1-9]|[\d.]*e)(?!\w)", text):
            yield f"{name}: prints a negative zero"


def is_small(book):
    """A notebook opens at once, and its history stays small."""
    size = len(nbformat.writes(book.notebook).encode())
    if size > LARGEST:
        yield f"{size:,} bytes: more than {LARGEST:,}"


def alternative(output):
    """Return the text alternative that is stored with a picture."""
    return output.metadata.get("image/png", {}).get("alt", "")


def has_text_alternatives(book):
    """Each picture is said in words: what is drawn, then what is to be seen."""
    for cell, _, output in pictures(book.cells):
        alt = alternative(output)
        if len(alt.split()) < 10 or not re.search(r"[.!?]\)?$", alt):
            yield f"{cell.id}: a picture whose text alternative is no sentence: {alt!r}"
        if re.match(r"(?i)(an? |the )?(figure|picture|image|plot|graph|chart)\b", alt):
            yield f"{cell.id}: a text alternative that says only that there is a picture: {alt!r}"
    for cell in book.cells:
        html_outputs = [
            o.data["text/html"] for o in cell.get("outputs", []) if "text/html" in o.get("data", {})
        ]
        said = [cell.source] if cell.cell_type == "markdown" else html_outputs
        for text in said:
            for image in re.findall(r"<img\b[^>]*>|!\[[^]]*\]\(", text):
                found = re.search(r'alt="([^"]*)"|!\[([^]]*)', image)
                if not found or len("".join(filter(None, found.groups())).split()) < 4:
                    yield f"{cell.id}: an image without a text alternative: {image[:60]}"


def has_captions(book):
    """Each figure comes from `show`: the caption ends its text alternative, and stands visibly below it."""
    for cell, position, output in pictures(book.cells):
        if is_live(output) or is_race(output):
            continue
        caption, alt = output.data.get("text/plain", ""), alternative(output)
        below = cell.outputs[position + 1 : position + 2]
        visible = below[0].get("data", {}).get("text/html", "") if below else ""
        if "image/png" not in output.data or len(caption.split()) < 4 or not alt.endswith(caption):
            yield f"{cell.id}: a picture that does not come from show(fig, caption)"
        elif html.unescape(re.sub("<[^>]*>", "", visible)).strip() != caption:
            yield f"{cell.id}: a picture without its caption below"


def has_proper_live_views(book):
    """A live view is tagged, described, and stands as a picture in the saved notebook."""
    for cell in book.code:
        live = [output for output in cell.outputs if is_live_text(output)]
        if bool(live) != ("live" in tags(cell)):
            yield f"{cell.id}: the tag live and a live view belong together"
        for output in live:
            if "image/png" not in output.data or len(output.data["text/plain"].split()) < 5:
                yield f"{cell.id}: a live view without its picture, or without a description"
    if not book.companion and not any("live" in tags(cell) for cell in book.core):
        yield "no live view in the core path"


def is_live_text(output):
    """Tell a live view from other outputs, whether or not it has its picture."""
    return "data" in output and is_live(output)


def has_proper_races(book):
    """A race is tagged, described, captioned, and stands as a picture where its player cannot run."""
    for cell in book.code:
        races = [output for output in cell.outputs if is_race(output)]
        if bool(races) != ("race" in tags(cell)):
            yield f"{cell.id}: the tag race and a race belong together"
        for output in races:
            caption = output.data["text/plain"].removeprefix("Race: ")
            player = output.data.get("text/html", "")
            if not alternative(output).endswith(caption) or len(caption.split()) < 4:
                yield f"{cell.id}: a race without its picture, or without a description"
            visible = re.search('<p class="course-caption"[^>]*>([^<]*)</p>', player)
            if not visible or html.unescape(visible[1]) != caption:
                yield f"{cell.id}: a race without its player, or without its caption"
            if len(player) > LARGEST_RACE:
                yield f"{cell.id}: a race of {len(player):,} characters: at most {LARGEST_RACE:,}"


def has_few_figures(book):
    """The core path fits into a lesson."""
    found = [is_live(output) for _, _, output in pictures(book.core)]
    if found.count(False) > MOST_FIGURES:
        yield f"{found.count(False)} figures in the core path: at most {MOST_FIGURES}"
    if found.count(True) > MOST_LIVE:
        yield f"{found.count(True)} live views in the core path: at most {MOST_LIVE}"


def has_small_pictures(book):
    """Palettised, below 60 kB (150 kB in cells tagged dense or race), and wide enough to be sharp."""
    for cell, _, output in pictures(book.cells):
        data = base64.b64decode(output.data.get("image/png", ""))
        allowed = LARGEST_DENSE if {"dense", "race"} & set(tags(cell)) else LARGEST_PICTURE
        if len(data) > allowed:
            yield f"{cell.id}: a picture of {len(data):,} bytes: at most {allowed:,}"
        if not is_live(output) and data[25:26] != b"\x03":
            yield f"{cell.id}: a picture that is not palettised"


def has_short_cells(book):
    """Code cells read like the mathematics."""
    for cell in book.code:
        lines = cell.source.strip().splitlines()
        if len(lines) > MOST_LINES:
            yield f"{cell.id}: {len(lines)} lines: at most {MOST_LINES}"
        if any(line.rstrip().endswith(";") for line in lines):
            yield f"{cell.id}: a line ends with a semicolon, which hides an output"


def imports_first(book):
    """The first code cell imports everything and sets the style; nothing is hidden, installed or starred."""
    if not book.code or "use_style()" not in book.code[0].source:
        yield "the first code cell does not call plots.use_style()"
    for cell in book.code:
        imports = [n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Import | ast.ImportFrom)]
        if imports and cell is not book.code[0] and "timing" not in tags(cell):
            yield f"{cell.id}: imports belong in the first code cell"
        if any(name.name == "*" for node in imports for name in node.names):
            yield f"{cell.id}: a star import"


def has_complete_exercises(book):
    """Stub, check and solution in this order, numbered 1, 2, 3, ...; a blank stub is 'not attempted yet'."""
    found = exercise_cells(book)
    numbers = [f"{book.number}.{i + 1}" for i in range(len(found))]
    if list(found) != numbers:
        yield f"exercises are numbered {list(found)}, not {numbers}"
    least = 0 if book.companion else LEAST_EXERCISES.get(book.number, 4)
    if len(found) < least:
        yield f"{len(found)} exercises: at least {least}"
    for number, parts in found.items():
        kinds = [tag for _, tag, _ in sorted(parts, key=lambda part: part[0])]
        if kinds != ["stub", "check", "solution"]:
            yield f"exercise {number}: {kinds}, not stub, check, solution"
            continue
        stub, check, solution = (cell for _, _, cell in parts)
        if "..." not in stub.source:
            yield f"{stub.id}: a stub without `...`"
        if "not attempted yet" not in "".join(text for _, text in texts([check])):
            yield f"{check.id}: the blank stub is not 'not attempted yet'"
        if "the solution passes" not in "".join(text for _, text in texts([solution])):
            yield f"{solution.id}: the solution does not pass"
        if not solution.metadata.get("jupyter", {}).get("source_hidden"):
            yield f"{solution.id}: the solution is not folded"
        if re.match(r"\w+_solution *=", solution.source):
            yield f"{solution.id}: its first line, which a folded cell shows, is the answer"
        call = check.source.strip().removesuffix(")")
        if solution.source.strip().splitlines()[-1] != f"{call}_solution, solution=True)":
            yield f"{solution.id}: its last line is not the same check: {call}_solution, solution=True)"


def _globals_of(table, bound, read):
    """Add the global names that a cell binds, and those that it or a function in it reads, to these sets."""
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if top and symbol.is_assigned():
            bound.add(symbol.get_name())
        if symbol.is_referenced() and (top or symbol.is_global()):
            read.add(symbol.get_name())
    for child in table.get_children():
        _globals_of(child, bound, read)


def stands_without_its_solutions(book):
    """A student's notebook, from which solutions and answers are gone, still runs."""
    kept, lost = set(), set()
    reads = {}
    for cell in book.code:
        bound, reads[cell.id] = set(), set()
        _globals_of(symtable.symtable(cell.source, cell.id, "exec"), bound, reads[cell.id])
        (lost if reveals(cell) else kept).update(bound)
    for cell in book.code:
        for name in sorted(reads[cell.id] & (lost - kept)):
            if not reveals(cell):
                yield f"{cell.id}: {name} is defined by a solution only: tag this cell `answer`, too"
    numbers = exercise_cells(book)
    for cell in book.cells:
        if "answer" in tags(cell) and cell.metadata.get("exercise") not in numbers:
            yield f"{cell.id}: an answer to no exercise: its metadata must name one"


def has_the_opening_frame(book):
    """Title, opening question, what you will be able to do, time, what you need: before any code."""
    first_code = next((i for i, cell in enumerate(book.cells) if cell.cell_type == "code"), 0)
    opening = "\n".join(cell.source for cell in book.cells[:first_code])
    wanted = {
        "a title `# ...`": r"^# \S",
        "an opening question": r"\?",
        "what you will be able to do": r"(?i)you (will|can)\b[\s\S]*(\n- .*){2}",
        "the time in minutes": r"\*\*Time[\s\S]*?\d+ minutes",
        "what you need": r"\*\*You need",
    }
    for what, pattern in wanted.items():
        if not re.search(pattern, opening, re.MULTILINE):
            yield f"the opening lacks {what}"


def has_the_closing_frame(book):
    """Predictions; recap, the same elsewhere, references; after these Further, each with its time."""
    lines = [line for cell in book.cells for line in headings(cell, "## ")]
    wanted = ["## Recap"]
    if book.number != "00" and not book.companion:
        wanted += ["## The same in", "## References"]
    for start in wanted:
        if not any(line.startswith(start) for line in lines):
            yield f"no section {start} ..."
    recap = next((i for i, line in enumerate(lines) if line.startswith("## Recap")), len(lines))
    if any(line.startswith("## Further") for line in lines[:recap]):
        yield "a section Further before the recap"
    for cell in book.cells:
        if headings(cell, "## Further") and not re.search(r"\d+ minutes", cell.source):
            yield f"{cell.id}: a section Further without its time"
    if not any("> **Predict.**" in cell.source for cell in book.cells):
        yield "no prediction (> **Predict.** ...)"


def links_its_neighbours(book):
    """Contents, previous and next at top and bottom."""
    first_code = next((i for i, cell in enumerate(book.cells) if cell.cell_type == "code"), 1)
    top = "\n".join(cell.source for cell in book.cells[:first_code])
    line = [name for name in book.siblings if len(name.split("_")[0]) == 2]
    wanted = {name for name in line if name.startswith("00_")}
    if book.companion:
        wanted |= {name for name in line if name.startswith(book.number[:2])}
    else:
        here = line.index(book.name)
        wanted |= set(line[max(here - 1, 0) : here + 2])
    for name in sorted(wanted - {book.name}):
        for place, text in (("top", top), ("bottom", book.cells[-1].source)):
            if f"]({name})" not in text:
                yield f"no link to {name} at the {place}"


def has_a_lecture(book):
    """Each cell says whether it is on a slide; the slides make a lecture."""
    yield from slides.faults(book.notebook, **SHORT_LECTURES.get(book.number, LECTURE))


RULES = [
    has_the_stored_form,
    is_executed_in_order,
    has_unique_ids,
    has_known_tags,
    compares_every_output,
    computes_nothing_unseen,
    measures_only_on_request,
    has_no_error_and_no_warning,
    has_no_clock,
    has_no_widget_state,
    names_no_machine,
    prints_no_noise,
    is_small,
    has_text_alternatives,
    has_captions,
    has_proper_live_views,
    has_proper_races,
    has_few_figures,
    has_small_pictures,
    has_short_cells,
    imports_first,
    has_complete_exercises,
    stands_without_its_solutions,
    has_the_opening_frame,
    has_the_closing_frame,
    links_its_neighbours,
    has_a_lecture,
]
