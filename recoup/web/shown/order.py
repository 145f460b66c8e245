"""The page of an order: what it is, what happened, who it is, what comes next, and what may be done (E1-E16, F1)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.core import humane
from recoup.core.links import Retold
from recoup.core.money import Money
from recoup.desk.queries import tasks_about
from recoup.messaging.models import Message
from recoup.orders.desk import is_claimed, is_workable
from recoup.orders.models import Order, OrderLine
from recoup.orders.particulars import (
    address_words,
    bill_address_of,
    coupon_of,
    delivery_of,
    invoice_of,
    point_words,
)
from recoup.orders.queries import PAID_STATES, siblings_of
from recoup.payments.models import Attempt
from recoup.processes.graph.next_step import NextStep as Planned
from recoup.processes.queries import next_steps
from recoup.recovery.models import RecoveryCase
from recoup.shops.access import Seat
from recoup.shops.adapters import platform
from recoup.shops.snapshots import ShopState
from recoup.storefront.by_hand import find_pay_link
from recoup.web import parts, screens
from recoup.web.answers import place
from recoup.web.listing import with_query
from recoup.web.shown.handed import pay_link_of
from recoup.web.shown.orders import order_url
from recoup.web.shown.people import clerk_names, language_name, person_card
from recoup.web.shown.tasks import task_rows
from recoup.web.shown.timeline import ORDER, order_timeline
from recoup.web.words import orders as words
from recoup.web.words import payments, steps
from recoup.web.words.texts import text_name

MOST_TASKS = 10
MOST_SIBLINGS = 20
_UNSETTLED = (Message.State.DUE, Message.State.CLAIMED)


@dataclass(frozen=True, slots=True)
class Standing:
    """What several parts of the page ask about an order."""

    order: Order
    now: datetime
    planned: Planned | None
    process: str
    siblings: list[Order]
    clerk: str  # who is working on it; empty when nobody is
    is_mine: bool
    waiting_messages: int
    pay_link: Retold | None = None  # made by hand before, for whoever may hand it on

    @property
    def is_workable(self) -> bool:
        """Tell whether there is anything to do about it."""
        return is_workable(self.order)

    @property
    def stops(self) -> int:
        """Return how many planned messages an end of the order stops."""
        planned = self.planned
        ahead = planned.total - planned.ordinal + 1 if planned is not None and planned.ordinal else 0
        return max(ahead, self.waiting_messages)


def standing_of(seat: Seat, order: Order, now: datetime) -> Standing:
    """Look at an order once for all parts of its page."""
    found = next_steps(subject_kind=ORDER, subject_id=order.pk, now=now)
    process, planned = found[0] if found else ("", None)
    holds = is_claimed(order, now)
    names = clerk_names([order.claimed_by]) if holds else {}
    return Standing(
        order=order,
        now=now,
        planned=planned,
        process=process,
        siblings=list(siblings_of(order).filter(is_test=False)[:MOST_SIBLINGS]),
        clerk=(names.get(order.claimed_by or 0) or _("A colleague")) if holds else "",
        is_mine=holds and order.claimed_by == seat.user.pk,
        waiting_messages=Message.objects.filter(order=order, state__in=_UNSETTLED).count(),
        pay_link=find_pay_link(order, now=now)
        if seat.may(Right.WORK_ORDERS) and is_workable(order)
        else None,
    )


def order_page(seat: Seat, standing: Standing, actions: list[screens.Action]) -> screens.OrderPage:
    """Return all that the page of an order shows."""
    order = standing.order
    lines = list(order.lines.order_by("position"))
    return screens.OrderPage(
        number=order.number,
        status=order.status,
        status_label=words.status_label(order.status),
        status_url=with_query(place(seat, "order_status", order.pk), {"version": order.lock_version}),
        payment=order.payment_state,
        payment_label=words.payment_label(order),
        placed_at=order.placed_at,
        lines=[_line(line, order.currency) for line in lines],
        sums=_sums(order, lines),
        total=Money(order.total, order.currency),
        paid=Money(order.captured - order.refunded, order.currency) if order.captured else None,
        person=person_card(seat, order.contact, given=order.buyer.get("name", "")),
        timeline=order_timeline(seat, order),
        attempts=[_attempt(attempt) for attempt in order.attempts.order_by("-created_at", "-id")],
        facts=_facts(standing),
        delivery=delivery_facts(order),
        next_step=next_card(standing),
        actions=actions,
        pay_link=pay_link_of(order, standing.pay_link),
        siblings=_siblings(seat, standing),
        tasks=task_rows(seat, list(tasks_about(seat.shop, order_id=order.pk)[:MOST_TASKS]), standing.now),
    )


def _line(line: OrderLine, currency: str) -> screens.OrderLine:
    quantity = humane.number(
        line.quantity.normalize() if line.quantity % 1 else int(line.quantity), get_language() or "en"
    )
    price = humane.money(Money(line.unit_price, currency), get_language() or "en")
    chosen = (
        [str(value) for value in line.options.values() if value] if isinstance(line.options, dict) else []
    )
    return screens.OrderLine(
        name=line.name,
        quantity=f"{quantity} × {price}",
        total=Money(line.total, currency),
        detail=" · ".join([*chosen, *([line.sku] if line.sku else [])]),
        url=line.url if line.url.startswith("https://") else "",
    )


def _sums(order: Order, lines: list[OrderLine]) -> list[tuple[parts.Words, Money]]:
    """Return what lies between the goods and the total; a sum that the shop did not tell is left out."""
    goods = sum((line.total for line in lines), Decimal(0))
    given: list[tuple[parts.Words, Decimal | None]] = [
        (_("Goods"), goods if lines and goods != order.total else None),
        (_("Delivery"), order.shipping_total),
        (_("Discount"), -order.discount_total if order.discount_total else None),
        (_("Tax"), order.tax_total or None),
    ]
    return [(name, Money(value, order.currency)) for name, value in given if value is not None]


def _attempt(attempt: Attempt) -> screens.AttemptRow:
    is_failed = attempt.state == Attempt.State.FAILED
    return screens.AttemptRow(
        at=attempt.settled_at or attempt.created_at,
        state=attempt.state,
        state_label=Attempt.State(attempt.state).label,
        amount=Money(attempt.amount, attempt.currency),
        method=payments.method(attempt.method),
        reason=payments.failure(attempt.failure_class, attempt.failure_code) if is_failed else "",
    )


def _facts(standing: Standing) -> list[tuple[parts.Words, parts.Words]]:
    order, language, zone = standing.order, get_language() or "en", timezone.get_current_timezone()
    given: list[tuple[parts.Words, parts.Words]] = [
        (_("Works on it"), _clerk_words(standing)),
        (_("Source"), order.source.name),
        (_("Method"), payments.method(order.method, order.method_title)),
        (_("Language"), language_name(order.locale)),
        (_("Cancelled because"), words.status_reason(order.cancel_reason) if order.cancelled_at else ""),
        (_("Paid"), humane.exact(order.paid_at, zone, language) if order.paid_at else ""),
        (_("Promised for"), humane.day(order.promised_at, zone, language) if order.promised_at else ""),
        (_("Imported"), _("from history; never reminded") if order.is_backfill else ""),
        (_("Test"), _("a test order of the shop; never reminded") if order.is_test else ""),
    ]
    return [(name, value) for name, value in given if value]


def delivery_facts(order: Order) -> list[tuple[parts.Words, parts.Words]]:
    """Return how an order reaches its buyer and to whom it is invoiced; what nobody told is left out."""
    delivery, invoice, buyer = delivery_of(order), invoice_of(order), order.buyer
    bill, brought = address_words(bill_address_of(order)), address_words(delivery.address)
    is_same = bool(bill) and bill == brought
    receiver = [delivery.name, delivery.company, brought, delivery.phone]
    known = {"", buyer.get("name"), buyer.get("company"), buyer.get("phone")}
    wanted = {True: _("wanted"), False: _("not wanted"), None: ""}[invoice.is_wanted]
    given: list[tuple[parts.Words, parts.Words]] = [
        (_("Delivery"), delivery.title or delivery.method),
        (_("Pick-up point"), point_words(delivery.point)),
        (
            _("Delivered to"),
            "" if is_same else ", ".join(part for part in receiver if part and part not in known),
        ),
        (_("Billing and delivery address") if is_same else _("Billing address"), bill),
        (_("Company"), buyer.get("company", "") if buyer.get("company") != invoice.company else ""),
        (_("Invoice"), wanted),
        (_("Invoice for"), invoice.company),
        (_("Tax number"), invoice.tax_id),
        (_("Invoice address"), address_words(invoice.address)),
        (_("Coupon"), coupon_of(order)),
    ]
    return [(name, value) for name, value in given if value]


def _clerk_words(standing: Standing) -> str:
    until = standing.order.claimed_until
    if not standing.clerk or until is None:
        return ""
    return _("%(who)s, until %(when)s") % {"who": standing.clerk, "when": steps.upcoming(until, standing.now)}


def _siblings(seat: Seat, standing: Standing) -> list[screens.OrderLink]:
    """Return the person's other orders, the paid ones first; those for the same goods say so (F1, F3)."""
    order = standing.order
    goods = set(order.product_refs)
    found = sorted(standing.siblings, key=lambda one: one.payment_state not in PAID_STATES)
    return [
        screens.OrderLink(
            one.number,
            order_url(seat, one),
            Money(one.total, one.currency),
            one.placed_at,
            one.status,
            words.status_label(one.status),
            _("the same goods") if goods and goods == set(one.product_refs) else "",
        )
        for one in found
    ]


