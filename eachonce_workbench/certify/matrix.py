"""The matrix: event types against event types, a square a verdict, one grid a consumer; an SVG for light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from eachonce_workbench.certify.examination import Bounds
from eachonce_workbench.certify.report import summary, within
from eachonce_workbench.certify.verdict import Examined, Verdict
from eachonce_workbench.version import version

_CELL, _GAP, _MARGIN, _LINE = 64, 4, 24, 20
_CHARACTER = 7.5  # of the labels' type, at most
_TITLE_CHARACTER = 9.0
_TITLE = "Which events of which consumer are independent of each other"

# A colour is never all that tells: each square says its verdict, too.
_LETTERS = {
    Verdict.INDEPENDENT: "I",
    Verdict.COMMUTES: "C",
    Verdict.GUARDED: "G",
    Verdict.EXTERNAL: "E",
    Verdict.INCONCLUSIVE: "?",
    Verdict.ORDER: "O",
    Verdict.UNSOUND: "U",
}
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 17px; }
.name { font-weight: 600; font-size: 15px; }
.letter { font-weight: 600; font-size: 18px; fill: #ffffff; text-anchor: middle; dominant-baseline: central; }
.ground { fill: #ffffff; }
.I { fill: #1a7f37; } .C { fill: #0969da; } .G { fill: #8250df; }
.E { fill: #57606a; } .N { fill: #8c6d1f; } .O { fill: #bc4c00; } .U { fill: #cf222e; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .letter { fill: #ffffff; }
  .ground { fill: #0d1117; }
}
"""


def matrix(examined: Sequence[Examined], bounds: Bounds) -> str:
    """Return the matrix of all consumers, with the bounds within which it holds and the version that found it."""
    names = [name for one in examined for name in one.types]
    left = _MARGIN + int(max(map(len, names), default=0) * _CHARACTER) + 2 * _GAP
    parts, top = [_text(_MARGIN, _MARGIN + 4, _TITLE, "title")], _MARGIN + 2 * _LINE
    for one in examined:
        parts += list(_grid(one, left, top))
        top += _height(one)
    parts += list(_legend(top))
    top += _LINE * (len(_LETTERS) + 1)
    below = (within(bounds), f"eachonce {version()}")
    parts += [_text(_MARGIN, top + place * _LINE, line) for place, line in enumerate(below)]
    widest = int(max(map(len, (_TITLE, *below))) * _TITLE_CHARACTER) + _MARGIN
    width = max(left + max([_width(one) for one in examined] or [0]), widest) + _MARGIN
    height = top + _LINE * len(below) + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{_TITLE}"><title>{_TITLE}</title><style>{_STYLE}</style>'
        f'<rect class="ground" width="{width}" height="{height}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _grid(examined: Examined, left: int, top: int) -> Iterator[str]:
    yield _text(_MARGIN, top + 4, f"{examined.consumer}: {summary(examined)}", "name")
    top += _LINE
    for row, one in enumerate(examined.types):
        middle = top + row * (_CELL + _GAP) + _CELL // 2 + 4
        yield _text(_MARGIN, middle, one)
        for column, other in enumerate(examined.types[: row + 1]):
            verdict = examined.pair(one, other).verdict
            yield _square(left + column * (_CELL + _GAP), top + row * (_CELL + _GAP), verdict, f"{one} and {other}")
    bottom = top + len(examined.types) * (_CELL + _GAP) + 12
    for column, other in enumerate(examined.types):  # names are wider than squares: each a line lower
        yield _text(left + column * (_CELL + _GAP), bottom + column * _LINE, other)


def _square(left: int, top: int, verdict: Verdict, what: str) -> str:
    letter, colour = _LETTERS[verdict], _colour(verdict)
    return (
        f'<g><title>{escape(what)}: {verdict}</title><rect class="{colour}" x="{left}" y="{top}" width="{_CELL}" '
        f'height="{_CELL}" rx="6"/>'
        f'<text class="letter" x="{left + _CELL // 2}" y="{top + _CELL // 2}">{letter}</text></g>'
    )


def _colour(verdict: Verdict) -> str:
    """Return the name of a verdict's colour in the style sheet."""
    return "N" if verdict is Verdict.INCONCLUSIVE else _LETTERS[verdict]


def _legend(top: int) -> Iterator[str]:
    for place, (verdict, letter) in enumerate(_LETTERS.items()):
        line = top + place * _LINE
        yield f'<rect class="{_colour(verdict)}" x="{_MARGIN}" y="{line}" width="14" height="14" rx="3"/>'
        yield _text(_MARGIN + 22, line + 12, f"{letter}: {verdict}")


def _text(left: int, top: int, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{left}" y="{top}">{escape(text)}</text>'


def _height(examined: Examined) -> int:
    return len(examined.types) * (_CELL + _GAP + _LINE) + 3 * _LINE


def _width(examined: Examined) -> int:
    last = max((len(name) for name in examined.types), default=0) * _CHARACTER
    return int(len(examined.types) * (_CELL + _GAP) + last)
