"""`setup-link`: where the first owner makes their account."""

from __future__ import annotations

from typing import Annotated

import typer

from recoup.cli import ground


def setup_link(
    address: Annotated[
        str, typer.Option(help="What the link begins with while no public address is known.")
    ] = "",
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Say nothing if there is an account already.")
    ] = False,
) -> None:
    """Print the link that makes the first account. It works until there is one."""
    with ground.django_with_database():
        from django.conf import settings  # local: django

        from recoup.accounts.models import User  # local: django
        from recoup.accounts.setup_code import setup_code  # local: django

        if not User.objects.exists():
            place = settings.PUBLIC_URL or address or "http://127.0.0.1:8000"
            link = f"{place.rstrip('/')}/start/?code={setup_code()}"
            ground.console.print(f"Make your account: {link}", markup=False, soft_wrap=True)
        elif not quiet:
            ground.console.print("There is an account already. Sign in, or ask an owner for an invitation.")
