"""Logs: one JSON line each on the error stream; ids and codes, no names, addresses or tokens (style 8, T157)."""

import logging
import re
import sys
import threading
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

_ADDRESS = re.compile(r"[^\s@'\"<>()\[\]{}=,;:]+@[^\s@'\"<>()\[\]{}=,;:]+")
# PostgreSQL tells in its details which values a row held: up to the end of the message, over line breaks and quotes.
_DETAILS = re.compile(
    r"(DETAIL|CONTEXT|LINE \d+):.*?(?=\n(?:Traceback |The above |During handling |  File |  [+|])|\Z)",
    re.DOTALL,
)
# What is named in quotes may be a value: of a message all but names of ours, which have no space and no capital.
_QUOTED = re.compile(r'"(?![a-z_][a-z0-9_]*")[^"\n]*"' + r"|(?<=input_value=)(?:'[^'\n]*'|\S+)")
_NUMBER = re.compile(r"\+?\d[\d \-()]{7,}\d")
_TRACED = ('  File "', "    ")  # how lines of our source begin in a trace
WINDOW = 60.0  # seconds
AT_MOST = 10  # lines of one kind in a window (T158)
_KINDS = 500  # whose count is kept
_FREE_TEXT = ("event", "error", "exception", "reason")


class Flood(logging.Filter):
    """Lets the first lines of a kind pass and counts the others; the next that passes tells how many those were."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[object, ...], tuple[float, int]] = {}  # since when, and how many
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is written. News (level info) always is: there is one for what was done, not more."""
        if record.levelno < logging.WARNING:
            return True
        fields = record.msg if isinstance(record.msg, dict) else {"event": record.msg}
        match = getattr(getattr(record, "request", None), "resolver_match", None)
        place = fields.get("loop") or getattr(match, "route", "")
        kind = (record.name, record.levelno, str(fields.get("event")), place)
        now = time.monotonic()
        with self._lock:
            if len(self._seen) >= _KINDS and kind not in self._seen:
                self._seen.clear()
            since, count = self._seen.get(kind, (now, 0))
            left_out = 0
            if now - since >= WINDOW:
                left_out, since, count = max(count - AT_MOST, 0), now, 0
            self._seen[kind] = since, count + 1
        if left_out:
            record.left_out = left_out
        return count < AT_MOST


def configure(_settings: dict[str, Any]) -> None:
    """Configure standard logging and structlog alike.

    Only what nobody answered for is an error: an address that does not exist, a form without its token and a foreign host
    name are what the web is full of. Libraries speak up from a warning on.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                _count_left_out,
                _name_request,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _without_values,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=shared,
        )
    )
    handler.addFilter(Flood())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("recoup").setLevel(logging.INFO)
    logging.getLogger("django").handlers = []
    logging.getLogger("django.request").setLevel(logging.ERROR)
    logging.getLogger("django.security.csrf").setLevel(logging.ERROR)
    logging.getLogger("django.security.DisallowedHost").setLevel(logging.CRITICAL)


def _count_left_out(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    left_out = getattr(event.get("_record"), "left_out", 0)
    if left_out:
        event["left_out"] = left_out
    return event


def _name_request(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the route of a request that broke instead of its address, which may be a link that pays."""
    request = getattr(event.get("_record"), "request", None)
    if request is not None and hasattr(request, "resolver_match"):
        match = request.resolver_match
        event["event"] = "web.request.failed"
        event["route"] = match.route if match is not None else ""
        event["method"] = request.method
        number = getattr(request, "error_number", "")
        if number:
            event["number"] = number
    return event


def _without_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out of free text what a database or a library tells of people. Lines of our source in a trace stay."""
    for name in _FREE_TEXT:
        text = event.get(name)
        if isinstance(text, str):
            text = _DETAILS.sub(r"\1: …", text)
            event[name] = "\n".join(
                line if line.startswith(_TRACED) else _blank(line) for line in text.split("\n")
            )
    return event


def _blank(line: str) -> str:
    return _NUMBER.sub("…", _QUOTED.sub('"…"', _ADDRESS.sub("…@…", line)))
