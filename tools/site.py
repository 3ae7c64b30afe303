"""Build the course as one static site: pages to read, and a JupyterLite in which every notebook runs.

``python tools/site.py TO [--pyodide FOLDER_OR_ADDRESS] [--repository OWNER/NAME]``

Sphinx renders the notebooks with their stored outputs, as docs/site says; ``lite/`` below them runs them (see
lite.py). No page asks another host for anything, except for Pyodide where that is an address.
"""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for whoever runs this file from elsewhere
from tools.environment import ROOT, CourseError, pyproject
from tools.lite import notebooks, run, write_lite
from tools.notebooks import tags
from tools.vendor import package

SOURCE = ROOT / "docs" / "site"
MARK = ".course-site"  # in every folder that this tool has written, and may replace
SOLUTION = {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}


def link(stem, text):
    """Return a link from a page to its live version."""
    return f'<p class="course-live"><a href="lite/lab/index.html?path={stem}.ipynb">▶ {text}</a></p>'


def page(notebook, stem):
    """Return a notebook for Sphinx: solutions folded, pictures described, the live version linked."""
    for cell in notebook.cells:
        cell.source = re.sub(r"\]\(#[^)]*\)", lambda found: found[0].lower(), cell.source)  # Sphinx's anchors
        options = {}
        if "solution" in tags(cell):
            cell.metadata["tags"] = [*tags(cell), "hide-cell"]
            options |= SOLUTION
        pictures = [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
        if len(pictures) > 1:
            raise CourseError(f"{stem}, cell {cell.id}: more than one picture; give each a cell of its own.")
        for picture in pictures:
            options["image"] = {"alt": picture.metadata["image/png"]["alt"]}
        if "live" in tags(cell):
            html = {"text/html": link(stem, "Move it in the live version")}
            cell.outputs.append(nbformat.v4.new_output("display_data", html))
        if options:
            cell.metadata["mystnb"] = options
    run_it = nbformat.v4.new_markdown_cell(link(stem, "Run this notebook in your browser"), id="course-live")
    notebook.cells.insert(1, run_it)
    return notebook


def table():
    """Return the README's table of notebooks, with links to their pages."""
    text = (ROOT / "README.md").read_text("utf-8")
    rows = re.search(r"^## The notebooks\n\n(.*?)\n\n", text, re.DOTALL | re.MULTILINE)[1]
    return rows.replace("(notebooks/", "(")


def write_pages(folder, scratch, repository):
    """Let Sphinx render all notebooks into `folder`."""
    source = scratch / "pages"
    shutil.copytree(SOURCE, source)
    for path in notebooks():
        nbformat.write(page(nbformat.read(path, as_version=4), path.stem), source / path.name)
    index = source / "index.md"
    index.write_text(index.read_text("utf-8").replace("<!-- table -->", table()), "utf-8")
    copy_mathjax(source / "static" / "mathjax")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    run([*command, "-d", scratch / "doctrees", source, folder], COURSE_REPOSITORY=repository)
    (folder / ".buildinfo").unlink(missing_ok=True)
    (folder / ".nojekyll").touch()  # GitHub Pages would leave out _static


def copy_mathjax(folder):
    """Copy what pages need of MathJax: the program, its fonts, and the texts for screen readers."""
    whole = package("mathjax") / "es5"
    for part in ("a11y", "output/chtml/fonts/woff-v2"):
        shutil.copytree(whole / part, folder / part)
    for part in ("tex-chtml.js", "sre/mathmaps/base.json", "sre/mathmaps/en.json"):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(whole / part, folder / part)


def build(to, pyodide=None, repository=""):
    """Build the whole site and put it in place of the one that `to` holds; whole or not at all.

    Parameters
    ----------
    to : path
        A new or empty folder, or one that this function has written.
    pyodide : str, optional
        A folder with a Pyodide distribution, or its address; by default the public one.
    repository : str
        Owner and name at GitHub, for the button that opens a page in Binder; without it there is none.

    Raises
    ------
    CourseError
        If `to` holds something else, Pyodide cannot be read, or a part cannot be built.
    """
    from jupyterlite_pyodide_kernel.constants import PYODIDE_CDN_URL

    to = Path(to).absolute()
    if to.exists() and not (to.is_dir() and ((to / MARK).exists() or not any(to.iterdir()))):
        raise CourseError(f"TO={to}: there is something else: name a new or an empty folder.")
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".site-", ignore_cleanup_errors=True) as folder:
        scratch, site = Path(folder, "scratch"), Path(folder, "site")
        scratch.mkdir()
        write_pages(site, scratch, repository)
        write_lite(site / "lite", scratch, str(pyodide or PYODIDE_CDN_URL))
        (site / MARK).write_text("Written by `make site`, which may replace this folder.\n", "utf-8")
        if to.exists():
            to.rename(Path(folder, "former"))
        site.rename(to)
    return to


def main(arguments=None):
    """Build the site; return 1, with one line, if that is not possible."""
    repository = pyproject()["tool"]["course"]["repository"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("to", type=Path)
    parser.add_argument("--pyodide", metavar="FOLDER_OR_ADDRESS")
    parser.add_argument("--repository", default=repository, metavar="OWNER/NAME")
    options = parser.parse_args(arguments)
    try:
        to = build(options.to, options.pyodide, options.repository)
    except CourseError as error:
        print(f"course: {error}", flush=True)
        return 1
    size = sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
    print(f"{to}: {size / 1e6:.0f} MB; any web server can serve it.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
