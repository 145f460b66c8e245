"""What the codes of a template's problems and the names of its fields are called on screens."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

_MESSAGES: Mapping[str, Promise] = {
    "syntax": _("This is not readable as Liquid: {detail}"),
    "tag_unknown": _("There is no tag “{tag}”."),
    "tag_misplaced": _("“{tag}” closes nothing that is open here."),
    "filter_unknown": _("There is no filter “{filter}”."),
    "token_unknown": _("There is no field “{token}”."),
    "token_elsewhere": _(
        "The field “{token}” does not exist in a mail of this kind. Remove it, or use another template."
    ),
    "token_printed": _("“{token}” cannot be printed."),
    "object_printed": _(
        "“{token}” is a group of fields. Choose one of them, or go through it with a for tag."
    ),
    "fallback_missing": _('“{token}” is empty for some people. Say what to write then: | fallback: "…"'),
    "fallback_empty": _("The fallback of “{token}” is empty. Say what to write when the field is."),
    "loop_over_single": _("“{token}” is not a list, so that a for tag cannot go through it."),
    "name_taken": _("“{name}” is the name of one of our fields. Choose another name."),
    "name_computed": _("Write the name of the field itself: “{token}” would only be known while sending."),
    "plural_forms": _("This language needs these forms: {forms}."),
    "nested_too_deep": _("The blocks stand too deep inside each other."),
    "subject_missing": _("A subject is needed."),
    "subject_lines": _("The subject must be a single line."),
    "source_too_large": _("The template is longer than 200 KB."),
    "not_mjml": _("The mail must begin with <mjml> and hold nothing outside of it."),
    "mjml_unreadable": _("MJML could not read this: {detail}"),
    "element_forbidden": _("<{element}> is not allowed in a mail."),
    "element_unclosed": _("<{element}> is never closed."),
    "element_unopened": _("</{element}> closes nothing that is open here."),
    "tag_unreadable": _("The closing tag of <{element}> is not readable."),
    "sign_unescaped": _("Write &lt; for the sign “<”."),
    "attribute_unquoted": _('Put the value of each attribute of <{element}> into quotes: name="value".'),
    "attribute_forbidden": _("The attribute “{attribute}” is not allowed in a mail."),
    "comment_conditional": _("Conditional comments are not needed: MJML writes them."),
    "style_forbidden": _("This style runs or loads something that a mail must not."),
    "reserved_word": _("The word “{word}” is used by us. Choose another."),
    "liquid_in_tag": _("Liquid may stand within the quotes of an attribute of <{element}>, not beside them."),
    "liquid_misplaced": _("Liquid cannot stand in a style or a title."),
    "liquid_hidden": _("Braces of Liquid came out of an escaped text. Write them in a raw tag."),
    "liquid_moved": _("MJML moves what stands here. Put the condition or loop around a whole block."),
    "block_crosses": _("“{tag}” stands in another element than the beginning of its block."),
    "block_unclosed": _("“{tag}” is never closed."),
    "link_empty": _("The address of <{element}> is empty."),
    "link_forbidden": _("The address “{address}” is not allowed in a mail."),
    "link_relative": _(
        "The address “{address}” must begin with https://, mailto: or tel:, or be one of our links."
    ),
    "link_placeholder": _("Put the address of your own page in the place of “{address}”."),
    "link_conditional": _("A condition cannot stand in an address. Put it around the whole link."),
    "link_from_value": _("“{address}” is not a link, so that an address cannot begin with it."),
    "unsubscribe_missing": _("This kind of mail needs the link “{token}”, outside of every condition."),
    "text_missing": _("Write what the message says."),
    "html_in_text": _("Short messages are plain text. Take out “{element}”."),
    "stop_missing": _(
        "This kind of message must say how to stop it: the link “{token}”, outside of every condition, or the word STOP."
    ),
    "sms_too_long": _(
        "For a typical order it takes {parts} parts; more than {most} are not sent. Shorten it."
    ),
    "sms_parts": _("For a typical order it takes {parts} parts, and each part is paid for."),
    "sms_foreign": _("Because of “{signs}” a part holds 70 signs instead of 160."),
    "stop_unheard": _("Nobody can answer STOP to a sender that is a name. Use the link “{token}” instead."),
    "html_long": _("The mail has {size} KB. Gmail hides all after 102 KB."),
    "trial_too_heavy": _("The template is too heavy: it takes too much time or memory."),
    "trial_too_large": _("The mail would be longer than 500 KB."),
    "trial_field_empty": _("A field is empty here without a fallback: {detail}"),
    "trial_liquid_failed": _("This fails when the mail is written: {detail}"),
    "trial_context_unreadable": _("This fails when the mail is written: {detail}"),
}

_SUGGESTION = _("Did you mean “{suggestion}”?")

_FIELDS: Mapping[str, Promise] = {
    "customer.first_name": _("First name"),
    "customer.last_name": _("Last name"),
    "customer.name": pgettext_lazy("of a person", "Name"),
    "customer.email": _("E-mail address"),
    "order.number": _("Order number"),
    "order.status": _("Status of the order"),
    "order.total": _("Total"),
    "order.due": _("Still to be paid"),
    "order.placed_at": _("Day of the order"),
    "order.payment_method": _("Payment method"),
    "order.delivery": _("Delivery"),
    "order.items": _("Products of the order (list)"),
    "order.extras": _("Delivery, discount and what else makes up the sum (list)"),
    "extras.name": _("Delivery, discount or what else it is"),
    "extras.total": _("Its part of the sum"),
    "cart.total": _("Total of the cart"),
    "cart.updated_at": _("Last change of the cart"),
    "cart.items": _("Products in the cart (list)"),
    "items.name": _("Product"),
    "items.variant": _("Variant"),
    "items.quantity": _("Quantity"),
    "items.price": _("Price of one"),
    "items.total": _("Price of all"),
    "items.link": _("Page of the product"),
    "items.image": _("Picture of the product"),
    "shop.name": _("Name of the shop"),
    "shop.phone": _("Telephone of the shop"),
    "shop.address": _("Address of the shop"),
    "shop.email": _("E-mail address of the shop"),
    "shop.website": _("Website of the shop"),
    "last_mail.sent_at": _("Day of the mail before"),
    "offer.code": _("Code of the offer"),
    "offer.discount": _("How much less"),
    "offer.new_total": _("What is to be paid with the offer"),
    "offer.expires_at": _("Until when the offer holds"),
    "offer.description": _("What the offer is, in words"),
    "pay": _("Link to pay"),
    "cart": _("Link to the filled cart"),
    "paid_already": _("Link “I have paid”"),
    "pay_later": _("Link “I will pay later”"),
    "stop_order": _("Link “no more about this order”"),
    "unsubscribe": _("Link to unsubscribe"),
    "why": _("Link “why do I get this”"),
}


def problem_message(code: str, values: Mapping[str, str]) -> Promise:
    """Return the sentence for a problem; it is put together when it is shown, in the language of that moment."""
    message = format_lazy(str_or_lazy(_MESSAGES[code]), **values)
    if values.get("suggestion"):
        return format_lazy("{} {}", message, format_lazy(_SUGGESTION, suggestion=values["suggestion"]))
    return message


def str_or_lazy(text: Promise) -> str:
    """Return the text typed as `format_lazy` wants it; it stays lazy."""
    return text  # type: ignore[return-value]  # as `format_lazy` wants it


def field_label(path: str, purpose: str = "") -> Promise:
    """Return what the editor calls a field; for links, by their purpose."""
    if purpose:
        return _FIELDS[purpose]
    return _FIELDS.get(path) or _FIELDS[path.split(".", 1)[1]]
