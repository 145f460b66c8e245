"""Send: one message, over the first channel that reaches the person."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.engine.codes import SubjectKind
from recoup.processes.graph.texts_used import keys_of_texts
from recoup.processes.texts import day_words_of
from recoup.web.forms.blocks.base import BlockForm, Part
from recoup.web.forms.blocks.fields import SpanField

_CHANNELS = [("email", gettext_lazy("E-mail")), ("sms", gettext_lazy("SMS"))]


class SendForm(BlockForm):
    """A message to the person."""

    needed = ("channel",)

    kind = "send"
    help = gettext_lazy("The next step begins when the message has really gone out.")

    channel = forms.ChoiceField(label=gettext_lazy("Channel"), choices=_CHANNELS, required=False)
    template = forms.ChoiceField(
        label=gettext_lazy("Text"),
        error_messages={"required": gettext_lazy("Choose a text.")},
        help_text=gettext_lazy(
            "Texts are written under Settings, Texts. Changing one needs no new version here."
        ),
    )
    other = forms.ChoiceField(
        label=gettext_lazy("If that does not reach the person"),
        required=False,
        help_text=gettext_lazy("Without an address, a consent, or after a stop. Nobody ever gets both."),
    )
    other_template = forms.ChoiceField(
        label=gettext_lazy("Its text"),
        required=False,
        help_text=gettext_lazy("Only where another channel is chosen."),
    )
    purpose = forms.ChoiceField(
        label=gettext_lazy("What it is"),
        choices=[("reminder", gettext_lazy("a reminder")), ("thanks", gettext_lazy("thanks"))],
        help_text=gettext_lazy("A reminder never goes out once the payment is known. Thanks may."),
    )
    not_after = SpanField(
        label=gettext_lazy("Not later than"),
        help_text=gettext_lazy("If it cannot go out so long, by quiet hours or a pause, it is left out."),
    )

    same_day = forms.BooleanField(
        label=gettext_lazy("Only true on its day"),
        required=False,
        help_text=gettext_lazy(
            "For texts that say “today” or “tomorrow”: what cannot go out before midnight, on the person's clock, is left"
            " out instead of going the next morning."
        ),
    )

    def read(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the fields for a block."""
        other: dict[str, str] = next(iter(raw.get("otherwise") or ()), {})
        return {
            "channel": raw.get("channel", "email"),
            "other": other.get("channel", ""),
            "other_template": other.get("template", ""),
            "template": raw.get("template", ""),
            "purpose": raw.get("purpose", "reminder"),
            "not_after": raw.get("not_after", "PT24H"),
            "same_day": raw.get("same_day", False),
        }

    def build(self) -> None:
        """Offer the texts that fit."""
        super().build()
        texts = list(self.around.texts)
        for before in keys_of_texts(self.raw_before):
            if before not in dict([*texts, *self.around.ready]):
                texts.append((before, _("%(text)s (not there)") % {"text": before}))
        for name in ("template", "other_template"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("Choose…")), *texts]
            if self.around.ready:
                field.choices += [(_("Ready texts that come with Recoup"), list(self.around.ready))]
        others = self.fields["other"]
        assert isinstance(others, forms.ChoiceField)
        others.choices = [("", _("leave it out")), *_CHANNELS]

        said = day_words_of(self.around.shop, [key for key, _name in texts])
        if said:
            field, named = self.fields["same_day"], dict(texts)
            listed = "; ".join(f"{named[key]} ({', '.join(words)})" for key, words in said.items())
            field.help_text = _("%(help)s Tick it for these texts: %(texts)s.") % {
                "help": field.help_text,
                "texts": listed,
            }

        if self.around.subject is SubjectKind.CONTACT:  # nothing is guarded by a payment there
            del self.fields["purpose"]

    def words_without(self) -> str:
        """Return what happens without a way for mails that could not be delivered."""
        return _("the same way as delivered mails")

    def fields_to_raw(self) -> dict[str, Any]:
        """Return what is sent."""
        typed, before = self.cleaned_data, self.raw_before.get("not_after")
        kept = before if before and "not_after" not in self.changed_data else typed["not_after"]
        raw = {"template": typed["template"], "not_after": kept}
        raw["purpose"] = typed.get("purpose", "reminder")
        if typed["same_day"]:
            raw["same_day"] = True
        if typed["channel"] == "sms":  # mail is what goes without saying
            raw["channel"] = typed["channel"]
        if typed["other"]:
            raw["otherwise"] = [{"channel": typed["other"], "template": typed["other_template"]}]
        return raw

    def clean(self) -> dict[str, Any]:
        """See that the other channel is another one and has its text, and that texts are of their channels."""
        cleaned = super().clean() or {}
        other, text = cleaned.get("other"), cleaned.get("other_template")
        if other and other == (cleaned.get("channel") or "email"):
            self.add_error("other", _("Choose another channel than the first."))
        elif other and not text:
            self.add_error("other_template", _("Choose a text."))
        return cleaned

    def own_parts(self) -> list[Part]:
        """Return the text and when it is too late."""
        return [
            Part(
                "",
                [
                    self.line("channel", "template"),
                    self.line("other", "other_template"),
                    *([self.line("purpose")] if "purpose" in self.fields else []),
                    self.line("not_after"),
                    self.line("same_day"),
                ],
            )
        ]
