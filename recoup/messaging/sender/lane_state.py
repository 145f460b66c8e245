"""What a process remembers of a lane between batches: its line to the server, and how the server took what it got."""

from collections import deque
from dataclasses import dataclass, field

from recoup.core.clock import boot_seconds
from recoup.messaging.ports import Account, Channel, Line

_POLICY_WINDOW = 600.0
_POLICY_LEAST = 20  # refusals are weighed from so many mails on
_POLICY_SHARE = 0.05


@dataclass(slots=True)
class LaneState:
    """What a process remembers of a lane between batches."""

    lane_id: int
    line: Line | None = None
    settings: tuple[object, ...] = ()
    used_at: float = 0.0
    careful: int = 0
    """So many messages are still taken one by one, because one of a batch broke it (R7)."""

    results: deque[tuple[float, int, int]] = field(default_factory=lambda: deque(maxlen=5000))

    def line_for(self, account: Account, road: Channel) -> Line:
        """Return the kept line, or another if the settings have changed; ready to hand over.

        :raises LineTrouble: if the server cannot be had.
        """
        settings = (account.adapter, *road.settings_of(account))
        if self.line is None or settings != self.settings:
            self.close()
            self.line, self.settings = road.line(account), settings
        self.used_at = boot_seconds()
        self.line.ready()
        return self.line

    def close(self) -> None:
        """Close the kept line."""
        if self.line is not None:
            self.line.close()
            self.line = None

    def is_disliked(self, handed: int, refusals: int) -> bool:
        """Note results and tell whether the server refuses us by policy too often (R22)."""
        now = boot_seconds()
        self.results.append((now, handed, refusals))
        while self.results and self.results[0][0] < now - _POLICY_WINDOW:
            self.results.popleft()
        refused = sum(refusals for _, _, refusals in self.results)
        total = refused + sum(handed for _, handed, _ in self.results)
        return total >= _POLICY_LEAST and refused > total * _POLICY_SHARE
