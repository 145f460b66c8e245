"""`demo`: a shop full of orders in the browser, from which no message ever leaves this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from recoup.cli import ground, run


def demo(
    port: run.Port = 8000,
    seed_only: Annotated[bool, typer.Option("--seed-only", help="Only fill the demo's database.")] = False,
) -> None:
    """Run the demo shop at 127.0.0.1, with a mailbox that catches every mail and a clock that can be moved."""
    ground.use_demo()
    if seed_only:
        with ground.django_with_database():
            from recoup.demo import seed  # local: django

            seed.start_demo()
        return
    run.supervise(
        host="127.0.0.1", port=port, programs=[run.web_program("127.0.0.1", port, 1), run.worker_program()]
    )
