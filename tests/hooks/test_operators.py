"""The door for calls of operators: what is kept, what waits, what a person must see."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core.clock import trade_now
from recoup.core.models import AttentionItem, InboxItem
from recoup.hooks import limits, operators
from recoup.integrations.demobank import signing
from recoup.orders.models import Order
from recoup.payments.models import Attempt, OperatorAccount
from tests.factories.operators import SECRET, make_operator_account
from tests.factories.orders import make_attempt, make_order
from tests.factories.shops import make_shop


@pytest.fixture(autouse=True)
def _all_shops(db: None) -> Iterator[None]:
    limits.forget()
    with scopes_disabled():
        yield


@pytest.fixture
def account() -> OperatorAccount:
    """Return an account with the demo bank."""
    return make_operator_account(make_shop())


def open_attempt(account: OperatorAccount) -> Attempt:
    """Return an open session of 149.00 EUR."""
    return make_attempt(
        make_order(account.shop),
        operator_account=account,
        ref="db_1",
        key="k1",
        state="pending",
        settled_at=None,
        is_open_session=True,
    )


def body_of(account: OperatorAccount, **payment: object) -> bytes:
    """Return the bank's body about the payment `k1`."""
    values = {
        "id": "db_1",
        "reference": "k1",
        "merchant": account.key,
        "status": "paid",
        "reason": "",
        "amount": 14900,
        "currency": "EUR",
        "method": "card",
        "changed": "2026-11-02T12:00:00+00:00",
        **payment,
    }
    return json.dumps({"type": f"payment.{values['status']}", "payment": values}).encode()


def send(account: OperatorAccount, raw: bytes, call_id: str = "c1", **headers: str) -> int:
    """Send a signed call and return the status answered."""
    signed = signing.signed_headers(SECRET, call_id, int(time.time()), raw)
    signed.pop("content-type")
    answer = Client().post(
        f"/hooks/operators/{account.key}",
        data=raw,
        content_type="application/json",
        headers={**signed, **headers},
    )
    return answer.status_code


def test_what_is_kept_of_a_call_names_the_payment_by_both_its_names(account: OperatorAccount) -> None:
    open_attempt(account)
    raw = body_of(account)

    assert send(account, raw, authorization="Basic x", cookie="a=b") == 200

    item = InboxItem.objects.get()
    assert (item.source_kind, item.source_id, item.shop_id) == ("operator", account.pk, account.shop_id)
    assert (item.event_id, item.topic, item.subject_kind) == ("c1", "payment.paid", "payment")
    assert (item.subject_refs, item.state, bytes(item.raw)) == (["db_1", "k1"], "applied", raw)
    assert {"cookie", "authorization"} & set(item.headers) == set()


def test_the_same_id_with_another_body_is_kept_as_a_conflict_and_the_first_counts(
    account: OperatorAccount,
) -> None:
    attempt = open_attempt(account)

    answers = [send(account, body_of(account)), send(account, body_of(account, status="declined"))]

    assert answers == [200, 200]
    assert list(InboxItem.objects.order_by("id").values_list("state", flat=True)) == ["applied", "conflict"]
    assert Attempt.objects.get(pk=attempt.pk).state == "succeeded"
    assert AttentionItem.objects.get().kind == "hooks.same_id_other_body"


def test_a_payment_of_another_merchant_is_quarantined(account: OperatorAccount) -> None:
    open_attempt(account)

    assert send(account, body_of(account, merchant="somebody-else")) == 200

    item = InboxItem.objects.get()
    assert (item.state, item.reason) == ("quarantined", "other_account")
    assert Order.objects.get().payment_state == "owed"


def test_a_payment_of_another_shops_account_is_not_ours_to_apply(account: OperatorAccount) -> None:
    other = make_operator_account(make_shop())
    attempt = open_attempt(other)

    send(account, body_of(account))

    assert InboxItem.objects.get().reason == "payment_unknown"
    assert Attempt.objects.get(pk=attempt.pk).state == "pending"


def test_a_payment_that_nobody_knows_waits_a_day_and_is_then_shown(account: OperatorAccount) -> None:
    send(account, body_of(account))
    item = InboxItem.objects.get()
    assert (item.state, item.waits_for) == ("new", "k1")

    assert operators.apply_operator_item(item.pk, now=trade_now() + timedelta(hours=23)) is False
    assert operators.apply_operator_item(item.pk, now=trade_now() + timedelta(hours=25)) is True

    assert InboxItem.objects.get().state == "quarantined"
    assert AttentionItem.objects.get().kind == "hooks.quarantined"


def test_what_fails_for_an_unknown_reason_is_tried_three_times_and_then_shown(
    account: OperatorAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(operators, "apply_told", breaks)
    open_attempt(account)

    assert send(account, body_of(account)) == 200
    item = InboxItem.objects.get()
    ends = [operators.apply_operator_item(item.pk, now=trade_now()) for _ in range(2)]

    assert ends == [False, True]
    item.refresh_from_db()
    assert (item.state, item.reason.partition(":")[0]) == ("quarantined", "unexpected")


def test_odd_calls_are_refused_before_they_are_read(account: OperatorAccount) -> None:
    raw = body_of(account)

    answers = [
        send(account, raw, **{"content-encoding": "gzip"}),
        send(account, b"x" * (operators.LARGEST_BODY + 1)),
        Client().get(f"/hooks/operators/{account.key}").status_code,
    ]

    assert answers == [415, 413, 405]
    assert InboxItem.objects.count() == 0


def test_unsigned_calls_are_slowed_down_and_signed_ones_never(account: OperatorAccount) -> None:
    open_attempt(account)
    path = f"/hooks/operators/{account.key}"

    answers = [
        Client().post(path, data=b"{}", content_type="application/json").status_code for _ in range(65)
    ]

    assert answers == [401] * 60 + [429] * 5
    assert send(account, body_of(account)) == 200


@pytest.mark.django_db(transaction=True)
def test_a_payment_that_meets_a_hand_over_is_kept_and_applied_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operators, "PATIENCE", 200)
    account = make_operator_account(make_shop())
    attempt = open_attempt(account)
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with scopes_disabled(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT id FROM orders_order WHERE id = %s FOR SHARE", [attempt.order_id])
            held.set()
            let_go.wait(10)
        connection.close()

    sender = threading.Thread(target=hold)
    sender.start()
    held.wait(10)
    answered = send(account, body_of(account))
    waiting = InboxItem.objects.get()
    let_go.set()
    sender.join(10)
    done = operators.apply_operator_item(waiting.pk, now=trade_now())

    assert (answered, waiting.state, waiting.reason.partition(":")[0]) == (200, "new", "busy")
    assert done is True
    assert Order.objects.get().payment_state == "paid"
