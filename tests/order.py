"""The order in which tests are run: the slow ones first, so that no worker is left alone with them at the end.

pytest-xdist (`--dist worksteal`) gives each worker an equal stretch of the list, and who has done all of it takes from the
end of the longest rest. So each stretch begins with its share of the slow tests, and ends with quick ones, to be taken.
Where the stretch of a worker ends hangs on nothing but the list and the number of workers: all of them collect the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

SLOW = ("slow", "browser")


def slow_first(items: Sequence[pytest.Item], *, workers: int) -> list[pytest.Item]:
    """Return the tests in the order of their stretches; a single worker runs them as they were collected."""
    if workers < 2:
        return list(items)
    slow = [item for item in items if any(item.get_closest_marker(name) for name in SLOW)]
    known = set(slow)
    quick = [item for item in items if item not in known]
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        share = slow[worker::workers]
        # As worksteal counts: what is left, by how many are left.
        room = max(0, (len(items) - len(ordered)) // (workers - worker) - len(share))
        ordered += share + quick[:room]
        quick = quick[room:]
    return ordered
