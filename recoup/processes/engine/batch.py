"""The loop body that every store shares: pick, advance, save. The store decides what a transaction is."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from recoup.processes.engine.advance import advance
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.endings import poison
from recoup.processes.engine.records import Enrolment, Facts, Outcome

BATCH = 500  # rows of a batch stay locked for 40 to 65 ms (measured)


class Due(NamedTuple):
    """One picked enrolment with everything that its advance may look at."""

    graph: Graph
    enrolment: Enrolment
    facts: Facts


class WakeUp(NamedTuple):
    """News about a subject: active enrolments on it that wait for this event are looked at again."""

    subject_kind: int
    subject_id: int
    event_bit: int


class Store(Protocol):
    """Where enrolments live. `pick` and `save` of one batch happen in one transaction of the store."""

    def now(self) -> datetime:
        """Return the store's trade clock."""

    def wake(self, wake_ups: Sequence[WakeUp], now: datetime) -> int:
        """Make the waiting enrolments that listen ready: `state=READY, prio=WOKEN, run_at=min(run_at, now)`.

        The mask is tested on the locked row. `due_at` stays. Returns how many were woken.
        """

    def pick(self, limit: int, now: datetime) -> list[Due]:
        """Lock and return up to `limit` active enrolments with `run_at <= now`, by priority, then `run_at`.

        Those of a paused process are set to `State.PAUSED` instead of being returned.
        """

    def save(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Write enrolments, ledger lines and effects of a batch, all or none.

        Of an enrolment that has ended, the active key and group key are emptied, and the messages that have
        not ended are asked to be cancelled. A suppressed effect is not carried out.
        """


class Batch(NamedTuple):
    """What one batch did. `errors` holds the exception of every enrolment that was put off by `poison`."""

    outcomes: list[Outcome]
    errors: list[tuple[Enrolment, Exception]]


def advance_all(due: Sequence[Due], now: datetime) -> Batch:
    """Advance what was picked. An enrolment that raises is put off and stops nobody else."""
    outcomes: list[Outcome] = []
    errors: list[tuple[Enrolment, Exception]] = []
    for graph, enrolment, facts in due:
        try:
            outcomes.append(advance(graph, enrolment, facts, now))
        except Exception as error:  # noqa: BLE001 - one poisoned row must not stop a shop
            errors.append((enrolment, error))
            outcomes.append(poison(enrolment, now))
    return Batch(outcomes, errors)


def run_batch(
    store: Store, limit: int = BATCH, on_error: Callable[[Enrolment, Exception], None] | None = None
) -> int:
    """Pick, advance and save one batch; return how many enrolments were picked."""
    now = store.now()
    due = store.pick(limit, now)
    if not due:
        return 0
    batch = advance_all(due, now)
    store.save(batch.outcomes, now)
    for enrolment, error in batch.errors:
        if on_error is not None:
            on_error(enrolment, error)
    return len(due)
