"""How much a test tries: a little in `make test`, much in `make faults`."""

import os

IS_FULL = os.environ.get("RECOUP_FAULTS") == "full"


def how_many(quick: int, full: int) -> int:
    """Return how many random examples a test looks at; mark it `faults`, or nobody ever sees the full size."""
    return full if IS_FULL else quick
