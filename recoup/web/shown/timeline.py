"""One timeline of an order: its history, its money, its messages, what was decided and why, and notes (E7, E19)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.core import humane
from recoup.core.models import Activity
from recoup.core.money import Money
from recoup.messaging.models import Message, MessageVisit, PageVisit
from recoup.messaging.reasons import words as message_reason
from recoup.messaging.tracking import OPEN, SUBJECTS
from recoup.orders.models import Order, OrderFact, OrderNote, StatusChange
from recoup.payments.models import Attempt, AttemptChange, Refund
from recoup.processes.queries import LedgerLine, ledger_of
from recoup.shops.access import Seat
from recoup.shops.models import Shop, Source
from recoup.web.answers import place
from recoup.web.parts import Event, Timeline, Words
from recoup.web.shown.people import clerk_names
from recoup.web.statuses import mark_of
from recoup.web.words import activity, orders, payments, steps
from recoup.web.words.texts import text_name

MOST_EVENTS = 200
# Said by the history of the status already.
_DOUBLED_VERBS = ("orders.order.status_changed", "messaging.message.sent_by_hand")
_DOUBLED_FACTS = ("cancelled", "false", "marked_unpaid", "paid")
ORDER = 1  # the kind of subject in the ledger


@dataclass(slots=True)
class Actors:
    """Who did something, by kind and id; looked up once for a page."""

    names: dict[tuple[str, int], str] = field(default_factory=dict)

    def look_up(self, actors: Iterable[tuple[str, int | None]]) -> None:
        """Find the names of people and sources."""
        wanted = {(kind, one) for kind, one in actors if one is not None}
        people = clerk_names([one for kind, one in wanted if kind == "person"])
        sources = [one for kind, one in wanted if kind == "source"]
        found = dict(Source.objects.filter(pk__in=sources).values_list("pk", "name")) if sources else {}
        self.names = {("person", one): name for one, name in people.items()}
        self.names |= {("source", one): name for one, name in found.items()}

    def name(self, kind: str, one: int | None) -> str:
        """Return who it was."""
        own = {"system": _("Recoup"), "process": _("Process"), "buyer": _("Customer"), "source": _("Shop")}
        return self.names.get((kind, one or 0)) or own.get(kind, _("A colleague"))


def order_timeline(seat: Seat, order: Order) -> Timeline:
    """Return all that happened to an order, newest first."""
    changes = list(StatusChange.objects.filter(order=order).order_by("-id")[:MOST_EVENTS])
    lines = list(
        Activity.objects.filter(shop_id=seat.shop.pk, subject_kind="order", subject_id=order.pk)
        .exclude(verb__in=_DOUBLED_VERBS)
        .order_by("-id")[:MOST_EVENTS]
    )
    notes = list(OrderNote.objects.filter(order=order).order_by("-id")[:MOST_EVENTS])
    actors = Actors()
    actors.look_up(
        [
            *((change.actor_kind, change.actor_id) for change in changes),
            *((line.actor_kind, line.actor_id) for line in lines),
            *(("person", note.author_id) for note in notes),
        ]
    )
    # Of what happened at one instant, what followed from the rest stands above it.
    events = [
        *_decisions(ledger_of(shop_id=seat.shop.pk, subject_kind=ORDER, subject_id=order.pk)),
        *_message_events(seat, order),
        *(_activity_event(line, actors) for line in lines),
        *(_note_event(note, actors) for note in notes),
        *(_status_event(change, actors, was_asked=order.asked_at is not None) for change in changes),
        *_payment_events(order),
        *_fact_events(order),
    ]
    return timeline_of(events)


def timeline_of(events: Iterable[Event]) -> Timeline:
    """Sort events, newest first, and name the kinds there are."""
    shown = sorted(events, key=lambda event: event.at, reverse=True)[:MOST_EVENTS]
    names: list[tuple[str, Words]] = [
        ("status", _("Status")),
        ("payment", _("Payments")),
        ("message", _("Messages")),
        ("decision", _("Decisions")),
        ("note", _("Notes")),
    ]
    there = {event.kind for event in shown}
    kinds = [(code, word) for code, word in names if code in there]
    return Timeline(shown, kinds if len(kinds) > 1 else [])


def _status_event(change: StatusChange, actors: Actors, *, was_asked: bool) -> Event:
    mark = mark_of("order", change.to_status)
    to = orders.status_label(change.to_status)
    is_first = not change.from_status
    title = (
        _("Came in as %(to)s") % {"to": to}
        if is_first
        else _("%(was)s → %(to)s")
        % {
            "was": orders.status_label(change.from_status),
            "to": to,
        }
    )
    return Event(
        change.at,
        title,
        "shopping-bag" if is_first else mark.icon,
        "status",
        mark.tone,
        orders.status_reason(change.reason, was_asked=was_asked),
        actors.name(change.actor_kind, change.actor_id),
    )


def _note_event(note: OrderNote, actors: Actors) -> Event:
    who = actors.name("person", note.author_id)
    return Event(note.at, _("Note"), "message-square", "note", body=note.text, actor=who)


def activity_events(shop: Shop, kind: str, key: int) -> list[Event]:
    """Return the lines of the activity log about one thing."""
    lines = list(
        Activity.objects.filter(shop_id=shop.pk, subject_kind=kind, subject_id=key).order_by("-id")[
            :MOST_EVENTS
        ]
    )
    actors = Actors()
    actors.look_up((line.actor_kind, line.actor_id) for line in lines)
    return [_activity_event(line, actors) for line in lines]


def _activity_event(one: Activity, actors: Actors) -> Event:
    line = activity.line(one.verb)
    body = activity.details(one.verb, one.details)
    return Event(
        one.at, line.title, line.icon, line.kind, line.tone, body, actors.name(one.actor_kind, one.actor_id)
    )


def _fact_events(order: Order) -> list[Event]:
    found = []
    for fact in (
        OrderFact.objects.filter(order=order).exclude(kind__in=_DOUBLED_FACTS).order_by("-id")[:MOST_EVENTS]
    ):
        given = fact.details
        if fact.kind == "placed":
            found.append(
                Event(
                    fact.became_true_at,
                    _("Order placed"),
                    "shopping-bag",
                    "status",
                    body=_sum(given, "total", order),
                )
            )
        elif fact.kind == "changed":
            was, total = _sum(given, "was_total", order), _sum(given, "total", order)
            body = "" if was == total else f"{was} → {total}"
            found.append(Event(fact.became_true_at, _("Changed in the shop"), "pencil", "status", body=body))
        elif fact.kind == "passed_over":
            why = orders.passed_over(str(given.get("reason", "")))
            found.append(Event(fact.learnt_at, _("Not reminded"), "minus", "decision", body=why))
    return found


def _sum(given: dict[str, str], key: str, order: Order) -> str:
    text = given.get(key)
    return humane.money(Money(Decimal(text), order.currency), get_language() or "en") if text else ""


def _payment_events(order: Order) -> list[Event]:
    attempts = {attempt.pk: attempt for attempt in order.attempts.all()}
    changes = (
        AttemptChange.objects.filter(attempt_id__in=attempts).order_by("-id")[:MOST_EVENTS]
        if attempts
        else []
    )
    events = [_attempt_event(attempts[change.attempt_id], change) for change in changes]
    for refund in Refund.objects.filter(order=order).order_by("-id")[:MOST_EVENTS]:
        shown = humane.money(Money(refund.amount, refund.currency), get_language() or "en")
        events.append(
            Event(
                refund.became_true_at,
                _("Given back: %(sum)s") % {"sum": shown},
                "undo-2",
                "payment",
                body=refund.reason,
            )
        )
    return events


def _attempt_event(attempt: Attempt, change: AttemptChange) -> Event:
    mark = mark_of("payment", change.state)
    label = Attempt.State(change.state).label if change.state in Attempt.State.values else change.state
    shown = humane.money(Money(attempt.amount, attempt.currency), get_language() or "en")
    why = ""
    if change.state == Attempt.State.FAILED:
        why = payments.failure(attempt.failure_class, change.failure_code)
    elif not change.was_applied:
        why = _("Came too late to change anything")
    return Event(
        change.became_true_at,
        _("Payment %(sum)s: %(state)s") % {"sum": shown, "state": label},
        mark.icon,
        "payment",
        mark.tone,
        why,
        _operator(attempt),
    )


def _operator(attempt: Attempt) -> str:
    names = [attempt.operator.replace("_", " ").capitalize(), payments.method(attempt.method)]
    return " · ".join(name for name in names if name)


def message_event(seat: Seat, message: Message) -> Event:
    """Return the line of a message: its state, its text's name, and why it did not go out."""
    mark = mark_of("message", message.state)
    name = text_name(message.template) if message.template is not None else _("Message")
    at = message.handed_at or message.settled_at or message.queued_at
    state = Message.State(message.state).label
    url = place(seat, "message", message.pk) if seat.may(Right.SEE_PROCESSES) else ""
    return Event(
        at,
        _("%(name)s: %(state)s") % {"name": name, "state": state},
        mark.icon,
        "message",
        mark.tone,
        message_reason(message.reason) if message.reason else "",
        _("By hand") if message.manual_key else "",
        url,
        _("Open the message"),
    )


