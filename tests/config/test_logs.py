"""What the logs say, and what they never say (T157, reliability 4)."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import ResolverMatch, path

from recoup.cli import telling
from recoup.cli.telling import Teller, readable
from recoup.config import logs


def break_down(_request: HttpRequest, token: str) -> HttpResponse:
    message = 'duplicate key value violates unique constraint "one"\nDETAIL:  Key (email)=(anna@example.com) exists.'
    if token == "forbidden":
        raise PermissionDenied
    raise IntegrityError(message)


urlpatterns = [path("o/<str:token>", break_down)]
handler500 = "recoup.web.views.broken.broken"


@pytest.fixture
def lines() -> Iterator[Any]:
    """Return what reads the lines of the log so far; the configuration is put back."""
    names = [
        "",
        "recoup",
        "django",
        "django.request",
        "django.security.csrf",
        "django.security.DisallowedHost",
    ]
    before = [
        (logging.getLogger(name), logging.getLogger(name).level, logging.getLogger(name).handlers)
        for name in names
    ]
    kept = structlog.get_config()
    logs.configure(settings.LOGGING)
    stream = io.StringIO()
    for handler in logging.getLogger().handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.configure(**kept)
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers = handlers


def test_the_programs_of_an_installation_log_by_this_configuration() -> None:
    """Django makes nothing of an empty `LOGGING`: then a page that breaks leaves no trace at all."""
    assert settings.LOGGING_CONFIG == "recoup.config.logs.configure"
    assert settings.LOGGING


@override_settings(ROOT_URLCONF=__name__)
def test_a_page_that_breaks_is_logged_once_with_the_number_that_is_shown_and_no_token(lines: Any) -> None:
    client = Client(raise_request_exception=False)

    answer = client.get("/o/secret-token-of-a-link")

    (line,) = lines()
    assert (line["event"], line["route"], line["level"]) == ("web.request.failed", "o/<str:token>", "error")
    assert line["number"] in answer.content.decode()
    assert "IntegrityError" in line["exception"]
    assert "break_down" in line["exception"]
    assert "secret-token" not in json.dumps(line)
    assert "anna" not in json.dumps(line)
    assert "IntegrityError" not in answer.content.decode()


@override_settings(ROOT_URLCONF=__name__)
def test_what_the_web_is_full_of_is_no_line(lines: Any) -> None:
    client = Client(raise_request_exception=False)

    answers = [
        client.get("/o/forbidden"),
        client.get("/wp-login.php"),
        client.get("/o/x", headers={"host": "evil"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 404, 400]
    assert lines() == []


def test_a_value_that_looks_like_a_line_stays_in_its_line(lines: Any) -> None:
    log = structlog.get_logger("recoup.tests")
    log.info("recovery.case.opened", case_id=7, name='x"\n{"level": "error"}\x1b[31m')
    log.error(
        "hooks.apply.failed", error=repr(DatabaseError("no\nDETAIL:  Failing row contains (Anna, +48601)."))
    )

    first, second = lines()
    assert (first["event"], first["case_id"], first["level"]) == ("recovery.case.opened", 7, "info")
    assert "Anna" not in second["error"]


@pytest.mark.parametrize(
    "told",
    [
        "new row violates\nDETAIL:  Failing row contains (1, Mary O'Brien, Long Street 5,\nin the attic, +48601000111).",
        'invalid input syntax for type date: "Anna Nowak"',
        "1 validation error\nname\n  Input should be a date [type=date, input_value='Anna Nowak', input_type=str]",
        "no such person: anna.nowak@example.com, 601 000 111",
    ],
)
def test_what_an_error_tells_of_people_is_left_out(lines: Any, told: str) -> None:
    log = structlog.get_logger("recoup.tests")
    try:
        raise ValueError(told)
    except ValueError as error:
        log.exception("worker.loop.failed", error=repr(error))
        log.error("hooks.apply.failed", error=str(error))

    written = json.dumps(lines())
    assert not [
        word
        for word in ("Anna", "Nowak", "O'Brien", "Street", "attic", "601000111", "000 111")
        if word in written
    ]
    assert "test_what_an_error_tells" in written  # the trace stays
    assert "ValueError" in written


def test_a_page_that_breaks_all_the_time_hides_no_other(lines: Any) -> None:
    for token, route in [("a", "one"), ("b", "two")]:
        request = RequestFactory().get(f"/{token}")
        request.resolver_match = ResolverMatch(break_down, (), {}, route=route)
        for _ in range(logs.AT_MOST + 5):
            logging.getLogger("django.request").error(
                "%s: %s", "Broken", request.path, extra={"request": request}
            )

    assert [line["route"] for line in lines()] == ["one"] * logs.AT_MOST + ["two"] * logs.AT_MOST


def test_a_line_that_cannot_be_printed_silences_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def show(_name: str, line: str) -> None:
        line.encode("ascii")
        shown.append(line)

    monkeypatch.setattr(telling, "show", show)
    with Teller() as tell:
        tell("worker", "ż")
        tell("worker", "z")

    assert shown == ["z", "1 more lines could not be printed here; they are lost"]


def test_a_person_at_a_terminal_reads_words() -> None:
    line = '{"event": "a.b", "level": "error", "timestamp": "2026-11-28T20:01:27Z", "id": 2, "exception": "A\\n \\u001b[2J"}'

    assert readable(line) == "20:01:27 error a.b id=2\nA\n \\u001b[2J"
    assert readable("[WARNING] no JSON") == "[WARNING] no JSON"
    assert readable("[1]") == "[1]"


def test_of_a_flood_the_first_lines_are_written_and_the_others_counted(
    lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("recoup.config.logs.time.monotonic", lambda: clock[0])
    log = structlog.get_logger("recoup.tests")
    for _ in range(100):
        log.error("worker.loop.failed", loop="engine-1")
    log.error("worker.loop.failed", loop="engine-2")
    clock[0] = logs.WINDOW
    log.error("worker.loop.failed", loop="engine-1")

    told = lines()
    assert [line["loop"] for line in told] == ["engine-1"] * logs.AT_MOST + ["engine-2", "engine-1"]
    assert told[-1]["left_out"] == 100 - logs.AT_MOST
    assert "left_out" not in told[-2]


def test_an_output_that_nobody_reads_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    is_read = threading.Event()

    def show(_name: str, line: str) -> None:
        assert is_read.wait(10)
        shown.append(line)

    monkeypatch.setattr(telling, "show", show)
    monkeypatch.setattr(telling, "MOST_KEPT", 3)
    with Teller() as tell:
        for number in range(50):
            tell("worker", str(number))
        is_read.set()

    assert shown[0] == "0"
    assert len(shown) <= 3 + 1 + 1
    assert "more lines could not" in shown[1]
