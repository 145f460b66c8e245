"""Conditions with groups within groups are asked for, filled in and opened again, without a script."""

import re
from typing import Any

import pytest

from tests.web.test_editor import Editor, editor, shown_errors

__all__ = ["editor"]
pytestmark = pytest.mark.django_db

# Typed as it stands on the page: a row by its place, a group by its match.
NESTED: dict[str, Any] = {
    "match": "all",
    "fact0": "order.total", "op0": ">=", "v0": "100",
    "match1": "any",
    "fact1_0": "contact.paid_count", "op1_0": ">=", "v1_0": "2", "w1_0": "90", "w1_0_unit": "D",
    "match1_1": "not_any",
    "fact1_1_0": "contact.last_paid_at", "op1_1_0": "within_last", "n1_1_0": "6", "n1_1_0_unit": "W",
    "match1_1_1": "not_all",
    "fact1_1_1_0": "order.placed_at", "op1_1_1_0": "before", "d1_1_1_0": "2026-11-02",
    "fact1_1_1_1": "contact.paid_sum", "op1_1_1_1": "<", "v1_1_1_1": "50.5", "cur1_1_1_1": "eur",
}  # fmt: skip
MADE = {
    "all": [
        {"f": "order.total", "op": ">=", "v": 100},
        {
            "any": [
                {"f": "contact.paid_count", "op": ">=", "v": 2, "within": "P90D"},
                {
                    "not": {
                        "any": [
                            {"f": "contact.last_paid_at", "op": "within_last", "v": "P6W"},
                            {
                                "not": {
                                    "all": [
                                        {"f": "order.placed_at", "op": "before", "v": "2026-11-02"},
                                        {"f": "contact.paid_sum", "op": "<", "v": "50.5", "currency": "EUR"},
                                    ]
                                }
                            },
                        ]
                    }
                },
            ]
        },
    ]
}


def test_groups_within_groups_are_kept_as_typed_and_opened_again(editor: Editor) -> None:
    editor.create()

    name = editor.put("if", ".first", **NESTED)

    assert editor.doc["nodes"][name]["if"] == MADE
    page = editor.page("process_edit_block", name)
    assert 'name="fact1_1_1_1" value="contact.paid_sum"' in page
    assert re.search(r'name="match1_1".*?<option value="not_any" selected>', page, re.DOTALL)
    before = editor.doc
    ways = dict(re.findall(r'<select name="(to_\w+)".*?<option value="(\w+)" selected', page, re.DOTALL))
    answer = editor.client.post(
        editor.url("process_edit_block", name), {**NESTED, **ways, "lock": editor.lock(), "label": ""}
    )
    assert answer.status_code == 303
    assert editor.doc == before


def test_a_group_is_asked_for_within_another_and_may_not_stay_empty(editor: Editor) -> None:
    editor.create()
    typed = {"fact0": "order.is_paid", "v0": "no", "match1": "any", "fact1_0": "order.total", "v1_0": "5"}

    page = editor.post(
        "process_edit_new", "if", query="?at=.first", **typed, group1="not_any"
    ).content.decode()
    answer = editor.post("process_edit_new", "if", query="?at=.first", **typed, match1_1="not_any", op1_0="<")

    assert 'name="match1_1"' in page
    assert 'name="new1_1"' in page
    assert (answer.status_code, shown_errors(answer)) == (422, ["Ask about: Choose what to ask about."])


def test_a_group_is_left_out_with_all_in_it(editor: Editor) -> None:
    editor.create()

    name = editor.put("if", ".first", **NESTED, gone1="on")

    assert editor.doc["nodes"][name]["if"] == {"f": "order.total", "op": ">=", "v": 100}
