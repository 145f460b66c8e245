"""The picture of a process as a file that stands alone: no style sheet, no script, colours of a light page.

Live counts are left out: a picture in somebody's handbook would go on telling them when they are long past.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from recoup.core.assets import symbol_of
from recoup.web.picture import Box, Node, picture_of

FONTS = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
# The light colours of `frontend/src/tokens.css`; a test compares them.
COLOURS = {
    "surface": "#ffffff",
    "tile": "#f5f7f8",
    "line-strong": "#c6d0d7",
    "ink": "#13202a",
    "muted": "#52626e",
    "neutral": "#445664",
    "recovered": "#0a6847",
    "recovered-soft": "#e3f2ea",
}
_LOOKS = {  # of a box: its fill, its line and its icon
    "send": ("tile", "", "ink"),
    "start": ("recovered-soft", "", "recovered"),
    "goal": ("recovered-soft", "", "recovered"),
    "end": ("surface", "line-strong", "neutral"),
}
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A box with its colours and the lines of its icon."""

    box: Box
    fill: str
    line: str
    ink: str
    mark: SafeString


def svg_of(nodes: Sequence[Node], name: str, language: str) -> str:
    """Return the picture of a process as an SVG document."""
    picture = picture_of([_plain(node) for node in nodes])
    context = {
        "picture": picture,
        "drawn": [_drawn(box) for box in picture.boxes],
        "name": _sayable(name),
        "language": language,
        "fonts": FONTS,
        "colours": {key.replace("-", "_"): colour for key, colour in COLOURS.items()},
    }
    return render_to_string("web/picture.svg", context)


def _drawn(box: Box) -> Drawn:
    fill, line, ink = _LOOKS.get(box.node.kind, ("tile", "", "neutral"))
    return Drawn(
        box, COLOURS[fill], COLOURS.get(line, "none"), COLOURS[ink], symbol_of("icons.svg", box.icon)
    )


def _plain(node: Node) -> Node:
    branches = [replace(way, label=_sayable(str(way.label))) for way in node.branches]
    title, detail = _sayable(str(node.title)), _sayable(str(node.detail))
    return replace(node, title=title, detail=detail, branches=branches, count="", url="")


def _sayable(text: str) -> str:
    """Leave out what no XML document may hold; somebody may have pasted it into a name."""
    return _NOT_IN_XML.sub("", text)
