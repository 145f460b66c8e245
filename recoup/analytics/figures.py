"""Numbers that open: each figure of a report and of Home names exactly the rows that it counts (rule 10).

A `RowFilter` travels in an address. `count_rows_of` counts its rows, `rows_of` shows them, both by the same conditions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeVar

from django_scopes import scope

from recoup.analytics.upcoming import SENDS_SOON, blocks_before_sending
from recoup.core.models import AttentionItem
from recoup.core.paging import MOST_COUNTED, PAGE_SIZE, Count, Keyset, Page, count_rows, page_keys
from recoup.messaging.models import Message
from recoup.orders.became import order_became
from recoup.recovery.models import RecoveryCase
from recoup.recovery.queries import cases_by_key
from recoup.shops.models import Shop

# False orders and dropped duplicates are in no statistics (E10, O2).
COUNTED = "r.outcome NOT IN ('false', 'duplicate')"
REMINDER_OUT = "r.state IN ('sent', 'uncertain') AND NOT r.is_test AND r.purpose = 'reminder'"


class Figure(StrEnum):
    """A number. Those of cases count cases opened in the period, unless said otherwise."""

    CASES = "cases"
    MESSAGED = "messaged"
    MESSAGES = "messages"  # messages that those cases got
    RECOVERED = "recovered"
    REFUNDED = "refunded"  # recovered, and money was given back
    UNAIDED = "unaided"
    SUPERSEDED = "superseded"
    BECAME_ORDER = "became_order"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    OPEN = "open"
    CAME_IN = "came_in"  # recovered cases whose money came in the period
    SENT = "sent"  # reminders handed over in the period
    AFTER_KNOWN = "after_known"  # reminders handed over after we knew of the payment: must be none
    BEFORE_KNOWN = "before_known"  # after the payment, before we could know
    OPEN_NOW = "open_now"
    SENDS_SOON = "sends_soon"  # open cases that get a reminder before the end of the period
    UNCERTAIN = "uncertain"
    ATTENTION = "attention"


_Row = TypeVar("_Row")
RowKind = Literal["case", "message", "attention"]
_MESSAGES = {Figure.MESSAGES, Figure.SENT, Figure.AFTER_KNOWN, Figure.BEFORE_KNOWN, Figure.UNCERTAIN}
_BY_HAND_OVER = {Figure.SENT, Figure.AFTER_KNOWN, Figure.BEFORE_KNOWN}

# The paid order that a reminder is about: its order, or the one that its cart became.
_PAID_ORDER = f"""EXISTS (
    SELECT FROM orders_order o
    WHERE o.id = coalesce(r.order_id, (SELECT {order_became("k")} FROM orders_cart k WHERE k.id = r.cart_id))
      AND {{condition}})"""  # noqa: S608 - an alias of ours

_CONDITIONS: dict[Figure, tuple[str, ...]] = {
    Figure.CASES: (COUNTED,),
    Figure.MESSAGED: (COUNTED, "r.messages_sent > 0"),
    Figure.RECOVERED: ("r.outcome = 'recovered'",),
    Figure.REFUNDED: ("r.outcome = 'recovered'", "r.refunded_amount > 0"),
    Figure.UNAIDED: ("r.outcome = 'paid_unaided'",),
    Figure.SUPERSEDED: ("r.outcome = 'superseded'",),
    Figure.BECAME_ORDER: ("r.outcome = 'became_order'",),
    Figure.CANCELLED: ("r.outcome = 'cancelled'",),
    Figure.LAPSED: ("r.outcome = 'lapsed'",),
    Figure.OPEN: ("r.closed_at IS NULL",),
    Figure.OPEN_NOW: ("r.closed_at IS NULL",),
    Figure.CAME_IN: ("r.recovered_at IS NOT NULL",),
    Figure.SENT: ("r.state = 'sent' AND NOT r.is_test AND r.purpose = 'reminder'",),
    Figure.AFTER_KNOWN: (REMINDER_OUT, _PAID_ORDER.format(condition="r.handed_at >= o.paid_learnt_at")),
    Figure.BEFORE_KNOWN: (
        REMINDER_OUT,
        _PAID_ORDER.format(condition="r.handed_at >= o.paid_at AND r.handed_at < o.paid_learnt_at"),
    ),
    Figure.ATTENTION: ("r.settled_at IS NULL",),
}


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows a number counts. Instants of a period; an empty currency or kind is all of them."""

    figure: Figure
    start: datetime | None = None
    end: datetime | None = None
    currency: str = ""
    kind: str = ""  # of the case: order or cart

    @property
    def row_kind(self) -> RowKind:
        """Return what the rows are."""
        if self.figure in _MESSAGES:
            return "message"
        return "attention" if self.figure is Figure.ATTENTION else "case"

    def as_query(self) -> dict[str, str]:
        """Return the filter as it stands in an address."""
        values = {
            "figure": self.figure.value,
            "start": self.start.isoformat() if self.start else "",
            "end": self.end.isoformat() if self.end else "",
            "currency": self.currency,
            "kind": self.kind,
        }
        return {name: value for name, value in values.items() if value}


