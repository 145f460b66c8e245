"""The plain-text part made from MJML."""

import pytest

from recoup.messaging.rendering.plaintext import plain_source, settle
from recoup.messaging.rendering.sources import Source
from tests.messaging.rendering.texts import mjml


def text_of(body: str) -> str:
    """Return the text made from a column's content without Liquid."""
    return settle(plain_source(Source(mjml(body))))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<mj-text>a  b\n c</mj-text>", "a b c\n"),
        ("<mj-text>a</mj-text><mj-text>b</mj-text>", "a\n\nb\n"),
        ("<mj-text>a<br>b<br><br>c</mj-text>", "a\nb\n\nc\n"),
        ("<mj-text><h1>Title</h1><p>one</p><p>two</p></mj-text>", "Title\n\none\n\ntwo\n"),
        ("<mj-text><ul><li>one</li><li><b>two</b></li></ul>end</mj-text>", "- one\n- two\n\nend\n"),
        ("<mj-text>a &amp; b &lt; c&nbsp;d &euro;</mj-text>", "a & b < c d €\n"),
        ('<mj-button href="https://x.pl/a?b=1&amp;c=2">Pay</mj-button>', "Pay:\nhttps://x.pl/a?b=1&c=2\n"),
        ('<mj-text>See <a href="https://x.pl/">our page</a>.</mj-text>', "See our page (https://x.pl/).\n"),
        ('<mj-text><a href="https://x.pl/">https://x.pl/</a></mj-text>', "https://x.pl/\n"),
        ('<mj-text>Write to <a href="mailto:a@b.pl">a@b.pl</a></mj-text>', "Write to a@b.pl\n"),
        ('<mj-text>Write <a href="mailto:a@b.pl">to us</a></mj-text>', "Write to us (a@b.pl)\n"),
        ('<mj-image src="https://x.pl/a.png" alt="Logo"/><mj-text>a</mj-text>', "a\n"),
        ('<mj-image src="https://x.pl/a.png" alt="Shop" href="https://x.pl/"/>', "Shop:\nhttps://x.pl/\n"),
        (
            '<mj-text><a href="https://x.pl/"><img src="https://x.pl/a.png" alt=""></a></mj-text>',
            "https://x.pl/\n",
        ),
        ("<mj-text>a</mj-text><mj-divider/><mj-text>b</mj-text>", "a\n\n---\n\nb\n"),
        ("<mj-table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></mj-table>", "a  b\nc  d\n"),
        ("<mj-spacer/><mj-text><!-- hidden -->a</mj-text>", "a\n"),
        (
            '<mj-social><mj-social-element name="facebook" href="https://f.pl/x"/></mj-social>',
            "facebook (https://f.pl/x)\n",
        ),
    ],
)
def test_markup_becomes_what_a_person_would_type(body: str, text: str) -> None:
    assert text_of(body) == text


def test_the_head_with_its_preview_and_styles_is_left_out() -> None:
    html = (
        "<mjml><mj-head><mj-title>T</mj-title><mj-preview>P</mj-preview><mj-style>.a{}</mj-style></mj-head>"
        "<mj-body><mj-section><mj-column><mj-text>a</mj-text></mj-column></mj-section></mj-body></mjml>"
    )

    assert settle(plain_source(Source(html))) == "a\n"


def test_what_is_for_html_only_is_left_out_with_all_inside_it() -> None:
    body = '<mj-text>a</mj-text><mj-text css-class="small html-only">b <b>c</b><br>d</mj-text><mj-text>e</mj-text>'

    assert text_of(body) == "a\n\ne\n"


def test_liquid_keeps_its_place_between_rows() -> None:
    source = Source(
        mjml("<mj-table>{% for i in order.items %}<tr><td>{{ i.name }}</td></tr>{% endfor %}</mj-table>")
    )

    assert plain_source(source).count("{% for i in order.items %}") == 1
    assert plain_source(source).index("{{ i.name }}") < plain_source(source).index("{% endfor %}")


def test_settle_leaves_an_own_text_its_blanks() -> None:
    assert settle("a  b\n\n\n\nc \n") == "a  b\n\nc\n"
