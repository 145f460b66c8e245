"""The copy that is kept of a mail: without the tokens of its links, and small.

A mail differs from its compiled text in a few words, so that text serves as the dictionary it is deflated with: a mail of
15 KB is kept in some 700 bytes.
"""

import threading
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection
from django_scopes import scopes_disabled

from recoup.core import arrays
from recoup.messaging.context import BLANK, blank_links
from recoup.messaging.models import MessageCopy, TemplateVersion
from recoup.messaging.rendering.pool import Rendered
from recoup.messaging.rendering.templates import CompiledTemplate

_LEVEL = 1
_WINDOWS = range(10, 16)  # in bits
_KEPT_DICTIONARIES = 32  # each prepared one takes some 200 KB
_lock = threading.Lock()


class Copy(NamedTuple):
    """What is kept of a text; nothing in it opens anything."""

    message_id: int
    version_id: int
    locale: str
    subject: str
    html: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class MessageText:
    """A kept text as people read it."""

    subject: str
    html: str
    text: str


class _Packer:
    """Deflates with a dictionary that is digested once.

    Each copy begins with one of this state: its window is no larger than the dictionary and a mail like it need.
    """

    def __init__(self, dictionary: str) -> None:
        known = dictionary.encode()
        window = next((bits for bits in _WINDOWS if 1 << bits >= len(known) + 1024), _WINDOWS[-1])
        self._begun = zlib.compressobj(
            _LEVEL, zlib.DEFLATED, window, window - 9, zlib.Z_DEFAULT_STRATEGY, known
        )

    def pack(self, content: bytes) -> bytes:
        packer = self._begun.copy()
        return packer.compress(content) + packer.flush()


_packers: OrderedDict[str, tuple[_Packer, _Packer]] = OrderedDict()


def _packers_of(template: CompiledTemplate) -> tuple[_Packer, _Packer]:
    with _lock:
        found = _packers.get(template.key)
        if found is None:
            found = _packers[template.key] = (_Packer(template.html), _Packer(template.text))
            if len(_packers) > _KEPT_DICTIONARIES:
                _packers.popitem(last=False)
        return found


def make_copy(
    message_id: int, version_id: int, locale: str, template: CompiledTemplate, mail: Rendered
) -> Copy:
    """Return what is kept of a text written with places for its tokens."""
    html, text = _packers_of(template)
    return Copy(message_id, version_id, locale, mail.subject, html.pack(mail.html), text.pack(mail.text))


_KEEP = """
    INSERT INTO messaging_messagecopy (message_id, shop_id, subject, html, text, version_id, locale)
    SELECT (r ->> 0)::bigint, %s, r ->> 1, decode(r ->> 2, 'hex'), decode(r ->> 3, 'hex'), (r ->> 4)::bigint, r ->> 5
    FROM jsonb_array_elements(%s::jsonb) AS r
    ON CONFLICT (message_id) DO UPDATE SET subject = excluded.subject, html = excluded.html, text = excluded.text,
        version_id = excluded.version_id, locale = excluded.locale
"""


def keep_copies(shop_id: int, copies: Sequence[Copy]) -> None:
    """Keep what is about to be sent; of a text that is made anew the latest counts."""
    if not copies:
        return
    rows = [(c.message_id, c.subject, c.html.hex(), c.text.hex(), c.version_id, c.locale) for c in copies]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [shop_id, arrays.rows(rows)])


def read_copy(message_id: int, shop_id: int) -> MessageText | None:
    """Return the kept text of a message, its links with dots; `None` if there is none or its version is gone."""
    copy = MessageCopy.objects.filter(pk=message_id, shop_id=shop_id).first()
    if copy is None:
        return None
    with scopes_disabled():
        version = TemplateVersion.objects.filter(pk=copy.version_id, shop_id=shop_id).first()
    if version is None or copy.locale not in version.texts:
        return None
    template = CompiledTemplate.from_json(version.texts[copy.locale]["compiled"])
    subject = copy.subject.encode()
    return MessageText(
        blank_links(subject).decode(),
        _unpack(bytes(copy.html), template.html),
        _unpack(bytes(copy.text), template.text),
    )


def _unpack(content: bytes, dictionary: str) -> str:
    unpacker = zlib.decompressobj(_WINDOWS[-1], zdict=dictionary.encode())
    return blank_links(unpacker.decompress(content) + unpacker.flush()).decode()


__all__ = ["BLANK", "Copy", "MessageText", "keep_copies", "make_copy", "read_copy"]
