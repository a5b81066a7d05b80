"""Charts as SVG, made by hand to print in black and white: fills differ by pattern, every bar has its number."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from reports.opening import Opening
from reports.paper import Chart

WIDTH, HEIGHT = 900.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 8.0, 20.0, 44.0
MOST_NUMBERED = 40
"""With more bars their numbers would touch."""
_PATTERNS = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#fff"/><rect width="2.4" height="6" fill="#1c2733"/></pattern>'
    '<pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#fff"/>'
    '<circle cx="3" cy="3" r="1.5" fill="#1c2733"/></pattern></defs>'
)
FILLS = {
    "answered": "#24527a",
    "abandoned_queue": "url(#hatch)",
    "overflow": "url(#dots)",
    "other": "#ffffff",
}


def ticks(most: float) -> list[float]:
    """From 0 up in steps of 1, 2 or 5 times a power of ten, the last at or above `most`; three to six of them."""
    if most <= 0:
        return [0.0, 1.0]
    step = 10.0 ** math.floor(math.log10(most))
    for factor in (0.2, 0.5, 1.0, 2.0):
        if most / (step * factor) <= 5:
            step *= factor
            break
    step = max(step, 1.0)
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]


def _open(drawn: str, opens: Sequence[Opening], place: int, desk: str) -> str:
    """What is drawn, as a link to its calls where there is a desk that lists them."""
    return f'<a href="{escape(desk + opens[place].address)}">{drawn}</a>' if desk and opens else drawn


def bars_svg(chart: Chart, desk: str = "") -> Markup:
    """Stacked bars with axis, legend and the sum over each bar; nothing but rectangles, lines and text.

    Args:
        desk: where bars and sums open to their calls; empty: they do not.
    """
    sums = [math.fsum(series.values[place] for series in chart.series) for place in range(len(chart.labels))]
    scale = ticks(max(sums, default=0.0))
    across, down = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    step = across / max(1, len(chart.labels))
    wide = min(46.0, step * 0.72)

    def y(value: float) -> float:
        return _TOP + down * (1.0 - value / scale[-1])

    parts = [_PATTERNS]
    for tick in scale:
        parts.append(
            f'<line x1="{_LEFT:.1f}" x2="{WIDTH - _RIGHT:.1f}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" '
            f'stroke="#c9d2da" stroke-width="{1.2 if tick == 0 else 0.7}"/>'
            f'<text x="{_LEFT - 6:.1f}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:,.0f}</text>'
        )
    every = max(1, math.ceil(len(chart.labels) / 31))
    for place, label in enumerate(chart.labels):
        left, floor = _LEFT + step * place + (step - wide) / 2, 0.0
        for series in chart.series:
            value = series.values[place]
            if value > 0:
                drawn = (
                    f'<rect x="{left:.1f}" y="{y(floor + value):.1f}" width="{wide:.1f}" '
                    f'height="{y(floor) - y(floor + value):.1f}" fill="{FILLS[series.style]}" stroke="#1c2733" '
                    f'stroke-width="0.7"><title>{escape(label)} {escape(series.name)} {value:,.0f}</title></rect>'
                )
                parts.append(_open(drawn, series.opens, place, desk))
                floor += value
        middle = left + wide / 2
        if sums[place] and len(chart.labels) <= MOST_NUMBERED:
            top = y(sums[place]) - 4
            drawn = f'<text x="{middle:.1f}" y="{top:.1f}" text-anchor="middle">{sums[place]:,.0f}</text>'
            parts.append(_open(drawn, chart.opens, place, desk))
        if place % every == 0:
            parts.append(
                f'<text x="{middle:.1f}" y="{HEIGHT - _BOTTOM + 15:.1f}" text-anchor="middle">{escape(label)}</text>'
            )
    at = _LEFT
    for series in chart.series:
        parts.append(
            f'<rect x="{at:.1f}" y="{HEIGHT - 16:.1f}" width="12" height="12" fill="{FILLS[series.style]}" '
            f'stroke="#1c2733" stroke-width="0.7"/>'
            f'<text x="{at + 17:.1f}" y="{HEIGHT - 6:.1f}">{escape(series.name)}</text>'
        )
        at += 40 + 11.5 * len(series.name)
    body = "".join(parts)
    # What is inside a picture is no link to those who hear the page.
    role = "group" if desk and chart.opens else "img"
    # Sizes as attributes: a printer's SVG does not see the page's style sheet.
    return Markup(  # noqa: S704 - every text in it is escaped above
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="{role}" aria-label="{escape(chart.title)}">'
        f'<g font-size="11" fill="#1c2733">{body}</g></svg>'
    )
