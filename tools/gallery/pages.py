"""The pages of the gallery: a name, its template, its sample context."""

from typing import Any

from django import forms

from recoup.web import parts
from tests.web.samples import ground, pages, pieces


class SampleForm(forms.Form):
    """A form with one of each field."""

    name = forms.CharField(label="Name of the shop", help_text="Buyers see it in every mail.")
    wait = forms.IntegerField(
        label="Wait before an order is looked at", help_text="Most shops wait a day.", min_value=1
    )
    method = forms.ChoiceField(
        label="Payment method", choices=[("card", "Card"), ("transfer", "Bank transfer")]
    )
    note = forms.CharField(label="Note", widget=forms.Textarea, required=False)
    on = forms.BooleanField(
        label="Collect abandoned carts", required=False, help_text="Needs the shop to report carts."
    )
    kind = forms.ChoiceField(
        label="A newer paid order closes",
        widget=forms.RadioSelect,
        choices=[("p", "the same product"), ("a", "anything")],
    )


def components(**given: str) -> dict[str, Any]:
    """Return the context of the page of all parts."""
    form = SampleForm({"name": "", "wait": "0", "method": "card", "kind": "p"})
    form.is_valid()
    names = [
        ("Maria Wiśniewska", "unpaid", "Unpaid"),
        ("Иван Петров", "in_work", "In work"),
        ("Jürgen Groß", "completed", "Completed"),
        ("Anna-Maria von der Heydebreck", "awaiting_payment", "Awaiting payment"),
    ]
    rows = [
        {
            "number": f"1048{n}",
            "name": name,
            "status": code,
            "label": label,
            "at": ground.ago(hours=2 + 9 * n),
            "total": ground.pln(f"{129 + 333 * n}.00"),
        }
        for n, (name, code, label) in enumerate(names)
    ]
    return ground.base(
        "/s/lumen/orders/",
        **given,
        crumb_links=[parts.Link("Orders", "/s/lumen/orders/"), parts.Link("10482", "")],
        tiles=pieces.tiles(),
        week_chart=pieces.week_chart(),
        attention_items=pieces.attention(),
        filters=pieces.filters(),
        badges=[
            ("order", "new", "New"),
            ("order", "unpaid", "Unpaid"),
            ("order", "completed", "Completed"),
            ("message", "failed", "Failed"),
            ("message", "uncertain", "Uncertain"),
            ("case", "recovered", "Recovered"),
        ],
        moves=[
            parts.Move("in_work", "In work", "user-check"),
            parts.Move("cancelled", "Cancelled…", "circle-x", "failed", "Stops 2 messages", "cancel-order"),
        ],
        rows=rows,
        pager=parts.Pager("128 orders", "", "?before=1"),
        step=parts.NextStep(
            "Second reminder tomorrow 10:00, unless paid.", detail="Then a last one on Thu 26 Nov, 10:00."
        ),
        nodes=pieces.process_nodes(),
        timeline_shown=pieces.timeline(),
        form=form,
        snippet="curl -X POST https://shop.example/hooks/orders \\\n  -d @order.json",
        dialog=pieces.cancel_dialog(),
    )


def pay(**_given: str) -> dict[str, Any]:
    """Return the context of a buyers' page with every part of its stylesheet."""
    shop = {"name": "Lumen Candles", "phone": "+48 22 123 45 67", "email": "hello@lumen.example"}
    shop["address"] = "ul. Świetlna 4, 00-001 Warszawa"
    return {
        "shop": shop,
        "theme_url": "/s/lumen/theme.css",
        "total": ground.pln("1299.00"),
        "price": ground.pln("129"),
    }


PAGES = {"components": ("components.html", components), "pay": ("pay.html", pay), **pages.PAGES}
