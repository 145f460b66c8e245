"""The picture of a process: its nodes laid out top-down for an SVG without style or script, and an outline.

The longest way goes straight down; the others leave at the side. A side way to an end is a short arrow to a
word, so that lines which lead to different places never lie on each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from recoup.web.parts import Words

Kind = Literal["start", "wait", "until", "if", "split", "send", "order_status", "goal", "end"]

NODE_WIDTH, NODE_HEIGHT = 316, 60
GAP_X, GAP_Y = 56, 44
PAD = 12
_TEXT_X, _TEXT_GAP = 46, 10
_TITLE_SIZE, _DETAIL_SIZE = 14.5, 12  # a title is bold, hence a little wider than its 14 px
_NARROW, _WIDE = frozenset("iljtfrI.,:;'’|!()[]„“”\" "), frozenset("mwMWЖШЩЫЮжшщыюм@%—…")

ICONS: dict[str, str] = {
    "start": "zap",
    "wait": "clock",
    "until": "hourglass",
    "if": "git-branch",
    "send": "mail",
    "offer": "badge-percent",
    "order_status": "package-check",
    "tag": "tag",
    "task": "list-checks",
    "enrol": "workflow",
    "webhook": "webhook",
    "split": "split",
    "goal": "goal",
    "end": "flag",
}


@dataclass(frozen=True, slots=True)
class Branch:
    """A way out of a node: where to, and the word on it (YES, NO, or nothing when there is only one)."""

    to: str
    label: Words = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A node as a person reads it. `count` is how many orders stand there, or came there for goal and end."""

    key: str
    kind: Kind
    title: Words
    detail: Words = ""
    branches: Sequence[Branch] = ()
    count: str = ""
    url: str = ""  # the rows that the count means


@dataclass(frozen=True, slots=True)
class Box:
    """A node with its place."""

    node: Node
    x: int
    y: int
    title: str
    detail: str
    icon: str
    count_width: int

    @property
    def right(self) -> int:
        """Return where the count's pill begins."""
        return NODE_WIDTH - 12 - self.count_width


@dataclass(frozen=True, slots=True)
class Edge:
    """A line between two nodes, with its word and where the word stands."""

    path: str
    label: str
    label_x: int
    label_y: int
    head: str
    end_word: str = ""  # where a side way simply ends
    end_x: int = 0
    end_y: int = 0


@dataclass(frozen=True, slots=True)
class OutlineStep:
    """One line of the outline: the node's words, and where its branches lead by number (0: it ends there)."""

    node: Node
    ways: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Picture:
    """All that `web/components/picture.html` draws."""

    width: int
    height: int
    boxes: list[Box]
    edges: list[Edge]
    outline: list[OutlineStep]
    node_width: int = NODE_WIDTH
    node_height: int = NODE_HEIGHT


@dataclass(slots=True)
class _Layout:
    """Rows and columns while they are being found."""

    nodes: Mapping[str, Node]
    row: dict[str, int] = field(default_factory=dict)
    column: dict[str, int] = field(default_factory=dict)

    def main_way(self, node: Node) -> list[Branch]:
        """Return the ways out, the one that goes straight down first: the longest one."""
        return sorted(node.branches, key=lambda way: -self.depth(way.to, frozenset()))

    def ends_aside(self, node: Node, way: Branch) -> bool:
        """Tell whether this is a side way to an end, which needs no box."""
        end = self.nodes[way.to]
        return end.kind == "end" and not end.branches and self.main_way(node)[0] is not way

    def drawn_ways(self, node: Node) -> list[Branch]:
        """Return the ways to nodes that have a box, the straight one first."""
        return [way for way in self.main_way(node) if not self.ends_aside(node, way)]

    def depth(self, key: str, seen: frozenset[str]) -> int:
        """Return how many nodes follow at most; a way back counts nothing."""
        if key not in self.nodes or key in seen:
            return 0
        ways = self.nodes[key].branches
        return 1 + max((self.depth(way.to, seen | {key}) for way in ways), default=0)


