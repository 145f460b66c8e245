"""Fixtures of recovery: the news that was given, as it lies in the outbox."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.db import connection

from recoup.core import outbox
from recoup.orders.events import OrderCancelled, OrderChanged
from recoup.recovery.events import RecoveryCaseClosed, RecoveryCaseOpened

News = Callable[[], list[tuple[str, int]]]


def _listen(batch: Sequence[Any]) -> None:
    """Hear news, so that it is stored."""


@pytest.fixture
def news() -> Iterator[News]:
    """Return the kinds and subjects of all news so far, in the order of kind and subject."""
    heard = (RecoveryCaseOpened, RecoveryCaseClosed, OrderCancelled, OrderChanged)
    before = dict(outbox._routes)
    outbox.set_routes(dict.fromkeys(heard, (_listen,)))

    def told() -> list[tuple[str, int]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT kind, coalesce(payload->>'subject_id', payload->>'order_id')::bigint FROM core_outbox"
                " ORDER BY 1, 2"
            )
            return [(kind.split(".")[1], subject) for kind, subject in cursor.fetchall()]

    yield told
    outbox._routes.clear()
    outbox._routes.update(before)
