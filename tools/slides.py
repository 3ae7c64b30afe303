"""Write the lectures as slides: ``python tools/slides.py FOLDER [NOTEBOOK...]``.

What stands on a slide is said by the metadata `slideshow` of each cell; CONTRIBUTING.md tells how. A deck is
one HTML file beside a folder `assets`: it opens from disk, and asks nothing of any network.
"""

import base64
import contextlib
import html
import os
import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for whoever runs this file from elsewhere
from tools.environment import ROOT, CourseError
from tools.notebooks import FOLDER, reveals
from tools.vendor import package

OPENS = ("slide", "subslide")
TYPES = (*OPENS, "fragment", "-", "skip")
OPENING = {"minutes", "notes"}  # on cells that open a slide
SECTIONS = ("# ", "## ")
PREDICT = "> **Predict.**"
PARTED = "\n---\n"  # in the notes of a cell that makes two slides
LIVE = "Live view: "

ASSETS = {  # name: npm package, file in it
    "mathjax.js": ("mathjax", "es5/tex-svg-full.js"),
    "mathjax-LICENSE.txt": ("mathjax", "LICENSE"),
    "notes.js": ("reveal.js", "plugin/notes/notes.js"),
    "reveal.css": ("reveal.js", "dist/reveal.css"),
    "reveal.js": ("reveal.js", "dist/reveal.js"),
    "reveal-LICENSE.txt": ("reveal.js", "LICENSE"),
    "font-LICENSE.txt": ("reveal.js", "dist/theme/fonts/source-sans-pro/LICENSE"),
}
FACES = {  # file of the font, weight, style
    "source-sans-pro-regular.woff": "400; font-style: normal",
    "source-sans-pro-italic.woff": "400; font-style: italic",
    "source-sans-pro-semibold.woff": "600; font-style: normal",
}


# --- from the cells of a notebook to slides ----------------------------------------------------------------


@dataclass
class Slide:
    """One slide: how it follows the last, what the lecturer reads, and its cells, each with its type."""

    name: str
    kind: str
    minutes: float
    notes: str
    section: str
    cells: list = field(default_factory=list)

    @property
    def predicts(self):
        """Whether it is a prediction, which stands alone."""
        return self.cells[0].source.split("\n\n")[-1].startswith(PREDICT)


def slideshow(cell):
    """Return the metadata that say what becomes of a cell."""
    return cell.metadata.get("slideshow", {})


def kind(cell):
    """Return the type of a cell; without one it is not shown."""
    return slideshow(cell).get("slide_type", "skip")


def blocks(source):
    """Cut Markdown at blank lines and below headings, but not inside fences, formulas and <details>."""
    found, text = [], ""
    for line in [*source.splitlines(), ""]:
        text += line + "\n"
        inside = text.count("```") % 2 or text.count("$$") % 2
        ends = not line.strip() or line.startswith("#")
        if ends and not inside and text.count("<details") <= text.count("</details>"):
            found.append(text.strip("\n"))
            text = ""
    return [block for block in [*found, text.strip("\n")] if block.strip()]


def shown(cell):
    """Return the blocks of a Markdown cell that stand on its slide.

    Without `show` in its metadata these are all but lines of links and of minutes. An entry of `show` is the
    beginning of a block, or "from … to" for a passage of one; titles and headings of sections always stand,
    those of exercises and other parts of a section only if named.

    Raises
    ------
    CourseError
        If an entry of `show` is not in the cell.
    """
    everything, wanted = blocks(cell.source), slideshow(cell).get("show")
    if wanted is None:
        return [block for block in everything if not (is_minutes(block) or is_links(block))]
    places = {i: [block] for i, block in enumerate(everything) if block.startswith(SECTIONS)}
    for entry in wanted:
        for i, block in enumerate(everything):
            passage = passage_of(block, entry)
            if passage:
                places.setdefault(i, []).append(passage)
                break
        else:
            raise CourseError(f"{cell.id}: no block has {entry!r}, which `show` in its metadata names.")
    return [passage for i in sorted(places) for passage in places[i]]


def passage_of(block, entry):
    """Return what an entry of `show` takes of a block: all that it begins, a passage "from … to", or nothing.

    >>> passage_of("We step. Then we look.", "We step.")
    'We step. Then we look.'
    >>> passage_of("We step. Then we look. And wait.", "Then we … look.")
    'Then we look.'
    """
    first, gap, last = entry.partition(" … ")
    if not gap:
        return block if block.startswith(entry) else None
    found = re.search(f"{re.escape(first)}.*?{re.escape(last)}", block, re.DOTALL)
    return found and found[0]


def is_minutes(block):
    """Tell the line below a heading that says how long its section takes."""
    return re.fullmatch(r"\*[^*\n]*minutes?[^*\n]*\*", block) is not None


def is_links(block):
    """Tell a line that does little but link to other notebooks."""
    rest = re.sub(r"\[[^]]*\]\([^)]*\)", "", block)
    return ".ipynb)" in block and len(re.findall(r"\w+", rest)) <= 2


