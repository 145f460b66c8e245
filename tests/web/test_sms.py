"""Short messages by what an owner sees: the account, a test, the money, texts in parts, pace, ranks."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.test import Client
from django_scopes import scopes_disabled
from pytest_django import Settings

from recoup.accounts.roles import Role
from recoup.config.adapters import CHANNELS
from recoup.core import attention
from recoup.core.clock import trade_now
from recoup.core.installation import silence_installation
from recoup.core.models import Activity
from recoup.messaging import channels
from recoup.messaging.models import (
    Lane,
    Message,
    MessageSource,
    QuietHours,
    SmsAccount,
    SmsDay,
    SmsRangeDay,
    Template,
)
from recoup.messaging.sender.spending import day_of
from recoup.processes.models import Process
from recoup.shops.models import Shop
from tests.factories.messages import make_lane, make_message
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_order
from tests.support.sms_servers import SmsapiServer, TwilioServer
from tests.web.world import World, client_of

HOME = "/s/own/settings/"


@pytest.fixture(autouse=True)
def _table(settings: Settings) -> Iterator[None]:
    settings.PUBLIC_URL = "https://recoup.example"
    channels.register(CHANNELS)
    yield
    channels.register({})


@pytest.fixture
def owner(world: World) -> Client:
    with scopes_disabled():
        Shop.objects.filter(slug="own").update(country="PL")
    return client_of(world.own.people[Role.OWNER])


def typed(server: SmsapiServer | TwilioServer, **values: str) -> dict[str, str]:
    """Return what an owner types for a stand-in."""
    return {
        "provider": "smsapi",
        "account_ref": "",
        "secret": "right",
        "sender": "Pottery",
        "base_url": f"http://127.0.0.1:{server.port}",
        "price_per_part": "0.16",
        "currency": "pln",
        "prices": "de 0,35",
        "countries": "pl, DE",
        "daily_cap": "5",
        "per_number_day": "2",
        **values,
    }


def account() -> SmsAccount:
    with scopes_disabled():
        return SmsAccount.objects.get(shop__slug="own")


def test_an_account_is_saved_tried_and_asked_about(owner: Client) -> None:
    with SmsapiServer() as server:
        saved = owner.post(f"{HOME}sms/", typed(server))
        owner.post(f"{HOME}sms/check/")
        owner.post(f"{HOME}sms/test/", {"to": "501 234 500"})
        page = owner.get(f"{HOME}sms/").content.decode()

        (taken,) = server.messages
    found = account()
    assert saved.status_code == 302
    assert (found.secret, found.currency, found.countries) == ("right", "PLN", ["DE", "PL"])
    assert (found.price_in("DE"), found.price_in("PL")) == (Decimal("0.35"), Decimal("0.16"))
    assert (taken.number, taken.sender, taken.text) == ("+48501234500", "Pottery", "Test of own: it works.")
    assert (found.balance, SmsDay.objects.get().spent) == ("12.5 points", Decimal("0.16"))
    assert "12.5 points" in page
    assert f"/hooks/channels/{found.hook_key}/reply" in page
    assert "right" not in [line.details for line in Activity.objects.filter(verb="messaging.sms.changed")]


def test_a_restored_copy_sends_no_test_and_pays_for_none(owner: Client) -> None:
    with SmsapiServer() as server:
        owner.post(f"{HOME}sms/", typed(server))
        silence_installation(reason="restored", now=NOW)
        page = owner.post(f"{HOME}sms/test/", {"to": "501 234 500"}, follow=True).content.decode()

        assert (server.messages, SmsDay.objects.count()) == ([], 0)
    assert "This copy is silent, and so nothing was sent." in page


def test_the_token_is_never_shown_and_an_empty_field_keeps_it(owner: Client) -> None:
    with TwilioServer() as server:
        given = typed(
            server, provider="twilio", account_ref="AC1", sender="+15005550006", secret="s3cret-t0ken"
        )
        owner.post(f"{HOME}sms/", given)
        owner.post(f"{HOME}sms/", {**given, "secret": "", "daily_cap": "7"})

    assert (account().secret, account().daily_cap) == ("s3cret-t0ken", Decimal(7))
    assert b"s3cret-t0ken" not in owner.get(f"{HOME}sms/").content


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sender", "A name that is too long"),
        ("sender", "Garncarnia ł"),
        ("secret", ""),
        ("countries", "Poland"),
        ("prices", "DE dear"),
        ("currency", "zloty"),
        ("daily_cap", "0"),
        ("base_url", "http://169.254.169.254/latest"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(owner: Client, field: str, value: str) -> None:
    with SmsapiServer() as server:
        page = owner.post(f"{HOME}sms/", typed(server, **{field: value}))

    assert (page.status_code, list(page.context["form"].errors)) == (422, [field])
    assert not SmsAccount.objects.exists()


def test_wrong_credentials_are_said_and_nothing_is_kept_of_them(owner: Client) -> None:
    with SmsapiServer() as server:
        owner.post(f"{HOME}sms/", typed(server, secret="wrong"))
        page = owner.post(f"{HOME}sms/check/", follow=True).content.decode()

    assert "Authorization failed" in page
    assert (account().balance, server.messages) == ("", [])


def test_a_short_text_is_counted_priced_and_refused_when_too_long(owner: Client) -> None:
    with SmsapiServer() as server:
        owner.post(f"{HOME}sms/", typed(server))
    made = owner.post(f"{HOME}texts/new/", {"name": "Krótka wiadomość", "kind": "order", "channel": "sms"})
    with scopes_disabled():
        template = Template.objects.get(channel="sms")
    url = f"{HOME}texts/{template.key}/en/"
    owner.post(url, {"body": "Zażółć: {{ order.number }} {{ links.pay }}", "lock": "0"})
    page = owner.get(url)
    bill = page.context["bill"]

    assert made.status_code == 302
    assert "https://recoup.example/pay/" + "x" * 22 in bill.text
    assert (bill.measure.encoding, bill.measure.foreign, bill.plain_measure.parts) == ("ucs2", "żółć", 1)
    assert [(one.country, one.amount) for one in bill.prices] == [
        ("DE", Decimal("0.35") * bill.sent.parts),
        ("PL", Decimal("0.16") * bill.sent.parts),
    ]
    assert "links.pay" in page.content.decode()

    owner.post(url, {"body": "a" * 1200 + " {{ links.pay }}", "lock": "1"})
    owner.post(f"{url}publish/", {"lock": "2"})
    template.refresh_from_db()
    assert template.current_version_id is None
    owner.post(url, {"body": "Order {{ order.number }}: {{ links.pay }}", "lock": "2"})
    owner.post(f"{url}publish/", {"lock": "3"})
    template.refresh_from_db()
    assert template.current_version_id is not None


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("<b>Pay</b> {{ links.pay }}", "order", "Take out “&lt;b&gt;”"),
        ("{{ order.nmber }}", "order", "order.nmber"),
        ("Your cart: {{ links.cart }}", "cart", "must say how to stop it"),
        ("  ", "order", "This field is required"),
    ],
)
def test_a_text_that_cannot_go_out_is_refused(owner: Client, body: str, kind: str, words: str) -> None:
    owner.post(f"{HOME}texts/new/", {"name": "Short", "kind": kind, "channel": "sms"})

    page = owner.post(f"{HOME}texts/short/en/", {"body": body, "lock": "0"})

    assert page.status_code == 422
    assert words in page.content.decode()


def test_quiet_hours_and_pace_are_set_for_each_channel(owner: Client) -> None:
    hours = {"is_on": "on", "starts": "21:00", "ends": "09:00", "keeps_holidays": "on", "channel": "sms"}
    pace = {"rate": "2", "daily_quota": "500", "max_in_flight": "", "warmup": "50, 100", "channel": "sms"}

    owner.post(f"{HOME}limits/quiet/", hours)
    owner.post(f"{HOME}limits/pace/", pace)
    wrong = owner.post(f"{HOME}limits/pace/", {**pace, "warmup": "many"})

    with scopes_disabled():
        quiet, lane = QuietHours.objects.get(shop__slug="own", channel="sms"), Lane.objects.get(channel="sms")
    assert (quiet.starts.hour, quiet.ends.hour, quiet.keeps_holidays) == (21, 9, True)
    assert (lane.rate, lane.daily_quota, lane.warmup, lane.warmup_since is not None) == (
        2,
        500,
        [50, 100],
        True,
    )
    assert (wrong.status_code, owner.get(f"{HOME}limits/").status_code) == (422, 200)


def test_a_process_is_ranked_and_its_messages_know(owner: Client) -> None:
    with scopes_disabled():
        process = Process.objects.filter(shop__slug="own").earliest("id")
    url = f"/s/own/processes/{process.pk}/rank/"

    saved = owner.post(url, {"rank": "7", "group": " recovery "})
    refused = owner.post(url, {"rank": "700", "group": ""})

    process.refresh_from_db()
    with scopes_disabled():
        source = MessageSource.objects.get(pk=process.message_source_id)
    assert (saved.status_code, refused.status_code) == (303, 422)
    assert (process.priority, process.exclusive_group, source.priority) == (7, "recovery", 7)
    assert "recovery" in owner.get(url).content.decode()


def test_each_provider_asks_for_its_own_and_a_change_of_it_takes_no_token_over(owner: Client) -> None:
    with SmsapiServer() as server:
        owner.post(f"{HOME}sms/", typed(server))
    here = owner.get(f"{HOME}sms/", headers={"accept-language": "pl"}).context
    other = owner.get(f"{HOME}sms/?provider=twilio").context
    given = typed(server, provider="twilio", account_ref="AC1", base_url="", secret="")
    refused = owner.post(f"{HOME}sms/?provider=twilio", given)

    assert ("account_ref" in here["form"].fields, "account_ref" in other["form"].fields) == (False, True)
    assert (here["provider_now"], other["provider_now"]) == ("", "SMSAPI")
    assert (other["form"]["base_url"].value(), other["units"]["daily_cap"]) == ("", "PLN")
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["secret"])
    assert (account().provider, account().secret) == ("smsapi", "right")


def test_home_says_that_a_range_is_held_up_and_its_messages_can_be_let_go(
    world: World, owner: Client
) -> None:
    shop = world.own.shop
    now = trade_now()
    with SmsapiServer() as server:
        owner.post(f"{HOME}sms/", typed(server))
    with scopes_disabled():
        for kind in ("messaging.money_spent", "messaging.range_held"):
            attention.ask(kind, shop_id=shop.pk, key="k", now=NOW, prefix="+4850100xxxx", numbers=20)
        held = SmsRangeDay.objects.create(
            shop=shop,
            day=day_of(account(), now)[0],
            prefix="+4850100",
            is_known=False,
            numbers=20,
            held_at=now,
        )
        waits, other = (
            make_message(
                make_order(shop), channel="sms", recipient=number, reason="range_cap", due_at=now + DAY,
                lane=make_lane(shop, channel="sms"),
            )
            for number in ("+48501001234", "+48501011234")
        )  # fmt: skip

    home = owner.get("/s/own/").content.decode()
    page = owner.get(f"{HOME}sms/").content.decode()
    answer = owner.post(f"{HOME}sms/release/", {"range": str(held.pk)}, follow=True).content.decode()
    again = owner.post(f"{HOME}sms/release/", {"range": str(held.pk)}, follow=True).content.decode()
    with scopes_disabled():
        for prefix in ("+4850102", "+4850103"):
            SmsRangeDay.objects.create(shop=shop, day=held.day, prefix=prefix, is_known=False, held_at=now)
    several = owner.get(f"{HOME}sms/").content.decode()
    all_gone = owner.post(f"{HOME}sms/release/", {"range": "all"}, follow=True).content.decode()

    assert ("Let all go today" in page, "Let all go today" in several) == (False, True)
    assert "All messages that were held up go out again today" in all_gone
    assert not SmsRangeDay.objects.filter(released_at=None).exists()
    assert "such as +4850100xxxx" in home
    assert "money for short messages is spent" in home
    assert "20 numbers got messages, 1 message waits" in page
    assert "Messages to +4850100xxxx go out again today" in answer
    assert "Nothing is held up there any more." in again
    with scopes_disabled():
        dues = [Message.objects.get(pk=one.pk).due_at for one in (waits, other)]
    assert dues[0] < now + DAY == dues[1]
    assert Activity.objects.filter(verb="messaging.sms.range_released").exists()
