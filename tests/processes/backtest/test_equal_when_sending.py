"""A live run that really sends, by two channels and beside another process, and its back-test end every message the same."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled
from pytest_django import Settings

from recoup import flow
from recoup.config.adapters import CHANNELS
from recoup.core import outbox
from recoup.core.activity import SYSTEM
from recoup.customers.actions import Consent, record_consent, suppress
from recoup.customers.models import Contact
from recoup.messaging import channels
from recoup.messaging.models import QuietHours, SendingLimits, SmsAccount
from recoup.messaging.past import deciding
from recoup.messaging.past.people import PastPeople, PastPerson, Standing
from recoup.messaging.past.purse import Purse
from recoup.messaging.past.rules import PastRules, read_rules
from recoup.messaging.past.sent import Others
from recoup.messaging.rendering.pool import shared_pool
from recoup.messaging.rules.book import SHIPPED, Cell, RuleHistory
from recoup.messaging.rules.changing import change_rule
from recoup.messaging.rules.deciding import Basis
from recoup.messaging.sender import judge
from recoup.messaging.sender.limits import Quiet
from recoup.orders.models import Order
from recoup.processes.backtest import around, running
from recoup.processes.backtest.offers import PastOffers
from recoup.processes.backtest.purse import OfferPurse
from recoup.processes.backtest.running import run_backtest
from recoup.processes.backtest.shop import PastShop
from recoup.processes.engine.codes import Code
from recoup.processes.memory_rows import Line
from recoup.processes.models import Process
from recoup.shops.snapshots import PersonSnapshot
from tests.factories.messages import (
    make_lane,
    make_mail_account,
    make_message_source,
    make_sms_account,
)
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.offers import make_offer, make_settings
from tests.factories.processes import make_process
from tests.factories.shops import make_shop, make_source
from tests.factories.templates import make_template
from tests.processes.backtest.sending_shop import Ends, SendingShop, handed_in, second
from tests.processes.backtest.test_equal_to_life import plan_of
from tests.support.sms_servers import SmsapiServer
from tests.support.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db

# The tried one: a mail or else a short message, a short message or else a mail, then advertising.
NODES: dict[str, Any] = {
    "n1": {
        "t": "send",
        "template": "first",
        "otherwise": [{"channel": "sms", "template": "short"}],
        "not_after": "P2D",
        "out": {"done": "n2"},
    },
    "n2": {"t": "wait", "for": "PT31H", "out": {"next": "n3"}},
    "n3": {
        "t": "send",
        "channel": "sms",
        "template": "short",
        "otherwise": [{"channel": "email", "template": "first"}],
        "not_after": "P3D",
        "out": {"done": "n4"},
    },
    "n4": {"t": "wait", "for": "PT20H", "out": {"next": "n5"}},
    "n5": {"t": "send", "template": "advert", "not_after": "P2D", "out": {"done": "n6"}},
    "n6": {"t": "end"},
}
# Another one, of higher rank, that writes to some of them.
LOUD: dict[str, Any] = {
    "n1": {"t": "wait", "for": "PT3H", "out": {"next": "n2"}},
    "n2": {"t": "send", "template": "loud", "not_after": "P3D", "out": {"done": "n3"}},
    "n3": {"t": "wait", "for": "PT8H", "out": {"next": "n4"}},
    "n4": {"t": "send", "template": "loud", "not_after": "P3D", "out": {"done": "n5"}},
    "n5": {"t": "end"},
}
ADVERT = """<mjml><mj-body><mj-section><mj-column><mj-text>Order {{ order.number }} now with 10 % off everything.</mj-text>
<mj-text><a href="{{ links.unsubscribe }}">No more</a></mj-text></mj-column></mj-section></mj-body></mjml>"""
MOBILE, LANDLINE, GERMAN = "+48512345678", "+48221234567", "+4915123456789"


@dataclass
class Tried:
    """Gathers what all pages of a back-test came to."""

    lines: list[Line] = field(default_factory=list)
    ends: Ends = field(default_factory=dict)

    def look(self, shop: PastShop) -> None:
        self.lines += shop.journal()
        self.ends |= handed_in(shop)


@pytest.fixture
def real(settings: Settings) -> Iterator[SendingShop]:
    settings.PUBLIC_URL = "https://recoup.example"
    channels.register(CHANNELS)
    outbox.set_routes(flow.ROUTES)
    with connection.cursor() as cursor:  # quiet hours end for everybody at another minute, by their number
        cursor.execute("ALTER TABLE customers_contact ALTER COLUMN id RESTART WITH 1")
    with scopes_disabled(), SmtpSink() as mail, SmsapiServer() as sms:
        shop = make_shop(time_zone="Europe/Warsaw", country="PL", locale="en")
        make_mail_account(shop, port=mail.port)
        make_sms_account(shop, port=sms.port, per_number_day=1)
        make_lane(shop)
        make_template(shop, key="first")
        make_template(shop, key="loud")
        make_template(shop, key="advert", texts={"en": ("An offer", ADVERT)})
        make_template(shop, key="short", channel="sms")
        process = make_process(shop, nodes=NODES, goals=[{"on": "order.paid"}], entry={"anchor": "placed_at"})
        yield SendingShop(shop, make_source(shop), process)
    channels.register({})
    shared_pool().close()


def quiet(shop: Any, channel: str, starts: int, ends: int, *, keeps_holidays: bool = False) -> None:
    QuietHours(
        shop=shop, channel=channel, starts=time(starts), ends=time(ends), keeps_holidays=keeps_holidays
    ).save(force_insert=True)


def tried(real: SendingShop, until: datetime) -> Tried:
    found = Tried()
    run_backtest(plan_of(real.process, until=until), look=found.look)
    found.lines = told(found.lines)
    return found


def told(lines: list[Line]) -> list[Line]:
    return sorted(line._replace(at=second(line.at)) for line in lines)


def assert_same(found: Tried, real: SendingShop) -> None:
    assert found.ends == real.handed()
    assert found.lines == told(real.journal())


def is_same(found: Tried, real: SendingShop) -> bool:
    return found.ends == real.handed() and found.lines == told(real.journal())


def person(name: str, *, phone: str = "", country: str = "PL", **values: Any) -> PersonSnapshot:
    email = values.pop("email", f"{name}@example.com")
    return PersonSnapshot(email=email, phone=phone, name=name, locale="en", country=country, **values)


def contact_of(name: str) -> Contact:
    return Contact.objects.get(name=name)


PEOPLE = {
    "both": person("both", phone=MOBILE),
    "mail": person("mail"),
    "phone": person("phone", phone="+48512345679", email=""),
    "landline": person("landline", phone=LANDLINE, email=""),
    "german": person("german", phone=GERMAN, email=""),
    "left": person("left", phone="+48512345680"),
    "agrees": person("agrees"),
    "changed": person("changed"),
    "late": person("late"),
    "tokyo": person("tokyo", phone="+48512345681", country="JP", time_zone="Asia/Tokyo"),
    "twice": person("twice", phone="+48512345682"),
    "busy": person("busy"),
    "pays": person("pays", phone="+48512345683"),
}


def agree(name: str, *, is_given: bool = True) -> Callable[[datetime], Any]:
    word = Consent("marketing", is_given, "checkout", NOW)
    return lambda now: record_consent(contact_of(name), [replace(word, at=now)], now=now)


def live(real: SendingShop) -> datetime:
    """Let two weeks go by with everything that can happen to a message."""
    for number, (name, one) in enumerate(PEOPLE.items()):
        at = NOW + 6 * DAY + number * 47 * MINUTE
        real.at(at, real.place(f"o-{name}", name, at, person=one))
    again = NOW + 6 * DAY + 11 * HOUR
    real.at(again, real.place("o-twice2", "twice", again, person=PEOPLE["twice"], product="book"))
    for number in range(3):
        at = NOW + 6 * DAY + 12 * HOUR + number * MINUTE
        real.at(at, real.place(f"o-busy{number}", "busy", at, person=PEOPLE["busy"], product=f"p{number}"))
    real.at(NOW + 6 * DAY + 20 * HOUR, agree("agrees"))
    real.at(NOW + 6 * DAY + 21 * HOUR, agree("changed"))
    real.at(NOW + 8 * DAY, agree("changed", is_given=False))
    real.at(NOW + 12 * DAY, agree("late"))
    real.at(
        NOW + 6 * DAY + 22 * HOUR,
        lambda now: suppress(
            real.shop.pk, "left@example.com", scope="reminders", reason="unsubscribed", now=now
        ),
    )
    paid = NOW + 8 * DAY + 7 * HOUR
    real.at(paid, real.pay("o-pays", paid))
    until = NOW + 14 * DAY
    real.run(until)
    return until


def with_another(real: SendingShop) -> Process:
    source = make_message_source(real.shop, name="Loud", priority=5)
    return make_process(
        real.shop,
        nodes=LOUD,
        entry={
            "on": "order.unpaid",
            "if": {"f": "order.products", "op": "has_any", "v": ["p0", "p1", "book"]},
        },
        message_source=source,
        priority=5,
        name="Loud",
    )


def with_rules(patch: pytest.MonkeyPatch, changed: Callable[[PastRules], PastRules]) -> None:
    patch.setattr(around, "read_rules", lambda shop_id: changed(read_rules(shop_id)))


def forget_consents(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PastPerson, "standing", lambda *_, **__: Standing(has_agreed=True, wants_offers=True))


def forget_when_consents_were_given(patch: pytest.MonkeyPatch) -> None:
    known, last = PastPerson.standing, NOW + 365 * DAY
    patch.setattr(PastPerson, "standing", lambda self, channel, _at, **__: known(self, channel, last))


def forget_the_law(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deciding, "basis_of", lambda *_, **__: Basis("contract", "contract", "order", "PL"))


def forget_who_unsubscribed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PastPeople, "scopes", lambda *_: set())


def forget_other_channels(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deciding, "may_pass_on", lambda *_: False)


def forget_quiet_hours(patch: pytest.MonkeyPatch) -> None:
    with_rules(patch, lambda rules: replace(rules, quiet={}))


def forget_hours_of_each_channel(patch: pytest.MonkeyPatch) -> None:
    with_rules(patch, lambda rules: replace(rules, quiet=dict.fromkeys(rules.quiet, rules.quiet["email"])))


def forget_holidays(patch: pytest.MonkeyPatch) -> None:
    def without(some: Sequence[Quiet]) -> tuple[Quiet, ...]:
        return tuple(replace(one, keeps_holidays=False) for one in some)

    with_rules(
        patch, lambda rules: replace(rules, quiet={kind: without(some) for kind, some in rules.quiet.items()})
    )


def forget_other_processes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(around, "read_others", lambda *_, **__: Others())


def forget_ranks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Others, "rivals", lambda *_: [])


def forget_what_a_number_had(patch: pytest.MonkeyPatch) -> None:
    take = Purse.take
    patch.setattr(
        Purse, "take", lambda self, number, amount, now, **_: take(self, f"{number}{now}", amount, now)
    )


CONTROLS = (
    forget_consents,
    forget_when_consents_were_given,
    forget_the_law,
    forget_who_unsubscribed,
    forget_other_channels,
    forget_quiet_hours,
    forget_hours_of_each_channel,
    forget_holidays,
    forget_other_processes,
    forget_ranks,
    forget_what_a_number_had,
)


def test_messages_of_two_channels_end_as_in_life_and_not_once_a_part_is_forgotten(
    real: SendingShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet(real.shop, "email", 21, 8)
    quiet(real.shop, "sms", 18, 10, keeps_holidays=True)
    SendingLimits(shop=real.shop, per_day=2, per_week=5, sms_per_day=2, sms_per_week=5).save(
        force_insert=True
    )
    with_another(real)

    until = live(real)

    ends = real.handed()
    assert {(one.channel, Code(one.outcome)) for one in ends.values()} >= {
        ("email", Code.SENT), ("sms", Code.SENT), ("email", Code.SKIPPED_CONSENT),
    }  # fmt: skip
    assert {one.reason for one in ends.values()} >= {"no_consent", "not_mobile", "country_not_allowed"}
    assert_same(tried(real, until), real)
    unnoticed = []
    for forget in CONTROLS:
        with monkeypatch.context() as patch:
            forget(patch)
            unnoticed += [forget.__name__] if is_same(tried(real, until), real) else []
    assert unnoticed == []


GROUPED: dict[str, Any] = {
    "n1": {"t": "wait", "for": "PT20H", "out": {"next": "n2"}},
    "n2": {"t": "send", "template": "first", "out": {"done": "n3"}},
    "n3": {"t": "wait", "for": "P3D", "out": {"next": "n4"}},
    "n4": {"t": "end"},
}


def live_in_one_group(real: SendingShop, *, rank: int) -> datetime:
    """Let people come into a process and into another one of its group, before it and after it."""
    real.process = make_process(
        real.shop, nodes=GROUPED, name="Tried", priority=5, exclusive_group="one",
        entry={"on": "order.placed", "if": {"f": "order.products", "op": "has_any", "v": ["cream"]}},
    )  # fmt: skip
    make_process(
        real.shop, nodes=GROUPED, name="Other", priority=rank, exclusive_group="one",
        entry={"on": "order.placed", "if": {"f": "order.products", "op": "has_any", "v": ["book"]}},
    )  # fmt: skip
    orders = {
        "first": ("book", "cream"),
        "second": ("cream", "book"),
        "alone": ("cream",),
        "later": ("book",),
    }
    for number, (name, products) in enumerate(orders.items()):
        for turn, product in enumerate(products):
            at = NOW + number * 7 * MINUTE + turn * 30 * HOUR
            real.at(at, real.place(f"{name}{turn}", name, at, person=person(name), product=product))
    at = NOW + 7 * DAY
    real.at(at, real.place("later1", "later", at, person=person("later")))
    until = NOW + 12 * DAY
    real.run(until)
    return until


@pytest.mark.parametrize("rank", [9, 5])
def test_exclusive_group_lets_in_and_ends_as_in_life(
    real: SendingShop, rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = live_in_one_group(real, rank=rank)

    codes = [Code(line.outcome) for line in real.journal()]
    assert codes.count(Code.QUEUED) == 3  # one of the four was kept out
    assert (Code.STOPPED_PREEMPTED in codes) == (rank == 9)
    assert_same(tried(real, until), real)
    monkeypatch.setattr(running, "stays_elsewhere", lambda *_, **__: [])
    assert not is_same(tried(real, until), real)


def test_a_rule_holds_from_its_day_on_as_in_life(real: SendingShop, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet(real.shop, "email", 16, 8)
    nodes = {
        "n1": {"t": "send", "template": "first", "not_after": "P3D", "out": {"done": "n2"}},
        "n2": {"t": "end"},
    }
    real.process = make_process(real.shop, nodes=nodes, entry={"on": "order.placed"}, name="Dated")
    begins = NOW.replace(hour=0, minute=0) + 2 * DAY
    cell = Cell("PL", "contract", "order")
    real.at(
        NOW, lambda now: change_rule(real.shop, cell, "forbidden", actor=SYSTEM, now=now, holds_from=begins)
    )
    for number, at in enumerate((NOW + HOUR, begins - HOUR, begins + 13 * HOUR)):  # one waits over that night
        one = person(f"dated{number}", phone="")
        real.at(at, real.place(f"d{number}", f"dated{number}", at, person=one))
    until = NOW + 5 * DAY
    real.run(until)

    assert [one.reason for _, one in sorted(real.handed().items())] == ["", "forbidden", "forbidden"]
    assert_same(tried(real, until), real)
    monkeypatch.setattr(RuleHistory, "at", lambda *_: SHIPPED)
    assert not is_same(tried(real, until), real)


def test_what_says_today_goes_on_its_day_or_not_at_all_as_in_life(
    real: SendingShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet(real.shop, "email", 16, 8)
    SendingLimits(shop=real.shop, per_day=1, per_week=5).save(force_insert=True)
    nodes = {
        "n1": {"t": "send", "template": "first", "not_after": "P3D", "same_day": True, "out": {"done": "n2"}},
        "n2": {"t": "end"},
    }
    real.process = make_process(real.shop, nodes=nodes, entry={"on": "order.placed"}, name="Today")
    day = NOW.replace(hour=8, minute=0) + DAY
    placed = [("a", day), ("a", day + HOUR), ("b", day + 12 * HOUR), ("c", day + 26 * HOUR)]
    for number, (name, at) in enumerate(placed):
        one = person(f"today{name}", phone="")
        real.at(at, real.place(f"t{number}", f"today{name}", at, person=one, product=f"p{number}"))
    until = NOW + 5 * DAY
    real.run(until)

    # Went; had enough for that day; came in quiet hours; went.
    assert [one.reason for _, one in sorted(real.handed().items())] == ["", "day_over", "day_over", ""]
    assert_same(tried(real, until), real)
    monkeypatch.setattr(judge, "_when_late", lambda *_: "expired")
    assert not is_same(tried(real, until), real)


def test_the_days_money_is_spent_as_in_life(real: SendingShop) -> None:
    SmsAccount.objects.update(daily_cap=Decimal("0.25"))
    nodes = {
        "n1": {"t": "send", "channel": "sms", "template": "short", "not_after": "P3D", "out": {"done": "n2"}},
        "n2": {"t": "end"},
    }
    real.process = make_process(real.shop, nodes=nodes, entry={"on": "order.placed"}, name="Short")
    for number in range(9):
        at = NOW + number * 3 * MINUTE
        name = f"person{number}"
        one = person(name, phone=f"+4851234561{number}", email="")
        real.at(at, real.place(f"o{number}", name, at, person=one))
    until = NOW + 5 * DAY
    real.run(until)

    ends = real.handed()
    assert {one.reason for one in ends.values()} == {"", "cost_cap"}
    assert {one.price for one in ends.values() if not one.reason} == {Decimal("0.10")}
    assert_same(tried(real, until), real)
    SmsAccount.objects.update(daily_cap=Decimal(100))
    assert not is_same(tried(real, until), real)


SHORT_FIRST: dict[str, Any] = {
    "n1": {
        "t": "send", "channel": "sms", "template": "short", "not_after": "P3D",
        "otherwise": [{"channel": "email", "template": "first"}], "out": {"done": "n2"},
    },
    "n2": {"t": "end"},
}  # fmt: skip


def test_what_finds_no_room_takes_another_channel_or_waits_as_in_life(
    real: SendingShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real.process = make_process(
        real.shop, nodes=SHORT_FIRST, entry={"on": "order.placed"}, name="Short first"
    )
    for number, name in enumerate(("reads", "left", "nomail")):
        one = person(name, phone=f"+4851234562{number}", **({"email": ""} if name == "nomail" else {}))
        for turn in range(2):
            at = NOW + number * 7 * MINUTE + turn * HOUR
            real.at(at, real.place(f"{name}{turn}", name, at, person=one, product=f"p{turn}"))
    real.at(
        NOW + 30 * MINUTE,
        lambda now: suppress(
            real.shop.pk, "left@example.com", scope="reminders", reason="unsubscribed", now=now
        ),
    )
    until = NOW + 4 * DAY
    real.run(until)

    ends = sorted((one.channel, Code(one.outcome), one.at - NOW > 6 * HOUR) for one in real.handed().values())
    assert ends == [
        ("email", Code.SENT, False),
        *[("sms", Code.SENT, False)] * 3,
        *[("sms", Code.SENT, True)] * 2,
    ]
    assert_same(tried(real, until), real)
    forget_who_unsubscribed(monkeypatch)
    assert not is_same(tried(real, until), real)


OFFERING: dict[str, Any] = {
    "n1": {"t": "wait", "for": "PT1H", "out": {"next": "n2"}},
    "n2": {
        "t": "offer", "percent": 10, "valid": "P2D", "budget": {"amount": "25", "currency": "EUR"},
        "out": {"granted": "n3", "refused": "n4"},
    },
    "n3": {"t": "send", "template": "first", "out": {"done": "n5"}},
    "n4": {"t": "send", "template": "loud", "out": {"done": "n5"}},
    "n5": {"t": "end"},
}  # fmt: skip


def use_an_offer(ref: str) -> Callable[[datetime], Any]:
    """Return the use of an offer that a colleague had made."""
    return lambda now: make_offer(
        Order.objects.get(ref=ref), granted_at=now, valid_until=now + DAY, state="redeemed", ended_at=now
    )


def live_with_offers(real: SendingShop) -> datetime:
    """Let people order again and again, some of them while the budget is spent."""
    real.process = make_process(real.shop, nodes=OFFERING, entry={"on": "order.placed"}, name="Offers")
    hours = {
        "repeat": (0, 20, 120),
        "payer": (1, 70),
        "used": (60, 90),
        "third": (3,),
        "late": (100,),
        "leaver": (125, 150, 175),
    }
    for name, all_of_them in hours.items():
        for turn, hour in enumerate(all_of_them):
            at = NOW + hour * HOUR
            ref = f"{name}{turn}"
            real.at(at, real.place(ref, name, at, person=person(name), product=ref))
    paid = NOW + 30 * HOUR
    real.at(paid, real.pay("payer0", paid))
    real.at(NOW + 62 * HOUR, use_an_offer("used0"))
    until = NOW + 12 * DAY
    real.run(until)
    return until


def forget_what_people_had(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PastOffers, "_why_no_more", lambda *_: None)


def forget_budgets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OfferPurse, "take", lambda *_: True)


def forget_what_is_given_back(patch: pytest.MonkeyPatch) -> None:
    take, last = OfferPurse.take, NOW + 365 * DAY
    patch.setattr(
        OfferPurse,
        "take",
        lambda self, budget, limit, cost, now, _until: take(self, budget, limit, cost, now, last),
    )


def test_offers_are_granted_and_refused_as_in_life(
    real: SendingShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_settings(real.shop, most_left=2)

    until = live_with_offers(real)

    assert {Code(line.outcome) for line in real.journal()} >= {
        Code.OFFER_GRANTED, Code.OFFER_ANOTHER, Code.SKIPPED_BUDGET, Code.SKIPPED_ABANDONER,
    }  # fmt: skip
    assert_same(tried(real, until), real)
    unnoticed = []
    for forget in (forget_what_people_had, forget_budgets, forget_what_is_given_back):
        with monkeypatch.context() as patch:
            forget(patch)
            unnoticed += [forget.__name__] if is_same(tried(real, until), real) else []
    assert unnoticed == []
