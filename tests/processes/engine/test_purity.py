"""The engine asks nobody: no clock, no chance, no files, no network, no framework."""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import recoup.processes.engine

ENGINE = Path(recoup.processes.engine.__file__).parent
# What the engine knows of conditions; their SQL and their tables it never sees.
CONDITIONS = [
    f"recoup.segments.{name}"
    for name in ("facts", "field", "fields", "history", "order_fields", "person_fields", "to_python", "tree")
]
PURE = [*sorted(ENGINE.rglob("*.py")), *(Path(str(find_spec(name).origin)) for name in CONDITIONS)]  # type: ignore[union-attr]
ALLOWED = {
    "__future__", "collections.abc", "dataclasses", "datetime", "decimal", "enum", "functools", "hashlib",
    "itertools", "operator",
    "pydantic", "pydantic_core", "re", "struct", "typing", "zoneinfo",
}  # fmt: skip
FORBIDDEN_CALLS = {"open", "print", "input", "exec", "eval", "__import__"}
FORBIDDEN_ATTRIBUTES = {"now", "today", "utcnow", "localtime", "time_ns", "monotonic", "getenv", "environ"}


def impurities(source: str) -> list[str]:
    """Return everything in a module through which the world could come in."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [name.name for name in names if name.name not in ALLOWED]
            case ast.ImportFrom(module=str(module)):
                if module not in ALLOWED and not module.startswith(("recoup.processes.engine", *CONDITIONS)):
                    found.append(module)
            case ast.ImportFrom():
                found.append("relative import")
            case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
                found.append(name)
            case ast.Attribute(value=ast.Name(id="store"), attr="now"):
                continue  # the store brings the time along
            case ast.Attribute(attr=name) if name in FORBIDDEN_ATTRIBUTES:
                found.append(name)
    return found


@pytest.mark.parametrize("path", PURE, ids=lambda path: "/".join(path.parts[-2:]))
def test_engine_module_asks_nobody(path: Path) -> None:
    assert impurities(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import random", ["random"]),
        ("import time", ["time"]),
        ("from datetime import datetime\nat = datetime.now()", ["now"]),
        ("from django.db import connection", ["django.db"]),
        ("from recoup.core import clock", ["recoup.core"]),
        ("text = open('x').read()", ["open"]),
        ("from recoup.segments import to_sql", ["recoup.segments"]),
        ("from . import codes", ["relative import"]),
    ],
)
def test_the_check_itself_finds_impurities(source: str, found: list[str]) -> None:
    assert impurities(source) == found


def test_engine_graph_and_simulator_load_without_django() -> None:
    program = (
        "import sys; import recoup.processes.simulator, recoup.processes.memory, recoup.processes.shipped;"
        "import recoup.processes.graph.next_step, recoup.processes.graph.picture, recoup.processes.graph.wording;"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('django', 'psycopg')))"
    )

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout == "[]\n"
