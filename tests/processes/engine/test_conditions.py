"""Conditions over facts: every operator, and what is said about facts that do not exist."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from recoup.processes.engine.records import Facts
from recoup.segments.to_python import compile_test
from recoup.segments.tree import Condition
from tests.processes.worlds import PLACED, cart_facts, order_facts

ADAPTER: TypeAdapter[Any] = TypeAdapter(Condition)


def holds(raw: Any, facts: Facts) -> bool:
    """Tell whether a condition holds."""
    return compile_test(ADAPTER.validate_python(raw))(facts, PLACED)


@pytest.mark.parametrize(
    ("fact", "operator", "value", "expected"),
    [
        ("order.total", "=", "120", True),
        ("order.total", "=", 120.0, True),
        ("order.total", "!=", 120, False),
        ("order.total", "<", "120.01", True),
        ("order.total", "<=", 120, True),
        ("order.total", ">", 120, False),
        ("order.total", ">=", 120, True),
        ("order.total", "in", [1, "120.00"], True),
        ("order.total", "is_set", None, True),
        ("order.currency", "=", "PLN", True),
        ("order.currency", "in", ["EUR", "USD"], False),
        ("order.cause", "=", "soft", True),
        ("order.cause", "!=", "hard", True),
        ("order.is_offline", "=", False, True),
        ("order.is_paid", "=", False, True),
        ("contact.locale", "in", ["pl", "de"], True),
    ],
)
def test_comparison_with_an_order(fact: str, operator: str, value: Any, expected: bool) -> None:
    raw = {"f": fact, "op": operator} | ({} if value is None else {"v": value})

    assert holds(raw, order_facts()) is expected
    assert holds({"not": raw}, order_facts()) is not expected


@pytest.mark.parametrize("operator", ["=", "!=", "<", "<=", ">", ">=", "in", "is_set"])
def test_comparison_with_a_fact_that_does_not_exist_is_false_and_its_negation_true(operator: str) -> None:
    value: Any = {"in": [0], "is_set": None}.get(operator, 0)
    raw = {"f": "order.total", "op": operator} | ({} if value is None else {"v": value})

    assert holds(raw, cart_facts()) is False
    assert holds({"not": raw}, cart_facts()) is True


def test_unknown_cause_is_no_cause() -> None:
    facts = order_facts(cause="")

    assert holds({"f": "order.cause", "op": "is_set"}, facts) is False
    assert holds({"f": "order.cause", "op": "!=", "v": "soft"}, facts) is False


def test_all_any_and_not() -> None:
    yes, no = {"f": "order.total", "op": ">", "v": 1}, {"f": "order.total", "op": "<", "v": 1}
    facts = order_facts()

    assert [holds({"all": pair}, facts) for pair in ([yes, yes], [yes, no])] == [True, False]
    assert [holds({"any": pair}, facts) for pair in ([yes, no], [no, no])] == [True, False]
    assert holds({"not": {"all": [yes, {"any": [no, {"not": yes}]}]}}, facts) is True


def test_amounts_are_compared_exactly() -> None:
    facts = order_facts(total="0.30")

    assert holds({"f": "order.total", "op": "=", "v": 0.3}, facts) is True
    assert (
        holds({"f": "order.total", "op": "=", "v": "0.1"}, order_facts(total="0.1000000000000000055"))
        is False
    )


def test_paid_order_is_paid() -> None:
    facts = order_facts(paid_at=PLACED, total_due=Decimal(0))

    assert holds({"f": "order.is_paid", "op": "=", "v": True}, facts) is True
    assert holds({"f": "order.amount_due", "op": ">", "v": 0}, facts) is False
