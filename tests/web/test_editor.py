"""The editor of processes: drawn by forms alone, two people at once, published, thrown away, as a file (J1-J10)."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.catalog.models import Product
from recoup.core.activity import SYSTEM
from recoup.messaging.models import Template
from recoup.messaging.templates import add_template
from recoup.processes.drafts import create_process, draft_of
from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.graph.editing import Way, blank, insert
from recoup.processes.models import Process, ProcessVersion
from recoup.shops.models import Source
from recoup.web.forms.blocks.base import Around
from recoup.web.forms.blocks.offer import OfferForm
from recoup.web.forms.blocks.table import FORMS
from recoup.web.picture import ICONS
from recoup.web.words import blocks as block_words
from tests.factories.moments import NOW
from tests.factories.templates import ORDER_TEXT, make_template
from tests.web.world import World, client_of

pytestmark = pytest.mark.django_db

# All that a browser posts from the form of a wait.
WHOLE_WAIT = {
    "mode": "for", "at": "10:00", "least": "", "least_unit": "H", "date": "order.placed_at", "side": "on",
    "offset": "", "offset_unit": "H", "max_rounds": "",
}  # fmt: skip


THANKS = {"template": "purchase_thanks", "purpose": "thanks", "not_after": "24", "not_after_unit": "H"}


class Editor:
    """A person at the editor, who reads pages and posts forms."""

    def __init__(self, world: World, role: Role = Role.OWNER) -> None:
        self.shop = world.own.shop
        self.client: Client = client_of(world.own.people[role])
        self.process_id = 0

    def url(self, name: str, *rest: str) -> str:
        ids = [self.process_id] if self.process_id else []
        return reverse(f"web:{name}", args=[self.shop.slug, *ids, *rest])

    def page(self, name: str, *rest: str, query: str = "") -> str:
        answer = self.client.get(self.url(name, *rest) + query)
        assert answer.status_code == 200, answer.status_code
        return answer.content.decode()

    def lock(self) -> str:
        found = re.search(r'name="lock" value="([\d.]+)"', self.page("process_edit"))
        assert found is not None
        return found[1]

    def post(self, name: str, /, *rest: str, query: str = "", lock: str = "", **typed: Any) -> Any:
        posted = {"lock": lock or self.lock(), "label": "", **typed}
        return self.client.post(self.url(name, *rest) + query, posted)

    def create(self, name: str = "Mine", start: str = "nothing") -> None:
        answer = self.client.post(self.url("process_new"), {"name": name, "start": start})
        assert answer.status_code == 303, shown_errors(answer)
        self.process_id = int(answer.headers["Location"].split("/")[-3])

    def open_shipped(self) -> None:
        with scopes_disabled():
            self.process_id = Process.objects.get(shop=self.shop, key="unpaid_order").pk

    def process_of(self, key: str) -> int:
        """Return the id of a process that was installed from a ready one."""
        return Process.objects.get(shop=self.shop, key=key).pk

    @property
    def process(self) -> Process:
        with scopes_disabled():
            return Process.objects.select_related("current_version").get(pk=self.process_id)

    @property
    def doc(self) -> dict[str, Any]:
        with scopes_disabled():
            return draft_of(self.process).doc

    def put(self, kind: str, at: str, /, **typed: Any) -> str:
        """Put a step in; return its id."""
        before = set(self.doc["nodes"])
        answer = self.post("process_edit_new", kind, query=f"?at={at}", **typed)
        assert answer.status_code == 303, shown_errors(answer)
        return str(answer.headers["Location"].split("#step-")[1]) if before else ""


def shown_errors(answer: Any) -> list[str]:
    """Return what a page says is wrong."""
    summary = re.search(r'<div class="error-summary".*?</div>', answer.content.decode(), re.DOTALL)
    found = re.findall(r"<li>(.*?)</li>", summary[0], re.DOTALL) if summary else []
    return [re.sub(r"<[^>]+>", "", line) for line in found]


def warnings(answer: Any) -> list[str]:
    """Return what was said about the last press."""
    return [str(one) for one in answer.wsgi_request._messages]


@pytest.fixture
def editor(world: World) -> Editor:
    return Editor(world)


def make_product(editor: Editor, ref: str, name: str) -> None:
    with scopes_disabled():
        source = Source.objects.filter(shop=editor.shop).first()
        row = Product(shop=editor.shop, source=source, ref=ref, name=name, currency="EUR", version_at=NOW)
        row.save(force_insert=True)


def test_a_process_is_drawn_by_forms_and_published(editor: Editor) -> None:
    """The process of the sellers' guide: ordered; bought within two days? Yes: thanks. No: a reminder."""
    make_product(editor, "p-1", "Course of pottery")
    editor.create("Course")
    fork = editor.put(
        "until",
        ".first",
        event="product.bought",
        products=["p-1"],
        match="any",
        within="2",
        within_unit="D",
        earlier="on",
    )
    mail = {"template": "order_reminder_1", "not_after": "24", "not_after_unit": "H"}
    thanks = editor.put("send", f"{fork}.yes", purpose="thanks", **mail)
    reminder = editor.put("send", f"{fork}.no", purpose="reminder", **mail)

    answer = editor.client.post(editor.url("process_publish"), {"lock": editor.lock()})

    assert answer.status_code == 303
    version = editor.process.current_version
    assert version is not None
    assert version.doc == {
        "schema": 1,
        "name": "Course",
        "entry": {"on": "order.unpaid", "first": fork},
        "goals": [{"on": "order.paid"}],
        "nodes": {
            fork: {
                "t": "until",
                "on": {"e": "product.bought", "products": ["p-1"]},
                "within": "P2D",
                "out": {"yes": thanks, "no": reminder},
            },
            thanks: {"t": "send", "template": "order_reminder_1", "purpose": "thanks", "out": {"done": "n1"}},
            reminder: {"t": "send", "template": "order_reminder_1", "out": {"done": "n3"}},
            "n1": {"t": "end"},
            "n3": {"t": "end"},
        },
    }
    assert editor.process.status == "draft"


