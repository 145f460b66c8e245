"""Those inside are moved while engines advance them and workers are killed: each once, nobody stranded (engine 16.7)."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import Error as DatabaseError
from django.db import connection
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM
from recoup.processes import actions
from recoup.processes.engine.batch import WakeUp
from recoup.processes.engine.codes import Code, Wake
from recoup.processes.graph.reading import read_document
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, Process, VersionMove
from recoup.processes.moving import moves
from recoup.processes.moving.moves import request_move
from recoup.processes.moving.plan import Choice, Plan
from recoup.processes.store import wake
from recoup.processes.versions import graph_of
from tests.factories.clock import set_clock
from tests.factories.moments import NOW
from tests.factories.processes import make_process
from tests.factories.shops import make_shop, make_source

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
MANY, SOME = 100_000, 2_500
SHORT = {
    "n1": {"t": "wait", "for": "PT24H", "out": {"next": "n2"}},
    "n2": {"t": "if", "if": {"f": "order.is_paid", "op": "=", "v": False}, "out": {"yes": "n3", "no": "n4"}},
    "n3": {"t": "wait", "for": "PT48H", "out": {"next": "n4"}},
    "n4": {"t": "end"},
}
NEW = SHORT | {"n3": {"t": "wait", "for": "PT60H", "out": {"next": "n5"}}, "n5": {"t": "end"}}
_PEOPLE = """
    INSERT INTO customers_contact (shop_id, name, email, phone, locale, time_zone, country, company, search, sort_name,
        notes, first_seen_at)
    SELECT %(shop)s, 'Anna', 'a' || i || '@example.com', '', 'en', '', '', '', '{}', '', '', %(now)s
    FROM generate_series(1, %(count)s) i;
    INSERT INTO orders_order (shop_id, source_id, ref, number, contact_id, status, payment_state, currency, total, captured,
        refunded, locale, origin, method, method_title, is_offline_method, pay_url, cart_ref, buyer, product_refs, search,
        shop_state, raw_state, placed_at, learnt_at, version_at, version_key, cancel_reason, failure_class, failure_code,
        terms_version, ask_failures, lock_version, is_backfill, is_test)
    SELECT %(shop)s, %(source)s, 'r' || id, 'r' || id, id, 'unpaid', 'owed', 'EUR', 100, 0, 0, 'en', 'checkout', 'card',
        'Card', false, '', '', '{}', '{}', '{}', 'pending', '', %(now)s, %(now)s, %(now)s, '', '', '', '', '', 0, 0, false,
        false FROM customers_contact WHERE shop_id = %(shop)s;
    INSERT INTO processes_enrolment (shop_id, process_id, version_id, contact_id, subject_kind, subject_id, entry_key,
        active_key, state, node, step_no, entered_at, node_at, due_at, run_at, wait_mask, prio, attempt, flags)
    SELECT shop_id, %(process)s, %(version)s, contact_id, 1, id, id, id * 7919, 1, 1, 0, %(now)s, %(now)s,
        %(now)s + (id %% 48) * interval '1 hour', %(now)s + (id %% 48) * interval '1 hour', %(mask)s, 1, 0, id %% 10 / 9
    FROM orders_order WHERE shop_id = %(shop)s
