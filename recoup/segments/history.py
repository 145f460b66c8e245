"""What is true of a person at an instant, worked out from facts that keep theirs: in Python here, in SQL beside it.

Every answer stands here twice, side by side, because both must say the same: `tests/segments` asks them about random worlds.
What became true later than the instant is not true yet; what we had not learnt is left out by whoever read the facts.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import Any, NamedTuple

from recoup.segments.facts import Known, PastOrder

Value = Decimal | str | bool | tuple[str, ...] | datetime | None
Read = Callable[[Known, datetime], Value]

GIVEN, TAKEN_BACK, NEVER_ASKED = "given", "taken_back", "never_asked"
CONSENTS = (GIVEN, TAKEN_BACK, NEVER_ASKED)


class Scope(NamedTuple):
    """What a comparison narrows a fact to: the last days or hours, one currency."""

    within: timedelta | None = None
    currency: str | None = None


class Sql(NamedTuple):
    """A piece of SQL of ours with the values that it binds."""

    text: str
    params: tuple[Any, ...] = ()


class Frame(NamedTuple):
    """Where SQL stands: whose rows, as of when. The row is `r`; `person` is its person's key in words of ours."""

    shop_id: int
    person: str
    zone: str
    at: datetime
    address_key: bytes = b""


def zero_if_none(value: Decimal | None) -> Decimal:
    """Return the number, or zero."""
    return Decimal(0) if value is None else value


def _orders(facts: Known, at: datetime) -> Iterator[PastOrder]:
    person = facts.person
    for order in person.orders if person is not None else ():
        if order.placed_at <= at:
            yield order


def _counted(facts: Known, at: datetime, scope: Scope) -> Iterator[PastOrder]:
    """Yield the orders that count as placed: false ones never do (I11)."""
    since = None if scope.within is None else at - scope.within
    for order in _orders(facts, at):
        is_false = order.false_at is not None and order.false_at <= at
        if not is_false and (since is None or order.placed_at > since):
            yield order


def _bought(facts: Known, at: datetime, scope: Scope) -> Iterator[PastOrder]:
    """Yield the orders that were paid for and not given back."""
    since = None if scope.within is None else at - scope.within
    for order in _orders(facts, at):
        paid_at = order.paid_at
        if paid_at is None or paid_at > at:
            continue
        if scope.currency not in (None, order.currency):
            continue
        if since is None or paid_at > since:
            yield order


def _sql_orders(frame: Frame, what: str, more: str, *values: Any) -> Sql:
    """Return a subquery over the orders that the person had placed by the instant of the frame."""
    text = (
        f"(SELECT {what} FROM orders_order h WHERE h.shop_id = %s AND h.contact_id = {frame.person}"  # noqa: S608 - ours
        " AND NOT h.is_test AND h.placed_at <= %s" + more + ")"
    )
    return Sql(text, (frame.shop_id, frame.at, *values))


def _sql_counted(frame: Frame, scope: Scope, what: str) -> Sql:
    more, values = " AND h.status <> 'false'", list[Any]()
    if scope.within is not None:
        more += " AND h.placed_at > %s"
        values.append(frame.at - scope.within)
    return _sql_orders(frame, what, more, *values)


BOUGHT = "h.paid_at IS NOT NULL AND h.payment_state IN ('paid', 'partly_refunded')"
PAID_AT = "least(h.paid_at, h.paid_learnt_at)"


def _sql_bought(frame: Frame, scope: Scope, what: str) -> Sql:
    more = f" AND {BOUGHT} AND {PAID_AT} <= %s"
    values: list[Any] = [frame.at]
    if scope.currency is not None:
        more += " AND h.currency = %s"
        values.append(scope.currency)
    if scope.within is not None:
        more += f" AND {PAID_AT} > %s"
        values.append(frame.at - scope.within)
    return _sql_orders(frame, what, more, *values)


def count_placed(scope: Scope) -> Read:
    """Count the orders of the person."""
    return lambda facts, at: Decimal(sum(1 for _ in _counted(facts, at, scope)))


def sql_count_placed(frame: Frame, scope: Scope) -> Sql:
    """As `count_placed`."""
    return _sql_counted(frame, scope, "count(*)")


