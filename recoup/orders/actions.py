"""Taking in orders as their source shows them. Carts: `carts`; paid state: `settle`; statuses: `status`."""

import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from recoup.core import outbox, search
from recoup.customers.actions import Consent, recognise, record_consent_once, touch_gates
from recoup.customers.models import ConsentEvent, Contact
from recoup.customers.normalise import clean_name, email_key, phone_key
from recoup.orders import carts, status
from recoup.orders.events import OrderCancelled, OrderChanged, OrderPlaced
from recoup.orders.models import Order, OrderFact, OrderLine
from recoup.orders.particulars import kept_buyer, take_particulars
from recoup.orders.queries import check_instant
from recoup.shops.models import Source
from recoup.shops.snapshots import LineSnapshot, OrderDeleted, OrderSnapshot, ShopState

_FETCHED = "f:"  # begins the key of a version that we fetched ourselves, and sorts behind all others
_RANK = {state: rank for rank, state in enumerate(ShopState)}


class CurrencyChanged(Exception):
    """A source changed the currency of an order it told before; frozen at capture, so a person must look."""


def record_order(
    source: Source,
    snapshot: OrderSnapshot,
    *,
    now: datetime,
    is_backfill: bool = False,
    is_fetched: bool = False,
) -> Order:
    """Insert or update an order with its lines, buyer and facts; its money is settled by `payments`.

    Runs in the caller's transaction. The buyer's gate is updated first, then the cart, then the order: what the sender
    locks, the facts touch. A snapshot older than what is known changes nothing. Announces `OrderPlaced` once, never for a
    backfill. A draft is kept as a cart by the caller, never here.

    :param is_fetched: we asked the source ourselves: of two states of one instant, this is the one that is true now.
    :raises CurrencyChanged: if the order was told in another currency before.
    """
    with transaction.atomic():
        contact = recognise(
            source.shop, snapshot.person, source_id=source.pk, now=now, seen_at=min(snapshot.placed_at, now)
        )
        touch_gates(_people_of(source, snapshot.ref, contact))
        if contact is not None:
            _record_consent(contact, snapshot, now)
        if snapshot.cart_ref:
            carts.convert_cart(
                source, snapshot.cart_ref, order_ref=snapshot.ref, at=snapshot.placed_at, now=now
            )
        key = (_FETCHED if is_fetched else "") + version_key(snapshot)
        order = _lock(source, snapshot.ref)
        if order is None:
            order = _insert(source, snapshot, contact, now, key=key, is_backfill=is_backfill)
            if order is not None:
                return order
            order = _lock(source, snapshot.ref)
            if order is None:  # deleted between the two statements: cannot happen while shops stay
                raise RuntimeError(f"order {snapshot.ref} vanished")
        _update(order, source, snapshot, contact, now, key=key)
        return order


def _people_of(source: Source, ref: str, contact: Contact | None) -> set[int]:
    """Return whose reminders an order forbids: of the person it names, and of the one it is known to be of.

    A source may tell of a payment without naming anybody, or name somebody else than before.
    """
    known = Order.objects.filter(source=source, ref=ref).values_list("contact_id", flat=True).first()
    return {pk for pk in (known, contact.pk if contact is not None else None) if pk is not None}


def _record_consent(contact: Contact, snapshot: OrderSnapshot, now: datetime) -> None:
    """Note what was agreed to with the order, as of its placing: telling it again takes nothing back since."""
    person = snapshot.person
    if person.marketing_consent is None:
        return
    consent = Consent(
        purpose=ConsentEvent.Purpose.MARKETING,
        is_given=person.marketing_consent,
        source="shop",
        at=person.marketing_consent_at or snapshot.placed_at,
        text=person.marketing_consent_text,
        locale=person.locale,
    )
    record_consent_once(contact, consent, now=now)


def _lock(source: Source, ref: str) -> Order | None:
    return Order.objects.select_for_update(no_key=True).filter(source=source, ref=ref).first()


def version_key(snapshot: OrderSnapshot) -> str:
    """Return what ranks two snapshots of one instant, so that any order of arrival gives one state (T24)."""
    told = asdict(snapshot)
    for field in ("coupons", "delivery", "invoice"):
        if not getattr(snapshot, field):
            del told[field]  # as it was before shops told them
    for payment in told["payments"]:
        del payment["is_only"]  # of the source, not of what it tells
    text = json.dumps(told, default=str, sort_keys=True)
    return f"{_RANK[snapshot.state]:02d}:{hashlib.sha256(text.encode()).hexdigest()}"


def is_in_force(order: Order, snapshot: OrderSnapshot) -> bool:
    """Tell whether an order stands as this snapshot told it."""
    return (order.version_at, _content(order.version_key)) == (snapshot.version_at, version_key(snapshot))


def _content(key: str) -> str:
    return key.removeprefix(_FETCHED)


