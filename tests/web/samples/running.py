"""Settings, the wizard, sign-in and errors."""

from datetime import timedelta
from typing import Any

from django import forms

from recoup.web import keeping_screens, parts, screens
from tests.web.samples import pieces
from tests.web.samples.ground import ago, base


class LettersForm(forms.Form):
    """Which letters a file is written with."""

    encoding = forms.ChoiceField(
        label="Letters of the file",
        widget=forms.RadioSelect,
        help_text="Choose the one that reads right.",
        choices=[
            ("cp1250", "Central European, Windows (cp1250): Hélčne, Zażółć"),
            ("cp1252", "Western European, Windows (cp1252): Hélène, Za¿ó³æ"),
        ],
    )


class ShopForm(forms.Form):
    """A form with one of each kind of field, half of it wrong."""

    name = forms.CharField(label="Name of the shop", help_text="Buyers see it in every mail.")
    wait = forms.IntegerField(
        label="Wait before an order is looked at", help_text="Most shops wait a day.", min_value=1
    )
    currency = forms.ChoiceField(label="Currency", choices=[("PLN", "Polish złoty"), ("EUR", "Euro")])
    note = forms.CharField(label="Postal address", widget=forms.Textarea, required=False)
    carts = forms.BooleanField(
        label="Collect abandoned carts", required=False, help_text="Needs a shop that reports carts."
    )
    scope = forms.ChoiceField(
        label="A newer paid order closes an older one of",
        widget=forms.RadioSelect,
        choices=[("product", "the same product"), ("person", "the same person")],
    )


class SignInForm(forms.Form):
    """What allauth asks for."""

    login = forms.EmailField(label="E-mail")
    password = forms.CharField(label="Password", widget=forms.PasswordInput)
    remember = forms.BooleanField(label="Remember me", required=False)


class TextForm(forms.Form):
    """A text of a mail."""

    subject = forms.CharField(label="Subject", initial="Your order {{ order.number }} is waiting for you")
    body = forms.CharField(
        label="Text",
        widget=forms.Textarea,
        initial="<mj-text>\n  Hello {{ customer.first_name | default: 'there' }},\n</mj-text>",
    )


class CodeForm(forms.Form):
    """What allauth asks for when the app is switched on."""

    secret = "JBSWY3DPEHPK3PXP"
    code = forms.CharField(label="Code")


def shop_form() -> ShopForm:
    """Return a form that was sent with mistakes."""
    form = ShopForm({"name": "", "wait": "0", "currency": "PLN", "scope": "product"})
    form.is_valid()
    return form


def _crumbs(name: str) -> list[parts.Link]:
    return [parts.Link("Settings", "/s/lumen/settings/"), parts.Link(name, "")]


def settings(**given: str) -> dict[str, Any]:
    """The first page of the settings."""
    card = keeping_screens.SettingsCard
    groups = [
        (
            "Shop",
            [
                card("Shop", "Name, colour, phone, terms", "/a/", "store"),
                card("Colleagues", "Who works here, and what they may do", "/b/", "users-round"),
                card("Waiting times", "How long an order may stay unpaid", "/c/", "hourglass"),
            ],
        ),
        (
            "Orders in, messages out",
            [
                card(
                    "Sources of orders",
                    "WooCommerce, your own checkout, files",
                    "/d/",
                    "plug",
                    "ok",
                    "2 connected",
                ),
                card(
                    "Mail server",
                    "SMTP, sender, SPF, DKIM, DMARC",
                    "/e/",
                    "server",
                    "warning",
                    "DMARC missing",
                ),
                card("Texts", "What buyers read, in each language", "/f/", "file-text"),
            ],
        ),
    ]
    return base("/s/lumen/settings/", **given, groups=groups)


def settings_form(**given: str) -> dict[str, Any]:
    """A form of the settings with mistakes in it."""
    return base(
        "/s/lumen/settings/shop/",
        **given,
        heading="Shop",
        lead="What buyers see, and how long Recoup waits.",
        crumb_links=_crumbs("Shop"),
        form=shop_form(),
        units={"wait": "hours"},
    )


