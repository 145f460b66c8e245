"""Forged, replayed and malformed calls do nothing (R5, T1-T13, T29). Each refusal leaves the inbox as it was."""

import hashlib
import hmac
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from django.core.checks import Tags, run_checks
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from standardwebhooks import Webhook

from recoup.core.models import AttentionItem, InboxItem, RateBucket
from recoup.hooks import known, limits
from recoup.integrations.generic import webhook
from recoup.shops import sources
from recoup.shops.models import Shop, Source
from recoup.shops.ports import CallUnreadable, SignatureRefused
from tests.factories.moments import NOW
from tests.factories.shops import make_shop, make_source
from tests.hooks.calls import body_of, order_data, send, send_woo

RAW = body_of("order.created", **order_data())


def states() -> list[str]:
    """Return the states of everything kept."""
    return list(InboxItem.objects.order_by("id").values_list("state", flat=True))


def test_t1_absent_signature_is_refused(client: Client, source: Source) -> None:
    answer = send(client, source, RAW, webhook_signature="absent")

    assert (answer.status_code, states()) == (401, [])


@pytest.mark.parametrize("secret", ["", "whsec_", "c2hvcnQ=", "not base64 at all, but long enough ..."])
def test_t2_weak_secret_answers_401_whatever_is_signed(client: Client, shop: Shop, secret: str) -> None:
    source = make_source(shop, secret=secret)
    stamp = str(int(time.time()))
    for key in (b"", secret.encode()):
        signature = b64encode(hmac.digest(key, f"evt.{stamp}.".encode() + RAW, hashlib.sha256)).decode()
        answer = send(
            client,
            source,
            RAW,
            secret="s" * 32,
            webhook_id="evt",
            webhook_timestamp=stamp,
            webhook_signature=f"v1,{signature}",
        )
        assert answer.status_code == 401

    assert states() == []


def test_t2_weak_secret_cannot_be_saved(shop: Shop) -> None:
    wanted = sources.Connection(kind="generic", name="Own checkout", secret="whsec_c2hvcnQ=")

    with pytest.raises(sources.SecretRefused, match="secret_short"):
        sources.connect_source(shop, wanted, now=NOW)

    source = make_source(shop)
    with pytest.raises(sources.SecretRefused, match="secret_short"):
        sources.rotate_secret(source, secret="short", now=NOW)


def test_t2_weak_secret_fails_the_start_up_check(shop: Shop) -> None:
    make_source(shop, kind="woocommerce", secret="x" * 23)
    make_source(shop, kind="woocommerce", secret="x" * 24)

    found = run_checks(tags=[Tags.database], databases=["default"])

    assert [message.id for message in found if (message.id or "").startswith("hooks.")] == ["hooks.E001"]


def test_t3_secret_of_another_shop_is_refused(client: Client, source: Source) -> None:
    other = make_source(make_shop(), secret="t" * 32)

    answer = send(client, source, RAW, secret=other.secret)

    assert (answer.status_code, states()) == (401, [])


def test_t4_body_that_differs_by_a_space_is_refused(client: Client, source: Source) -> None:
    signed = webhook.sign(source.secret, "evt-1", datetime.now(UTC), RAW)

    answer = client.post(
        f"/hooks/{source.key}",
        data=RAW.replace(b'": "', b'":  "', 1),
        content_type="application/json",
        headers=signed,
    )

    assert (answer.status_code, states()) == (401, [])


