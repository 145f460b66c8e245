"""Twilio's numbers in our classes: one table of errors, one of states.

Each number has its page: https://www.twilio.com/docs/api/errors/<number> ("Error and Warning Dictionary"). The states are
those of https://www.twilio.com/docs/messaging/api/message-resource. What stands in none of the tables fails the message and
says nothing about its number.
"""

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
    10002: HALT,  # a trial account cannot do this
    20003: HALT,  # authenticate
    20005: HALT,  # the account is not active
    20006: HALT,  # access denied
    20008: HALT,  # the credentials are for tests
    20404: HALT,  # no such account or service
    20429: BUSY,
    21201: NUMBER,  # no 'To'
    21211: NUMBER,  # 'To' is no number
    21212: HALT,  # 'From' is no number
    21217: NUMBER,  # 'To' does not look valid
    21265: NUMBER,  # 'To' is a short code
    21266: NUMBER,  # 'To' and 'From' are the same
    21408: NUMBER,  # the region is not switched on in the account
    21601: HALT,  # 'From' is no number of the account
    21602: CONTENT,  # no body
    21603: HALT,  # no sender
    21604: NUMBER,  # no 'To'
    21605: CONTENT,  # longer than allowed
    21606: HALT,  # the sender cannot send messages
    21608: HALT,  # a trial account writes to verified numbers alone
    21609: HALT,  # the address for reports is not accepted
    21610: STOPPED,  # the person has written STOP
    21611: BUSY,  # the sender's queue is full
    21612: NUMBER,  # this sender does not reach this number
    21614: GONE,  # not a mobile number
    21616: HALT,  # 'From' is several numbers of the account
    21617: CONTENT,  # longer than 1,600
    21618: CONTENT,  # the body cannot be sent
    21619: CONTENT,  # neither a body nor a picture
    21635: GONE,  # a fixed line
    21657: NUMBER,  # the sender's name is not allowed in this country
    21659: HALT,  # the sender is not Twilio's
    21660: HALT,  # the sender is another account's
    21661: HALT,  # the sender sends no SMS
    21701: HALT,  # no such Messaging Service
    21703: HALT,  # the Messaging Service has no number that could send
    21704: HALT,  # the Messaging Service has no numbers
    21705: HALT,  # this is no Messaging Service
    30001: BUSY,  # the queue overflowed
    30002: HALT,  # the account is suspended
    30007: POLICY,  # filtered by the operator
    30034: POLICY,  # the United States want the number registered
    63017: BUSY,
    63038: BUSY,  # the account's day is full
    # By HTTP alone.
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
# The person has said no.
_UNSUBSCRIBED = frozenset({"21610"})
# The number is unknown (30005), no mobile (21614), a fixed line (21635). 30006 is a fixed line, too, unless a short code was
# the sender: then it only could not reach the operator. 30003 is a phone that is off.
_GONE, _GONE_FROM_A_NUMBER = frozenset({"30005", "21614", "21635"}), "30006"


def delivery(state: str, code: str, *, is_short_code: bool = False) -> tuple[str, bool, bool]:
    """Return our state for theirs, whether nothing more is written to the number, and whether the person said so."""
    is_gone = code in _GONE or (code == _GONE_FROM_A_NUMBER and not is_short_code)
    return _STATES.get(state.casefold(), ""), is_gone, code in _UNSUBSCRIBED
