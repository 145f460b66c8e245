"""Saved segments in processes: their conditions are taken along, named, taken anew, and what is named is not deleted."""

import html
import json
import re
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM
from recoup.processes.actions import set_status
from recoup.processes.drafts import create_process, draft_of, has_changes
from recoup.processes.graph.document import ProcessDocument, doc_hash
from recoup.segments.models import Segment
from tests.factories.moments import DAY, NOW
from tests.web.test_editor import Editor, editor, make_product
from tests.web.world import World

__all__ = ["editor"]
pytestmark = pytest.mark.django_db

TWICE = {"f": "contact.paid_count", "op": ">=", "v": 2}
REACHED = [{"f": f"contact.{fact}", "op": "=", "v": True} for fact in ("has_email", "has_phone")]
GROUPED = {"all": [TWICE, {"any": REACHED}]}
ROW = {"match": "all", "fact0": "contact.paid_count", "op0": ">=", "v0": "2"}


def make_segment(
    editor: Editor, name: str = "Loyal customers", about: int = 3, asked: Any = TWICE
) -> Segment:
    with scopes_disabled():
        row = Segment(shop=editor.shop, name=name, about=about, condition=asked, changed_at=NOW)
        row.save(force_insert=True)
    return row


def named(segment: Segment) -> dict[str, Any]:
    return {"id": segment.pk, "name": segment.name, "of": NOW.date().isoformat()}


