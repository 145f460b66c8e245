"""The typed tree of conditions: all, any, not, and comparisons of facts of the closed list.

Two-valued on purpose, in Python and in SQL: a comparison with a fact that does not exist is false, and `not` of it is true.
Nothing in it is code, and no text in it is a pattern (T90).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from recoup.segments.facts import Need
from recoup.segments.field import Field as Fact
from recoup.segments.field import FieldType
from recoup.segments.fields import FIELDS
from recoup.segments.history import Scope, Value

Scalar = bool | int | float | str

MOST_COMPARISONS = 100
DEEPEST = 6  # groups within groups
MOST_PARTS = 20  # of one group
LONGEST_TEXT = 200
LARGEST = Decimal(10) ** 15

ORDERINGS = ("<", "<=", ">", ">=")
SEVERAL = ("has_any", "has_all")
SPANS = ("within_last", "older_than")
OPERATORS: dict[FieldType, tuple[str, ...]] = {
    FieldType.NUMBER: ("=", "!=", *ORDERINGS, "in", "is_set"),
    FieldType.TEXT: ("=", "!=", "in", "is_set"),
    FieldType.YES_NO: ("=",),
    FieldType.LIST: SEVERAL,
    FieldType.INSTANT: ("before", "after", *SPANS, "is_set"),
}
_SPAN = re.compile(
    r"P(?:(?P<weeks>[1-9]\d{0,2})W|(?P<days>[1-9]\d{0,3})D|T(?:(?P<hours>[1-9]\d{0,4})H|(?P<minutes>[1-9]\d{0,5})M))"
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Compare(_Strict):
    """One fact compared with a value: `{"f": "order.total", "op": ">=", "v": "100.00"}`.

    `within` narrows what a person did to the last days or hours (`P30D`), `currency` sums to one.
    """

    f: str
    op: Literal[
        "=", "!=", "<", "<=", ">", ">=", "in", "is_set", "has_any", "has_all", "before", "after", "within_last", "older_than"
    ]  # fmt: skip
    v: Scalar | Annotated[list[Scalar], Field(max_length=50)] | None = None
    within: str | None = None
    currency: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> Compare:
        fact = FIELDS.get(self.f)
        if fact is not None:  # an unknown one is reported with a suggestion by whoever keeps the condition
            _check(self, fact)
        return self

    @property
    def scope(self) -> Scope:
        """Return what the fact is narrowed to."""
        return Scope(parse_days(self.within) if self.within else None, self.currency)


class All(_Strict):
    """Every one of the conditions holds."""

    all: list[Part] = Field(min_length=1, max_length=MOST_PARTS)


class AnyOf(_Strict):
    """At least one of the conditions holds."""

    any: list[Part] = Field(min_length=1, max_length=MOST_PARTS)


class Not(_Strict):
    """The condition does not hold."""

    negated: Part = Field(alias="not")


def _kind_of(value: Any) -> str:
    if isinstance(value, BaseModel):
        value = value.model_dump(by_alias=True)
    keys = value.keys() if isinstance(value, dict) else ()
    return next((key for key in ("all", "any", "not") if key in keys), "compare")


def _within_limits(value: Any) -> Any:
    """Refuse what is too large or too deep before anything looks inside."""
    if isinstance(value, BaseModel):
        return value
    level, found = [value], 0
    for _ in range(DEEPEST + 1):
        inner: list[Any] = []
        for part in level:
            if not isinstance(part, dict):
                continue
            for key in ("all", "any"):
                inner += part[key] if isinstance(part.get(key), list) else []
            inner += [part["not"]] if "not" in part else []
            found += 1
        if found + len(inner) > 2 * MOST_COMPARISONS:
            raise refuse("condition_large", most=str(MOST_COMPARISONS))
        level = inner
        if not level:
            break
    if level:
        raise refuse("condition_deep", most=str(DEEPEST))
    return value


Part = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Compare, Tag("compare")],
    Discriminator(_kind_of),
]
Condition = Annotated[Part, BeforeValidator(_within_limits)]
Tree = All | AnyOf | Not | Compare
for _model in (All, AnyOf, Not):
    _model.model_rebuild()


def comparisons(condition: Tree) -> Iterator[Compare]:
    """Yield every comparison of a condition."""
    match condition:
        case Compare():
            yield condition
        case Not():
            yield from comparisons(condition.negated)
        case All():
            for part in condition.all:
                yield from comparisons(part)
        case AnyOf():
            for part in condition.any:
                yield from comparisons(part)


def needs_of(condition: Tree) -> Need:
    """Return what has to be read besides the usual facts, so that a condition can be answered."""
    needs = Need(0)
    for comparison in comparisons(condition):
        needs |= FIELDS[comparison.f].need if comparison.f in FIELDS else Need(0)
    return needs


def refuse(code: str, **values: str) -> PydanticCustomError:
    """Return the error by which a condition refuses a value; its sentence stands where conditions are kept."""
    return PydanticCustomError("process", "{code}", {"code": code, **values})


def parse_days(text: str) -> timedelta:
    """Read whole weeks, days, hours or minutes of elapsed time: `P30D`, `PT12H`.

    :raises ValueError: if it is something else.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return timedelta(**{unit: int(number) for unit, number in match.groupdict().items() if number})


