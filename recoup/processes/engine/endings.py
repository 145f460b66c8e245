"""How an enrolment ends, or is put off, from outside its graph."""

from datetime import datetime, timedelta

from recoup.processes.engine.codes import Code, State, is_final
from recoup.processes.engine.records import Enrolment, Outcome, Step

MOST_ATTEMPTS = 5
FIRST_PAUSE = timedelta(minutes=1)


def stop(enrolment: Enrolment, code: Code, at: datetime) -> Outcome:
    """End an enrolment by hand, by a stronger process, by erasure or with its process."""
    if is_final(enrolment.state):
        return Outcome(enrolment, (), ())
    return _end(enrolment, State.CANCELLED, code, max(at, enrolment.node_at))


def poison(enrolment: Enrolment, now: datetime) -> Outcome:
    """Put off an enrolment whose advance raised: after 1, 4, 16 and 64 minutes, then it is failed for good.

    A failed one becomes a dead letter, which a person can retry; the others of its batch go on.
    """
    attempt = enrolment.attempt + 1
    if attempt >= MOST_ATTEMPTS:
        return _end(enrolment._replace(attempt=attempt), State.FAILED, Code.FAILED_ERROR, enrolment.node_at)
    run_at = now + FIRST_PAUSE * 4 ** (attempt - 1)
    return Outcome(enrolment._replace(attempt=attempt, run_at=run_at, state=State.READY.value), (), ())


def _end(enrolment: Enrolment, state: State, code: Code, at: datetime) -> Outcome:
    step = Step(enrolment.step_no + 1, enrolment.node, code.value, at)
    ended = enrolment._replace(state=state.value, step_no=step.step_no, due_at=None, run_at=None, wait_mask=0)
    return Outcome(ended, (step,), ())
