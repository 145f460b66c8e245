"""Claims about back-tests that people ask for: done once, left at any time, begun anew when killed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM
from recoup.core.clock import real_now
from recoup.processes.backtest import running, runs
from recoup.processes.backtest.result import Result
from recoup.processes.backtest.runs import NothingToTry, PeriodRefused, document_of, request_run, run_waiting
from recoup.processes.drafts import create_process, draft_of, save_draft
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.models import BacktestRun, Process
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.processes import make_process
from tests.factories.shops import make_shop
from tests.factories.templates import make_template

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def process() -> Process:
    shop = make_shop()
    make_template(shop, key="first")
    for number in range(3):
        make_order(shop, placed_at=NOW - 20 * DAY + number * HOUR, is_backfill=True)
    return make_process(shop)


def ask(process: Process, **changes: Any) -> BacktestRun:
    return request_run(
        process, **{"since": NOW - 30 * DAY, "until": NOW, "now": NOW, "user_id": 7, **changes}
    )


def test_run_is_done_by_the_worker_and_keeps_its_result(process: Process) -> None:
    asked = ask(process)

    assert (run_waiting(), run_waiting()) == (1, 0)

    asked.refresh_from_db()
    result = Result.from_json(asked.result)
    assert (asked.state, asked.turns, asked.made_by) == ("done", 1, 7)
    assert (result.orders, result.entered, result.messages, result.written_to) == (3, 3, 3, 3)


def test_run_that_is_asked_for_twice_is_one(process: Process) -> None:
    assert ask(process).pk == ask(process).pk
    run_waiting()

    assert ask(process).state == "waiting"
    assert BacktestRun.objects.count() == 2


@pytest.mark.parametrize(
    ("since", "until"), [(NOW, NOW - DAY), (NOW + DAY, NOW + 2 * DAY), (NOW - 400 * DAY, NOW)]
)
def test_period_that_cannot_be_tried_is_refused(process: Process, since: Any, until: Any) -> None:
    with pytest.raises(PeriodRefused):
        ask(process, since=since, until=until)

    assert BacktestRun.objects.count() == 0


def test_killed_run_is_begun_anew_and_the_one_that_was_thought_dead_writes_nothing(process: Process) -> None:
    asked = ask(process)
    assert runs._claim(asked)
    assert run_waiting() == 0  # somebody is at it

    BacktestRun.objects.update(beat_at=real_now() - timedelta(minutes=5))
    assert run_waiting() == 1
    with pytest.raises(runs._TakenOver):
        runs._end(asked, runs.State.FAILED, trouble="late")

    asked.refresh_from_db()
    assert (asked.state, asked.trouble, asked.turns) == ("done", "", 2)


def test_run_that_is_killed_again_and_again_is_given_up(process: Process) -> None:
    asked = ask(process)
    BacktestRun.objects.update(state="running", turns=3, beat_at=real_now() - timedelta(minutes=5))

    assert run_waiting() == 0

    asked.refresh_from_db()
    assert (asked.state, asked.trouble) == ("failed", "killed")


def test_run_that_raises_is_failed_and_stops_no_other(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = ask(process), ask(process, since=NOW - 25 * DAY)
    real = running.run_backtest

    def fail_first(plan: Any, **how: Any) -> Result:
        if plan.since == bad.since:
            raise ValueError("no")
        return real(plan, **how)

    monkeypatch.setattr(runs, "run_backtest", fail_first)
    assert (run_waiting(), run_waiting()) == (1, 1)

    assert [run.state for run in BacktestRun.objects.order_by("id")] == ["failed", "done"]
    assert good.pk > bad.pk


TWICE: dict[str, Any] = {
    "n1": {"t": "wait", "for": "PT24H", "out": {"next": "n2"}},
    "n2": {"t": "send", "template": "first", "out": {"done": "n3"}},
    "n3": {"t": "wait", "for": "PT24H", "out": {"next": "n4"}},
    "n4": {"t": "send", "template": "first", "out": {"done": "n5"}},
    "n5": {"t": "end"},
}


def draw(process: Process, **changes: Any) -> None:
    """Change the draft."""
    state = draft_of(process)
    save_draft(process, {**state.doc, **changes}, lock=state.lock, actor=SYSTEM, now=NOW)


def test_draft_is_tried_as_it_was_whatever_becomes_of_it(process: Process) -> None:
    draw(process, nodes=TWICE)
    asked, version = ask(process, is_of_draft=True), ask(process)
    draw(process, nodes={**TWICE, "n4": {**TWICE["n4"], "template": "gone"}})

    assert (run_waiting(), run_waiting()) == (1, 1)

    for run in (asked, version):
        run.refresh_from_db()
    assert (asked.version_id, version.version_id) == (None, process.current_version_id)
    assert [Result.from_json(run.result).messages for run in (asked, version)] == [6, 3]
    assert set(document_of(asked).nodes) == set(TWICE)


def test_draft_that_was_never_published_is_tried_and_twice_asked_for_is_one_run(process: Process) -> None:
    assert process.current_version is not None
    start = {**process.current_version.doc, "nodes": TWICE}
    new = create_process(process.shop, name="New", start=start, actor=SYSTEM, now=NOW)
    Process.objects.update(holdout_bp=0)
    first, again = ask(new, is_of_draft=True), ask(new, is_of_draft=True)
    draw(new, nodes={**TWICE, "n3": {**TWICE["n3"], "for": "PT48H"}})
    other = ask(new, is_of_draft=True)

    while run_waiting():
        pass

    assert (first.pk, first.pk == other.pk) == (again.pk, False)
    results = [Result.from_json(run.result) for run in BacktestRun.objects.all()]
    assert [(one.entered, one.messages, one.errors) for one in results] == [(3, 6, 0)] * 2


def test_draft_that_cannot_run_is_refused_with_its_problems(process: Process) -> None:
    with pytest.raises(NothingToTry):
        ask(process, is_of_draft=True)
    draw(process, nodes={**TWICE, "n4": {**TWICE["n4"], "template": "gone"}})

    with pytest.raises(InvalidProcess) as refused:
        ask(process, is_of_draft=True)

    assert [one.code for one in refused.value.problems] == ["unknown_template"]
    assert BacktestRun.objects.count() == 0


def test_backtest_changes_nothing_but_its_own_row(process: Process) -> None:
    ask(process)
    before = written()
    run_waiting()

    assert written() == before


def written() -> dict[str, int]:
    tables = (
        "processes_enrolment", "processes_step_log", "messaging_message", "core_outbox", "orders_order",
        "orders_statuschange", "orders_orderfact", "recovery_recoverycase", "core_activity",
    )  # fmt: skip
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT count(*), coalesce(sum(hashtext(t::text)::bigint), 0) FROM {table} t")
            found[table] = cursor.fetchone()
    return found
