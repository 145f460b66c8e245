"""The lists: the same queries whatever they show, filters of the address, and numbers that equal their rows."""

import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from recoup.analytics.home import TileKey
from recoup.analytics.process_figures import process_numbers
from recoup.analytics.queries import home_tiles
from recoup.analytics.tallies import rebuild_tallies
from recoup.core import attention, outbox
from recoup.core.activity import SYSTEM
from recoup.messaging.models import Message
from recoup.messaging.templates import install_shipped as install_texts
from recoup.orders.models import Order
from recoup.orders.people import orders_of_people
from recoup.processes.actions import go_live, install_shipped
from recoup.processes.entering import Arrival, enrol
from recoup.processes.loop import Engine
from recoup.processes.models import Process
from recoup.recovery.detection import open_due_cases
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from recoup.web.shown.figures import figure_url
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process
from tests.factories.shops import make_shop
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db
S = "/s/lumen/"
WAITS = {"n1": {"t": "wait", "for": "P7D", "out": {"next": "n2"}}, "n2": {"t": "end"}}


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    """Let a test look into every shop."""
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    """Return a shop on a Monday noon."""
    set_clock(NOW)
    return make_shop(slug="lumen")


def rows_of(page: str) -> int:
    """Return how many rows the table of a page has."""
    body = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    return body[1].count("<tr>") if body else 0


def shown(client: Client, path: str) -> str:
    """Return a page of a list."""
    response = client.get(S + path)
    assert response.status_code == 200
    return response.content.decode()


def fill(shop: Shop, number: int) -> None:
    """Make unpaid orders with their cases, messages and items."""
    for _ in range(number):
        order = make_order(
            shop, status="unpaid", unpaid_at=NOW - HOUR, claimed_by=1, claimed_until=NOW + HOUR
        )
        case = make_case(order)
        make_message(order, state="sent", case_id=case.pk)
        attention.ask(
            "payments.overpaid",
            shop_id=shop.pk,
            key=str(order.pk),
            now=NOW,
            subject=("order", order.pk),
            number=order.number,
        )


@pytest.mark.parametrize("path", ["orders/", "recovery/", "customers/", "messages/", "attention/", ""])
def test_three_rows_ask_as_often_as_one(shop: Shop, path: str) -> None:
    client = sign_in(shop)
    asked = []
    for number in (1, 2):
        fill(shop, number)
        with CaptureQueriesContext(connection) as queries:
            shown(client, path)
        asked.append(len(queries))

    assert asked[0] == asked[1]
    assert Order.objects.count() == 3


def test_three_processes_ask_as_often_as_two(shop: Shop) -> None:
    install_shipped(shop, now=NOW)
    client = sign_in(shop)
    with CaptureQueriesContext(connection) as two:
        assert rows_of(shown(client, "processes/")) == 2
    first = Process.objects.order_by("pk")[0]
    other = Process(
        shop=shop,
        name="Another",
        salt=1,
        message_source=first.message_source,
        current_version=first.current_version,
    )
    other.save(force_insert=True)

    with CaptureQueriesContext(connection) as three:
        assert rows_of(shown(client, "processes/")) == 3

    assert len(two) == len(three)


def test_the_current_list_hides_what_is_over(shop: Shop) -> None:
    for status in Order.Status.values:
        make_order(shop, status=status, number=f"is-{status}")
    client = sign_in(shop)

    numbers = re.findall(r"is-(\w+)</a>", shown(client, "orders/"))
    everything = re.findall(r"is-(\w+)</a>", shown(client, "orders/?v=all"))

    assert set(numbers) == {"new", "in_work", "not_confirmed", "awaiting_payment", "unpaid"}
    assert set(everything) == set(Order.Status.values)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("v=unpaid", ["b"]),
        ("v=all&pay=paid", ["c"]),
        ("v=all&q=zofia", ["b"]),
        ("from=2026-11-02", ["a"]),
        ("to=2026-11-02", ["b"]),
        ("status=unpaid,new", ["a", "b"]),
        ("v=nonsense&pay=nonsense&c=nonsense&from=never&source=x", ["a", "b"]),
        ("o=oldest", ["b", "a"]),
    ],
)
def test_filters_stand_in_the_address(shop: Shop, query: str, found: list[str]) -> None:
    make_order(shop, number="order-a", placed_at=NOW - HOUR)
    make_order(
        shop,
        number="order-b",
        status="unpaid",
        placed_at=NOW - 3 * DAY,
        contact=make_contact(shop, name="Zofia Kamińska"),
    )
    make_order(shop, number="order-c", paid_at=NOW - 5 * DAY, placed_at=NOW - 6 * DAY)

    assert re.findall(r"order-(\w)</a>", shown(sign_in(shop), f"orders/?{query}")) == found


