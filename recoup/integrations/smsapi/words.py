"""SMSAPI's numbers in our classes: one table of errors, one of states of delivery (smsapi.com/docs, appendices)."""

from recoup.integrations.sms_verdicts import (
    BUSY,
    CONTENT,
    HALT,
    LATER,
    NUMBER,
    POLICY,
    STOPPED,
    Verdict,
)

NOT_UNIQUE = 53
"""A message with this idx was taken before: the one we did not hear the answer of."""

NO_ANSWER_CODE = 0

_ERRORS: dict[int, Verdict] = {
    8: LATER,  # error in the reference to the database
    11: CONTENT,  # too long, or empty
    12: CONTENT,  # more parts than allowed
    13: NUMBER,  # no correct number
    14: HALT,  # the sender's name is not registered
    17: CONTENT,
    18: CONTENT,
    22: CONTENT,
    30: CONTENT,
    40: CONTENT,
    50: CONTENT,
    51: CONTENT,
    52: LATER,  # too many messages to one number within a minute
    54: CONTENT,
    56: CONTENT,
    57: STOPPED,  # the number stands on the account's own list of those who said no
    70: HALT,  # the address for reports is not accepted
    74: LATER,  # at this hour the account sends nothing
    94: POLICY,  # links are not allowed for this account
    98: HALT,  # the account may write to its own number alone
    101: HALT,  # authorisation
    102: HALT,
    103: HALT,  # no points left
    105: HALT,  # our address is not on the list of the account
    110: HALT,  # not allowed for this account
    112: HALT,
    200: LATER,
    201: LATER,
    202: BUSY,
    203: BUSY,
    401: HALT,
    403: HALT,
    429: BUSY,
    999: LATER,
}
# An unknown number says nothing good about the message, and nothing about the address.
_UNKNOWN = CONTENT


def verdict(code: int) -> Verdict:
    """Return what follows from an error."""
    return _ERRORS.get(code, _UNKNOWN)


# State of delivery -> our state, and whether the number is gone.
_STATES: dict[int, tuple[str, bool]] = {
    401: ("undelivered", False),  # not found
    402: ("undelivered", False),  # expired: the phone was off for too long
    403: ("accepted", False),  # sent, no word of delivery yet
    404: ("delivered", False),
    405: ("undelivered", True),  # undeliverable: the number does not exist or takes nothing
    406: ("undelivered", False),  # failed
    407: ("undelivered", False),  # rejected
    408: ("", False),  # unknown
    409: ("accepted", False),  # queued
    410: ("accepted", False),  # taken by the operator
    411: ("accepted", False),  # tried again
    412: ("undelivered", False),  # stopped by the account
}


def delivery(code: int) -> tuple[str, bool]:
    """Return our state for one of theirs, and whether nothing more is written to the number."""
    return _STATES.get(code, ("", False))
