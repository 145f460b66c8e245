"""Calls of processes to addresses of the merchant: asked for in the step's transaction, made by the worker (engine T6).

Claimed with a lease, made without a transaction, signed by Standard Webhooks, repeated from one minute to a day. The id of a
call and its `Idempotency-Key` never change, so whoever hears it twice knows.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q

from recoup.core import attention, outbox
from recoup.core.clock import real_now, trade_now
from recoup.core.fields import SecretUnreadable
from recoup.core.http import AddressRefused, CallFailed, Client, check_address, is_loopback_allowed
from recoup.core.installation import is_silenced
from recoup.core.signing import new_secret, sign
from recoup.processes.call_models import WebhookCall, WebhookEndpoint
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.engine.nodes.webhook import WebhookEffect
from recoup.processes.engine.records import Enrolment
from recoup.processes.events import WebhookAnswered
from recoup.shops.models import Shop

log = structlog.get_logger(__name__)

GIVEN_UP = "processes.webhook_given_up"  # what Home shows
PAUSES = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 360, 1440))
SECONDS, MOST_AT_ONCE = 10.0, 10
LEASE = timedelta(seconds=SECONDS * MOST_AT_ONCE + 60)
State = WebhookCall.State


class CallOrder(NamedTuple):
    """A call that a step asks for."""

    enrolment: Enrolment
    effect: WebhookEffect


_ORDERS = """
    SELECT id, jsonb_build_object('number', number, 'ref', ref, 'status', status, 'payment_state', payment_state,
        'total', total::text, 'due', greatest(total - discount_given - captured + refunded, 0)::text, 'currency', currency,
        'placed_at', placed_at, 'paid_at', paid_at, 'products', product_refs)::text FROM orders_order WHERE id = ANY(%s)
"""
_CARTS = """
    SELECT id, jsonb_build_object('ref', ref, 'state', state, 'total', total::text, 'currency', currency,
        'last_activity_at', last_activity_at, 'products', product_refs)::text FROM orders_cart WHERE id = ANY(%s)
"""
_PEOPLE = """
    SELECT id, jsonb_build_object('id', id, 'name', name, 'email', email, 'phone', phone, 'locale', locale,
        'country', country)::text FROM customers_contact WHERE id = ANY(%s)
