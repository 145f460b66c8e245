"""What would go out in the next hours: those who are inside, walked ahead by the engine in memory. Nothing is written.

Page by page, each in a store of its own, so that memory stays bounded and a long look can be done by the worker.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django_scopes import scopes_disabled

from recoup.core.clock import real_now
from recoup.messaging.past.texts import Reader
from recoup.processes.backtest.around import Around, Whom, look_around, standing_of
from recoup.processes.backtest.shop import PastShop
from recoup.processes.engine.batch import Due
from recoup.processes.engine.codes import ACTIVE_STATES, Flag, Priority, State, SubjectKind, is_final
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.records import Enrolment, Facts, SendEffect
from recoup.processes.facts import enrolment_of, facts_of
from recoup.processes.graph.compiling import compile_graph, number_nodes
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.known import with_known
from recoup.processes.memory import Message
from recoup.processes.models import LookAhead, Process, ProcessVersion
from recoup.processes.moving.moves import FIRST_KEY, LAST_KEY
from recoup.processes.moving.passed import been_at
from recoup.processes.moving.plan import Old, Plan, Rule, apply_rule, calls_off, rules_of
from recoup.processes.offering import with_offers
from recoup.processes.purchases import with_purchases
from recoup.processes.simulator import Simulator
from recoup.processes.store_sql import facts_sql
from recoup.processes.versions import graph_of
from recoup.processes.visiting import with_visits
from recoup.processes.worlds import Lane

log = structlog.get_logger(__name__)

LOOP = "looking_ahead"
PAGE = 500
AT_ONCE = 2_000  # so many are walked while a person waits for the page
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
DRAFT = 0  # the version of what is not published

Progress = LookAhead.State
OPEN = (Progress.WAITING, Progress.RUNNING)
KEPT = 5  # looks of a process; older ones are of no use to anybody


@dataclass(slots=True)
class Ahead:
    """What a look has found: how many messages of which text go out within the hour and the day, and what else happens.

    `unmoved` counts the messages if everybody stayed on their version. `held_out` are those whose messages are left
    out for comparison, `left_out` those whose messages do not go out for another reason.
    """

    people: int = 0
    moved: int = 0
    ended: int = 0
    hour: Counter[str] = field(default_factory=Counter)
    day: Counter[str] = field(default_factory=Counter)
    unmoved_hour: int = 0
    unmoved_day: int = 0
    held_out: int = 0
    left_out: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            name: dict(value) if isinstance(value, Counter) else value
            for name, value in ((name, getattr(self, name)) for name in self.__slots__)
        }

    @classmethod
    def of_json(cls, plain: Mapping[str, Any] | None) -> "Ahead":
        """Read what `as_json` wrote."""
        values: dict[str, Any] = dict(plain or {})
        for name in ("hour", "day"):
            values[name] = Counter(values.get(name, {}))
        return cls(**values)


class Changed(NamedTuple):
    """What the look is about: the graphs of all versions, the rules of the move, and the version that people come to."""

    graphs: Mapping[int, Graph]
    rules: Mapping[tuple[int, int], Rule]
    target_id: int


def changed_by(process: Process, doc: Mapping[str, Any] | None, plan: Plan) -> Changed:
    """Return what publishing a draft (or, without one, the current version) with a plan would change.

    :raises PlanRefused: if the plan cannot be carried out.
    """
    versions = {one.pk: one for one in ProcessVersion.objects.filter(process=process).order_by("number")}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT version_id FROM processes_enrolment WHERE process_id = %s AND active_key IS NOT NULL",
            [process.pk],
        )
        living = [version_id for (version_id,) in cursor.fetchall()]
    graphs = {version_id: graph_of(version_id) for version_id in living}
    latest = next(reversed(versions.values()), None)
    target_id = process.current_version_id or DRAFT
    if doc is not None:
        target_id = DRAFT
        document = ProcessDocument.model_validate(doc)
        numbers = number_nodes(document, latest.node_map if latest is not None else None)
        graphs[DRAFT] = compile_graph(document, salt=process.salt, node_map=numbers)
    elif target_id:
        graphs[target_id] = graph_of(target_id)
    olds = [Old(one, versions[one].number, graphs[one]) for one in living if one != target_id]
    rules = rules_of(plan, olds, graphs[target_id]) if olds and target_id in graphs else []
    return Changed(graphs, {(rule.version_id, rule.node): rule for rule in rules}, target_id)


def look_ahead(process: Process, changed: Changed, now: datetime) -> Ahead:
    """Look at all who are inside, however many; writes nothing."""
    found, key = Ahead(), FIRST_KEY
    while key <= LAST_KEY:
        key = look_at_page(process, changed, found, key, now)
    return found


def look_at_page(process: Process, changed: Changed, found: Ahead, key: int, now: datetime) -> int:
    """Add a page of people to what was found; return the key at which the next one begins."""
    sql = facts_sql(f"e.process_id = %s AND e.active_key >= %s ORDER BY e.active_key LIMIT {PAGE}")
    with connection.cursor() as cursor:
        cursor.execute(sql, [process.pk, key])
        rows = cursor.fetchall()
        cursor.execute(
            "SELECT max(active_key) FROM processes_enrolment WHERE id = ANY(%s)", [[row[0] for row in rows]]
        )
        last_key = cursor.fetchone()[0]
    if rows:
        _walk(process, changed, found, rows, now)
    return LAST_KEY + 1 if len(rows) < PAGE else int(last_key) + 1


def _walk(
    process: Process, changed: Changed, found: Ahead, rows: Sequence[tuple[Any, ...]], now: datetime
) -> None:
    people = [
        Due(changed.graphs[row[3]], enrolment_of(row), facts_of(row, changed.graphs[row[3]]))
        for row in rows
        if row[3] in changed.graphs
    ]
    people = [one for one in people if not one.enrolment.flags & Flag.TEST.value]
    people = [one._replace(enrolment=_awake(one.enrolment, now)) for one in people]
    under_way = _under_way(people, now)
    target = changed.graphs[changed.target_id]
    around = look_around(
        process.shop_id, target, standing_of(process.pk, target.document), since=now, now=now
    )
    had = been_at([one.enrolment.id for one in people], changed.rules.values())
    moved = [_moved(one.enrolment, changed, had.get(one.enrolment.id, ()), now) for one in people]
    there = [
        one._replace(graph=changed.graphs[changed.target_id]) if is_moved else one
        for one, (_, is_moved, _) in zip(people, moved, strict=True)
    ]
    after = _simulate(around, changed, _known(there), moved, under_way, now)
    found.people += len(people)
    found.moved += sum(is_moved for _, is_moved, _ in moved)
    found.ended += sum(is_final(enrolment.state) for enrolment, _, _ in moved)
    found.held_out += sum(isinstance(effect, SendEffect) for effect in after.suppressed)
    for message in after.messages.values():
        if message.settled_at is None or message.queued_at < now:
            continue
        if message.sent_at is None:
            found.left_out += 1
            continue
        found.day[message.effect.template] += 1
        if message.sent_at <= now + HOUR:
            found.hour[message.effect.template] += 1
    if changed.rules:
        stayed: list[_Moved] = [(one.enrolment, False, None) for one in people]
        before = _simulate(around.fresh(), changed, _known(people), stayed, under_way, now)
        sent = [one.sent_at for one in before.messages.values() if one.sent_at and one.queued_at >= now]
        found.unmoved_day += len(sent)
        found.unmoved_hour += sum(at <= now + HOUR for at in sent)
    else:
        found.unmoved_day, found.unmoved_hour = sum(found.day.values()), sum(found.hour.values())


def _known(people: Sequence[Due]) -> list[Due]:
    """Add the facts that each version asks for."""
    return with_visits(with_offers(with_known(with_purchases(people))))


_Moved = tuple[Enrolment, bool, Rule | None]  # as it is then; whether it was moved; by which rule


def _awake(enrolment: Enrolment, now: datetime) -> Enrolment:
    """Let somebody who was set aside go on: the question is what goes out once the process runs."""
    if enrolment.state in ACTIVE_STATES:
        return enrolment
    return enrolment._replace(state=int(State.READY), run_at=now, prio=int(Priority.BULK))


def _moved(enrolment: Enrolment, changed: Changed, had: Collection[int], now: datetime) -> _Moved:
    rule = changed.rules.get((enrolment.version_id, enrolment.node))
    if rule is None:
        return enrolment, False, None
    after = apply_rule(enrolment, rule, changed.target_id, now, had=had).enrolment
    return after, rule.action != "exit", rule


def _simulate(
    around: Around,
    changed: Changed,
    people: Sequence[Due],
    moved: Sequence[_Moved],
    under_way: Mapping[int, list[Message]],
    now: datetime,
) -> PastShop:
    """Walk people a day ahead on facts that do not change, through the shop's own limits."""
    shop = PastShop(
        now, changed.graphs[changed.target_id], changed.target_id, around.sending_now(_whom(people))
    )
    shop.graphs.update(changed.graphs)
    for one, (enrolment, _, rule) in zip(people, moved, strict=True):
        if is_final(enrolment.state):
            continue
        waiting = [
            replace(message, cancel_requested_at=now)
            if rule is not None and calls_off(one.enrolment, rule, message.effect.step_no)
            else replace(message)
            for message in under_way.get(enrolment.id, ())
        ]
        messages = [*_settled(one.facts, one.enrolment.id, now), *waiting]
        shop.adopt(enrolment, one.facts, messages)
    Simulator(shop, lane=Lane()).run(now + DAY)
    return shop


