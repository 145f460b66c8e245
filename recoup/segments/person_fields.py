"""What conditions may ask about people, whoever the condition is about."""

from collections.abc import Callable

from recoup.segments.facts import Need, Subject
from recoup.segments.field import Field, FieldType, of_person, plain
from recoup.segments.history import (
    CONSENTS,
    Frame,
    Read,
    Scope,
    Sql,
    average_bought,
    consent,
    count_bought,
    count_placed,
    first_order,
    has_unpaid,
    is_suppressed,
    last_bought,
    last_order,
    last_visit,
    products_bought,
    sql_average_bought,
    sql_consent,
    sql_count_bought,
    sql_count_placed,
    sql_first_order,
    sql_has_unpaid,
    sql_is_suppressed,
    sql_last_bought,
    sql_last_order,
    sql_last_visit,
    sql_products_bought,
    sql_sum_bought,
    sql_tags,
    sum_bought,
    tags,
)

_ALL = frozenset(int(subject) for subject in Subject)
_NUMBER, _TEXT, _YES_NO, _LIST, _INSTANT = FieldType

PERSON_FIELDS = (
    Field(
        "contact.locale",
        _TEXT,
        _ALL,
        plain(lambda f: f.contact and (f.contact.locale or None)),
        of_person("nullif(w.locale, '')"),
    ),
    Field(
        "contact.zone",
        _TEXT,
        _ALL,
        plain(lambda f: f.contact and (f.contact.zone or None)),
        of_person("nullif(w.time_zone, '')"),
    ),
    Field(
        "contact.country",
        _TEXT,
        _ALL,
        plain(lambda f: f.person and (f.person.country or None)),
        of_person("nullif(w.country, '')"),
        need=Need.PERSON,
        keeps_past=False,
    ),
    Field(
        "contact.known_since",
        _INSTANT,
        _ALL,
        plain(lambda f: f.person and f.person.known_since),
        of_person("w.first_seen_at"),
        need=Need.PERSON,
    ),
    Field(
        "contact.has_email",
        _YES_NO,
        _ALL,
        plain(lambda f: f.person and f.person.has_email),
        of_person("(w.email <> '')"),
        need=Need.PERSON,
        keeps_past=False,
    ),
    Field(
        "contact.has_phone",
        _YES_NO,
        _ALL,
        plain(lambda f: f.person and f.person.has_phone),
        of_person("(w.phone <> '')"),
        need=Need.PERSON,
        keeps_past=False,
    ),
)


# What was bought: whether it was given back is known as of today only.
_BOUGHT = (
    "contact.paid_count",
    "contact.paid_sum",
    "contact.average_order",
    "contact.bought",
    "contact.last_paid_at",
)


def _historic(
    name: str,
    kind: FieldType,
    reader: Callable[[Scope], Read],
    sql: Callable[[Frame, Scope], Sql],
    *,
    is_timed: bool = False,
    is_money: bool = False,
) -> Field:
    return Field(
        name,
        kind,
        _ALL,
        _of_somebody(reader),
        sql,
        need=Need.HISTORY,
        is_timed=is_timed,
        is_money=is_money,
        keeps_past=name not in _BOUGHT,
    )


def _of_somebody(reader: Callable[[Scope], Read]) -> Callable[[Scope], Read]:
    """Say nothing of orders and carts of unknown people."""

    def build(scope: Scope) -> Read:
        read = reader(scope)
        return lambda facts, at: None if facts.person is None else read(facts, at)

    return build


def _consent(name: str, purpose: str, channel: str) -> Field:
    reader, sql = _of_somebody(consent(purpose, channel)), sql_consent(purpose, channel)
    return Field(name, _TEXT, _ALL, reader, sql, CONSENTS, need=Need.CONSENTS)


HISTORY_FIELDS = (
    _historic("contact.order_count", _NUMBER, count_placed, sql_count_placed, is_timed=True),
    _historic("contact.paid_count", _NUMBER, count_bought, sql_count_bought, is_timed=True),
    _historic(
        "contact.paid_sum",
        _NUMBER,
        sum_bought,
        sql_sum_bought,
        is_timed=True,
        is_money=True,
    ),
    _historic(
        "contact.average_order",
        _NUMBER,
        average_bought,
        sql_average_bought,
        is_timed=True,
        is_money=True,
    ),
    _historic("contact.bought", _LIST, products_bought, sql_products_bought, is_timed=True),
    _historic("contact.first_order_at", _INSTANT, first_order, sql_first_order),
    _historic("contact.last_order_at", _INSTANT, last_order, sql_last_order),
    _historic("contact.last_paid_at", _INSTANT, last_bought, sql_last_bought),
    _historic("contact.has_unpaid_order", _YES_NO, has_unpaid, sql_has_unpaid),
    _consent("contact.offers_by_email", "marketing", "email"),
    _consent("contact.offers_by_sms", "marketing", "sms"),
    _consent("contact.cart_reminders", "cart_reminder", "email"),
    Field(
        "contact.tags",
        _LIST,
        _ALL,
        _of_somebody(tags),
        sql_tags,
        need=Need.TAGS,
        folds=True,
        keeps_past=False,
    ),
    Field("contact.visited_at", _INSTANT, _ALL, _of_somebody(last_visit), sql_last_visit, need=Need.VISITS),
    Field(
        "contact.is_suppressed",
        _YES_NO,
        _ALL,
        _of_somebody(is_suppressed),
        sql_is_suppressed,
        need=Need.SUPPRESSIONS,
    ),
)
