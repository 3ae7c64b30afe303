"""How Sphinx renders the notebooks (see tools/site.py, which prepares them and calls it)."""

import os
import re
from pathlib import Path

REPOSITORY = os.environ.get("COURSE_REPOSITORY", "")  # owner/name at GitHub; without it there is no Binder

project = "How neural networks are optimised"
language = "en"
extensions = ["myst_nb"]
exclude_patterns = ["conf.py"]

# The notebooks' own form: stored outputs, GitHub's tables, links to headings as JupyterLab writes them
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a section may open with a heading two levels down

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["course.css"]
html_copy_source = False
html_use_index = False
html_last_updated_fmt = None
mathjax_path = "mathjax/tex-chtml.js"  # a copy of our own: no page asks another host for anything

html_context = {"default_mode": "auto"}  # dark where the reader's system is
html_theme_options = {
    "extra_footer": "Text and figures: CC BY 4.0. Code: BSD 3-Clause licence.",
    "footer_content_items": ["extra-footer.html"],
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_navbar_depth": 1,
    "navbar_persistent": [],  # the search field stands in the sidebar already
}
if REPOSITORY:
    html_theme_options |= {
        "repository_url": f"https://github.com/{REPOSITORY}",
        "repository_branch": "main",
        "path_to_docs": "notebooks",
        "use_repository_button": True,
        "launch_buttons": {"binderhub_url": "https://mybinder.org", "notebook_interface": "jupyterlab"},
    }


def add_live_button(app, pagename, templatename, context, doctree):
    """Put a button that opens the page's live version first in the header."""
    source = app.env.doc2path(pagename, base=False) if doctree else ""
    if str(source).endswith(".ipynb"):
        context.setdefault("header_buttons", []).insert(
            0,
            {
                "type": "link",
                "text": "Run",
                "tooltip": "Run this notebook in your browser",
                "icon": "fas fa-play",
                "url": f"lite/lab/index.html?path={pagename}.ipynb",
                "label": "live-version",
            },
        )


# Buttons whose label, which is spoken, leaves out what is written on them
LABELLED = r'(<button class="btn search-button-field[^>]*?|<summary) aria-label="[^"]*"'


def name_by_text(app, error):
    """Let such buttons be called what is written on them: who speaks to the computer says that."""
    for path in [] if error else Path(app.outdir).glob("*.html"):
        path.write_text(re.sub(LABELLED, r"\1", path.read_text("utf-8")), "utf-8")


def setup(app):
    """Add the button after the theme has made its own."""
    app.connect("html-page-context", add_live_button, priority=900)
    app.connect("build-finished", name_by_text)