def test_the_outline_names_steps_ways_and_products(editor: Editor) -> None:
    make_product(editor, "p-1", "Course of pottery")
    editor.create()
    editor.put("until", ".first", event="product.bought", products=["p-1"], within="2", within_unit="D")

    page = editor.page("process_edit")

    assert re.findall(r'flow-title">(.*?)</span>', page) == [
        "An order stays unpaid",
        "1. Bought within 2 days?",
        "2. End",
        "3. End",
        "It ends at once when",
    ]
    assert 'flow-detail">Course of pottery</span>' in page
    assert [word.strip() for word in re.findall(r"flow-label[^>]*>(.*?)</span>", page)] == ["yes", "no"]


@pytest.mark.parametrize(
    ("kind", "typed", "error"),
    [
        ("wait", {"mode": "for", "span": "", "span_unit": "H"}, "Wait for: Say how long."),
        ("wait", {"mode": "for", "span": "60", "span_unit": "W"}, "Wait for: Choose at most a year."),
        ("wait", {"mode": "at", "at": ""}, "Time of day: Say until what time."),
        ("wait", {"mode": "date", "date": "order.paid_at", "side": "after", "offset": "2", "offset_unit": "H",
                  "hour": "09:30"},
         "How long before or after: With a time of day, count whole days before or after the date."),
        ("until", {"event": "product.bought", "within": "2", "within_unit": "D"},
         "Which products: Search for a product and tick it."),
        ("until", {"event": "message.opened", "within": "2", "within_unit": "D"},
         "Which mail: Choose the mail that is asked about."),
        ("if", {}, "Ask about: Choose what to ask about."),
        ("if", {"fact0": "order.total", "op0": ">", "v0": ""},
         "Sum of the order: value: Say with what it is compared."),
        ("split", {"arm": ["a", "b"], "weight_a": "1", "weight_b": "1", "gone_b": "on"},
         "There must be two ways at least. Take the step out instead."),
        ("offer", {"what": "percent", "percent": "0", "valid": "2", "valid_unit": "D", "currency": "EUR"},
         "Discount in per cent: Say how many per cent: more than 0 and at most 100."),
        ("offer", {"what": "percent", "percent": "101", "valid": "2", "valid_unit": "D", "currency": "EUR"},
         "Discount in per cent: A discount is more than 0 and at most 100 per cent."),
        ("offer", {"what": "percent", "percent": "-5", "valid": "2", "valid_unit": "D", "currency": "EUR"},
         "Discount in per cent: A discount is more than 0 and at most 100 per cent."),
        ("offer", {"what": "percent", "sizes": "5; 3", "valid": "2", "valid_unit": "D", "currency": "EUR"},
         "Sizes that are tried: Write two to six numbers that rise, such as 0; 3; 5; 10."),
        ("order_status", {"to": "cancelled"}, "Reason: Say why the order is cancelled."),
        ("send", {"purpose": "reminder", "not_after": "1", "not_after_unit": "D"},
         "Text: Choose a text."),
    ],
)  # fmt: skip
def test_a_half_step_is_refused_with_its_place(
    editor: Editor, kind: str, typed: dict[str, Any], error: str
) -> None:
    editor.create()
    before = editor.doc

    answer = editor.post("process_edit_new", kind, query="?at=.first", **typed)

    assert (answer.status_code, shown_errors(answer)) == (422, [error])
    assert editor.doc == before