def plain_links(text):
    """Take the links to other notebooks out of Markdown: where the slides are shown these may be absent."""
    return re.sub(r"\[([^]]+)\]\([^)]*\.ipynb[^)]*\)", r"\1", text)


def in_rows(text):
    r"""Put a displayed formula of four parts or more into rows, cut at each \qquad: it would be too wide."""
    formula = re.fullmatch(r"\$\$(.*)\$\$", text, re.DOTALL)
    if not formula or r"\begin" in text or len(re.findall(r"\\q?quad", text)) < 3:
        return text
    rows = map(str.strip, formula[1].split(r"\qquad"))
    return r"$$\begin{gathered}" + r" \\[4pt] ".join(rows) + r"\end{gathered}$$"


def slides(notebook):
    """Return the slides of a notebook, in order; predictions stand on slides of their own.

    The notes of a cell that becomes two slides are parted by a line ``---``.
    """
    made, section = [], ""
    for cell in notebook.cells:
        headings = []
        if cell.cell_type == "markdown":
            headings = [block.lstrip("# ") for block in blocks(cell.source) if block.startswith(SECTIONS)]
            section = headings[-1] if headings else section
        if kind(cell) == "skip":
            continue
        parts = as_cells(cell) if cell.cell_type == "markdown" else [cell]
        if kind(cell) not in OPENS and made:
            made[-1].cells += parts
            continue
        notes = slideshow(cell).get("notes", "").split(PARTED)
        for i, part in enumerate(parts):
            said = notes[i].strip() if i < len(notes) else ""
            above = section if i or not headings else ""
            follows = "subslide" if i else kind(cell)
            minutes = slideshow(cell).get("minutes", 0) / len(parts)
            made.append(Slide(part.id, follows, minutes, said, above, [part]))
    return made


def as_cells(cell):
    """Return a Markdown cell as it stands on its slide, and its prediction, if that needs a second one."""
    found = shown(cell)
    asked = [block for block in found if block.startswith(PREDICT)]
    rest = [block for block in found if block not in asked]
    both = asked and any(not block.startswith("#") for block in rest)
    texts = [rest, asked] if both and kind(cell) in OPENS else [rest + asked]
    made = []
    for i, text in enumerate(texts):
        one = nbformat.v4.new_markdown_cell(
            plain_links("\n\n".join(map(in_rows, text))), metadata=cell.metadata
        )
        one.id = cell.id + "-predict" * i
        made.append(one)
    return made


def faults(notebook, minutes=(40, 50), most=(15, 30)):
    """Yield what is wrong with the slide metadata of a notebook, one sentence each.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    minutes, most : tuple of int
        Range of the minutes of the lecture, and of its number of slides.
    """
    opened = alone = False
    for cell in notebook.cells:
        said, type_ = slideshow(cell), kind(cell)
        if said.get("slide_type") not in TYPES:
            yield f"{cell.id}: its slide_type is {said.get('slide_type')!r}, not one of {', '.join(TYPES)}"
            continue
        opens = type_ in OPENS
        allowed = {"slide_type"} | (OPENING if opens else set())
        if type_ != "skip":
            allowed.add("code" if cell.cell_type == "code" else "show")
        for key in sorted(set(said) - allowed):
            yield f"{cell.id}: {key} is for other cells than a {cell.cell_type} cell of slide_type {type_}"
        if type_ == "skip":
            continue
        if reveals(cell):
            yield f"{cell.id}: a solution is on a slide; its slide_type must be skip"
        try:
            parts = as_cells(cell) if cell.cell_type == "markdown" else [cell]
        except CourseError as error:
            yield str(error)
            continue
        if not (parts[0].source if cell.cell_type == "markdown" else cell.outputs or said.get("code")):
            yield f"{cell.id}: it has nothing to show; its slide_type must be skip"
        predicts = any(PREDICT in part.source for part in parts if cell.cell_type == "markdown")
        if not opens and (predicts or alone or not opened):
            yield f"{cell.id}: a prediction has its slide for itself, and the first cell shown opens one"
        opened, alone = True, predicts
        if opens:
            time, notes = said.get("minutes"), said.get("notes")
            if isinstance(time, bool) or not isinstance(time, int | float) or not 0 < time <= 15:
                yield f"{cell.id}: its minutes are {time!r}, not a number from 0 to 15"
            texts = notes.split(PARTED) if isinstance(notes, str) else []
            if len(texts) != len(parts) or not all(len(text.split()) >= 5 for text in texts):
                yield (
                    f"{cell.id}: it makes {len(parts)} slides (a prediction has its own) and has notes for "
                    f"{len(texts)}: at least five words each, parted by a line ---"
                )
    if not opened:
        yield "no cell is on a slide"
        return
    with contextlib.suppress(CourseError):
        made = slides(notebook)
        for what, count, (low, high) in (
            ("minutes", sum(slide.minutes for slide in made), minutes),
            ("slides", len(made), most),
        ):
            if not low <= count <= high:
                yield f"the lecture has {count:g} {what}, not {low} to {high}"


