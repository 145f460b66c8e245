"""The data folder of PostgreSQL: made, read, cleared of what a crash left, and its server launched."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from recoup.supervisor import machine
from recoup.supervisor.errors import StartFailed, WrongVersion
from recoup.supervisor.places import Place, make_private_folder
from recoup.supervisor.settings import configuration

# How long children of a killed server get to notice it, then to heed a signal.
LEFTOVER_SECONDS = 5.0
LOCALE = {
    18: ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
    16: ["--locale=C.UTF-8"],
}
# Nothing else of the caller's environment reaches PostgreSQL: no locale, no PG* variable, no LD_PRELOAD.
CLEAN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Postmaster:
    """What a running server says of itself in postmaster.pid."""

    pid: int
    port: int | None
    socket_folder: str
    status: str

    @classmethod
    def read(cls, data: Path) -> Postmaster | None:
        """Read the file, or return None if it is missing or only half written."""
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
            pid = abs(int(lines[0]))
        except (OSError, IndexError, ValueError):
            return None
        lines += [""] * (8 - len(lines))
        port = int(lines[3]) if lines[3].isdigit() else None
        return cls(pid=pid, port=port, socket_folder=lines[4].strip(), status=lines[7].strip())


def prepare(place: Place, *, fast: bool) -> None:
    """Make the cluster if there is none.

    `initdb` works in a folder of another name, so one that was killed half-way is thrown away.

    :raises WrongVersion: if another major version made it.
    """
    if not place.data.exists():
        _initialise(place, fast=fast)
    made_by = (place.data / "PG_VERSION").read_text().strip()
    if made_by != str(place.version):
        raise WrongVersion(
            f"The data in {place.data} was written by PostgreSQL {made_by}, and this is {place.version}.",
            advice="Make a backup with the version of Recoup that wrote it, and restore it here.",
        )


def launch(place: Place, *, port: int | None, fast: bool) -> int:
    """Start the server process and return its number.

    It gets a session of its own, so that Ctrl-C in a terminal does not reach it, and a shell in between:
    it is nobody's child: who started it may go, and who stops it need not be the one who started it.
    """
    make_private_folder(place.socket_folder, place.account)
    make_private_folder(place.log_folder, place.account)
    target = place.data / "postgresql.conf"
    folders = {"socket_folder": str(place.socket_folder), "log_folder": str(place.log_folder)}
    target.write_text(configuration(**folders, port=port, fast=fast))
    _give(target, place)
    command = ["/bin/sh", "-c", '"$0" -D "$1" >&2 & echo $!', str(place.program("postgres")), str(place.data)]
    with _start_log(place).open("wb") as log:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env=CLEAN_ENVIRONMENT,
            umask=0o077,
            start_new_session=True,
            check=True,
            **place.account.drop(),
        )
    return int(done.stdout)


def clear_remains(place: Place) -> None:
    """Remove what a killed server left: children that have not noticed yet, its pid file, its socket.

    Its children end by themselves within moments; one in a long statement is told, then ended. A pid file
    whose number belongs to a stranger by now is removed too, which PostgreSQL itself refuses to do.
    """
    for told in (None, signal.SIGQUIT, signal.SIGKILL):
        for pid in machine.processes_in(place.data) if told else []:
            _signal(pid, told)
        if machine.wait_until(lambda: not machine.processes_in(place.data), seconds=LEFTOVER_SECONDS):
            break
    (place.data / "postmaster.pid").unlink(missing_ok=True)
    if place.socket_folder.is_dir():
        for left in place.socket_folder.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            place.socket_folder.rmdir()  # made again at the next start, under the same name


def throw_away(place: Place) -> None:
    """Delete the cluster. Only for data that nobody wants to keep."""
    clear_remains(place)
    shutil.rmtree(place.data)


def kept_password(place: Place, role: str) -> str:
    """Return the password of a role, made at first use and kept in a file that only its owner reads."""
    target = place.home / f"{role}.password"
    try:
        return target.read_text()
    except FileNotFoundError:
        secret = secrets.token_urlsafe(32)
        fresh = target.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secret)
            out.flush()
            os.fsync(out.fileno())
        fresh.rename(target)
        return secret


def last_words(place: Place) -> str:
    """Return the end of what the server said when it was started last."""
    try:
        return "\n".join(_start_log(place).read_text(errors="replace").splitlines()[-12:])
    except OSError:
        return "(it said nothing)"


def _initialise(place: Place, *, fast: bool) -> None:
    fresh = place.home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    make_private_folder(fresh, place.account)
    secret = place.home / "initdb.password"
    secret.unlink(missing_ok=True)
    descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(kept_password(place, "postgres"))
    _give(secret, place)
    command = [str(place.program("initdb")), f"--pgdata={fresh}", "--username=postgres", f"--pwfile={secret}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", "--no-instructions"]
    command += LOCALE[place.version] + (["--no-sync"] if fast else [])
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        env=CLEAN_ENVIRONMENT,
        umask=0o077,
        check=False,
        **place.account.drop(),
    )
    secret.unlink()
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise StartFailed(
            f"initdb could not make a database in {place.home}:\n{done.stdout}{done.stderr}",
            advice="Look for a full disk or missing rights, then try again.",
        )
    fresh.rename(place.data)


def _give(path: Path, place: Place) -> None:
    if place.account.is_other:
        os.chown(path, place.account.uid, place.account.gid)


def _signal(pid: int, told: signal.Signals | None) -> None:
    if told is not None:
        try:
            os.kill(pid, told)
        except ProcessLookupError:
            pass


def _start_log(place: Place) -> Path:
    return place.home / "start.log"
