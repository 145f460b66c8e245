"""The numbers of processes, and the cases that they count (rule 10)."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.db import connection

from recoup.analytics.figures import COUNTED
from recoup.core.paging import MOST_COUNTED, Count, Keyset, Page, count_rows, page_keys
from recoup.processes.models import ProcessVersion
from recoup.recovery.models import RecoveryCase
from recoup.recovery.queries import CaseFilter, case_keyset, cases_by_key
from recoup.shops.models import Shop

CaseNumber = Literal["inside", "won"]
_INSIDE = "r.id IN (SELECT e.case_id FROM processes_enrolment e WHERE e.process_id = {process} AND e.active_key IS NOT NULL)"
_WON = (
    "r.outcome = 'recovered' AND EXISTS (SELECT FROM messaging_message m JOIN processes_process own"
    " ON own.message_source_id = m.source_id WHERE m.id = r.credited_message_id AND own.id = {process})"
)
_AT_BLOCK = (
    "r.id IN (SELECT e.case_id FROM processes_enrolment e WHERE e.process_id = %s AND e.active_key IS NOT NULL"
    " AND (e.version_id, e.node) IN (SELECT * FROM unnest(%s::bigint[], %s::smallint[])))"
)
_CONDITIONS: dict[CaseNumber, str] = {"inside": _INSIDE, "won": _WON}
_SENT = "m.shop_id = p.shop_id AND m.source_id = p.message_source_id AND m.state = 'sent'"


@dataclass(frozen=True, slots=True)
class ProcessNumbers:
    """How a process does: all that wait in it now, messages it sent, cases that they won back."""

    inside: Count
    sent: Count
    won: Count
    messaged: int

    @property
    def rate(self) -> Decimal | None:
        """Return the share of the cases that it wrote to which came back; of nothing it is unknown."""
        return Decimal(self.won.number) / self.messaged if self.messaged else None


def process_numbers(shop: Shop) -> dict[int, ProcessNumbers]:
    """Return the numbers of all processes of a shop, each exact up to 10,000."""
    limit = MOST_COUNTED + 1
    won = _WON.format(process="p.id")
    statement = f"""
        SELECT p.id,
          (SELECT count(*) FROM (SELECT FROM processes_enrolment e
             WHERE e.process_id = p.id AND e.active_key IS NOT NULL LIMIT {limit}) x),
          (SELECT count(*) FROM (SELECT FROM messaging_message m WHERE {_SENT} LIMIT {limit}) x),
          (SELECT count(*) FROM (SELECT FROM recovery_recoverycase r
             WHERE r.shop_id = p.shop_id AND {won} LIMIT {limit}) x),
          (SELECT count(DISTINCT x.id) FROM (SELECT r.id FROM messaging_message m
             JOIN recovery_recoverycase r ON r.id = m.case_id AND {COUNTED}
             WHERE {_SENT} AND NOT m.is_test LIMIT 100000) x)
        FROM processes_process p WHERE p.shop_id = %(shop_id)s"""  # noqa: S608 - conditions of this file
    with connection.cursor() as cursor:
        cursor.execute(statement, {"shop_id": shop.pk})
        rows = cursor.fetchall()
    return {row[0]: ProcessNumbers(_count(row[1]), _count(row[2]), _count(row[3]), row[4]) for row in rows}


def _count(number: int) -> Count:
    return Count(min(number, MOST_COUNTED), is_capped=number > MOST_COUNTED)


@dataclass(frozen=True, slots=True)
class ProcessCases:
    """Which cases a number of a process counts; with a block, those that stand there now."""

    process_id: int
    number: CaseNumber
    block: str = ""
    start: datetime | None = None  # of the opening of the cases
    end: datetime | None = None


def list_process_cases(shop: Shop, chosen: ProcessCases, *, cursor: str = "") -> Page[RecoveryCase]:
    """Return a page of the cases that a number of a process counts."""
    page = page_keys(_keyset(shop, chosen), cursor=cursor)
    return Page(cases_by_key(shop, page.rows), older=page.older, newer=page.newer)


def count_process_cases(shop: Shop, chosen: ProcessCases, *, most: int | None = MOST_COUNTED) -> Count:
    """Count them."""
    return count_rows(_keyset(shop, chosen), most=most)


def _keyset(shop: Shop, chosen: ProcessCases) -> Keyset:
    keyset = case_keyset(shop, CaseFilter(is_open=False))
    conditions: list[str] = [*keyset.conditions, _CONDITIONS[chosen.number].format(process="%s")]
    params: list[Any] = [*keyset.params, chosen.process_id]
    for condition, at in (("r.opened_at >= %s", chosen.start), ("r.opened_at < %s", chosen.end)):
        if at is not None:
            conditions.append(condition)
            params.append(at)
    if chosen.block:
        versions = ProcessVersion.objects.filter(shop=shop, process=chosen.process_id)
        numbers = [
            (key, node_map[chosen.block])
            for key, node_map in versions.values_list("pk", "node_map")
            if chosen.block in node_map
        ]
        conditions.append(_AT_BLOCK)
        params += [chosen.process_id, [key for key, _ in numbers], [number for _, number in numbers]]
    return replace(keyset, conditions=conditions, params=params)
