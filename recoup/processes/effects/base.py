"""What an effect is outside the engine: how a batch of it is carried out, and what becomes of it when enrolments end."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from recoup.processes.engine.records import Enrolment, Outcome

Asked = Sequence[tuple[Enrolment, Any]]  # the enrolment as it is after the step, and the effect


def leave(ended: Sequence[Outcome], now: datetime) -> None:
    """Let what was begun go on when its enrolment has ended."""


class Carrier(NamedTuple):
    """An effect, carried out. Both get whole batches and write in the present transaction; the ledger is written already.

    `carry_out` never gets a suppressed effect. `end` gets the enrolments that have just ended, whether or not they have
    ever asked for this effect.
    """

    carry_out: Callable[[Asked, datetime], None]
    end: Callable[[Sequence[Outcome], datetime], None] = leave
