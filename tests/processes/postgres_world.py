"""The simulated shop in PostgreSQL: the real store under the simulator's virtual clock."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any
from unittest.mock import patch

from django.db import connection
from django_scopes import scopes_disabled

from recoup.core.models import Link
from recoup.messaging import tracking
from recoup.orders.events import OrderChanged
from recoup.processes import entering, preempting, waking
from recoup.processes.engine.batch import Due, WakeUp
from recoup.processes.engine.codes import Code, Wake
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.entry import begin
from recoup.processes.engine.records import Outcome
from recoup.processes.facts import enrolment_of, facts_of
from recoup.processes.graph.compiling import keys_for
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.memory_rows import Line
from recoup.processes.store import PostgresStore
from recoup.processes.store_sql import facts_sql
from recoup.processes.swapped import enrol_swapped
from recoup.processes.versions import forget_graphs, graph_of
from recoup.processes.worlds import (
    WAKES,
    Arrival,
    Change,
    ChangeKind,
    Coming,
    Lane,
    News,
    Purchase,
    Reply,
    Visit,
    apply_change,
    refusal,
)
from recoup.segments.facts import OrderFacts
from tests.factories.shops import make_shop, make_source
from tests.processes.drawn import OTHER, OTHER_VERSION
from tests.processes.worlds import PROCESS, VERSION

TABLES = (
    "processes_step_log, messaging_message, messaging_pagevisit, processes_webhookcall, processes_webhookendpoint,"
    " processes_enrolment, recovery_recoverycase, orders_order,"
    " customers_contactgate, customers_contact, processes_processversion, processes_process,"
    " messaging_messagesource, messaging_lane, shops_source, shops_shop"
)
# How a message ends in the table so that the engine reads this code.
ENDS = {
    Code.SENT: ("sent", ""),
    Code.UNCERTAIN: ("uncertain", "line_broke"),
    Code.SKIPPED_CONSENT: ("cancelled", "no_consent"),
    Code.SKIPPED_EXPIRED: ("cancelled", "expired"),
    Code.SKIPPED_PAID: ("cancelled", "paid"),
    Code.SKIPPED_CANCELLED: ("cancelled", "order_cancelled"),
    Code.SKIPPED_SUPERSEDED: ("cancelled", "superseded"),
    Code.FAILED_REFUSED: ("failed", "refused"),
}
CHANGES = {
    ChangeKind.PAID: "UPDATE orders_order SET paid_at = %(true)s, paid_learnt_at = %(at)s, captured = total"
    " WHERE id = %(id)s",
    ChangeKind.CANCELLED: "UPDATE orders_order SET cancelled_at = %(true)s, status = 'cancelled' WHERE id = %(id)s",
    ChangeKind.SUPERSEDED: "UPDATE orders_order SET superseded_at = %(true)s WHERE id = %(id)s",
    ChangeKind.PROMISED: "UPDATE orders_order SET promised_at = %(until)s WHERE id = %(id)s",
    ChangeKind.CLAIMED: "UPDATE orders_order SET claimed_until = %(until)s WHERE id = %(id)s",
    ChangeKind.HELD: "UPDATE orders_order SET paused_at = %(true)s WHERE id = %(id)s",
    ChangeKind.RELEASED: "UPDATE orders_order SET paused_at = NULL WHERE id = %(id)s",
}


ANSWERED = {
    Code.TASK_DONE: "done",
    Code.TASK_DROPPED: "cancelled",
    Code.YES: "done",
    Code.FAILED_WEBHOOK: "dead",
}


def arrivals_of(news: Sequence[News]) -> list[Arrival]:
    """Return those of the news by which somebody comes."""
    return [one for one in news if isinstance(one, Arrival)]


@contextmanager
def the_clock_of(world: "PostgresWorld") -> Iterator[None]:
    """Let the simulated clock be that of a stronger process that takes over; it asks for the time by itself."""
    with patch.object(preempting, "trade_now", world.now):
        yield


class PostgresWorld:
    """A shop whose clock, news and sending are in the hands of the simulator, and whose enrolments are in tables."""

    def __init__(
        self,
        raw: ProcessDocument,
        graph: Graph,
        start: datetime,
        news: Sequence[News],
        *,
        other: tuple[ProcessDocument, Graph] | None = None,
        ranks: tuple[int, int] = (0, 0),
    ) -> None:
        self.clock = start
        self._early: dict[int, list[Change]] = {}  # of orders that nobody stands at the door for yet
        self._store = PostgresStore()
        self._source_id = 0
        forget_graphs()
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
        self._make_shop()
        self._make_process(PROCESS, VERSION, raw, graph, ranks[0], news)
        if other is not None:
            self._make_process(OTHER, OTHER_VERSION, *other, ranks[1], news)
        made: set[tuple[int, int]] = set()
        for arrival in news:
            if isinstance(arrival, Arrival):
                self._make_subject(arrival, made)

    def _make_shop(self) -> None:
        self._shop = make_shop(time_zone="Europe/Warsaw", country="PL")
        self._source_id = make_source(self._shop).pk
        self._run(
            "INSERT INTO messaging_messagesource (id, shop_id, name, state) VALUES (1, %(shop)s, 'x', 'live')",
            shop=self._shop.pk,
        )
        self._run(
            "INSERT INTO processes_webhookendpoint (id, shop_id, name, url, secret, is_active, created_at)"
            " VALUES (1, %(shop)s, 'x', 'https://example.com/', '', true, now())",
            shop=self._shop.pk,
        )

    def _make_process(
        self, process: int, version: int, raw: ProcessDocument, graph: Graph, rank: int, news: Sequence[News]
    ) -> None:
        shares = {one.holdout_bp for one in arrivals_of(news) if one.candidate.process_id == process}
        self._run(
            "INSERT INTO processes_process (id, shop_id, name, key, status, priority, exclusive_group, holdout_bp, salt,"
            " message_source_id, current_version_id)"
            " VALUES (%(id)s, %(shop)s, %(name)s, '', 'live', %(rank)s, '', %(share)s, 9, 1, NULL)",
            id=process,
            shop=self._shop.pk,
            name=f"x{process}",
            rank=rank,
            share=max(shares, default=0),
        )
        self._run(
            "INSERT INTO processes_processversion (id, shop_id, process_id, number, doc, doc_hash, node_map, event_mask,"
            " engine_schema, published_at)"
            " VALUES (%(id)s, %(shop)s, %(process)s, 1, %(doc)s, %(hash)s, %(map)s, 0, 1, now())",
            id=version,
            shop=self._shop.pk,
            process=process,
            doc=raw.model_dump_json(by_alias=True, exclude_none=True),
            hash=graph.doc_hash,
            map=json.dumps(dict(graph.node_map)),
        )
        self._run(
            "UPDATE processes_process SET current_version_id = %(version)s WHERE id = %(id)s",
            version=version,
            id=process,
        )

    def _run(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    # The store.

    def now(self) -> datetime:
        """Return the simulated time."""
        return self.clock

    def wake(self, wake_ups: Sequence[WakeUp], now: datetime) -> int:
        """Wake by the real statement."""
        return self._store.wake(wake_ups, now)

    def pick(self, limit: int, now: datetime) -> list[Due]:
        """Pick by the real statement."""
        return self._store.pick(limit, now)

    def save(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Save by the real statements."""
        with the_clock_of(self):
            self._store.save(outcomes, now)
        self._level()

    def _level(self) -> None:
        """Let whoever has just come in be looked at from now on, and not from when they should have come."""
        self._run(
            "UPDATE processes_enrolment SET run_at = %(now)s WHERE state = 2 AND step_no = 0 AND run_at < %(now)s",
            now=self.clock,
        )

    # The world.

    def apply(self, news: News) -> None:
        """Let something happen, and wake those who wait for it."""
        match news:
            case Arrival():
                self._enter(news)
            case Change():
                self._early.setdefault(news.subject_id, []).append(news)
                if news.kind is ChangeKind.CASE_CLOSED:
                    self._run(
                        "UPDATE recovery_recoverycase SET closed_at = %(true)s, outcome = 'lapsed' WHERE order_id = %(id)s",
                        true=news.became_true_at,
                        id=news.subject_id,
                    )
                elif news.kind is ChangeKind.SWAPPED:
                    self._swap(news)
                    return
                else:
                    self._run(
                        CHANGES[news.kind],
                        true=news.became_true_at,
                        at=news.at,
                        until=news.until,
                        id=news.subject_id,
                    )
                self.wake([WakeUp(news.subject_kind, news.subject_id, WAKES[news.kind].value)], self.clock)
            case Purchase():
                self._buy(news)
            case Visit():
                self._visit(news)
            case Coming():
                self._come(news)
            case Reply():
                self._reply(news)

    def _swap(self, change: Change) -> None:
        """Exchange the goods as the intake does: the fact, the row, and what hears of it."""
        ((was,),) = self._run("SELECT product_refs FROM orders_order WHERE id = %(id)s", id=change.subject_id)
        if set(was) == set(change.products):
            return
        self._run(
            "INSERT INTO orders_orderfact (shop_id, order_id, kind, details, became_true_at, learnt_at)"
            " VALUES (%(shop)s, %(id)s, 'changed', %(details)s, %(true)s, %(at)s)",
            shop=self._shop.pk,
            id=change.subject_id,
            details=json.dumps({"products": change.products, "was_products": was}),
            true=change.became_true_at,
            at=change.at,
        )
        self._run(
            "UPDATE orders_order SET product_refs = %(products)s WHERE id = %(id)s",
            products=list(change.products),
            id=change.subject_id,
        )
        news = OrderChanged(self._shop.pk, change.subject_id, change.became_true_at)
        self.wake([WakeUp(change.subject_kind, change.subject_id, WAKES[change.kind].value)], self.clock)
        with the_clock_of(self):
            enrol_swapped([news])
        self._level()

    def _buy(self, purchase: Purchase) -> None:
        self._run(
            "INSERT INTO orders_order (id, shop_id, source_id, ref, number, contact_id, status, payment_state, currency,"
            " total, captured, refunded, locale, origin, method, method_title, is_offline_method, pay_url, cart_ref, buyer,"
            " product_refs, search, shop_state, raw_state, placed_at, learnt_at, version_at, version_key, paid_at,"
            " paid_learnt_at, cancel_reason, failure_class, failure_code, terms_version, ask_failures, lock_version,"
            " is_backfill, is_test)"
            " SELECT 1000 + count(*), %(shop)s, %(source)s, 'p' || count(*), 'x', %(contact)s, 'completed', 'paid', 'PLN',"
            " 1, 1, 0, 'pl', 'x', '', '', false, '', '', '{}', %(products)s, '{}', 'pending', '', %(true)s, %(at)s, %(at)s,"
            " '', %(true)s, %(at)s, '', '', '', '', 0, 0, false, false FROM orders_order",
            shop=self._shop.pk,
            source=self._source_id,
            contact=purchase.contact_id,
            products=list(purchase.products),
            true=purchase.became_true_at,
            at=purchase.at,
        )
        waking.wake_buyers([(self._shop.pk, purchase.contact_id)], self.clock)

    def _make_subject(self, arrival: Arrival, made: set[tuple[int, int]]) -> None:
        candidate, order = arrival.candidate, arrival.facts.order
        person, subject = (3, candidate.contact_id), (candidate.subject_kind, candidate.subject_id)
        if person not in made:
            self._make_person(arrival)
        if order is not None and subject not in made:
            self._make_order(arrival, order)
        made |= {person, subject}

    def _make_person(self, arrival: Arrival) -> None:
        candidate = arrival.candidate
        contact = arrival.facts.contact
        assert contact is not None
        self._run(
            "INSERT INTO customers_contact (id, shop_id, name, email, phone, locale, time_zone, country, company, search,"
            " sort_name, notes, first_seen_at) VALUES (%(id)s, %(shop)s, 'x', %(email)s, '', %(locale)s, %(zone)s,"
            " %(country)s, '', '{}', '', '', now())",
            id=candidate.contact_id,
            shop=self._shop.pk,
            email=f"x{candidate.contact_id}@example.com",
            locale=contact.locale,
            zone=contact.zone,
            country=contact.country,
        )

    def _make_order(self, arrival: Arrival, order: OrderFacts) -> None:
        candidate = arrival.candidate
        self._run(
            "INSERT INTO orders_order (id, shop_id, source_id, ref, number, contact_id, status, payment_state, currency,"
            " total, captured, refunded, locale, origin, method, method_title, is_offline_method, pay_url, cart_ref, buyer,"
            " product_refs, search, shop_state, raw_state, placed_at, learnt_at, version_at, version_key, cancel_reason,"
            " failure_class, failure_code, terms_version, ask_failures, lock_version, is_backfill, is_test)"
            " VALUES (%(id)s, %(shop)s, %(source)s, %(ref)s, 'x', %(contact)s, %(status)s, 'owed', %(currency)s, %(total)s,"
            " 0, 0, 'pl', 'x', %(method)s, '', %(offline)s, '', '', '{}', %(products)s, '{}', 'pending', '', %(placed)s,"
            " %(placed)s, %(placed)s, '', '', '', '', '', 0, 0, false, false)",
            id=candidate.subject_id,
            shop=self._shop.pk,
            source=self._source_id,
            ref=f"r{candidate.subject_id}",
            contact=candidate.contact_id,
            status=order.status,
            currency=order.currency,
            total=order.total,
            method=order.method,
            offline=order.is_offline_method,
            placed=order.placed_at,
            products=list(order.products),
        )
        self._run(
            "INSERT INTO recovery_recoverycase (shop_id, kind, order_id, contact_id, cause, amount, currency, opened_at,"
            " lapses_at, outcome, messages_sent, is_holdout, refunded_amount)"
            " VALUES (%(shop)s, 'order', %(order)s, %(contact)s, %(cause)s, 1, 'PLN', now(), now(), '', 0, false, 0)",
            shop=self._shop.pk,
            order=candidate.subject_id,
            contact=candidate.contact_id,
            cause=order.cause,
        )

    def _enter(self, arrival: Arrival) -> None:
        candidate, graph = arrival.candidate, graph_of(arrival.candidate.version_id)
        cases = self._run(
            "SELECT id FROM recovery_recoverycase WHERE order_id = %(id)s", id=candidate.subject_id
        )
        facts = reduce(apply_change, self._early.get(candidate.subject_id, []), arrival.facts)
        known = replace(candidate, shop_id=self._shop.pk, case_id=cases[0][0] if cases else None)
        keys = keys_for(graph, known)
        if keys is None or not graph.admits(facts, candidate.entered_at):
            return
        enrolment = begin(
            graph, known, holdout_bp=arrival.holdout_bp, shop_holdout_bp=arrival.shop_holdout_bp
        )
        started = enrolment._replace(run_at=max(self.clock, candidate.entered_at))
        with the_clock_of(self):
            entering.insert([(started, keys)])

    def _visit(self, visit: Visit) -> None:
        rows = self._run(
            "SELECT m.id, m.state, e.contact_id FROM processes_enrolment e LEFT JOIN LATERAL (SELECT * FROM"
            " messaging_message WHERE enrolment_id = e.id AND node = %(node)s ORDER BY step_no DESC LIMIT 1) m ON true"
            " WHERE e.subject_kind = %(kind)s AND e.subject_id = %(id)s",
            node=visit.node_id,
            kind=visit.subject_kind,
            id=visit.subject_id,
        )
        for message_id, state, contact_id in rows:
            if state not in {"sent", "uncertain"}:
                continue
            link = Link(
                purpose="pay" if visit.is_click else tracking.OPEN,
                shop_id=self._shop.pk,
                message_id=message_id,
            )
            with scopes_disabled():
                tracking.record_visit(link, at=visit.at, is_machine=False)
            bits = Wake.VISITED if visit.is_click else Wake(0)
            if tracking.note_visits(now=visit.at + tracking.PATIENCE):
                bits |= Wake.MESSAGE_OPENED | (Wake.MESSAGE_CLICKED if visit.is_click else Wake(0))
            self.wake([WakeUp(visit.subject_kind, visit.subject_id, bits.value)], self.clock)
            self._wake_visitors(contact_id)

    def _come(self, coming: Coming) -> None:
        kind = {number: name for name, number in tracking.SUBJECTS.items()}[coming.subject_kind]
        link = Link(
            purpose=coming.page, shop_id=self._shop.pk, subject_kind=kind, subject_id=coming.subject_id
        )
        tracking.record_straight_visit(link, coming.contact_id, at=coming.at, is_machine=False)
        tracking.note_visits(now=coming.at + tracking.PATIENCE)
        self.wake([WakeUp(coming.subject_kind, coming.subject_id, Wake.VISITED.value)], self.clock)
        self._wake_visitors(coming.contact_id)

    def _wake_visitors(self, contact_id: int) -> None:
        waking.wake_visitors([(self._shop.pk, contact_id)], self.clock)

    def _reply(self, reply: Reply) -> None:
        for version_id in self._versions():
            self._answer(reply, version_id)
        bits = (Wake.TASK_DONE | Wake.WEBHOOK_ANSWERED).value
        self.wake([WakeUp(reply.subject_kind, reply.subject_id, bits)], self.clock)

    def _versions(self) -> list[int]:
        return [row[0] for row in self._run("SELECT id FROM processes_processversion ORDER BY id")]

    def _answer(self, reply: Reply, version_id: int) -> None:
        """End the task, or the call, that a block of a version has asked for last."""
        is_task = reply.code in (Code.TASK_DONE, Code.TASK_DROPPED)
        table, column, is_open = (
            ("desk_task", "closed_at", "open")
            if is_task
            else ("processes_webhookcall", "answered_at", "waiting")
        )
        self._run(
            f"UPDATE {table} t SET state = %(state)s, {column} = %(at)s FROM ("
            f"  SELECT DISTINCT ON (k.enrolment_id) k.id, k.state, e.state AS of_enrolment FROM {table} k"
            "  JOIN processes_enrolment e ON e.id = k.enrolment_id AND e.version_id = %(version)s"
            "  WHERE e.subject_kind = %(kind)s AND e.subject_id = %(id)s AND k.node = %(node)s"
            "  ORDER BY k.enrolment_id, k.step_no DESC) l"
            " WHERE t.id = l.id AND l.state = %(open)s AND l.of_enrolment < 8",
            state=ANSWERED[reply.code],
            open=is_open,
            version=version_id,
            at=reply.at,
            kind=reply.subject_kind,
            id=reply.subject_id,
            node=graph_of(version_id).node_map.get(reply.node_id, 0),
        )

    def next_run_at(self) -> datetime | None:
        """Return when the engine has something to do next."""
        ((at,),) = self._run("SELECT min(run_at) FROM processes_enrolment WHERE state IN (1, 2)")
        found: datetime | None = at
        return found

    def next_message_at(self) -> datetime | None:
        """Return when the next message is due."""
        ((at,),) = self._run("SELECT min(due_at) FROM messaging_message WHERE state = 'due'")
        found: datetime | None = at
        return found

    def hand_over(self, lane: Lane) -> None:
        """End the next message as the sender would."""
        ((message_id, enrolment_id, step_no, not_after, purpose),) = self._run(
            "SELECT id, enrolment_id, step_no, not_after, purpose FROM messaging_message WHERE state = 'due'"
            " ORDER BY due_at, enrolment_id, step_no LIMIT 1"
        )
        with connection.cursor() as cursor:
            cursor.execute(facts_sql("e.id = %s"), [enrolment_id])
            row = cursor.fetchone()
        facts = facts_of(row, graph_of(row[3]))
        code = Code.SKIPPED_EXPIRED if self.clock >= not_after else None
        code = code or (refusal(facts) if purpose == "reminder" else None)
        code = code or lane.fate(self._number_of(enrolment_id), step_no, self.clock)
        state, reason = ENDS[code]
        is_out = state in {"sent", "uncertain"}
        self._run(
            "UPDATE messaging_message SET state = %(state)s, reason = %(reason)s, settled_at = %(now)s,"
            " handed_at = CASE WHEN %(out)s THEN %(now)s::timestamptz END WHERE id = %(id)s",
            state=state,
            reason=reason,
            now=self.clock,
            out=is_out,
            id=message_id,
        )
        enrolment = enrolment_of(row)
        self._run(
            "UPDATE processes_enrolment SET state = 2, prio = 0, run_at = least(run_at, %(now)s)"
            " WHERE id = %(id)s AND state IN (1, 2) AND wait_mask & %(bit)s <> 0",
            now=self.clock,
            id=enrolment.id,
            bit=Wake.MESSAGE_SETTLED.value,
        )

    def _number_of(self, enrolment_id: int) -> int:
        """Return which enrolment it is, as the store in memory counts: here an entry that was refused leaves a gap."""
        ((number,),) = self._run(
            "SELECT count(*) FROM processes_enrolment WHERE id <= %(id)s", id=enrolment_id
        )
        return int(number)

    def journal(self) -> list[Line]:
        """Return the ledger in the words of the memory store."""
        rows = self._run(
            "SELECT e.process_id, e.subject_kind, e.subject_id, l.step_no, l.node, l.outcome, l.at, l.version_id"
            " FROM processes_step_log l JOIN processes_enrolment e ON e.id = l.enrolment_id"
        )
        return sorted(
            Line(p, k, s, n, graph_of(version).node_id(node), outcome, at)
            for p, k, s, n, node, outcome, at, version in rows
        )