def test_pages_follow_each_other_without_gap_or_repeat(shop: Shop) -> None:
    contact = make_contact(shop)
    for number in range(53):
        make_order(shop, number=f"n{number:02d}", contact=contact, placed_at=NOW - number * HOUR)
    client = sign_in(shop)

    first = shown(client, "orders/")
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older is not None
    second = client.get(older[1].replace("&amp;", "&")).content.decode()

    numbers = re.findall(r"n(\d\d)</a>", first) + re.findall(r"n(\d\d)</a>", second)
    assert numbers == [f"{number:02d}" for number in range(53)]
    assert "53 orders" in first


def test_bulk_says_for_each_order_that_was_refused_why(shop: Shop) -> None:
    free, paid = make_order(shop, number="free"), make_order(shop, number="paid", paid_at=NOW - DAY)
    taken = make_order(shop, number="taken", claimed_by=sign_in_user(shop), claimed_until=NOW + HOUR)
    client = sign_in(shop)

    answer = client.post(f"{S}orders/bulk/?v=all", {"row": [free.pk, paid.pk, taken.pk, 999], "do": "take"})
    page = client.get(answer["Location"]).content.decode()

    assert (answer.status_code, answer["Location"]) == (303, f"{S}orders/?v=all")
    assert "1 order taken." in page
    assert "paid: The order is paid." in page
    assert "taken: Piotr Nowak is working on it." in page
    assert set(Order.objects.filter(claimed_by__isnull=False).values_list("number", flat=True)) == {
        "free",
        "taken",
    }


def test_one_of_each_picked_group_is_kept_as_chosen_and_it_is_undone(shop: Shop) -> None:
    anna, ben = make_contact(shop, name="Anna"), make_contact(shop, name="Ben")
    source = make_order(shop).source
    orders = {
        f"{person.name}{day}": make_order(
            shop, number=f"{person.name}{day}", contact=person, source=source, placed_at=NOW - day * DAY
        )
        for person in (anna, ben)
        for day in (3, 1)
    }
    client = sign_in(shop)
    url = f"{S}orders/duplicates/"

    picked = client.post(f"{S}orders/bulk/", {"row": [orders["Ben3"].pk], "do": "twins"})
    part, whole = (client.get(one).content.decode() for one in (picked["Location"], url))
    group = {name: str(max(orders[f"{name}1"].pk, orders[f"{name}3"].pk)) for name in ("Anna", "Ben")}
    posted = {
        "row": list(group.values()),
        **{f"of-{group[name]}": f"{orders[f'{name}1'].pk},{orders[f'{name}3'].pk}" for name in group},
        f"keep-{group['Anna']}": str(orders["Anna1"].pk),
        f"keep-{group['Ben']}": str(orders["Ben3"].pk),  # another than was proposed
    }
    nothing = client.post(url, {}, follow=True).content.decode()
    done = client.post(url, posted, follow=True).content.decode()

    assert ("Ben3" in part, "Anna3" in part, "Anna3" in whole) == (True, False, True)
    assert "Proposed: the newest" in whole
    assert "Nothing was changed: no group was picked." in nothing
    assert "2 orders marked as duplicates." in done
    found = dict(Order.objects.filter(shop=shop).values_list("number", "status"))
    assert [found[name] for name in ("Anna1", "Anna3", "Ben1", "Ben3")] == ["new", "false", "false", "new"]

    [undo] = re.findall(r'action="([^"]+/undo/)"', done)
    back = client.post(undo, follow=True).content.decode()

    assert "2 orders are back." in back
    assert set(Order.objects.filter(shop=shop).values_list("status", flat=True)) == {"new"}


def sign_in_user(shop: Shop) -> int:
    """Return the id of a colleague."""
    return int(sign_in(shop, name="Piotr Nowak").session["_auth_user_id"])


