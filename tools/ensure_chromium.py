"""Find a Chromium for the browser tests, or get Debian's, or say how to get one.

python -m tools.ensure_chromium
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# With a font that has Cyrillic and Polish letters, so that pages are judged as people see them.
DEBIAN_PACKAGES = ("chromium", "fonts-dejavu-core")
HELP = """The browser tests need Chromium, and none was found.
  Debian, Ubuntu:   apt install chromium
  anywhere else:    install Chromium or Chrome, and set CHROMIUM to the path of its program
  without it:       make test ARGS='-m "not browser"' leaves these tests out after this step"""


def find() -> str | None:
    """Return the path of a Chromium that is installed: what CHROMIUM names, or one on the usual places."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    playwright = Path.home() / ".cache" / "ms-playwright"
    own = sorted(playwright.glob("chromium-*/chrome-linux*/chrome"))
    return str(own[-1]) if own else None


def install() -> bool:
    """Install Debian's package where we may, and tell whether that worked."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print("installing Chromium (once)", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    commands = (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *DEBIAN_PACKAGES],
    )
    done = [
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode
        for command in commands
    ]
    return done[-1] == 0


def main() -> int:
    """Make sure that there is one."""
    if find() or (install() and find()):
        return 0
    print(HELP, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
