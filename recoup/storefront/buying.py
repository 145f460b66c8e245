"""From a filled cart to something that can be paid: the shop's own cart, the order it became, or an order placed here."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.db import transaction

from recoup.catalog.deliveries import is_point_gone
from recoup.core import activity
from recoup.core.activity import Actor
from recoup.customers.models import Contact
from recoup.orders.actions import amount_due, note_replaced
from recoup.orders.became import find_order_of
from recoup.orders.carts import convert_cart
from recoup.orders.correcting import Correction, correct_particulars
from recoup.orders.models import Cart, Order
from recoup.orders.particulars import bill_address_of, coupon_of, delivery_of, invoice_of
from recoup.payments.actions import apply_order_snapshot
from recoup.payments.sessions import why_not_payable
from recoup.payments.ways import ways_anew, ways_to_pay
from recoup.shops.addresses import is_own_address
from recoup.shops.models import OWN_KIND, Shop, Source
from recoup.shops.snapshots import (
    DeliverySnapshot,
    InvoiceSnapshot,
    LineSnapshot,
    OrderSnapshot,
    PersonSnapshot,
    ShopState,
)
from recoup.storefront.filled import FilledCart, FilledLine

_OVER = frozenset({Order.Status.CANCELLED, Order.Status.FALSE, Order.PaymentState.REFUNDED})
ORIGIN = "recovery"


class Step(StrEnum):
    """How the buyer gets on."""

    FOLLOW = "follow"  # the source opens the cart itself
    PAY_ORDER = "pay_order"  # it is an order already, still to be paid
    PLACE = "place"  # an order is placed here
    PAID = "paid"
    NO_WAY = "no_way"  # the goods are shown; the shop has to be asked
    NOT_NOW = "not_now"  # nobody can say at the moment how it would be paid: the operator does not answer


class DeliveryGone(Exception):
    """The way of delivery or the pick-up point is not offered any more, and no other was chosen; nothing was ordered."""


class CartChangedMeanwhile(Exception):
    """Prices, stock or terms are not those that the buyer agreed to; nothing was ordered."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """The step and what it needs."""

    step: Step
    url: str = ""  # FOLLOW
    order: Order | None = None  # PAY_ORDER, PAID, and NOT_NOW and NO_WAY where it is an order already


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the buyer saw and ticked."""

    total: Decimal
    terms_version: str


@dataclass(frozen=True, slots=True)
class Person:
    """The buyer as an order or a contact knows them; shown only masked until they have named their address."""

    name: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""
    company: str = ""
    address: dict[str, str] = field(default_factory=dict)
    delivery: DeliverySnapshot = field(default_factory=DeliverySnapshot)
    invoice: InvoiceSnapshot = field(default_factory=InvoiceSnapshot)
    coupon: str = ""  # typed at the source; what it takes off is not carried over


def person_of(subject: Cart | Order) -> Person:
    """Return the person of a cart or an order, as given with the order where there is one."""
    contact: Contact | None = subject.contact
    if contact is not None and contact.erased_at is not None:
        return Person()
    buyer = subject.buyer

    def known(name: str) -> str:
        return str(buyer.get(name) or getattr(contact, name, "") or "")

    return Person(
        name=known("name"),
        email=known("email"),
        phone=known("phone"),
        country=known("country"),
        company=known("company"),
        address=bill_address_of(subject),
        delivery=delivery_of(subject),
        invoice=invoice_of(subject),
        coupon=coupon_of(subject),
    )


