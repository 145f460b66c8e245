"""The guard before messages that cost money (R25): so many to a number, so many numbers of a range (`sender.ranges`) and so
much money a day, taken before they leave.

What is set aside is set aside by conditional updates in the transaction of the mark, so that no number of senders spends
more; what then did not leave is given back. What a crash leaves set aside stays so until the day is over. The day of the
shop is locked first by all, so that senders which share numbers and ranges wait for each other and never in a circle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import connection, transaction

from recoup.core import attention
from recoup.customers.queries import address_hash
from recoup.messaging.handover import ShortMessage
from recoup.messaging.models import Message, SmsAccount
from recoup.messaging.reasons import Reason
from recoup.messaging.sender import ranges
from recoup.messaging.sender.limits import zone_of
from recoup.messaging.sender.records import End, Prepared

KIND = "messaging.money_spent"


@dataclass(frozen=True, slots=True)
class Stake:
    """What was set aside for one message."""

    shop_id: int
    day: date
    number_hash: bytes
    price: Decimal
    share: ranges.Share


NUMBERS_KEPT = timedelta(days=2)
_MOST_FORGOTTEN = 2_000


def set_aside(
    account: SmsAccount, messages: Sequence[Prepared], *, now: datetime
) -> tuple[dict[int, Stake], list[End]]:
    """Set aside what messages cost, in their order; return what they took, and the ends of those that must wait.

    Called in the transaction of the mark. Asks for a person as soon as the day's money is spent.
    """
    today, tomorrow = day_of(account, now)
    ranges.lock_day(account.shop_id, today)
    known = ranges.known_numbers(account.shop_id, messages)
    stakes: dict[int, Stake] = {}
    ends: list[End] = []
    # The day is locked: what has no place has none for the rest of these messages.
    too_dear: Decimal | None = None
    told: dict[ranges.Share, bool] = {}  # of ranges that are full
    had: set[bytes] = set()
    waited: set[int] = set()
    for one in messages:
        parcel = one.mail
        assert isinstance(parcel, ShortMessage)
        stake = _stake(account, today, parcel, is_known=parcel.recipient in known)
        is_hopeless = too_dear is not None and stake.price >= too_dear
        is_held = stake.share in told and stake.number_hash not in had
        reason: str = Reason.RANGE_CAP if is_held else Reason.COST_CAP
        if not (is_held or is_hopeless):
            reason = _take(stake, account)
        if not reason:
            stakes[one.message.id] = stake
            had.add(stake.number_hash)
            continue
        if reason == Reason.COST_CAP and not is_hopeless:
            too_dear = stake.price
            _tell(account, today, now)
        if reason == Reason.RANGE_CAP:
            if stake.share not in told:
                told[stake.share] = ranges.is_told(account.shop_id, today, stake.share)
                had |= _had_today(account, today, messages)
                waited |= ranges.waited(messages)
            if not (told[stake.share] or one.message.id in waited) and _can_wait(one, now):
                again = now + ranges.FIRST_WAIT
                ends.append(End(one.message.id, Message.State.DUE, reason, at=now, due_at=again, deferrals=1))
                continue
            if not told[stake.share]:
                ranges.tell(account, today, stake.share, now)
                told[stake.share] = True
        ends.append(_end(one, reason, tomorrow, now))
    _note_prices(messages, stakes)
    return stakes, ends


def pay_for(account: SmsAccount, parcel: ShortMessage, *, now: datetime) -> str:
    """Set aside what a single message costs that goes out past the lanes; return why it may not."""
    today, _ = day_of(account, now)
    with transaction.atomic():
        ranges.lock_day(account.shop_id, today)
        return _take(_stake(account, today, parcel, is_known=False), account)


def day_of(account: SmsAccount, now: datetime) -> tuple[date, datetime]:
    """Return the day on which money is counted, which is the shop's, and when it is over."""
    zone = zone_of(account.shop.time_zone)
    today = now.astimezone(zone).date()
    return today, datetime.combine(today + timedelta(days=1), time(), zone)


def ends_for_good(tomorrow: datetime, not_after: datetime) -> bool:
    """Tell whether a message that gets no place today is too late for one tomorrow."""
    return tomorrow >= not_after


def forget_numbers(*, now: datetime) -> int:
    """Delete what numbers and ranges got on days that are over wherever a shop is; return how many rows were gone."""
    gone = 0
    with connection.cursor() as cursor:
        for table in ("messaging_smsnumberday", "messaging_smsrangeday"):
            cursor.execute(
                f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE day < %s LIMIT %s)",  # noqa: S608 - ours
                [now.date() - NUMBERS_KEPT, _MOST_FORGOTTEN],
            )
            gone += int(cursor.rowcount)
    for kind in (KIND, ranges.KIND):  # there is nothing to look at any more
        attention.settle_before(kind, key=(now.date() - NUMBERS_KEPT).isoformat(), now=now)
    return gone


