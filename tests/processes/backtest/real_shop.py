"""A shop that lives in PostgreSQL on a moved clock: real intake, news and engine, and a stand-in for the sender."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from recoup.core import outbox
from recoup.core.clock import trade_now
from recoup.messaging.events import MessageSettled
from recoup.offers.ending import expire_due_offers
from recoup.orders.models import Order
from recoup.payments.actions import apply_order_snapshot, record_payment
from recoup.processes.engine.codes import Code
from recoup.processes.facts import facts_of, message_outcome
from recoup.processes.loop import Engine
from recoup.processes.memory_rows import Line
from recoup.processes.models import Process
from recoup.processes.store_sql import facts_sql
from recoup.processes.versions import graph_of
from recoup.processes.worlds import refusal
from recoup.recovery import actions as recovery
from recoup.recovery import detection
from recoup.shops.models import Shop, Source
from recoup.shops.snapshots import (
    AttemptState,
    FailureClass,
    LineSnapshot,
    OrderSnapshot,
    PaymentSnapshot,
    PersonSnapshot,
    ShopState,
)
from tests.factories.clock import set_clock
from tests.processes.postgres_world import ENDS

Happening = Callable[[datetime], Any]
LAG = timedelta(minutes=3)  # between the instant for which a message is planned and its hand-over


@dataclass
class RealShop:
    """Moves the clock from one instant at which something happens to the next."""

    shop: Shop
    source: Source
    process: Process
    fate: Callable[[int, int], Code] = lambda _order, _step: Code.SENT
    first: int = 0  # shifts every fate
    lag: timedelta = LAG
    pause: timedelta = timedelta(seconds=1)  # between two looks at the least: the clock goes on by itself
    script: list[tuple[datetime, Happening]] = field(default_factory=list)

    def at(self, instant: datetime, happening: Happening) -> None:
        """Let something happen at an instant."""
        self.script.append((instant, happening))

    def run(self, until: datetime) -> None:
        """Live until an instant."""
        engine = Engine()
        self.script.sort(key=lambda one: one[0])
        clock = self.script[0][0]
        while clock <= until:
            set_clock(clock)
            is_settled = False
            while self.script and self.script[0][0] <= clock:
                self.script.pop(0)[1](trade_now())
                self._settle_down(engine)
                is_settled = True
            if not is_settled:
                self._settle_down(engine)
            if self._hand_over(clock):
                self._settle_down(engine)
            clock = self._next(clock, until)

    def _settle_down(self, engine: Engine) -> None:
        now = trade_now()
        expire_due_offers(now=now)
        detection.open_due_cases(now=now)
        detection.open_left_carts(now=now)
        recovery.lapse_due_cases(now=now)
        while outbox.dispatch() or engine.run_once():
            pass

    def _next(self, clock: datetime, until: datetime) -> datetime:
        """Return the next instant at which anything is due, a little later at least."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT least((SELECT min(check_at) FROM orders_order), (SELECT min(check_at) FROM orders_cart),"
                " (SELECT min(run_at) FROM processes_enrolment WHERE state IN (1, 2)),"
                " (SELECT min(due_at) + %s::interval FROM messaging_message WHERE state = 'due'),"
                " (SELECT min(lapses_at) FROM recovery_recoverycase WHERE closed_at IS NULL))",
                [str(self.lag)],
            )
            (due,) = cursor.fetchone()
        instants = [at for at in (due, self.script[0][0] if self.script else None) if at is not None]
        return max(min(instants, default=until + LAG), clock + self.pause)

    def _hand_over(self, clock: datetime) -> bool:
        """Hand over what is due; tell whether there was any."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, enrolment_id, step_no, due_at, not_after, purpose, cancel_requested_at IS NOT NULL"
                " FROM messaging_message WHERE state = 'due' AND due_at + %s::interval <= %s ORDER BY due_at, id",
                [str(LAG), clock],
            )
            rows = cursor.fetchall()
        for message_id, enrolment_id, step_no, due_at, not_after, purpose, is_stopped in rows:
            # One that was queued long after its time goes out now and not in the past.
            at = due_at + LAG if clock - due_at < LAG + timedelta(minutes=1) else clock
            self._settle(message_id, enrolment_id, step_no, at, not_after, purpose, is_stopped)
        return bool(rows)

    def _place_of(self, kind: int, subject_id: int) -> int:
        """Return which order or cart of the shop it is, so that no fate hangs on the numbers of a database."""
        with connection.cursor() as cursor:
            table = "orders_order" if kind == 1 else "orders_cart"
            cursor.execute(
                f"SELECT count(*) FROM {table} WHERE shop_id = %s AND id < %s", [self.shop.pk, subject_id]
            )
            count: int = cursor.fetchone()[0]
        return count + self.first

    def _settle(
        self,
        message_id: int,
        enrolment_id: int,
        step_no: int,
        at: datetime,
        not_after: datetime,
        purpose: str,
        is_stopped: bool,
    ) -> None:
        """End a message at a known instant, after the look at the facts that the sender takes."""
        with connection.cursor() as cursor:
            cursor.execute(facts_sql("e.id = %s"), [enrolment_id])
            row = cursor.fetchone()
        if is_stopped:
            state, reason = "cancelled", "stopped"
        else:
            code = Code.SKIPPED_EXPIRED if at >= not_after else None
            facts = facts_of(row, graph_of(row[3]))
            code = (
                code
                or (refusal(facts) if purpose == "reminder" else None)
                or self.fate(self._place_of(row[6], row[7]), step_no)
            )
            state, reason = ENDS[code]
        is_out = state in {"sent", "uncertain"}
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE messaging_message SET state = %s, reason = %s, settled_at = %s, handed_at = %s WHERE id = %s"
                " RETURNING shop_id, case_id",
                [state, reason, at, at if is_out else None, message_id],
            )
            shop_id, case_id = cursor.fetchone()
        outbox.announce(
            MessageSettled(
                shop_id=shop_id,
                message_id=message_id,
                enrolment_id=enrolment_id,
                step_no=step_no,
                case_id=case_id,
                state=state,
                at=at,
            )
        )

    # What its buyers do.

    def place(self, ref: str, who: str, at: datetime, **values: Any) -> Happening:
        """Return the placing of an order, as the shop tells of it."""

        def happen(now: datetime) -> Order:
            return apply_order_snapshot(self.source, self.snapshot(ref, who, at, **values), now=now)

        return happen

    def snapshot(
        self,
        ref: str,
        who: str,
        at: datetime,
        *,
        product: str = "cream",
        total: str = "100.00",
        **values: Any,
    ) -> OrderSnapshot:
        """Return an order as its source shows it."""
        sum_ = Decimal(total)
        return OrderSnapshot(
            **{
                "ref": ref,
                "state": ShopState.PENDING,
                "currency": "EUR",
                "total": sum_,
                "placed_at": at,
                "version_at": at,
                "person": PersonSnapshot(email=f"{who}@example.com", name=who, locale="en"),
                "lines": (LineSnapshot(product, product, Decimal(1), sum_, sum_),),
                "method": "card",
                **values,
            }
        )

    def pay(self, ref: str, paid_at: datetime, *, amount: str = "100.00") -> Happening:
        """Return a payment that became true at an instant and is heard of when it happens here."""

        def happen(now: datetime) -> None:
            order = Order.objects.get(source=self.source, ref=ref)
            payment = PaymentSnapshot(
                ref=f"p-{ref}-{amount}",
                state=AttemptState.SUCCEEDED,
                amount=Decimal(amount),
                currency="EUR",
                at=paid_at,
            )
            record_payment(order, payment, now=now)

        return happen

    def fail(self, ref: str, at: datetime, why: str, *, by: str = "f-") -> Happening:
        """Return a payment that was refused at an instant."""

        def happen(now: datetime) -> None:
            order = Order.objects.get(source=self.source, ref=ref)
            payment = PaymentSnapshot(
                ref=f"{by}{ref}-{why}",
                state=AttemptState.FAILED,
                amount=order.total,
                currency="EUR",
                at=at,
                failure_class=FailureClass(why),
            )
            record_payment(order, payment, now=now)

        return happen

    def attempt(self, ref: str, at: datetime, state: AttemptState) -> Happening:
        """Return an attempt to pay that came into a state at an instant."""

        def happen(now: datetime) -> None:
            order = Order.objects.get(source=self.source, ref=ref)
            payment = PaymentSnapshot(ref=f"a-{ref}", state=state, amount=order.total, currency="EUR", at=at)
            record_payment(order, payment, now=now)

        return happen

    def journal(self) -> list[Line]:
        """Return the ledger in the words of the memory store."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT e.process_id, e.subject_kind, e.subject_id, l.step_no, l.node, l.outcome, l.at, l.version_id"
                " FROM processes_step_log l JOIN processes_enrolment e ON e.id = l.enrolment_id"
                " WHERE e.process_id = %s",
                [self.process.pk],
            )
            rows = cursor.fetchall()
        return sorted(
            Line(p, k, s, n, graph_of(version).node_id(node), outcome, at)
            for p, k, s, n, node, outcome, at, version in rows
        )

    def ends(self) -> dict[tuple[int, int, int], int]:
        """Return how each message ended, by kind and id of its subject and its step."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT e.subject_kind, e.subject_id, m.step_no, m.state, m.reason FROM messaging_message m"
                " JOIN processes_enrolment e ON e.id = m.enrolment_id WHERE m.state <> 'due' AND e.process_id = %s",
                [self.process.pk],
            )
            rows = cursor.fetchall()
        return {
            (kind, subject, step): message_outcome(state, reason)
            for kind, subject, step, state, reason in rows
        }
