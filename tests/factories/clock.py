"""The clock that trade lives in, set for a test."""

from datetime import datetime

from recoup.core.clock import real_now
from recoup.core.models import Installation


def set_clock(at: datetime) -> None:
    """Let trade time go on from this instant."""
    Installation.objects.update_or_create(pk=1, defaults={"trade_offset": at - real_now()})