def next_step(subject: Cart | Order, filled: FilledCart) -> NextStep:
    """Return how the buyer of a cart gets on, the furthest step that is valid (C11); reads only."""
    order = subject if isinstance(subject, Order) else find_order_of(subject)
    if order is not None:
        order = placed_instead(order) or order
        if found := _step_of_order(order):
            return found
    elif isinstance(subject, Cart) and is_own_address(subject.source, subject.url):
        return NextStep(Step.FOLLOW, url=subject.url)
    person = person_of(subject)
    if filled.is_empty or not (person.email or person.phone):  # nobody is left to order it after erasure
        return NextStep(Step.NO_WAY)
    if filled.brought.is_gone and not filled.brought.choices:
        return NextStep(Step.NO_WAY)
    ways = ways_anew(subject.source, filled.total.amount, filled.total.currency)
    if not ways.ways:
        return NextStep(Step.NOT_NOW if ways.is_silent else Step.NO_WAY)
    return NextStep(Step.PLACE)


def placed_instead(order: Order) -> Order | None:
    """Return the order that the buyer placed by a link of ours instead of this one, if it lives and this one does not."""
    if why_not_payable(order) not in _OVER:
        return None
    rows = Order.objects.filter(shop_id=order.shop_id, replaces=order).select_related(
        "source", "contact", "shop"
    )
    return next((one for one in rows.order_by("-id") if why_not_payable(one) not in _OVER), None)


def _step_of_order(order: Order) -> NextStep | None:
    """Return the step of an order that lives, or `None` for one that was cancelled or replaced."""
    reason = why_not_payable(order)
    if not reason:
        ways = ways_to_pay(order, amount_due(order))
        if ways.is_silent:
            return NextStep(Step.NOT_NOW, order=order)
        if ways.follow_url or ways.ways:
            return NextStep(Step.PAY_ORDER, order=order)
        return NextStep(Step.NO_WAY, order=order) if _is_bound(order) else None
    return None if reason in _OVER else NextStep(Step.PAID, order=order)


def _is_bound(order: Order) -> bool:
    """Tell whether an order is bound to be paid as it is: to order its goods again would be to order them twice.

    Its payment is awaited by other means than a link, or a part came and counts for that very order.
    """
    return order.payment_state == Order.PaymentState.ON_HOLD or order.captured > order.refunded


def place_order(
    subject: Cart | Order, filled: FilledCart, agreed: Agreed, *, now: datetime, person: Person | None = None
) -> Order:
    """Place an order at our side from a filled cart, once: a second press finds the first one's order.

    It is made out to `person` if they corrected their data, else to whom the cart is of; a second press may correct them.

    Prices are those of today, read by us; the terms that hold now are recorded as accepted. The cart becomes this order.
    Its source is the built-in one, so that it is paid by sessions of ours. It stands instead of the order that could not be
    paid. Announces what any new order announces.

    :raises CartChangedMeanwhile: if the buyer agreed to another sum or other terms.
    :raises DeliveryGone: if what it was to be brought by, or to, is not offered any more.
    """
    shop: Shop = subject.shop
    if (agreed.total, agreed.terms_version) != (filled.total.amount, shop.terms_version):
        raise CartChangedMeanwhile(subject.pk)
    with transaction.atomic():
        source = own_source(shop, now=now)
        ref, known = _ref_of(subject, source)
        if known is not None:
            if person is not None:
                correct_person(known, person, now=now)
            return known
        buyer = person or person_of(subject)
        _refuse_gone(subject, filled, buyer)
        told = _snapshot(subject, filled, buyer, ref, now)
        replaced = subject if isinstance(subject, Order) else find_order_of(subject)
        order = apply_order_snapshot(source, told, now=now)
        if replaced is not None:
            note_replaced(order, replaced)
        if isinstance(subject, Cart):
            convert_cart(subject.source, subject.ref, order_ref=ref, at=now, now=now, is_anew=True)
        activity.record(
            "storefront.order.placed",
            shop_id=shop.pk,
            subject=("order", order.pk),
            at=now,
            actor=Actor("buyer", subject.contact_id),
            terms_version=shop.terms_version,
            **{"order_id" if isinstance(subject, Order) else "cart_id": subject.pk},
        )
    return order


