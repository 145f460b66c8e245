"""What every payment operator must hold: inherit `OperatorConformance` and give it a `harness`.

The suite goes through our own doors (sessions, the hook) and looks at orders, attempts and attention; it knows the operator
only through the harness, which plays its server.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core.activity import Actor
from recoup.core.models import AttentionItem, InboxItem
from recoup.hooks.operators import apply_operator_item
from recoup.orders.models import Order
from recoup.payments import asking, refunds, sessions
from recoup.payments.models import Attempt, AttemptChange, OperatorAccount, Refund
from recoup.payments.ports import Operator
from recoup.payments.ways import Way
from recoup.shops.snapshots import FailureClass
from tests.factories.moments import MINUTE, NOW
from tests.factories.orders import make_order

ACTOR = Actor("person", 1)


@dataclass(frozen=True)
class Call:
    """A call of the operator, as it would arrive."""

    raw: bytes
    headers: Mapping[str, str]


class OperatorHarness(ABC):
    """Plays an operator for one account. Buyers and the operator's staff act on attempts that our sessions opened."""

    account: OperatorAccount
    adapter: Operator
    method: str
    declines: Mapping[str, FailureClass]  # the operator's word and our class

    @abstractmethod
    def pay(self, attempt: Attempt) -> None:
        """Let the buyer pay at the operator's page."""

    @abstractmethod
    def decline(self, attempt: Attempt, code: str) -> None:
        """Let the payment be declined."""

    @abstractmethod
    def tell_late_failure(self, attempt: Attempt, code: str) -> None:
        """Let the operator tell of a failure of a payment that succeeded before."""

    @abstractmethod
    def pay_other_sum(self, attempt: Attempt, amount: Decimal, currency: str) -> None:
        """Let the operator tell of a payment of another sum."""

    @abstractmethod
    def refund(self, attempt: Attempt, amount: Decimal) -> None:
        """Let the operator's staff give money back."""

    @abstractmethod
    def take_calls(self) -> list[Call]:
        """Return what the operator has sent since the last time; it is delivered by the test, or lost."""

    @abstractmethod
    def signed(self, raw: bytes, *, age: timedelta = timedelta(0)) -> Call:
        """Sign a body as the operator does."""

    @abstractmethod
    def signed_by_other(self, raw: bytes) -> Call:
        """Sign a body with the secret of another account of the same operator."""

    @abstractmethod
    def changed(self, raw: bytes, **fields: Any) -> bytes:
        """Return a body with fields of the payment changed or added: `status`, `ref`, `key`, or a name it does not have."""

    @abstractmethod
    def breaks(self, call: str, fault: str) -> None:
        """Let the next API call (`open`, `ask`, `close`, `refund`) go wrong."""

    @abstractmethod
    def away(self) -> AbstractContextManager[None]:
        """Let the operator be unreachable for the length of a block."""

    @abstractmethod
    def count_payments(self) -> int:
        """Return how many payments the operator knows."""

    @abstractmethod
    def count_refunds(self, attempt: Attempt) -> int:
        """Return how many refunds the operator has made of a payment."""


def due(order: Order) -> tuple[str, str, Decimal]:
    """Return what the order's money says."""
    order.refresh_from_db()
    return order.payment_state, order.status, order.captured


def kinds_open(order: Order) -> list[str]:
    """Return what asks for a person."""
    return sorted(
        AttentionItem.objects.filter(shop_id=order.shop_id, settled_at=None).values_list("kind", flat=True)
    )