@pytest.mark.parametrize(
    ("kind", "typed", "made"),
    [
        ("wait", {"mode": "for", "span": "48", "span_unit": "H"}, {"for": "PT48H"}),
        ("wait", {"mode": "at", "at": "10:00", "days": ["mon", "fri"], "least": "1", "least_unit": "D"},
         {"for": "P1D", "at": "10:00", "days": ["mon", "fri"]}),
        ("wait", {"mode": "date", "date": "promise.until", "side": "before", "offset": "2", "offset_unit": "H"},
         {"date": "promise.until", "offset": "-PT2H"}),
        ("wait", {"mode": "date", "date": "order.paid_at", "side": "after", "offset": "2", "offset_unit": "D",
                  "hour": "09:30"}, {"date": "order.paid_at", "offset": "P2D", "at": "09:30"}),
        ("until", {"event": "page.visited", "page": "buy", "within": "2", "within_unit": "D"},
         {"on": {"e": "page.visited"}, "within": "P2D", "earlier": False}),
        ("until", {"event": "page.visited", "page": "leave", "within": "2", "within_unit": "D", "earlier": "on"},
         {"on": {"e": "page.visited", "page": "leave"}, "within": "P2D"}),
        ("if", {"match": "any", "fact0": "order.total", "op0": ">=", "v0": "100.50",
                "fact1": "order.status", "op1": "in", "v1": ["unpaid", "new"],
                "fact2": "order.method", "op2": "in", "v2": "card", "fact3": "order.is_paid", "v3": "no",
                "fact4": "order.currency", "op4": "is_set", "fact5": "order.cause", "gone5": "on"},
         {"if": {"any": [
             {"f": "order.total", "op": ">=", "v": "100.50"},
             {"f": "order.status", "op": "in", "v": ["new", "unpaid"]},
             {"f": "order.method", "op": "=", "v": "card"},
             {"f": "order.is_paid", "op": "=", "v": False},
             {"f": "order.currency", "op": "is_set"},
         ]}}),
        ("split", {"arm": ["a", "b"], "weight_a": "30", "weight_b": "70", "name_b": "Soft"},
         {"arms": [{"id": "a", "w": 30}, {"id": "b", "w": 70, "name": "Soft"}]}),
        ("offer", {"what": "percent", "percent": "5.00", "valid": "2", "valid_unit": "D", "currency": "eur"},
         {"percent": "5", "valid": "P2D"}),
        ("offer", {"what": "amount", "amount": "20", "valid": "36", "valid_unit": "H", "currency": "PLN",
                   "products": ["p-1"], "min_sum": "100", "description": "For you", "with_coupon": "on",
                   "budget": "500", "period": "week"},
         {"kind": "amount", "amount": "20", "currency": "PLN", "min_sum": "100", "products": ["p-1"],
          "valid": "PT36H", "description": "For you", "with_coupon": True,
          "budget": {"amount": "500", "currency": "PLN", "period": "week"}}),
        ("offer", {"what": "percent", "percent": "5", "valid": "2", "valid_unit": "D", "currency": "EUR",
                   "next_order": "on", "budget": "500"},
         {"percent": "5", "valid": "P2D", "next_order": True, "budget": {"amount": "500", "currency": "EUR"}}),
        ("order_status", {"to": "in_work", "reason": "call"}, {"to": "in_work", "reason": "call"}),
        ("goal", {"on": "order.paid"}, {"on": "order.paid"}),
        ("end", {}, {}),
    ],
)  # fmt: skip
def test_each_kind_is_put_in_and_opened_again_unchanged(
    editor: Editor, kind: str, typed: dict[str, Any], made: dict[str, Any]
) -> None:
    editor.create()
    if "v1" in typed:
        made["if"]["any"][1]["v"] = typed["v1"]

    name = editor.put(kind, ".first", **typed)

    node = {key: value for key, value in editor.doc["nodes"][name].items() if key != "out"}
    assert node == {"t": kind, **made}
    page = editor.page("process_edit_block", name)
    again = {**typed, "lock": editor.lock(), "label": ""}
    again |= dict(re.findall(r'<select name="(to_\w+)".*?<option value="([\w-]+)" selected', page, re.DOTALL))
    before = editor.doc
    assert editor.client.post(editor.url("process_edit_block", name), again).status_code == 303
    assert editor.doc == before


