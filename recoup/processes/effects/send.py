"""Messages are queued with `messaging`, and called off when their enrolment ends."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from recoup.core.arrays import numbers
from recoup.messaging import actions as messaging
from recoup.messaging.calling_off import request_cancel
from recoup.processes.effects.base import Asked, Carrier
from recoup.processes.engine.codes import Flag, SubjectKind
from recoup.processes.engine.records import Enrolment, Outcome, SendEffect
from recoup.processes.versions import message_source_of

_ORDER, _CART, _TEST = int(SubjectKind.ORDER), int(SubjectKind.CART), int(Flag.TEST)
_CONTACT = int(SubjectKind.CONTACT)
# Cross shops, as a batch does.
_OPEN_CASES = {
    _ORDER: "SELECT order_id, id FROM recovery_recoverycase WHERE order_id = ANY(%s::bigint[]) AND closed_at IS NULL",
    _CART: "SELECT cart_id, id FROM recovery_recoverycase WHERE cart_id = ANY(%s::bigint[]) AND closed_at IS NULL",
}


def _carry_out(asked: Asked, now: datetime) -> None:
    cases = _cases_of(asked)
    messaging.queue_messages([_message(enrolment, effect, cases) for enrolment, effect in asked], now=now)


def _cases_of(asked: Asked) -> dict[tuple[int, int], int]:
    """Return the open cases of orders and carts whose people came in before there was one, by kind and id.

    Without its case a reminder would not count in the report.
    """
    without = {
        (enrolment.subject_kind, enrolment.subject_id)
        for enrolment, effect in asked
        if enrolment.case_id is None and effect.purpose == "reminder"
    }
    found: dict[tuple[int, int], int] = {}
    for kind, sql in _OPEN_CASES.items():
        ids = [subject_id for subject_kind, subject_id in without if subject_kind == kind]
        if ids:
            with connection.cursor() as cursor:
                cursor.execute(sql, [numbers(ids)])
                found |= {(kind, subject_id): pk for subject_id, pk in cursor.fetchall()}
    return found


def _message(
    enrolment: Enrolment, effect: SendEffect, cases: Mapping[tuple[int, int], int]
) -> messaging.MessageOrder:
    return messaging.MessageOrder(
        shop_id=enrolment.shop_id,
        source_id=message_source_of(enrolment.version_id),
        enrolment_id=enrolment.id,
        step_no=effect.step_no,
        node=effect.node_id,
        case_id=enrolment.case_id or cases.get((enrolment.subject_kind, enrolment.subject_id)),
        contact_id=enrolment.contact_id,
        order_id=enrolment.subject_id if enrolment.subject_kind == _ORDER else None,
        cart_id=enrolment.subject_id if enrolment.subject_kind == _CART else None,
        template_key=effect.template,
        locale="",
        purpose=purpose_of(enrolment.subject_kind, effect),
        due_at=effect.planned_at,
        not_after=effect.not_after,
        is_test=bool(enrolment.flags & _TEST),
        channel=effect.channel,
        otherwise=effect.otherwise,
        day_ends_at=effect.day_ends_at,
    )


def purpose_of(subject_kind: int, effect: SendEffect) -> str:
    """Return what a message is for.

    What a person without an order is told counts among the messages of their day, whatever the block calls it.
    """
    return "reminder" if subject_kind == _CONTACT else effect.purpose


def _end(ended: Sequence[Outcome], now: datetime) -> None:
    ids = [o.enrolment.id for o in ended if o.enrolment.last_message_step is not None]
    request_cancel(enrolment_ids=ids, reason="stopped", now=now)


CARRIER = Carrier(_carry_out, _end)
