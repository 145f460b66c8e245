"""Why a process never saw an order, a cart or a person: what of its beginnings happened, when, and how it stood then.

The past is judged by the version that was the current one at the time.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from django.db import connection

from recoup.core.models import Activity
from recoup.customers.models import Contact, ContactTag
from recoup.orders.models import Cart, Order
from recoup.payments.models import Attempt, AttemptChange
from recoup.processes.arriving import ENDS, NO_CAUSE, ORDER_PAID, PAYMENT_FAILED, PROCESS_ENDED, TAG_SET
from recoup.processes.engine.codes import Code, Refusal, SubjectKind
from recoup.processes.entering import CART_LEFT, ORDER_PLACED, ORDER_UNPAID
from recoup.processes.graph.document import Entry
from recoup.processes.models import Process, ProcessVersion
from recoup.processes.why.explaining import Reason, refusal_key
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop

_RUNS = frozenset({"live", "test", "paused"})  # lets people in
_ENDED = """
    SELECT l.outcome, l.at, e.subject_kind, e.subject_id FROM processes_enrolment e
    JOIN processes_step_log l ON l.enrolment_id = e.id AND l.step_no = e.step_no
    WHERE e.shop_id = %s AND e.contact_id = %s AND e.process_id = %s AND e.state >= 8 ORDER BY l.at DESC, e.id DESC
