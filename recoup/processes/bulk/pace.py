"""The pace of a bulk add: how many it has earned by now, and when the last comes in."""

from datetime import datetime, timedelta

from recoup.processes.bulk.models import BulkAdd

# What a pace has earned at most while nobody worked: a worker that was away for a night lets no night's worth in at once.
MOST_EARNED = timedelta(minutes=5)


def spacing(run: BulkAdd) -> timedelta:
    """Return the time from one who comes in to the next; none without a pace."""
    return timedelta(hours=1) / run.per_hour if run.per_hour else timedelta()


def last_comes_in_at(run: BulkAdd) -> datetime | None:
    """Return when the last comes in if everybody who is left does; nothing before the first, or without a pace."""
    left = max(run.whole - run.done, 1)
    return run.next_at + spacing(run) * (left - 1) if run.per_hour and run.next_at else None


def earned(run: BulkAdd, now: datetime, limit: int) -> tuple[datetime, int]:
    """Return from when the pace counts, and how many it lets in by now."""
    start = max(run.next_at or now, now - MOST_EARNED)
    if not run.per_hour:
        return start, limit
    return start, max(0, min((now - start) // spacing(run) + 1, limit))
