"""Questions about the ways between blocks: what is reached, what lies in a ring, how deep a block stands."""

from collections.abc import Mapping


class Ways:
    """The ways of a graph, as a mapping from each block to those that it leads to."""

    def __init__(self, following: Mapping[str, tuple[str, ...]]) -> None:
        self._following = following

    def reached_from(self, start: str) -> set[str]:
        """Return the blocks that can be reached from a block, itself among them."""
        reached = {start}
        open_ends = [start]
        while open_ends:
            for target in self._following[open_ends.pop()]:
                if target not in reached:
                    reached.add(target)
                    open_ends.append(target)
        return reached

    def leads(self, first: str, second: str) -> bool:
        """Tell whether a way leads from one block on to another."""
        return any(second in self.reached_from(target) for target in self._following[first])

    def find_ring(self) -> list[str]:
        """Return the blocks of one ring, or nothing."""
        done: set[str] = set()
        for start in self._following:
            path: list[str] = []
            stack: list[tuple[str, bool]] = [] if start in done else [(start, False)]
            while stack:
                name, is_left = stack.pop()
                if is_left:
                    path.pop()
                    done.add(name)
                elif name in path:
                    return path[path.index(name) :]
                elif name not in done:
                    path.append(name)
                    stack.append((name, True))
                    stack.extend((target, False) for target in self._following[name] if target not in done)
        return []

    def depths(self, start: str) -> dict[str, int]:
        """Return how many blocks lie between the start and each block on the longest way without a ring.

        Ways that lead back are left out, so that a drawing can put each block below those that lead to it.
        """
        order = self._without_ways_back(start)
        depths = dict.fromkeys(order, 0)
        seen: set[str] = set()
        for name in order:
            seen.add(name)
            for target in self._following[name]:
                if target not in seen:
                    depths[target] = max(depths[target], depths[name] + 1)
        return depths

    def _without_ways_back(self, start: str) -> list[str]:
        """Return the reached blocks, each before those that it leads to, except along ways back."""
        finished: list[str] = []
        entered: set[str] = set()
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            name, is_left = stack.pop()
            if is_left:
                finished.append(name)
            elif name not in entered:
                entered.add(name)
                stack.append((name, True))
                stack.extend((target, False) for target in self._following[name] if target not in entered)
        return finished[::-1]