def _check(comparison: Compare, fact: Fact) -> None:
    if comparison.op not in OPERATORS[fact.type]:
        raise refuse("condition_operator", field=fact.name, operator=comparison.op)
    _check_scope(comparison, fact)
    if comparison.op == "is_set":
        if comparison.v is not None:
            raise refuse("condition_value", field=fact.name, value=str(comparison.v))
        return
    is_list = isinstance(comparison.v, list)
    if is_list != (comparison.op in {"in", *SEVERAL}) or comparison.v == []:
        raise refuse("condition_list", field=fact.name)
    for value in comparison.v if isinstance(comparison.v, list) else [comparison.v]:
        try:
            taken = operand(fact.type, comparison.op, value)
        except ValueError:
            raise refuse("condition_value", field=fact.name, value=str(value)[:LONGEST_TEXT]) from None
        if fact.choices and taken not in fact.choices:
            raise refuse(
                "condition_choice", field=fact.name, value=str(value), choices=", ".join(fact.choices)
            )


def _check_scope(comparison: Compare, fact: Fact) -> None:
    if comparison.within is not None:
        try:
            parse_days(comparison.within)
        except ValueError:
            raise refuse("condition_within", field=fact.name, value=comparison.within[:40]) from None
        if not fact.is_timed:
            raise refuse("condition_within", field=fact.name, value=comparison.within)
    currency = comparison.currency
    if fact.is_money != (currency is not None):
        raise refuse("condition_currency", field=fact.name)
    if currency is not None and not re.fullmatch("[A-Z]{3}", currency):
        raise refuse("condition_currency", field=fact.name)


def operand(kind: FieldType, operator: str, value: object) -> Value | date | timedelta:
    """Read a value of the document as what the fact is compared with.

    :raises ValueError: if it is none.
    """
    if kind is FieldType.YES_NO and isinstance(value, bool):
        return value
    if kind in (FieldType.TEXT, FieldType.LIST) and isinstance(value, str):
        return _text(value)
    if kind is FieldType.INSTANT and isinstance(value, str):
        return parse_days(value) if operator in SPANS else _day(value)
    if kind is FieldType.NUMBER and isinstance(value, int | float | str) and not isinstance(value, bool):
        return _number(str(value))
    raise ValueError(f"{value!r} does not fit a fact of type {kind.value}")


def folded(fact: Fact, value: Any) -> Any:
    """Return a value as it is compared: of some facts capital letters make no difference."""
    return value.casefold() if fact.folds else value


def _text(value: str) -> str:
    if len(value) > LONGEST_TEXT or "\0" in value or not value.isprintable():
        raise ValueError(value)
    return value


def _day(value: str) -> date:
    if len(value) != len("2026-11-02"):
        raise ValueError(value)
    return date.fromisoformat(value)


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text} is no number") from None
    if not number.is_finite() or abs(number) >= LARGEST or number != round(number, 6):
        raise ValueError(f"{text} is no number of the trade")
    return number


class ConditionRefused(Exception):
    """A condition that is none: the codes and values of what is wrong, with their places."""

    def __init__(self, faults: list[tuple[str, str, dict[str, str]]]) -> None:
        super().__init__(faults)
        self.faults = faults


class _Whole(_Strict):
    condition: Condition


def read_condition(raw: Any, subject: int) -> Tree:
    """Read a condition about a subject from plain values.

    :raises ConditionRefused: with every misfit.
    """
    try:
        tree: Tree = _Whole.model_validate({"condition": raw}).condition
    except ValidationError as error:
        raise ConditionRefused([_fault(one) for one in error.errors(include_url=False)]) from None
    faults = []
    for comparison in comparisons(tree):
        fact = FIELDS.get(comparison.f)
        if fact is None:
            faults.append((comparison.f, "unknown_fact", {"field": comparison.f}))
        elif subject not in fact.subjects:
            faults.append((comparison.f, "fact_of_other_subject", {"field": comparison.f}))
    if faults:
        raise ConditionRefused(faults)
    return tree


def _fault(detail: Any) -> tuple[str, str, dict[str, str]]:
    where = ".".join(str(part) for part in detail["loc"][1:])
    context = {key: str(value) for key, value in detail.get("ctx", {}).items()}
    if detail["type"] == "process":
        return where, context.pop("code"), context
    return where, "wrong_value", {"value": str(detail["input"])[:80]}


def as_raw(tree: Tree) -> dict[str, Any]:
    """Return a condition as plain values; what equals a default is left out."""
    return tree.model_dump(mode="json", by_alias=True, exclude_defaults=True)
