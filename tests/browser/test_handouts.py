"""The PDFs of handouts, as Chromium prints them: nothing cut, tagged, set in type, the same bytes twice."""

import nbformat
import pytest

from tools import handouts
from tools.environment import CourseError

pytestmark = pytest.mark.browser
POINTS = 72 / 25.4  # of a millimetre
NAMES = {"00_start_here": "end", "04_adaptive_methods": "no"}
FEWEST, MOST = {"00_start_here": 6, "04_adaptive_methods": 20}, 35  # pages

LOOK = """() => {
    const column = document.body.clientWidth, cut = [], prose = document.body.cloneNode(true);
    for (const part of document.querySelectorAll("pre, table, img, svg")) {
        const wide = part.getBoundingClientRect().right > column + 1;
        if (wide || (part.localName == "pre" && part.scrollWidth > part.clientWidth + 1))
            cut.push(`${part.localName}: ${part.textContent.slice(0, 60)}`);
    }
    for (const part of document.querySelectorAll("pre")) {
        const lines = part.textContent.replace(/\\n$/, "").split("\\n").length;
        const style = getComputedStyle(part), line = parseFloat(style.lineHeight);
        if (part.clientHeight - 2 * parseFloat(style.paddingTop) > (lines + 0.5) * line)
            cut.push(`a line is broken: ${part.textContent.slice(0, 60)}`);
    }
    for (const part of prose.querySelectorAll("pre, code, style, script")) part.remove();
    const asked = [...document.querySelectorAll("link, script[src], img")].map(part => part.href ?? part.src);
    return [cut, prose.textContent, document.querySelectorAll("[data-mml-node=merror]").length, asked];
}"""


def print_to(folder, chromium, name):
    """Print a notebook; return the PDF's path, and what LOOK says of its page."""
    folder.mkdir(exist_ok=True)
    notebook = nbformat.read(handouts.FOLDER / f"{name}.ipynb", as_version=4)
    source, target = folder / f"{name}.html", folder / f"{name}.pdf"
    try:
        source.write_text(handouts.page_of(notebook, NAMES[name]), "utf-8")
    except CourseError as error:  # npm does not get a package
        pytest.skip(str(error))
    page = handouts.opened(chromium, source)
    handouts.save(page, target)
    looked = page.evaluate(LOOK)
    page.close()
    return target, looked


@pytest.fixture(scope="module", params=NAMES)
def printed(request, chromium, tmp_path_factory):
    """Return a notebook's name, its PDF, and what LOOK says of its page."""
    pikepdf = pytest.importorskip("pikepdf")
    path, looked = print_to(tmp_path_factory.mktemp("handouts"), chromium, request.param)
    with pikepdf.open(path) as pdf:
        yield request.param, pdf, looked


def elements(part):
    """Yield type and text alternative of each element of a PDF's tree of tags."""
    import pikepdf

    if isinstance(part, pikepdf.Array):
        for one in part:
            yield from elements(one)
    elif isinstance(part, pikepdf.Dictionary):
        if "/S" in part:
            yield str(part.S), str(part.get("/Alt", ""))
        yield from elements(part.get("/K"))


def bookmarks(one):
    """Yield the titles of a bookmark, of what is below it, and of the next ones."""
    while one is not None:
        yield str(one.Title)
        yield from bookmarks(one.get("/First"))
        one = one.get("/Next")


def pictures(sheet):
    """Yield left, bottom, right and top, in points, of each stored picture on a page."""
    import pikepdf

    now, stack = pikepdf.Matrix(), []
    for operands, operator in pikepdf.parse_content_stream(sheet, "q Q cm Do"):
        if str(operator) == "q":
            stack.append(now)
        elif str(operator) == "Q":
            now = stack.pop()
        elif str(operator) == "cm":
            now = pikepdf.Matrix(*map(float, operands)) @ now
        elif sheet.Resources.XObject[str(operands[0])].Subtype == "/Image":
            (x0, y0), (x1, y1) = now.transform((0, 0)), now.transform((1, 1))
            yield min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def test_nothing_is_cut_at_the_margin_or_by_the_end_of_a_page(printed):
    name, pdf, (cut, *_) = printed
    assert cut == []
    assert FEWEST[name] <= len(pdf.pages) <= MOST
    found = 0
    for number, sheet in enumerate(pdf.pages, 1):
        _, _, width, height = map(float, sheet.MediaBox)
        assert (round(width / POINTS), round(height / POINTS)) == (210, 297)
        for left, bottom, right, top in pictures(sheet):
            found += 1
            assert left > 13.5 * POINTS, f"page {number}"
            assert right < width - 13.5 * POINTS, f"page {number}"
            assert bottom > 17.5 * POINTS, f"page {number}"
            assert top < height - 15.5 * POINTS, f"page {number}"
    notebook = nbformat.read(handouts.FOLDER / f"{name}.ipynb", as_version=4)
    stored = [o for c in notebook.cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})]
    assert found == len(stored)


def test_it_is_tagged_and_has_bookmarks_and_text_alternatives(printed):
    name, pdf, (_, prose, *_) = printed
    title = str(pdf.docinfo.Title)
    assert title in prose
    assert str(pdf.Root.Lang) == "en-GB"
    assert pdf.Root.MarkInfo.Marked
    titles = list(bookmarks(pdf.Root.Outlines.First))
    assert titles[0] == title
    assert "Recap" in " ".join(titles)
    assert ("Solutions" in titles) == (NAMES[name] == "end")
    assert len(titles) == len(set(titles))
    kinds = list(elements(pdf.Root.StructTreeRoot.K))
    figures = [alternative for kind, alternative in kinds if kind == "/Figure"]
    assert all(figures)
    assert [kind for kind, _ in kinds].count("/H1") == 1


def test_formulas_are_typeset_without_a_network(printed):
    _, pdf, (_, prose, errors, asked) = printed
    assert "$" not in prose
    assert r"\(" not in prose
    assert errors == 0
    assert any("\\" in alternative for _, alternative in elements(pdf.Root.StructTreeRoot.K))
    assert {address.split(":")[0] for address in asked} == {"file", "data"}


def test_links_lead_to_other_pdfs_and_into_this_one(printed):
    _, pdf, _ = printed
    notes = [note for sheet in pdf.pages for note in sheet.obj.get("/Annots", [])]
    addresses = [str(note.A.URI) for note in notes if "/A" in note]
    assert "./01_gradients.pdf" in addresses or "./00_start_here.pdf" in addresses
    assert all(address.startswith("./") or "://" in address for address in addresses)
    assert not any(address.startswith("file:") for address in addresses)
    inner = [str(note.Dest) for note in notes if "/Dest" in note]
    assert all(name in pdf.Root.Dests for name in inner)


def test_twice_the_same_bytes(chromium, tmp_path):
    pytest.importorskip("pikepdf")
    one, other = (print_to(tmp_path / part, chromium, "00_start_here")[0] for part in ("here", "elsewhere"))
    assert one.read_bytes() == other.read_bytes()
