"""Taking in carts as their source shows them."""

import hashlib
import json
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import connection, transaction

from recoup.core import outbox
from recoup.customers.actions import Consent, recognise, record_consent_once, touch_gates
from recoup.customers.models import ConsentEvent, Contact
from recoup.orders.events import CartChanged
from recoup.orders.models import Cart, CartFact, Order
from recoup.orders.particulars import kept_buyer, take_particulars
from recoup.shops.models import Source
from recoup.shops.snapshots import CartSnapshot


def record_cart(
    source: Source, snapshot: CartSnapshot, *, now: datetime, is_backfill: bool = False
) -> Cart | None:
    """Insert or update a cart and its facts; `None` if the shop does not collect carts (B8).

    New activity starts the waiting anew (B9). A buyer who switches the currency takes the cart along with its lines and its
    sum: each version is in one currency. The buyer's gate is updated before the cart. Announces `CartChanged`.
    """
    shop = source.shop
    if not shop.collects_carts:
        return None
    with transaction.atomic():
        contact = recognise(shop, snapshot.person, source_id=source.pk, now=now)
        if contact is not None:
            touch_gates([contact.pk])
        hold_cart(source.pk, snapshot.ref)
        cart = Cart.objects.select_for_update(no_key=True).filter(source=source, ref=snapshot.ref).first()
        is_new = cart is None
        if cart is None:
            cart = Cart(
                shop=shop,
                source=source,
                ref=snapshot.ref,
                currency=snapshot.currency,
                locale=(snapshot.locale or snapshot.person.locale or shop.locale)[:8],
                started_at=min(snapshot.version_at, now),
                is_backfill=is_backfill,
            )
        elif (snapshot.version_at, _version_key(snapshot)) <= (cart.version_at, cart.version_key):
            if filled := take_particulars(cart, snapshot, version_key=_version_key(snapshot)):
                cart.save(update_fields=filled)
            return cart
        if contact is not None:
            _record_consent(contact, snapshot, cart, now)
        switched = _switched(cart, snapshot)
        kind = _apply(cart, snapshot, contact, now)
        cart.save()
        kind = "started" if is_new and kind == "changed" else kind
        _note(cart, kind, at=cart.last_activity_at, now=now, **switched)
        outbox.announce(CartChanged(shop_id=cart.shop_id, cart_id=cart.pk, at=cart.last_activity_at))
        return cart


def _record_consent(contact: Contact, snapshot: CartSnapshot, cart: Cart, now: datetime) -> None:
    """Note what was agreed to in the cart. Given, it counts from the cart's beginning; taken back, from when it was told.

    So a box that was ticked once and is told again with every change of the cart takes no later withdrawal back.
    """
    given = snapshot.person.marketing_consent
    if given is None:
        return
    consent = Consent(
        purpose=ConsentEvent.Purpose.MARKETING,
        is_given=given,
        source="cart",
        at=snapshot.person.marketing_consent_at or (cart.started_at if given else snapshot.version_at),
        text=snapshot.person.marketing_consent_text,
        locale=snapshot.locale,
    )
    record_consent_once(contact, consent, now=now)


def _version_key(snapshot: CartSnapshot) -> str:
    told = asdict(snapshot)
    for field in ("shipping_total", "delivery", "invoice"):
        if told[field] is None:
            del told[field]  # as it was before shops told them
    text = json.dumps(told, default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _switched(cart: Cart, snapshot: CartSnapshot) -> dict[str, str]:
    """Return what the history keeps of a switch to another currency."""
    if cart.currency == snapshot.currency:
        return {}
    return {"currency": snapshot.currency, "was_currency": cart.currency, "was_total": str(cart.total)}


def _apply(cart: Cart, snapshot: CartSnapshot, contact: Contact | None, now: datetime) -> str:
    """Bring the projection up to the snapshot and return the kind of fact this is."""
    at = min(snapshot.version_at, now)
    cart.contact = contact or cart.contact
    cart.lines = json.loads(json.dumps([asdict(line) for line in snapshot.lines], default=str))
    cart.product_refs = sorted({line.product_ref for line in snapshot.lines if line.product_ref})
    cart.currency, cart.total = snapshot.currency, snapshot.total
    cart.shipping_total = snapshot.shipping_total
    cart.buyer = kept_buyer(snapshot.person)
    take_particulars(cart, snapshot, version_key=_version_key(snapshot))
    cart.url, cart.coupon = snapshot.url, snapshot.coupon
    cart.version_at, cart.version_key = snapshot.version_at, _version_key(snapshot)
    cart.last_activity_at, cart.learnt_at = at, now
    cart.check_at = None
    if cart.converted_at is not None:
        return "changed"
    order_ref = snapshot.order_ref or _order_made_of(cart)
    if order_ref:
        cart.state, cart.converted_at, cart.order_ref = Cart.State.CONVERTED, at, order_ref
        return "converted"
    if snapshot.is_deleted or not snapshot.lines:
        cart.state = Cart.State.EMPTIED
        return "emptied"
    # The same cart is the same cycle: once abandoned it is not abandoned a second time (complaint 3), emptied meanwhile or
    # not.
    if cart.abandoned_at is not None:
        cart.state = Cart.State.ABANDONED
        return "changed"
    cart.state = Cart.State.OPEN
    if not cart.is_backfill and cart.contact is not None and at >= cart.source.live_since:
        cart.check_at = at + timedelta(minutes=cart.shop.cart_after_minutes)
    return "changed"


def _order_made_of(cart: Cart) -> str:
    """Return the order that this cart became, if the order came first: nobody is asked about a cart they bought (R4)."""
    orders = Order.objects.filter(source_id=cart.source_id, cart_ref=cart.ref).exclude(cart_ref="")
    return orders.order_by("id").values_list("ref", flat=True).first() or ""


def _note(cart: Cart, kind: str, *, at: datetime, now: datetime, **more: str) -> None:
    CartFact.objects.create(
        shop_id=cart.shop_id,
        cart=cart,
        kind=kind,
        details={"total": str(cart.total), "product_refs": cart.product_refs, **more},
        became_true_at=at,
        learnt_at=now,
    )


def hold_cart(source_id: int, ref: str) -> None:
    """Let a cart and the order it becomes be taken in one after the other, even while there is no row to lock.

    Told at the same moment and under two addresses, neither would see the other, and the bought cart would be asked for.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"cart|{source_id}|{ref}"])


def convert_cart(
    source: Source, ref: str, *, order_ref: str, at: datetime, now: datetime, is_anew: bool = False
) -> Cart | None:
    """Say that a cart became an order, once; `None` if we never knew the cart. Announces `CartChanged`.

    :param is_anew: the order takes the place of one that the cart became before, as where that was cancelled.
    """
    hold_cart(source.pk, ref)
    cart = Cart.objects.select_for_update(no_key=True).filter(source=source, ref=ref).first()
    if cart is None or (cart.converted_at is not None and not is_anew):
        return cart
    cart.state, cart.converted_at = Cart.State.CONVERTED, cart.converted_at or at
    cart.order_ref, cart.check_at = order_ref, None
    cart.save(update_fields=["state", "converted_at", "order_ref", "check_at"])
    _note(cart, "converted", at=at, now=now)
    outbox.announce(CartChanged(shop_id=cart.shop_id, cart_id=cart.pk, at=at))
    return cart
