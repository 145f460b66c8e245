"""Failed payments and their methods in words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_FAILURES = {
    "soft": gettext_lazy("Refused for now: not enough money, or a limit"),
    "hard": gettext_lazy("Refused for good: this card or account cannot be used"),
    "user": gettext_lazy("Given up: the page was left, or the time ran out"),
    "auth": gettext_lazy("Not confirmed with the bank"),
    "technical": gettext_lazy("A technical failure on the way"),
    "fraud": gettext_lazy("Refused by the bank's safety checks"),
    "config": gettext_lazy("This way to pay is not possible here"),
    "unknown": gettext_lazy("The operator gave no reason that we know"),
}
_OWN_CODES = {
    "amount_differs": gettext_lazy("Another sum was paid than was asked for"),
    "insufficient_funds": gettext_lazy("Not enough money"),
}


_REFUND_REFUSALS = {
    "underway": gettext_lazy("Somebody has just pressed the button. Look again in a minute."),
    "nothing_left": gettext_lazy("Nothing of this payment is left to give back."),
    "not_supported": gettext_lazy("This operator cannot be told to give money back. Do it on its own pages."),
    "silenced": gettext_lazy(
        "This copy of the installation calls nobody, so nothing was given back. Use the original, or confirm under Settings,"
        " Checks, that no other copy is running."
    ),
    "unavailable": gettext_lazy("The operator does not answer. Nothing was given back; try again later."),
    "refused": gettext_lazy(
        "The operator refused. Nothing was given back; look at its own pages for the reason."
    ),
    "unknown": gettext_lazy(
        "The operator's answer was lost. Press again: the same refund is asked for, not a second one."
    ),
    "nothing_held": gettext_lazy("No payment holds this order any more."),
}


def refund_refusal(reason: str) -> str:
    """Return why money was not given back, or nothing was freed, and what to do."""
    return str(_REFUND_REFUSALS.get(reason, _REFUND_REFUSALS["refused"]))


def failure(failure_class: str, code: str = "") -> str:
    """Return why a payment failed, with the operator's own code for whoever asks them about it."""
    words = _OWN_CODES.get(code) or _FAILURES.get(failure_class)
    if words is None:
        return code
    if code and code not in _OWN_CODES:
        return _("%(reason)s (%(code)s)") % {"reason": words, "code": code}
    return str(words)


def method(code: str, title: str = "") -> str:
    """Return the name of a way to pay: as the shop calls it, else in our words."""
    if title:
        return title
    names = {
        "card": _("Card"),
        "blik": "BLIK",
        "transfer": _("Bank transfer"),
        "bacs": _("Bank transfer"),
        "wallet": _("Wallet on the phone"),
        "cash": _("Cash"),
        "cod": _("On delivery"),
        "offline": _("Bank transfer"),
    }
    return names.get(code, code.replace("_", " ").capitalize())
