"""Recovery cases."""

from typing import Any

from recoup.orders.models import Cart, Order
from recoup.recovery.models import RecoveryCase
from tests.factories.moments import DAY, NOW


def make_case(subject: Order | Cart, **values: Any) -> RecoveryCase:
    """Make an open case of an order or a cart, opened at `NOW` and lapsing 30 days later."""
    opened_at = values.get("opened_at", NOW)
    case = RecoveryCase(
        **{
            "shop_id": subject.shop_id,
            "kind": "order" if isinstance(subject, Order) else "cart",
            "order": subject if isinstance(subject, Order) else None,
            "cart": subject if isinstance(subject, Cart) else None,
            "contact_id": subject.contact_id,
            "cause": "no_payment" if isinstance(subject, Order) else "cart_left",
            "amount": subject.total,
            "currency": subject.currency,
            "opened_at": opened_at,
            "lapses_at": opened_at + 30 * DAY,
            **values,
        }
    )
    case.save(force_insert=True)
    return case
