"""A process as one file: its texts travel with it, its examples run when it comes in (J10)."""

import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django_scopes import scopes_disabled

from recoup.messaging.models import Template, TemplateVersion
from recoup.messaging.templates import add_template
from recoup.processes.calls import add_endpoint
from recoup.processes.drafts import problems_of
from recoup.processes.graph.replacing import _FACTS
from recoup.processes.models import Process
from recoup.segments.field import FieldType
from recoup.segments.fields import FIELDS
from recoup.shops.models import Membership, Source
from tests.factories.moments import NOW
from tests.processes.worlds import document
from tests.web.test_editor import Editor, exported, make_product, shown_errors
from tests.web.world import World


@pytest.fixture
def editor(world: World) -> Editor:
    made = Editor(world)
    made.open_shipped()
    return made


def mjml(inner: str) -> str:
    return f"<mjml><mj-body><mj-section><mj-column>{inner}</mj-column></mj-section></mj-body></mjml>"


def upload(editor: Editor, whole: dict[str, Any]) -> Any:
    file = SimpleUploadedFile("theirs.json", json.dumps(whole).encode())
    editor.process_id = 0
    return editor.client.post(editor.url("process_import"), {"file": file})


def settle(editor: Editor, whole: dict[str, Any], **typed: str) -> Any:
    editor.process_id = 0
    posted = {"name": "Theirs", "content": json.dumps(whole), **typed}
    answer = editor.client.post(editor.url("process_import"), posted)
    if answer.status_code == 303:
        editor.process_id = int(answer.headers["Location"].split("/")[-3])
    return answer


def texts(editor: Editor, key: str) -> list[Template]:
    with scopes_disabled():
        found = Template.objects.filter(shop=editor.shop, key__startswith=key)
        return list(found.select_related("current_version").order_by("key"))


def test_the_file_holds_the_texts_that_the_process_sends(editor: Editor) -> None:
    whole = json.loads(exported(editor))

    assert set(whole) == {"recoup_process", "process", "texts"}
    assert sorted(whole["texts"]) == ["order_reminder_1", "order_reminder_2", "order_reminder_3"]
    assert sorted(whole["texts"]["order_reminder_1"]["words"]) == ["de", "en", "pl", "ru"]
    assert "compiled" not in json.dumps(whole)