def test_a_wait_for_the_end_of_an_offer_names_the_step_that_makes_it(editor: Editor) -> None:
    editor.create()
    offer = editor.put(
        "offer", ".first", what="percent", percent="5", valid="4", valid_unit="D", currency="EUR"
    )
    typed = {"mode": "date", "date": "offer.ends_at", "side": "before", "offset": "1", "offset_unit": "D"}

    refused = editor.post("process_edit_new", "wait", query=f"?at={offer}.granted", **typed)
    wait = editor.put("wait", f"{offer}.granted", ref=offer, hour="10:00", **typed)

    assert shown_errors(refused) == ["Which offer: Choose the offer."]
    node = {key: value for key, value in editor.doc["nodes"][wait].items() if key != "out"}
    assert node == {"t": "wait", "date": "offer.ends_at", "ref": offer, "offset": "-P1D", "at": "10:00"}


def test_a_span_that_fits_no_unit_stays_as_it_was_written(editor: Editor) -> None:
    editor.open_shipped()
    page = editor.page("process_edit_block", "n5")

    assert 'value="48"' in page
    editor.post("process_edit_block", "n5", mode="for", span="48", span_unit="H", to_next="n6")
    assert editor.doc["nodes"]["n5"] == {"t": "wait", "for": "PT48H", "out": {"next": "n6"}}


def test_products_are_searched_for_by_name_before_anything_is_saved(editor: Editor) -> None:
    make_product(editor, "p-1", "Course of pottery")
    editor.create()
    typed = {"event": "product.bought", "within": "3", "within_unit": "D", "label": "Did they?"}

    answer = editor.post("process_edit_new", "until", query="?at=.first", products_q="pottery", **typed)
    page = answer.content.decode()

    assert answer.status_code == 200
    assert 'value="p-1"' in page
    assert 'value="Did they?"' in page
    assert '<option value="product.bought" selected>' in page
    assert set(editor.doc["nodes"]) == {"n1"}


def test_a_row_of_the_condition_is_asked_for_and_the_others_stay(editor: Editor) -> None:
    editor.create()

    answer = editor.post(
        "process_edit_new",
        "if",
        query="?at=.first",
        fact0="order.total", op0="<", v0="20", fact1="order.is_paid", v1="no", gone1="on", new_fact="order.cause",
    )  # fmt: skip
    page = answer.content.decode()

    assert re.findall(r'name="fact(\d)" value="([\w.]+)"', page) == [
        ("0", "order.total"),
        ("2", "order.cause"),
    ]
    assert 'value="20"' in page
    assert shown_errors(answer) == []


def test_the_way_in_asks_for_products_and_more(editor: Editor) -> None:
    make_product(editor, "p-1", "Course of pottery")
    editor.create()

    answer = editor.post(
        "process_edit_entry",
        on="order.placed", products=["p-1"], fact0="order.total", op0=">", v0="10", reentry="again_after",
        again_after="30", again_after_unit="D", anchor="placed_at", group="courses", goes_on="on",
    )  # fmt: skip

    assert answer.status_code == 303, shown_errors(answer)
    assert editor.doc["entry"] == {
        "on": "order.placed",
        "first": "n1",
        "if": {
            "all": [
                {"f": "order.products", "op": "has_any", "v": ["p-1"]},
                {"f": "order.total", "op": ">", "v": 10},
            ]
        },
        "reentry": "again_after",
        "again_after": "P30D",
        "anchor": "placed_at",
        "group": "courses",
        "swapped": "go_on",
    }
    page = editor.page("process_edit")
    assert "Goods of the order contain any of Course of pottery and Sum of the order is more than 10" in page


