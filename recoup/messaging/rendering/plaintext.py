"""The plain-text part, made from the same MJML so that it reads as if a person had written it.

Breaks are written as signs of their own and turned into line ends after Liquid has run: only then is it known which of
the blocks on both sides of a condition were written at all.
"""

import re
from html import unescape

from recoup.messaging.rendering.sources import Element, Source

_LINE, _PARAGRAPH, _CELL = "\ue001", "\ue002", "\ue003"
"""Private signs: no value brings them along, since cleaning takes out what cannot be printed."""

_PARAGRAPHS = frozenset(
    {
        "mj-text",
        "mj-button",
        "mj-table",
        "mj-section",
        "mj-column",
        "mj-wrapper",
        "mj-image",
        "mj-hero",
        "mj-social",
    }
    | {
        "mj-navbar",
        "mj-raw",
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "ul",
        "ol",
        "table",
        "pre",
        "div",
    }
)
_LINES = frozenset({"tr", "li", "mj-social-element", "mj-navbar-link"})
_SKIPPED = frozenset({"mj-head"})
_HTML_ONLY = "html-only"
"""The `css-class` of what only helps a reader of HTML, such as a button's address written out below it."""

_LINKS = frozenset({"a", "mj-button", "mj-social-element", "mj-navbar-link", "mj-image"})
_LAYOUT = frozenset(
    {
        "mjml",
        "mj-body",
        "mj-section",
        "mj-column",
        "mj-wrapper",
        "mj-group",
        "mj-social",
        "mj-navbar",
        "table",
        "tbody",
    }
)
_WORD = re.compile(r"lqm\d+z")

_GAPS = re.compile(r"\n{3,}")
_LINE_ENDS = re.compile(r"[ \t]+\n")
_EDGES = f" \t\n{_LINE}{_CELL}"


def plain_source(source: Source) -> str:
    """Return the Liquid source of the plain-text part; what it renders to goes through `settle`."""
    writer = _Writer(source)
    for element in source.elements:
        writer.take(element)
    return source.restore("".join(writer.pieces))


def settle(text: str) -> str:
    """Return a rendered text with its breaks as line ends, at most one empty line in a row and no blanks at the edges."""
    if _PARAGRAPH not in text:
        return _GAPS.sub("\n\n", _LINE_ENDS.sub("\n", text)).strip() + "\n"
    blocks = (block.strip(_EDGES) for block in text.split(_PARAGRAPH))
    return "\n\n".join([_settle_block(block) for block in blocks if block]) + "\n"


def _settle_block(block: str) -> str:
    """Return one paragraph: list entries and rows on lines of their own, cells two blanks apart, one blank between words."""
    if _LINE in block:
        return "\n".join([_settle_block(line) for part in block.split(_LINE) if (line := part.strip(_EDGES))])
    if "\n" in block:
        lines = "\n".join([_settle_line(line) for line in block.split("\n")])
        return _GAPS.sub("\n\n", lines)
    return _settle_line(block)


def _settle_line(line: str) -> str:
    if _CELL in line:
        return "  ".join([_settle_line(cell) for part in line.split(_CELL) if (cell := part.strip())])
    return " ".join([word for word in line.split(" ") if word]) if "  " in line else line.strip(" \t")


class _Writer:
    def __init__(self, source: Source) -> None:
        self.pieces: list[str] = []
        self._source = source
        self._skipping = 0
        self._links: list[tuple[str, str, int]] = []
        """Open links: address, what to call it if nothing is written inside, and where its words begin."""

    def take(self, element: Element) -> None:
        if element.event != "text" and (self._skipping or _is_skipped(element)):
            self._skipping += 1 if element.event == "open" else -1
            return
        if self._skipping:
            return
        match element.event:
            case "open":
                self._open(element)
            case "close":
                self._close(element.name)
            case _:
                self._text(element.text, element.name)

    def _open(self, element: Element) -> None:
        name = element.name
        self._break(name)
        match name:
            case "br":
                self.pieces.append("\n")
            case "hr" | "mj-divider":
                self.pieces += [_PARAGRAPH, "---", _PARAGRAPH]
            case "li":
                self.pieces.append("- ")
            case "td" | "th":
                self.pieces.append(_CELL)
        if name in _LINKS:
            address = unescape(element.attributes.get("href", "")).strip()
            called = element.attributes.get("alt") or element.attributes.get("name", "")
            self._links.append((address, unescape(called), len(self.pieces)))

    def _close(self, name: str) -> None:
        if name in _LINKS:
            self._link(name, *self._links.pop())
        self._break(name)

    def _break(self, name: str) -> None:
        if name in _PARAGRAPHS:
            self.pieces.append(_PARAGRAPH)
        elif name in _LINES:
            self.pieces.append(_LINE)

    def _link(self, name: str, address: str, called: str, start: int) -> None:
        label = "".join(self.pieces[start:]).strip()
        bare = re.sub(r"^(mailto|tel|sms):", "", address)
        if not address or address == "#":
            return
        if self._source.restore(label) in {self._source.restore(address), self._source.restore(bare)}:
            return
        if not label and called:
            self.pieces.append(called)
        if not label and not called:
            self.pieces.append(bare)
        elif name in {"mj-button", "mj-image"}:
            self.pieces.append(f":\n{address}")
        else:
            self.pieces.append(f" ({bare})")

    def _text(self, text: str, holder: str) -> None:
        if holder in _LAYOUT:
            # Between the blocks of a layout there are no words, only Liquid that chooses among them.
            self.pieces += _WORD.findall(text)
        else:
            self.pieces.append(unescape(re.sub(r"\s+", " ", text)).replace("\xa0", " "))


def _is_skipped(element: Element) -> bool:
    return element.name in _SKIPPED or _HTML_ONLY in element.attributes.get("css-class", "").split()
