"""The text of the bench of sending: the first shipped reminder, and the same as a Django template for the twin."""

import re
from functools import cache

from recoup.messaging import shipped
from recoup.messaging.rendering.pool import RenderPool
from recoup.messaging.rendering.saving import compile_template
from recoup.messaging.rendering.templates import CompiledTemplate, TemplateSource

_TOKENS = {
    "order.number": "number",
    "customer.first_name": "first_name",
    "order.placed_at": "date",
    "order.due": "sum",
}


@cache
def compiled_text() -> CompiledTemplate:
    """Return the shipped text, compiled."""
    text = shipped.shipped_texts("order_reminder_1")["en"]
    source = TemplateSource(text.subject, text.body, context="order", locale="en")
    pool = RenderPool()
    try:
        return compile_template(source, message_class="contract", pool=pool)
    finally:
        pool.close()


def twin_texts() -> tuple[str, str, str]:
    """Return subject, HTML and plain text as Django templates that print the same."""
    text = compiled_text()
    return _translated(text.subject), _translated(text.html), _translated(text.text)


def _translated(source: str) -> str:
    # The orders of the bench cost what their goods cost, so our mails have no such rows.
    source = re.sub(r"\{%\s*for extra in .*?%\}.*?\{%\s*endfor\s*%\}", "", source, flags=re.DOTALL)
    source = re.sub(r"\{%-?\s*for .*?%\}", "", source)
    source = re.sub(r"\{%-?\s*endfor\s*-?%\}", "", source)
    source = re.sub(r"\{%\s*if item\..*?%\}.*?\{%\s*endif\s*%\}", "", source, flags=re.DOTALL)
    source = re.sub(r"\{%\s*if shop\..*?%\}.*?\{%\s*endif\s*%\}", "", source, flags=re.DOTALL)
    source = re.sub(r"\{%\s*if customer.*?%\}", "{% if first_name %}", source)
    source = re.sub(r"\{\{\s*(links\.[a-z_]+|order\.pay_link)\s*\}\}", "{{ link }}", source)
    source = source.replace("{{ item.name }}", "Hand cream").replace("{{ shop.name }}", "Pottery")
    source = re.sub(r"\{\{\s*item\.[a-z]+\s*\}\}", "{{ sum }}", source)
    for token, name in _TOKENS.items():
        source = re.sub(r"\{\{\s*" + re.escape(token) + r"[^}]*\}\}", "{{ " + name + " }}", source)
    return source