"""


def ask_for_calls(orders: Sequence[CallOrder], *, now: datetime) -> None:
    """Write down calls, once for each step; what they tell is fixed now. An address that is gone or off is not called."""
    endpoints = WebhookEndpoint.objects.filter(pk__in={o.effect.endpoint for o in orders}, is_active=True)
    known = set(endpoints.values_list("shop_id", "pk"))
    told = _told(orders)
    calls = [
        WebhookCall(
            shop_id=e.shop_id,
            endpoint_id=effect.endpoint,
            process_id=e.process_id,
            enrolment_id=e.id,
            step_no=effect.step_no,
            node=effect.node,
            payload={
                "type": "process.step",
                "at": effect.at.isoformat(),
                "process": e.process_id,
                "step": effect.node_id,
                **told[e.id, effect.step_no],
            },
            due_at=real_now(),
            created_at=now,
        )
        for e, effect in orders
        if (e.shop_id, effect.endpoint) in known
    ]
    WebhookCall.objects.bulk_create(calls, ignore_conflicts=True)


def _told(orders: Sequence[CallOrder]) -> dict[tuple[int, int], dict[str, Any]]:
    """Return what each call tells of the customer, the order and the cart: only what the block has chosen."""
    wanted: dict[str, set[int]] = {"order": set(), "cart": set(), "customer": set()}
    keys: dict[tuple[int, int], dict[str, int]] = {}
    for e, effect in orders:
        subjects = {"customer": e.contact_id}
        if e.subject_kind == SubjectKind.ORDER:
            subjects["order"] = e.subject_id
        if e.subject_kind == SubjectKind.CART:
            subjects["cart"] = e.subject_id
        chosen = {name: subjects[name] for name in effect.tells if name in subjects}
        keys[e.id, effect.step_no] = chosen
        for name, key in chosen.items():
            wanted[name].add(key)
    rows: dict[tuple[str, int], Any] = {}
    with connection.cursor() as cursor:
        for name, statement in (("order", _ORDERS), ("cart", _CARTS), ("customer", _PEOPLE)):
            if wanted[name]:
                cursor.execute(statement, [sorted(wanted[name])])
                rows |= {(name, key): json.loads(text) for key, text in cursor.fetchall()}
    return {
        place: {name: rows[name, key] for name, key in chosen.items() if (name, key) in rows}
        for place, chosen in keys.items()
    }


def make_calls() -> int:
    """Make the calls that are due, of any shop, and return how many that were. The worker's loop.

    A silenced copy of an installation calls nobody (R19).
    """
    if is_silenced():
        return 0
    calls = _claim()
    if calls:
        with Client(seconds=SECONDS) as client:
            for one in calls:
                _record(one, *_call(client, one))
    return len(calls)


def _claim() -> list[WebhookCall]:
    with transaction.atomic():
        now = real_now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        rows = WebhookCall.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            free, state=State.WAITING, due_at__lte=now
        )
        ids = list(rows.order_by("due_at").values_list("pk", flat=True)[:MOST_AT_ONCE])
        WebhookCall.objects.filter(pk__in=ids).update(lease_until=now + LEASE, attempt=F("attempt") + 1)
    claimed = WebhookCall.objects.filter(pk__in=ids).select_related("endpoint").order_by("due_at", "pk")
    return list(claimed.defer("endpoint__secret"))  # read at its call: one that is unreadable stops no other


def _call(client: Client, one: WebhookCall) -> tuple[int | None, str]:
    """Make a call; return the status of the answer and what went wrong, if anything did."""
    if not one.endpoint.is_active:
        return None, "switched_off"
    key = f"{one.shop_id}/{one.enrolment_id}/{one.step_no}/{one.seq}"
    try:
        return send(client, one.endpoint, one.payload, key=key)
    except Exception:  # what is odd about one call never keeps the others of its batch
        log.exception("processes.webhook.failed", call_id=one.pk)
        return None, "broken"


def send(
    client: Client, endpoint: WebhookEndpoint, payload: dict[str, Any], *, key: str
) -> tuple[int | None, str]:
    """Send a signed call once. The demo calls nobody but this very machine."""
    if settings.IS_DEMO and not is_loopback_allowed(urlsplit(endpoint.url).hostname or ""):
        return None, "demo"
    try:
        secret = endpoint.secret
    except SecretUnreadable:
        return None, "secret_unreadable"
    raw = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "content-type": "application/json",
        "idempotency-key": key,
        **sign(secret, "call_" + key.replace("/", "_"), real_now(), raw),
    }
    try:
        answer = client.call("POST", endpoint.url, headers=headers, content=raw)
    except (AddressRefused, CallFailed) as error:
        return None, error.code
    return answer.status, "" if 200 <= answer.status < 300 else f"status_{answer.status}"


def _record(one: WebhookCall, status: int | None, trouble: str) -> None:
    """Write down the answer, if the call is still ours; put it off or give it up where it was not taken."""
    now = trade_now()
    is_over = not trouble or one.attempt > len(PAUSES)
    state = State.WAITING if not is_over else State.DEAD if trouble else State.DONE
    due_at = None if is_over else real_now() + PAUSES[one.attempt - 1]
    with transaction.atomic():
        mine = WebhookCall.objects.filter(pk=one.pk, state=State.WAITING, lease_until=one.lease_until)
        changed = mine.update(
            state=state, status=status, trouble=trouble[:120], lease_until=None, due_at=due_at,
            answered_at=now if is_over else None,
        )  # fmt: skip
        if not changed or not is_over:
            return
        outbox.announce(WebhookAnswered(shop_id=one.shop_id, enrolment_id=one.enrolment_id, at=now))
        if trouble:
            name = one.endpoint.name
            attention.ask(GIVEN_UP, shop_id=one.shop_id, key=str(one.endpoint_id), now=now, name=name)


def retry_calls(endpoint: WebhookEndpoint, *, now: datetime, user_id: int | None = None) -> int:
    """Take up again the calls to an address that were given up; return how many.

    What was told so long ago that it is forgotten stays as it is.
    """
    with transaction.atomic():
        dead = WebhookCall.objects.filter(
            shop_id=endpoint.shop_id, endpoint=endpoint, state=State.DEAD, emptied_at=None
        )
        count = dead.update(state=State.WAITING, attempt=0, due_at=real_now(), answered_at=None)
        attention.settle(GIVEN_UP, shop_id=endpoint.shop_id, key=str(endpoint.pk), now=now, user_id=user_id)
    return count


def add_endpoint(shop: Shop, *, name: str, url: str, now: datetime) -> WebhookEndpoint:
    """Add an address with a fresh secret.

    :raises AddressRefused: if it is no address that may be called. :raises IntegrityError: if the name is taken.
    """
    check_address(url)
    endpoint = WebhookEndpoint(shop=shop, name=name[:60], url=url[:500], secret=new_secret(), created_at=now)
    with transaction.atomic():
        endpoint.save(force_insert=True)
    return endpoint
