"""What a block has begun is called off when its person is called away from it: its message under way, its open task."""

from datetime import datetime

from recoup.desk.actions import cancel_of_blocks
from recoup.messaging.calling_off import request_cancel
from recoup.processes.effects.base import Asked, Carrier


def _carry_out(asked: Asked, now: datetime) -> None:
    request_cancel(enrolment_ids=[enrolment.id for enrolment, _ in asked], reason="stopped", now=now)
    cancel_of_blocks([(enrolment.id, effect.node) for enrolment, effect in asked], reason="goal", now=now)


CARRIER = Carrier(_carry_out)
