"""The parent's side of rendering: children with limits, batches in, mails and reasons out."""

import contextlib
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from recoup.messaging.rendering.limits import BATCH_ITEMS
from recoup.messaging.rendering.process import ChildDied, RenderChild
from recoup.messaging.rendering.templates import CompiledTemplate
from recoup.messaging.rendering.wire import DOCUMENT, LEAVING, MAIL

_DEATHS_BEFORE_REFUSING = 3
"""After one template cost so many children in one call, the rest of its mails are refused untried."""


@dataclass(frozen=True, slots=True)
class RenderItem:
    """One mail to write. Only the context's fields named in `template.tokens` are looked at."""

    template: CompiledTemplate
    context: Mapping[str, Any]
    locale: str
    zone: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """The written mail, in UTF-8 with plain line feeds."""

    subject: str
    html: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class RenderFailure:
    """Why a mail could not be written.

    `field_empty` and `context_unreadable` hold the message for a person to look at; `too_heavy`, `too_large`, `crashed` and
    `liquid_failed` are the template's fault and the same at every try.
    """

    code: str
    detail: str = ""
    place: str = "html"
    line: int = 0


Outcome = Rendered | RenderFailure


class RenderPool:
    """Renders in up to `size` children, each started when first needed and again when it died. Thread-safe."""

    def __init__(self, size: int = 1) -> None:
        self._free = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[RenderChild] = []
        self._is_closed = False
        self._background = ThreadPoolExecutor(size, thread_name_prefix="render")
        self.deaths = 0
        """Children that were killed or died; a number to watch."""

    def render(self, items: Sequence[RenderItem]) -> list[Outcome]:
        """Return one outcome for each item, in their order; a bad item fails alone."""
        outcomes: list[Outcome] = []
        deaths: dict[str, int] = {}
        careful_until = 0
        while len(outcomes) < len(items):
            done = len(outcomes)
            batch = items[done : done + BATCH_ITEMS]
            refused = next((n for n, item in enumerate(batch) if _is_refused(item, deaths)), len(batch))
            if refused == 0:
                outcomes.append(RenderFailure("too_heavy", "earlier mails of this template were"))
                continue
            batch = batch[:refused]
            with self._borrowed() as child:
                if not self._round_trip(child, batch, outcomes, deaths, is_careful=done < careful_until):
                    careful_until = done + len(batch)
        return outcomes

    def start(self, items: Sequence[RenderItem]) -> "Future[list[Outcome]]":
        """Begin to render beside the calling thread; what is given back holds what `render` returns or raises."""
        return self._background.submit(self.render, items)

    def compile(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Check and compile a template in a child; used by `saving`.

        :raises ChildDied: if it killed the child.
        """
        with self._borrowed() as child:
            try:
                child.ask({"op": "compile", **request})
                kind, (document, *_) = child.answer()
            except ChildDied:
                self._bury(child)
                raise
            if kind & LEAVING:
                child.close()
            assert kind & ~LEAVING == DOCUMENT
            result: dict[str, Any] = json.loads(document)
            return result

    def pids(self) -> list[int]:
        """Return the process ids of the idle children; for tests and for the memory figure."""
        with self._lock:
            return [child.pid for child in self._idle if child.is_alive]

    @property
    def is_closed(self) -> bool:
        """Tell whether it takes no more work."""
        return self._is_closed

    def close(self) -> None:
        """End the children; the pool starts none any more."""
        with self._lock:
            self._is_closed = True
            children, self._idle = self._idle, []
        self._background.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.close()

    def _round_trip(
        self,
        child: RenderChild,
        batch: Sequence[RenderItem],
        outcomes: list[Outcome],
        deaths: dict[str, int],
        *,
        is_careful: bool,
    ) -> bool:
        """Append the outcomes of a batch; tell whether it went well, or must be tried again with care.

        A child writes its answers together, so that those of several mails may die with it. With care each is written at
        once, and the first that is missing names the culprit.
        """
        start = len(outcomes)
        try:
            child.ask(_request(child, batch, is_careful))
            while len(outcomes) < start + len(batch):
                kind, parts = child.answer()
                outcomes.append(_outcome(kind, parts))
                if kind & LEAVING:
                    child.close()
                    _blame(batch[len(outcomes) - start - 1], deaths)
                    break
        except ChildDied as death:
            self._bury(child)
            if not is_careful:
                return False
            _blame(batch[len(outcomes) - start], deaths)
            outcomes.append(RenderFailure(death.code, str(death)))
        return True

    def _bury(self, child: RenderChild) -> None:
        child.kill()
        with self._lock:
            self.deaths += 1

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[RenderChild]:
        with self._free:
            with self._lock:
                if self._is_closed:
                    raise RuntimeError("the render pool is closed")
                child = self._idle.pop() if self._idle else None
            if child is not None and not child.is_alive:
                child.close()
                child = None
            child = child or RenderChild()
            try:
                yield child
            except BaseException:
                child.kill()  # half a batch may still be on its way
                raise
            with self._lock:
                keep = child.is_alive and not self._is_closed
                if keep:
                    self._idle.append(child)
            if not keep:
                child.close()


def _is_refused(item: RenderItem, deaths: Mapping[str, int]) -> bool:
    return deaths.get(item.template.key, 0) >= _DEATHS_BEFORE_REFUSING


def _blame(item: RenderItem, deaths: dict[str, int]) -> None:
    deaths[item.template.key] = deaths.get(item.template.key, 0) + 1


def _request(child: RenderChild, batch: Sequence[RenderItem], is_careful: bool) -> dict[str, Any]:
    templates = {item.template.key: item.template for item in batch}
    new, forget = child.learn(templates)
    return {
        "op": "render",
        "careful": is_careful,
        "forget": forget,
        "templates": {key: templates[key].to_json() for key in new},
        "items": [[item.template.key, item.locale, item.zone, item.context] for item in batch],
    }


def _outcome(kind: int, parts: tuple[bytes, bytes, bytes]) -> Outcome:
    if kind & ~LEAVING == MAIL:
        return Rendered(parts[0].decode(), parts[1], parts[2])
    problem = json.loads(parts[0])
    return RenderFailure(problem["code"], problem["detail"], problem["place"], problem["line"])


_shared: dict[int, RenderPool] = {}
_shared_lock = threading.Lock()


def shared_pool() -> RenderPool:
    """Return this process's own pool of one child; after a fork, or once somebody closed it, there is another."""
    with _shared_lock:
        pool = _shared.get(os.getpid())
        if pool is None or pool.is_closed:
            pool = _shared[os.getpid()] = RenderPool()
        return pool
