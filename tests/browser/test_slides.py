"""Each deck opens from disk in Chromium, asks nothing of a network, and can be read from the last row."""

import re

import nbformat
import published
import pytest

from tools import slides

pytestmark = pytest.mark.browser
DECKS = published.lectures()
LEGIBLE = 18  # px of 720, for whoever sits in the last row
DISPLAYED = 24  # px of a formula on a line of its own
IN_PICTURES = 14  # px of the labels of ticks, the smallest text of a figure, which has 11 pt = 15.3 px
ELSEWHERE = re.compile(r"^(?!file:|data:|about:|blob:)")

# One slide after the other is shown and measured: what leaves the box inside the slide's padding, or is cut
# off; the smallest text; the scale of pictures. Each folded answer is opened once.
MEASURE = """async ([legible, inPictures, displayed]) => {
    await MathJax.startup.promise;
    await document.fonts.ready;
    await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
    const found = [], text = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const all = [...document.querySelectorAll(".slides section:not(.stack)")];
    const px = length => Math.ceil(length) + " px";

    function overflow(slide, state) {
        const say = what => found.push(`slide ${all.indexOf(slide) + 1}, cell ${slide.id}${state}: ${what}`);
        const style = getComputedStyle(slide), outer = slide.getBoundingClientRect();
        const box = {
            left: outer.left + parseFloat(style.paddingLeft),
            right: outer.right - parseFloat(style.paddingRight),
            top: outer.top + parseFloat(style.paddingTop),
            bottom: outer.bottom - parseFloat(style.paddingBottom),
        };
        const beyond = {left: 0, right: 0, top: 0, bottom: 0};
        for (const part of slide.querySelectorAll("*")) {
            if (part.closest("aside, .kicker, mjx-assistive-mml, svg *")) continue;
            const at = part.getBoundingClientRect();
            if (!at.width || !at.height || part.closest("details:not([open]) > :not(summary)")) continue;
            beyond.left = Math.max(beyond.left, box.left - at.left);
            beyond.right = Math.max(beyond.right, at.right - box.right);
            beyond.top = Math.max(beyond.top, box.top - at.top);
            beyond.bottom = Math.max(beyond.bottom, at.bottom - box.bottom);
            const cut = getComputedStyle(part).overflow !== "visible";
            if (cut && part.scrollWidth > part.clientWidth + 1)
                say(`<${part.localName}> is cut off by ${px(part.scrollWidth - part.clientWidth)}`);
        }
        const high = beyond.top + beyond.bottom, wide = beyond.left + beyond.right;
        if (high > 1) say(`${px(high)} too high`);
        if (wide > 1) say(`${px(wide)} too wide`);
        return say;
    }

    for (const slide of all) {
        const {h, v} = Reveal.getIndices(slide);
        Reveal.slide(h, v, 99);
        const say = overflow(slide, "");
        const small = new Set();
        text.currentNode = slide;
        for (let node = text.nextNode(); node && slide.contains(node); node = text.nextNode()) {
            const around = node.parentElement;
            if (!node.data.trim() || around.closest("aside, script, style, svg, mjx-assistive-mml")) continue;
            const size = parseFloat(getComputedStyle(around).fontSize);
            if (size < legible && !around.closest("sub, sup"))
                small.add(`"${node.data.trim().slice(0, 30)}" has ${size} px, less than ${legible}`);
            if (node.data.includes("$") && !around.closest("pre, code"))
                small.add(`a formula is not set: ${node.data}`);
        }
        small.forEach(say);
        for (const picture of slide.querySelectorAll("img.picture")) {
            const at = picture.getBoundingClientRect();
            const scale = Math.min(at.width / picture.naturalWidth, at.height / picture.naturalHeight);
            const label = 11 / 72 * 100 * scale * picture.naturalWidth / picture.dataset.width;
            if (label < inPictures)
                say(`labels in its picture have ${label.toFixed(1)} px, less than ${inPictures}`);
        }
        for (const formula of slide.querySelectorAll("mjx-container > svg")) {  // a wide one is shrunk
            const share = formula.getBoundingClientRect().width / formula.width.baseVal.value;
            const shrunk = share * parseFloat(getComputedStyle(formula).fontSize);
            const least = formula.parentElement.matches("[display]") ? displayed : legible;
            if (shrunk < least) say(`a formula is shrunk to ${shrunk.toFixed(1)} px, less than ${least}`);
        }
        if ([...slide.querySelectorAll("img")].some(image => image.alt.trim().split(/\\s+/).length < 4))
            say("a picture without a description");
        if (slide.querySelector("[data-mjx-error], merror")) say("a formula is wrong");
        if (!slide.querySelector("aside.notes")?.textContent.trim()) say("no notes");
        for (const answer of slide.querySelectorAll("details")) {
            answer.open = true;
            overflow(slide, `, opened "${answer.querySelector("summary").textContent.slice(0, 20)}"`);
            answer.open = false;
        }
    }
    if (Reveal.getScale() !== 1) found.push(`the scale is ${Reveal.getScale()}, not 1`);
    return {found, slides: all.length, formulas: document.querySelectorAll("mjx-container svg").length};
}"""


@pytest.fixture
def offline(new_page):
    """Return an empty page as large as a slide, which reaches only files, and what went wrong on it."""
    page, wrong = new_page(viewport={"width": 1280, "height": 720}), []
    page.context.route(
        ELSEWHERE, lambda route: (wrong.append(f"asks for {route.request.url}"), route.abort())
    )
    page.on("requestfailed", lambda request: wrong.append(f"cannot load {request.url[:80]}"))
    page.on("console", lambda said: said.type in ("error", "warning") and wrong.append(f"says: {said.text}"))
    page.on("pageerror", lambda error: wrong.append(f"raises {error}"))
    return page, wrong


@pytest.mark.parametrize("path", DECKS, ids=[path.stem for path in DECKS])
def test_every_slide_fits_and_is_legible(path, deck, offline):
    page, wrong = offline
    notebook = nbformat.read(path, as_version=4)
    page.goto(deck(path))
    page.wait_for_function("window.MathJax?.startup?.promise && window.Reveal?.isReady()")
    measured = page.evaluate(MEASURE, [LEGIBLE, IN_PICTURES, DISPLAYED])
    wrong += measured["found"]
    assert not wrong, f"{path.name}:\n" + "\n".join(wrong)
    assert measured["slides"] == len(slides.slides(notebook))
    formulas = [
        cell.source for slide in slides.slides(notebook) for cell in slide.cells if "$$" in cell.source
    ]
    assert measured["formulas"] >= len(formulas)
