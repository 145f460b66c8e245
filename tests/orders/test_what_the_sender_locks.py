"""What the sender locks, the facts touch: every writer of what can forbid a message waits for a hand-over (design 6)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django_scopes import scopes_disabled

from recoup.core.activity import Actor
from recoup.core.locks import set_lock_timeout
from recoup.customers.actions import Consent, record_consent, suppress
from recoup.customers.models import Contact
from recoup.orders import desk, holds
from recoup.orders.actions import record_deletion
from recoup.orders.carts import record_cart
from recoup.orders.models import Cart, Order
from recoup.orders.status import change_status
from recoup.payments.actions import apply_order_payment, apply_order_snapshot, record_payment, record_refund
from recoup.shops.models import Source
from recoup.shops.snapshots import (
    AttemptState,
    CartSnapshot,
    OrderDeleted,
    OrderPaymentSnapshot,
    OrderSnapshot,
    PaymentSnapshot,
    PersonSnapshot,
    RefundSnapshot,
    ShopState,
)
from tests.factories.moments import HOUR, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop, make_source

CLERK = Actor("person", 1)


@dataclass
class Scene:
    """Anna, her unpaid order, the cart she left."""

    source: Source
    anna: Contact
    order: Order
    cart: Cart


@pytest.fixture
def scene(transactional_db: None) -> Iterator[Scene]:
    with scopes_disabled():
        shop = make_shop(currency="PLN")
        source, anna = make_source(shop), make_contact(shop, email="anna@example.com")
        order = make_order(shop, source=source, contact=anna, unpaid_at=NOW, status="unpaid")
        yield Scene(source, anna, order, make_cart(shop, source=source, contact=anna))


def money(**values: object) -> PaymentSnapshot:
    return PaymentSnapshot(
        **{  # type: ignore[arg-type]
            "ref": "p1",
            "state": AttemptState.SUCCEEDED,
            "amount": Decimal("149.00"),
            "currency": "PLN",
            "at": NOW,
            **values,
        }
    )


def told(scene: Scene, **values: object) -> OrderSnapshot:
    return OrderSnapshot(
        **{  # type: ignore[arg-type]
            "ref": scene.order.ref,
            "state": ShopState.PENDING,
            "currency": "PLN",
            "total": Decimal("149.00"),
            "placed_at": scene.order.placed_at,
            "version_at": NOW,
            "person": PersonSnapshot(email="anna@example.com"),
            **values,
        }
    )


PAID = {"state": ShopState.PAID, "paid_at": NOW}
NOBODY, OTHERS = {"person": PersonSnapshot()}, {"person": PersonSnapshot(email="ola@example.com")}
ON_ORDER: dict[str, Callable[[Scene], object]] = {
    "payment": lambda s: record_payment(s.order, money(), now=NOW),
    "failure": lambda s: record_payment(s.order, money(state=AttemptState.FAILED), now=NOW),
    "refund": lambda s: record_refund(s.order, RefundSnapshot("r1", Decimal(9), "PLN", NOW), now=NOW),
    "payment by its order": lambda s: apply_order_payment(
        s.source, OrderPaymentSnapshot(s.order.ref, payment=money()), now=NOW
    ),
    "paid": lambda s: apply_order_snapshot(s.source, told(s, **PAID), now=NOW),
    "paid, nobody named": lambda s: apply_order_snapshot(s.source, told(s, **PAID, **NOBODY), now=NOW),
    "paid, another named": lambda s: apply_order_snapshot(s.source, told(s, **PAID, **OTHERS), now=NOW),
    "cancelled": lambda s: apply_order_snapshot(s.source, told(s, state=ShopState.CANCELLED), now=NOW),
    "deleted": lambda s: record_deletion(s.source, OrderDeleted(s.order.ref, at=NOW), now=NOW),
    "cancelled by hand": lambda s: change_status(s.order, "cancelled", actor=CLERK, now=NOW, reason="x"),
    "false by hand": lambda s: change_status(s.order, "false", actor=CLERK, now=NOW),
    "taken to work": lambda s: desk.claim_order(s.order, actor=CLERK, now=NOW),
    "promised": lambda s: holds.promise_payment(s.order, NOW + HOUR, actor=CLERK, now=NOW),
    "paused": lambda s: holds.pause_reminders(s.order, actor=CLERK, now=NOW),
    "let go": lambda s: holds.resume_reminders(s.order, actor=CLERK, now=NOW),
}
BY_PERSON: dict[str, Callable[[Scene], object]] = {
    "a new order": lambda s: apply_order_snapshot(s.source, told(s, ref="new"), now=NOW),
    "a new paid order": lambda s: apply_order_snapshot(s.source, told(s, ref="new", **PAID), now=NOW),
    "consent taken back": lambda s: record_consent(
        s.anna, [Consent("marketing", is_given=False, source="mail", at=NOW)], now=NOW
    ),
    "unsubscribed": lambda s: suppress(
        s.anna.shop_id, "Anna@example.com", scope="reminders", reason="unsubscribed", now=NOW
    ),
}
ON_CART: dict[str, Callable[[Scene], object]] = {
    "became an order": lambda s: apply_order_snapshot(
        s.source, told(s, ref="new", cart_ref=s.cart.ref, **NOBODY), now=NOW
    ),
    "emptied": lambda s: record_cart(s.source, cart_told(s, is_deleted=True), now=NOW),
    "bought": lambda s: record_cart(s.source, cart_told(s, order_ref="new"), now=NOW),
}


def cart_told(scene: Scene, **values: object) -> CartSnapshot:
    return CartSnapshot(
        **{  # type: ignore[arg-type]
            "ref": scene.cart.ref,
            "currency": "PLN",
            "total": Decimal("99.00"),
            "version_at": NOW,
            **values,
        }
    )


@contextmanager
def held(database_url: str, statement: str, key: int) -> Iterator[None]:
    """Hold a row as the sender does while it hands over."""
    with psycopg.connect(database_url) as sender:
        sender.execute(statement, [key])
        yield


def waits(write: Callable[[Scene], object], scene: Scene) -> bool:
    """Tell whether a writer waits for the row that is held."""
    try:
        with transaction.atomic():
            set_lock_timeout(150)
            write(scene)
    except OperationalError as error:
        if "lock timeout" not in str(error):
            raise
        return True
    return False


@pytest.mark.parametrize("name", sorted(ON_ORDER | BY_PERSON))
def test_it_waits_for_the_gate(scene: Scene, database_url: str, name: str) -> None:
    gate = "SELECT FROM customers_contactgate WHERE contact_id = %s FOR NO KEY UPDATE"
    write = (ON_ORDER | BY_PERSON)[name]

    with held(database_url, gate, scene.anna.pk):
        assert waits(write, scene)
    assert not waits(write, scene)


@pytest.mark.parametrize("name", sorted(ON_ORDER))
def test_it_waits_for_the_order(scene: Scene, database_url: str, name: str) -> None:
    with held(database_url, "SELECT FROM orders_order WHERE id = %s FOR SHARE", scene.order.pk):
        assert waits(ON_ORDER[name], scene)
    assert not waits(ON_ORDER[name], scene)


@pytest.mark.parametrize("name", sorted(ON_CART))
def test_it_waits_for_the_cart(scene: Scene, database_url: str, name: str) -> None:
    with held(database_url, "SELECT FROM orders_cart WHERE id = %s FOR SHARE", scene.cart.pk):
        assert waits(ON_CART[name], scene)
    assert not waits(ON_CART[name], scene)


def test_a_cart_and_its_order_under_another_address_are_taken_in_one_after_the_other(
    scene: Scene, database_url: str
) -> None:
    """Told in the same moment by two connections, neither of which sees the other's row."""
    snapshot = CartSnapshot(
        ref="c9",
        currency="PLN",
        total=Decimal(9),
        version_at=NOW,
        person=PersonSnapshot(email="typo@exmple.com"),
    )
    key = f"cart|{scene.source.pk}|c9"

    with held(database_url, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", key):  # type: ignore[arg-type]
        assert waits(lambda s: record_cart(s.source, snapshot, now=NOW), scene)
        assert waits(
            lambda s: apply_order_snapshot(s.source, told(s, ref="n", cart_ref="c9"), now=NOW), scene
        )
    apply_order_snapshot(scene.source, told(scene, ref="n", cart_ref="c9"), now=NOW)
    cart = record_cart(scene.source, snapshot, now=NOW + timedelta(seconds=1))

    assert cart is not None
    assert (cart.state, cart.order_ref) == ("converted", "n")
    assert connection.in_atomic_block is False
