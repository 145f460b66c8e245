"""Bulk adds: who comes in and who does not and why, in chunks that a killed worker does not do twice, at a pace."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django_scopes import scopes_disabled

from recoup.config.adapters import CHANNELS
from recoup.core.activity import Actor
from recoup.customers.actions import suppress
from recoup.customers.models import Suppression
from recoup.customers.queries import address_hash
from recoup.messaging import channels
from recoup.messaging.models import SmsAccount
from recoup.processes.bulk import adding
from recoup.processes.bulk.adding import (
    Wanted,
    change_add,
    do_chunk,
    preview_add,
    request_add,
    run_waiting,
)
from recoup.processes.bulk.models import BulkAdd, BulkSkip
from recoup.processes.bulk.pace import last_comes_in_at
from recoup.processes.entering import Arrival, let_in
from recoup.processes.models import Enrolment, Process
from recoup.segments.facts import Subject
from recoup.shops.models import Shop
from tests.factories.clock import set_clock
from tests.factories.moments import HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
STAFF = Actor("person", 1)
BIG = {"f": "order.total", "op": ">=", "v": 100}
NODES = {
    "n1": {"t": "wait", "for": "PT1H", "out": {"next": "n2"}},
    "n2": {"t": "send", "template": "order_reminder_1", "out": {"done": "n3"}},
    "n3": {"t": "end"},
}


class Killed(BaseException):
    """The worker was killed."""


def live() -> tuple[Shop, Process]:
    set_clock(NOW)
    shop = make_shop()
    process = make_process(shop, nodes=NODES, goals=[{"on": "order.paid"}])
    return shop, process


def wanted() -> Wanted:
    return Wanted(Subject.ORDER, BIG)


def work() -> int:
    done = 0
    while looked_at := run_waiting():
        done += looked_at
    return done


def test_each_comes_in_or_is_skipped_with_the_reason() -> None:
    with scopes_disabled():
        shop, process = live()
        good = make_order(shop)
        make_order(shop, total="5.00")
        paid = make_order(shop, paid_at=NOW)
        gone = make_order(shop, status="cancelled", cancelled_at=NOW)
        nobody = make_order(shop, contact=None)
        mute = make_order(shop, contact=make_contact(shop, email=""))
        quiet = make_order(shop)
        assert quiet.contact is not None
        Suppression(
            shop_id=shop.pk, address_hash=address_hash(shop.pk, "email", quiet.contact.email), scope="reminders",
            reason="unsubscribed", since=NOW,
        ).save()  # fmt: skip
        foreign = make_order(make_shop())

        looked = preview_add(process, wanted(), now=NOW)
        assert (looked.looked_at, looked.added) == (6, 1)
        assert not Enrolment.objects.exists()

        run = request_add(process, wanted(), per_hour=0, actor=STAFF, now=NOW)
        work()

        run.refresh_from_db()
        assert (run.state, run.whole, run.done, run.added) == ("done", 6, 6, 1)
        assert run.reasons == looked.reasons()
        assert dict(BulkSkip.objects.values_list("subject_id", "reason")) == {
            paid.pk: "paid", gone.pk: "closed", nobody.pk: "nobody", mute.pk: "no_address", quiet.pk: "suppressed",
        }  # fmt: skip
        one = Enrolment.objects.get()
        assert (one.subject_id, one.prio, one.subject_id == foreign.pk) == (good.pk, 2, False)


@pytest.mark.parametrize(
    ("ways", "reached"),
    [
        (["email"], {"both", "mail"}),
        (["sms"], {"both", "phone", "quiet mail"}),
        (["email", "sms"], {"both", "mail", "phone", "quiet mail"}),
        ([], {"both", "mail", "phone", "quiet mail", "quiet", "abroad", "fixed"}),
    ],
)
def test_whom_it_could_write_to_is_counted_over_the_channels_of_the_process(
    ways: list[str], reached: set[str]
) -> None:
    with scopes_disabled():
        set_clock(NOW)
        shop = make_shop()
        SmsAccount(shop=shop, secret="t", sender="Pottery", countries=["PL"]).save()
        channels.register(CHANNELS)
        mail, phone = {"email": "a@b.example"}, "+48501234567"
        people = {
            "both": make_contact(shop, email="both@b.example", phone=phone),
            "mail": make_contact(shop, **mail, phone=""),
            "phone": make_contact(shop, email="", phone="+48501234568"),
            "quiet mail": make_contact(shop, email="quiet@b.example", phone="+48501234569"),
            "quiet": make_contact(shop, email="", phone="+48501234570"),
            "abroad": make_contact(shop, email="", phone="+4915112345678"),
            "fixed": make_contact(shop, email="", phone="+48221234567"),
        }
        suppress(shop.pk, "quiet@b.example", scope="all", reason="bounced", now=NOW)
        suppress(shop.pk, "+48501234570", scope="all", reason="unsubscribed", now=NOW, channel="sms")
        orders = {name: make_order(shop, contact=one, buyer={}).pk for name, one in people.items()}

        done = preview_add(_process(shop, ways), Wanted(Subject.ORDER, keys=tuple(orders.values())), now=NOW)

        skipped = {row.key for row, _ in done.skipped}
        reasons = {reason for _, reason in done.skipped}
        assert {name for name, key in orders.items() if key not in skipped} == reached
        assert reasons <= {"no_address", "suppressed"}
        channels.register({})


def _process(shop: Shop, ways: list[str]) -> Process:
    if not ways:
        return make_process(shop, nodes={"n1": {"t": "end"}})
    first, *others = ways
    send = {
        "t": "send", "channel": first, "template": "order_reminder_1", "out": {"done": "n2"},
        "otherwise": [{"channel": one, "template": "other"} for one in others],
    }  # fmt: skip
    return make_process(shop, nodes={"n1": send, "n2": {"t": "end"}})


def test_an_order_is_written_to_where_it_was_placed_from() -> None:
    with scopes_disabled():
        shop, process = live()
        order = make_order(shop, contact=make_contact(shop, email=""), buyer={"email": "typed@b.example"})

        assert preview_add(process, Wanted(Subject.ORDER, keys=(order.pk,)), now=NOW).added == 1


def test_who_is_inside_is_told_and_comes_in_once() -> None:
    with scopes_disabled():
        shop, process = live()
        make_order(shop)
        request_add(process, wanted(), per_hour=0, actor=STAFF, now=NOW)
        work()

        again = request_add(process, wanted(), per_hour=0, actor=STAFF, now=NOW)
        work()

        again.refresh_from_db()
        assert (again.added, again.reasons) == (0, {"inside": 1})
        assert Enrolment.objects.count() == 1


def test_a_worker_killed_in_the_middle_adds_each_exactly_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with scopes_disabled():
        shop, process = live()
        orders = [make_order(shop).pk for _ in range(23)]
        run = request_add(process, wanted(), per_hour=0, actor=STAFF, now=NOW)
        monkeypatch.setattr(adding, "CHUNK", 5)
        save = BulkAdd.save
        turns = 0

        def killed_now_and_then(self: BulkAdd, **values: bool) -> None:
            nonlocal turns
            turns += 1
            if turns % 2:
                raise Killed  # everybody of the chunk is in, and nothing of it is committed
            save(self)

        monkeypatch.setattr(BulkAdd, "save", killed_now_and_then)
        for _ in range(20):
            row = BulkAdd.objects.select_related("process__shop").get(pk=run.pk)
            if row.state == "done":
                break
            try:
                with transaction.atomic():
                    do_chunk(row, NOW, limit=5)
            except Killed:
                continue

        row.refresh_from_db()
        assert turns > 5
        assert (row.state, row.done, row.added) == ("done", 23, 23)
        assert sorted(Enrolment.objects.values_list("subject_id", flat=True)) == orders
        assert not BulkSkip.objects.exists()


def turn(run: BulkAdd, now: datetime, *, limit: int = 200) -> BulkAdd:
    """Let the worker come by at an instant."""
    set_clock(now)
    row = BulkAdd.objects.select_related("process__shop").get(pk=run.pk)
    with transaction.atomic():
        do_chunk(row, now, limit=limit)
    return row


def test_only_as_many_come_in_as_the_pace_has_earned_and_the_others_can_be_kept_out() -> None:
    with scopes_disabled():
        shop, process = live()
        make_order(shop, paid_at=NOW)
        for _ in range(12):
            make_order(shop)
        run = request_add(process, wanted(), per_hour=60, actor=STAFF, now=NOW)
        minute = timedelta(minutes=1)

        first = turn(run, NOW)
        assert (first.done, first.added, first.next_at) == (2, 1, NOW + minute)
        assert last_comes_in_at(first) == NOW + 11 * minute
        assert work() == 0
        assert turn(run, NOW + 2.5 * minute).added == 3
        waited_long = turn(run, NOW + 10 * HOUR)  # nobody worked for hours: five minutes' worth, not hours'
        assert (waited_long.added, waited_long.next_at) == (9, NOW + 10 * HOUR + minute)
        assert set(Enrolment.objects.values_list("run_at", flat=True)) == {
            NOW, NOW + 2.5 * minute, NOW + 10 * HOUR,
        }  # fmt: skip
        assert change_add(run, "paused", actor=STAFF, now=NOW + 11 * HOUR)
        assert change_add(run, "running", actor=STAFF, now=NOW + 12 * HOUR)
        assert turn(run, NOW + 12 * HOUR).added == 10

        assert change_add(run, "cancelled", actor=STAFF, now=NOW + 13 * HOUR)
        assert Enrolment.objects.count() == 10


def test_a_pace_comes_to_its_end() -> None:
    with scopes_disabled():
        shop, process = live()
        for _ in range(3):
            make_order(shop)
        make_order(shop, paid_at=NOW)
        run = request_add(process, wanted(), per_hour=1000, actor=STAFF, now=NOW)
        make_order(shop)  # later than what was asked for: not meant
        for seconds in range(9):
            done = turn(run, NOW + timedelta(seconds=seconds))
            if done.state == "done":
                break

        assert (done.done, done.added, seconds) == (4, 3, 8)


def test_one_row_that_breaks_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with scopes_disabled():
        shop, process = live()
        orders = [make_order(shop).pk for _ in range(5)]
        break_at(monkeypatch, {orders[2]})
        run = request_add(process, wanted(), per_hour=0, actor=STAFF, now=NOW)
        work()

        run.refresh_from_db()
        assert (run.state, run.added, run.reasons) == ("done", 4, {"broken": 1})
        assert list(BulkSkip.objects.values_list("subject_id", flat=True)) == [orders[2]]
        assert sorted(Enrolment.objects.values_list("subject_id", flat=True)) == [*orders[:2], *orders[3:]]


def break_at(monkeypatch: pytest.MonkeyPatch, keys: set[int]) -> None:
    """Let the door break over some rows, as a fact that cannot be read would."""

    def breaking(arrivals: Sequence[Arrival]) -> list[int]:
        if any(one.subject_id in keys for one in arrivals):
            raise ArithmeticError
        return let_in(arrivals)

    monkeypatch.setattr(adding, "let_in", breaking)


def test_what_could_not_go_on_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    with scopes_disabled():
        shop, process = live()
        orders = {make_order(shop).pk for _ in range(adding.MOST_BROKEN + 2)}
        run = request_add(process, wanted(), per_hour=0, actor=STAFF, now=NOW)
        break_at(monkeypatch, orders)  # nobody can come in: it is not the rows, so nobody is skipped
        work()
        run.refresh_from_db()
        assert (run.state, run.trouble, run.done, BulkSkip.objects.count()) == (
            "failed", "TooManyBroken", 0, 0,
        )  # fmt: skip

        monkeypatch.setattr(adding, "let_in", let_in)
        assert change_add(run, "running", actor=STAFF, now=NOW)
        work()

        run.refresh_from_db()
        assert (run.state, run.trouble, run.added) == ("done", "", len(orders))


def test_a_paused_one_rests_and_a_cancelled_one_stays_where_it_is() -> None:
    with scopes_disabled():
        shop, process = live()
        for _ in range(3):
            make_order(shop)
        run = request_add(process, wanted(), per_hour=0, actor=STAFF, now=NOW)
        with transaction.atomic():
            do_chunk(BulkAdd.objects.select_related("process__shop").get(pk=run.pk), NOW, limit=1)

        assert change_add(run, "paused", actor=STAFF, now=NOW)
        assert run_waiting() == 0
        assert change_add(run, "running", actor=STAFF, now=NOW)
        assert change_add(run, "cancelled", actor=STAFF, now=NOW)
        assert not change_add(run, "running", actor=STAFF, now=NOW)
        assert run_waiting() == 0
        assert Enrolment.objects.count() == 1


def test_a_selection_takes_these_alone() -> None:
    with scopes_disabled():
        shop, process = live()
        orders = [make_order(shop).pk for _ in range(3)]
        foreign = make_order(make_shop()).pk
        request_add(
            process, Wanted(Subject.ORDER, None, (orders[0], foreign)), per_hour=0, actor=STAFF, now=NOW
        )
        work()

        assert list(Enrolment.objects.values_list("subject_id", flat=True)) == [orders[0]]
