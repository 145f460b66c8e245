"""A thread that starts the database again when it dies under the feet of web and worker."""

from __future__ import annotations

import threading
from collections.abc import Callable

from recoup.supervisor.errors import SupervisorError
from recoup.supervisor.postgres import Server

LOOK_SECONDS = 1.0
PAUSES = (1.0, 2.0, 5.0, 10.0)


def pause_after(failures: int) -> float:
    """Return how long to wait before the next try, after so many in a row that failed."""
    return PAUSES[min(failures, len(PAUSES)) - 1] if failures else 0.0


class DatabaseKeeper:
    """Looks every second whether the server runs.

    A thread, because a start after a crash may take minutes, in which the lines of web and worker are still
    to be read.
    """

    def __init__(self, server: Server, *, tell: Callable[[str], None]) -> None:
        self._server = server
        self._tell = tell
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="database-keeper", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking, after a start that is under way."""
        self._stop.set()
        self._thread.join()

    def _keep(self) -> None:
        failures = 0
        while not self._stop.wait(pause_after(failures) or LOOK_SECONDS):
            if self._server.pid is not None:
                failures = 0
                continue
            self._tell("PostgreSQL is gone; starting it again")
            try:
                self._server.start()
            except SupervisorError as error:
                failures += 1
                self._tell(f"{error}\nnext try in {pause_after(failures):.0f} s")
            else:
                failures = 0
                self._tell("PostgreSQL is back")
