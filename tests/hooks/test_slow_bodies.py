"""T14: bodies that come one byte at a time are cut when their time is over, and nobody else waits for them."""

import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx
import pytest

from recoup.cli.run import granian
from recoup.core.clock import real_now
from recoup.core.models import InboxItem
from recoup.integrations.generic import webhook
from recoup.shops.models import Source
from tests.factories.shops import make_shop, make_source
from tests.hooks.calls import body_of, order_data
from tests.support import server

pytestmark = [pytest.mark.faults, pytest.mark.slow]


@dataclass(frozen=True)
class Size:
    """How many drip, how long they may, and how long they pause between two bytes."""

    bodies: int
    seconds: float
    pause: float
    calls: int


QUICK = Size(bodies=30, seconds=4, pause=1, calls=60)
FULL = Size(bodies=200, seconds=30, pause=10, calls=600)


class Others:
    """Who calls meanwhile, with signed webhooks, one after the other."""

    def __init__(self, port: int, source: Source, patience: float) -> None:
        self._url = f"http://127.0.0.1:{port}/hooks/{source.key}"
        self._source = source
        self._patience = patience  # seconds
        self._number = 0
        self.answered: list[float] = []
        """When each call had its answer."""

    def p95(self, calls: int, pause: float = 0.0) -> float:
        """Return how long the slowest twentieth took at least."""
        took = []
        for _ in range(calls):
            self._number += 1
            raw = body_of("order.updated", **order_data(f"A{self._number}"))
            signed = webhook.sign(self._source.secret, f"evt-{self._number}", real_now(), raw)
            began = time.monotonic()
            answer = httpx.post(
                self._url, content=raw, headers=signed, timeout=self._patience, trust_env=False
            )
            self.answered.append(time.monotonic())
            took.append(self.answered[-1] - began)
            assert answer.status_code == 200
            time.sleep(pause)
        return statistics.quantiles(took, n=20)[-1]


def served(
    database_url: str, size: Size, command: Callable[[int], list[str]], patience: float = 60
) -> tuple[list[server.Dripper], float, float, int]:
    """Return the drippers, the p95 of others without them and with them, and how many had an answer before the first cut."""
    source = make_source(make_shop())
    port = server.free_port()
    told = {"DATABASE_URL": database_url, "RECOUP_BODY_SECONDS": str(size.seconds)}
    with server.serving(command(port), port, told):
        others = Others(port, source, patience)
        others.p95(10)
        alone = others.p95(size.calls)
        others.answered.clear()
        drippers = [server.Dripper(port, f"/hooks/{source.key}") for _ in range(size.bodies)]
        has_failed = threading.Event()
        dripping = threading.Thread(target=drip, args=(drippers, size, has_failed))
        dripping.start()
        try:
            time.sleep(0.5)
            beside = others.p95(size.calls, pause=size.seconds / size.calls / 3)
        except BaseException:
            has_failed.set()
            raise
        finally:
            dripping.join()
            for one in drippers:
                one.line.close()
    first = min((one.began + one.ended_after for one in drippers if one.ended_after is not None), default=0.0)
    return drippers, alone, beside, sum(at < first for at in others.answered)


def drip(drippers: list[server.Dripper], size: Size, has_failed: threading.Event) -> None:
    """Drip until all were cut, or long after they should have been."""
    deadline = time.monotonic() + size.seconds + 60
    next_drop = 0.0
    while any(one.ended_after is None for one in drippers):
        if has_failed.is_set() or time.monotonic() > deadline:
            return
        if time.monotonic() >= next_drop:
            next_drop = time.monotonic() + size.pause
            for one in drippers:
                one.drip()
        for one in drippers:
            one.look()
        time.sleep(0.1)


def test_t14_slow_bodies_are_cut_and_nobody_waits(database_url: str, is_full_size: bool) -> None:
    size = FULL if is_full_size else QUICK

    drippers, alone, beside, meanwhile = served(
        database_url, size, lambda port: granian("127.0.0.1", port, 2)
    )

    ends = sorted(one.ended_after for one in drippers if one.ended_after is not None)
    said = f"cut after {ends[0]:.1f} to {ends[-1]:.1f} s; p95 {alone * 1e3:.1f} ms alone, {beside * 1e3:.1f} ms beside"
    print(said)  # noqa: T201 - the figures of T14
    assert {one.answer[:12] for one in drippers} == {b"HTTP/1.1 408"}
    assert len(ends) == size.bodies
    assert size.seconds - 0.1 <= ends[0]
    assert meanwhile >= 3
    if is_full_size:  # figures of a machine that does nothing else
        assert ends[-1] <= size.seconds + 3
        assert beside <= 2 * alone + 0.05
    assert InboxItem.objects.count() == 10 + 2 * size.calls


def test_t14_without_the_front_they_hold_everybody(database_url: str) -> None:
    """The negative control: the server as it was, which reads bodies in the threads of the application."""

    def bare(port: int) -> list[str]:
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-ws"]
        return [
            *command,
            "--workers",
            "1",
            "--blocking-threads",
            "4",
            "--workers-kill-timeout",
            "1",
            "recoup.config.wsgi:application",
        ]

    with pytest.raises(httpx.ReadTimeout):
        served(database_url, replace(QUICK, calls=5), bare, patience=5)
