"""The demo's past, when making it was cut off."""

from datetime import timedelta

import pytest
from django.conf import LazySettings

from recoup.core.clock import trade_offset
from recoup.core.models import Installation
from recoup.demo.seed import NotTheDemo, start_demo
from tests.factories.moments import DAY
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("left", "kept"), [(-9 * DAY, timedelta(0)), (2 * DAY, 2 * DAY)])
def test_a_clock_that_was_left_in_the_past_is_put_right(
    settings: LazySettings, left: timedelta, kept: timedelta
) -> None:
    """Moved forward by a visitor, it stays there."""
    settings.IS_DEMO = True
    Installation.objects.update_or_create(pk=1, defaults={"is_demo": True, "trade_offset": left})
    make_shop()

    start_demo(tell=lambda _: None)

    assert trade_offset() == kept


def test_no_other_database_is_made_a_demo(settings: LazySettings) -> None:
    settings.IS_DEMO = False

    with pytest.raises(NotTheDemo):
        start_demo(tell=lambda _: None)

    assert not Installation.objects.filter(is_demo=True).exists()
