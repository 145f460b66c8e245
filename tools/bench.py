"""Run every bench and print its figures, one JSON line each: python -m tools.bench [name]

What a bench says beside its figures goes to the error stream. Exit 1 if a goal is missed or a bench fails.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """Run the benches whose names begin with the argument, one after the other, and return the exit code."""
    wanted = arguments[0] if arguments else ""
    names = sorted(path.stem for path in (ROOT / "bench").glob("bench_*.py"))
    chosen = [name for name in names if name.removeprefix("bench_").startswith(wanted)]
    if not chosen:
        known = ", ".join(name.removeprefix("bench_") for name in names)
        print(f"there is no bench {wanted}; these are: {known}", file=sys.stderr)
        return 2
    results = [run(name) for name in chosen]
    return 0 if all(results) else 1


def run(name: str) -> bool:
    """Run one bench in a process of its own; return whether it ended well with every goal met."""
    command = [sys.executable, "-m", f"bench.{name}"]
    figures = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as bench:
        for line in bench.stdout or ():
            figure = figure_of(line)
            figures += [figure] if figure else []
            print(line, end="", flush=True, file=sys.stdout if figure else sys.stderr)
    is_well = bench.returncode == 0 and bool(figures)
    if not is_well:
        print(f"{name} failed", file=sys.stderr)
    return is_well and all(figure["ok"] for figure in figures)


def figure_of(line: str) -> dict[str, Any] | None:
    """Return the figure that a line holds, or None if it says something else."""
    try:
        figure = json.loads(line)
    except ValueError:
        return None
    return figure if isinstance(figure, dict) and {"name", "goal", "ok"} <= set(figure) else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
