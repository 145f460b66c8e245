"""`import`: orders from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recoup.cli import ground


def import_file(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A CSV file.")],
    shop: Annotated[str, typer.Option(help="The short name of the shop that the orders belong to.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
    mapping: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="JSON that says what the columns mean.")
    ] = None,
    source: Annotated[
        str, typer.Option("--from", help="The system that the file comes from, if there is more than one.")
    ] = "",
    report: Annotated[
        Path | None, typer.Option(help="A CSV file to be written, with a line for every order.")
    ] = None,
) -> None:
    """Read orders from a CSV file. Nobody is written to because of old orders."""
    with ground.django_with_database():
        from recoup.integrations.csvfile import commands  # local: django

        raise typer.Exit(
            commands.import_file(
                path, shop=shop, mapping=mapping, is_dry_run=dry_run, report=report, source_name=source
            )
        )
