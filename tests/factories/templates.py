"""Templates with a published text, compiled once a test run."""

from functools import cache
from typing import Any

from recoup.messaging.models import Template, TemplateVersion
from recoup.messaging.rendering.saving import compile_template
from recoup.messaging.rendering.templates import TemplateSource
from recoup.shops.models import Shop
from tests.factories.moments import DAY, NOW

ORDER_TEXT = """<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {{ customer.first_name | fallback: "there" }}, order {{ order.number }} over {{ order.due }} waits.</mj-text>
<mj-text>{% for item in order.items %}{{ item.quantity }} x {{ item.name }}<br/>{% endfor %}</mj-text>
<mj-button href="{{ links.pay }}">Pay now</mj-button>
<mj-text><a href="{{ links.unsubscribe }}">No more reminders</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""
CART_TEXT = """<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {{ customer.first_name | fallback: "there" }}, your cart over {{ cart.total }} is kept.</mj-text>
<mj-button href="{{ links.cart }}">Open the cart</mj-button>
<mj-text><a href="{{ links.unsubscribe }}">No more such mails</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""
PERSON_TEXT = """<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {{ customer.first_name | fallback: "there" }}, we have moved to a new street.</mj-text>
<mj-text><a href="{{ links.why }}">Why me</a> <a href="{{ links.unsubscribe }}">No more such mails</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""
DEFAULTS = {
    "order": ("Your order {{ order.number }}", ORDER_TEXT),
    "cart": ("Your cart", CART_TEXT),
    "customer": ("From {{ shop.name }}", PERSON_TEXT),
}

SHORT_TEXTS = {
    "order": "{{ shop.name }}: order {{ order.number }} over {{ order.due }} waits. Pay: {{ links.pay }}",
    "cart": "{{ shop.name }}: your cart is kept: {{ links.cart }} Stop: {{ links.unsubscribe }}",
}


@cache
def compiled(kind: str, subject: str, html: str, locale: str, channel: str = "email") -> dict[str, Any]:
    """Return a text compiled as a version stores it."""
    message_class = "contract" if kind == "order" else "needs_consent"
    source = TemplateSource(subject, html, context=kind, locale=locale)
    if channel == "sms":
        source = TemplateSource("", "", html, context=kind, locale=locale, channel=channel)
    return compile_template(source, message_class=message_class).to_json()


def make_template(shop: Shop, *, key: str = "reminder", kind: str = "order", **values: Any) -> Template:
    """Make a template with a published version: English unless `texts` says subject and MJML by locale."""
    default = DEFAULTS[kind]
    channel = values.get("channel", "email")
    if channel == "sms":
        default = ("", SHORT_TEXTS[kind])
    texts = values.pop("texts", {"en": default})
    template = Template(**{"shop": shop, "key": key, "name": key.capitalize(), "kind": kind, **values})
    template.save(force_insert=True)
    version = TemplateVersion(
        shop=shop,
        template=template,
        number=1,
        texts={
            locale: {
                "subject": subject,
                "body": html,
                "compiled": compiled(kind, subject, html, locale, channel),
            }
            for locale, (subject, html) in texts.items()
        },
        published_at=NOW - DAY,
    )
    version.save(force_insert=True)
    Template.objects.filter(pk=template.pk).update(current_version=version)
    template.current_version = version
    return template
