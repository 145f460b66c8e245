"""The guard against pumping of short messages (R25): so many new numbers of one range a day, held and told.

Who earns on messages rents a range of numbers and leaves them, one after the other, in a public form: each number stays
within its own share. A range is a number without its last four digits: the 10,000 numbers that an operator hands out in one
piece, and a block of the plan of numbers nearly everywhere. Why these limits hold nobody's own customers up: Poland has some
55 million mobile numbers in use, in 5,500 ranges at least. Of 20,000 customers four are in a range on average, and more than
twenty in any of them less than once in a hundred thousand days on which all 20,000 are written to, even if none has ever
paid. Numbers of customers are counted apart, and 500 of them go: an attack holds up nobody who has paid, and whoever pays
once for each number earns nothing. Where the people of a shop share few ranges (all of a town in North America, of Iceland
with its forty), its limits grow with them: twice as many numbers go as had ordered and paid before that day.

Of messages in flight some are called off by the last look, and leave their places: who finds no place waits a minute first,
and only who finds none then is told of and held for the day. Counted are numbers and not messages: how much one number gets
has a limit of its own. The day of the shop is locked by the caller (`sender.spending`), so that the rows of ranges are taken
in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from recoup.core import attention
from recoup.messaging.handover import ShortMessage
from recoup.messaging.models import Message, SmsAccount, SmsRangeDay
from recoup.messaging.reasons import Reason
from recoup.messaging.sender.records import Prepared

KIND = "messaging.range_held"
OF_STRANGERS, OF_CUSTOMERS = 20, 500  # numbers of a range that get messages in a day
_DIGITS_OF_RANGE = 4
FIRST_WAIT = timedelta(minutes=1)  # until what is in flight has left or given its place back
LAST_LOOK = timedelta(seconds=10)  # before a message is too late: until then somebody may let it go


@dataclass(frozen=True, slots=True)
class Share:
    """The count that a number belongs to: its range, with those who have paid apart from those who have not."""

    prefix: str
    is_known: bool

    @property
    def limit(self) -> int:
        """How many numbers of it get messages in a day at least."""
        return OF_CUSTOMERS if self.is_known else OF_STRANGERS


@dataclass(frozen=True, slots=True)
class HeldRange:
    """A range that has had its share of a day."""

    id: int
    prefix: str
    is_known: bool
    numbers: int
    waiting: int
    is_released: bool

    @property
    def written(self) -> str:
        """The range as a person reads it."""
        return written(self.prefix)


def number_of(one: Prepared) -> str:
    """Return the number that a message goes to."""
    assert isinstance(one.mail, ShortMessage)
    return one.mail.recipient


def prefix_of(number: str) -> str:
    """Return the range of a number in E.164."""
    return number[:-_DIGITS_OF_RANGE]


def written(prefix: str) -> str:
    """Return a range as a person reads it: its first digits, and a place for each that differs."""
    return prefix + "x" * _DIGITS_OF_RANGE


def lock_day(shop_id: int, day: date) -> None:
    """Lock what a shop sends on a day until the transaction ends: senders, and who lets their messages go, take turns."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_smsday AS d (shop_id, day, spent, messages) VALUES (%s, %s, 0, 0)"
            " ON CONFLICT (shop_id, day) DO UPDATE SET messages = d.messages",
            [shop_id, day],
        )


_HAS_PAID = "captured > 0 AND NOT is_test AND payment_state IN ('paid', 'authorized', 'partly_refunded')"


def known_numbers(shop_id: int, messages: Sequence[Prepared]) -> set[str]:
    """Return the numbers that stand in an order with money, of those of messages.

    An order of the same person with another number says nothing: anybody can type an address beside a number of theirs.
    """
    contacts = sorted({one.message.contact_id for one in messages})
    numbers = sorted({number_of(one) for one in messages})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT buyer->>'phone' FROM orders_order WHERE shop_id = %s AND contact_id = ANY(%s)"  # noqa: S608 - ours
            f" AND buyer->>'phone' = ANY(%s) AND {_HAS_PAID}",
            [shop_id, contacts, numbers],
        )
        return {row[0] for row in cursor.fetchall()}


def take(shop_id: int, day: date, share: Share) -> bool:
    """Take a place for a number that has had nothing today; tell whether there was one."""
    return _take(shop_id, day, share) or (_grow(shop_id, day, share) and _take(shop_id, day, share))


def _take(shop_id: int, day: date, share: Share) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_smsrangeday AS r (shop_id, day, prefix, is_known, numbers) VALUES (%s, %s, %s, %s, 1)"
            " ON CONFLICT (shop_id, day, prefix, is_known) DO UPDATE SET numbers = r.numbers + 1"
            " WHERE r.numbers < coalesce(r.allowed, %s) OR r.released_at IS NOT NULL",
            [shop_id, day, share.prefix, share.is_known, share.limit],
        )
        return bool(cursor.rowcount)


