"""Tasks stand on the desk; those of an enrolment that ended by a goal, or was stopped, are called off."""

from collections.abc import Sequence
from datetime import datetime

from recoup.desk.actions import TaskOrder, cancel_of_enrolments, make_tasks
from recoup.processes.effects.base import Asked, Carrier
from recoup.processes.engine.codes import State, SubjectKind
from recoup.processes.engine.records import Outcome

_ORDER, _CART = int(SubjectKind.ORDER), int(SubjectKind.CART)
_REASONS = {State.EXITED: "goal", State.CANCELLED: "stopped", State.FAILED: "stopped"}


def _carry_out(asked: Asked, now: datetime) -> None:
    make_tasks(
        [
            TaskOrder(
                shop_id=enrolment.shop_id,
                process_id=enrolment.process_id,
                enrolment_id=enrolment.id,
                step_no=effect.step_no,
                node=effect.node,
                contact_id=enrolment.contact_id,
                title=effect.title,
                note=effect.note,
                due_at=effect.due_at,
                order_id=enrolment.subject_id if enrolment.subject_kind == _ORDER else None,
                cart_id=enrolment.subject_id if enrolment.subject_kind == _CART else None,
                priority=effect.priority,
                role=effect.role,
                person=effect.person,
            )
            for enrolment, effect in asked
        ],
        now=now,
    )


def _end(ended: Sequence[Outcome], now: datetime) -> None:
    """Call off what is open. A process that came to its own end leaves its tasks to those who have them."""
    for state, reason in _REASONS.items():
        ids = [o.enrolment.id for o in ended if o.enrolment.state == state and o.enrolment.step_no > 1]
        cancel_of_enrolments(ids, reason=reason, now=now)


CARRIER = Carrier(_carry_out, _end)
