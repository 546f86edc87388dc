"""The CSV form of a page (getSimpleStatsData), for the readers that take no other.

Lines of the answer's parts, then "VALUE", the names of the columns, and a line a cell.
API 3.0, 統計データ取得 (CSV形式).
"""

from __future__ import annotations

from collections.abc import Iterator

from estat_dagster.sandbox.model import Table


def csv_page(table: Table, start: int, limit: int) -> bytes:
    """Return the cells from `start` (1-based) on as e-Stat writes CSV."""
    return ("\n".join(_lines(table, start, limit)) + "\n").encode()


def _lines(table: Table, start: int, limit: int) -> Iterator[str]:
    total = len(table.cells)
    cells = table.cells[start - 1 : start - 1 + limit]
    end = start - 1 + len(cells)
    inf = table.table_inf
    yield from ('"RESULT"', _line("STATUS", "0"), _line("ERROR_MSG", "正常に終了しました。"), '"RESULT_INF"')
    yield _line("TOTAL_NUMBER", str(total))
    yield _line("FROM_NUMBER", str(start))
    yield _line("TO_NUMBER", str(end))
    if end < total:
        yield _line("NEXT_KEY", str(end + 1))
    yield _line("TABLE_INF", table.id)
    yield _line("STAT_NAME", inf["STAT_NAME"]["@code"], inf["STAT_NAME"]["$"])
    yield _line("TITLE", inf["TITLE"]["@no"], inf["TITLE"]["$"])
    yield from (_line("NOTE", symbol, meaning) for symbol, meaning in table.notes)
    yield from (_line("ANNOTATION", sign, text) for sign, text in table.annotations)
    yield '"VALUE"'
    heads = [name for axis in table.axes for name in (f"{axis.id}_code", axis.name)]
    yield _line(*heads, "unit", "value", "annotation")
    names = [{item.code: _line(item.code, item.name) for item in axis.items} for axis in table.axes]
    for cell in cells:
        pairs = ",".join([name[code] for name, code in zip(names, cell.codes, strict=True)])
        yield f"{pairs},{_line(cell.unit or '', cell.value, cell.annotation or '')}"


def _line(*parts: str) -> str:
    return ",".join('"' + part.replace('"', '""') + '"' for part in parts)
