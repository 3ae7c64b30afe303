"""Write the notebooks for students, without solutions, and each one as a PDF to print.

``python tools/handouts.py FOLDER [--solutions no|end] [NOTEBOOK...]`` writes into one folder

- ``NAME.ipynb``: the notebook without the cells that give an answer away (tags `solution` and `answer`) and
  without speaker notes; all else is as published, and their ``data/`` stand beside them;
- ``NAME.pdf``: the page that nbconvert makes of it, set by ``handouts.css`` and MathJax, printed by Chromium.
  Captions stand under their pictures; live views and races are pictures. What is folded in the notebook is
  left out, or stands at the end together with the solutions, exercise by exercise.

Twice the same bytes: what Chromium prints differs from run to run in the two dates that it notes, which are
taken out here; in the names of the heads of tables, which count the nodes of all pages it has shown, and are
counted anew; and in the folder to which links lead, which is not named here. pikepdf then writes it in one
stable form, with an identifier made from its content. Another version of Chromium, or another font where
those of npm and Matplotlib lack a sign, gives other bytes.
"""

import argparse
import contextlib
import copy
import html
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for whoever runs this file from elsewhere
from tools.environment import ROOT, CourseError
from tools.notebooks import FOLDER, normalise, reveals, tags, write
from tools.vendor import package

STYLE = Path(__file__).with_suffix(".css")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FONTS = ("@fontsource/source-serif-4", "@fontsource/ubuntu-mono")
FACES = ("400.css", "400-italic.css", "700.css", "700-italic.css")
SECONDS = 180  # for a page to open
MILLIMETRES = 0.165  # of a pixel of a stored picture
LIVE, RACE = "Live view: ", "Race: "
QUESTION = re.compile(r"^\d+\. |\?( \(\d+\))?$")  # a summary that says something without what it folds


def student(notebook):
    """Return a copy of a notebook from which no cell gives an answer to an exercise away."""
    made = copy.deepcopy(notebook)
    made.cells = [cell for cell in made.cells if not reveals(cell)]
    for cell in made.cells:
        cell.metadata.get("slideshow", {}).pop("notes", None)  # they say what to answer
    return normalise(made)


# --- a page to print ---------------------------------------------------------------------------------------


def title_of(notebook):
    """Return the title of a notebook, without Markdown."""
    heading = next(
        line for cell in notebook.cells for line in cell.source.splitlines() if line.startswith("# ")
    )
    return re.sub(r"[*`$]", "", heading[2:]).strip()


def figure(output):
    """Return an output with a picture as one figure that holds its caption and its text alternative."""
    look = output.metadata.get("image/png", {})
    text = output.data["text/plain"]
    caption = text.removeprefix(RACE)
    if text.startswith(LIVE):
        caption = f"{text.removeprefix(LIVE)}. It is alive in the notebook: move its sliders there."
        caption = f"A live view: {caption}"
    elif text.startswith(RACE):
        caption += " (It runs in the notebook; here is its picture.)"
    width = f' style="width: {look["width"] * MILLIMETRES:.0f}mm"' if "width" in look else ""
    picture = "data:image/png;base64," + "".join(output.data["image/png"].split())
    image = f'<img alt="{html.escape(look.get("alt", text))}"{width} src="{picture}">'
    page = f'<figure role="group">{image}<figcaption>{html.escape(caption)}</figcaption></figure>'
    return new_output("display_data", {"text/html": page})


def printed(cell):
    """Return a cell as it is printed: a check says nothing, pictures and captions are one."""
    if cell.cell_type != "code":
        return cell
    made, captions = copy.deepcopy(cell), set()
    made.outputs = []
    silent = "check" in tags(cell) or cell.source == "progress()"  # they speak of what nobody has done
    for output in [] if silent else cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            captions.add(data["text/plain"])
            output = figure(output)
        elif data.get("text/plain") in captions:
            continue  # the figure has it
        made.outputs.append(output)
    return made


