"""What the processes of a shop brought in a period, beside what they are credited with (O3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from recoup.analytics.credited import Credited, credited_to
from recoup.analytics.effects import SHORTEST_WINDOW, Effect, Scope, effect_of, window_of
from recoup.analytics.periods import Period
from recoup.processes.holdout import Stretch, stretches_of, stretches_of_shop
from recoup.processes.models import Process
from recoup.shops.models import Shop

# A shop's people come in by many processes; most of these are over by then.
SHOP_WINDOW = SHORTEST_WINDOW + timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Brought:
    """One process under one share, or the whole shop, over the people who came in during a period."""

    effect: Effect
    credited: Sequence[Credited]


def brought_in(shop: Shop, period: Period, *, kind: str = "", now: datetime) -> list[Brought]:
    """Return a line for each process and share with people in a period, and one for the whole shop if it leaves any alone.

    Whoever cuts a period out because of what it shows loses the promise of the interval (docs/decisions/0004).

    :param kind: processes about orders, or those about carts.
    """
    rows = Process.objects.filter(shop=shop, current_version__isnull=False)
    found = [
        line
        for process in rows.select_related("current_version", "shop").order_by("-priority", "name", "id")
        if _is_about(process, kind)
        for line in _of_process(process, period, now)
    ]
    if kind == "":
        found += _of_shop(shop, period, now)
    return found


def _is_about(process: Process, kind: str) -> bool:
    if not kind or process.current_version is None:
        return True
    is_cart = str(process.current_version.doc["entry"]["on"]).startswith("cart.")
    return is_cart == (kind == "cart")


def _of_process(process: Process, period: Period, now: datetime) -> list[Brought]:
    found = []
    for stretch in stretches_of(process):
        if not _meets(stretch, period):
            continue
        scope = Scope(process.shop, process, stretch, window_of(process), period.start, period.end)
        start, end = scope.judged_period(now)
        line = Brought(effect_of(scope, now=now), credited_to(process, start=start, end=end))
        if line.effect.treated.people or line.effect.control.people or line.credited:
            found.append(line)
    return found


def _of_shop(shop: Shop, period: Period, now: datetime) -> list[Brought]:
    return [
        Brought(effect_of(Scope(shop, None, stretch, SHOP_WINDOW, period.start, period.end), now=now), ())
        for stretch in stretches_of_shop(shop)
        if stretch.share_bp and _meets(stretch, period)
    ]


def _meets(stretch: Stretch, period: Period) -> bool:
    """Tell whether people of a stretch may have come in during a period; some came shortly before it was noted."""
    is_over = stretch.ended_at is not None and stretch.ended_at <= period.start
    return not is_over and (stretch.since is None or stretch.since < period.end)
