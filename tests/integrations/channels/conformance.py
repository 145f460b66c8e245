"""What every channel must hold: inherit `ChannelConformance` and give it a `harness`.

The suite goes through the sender and looks at messages, lanes, attention and suppression; it knows a channel only through
the harness, which plays its server on a real socket.
"""

import threading
import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import connection
from django_scopes import scopes_disabled
from pytest_django import Settings

from recoup.core.models import AttentionItem, Link
from recoup.customers.actions import suppress
from recoup.customers.models import Contact, Suppression
from recoup.messaging.actions import settle_uncertain
from recoup.messaging.copies import read_copy
from recoup.messaging.models import Lane, Message
from recoup.messaging.sender import handing, look
from recoup.messaging.sender.loop import Sender
from recoup.orders.models import Order
from recoup.payments.actions import record_payment
from recoup.shops.snapshots import AttemptState, PaymentSnapshot
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.integrations.channels.harness import Harness, Street, make_street
from tests.messaging.sender.roads import state_of, waits_until
from tests.support.sms_servers import boot_time


def send_all(sender: Sender, at: datetime = NOW) -> int:
    """Send until nothing is due any more."""
    count = 0
    while looked_at := sender.run_once(lambda: at):
        count += looked_at
    return count


def mend_lanes() -> None:
    """Let lanes that rest go on at once, as if their pause were over."""
    Lane.objects.update(next_at=None)


def _wait_settled(message: Message) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if Message.objects.filter(pk=message.pk, settled_at__isnull=False).exists():
            return
        time.sleep(0.002)


def pay(order: Order) -> float:
    """Pay an order and return when that was known, on the boot clock."""
    record_payment(
        order, PaymentSnapshot("p1", AttemptState.SUCCEEDED, order.total, order.currency, NOW), now=NOW
    )
    return boot_time()


