"""Edits of a draft: pure functions from one raw document to the next.

A document that reads well before an edit reads well after it: whatever no way leads to any more is dropped, a way that
would lead nowhere gets an end of its own, and an id is never given twice. What an edit makes unfit for publishing (a circle
without a wait, say) is left to the validation, which shows it at its block.
"""

from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from pydantic import BaseModel

from recoup.processes.engine.happenings import PAYMENT_GOALS
from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.graph.document import MOST_NODES, SCHEMA
from recoup.processes.graph.entries import subject_of
from recoup.processes.graph.ways import Ways

Raw = dict[str, Any]
NEW_END = ""  # as the target of a port: an end of its own


class Way(NamedTuple):
    """A way out of a block by its port; without a block, the way in."""

    block: str = ""
    port: str = "first"


class EditRefused(Exception):
    """The edit would leave no process; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def blank(name: str, on: str = "order.unpaid") -> Raw:
    """Return a process in which nothing happens yet."""
    goal = PAYMENT_GOALS.get(subject_of({"on": on}))
    return {
        "schema": SCHEMA,
        "name": name,
        "entry": {"on": on, "first": "n1"},
        "goals": [{"on": goal}] if goal and goal != on else [],
        "nodes": {"n1": {"t": "end"}},
    }


def port_names(node: Raw) -> list[tuple[str, bool]]:
    """Return every port that a block has or may have, in reading order, and whether it must lead somewhere."""
    if node["t"] == "split":
        return [(arm["id"], True) for arm in node["arms"]]
    field = KINDS[node["t"]].document.model_fields.get("out")
    ports = field.annotation if field is not None else None
    if not (isinstance(ports, type) and issubclass(ports, BaseModel)):
        return []
    return [(name, port.is_required()) for name, port in ports.model_fields.items()]


def ports_of(node: Raw) -> dict[str, str]:
    """Return the ports that lead somewhere, in reading order: the database keeps no order of keys."""
    out = node.get("out", {})
    return {name: out[name] for name, _ in port_names(node) if out.get(name)}


def ways_of(doc: Raw) -> dict[Way, str]:
    """Return every way of a document and the block that it leads to."""
    found = {Way(): doc["entry"]["first"]}
    for name, node in doc["nodes"].items():
        found |= {Way(name, port): target for port, target in ports_of(node).items()}
    return found


def insert(
    doc: Raw, way: Way, block: Raw, ports: Mapping[str, str | None] | None = None, used: Collection[str] = ()
) -> tuple[Raw, str]:
    """Put a block on a way; return its id as well.

    Its first port leads on to where the way led, the others to ends, unless `ports` says otherwise.

    :raises EditRefused: if there is no such way, or the process would become too large.
    """
    draft = _Draft(doc, used)
    following = draft.target(way)
    name = draft.add({key: value for key, value in block.items() if key != "out"})
    draft.wire(name, ports or {}, first=following)
    draft.lead(way, name)
    return draft.done(), name


def remove(doc: Raw, name: str, used: Collection[str] = ()) -> Raw:
    """Take a block out. What led to it leads to where its first port led.

    :raises EditRefused: if it is the last one, or an end, which every way needs.
    """
    draft = _Draft(doc, used)
    node = draft.node(name)
    following = [target for target in ports_of(node).values() if target != name]
    if len(draft.nodes) == 1:
        raise EditRefused("last_block")
    if node["t"] == "end":
        raise EditRefused("end_needed")
    target = following[0] if following else draft.add({"t": "end"})
    for way, led_to in ways_of(draft.doc).items():
        if led_to == name and way.block != name:
            draft.lead(way, target)
    del draft.nodes[name]
    return draft.done()


def change(
    doc: Raw,
    name: str,
    fields: Raw,
    ports: Mapping[str, str | None] | None = None,
    used: Collection[str] = (),
) -> Raw:
    """Give a block other fields and ways. A port that is not named keeps its way; `None` takes an optional one off.

    :raises EditRefused: if a block or a target is not there.
    """
    draft = _Draft(doc, used)
    out = draft.node(name).get("out", {})
    draft.nodes[name] = {key: value for key, value in fields.items() if key != "out"}
    draft.wire(name, {**out, **(ports or {})})
    return draft.done()


def rewire(doc: Raw, way: Way, target: str, used: Collection[str] = ()) -> Raw:
    """Lead a way to another block, or to an end of its own.

    :raises EditRefused: if a block is not there.
    """
    draft = _Draft(doc, used)
    draft.target(way)
    draft.lead(way, draft.resolved(target))
    return draft.done()


def copy_branch(doc: Raw, start: str, way: Way, used: Collection[str] = ()) -> Raw:
    """Lead a way to a copy of a block and of all that only this block leads to.

    Where the branch joins others, so does its copy; where it would end, what stood on the way goes on.

    :raises EditRefused: if a block is not there, or the process would become too large.
    """
    draft = _Draft(doc, used)
    draft.node(start)
    following = draft.target(way)
    originals = _only_behind(draft.doc, start)
    tail = _way_on(draft.doc, start, originals)
    names = {name: draft.add(deepcopy(draft.nodes[name])) for name in originals}
    for copied in names.values():
        node = draft.nodes[copied]
        if "out" in node:
            node["out"] = {port: names.get(target, target) for port, target in node["out"].items()}
        event = node.get("on")
        if isinstance(event, dict) and event.get("ref") in names:
            event["ref"] = names[event["ref"]]
        if node.get("ref") in names:
            node["ref"] = names[node["ref"]]
    draft.lead(way, names[start])
    if tail is not None and tail.target in names and draft.ports(following):
        draft.lead(Way(names[tail.way.block], tail.way.port), following)
    return draft.done()


def move_branch(doc: Raw, start: str, way: Way, used: Collection[str] = ()) -> Raw:
    """Put a block, and all that only this block leads to, on another way.

    What stood on that way goes on behind the branch; what led to the branch goes on where the branch joined others.

    :raises EditRefused: if a block or way is not there, or the way belongs to the branch itself.
    """
    draft = _Draft(doc, used)
    draft.node(start)
    following = draft.target(way)
    branch = _only_behind(draft.doc, start)
    if way.block in branch:
        raise EditRefused("into_itself")
    if following == start:
        raise EditRefused("stands_there")
    tail = _way_on(draft.doc, start, branch)
    joined = tail.target if tail is not None and tail.target not in branch else NEW_END
    for other, led_to in ways_of(draft.doc).items():
        if led_to == start and other.block not in branch:
            draft.lead(other, draft.resolved(joined))
    draft.lead(way, start)
    if tail is not None and (draft.ports(following) or tail.target not in branch):
        draft.lead(tail.way, following)
    return draft.done()


def rename(doc: Raw, name: str) -> Raw:
    """Give the process another name."""
    return {**deepcopy(doc), "name": name}


def set_entry(doc: Raw, entry: Raw) -> Raw:
    """Change who enters; the way in stays."""
    return {**deepcopy(doc), "entry": {**entry, "first": doc["entry"]["first"]}}


def set_goals(doc: Raw, goals: Iterable[str]) -> Raw:
    """Change what ends the process for somebody, wherever they stand."""
    return {**deepcopy(doc), "goals": [{"on": goal} for goal in goals]}


class _Tail(NamedTuple):
    """The way by which a branch is left, and where to: an end of its own, or a block elsewhere."""

    way: Way
    target: str


def _way_on(doc: Raw, start: str, branch: Collection[str]) -> _Tail | None:
    """Follow the first ports of a branch to where it is left; one that reaches a goal or goes round is not."""
    seen: set[str] = set()
    name = start
    while name not in seen:
        seen.add(name)
        for port, target in ports_of(doc["nodes"][name]).items():
            if target not in branch or doc["nodes"][target]["t"] == "end":
                return _Tail(Way(name, port), target)
            name = target
            break
    return None


def _only_behind(doc: Raw, start: str) -> list[str]:
    """Return a block and those that nobody reaches but through it."""
    following = {name: tuple(ports_of(node).values()) for name, node in doc["nodes"].items()}
    behind = Ways(following).reached_from(start)
    first = doc["entry"]["first"]
    elsewhere = set() if first == start else Ways({**following, start: ()}).reached_from(first)
    return sorted(behind - (elsewhere - {start}), key=lambda name: (name != start, len(name), name))


class _Draft:
    """A document while it is being changed."""

    def __init__(self, doc: Raw, used: Collection[str]) -> None:
        self.doc: Raw = deepcopy(doc)
        self.nodes: dict[str, Raw] = self.doc["nodes"]
        self._used = {*used, *self.nodes}

    def node(self, name: str) -> Raw:
        if name not in self.nodes:
            raise EditRefused("no_such_block")
        return self.nodes[name]

    def target(self, way: Way) -> str:
        """Return where a way leads."""
        target = ways_of(self.doc).get(way)
        if target is None:
            raise EditRefused("no_such_way")
        return target

    def ports(self, name: str) -> dict[str, str]:
        """Return the ways out of a block."""
        return ports_of(self.node(name))

    def resolved(self, target: str) -> str:
        """Return a target that is there; an end of its own is made."""
        if target == NEW_END:
            return self.add({"t": "end"})
        self.node(target)
        return target

    def lead(self, way: Way, target: str) -> None:
        if way.block:
            self.nodes[way.block]["out"] = {**self.nodes[way.block].get("out", {}), way.port: target}
        else:
            self.doc["entry"] = {**self.doc["entry"], "first": target}

    def add(self, node: Raw) -> str:
        """Take a block in under an id that no version has had."""
        numbers = [int(name[1:]) for name in self._used if name[:1] == "n" and name[1:].isdecimal()]
        name = f"n{max(numbers, default=0) + 1}"
        self._used.add(name)
        self.nodes[name] = node
        return name

    def wire(self, name: str, wanted: Mapping[str, str | None], first: str = NEW_END) -> None:
        """Give a block the ports that its kind has: as wanted, the first one by default to a given block."""
        out: dict[str, str] = {}
        for number, (port, is_required) in enumerate(port_names(self.nodes[name])):
            target = wanted.get(port)
            if target is not None:
                out[port] = self.resolved(target)
            elif is_required:
                out[port] = self.resolved(NEW_END if number else first)
        if out:
            self.nodes[name]["out"] = out

    def done(self) -> Raw:
        """Drop what nothing leads to.

        :raises EditRefused: if more is left than a process may hold.
        """
        following = {name: tuple(ports_of(node).values()) for name, node in self.nodes.items()}
        reached = Ways(following).reached_from(self.doc["entry"]["first"])
        for name in set(self.nodes) - reached:
            del self.nodes[name]
        if len(self.nodes) > MOST_NODES:
            raise EditRefused("too_many_blocks")
        layout = {name: place for name, place in self.doc.pop("layout", {}).items() if name in reached}
        if layout:
            self.doc["layout"] = layout
        return self.doc
