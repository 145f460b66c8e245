"""What becomes of messages on a real mail server: the fault table F12 to F20, word by word."""

import re
import time
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.test import override_settings
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.installation import silence_installation
from recoup.core.links import hash_token
from recoup.core.models import AttentionItem, Link
from recoup.customers.models import ContactGate, Suppression
from recoup.integrations.smtp.plain import MailNotSent, send_plain
from recoup.messaging import context, copies
from recoup.messaging.copies import read_copy
from recoup.messaging.events import MessageSettled
from recoup.messaging.models import Lane, MailAccount, Message, TemplateVersion
from recoup.messaging.sender import prepare
from recoup.messaging.sender.loop import Sender
from recoup.messaging.sender.timing import Timing
from recoup.messaging.shipped import shipped_texts
from recoup.messaging.unheard import let_go
from recoup.orders.models import Order
from recoup.shops.models import Shop
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_source
from tests.factories.templates import make_template
from tests.messaging.sender.roads import Road, make_road, state_of, waits_until
from tests.support.smtp_sink import SinkOptions, SmtpSink

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def road(sink: SmtpSink) -> Road:
    return make_road(sink.port)


def send_all(sender: Sender, at: datetime = NOW) -> int:
    """Send until nothing is due any more."""
    count = 0
    while looked_at := sender.run_once(lambda: at):
        count += looked_at
    return count


def recipients(sink: SmtpSink) -> list[str]:
    return [mail.recipients[0] for mail in sink.mails()]


def test_the_first_reminder_of_an_order_not_heard_of_for_an_hour_waits_until_its_shop_was_asked(
    sender: Sender, sink: SmtpSink, road: Road
) -> None:
    order = make_order(road.shop, source=make_source(road.shop, kind="woocommerce"))
    message = road.reminder(order)

    send_all(sender)
    held = (state_of(message), waits_until(message), recipients(sink))
    Order.objects.filter(pk=order.pk).update(asked_at=NOW)
    let_go(now=NOW)
    send_all(sender)

    assert held == (("due", "source_silent"), NOW + 15 * MINUTE, [])
    assert (state_of(message), recipients(sink)) == (("sent", ""), [message.recipient])


@pytest.mark.parametrize("counts_opens", [True, False])
def test_a_mail_has_a_picture_of_its_own_only_where_the_shop_counts_opened_mails(
    road: Road, sender: Sender, sink: SmtpSink, counts_opens: bool
) -> None:
    Shop.objects.update(counts_opens=counts_opens)
    message = road.reminder()

    send_all(sender)

    mail = message_from_bytes(sink.mails()[0].content, policy=policy.default)
    part = mail.get_body(("html",))
    assert part is not None
    pictures = re.findall(
        r'<img src="https://recoup.example/o/([^"]{22})\.gif" width="1"', part.get_content()
    )
    ours = Link.objects.filter(message_id=message.pk, token_hash__in=[hash_token(one) for one in pictures])
    assert [one.purpose for one in ours] == ["out"] * counts_opens
    assert Link.objects.filter(message_id=message.pk, purpose="out").count() == 1
    kept = read_copy(message.pk, message.shop_id)
    assert kept is not None
    assert "/o/" not in kept.html


@pytest.mark.parametrize("way", ["batch", "single"])
def test_every_message_is_handed_over_once_in_order(sender: Sender, sink: SmtpSink, way: str) -> None:
    road = make_road(sink.port, way=way)
    messages = [road.reminder() for _ in range(12)]

    assert send_all(sender) == 12

    assert recipients(sink) == [message.recipient for message in messages]
    assert {state_of(message) for message in messages} == {("sent", "")}
    assert [gate.recent for gate in ContactGate.objects.order_by("contact_id")] == [
        [message.handed_at] for message in messages
    ]
    assert [
        mail.content.count(b"Message-ID: <" + m.message_ref.encode())
        for mail, m in zip(sink.mails(), messages, strict=True)
    ] == [1] * 12


