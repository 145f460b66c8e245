"""Steps at the same moment, each on a connection of its own."""

import threading
from collections.abc import Callable, Sequence

from django.db import connection
from django_scopes import scopes_disabled


def together(steps: Sequence[Callable[[], object]]) -> list[object]:
    """Run steps at the same moment and return what came of each: its value, or its exception."""
    barrier = threading.Barrier(len(steps))
    outcomes: list[object] = [None] * len(steps)

    def run(number: int) -> None:
        try:
            barrier.wait(60)
            with scopes_disabled():
                outcomes[number] = steps[number]()
        except Exception as error:  # noqa: BLE001 - looked at by the test
            outcomes[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(steps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return outcomes
