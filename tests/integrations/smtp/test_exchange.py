"""Mails over a real socket: what the server took, what it refused, and what nobody can know."""

import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recoup.messaging.handover import Mail
from tests.integrations.smtp.lines import PATIENT, connected, mail, send_batch, send_single, word
from tests.support.smtp_sink import SinkOptions, SmtpSink

REFUSED_IN_BETWEEN = [
    "a@x.pl",
    "b+550@x.pl",
    "c@x.pl",
    "d+451data@x.pl",
    "e+554verb@x.pl",
    "f+452@x.pl",
    "g@x.pl",
]
WORDS = {
    "a@x.pl": "accepted",
    "b+550@x.pl": "rcpt 550",
    "c@x.pl": "accepted",
    "d+451data@x.pl": "content 451",
    "e+554verb@x.pl": "data 554",
    "f+452@x.pl": "rcpt 452",
    "g@x.pl": "accepted",
}


@pytest.mark.parametrize("data_after_refusal", [554, 354])
def test_refusals_in_a_pipeline_touch_no_other_mail(data_after_refusal: int) -> None:
    with SmtpSink(SinkOptions(data_after_refusal=data_after_refusal)) as sink, connected(sink) as connection:
        mails = [mail(recipient) for recipient in REFUSED_IN_BETWEEN]

        outcomes = send_batch(connection.exchange(), mails)

        assert {key: word(outcome) for key, outcome in outcomes.items()} == WORDS
        assert [(taken.recipients, taken.content) for taken in sink.mails()] == [
            ([one.recipient], one.content) for one in mails if WORDS[one.recipient] == "accepted"
        ]
        assert sink.connections == 1


@pytest.mark.parametrize("data_after_refusal", [554, 354])
def test_a_pipeline_may_begin_and_end_with_refusals(data_after_refusal: int) -> None:
    with SmtpSink(SinkOptions(data_after_refusal=data_after_refusal)) as sink, connected(sink) as connection:
        exchange = connection.exchange()
        outcomes = send_batch(exchange, [mail(f"{n}+550@x.pl") for n in range(3)])
        later = send_batch(exchange, [mail("a@x.pl"), mail("b+550@x.pl")])
        single = send_single(exchange, mail("c@x.pl"))

        assert [word(outcome) for outcome in outcomes.values()] == ["rcpt 550"] * 3
        assert sorted(word(outcome) for outcome in later.values()) == ["accepted", "rcpt 550"]
        assert word(single) == "accepted"
        assert [taken.recipients for taken in sink.mails()] == [["a@x.pl"], ["c@x.pl"]]


def test_a_pipeline_writes_content_and_the_next_envelope_at_once(smtp_sink: SmtpSink) -> None:
    with connected(smtp_sink) as connection:
        send_batch(connection.exchange(), [mail("a@x.pl"), mail("b@x.pl"), mail("c@x.pl")])

    verbs = [command.split(b" ")[0] for command in smtp_sink.commands]
    assert verbs == [b"ehlo", *[b"MAIL", b"RCPT", b"DATA"] * 3, b"QUIT"]
    stamps = [(taken.mail_at, taken.rcpt_at, taken.data_at, taken.dot_at) for taken in smtp_sink.mails()]
    assert [tuple(sorted(stamp)) for stamp in stamps] == stamps


