"""Texts that every shop starts with: one layout, and the words of each language as a person there would write them."""

import tomllib
from functools import cache
from html import escape
from importlib.resources import files
from string import Template as Layout
from typing import Any, NamedTuple

LOCALES = ("en", "pl", "ru", "de")
ORDER_KEYS = ("order_reminder_1", "order_reminder_2", "order_reminder_3", "fresh_pay_link")
CART_KEYS = ("cart_reminder_1", "cart_reminder_2", "cart_reminder_3", "fresh_cart_link")
KEYS = (*ORDER_KEYS, *CART_KEYS)  # what every shop starts with
# What comes with a ready process, once somebody takes it.
READY_KEYS = (
    "failed_card_retry", "failed_card_other", "failed_card_help", "order_link_again", "order_offer", "landing_invitation",
    "purchase_thanks", "before_call", "win_back", "win_back_offer", "renewal_soon", "renewal_last",
    "sms_order_reminder_1", "sms_order_reminder_2", "sms_order_reminder_3", "sms_failed_card", "sms_link_again",
    "sms_cart_reminder", "sms_order_offer", "sms_thanks",
)  # fmt: skip
SMS_KEYS = tuple(key for key in READY_KEYS if key.startswith("sms_"))
# An address in them is the merchant's to put in: they stay drafts until somebody has.
UNFINISHED_KEYS = ("landing_invitation",)

OFFER_KEYS = ("order_offer", "sms_order_offer", "win_back_offer")  # they speak of a discount: advertising
_ASKED_FOR = ("fresh_pay_link",)  # no reminder: the buyer wanted it
_ORDER_CONTROLS = ("paid_already", "pay_later", "stop_order")
_PARAGRAPH = "        <mj-text>{}</mj-text>"
_EXTRAS = """
          {% for extra in order.extras %}
          <tr><td style="padding: 6px 12px 6px 0;">{{ extra.name }}</td>
          <td style="padding: 6px 0; text-align: right; white-space: nowrap;">{{ extra.total }}</td></tr>
          {% endfor %}"""


_OFFER = """
          <tr><td style="padding: 6px 12px 6px 0;">{label}</td>
          <td style="padding: 6px 0; text-align: right; white-space: nowrap;">{{{{ offer.discount }}}}</td></tr>"""


class ShippedText(NamedTuple):
    """One text in one language."""

    subject: str
    preheader: str
    body: str  # MJML with Liquid; plain text with Liquid for short messages, which are nothing else


def kind_of(key: str) -> str:
    """Return what the template of a key is about."""
    return "cart" if key in (*CART_KEYS, "sms_cart_reminder") else "order"


def channel_of(key: str) -> str:
    """Return the channel that the text of a key is written for."""
    return "sms" if key in SMS_KEYS else "email"


def shipped_name(key: str, locale: str) -> str:
    """Return what the template is called on screens in a language."""
    return str(_words(locale if locale in LOCALES else "en")[key]["name"])


def shipped_texts(key: str, *, colour: str = "#1f6f50") -> dict[str, ShippedText]:
    """Return the text of a key in each language, its button in the shop's colour."""
    return {locale: _text(key, locale, colour) for locale in LOCALES}


def _ink(colour: str) -> str:
    """Return white or nearly black, whichever is read more easily on the colour (WCAG's relative luminance)."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.067 else "#1d2622"


@cache
def _words(locale: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(f"{locale}.toml").read_text(encoding="utf-8"))


@cache
def _layout(name: str) -> Layout:
    return Layout(files(__package__).joinpath(f"{name}.mjml").read_text(encoding="utf-8"))


def _text(key: str, locale: str, colour: str) -> ShippedText:
    kind, words = kind_of(key), _words(locale)
    common, about, own = words["common"], words[kind], words[key]
    if key in SMS_KEYS:
        return ShippedText("", "", own["text"])
    is_order, is_letter = kind == "order", own.get("form") == "letter"
    is_advertising = is_letter or key in OFFER_KEYS
    body = _layout("layout").substitute(
        lang=locale,
        title=own["subject"].replace("{{ order.number }}", "").strip(" ?:") if is_order else own["subject"],
        colour=colour,
        ink=_ink(colour),
        greeting=common["greeting"],
        paragraphs="\n".join(_PARAGRAPH.format(paragraph) for paragraph in own["paragraphs"]),
        middle=_letter(own) if is_letter else _goods(kind, common, about, own.get("offer_label", "")),
        after=_PARAGRAPH.format(own["after"]),
        closing=common["closing"],
        phone_label=common["phone_label"],
        controls=_controls(common, about, is_reminder=is_order and not is_letter and key not in _ASKED_FOR),
        unsubscribe=escape(words["cart" if is_advertising else kind]["unsubscribe"]),
    )
    return ShippedText(own["subject"], own["preheader"], body)


def _goods(kind: str, common: dict[str, str], about: dict[str, str], offer_label: str) -> str:
    """Return what was chosen, the sum, and the button that leads there; in a text about an offer, with what it takes off."""
    is_order = kind == "order"
    return _layout("goods").substitute(
        subject=kind,
        extras=(_EXTRAS if is_order else "") + (_OFFER.format(label=offer_label) if offer_label else ""),
        total="offer.new_total" if offer_label else "order.due" if is_order else "cart.total",
        total_label=about["total_label"],
        link="links.pay" if is_order else "links.cart",
        button=about["button"],
        link_note=common["link_note"],
    )


def _letter(own: dict[str, str]) -> str:
    """Return the middle of a letter: at most a button that leads to the shop, where it has an address."""
    if "button" not in own:
        return _layout("letter").substitute(action="")
    button = f'<mj-button css-class="pay" href="{{{{ shop.website }}}}">{escape(own["button"])}</mj-button>'
    return _layout("letter").substitute(action=f"        {{% if shop.website %}}{button}{{% endif %}}\n")


def _controls(common: dict[str, str], about: dict[str, str], *, is_reminder: bool) -> str:
    """Return what a buyer can do besides paying, one to a line: thumbs need room."""
    links = [(f"links.{name}", about[name]) for name in _ORDER_CONTROLS] if is_reminder else []
    links.append(("links.why", common["why"]))
    return "<br />".join(f'<a href="{{{{ {token} }}}}">{escape(words)}</a>' for token, words in links)
