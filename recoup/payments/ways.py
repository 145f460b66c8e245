"""By which ways an order can be paid now: its source's own link, or sessions of ours (C2, C9, C10)."""

from dataclasses import dataclass
from decimal import Decimal

import structlog

from recoup.orders.models import Order
from recoup.payments.adapters import OperatorUnknown, operator
from recoup.payments.models import OperatorAccount
from recoup.payments.ports import OperatorUnavailable
from recoup.shops.adapters import PlatformUnknown, platform
from recoup.shops.addresses import is_own_address
from recoup.shops.models import Source

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Way:
    """One method of one account."""

    account: OperatorAccount
    method: str

    @property
    def code(self) -> str:
        """Return what the form posts."""
        return f"{self.account.pk}-{self.method}"


@dataclass(frozen=True, slots=True)
class Ways:
    """How an order can be paid: followed to its source, or by one of our ways; by neither, a clone or the phone is left.

    `is_silent`: nobody could say a way just now, for an operator did not answer.
    """

    follow_url: str = ""
    ways: tuple[Way, ...] = ()
    is_silent: bool = False

    def find(self, code: str) -> Way | None:
        """Return the way of a code, or `None` if it is not offered."""
        return next((way for way in self.ways if way.code == code), None)


def ways_to_pay(order: Order, amount: Decimal) -> Ways:
    """Return how this sum of an order can be paid.

    An order with a pay link of its source is paid by that, never by a session of ours; a link that leads anywhere but to
    the source's host leads nowhere.
    """
    if is_own_address(order.source, order.pay_url):
        return Ways(follow_url=order.pay_url)
    if order.pay_url or _pays_itself(order.source):
        return Ways()
    return _our_ways(order.shop_id, amount, order.currency)


def ways_anew(source: Source, amount: Decimal, currency: str) -> Ways:
    """Return how an order over this sum, placed on our own pages with the goods of a source, could be paid here."""
    return Ways() if _pays_itself(source) else _our_ways(source.shop_id, amount, currency)


def least_payable(order: Order) -> Decimal:
    """Return the smallest sum that some way of ours takes for an order; 0 where none says one."""
    accounts = OperatorAccount.objects.filter(
        shop_id=order.shop_id, role=OperatorAccount.Role.INITIATOR, is_active=True
    )
    found = []
    for account in accounts:
        try:
            abilities = operator(account.kind).abilities(account)
        except (OperatorUnavailable, OperatorUnknown):
            continue
        if abilities.opens_sessions:
            found.append(abilities.least.get(order.currency, Decimal(0)))
    return min(found, default=Decimal(0))


def _our_ways(shop_id: int, amount: Decimal, currency: str) -> Ways:
    accounts = OperatorAccount.objects.filter(
        shop_id=shop_id, role=OperatorAccount.Role.INITIATOR, is_active=True
    ).order_by("position", "id")
    told = [_ways_of(account, amount, currency) for account in accounts]
    found = tuple(way for ways in told for way in ways.ways)
    return Ways(ways=found, is_silent=not found and any(ways.is_silent for ways in told))


def _pays_itself(source: Source) -> bool:
    try:
        return platform(source.kind).capabilities.pays_itself
    except PlatformUnknown:
        return False


def _ways_of(account: OperatorAccount, amount: Decimal, currency: str) -> Ways:
    try:
        abilities = operator(account.kind).abilities(account)
    except (OperatorUnavailable, OperatorUnknown) as error:
        log.warning("payments.account.left_out", account_id=account.pk, error=type(error).__name__)
        return Ways(is_silent=isinstance(error, OperatorUnavailable))
    methods = abilities.methods if abilities.takes(amount, currency) else ()
    return Ways(ways=tuple(Way(account, method) for method in methods))
