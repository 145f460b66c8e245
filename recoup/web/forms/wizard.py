"""What the first-run wizard asks."""

from typing import Any
from zoneinfo import available_timezones

from babel import Locale
from babel.numbers import list_currencies
from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from recoup.accounts.setup_code import is_setup_code
from recoup.core.public_address import AddressRefused, read_address

# What shops of our four languages use most stands first; the rest follows by name.
FIRST_CURRENCIES = ("PLN", "EUR", "GBP", "USD", "CHF", "CZK", "UAH", "RUB", "SEK", "NOK", "DKK")
FIRST_ZONES = ("Europe/Warsaw", "Europe/Berlin", "Europe/London", "Europe/Moscow", "UTC")


def currency_choices() -> list[tuple[str, str]]:
    """Return the currencies in the person's language, the usual ones first."""
    locale = Locale.parse(get_language() or "en")
    codes = [*FIRST_CURRENCIES, *sorted(list_currencies() - set(FIRST_CURRENCIES))]
    return [
        (code, f"{code} – {locale.currencies.get(code, code)}") for code in codes if code in locale.currencies
    ]


def zone_choices() -> list[tuple[str, str]]:
    """Return the time zones, the usual ones first."""
    zones = [*FIRST_ZONES, *sorted(available_timezones() - set(FIRST_ZONES))]
    return [(zone, zone.replace("_", " ")) for zone in zones if "/" in zone or zone == "UTC"]


def country_choices() -> list[tuple[str, str]]:
    """Return the countries in the person's language, by name."""
    territories = Locale.parse(get_language() or "en").territories
    named = [(code, name) for code, name in territories.items() if len(code) == 2 and code.isalpha()]
    return [("", "–"), *sorted(named, key=lambda pair: pair[1])]


class OwnerForm(forms.Form):
    """The first account, of whoever started the installation."""

    code = forms.CharField(
        label=_("Code of this installation"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "It stands where Recoup was started, in the line “Make your account”; `recoup setup-link` prints it again."
        ),
    )
    name = forms.CharField(label=_("Your name"), max_length=120)
    email = forms.EmailField(label=_("E-mail"), help_text=_("You sign in with it."))
    password = forms.CharField(
        label=_("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters. A short sentence is easy to remember."),
    )

    def clean_code(self) -> str:
        """Refuse whoever found the address before its owner."""
        code: str = self.cleaned_data["code"]
        if not is_setup_code(code):
            raise forms.ValidationError(
                _("This is not the code of this installation. Copy it from where Recoup was started.")
            )
        return code


class AddressForm(forms.Form):
    """The address that every link begins with."""

    address = forms.CharField(
        label=_("Public address"),
        max_length=200,
        help_text=_("For instance https://recoup.example.com. It takes effect at once on this machine."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url"}),
    )

    def clean_address(self) -> str:
        """Refuse what links cannot begin with."""
        try:
            return read_address(self.cleaned_data["address"])
        except AddressRefused as refused:
            if refused.is_unsafe:
                raise forms.ValidationError(
                    _("It must begin with https://. Nobody should pay at a link that strangers can read.")
                ) from refused
            raise forms.ValidationError(
                _("Only https:// and the name, for instance https://recoup.example.com, without a path.")
            ) from refused


class ShopForm(forms.Form):
    """The first shop, or another one."""

    name = forms.CharField(label=_("Name of the shop"), max_length=120)
    email = forms.EmailField(label=_("E-mail for buyers"), help_text=_("Reminders come from this address."))
    phone = forms.CharField(
        label=_("Phone for buyers"), max_length=40, required=False, help_text=_("Shown on the pay page.")
    )
    locale = forms.ChoiceField(
        label=_("Language of messages"),
        choices=settings.LANGUAGES,
        help_text=_("Used when an order does not say its own."),
    )
    country = forms.ChoiceField(label=_("Country"), required=False)
    currency = forms.ChoiceField(label=_("Currency"))
    time_zone = forms.ChoiceField(label=_("Time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (
            ("currency", currency_choices()),
            ("time_zone", zone_choices()),
            ("country", country_choices()),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
