"""Which prefecture a name means, however a person writes it: in kanji, kana or romaji."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from estat_dagster.estat.words import fold_kana
from estat_dagster.prefectures import Prefecture, prefectures

_ENGLISH = re.compile(r"(prefecture|pref|metropolis)\.?")
_LEAST = {"kana": 2, "romaji": 3}
"""The shortest part of a reading that is looked for: `to` alone is in half of them."""


def by_name(name: str) -> Prefecture | None:
    """Return the prefecture that a whole name means, in kanji, kana or romaji; None where none is meant.

    `東京`, `東京都`, `とうきょう`, `トウキョウト`, `Tokyo`, `tōkyō`, `Toukyou-to`, `Tokyo Metropolis` are all 東京都.
    """
    return _names().get(_reading(name))


def by_part(words: str) -> tuple[Prefecture, ...]:
    """Return the prefectures whose kana or romaji holds these words, of which two kana or three letters are needed."""
    part = _reading(words)
    if len(part) < _LEAST["romaji" if part.isascii() else "kana"]:
        return ()
    return tuple(found for found in prefectures() if part in found.short_kana or part in found.romaji.casefold())


@lru_cache(maxsize=1)
def _names() -> dict[str, Prefecture]:
    return {reading: found for found in prefectures() for reading in _readings(found)}


def _readings(prefecture: Prefecture) -> Iterator[str]:
    romaji = prefecture.romaji.casefold()
    yield from (prefecture.kanji, prefecture.short_kanji, prefecture.kana, prefecture.short_kana)
    yield from (romaji, f"{romaji}{prefecture.romaji_suffix}")


def _reading(name: str) -> str:
    """Return a name as the readings are written: `Ōsaka-fu` and `oosaka fu` are `osakafu`, `Gumma` is `gunma`."""
    plain = fold_kana(name)
    if not plain.isascii():
        return plain
    letters = re.sub("[ -]", "", _ENGLISH.sub("", plain))
    return re.sub("o[uo]", "o", letters).replace("mm", "nm")
