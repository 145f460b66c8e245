"""What was drawn before at the doors: the share of a shop, and the groups of people whose contacts were merged."""

from collections.abc import Collection, Sequence
from typing import Protocol

from django.db import connection

Drawn = dict[tuple[int | None, int], bool]  # by process (none is the whole shop) and person


class Door(Protocol):
    """What is asked of a door."""

    @property
    def process_id(self) -> int:
        """Return the process."""

    @property
    def shop_id(self) -> int:
        """Return its shop."""

    @property
    def holdout_bp(self) -> int:
        """Return the share of its people that is left alone."""

    @property
    def shop_holdout_bp(self) -> int:
        """Return the share of the people of its shop that is left alone by everything."""


def shop_shares(shop_ids: Collection[int]) -> dict[int, int]:
    """Return the shares of all people that shops leave alone, of those that leave any."""
    if not shop_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (shop_id) shop_id, share_bp FROM processes_holdoutshare"
            " WHERE shop_id = ANY(%s) AND process_id IS NULL ORDER BY shop_id, id DESC",
            [sorted(shop_ids)],
        )
        return dict(cursor.fetchall())


def first_draws(doors: Sequence[Door], contact_ids: Sequence[int]) -> Drawn:
    """Return which people were drawn into the hold-out, or out of it, before, under the shares of today.

    The draw is by the number of a contact, so only where two contacts became one it could come out differently: then
    what was drawn first holds (features, novel row 1). Nobody is looked up where nobody is left alone.
    """
    found: Drawn = {}
    processes = sorted({door.process_id for door in doors if door.holdout_bp})
    shops = sorted({door.shop_id for door in doors if door.shop_holdout_bp})
    if processes:
        found |= _drawn(_IN_PROCESS, processes, contact_ids)
    if shops:
        found |= _drawn(_IN_SHOP, shops, contact_ids)
    return found


def _drawn(statement: str, owners: Sequence[int], contact_ids: Sequence[int]) -> Drawn:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"owners": list(owners), "people": sorted(set(contact_ids))})
        return {(process_id, contact_id): is_drawn for process_id, contact_id, is_drawn in cursor.fetchall()}


# Only of contacts that others were merged into: all others are drawn the same each time.
_IN_PROCESS = """
    SELECT DISTINCT ON (e.process_id, e.contact_id) e.process_id, e.contact_id, e.flags & 1 <> 0
    FROM processes_process p
    JOIN processes_enrolment e ON e.shop_id = p.shop_id AND e.process_id = p.id AND e.contact_id = ANY(%(people)s)
    WHERE p.id = ANY(%(owners)s) AND e.flags & 4098 = 0
      AND EXISTS (SELECT FROM customers_contact gone WHERE gone.merged_into_id = e.contact_id)
      AND e.id > coalesce((SELECT max(h.after_enrolment) FROM processes_holdoutshare h
                           WHERE h.shop_id = p.shop_id AND h.process_id = p.id), 0)
    ORDER BY e.process_id, e.contact_id, e.id
"""
_IN_SHOP = """
    SELECT DISTINCT ON (e.contact_id) NULL::bigint, e.contact_id, e.flags & 4096 <> 0
    FROM processes_enrolment e
    WHERE e.shop_id = ANY(%(owners)s) AND e.contact_id = ANY(%(people)s) AND e.flags & 2 = 0
      AND EXISTS (SELECT FROM customers_contact gone WHERE gone.merged_into_id = e.contact_id)
      AND e.id > coalesce((SELECT max(h.after_enrolment) FROM processes_holdoutshare h
                           WHERE h.shop_id = e.shop_id AND h.process_id IS NULL), 0)
    ORDER BY e.contact_id, e.id
"""
