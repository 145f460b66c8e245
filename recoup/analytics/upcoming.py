"""Which cases get a reminder soon: enrolments whose wait leads to a sending, and messages that wait already."""

import json
from typing import Any

from django.db import connection

from recoup.shops.models import Shop

_WAITS = {"wait", "until"}
# Twice what a list counts: a case rarely stands twice, and more is shown as "10,000+" anyway.
_LOOKED_AT = 20_002

# Enrolments of all shops lie in one index by when they run; the look stops early. Hold-outs (1) and tests (2) send nothing.
SENDS_SOON = f"""r.closed_at IS NULL AND r.id IN (
    (SELECT e.case_id FROM processes_enrolment e
     WHERE e.shop_id = %s AND e.state IN (1, 2) AND e.prio IN (0, 1, 2) AND e.run_at < %s AND e.flags & 3 = 0
       AND e.case_id IS NOT NULL AND (e.version_id, e.node) IN (SELECT * FROM unnest(%s::bigint[], %s::smallint[]))
     LIMIT {_LOOKED_AT})
    UNION ALL
    (SELECT m.case_id FROM messaging_message m
     WHERE m.shop_id = %s AND m.state = 'due' AND NOT m.is_test AND m.case_id IS NOT NULL AND m.due_at < %s
     LIMIT {_LOOKED_AT})
)"""  # noqa: S608 - put together from a number of ours


def blocks_before_sending(shop: Shop) -> tuple[list[int], list[int]]:
    """Return versions and numbers of the waiting blocks that lead to a message without another wait between.

    Of running processes only: a paused or stopped one sends nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.id, v.doc::text, v.node_map::text FROM processes_processversion v"
            " JOIN processes_process p ON p.id = v.process_id WHERE v.shop_id = %s AND p.status = 'live' ORDER BY v.id",
            [shop.pk],
        )
        rows = cursor.fetchall()
    found = [
        (version_id, numbers[name])
        for version_id, doc, node_map in rows
        for nodes, numbers in [(json.loads(doc)["nodes"], json.loads(node_map))]
        for name in nodes
        if nodes[name]["t"] in _WAITS and _leads_to_sending(nodes, name)
    ]
    return [version_id for version_id, _ in found], [int(number) for _, number in found]


def _leads_to_sending(nodes: dict[str, Any], name: str) -> bool:
    seen, ahead = set[str](), list(_following(nodes[name]))
    while ahead:
        block = ahead.pop()
        if block in seen or block not in nodes:
            continue
        seen.add(block)
        if nodes[block]["t"] == "send":
            return True
        if nodes[block]["t"] not in _WAITS:
            ahead.extend(_following(nodes[block]))
    return False


def _following(node: dict[str, Any]) -> list[str]:
    return list(node.get("out", {}).values())
