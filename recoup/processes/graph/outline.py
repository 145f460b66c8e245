"""A document as a nested list, from top to bottom: what an outline on a page shows.

Every block stands in it once. Ways that meet again go on below their fork; a way to a block that stands elsewhere
only names it.
"""

from dataclasses import dataclass, field

from recoup.processes.graph.editing import Raw, ports_of
from recoup.processes.graph.ways import Ways


@dataclass(slots=True)
class Branch:
    """One way out of a fork: the blocks on it, or the block elsewhere that it goes on with."""

    port: str
    blocks: list["Block"] = field(default_factory=list)
    joins: str = ""


@dataclass(slots=True)
class Block:
    """A block. `port` is the way on to the next one in the list, or to `joins`; forks whose ways meet have none."""

    name: str
    branches: list[Branch] = field(default_factory=list)
    port: str = ""
    joins: str = ""


DEEPEST = (
    4  # forks within forks; deeper ones let their longest way go on below, so that a phone can show them
)


def outline(doc: Raw) -> list[Block]:
    """Return the blocks of a document in reading order."""
    return _Walk(doc).chain(doc["entry"]["first"], frozenset())[0]


def in_order(blocks: list[Block]) -> list[str]:
    """Return the names of the blocks as they are read."""
    names = []
    for block in blocks:
        names.append(block.name)
        for branch in block.branches:
            names.extend(in_order(branch.blocks))
    return names


class _Walk:
    def __init__(self, doc: Raw) -> None:
        self.ports = {name: ports_of(node) for name, node in doc["nodes"].items()}
        self.following = {name: tuple(ports.values()) for name, ports in self.ports.items()}
        self.ways = Ways(self.following)
        self.depths = self.ways.depths(doc["entry"]["first"])
        self.seen: set[str] = set()
        self.depth = 0

    def chain(self, name: str, stops: frozenset[str]) -> tuple[list[Block], str]:
        """Return the blocks from one on, and the block elsewhere that the last of them leads to."""
        blocks: list[Block] = []
        while name not in self.seen and name not in stops:
            self.seen.add(name)
            block = Block(name)
            blocks.append(block)
            ports = self.ports[name]
            if not ports:
                return blocks, ""
            if len(ports) == 1:
                [(block.port, name)] = ports.items()
            elif not (name := self.fork(block, stops)):
                return blocks, ""
            if block.port and (name in self.seen or name in stops):
                block.joins = name
        return blocks, name

    def fork(self, block: Block, stops: frozenset[str]) -> str:
        """Fill in the branches of a fork; return the block below it with which all or the long one of them go on."""
        ports = self.ports[block.name]
        long = [port for port, target in ports.items() if self.ports[target]]
        if len(long) != 1 and self.depth >= DEEPEST:
            long = [max(ports, key=lambda port: len(self.ways.reached_from(ports[port])))]
        if len(long) == 1:
            return self.fork_with_short_ways(block, long[0], stops)
        meeting = self.meeting(block.name)
        inner = stops | {meeting} if meeting else stops
        block.branches = [self.branch(port, target, inner) for port, target in ports.items()]
        return meeting

    def fork_with_short_ways(self, block: Block, long: str, stops: frozenset[str]) -> str:
        """Let the long way go on below; the others only end, or are shorter."""
        ports = self.ports[block.name]
        behind = Ways({**self.following, block.name: ()}).reached_from(ports[long])
        others = {port: target for port, target in ports.items() if port != long}
        block.branches = [self.branch(port, target, stops | behind) for port, target in others.items()]
        block.port = long
        return ports[long]

    def branch(self, port: str, target: str, stops: frozenset[str]) -> Branch:
        self.depth += 1
        blocks, joins = self.chain(target, stops)
        self.depth -= 1
        return Branch(port, blocks, "" if blocks else joins)

    def meeting(self, name: str) -> str:
        """Return the first block that every way of a fork comes to; ends alone do not count."""
        reaches = [self.ways.reached_from(target) for target in self.ports[name].values()]
        common = set.intersection(*reaches) - self.seen
        known = [other for other in common if self.ports[other] and other in self.depths]
        return min(known, key=lambda other: (self.depths[other], other), default="")
