"""Claims about the sweep that finds unpaid orders."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from recoup.catalog.models import Product
from recoup.core import attention, outbox
from recoup.core.models import AttentionItem
from recoup.orders.desk import add_note
from recoup.orders.models import Order, OrderFact, OrderNote, StatusChange
from recoup.orders.pointless import hand_on_notes
from recoup.recovery.detection import Counts, open_due_cases
from recoup.recovery.events import RecoveryCaseOpened
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop, make_source, make_waiting_time

pytestmark = pytest.mark.django_db

News = Callable[[], list[tuple[str, int]]]


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def history(order: Order) -> list[tuple[str, str, str, str]]:
    return list(
        StatusChange.objects.filter(order=order)
        .order_by("id")
        .values_list("from_status", "to_status", "reason", "actor_kind")
    )


def facts(order: Order) -> list[tuple[str, object]]:
    return list(OrderFact.objects.filter(order=order).order_by("id").values_list("kind", "details"))


def test_due_unpaid_order_becomes_unpaid_and_opens_a_case(shop: Shop, news: News) -> None:
    order = make_order(shop, total="149.00")

    counts = open_due_cases(now=NOW)

    order.refresh_from_db()
    case = RecoveryCase.objects.get()
    assert counts == Counts(looked=1, opened=1)
    assert (order.status, order.unpaid_at, order.check_at, order.lock_version) == ("unpaid", NOW, None, 1)
    assert history(order) == [("new", "unpaid", "not_paid_in_time", "system")]
    assert facts(order) == [("marked_unpaid", {"cause": "no_payment"})]
    assert (case.kind, case.order_id, case.cart_id, case.contact_id) == (
        "order",
        order.pk,
        None,
        order.contact_id,
    )
    assert (case.cause, case.amount, case.currency) == ("no_payment", Decimal("149.00"), "EUR")
    assert (case.opened_at, case.lapses_at, case.closed_at, case.outcome) == (NOW, NOW + 30 * DAY, None, "")
    assert news() == [("RecoveryCaseOpened", order.pk)]


def test_news_of_the_sweep_has_the_shape_of_announced_news(shop: Shop, news: News) -> None:
    heard: list[RecoveryCaseOpened] = []
    outbox.set_routes({RecoveryCaseOpened: (heard.extend,)})
    order = make_order(shop)
    open_due_cases(now=NOW)
    case = RecoveryCase.objects.get()

    outbox.dispatch()

    assert heard == [
        RecoveryCaseOpened(
            shop_id=shop.pk,
            case_id=case.pk,
            kind="order",
            subject_id=order.pk,
            contact_id=order.contact_id,
            at=NOW,
        )
    ]


def test_sweep_run_twice_changes_nothing_the_second_time(shop: Shop, news: News) -> None:
    order = make_order(shop)
    open_due_cases(now=NOW)

    counts = open_due_cases(now=NOW + MINUTE)

    assert counts == Counts()
    assert len(history(order)) == len(facts(order)) == RecoveryCase.objects.count() == len(news()) == 1


@pytest.mark.parametrize("status", ["in_work", "not_confirmed", "awaiting_payment", "unpaid"])
def test_worked_order_keeps_its_word_and_still_opens_a_case(shop: Shop, status: str) -> None:
    order = make_order(shop, status=status)

    open_due_cases(now=NOW)

    order.refresh_from_db()
    assert (order.status, order.unpaid_at, history(order)) == (status, NOW, [])
    assert RecoveryCase.objects.get().order_id == order.pk


@pytest.mark.parametrize(
    "values",
    [
        {"payment_state": "paid", "paid_at": None},
        {"payment_state": "authorized"},
        {"payment_state": "nothing_due", "total": "0"},
        {"payment_state": "refunded"},
        {"payment_state": "disputed"},
        {"status": "completed"},
        {"status": "cancelled"},
        {"status": "false"},
        {"total": "0"},
        {"is_test": True},
        {"is_backfill": True},
    ],
)
def test_order_that_is_not_owed_is_left_as_it_is(shop: Shop, news: News, values: dict[str, Any]) -> None:
    order = make_order(shop, **values)
    before = (order.status, order.payment_state)

    counts = open_due_cases(now=NOW)

    order.refresh_from_db()
    assert counts == Counts(looked=1, passed_over=1)
    assert (order.status, order.payment_state, order.check_at, order.unpaid_at) == (*before, None, None)
    assert (history(order), RecoveryCase.objects.count(), news()) == ([], 0, [])


def test_order_that_is_not_due_waits(shop: Shop) -> None:
    order = make_order(shop, placed_at=NOW - 24 * HOUR + MINUTE)

    assert open_due_cases(now=NOW) == Counts()
    assert open_due_cases(now=NOW + MINUTE) == Counts(looked=1, opened=1)
    order.refresh_from_db()
    assert order.unpaid_at == NOW + MINUTE


@pytest.mark.parametrize(
    ("shop_values", "source_values", "placed_at", "reason"),
    [
        ({}, {"live_since": NOW - 2 * HOUR}, NOW - 25 * HOUR, "before_live"),
        ({"live_since": NOW - 2 * HOUR}, {}, NOW - 25 * HOUR, "before_live"),
        ({"max_age_days": 14}, {}, NOW - 15 * DAY, "too_old"),
    ],
)
def test_old_order_is_passed_over_with_its_reason(
    shop_values: dict[str, Any], source_values: dict[str, Any], placed_at: object, reason: str
) -> None:
    shop = make_shop(**shop_values)
    order = make_order(shop, source=make_source(shop, **source_values), placed_at=placed_at)

    counts = open_due_cases(now=NOW)

    order.refresh_from_db()
    assert counts == Counts(looked=1, passed_over=1)
    assert (order.status, order.check_at, facts(order)) == (
        "new",
        None,
        [("passed_over", {"reason": reason})],
    )
    assert RecoveryCase.objects.count() == 0


def test_shop_in_test_mode_opens_cases(shop: Shop) -> None:
    make_order(make_shop(live_since=None))

    assert open_due_cases(now=NOW) == Counts(looked=1, opened=1)


def test_long_waiting_time_makes_no_order_too_old(shop: Shop) -> None:
    make_order(shop, placed_at=NOW - 21 * DAY, check_at=NOW - MINUTE)

    assert open_due_cases(now=NOW) == Counts(looked=1, opened=1)


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({}, "no_payment"),
        ({"failure_class": "hard", "payment_state": "failed"}, "hard"),
        ({"failure_class": "soft", "payment_state": "failed"}, "soft"),
        ({"failure_class": "never_heard", "payment_state": "failed"}, "unknown"),
        ({"payment_state": "failed"}, "unknown"),
        ({"is_offline_method": True}, "offline"),
        ({"payment_state": "on_hold"}, "offline"),
        ({"payment_state": "partly_paid", "captured": Decimal(49)}, "unknown"),
    ],
)
def test_case_knows_its_cause(shop: Shop, values: dict[str, Any], cause: str) -> None:
    make_order(shop, **values)

    open_due_cases(now=NOW)

    assert RecoveryCase.objects.get().cause == cause


def test_case_of_a_partly_paid_order_is_about_the_rest(shop: Shop) -> None:
    make_order(shop, total="149.00", payment_state="partly_paid", captured=Decimal("50.00"))

    open_due_cases(now=NOW)

    assert RecoveryCase.objects.get().amount == Decimal("99.00")


@pytest.mark.parametrize(
    ("held", "until"),
    [
        ({"promised_at": NOW + 3 * DAY}, NOW + 3 * DAY),
        ({"claimed_by": 1, "claimed_until": NOW + 2 * HOUR, "status": "in_work"}, NOW + 2 * HOUR),
        ({"paused_at": NOW - HOUR}, NOW + HOUR),
        ({"paused_at": NOW - HOUR, "promised_at": NOW + DAY}, NOW + DAY),
    ],
)
def test_held_order_is_looked_at_again_later(shop: Shop, held: dict[str, Any], until: object) -> None:
    order = make_order(shop, **held)
    before = order.status

    counts = open_due_cases(now=NOW)

    order.refresh_from_db()
    assert counts == Counts(looked=1, postponed=1)
    assert (order.status, order.check_at, order.unpaid_at) == (before, until, None)
    assert RecoveryCase.objects.count() == 0


def test_promise_that_has_passed_holds_nothing(shop: Shop) -> None:
    make_order(shop, promised_at=NOW, claimed_until=NOW - HOUR)

    assert open_due_cases(now=NOW) == Counts(looked=1, opened=1)


def test_order_without_a_known_person_opens_a_case_too(shop: Shop) -> None:
    make_order(shop, contact=None)
    make_order(shop, contact=None, paid_at=NOW - HOUR)

    assert open_due_cases(now=NOW) == Counts(looked=1, opened=1)
    assert RecoveryCase.objects.get().contact_id is None


def test_newer_paid_order_for_the_same_product_supersedes(shop: Shop, news: News) -> None:
    anna = make_contact(shop)
    old = make_order(shop, contact=anna, products=("cream",))
    new = make_order(
        shop, contact=anna, products=("cream", "soap"), placed_at=NOW - 5 * HOUR, paid_at=NOW - 4 * HOUR
    )

    counts = open_due_cases(now=NOW)

    old.refresh_from_db()
    assert counts == Counts(looked=1, superseded=1)
    assert (old.status, old.cancel_reason, old.cancelled_at) == ("cancelled", "superseded", NOW)
    assert (old.superseded_by_id, old.superseded_at, old.check_at, old.unpaid_at) == (new.pk, NOW, None, None)
    assert history(old) == [("new", "cancelled", "superseded", "system")]
    assert facts(old) == [("superseded", {"by": new.pk})]
    assert (RecoveryCase.objects.count(), news()) == (0, [("OrderCancelled", old.pk)])


def test_older_order_paid_since_supersedes_too(shop: Shop) -> None:
    anna = make_contact(shop)
    make_order(shop, contact=anna, placed_at=NOW - 26 * HOUR, paid_at=NOW - HOUR)
    make_order(shop, contact=anna)

    assert open_due_cases(now=NOW) == Counts(looked=1, superseded=1)


def test_older_order_paid_before_supersedes_nothing(shop: Shop) -> None:
    anna = make_contact(shop)
    make_order(shop, contact=anna, placed_at=NOW - 28 * HOUR, paid_at=NOW - 27 * HOUR)
    make_order(shop, contact=anna)

    assert open_due_cases(now=NOW) == Counts(looked=1, opened=1)


@pytest.mark.parametrize(
    ("old_products", "new_products", "scope", "is_superseded"),
    [
        (("cream",), ("cream",), "product", True),
        (("cream", "soap"), ("cream", "soap", "comb"), "product", True),
        (("cream", "soap"), ("cream",), "product", False),
        (("cream",), ("soap",), "product", False),
        (("cream",), ("soap",), "person", True),
        ((), (), "product", True),  # nothing told: compared by the sum
        ((), ("cream",), "product", True),
    ],
)
def test_scope_of_superseding(
    old_products: tuple[str, ...], new_products: tuple[str, ...], scope: str, is_superseded: bool
) -> None:
    shop = make_shop(supersede_scope=scope)
    anna = make_contact(shop)
    make_order(shop, contact=anna, products=old_products)
    make_order(shop, contact=anna, products=new_products, placed_at=NOW - 5 * HOUR, paid_at=NOW - 4 * HOUR)

    counts = open_due_cases(now=NOW)

    assert (counts.superseded, counts.opened) == ((1, 0) if is_superseded else (0, 1))


@pytest.mark.parametrize(("total", "is_superseded"), [("149.00", True), ("20.00", False)])
def test_products_of_another_source_are_compared_by_the_sum(
    shop: Shop, total: str, is_superseded: bool
) -> None:
    anna = make_contact(shop)
    make_order(shop, contact=anna, products=("5",))
    bought = {"placed_at": NOW - 5 * HOUR, "paid_at": NOW - 4 * HOUR}
    make_order(shop, contact=anna, source=make_source(shop), products=("5",), total=total, **bought)

    counts = open_due_cases(now=NOW)

    assert (counts.superseded, counts.opened) == ((1, 0) if is_superseded else (0, 1))


def test_orders_of_two_sources_are_no_duplicates(shop: Shop) -> None:
    anna = make_contact(shop)
    make_order(shop, contact=anna, products=("5",))
    make_order(shop, contact=anna, source=make_source(shop), products=("5",), placed_at=NOW - HOUR)

    assert open_due_cases(now=NOW) == Counts(looked=1, opened=1)


def test_product_bought_again_and_again_supersedes_nothing(shop: Shop) -> None:
    anna, source = make_contact(shop), make_source(shop)
    for ref in ("beans", "filter"):
        Product(
            shop=shop,
            source=source,
            ref=ref,
            name=ref,
            currency="EUR",
            is_repeatable=ref == "beans",
            version_at=NOW,
        ).save()
    bought = {"contact": anna, "source": source, "placed_at": NOW - 5 * HOUR, "paid_at": NOW - 4 * HOUR}
    beans = make_order(shop, contact=anna, source=source, products=("beans",))
    both = make_order(
        shop, contact=anna, source=source, products=("beans", "filter"), placed_at=NOW - 26 * HOUR
    )
    make_order(shop, products=("beans",), **bought)
    make_order(shop, products=("filter",), **bought)

    open_due_cases(now=NOW)

    beans.refresh_from_db()
    both.refresh_from_db()
    assert (beans.status, both.status) == ("unpaid", "cancelled")


def test_paid_order_of_another_person_or_shop_supersedes_nothing(shop: Shop) -> None:
    other = make_shop()
    make_order(shop, contact=make_contact(shop, email="anna@example.com"))
    make_order(shop, contact=make_contact(shop, email="bert@example.com"), placed_at=NOW - HOUR, paid_at=NOW)
    make_order(
        other, contact=make_contact(other, email="anna@example.com"), placed_at=NOW - HOUR, paid_at=NOW
    )

    assert open_due_cases(now=NOW) == Counts(looked=1, opened=1)


def test_of_several_unpaid_orders_for_the_same_products_the_newest_is_kept(shop: Shop, news: News) -> None:
    anna = make_contact(shop)
    first, second, third = (
        make_order(shop, contact=anna, products=("soap", "cream"), placed_at=NOW - hours * HOUR)
        for hours in (30, 28, 26)
    )
    other = make_order(shop, contact=anna, products=("soap",), placed_at=NOW - 29 * HOUR)

    counts = open_due_cases(now=NOW)

    for order in (first, second, third, other):
        order.refresh_from_db()
    assert counts == Counts(looked=4, opened=2, duplicates=2)
    assert [(o.status, o.duplicate_of_id) for o in (first, second, third, other)] == [
        ("false", third.pk),
        ("false", third.pk),
        ("unpaid", None),
        ("unpaid", None),
    ]
    assert history(first) == [("new", "false", "duplicate", "system")]
    assert facts(first) == [("duplicate", {"of": third.pk})]
    assert sorted(RecoveryCase.objects.values_list("order_id", flat=True)) == [third.pk, other.pk]


def test_order_that_is_kept_gets_the_notes_of_the_dropped_once(shop: Shop) -> None:
    anna = make_contact(shop)
    first, second = (make_order(shop, contact=anna, placed_at=NOW - hours * HOUR) for hours in (30, 28))
    add_note(first, "Calls back on Monday", author_id=7, now=NOW - HOUR)

    open_due_cases(now=NOW)
    hand_on_notes([first.pk])

    notes = OrderNote.objects.order_by("id").values_list("order_id", "text", "author_id", "at")
    assert list(notes) == [(pk, "Calls back on Monday", 7, NOW - HOUR) for pk in (first.pk, second.pk)]


def test_newer_order_that_is_not_yet_due_is_the_one_to_keep(shop: Shop) -> None:
    anna = make_contact(shop)
    make_order(shop, contact=anna)
    newer = make_order(shop, contact=anna, placed_at=NOW - HOUR)

    assert open_due_cases(now=NOW) == Counts(looked=1, duplicates=1)
    assert open_due_cases(now=NOW + DAY) == Counts(looked=1, opened=1)
    assert RecoveryCase.objects.get().order_id == newer.pk


@pytest.mark.parametrize(
    "newer",
    [
        {"status": "cancelled"},
        {"status": "false"},
        {"is_test": True},
        {"is_backfill": True},
        {"total": "0"},
        {"payment_state": "authorized", "products": ("soap",)},
    ],
)
def test_newer_order_that_is_not_owed_is_no_reason_to_drop(shop: Shop, newer: dict[str, Any]) -> None:
    anna = make_contact(shop)
    order = make_order(shop, contact=anna)
    make_order(shop, contact=anna, placed_at=NOW - HOUR, check_at=None, **newer)

    open_due_cases(now=NOW)

    assert RecoveryCase.objects.get().order_id == order.pk


def test_order_is_not_chased_once_money_for_the_same_goods_is_reserved(shop: Shop, news: News) -> None:
    anna = make_contact(shop)
    order = make_order(shop, contact=anna)
    newer = make_order(
        shop,
        contact=anna,
        products=("cream", "soap"),
        placed_at=NOW - HOUR,
        check_at=None,
        payment_state="authorized",
    )

    assert open_due_cases(now=NOW) == Counts(looked=1, duplicates=1)
    order.refresh_from_db()
    assert (order.status, order.duplicate_of_id, RecoveryCase.objects.count()) == ("false", newer.pk, 0)


def test_order_held_by_a_person_is_not_dropped_as_a_duplicate(shop: Shop) -> None:
    anna = make_contact(shop)
    make_order(shop, contact=anna, claimed_until=NOW + HOUR)
    make_order(shop, contact=anna, placed_at=NOW - HOUR)

    assert open_due_cases(now=NOW) == Counts(looked=1, postponed=1)


def test_source_that_can_be_asked_is_waited_for(shop: Shop) -> None:
    order = make_order(shop, source=make_source(shop, kind="woocommerce"))

    assert open_due_cases(now=NOW, askable={"woocommerce"}) == Counts()
    Order.objects.filter(pk=order.pk).update(asked_at=NOW - HOUR - MINUTE)
    assert open_due_cases(now=NOW, askable={"woocommerce"}) == Counts()
    Order.objects.filter(pk=order.pk).update(asked_at=NOW - HOUR)
    assert open_due_cases(now=NOW, askable={"woocommerce"}) == Counts(looked=1, opened=1)


def test_case_of_the_cart_closes_before_that_of_its_order_opens(shop: Shop, news: News) -> None:
    anna = make_contact(shop)
    cart = make_cart(shop, contact=anna, state="abandoned", last_activity_at=NOW - 30 * HOUR)
    make_case(cart)
    order = make_order(shop, contact=anna, source=cart.source, cart_ref=cart.ref)

    first = open_due_cases(now=NOW)
    told = news()
    second = open_due_cases(now=NOW + MINUTE)

    assert (first, second) == (Counts(looked=1, postponed=1), Counts(looked=1, opened=1))
    assert told == [("RecoveryCaseClosed", cart.pk)]
    assert list(RecoveryCase.objects.order_by("id").values_list("kind", "outcome", "order_id")) == [
        ("cart", "became_order", None),
        ("order", "", order.pk),
    ]


def test_sweep_stops_at_its_limit_and_goes_on_from_there(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recoup.recovery.detection.BATCH", 3)
    orders = [make_order(shop, placed_at=NOW - 25 * HOUR - timedelta(seconds=n)) for n in range(8)]

    first, second = open_due_cases(now=NOW, limit=5), open_due_cases(now=NOW, limit=5)

    assert (first.opened, second.opened) == (5, 3)
    assert sorted(RecoveryCase.objects.values_list("order_id", flat=True)) == [o.pk for o in orders]


def test_shops_are_swept_together_and_keep_their_own_rules() -> None:
    strict, loose = make_shop(supersede_scope="person"), make_shop(supersede_scope="product")
    for one in (strict, loose):
        anna = make_contact(one)
        make_order(one, contact=anna, products=("cream",))
        make_order(one, contact=anna, products=("soap",), placed_at=NOW - HOUR, paid_at=NOW - MINUTE)

    counts = open_due_cases(now=NOW)

    assert counts == Counts(looked=2, opened=1, superseded=1)
    assert RecoveryCase.objects.get().shop_id == loose.pk


def test_what_is_paid_on_delivery_is_marked_only_by_a_time_of_that_whatever_was_set_before(
    shop: Shop,
) -> None:
    order = make_order(shop, method="cod", is_offline_method=True)  # due, as an older version left it
    timed = make_order(make_shop(), method="cod", is_offline_method=True)
    make_waiting_time(timed.shop, method="cod", minutes=60)

    assert open_due_cases(now=NOW) == Counts(looked=2, opened=1, passed_over=1)

    order.refresh_from_db()
    assert (order.status, order.check_at) == ("new", None)


def test_newer_order_of_a_status_that_nobody_knows_takes_the_place_of_none(shop: Shop) -> None:
    buyer = make_contact(shop)
    known = make_order(shop, contact=buyer, placed_at=NOW - 26 * HOUR)
    make_order(shop, contact=buyer, shop_state="unknown", raw_state="levitating", check_at=None)

    assert open_due_cases(now=NOW) == Counts(looked=1, opened=1)
    known.refresh_from_db()
    assert known.status == "unpaid"


def test_unknown_words_of_an_older_version_are_asked_about_once(shop: Shop) -> None:
    ask = import_module("recoup.orders.migrations.0017_ask_what_unknown_words_mean").ASK
    source = make_source(shop)
    for word in ("levitating", "levitating", "sinking"):
        make_order(shop, source=source, shop_state="unknown", raw_state=word)
    for values in ({"is_backfill": True}, {"status": "cancelled"}, {"check_at": None}):
        make_order(shop, source=source, shop_state="unknown", raw_state="of no use", **values)
    with connection.cursor() as cursor:
        cursor.execute(ask)
        assert cursor.rowcount == 2
        attention.settle("orders.unknown_status", shop_id=shop.pk, key=f"{source.pk}:sinking", now=NOW)
        cursor.execute(ask)
        assert cursor.rowcount == 0

    assert AttentionItem.objects.filter(details__status="levitating").values_list("key", "details").get() == (
        f"{source.pk}:levitating",
        {"source": source.name, "status": "levitating"},
    )
