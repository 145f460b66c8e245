"""Some batches of one lane, from claim to end: the texts of the next are written while the last is handed over."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import connection, transaction
from django_scopes import scopes_disabled

from recoup.customers.actions import suppress
from recoup.customers.models import Suppression
from recoup.messaging.accounts import find_account
from recoup.messaging.channels import channel
from recoup.messaging.copies import keep_copies
from recoup.messaging.models import Lane, Message, SmsAccount
from recoup.messaging.ports import Account, Channel, Line, LineTrouble
from recoup.messaging.reasons import Reason
from recoup.messaging.sender import failpoints, lanes, quota, spending
from recoup.messaging.sender.claim import LaneRow, claim
from recoup.messaging.sender.ends import DATABASE_ERRORS, lock_messages, record_ends
from recoup.messaging.sender.handing import Desk, Report, Turn
from recoup.messaging.sender.lane_state import LaneState
from recoup.messaging.sender.leases import InFlight
from recoup.messaging.sender.prepare import Batch, Draft, mark
from recoup.messaging.sender.records import Claimed, End, Prepared

log = structlog.get_logger(__name__)

_SLOW, _QUICK = 0.050, 0.015  # seconds a mail: where the way of a lane is changed
_BATCHES = 8  # of a backlog in one go; then other lanes have their turn
_NO_ACCOUNT = "the channel is not set up"


@dataclass(slots=True)
class _Taken:
    """What one claim took, and how far it has come."""

    lane: LaneRow
    messages: list[Claimed]
    now: datetime
    account: Account | None = None
    road: Channel | None = None
    line: Line | None = None
    draft: Draft | None = None
    """The texts that are being written; nothing once all have ended."""

    stakes: dict[int, spending.Stake] = field(default_factory=dict)

    @property
    def ids(self) -> list[int]:
        return [message.id for message in self.messages]


class LaneRun:
    """Sends what is due on one lane. Used by one thread at a time."""

    def __init__(
        self,
        state: LaneState,
        desk: Desk,
        in_flight: InFlight,
        *,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Note whose lane it is; from `is_stopping` on nothing more is begun, and what waits is given back."""
        self._state, self._desk, self._in_flight = state, desk, in_flight
        self._is_stopping = is_stopping
        self._shop_id = 0
        self._turned: set[int] = set()
        self._way = ""
        """The way that the lane was changed to; what was claimed before knows the old one."""

        self._must_stop = False

    def run(self) -> int:
        """Claim, write and hand over what is due, up to some batches; return how many messages were looked at.

        While one batch of a backlog is handed over, the render child writes the next.
        """
        looked_at, count = 0, 1
        taken = self._take() if not self._is_stopping() else None
        while taken is not None:
            looked_at += len(taken.messages)
            following = None
            if count < _BATCHES and self._has_more_like(taken):
                count += 1
                following = self._take_ahead()
            self._finish(taken)
            taken = following
        return looked_at

    def _has_more_like(self, taken: _Taken) -> bool:
        """Tell whether more may be claimed before this is handed over: a backlog on a quick, healthy lane without counts."""
        lane = taken.lane
        return (
            taken.draft is not None
            and taken.line is not None
            and taken.line.can_pipeline
            and len(taken.messages) == self._desk.timing.claim
            and (self._way or lane.way) == Lane.Way.BATCH
            and not (lane.is_in_trouble or lane.backoff_seconds or lane.has_quota)
            and lane.max_in_flight is None
            and not self._state.careful
            and not self._has_ended()
        )

    def _has_ended(self) -> bool:
        """Tell whether nothing more is handed over in this run: a line or a batch broke, or the process stops."""
        return self._must_stop or self._is_stopping()

    def _take(self) -> _Taken | None:
        """Claim, and let the child begin to write; return nothing if nothing is due."""
        if self._desk.ledger.flush():
            return None  # an end that is not written yet could meet its message claimed anew
        now = self._desk.now()
        lane, claimed = claim(
            self._state.lane_id,
            owner=self._desk.owner,
            now=now,
            timing=self._desk.timing,
            most=1 if self._state.careful else None,
        )
        if lane is None or not claimed:
            self._state.careful = 0
            return None
        self._state.careful = max(self._state.careful - len(claimed), 0)
        self._shop_id = lane.shop_id
        taken = _Taken(lane, claimed, now)
        self._in_flight.take(taken.ids)
        # The end of an earlier turn is written: of this claim none has had one.
        self._turned.difference_update(taken.ids)
        with self._minding(taken):
            self._begin(taken)
        return taken

    def _take_ahead(self) -> _Taken | None:
        """Take the next, if that can be: what was taken before is to be handed over in any case."""
        try:
            return self._take()
        except DATABASE_ERRORS as error:
            log.warning("messaging.sender.claim_lost", error=type(error).__name__)
            connection.close()
        except Exception:
            log.exception("messaging.sender.claim_failed", lane_id=self._state.lane_id)
        return None

    def _finish(self, taken: _Taken) -> None:
        """Hand over what was written; what follows a line or a batch that broke is given back.

        So is what was written for a line that is not the lane's any more: its settings were changed meanwhile.
        """
        is_through = False
        with self._minding(taken):
            is_stale = self._has_ended() or taken.line is not self._state.line
            if taken.draft is not None and is_stale:
                self._give_back(taken.ids)
            elif taken.draft is not None:
                batch = taken.draft.finish()
                self._record(batch.ends)
                self._hand_over(taken, batch)
            is_through = True
        self._must_stop |= not is_through
        self._in_flight.drop(taken.ids)

    @contextlib.contextmanager
    def _minding(self, taken: _Taken) -> Iterator[None]:
        """Give messages back, or find the one that breaks things, if something goes wrong; nothing is left to do then."""
        try:
            with scopes_disabled():
                yield
        except DATABASE_ERRORS as error:
            log.warning("messaging.sender.batch_lost", lane_id=taken.lane.id, error=type(error).__name__)
            connection.close()
            self._give_back(taken.ids)
        except Exception as error:
            log.exception("messaging.sender.batch_failed", lane_id=taken.lane.id, messages=len(taken.ids))
            self._isolate(taken.ids, error, taken.now)
        else:
            return
        taken.draft = None

    def _isolate(self, ids: Sequence[int], error: Exception, now: datetime) -> None:
        """Find the message that broke a batch by taking them one by one; alone, it fails and the others go on."""
        left = [key for key in ids if key not in self._turned]
        if len(ids) > 1:
            self._state.careful = len(ids)
            self._give_back(left)
        else:
            detail = f"{type(error).__name__}: {error}"
            self._desk.ledger.keep(
                [End(key, Message.State.FAILED, Reason.BROKEN, detail, at=now) for key in left]
            )
            self._desk.ledger.flush()

    def _begin(self, taken: _Taken) -> None:
        lane, now = taken.lane, taken.now
        shop_locale, is_live, counts_opens = _shop(lane.shop_id)
        dry = [message for message in taken.messages if message.is_test or not is_live]
        wet = [message for message in taken.messages if not message.is_test and is_live]
        if dry:
            self._end_dry(Draft(dry, None, shop_locale=shop_locale, now=now).finish(), dry, now)
        if not wet:
            return
        account = taken.account = find_account(lane.shop_id, lane.channel)
        if account is None:
            wet = self._pass_on(wet, now)
        if not wet:
            return
        try:
            if account is None:
                raise LineTrouble(_NO_ACCOUNT, stage="settings", is_for_person=True)
            taken.road = channel(account.adapter)
            taken.line = self._state.line_for(account, taken.road)
        except LineTrouble as trouble:
            self._must_stop = True  # what was taken before has this line, too
            self._give_back([message.id for message in wet], Reason.LINE_TROUBLE)
            lanes.pause(lane.id, lane.shop_id, trouble, now=now)
            return
        if lane.is_in_trouble:
            lanes.stands(lane.id, lane.shop_id, now=now)
        taken.draft = Draft(wet, account, shop_locale=shop_locale, now=now, counts_opens=counts_opens)

    def _pass_on(self, messages: list[Claimed], now: datetime) -> list[Claimed]:
        """Let the messages of a channel that is not set up go to their next one; return those that have none."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM messaging_message WHERE id = ANY(%s) AND jsonb_array_length(fallback) > 0",
                [[message.id for message in messages]],
            )
            going = {row[0] for row in cursor.fetchall()}
        self._record([End(key, Message.State.CANCELLED, Reason.NO_CHANNEL, at=now) for key in sorted(going)])
        return [message for message in messages if message.id not in going]

    def _end_dry(self, batch: Batch, messages: Sequence[Claimed], now: datetime) -> None:
        """End messages of test mode: their text is kept to look at, no line is opened."""
        failed = {end.message_id for end in batch.ends}
        ends = [
            End(message.id, Message.State.CANCELLED, Reason.TEST_MODE, at=now)
            for message in messages
            if message.id not in failed
        ]
        with transaction.atomic():
            keep_copies(self._shop_id, list(batch.copies.values()))
            lock_messages([message.id for message in messages])
            record_ends([*batch.ends, *ends], owner=self._desk.owner)

    def _record(self, ends: Sequence[End]) -> None:
        if ends:
            with transaction.atomic():
                lock_messages([end.message_id for end in ends])
                record_ends(ends, owner=self._desk.owner)

    def _give_back(self, ids: Sequence[int], reason: str = "") -> None:
        """Let messages be due again that no turn has had: they were certainly not begun."""
        self._desk.ledger.keep(
            [End(key, Message.State.DUE, reason) for key in ids if key not in self._turned]
        )
        self._desk.ledger.flush()

    def _hand_over(self, taken: _Taken, batch: Batch) -> None:
        lane, road, line = taken.lane, taken.road, taken.line
        assert road is not None
        assert line is not None
        waiting = batch.ready
        way = (self._way or lane.way) if line.can_pipeline else Lane.Way.SINGLE.value
        while waiting:
            size = line.pace.size if way == Lane.Way.BATCH else 1
            chunk, waiting = waiting[:size], waiting[size:]
            chunk = self._mark(taken, road, chunk, batch)
            if not chunk:
                continue
            report = self._turn(chunk, road, line, way)
            self._follow_up(taken, report)
            way = self._choose_way(lane, line, way, report, len(chunk))
            self._must_stop |= report.must_stop
            if self._has_ended():
                break
        self._give_back([one.message.id for one in waiting])

    def _mark(self, taken: _Taken, road: Channel, chunk: list[Prepared], batch: Batch) -> list[Prepared]:
        """Mark messages as being handed over and keep their copies; commit. Return those still ours that may go."""
        with transaction.atomic():
            chunk = self._admit(taken, road, chunk)
            ids = [one.message.id for one in chunk]
            mine = mark(chunk, owner=self._desk.owner, lease=self._desk.timing.lease)
            keep_copies(self._shop_id, [batch.copies[key] for key in ids if key in mine])
            failpoints.reach("before_mark_commit")
        failpoints.reach("after_mark")
        self._in_flight.take(mine, is_handing=True)
        self._free(taken, [key for key in ids if key not in mine])
        return [one for one in chunk if one.message.id in mine]

    def _admit(self, taken: _Taken, road: Channel, chunk: list[Prepared]) -> list[Prepared]:
        """Take places of the day and money for messages, in the transaction of the mark; end those that get none."""
        lane = taken.lane
        if lane.has_quota:
            granted = quota.take(lane.id, len(chunk))
            chunk, left = chunk[:granted], chunk[granted:]
            record_ends(
                [End(one.message.id, Message.State.DUE, Reason.DAILY_QUOTA) for one in left],
                owner=self._desk.owner,
            )
        if road.is_paid and chunk:
            assert isinstance(taken.account, SmsAccount)
            stakes, ends = spending.set_aside(taken.account, chunk, now=self._desk.now())
            taken.stakes.update(stakes)
            lock_messages([end.message_id for end in ends])
            record_ends(ends, owner=self._desk.owner)
            if lane.has_quota:
                quota.give_back(lane.id, len(ends))
            chunk = [one for one in chunk if one.message.id in stakes]
        return chunk

    def _free(self, taken: _Taken, ids: Sequence[int]) -> None:
        """Give back what was taken for messages that did not leave."""
        stakes = [taken.stakes.pop(key) for key in ids if key in taken.stakes]
        if ids and (stakes or taken.lane.has_quota):
            with transaction.atomic():
                if taken.lane.has_quota:
                    quota.give_back(taken.lane.id, len(ids))
                spending.give_back(stakes)

    def _turn(self, chunk: list[Prepared], road: Channel, line: Line, way: str) -> Report:
        turn = Turn(chunk, line.exchange(), self._desk, road)
        self._turned.update(one.message.id for one in chunk)
        report = turn.hand_over_batch() if way == Lane.Way.BATCH else turn.hand_over_single()
        if way == Lane.Way.BATCH:
            line.pace.note(len(chunk), report.seconds)
        return report

    def _choose_way(self, lane: LaneRow, line: Line, way: str, report: Report, count: int) -> str:
        """Change the way of a lane whose server has become slow or quick."""
        per_mail = report.seconds / max(count, 1)
        chosen = way
        if way == Lane.Way.BATCH and (report.is_slow or per_mail > _SLOW) and report.handed:
            chosen = Lane.Way.SINGLE.value
        elif way == Lane.Way.SINGLE and report.handed and per_mail < _QUICK and line.can_pipeline:
            chosen = Lane.Way.BATCH.value
        if chosen != way and line.can_pipeline:
            self._way = chosen
            lanes.set_way(lane.id, chosen)
        return chosen

    def _follow_up(self, taken: _Taken, report: Report) -> None:
        """Do what refusals ask for beyond the messages themselves."""
        lane, now = taken.lane, self._desk.now()
        self._free(taken, report.unspent)
        for address, reason in report.suppress:
            suppress(
                lane.shop_id,
                address,
                scope=Suppression.Scope.ALL,
                reason=reason,
                now=now,
                channel=lane.channel,
            )
        if report.handed and lane.backoff_seconds and not (report.halt or report.slow_down):
            lanes.clear(lane.id, lane.shop_id, now=now)
        if self._state.is_disliked(report.handed, report.policy_refusals):
            report.halt = report.halt or "the server refuses more than one message in twenty"
        if report.halt:
            report.must_stop = True
            trouble = LineTrouble(report.halt, stage="policy", is_for_person=True)
            lanes.pause(lane.id, lane.shop_id, trouble, now=now)
        elif report.slow_down:
            lanes.slow_down(lane.id)
        elif report.is_line_dead:
            lanes.pause(
                lane.id,
                lane.shop_id,
                LineTrouble("the line broke", stage="content", is_for_person=False),
                now=now,
            )


def _shop(shop_id: int) -> tuple[str, bool, bool]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT locale, live_since IS NOT NULL, counts_opens FROM shops_shop WHERE id = %s", [shop_id]
        )
        locale, is_live, counts_opens = cursor.fetchone()
    return locale, is_live, counts_opens