def _grow(shop_id: int, day: date, share: Share) -> bool:
    """Let more numbers of a range go where more have paid before the day; tell whether so. Looked up once a day."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE messaging_smsrangeday SET allowed = greatest(%(least)s, 2 * (
                SELECT count(*) FROM customers_contactidentity i
                WHERE i.shop_id = %(shop)s AND i.kind = 'phone' AND i.value BETWEEN %(first)s AND %(last)s
                  AND left(i.value, -{_DIGITS_OF_RANGE}) = %(prefix)s AND EXISTS (
                      SELECT FROM orders_order WHERE shop_id = i.shop_id AND contact_id = i.contact_id
                        AND placed_at < %(day)s::date AND buyer->>'phone' = i.value AND {_HAS_PAID})))
            WHERE shop_id = %(shop)s AND day = %(day)s AND prefix = %(prefix)s AND is_known = %(is_known)s
              AND allowed IS NULL
            RETURNING allowed > %(least)s
            """,  # noqa: S608 - pieces of this file
            {
                "least": share.limit,
                "shop": shop_id,
                "day": day,
                "prefix": share.prefix,
                "is_known": share.is_known,
                "first": share.prefix + "0" * _DIGITS_OF_RANGE,
                "last": share.prefix + "9" * _DIGITS_OF_RANGE,
            },
        )
        row = cursor.fetchone()
    return row is not None and bool(row[0])


def free(shop_id: int, day: date, share: Share) -> None:
    """Give the place of a number back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_smsrangeday SET numbers = greatest(numbers - 1, 0)"
            " WHERE shop_id = %s AND day = %s AND prefix = %s AND is_known = %s",
            [shop_id, day, share.prefix, share.is_known],
        )


def is_told(shop_id: int, day: date, share: Share) -> bool:
    """Tell whether a person was asked about a range today."""
    return SmsRangeDay.objects.filter(
        shop_id=shop_id, day=day, prefix=share.prefix, is_known=share.is_known, held_at__isnull=False
    ).exists()


def waited(messages: Sequence[Prepared]) -> set[int]:
    """Return which messages had no place in their range before."""
    ids = [one.message.id for one in messages]
    return set(Message.objects.filter(pk__in=ids, reason=Reason.RANGE_CAP).values_list("pk", flat=True))


def tell(account: SmsAccount, day: date, share: Share, now: datetime) -> None:
    """Ask for a person at the first message of a day that a range holds up."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_smsrangeday SET held_at = %s"
            " WHERE shop_id = %s AND day = %s AND prefix = %s AND is_known = %s AND held_at IS NULL"
            " RETURNING coalesce(allowed, %s)",
            [now, account.shop_id, day, share.prefix, share.is_known, share.limit],
        )
        row = cursor.fetchone()
    if row is None:
        return
    attention.ask(
        KIND,
        shop_id=account.shop_id,
        key=day.isoformat(),
        now=now,
        prefix=written(share.prefix),
        numbers=row[0],
    )


_WAITS = """
    FROM messaging_message m JOIN messaging_lane l ON l.id = m.lane_id AND l.shop_id = %s AND l.channel = 'sms'
    WHERE m.state = 'due' AND m.prio IN (0, 1, 2) AND m.reason = %s
"""


def held_ranges(shop_id: int, day: date) -> list[HeldRange]:
    """Return what is held up on a day, most numbers waiting first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT r.id, r.prefix, r.is_known, r.numbers, coalesce(w.count, 0), r.released_at IS NOT NULL
            FROM messaging_smsrangeday r LEFT JOIN (
                SELECT left(m.recipient, -{_DIGITS_OF_RANGE}) AS prefix, count(*) AS count {_WAITS} GROUP BY 1
            ) w ON w.prefix = r.prefix
            WHERE r.shop_id = %s AND r.day = %s AND r.held_at IS NOT NULL
            ORDER BY 5 DESC, r.held_at DESC LIMIT 50
            """,  # noqa: S608 - pieces of this file
            [shop_id, Reason.RANGE_CAP.value, shop_id, day],
        )
        return [HeldRange(*row) for row in cursor.fetchall()]


def release(shop_id: int, range_id: int | None, *, day: date, user_id: int, now: datetime) -> list[str]:
    """Let what a range holds up go, and what follows on its day; return the ranges, none if there is none held today.

    :param range_id: nothing for all ranges that hold messages up.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        lock_day(shop_id, day)
        cursor.execute(
            "UPDATE messaging_smsrangeday SET released_at = %s, released_by = %s"
            " WHERE shop_id = %s AND day = %s AND held_at IS NOT NULL AND released_at IS NULL"
            " AND (%s::bigint IS NULL OR id = %s::bigint) RETURNING prefix",
            [now, user_id, shop_id, day, range_id, range_id],
        )
        prefixes = sorted({row[0] for row in cursor.fetchall()})
        if not prefixes:
            return []
        cursor.execute(
            f"""
            UPDATE messaging_message SET due_at = %s WHERE id = ANY (ARRAY(
                SELECT m.id {_WAITS} AND m.due_at > %s AND left(m.recipient, -{_DIGITS_OF_RANGE}) = ANY(%s)
                ORDER BY m.id FOR NO KEY UPDATE OF m))
            """,  # noqa: S608 - pieces of this file
            [now, shop_id, Reason.RANGE_CAP.value, now, prefixes],
        )
        cursor.execute(
            "SELECT FROM messaging_smsrangeday WHERE shop_id = %s AND day = %s AND held_at IS NOT NULL"
            " AND released_at IS NULL LIMIT 1",
            [shop_id, day],
        )
        if cursor.fetchone() is None:
            attention.settle(KIND, shop_id=shop_id, key=day.isoformat(), now=now, user_id=user_id)
    return prefixes
