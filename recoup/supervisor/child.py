"""Start a program that is told to stop when its supervisor dies, however that dies.

    python -S -E child.py SUPERVISOR_PID PROGRAM [ARGUMENT ...]

A program of its own, because code between fork and exec must not share a threaded process.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """Ask the kernel for SIGTERM at the supervisor's death, then become the program."""
    supervisor, command = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != supervisor:  # it died before we asked
            sys.exit(0)
    os.execvp(command[0], command)  # noqa: S606 - the supervisor's own command, in this process's place


if __name__ == "__main__":
    main(sys.argv[1:])
