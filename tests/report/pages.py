"""Reports read as browsers read them."""

import re
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "input", "hr"}


class Element:
    """An element with its attributes, parts and text."""

    def __init__(self, tag, attributes=(), parent=None):
        self.tag = tag
        self.attributes = dict(attributes)
        self.parent = parent
        self.children = []
        self.words = []

    def __getitem__(self, name):
        return self.attributes[name]

    def get(self, name):
        return self.attributes.get(name)

    @property
    def text(self):
        """All text within, with single spaces."""
        return " ".join("".join(self._texts()).split())

    def _texts(self):
        for part in self.words:
            yield from part._texts() if isinstance(part, Element) else [part]

    def all(self, tag, css_class=None):
        """List the elements within that have a tag, and maybe a class."""
        found = []
        for child in self.children:
            if child.tag == tag and (
                css_class is None or css_class in (child.get("class") or "").split()
            ):
                found.append(child)
            found += child.all(tag, css_class)
        return found

    def first(self, tag, css_class=None):
        return self.all(tag, css_class)[0]


class Page(HTMLParser):
    """A page as a tree of elements; a tag that is not closed is an error."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.source = source
        self.root = self.open = Element("document")
        self.feed(source)
        self.close()
        assert self.open is self.root, f"{self.open.tag} is not closed"

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs, self.open)
        self.open.children.append(element)
        self.open.words.append(element)
        if tag not in VOID:
            self.open = element

    def handle_startendtag(self, tag, attrs):
        element = Element(tag, attrs, self.open)
        self.open.children.append(element)

    def handle_endtag(self, tag):
        assert tag == self.open.tag, f"{self.open.tag} closed by {tag}"
        self.open = self.open.parent

    def handle_data(self, data):
        self.open.words.append(data)

    def all(self, tag, css_class=None):
        return self.root.all(tag, css_class)

    def first(self, tag, css_class=None):
        return self.root.first(tag, css_class)

    @property
    def elements(self):
        """Every element."""
        found, waiting = [], [self.root]
        while waiting:
            element = waiting.pop()
            found.append(element)
            waiting += element.children
        return found

    def section(self, title):
        """The section of a title, or None."""
        for section in self.all("section"):
            if section.first("h2").text == title:
                return section
        return None

    def table(self, caption):
        """Rows of the table whose caption begins so, as dicts of cells by column."""
        for table in self.all("table"):
            if table.first("caption").text.startswith(caption):
                head, *rows = table.all("tr")
                names = [cell.text for cell in head.children]
                return [dict(zip(names, row.children, strict=True)) for row in rows]
        raise AssertionError(f"no table {caption!r}")

    @property
    def addresses(self):
        """All that the page refers to, from attributes and style sheets."""
        for element in self.elements:
            for name, value in element.attributes.items():
                if name in ("href", "src", "srcset", "action", "data", "xlink:href"):
                    yield value
                yield from re.findall(r"url\(([^)]*)\)", value or "")
        for style in self.all("style"):
            yield from re.findall(r"url\(([^)]*)\)|@import ([^;]*)", style.text)
