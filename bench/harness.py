"""What every bench stands on: a database of its own on a server with fsync on, paired rounds, one JSON line a figure.

Only ratios taken in one run mean anything: ours, twin, ours, twin ..., the median of the rounds' ratios is quoted.
"""

import json
import os
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ROUNDS = 7


def report(
    name: str, *, goal: float, at_least: bool = True, ratio: float | None = None, **more: object
) -> bool:
    """Print the line of a figure and return whether its goal is met.

    Give `ratio`, or `value` among the rest; a bench without a goal passes `goal=0`.
    """
    figure = ratio if ratio is not None else float(str(more["value"]))
    is_met = figure >= goal if at_least else figure <= goal
    line: dict[str, object] = {"name": name}
    if ratio is not None:
        line["ratio"] = round(ratio, 3)
    line |= {"goal": goal, "ok": is_met, **more}
    print(json.dumps(line), flush=True)
    return is_met


def paired(
    ours: Callable[[], float], twin: Callable[[], float], *, rounds: int = ROUNDS
) -> tuple[float, list[float]]:
    """Run ours and twin in turn; each returns a rate (or a time). Return the median ratio and all of them."""
    ratios = []
    for _ in range(rounds):
        mine = ours()
        ratios.append(mine / twin())
    return statistics.median(ratios), [round(ratio, 3) for ratio in ratios]


@contextmanager
def database(name: str) -> Iterator[str]:
    """Have a fresh, migrated database on the bench server, and Django connected to it; give its address."""
    from recoup.supervisor.postgres import Server  # local: django

    with Server.at("bench").held() as server:
        with_name = f"bench_{name}"
        _drop(server.superuser_url("postgres"), with_name)
        server.create_database(with_name)
        os.environ["RECOUP_DATABASE_URL"] = server.url(with_name)
        os.environ.setdefault("RECOUP_TEST", "1")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recoup.config.settings")
        import django  # local: django

        django.setup()
        from django.core.management import call_command  # local: django
        from django.db import connections  # local: django

        call_command("migrate", verbosity=0, interactive=False)
        try:
            yield server.url(with_name)
        finally:
            connections.close_all()
            _drop(server.superuser_url("postgres"), with_name)


def _drop(url: str, name: str) -> None:
    import psycopg  # local: django

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