def test_every_number_of_home_equals_its_rows(shop: Shop) -> None:
    fill(shop, 3)
    paid = make_order(shop, paid_at=NOW - DAY, placed_at=NOW - 3 * DAY)
    case = make_case(
        paid,
        opened_at=NOW - 2 * DAY,
        closed_at=NOW - DAY,
        outcome="recovered",
        recovered_at=NOW - DAY,
        recovered_amount=paid.total,
        messages_sent=1,
    )
    make_message(paid, state="sent", case_id=case.pk, handed_at=NOW - 2 * DAY)
    Message.objects.filter(pk=Message.objects.order_by("pk")[0].pk).update(state="uncertain", settled_at=None)
    rebuild_tallies(shop)
    client = sign_in(shop)

    found: dict[TileKey, tuple[int, int]] = {}
    for number in home_tiles(shop, now=NOW):
        if number.count is None:
            continue
        page = client.get(figure_url(shop, number.rows)).content.decode()
        rows = rows_of(page) or page.count('<li class="tone-')
        found[number.key] = (number.count.number, rows)

    assert found == {
        "unpaid_now": (3, 3),
        "reminders_due": (0, 0),
        "sent_7_days": (3, 3),
        "uncertain": (1, 1),
        "attention": (3, 3),
    }


def test_items_are_ticked_off_by_who_may(shop: Shop) -> None:
    fill(shop, 1)
    item = attention.open_items(shop.pk)[0]
    viewer, clerk = sign_in(shop, "viewer", name="Ewa Lis"), sign_in(shop, "clerk", name="Jan Lis")

    assert viewer.post(f"{S}attention/{item.pk}/settle/").status_code == 403
    assert attention.open_items(shop.pk).count() == 1
    assert clerk.post(f"{S}attention/{item.pk}/settle/").status_code == 303
    assert attention.open_items(shop.pk).count() == 0


def test_what_goes_with_its_cause_is_not_ticked_off(shop: Shop) -> None:
    attention.ask("hooks.quarantined", shop_id=shop.pk, key="shop:1", now=NOW, source="lumen.example")
    item = attention.open_items(shop.pk)[0]

    sign_in(shop).post(f"{S}attention/{item.pk}/settle/")

    assert attention.open_items(shop.pk).count() == 1


def test_search_finds_people_and_orders_of_this_shop_alone(shop: Shop) -> None:
    other = make_shop()
    make_order(other, number="foreign-77", contact=make_contact(other, name="Zofia Obca"))
    make_order(shop, number="own-77", contact=make_contact(shop, name="Zofia Kamińska"))

    page = shown(sign_in(shop), "search/?q=zofia")

    assert "Zofia Kamińska" in page
    assert "own-77" in page
    assert "Obca" not in page
    assert "foreign-77" not in page


def test_what_waits_to_be_paid_stands_beside_each_currency(shop: Shop) -> None:
    contact = make_contact(shop)
    make_order(shop, contact=contact, total="10.00")
    make_order(shop, contact=contact, total="20.00", currency="PLN")
    make_order(shop, contact=contact, total="40.00", status="false")
    make_order(shop, contact=contact, total="5.00", paid_at=NOW - DAY)

    numbers = orders_of_people(shop, [contact.pk])[contact.pk]

    assert [(str(sum_.amount.normalize()), sum_.currency) for sum_ in numbers.unpaid_sums] == [
        ("1E+1", "EUR"),
        ("2E+1", "PLN"),
    ]
    assert (numbers.orders, numbers.paid, numbers.unpaid) == (3, 1, 2)


@pytest.mark.parametrize(
    ("verdict", "state"), [("delivered", "sent"), ("not_delivered", "failed"), ("send_again", "due")]
)
def test_a_person_decides_about_an_uncertain_message_once(shop: Shop, verdict: str, state: str) -> None:
    message = make_message(make_order(shop), state="uncertain", handed_at=NOW, reason="line_broke")
    client = sign_in(shop)
    address = f"{S}messages/{message.pk}/settle/"

    assert client.post(address, {"verdict": verdict}).status_code == 303
    assert client.post(address, {"verdict": "not_delivered"}).status_code == 409

    message.refresh_from_db()
    assert message.state == state


def test_a_failed_message_is_tried_again(shop: Shop) -> None:
    message = make_message(make_order(shop), state="failed", reason="refused", settled_at=NOW)

    assert sign_in(shop).post(f"{S}messages/{message.pk}/retry/").status_code == 303

    message.refresh_from_db()
    assert (message.state, message.attempt) == ("due", 0)


@pytest.mark.parametrize(
    ("state", "to", "values", "button"),
    [("uncertain", "settle", {"verdict": "send_again"}, "send_again"), ("failed", "retry", {}, "/retry/")],
)
def test_what_says_today_is_not_offered_again_after_its_day(
    shop: Shop, state: str, to: str, values: dict[str, str], button: str
) -> None:
    message = make_message(make_order(shop), state=state, handed_at=NOW - DAY, day_ends_at=NOW - HOUR)
    client = sign_in(shop)

    late = client.post(f"{S}messages/{message.pk}/{to}/", values)
    page = shown(client, f"messages/{message.pk}/")
    Message.objects.update(day_ends_at=NOW + DAY)
    before = shown(client, f"messages/{message.pk}/")

    assert late.status_code == 409
    assert "that day is over" in late.content.decode()
    assert (button in page, button in before) == (False, True)


