"""Plots made on the server: SVG that needs no script, stretches with the page and keeps its letters readable.

Places across are percentages and places down are pixels, so that a plot fills its column on a phone as on a desk
while letters and marks keep their size. Colours and line styles are classes of ``static/plots.css``: what is
observed is full, what it is compared with is hollow or dashed, so that nothing rests on colour alone and a print
reads as well. Each plot says its message in its figure's caption, which is its text alternative.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab39.core.text import Lang, number

if TYPE_CHECKING:
    from markupsafe import Markup

TOP, BOTTOM = 18, 26
"""Pixels above the highest line and below the lowest, for labels."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval; ``None`` in a period where it cannot be told."""

    value: float
    low: float
    high: float


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round values that cover a range: 0, 5, 10… or −2, 0, 2."""
    span = max(high - low, 1e-9)
    rough = span / about
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough - 1e-12)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(at * step, 10) for at in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where values stand: ``many`` places across, ``marks`` down."""

    many: int
    marks: Sequence[float]
    height: int

    def x(self, at: float) -> str:
        return f"{100 * (at + 0.5) / self.many:.2f}%"

    def y(self, value: float) -> float:
        low, high = self.marks[0], self.marks[-1]
        kept = min(max(value, low), high)
        return round(TOP + (high - kept) / ((high - low) or 1) * self.height, 1)

    @property
    def whole(self) -> int:
        return TOP + self.height + BOTTOM


def observed_expected(
    names: Sequence[str],
    observed: Sequence[int],
    expected: Sequence[float],
    *,
    labelled_by: str,
    words: tuple[str, str],
    lang: Lang,
    height: int = 130,
) -> Markup:
    """Bars of what was observed in each period, a dashed line of what was expected.

    Args:
        labelled_by: id of the caption.
        words: labels of both, written beside them.
    """
    most = max([*observed, *expected, 1.0])
    frame = _Frame(len(names), ticks(0, most), height)
    parts = [*_grid(frame, lang), *_periods(frame, names)]
    wide = min(70.0 / len(names), 6.0)
    for at, many in enumerate(observed):
        if many:
            top = frame.y(many)
            left = 100 * (at + 0.5) / len(names) - wide / 2
            tall = frame.y(0) - top
            parts.append(f'<rect class="seen" x="{left:.2f}%" width="{wide:.2f}%" y="{top}" height="{tall:.1f}"/>')
    parts += _line(frame, expected, "awaited")
    peak = max(range(len(names)), key=lambda at: (observed[at], at))
    parts.append(_said(frame, peak, frame.y(observed[peak]) - 5, f"{words[0]} {number(observed[peak], lang)}"))
    free, above = _room(observed, expected, peak)
    parts.append(_said(frame, free, frame.y(above) - 6, words[1]))
    return _svg(frame, parts, labelled_by)


def intervals(
    names: Sequence[str],
    values: Sequence[Interval | None],
    *,
    labelled_by: str,
    lang: Lang,
    least: float = -4.0,
    height: int = 130,
) -> Markup:
    """A dot and its interval in each period, with the line of 0; below ``least`` the interval is cut.

    Args:
        labelled_by: id of the caption.
    """
    told = [each for each in values if each is not None]
    low = max(least, min([each.low for each in told], default=-1.0))
    high = max([each.high for each in told], default=1.0)
    frame = _Frame(len(names), ticks(min(low, 0.0), max(high, 1.0)), height)
    parts = [*_grid(frame, lang), *_periods(frame, names)]
    ground = frame.y(0)
    parts.append(f'<line class="zero" x1="0%" x2="100%" y1="{ground}" y2="{ground}"/>')
    for at, each in enumerate(values):
        if each is None:
            continue
        x = frame.x(at)
        apart = " apart" if each.low > 0 else ""
        parts.append(
            f'<line class="whisker{apart}" x1="{x}" x2="{x}" y1="{frame.y(each.high)}" y2="{frame.y(each.low)}"/>'
        )
        parts.append(f'<circle class="dot{apart}" cx="{x}" cy="{frame.y(each.value)}" r="4.5"/>')
    return _svg(frame, parts, labelled_by)


