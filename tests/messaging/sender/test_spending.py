"""R25: ten thousand numbers on a public form cost no more than the day's money, and somebody is told at once."""

import time
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django_scopes import scopes_disabled

from recoup.core.models import AttentionItem
from recoup.messaging.handover import ShortMessage
from recoup.messaging.models import SmsAccount, SmsDay, SmsNumberDay
from recoup.messaging.sender import ranges
from recoup.messaging.sender.records import Claimed, Prepared
from recoup.messaging.sender.spending import day_of, give_back, set_aside
from recoup.shops.models import Shop
from tests.factories.messages import make_message, make_sms_account
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.support.together import together

pytestmark = pytest.mark.django_db(transaction=True)


IN_ONE_RANGE, APART = "+4850{:07}", "+48{}"
FIRST = 1_000_000


def prepared(number: int, *, contact_id: int = 1, form: str = IN_ONE_RANGE) -> Prepared:
    """Return a message to a number of its own, ready to go."""
    digits = FIRST + number if form == IN_ONE_RANGE else 500_000_000 + number * 10_007
    claimed = Claimed(
        id=number, shop_id=0, source_id=None, contact_id=contact_id, order_id=None, cart_id=None, template_id=None,
        case_id=None, enrolment_id=None, step_no=None, manual_key=None, locale="en", purpose="reminder",
        message_class="contract", is_asked_for=True, is_test=False, recipient="", prio=0, due_at=NOW,
        not_after=NOW + 2 * DAY, attempt=0, message_ref=str(number), channel="sms",
    )  # fmt: skip
    parcel = ShortMessage(
        number, "Pottery", form.format(digits), "Hello", str(number), 2, Decimal("0.10"), "PLN", "PL"
    )
    return Prepared(claimed, parcel, 0, "")


def waits(number: int) -> Prepared:
    """Return a message that has waited its minute for a place in its range already."""
    make_message(make_order(make_shop()), id=number, reason="range_cap")
    return prepared(number)


def spend(account: SmsAccount, numbers: range, form: str) -> int:
    """Set aside what messages cost, a hundred at a time, and return how many may go."""
    count = 0
    with scopes_disabled():
        for start in range(numbers.start, numbers.stop, 100):
            chunk = [prepared(number, form=form) for number in range(start, start + 100)]
            with transaction.atomic():
                stakes, ends = set_aside(account, chunk, now=NOW)
            assert len(stakes) + len(ends) == 100
            assert {end.reason for end in ends} <= {"cost_cap", "range_cap"}
            count += len(stakes)
    return count


