"""The table of answers: what each code at each stage does to the mail, the address and the shop (F12-F17, R22, R23, T97)."""

from datetime import timedelta

import pytest

from recoup.integrations.smtp.words import Then, Verdict, rejected, retry_delay, verdict, verdict_of
from recoup.messaging.handover import Stage

AGAIN = Verdict(Then.RETRY)
AGAIN_SLOWLY = Verdict(Then.RETRY, slow_down=True)
SERVERS_TROUBLE = Verdict(Then.RETRY, counts_attempt=False, slow_down=True)
FAILED = Verdict(Then.FAIL)
POLICY = Verdict(Then.FAIL, policy=True)
SUPPRESSED = Verdict(Then.FAIL, suppress=True)
HALTED = Verdict(Then.HALT, counts_attempt=False)


@pytest.mark.parametrize(
    ("stage", "code", "enhanced", "expected"),
    [
        (Stage.CONTENT, 250, "2.0.0", Verdict(Then.SENT)),
        (Stage.CONNECT, 0, "", SERVERS_TROUBLE),
        (Stage.CONNECT, 421, "", SERVERS_TROUBLE),
        (Stage.CONNECT, 554, "5.7.1", HALTED),
        (Stage.TLS, 0, "", SERVERS_TROUBLE),
        (Stage.TLS, 454, "", SERVERS_TROUBLE),
        (Stage.TLS, 502, "", HALTED),
        (Stage.AUTH, 535, "5.7.8", HALTED),
        (Stage.AUTH, 454, "4.7.0", SERVERS_TROUBLE),
        (Stage.AUTH, 0, "", SERVERS_TROUBLE),
        (Stage.SENDER, 530, "5.7.0", HALTED),
        (Stage.SENDER, 421, "4.7.0", SERVERS_TROUBLE),
        (Stage.RECIPIENT, 421, "", SERVERS_TROUBLE),
        (Stage.CONTENT, 421, "", SERVERS_TROUBLE),
        (Stage.RECIPIENT, 450, "4.2.1", AGAIN),
        (Stage.RECIPIENT, 450, "", AGAIN),
        (Stage.RECIPIENT, 451, "4.7.1", AGAIN),
        (Stage.RECIPIENT, 452, "4.2.2", AGAIN),
        (Stage.SENDER, 451, "", AGAIN_SLOWLY),
        (Stage.DATA, 451, "4.3.0", AGAIN_SLOWLY),
        (Stage.CONTENT, 452, "4.3.1", AGAIN_SLOWLY),
        (Stage.CONTENT, 450, "", AGAIN),
        (Stage.RECIPIENT, 550, "", SUPPRESSED),
        (Stage.RECIPIENT, 550, "5.1.1", SUPPRESSED),
        (Stage.RECIPIENT, 550, "5.2.1", SUPPRESSED),
        (Stage.RECIPIENT, 551, "", SUPPRESSED),
        (Stage.RECIPIENT, 553, "5.1.3", SUPPRESSED),
        (Stage.RECIPIENT, 554, "5.1.1", SUPPRESSED),
        (Stage.RECIPIENT, 552, "5.2.2", FAILED),
        (Stage.RECIPIENT, 552, "", FAILED),
        (Stage.RECIPIENT, 550, "5.7.1", POLICY),
        (Stage.RECIPIENT, 550, "5.1.8", FAILED),
        (Stage.RECIPIENT, 554, "", POLICY),
        (Stage.RECIPIENT, 553, "5.6.7", FAILED),
        (Stage.SENDER, 550, "", POLICY),
        (Stage.SENDER, 553, "5.7.1", POLICY),
        (Stage.SENDER, 552, "5.3.4", FAILED),
        (Stage.DATA, 554, "", POLICY),
        (Stage.DATA, 503, "5.5.1", FAILED),
        (Stage.CONTENT, 550, "", POLICY),
        (Stage.CONTENT, 550, "5.1.1", FAILED),
        (Stage.CONTENT, 554, "5.7.1", POLICY),
        (Stage.CONTENT, 551, "", POLICY),
        (Stage.CONTENT, 530, "", POLICY),
    ],
)
def test_each_answer_has_its_end(stage: Stage, code: int, enhanced: str, expected: Verdict) -> None:
    assert verdict(stage, code, enhanced) == expected


@pytest.mark.parametrize("stage", list(Stage))
def test_no_5xx_is_ever_tried_again_and_no_4xx_suppresses(stage: Stage) -> None:
    for code in range(500, 600):
        assert verdict(stage, code).then in {Then.FAIL, Then.HALT}
    for code in range(400, 500):
        assert verdict(stage, code).then is Then.RETRY
        assert not verdict(stage, code).suppress


def test_only_the_recipients_turn_suppresses_an_address() -> None:
    suppressing = {
        stage
        for stage in Stage
        for code in range(400, 600)
        for enhanced in ("", "5.1.1")
        if verdict(stage, code, enhanced).suppress
    }

    assert suppressing == {Stage.RECIPIENT}


def test_an_answer_is_taken_apart() -> None:
    refusal = rejected(Stage.RECIPIENT, 550, "5.1.1 No such user here")

    assert (refusal.enhanced, refusal.text, refusal.permanent, refusal.about_address) == (
        "5.1.1",
        "No such user here",
        True,
        True,
    )
    assert verdict_of(refusal) == SUPPRESSED
    assert rejected(Stage.CONTENT, 451, "try 5.1.1 later").enhanced == ""


def test_tries_are_a_minute_five_a_quarter_and_then_an_hour_apart() -> None:
    assert [retry_delay(attempt) for attempt in (0, 1, 2, 3, 4, 5, 99)] == [
        timedelta(minutes=minutes) for minutes in (1, 1, 5, 15, 60, 60, 60)
    ]