def next_card(standing: Standing) -> parts.NextStep:
    """Return what will happen next, in words with its time."""
    order, now = standing.order, standing.now
    if order.payment_state in PAID_STATES:
        text = _("Paid. No reminder goes out any more.")
        return parts.NextStep(text, "recovered", "circle-check", _came_back(order))
    if not is_workable(order):
        return parts.NextStep(_("Nothing more is planned."), "quiet", "check")
    if order.paused_at is not None or standing.clerk:
        return _resting(standing)
    if standing.planned is not None and order.shop_state != ShopState.UNKNOWN:
        return steps.next_step(standing.planned, standing.process, now)
    return _by_itself(order, now)


def _by_itself(order: Order, now: datetime) -> parts.NextStep:
    """Say what comes of an order that nothing is planned for."""
    if order.shop_state == ShopState.UNKNOWN:
        return parts.NextStep(
            _("The shop calls it “%(status)s”, which Recoup does not know: no reminder goes out by itself.")
            % {"status": order.raw_state},
            "quiet",
            "circle-help",
        )
    if order.check_at is not None:
        when = steps.upcoming(order.check_at, now) if order.check_at > now else _("now")
        return parts.NextStep(
            _("Looked at %(when)s; if it is not paid by then, its reminders begin.") % {"when": when},
            detail=_("The shop is asked once more before.")
            if platform(order.source.kind).capabilities.asks
            else "",
        )
    return parts.NextStep(_("Nothing more is planned by itself."), "quiet", "check")


