"""No link in notebooks and pages leads nowhere. Addresses on the web are not fetched, only well formed."""

import re
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from tools.notebooks import FOLDER, ROOT

PAGES = [*sorted(FOLDER.glob("[!.]*.ipynb")), *sorted(ROOT.glob("*.md"))]
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)|(?:href|src)=\"([^\"]+)\"")


def prose(path):
    """Return the Markdown of a page or notebook, without code."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    else:
        text = path.read_text("utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def links(text):
    """Return the targets of all links and pictures in a text."""
    return [one or other for one, other in LINK.findall(text)]


def anchors(text):
    """Return what a link into a page may name: JupyterLab keeps a heading's capitals, GitHub does not."""
    found = set(re.findall(r"(?:id|name)=\"([^\"]+)\"", text))
    for heading in re.findall(r"^#+ +(.*?) *$", text, re.MULTILINE):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", r"\1", heading)
        found.add(heading.replace(" ", "-"))
        found.add(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
    return found


def broken(path, text, read):
    """Yield the links of a page that lead nowhere; `read` gives the text of another page."""
    for link in links(text):
        parts = urlsplit(link)
        if parts.scheme in ("http", "https"):
            if parts.scheme == "http" or "." not in parts.netloc or " " in link:
                yield link
            continue
        if parts.scheme or parts.netloc or parts.path.startswith("/"):
            yield link
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        lost = not target.exists() or not target.is_relative_to(ROOT)
        if not lost and parts.fragment and target.suffix in (".md", ".ipynb"):
            lost = unquote(parts.fragment) not in anchors(text if target == path else read(target))
        if lost:
            yield link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    assert list(broken(path, prose(path), prose)) == []


@pytest.mark.parametrize(
    "text",
    [
        "[a](nowhere.ipynb)",
        "[a](README.md#No-such-heading)",
        "[a](#Missing)",
        "[a](/etc/passwd)",
        "[a](../../outside.md)",
        "[a](http://example.org)",
        "[a](https://nodots/x)",
        "[a](file:///x)",
        '<img src="gone.png">',
        "[![badge](gone.svg)](README.md)",
    ],
)
def test_broken_link_is_found(text):
    assert len(list(broken(ROOT / "README.md", f"# A heading\n{text}", lambda path: "# A heading"))) == 1


@pytest.mark.parametrize(
    "text", ["[a](README.md)", "[a](#A-heading)", "[a](#a-heading)", "[a](https://example.org/x#y)"]
)
def test_good_link_is_accepted(text):
    assert list(broken(ROOT / "README.md", f"# A heading\n{text}", lambda path: "# A heading")) == []
