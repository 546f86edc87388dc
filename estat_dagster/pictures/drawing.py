"""Any result with a year or a region as a picture: `draw` chooses lines, bars or the map of the prefectures."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Literal, get_args

from estat_dagster.errors import ValidationError
from estat_dagster.pictures import charts, tilemap
from estat_dagster.pictures.canvas import to_png
from estat_dagster.pictures.points import Points, read
from estat_dagster.prefectures import prefectures

if TYPE_CHECKING:
    import pyarrow as pa

Picture = Literal["auto", "lines", "bars", "map"]
PICTURES: tuple[Picture, ...] = get_args(Picture)
MAP_FROM = 24
"""As many prefectures are drawn as a map; fewer are compared better as bars."""
_CREDIT_WIDTH = 80


def draw(
    table: pa.Table, kind: Picture = "auto", *, value: str | None = None, title: str = "", credit: str = ""
) -> bytes:
    """Return a PNG of a result.

    Args:
        table: rows with a number, and a year or a region; columns are read by the lake's names.
        kind: `lines` over time, `bars` of regions or series, `map` of the prefectures; `auto` takes what fits.
        value: the column of the numbers; see `points.read`.
        title: empty takes what all rows have in common.
        credit: what must be shown with the data.

    Raises:
        ValidationError: the result cannot be drawn so; the message says why.
    """
    points = read(table, value)
    if kind == "auto":
        kind = choose(points)
    match kind:
        case "lines":
            if not points.periods:
                raise ValidationError("Lines need a period.", hint="Select year or period_start.")
            figure = charts.draw_lines(points)
        case "bars":
            points = points.of_last_period()
            figure = charts.draw_bars(points)
        case "map":
            points = points.of_last_period()
            figure = tilemap.draw_map(points)
        case _:
            raise ValidationError(f"There is no picture {kind!r}.", hint=f"There are {', '.join(PICTURES)}.")
    labels = {point.label for point in points.points}
    alone = labels.pop() if len(labels) == 1 else ""  # a legend of one tells nothing
    figure.suptitle(title or " ".join(filter(None, (points.common, alone))), fontsize=11, parse_math=False)
    if credit:
        words = "\n".join(textwrap.wrap(credit, _CREDIT_WIDTH, break_on_hyphens=False))
        figure.supxlabel(words, x=0.01, ha="left", fontsize=6.5, color="#4a5561", parse_math=False)
    return to_png(figure)


def choose(points: Points) -> Picture:
    """Return the picture that fits.

    Raises:
        ValidationError: there is neither a period nor a region.
    """
    if len(points.periods) > 1:
        return "lines"
    codes = {name for one in prefectures() for name in (one.code, one.kanji)}
    mapped = [point for point in points.points if (point.region_code or point.region) in codes]
    if len(mapped) >= MAP_FROM and len({point.series for point in mapped}) == 1:
        return "map"
    if points.periods or any(point.label for point in points.points):
        return "bars"
    raise ValidationError("The result has no year, region or name to draw by.", hint="Select year or region_name too.")
