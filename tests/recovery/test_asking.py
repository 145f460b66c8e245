"""Claims about asking a source before an order is called unpaid."""

from collections.abc import Iterator
from functools import partial

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from recoup.core.models import AttentionItem
from recoup.messaging.models import Message
from recoup.orders.models import Order, OrderFact
from recoup.recovery.asking import Asked, ask_before_reminders, ask_due_orders
from recoup.recovery.detection import Counts, open_due_cases
from recoup.shops.models import Source
from recoup.shops.ports import SourceUnavailable
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_shop, make_source

ASKABLE = {"woocommerce"}


class Answers:
    """A source that answers as told: "paid", "owed", "silent" or "broken"."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[int] = []

    def __call__(self, order: Order) -> bool:
        self.asked.append(order.pk)
        if self.answer == "silent":
            raise SourceUnavailable
        if self.answer == "broken":
            raise ZeroDivisionError
        if self.answer == "other method":
            Order.objects.filter(pk=order.pk).update(is_offline_method=True, check_at=NOW + DAY)
        if self.answer == "paid":
            Order.objects.filter(pk=order.pk).update(payment_state="paid", status="completed", check_at=None)
        return self.answer != "nothing"


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def source() -> Source:
    return make_source(make_shop(), kind="woocommerce")


def test_order_that_the_source_calls_owed_is_then_marked(source: Source) -> None:
    order = make_order(source.shop, source=source)
    asker = Answers("owed")

    assert ask_due_orders(asker, askable=ASKABLE, now=NOW) == Asked(asked=1, answered=1)
    assert ask_due_orders(asker, askable=ASKABLE, now=NOW) == Asked()
    assert open_due_cases(now=NOW, askable=ASKABLE) == Counts(looked=1, opened=1)
    order.refresh_from_db()
    assert (asker.asked, order.asked_at, order.status) == ([order.pk], NOW, "unpaid")


def test_order_that_the_source_calls_paid_is_never_marked(source: Source) -> None:
    order = make_order(source.shop, source=source)

    assert ask_due_orders(Answers("paid"), askable=ASKABLE, now=NOW) == Asked(asked=1, answered=1)
    assert open_due_cases(now=NOW, askable=ASKABLE) == Counts()
    order.refresh_from_db()
    assert (order.status, order.check_at) == ("completed", None)


def test_order_that_is_paid_by_another_method_now_waits_for_the_time_of_that(source: Source) -> None:
    order = make_order(source.shop, source=source)
    asker = Answers("other method")

    ask_due_orders(asker, askable=ASKABLE, now=NOW)

    assert open_due_cases(now=NOW, askable=ASKABLE) == Counts()
    assert ask_due_orders(asker, askable=ASKABLE, now=NOW + DAY) == Asked(asked=1, answered=1)
    order.refresh_from_db()
    assert (order.status, order.asked_at) == ("new", NOW + DAY)


def test_answer_that_cannot_be_applied_silences_no_other_order_and_is_no_silence(source: Source) -> None:
    odd, fault, order = (make_order(source.shop, source=source, ask_failures=2) for _ in range(3))
    answers = {odd.pk: Answers("nothing"), order.pk: Answers("owed")}

    asked = ask_due_orders(lambda one: answers[one.pk](one), askable=ASKABLE, now=NOW)

    assert asked == Asked(asked=3, answered=1)
    kept = dict(Order.objects.values_list("pk", "ask_failures"))
    assert kept == {odd.pk: 3, fault.pk: 3, order.pk: 0}
    assert open_due_cases(now=NOW, askable=ASKABLE) == Counts(looked=1, opened=1)
    assert not AttentionItem.objects.filter(settled_at=None).exists()


@pytest.mark.parametrize("answer", ["silent", "broken"])
def test_silent_source_is_asked_again_and_nothing_is_marked_blind(source: Source, answer: str) -> None:
    order = make_order(source.shop, source=source)
    asker, now, seen = Answers(answer), NOW, []

    for wait in (5 * MINUTE, 5 * MINUTE, HOUR, HOUR):
        ask_due_orders(asker, askable=ASKABLE, now=now)
        ask_due_orders(asker, askable=ASKABLE, now=now + wait - MINUTE)
        assert open_due_cases(now=now + wait, askable=ASKABLE) == Counts()
        now += wait
        seen.append(AttentionItem.objects.count())

    order.refresh_from_db()
    assert (order.status, order.ask_failures, len(asker.asked)) == ("new", 4, 4)
    assert seen == [0, 0, 1, 1]
    assert AttentionItem.objects.values_list("kind", "key", "shop_id").get() == (
        "recovery.source_silent",
        str(source.pk),
        source.shop_id,
    )


def test_answer_after_silence_settles_what_was_shown(source: Source) -> None:
    order = make_order(source.shop, source=source, ask_failures=2)
    ask_due_orders(Answers("silent"), askable=ASKABLE, now=NOW)

    ask_due_orders(Answers("owed"), askable=ASKABLE, now=NOW + HOUR)

    order.refresh_from_db()
    assert order.ask_failures == 0
    assert AttentionItem.objects.values_list("settled_at", flat=True).get() == NOW + HOUR
    assert open_due_cases(now=NOW + HOUR, askable=ASKABLE) == Counts(looked=1, opened=1)


def test_order_that_lay_unseen_for_weeks_is_too_old_though_its_source_was_asked_at_last(
    source: Source,
) -> None:
    silent = make_order(source.shop, source=source, placed_at=NOW - 22 * DAY)
    for days in (21, 1):
        ask_due_orders(Answers("silent"), askable=ASKABLE, now=NOW - days * DAY)
    unseen = make_order(source.shop, source=source, placed_at=NOW - 22 * DAY)
    slow = make_order(source.shop, source=source, placed_at=NOW - 22 * DAY, check_at=NOW - MINUTE)

    ask_due_orders(Answers("owed"), askable=ASKABLE, now=NOW)

    assert open_due_cases(now=NOW, askable=ASKABLE) == Counts(looked=3, opened=1, passed_over=2)
    passed = OrderFact.objects.filter(kind="passed_over").order_by("order_id")
    assert [(fact.order_id, fact.details) for fact in passed] == [
        (order.pk, {"reason": "too_old"}) for order in (silent, unseen)
    ]
    slow.refresh_from_db()
    assert slow.unpaid_at == NOW


def test_order_that_is_to_be_paid_later_than_its_silent_source_is_asked_is_not_too_old(
    source: Source,
) -> None:
    order = make_order(source.shop, source=source, placed_at=NOW - 22 * DAY)
    ask_due_orders(Answers("silent"), askable=ASKABLE, now=NOW - 20 * DAY)
    Order.objects.filter(pk=order.pk).update(
        is_offline_method=True, check_at=NOW
    )  # as news of another method leaves it

    ask_due_orders(Answers("owed"), askable=ASKABLE, now=NOW)

    assert open_due_cases(now=NOW, askable=ASKABLE) == Counts(looked=1, opened=1)


def test_source_that_does_not_answer_is_called_once_a_round(source: Source) -> None:
    other = make_source(source.shop, kind="woocommerce")
    orders = [make_order(source.shop, source=one) for one in (source, source, other)]
    asker = Answers("silent")

    assert ask_due_orders(asker, askable=ASKABLE, now=NOW) == Asked(asked=3, answered=0)
    assert asker.asked == [orders[0].pk, orders[2].pk]
    assert list(Order.objects.values_list("ask_failures", flat=True)) == [1, 1, 1]


def test_asking_beats_before_each_order_for_a_slow_shop_holds_every_one_up(source: Source) -> None:
    for _ in range(2):
        make_order(source.shop, source=source)
        held_reminder(source)
    asker, asked_at_beats = Answers("owed"), []

    for ask in (partial(ask_due_orders, askable=ASKABLE), ask_before_reminders):
        ask(asker, now=NOW, beat=lambda: asked_at_beats.append(len(asker.asked)))

    assert asked_at_beats == [0, 1, 2, 3]


def test_source_that_cannot_be_asked_is_not(source: Source) -> None:
    make_order(source.shop, source=make_source(source.shop, kind="generic"))

    assert ask_due_orders(Answers("owed"), askable=ASKABLE, now=NOW) == Asked()


@pytest.mark.django_db(transaction=True)
def test_call_is_made_outside_any_transaction(source: Source) -> None:
    make_order(source.shop, source=source)
    inside: list[bool] = []

    def asker(order: Order) -> bool:
        inside.append(connection.in_atomic_block)
        return True

    ask_due_orders(asker, askable=ASKABLE, now=NOW)

    assert inside == [False]


def held_reminder(source: Source, **values: object) -> Message:
    """Make a first reminder as the last look leaves it: its order was not heard of for an hour."""
    order = make_order(source.shop, source=source, check_at=None, status="unpaid")
    return make_message(order, reason="source_silent", due_at=NOW + 15 * MINUTE, **values)


def due_of(message: Message) -> object:
    message.refresh_from_db()
    return message.due_at


def test_shop_is_asked_before_a_first_reminder_which_goes_on_at_its_answer(source: Source) -> None:
    message, other = held_reminder(source), make_message(make_order(source.shop, source=source), due_at=NOW)
    asker = Answers("owed")

    assert ask_before_reminders(asker, now=NOW) == Asked(asked=1, answered=1)
    assert ask_before_reminders(asker, now=NOW) == Asked()

    order = Order.objects.get(pk=message.order_id or 0)
    assert (asker.asked, order.asked_at, order.reminder_ask_at, order.check_at) == (
        [order.pk],
        NOW,
        None,
        None,
    )
    assert (due_of(message), due_of(other)) == (NOW, NOW)


def test_shop_that_stays_silent_holds_its_first_reminders_and_a_person_hears_of_it(source: Source) -> None:
    message, by_hand = held_reminder(source), held_reminder(source, enrolment_id=None, manual_key="k")
    asker, now, seen = Answers("silent"), NOW, []

    for wait in (5 * MINUTE, 5 * MINUTE, HOUR, HOUR):
        ask_before_reminders(asker, now=now)
        ask_before_reminders(asker, now=now + wait - MINUTE)
        now += wait
        seen.append(AttentionItem.objects.count())

    assert (len(asker.asked), seen) == (4, [0, 0, 1, 1])
    assert due_of(message) == NOW + 15 * MINUTE
    assert due_of(by_hand) == NOW  # what a person sends waits for one answer


def test_reminder_goes_on_when_its_order_was_heard_of_in_another_way(source: Source) -> None:
    message = held_reminder(source)
    Order.objects.filter(pk=message.order_id or 0).update(version_learnt_at=NOW - MINUTE)

    assert ask_before_reminders(Answers("silent"), now=NOW) == Asked()

    assert due_of(message) == NOW
