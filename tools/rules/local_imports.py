"""An import inside a function says why it is not at the top, with one of three reasons.

    from recoup.demo import seed  # local: django

- `django`: it can be imported only after `django.setup()`, and this module is used before.
- `start`: it is slow and seldom needed, and would make every start of the program slow.
- `optional`: the package may be missing here, and this code does without it.

A cycle is no reason: move what both sides need down.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

REASONS = ("django", "start", "optional")
REASON = re.compile(r"#\s*local:\s*(\w+)")


def applies(path: PurePosixPath) -> bool:
    """Look at all Python."""
    return path.suffix == ".py"


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Find imports in functions without one of the reasons."""
    lines = text.splitlines()
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    inner = {
        node.lineno: node
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    for number, node in sorted(inner.items()):
        given = REASON.search("\n".join(lines[number - 1 : node.end_lineno]))
        if given is None:
            yield number, f"an import inside a function needs a reason: # local: {' | '.join(REASONS)}"
        elif given[1] not in REASONS:
            yield number, f"'{given[1]}' is no reason for a local import; these are: {', '.join(REASONS)}"
