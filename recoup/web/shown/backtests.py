"""A process that was tried on past orders, in words: what would have gone, and what nobody can know."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from babel.dates import format_date
from django.utils import timezone
from django.utils.translation import get_language, ngettext, npgettext
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.core import humane
from recoup.core.money import Money
from recoup.orders.models import Cart, Order
from recoup.processes.backtest.result import BlockNumbers, Result, Sample
from recoup.processes.backtest.runs import document_of
from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.picture import draw
from recoup.processes.models import BacktestRun, Process, ProcessVersion
from recoup.shops.access import Seat
from recoup.web import parts, screens
from recoup.web.answers import place
from recoup.web.backtest_screens import BlockRow, ResultPage, RunRow, SampleRow, UnknownRow
from recoup.web.shown import tried_messages
from recoup.web.shown.people import clerk_names
from recoup.web.words import backtests as words
from recoup.web.words import nodes as node_words
from recoup.web.words import steps

State = BacktestRun.State


def try_actions(seat: Seat, process: Process) -> list[screens.Action]:
    """Return the button that leads to trying a process, for those who may change it."""
    if not seat.may(Right.EDIT_PROCESSES):
        return []
    return [
        screens.Action(
            _("Try on a customer"), "user-check", url=place(seat, "process_walk", process.pk), tone="ghost"
        ),
        screens.Action(
            _("Try on past orders"), "history", url=place(seat, "backtest_new", process.pk), tone="ghost"
        ),
    ]


def run_rows(seat: Seat, runs: Sequence[BacktestRun]) -> list[RunRow]:
    """Return the runs of a process as a list."""
    names = clerk_names([run.made_by for run in runs])
    return [
        RunRow(
            title=period_words(run),
            what=tried_words(run),
            url=place(seat, "backtest", run.process_id, run.pk),
            state=State(run.state).label,
            at=run.created_at,
            who=names.get(run.made_by or 0, ""),
        )
        for run in runs
    ]


def period_words(run: BacktestRun) -> str:
    """Return the days that a run was asked for."""
    zone, language = timezone.get_current_timezone(), get_language() or "en"
    last = run.until - timedelta(microseconds=1)
    return f"{humane.day(run.since, zone, language)} – {humane.day(last, zone, language)}"


def tried_words(run: BacktestRun) -> str:
    """Return what a run tries: the draft as it was then, or a version."""
    return _("Draft") if run.version is None else version_words(run.version)


def version_words(version: ProcessVersion) -> str:
    """Return the name of a version."""
    return _("Version %(number)s") % {"number": version.number}


def trouble_words(run: BacktestRun) -> str:
    """Return why a run came to nothing."""
    if run.trouble == "killed":
        return _(
            "It was cut off three times. Try fewer days; if that fails too, tell whoever runs this server."
        )
    return _("Something in this process could not be worked out. Nothing was sent and nothing was changed.")


def result_page(seat: Seat, run: BacktestRun) -> ResultPage:
    """Return a result in words."""
    result = Result.from_json(run.result)
    document = document_of(run)
    is_about_carts = document.entry.subject is SubjectKind.CART
    return ResultPage(
        sentence=_sentence(result, is_about_carts=is_about_carts),
        tiles=_tiles(result, is_about_carts=is_about_carts),
        chart=_chart(result),
        blocks=_blocks(result, document),
        facts=_facts(result),
        turned_away=[
            (words.refusal(reason), _number(count)) for reason, count in _largest(result.turned_away)
        ],
        unknown=[
            UnknownRow(*words.unknown(one.code), _number(one.count) if one.count else "")
            for one in result.unknown
        ],
        samples=_samples(seat, result.samples),
        is_about_carts=is_about_carts,
        channels=tried_messages.channel_rows(result),
        classes=tried_messages.class_rows(result),
        left_out=tried_messages.left_out_links(seat, run, result),
        languages=tried_messages.language_rows(seat, result),
    )


def _number(count: int) -> str:
    return humane.number(count, get_language() or "en")


def _largest(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _sentence(result: Result, *, is_about_carts: bool) -> str:
    """Say it all in one sentence."""
    if is_about_carts:
        orders = npgettext("of how many", "%(n)s cart", "%(n)s carts", result.orders)
        paid = ngettext(
            "%(n)s had ordered by themselves before the first one",
            "%(n)s had ordered by themselves before the first one",
            result.paid_before_first,
        )
    else:
        orders = npgettext("of how many", "%(n)s order", "%(n)s orders", result.orders)
        paid = ngettext(
            "%(n)s had paid by themselves before the first one",
            "%(n)s had paid by themselves before the first one",
            result.paid_before_first,
        )
    if not result.orders:
        return (
            _("There is no cart in these days to try it on.")
            if is_about_carts
            else _("There is no order in these days to try it on.")
        )
    if not result.messages:
        return _("Of %(orders)s, nobody would have got a message.") % {
            "orders": orders % {"n": _number(result.orders)}
        }
    people = ngettext("%(n)s person would have got", "%(n)s people would have got", result.written_to)
    messages = npgettext("would have got", "%(n)s message", "%(n)s messages", result.messages)
    return _("Of %(orders)s, %(people)s %(messages)s; %(paid)s.") % {
        "orders": orders % {"n": _number(result.orders)},
        "people": people % {"n": _number(result.written_to)},
        "messages": messages % {"n": _number(result.messages)},
        "paid": paid % {"n": _number(result.paid_before_first)},
    }


def _tiles(result: Result, *, is_about_carts: bool) -> list[parts.Tile]:
    control = ngettext(
        "%(n)s in the control group gets none", "%(n)s in the control group get none", result.control
    )
    return [
        parts.Tile(
            _("People written to"),
            _number(result.written_to),
            "#per-block",
            change_words=control % {"n": _number(result.control)} if result.control else "",
        ),
        parts.Tile(_("Messages"), _number(result.messages), "#per-channel", change_words=_cost_words(result)),
        parts.Tile(
            _("Ordered by themselves first") if is_about_carts else _("Paid by themselves first"),
            _number(result.paid_before_first),
            "#details",
            change_words=_("before any message"),
        ),
        parts.Tile(
            _("Ordered after a message") if is_about_carts else _("Paid after a message"),
            _number(result.paid_after),
            "#unknown",
            change_words=_("whether because of it, nobody knows"),
        ),
    ]


def _cost_words(result: Result) -> str:
    costs: dict[str, Decimal] = {}
    for channel in result.channels:
        for currency, cost in channel.costs.items():
            costs[currency] = costs.get(currency, Decimal(0)) + Decimal(cost)
    if not costs:
        return ""
    return _("they would have cost %(sum)s") % {
        "sum": tried_messages.costs_words({currency: str(cost) for currency, cost in sorted(costs.items())})
    }


def _chart(result: Result) -> parts.Chart:
    days = _every_day(result.by_day)
    counts = [result.by_day.get(day.isoformat(), 0) for day in days]
    shown = [_number(count) for count in counts]
    return parts.Chart(
        title=_("Messages per day"),
        labels=[_day(day, "d MMM") for day in days],
        titles=[_day(day, "full") for day in days],
        series=[parts.ChartSeries(_("Messages"), [float(count) for count in counts], shown, tone="neutral")],
        summary=_chart_summary(result),
        period_label=_("Day"),
    )


def _every_day(by_day: dict[str, int]) -> list[date]:
    """Return all days from the first message to the last one, empty ones among them."""
    if not by_day:
        return []
    known = sorted(date.fromisoformat(day) for day in by_day)
    return [known[0] + timedelta(days=number) for number in range((known[-1] - known[0]).days + 1)]


def _chart_summary(result: Result) -> str:
    if not result.by_day:
        return _("No message would have gone.")
    day, most = max(result.by_day.items(), key=lambda pair: (pair[1], pair[0]))
    words = ngettext(
        "%(n)s message on the busiest day, %(day)s.", "%(n)s messages on the busiest day, %(day)s.", most
    )
    return words % {
        "n": _number(most),
        "day": humane.long_day(date.fromisoformat(day), get_language() or "en"),
    }


def _day(day: date, pattern: str) -> str:
    language = get_language() or "en"
    if pattern == "d MMM" and language.startswith("de"):
        pattern = "d. MMM"
    return format_date(day, pattern, locale=humane.locale_of(language))


def _blocks(result: Result, document: ProcessDocument) -> list[BlockRow]:
    picture = draw(document)
    ordinals = node_words.message_numbers(picture)
    total = max(ordinals.values(), default=0)
    nodes = {node.id: node for node in picture.nodes}
    return [
        BlockRow(
            title=node_words.title(nodes[block.node], ordinals.get(block.node, 0), total),
            messages=_number(_went(block)) if nodes[block.node].kind == "send" else "",
            ends=_ends(block),
        )
        for block in result.blocks
        if block.node in nodes and (block.outcomes or nodes[block.node].kind == "send")
    ]


def _went(block: BlockNumbers) -> int:
    return sum(count for code, count in block.messages.items() if code in (Code.SENT, Code.UNCERTAIN))


def _ends(block: BlockNumbers) -> list[tuple[str, str]]:
    """Return how everybody went on from a block; that a message was planned is said by how it ended."""
    counts = {
        code: count
        for code, count in [*block.outcomes.items(), *block.messages.items()]
        if code not in (Code.QUEUED, Code.SENT)
    }
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(steps.outcome(Code(code)), _number(count)) for code, count in ordered]


def _facts(result: Result) -> list[tuple[str, str]]:
    lines = [
        (_("Came in"), result.entered),
        (_("People"), result.people),
        (_("In the control group"), result.control),
        (_("Messages after a payment that had not been heard of"), result.written_after_paid),
        (_("Not over yet today"), result.under_way),
        (_("Could not be worked out"), result.errors),
    ]
    counted = [(words, _number(count)) for words, count in lines if count]
    if result.offers:
        language = get_language() or "en"
        costs = [Money(Decimal(cost), currency) for currency, cost in result.offer_costs.items()]
        counted.append((_("Offers made"), _number(result.offers)))
        counted.append(
            (_("They would cost at most"), ", ".join(humane.money(cost, language) for cost in costs))
        )
    if result.left_out:
        return counted  # they have a table of their own, with the rows behind
    skipped = sorted(result.skipped.items(), key=lambda pair: -pair[1])
    return counted + [(steps.outcome(Code(code)), _number(count)) for code, count in skipped]


def _samples(seat: Seat, samples: Sequence[Sample]) -> list[SampleRow]:
    orders = {
        order.pk: (order.number, place(seat, "order", order.pk))
        for order in Order.objects.filter(shop=seat.shop, pk__in=_ids(samples, SubjectKind.ORDER))
    }
    carts = {
        cart.pk: (
            _("Cart of %(day)s") % {"day": _day(cart.started_at.date(), "d MMM")},
            place(seat, "customer", cart.contact_id) if cart.contact_id else "",
        )
        for cart in Cart.objects.filter(shop=seat.shop, pk__in=_ids(samples, SubjectKind.CART))
    }
    known = {SubjectKind.ORDER: orders, SubjectKind.CART: carts}
    rows = []
    for one in samples:
        found = known[SubjectKind(one.subject_kind)].get(one.subject_id)
        if found is not None:
            rows.append(
                SampleRow(
                    title=found[0],
                    url=found[1],
                    messages=_number(one.messages),
                    first_at=_instant(one.first_at),
                    end=steps.outcome(Code(one.ended)) if one.ended else _("Still waiting"),
                    paid_at=_instant(one.paid_at),
                )
            )
    return rows


def _ids(samples: Sequence[Sample], kind: SubjectKind) -> list[int]:
    return [one.subject_id for one in samples if one.subject_kind == kind]


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