def checks() -> list[keeping_screens.CheckRow]:
    """Return the checks of a mail server."""
    row = keeping_screens.CheckRow
    return [
        row("Connection", "ok", "Works", "smtp.lumen.example answers in 84 ms, TLS 1.3"),
        row("SPF", "ok", "In place", "v=spf1 include:_spf.lumen.example -all"),
        row(
            "DMARC",
            "warning",
            "Missing",
            "Put this record into DNS:",
            '_dmarc.lumen.example. TXT "v=DMARC1; p=none"',
        ),
    ]


def settings_mail(**given: str) -> dict[str, Any]:
    """The mail server."""
    return {
        **settings_form(**given),
        "heading": "Mail server",
        "form": TextForm(),
        "test_url": "/t/",
        "test_to": "anna@lumen.example",
        "checks": checks(),
        "checked_at": ago(minutes=3),
        "check_url": "/c/",
    }


def settings_waiting(**given: str) -> dict[str, Any]:
    """Waiting times."""
    row = keeping_screens.WaitingRow
    waiting = [
        row("Card", timedelta(hours=24), "/w/", is_default=True),
        row("BLIK", timedelta(minutes=45), "/w/"),
        row("Bank transfer", timedelta(days=5), "/w/"),
    ]
    return {**settings_form(**given), "heading": "Waiting times", "waiting": waiting}


def settings_sources(**given: str) -> dict[str, Any]:
    """The sources of orders."""
    card = keeping_screens.SettingsCard
    rows = [
        keeping_screens.SourceRow("lumen.example", "WooCommerce", "/w/", "ok", "Reports", ago(minutes=4), 42),
        keeping_screens.SourceRow(
            "Own checkout", "Signed webhook", "/o/", "waiting", "Waits for its first report", None, 0
        ),
    ]
    kinds = [
        card("WooCommerce", "Webhooks, and a look at what they lost", "/n/", "store"),
        card("Signed webhook", "From your own checkout, in ten lines", "/n/", "webhook"),
        card("A file", "CSV, or the orders export of Shopify", "/n/", "file-up"),
    ]
    return base(
        "/s/lumen/settings/sources/",
        **given,
        crumb_links=_crumbs("Sources of orders"),
        rows=rows,
        kinds=kinds,
        quarantined=2,
        intake_url="/i/",
    )


def settings_source(**given: str) -> dict[str, Any]:
    """One source, just made."""
    return base(
        "/s/lumen/settings/sources/1/",
        **given,
        source=keeping_screens.SourceRow(
            "Own checkout", "Signed webhook", "/o/", "waiting", "Waits", None, 0
        ),
        crumb_links=_crumbs("Own checkout"),
        lead="Your checkout reports orders, payments and carts to this address.",
        hook_url="https://recoup.lumen.example/hooks/generic/Qm3x9TkV2sL0/",
        secret="whsec_bG9uZyBlbm91Z2ggdG8gYmUgYSBzZWNyZXQ=",
        checks=checks()[:1],
        facts=[("Made", "22 November 2026"), ("By", "Anna Kowalska")],
        actions=[screens.Action("Replace the secret…", "key-round", opens="replace")],
        example="curl -X POST https://recoup.lumen.example/hooks/generic/Qm3x9TkV2sL0/",
        cancelling=keeping_screens.OwnCancelling(
            "Your shop cancelled 2 orders in the last 7 days before they could be reminded",
            "It does so after its “Hold stock (minutes)”, 60 unless you changed it.",
            "In WooCommerce, open Settings, Products, Inventory, and empty “Hold stock (minutes)”.",
            [parts.Link("10482", "/o/1/"), parts.Link("10483", "/o/2/")],
            "due",
        ),
        events=parts.Timeline([]),
        dialogs=[],
    )


