"""The configuration that each instance of PostgreSQL is started with."""

from __future__ import annotations

import os

MIB = 1024 * 1024
CONNECTIONS = 100
# Ports from 32768 on are handed out by the kernel to outgoing connections.
LAST_OWN_PORT = 32767

_ALWAYS = {
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": str(CONNECTIONS),
    "max_locks_per_transaction": "128",  # a sender holds up to 1,000 names against payments that are being told
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "iso, ymd",
    "lc_messages": "C",
    "default_text_search_config": "pg_catalog.simple",
    "jit": "off",  # short statements; compiling them costs more than it saves
    "random_page_cost": "1.1",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
}

# A server whose data may be thrown away: nothing waits for the disk, nothing is kept for replicas. What was
# committed still survives a kill of the server, though not of the machine, so tests may kill it.
_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "shared_buffers": "128MB",
}

_KEPT = {
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "idle_in_transaction_session_timeout": "10min",
    "logging_collector": "on",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_min_duration_statement": "5s",
}


def configuration(*, socket_folder: str, log_folder: str, port: int | None, fast: bool) -> str:
    """Return the text of postgresql.conf. `local.conf` beside it is the owner's and wins."""
    chosen = _ALWAYS | (_FAST if fast else _KEPT | {"shared_buffers": f"{_shared_buffers_mib()}MB"})
    chosen |= {
        "unix_socket_directories": socket_folder,
        "listen_addresses": "127.0.0.1" if port else "",
        "port": str(port or 5432),
        "log_directory": log_folder,
    }
    lines = [f"{name} = {_quoted(value)}" for name, value in sorted(chosen.items())]
    return "\n".join(["# Written at every start. Put your own settings into local.conf.", *lines]) + (
        "\ninclude_if_exists = 'local.conf'\n"
    )


def _shared_buffers_mib() -> int:
    """An eighth of the memory, because web and worker live on the same machine."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MIB
    return max(64, min(1024, memory // 8))


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
