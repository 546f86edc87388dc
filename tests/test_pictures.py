"""Pictures: a PNG of the right size with every letter in it, whatever words the data hold."""

from __future__ import annotations

import struct

import pytest

from estat_dagster.pictures.canvas import DPI, new_figure, to_png
from estat_dagster.pictures.quality import draw_quality

SHARES = {"a number": 90, "no number: 秘匿": 7, "no number: 調査又は集計していないもの": 0, "quarantined: copy": 3}


pytestmark = pytest.mark.filterwarnings("error")  # a letter without a glyph, parts that do not fit


def size_of(png: bytes) -> tuple[int, int]:
    """Return width and height in pixels, from the header."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_a_figure_is_a_png_of_its_size() -> None:
    assert size_of(to_png(new_figure(3, 2))) == (3 * DPI, 2 * DPI)


def test_the_picture_grows_with_the_kinds_that_have_rows() -> None:
    assert size_of(draw_quality(SHARES)) == (8 * DPI, round((1.2 + 0.25 * 3) * DPI))
    assert size_of(draw_quality({"a number": 1})) == (8 * DPI, round((1.2 + 0.25) * DPI))
    assert size_of(draw_quality({f"no number: {n}": 1 for n in range(20)})) == (8 * DPI, round((1.2 + 5) * DPI))


@pytest.mark.parametrize("shares", [{}, {"a number": 0}, dict.fromkeys(SHARES, 0)])
def test_no_rows_give_no_picture(shares: dict[str, int]) -> None:
    assert draw_quality(shares) == b""


def test_another_share_is_another_picture() -> None:
    pictures = {draw_quality(SHARES | {"quarantined: copy": rows}) for rows in (0, 3, 50)}
    assert len(pictures) == 3


@pytest.mark.parametrize("reason", ["$a_{$", "1$ or 2$", "$x$", r"\$\frac$", "_x", "a\nb", "％‰△▲…Ｘχ①～〜"])
def test_any_words_are_drawn_as_they_are(reason: str) -> None:
    assert draw_quality({"a number": 3, f"no number: {reason}": 2})
