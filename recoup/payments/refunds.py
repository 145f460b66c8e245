"""Giving money back through the operator that took it, once (R29, R31, T76)."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Sum

from recoup.core import activity, attention, clock
from recoup.core.activity import Actor
from recoup.core.installation import is_silenced
from recoup.orders.settle import lock_order
from recoup.payments.actions import record_refund
from recoup.payments.adapters import operator
from recoup.payments.models import Attempt, Refund, RefundCall, session_key
from recoup.payments.ports import OperatorRefused, OperatorUnavailable, OutcomeUnknown, RefundRequest
from recoup.payments.queries import CAPTURED, DOUBLE_PAYMENT, OVERPAID
from recoup.payments.sessions import KEY_LIFE

CALL_TIME = timedelta(minutes=2)  # longer than a call may take


class RefundNotPossible(Exception):
    """Nothing is given back; `reason` is a code: `underway`, `nothing_left`, `not_supported`, `unavailable`, `refused`,
    `silenced`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RefundUnknown(Exception):
    """The operator's answer was lost: the refund may have been made. Pressing again repeats the same call, not another."""


def refundable(attempt: Attempt) -> Decimal:
    """Return what can still be given back of a captured attempt."""
    if attempt.state not in CAPTURED:
        return Decimal(0)
    given = Refund.objects.filter(attempt=attempt).aggregate(sum=Sum("amount"))["sum"]
    if given is None:  # told as refunded without saying how much: all of it
        return Decimal(0) if attempt.state == Attempt.State.REFUNDED else Decimal(attempt.amount)
    return Decimal(attempt.amount) - Decimal(given)


def give_back(attempt: Attempt, amount: Decimal, *, actor: Actor, now: datetime) -> None:
    """Ask the operator to give back a sum of one attempt, and record it.

    The call and its key are committed before the operator is asked, so this must not run inside a transaction. A lost answer
    leaves the call unknown: pressing again repeats it under the same key. The operator's own call about the refund names
    the same refund and changes nothing.

    :raises RefundNotPossible: if one is under way, or no such sum is left, or the operator cannot or will not.
    :raises RefundUnknown: if the operator's answer was lost.
    """
    if is_silenced():
        raise RefundNotPossible("silenced")
    account = attempt.operator_account
    if account is None or not operator(account.kind).abilities(account).refunds:
        raise RefundNotPossible("not_supported")
    call = _reserve(attempt, amount, actor=actor, now=now)
    request = RefundRequest(key=call.key, payment_ref=attempt.ref, amount=call.amount, currency=call.currency)
    try:
        refund = operator(account.kind).refund(account, request)
    except OperatorUnavailable as error:
        _end(
            call,
            RefundCall.State.REFUSED if call.state == RefundCall.State.ASKED else call.state,
            "unavailable",
        )
        raise RefundNotPossible("unavailable") from error
    except OperatorRefused as error:
        _end(call, RefundCall.State.REFUSED, error.code)
        raise RefundNotPossible("refused") from error
    except OutcomeUnknown as error:
        _end(call, RefundCall.State.UNKNOWN, "")
        raise RefundUnknown(call.pk) from error
    at = min(refund.at + clock.trade_offset(), now)
    with transaction.atomic():
        record_refund(attempt.order, replace(refund, payment_ref=attempt.ref, at=at), now=now)
        _end(call, RefundCall.State.DONE, refund.ref)
        for kind in (DOUBLE_PAYMENT, OVERPAID):
            attention.settle(
                kind, shop_id=attempt.shop_id, key=str(attempt.order_id), now=now, user_id=actor.id
            )


def _reserve(attempt: Attempt, amount: Decimal, *, actor: Actor, now: datetime) -> RefundCall:
    """Store the call, or take up one whose answer was lost; the index lets one person in."""
    with transaction.atomic():
        lock_order(attempt.order_id)
        unsettled = RefundCall.objects.filter(
            attempt=attempt, state__in=(RefundCall.State.ASKED, RefundCall.State.UNKNOWN)
        ).first()
        if unsettled is not None:
            return _take_up(unsettled, now)
        if not Decimal(0) < amount <= refundable(attempt):
            raise RefundNotPossible("nothing_left")
        try:
            with transaction.atomic():
                call = RefundCall.objects.create(
                    shop_id=attempt.shop_id,
                    attempt=attempt,
                    key=session_key(),
                    amount=amount,
                    currency=attempt.currency,
                    asked_by=actor.id,
                    asked_at=now,
                )
        except IntegrityError as error:
            raise RefundNotPossible("underway") from error
        activity.record(
            "payments.refund.asked",
            shop_id=attempt.shop_id,
            subject=("order", attempt.order_id),
            at=now,
            actor=actor,
            amount=str(amount),
            currency=attempt.currency,
        )
    return call


def _take_up(call: RefundCall, now: datetime) -> RefundCall:
    """Return a call whose answer was lost, or whose caller died, to be repeated under its key while operators know it."""
    if now - call.asked_at > KEY_LIFE:
        raise RefundUnknown(call.pk)
    if call.state == RefundCall.State.ASKED and now - call.asked_at < CALL_TIME:
        raise RefundNotPossible("underway")
    return call


def _end(call: RefundCall, state: str, answer: str) -> None:
    RefundCall.objects.filter(pk=call.pk).update(state=state, answer=answer[:500])
