"""Every cell of the shipped table, as it is read off: c contract, s until refused, n needs consent."""

import pytest

from recoup.messaging.models import Message, SendingRule
from recoup.messaging.rules.book import CELLS, SHIPPED, Cell, RuleBook
from recoup.messaging.rules.kinds import Content, Relation
from recoup.messaging.rules.law import COUNTRIES, LAW

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
    change = SendingRule(**cell._asdict(), verdict="forbidden", was="soft_opt_in")

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
