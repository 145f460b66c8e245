"""What buyers read about methods, failed payments and the state of an order. Said plainly, with what to do."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from recoup.shops.snapshots import FailureClass


@dataclass(frozen=True, slots=True)
class Advice:
    """What went wrong with the last payment, and what helps. The page adds that nothing was taken."""

    title: str
    text: str
    other_way: bool = False  # the same card or account must not be tried again


def method_name(code: str) -> str:
    """Return the name of a way to pay; a code we have no name for is shown as it is."""
    names = {
        "card": _("Card"),
        "blik": "BLIK",
        "transfer": _("Bank transfer"),
        "wallet": _("Wallet on the phone"),
        "cash": _("Cash"),
    }
    return names.get(code, code.replace("_", " ").capitalize())


def method_note(code: str) -> str:
    """Return what a buyer should know of a way before choosing it."""
    notes = {
        "blik": _("Confirm with a code from your bank's app."),
        "transfer": _("You confirm it on your bank's page."),
    }
    return notes.get(code, "")


def advice(failure_class: str) -> Advice:
    """Return what to say after a payment of this class failed. Fraud is never named."""
    declined = _("The bank declined the payment")
    found = {
        FailureClass.SOFT: Advice(
            _("Your bank declined the payment"),
            _("There was not enough money, or a limit was reached. Try again later, or choose another way."),
        ),
        FailureClass.HARD: Advice(
            _("This card or account cannot be used"),
            _("Your bank refuses it for good. Please choose another card or another way."),
            other_way=True,
        ),
        FailureClass.USER: Advice(
            _("The payment was not finished"), _("You can finish it now; your order has been kept.")
        ),
        FailureClass.AUTH: Advice(
            _("The payment was not confirmed with your bank"),
            _("Have your bank's app or your phone at hand and confirm the payment, or choose another way."),
        ),
        FailureClass.TECHNICAL: Advice(
            _("There was a technical fault, not on your side"),
            _("Please try again in a few minutes, or choose another way."),
        ),
        FailureClass.CONFIG: Advice(
            _("The payment was not possible this way"),
            _("Please check the card's data, or choose another way."),
            other_way=True,
        ),
        FailureClass.FRAUD: Advice(
            declined, _("Please choose another way, or ask your bank."), other_way=True
        ),
    }
    unknown = Advice(declined, _("It gave no reason. Try once more, or choose another way."))
    return {str(name): words for name, words in found.items()}.get(failure_class, unknown)