def against(share: float, base: float, most: float) -> Markup:
    """One row of a table, from 0 to ``most``: a full dot for the cases, a hollow one for the comparison."""
    at, other = (100 * value / (most or 1) for value in (share, base))
    parts = [
        '<line class="rail" x1="0%" x2="100%" y1="12" y2="12"/>',
        f'<line class="gap" x1="{min(at, other):.2f}%" x2="{max(at, other):.2f}%" y1="12" y2="12"/>',
        f'<circle class="base" cx="{other:.2f}%" cy="12" r="5"/>',
        f'<circle class="case" cx="{at:.2f}%" cy="12" r="6"/>',
    ]
    return _row(parts)


def bar(share: float) -> Markup:
    """One row of a table: a bar from 0 to 1."""
    wide = f"{100 * share:.2f}%"
    return _row(
        [
            '<rect class="rail" width="100%" y="5" height="14"/>',
            f'<rect class="seen" width="{wide}" y="5" height="14"/>',
        ]
    )


def _row(parts: Sequence[str]) -> Markup:
    from markupsafe import Markup

    inside = "".join(parts)
    return Markup(f'<svg width="100%" height="24" aria-hidden="true" focusable="false">{inside}</svg>')  # noqa: S704 (numbers only)


def _svg(frame: _Frame, parts: Sequence[str], labelled_by: str) -> Markup:
    """Everything inside is made here from numbers and escaped words."""
    from markupsafe import Markup

    inside = "".join(parts)
    return Markup(  # noqa: S704
        f'<svg role="img" aria-labelledby="{_escaped(labelled_by)}" width="100%" height="{frame.whole}" '
        f'focusable="false">{inside}</svg>'
    )


def _grid(frame: _Frame, lang: Lang) -> Iterator[str]:
    whole = all(float(value).is_integer() for value in frame.marks)
    for value in frame.marks:
        y = frame.y(value)
        words = number(value, lang, digits=0 if whole else 1).replace("-", "\u2212")
        yield f'<line class="grid" x1="0%" x2="100%" y1="{y}" y2="{y}"/>'
        yield f'<text class="tick" x="-8" y="{y + 4}" text-anchor="end">{_escaped(words)}</text>'


def _periods(frame: _Frame, names: Sequence[str], most: int = 4) -> Iterator[str]:
    """A few names of periods under the plot: at most ``most``, always the first and the last."""
    many = len(names)
    if many <= most:
        chosen = set(range(many))
    else:
        step = (many - 1) / (most - 1)
        chosen = {round(at * step) for at in range(most)}
    for at in sorted(chosen):
        anchor = "start" if many > 3 and at == 0 else "end" if many > 3 and at == many - 1 else "middle"
        x = "0%" if anchor == "start" else "100%" if anchor == "end" else frame.x(at)
        y = frame.whole - 6
        yield f'<text class="tick" x="{x}" y="{y}" text-anchor="{anchor}">{_escaped(names[at])}</text>'


def _line(frame: _Frame, values: Sequence[float], name: str) -> Iterator[str]:
    for under in (f"{name} under", name):
        for at in range(len(values) - 1):
            here, there = frame.y(values[at]), frame.y(values[at + 1])
            yield f'<line class="{under}" x1="{frame.x(at)}" x2="{frame.x(at + 1)}" y1="{here}" y2="{there}"/>'
    if len(values) == 1:
        y = frame.y(values[0])
        yield f'<line class="{name}" x1="0%" x2="100%" y1="{y}" y2="{y}"/>'


def _room(observed: Sequence[int], expected: Sequence[float], peak: int) -> tuple[int, float]:
    """Where the label of the line stands: over the lowest neighbourhood, away from the highest bar; its top."""
    many = len(observed)

    def tallest(at: int) -> float:
        near = range(max(0, at - 1), min(many, at + 2))
        return max(max(observed[each], expected[each]) for each in near)

    free = min(range(many), key=lambda at: (abs(at - peak) <= many // 6, tallest(at), -at))
    return free, tallest(free)


def _said(frame: _Frame, at: int, y: float, words: str) -> str:
    """A label beside what it names, kept inside the plot."""
    where = (at + 0.5) / frame.many
    anchor = "end" if where > 0.8 else "start" if where < 0.2 else "middle"
    return (
        f'<text class="said" x="{frame.x(at)}" y="{max(y, 12):.1f}" text-anchor="{anchor}">{_escaped(words)}</text>'
    )


def _escaped(words: str) -> str:
    from markupsafe import escape

    return str(escape(words))