def picture_of(nodes: Sequence[Node]) -> Picture:
    """Lay out a process whose first node is its start; what cannot be reached is left out.

    :raises KeyError: if a branch leads to a node that is not there.
    """
    layout = _Layout({node.key: node for node in nodes})
    order = _walk(layout, nodes[0].key) if nodes else []
    _set_rows(layout, order)
    _set_columns(layout, order)
    boxes = {key: _box(layout.nodes[key], layout.column[key], layout.row[key]) for key in order}
    edges = [
        _edge_aside(boxes[key], way, layout.nodes[way.to])
        if layout.ends_aside(layout.nodes[key], way)
        else _edge(boxes[key], boxes[way.to], way, layout)
        for key in order
        for way in layout.nodes[key].branches
    ]
    numbers = {key: number for number, key in enumerate(order, 1)}
    outline = [
        OutlineStep(
            layout.nodes[key],
            [(str(way.label), numbers.get(way.to, 0)) for way in layout.nodes[key].branches],
        )
        for key in order
    ]
    columns = max(layout.column.values(), default=0) + 1
    rows = max(layout.row.values(), default=0) + 1
    aside = max((edge.end_x + 8 * len(edge.end_word) + PAD for edge in edges if edge.end_word), default=0)
    width = max(aside, 2 * PAD + columns * NODE_WIDTH + (columns - 1) * GAP_X)
    height = 2 * PAD + rows * NODE_HEIGHT + (rows - 1) * GAP_Y
    return Picture(width, height, list(boxes.values()), edges, outline)


def _walk(layout: _Layout, start: str) -> list[str]:
    """Return the reachable nodes, the straight way first."""
    order: list[str] = []
    waiting = [start]
    while waiting:
        key = waiting.pop()
        if key in order:
            continue
        order.append(key)
        waiting.extend(way.to for way in reversed(layout.drawn_ways(layout.nodes[key])))
    return order


def _set_rows(layout: _Layout, order: Sequence[str]) -> None:
    """A node stands below all that lead to it; a way back to an earlier node moves nothing."""
    place = {key: index for index, key in enumerate(order)}
    layout.row = dict.fromkeys(order, 0)
    for _ in order:
        moved = False
        for key in order:
            for way in layout.drawn_ways(layout.nodes[key]):
                if place[way.to] > place[key] and layout.row[way.to] <= layout.row[key]:
                    layout.row[way.to] = layout.row[key] + 1
                    moved = True
        if not moved:
            return


def _set_columns(layout: _Layout, order: Sequence[str]) -> None:
    """The straight way keeps its column; every side way takes the next one that is free from its row on."""
    taken: set[tuple[int, int]] = set()
    for key in order:
        parents = [
            parent
            for parent in order
            if parent in layout.column
            and any(way.to == key for way in layout.drawn_ways(layout.nodes[parent]))
        ]
        column = 0
        if parents:
            parent = parents[0]
            is_straight = layout.main_way(layout.nodes[parent])[0].to == key
            column = layout.column[parent] + (0 if is_straight else 1)
        while (layout.row[key], column) in taken:
            column += 1
        layout.column[key] = column
        taken.add((layout.row[key], column))


def _box(node: Node, column: int, row: int) -> Box:
    count_width = 16 + 8 * len(node.count) if node.count else 0
    room = NODE_WIDTH - _TEXT_X - _TEXT_GAP - (count_width + 12 if count_width else 0)
    return Box(
        node=node,
        x=PAD + column * (NODE_WIDTH + GAP_X),
        y=PAD + row * (NODE_HEIGHT + GAP_Y),
        title=clipped(str(node.title), size=_TITLE_SIZE, room=room),
        detail=clipped(str(node.detail), size=_DETAIL_SIZE, room=room),
        icon=ICONS[node.kind],
        count_width=count_width,
    )


