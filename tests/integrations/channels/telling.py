"""What providers of short messages must hold beyond every channel: freshness, money, reports, STOP."""

import json
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlencode, urlsplit

from django.test import Client

from recoup.core import outbox
from recoup.core.models import AttentionItem
from recoup.customers.models import Suppression
from recoup.integrations.twilio.signature import sign
from recoup.messaging.events import MessageSettled
from recoup.messaging.models import Message, SmsAccount, SmsDay, SmsNumberDay
from recoup.messaging.sender.loop import Sender
from tests.factories.moments import HOUR, NOW
from tests.integrations.channels.conformance import send_all
from tests.integrations.channels.harness import Street, make_street
from tests.integrations.channels.short_messages import SmsHarness
from tests.messaging.sender.roads import state_of


def call(
    street: Street, what: str, fields: dict[str, str], *, ref: str = "", token: str = "right",
    base: str = "https://recoup.example",
) -> int:  # fmt: skip
    """Call the hook as the provider does, and return the status."""
    account = SmsAccount.objects.get(shop=street.shop)
    path = f"/hooks/channels/{account.hook_key}/{what}" + (f"?{urlencode({'ref': ref})}" if ref else "")
    if account.provider == "smsapi":
        separator = "&" if "?" in path else "?"
        return Client().get(f"{path}{separator}{urlencode(fields)}").status_code
    signature = sign(token, f"{base}{path}", {name: [value] for name, value in fields.items()})
    return (
        Client()
        .post(
            path,
            urlencode(fields),
            content_type="application/x-www-form-urlencoded",
            headers={"x-twilio-signature": signature},
        )
        .status_code
    )


def report(street: Street, message: Message, state: str) -> int:
    """Report a state of a message."""
    if SmsAccount.objects.get(shop=street.shop).provider == "smsapi":
        code = {"accepted": "403", "delivered": "404", "undelivered": "405"}[state]
        fields = {
            "MsgId": "1", "status": code, "idx": message.message_ref, "donedate": str(int(NOW.timestamp())),
            "username": "shop", "points": "0.16", "from": "Pottery", "to": message.recipient.lstrip("+"),
        }  # fmt: skip
        return call(street, "report", fields)
    states = {"accepted": "sent", "gone": "undelivered"}
    fields = {"MessageSid": "SM1", "MessageStatus": states.get(state, state), "To": message.recipient}
    if state == "gone":
        fields["ErrorCode"] = "30005"
    return call(street, "report", fields, ref=message.message_ref)


def speak(street: Street, number: str, text: str) -> int:
    """Let a person answer."""
    if SmsAccount.objects.get(shop=street.shop).provider == "smsapi":
        fields = {
            "sms_to": "48500000000", "sms_from": number.lstrip("+"), "sms_text": text, "sms_date": "1",
            "username": "shop", "MsgId": "2",
        }  # fmt: skip
    else:
        fields = {"MessageSid": "SM2", "From": number, "To": "+15005550006", "Body": text}
        if text.casefold() in {"stop", "start"}:
            fields["OptOutType"] = text.upper()
    return call(street, "reply", fields)


