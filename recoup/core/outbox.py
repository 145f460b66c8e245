"""News on its way up: announced in the transaction that made it true, handed to handlers in batches.

A piece of news is a frozen dataclass of ids, moments and codes. `flow.py` says who hears it. A handler gets a batch and
writes only to our database, in the transaction that deletes the rows: its effect is there exactly once. Order is not
promised.
"""

import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Protocol

import structlog
from django.db import Error as DatabaseError
from django.db import connection, transaction

from recoup.core import arrays, attention
from recoup.core.clock import trade_now

log = structlog.get_logger(__name__)

# A deadlock, a lock not had in time, two transactions that cannot stand side by side, a statement cut off.
_PASSING = frozenset({"40P01", "55P03", "40001", "57014"})
FAILED_WORK = "core.work_failed"  # what Home shows
BATCH = 500  # rows of one dispatch: locks are held for tens of milliseconds


class News(Protocol):
    """A frozen dataclass with the shop it happened in."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def shop_id(self) -> int:
        """Return the shop."""


Handler = Callable[[Sequence[Any]], None]
Routes = Mapping[type[Any], tuple[Handler, ...]]

_routes: dict[str, tuple[type[Any], tuple[Handler, ...]]] = {}


def kind_of(news_type: type[Any]) -> str:
    """Return the name under which news of this type is stored, such as `orders.OrderPlaced`."""
    return f"{news_type.__module__.split('.')[-2]}.{news_type.__name__}"


def set_routes(routes: Routes) -> None:
    """Tell who hears what; called once at start with `flow.ROUTES`. News that nobody hears is not stored."""
    _routes.clear()
    _routes.update({kind_of(news): (news, handlers) for news, handlers in routes.items() if handlers})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def announce(*news: News) -> None:
    """Store news in the present transaction."""
    heard = [(kind_of(type(item)), item) for item in news]
    rows = [
        (item.shop_id, kind, {f.name: _plain(getattr(item, f.name)) for f in dataclasses.fields(item)})
        for kind, item in heard
        if kind in _routes
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_outbox (shop_id, kind, payload)"
            " SELECT (r ->> 0)::bigint, r ->> 1, r -> 2 FROM jsonb_array_elements(%s::jsonb) AS r",
            [arrays.rows(rows)],
        )


def _revive(news_type: type[Any], payload: dict[str, Any]) -> Any:
    values = {}
    for field in dataclasses.fields(news_type):
        value = payload[field.name]
        if isinstance(value, str) and "datetime" in str(field.type):
            value = datetime.fromisoformat(value)
        elif isinstance(value, str) and "Decimal" in str(field.type):
            value = Decimal(value)
        elif isinstance(value, list):
            value = tuple(value)
        values[field.name] = value
    return news_type(**values)


def dispatch(*, limit: int = BATCH) -> int:
    """Hand up to `limit` pieces of news to their handlers and return how many there were.

    One transaction for the batch. If it fails, the batch is halved down to the bad row, which becomes a dead letter and asks
    for a person; one that only met a lock is left for the next time. A lost database connection leaves everything as it was.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM core_outbox ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED", [limit])
        ids = [row[0] for row in cursor.fetchall()]
        return _dispatch_ids(ids) if ids else 0


def _dispatch_ids(ids: list[int]) -> int:
    try:
        with transaction.atomic():
            _handle(ids)
    except Exception as error:
        if isinstance(error, DatabaseError) and not connection.is_usable():
            raise
        if len(ids) > 1:
            middle = len(ids) // 2
            return _dispatch_ids(ids[:middle]) + _dispatch_ids(ids[middle:])
        if heals(error):
            log.warning("core.outbox.left", event_id=ids[0], error=repr(error))
            return 0
        _bury(ids[0], error)
    return len(ids)


def heals(error: Exception) -> bool:
    """Tell whether an error is none of the row's: it met somebody else's lock, and passes by itself."""
    return isinstance(error, DatabaseError) and getattr(error.__cause__, "sqlstate", "") in _PASSING


def _handle(ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_outbox WHERE id = ANY(%s) RETURNING id, kind, payload", [ids])
        rows = sorted(cursor.fetchall())
    batches: dict[str, list[Any]] = defaultdict(list)
    for _, kind, payload in rows:
        if kind in _routes:
            values = json.loads(payload) if isinstance(payload, str) else payload
            batches[kind].append(_revive(_routes[kind][0], values))
    for kind, batch in batches.items():
        for handler in _routes[kind][1]:
            handler(batch)


def _bury(event_id: int, error: Exception) -> None:
    log.error("core.outbox.dead_letter", event_id=event_id, error=repr(error))
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM core_outbox WHERE id = %s RETURNING *)"
            " INSERT INTO core_deadletter (shop_id, what, payload, error, first_at, last_at, times, state)"
            " SELECT shop_id, 'outbox:' || kind, payload, %s, made_at, clock_timestamp(), 1, 'open' FROM gone"
            " RETURNING id, shop_id, what",
            [event_id, f"{type(error).__name__}: {error}"[:2000]],
        )
        letter_id, shop_id, what = cursor.fetchone()
    attention.ask(FAILED_WORK, shop_id=shop_id, key=str(letter_id), now=trade_now(), what=what)


def retry_dead_letter(letter_id: int) -> bool:
    """Put a dead piece of news back into the outbox; `False` if it was not open any more."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "WITH letter AS (UPDATE core_deadletter SET state = 'retried', times = times + 1"
            " WHERE id = %s AND state = 'open' AND what LIKE 'outbox:%%' RETURNING *)"
            " INSERT INTO core_outbox (shop_id, kind, payload)"
            " SELECT shop_id, substr(what, 8), payload FROM letter RETURNING shop_id",
            [letter_id],
        )
        row = cursor.fetchone()
        if row is not None:
            attention.settle(FAILED_WORK, shop_id=row[0], key=str(letter_id), now=trade_now())
    return row is not None
