"""Typed conditions over facts: the document models, and their compilation to one Python function.

Two-valued on purpose, so that SQL can agree later: a comparison with a fact that does not exist is false, and
`not` of it is true.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from recoup.processes.engine.fields import FIELDS, FieldType, Value
from recoup.processes.engine.fields import Field as Fact
from recoup.processes.engine.records import Facts

Test = Callable[[Facts], bool]
Scalar = bool | int | float | str

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SEVERAL = ("has_any", "has_all")
OPERATORS: dict[FieldType, tuple[str, ...]] = {
    FieldType.NUMBER: ("=", "!=", *_ORDERINGS, "in", "is_set"),
    FieldType.TEXT: ("=", "!=", "in", "is_set"),
    FieldType.YES_NO: ("=",),
    FieldType.LIST: _SEVERAL,
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Compare(_Strict):
    """One fact compared with a value: `{"f": "order.total", "op": ">=", "v": "100.00"}`."""

    f: str
    op: Literal["=", "!=", "<", "<=", ">", ">=", "in", "is_set", "has_any", "has_all"]
    v: Scalar | Annotated[list[Scalar], Field(max_length=50)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Compare:
        fact = FIELDS.get(self.f)
        if fact is not None:  # an unknown one is reported with a suggestion by the validation of the process
            _check(self, fact)
        return self


class All(_Strict):
    """Every one of the conditions holds."""

    all: list[Condition] = Field(min_length=1, max_length=20)


class AnyOf(_Strict):
    """At least one of the conditions holds."""

    any: list[Condition] = Field(min_length=1, max_length=20)


class Not(_Strict):
    """The condition does not hold."""

    negated: Condition = Field(alias="not")


def _kind_of(value: Any) -> str:
    if isinstance(value, BaseModel):
        value = value.model_dump(by_alias=True)
    keys = value.keys() if isinstance(value, dict) else ()
    return next((key for key in ("all", "any", "not") if key in keys), "compare")


Condition = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Compare, Tag("compare")],
    Discriminator(_kind_of),
]
for _model in (All, AnyOf, Not):
    _model.model_rebuild()


def comparisons(condition: All | AnyOf | Not | Compare) -> Iterator[Compare]:
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


def compile_condition(condition: All | AnyOf | Not | Compare) -> Test:
    """Turn a condition into a function of the facts."""
    match condition:
        case Compare():
            return _compile_comparison(condition)
        case Not():
            inner = compile_condition(condition.negated)
            return lambda facts: not inner(facts)
        case All():
            parts = tuple(compile_condition(part) for part in condition.all)
            return lambda facts: all(part(facts) for part in parts)
        case AnyOf():
            parts = tuple(compile_condition(part) for part in condition.any)
            return lambda facts: any(part(facts) for part in parts)


def _compile_comparison(comparison: Compare) -> Test:
    fact = FIELDS[comparison.f]
    read = fact.read
    if comparison.op == "is_set":
        return lambda facts: read(facts) is not None
    if comparison.op == "in":
        values = comparison.v if isinstance(comparison.v, list) else []
        wanted = frozenset(_as(fact.type, value) for value in values)
        return lambda facts: read(facts) in wanted
    if comparison.op in _SEVERAL:
        return _compile_several(comparison, read)
    value = _as(fact.type, comparison.v)
    if comparison.op == "=":
        return lambda facts: read(facts) == value
    if comparison.op == "!=":
        return lambda facts: read(facts) not in (None, value)
    holds = _ORDERINGS[comparison.op]

    def compare(facts: Facts) -> bool:
        found = read(facts)
        return found is not None and holds(found, value)

    return compare


def _compile_several(comparison: Compare, read: Callable[[Facts], Value]) -> Test:
    values = comparison.v if isinstance(comparison.v, list) else []
    wanted = frozenset(str(value) for value in values)
    # `_check` lets these operators through for facts that are lists alone, which the type of `read` cannot say.
    if comparison.op == "has_all":
        return lambda facts: wanted <= frozenset(read(facts) or ())  # type: ignore[arg-type]
    return lambda facts: not wanted.isdisjoint(read(facts) or ())  # type: ignore[arg-type]


def _refuse(code: str, **values: str) -> PydanticCustomError:
    return PydanticCustomError("process", "{code}", {"code": code, **values})


def _check(comparison: Compare, fact: Fact) -> None:
    if comparison.op not in OPERATORS[fact.type]:
        raise _refuse("condition_operator", field=fact.name, operator=comparison.op)
    if comparison.op == "is_set":
        if comparison.v is not None:
            raise _refuse("condition_value", field=fact.name, value=str(comparison.v))
        return
    is_list = isinstance(comparison.v, list)
    if is_list != (comparison.op in {"in", *_SEVERAL}) or comparison.v == []:
        raise _refuse("condition_list", field=fact.name)
    for value in comparison.v if isinstance(comparison.v, list) else [comparison.v]:
        try:
            taken = _as(fact.type, value)
        except ValueError:
            raise _refuse("condition_value", field=fact.name, value=str(value)) from None
        if fact.choices and taken not in fact.choices:
            raise _refuse(
                "condition_choice", field=fact.name, value=str(value), choices=", ".join(fact.choices)
            )


def _as(kind: FieldType, value: object) -> Value:
    """Read a value of the document as the type of the fact.

    :raises ValueError: if it is none.
    """
    if kind is FieldType.YES_NO and isinstance(value, bool):
        return value
    if kind in (FieldType.TEXT, FieldType.LIST) and isinstance(value, str):
        return value
    if kind is FieldType.NUMBER and isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise ValueError(f"{value} is no number") from None
        if number.is_finite():
            return number
    raise ValueError(f"{value!r} does not fit a fact of type {kind.value}")
