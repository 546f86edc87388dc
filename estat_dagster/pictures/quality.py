"""Where the rows of a dataset went, as one bar: numbers, reasons for having none, quarantine."""

from __future__ import annotations

from collections.abc import Mapping

from estat_dagster.pictures.canvas import new_figure, to_png

GOOD, REJECTED = "#3b7dd8", "#c0392b"
WITHOUT = ("#9aa5b1", "#c3cbd3", "#7b8794", "#dfe4e8")


def draw_quality(shares: Mapping[str, int]) -> bytes:
    """Return a PNG of kind -> rows, empty kinds left out; b"" where there are no rows."""
    total = sum(shares.values())
    if not total:
        return b""
    figure = new_figure(8, 1.2 + 0.25 * sum(rows > 0 for rows in shares.values()))
    axes = figure.add_subplot()
    left = 0
    for number, (kind, rows) in enumerate(shares.items()):
        if rows:
            axes.barh(0, rows, left=left, color=_color(number, kind), label=f"{kind}  {rows:,} ({rows / total:.1%})")
            left += rows
    axes.set_xlim(0, total)
    axes.set_yticks([])
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("rows")
    for words in figure.legend(loc="outside lower left", frameon=False, fontsize=9).get_texts():
        words.set_parse_math(False)  # a table's own words may hold $
    return to_png(figure)


def _color(number: int, kind: str) -> str:
    if kind.startswith("quarantined"):
        return REJECTED
    return WITHOUT[number % len(WITHOUT)] if number else GOOD