def test_what_keeps_it_from_being_published_stands_at_its_place(editor: Editor) -> None:
    editor.create()
    editor.put(
        "send", ".first", template="order_reminder_1", purpose="reminder", not_after="1", not_after_unit="D"
    )
    editor.post("process_edit_goals", goals=[])

    page = editor.page("process_edit")
    answer = editor.client.post(editor.url("process_publish"), {"lock": editor.lock()})

    sentence = "A reminder needs the goal “The order is paid”, so that nobody who paid is reminded."
    assert f'<a href="#step-goals">What ends it: {sentence}</a>' in page
    assert page.count(sentence) == 2
    assert editor.page("process_edit_goals").count(sentence) == 1
    assert (answer.status_code, shown_errors(answer)) == (422, [f"What ends it: {sentence}"])
    assert editor.process.current_version is None


def told_of_the_other(
    editor: Editor, world: World, *, publishes: bool = False
) -> tuple[Editor, str, dict[str, str]]:
    """Let somebody else change the wait that is being typed, and see both beside each other; return them, page and form."""
    editor.open_shipped()
    other = Editor(world, Role.MARKETER)
    other.open_shipped()
    lock = editor.lock()
    typed = {**WHOLE_WAIT, "span": "3", "span_unit": "D", "to_next": "n6"}
    other.post("process_edit_block", "n5", **{**typed, "span": "5"})
    if publishes:
        other.client.post(other.url("process_publish"), {"lock": other.lock()})

    answer = editor.post("process_edit_block", "n5", lock=lock, **typed)
    page = answer.content.decode()

    assert answer.status_code == 409
    assert "Marketer changed this draft while you were typing." in page
    assert "Changed: 5. Wait 5 days. Before: Wait 48 hours" in page
    assert re.findall(r"<td>(.*?)</td>", page) == ["5 days", "3 days"]
    return other, page, typed


def test_two_people_see_what_the_other_changed_and_lose_nothing(editor: Editor, world: World) -> None:
    other, page, typed = told_of_the_other(editor, world)

    assert other.doc["nodes"]["n5"]["for"] == "P5D"
    newest = re.search(r'name="lock" value="([\d.]+)"', page)
    assert newest is not None
    assert editor.post("process_edit_block", "n5", lock=newest[1], **typed).status_code == 303
    assert editor.doc["nodes"]["n5"]["for"] == "P3D"


def test_a_form_opened_before_the_other_published_is_compared_too(editor: Editor, world: World) -> None:
    told_of_the_other(editor, world, publishes=True)

    assert editor.doc["nodes"]["n5"]["for"] == "P5D"


def test_what_was_typed_for_a_step_that_is_gone_is_shown(editor: Editor, world: World) -> None:
    editor.open_shipped()
    other = Editor(world, Role.MARKETER)
    other.open_shipped()
    lock = editor.lock()
    other.post("process_edit_remove", block="n5")

    answer = editor.post("process_edit_block", "n5", lock=lock, mode="for", span="3", span_unit="D")

    assert answer.status_code == 409
    assert "The step is gone." in answer.content.decode()
    assert "3 days" in answer.content.decode()


def test_a_button_on_an_old_page_does_nothing_and_says_why(editor: Editor, world: World) -> None:
    editor.open_shipped()
    lock = editor.lock()
    editor.post("process_edit_remove", block="n5")
    doc = editor.doc

    answer = editor.post("process_edit_remove", lock=lock, block="n3")

    assert answer.status_code == 409
    assert "Taken out: 5. Wait 48 hours" in answer.content.decode()
    assert editor.doc == doc


def test_steps_are_taken_out_copied_taken_back_and_again(editor: Editor) -> None:
    editor.open_shipped()
    before = editor.doc
    editor.post("process_edit_remove", block="n5")
    editor.post("process_edit_copy", block="n2", at="n1.no")
    after = editor.doc

    assert after["nodes"]["n10"] == {"t": "wait", "for": "PT120H", "out": {"next": "n4"}}
    editor.post("process_edit_step", to="undo")
    editor.post("process_edit_step", to="undo")
    assert editor.doc == before
    editor.post("process_edit_step", to="redo")
    editor.post("process_edit_step", to="redo")
    assert editor.doc == after


