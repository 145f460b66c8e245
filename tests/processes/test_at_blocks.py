"""Who went through a block: the sums that are added up in the background, beside the ledger that they stand for."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from recoup.processes.at_blocks import count_at_block, counts_at_blocks, fold_passages
from recoup.processes.engine.codes import Code
from recoup.processes.entering import Arrival, enrol
from recoup.processes.models import Enrolment, Process, StepLog
from recoup.processes.passage_models import WentThrough
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.processes import make_process
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
BLOCKS = ("n1", "n2", "n3")


def line(one: Enrolment, step_no: int, node: int, at: datetime, code: Code = Code.QUEUED) -> StepLog:
    version = one.version_id
    return StepLog(
        enrolment_id=one.pk, step_no=step_no, shop_id=one.shop_id, version_id=version, node=node, outcome=code,
        at=at, done_at=at,
    )  # fmt: skip


def inside(process: Process, count: int) -> list[Enrolment]:
    for _ in range(count):
        order = make_order(process.shop)
        come = Arrival(
            "", order.shop_id, order.contact_id or 0, "order", order.pk, NOW, process_id=process.pk
        )
        assert enrol([come]) == 1
    return list(Enrolment.objects.filter(process=process).order_by("id"))


def passed(process: Process, now: datetime) -> dict[str, tuple[int, int]]:
    """Return the number of each block and how many rows it opens."""
    counts = counts_at_blocks(process, now=now)
    return {
        block: (
            counts[block].passed if block in counts else 0,
            count_at_block(process, block, "passed", now=now).number,
        )
        for block in BLOCKS
    }


def fold_all(now: datetime) -> None:
    while fold_passages(now=now):
        pass


def test_numbers_are_the_same_before_and_after_they_are_added_up() -> None:
    with scopes_disabled():
        process, other = make_process(make_shop()), make_process(make_shop())
        one, two, three = inside(process, 3)
        (stranger,) = inside(other, 1)
        StepLog.objects.bulk_create(
            [
                line(one, 1, 2, NOW - 3 * DAY),
                line(one, 2, 2, NOW - DAY),  # once more: counts once
                line(one, 3, 3, NOW - HOUR),
                line(two, 1, 2, NOW - timedelta(minutes=1), Code.DEFERRED_HELD),  # still there
                line(two, 2, 2, NOW - timedelta(seconds=30)),  # among the last minutes
                line(three, 1, 2, NOW - 40 * DAY),  # first of all long ago
                line(three, 2, 2, NOW - 2 * DAY),
                line(three, 3, 1, NOW - 2 * DAY, Code.LEFT_PRODUCT),
                line(stranger, 1, 2, NOW - DAY),
            ]
        )
        expected = {"n1": (0, 0), "n2": (2, 2), "n3": (1, 1)}
        assert passed(process, NOW) == expected

        fold_all(NOW)
        sums = list(
            WentThrough.objects.values_list("process_id", "node", "number").order_by("process_id", "node")
        )

        assert passed(process, NOW) == expected
        assert sums == [(process.pk, 2, 1), (process.pk, 3, 1), (other.pk, 2, 1)]
        assert fold_passages(now=NOW) == 0
        fold_all(NOW + HOUR)
        assert passed(process, NOW + HOUR) == expected
        assert passed(process, NOW + 31 * DAY) == dict.fromkeys(BLOCKS, (0, 0))


def test_a_look_at_the_canvas_reads_no_month_of_all_shops() -> None:
    """60,000 lines of a month lie in the ledger; a look reads its last pages alone."""
    with scopes_disabled():
        process = make_process(make_shop())
        (one,) = inside(process, 1)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO processes_step_log (enrolment_id, step_no, shop_id, version_id, node, outcome, at, done_at,"
                " reason) SELECT 1000000 + i, 1, %s, %s, 2, 10, t, t, '' FROM generate_series(1, 60000) i"
                " CROSS JOIN LATERAL (SELECT %s::timestamptz + i * interval '43 seconds' AS t) x",
                [one.shop_id, one.version_id, NOW - 30 * DAY],
            )
            cursor.execute("SELECT brin_summarize_new_values('processes_step_log_done')")
            cursor.execute("ANALYZE processes_step_log")
        before = _pages_of_a_look(process)
        fold_all(NOW)

        after = _pages_of_a_look(process)

    assert before > 500
    assert after < 100


def _pages_of_a_look(process: Process) -> int:
    """Return how many pages the statement of the sums touches."""
    with CaptureQueriesContext(connection) as sent:
        counts_at_blocks(process, now=NOW)
    (statement,) = (one["sql"] for one in sent.captured_queries if "processes_went_through w" in one["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
        found: Any = cursor.fetchone()[0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])