"""
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class _Version(NamedTuple):
    """A version with the time in which it was the current one."""

    entry: Entry
    since: datetime
    until: datetime | None


class _Coming(NamedTuple):
    """Something with which a process may begin; `other` says why it did not mean this one."""

    at: datetime
    other: str = ""


class Unseen:
    """What is known of one order (kind 1), cart (2) or person (3), read once for all processes."""

    def __init__(self, shop: Shop, kind: int, subject_id: int) -> None:
        self.shop, self.kind, self.subject_id = shop, kind, subject_id

    def reason(self, process: Process) -> Reason | None:
        """Say why a process never saw it; nothing if the process was never about such a thing."""
        versions = self._versions.get(process.pk, ())
        if not versions:
            return None
        is_present = versions[0].entry.subject == self.kind  # the newest one
        if self._barred is not None:
            return self._barred if is_present else None
        others: list[Reason] = []
        missed: list[Reason] = []
        for version in versions:
            if version.entry.subject != self.kind:
                continue
            for coming in self._comings(version.entry):
                if coming.at < version.since:
                    missed.append(Reason("before_version", coming.at, version.since))
                elif version.until is not None and coming.at >= version.until:
                    continue  # the version after it was asked
                elif coming.other:
                    others.append(Reason(coming.other, coming.at))
                else:
                    return self._not_let_in(process, version.entry, coming.at)
        if others or not is_present:
            return others[0] if others else None
        return missed[0] if missed else self._nothing_came(versions[0].entry)

    @cached_property
    def _versions(self) -> dict[int, list[_Version]]:
        """Return the versions of each process, the newest first."""
        rows = ProcessVersion.objects.filter(shop=self.shop).order_by("process_id", "-number")
        found: dict[int, list[_Version]] = {}
        until: datetime | None = None
        for process_id, number, since, entry in rows.values_list(
            "process_id", "number", "published_at", "doc__entry"
        ):
            known = found.setdefault(process_id, [])
            until = known[-1].since if known else None
            known.append(_Version(Entry.model_validate(entry), since if number > 1 else _BEGINNING, until))
        return found

    @cached_property
    def _row(self) -> Order | Cart | Contact | None:
        if self.kind == SubjectKind.ORDER:
            return Order.objects.filter(shop=self.shop, pk=self.subject_id).first()
        if self.kind == SubjectKind.CART:
            return Cart.objects.filter(shop=self.shop, pk=self.subject_id).first()
        return Contact.objects.filter(shop=self.shop, pk=self.subject_id).first()

    @cached_property
    def _barred(self) -> Reason | None:
        """Say what keeps it out of every process."""
        row = self._row
        if row is None:
            return Reason("no_record")
        if isinstance(row, Contact):
            return None
        at = row.placed_at if isinstance(row, Order) else row.last_activity_at
        for key, is_so in (
            ("nobody", row.contact_id is None),
            ("test_order", getattr(row, "is_test", False)),
            ("backfill", row.is_backfill),
        ):
            if is_so:
                return Reason(key, at)
        return None

    @property
    def _contact_id(self) -> int:
        row = self._row
        return (row.pk if isinstance(row, Contact) else row.contact_id if row is not None else None) or 0

    @property
    def _paid_at(self) -> datetime | None:
        row = self._row
        return row.paid_at if isinstance(row, Order) else row.converted_at if isinstance(row, Cart) else None

    def _comings(self, entry: Entry) -> list[_Coming]:
        """Return what happened with which such a process begins, the newest first."""
        if entry.on in (ORDER_UNPAID, CART_LEFT):
            return [_Coming(at) for at in self._cases]
        if entry.on == ORDER_PLACED:
            return [_Coming(self._row.placed_at)] if isinstance(self._row, Order) else []
        if entry.on == ORDER_PAID:
            return [_Coming(self._paid_at)] if self._paid_at is not None else []
        if entry.on == PAYMENT_FAILED:
            other = refusal_key(Refusal.CAUSE)
            return [
                _Coming(at, "" if not cause or entry.takes({cause}) else other)
                for at, cause in self._failures
            ]
        if entry.on == TAG_SET:
            return [_Coming(at) for at, tag in self._tags if entry.takes({tag})]
        return list(self._ends(entry)) if entry.on == PROCESS_ENDED else []

    @cached_property
    def _cases(self) -> list[datetime]:
        cases = RecoveryCase.objects.filter(shop=self.shop)
        is_order = self.kind == SubjectKind.ORDER
        mine = cases.filter(order_id=self.subject_id) if is_order else cases.filter(cart_id=self.subject_id)
        return list(mine.order_by("-opened_at").values_list("opened_at", flat=True))

    @cached_property
    def _failures(self) -> list[tuple[datetime, str]]:
        """Return when payments failed and for what cause; nothing for one that succeeded after all."""
        attempts = Attempt.objects.filter(
            shop=self.shop, order_id=self.subject_id, state=Attempt.State.FAILED
        )
        found = [(one.settled_at or one.created_at, one.failure_class or NO_CAUSE) for one in attempts]
        changes = AttemptChange.objects.filter(
            shop=self.shop, attempt__order_id=self.subject_id, state=Attempt.State.FAILED
        ).exclude(attempt__state=Attempt.State.FAILED)
        found += [(at, "") for at in changes.values_list("became_true_at", flat=True)]
        return sorted(found, reverse=True)

    @cached_property
    def _tags(self) -> Sequence[tuple[datetime, str]]:
        rows = ContactTag.objects.filter(shop=self.shop, contact_id=self.subject_id).order_by("-added_at")
        return list(rows.values_list("added_at", "tag__key"))

    def _ends(self, entry: Entry) -> Iterator[_Coming]:
        """Yield the ends of another process for the same person, and for the same order or cart if it is about such."""
        with connection.cursor() as cursor:
            cursor.execute(_ENDED, [self.shop.pk, self._contact_id, entry.process])
            rows = cursor.fetchall()
        for outcome, at, kind, subject_id in rows:
            if self.kind != SubjectKind.CONTACT and (kind, subject_id) != (self.kind, self.subject_id):
                continue
            marks = {f"process:{entry.process}", Code(outcome).name.lower()}
            yield _Coming(at, "" if outcome in ENDS and entry.takes(marks) else "other_end")

    def _not_let_in(self, process: Process, entry: Entry, at: datetime) -> Reason:
        """Say how a process stood when somebody came to it."""
        status = _status_at(process, at)
        if status in _RUNS:
            if entry.on == PAYMENT_FAILED and self._paid_at is not None:
                return Reason("paid_before", self._paid_at)
            return Reason("no_record", at)
        first = process.live_since
        if first is not None and at < first and status == Process.Status.DRAFT:
            return Reason("before_start", at, first)
        return Reason("not_running", at, message_reason=status)

    def _nothing_came(self, entry: Entry) -> Reason:
        row = self._row
        at = (
            row.placed_at
            if isinstance(row, Order)
            else row.last_activity_at
            if isinstance(row, Cart)
            else None
        )
        if entry.on in (ORDER_UNPAID, CART_LEFT) and self._paid_at is not None:
            return Reason("paid_before", self._paid_at)
        return Reason("not_put_in" if entry.on == "manual" else "not_yet", at)


def _status_at(process: Process, at: datetime) -> str:
    """Return what a process was switched to at an instant, from the log of its switches."""
    lines = Activity.objects.filter(
        shop_id=process.shop_id,
        subject_kind="process",
        subject_id=process.pk,
        verb="processes.process.status_changed",
    ).order_by("at", "id")
    changes = [(line.at, str(line.details["was"]), str(line.details["to"])) for line in lines]
    before = [to for changed_at, _, to in changes if changed_at <= at]
    if before:
        return before[-1]
    return changes[0][1] if changes else str(process.status)
