"""No tracked file names a package registry or a path of one person's machine.

What is installed comes from wherever the reader's own pip and npm are set up to look; a path of somebody's home works
for nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

# The registries that lock files name unless told otherwise, any other address that packages are told to come from, and
# folders of one person.
FOUND = re.compile(
    r"\b(?:pypi|pythonhosted|npmjs|yarnpkg)\.(?:org|com)|\bdeb\.debian\."
    r"|--(?:extra-)?index-url[ =]\S+|\"resolved\": \"https?:"
    r"|(?<![\w.<])/(?:root/|home/[a-z]+/|Users/\w+)"
)
TEXT = {
    ".py",
    ".toml",
    ".lock",
    ".md",
    ".json",
    ".yaml",
    ".yml",
    ".ts",
    ".css",
    ".html",
    ".txt",
    ".sh",
    ".cfg",
    ".npmrc",
}
NAMES = {"Makefile", "Dockerfile", "run", ".npmrc", ".gitignore"}
HERE = PurePosixPath("tools/rules")


def applies(path: PurePosixPath) -> bool:
    """Look at every text, but for this rule's own words."""
    return (path.suffix in TEXT or path.name in NAMES) and not path.is_relative_to(HERE)


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Find hosts and paths."""
    for number, line in enumerate(text.splitlines(), start=1):
        for match in FOUND.finditer(line):
            yield number, f"names {match[0]}, which is one machine's"
