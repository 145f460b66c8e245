"""The one client for everything that we fetch from addresses people typed in: our server is nobody's proxy (R39, T134-T140).

- https on port 443 (80 and 8443 where allowed), a real host name, no user name in the address;
- the name is resolved once, every one of its addresses must be public, and the address that was checked is dialled;
- no redirects, no proxies of the environment, no compression;
- the whole call has an end: seconds, bytes, headers.

The demo and the tests may also reach 127.0.0.1 and `localhost`, in clear text, on any port.
"""

import contextlib
import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpcore
import httpx
from django.conf import settings

SECONDS = 20.0
MOST_BYTES = 64 * 1024
CONNECT_SECONDS = 5.0
PORTS = frozenset({443, 80, 8443})
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
# Only this part of IPv6 is given out to the world; the rest, and the ways into IPv4 hidden in it, are refused (M12).
_WORLD = ipaddress.ip_network("2000::/3")
_HIDDEN = tuple(ipaddress.ip_network(net) for net in ("2001::/23", "2002::/16", "2001:db8::/32", "3fff::/20"))
_deadline: ContextVar[float] = ContextVar("recoup_http_deadline")


class AddressRefused(ValueError):
    """The address must not be called. `code` says why; its words stand in `shops.reasons`."""

    def __init__(self, code: str, details: str = "") -> None:
        super().__init__(f"{code}: {details}" if details else code)
        self.code = code


class CallFailed(Exception):
    """No usable answer. `code` says why; `may_have_arrived` is false only if nothing can have had an effect."""

    def __init__(self, code: str, details: str = "", *, may_have_arrived: bool = True) -> None:
        super().__init__(f"{code}: {details}" if details else code)
        self.code = code
        self.may_have_arrived = may_have_arrived


class TooLateToWrite(Exception):
    """Raised by a caller's `before_write`: not a byte of the request left."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: always the whole body, never a redirect."""

    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes


def check_address(url: str) -> None:
    """Check the form of an address when a person saves it; its name is resolved only when it is called.

    :raises AddressRefused: with the reason.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressRefused("address_unreadable") from error
    if not url.isprintable() or any(sign in url for sign in ' \\"<>'):
        raise AddressRefused("address_unreadable")
    if is_loopback_allowed(host) and parts.scheme in {"http", "https"}:
        return
    if parts.scheme != "https":
        raise AddressRefused("address_not_https")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("address_with_user")
    if (port or 443) not in PORTS:
        raise AddressRefused("address_port", str(port))
    _check_host(host)
    if host == (urlsplit(settings.PUBLIC_URL).hostname or ""):
        raise AddressRefused("address_is_ours")


def is_loopback_allowed(host: str) -> bool:
    """Tell whether this name of the machine itself may be called: in the demo and in tests alone."""
    return host in _LOOPBACK and (settings.IS_DEMO or settings.IS_TEST)


def _check_host(host: str) -> None:
    with contextlib.suppress(ValueError):
        if not _is_public(ipaddress.ip_address(host)):
            raise AddressRefused("address_not_public", host)
        return
    labels = host.rstrip(".").split(".")
    well_formed = len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    # A last label of digits is a number in disguise: 127.1, 2130706433, 0x7f000001.
    numeric = re.fullmatch(r"(0x[0-9a-f]*|\d+)", labels[-1]) is not None
    if not well_formed or numeric or len(labels) < 2:
        raise AddressRefused("address_not_public", host[:60])


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        hidden = any(address in net for net in _HIDDEN)
        return address in _WORLD and not hidden and address.is_global and not address.is_multicast
    return address.is_global and not address.is_multicast and not address.is_reserved


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """Return every address of a name. The system's resolver knows no time-out, so it is waited for from outside."""
    answers: queue.Queue[list[str] | OSError] = queue.Queue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(entry[4][0]) for entry in found])
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True, name="recoup-resolve").start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty as error:
        raise httpcore.ConnectTimeout("name not resolved in time") from error
    if isinstance(answer, OSError):
        raise httpcore.ConnectError(str(answer)) from answer
    return list(dict.fromkeys(answer))


def _remaining(timeout: float | None) -> float:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the whole call took too long")
    return left if timeout is None else min(left, timeout)


