"""What an author is told when a template is saved."""

import pytest
from django.utils import translation

from recoup.messaging.rendering.pool import RenderPool
from recoup.messaging.rendering.saving import TemplateRefused, check_template, compile_template
from recoup.messaging.rendering.templates import CompiledTemplate, TemplateSource
from tests.messaging.rendering.texts import REMINDER, codes, compiled, mjml, problems

FALLBACK = '{{ customer.first_name | fallback: "Kliencie" }}'


def test_a_good_template_has_no_problems_and_names_its_fields_and_links(pool: RenderPool) -> None:
    source = TemplateSource("Zamówienie {{ order.number }}", REMINDER, locale="pl")

    assert check_template(source, message_class="needs_consent", pool=pool) == []
    template = compile_template(source, message_class="needs_consent", pool=pool)

    assert template.links == ("pay", "stop_order", "unsubscribe")
    assert template.tokens == (
        "customer.first_name",
        "links.stop_order",
        "links.unsubscribe",
        "order.items",
        "order.items.name",
        "order.items.quantity",
        "order.items.total",
        "order.items.variant",
        "order.number",
        "order.pay_link",
        "order.placed_at",
        "order.total",
        "shop.phone",
    )
    assert CompiledTemplate.from_json(template.to_json()) == template


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<mj-text>\n{{ customer.nmae }}</mj-text>", [("token_unknown", 3)]),
        ("<mj-text>{{ customer.__class__.__mro__ }}</mj-text>", [("token_unknown", 2)]),
        ("<mj-text>{{ ''.__class__ }}</mj-text>", [("syntax", 2)]),
        ("<mj-text>{{ secret }}</mj-text>", [("token_unknown", 2)]),
        ("<mj-text>{{ order[customer.name] }}</mj-text>", [("name_computed", 2)]),
        ("<mj-text>{{ order.number | upcas }}</mj-text>", [("filter_unknown", 2)]),
        ("<mj-text>{{ order.number | safe }}</mj-text>", [("filter_unknown", 2)]),
        ("<mj-text>{% include '../../etc/passwd' %}</mj-text>", [("tag_unknown", 2)]),
        ("<mj-text>{% render 'other_shop' %}</mj-text>", [("tag_unknown", 2)]),
        ("<mj-text>\n\n{% if order.total %}</mj-text>", [("block_unclosed", 4)]),
        ("<mj-text>{% endif %}</mj-text>", [("tag_misplaced", 2)]),
        ("<mj-text>{{ cart.link }}</mj-text>", [("token_elsewhere", 2)]),
        ("<mj-text>{{ customer.name }}</mj-text>", [("fallback_missing", 2)]),
        ("<mj-text>{{ customer.name | fallback: '' }}</mj-text>", [("fallback_empty", 2)]),
        ("<mj-text>{{ customer.name | fallback: ' ' }}</mj-text>", [("fallback_empty", 2)]),
        ("<mj-text>{{ order.items }}</mj-text>", [("object_printed", 2)]),
        ("<mj-text>{{ customer }}</mj-text>", [("object_printed", 2)]),
        ("<mj-text>{% for x in order.number %}{% endfor %}</mj-text>", [("loop_over_single", 2)]),
        ("<mj-text>{% assign customer = 1 %}</mj-text>", [("name_taken", 2)]),
        ("<mj-text>{{ order.items.size | plural: one: 'a', other: 'b' }}</mj-text>", [("plural_forms", 2)]),
        ("<mj-text>{{ order.placed_at | date: '%q' }}</mj-text>", [("trial_liquid_failed", 2)]),
        ("<mj-text>{{ order.total | plus: 1 }}</mj-text>", [("trial_liquid_failed", 2)]),
        ("<mj-text>{{ order.items.size | times: 'x' }}</mj-text>", [("trial_liquid_failed", 2)]),
        ("<mj-text>{% break %}</mj-text>", [("trial_liquid_failed", 0)]),
    ],
)
def test_wrong_liquid_is_refused_with_its_line(
    pool: RenderPool, body: str, expected: list[tuple[str, int]]
) -> None:
    assert codes(pool, body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<mj-buton>x</mj-buton>", [("element_forbidden", 2)]),
        ("<mj-text><script>x</script></mj-text>", [("element_forbidden", 2)]),
        ("<mj-text><form>x</form></mj-text>", [("element_forbidden", 2)]),
        ('<mj-include path="/etc/passwd"/>', [("element_forbidden", 2)]),
        ("<mj-text>\n<p>x</mj-text>", [("element_unclosed", 3)]),
        ("<mj-text>x</p></mj-text>", [("element_unopened", 2)]),
        ("<mj-text>a < b</mj-text>", [("sign_unescaped", 2)]),
        ("<mj-text><a href=x>y</a></mj-text>", [("attribute_unquoted", 2)]),
        ("<mj-text><td {% if order.total %}a{% endif %}></td></mj-text>", [("liquid_in_tag", 2)]),
        ('<mj-text><b onclick="x()">y</b></mj-text>', [("attribute_forbidden", 2)]),
        ('<mj-text><b style="background:url(http://x/)">y</b></mj-text>', [("style_forbidden", 2)]),
        ('<mj-text><b style="width:expr/**/ession(1)">y</b></mj-text>', [("style_forbidden", 2)]),
        ("{% if order.total %}<mj-text>x{% endif %}</mj-text>", [("block_crosses", 2)]),
        ("<mj-text><!--[if mso]>x<![endif]--></mj-text>", [("comment_conditional", 2)]),
        ("<mj-text>lqm0z {{ order.number }}</mj-text>", [("reserved_word", 2)]),
        ("<mj-text>" + "<div>" * 70 + "</div>" * 70 + "</mj-text>", [("nested_too_deep", 2)]),
    ],
)
def test_wrong_markup_is_refused_with_its_line(
    pool: RenderPool, body: str, expected: list[tuple[str, int]]
) -> None:
    found = codes(pool, body)

    assert sorted(set(found)) == expected


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "java&#10;script:alert(1)",
        "&#106;avascript:alert(1)",
        "vbscript:x",
        "data:text/html;base64,PHNjcmlwdD4=",
        "file:///etc/passwd",
        "blob:https://x/",
    ],
)
@pytest.mark.parametrize("element", ['<mj-button href="{}">x</mj-button>', '<mj-image src="{}"/>'])
def test_addresses_that_run_or_read_something_are_refused(
    pool: RenderPool, element: str, address: str
) -> None:
    assert codes(pool, element.format(address)) == [("link_forbidden", 2)]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("", "link_empty"),
        ("/pay", "link_relative"),
        ("//evil.example/", "link_relative"),
        ("https://your-page.example/offer", "link_placeholder"),
        ("shop.example", "link_relative"),
        ("https:/shop.example", "link_relative"),
        ("https://user@evil.example/", "link_relative"),
        ("{{ customer.name | fallback: 'x' }}", "link_from_value"),
        ("{{ shop.website | fallback: 'javascript:x' }}", "link_from_value"),
        ("{{ links.pay | replace: 'https', 'javascript' }}", "link_from_value"),
        ("{% if order.total %}https://a.example/{% endif %}", "link_conditional"),
    ],
)
def test_addresses_that_lead_nowhere_or_anywhere_are_refused(
    pool: RenderPool, address: str, code: str
) -> None:
    found = {code for code, _ in codes(pool, f'<mj-button href="{address}">x</mj-button>')}

    assert code in found


