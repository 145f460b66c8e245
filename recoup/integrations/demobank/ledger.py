"""The demo bank's own books: a SQLite file that Recoup never reads."""

import secrets
import sqlite3
import threading
import time
from dataclasses import dataclass
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS merchants (id TEXT PRIMARY KEY, secret TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY, merchant TEXT NOT NULL, reference TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', paid_amount INTEGER, paid_currency TEXT,
    order_number TEXT NOT NULL, description TEXT NOT NULL, method TEXT NOT NULL, locale TEXT NOT NULL,
    return_url TEXT NOT NULL, notify_url TEXT NOT NULL, created REAL NOT NULL, changed REAL NOT NULL, expires REAL NOT NULL,
    UNIQUE (merchant, reference)
);
CREATE TABLE IF NOT EXISTS refunds (
    id TEXT PRIMARY KEY, payment TEXT NOT NULL REFERENCES payments, reference TEXT NOT NULL, amount INTEGER NOT NULL,
    created REAL NOT NULL, UNIQUE (payment, reference)
);
CREATE TABLE IF NOT EXISTS calls (
    id TEXT PRIMARY KEY, payment TEXT NOT NULL REFERENCES payments, body BLOB NOT NULL, fate TEXT NOT NULL,
    made REAL NOT NULL
);
"""
LIFE = 3600.0  # seconds in which a session can be paid


@dataclass(frozen=True, slots=True)
class NewPayment:
    """What a shop wants to be paid."""

    merchant: str
    reference: str
    amount: int  # in the minor unit of the currency
    currency: str
    order_number: str
    description: str
    method: str
    locale: str
    return_url: str
    notify_url: str


class Ledger:
    """The books: one file, one writer at a time."""

    def __init__(self, path: str) -> None:
        self._lock = threading.RLock()
        self._books = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._books.row_factory = sqlite3.Row
        self._books.execute("PRAGMA foreign_keys = ON")
        self._books.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._books.close()

    def _rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._books.execute(statement, values).fetchall()

    def secret_of(self, merchant: str) -> str:
        """Return the secret of a merchant, or "" for a stranger."""
        rows = self._rows("SELECT secret FROM merchants WHERE id = ?", merchant)
        return str(rows[0]["secret"]) if rows else ""

    def admit(self, merchant: str, secret: str) -> bool:
        """Take on a merchant with the secret it brings, or compare; whoever comes first owns the name: it is a demo."""
        self._rows("INSERT OR IGNORE INTO merchants (id, secret) VALUES (?, ?)", merchant, secret)
        return secrets.compare_digest(self.secret_of(merchant).encode(), secret.encode())

    def open(self, new: NewPayment) -> sqlite3.Row:
        """Open a payment, once for a merchant's reference."""
        now = time.time()
        with self._lock:
            self._rows(
                "INSERT OR IGNORE INTO payments (id, merchant, reference, amount, currency, status, order_number,"
                " description, method, locale, return_url, notify_url, created, changed, expires)"
                " VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                f"db_{secrets.token_hex(8)}",
                new.merchant,
                new.reference,
                new.amount,
                new.currency,
                new.order_number,
                new.description,
                new.method,
                new.locale,
                new.return_url,
                new.notify_url,
                now,
                now,
                now + LIFE,
            )
            payment = self.by_reference(new.merchant, new.reference)
        assert payment is not None
        return payment

    def by_reference(self, merchant: str, reference: str) -> sqlite3.Row | None:
        """Return the payment that a merchant calls so."""
        self._expire()
        rows = self._rows("SELECT * FROM payments WHERE merchant = ? AND reference = ?", merchant, reference)
        return rows[0] if rows else None

    def payment(self, payment_id: str) -> sqlite3.Row | None:
        """Return a payment."""
        self._expire()
        rows = self._rows("SELECT * FROM payments WHERE id = ?", payment_id)
        return rows[0] if rows else None

    def _expire(self) -> None:
        now = time.time()
        self._rows(
            "UPDATE payments SET status = 'expired', changed = ? WHERE status IN ('waiting', 'processing') AND expires <= ?",
            now,
            now,
        )

    def turn(self, payment_id: str, status: str, *, reason: str = "", force: bool = False) -> bool:
        """Move a payment that has not ended (any with `force`); tell whether it moved."""
        ended = "" if force else " AND status NOT IN ('paid', 'declined', 'cancelled', 'expired', 'refunded')"
        with self._lock:
            moved = self._books.execute(
                f"UPDATE payments SET status = ?, reason = ?, changed = ? WHERE id = ?{ended}",  # noqa: S608 - constants
                (status, reason, time.time(), payment_id),
            )
            return moved.rowcount > 0

    def pay_other_sum(self, payment_id: str, amount: int, currency: str) -> None:
        """Say that another sum than the one asked was paid."""
        self._rows(
            "UPDATE payments SET paid_amount = ?, paid_currency = ? WHERE id = ?",
            amount,
            currency,
            payment_id,
        )

    def refund(self, payment_id: str, reference: str, amount: int) -> sqlite3.Row | None:
        """Give money back once for a reference; `None` if there is not so much left."""
        with self._lock:
            known = self._rows(
                "SELECT * FROM refunds WHERE payment = ? AND reference = ?", payment_id, reference
            )
            if known:
                return known[0]
            payment = self.payment(payment_id)
            given = self._rows(
                "SELECT coalesce(sum(amount), 0) AS sum FROM refunds WHERE payment = ?", payment_id
            )
            if payment is None or payment["status"] not in {"paid", "refunded"}:
                return None
            if not 0 < amount <= payment["amount"] - given[0]["sum"]:
                return None
            self._rows(
                "INSERT INTO refunds VALUES (?, ?, ?, ?, ?)",
                f"dbr_{secrets.token_hex(8)}",
                payment_id,
                reference,
                amount,
                time.time(),
            )
            if given[0]["sum"] + amount == payment["amount"]:
                self.turn(payment_id, "refunded", force=True)
            return self._rows(
                "SELECT * FROM refunds WHERE payment = ? AND reference = ?", payment_id, reference
            )[0]

    def note_call(self, call_id: str, payment_id: str, body: bytes, fate: str) -> None:
        """Keep what was told to the shop, or lost on the way."""
        self._rows(
            "INSERT INTO calls VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET fate = excluded.fate",
            call_id,
            payment_id,
            body,
            fate,
            time.time(),
        )

    def calls(self, payment_id: str) -> list[sqlite3.Row]:
        """Return what was told about a payment, oldest first."""
        return self._rows("SELECT * FROM calls WHERE payment = ? ORDER BY made, id", payment_id)

    def count_refunds(self, payment_id: str) -> int:
        """Count the refunds of a payment."""
        rows = self._rows("SELECT count(*) AS n FROM refunds WHERE payment = ?", payment_id)
        return int(rows[0]["n"])

    def count_payments(self, **equal: str) -> int:
        """Count payments, such as `count_payments(status="paid")`."""
        where = " AND ".join(f"{column} = ?" for column in equal) or "1"
        rows = self._rows(f"SELECT count(*) AS n FROM payments WHERE {where}", *equal.values())  # noqa: S608 - names are ours
        return int(rows[0]["n"])
