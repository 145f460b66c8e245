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
            if "otherwise" in node:
                changed["otherwise"] = [
                    {**way, "template": texts.get(way["template"], way["template"])}
                    for way in node["otherwise"]
                ]
        nodes[name] = changed
    changed_doc = {**doc, "entry": _with_products(doc["entry"], products), "nodes": nodes}
    if "examples" in doc:
        changed_doc["examples"] = [_example(one, texts, products) for one in doc["examples"]]
    return changed_doc


def _example(example: Raw, texts: Mapping[str, str], products: Mapping[str, str]) -> Raw:
    changed: Raw = _with_products(example, products)
    for expected in changed.get("expect", []):
        block = expected["block"]
        if "template" in block:
            block["template"] = texts.get(block["template"], block["template"])
    return changed


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
