"""Only `core.clock` asks for the time; everything else gets `now` as a parameter (docs/architecture.md).

Otherwise a test cannot live through three days in a second, and the demo's clock cannot be moved.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

# Intervals by time.monotonic() are no moments, so they are free.
ASKING = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "timezone.now", "time.time"}
CLOCKS = ("recoup/core/clock.py",)
# No part of the trade: the supervisor watches processes, the command line stamps files, and the demo bank stands for a
# foreign company with a clock of its own.
OUTSIDE = ("recoup/supervisor/", "recoup/cli/", "recoup/integrations/demobank/")


def applies(path: PurePosixPath) -> bool:
    """Look at the product, not at tests and tools."""
    name = str(path)
    return name.startswith("recoup/") and path.suffix == ".py" and not name.startswith((*CLOCKS, *OUTSIDE))


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Find calls that ask a clock."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and _name(node.func) in ASKING:
            yield node.lineno, f"{_name(node.func)}() asks for the time; take `now` as a parameter"


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        base = _name(node.value)
        return f"{base.rpartition('.')[2]}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
