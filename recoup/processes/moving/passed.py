"""Who has passed the place at which a version adds a block: they may do it too, each at most once (peer 13)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from recoup.processes.graph.document import ProcessDocument
from recoup.processes.models import Process
from recoup.processes.moving.plan import Old, Rule, passed_before

MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Passed:
    """Those inside who have passed the place of an added block and have never been at it: how many, the first by name."""

    people: int
    names: Sequence[str]


def been_at(enrolment_ids: Sequence[int], rules: Iterable[Rule]) -> dict[int, set[int]]:
    """Return at which blocks that rules add people have been, by the lines of the ledger."""
    nodes = sorted({node for rule in rules for node in rule.also})
    found: defaultdict[int, set[int]] = defaultdict(set)
    if nodes and enrolment_ids:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT enrolment_id, node FROM processes_step_log"
                " WHERE enrolment_id = ANY(%s) AND node = ANY(%s)",
                [list(enrolment_ids), nodes],
            )
            for enrolment_id, node in cursor.fetchall():
                found[enrolment_id].add(node)
    return found


def added_blocks(olds: Sequence[Old], new: ProcessDocument) -> dict[str, dict[str, list[Old]]]:
    """Return the blocks that a version adds before blocks of older ones: for each, where people have passed its place."""
    found: defaultdict[str, dict[str, list[Old]]] = defaultdict(dict)
    for old in olds:
        for block in old.graph.document.nodes:
            for name in passed_before(block, old.graph.document, new):
                found[name].setdefault(block, []).append(old)
    return dict(found)


# Names are read of the first alone. Of a block that was never published nobody has a line, so none is looked for.
_WHO = """
    WITH passed AS MATERIALIZED (
        SELECT e.id, e.contact_id, e.entered_at
        FROM processes_enrolment e JOIN unnest(%s::bigint[], %s::smallint[]) AS r (version_id, node)
            ON r.version_id = e.version_id AND r.node = e.node
        WHERE e.shop_id = %s AND e.process_id = %s AND e.active_key IS NOT NULL
          AND coalesce(e.variables, '{}') -> 'back' IS NULL
          AND CASE WHEN %s < 0 THEN true ELSE NOT EXISTS (
              SELECT FROM processes_step_log s WHERE s.enrolment_id = e.id AND s.node = %s) END
    )
    SELECT c.name, c.email, c.phone, (SELECT count(*) FROM passed)
    FROM (SELECT * FROM passed ORDER BY entered_at, id LIMIT %s) p JOIN customers_contact c ON c.id = p.contact_id
    ORDER BY p.entered_at, p.id
"""


def who_passed(process: Process, places: Mapping[str, Sequence[Old]], node: int) -> Passed:
    """Return who stands where the place of a block is passed; `node` is its number, -1 for one that was never published."""
    pairs = [(old.version_id, old.graph.node_map[block]) for block, olds in places.items() for old in olds]
    with connection.cursor() as cursor:
        cursor.execute(
            _WHO,
            [
                [version_id for version_id, _ in pairs],
                [number for _, number in pairs],
                process.shop_id,
                process.pk,
                node,
                node,
                MOST_NAMED,
            ],
        )
        rows = cursor.fetchall()
    return Passed(rows[0][3] if rows else 0, [name or email or phone for name, email, phone, _ in rows])