"""


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


def fill(process: Process, source_id: int, count: int) -> None:
    version = process.current_version_id or 0
    values: dict[str, int | datetime] = {
        "shop": process.shop_id, "source": source_id, "process": process.pk, "version": version, "now": NOW,
        "count": count, "mask": graph_of(version).masks[1],
    }  # fmt: skip
    with connection.cursor() as cursor:
        for statement in _PEOPLE.split(";"):
            cursor.execute(statement, values)
        cursor.execute("ANALYZE processes_enrolment")


def again_and_again(step: Callable[[], object], stop: threading.Event) -> Callable[[], None]:
    """Do something until told to stop, over a new connection whenever the old one was killed."""

    def run() -> None:
        with scopes_disabled():
            while not stop.is_set():
                try:
                    if not step():
                        time.sleep(0.005)
                except DatabaseError:
                    connection.close()
        connection.close()

    return run


def killer(chance: random.Random, killed: list[int]) -> Callable[[], bool]:
    """Kill sessions that are moving people, as if their worker had died; again when somebody has been moved since.

    A machine that is too slow to do a chunk between two kills gets on all the same; until the first kill it looks all the
    time, so that a quick one is not done before.
    """
    moved_before = -1

    def kill() -> bool:
        nonlocal moved_before
        time.sleep(chance.uniform(0.01, 0.15) if any(killed) else 0.002)
        moved = VersionMove.objects.get().moved
        if moved == moved_before:
            return False
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND query LIKE '-- Move up to%%' AND pid <> pg_backend_pid()"
            )
            killed.append(len(cursor.fetchall()))
        if killed[-1]:
            moved_before = moved
        return bool(killed[-1])

    return kill


def test_everybody_is_moved_once_while_engines_run_and_workers_die(
    is_full_size: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = MANY if is_full_size else SOME
    monkeypatch.setattr(moves, "CHUNK", 500 if is_full_size else 50)
    set_clock(NOW + timedelta(hours=24))  # the first half is due
    shop = make_shop()
    process = make_process(shop, nodes=SHORT)
    fill(process, make_source(shop).pk, count)
    document = {
        "schema": 1, "name": process.name, "entry": {"on": "order.unpaid", "first": "n1"},
        "goals": [{"on": "order.paid"}], "nodes": NEW,
    }  # fmt: skip
    actions.publish(process, read_document(document), actor=SYSTEM, now=NOW)
    subjects = list(Enrolment.objects.values_list("subject_id", flat=True))
    chance = random.Random(11)
    stop, killed = threading.Event(), list[int]()
    engines = [Engine(), Engine()]

    def disturb() -> int:
        time.sleep(0.02)
        news = [WakeUp(1, one, Wake.PAID.value) for one in chance.sample(subjects, 50)]
        return wake(news, NOW + timedelta(hours=24))

    request_move(process, Plan(dict.fromkeys(("n1", "n2", "n3", "n4"), Choice.SAME)), actor=SYSTEM, now=NOW)
    work = [
        *(engine.run_once for engine in engines),
        disturb,
        moves.run_waiting,
        moves.run_waiting,
        killer(chance, killed),
    ]
    threads = [threading.Thread(target=again_and_again(step, stop)) for step in work]
    for thread in threads:
        thread.start()
    try:
        deadline = time.monotonic() + 120 + count / 200
        while VersionMove.objects.filter(state__in=["waiting", "running"]).exists():
            assert time.monotonic() < deadline, "the move does not end"
            time.sleep(0.05)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)

    move = VersionMove.objects.get()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.version_id = %(target)s, count(l.*) FILTER (WHERE l.outcome = %(moved)s) AS lines, count(*)"
            " FROM processes_enrolment e LEFT JOIN processes_step_log l ON l.enrolment_id = e.id"
            " WHERE e.active_key IS NOT NULL GROUP BY e.id",
            {"target": move.version_id, "moved": Code.MIGRATED.value},
        )
        found = cursor.fetchall()
        cursor.execute(
            "SELECT count(*) FROM processes_enrolment e WHERE e.step_no <> (SELECT count(*) FROM processes_step_log l"
            " WHERE l.enrolment_id = e.id)"
        )
        [(gaps,)] = cursor.fetchall()
    assert [len(found), {(is_there, lines) for is_there, lines, _ in found}, gaps] == [count, {(True, 1)}, 0]
    assert sum(killed)
    assert (move.state, move.moved, move.ended) == ("done", count, 0)
    assert Enrolment.objects.filter(flags=1).count() == sum(1 for one in subjects if one % 10 == 9)
