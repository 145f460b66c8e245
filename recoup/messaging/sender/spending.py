"""The guard before messages that cost money (R25): so many to a number and so much money a day, taken before they leave.

What is set aside is set aside by conditional updates in the transaction of the mark, so that no number of senders spends
more; what then did not leave is given back. What a crash leaves set aside stays so until the day is over.
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


NUMBERS_KEPT = timedelta(days=2)
_MOST_FORGOTTEN = 2_000


def set_aside(
    account: SmsAccount, messages: Sequence[Prepared], *, now: datetime
) -> tuple[dict[int, Stake], list[End]]:
    """Set aside what messages cost, in their order; return what they took, and the ends of those that must wait.

    Called in the transaction of the mark. Asks for a person as soon as the day's money is spent.
    """
    today, tomorrow = day_of(account, now)
    stakes: dict[int, Stake] = {}
    ends: list[End] = []
    too_dear: Decimal | None = (
        None  # the day is locked from the first refusal on: what costs as much has no place either
    )
    for one in messages:
        parcel = one.mail
        assert isinstance(parcel, ShortMessage)
        hashed = address_hash(account.shop_id, "sms", parcel.recipient)
        stake = Stake(account.shop_id, today, hashed, parcel.price * parcel.parts)
        is_hopeless = too_dear is not None and stake.price >= too_dear
        reason = Reason.COST_CAP if is_hopeless else _take(stake, account)
        if not reason:
            stakes[one.message.id] = stake
            continue
        if reason == Reason.COST_CAP and not is_hopeless:
            too_dear = stake.price
            _tell(account, today, now)
        ends.append(_end(one, reason, tomorrow, now))
    _note_prices(messages, stakes)
    return stakes, ends


def pay_for(account: SmsAccount, parcel: ShortMessage, *, now: datetime) -> str:
    """Set aside what a single message costs that goes out past the lanes; return why it may not."""
    today, _ = day_of(account, now)
    hashed = address_hash(account.shop_id, "sms", parcel.recipient)
    with transaction.atomic():
        return _take(Stake(account.shop_id, today, hashed, parcel.price * parcel.parts), account)


def day_of(account: SmsAccount, now: datetime) -> tuple[date, datetime]:
    """Return the day on which money is counted, which is the shop's, and when it is over."""
    zone = zone_of(account.shop.time_zone)
    today = now.astimezone(zone).date()
    return today, datetime.combine(today + timedelta(days=1), time(), zone)


def ends_for_good(tomorrow: datetime, not_after: datetime) -> bool:
    """Tell whether a message that gets no place today is too late for one tomorrow."""
    return tomorrow >= not_after


def forget_numbers(*, now: datetime) -> int:
    """Delete how many messages numbers got on days that are over wherever a shop is; return how many rows were gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM messaging_smsnumberday WHERE id IN"
            " (SELECT id FROM messaging_smsnumberday WHERE day < %s LIMIT %s)",
            [now.date() - NUMBERS_KEPT, _MOST_FORGOTTEN],
        )
        return int(cursor.rowcount)


def _take(stake: Stake, account: SmsAccount) -> str:
    """Take a place of the number and the money of the day; return why not, having taken nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_smsnumberday AS n (shop_id, day, number_hash, messages)"
            " SELECT %s, %s, %s, 1 WHERE %s > 0"
            " ON CONFLICT (shop_id, day, number_hash) DO UPDATE SET messages = n.messages + 1 WHERE n.messages < %s",
            [stake.shop_id, stake.day, stake.number_hash, account.per_number_day, account.per_number_day],
        )
        if not cursor.rowcount:
            return Reason.NUMBER_CAP
        cursor.execute(
            "INSERT INTO messaging_smsday AS d (shop_id, day, spent, messages)"
            " SELECT %s, %s, %s, 1 WHERE %s <= %s"
            " ON CONFLICT (shop_id, day) DO UPDATE SET spent = d.spent + excluded.spent, messages = d.messages + 1"
            " WHERE d.spent + excluded.spent <= %s",
            [stake.shop_id, stake.day, stake.price, stake.price, account.daily_cap, account.daily_cap],
        )
        if cursor.rowcount:
            return ""
    _free_number(stake)
    return Reason.COST_CAP


def _free_number(stake: Stake) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_smsnumberday SET messages = messages - 1"
            " WHERE shop_id = %s AND day = %s AND number_hash = %s AND messages > 0",
            [stake.shop_id, stake.day, stake.number_hash],
        )


def give_back(stakes: Sequence[Stake]) -> None:
    """Free what was set aside for messages that certainly did not leave."""
    for stake in sorted(stakes, key=lambda one: one.number_hash):
        _free_number(stake)
    for shop_id, day in sorted({(stake.shop_id, stake.day) for stake in stakes}):
        mine = [stake.price for stake in stakes if (stake.shop_id, stake.day) == (shop_id, day)]
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE messaging_smsday SET spent = greatest(spent - %s, 0), messages = greatest(messages - %s, 0)"
                " WHERE shop_id = %s AND day = %s",
                [sum(mine, Decimal(0)), len(mine), shop_id, day],
            )


def _end(one: Prepared, reason: str, tomorrow: datetime, now: datetime) -> End:
    message = one.message
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