class SmsConformance:
    """The suite; needs the fixtures of `ChannelConformance`."""

    def test_the_request_begins_at_most_250_ms_after_the_look_and_the_gap_is_kept(
        self, street: Street, sender: Sender
    ) -> None:
        messages = [street.reminder(), street.reminder(), street.reminder("slow")]

        send_all(sender)

        gaps = [Message.objects.get(pk=message.pk).gap_ms for message in messages]
        assert all(gap is not None and 0 <= gap <= 250 for gap in gaps)

    def test_parts_price_and_the_providers_name_are_kept(self, street: Street, sender: Sender) -> None:
        message = street.reminder()

        send_all(sender)

        message.refresh_from_db()
        assert (message.parts, message.price, message.price_currency) == (1, Decimal("0.10"), "PLN")
        assert message.provider_ref
        assert message.delivery == "accepted"
        day = SmsDay.objects.get(shop=street.shop)
        assert (day.spent, day.messages) == (Decimal("0.10"), 1)

    def test_what_did_not_leave_costs_nothing(self, street: Street, sender: Sender) -> None:
        for how in ("refused", "gone", "later", "busy"):
            street.reminder(how)

        send_all(sender)

        day = SmsDay.objects.get(shop=street.shop)
        assert (day.spent, day.messages) == (Decimal(0), 0)
        assert set(SmsNumberDay.objects.values_list("messages", flat=True)) == {0}

    def test_a_number_gets_so_many_a_day(self, street: Street, sender: Sender) -> None:
        SmsAccount.objects.update(per_number_day=1)
        first = street.reminder()
        second = street.reminder(
            is_asked_for=True, recipient=first.recipient, order=first.order, contact=first.contact
        )

        send_all(sender)

        second.refresh_from_db()
        assert sorted([state_of(first), state_of(second)]) == [("due", "number_cap"), ("sent", "")]
        assert len(street.harness.had()) == 1

    def test_the_days_money_is_never_exceeded_and_a_person_is_asked(
        self, street: Street, sender: Sender
    ) -> None:
        SmsAccount.objects.update(daily_cap=Decimal("0.35"))
        for _ in range(6):
            street.reminder(not_after=NOW + 48 * HOUR)

        send_all(sender)
        capped = sorted(Message.objects.values_list("state", "reason"))
        tomorrow = min(Message.objects.filter(state="due").values_list("due_at", flat=True))

        assert capped == [("due", "cost_cap")] * 3 + [("sent", "")] * 3
        assert SmsDay.objects.get(shop=street.shop).spent <= Decimal("0.35")
        assert NOW < tomorrow <= NOW + timedelta(hours=24)
        assert AttentionItem.objects.get(settled_at=None).kind == "messaging.money_spent"

    def test_numbers_that_no_message_goes_to(self, street: Street, sender: Sender) -> None:
        numbers = {
            "+48221234567": "not_mobile",
            "+48701234567": "not_mobile",
            "+491701234567": "country_not_allowed",
            "+4899": "address_bad",
            "": "no_address",
        }
        messages = {number: street.reminder(recipient=number) for number in numbers}

        send_all(sender)

        assert {number: state_of(message)[1] for number, message in messages.items()} == numbers
        assert street.harness.had() == []
        assert not SmsDay.objects.exists()

    def test_reports_may_come_twice_and_in_any_order(self, street: Street, sender: Sender) -> None:
        message = street.reminder()
        send_all(sender)
        statuses, seen = [], []

        for state in ("accepted", "delivered", "accepted", "undelivered", "delivered"):
            statuses.append(report(street, message, state))
            message.refresh_from_db()
            seen.append(message.delivery)

        assert set(statuses) == {200}
        assert seen == ["accepted", "delivered", "delivered", "delivered", "delivered"]
        assert state_of(message) == ("sent", "")

    def test_a_report_before_our_own_answer_settles_what_is_uncertain(
        self, street: Street, channel_table: None, settled: list[MessageSettled]
    ) -> None:
        del channel_table  # the door finds the adapter by it
        there, lost = (
            street.reminder(state="uncertain", handed_at=NOW, settled_at=NOW, reason="line_broke")
            for _ in range(2)
        )

        for _ in range(2):
            report(street, there, "delivered")
            report(street, lost, "undelivered")
        outbox.dispatch()

        assert (state_of(there), state_of(lost)) == (("sent", ""), ("failed", "not_delivered"))
        assert sorted((one.message_id, one.state) for one in settled) == sorted(
            [(there.pk, "sent"), (lost.pk, "failed")]
        )

    def test_a_report_about_another_shops_message_changes_nothing(
        self, street: Street, sender: Sender
    ) -> None:
        message = street.reminder()
        send_all(sender)
        Message.objects.filter(pk=message.pk).update(delivery="")
        other = make_street(street.harness)

        assert report(other, message, "delivered") == 200
        message.refresh_from_db()
        assert message.delivery == ""

    def test_stop_ends_the_channel_and_start_opens_it_again(self, street: Street, sender: Sender) -> None:
        first = street.reminder()
        statuses = [speak(street, first.recipient, text) for text in ("Stop", "Stop", "thanks")]
        send_all(sender)
        stopped = state_of(first)
        statuses.append(speak(street, first.recipient, "START"))
        second = street.reminder(recipient=first.recipient, contact=first.contact)
        send_all(sender)

        assert (statuses, stopped, state_of(second)) == (
            [200] * 4,
            ("cancelled", "suppressed"),
            ("sent", ""),
        )

    def test_stop_that_only_the_provider_heard_is_learnt_from_its_refusal(
        self, street: Street, sender: Sender
    ) -> None:
        message = street.reminder("stopped")

        send_all(sender)

        found = Suppression.objects.get()
        assert state_of(message) == ("cancelled", "suppressed")
        assert (found.channel, found.reason) == ("sms", "unsubscribed")

    def test_a_call_that_is_not_the_providers_is_refused(self, street: Street, sender: Sender) -> None:
        message = street.reminder()
        send_all(sender)
        fields = {
            "MessageSid": "SM1",
            "MessageStatus": "delivered",
            "status": "404",
            "idx": message.message_ref,
        }
        is_signed = SmsAccount.objects.get(shop=street.shop).provider == "twilio"

        forged = (
            call(street, "report", fields, ref=message.message_ref, token="guessed") if is_signed else 401
        )
        unknown = Client().get(f"/hooks/channels/{'0' * 32}/report?{urlencode(fields)}").status_code

        message.refresh_from_db()
        assert (forged, unknown, message.delivery) == (401, 404, "accepted")

    def test_the_address_for_reports_names_the_message_and_holds_the_secret(
        self, street: Street, sender: Sender
    ) -> None:
        message = street.reminder()
        send_all(sender)

        harness = street.harness
        assert isinstance(harness, SmsHarness)
        (taken,) = harness.server.messages
        parts = urlsplit(taken.report_url)
        account = SmsAccount.objects.get(shop=street.shop)
        assert parts.path == f"/hooks/channels/{account.hook_key}/report"
        assert parse_qs(parts.query) == {"ref": [message.message_ref]}
        assert len(account.hook_key) == 32
        assert json.dumps(taken.text).count("https://recoup.example/pay/") == 1