@pytest.mark.parametrize("pipelining", [True, False])
def test_the_single_way_ends_each_mail_by_itself(pipelining: bool) -> None:
    with SmtpSink(SinkOptions(pipelining=pipelining)) as sink, connected(sink) as connection:
        assert connection.can_pipeline is pipelining
        exchange = connection.exchange()

        outcomes = {
            recipient: word(send_single(exchange, mail(recipient))) for recipient in REFUSED_IN_BETWEEN
        }

        assert outcomes == WORDS
        assert [taken.recipients[0] for taken in sink.mails()] == ["a@x.pl", "c@x.pl", "g@x.pl"]
        assert sink.connections == 1


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_check_that_says_no_takes_the_envelope_back(pipelining: bool) -> None:
    with SmtpSink(SinkOptions(pipelining=pipelining)) as sink, connected(sink) as connection:
        exchange = connection.exchange()
        assert exchange.open(mail("paid@x.pl")) is None
        exchange.reset()
        outcome = send_single(exchange, mail("due@x.pl"))

        assert word(outcome) == "accepted"
        assert [taken.recipients for taken in sink.mails()] == [["due@x.pl"]]
        assert sink.commands.count(b"DATA") == 1
        assert exchange.began("paid@x.pl") is None


def test_a_refused_sender_is_told_from_a_refused_recipient(smtp_sink: SmtpSink) -> None:
    with connected(smtp_sink) as connection:
        exchange = connection.exchange()
        batch = send_batch(exchange, [mail("a@x.pl", sender="s+553@x.pl"), mail("b@x.pl")])
        single = send_single(exchange, mail("c@x.pl", sender="s+553@x.pl"))

        assert [word(outcome) for outcome in batch.values()] == ["mail 553", "accepted"]
        assert word(single) == "mail 553"


@pytest.mark.parametrize("way", ["batch", "single"])
@pytest.mark.parametrize(
    ("wish", "outcome", "was_taken"),
    [
        ("hang", "not handed", False),
        ("hangverb", "not handed", False),
        ("hangdot", "uncertain", False),
        ("cut", "not handed", False),
        ("cutverb", "not handed", False),
        ("cutbefore", "uncertain", False),
        ("cutafterdot", "uncertain", True),
    ],
)
def test_a_silent_or_broken_line_settles_by_whether_the_dot_was_written(
    smtp_sink: SmtpSink, way: str, wish: str, outcome: str, was_taken: bool
) -> None:
    hangs_at = {"hang": "answer", "hangverb": "data", "hangdot": "dot"}.get(wish)
    timeouts = replace(PATIENT, **{hangs_at: 1.0}) if hangs_at else PATIENT
    with connected(smtp_sink, timeouts=timeouts) as connection:
        exchange = connection.exchange()
        one = mail(f"u+{wish}@x.pl")
        found = send_batch(exchange, [one])[one.key] if way == "batch" else send_single(exchange, one)

        assert word(found) == outcome
        assert len(smtp_sink.mails()) == was_taken
        assert not connection.is_open
        assert exchange.owed is False


def test_a_line_cut_in_the_middle_of_a_large_content_hands_nothing_over(smtp_sink: SmtpSink) -> None:
    with connected(smtp_sink) as connection:
        large = mail("u+cutdata@x.pl", body="x" * 70 * 200_000)

        outcome = send_single(connection.exchange(), large)

        assert word(outcome) == "not handed"
        assert smtp_sink.mails() == []


def test_a_break_in_a_pipeline_settles_each_mail_by_its_own_dot(smtp_sink: SmtpSink) -> None:
    with connected(smtp_sink) as connection:
        exchange = connection.exchange()
        settled = []
        for recipient in ("a@x.pl", "b+cutafterdot@x.pl", "c@x.pl", "d@x.pl"):
            exchange.write_next(mail(recipient))
            settled += exchange.collect(None)
        exchange.write_last()
        settled += exchange.collect(None)

        assert {key: word(outcome) for key, outcome in settled} == {
            "a@x.pl": "accepted",
            "b+cutafterdot@x.pl": "uncertain",
            "c@x.pl": "not handed",
            "d@x.pl": "not handed",
        }
        assert [taken.recipients[0] for taken in smtp_sink.mails()] == ["a@x.pl", "b+cutafterdot@x.pl"]