class ChannelConformance:
    """The whole suite, but for the race, which needs transactions of its own."""

    @pytest.fixture(autouse=True)
    def _scopes(self) -> Iterator[None]:
        with scopes_disabled():
            yield

    @pytest.fixture
    def street(self, harness: Harness) -> Street:
        """Return a shop that sends over the channel."""
        return make_street(harness)

    def test_every_message_is_handed_over_once_in_order(self, street: Street, sender: Sender) -> None:
        messages = [street.reminder() for _ in range(4)]

        looked_at = send_all(sender)
        again = send_all(sender, NOW + HOUR)

        assert (looked_at, again) == (4, 0)
        assert [one.recipient for one in street.harness.had()] == [one.recipient for one in messages]
        assert {state_of(message) for message in messages} == {("sent", "")}
        assert {message.handed_at for message in messages} <= {m.handed_at for m in messages if m.handed_at}

    def test_a_paid_order_is_not_reminded_of(self, street: Street, sender: Sender) -> None:
        paid, owed = street.reminder(), street.reminder()
        pay(street.orders[0])

        send_all(sender)

        assert [one.recipient for one in street.harness.had()] == [owed.recipient]
        assert [state_of(paid), state_of(owed)] == [("cancelled", "paid"), ("sent", "")]

    def test_what_passes_is_due_later_and_loses_a_try(self, street: Street, sender: Sender) -> None:
        message = street.reminder("later")

        sender.run_once()

        assert (state_of(message), street.harness.had()) == (("due", "try_later"), [])
        assert (waits_until(message), message.handed_at) == (NOW + (message.attempt or 1) * MINUTE, None)

    def test_what_passes_too_often_fails_before_it_is_too_late(self, street: Street, sender: Sender) -> None:
        message = street.reminder("later", not_after=NOW + 3 * MINUTE)
        at = NOW

        for _ in range(6):
            mend_lanes()
            send_all(sender, at)
            message.refresh_from_db()
            at = max(at, message.due_at)

        assert (state_of(message), street.harness.had()) in [
            (("failed", "too_late_after_tries"), []),
            (("cancelled", "expired"), []),
        ]

    def test_a_refusal_for_good_fails_and_is_never_tried_again(self, street: Street, sender: Sender) -> None:
        message = street.reminder("refused")

        send_all(sender)
        mend_lanes()
        send_all(sender, NOW + HOUR)

        assert (state_of(message), street.harness.had()) == (("failed", "refused"), [])
        assert not Suppression.objects.exists()

    def test_an_unknown_address_fails(self, street: Street, sender: Sender) -> None:
        message = street.reminder("gone")

        send_all(sender)

        assert (state_of(message), street.harness.had()) == (("failed", "address_unknown"), [])

    def test_a_line_cut_after_it_was_taken_never_makes_two(self, street: Street, sender: Sender) -> None:
        message = street.reminder("lost_after")

        send_all(sender)
        for minutes in (2, 30, 90):
            mend_lanes()
            send_all(sender, NOW + minutes * MINUTE)

        assert [one.recipient for one in street.harness.had()] == [message.recipient]
        assert state_of(message)[0] == ("sent" if street.harness.can_repeat else "uncertain")

    def test_a_line_cut_before_it_was_taken_is_never_called_sent(
        self, street: Street, sender: Sender
    ) -> None:
        message = street.reminder("lost_before")

        send_all(sender)
        for minutes in (2, 30, 90):
            mend_lanes()
            send_all(sender, NOW + minutes * MINUTE)

        assert (state_of(message)[0], street.harness.had()) == ("uncertain", [])

    def test_a_person_who_sends_an_uncertain_one_again_makes_no_second_where_one_can_ask(
        self, street: Street, sender: Sender
    ) -> None:
        message = street.reminder("lost_after")
        send_all(sender)
        message.refresh_from_db()
        if message.state != "uncertain":
            return  # it was found out at once
        settle_uncertain(message, "send_again", now=NOW)
        mend_lanes()
        send_all(sender)

        assert len(street.harness.had()) == (1 if street.harness.can_repeat else 2)

    def test_a_rate_limit_slows_down_and_loses_and_doubles_nothing(
        self, street: Street, sender: Sender
    ) -> None:
        messages = [street.reminder() for _ in range(6)]
        street.harness.limit(2)
        pauses = []

        for _ in range(3):
            mend_lanes()
            send_all(sender)
            pauses.append(Lane.objects.get(pk=street.lane.pk).backoff_seconds)
        street.harness.limit(0)
        for minute in range(1, 8):
            mend_lanes()
            send_all(sender, NOW + minute * MINUTE)

        assert pauses == [30, 60, 120]
        assert sorted(one.recipient for one in street.harness.had()) == sorted(
            message.recipient for message in messages
        )
        assert {state_of(message) for message in messages} == {("sent", "")}
        assert [message.attempt for message in messages] == [0] * 6
        assert Lane.objects.get(pk=street.lane.pk).backoff_seconds == 0

    def test_after_a_pause_one_message_asks_whether_the_server_is_well(
        self, street: Street, sender: Sender
    ) -> None:
        for _ in range(4):
            street.reminder()
        Lane.objects.filter(pk=street.lane.pk).update(backoff_seconds=60)

        probe = sender.run_once()
        rest = sender.run_once()

        assert (probe, rest) == (1, 3)

    def test_wrong_credentials_halt_the_lane_and_ask_for_a_person(
        self, street: Street, sender: Sender
    ) -> None:
        message = street.reminder()
        street.harness.spoil(street.shop)

        send_all(sender)
        mend_lanes()
        send_all(sender)

        assert (state_of(message), message.attempt) == (("due", "line_trouble"), 0)
        assert street.harness.had() == []
        lane = Lane.objects.get(pk=street.lane.pk)
        assert (lane.backoff_seconds, lane.in_trouble_since is not None) == (600, True)
        assert AttentionItem.objects.filter(settled_at=None).count() == 1
        street.harness.mend(street.shop)
        mend_lanes()
        send_all(sender)
        assert (state_of(message), AttentionItem.objects.filter(settled_at=None).count()) == (("sent", ""), 0)

    def test_the_erased_and_the_suppressed_get_nothing(self, street: Street, sender: Sender) -> None:
        erased, left, other = street.reminder(), street.reminder(), street.reminder()
        Contact.objects.filter(pk=erased.contact_id).update(erased_at=NOW)
        channel = street.harness.channel
        suppress(street.shop.pk, left.recipient, scope="all", reason="unsubscribed", now=NOW, channel=channel)

        send_all(sender)

        assert [one.recipient for one in street.harness.had()] == [other.recipient]
        assert state_of(erased)[0] == "cancelled"
        assert state_of(left) == ("cancelled", "suppressed")

    def test_suppression_of_another_channel_does_not_count_here(self, street: Street, sender: Sender) -> None:
        message = street.reminder()
        other = "sms" if street.harness.channel == "email" else "email"
        suppress(
            street.shop.pk, message.recipient, scope="all", reason="unsubscribed", now=NOW, channel=other
        )

        send_all(sender)

        assert state_of(message) == ("sent", "")

    def test_advertising_needs_consent_for_this_channel(self, street: Street, sender: Sender) -> None:
        message = street.reminder(message_class="needs_consent")

        send_all(sender)

        assert (state_of(message), street.harness.had()) == (("cancelled", "no_consent"), [])

    def test_test_mode_never_leaves(self, harness: Harness, sender: Sender) -> None:
        street = make_street(harness, live_since=None)
        message = street.reminder()

        send_all(sender)

        copy = read_copy(message.pk, street.shop.pk)
        assert state_of(message) == ("cancelled", "test_mode")
        assert copy is not None
        assert "waits" in copy.text
        assert (harness.had(), harness.connections(), Link.objects.count()) == ([], 0, 0)

    def test_the_demo_talks_to_nobody_outside(
        self, street: Street, sender: Sender, settings: Settings
    ) -> None:
        message = street.reminder()
        settings.IS_DEMO = True
        street.harness.leave_home(street.shop)

        send_all(sender)

        assert (state_of(message), street.harness.had()) == (("due", "line_trouble"), [])

    def test_the_kept_copy_opens_nothing(self, street: Street, sender: Sender) -> None:
        message = street.reminder()

        send_all(sender)

        copy = read_copy(message.pk, street.shop.pk)
        assert copy is not None
        assert "/pay/•••" in copy.text

    def test_what_is_too_late_is_not_handed_over(self, street: Street, sender: Sender) -> None:
        message = street.reminder(not_after=NOW + HOUR)

        send_all(sender, NOW + DAY)

        assert (state_of(message), street.harness.had()) == (("cancelled", "expired"), [])


