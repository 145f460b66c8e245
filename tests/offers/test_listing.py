"""What offers cost and brought: of a period, read by its index."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django_scopes import scope

from recoup.offers import listing
from recoup.offers.listing import Earned, earned
from recoup.offers.models import Offer, Redemption
from tests.factories.moments import DAY, NOW
from tests.factories.offers import make_offer
from tests.factories.orders import make_order
from tests.factories.shops import make_shop

D = Decimal
pytestmark = pytest.mark.django_db


def test_only_what_was_granted_in_the_period_counts_and_what_was_paid_with_it() -> None:
    shop = make_shop()
    with scope(shop=shop):
        order = make_order(shop, total="100.00", captured=D(90), refunded=D(20), currency="EUR")
        used = make_offer(order, state="redeemed", process_id=5)
        make_offer(order, process_id=5, is_guessed=True)
        make_offer(order, process_id=5, state="refused", code="")
        make_offer(order, process_id=5, is_test=True)
        make_offer(order, process_id=5, granted_at=NOW - 91 * DAY)
        Redemption(
            shop=shop, offer=used, order=order, discount=D(10), cost=D(10), made_at=NOW, paid_at=NOW
        ).save()
        Redemption(
            shop=shop, offer=used, order=order, discount=D(9), cost=D(9), made_at=NOW, freed_at=NOW
        ).save()

        found = earned(shop, since=NOW - 90 * DAY)

    assert found == [Earned(5, "EUR", 2, 1, D(10), D(10), D(70), 1)]


def _reads(plan: dict[str, Any]) -> dict[str, int]:
    """Return how many rows a plan reads of each index."""
    own = (
        {plan["Index Name"]: plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)}
        if "Index Name" in plan
        else {}
    )
    for part in plan.get("Plans", ()):
        own |= _reads(part)
    return own


def test_it_reads_the_offers_of_the_period_alone() -> None:
    shop = make_shop()
    with scope(shop=shop):
        order = make_order(shop)
        rows = [make_offer(order, granted_at=NOW - 200 * DAY) for _ in range(3)]
        for number in range(300):
            rows[0].pk, rows[0].code = None, f"{number:012}"
            Offer.objects.bulk_create([rows[0]])
        refused = make_offer(order, state="refused", code="")
        for _ in range(100):
            refused.pk = None
            Offer.objects.bulk_create([refused])
        for _ in range(4):
            make_offer(order)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE offers_offer")
        cursor.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) " + listing._EARNED, {"shop": shop.pk, "since": NOW - DAY}
        )
        told = cursor.fetchone()[0]
    plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]

    assert _reads(plan).get("offers_offer_earned") == 4