def _message_events(seat: Seat, order: Order) -> list[Event]:
    sent = list(Message.objects.filter(order=order).select_related("template").order_by("-id")[:MOST_EVENTS])
    events = [message_event(seat, message) for message in sent]
    visits = (
        MessageVisit.objects.filter(message__in=[message.pk for message in sent], is_machine=False).order_by(
            "-at"
        )[:MOST_EVENTS]
        if sent
        else []
    )
    came = PageVisit.objects.filter(subject_kind=SUBJECTS["order"], subject_id=order.pk)
    return [*events, *map(visit_event, visits), *straight_events(came, visits)]


def straight_events(came: QuerySet[PageVisit], by_message: Iterable[MessageVisit]) -> list[Event]:
    """Return the lines of people who came to a page, but by the links of messages that are told already."""
    told = {(visit.purpose, visit.at) for visit in by_message}
    counted = came.filter(is_machine=False, noted_at__isnull=False).order_by("-at")[:MOST_EVENTS]
    return [
        Event(at, visit_title(visit.page), "mouse-pointer-click", "message", actor=_("Customer"))
        for visit in counted
        for at in (visit.at, visit.last_at)
        if at is not None and (visit.page, at) not in told
    ]


def visit_event(visit: MessageVisit) -> Event:
    """Return the line of somebody who followed a link, or opened the mail."""
    icon = "mail" if visit.purpose == OPEN else "mouse-pointer-click"
    return Event(visit.at, visit_title(visit.purpose), icon, "message", actor=_("Customer"))