class _Stream(httpcore.NetworkStream):
    """A connection whose every read and write ends with the call, however slowly the other side drips."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _remaining(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _remaining(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Dials only what it has just checked."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = _resolve(host, port, _remaining(timeout))
        for address in addresses:
            # One bad address refuses the name: the next look-up might give it first (T135).
            bare = ipaddress.ip_address(address.partition("%")[0])
            if not _is_public(bare) and not (is_loopback_allowed(host) and bare.is_loopback):
                raise AddressRefused("address_not_public", host[:60])
        for number, address in enumerate(addresses):
            try:
                return _Stream(
                    self._inner.connect_tcp(address, port, _remaining(timeout), local_address, socket_options)
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number + 1 == len(addresses):
                    raise
        raise httpcore.ConnectError("the name has no address")


class _Transport(httpx.BaseTransport):
    """httpx over a pool that dials through `_Backend`."""

    def __init__(self) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(), max_connections=4, keepalive_expiry=5.0, network_backend=_Backend()
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.read(),
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@cache
def _tls() -> ssl.SSLContext:
    """Return the rules of TLS, shared by all clients: always checked, nothing can be switched off."""
    context = httpx.create_ssl_context(trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Client:
    """Calls foreign addresses, safely. Keeps connections open while it is; use it as a context, in one thread."""

    def __init__(self, *, seconds: float = SECONDS, most_bytes: int = MOST_BYTES) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._client = httpx.Client(
            transport=_Transport(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
            headers={"user-agent": "Recoup", "accept-encoding": "identity"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def call(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        auth: tuple[str, str] | None = None,
        before_write: Callable[[], None] | None = None,
    ) -> Answer:
        """Make one call and return its whole answer.

        :param before_write: called on the open line just before the first byte of the request; it may raise
            `TooLateToWrite`, and nothing is sent.

        :raises AddressRefused: if the address, or one that its name stands for, must not be called.
        :raises CallFailed: if there was no whole answer in time, it was too big, or it was a redirect.
        """
        check_address(url)
        _check_headers(headers or {})
        request = self._client.build_request(
            method,
            url,
            params=dict(params or {}) or None,
            headers=dict(headers or {}),
            content=content,
            extensions={"trace": _watch(before_write)} if before_write is not None else None,
        )
        deadline = _deadline.set(time.monotonic() + self._seconds)
        try:
            return self._send(request, auth)
        except (httpx.ConnectError, httpcore.ConnectError) as error:
            code = "tls_failed" if isinstance(_root(error), ssl.SSLError) else "not_reached"
            raise CallFailed(code, _short(_root(error)), may_have_arrived=False) from error
        except (httpx.ConnectTimeout, httpcore.ConnectTimeout) as error:
            raise CallFailed("not_reached", "timeout", may_have_arrived=False) from error
        except (httpx.TimeoutException, httpcore.TimeoutException) as error:
            raise CallFailed("too_slow", f"{self._seconds:g} s") from error
        except (httpx.HTTPError, httpcore.ProtocolError, httpcore.NetworkError) as error:
            raise CallFailed("answer_broken", _short(error)) from error
        finally:
            _deadline.reset(deadline)

    def _send(self, request: httpx.Request, auth: tuple[str, str] | None) -> Answer:
        answer = self._client.send(request, auth=auth, stream=True)
        try:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            if answer.is_redirect or 300 <= answer.status_code < 400:
                raise CallFailed("redirected", _short(headers.get("location", "")))
            if headers.get("content-encoding", "identity") != "identity":
                raise CallFailed("answer_compressed")
            return Answer(answer.status_code, headers, self._read(answer))
        finally:
            answer.close()

    def _read(self, answer: httpx.Response) -> bytes:
        found = bytearray()
        for piece in answer.iter_raw():
            found += piece
            if len(found) > self._most_bytes:
                raise CallFailed("answer_too_big", f"{self._most_bytes} B")
        return bytes(found)


def _watch(before_write: Callable[[], None]) -> Callable[[str, Any], None]:
    def trace(event: str, _details: Any) -> None:
        if event == "http11.send_request_headers.started":
            before_write()

    return trace


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        bad = not re.fullmatch(r"[A-Za-z0-9-]{1,100}", name) or not value.isprintable()
        if bad or name.lower() in {"host", "content-length", "transfer-encoding"}:
            raise AddressRefused("header_refused", name[:40])


def _root(error: BaseException) -> BaseException:
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    return error


def _short(text: object) -> str:
    return re.sub(r"\s+", " ", str(text))[:200]