@pytest.mark.parametrize("way", ["batch", "single"])
def test_what_advertises_after_a_payment_counts_and_what_carries_it_out_does_not(
    sender: Sender, sink: SmtpSink, way: str
) -> None:
    road = make_road(sink.port, way=way)
    paid: dict[str, Any] = {"payment_state": "paid", "status": "completed", "captured": Decimal(100)}
    told = {"purpose": "thanks", "relation": "customer", "country": "US"}
    service = road.reminder(make_order(road.shop, **paid), content="contract", **told)
    american = make_contact(road.shop, country="US")
    long_ago = make_order(road.shop, contact=american, paid_at=NOW - 40 * DAY, **paid)
    news = road.reminder(long_ago, content="advertising", message_class="soft_opt_in", **told)

    send_all(sender)

    assert [state_of(one) for one in (service, news)] == [("sent", "")] * 2
    assert ContactGate.objects.get(contact=service.contact).recent == []
    assert ContactGate.objects.get(contact=news.contact).recent == [news.handed_at]


def test_the_kept_copy_shows_the_mail_and_opens_nothing(road: Road, sender: Sender, sink: SmtpSink) -> None:
    message = road.reminder(make_order(road.shop, number="A-7"))

    send_all(sender)

    copy = read_copy(message.pk, road.shop.pk)
    (mail,) = sink.mails()
    assert copy is not None
    assert copy.subject == "Your order A-7"
    assert "https://recoup.example/pay/•••" in copy.text
    assert b"/pay/__" not in mail.content
    assert sorted(Link.objects.values_list("purpose", "message_id")) == [
        ("out", message.pk),
        ("pay", message.pk),
    ]


@pytest.mark.parametrize("way", ["batch", "single"])
@pytest.mark.parametrize(
    ("behaviour", "reason", "minutes", "attempt"),
    [
        ("451data", "try_later", 1, 1),
        ("450", "try_later", 1, 1),
        ("452", "try_later", 1, 1),
        ("421", "try_later", 1, 0),
        ("452data", "try_later", 1, 1),
        ("451verb", "try_later", 1, 1),
        ("cut", "line_trouble", 1, 1),
        ("cutverb", "line_trouble", 1, 1),
    ],
)
def test_what_was_certainly_not_taken_is_due_later(
    sender: Sender, sink: SmtpSink, way: str, behaviour: str, reason: str, minutes: int, attempt: int
) -> None:
    road = make_road(sink.port, way=way)
    bad, good = road.reminder(email=f"u+{behaviour}@x.example"), road.reminder()

    sender.run_once()

    assert state_of(bad) == ("due", reason)
    assert (waits_until(bad), bad.attempt, bad.handed_at) == (NOW + minutes * MINUTE, attempt, None)
    assert ContactGate.objects.get(contact=bad.contact).recent == []
    assert state_of(good)[0] in {"sent", "due"}  # due at once if the line went with the other


