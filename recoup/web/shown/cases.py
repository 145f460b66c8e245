"""Recovery cases in lists: rows, and the filters of the address."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from recoup.core.money import Money
from recoup.customers.models import Contact
from recoup.processes.graph.next_step import NextStep
from recoup.processes.queries import planned_steps
from recoup.recovery.models import RecoveryCase
from recoup.recovery.queries import CaseFilter
from recoup.shops.access import Seat
from recoup.web import listing
from recoup.web.answers import place
from recoup.web.listing import Address
from recoup.web.parts import Filters, Link
from recoup.web.screens import CameBack, CaseRow
from recoup.web.shown.people import name_of
from recoup.web.words import steps

Outcome = RecoveryCase.Outcome
FILTER_KEYS = ("v", "outcome", "kind", "cause", "from", "to", "currency", "messaged", "person", "q")


def case_url(seat: Seat, case: RecoveryCase) -> str:
    """Return where a case is worked on: its order, or the person who left the cart."""
    if case.order_id is not None:
        return place(seat, "order", case.order_id)
    if case.contact_id is not None:
        return place(seat, "customer", case.contact_id)
    return place(seat, "recovery")


def outcome_of(case: RecoveryCase) -> tuple[str, str]:
    """Return the state of a case as a code for its badge, and in words."""
    if case.closed_at is None:
        return "open", _("Open")
    return case.outcome, str(Outcome(case.outcome).label)


def case_rows(cases: Sequence[RecoveryCase], seat: Seat, now: datetime) -> list[CaseRow]:
    """Return the rows of cases that came with order, cart and contact."""
    living = [case for case in cases if case.closed_at is None]
    planned = planned_steps(
        [case.order_id for case in living if case.order_id is not None],
        [case.cart_id for case in living if case.cart_id is not None],
        now=now,
    )
    rows = []
    for case in cases:
        outcome, label = outcome_of(case)
        given = case.order.buyer.get("name", "") if case.order is not None else ""
        subject = (1, case.order_id) if case.order_id is not None else (2, case.cart_id or 0)
        step = planned.get(subject)
        rows.append(
            CaseRow(
                id=case.pk,
                order=case.order.number if case.order is not None else _("Cart"),
                url=case_url(seat, case),
                person=name_of(case.contact, given),
                amount=Money(
                    case.recovered_amount if case.recovered_amount is not None else case.amount, case.currency
                ),
                cause=RecoveryCase.Cause(case.cause).label,
                opened_at=case.opened_at,
                outcome=outcome,
                outcome_label=label,
                messages=case.messages_sent,
                next_words=_next_words(case, step, now),
            )
        )
    return rows


def _next_words(case: RecoveryCase, step: NextStep | None, now: datetime) -> str:
    if step is not None:
        return steps.next_line(step, now, is_brief=True)
    return _("No further reminder") if case.closed_at is None else ""


def came_back(seat: Seat, cases: Sequence[RecoveryCase]) -> list[CameBack]:
    """Return the last money that came back, for Home."""
    return [
        CameBack(
            order=case.order.number if case.order is not None else _("Cart"),
            url=case_url(seat, case),
            person=name_of(case.contact, case.order.buyer.get("name", "") if case.order is not None else ""),
            amount=Money(case.recovered_amount, case.currency),
            at=case.recovered_at,
        )
        for case in cases
        if case.recovered_amount is not None and case.recovered_at is not None
    ]


def chosen_cases(address: Address) -> CaseFilter:
    """Read the filters of an address."""
    view = address.get("v")
    outcomes = address.some_of("outcome", Outcome.values)
    if view == "recovered" and not outcomes:
        outcomes = (Outcome.RECOVERED,)
    messaged = address.get("messaged")
    return CaseFilter(
        is_open=view not in ("all", "recovered"),
        outcomes=outcomes,
        kind=address.one_of("kind", RecoveryCase.Kind.values),
        cause=address.one_of("cause", RecoveryCase.Cause.values),
        currency=address.get("currency"),
        opened_from=address.instant("from"),
        opened_before=address.instant("to"),
        has_messages={"yes": True, "no": False}.get(messaged),
        contact_id=address.number("person"),
        text=address.get("q"),
        is_oldest_first=address.get("o") == "oldest",
        is_largest_first=address.get("o") == "largest",
    )


def case_filters(address: Address, now: datetime) -> Filters:
    """Return the chips above the list."""
    view, outcome = address.get("v"), address.get("outcome")

    def chip(code: str, label: str) -> Link:
        return Link(label, address.url(v=code, outcome=""), view == code and not outcome)

    person = address.number("person")
    contact = Contact.objects.filter(pk=person).first() if person is not None else None
    messaged = [("yes", _("Got a reminder")), ("no", _("No reminder yet"))]
    menus = [
        *listing.person_menu(address, name_of(contact) if contact else ""),
        *listing.text_menu(address),
        listing.menu(address, "outcome", _("Outcome"), Outcome.choices),
        listing.menu(address, "cause", _("Cause"), RecoveryCase.Cause.choices),
        listing.menu(address, "kind", _("Kind"), RecoveryCase.Kind.choices),
        listing.menu(address, "messaged", _("Reminders"), messaged),
        listing.period_menu(address, _("Opened"), now),
    ]
    views = [chip("", _("Open")), chip("recovered", str(Outcome.RECOVERED.label)), chip("all", _("All"))]
    return Filters(views, menus, address.path if address.has_any(*FILTER_KEYS) else "")
