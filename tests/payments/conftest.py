"""An operator in memory, and orders to be paid through it."""

from collections.abc import Iterator

import pytest
from django_scopes import scopes_disabled

from recoup.config import adapters as table
from recoup.orders.models import Order
from recoup.payments import adapters
from tests.factories.orders import make_order
from tests.factories.shops import make_shop
from tests.support.operator import DESK, Desk


@pytest.fixture
def desk(db: None) -> Iterator[Desk]:
    """Return a fresh operator."""
    fresh = Desk()
    DESK.__dict__.update(fresh.__dict__)
    adapters.register({**table.OPERATORS, "fake": "tests.support.operator.FakeOperator"})
    with scopes_disabled():
        yield DESK
    adapters.register(table.OPERATORS)


@pytest.fixture
def order() -> Order:
    """Return an unpaid order of 149.00."""
    return make_order(make_shop())