def typed_of(page: str) -> dict[str, Any]:
    """Return what a browser would post of the questions that a page shows."""
    form = html.unescape(page.split("block-form", 1)[1].split("</form>", 1)[0])
    typed: dict[str, Any] = dict(
        re.findall(r'<input type="(?:hidden|text|number)" name="(\w+)" value="([^"]*)"', form)
    )
    for name, inner in re.findall(r'<select name="(\w+)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        typed[name] = chosen[1] if chosen else ""
    typed.pop("csrfmiddlewaretoken", None)
    typed.pop("lock", None)
    return typed


def put_taken(editor: Editor, segment: Segment, at: str = ".first") -> str:
    page = editor.post("process_edit_new", "if", query=f"?at={at}", segment=str(segment.pk)).content.decode()
    return editor.put("if", at, **typed_of(page))


def test_the_conditions_of_a_segment_are_taken_shown_and_kept_with_its_name(editor: Editor) -> None:
    segment = make_segment(editor, asked=GROUPED)
    make_segment(editor, "Carts only", 2, {"f": "cart.item_count", "op": ">", "v": 1})
    editor.create()

    page = editor.page("process_edit_new", "if", query="?at=.first")
    assert "Loyal customers" in page
    assert "Carts only" not in page  # it asks for what an order does not have
    before = editor.doc
    taken = editor.post("process_edit_new", "if", query="?at=.first", segment=str(segment.pk))
    shown = taken.content.decode()
    assert editor.doc == before  # looked at first
    assert 'name="fact1_1" value="contact.has_phone"' in shown
    assert "As segment “Loyal customers” of" in shown

    name = editor.put("if", ".first", **typed_of(shown))

    assert editor.doc["nodes"][name]["if"] == GROUPED
    assert editor.doc["nodes"][name]["segment"] == named(segment)
    assert re.search(r"As segment “Loyal customers” of [^:]+: Number of paid", editor.page("process_edit"))
    kept = editor.doc
    editor.post("process_edit_block", name, **typed_of(editor.page("process_edit_block", name)))
    assert editor.doc == kept
    editor.post("process_edit_step", to="undo")
    assert editor.doc == before


def test_what_is_asked_otherwise_is_no_longer_as_the_segment(editor: Editor) -> None:
    segment = make_segment(editor)
    editor.create()
    name = put_taken(editor, segment)

    typed = typed_of(editor.page("process_edit_block", name))
    editor.post("process_edit_block", name, **{**typed, "v0": "3"})

    assert editor.doc["nodes"][name]["if"] == {**TWICE, "v": 3}
    assert "segment" not in editor.doc["nodes"][name]


def test_newer_content_is_offered_and_taken_again(editor: Editor) -> None:
    segment = make_segment(editor)
    editor.create()
    name = put_taken(editor, segment)
    assert "changed since" not in editor.page("process_edit_block", name)
    with scopes_disabled():
        Segment.objects.filter(pk=segment.pk).update(condition={**TWICE, "v": 5}, changed_at=NOW + 3 * DAY)

    assert "It has been changed since." in editor.page("process_edit_block", name)
    assert editor.doc["nodes"][name]["if"] == TWICE  # what was taken stays until somebody takes it again
    again = editor.post("process_edit_block", name, segment=str(segment.pk))
    editor.post("process_edit_block", name, **typed_of(again.content.decode()))

    assert editor.doc["nodes"][name]["if"] == {**TWICE, "v": 5}
    assert editor.doc["nodes"][name]["segment"]["of"] == (NOW + 3 * DAY).date().isoformat()


@pytest.mark.parametrize("has_goods", [False, True])
@pytest.mark.parametrize("products", [[], ["p-1"]])
def test_an_entry_takes_a_segment_beside_its_products(
    editor: Editor, products: list[str], has_goods: bool
) -> None:
    make_product(editor, "p-1", "Lamp")
    goods = {"f": "order.products", "op": "has_any", "v": ["p-1"]}
    asked = {"all": [goods, TWICE]} if has_goods else TWICE
    segment = make_segment(editor, about=1, asked=asked)
    own: dict[str, Any] = {"v0": ["p-1"]} if has_goods else {}  # ticks, which a browser posts as well
    editor.create()
    opened = typed_of(editor.page("process_edit_entry"))

    page = editor.post("process_edit_entry", **{**opened, "segment": str(segment.pk)}).content.decode()
    editor.post("process_edit_entry", **(typed_of(page) | own), products=products)

    entry, kept = editor.doc["entry"], editor.doc
    assert entry["segment"] == named(segment)
    assert entry["if"] == ({"all": [goods, asked]} if products else {"all": [asked]} if has_goods else TWICE)
    opened = typed_of(editor.page("process_edit_entry"))
    editor.post("process_edit_entry", **(opened | own), products=products)
    assert editor.doc == kept
    assert "As segment “Loyal customers” of" in editor.page("process_edit")
    editor.post("process_edit_entry", **(opened | own | {"on": "cart.abandoned"}))
    assert "segment" not in editor.doc["entry"]  # an order's questions are not those of a cart


def test_naming_a_segment_makes_no_version(editor: Editor) -> None:
    segment = make_segment(editor)
    editor.create()
    name = editor.put("if", ".first", **ROW)
    editor.client.post(editor.url("process_publish"), {"lock": editor.lock()})
    bare = editor.doc

    opened = {**typed_of(editor.page("process_edit_block", name)), "segment": str(segment.pk)}
    page = editor.post("process_edit_block", name, **opened).content.decode()
    editor.post("process_edit_block", name, **typed_of(page))

    assert editor.doc["nodes"][name]["segment"] == named(segment)
    assert doc_hash(ProcessDocument.model_validate(editor.doc)) == doc_hash(
        ProcessDocument.model_validate(bare)
    )
    with scopes_disabled():
        assert not has_changes(editor.process)


def test_a_segment_that_processes_name_is_not_deleted_and_the_places_are_links(editor: Editor) -> None:
    segment = make_segment(editor)
    editor.create()
    name = put_taken(editor, segment)
    url = f"/s/{editor.shop.slug}/segments/{segment.pk}/"

    refused = editor.client.post(f"{url}delete/")
    assert refused.status_code == 409
    assert f'href="{editor.url("process_edit")}#step-{name}"' in refused.content.decode()
    assert 'id="uses-title"' in editor.client.get(url).content.decode()

    # The draft lets go of it, but the version that runs has it: it still is not deleted.
    editor.client.post(editor.url("process_publish"), {"lock": editor.lock()})
    with scopes_disabled():
        set_status(editor.process, "live", actor=SYSTEM, now=NOW)
    editor.post("process_edit_block", name, **{**ROW, "v0": "9", "taken": ""})
    refused = editor.client.post(f"{url}delete/")
    assert refused.status_code == 409
    assert "Mine, as it runs" in refused.content.decode()
    assert f'href="{editor.url("process")}"' in refused.content.decode()

    with scopes_disabled():
        set_status(editor.process, "stopped", actor=SYSTEM, now=NOW)
    assert editor.client.post(f"{url}delete/").status_code == 303
    with scopes_disabled():
        assert not Segment.objects.filter(pk=segment.pk).exists()


def test_a_file_from_elsewhere_keeps_the_conditions_and_drops_the_segment(
    editor: Editor, world: World
) -> None:
    segment = make_segment(editor)
    editor.create()
    name = put_taken(editor, segment)
    content = editor.client.get(editor.url("process_export")).content
    assert json.loads(content)["process"]["nodes"][name]["segment"]["name"] == "Loyal customers"

    with scopes_disabled():
        doc = json.loads(content)["process"]
        there = create_process(world.other.shop, name="There", start=doc, actor=SYSTEM, now=NOW)
        here = create_process(editor.shop, name="Here", start=doc, actor=SYSTEM, now=NOW)
        forged = {**doc["nodes"][name], "segment": {**named(segment), "name": "Not its name"}}
        doc["nodes"][name] = forged
        false = create_process(editor.shop, name="Forged", start=doc, actor=SYSTEM, now=NOW)
        found = [draft_of(one).doc["nodes"][name] for one in (there, here, false)]

    assert [one["if"] for one in found] == [TWICE] * 3
    assert ["segment" in one for one in found] == [False, True, False]