def clipped(text: str, *, size: float, room: float) -> str:
    """Cut a text to what fits into so many pixels: SVG breaks no lines and shortens nothing by itself."""
    if _width(text, size) <= room:
        return text
    end = next(end for end in range(len(text), -1, -1) if _width(text[:end] + "…", size) <= room or not end)
    return text[:end].rstrip(' ,“„"') + "…"


def _width(text: str, size: float) -> float:
    """Return about how wide a text is in Inter; a little more rather than less."""
    return (
        sum(
            0.32 if sign in _NARROW else 0.9 if sign in _WIDE else 0.7 if sign.isupper() else 0.59
            for sign in text
        )
        * size
    )


def _edge(start: Box, end: Box, way: Branch, layout: _Layout) -> Edge:
    """Draw from the foot of a node to the head of the next; side ways leave at the side, ways back go around."""
    label = str(way.label)
    end_x = end.x + NODE_WIDTH // 2
    if end.y <= start.y:
        return _way_back(start, end, label)
    head = f"M{end_x - 4} {end.y - 7}l4 6 4 -6z"
    if end.x == start.x and _is_free(start, end, layout):
        foot = start.y + NODE_HEIGHT
        return Edge(f"M{end_x} {foot}V{end.y - 6}", label, end_x + 10, foot + 20, head)
    if end.x > start.x:
        middle = start.y + NODE_HEIGHT // 2
        side = start.x + NODE_WIDTH
        path = f"M{side} {middle}H{end_x - 8}q8 0 8 8V{end.y - 6}"
        return Edge(path, label, side + 10, middle - 8, head)
    start_x, turn = start.x + NODE_WIDTH // 2, end.y - 24
    if end.x == start.x:
        start_x, side = start.x + NODE_WIDTH, start.x + NODE_WIDTH + GAP_X // 2
        middle = start.y + NODE_HEIGHT // 2
        down = f"M{start_x} {middle}H{side - 8}q8 0 8 8V{turn - 8}"
        path = f"{down}q0 8 -8 8H{end_x + 8}q-8 0 -8 8V{end.y - 6}"
        return Edge(path, label, start_x + 8, middle - 8, head)
    foot = start.y + NODE_HEIGHT
    path = f"M{start_x} {foot}V{turn - 8}q0 8 -8 8H{end_x + 8}q-8 0 -8 8V{end.y - 6}"
    return Edge(path, label, start_x + 10, foot + 20, head)


def _edge_aside(start: Box, way: Branch, end: Node) -> Edge:
    """Draw a short arrow to the right, to the name of the end."""
    side, middle = start.x + NODE_WIDTH, start.y + NODE_HEIGHT // 2
    tip = side + GAP_X
    return Edge(
        path=f"M{side} {middle}H{tip - 6}",
        label=str(way.label),
        label_x=side + 10,
        label_y=middle - 8,
        head=f"M{tip - 7} {middle - 4}l6 4 -6 4z",
        end_word=str(end.title),
        end_x=tip + 6,
        end_y=middle + 5,
    )


def _is_free(start: Box, end: Box, layout: _Layout) -> bool:
    column, rows = layout.column[start.node.key], layout.row
    between = range(rows[start.node.key] + 1, rows[end.node.key])
    return not any(layout.column[key] == column and row in between for key, row in rows.items())


def _way_back(start: Box, end: Box, label: str) -> Edge:
    side, left = PAD // 2 - 4, start.x
    low, high = start.y + NODE_HEIGHT // 2, end.y + NODE_HEIGHT // 2
    path = f"M{left} {low}H{side + 8}q-8 0 -8 -8V{high + 8}q0 -8 8 -8H{end.x - 6}"
    return Edge(path, label, left - 4, low - 8, f"M{end.x - 7} {high - 4}l6 4 -6 4z")
