"""The watchdog really writes to the owner over a real mail server, whatever the worker does (peer 14, R48)."""

from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.models import User
from recoup.config.watchdog import Watchdog
from recoup.core import heartbeat
from recoup.core.clock import real_now
from recoup.core.installation import check_place, silence_installation
from recoup.messaging.models import MailAccount
from recoup.shops.models import Membership, Shop
from tests.factories.messages import make_mail_account
from tests.factories.moments import HOUR, MINUTE
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


@pytest.fixture
def now() -> datetime:
    """Return real time."""
    return real_now()


def looks(watchdog: Watchdog, *moments: datetime) -> list[list[str]]:
    """Look several times; the worker is missing unless it has beaten."""
    return [watchdog.look(now=moment) for moment in moments]


def told(sink: SmtpSink) -> list[list[str]]:
    """Return to whom the mails went."""
    return [mail.recipients for mail in sink.mails()]


def _refuse(*_statement: Any) -> Any:
    raise OperationalError("connection refused")


def test_a_part_of_the_worker_that_fell_silent_turns_health_red_and_is_told_to_the_owner_once(
    shop: Shop, sink: SmtpSink, client: Client, now: datetime
) -> None:
    heartbeat.beat("engine", now=now)
    assert (Watchdog().look(now=now), client.get("/health").status_code) == ([], 200)
    heartbeat.beat("sender-1", now=now - 3 * MINUTE)

    found = [Watchdog().look(now=now) for _ in range(3)]  # started anew each time

    assert found == [["loop_silent:sender-1"]] * 3
    health = client.get("/health")
    assert (health.status_code, health.json()["troubles"]) == (503, ["loop_silent:sender-1"])
    (mail,) = sink.mails()
    read = message_from_bytes(mail.content, policy=policy.default)
    assert mail.recipients == ["owner@shop.example"]
    assert "/health" in read.get_content()
    assert read["Auto-Submitted"] == "auto-generated"


def test_another_trouble_is_told_though_one_was_told_before(
    shop: Shop, sink: SmtpSink, now: datetime
) -> None:
    watchdog = Watchdog()
    watchdog.look(now=now)  # no worker has ever beaten
    heartbeat.beat("engine", now=now)
    heartbeat.beat("outbox", now=now - 3 * MINUTE)

    watchdog.look(now=now)

    assert told(sink) == [["owner@shop.example"]] * 2


def test_a_trouble_that_stays_is_told_every_six_hours(shop: Shop, sink: SmtpSink, now: datetime) -> None:
    looks(Watchdog(), *(now + hours * HOUR for hours in range(8)))

    assert len(sink.mails()) == 2


def test_a_mail_that_failed_is_tried_again_within_minutes(shop: Shop, sink: SmtpSink, now: datetime) -> None:
    watchdog = Watchdog()
    MailAccount.objects.update(port=1)  # nobody listens there
    found = watchdog.look(now=now)

    MailAccount.objects.update(port=sink.port)
    looks(watchdog, now + MINUTE, now + 3 * MINUTE, now + 4 * MINUTE)

    assert (found, told(sink)) == (["worker_missing"], [["owner@shop.example"]])


def test_a_trouble_that_healed_is_told_again_when_it_returns(
    shop: Shop, sink: SmtpSink, now: datetime
) -> None:
    watchdog = Watchdog()
    watchdog.look(now=now)
    heartbeat.beat("engine", now=now + MINUTE)
    healed = watchdog.look(now=now + 2 * MINUTE)

    looks(watchdog, now + 4 * MINUTE)  # it comes and goes: no mail a minute
    at_once = len(sink.mails())
    looks(watchdog, now + 8 * MINUTE, now + 9 * MINUTE)

    assert (healed, at_once, len(sink.mails())) == ([], 1, 2)


def test_an_owner_of_two_shops_gets_one_mail(shop: Shop, sink: SmtpSink, now: datetime) -> None:
    other = make_shop()
    make_mail_account(other, port=sink.port)
    owner = User.objects.get(email="owner@shop.example")
    Membership.objects.create(shop=other, user=owner, role="owner")
    MailAccount.objects.filter(shop=shop).update(port=1)  # the other shop's server is used then

    looks(Watchdog(), now, now + MINUTE)

    assert told(sink) == [["owner@shop.example"]]


def test_a_silenced_copy_writes_to_nobody(shop: Shop, sink: SmtpSink, now: datetime) -> None:
    silence_installation(reason="restored", now=now)

    assert (Watchdog().look(now=now), told(sink)) == (["worker_missing"], [])


def test_a_copy_writes_to_nobody_before_its_own_worker_has_silenced_it(
    shop: Shop, sink: SmtpSink, now: datetime
) -> None:
    was = connection.settings_dict["HOST"]
    check_place(now=now - HOUR)
    try:
        connection.settings_dict["HOST"] = "/elsewhere/socket"
        Watchdog().look(now=now)
    finally:
        connection.settings_dict["HOST"] = was

    assert told(sink) == []


def test_a_database_that_stays_away_is_told_to_the_owners_who_were_last_known(
    shop: Shop, sink: SmtpSink, now: datetime
) -> None:
    watchdog = Watchdog()
    heartbeat.beat("engine", now=now)
    watchdog.look(now=now)

    with connection.execute_wrapper(_refuse):
        found = looks(watchdog, *(now + minutes * MINUTE for minutes in range(1, 6)))

    assert found == [[], [], *[["database_away"]] * 3]
    assert told(sink) == [["owner@shop.example"]]
    heartbeat.beat("engine", now=now + 6 * MINUTE)
    assert watchdog.look(now=now + 6 * MINUTE) == []


def test_a_silenced_copy_writes_to_nobody_when_its_database_goes_away(
    shop: Shop, sink: SmtpSink, now: datetime
) -> None:
    watchdog = Watchdog()
    silence_installation(reason="restored", now=now)
    watchdog.look(now=now)

    with connection.execute_wrapper(_refuse):
        looks(watchdog, now + MINUTE, now + 5 * MINUTE)

    assert told(sink) == []


def test_a_mail_server_that_is_away_too_does_not_stop_the_watchdog(shop: Shop, sink: SmtpSink) -> None:
    sink.stop()

    assert Watchdog().look(now=real_now()) == ["worker_missing"]
