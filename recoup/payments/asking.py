"""Asking operators how open sessions stand: finds what their calls lost, gives up after 23 hours (R31, T78)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django_scopes import scopes_disabled

from recoup.core import attention
from recoup.core.installation import is_silenced
from recoup.payments import told
from recoup.payments.actions import announce_ended
from recoup.payments.adapters import OperatorUnknown, operator
from recoup.payments.models import Attempt
from recoup.payments.ports import OperatorUnavailable, OutcomeUnknown
from recoup.payments.sessions import KEY_LIFE, NotPayable, SessionUnknown, close_session
from recoup.shops.snapshots import PaymentSnapshot

log = structlog.get_logger(__name__)

# Minutes between two asks of one session; then every hour. Most buyers come back, or give up, within ten minutes.
PAUSES = (1, 1, 2, 5, 10, 20, 40)
LATER = timedelta(hours=1)
LEASE = timedelta(minutes=2)  # longer than a call may take; another worker asks again if this one dies
# An operator that knows nothing of a key this long after the call never got it: calls time out after ten seconds.
NEVER_CAME = timedelta(minutes=5)

_CLAIM = """
UPDATE payments_attempt SET next_ask_at = %s, asks = asks + 1
WHERE id = ANY (ARRAY(
    SELECT id FROM payments_attempt WHERE next_ask_at <= %s ORDER BY next_ask_at LIMIT %s FOR UPDATE SKIP LOCKED
)) RETURNING id
"""


def ask_open_attempts(*, now: datetime, limit: int = 50, beat: Callable[[], object] = lambda: None) -> int:
    """Ask after the sessions whose time has come, across shops; return how many. The worker's loop calls it.

    A silenced copy of an installation asks nobody (R19). `beat` is called before each session: a slow operator holds every
    one of them up.
    """
    if is_silenced():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [now + LEASE, now, limit])
        ids = sorted(row[0] for row in cursor.fetchall())
    with scopes_disabled():
        for attempt in (
            Attempt.objects.filter(pk__in=ids).select_related("order", "operator_account").order_by("pk")
        ):
            beat()
            try:
                ask_attempt(attempt, now=now)
            except Exception as error:  # noqa: BLE001 - one bad answer must not keep the others from being asked
                log.error("payments.ask.failed", attempt_id=attempt.pk, error=repr(error))
    return len(ids)


def ask_attempt(attempt: Attempt, *, now: datetime) -> None:
    """Ask the operator where a session stands and record the answer; set when to ask again while it is open.

    After 23 hours the session is ended, or, if nobody can say whether it was paid, a person is asked.
    """
    payment, is_sure = _answer(attempt)
    if payment is not None:
        told.apply_payment(attempt, payment, now=now)
    elif is_sure and not attempt.redirect_url and now - attempt.created_at > NEVER_CAME:
        _end(attempt, Attempt.State.CANCELLED, now)
    attempt.refresh_from_db()
    if not attempt.is_open_session or attempt.failure_code == told.AMOUNT_DIFFERS:
        return
    if now - attempt.created_at < KEY_LIFE:
        pause = timedelta(minutes=PAUSES[attempt.asks - 1]) if 0 < attempt.asks <= len(PAUSES) else LATER
        Attempt.objects.filter(pk=attempt.pk, is_open_session=True).update(next_ask_at=now + pause)
    else:
        _give_up(attempt, now)


def _answer(attempt: Attempt) -> tuple[PaymentSnapshot | None, bool]:
    """Return what the operator says, and whether it surely spoke."""
    account = attempt.operator_account
    if account is None:
        return None, False
    ref = "" if attempt.ref == attempt.key else attempt.ref
    try:
        adapter = operator(account.kind)
        if not adapter.abilities(account).asks:
            return None, False
        return adapter.ask(account, ref, attempt.key), True
    except (OperatorUnavailable, OutcomeUnknown, OperatorUnknown) as error:
        log.warning("payments.ask.unanswered", attempt_id=attempt.pk, error=type(error).__name__)
        return None, False


def _end(attempt: Attempt, state: Attempt.State, now: datetime) -> None:
    with transaction.atomic():
        ended = Attempt.objects.filter(pk=attempt.pk, is_open_session=True).update(
            state=state, is_open_session=False, next_ask_at=None, settled_at=now
        )
        if ended:
            announce_ended(attempt, at=now)


def _give_up(attempt: Attempt, now: datetime) -> None:
    try:
        close_session(attempt, now=now)
    except NotPayable:
        return
    except (SessionUnknown, OperatorUnknown):
        Attempt.objects.filter(pk=attempt.pk).update(next_ask_at=None)
        attention.ask(
            "payments.outcome_unknown",
            shop_id=attempt.shop_id,
            key=str(attempt.pk),
            now=now,
            subject=("order", attempt.order_id),
            number=attempt.order.number,
            amount=str(attempt.amount),
            currency=attempt.currency,
        )
