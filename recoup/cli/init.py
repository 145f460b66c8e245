"""`init`: the first owner, for those who would rather not use the wizard in the browser."""

from __future__ import annotations

import getpass
import os
from typing import Annotated

import typer

from recoup.cli import ground


def init(
    email: Annotated[str, typer.Option(prompt=True, help="The owner's e-mail, also for signing in.")],
) -> None:
    """Prepare the database and make the first owner. The password is asked for, or read from RECOUP_PASSWORD."""
    with ground.django_with_database():
        from django.core.exceptions import ValidationError  # local: django
        from django.core.management import call_command  # local: django

        from recoup.accounts import actions  # local: django
        from recoup.core.clock import real_now  # local: django

        call_command("migrate", verbosity=0, interactive=False)
        password = os.environ.get("RECOUP_PASSWORD") or getpass.getpass("Password: ")
        try:
            actions.create_first_owner(email=email, password=password, now=real_now())
        except (ValidationError, actions.AlreadySetUp) as error:
            says = error.messages if isinstance(error, ValidationError) else [str(error)]
            ground.errors.print("\n".join(says), style="red", markup=False)
            raise typer.Exit(1) from error
        ground.console.print(f"{email} is the owner. Start Recoup with: recoup run", markup=False)
