"""What the settings read from the environment, with errors that say what to do."""

import base64
import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from recoup.core.public_address import kept_addresses, read_address


def flag(name: str) -> bool:
    """Tell whether an environment switch is on."""
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


def seconds(name: str, *, usual: float, most: float) -> float:
    """Return a time that the environment may set, in seconds.

    :raises ImproperlyConfigured: if it is no number, none at all, or longer than `most`.
    """
    text = os.environ.get(name, "").strip() or str(usual)
    try:
        told = float(text)
    except ValueError:
        told = 0.0
    if not 0 < told <= most:  # refuses NaN too
        raise ImproperlyConfigured(f"{name} must be a number of seconds, at most {most:g}.")
    return told


def var_dir(base: Path) -> Path:
    """Return the folder of everything that is written: `RECOUP_VAR`, or `var/` of the clone."""
    return Path(os.environ.get("RECOUP_VAR", base / "var")).resolve()


def public_addresses(*, is_demo: bool, var: Path) -> tuple[list[str], bool]:
    """Return the address that links are built from (T60) and those it had before, and whether the environment fixes it.

    `RECOUP_PUBLIC_URL` says it, or else the file that the first start or the wizard wrote. The demo and the tests listen
    on this machine only, may use http, and know nothing of the file. Empty when nobody has said one.

    :raises AddressRefused: if the address is not usable.
    """
    url = os.environ.get("RECOUP_PUBLIC_URL", "").strip()
    if url:
        return [read_address(url, may_be_local=is_demo)], True
    if is_demo:
        return ["http://127.0.0.1:8000"], True
    return kept_addresses(var), False


def public_url(*, is_demo: bool, var: Path) -> str:
    """Return the address that links are built from, without a slash at its end; empty when nobody has said one."""
    addresses, _is_fixed = public_addresses(is_demo=is_demo, var=var)
    return addresses[0] if addresses else ""


def secret_keys(var: Path) -> tuple[str, list[bytes], str]:
    """Return Django's key, the keys of stored secrets, newest first, and the key of hashed addresses: the oldest one.

    They come from `RECOUP_SECRET_KEY_FILE` or `var/secret.key`, one key a line; the file is made, readable by its
    owner only, when there is none. It stays outside the database and belongs into the backup. A new key is put before the
    others; the last line stays for ever, because suppressed addresses are known by it alone.
    """
    path = Path(os.environ.get("RECOUP_SECRET_KEY_FILE", var / "secret.key"))
    if not path.exists():
        _make_key(path)
    lines = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    if not lines or any(len(line) < 40 for line in lines):
        raise ImproperlyConfigured(f"{path} must hold one random key of at least 40 characters a line.")
    secrets_keys = [
        base64.urlsafe_b64encode(hashlib.sha256(b"secrets:" + k.encode()).digest()) for k in lines
    ]
    return lines[0], secrets_keys, lines[-1]


def _make_key(path: Path) -> None:
    """Make the file whole or not at all: several programs start at once, and all must have the same key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
    with suppress(FileExistsError):  # another program was first
        os.link(draft, path)
    draft.unlink()


def database() -> dict[str, Any]:
    """Return the database settings from `DATABASE_URL`, or from the address that the supervisor publishes.

    :raises ImproperlyConfigured: if the address is not one of PostgreSQL.
    """
    url = os.environ.get("DATABASE_URL") or os.environ.get("RECOUP_DATABASE_URL") or ""
    parts = urlsplit(url)
    if url and parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            "DATABASE_URL must begin with postgresql://; no other database is supported."
        )
    query = dict(item.partition("=")[::2] for item in parts.query.split("&") if item)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "recoup",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.pop("host", "") or parts.hostname or ""),
        "PORT": query.pop("port", "") or (str(parts.port) if parts.port else ""),
        # Server-side cursors and prepared statements do not survive a pooler in transaction mode.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"prepare_threshold": None, **{name: unquote(value) for name, value in query.items()}},
    }


def proxy_header() -> tuple[str, str] | None:
    """Return the header of the proxy in front, only when `RECOUP_BEHIND_PROXY` says there is one (T11)."""
    return ("HTTP_X_FORWARDED_PROTO", "https") if flag("RECOUP_BEHIND_PROXY") else None
