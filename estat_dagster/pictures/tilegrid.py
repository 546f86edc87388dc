"""Where each prefecture's tile stands: a grid on which neighbours stay neighbours, and Okinawa is in the corner."""

from __future__ import annotations

_GRID = """
  .  .  .  .  .  .  .  .  .  .  .  . 01
  .  .  .  .  .  .  .  .  .  .  .  .  .
  .  .  .  .  .  .  .  .  .  .  .  . 02
  .  .  .  .  .  .  .  .  .  .  . 05 03
  .  .  .  .  .  .  .  .  .  .  . 06 04
  .  .  .  .  .  .  .  . 17 16 15  . 07
  .  .  .  .  .  .  . 18 21 20 10 09 08
  .  .  . 32 31 28 26 25 23 19 11 13 12
  .  . 35 34 33  . 27 29 24 22 14  .  .
 41 40 44  .  .  . 30  .  .  .  .  .  .
 42 43 45  . 38 37  .  .  .  .  .  .  .
  . 46  .  . 39 36  .  .  .  .  .  .  .
 47  .  .  .  .  .  .  .  .  .  .  .  .
"""


def places() -> dict[str, tuple[int, int]]:
    """Return column and row of each prefecture by its five-digit area code, from the top left."""
    rows = (line.split() for line in _GRID.strip("\n").splitlines())
    return {
        f"{number}000": (column, row)
        for row, numbers in enumerate(rows)
        for column, number in enumerate(numbers)
        if number != "."
    }
