"""The ready processes: each comes with its texts, in every language, and is fit to be published (J11)."""

import re
from importlib.resources import files
from typing import Any

import pytest
from django.utils import translation
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.messaging import shipped
from recoup.messaging.models import Template
from recoup.processes.drafts import problems_of
from recoup.processes.files import sent_texts
from recoup.processes.models import Process
from recoup.processes.shipped import READY, shipped_process
from recoup.web.words.ready import GROUPS
from recoup.web.words.ready import READY as READY_WORDS
from tests.web.test_editor import Editor
from tests.web.world import World


@pytest.fixture
def editor(world: World) -> Editor:
    return Editor(world)


def create(editor: Editor, key: str, name: str = "") -> Any:
    editor.process_id = 0
    answer = editor.client.post(editor.url("process_new"), {"start": f"shipped:{key}", "name": name})
    if answer.status_code == 303:
        editor.process_id = int(answer.headers["Location"].split("/")[-3])
    return answer


def test_every_ready_process_stands_under_one_heading() -> None:
    listed = [key for _title, keys in GROUPS for key in keys]

    assert sorted(listed) == sorted(READY_WORDS) == sorted(READY)


def test_every_document_that_is_shipped_can_be_chosen() -> None:
    names = [file.name for file in files("recoup.processes.shipped").iterdir()]

    assert sorted(READY) == sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


@pytest.mark.parametrize("key", READY)
def test_a_ready_process_is_fit_to_be_published_but_for_what_only_the_shop_can_know(
    editor: Editor, key: str
) -> None:
    assert create(editor, key).status_code == 303

    doc = editor.doc
    with scopes_disabled():
        found = [(one.code, one.values.get("template")) for one in problems_of(editor.process, doc)]
    unfinished = sent_texts(doc) & set(shipped.UNFINISHED_KEYS)
    assert found == [("unknown_template", key) for key in sorted(unfinished)]
    assert editor.process.status == "draft"


@pytest.mark.parametrize("key", READY)
def test_a_ready_process_says_in_four_languages_what_it_has_to_do(key: str) -> None:
    for example in shipped_process(key).examples:
        assert isinstance(example.name, dict)
        assert sorted(example.name) == ["de", "en", "pl", "ru"]
        assert len(set(example.name.values())) == 4


@pytest.mark.parametrize("key", READY)
def test_a_tour_leads_through_a_ready_process_in_four_languages(key: str) -> None:
    doc = shipped_process(key)

    assert 3 <= len(doc.tour) <= 6
    assert {stop.at for stop in doc.tour} <= {*doc.nodes, "entry", "goals"}
    assert len({stop.at for stop in doc.tour}) == len(doc.tour)
    for stop in doc.tour:
        for words in (stop.title, stop.text):
            assert sorted(words) == ["de", "en", "pl", "ru"]
            assert len(set(words.values())) == 4
        assert re.search("[а-яё]", stop.text["ru"])


def test_who_takes_one_is_led_through_it_in_their_language(editor: Editor, world: World) -> None:
    person = world.own.people[Role.OWNER]
    with scopes_disabled():
        type(person).objects.filter(pk=person.pk).update(language="de")

    create(editor, "landing_link")

    shown = editor.client.get(editor.url("process_canvas")).json()["tour"]
    assert [stop["at"] for stop in shown] == ["n2", "entry", "n3", "n4"]
    assert shown[0]["title"] == "Ihre Seite in den Text setzen"
    assert "ersetzen Sie die Beispieladresse" in editor.page("process_edit")


def test_its_texts_come_along_and_those_of_the_shop_stay_as_they_are(editor: Editor) -> None:
    create(editor, "link_again")
    with scopes_disabled():
        text = Template.objects.get(shop=editor.shop, key="order_link_again")
        assert (text.current_version is not None, sorted(text.draft)) == (True, ["de", "en", "pl", "ru"])
        Template.objects.filter(pk=text.pk).update(name="Mine now", draft={})

    create(editor, "link_again")

    with scopes_disabled():
        assert Template.objects.get(shop=editor.shop, key="order_link_again").name == "Mine now"


def test_one_of_the_same_name_gets_a_number(editor: Editor) -> None:
    for _number in range(3):
        create(editor, "link_again")

    with scopes_disabled():
        names = Process.objects.filter(shop=editor.shop, name__startswith="Link").values_list(
            "name", flat=True
        )
        assert sorted(names) == ["Link once more", "Link once more 2", "Link once more 3"]


def test_an_empty_one_needs_a_name(editor: Editor) -> None:
    editor.process_id = 0
    answer = editor.client.post(editor.url("process_new"), {"start": "nothing", "name": ""})

    assert answer.status_code == 422


def test_the_gallery_shows_every_ready_process(editor: Editor) -> None:
    with translation.override("en"):
        page = editor.page("process_new")

    assert [key for key in READY if f'value="shipped:{key}"' not in page] == []
    assert "2 texts · 3 examples" in page