def test_a_draft_that_is_not_finished_comes_in_again_and_shows_what_is_to_be_put_right(
    editor: Editor,
) -> None:
    editor.post("process_edit_goals")
    whole, doc = json.loads(exported(editor)), editor.doc
    assert "goals" not in doc

    page = upload(editor, whole).content.decode()
    answer = settle(editor, whole)

    assert "One thing keeps it from being published, as it came" in page
    assert answer.status_code == 303, shown_errors(answer)
    assert editor.doc == {**doc, "name": "Theirs"}
    assert "A reminder needs the goal" in editor.page("process_edit")


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ({"t": "end"}, "Nothing leads to this block"),
        ({"t": "wait", "for": "PT1H", "out": {"next": "n98"}}, "n98 does not exist"),
        (
            {"t": "split", "arms": [{"id": "a", "w": 1}, {"id": "b", "w": 1}], "out": {"c": "n1"}},
            "leads nowhere",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_its_place(
    editor: Editor, node: dict[str, Any], told: str
) -> None:
    whole = json.loads(exported(editor))
    whole["process"]["nodes"]["n99"] = node

    answer = upload(editor, whole)

    assert answer.status_code == 422
    assert told in " ".join(shown_errors(answer))


def test_a_text_that_is_not_here_is_taken_from_the_file_and_can_be_sent(editor: Editor) -> None:
    whole = json.loads(exported(editor))
    whole["texts"]["their_text"] = {**whole["texts"]["order_reminder_1"], "name": "Their text"}
    whole["process"]["nodes"]["n4"]["template"] = "their_text"
    whole["process"].pop("examples")

    page = upload(editor, whole).content.decode()
    answer = settle(editor, whole, text0=".")

    assert "Text “Their text”" in page
    assert answer.status_code == 303, shown_errors(answer)
    (made,) = texts(editor, "their_text")
    assert (made.name, made.current_version is not None) == ("Their text", True)
    assert editor.doc["nodes"]["n4"]["template"] == "their_text"


def test_a_text_of_the_same_key_that_the_file_does_not_bring_is_asked_for(editor: Editor) -> None:
    with scopes_disabled():
        add_template(editor.shop, key="mine_2", name="Mine", kind="order")
        mine, ready = (
            Template.objects.get(shop=editor.shop, key=key) for key in ("mine_2", "order_reminder_1")
        )
        Template.objects.filter(pk=mine.pk).update(current_version=ready.current_version)
    whole = json.loads(exported(editor))
    whole["process"]["nodes"]["n4"]["template"] = "mine_2"

    page = upload(editor, {**whole, "texts": {}}).content.decode()

    assert re.findall(r"Text “(\w+)”", page) == ["mine_2"]
    assert proposed(page) == {"text0": "mine_2"}


def test_a_text_of_the_same_name_is_not_written_over(editor: Editor) -> None:
    whole = json.loads(exported(editor))
    whole["texts"]["order_reminder_1"]["words"]["en"]["subject"] = "Pay {{ order.number }} now"
    before = texts(editor, "order_reminder_1")[0].current_version

    mine = settle(editor, whole, name="With mine", text0="order_reminder_1")
    doc_with_mine = editor.doc
    theirs = settle(editor, whole, name="With theirs", text0=".")

    assert (mine.status_code, theirs.status_code) == (303, 303)
    assert doc_with_mine["nodes"]["n4"]["template"] == "order_reminder_1"
    assert editor.doc["nodes"]["n4"]["template"] == "order_reminder_1_2"
    assert editor.doc["examples"][0]["expect"][0]["block"]["template"] == "order_reminder_1_2"
    kept, second = texts(editor, "order_reminder_1")
    assert kept.current_version == before
    assert second.current_version is not None
    assert second.current_version.texts["en"]["subject"] == "Pay {{ order.number }} now"


def test_short_texts_travel_with_it_and_keep_their_channel(editor: Editor) -> None:
    editor.process_id = 0
    made = editor.client.post(editor.url("process_new"), {"start": "shipped:failed_card_sms", "name": "Mine"})
    editor.process_id = int(made.headers["Location"].split("/")[-3])
    whole = json.loads(editor.client.get(editor.url("process_export")).content)
    for key in ("sms_failed_card", "sms_link_again"):
        texts(editor, key)[0].delete()
    page = upload(editor, whole).content.decode()
    offered = dict(re.findall(r'(?s)<select[^>]*name="(text\d)"[^>]*>(.*?)</select>', page))
    assert len(offered) == 2
    assert [value for one in offered.values() for value in re.findall(r'value="([^"]+)"', one)] == ["."] * 2

    answer = settle(editor, whole, name="Theirs", text0=".", text1=".", text2=".", text3=".")

    assert answer.status_code == 303, shown_errors(answer)
    assert editor.doc["nodes"]["n4"]["otherwise"] == [{"channel": "sms", "template": "sms_link_again"}]
    came = [texts(editor, key)[0] for key in ("sms_failed_card", "sms_link_again")]
    assert [(one.channel, one.current_version is not None) for one in came] == [("sms", True)] * 2
    assert sorted(came[0].draft) == ["de", "en", "pl", "ru"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (mjml("<mj-text>{{ nonsense.token }}</mj-text>"), "nonsense"),
        (mjml('<mj-button href="javascript:alert(1)">x</mj-button>'), "javascript"),
    ],
)
def test_a_text_that_may_not_be_published_comes_in_with_nothing_else(
    editor: Editor, body: str, told: str
) -> None:
    whole = json.loads(exported(editor))
    whole["texts"]["order_reminder_1"]["words"] = {"en": {"subject": "Hello", "body": body}}
    with scopes_disabled():
        before = (Process.objects.count(), Template.objects.count(), TemplateVersion.objects.count())

    answer = settle(editor, whole, text0=".")

    assert answer.status_code == 422
    assert told in " ".join(shown_errors(answer))
    with scopes_disabled():
        assert (Process.objects.count(), Template.objects.count(), TemplateVersion.objects.count()) == before


@pytest.mark.parametrize(
    "texts",
    [
        [],
        {"order_reminder_1": {"name": "x", "kind": "order", "words": {}}},
        {"order_reminder_1": {"name": "x", "kind": "order", "words": {"en": {"script": "x"}}}},
        {"order_reminder_1": {"name": "x" * 500, "kind": "order", "words": {"en": {}}}},
        {"order_reminder_1": {"name": "x", "kind": "order", "channel": "fax", "words": {"en": {}}}},
    ],
)
def test_texts_that_are_none_are_refused_with_their_place(editor: Editor, texts: Any) -> None:
    whole = json.loads(exported(editor)) | {"texts": texts}

    answer = upload(editor, whole)

    assert answer.status_code == 422
    assert "texts" in " ".join(shown_errors(answer))


