"""Until: something happens, or the time is over."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.engine.happenings import EVENTS, MESSAGE_EVENTS, PAGE_EVENTS, PRODUCT_EVENTS
from recoup.web.forms.blocks.base import BlockForm, Part
from recoup.web.forms.blocks.fields import ProductsField, SpanField
from recoup.web.words import blocks as block_words


class UntilForm(BlockForm):
    """A question with a deadline."""

    kind = "until"
    needed = ("match", "ref", "page")
    help = gettext_lazy(
        "People stay here until it happens, and leave by Yes at once; when the time is over, by No."
    )

    event = forms.ChoiceField(label=gettext_lazy("What is waited for"))
    products = ProductsField(
        label=gettext_lazy("Which products"),
        help_text=gettext_lazy("What was given back in full does not count as bought."),
    )
    match = forms.ChoiceField(
        label=gettext_lazy("How many of them"),
        choices=[("any", gettext_lazy("any one of them")), ("all", gettext_lazy("all of them"))],
        required=False,
    )
    ref = forms.ChoiceField(
        label=gettext_lazy("Which mail"),
        required=False,
        help_text=gettext_lazy("A step before this one that sends a mail."),
    )
    page = forms.ChoiceField(
        label=gettext_lazy("Which page"),
        choices=[
            ("buy", gettext_lazy("where it is paid or ordered: the pay page, the cart")),
            ("leave", gettext_lazy("where they want no more messages")),
            ("any", gettext_lazy("any page of yours that messages lead to")),
        ],
        required=False,
        help_text=gettext_lazy(
            "By whichever message. Programs that look at links before the person does do not count. You may"
            " name a mail, too: who never got it, and does not come anyway, leaves by a way of their own."
        ),
    )
    within = SpanField(
        label=gettext_lazy("Wait at most"),
        help_text=gettext_lazy("What happens in the very last second still counts."),
    )
    earlier = forms.BooleanField(
        label=gettext_lazy("Also if it happened before this step"),
        required=False,
        help_text=gettext_lazy(
            "On: an earlier purchase is a Yes at once, and so is a visit since they entered the process. Off: only what"
            " happens from here on counts."
        ),
    )

    def read(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the fields for a block."""
        on = raw.get("on", {})
        return {
            "event": on.get("e", ""),
            "products": on.get("products", []),
            "match": on.get("match", "any"),
            "ref": on.get("ref", ""),
            "page": on.get("page", "buy"),
            "within": raw.get("within", "P2D"),
            "earlier": raw.get("earlier", True),
        }

    def build(self) -> None:
        """Offer the events of this process and the mails that it sends."""
        super().build()
        nodes, subject = self.around.doc["nodes"], self.around.subject
        offered = [name for name in block_words.EVENTS if subject in EVENTS[name].subjects]
        sends = [(name, title) for name, title in self.around.titles.items() if nodes[name]["t"] == "send"]
        before = self.raw_before.get("on", {})
        if before.get("e") and before["e"] not in offered:
            offered.append(before["e"])
        if before.get("ref") and before["ref"] not in dict(sends):
            sends.append((before["ref"], _("a step that is gone")))
        for name, choices in (
            ("event", [(name, block_words.EVENTS[name]) for name in offered]),
            ("ref", [("", _("Choose…")), *sends]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
        if sends and not self.around.shop.counts_opens:
            self.fields["ref"].help_text = _(
                "A step before this one that sends a mail. This shop does not count opened mails: only whoever follows a"
                " link in it counts as having opened it. Settings, Shop, changes that."
            )

    def offers_more(self) -> bool:
        """Offer the way for a mail that was not sent only to questions about mails."""
        return bool(self.raw_before.get("on", {}).get("ref"))

    def words_without(self) -> str:
        """Return what happens without a way for mails that were not sent."""
        return _("the same way as No")

    def clean(self) -> dict[str, Any]:
        """Ask for what the chosen event needs."""
        cleaned = super().clean() or {}
        event = cleaned.get("event")
        if event in PRODUCT_EVENTS and not cleaned.get("products"):
            self.add_error("products", _("Search for a product and tick it."))
        if event in MESSAGE_EVENTS and not cleaned.get("ref"):
            self.add_error("ref", _("Choose the mail that is asked about."))
        return cleaned

    def fields_to_raw(self) -> dict[str, Any]:
        """Return the question."""
        typed = self.cleaned_data
        on: dict[str, Any] = {"e": typed["event"]}
        if typed["event"] in PRODUCT_EVENTS:
            on |= {"products": typed["products"], "match": typed["match"] or "any"}
        if typed["event"] in MESSAGE_EVENTS or (typed["event"] in PAGE_EVENTS and typed["ref"]):
            on["ref"] = typed["ref"]
        if typed["event"] in PAGE_EVENTS and typed["page"] not in ("", "buy"):
            on["page"] = typed["page"]
        before = self.raw_before.get("within")
        within = before if before and "within" not in self.changed_data else typed["within"]
        return {"on": on, "within": within, "earlier": typed["earlier"]}

    def ways(self) -> dict[str, str | None]:
        """Take the way for mails that were not sent off a question about something else."""
        found = super().ways()
        event, ref = self.cleaned_data["event"], self.cleaned_data["ref"]
        is_about_mail = event in MESSAGE_EVENTS or (event in PAGE_EVENTS and ref)
        return found if is_about_mail else {**found, "unsent": None}

    def own_parts(self) -> list[Part]:
        """Return the event with what it needs."""
        lines = [
            self.line("event"),
            self.line("products", css="when-product"),
            self.line("match", css="when-product"),
            self.line("page", css="when-page"),
            self.line("ref", css="when-message when-page"),
            self.line("within"),
            self.line("earlier"),
        ]
        return [Part("", lines)]
