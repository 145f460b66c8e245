"""Everything that must hold before a change lands: static checks, all of them, two at a time; the tests; the story."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from recoup.supervisor.postgres import Server

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
# As a careful owner would start it, so that Django's own list of unsafe settings has something to look at.
DEPLOYED = {
    "RECOUP_PUBLIC_URL": "https://recoup.example.com",
    "DJANGO_SETTINGS_MODULE": "recoup.config.settings",
    "RECOUP_DEMO": "",
}


@dataclass(frozen=True)
class Step:
    """One command that must end with 0."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def main() -> int:
    """Run the steps and return the exit code."""
    began = time.monotonic()
    with Server.at("test18", 18, fast=True).held() as server:
        server.create_database("recoup_check")
        failed = failures(static_steps(server.url("recoup_check")))
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
        return 1
    for step in test_steps():
        if not passes(step):
            print(f"\nfailed: {step.name}")
            return 1
    print(f"\nall checks passed in {time.monotonic() - began:.0f} s")
    return 0


def static_steps(address: str) -> list[Step]:
    """Return what is told by reading the sources, the longest first."""
    deployed = {**DEPLOYED, "DATABASE_URL": address}
    django = (PYTHON, "-m", "django")
    return [
        Step("types", (PYTHON, "-m", "mypy", "--no-error-summary")),
        Step("lint", (PYTHON, "-m", "ruff", "check", ".")),
        Step("format", (PYTHON, "-m", "ruff", "format", "--check", "--quiet", ".")),
        Step("layers", (str(Path(PYTHON).parent / "lint-imports"), "--no-logo")),
        Step("house rules", (PYTHON, "-m", "tools.rules")),
        Step("migrations", (*django, "makemigrations", "--check", "--dry-run"), deployed),
        Step("settings", (*django, "check", "--deploy", "--fail-level", "WARNING"), deployed),
        Step("translations", (PYTHON, "-m", "tools.translations", "check")),
    ]


def test_steps() -> list[Step]:
    """Return the tests: all of them on PostgreSQL 18, those with a database on 16, and the main job from end to end."""
    return [
        Step("browser", (PYTHON, "-m", "tools.ensure_chromium")),
        Step("tests", (PYTHON, "-m", "pytest", "-n", "3")),
        Step(
            "database tests on PostgreSQL 16",
            (PYTHON, "-m", "pytest", "-n", "3", "-m", "database and not browser"),
            {"RECOUP_TEST_PG": "16"},
        ),
        Step("story", (PYTHON, "-m", "recoup", "story", "--json")),
    ]


def failures(steps: Sequence[Step]) -> list[str]:
    """Run steps two at a time, show what each said once it has ended, and return the names of those that failed."""

    def run(step: Step) -> bool:
        began = time.monotonic()
        done = subprocess.run(
            step.command,
            cwd=ROOT,
            env={**os.environ, **step.environment},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = f"\n== {step.name}\n{done.stdout}{_end_of(step, done.returncode, began)}"
        print(said, flush=True)
        return not done.returncode

    with ThreadPoolExecutor(2) as pool:
        passed = list(pool.map(run, steps))
    return [step.name for step, is_fine in zip(steps, passed, strict=True) if not is_fine]


def passes(step: Step) -> bool:
    """Run a step and tell whether it passed."""
    print(f"\n== {step.name}", flush=True)
    began = time.monotonic()
    done = subprocess.run(step.command, cwd=ROOT, env={**os.environ, **step.environment}, check=False)
    print(_end_of(step, done.returncode, began), flush=True)
    return not done.returncode


def _end_of(step: Step, code: int, began: float) -> str:
    return f"-- {step.name}: {'FAILED' if code else 'ok'}, {time.monotonic() - began:.1f} s"


if __name__ == "__main__":
    sys.exit(main())
