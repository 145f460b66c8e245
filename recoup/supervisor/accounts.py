"""Under which account PostgreSQL runs, and what that account can reach."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from recoup.supervisor.errors import NoAccount

OWN_ACCOUNT = "recoup-pg"
# Tried in this order where no account can be made, as in a small container.
STAND_INS = ("postgres", "nobody")


class Drop(TypedDict, total=False):
    """Arguments of `subprocess` that start a program under another account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """An account of this machine."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether starting a program under this account means changing to it."""
        return self.uid != os.geteuid()

    def drop(self) -> Drop:
        """Return what `subprocess` needs to start a program under this account."""
        return Drop(user=self.uid, group=self.gid, extra_groups=[]) if self.is_other else Drop()


def database_account() -> Account:
    """Return the account for PostgreSQL: our own, or, for root, one that owns nothing else.

    :raises NoAccount: if root has none and cannot make one.
    """
    if os.geteuid() != 0:
        return Account(name=str(os.geteuid()), uid=os.geteuid(), gid=os.getegid())
    found = _find(OWN_ACCOUNT) or _make(OWN_ACCOUNT)
    for name in STAND_INS:
        found = found or _find(name)
    if found is None:
        raise NoAccount(
            "PostgreSQL refuses to run as root, and no other account was found for it.",
            advice=f"Make one (useradd --system {OWN_ACCOUNT}), or start Recoup as an ordinary user.",
        )
    return found


def reaches(account: Account, path: Path, *, right: str) -> bool:
    """Tell whether an account may read (`r`), write (`w`) or enter and execute (`x`) a path."""
    asked = subprocess.run(
        ["/bin/sh", "-c", f'test -{right} "$1"', "sh", str(path)], cwd="/", check=False, **account.drop()
    )
    return asked.returncode == 0


def _find(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid) if entry.pw_uid else None


def _make(name: str) -> Account | None:
    program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        return None
    command = [program, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", name]
    subprocess.run(command, capture_output=True, check=False)
    return _find(name)
