"""What buyers read: values of all kinds in subject, HTML and plain text."""

from decimal import Decimal

import pytest

from recoup.core.money import Money
from recoup.messaging.rendering.pool import RenderPool
from recoup.messaging.rendering.saving import compile_template
from recoup.messaging.rendering.templates import TemplateSource
from tests.messaging.rendering.texts import REMINDER, REMINDER_TEXT, compiled, context, fail, render

GREETING = '<mj-text>Hello {{ customer.first_name | fallback: "there" }}!</mj-text>'
NAMED = '<mj-text title="{{ customer.name | fallback: \'x\' }}">{{ customer.name | fallback: "x" }}</mj-text>'


def test_the_reminder_reads_as_a_person_would_write_it(pool: RenderPool) -> None:
    source = TemplateSource("Zamówienie {{ order.number }} czeka", REMINDER, locale="pl")
    template = compile_template(source, message_class="contract", pool=pool)

    subject, html, text = render(pool, template)

    assert subject == "Zamówienie 1042 czeka"
    assert text == REMINDER_TEXT
    assert '<a href="https://shop.example.com/sample/pay"' in html
    assert "<td>Lniany fartuch (niebieski)</td>" in html


def test_a_text_of_the_author_is_kept_as_written(pool: RenderPool) -> None:
    template = compiled(
        pool, "<mj-text>x</mj-text>", text="Cześć {{ customer.name | fallback: 'x' }},\n\n\n\nzapłać.  \n"
    )

    _, _, text = render(pool, template)

    assert text == "Cześć Anna Kowalska,\n\nzapłać.\n"


@pytest.mark.parametrize("empty", ["", None, "   ", "\u200b\u200d", "\n\t", "\u3164", "\x00"])
def test_an_empty_name_greets_nobody(pool: RenderPool, empty: str | None) -> None:
    template = compiled(pool, GREETING, subject="Hello {{ customer.first_name | fallback: 'there' }}!")

    subject, html, text = render(pool, template, context(first_name=empty))

    assert (subject, text) == ("Hello there!", "Hello there!\n")
    assert "Hello there!" in html


def test_a_missing_field_holds_the_mail_and_not_its_neighbours(pool: RenderPool) -> None:
    template = compiled(pool, "<mj-text>{{ order.number }}</mj-text>")
    without = context()
    del without["order"]["number"]
    empty = context()
    empty["order"]["number"] = ""

    assert fail(pool, template, without).code == "field_empty"
    assert fail(pool, template, empty).code == "field_empty"
    assert render(pool, template)[0] == "Zamówienie 1042"


@pytest.mark.parametrize(
    "name",
    [
        "{{ shop.secret }}",
        "{% raw %}",
        "{{",
        "}}",
        "{% for i in (1..9) %}x{% endfor %}",
        "{{ links.pay }}",
        "lqm0z",
        "%7B%7B",
    ],
)
def test_values_are_never_evaluated(pool: RenderPool, name: str) -> None:
    template = compiled(pool, NAMED, subject="{{ customer.name | fallback: 'x' }}")

    subject, html, text = render(pool, template, context(name=name))

    assert (subject, text) == (name, f"{name}\n")
    assert f">{name}</div>" in html


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('"><img src=x onerror=alert(1)>', "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"),
        ("</title><b>", "&lt;/title&gt;&lt;b&gt;"),
        ("O'Neil & Sons", "O&#x27;Neil &amp; Sons"),
        ("<!--", "&lt;!--"),
    ],
)
def test_names_are_escaped_in_html_and_plain_in_text(pool: RenderPool, name: str, escaped: str) -> None:
    template = compiled(pool, NAMED, subject="{{ customer.name | fallback: 'x' }}")

    subject, html, text = render(pool, template, context(name=name))

    assert (subject, text) == (name, f"{name}\n")
    assert f">{escaped}</div>" in html
    assert html.count(name) == render(pool, template)[1].count(name)


def test_escaping_filters_leave_no_traces_in_plain_text(pool: RenderPool) -> None:
    address = "{{ shop.address | newline_to_br | fallback: 'x' }}"
    body = f"<mj-text>{{{{ customer.name | escape | fallback: 'x' }}}} {address}</mj-text>"

    _, html, text = render(pool, compiled(pool, body), context(name="A & B"))

    assert text == "A & B 1 Market Square\n00-001 Example\n"
    assert "A &amp; B 1 Market Square<br />\n00-001 Example" in html


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("Anna\r\nBcc: victim@example.com", "Anna Bcc: victim@example.com"),
        ("Anna\x00", "Anna"),
        ("Anna\u2028Nowak", "Anna Nowak"),
        ("\u202eannA", "annA"),
        ("A\u00adB\u200bC", "ABC"),
        ("👩\u200d👩\u200d👧 Anna", "👩\u200d👩\u200d👧 Anna"),
        ("\ud800x", "\ufffdx"),
        ("नमस्ते", "नमस्ते"),
    ],
)
def test_odd_names_are_cleaned_in_a_subject(pool: RenderPool, name: str, clean: str) -> None:
    template = compiled(pool, "<mj-text>x</mj-text>", subject="{{ customer.name | fallback: 'x' }}")

    assert render(pool, template, context(name=name))[0] == clean