def solutions_of(notebook):
    """Return the cells of the last pages: for each exercise its solution, and what else gives it away."""
    found = {}
    for cell in filter(reveals, notebook.cells):
        number = cell.metadata["exercise"]
        if "solution" in tags(cell):
            heading = new_markdown_cell(
                f"### Solution of exercise {number}", id=f"solution-{number.replace('.', '-')}"
            )
            code = "\n".join(cell.source.splitlines()[:-1]).strip()  # without its check
            found[number] = [heading, new_code_cell(code, id=cell.id)]
        elif number in found:  # what stands before the solution only points to it
            found[number].append(printed(cell))
    return [cell for cells in found.values() for cell in cells]


def page_of(notebook, solutions):
    """Return the HTML page of a notebook: ``solutions`` is "no" or "end"; its links lead to other PDFs."""
    from bs4 import BeautifulSoup

    kept = [printed(cell) for cell in notebook.cells if not reveals(cell)]
    if not re.sub(r"\[[^]]*\]\([^)]*\)|[ ·|]", "", kept[-1].source):
        del kept[-1]  # the links to other notebooks, which stand at the top as well
    soup = BeautifulSoup(body(kept), "html.parser")
    folded = unfold(soup, solutions)
    if solutions == "end":
        at_end = soup.new_tag("section", attrs={"class": "end"})
        at_end.append(BeautifulSoup("<h2>Hints and answers</h2>" * bool(folded), "html.parser"))
        at_end.extend(folded)
        rest = body([new_markdown_cell("## Solutions", id="solutions"), *solutions_of(notebook)])
        at_end.append(BeautifulSoup(rest, "html.parser"))
        soup.append(at_end)
    tidy(soup)
    title = title_of(notebook)
    return TEMPLATE.format(
        title=html.escape(title),
        style=style(),
        foot=json.dumps(title, ensure_ascii=False),
        formulas=FORMULAS,
        mathjax=(package("mathjax") / "es5" / "tex-svg-full.js").as_uri(),
        body=soup,
    )