def filter_from(query: Mapping[str, str]) -> RowFilter | None:
    """Read a filter from an address; `None` if nobody of ours wrote it."""
    try:
        start, end = (
            datetime.fromisoformat(query[name].replace(" ", "+")) if query.get(name) else None
            for name in ("start", "end")
        )
        found = RowFilter(
            Figure(query.get("figure", "")),
            start,
            end,
            query.get("currency", "")[:3],
            query.get("kind", "")[:8],
        )
    except ValueError:
        return None
    if any(instant is not None and instant.tzinfo is None for instant in (start, end)):
        return None
    return found


def count_rows_of(shop: Shop, rows: RowFilter, *, most: int | None = MOST_COUNTED) -> Count:
    """Count the rows of a number, exactly up to `most`, or all of them (`None`)."""
    return count_rows(_keyset(shop, rows), most=most)


def rows_of(
    shop: Shop, rows: RowFilter, *, cursor: str = "", size: int = PAGE_SIZE
) -> Page[RecoveryCase] | Page[Message] | Page[AttentionItem]:
    """Return a page of the rows of a number, the newest first; `rows.row_kind` says what they are."""
    page = page_keys(_keyset(shop, rows), cursor=cursor, size=size)
    if rows.row_kind == "case":
        return Page(cases_by_key(shop, page.rows), older=page.older, newer=page.newer)
    if rows.row_kind == "message":
        with scope(shop=shop):
            messages = Message.objects.select_related(
                "order", "cart", "contact", "template", "source"
            ).in_bulk(page.rows)
        return Page(_in_order(messages, page.rows), older=page.older, newer=page.newer)
    items = AttentionItem.objects.filter(shop_id=shop.pk).in_bulk(page.rows)
    return Page(_in_order(items, page.rows), older=page.older, newer=page.newer)


def _in_order(found: Mapping[int, _Row], keys: Sequence[int]) -> list[_Row]:
    return [found[key] for key in keys if key in found]


def _keyset(shop: Shop, rows: RowFilter) -> Keyset:
    if rows.figure is Figure.ATTENTION:
        return Keyset("core_attention", shop.pk, conditions=_CONDITIONS[rows.figure])
    if rows.figure is Figure.UNCERTAIN:
        return Keyset(
            "messaging_message",
            shop.pk,
            conditions=["NOT r.is_test"],
            branch="state",
            branch_values=["uncertain"],
        )
    if rows.figure is Figure.MESSAGES:
        return _messages_of_cases(shop, rows)
    if rows.figure in _BY_HAND_OVER:
        conditions, params = _within("handed_at", rows)
        return Keyset(
            "messaging_message",
            shop.pk,
            value="handed_at",
            conditions=[*_CONDITIONS[rows.figure], *conditions],
            params=params,
        )
    if rows.figure is Figure.SENDS_SOON:
        versions, nodes = blocks_before_sending(shop)
        return Keyset(
            "recovery_recoverycase",
            shop.pk,
            value="opened_at",
            conditions=[SENDS_SOON],
            params=[shop.pk, rows.end, versions, nodes, shop.pk, rows.end],
        )
    return _cases(shop, rows)


def _cases(shop: Shop, rows: RowFilter) -> Keyset:
    value = "recovered_at" if rows.figure is Figure.CAME_IN else "opened_at"
    conditions, params = _within(value, rows)
    return Keyset(
        "recovery_recoverycase",
        shop.pk,
        value=value,
        conditions=[*_CONDITIONS[rows.figure], *conditions],
        params=params,
    )


def _messages_of_cases(shop: Shop, rows: RowFilter) -> Keyset:
    conditions, params = _within("opened_at", rows)
    cohort = " AND ".join(["r.shop_id = %s", COUNTED, *conditions]).replace("r.", "c.")
    return Keyset(
        "messaging_message",
        shop.pk,
        conditions=[
            "r.state = 'sent' AND NOT r.is_test AND r.purpose = 'reminder'",
            f"r.case_id IN (SELECT c.id FROM recovery_recoverycase c WHERE {cohort})",  # noqa: S608 - ours
        ],
        params=[shop.pk, *params],
    )


def _within(column: str, rows: RowFilter) -> tuple[list[str], list[Any]]:
    wanted: list[tuple[str, Any]] = [(f"r.{column} >= %s", rows.start), (f"r.{column} < %s", rows.end)]
    if column != "handed_at":
        wanted += [("r.currency = %s", rows.currency or None), ("r.kind = %s", rows.kind or None)]
    return (
        [condition for condition, value in wanted if value is not None],
        [value for _, value in wanted if value is not None],
    )
