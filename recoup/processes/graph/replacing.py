"""Other names for the texts and products of a document that comes from another shop."""

from collections.abc import Mapping
from typing import Any

from recoup.processes.graph.editing import Raw


def replace_names(doc: Raw, texts: Mapping[str, str], products: Mapping[str, str]) -> Raw:
    """Return the document with texts and products called as this shop calls them."""
    nodes = {}
    for name, node in doc["nodes"].items():
        changed = _with_products(node, products)
        if node["t"] == "send":
            changed["template"] = texts.get(node["template"], node["template"])
        nodes[name] = changed
    return {**doc, "entry": _with_products(doc["entry"], products), "nodes": nodes}


def _with_products(value: Any, products: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_products(one, products) for one in value]
    if not isinstance(value, Mapping):
        return value
    is_asked = str(value.get("f", "")).endswith(".products")
    return {
        key: _renamed(inner, products)
        if key == "products" or (key == "v" and is_asked)
        else _with_products(inner, products)
        for key, inner in value.items()
    }


def _renamed(refs: Any, products: Mapping[str, str]) -> Any:
    if not isinstance(refs, list):
        return refs
    return list(dict.fromkeys(products.get(str(ref), ref) for ref in refs))
