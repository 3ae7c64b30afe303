"""axe-core: what it finds on a page, one line for each fault."""

import functools

from tools import vendor

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

RUN = """async ([include, exclude, standards]) => {
    const found = await axe.run({ include, exclude }, { runOnly: standards, resultTypes: ["violations"] });
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


def faults(page, *include, exclude=()):
    """Return the serious and critical faults on a page, or within the elements that selectors name."""
    page.evaluate(source())
    found = page.evaluate(RUN, [list(include) or ["html"], list(exclude), STANDARDS])
    assert found["passed"] > 3, "axe has looked at something"
    return found["faults"]
