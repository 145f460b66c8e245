"""Everything that forbids a message, one case a line (design 6.4, engine 10.1)."""

from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal
from typing import Any

import pytest

from recoup.messaging.models import Message
from recoup.messaging.sender.facts import CartFacts, Gate, OrderFacts, Sight
from recoup.messaging.sender.judge import SEND, Decision, judge, note_passed
from recoup.messaging.sender.limits import Caps, Quiet
from recoup.messaging.sender.records import Claimed
from recoup.messaging.sender.shop_facts import ShopFacts
from tests.factories.moments import DAY, HOUR, MINUTE, NOW

LIVE = NOW - 60 * DAY


def message(**values: Any) -> Claimed:
    defaults: dict[str, Any] = {
        "id": 1,
        "shop_id": 1,
        "source_id": 5,
        "contact_id": 3,
        "order_id": 7,
        "cart_id": None,
        "template_id": 9,
        "case_id": None,
        "enrolment_id": 11,
        "step_no": 1,
        "manual_key": None,
        "locale": "en",
        "purpose": "reminder",
        "message_class": "contract",
        "is_asked_for": False,
        "is_test": False,
        "recipient": "anna@example.com",
        "prio": 1,
        "due_at": NOW,
        "not_after": NOW + DAY,
        "attempt": 0,
        "message_ref": "x@y",
    }
    return Claimed(**{**defaults, **values})


def order(**values: Any) -> OrderFacts:
    defaults: dict[str, Any] = {
        "id": 7,
        "source_id": 2,
        "contact_id": 3,
        "ref": "r7",
        "number": "A7",
        "cart_ref": "",
        "status": "unpaid",
        "payment_state": "owed",
        "total": Decimal(100),
        "captured": Decimal(0),
        "placed_at": NOW - DAY,
        "promised_at": None,
        "paused_at": None,
        "claimed_until": None,
        "superseded_by_id": None,
        "duplicate_of_id": None,
        "is_backfill": False,
        "is_test": False,
        "shop_state": "pending",
        "stamp": "s",
    }
    return OrderFacts(**{**defaults, **values})


def cart(**values: Any) -> CartFacts:
    defaults: dict[str, Any] = {
        "id": 8,
        "source_id": 2,
        "contact_id": 3,
        "ref": "c8",
        "order_ref": "",
        "state": "abandoned",
        "last_activity_at": NOW - HOUR,
        "is_backfill": False,
        "stamp": "s",
    }
    return CartFacts(**{**defaults, **values})


def shop(**values: Any) -> ShopFacts:
    defaults: dict[str, Any] = {
        "live_since": LIVE,
        "is_silenced": False,
        "caps": Caps(),
        "quiet_hours": (),
        "zone": "UTC",
        "states": {5: "live"},
        "sources_live_since": {2: LIVE},
        "erased": set(),
        "zones": {},
        "consenting": set(),
        "objecting": set(),
        "suppressed": {},
    }
    return ShopFacts(**{**defaults, **values})


def sight(subject: OrderFacts | CartFacts | None = None, **values: Any) -> Sight:
    subject = subject or order()
    defaults: dict[str, Any] = {
        "cancel_reason": None,
        "gate": Gate(3, []),
        "order": subject if isinstance(subject, OrderFacts) else None,
        "cart": subject if isinstance(subject, CartFacts) else None,
        "hold": "",
    }
    return Sight(**{**defaults, **values})


def decide(about: Claimed, seen: Sight, of_shop: ShopFacts | None = None) -> Decision:
    return judge(about, seen, of_shop or shop(), stamp="s", now=NOW)


CART = {"order_id": None, "cart_id": 8, "message_class": "needs_consent"}
CONSENTING = {"consenting": {3}}