@pytest.mark.parametrize("seconds", [-301, 301])
def test_t5_call_outside_the_tolerance_is_refused(client: Client, source: Source, seconds: int) -> None:
    answer = send(client, source, RAW, at=datetime.now(UTC) + timedelta(seconds=seconds + seconds // 301))

    assert (answer.status_code, states()) == (401, [])


@pytest.mark.parametrize("seconds", [-298, 298])
def test_t5_call_within_the_tolerance_is_taken(client: Client, source: Source, seconds: int) -> None:
    answer = send(client, source, RAW, at=datetime.now(UTC) + timedelta(seconds=seconds))

    assert (answer.status_code, states()) == (200, ["new"])


@pytest.mark.parametrize("stamp", ["-1", "1" * 20, "1e9", "", " ", "٣" * 10, "1.5"])
def test_t5_malformed_timestamp_is_refused(client: Client, source: Source, stamp: str) -> None:
    signature = b64encode(
        hmac.digest(webhook.secret_key(source.secret) or b"", f"evt.{stamp}.".encode() + RAW, hashlib.sha256)
    )

    answer = send(
        client,
        source,
        RAW,
        webhook_id="evt",
        webhook_timestamp=stamp,
        webhook_signature=f"v1,{signature.decode()}",
    )

    assert (answer.status_code, states()) == (401, [])


def test_t6_exact_replay_is_kept_once(client: Client, source: Source) -> None:
    answers = {send(client, source, RAW, event_id="evt-1").status_code for _ in range(50)}

    assert (answers, states()) == ({200}, ["new"])


def test_t7_same_id_with_another_body_is_flagged_and_the_first_wins(client: Client, source: Source) -> None:
    other = body_of("order.created", **order_data(total="1.00"))

    answers = [send(client, source, raw, event_id="evt-1").status_code for raw in (RAW, other, other, RAW)]

    first, second = InboxItem.objects.order_by("id")
    assert answers == [200, 200, 200, 200]
    assert (first.state, bytes(first.raw)) == ("new", RAW)
    assert (second.state, bytes(second.raw), second.reason) == (
        "conflict",
        other,
        f"same_id_other_body: {first.pk}",
    )
    assert list(AttentionItem.objects.values_list("kind", "key")) == [
        ("hooks.same_id_other_body", str(source.pk))
    ]


def test_t8_second_signature_of_the_list_is_enough(client: Client, source: Source) -> None:
    good = webhook.sign(source.secret, "evt-1", datetime.now(UTC), RAW)["webhook-signature"]
    bad = webhook.sign("t" * 32, "evt-1", datetime.now(UTC), RAW)["webhook-signature"]

    answer = send(client, source, RAW, event_id="evt-1", webhook_signature=f"{bad} {good}")

    assert (answer.status_code, states()) == (200, ["new"])


@pytest.mark.parametrize("version", ["v1a", "v0", "V1", ""])
def test_t8_other_versions_alone_are_refused(client: Client, source: Source, version: str) -> None:
    good = webhook.sign(source.secret, "evt-1", datetime.now(UTC), RAW)["webhook-signature"]

    answer = send(client, source, RAW, event_id="evt-1", webhook_signature=good.replace("v1", version, 1))

    assert (answer.status_code, states()) == (401, [])


def test_t8_previous_secret_is_taken_until_the_rotation_ends(client: Client, source: Source) -> None:
    old = source.secret
    fresh = sources.rotate_secret(source, now=NOW)

    during = [send(client, source, RAW, secret=secret).status_code for secret in (old, fresh)]
    sources.end_rotation(source, now=NOW)
    known.forget()
    after = [send(client, source, RAW, secret=secret).status_code for secret in (old, fresh)]

    assert (during, after) == ([200, 200], [401, 200])


@pytest.mark.parametrize("listed", [" ".join(["v1,AAAA"] * 5000), "v1," + "A" * 100_000])
def test_t9_monstrous_signature_header_is_unreadable_at_once(
    client: Client, source: Source, listed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bytes] = []
    compare = hmac.compare_digest

    def counted(given: bytes, own: bytes) -> bool:
        compared.append(given)
        return compare(given, own)

    monkeypatch.setattr(hmac, "compare_digest", counted)

    started = time.process_time()
    with pytest.raises(CallUnreadable):
        webhook.check_signature(
            (source.secret, source.secret),
            RAW,
            {**webhook.sign(source.secret, "evt", datetime.now(UTC), RAW), "webhook-signature": listed},
            now=datetime.now(UTC),
        )
    spent = time.process_time() - started
    answer = send(client, source, RAW, webhook_signature=listed)

    assert (answer.status_code, states(), len(compared) <= 10, spent < 0.005) == (400, [], True, True)


@pytest.mark.parametrize("event_id", ["a.b", "a\nb", "a" * 300, "", "a b", "é"])
def test_t10_malformed_id_is_unreadable(client: Client, source: Source, event_id: str) -> None:
    stamp = datetime.now(UTC)

    with pytest.raises(CallUnreadable):
        webhook.check_signature(
            (source.secret,), RAW, webhook.sign(source.secret, event_id, stamp, RAW), now=stamp
        )
    if event_id.isprintable() and event_id.isascii():
        assert send(client, source, RAW, webhook_id=event_id).status_code == 400
    assert states() == []


def test_t11_forwarded_address_is_ignored_without_a_proxy(
    client: Client, source: Source, settings: Settings
) -> None:
    send(client, source, RAW, webhook_signature="absent", x_forwarded_for="203.0.113.9")
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    send(client, source, RAW, webhook_signature="absent", x_forwarded_for="10.0.0.1, 203.0.113.9")

    counted = RateBucket.objects.filter(key__startswith="hook:from:").values_list("key", flat=True)
    assert sorted(counted) == ["hook:from:127.0.0.1", "hook:from:203.0.113.9"]


@pytest.mark.parametrize(
    ("raw", "status"),
    [(b"", 400), (b"{", 400), (b" " * (1024 * 1024 + 1), 413), (b" " * (1024 * 1024), 200)],
)
def test_t12_size_of_the_body(client: Client, source: Source, raw: bytes, status: int) -> None:
    answer = send(client, source, raw)

    assert (answer.status_code, len(states())) == (status, int(status == 200))


def test_t13_compressed_body_is_refused_and_not_inflated(client: Client, source: Source) -> None:
    answer = send(client, source, b"\x1f\x8b" + b"\0" * 1000, content_encoding="gzip")

    assert (answer.status_code, states()) == (415, [])


def test_get_is_refused(client: Client, source: Source) -> None:
    assert client.get(f"/hooks/{source.key}").status_code == 405


def test_unknown_key_is_404(client: Client, source: Source) -> None:
    answer = client.post("/hooks/nobody", data=RAW, content_type="application/json")

    assert (answer.status_code, states()) == (404, [])


def test_t29_unsigned_calls_of_one_address_are_limited_and_signed_ones_are_not(
    client: Client, source: Source
) -> None:
    answers = [
        send(client, source, RAW, webhook_signature="absent").status_code
        for _ in range(limits.PER_ADDRESS + 20)
    ]
    signed = send(client, source, RAW)

    assert (answers.count(401), answers.count(429), signed.status_code) == (limits.PER_ADDRESS, 20, 200)
    assert states() == ["new"]


def test_t29_unsigned_calls_of_many_addresses_are_limited_by_key(client: Client, source: Source) -> None:
    answers = [
        client.post(
            f"/hooks/{source.key}",
            data=RAW,
            content_type="application/json",
            REMOTE_ADDR=f"203.0.{n // 250}.{n % 250}",
        ).status_code
        for n in range(limits.PER_KEY + 50)
    ]

    assert (answers.count(401), answers.count(429)) == (limits.PER_KEY, 50)
    assert send(client, source, RAW).status_code == 200


def test_t29_blocked_calls_cost_no_statement(
    client: Client, source: Source, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(limits.PER_ADDRESS + 2):
        send(client, source, RAW, webhook_signature="absent")

    with django_assert_num_queries(0):
        assert send(client, source, RAW, webhook_signature="absent").status_code == 429


def test_signed_call_costs_one_statement(
    client: Client, source: Source, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    send(client, source, RAW)

    with django_assert_num_queries(1) as spied:
        assert send(client, source, RAW).status_code == 200
    assert "core_inbox" in spied.captured_queries[0]["sql"]


def test_secret_headers_are_not_kept(client: Client, source: Source) -> None:
    send(client, source, RAW, authorization="Basic c2VjcmV0", cookie="session=1")

    kept = InboxItem.objects.get().headers
    assert sorted(kept) == ["content-type", "webhook-id", "webhook-signature", "webhook-timestamp"]


def test_our_signature_is_that_of_the_reference_library(source: Source) -> None:
    secret, at = webhook.new_secret(), datetime.now(UTC)
    theirs = Webhook(secret)

    signed = webhook.sign(secret, "msg_1", at, RAW)
    theirs.verify(RAW, signed)
    told = {
        "webhook-id": "msg_2",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": theirs.sign("msg_2", at, RAW.decode()),
    }
    webhook.check_signature((secret,), RAW, told, now=at)
    with pytest.raises(SignatureRefused):
        webhook.check_signature((secret,), RAW + b" ", told, now=at)


def test_woocommerce_signature_over_the_raw_body(client: Client, shop: Shop) -> None:
    source = make_source(shop, kind="woocommerce", secret="a secret with & in it, long")
    raw = b'{"id":727,"status":"pending"}'

    wrong = send_woo(client, source, raw, "order.updated", secret="another secret that is long")
    right = send_woo(client, source, raw, "order.updated")

    assert (wrong.status_code, right.status_code, states()) == (401, 200, ["new"])


def test_connection_is_idle_in_no_transaction_after_a_call(client: Client, source: Source) -> None:
    assert send(client, source, RAW).status_code == 200
    assert connection.settings_dict["ATOMIC_REQUESTS"] is False
