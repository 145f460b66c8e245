"""Processes that come with the product, as documents. Installing them is `processes.actions`' work."""

from functools import cache
from importlib.resources import files

from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.reading import read_json
from recoup.processes.graph.validation import load_process

SHIPPED = ("unpaid_order", "abandoned_cart")  # every shop starts with these
READY = (
    *SHIPPED,
    "unpaid_order_sms",
    "unpaid_order_offer",
    "failed_card",
    "failed_card_sms",
    "link_again",
    "personal_offer",
    "landing_link",
    "call_after_silence",
    "thanks",
    "renewal",
    "win_back",
)  # what one may begin with


@cache
def shipped_process(key: str) -> ProcessDocument:
    """Return a shipped document by its key."""
    return load_process(read_json(files(__package__).joinpath(f"{key}.json").read_bytes()))
