"""The public address: asked for once, before anything starts that would build links from it (T60)."""

from __future__ import annotations

import sys

import typer
from django.core.exceptions import ImproperlyConfigured

from recoup.cli import ground
from recoup.config import environment
from recoup.core.public_address import keep_address, read_address
from recoup.supervisor.places import var_folder

WHAT_FOR = (
    "At which https address will buyers reach this Recoup? Every link in a mail begins with it, so it must be the name "
    "that your proxy answers to, for instance https://recoup.example.com"
)
WHAT_TO_DO = (
    "Set RECOUP_PUBLIC_URL to the https address at which buyers will reach this server, for instance "
    "https://recoup.example.com, or start Recoup once in a terminal, where it asks. To look at it first: recoup demo"
)


def require_public_address() -> None:
    """Have a public address, or ask for it at a terminal and keep it; the demo has its own.

    :raises typer.Exit: if there is none and nobody to ask, or one that cannot be used; what to do was printed.
    """
    if ground.is_demo():
        return
    try:
        known = environment.public_url(is_demo=False, var=var_folder())
    except ImproperlyConfigured as error:
        ground.errors.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    if known:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        ground.errors.print("Recoup has no public address yet.", style="red", soft_wrap=True)
        ground.errors.print(WHAT_TO_DO, markup=False, soft_wrap=True)
        raise typer.Exit(1)
    ground.errors.print(WHAT_FOR, markup=False, soft_wrap=True)
    keep(asked())


def asked() -> str:
    """Ask until an address can be used."""
    while True:
        try:
            return read_address(typer.prompt("Address", err=True))
        except ImproperlyConfigured as error:
            says = str(error).replace("RECOUP_PUBLIC_URL", "The address")
            ground.errors.print(says, style="red", markup=False, soft_wrap=True)


def keep(address: str) -> None:
    """Keep the address in var/ for every later start on this machine."""
    path = keep_address(address, var=var_folder())
    ground.errors.print(
        f"Kept in {path}. RECOUP_PUBLIC_URL, where it is set, goes before it.", markup=False, soft_wrap=True
    )
