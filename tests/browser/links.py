"""All links of a built site, without a browser: what they point to must be there."""

from html.parser import HTMLParser
from urllib.parse import parse_qs, unquote, urlsplit


class _Page(HTMLParser):
    """Collects the addresses that a page names, and the anchors that it has."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = set(), {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes.get("id"), attributes.get("name")}
        self.links |= {attributes[name] for name in ("href", "src") if attributes.get(name)}


def broken(site):
    """Return what is wrong with the links of a site's pages: (page, address) pairs, sorted.

    Addresses of other hosts may be linked, but nothing may be loaded from them: see test_site.py.
    """
    pages = {path: _Page(path.read_text("utf-8")) for path in sorted(site.glob("*.html"))}
    wrong = []
    for path, page in pages.items():
        for link in page.links:
            address = urlsplit(link)
            if address.scheme or address.netloc:
                continue
            target = path if not address.path else site / unquote(address.path)
            notebook = parse_qs(address.query).get("path")
            good = target.is_file() and (
                not notebook or (target.parents[1] / "files" / notebook[0]).is_file()
            )
            if good and target in pages:
                good = unquote(address.fragment) in pages[target].anchors
            if not good:
                wrong.append((path.name, link))
    return sorted(wrong)