@pytest.mark.parametrize("way", ["batch", "single"])
def test_a_slow_answer_is_awaited_after_the_first_time_is_up(smtp_sink: SmtpSink, way: str) -> None:
    with connected(smtp_sink) as connection:
        exchange = connection.exchange()
        one = mail("u+held@x.pl")
        if way == "single":
            assert exchange.open(one) is None
            exchange.write_data()
        else:
            exchange.write_next(one)
            assert exchange.collect(None) == []
            exchange.write_last()

        early, is_owed = exchange.collect(0.1), exchange.owed
        smtp_sink.released.set()
        late = exchange.collect(None)

        assert (early, is_owed) == ([], True)
        assert [(key, word(outcome)) for key, outcome in late] == [("u+held@x.pl", "accepted")]
        assert exchange.owed is False


def test_a_data_verb_that_has_not_left_under_the_locks_never_leaves(smtp_sink: SmtpSink) -> None:
    """The server reads no more: DATA of the next mail waits in our memory when the locks are given back."""
    with connected(smtp_sink) as connection:
        exchange = connection.exchange()
        exchange.write_next(mail("u+hangdata@x.pl", body="x" * 20_000_000))
        assert exchange.collect(60) == []
        exchange.write_next(mail("next@x.pl"))
        assert exchange.collect(0.2) == []
        assert exchange.owed

        settled = exchange.collect(None)

    assert {key: word(outcome) for key, outcome in settled} == {
        "u+hangdata@x.pl": "not handed",
        "next@x.pl": "not handed",
    }
    assert smtp_sink.commands.count(b"DATA") == 1


def test_collect_without_patience_returns_at_once(smtp_sink: SmtpSink) -> None:
    with connected(smtp_sink) as connection:
        exchange = connection.exchange()
        exchange.write_next(mail("u+held@x.pl"))
        exchange.collect(None)
        exchange.write_last()
        began = time.monotonic()

        assert exchange.collect(0) == []
        assert time.monotonic() - began < 30  # the answer is awaited for a minute otherwise


def test_421_ends_the_line_and_loses_nothing() -> None:
    """F20: a server that says 421 after two mails gets the rest on its next lines."""
    with SmtpSink(SinkOptions(quit_after=2)) as sink, connected(sink) as connection:
        due = [mail(f"{number}@x.pl") for number in range(5)]
        outcomes: dict[object, str] = {}
        for _ in range(10):
            if not due:
                break
            connection.ready()
            settled = send_batch(connection.exchange(), due)
            outcomes |= {key: word(outcome) for key, outcome in settled.items()}
            due = [one for one in due if outcomes[one.key] != "accepted"]

        assert sorted(taken.recipients[0] for taken in sink.mails()) == [
            f"{number}@x.pl" for number in range(5)
        ]
        assert set(outcomes.values()) == {"accepted"}
        assert sink.connections == 3


def test_421_at_the_recipient_is_this_mails_refusal_and_the_next_is_not_handed(smtp_sink: SmtpSink) -> None:
    with connected(smtp_sink) as connection:
        outcomes = send_batch(connection.exchange(), [mail("a@x.pl"), mail("b+421@x.pl"), mail("c@x.pl")])

        assert {key: word(outcome) for key, outcome in outcomes.items()} == {
            "a@x.pl": "accepted",
            "b+421@x.pl": "rcpt 421",
            "c@x.pl": "not handed",
        }
        assert not connection.is_open


@pytest.mark.parametrize("smtputf8", [True, False])
def test_addresses_outside_ascii_need_a_server_that_can(smtputf8: bool) -> None:
    """T95: the local part needs SMTPUTF8; a domain goes as punycode to any server."""
    with SmtpSink(SinkOptions(smtputf8=smtputf8)) as sink, connected(sink) as connection:
        outcomes = send_batch(connection.exchange(), [mail("ż@e.pl"), mail("d@é.pl"), mail("a@x.pl")])

        assert {key: word(outcome) for key, outcome in outcomes.items()} == {
            "ż@e.pl": "accepted" if smtputf8 else "rcpt 553",
            "d@é.pl": "accepted",
            "a@x.pl": "accepted",
        }
        expected = ["ż@e.pl", "d@xn--9ca.pl", "a@x.pl"] if smtputf8 else ["d@xn--9ca.pl", "a@x.pl"]
        assert [taken.recipients[0] for taken in sink.mails()] == expected


