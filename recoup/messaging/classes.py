"""The class of a message: computed from what it is about, never ticked by hand (design rule 11)."""

from recoup.customers.models import ConsentEvent, Suppression
from recoup.messaging.models import Message, Template
from recoup.messaging.rules.kinds import Content

# Whoever agreed to one of these agreed to reminders of a cart.
CONSENT_PURPOSES = (ConsentEvent.Purpose.MARKETING.value, ConsentEvent.Purpose.CART_REMINDER.value)


# What is written to a person without an order carries out nothing: it invites to buy, whatever its words.
_CONTENTS: dict[str, str] = {Template.Kind.ORDER: Content.CONTRACT, Template.Kind.CART: Content.CART}


def class_of_text(content: str) -> str:
    """Return the class of a text by its content alone, as the strictest country has it: what every such mail must carry.

    What one message is depends on its reader too (`rules.deciding`).
    """
    return (
        Message.MessageClass.CONTRACT if content == Content.CONTRACT else Message.MessageClass.NEEDS_CONSENT
    )


def content_of_kind(kind: str) -> str:
    """Return what a text of this kind is about, as long as it says nothing else."""
    return _CONTENTS.get(kind, Content.ADVERTISING)


def blocking_scopes(message_class: str, *, is_asked_for: bool) -> frozenset[str]:
    """Return the scopes of suppression that forbid a message; what the buyer asked for is stopped by `all` alone."""
    scope = Suppression.Scope
    if is_asked_for:
        return frozenset({scope.ALL.value})
    if message_class == Message.MessageClass.CONTRACT:
        return frozenset({scope.ALL.value, scope.REMINDERS.value})
    return frozenset({scope.ALL.value, scope.REMINDERS.value, scope.MARKETING.value})


def unsubscribe_scope(message_class: str) -> str:
    """Return the scope that one click on "unsubscribe" in a message of this class suppresses.

    Leaving a mail about an order ends all reminders; leaving an advertisement ends advertising, while reminders of what
    was really ordered go on.
    """
    if message_class == Message.MessageClass.CONTRACT:
        return Suppression.Scope.REMINDERS
    return Suppression.Scope.MARKETING
