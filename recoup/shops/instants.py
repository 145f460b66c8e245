"""The instants that a snapshot tells: a source's clock may be ahead of ours, or wrong altogether (T24)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from recoup.shops.snapshots import (
    CartSnapshot,
    OrderPaymentSnapshot,
    OrderSnapshot,
    PaymentSnapshot,
    RefundSnapshot,
    Snapshot,
)

_Part = TypeVar("_Part", PaymentSnapshot, RefundSnapshot)
# `at` of a deletion ranks it among the versions of its order, as `version_at` does: neither is ever moved.
_OWN = ("version_at", "placed_at", "paid_at", "cancelled_at", "at")


def told_instants(snapshot: Snapshot) -> Iterator[tuple[str, datetime]]:
    """Return every instant that a snapshot tells, with its field."""
    for name in _OWN:
        told = getattr(snapshot, name, None)
        if told is not None:
            yield name, told
    for name, part in _parts(snapshot):
        yield f"{name}.at", part.at
    if isinstance(snapshot, (OrderSnapshot, CartSnapshot)):
        told = snapshot.person.marketing_consent_at
        if told is not None:
            yield "customer.marketing.at", told


def _parts(snapshot: Snapshot) -> Iterator[tuple[str, PaymentSnapshot | RefundSnapshot]]:
    if isinstance(snapshot, OrderSnapshot):
        yield from ((f"payments.{number}", one) for number, one in enumerate(snapshot.payments))
        yield from ((f"refunds.{number}", one) for number, one in enumerate(snapshot.refunds))
    elif isinstance(snapshot, OrderPaymentSnapshot):
        if snapshot.payment is not None:
            yield "payment", snapshot.payment
        if snapshot.refund is not None:
            yield "refund", snapshot.refund


def not_ahead(snapshot: Snapshot, now: datetime) -> Snapshot:
    """Return a snapshot in which nothing happened later than now: an instant ahead is one that we learn of now.

    Its version stays as it was told, for it is compared with others of the same clock. Consents are moved where they are
    recorded, because they are told again and again.
    """
    if all(told <= now for _, told in told_instants(snapshot)):
        return snapshot
    if isinstance(snapshot, OrderPaymentSnapshot):
        return replace(
            snapshot,
            payment=_moved(snapshot.payment, now) if snapshot.payment else None,
            refund=_moved(snapshot.refund, now) if snapshot.refund else None,
        )
    return order_not_ahead(snapshot, now) if isinstance(snapshot, OrderSnapshot) else snapshot


def order_not_ahead(snapshot: OrderSnapshot, now: datetime) -> OrderSnapshot:
    """Return an order in which nothing happened later than now. A consent goes by the placing as it was told."""
    person = snapshot.person
    if person.marketing_consent is not None and person.marketing_consent_at is None:
        person = replace(person, marketing_consent_at=snapshot.placed_at)
    return replace(
        snapshot,
        person=person,
        placed_at=min(snapshot.placed_at, now),
        paid_at=min(snapshot.paid_at, now) if snapshot.paid_at else None,
        cancelled_at=min(snapshot.cancelled_at, now) if snapshot.cancelled_at else None,
        payments=tuple(_moved(one, now) for one in snapshot.payments),
        refunds=tuple(_moved(one, now) for one in snapshot.refunds),
    )


def _moved(part: _Part, now: datetime) -> _Part:
    return replace(part, at=min(part.at, now))
