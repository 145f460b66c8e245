"""Which numbers got messages is known, by keyed hash, for as long as it limits anything."""

import pytest

from recoup.core import attention
from recoup.core.models import AttentionItem
from recoup.messaging.models import SmsNumberDay
from recoup.messaging.sender.spending import forget_numbers
from tests.factories.moments import DAY, NOW


@pytest.mark.django_db
def test_how_many_a_number_got_is_forgotten_once_the_day_is_over_everywhere() -> None:
    for days in range(5):
        SmsNumberDay.objects.create(shop_id=1, day=NOW.date() - days * DAY, number_hash=b"x" * 32, messages=1)

    gone = [forget_numbers(now=NOW) for _ in range(2)]

    assert (gone, SmsNumberDay.objects.count()) == ([2, 0], 3)


@pytest.mark.django_db
def test_what_was_said_of_a_day_is_said_no_more_once_its_numbers_are_forgotten() -> None:
    for days in range(5):
        attention.ask("messaging.range_held", shop_id=1, key=(NOW.date() - days * DAY).isoformat(), now=NOW)

    forget_numbers(now=NOW)

    assert AttentionItem.objects.filter(settled_at=None).count() == 3
