"""From the columns of `sql/pick.sql` to what the engine reads."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from recoup.customers.clocks import clocks_of_person
from recoup.processes.engine.codes import Code
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.entry import with_cause
from recoup.processes.engine.records import NO_MESSAGES, Enrolment, Facts, MessageFacts
from recoup.segments.facts import CartFacts, ContactFacts, OrderFacts

ENROLMENT_COLUMNS = 22
_ORDER = ENROLMENT_COLUMNS + 1
_CART = _ORDER + 16
_REST = _CART + 8

# How messages end, in the ledger's codes; the reason itself stands on the message.
_ENDS = {
    "expired": Code.SKIPPED_EXPIRED,
    "day_over": Code.SKIPPED_EXPIRED,
    "paid": Code.SKIPPED_PAID,
    "refunded": Code.SKIPPED_PAID,
    "order_cancelled": Code.SKIPPED_CANCELLED,
    "order_false": Code.SKIPPED_CANCELLED,
    "order_closed": Code.SKIPPED_CANCELLED,
    "superseded": Code.SKIPPED_SUPERSEDED,
    "ordered_since": Code.SKIPPED_SUPERSEDED,
    "duplicate": Code.SKIPPED_SUPERSEDED,
    "cart_converted": Code.SKIPPED_CONVERTED,
    "cart_emptied": Code.SKIPPED_EMPTIED,
    "cart_expired": Code.SKIPPED_EXPIRED,
    "no_consent": Code.SKIPPED_CONSENT,
    "suppressed": Code.SKIPPED_SUPPRESSION,
    "erased": Code.SKIPPED_SUPPRESSION,
    "cap": Code.SKIPPED_CAP,
    "channel_cap": Code.SKIPPED_CAP,
    "order_cap": Code.SKIPPED_CAP,
    "outranked": Code.SKIPPED_OUTRANKED,
    "number_cap": Code.SKIPPED_COST,
    "range_cap": Code.SKIPPED_COST,
    "cost_cap": Code.SKIPPED_COST,
    "country_not_allowed": Code.SKIPPED_COST,
    "no_address": Code.SKIPPED_NO_ADDRESS,
    "not_mobile": Code.SKIPPED_NO_ADDRESS,
    "no_channel": Code.SKIPPED_NO_ADDRESS,
    "too_long": Code.FAILED_TEMPLATE,
    "promised": Code.SKIPPED_HELD,
    "paused": Code.SKIPPED_HELD,
    "claimed": Code.SKIPPED_HELD,
    "taken_over": Code.SKIPPED_HELD,
    "stopped": Code.SKIPPED_STOPPED,
    "ended": Code.SKIPPED_STOPPED,
    "offer_over": Code.SKIPPED_EXPIRED,
    "payment_news": Code.SKIPPED_SOURCE,
    "intake_unreadable": Code.SKIPPED_SOURCE,
    "source_silent": Code.SKIPPED_SOURCE,
    "no_template": Code.FAILED_TEMPLATE,
    "text_incomplete": Code.FAILED_TEMPLATE,
    "text_failed": Code.FAILED_TEMPLATE,
    "address_bad": Code.FAILED_REFUSED,
    "address_unknown": Code.FAILED_REFUSED,
    "refused": Code.FAILED_REFUSED,
    "too_late_after_tries": Code.FAILED_RETRIES,
}


# Why messages wait, in the ledger's codes; other reasons are told in the sender's own words.
_WAITS = {
    "promised": Code.DEFERRED_PROMISE,
    "paused": Code.DEFERRED_HELD,
    "claimed": Code.DEFERRED_HELD,
    "quiet_hours": Code.DEFERRED_QUIET,
    "cap": Code.DEFERRED_CAP,
    "channel_cap": Code.DEFERRED_CAP,
    "outranked": Code.DEFERRED_OUTRANKED,
    "number_cap": Code.DEFERRED_COST,
    "range_cap": Code.DEFERRED_COST,
    "cost_cap": Code.DEFERRED_COST,
    "daily_quota": Code.DEFERRED_QUOTA,
}


def message_wait(state: str, reason: str, *, is_passed_on: bool) -> int:
    """Return the ledger's code of what a message waits for; 0 if it has ended, or if the code is none of these."""
    if state not in ("due", "claimed", "handing"):
        return 0
    if not reason and is_passed_on:
        return int(Code.DEFERRED_CHANNEL)
    return int(_WAITS.get(reason, 0))