def _stake(account: SmsAccount, day: date, parcel: ShortMessage, *, is_known: bool) -> Stake:
    hashed = address_hash(account.shop_id, "sms", parcel.recipient)
    share = ranges.Share(ranges.prefix_of(parcel.recipient), is_known)
    return Stake(account.shop_id, day, hashed, parcel.price * parcel.parts, share)


def _had_today(account: SmsAccount, day: date, messages: Sequence[Prepared]) -> set[bytes]:
    """Return the numbers, of those of messages, that have had one today: they take no other place of their range."""
    hashes = [address_hash(account.shop_id, "sms", ranges.number_of(one)) for one in messages]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number_hash FROM messaging_smsnumberday"
            " WHERE shop_id = %s AND day = %s AND number_hash = ANY(%s) AND messages > 0",
            [account.shop_id, day, hashes],
        )
        return {bytes(row[0]) for row in cursor.fetchall()}


def _take(stake: Stake, account: SmsAccount) -> str:
    """Take a place of the number, of its range, and the money of the day; return why not, having taken nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_smsnumberday AS n (shop_id, day, number_hash, messages)"
            " SELECT %s, %s, %s, 1 WHERE %s > 0"
            " ON CONFLICT (shop_id, day, number_hash) DO UPDATE SET messages = n.messages + 1 WHERE n.messages < %s"
            " RETURNING messages",
            [stake.shop_id, stake.day, stake.number_hash, account.per_number_day, account.per_number_day],
        )
        row = cursor.fetchone()
        if row is None:
            return Reason.NUMBER_CAP
        if row[0] == 1 and not ranges.take(stake.shop_id, stake.day, stake.share):
            _set_number_free(stake)
            return Reason.RANGE_CAP
        cursor.execute(
            "INSERT INTO messaging_smsday AS d (shop_id, day, spent, messages)"
            " SELECT %s, %s, %s, 1 WHERE %s <= %s"
            " ON CONFLICT (shop_id, day) DO UPDATE SET spent = d.spent + excluded.spent, messages = d.messages + 1"
            " WHERE d.spent + excluded.spent <= %s",
            [stake.shop_id, stake.day, stake.price, stake.price, account.daily_cap, account.daily_cap],
        )
        if cursor.rowcount:
            return ""
    _free(stake)
    return Reason.COST_CAP


def _set_number_free(stake: Stake) -> int | None:
    """Give the place of a number back; return how many it keeps, nothing if it had none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_smsnumberday SET messages = messages - 1"
            " WHERE shop_id = %s AND day = %s AND number_hash = %s AND messages > 0 RETURNING messages",
            [stake.shop_id, stake.day, stake.number_hash],
        )
        row = cursor.fetchone()
    return int(row[0]) if row is not None else None


def _free(stake: Stake) -> None:
    """Give the place of a number back, and with its last one that of its range."""
    if _set_number_free(stake) == 0:
        ranges.free(stake.shop_id, stake.day, stake.share)


def give_back(stakes: Sequence[Stake]) -> None:
    """Free what was set aside for messages that certainly did not leave."""
    days = sorted({(stake.shop_id, stake.day) for stake in stakes})
    for shop_id, day in days:
        ranges.lock_day(shop_id, day)
    for stake in stakes:
        _free(stake)
    for shop_id, day in days:
        mine = [stake.price for stake in stakes if (stake.shop_id, stake.day) == (shop_id, day)]
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE messaging_smsday SET spent = greatest(spent - %s, 0), messages = greatest(messages - %s, 0)"
                " WHERE shop_id = %s AND day = %s",
                [sum(mine, Decimal(0)), len(mine), shop_id, day],
            )


def _can_wait(one: Prepared, now: datetime) -> bool:
    """Tell whether a message is not too late a minute from now."""
    return now + ranges.FIRST_WAIT < one.message.not_after - ranges.LAST_LOOK


def _end(one: Prepared, reason: str, tomorrow: datetime, now: datetime) -> End:
    message = one.message
    if reason == Reason.RANGE_CAP:  # somebody may let it go until it is too late
        until = min(tomorrow, message.not_after - ranges.LAST_LOOK)
        if until > now:
            return End(message.id, Message.State.DUE, reason, at=now, due_at=until, deferrals=1)
    if ends_for_good(tomorrow, message.not_after):
        return End(message.id, Message.State.CANCELLED, reason, at=now)
    return End(message.id, Message.State.DUE, reason, at=now, due_at=tomorrow, deferrals=1)


def _tell(account: SmsAccount, today: date, now: datetime) -> None:
    attention.ask(
        KIND,
        shop_id=account.shop_id,
        key=today.isoformat(),
        now=now,
        amount=str(account.daily_cap),
        currency=account.currency,
    )


def _note_prices(messages: Sequence[Prepared], stakes: dict[int, Stake]) -> None:
    for one in messages:
        parcel = one.mail
        if one.message.id in stakes and isinstance(parcel, ShortMessage):
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE messaging_message SET parts = %s, price = %s, price_currency = %s WHERE id = %s",
                    [parcel.parts, stakes[one.message.id].price, parcel.currency, one.message.id],
                )