def test_an_unpaid_order_is_reminded_of() -> None:
    assert decide(message(), sight()) is SEND


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"payment_state": "paid"}, "paid"),
        ({"payment_state": "authorized"}, "paid"),
        ({"payment_state": "partly_refunded"}, "paid"),
        ({"payment_state": "refunded"}, "refunded"),
        ({"payment_state": "disputed"}, "order_closed"),
        ({"payment_state": "nothing_due"}, "order_closed"),
        ({"captured": Decimal(100)}, "paid"),
        ({"status": "cancelled"}, "order_cancelled"),
        ({"status": "false"}, "order_false"),
        ({"status": "completed"}, "order_closed"),
        ({"superseded_by_id": 99}, "superseded"),
        ({"is_paid_by_another": True}, "superseded"),
        ({"duplicate_of_id": 99}, "duplicate"),
        ({"has_newer_twin": True}, "duplicate"),
        ({"is_backfill": True}, "backfill"),
        ({"is_test": True}, "test_order"),
        ({"placed_at": LIVE - HOUR}, "before_live"),
        ({"reminders": 3}, "order_cap"),
        ({"sent_by_hand": [9]}, "sent_by_hand"),
    ],
)
def test_what_is_true_of_the_order_ends_its_reminder(facts: dict[str, Any], reason: str) -> None:
    assert decide(message(), sight(order(**facts))) == Decision("cancel", reason)


@pytest.mark.parametrize(
    "facts",
    [
        {"payment_state": "partly_paid", "captured": Decimal(40)},
        {"payment_state": "failed"},
        {"payment_state": "on_hold"},
        {"status": "in_work"},
        {"status": "awaiting_payment"},
        {"promised_at": NOW - HOUR},
        {"claimed_until": NOW - HOUR},
        {"reminders": 2},
        {"sent_by_hand": [10]},
    ],
)
def test_what_still_owes_is_reminded_of(facts: dict[str, Any]) -> None:
    assert decide(message(), sight(order(**facts))) is SEND


@pytest.mark.parametrize(
    ("facts", "reason", "until"),
    [
        ({"promised_at": NOW + 3 * HOUR}, "promised", NOW + 3 * HOUR),
        ({"paused_at": NOW - HOUR}, "paused", NOW + 15 * MINUTE),
        ({"shop_state": "unknown"}, "unknown_status", NOW + 15 * MINUTE),
        ({"claimed_until": NOW + 2 * HOUR}, "claimed", NOW + 2 * HOUR),
    ],
)
def test_a_held_order_is_looked_at_again_and_given_up_when_that_is_too_late(
    facts: dict[str, Any], reason: str, until: datetime
) -> None:
    seen = sight(order(**facts))

    assert decide(message(), seen) == Decision("wait", reason, until)
    assert decide(message(not_after=until), seen) == Decision("cancel", reason)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"state": "converted"}, "cart_converted"),
        ({"state": "emptied"}, "cart_emptied"),
        ({"state": "expired"}, "cart_expired"),
        ({"has_order_since": True}, "ordered_since"),
        ({"is_backfill": True}, "backfill"),
        ({"last_activity_at": LIVE - HOUR}, "before_live"),
    ],
)
def test_what_is_true_of_the_cart_ends_its_reminder(facts: dict[str, Any], reason: str) -> None:
    assert decide(message(**CART), sight(cart(**facts)), shop(**CONSENTING)) == Decision("cancel", reason)


@pytest.mark.parametrize("state", ["open", "abandoned"])
def test_a_cart_left_behind_is_reminded_of_with_consent_alone(state: str) -> None:
    seen = sight(cart(state=state))

    assert decide(message(**CART), seen, shop(**CONSENTING)) is SEND
    assert decide(message(**CART), seen, shop()) == Decision("cancel", "no_consent")
    assert decide(message(**CART, is_asked_for=True), seen, shop()) is SEND


@pytest.mark.parametrize(
    ("scope", "stops_order", "stops_cart", "stops_asked_for"),
    [("all", True, True, True), ("reminders", True, True, False), ("marketing", False, True, False)],
)
def test_suppression_stops_by_scope(
    scope: str, stops_order: bool, stops_cart: bool, stops_asked_for: bool
) -> None:
    of_shop = shop(suppressed={"anna@example.com": {scope}}, **CONSENTING)

    stopped = [
        decide(message(), sight(), of_shop) == Decision("cancel", "suppressed"),
        decide(message(**CART), sight(cart()), of_shop) == Decision("cancel", "suppressed"),
        decide(message(is_asked_for=True), sight(), of_shop) == Decision("cancel", "suppressed"),
    ]

    assert stopped == [stops_order, stops_cart, stops_asked_for]


