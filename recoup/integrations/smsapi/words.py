"""SMSAPI's numbers in our classes: one table of errors, one of states of delivery.

Both as the chapters "Error codes" and "Delivery statuses" of https://www.smsapi.com/docs/ have them. What stands in none of
the tables fails the message and says nothing about its number.
"""

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

_ERRORS: dict[int, Verdict] = {
    8: LATER,  # an error in the request, to be reported to them; nothing of ours that another try would not show
    11: CONTENT,  # too long, empty, or special letters although they were forbidden
    12: CONTENT,  # more parts than max_parts
    13: NUMBER,  # no valid number, or one on their own list
    14: HALT,  # the sender's name is not registered
    18: CONTENT,  # the number of parameters
    27: CONTENT,  # idx longer than 255
    52: LATER,  # more than ten tries to one number within a minute
    57: STOPPED,  # the number stands on the account's own list of those who said no
    59: STOPPED,  # the number is on the opt-out list
    70: HALT,  # the address for reports is not accepted
    74: LATER,  # at this hour the account sends nothing
    76: CONTENT,  # letters that the parameters may not hold
    94: POLICY,  # this account may send no links
    98: HALT,  # the account may write to its own number alone
    101: HALT,  # authorisation
    102: HALT,
    103: HALT,  # no points left
    105: HALT,  # our address is not on the list of the account
    110: HALT,  # not allowed for this account
    112: NUMBER,  # the account sends nothing to this country: others still get theirs
    200: LATER,  # could not be handed on
    201: LATER,  # their own trouble
    202: BUSY,  # too many requests at once
    203: BUSY,
    401: HALT,  # the token may not send
    403: HALT,  # by HTTP alone
    429: BUSY,  # by HTTP alone
    997: HALT,  # the account takes https only
    999: LATER,  # their own trouble
    1000: HALT,  # for the main user of the account alone
}
_UNKNOWN = CONTENT


def verdict(code: int) -> Verdict:
    """Return what follows from an error."""
    return _ERRORS.get(code, _UNKNOWN)


_STATES: dict[int, str] = {
    402: "undelivered",  # expired: the phone was off for too long
    403: "accepted",  # sent, no word of delivery yet
    404: "delivered",
    405: "undelivered",
    406: "undelivered",  # failed
    407: "undelivered",  # rejected
    409: "accepted",  # queued
    410: "accepted",  # taken by the operator
    411: "accepted",  # tried again
    412: "undelivered",  # stopped by the account
}


def delivery(code: int) -> str:
    """Return our state for one of theirs; nothing where they do not know (401, 408).

    None of them says that a number is gone for good: 405 and 407 are an invalid number as well as a phone that roams.
    """
    return _STATES.get(code, "")
