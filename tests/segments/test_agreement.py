"""SQL and Python answer every condition alike, over random people, orders and carts."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django_scopes import scopes_disabled
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from recoup.customers.actions import suppress
from recoup.customers.models import Contact
from recoup.orders.models import Cart, Order
from recoup.processes.at_doors import known_at_doors
from recoup.processes.engine.records import Facts
from recoup.segments import to_python, to_sql
from recoup.segments.facts import NOBODY, ContactFacts, Need, Subject
from recoup.segments.fields import FIELDS
from recoup.segments.reading import people_of
from recoup.segments.to_python import compile_test
from recoup.segments.to_sql import TABLES, compile_sql
from recoup.segments.tree import Tree, read_condition
from recoup.shops.models import Shop, Source
from tests.factories.moments import NOW
from tests.factories.people import make_contact
from tests.factories.shops import make_shop, make_source
from tests.segments.worlds import World, make_world, trees, worlds
from tests.support.sizes import how_many

EVERYTHING = ~Need(0)
ZONE = "Europe/Warsaw"
pytestmark = [pytest.mark.django_db, pytest.mark.faults]
quietly = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


def facts_by_key(shop: Shop, subject: Subject) -> dict[int, Facts]:
    """Return what the engine would know of every row."""
    if subject is Subject.PERSON:
        people = list(Contact.objects.filter(shop=shop))
        more = people_of([(shop.pk, one.pk) for one in people], EVERYTHING)
        return {
            one.pk: Facts(contact=ContactFacts(one.time_zone, one.locale, ZONE), person=more[one.pk])
            for one in people
        }
    rows: Any = Order if subject is Subject.ORDER else Cart
    kind = "order" if subject is Subject.ORDER else "cart"
    comers = [(kind, one.pk, shop.pk, one.contact_id or 0) for one in rows.objects.filter(shop=shop)]
    found = known_at_doors(comers, EVERYTHING)
    return {
        key: found[kind, key] if contact_id else found[kind, key]._replace(person=None)
        for _, key, _, contact_id in comers
    }


def keys_by_sql(shop: Shop, subject: Subject, tree: Tree) -> set[int]:
    """Return the keys of the rows that the database finds."""
    found = compile_sql(tree, subject, shop_id=shop.pk, shop_zone=ZONE, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT r.id FROM {TABLES[subject]} r WHERE {found.text}", found.params)
        return {key for (key,) in cursor.fetchall()}


def disagreements(shop: Shop, source: Source, world: World, raws: dict[Subject, list[Any]]) -> list[Any]:
    """Return the conditions that the two answer differently."""
    found = []
    with scopes_disabled(), transaction.atomic():
        make_world(shop, source, world)
        for subject, conditions in raws.items():
            facts = facts_by_key(shop, subject)
            for raw in conditions:
                tree = read_condition(raw, subject)
                holds = compile_test(tree)
                by_python = {key for key, known in facts.items() if holds(known, NOW)}
                if by_python != keys_by_sql(shop, subject, tree):
                    found.append(raw)
        transaction.set_rollback(True)
    return found


conditions = st.fixed_dictionaries(
    {subject: st.lists(trees(subject), min_size=4, max_size=12) for subject in Subject}
)


def agreement(
    examples: int, *, phases: Sequence[Phase] = tuple(Phase), raws: Any = conditions
) -> Callable[[Shop, Source], None]:
    """Return the property as a function of a shop, so that it can be run with something broken too."""

    def check(shop: Shop, source: Source) -> None:
        @settings(quietly, max_examples=examples, database=None, phases=phases)
        @given(world=worlds, raws=raws)
        def ask(world: World, raws: dict[Subject, list[Any]]) -> None:
            assert disagreements(shop, source, world, raws) == []

        ask()

    return check


def _place() -> tuple[Shop, Source, Shop]:
    shop = make_shop(time_zone=ZONE)
    source = make_source(shop)
    other = make_shop()
    return shop, source, other


def test_sql_and_python_agree() -> None:
    shop, source, _ = _place()

    agreement(how_many(40, 400))(shop, source)


@override_settings(ADDRESS_KEY="k" * 100)  # one line of the key's file may be as long as anybody likes
def test_who_is_suppressed_is_found_with_a_long_key_too() -> None:
    shop, _, _ = _place()
    with scopes_disabled():
        anna = make_contact(shop, email="anna@example.com")
        make_contact(shop, email="olga@example.com")
        suppress(shop.pk, "anna@example.com", scope="all", reason="unsubscribed", now=NOW)
        tree = read_condition({"f": "contact.is_suppressed", "op": "=", "v": True}, Subject.PERSON)

        assert keys_by_sql(shop, Subject.PERSON, tree) == {anna.pk}


BREAKS: dict[str, tuple[Any, str, Any]] = {
    "an ordering of Python": (to_python._ORDERINGS, "<=", operator.lt),
    "two values below a not": (to_sql, "_two_valued", lambda found: found),
    "a fact of SQL": (
        FIELDS,
        "contact.paid_count",
        FIELDS["contact.paid_count"]._replace(sql=FIELDS["contact.order_count"].sql),
    ),
}


def a_number(op: str) -> Any:
    """Return conditions that order a number by one operator, below random worlds."""
    return st.integers(0, 2).map(
        lambda value: {Subject.PERSON: [{"f": "contact.paid_count", "op": op, "v": value}]}
    )


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_operator_is_found(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, source, _ = _place()
    where, name, broken = BREAKS[what]
    if isinstance(where, dict):
        monkeypatch.setitem(where, name, broken)
    else:
        monkeypatch.setattr(where, name, broken)

    # The condition that it breaks is asked at once; that random trees hold it is for `test_sql_and_python_agree`.
    about = {"contact.paid_count": a_number(">="), "<=": a_number("<=")}.get(name, conditions)

    with pytest.raises((AssertionError, ExceptionGroup)):
        agreement(400, phases=[Phase.generate], raws=about)(shop, source)


def test_another_shop_is_behind_a_wall() -> None:
    shop, source, other = _place()
    with scopes_disabled():
        make_world(shop, source, World([], [], []))
        Contact.objects.create(shop=other, name="Theirs", first_seen_at=NOW)
        Contact.objects.create(shop=shop, name="Ours", first_seen_at=NOW)
        tree = read_condition({"not": {"f": "contact.paid_count", "op": ">", "v": 0}}, Subject.PERSON)

        found = keys_by_sql(shop, Subject.PERSON, tree)

        assert found == set(Contact.objects.filter(shop=shop).values_list("pk", flat=True))


def test_facts_of_nobody_are_missing() -> None:
    assert compile_test(read_condition({"f": "contact.paid_count", "op": "=", "v": 0}, Subject.PERSON))(
        Facts(person=NOBODY), NOW
    )
    assert not compile_test(read_condition({"f": "contact.paid_count", "op": "=", "v": 0}, Subject.PERSON))(
        Facts(), NOW
    )