def test_an_end_is_not_taken_out(editor: Editor) -> None:
    editor.create()

    answer = editor.post("process_edit_remove", block="n1")

    assert warnings(answer) == ["This is the last step; a process needs one."]
    assert set(editor.doc["nodes"]) == {"n1"}


def test_the_page_of_publishing_tells_what_changes_and_who_enters(editor: Editor) -> None:
    editor.open_shipped()
    editor.post("process_edit_remove", block="n5")

    page = editor.page("process_publish")

    assert "<h1>Publish version 2</h1>" in page
    assert "Taken out: 5. Wait 48 hours" in page
    assert "Nobody. Everybody who enters will follow the new version." in page
    assert "Others who do the same enter too" in page
    answer = editor.client.post(editor.url("process_publish"), {"lock": editor.lock()})
    assert warnings(answer) == ["Version 2 is published."]
    with scopes_disabled():
        assert ProcessVersion.objects.filter(process=editor.process).count() == 2


def test_a_name_is_needed_and_taken_once(editor: Editor) -> None:
    editor.create("Mine")
    assert shown_errors(editor.post("process_edit_name", name="unpaid order")) == [
        "Name: Another process has this name."
    ]
    editor.post("process_edit_name", name="Ours")
    assert editor.doc["name"] == "Ours"
    editor.process_id = 0

    answer = editor.client.post(editor.url("process_new"), {"name": "Mine", "start": "nothing"})

    assert shown_errors(answer) == ["Name: Another process has this name."]


def test_a_new_process_starts_from_a_ready_one_or_a_copy(editor: Editor) -> None:
    editor.create("Ready", "shipped:abandoned_cart")
    ready = editor.doc
    start, editor.process_id = f"process:{editor.process_id}", 0
    editor.create("Copy", start)

    assert ready["entry"]["on"] == "cart.abandoned"
    assert editor.doc == {**ready, "name": "Copy"}


def test_a_draft_is_thrown_away_and_a_process_that_was_only_one_with_it(editor: Editor) -> None:
    editor.create()
    answer = editor.post("process_edit_discard")

    assert answer.headers["Location"].endswith("/processes/")
    with scopes_disabled():
        assert not Process.objects.filter(pk=editor.process_id).exists()


def test_what_was_never_published_cannot_be_switched_on(editor: Editor) -> None:
    editor.create()

    assert "Not published yet" in editor.page("process")
    assert "process_status" not in editor.page("process")
    answer = editor.client.post(editor.url("process_status"), {"status": "live"})
    assert (answer.status_code, editor.process.status) == (409, "draft")


def exported(editor: Editor) -> bytes:
    answer = editor.client.get(editor.url("process_export"))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="unpaid-order.json"'
    return answer.content


def test_what_is_exported_comes_in_again_as_it_was_and_does_not_run(editor: Editor) -> None:
    editor.open_shipped()
    content, doc = exported(editor), editor.doc
    editor.process_id = 0
    file = SimpleUploadedFile("unpaid.json", content, content_type="application/json")

    asked = editor.client.post(editor.url("process_import"), {"file": file})
    assert "All that the file names is here." in asked.content.decode()
    answer = editor.client.post(editor.url("process_import"), {"name": "Again", "content": content.decode()})

    editor.process_id = int(answer.headers["Location"].split("/")[-3])
    assert editor.doc == {**doc, "name": "Again"}
    assert (editor.process.status, editor.process.current_version) == ("draft", None)


def test_texts_and_products_of_another_shop_are_mapped(editor: Editor) -> None:
    make_product(editor, "p-1", "Course of pottery")
    editor.open_shipped()
    text = json.loads(exported(editor))["process"]
    text["nodes"]["n4"]["template"] = "their_text"
    text.pop("examples")
    text["entry"]["if"] = {"f": "order.products", "op": "has_any", "v": ["theirs"]}
    content = json.dumps(text)
    editor.process_id = 0
    file = SimpleUploadedFile("theirs.json", content.encode())

    page = editor.client.post(editor.url("process_import"), {"file": file}).content.decode()
    assert "Text “their_text”" in page
    assert "Product “theirs”" in page
    answer = editor.client.post(
        editor.url("process_import"),
        {"name": "Theirs", "content": content, "text0": "order_reminder_2", "product0": "p-1"},
    )

    editor.process_id = int(answer.headers["Location"].split("/")[-3])
    assert editor.doc["nodes"]["n4"]["template"] == "order_reminder_2"
    assert editor.doc["entry"]["if"]["v"] == ["p-1"]


