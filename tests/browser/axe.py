"""axe-core: what it finds on a page, one line for each fault."""

import functools

from tools import vendor

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

CONTRAST = ["color-contrast"]  # all that depends on the colours

RUN = """async ([include, exclude, rules]) => {
    const runOnly = { type: rules.length === 1 ? "rule" : "tag", values: rules };
    const found = await axe.run({ include, exclude }, { runOnly, resultTypes: ["violations"] });
    const say = ({ id, impact, nodes }) => nodes.map(({ target, html, failureSummary }) => (
        `${impact}: ${id}: ${target.join(" ")}: ${html.slice(0, 200)}: ${failureSummary}`
    ));
    const grave = found.violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
    return { faults: grave.flatMap(say), passed: found.passes.length };
}"""


@functools.cache
def source():
    """Return axe-core's program, which is fetched from npm if need be."""
    return (vendor.package("axe-core") / "axe.min.js").read_text("utf-8")


def faults(page, *include, exclude=(), rules=STANDARDS):
    """Return the serious and critical faults on a page, or within the elements that selectors name."""
    if not page.evaluate("() => window.axe"):
        page.evaluate(source())
    found = page.evaluate(RUN, [list(include) or ["html"], list(exclude), rules])
    assert found["passed"] > 0, "axe has looked at something"
    return found["faults"]
