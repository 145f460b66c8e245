"""Templates for tests."""

from recoup.messaging.rendering.pool import Rendered, RenderFailure, RenderItem, RenderPool
from recoup.messaging.rendering.samples import Sample, sample_context
from recoup.messaging.rendering.saving import Problem, check_template, compile_template
from recoup.messaging.rendering.templates import CompiledTemplate, TemplateSource
from recoup.messaging.rendering.tokens import Context

REMINDER = """<mjml lang="pl"><mj-head><mj-preview>Zamówienie {{ order.number }}</mj-preview>
<mj-style>.x { color: red }</mj-style></mj-head>
<mj-body><mj-section><mj-column>
<mj-text>Dzień dobry {{ customer.first_name | fallback: "drogi Kliencie" }},<br>
czy wszystko w porządku z zamówieniem <b>{{ order.number }}</b> z {{ order.placed_at | date: "long" }}?</mj-text>
<mj-table>
{% for item in order.items %}
<tr><td>{{ item.name }}{% if item.variant %} ({{ item.variant }}){% endif %}</td>
<td>{{ item.quantity }} szt.</td><td>{{ item.total }}</td></tr>
{% endfor %}
</mj-table>
<mj-text>{{ order.items.size | plural: one: "# produkt", few: "# produkty", many: "# produktów" }},
razem {{ order.total }}.</mj-text>
<mj-button href="{{ order.pay_link }}">Zapłać teraz</mj-button>
{% if shop.phone %}
<mj-text>Telefon: {{ shop.phone }}</mj-text>
{% endif %}
<mj-divider/>
<mj-text><a href="{{ links.stop_order }}">Nie przypominaj o tym zamówieniu</a> &middot;
<a href="{{ links.unsubscribe }}">{{ links.unsubscribe }}</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""

REMINDER_TEXT = """\
Dzień dobry Anna,
czy wszystko w porządku z zamówieniem 1042 z 18 listopada 2026?

Kubek ceramiczny  2 szt.  98,00\xa0zł
Lniany fartuch (niebieski)  1 szt.  129,00\xa0zł

2 produkty, razem 242,00\xa0zł.

Zapłać teraz:
https://shop.example.com/sample/pay

Telefon: +48 600 100 200

---

Nie przypominaj o tym zamówieniu (https://shop.example.com/sample/stop_order) · https://shop.example.com/sample/unsubscribe
"""


def mjml(body: str) -> str:
    """Return a whole MJML document around a column's content; the content begins on line 2."""
    return f"<mjml><mj-body><mj-section><mj-column>\n{body}\n</mj-column></mj-section></mj-body></mjml>"


def source(body: str, **changes: str) -> TemplateSource:
    """Return a Polish order template with this column content."""
    parts = {"subject": "Zamówienie {{ order.number }}", "html": mjml(body), "locale": "pl", **changes}
    return TemplateSource(**parts)


def problems(
    pool: RenderPool, body: str, *, message_class: str = "contract", **changes: str
) -> list[Problem]:
    """Return what is wrong with a template."""
    return check_template(source(body, **changes), message_class=message_class, pool=pool)


def codes(pool: RenderPool, body: str, **changes: str) -> list[tuple[str, int]]:
    """Return what is wrong with a template as codes and lines."""
    return [(problem.code, problem.line) for problem in problems(pool, body, **changes)]


def compiled(pool: RenderPool, body: str, **changes: str) -> CompiledTemplate:
    """Return a template that holds, compiled."""
    return compile_template(source(body, **changes), message_class="contract", pool=pool)


def context(**customer: str | None) -> Sample:
    """Return a filled Polish context with these fields of the customer."""
    sample = sample_context(Context.ORDER, "pl")
    sample["customer"].update(customer)
    return sample


def render(
    pool: RenderPool, template: CompiledTemplate, values: Sample | None = None
) -> tuple[str, str, str]:
    """Return subject, HTML and text of one mail that must come out."""
    [outcome] = pool.render([RenderItem(template, values or context(), "pl", "Europe/Warsaw")])
    assert isinstance(outcome, Rendered), outcome
    return outcome.subject, outcome.html.decode(), outcome.text.decode()


def fail(pool: RenderPool, template: CompiledTemplate, values: Sample) -> RenderFailure:
    """Return why one mail does not come out."""
    [outcome] = pool.render([RenderItem(template, values, "pl", "Europe/Warsaw")])
    assert isinstance(outcome, RenderFailure), outcome
    return outcome