@pytest.mark.parametrize(
    "address",
    [
        "https://shop.example/a?b=1&amp;c=2",
        "http://shop.example",
        "mailto:hello@shop.example",
        "tel:+48600100200",
        "#top",
        "{{ links.pay }}",
        "{{ shop.website | fallback: 'https://shop.example/' }}",
        "https://shop.example/?n={{ order.number | url_encode }}",
    ],
)
def test_ordinary_addresses_are_taken(pool: RenderPool, address: str) -> None:
    assert codes(pool, f'<mj-button href="{address}">x</mj-button>') == []


@pytest.mark.parametrize(
    "body",
    [
        "<mj-text>{% if customer.name %}{{ customer.name }}{% endif %}</mj-text>",
        "<mj-text>{% if customer.name != blank and order.total %}{{ customer.name }}{% endif %}</mj-text>",
        "<mj-text>{{ customer.name | upcase | fallback: 'Kliencie' }}</mj-text>",
        "<mj-text>{% assign who = customer.name | default: 'Kliencie' %}{{ who }}</mj-text>",
        "<mj-text>{% for i in order.items %}{% if i.variant %}{{ i.variant }}{% endif %}{% endfor %}</mj-text>",
        "<mj-text>{{ order.items[0].name }} {{ order.items.first.name }} {{ order.items.size }}</mj-text>",
        "<mj-text>{{ order.items | map: 'name' | join: ', ' }}</mj-text>",
        "<mj-text>{% assign c = customer %}{{ c.email }}</mj-text>",
        "<mj-text>{% if order.total > 100 %}dużo{% else %}mało{% endif %}</mj-text>",
        "<mj-text>{% case order.status %}{% when 'x' %}a{% else %}b{% endcase %}</mj-text>",
        "<mj-text><!-- {{ anything }} {% if %} -->x</mj-text>",
        "<mj-text>{% raw %}{{ braces }}{% endraw %}</mj-text>",
        '<mj-text><img src="https://x.example/y.png" alt="">a<br>b<hr></mj-text>',
    ],
)
def test_what_authors_rightly_write_is_taken(pool: RenderPool, body: str) -> None:
    assert codes(pool, body) == []