def test_a_file_whose_examples_do_not_hold_comes_in_only_when_somebody_says_so(editor: Editor) -> None:
    whole = json.loads(exported(editor))
    whole["process"]["examples"][0]["expect"][0]["after"] = "PT20H"

    page = upload(editor, whole).content.decode()
    refused = settle(editor, whole)
    taken = settle(editor, whole, anyway="on")

    assert "1 of 5 examples do not hold" in page
    assert "Expected: after 20 hours: “Unpaid order, first reminder” is sent." in page
    assert refused.status_code == 422
    assert (taken.status_code, editor.process.status) == (303, "draft")


def test_the_editor_says_which_examples_no_longer_hold_and_takes_the_new_way_as_right(editor: Editor) -> None:
    longer = {
        "mode": "for", "span": "48", "span_unit": "H", "at": "10:00", "least": "", "least_unit": "H",
        "date": "order.placed_at", "side": "on", "offset": "", "offset_unit": "H", "max_rounds": "",
        "to_next": "n4",
    }  # fmt: skip
    assert "5 examples were played through" in editor.page("process_edit")

    editor.post("process_edit_block", "n3", **longer)
    assert editor.doc["nodes"]["n3"]["for"] == "PT48H"
    page = editor.page("process_edit")
    assert "This is right now" in page
    failed = [
        number
        for number, one in enumerate(editor.doc["examples"])
        if f'name="number" value="{number}"' in page
    ]
    for number in failed:
        editor.post("process_edit_examples", number=str(number), to="accept")

    assert failed == [0, 2]
    assert editor.doc["examples"][0]["expect"][0] == {
        "after": "PT48H", "block": {"t": "send", "template": "order_reminder_1"},
    }  # fmt: skip
    assert "5 examples were played through" in editor.page("process_edit")
    editor.post("process_edit_examples", number="4", to="remove")
    assert len(editor.doc["examples"]) == 4


