"""Applying what was just kept, after the answer has gone out, while there is time for it.

The worker applies everything in the end. Here an order in a quiet hour is seen at once; under load nothing is done, so that
taking in stays fast.
"""

import threading
import time

import structlog
from django.http import HttpResponse

from recoup.core.clock import trade_now
from recoup.hooks.apply import apply_item

log = structlog.get_logger(__name__)

PER_SECOND = 10.0  # of one process: at ten milliseconds each, a tenth of its time
_gate = threading.Lock()
_calls = 0
_allowance = PER_SECOND
_refilled_at = time.monotonic()


class KeptAnswer(HttpResponse):
    """The answer "kept"; once it is sent, the item is applied if this process is not busy."""

    def __init__(self, item_id: int) -> None:
        super().__init__(b"kept\n", content_type="text/plain")
        self._item_id = item_id

    def close(self) -> None:
        """Apply the item, then let go of the request."""
        try:
            if _may_apply():
                apply_item(self._item_id, now=trade_now())
        except Exception as error:  # noqa: BLE001 - it is kept and answered; the worker tries again
            log.error("hooks.not_applied_at_once", item_id=self._item_id, error=repr(error))
        finally:
            super().close()


def begin_call() -> None:
    """Count a call that is being answered."""
    global _calls  # noqa: PLW0603 - one number for the process
    with _gate:
        _calls += 1


def end_call() -> None:
    """Forget a call that was answered."""
    global _calls  # noqa: PLW0603 - one number for the process
    with _gate:
        _calls -= 1


def _may_apply() -> bool:
    global _allowance, _refilled_at  # noqa: PLW0603 - one bucket for the process
    with _gate:
        moment = time.monotonic()
        _allowance = min(PER_SECOND, _allowance + (moment - _refilled_at) * PER_SECOND)
        _refilled_at = moment
        if _calls > 0 or _allowance < 1:
            return False
        _allowance -= 1
        return True
