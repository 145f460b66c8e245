"""Bodies that are forms where JSON is expected: refused with the reason that helps (T28)."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from recoup.integrations.values import shown
from recoup.shops.ports import BodyQuarantined

_MOST_FIELDS = 200


def refuse_form(raw: bytes, headers: Mapping[str, str]) -> None:
    """Refuse a body that is a form, naming a repeated field if there is one; anything else passes.

    :raises BodyQuarantined: `repeated_field` or `form_body`.
    """
    says_form = "x-www-form-urlencoded" in headers.get("content-type", "")
    start = raw[:200].lstrip()
    if not says_form and (start[:1] in b'{["<' or b"=" not in start):
        return
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise BodyQuarantined("repeated_field", shown(name))
    if pairs:
        raise BodyQuarantined("form_body")