def count_bought(scope: Scope) -> Read:
    """Count the paid orders of the person."""
    return lambda facts, at: Decimal(sum(1 for _ in _bought(facts, at, scope)))


def sql_count_bought(frame: Frame, scope: Scope) -> Sql:
    """As `count_bought`."""
    return _sql_bought(frame, scope, "count(*)")


def sum_bought(scope: Scope) -> Read:
    """Add up what the person has paid and not got back, in one currency."""
    return lambda facts, at: sum((order.kept for order in _bought(facts, at, scope)), Decimal(0))


def sql_sum_bought(frame: Frame, scope: Scope) -> Sql:
    """As `sum_bought`."""
    return _sql_bought(frame, scope, "coalesce(sum(h.captured - h.refunded), 0)")


def average_bought(scope: Scope) -> Read:
    """Return what the person pays on average, in one currency; nothing where they never paid."""

    def read(facts: Known, at: datetime) -> Value:
        sums = [order.kept for order in _bought(facts, at, scope)]
        if not sums:
            return None
        return (sum(sums, Decimal(0)) / len(sums)).quantize(Decimal("0.01"), ROUND_HALF_UP)

    return read


def sql_average_bought(frame: Frame, scope: Scope) -> Sql:
    """As `average_bought`."""
    return _sql_bought(frame, scope, "round(avg(h.captured - h.refunded), 2)")


def products_bought(scope: Scope) -> Read:
    """Return the products that the person has paid for."""
    return lambda facts, at: tuple(ref for order in _bought(facts, at, scope) for ref in order.products)


def sql_products_bought(frame: Frame, scope: Scope) -> Sql:
    """As `products_bought`."""
    inner = _sql_bought(frame, scope, "goods.ref").text.replace(
        "orders_order h WHERE",
        "orders_order h CROSS JOIN LATERAL unnest(h.product_refs) AS goods (ref) WHERE",
    )
    return Sql(f"ARRAY{inner}", _sql_bought(frame, scope, "").params)


def _extreme(pick: Callable[[Iterator[datetime]], datetime | None], of_paid: bool) -> Read:
    def read(facts: Known, at: datetime) -> Value:
        if of_paid:
            return pick(order.paid_at for order in _bought(facts, at, Scope()) if order.paid_at is not None)
        return pick(order.placed_at for order in _counted(facts, at, Scope()))

    return read


def first_order(_scope: Scope) -> Read:
    """Return when the person first ordered."""
    return _extreme(lambda instants: min(instants, default=None), of_paid=False)


def sql_first_order(frame: Frame, scope: Scope) -> Sql:
    """As `first_order`."""
    return _sql_counted(frame, scope, "min(h.placed_at)")


def last_order(_scope: Scope) -> Read:
    """Return when the person last ordered."""
    return _extreme(lambda instants: max(instants, default=None), of_paid=False)


def sql_last_order(frame: Frame, scope: Scope) -> Sql:
    """As `last_order`."""
    return _sql_counted(frame, scope, "max(h.placed_at)")


def last_bought(_scope: Scope) -> Read:
    """Return when the person last paid."""
    return _extreme(lambda instants: max(instants, default=None), of_paid=True)


def sql_last_bought(frame: Frame, scope: Scope) -> Sql:
    """As `last_bought`."""
    return _sql_bought(frame, scope, f"max({PAID_AT})")


PAYABLE = "(h.total > 0 AND h.payment_state NOT IN ('authorized', 'nothing_due', 'refunded', 'disputed'))"


def has_unpaid(_scope: Scope) -> Read:
    """Tell whether an order of the person is waiting for its payment."""

    def read(facts: Known, at: datetime) -> Value:
        return any(
            order.is_payable
            and not (order.settled_at is not None and order.settled_at <= at)
            and not (order.closed_at is not None and order.closed_at <= at)
            for order in _orders(facts, at)
        )

    return read


def sql_has_unpaid(frame: Frame, _scope: Scope) -> Sql:
    """As `has_unpaid`."""
    more = (
        f" AND {PAYABLE} AND NOT coalesce({PAID_AT} <= %s, false) AND h.status <> 'false'"
        " AND NOT coalesce(least(h.cancelled_at, h.superseded_at) <= %s, false)"
    )
    inner = _sql_orders(frame, "", more, frame.at, frame.at)
    return Sql(f"EXISTS {inner.text}", inner.params)


