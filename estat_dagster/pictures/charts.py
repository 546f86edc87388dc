"""Lines over time and bars of regions. A missing value is a gap, or a bar's name without a bar: never 0."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from estat_dagster.pictures.canvas import new_figure
from estat_dagster.pictures.points import Point, Points, last_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 10
MOST_BARS = 60
MOST_TICKS = 10
NO_VALUE = "値なし"
BAR, NEGATIVE = "#3b7dd8", "#c0392b"
COLORS = (
    "#3b7dd8", "#e08214", "#2a9d5c", "#c0392b", "#7b5ea7", "#8c6d46", "#d66ba0", "#6b7785", "#a3a51c", "#1ba0b4",
)  # fmt: skip


def draw_lines(points: Points) -> Figure:
    """Return a figure of a line for each region and series, the ones with the greatest last values if they are many."""
    figure = new_figure(9, 5)
    axes = figure.add_subplot()
    lines = _lines(points.points)
    kept = sorted(lines.items(), key=lambda line: -_last(line[1]))[:MOST_LINES]
    for (label, line), color in zip(kept, COLORS, strict=False):
        drawn = {point.when: math.nan if point.value is None else point.value for point in line}
        periods: list[Any] = [period for period in points.periods if period in drawn]
        axes.plot(periods, [drawn[period] for period in periods], marker="o", markersize=3.5, label=label, color=color)
    _finish_axis(axes, points)
    if len(lines) > 1:
        words = f"{MOST_LINES}/{len(lines)}" if len(lines) > MOST_LINES else None
        legend = figure.legend(loc="outside right upper", frameon=False, fontsize=8, title=words)
        for text in legend.get_texts():
            text.set_parse_math(False)
    return figure


def draw_bars(points: Points) -> Figure:
    """Return a figure of a bar for each region and series, the greatest first, those without a number last."""
    shown = sorted(points.points, key=lambda point: (point.value is None, -(point.value or 0)))
    kept, left_out = shown[:MOST_BARS], len(shown) - MOST_BARS
    figure = new_figure(8, 1.6 + 0.21 * len(kept))
    axes = figure.add_subplot()
    for place, point in enumerate(kept):
        if point.value is None:
            axes.text(0, place, f" {NO_VALUE}", va="center", fontsize=7, color="#7b8794")
        else:
            axes.barh(place, point.value, color=BAR if point.value >= 0 else NEGATIVE)
    axes.set_yticks(range(len(kept)), [point.label or point.period for point in kept], fontsize=8)
    for text in axes.get_yticklabels():
        text.set_parse_math(False)
    axes.set_ylim(len(kept) - 0.5, -0.5)
    axes.xaxis.set_major_formatter(number)
    remark = f"{len(kept)}/{len(shown)}" if left_out > 0 else ""
    axes.set_xlabel(" ".join(filter(None, (points.axis_label, remark))), parse_math=False)
    axes.grid(axis="x", alpha=0.3)
    return figure


def number(value: float, _: object = None) -> str:
    """Return a number as an axis shows it: 1,234,567.8."""
    return f"{value:,.10g}"


def _lines(points: Sequence[Point]) -> Mapping[str, list[Point]]:
    lines: dict[str, list[Point]] = {}
    for point in points:
        if point.when is not None:
            lines.setdefault(point.label, []).append(point)
    return lines


def _last(line: Sequence[Point]) -> float:
    """Return the last number of a line, less than any number if it has none."""
    values = {point.when: point.value for point in line if point.value is not None}
    return values[last_of(values)] if values else -math.inf


def _finish_axis(axes: Axes, points: Points) -> None:
    from matplotlib.ticker import FixedLocator, MaxNLocator

    axes.yaxis.set_major_formatter(number)
    axes.set_ylabel(points.axis_label, parse_math=False)
    axes.grid(alpha=0.3)
    periods = [when for when in points.periods if isinstance(when, int)]
    if len(periods) == len(points.periods):
        axes.set_xlim(periods[0] - 0.5, periods[-1] + 0.5)
        axes.xaxis.set_major_locator(FixedLocator(periods) if _have_room(periods) else MaxNLocator(integer=True))
        axes.xaxis.set_major_formatter("{x:.0f}")
        fiscal = all(point.period.endswith("年度") for point in points.points)
        axes.set_xlabel("年度" if fiscal else "年")


def _have_room(years: Sequence[int]) -> bool:
    """Return whether each year can stand below the axis: they are few, and no two are close beside a long gap."""
    nearest = min((after - before for before, after in pairwise(years)), default=1)
    return years[-1] - years[0] <= MOST_TICKS * nearest
