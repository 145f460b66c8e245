"""R25: ten thousand numbers on a public form cost no more than the day's money, and somebody is told at once."""

import time
from decimal import Decimal
from functools import partial

import pytest
from django.db import transaction
from django_scopes import scopes_disabled

from recoup.core.models import AttentionItem
from recoup.messaging.handover import ShortMessage
from recoup.messaging.models import SmsAccount, SmsDay, SmsNumberDay
from recoup.messaging.sender.records import Claimed, Prepared
from recoup.messaging.sender.spending import give_back, set_aside
from tests.factories.messages import make_sms_account
from tests.factories.moments import DAY, NOW
from tests.factories.shops import make_shop
from tests.support.together import together

pytestmark = pytest.mark.django_db(transaction=True)


def prepared(number: int) -> Prepared:
    """Return a message to a number of its own, ready to go."""
    claimed = Claimed(
        id=number, shop_id=0, source_id=None, contact_id=1, order_id=None, cart_id=None, template_id=None,
        case_id=None, enrolment_id=None, step_no=None, manual_key=None, locale="en", purpose="reminder",
        message_class="contract", is_asked_for=True, is_test=False, recipient="", prio=0, due_at=NOW,
        not_after=NOW + 2 * DAY, attempt=0, message_ref=str(number), channel="sms",
    )  # fmt: skip
    parcel = ShortMessage(
        number, "Pottery", f"+4850{1_000_000 + number}", "Hello", str(number), 2, Decimal("0.10"), "PLN", "PL"
    )
    return Prepared(claimed, parcel, 0, "")


def spend(account: SmsAccount, numbers: range) -> int:
    """Set aside what messages cost, a hundred at a time, and return how many may go."""
    count = 0
    with scopes_disabled():
        for start in range(numbers.start, numbers.stop, 100):
            with transaction.atomic():
                stakes, ends = set_aside(
                    account, [prepared(number) for number in range(start, start + 100)], now=NOW
                )
            assert len(stakes) + len(ends) == 100
            assert {end.reason for end in ends} <= {"cost_cap"}
            count += len(stakes)
    return count


@pytest.mark.slow
def test_ten_thousand_numbers_cost_no_more_than_the_day_allows() -> None:
    shop = make_shop(country="PL")
    account = make_sms_account(shop, port=1, daily_cap=Decimal("30.00"))
    began = time.monotonic()

    sent = together([partial(spend, account, range(first, first + 2500)) for first in range(0, 10_000, 2500)])

    day = SmsDay.objects.get(shop=shop)
    assert (sum(int(str(one)) for one in sent), day.messages, day.spent) == (150, 150, Decimal("30.00"))
    assert AttentionItem.objects.get().kind == "messaging.money_spent"
    assert time.monotonic() - began < 60


def test_a_number_gets_its_share_however_many_ask_at_once() -> None:
    shop = make_shop(country="PL")
    account = make_sms_account(shop, port=1, per_number_day=3)

    def ask() -> int:
        with scopes_disabled(), transaction.atomic():
            return len(set_aside(account, [prepared(7)], now=NOW)[0])

    granted = together([ask] * 8)

    assert sum(int(str(one)) for one in granted) == 3
    assert SmsNumberDay.objects.get().messages == 3


def test_what_is_given_back_can_be_spent_again_and_never_below_nothing() -> None:
    shop = make_shop(country="PL")
    account = make_sms_account(shop, port=1, daily_cap=Decimal("0.20"))

    with scopes_disabled():
        stakes, _ = set_aside(account, [prepared(1)], now=NOW)
        refused, _ = set_aside(account, [prepared(2)], now=NOW)
        give_back(list(stakes.values()))
        give_back(list(stakes.values()))
        again, _ = set_aside(account, [prepared(2)], now=NOW)

    assert (len(stakes), len(refused), len(again)) == (1, 0, 1)
    assert SmsDay.objects.get().spent == Decimal("0.20")
