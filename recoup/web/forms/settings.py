"""Forms of the settings. A change is written only when all of it is right; what was typed stays."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from recoup.accounts.roles import Role
from recoup.core.http import is_loopback_allowed
from recoup.integrations.smtp import own_mailbox
from recoup.messaging.models import MailAccount, SendingLimits
from recoup.shops.models import Shop
from recoup.web.forms.wizard import country_choices, zone_choices

MOST_MINUTES = 90 * 24 * 60


class ShopSettingsForm(forms.ModelForm[Shop]):
    """Who the shop is for its buyers, and the rules of its orders."""

    terms_url = forms.URLField(label=_("Terms of sale"), required=False, assume_scheme="https")

    class Meta:
        model = Shop
        fields = (
            "name", "email", "phone", "address", "locale", "more_locales", "country", "time_zone", "colour", "terms_url",
            "terms_version", "supersede_scope", "max_age_days", "claim_hours", "collects_carts",
            "counts_opens",
        )  # fmt: skip
        labels = {
            "supersede_scope": _("A newer paid order closes older ones for"),
            "max_age_days": _("Orders older than this are left alone"),
            "claim_hours": _("A taken order is let go after"),
            "collects_carts": _("Collect carts that buyers leave"),
            "counts_opens": _("Count opened mails"),
        }
        widgets = {
            "colour": forms.TextInput(attrs={"type": "color"}),
            "address": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {
            "address": _("Stands under every mail, as the law of most countries asks."),
            "terms_version": _("Change it when the terms change: buyers then see the new ones."),
            "collects_carts": _("Reminders of carts go only to people who agreed to them."),
            "counts_opens": _(
                "On: mails carry a picture of one point that tells when it is loaded. In much of Europe the reader has to"
                " agree to that first (France’s CNIL, Germany’s TDDDG § 25), and some programs hide it. Off: whoever follows"
                " a link in a mail counts as having opened it, and nobody else."
            ),
        }
        error_messages = {
            "max_age_days": {
                "min_value": _("Write at least 1 day: with none, every order would be left alone."),
                "max_value": _("Write at most 3650 days, which is ten years."),
            },
            "claim_hours": {
                "min_value": _("Write at least 1 hour: with none, nobody could keep an order."),
                "max_value": _("Write at most 720 hours, which is thirty days."),
            },
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = forms.ChoiceField(label=_("Time zone"), choices=zone_choices())
        self.fields["country"] = forms.ChoiceField(
            label=_("Country"), choices=country_choices(), required=False
        )
        self.fields["more_locales"] = forms.MultipleChoiceField(
            label=_("Other languages of messages"),
            required=False,
            choices=settings.LANGUAGES,
            widget=forms.CheckboxSelectMultiple,
            help_text=_("A step cannot be published before its text is written in all of them."),
        )
        self.fields["locale"] = forms.ChoiceField(
            label=_("Language of messages"),
            choices=[("en", "English"), ("pl", "Polski"), ("ru", "Русский"), ("de", "Deutsch")],
        )


class WaitingForm(forms.ModelForm[Shop]):
    """How long an order or a cart waits before it is looked at, in minutes (B2, B9)."""

    class Meta:
        model = Shop
        fields = ("unpaid_after_minutes", "cart_after_minutes")
        labels = {
            "unpaid_after_minutes": _("An order counts as unpaid after"),
            "cart_after_minutes": _("A cart counts as left after"),
        }
        help_texts = {
            "unpaid_after_minutes": _(
                "1440 minutes are a day. Bank transfers wait three days unless you set their own time."
            ),
            "cart_after_minutes": _("Counted from the last change of the cart."),
        }


class MethodWaitingForm(forms.Form):
    """The waiting time of one payment method."""

    method = forms.CharField(
        label=_("Payment method"),
        max_length=60,
        help_text=_(
            "Its code in your shop: card, bacs, blik. “offline” is all transfers; cod, on delivery, is reminded of only"
            " with a time of its own."
        ),
    )
    minutes = forms.IntegerField(
        label=_("Waits"), validators=[MinValueValidator(1), MaxValueValidator(MOST_MINUTES)]
    )


class LimitsForm(forms.ModelForm[SendingLimits]):
    """How often one person may be reminded."""

    class Meta:
        model = SendingLimits
        fields = ("per_day", "per_week", "per_order", "sms_per_day", "sms_per_week")


class QuietForm(forms.Form):
    """Hours in which nothing goes out over a channel, in the buyer's time zone."""

    is_on = forms.BooleanField(label=_("Keep quiet at night"), required=False)
    starts = forms.TimeField(label=_("From"), required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    ends = forms.TimeField(label=_("Until"), required=False, widget=forms.TimeInput(attrs={"type": "time"}))

    keeps_holidays = forms.BooleanField(
        label=_("Keep quiet on public holidays"),
        required=False,
        help_text=_("Of the buyer's country: Poland, Germany, Russia, Great Britain, the United States."),
    )
    channel = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        """Ask for both hours when the night is to be quiet."""
        cleaned = super().clean() or {}
        if cleaned.get("is_on") and not (cleaned.get("starts") and cleaned.get("ends")):
            raise forms.ValidationError(_("Say from when until when."))
        return cleaned


class MailForm(forms.ModelForm[MailAccount]):
    """The mail server and the sender. The stored password is never shown; empty keeps it."""

    port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535)
    password = forms.CharField(
        label=_("Password"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Stored encrypted and never shown. Leave it empty to keep the present one."),
    )

    class Meta:
        model = MailAccount
        fields = (
            "from_name",
            "from_email",
            "reply_to",
            "host",
            "port",
            "security",
            "username",
            "password",
            "dkim_selectors",
        )
        labels = {"dkim_selectors": _("DKIM selectors")}
        help_texts = {
            "from_email": _("An address of a domain that your mail server may send for."),
            "dkim_selectors": _(
                "Names of your DKIM keys, parted by commas, as your mail provider calls them."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("from_email", "host"):
            self.fields[name].required = True  # nothing can be sent without them
        if settings.IS_DEMO:
            self._keep_to_the_demo()

    def _keep_to_the_demo(self) -> None:
        """Fix the server to the demo's own mailbox: a relay on this machine, at another port, would send for real."""
        fixed = {
            "host": own_mailbox.HOST,
            "port": own_mailbox.port(),
            "security": MailAccount.Security.PLAIN,
            "username": "",
            "password": "",
        }
        for name, value in fixed.items():
            self.fields[name].disabled = True
            self.fields[name].help_text = ""
            self.initial[name] = value
        self.fields["host"].help_text = _("The demo keeps every mail in a mailbox of its own.")

    def clean_password(self) -> str:
        """Keep the stored password when none is typed."""
        typed: str = self.cleaned_data["password"]
        return typed or str(self.instance.password)

    def clean_from_name(self) -> str:
        """Refuse line breaks: they would begin another header (D12)."""
        name: str = self.cleaned_data["from_name"]
        if any(ord(sign) < 32 for sign in name):
            raise forms.ValidationError(_("Only one line, please."))
        return name


class WooCommerceKeysForm(forms.Form):
    """The keys to a WooCommerce shop."""

    consumer_key = forms.CharField(
        label=_("Consumer key"),
        max_length=120,
        help_text=_("WooCommerce, Settings, Advanced, REST API: rights to read and write."),
    )
    consumer_secret = forms.CharField(
        label=_("Consumer secret"),
        max_length=120,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}, render_value=True),
    )

    @property
    def keys(self) -> dict[str, str]:
        """Return what the adapter keeps as credentials."""
        return {name: self.cleaned_data[name] for name in ("consumer_key", "consumer_secret")}


class WooCommerceForm(WooCommerceKeysForm):
    """What connects a WooCommerce shop."""

    base_url = forms.URLField(
        label=_("Address of the shop"),
        assume_scheme="https",
        help_text=_("As buyers open it, for instance https://shop.example.com"),
    )
    history = forms.IntegerField(
        label=_("Import the orders of the last"),
        initial=90,
        min_value=0,
        max_value=3650,
        help_text=_("Nobody is written to because of them."),
    )
    field_order = ("base_url", "consumer_key", "consumer_secret", "history")

    def clean_base_url(self) -> str:
        """Keep the demo from calling a real shop."""
        url: str = self.cleaned_data["base_url"]
        if settings.IS_DEMO and not is_loopback_allowed(urlsplit(url).hostname or ""):
            raise forms.ValidationError(
                _("The demo calls no real shop. Connect yours in an installation of your own.")
            )
        return url


class GenericSourceForm(forms.Form):
    """What connects any other shop."""

    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("How you call it, for instance: own checkout")
    )


class InvitationForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label=_("E-mail"))
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.MANAGER)


class JoinForm(forms.Form):
    """What an invited colleague fills in."""

    name = forms.CharField(label=_("Your name"), max_length=120)
    password = forms.CharField(
        label=_("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters."),
    )


class TextForm(forms.Form):
    """One text in one language."""

    subject = forms.CharField(label=_("Subject"), max_length=300)
    preheader = forms.CharField(
        label=_("Line after the subject"),
        max_length=300,
        required=False,
        help_text=_("Mail programs show it in the list."),
    )
    body = forms.CharField(
        label=_("Text (MJML with Liquid)"),
        widget=forms.Textarea(attrs={"rows": 24, "class": "code", "spellcheck": "false"}),
    )
    text = forms.CharField(
        label=_("Plain text"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("Made from the text above when empty."),
    )
    lock = forms.IntegerField(widget=forms.HiddenInput)
