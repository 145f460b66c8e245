"""A shop's colour as a stylesheet: readable on its buttons and in its links, by day and by night."""

_WHITE, _INK = "#ffffff", "#13202a"
_DAY, _NIGHT = "#ffffff", "#11181d"  # --surface of buyer.css
_READABLE = 4.5


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    shares = [value / 255 for value in _channels(colour)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (`#rrggbb`) as WCAG counts it, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _mixed(colour: str, towards: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(towards), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def readable(colour: str, ground: str) -> str:
    """Return the colour, moved towards black or white only until words in it can be read on the ground."""
    towards = "#000000" if _luminance(ground) > 0.5 else _WHITE
    shades = (_mixed(colour, towards, step / 20) for step in range(21))
    return next(shade for shade in shades if contrast(shade, ground) >= _READABLE)


def theme_css(colour: str) -> str:
    """Return the stylesheet of a shop's colour (`#rrggbb`, as its column holds it)."""
    on_shop = max((_WHITE, _INK), key=lambda words: contrast(words, colour))
    button = colour if contrast(on_shop, colour) >= _READABLE else readable(colour, on_shop)
    return (
        f":root{{--shop:{button};--on-shop:{on_shop};--shop-ink:{readable(colour, _DAY)}}}"
        f"@media(prefers-color-scheme:dark){{:root{{--shop-ink:{readable(colour, _NIGHT)}}}}}\n"
    )
