"""From a condition to one piece of SQL with bound values, over a row `r` of orders, carts or people of one shop.

Nothing of a condition becomes text of a statement: its names are looked up in the closed list, its values are bound. SQL
knows a third answer, unknown. Where no `not` stands above, that counts as no anyway, and comparisons stay plain, so that an
index can serve them; below a `not` each is made two-valued.
"""

from datetime import date, datetime, timedelta

from django.conf import settings

from recoup.segments.facts import Subject
from recoup.segments.field import Field, FieldType, zone_named
from recoup.segments.fields import FIELDS
from recoup.segments.history import Frame, Sql
from recoup.segments.tree import All, AnyOf, Compare, Not, Tree, folded, operand

TABLES = {
    Subject.ORDER: "orders_order",
    Subject.CART: "orders_cart",
    Subject.PERSON: "customers_contact",
}
_PERSONS = {Subject.ORDER: "r.contact_id", Subject.CART: "r.contact_id", Subject.PERSON: "r.id"}
_CASTS = {FieldType.NUMBER: "numeric", FieldType.TEXT: "text", FieldType.LIST: "text"}


def compile_sql(condition: Tree, subject: Subject, *, shop_id: int, shop_zone: str, now: datetime) -> Sql:
    """Return the condition for rows `r` of the subject's table, the shop's wall in it, as of an instant."""
    frame = Frame(
        shop_id=shop_id,
        person=_PERSONS[subject],
        zone=zone_named(shop_zone).key,
        at=now,
        address_key=settings.ADDRESS_KEY.encode(),
    )
    inner = _tree(condition, frame, is_negated=False)
    return Sql(f"(r.shop_id = %s AND {inner.text})", (shop_id, *inner.params))


def _tree(condition: Tree, frame: Frame, *, is_negated: bool) -> Sql:
    match condition:
        case Compare():
            found = _comparison(condition, frame)
            return _two_valued(found) if is_negated else found
        case Not():
            inner = _tree(condition.negated, frame, is_negated=True)
            return Sql(f"NOT ({inner.text})", inner.params)
        case All():
            return _joined([_tree(part, frame, is_negated=is_negated) for part in condition.all], " AND ")
        case AnyOf():
            return _joined([_tree(part, frame, is_negated=is_negated) for part in condition.any], " OR ")


def _two_valued(found: Sql) -> Sql:
    return Sql(f"({found.text}) IS TRUE", found.params)


def _joined(parts: list[Sql], word: str) -> Sql:
    return Sql(
        f"({word.join(f'({part.text})' for part in parts)})",
        tuple(value for part in parts for value in part.params),
    )


def _comparison(comparison: Compare, frame: Frame) -> Sql:
    fact = FIELDS[comparison.f]
    found = fact.sql(frame, comparison.scope)
    compared = _compared(fact, comparison, found, frame)
    if frame.person == _PERSONS[Subject.PERSON] or not fact.name.startswith("contact."):
        return compared
    return Sql(
        f"{frame.person} IS NOT NULL AND {compared.text}", compared.params
    )  # of nobody nothing is known


def _compared(fact: Field, comparison: Compare, found: Sql, frame: Frame) -> Sql:
    op = comparison.op
    if op == "is_set":
        return Sql(f"{found.text} IS NOT NULL", found.params)
    if isinstance(comparison.v, list):
        sign = {"in": "= ANY(%s::{}[])", "has_any": "&& %s::{}[]", "has_all": "@> %s::{}[]"}[op]
        values = [folded(fact, operand(fact.type, op, value)) for value in comparison.v]
        return Sql(f"{found.text} {sign.format(_CASTS[fact.type])}", (*found.params, values))
    value = operand(fact.type, op, comparison.v)
    if isinstance(value, timedelta):
        sign = ">" if op == "within_last" else "<="
        return Sql(f"{found.text} {sign} %s", (*found.params, frame.at - value))
    if isinstance(value, date) and fact.type is FieldType.INSTANT:
        sign = "<" if op == "before" else ">"
        return Sql(f"({found.text} AT TIME ZONE %s)::date {sign} %s", (*found.params, frame.zone, value))
    return Sql(f"{found.text} {'<>' if op == '!=' else op} %s", (*found.params, value))