@pytest.mark.django_db
class OperatorConformance:
    """The suite."""

    @pytest.fixture
    def harness(self) -> OperatorHarness:
        """Return the operator's harness."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _all_shops(self) -> Any:
        with scopes_disabled():
            yield

    @pytest.fixture
    def order(self, harness: OperatorHarness) -> Order:
        """Return an order of 149.00 that waits to be paid."""
        return make_order(harness.account.shop)

    def open(self, harness: OperatorHarness, order: Order) -> Attempt:
        """Open a session for an order."""
        opening = sessions.Opening(
            way=Way(harness.account, harness.method),
            return_url="http://127.0.0.1:8000/pay/t",
            notify_url=f"http://127.0.0.1:8000/hooks/operators/{harness.account.key}",
            locale="en",
            description=f"Order {order.number}",
        )
        return sessions.open_session(order, opening, now=NOW)

    def deliver(self, harness: OperatorHarness, *calls: Call) -> list[int]:
        """Bring calls to our hook and return what it answered."""
        client = Client()
        return [
            client.post(
                f"/hooks/operators/{harness.account.key}",
                data=call.raw,
                content_type=call.headers["content-type"],
                headers={name: value for name, value in call.headers.items() if name != "content-type"},
            ).status_code
            for call in calls
        ]

    # Paying

    def test_a_payment_makes_the_order_paid(self, harness: OperatorHarness, order: Order) -> None:
        attempt = self.open(harness, order)
        harness.pay(attempt)

        assert self.deliver(harness, *harness.take_calls()) == [200]

        assert due(order) == ("paid", "completed", Decimal("149.00"))
        attempt.refresh_from_db()
        assert (attempt.state, attempt.is_open_session, attempt.next_ask_at) == ("succeeded", False, None)

    @pytest.mark.parametrize(
        ("currency", "total"), [("JPY", "1490"), ("KWD", "14.905"), ("PLN", "149.01"), ("HUF", "1490.00")]
    )
    def test_sums_keep_the_places_of_their_currency(
        self, harness: OperatorHarness, currency: str, total: str
    ) -> None:
        if not harness.adapter.abilities(harness.account).takes(Decimal(total), currency):
            pytest.skip(f"does not take {currency}")
        order = make_order(harness.account.shop, currency=currency, total=total)
        harness.pay(self.open(harness, order))

        self.deliver(harness, *harness.take_calls())

        assert due(order) == ("paid", "completed", Decimal(total))

    def test_a_decline_is_told_with_its_class(self, harness: OperatorHarness) -> None:
        for code, expected in harness.declines.items():
            order = make_order(harness.account.shop)
            attempt = self.open(harness, order)
            harness.decline(attempt, code)

            self.deliver(harness, *harness.take_calls())

            attempt.refresh_from_db()
            assert (attempt.state, attempt.failure_class, attempt.failure_code) == ("failed", expected, code)
            assert due(order)[0] == "failed"

    def test_after_a_decline_another_session_can_be_opened(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        first = self.open(harness, order)
        harness.decline(first, next(iter(harness.declines)))
        self.deliver(harness, *harness.take_calls())

        second = self.open(harness, order)

        assert second.pk != first.pk
        assert second.redirect_url != first.redirect_url

    # Signatures

    def test_calls_that_are_not_signed_by_the_account_are_refused(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        attempt = self.open(harness, order)
        harness.pay(attempt)
        (call,) = harness.take_calls()
        unsigned = Call(call.raw, {"content-type": call.headers["content-type"]})
        altered = Call(harness.changed(call.raw, unknown="x"), call.headers)
        old, early = (
            harness.signed(call.raw, age=timedelta(hours=1)),
            harness.signed(call.raw, age=-timedelta(hours=1)),
        )

        answers = self.deliver(harness, unsigned, altered, harness.signed_by_other(call.raw), old, early)

        assert answers == [401] * 5
        assert InboxItem.objects.count() == 0
        assert due(order) == ("owed", "new", Decimal(0))

    def test_the_hook_of_nobody_is_not_found(self, harness: OperatorHarness) -> None:
        assert (
            Client().post("/hooks/operators/nobody", data=b"{}", content_type="application/json").status_code
            == 404
        )
        assert Client().get(f"/hooks/operators/{harness.account.key}").status_code == 405

    # Bodies

    def test_a_replayed_call_changes_nothing(self, harness: OperatorHarness, order: Order) -> None:
        attempt = self.open(harness, order)
        harness.pay(attempt)
        (call,) = harness.take_calls()

        assert self.deliver(harness, call, call, call) == [200, 200, 200]

        assert InboxItem.objects.count() == 1
        assert AttemptChange.objects.filter(attempt=attempt).count() == 1
        assert due(order) == ("paid", "completed", Decimal("149.00"))

    def test_fields_it_does_not_know_are_ignored(self, harness: OperatorHarness, order: Order) -> None:
        harness.pay(self.open(harness, order))
        (call,) = harness.take_calls()

        self.deliver(harness, harness.signed(harness.changed(call.raw, unheard_of={"deep": ["x"]})))

        assert due(order) == ("paid", "completed", Decimal("149.00"))

    def test_a_status_it_does_not_know_is_kept_and_changes_nothing(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        harness.pay(self.open(harness, order))
        (call,) = harness.take_calls()

        assert self.deliver(harness, harness.signed(harness.changed(call.raw, status="levitating"))) == [200]

        assert InboxItem.objects.get().state == "unused"
        assert due(order) == ("owed", "new", Decimal(0))

    @pytest.mark.parametrize("raw", [b"", b"not json", b"[]", b'{"a":1,"a":2}', b"\xff\xfe", b"null"])
    def test_a_signed_body_that_cannot_be_read_is_kept_for_a_person(
        self, harness: OperatorHarness, order: Order, raw: bytes
    ) -> None:
        assert self.deliver(harness, harness.signed(raw)) == [200]

        assert InboxItem.objects.get().state == "quarantined"
        assert kinds_open(order) == ["hooks.quarantined"]

    # Order of arrival

    def test_a_failure_told_after_the_success_is_history(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        attempt = self.open(harness, order)
        harness.pay(attempt)
        harness.tell_late_failure(attempt, next(iter(harness.declines)))

        self.deliver(harness, *harness.take_calls())

        assert due(order) == ("paid", "completed", Decimal("149.00"))
        changes = (
            AttemptChange.objects.filter(attempt=attempt).order_by("id").values_list("state", "was_applied")
        )
        assert list(changes) == [("succeeded", True), ("failed", False)]

    def test_a_success_told_twice_under_two_ids_counts_once(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        attempt = self.open(harness, order)
        harness.pay(attempt)
        (call,) = harness.take_calls()

        self.deliver(harness, call, harness.signed(call.raw))

        assert due(order) == ("paid", "completed", Decimal("149.00"))
        assert Attempt.objects.filter(order=order).count() == 1
        assert kinds_open(order) == []

    def test_two_captured_payments_of_one_order_ask_for_a_person(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        first = self.open(harness, order)
        Attempt.objects.filter(pk=first.pk).update(is_open_session=False)  # as if it had been given up
        second = self.open(harness, order)
        harness.pay(first)
        harness.pay(second)

        self.deliver(harness, *harness.take_calls())

        assert due(order)[0] == "paid"
        assert "payments.double_payment" in kinds_open(order)

    def test_a_refund_told_before_its_payment_waits_for_it(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        attempt = self.open(harness, order)
        harness.pay(attempt)
        (paid,) = harness.take_calls()
        harness.refund(attempt, Decimal("149.00"))
        refunded = harness.take_calls()[0]

        self.deliver(harness, refunded)
        assert (due(order)[0], InboxItem.objects.get().state) == ("owed", "new")
        self.deliver(harness, paid)
        self.apply_waiting()

        order.refresh_from_db()
        assert (order.payment_state, order.captured, order.refunded) == (
            "refunded",
            Decimal("149.00"),
            Decimal("149.00"),
        )

    def apply_waiting(self) -> None:
        """Let the worker apply what waits."""
        for item in InboxItem.objects.filter(state="new").order_by("id"):
            apply_operator_item(item.pk, now=NOW + MINUTE)

    def test_a_call_that_comes_before_the_answer_finds_its_attempt(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        harness.breaks("open", "cut_after")
        with pytest.raises(sessions.SessionUnknown):
            self.open(harness, order)
        attempt = Attempt.objects.get(order=order)
        assert attempt.ref == attempt.key
        harness.pay(attempt)

        self.deliver(harness, *harness.take_calls())

        assert due(order) == ("paid", "completed", Decimal("149.00"))
        attempt.refresh_from_db()
        assert attempt.ref != attempt.key

    # Other sums: T75

    @pytest.mark.parametrize(
        ("amount", "currency"), [("148.99", "EUR"), ("1490.00", "EUR"), ("149.00", "PLN"), ("0.01", "EUR")]
    )
    def test_another_sum_or_currency_never_pays(
        self, harness: OperatorHarness, order: Order, amount: str, currency: str
    ) -> None:
        attempt = self.open(harness, order)
        harness.pay_other_sum(attempt, Decimal(amount), currency)

        self.deliver(harness, *harness.take_calls())

        assert due(order) == ("owed", "new", Decimal(0))
        assert order.paused_at is not None
        assert kinds_open(order) == ["payments.amount_differs"]
        with pytest.raises(sessions.SessionUnknown):
            self.open(harness, order)

    def test_a_payment_under_the_key_of_another_order_never_pays(
        self, harness: OperatorHarness, order: Order
    ) -> None:
        other = make_order(harness.account.shop)
        mine, theirs = self.open(harness, order), self.open(harness, other)
        harness.pay(mine)
        (call,) = harness.take_calls()

        self.deliver(harness, harness.signed(harness.changed(call.raw, key=theirs.key)))

        assert due(order)[0] == "owed"
        assert due(other)[0] == "owed"
        assert kinds_open(order) == ["payments.amount_differs"]

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
