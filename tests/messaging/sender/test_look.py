"""The last look on a real database: what it reads, what it locks, and that it waits for nobody."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, transaction
from django_scopes import scopes_disabled

from recoup.core import inbox
from recoup.core.activity import SYSTEM
from recoup.core.inbox import Call
from recoup.core.models import InboxItem
from recoup.customers.actions import Consent, record_consent, suppress
from recoup.messaging.models import Message, QuietHours, SendingLimits
from recoup.messaging.rules.book import Cell
from recoup.messaging.rules.changing import change_rule
from recoup.messaging.sender import judge, look, shop_facts
from recoup.messaging.sender.claim import claim
from recoup.messaging.sender.facts import Sight
from recoup.messaging.sender.records import Claimed
from recoup.messaging.sender.shop_facts import ShopFacts
from recoup.messaging.sender.timing import Timing
from recoup.orders.models import Order
from recoup.payments.actions import record_payment
from recoup.payments.models import Attempt
from recoup.shops.snapshots import AttemptState, PaymentSnapshot
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_attempt, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop, make_source
from tests.messaging.sender.roads import Road, make_road

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def road() -> Road:
    return make_road(2525)


def claimed(road: Road) -> list[Claimed]:
    return claim(road.lane.pk, owner=1, now=NOW, timing=Timing())[1]


def seen(road: Road) -> tuple[Sight, ShopFacts]:
    """Return what the look sees of the one message of a road."""
    messages = claimed(road)
    sights, shop = look.look(messages, owner=1, now=NOW)
    (sight,) = sights.values()
    return sight, shop


def keep_call(
    order: Order, *refs: str, kind: str = "shop", received_at: object = NOW, **values: object
) -> None:
    inbox.keep(
        Call(
            shop_id=order.shop_id,
            source_kind=kind,
            source_id=order.source_id,
            event_id=f"{kind}{refs}{received_at}",
            raw=b"{}",
            subject_refs=refs,
            received_at=received_at,  # type: ignore[arg-type]
            **values,  # type: ignore[arg-type]
        )
    )


def test_everything_is_read_of_an_order_without_anything_against_it(road: Road) -> None:
    order = make_order(road.shop)
    road.reminder(order)

    sight, shop = seen(road)

    assert sight.order is not None
    assert (sight.order.id, sight.order.payment_state, sight.order.status) == (order.pk, "owed", "new")
    assert (sight.order.is_paid_by_another, sight.order.has_newer_twin, sight.order.reminders) == (
        False,
        False,
        0,
    )
    assert (sight.cancel_reason, sight.hold, sight.gate and sight.gate.recent) == (None, "", [])
    assert shop.states == {road.source.pk: "live"}
    assert (shop.caps.per_day, shop.caps.per_week, shop.caps.per_order) == (2, 5, 3)


@pytest.mark.parametrize("named", ["order", "number", "cart", "attempt", "sibling"])
def test_news_that_waits_to_be_applied_holds_the_message_by_any_name(road: Road, named: str) -> None:
    contact = make_contact(road.shop)
    order = make_order(road.shop, contact=contact, cart_ref="cart-9", number="N-1")
    sibling = make_order(road.shop, contact=contact, placed_at=NOW, products=("vase",))
    attempt = make_attempt(order, state="pending")
    road.reminder(order)
    names = {
        "order": order.ref,
        "number": "N-1",
        "cart": "cart-9",
        "attempt": attempt.ref,
        "sibling": sibling.ref,
    }

    keep_call(order, names[named])

    assert seen(road)[0].hold == "payment_news"


@pytest.mark.parametrize(("minutes", "hold"), [(0, "intake_unreadable"), (9, "intake_unreadable"), (11, "")])
def test_a_call_that_nobody_could_read_holds_its_source_for_ten_minutes(
    road: Road, minutes: int, hold: str
) -> None:
    order = make_order(road.shop)
    road.reminder(order)

    keep_call(order, received_at=NOW - minutes * MINUTE, peek_failed=True)

    assert seen(road)[0].hold == hold


def test_news_of_others_and_news_applied_hold_nothing(road: Road) -> None:
    order = make_order(road.shop)
    road.reminder(order)
    other = make_source(make_shop())

    keep_call(order, "somebody else's")
    keep_call(Order(shop_id=other.shop_id, source_id=other.pk), order.ref, peek_failed=True)
    keep_call(order, order.ref, unreadable="quarantined at once")

    assert seen(road)[0].hold == ""


def test_news_of_an_operator_of_the_shop_holds_by_the_attempts_name(road: Road) -> None:
    order = make_order(road.shop)
    attempt = make_attempt(order, state="pending")
    road.reminder(order)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO payments_operatoraccount (id, shop_id, kind, name, key, role, base_url, secret, options,"
            " is_active, position) OVERRIDING SYSTEM VALUE"
            " VALUES (%s, %s, 'demobank', 'Bank', 'k', 'initiator', '', '', '{}', true, 0)",
            [order.source_id, road.shop.pk],
        )

    keep_call(order, attempt.ref, kind="operator")

    assert seen(road)[0].hold == "payment_news"


def test_a_newer_paid_order_of_the_same_goods_is_seen(road: Road) -> None:
    contact = make_contact(road.shop)
    road.reminder(make_order(road.shop, contact=contact))
    make_order(road.shop, contact=contact, placed_at=NOW - HOUR, paid_at=NOW - HOUR)

    sight, _ = seen(road)

    assert sight.order is not None
    assert sight.order.is_paid_by_another


def test_a_newer_twin_that_is_also_owed_is_seen(road: Road) -> None:
    contact = make_contact(road.shop)
    road.reminder(make_order(road.shop, contact=contact))
    make_order(road.shop, contact=contact, placed_at=NOW - HOUR)

    sight, _ = seen(road)

    assert sight.order is not None
    assert sight.order.has_newer_twin


def test_what_was_sent_about_the_order_is_counted(road: Road) -> None:
    order = make_order(road.shop)
    template = road.texts["order"]
    for state in ("sent", "uncertain", "failed", "cancelled"):
        make_message(order, state=state, handed_at=NOW - HOUR, template=template)
    make_message(order, state="handing", handed_at=NOW, lease_owner=2)
    make_message(order, state="handing", lease_owner=2)
    make_message(order, state="sent", is_asked_for=True, handed_at=NOW - HOUR)
    make_message(
        order, state="sent", enrolment_id=None, manual_key="k", handed_at=NOW - HOUR, template=template
    )
    make_message(
        order, state="sent", enrolment_id=None, manual_key="l", handed_at=NOW - 2 * DAY, template=None
    )
    road.reminder(order)

    sight, _ = seen(road)

    assert sight.order is not None
    assert (sight.order.reminders, sight.order.sent_by_hand) == (5, [template.pk])


def test_an_order_placed_after_the_cart_was_left_is_seen(road: Road) -> None:
    contact = make_contact(road.shop)
    road.reminder(road.cart(contact=contact))
    make_order(road.shop, contact=contact, placed_at=NOW - HOUR)

    sight, _ = seen(road)

    assert sight.cart is not None
    assert sight.cart.has_order_since


@pytest.mark.parametrize(
    ("words", "is_consenting"),
    [
        ([], False),
        ([("marketing", True, 2)], True),
        ([("cart_reminder", True, 2)], True),
        ([("marketing", True, 2), ("marketing", False, 1)], False),
        ([("marketing", False, 2), ("marketing", True, 1)], True),
        ([("marketing", False, 1), ("cart_reminder", True, 2)], True),
        ([("marketing", True, -1)], False),
    ],
)
def test_consent_counts_as_it_stands_at_this_instant(
    road: Road, words: list[tuple[str, bool, int]], is_consenting: bool
) -> None:
    contact = make_contact(road.shop)
    road.reminder(road.cart(contact=contact))
    for purpose, is_given, days_ago in words:
        at = NOW - days_ago * DAY
        record_consent(contact, [Consent(purpose, is_given, "test", at)], now=max(NOW, at))

    _, shop = seen(road)

    assert shop.consenting == ({contact.pk} if is_consenting else set())


MINE, OTHER = "+48601000001", "+48602000002"


@pytest.mark.parametrize(
    ("words", "at_mine", "at_other"),
    [
        ([(True, 2, "")], True, False),  # said of no number: the person's own is meant
        ([(True, 2, OTHER)], False, True),
        ([(True, 3, ""), (True, 2, OTHER)], True, True),
        ([(True, 3, ""), (False, 2, "")], False, False),
        ([(True, 4, ""), (False, 3, ""), (True, 2, OTHER)], False, True),
    ],
)
def test_consent_to_short_messages_counts_for_the_number_that_it_was_given_for(
    road: Road, words: list[tuple[bool, int, str]], at_mine: bool, at_other: bool
) -> None:
    contact = make_contact(road.shop, phone=MINE)
    for is_given, days_ago, number in words:
        word = Consent("marketing", is_given, "test", NOW - days_ago * DAY, channel="sms", number=number)
        record_consent(contact, [word], now=NOW)
    cart = road.cart(contact=contact)
    for number in (MINE, OTHER):
        road.reminder(cart, recipient=number, step_no=int(number[-1]))
    messages = [message._replace(channel="sms", content="advertising") for message in claimed(road)]

    found = shop_facts.read(road.shop.pk, messages, NOW)

    agreed = {message.recipient: judge.person_refusal(message, found) == "" for message in messages}
    assert agreed == {MINE: at_mine, OTHER: at_other}


def test_suppression_limits_and_quiet_hours_of_the_shop_are_read(road: Road) -> None:
    message = road.reminder(email="Anna@Example.com")
    suppress(road.shop.pk, "anna@example.com", scope="reminders", reason="unsubscribed", now=NOW)
    suppress(make_shop().pk, "anna@example.com", scope="all", reason="unsubscribed", now=NOW)
    SendingLimits(shop=road.shop, per_day=1, per_week=3, per_order=9).save()
    QuietHours(shop=road.shop, starts="21:00", ends="08:00", weekdays=[5]).save()

    _, shop = seen(road)

    assert shop.suppressed == {message.recipient: {"reminders"}}
    assert (shop.caps.per_day, shop.caps.per_week, shop.caps.per_order) == (1, 3, 9)
    assert [(quiet.starts.hour, quiet.ends.hour, quiet.weekdays) for quiet in shop.quiet_hours] == [
        (21, 8, (5,))
    ]


@pytest.mark.parametrize(
    "values",
    [{"lease_owner": 2}, {"state": "uncertain"}, {"lease_until": NOW - 10 * DAY}],
    ids=["another's", "swept", "run out"],
)
def test_a_message_that_is_not_ours_any_more_is_not_seen(road: Road, values: dict[str, object]) -> None:
    message = road.reminder()
    messages = claimed(road)
    Message.objects.filter(pk=message.pk).update(**values)

    sights, _ = look.look(messages, owner=1, now=NOW)

    assert sights == {}


def test_a_cancel_that_was_asked_for_is_seen_with_its_reason(road: Road) -> None:
    message = road.reminder()
    messages = claimed(road)
    Message.objects.filter(pk=message.pk).update(cancel_requested_at=NOW, reason="taken_over")

    sights, _ = look.look(messages, owner=1, now=NOW)

    assert sights[message.pk].cancel_reason == "taken_over"


def test_the_stamp_changes_with_the_row(road: Road) -> None:
    order = make_order(road.shop)
    road.reminder(order)
    messages = claimed(road)
    before, _ = look.look(messages, owner=1, now=NOW)
    again, _ = look.look(messages, owner=1, now=NOW)
    Order.objects.filter(pk=order.pk).update(total=150)

    after, _ = look.look(messages, owner=1, now=NOW)

    orders = [next(iter(sights.values())).order for sights in (before, again, after)]
    stamps = [order.stamp for order in orders if order is not None]
    assert stamps[0] == stamps[1] != stamps[2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("UPDATE orders_order SET captured = captured", "order"),
        ("UPDATE customers_contactgate SET changes = changes + 1", "gate"),
    ],
)
def test_a_row_that_somebody_changes_at_this_moment_is_left_to_them(
    road: Road, database_url: str, statement: str, missing: str
) -> None:
    road.reminder()
    messages = claimed(road)
    with psycopg.connect(database_url) as payer:
        payer.execute(statement.encode())

        with transaction.atomic():
            sights, _ = look.look(messages, owner=1, now=NOW)
        payer.rollback()

    (sight,) = sights.values()
    assert getattr(sight, missing) is None


@pytest.mark.django_db(transaction=True)
def test_a_payment_waits_for_the_look_to_end_and_no_longer(road: Road) -> None:
    order = make_order(road.shop)
    road.reminder(order)
    messages = claimed(road)
    paid = threading.Event()

    def pay() -> None:
        with scopes_disabled():
            record_payment(
                Order.objects.get(pk=order.pk),
                PaymentSnapshot("p1", AttemptState.SUCCEEDED, order.total, order.currency, NOW),
                now=NOW,
            )
        paid.set()
        connection.close()

    payer = threading.Thread(target=pay)
    with transaction.atomic():
        sights, _ = look.look(messages, owner=1, now=NOW)
        payer.start()
        was_paid_meanwhile = paid.wait(0.7)
    payer.join(timeout=60)

    assert sights[messages[0].id].order is not None
    assert (was_paid_meanwhile, paid.is_set()) == (False, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("named", ["order", "number", "cart", "attempt", "sibling", "somebody else"])
def test_a_call_that_names_what_is_handed_over_is_answered_after_it(road: Road, named: str) -> None:
    contact = make_contact(road.shop)
    order = make_order(road.shop, contact=contact, cart_ref="cart-9", number="N-1")
    sibling = make_order(road.shop, contact=contact, placed_at=NOW, products=("vase",))
    names = {
        "order": order.ref,
        "number": "N-1",
        "cart": "cart-9",
        "attempt": make_attempt(order, state="pending").ref,
        "sibling": sibling.ref,
        "somebody else": "r-0",
    }
    road.reminder(order)
    messages = claimed(road)
    kept = threading.Event()

    def call() -> None:
        keep_call(order, names[named])
        kept.set()
        connection.close()

    caller = threading.Thread(target=call)
    with transaction.atomic():
        sights, _ = look.look(messages, owner=1, now=NOW)
        caller.start()
        was_kept_meanwhile = kept.wait(30 if named == "somebody else" else 0.3)
    caller.join(timeout=60)

    assert sights[messages[0].id].hold == ""
    assert (was_kept_meanwhile, kept.is_set()) == (named == "somebody else", True)


@pytest.mark.django_db(transaction=True)
def test_a_call_waits_for_a_hand_over_until_none_can_begin_and_is_then_kept(road: Road) -> None:
    road.reminder(order := make_order(road.shop))
    messages = claimed(road)
    kept = []

    def call() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '59s'")
            started = time.monotonic()
            keep_call(order, order.ref)
            cursor.execute("SHOW lock_timeout")
            kept.append((cursor.fetchone(), time.monotonic() - started))
        connection.close()

    caller = threading.Thread(target=call)
    with transaction.atomic():
        look.look(messages, owner=1, now=NOW)
        caller.start()
        caller.join(timeout=60)

    ((patience, seconds),) = kept
    assert (patience, 1.2 < seconds < 9, InboxItem.objects.count()) == (("59s",), True, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["order", "cart"])
def test_what_a_call_names_that_is_just_coming_in_is_left_for_a_moment(
    road: Road, database_url: str, kind: str
) -> None:
    subject = make_order(road.shop) if kind == "order" else road.cart()
    road.reminder(subject)
    messages = claimed(road)
    with psycopg.connect(database_url) as caller:
        caller.execute(
            "SELECT core_inbox_keep(%s, 'shop', %s, 'e', '', '{}', '{}', '', '', to_jsonb(%s::text[]), false, null, '')",
            [road.shop.pk, subject.source_id, [subject.ref, "another"]],
        )

        with transaction.atomic():
            sights, shop = look.look(messages, owner=1, now=NOW)
        caller.rollback()

    (sight,) = sights.values()
    assert judge.judge(messages[0], sight, shop, stamp=None, now=NOW).reason in ("busy", "no_consent")
    assert (sight.order or sight.cart).is_free is False  # type: ignore[union-attr]


def test_a_look_holds_no_more_names_than_the_database_has_locks_for(road: Road) -> None:
    attempts = []
    for number in range(50):
        order = make_order(road.shop, cart_ref=f"cart-{number}", number=f"N-{number}")
        road.reminder(order)
        attempts += [make_attempt(order, state="failed")] if not number else []
        for count in range(25):
            fields = {field.attname: getattr(attempts[0], field.attname) for field in Attempt._meta.fields}
            attempts.append(
                Attempt(**{**fields, "id": None, "order_id": order.pk, "ref": f"{number}/{count}"})
            )
    Attempt.objects.bulk_create(attempts[1:])
    messages = sorted(claimed(road), key=lambda message: message.order_id or 0)

    with transaction.atomic():
        sights, _ = look.look(messages, owner=1, now=NOW)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            )
            (held,) = cursor.fetchone()

    free = [sights[one.id].order.is_free for one in messages]  # type: ignore[union-attr]
    assert free == [True] * 43 + [False] * 7  # 23 names each
    assert held == 43 * 23


def test_the_plans_of_look_and_claim_never_scan_what_was_sent(road: Road) -> None:
    sent = make_message(make_order(road.shop), state="sent", handed_at=NOW - 2 * DAY)
    fields = {field.attname: getattr(sent, field.attname) for field in Message._meta.concrete_fields}
    Message.objects.bulk_create(
        [Message(**{**fields, "id": None, "enrolment_id": number}) for number in range(100_000, 105_000)]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    road.reminder()
    plans = []

    def explain(execute: object, sql: str, params: object, many: bool, context: object) -> object:
        if sql.lstrip().startswith(("SELECT", "WITH")) and "messaging_message" in sql:
            with connection.cursor().cursor as raw:
                raw.execute(f"EXPLAIN {sql}", params)
                plans.append("\n".join(row[0] for row in raw.fetchall()))
        return execute(sql, params, many, context)  # type: ignore[operator]

    with connection.execute_wrapper(explain):
        messages = claimed(road)
        look.look(messages, owner=1, now=NOW)

    assert len(plans) >= 3
    assert [plan for plan in plans if "Seq Scan on messaging_message " in plan] == []


@pytest.mark.parametrize(
    ("words", "wants_offers", "is_objecting", "refuses_carts"),
    [
        ([], False, False, False),
        ([("marketing", False, 1)], False, True, False),
        ([("marketing", False, 2), ("marketing", True, 1)], True, False, False),
        ([("cart_reminder", False, 1)], False, False, True),
        ([("cart_reminder", True, 1)], False, False, False),
        ([("marketing", True, 1), ("cart_reminder", False, 1)], True, False, True),
        ([("cart_reminder", False, 2), ("cart_reminder", True, 1)], False, False, False),
    ],
)
def test_a_word_on_offers_and_a_word_on_carts_are_told_apart(
    road: Road,
    words: list[tuple[str, bool, int]],
    wants_offers: bool,
    is_objecting: bool,
    refuses_carts: bool,
) -> None:
    contact = make_contact(road.shop)
    road.reminder(road.cart(contact=contact), message_class="soft_opt_in")
    for purpose, is_given, days_ago in words:
        record_consent(contact, [Consent(purpose, is_given, "test", NOW - days_ago * DAY)], now=NOW)

    _, shop = seen(road)

    found = [shop.wanting_offers, shop.objecting, shop.refusing_carts]
    assert [contact.pk in who for who in found] == [wants_offers, is_objecting, refuses_carts]


def test_a_message_goes_by_the_rules_that_hold_now_whatever_its_row_says(road: Road) -> None:
    told = {"content": "cart", "relation": "neither", "country": "DE"}
    message = road.reminder(road.cart(), message_class="needs_consent", **told)
    change_rule(road.shop, Cell("DE", "cart", "neither"), "forbidden", actor=SYSTEM, now=NOW)
    Message.objects.filter(pk=message.pk).update(
        message_class="contract"
    )  # as if it was queued beside the change

    sight, _ = seen(road)

    assert sight.message_class == "forbidden"