@pytest.mark.parametrize("recipient", ["a@b.c, x@y.z", "a@x.pl>\r\nRCPT TO:<b@x.pl", "a\0@x.pl", "a b@x.pl"])
def test_a_stored_address_that_is_none_never_reaches_the_server(smtp_sink: SmtpSink, recipient: str) -> None:
    with connected(smtp_sink) as connection:
        bad = Mail("bad", "shop@example.com", recipient, b"x\r\n")
        outcomes = send_batch(connection.exchange(), [mail("a@x.pl"), bad, mail("b@x.pl")])

        assert {key: word(outcome) for key, outcome in outcomes.items()} == {
            "a@x.pl": "accepted",
            "bad": "rcpt 553",
            "b@x.pl": "accepted",
        }
        assert [command for command in smtp_sink.commands if b"RCPT" in command] == [
            b"RCPT TO:<a@x.pl>",
            b"RCPT TO:<b@x.pl>",
        ]


def test_a_mail_larger_than_the_server_takes_is_not_tried() -> None:
    with SmtpSink(SinkOptions(largest_mail=500)) as sink, connected(sink) as connection:
        large = mail("large@x.pl", body="x" * 600)
        outcomes = send_batch(connection.exchange(), [large, mail("small@x.pl")])

        assert {key: word(outcome) for key, outcome in outcomes.items()} == {
            "large@x.pl": "mail 552",
            "small@x.pl": "accepted",
        }
        assert sink.commands[1].startswith(b"MAIL FROM:<shop@example.com> SIZE=")


def test_a_dead_line_settles_what_is_written_to_it_without_raising(smtp_sink: SmtpSink) -> None:
    with connected(smtp_sink) as connection:
        exchange = connection.exchange()
        smtp_sink.stop()
        time.sleep(0.05)
        first = send_batch(exchange, [mail("a@x.pl")])
        second = send_batch(exchange, [mail("b@x.pl")])
        third = exchange.open(mail("c@x.pl"))

        assert [word(outcome) for outcome in (*first.values(), *second.values())] == ["not handed"] * 2
        assert third is not None
        assert word(third) == "not handed"


def test_counts_add_up(smtp_sink: SmtpSink) -> None:
    with connected(smtp_sink) as connection:
        send_batch(connection.exchange(), [mail(recipient) for recipient in REFUSED_IN_BETWEEN])

        counts = connection.counts
        assert (counts.opened, counts.accepted, counts.rejected, counts.not_handed, counts.uncertain) == (
            1,
            3,
            4,
            0,
            0,
        )


@given(
    contents=st.lists(
        st.lists(
            st.sampled_from([b"a", b".", b"..", b"\r", b"\n", b"\r\n", b"\r\n.\r\n", b"\0", "ż".encode()]),
            max_size=20,
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_server_gets_the_same_bytes(smtp_sink: SmtpSink, contents: list[list[bytes]]) -> None:
    """T96: whatever a content holds, one mail arrives, and its lines are those of the content."""
    mails = [Mail(n, "s@x.pl", "r@x.pl", b"".join(pieces)) for n, pieces in enumerate(contents)]
    before = len(smtp_sink.mails())

    with connected(smtp_sink) as connection:
        send_batch(connection.exchange(), mails)

    taken = [one.content for one in smtp_sink.mails()[before:]]
    assert taken == [_as_lines(one.content) for one in mails]


def _as_lines(content: bytes) -> bytes:
    """Return the content with CRLF for every kind of line end, and one at its end."""
    plain = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    plain = plain if plain.endswith(b"\n") else plain + b"\n"
    return plain.replace(b"\n", b"\r\n")