def body(cells):
    """Return what nbconvert makes of some cells."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True)
    made, _ = exporter.from_notebook_node(new_notebook(cells=cells))
    return re.sub(r'<a class="anchor-link".*?</a>', "", made)


def unfold(soup, solutions):
    """Take what is folded out of a page, and return it under its headings; a question stays where it was."""
    found = []
    for count, details in enumerate(soup.find_all("details"), 1):
        summary = details.summary.extract()
        asks = bool(QUESTION.search(summary.get_text().strip()))
        place = soup.new_tag("p", attrs={"class": "folded", "id": f"asked-{count}"})
        if asks:
            place.extend(list(copy.copy(summary).contents))
        if solutions == "end":
            link = soup.new_tag("a", attrs={"href": f"#folded-{count}"})
            link.string = "Answer at the end" if asks else f"{summary.get_text().strip()}: at the end"
            place.extend([" ", link] if asks else [link])
            heading = soup.new_tag("h4", attrs={"id": f"folded-{count}"})
            before = details.find_previous(re.compile("^h[1-4]$"))
            where = "" if asks or before is None else f" · {before.get_text().strip()}"
            heading.extend([*summary.contents, where])
            answer = soup.new_tag("div", attrs={"class": "answer"})
            answer.extend([heading, *list(details.contents)])
            found.append(answer)
        if asks or solutions == "end":
            details.replace_with(place)
        else:
            details.decompose()
    return found


def tidy(soup):
    """Name the cells for scripts and screen readers; let links lead to PDFs beside this one."""
    for link in soup.find_all("a", href=True):
        href = link["href"]
        if "://" not in href and not href.startswith("#"):
            link["href"] = re.sub(r"\.ipynb(#.*)?$", ".pdf", href)
    for image in soup.find_all("img"):
        image["loading"] = "eager"
    for entry in soup.find_all("td"):
        if len(entry.get_text()) <= 10:
            entry["style"] = "white-space: nowrap"
    for block in soup.find_all("pre"):
        widest = max(map(len, block.get_text().splitlines()), default=0)
        if widest > 110:  # as wide as code may be: a longer printed line is set smaller, not cut or broken
            block["style"] = f"font-size: {9 * 110 / widest:.2f}pt"  # elsewhere 9 pt


FORMULAS = r"""
MathJax = {
  tex: {inlineMath: [["$", "$"], ["\\(", "\\)"]], processEscapes: true},
  svg: {fontCache: "global"},
  options: {enableMenu: false},
  startup: {pageReady: () => MathJax.startup.defaultPageReady().then(() => {
    for (const formula of MathJax.startup.document.math) {
      const root = formula.typesetRoot, after = root.nextSibling, picture = root.querySelector("svg");
      root.replaceChildren(picture);
      picture.removeAttribute("aria-hidden");
      picture.setAttribute("aria-label", formula.math.trim());  // it becomes a figure with this alternative
      const mark = after?.nodeType === Node.TEXT_NODE && after.data.match(/^[^\s\p{Ps}]+/u);
      if (mark && !formula.display) {  // a full stop does not begin a line
        const both = document.createElement("span");
        both.style.whiteSpace = "nowrap";
        root.replaceWith(both);
        both.append(root, mark[0]);
        after.data = after.data.slice(mark[0].length);
      }
    }
    for (const table of document.querySelectorAll("table")) {
      const share = document.body.clientWidth / table.offsetWidth;
      if (share < 1) table.style.fontSize = `${Math.max(8, 9.5 * share)}pt`;
      if (table.offsetWidth > document.body.clientWidth) table.classList.add("wide");
      if (table.offsetHeight < 400) table.style.breakInside = "avoid";  // a long one begins where it stands
    }
    for (const output of document.querySelectorAll(".output_stream"))
      if (output.offsetHeight > 200) output.style.breakInside = "auto";  // a table of many lines
    window.typeset = true;
  })},
};
"""
TEMPLATE = """<!DOCTYPE html>
<html lang="en-GB">
<head><meta charset="utf-8"><title>{title}</title>
{style}
<style>:root {{ --title: {foot}; }}</style>
<script>{formulas}</script>
<script src="{mathjax}"></script>
</head>
<body>{body}</body>
</html>
"""


def style():
    """Return the style sheets of a page: the fonts of npm, and ours, with those of Matplotlib."""
    import matplotlib

    sheets = [(package(font) / face).as_uri() for font in FONTS for face in FACES]
    links = "".join(f'<link rel="stylesheet" href="{sheet}">' for sheet in sheets)
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    own = STYLE.read_text("utf-8").replace("MATPLOTLIB", folder.as_uri())
    return f"{links}<style>{own}</style>"


# --- from the page to the PDF ------------------------------------------------------------------------------


@contextlib.contextmanager
def browser():
    """Start a headless Chromium for the length of a with block: the system's, else Playwright's."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, CHROMIUM)), None)
        try:
            running = playwright.chromium.launch(
                executable_path=found, args=["--no-sandbox", "--disable-gpu"]
            )
        except Error:
            remedy = "sudo apt install chromium, or python -m playwright install chromium"
            raise CourseError(f"Chromium is missing, or does not start: {remedy}.") from None
        try:
            yield running
        finally:
            running.close()


def opened(running, path):
    """Open a page as it will be printed, all fonts and formulas there; no network is asked."""
    page = running.new_page(viewport={"width": 688, "height": 1000}, offline=True)  # 182 mm
    page.set_default_timeout(SECONDS * 1000)
    page.emulate_media(media="print")
    page.goto(path.as_uri())
    page.wait_for_function("window.typeset && document.fonts.status === 'loaded'")
    return page


