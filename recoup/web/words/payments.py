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
    return title or names.get(code, code.replace("_", " ").capitalize())
