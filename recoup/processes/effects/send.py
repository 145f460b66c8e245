"""Messages are queued with `messaging`, and called off when their enrolment ends."""

from collections.abc import Sequence
from datetime import datetime

from recoup.messaging import actions as messaging
from recoup.processes.effects.base import Asked, Carrier
from recoup.processes.engine.codes import Flag, SubjectKind
from recoup.processes.engine.records import Enrolment, Outcome, SendEffect
from recoup.processes.versions import message_source_of

_ORDER, _CART, _TEST = int(SubjectKind.ORDER), int(SubjectKind.CART), int(Flag.TEST)
_CONTACT = int(SubjectKind.CONTACT)


def _carry_out(asked: Asked, now: datetime) -> None:
    messaging.queue_messages([_message(enrolment, effect) for enrolment, effect in asked], now=now)


def _message(enrolment: Enrolment, effect: SendEffect) -> messaging.MessageOrder:
    return messaging.MessageOrder(
        shop_id=enrolment.shop_id,
        source_id=message_source_of(enrolment.version_id),
        enrolment_id=enrolment.id,
        step_no=effect.step_no,
        node=effect.node_id,
        case_id=enrolment.case_id,
        contact_id=enrolment.contact_id,
        order_id=enrolment.subject_id if enrolment.subject_kind == _ORDER else None,
        cart_id=enrolment.subject_id if enrolment.subject_kind == _CART else None,
        template_key=effect.template,
        locale="",
        # What a person without an order is told counts among the messages of their day, whatever the block calls it.
        purpose="reminder" if enrolment.subject_kind == _CONTACT else effect.purpose,
        due_at=effect.planned_at,
        not_after=effect.not_after,
        is_test=bool(enrolment.flags & _TEST),
        channel=effect.channel,
        otherwise=effect.otherwise,
    )


def _end(ended: Sequence[Outcome], now: datetime) -> None:
    ids = [o.enrolment.id for o in ended if o.enrolment.last_message_step is not None]
    messaging.request_cancel(enrolment_ids=ids, reason="stopped", now=now)


CARRIER = Carrier(_carry_out, _end)
