"""What providers tell later: what became of a message, and what people answered."""

from datetime import datetime

from django.db import connection, transaction

from recoup.core import activity
from recoup.customers.actions import lift_suppression, suppress
from recoup.customers.models import Suppression
from recoup.messaging.actions import announce_settled
from recoup.messaging.models import Message, SmsAccount
from recoup.messaging.ports import Answer, DeliveryReport, Told
from recoup.messaging.reasons import Reason

State = Message.State
_RANK = {"": 0, "accepted": 1, "undelivered": 2, "delivered": 3}
"""A report never takes a message back: what has arrived has arrived, whatever comes later."""


def record_told(account: SmsAccount, told: Told, *, now: datetime) -> None:
    """Write down what a call says. The same call again changes nothing, and neither does an older one that comes late."""
    with transaction.atomic():
        for report in sorted(told.reports, key=lambda one: one.ref):
            _record_report(account, report, now)
        for answer in told.answers:
            _record_answer(account, answer, now)


def _record_report(account: SmsAccount, report: DeliveryReport, now: datetime) -> None:
    message = (
        Message.objects.filter(shop_id=account.shop_id, message_ref=report.ref)
        .exclude(channel="email")
        .order_by("-id")
        .first()
    )
    if message is None:
        return
    weaker = [state for state, rank in _RANK.items() if rank < _RANK[report.state]]
    changed = Message.objects.filter(pk=message.pk, delivery__in=weaker).update(
        delivery=report.state,
        delivery_at=report.at,
        delivery_code=report.code[:40],
        provider_ref=report.provider_ref[:64] or message.provider_ref,
    )
    if not changed:
        return
    _settle_uncertain(message, report, now)
    if report.is_address_gone or report.is_unsubscribed:
        suppress(
            account.shop_id,
            message.recipient,
            scope=Suppression.Scope.ALL,
            reason=Suppression.Reason.UNSUBSCRIBED if report.is_unsubscribed else Suppression.Reason.BOUNCED,
            now=now,
            channel=message.channel,
        )


def _settle_uncertain(message: Message, report: DeliveryReport, now: datetime) -> None:
    """End a message of which nobody knew: the provider has had it, or says that it did not arrive.

    One that is about to be offered again because its answer was lost is not offered: it was taken.
    """
    is_there = report.state != Message.Delivery.UNDELIVERED
    end = {
        "state": State.SENT if is_there else State.FAILED,
        "reason": "" if is_there else Reason.NOT_DELIVERED,
        "settled_at": now,
    }
    rows = Message.objects.filter(pk=message.pk)
    changed = rows.filter(state=State.UNCERTAIN).update(**end) or rows.filter(
        state=State.DUE, is_resent=True, handed_at__isnull=False
    ).update(**end)
    if changed:
        message.refresh_from_db()
        announce_settled([message], at=message.handed_at if is_there else now)


def _record_answer(account: SmsAccount, answer: Answer, now: datetime) -> None:
    if not answer.sender or not answer.wish:
        return
    if answer.wish == "stop":
        suppress(
            account.shop_id,
            answer.sender,
            scope=Suppression.Scope.ALL,
            reason=Suppression.Reason.UNSUBSCRIBED,
            now=now,
            channel="sms",
        )
    else:
        lift_suppression(
            account.shop_id,
            answer.sender,
            scope=Suppression.Scope.ALL,
            reasons=[Suppression.Reason.UNSUBSCRIBED],
            now=now,
            channel="sms",
        )
    contact_id = _contact_of(account.shop_id, answer.sender)
    if contact_id is not None:
        activity.record(
            f"messaging.sms.{answer.wish}",
            shop_id=account.shop_id,
            subject=("contact", contact_id),
            at=now,
        )


def _contact_of(shop_id: int, number: str) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT contact_id FROM customers_contactidentity WHERE shop_id = %s AND kind = 'phone' AND value = %s",
            [shop_id, number],
        )
        row = cursor.fetchone()
    return int(row[0]) if row is not None else None