def _whom(people: Sequence[Due]) -> Whom:
    readers = {
        Reader(
            one.enrolment.contact_id,
            one.enrolment.subject_id if one.enrolment.subject_kind == SubjectKind.ORDER else None,
            one.enrolment.subject_id if one.enrolment.subject_kind == SubjectKind.CART else None,
        )
        for one in people
    }
    return Whom(
        {one.contact_id for one in readers},
        [one.order_id for one in readers if one.order_id is not None],
        [one.cart_id for one in readers if one.cart_id is not None],
        sorted(readers, key=lambda one: (one.contact_id, one.order_id or 0, one.cart_id or 0)),
    )


def _settled(facts: Facts, enrolment_id: int, now: datetime) -> list[Message]:
    """Return the messages that have ended, which blocks may ask about."""
    found = []
    for step_no, known in facts.messages.items():
        if known.settled_at is not None:
            effect = SendEffect(
                step_no, known.node, "", "email", "", "reminder", now, now, is_suppressed=False
            )
            found.append(
                Message(
                    enrolment_id,
                    effect,
                    queued_at=now - DAY,
                    outcome=known.outcome,
                    settled_at=known.settled_at,
                    sent_at=known.sent_at,
                    opened_at=known.opened_at,
                    clicked_at=known.clicked_at,
                )
            )
    return found


