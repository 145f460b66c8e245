"""A set of references that stays small: eight bytes for each of a million orders, where Python's own takes a hundred."""

from array import array
from hashlib import blake2b

_FIRST_SLOTS = 1 << 12
_FULL = 0.6


class Seen:
    """Remembers references by a 64-bit hash; two of a million share one with a chance of one in 30 million."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SLOTS))
        self._count = 0

    def add(self, ref: str) -> bool:
        """Remember a reference; `False` if it was there before."""
        digest = blake2b(ref.encode("utf-8", "replace"), digest_size=8).digest()
        if not _put(self._slots, int.from_bytes(digest, "little") or 1):
            return False
        self._count += 1
        if self._count > _FULL * len(self._slots):
            self._grow()
        return True

    def _grow(self) -> None:
        larger = array("Q", bytes(16 * len(self._slots)))
        for value in self._slots:
            if value:
                _put(larger, value)
        self._slots = larger


def _put(slots: "array[int]", value: int) -> bool:
    mask = len(slots) - 1
    place = value & mask
    while slots[place]:
        if slots[place] == value:
            return False
        place = (place + 1) & mask
    slots[place] = value
    return True
