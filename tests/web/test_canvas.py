"""What the canvas is told, and what becomes of what it does: the actions of the list, answered in JSON."""

from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.shipped import SHIPPED
from recoup.web.shown.canvas import family_of
from tests.web.test_editor import WHOLE_WAIT, Editor
from tests.web.world import World, client_of

pytestmark = pytest.mark.django_db
CANVAS = {"Recoup-Canvas": "1"}


@pytest.fixture
def editor(world: World) -> Editor:
    found = Editor(world)
    found.open_shipped()
    return found


def everything(editor: Editor) -> dict[str, Any]:
    answer = editor.client.get(editor.url("process_canvas"))
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def blocks_of(editor: Editor) -> dict[str, Any]:
    return {block["id"]: block for block in everything(editor)["state"]["blocks"]}


def do(editor: Editor, name: str, lock: str = "", **values: str) -> Any:
    posted = {"lock": lock or everything(editor)["state"]["lock"], **values}
    return editor.client.post(editor.url(f"process_edit_{name}"), posted, headers=CANVAS)


def test_blocks_and_ways_come_in_words(editor: Editor) -> None:
    blocks = blocks_of(editor)

    assert [blocks[name]["title"] for name in ("entry", "n2", "n4", "n9")] == [
        "An order stays unpaid",
        "Wait 5 days",
        "Send a reminder",
        "End",
    ]
    assert [(way["port"], way["label"], way["to"]) for way in blocks["n1"]["ways"]] == [
        ("yes", "yes", "n2"),
        ("no", "no", "n3"),
    ]
    assert blocks["n1"]["ways"][0]["name"] == "Way “yes” from 1. Check a condition to 2. Wait 5 days"
    assert blocks["n4"]["ways"] == [
        {
            "at": "n4.done",
            "port": "done",
            "label": "",
            "to": "n5",
            "name": "Way from 4. Send a reminder to 5. Wait 48 hours",
        }
    ]
    assert blocks["n9"]["canRemove"] is False
    assert {block["family"] for block in blocks.values()} == {"start", "goals", "ask", "wait", "do", "end"}


def test_every_kind_stands_in_the_menu_with_its_help(editor: Editor) -> None:
    families = everything(editor)["kinds"]
    shown = [kind for family in families for kind in family["kinds"]]

    assert {kind["kind"] for kind in shown} == set(KINDS)
    assert all(kind["name"] and kind["help"] and kind["icon"] for kind in shown)
    assert [family_of(kind) for kind in ("send", "wait", "until", "split", "goal", "end")] == [
        "do",
        "wait",
        "ask",
        "ask",
        "end",
        "end",
    ]


def test_an_edit_gives_the_new_draft_and_can_be_taken_back(editor: Editor) -> None:
    before = editor.doc

    removed = do(editor, "remove", block="n5").json()
    led = do(editor, "lead", at="n1.yes", to="").json()
    moved = do(editor, "move", block="n7", at=".first").json()

    assert "n5" not in {block["id"] for block in removed["state"]["blocks"]}
    assert removed["state"]["canUndo"] is True
    assert led["said"] == []
    assert moved["state"]["isStored"] is True
    for _ in range(3):
        do(editor, "step", to="undo")
    assert editor.doc == before


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("remove", {"block": "n9"}, "Every way needs its end. Lead the way elsewhere instead."),
        ("move", {"block": "n4", "at": "n5.next"}, "That way belongs to what would be moved. Choose one outside of it."),
        ("move", {"block": "n5", "at": "n4.done"}, "That step stands there already."),
        ("lead", {"to": "n77", "at": "n4.done"}, "That step is not there any more."),
        ("step", {"to": "redo"}, "There is no such change."),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_and_changes_nothing(
    editor: Editor, name: str, values: dict[str, str], why: str
) -> None:
    before = editor.doc

    answer = do(editor, name, **values)

    assert (answer.status_code, answer.json()) == (422, {"refused": why})
    assert editor.doc == before


