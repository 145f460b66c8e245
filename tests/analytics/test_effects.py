"""Claims about what a process brought: who is counted, when, in which group, and that numbers open their rows."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recoup.analytics.effect_rows import Who, count_people, list_people
from recoup.analytics.effects import Effect, Scope, effect_of, window_of
from recoup.analytics.intervals import Group
from recoup.core.activity import SYSTEM
from recoup.orders.models import Order
from recoup.processes.engine.codes import Flag
from recoup.processes.holdout import set_share, stretches_of, stretches_of_shop
from recoup.processes.models import Enrolment, Process
from recoup.shops.models import Shop
from tests.analytics.left_alone import LONG_AGO, Buyer, buyers, come_in
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process
from tests.factories.shops import make_shop


@pytest.fixture
def process(shop: Shop) -> Process:
    return make_process(shop, holdout_bp=1000)


def scope_of(process: Process, **values: Any) -> Scope:
    return Scope(process.shop, process, stretches_of(process)[0], window_of(process), **values)


def effect(process: Process, **values: Any) -> Effect:
    return effect_of(scope_of(process, **values), now=NOW)


def groups(found: Effect) -> tuple[tuple[int, int], tuple[int, int]]:
    return (found.treated.people, found.treated.paid), (found.control.people, found.control.paid)


def test_both_groups_stand_side_by_side_with_the_interval_of_the_difference(process: Process) -> None:
    come_in(process, buyers(900, 189) + buyers(100, 15, is_alone=True))

    found = effect(process)

    assert groups(found) == ((900, 189), (100, 15))
    assert found.interval is not None
    assert found.interval.estimate == pytest.approx(0.06)
    assert found.interval.low < 0 < found.interval.high  # a hundred people left alone do not tell yet
    assert found.more_paid is not None
    assert found.more_paid.estimate == pytest.approx(54)
    assert found.missing == 0


def test_without_a_hold_out_nothing_is_known(shop: Shop) -> None:
    process = make_process(shop, holdout_bp=0)
    come_in(process, buyers(50, 10))

    found = effect(process)

    assert (found.interval, found.has_control, found.missing, found.more_paid) == (None, False, 0, None)
    assert groups(found) == ((50, 10), (0, 0))
    assert [one.interval for one in found.money] == [None]


def test_with_too_few_people_it_says_how_many_more_it_takes(process: Process) -> None:
    come_in(process, buyers(90, 20) + buyers(10, 1, is_alone=True))

    found = effect(process)

    assert (found.interval, found.missing) == (None, 400)


def test_everybody_counts_once_by_the_first_entry_whatever_came_later(process: Process) -> None:
    come_in(process, [Buyer(), Buyer(is_alone=True)])
    first, alone = Enrolment.objects.order_by("id")
    for earlier in (first, alone):
        again = Enrolment.objects.get(pk=earlier.pk)
        order = make_order(process.shop, contact=make_contact(process.shop), paid_at=LONG_AGO + DAY)
        again.pk, again.entry_key, again.subject_id = None, order.pk + 10_000_000, order.pk
        again.entered_at = LONG_AGO + HOUR
        again.save(force_insert=True)

    assert groups(effect(process)) == ((1, 0), (1, 0))


def test_test_mode_and_those_left_alone_by_the_whole_shop_are_in_no_comparison_of_a_process(
    process: Process,
) -> None:
    both = int(Flag.HOLDOUT | Flag.SHOP_HOLDOUT)
    come_in(process, [Buyer(), Buyer(is_alone=True), Buyer(flags=int(Flag.TEST)), Buyer(flags=both)])

    assert groups(effect(process)) == ((1, 0), (1, 0))


def test_the_whole_shop_compares_those_that_nothing_wrote_to_with_all_others(process: Process) -> None:
    other = make_process(process.shop)
    both = int(Flag.HOLDOUT | Flag.SHOP_HOLDOUT)
    come_in(
        process, [*buyers(3, 2), *buyers(2, 1, flags=both), Buyer(is_alone=True), Buyer(flags=int(Flag.TEST))]
    )
    come_in(other, buyers(4, 1))
    scope = Scope(process.shop, None, stretches_of_shop(process.shop)[0], 14 * DAY)

    assert groups(effect_of(scope, now=NOW)) == ((8, 3), (2, 1))


def test_only_whose_window_is_over_is_judged_and_a_payment_after_it_is_none(process: Process) -> None:
    come_in(
        process,
        [
            Buyer(pays_after=14 * DAY - HOUR),
            Buyer(pays_after=14 * DAY),
            Buyer(pays_after=DAY, entered_at=NOW - 14 * DAY),
            Buyer(pays_after=DAY, entered_at=NOW - 14 * DAY + HOUR),
            Buyer(is_alone=True, entered_at=NOW - DAY),
        ],
    )

    found = effect(process)

    assert (groups(found), found.young) == (((3, 2), (0, 0)), (1, 1))


def test_the_window_is_as_long_as_the_process(shop: Shop) -> None:
    long = make_process(
        shop,
        nodes={
            "n1": {"t": "wait", "for": "P30D", "out": {"next": "n2"}},
            "n2": {"t": "send", "template": "first", "out": {"done": "n3"}},
            "n3": {
                "t": "until",
                "on": {"e": "order.paid"},
                "within": "PT36H",
                "out": {"yes": "n4", "no": "n4"},
            },
            "n4": {"t": "end"},
        },
    )

    assert (window_of(long), window_of(make_process(shop))) == (35 * DAY, 14 * DAY)


def test_who_had_paid_before_coming_in_is_counted_apart(process: Process) -> None:
    come_in(process, [Buyer(pays_after=-HOUR), Buyer(pays_after=HOUR)])

    found = effect(process)

    assert (groups(found), found.paid_before) == (((1, 1), (0, 0)), 1)


def test_a_newer_order_in_its_place_counts_as_paid(process: Process) -> None:
    come_in(process, [Buyer(), Buyer(is_alone=True)])
    newer = make_order(process.shop, total="70.00", paid_at=LONG_AGO + DAY, currency="PLN")
    Order.objects.filter(pk=Enrolment.objects.order_by("id")[0].subject_id).update(superseded_by=newer)
    Order.objects.filter(pk=Enrolment.objects.order_by("id")[1].subject_id).update(duplicate_of=newer)

    found = effect(process)

    assert groups(found) == ((1, 1), (1, 1))
    assert [one.treated.total for one in found.money] == [70.0]


def test_a_cart_is_paid_by_what_its_person_ordered_since(shop: Shop) -> None:
    process = make_process(shop, entry={"on": "cart.abandoned"}, holdout_bp=1000)
    come_in(process, [Buyer(), Buyer(), Buyer(is_alone=True)])
    by_ref, by_person, alone = Enrolment.objects.order_by("id")
    for one, ref in ((by_ref, "told-later"), (by_person, ""), (alone, "")):
        cart = make_cart(shop, state="abandoned", order_ref=ref)
        Enrolment.objects.filter(pk=one.pk).update(subject_kind=2, subject_id=cart.pk)
        Order.objects.filter(contact_id=one.contact_id).delete()
    paid: dict[str, Any] = {"paid_at": LONG_AGO + 2 * DAY, "placed_at": LONG_AGO + DAY, "total": "55.00"}
    make_order(shop, ref="told-later", **paid)  # by a guest, another contact
    make_order(shop, contact_id=by_person.contact_id, contact=make_contact(shop), **paid)
    Order.objects.filter(total=55).exclude(ref="told-later").update(contact_id=by_person.contact_id)
    Order.objects.filter(ref="told-later").update(source_id=make_cart(shop).source_id)

    found = effect(process)

    assert groups(found) == ((2, 2), (1, 0))
    assert count_people(scope_of(process), Who.TREATED_PAID, now=NOW).number == 2


def test_money_is_of_each_currency_and_what_was_given_back_is_none(process: Process) -> None:
    come_in(
        process, [Buyer(pays_after=DAY, total=Decimal(50)), Buyer(pays_after=DAY, currency="EUR"), Buyer()]
    )
    Order.objects.filter(total=50).update(refunded=Decimal(20))

    found = effect(process)

    money = {one.currency: (one.treated.people, one.treated.total, one.payers) for one in found.money}
    assert money == {"EUR": (1, 100.0, (1, 0)), "PLN": (2, 30.0, (1, 0))}


def test_each_stretch_has_its_own_people(process: Process) -> None:
    come_in(process, buyers(3, 1))
    set_share(process, 2000, actor=SYSTEM, now=NOW - 30 * DAY)
    process.refresh_from_db()
    come_in(process, buyers(2, 2, is_alone=True))

    present, first = stretches_of(process)

    assert (present.share_bp, first.share_bp) == (2000, 1000)
    found = [
        effect_of(Scope(process.shop, process, stretch, 14 * DAY), now=NOW) for stretch in (first, present)
    ]
    assert [groups(one) for one in found] == [((3, 1), (0, 0)), ((0, 0), (2, 2))]


def test_a_period_cuts_by_when_people_came_in(process: Process) -> None:
    come_in(process, [Buyer(entered_at=LONG_AGO + number * DAY) for number in range(4)])

    found = effect(process, start=LONG_AGO + DAY, end=LONG_AGO + 3 * DAY)

    assert found.treated == Group(2, 0)


def test_it_stood_every_day_as_whoever_looked_then_would_have_seen(process: Process) -> None:
    for day in range(12):
        come_in(
            process,
            buyers(90, 20, entered_at=LONG_AGO + day * DAY)
            + buyers(10, 1, is_alone=True, entered_at=LONG_AGO + day * DAY),
        )

    found = effect(process)

    assert [look.interval is None for look in found.looks] == [True] * 4 + [False] * 8
    assert found.looks[-1].interval == found.interval
    assert (found.looks[0].day, found.looks[0].treated) == ((LONG_AGO + 14 * DAY).date(), Group(90, 20))


def test_a_clerks_message_to_people_left_alone_is_counted_and_they_stay_in_their_group(
    process: Process,
) -> None:
    come_in(process, [*buyers(2, 0, is_alone=True), Buyer()])
    for number, enrolment in enumerate(Enrolment.objects.order_by("id")):
        order = Order.objects.get(pk=enrolment.subject_id)
        for is_asked_for, state, handed_at in (
            (False, "sent", LONG_AGO + DAY), (True, "sent", LONG_AGO + DAY), (False, "failed", None),
        ) if number != 1 else ((False, "sent", LONG_AGO + 20 * DAY), (True, "sent", LONG_AGO + DAY)):  # fmt: skip
            make_message(
                order, enrolment_id=None, step_no=None, state=state, is_asked_for=is_asked_for,
                manual_key=f"{enrolment.pk}-{is_asked_for}-{state}", handed_at=handed_at,
            )  # fmt: skip

    found = effect(process)

    assert (groups(found), found.written_by_hand) == (((1, 0), (2, 0)), 1)
    assert count_people(scope_of(process), Who.BY_HAND, now=NOW).number == 1


def test_each_number_opens_as_many_rows(process: Process) -> None:
    come_in(process, buyers(30, 7) + buyers(10, 2, is_alone=True) + buyers(4, 1, entered_at=NOW - DAY))
    come_in(process, [*buyers(3, 0, is_alone=True, entered_at=NOW - DAY), Buyer(pays_after=-DAY)])
    come_in(make_process(make_shop()), buyers(5, 2))
    found, scope = effect(process), scope_of(process)

    counted = {who: count_people(scope, who, now=NOW).number for who in Who}

    assert counted == {
        Who.TREATED: 30, Who.TREATED_PAID: 7, Who.ALONE: 10, Who.ALONE_PAID: 2, Who.TREATED_YOUNG: 4,
        Who.ALONE_YOUNG: 3, Who.PAID_BEFORE: 1, Who.BY_HAND: 0,
    }  # fmt: skip
    assert (groups(found), found.young, found.paid_before) == (((30, 7), (10, 2)), (4, 3), 1)
    page = list_people(scope, Who.TREATED_PAID, now=NOW, size=5)
    rest = list_people(scope, Who.TREATED_PAID, now=NOW, size=5, cursor=page.older)
    shown = [*page.rows, *rest.rows]
    assert [len(page.rows), len(rest.rows), rest.older] == [5, 2, ""]
    assert {(one.paid_at, one.is_alone) for one in shown} == {(LONG_AGO + DAY, False)}
    assert [one.paid_at for one in list_people(scope, Who.ALONE, now=NOW, size=20).rows].count(None) == 8


def test_another_shop_sees_nothing_of_it(process: Process) -> None:
    come_in(process, buyers(3, 1))
    other = make_process(make_shop(), holdout_bp=1000)

    assert groups(effect(other)) == ((0, 0), (0, 0))
    stolen = Scope(other.shop, process, stretches_of(process)[0], timedelta(days=14))
    assert groups(effect_of(stolen, now=NOW)) == ((0, 0), (0, 0))
    assert count_people(stolen, Who.TREATED, now=NOW).number == 0


def test_each_persons_earlier_times_are_looked_up_and_not_compared_with_everybodys(process: Process) -> None:
    come_in(process, buyers(500, 50))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE processes_enrolment, orders_order")
        with CaptureQueriesContext(connection) as asked:
            assert count_people(scope_of(process), Who.TREATED, now=NOW).number == 500
        (counted,) = [one["sql"] for one in asked if "earlier" in one["sql"]]
        cursor.execute(f"EXPLAIN {counted}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "processes_enrolment earlier" in plan
    assert "Anti Join" not in plan
