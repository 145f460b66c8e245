"""Claims about the ways of a split: who is on which, what the difference is, and when a winner may be named."""

from typing import Any

import pytest
from django.db import connection

from recoup.analytics.arms import SplitEffect, split_effect, splits_of
from recoup.analytics.effect_rows import count_on_way, list_on_way
from recoup.analytics.intervals import Group
from recoup.core.activity import SYSTEM
from recoup.processes import actions
from recoup.processes.graph.reading import read_document
from recoup.processes.models import Enrolment, Process
from recoup.shops.models import Shop
from tests.analytics.left_alone import LONG_AGO, Buyer, buyers, come_in
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.processes import make_process

SPLIT: dict[str, Any] = {
    "n1": {"t": "split", "arms": [{"id": "a", "w": 1}, {"id": "b", "w": 1, "name": "Shorter"}],
           "out": {"a": "n2", "b": "n3"}},
    "n2": {"t": "send", "template": "first", "out": {"done": "n4"}},
    "n3": {"t": "send", "template": "second", "out": {"done": "n4"}},
    "n4": {"t": "end"},
}  # fmt: skip


@pytest.fixture
def process(shop: Shop) -> Process:
    return make_process(shop, nodes=SPLIT)


def take(process: Process, arm: int, people: list[Buyer]) -> None:
    """Let people in, and send them along a way at the instant they came in."""
    last = Enrolment.objects.order_by("-id").values_list("id", flat=True).first() or 0
    come_in(process, people)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO processes_step_log (enrolment_id, step_no, shop_id, version_id, node, outcome, arm, at, done_at,"
            " reason) SELECT id, 1, shop_id, version_id, 1, 24, %s, entered_at, entered_at, '' FROM processes_enrolment"
            " WHERE id > %s",
            [arm, last],
        )
        # Where earlier tests left these tables long and empty, PostgreSQL expects a row and compares each with each.
        cursor.execute("ANALYZE orders_order, processes_enrolment, processes_step_log")


def effect(process: Process) -> SplitEffect:
    [split] = splits_of(process)
    return split_effect(split, now=NOW)


def test_ways_stand_beside_the_first_one(process: Process) -> None:
    take(process, 0, buyers(400, 60))
    take(process, 1, buyers(400, 130))

    first, second = effect(process).arms

    assert (first.name, first.group, first.interval) == ("A", Group(400, 60), None)
    assert (second.name, second.group) == ("Shorter", Group(400, 130))
    assert second.interval is not None
    assert second.interval.estimate == pytest.approx(0.175)
    assert second.interval.low > 0
    assert [(one.currency, one.sums.total) for one in second.money] == [("PLN", 13_000.0)]
    winner = effect(process).winner
    assert winner is not None
    assert winner.id == "b"


def test_with_no_difference_there_is_no_winner_and_it_says_how_many_more_it_takes(process: Process) -> None:
    take(process, 0, buyers(400, 60))
    take(process, 1, buyers(400, 64))

    found = effect(process)

    assert found.winner is None
    assert found.arms[1].missing == 0
    assert 5_000 < found.arms[1].more_to_see < 20_000


def test_with_too_few_there_is_no_answer(process: Process) -> None:
    take(process, 0, buyers(30, 3))
    take(process, 1, buyers(30, 20))

    found = effect(process)

    assert (found.winner, found.arms[1].interval, found.arms[1].missing) == (None, None, 40)


def test_the_first_way_wins_only_if_all_others_are_clearly_worse(process: Process) -> None:
    take(process, 0, buyers(400, 150))
    take(process, 1, buyers(400, 60))

    winner = effect(process).winner

    assert winner is not None
    assert winner.id == "a"


