"""Icons in templates."""

import pytest
from django.template import Context, Template

from recoup.core.templatetags.assets import IconUnknown


def shown(text: str) -> str:
    """Render a template."""
    return Template("{% load assets %}" + text).render(Context())


def test_an_icon_beside_a_word_is_not_read_aloud() -> None:
    page = shown('{% icon "package" %}')

    assert 'aria-hidden="true"' in page
    assert page.endswith('.svg#package"></use></svg>')


def test_an_icon_that_stands_alone_says_what_it_is() -> None:
    assert 'role="img" aria-label="Paid"' in shown('{% icon "check" label="Paid" %}')


def test_an_icon_that_nobody_built_is_refused_in_tests() -> None:
    with pytest.raises(IconUnknown, match="no-such-icon"):
        shown('{% icon "no-such-icon" %}')
    with pytest.raises(IconUnknown, match="workflow"):
        shown('{% buyer_icon "workflow" %}')
