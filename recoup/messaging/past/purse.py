"""The guard of money (`sender.spending`) over days that are long gone: so many to a number, so much in a day.

Ranges of numbers (`sender.ranges`) are left out: whoever is not attacked never comes to their limits.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from recoup.messaging.models import SmsAccount
from recoup.messaging.reasons import Reason
from recoup.messaging.sender.spending import day_of


class Stake(NamedTuple):
    """What was set aside for one message."""

    day: date
    number: str
    amount: Decimal


@dataclass(slots=True)
class Purse:
    """What a shop may spend, and what it has spent: by this process in thought, by the others in truth."""

    account: SmsAccount
    spent: defaultdict[date, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    numbers: Counter[tuple[date, str]] = field(default_factory=Counter)
    refused: int = 0
    """How often the day's money was spent: who comes first is then no more than a guess."""

    @classmethod
    def of(cls, account: SmsAccount, spent: Mapping[date, Decimal]) -> "Purse":
        """Return the purse of a shop with what others have spent."""
        return cls(account, defaultdict(Decimal, spent))

    def take(self, number: str, amount: Decimal, now: datetime, *, others: int = 0) -> Stake | str:
        """Set aside what a message costs, or return why not, having taken nothing.

        :param others: how many messages of others the number has had today.
        """
        today, _ = day_of(self.account, now)
        if self.numbers[today, number] + others >= self.account.per_number_day:
            return Reason.NUMBER_CAP
        if self.spent[today] + amount > self.account.daily_cap:
            self.refused += 1
            return Reason.COST_CAP
        self.numbers[today, number] += 1
        self.spent[today] += amount
        return Stake(today, number, amount)

    def give_back(self, stake: Stake) -> None:
        """Free what was set aside for a message that does not go."""
        self.numbers[stake.day, stake.number] -= 1
        self.spent[stake.day] -= stake.amount