# A process that may be published, but for what a test puts in.
WHOLE = (
    b'{"schema": 1, %b, "entry": {"on": "order.unpaid", "first": "n1"},'
    b' "nodes": {"n1": {"t": "tag", "add": ["seen"], "out": {"next": "n2"}}, "n2": {"t": "end"}}}'
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{" * 5000,
        b'{"schema": 9}',
        b'{"a": "' + b"x" * 1_100_000 + b'"}',
        b"<script>",
        b'{"recoup_process": 2, "process": {}}',
        b'{"recoup_process": 1, "process": []}',
        WHOLE % b'"name": "a", "layout": {"n1": [NaN, 0]}',
        WHOLE % b'"name": "a", "layout": {"n1": [1e999, 0]}',
        WHOLE % rb'"name": "a\u0000"',
        WHOLE % rb'"name": "\ud800"',
        WHOLE % b'"name": "a", "name": "b"',
    ],
)
def test_a_hostile_file_is_refused_and_makes_nothing(editor: Editor, content: bytes) -> None:
    with scopes_disabled():
        before = Process.objects.count()

    answer = editor.client.post(
        editor.url("process_import"), {"file": SimpleUploadedFile("evil.json", content)}
    )

    assert answer.status_code == 422
    with scopes_disabled():
        assert Process.objects.count() == before


def test_a_way_is_added_to_a_split_and_another_left_out(editor: Editor) -> None:
    editor.create()
    typed: dict[str, Any] = {
        "arm": ["a", "b"],
        "weight_a": "50",
        "weight_b": "50",
        "name_a": "",
        "name_b": "",
    }
    split = editor.put("split", ".first", **typed)

    page = editor.post("process_edit_block", split, more="1", to_a="n1", to_b="n3", **typed).content.decode()
    assert re.findall(r'name="arm" value="(\w)"', page) == ["a", "b", "c"]
    editor.post(
        "process_edit_block", split,
        **{**typed, "arm": ["a", "b", "c"], "weight_c": "10", "name_c": "Third", "gone_b": "on", "to_a": "n1"},
    )  # fmt: skip

    node = editor.doc["nodes"][split]
    assert node["arms"] == [{"id": "a", "w": 50}, {"id": "c", "w": 10, "name": "Third"}]
    assert node["out"] == {"a": "n1", "c": "n4"}


def test_every_kind_has_a_form_words_and_an_icon() -> None:
    assert set(FORMS) == set(KINDS) == set(block_words.KINDS)
    assert set(KINDS) <= set(ICONS)


def test_changes_that_are_not_published_are_told_on_the_page_of_the_process(editor: Editor) -> None:
    editor.open_shipped()
    words = "There are changes that are not published."
    assert words not in editor.page("process")

    editor.post("process_edit_remove", block="n5")

    assert words in editor.page("process")


def test_many_forks_within_each_other_are_shown(editor: Editor) -> None:
    doc, at = blank("Deep"), Way()
    for _ in range(30):
        doc, fork = insert(doc, at, {"t": "if", "if": {"f": "order.is_paid", "op": "=", "v": True}})
        doc, _wait = insert(doc, Way(fork, "yes"), {"t": "wait", "for": "PT1H"})
        at = Way(fork, "no")
    with scopes_disabled():
        made = create_process(editor.shop, name="Deep", start=doc, actor=SYSTEM, now=NOW)
    editor.process_id = made.pk

    assert editor.page("process_edit").count('class="flow-step ') == len(doc["nodes"]) + 2


def test_a_text_that_comes_with_the_product_is_taken_by_choosing_it(editor: Editor) -> None:
    editor.create()
    offered = editor.page("process_edit_new", "send", query="?at=.first")
    with scopes_disabled():
        before = Template.objects.filter(shop=editor.shop, key="purchase_thanks").exists()

    editor.put("send", ".first", **THANKS)

    with scopes_disabled():
        taken = Template.objects.get(shop=editor.shop, key="purchase_thanks")
    assert ('value="purchase_thanks"' in offered, 'value="landing_invitation"' in offered) == (True, False)
    assert (before, taken.is_shipped, taken.current_version is not None) == (False, True, True)
    again = editor.page("process_edit_new", "send", query="?at=.first")
    assert again.count('value="purchase_thanks"') == 2  # of the channel, and of the one that stands in for it


