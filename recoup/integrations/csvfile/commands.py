"""`recoup import`: orders from a file, with progress and a report."""

import csv
import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django_scopes import scope, scopes_disabled
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from recoup.core.clock import trade_now
from recoup.integrations.csvfile.importing import AlreadyRunning, run_import, start_import
from recoup.integrations.csvfile.orders import Entry
from recoup.integrations.csvfile.plan import (
    Plan,
    PlanIncomplete,
    check_values,
    judged,
    propose,
    unknown_states,
)
from recoup.integrations.csvfile.products import ABOUT
from recoup.integrations.csvfile.reading import FileRefused
from recoup.shops.models import ImportRefusal, ImportRun, Shop
from recoup.shops.reasons import words

SHOWN_REFUSALS = 20


def import_file(
    path: Path,
    *,
    shop: str,
    mapping: Path | dict[str, Any] | None = None,
    is_dry_run: bool = False,
    report: Path | None = None,
    source_name: str = "",
    console: Console | None = None,
) -> int:
    """Import a file into a shop and return the exit code: 0 done, 1 done with refused lines, 2 not imported.

    `mapping` is JSON (or a file of it) whose keys replace what the file's own names suggest: `columns`, `decimal`,
    `dates`, `currency`, `zone`, `words`, `default_state`, `encoding`, `delimiter`; `about` ("orders" or "products") and
    `replaces_hand` for costs that a person entered. `report` is a CSV that gets a line for every order or product;
    `source_name` the name of the system that the file comes from.
    """
    console = console or Console()
    try:
        with scopes_disabled():
            owner = Shop.objects.get(slug=shop)
    except ObjectDoesNotExist:
        console.print(f"[red]There is no shop “{shop}”.[/red]")
        return 2
    try:
        plan = _plan(path, owner, mapping)
        with scopes_disabled():
            run = start_import(
                path, owner, plan, now=trade_now(), is_dry_run=is_dry_run, source_name=source_name
            )
    except FileRefused as refused:
        console.print(f"[red]{words(str(refused))}[/red]")
        return 2
    except PlanIncomplete as incomplete:
        _explain(path, owner, incomplete, console)
        return 2
    except AlreadyRunning:
        console.print("[yellow]This file is being imported already, or was until two minutes ago.[/yellow]")
        return 2
    return _run(run, owner, path, report, console)


def _plan(path: Path, shop: Shop, mapping: Path | dict[str, Any] | None) -> Plan:
    told = _told(mapping)
    form = {name: str(told.get(name, "")) for name in ("encoding", "delimiter", "about")}
    suggested = propose(path, shop, **form).as_json()
    unknown = sorted(set(told) - set(suggested))
    if unknown:
        raise PlanIncomplete([f"mapping_unknown: {', '.join(unknown)}"])
    merged = {**suggested, "decimal": "", "dates": "", **told, "header": tuple(suggested["header"])}
    check_values(Plan(**merged))
    columns = {**suggested["columns"], **told.get("columns", {})}
    merged["columns"] = {name: column for name, column in columns.items() if column}
    merged["words"] = {" ".join(word.lower().split()): state for word, state in merged["words"].items()}
    return judged(path, Plan(**merged))


def _told(mapping: Path | dict[str, Any] | None) -> dict[str, Any]:
    if not isinstance(mapping, Path):
        return dict(mapping or {})
    try:
        told = json.loads(mapping.read_text("utf-8"))
    except ValueError as error:
        raise PlanIncomplete([f"mapping_not_json: {error}"]) from error
    if not isinstance(told, dict):
        raise PlanIncomplete(["mapping_not_json: {…}"])
    return told


def _explain(path: Path, shop: Shop, incomplete: PlanIncomplete, console: Console) -> None:
    for reason in incomplete.reasons:
        console.print(f"[red]{words(reason)}[/red]")
    try:
        suggested = propose(path, shop)
    except FileRefused:
        return
    console.print("The file's columns: " + ", ".join(suggested.header), markup=False)
    console.print("A mapping that can be completed and given with --mapping:")
    kept = {name: value for name, value in suggested.as_json().items() if name not in {"header", "kind"}}
    console.print_json(json.dumps(kept, ensure_ascii=False))


def _run(run: ImportRun, shop: Shop, path: Path, report: Path | None, console: Console) -> int:
    with path.open("rb") as file:
        size = max(sum(1 for _ in file), 1)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress, _Report(report) as lines:
        task = progress.add_task("Trying" if run.is_dry_run else "Importing", total=size)

        def tell(present: ImportRun, entry: Entry) -> None:
            progress.update(task, completed=min(present.rows, size))
            lines.add(entry)

        run = run_import(run, now=trade_now(), tell=tell, is_mine=True)
        progress.update(task, completed=size)
    if run.state == ImportRun.State.FAILED:
        console.print(f"[red]{words(run.trouble)}[/red]")
        return 2
    _show_result(run, shop, path, console)
    return 1 if run.refused else 0


def _show_result(run: ImportRun, shop: Shop, path: Path, console: Console) -> None:
    verb = "would be" if run.is_dry_run else "were"
    things = "products" if run.plan.get("about") == ABOUT else "orders"
    console.print(
        f"{run.created} {things} {verb} new, {run.known} {verb} known before, {run.refused} refused. Nobody is written to."
    )
    if not run.refused:
        return
    table = Table("Line", "Order", "Why")
    with scope(shop=shop):
        for refusal in ImportRefusal.objects.filter(run=run).order_by("row_no")[:SHOWN_REFUSALS]:
            table.add_row(str(refusal.row_no), refusal.ref, words(refusal.reason))
    console.print(table)
    if any("bad_status" in reason for reason in _reasons(run, shop)):
        states = unknown_states(path, Plan(**{**run.plan, "header": tuple(run.plan["header"])}))
        console.print("Statuses without a meaning: " + ", ".join(states), markup=False)


def _reasons(run: ImportRun, shop: Shop) -> list[str]:
    with scope(shop=shop):
        return list(ImportRefusal.objects.filter(run=run).values_list("reason", flat=True)[:1000])


class _Report:
    """A CSV with a line for every order; nothing without a path."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __enter__(self) -> "_Report":
        self._file = self._path.open("w", encoding="utf-8", newline="") if self._path else None
        self._writer = csv.writer(self._file) if self._file else None
        if self._writer:
            self._writer.writerow(["line", "order", "result", "reason"])
        return self

    def __exit__(self, *_error: object) -> None:
        if self._file:
            self._file.close()

    def add(self, entry: Entry) -> None:
        """Write the line of an order; what a stranger wrote must not start a formula (T143)."""
        if self._writer:
            ref = f"'{entry.ref}" if entry.ref[:1] in "=+-@\t\r|%＝" else entry.ref
            result = "imported" if entry.snapshot is not None else "refused"
            reason = words(entry.reason) if entry.reason else ""
            self._writer.writerow([entry.row_no, ref, result, reason])