def test_the_form_in_the_panel_is_the_one_of_the_page_and_answers_with_the_draft(editor: Editor) -> None:
    form = editor.client.get(editor.url("process_edit_block", "n5"), headers=CANVAS)
    lock = everything(editor)["state"]["lock"]
    typed = {
        **WHOLE_WAIT,
        "lock": lock,
        "label": "",
        "note": "Ask Ewa.",
        "span": "3",
        "span_unit": "D",
        "to_next": "n6",
    }
    saved = editor.client.post(editor.url("process_edit_block", "n5"), typed, headers=CANVAS)
    stale = editor.client.post(editor.url("process_edit_block", "n5"), {**typed, "span": "4"}, headers=CANVAS)
    wrong = editor.client.post(
        editor.url("process_edit_block", "n5"),
        {**typed, "lock": saved.json()["state"]["lock"], "span": "x"},
        headers=CANVAS,
    )

    assert b"<html" not in form.content
    assert form.content.count(b'name="lock"') >= 1
    assert saved.json()["mark"] == "n5"
    assert blocks_of(editor)["n5"]["note"] == "Ask Ewa."
    assert blocks_of(editor)["n5"]["name"] == "5. Wait 3 days. Note: Ask Ewa"
    assert (stale.status_code, wrong.status_code) == (409, 422)
    assert b"changed this draft while you were typing" in stale.content
    assert b"<html" not in wrong.content


def test_a_press_on_an_old_canvas_does_nothing_and_says_why(editor: Editor, world: World) -> None:
    lock = everything(editor)["state"]["lock"]
    other = Editor(world, Role.MARKETER)
    other.open_shipped()
    do(other, "remove", block="n5")

    answer = do(editor, "remove", lock=lock, block="n4")

    assert answer.status_code == 409
    assert answer.json()["other"] == "Marketer"
    assert answer.json()["lines"] == ["Taken out: 5. Wait 48 hours", "Leads elsewhere: 4. Send a reminder"]
    assert answer.json()["state"]["lock"] == everything(editor)["state"]["lock"]
    assert "n4" in editor.doc["nodes"]


def test_a_note_makes_no_version_and_is_not_lost(editor: Editor) -> None:
    editor.post(
        "process_edit_block", "n5", **WHOLE_WAIT, span="48", span_unit="H", to_next="n6", note="Ask Ewa."
    )
    version = editor.process.current_version

    page = editor.page("process_publish")
    editor.client.post(editor.url("process_publish"), {"lock": editor.lock()})

    assert "Nothing. Publishing makes no new version." in page
    assert editor.process.current_version == version
    assert editor.doc["nodes"]["n5"]["note"] == "Ask Ewa."
    assert "Ask Ewa." in editor.page("process_edit")
    assert "There are changes that are not published." not in editor.page("process")


def test_problems_stand_at_their_block_and_in_the_list(editor: Editor) -> None:
    editor.post("process_edit_goals", goals=[])

    state = everything(editor)["state"]

    assert [problem["at"] for problem in state["problems"]] == ["goals"]
    goals = next(block for block in state["blocks"] if block["id"] == "goals")
    assert goals["problems"][0] in state["problems"][0]["text"]
    assert state["problemsTitle"] == "One thing keeps it from being published"


def test_who_may_not_edit_gets_no_canvas(world: World, editor: Editor) -> None:
    client = client_of(world.own.people[Role.VIEWER])

    assert client.get(editor.url("process_canvas")).status_code == 403


@pytest.mark.parametrize("language", ["en", "pl", "ru", "de"])
@pytest.mark.parametrize("key", SHIPPED)
def test_each_ready_process_has_a_tour_in_every_language(world: World, key: str, language: str) -> None:
    person = world.own.people[Role.OWNER]
    editor = Editor(world)
    with scopes_disabled():
        type(person).objects.filter(pk=person.pk).update(language=language)
        editor.process_id = editor.process_of(key)
    tour = everything(editor)["tour"]

    assert 3 <= len(tour) <= 6
    assert all(stop["title"] and stop["text"] and stop["place"] for stop in tour)
    assert {stop["at"] for stop in tour} <= {*editor.doc["nodes"], "entry", "goals"}
    page = editor.page("process_edit")
    assert all(f'href="#step-{stop["at"]}"' in page for stop in tour)


def test_a_stop_about_a_block_that_was_taken_out_is_left_out(editor: Editor) -> None:
    at = next(stop["at"] for stop in everything(editor)["tour"] if stop["at"].startswith("n"))
    before = len(everything(editor)["tour"])

    do(editor, "remove", block=at)

    assert len(everything(editor)["tour"]) == before - 1