def _under_way(people: Sequence[Due], now: datetime) -> dict[int, list[Message]]:
    """Return the messages that are queued already and have not gone out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.enrolment_id, m.step_no, m.node, m.channel, coalesce(t.key, ''), m.purpose, m.due_at, m.not_after,"
            " ARRAY(SELECT ARRAY[w ->> 'channel', w ->> 'template'] FROM jsonb_array_elements(m.fallback) w)"
            " FROM messaging_message m LEFT JOIN messaging_template t ON t.id = m.template_id"
            " WHERE m.enrolment_id = ANY(%s) AND m.settled_at IS NULL",
            [[one.enrolment.id for one in people]],
        )
        rows = cursor.fetchall()
    graphs = {one.enrolment.id: one.graph for one in people}
    found: dict[int, list[Message]] = {}
    for enrolment_id, step_no, node_id, *rest in rows:
        number = graphs[enrolment_id].node_map.get(node_id, 0)
        channel, template, purpose, due_at, not_after, otherwise = rest
        effect = SendEffect(
            step_no,
            number,
            node_id,
            channel,
            template,
            purpose,
            due_at,
            not_after,
            is_suppressed=False,
            otherwise=tuple((way[0], way[1]) for way in otherwise or ()),
        )
        found.setdefault(enrolment_id, []).append(Message(enrolment_id, effect, queued_at=now))
    return found


def request_look(
    process: Process, doc: Mapping[str, Any] | None, plan: Plan, *, now: datetime, user_id: int | None
) -> LookAhead:
    """Have the worker look ahead: of many people that takes longer than anybody waits for a page.

    :raises PlanRefused: if the plan cannot be carried out.
    """
    changed_by(process, doc, plan)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM processes_enrolment WHERE process_id = %s AND active_key IS NOT NULL",
            [process.pk],
        )
        [(whole,)] = cursor.fetchall()
    look = LookAhead.objects.create(
        shop_id=process.shop_id,
        process=process,
        doc=doc,
        plan=plan.as_json(),
        cursor=FIRST_KEY,
        whole=whole,
        made_by=user_id,
        created_at=now,
    )
    kept = LookAhead.objects.filter(process=process).order_by("-id").values_list("id", flat=True)[:KEPT]
    LookAhead.objects.filter(process=process).exclude(pk__in=list(kept)).delete()
    return look


def run_waiting() -> int:
    """Do a page of the oldest look that nobody is at, of any shop; return how many people it held. The worker's loop.

    A killed worker leaves it where its last whole page ended.
    """
    with scopes_disabled():
        look_id = None
        try:
            with transaction.atomic():
                look = (
                    LookAhead.objects.select_for_update(skip_locked=True, of=("self",))
                    .filter(state__in=OPEN)
                    .select_related("process")
                    .order_by("looked_at", "id")
                    .first()
                )
                if look is None:
                    return 0
                look_id = look.pk
                return _do_page(look)
        except Exception as error:
            if look_id is None or isinstance(error, (OperationalError, InterfaceError)):
                raise
            log.exception("processes.look_ahead.failed", look_id=look_id)
            LookAhead.objects.filter(pk=look_id, state__in=OPEN).update(
                state=Progress.FAILED, trouble=type(error).__name__[:40]
            )
            return 0


def _do_page(look: LookAhead) -> int:
    found = Ahead.of_json(look.result)
    before = found.people
    changed = changed_by(look.process, look.doc, Plan.of_json(look.plan))
    key = look_at_page(look.process, changed, found, look.cursor, look.created_at)
    look.state, look.looked_at = Progress.RUNNING, real_now()
    look.result, look.done = found.as_json(), min(look.done + PAGE, look.whole)
    if key > LAST_KEY:
        look.state, look.done = Progress.DONE, look.whole
    else:
        look.cursor = key
    look.save()
    return max(found.people - before, 1)
