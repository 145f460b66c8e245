"""The watchdog really writes to the owner over a real mail server, whatever the worker does (peer 14, R48)."""

from collections.abc import Iterator
from email import message_from_bytes, policy

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.models import User
from recoup.config import watchdog
from recoup.core import heartbeat
from recoup.core.clock import real_now
from recoup.shops.models import Membership, Shop
from tests.factories.messages import make_mail_account
from tests.factories.moments import MINUTE
from tests.factories.shops import make_shop
from tests.support.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """Return a mail server that takes everything."""
    with SmtpSink() as server:
        yield server


@pytest.fixture
def shop(sink: SmtpSink) -> Shop:
    """Return a shop with a mail server, a Polish owner and a clerk."""
    shop = make_shop()
    make_mail_account(shop, port=sink.port)
    for email, role, language in (
        ("owner@shop.example", "owner", "pl"),
        ("clerk@shop.example", "clerk", "en"),
    ):
        user = User.objects.create_user(email, language=language)
        Membership.objects.create(shop=shop, user=user, role=role)
    return shop


def test_a_part_of_the_worker_that_fell_silent_turns_health_red_and_is_told_to_the_owner_once(
    shop: Shop, sink: SmtpSink, client: Client
) -> None:
    now = real_now()
    heartbeat.beat("engine", now=now)
    assert (watchdog.look(now=now), client.get("/health").status_code) == ([], 200)
    heartbeat.beat("sender-1", now=now - 3 * MINUTE)

    found = [watchdog.look(now=now) for _ in range(3)]

    assert found == [["loop_silent:sender-1"]] * 3
    health = client.get("/health")
    assert (health.status_code, health.json()["troubles"]) == (503, ["loop_silent:sender-1"])
    (mail,) = sink.mails()
    read = message_from_bytes(mail.content, policy=policy.default)
    assert mail.recipients == ["owner@shop.example"]
    assert "/health" in read.get_content()
    assert read["Auto-Submitted"] == "auto-generated"


def test_another_trouble_is_told_though_one_was_told_before(shop: Shop, sink: SmtpSink) -> None:
    now = real_now()
    watchdog.look(now=now)  # no worker has ever beaten
    heartbeat.beat("engine", now=now)
    heartbeat.beat("outbox", now=now - 3 * MINUTE)

    watchdog.look(now=now)

    assert [mail.recipients for mail in sink.mails()] == [["owner@shop.example"]] * 2


def test_a_mail_server_that_is_away_too_does_not_stop_the_watchdog(shop: Shop, sink: SmtpSink) -> None:
    sink.stop()

    assert watchdog.look(now=real_now()) == ["worker_missing"]
