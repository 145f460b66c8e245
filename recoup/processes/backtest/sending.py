"""What stands for the sender: `messaging.past`, fed with what the engine knew at an instant. No message is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol

from recoup.messaging.models import Message as MessageRow
from recoup.messaging.past.deciding import PastMessage, PastSender, Seen
from recoup.messaging.sender.facts import CartFacts, OrderFacts
from recoup.processes.effects.send import purpose_of
from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.engine.records import Facts, SendEffect
from recoup.processes.facts import message_outcome
from recoup.processes.worlds import refusal

_ORDER, _CART = int(SubjectKind.ORDER), int(SubjectKind.CART)


class Letter(NamedTuple):
    """A message that is to be handed over."""

    enrolment_id: int
    shop_id: int
    contact_id: int
    subject_kind: int
    subject_id: int
    effect: SendEffect
    offer_until: datetime | None = None  # that of the last offer that was made

    @property
    def place(self) -> tuple[int, int]:
        """Return what names it in the store."""
        return self.enrolment_id, self.effect.step_no


class Sending(Protocol):
    """Decides about messages. One for each page of people."""

    @property
    def lag(self) -> timedelta:
        """Return how long after the planned instant a message is handed over."""

    @property
    def messages(self) -> Mapping[tuple[int, int], PastMessage]:
        """Return what is known of messages beyond how they ended, by enrolment and step."""

    def queue(self, letter: Letter, facts: Facts, now: datetime) -> datetime:
        """Return when a message that is queued now is due."""

    def decide(self, letter: Letter, facts: Facts, now: datetime) -> Code | datetime:
        """Return how a message ends now, or when it is to be looked at again."""

    def forget(self, enrolment_id: int, at: datetime) -> None:
        """Leave out what an enrolment of another process sent from an instant on: it would not have been there."""


@dataclass(slots=True)
class PlainSending:
    """Sends everything at its planned instant that the facts allow: no limits, no law, no addresses."""

    lag: timedelta = timedelta(0)
    messages: dict[tuple[int, int], PastMessage] = field(default_factory=dict)

    def queue(self, letter: Letter, facts: Facts, now: datetime) -> datetime:  # noqa: ARG002 - of the protocol
        """Return the planned instant."""
        return letter.effect.planned_at

    def decide(self, letter: Letter, facts: Facts, now: datetime) -> Code | datetime:
        """Return that it is sent, unless it is too late or what it is about is over."""
        if now >= letter.effect.not_after:
            return Code.SKIPPED_EXPIRED
        return (refusal(facts) if letter.effect.purpose == "reminder" else None) or Code.SENT

    def forget(self, enrolment_id: int, at: datetime) -> None:
        """Nobody else is looked at."""


@dataclass(slots=True)
class ShopSending:
    """The shop's sender: what each message is by law, whom it reaches, what holds it back, what it costs."""

    sender: PastSender
    lag: timedelta = timedelta(0)
    messages: dict[tuple[int, int], PastMessage] = field(default_factory=dict)

    def queue(self, letter: Letter, facts: Facts, now: datetime) -> datetime:
        """Fix what is fixed when a message is queued; return when it is due."""
        effect = letter.effect
        message = PastMessage(
            shop_id=letter.shop_id,
            contact_id=letter.contact_id,
            order_id=letter.subject_id if letter.subject_kind == _ORDER else None,
            cart_id=letter.subject_id if letter.subject_kind == _CART else None,
            purpose=purpose_of(letter.subject_kind, effect),
            channel=effect.channel,
            template_key=effect.template,
            otherwise=effect.otherwise,
            due_at=effect.planned_at,
            not_after=effect.not_after,
            offer_until=letter.offer_until,
            day_ends_at=effect.day_ends_at,
        )
        self.messages[letter.place] = message
        return self.sender.queue(message, seen_of(letter, facts), now)

    def decide(self, letter: Letter, facts: Facts, now: datetime) -> Code | datetime:
        """Return how a message ends now, or when it is to be looked at again."""
        verdict = self.sender.decide(self.messages[letter.place], seen_of(letter, facts), now)
        if verdict.state == MessageRow.State.DUE and verdict.until is not None:
            return verdict.until
        return Code(message_outcome(verdict.state, verdict.reason))

    def forget(self, enrolment_id: int, at: datetime) -> None:
        """Leave out what an enrolment of another process sent from an instant on."""
        self.sender.others.drop(enrolment_id, at)


def seen_of(letter: Letter, facts: Facts) -> Seen:
    """Return the order or cart as the sender's last look would have seen it with these facts."""
    if letter.subject_kind == _ORDER and facts.order is not None:
        order = facts.order
        seen = OrderFacts(
            id=letter.subject_id,
            source_id=0,
            contact_id=letter.contact_id,
            ref="",
            number="",
            cart_ref="",
            status="cancelled" if order.cancelled_at is not None else order.status,
            payment_state="paid" if order.paid_at is not None else "owed",
            total=order.total,
            captured=order.total - order.total_due,
            placed_at=order.placed_at,
            promised_at=facts.promised_at,
            paused_at=facts.held_since,
            claimed_until=facts.claimed_until,
            superseded_by_id=None if facts.superseded_at is None else 1,
            duplicate_of_id=None,
            is_backfill=False,  # what was imported is walked as if it had come in time
            is_test=False,
            shop_state="pending",
            stamp="",
        )
        return Seen(order=seen, paid_at=order.paid_at, due=max(order.total_due, Decimal(0)))
    if letter.subject_kind == _CART and facts.cart is not None:
        cart = facts.cart
        gone = (
            "converted" if cart.converted_at is not None else "emptied" if cart.emptied_at is not None else ""
        )
        return Seen(
            cart=CartFacts(
                id=letter.subject_id,
                source_id=0,
                contact_id=letter.contact_id,
                ref="",
                order_ref="",
                state=gone or "abandoned",
                last_activity_at=cart.last_activity_at,
                is_backfill=False,
                stamp="",
                has_order_since=facts.superseded_at is not None,
            )
        )
    return Seen()