@pytest.mark.parametrize(
    ("about", "of_shop", "expected"),
    [
        ({"not_after": NOW}, {}, Decision("cancel", "expired")),
        ({}, {"states": {5: "stopped"}}, Decision("cancel", "stopped")),
        ({}, {"states": {5: "paused"}}, Decision("wait", "source_paused", NOW + 5 * MINUTE)),
        ({}, {"erased": {3}}, Decision("cancel", "erased")),
        ({"recipient": ""}, {}, Decision("cancel", "no_address")),
        ({"is_test": True}, {}, Decision("cancel", "test_mode")),
        ({}, {"live_since": None}, Decision("cancel", "test_mode")),
        ({}, {"is_silenced": True}, Decision("wait", "silenced", NOW + MINUTE)),
        ({}, {"sources_live_since": {2: NOW}}, Decision("cancel", "before_live")),
    ],
)
def test_shop_source_and_person_forbid(
    about: dict[str, Any], of_shop: dict[str, Any], expected: Decision
) -> None:
    assert decide(message(**about), sight(), shop(**of_shop)) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({"cancel_reason": "taken_over"}, Decision("cancel", "taken_over")),
        ({"cancel_reason": ""}, Decision("cancel", "cancelled")),
        ({"gate": None}, Decision("wait", "busy", NOW + MINUTE / 30)),
        ({"order": None}, Decision("wait", "busy", NOW + MINUTE / 30)),
        ({"hold": "payment_news"}, Decision("wait", "payment_news", NOW + MINUTE / 4)),
        ({"hold": "intake_unreadable"}, Decision("wait", "intake_unreadable", NOW + MINUTE)),
    ],
)
def test_what_was_seen_of_the_message_itself(seen: dict[str, Any], expected: Decision) -> None:
    assert decide(message(), replace(sight(), **seen)) == expected


def test_a_text_made_from_what_has_changed_is_made_anew() -> None:
    assert decide(message(), sight(order(stamp="t"))) == Decision("wait", "changed", NOW)


def test_caps_and_quiet_hours_put_off() -> None:
    reminded_twice = sight(gate=Gate(3, [NOW - 2 * HOUR, NOW - HOUR]))
    night = shop(quiet_hours=(Quiet(time(0), time(23)),))

    capped, quiet = decide(message(), reminded_twice), decide(message(), sight(), night)

    assert capped == Decision("wait", "cap", NOW + 22 * HOUR)
    assert (quiet.what, quiet.reason) == ("wait", "quiet_hours")
    assert decide(message(not_after=NOW + HOUR), reminded_twice) == Decision("cancel", "cap")
    assert decide(message(not_after=NOW + HOUR), sight(), night) == Decision("cancel", "quiet_hours")


def test_what_the_buyer_asked_for_or_a_person_sends_is_not_held_but_never_goes_to_the_paid() -> None:
    held = order(
        paused_at=NOW, claimed_until=NOW + HOUR, promised_at=NOW + HOUR, reminders=9, sent_by_hand=[9]
    )
    tired = Gate(3, [NOW - HOUR] * 5)
    night = shop(quiet_hours=(Quiet(time(0), time(23)),))
    for about in (message(is_asked_for=True), message(manual_key="k")):
        assert decide(about, sight(held, gate=tired), night) is SEND
        assert decide(about, sight(order(payment_state="paid"))) == Decision("cancel", "paid")
        assert decide(about, sight(hold="payment_news")).reason == "payment_news"


def test_thanks_go_to_the_paid_and_to_nobody_who_wants_nothing() -> None:
    thanks = message(purpose=Message.Purpose.THANKS)
    paid = order(payment_state="paid", status="completed", captured=Decimal(100))

    assert decide(thanks, sight(paid)) is SEND
    assert (
        decide(thanks, sight(paid), shop(suppressed={"anna@example.com": {"reminders"}})).reason
        == "suppressed"
    )
    assert decide(thanks, sight(replace(paid, is_backfill=True))) == Decision("cancel", "backfill")


