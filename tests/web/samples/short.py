"""Short messages: the account with a provider, and the editor of a short text, as plain values."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django import forms

from recoup.core.money import Money
from recoup.messaging.sms.letters import measure, without_diacritics
from recoup.web import parts, screens
from recoup.web.forms.decimals import DecimalField
from tests.web.samples.ground import LANGUAGES, ago, base

LINK = "https://recoup.lumen-candles.example/pay/Vq3xkP0fQ2mZ8aTtN5wYbg"
POLISH = f"Lumen Candles: zamówienie 10482 nadal czeka na płatność: {LINK}"
SHORT = f"Lumen Candles: your order 10482 is still waiting for payment. You can pay here: {LINK}"


class Account(forms.Form):
    """The account with a provider."""

    provider = forms.CharField(widget=forms.HiddenInput, initial="smsapi")
    secret = forms.CharField(
        label="OAuth token",
        required=False,
        widget=forms.PasswordInput,
        help_text="Stored encrypted and never shown. Leave it empty to keep the present one.",
    )
    sender = forms.CharField(
        label="Sender", initial="Lumen", help_text="A name that the provider has registered for you."
    )
    base_url = forms.URLField(
        label="Address of the API", required=False, assume_scheme="https", help_text="Leave it empty."
    )
    is_without_diacritics = forms.BooleanField(
        label="Write without diacritics",
        required=False,
        help_text="Polish letters make a part hold 70 signs instead of 160.",
    )
    currency = forms.CharField(label="Currency of the prices", initial="PLN")
    price_per_part = DecimalField(label="Price of one part", initial=Decimal("0.1650"))
    prices = forms.CharField(
        label="Other prices",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        initial="DE 0.3500\nGB 0.2400",
    )
    countries = forms.CharField(label="Countries", required=False, initial="DE, PL")
    daily_cap = DecimalField(
        label="Most to spend in a day",
        initial=Decimal("20.00"),
        help_text="When it is spent, messages wait for the next day and you are told.",
    )
    per_number_day = forms.IntegerField(label="Messages to one number a day", initial=3)


class Text(forms.Form):
    """A short text in one language."""

    body = forms.CharField(
        label="Text",
        max_length=1600,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Plain text. A link to pay is {{ links.pay }}, one to leave {{ links.unsubscribe }}.",
        initial="{{ shop.name }}: order {{ order.number }} is still waiting for payment. You can pay here: {{ links.pay }}",
    )
    lock = forms.IntegerField(widget=forms.HiddenInput, initial=3)


def settings_sms(**given: str) -> dict[str, Any]:
    """The account of a shop that has sent something today, and whose points are running out."""
    return base(
        "/s/lumen/settings/sms/",
        **given,
        heading="Short messages",
        lead="Reminders by SMS, over your own account with a provider.",
        crumb_links=[parts.Link("Settings", "/s/lumen/settings/"), parts.Link("Short messages", "")],
        form=Account(),
        units={"price_per_part": "PLN", "daily_cap": "PLN"},
        form_parts={"currency": "What it costs", "daily_cap": "What may be spent"},
        providers=[
            parts.Link("SMSAPI, in use", "/s/lumen/settings/sms/?provider=smsapi", is_on=True),
            parts.Link("Twilio", "/s/lumen/settings/sms/?provider=twilio"),
        ],
        provider="smsapi",
        provider_name="SMSAPI",
        provider_now="",
        guide="docs/connect/smsapi.md",
        is_set_up=True,
        test_url="/t/",
        check_url="/c/",
        test_to="+48 601 234 567",
        balance="12.45 points",
        balance_at=ago(minutes=20),
        spent=Money(Decimal("4.95"), "PLN"),
        sent_today=30,
        reply_url="https://recoup.lumen-candles.example/hooks/channels/9f2c4b7a1d3e5f60718293a4b5c6d7e8/reply",
        trouble="103 Insufficient credits on Your account",
        release_url="/r/",
        held=[
            SimpleNamespace(
                id=1, written="+4850100xxxx", is_known=False, numbers=20, waiting=312, is_released=False
            ),
            SimpleNamespace(
                id=3, written="+4850101xxxx", is_known=False, numbers=20, waiting=1, is_released=False
            ),
            SimpleNamespace(
                id=2, written="+35462xxxx", is_known=True, numbers=500, waiting=1, is_released=True
            ),
        ],
        are_several_held=True,
    )


def settings_sms_new(**given: str) -> dict[str, Any]:
    """The same before anybody has filled it in, saved with what does not fit."""
    form = Account({"provider": "smsapi", "price_per_part": "0", "currency": "", "sender": ""})
    form.is_valid()
    return {
        **settings_sms(**given),
        "form": form,
        "is_set_up": False,
        "trouble": "",
        "held": [],
        "are_several_held": False,
    }


def settings_short_text(**given: str) -> dict[str, Any]:
    """A short text that needs two parts because of its letters."""
    plain = without_diacritics(POLISH)
    bill = SimpleNamespace(
        text=POLISH,
        measure=measure(POLISH),
        plain=plain,
        plain_measure=measure(plain),
        is_plain=False,
        sent=measure(POLISH),
        prices=[
            SimpleNamespace(country="DE", amount=Decimal("0.70"), currency="PLN"),
            SimpleNamespace(country="PL", amount=Decimal("0.33"), currency="PLN"),
        ],
    )
    problems = [
        SimpleNamespace(message="For a typical order it takes 2 parts, and each part is paid for."),
        SimpleNamespace(message="Because of “ółść” a part holds 70 signs instead of 160."),
    ]
    return base(
        "/s/lumen/settings/texts/",
        **given,
        heading="Unpaid order, first short reminder",
        crumb_links=[
            parts.Link("Settings", "/s/lumen/settings/"),
            parts.Link("Texts", "/s/lumen/settings/texts/"),
            parts.Link("Unpaid order, first short reminder", ""),
        ],
        language_links=[parts.Link(name, f"/{code}/", is_on=code == "pl") for code, name in LANGUAGES],
        form=Text(),
        tokens=[
            ("{{ order.number }}", "Number of the order", ""),
            ("{{ links.pay }}", "Link to pay", ""),
            ("{{ links.unsubscribe }}", "Link to unsubscribe", ""),
        ],
        bill=bill,
        problems=problems,
        test_url="/t/",
        test_to="+48 601 234 567",
        actions=[screens.Action("Publish", icon="send", url="/p/", is_post=True, tone="primary")],
    )


def settings_short_text_plain(**given: str) -> dict[str, Any]:
    """One that fits into a single part, with nothing to say about it."""
    shown = settings_short_text(**given)
    measured = measure(SHORT)
    bill = SimpleNamespace(
        text=SHORT,
        measure=measured,
        plain=SHORT,
        plain_measure=measured,
        is_plain=False,
        sent=measured,
        prices=[],
    )
    return {**shown, "bill": bill, "problems": []}
