"""Reading MJML as the author wrote it, with the Liquid in it: elements, and where each piece of Liquid stands."""

import re
from dataclasses import dataclass, field
from difflib import get_close_matches

from recoup.messaging.rendering.findings import Finding, line_of
from recoup.messaging.rendering.limits import NESTED_ELEMENTS
from recoup.messaging.rendering.markup import (
    ELEMENTS,
    MARK,
    VOID,
    address_trouble,
    is_address_attribute,
    is_attribute_forbidden,
    is_scripting,
    is_style_forbidden,
)

_FINDINGS = 30
"""After so many the author has enough to do, and reading on costs more than it tells."""

LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9:-]*")
_SPACE = re.compile(r"\s*")
_ATTRIBUTE = re.compile(r"([A-Za-z_:][\w:.-]*)\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
_WORD = re.compile(r"lqm(\d+)z")
_TAG = re.compile(r"\{%-?\s*(\w+)")
_ENDS = frozenset({"endif", "endunless", "endcase", "endfor", "endcapture", "endcomment"})
_MIDDLE_TAGS = frozenset({"else", "elsif", "when"})
_BLOCK_TAGS = frozenset({"if", "unless", "case", "for", "capture", "comment"})
_WORDS_ONLY = frozenset({"mj-title", "mj-preview"})


@dataclass(frozen=True, slots=True)
class Element:
    """An opening tag, a closing tag, or a text between them; Liquid is replaced by marks."""

    event: str
    """`open`, `close` or `text`."""

    name: str
    """Of a text: the element that it stands in."""

    text: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spot:
    """One piece of Liquid in an attribute, and how that attribute begins."""

    liquid: str
    index: int
    attribute: str
    opens_address: bool
    """It is the first thing of an address, so that what it prints decides where one lands."""


class Source:
    """A template's MJML, read once.

    `text` is the source without comments, line for line; `elements`, `spots` and `findings` are what was found in it;
    `marked` is the MJML to compile, with marks for Liquid and void elements closed.
    """

    def __init__(self, text: str) -> None:
        self.findings: list[Finding] = []
        self.elements: list[Element] = []
        self.spots: list[Spot] = []
        self._stack: list[tuple[str, int]] = []
        self._blocks: list[tuple[tuple[int, ...], int]] = []
        """For each open block of Liquid, the elements that were open where it began, and its number."""
        self._written: list[str] = []
        self.text = _COMMENT.sub(self._blank_comment, text)
        if reserved := MARK.search(self.text):
            self._find("reserved_word", reserved.start(), word=reserved[0])
        self.liquid = [match[0] for match in LIQUID.finditer(self.text)]
        self._starts = [match.start() for match in LIQUID.finditer(self.text)]
        numbers = iter(range(len(self.liquid)))
        self._plain = LIQUID.sub(lambda _: f"lqm{next(numbers)}z", self.text)
        self._read()
        self.marked = "".join(self._written)

    def restore(self, marked: str) -> str:
        """Return the text with every mark replaced by its Liquid."""
        return MARK.sub(self._liquid_of, marked)

    def _liquid_of(self, match: re.Match[str]) -> str:
        number = int(match[1] or match[2])
        return self.liquid[number] if number < len(self.liquid) else match[0]

    def blocks_of(self, marked: str) -> list[int]:
        """Return the numbers of the tags (`{% … %}`) in the order in which they stand in a marked text."""
        numbers = [int(first or second) for first, second in MARK.findall(marked)]
        return [number for number in numbers if self.liquid[number].startswith("{%")]

    def _blank_comment(self, match: re.Match[str]) -> str:
        if match[0].startswith(("<!--[", "<!-->")):
            self.findings.append(Finding("comment_conditional", "html", line_of(match.string, match.start())))
        return "\n" * match[0].count("\n")

    def _original(self, index: int) -> int:
        """Return the place in `text` of a place in the marked text."""
        shift = 0
        for number, start in enumerate(self._starts):
            width = len(f"lqm{number}z")
            if start - shift > index:
                break
            if index < start - shift + width:
                return start
            shift += width - len(self.liquid[number])
        return index - shift

    def _find(self, code: str, index: int, **values: str) -> None:
        self.findings.append(Finding(code, "html", line_of(self.text, index), values))

    def _read(self) -> None:
        at = 0
        while at < len(self._plain) and len(self.findings) < _FINDINGS:
            bracket = self._plain.find("<", at)
            bracket = len(self._plain) if bracket < 0 else bracket
            if bracket > at:
                self._text(self._plain[at:bracket], at)
            at = self._tag(bracket) if bracket < len(self._plain) else bracket
        if len(self.findings) >= _FINDINGS:
            return
        for name, index in self._stack:
            self._find("element_unclosed", index, element=name)
        for _, number in self._blocks[-3:]:
            self._find("block_unclosed", self._starts[number], tag=self.liquid[number])
        if not self.elements or self.elements[0].name != "mjml":
            self._find("not_mjml", 0)

    def _tag(self, at: int) -> int:
        """Read the tag that begins here; return where it ends."""
        is_closing = self._plain.startswith("</", at)
        name = _NAME.match(self._plain, at + (2 if is_closing else 1))
        if name is None:
            self._find("sign_unescaped", self._original(at))
            return at + 1
        if is_closing:
            return self._close(name[0].lower(), name.end(), at)
        return self._open(name[0].lower(), name.end(), at)

    def _close(self, name: str, at: int, start: int) -> int:
        end = self._plain.find(">", at)
        end = len(self._plain) if end < 0 else end
        if self._plain[at:end].strip():
            self._find("tag_unreadable", self._original(start), element=name)
        if name in VOID:
            return end + 1
        if name not in [opened for opened, _ in self._stack]:
            self._find("element_unopened", self._original(start), element=name)
            return end + 1
        while self._stack[-1][0] != name:
            unclosed, index = self._stack.pop()
            self._find("element_unclosed", index, element=unclosed)
        self._stack.pop()
        self.elements.append(Element("close", name))
        self._written.append(f"</{name}>")
        return end + 1

    def _open(self, name: str, at: int, start: int) -> int:
        attributes: dict[str, str] = {}
        self._written.append(f"<{name}")
        while True:
            at = _SPACE.match(self._plain, at).end()  # type: ignore[union-attr]  # it matches nothing, too
            if at >= len(self._plain) or self._plain.startswith(("/>", ">"), at):
                break
            found = _ATTRIBUTE.match(self._plain, at)
            if found is None:
                at = self._skip_attribute(name, at)
                break
            quote = '"' if found[2] is not None else "'"
            value = found[2] if found[2] is not None else found[3]
            attributes[found[1].lower()] = value
            self._written.append(f" {found[1]}={quote}{value}{quote}")
            at = found.end()
        is_empty = name in VOID or self._plain.startswith("/>", at)
        self._element(name, attributes, self._original(start), is_empty=is_empty)
        self._written.append("/>" if is_empty else ">")
        return at + (2 if self._plain.startswith("/>", at) else 1)

    def _skip_attribute(self, element: str, at: int) -> int:
        end = self._plain.find(">", at)
        end = len(self._plain) if end < 0 else end
        has_liquid = MARK.search(self._plain, at, end) is not None
        code = "liquid_in_tag" if has_liquid else "attribute_unquoted"
        self._find(code, self._original(at), element=element)
        return end

    def _element(self, name: str, attributes: dict[str, str], index: int, *, is_empty: bool) -> None:
        if name not in ELEMENTS:
            close = get_close_matches(name, ELEMENTS, n=1, cutoff=0.75)
            self._find("element_forbidden", index, element=name, suggestion=close[0] if close else "")
        if len(self._stack) >= NESTED_ELEMENTS:
            self._find("nested_too_deep", index, element=name)
        for attribute, value in attributes.items():
            self._attribute(name, attribute, value, index)
        self.elements.append(Element("open", name, attributes=attributes))
        if is_empty:
            self.elements.append(Element("close", name))
        else:
            self._stack.append((name, index))

    def _attribute(self, element: str, attribute: str, value: str, index: int) -> None:
        is_address = is_address_attribute(attribute)
        trouble = address_trouble(value) if is_address else "link_forbidden" if is_scripting(value) else ""
        if is_attribute_forbidden(attribute):
            self._find("attribute_forbidden", index, attribute=attribute)
        elif trouble:
            self._find(trouble, index, address=self.restore(value).strip(), element=element)
        elif attribute == "style" and is_style_forbidden(value):
            self._find("style_forbidden", index)
        for match in _WORD.finditer(value):
            if int(match[1]) < len(self.liquid):
                opens = is_address and not value[: match.start()].strip()
                start = self._starts[int(match[1])]
                self.spots.append(
                    Spot(self.liquid[int(match[1])], start, attribute if is_address else "", opens)
                )

    def _check_block(self, number: int) -> None:
        """Refuse a block of Liquid that begins in one element and ends in another."""
        tag = _TAG.match(self.liquid[number]) if number < len(self.liquid) else None
        here = tuple(index for _, index in self._stack)
        if tag is None or tag[1] not in _BLOCK_TAGS | _MIDDLE_TAGS | _ENDS:
            return
        if tag[1] in _BLOCK_TAGS:
            self._blocks.append((here, number))
            return
        if self._blocks and self._blocks[-1][0] != here:
            self._find("block_crosses", self._starts[number], tag=tag[1])
        if self._blocks and tag[1] in _ENDS:
            self._blocks.pop()

    def _text(self, text: str, at: int) -> None:
        holder = self._stack[-1][0] if self._stack else ""
        if holder == "mj-style":
            if _WORD.search(text):
                self._find("liquid_misplaced", self._original(at))
            if is_style_forbidden(text):
                self._find("style_forbidden", self._original(at))
        for match in _WORD.finditer(text):
            self._check_block(int(match[1]))
        self.elements.append(Element("text", holder, text))
        # In a sentence a mark is a comment, which may stand between the rows of a table; titles take words alone.
        self._written.append(text if holder in _WORDS_ONLY else _WORD.sub(r"<!--\g<0>-->", text))
