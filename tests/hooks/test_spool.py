"""A call that comes while the database is away is on disk before it is answered, and is taken in later, once (R1, R2)."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core.models import InboxItem
from recoup.hooks import known, spool
from recoup.hooks.apply import apply_waiting
from recoup.hooks.drain import drain_spool
from recoup.orders.models import Order
from recoup.shops.models import Source
from tests.hooks.calls import body_of, order_data, send

RAW = body_of("order.created", **order_data())


@pytest.fixture(autouse=True)
def _nobody_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests say themselves when the spool is drained."""
    monkeypatch.setattr(spool, "start_draining", lambda _drain: None)


@contextmanager
def away() -> Iterator[None]:
    """Let the driver say what it says when there is no server."""

    def refuse(_execute: Callable[..., Any], *_args: Any) -> Any:
        raise OperationalError("connection refused")

    with connection.execute_wrapper(refuse):
        yield


def orders() -> list[str]:
    with scopes_disabled():
        return list(Order.objects.values_list("ref", flat=True))


def test_a_call_while_the_database_is_away_is_kept_and_applied_once_it_is_back(
    client: Client, source: Source
) -> None:
    known.known_source(source.key)
    with away():
        answers = [send(client, source, RAW, event_id="evt-1").status_code for _ in range(2)]
    assert (answers, spool.count(), InboxItem.objects.count()) == ([202, 202], 2, 0)

    apply_waiting()

    assert (spool.count(), orders(), InboxItem.objects.get().state) == (0, ["A1"], "applied")


def test_a_remembered_source_refuses_a_forged_call_at_once(client: Client, source: Source) -> None:
    known.known_source(source.key)
    with away():
        answer = send(client, source, RAW, secret="t" * 32)

    assert (answer.status_code, spool.count()) == (401, 0)


def test_what_nobody_could_check_is_checked_when_it_is_drained(client: Client, source: Source) -> None:
    with away():
        answers = [send(client, source, RAW, secret=secret).status_code for secret in ("", "t" * 32)]
        client.post("/hooks/nobody", data=RAW, content_type="application/json")
    assert (answers, spool.count()) == ([202, 202], 3)

    assert drain_spool() == 3

    assert (spool.count(), InboxItem.objects.count()) == (0, 1)


def test_calls_stay_while_the_database_stays_away(client: Client, source: Source) -> None:
    with away():
        send(client, source, RAW)
        with pytest.raises((OperationalError, known.DatabaseAway)):
            drain_spool()

    assert spool.count() == 1


def test_one_bad_file_is_put_beside_and_the_rest_goes_on(client: Client, source: Source) -> None:
    with away():
        send(client, source, RAW)
    (spool.folder() / "00000000000000000000-bad.call").write_bytes(json.dumps({"key": "k"}).encode())

    assert drain_spool() == 1
    assert [path.suffix for path in spool.folder().iterdir() if path.suffix != ".lock"] == [".bad"]


def test_a_full_spool_leaves_the_call_to_its_source(
    client: Client, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MOST_FILES", 0)
    with away():
        answer = send(client, source, RAW)

    assert (answer.status_code, answer.headers["Retry-After"], spool.count()) == (503, "30", 0)
