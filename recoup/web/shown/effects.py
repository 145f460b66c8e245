"""What a process brought, as tables, a chart and sentences: every number leads to its rows."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from babel.dates import format_date
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.analytics.arms import ArmEffect, SplitEffect, costs_later
from recoup.analytics.credited import Credited
from recoup.analytics.effect_rows import Person, Who
from recoup.analytics.effects import Effect, ProfitEffect, Scope
from recoup.analytics.intervals import Sums
from recoup.analytics.profit import Worth
from recoup.core import humane
from recoup.core.money import Money
from recoup.processes.holdout import Stretch
from recoup.processes.models import Process
from recoup.shops.access import Seat
from recoup.web import parts
from recoup.web.answers import place
from recoup.web.effect_screens import CountedRow, EffectPage, GroupRow, PersonRow, SplitPart
from recoup.web.listing import with_query
from recoup.web.screens import Action, CountLink
from recoup.web.shown.figures import credited_url
from recoup.web.words import effects as words

MOST_LOOKS = 60  # points of the chart; the days between them say nothing new


def result_actions(seat: Seat, process: Process) -> list[Action]:
    """Return the button that leads to what a process brought."""
    if process.current_version_id is None:
        return []
    return [
        Action(
            _("What it brought"), "chart-column", url=place(seat, "process_result", process.pk), tone="ghost"
        )
    ]


def effect_page(
    seat: Seat,
    effect: Effect,
    *,
    now: datetime,
    credited: Sequence[Credited] = (),
    splits: Sequence[SplitEffect] = (),
    profit: Sequence[ProfitEffect] = (),
) -> EffectPage:
    """Return all that the page of an effect shows."""
    return EffectPage(
        sentence=words.sentence(effect),
        tone=words.tone(effect),
        note=_note(effect),
        groups=_groups(seat, effect, profit),
        counted=_counted(effect, credited, now),
        facts=_facts(seat, effect),
        chart=_chart(effect),
        splits=[_split(seat, one) for one in splits],
        left_out=([words.costs_later()] if profit and _costs_later(effect.scope) else [])
        + [line for one in profit for line in words.left_out([one.treated, one.control], one.currency)],
    )


def _costs_later(scope: Scope) -> bool:
    running = scope.process.current_version if scope.process is not None else None
    return running is not None and costs_later(running.doc, running.doc["entry"]["first"])


def _note(effect: Effect) -> str:
    if effect.interval is None:
        return ""
    return _(
        "The range is right however often you look at it, in 95 of 100 cases. It gets narrower as more people come in."
    )


def people_url(seat: Seat, scope: Scope, who: Who) -> str:
    """Return the people whom a number counts."""
    path = (
        place(seat, "process_people", scope.process.pk)
        if scope.process is not None
        else place(seat, "shop_people")
    )
    values = {"who": who.value, "stretch": scope.stretch.after or ""}
    if scope.is_cut:
        values |= {"start": scope.start.isoformat(), "end": scope.end.isoformat()}
    return with_query(path, values)


def _groups(seat: Seat, effect: Effect, profit: Sequence[ProfitEffect]) -> list[GroupRow]:
    rows = [
        (
            _("It wrote to"),
            effect.treated,
            Who.TREATED,
            Who.TREATED_PAID,
            [one.treated for one in effect.money],
            [worth_words(one.treated, one.currency) for one in profit],
            [words.money_range(one.interval, one.currency) for one in profit if one.treated.is_known],
        ),
        (
            _("Left alone"),
            effect.control,
            Who.ALONE,
            Who.ALONE_PAID,
            [one.control for one in effect.money],
            [worth_words(one.control, one.currency) for one in profit],
            [],
        ),
    ]
    return [
        GroupRow(
            label=label,
            people=CountLink(words.number(group.people), people_url(seat, effect.scope, who)),
            paid=CountLink(words.number(group.paid), people_url(seat, effect.scope, paid)),
            rate=words.of_hundred(group.rate) if group.people else humane.NO_VALUE,
            money=[mean_words(sums, one.currency) for sums, one in zip(money, effect.money, strict=True)],
            profit=worth,
            profit_difference=more,
        )
        for label, group, who, paid, money, worth, more in rows
    ]


def mean_words(sums: Sums, currency: str) -> str:
    """Write what one person paid on average."""
    if not sums.people:
        return humane.NO_VALUE
    return humane.money(Money(Decimal(repr(sums.mean)).quantize(Decimal("0.01")), currency), _language())


def worth_words(worth: Worth, currency: str) -> str:
    """Write what one person was worth on average; unknown where what some sales left is."""
    return _("unknown") if worth.unknown else mean_words(worth.sums, currency)


def _counted(effect: Effect, credited: Sequence[Credited], now: datetime) -> list[CountedRow]:
    found = []
    if effect.scope.process is not None:
        found.append(
            CountedRow(
                _("Credited"),
                CountLink(words.number(sum(one.cases for one in credited)), credited_url(effect.scope, now)),
                [humane.money(one.money, _language()) for one in credited],
                _("Paid after a message of this process. Some of them would have paid anyway."),
            )
        )
    found.append(
        CountedRow(
            _("Brought"),
            CountLink(words.brought(effect), "#groups"),
            [words.brought_money(one) for one in effect.money],
            words.why_unknown(effect)
            or _("Paid more than as many people who were left alone. This is what it is worth."),
        )
    )
    return found


def _facts(seat: Seat, effect: Effect) -> list[tuple[parts.Words, CountLink]]:
    days = words.days_words(effect.scope.window)
    lines = [
        (_("Came in less than %(days)s ago") % {"days": days}, effect.young[0], Who.TREATED_YOUNG),
        (_("Of those left alone, less than %(days)s ago") % {"days": days}, effect.young[1], Who.ALONE_YOUNG),
        (_("Had paid before they came in"), effect.paid_before, Who.PAID_BEFORE),
        (_("Left alone, but a colleague wrote to them"), effect.written_by_hand, Who.BY_HAND),
    ]
    return [
        (label, CountLink(words.number(count), people_url(seat, effect.scope, who)))
        for label, count, who in lines
        if count
    ]


def _chart(effect: Effect) -> parts.Chart | None:
    looks = [(look.day, look.interval) for look in effect.looks if look.interval is not None]
    if len(looks) < 2:
        return None  # one point is no line
    step = -(-len(looks) // MOST_LOOKS)
    chosen = [look for number, look in enumerate(looks) if (len(looks) - 1 - number) % step == 0]
    days, intervals = [day for day, _interval in chosen], [interval for _day, interval in chosen]
    return parts.Chart(
        title=_("How many more of 100 paid"),
        labels=[_day_words(day, "d MMM") for day in days],
        titles=[_day_words(day, "long") for day in days],
        series=[
            _series(_("At most"), [one.high for one in intervals], "neutral"),
            _series(_("Best guess"), [one.estimate for one in intervals], "recovered"),
            _series(_("At least"), [one.low for one in intervals], "neutral"),
        ],
        summary=words.sentence(effect),
        period_label=_("Day"),
    )


def _series(name: str, values: Sequence[float], tone: str) -> parts.ChartSeries:
    return parts.ChartSeries(
        name,
        [round(value * 100, 2) for value in values],
        [words.of_hundred(value) for value in values],
        tone=tone,
        kind="line",
    )


def _day_words(day: date, pattern: str) -> str:
    language = _language()
    if pattern == "d MMM" and language.startswith("de"):
        pattern = "d. MMM"
    return format_date(day, pattern, locale=humane.locale_of(language))


def _split(seat: Seat, effect: SplitEffect) -> SplitPart:
    chosen = _chosen(effect)
    since = _("Since version %(number)d. Everybody is judged %(days)s after they came to it.") % {
        "number": effect.split.first_version,
        "days": words.days_words(effect.split.window),
    }
    is_of_sizes = bool(effect.split.sizes)
    return SplitPart(
        title=effect.split.label
        or (_("Sizes of the offer against each other") if is_of_sizes else _("Ways against each other")),
        sentence=words.least_sentence(effect)
        if is_of_sizes or effect.least is not None
        else _split_sentence(effect),
        since=since,
        rows=[_arm(seat, effect, arm, is_winner=arm.number == chosen) for arm in effect.arms],
        left_out=([words.costs_later()] if effect.split.costs_later and not is_of_sizes else [])
        + [
            line
            for place, one in enumerate(effect.arms[0].profit)
            for line in words.left_out([arm.profit[place].worth for arm in effect.arms], one.currency)
        ],
        is_of_sizes=is_of_sizes,
    )


def _chosen(effect: SplitEffect) -> int | None:
    """Return the way to be taken: that of the least that helps; where nothing is spent, that which more people pay on."""
    if effect.least is not None:
        return effect.least.number
    winner = effect.winner
    return winner.number if winner is not None and not effect.is_paid_for else None


def _split_sentence(effect: SplitEffect) -> str:
    winner = effect.winner
    if winner is not None:
        text = _("%(name)s brings more than %(others)s. You may take it for everybody.")
        if effect.is_paid_for:
            text = _(
                "More people pay on %(name)s than on %(others)s. Whether it brings more profit is not sure yet."
            )
        first = effect.arms[0].name if winner.number else _("all others")
        return text % {"name": winner.name, "others": first}
    missing = max((arm.missing for arm in effect.arms), default=0)
    if missing:
        return words.missing_sentence(missing)
    more = max((arm.more_to_see for arm in effect.arms), default=0)
    if more:
        text = ngettext(
            "No difference seen yet. To see one of 3 in 100 takes about %(n)s more person.",
            "No difference seen yet. To see one of 3 in 100 takes about %(n)s more people.",
            more,
        )
        return text % {"n": words.about(more)}
    return _("No difference seen. If there is one, it is smaller than 3 in 100.")


def _arm(seat: Seat, effect: SplitEffect, arm: ArmEffect, *, is_winner: bool) -> GroupRow:
    split = effect.split
    url = place(seat, "process_people", split.process.pk)
    mine = {"split": split.block, "way": arm.number or "0"}
    action = None
    if seat.may(Right.EDIT_PROCESSES):
        action = Action(
            _("Draft with this size") if split.sizes else _("Draft with this way"),
            "pencil",
            url=place(seat, "process_take_way", split.process.pk),
            is_post=True,
            tone="primary" if is_winner else "",
            fields=[("block", split.block), ("way", arm.id)],
        )
    return GroupRow(
        label=words.way_name(split, arm.number),
        people=CountLink(words.number(arm.group.people), with_query(url, mine)),
        paid=CountLink(words.number(arm.group.paid), with_query(url, {**mine, "paid": "1"})),
        rate=words.of_hundred(arm.group.rate) if arm.group.people else humane.NO_VALUE,
        money=[mean_words(one.sums, one.currency) for one in arm.money],
        difference=_difference(effect, arm),
        profit=[worth_words(one.worth, one.currency) for one in arm.profit],
        profit_difference=[
            words.money_range(one.interval, one.currency)
            for one in arm.profit
            if arm.number and one.worth.is_known
        ],
        detail=ngettext("%(n)s person not judged yet", "%(n)s people not judged yet", arm.young)
        % {"n": words.number(arm.young)}
        if arm.young
        else "",
        action=action,
    )


def _difference(effect: SplitEffect, arm: ArmEffect) -> str:
    if arm.number == 0:
        return _("compared with this one")
    if arm.interval is None:
        return _("unknown")
    shown = {
        "range": words.hundred_range(arm.interval.scaled(100)),
        "name": words.way_name(effect.split, 0),
    }
    return _("%(range)s of 100 than %(name)s") % shown


def stretch_words(stretch: Stretch) -> str:
    """Write a time in which the share was the same: "10% since 12 Nov 2026"."""
    zone, language = timezone.get_current_timezone(), _language()
    shown = {
        "share": words.share_words(stretch.share_bp),
        "since": humane.day(stretch.since, zone, language) if stretch.since else "",
        "end": humane.day(stretch.ended_at, zone, language) if stretch.ended_at else "",
    }
    if stretch.since and stretch.ended_at:
        return _("%(share)s from %(since)s to %(end)s") % shown
    if stretch.since:
        return _("%(share)s since %(since)s") % shown
    return (
        _("%(share)s until %(end)s") % shown
        if stretch.ended_at
        else _("%(share)s from the beginning") % shown
    )


def lead_words(scope: Scope, now: datetime) -> str:
    """Say who is counted."""
    zone, language = timezone.get_current_timezone(), _language()
    last = humane.day(now - scope.window - timedelta(microseconds=1), zone, language)
    return _("People who came in until %(day)s, so that everybody had %(days)s to pay.") % {
        "day": last,
        "days": words.days_words(scope.window),
    }


def person_rows(seat: Seat, people: Sequence[Person]) -> list[PersonRow]:
    """Return people as rows that lead to them and to what they came in with."""
    return [
        PersonRow(
            name=one.name or _("Unknown"),
            url=place(seat, "customer", one.contact_id) if seat.may(Right.SEE_CUSTOMERS) else "",
            subject=_subject(one),
            subject_url=place(seat, "order", one.subject_id)
            if one.subject_kind == 1 and seat.may(Right.SEE_ORDERS)
            else "",
            entered_at=one.entered_at,
            is_alone=one.is_alone,
            paid_at=one.paid_at,
        )
        for one in people
    ]


def _subject(one: Person) -> str:
    if one.subject_kind == 1:
        return _("Order %(number)s") % {"number": one.number}
    return _("Cart") if one.subject_kind == 2 else ""


def _language() -> str:
    return get_language() or "en"