def test_local_names_are_checked_like_the_fields_they_stand_for(pool: RenderPool) -> None:
    body = "<mj-text>{% assign c = customer %}{{ c.name }}\n{% for i in order.items %}{{ i.nam }}{% endfor %}</mj-text>"

    assert codes(pool, body) == [("fallback_missing", 2), ("token_unknown", 3)]


def test_unknown_names_are_answered_with_what_was_probably_meant(pool: RenderPool) -> None:
    with translation.override("en"):
        messages = [
            str(problems(pool, f"<mj-text>{wrong}</mj-text>")[0].message)
            for wrong in (
                "{{ customer.nmae }}",
                "{{ order.number | upcas }}",
                "{{ ordr.number }}",
                "{% fro x in y %}",
            )
        ]
        element = str(problems(pool, "<mj-buton>x</mj-buton>")[0].message)

    assert messages == [
        "There is no field “customer.nmae”. Did you mean “customer.name”?",
        "There is no filter “upcas”. Did you mean “upcase”?",
        "There is no field “ordr.number”. Did you mean “order.number”?",
        "There is no tag “fro”. Did you mean “for”?",
    ]
    assert element == "<mj-buton> is not allowed in a mail. Did you mean “mj-button”?"


@pytest.mark.parametrize("message_class", ["soft_opt_in", "needs_consent"])
@pytest.mark.parametrize(
    "body",
    [
        "<mj-text>x</mj-text>",
        "<mj-text>{{ links.unsubscribe }}</mj-text>",
        '<mj-text>{% if order.total %}<a href="{{ links.unsubscribe }}">x</a>{% endif %}</mj-text>',
        '<!-- <mj-button href="{{ links.unsubscribe }}">x</mj-button> --><mj-text>x</mj-text>',
    ],
)
def test_marketing_without_a_sure_way_out_is_refused(pool: RenderPool, body: str, message_class: str) -> None:
    found = problems(pool, body, message_class=message_class)

    assert [problem.code for problem in found] == ["unsubscribe_missing"]
    assert problems(pool, body, message_class="contract") == []


def test_an_own_text_part_of_marketing_needs_the_way_out_too(pool: RenderPool) -> None:
    body = '<mj-button href="{{ links.unsubscribe }}">x</mj-button>'

    found = problems(pool, body, text="Hello", message_class="needs_consent")
    held = problems(pool, body, text="Bye: {{ links.unsubscribe }}", message_class="needs_consent")

    assert [(problem.code, problem.place) for problem in found] == [("unsubscribe_missing", "text")]
    assert held == []


def test_subject_problems_carry_their_place(pool: RenderPool) -> None:
    found = [
        [(problem.code, problem.place) for problem in problems(pool, "<mj-text>x</mj-text>", subject=subject)]
        for subject in ("", "a\nb", "{{ customer.nmae }}", "{{ customer.name }}")
    ]

    assert found == [
        [("subject_missing", "subject")],
        [("subject_lines", "subject")],
        [("token_unknown", "subject")],
        [("fallback_missing", "subject")],
    ]


def test_length_is_refused_and_warned_about(pool: RenderPool) -> None:
    source_too_large = problems(pool, "<mj-text>" + "x" * 200_001 + "</mj-text>")
    loop = "<mj-text>{% for i in (1..9000) %}" + "x" * 100 + "{% endfor %}</mj-text>"
    too_large = problems(pool, loop)
    long = problems(pool, "<mj-text>" + "x" * 120_000 + "</mj-text>")

    assert [problem.code for problem in source_too_large] == ["source_too_large"]
    assert [problem.code for problem in too_large] == ["trial_too_large"]
    assert [(problem.code, problem.blocking) for problem in long] == [("html_long", False)]


def test_a_warning_does_not_stop_publishing_and_a_problem_does(pool: RenderPool) -> None:
    assert compiled(pool, "<mj-text>" + "x" * 120_000 + "</mj-text>").tokens == ("order.number",)

    with pytest.raises(TemplateRefused, match="token_unknown"):
        compiled(pool, "<mj-text>{{ nothing }}</mj-text>")


def test_whole_documents_are_needed(pool: RenderPool) -> None:
    for html in ("", "hello", "<html><body>x</body></html>", "{{ order.number }}"):
        source = TemplateSource("x", html)
        assert "not_mjml" in [
            problem.code for problem in check_template(source, message_class="contract", pool=pool)
        ]


def test_a_cart_template_knows_the_cart_and_not_the_order(pool: RenderPool) -> None:
    cart = '<mj-button href="{{ cart.link }}">{{ cart.total }}</mj-button>'
    source = TemplateSource("{{ cart.items.size }}", mjml(cart), context="cart", locale="en")
    wrong = TemplateSource("x", mjml("<mj-text>{{ order.number }} {{ links.pay }}</mj-text>"), context="cart")

    assert check_template(source, message_class="contract", pool=pool) == []
    assert [(p.code, p.line) for p in check_template(wrong, message_class="contract", pool=pool)] == [
        ("token_elsewhere", 2),
        ("token_elsewhere", 2),
    ]
