"""What axe says about a page of a browser."""

from pathlib import Path
from typing import Any

import axe_playwright_python

SCRIPT = Path(axe_playwright_python.__file__).with_name("axe.min.js")
COLOURS = ("color-contrast", "link-in-text-block")  # the rules that another scheme can break
# What stands around a page is the same where its markup is, but for where its links lead and what its forms carry.
_RUN = """async ([options, known]) => {
    const bare = one => one.outerHTML.replace(/ (?:href|value)="[^"]*"/g, "");
    const frames = [...document.querySelectorAll(".rail, .topbar")].map(one => [one, bare(one)]);
    for (const [one, markup] of frames) one.toggleAttribute("data-known", known.includes(markup));
    axe.configure({ rules: [{ id: "color-contrast", selector: "*:not([data-known] *)" }] });
    const found = await axe.run(document, options);
    for (const [one] of frames) one.removeAttribute("data-known");
    return [found.violations, frames.map(([, markup]) => markup)];
}"""
# Of ten colours that axe reads nine are the same few, and reading them is a third of all that it does.
_READ_COLOURS_ONCE = """;(() => {
    const colour = axe.commons.color.Color.prototype, read = colour.parseString, known = new Map();
    colour.parseString = function (words) {
        if (!known.has(words)) {
            read.call(this, words);
            known.set(words, { r: this.r, g: this.g, b: this.b, alpha: this.alpha });
        }
        return Object.assign(this, known.get(words));
    };
})();"""


def prepare(context: Any) -> None:
    """Let every page of a context open with axe in it: to send its half a megabyte to each page takes as long as it runs."""
    context.add_init_script(script=SCRIPT.read_text(encoding="utf-8") + _READ_COLOURS_ONCE)


def violations(page: Any, only: tuple[str, ...] = (), known: set[str] | None = None) -> list[str]:
    """Return what axe finds wrong with a page of a prepared context, by all its rules or by some.

    :param known: the rails and bars that were seen before in the same window and colours; those of the page are added. Their
        contrast is measured once: that takes as long as all the rest, and nearly every page has the same.
    """
    options = {"resultTypes": ["violations"], **({"runOnly": only} if only else {})}
    rules, frames = page.evaluate(_RUN, [options, list(known or ())])
    if known is not None:
        known.update(frames)
    return [f"axe {rule['id']}: {'; '.join(_told(node) for node in rule['nodes'][:3])}" for rule in rules]


def _told(node: dict[str, Any]) -> str:
    return f"{node['target']} {node['failureSummary'][:200]}"
