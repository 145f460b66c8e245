"""Whether a message may go now: pure, over what the last look saw. One reason at a time, the strongest first.

Rules stand one a line and return at once, so that a table of cases can be read off (hence the exceptions from PLR0911).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from recoup.messaging.models import Message
from recoup.messaging.reasons import Reason
from recoup.messaging.rules.kinds import Content
from recoup.messaging.sender.facts import CartFacts, OrderFacts, Sight
from recoup.messaging.sender.limits import free_from
from recoup.messaging.sender.records import Claimed
from recoup.messaging.sender.shop_facts import ShopFacts, reader_at
from recoup.messaging.unheard import HEARD_WITHIN
from recoup.shops.snapshots import ShopState

_BUSY = timedelta(seconds=2)
_NEWS = timedelta(seconds=15)
_UNREADABLE = timedelta(minutes=1)
_SOURCE_PAUSED = timedelta(minutes=5)
_HELD = timedelta(minutes=15)
_SILENCED = timedelta(minutes=1)
_RIVAL = timedelta(minutes=1)  # after the last of higher rank; by then it is out or will not go
_UNHEARD = timedelta(minutes=15)  # sooner where the source has answered (`messaging.unheard`)
_LAST_LOOK = timedelta(seconds=10)  # before its end, at what waits for the source


@dataclass(frozen=True, slots=True)
class Decision:
    """Send, cancel for a reason, or look again at `until`."""

    what: Literal["send", "cancel", "wait"]
    reason: str = ""
    until: datetime | None = None


SEND = Decision("send")


def judge(message: Claimed, sight: Sight, shop: ShopFacts, *, stamp: str | None, now: datetime) -> Decision:
    """Decide about one message. `stamp` is what its text was made from, `None` where there is no text."""
    message = _ruled(message, sight)
    refusal = _refusal(message, sight, shop, now)
    if refusal:
        return Decision("cancel", refusal)
    reason, until = _hold(message, sight, shop, now)
    if not reason and stamp is not None and stamp != _stamp(sight):
        reason, until = Reason.CHANGED, now
    if reason:
        if until >= message.not_after:
            return Decision("cancel", _when_late(message, reason))
        return Decision("wait", reason, until)
    return SEND


def _when_late(message: Claimed, reason: str = "") -> str:
    """Return the word for a message that is too late. What is true on its day alone ended with the day, whatever held it."""
    if message.day_ends_at is not None and message.day_ends_at <= message.not_after and reason not in _FULL:
        return Reason.DAY_OVER
    return reason if reason in _TELLING else Reason.EXPIRED


def _ruled(message: Claimed, sight: Sight) -> Claimed:
    """Return a message with the class that the rules make of it now."""
    return message._replace(message_class=sight.message_class) if sight.message_class else message


# Where waiting took too long, these say more than "too late".
_TELLING = {
    Reason.CAP,
    Reason.CHANNEL_CAP,
    Reason.OUTRANKED,
    Reason.QUIET_HOURS,
    Reason.PROMISED,
    Reason.PAUSED,
    Reason.CLAIMED,
    Reason.UNKNOWN_STATUS,
    Reason.SOURCE_SILENT,
}

_FULL = {Reason.CHANNEL_CAP}  # another channel may take it on that day


def _stamp(sight: Sight) -> str:
    if sight.order is not None:
        return sight.order.stamp
    return sight.cart.stamp if sight.cart is not None else ""


def _refusal(message: Claimed, sight: Sight, shop: ShopFacts, now: datetime) -> str:  # noqa: PLR0911 - a table of cases
    """Return why a message must never go, or nothing."""
    if sight.cancel_reason is not None:
        return sight.cancel_reason or Reason.CANCELLED
    if message.is_test or shop.live_since is None:
        return Reason.TEST_MODE
    if message.not_after <= now:
        return _when_late(message)
    if message.source_id is not None and shop.states.get(message.source_id) == "stopped":
        return Reason.STOPPED
    if message.contact_id in shop.erased:
        return Reason.ERASED
    if not message.recipient:
        return Reason.NO_ADDRESS
    if sight.offer is not None and (sight.offer.state != "granted" or sight.offer.valid_until <= now):
        return Reason.OFFER_OVER
    if message.order_id is not None and sight.order is not None:
        return _order_refusal(message, sight.order, shop) or person_refusal(message, shop)
    if message.cart_id is not None and sight.cart is not None:
        return _cart_refusal(message, sight.cart, shop) or person_refusal(message, shop)
    return person_refusal(message, shop)


def person_refusal(message: Claimed, shop: ShopFacts) -> str:
    """Return why a person must not get a message, whatever it is about, or nothing."""
    if shop.is_suppressed(message):
        return Reason.SUPPRESSED
    if message.is_asked_for or message.message_class == Message.MessageClass.CONTRACT:
        return ""
    if message.message_class == Message.MessageClass.FORBIDDEN:
        return Reason.FORBIDDEN
    # Whoever agreed to reminders of a cart agreed to nothing else; whoever refused them gets none.
    # Messages of older versions needed consent for a cart alone.
    is_of_cart = message.content in (Content.CART, "")
    who = reader_at(message.channel, message.contact_id, message.recipient)
    if is_of_cart and who in shop.refusing_carts:
        return Reason.NO_CONSENT
    if message.message_class == Message.MessageClass.SOFT_OPT_IN:
        return Reason.SUPPRESSED if who in shop.objecting else ""
    agreed = shop.consenting if is_of_cart else shop.wanting_offers
    return Reason.NO_CONSENT if who not in agreed else ""


_CLOSED_STATUSES = {
    "cancelled": Reason.ORDER_CANCELLED,
    "false": Reason.ORDER_FALSE,
    "completed": Reason.ORDER_CLOSED,
}
_CLOSED_PAYMENTS = {
    "paid": Reason.PAID,
    "authorized": Reason.PAID,
    "partly_refunded": Reason.PAID,
    "refunded": Reason.REFUNDED,
    "disputed": Reason.ORDER_CLOSED,
    "nothing_due": Reason.ORDER_CLOSED,
}


def _order_refusal(message: Claimed, order: OrderFacts, shop: ShopFacts) -> str:  # noqa: PLR0911 - a table of cases
    live_since = shop.sources_live_since.get(order.source_id)
    if order.is_test:
        return Reason.TEST_ORDER
    if message.purpose == Message.Purpose.THANKS:
        return Reason.BACKFILL if order.is_backfill else ""
    if order.payment_state in _CLOSED_PAYMENTS:
        return _CLOSED_PAYMENTS[order.payment_state]
    if order.captured >= order.total:
        return Reason.PAID
    if order.status in _CLOSED_STATUSES:
        return _CLOSED_STATUSES[order.status]
    if message.is_asked_for:
        return ""
    if order.is_backfill:
        return Reason.BACKFILL
    if order.placed_at < max(at for at in (shop.live_since, live_since, order.placed_at) if at is not None):
        return Reason.BEFORE_LIVE
    if order.superseded_by_id is not None or order.is_paid_by_another:
        return Reason.SUPERSEDED
    if message.is_by_hand:
        return ""
    return _routine_refusal(message, order, shop)


def _routine_refusal(message: Claimed, order: OrderFacts, shop: ShopFacts) -> str:
    """Return what stops a reminder of a process, though not one that a person sends."""
    if order.duplicate_of_id is not None or order.has_newer_twin:
        return Reason.DUPLICATE
    if message.template_id in order.sent_by_hand:
        return Reason.SENT_BY_HAND
    before = order.reminders - int(message.is_repeat)
    return Reason.ORDER_CAP if before >= shop.caps.per_order else ""


_GONE_CARTS = {
    "converted": Reason.CART_CONVERTED,
    "emptied": Reason.CART_EMPTIED,
    "expired": Reason.CART_EXPIRED,
}


def _cart_refusal(message: Claimed, cart: CartFacts, shop: ShopFacts) -> str:
    if cart.state in _GONE_CARTS:
        return _GONE_CARTS[cart.state]
    if message.is_asked_for:
        return ""
    if cart.has_order_since:
        return Reason.ORDERED_SINCE
    if cart.is_backfill:
        return Reason.BACKFILL
    live_since = shop.live_since
    return Reason.BEFORE_LIVE if live_since is not None and cart.last_activity_at < live_since else ""


def _hold(  # noqa: PLR0911 - a table of cases
    message: Claimed, sight: Sight, shop: ShopFacts, now: datetime
) -> tuple[str, datetime]:
    """Return why a message must wait, and until when; an empty reason if it need not."""
    if shop.is_silenced:
        return Reason.SILENCED, now + _SILENCED
    if message.source_id is not None and shop.states.get(message.source_id) == "paused":
        return Reason.SOURCE_PAUSED, now + _SOURCE_PAUSED
    if _is_busy(message, sight):
        return Reason.BUSY, now + _BUSY
    if sight.hold:
        return sight.hold, now + (_NEWS if sight.hold == Reason.PAYMENT_NEWS else _UNREADABLE)
    if _is_service(message):
        return "", now
    reason, until = ("", now) if message.is_by_hand else _routine_hold(message, sight, shop, now)
    if not reason and sight.order is not None and _is_unheard(message, sight.order, shop, now):
        last = message.not_after - _LAST_LOOK
        return Reason.SOURCE_SILENT, min(now + _UNHEARD, last) if last > now else message.not_after
    return reason, until


def _routine_hold(message: Claimed, sight: Sight, shop: ShopFacts, now: datetime) -> tuple[str, datetime]:
    """Return what holds a reminder of a process, though not one that a person sends."""
    if sight.order is not None:
        held = _order_hold(sight.order, now)
        if held[0]:
            return held
    if message.is_repeat:
        return "", now
    return _person_hold(message, sight, shop, now)


def _is_unheard(message: Claimed, order: OrderFacts, shop: ShopFacts, now: datetime) -> bool:
    """Tell whether the source is to be asked first: before the first reminder of an order not heard of for an hour (R6).

    What a person sends waits for one answer, and goes if none comes.
    """
    if order.source_id not in shop.askable or order.reminders > int(message.is_repeat):
        return False
    if message.is_by_hand and order.ask_failures:
        return False
    heard = [at for at in (order.learnt_at, order.version_learnt_at, order.asked_at) if at is not None]
    return bool(heard) and max(heard) <= now - HEARD_WITHIN


def _is_service(message: Claimed) -> bool:
    """Tell whether a message was asked for or carries out an order that is paid: it neither rests at night nor counts.

    What advertises after a payment does both, whatever it calls itself.
    """
    is_contract = message.message_class == Message.MessageClass.CONTRACT
    return message.is_asked_for or (message.purpose == Message.Purpose.THANKS and is_contract)


def _is_busy(message: Claimed, sight: Sight) -> bool:
    """Tell whether somebody else holds what is needed: a payment or a call just coming in, another sender."""
    subject = sight.order or sight.cart
    return (
        sight.gate is None
        or (subject is not None and not subject.is_free)
        or (message.order_id is not None and sight.order is None)
        or (message.cart_id is not None and sight.cart is None)
        or (message.offer_id is not None and sight.offer is None)
    )


def _order_hold(order: OrderFacts, now: datetime) -> tuple[str, datetime]:
    if order.promised_at is not None and order.promised_at > now:
        return Reason.PROMISED, order.promised_at
    if order.paused_at is not None:
        return Reason.PAUSED, now + _HELD
    if order.claimed_until is not None and order.claimed_until > now:
        return Reason.CLAIMED, order.claimed_until
    if order.shop_state == ShopState.UNKNOWN:
        return Reason.UNKNOWN_STATUS, now + _HELD
    return "", now


def _person_hold(message: Claimed, sight: Sight, shop: ShopFacts, now: datetime) -> tuple[str, datetime]:
    contact_id = message.contact_id
    recent = list(sight.gate.recent) if sight.gate is not None else []
    free = free_from(recent, shop.caps, now)
    if free > now:
        return Reason.CAP, shop.loud_from(contact_id, free)
    if sight.rivals and _is_outranked(recent, sight.rivals, shop, now):
        return Reason.OUTRANKED, shop.loud_from(contact_id, max(*sight.rivals, now) + _RIVAL)
    loud = shop.loud_from(contact_id, now)
    if loud > now:
        return Reason.QUIET_HOURS, loud
    # Last, because another channel may have room: what holds over all of them is no reason to take it.
    free = shop.channel_free_from(contact_id, now)
    return (Reason.CHANNEL_CAP, shop.loud_from(contact_id, free)) if free > now else ("", now)


def _is_outranked(recent: list[datetime], rivals: Sequence[datetime], shop: ShopFacts, now: datetime) -> bool:
    """Tell whether this message would take the place of one of higher rank that is still to come."""
    taken = [*recent, *[now] * len(rivals)]
    return free_from(taken, shop.caps, now) > now


def counts(message: Claimed, sight: Sight) -> bool:
    """Tell whether a message is one of those of which a person gets only so many."""
    return not _is_service(_ruled(message, sight))


def note_passed(message: Claimed, sight: Sight, shop: ShopFacts, at: datetime) -> None:
    """Count a message that goes, for those of its person and its order that come after it in the batch."""
    if not counts(message, sight):
        return
    if sight.gate is not None:
        sight.gate.recent = [*sight.gate.recent, at]
    if shop.channel_caps is not None:
        shop.channel_recent.setdefault(message.contact_id, []).append(at)
    if sight.order is not None and message.purpose == Message.Purpose.REMINDER:
        sight.order.reminders += 1