def _is_news(order: Order, snapshot: OrderSnapshot, key: str) -> bool:
    """Tell whether a snapshot says more than what is known. What we fetched ourselves wins over what was told (T24)."""
    if snapshot.version_at != order.version_at:
        return snapshot.version_at > order.version_at
    if _content(key) == _content(order.version_key):
        return False
    return key.startswith(_FETCHED) or key > order.version_key


def _values(snapshot: OrderSnapshot, key: str) -> dict[str, object]:
    """Return the columns that a newer snapshot may change."""
    return {
        "total": snapshot.total,
        "discount_total": snapshot.discount_total,
        "shipping_total": snapshot.shipping_total,
        "tax_total": snapshot.tax_total,
        "coupons": [{"code": one.code, "discount": str(one.discount)} for one in snapshot.coupons],
        "method": snapshot.method[:60],
        "method_title": snapshot.method_title,
        "is_offline_method": snapshot.is_offline_method,
        "pay_url": snapshot.pay_url,
        "cart_ref": snapshot.cart_ref,
        "buyer": kept_buyer(snapshot.person),
        "product_refs": sorted({line.product_ref for line in snapshot.lines if line.product_ref}),
        "shop_state": snapshot.state.value,
        "raw_state": snapshot.raw_state,
        "version_at": snapshot.version_at,
        "version_key": key,
        "is_test": snapshot.is_test,
        "search": search.tokens(
            snapshot.number or snapshot.ref,
            clean_name(snapshot.person.name),
            email_key(snapshot.person.email),
            phone_key(snapshot.person.phone, snapshot.person.country),
            *[line.name for line in snapshot.lines[:10]],
        ),
    }


def _insert(
    source: Source,
    snapshot: OrderSnapshot,
    contact: Contact | None,
    now: datetime,
    *,
    key: str,
    is_backfill: bool,
) -> Order | None:
    shop = source.shop
    order = Order(
        shop_id=source.shop_id,
        source=source,
        ref=snapshot.ref,
        number=snapshot.number or snapshot.ref,
        contact=contact,
        currency=snapshot.currency,
        locale=(snapshot.locale or snapshot.person.locale or shop.locale)[:8],
        origin=(snapshot.origin or "checkout")[:24],
        placed_at=min(snapshot.placed_at, now),
        learnt_at=now,
        terms_version=shop.terms_version,
        version_learnt_at=now,
        is_backfill=is_backfill,
        **_values(snapshot, key),
    )
    take_particulars(order, snapshot, version_key=order.version_key)
    if order.total == 0:
        order.payment_state = Order.PaymentState.NOTHING_DUE
        order.status = Order.Status.COMPLETED
    elif snapshot.state is ShopState.ON_HOLD:
        order.payment_state = Order.PaymentState.ON_HOLD
    order.check_at = check_instant(order, shop, live_since=source.live_since)
    inserted = Order.objects.bulk_create([order], ignore_conflicts=True)
    known = Order.objects.filter(source=source, ref=snapshot.ref).first()
    if not inserted or known is None or known.learnt_at != now or known.version_key != order.version_key:
        return None  # another worker was first; it is updated like any known order
    _write_lines(known, snapshot.lines)
    _note(known, "placed", at=known.placed_at, now=now, total=str(known.total))
    status.note_first(known, now=now)
    if not is_backfill:
        outbox.announce(OrderPlaced(shop_id=known.shop_id, order_id=known.pk, at=known.placed_at))
    _follow_source_state(known, snapshot, now)
    return known


