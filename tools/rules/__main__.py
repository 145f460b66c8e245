"""Try every rule on every file that git knows: python -m tools.rules"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tools.rules import clock, local_imports, places, shop_sql, sizes, untranslated

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = (clock, local_imports, places, shop_sql, sizes, untranslated)
EXAMPLES = PurePosixPath("tools/rules/examples")


def main() -> int:
    """Print what is wrong and return the exit code."""
    found = list(all_faults())
    for line in found:
        print(line)
    return 1 if found else 0


def all_faults() -> Iterator[str]:
    """Return every fault as `path:line: what is wrong`."""
    for path in known_files():
        file = ROOT / path
        if not file.is_file() or path.is_relative_to(EXAMPLES):
            continue
        rules = [rule for rule in RULES if rule.applies(path)]
        try:
            text = file.read_text(encoding="utf8") if rules else ""
        except UnicodeDecodeError:
            continue
        for rule in rules:
            for number, fault in rule.faults(text):
                yield f"{path}:{number}: {fault}"


def known_files() -> list[PurePosixPath]:
    """Return what is tracked, and what would be if it were added."""
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted({PurePosixPath(name) for name in listed.stdout.split("\0") if name})


if __name__ == "__main__":
    sys.exit(main())
