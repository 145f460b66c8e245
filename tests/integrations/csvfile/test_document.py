"""What `docs/connect/csv.md` says about mappings is what is read."""

import json
import re
from pathlib import Path

from recoup.integrations.csvfile.cells import STATES
from recoup.integrations.csvfile.plan import FIELDS, Plan, check_values

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs/connect/csv.md").read_text("utf-8")


def codes_behind(words: str) -> set[str]:
    """Return the codes of the quotation that follows some words."""
    told = re.search(re.escape(words) + r"[^`]*`([^`]+)`(?: or `(\w+)`)?", DOCUMENT)
    assert told
    return set(re.findall(r"\w+", " ".join(part or "" for part in told.groups())))


def test_it_lists_every_field_and_every_state() -> None:
    assert codes_behind("Fields:") == set(FIELDS)
    assert codes_behind("lead to") == {state.value for state in STATES}


def test_its_mapping_can_be_used() -> None:
    block = re.search(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    assert block

    check_values(Plan(**{"header": (), **json.loads(block[1])}))
