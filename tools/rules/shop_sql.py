"""A file of SQL asks one shop, or says in the comment at its top why it asks all.

    -- Crosses shops: the engine picks due rows of all of them.

Shops are walls, and SQL in a file passes every other guard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

CROSSES = re.compile(r"\A(--.*\n)*--.*\bcrosses shops\b[^\w\n]*\w+", re.IGNORECASE)


def applies(path: PurePosixPath) -> bool:
    """Look at SQL of the product."""
    return path.suffix == ".sql" and path.is_relative_to("recoup") and "migrations" not in path.parts


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Find files that name no shop."""
    if not re.search(r"\bshop_id\b\s*=\s*%\(shop", text) and not CROSSES.match(text):
        yield 1, "bind shop_id to %(shop_id)s, or begin with: -- Crosses shops: <why>"