def consent(purpose: str, channel: str) -> Callable[[Scope], Read]:
    """Return the person's last word on a purpose in a channel."""

    def read(facts: Known, at: datetime) -> Value:
        last = NEVER_ASKED
        for word in facts.person.consents if facts.person is not None else ():
            if word.became_true_at <= at and word.purpose == purpose and word.channel == channel:
                last = GIVEN if word.is_given else TAKEN_BACK
        return last

    return lambda _scope: read


def sql_consent(purpose: str, channel: str) -> Callable[[Frame, Scope], Sql]:
    """As `consent`."""

    def build(frame: Frame, _scope: Scope) -> Sql:
        text = (
            "coalesce((SELECT CASE WHEN k.is_given THEN 'given' ELSE 'taken_back' END"  # noqa: S608 - columns of ours
            f" FROM customers_consentevent k WHERE k.shop_id = %s AND k.contact_id = {frame.person}"
            " AND k.purpose = %s AND k.channel = %s AND k.became_true_at <= %s"
            " ORDER BY k.became_true_at DESC, k.id DESC LIMIT 1), 'never_asked')"
        )
        return Sql(text, (frame.shop_id, purpose, channel, frame.at))

    return build


def tags(_scope: Scope) -> Read:
    """Return the tags of the person."""
    return lambda facts, at: tuple(
        one.key for one in (facts.person.tags if facts.person is not None else ()) if one.added_at <= at
    )


def sql_tags(frame: Frame, _scope: Scope) -> Sql:
    """As `tags`."""
    text = (
        "ARRAY(SELECT t.key FROM customers_contacttag g JOIN customers_tag t ON t.id = g.tag_id"  # noqa: S608 - ours
        f" WHERE t.shop_id = %s AND g.contact_id = {frame.person} AND g.added_at <= %s)"
    )
    return Sql(text, (frame.shop_id, frame.at))


# Whether a visit `v` led to where one pays or orders, and is a person's.
COUNTS = "v.page IN ('pay', 'cart') AND v.noted_at IS NOT NULL AND NOT v.is_machine"


def last_visit(_scope: Scope) -> Read:
    """Return when the person last came to where they pay or order."""

    def read(facts: Known, at: datetime) -> Value:
        visits = facts.person.visits if facts.person is not None else ()
        return max((one.at for one in visits if one.at <= at), default=None)

    return read


def sql_last_visit(frame: Frame, _scope: Scope) -> Sql:
    """As `last_visit`."""
    text = (
        "(SELECT max(v.at) FROM messaging_pagevisit v"  # noqa: S608 - ours
        f" WHERE v.shop_id = %s AND v.contact_id = {frame.person} AND v.at <= %s AND {COUNTS})"
    )
    return Sql(text, (frame.shop_id, frame.at))


def is_suppressed(_scope: Scope) -> Read:
    """Tell whether the person's e-mail address gets nothing of some scope."""

    def read(facts: Known, at: datetime) -> Value:
        return any(
            one.since <= at and (one.lifted_at is None or one.lifted_at > at)
            for one in (facts.person.suppressed if facts.person is not None else ())
        )

    return read


def sql_is_suppressed(frame: Frame, _scope: Scope) -> Sql:
    """As `is_suppressed`. Addresses are kept as keyed hashes alone, so the hash (HMAC, RFC 2104) is made here."""
    key = frame.address_key if len(frame.address_key) <= 64 else sha256(frame.address_key).digest()
    key = key.ljust(64, b"\0")
    inner, outer = bytes(sign ^ 0x36 for sign in key), bytes(sign ^ 0x5C for sign in key)
    text = (
        "EXISTS (SELECT FROM customers_contact w JOIN customers_suppression u ON u.shop_id = %s"
        " AND u.channel = 'email' AND u.address_hash = sha256(%s || sha256(%s || convert_to("
        "concat(u.shop_id, '|email|', lower(w.email COLLATE \"C\")), 'UTF8')))"
        f" WHERE w.shop_id = %s AND w.id = {frame.person} AND w.email <> ''"
        " AND u.since <= %s AND (u.lifted_at IS NULL OR u.lifted_at > %s))"
    )
    return Sql(text, (frame.shop_id, outer, inner, frame.shop_id, frame.at, frame.at))
