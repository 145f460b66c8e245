"""The ASGI application: a request is refused, or taken in whole and answered by the application's threads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from recoup.config.front.bodies import Bodies, Body, CallerLeft, Receive, Refused, Wanted
from recoup.config.front.threads import Environ, Send, Threads, environ_of

log = structlog.get_logger(__name__)

# Requests that wait for a thread or have one. Beyond it everybody would wait longer than callers do.
MOST_WAITING = 512
RETRY_SECONDS = b"30"


@dataclass(frozen=True, slots=True)
class Front:
    """What granian calls for each request."""

    bodies: Bodies
    threads: Threads
    wants: Callable[[Environ], Wanted]

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        environ = environ_of(scope)
        body: Body | None = None
        try:
            if self.threads.waiting >= MOST_WAITING:
                raise Refused(503, "Too many requests are coming at once. Please try again in a minute.")
            if has_body(environ):
                body = await self._taken_in(environ, receive)
                environ["wsgi.input"] = body.opened()
                environ["CONTENT_LENGTH"] = str(body.size)
            await self.threads.answer(environ, send)
        except Refused as refused:
            log.info("front.refused", status=refused.status, why=refused.words)
            await refuse(refused, send)
        except CallerLeft:
            await refuse(Refused(400, "The request broke off."), send)
        finally:
            if body is not None:
                self.bodies.let_go(body)

    async def _taken_in(self, environ: Environ, receive: Receive) -> Body:
        wanted = self.wants(environ)
        told = environ.get("CONTENT_LENGTH", "0")
        if not told.isdecimal():
            raise Refused(400, "The length of the request is no number.")
        if int(told) > wanted.most:
            raise Refused(413, "The request is too big.")
        return await self.bodies.take_in(receive, wanted)


def has_body(environ: Environ) -> bool:
    """Tell whether anything comes behind the headers."""
    return environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ


async def refuse(refused: Refused, send: Send) -> None:
    """Answer without the application, and close the line: what the caller still sends is not read."""
    words = refused.words.encode() + b"\n"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(words)).encode()),
        (b"connection", b"close"),
    ]
    if refused.status == 503:
        headers.append((b"retry-after", RETRY_SECONDS))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": words})