def test_a_process_is_paused_and_goes_on(shop: Shop) -> None:
    install_shipped(shop, now=NOW)
    process = Process.objects.get(key="unpaid_order")
    client = sign_in(shop)
    seen = []
    for to in ("live", "paused", "live", "draft"):
        status = client.post(f"{S}processes/{process.pk}/status/", {"status": to}).status_code
        process.refresh_from_db()
        seen.append((status, process.status))

    assert seen == [(303, "live"), (303, "paused"), (303, "live"), (409, "live")]


def test_the_numbers_of_a_process_equal_their_rows(shop: Shop) -> None:
    install_shipped(shop, now=NOW - DAY, holdout_bp=0)
    go_live(shop, actor=SYSTEM, now=NOW - DAY)
    for hours in (24, 20, 24):
        make_order(shop, placed_at=NOW - hours * HOUR)
    open_due_cases(now=NOW)
    while outbox.dispatch() or Engine().run_once():
        pass
    process = Process.objects.get(key="unpaid_order")
    client = sign_in(shop)

    put_in(make_order(shop, status="new"), process)  # by hand: no case was opened for it
    page = shown(client, f"processes/{process.pk}/")
    inside = shown(client, f"processes/{process.pk}/inside/")
    cases = shown(client, f"recovery/?process={process.pk}")
    blocks = links_of_steps(page, process)

    assert number_of_tile(page, f"processes/{process.pk}/inside/") == "3"
    assert (rows_of(inside), rows_of(cases)) == (3, 2)
    assert [(number, rows_of(shown_at(client, address))) for number, address in blocks] == [(3, 3)]
    assert rows_of(shown(client, f"recovery/?process={process.pk}&block=n9")) == 0
    assert rows_of(shown(client, f"recovery/?process={process.pk}&block=nonsense")) == 0


def put_in(order: Order, process: Process) -> None:
    """Put an order into a process, as somebody does by hand, and let it begin there."""
    enrol([Arrival("", order.shop_id, order.contact_id or 0, "order", order.pk, NOW, process_id=process.pk)])
    Engine().run_once()


def number_of_tile(page: str, address: str) -> str:
    """Return the number that leads to these rows."""
    found = re.search(rf'<a class="tile[^>]*href="[^"]*{re.escape(address)}"[^>]*>(.*?)</a>', page, re.DOTALL)
    assert found is not None
    return re.search(r'tile-value">([^<]*)', found.group(1)).group(1)  # type: ignore[union-attr]


def links_of_steps(page: str, process: Process) -> list[tuple[int, str]]:
    """Return the numbers at the steps of a process page, and where each leads."""
    found = re.findall(rf'href="({S}processes/{process.pk}/steps/[^"]+)">(\d+) here</a>', page)
    return [(int(number), address.replace("&amp;", "&")) for address, number in found]


