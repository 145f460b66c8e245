"""What stands between goods and total: it always adds up, whatever a source counts into its lines."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recoup.messaging.breakdown import Told, extras

AMOUNTS = st.decimals(min_value=0, max_value=10_000, places=2)


@pytest.mark.parametrize(
    ("goods", "told", "total", "rows"),
    [
        ("149", Told(), "149", []),
        ("149", Told(Decimal("9.99")), "158.99", [("delivery", "9.99")]),
        ("149", Told(discount=Decimal(10)), "139", [("discount", "-10")]),
        ("139", Told(discount=Decimal(10)), "139", []),  # the lines hold it
        ("149", Told(Decimal(10), Decimal(15)), "144", [("delivery", "10"), ("discount", "-15")]),
        ("149", Told(Decimal(10), tax=Decimal("28.57")), "159", [("delivery", "10")]),  # all prices hold tax
        ("100", Told(Decimal(10), tax=Decimal("25.30")), "135.30", [("delivery", "10"), ("tax", "25.30")]),
        ("149", Told(Decimal("8.12"), tax=Decimal("29.73")), "158.99", [("delivery", "9.99")]),  # named net
        ("149", Told(Decimal(10)), "169", [("other", "20")]),  # a fee that nobody named
        ("149", Told(), "140", [("discount", "-9")]),
        ("148.9999", Told(), "149", []),
    ],
)
def test_what_fits_is_shown(goods: str, told: Told, total: str, rows: list[tuple[str, str]]) -> None:
    found = extras(Decimal(total), Decimal(goods), told, currency="EUR")

    assert [(row.kind, row.amount) for row in found] == [(kind, Decimal(amount)) for kind, amount in rows]


@given(total=AMOUNTS, goods=AMOUNTS, told=st.builds(Told, *[st.none() | AMOUNTS] * 3))
def test_goods_and_rows_come_to_the_total(total: Decimal, goods: Decimal, told: Told) -> None:
    rows = extras(total, goods, told, currency="EUR")

    assert goods + sum((row.amount for row in rows), Decimal(0)) == total
    assert all(row.amount for row in rows)