def test_five_hundred_emoji_are_cut_in_a_subject_and_kept_in_the_mail(pool: RenderPool) -> None:
    template = compiled(pool, NAMED, subject="{{ customer.name | fallback: 'x' }}")

    subject, _, text = render(pool, template, context(name="😀" * 500))

    assert subject == "😀" * 199 + "…"
    assert text == "😀" * 500 + "\n"


def test_amounts_and_days_follow_language_and_zone(pool: RenderPool) -> None:
    body = (
        "<mj-text>{{ order.total }}|{{ order.total | money }}|{{ order.placed_at }}|"
        "{{ order.placed_at | date: 'datetime' }}|"
        "{{ order.placed_at | date: '%d.%m.%Y %H:%M' }}|"
        "{{ order.items.size | number }}|{{ order.total | money | size }}</mj-text>"
    )
    template = compiled(pool, body)
    values = context()
    values["order"]["placed_at"] = "2026-11-18T23:30:00+00:00"
    values["order"]["total"] = ["1234.50", "PLN"]

    _, _, text = render(pool, template, values)

    assert text.replace("\xa0", " ") == (
        "1 234,50 zł|1 234,50 zł|19 listopada 2026|19 lis 2026, 00:30:00|19.11.2026 00:30|2|11\n"
    )


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "1 produkt"), (2, "2 produkty"), (5, "5 produktów"), (22, "22 produkty"), (112, "112 produktów")],
)
def test_plural_forms_follow_the_language(pool: RenderPool, count: int, words: str) -> None:
    body = "<mj-text>{{ order.items.size | plural: one: '# produkt', few: '# produkty', many: '# produktów' }}</mj-text>"
    values = context()
    values["order"]["items"] = values["order"]["items"][:1] * count

    assert render(pool, compiled(pool, body), values)[2] == f"{words}\n"


def test_amounts_compare_as_numbers(pool: RenderPool) -> None:
    body = "<mj-text>{% if order.total > 100 %}dużo{% else %}mało{% endif %}</mj-text>"
    template = compiled(pool, body)
    cheap = context()
    cheap["order"]["total"] = ["99.99", "PLN"]

    assert [render(pool, template)[2], render(pool, template, cheap)[2]] == ["dużo\n", "mało\n"]


@pytest.mark.parametrize(
    "condition", ["customer.name", "customer.name != blank", 'customer.name != ""', "customer.name != nil"]
)
def test_conditions_see_empty_fields_as_people_mean_it(pool: RenderPool, condition: str) -> None:
    template = compiled(
        pool, f"<mj-text>{{% if {condition} %}}{{{{ customer.name }}}}{{% else %}}none{{% endif %}}</mj-text>"
    )

    assert [render(pool, template)[2], render(pool, template, context(name=""))[2]] == [
        "Anna Kowalska\n",
        "none\n",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("links", {"pay": "javascript:alert(1)"}),
        ("links", {"pay": "https://x/\n"}),
        ("order", {"total": "12"}),
        ("order", {"total": ["x", "PLN"]}),
        ("order", {"placed_at": "yesterday"}),
        ("order", {"number": {"a": 1}}),
        ("order", None),
    ],
)
def test_a_context_of_the_wrong_kind_stops_the_mail(pool: RenderPool, field: str, value: object) -> None:
    body = '<mj-button href="{{ links.pay }}">{{ order.total }} {{ order.placed_at }}</mj-button>'
    values = context()
    values[field] = value

    assert fail(pool, compiled(pool, body), values).code in {"context_unreadable", "field_empty"}


def test_conditions_choose_whole_blocks_in_both_parts(pool: RenderPool) -> None:
    body = "{% if shop.phone %}\n<mj-text>Tel. {{ shop.phone }}</mj-text>\n{% endif %}\n<mj-text>Koniec</mj-text>"
    template = compiled(pool, body)
    silent = context()
    silent["shop"]["phone"] = None

    assert render(pool, template)[2] == "Tel. +48 600 100 200\n\nKoniec\n"
    assert render(pool, template, silent)[2] == "Koniec\n"
    assert "Tel." not in render(pool, template, silent)[1]


def test_an_amount_is_read_as_a_pair_and_as_our_own_money(pool: RenderPool) -> None:
    template = compiled(pool, "<mj-text>{{ order.total }}</mj-text>", subject="{{ order.total }}")
    values = context()
    subjects = []
    for total in (["12.50", "PLN"], Money(Decimal("12.50"), "PLN")):
        values["order"]["total"] = total
        subjects.append(render(pool, template, values)[0])

    assert subjects[0] == subjects[1] != ""