def shown_at(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("door", ["order.placed", "order.paid", "tag.set", "manual"])
def test_who_stands_at_a_step_without_a_case_is_behind_its_number_too(shop: Shop, door: str) -> None:
    tag = {"tags": ["vip"]} if door == "tag.set" else {}
    process = make_process(shop, entry={"on": door, **tag}, goals=[], nodes=WAITS)
    people = [make_contact(shop) for _ in range(3)]
    orders = [make_order(shop, contact=person, placed_at=NOW) for person in people]
    is_order = door.startswith("order")
    for person, order in zip(people, orders, strict=True):
        about = ("order", order.pk) if is_order else ("contact", person.pk)
        assert enrol([Arrival(door, shop.pk, person.pk, *about, NOW, process_id=process.pk)]) == 1
    while Engine().run_once():
        pass
    client = sign_in(shop)

    steps = links_of_steps(shown(client, f"processes/{process.pk}/"), process)

    assert [(number, rows_of(shown_at(client, address))) for number, address in steps] == [(3, 3)]
    page = shown_at(client, steps[0][1])
    opened = (
        [f"{S}orders/{one.pk}/" for one in orders]
        if is_order
        else [f"{S}customers/{one.pk}/" for one in people]
    )
    assert all(f'href="{address}"' in page for address in opened)


def test_the_numbers_on_the_canvas_equal_their_rows(shop: Shop) -> None:
    install_shipped(shop, now=NOW - DAY, holdout_bp=0)
    go_live(shop, actor=SYSTEM, now=NOW - DAY)
    for hours in (24, 20, 24):
        make_order(shop, placed_at=NOW - hours * HOUR)
    open_due_cases(now=NOW)
    while outbox.dispatch() or Engine().run_once():
        pass
    process = Process.objects.get(key="unpaid_order")
    client = sign_in(shop)

    counts = client.get(f"{S}processes/{process.pk}/counts/").json()

    numbers = {
        (block, name): (int(one["text"].split()[0]), rows_of(client.get(one["url"]).content.decode()))
        for block, found in counts.items()
        for name, one in found.items()
    }
    assert {number for number, _ in numbers.values()} >= {2}
    assert all(number == rows for number, rows in numbers.values())
    assert numbers["n1", "passed"] == (2, 2)
    assert sum(number for (_, name), (number, _) in numbers.items() if name == "here") == 2
    assert ("n3", "passed") not in numbers  # a wait leaves no line in the ledger
    assert rows_of(shown(client, f"processes/{process.pk}/steps/n9/")) == 0
    assert rows_of(shown(client, f"processes/{process.pk}/steps/nonsense/?v=passed")) == 0
    set_clock(NOW + 31 * DAY)
    later = client.get(f"{S}processes/{process.pk}/counts/").json()
    assert not any("passed" in found for found in later.values())


def test_each_process_counts_what_it_won_back_itself(shop: Shop) -> None:
    install_shipped(shop, now=NOW)
    unpaid, left = Process.objects.order_by("pk").select_related("message_source")
    won = {"outcome": "recovered", "closed_at": NOW, "recovered_at": NOW, "recovered_amount": 149}
    for ended in (won, {"outcome": "duplicate", "closed_at": NOW}, {}):
        order = make_order(shop)
        case = make_case(order, messages_sent=1, **ended)
        credited = make_message(
            order, state="sent", case_id=case.pk, handed_at=NOW, source=unpaid.message_source
        )
        if ended is won:
            RecoveryCase.objects.filter(pk=case.pk).update(credited_message_id=credited.pk)
    client = sign_in(shop)

    found = process_numbers(shop)
    won_rows = [rows_of(shown(client, f"recovery/?won={process.pk}")) for process in (unpaid, left)]

    assert [found[process.pk].won.number for process in (unpaid, left)] == won_rows == [1, 0]
    assert (found[unpaid.pk].sent.number, found[unpaid.pk].messaged) == (3, 2)  # a duplicate is in no rate


def test_customers_are_sorted_by_the_day_they_were_first_seen(shop: Shop) -> None:
    for name in ("Anna", "Ewa"):
        make_contact(shop, email=f"{name.lower()}@example.com", name=name)
    client = sign_in(shop)

    newest, oldest = (
        re.findall(r'class="row-link"[^>]*>(\w+)<', shown(client, f"customers/{order}"))
        for order in ("", "?o=oldest")
    )

    assert (newest, oldest) == (["Ewa", "Anna"], ["Anna", "Ewa"])


def test_home_shows_the_money_that_came_back_last(shop: Shop) -> None:
    client = sign_in(shop)
    assert "Came back lately" not in shown(client, "")
    order = make_order(shop)
    make_case(
        order,
        outcome="recovered",
        closed_at=NOW,
        recovered_at=NOW - HOUR,
        recovered_amount=149,
        messages_sent=1,
    )

    page = shown(client, "")

    assert "Came back lately" in page
    assert f'href="{S}orders/{order.pk}/"' in page


def test_a_text_says_which_process_sends_it(shop: Shop) -> None:
    install_texts(shop, now=NOW)
    install_shipped(shop, now=NOW)

    page = shown(sign_in(shop), "settings/texts/")

    rows = re.findall(r"<tr><td class=\"what.*?</tr>", page, re.DOTALL)
    used = [re.findall(r"<td[^>]*>([^<]*)</td>", row)[-1] for row in rows]
    assert sorted(used) == ["Cart left behind"] * 3 + ["Unpaid order"] * 3 + ["–"] * 2


def test_home_says_once_what_is_left_before_the_first_reminder(shop: Shop) -> None:
    Shop.objects.filter(pk=shop.pk).update(live_since=None)
    client = sign_in(shop)

    home, orders = (shown(client, path) for path in ("", "orders/"))

    assert [page.count("Go live") for page in (home, orders)] == [1, 1]
    assert [page.count("No mail server is set up") for page in (home, orders)] == [0, 1]
    assert "Nothing came back in this time." in home
    assert "data-chart" not in home  # an axis without bars says nothing
