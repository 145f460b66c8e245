"""WooCommerce's REST API over the guarded client: https, Basic, plain answers to what can go wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

from recoup.core import http, strict_json
from recoup.core.http import AddressRefused, Answer, CallFailed
from recoup.core.strict_json import JsonRefused
from recoup.core.text import clean_line
from recoup.shops.models import Source
from recoup.shops.ports import SourceRefused, SourceUnavailable

API = "/wp-json/wc/v3/"
_MOST_BYTES = 16 * 1024 * 1024  # a hundred orders with their plugins' data
_SECONDS = 30.0
_NOT_FOUND = frozenset(
    {
        "woocommerce_rest_shop_order_invalid_id",
        "woocommerce_rest_product_invalid_id",
        "woocommerce_rest_shop_coupon_invalid_id",
    }
)


class RequestRefused(SourceRefused):
    """The shop understood a request and will not do it: its code, and what it says to a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"request_refused: 400 {code}".strip()[:140])
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Keys:
    """A consumer key and its secret."""

    key: str
    secret: str


def keys_of(source: Source) -> Keys:
    """Return the keys of a source.

    :raises SourceRefused: if there are none.
    """
    try:
        kept = json.loads(source.credentials or "{}")
    except ValueError:
        kept = {}
    key, secret = str(kept.get("consumer_key", "")), str(kept.get("consumer_secret", ""))
    if not key or not secret:
        raise SourceRefused("keys_missing")
    return Keys(key, secret)


@dataclass(frozen=True, slots=True)
class Found:
    """An answer of the API: its JSON, and the shop's own clock."""

    body: Any
    at: datetime | None


class Api:
    """One shop's API; use it as a context."""

    def __init__(self, source: Source, *, seconds: float = _SECONDS) -> None:
        self._base = source.base_url.rstrip("/") + API
        self._keys = keys_of(source)
        self._client = http.Client(seconds=seconds, most_bytes=_MOST_BYTES)

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, trace)

    def get(self, path: str, **params: str | int) -> Found:
        """Fetch something.

        :raises SourceUnavailable: if it may work later. :raises SourceRefused: if a person must act.
        :raises LookupError: if the shop knows no such thing.
        """
        return self._call("GET", path, params=params)

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Found:
        """Make or change something. Raises as `get` does.

        :raises RequestRefused: if the shop says why it will not.
        """
        return self._call(method, path, content=json.dumps(body).encode())

    def delete(self, path: str) -> Found:
        """Delete something for good, not into the bin. Raises as `get` does."""
        return self._call("DELETE", path, params={"force": "true"})

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        content: bytes | None = None,
    ) -> Found:
        try:
            answer = self._client.call(
                method,
                self._base + path,
                params=params,
                content=content,
                headers={"content-type": "application/json", "accept": "application/json"},
                auth=(self._keys.key, self._keys.secret),
            )
        except AddressRefused as error:
            raise SourceRefused(str(error)) from error
        except CallFailed as error:
            if error.code in {"redirected", "tls_failed"}:
                raise SourceRefused(str(error)) from error
            raise SourceUnavailable(str(error)) from error
        return _understood(answer)


def _understood(answer: Answer) -> Found:
    body = _json(answer)
    if answer.status < 300:
        if body is None:
            raise SourceUnavailable("answer_not_json")
        return Found(body, _clock(answer))
    code = str(body.get("code", "")) if isinstance(body, dict) else ""
    details = f"{answer.status} {code}".strip()[:120]
    if answer.status == 404:
        if code in _NOT_FOUND:
            raise LookupError(code)
        raise SourceRefused(f"no_rest_api: {details}")
    if answer.status in {401, 403}:
        raise SourceRefused(f"keys_refused: {details}")
    if answer.status == 400:
        message = str(body.get("message", "")) if isinstance(body, dict) else ""
        raise RequestRefused(code, clean_line(message, length=200))
    raise SourceUnavailable(f"answer_status: {details}")


def _json(answer: Answer) -> Any:
    try:
        return strict_json.loads(answer.body)
    except JsonRefused:
        return None


def _clock(answer: Answer) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError, TypeError):
        return None