def settings_intake(**given: str) -> dict[str, Any]:
    """What could not be read."""
    rows = [
        keeping_screens.IntakeRow(
            1, "/i/1/", "lumen.example", "order.updated", "The total is not a number: “12,0O”", ago(hours=3),
            '{"id": 10482, "total": "12,0O"}', "/r/", "/x/",
        ),
        keeping_screens.IntakeRow(2, "/i/2/", "Own checkout", "order", "No currency", ago(days=1), "{}", "/r/", "/x/"),
    ]  # fmt: skip
    return base(
        "/s/lumen/settings/intake/",
        **given,
        crumb_links=_crumbs("Reports"),
        is_of_all=True,
        filters=parts.Filters(views=[parts.Link("Waiting", "?", True, "2"), parts.Link("All", "?v=all")]),
        rows=rows,
        pager=parts.Pager("2 reports"),
        retry_all_url="/r/",
    )


def settings_people(**given: str) -> dict[str, Any]:
    """Colleagues."""
    row = keeping_screens.ColleagueRow
    rows = [
        row("Anna Kowalska", "anna@lumen.example", "Owner", last_at=ago(minutes=1)),
        row("Piotr Nowak", "piotr@lumen.example", "Manager", last_at=ago(days=2)),
        row("ewa@lumen.example", "ewa@lumen.example", "Clerk", is_invited=True),
    ]
    return base(
        "/s/lumen/settings/people/",
        **given,
        crumb_links=_crumbs("Colleagues"),
        rows=rows,
        form=SignInForm(),
        invite_url="/i/",
        dialogs=[],
    )