def message_outcome(state: str, reason: str) -> int:
    """Return the ledger's code of a message's end; 0 while it has none."""
    match state:
        case "sent":
            return int(Code.SENT)
        case "uncertain":
            return int(Code.UNCERTAIN)
        case "cancelled":
            return int(_ENDS.get(reason, Code.SKIPPED_OTHER))
        case "failed":
            return int(_ENDS.get(reason, Code.FAILED_OTHER))
    return 0


def enrolment_of(row: Sequence[Any]) -> Enrolment:
    """Build the enrolment from the first columns."""
    values = list(row[:ENROLMENT_COLUMNS])
    values[-1] = json.loads(values[-1]) if values[-1] else None
    return Enrolment._make(values)


def facts_of(row: Sequence[Any], graph: Graph) -> Facts:
    """Build the facts from the columns behind the enrolment and the status of its process."""
    zone, locale, country, shop_zone, shop_country, closed_at, messages = row[_REST : _REST + 7]
    order, order_superseded, promised_at, claimed_until, paused_at = _order_of(row)
    cart, cart_superseded = _cart_of(row)
    facts = Facts(
        order=order,
        cart=cart,
        contact=contact_facts(zone, locale, country, shop_zone, shop_country),
        messages=_messages_of(messages, graph) if messages else NO_MESSAGES,
        superseded_at=order_superseded or cart_superseded,
        case_closed_at=closed_at,
        promised_at=promised_at,
        claimed_until=claimed_until,
        held_since=paused_at,
    )
    variables = row[ENROLMENT_COLUMNS - 1]
    return with_cause(facts, json.loads(variables)) if variables else facts


@lru_cache(maxsize=4096)
def contact_facts(
    zone: str | None, locale: str | None, country: str | None, shop_zone: str, shop_country: str
) -> ContactFacts:
    """Build the facts of a person, with the clocks by which they live."""
    told, at_home = zone or "", country or ""
    clocks = clocks_of_person(told, at_home, shop_zone=shop_zone, shop_country=shop_country)
    return ContactFacts(
        told,
        locale or "",
        shop_zone,
        at_home,
        clocks.wait.key,
        end_zones=tuple(one.key for one in clocks.ends),
        quiet_zones=tuple(one.key for one in clocks.quiet),
    )


def _order_of(row: Sequence[Any]) -> tuple[OrderFacts | None, Any, Any, Any, Any]:
    if row[_ORDER] is None:
        return None, None, None, None, None
    (
        placed_at, total, total_due, currency, method, is_offline, cause, status, paid_at, paid_learnt_at,
        cancelled_at, superseded_at, promised_at, claimed_until, paused_at, products,
    ) = row[_ORDER : _ORDER + 16]  # fmt: skip
    facts = OrderFacts(
        placed_at, total, total_due, currency, method, is_offline, cause, status, None, paid_at, paid_learnt_at,
        cancelled_at, cancelled_at, tuple(products),
    )  # fmt: skip
    return facts, superseded_at, promised_at, claimed_until, paused_at


def _cart_of(row: Sequence[Any]) -> tuple[CartFacts | None, Any]:
    if row[_CART] is None:
        return None, None
    *columns, products, superseded_at = row[_CART : _CART + 8]
    return CartFacts._make((*columns, tuple(products))), superseded_at


def _messages_of(text: str, graph: Graph) -> Mapping[int, MessageFacts]:
    found = {}
    for step_no, node, state, reason, settled_at, handed_at, opened_at, clicked_at in json.loads(text):
        outcome = message_outcome(state, reason)
        is_out = outcome in (Code.SENT, Code.UNCERTAIN)
        found[step_no] = MessageFacts(
            graph.node_map.get(node, 0),
            outcome,
            _instant(handed_at if outcome == Code.UNCERTAIN and handed_at else settled_at)
            if outcome
            else None,
            _instant(handed_at) if is_out else None,
            _instant(opened_at),
            _instant(clicked_at),
        )
    return found


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
