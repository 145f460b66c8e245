"""What a process brought, in words: never a number without the range in which the truth lies."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from recoup.analytics.arms import Split, SplitEffect
from recoup.analytics.effects import Effect, MoneyEffect
from recoup.analytics.intervals import Group, Interval
from recoup.analytics.profit import Worth
from recoup.core import humane
from recoup.core.money import Money
from recoup.offers.terms import Kind, Terms
from recoup.offers.words import discount_words
from recoup.web.parts import Words


def number(value: int) -> str:
    """Write a count."""
    return humane.number(value, _language())


def of_hundred(share: float) -> str:
    """Write a share as so many of a hundred: "21" or "2.4"."""
    hundred = Decimal(repr(share * 100))
    digits = Decimal(1) if abs(hundred) >= 10 else Decimal("0.1")
    return humane.number(hundred.quantize(digits, ROUND_HALF_UP).normalize() + 0, _language())


def about(people: int) -> str:
    """Write how many people are missing, without pretending to know it exactly: two digits that count."""
    rounded = people if people < 100 else int(Decimal(people).quantize(Decimal(10) ** (len(str(people)) - 2)))
    return number(rounded)


def share_words(share_bp: int) -> str:
    """Write a share in basis points: "10%" or "2.5%"."""
    return humane.percent(share_bp / 10_000, _language(), 0 if share_bp % 100 == 0 else 1)


def days_words(window: timedelta) -> str:
    """Write the window: "14 days"."""
    return ngettext("%(n)s day", "%(n)s days", window.days) % {"n": number(window.days)}


def people_range(interval: Interval) -> str:
    """Write how many more people paid: "36 to 72 more", "4 fewer to 30 more"."""
    return _range(interval.low, interval.high, lambda value: number(round(value)))


def hundred_range(interval: Interval) -> str:
    """Write how many more of a hundred paid."""
    return _range(interval.low, interval.high, lambda value: of_hundred(value / 100))


def _range(low: float, high: float, write: Callable[[float], str]) -> str:
    shown = {"low": write(abs(low)), "high": write(abs(high))}
    if low >= 0:
        return _("%(low)s to %(high)s more") % shown
    if high <= 0:
        return _("%(high)s to %(low)s fewer") % shown
    return _("%(low)s fewer to %(high)s more") % shown


def money_range(interval: Interval | None, currency: str) -> str:
    """Write what came in more because of it: "2,100 zł to 5,600 zł more"."""
    if interval is None:
        return _("unknown")
    return _range(interval.low, interval.high, lambda value: _money(value, currency))


def _money(value: float, currency: str) -> str:
    exact = abs(value) < 100
    amount = Decimal(repr(value)).quantize(Decimal("0.01") if exact else Decimal(1))
    write = humane.money if exact else humane.money_whole
    return write(Money(amount, currency), _language())


def way_name(split: Split, number: int) -> str:
    """Name a way: as the merchant does, or by its size."""
    if not split.sizes:
        return split.arms[number][1]
    size, currency = split.sizes[number], split.size_currency
    terms = Terms(Kind(split.size_kind), percent=size, amount=size, currency=currency)
    return discount_words(terms, currency, _language())


def least_sentence(effect: SplitEffect) -> str:
    """Say which way is the cheapest that is no worse, once that is sure; before, that it is not."""
    split, least = effect.split, effect.least
    if split.costs_later:
        return costs_later()
    if least is None:
        missing = max((arm.missing for arm in effect.arms), default=0)
        return (
            missing_sentence(missing)
            if missing
            else _("No answer yet: which is the least that helps is not sure.")
        )
    is_nothing = bool(split.sizes) and split.sizes[least.number] == 0
    shown = {"name": way_name(split, least.number)}
    if least.as_good_as is not None:
        shown["other"] = way_name(split, least.as_good_as)
        text = _("%(name)s brings as much profit as %(other)s: give %(name)s.")
        if is_nothing:
            text = _("Without an offer there is as much profit as with %(other)s: give nothing.")
    elif least.is_dearest:
        text = _("All that cost less bring less profit: give %(name)s.")
    elif is_nothing:
        text = _("All others bring less profit: give nothing.")
    else:
        text = _("%(name)s brings more profit than all that cost more: give %(name)s.")
    return text % shown


def costs_later() -> str:
    """Say that no profit names an offer for the next order."""
    return _(
        "What an offer takes off the next order is not counted here: the profit looks better than it is, and no size or way"
        " is named by it."
    )


def missing_sentence(missing: int) -> str:
    """Say that there is no answer, and how many more people it takes."""
    text = ngettext(
        "No answer yet: about %(n)s more person is needed.",
        "No answer yet: about %(n)s more people are needed.",
        missing,
    )
    return text % {"n": about(missing)}


def left_out(groups: Sequence[Worth], currency: str) -> list[str]:
    """Say what a profit does not know, and what stands in for what."""
    payers, unknown = sum(one.payers for one in groups), sum(one.unknown for one in groups)
    guessed, others = sum(one.guessed for one in groups), sum(one.others for one in groups)
    shown = {"currency": currency, "payers": number(payers)}
    found = []
    if unknown:
        text = _(
            "Of %(payers)s sales in %(currency)s, nobody knows what %(n)s left: their goods have no cost, or the fee or the"
            " order is in another currency. Set what goods cost, or a share that stands in for it, and the profit is told."
        )
        found.append(text % {**shown, "n": number(unknown)})
    elif guessed:
        text = _(
            "For %(n)s of %(payers)s sales in %(currency)s the share that you set stands in for what the goods cost."
        )
        found.append(text % {**shown, "n": number(guessed)})
    if others:
        text = _("%(n)s messages were paid in another currency than %(currency)s and are not counted.")
        found.append(text % {**shown, "n": number(others)})
    return found


def sentence(effect: Effect) -> str:
    """Say what came of it in words for people."""
    if not effect.has_control:
        return _("Unknown: nobody is left alone, so nobody can tell who would have paid anyway.")
    if effect.interval is None:
        return _still_unknown(effect)
    shown = {
        "treated": of_hundred(effect.treated.rate),
        "alone": of_hundred(effect.control.rate),
        "range": hundred_range(effect.interval.scaled(100)),
    }
    if effect.interval.low > 0:
        return (
            _(
                "Of 100 people it wrote to, %(treated)s paid; of 100 left alone, %(alone)s."
                " So it made %(range)s of 100 pay."
            )
            % shown
        )
    if effect.interval.high < 0:
        return (
            _(
                "Of 100 people it wrote to, %(treated)s paid; of 100 left alone, %(alone)s."
                " So %(range)s of 100 paid because of it: it does harm."
            )
            % shown
        )
    return (
        _(
            "Of 100 people it wrote to, %(treated)s paid; of 100 left alone, %(alone)s. That may still be chance: it"
            " brought %(range)s of 100."
        )
        % shown
    )


def _still_unknown(effect: Effect) -> str:
    text = ngettext(
        "Unknown yet: about %(n)s more person is needed before there is an answer.",
        "Unknown yet: about %(n)s more people are needed before there is an answer.",
        effect.missing,
    )
    return text % {"n": about(effect.missing)}


def tone(effect: Effect) -> str:
    """Return the hue of the answer."""
    if effect.interval is None or not effect.interval.is_clear:
        return "due" if effect.has_control else "neutral"
    return "recovered" if effect.interval.low > 0 else "failed"


def brought(effect: Effect) -> Words:
    """Write how many paid because of it, or that it is unknown."""
    return _("unknown") if effect.more_paid is None else people_range(effect.more_paid)


def brought_money(one: MoneyEffect) -> str:
    """Write the money that came in more because of it; of a currency in which too few paid it is unknown."""
    if one.in_all is None:
        return _("unknown in %(currency)s") % {"currency": one.currency}
    return money_range(one.in_all, one.currency)


def group(group: Group) -> str:
    """Write a group shortly: "945 of 4,500"."""
    return _("%(paid)s of %(people)s") % {"paid": number(group.paid), "people": number(group.people)}


def why_unknown(effect: Effect) -> Words:
    """Say shortly why there is no answer yet; nothing when there is one."""
    if effect.interval is not None:
        return ""
    if not effect.has_control:
        return _("Nobody is left alone.")
    return ngettext("About %(n)s more person needed.", "About %(n)s more people needed.", effect.missing) % {
        "n": about(effect.missing)
    }


def _language() -> str:
    return get_language() or "en"
