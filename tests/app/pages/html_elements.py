"""The elements of a page, in order, each with its attributes and all the text inside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "stop"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(self.elements[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, tag
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.pieces.append(data)


def elements(html: str, tag: str | None = None, **attributes: str) -> list[Element]:
    """Elements of a tag with these attributes; `class_` is the whole class attribute. Nesting is checked."""
    reader = _Reader()
    reader.feed(html)
    wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    return [
        element
        for element in reader.elements
        if tag in (None, element.tag) and wanted.items() <= element.attributes.items()
    ]


def movies_of(html: str, name: str) -> list[str]:
    """The shown titles of the list with this label."""
    (shelf,) = elements(html, "ul", aria_label=name)
    reader = _Reader()
    reader.feed(html)
    titles = [one.text for one in reader.elements if one.attributes.get("class") == "card-title"]
    return [title for title in titles if title in shelf.text]
