"""Random valid graphs and random worlds, for the tests that hold in all of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from recoup.processes.engine.codes import Code
from recoup.processes.engine.records import Facts
from recoup.processes.facts import contact_facts
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.reading import read_document
from recoup.processes.graph.validation import find_problems
from recoup.processes.worlds import Change, ChangeKind, Coming, News, Purchase, Reply, Visit
from tests.processes.worlds import (
    CART,
    CONTACT,
    ORDER,
    PLACED,
    PROCESS,
    VERSION,
    arrival,
    cart_facts,
    document,
    hours,
    order_facts,
)

WANTS_SOAP: dict[str, Any] = {"f": "order.products", "op": "has_any", "v": ["soap"]}
GOODS = st.sampled_from([("soap",), ("wax",), ("soap", "wax")])
# Of a task, and of another program that was told.
ANSWERS = (Code.TASK_DONE, Code.TASK_DROPPED, Code.YES, Code.FAILED_WEBHOOK)
OTHER, OTHER_VERSION = 8, 80  # a second process beside the first
END_OF_TIME = PLACED + timedelta(days=3_000)
READING = timedelta(
    seconds=7
)  # messages go out on whole minutes here, and who opens one at once is a machine
SPANS = st.sampled_from(["PT1H", "PT30M", "P1D", "PT48H", "P3D", "P1DT2H"])
ZONES = st.sampled_from(
    ["Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "nowhere", ""]
)
LADDERS = st.sampled_from([["0", "10"], ["3", "5", "10"]])
COUNTRIES = st.sampled_from(["", "PL", "JP", "US", "RU"])  # with one clock, several, and some far apart


# What a process may begin with, for what it is about; the entries of the format have to be all there.
ENTRIES_OF: dict[int, list[dict[str, Any]]] = {
    ORDER: [
        {"on": "order.unpaid"},
        {"on": "order.placed"},
        {"on": "order.placed", "if": WANTS_SOAP},
        {"on": "order.unpaid", "if": {"all": [WANTS_SOAP, {"f": "order.total", "op": ">", "v": 1}]}},
        {"on": "order.unpaid", "if": WANTS_SOAP, "swapped": "go_on"},
        {"on": "order.paid"},
        {"on": "payment.failed", "failures": ["soft"]},
        {"on": "process.ended", "about": "order", "process": 3},
        {"on": "manual", "about": "order"},
    ],
    CART: [
        {"on": "cart.abandoned"},
        {"on": "process.ended", "about": "cart", "process": 3},
        {"on": "manual", "about": "cart"},
    ],
    CONTACT: [{"on": "manual"}, {"on": "tag.set", "tags": ["vip"]}, {"on": "process.ended", "process": 3}],
}
GOALS = {ORDER: ["order.paid", "order.cancelled"], CART: ["cart.converted", "cart.emptied"]}
EVENTS = {
    ORDER: ["order.paid", "order.cancelled", "contact.ordered_again"],
    CART: ["cart.converted", "cart.emptied", "contact.ordered_again"],
    CONTACT: ["contact.ordered_again"],
}
QUESTIONS: dict[int, list[dict[str, Any]]] = {
    ORDER: [
        {"f": "order.is_paid", "op": "=", "v": True},
        {"f": "order.is_paid", "op": "=", "v": False},
        {"any": [WANTS_SOAP, {"f": "order.amount_due", "op": ">", "v": 1}]},
        {"not": {"f": "order.products", "op": "has_all", "v": ["soap", "wax"]}},
    ],
    CART: [{"f": "cart.total", "op": ">", "v": 50}, {"not": {"f": "cart.item_count", "op": "=", "v": 2}}],
    CONTACT: [{"f": "contact.locale", "op": "=", "v": "pl"}],
}
ANCHORS = {ORDER: "placed_at", CART: "last_activity_at", CONTACT: "entered"}


@st.composite
def documents(
    draw: st.DrawFn,
    /,
    *,
    about: int = ORDER,
    processes: Sequence[int] = (PROCESS,),
    with_offers: bool = True,
    **entered: Any,
) -> ProcessDocument:
    """Draw a valid process: ways lead forward, except out of waits that bound their rounds."""
    size = draw(st.integers(2, 9))
    nodes: dict[str, Any] = {f"n{size}": {"t": "end"}}
    # Of a person alone little can be asked: one block sends for certain, so that there is something to wait for.
    sender = draw(st.integers(1, size - 1)) if about == CONTACT else 0
    for number in range(1, size):
        nodes[f"n{number}"] = draw(_at(number, size, sender, about, tuple(processes)))
    entry = {**draw(st.sampled_from(ENTRIES_OF[about])), "first": "n1", **entered}
    entry["anchor"] = draw(st.sampled_from(["entered", ANCHORS[about]]))
    goals = [{"on": name} for name in GOALS.get(about, []) if name != entry["on"]]
    for node in nodes.values():
        if entry["on"] == "order.paid" and node["t"] == "send":  # whoever has paid is reminded of nothing
            node["purpose"] = "thanks"
        # Whether an offer is granted hangs on rows that only the database has.
        if not with_offers and node["t"] == "offer":
            node |= {"t": "until", "on": {"e": "order.paid"}, "within": node.pop("valid")}
            node["out"] = {"yes": node["out"]["granted"], "no": node["out"]["refused"]}
            for promise in ("percent", "sizes"):
                node.pop(promise, None)
    raw = read_document(document(reached(nodes), entry=entry, goals=goals))
    assume(not sender or any(node.t == "send" for node in raw.nodes.values()))
    assume(not find_problems(raw))
    return raw


@st.composite
def rings(draw: st.DrawFn) -> ProcessDocument:
    """Draw a valid process of few blocks whose ways lead anywhere: round and round, as far as validation lets them."""
    size = draw(st.integers(2, 4))
    anywhere = st.integers(1, size + 1).map("n{}".format)
    limited = block(
        "wait", {"next": anywhere, "over": anywhere}, {"for": SPANS, "max_rounds": st.integers(1, 3)}
    )
    others = [
        block("wait", {"next": anywhere}, {"for": SPANS}),
        block("tag", {"next": anywhere}, {"add": st.just(["seen"])}),
        block(
            "until",
            {"yes": anywhere, "no": anywhere},
            {"on": st.just({"e": "order.cancelled"}), "within": SPANS},
        ),
    ]
    nodes: dict[str, Any] = {f"n{n}": draw(st.one_of(limited, limited, *others)) for n in range(1, size + 1)}
    nodes[f"n{size + 1}"] = {"t": "end"}
    raw = read_document(document(reached(nodes)))
    assume(not find_problems(raw))
    return raw


@cache  # Hypothesis looks through a strategy before it draws, which takes longer than to draw
def _at(
    number: int, size: int, sender: int, about: int, processes: tuple[int, ...]
) -> st.SearchStrategy[dict[str, Any]]:
    """Return the blocks that may stand at this place."""
    forward = st.integers(number + 1, size).map("n{}".format)
    if number == sender:
        return sends(forward)
    anywhere = st.integers(1, size).map("n{}".format)
    reference = st.just(f"n{sender}") if sender else anywhere
    return blocks(forward, anywhere, reference, about, processes)


WAITS: list[dict[str, Any]] = [
    {"for": "PT5H"},
    {"for": "P2D"},
    {"at": "02:30"},
    {"for": "P1D", "at": "10:00", "days": ["mon"]},
    {"date": "order.placed_at", "offset": "P9D"},
    {"date": "promise.until"},
    {"date": "promise.until", "offset": "-P1D", "at": "02:30"},
    {"date": "order.paid_at", "offset": "P1D", "at": "09:00"},
]
WHERE = st.sampled_from(["buy", "leave", "any"])
PAGES = st.sampled_from(["pay", "out"])


# Every kind of block by itself, so that a kind that nobody draws is found out.
def blocks_by_kind(
    forward: Any, anywhere: Any, reference: Any, about: int = ORDER, processes: Sequence[int] = (PROCESS,)
) -> dict[str, list[Any]]:
    """Return blocks that are not the end, by their kind; those that need an order are drawn for orders alone."""
    either = st.fixed_dictionaries({"yes": forward, "no": forward})
    waits = st.tuples(st.sampled_from([one for one in WAITS if about == ORDER or "date" not in one]), forward)
    visits = st.sampled_from(["message.opened", "message.clicked"])
    asked = st.sampled_from(QUESTIONS[about])
    offers_end = block(
        "wait",
        {"next": forward},
        {"date": st.just("offer.ends_at"), "offset": st.just("-P1D"), "ref": anywhere},
    )
    goal = st.sampled_from(GOALS[about]) if about in GOALS else None
    bought = {
        "e": st.just("product.bought"),
        "products": st.sampled_from([["soap"], ["soap", "wax"]]),
        "match": st.sampled_from(["any", "all"]),
    }
    two: dict[str, Any] = {"yes": forward, "no": forward}
    return {
        "wait": [
            waits.map(lambda drawn: {"t": "wait", **drawn[0], "out": {"next": drawn[1]}}),
            block("wait", {"next": anywhere, "over": anywhere}, {"for": SPANS, "max_rounds": st.integers(1, 3)}),
            *([offers_end] if about != CONTACT else []),
        ],
        "until": [
            block("until", two, {"on": st.fixed_dictionaries({"e": st.sampled_from(EVENTS[about])}), "within": SPANS,
                                 "earlier": st.booleans()}),
            block("until", two, {"on": st.fixed_dictionaries(bought), "within": SPANS, "earlier": st.booleans()}),
            block("until", two, {"on": st.fixed_dictionaries({"e": st.just("page.visited"), "page": WHERE}),
                                 "within": SPANS, "earlier": st.booleans()}),
            block("until", {**two, "unsent": forward},
                  {"on": st.fixed_dictionaries({"e": visits, "ref": reference}), "within": SPANS}),
            block("until", {**two, "unsent": forward},
                  {"on": st.fixed_dictionaries({"e": st.just("page.visited"), "ref": reference}), "within": SPANS}),
        ],
        "if": [st.fixed_dictionaries({"t": st.just("if"), "if": asked, "out": either})],
        "split": [
            st.fixed_dictionaries(
                {
                    "t": st.just("split"),
                    "arms": st.just([{"id": "a", "w": 2}, {"id": "b", "w": 1}]),
                    "out": st.fixed_dictionaries({"a": forward, "b": forward}),
                }
            )
        ],
        "send": [sends(forward)],
        "offer": [
            block("offer", {"granted": forward, "refused": forward}, {"percent": st.just(5), "valid": SPANS}),
            block("offer", {"granted": forward, "refused": forward}, {"sizes": LADDERS, "valid": SPANS}),
        ]
        if about != CONTACT
        else [],
        "order_status": [block("order_status", {"next": forward}, {"to": st.just("not_confirmed")})]
        if about == ORDER
        else [],
        "tag": [block("tag", {"next": forward}, {"add": st.just(["seen"]), "remove": st.just(["new"])})],
        "task": [
            block("task", {"done": forward, "timeout": forward},
                  {"title": st.just("Call {customer}"), "within": SPANS, "due": SPANS}),
            block("task", {"done": forward}, {"title": st.just("Call {order}")}),
        ],
        "webhook": [
            block("webhook", {"ok": forward}, {"endpoint": st.just(1)}),
            block("webhook", {"ok": forward, "failed": forward}, {"endpoint": st.just(1), "within": SPANS}),
        ],
        "enrol": [block("enrol", {"next": forward}, {"process": st.sampled_from(list(processes))})],
        "goal": [st.fixed_dictionaries({"t": st.just("goal"), "on": goal})] if goal is not None else [],
    }  # fmt: skip


def blocks(
    forward: Any, anywhere: Any, reference: Any, about: int = ORDER, processes: Sequence[int] = (PROCESS,)
) -> st.SearchStrategy[dict[str, Any]]:
    """Return blocks of any kind that are not the end."""
    kinds = blocks_by_kind(forward, anywhere, reference, about, processes)
    return st.one_of([one for drawn in kinds.values() for one in drawn])


def sends(forward: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return blocks that send."""
    fields = {
        "template": st.just("x"),
        "purpose": st.sampled_from(["reminder", "thanks"]),
        "not_after": SPANS,
        "same_day": st.booleans(),
    }
    return block("send", {"done": forward, "failed": forward}, fields)


