"""`story`: the main job in the terminal, in seconds."""

from __future__ import annotations

from typing import Annotated

import typer

from recoup.cli import ground


def story(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of the timeline.")
    ] = False,
) -> None:
    """Play the main job: an order, no payment, a mail, a click, a payment, a report. Exit 1 if no money came back."""
    ground.use_demo()
    with ground.django_with_database():
        from recoup.demo import story as scenes  # local: django

        raise typer.Exit(scenes.play(as_json=as_json))
