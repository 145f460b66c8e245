"""People who may be one: what a person decides about them, on the page of either (T42)."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recoup.accounts.roles import Right
from recoup.customers.merging import open_suggestions
from recoup.customers.models import Contact, MergeSuggestion
from recoup.orders.people import OrdersOfPerson, orders_of_people
from recoup.shops.access import Seat
from recoup.web import parts, screens
from recoup.web.answers import place
from recoup.web.shown.people import name_of
from recoup.web.words.customers import why_same

MOST_DOUBLES = 10


def doubles_of(seat: Seat, contact: Contact) -> list[screens.Double]:
    """Return the people who may be the same person; nobody is merged by itself beyond what is certain."""
    return [
        _double(seat, one, _other(one, contact), contact)
        for one in open_suggestions(contact, most=MOST_DOUBLES)
    ]


def _other(suggestion: MergeSuggestion, contact: Contact) -> Contact:
    return suggestion.second if suggestion.first_id == contact.pk else suggestion.first


def _double(seat: Seat, suggestion: MergeSuggestion, other: Contact, contact: Contact) -> screens.Double:
    actions = []
    if seat.may(Right.EDIT_CUSTOMERS):
        apart = place(seat, "customer_apart", contact.pk, suggestion.pk)
        actions = [
            screens.Action(_("Merge…"), opens=_dialog_id(suggestion)),
            screens.Action(_("Not the same person"), url=apart, is_post=True, tone="ghost"),
        ]
    return screens.Double(
        name=name_of(other),
        url=place(seat, "customer", other.pk),
        reach=other.email or other.phone,
        why=why_same(suggestion.why),
        actions=actions,
    )


def doubles_dialogs(seat: Seat, contact: Contact) -> list[parts.Confirm]:
    """Return the dialogs that merge: each asks which of the two is kept and says what follows."""
    if not seat.may(Right.EDIT_CUSTOMERS):
        return []
    pairs = [(one, _other(one, contact)) for one in open_suggestions(contact, most=MOST_DOUBLES)]
    numbers = orders_of_people(seat.shop, [contact.pk, *(other.pk for _one, other in pairs)])
    return [
        parts.Confirm(
            id=_dialog_id(one),
            title=_("Merge these two customers?"),
            url=place(seat, "customer_merge", contact.pk, one.pk),
            button=_("Merge into one customer"),
            text=_("This cannot be undone. Merge only what you are sure of."),
            effects=[
                _("Orders, carts, notes and messages of both stand with the one who is kept."),
                _("Both addresses and phones go on leading to them, and links already sent go on working."),
                _("Who unsubscribed or took consent back as either of them stays so, at both addresses."),
                _("What is unpaid twice, or was paid by the other meanwhile, is not reminded any more."),
            ],
            fields=[
                parts.Choice(
                    "kept",
                    _("Keep the name and the address of"),
                    [("this", _option(contact, numbers)), ("other", _option(other, numbers))],
                    is_required=True,
                    kind="radio",
                    help=_("Mails go to this address. What is empty here is filled from the other one."),
                )
            ],
            hidden=[("other", str(other.pk))],
        )
        for one, other in pairs
    ]


def _option(contact: Contact, numbers: dict[int, OrdersOfPerson]) -> str:
    count = numbers.get(contact.pk, OrdersOfPerson()).orders
    orders = ngettext("%(n)d order", "%(n)d orders", count) % {"n": count}
    ways = (name_of(contact), contact.email or contact.phone, orders)
    return " · ".join(dict.fromkeys(way for way in ways if way))


def _dialog_id(suggestion: MergeSuggestion) -> str:
    return f"merge-{suggestion.pk}"
