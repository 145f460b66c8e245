"""Pages in a real browser, under the policy that forbids inline styles and scripts, looked at by axe."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.browser
@pytest.mark.slow
def test_every_page_is_accessible_and_keeps_the_policy_on_a_phone_and_at_a_desk() -> None:
    looked = subprocess.run(
        [sys.executable, "tools/gallery/render.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )

    assert (looked.returncode, looked.stdout) == (0, "Nothing to complain about.\n"), looked.stderr