def block(kind: str, ports: dict[str, Any], fields: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return blocks of one kind."""
    return st.fixed_dictionaries({"t": st.just(kind), "out": st.fixed_dictionaries(ports), **fields})


def reached(nodes: dict[str, Any]) -> dict[str, Any]:
    """Leave out the blocks to which nothing leads."""
    found, open_ends = {"n1"}, ["n1"]
    while open_ends:
        for target in nodes[open_ends.pop()].get("out", {}).values():
            if target not in found:
                found.add(target)
                open_ends.append(target)
    return {name: node for name, node in nodes.items() if name in found}


@st.composite
def worlds(draw: st.DrawFn, processes: Sequence[int] = (PROCESS,)) -> list[News]:
    """Draw what happens to three orders, among it that everything held is given back in the end."""
    news: list[News] = []
    shares = {process: draw(st.sampled_from([0, 0, 5_000])) for process in processes}
    homes = {person: (draw(ZONES), draw(COUNTRIES)) for person in (1, 2, 3)}
    for order in (1, 2, 3):
        entered = PLACED + hours(draw(st.integers(0, 60)))
        contact = order if len(processes) == 1 else draw(st.integers(1, order))  # one person may have several
        products = draw(st.sampled_from([("soap",), ("wax",)]))
        facts = order_facts(zone=homes[contact][0], country=homes[contact][1], products=products)
        for process in processes:
            at = entered if process == PROCESS else entered + hours(draw(st.integers(-3, 40)))
            come = arrival(at, facts, subject_id=order, contact_id=contact, holdout_bp=shares[process])
            version = VERSION if process == PROCESS else OTHER_VERSION
            who = replace(come.candidate, process_id=process, version_id=version)
            news.append(replace(come, candidate=who))
        for _ in range(draw(st.integers(0, 6))):
            at = PLACED + timedelta(minutes=30 * draw(st.integers(0, 48 * 14)))
            news.append(draw(changes(order, at, contact)))
        if draw(st.integers(0, 2)) == 0:
            at = entered + hours(draw(st.integers(41, 90)))
            news.append(Change(at, ORDER, order, ChangeKind.SWAPPED, at - hours(1), products=draw(GOODS)))
        news.append(Change(PLACED + timedelta(days=40), ORDER, order, ChangeKind.RELEASED, PLACED))
    return news


@st.composite
def worlds_of_carts(draw: st.DrawFn) -> list[News]:
    """Draw what happens to three carts that were left."""
    news: list[News] = []
    kinds = [ChangeKind.CONVERTED, ChangeKind.EMPTIED, ChangeKind.CART_ACTIVITY, ChangeKind.SUPERSEDED]
    for cart in (1, 2, 3):
        entered = PLACED + hours(draw(st.integers(0, 60)))
        who = {"subject_kind": CART, "subject_id": cart, "contact_id": cart}
        news.append(arrival(entered, cart_facts(), holdout_bp=draw(st.sampled_from([0, 0, 9_999])), **who))
        for _ in range(draw(st.integers(0, 5))):
            at = PLACED + timedelta(minutes=30 * draw(st.integers(0, 48 * 14)))
            changed = Change(
                at, CART, cart, draw(st.sampled_from(kinds)), at - hours(draw(st.integers(0, 3)))
            )
            visited = Visit(
                at + READING, CART, cart, f"n{draw(st.integers(1, 9))}", is_click=draw(st.booleans())
            )
            came = Coming(at + READING, CART, cart, cart, draw(PAGES))
            happened: list[News] = [changed, changed, visited, came]
            news.append(draw(st.sampled_from(happened)))
    return news


@st.composite
def worlds_of_people(draw: st.DrawFn) -> list[News]:
    """Draw what three people do who were put in without an order."""
    news: list[News] = []
    for person in (1, 2, 3):
        entered = PLACED + hours(draw(st.integers(0, 60)))
        facts = Facts(contact=contact_facts(draw(ZONES), "pl", draw(COUNTRIES), "Europe/Warsaw", "PL"))
        held_out = draw(st.sampled_from([0, 0, 9_999]))
        who = {"subject_kind": CONTACT, "subject_id": person, "contact_id": person}
        news.append(arrival(entered, facts, holdout_bp=held_out, **who))
        for _ in range(draw(st.integers(0, 6))):
            at, node = PLACED + timedelta(minutes=30 * draw(st.integers(0, 48 * 14))), draw(st.integers(1, 9))
            happened: list[News] = [
                Purchase(at, person, ("soap",), at - hours(draw(st.integers(0, 3)))),
                Visit(at + READING, CONTACT, person, f"n{node}", is_click=draw(st.booleans())),
                Coming(at + READING, CONTACT, person, person, draw(PAGES)),
                Reply(at, CONTACT, person, f"n{node}", draw(st.sampled_from(ANSWERS))),
            ]
            news.append(draw(st.sampled_from(happened)))
    return news


@st.composite
def changes(draw: st.DrawFn, order: int, at: datetime, contact: int) -> News:
    """Draw one thing that happens to an order."""
    kinds = [
        ChangeKind.PAID,
        ChangeKind.CANCELLED,
        ChangeKind.SUPERSEDED,
        ChangeKind.PROMISED,
        ChangeKind.CLAIMED,
        ChangeKind.HELD,
    ]
    if draw(st.integers(0, 7)) == 0:
        return Purchase(
            at, contact, draw(st.sampled_from([("soap",), ("wax",)])), at - hours(draw(st.integers(0, 3)))
        )
    if draw(st.integers(0, 5)) == 0:
        code = draw(st.sampled_from(ANSWERS))
        return Reply(at, ORDER, order, f"n{draw(st.integers(1, 9))}", code)
    kind = draw(st.sampled_from([*kinds, None, None]))
    if kind is None:
        if draw(st.booleans()):
            return Coming(at + READING, ORDER, order, contact, draw(PAGES))
        return Visit(at + READING, ORDER, order, f"n{draw(st.integers(1, 9))}", is_click=draw(st.booleans()))
    until = (
        at + hours(draw(st.integers(-5, 100))) if kind in (ChangeKind.PROMISED, ChangeKind.CLAIMED) else None
    )
    became_true_at = at - hours(draw(st.integers(0, 3)))
    return Change(at, ORDER, order, kind, became_true_at, until)
