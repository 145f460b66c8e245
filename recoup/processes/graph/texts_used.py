"""Which texts a block sends."""

from collections.abc import Mapping
from typing import Any


def keys_of_texts(node: Mapping[str, Any]) -> list[str]:
    """Return the keys of the texts of a sending block, one for each channel that it may take."""
    ways = node.get("otherwise", ())
    return [str(one["template"]) for one in (node, *ways) if one.get("template")]
