"""The order of the parts is written in three places, and is the same in all."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
# No parts of the trade, so they are no Django apps.
WIRING = {"cli", "config", "flow", "supervisor"}


def contract(name: str) -> dict[str, Any]:
    """Return an import contract of pyproject.toml."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return next(contract for contract in contracts if contract["id"] == name)


def test_installed_apps_follow_the_layers_contract() -> None:
    layers = contract("layers")["layers"]
    from_below = [name.strip() for layer in reversed(layers) for name in layer.split("|")]

    parts = [part.removeprefix("recoup.") for part in settings.PARTS]

    assert parts == [name for name in from_below if name not in WIRING]


def test_every_integration_is_kept_from_the_others() -> None:
    folders = (ROOT / "recoup" / "integrations").iterdir()
    kinds = sorted(
        f"recoup.integrations.{folder.name}" for folder in folders if (folder / "__init__.py").exists()
    )

    assert contract("integrations")["modules"] == kinds


def test_the_page_of_the_architecture_follows_the_layers_contract() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf8")
    table = text.partition("## Parts")[2].partition("\n## ")[0]
    columns = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    written = [name for column in columns for name in re.findall(r"`(\w+)(?:\.py|/)?`", column)]

    from_below = [
        name.strip() for layer in reversed(contract("layers")["layers"]) for name in layer.split("|")
    ]

    assert written == [name for name in from_below if name != "supervisor"]
