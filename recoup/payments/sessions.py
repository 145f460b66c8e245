"""Pay sessions of our own pay page: opened once, shown again, ended (R27, R29, R31; T72, T78).

The key and the sum are stored before the operator is called; every further call for the same session carries the same key.
One session at most is open for an order: an index decides it. Asking how they stand: `asking`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.db import transaction

from recoup.core import attention, clock
from recoup.core.installation import is_silenced
from recoup.orders.actions import amount_due
from recoup.orders.models import Order
from recoup.orders.queries import OPEN_STATUSES, OWED_STATES
from recoup.orders.settle import lock_order
from recoup.payments import told
from recoup.payments.actions import announce_ended
from recoup.payments.adapters import operator
from recoup.payments.models import Attempt, OperatorAccount, session_key
from recoup.payments.ports import (
    OpenedSession,
    OpenRequest,
    OperatorRefused,
    OperatorUnavailable,
    OutcomeUnknown,
)
from recoup.payments.ways import Way
from recoup.shops.addresses import origin_of
from recoup.shops.snapshots import AttemptState, FailureClass

log = structlog.get_logger(__name__)

FIRST_ASK = timedelta(minutes=1)  # a lost call is found while the buyer still looks at the page
KEY_LIFE = timedelta(
    hours=23
)  # operators forget keys after 24 h: later a repeated call could charge anew (R31)


class NotPayable(Exception):
    """The order cannot be paid now; `reason` is a code of `why_not_payable`. A door answers 409."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SessionNotOpened(Exception):
    """No session was opened, and surely nothing taken: `reason` is `unavailable`, `refused` or `silenced`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SessionUnknown(Exception):
    """Whether a session exists or was paid is not known yet; nothing else may be opened meanwhile."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a session is opened with, beside the order: what the buyer chose, and addresses of ours."""

    way: Way
    return_url: str
    notify_url: str
    locale: str
    description: str
    message_id: int | None = None
    # The sum that the buyer saw, where an offer may make it less than what is due.
    expected: Decimal | None = None
    # Called with the locked order before a session is stored: what an offer takes off, used in the same transaction.
    agree: Callable[[Order], Decimal] | None = None


def why_not_payable(order: Order) -> str:
    """Return why an order cannot be paid now, as a code, or "" if it can."""
    if order.payment_state == Order.PaymentState.AUTHORIZED:
        return "authorized"
    if order.payment_state not in OWED_STATES:
        return str(order.payment_state)
    if order.status not in OPEN_STATUSES:
        return str(order.status)
    if order.superseded_by_id is not None:
        return "superseded"
    return "" if amount_due(order) > 0 else "paid"


def find_open_session(order: Order) -> Attempt | None:
    """Return the session of ours that is open for an order, or `None`."""
    return (
        Attempt.objects.filter(shop_id=order.shop_id, order=order, is_open_session=True)
        .select_related("operator_account", "order")
        .first()
    )


def open_session(order: Order, opening: Opening, *, now: datetime) -> Attempt:
    """Open a pay session over what is still due, or return the one that is open.

    Must not run inside a transaction: the key is committed before the operator is called. A session that has run out, or
    that was opened over another sum, is ended first.

    What `opening.agree` raises comes through; nothing was opened then. A silenced copy of an installation opens none (R19).

    :raises NotPayable: if the order is paid, cancelled, replaced, or held by a session that needs a person.
    :raises SessionNotOpened: if the operator did not open it; nothing was taken.
    :raises SessionUnknown: if the operator's answer was lost; the same call may be repeated.
    """
    if is_silenced():
        raise SessionNotOpened("silenced")
    attempt, is_new = reserve(order, opening, now=now)
    if attempt.failure_code == told.AMOUNT_DIFFERS:
        raise SessionUnknown(attempt.pk)
    if not is_new and attempt.redirect_url:
        if _still_serves(attempt, opening, now):
            return attempt
        close_session(attempt, now=now)
        attempt, is_new = reserve(order, opening, now=now)
    if attempt.redirect_url:
        return attempt
    return _call_operator(attempt, opening, is_new=is_new, now=now)


def reserve(order: Order, opening: Opening, *, now: datetime) -> tuple[Attempt, bool]:
    """Store the intent under a key, or return what is open; tell whether it is new."""
    with transaction.atomic():
        order = lock_order(order.pk)
        if reason := why_not_payable(order):
            raise NotPayable(reason)
        known = find_open_session(order)
        if known is not None:
            return known, False
        discount = opening.agree(order) if opening.agree is not None else Decimal(0)
        key = session_key()
        account = opening.way.account
        attempt = Attempt.objects.create(
            shop_id=order.shop_id,
            order=order,
            operator_account=account,
            ref=key,
            key=key,
            operator=account.kind,
            method=opening.way.method,
            state=Attempt.State.CREATED,
            amount=amount_due(order) - discount,
            discount=discount,
            currency=order.currency,
            created_at=now,
            learnt_at=now,
            message_id=opening.message_id,
            is_open_session=True,
            next_ask_at=now + FIRST_ASK,
        )
    return attempt, True


def _still_serves(attempt: Attempt, opening: Opening, now: datetime) -> bool:
    """Tell whether a session may be shown again: not run out, and over what is due today."""
    has_run_out = attempt.expires_at is not None and attempt.expires_at <= now
    asked = amount_due(attempt.order) if opening.expected is None else opening.expected
    return not has_run_out and attempt.amount == asked


