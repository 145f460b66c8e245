"""What follows from a provider's refusal: each provider maps its codes to these in one table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from one answer."""

    then: str
    """`retry`, `fail`, or `halt`: back to due, and the lane stops until somebody has looked."""

    suppress: bool = False
    suppress_as: str = "bounced"
    counts_attempt: bool = True
    policy: bool = False
    slow_down: bool = False
    about_address: bool = False


LATER = Verdict("retry")
BUSY = Verdict("retry", counts_attempt=False, slow_down=True)
"""Too many requests: the lane waits and no try of the message is lost (F20)."""

HALT = Verdict("halt", counts_attempt=False)
"""Credentials, rights or credit: a person must mend it (F18)."""

NUMBER = Verdict("fail", about_address=True)
"""This number takes no short message, as it is written; nobody's word that it never will."""

GONE = Verdict("fail", suppress=True, about_address=True)
STOPPED = Verdict("fail", suppress=True, suppress_as="unsubscribed", about_address=True)
CONTENT = Verdict("fail")
POLICY = Verdict("fail", policy=True)