def settings_programs(**given: str) -> dict[str, Any]:
    """Other programs."""
    row = keeping_screens.ProgramRow
    rows = [
        row(
            "CRM", "https://crm.lumen.example/hooks/recoup", True, 2, 1, "It answered with status 500.", "/c/"
        ),
        row("Warehouse", "https://wms.lumen.example/in", False, 0, 0, "", "/c/"),
    ]
    return base(
        "/s/lumen/settings/programs/",
        **given,
        crumb_links=_crumbs("Other programs"),
        rows=rows,
        form=SignInForm(),
        once={"name": "CRM", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    )


def settings_texts(**given: str) -> dict[str, Any]:
    """The texts."""
    row = keeping_screens.TemplateRow
    spoken, nine_days, one_day = ["en", "pl", "ru", "de"], ago(days=9), ago(days=1)
    rows = [
        row(
            "First reminder",
            "/1/",
            "Your order is waiting",
            spoken,
            "About the order",
            "Unpaid order",
            nine_days,
        ),
        row(
            "Cart, after an hour",
            "/2/",
            "In your cart",
            ["en"],
            "Needs consent",
            "Cart",
            one_day,
            "Polish missing",
        ),
    ]
    return base(
        "/s/lumen/settings/texts/", **given, crumb_links=_crumbs("Texts"), rows=rows, new_url="/t/new/"
    )


def settings_text(**given: str) -> dict[str, Any]:
    """The editor of a text."""
    return base(
        "/s/lumen/settings/texts/1/",
        **given,
        heading="First reminder",
        crumb_links=_crumbs("First reminder"),
        language_links=[
            parts.Link("English", "?l=en", True),
            parts.Link("Polski", "?l=pl"),
            parts.Link("Deutsch", "?l=de"),
        ],
        form=TextForm(),
        message_class="About the order: may be sent without consent",
        tokens=[
            ("{{ order.number }}", "Number of the order", ""),
            ("{{ customer.first_name }}", "First name", "there"),
        ],
        preview_url="/preview/1/",
        test_url="/t/",
        test_to="anna@lumen.example",
        text_part="Hello Maria,\nyour order 10482 is waiting.",
        chooser=keeping_screens.PreviewChooser(
            key="1",
            who="10482 · Maria Fischer",
            query="maria",
            hits=[parts.Link("10482 · Maria Fischer", "?as=1", count="€149.00")],
            asks_for="Order number or customer",
        ),
        sample_url="?",
        actions=[],
    )


def settings_products(**given: str) -> dict[str, Any]:
    """Products bought again and again, after a search."""

    def row(name: str, detail: str, *, is_on: bool) -> keeping_screens.ProductRow:
        label = "Take off the list" if is_on else "Put on the list"
        action = screens.Action(label, "minus" if is_on else "plus", url="/p/", is_post=True)
        return keeping_screens.ProductRow(name, detail, is_on, action)

    return base(
        "/s/lumen/settings/products/",
        **given,
        crumb_links=_crumbs("Products bought again and again"),
        rows=[row("Coffee, 1 kg", "KAW-1 · lumen.example", is_on=True)],
        found=[
            row("Tea, a very long name of a blend from the hills in the north", "", is_on=False),
            row("Tea, green", "TEA-2 · lumen.example", is_on=True),
        ],
        query="tea",
        has_more=True,
        clear_url="?",
        has_products=True,
    )


def settings_encoding(**given: str) -> dict[str, Any]:
    """An import of a file whose letters nobody can tell."""
    return base(
        "/s/lumen/settings/import/",
        **given,
        crumb_links=_crumbs("Import a file"),
        step="encoding",
        form=LettersForm(),
        kept_name="zamowienia-2026.csv",
        other_url="/i/",
        step_label="Continue",
    )


def settings_import(**given: str) -> dict[str, Any]:
    """An import after its dry run."""
    return base(
        "/s/lumen/settings/import/",
        **given,
        crumb_links=_crumbs("Import a file"),
        step="dry_run",
        counts=[("Rows of the file", 1240), ("New orders", 1198), ("Known already", 40), ("Need a look", 2)],
        columns=[("Order ID", "10001, 10002, 10003"), ("Grand total", "129,00; 54,50; 1.299,00")],
        report=[
            keeping_screens.CheckRow("Row 214", "failed", "Not imported", "The total is not a number: “abc”")
        ],
        form=ShopForm(),
        step_label="Import 1,198 orders",
        errors_url="/e/",
    )


def steps(current: int) -> list[keeping_screens.WizardStep]:
    """Return the steps of the wizard."""
    names = ["You", "Your shop", "Mail server", "Orders", "Ready"]
    states = [
        "done" if index < current else "now" if index == current else "later" for index in range(len(names))
    ]
    return [
        keeping_screens.WizardStep(name, "/setup/", state) for name, state in zip(names, states, strict=True)
    ]


def wizard(**_given: str) -> dict[str, Any]:
    """A step of the wizard."""
    return {
        "steps": steps(1),
        "heading": "Your shop",
        "lead": "Buyers see its name, its phone and its colour. All of it can be changed later.",
        "form": ShopForm({"name": "Lumen Candles", "wait": "24", "currency": "PLN", "scope": "product"}),
        "units": {"wait": "hours"},
        "submit_label": "Continue",
        "back_url": "/setup/",
        "skip_url": "",
    }


def wizard_done(**_given: str) -> dict[str, Any]:
    """The end of the wizard."""
    return {
        "steps": steps(5),
        "process_name": "Unpaid order",
        "next_words": "An order that is not paid for 24 hours gets its first reminder.",
        "go_live_url": "/live/",
        "home_url": "/",
        "missing": [],
    }


def sign_in(**_given: str) -> dict[str, Any]:
    """Sign-in."""
    return {"form": SignInForm()}


def activate(**_given: str) -> dict[str, Any]:
    """The authenticator app."""
    picture = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="
    return {"form": CodeForm(), "totp_svg_data_uri": picture}


def empty(**_given: str) -> dict[str, Any]:
    """Nothing: errors need nothing."""
    return {}


def reports(**given: str) -> dict[str, Any]:
    """The list of reports."""
    cards = [
        keeping_screens.SettingsCard(
            "Recovery", "What came back, by shop, period and currency", "/r/", "hand-coins"
        )
    ]
    return base("/s/lumen/reports/", **given, reports=cards)


def attention(**given: str) -> dict[str, Any]:
    """All that waits for a person."""
    return base(
        "/s/lumen/attention/", **given, attention_items=pieces.attention(), pager=parts.Pager("3 things")
    )