# --- from slides to a page ---------------------------------------------------------------------------------


def prepared(notebook, number):
    """Return a notebook of the cells that are shown, which carry the tags that open and close their slides.

    Images get their captions as text alternatives; a live view says where it moves.
    """
    cells, made = [], slides(notebook)
    for i, slide in enumerate(made):
        for cell in slide.cells:
            one = nbformat.from_dict(cell)
            one.metadata["deck"] = {"code": slideshow(cell).get("code", False), "before": "", "after": ""}
            if kind(cell) == "fragment":
                one.metadata["deck"].update(before='<div class="part fragment">', after="</div>")
            else:
                one.metadata["deck"].update(before='<div class="part">', after="</div>")
            if cell.cell_type == "code":
                one.outputs = [described(output, number) for output in one.outputs]
            cells.append(one)
        stack = slide.kind == "slide" or not i
        last = i + 1 == len(made) or made[i + 1].kind == "slide"
        first, final = cells[-len(slide.cells)].metadata["deck"], cells[-1].metadata["deck"]
        first["before"] = "<section>" * stack + opening(slide) + first["before"]
        final["after"] += closing(slide) + "</section>" * last
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def described(output, number):
    """Return an output whose picture has its text alternative; a live view also says where it moves."""
    if "data" not in output:
        return output
    one = nbformat.v4.new_output("display_data", dict(output.data), metadata=dict(output.metadata))
    if "image/png" in one.data:
        text = one.data.get("text/plain", "")
        picture = one.metadata.setdefault("image/png", {})
        picture["alt"] = picture.get("alt") or text.removeprefix(LIVE)
        if text.startswith(LIVE):
            picture["moves"] = f"It moves in the live lecture: make lecture NOTEBOOK={number}"
    return one


def opening(slide):
    """Return the tag that opens a slide, with its seconds for the speaker's clock, and its section's name."""
    title = slide.cells[0].source.startswith("# ")
    look = "title" if title else "predict" if slide.predicts else "plain"
    tag = f'<section id="{slide.name}" class="{look}" data-timing="{round(60 * slide.minutes)}">'
    section = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(slide.section))
    return tag + (f'<p class="kicker">{section}</p>' if section else "")


def closing(slide):
    """Return the notes, which only the lecturer sees, and the tag that closes a slide."""
    lines = filter(None, map(str.strip, slide.notes.splitlines()))
    paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return f'<aside class="notes">{paragraphs}</aside></section>\n'


def page(notebook, number):
    """Return the deck of a notebook as one HTML page."""
    from nbconvert.exporters import HTMLExporter

    exporter = HTMLExporter(
        extra_template_paths=[str(ROOT / "tools")],
        template_file="slides.html.j2",
        exclude_anchor_links=True,
        filters={"answers": answers},
    )
    title = next(line[2:] for cell in notebook.cells for line in cell.source.splitlines() if line[:2] == "# ")
    text, _ = exporter.from_notebook_node(prepared(notebook, number), resources={"title": title})
    return text


def answers(text, name):
    """Make the folded answers of a slide such that only one is open at a time."""
    return text.replace("<details>", f'<details name="{name}">')


# --- what a page needs -------------------------------------------------------------------------------------


def assets():
    """Return all files that the decks share: name -> content.

    The fonts stand in the style sheet: some browsers load none from a file of its own on disk.
    """
    files = {name: (package(source) / file).read_bytes() for name, (source, file) in ASSETS.items()}
    style = ""
    for name, look in FACES.items():
        woff = (package("reveal.js") / "dist/theme/fonts/source-sans-pro" / name).read_bytes()
        style += f'@font-face {{ font-family: "Source Sans Pro"; font-weight: {look}; '
        style += f"src: url(data:font/woff;base64,{base64.b64encode(woff).decode()}) }}\n"
    files["slides.css"] = (style + (ROOT / "tools" / "slides.css").read_text("utf-8")).encode()
    return files


def write(path, content):
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def main(arguments):
    """Write the decks of the named notebooks, or of all with a lecture; return 1 if one fails, else 0."""
    folder, *paths = map(Path, arguments)
    failed = 0
    try:
        for name, content in assets().items():
            write(folder / "assets" / name, content)
    except CourseError as error:
        print(f"course: {error}", flush=True)
        return 1
    for path in paths or sorted(FOLDER.glob("[!.]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        try:
            made = slides(notebook)
            if not made:
                print(f"{path.name}: no cell is on a slide yet.", flush=True)
                failed = failed or bool(paths)
                continue
            write(folder / f"{path.stem}.html", page(notebook, path.name.split("_")[0]).encode())
        except CourseError as error:
            print(f"course: {path.name}: {error}", flush=True)
            failed = 1
        else:
            minutes = sum(slide.minutes for slide in made)
            print(f"{folder / path.stem}.html: {len(made)} slides, {minutes:g} minutes", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
