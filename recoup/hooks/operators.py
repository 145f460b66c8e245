"""The door for calls of payment operators: checked, kept raw, applied at once if possible, answered as they want it."""

import secrets
from datetime import datetime, timedelta

import structlog
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from django_scopes import scopes_disabled

from recoup.core import attention, inbox
from recoup.core.clock import real_now, trade_now
from recoup.core.locks import set_lock_timeout
from recoup.core.models import InboxItem
from recoup.hooks import limits
from recoup.orders.queries import OrderUnknown
from recoup.payments.adapters import OperatorUnknown, operator
from recoup.payments.models import OperatorAccount
from recoup.payments.ports import Operator
from recoup.payments.sessions import account_of
from recoup.payments.told import apply_told
from recoup.shops.ports import BodyQuarantined, CallUnreadable, SignatureRefused

log = structlog.get_logger(__name__)

LARGEST_BODY = 1024 * 1024  # operators send a few kilobytes
NOT_KEPT = frozenset({"cookie", "authorization", "proxy-authorization"})
PATIENCE = 3000  # milliseconds that a payment waits for the hand-over it meets; then the worker applies it
BUSY_PAUSE = timedelta(seconds=2)
AGAIN = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=24)  # for a payment that we do not know; then a person looks
MOST_TRIES = 3  # of what fails for no reason that we know
FAILURE_PAUSE = timedelta(seconds=20)


@csrf_exempt
@require_POST
def receive_operator_call(request: HttpRequest, key: str) -> HttpResponse:
    """Take in a call of an operator at `/hooks/operators/<key>`. Answered 200 it is committed."""
    if refused := _refused_by_form(request):
        return HttpResponse(status=refused)
    with scopes_disabled():
        account = account_of(key)
        adapter = _adapter(account)
        if account is None or adapter is None:
            return limits.refuse(request, key, 404)
        raw = request.body
        headers = _headers(request)
        try:
            adapter.check_call(account, raw, headers, now=real_now())
        except SignatureRefused:
            return limits.refuse(request, key, 401)
        except CallUnreadable:
            return limits.refuse(request, key, 400)
        item_id = _keep(account, adapter, raw, headers)
        if item_id is not None:
            apply_operator_item(item_id, now=trade_now())
        receipt = adapter.receipt(account, raw)
    return HttpResponse(receipt.body, content_type=receipt.content_type)


def _refused_by_form(request: HttpRequest) -> int:
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        return 415  # never inflated (T13)
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if not (length.isascii() and length.isdigit()):
        return 400
    return 413 if int(length) > LARGEST_BODY else 0


def _headers(request: HttpRequest) -> dict[str, str]:
    named = {name.lower(): value for name, value in request.headers.items()}
    return {name: value for name, value in named.items() if name not in NOT_KEPT}


def _adapter(account: OperatorAccount | None) -> Operator | None:
    try:
        return operator(account.kind) if account is not None else None
    except OperatorUnknown:
        return None


def _keep(account: OperatorAccount, adapter: Operator, raw: bytes, headers: dict[str, str]) -> int | None:
    """Keep a call; `None` if it was kept before. The same id with another body asks for a person; the first counts (T7)."""
    peek = adapter.peek(raw, headers)
    kept = inbox.keep(
        inbox.Call(
            shop_id=account.shop_id,
            source_kind=inbox.OPERATOR,
            source_id=account.pk,
            event_id=peek.event_id,
            raw=raw,
            topic=peek.topic,
            headers=headers,
            subject_kind=peek.subject_kind,
            subject_refs=peek.subject_refs,
            peek_failed=peek.failed,
        )
    )
    if kept.is_new_conflict:
        attention.ask(
            "hooks.same_id_other_body",
            shop_id=account.shop_id,
            key=f"operator:{account.pk}",
            now=trade_now(),
            subject=("inbox", kept.item_id),
            source=account.name,
        )
    return kept.item_id if kept.is_new else None


def apply_operator_item(item_id: int, *, now: datetime) -> bool:
    """Apply one kept call of an operator in a transaction of its own; `False` if it still waits.

    What it says counts as learnt when it came. A payment that we do not know yet is waited for; a body that cannot be used
    goes to quarantine, as does what fails three times for no reason that we know. A lost database connection raises.
    """
    try:
        with transaction.atomic():
            set_lock_timeout(PATIENCE)
            item = inbox.take(item_id)
            return _apply(item, now) if item is not None else True
    except OperationalError as error:  # a hand-over held the order for too long
        if not connection.is_usable():
            raise
        inbox.postpone(item_id, until=now + BUSY_PAUSE, reason=f"busy: {type(error.__cause__).__name__}")
        return False
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not block the rest
        return _failed(item_id, error, now)


def _apply(item: InboxItem, now: datetime) -> bool:
    account = OperatorAccount.objects.select_related("shop").get(pk=item.source_id)
    try:
        reading = operator(account.kind).read(
            account, bytes(item.raw), item.headers, received_at=item.received_at
        )
        with transaction.atomic():
            for told in reading.told:
                apply_told(account, told, now=item.received_at)
    except BodyQuarantined as error:
        inbox.quarantine(item, reason=str(error), source_name=account.name, now=now)
        return True
    except OrderUnknown as error:
        return _wait(account, item, error, now)
    state = InboxItem.State.UNUSED if reading.unused else InboxItem.State.APPLIED
    inbox.finish(item.pk, state, now=now, reason=reading.unused)
    return True


def _wait(account: OperatorAccount, item: InboxItem, error: OrderUnknown, now: datetime) -> bool:
    if now - item.received_at < LONGEST_WAIT:
        inbox.postpone(item.pk, until=now + AGAIN, reason="payment_unknown", waits_for=str(error))
        return False
    inbox.quarantine(item, reason="payment_unknown", source_name=account.name, now=now)
    return True


def _failed(item_id: int, error: Exception, now: datetime) -> bool:
    number = secrets.token_hex(4)
    log.error("hooks.operator.failed", item_id=item_id, number=number, error=repr(error), exc_info=True)
    with transaction.atomic():
        item = inbox.take(item_id)
        if item is None:
            return True
        if item.tries + 1 < MOST_TRIES:
            inbox.postpone(
                item_id, until=now + FAILURE_PAUSE, reason=f"unexpected: {number}", has_failed=True
            )
            return False
        name = OperatorAccount.objects.filter(pk=item.source_id).values_list("name", flat=True).first()
        inbox.quarantine(item, reason=f"unexpected: {number}", source_name=name or "", now=now)
        return True
