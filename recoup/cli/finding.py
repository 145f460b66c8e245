"""A line of `doctor`'s report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How bad a finding is. `BAD` makes `doctor` fail."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    matter: str
    state: State
    says: str
    advice: str = ""
