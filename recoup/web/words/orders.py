"""Orders in words: why a status changed, why it may not, what became true."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.orders.models import Order

_REASONS = {
    "paid": gettext_lazy("It is paid"),
    "nothing_due": gettext_lazy("There is nothing to pay"),
    "due_now": gettext_lazy("There is something to pay now"),
    "not_paid_in_time": gettext_lazy("It was not paid in time"),
    "superseded": gettext_lazy("The same person has paid a newer order"),
    "duplicate": gettext_lazy("Another order of the same person is kept instead"),
    "released": gettext_lazy("Nobody works on it any more"),
    "undone": gettext_lazy("Dropping it as a duplicate was undone"),
    "reopened at source": gettext_lazy("The shop shows it open again"),
    "source": gettext_lazy("Cancelled in the shop"),
    "deleted": gettext_lazy("Deleted in the shop"),
}
_ONCE_ASKED = {"not_paid_in_time": gettext_lazy("It was not paid in time; the shop was asked once more")}
_REFUSALS = {
    "no_such_move": gettext_lazy("This status cannot follow the present one."),
    "refund_first": gettext_lazy("The order is paid. Give the money back first; then it can be changed."),
    "paid_is_never_false": gettext_lazy("Money was paid for this order, so it cannot be False."),
    "reason_missing": gettext_lazy("Say why the order is cancelled."),
}
_HOLDS = {
    "not_owed": gettext_lazy("Nothing is owed for this order any more, so there are no reminders to rest."),
    "in_the_past": gettext_lazy("Choose a day from today on."),
    "too_late": gettext_lazy("Choose a day within the next 60 days."),
}
_NO_LINK = {
    "authorized": gettext_lazy(
        "The payment is authorised and on its way. No pay link was made, so that nobody pays twice."
    ),
    "cancelled": gettext_lazy(
        "The order is cancelled, so nobody is to pay it. Set it to In work first, then make a pay link."
    ),
    "false": gettext_lazy(
        "The order is False, so nobody is to pay it. Set it to In work first, then make a pay link."
    ),
    "superseded": gettext_lazy(
        "The customer has paid another order for the same. No pay link was made, so that nobody pays twice."
    ),
    "nobody": gettext_lazy("The customer was erased on request, so nobody is to be led to the payment."),
    "unsure": gettext_lazy(
        "The shop calls this order something that Recoup does not know, so it may be paid already. Look it up in the shop"
        " first; no pay link was made."
    ),
}
_LINK_OF_PAID = gettext_lazy("Nothing is to be paid for this order any more, so no pay link was made.")
_PASSED_OVER = {
    "before_live": gettext_lazy("It was placed before reminders were switched on."),
    "too_old": gettext_lazy("It was too old when it was looked at."),
}
_KEPT = {
    "money": gettext_lazy("money came for it or is reserved"),
    "claimed": gettext_lazy("a colleague works on it"),
    "promised": gettext_lazy("its buyer has promised to pay"),
    "readable": gettext_lazy("its buyer can be reminded of it"),
    "newest": gettext_lazy("the newest"),
}
_LEFT = {
    "ended": gettext_lazy("It has changed meanwhile."),
    "other": gettext_lazy("It is not for the same products of the same person."),
    "money": gettext_lazy("Money came for it or is reserved."),
    "claimed": gettext_lazy("A colleague works on it."),
    "paid_meanwhile": gettext_lazy("It was paid meanwhile."),
    "kept_paid": gettext_lazy("Money came for the order kept instead, or is reserved."),
}
_MOVE_HELP = {
    "in_work": gettext_lazy("You take it; its reminders rest while you work on it"),
    "awaiting_payment": gettext_lazy("The customer has confirmed; a day may be agreed"),
    "not_confirmed": gettext_lazy("Undecided, or not to be reached"),
    "cancelled": gettext_lazy("Asks for the reason; stops the reminders"),
    "false": gettext_lazy("Leaves the lists and the numbers; stays kept"),
}


def status_label(code: str) -> str:
    """Return the word of a status."""
    return str(Order.Status(code).label) if code in Order.Status.values else code


def why_kept(code: str) -> str:
    """Return why one of several orders for the same products is kept."""
    return str(_KEPT[code])


def why_left(code: str) -> str:
    """Return why an order was left as it is where several were dealt with."""
    return str(_LEFT[code])


def status_reason(code: str, *, was_asked: bool = False) -> str:
    """Return why a status changed; what a person or a shop wrote stands as it is.

    :param was_asked: the source of the order was asked and has answered; not every one can be.
    """
    if was_asked and code in _ONCE_ASKED:
        return str(_ONCE_ASKED[code])
    if code in _REASONS:
        return str(_REASONS[code])
    if code.startswith("source: "):
        rest = code.removeprefix("source: ")
        return (
            str(_REASONS[rest]) if rest in _REASONS else _("Cancelled in the shop: %(why)s") % {"why": rest}
        )
    return code


def move_refusal(code: str) -> str:
    """Return why a status may not be changed so."""
    return str(_REFUSALS.get(code, _REFUSALS["no_such_move"]))


def hold_refusal(code: str) -> str:
    """Return why reminders cannot be rested."""
    return str(_HOLDS.get(code, _HOLDS["not_owed"]))


def link_refusal(code: str) -> str:
    """Return why no pay link is made."""
    return str(_NO_LINK.get(code, _LINK_OF_PAID))


def move_help(code: str) -> str:
    """Return what a move of the status does, in a few words."""
    return str(_MOVE_HELP.get(code, ""))


def passed_over(code: str) -> str:
    """Return why an order is not reminded although it is unpaid."""
    return str(_PASSED_OVER.get(code, code))


def payment_label(order: Order) -> str:
    """Return how an order stands with its money."""
    return str(Order.PaymentState(order.payment_state).label)