def test_a_text_of_the_shop_with_the_same_key_is_left_as_it_is(editor: Editor) -> None:
    with scopes_disabled():
        own = add_template(editor.shop, key="purchase_thanks", name="Ours", kind="order")
    editor.create()

    answer = editor.post("process_edit_new", "send", query="?at=.first", **THANKS)

    assert answer.status_code == 422  # it is not published yet, and no other takes its place
    with scopes_disabled():
        own.refresh_from_db()
    assert (own.name, own.is_shipped) == ("Ours", False)


def test_an_offer_in_a_process_about_people_is_for_their_next_order(editor: Editor) -> None:
    around = Around(editor.shop, {"entry": {"on": "manual"}})
    typed = "what=percent&percent=5&valid=2&valid_unit=D&currency="
    with scopes_disabled():
        form = OfferForm(QueryDict(f"{typed}EUR"), raw={}, around=around)
        foreign = OfferForm(QueryDict(f"{typed}PLN"), raw={}, around=around)

        assert form.is_valid(), form.errors
        assert form.fields_to_raw()["next_order"] is True
        assert any(
            "whatever they order next" in str(note) for part in form.own_parts() for note in part.notes
        )
        assert list(foreign.errors) == ["currency"]


@pytest.mark.parametrize("typed", ["0; 2.5; 10", "0, 2.5, 10", "0 2.5 10"])
def test_the_sizes_of_an_offer_stand_in_the_place_of_the_one(editor: Editor, typed: str) -> None:
    around = Around(editor.shop, {"entry": {"on": "order.unpaid"}})
    with scopes_disabled():
        values = {
            "what": "percent",
            "percent": "5",
            "sizes": typed,
            "valid": "2",
            "valid_unit": "D",
            "currency": "EUR",
        }
        form = OfferForm(QueryDict(urlencode(values)), raw={}, around=around)

        assert form.is_valid(), form.errors
        raw = form.fields_to_raw()
        assert raw == {"sizes": ["0", "2.5", "10"], "valid": "P2D"}
        assert (
            OfferForm(raw={**raw, "out": {"granted": "n2"}}, around=around).initial["sizes"] == "0; 2.5; 10"
        )


def test_who_gets_no_offer_has_an_end_of_their_own_unless_a_step_follows(editor: Editor) -> None:
    editor.create()
    offer = {"what": "percent", "percent": "5", "valid": "2", "valid_unit": "D", "currency": "EUR"}

    last = editor.put("offer", ".first", **offer)
    sends = editor.put("send", f"{last}.granted", **THANKS)
    first = editor.put("offer", ".first", **offer)

    ways = editor.doc["nodes"][last]["out"]
    assert ways["granted"] == sends
    assert editor.doc["nodes"][ways["refused"]]["t"] == "end"
    assert editor.doc["nodes"][first]["out"] == {"granted": last}


def test_a_text_that_says_today_is_kept_to_its_day_where_that_is_ticked(editor: Editor) -> None:
    with scopes_disabled():
        text = make_template(editor.shop, key="hurry", texts={"en": ("Pay today", ORDER_TEXT)})
        Template.objects.filter(pk=text.pk).update(draft={"en": {"subject": "Pay today", "body": ORDER_TEXT}})
    editor.create()
    editor.put("send", ".first", **{**THANKS, "template": "hurry"})
    [step] = [name for name, node in editor.doc["nodes"].items() if node["t"] == "send"]
    told = editor.page("process_edit_block", step)
    before = editor.page("process_publish")

    editor.post("process_edit_block", step, **{**THANKS, "template": "hurry", "same_day": "on"})

    assert "Tick it for these texts: Hurry (today)." in told
    assert "Its text says “today”, which may be false the next morning." in told
    assert "Its text says “today”" in before
    assert editor.doc["nodes"][step]["same_day"] is True
    assert "only on its day" in editor.page("process_edit")
    assert "Its text says “today”" not in editor.page("process_publish")
    assert (
        "It says “today”"
        in editor.client.get(f"/s/{editor.shop.slug}/settings/texts/hurry/en/").content.decode()
    )
