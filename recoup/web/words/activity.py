"""The lines of the activity log in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from recoup.catalog.models import Product
from recoup.core import humane
from recoup.core.money import Money
from recoup.recovery.models import RecoveryCase
from recoup.web.parts import Words
from recoup.web.words import orders


@dataclass(frozen=True, slots=True)
class Line:
    """How a verb looks in a timeline."""

    title: Words
    icon: str = "history"
    kind: str = "status"
    tone: str = "neutral"


_LINES = {
    "orders.order.claimed": Line(_("Taken to work"), "user-check"),
    "orders.order.released": Line(_("Released"), "undo-2"),
    "orders.order.payment_promised": Line(_("Payment promised"), "calendar-clock", tone="due"),
    "orders.order.reminders_paused": Line(_("Reminders paused"), "circle-pause", "decision", "due"),
    "orders.order.reminders_resumed": Line(_("Reminders go on"), "circle-play", "decision"),
    "orders.order.status_changed": Line(_("Status changed"), "tag"),
    "messaging.message.sent_by_hand": Line(_("Pay link sent by hand"), "send", "message"),
    "messaging.message.delivered": Line(_("Marked as delivered"), "mail-check", "message"),
    "messaging.message.not_delivered": Line(_("Marked as not delivered"), "mail-x", "message", "failed"),
    "messaging.message.send_again": Line(_("Sent again"), "send", "message"),
    "messaging.message.retried": Line(_("Tried again"), "rotate-ccw", "message"),
    "payments.refund.asked": Line(_("Refund asked for"), "undo-2", "payment"),
    "orders.order.corrected": Line(_("The buyer corrected their data"), "pencil", "status"),
    "orders.order.phone_corrected": Line(
        _("The buyer gave another phone number; it is used for this order, not for offers and news"),
        "phone",
        "status",
    ),
    "storefront.order.placed": Line(_("Ordered from the filled cart"), "shopping-cart", "status"),
    "storefront.order.led_to_buy_again": Line(
        _("Had no link to pay by; went to order the same again"), "shopping-cart", "payment", "due"
    ),
    "storefront.order.payment_claimed": Line(_("The customer says it is paid"), "message-square", "payment"),
    "storefront.order.pay_link_made": Line(_("Pay link made to be handed to the customer"), "link"),
    "storefront.cart.link_made": Line(_("Link to the left cart made to be handed to the customer"), "link"),
    "storefront.contact.left": Line(_("Unsubscribed"), "mail-x", "message"),
    "storefront.contact.returned": Line(_("Subscribed again"), "mail-check", "message"),
    "offers.offer.granted": Line(_("Offer made"), "badge-percent"),
    "offers.offer.refused": Line(_("Offer not granted"), "circle-x"),
    "offers.offer.withdrawn": Line(_("Offer withdrawn"), "ban"),
    "offers.settings.changed": Line(_("Margin and limits of offers changed"), "settings"),
    "catalog.product.cost_changed": Line(_("Cost changed"), "hand-coins", "note"),
    "catalog.costs.filled": Line(_("Missing costs filled in"), "hand-coins", "note"),
    "catalog.product.repeatable_changed": Line(
        _("List of products bought again and again changed"), "refresh-cw"
    ),
    "customers.contact.tagged": Line(_("Tags changed"), "tag", "note"),
    "desk.task.done": Line(_("Task done"), "list-checks", "note", "recovered"),
    "desk.task.cancelled": Line(_("Task called off"), "list-checks", "note"),
    "desk.task.handed_on": Line(_("Task handed on"), "list-checks", "note"),
    "customers.contact.merged": Line(_("Merged with another customer"), "users-round", "decision"),
    "customers.contact.told_apart": Line(
        _("Told apart from another customer who looked the same"), "users-round", "decision"
    ),
    "messaging.rules.changed": Line(_("Sending rule changed"), "shield-check"),
    "messaging.rules.withdrawn": Line(_("Planned sending rule withdrawn"), "shield-check"),
    "core.public_address.changed": Line(_("Public address changed"), "link"),
    "recovery.case.restated": Line(_("Outcome restated"), "history", "decision"),
    "processes.process.created": Line(_("Process created"), "plus"),
    "processes.draft.discarded": Line(_("Changes thrown away"), "trash-2"),
    "processes.process.published": Line(_("New version"), "history"),
    "processes.process.move_asked": Line(_("People moved to a new version"), "layers"),
    "processes.process.move_cancelled": Line(_("Moving ended"), "layers"),
    "processes.process.status_changed": Line(_("Switched"), "circle-play"),
    "processes.process.bulk_asked": Line(_("People put into a process"), "users-round"),
    "processes.process.bulk_paused": Line(_("Putting in paused"), "circle-pause"),
    "processes.process.bulk_running": Line(_("Putting in goes on"), "circle-play"),
    "processes.process.bulk_cancelled": Line(_("Putting in ended early"), "ban"),
    "segments.segment.saved": Line(_("Segment saved"), "filter"),
    "segments.segment.deleted": Line(_("Segment deleted"), "trash-2"),
    "processes.holdout.changed": Line(_("Share left alone changed"), "users-round"),
}

_UNTIL: Mapping[str, tuple[str, Words]] = {
    "orders.order.payment_promised": ("promised_at", "%(when)s"),
    "storefront.order.pay_link_made": ("until", _("Works until %(when)s.")),
    "storefront.cart.link_made": ("until", _("Works until %(when)s.")),
}
_WHY = {
    "says_paid": _("The customer says that it is paid."),
    "buyer_stopped": _("The customer wants no more reminders of this order."),
}


def line(verb: str) -> Line:
    """Return the words of a verb; one that a later version wrote is shown by its last part."""
    known = _LINES.get(verb)
    return known or Line(verb.rpartition(".")[2].replace("_", " ").capitalize())


def details(verb: str, values: Mapping[str, Any]) -> str:
    """Return what else a line says: until when, why, from what to what."""
    if verb in _UNTIL:
        column, words = _UNTIL[verb]
        until = _until(values.get(column))
        return str(words) % {"when": until} if until else ""
    if verb == "orders.order.status_changed":
        was, to = (orders.status_label(str(values.get(key, ""))) for key in ("was", "to"))
        return f"{was} → {to}"
    if verb == "core.public_address.changed":
        return f"{values.get('was', '')} → {values.get('to', '')}"
    if verb == "recovery.case.restated":
        outcome = str(values.get("outcome", ""))
        return str(RecoveryCase.Outcome(outcome).label) if outcome in RecoveryCase.Outcome.values else outcome
    if verb == "catalog.product.cost_changed":
        return _cost_change(values)
    why = str(values.get("name" if verb.startswith("segments.segment.") else "why") or "")
    return str(_WHY.get(why, why))


def _cost_change(values: Mapping[str, Any]) -> str:
    language, currency = get_language() or "en", str(values.get("currency", ""))
    was, to = (
        humane.money(Money(Decimal(text), currency), language) if text else gettext("not known")
        for text in (str(values.get(key) or "") for key in ("was", "to"))
    )
    origin = str(values.get("origin") or "")
    origins = dict(Product.CostFrom.choices)
    return f"{was} → {to}. {origins.get(origin, origin)}."


def _until(text: object) -> str:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return ""
    return humane.exact(at, timezone.get_current_timezone(), get_language() or "en")
