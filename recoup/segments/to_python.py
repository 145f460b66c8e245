"""From a condition to one Python function of the facts and the instant as of which it is asked."""

import operator
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from recoup.segments.facts import Known
from recoup.segments.field import local
from recoup.segments.fields import FIELDS
from recoup.segments.history import Read
from recoup.segments.tree import SEVERAL, All, AnyOf, Compare, Not, Tree, folded, operand

Test = Callable[[Known, datetime], bool]

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_test(condition: Tree) -> Test:
    """Turn a condition into a function."""
    match condition:
        case Compare():
            return _comparison(condition)
        case Not():
            inner = compile_test(condition.negated)
            return lambda facts, at: not inner(facts, at)
        case All():
            parts = tuple(compile_test(part) for part in condition.all)
            return lambda facts, at: all(part(facts, at) for part in parts)
        case AnyOf():
            parts = tuple(compile_test(part) for part in condition.any)
            return lambda facts, at: any(part(facts, at) for part in parts)


def _comparison(comparison: Compare) -> Test:
    fact = FIELDS[comparison.f]
    read, op = fact.reader(comparison.scope), comparison.op
    if op == "is_set":
        return lambda facts, at: read(facts, at) is not None
    if isinstance(comparison.v, list):
        return _several(
            op, read, frozenset(folded(fact, operand(fact.type, op, value)) for value in comparison.v)
        )
    value: Any = operand(fact.type, op, comparison.v)
    if isinstance(value, timedelta):
        return _age(op, read, value)
    if isinstance(value, date):
        return _day(op, read, value)
    return _one(op, read, value)


def _one(op: str, read: Read, value: Any) -> Test:
    if op == "=":
        return lambda facts, at: read(facts, at) == value
    if op == "!=":
        return lambda facts, at: read(facts, at) not in (None, value)
    holds = _ORDERINGS[op]

    def compare(facts: Known, at: datetime) -> bool:
        found: Any = read(facts, at)
        return found is not None and bool(holds(found, value))

    return compare


def _several(op: str, read: Callable[..., Any], wanted: frozenset[Any]) -> Test:
    if op not in SEVERAL:
        return lambda facts, at: read(facts, at) in wanted
    if op == "has_all":
        return lambda facts, at: wanted <= frozenset(read(facts, at) or ())
    return lambda facts, at: not wanted.isdisjoint(read(facts, at) or ())


def _age(op: str, read: Read, span: timedelta) -> Test:
    is_recent = op == "within_last"

    def compare(facts: Known, at: datetime) -> bool:
        found = read(facts, at)
        return isinstance(found, datetime) and (found > at - span) is is_recent

    return compare


def _day(op: str, read: Read, day: date) -> Test:
    """Compare with a day of the shop's calendar, which itself is neither before nor after."""
    holds = operator.lt if op == "before" else operator.gt

    def compare(facts: Known, at: datetime) -> bool:
        found = read(facts, at)
        return isinstance(found, datetime) and holds(local(facts, found).date(), day)

    return compare
