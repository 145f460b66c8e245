"""Names of the texts that reminders are made from, and what they count as."""

from collections.abc import Sequence

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from recoup.messaging.models import ChannelKind, Message, Template
from recoup.messaging.rules.kinds import Content
from recoup.web.parts import Words

Class = Message.MessageClass
_SHIPPED: dict[str, Words] = {
    "order_reminder_1": _("Unpaid order, first reminder"),
    "order_reminder_2": _("Unpaid order, second reminder"),
    "order_reminder_3": _("Unpaid order, last reminder"),
    "cart_reminder_1": _("Cart left behind, first reminder"),
    "cart_reminder_2": _("Cart left behind, second reminder"),
    "cart_reminder_3": _("Cart left behind, last reminder"),
    "fresh_pay_link": _("Fresh link to pay"),
    "fresh_cart_link": _("Fresh link to the cart"),
    "failed_card_retry": _("Card payment failed: try again"),
    "failed_card_other": _("Card payment failed: another way to pay"),
    "failed_card_help": _("Payment broken off: can we help?"),
    "order_link_again": _("Unpaid order: the link once more"),
    "order_offer": _("Unpaid order: a personal offer"),
    "landing_invitation": _("Unpaid order: a page that says more"),
    "purchase_thanks": _("Thanks after payment"),
    "before_call": _("Unpaid order: may we call you?"),
    "win_back": _("It has been a while"),
    "win_back_offer": _("It has been a while: an offer for the next order"),
    "renewal_soon": _("Runs out soon"),
    "renewal_last": _("Runs out in a few days"),
    "sms_order_reminder_1": _("Unpaid order, first short reminder"),
    "sms_order_reminder_2": _("Unpaid order, second short reminder"),
    "sms_order_reminder_3": _("Unpaid order, last short reminder"),
    "sms_failed_card": _("Payment failed, in short"),
    "sms_link_again": _("The link once more, in short"),
    "sms_cart_reminder": _("Cart left behind, in short"),
    "sms_order_offer": _("A personal offer, in short"),
    "sms_thanks": _("Thanks after payment, in short"),
}
SILENT = _(
    "This copy is silent, and so nothing was sent. An owner can confirm under Checks that no other copy is running."
)
CLASSES: dict[str, Words] = {
    Class.CONTRACT: _("About an order that was placed"),
    Class.SOFT_OPT_IN: _("Advertising to customers"),
    Class.NEEDS_CONSENT: _("Only with consent"),
    Class.FORBIDDEN: _("Not allowed at all"),
}
VERDICTS: dict[str, Words] = {
    Class.CONTRACT: _("Allowed without consent"),
    Class.SOFT_OPT_IN: _("Allowed until they refuse"),
    Class.NEEDS_CONSENT: CLASSES[Class.NEEDS_CONSENT],
    Class.FORBIDDEN: CLASSES[Class.FORBIDDEN],
}
_CONTENTS: dict[str, Words] = {
    Content.CONTRACT: _("About an order that was placed"),
    Content.CART: _("Reminder of a cart: advertising in many countries"),
    Content.ADVERTISING: _("Advertising"),
}


def text_name(template: Template) -> str:
    """Return the name of a text; the shipped ones are named in the reader's language."""
    return key_name(template.key, template.name) if template.is_shipped else template.name


def key_name(key: str, name: str) -> str:
    """Return the name of a text by its key; one of the shop's own keeps the name it was given."""
    return str(_SHIPPED.get(key, name))


def with_channel(name: str, channel: str) -> str:
    """Return the name of a text with its channel, where that is not mail: both may be called alike."""
    return f"{name} (SMS)" if channel == ChannelKind.SMS and "SMS" not in name else name


def class_words(message_class: str) -> str:
    """Return what a message counts as by law: it decides whether consent is asked for."""
    return str(CLASSES[Class(message_class)])


def verdict_words(message_class: str) -> str:
    """Return what a rule says of such messages."""
    return str(VERDICTS[Class(message_class)])


def content_words(content: str) -> str:
    """Return what a text is about; the sending rules make of it what it is by law, country by country."""
    return str(_CONTENTS[Content(content)])


def because_words(words: Sequence[str], *, language: str = "") -> str:
    """Return why a text is advertising: its words as they stand there, and in which language."""
    told = {"words": ", ".join(f"“{one}”" for one in words), "language": language}
    if language:
        return _now("Because of %(words)s this is advertising (%(language)s).") % told
    return _now("Because of %(words)s this is advertising.") % told