def _write_lines(order: Order, lines: tuple[LineSnapshot, ...]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM orders_orderline WHERE order_id = %s", [order.pk])
    OrderLine.objects.bulk_create(
        [
            OrderLine(
                shop_id=order.shop_id,
                order=order,
                position=position,
                product_ref=line.product_ref,
                variant_ref=line.variant_ref,
                sku=line.sku,
                name=clean_name(line.name),
                quantity=line.quantity,
                unit_price=line.unit_price,
                total=line.total,
                options=line.options,
                url=line.url,
                image_url=line.image_url,
            )
            for position, line in enumerate(lines)
        ]
    )


def _note(order: Order, kind: str, *, at: datetime, now: datetime, **details: object) -> None:
    OrderFact.objects.create(
        shop_id=order.shop_id, order=order, kind=kind, details=details, became_true_at=at, learnt_at=now
    )


def _update(
    order: Order, source: Source, snapshot: OrderSnapshot, contact: Contact | None, now: datetime, *, key: str
) -> None:
    filled = take_particulars(order, snapshot, version_key=key)
    if not _is_news(order, snapshot, key):
        if key.startswith(_FETCHED) and is_in_force(order, snapshot) and order.version_key != key:
            order.version_key = key
            filled.append("version_key")
        if (
            snapshot.cart_ref and not order.cart_ref
        ):  # from which cart it came does not change with its versions
            order.cart_ref = snapshot.cart_ref
            filled.append("cart_ref")
        if filled:
            order.save(update_fields=filled)
        return
    if order.currency != snapshot.currency:
        raise CurrencyChanged(f"{order.currency} before, {snapshot.currency} now")
    before = (order.total, order.shop_state, order.method, order.pay_url, order.product_refs)
    goods = set(order.product_refs)
    cart_ref = order.cart_ref
    for field, value in _values(snapshot, key).items():
        setattr(order, field, value)
    order.version_learnt_at = now
    order.cart_ref = order.cart_ref or cart_ref
    order.contact = contact or order.contact  # a corrected address counts from then on
    order.check_at = check_instant(order, source.shop, live_since=source.live_since)
    order.save()
    _write_lines(order, snapshot.lines)
    if before != (order.total, order.shop_state, order.method, order.pay_url, order.product_refs):
        _note(
            order,
            "changed",
            at=snapshot.version_at,
            now=now,
            total=str(order.total),
            shop_state=order.shop_state,
            was_total=str(before[0]),
            was_shop_state=before[1],
            # Who was let in for a product is looked at again when it is exchanged (J3).
            **(
                {"products": order.product_refs, "was_products": before[4]}
                if goods != set(order.product_refs)
                else {}
            ),
        )
        outbox.announce(OrderChanged(shop_id=order.shop_id, order_id=order.pk, at=snapshot.version_at))
    _follow_source_state(order, snapshot, now)


def _follow_source_state(order: Order, snapshot: OrderSnapshot, now: datetime) -> None:
    """Follow a cancellation at the source, or its taking back."""
    is_gone = snapshot.state in {ShopState.CANCELLED, ShopState.DELETED}
    if is_gone:
        at = snapshot.cancelled_at or snapshot.version_at
        _follow_cancellation(order, at=at, reason=snapshot.cancel_reason or "source", now=now)
    elif (
        order.cancelled_at is not None
        and order.cancel_reason.startswith("source")
        # Else it was told before the order was deleted, and came late (R4).
        and snapshot.version_at > order.cancelled_at
    ):
        status.reopen_from_source(order, at=snapshot.version_at, now=now)
        order.check_at = check_instant(order, order.shop, live_since=order.source.live_since)
        order.save(update_fields=["check_at"])


def _follow_cancellation(order: Order, *, at: datetime, reason: str, now: datetime) -> None:
    """Cancel an order once; of several words of its source the last one stands, whatever order they came in."""
    if order.cancelled_at is None:
        cancel_from_source(order, at=at, reason=reason, now=now)
    elif order.cancel_reason.startswith("source") and at > order.cancelled_at:
        order.cancelled_at, order.cancel_reason = at, _source_reason(reason)
        order.save(update_fields=["cancelled_at", "cancel_reason"])


def _source_reason(reason: str) -> str:
    return reason if reason.startswith("source") else f"source: {reason}"


def cancel_from_source(order: Order, *, at: datetime, reason: str, now: datetime) -> None:
    """Cancel an order because its source did. Ends its reminders; a payment that came stays counted."""
    order.cancelled_at = at
    order.cancel_reason = _source_reason(reason)
    order.check_at = None
    order.save(update_fields=["cancelled_at", "cancel_reason", "check_at"])
    _note(order, "cancelled", at=at, now=now, reason=order.cancel_reason)
    status.follow_cancellation(order, now=now)
    outbox.announce(OrderCancelled(shop_id=order.shop_id, order_id=order.pk, at=at))


def record_deletion(source: Source, deletion: OrderDeleted, *, now: datetime) -> Order | None:
    """Cancel an order that its source deleted; history stays. `None` if we never knew it."""
    with transaction.atomic():
        known = Order.objects.filter(source=source, ref=deletion.ref).first()
        if known is None:
            return None
        if known.contact_id:
            touch_gates([known.contact_id])
        order = _lock(source, deletion.ref)
        if order is not None and not _is_shown_since(order, deletion):
            _follow_cancellation(order, at=deletion.at, reason="deleted", now=now)
        return order


def _is_shown_since(order: Order, deletion: OrderDeleted) -> bool:
    """Tell whether the source has shown an order alive after it was deleted.

    A deletion without an instant of its own came when we heard of it; the clock of the shop may be ahead of ours.
    """
    if deletion.at >= order.version_at:
        return False
    return not deletion.is_by_our_clock or deletion.at < (order.version_learnt_at or order.learnt_at)


def note_replaced(order: Order, replaced: Order) -> None:
    """Note that an order was placed by a link of ours instead of another one: it is the same goods (B4, F5)."""
    order.replaces = replaced
    order.save(update_fields=["replaces"])


def amount_due(order: Order) -> Decimal:
    """Return what is still to be paid, in the order's currency, never below zero."""
    due: Decimal = order.total - order.discount_given - (order.captured - order.refunded)
    return max(due, Decimal(0))
