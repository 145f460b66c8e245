"""`doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import typer
from rich.markup import escape
from rich.table import Table

from recoup.cli import ground
from recoup.cli.finding import Finding, State

STYLES = {"good": "green", "doubtful": "yellow", "bad": "bold red"}


def doctor() -> None:
    """Look after this installation and say what to do. Exit 1 if something is bad."""
    with ground.django_with_database():
        from recoup.cli import findings, mail_findings  # local: django

        looks: list[Callable[[], Iterator[Finding]]] = [
            findings.database,
            findings.sending,
            findings.public_address,
            mail_findings.mail,
            findings.loops,
            findings.secret_key,
            findings.disk,
            findings.clock,
        ]
        found = [finding for look in looks for finding in looked(look)]
    show(found)
    raise typer.Exit(1 if any(finding.state == "bad" for finding in found) else 0)


def looked(look: Callable[[], Iterator[Finding]]) -> Iterable[Finding]:
    """Return what was found; a look that itself fails is a finding too, and the others go on."""
    from django.db import DatabaseError  # local: django

    try:
        return list(look())
    except (DatabaseError, OSError) as error:
        return [Finding(look.__name__.replace("_", " ").capitalize(), State.BAD, f"cannot be told: {error}")]


def show(found: Iterable[Finding]) -> None:
    """Print the findings as a table."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("", "Matter", "Finding", "What to do"):
        table.add_column(heading)
    for finding in found:
        style = STYLES[finding.state.value]
        table.add_row(
            f"[{style}]{finding.state}[/]", finding.matter, escape(finding.says), escape(finding.advice)
        )
    ground.console.print(table)
