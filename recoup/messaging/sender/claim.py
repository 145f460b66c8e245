"""Taking due messages of a lane: token bucket, `SKIP LOCKED`, lease, low-water mark; one short transaction."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from recoup.messaging.sender import failpoints, quota
from recoup.messaging.sender.records import Claimed
from recoup.messaging.sender.timing import Timing

_COLUMNS = ", ".join(f"m.{name}" for name in Claimed._fields)


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane as the claim found it."""

    id: int
    shop_id: int
    channel: str
    way: str
    is_in_trouble: bool
    backoff_seconds: int
    left_today: int | None = None
    """Of the day's quota; nothing where there is none."""

    max_in_flight: int | None = None

    @property
    def has_quota(self) -> bool:
        """Whether places of the day are counted."""
        return self.left_today is not None


def due_lanes(now: datetime) -> list[int]:
    """Return the lanes that may send now and have something due, across shops on purpose."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.id FROM messaging_lane l
            WHERE (l.next_at IS NULL OR l.next_at <= clock_timestamp())
                AND NOT EXISTS (SELECT FROM core_installation WHERE silenced_at IS NOT NULL)
                AND EXISTS (
                    SELECT FROM messaging_message m
                    WHERE m.lane_id = l.id AND m.state = 'due' AND m.prio IN (0, 1, 2) AND m.due_at <= %s
                        AND m.due_at >= coalesce(l.due_mark, '-infinity'))
            ORDER BY l.id
            """,
            [now],
        )
        return [row[0] for row in cursor.fetchall()]


def claim(
    lane_id: int, *, owner: int, now: datetime, timing: Timing, most: int | None = None
) -> tuple[LaneRow | None, list[Claimed]]:
    """Take what is due on a lane, as many as its tokens allow, earliest first; commit.

    While a backlog is drained each claim begins where the last one ended: under an old snapshot the entries behind it cannot
    be cleaned away, and reading them again made a claim four times slower. What was queued with an earlier instant is
    found when the mark is opened, every few seconds.
    """
    with transaction.atomic():
        write_down_later()
        lane, tokens, mark = _lock_lane(lane_id, timing)
        if lane is None or tokens < 1:
            return lane, []
        wanted = min(_most(lane, most or timing.claim), int(tokens))
        if wanted < 1:
            return lane, []
        claimed = _take(lane_id, wanted, owner, now, mark, timing)
        _write_lane(lane_id, tokens - len(claimed), claimed, wanted, opened=mark is None)
        failpoints.reach("before_claim_commit")
    failpoints.reach("after_claim")
    return lane, claimed


def _most(lane: LaneRow, most: int) -> int:
    """Return how many may be taken at once: one, to see whether a server is well again; no more than the day has left."""
    if lane.backoff_seconds:
        most = 1
    if lane.left_today is not None:
        if lane.left_today < 1:
            quota.rest_until_tomorrow(lane.id)
        most = min(most, lane.left_today)
    if lane.max_in_flight is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM messaging_message WHERE lane_id = %s AND state IN ('claimed', 'handing')",
                [lane.id],
            )
            most = min(most, lane.max_in_flight - cursor.fetchone()[0])
    return most


def write_down_later() -> None:
    """Let this transaction's commit not wait for the disk: lost in a crash, nothing has left because of it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def _lock_lane(lane_id: int, timing: Timing) -> tuple[LaneRow | None, float, datetime | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT l.id, l.shop_id, l.channel, l.way, l.in_trouble_since IS NOT NULL, l.backoff_seconds,
                {quota.LEFT}, l.max_in_flight,
                least(l.burst, l.tokens + l.rate * greatest(0, extract(epoch FROM
                    clock_timestamp() - coalesce(l.refilled_at, clock_timestamp()))))::float8,
                CASE WHEN l.mark_opened_at > clock_timestamp() - make_interval(secs => %s) THEN l.due_mark END, l.rate
            FROM messaging_lane l JOIN shops_shop s ON s.id = l.shop_id
            WHERE l.id = %s AND (l.next_at IS NULL OR l.next_at <= clock_timestamp())
            FOR NO KEY UPDATE OF l
            """,  # noqa: S608 - a piece of ours
            [timing.reopen, lane_id],
        )
        row = cursor.fetchone()
        if row is None:
            return None, 0, None
        lane, tokens, mark, rate = LaneRow(*row[:8]), row[8], row[9], row[10]
        if tokens < 1:
            cursor.execute(
                "UPDATE messaging_lane SET next_at = clock_timestamp() + make_interval(secs => %s) WHERE id = %s",
                [min((1 - tokens) / max(rate, 0.001), 60.0), lane_id],
            )
    return lane, tokens, mark


_TAKE = f"""
    WITH asked AS MATERIALIZED (
        SELECT id FROM messaging_message
        WHERE lane_id = %(lane)s AND state = 'due' AND prio = 0 AND due_at <= %(now)s
        ORDER BY due_at, id LIMIT %(wanted)s FOR NO KEY UPDATE SKIP LOCKED
    ), ordinary AS MATERIALIZED (
        SELECT id FROM messaging_message
        WHERE lane_id = %(lane)s AND state = 'due' AND prio = 1 AND due_at <= %(now)s AND due_at >= %(mark)s
        ORDER BY due_at, id LIMIT %(wanted)s - (SELECT count(*) FROM asked) FOR NO KEY UPDATE SKIP LOCKED
    ), bulk AS MATERIALIZED (
        SELECT id FROM messaging_message
        WHERE lane_id = %(lane)s AND state = 'due' AND prio = 2 AND due_at <= %(now)s AND due_at >= %(mark)s
        ORDER BY due_at, id
        LIMIT %(wanted)s - (SELECT count(*) FROM asked) - (SELECT count(*) FROM ordinary)
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE messaging_message m
    SET state = 'claimed', lease_owner = %(owner)s, lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
    WHERE m.id = ANY (ARRAY(SELECT id FROM asked UNION ALL SELECT id FROM ordinary UNION ALL SELECT id FROM bulk))
    RETURNING {_COLUMNS}
"""  # noqa: S608 - column names of this package


def _take(
    lane_id: int, wanted: int, owner: int, now: datetime, mark: datetime | None, timing: Timing
) -> list[Claimed]:
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "lane": lane_id,
                "now": now,
                "wanted": wanted,
                "mark": mark or "-infinity",
                "owner": owner,
                "lease": timing.lease,
            },
        )
        claimed = [Claimed(*row) for row in cursor.fetchall()]
    claimed.sort(key=lambda message: (message.prio, message.due_at, message.id))
    return claimed


def _write_lane(lane_id: int, tokens: float, claimed: list[Claimed], wanted: int, *, opened: bool) -> None:
    is_backlog = len(claimed) == wanted and claimed[-1].prio > 0
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_lane SET tokens = %s, refilled_at = clock_timestamp(), due_mark = %s,"
            " mark_opened_at = CASE WHEN %s THEN clock_timestamp() ELSE mark_opened_at END WHERE id = %s",
            [tokens, claimed[-1].due_at if is_backlog else None, opened, lane_id],
        )
