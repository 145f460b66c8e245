"""The limits of bodies under way: nobody takes the room of the others, and memory and disk stay bounded."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from recoup.config.front import bodies
from recoup.config.front.bodies import IN_MEMORY, Bodies, Body, CallerLeft, Limits, Refused, Wanted

FORM = Wanted("192.0.2.1", most=10 * IN_MEMORY, is_steady=False)


class Caller:
    """Somebody who sends what the test gives them."""

    def __init__(self) -> None:
        self._parts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def sends(self, block: bytes, *, more: bool = True) -> None:
        """Send a part."""
        self._parts.put_nowait({"type": "http.request", "body": block, "more_body": more})

    def leaves(self) -> None:
        """Break off."""
        self._parts.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> dict[str, Any]:
        """Return the next part."""
        return await self._parts.get()


def whole(block: bytes) -> Caller:
    """Return a caller who sent everything already."""
    caller = Caller()
    caller.sends(block, more=False)
    return caller


async def outcome(task: "asyncio.Task[Body] | Coroutine[Any, Any, Body]") -> int:
    """Return the status of a refusal, or 200."""
    try:
        (await task).close()
    except Refused as refused:
        return refused.status
    return 200


def started(taking: Bodies, *clients: str) -> list["asyncio.Task[Body]"]:
    """Begin bodies that never end."""
    return [
        asyncio.create_task(taking.take_in(Caller().receive, Wanted(client, most=IN_MEMORY, is_steady=False)))
        for client in clients
    ]


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY, IN_MEMORY + 1, 9 * IN_MEMORY])
def test_a_body_is_what_was_sent_and_leaves_nothing(tmp_path: Path, size: int) -> None:
    async def told() -> tuple[bytes, int, int]:
        taking = Bodies(Limits(), tmp_path)
        caller = Caller()
        caller.sends(b"a" * (size // 2))
        caller.sends(b"b" * (size - size // 2), more=False)
        body = await taking.take_in(caller.receive, FORM)
        found = body.opened().read()
        on_disk = taking._on_disk
        taking.let_go(body)
        return found, on_disk, taking._on_disk

    assert asyncio.run(told()) == (
        b"a" * (size // 2) + b"b" * (size - size // 2),
        size if size > IN_MEMORY else 0,
        0,
    )
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_of_a_client_with_too_many_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "YOUNG_SECONDS", 0.0)

    async def told() -> list[int]:
        taking = Bodies(Limits(for_client=2), tmp_path)
        first, second, other = started(taking, "192.0.2.1", "192.0.2.1", "192.0.2.9")
        await asyncio.sleep(0.01)
        third = await outcome(taking.take_in(whole(b"x").receive, FORM))
        cut = await outcome(first)
        found = [third, cut, second.done(), other.done()]
        second.cancel()
        other.cancel()
        return found

    assert asyncio.run(told()) == [200, 408, False, False]


def test_when_all_is_full_the_client_with_most_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "YOUNG_SECONDS", 0.0)

    async def told() -> list[int]:
        taking = Bodies(Limits(in_all=3), tmp_path)
        lone, first, second = started(taking, "192.0.2.9", "192.0.2.1", "192.0.2.1")
        await asyncio.sleep(0.01)
        came = await outcome(taking.take_in(whole(b"x").receive, Wanted("192.0.2.5", 10, is_steady=False)))
        found = [came, await outcome(first), lone.done(), second.done(), taking._taken]
        lone.cancel()
        second.cancel()
        return found

    assert asyncio.run(told()) == [200, 408, False, False, 2]


def test_a_burst_of_young_bodies_is_not_cut(tmp_path: Path) -> None:
    async def told() -> tuple[int, list[bool]]:
        taking = Bodies(Limits(for_client=2), tmp_path)
        young = started(taking, "192.0.2.1", "192.0.2.1")
        await asyncio.sleep(0.01)
        refused = await outcome(taking.take_in(whole(b"x").receive, FORM))
        found = refused, [one.done() for one in young]
        for one in young:
            one.cancel()
        return found

    assert asyncio.run(told()) == (503, [False, False])


def test_the_disk_is_not_filled(tmp_path: Path) -> None:
    async def told() -> list[int]:
        taking = Bodies(Limits(on_disk=5 * IN_MEMORY), tmp_path)
        first = await taking.take_in(whole(b"x" * 3 * IN_MEMORY).receive, FORM)
        found = [await outcome(taking.take_in(whole(b"x" * 3 * IN_MEMORY).receive, FORM))]
        found.append(await outcome(taking.take_in(whole(b"x" * 10).receive, FORM)))
        taking.let_go(first)
        found.append(await outcome(taking.take_in(whole(b"x" * 3 * IN_MEMORY).receive, FORM)))
        return found

    assert asyncio.run(told()) == [503, 200, 200]


def test_whoever_breaks_off_leaves_no_seat(tmp_path: Path) -> None:
    async def told() -> tuple[int, int, dict[str, Any]]:
        taking = Bodies(Limits(), tmp_path)
        caller = Caller()
        caller.sends(b"x" * 2 * IN_MEMORY)
        caller.leaves()
        with pytest.raises(CallerLeft):
            await taking.take_in(caller.receive, FORM)
        return taking._taken, taking._on_disk, taking._seats

    assert asyncio.run(told()) == (0, 0, {})


def test_only_a_steady_body_earns_time_and_only_by_what_it_brings(tmp_path: Path) -> None:
    async def told(is_steady: bool, block: bytes) -> int:
        taking = Bodies(Limits(seconds=0.3), tmp_path)
        caller = Caller()
        task = asyncio.create_task(taking.take_in(caller.receive, Wanted("192.0.2.1", 10**9, is_steady)))
        for _ in range(6):
            caller.sends(block)
            await asyncio.sleep(0.1)
        caller.sends(b"", more=False)
        return await outcome(task)

    enough = b"x" * (10 * bodies.LEAST_RATE)
    assert asyncio.run(told(True, enough)) == 200
    assert asyncio.run(told(True, b"x")) == 408
    assert asyncio.run(told(False, enough)) == 408
