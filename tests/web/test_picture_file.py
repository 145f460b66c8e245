"""The picture of a process as a file: it stands alone, speaks the reader's language and holds nothing that runs."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.processes.models import Process
from recoup.web import picture_file
from recoup.web.picture import Branch, Node
from recoup.web.picture_file import COLOURS, svg_of
from tests.web.samples.pieces import process_nodes
from tests.web.test_editor import Editor
from tests.web.world import World

SVG = "{http://www.w3.org/2000/svg}"
TOKENS = Path(__file__).resolve().parents[2] / "frontend/src/tokens.css"


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def words_of(text: str) -> list[str]:
    return [one.text or "" for one in parsed(text).iter(f"{SVG}text")]


def test_the_file_stands_alone() -> None:
    text = svg_of(process_nodes(), "Unpaid order", "en")
    root = parsed(text)

    assert root.tag == f"{SVG}svg"
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {
        "svg", "title", "rect", "path", "circle", "line", "polyline", "polygon", "ellipse", "g", "text",
    }  # fmt: skip
    names = {name for one in root.iter() for name in one.attrib}
    assert not {name for name in names if name in ("class", "style", "href") or name.startswith("on")}
    assert all(one.get("fill") for one in root.iter(f"{SVG}text"))
    assert root.get("font-family", "").startswith("Inter,")


def test_every_step_and_word_is_in_it_and_no_live_number() -> None:
    nodes = process_nodes()

    text = svg_of(nodes, "Unpaid order", "en")

    titles = [one.text or "" for one in parsed(text).iter(f"{SVG}title")]
    boxed = [node for node in nodes if node.kind != "end" or node.branches]
    assert titles[0] == "Unpaid order"
    assert all(any(title.startswith(str(node.title)) for title in titles) for node in boxed)
    assert {str(way.label) for node in nodes for way in node.branches if way.label} <= set(words_of(text))
    assert [node.count for node in nodes if node.count and node.count in words_of(text)] == []


def test_what_a_person_typed_breaks_nothing() -> None:
    nodes = [
        Node("a", "send", "<script>\x0b & “x”\ufffe", "a < b", [Branch("b", "]]>")]),
        Node("b", "end", "End"),
    ]

    text = svg_of(nodes, "\x00<b>", "en")

    assert words_of(text)[:3] == ["]]>", "<script> & “x”", "a < b"]
    assert next(parsed(text).iter(f"{SVG}title")).text == "<b>"


def test_its_colours_are_the_light_ones_of_the_screens() -> None:
    light = dict(re.findall(r"--([\w-]+): light-dark\((#\w+)", TOKENS.read_text(encoding="utf-8")))

    assert {name: light[name] for name in COLOURS} == COLOURS


def test_its_icons_are_drawn_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_file, "symbol_of", lambda _sprite, name: f"mark of {name}")

    assert "mark of mail" in svg_of(process_nodes(), "Unpaid order", "en")


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "words"), [("en", "Wait 5 days"), ("de", "5 Tage warten")])
def test_the_page_of_a_process_gives_it_in_the_readers_language(
    world: World, language: str, words: str
) -> None:
    person = world.own.people[Role.MARKETER]
    editor = Editor(world, Role.MARKETER)
    with scopes_disabled():
        type(person).objects.filter(pk=person.pk).update(language=language)
        editor.process_id = editor.process_of("unpaid_order")

    answer = editor.client.get(editor.url("process_picture"))

    assert f'href="{editor.url("process_picture")}"' in editor.page("process")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert re.fullmatch(r'attachment; filename="[\w-]+\.svg"', answer.headers["Content-Disposition"])
    assert any(words in one for one in words_of(answer.content.decode()))


@pytest.mark.django_db
def test_what_was_never_published_has_no_picture(world: World) -> None:
    editor = Editor(world)
    editor.client.post(editor.url("process_new"), {"start": "nothing", "name": "Empty"})
    with scopes_disabled():
        editor.process_id = Process.objects.get(name="Empty").pk

    assert editor.client.get(editor.url("process_picture")).status_code == 404
    assert editor.url("process_picture") not in editor.page("process")
