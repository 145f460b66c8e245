"""Applying what was just kept, after the answer has gone out, while there is time for it.

The worker applies everything in the end, a quarter of a second later. Here an order in a quiet hour is seen at once; as soon
as calls come fast nothing is done, so that taking in stays fast (a tenth of a process at it cost a third of all answers).
"""

import threading
import time
from collections import deque

import structlog
from django.http import HttpResponse

from recoup.core.clock import trade_now
from recoup.hooks.apply import apply_item

log = structlog.get_logger(__name__)

QUIET_CALLS = 3  # so many calls ...
QUIET_SECONDS = 1.0  # ... within so long, in one process, are no quiet hour any more
_gate = threading.Lock()
_calls = 0
_came_at: deque[float] = deque(maxlen=QUIET_CALLS)


class KeptAnswer(HttpResponse):
    """The answer "kept"; once it is sent, the item is applied if this process is not busy."""

    def __init__(self, item_id: int) -> None:
        super().__init__(b"kept\n", content_type="text/plain")
        self._item_id = item_id

    def close(self) -> None:
        """Apply the item, then let go of the request."""
        try:
            if is_quiet():
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
        _came_at.append(time.monotonic())


def end_call() -> None:
    """Forget a call that was answered."""
    global _calls  # noqa: PLW0603 - one number for the process
    with _gate:
        _calls -= 1


def is_quiet() -> bool:
    """Tell whether nothing else is being answered here, and little was a moment ago."""
    with _gate:
        came_often = len(_came_at) == QUIET_CALLS and time.monotonic() - _came_at[0] < QUIET_SECONDS
        return _calls == 0 and not came_often


def forget() -> None:
    """Forget what came; what tests call."""
    _came_at.clear()
