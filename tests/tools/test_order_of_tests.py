"""The order in which the tests are shared between workers."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.order import slow_first


@dataclass(frozen=True)
class Item:
    """A test, as far as its order goes."""

    number: int
    marks: tuple[str, ...] = field(default=())

    def get_closest_marker(self, name: str) -> Any:
        """Return something if it bears the mark."""
        return name if name in self.marks else None


def stretches(items: list[Item], workers: int) -> list[list[int]]:
    """Return what each worker begins with, as worksteal deals it out."""
    ordered = slow_first(cast("list[pytest.Item]", items), workers=workers)
    numbers = [cast("Item", item).number for item in ordered]
    found = []
    for worker in range(workers):
        length = len(numbers) // (workers - worker)
        found.append(numbers[:length])
        numbers = numbers[length:]
    return found


def test_each_worker_begins_with_its_share_of_the_slow_ones() -> None:
    items = [Item(number, ("slow",) if number >= 7 else ()) for number in range(10)]

    assert stretches(items, 3) == [[7, 0, 1], [8, 2, 3], [9, 4, 5, 6]]


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("slow", [0, 1, 5, 20])
def test_none_is_left_out_and_none_is_run_twice(workers: int, slow: int) -> None:
    items = [Item(number, ("browser",) if number < slow else ()) for number in range(20)]

    assert sorted(number for stretch in stretches(items, workers) for number in stretch) == list(range(20))
