"""Plots as SVG, for light and dark pages: groups of bars on a logarithmic axis, each with its value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_LEFT, _TOP, _MARGIN, _LINE = 78, 74, 24, 18
_PLOT_HEIGHT, _BAR, _BETWEEN = 260, 34, 28
_SMALLEST_WIDTH = 560
_LEAST = 1.2  # of the axis's beginning

_COLOURS = ("#0969da", "#bc4c00", "#57606a", "#8250df", "#1a7f37")
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 16px; }
.middle { text-anchor: middle; } .end { text-anchor: end; }
.line { stroke: #d0d7de; stroke-width: 1; }
.ground { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .line { stroke: #3d444d; } .ground { fill: #0d1117; }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Bars in groups: `values` are those of each series, one a group; None is a bar that isn't there."""

    title: str
    x_axis: str
    y_axis: str
    groups: Sequence[str]
    values: Mapping[str, Sequence[float | None]]

    def svg(self) -> str:
        """Return the plot as a document; the axis is logarithmic, for the values are far apart."""
        scale = _Scale.of([value for values in self.values.values() for value in values if value is not None])
        width = max(_LEFT + len(self.groups) * self._group_width() + _MARGIN, _SMALLEST_WIDTH)
        height = _TOP + _PLOT_HEIGHT + 3 * _LINE + _MARGIN
        parts = [
            _text(_MARGIN, 28, self.title, "title"),
            *self._legend(),
            *scale.lines(width - _MARGIN),
            _upward(18, _TOP + _PLOT_HEIGHT // 2, self.y_axis),
            *(part for place in range(len(self.groups)) for part in self._group(place, scale)),
            _text((_LEFT + width - _MARGIN) // 2, height - _MARGIN + 4, self.x_axis, "middle"),
        ]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" aria-label="{escape(self.title)}"><title>{escape(self.title)}</title>'
            f'<style>{_STYLE}</style><rect class="ground" width="{width}" height="{height}"/>\n'
            + "\n".join(parts)
            + "\n</svg>\n"
        )

    def _group_width(self) -> int:
        return len(self.values) * _BAR + _BETWEEN

    def _group(self, place: int, scale: _Scale) -> Iterator[str]:
        left = _LEFT + place * self._group_width() + _BETWEEN // 2
        for number, (series, values) in enumerate(self.values.items()):
            value, at = values[place], left + number * _BAR
            if value is not None:
                yield _bar(f"{series}, {self.groups[place]}", value, at, scale.place(value), _COLOURS[number])
        middle = left + len(self.values) * _BAR // 2
        yield _text(middle, _TOP + _PLOT_HEIGHT + _LINE, self.groups[place], "middle")

    def _legend(self) -> Iterator[str]:
        left = _MARGIN
        for number, series in enumerate(self.values):
            yield f'<rect fill="{_COLOURS[number]}" x="{left}" y="40" width="12" height="12" rx="2"/>'
            yield _text(left + 18, 50, series)
            left += 34 + 8 * len(series)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """A logarithmic axis from one power of ten to another."""

    lowest: int
    highest: int

    @classmethod
    def of(cls, values: Sequence[float]) -> _Scale:
        lowest = math.floor(math.log10(min(values) / _LEAST))  # so that the lowest bar is one, too
        return cls(lowest=lowest, highest=max(math.ceil(math.log10(max(values))), lowest + 1))

    def place(self, value: float) -> int:
        share = (math.log10(value) - self.lowest) / (self.highest - self.lowest)
        return _TOP + _PLOT_HEIGHT - round(share * _PLOT_HEIGHT)

    def lines(self, right: int) -> Iterator[str]:
        for power in range(self.lowest, self.highest + 1):
            at = self.place(10.0**power)
            yield f'<line class="line" x1="{_LEFT}" y1="{at}" x2="{right}" y2="{at}"/>'
            yield _text(_LEFT - 6, at + 4, _number(10.0**power), "end")


def _bar(name: str, value: float, left: int, top: int, colour: str) -> str:
    return (
        f'<g><title>{escape(name)}: {_number(value)}</title><rect fill="{colour}" x="{left + 2}" y="{top}" '
        f'width="{_BAR - 4}" height="{_TOP + _PLOT_HEIGHT - top}" rx="2"/>'
        f"{_text(left + _BAR // 2, top - 4, _number(value), 'middle')}</g>"
    )


def _number(value: float) -> str:
    """Return a value in three figures, or in as many as it has before its point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _text(left: int, top: int, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{left}" y="{top}">{escape(text)}</text>'


def _upward(left: int, middle: int, text: str) -> str:
    return f'<text class="middle" transform="rotate(-90)" x="{-middle}" y="{left}">{escape(text)}</text>'
