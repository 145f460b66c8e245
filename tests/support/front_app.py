"""A small WSGI application behind the front, which tells what reached it."""

import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import django

from recoup.supervisor import machine

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recoup.config.settings")
django.setup()

from recoup.config.asgi import make_front  # noqa: E402 - reads the settings as it is imported

BIG = 3 * 1024 * 1024
FOUR = threading.Barrier(4)
Start = Callable[..., Any]


class Told:
    """An answer that says when it was closed, by a file."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = blocks

    def __iter__(self) -> Any:
        return iter(self._blocks)

    def close(self) -> None:
        """Leave a trace, once the caller says that the answer is there, or after ten seconds."""
        trace, seen = Path(os.environ["FRONT_TRACE"]), Path(os.environ["FRONT_SEEN"])
        machine.wait_until(seen.exists, seconds=10)
        trace.write_text("closed")


def behind(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """Answer by what the path asks."""
    path = environ["PATH_INFO"]
    kept = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Type", "text/plain")]
    if path == "/broken":
        raise RuntimeError("broken")
    if path == "/file":
        start("200 OK", [("Content-Length", str(BIG))])
        file = open(os.environ["FRONT_FILE"], "rb")  # noqa: SIM115 - the front closes it
        return environ["wsgi.file_wrapper"](file)  # type: ignore[no-any-return]
    if path == "/stream":
        start("200 OK", kept)
        return (b"x" * 65536 for _ in range(BIG // 65536))
    if path == "/closed":
        start("200 OK", kept)
        return Told([b"out"])
    if path == "/four":
        FOUR.wait(60)
        start("200 OK", kept)
        return [threading.current_thread().name.encode()]
    body = environ["wsgi.input"].read()
    told: dict[str, Any] = {name: value for name, value in environ.items() if isinstance(value, str)}
    told |= {"body_size": len(body), "body_sum": sum(body)}
    content = json.dumps(told).encode()
    start("200 OK", [*kept, ("Content-Length", str(len(content)))])
    return [content]


application: Any = make_front(behind)