def attack(form: str, count: int = 10_000) -> tuple[int, SmsDay]:
    """Let four senders write to numbers that somebody left in a form; return how many they may, and the day."""
    shop = make_shop(country="PL")
    account = make_sms_account(shop, port=1, daily_cap=Decimal("30.00"))
    parts = [range(first, first + count // 4) for first in range(0, count, count // 4)]
    sent = together([partial(spend, account, part, form) for part in parts])
    return sum(int(str(one)) for one in sent), SmsDay.objects.get(shop=shop)


@pytest.mark.slow
def test_ten_thousand_numbers_cost_no_more_than_the_day_allows() -> None:
    began = time.monotonic()

    sent, day = attack(APART)

    assert (sent, day.messages, day.spent) == (150, 150, Decimal("30.00"))
    assert AttentionItem.objects.get().kind == "messaging.money_spent"
    assert time.monotonic() - began < 60


def test_ten_thousand_numbers_that_begin_alike_are_stopped_far_before_it_and_told_after_a_minute() -> None:
    sent, day = attack(IN_ONE_RANGE)

    assert (sent, day.messages, day.spent) == (20, 20, Decimal("4.00"))
    assert not AttentionItem.objects.exists()
    with scopes_disabled():
        set_aside(SmsAccount.objects.get(), [waits(9_999)], now=NOW + MINUTE)
    item = AttentionItem.objects.get()
    assert (item.kind, item.opened_at) == ("messaging.range_held", NOW + MINUTE)
    assert item.details == {"prefix": "+4850100xxxx", "numbers": 20}


def test_without_the_guard_of_ranges_the_same_attack_takes_all_the_money(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ranges, "OF_STRANGERS", 10_000)

    sent, day = attack(IN_ONE_RANGE, 800)

    assert (sent, day.spent) == (150, Decimal("30.00"))


def test_an_attack_holds_up_nobody_who_has_paid_by_that_number() -> None:
    shop = make_shop(country="PL")
    account = make_sms_account(shop, port=1)

    def paid(number: int, **values: Any) -> Prepared:
        """Return a message to the buyer of an order that is paid, unless told otherwise."""
        money = {"payment_state": "paid", "captured": 10, "buyer": {"phone": f"+4850{FIRST + number}"}}
        order = make_order(values.pop("shop", shop), **{**money, **values})
        assert order.contact_id is not None
        return prepared(number, contact_id=order.contact_id)

    with scopes_disabled():
        set_aside(account, [prepared(number) for number in range(30)], now=NOW)
        stranger = paid(45, shop=make_shop()).message.contact_id
        asked = [
            paid(40),
            paid(41, payment_state="unpaid", captured=0),
            paid(42, is_test=True),
            paid(43, buyer={"phone": "+48601000000"}),  # somebody else's address beside a number of one's own
            prepared(44, contact_id=stranger),
        ]
        stakes, ends = set_aside(account, asked, now=NOW)

    assert set(stakes) == {40}
    assert [(end.message_id, end.reason) for end in ends] == [(n, "range_cap") for n in (41, 42, 43, 44)]


def test_who_finds_no_place_waits_a_minute_for_what_is_in_flight_and_nobody_is_told() -> None:
    account = make_sms_account(make_shop(country="PL"), port=1)

    with scopes_disabled():
        stakes, [end] = set_aside(account, [prepared(number) for number in range(21)], now=NOW)
        give_back([stakes[3]])  # paid meanwhile: the last look has called it off
        again, _ = set_aside(account, [waits(20)], now=NOW + MINUTE)

    assert (end.state, end.reason, end.due_at) == ("due", "range_cap", NOW + MINUTE)
    assert set(again) == {20}
    assert not AttentionItem.objects.exists()


def test_a_range_waits_for_the_next_day_or_until_somebody_lets_it_go() -> None:
    shop = make_shop(country="PL")
    account = make_sms_account(shop, port=1)
    late = [one._replace(message=one.message._replace(not_after=NOW + HOUR)) for one in [prepared(98)]]

    with scopes_disabled():
        first = [*(prepared(n) for n in range(20)), waits(20)]
        stakes, ends = set_aside(account, [*first, *late], now=NOW)
        today, tomorrow = day_of(account, NOW)
        assert [(end.state, end.due_at) for end in ends] == [
            ("due", tomorrow),
            ("due", NOW + HOUR - ranges.LAST_LOOK),
        ]
        [too_late] = set_aside(account, late, now=NOW + HOUR - ranges.LAST_LOOK)[1]
        assert (too_late.state, too_late.reason) == ("cancelled", "range_cap")
        give_back([stakes[0]])  # it did not leave: its place in the range is free again
        second = prepared(1)._replace(
            message=prepared(1).message._replace(id=201)
        )  # to a number that counts already
        assert set(set_aside(account, [prepared(30), prepared(31), second], now=NOW)[0]) == {30, 201}

        (held,) = ranges.held_ranges(shop.pk, today)
        let_go = partial(ranges.release, day=today, user_id=1, now=NOW)
        assert (held.written, held.numbers, held.is_released) == ("+4850100xxxx", 20, False)
        assert let_go(make_shop().pk, held.id) == []
        assert let_go(shop.pk, held.id, day=tomorrow.date()) == []  # the page of yesterday
        assert let_go(shop.pk, held.id) == ["+4850100"]
        assert let_go(shop.pk, held.id) == let_go(shop.pk, None) == []
        assert not AttentionItem.objects.filter(settled_at=None).exists()
        assert len(set_aside(account, [prepared(n) for n in range(40, 60)], now=NOW)[0]) == 20
        assert len(set_aside(account, [prepared(n) for n in range(25)], now=NOW + DAY)[0]) == 20


def test_all_ranges_that_are_held_up_are_let_go_at_once() -> None:
    shop = make_shop(country="PL")
    account = make_sms_account(shop, port=1)

    with scopes_disabled():
        for first in (0, 10_000):
            asked = [*(prepared(first + number) for number in range(20)), waits(first + 20)]
            assert len(set_aside(account, asked, now=NOW)[1]) == 1
        gone = ranges.release(shop.pk, None, day=day_of(account, NOW)[0], user_id=1, now=NOW)
        stakes, _ = set_aside(account, [prepared(30), prepared(10_030)], now=NOW)

    assert gone == ["+4850100", "+4850101"]
    assert set(stakes) == {30, 10_030}
    assert not AttentionItem.objects.filter(settled_at=None).exists()


def test_where_many_of_a_range_have_paid_before_twice_as_many_numbers_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ranges, "OF_STRANGERS", 2)
    shop = make_shop(country="PL")
    account = make_sms_account(shop, port=1)
    money: dict[str, Any] = {"payment_state": "paid", "captured": 10, "placed_at": NOW - 2 * DAY}

    def buyer(number: int, in_shop: Shop = shop, **values: Any) -> None:
        """Make somebody with a number and a paid order, unless told otherwise."""
        phone = f"+4850{FIRST + number}"
        contact = make_contact(in_shop, phone=phone)
        make_order(in_shop, contact=contact, **{**money, "buyer": {"phone": phone}, **values})

    for number in (100, 101):
        buyer(number)
    buyer(102, placed_at=NOW)  # an attack of today makes no room for itself
    buyer(103, payment_state="owed", captured=0)
    buyer(104, buyer={"phone": ""})
    buyer(10_100)
    buyer(105, make_shop())

    with scopes_disabled():
        stakes, _ = set_aside(account, [prepared(number) for number in range(10)], now=NOW)
        set_aside(account, [waits(11)], now=NOW)

    assert len(stakes) == 4
    assert AttentionItem.objects.get().details["numbers"] == 4


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
