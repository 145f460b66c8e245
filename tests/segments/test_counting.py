"""Counting of segments in the background."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM
from recoup.segments import counting
from recoup.segments.actions import save_segment
from recoup.segments.counting import count_due
from recoup.segments.models import NEVER, Segment
from recoup.shops.models import Shop
from tests.factories.moments import HOUR, NOW
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db
IN_POLISH = {"f": "contact.locale", "op": "=", "v": "pl"}


def segment_of(shop: Shop, condition: Any = IN_POLISH, segment: Segment | None = None) -> Segment:
    return save_segment(
        shop, name="Poles", about=3, condition=condition, actor=SYSTEM, now=NOW, segment=segment
    )


def numbers() -> list[Any]:
    return list(Segment.objects.values_list("rows", "is_capped", "rows_at").order_by("id"))


def test_each_shop_is_counted_by_itself_and_anew_once_the_number_is_old_or_the_condition_another() -> None:
    with scopes_disabled():
        shop, other = make_shop(), make_shop()
        for one in (shop, shop, other):
            make_contact(one, locale="pl")
        first, _ = segment_of(shop), segment_of(other)
        assert numbers() == [(None, False, None)] * 2

        assert [count_due(now=NOW), count_due(now=NOW + HOUR)] == [2, 0]
        assert numbers() == [(2, False, NOW), (1, False, NOW)]

        make_contact(shop, locale="pl")
        Segment.objects.update(looked_at=NEVER)
        count_due(now=NOW + HOUR)
        assert numbers() == [(3, False, NOW + HOUR), (1, False, NOW + HOUR)]
        first.refresh_from_db()
        segment_of(shop, segment=first)  # the same once more: the number stays
        assert numbers()[0] == (3, False, NOW + HOUR)
        segment_of(shop, {**IN_POLISH, "v": "de"}, first)
        assert numbers()[0] == (None, False, None)


def test_a_condition_that_cannot_be_read_any_more_stops_no_other() -> None:
    with scopes_disabled():
        first = segment_of(make_shop())
        segment_of(make_shop())
        Segment.objects.filter(pk=first.pk).update(condition={**IN_POLISH, "f": "contact.of_a_later_version"})

        assert count_due(now=NOW) == 2
        assert numbers() == [(None, False, NOW), (0, False, NOW)]


def test_what_takes_too_long_shows_no_number_and_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with scopes_disabled():
        segment_of(make_shop())
        monkeypatch.setattr(counting, "LONGEST", "20ms")

        def slow(*_: Any, **__: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(5)")

        monkeypatch.setattr(counting, "count_of", slow)

        assert count_due(now=NOW) == 1
        assert numbers() == [(None, False, NOW)]
        assert count_due(now=NOW) == 0


def test_the_page_of_segments_counts_nothing_itself() -> None:
    with scopes_disabled():
        shop = make_shop(slug="shop")
        make_contact(shop, locale="pl")
        segment_of(shop)
        client = sign_in(shop)
        assert "being counted" in client.get("/s/shop/segments/").content.decode()
        count_due(now=NOW)

        with CaptureQueriesContext(connection) as sent:
            page = client.get("/s/shop/segments/").content.decode()

    assert not [one for one in sent.captured_queries if "FROM customers_contact r" in one["sql"]]
    assert '<td class="sum num">1 <span class="quiet">' in page
