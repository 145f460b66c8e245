"""What would go out in the next hours, from those who are inside; nothing is written (engine 14)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM
from recoup.messaging.models import Message
from recoup.processes.drafts import draft_of, publish_draft, save_draft
from recoup.processes.entering import enrol_cases
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, LookAhead, Process, StepLog
from recoup.processes.moving import ahead, moves
from recoup.processes.moving.ahead import Ahead, changed_by, look_ahead, request_look, run_waiting
from recoup.processes.moving.plan import Plan
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop
from tests.factories.templates import make_template

pytestmark = pytest.mark.django_db
LATE = NOW + timedelta(hours=23, minutes=30)  # half an hour before the first reminder


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    shop = make_shop()
    make_template(shop, key="first")
    return shop


def enrol(shop: Shop, count: int = 1) -> list[int]:
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW))) for _ in range(count)])
    Engine().run_once()
    return sorted(Enrolment.objects.order_by("-id").values_list("id", flat=True)[:count])


def draft(process: Process, **n1: Any) -> dict[str, Any]:
    assert process.current_version is not None
    doc: dict[str, Any] = process.current_version.doc
    return doc | {"nodes": doc["nodes"] | {"n1": doc["nodes"]["n1"] | n1}}


def look(process: Process, doc: dict[str, Any] | None = None, plan: Plan | None = None) -> Ahead:
    return look_ahead(process, changed_by(process, doc, plan or Plan()), LATE)


def test_the_next_hour_and_the_next_day_are_told_apart(shop: Shop) -> None:
    process = make_process(shop)
    _, later = enrol(shop, 2)
    Enrolment.objects.filter(pk=later).update(due_at=LATE + 5 * HOUR, run_at=LATE + 5 * HOUR)

    found = look(process)

    assert (found.people, dict(found.hour), dict(found.day)) == (2, {"first": 1}, {"first": 2})
    assert (found.unmoved_hour, found.unmoved_day, found.moved) == (1, 2, 0)


def test_moving_with_instants_worked_out_again_shows_what_it_changes(shop: Shop) -> None:
    process = make_process(shop)
    enrol(shop, 3)

    found = look(process, draft(process, **{"for": "PT20H"}), Plan({"n1": "same"}, recomputes=True))
    later = look(process, draft(process, **{"for": "P9D"}), Plan({"n1": "same"}, recomputes=True))
    gone = look(process, draft(process), Plan({"n1": "exit"}))

    assert (found.moved, dict(found.hour), found.unmoved_hour) == (3, {"first": 3}, 3)
    assert (later.moved, dict(later.day), later.unmoved_day) == (3, {}, 3)
    assert (gone.moved, gone.ended, dict(gone.day), gone.unmoved_day) == (0, 3, {}, 3)


def test_who_is_left_alone_is_in_test_mode_or_has_no_address_gets_nothing(shop: Shop) -> None:
    process = make_process(shop)
    alone, trying, unknown, _ = enrol(shop, 4)
    Enrolment.objects.filter(pk=alone).update(flags=1)
    Enrolment.objects.filter(pk=trying).update(flags=2)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_contact SET email = '' WHERE id = (SELECT contact_id FROM processes_enrolment WHERE id = %s)",
            [unknown],
        )

    found = look(process)

    assert (found.people, dict(found.day), found.held_out, found.left_out) == (3, {"first": 1}, 1, 1)


def test_a_message_under_way_goes_out_unless_its_block_is_left(shop: Shop) -> None:
    process = make_process(shop)
    enrol(shop)
    set_clock(NOW + DAY)
    Engine().run_once()
    assert Message.objects.count() == 1

    staying, leaving = look(process), look(process, draft(process), Plan({"n2": "to:n3"}))

    assert (dict(staying.hour), dict(leaving.hour)) == ({"first": 1}, {})


def test_who_was_set_aside_is_looked_at_as_if_the_process_went_on(shop: Shop) -> None:
    process = make_process(shop)
    enrol(shop)
    Enrolment.objects.update(state=3, run_at=None)

    assert dict(look(process).hour) == {"first": 1}


def test_limits_of_the_shop_hold_and_count_what_somebody_has_got_before(shop: Shop) -> None:
    process = make_process(shop)
    [one] = enrol(shop)
    contact_id = Enrolment.objects.get(pk=one).contact_id
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_contactgate (contact_id, shop_id, recent, changes) VALUES (%s, %s, %s, 0)"
            " ON CONFLICT (contact_id) DO UPDATE SET recent = excluded.recent",
            [contact_id, shop.pk, [LATE - HOUR, LATE - 2 * HOUR]],
        )

    found = look(process)

    assert (dict(found.hour), dict(found.day)) == ({}, {"first": 1})


def test_nothing_is_written_and_the_worker_finds_the_same_page_by_page(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = make_process(shop)
    enrol(shop, 5)
    before = list(Enrolment.objects.order_by("id").values_list())
    doc, plan = draft(process, **{"for": "PT20H"}), Plan({"n1": "same"}, recomputes=True)
    at_once = look(process, doc, plan)
    monkeypatch.setattr(ahead, "PAGE", 2)

    asked = request_look(process, doc, plan, now=LATE, user_id=None)
    pages = 0
    while run_waiting():
        pages += 1

    asked.refresh_from_db()
    assert (asked.state, asked.done, asked.whole, pages) == ("done", 5, 5, 3)
    assert Ahead.of_json(asked.result) == at_once
    assert list(Enrolment.objects.order_by("id").values_list()) == before
    assert (Message.objects.count(), StepLog.objects.count()) == (0, 0)


def test_only_the_newest_looks_are_kept_and_a_broken_one_says_so(shop: Shop) -> None:
    process = make_process(shop)
    for _ in range(7):
        last = request_look(process, None, Plan(), now=LATE, user_id=None)
    assert LookAhead.objects.count() == ahead.KEPT
    LookAhead.objects.filter(pk=last.pk).update(doc={"schema": 9})
    LookAhead.objects.exclude(pk=last.pk).delete()

    assert run_waiting() == 0
    last.refresh_from_db()
    assert (last.state, last.trouble) == ("failed", "ValidationError")


def test_publishing_with_a_plan_moves_those_inside(shop: Shop) -> None:
    process = make_process(shop)
    [one] = enrol(shop)
    save_draft(
        process, draft(process, **{"for": "PT30H"}), lock=draft_of(process).lock, actor=SYSTEM, now=NOW
    )

    version = publish_draft(
        process, lock=draft_of(process).lock, actor=SYSTEM, now=NOW, plan=Plan({"n1": "same"})
    )
    moves.run_waiting()

    assert Enrolment.objects.get(pk=one).version_id == version.pk
