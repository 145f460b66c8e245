"""The closed list of events that goals and blocks may listen to, and how facts tell their instant."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from recoup.processes.engine.codes import Code, SubjectKind, Wake
from recoup.processes.engine.records import Answer, Facts, MessageFacts, OfferFacts

Reader = Callable[[Facts], datetime | None]


class Happening(NamedTuple):
    """An event kind. `read` gives the instant at which it became true, or nothing while it has not."""

    name: str
    wake: Wake
    goal_code: Code
    read: Reader
    subjects: frozenset[SubjectKind]


def _effective(at: datetime | None, learnt_at: datetime | None) -> datetime | None:
    """Return the instant of a fact, never later than we learnt it: a source's clock may be ahead."""
    if at is None or learnt_at is None or at <= learnt_at:
        return at
    return learnt_at


def _paid_at(facts: Facts) -> datetime | None:
    order = facts.order
    if order is None or order.paid_at is None:
        return None
    return _effective(order.paid_at, order.paid_learnt_at)


def _cancelled_at(facts: Facts) -> datetime | None:
    order = facts.order
    if order is None or order.cancelled_at is None:
        return None
    return _effective(order.cancelled_at, order.cancelled_learnt_at)


def _superseded_at(facts: Facts) -> datetime | None:
    return facts.superseded_at


def _case_closed_at(facts: Facts) -> datetime | None:
    return facts.case_closed_at


def _converted_at(facts: Facts) -> datetime | None:
    return None if facts.cart is None else facts.cart.converted_at


def _emptied_at(facts: Facts) -> datetime | None:
    return None if facts.cart is None else facts.cart.emptied_at


def _never(facts: Facts) -> datetime | None:  # noqa: ARG001 - the shape of a reader
    return None


_ORDER = frozenset({SubjectKind.ORDER})
_CART = frozenset({SubjectKind.CART})
_BOTH = _ORDER | _CART
_ALL = frozenset(SubjectKind)

SUBJECT_EVENTS = {
    event.name: event
    for event in (
        Happening("order.paid", Wake.PAID, Code.GOAL_PAID, _paid_at, _ORDER),
        Happening("order.cancelled", Wake.CANCELLED, Code.GOAL_CANCELLED, _cancelled_at, _ORDER),
        Happening("cart.converted", Wake.CART_CONVERTED, Code.GOAL_CONVERTED, _converted_at, _CART),
        Happening("cart.emptied", Wake.CART_EMPTIED, Code.GOAL_EMPTIED, _emptied_at, _CART),
        Happening("contact.ordered_again", Wake.SUPERSEDED, Code.GOAL_SUPERSEDED, _superseded_at, _BOTH),
        Happening("case.closed", Wake.CASE_CLOSED, Code.GOAL_CASE_CLOSED, _case_closed_at, _BOTH),
    )
}
# Their instant is read from the message that a block names.
MESSAGE_EVENTS = {
    event.name: event
    for event in (
        Happening("message.opened", Wake.MESSAGE_OPENED, Code.GOAL_OPENED, _never, _ALL),
        Happening("message.clicked", Wake.MESSAGE_CLICKED, Code.GOAL_CLICKED, _never, _ALL),
    )
}
# Their instant is read from what the person has bought, of the products that a block names.
PRODUCT_EVENTS = {
    event.name: event for event in (Happening("product.bought", Wake.BOUGHT, Code.GOAL_PAID, _never, _ALL),)
}
# Their instant is read from the visits to the pages that a block names.
PAGE_EVENTS = {
    event.name: event for event in (Happening("page.visited", Wake.VISITED, Code.GOAL_CLICKED, _never, _ALL),)
}
EVENTS = SUBJECT_EVENTS | MESSAGE_EVENTS | PRODUCT_EVENTS | PAGE_EVENTS
# Which links lead to a page where one buys, and which to one where one leaves; all of them lead to a page of ours.
PAGES = {"buy": frozenset({"pay", "cart"}), "leave": frozenset({"out", "stop"})}
PAYMENT_GOALS = {SubjectKind.ORDER: "order.paid", SubjectKind.CART: "cart.converted"}


def bought_at(
    facts: Facts, products: tuple[str, ...], *, needs_all: bool, since: datetime | None
) -> datetime | None:
    """Return when any of these products, or the last of all of them, was bought; purchases before `since` do not count."""
    found = []
    for product in products:
        at = next((at for at in facts.purchases.get(product, ()) if since is None or at >= since), None)
        if at is not None:
            found.append(at)
        elif needs_all:
            return None
    if not found:
        return None
    return max(found) if needs_all else min(found)


def visited_at(facts: Facts, pages: frozenset[str] | None, since: datetime | None) -> datetime | None:
    """Return when the person first came to one of these pages (none: to any) since an instant, or since they entered."""
    return next(
        (
            visit.at
            for visit in facts.visits
            if (pages is None or visit.page in pages) and (since is None or visit.at >= since)
        ),
        None,
    )


def latest_offer(facts: Facts, node: int) -> OfferFacts | None:
    """Return the last offer that a block has made to this person, if any was granted."""
    steps = [step for step, offer in facts.offers.items() if offer.node == node and offer.ends_at is not None]
    return facts.offers[max(steps)] if steps else None


def latest_answer(facts: Facts, node: int) -> Answer | None:
    """Return the answer to what a block asked for last, once there is one."""
    steps = [step for step, answer in facts.answers.items() if answer.node == node]
    return facts.answers[max(steps)] if steps else None


def latest_message(facts: Facts, node: int) -> MessageFacts | None:
    """Return the last message that a block queued for this enrolment."""
    steps = [step for step, message in facts.messages.items() if message.node == node]
    return facts.messages[max(steps)] if steps else None
