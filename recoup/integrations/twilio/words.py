"""Twilio's numbers in our classes: one table of errors, one of states (twilio.com/docs/api/errors, message resource)."""

from recoup.integrations.sms_verdicts import (
    BUSY,
    CONTENT,
    GONE,
    HALT,
    NUMBER,
    POLICY,
    STOPPED,
    Verdict,
)

_ERRORS: dict[int, Verdict] = {
    10001: HALT,  # the account is not active
    14107: BUSY,
    20003: HALT,  # authenticate
    20005: HALT,
    20008: HALT,  # the credentials are for tests
    20404: HALT,  # no such account or service
    20429: BUSY,
    21201: NUMBER,
    21211: NUMBER,  # 'To' is no number
    21212: HALT,  # 'From' is no number
    21214: NUMBER,
    21217: NUMBER,
    21408: NUMBER,  # the region is not switched on in the account
    21601: HALT,
    21602: CONTENT,  # no body
    21603: HALT,  # no sender
    21604: NUMBER,
    21605: CONTENT,
    21606: HALT,  # the sender cannot send to this
    21608: HALT,  # a trial account writes to verified numbers alone
    21610: STOPPED,  # the person has written STOP
    21611: BUSY,  # the sender's queue is full
    21612: NUMBER,  # this sender does not reach this number
    21614: GONE,  # not a mobile number
    21617: CONTENT,  # longer than 1,600
    21635: GONE,  # a fixed line
    21659: HALT,  # the sender is not of this account
    21660: HALT,
    21703: HALT,
    21704: HALT,
    21705: HALT,
    30001: BUSY,
    30002: HALT,
    30007: POLICY,
    30034: POLICY,
    30038: POLICY,
    63038: BUSY,  # the account's day is full
    401: HALT,
    403: HALT,
    404: HALT,
    429: BUSY,
}
_UNKNOWN = CONTENT


def verdict(code: int) -> Verdict:
    """Return what follows from an error."""
    return _ERRORS.get(code, _UNKNOWN)


_STATES = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "accepted",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "undelivered",
    "canceled": "undelivered",
}
# Of what did not arrive: the number is unknown (30005) or a fixed line (30006); the person has said no (21610).
_GONE, _UNSUBSCRIBED = frozenset({"30005", "30006", "21614"}), frozenset({"21610"})


def delivery(state: str, code: str) -> tuple[str, bool, bool]:
    """Return our state for theirs, whether nothing more is written to the number, and whether the person said so."""
    return _STATES.get(state.casefold(), ""), code in _GONE, code in _UNSUBSCRIBED
