"""Two people who were made one have been in a process once: their keys become those of who stays, in the merge itself.

The unique indexes decide. Whoever is coming in at that moment as the one who stays waits for the merge and is turned away;
whoever comes in as the one who goes is found by the news of the merge, and leaves.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.db import IntegrityError, connection, transaction

from recoup.core.clock import trade_now
from recoup.customers import merging
from recoup.processes.engine.codes import Code
from recoup.processes.engine.endings import stop
from recoup.processes.engine.entry import FIRST_TURN, key_of, keys_of_person
from recoup.processes.facts import enrolment_of
from recoup.processes.store_sql import facts_sql

# What both had is had by the one who stays already; the row of the other keeps its own word, and the key that says so.
_REKEY = """
    UPDATE processes_enrolment e SET {column} = k.new_key
    FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS k (old_key, new_key)
    WHERE e.shop_id = %(shop)s AND e.contact_id = ANY(%(people)s) AND e.{column} = k.old_key
      AND NOT EXISTS (SELECT FROM processes_enrolment x WHERE x.{scope} = e.{scope} AND x.{column} = k.new_key)
"""
_SCOPES = {"entry_key": "process_id", "active_key": "process_id", "group_key": "shop_id"}
_BOTH_HAD = "UPDATE processes_enrolment SET entry_key = %s WHERE shop_id = %s AND contact_id = ANY(%s) AND entry_key = %s"
_GROUPS = """
    SELECT exclusive_group FROM processes_process WHERE shop_id = %(shop)s AND exclusive_group <> ''
    UNION SELECT v.doc -> 'entry' ->> 'group' FROM processes_processversion v
    WHERE v.shop_id = %(shop)s AND v.doc -> 'entry' ? 'group'
"""
TRIES = 5  # each loses to somebody who came in at that very moment; the next one sees them


def take_over_keys(shop_id: int, contact_id: int, gone_id: int) -> None:
    """Give the enrolments of the one who goes the keys of the one who stays, in the transaction of the merge."""
    _rekey(shop_id, contact_id, gone_id)
    for old in (key_of("contact", gone_id), key_of("contact", gone_id, FIRST_TURN)):
        # Both had been in before they were one: from here on this key belongs to nobody but who comes in meanwhile.
        _run(_BOTH_HAD, [key_of("merged", gone_id, old), shop_id, [contact_id, gone_id], old])


def end_doubles(shop_id: int, contact_id: int, gone_id: int) -> int:
    """End what began in the moment of the merge as the one who goes, where who stays had been in; return how many."""
    _rekey(shop_id, contact_id, gone_id)
    keys = [key_of("contact", gone_id), key_of("contact", gone_id, FIRST_TURN)]
    with connection.cursor() as cursor:
        cursor.execute(
            facts_sql(
                "e.shop_id = %s AND e.contact_id = ANY(%s) AND e.entry_key = ANY(%s) AND e.state IN (1, 2, 3)"
                " ORDER BY e.id FOR NO KEY UPDATE"
            ),
            [shop_id, [contact_id, gone_id], keys],
        )
        rows = cursor.fetchall()
    if rows:
        now = trade_now()
        store = import_module("recoup.processes.store").PostgresStore()
        store.save([stop(enrolment_of(row), Code.STOPPED_DOUBLE, now) for row in rows], now)
    return len(rows)


def _rekey(shop_id: int, contact_id: int, gone_id: int) -> None:
    groups = [str(row[0]) for row in _run(_GROUPS, {"shop": shop_id}) if row[0]]
    new = keys_of_person(contact_id, groups)
    for column, old_keys in keys_of_person(gone_id, groups).items():
        statement = _REKEY.format(column=column, scope=_SCOPES[column])
        values = {
            "old": old_keys,
            "new": new[column],
            "shop": shop_id,
            "people": [contact_id, gone_id],
        }
        _try(statement, values)


def _try(statement: str, values: dict[str, Any]) -> None:
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                _run(statement, values)
        except IntegrityError:
            if not left:
                raise
        else:
            return


def _run(statement: str, values: dict[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def register() -> None:
    """Be told of each merge while it happens."""
    merging.also(take_over_keys)
