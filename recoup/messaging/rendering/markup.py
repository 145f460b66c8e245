"""What may stand in a mail: elements, attributes, addresses and styles."""

import re
from html import unescape

MARK = re.compile(r"<!--lqm(\d+)z-->|lqm(\d+)z")
"""What stands for a piece of Liquid while HTML is read: a comment in a sentence, a word in an attribute."""

VOID = frozenset({"br", "hr", "img", "col", "wbr"})

_MJML = frozenset(
    [
        "mjml",
        "mj-head",
        "mj-body",
        "mj-title",
        "mj-preview",
        "mj-attributes",
        "mj-all",
        "mj-class",
        "mj-style",
        "mj-font",
        "mj-breakpoint",
        "mj-section",
        "mj-column",
        "mj-group",
        "mj-wrapper",
        "mj-text",
        "mj-button",
        "mj-image",
        "mj-divider",
        "mj-spacer",
        "mj-table",
        "mj-raw",
        "mj-hero",
        "mj-social",
        "mj-social-element",
        "mj-navbar",
        "mj-navbar-link",
    ]
)
_INLINE = frozenset(
    [
        "a",
        "abbr",
        "b",
        "big",
        "blockquote",
        "br",
        "caption",
        "center",
        "code",
        "col",
        "colgroup",
        "div",
        "em",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
        "wbr",
    ]
)
ELEMENTS = _MJML | _INLINE

COMPILED_ELEMENTS = _INLINE | {"html", "head", "title", "meta", "style", "body", "o", "v"}
"""What MJML itself writes around the author's elements."""

FORBIDDEN_ATTRIBUTES = frozenset({"srcdoc", "srcset", "action", "formaction", "ping", "xlink:href"})

_ADDRESS = frozenset(
    {"href", "src", "background", "background-url", "cite", "longdesc", "dynsrc", "lowsrc", "poster"}
)
_SCRIPTING = re.compile(r"(?:javascript|vbscript|data|file|blob|about|view-source)\s*:", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202e\ufeff]+")
_OPENING = re.compile(r"https?://[^/?#\s\"'<>{}@\\]+(?:[/?#]|$)|(?:mailto|tel|sms):[^\s<>]|#", re.IGNORECASE)
_STYLE_TROUBLE = re.compile(
    r"expression\s*\(|-moz-binding|behavior\s*:|@import|javascript\s*:", re.IGNORECASE
)
_STYLE_ADDRESS = re.compile(r"url\(\s*[\"']?([^)\"']*)", re.IGNORECASE)


def is_address_attribute(attribute: str) -> bool:
    """Tell whether a mail program opens or loads what stands in this attribute."""
    return attribute in _ADDRESS or attribute.endswith(("-url", "-href", "-src"))


def is_attribute_forbidden(attribute: str) -> bool:
    """Tell whether the attribute runs a script, sends a form or hides an address."""
    return attribute.startswith("on") or attribute in FORBIDDEN_ATTRIBUTES


def is_scripting(value: str) -> bool:
    """Tell whether a value begins, as a browser reads it, with a scheme that runs or loads local things."""
    return _SCRIPTING.match(_UNSEEN.sub("", unescape(value))) is not None


# In a text that comes with a ready process, where the merchant's own address belongs (RFC 2606 keeps the name free).
_STAND_IN = re.compile(r"https?://your-[a-z-]+\.example\b", re.IGNORECASE)


def address_trouble(value: str) -> str:
    """Return the code of what is wrong with the opening of an address, or nothing.

    An address that begins with a mark begins with Liquid: `checking` looks at what that prints.
    """
    plain = _UNSEEN.sub("", unescape(value))
    if not plain:
        return "link_empty"
    if _SCRIPTING.match(plain):
        return "link_forbidden"
    if _STAND_IN.match(plain):
        return "link_placeholder"
    if MARK.match(plain) or _OPENING.match(plain):
        return ""
    return "link_relative"


def is_style_forbidden(css: str) -> bool:
    """Tell whether a style runs something, or loads it from anywhere but https."""
    plain = re.sub(r"/\*.*?\*/|\\", "", unescape(css), flags=re.DOTALL)
    if _STYLE_TROUBLE.search(plain):
        return True
    return any(
        not address.strip().lower().startswith("https://") for address in _STYLE_ADDRESS.findall(plain)
    )
