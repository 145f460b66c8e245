"""Offers in the words of staff."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recoup.core import humane
from recoup.offers import reasons
from recoup.offers.previewing import Left, Reckoning


def margin_words(share: Decimal | None, language: str) -> str:
    """Return a margin, or that it is not known."""
    return humane.percent(share, language) if share is not None else _("not known")


def reckoning_lines(found: Reckoning, language: str) -> list[str]:
    """Return what an offer would leave, in sentences."""
    lines = [_product_line(left, language) for left in found.products]
    if found.reason:
        lines.insert(
            0, _("It would be granted to nobody: %(reason)s.") % {"reason": reasons.words(found.reason)}
        )
    if found.orders:
        lines.append(_orders_line(found, language))
        lines += [
            _("Not granted to %(count)d of them: %(reason)s.")
            % {"count": count, "reason": reasons.words(str(refusal))}
            for refusal, count in sorted(found.refusals.items())
        ]
    if found.lowest_margin is not None:
        lines.append(
            _("The lowest margin left would be %(margin)s; your floor is %(floor)s.")
            % {
                "margin": humane.percent(found.lowest_margin, language),
                "floor": humane.percent(found.floor / 100, language),
            }
        )
    if found.share is not None and (found.guessed or any(left.is_guessed for left in found.products)):
        lines.append(
            _(
                "Where nobody has said what goods cost, %(share)s of their price stands in (%(count)s of these orders)."
            )
            % {
                "share": humane.percent(found.share / 100, language),
                "count": humane.number(found.guessed, language),
            }
        )
    if found.cost_is_unknown:
        lines.append(
            _(
                "What your goods cost is not set: nothing is granted on products without a cost of their own. Say a share"
                " under Settings, Offers."
            )
        )
    if not lines and found.is_for_next:
        return [_("No order was paid yet, so there is nothing to reckon with.")]
    return lines or [_("No order waits for its payment now, so there is nothing to reckon with yet.")]


def _orders_line(found: Reckoning, language: str) -> str:
    if found.is_for_next:
        words = ngettext(
            "Of the %(orders)d order that was paid last, %(granted)d would have carried it; it would have cost %(cost)s.",
            "Of the %(orders)d orders that were paid last, %(granted)d would have carried it; they would have cost"
            " %(cost)s.",
            found.orders,
        )
    else:
        words = ngettext(
            "Of the %(orders)d order that waits for its payment now, %(granted)d would get it; it would cost %(cost)s"
            " if it were used.",
            "Of the %(orders)d orders that wait for their payment now, %(granted)d would get it; they would cost"
            " %(cost)s if all were used.",
            found.orders,
        )
    return words % {
        "orders": found.orders,
        "granted": found.granted,
        "cost": humane.money(found.cost, language),
    }


def foreseen_lines(
    reason: str, lefts: Sequence[Left], is_guessed: bool, share: Decimal | None, language: str
) -> list[str]:
    """Return what an offer by hand would leave, in sentences; the reason first if it would be refused."""
    lines = [_("It would not be granted: %(reason)s.") % {"reason": reasons.words(reason)}] if reason else []
    lines += [_product_line(left, language) for left in lefts if not (reason and left.refusal is not None)]
    if is_guessed and share is not None:
        lines.append(
            _("What some of the goods cost is not known; %(share)s of their price stands in for it.")
            % {"share": humane.percent(share / 100, language)}
        )
    if not lines:
        lines.append(
            _("It is held against your margin floor when they pay: a small order may get less of it.")
        )
    return lines


def _product_line(left: Left, language: str) -> str:
    values = {
        "name": left.name,
        "before": humane.money(left.before, language),
        "margin": margin_words(left.margin_before, language),
    }
    if left.refusal is not None or left.after is None:
        return _("%(name)s at %(before)s: not granted. %(reason)s.") % {
            **values,
            "reason": reasons.words(str(left.refusal)),
        }
    return _("%(name)s: %(before)s becomes %(after)s, margin %(margin)s becomes %(left)s.") % {
        **values,
        "after": humane.money(left.after, language),
        "left": margin_words(left.margin_after, language),
    }
