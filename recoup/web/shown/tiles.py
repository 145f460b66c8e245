"""The numbers of Home as tiles, each leading to exactly its rows."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from recoup.analytics.home import HomeTile, TileKey
from recoup.core import humane
from recoup.core.money import Money
from recoup.shops.access import Seat
from recoup.web.listing import shown_count
from recoup.web.parts import Tile, Words
from recoup.web.shown.figures import figure_url

_LABELS: dict[str, Words] = {
    "unpaid_now": gettext_lazy("Unpaid orders now"),
    "money_waiting": gettext_lazy("Waiting to be paid"),
    "reminders_due": gettext_lazy("Reminders within a day"),
    "sent_7_days": gettext_lazy("Reminders sent, 7 days"),
    "recovered_30_days": gettext_lazy("Recovered, 30 days"),
    "rate_30_days": gettext_lazy("Recovery rate, 30 days"),
    "uncertain": gettext_lazy("Uncertain messages"),
    "attention": gettext_lazy("Needs you"),
}
_AGAINST: dict[str, Words] = {
    "unpaid_now": gettext_lazy("against a week ago"),
    "money_waiting": gettext_lazy("against a week ago"),
    "reminders_due": gettext_lazy("against the last day"),
    "sent_7_days": gettext_lazy("against the 7 days before"),
    "recovered_30_days": gettext_lazy("against the 30 days before"),
    "rate_30_days": gettext_lazy("against the 30 days before"),
    "attention": gettext_lazy("against a week ago"),
}
_MORE_IS_GOOD = {"recovered_30_days", "rate_30_days"}
_MORE_IS_BAD = {"unpaid_now", "uncertain", "attention"}
HERO_FIRST: tuple[TileKey, ...] = (
    "recovered_30_days",
    "money_waiting",
    "rate_30_days",
    "unpaid_now",
    "reminders_due",
    "sent_7_days",
    "uncertain",
    "attention",
)


def tile_of(seat: Seat, number: HomeTile) -> Tile:
    """Return one number in words, with its change."""
    change, direction = _change(seat, number)
    tone = "neutral"
    if direction != "flat" and number.key in _MORE_IS_GOOD | _MORE_IS_BAD:
        is_good = (direction == "up") == (number.key in _MORE_IS_GOOD)
        tone = "recovered" if is_good else "failed"
    return Tile(
        label=_LABELS[number.key],
        value=_value(number),
        url=figure_url(seat.shop, number.rows),
        change=change,
        change_words=_AGAINST.get(number.key, "") if change else "",
        direction=direction,
        tone=tone,
        series=number.series,
        is_hero=number.key == "recovered_30_days",
    )


def _value(number: HomeTile) -> str:
    language = get_language() or "en"
    if number.money:
        return " · ".join(humane.money_whole(sum_, language) for sum_ in number.money)
    if number.count is not None:
        return shown_count(number.count)
    return humane.percent(number.share, language, 2)


def _change(seat: Seat, number: HomeTile) -> tuple[str, str]:
    """Return the change against the period before and its direction; nothing where nobody kept the period before."""
    language = get_language() or "en"
    if number.money:
        now, then = (_own(sums, seat.shop.currency) for sums in (number.money, number.previous_money))
        if not then:
            return "", "flat"
        return _signed(humane.percent(abs(now - then) / then, language), now - then)
    if number.share is not None and number.previous_share is not None:
        points = (number.share - number.previous_share) * 100
        shown = humane.number(round(abs(points), 1), language)
        return _signed(_("%(points)s points") % {"points": shown}, points)
    if number.count is not None and number.previous_count is not None and not number.count.is_capped:
        difference = number.count.number - number.previous_count
        return _signed(humane.number(abs(difference), language), Decimal(difference))
    return "", "flat"


def _own(sums: Sequence[Money], currency: str) -> Decimal:
    return next((sum_.amount for sum_ in sums if sum_.currency == currency), Decimal(0))


def _signed(shown: str, difference: Decimal) -> tuple[str, str]:
    if not difference:
        return _("no change"), "flat"
    return (f"+{shown}", "up") if difference > 0 else (f"−{shown}", "down")
