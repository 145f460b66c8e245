"""An offer is used once, by its person, in time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import OperationalError, connection, transaction
from django_scopes import scope, scopes_disabled

from recoup.core.models import AttentionItem
from recoup.offers import redeeming
from recoup.offers.ending import expire_due_offers
from recoup.offers.handlers import follow_cancelled
from recoup.offers.models import Budget, Offer, Redemption
from recoup.offers.redeeming import (
    Applied,
    OfferOver,
    OfferTaken,
    choose,
    confirm_paid,
    find_applied,
    free_unpaid,
    redeem,
)
from recoup.offers.terms import Kind, Terms
from recoup.offers.trying import Refused, try_code
from recoup.orders.events import OrderCancelled
from recoup.orders.models import Order
from recoup.orders.settle import lock_order
from recoup.shops.models import Shop
from recoup.supervisor import machine
from tests.factories.moments import DAY, NOW
from tests.factories.offers import TEN, make_offer, make_settings
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.products import make_product
from tests.factories.shops import make_shop
from tests.support.together import together

D = Decimal
pytestmark = pytest.mark.django_db
FIFTH = Terms(Kind.PERCENT, percent=D(20))


@pytest.fixture
def shop() -> Shop:
    """Return a shop whose goods cost 40 %."""
    shop = make_shop()
    with scope(shop=shop):
        make_settings(shop)
    return shop


def use(order: Order) -> Applied:
    """Use what applies to an order."""
    applied = find_applied(order, now=NOW)
    assert applied is not None
    redeem(order, applied, now=NOW)
    return applied


def test_the_best_offer_of_its_buyer_applies_and_no_double_discount(shop: Shop) -> None:
    with scope(shop=shop):
        order = make_order(shop, total="100.00")
        make_offer(order, TEN)
        best = make_offer(order, FIFTH)
        applied = find_applied(order, now=NOW)

    assert applied is not None
    assert (applied.offers, applied.discount, applied.valid_until) == ((best,), D("20.00"), best.valid_until)


def test_offers_that_allow_it_apply_together(shop: Shop) -> None:
    with scope(shop=shop):
        order = make_order(shop, total="100.00")
        offers = [make_offer(order, replace(TEN, with_offers=True)) for _ in range(2)]
        applied = find_applied(order, now=NOW)

    assert applied is not None
    assert (applied.offers, applied.discount) == (tuple(offers), D("19.00"))


def test_nobody_elses_expired_withdrawn_or_other_offer_applies(shop: Shop) -> None:
    with scope(shop=shop):
        order = make_order(shop)
        make_offer(make_order(shop), FIFTH)
        make_offer(order, FIFTH, valid_until=NOW)
        make_offer(order, FIFTH, state="void")
        make_offer(order, FIFTH, is_test=True)
        make_offer(order, replace(FIFTH, products=("vase",)))
        make_offer(order, Terms(Kind.AMOUNT, amount=D(5), currency="PLN"))

        assert find_applied(order, now=NOW) is None


def test_a_coupon_that_stands_in_a_shop_is_never_taken_off_here_too(shop: Shop) -> None:
    order = make_order(shop, total="100.00")
    with scope(shop=shop):
        offer = make_offer(order, remote_ref="17")  # its source is gone, and with it the name of who made it
        applied = redeeming.find_applied(order, now=NOW)
        typed = try_code(order, offer.code, now=NOW)

    assert (applied, typed) == (None, Refused.ELSEWHERE)


def test_an_offer_of_another_shop_applies_nowhere_else(shop: Shop) -> None:
    other = make_shop()
    with scope(shop=other):
        theirs = make_offer(make_order(other), FIFTH)
    with scope(shop=shop):
        order = make_order(shop)
        Offer.objects.filter(pk=theirs.pk).update(contact=order.contact)

        assert find_applied(order, now=NOW) is None


def test_less_than_can_be_paid_is_never_left(shop: Shop) -> None:
    with scope(shop=shop):
        make_settings(shop, default_cost=D(0))
        order = make_order(shop, total="3.00")
        offer = make_offer(order, Terms(Kind.PERCENT, percent=D(100)))
        applied = choose(order, [offer], least=D("2.00"))
        free = choose(order, [offer])

    assert applied is not None
    assert free is not None
    assert (applied.quote.after, free.quote.after) == (D("2.00"), D("0.01"))


def test_using_it_again_for_the_same_order_is_the_same_use(shop: Shop) -> None:
    with scope(shop=shop):
        order = make_order(shop, total="100.00")
        make_offer(order)
        use(order)
        use(order)

        assert Redemption.objects.values_list("order_id", "discount").get() == (order.pk, D("10.00"))


def test_a_used_offer_does_not_apply_to_another_order_until_it_is_freed_once(shop: Shop) -> None:
    with scope(shop=shop):
        first = make_order(shop)
        second = make_order(shop, contact=first.contact)
        offer = make_offer(first)
        applied = use(first)
        with pytest.raises(OfferTaken):
            redeem(second, applied, now=NOW)
        beside = find_applied(second, now=NOW)
        freed = [free_unpaid([first.pk], now=NOW), free_unpaid([first.pk], now=NOW)]
        again = find_applied(second, now=NOW)

    assert (beside, freed, again and again.offers) == (None, [1, 0], (offer,))


def test_what_was_withdrawn_or_ran_out_in_between_is_over(shop: Shop) -> None:
    with scope(shop=shop):
        order = make_order(shop)
        offer = make_offer(order)
        applied = find_applied(order, now=NOW)
        assert applied is not None
        with pytest.raises(OfferOver):
            redeem(order, applied, now=NOW + 2 * DAY)
        Offer.objects.filter(pk=offer.pk).update(state="void")
        with pytest.raises(OfferOver):
            redeem(order, applied, now=NOW)

        assert Redemption.objects.count() == 0


def test_a_payment_uses_it_up_and_withdraws_the_others(shop: Shop) -> None:
    with scope(shop=shop):
        order = make_order(shop, total="100.00")
        other = make_offer(order, TEN)
        best = make_offer(order, FIFTH, budget_key="k", budget_start=NOW, expected=D(20))
        use(order)
        Order.objects.filter(pk=order.pk).update(discount_given=D(20), payment_state="paid", paid_at=NOW)
        order.refresh_from_db()
        confirm_paid(order, now=NOW)
        confirm_paid(order, now=NOW)
        best.refresh_from_db()
        other.refresh_from_db()

    assert [(one.state, one.reason) for one in (best, other)] == [("redeemed", ""), ("void", "paid_full")]


def test_what_an_order_was_to_be_paid_with_before_is_not_used_up_too(shop: Shop) -> None:
    with scope(shop=shop):
        order = make_order(shop, total="100.00")
        before = make_offer(order, TEN, budget_key="k", budget_start=NOW, expected=D(10))
        use(order)
        best = make_offer(order, FIFTH)
        use(order)
        held = list(Redemption.objects.filter(freed_at=None).values_list("offer_id", flat=True))
        Order.objects.filter(pk=order.pk).update(discount_given=D(20), payment_state="paid", paid_at=NOW)
        order.refresh_from_db()
        confirm_paid(order, now=NOW)
        before.refresh_from_db()
        best.refresh_from_db()

    assert held == [best.pk]
    assert [(one.state, one.reason) for one in (before, best)] == [("void", "paid_full"), ("redeemed", "")]


def test_a_larger_order_than_was_reckoned_with_gets_what_the_budget_carries(shop: Shop) -> None:
    budget = {"budget_key": "k", "budget_start": NOW, "budget_limit": D(50), "expected": D(10)}
    with scope(shop=shop):
        order = make_order(shop, total="100.00")
        make_offer(order, TEN, **budget)
        larger = make_order(shop, contact=order.contact, total="1000.00")
        Budget.objects.create(shop=shop, key="k", currency=order.currency, period_start=NOW, spent=D(10))
        found = [find_applied(one, now=NOW) for one in (larger, order)]
        Budget.objects.update(spent=D(50))
        found += [find_applied(one, now=NOW) for one in (larger, order)]

    assert [one and one.discount for one in found] == [D("50.00"), D("10.00"), D("10.00"), D("10.00")]


def test_a_payment_in_full_withdraws_it_although_a_session_had_been_opened(shop: Shop) -> None:
    with scope(shop=shop):
        order = make_order(shop, total="100.00")
        offer = make_offer(order)
        use(order)
        Order.objects.filter(pk=order.pk).update(payment_state="paid", paid_at=NOW)
        order.refresh_from_db()
        confirm_paid(order, now=NOW)
        offer.refresh_from_db()

        assert (offer.state, Redemption.objects.filter(freed_at=None).count()) == ("void", 0)


def test_an_offer_for_another_order_is_free_again_once_this_one_is_paid_without_it(shop: Shop) -> None:
    with scope(shop=shop):
        meant = make_order(shop, total="100.00")
        order = make_order(shop, total="100.00", contact=meant.contact)
        offer = make_offer(meant)
        use(order)
        Order.objects.filter(pk=order.pk).update(payment_state="paid", paid_at=NOW)
        order.refresh_from_db()
        confirm_paid(order, now=NOW)
        offer.refresh_from_db()
        applied = find_applied(meant, now=NOW)

    assert offer.state == "granted"
    assert applied is not None
    assert applied.offers == (offer,)


@pytest.mark.parametrize(("stock", "asked"), [(5, 1), (0, 0)])
def test_a_gift_is_packed_only_where_no_discount_was_given_instead(
    shop: Shop, stock: int, asked: int
) -> None:
    with scope(shop=shop):
        order = make_order(shop, total="100.00")
        make_product(order.source, ref="mug", price=D(10), stock=stock, currency=order.currency)
        make_offer(order, Terms(Kind.GIFT, gift="mug", percent=D(10)))
        taken = use(order).discount
        Order.objects.filter(pk=order.pk).update(discount_given=taken, payment_state="paid", paid_at=NOW)
        order.refresh_from_db()
        (redeemed,) = confirm_paid(order, now=NOW)

    assert redeemed.state == "redeemed"
    assert AttentionItem.objects.filter(shop_id=shop.pk, kind="offers.gift_due").count() == asked


def test_an_offer_agreed_in_time_counts_although_it_ran_out_at_the_bank(shop: Shop) -> None:
    with scope(shop=shop):
        order = make_order(shop, total="100.00")
        offer = make_offer(order)
        use(order)
        expired = expire_due_offers(now=NOW + 3 * DAY)
        Order.objects.filter(pk=order.pk).update(
            discount_given=D(10), payment_state="paid", paid_at=NOW + 3 * DAY
        )
        order.refresh_from_db()
        confirm_paid(order, now=NOW + 3 * DAY)
        offer.refresh_from_db()

    assert (expired, offer.state) == (0, "redeemed")


def test_a_payment_that_ended_after_its_time_lets_it_expire(shop: Shop) -> None:
    with scope(shop=shop):
        order = make_order(shop)
        offer = make_offer(order)
        use(order)
        free_unpaid([order.pk], now=NOW + 3 * DAY)
        offer.refresh_from_db()

    assert offer.state == "expired"


def test_a_cancelled_order_takes_its_offers_along(shop: Shop) -> None:
    with scope(shop=shop):
        cart = make_cart(shop)
        order = make_order(shop, contact=cart.contact)
        cart.order_ref = order.ref
        cart.save()
        offers = [make_offer(order), make_offer(cart), make_offer(make_order(shop))]
        use(order)
        Order.objects.filter(pk=order.pk).update(status="cancelled")
        follow_cancelled([OrderCancelled(shop.pk, order.pk, NOW)])

        assert [Offer.objects.get(pk=one.pk).state for one in offers] == ["void", "void", "granted"]


def at_once(orders: list[Order], applied: Applied, *, width: int = 25) -> list[str]:
    """Use one offer for many orders, `width` connections at a time, all told to begin at one moment."""
    outcomes: list[str] = []
    work, begin = list(orders), threading.Barrier(width)

    def run() -> None:
        try:
            connection.ensure_connection()
            begin.wait(60)
            with scopes_disabled():
                while work:
                    try:
                        order = work.pop()
                    except IndexError:
                        return
                    try:
                        redeem(order, applied, now=NOW)
                        outcomes.append("used")
                    except OfferTaken:
                        outcomes.append("taken")
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(width)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_of_two_hundred_uses_at_once_exactly_one_counts(is_full_size: bool) -> None:
    shop = make_shop()
    with scope(shop=shop):
        make_settings(shop)
        anna = make_contact(shop)
        orders = [make_order(shop, contact=anna) for _ in range(200)]
    for _ in range(50 if is_full_size else 2):
        with scope(shop=shop):
            offer = make_offer(orders[0])
            applied = choose(orders[0], [offer])
        assert applied is not None

        outcomes = at_once(orders, applied)

        with scope(shop=shop):
            assert sorted(outcomes) == ["taken"] * 199 + ["used"]
            assert Redemption.objects.filter(offer=offer).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_use_and_a_payment_over_one_offer_take_their_locks_in_one_order() -> None:
    """Uses it for one order while another one, which it was made for, is paid: 20 rounds, and nobody is a victim."""
    shop = make_shop()
    with scope(shop=shop):
        make_settings(shop)
        anna = make_contact(shop)
        paid, other = (make_order(shop, total="100.00", contact=anna) for _ in range(2))

        def use_slowly(applied: Applied) -> None:
            with transaction.atomic():
                lock_order(other.pk)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(0.01)")
                redeem(other, applied, now=NOW)

        def confirm() -> None:
            with transaction.atomic():
                confirm_paid(paid, now=NOW)

        for _ in range(20):
            offers = [make_offer(paid, budget_key=key, budget_start=NOW) for key in ("b", "a")]
            applied = choose(paid, offers)
            assert applied is not None
            redeem(paid, applied, now=NOW)
            outcomes = together([lambda applied=applied: use_slowly(applied), confirm, confirm])  # type: ignore[misc]

            assert [one for one in outcomes if isinstance(one, OperationalError)] == []
            assert Offer.objects.filter(pk__in=[one.pk for one in offers], state="granted").count() == 0


_READING_FIRST = """
    INSERT INTO offers_redemption (shop_id, offer_id, order_id, discount, cost, by_line, made_at)
    SELECT f.shop_id, f.id, %s, %s, %s, %s::jsonb, %s FROM offers_offer f, pg_advisory_xact_lock_shared(77)
    WHERE f.id = %s
        AND NOT EXISTS (SELECT FROM offers_redemption r WHERE r.offer_id = f.id AND r.freed_at IS NULL)
    RETURNING id
"""


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_without_the_unique_row_it_is_used_more_than_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: it is the index, and nothing that was read before, that lets one through."""
    shop = make_shop()
    with scope(shop=shop):
        make_settings(shop)
        anna = make_contact(shop)
        orders = [make_order(shop, contact=anna) for _ in range(20)]
        applied = choose(orders[0], [make_offer(orders[0])])
    assert applied is not None
    monkeypatch.setattr(redeeming, "_USE", _READING_FIRST)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX offers_redemption_once")
        cursor.execute("SELECT pg_advisory_lock(77)")  # until two have read
    try:
        with ThreadPoolExecutor(1) as beside:
            outcomes = beside.submit(at_once, orders, applied, width=10)
            assert machine.wait_until(lambda: _waiting() >= 2, seconds=60)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(77)")
        assert outcomes.result().count("used") > 1
    finally:
        with scope(shop=shop):
            Redemption.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE UNIQUE INDEX offers_redemption_once ON offers_redemption (offer_id) WHERE freed_at IS NULL"
            )