def _call_operator(attempt: Attempt, opening: Opening, *, is_new: bool, now: datetime) -> Attempt:
    account = attempt.operator_account
    if account is None or now - attempt.created_at > KEY_LIFE:
        raise SessionUnknown(attempt.pk)
    adapter = operator(account.kind)
    try:
        opened = adapter.open_session(account, _request(attempt, opening))
    except OperatorUnavailable as error:
        if not is_new:  # an earlier call with this key may have had its effect
            raise SessionUnknown(attempt.pk) from error
        _end_unbegun(attempt, FailureClass.TECHNICAL, "unavailable", now=now)
        raise SessionNotOpened("unavailable") from error
    except OperatorRefused as error:
        log.warning("payments.session.refused", attempt_id=attempt.pk, code=error.code)
        _end_unbegun(attempt, error.failure_class, error.code, now=now)
        raise SessionNotOpened("refused") from error
    except OutcomeUnknown as error:
        log.warning("payments.session.unknown", attempt_id=attempt.pk)
        raise SessionUnknown(attempt.pk) from error
    if origin_of(opened.redirect_url) not in adapter.page_origins(account):
        _flag_redirect(attempt, opened, now=now)
        raise SessionUnknown(attempt.pk)
    return _keep_opened(attempt, opened, now=now)


def _request(attempt: Attempt, opening: Opening) -> OpenRequest:
    return OpenRequest(
        key=attempt.key,
        amount=attempt.amount,
        currency=attempt.currency,
        order_number=attempt.order.number,
        description=opening.description,
        method=attempt.method,
        locale=opening.locale,
        return_url=opening.return_url,
        notify_url=opening.notify_url,
    )


def _keep_opened(attempt: Attempt, opened: OpenedSession, *, now: datetime) -> Attempt:
    """Store what the operator opened. Its own call may have come first, and a second tab may have given up meanwhile."""
    with transaction.atomic():
        order = lock_order(attempt.order_id)
        attempt.refresh_from_db()
        attempt.ref = opened.ref
        attempt.redirect_url = opened.redirect_url
        if opened.expires_at is not None:
            attempt.expires_at = opened.expires_at + clock.trade_offset()
        gave_up = attempt.state == Attempt.State.CANCELLED and not why_not_payable(order)
        if gave_up and find_open_session(order) is None:
            attempt.is_open_session, attempt.settled_at = True, None
            attempt.failure_class = attempt.failure_code = ""
            attempt.next_ask_at = now + FIRST_ASK
        if attempt.is_open_session and attempt.state in {Attempt.State.CREATED, Attempt.State.CANCELLED}:
            attempt.state = Attempt.State.PENDING
        attempt.save()
    if not attempt.is_open_session:
        _close_unseen(attempt, now=now)
        raise NotPayable(why_not_payable(attempt.order) or "closed")
    return attempt


def _close_unseen(attempt: Attempt, *, now: datetime) -> None:
    """End a session that opened after its attempt was given up and another took its place; nobody was sent to it."""
    try:
        close_session(attempt, now=now)
    except (NotPayable, SessionUnknown) as error:
        log.warning("payments.session.left_open", attempt_id=attempt.pk, error=type(error).__name__)


def _end_unbegun(attempt: Attempt, failure_class: FailureClass, code: str, *, now: datetime) -> None:
    """End an attempt of which nothing began: no news, the order stands as it stood."""
    with transaction.atomic():
        ended = Attempt.objects.filter(pk=attempt.pk, is_open_session=True, redirect_url="").update(
            state=Attempt.State.CANCELLED,
            failure_class=failure_class.value,
            failure_code=code,
            is_open_session=False,
            next_ask_at=None,
            settled_at=now,
        )
        if ended:
            announce_ended(attempt, at=now)


def _flag_redirect(attempt: Attempt, opened: OpenedSession, *, now: datetime) -> None:
    log.error(
        "payments.session.redirect_elsewhere", attempt_id=attempt.pk, origin=origin_of(opened.redirect_url)
    )
    attention.ask(
        "payments.redirect_elsewhere",
        shop_id=attempt.shop_id,
        key=str(attempt.operator_account_id),
        now=now,
        subject=("order", attempt.order_id),
        number=attempt.order.number,
    )


def close_session(attempt: Attempt, *, now: datetime) -> None:
    """End an open session, so that another may be opened; where it stands then is recorded.

    :raises SessionUnknown: if it cannot surely be ended: the operator cannot close, or did not answer, or this is a silenced
        copy, and the session that of a buyer of the original (R19).
    :raises NotPayable: if it turns out to have been paid.
    """
    account = attempt.operator_account
    if account is None or is_silenced() or not operator(account.kind).abilities(account).closes_sessions:
        raise SessionUnknown(attempt.pk)
    try:
        payment = operator(account.kind).close_session(account, attempt.ref, attempt.key)
    except (OperatorUnavailable, OutcomeUnknown) as error:
        raise SessionUnknown(attempt.pk) from error
    told.apply_payment(attempt, payment, now=now)
    attempt.refresh_from_db()
    if payment.state is AttemptState.SUCCEEDED:
        raise NotPayable("paid")
    if attempt.is_open_session:
        raise SessionUnknown(attempt.pk)


def release_session(attempt: Attempt, *, user_id: int, now: datetime) -> None:
    """Let an order be paid again although one of its sessions never got an answer: a person has looked at the operator."""
    with transaction.atomic():
        lock_order(attempt.order_id)
        Attempt.objects.filter(pk=attempt.pk, is_open_session=True).update(
            state=Attempt.State.CANCELLED,
            failure_code="released",
            is_open_session=False,
            next_ask_at=None,
            settled_at=now,
        )
        announce_ended(attempt, at=now)
        attention.settle(
            "payments.outcome_unknown", shop_id=attempt.shop_id, key=str(attempt.pk), now=now, user_id=user_id
        )


def account_of(key: str) -> OperatorAccount | None:
    """Return the account whose hook address holds this key, or `None`."""
    return OperatorAccount.objects.filter(key=key).select_related("shop").first()