def test_what_advertises_after_a_payment_rests_at_night_and_counts_among_what_a_person_gets() -> None:
    news = message(purpose=Message.Purpose.THANKS, message_class="soft_opt_in")
    paid = order(payment_state="paid", status="completed", captured=Decimal(100))
    night = shop(quiet_hours=(Quiet(time(0), time(23)),))
    seen = sight(paid)

    note_passed(news, seen, shop(), NOW)

    assert decide(news, sight(paid)) is SEND
    assert decide(news, sight(paid), night).reason == "quiet_hours"
    assert decide(news, sight(paid, gate=Gate(3, [NOW - HOUR] * 2))).reason == "cap"
    assert seen.gate is not None
    assert seen.order is not None
    assert (seen.gate.recent, seen.order.reminders) == ([NOW], 0)


def test_messages_earlier_in_the_batch_count() -> None:
    shared = Gate(3, [NOW - HOUR])
    first, second = sight(order(reminders=2), gate=shared), sight(order(id=8), gate=shared)

    note_passed(message(), first, shop(), NOW)

    assert decide(message(id=2, order_id=8), second).reason == "cap"
    assert decide(message(id=3), first) == Decision("cancel", "order_cap")


UNHEARD = {"learnt_at": NOW - DAY}


@pytest.mark.parametrize(
    ("of_order", "about", "reason"),
    [
        (UNHEARD, {}, "source_silent"),
        (UNHEARD | {"asked_at": NOW - HOUR}, {}, "source_silent"),
        (UNHEARD | {"asked_at": NOW - HOUR + MINUTE}, {}, ""),
        ({"learnt_at": NOW - MINUTE}, {}, ""),
        (UNHEARD | {"version_learnt_at": NOW - MINUTE}, {}, ""),
        (UNHEARD | {"source_id": 3}, {}, ""),
        (UNHEARD | {"reminders": 1}, {}, ""),
        (UNHEARD | {"reminders": 1}, {"is_resent": True, "handed_at": NOW - MINUTE}, "source_silent"),
        (UNHEARD, {"manual_key": "k"}, "source_silent"),
        (UNHEARD | {"ask_failures": 1}, {"manual_key": "k"}, ""),
        (UNHEARD | {"ask_failures": 1}, {}, "source_silent"),
        (UNHEARD, {"is_asked_for": True}, ""),
        (UNHEARD, {"purpose": "thanks"}, ""),
        (UNHEARD | {"paused_at": NOW}, {}, "paused"),
    ],
)
def test_a_shop_is_asked_before_the_first_reminder_of_an_order_not_heard_of_for_an_hour(
    of_order: dict[str, Any], about: dict[str, Any], reason: str
) -> None:
    of_shop = shop(askable={2}, sources_live_since={2: LIVE, 3: LIVE})

    assert decide(message(**about), sight(order(**of_order)), of_shop).reason == reason


def test_a_reminder_whose_shop_stays_silent_ends_with_that_for_a_reason() -> None:
    late, last, over = (
        decide(message(not_after=NOW + rest), sight(order(**UNHEARD)), shop(askable={2}))
        for rest in (HOUR, MINUTE, MINUTE / 6)
    )

    assert late == Decision("wait", "source_silent", NOW + 15 * MINUTE)
    assert last == Decision("wait", "source_silent", NOW + MINUTE * 5 / 6)
    assert over == Decision("cancel", "source_silent")


@pytest.mark.parametrize("about", [{"is_asked_for": True}, {"purpose": "thanks"}])
def test_what_was_asked_for_and_thanks_do_not_count(about: dict[str, Any]) -> None:
    seen = sight()

    note_passed(message(**about), seen, shop(), NOW)

    assert seen.gate is not None
    assert seen.order is not None
    assert (seen.gate.recent, seen.order.reminders) == ([], 0)


