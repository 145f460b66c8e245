"""What needs a person, in words: a title, what it means, where to go, and whether somebody may simply tick it off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from recoup.shops import reasons
from recoup.web.parts import Words

_LOOK = _("Look")


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of item reads. `place` is the address that it leads to when its subject is no order."""

    title: Words
    detail: Words = ""
    icon: str = "circle-alert"
    tone: str = "due"
    action: Words = _LOOK
    place: str = ""
    view: str = ""  # of the list at that place
    is_settled_by_hand: bool = True  # else it goes by itself, once its cause is gone


_KINDS = {
    "orders.paid_after_cancel": Kind(
        _("Order %(number)s was paid after it was cancelled"),
        _("Take the order up again, or give the money back."),
        "banknote",
        action=_("Open the order"),
    ),
    "orders.unknown_status": Kind(
        _("%(source)s calls an order “%(status)s”"),
        _(
            "Recoup does not know this status: such an order counts as paid if the shop dates its payment, else nobody is"
            " reminded of it. If it is still to be paid, remind its buyer by hand, or give it a status of your shop's own."
        ),
        "circle-help",
        action=_("Open the order"),
    ),
    "orders.buyer_says_paid": Kind(
        _("The buyer of order %(number)s says it is paid"),
        _("Neither the shop nor the operator knows of it. Its reminders rest until you decide."),
        "message-square",
        action=_("Open the order"),
    ),
    "processes.webhook_given_up": Kind(
        _("%(name)s has not taken what a process told it"),
        _("It was tried for more than a day. Look why, then try again."),
        "webhook",
        action=_("Other programs"),
        place="programs",
        is_settled_by_hand=False,
    ),
    "offers.used_twice": Kind(
        _("Order %(number)s was paid with an offer that was used elsewhere too"),
        _(
            "Its payment had been called off and succeeded all the same. The money counts; decide what to ask the buyer."
        ),
        "badge-percent",
        action=_("Open the order"),
    ),
    "offers.used_by_other": Kind(
        _("Order %(number)s was placed with the code of another person"),
        _(
            "The shop took it and gave the discount, which counts as this person's offer. Decide what to ask the buyer."
        ),
        "badge-percent",
        action=_("Open the order"),
    ),
    "offers.coupon_twice": Kind(
        _("Order %(number)s bears a code that was used for another order already"),
        _(
            "The shop took it twice. The offer counts once; look at the order and decide whether the price stands."
        ),
        "badge-percent",
        action=_("Open the order"),
    ),
    "offers.sum_differs": Kind(
        _("The shop comes to another sum for the offer on order %(number)s"),
        _(
            "We reckoned %(ours)s, the shop %(theirs)s. The coupon was taken off again, nobody was told of it. Look for a"
            " plugin that changes prices or coupons."
        ),
        "badge-percent",
        action=_("Open the order"),
    ),
    "offers.coupon_stays": Kind(
        _("The coupon %(code)s could not be taken away in the shop"),
        _("Its offer has ended. Take it off its order there if it is still unpaid, and delete the coupon."),
        "badge-percent",
        action=_("Open"),
    ),
    "offers.coupon_on_hold": Kind(
        _("Order %(number)s keeps a discount whose offer has ended"),
        _(
            "It waits for a transfer that may have been sent with the lower sum, so the coupon %(code)s was left on it. If"
            " no money comes, take the coupon off in the shop."
        ),
        "badge-percent",
        action=_("Open the order"),
    ),
    "offers.paid_meanwhile": Kind(
        _("Order %(number)s was paid while a coupon was being put on it"),
        _(
            "The offer was called off, but the shop shows the order with its coupon. Compare the sum with the payment, and"
            " put it right in the shop."
        ),
        "badge-percent",
        action=_("Open the order"),
    ),
    "offers.gift_due": Kind(
        _("A gift goes with order %(number)s"),
        _("Put it into the parcel: %(gift)s. Then tick this off."),
        "gift",
        action=_("Open the order"),
    ),
    "offers.code_guessing": Kind(
        _("Somebody is guessing codes of offers"),
        _(
            "It was tried at order %(number)s. Further tries are held off for a minute each; no code was given away."
        ),
        "shield-alert",
        "failed",
        _("Open the order"),
    ),
    "payments.overpaid": Kind(
        _("Order %(number)s was paid with more than it costs"),
        _("Give the difference back, or tick this off."),
        "banknote",
        action=_("Open the order"),
    ),
    "payments.double_payment": Kind(
        _("Order %(number)s was paid twice"),
        _("Two payments succeeded. Give one of them back."),
        "banknote",
        "failed",
        _("Open the order"),
    ),
    "payments.amount_differs": Kind(
        _("Order %(number)s: another sum was paid than was asked for"),
        _("%(amount)s %(currency)s came in. Its reminders rest until you decide."),
        "banknote",
        action=_("Open the order"),
    ),
    "payments.outcome_unknown": Kind(
        _("Order %(number)s: nobody knows whether a payment succeeded"),
        _("The operator does not say what became of %(amount)s %(currency)s. Look there."),
        "circle-help",
        action=_("Open the order"),
    ),
    "payments.redirect_elsewhere": Kind(
        _("A payment operator sent a buyer to an unknown address"),
        _("Nobody was sent there. It happened with order %(number)s; ask the operator."),
        "triangle-alert",
        "failed",
        _("Open the order"),
    ),
    "hooks.same_id_other_body": Kind(
        _("%(source)s used one id for two different reports"),
        _("The first one counts; both are kept."),
        "copy",
        place="intake",
        view="conflict",
    ),
    "hooks.quarantined": Kind(
        _("Reports of %(source)s could not be read"),
        _("They are kept whole; nothing is lost. Try them again once the cause is gone."),
        "inbox",
        "failed",
        place="intake",
        is_settled_by_hand=False,
    ),
    "shops.source_broken": Kind(
        _("%(source)s does not work"),
        _("%(trouble)s"),
        "plug",
        "failed",
        place="sources",
        is_settled_by_hand=False,
    ),
    "shops.hooks_disabled": Kind(
        _("%(source)s has switched its webhooks off"),
        _("%(trouble)s Until then the orders are fetched every few minutes."),
        "plug",
        place="sources",
        is_settled_by_hand=False,
    ),
    "recovery.source_silent": Kind(
        _("%(source)s does not say whether orders are paid"),
        _("It was asked and did not answer. Reminders of its orders wait."),
        "plug",
        place="sources",
    ),
    "messaging.lane_in_trouble": Kind(
        _("The mail server cannot be reached"),
        _("Reminders wait and are not lost. It said: %(reason)s"),
        "server",
        "failed",
        _("Look at the mail server"),
        place="mail",
        is_settled_by_hand=False,
    ),
    "messaging.sms_in_trouble": Kind(
        _("Short messages cannot be sent"),
        _("They wait and are not lost. The provider said: %(reason)s"),
        "server",
        "failed",
        _("Look at the settings"),
        place="sms",
        is_settled_by_hand=False,
    ),
    "messaging.money_spent": Kind(
        _("The day's money for short messages is spent"),
        _("%(amount)s %(currency)s went out today. Somebody may be using your forms; look who got them."),
        "banknote",
        "failed",
        _("Look at the settings"),
        place="sms",
    ),
    "messaging.range_held": Kind(
        _("Many new numbers that begin alike, such as %(prefix)s, were to get short messages"),
        _(
            "%(numbers)s of them got one today, the others wait. Somebody may be leaving numbers in your forms to earn on"
            " each message. Look at them; if they are your customers, let their messages go."
        ),
        "shield-alert",
        "failed",
        _("Look at them"),
        place="sms",
    ),
    "messaging.uncertain": Kind(
        _("Of some reminders nobody knows whether they arrived"),
        _("The line broke before the mail server had answered. You decide."),
        "mail-question-mark",
        action=_("Decide"),
        is_settled_by_hand=False,
    ),
    "customers.may_be_doubles": Kind(
        _("Some customers may be the same person"),
        _("Their addresses, phones or accounts point to each other. Merge them, or say that they are two."),
        "users-round",
        "neutral",
        _("Look at them"),
        is_settled_by_hand=False,
    ),
}


class _Given(dict[str, Any]):
    """The details of an item; what is missing is left blank, so that an old item is shown too."""

    def __missing__(self, key: str) -> str:
        return ""


def kind_of(kind: str) -> Kind:
    """Return how a kind reads; one that nobody has worded yet is shown by its name."""
    return _KINDS.get(kind) or Kind(kind.rpartition(".")[2].replace("_", " ").capitalize())


def filled(text: Words, details: Mapping[str, Any]) -> str:
    """Return a text with the details of an item in it; the trouble of a source in words."""
    given = _Given(details)
    if "trouble" in given:
        given["trouble"] = " ".join(reasons.all_words(str(given["trouble"])))
    given.setdefault("source", given.get("name", ""))
    return str(text) % given
