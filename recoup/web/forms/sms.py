"""Forms of short messages, of lanes, and of the rank of a process."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from recoup.core.http import AddressRefused, check_address
from recoup.core.money import exponent
from recoup.core.typed_numbers import NumberUnreadable, read_number, write_number
from recoup.messaging.models import ChannelKind, Lane, SmsAccount, Template
from recoup.processes.ranking import HIGHEST_RANK
from recoup.web.forms.decimals import DecimalField, model_field, stored_number

_Provider = SmsAccount.Provider
_TOKENS = {
    _Provider.SMSAPI: (
        _("OAuth token"),
        _("Made in SMSAPI under API tokens. It must be allowed to send messages and to read the account."),
    ),
    _Provider.TWILIO: (_("Auth token"), _("The primary one, from the front page of the Twilio console.")),
}
_SENDERS = {
    _Provider.SMSAPI: _(
        "A name that SMSAPI has approved for you, at most 11 plain letters and digits, or a number."
    ),
    _Provider.TWILIO: _(
        "A number, a messaging service (MG…), or a name of at most 11 plain letters and digits."
    ),
}


class SmsForm(forms.ModelForm[SmsAccount]):
    """The account with one provider, and what may be spent: only what that provider asks for.

    The stored token is never shown; empty keeps it, unless it is one of another provider.
    """

    secret = forms.CharField(
        required=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    base_url = forms.URLField(
        label=_("Address of the API"),
        required=False,
        assume_scheme="https",
        help_text=_("Leave it empty, unless your contract names another one."),
    )
    countries = forms.CharField(
        label=_("Countries"),
        required=False,
        help_text=_(
            "Two letters each, parted by commas, such as PL, DE. Empty is the shop\u2019s own country alone: what is written"
            " to elsewhere can cost many times as much."
        ),
    )
    prices = forms.CharField(
        label=_("Other prices"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One country a line: DE 0.35"),
    )

    class Meta:
        model = SmsAccount
        fields = (
            "provider", "account_ref", "secret", "sender", "base_url", "is_without_diacritics", "currency",
            "price_per_part", "prices", "countries", "daily_cap", "per_number_day",
        )  # fmt: skip
        formfield_callback = model_field
        widgets = {
            "provider": forms.HiddenInput,
            "currency": forms.TextInput(attrs={"class": "input-amount"}),
        }
        help_texts = {
            "account_ref": _("Begins with AC; beside the auth token in the Twilio console."),
            "is_without_diacritics": _("Polish letters make a part hold 70 signs instead of 160."),
            "price_per_part": _(
                "As your provider charges it. Only you know it; it is what the guard reckons with."
            ),
            "daily_cap": _("When it is spent, messages wait for the next day and you are told."),
        }

    def __init__(self, *args: Any, provider: str, **kwargs: Any) -> None:
        self.provider = provider
        super().__init__(*args, **kwargs)
        self._build_for(provider)
        if not self.is_bound:
            self.initial["secret"] = ""
            self.initial["countries"] = ", ".join(self.instance.countries)
            self.initial["prices"] = "\n".join(
                f"{country} {_written(price)}" for country, price in sorted(self.instance.prices.items())
            )
            if self.is_other:  # what the other provider needed means nothing to this one
                self.initial["provider"], self.initial["base_url"] = provider, ""

    def _build_for(self, provider: str) -> None:
        """Leave what this provider asks for, in its own words."""
        self.is_other = self.instance.pk is not None and self.instance.provider != provider
        keeps = bool(self.instance.secret) and not self.is_other
        label, where = _TOKENS[_Provider(provider)]
        kept = _("Stored encrypted and never shown. Leave it empty to keep the present one.")
        secret, sender = self.fields["secret"], self.fields["sender"]
        secret.label, secret.help_text = label, kept if keeps else where
        setattr(secret, "is_needed", not keeps)  # noqa: B010 - an attribute that only screens know
        sender.required, sender.help_text = True, _SENDERS[_Provider(provider)]
        if provider == _Provider.TWILIO:
            self.fields["account_ref"].required = True
            self.fields["account_ref"].error_messages["required"] = _("Twilio needs the Account SID.")
        else:
            del self.fields["account_ref"]
        for name in ("price_per_part", "daily_cap"):
            field = self.fields[name]
            assert isinstance(field, DecimalField)
            field.places = exponent(self.instance.currency)

    def clean_secret(self) -> str:
        """Keep the stored token when nothing is typed."""
        if typed := str(self.cleaned_data["secret"]).strip():
            return typed
        stored = SmsAccount.objects.filter(pk=self.instance.pk).first() if self.instance.pk else None
        if stored is None or not stored.secret or self.is_other:
            raise forms.ValidationError(_("Fill in the token."))
        return str(stored.secret)

    def clean_sender(self) -> str:
        """See that it is a name of letters and digits, or a number."""
        sender = str(self.cleaned_data["sender"]).strip()
        is_number = sender.lstrip("+").isdigit() and 3 <= len(sender) <= 16
        is_service = self.provider == _Provider.TWILIO and sender.startswith("MG") and len(sender) == 34
        name = sender.replace(" ", "").replace(".", "").replace("-", "").replace("&", "")
        is_name = sender.isascii() and 1 <= len(sender) <= 11 and name.isalnum()
        if not (is_number or is_service or is_name):
            raise forms.ValidationError(
                _("A name has at most 11 plain letters and digits; a number begins with +.")
            )
        return sender

    def clean_base_url(self) -> str:
        """Refuse addresses that our server must not call."""
        url = str(self.cleaned_data["base_url"]).strip()
        if url:
            try:
                check_address(url)
            except AddressRefused as refused:
                raise forms.ValidationError(_("This address cannot be called.")) from refused
        return url

    def clean_countries(self) -> list[str]:
        """Read the list."""
        found = [one.strip().upper() for one in str(self.cleaned_data["countries"]).split(",") if one.strip()]
        if any(len(one) != 2 or not one.isalpha() or not one.isascii() for one in found):
            raise forms.ValidationError(_("Two letters each, parted by commas, such as PL, DE."))
        return sorted(set(found))

    def clean_prices(self) -> dict[str, str]:
        """Read one price a line."""
        prices = {}
        for line in str(self.cleaned_data["prices"]).splitlines():
            country, _space, price = line.strip().partition(" ")
            if not country:
                continue
            try:
                amount = read_number(price)
            except NumberUnreadable as error:
                raise forms.ValidationError(_("One country a line: DE 0.35")) from error
            if len(country) != 2 or not country.isalpha() or not 0 < amount < 100:
                raise forms.ValidationError(_("One country a line: DE 0.35"))
            prices[country.upper()] = str(amount)
        return prices

    def clean_currency(self) -> str:
        """Write it as ISO does."""
        code = str(self.cleaned_data["currency"]).strip().upper()
        if len(code) != 3 or not code.isalpha() or not code.isascii():
            raise forms.ValidationError(_("Three letters, such as PLN."))
        return code


def _written(price: str) -> str:
    number = stored_number(price)
    return price if number is price else write_number(number, get_language() or "en", places=2)


class LaneForm(forms.ModelForm[Lane]):
    """How fast a channel may send."""

    rate = DecimalField(label=_("Messages a second"), min_value=Decimal("0.01"), max_value=Decimal(1000))
    warmup = forms.CharField(
        label=_("Warm-up"),
        required=False,
        help_text=_(
            "How many on the first day, the second and so on, parted by commas: 50, 100, 250, 500. It begins today; a new"
            " domain that sends much at once lands among spam."
        ),
    )

    class Meta:
        model = Lane
        fields = ("rate", "daily_quota", "max_in_flight", "warmup")
        labels = {
            "daily_quota": _("Messages a day"),
            "max_in_flight": _("At once on their way"),
        }
        help_texts = {
            "daily_quota": _("Empty: as many as come. The rest waits for the next day."),
            "max_in_flight": _("Empty: as many as the server takes."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self.initial["warmup"] = ", ".join(str(count) for count in self.instance.warmup)

    def clean_warmup(self) -> list[int]:
        """Read the numbers of the days."""
        parts = [part.strip() for part in str(self.cleaned_data["warmup"]).split(",") if part.strip()]
        if len(parts) > 60 or any(not part.isdigit() or not 0 < int(part) < 10_000_000 for part in parts):
            raise forms.ValidationError(_("Whole numbers, parted by commas, at most 60 of them."))
        return [int(part) for part in parts]


class RankForm(forms.Form):
    """How a process stands to the others."""

    rank = forms.IntegerField(
        label=_("Rank"),
        min_value=0,
        max_value=HIGHEST_RANK,
        help_text=_(
            "Where a person may get only one reminder more, the process of the higher rank sends it; the other one waits or"
            " leaves its own out, and says so."
        ),
    )
    group = forms.CharField(
        label=_("Exclusive group"),
        max_length=40,
        required=False,
        help_text=_(
            "Of the processes with the same word here a person is in one at a time. Who comes into one of higher rank leaves"
            " the other, and its waiting messages are called off. One that is paused or in test mode takes nobody away."
            " Empty: it runs beside all others."
        ),
    )


class NewTextForm(forms.Form):
    """A text of one's own."""

    name = forms.CharField(label=_("Name"), max_length=120)
    kind = forms.ChoiceField(label=_("What it is about"), choices=Template.Kind.choices)
    channel = forms.ChoiceField(label=_("Channel"), choices=ChannelKind.choices)


class ShortTextForm(forms.Form):
    """One short message in one language."""

    body = forms.CharField(
        label=_("Text"),
        max_length=1600,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Plain text. A link to pay is {{ links.pay }}, one to leave {{ links.unsubscribe }}."),
    )
    lock = forms.IntegerField(widget=forms.HiddenInput)
