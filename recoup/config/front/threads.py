"""The WSGI application, run in a few threads that live as long as the process, each with its own database connection."""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import unquote_to_bytes

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# An answer up to this size leaves its thread at once, whoever reads it how slowly.
WHOLE = 1024 * 1024
BLOCK = 128 * 1024
# A reader that takes no further block for so long is given up.
READER_SECONDS = 60.0
BARE_NAMES = {"CONTENT_LENGTH", "CONTENT_TYPE"}


class FileOfAnswer:
    """A file that the application answers with (`wsgi.file_wrapper`): sent without holding a thread."""

    def __init__(self, file: IO[bytes], block_size: int = BLOCK) -> None:  # noqa: ARG002 - the shape of PEP 3333
        self.file = file

    def __iter__(self) -> "FileOfAnswer":
        return self

    def __next__(self) -> bytes:
        block = self.file.read(BLOCK)
        if not block:
            raise StopIteration
        return block

    def close(self) -> None:
        """Close the file, and with it the answer that Django made of it."""
        self.file.close()


@dataclass(slots=True)
class Head:
    """Status and headers of an answer, as the application gives them."""

    status: int = 0
    headers: Headers = field(default_factory=list)

    def start(self, status: str, headers: Headers, exc_info: object = None) -> Callable[[bytes], None]:
        """Take them (PEP 3333, without its old way to write)."""
        del exc_info  # of an application that begins anew: what it gave before has not been sent
        self.status = int(status[:3])
        self.headers = headers
        return _refuse_to_write

    def message(self) -> dict[str, Any]:
        """Return them as ASGI sends them."""
        if not self.status:
            raise RuntimeError("the application answered without a status")
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        return {"type": "http.response.start", "status": self.status, "headers": headers}


def _refuse_to_write(block: bytes) -> None:
    raise NotImplementedError("an answer is given as what the application returns")


class Threads:
    """The threads of the application in this process."""

    def __init__(self, application: Application, *, threads: int) -> None:
        self._application = application
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="recoup-web")
        self.waiting = 0  # requests that wait for a thread, or are worked on

    async def answer(self, environ: Environ, send: Send) -> None:
        """Have a request answered. What the application does on closing its answer, it does after the answer is out."""
        line = _Line(send)
        self.waiting += 1
        try:
            self._pool.submit(self._work, environ, line)
            last = await line.last
        finally:
            self.waiting -= 1
        if isinstance(last, FileOfAnswer):
            await self._send_file(line.head, last, send)
            return
        if not line.is_started:
            await send(line.head.message())
        await send({"type": "http.response.body", "body": last})

    async def _send_file(self, head: Head, answer: FileOfAnswer, send: Send) -> None:
        try:
            await send(head.message())
            for block in answer:
                async with asyncio.timeout(READER_SECONDS):
                    await send({"type": "http.response.body", "body": block, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._pool.submit(
                answer.close
            )  # Django lets go of its connections there: in a thread that has some

    def _work(self, environ: Environ, line: "_Line") -> None:
        """Run the application; in a thread of the pool."""
        answer: Iterable[bytes] = ()
        try:
            answer = self._application(environ, line.head.start)
            if isinstance(answer, FileOfAnswer):
                line.end(answer)
            else:
                line.end(_written(answer, line))
        except BaseException as error:  # noqa: BLE001 - it is raised where the request is waited for
            line.fail(error)
        finally:
            if not isinstance(answer, FileOfAnswer):
                getattr(answer, "close", lambda: None)()


def _written(answer: Iterable[bytes], line: "_Line") -> bytes:
    """Return the end of an answer; what comes before is sent as it is made once it is more than `WHOLE`."""
    blocks, size = [], 0
    for block in answer:
        blocks.append(block)
        size += len(block)
        if size > WHOLE:
            line.send(b"".join(blocks))
            blocks, size = [], 0
    return b"".join(blocks)


class _Line:
    """From the thread that makes an answer to the loop that sends it."""

    def __init__(self, send: Send) -> None:
        self.head = Head()
        self.is_started = False
        self._loop = asyncio.get_running_loop()
        self.last: asyncio.Future[bytes | FileOfAnswer] = self._loop.create_future()
        self._send = send

    def send(self, block: bytes) -> None:
        """Send a part of an answer and wait until the caller has room for more."""
        asyncio.run_coroutine_threadsafe(self._send_part(block), self._loop).result()

    async def _send_part(self, block: bytes) -> None:
        async with asyncio.timeout(READER_SECONDS):
            if not self.is_started:
                self.is_started = True
                await self._send(self.head.message())
            await self._send({"type": "http.response.body", "body": block, "more_body": True})

    def end(self, last: bytes | FileOfAnswer) -> None:
        """Hand over the last part."""
        self._loop.call_soon_threadsafe(self._settle, last, None)

    def fail(self, error: BaseException) -> None:
        """Say that there is no answer."""
        self._loop.call_soon_threadsafe(self._settle, b"", error)

    def _settle(self, last: bytes | FileOfAnswer, error: BaseException | None) -> None:
        if self.last.done():  # the request was given up meanwhile
            return
        if error is None:
            self.last.set_result(last)
        else:
            self.last.set_exception(error)


def environ_of(scope: dict[str, Any]) -> Environ:
    """Return a request as WSGI tells it, still without its body.

    Values that are not plain ASCII are emptied, and names with `_` left out: `X_Forwarded_For` would otherwise become
    what only the proxy may say in `X-Forwarded-For`.
    """
    server, client = scope.get("server") or ("", ""), scope.get("client") or ("", "")
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileOfAnswer,
    }
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        key = name if name in BARE_NAMES else f"HTTP_{name}"
        value = raw_value.decode() if raw_value.isascii() else ""
        if key in environ:
            value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
        environ[key] = value
    return environ
