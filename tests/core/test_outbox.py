"""News is handed on exactly once, a bad piece stops nobody, and nothing is dropped (design 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

import psycopg
import pytest
from django.db import connection, transaction

from recoup import flow
from recoup.core import outbox
from recoup.core.models import AttentionItem, DeadLetter, Heartbeat, OutboxEvent
from tests.factories.moments import NOW
from tests.support.together import together


class Colour(Enum):
    """Something with a code."""

    RED = "red"


@dataclass(frozen=True, slots=True)
class Happened:
    """News with every kind of field."""

    shop_id: int
    number: int
    at: datetime | None = NOW
    amount: Decimal = Decimal("1.10")
    refs: tuple[str, ...] = ("a", "b")
    colour: str = "red"


@dataclass(frozen=True, slots=True)
class Unheard:
    """News that nobody hears."""

    shop_id: int


class Ear:
    """A handler that writes what it heard, and fails at some numbers."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.bad: set[int] = set()
        self.error: Exception = ValueError("no such thing")
        self.last: Happened | None = None

    def __call__(self, batch: Sequence[Happened]) -> None:
        self.batches.append([news.number for news in batch])
        for news in batch:
            self.last = news
            Heartbeat.objects.create(name=f"heard-{news.number}", beat_at=NOW)
            if news.number in self.bad:
                raise self.error


@pytest.fixture
def ear() -> Iterator[Ear]:
    heard = Ear()
    outbox.set_routes({Happened: (heard,), Unheard: ()})
    yield heard
    outbox.set_routes(flow.ROUTES)


def heard() -> list[int]:
    names = Heartbeat.objects.values_list("name", flat=True)
    return sorted(int(name.removeprefix("heard-")) for name in names)


def announce(count: int) -> None:
    outbox.announce(*[Happened(1, number) for number in range(count)])


@pytest.mark.django_db
def test_news_comes_out_as_it_went_in(ear: Ear) -> None:
    outbox.announce(Happened(7, 3), Unheard(7))

    assert outbox.dispatch() == 1
    assert ear.last == Happened(7, 3)
    assert OutboxEvent.objects.count() == 0


@pytest.mark.django_db
def test_codes_and_empty_instants_come_out_plain(ear: Ear) -> None:
    outbox.announce(Happened(7, 3, at=None, colour=Colour.RED))  # type: ignore[arg-type]
    outbox.dispatch()

    assert ear.last == Happened(7, 3, at=None, colour="red")


@pytest.mark.django_db
def test_news_of_a_transaction_that_failed_is_none(ear: Ear) -> None:
    with transaction.atomic():
        announce(1)
        transaction.set_rollback(True)

    assert outbox.dispatch() == 0
    assert ear.batches == []


@pytest.mark.django_db
def test_a_batch_is_halved_down_to_the_bad_row(ear: Ear) -> None:
    announce(9)
    ear.bad = {4}

    assert outbox.dispatch() == 9

    assert heard() == [0, 1, 2, 3, 5, 6, 7, 8]  # each once: what was half done was undone
    letter = DeadLetter.objects.get()
    assert (letter.shop_id, letter.what, letter.payload["number"], letter.state) == (
        1, "outbox:core.Happened", 4, "open",
    )  # fmt: skip
    assert letter.error == "ValueError: no such thing"
    assert [(item.kind, item.key) for item in AttentionItem.objects.all()] == [
        (outbox.FAILED_WORK, str(letter.pk))
    ]
    assert OutboxEvent.objects.count() == 0


@pytest.mark.django_db
def test_a_dead_letter_is_retried_once(ear: Ear) -> None:
    announce(1)
    ear.bad = {0}
    outbox.dispatch()
    letter = DeadLetter.objects.get()
    ear.bad = set()

    assert outbox.retry_dead_letter(letter.pk)
    assert not outbox.retry_dead_letter(letter.pk)
    assert outbox.dispatch() == 1

    assert heard() == [0]
    letter.refresh_from_db()
    assert (letter.state, letter.times) == ("retried", 2)
    assert AttentionItem.objects.get().settled_at is not None


@pytest.mark.django_db(transaction=True)
def test_news_that_met_a_lock_is_left_and_comes_again(ear: Ear, database_url: str) -> None:
    Heartbeat.objects.create(name="locked", beat_at=NOW)
    outbox.set_routes({Happened: (_wants_the_lock, ear)})
    announce(3)

    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM core_heartbeat WHERE name = 'locked' FOR UPDATE")
        assert outbox.dispatch() == 0
    assert (DeadLetter.objects.count(), OutboxEvent.objects.count()) == (0, 3)
    Heartbeat.objects.filter(name="locked").delete()

    assert outbox.dispatch() == 3
    assert heard() == [0, 1, 2]


def _wants_the_lock(batch: Sequence[Happened]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', '50ms', true)")
        cursor.execute("SELECT FROM core_heartbeat WHERE name = 'locked' FOR UPDATE")


@pytest.mark.django_db(transaction=True)
def test_four_dispatchers_at_once_hand_each_piece_on_once(ear: Ear) -> None:
    announce(200)

    def drain() -> int:
        done = 0
        while handed := outbox.dispatch(limit=7):
            done += handed
        return done

    outcomes = together([drain] * 4)

    assert [one for one in outcomes if not isinstance(one, int)] == []
    assert sum(one for one in outcomes if isinstance(one, int)) == 200
    assert heard() == list(range(200))


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_leaves_the_news_where_it_was(ear: Ear, database_url: str) -> None:
    outbox.set_routes({Happened: (ear, _dies)})
    announce(2)

    with pytest.raises(Exception, match=r"terminat|closed|lost"):
        outbox.dispatch()
    connection.close()

    outbox.set_routes({Happened: (ear,)})
    assert (heard(), DeadLetter.objects.count()) == ([], 0)
    assert outbox.dispatch() == 2
    assert heard() == [0, 1]


def _dies(batch: Sequence[Happened]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
