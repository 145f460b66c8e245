"""The class of a message: computed from what it is about, never ticked by hand (design rule 11)."""

from recoup.customers.models import ConsentEvent, Suppression
from recoup.messaging.models import Message, Template

# Whoever agreed to one of these agreed to reminders of a cart.
CONSENT_PURPOSES = (ConsentEvent.Purpose.MARKETING.value, ConsentEvent.Purpose.CART_REMINDER.value)


def compute_class(kind: str) -> str:
    """Return the class of messages made from a template of this kind.

    A reminder of an order carries out the contract that the buyer made. A reminder of a cart is advertising in enough
    countries that it needs consent in all of them. No published text holds a discount, which would change the former.
    """
    if kind == Template.Kind.ORDER:
        return Message.MessageClass.CONTRACT
    return Message.MessageClass.NEEDS_CONSENT


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
