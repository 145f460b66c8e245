"""The door for calls of payment operators: checked, kept raw, applied at once if possible, answered as they want it."""

from datetime import datetime, timedelta

import structlog
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from django_scopes import scopes_disabled

from recoup.core import attention, inbox
from recoup.core.clock import real_now, trade_now
from recoup.core.locks import set_lock_timeout
from recoup.core.models import InboxItem
from recoup.orders.queries import OrderUnknown
from recoup.payments.adapters import OperatorUnknown, operator
from recoup.payments.models import OperatorAccount
from recoup.payments.ports import Operator
from recoup.payments.sessions import account_of
from recoup.payments.told import apply_told
from recoup.shops.ports import BodyQuarantined, CallUnreadable, SignatureRefused

log = structlog.get_logger(__name__)

LARGEST_BODY = 1024 * 1024  # operators send a few kilobytes
PATIENCE = 3000  # milliseconds that a payment waits for the hand-over it meets; then the worker applies it
AGAIN = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=24)  # for a payment that we do not know; then a person looks


@csrf_exempt
@require_POST
def receive_operator_call(request: HttpRequest, key: str) -> HttpResponse:
    """Take in a call of an operator at `/hooks/operators/<key>`."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        return HttpResponse(status=413)
    with scopes_disabled():
        account = account_of(key)
        adapter = _adapter(account)
        if account is None or adapter is None:
            return HttpResponse(status=404)
        raw = request.body
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            adapter.check_call(account, raw, headers, now=real_now())
        except SignatureRefused:
            return HttpResponse(status=401)
        except CallUnreadable:
            return HttpResponse(status=400)
        item_id = _keep(account, adapter, raw, headers)
        if item_id is not None:
            try:
                apply_operator_item(item_id, now=trade_now())
            except Exception as error:  # noqa: BLE001 - it is kept; the worker tries again
                log.error("hooks.operator.not_applied", item_id=item_id, error=repr(error))
        receipt = adapter.receipt(account, raw)
    return HttpResponse(receipt.body, content_type=receipt.content_type)


def _adapter(account: OperatorAccount | None) -> Operator | None:
    try:
        return operator(account.kind) if account is not None else None
    except OperatorUnknown:
        return None


def _keep(account: OperatorAccount, adapter: Operator, raw: bytes, headers: dict[str, str]) -> int | None:
    """Keep a call; `None` if it was kept before (a replay changes nothing)."""
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
    return kept.item_id if kept.is_new else None


def apply_operator_item(item_id: int, *, now: datetime) -> bool:
    """Apply one kept call of an operator in a transaction of its own; `False` if it still waits.

    A payment that we do not know yet waits for it; a body that cannot be used goes to quarantine.
    """
    try:
        with transaction.atomic():
            set_lock_timeout(PATIENCE)
            item = inbox.take(item_id)
            return _apply(item, now) if item is not None else True
    except OperationalError as error:  # a hand-over held the order for too long
        inbox.postpone(item_id, until=now, reason=f"busy: {type(error).__name__}")
        return False


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
        inbox.finish(item.pk, InboxItem.State.QUARANTINED, now=now, reason=str(error))
        _show(account, item, now)
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
    inbox.finish(item.pk, InboxItem.State.QUARANTINED, now=now, reason="payment_unknown")
    _show(account, item, now)
    return True


def _show(account: OperatorAccount, item: InboxItem, now: datetime) -> None:
    attention.ask(
        "hooks.quarantined",
        shop_id=account.shop_id,
        key=f"operator:{account.pk}",
        now=now,
        subject=("inbox", item.pk),
        source=account.name,
    )