@pytest.mark.parametrize(
    ("message_class", "facts", "expected"),
    [
        ("contract", {}, ""),
        ("soft_opt_in", {}, ""),
        ("soft_opt_in", {"objecting": {3}}, "suppressed"),
        ("soft_opt_in", {"objecting": {4}}, ""),
        ("soft_opt_in", {"suppressed": {"anna@example.com": {"marketing"}}}, "suppressed"),
        ("contract", {"suppressed": {"anna@example.com": {"marketing"}}}, ""),
        ("needs_consent", {}, "no_consent"),
        ("needs_consent", {"consenting": {3}}, ""),
        (
            "needs_consent",
            {"consenting": {3}, "suppressed": {"anna@example.com": {"marketing"}}},
            "suppressed",
        ),
        ("forbidden", {"consenting": {3}}, "forbidden"),
    ],
)
@pytest.mark.parametrize("is_ruled_anew", [False, True])
def test_each_class_asks_for_what_it_needs(
    message_class: str, facts: dict[str, Any], expected: str, is_ruled_anew: bool
) -> None:
    about = message(message_class="contract" if is_ruled_anew else message_class)
    seen = sight(message_class=message_class if is_ruled_anew else "")

    assert decide(about, seen, shop(**facts)) == (Decision("cancel", expected) if expected else SEND)


@pytest.mark.parametrize(
    ("message_class", "content", "facts", "expected"),
    [
        ("needs_consent", "cart", {"consenting": {3}}, ""),
        ("needs_consent", "advertising", {"consenting": {3}}, "no_consent"),
        ("needs_consent", "contract", {"consenting": {3}}, "no_consent"),
        ("needs_consent", "advertising", {"consenting": {3}, "wanting_offers": {3}}, ""),
        (
            "needs_consent",
            "cart",
            {"consenting": {3}, "wanting_offers": {3}, "refusing_carts": {3}},
            "no_consent",
        ),
        (
            "needs_consent",
            "advertising",
            {"consenting": {3}, "wanting_offers": {3}, "refusing_carts": {3}},
            "",
        ),
        ("soft_opt_in", "cart", {"refusing_carts": {3}}, "no_consent"),
        ("soft_opt_in", "cart", {"refusing_carts": {4}}, ""),
        ("soft_opt_in", "advertising", {"refusing_carts": {3}}, ""),
        ("contract", "contract", {"refusing_carts": {3}, "objecting": {3}}, ""),
    ],
)
def test_a_word_on_carts_is_no_word_on_offers(
    message_class: str, content: str, facts: dict[str, Any], expected: str
) -> None:
    about = message(message_class=message_class, content=content)

    assert decide(about, sight(), shop(**facts)) == (Decision("cancel", expected) if expected else SEND)


def test_what_the_buyer_asked_for_needs_no_consent_by_any_rule() -> None:
    for message_class in ("soft_opt_in", "needs_consent", "forbidden"):
        assert decide(message(message_class=message_class, is_asked_for=True), sight()) is SEND


def test_a_person_abroad_rests_by_the_clock_of_their_country() -> None:
    night = {"quiet_hours": (Quiet(time(21), time(8)),), "zone": "Europe/Warsaw", "country": "PL"}

    at_home, in_japan = (
        decide(message(), sight(), shop(**night, countries={3: one})) for one in ("PL", "JP")
    )

    assert (at_home.what, in_japan.reason) == ("send", "quiet_hours")


def test_what_is_true_on_its_day_alone_ends_with_the_day() -> None:
    night = shop(quiet_hours=(Quiet(time(0), time(23)),))
    today = {"not_after": NOW + HOUR, "day_ends_at": NOW + HOUR}

    assert decide(message(**today), sight(), night) == Decision("cancel", "day_over")
    assert decide(message(not_after=NOW, day_ends_at=NOW), sight()) == Decision("cancel", "day_over")
    # Its span ended before its day did: that is why.
    assert decide(message(not_after=NOW, day_ends_at=NOW + HOUR), sight()) == Decision("cancel", "expired")
