"""What axe says about a page of a browser."""

from pathlib import Path
from typing import Any

import axe_playwright_python

SCRIPT = Path(axe_playwright_python.__file__).with_name("axe.min.js")
COLOURS = ("color-contrast", "link-in-text-block")  # the rules that another scheme can break


def prepare(context: Any) -> None:
    """Let every page of a context open with axe in it: to send its half a megabyte to each page takes as long as it runs."""
    context.add_init_script(path=SCRIPT)


def violations(page: Any, only: tuple[str, ...] = ()) -> list[str]:
    """Return what axe finds wrong with a page of a prepared context, by all its rules or by some."""
    options = {"resultTypes": ["violations"], **({"runOnly": only} if only else {})}
    rules = page.evaluate("options => axe.run(document, options).then(found => found.violations)", options)
    return [f"axe {rule['id']}: {'; '.join(_told(node) for node in rule['nodes'][:3])}" for rule in rules]


def _told(node: dict[str, Any]) -> str:
    return f"{node['target']} {node['failureSummary'][:200]}"
