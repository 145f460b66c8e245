"""A small line without axes, from numbers to the path of an SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, PAD = 84.0, 28.0, 2.0


@dataclass(frozen=True, slots=True)
class Sparkline:
    """The shapes of one line: the stroke, the area under it, its last point."""

    line: str
    area: str
    x: float
    y: float


def sparkline_of(series: Sequence[float]) -> Sparkline | None:
    """Return the shapes, zero-based; nothing for fewer than two numbers. Zeros lie on the ground."""
    if len(series) < 2:
        return None
    top, step = max(0.0, *series) or 1.0, (WIDTH - 2 * PAD) / (len(series) - 1)
    heights = [(HEIGHT - 2 * PAD) * max(value, 0.0) / top for value in series]
    points = [
        (round(PAD + step * index, 1), round(HEIGHT - PAD - height, 1))
        for index, height in enumerate(heights)
    ]
    line = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
    area = f"{line} L{points[-1][0]:g} {HEIGHT:g} L{points[0][0]:g} {HEIGHT:g} Z"
    return Sparkline(line, area, *points[-1])
