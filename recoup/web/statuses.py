"""The icon and the hue of each state; its word comes from the state itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """How a state looks."""

    icon: str
    tone: str


_PLAIN = Mark("circle", "neutral")

MARKS: dict[str, dict[str, Mark]] = {
    "order": {
        "new": Mark("circle-dashed", "neutral"),
        "in_work": Mark("user-check", "neutral"),
        "not_confirmed": Mark("circle-help", "due"),
        "awaiting_payment": Mark("hourglass", "due"),
        "unpaid": Mark("clock", "due"),
        "completed": Mark("circle-check", "recovered"),
        "cancelled": Mark("circle-x", "neutral"),
        "false": Mark("ban", "neutral"),
    },
    "offer": {
        "asked": Mark("hourglass", "due"),
        "granted": Mark("clock", "due"),
        "redeemed": Mark("circle-check", "recovered"),
        "expired": Mark("circle-dashed", "neutral"),
        "void": Mark("ban", "neutral"),
        "refused": Mark("circle-x", "neutral"),
    },
    # States of an order's payment and of a single attempt.
    "payment": {
        "owed": Mark("circle-dashed", "neutral"),
        "on_hold": Mark("hourglass", "due"),
        "nothing_due": Mark("check", "neutral"),
        "created": Mark("circle-dashed", "neutral"),
        "pending": Mark("hourglass", "due"),
        "requires_action": Mark("hand", "due"),
        "authorized": Mark("shield-check", "neutral"),
        "succeeded": Mark("circle-check", "recovered"),
        "paid": Mark("circle-check", "recovered"),
        "partly_paid": Mark("circle-alert", "due"),
        "failed": Mark("circle-alert", "failed"),
        "expired": Mark("clock", "neutral"),
        "cancelled": Mark("circle-x", "neutral"),
        "refunded": Mark("undo-2", "neutral"),
        "partly_refunded": Mark("undo-2", "neutral"),
        "disputed": Mark("triangle-alert", "failed"),
    },
    "cart": {
        "open": Mark("shopping-cart", "neutral"),
        "abandoned": Mark("clock", "due"),
        "converted": Mark("package-check", "neutral"),
        "emptied": Mark("circle-x", "neutral"),
        "expired": Mark("clock", "neutral"),
    },
    "case": {
        "open": Mark("clock", "due"),
        "recovered": Mark("circle-check", "recovered"),
        "paid_unaided": Mark("check", "neutral"),
        "superseded": Mark("layers", "neutral"),
        "duplicate": Mark("copy", "neutral"),
        "became_order": Mark("package", "neutral"),
        "cancelled": Mark("circle-x", "neutral"),
        "lapsed": Mark("clock", "neutral"),
        "false": Mark("ban", "neutral"),
    },
    "task": {
        "open": Mark("circle-dashed", "neutral"),
        "overdue": Mark("clock", "due"),
        "done": Mark("circle-check", "recovered"),
        "cancelled": Mark("circle-x", "neutral"),
    },
    "message": {
        "due": Mark("calendar-clock", "due"),
        "claimed": Mark("send", "neutral"),
        "handing": Mark("send", "neutral"),
        "sent": Mark("mail-check", "neutral"),
        "opened": Mark("mail-open", "neutral"),
        "clicked": Mark("mouse-pointer-click", "recovered"),
        "bounced": Mark("mail-x", "failed"),
        "failed": Mark("mail-x", "failed"),
        "uncertain": Mark("mail-question-mark", "due"),
        "cancelled": Mark("minus", "neutral"),
    },
    "process": {
        "draft": Mark("pencil", "neutral"),
        "test": Mark("circle-play", "due"),
        "live": Mark("circle-play", "recovered"),
        "paused": Mark("circle-pause", "due"),
        "draining": Mark("hourglass", "due"),
        "stopped": Mark("circle-x", "neutral"),
    },
    "intake": {
        "new": Mark("inbox", "due"),
        "applied": Mark("check", "neutral"),
        "quarantined": Mark("triangle-alert", "failed"),
        "unused": Mark("minus", "neutral"),
        "conflict": Mark("triangle-alert", "due"),
        "put_aside": Mark("minus", "neutral"),
    },
    "check": {
        "ok": Mark("circle-check", "recovered"),
        "warning": Mark("triangle-alert", "due"),
        "failed": Mark("circle-x", "failed"),
        "unknown": Mark("circle-help", "neutral"),
        "waiting": Mark("hourglass", "due"),
    },
}


def mark_of(kind: str, code: str) -> Mark:
    """Return how a state looks; a state without a look of its own is a plain grey dot."""
    return MARKS.get(kind, {}).get(code, _PLAIN)