def test_tries_are_spaced_out_until_the_message_is_of_no_use(road: Road, sender: Sender) -> None:
    message = road.reminder(email="u+450@x.example", not_after=NOW + 100 * MINUTE)
    waits, at = [], NOW
    for _ in range(5):
        Lane.objects.update(next_at=None, backoff_seconds=0)
        send_all(sender, at)
        message.refresh_from_db()
        if message.state != "due":
            break
        waits.append((message.due_at - at) // MINUTE)
        at = message.due_at

    assert waits == [1, 5, 15, 60]
    assert state_of(message) == ("failed", "too_late_after_tries")


@pytest.mark.parametrize("way", ["batch", "single"])
@pytest.mark.parametrize(
    ("behaviour", "reason", "is_suppressed"),
    [
        ("550", "address_unknown", True),
        ("551", "address_unknown", True),
        ("553", "address_unknown", True),
        ("554", "refused", False),
        ("550verb", "refused", False),
        ("554verb", "refused", False),
        ("551data", "refused", False),
        ("554data", "refused", False),
    ],
)
def test_a_refusal_for_good_fails_and_an_unknown_address_gets_nothing_more(
    sender: Sender,
    sink: SmtpSink,
    settled: list[MessageSettled],
    way: str,
    behaviour: str,
    reason: str,
    is_suppressed: bool,
) -> None:
    road = make_road(sink.port, way=way)
    bad, good = road.reminder(email=f"u+{behaviour}@x.example"), road.reminder()

    send_all(sender)
    outbox.dispatch()

    assert (state_of(bad), state_of(good)) == (("failed", reason), ("sent", ""))
    assert bad.answer.startswith(behaviour[:3])
    assert Suppression.objects.filter(scope="all", reason="bounced").exists() is is_suppressed
    assert {(one.message_id, one.state) for one in settled} == {(bad.pk, "failed"), (good.pk, "sent")}
    assert send_all(sender, NOW + HOUR) == 0


@pytest.mark.parametrize("way", ["batch", "single"])
@pytest.mark.parametrize("code", ["550", "551", "553", "554"])
def test_a_sender_that_is_refused_fails_its_mail_and_blames_nobodys_address(
    sender: Sender, sink: SmtpSink, way: str, code: str
) -> None:
    road = make_road(sink.port, way=way)
    MailAccount.objects.update(from_email=f"shop+{code}@shop.example")
    message = road.reminder()

    send_all(sender)

    assert (state_of(message), message.answer) == (("failed", "refused"), f"{code} sender refused")
    assert (sink.mails(), Suppression.objects.count()) == ([], 0)
    assert send_all(sender, NOW + HOUR) == 0


@pytest.mark.parametrize("way", ["batch", "single"])
@pytest.mark.parametrize(("behaviour", "is_taken"), [("cutafterdot", True), ("cutbefore", False)])
def test_a_line_cut_after_the_dot_is_uncertain_and_not_sent_again(
    sender: Sender,
    sink: SmtpSink,
    settled: list[MessageSettled],
    way: str,
    behaviour: str,
    is_taken: bool,
) -> None:
    road = make_road(sink.port, way=way)
    message = road.reminder(email=f"u+{behaviour}@x.example")

    send_all(sender)
    send_all(sender, NOW + HOUR)
    outbox.dispatch()

    assert state_of(message) == ("uncertain", "line_broke")
    assert [one.state for one in settled] == ["uncertain"]
    assert len(sink.mails()) == int(is_taken)
    assert len(ContactGate.objects.get(contact=message.contact).recent) == 1  # it may have arrived: it counts


def test_what_the_buyer_asked_for_is_sent_once_more_with_the_same_message_id(
    road: Road, sender: Sender, sink: SmtpSink
) -> None:
    message = road.reminder(
        email="u+cutafterdot@x.example", is_asked_for=True, prio=0, not_after=NOW + 3 * DAY
    )

    states = []
    for hours in (0, 1, 2, 3):
        Lane.objects.update(next_at=None)
        send_all(sender, NOW + hours * HOUR)
        states.append(state_of(message))

    first, second = sink.mails()
    assert states == [("due", "line_broke"), ("uncertain", "line_broke"), *[("uncertain", "line_broke")] * 2]
    assert (
        first.content.count(message.message_ref.encode())
        == second.content.count(message.message_ref.encode())
        == 1
    )


def test_nothing_listening_pauses_the_lane_longer_each_time_and_counts_against_nobody(sender: Sender) -> None:
    with SmtpSink() as gone:
        road = make_road(gone.port)
    message = road.reminder()
    pauses = []
    for _ in range(4):
        Lane.objects.update(next_at=None)
        send_all(sender)
        pauses.append(Lane.objects.get().backoff_seconds)

    lane = Lane.objects.get()
    assert (state_of(message), message.attempt) == (("due", "line_trouble"), 0)
    assert (pauses, lane.in_trouble_since is not None) == ([30, 60, 120, 240], True)
    assert AttentionItem.objects.filter(kind="messaging.lane_in_trouble", settled_at=None).count() == 1
    assert send_all(sender) == 0  # while it is paused nothing is claimed


def test_a_lane_that_works_again_forgets_its_trouble(road: Road, sender: Sender, sink: SmtpSink) -> None:
    port = MailAccount.objects.get().port
    MailAccount.objects.update(port=1)
    first = road.reminder()
    for _ in range(3):
        Lane.objects.update(next_at=None)
        send_all(sender)
    MailAccount.objects.update(port=port)
    Lane.objects.update(next_at=None)

    send_all(sender)

    lane = Lane.objects.get()
    assert state_of(first) == ("sent", "")
    assert (lane.in_trouble_since, lane.backoff_seconds, lane.trouble, lane.next_at) == (None, 0, "", None)
    assert list(AttentionItem.objects.values_list("settled_at", flat=True)) == [NOW]


@pytest.mark.parametrize(
    ("options", "account"),
    [
        (SinkOptions(), {"security": "starttls"}),
        (SinkOptions(tls=True), {"security": "tls"}),
        (SinkOptions(username="shop", password="right"), {"username": "shop", "password": "wrong"}),
    ],
    ids=["no STARTTLS", "unknown certificate", "wrong password"],
)
def test_what_only_a_person_can_mend_stops_the_lane_and_is_told_at_once(
    sender: Sender, options: SinkOptions, account: dict[str, str]
) -> None:
    with SmtpSink(options) as sink:
        road = make_road(sink.port)
        for name, value in account.items():
            setattr(settings := MailAccount.objects.get(), name, value)
            settings.save()
        message = road.reminder()

        send_all(sender)

        assert (state_of(message), message.attempt, sink.mails()) == (("due", "line_trouble"), 0, [])
    assert Lane.objects.get().backoff_seconds == 300
    assert AttentionItem.objects.get().kind == "messaging.lane_in_trouble"


def test_a_shop_without_a_mail_server_waits_and_is_told(road: Road, sender: Sender) -> None:
    MailAccount.objects.all().delete()
    message = road.reminder()

    send_all(sender)

    assert (state_of(message), AttentionItem.objects.count()) == (("due", "line_trouble"), 1)


def test_the_demo_talks_to_its_own_mailbox_alone(
    road: Road, sender: Sender, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOUP_DEMO_MAILBOX_PORT", str(sink.port))
    here = road.reminder()
    with override_settings(IS_DEMO=True):
        send_all(sender)
        MailAccount.objects.update(host="localhost")
        elsewhere = road.reminder()
        send_all(sender)

    assert (state_of(here)[0], state_of(elsewhere)) == ("sent", ("due", "line_trouble"))
    assert recipients(sink) == [here.recipient]


def test_the_demo_hands_nothing_to_a_relay_at_another_port_of_this_machine(
    road: Road, sender: Sender, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOUP_DEMO_MAILBOX_PORT", str(sink.port + 1))
    message, account = road.reminder(), MailAccount.objects.get()

    with override_settings(IS_DEMO=True):
        send_all(sender)
        with pytest.raises(MailNotSent):
            send_plain(account, to="owner@shop.example", subject="Hello", text="Hello")

    assert (state_of(message), recipients(sink)) == (("due", "line_trouble"), [])


def test_test_mode_shows_the_text_and_opens_no_line(
    sender: Sender, sink: SmtpSink, settled: list[MessageSettled]
) -> None:
    road = make_road(sink.port, live_since=None)
    message = road.reminder()

    send_all(sender)
    outbox.dispatch()

    copy = read_copy(message.pk, road.shop.pk)
    assert state_of(message) == ("cancelled", "test_mode")
    assert copy is not None
    assert "waits" in copy.text
    assert (sink.connections, Link.objects.count()) == (0, 0)
    assert [one.state for one in settled] == ["cancelled"]


def test_a_message_made_in_test_mode_does_not_leave_after_going_live(
    road: Road, sender: Sender, sink: SmtpSink
) -> None:
    message = road.reminder(is_test=True)

    send_all(sender)

    assert (state_of(message), sink.connections) == (("cancelled", "test_mode"), 0)


def test_a_silenced_copy_of_the_installation_sends_nothing(
    road: Road, sender: Sender, sink: SmtpSink
) -> None:
    message = road.reminder()
    silence_installation(reason="restored", now=NOW)

    assert send_all(sender) == 0

    assert (state_of(message), sink.connections) == (("due", ""), 0)


def test_a_text_that_cannot_be_written_for_one_person_stops_that_message_alone(
    road: Road, sender: Sender, sink: SmtpSink
) -> None:
    bad = road.reminder(make_order(road.shop, number=" "))
    untold = road.reminder(template=None)
    homeless = road.reminder(recipient="")
    two = road.reminder(recipient="a@x.example, b@x.example")
    good = road.reminder()

    send_all(sender)

    assert (state_of(bad)[1], state_of(untold)[1]) == ("text_incomplete", "no_template")
    assert (state_of(homeless), state_of(two)) == (("cancelled", "no_address"), ("failed", "address_bad"))
    assert recipients(sink) == [good.recipient]


def test_one_message_that_breaks_its_batch_is_found_and_fails_alone(
    road: Road, sender: Sender, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [road.reminder() for _ in range(6)]
    poison = messages[3].pk
    make_copy = copies.make_copy

    def broken(message_id: int, *rest: object) -> object:
        if message_id == poison:
            raise RuntimeError("a fault of ours")
        return make_copy(message_id, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(prepare, "make_copy", broken)

    send_all(sender)

    assert state_of(messages[3]) == ("failed", "broken")
    assert messages[3].answer == "RuntimeError: a fault of ours"
    assert sorted(recipients(sink)) == sorted(m.recipient for m in messages if m.pk != poison)


def test_caps_count_what_went_before_in_the_same_batch(road: Road, sender: Sender, sink: SmtpSink) -> None:
    contact = make_contact(road.shop)
    messages = [road.reminder(make_order(road.shop, contact=contact, products=(f"p{n}",))) for n in range(3)]

    send_all(sender)

    assert [state_of(message) for message in messages] == [("sent", ""), ("sent", ""), ("cancelled", "cap")]
    assert len(sink.mails()) == 2


def test_a_capped_message_goes_as_soon_as_there_is_room(road: Road, sender: Sender) -> None:
    contact = make_contact(road.shop)
    ContactGate.objects.filter(contact=contact).update(recent=[NOW - 23 * HOUR, NOW - HOUR])
    message = road.reminder(make_order(road.shop, contact=contact))

    send_all(sender)
    put_off = (state_of(message), waits_until(message), message.deferrals)
    send_all(sender, NOW + HOUR)

    assert put_off == (("due", "cap"), NOW + HOUR, 1)
    assert state_of(message) == ("sent", "")


def test_after_an_outage_nothing_goes_out_that_is_too_late(
    road: Road, sender: Sender, sink: SmtpSink
) -> None:
    late = [road.reminder(not_after=NOW + DAY) for _ in range(3)]
    fresh = road.reminder(not_after=NOW + 4 * DAY)

    send_all(sender, NOW + 3 * DAY)

    assert {state_of(message) for message in late} == {("cancelled", "expired")}
    assert recipients(sink) == [fresh.recipient]


def test_an_order_that_changed_after_its_text_was_made_is_written_anew(
    road: Road, sender: Sender, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = make_order(road.shop, total="149.00")
    message = road.reminder(order)
    mint = context.mint_links

    def change_meanwhile(*args: object, **kwargs: object) -> object:
        Order.objects.filter(pk=order.pk, captured=0).update(captured=100, payment_state="partly_paid")
        return mint(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(prepare, "mint_links", change_meanwhile)

    send_all(sender)

    (mail,) = sink.mails()
    assert state_of(message) == ("sent", "")
    assert b"49.00" in mail.content
    assert b"149.00" not in mail.content


def test_the_rows_of_a_mail_come_to_what_the_pay_page_asks_for(
    road: Road, sender: Sender, sink: SmtpSink
) -> None:
    text = shipped_texts("order_reminder_1")["pl"]
    template = make_template(road.shop, key="shipped", texts={"pl": (text.subject, text.body)})
    order = make_order(
        road.shop,
        locale="pl",
        total="159.00",
        shipping_total=Decimal("10.00"),
        payment_state="partly_paid",
        captured=Decimal(100),
        refunded=Decimal(40),
    )
    order.lines.update(total=Decimal("149.00"))
    message = road.reminder(order, template=template)

    send_all(sender)

    (mail,) = sink.mails()
    plain = message_from_bytes(mail.content, policy=policy.default).get_body(("plain",))
    assert plain is not None
    rows = plain.get_content().replace("\xa0", " ")
    assert state_of(message) == ("sent", "")
    assert "149,00 €" in rows
    assert [f"{amount} €" in rows for amount in ("10,00", "-60,00", "99,00")] == [True] * 3


def test_a_newer_version_is_used_and_kept_with_the_message(road: Road, sender: Sender) -> None:
    first = road.reminder()
    send_all(sender)
    template = road.texts["order"]
    assert template.current_version is not None
    newer = TemplateVersion(
        shop=road.shop, template=template, number=2, texts=template.current_version.texts, published_at=NOW
    )
    newer.save()
    template.current_version = newer
    template.save()
    second = road.reminder()

    send_all(sender)

    for message, number in ((first, 1), (second, 2)):
        message.refresh_from_db()
        assert message.template_version is not None
        assert message.template_version.number == number


def test_a_server_that_hangs_up_after_some_mails_loses_and_doubles_none(sender: Sender) -> None:
    with SmtpSink(SinkOptions(quit_after=3)) as sink:
        road = make_road(sink.port)
        messages = [road.reminder() for _ in range(8)]

        for _ in range(10):
            Lane.objects.update(next_at=None)
            send_all(sender, NOW)
            send_all(sender, NOW + 5 * MINUTE)

        assert {state_of(message)[0] for message in messages} == {"sent"}
        assert sorted(recipients(sink)) == sorted(message.recipient for message in messages)
        assert {message.attempt for message in messages} == {0}


def test_a_server_that_dislikes_more_than_one_in_twenty_halts_the_shop(road: Road, sender: Sender) -> None:
    messages = [road.reminder(email=f"u{n}+554@x.example") for n in range(30)]

    sender.run_once()

    lane = Lane.objects.get()
    failed = [message for message in messages if state_of(message)[0] == "failed"]
    assert 20 <= len(failed) <= 30
    assert lane.in_trouble_since is not None
    assert AttentionItem.objects.get().details["stage"] == "policy"


def test_a_slow_server_is_served_one_by_one_and_a_quick_one_in_a_stream(sender: Sender) -> None:
    with SmtpSink(SinkOptions(delay=0.03)) as slow, SmtpSink() as quick:
        first, second = make_road(slow.port, way="batch"), make_road(quick.port, way="single")
        for _ in range(2):
            first.reminder()
            second.reminder()

        send_all(sender)

    assert dict(Lane.objects.values_list("shop_id", "way")) == {
        first.shop.pk: "single",
        second.shop.pk: "batch",
    }


def test_a_server_that_cannot_pipeline_is_served_one_by_one(sender: Sender) -> None:
    with SmtpSink(SinkOptions(pipelining=False)) as sink:
        road = make_road(sink.port, way="batch")
        messages = [road.reminder() for _ in range(3)]

        send_all(sender)

        assert recipients(sink) == [message.recipient for message in messages]


def test_an_answer_that_takes_longer_than_the_locks_is_awaited_without_them(
    road: Road, sink: SmtpSink, channel_table: None
) -> None:
    sender = Sender(now=lambda: NOW, timing=Timing(hold=0.05))
    message = road.reminder(email="u+slow0.4@x.example")

    started = time.monotonic()
    sender.run_once()
    sender.close()

    assert time.monotonic() - started > 0.4
    assert (state_of(message), len(sink.mails())) == (("sent", ""), 1)
    assert len(ContactGate.objects.get(contact=message.contact).recent) == 1


def test_the_pace_of_a_lane_holds(sender: Sender, sink: SmtpSink) -> None:
    road = make_road(sink.port)
    Lane.objects.update(rate=0.001, burst=3, tokens=3)
    for _ in range(5):
        road.reminder()

    counts = [sender.run_once(), sender.run_once(), sender.run_once()]

    assert (counts, len(sink.mails())) == ([3, 0, 0], 3)


def test_what_the_buyer_waits_for_goes_first(road: Road, sender: Sender, sink: SmtpSink) -> None:
    bulk, ordinary, asked = (road.reminder(prio=prio, is_asked_for=prio == 0) for prio in (2, 1, 0))

    send_all(sender)

    assert recipients(sink) == [asked.recipient, ordinary.recipient, bulk.recipient]


def test_shops_are_walls_for_the_sender_too(sender: Sender) -> None:
    with SmtpSink() as one, SmtpSink() as other:
        first, second = make_road(one.port, name="One"), make_road(other.port, name="Two")
        mine, theirs = first.reminder(email="same@x.example"), second.reminder(email="same@x.example")

        send_all(sender)

        assert (b"One" in one.mails()[0].content, b"Two" in other.mails()[0].content) == (True, True)
        assert (len(one.mails()), len(other.mails())) == (1, 1)
    assert (state_of(mine), state_of(theirs)) == (("sent", ""), ("sent", ""))
    assert Shop.objects.count() == 2


def test_a_sent_message_counts_for_the_cap_of_its_order_also_in_other_processes(
    road: Road, sender: Sender
) -> None:
    order = make_order(road.shop)
    for days in (6, 4, 2):
        make_message(order, state="sent", handed_at=NOW - days * DAY)
    message = road.reminder(order)

    send_all(sender)

    assert state_of(message) == ("cancelled", "order_cap")
    assert Message.objects.filter(state="sent").count() == 3
