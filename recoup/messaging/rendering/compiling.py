"""Making a version ready to send: all of it checked, MJML compiled once, the plain-text part made, a trial written."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from html.parser import HTMLParser
from typing import Any

import mrml
from liquid.exceptions import LiquidError

from recoup.messaging.rendering.checking import Inspection, Printed, inspect
from recoup.messaging.rendering.environment import HTML, TEXT
from recoup.messaging.rendering.findings import Finding, line_of
from recoup.messaging.rendering.limits import HTML_WARNED_BYTES
from recoup.messaging.rendering.markup import (
    COMPILED_ELEMENTS,
    address_trouble,
    is_address_attribute,
    is_attribute_forbidden,
    is_scripting,
    is_style_forbidden,
)
from recoup.messaging.rendering.plaintext import plain_source
from recoup.messaging.rendering.rendering import Prepared, RenderProblem
from recoup.messaging.rendering.samples import sample_context, sparse_context
from recoup.messaging.rendering.sources import LIQUID, Source, Spot
from recoup.messaging.rendering.tokens import CATALOGUE, Context, Kind

Document = dict[str, Any]

# Between the parts of a table blanks mean nothing. MJML writes mails in one line of 12 KB; in short ones most lines are
# the same in every mail, so that each is encoded once.
_BETWEEN_CELLS = re.compile(
    r"(<(?:table|tbody|tr)\b[^>]*>|</(?:table|tbody|tr|td)>)(?=</?(?:table|tbody|tr|td)\b|<!--\[if)"
)
_UNSUBSCRIBE = "links.unsubscribe"
_HTML = re.compile(r"</?[A-Za-z][^<>]{0,40}>?")
_STOP_WORD = re.compile(r"\b(?:STOP|СТОП)\b")


def compile_source(request: Mapping[str, Any]) -> Document:
    """Return the findings about a template, and the compiled template if none of them forbids it."""
    compiler = _ShortCompiler(request) if request.get("channel") == "sms" else _Compiler(request)
    compiled = compiler.compile()
    blocking = any(finding.is_blocking for finding in compiler.findings)
    return {
        "findings": [asdict(finding) for finding in compiler.findings],
        "compiled": None if blocking else compiled,
    }


class _Compiler:
    def __init__(self, request: Mapping[str, Any]) -> None:
        self.subject: str = request["subject"]
        self.written_text: str = request["text"]
        self.needs_unsubscribe: bool = request["needs_unsubscribe"]
        self.context = Context(request["context"])
        self.locale: str = request["locale"]
        self.findings: list[Finding] = []
        self.tokens: set[str] = set()
        self.source = Source(request["html"])

    def compile(self) -> Document | None:
        """Check the author's parts; if they hold, compile them, check the result and write a trial."""
        self._check_subject()
        html = self._inspect(self.source.text, "html")
        if any(finding.code == "block_unclosed" for finding in self.source.findings):
            # The library names the end of the text, we the line of the tag.
            self.findings = [finding for finding in self.findings if finding.code != "syntax"]
        self.findings += self.source.findings
        self._check_addresses(html)
        if self.needs_unsubscribe and not self._has_unsubscribe(html):
            self._find("unsubscribe_missing", "html", token=_UNSUBSCRIBE)
        if self.written_text.strip():
            text = self._inspect(self.written_text, "text")
            if self.needs_unsubscribe and _UNSUBSCRIBE not in text.always:
                self._find("unsubscribe_missing", "text", token=_UNSUBSCRIBE)
        if self._is_refused():
            return None
        marked = self._compile_mjml()
        if self._is_refused():
            return None
        compiled = {
            "subject": self.subject.strip(),
            "html": self.source.restore(marked),
            "text": self.written_text if self.written_text.strip() else plain_source(self.source),
            "tokens": sorted(self.tokens),
        }
        self._try_out(compiled)
        return compiled

    def _find(self, code: str, place: str, line: int = 0, *, blocking: bool = True, **values: str) -> None:
        self.findings.append(Finding(code, place, line, values, is_blocking=blocking))

    def _is_refused(self) -> bool:
        return any(finding.is_blocking for finding in self.findings)

    def _inspect(self, source: str, place: str) -> Inspection:
        environment = HTML if place == "html" else TEXT
        inspection = inspect(
            source, place=place, environment=environment, context=self.context, locale=self.locale
        )
        self.findings += inspection.findings
        self.tokens |= inspection.tokens
        return inspection

    def _check_subject(self) -> None:
        if not self.subject.strip():
            self._find("subject_missing", "subject")
        elif len(self.subject.strip().splitlines()) > 1:
            self._find("subject_lines", "subject", 2)
        self._inspect(self.subject, "subject")

    def _check_addresses(self, html: Inspection) -> None:
        for spot in self.source.spots:
            if not spot.attribute:
                continue
            line = line_of(self.source.text, spot.index)
            if spot.liquid.startswith("{%"):
                self._find("link_conditional", "html", line)
            elif spot.opens_address and not _prints_link(html.printed.get(spot.index)):
                self._find("link_from_value", "html", line, address=spot.liquid)

    def _has_unsubscribe(self, html: Inspection) -> bool:
        """Tell whether everybody who reads the mail finds a link to leave."""
        linked = [
            spot for spot in self.source.spots if spot.opens_address and _path(html, spot) == _UNSUBSCRIBE
        ]
        return bool(linked) and _UNSUBSCRIBE in html.always

    def _compile_mjml(self) -> str:
        """Return the HTML, still with marks for its Liquid."""
        options = mrml.RenderOptions(disable_comments=False, fonts={})
        try:
            html = mrml.to_html(self.source.marked, mrml.ParserOptions(mrml.noop_loader()), options).content
        except OSError as error:
            self._find("mjml_unreadable", "html", detail=str(error))
            return ""
        if LIQUID.search(html):
            self._find("liquid_hidden", "html")
        if self.source.blocks_of(html) != self.source.blocks_of(self.source.marked):
            self._find("liquid_moved", "html")
        watcher = _Watcher()
        watcher.feed(html)
        watcher.close()
        self.findings += watcher.troubles
        return _BETWEEN_CELLS.sub(r"\1\n", html)

    def _try_out(self, compiled: Document) -> None:
        """Write the mail for somebody of whom all is known and for somebody of whom nothing is."""
        as_written = {**compiled, "html": self.source.text}
        for make_context in (sample_context, sparse_context):
            for document in (as_written, compiled):
                try:
                    _, html, _ = Prepared(document).render(
                        make_context(self.context, self.locale), self.locale, "UTC"
                    )
                except RenderProblem as error:
                    self._find(f"trial_{error.code}", error.place, error.line, detail=error.detail)
                    return
                except (LiquidError, RecursionError) as error:
                    self._find("liquid_moved", "html", detail=str(getattr(error, "message", error)))
                    return
            if len(html) > HTML_WARNED_BYTES and not any(
                found.code == "html_long" for found in self.findings
            ):
                self._find("html_long", "html", blocking=False, size=str(len(html) // 1000))


class _ShortCompiler(_Compiler):
    """A short message: Liquid in plain text and nothing else."""

    def compile(self) -> Document | None:
        """Check the text; if it holds, write a trial."""
        self.source = Source("<mjml></mjml>")
        if not self.written_text.strip():
            self._find("text_missing", "text")
            return None
        text = self._inspect(self.written_text, "text")
        tag = _HTML.search(LIQUID.sub("", self.written_text))
        if tag is not None:
            self._find("html_in_text", "text", element=tag[0])
        leaves = _UNSUBSCRIBE in text.always or _STOP_WORD.search(LIQUID.sub("", self.written_text))
        if self.needs_unsubscribe and not leaves:
            self._find("stop_missing", "text", token=_UNSUBSCRIBE)
        if self._is_refused():
            return None
        compiled = {
            "subject": "",
            "html": "",
            "text": self.written_text.strip(),
            "tokens": sorted(self.tokens),
        }
        self._try_short(compiled)
        return compiled

    def _try_short(self, compiled: Document) -> None:
        for make_context in (sample_context, sparse_context):
            try:
                Prepared(compiled).render(make_context(self.context, self.locale), self.locale, "UTC")
            except RenderProblem as error:
                self._find(f"trial_{error.code}", "text", error.line, detail=error.detail)
                return


def _path(html: Inspection, spot: Spot) -> str:
    printed = html.printed.get(spot.index)
    return printed.path if printed else ""


def _prints_link(printed: Printed | None) -> bool:
    """Tell whether what opens an address is one of our links, or one of its fixed fallbacks."""
    if printed is None or printed.path not in CATALOGUE or CATALOGUE[printed.path].kind is not Kind.LINK:
        return False
    if len(printed.literals) < len(printed.filters):
        return False
    return all(not address_trouble(literal) for literal in printed.literals)


class _Watcher(HTMLParser):
    """Reads the compiled HTML as a mail program would: nothing may have slipped past the look at the source."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.troubles: list[Finding] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element and its attributes."""
        if tag.partition(":")[0] not in COMPILED_ELEMENTS:
            self._find("element_forbidden", element=tag, suggestion="")
        for name, value in attrs:
            trouble = address_trouble(value or "") if is_address_attribute(name) else ""
            if is_attribute_forbidden(name):
                self._find("attribute_forbidden", attribute=name)
            elif trouble or is_scripting(value or ""):
                self._find(trouble or "link_forbidden", address=value or "", element=tag)
            elif name == "style" and is_style_forbidden(value or ""):
                self._find("style_forbidden")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element that closes itself."""
        self.handle_starttag(tag, attrs)

    def _find(self, code: str, **values: str) -> None:
        self.troubles.append(Finding(code, "html", 0, values))
