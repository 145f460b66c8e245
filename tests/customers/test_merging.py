"""Two contacts that a person says are one, or two (T42): what follows, what stays in force, what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.activity import Actor
from recoup.core.models import Activity
from recoup.customers import handlers as customers
from recoup.customers.actions import Consent, recognise, record_consent, suppress, touch_gates
from recoup.customers.events import CustomerMerged
from recoup.customers.listing import ContactFilter, list_customers
from recoup.customers.merging import FOLLOWING, MergeRefused, merge_contacts, tell_apart
from recoup.customers.models import (
    ConsentEvent,
    Contact,
    ContactGate,
    ContactIdentity,
    MergeSuggestion,
    Suppression,
)
from recoup.customers.queries import find_consent, find_contact, suppression_scopes
from recoup.messaging.models import Message
from recoup.orders.models import Cart, Order
from recoup.processes.entering import enrol_cases
from recoup.processes.models import Enrolment
from recoup.recovery import handlers as recovery
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop, ShopOwned
from recoup.shops.snapshots import PersonSnapshot
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
CLERK = Actor("person", 7)


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    set_clock(NOW)
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def suggest(one: Contact, other: Contact, **values: Any) -> MergeSuggestion:
    first, second = sorted((one, other), key=lambda contact: contact.pk)
    suggestion = MergeSuggestion(
        **{"shop": one.shop, "first": first, "second": second, "why": "look_alike", "made_at": NOW, **values}
    )
    suggestion.save(force_insert=True)
    return suggestion


def merge(kept: Contact, gone: Contact) -> Contact:
    return merge_contacts(kept, gone, actor=CLERK, now=NOW)


def states() -> list[tuple[int, int, str]]:
    return list(MergeSuggestion.objects.order_by("first", "second").values_list("first", "second", "state"))


def word(contact: Contact, *, is_given: bool, at: Any = NOW, purpose: str = "marketing") -> None:
    record_consent(contact, [Consent(purpose, is_given=is_given, source="form", at=at)], now=NOW)


def test_everything_of_the_one_who_goes_is_of_the_one_who_stays(shop: Shop) -> None:
    kept = make_contact(shop, email="anna@example.com", name="", first_seen_at=NOW - DAY, notes="Calls back.")
    gone = make_contact(
        shop, email="аnna@example.com", name="Anna Nowak", phone="+48600100200", notes="Likes tea."
    )
    before = make_contact(shop, email="", merged_into=gone)
    make_cart(shop, contact=gone)
    message = make_message(make_order(shop, contact=gone))
    word(gone, is_given=True)
    suggestion = suggest(kept, gone)

    merge(kept, gone)

    tables = (Order, Cart, Message, ConsentEvent, ContactIdentity)
    assert [set(table.objects.values_list("contact", flat=True)) for table in tables] == [{kept.pk}] * 5
    kept.refresh_from_db()
    assert (kept.name, kept.email, kept.phone) == ("Anna Nowak", "anna@example.com", "+48600100200")
    assert (kept.notes, kept.first_seen_at) == ("Calls back.\n\nLikes tea.", NOW - 30 * DAY)
    assert set(Contact.objects.filter(pk__in=[gone.pk, before.pk]).values_list("merged_into", flat=True)) == {
        kept.pk
    }
    assert states() == [(suggestion.first_id, suggestion.second_id, "merged")]
    assert list(
        Activity.objects.values_list("verb", "subject_kind", "subject_id", "actor_id", "details")
    ) == [("customers.contact.merged", "contact", kept.pk, 7, {"gone_id": gone.pk})]
    message.refresh_from_db()
    assert (message.state, message.recipient) == ("due", "аnna@example.com")


def test_cases_and_enrolments_follow_too(shop: Shop) -> None:
    kept, gone = make_contact(shop), make_contact(shop)
    order = make_order(shop, contact=gone, status="unpaid", unpaid_at=NOW)
    make_process(shop)
    enrol_cases([opened(make_case(order))])

    merge(kept, gone)
    outbox.dispatch()

    assert [one.contact_id for one in Enrolment.objects.all()] == [kept.pk]
    assert [one.contact_id for one in RecoveryCase.objects.all()] == [kept.pk]


def test_news_of_merges_in_any_order_lead_to_who_stays_in_the_end(shop: Shop) -> None:
    first, second, third = (make_contact(shop) for _ in range(3))
    make_case(make_order(shop, contact=first))
    news = [
        CustomerMerged(shop.pk, kept.pk, gone.pk, NOW) for gone, kept in ((first, second), (second, third))
    ]
    merge(second, first)
    merge(third, second)
    late = make_order(shop, contact=first)  # came in the moment of the first merge

    for one in reversed(news):
        recovery.follow_merged([one])
        customers.follow_merged([one])

    late.refresh_from_db()
    assert [one.contact_id for one in RecoveryCase.objects.all()] == [third.pk]
    assert late.contact_id == third.pk


def test_what_was_paid_as_the_other_is_not_reminded_any_more(shop: Shop) -> None:
    kept, gone = make_contact(shop), make_contact(shop)
    owed = make_order(shop, contact=gone, status="unpaid", unpaid_at=NOW, placed_at=NOW - 2 * DAY)
    make_case(owed)
    make_order(shop, contact=kept, paid_at=NOW - HOUR)

    merge(kept, gone)
    outbox.dispatch()

    owed.refresh_from_db()
    assert (owed.status, owed.cancel_reason) == ("cancelled", "superseded")
    assert RecoveryCase.objects.get().outcome == "superseded"


def test_no_table_that_names_a_person_is_forgotten() -> None:
    # The gate stays with the message that a sender holds; suggestions and cases are led over in their own way.
    own_way = {
        "customers_contactgate",
        "customers_mergesuggestion",
        "customers_contact",
        "recovery_recoverycase",
    }
    naming = {
        model._meta.db_table
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is Contact or (field.attname == "contact_id" and issubclass(model, ShopOwned))
    }

    assert naming - own_way == set(FOLLOWING)


@pytest.mark.parametrize("is_kept_strict", [True, False])
def test_a_consent_taken_back_by_either_stays_taken_back(shop: Shop, *, is_kept_strict: bool) -> None:
    kept, gone = make_contact(shop), make_contact(shop)
    strict, other = (kept, gone) if is_kept_strict else (gone, kept)
    word(strict, is_given=True, at=NOW - 3 * DAY)
    word(strict, is_given=False, at=NOW - 2 * DAY)
    word(other, is_given=True, at=NOW - DAY)
    word(other, is_given=True, at=NOW - DAY, purpose="cart_reminder")

    merge(kept, gone)

    assert find_consent(kept, purposes=["marketing"], at=NOW) is None
    assert find_consent(kept, purposes=["cart_reminder"], at=NOW) is not None
    assert ConsentEvent.objects.filter(source="merged").count() == 1


def test_who_unsubscribed_as_one_gets_nothing_as_the_other_and_a_dead_mailbox_says_nothing_of_another(
    shop: Shop,
) -> None:
    kept, gone = make_contact(shop, email="a@example.com"), make_contact(shop, email="b@example.com")
    suppress(shop.pk, "b@example.com", scope="reminders", reason="unsubscribed", now=NOW - DAY)
    suppress(shop.pk, "b@example.com", scope="all", reason="bounced", now=NOW)

    merge(kept, gone)

    assert suppression_scopes(shop.pk, "a@example.com") == {"reminders"}
    assert suppression_scopes(shop.pk, "b@example.com") == {"reminders", "all"}
    assert set(Suppression.objects.filter(scope="reminders").values_list("since", flat=True)) == {NOW - DAY}


def test_a_stop_to_short_messages_holds_for_every_number_of_the_person(shop: Shop) -> None:
    kept = make_contact(shop, email="a@example.com", phone="+48500100200")
    gone = make_contact(shop, email="b@example.com", phone="+48500100300")
    suppress(shop.pk, gone.phone, scope="all", reason="unsubscribed", now=NOW, channel="sms")

    merge(kept, gone)

    assert suppression_scopes(shop.pk, "+48500100200", channel="sms") == {"all"}
    assert suppression_scopes(shop.pk, "a@example.com") == set()


def test_the_caps_count_what_either_was_sent(shop: Shop) -> None:
    kept, gone = make_contact(shop), make_contact(shop)
    ContactGate.objects.filter(contact=kept).update(recent=[NOW - 3 * HOUR, NOW - HOUR])
    ContactGate.objects.filter(contact=gone).update(recent=[NOW - 2 * HOUR])

    merge(kept, gone)

    assert ContactGate.objects.get(contact=kept).recent == [NOW - 3 * HOUR, NOW - 2 * HOUR, NOW - HOUR]


def test_writers_close_the_gate_that_a_sender_holds_since_before_the_merge(shop: Shop) -> None:
    kept, gone = make_contact(shop), make_contact(shop)
    merge(kept, gone)
    was = {gate.pk: gate.changes for gate in ContactGate.objects.all()}

    touch_gates([kept.pk])
    touch_gates([gone.pk])

    assert {gate.pk: gate.changes - was[gate.pk] for gate in ContactGate.objects.all()} == {
        kept.pk: 2,
        gone.pk: 2,
    }


def test_both_addresses_lead_to_the_one_who_stays(shop: Shop) -> None:
    kept, gone = make_contact(shop, email="a@example.com"), make_contact(shop, email="zofia@example.com")

    merge(kept, gone)
    seen = recognise(
        shop, PersonSnapshot(email="zofia@example.com", phone="+48600100200"), source_id=1, now=NOW
    )

    assert (seen, find_contact(shop.pk, email="zofia@example.com")) == (kept, kept)
    assert [one.pk for one in list_customers(shop, ContactFilter("zofia")).rows] == [kept.pk]
    assert list_customers(shop, ContactFilter("a@example.com")).rows == [kept]


def test_merging_is_refused_with_oneself_twice_and_after_erasure(shop: Shop) -> None:
    kept, gone, third = make_contact(shop), make_contact(shop), make_contact(shop)
    erased = make_contact(shop, erased_at=NOW)
    apart = suggest(kept, third)
    tell_apart(apart, actor=CLERK, now=NOW)
    merge(kept, gone)
    order = make_order(shop, contact=third)

    refused = []
    for one, other in [
        (kept, kept),
        (kept, gone),
        (gone, kept),
        (third, gone),
        (kept, erased),
        (kept, third),
    ]:
        with pytest.raises(MergeRefused) as caught:
            merge(one, other)
        refused.append(caught.value.reason)

    assert refused == ["itself", "merged", "merged", "merged", "erased", "told_apart"]
    order.refresh_from_db()
    assert order.contact_id == third.pk
    assert Contact.objects.filter(merged_into=None).count() == 3


def test_contacts_of_two_shops_are_never_merged(shop: Shop) -> None:
    kept, foreign = make_contact(shop), make_contact(make_shop())

    with pytest.raises(ValueError, match="two shops"):
        merge(kept, foreign)

    assert not Contact.objects.exclude(merged_into=None).exists()


def test_two_people_told_apart_are_never_suggested_again(shop: Shop) -> None:
    recognise(shop, PersonSnapshot(email="mike@example.com", phone="+48600100200"), source_id=1, now=NOW)
    recognise(shop, PersonSnapshot(email="mike+a@example.com"), source_id=1, now=NOW)
    suggestion = MergeSuggestion.objects.get()

    tell_apart(suggestion, actor=CLERK, now=NOW)
    recognise(shop, PersonSnapshot(email="mike+a@example.com", phone="+48600100200"), source_id=1, now=NOW)

    assert states() == [(suggestion.first_id, suggestion.second_id, "refused")]
    assert list(Activity.objects.order_by("subject_id").values_list("verb", "subject_id")) == [
        ("customers.contact.told_apart", pk) for pk in (suggestion.first_id, suggestion.second_id)
    ]
    with pytest.raises(MergeRefused, match="decided"):
        tell_apart(suggestion, actor=CLERK, now=NOW)


def test_suggestions_with_others_are_led_over_and_a_refusal_holds(shop: Shop) -> None:
    kept, gone, open_one, known, apart = (make_contact(shop) for _ in range(5))
    suggest(kept, gone)
    suggest(gone, open_one)
    suggest(gone, known)
    suggest(kept, known)
    suggest(gone, apart, state="refused")
    suggest(kept, apart)

    merge(kept, gone)

    assert states() == [
        (kept.pk, gone.pk, "merged"),
        (kept.pk, open_one.pk, "open"),
        (kept.pk, known.pk, "open"),
        (kept.pk, apart.pk, "refused"),
    ]
    doubles = list_customers(shop, ContactFilter(may_be_doubles=True))
    assert [one.pk for one in doubles.rows] == [known.pk, open_one.pk, kept.pk]


def test_the_list_of_doubles_goes_by_the_index_of_what_is_open(shop: Shop) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT first_id FROM customers_mergesuggestion WHERE shop_id = %s AND state = 'open'",
            [shop.pk],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "customers_suggestion_open" in plan
