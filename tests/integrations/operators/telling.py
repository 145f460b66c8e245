"""What an operator tells: payments, failures, signatures, odd bodies, any order of arrival, other sums."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from recoup.core.models import InboxItem
from recoup.orders.models import Order
from recoup.payments import sessions
from recoup.payments.models import Attempt, AttemptChange
from tests.factories.orders import make_order
from tests.integrations.operators.harness import Call, OperatorHarness
from tests.integrations.operators.suite import OperatorSuite, due, kinds_open


class TellingConformance(OperatorSuite):
    """What arrives at our hook."""

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