class RaceConformance:
    """R11: payers who aim at the head of the queue, against the real locks."""

    @pytest.fixture(autouse=True)
    def _scopes(self) -> Iterator[None]:
        with scopes_disabled():
            yield

    def _race(self, street: Street, sender: Sender, count: int, known: dict[str, float]) -> int:
        """Let everybody pay in the order in which they are written to; return how many were written to after that.

        The first has paid before, and the last pays when the mail has gone, so that there is one of each. In `known` stands
        since when each payment is known.
        """
        messages = [street.reminder() for _ in range(count)]
        Lane.objects.filter(pk=street.lane.pk).update(way=Lane.Way.SINGLE)
        known[messages[0].recipient] = pay(street.orders[0])

        def payers() -> None:
            with scopes_disabled():
                for number, order in enumerate(street.orders[1:], 1):
                    if number == count - 1:
                        _wait_settled(messages[number])
                    elif number % 4 < 3:  # every fourth pays ahead, the others just when it is their turn
                        _wait_settled(messages[number - 1])
                        time.sleep(number % 5 * 0.004)
                    known[messages[number].recipient] = pay(order)
            connection.close()

        thread = threading.Thread(target=payers)
        thread.start()
        for _ in range(1000):
            send_all(sender)
            mend_lanes()
            Message.objects.filter(state="due").update(due_at=NOW)
            if not Message.objects.filter(state__in=("due", "claimed", "handing")).exists():
                break
            time.sleep(0.01)
        thread.join(60)
        # Without the locks nobody may be in time to stop a message; `test_nothing_is_handed_over…` asks for both ends.
        assert {state_of(message)[0] for message in messages} <= {"sent", "cancelled"}
        return sum(one.began_at > known[one.recipient] for one in street.harness.had())

    def test_nothing_is_handed_over_after_the_payment_is_known(
        self, harness: Harness, sender: Sender
    ) -> None:
        street = make_street(harness)

        late = self._race(street, sender, 25, {})

        assert late == 0
        ends = Message.objects.filter(shop_id=street.shop.pk).values_list("state", flat=True)
        assert set(ends) == {"sent", "cancelled"}

    def test_without_the_locks_the_race_is_lost(
        self, harness: Harness, sender: Sender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(look, "SUBJECT_LOCK", "")
        monkeypatch.setattr(look, "GATE_LOCK", "")
        check, known = handing.Turn._check, dict[str, float]()

        def linger(self: handing.Turn) -> list[object]:
            """Come to the hand-over when the payment has been made, or a second has passed."""
            passing, deadline = check(self), time.monotonic() + 1.0
            while time.monotonic() < deadline and any(
                one.message.recipient not in known for one in passing[:1]
            ):
                time.sleep(0.002)
            return passing  # type: ignore[return-value]

        monkeypatch.setattr(handing.Turn, "_check", linger)
        street = make_street(harness)

        assert self._race(street, sender, 7, known) > 0