def visit_title(purpose: str) -> str:
    """Return which page a link of a message led to, or that the message was opened."""
    places = {
        "pay": _("Opened the pay page"),
        "cart": _("Opened the filled cart"),
        "out": _("Opened the page that ends mails"),
        "paid": _("Followed “I have paid”"),
        "later": _("Followed “pay later”"),
        "stop": _("Followed “stop for this order”"),
        "why": _("Asked why this mail came"),
        OPEN: _("Opened the mail"),
    }
    return places.get(purpose, _("Followed a link"))


def _decisions(lines: Iterable[LedgerLine]) -> list[Event]:
    """Return what processes decided, without what messages and questions say by themselves."""
    return [decision_event(line) for line in lines if is_worth_telling(line)]


def is_worth_telling(line: LedgerLine) -> bool:
    """Tell whether a line says more than the message beside it."""
    code = line.code
    if line.message_id is not None:
        return code.is_deferral
    return code.is_deferral or code.is_skip or code.is_failure or code.is_exit or code.name == "SUPPRESSED"


def step_event(seat: Seat, line: LedgerLine) -> Event:
    """Return a line of the ledger for the page of its process; of a message the end that it came to."""
    event = decision_event(line)
    if line.message_id is None or line.message_state not in Message.State.values:
        return replace(event, actor="")
    mark = mark_of("message", line.message_state)
    title = _("Reminder: %(state)s") % {"state": Message.State(line.message_state).label}
    url = place(seat, "message", line.message_id)
    return replace(
        event,
        title=title,
        icon=mark.icon,
        tone=mark.tone,
        actor="",
        url=url,
        link_label=_("Open the message"),
    )


def decision_event(line: LedgerLine) -> Event:
    """Return the line of a decision with its reason in words."""
    tone, icon = "neutral", "workflow"
    if line.code.is_failure:
        tone, icon = "failed", "circle-alert"
    elif line.code.is_deferral:
        tone, icon = "due", "clock"
    elif line.code.name == "GOAL_PAID":
        tone, icon = "recovered", "goal"
    elif line.code.is_exit:
        icon = "flag"
    body = message_reason(line.message_reason) if line.message_reason and line.message_id is not None else ""
    return Event(
        line.done_at,
        steps.outcome(line.code),
        icon,
        "decision",
        tone,
        body,
        steps.process_name(None, line.process_name),
    )