def naming(editor: Editor) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a process that names something of every kind, all of it there in this shop, and the parts that name it."""
    with scopes_disabled():
        erp = add_endpoint(editor.shop, name="ERP", url="https://erp.example", now=NOW)
        other = Process.objects.get(shop=editor.shop, key="unpaid_order").pk
        source = Source.objects.filter(shop=editor.shop).earliest("pk")
        ann = Membership.objects.filter(shop=editor.shop).earliest("pk").user_id
    make_product(editor, "7", "Bicycle")
    asked = {"all": [
        {"f": "order.source", "op": "=", "v": str(source.pk)},
        {"not": {"f": "contact.bought", "op": "has_any", "v": ["7"]}},
    ]}  # fmt: skip
    parts = {
        "entry": {"on": "process.ended", "about": "order", "process": other, "first": "n1", "if": asked},
        "n1": {"t": "webhook", "endpoint": erp.pk, "out": {"ok": "n2"}},
        "n2": {"t": "task", "title": "Call", "person": ann, "out": {"done": "n3"}},
        "n3": {"t": "enrol", "process": other, "out": {"next": "n4"}},
        "n4": {"t": "offer", "kind": "gift", "gift": "7", "valid": "P2D", "out": {"granted": "n5"}},
        "n5": {"t": "end"},
    }
    nodes = {name: part for name, part in parts.items() if name != "entry"}
    expect = [{"after": "PT0S", "block": {"t": "webhook", "endpoint": erp.pk}}]
    example = {"name": "One", "order": {"products": ["7"]}, "expect": expect}
    return document(nodes, entry=parts["entry"], examples=[example]), parts


def proposed(page: str) -> dict[str, str]:
    """Return what stands in the fields of the wizard before anybody has chosen."""
    selects = re.findall(r'(?s)<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', page)
    found = {name: "".join(re.findall(r'value="([^"]*)" selected', inner)) for name, inner in selects}
    ticked = re.findall(r'name="(product\d)" value="([^"]*)"[^>]*checked', page)
    return found | dict(ticked)


def test_numbers_of_another_shop_are_never_taken_for_ours(editor: Editor) -> None:
    whole, _parts = naming(editor)

    page = upload(editor, whole).content.decode()
    answer = settle(editor, whole, anyway="on")

    assert answer.status_code == 303, shown_errors(answer)
    assert set(proposed(page).values()) == {""}
    doc = editor.doc
    nodes = doc["nodes"]
    assert (
        doc["entry"]["process"],
        nodes["n1"]["endpoint"],
        nodes["n2"]["person"],
        nodes["n3"]["process"],
    ) == (0,) * 4
    assert nodes["n4"]["gift"] == "? 7"
    assert doc["entry"]["if"]["all"][0]["v"].startswith("? ")
    assert doc["entry"]["if"]["all"][1]["not"]["v"] == ["? 7"]
    assert doc["examples"][0]["expect"][0]["block"]["endpoint"] == 0
    with scopes_disabled():
        problems = [(one.path, one.code) for one in problems_of(editor.process, doc)]
    assert problems == [(at, "left_open") for at in ("entry", "nodes.n1", "nodes.n2", "nodes.n3", "nodes.n4")]
    assert "Choose which one of yours is meant" in editor.page("process_edit")
    assert "Choose…" in editor.page("process_edit_block", "n2")


def test_what_has_the_same_name_here_is_proposed_and_taken(editor: Editor) -> None:
    whole, parts = naming(editor)
    theirs = json.loads(json.dumps(whole).replace('"7"', '"900"'))
    theirs["entry"]["process"] = theirs["nodes"]["n3"]["process"] = 901
    theirs["nodes"]["n1"]["endpoint"] = theirs["examples"][0]["expect"][0]["block"]["endpoint"] = 902
    theirs["nodes"]["n2"]["person"] = 903
    theirs["entry"]["if"]["all"][0]["v"] = "904"
    with scopes_disabled():
        source = Source.objects.filter(shop=editor.shop).earliest("pk").name
        person = Membership.objects.filter(shop=editor.shop).earliest("pk").user.name
    names = {
        "process": {"901": "Unpaid order", "3": "not named"}, "program": {"902": "erp"}, "person": {"903": person},
        "source": {"904": source}, "product": {"900": "Bicycle"},
    }  # fmt: skip
    file = {"recoup_process": 1, "process": theirs, "names": names}

    found = proposed(upload(editor, file).content.decode())
    answer = settle(editor, file, anyway="on", **found)

    assert answer.status_code == 303, shown_errors(answer)
    assert editor.doc["entry"] == parts["entry"]
    assert editor.doc["nodes"] == {name: part for name, part in parts.items() if name != "entry"}
    assert editor.doc["examples"] == whole["examples"]


def test_an_exported_file_names_what_its_numbers_mean(editor: Editor) -> None:
    whole, parts = naming(editor)
    process, program = str(parts["n3"]["process"]), str(parts["n1"]["endpoint"])
    person = str(parts["n2"]["person"])
    settle(editor, whole, anyway="on", process0=process, program0=program, person0=person, product0="7")

    names = json.loads(editor.client.get(editor.url("process_export")).content)["names"]

    assert names["process"] == {process: "Unpaid order"}
    assert names["program"] == {program: "ERP"}
    assert names["product"] == {"7": "Bicycle"}
    assert list(names["person"]) == [person]
    assert "source" not in names  # it was left open


def test_a_product_of_the_wizard_is_searched_for(editor: Editor) -> None:
    whole, _parts = naming(editor)

    page = settle(editor, whole, name="Kept", product0_q="bicy").content.decode()

    assert re.search(r'name="product0" value="7"', page)
    assert 'value="Kept"' in page
    assert not shown_errors(settle(editor, whole, product0_q="bicy"))


@pytest.mark.parametrize(
    "names", [[], {"program": []}, {"program": {"1": {}}}, {"program": {"1": "x" * 5000}}]
)
def test_names_that_are_none_are_refused(editor: Editor, names: Any) -> None:
    nodes = {"n1": {"t": "webhook", "endpoint": 1, "out": {"ok": "n2"}}, "n2": {"t": "end"}}

    answer = upload(editor, {"recoup_process": 1, "process": document(nodes), "names": names})

    assert answer.status_code == 422
    assert "names" in " ".join(shown_errors(answer))


def test_every_fact_about_products_or_sources_is_mapped() -> None:
    naming_facts = {
        one.name
        for one in FIELDS.values()
        if (one.type is FieldType.LIST and not one.folds) or one.name.endswith(".source")
    }

    assert set(_FACTS) == naming_facts
