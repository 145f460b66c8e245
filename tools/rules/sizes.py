"""A module of 400 lines or a function of 60 is split before it grows further."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60


def applies(path: PurePosixPath) -> bool:
    """Look at what people write; migrations write themselves, and tests hold tables and payloads."""
    return path.suffix == ".py" and not {"migrations", "tests"} & set(path.parts)


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Find what is too long."""
    count = text.count("\n")
    if count > LONGEST_MODULE:
        yield 1, f"the module has {count} lines, more than {LONGEST_MODULE}: split it"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield node.lineno, f"{node.name} has {length} lines, more than {LONGEST_FUNCTION}: split it"
