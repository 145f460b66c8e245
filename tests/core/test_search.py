"""Search tokens: what is typed finds what is kept, in any case, with or without diacritics."""

import pytest

from recoup.core.search import MOST, query_tokens, tokens


def finds(query: str, *texts: str) -> bool:
    wanted = query_tokens(query)
    return bool(wanted) and set(wanted) <= set(tokens(*texts))


@pytest.mark.parametrize(
    "query",
    [
        "łucja", "LUCJA", "luc", "Kowalska", "nowak kowal", "Nowak-Kowalska", "nowak.", "łucja.nowak@exam",
        "lucja.nowak@example.com", "+48600100200", "600100200", "600100", "ёлка", "елка", "ORD-2026-0001234",
    ],
)  # fmt: skip
def test_it_is_found(query: str) -> None:
    kept = (
        "ORD-2026-0001234",
        "Łucja Nowak-Kowalska",
        "lucja.nowak@example.com",
        "+48600100200",
        "Ёлка, большая",
    )

    assert finds(query, *kept)


@pytest.mark.parametrize("query", ["anna", "x", "", "@", "lucjax", "nowak anna", "ORD-2026-0001235"])
def test_it_is_not_found(query: str) -> None:
    assert not finds(query, "ORD-2026-0001234", "Łucja Nowak", "lucja@example.com")


def test_a_very_long_word_is_found_while_it_is_typed() -> None:
    address = "konstantynopolitanczykowianeczka@example.com"

    assert all(finds(address[:length], address) for length in range(2, len(address) + 1))


def test_many_goods_push_no_buyer_out() -> None:
    goods = [f"product{number} number{number} colour{number}" for number in range(300)]

    kept = tokens("1001", "Zofia Żak", "zofia@example.com", *goods)

    assert {"1001", "zofia", "zak", "zofia@example.com"} <= set(kept)
    assert len(kept) == MOST
    assert kept == sorted(set(kept))
