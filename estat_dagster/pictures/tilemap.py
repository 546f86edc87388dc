"""The 47 prefectures as tiles: colour by value; a prefecture without a number is hatched, and has no colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from estat_dagster.errors import ValidationError
from estat_dagster.pictures.canvas import new_figure
from estat_dagster.pictures.charts import NO_VALUE, number
from estat_dagster.pictures.points import Points
from estat_dagster.pictures.tilegrid import places
from estat_dagster.prefectures import prefectures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

EMPTY = "#eceff2"


def draw_map(points: Points) -> Figure:
    """Return a figure of the prefectures' values in one period and series.

    Raises:
        ValidationError: no prefecture has a number, or one has several.
    """
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable

    values = values_by_prefecture(points)
    norm, colors = _scale([value for value in values.values() if value is not None])
    figure = new_figure(8, 7.2)
    axes = figure.add_subplot()
    for prefecture in prefectures():
        color = colormaps[colors]
        _tile(axes, prefecture.code, prefecture.short_kanji, values.get(prefecture.code), norm, color)
    axes.set_xlim(-0.1, 13.1)
    axes.set_ylim(13.1, -0.1)
    axes.set_aspect("equal")
    axes.set_axis_off()
    bar = figure.colorbar(ScalarMappable(norm, colors), ax=axes, shrink=0.5, format=number)
    bar.set_label(points.axis_label, parse_math=False)
    return figure


def values_by_prefecture(points: Points) -> dict[str, float | None]:
    """Return the value of each prefecture that the points name, by its code; other regions are left out.

    Raises:
        ValidationError: no prefecture has a number, or one has several.
    """
    codes = {name: one.code for one in prefectures() for name in (one.code, one.kanji, one.short_kanji)}
    values: dict[str, float | None] = {}
    for point in points.points:
        code = codes.get(point.region_code or point.region)
        if code is None:
            continue
        if code in values:
            raise ValidationError(
                f"The map has several numbers for {point.region}.", hint="Narrow the result to one series with WHERE."
            )
        values[code] = point.value
    if all(value is None for value in values.values()):
        raise ValidationError(
            "No prefecture has a number to draw.", hint="Select region_code and value of prefectures."
        )
    return values


def _scale(numbers: list[float]) -> tuple[Normalize, str]:
    """Return how values become colours: from the least to the greatest, and around 0 where both signs are there."""
    from matplotlib.colors import Normalize

    least, greatest = min(numbers), max(numbers)
    if least < 0 < greatest:
        reach = max(-least, greatest)
        return Normalize(-reach, reach), "RdBu_r"
    if least == greatest:
        return Normalize(least - 1, greatest + 1), "YlGnBu"
    return Normalize(least, greatest), "YlGnBu"


def _tile(axes: Axes, code: str, name: str, value: float | None, norm: Normalize, colors: object) -> None:
    from matplotlib.patches import Rectangle

    column, row = places()[code]
    fill = EMPTY if value is None else colors(norm(value))  # type: ignore[operator]
    hatch = "////" if value is None else None
    tile = Rectangle((column + 0.03, row + 0.03), 0.94, 0.94, facecolor=fill, edgecolor="#c3cbd3", hatch=hatch, lw=0.5)
    axes.add_patch(tile)
    ink = "#4a5561" if value is None else "black" if _lightness(fill) > 0.5 else "white"
    axes.text(column + 0.5, row + 0.36, name, ha="center", va="center", fontsize=9 if len(name) < 4 else 7, color=ink)
    words = NO_VALUE if value is None else short(value)
    axes.text(column + 0.5, row + 0.7, words, ha="center", va="center", fontsize=6.5, color=ink)


def _lightness(color: object) -> float:
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(color)  # type: ignore[arg-type]
    return 0.299 * red + 0.587 * green + 0.114 * blue


def short(value: float) -> str:
    """Return a number in a few letters: 1,404万, 1.26億, 98.5."""
    for size, word in ((1e12, "兆"), (1e8, "億"), (1e4, "万")):
        if abs(value) >= size:
            return f"{value / size:,.3g}{word}" if abs(value) < 1000 * size else f"{value / size:,.0f}{word}"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