def _came_back(order: Order) -> str:
    """Say which reminder brought the money back; nothing if it came by itself."""
    case = (
        RecoveryCase.objects.filter(order=order, outcome=RecoveryCase.Outcome.RECOVERED)
        .select_related("credited_message__template")
        .first()
    )
    if case is None or case.recovered_amount is None:
        return ""
    message = case.credited_message
    shown = {"sum": humane.money(Money(case.recovered_amount, case.currency), get_language() or "en")}
    if message is None or message.template is None:
        return _("%(sum)s came back after a reminder.") % shown
    return _("%(sum)s came back after “%(text)s”.") % {**shown, "text": text_name(message.template)}


def _resting(standing: Standing) -> parts.NextStep:
    """Return why no reminder goes out now, and what ends that."""
    order, now = standing.order, standing.now
    if order.paused_at is not None:
        since = steps.upcoming(order.paused_at, now)
        text, detail = (
            _("Reminders rest until somebody lets them go on."),
            _("Paused %(when)s.") % {"when": since},
        )
        return parts.NextStep(text, "quiet", "circle-pause", detail)
    until = steps.upcoming(order.claimed_until, now) if order.claimed_until else ""
    text = _("Reminders rest while %(who)s works on it.") % {"who": standing.clerk}
    detail = _("They go on when it is released, or %(when)s by themselves.") % {"when": until}
    return parts.NextStep(text, "quiet", "user-check", detail)
