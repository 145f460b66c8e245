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
    "payment": {
        "none": Mark("circle-dashed", "neutral"),
        "open": Mark("hourglass", "due"),
        "pending": Mark("hourglass", "due"),
        "failed": Mark("circle-alert", "failed"),
        "unpaid": Mark("clock", "due"),
        "authorised": Mark("shield-check", "neutral"),
        "partly_paid": Mark("circle-alert", "due"),
        "partially_paid": Mark("circle-alert", "due"),
        "paid": Mark("circle-check", "recovered"),
        "overpaid": Mark("circle-alert", "due"),
        "refunded": Mark("undo-2", "neutral"),
        "partly_refunded": Mark("undo-2", "neutral"),
        "disputed": Mark("triangle-alert", "failed"),
        "charged_back": Mark("triangle-alert", "failed"),
        "expired": Mark("clock", "neutral"),
        "cancelled": Mark("circle-x", "neutral"),
    },
    "case": {
        "open": Mark("clock", "due"),
        "recovered": Mark("circle-check", "recovered"),
        "paid_unaided": Mark("check", "neutral"),
        "paid": Mark("check", "neutral"),
        "superseded": Mark("layers", "neutral"),
        "cancelled": Mark("circle-x", "neutral"),
        "lapsed": Mark("clock", "neutral"),
        "lost": Mark("circle-x", "neutral"),
        "held_out": Mark("circle-pause", "neutral"),
    },
    "message": {
        "due": Mark("calendar-clock", "due"),
        "queued": Mark("calendar-clock", "due"),
        "claimed": Mark("send", "neutral"),
        "handing": Mark("send", "neutral"),
        "sent": Mark("send", "neutral"),
        "delivered": Mark("mail-check", "neutral"),
        "opened": Mark("mail-open", "neutral"),
        "clicked": Mark("mouse-pointer-click", "recovered"),
        "bounced": Mark("mail-x", "failed"),
        "failed": Mark("mail-x", "failed"),
        "uncertain": Mark("mail-question-mark", "due"),
        "skipped": Mark("minus", "neutral"),
        "suppressed": Mark("ban", "neutral"),
        "cancelled": Mark("circle-x", "neutral"),
        "expired": Mark("clock", "neutral"),
        "held": Mark("circle-pause", "due"),
        "deferred": Mark("clock-arrow-up", "due"),
    },
    "process": {
        "draft": Mark("pencil", "neutral"),
        "test": Mark("circle-play", "due"),
        "live": Mark("circle-play", "recovered"),
        "paused": Mark("circle-pause", "due"),
        "off": Mark("circle-pause", "neutral"),
        "retired": Mark("circle-x", "neutral"),
    },
    "intake": {
        "new": Mark("inbox", "due"),
        "applied": Mark("check", "neutral"),
        "quarantined": Mark("triangle-alert", "failed"),
        "ignored": Mark("minus", "neutral"),
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
