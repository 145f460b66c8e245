"""The command `recoup` and its subcommands."""

from __future__ import annotations

import sys

import typer

from recoup.cli import backup, demo, doctor, ground, imports, init, migrate, run, setup_link, story
from recoup.supervisor.errors import SupervisorError

app = typer.Typer(
    name="recoup",
    help="Gets unpaid orders and abandoned carts paid, and keeps the customer afterwards.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("init")(init.init)
app.command("setup-link")(setup_link.setup_link)
app.command("run")(run.run)
app.command("web")(run.web)
app.command("worker")(run.worker)
app.command("watchdog")(run.watchdog)
app.command("migrate")(migrate.migrate)
app.command("demo")(demo.demo)
app.command("story")(story.story)
app.command("import")(imports.import_file)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)


def main() -> None:
    """Run a command; what the ground cannot give is said in two sentences instead of a traceback."""
    try:
        app()
    except SupervisorError as error:
        ground.errors.print(error.message, style="red", markup=False, soft_wrap=True)
        ground.errors.print(error.advice, markup=False, soft_wrap=True)
        sys.exit(1)
