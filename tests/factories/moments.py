"""The instant that tests live in."""

from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