def save(page, target):
    """Print a page that is open as a tagged PDF with bookmarks, and put it into its stable form."""
    made = target.with_name(target.name + ".part")
    base = page.url.rpartition("/")[0] + "/"
    try:
        page.pdf(path=made, prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
        settle(made, base)
        made.replace(target)
    finally:
        made.unlink(missing_ok=True)


def settle(path, base):
    """Rewrite a PDF so that it does not depend on when and where it was printed."""
    import pikepdf

    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        for name in ("/CreationDate", "/ModDate"):
            if name in pdf.docinfo:
                del pdf.docinfo[name]
        for sheet in pdf.pages:
            for link in sheet.obj.get("/Annots", []):
                address = str(link.get("/A", {}).get("/URI", ""))
                if address.startswith(base):
                    link.A.URI = pikepdf.String("./" + address.removeprefix(base))
        renumber(pdf)
        mend_titles(pdf.Root.Outlines.get("/First"))
        pdf.save(path, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def renumber(pdf):
    """Count the names of the heads of tables from 0: Chromium counts all nodes of all pages it has shown."""
    import pikepdf

    found = []

    def walk(one):
        for key, value in one.items() if isinstance(one, pikepdf.Dictionary) else enumerate(one):
            if isinstance(value, pikepdf.String) and re.fullmatch(r"node\d{8}", str(value)):
                found.append((str(value), one, key))
            elif isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect:
                walk(value)

    for one in pdf.objects:
        if isinstance(one, pikepdf.Dictionary | pikepdf.Array):
            walk(one)
    numbers = {name: i for i, name in enumerate(sorted({name for name, *_ in found}))}
    for name, one, key in found:
        one[key] = pikepdf.String(f"node{numbers[name]:08}")


def mend_titles(bookmark):
    """Say each bookmark once: of a heading that begins a page Chromium 156 writes the text twice."""
    while bookmark is not None:
        title = str(bookmark.Title)
        half = title[: len(title) // 2]
        if half and title == 2 * half:
            bookmark.Title = half
        mend_titles(bookmark.get("/First"))
        bookmark = bookmark.get("/Next")


# --- all of it ---------------------------------------------------------------------------------------------


def copy_data(folder):
    """Put what the notebooks read beside them."""
    for source in sorted((FOLDER / "data").iterdir()):
        target = folder / "data" / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        shutil.copyfile(source, part)
        part.replace(target)


def handouts(folder, paths, solutions):
    """Write the handouts of some notebooks into a folder."""
    from playwright.sync_api import Error

    folder.mkdir(parents=True, exist_ok=True)
    copy_data(folder)
    with browser() as running, tempfile.TemporaryDirectory() as scratch:
        for path in paths:
            notebook = nbformat.read(path, as_version=4)
            write(student(notebook), folder / path.name)
            source = Path(scratch, path.with_suffix(".html").name)
            source.write_text(page_of(notebook, solutions), "utf-8")
            try:
                page = opened(running, source)
                save(page, folder / path.with_suffix(".pdf").name)
                page.close()
            except Error as error:
                raise CourseError(
                    f"Chromium does not print {path.name}: {str(error).splitlines()[0]}"
                ) from None
            print(f"{path.stem}: notebook and PDF", flush=True)


def main(arguments=None):
    """Write the handouts of the named notebooks, or of all; return 1 if that fails, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("notebooks", nargs="*", type=Path, help="by default all of notebooks/")
    parser.add_argument("--solutions", choices=("no", "end"), default="no", help="in the PDF (no)")
    options = parser.parse_intermixed_args(arguments)
    try:
        folder = options.folder.resolve()
        if folder in (ROOT, FOLDER, ROOT / "my_course"):
            raise CourseError(f"TO={options.folder}: holds notebooks of its own: name another folder.")
        handouts(folder, options.notebooks or sorted(FOLDER.glob("[!.]*.ipynb")), options.solutions)
    except (CourseError, OSError) as error:
        print(f"course: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
