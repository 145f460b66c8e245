"""What a server's answer means for the mail, the address and the shop's sending."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from recoup.messaging.handover import Rejected, Stage

_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b\s*")
_STEPS = (1, 5, 15, 60)
"""Minutes before the second, third, … try; after that every hour until the message is of no use any more."""

_SIGN_IN_CODES = frozenset({530, 534, 535, 538})
_SENDER_AT_FAULT = frozenset({"7", "8"})
"""Of the enhanced codes `x.1.7` and `x.1.8`: the sender's address, told at the recipient's turn."""


class Then(StrEnum):
    """What becomes of the mail."""

    SENT = "sent"
    RETRY = "retry"
    FAIL = "fail"
    HALT = "halt"
    """Back to due, and the shop's sending stops until somebody has looked at its settings."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from one answer."""

    then: Then
    suppress: bool = False
    """Nothing more is written to this address."""

    suppress_as: str = "bounced"

    counts_attempt: bool = True
    """It was this mail's own try, and not the server's trouble."""

    policy: bool = False
    """Counts towards halting the shop's sending: the server dislikes what we send or who we are."""

    slow_down: bool = False
    """The server asks for fewer mails: the lane waits."""


def read_answer(text: str) -> tuple[str, str]:
    """Return the enhanced code (RFC 3463), if there is one, and the rest of the answer."""
    match = _ENHANCED.match(text)
    return (match[1], text[match.end() :]) if match else ("", text)


def rejected(stage: Stage, code: int, text: str) -> Rejected:
    """Return the refusal in our words."""
    enhanced, words = read_answer(text)
    return Rejected(
        code=code,
        enhanced=enhanced,
        stage=stage,
        text=words[:500],
        permanent=code >= 500,
        about_address=_is_about_address(stage, code, enhanced),
    )


def verdict(stage: Stage, code: int, enhanced: str = "") -> Verdict:
    """Return what follows from an answer with this code at this stage (F12 to F17, R22, R23).

    A code of 0 means that there was no answer: the server refused the connection or the line broke.
    """
    if stage in {Stage.CONNECT, Stage.TLS, Stage.AUTH}:
        return _before_the_mail(code)
    if 200 <= code < 300:
        return Verdict(Then.SENT)
    if code == 421 or code < 400:
        return Verdict(Then.RETRY, counts_attempt=False, slow_down=True)
    if code < 500:
        is_server_busy = code in {451, 452} or enhanced.startswith(("4.3.", "4.4.", "4.7."))
        return Verdict(Then.RETRY, slow_down=is_server_busy and stage is not Stage.RECIPIENT)
    return _for_good(stage, code, enhanced)


def verdict_of(refusal: Rejected) -> Verdict:
    """Return what follows from a refusal."""
    return verdict(refusal.stage, refusal.code, refusal.enhanced)


def retry_delay(attempt: int) -> timedelta:
    """Return how long to wait after this many tries."""
    return timedelta(minutes=_STEPS[min(max(attempt, 1), len(_STEPS)) - 1])


def _before_the_mail(code: int) -> Verdict:
    """No mail is at fault before one was named; what a person must mend stops the shop's sending."""
    if 500 <= code < 600:
        return Verdict(Then.HALT, counts_attempt=False)
    return Verdict(Then.RETRY, counts_attempt=False, slow_down=True)


def _for_good(stage: Stage, code: int, enhanced: str) -> Verdict:
    """Never again (R23); the rest depends on whom the server blames."""
    if code in _SIGN_IN_CODES and stage is not Stage.CONTENT:
        return Verdict(Then.HALT, counts_attempt=False)
    if _is_about_address(stage, code, enhanced):
        return Verdict(Then.FAIL, suppress=not _is_full(code, enhanced))
    return Verdict(Then.FAIL, policy=not enhanced or enhanced.startswith(("5.7.", "5.0.")))


def _is_about_address(stage: Stage, code: int, enhanced: str) -> bool:
    """Tell whether the recipient's address is at fault.

    The enhanced code decides where there is one: `5.7.x` is policy even as a 550 at RCPT. Without it a 550, 551, 552 or 553
    at RCPT is about the mailbox, a 554 about us.
    """
    if stage is not Stage.RECIPIENT:
        return False
    if enhanced:
        _, subject, detail = enhanced.split(".")
        return (subject == "1" and detail not in _SENDER_AT_FAULT) or subject == "2"
    return code in {450, 501, 550, 551, 552, 553}


def _is_full(code: int, enhanced: str) -> bool:
    """Tell whether the mailbox is only full, which passes."""
    return enhanced.endswith(".2.2") or (not enhanced and code == 552)
