"""Each house rule finds what its bad examples mark, and nothing in its good ones."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from types import ModuleType

import pytest

from tools.rules import __main__ as running
from tools.rules import clock, local_imports, shop_sql, untranslated

EXAMPLES = running.ROOT / running.EXAMPLES
CASES = [
    pytest.param(rule, path, id=f"{path.parent.name}-{path.stem}")
    for rule in running.RULES
    for path in sorted((EXAMPLES / rule.__name__.rpartition(".")[2]).iterdir())
]


@pytest.mark.parametrize(("rule", "path"), CASES)
def test_rule_finds_exactly_the_marked_lines(rule: ModuleType, path: Path) -> None:
    # A mark stands in what HTML would show, so it is taken away before the rule reads the text.
    lines = path.read_text().splitlines(keepends=True)
    marked = [number for number, line in enumerate(lines, start=1) if "FAULT" in line]

    found = sorted({number for number, _fault in rule.faults("".join(lines).replace("FAULT", ""))})

    assert found == marked
    assert bool(marked) == path.stem.startswith("bad")


@pytest.mark.parametrize(
    ("rule", "path", "is_looked_at"),
    [
        (local_imports, "tests/web/test_home.py", True),
        (clock, "recoup/orders/actions.py", True),
        (clock, "recoup/core/clock.py", False),
        (clock, "tests/orders/test_actions.py", False),
        (shop_sql, "recoup/analytics/sql/report.sql", True),
        (shop_sql, "recoup/core/migrations/0002_roles.sql", False),
        (untranslated, "recoup/web/templates/web/home.html", True),
    ],
)
def test_rule_looks_at_its_own_files(rule: ModuleType, path: str, is_looked_at: bool) -> None:
    assert rule.applies(PurePosixPath(path)) is is_looked_at


def test_every_rule_is_run() -> None:
    there = {
        path.stem for path in (running.ROOT / "tools" / "rules").glob("*.py") if not path.stem.startswith("_")
    }

    assert {rule.__name__.rpartition(".")[2] for rule in running.RULES} == there
