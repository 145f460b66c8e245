"""Every word that a person sees in a template can be translated.

Text stands in {% translate %} or {% blocktranslate %}, in attributes too. What is the same in every language stands in
<code>, <kbd> or <pre>, or in an element with translate="no".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import PurePosixPath

BLOCKS = re.compile(
    # Blocks that fill a class attribute, then what people do not read, then what is filled in or translated.
    r"{%\s*block (?:\w+_class|column)\s*%}.*?{%\s*endblock.*?%}"
    r"|{%\s*(comment|blocktranslate|blocktrans|verbatim)\b.*?{%\s*end\1\s*%}|{%.*?%}|{{.*?}}|{#.*?#}",
    re.DOTALL,
)
WORD = re.compile(r"[^\W\d_]{2,}")
ENTITY = re.compile(r"&#?\w+;")
SEEN = {"title", "placeholder", "aria-label", "aria-description", "alt", "label", "content"}
SAME_EVERYWHERE = {"code", "kbd", "pre", "script", "style", "svg", "template"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
NAMES = {"Recoup"}


def applies(path: PurePosixPath) -> bool:
    """Look at pages."""
    return path.suffix == ".html" and path.is_relative_to("recoup") and "templates" in path.parts


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Find words outside of the translation tags."""
    reader = _Reader()
    reader.feed(BLOCKS.sub(_blank, text))
    reader.close()
    for number, word in reader.found:
        yield number, f"'{word}' cannot be translated: put it into {{% translate %}}"


def _blank(match: re.Match[str]) -> str:
    """Keep the lines, so that faults are found where they are."""
    return "\n" * match[0].count("\n")


class _Reader(HTMLParser):
    """Collects words in texts and in attributes that are shown or read aloud."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[tuple[int, str]] = []
        self._quiet: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID and (self._quiet or tag in SAME_EVERYWHERE or given.get("translate") == "no"):
            self._quiet.append(tag)
        if self._quiet:
            return
        for name, value in attrs:
            is_button = name == "value" and tag == "input" and given.get("type") in {"submit", "button"}
            is_meta = name == "content" and given.get("name") != "description"
            if (name in SEEN or is_button) and not is_meta:
                self._look(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._quiet and tag in self._quiet:
            while self._quiet.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self._look(data)

    def _look(self, text: str) -> None:
        line = self.getpos()[0]
        for offset, part in enumerate(text.split("\n")):
            words = [word for word in WORD.findall(ENTITY.sub("", part)) if word not in NAMES]
            if words:
                self.found.append((line + offset, words[0]))
