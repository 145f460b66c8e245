"""Every cell of the shipped table, as it is read off: c contract, s until refused, n needs consent."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from recoup.messaging.models import Message, SendingRule
from recoup.messaging.rules.book import CELLS, SHIPPED, Cell, RuleBook, RuleHistory
from recoup.messaging.rules.kinds import Content, Relation
from recoup.messaging.rules.law import COUNTRIES, EARLIER, LAW
from tests.factories.moments import DAY, NOW

# Columns: an order that it is about, a customer who may refuse, neither.
TABLE = """
PL contract    c c n
PL cart        n n n
PL advertising n n n
DE contract    c c n
DE cart        n s n
DE advertising n s n
RU contract    c c n
RU cart        n n n
RU advertising n n n
GB contract    c c n
GB cart        s s n
GB advertising s s n
US contract    c c s
US cart        s s s
US advertising s s s
-- contract    c c n
-- cart        n n n
-- advertising n n n
"""
SIGNS = {"c": "contract", "s": "soft_opt_in", "n": "needs_consent"}
ROWS = [line.split() for line in TABLE.strip().splitlines()]
CASES = [
    (country.strip("-"), content, relation, SIGNS[sign])
    for country, content, *signs in ROWS
    for relation, sign in zip(("order", "customer", "neither"), signs, strict=True)
]


@pytest.mark.parametrize(("country", "content", "relation", "expected"), CASES)
def test_each_cell_of_the_table(country: str, content: str, relation: str, expected: str) -> None:
    assert RuleBook({}, has_ground=True).verdict(country, content, relation) == expected


def test_without_a_word_at_the_checkout_an_order_makes_nobody_a_customer() -> None:
    told = RuleBook({}, has_ground=True)

    changed = {
        cell: SHIPPED.verdict(*cell) for cell in CELLS if SHIPPED.verdict(*cell) != told.verdict(*cell)
    }

    assert changed == {("GB", content, "order"): "needs_consent" for content in ("cart", "advertising")}


def test_a_rule_of_the_shop_for_people_with_an_order_needs_no_word() -> None:
    cell = Cell("GB", "advertising", "order")
    change = SendingRule(**cell._asdict(), verdict="forbidden", was="soft_opt_in", changed_at=NOW)

    assert RuleBook({cell: change}).verdict(*cell) == "forbidden"


def test_the_table_has_every_cell_and_a_source_for_each() -> None:
    assert len(CASES) == len(CELLS) == len(COUNTRIES) * len(Content.values) * len(Relation.values)
    assert set(LAW) == {(country, content) for country in COUNTRIES for content in Content.values}
    assert all(len(str(law.source)) > 40 for law in LAW.values())


@pytest.mark.parametrize("country", ["", "AT", "FR", "XX", "KZ"])
@pytest.mark.parametrize("content", Content.values)
@pytest.mark.parametrize("relation", Relation.values)
def test_a_country_that_is_not_named_is_as_strict_as_an_unknown_one(
    country: str, content: str, relation: str
) -> None:
    assert SHIPPED.verdict(country, content, relation) == SHIPPED.verdict("", content, relation)


def test_nothing_is_as_lax_as_an_unknown_country_forbids() -> None:
    """The strict default is nowhere laxer than any named country."""
    order = ["contract", "soft_opt_in", "needs_consent", "forbidden"]
    for country, content, relation in CELLS:
        named, unknown = (SHIPPED.verdict(one, content, relation) for one in (country, ""))
        assert order.index(named) <= order.index(unknown)


@pytest.mark.parametrize("channel", ["sms", "push"])
def test_what_may_be_sent_until_refused_is_so_by_mail_alone(channel: str) -> None:
    for cell in CELLS:
        by_mail, other = SHIPPED.verdict(*cell), SHIPPED.verdict(*cell, channel=channel)
        assert other == (Message.MessageClass.NEEDS_CONSENT if by_mail == "soft_opt_in" else by_mail)


def test_a_rule_is_that_of_its_day() -> None:
    days = [date(2024, 11, 9), date(2024, 11, 10), date(1999, 1, 1)]
    books = [RuleHistory().at(datetime.combine(day, time(12), UTC)) for day in days]

    sources = [str(book.rule("PL", "cart", "neither").source) for book in books]

    assert ["Telecommunications Law" in source for source in sources] == [True, False, True]
    assert [str(book.rule("PL", "cart", "neither").since) for book in books[:2]] == [
        "2003-03-10",
        "2024-11-10",
    ]
    assert all(EARLIER[key][-1].since < LAW[key].since for key in EARLIER)


def test_of_those_that_have_begun_the_last_to_begin_is_in_force() -> None:
    cell = Cell("DE", "cart", "neither")

    def change(verdict: str, made: int, begins: int | None, **more: Any) -> SendingRule:
        from_day = None if begins is None else NOW + begins * DAY
        row = SendingRule(**cell._asdict(), verdict=verdict, changed_at=NOW + made * DAY, holds_from=from_day)
        for name, value in more.items():
            setattr(row, name, value)
        return row

    history = RuleHistory(
        [
            change("forbidden", 0, 10, pk=1),
            change("contract", 2, None, pk=2),
            change("soft_opt_in", 3, 4, pk=3, withdrawn_at=NOW + 3 * DAY),
            change("", 20, None, pk=4),
        ]
    )

    found = [history.at(NOW + at * DAY).rule(*cell) for at in (-1, 1, 2, 5, 10, 20)]

    wanted = ["needs_consent", "needs_consent", "contract", "contract", "forbidden", "needs_consent"]
    assert [rule.verdict for rule in found] == wanted
    assert [rule.is_own for rule in found] == [False, False, True, True, True, False]
    assert found[4].since == (NOW + 10 * DAY).date()
