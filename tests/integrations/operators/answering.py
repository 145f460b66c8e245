"""What an operator answers, or fails to: asking, lost answers, closing, giving back."""

from datetime import timedelta
from decimal import Decimal

import pytest

from recoup.core.activity import Actor
from recoup.orders.models import Order
from recoup.payments import asking, refunds, sessions
from recoup.payments.models import Attempt, Refund
from recoup.payments.ways import Way
from tests.factories.moments import MINUTE, NOW
from tests.integrations.operators.harness import OperatorHarness
from tests.integrations.operators.suite import OperatorSuite, due, kinds_open

ACTOR = Actor("person", 1)


class AnsweringConformance(OperatorSuite):
    """What comes back over the line."""

    # Asking

    def test_a_payment_whose_call_was_lost_is_found_by_asking(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        harness.pay(self.open(harness, order))
        harness.take_calls()

        assert asking.ask_open_attempts(now=NOW) == 0
        assert asking.ask_open_attempts(now=NOW + MINUTE) == 1

        assert due(order) == ("paid", "completed", Decimal("149.00"))

    def test_a_session_without_news_is_asked_again_and_ended_after_23_hours(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        attempt = self.open(harness, order)

        asking.ask_open_attempts(now=NOW + MINUTE)
        attempt.refresh_from_db()
        assert (attempt.is_open_session, attempt.next_ask_at) == (True, NOW + 2 * MINUTE)
        asking.ask_open_attempts(now=NOW + timedelta(hours=23))

        attempt.refresh_from_db()
        assert (attempt.is_open_session, attempt.next_ask_at) == (False, None)
        assert attempt.state in {"cancelled", "expired"}
        assert due(order)[0] == "owed"

    # The line, T78:

    @pytest.mark.parametrize(
        "fault", ["hang", "cut_after", "cut_before", "html", "error_in_200", "error_500"]
    )
    def test_a_lost_answer_is_unknown_and_the_same_call_finds_the_same_session(
        self, harness: OperatorHarness, order: Order, fault: str
    ) -> None:
        harness.breaks("open", fault)
        with pytest.raises(sessions.SessionUnknown):
            self.open(harness, order)
        unknown = Attempt.objects.get(order=order)
        assert (unknown.is_open_session, unknown.redirect_url) == (True, "")
        assert unknown.next_ask_at is not None

        found = self.open(harness, order)

        assert (found.pk, found.key) == (unknown.pk, unknown.key)
        assert found.redirect_url != ""
        assert harness.count_payments() == 1

    def test_an_operator_that_is_not_reached_leaves_nothing_open(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        with harness.away(), pytest.raises(sessions.SessionNotOpened) as caught:
            self.open(harness, order)

        assert caught.value.reason == "unavailable"
        assert due(order) == ("owed", "new", Decimal(0))
        assert self.open(harness, order).redirect_url != ""
        assert harness.count_payments() == 1

    def test_an_answer_that_stays_lost_for_23_hours_asks_for_a_person(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        harness.breaks("open", "cut_after")
        with pytest.raises(sessions.SessionUnknown):
            self.open(harness, order)

        with harness.away():
            asking.ask_open_attempts(now=NOW + MINUTE)
            assert kinds_open(order) == []
            asking.ask_open_attempts(now=NOW + timedelta(hours=23))

        assert kinds_open(order) == ["payments.outcome_unknown"]
        with pytest.raises(sessions.SessionUnknown):  # nothing is charged meanwhile
            sessions.open_session(
                order,
                sessions.Opening(Way(harness.account, harness.method), "", "", "en", ""),
                now=NOW + timedelta(hours=24),
            )
        assert asking.ask_open_attempts(now=NOW + timedelta(days=3)) == 0

    def test_a_call_that_never_arrived_frees_the_order(self, harness: OperatorHarness, order: Order) -> None:
        harness.breaks("open", "cut_before")
        with pytest.raises(sessions.SessionUnknown):
            self.open(harness, order)

        asking.ask_open_attempts(now=NOW + MINUTE)
        assert Attempt.objects.get(order=order).is_open_session  # it may still be on its way
        asking.ask_open_attempts(now=NOW + 10 * MINUTE)

        assert not Attempt.objects.get(order=order).is_open_session
        assert due(order) == ("owed", "new", Decimal(0))

    # Ending

    def test_a_closed_session_makes_room_for_another(self, harness: OperatorHarness, order: Order) -> None:
        if not harness.adapter.abilities(harness.account).closes_sessions:
            pytest.skip("closes no sessions")
        first = self.open(harness, order)

        sessions.close_session(first, now=NOW)

        assert not first.is_open_session
        assert self.open(harness, order).redirect_url != first.redirect_url

    def test_closing_a_session_that_was_paid_finds_the_payment(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        if not harness.adapter.abilities(harness.account).closes_sessions:
            pytest.skip("closes no sessions")
        attempt = self.open(harness, order)
        harness.pay(attempt)
        harness.take_calls()

        with pytest.raises(sessions.NotPayable):
            sessions.close_session(attempt, now=NOW)

        assert due(order) == ("paid", "completed", Decimal("149.00"))

    # Giving back: T76

    def paid(self, harness: OperatorHarness, order: Order) -> Attempt:
        """Return the paid attempt of an order."""
        if not harness.adapter.abilities(harness.account).refunds:
            pytest.skip("gives nothing back")
        attempt = self.open(harness, order)
        harness.pay(attempt)
        self.deliver(harness, *harness.take_calls())
        attempt.refresh_from_db()
        return attempt

    def test_money_is_given_back_once_however_often_it_is_told(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        attempt = self.paid(harness, order)

        refunds.give_back(attempt, Decimal("149.00"), actor=ACTOR, now=NOW)
        with pytest.raises(refunds.RefundNotPossible):
            refunds.give_back(attempt, Decimal("149.00"), actor=ACTOR, now=NOW)
        self.deliver(harness, *harness.take_calls())

        order.refresh_from_db()
        assert (order.payment_state, order.refunded) == ("refunded", Decimal("149.00"))
        assert (Refund.objects.filter(order=order).count(), harness.count_refunds(attempt)) == (1, 1)

    @pytest.mark.parametrize("fault", ["cut_after", "cut_before", "hang", "html", "error_500"])
    def test_a_refund_whose_answer_was_lost_is_repeated_not_doubled(
        self, harness: OperatorHarness, order: Order, fault: str
    ) -> None:
        attempt = self.paid(harness, order)
        harness.breaks("refund", fault)

        with pytest.raises(refunds.RefundUnknown):
            refunds.give_back(attempt, Decimal("49.00"), actor=ACTOR, now=NOW)
        refunds.give_back(attempt, Decimal("49.00"), actor=ACTOR, now=NOW)
        self.deliver(harness, *harness.take_calls())

        order.refresh_from_db()
        assert (order.payment_state, order.refunded) == ("partly_refunded", Decimal("49.00"))
        assert (Refund.objects.filter(order=order).count(), harness.count_refunds(attempt)) == (1, 1)
