"""Twilio's numbers: what each error does to the message, the number and the lane, and what each report says."""

import pytest

from recoup.integrations.sms_verdicts import BUSY, CONTENT, GONE, HALT, NUMBER, POLICY, STOPPED, Verdict
from recoup.integrations.twilio.words import delivery, verdict


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((10001, 10002, 20003, 20005, 20006, 20008, 20404, 30002), HALT),
        ((21212, 21601, 21603, 21606, 21608, 21609, 21616, 21659, 21660, 21661), HALT),
        ((21701, 21703, 21704, 21705, 401, 403, 404), HALT),
        ((20429, 21611, 30001, 63017, 63038, 429), BUSY),
        ((21610,), STOPPED),
        ((21614, 21635), GONE),
        ((21201, 21211, 21217, 21265, 21266, 21408, 21604, 21612, 21657), NUMBER),
        ((30007, 30034), POLICY),
        ((21602, 21605, 21617, 21618, 21619), CONTENT),
        ((14107, 21214, 30038, 123456), CONTENT),  # of calls and of what comes in, or unknown
    ],
)
def test_what_follows_from_an_error(codes: tuple[int, ...], expected: Verdict) -> None:
    assert {code: verdict(code) for code in codes} == dict.fromkeys(codes, expected)


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [
        ("accepted", "", ("accepted", False, False)),
        ("scheduled", "", ("accepted", False, False)),
        ("queued", "", ("accepted", False, False)),
        ("sending", "", ("accepted", False, False)),
        ("SENT", "", ("accepted", False, False)),
        ("delivered", "", ("delivered", False, False)),
        ("read", "", ("delivered", False, False)),
        ("canceled", "", ("undelivered", False, False)),
        ("undelivered", "30003", ("undelivered", False, False)),
        ("undelivered", "30004", ("undelivered", False, False)),
        ("undelivered", "30005", ("undelivered", True, False)),
        ("undelivered", "30006", ("undelivered", True, False)),
        ("undelivered", "30008", ("undelivered", False, False)),
        ("failed", "21610", ("undelivered", False, True)),
        ("failed", "21614", ("undelivered", True, False)),
        ("receiving", "", ("", False, False)),
    ],
)
def test_what_a_report_says(state: str, code: str, expected: tuple[str, bool, bool]) -> None:
    assert delivery(state, code) == expected


def test_an_operator_that_a_short_code_does_not_reach_says_nothing_about_the_number() -> None:
    assert delivery("undelivered", "30006", is_short_code=True) == ("undelivered", False, False)
