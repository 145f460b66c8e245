"""Named borders at which a test kills or stops the sender. Without the environment variable each costs one comparison.

`RECOUP_FAILPOINT=after_mark` kills the process there, `RECOUP_FAILPOINT=after_mark:stop` stops it until it is continued,
`RECOUP_FAILPOINT=after_mark:kill:3` waits for the third time.
"""

import os
import signal
import time

NAMES = (
    "before_claim_commit",
    "after_claim",
    "after_links",
    "after_render",
    "before_mark_commit",
    "after_mark",
    "after_locks",
    "after_check",
    "after_data",
    "after_answers",
    "before_end_commit",
    "after_end",
)
_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}

_name, _signal, _left = "", signal.SIGKILL, 1


def arm(setting: str) -> None:
    """Read the setting; the empty one disarms.

    :raises ValueError: if there is no such point.
    """
    global _name, _signal, _left
    name, _, rest = setting.partition(":")
    how, _, count = rest.partition(":")
    if name and name not in NAMES:
        raise ValueError(f"no fail-point {name!r}")
    _name, _signal, _left = name, _SIGNALS[how or "kill"], int(count or 1)


def reach(name: str) -> None:
    """Pass a border."""
    if _name and name == _name:
        _strike()


def _strike() -> None:
    global _left  # noqa: PLW0603 - see above
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), _signal)
        time.sleep(0.2)  # the signal may take another thread first: nothing of ours runs on meanwhile


arm(os.environ.get("RECOUP_FAILPOINT", ""))
