"""What a back-test could not know, and why somebody did not come in, in words."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recoup.processes.backtest import result as results

_UNKNOWN: Mapping[str, tuple[Promise, Promise]] = {
    results.UNKNOWN_EFFECT: (
        _("Whether anybody would have paid because of it"),
        _("Only running it with a control group can tell."),
    ),
    results.UNKNOWN_OFFER_USE: (
        _("Who would have used an offer"),
        _(
            "The cost is what it would come to if all were used, within the budgets. For the limits of a person, an offer "
            "counts as used if they paid while it was in force."
        ),
    ),
    results.UNKNOWN_REACTIONS: (
        _("Opens, clicks and replies"),
        _("Nobody can open a message that was never sent. Everybody is taken as not having reacted."),
    ),
    results.UNKNOWN_CONSENT: (
        _("Texts that need consent"),
        _("It is taken that everybody may get them. Before a real message leaves, that is looked at."),
    ),
    results.UNKNOWN_LEDGER: (
        _("Consents of a time in which none were written down"),
        _(
            "For these messages nobody knows what the person had agreed to. Those that need consent are taken as "
            "not allowed, those that may go until somebody refuses as allowed."
        ),
    ),
    results.UNKNOWN_SETTINGS: (
        _("Other settings"),
        _(
            "Texts, sending rules, limits, quiet hours, prices and the rank of processes are taken as they are today."
        ),
    ),
    results.UNKNOWN_ERASED: (
        _("People whose data were erased since"),
        _("Where they could be reached is not kept any more; they are taken as not reached."),
    ),
    results.UNKNOWN_TEXT: (
        _("The exact length of some short messages"),
        _(
            "They speak of an offer or of something that is known of today only; a part more or less is possible."
        ),
    ),
    results.UNKNOWN_MONEY: (
        _("Who would have got the last short messages of a day"),
        _("The day's money was spent; who would have come first is not known, how many is."),
    ),
    results.UNKNOWN_BUDGET: (
        _("Who would have got the last offers of a budget"),
        _("The budget of a block was spent; who would have come first is not known."),
    ),
    results.UNKNOWN_NO_MAIL: (
        _("Whether mails could be sent"),
        _("No mail server is set up yet. It is taken that there would have been one."),
    ),
    results.UNKNOWN_DISPLACED: (
        _("What else would have happened in other processes"),
        _(
            "These people would have left another process of the same group for this one. What it really sent them "
            "after that is left out."
        ),
    ),
    results.UNKNOWN_REMINDED: (
        _("What your real reminders did in this time"),
        _("These people got messages from the shop, and some may have paid because of those."),
    ),
    results.UNKNOWN_TOLD_AT_ONCE: (
        _("When imported orders would have been heard of"),
        _("They are taken as told at once, also their payments."),
    ),
    results.UNKNOWN_GUESSED: (
        _("When these orders would have counted as unpaid"),
        _("Nobody watched them then; it is worked out by the waiting times as they are set today."),
    ),
    results.UNKNOWN_START: (
        _("Who would have been in it when the time began"),
        _("It is taken that nobody was."),
    ),
    results.UNKNOWN_TODAY: (
        _("How some things stood at the time"),
        _("A condition asks for something of which only the present state is kept; that is taken for it."),
    ),
    results.UNKNOWN_PEOPLE: (
        _("Orders of unknown people"),
        _("There is nobody to write to; they are left out."),
    ),
    results.UNKNOWN_NO_CARTS: (
        _("Carts"),
        _("The shop reported none in this time, so there is nothing to try on."),
    ),
}


def unknown(code: str) -> tuple[str, str]:
    """Return what the facts cannot tell, and what was taken for it; the code itself for one of a later version."""
    title, detail = _UNKNOWN.get(code, (code, ""))
    return str(title), str(detail)


def refusal(reason: str) -> str:
    """Return why somebody did not come in."""
    known = {
        "paid_before": _("Paid before the waiting time was over"),
        "ordered": _("Ordered before the cart counted as left"),
        "cancelled": _("Cancelled"),
        "superseded": _("Paid by another order"),
        "duplicate": _("Ordered again"),
        "emptied": _("Emptied"),
        "nothing_due": _("Nothing to pay"),
        "not_due": _("Waiting time not over yet"),
        "too_old": _("Too old when it was looked at"),
        "test": _("Test orders"),
        "not_paid": _("Were not paid"),
        "no_failure": _("No payment failed for such a cause"),
        "condition": _("Do not meet the condition of this process"),
        "again": _("The person was in it already"),
        "group": _("The person was in another process of the same group"),
    }
    return str(known.get(reason, _("Nothing to remind of")))
