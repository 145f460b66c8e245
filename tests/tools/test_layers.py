"""The order of the parts is written in three places, and is the same in all."""

from __future__ import annotations

import tomllib
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
# No parts of the trade, so they are no Django apps.
WIRING = {"cli", "config", "flow", "supervisor"}


def test_installed_apps_follow_the_layers_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    from_below = [name.strip() for layer in reversed(layers) for name in layer.split("|")]

    parts = [part.removeprefix("recoup.") for part in settings.PARTS]

    assert parts == [name for name in from_below if name not in WIRING]
