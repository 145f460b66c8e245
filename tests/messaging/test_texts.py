"""Which language a message goes out in (D8)."""

import pytest

from recoup.messaging.texts import read_texts
from tests.factories.templates import compiled

BODY = "<mjml><mj-body><mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section></mj-body></mjml>"


@pytest.mark.parametrize(
    ("there", "wanted", "chosen"),
    [
        (("de", "en", "pl"), ("pl", "de"), "pl"),
        (("de", "en", "pl"), ("pl-PL", "de"), "pl"),
        (("de", "en", "pl"), ("de_AT", "pl"), "de"),
        (("de", "en", "pl"), ("fr", "pl"), "pl"),
        (("de", "en", "pl"), ("fr", "cs"), "en"),
        (("de", "ru"), ("fr", "cs"), "de"),
        ((), ("en", "en"), None),
    ],
)
def test_the_persons_language_then_the_shops_then_english_then_any(
    there: tuple[str, ...], wanted: tuple[str, ...], chosen: str | None
) -> None:
    texts = read_texts(1, {locale: {"compiled": compiled("order", "x", BODY, locale)} for locale in there})

    found = texts.choose(*wanted)

    assert (found[0] if found else None) == chosen
