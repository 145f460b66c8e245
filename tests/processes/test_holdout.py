"""Claims about the people who are left alone: who they are, since when, and that they stay who they are."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, transaction
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM, Actor
from recoup.core.locks import set_lock_timeout
from recoup.core.models import Activity
from recoup.customers.merging import merge_contacts
from recoup.messaging.actions import MessageOrder, send_by_hand
from recoup.processes import actions, drafts
from recoup.processes.engine.bucket import is_held_out, is_held_out_of_shop
from recoup.processes.engine.codes import Flag
from recoup.processes.entering import enrol_cases
from recoup.processes.holdout import (
    ShareRefused,
    Stretch,
    set_share,
    set_shop_share,
    shop_share,
    stretches_of,
    stretches_of_shop,
)
from recoup.processes.models import Enrolment, HoldoutShare, Process
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop
from tests.factories.templates import make_template
from tests.support.together import together

pytestmark = pytest.mark.django_db
CLERK = Actor("user", 7)


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def case_of(shop: Shop, **values: Any) -> RecoveryCase:
    return make_case(make_order(shop, status="unpaid", **values))


def enter(shop: Shop, people: int) -> list[Enrolment]:
    """Let so many new people in, and return their enrolments in all processes."""
    last = Enrolment.objects.order_by("-id").values_list("id", flat=True).first() or 0
    enrol_cases([opened(case_of(shop)) for _ in range(people)])
    return list(Enrolment.objects.filter(id__gt=last).order_by("id"))


def test_new_processes_leave_a_tenth_alone_and_running_ones_keep_what_they_have(shop: Shop) -> None:
    running = make_process(shop)
    drawn = drafts.create_process(shop, name="New", actor=SYSTEM, now=NOW)
    shipped = actions.install_shipped(shop, now=NOW)

    assert [one.holdout_bp for one in (running, drawn, *shipped)] == [0, 1000, *[1000] * len(shipped)]


def test_a_changed_share_holds_for_new_entries_alone_and_is_dated(shop: Shop) -> None:
    process = make_process(shop, holdout_bp=0)
    before = enter(shop, 20)

    assert set_share(process, 5000, actor=CLERK, now=NOW + HOUR)
    after = enter(shop, 40)
    assert set_share(process, 2000, actor=CLERK, now=NOW + DAY)

    assert [one.flags for one in Enrolment.objects.filter(id__in=[e.pk for e in before])] == [0] * 20
    assert {one.flags & 1 for one in after} == {0, 1}
    assert stretches_of(process) == [
        Stretch(2000, after[-1].pk, None, NOW + DAY, None),
        Stretch(5000, before[-1].pk, after[-1].pk, NOW + HOUR, NOW + DAY),
        Stretch(0, 0, before[-1].pk, None, NOW + HOUR),
    ]
    lines = Activity.objects.filter(verb="processes.holdout.changed").order_by("id")
    assert [(one.subject_id, one.actor_id, one.details) for one in lines] == [
        (process.pk, 7, {"was": 0, "to": 5000}),
        (process.pk, 7, {"was": 5000, "to": 2000}),
    ]


def test_the_same_share_again_changes_nothing_and_a_wrong_one_is_refused(shop: Shop) -> None:
    process = make_process(shop, holdout_bp=1000)

    assert not set_share(process, 1000, actor=SYSTEM, now=NOW)
    assert not set_shop_share(shop, 0, actor=SYSTEM, now=NOW)
    for wrong in (-1, 5001):
        with pytest.raises(ShareRefused):
            set_share(process, wrong, actor=SYSTEM, now=NOW)
        with pytest.raises(ShareRefused):
            set_shop_share(shop, wrong, actor=SYSTEM, now=NOW)

    assert HoldoutShare.objects.count() == 0
    assert stretches_of(process) == [Stretch(1000, after=0)]


def test_the_shop_wide_share_leaves_the_same_people_alone_in_every_process(shop: Shop) -> None:
    first, second = make_process(shop, salt=1), make_process(shop, salt=2, holdout_bp=5000)
    set_shop_share(shop, 2500, actor=SYSTEM, now=NOW)

    entered = enter(shop, 60)

    both = int(Flag.HOLDOUT | Flag.SHOP_HOLDOUT)
    alone = {e.contact_id for e in entered if e.flags == both}
    assert alone == {e.contact_id for e in entered if is_held_out_of_shop(shop.pk, e.contact_id, 2500)}
    for process in (first, second):
        flags = {e.contact_id: e.flags for e in entered if e.process_id == process.pk}
        assert {person for person, value in flags.items() if value == both} == alone
        assert {person for person, value in flags.items() if value == Flag.HOLDOUT} == {
            person
            for person in flags
            if person not in alone and is_held_out(process.salt, person, process.holdout_bp)
        }
    assert shop_share(shop) == 2500
    assert stretches_of_shop(shop)[0].share_bp == 2500


def test_the_draws_of_shop_and_processes_know_nothing_of_each_other() -> None:
    people = range(1, 20_001)
    share = 2000
    of_shop = {person for person in people if is_held_out_of_shop(3, person, share)}
    of_one = {person for person in people if is_held_out(11, person, share)}
    of_other = {person for person in people if is_held_out(12, person, share)}

    for one, other in ((of_shop, of_one), (of_one, of_other), (of_shop, of_other)):
        assert 700 < len(one & other) < 900  # 4 % of 20,000 if they are independent


def test_another_shop_draws_for_itself(shop: Shop) -> None:
    other = make_shop()
    make_process(shop)
    make_process(other)
    set_shop_share(shop, 5000, actor=SYSTEM, now=NOW)

    assert {e.flags for e in enter(other, 20)} == {0}


def test_test_mode_draws_nobody(shop: Shop) -> None:
    make_process(shop, holdout_bp=5000, status="test")
    set_shop_share(shop, 5000, actor=SYSTEM, now=NOW)

    assert {e.flags for e in enter(shop, 20)} == {int(Flag.TEST)}


@pytest.mark.parametrize("is_shop_wide", [False, True])
def test_who_was_left_alone_stays_so_when_two_contacts_become_one(shop: Shop, is_shop_wide: bool) -> None:
    process = make_process(shop, holdout_bp=0 if is_shop_wide else 5000)
    if is_shop_wide:
        set_shop_share(shop, 5000, actor=SYSTEM, now=NOW)
    people = [make_contact(shop) for _ in range(30)]
    cases = [case_of(shop, contact=person) for person in people]
    enrol_cases([opened(case) for case in cases])
    groups = dict(Enrolment.objects.values_list("contact_id", "flags"))
    mask = int(Flag.HOLDOUT | Flag.SHOP_HOLDOUT)
    gone = next(one for one in people if groups[one.pk] & mask)

    def draws_otherwise(contact_id: int) -> bool:
        if is_shop_wide:
            return not is_held_out_of_shop(shop.pk, contact_id, 5000)
        return not is_held_out(process.salt, contact_id, 5000)

    kept = next(one for one in (make_contact(shop) for _ in range(30)) if draws_otherwise(one.pk))
    merge_contacts(kept, gone, actor=SYSTEM, now=NOW)

    enrol_cases([opened(case_of(shop, contact=kept))])

    later = Enrolment.objects.filter(contact_id=kept.pk).order_by("id")
    assert [one.flags & mask for one in later] == [groups[gone.pk] & mask] * 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_shop_wide", [False, True])
def test_a_change_waits_for_those_who_are_coming_in(database_url: str, is_shop_wide: bool) -> None:
    shop = make_shop()
    process = make_process(shop)
    change = (
        partial(set_shop_share, shop, 500, actor=SYSTEM, now=NOW)
        if is_shop_wide
        else partial(set_share, process, 500, actor=SYSTEM, now=NOW)
    )
    with psycopg.connect(database_url) as coming:
        coming.execute("SELECT FROM processes_process WHERE id = %s FOR SHARE", [process.pk])
        with transaction.atomic():
            set_lock_timeout(100)
            with pytest.raises(OperationalError, match="lock timeout"):
                change()
            transaction.set_rollback(True)

    assert Process.objects.get(pk=process.pk).holdout_bp == 0


@pytest.mark.django_db(transaction=True)
def test_two_who_change_the_share_at_once_leave_one_line_each_way() -> None:
    shop = make_shop()
    process = make_process(shop)
    change = partial(set_share, process, 1500, actor=SYSTEM, now=NOW)
    change_shop = partial(set_shop_share, shop, 1500, actor=SYSTEM, now=NOW)

    together([change] * 4 + [change_shop] * 4)

    kept = HoldoutShare.objects.order_by("process").values_list("process", "was_bp", "share_bp")
    assert list(kept) == [(process.pk, 0, 1500), (None, 0, 1500)]


@pytest.mark.parametrize("asked_for", [True, False])
def test_what_a_buyer_asks_for_and_what_a_clerk_sends_reaches_who_is_left_alone(
    shop: Shop, asked_for: bool
) -> None:
    set_clock(NOW)
    make_template(shop, key="order_reminder_1")
    make_process(shop, holdout_bp=0)
    set_shop_share(shop, 5000, actor=SYSTEM, now=NOW)
    alone = next(one for one in enter(shop, 40) if one.flags & Flag.HOLDOUT)

    message = send_by_hand(
        MessageOrder(
            shop_id=shop.pk, contact_id=alone.contact_id, template_key="order_reminder_1", locale="", due_at=NOW,
            not_after=NOW + DAY, order_id=alone.subject_id, manual_key="once", is_asked_for=asked_for,
        ),
        actor=CLERK,
        now=NOW,
    )  # fmt: skip

    assert (message.state, message.contact_id) == ("due", alone.contact_id)
