"""SMSAPI's numbers: what each error does to the message, the number and the lane, and what each state of delivery says."""

import pytest

from recoup.integrations.sms_verdicts import BUSY, CONTENT, HALT, LATER, NUMBER, POLICY, STOPPED, Verdict
from recoup.integrations.smsapi.words import delivery, verdict


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((14, 70, 98, 101, 102, 103, 105, 110, 401, 403, 997, 1000), HALT),
        ((8, 52, 74, 200, 201, 999), LATER),
        ((202, 203, 429), BUSY),
        ((57, 59), STOPPED),
        ((13, 112), NUMBER),
        ((94,), POLICY),
        ((11, 12, 18, 27, 76), CONTENT),
        ((7, 40, 104, 301, 2110, 123456), CONTENT),  # of calls that we never make, or unknown
    ],
)
def test_what_follows_from_an_error(codes: tuple[int, ...], expected: Verdict) -> None:
    assert {code: verdict(code) for code in codes} == dict.fromkeys(codes, expected)


def test_a_country_that_the_account_does_not_serve_stops_nobody_else() -> None:
    found = verdict(112)

    assert (found.then, found.suppress, found.about_address) == ("fail", False, True)


def test_states_of_delivery() -> None:
    assert {code: delivery(code) for code in range(401, 414)} == {
        401: "", 402: "undelivered", 403: "accepted", 404: "delivered", 405: "undelivered", 406: "undelivered",
        407: "undelivered", 408: "", 409: "accepted", 410: "accepted", 411: "accepted", 412: "undelivered", 413: "",
    }  # fmt: skip
