"""Follow every local link of the built documentation: pages, anchors, pictures.

Prints the dead ones, and ends with code 1 if there are any. Links to other hosts are
not followed. Run it after ``sphinx-build``.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

BUILD = Path(__file__).parent / "_build"


class Page(HTMLParser):
    """What a page links to, and the anchors that it has."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = set(), {"", "top"}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Note the links and anchors of an element."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.add(value)
            elif name in ("id", "name") and value:
                self.anchors.add(value)


def built_pages(build):
    """List the pages, without the templates that the theme leaves beside them."""
    paths = sorted(build.rglob("*.html"))
    return [path for path in paths if path.relative_to(build).parts[0] != "_static"]


def dead_links(build):
    """Yield (page, link) for each local link that leads nowhere."""
    pages = {path: Page(path) for path in built_pages(build)}
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            goal = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            lacks_anchor = goal in pages and parts.fragment not in pages[goal].anchors
            if not goal.is_file() or lacks_anchor:
                yield path, link


def main():
    """Check the build, and say what was found."""
    pages = len(built_pages(BUILD))
    if not pages:
        sys.exit(f"There are no pages in {BUILD}: build them first.")
    dead = list(dead_links(BUILD))
    for path, link in dead:
        print(f"{path.relative_to(BUILD)}: {link}")
    print(f"{pages} pages, {len(dead)} dead links")
    sys.exit(bool(dead))


if __name__ == "__main__":
    main()
