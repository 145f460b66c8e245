"""What a process brought, as a person reads it: sentences, both groups, both ways to count, the share, the winner."""

import csv
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from recoup.analytics.arms import splits_of
from recoup.processes.drafts import draft_of
from recoup.processes.models import HoldoutShare, Process
from recoup.processes.winning import NoSuchWay, keep_way
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from tests.analytics.left_alone import LONG_AGO, Buyer, buyers, come_in
from tests.analytics.test_arms import SPLIT, take
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.messages import make_message
from tests.factories.moments import DAY, NOW
from tests.factories.offers import make_settings
from tests.factories.orders import make_order
from tests.factories.processes import make_process
from tests.factories.shops import make_shop
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db

LADDER: dict[str, Any] = {
    "n1": {
        "t": "offer",
        "sizes": ["0", "5", "20"],
        "valid": "P2D",
        "out": {"granted": "n2", "refused": "n3"},
    },
    "n2": {"t": "end"},
    "n3": {"t": "end"},
}


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    return make_shop(slug="lumen", name="Lumen Candles", currency="PLN")


@pytest.fixture
def process(shop: Shop) -> Process:
    return make_process(shop, name="Unpaid", holdout_bp=1000)


def text(html: str) -> str:
    """Return what a page says."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("&amp;", "&")


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def result(process: Process) -> str:
    return f"/s/lumen/processes/{process.pk}/result/"


def cells(html: str, within: str) -> list[list[str]]:
    """Return the cells of the first table after a heading."""
    table = html[html.index(f'id="{within}"') :].split("</table>", maxsplit=1)[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)[1:]
    return [
        [text(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in rows
    ]


def test_a_clear_effect_is_said_in_words_with_its_range(shop: Shop, process: Process) -> None:
    make_settings(shop)
    come_in(process, buyers(4500, 945) + buyers(500, 40, is_alone=True))
    client = sign_in(shop)

    html = page(client, result(process))

    assert "Of 100 people it wrote to, 21 paid; of 100 left alone, 8." in text(html)
    assert "So it made 7.9 to 17 more of 100 pay." in text(html)
    assert cells(html, "groups") == [
        ["It wrote to", "4,500", "945", "21", "PLN 21.00", "PLN 12.60 PLN 5.21 to PLN 10.39 more"],
        ["Left alone", "500", "40", "8", "PLN 8.00", "PLN 4.80"],
    ]
    assert "For 985 of 985 sales in PLN the share that you set stands in for what the goods cost." in text(
        html
    )
    assert re.search(r"Brought\s+356 to 750 more", text(html))
    assert "data-chart" not in html  # everybody came on one day: one look is a chart of one point
    for url, count in (("who=treated", "4,500"), ("who=alone_paid", "40")):
        found = re.search(rf'href="([^"]*{url}[^"]*)">{count}<', html)
        assert found is not None
        assert f"{count} people" in text(page(client, found[1].replace("&amp;", "&")))


def test_without_a_hold_out_the_effect_is_unknown_and_not_what_is_credited(shop: Shop) -> None:
    process = make_process(shop, holdout_bp=0)
    come_in(process, buyers(100, 21))
    for number in range(3):
        order = make_order(shop, paid_at=LONG_AGO + DAY)
        message = make_message(
            order, source=process.message_source, state="sent", handed_at=LONG_AGO, step_no=number
        )
        make_case(
            order, opened_at=LONG_AGO, outcome="recovered", closed_at=NOW, credited_message=message, messages_sent=1,
            recovered_at=LONG_AGO + DAY, recovered_amount=149,
        )  # fmt: skip
    client = sign_in(shop)

    html = page(client, result(process))

    assert "Unknown: nobody is left alone" in text(html)
    assert re.search(r"Credited\s+3\s+PLN 447.00", text(html))
    assert re.search(r"Brought\s+unknown", text(html))
    credited = re.search(r'href="([^"]*won=[^"]*)"', html)
    assert credited is not None
    assert "3 cases" in text(page(client, credited[1].replace("&amp;", "&")))
    RecoveryCase.objects.update(opened_at=NOW - DAY)  # too young to be beside the judged people
    assert re.search(r"Credited\s+0", text(page(client, result(process))))


def test_too_few_people_are_said_to_be_too_few(shop: Shop, process: Process) -> None:
    come_in(process, buyers(90, 20) + buyers(10, 1, is_alone=True))

    assert "Unknown yet: about 400 more people are needed" in text(page(sign_in(shop), result(process)))


def test_what_may_be_chance_is_called_so(shop: Shop, process: Process) -> None:
    come_in(process, buyers(900, 189) + buyers(100, 15, is_alone=True))

    said = text(page(sign_in(shop), result(process)))

    assert "of 100 left alone, 15. That may still be chance: it brought" in said
    assert re.search(r"it brought [\d.]+ fewer to [\d.]+ more of 100", said)


def test_a_range_over_time_is_a_chart_with_its_table(shop: Shop, process: Process) -> None:
    for day in range(10):
        at = LONG_AGO + day * DAY
        come_in(process, buyers(90, 20, entered_at=at) + buyers(10, 1, is_alone=True, entered_at=at))

    html = page(sign_in(shop), result(process))

    assert html.count("data-chart") == 1
    table = html[html.index("How many more of 100 paid</caption>") :].split("</table>")[0]
    assert table.count("<tr>") == 1 + 6  # fifty people left alone on the fifth day, then one look a day


def test_the_share_is_changed_and_what_came_before_is_counted_apart(shop: Shop, process: Process) -> None:
    come_in(process, buyers(3, 1))
    client = sign_in(shop)

    answer = client.post(f"/s/lumen/processes/{process.pk}/left-alone/", {"share": "12.5"}, follow=True)

    process.refresh_from_db()
    change = HoldoutShare.objects.get()
    assert (process.holdout_bp, change.was_bp, change.share_bp) == (1250, 1000, 1250)
    said = text(answer.content.decode())
    assert "It holds for people who come in from now on" in said
    assert "12.5% since 2 Nov 2026" in said
    assert "10% until 2 Nov 2026" in said
    assert cells(answer.content.decode(), "groups")[0][1] == "0"
    assert cells(page(client, result(process) + "?stretch=0"), "groups")[0][1] == "3"


@pytest.mark.parametrize("share", ["51", "-1", "", "many"])
def test_a_wrong_share_is_refused_in_words(shop: Shop, process: Process, share: str) -> None:
    answer = sign_in(shop).post(f"/s/lumen/processes/{process.pk}/left-alone/", {"share": share})

    assert answer.status_code == 422
    assert HoldoutShare.objects.count() == 0


def test_who_may_not_change_it_sees_the_share(shop: Shop, process: Process) -> None:
    client = sign_in(shop, "clerk")

    assert "10% of those who come in." in text(page(client, result(process)))
    assert client.post(f"/s/lumen/processes/{process.pk}/left-alone/", {"share": "1"}).status_code == 403


def test_ways_are_compared_and_the_winner_becomes_a_draft_that_a_person_publishes(shop: Shop) -> None:
    process = make_process(shop, nodes=SPLIT, name="Ways")
    take(process, 0, buyers(400, 60))
    take(process, 1, buyers(400, 130))
    client = sign_in(shop)

    html = page(client, result(process))

    assert "Shorter brings more than A. You may take it for everybody." in text(html)
    [first, second] = cells(html, "split-1")
    assert first[:4] == ["A", "400", "60", "15"]
    assert second[:4] == ["Shorter", "400", "130", "33"]
    assert second[5] == "8.1 to 27 more of 100 than A"
    link = re.search(r'href="([^"]*split=n1&amp;way=1&amp;paid=1)"', html)
    assert link is not None
    assert "130 people" in text(page(client, link[1].replace("&amp;", "&")))
    assert not draft_of(process).is_stored

    client.post(f"/s/lumen/processes/{process.pk}/take-way/", {"block": "n1", "way": "b"})

    draft = draft_of(process)
    assert draft.is_stored
    assert (draft.doc["entry"]["first"], sorted(draft.doc["nodes"])) == ("n3", ["n3", "n4"])
    process.refresh_from_db()
    assert splits_of(process) != []  # the running version is what it was


def test_a_way_that_is_gone_changes_nothing(shop: Shop) -> None:
    process = make_process(shop, nodes=SPLIT)

    answer = sign_in(shop).post(
        f"/s/lumen/processes/{process.pk}/take-way/", {"block": "n2", "way": "b"}, follow=True
    )

    assert "The draft has changed meanwhile." in text(answer.content.decode())
    assert not draft_of(process).is_stored
    with pytest.raises(NoSuchWay):
        keep_way({"entry": {"first": "n1"}, "nodes": SPLIT}, "n1", "z")


def test_taking_a_way_leads_every_way_to_the_split_along_it() -> None:
    doc: dict[str, Any] = {
        "schema": 1, "name": "x", "entry": {"on": "order.unpaid", "first": "n8"}, "goals": [],
        "nodes": {
            **SPLIT,
            "n8": {"t": "until", "on": {"e": "order.paid"}, "within": "PT1H", "out": {"yes": "n1", "no": "n9"}},
            "n9": {"t": "wait", "for": "PT1H", "out": {"next": "n1"}},
        },
    }  # fmt: skip

    kept = keep_way(doc, "n1", "a")

    assert sorted(kept["nodes"]) == ["n2", "n4", "n8", "n9"]
    assert kept["nodes"]["n8"]["out"] == {"yes": "n2", "no": "n9"}
    assert kept["nodes"]["n9"]["out"] == {"next": "n2"}
    assert "n1" in doc["nodes"]  # the document that was given stays as it was


def test_the_whole_shop_leaves_people_alone_and_says_what_all_processes_bring(
    shop: Shop, process: Process
) -> None:
    client = sign_in(shop)

    before = page(client, "/s/lumen/settings/left-alone/")
    client.post("/s/lumen/settings/left-alone/", {"share": "5"})
    come_in(process, [Buyer(pays_after=DAY), Buyer(flags=4097), Buyer(flags=4097), Buyer(is_alone=True)])
    after = page(client, "/s/lumen/settings/left-alone/")

    assert "What all processes brought" not in before
    assert cells(after, "groups") == [
        ["It wrote to", "2", "1", "50", "PLN 50.00"],
        ["Left alone", "2", "0", "0", "PLN 0.00"],
    ]
    link = re.search(r'href="([^"]*who=alone&[^"]*)"', after.replace("&amp;", "&"))
    assert link is not None
    assert "2 people" in text(page(client, link[1]))


def test_the_sizes_of_an_offer_stand_beside_each_other_and_the_least_that_helps_becomes_a_draft(
    shop: Shop,
) -> None:
    make_settings(shop)
    process = make_process(shop, nodes=LADDER)
    for arm, paid in enumerate((300, 1_500, 1_520)):
        take(process, arm, buyers(3_000, paid, total=Decimal(100) - (0, 5, 20)[arm]))
    client = sign_in(shop)

    html = page(client, result(process))

    assert "5% brings more profit than all that cost more: give 5%." in text(html)
    assert [row[:2] for row in cells(html, "split-1")] == [["0%", "3,000"], ["5%", "3,000"], ["20%", "3,000"]]
    assert not draft_of(process).is_stored

    client.post(f"/s/lumen/processes/{process.pk}/take-way/", {"block": "n1", "way": "5"})

    kept = draft_of(process).doc["nodes"]["n1"]
    assert (kept["percent"], "sizes" in kept) == ("5", False)
    none = keep_way({"entry": {"first": "n1"}, "nodes": LADDER}, "n1", "0")
    assert (none["entry"]["first"], sorted(none["nodes"])) == ("n3", ["n3"])
    with pytest.raises(NoSuchWay):
        keep_way({"entry": {"first": "n1"}, "nodes": LADDER}, "n1", "7")


def test_what_an_offer_takes_off_the_next_order_is_told_to_be_missing_from_the_profit(shop: Shop) -> None:
    make_settings(shop)
    process = make_process(shop, nodes={**LADDER, "n1": {**LADDER["n1"], "next_order": True}})
    take(process, 0, buyers(5, 2))

    html = page(sign_in(shop), result(process))

    assert text(html).count("is not counted here: the profit looks better than it is") == 2


def test_where_nothing_but_the_offer_stands_giving_nothing_makes_no_draft(shop: Shop) -> None:
    process = make_process(shop, nodes=LADDER)

    answer = sign_in(shop).post(
        f"/s/lumen/processes/{process.pk}/take-way/", {"block": "n1", "way": "0"}, follow=True
    )

    assert "That way this process does nothing" in text(answer.content.decode())
    assert not draft_of(process).is_stored


def test_numbers_that_nobody_made_are_not_found(shop: Shop, process: Process) -> None:
    client = sign_in(shop)
    place = f"{result(process)}people/"

    assert client.get(f"{place}?who=everybody").status_code == 404
    assert (
        client.get(f"{place}?split=n1&way=0").status_code == 200
    )  # no such split: the people of the process
    assert client.get("/s/lumen/processes/999999/result/").status_code == 404


def test_reading_takes_as_many_questions_for_many_people_as_for_few(shop: Shop, process: Process) -> None:
    client = sign_in(shop)
    counts = []
    for people in (1, 3):
        come_in(process, buyers(people, 1))
        with CaptureQueriesContext(connection) as asked:
            page(client, f"{result(process)}people/")
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_the_report_shows_credited_and_brought_side_by_side(shop: Shop, process: Process) -> None:
    come_in(process, buyers(4500, 945) + buyers(500, 40, is_alone=True))
    unknown = make_process(shop, name="Another", holdout_bp=0)
    come_in(unknown, buyers(10, 3))
    client = sign_in(shop)

    html = page(client, "/s/lumen/recovery/report/?p=90")

    rows = cells(html, "brought")
    assert rows[0][0] == "Another"
    assert [row[5] for row in rows] == ["unknown Nobody is left alone.", "356 to 750 more"]
    assert rows[1][:5] == ["Unpaid", "0", "–", "945 of 4,500", "40 of 500"]
    assert re.fullmatch(r"PLN 3\d,\d{3} to PLN 7\d,\d{3} more", rows[1][6])
    assert (rows[0][4], rows[0][6]) == ("–", "unknown")


def test_a_period_without_judged_people_has_no_line(shop: Shop, process: Process) -> None:
    come_in(process, buyers(5, 1))

    assert "Nobody came into a process in this period" in page(sign_in(shop), "/s/lumen/recovery/report/")


def test_both_tables_are_downloaded_as_numbers(shop: Shop) -> None:
    process = make_process(shop, name="=Formula", holdout_bp=1000)
    come_in(process, buyers(4500, 945) + buyers(500, 40, is_alone=True))
    client = sign_in(shop)

    brought = client.get("/s/lumen/recovery/brought.csv?p=90")
    lines = list(csv.reader(brought.content.decode("utf-8-sig").splitlines()))
    cases = client.get("/s/lumen/recovery/report.csv?p=90").content.decode("utf-8-sig").splitlines()

    assert brought.headers["Content-Disposition"] == 'attachment; filename="brought.csv"'
    assert lines[1][:10] == ["Lumen Candles", "'=Formula", "0.1", "PLN", "0", "0", "4500", "945", "500", "40"]
    assert lines[1][10:13] == ["355.64", "585.0", "750.04"]
    assert len(lines) == 2
    assert cases[0].startswith("Shop,Currency,From,Until,Cases")