def test_three_ways_share_the_allowed_errors(shop: Shop) -> None:
    three = {**SPLIT, "n1": {**SPLIT["n1"], "arms": [*SPLIT["n1"]["arms"], {"id": "c", "w": 1}],
                             "out": {"a": "n2", "b": "n3", "c": "n4"}}}  # fmt: skip
    pair, wide = make_process(shop, nodes=SPLIT), make_process(shop, nodes=three)
    for process, ways in ((pair, 2), (wide, 3)):
        for arm in range(ways):
            take(process, arm, buyers(200, 40 + 10 * arm))

    of_pair, of_three = effect(pair).arms[1].interval, effect(wide).arms[1].interval

    assert of_pair is not None
    assert of_three is not None
    assert of_three.high - of_three.low > of_pair.high - of_pair.low


def test_who_is_left_alone_or_in_test_mode_counts_on_no_way(process: Process) -> None:
    take(process, 0, [Buyer(), Buyer(is_alone=True), Buyer(flags=2), Buyer(flags=4097)])

    assert effect(process).arms[0].group == Group(1, 0)


def test_everybody_counts_once_and_the_young_are_not_judged(process: Process) -> None:
    take(process, 0, [Buyer(pays_after=DAY), Buyer(entered_at=NOW - HOUR)])
    first = Enrolment.objects.order_by("id")[0]
    take(process, 0, [Buyer(entered_at=LONG_AGO + DAY)])
    again = Enrolment.objects.order_by("-id")[0]
    Enrolment.objects.filter(pk=again.pk).update(contact_id=first.contact_id)

    arm = effect(process).arms[0]

    assert (arm.group, arm.young) == (Group(1, 1), 1)


def test_a_split_goes_on_counting_until_something_behind_it_changes(process: Process) -> None:
    def publish(nodes: dict[str, Any]) -> None:
        document = {
            "schema": 1, "name": process.name, "entry": {"on": "order.unpaid", "first": next(iter(nodes))},
            "goals": [{"on": "order.paid"}], "nodes": nodes,
        }  # fmt: skip
        actions.publish(process, read_document(document), actor=SYSTEM, now=NOW)
        process.refresh_from_db()

    take(process, 0, buyers(3, 1))
    publish(
        {"n9": {"t": "wait", "for": "PT1H", "out": {"next": "n1"}}, **SPLIT}
    )  # before the split: the same test
    take(process, 0, buyers(2, 1))
    same = effect(process)
    publish({**SPLIT, "n2": {"t": "send", "template": "other", "out": {"done": "n4"}}})
    take(process, 0, buyers(4, 0))

    assert (same.arms[0].group, same.split.first_version) == (Group(5, 2), 1)
    assert (effect(process).arms[0].group, effect(process).split.first_version) == (Group(4, 0), 3)


def test_the_numbers_of_ways_open_as_many_rows(process: Process) -> None:
    take(process, 0, buyers(7, 3))
    take(process, 1, [*buyers(5, 2), Buyer(entered_at=NOW - HOUR), Buyer(is_alone=True)])
    found = effect(process)

    counted = [
        [count_on_way(found.split, arm, has_paid=paid, now=NOW).number for paid in (False, True)]
        for arm in (0, 1)
    ]

    assert counted == [[7, 3], [5, 2]] == [list(arm.group) for arm in found.arms]
    rows = list_on_way(found.split, 1, has_paid=True, now=NOW).rows
    assert {(one.entered_at, one.paid_at) for one in rows} == {(LONG_AGO, LONG_AGO + DAY)}


def test_a_process_without_a_split_has_none(shop: Shop) -> None:
    assert splits_of(make_process(shop)) == []


def test_who_was_moved_to_another_version_since_still_counts_where_they_were_sent(process: Process) -> None:
    take(process, 1, buyers(3, 1))
    [split] = splits_of(process)
    other = make_process(process.shop).current_version_id  # a version in which there is no such split
    Enrolment.objects.filter(process=process).update(version_id=other)

    assert split_effect(split, now=NOW).arms[1].group == Group(3, 1)
    assert count_on_way(split, 1, has_paid=True, now=NOW).number == 1
