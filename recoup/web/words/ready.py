"""Ready processes in words: what each is called, what it is for, and under which heading it stands."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from recoup.web.parts import Words


class Ready(NamedTuple):
    """A ready process as one chooses it."""

    name: Words
    use: Words
    icon: str


READY: Mapping[str, Ready] = {
    "unpaid_order": Ready(
        _("Unpaid order"),
        _("Three reminders of an order that stays unpaid: after a day, three days and a week."),
        "mail",
    ),
    "unpaid_order_sms": Ready(
        _("Unpaid order, with SMS"),
        _("A mail first; who does not open it gets a short message two days later, and one more at the end."),
        "message-square",
    ),
    "unpaid_order_offer": Ready(
        _("Unpaid order with a discount"),
        _("Two reminders, and after a week 5% off for two days, for this person alone."),
        "badge-percent",
    ),
    "failed_card": Ready(
        _("Payment failed"),
        _("Answers to why it failed: try again, pay another way, or ask what was unclear."),
        "credit-card",
    ),
    "failed_card_sms": Ready(
        _("Payment failed, by SMS"),
        _(
            "A short message with the link after half an hour, while one still wants it; a mail the day after."
        ),
        "message-square",
    ),
    "link_again": Ready(
        _("Link once more"),
        _("A mail after an hour; the link again a day later, only to those who have not opened it."),
        "link",
    ),
    "landing_link": Ready(
        _("A page that says more"),
        _("Leads those who hesitate to a page of yours, and to their order after that."),
        "panels-top-left",
    ),
    "personal_offer": Ready(
        _("Personal offer"),
        _("Bought within two days? Thanks. If not: 5% off for two days, for this person alone."),
        "badge-percent",
    ),
    "call_after_silence": Ready(
        _("Call after no answer"),
        _("A mail offers help; who does not react gets a call from one of you the day after."),
        "phone",
    ),
    "abandoned_cart": Ready(
        _("Cart left behind"),
        _("Three mails about a cart that was left: after an hour, a day and three days."),
        "shopping-cart",
    ),
    "thanks": Ready(
        _("Thanks after payment"),
        _("Says thank you and what happens next, as soon as the money is there."),
        "heart",
    ),
    "renewal": Ready(
        _("Renewal"),
        _("Two weeks and four days before a year is over, and never to those who have just bought again."),
        "calendar-clock",
    ),
    "win_back": Ready(
        _("Win-back"),
        _(
            "Asks customers who have not bought anything for three months how they are getting on; who agreed to offers gets"
            " one for their next order."
        ),
        "undo-2",
    ),
}
# What stands in a ready process in words of ours, by its block: the language is that of whoever takes it.
TITLES: Mapping[str, Mapping[str, Words]] = {
    "call_after_silence": {"n4": _("Call about order {order}")},
}
GROUPS: Sequence[tuple[Words, Sequence[str]]] = (
    (
        _("Get orders paid"),
        (
            "unpaid_order",
            "unpaid_order_sms",
            "unpaid_order_offer",
            "failed_card",
            "failed_card_sms",
            "link_again",
            "personal_offer",
            "landing_link",
            "call_after_silence",
        ),
    ),
    (_("Bring carts back"), ("abandoned_cart",)),
    (_("After the payment"), ("thanks", "renewal", "win_back")),
)
