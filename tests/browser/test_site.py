"""The pages of the site in a real browser from which no other host can be reached."""

import pytest
from links import broken
from visits import Visit

from tools.environment import ROOT

pytestmark = pytest.mark.browser

NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("[!.]*.ipynb"))

TYPESET = "() => !document.querySelector('.math') || document.querySelector('mjx-container')"
ALTS = "all => all.map(one => one.alt)"


@pytest.fixture
def visit(new_page, web):
    """Return a visitor; afterwards assert that nothing was wanted from another host."""
    visitor = Visit(new_page(), web)
    yield visitor
    assert visitor.outside == []


def test_every_link_of_the_site_leads_somewhere(site):
    assert broken(site) == []


def test_pages_render_without_another_host(visit):
    for stem in ("index", *NOTEBOOKS):
        visit.open(f"{stem}.html")
        visit.page.wait_for_function(TYPESET)
        assert visit.wrong == [], stem
        pictures = visit.page.locator("article img").evaluate_all(ALTS)
        assert stem == "index" or pictures
        assert all(alt.strip() and not alt.endswith(".png") for alt in pictures)


def test_search_finds_a_notebook(visit):
    visit.open("search.html?q=Nesterov")
    visit.page.locator("#search-results li a").first.wait_for()
    assert "03_momentum_and_nesterov.html" in visit.page.locator("#search-results").inner_html()
