"""People who came into a process, some of whom chance left alone: rows made by one statement, as many as a test wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from recoup.processes.models import Process
from tests.factories.moments import NOW
from tests.factories.shops import make_source

LONG_AGO = NOW - timedelta(days=40)


@dataclass(frozen=True)
class Buyer:
    """Somebody with one unpaid order that came into a process."""

    is_alone: bool = False
    pays_after: timedelta | None = None
    total: Decimal = Decimal(100)
    entered_at: datetime = LONG_AGO
    flags: int = 0
    currency: str = "PLN"


def buyers(people: int, paid: int, **values: Any) -> list[Buyer]:
    """Return so many people, the first so many of whom paid a day after they came in."""
    return [
        Buyer(pays_after=timedelta(days=1) if number < paid else None, **values) for number in range(people)
    ]


_INSERT = """
WITH given AS (
    SELECT * FROM unnest(%(numbers)s::int[], %(entered)s::timestamptz[], %(paid)s::timestamptz[], %(totals)s::numeric[],
        %(flags)s::smallint[], %(currencies)s::text[]) AS g (n, entered_at, paid_at, total, flags, currency)
), person AS (
    INSERT INTO customers_contact {people} FROM given g ORDER BY n RETURNING id, name
), bought AS (
    INSERT INTO orders_order {orders} FROM given g JOIN person p ON p.name = 'Buyer ' || g.n ORDER BY g.n
    RETURNING id, contact_id
)
INSERT INTO processes_enrolment {enrolments}
FROM bought b JOIN person p ON p.id = b.contact_id JOIN given g ON 'Buyer ' || g.n = p.name ORDER BY g.n
"""
_PEOPLE = {"shop_id": "%(shop)s", "name": "'Buyer ' || g.n"}
_ORDERS = {
    "shop_id": "%(shop)s", "source_id": "%(source)s", "contact_id": "p.id", "ref": "p.id::text",
    "number": "p.id::text", "currency": "g.currency", "total": "g.total", "paid_at": "g.paid_at",
    "paid_learnt_at": "g.paid_at", "captured": "CASE WHEN g.paid_at IS NULL THEN 0 ELSE g.total END",
    "payment_state": "CASE WHEN g.paid_at IS NULL THEN 'owed' ELSE 'paid' END", "locale": "'pl'",
    "status": "CASE WHEN g.paid_at IS NULL THEN 'unpaid' ELSE 'completed' END", "method": "'card'",
    "placed_at": "g.entered_at - interval '1 day'",
}  # fmt: skip
_ENROLMENTS = {
    "shop_id": "%(shop)s", "process_id": "%(process)s", "version_id": "%(version)s", "contact_id": "b.contact_id",
    "subject_kind": "1", "subject_id": "b.id", "entry_key": "b.id", "state": "8", "node": "1", "flags": "g.flags",
}  # fmt: skip


def come_in(process: Process, people: Sequence[Buyer]) -> None:
    """Let people in, whose orders are paid as they say; their enrolments are numbered in this order."""
    with connection.cursor() as cursor:
        statement = _INSERT.format(
            people=_columns(cursor, "customers_contact", _PEOPLE),
            orders=_columns(cursor, "orders_order", _ORDERS),
            enrolments=_columns(cursor, "processes_enrolment", _ENROLMENTS),
        )
        cursor.execute(
            statement,
            {
                "shop": process.shop_id,
                "source": make_source(process.shop).pk,
                "process": process.pk,
                "version": process.current_version_id,
                "numbers": list(range(len(people))),
                "entered": [one.entered_at for one in people],
                "paid": [
                    one.entered_at + one.pays_after if one.pays_after is not None else None for one in people
                ],
                "totals": [one.total for one in people],
                "flags": [one.flags | int(one.is_alone) for one in people],
                "currencies": [one.currency for one in people],
            },
        )


def _columns(cursor: Any, table: str, named: dict[str, str]) -> str:
    """Return the columns of a table and what they are filled from; those that are not named get what is empty."""
    cursor.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
        " AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'",
        [table],
    )
    empty = {"ARRAY": "'{}'", "jsonb": "'{}'", "boolean": "false", "numeric": "0", "bigint": "0", "integer": "0",
             "smallint": "0", "timestamp with time zone": "g.entered_at"}  # fmt: skip
    filled = {name: empty.get(kind, "''") for name, kind in cursor.fetchall()} | named
    return f"({', '.join(filled)}) SELECT {', '.join(filled.values())}"