def _ref_of(subject: Cart | Order, source: Source) -> tuple[str, Order | None]:
    """Return the name of the order to be placed, and the order if it was placed and lives."""
    prefix = f"{'order' if isinstance(subject, Order) else 'cart'}-{subject.pk}"
    placed = [
        order
        for order in Order.objects.filter(shop_id=source.shop_id, source=source, ref__startswith=prefix)
        if order.ref == prefix or order.ref.startswith(f"{prefix}-")
    ]
    alive = next((order for order in placed if why_not_payable(order) not in _OVER), None)
    return (f"{prefix}-{len(placed) + 1}" if placed else prefix), alive


def own_source(shop: Shop, *, now: datetime) -> Source:
    """Return the built-in source of a shop, made on first use."""
    Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)
    source = Source.objects.filter(shop=shop, kind=OWN_KIND).order_by("id").first()
    if source is None:
        source = Source(shop=shop, kind=OWN_KIND, name=shop.name, live_since=now)
        source.save(force_insert=True)
    return source


def _refuse_gone(subject: Cart | Order, filled: FilledCart, buyer: Person) -> None:
    brought = filled.brought
    if brought.choice:
        return
    if brought.is_gone or is_point_gone(subject.source, buyer.delivery.point.ref):
        raise DeliveryGone(subject.pk)


def may_correct(order: Order) -> bool:
    """Tell whether the buyer may correct their data here: only an order that was placed here knows of no other place."""
    return order.source.kind == OWN_KIND and not why_not_payable(order)


def correct_person(order: Order, person: Person, *, now: datetime) -> list[str]:
    """Correct the data of an order that was placed here, unless it is paid or over; return what changed."""
    if not may_correct(order):
        return []
    told = _told(person, order.locale)
    is_same = told == _told(person_of(order), order.locale)
    correction = Correction(None if is_same else told, person.delivery, person.invoice)
    return correct_particulars(order, correction, actor=Actor("buyer", order.contact_id), now=now)


def _told(person: Person, locale: str) -> PersonSnapshot:
    return PersonSnapshot(
        email=person.email,
        phone=person.phone,
        name=person.name,
        country=person.country,
        company=person.company,
        locale=locale,
        address=person.address,
    )


def _snapshot(
    subject: Cart | Order, filled: FilledCart, person: Person, ref: str, now: datetime
) -> OrderSnapshot:
    number = f"{subject.number}-R" if isinstance(subject, Order) else f"R{subject.pk}"
    return OrderSnapshot(
        ref=ref,
        number=number,
        state=ShopState.PENDING,
        currency=filled.total.currency,
        total=filled.total.amount,
        placed_at=now,
        version_at=now,
        person=_told(person, subject.locale),
        delivery=as_brought(filled, person).delivery,
        invoice=person.invoice,
        lines=tuple(_line(line) for line in filled.lines if not line.is_gone),
        cart_ref=subject.ref if isinstance(subject, Cart) else subject.cart_ref,
        locale=subject.locale,
        origin=ORIGIN,
        shipping_total=filled.delivery.amount or None,
    )


def as_brought(filled: FilledCart, person: Person) -> Person:
    """Return a person with the way of delivery that was chosen instead of one that is gone: to the address, to no point."""
    if not filled.brought.choice:
        return person
    known = person.delivery
    delivery = replace(
        filled.brought.told,
        name=known.name,
        company=known.company,
        phone=known.phone,
        address=known.address or person.address,
    )
    return replace(person, delivery=delivery)


def _line(line: FilledLine) -> LineSnapshot:
    return LineSnapshot(
        product_ref=line.wanted.product_ref,
        name=line.wanted.name,
        quantity=line.quantity,
        unit_price=line.unit_price.amount,
        total=line.total.amount,
        sku=line.wanted.sku,
        variant_ref=line.wanted.variant_ref,
        options=dict(line.wanted.options),
        url=line.wanted.url,
        image_url=line.wanted.image_url,
    )
