"""The door for webhooks of shops: signature over the raw bytes, kept, answered, applied."""

from urllib.parse import quote

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from recoup.core import inbox
from recoup.core.clock import real_now
from recoup.core.fields import SecretUnreadable
from recoup.hooks import at_once, limits, spool
from recoup.hooks.calls import call_headers, call_of, flag_conflict
from recoup.hooks.drain import drain_spool
from recoup.hooks.known import AWAY, DatabaseAway, Known, known_source
from recoup.hooks.middleware import LARGEST_BODY
from recoup.shops.ports import CallUnreadable, SignatureRefused

log = structlog.get_logger(__name__)

SMALLEST_BODY = 2
RETRY_SECONDS = "30"


@csrf_exempt
def receive(request: HttpRequest, key: str) -> HttpResponse:
    """Take in one call at `/hooks/<key>`. Answered 200 it is committed; 202, it is on this machine's disk (R1, R2)."""
    spool.start_once(drain_spool)
    at_once.begin_call()
    try:
        return _receive(request, key)
    finally:
        at_once.end_call()


def _receive(request: HttpRequest, key: str) -> HttpResponse:  # noqa: PLR0911 - guards, then one path
    status, raw = _read_call(request)
    if status:
        return HttpResponse(status=status)
    headers = call_headers(request)
    try:
        known = known_source(key)
    except DatabaseAway:
        return _spooled(key, raw, headers, is_checked=False)
    except SecretUnreadable:
        log.error("hooks.secret_unreadable", key=key)
        return _unavailable()
    if known is None:
        return limits.refuse(request, key, 404)
    refusal = _refusal(request, known, raw, headers)
    if refusal is not None:
        return refusal
    try:
        return _kept(known, raw, headers)
    except AWAY:
        return _spooled(key, raw, headers, is_checked=True)


def _read_call(request: HttpRequest) -> tuple[int, bytes]:
    """Return the raw body, or the status that refuses the call for its form."""
    if request.method != "POST":
        return 405, b""
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        return 415, b""  # never inflated (T13)
    length = str(request.META.get("CONTENT_LENGTH") or "")
    if length and (not length.isdecimal() or int(length) > LARGEST_BODY):
        return (413 if length.isdecimal() else 400), b""
    raw = request.body if length else _chunked_body(request)
    if len(raw) > LARGEST_BODY:
        return 413, b""
    return (400 if len(raw) < SMALLEST_BODY else 0), raw


def _chunked_body(request: HttpRequest) -> bytes:
    """Return a body that came in chunks, which Django would take for empty, and one byte more than may be."""
    if not request.META.get("wsgi.input_terminated"):
        return b""
    raw: bytes = request.META["wsgi.input"].read(LARGEST_BODY + 1)
    return raw


def _refusal(request: HttpRequest, known: Known, raw: bytes, headers: dict[str, str]) -> HttpResponse | None:
    """Return the answer to a call that is not signed as it should be, or `None` if it is."""
    try:
        known.platform.check_call(known.source, raw, headers, now=real_now())
    except SignatureRefused:
        if known.platform.peek(raw, headers).is_ping:
            return HttpResponse(b"pong\n", content_type="text/plain")
        return limits.refuse(request, known.source.key, 401)
    except CallUnreadable:
        return limits.refuse(request, known.source.key, 400)
    return None


def _kept(known: Known, raw: bytes, headers: dict[str, str]) -> HttpResponse:
    kept = inbox.keep(call_of(known, raw, headers, known.platform.peek(raw, headers)))
    if kept.is_new:
        return at_once.KeptAnswer(kept.item_id)
    if kept.is_new_conflict:
        flag_conflict(known, kept)
    return HttpResponse(b"known\n", content_type="text/plain")


def _spooled(key: str, raw: bytes, headers: dict[str, str], *, is_checked: bool) -> HttpResponse:
    if quote(key, safe="") != key or len(key) > 60:
        return HttpResponse(status=404)
    try:
        spool.put(spool.SpooledCall(key, raw, headers, real_now(), is_checked))
    except spool.SpoolFull:
        return _unavailable()
    spool.start_draining(drain_spool)
    return HttpResponse(b"kept for later\n", content_type="text/plain", status=202)


def _unavailable() -> HttpResponse:
    return HttpResponse(status=503, headers={"Retry-After": RETRY_SECONDS})
