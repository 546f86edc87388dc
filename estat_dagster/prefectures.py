"""The 47 prefectures: area code, and the name in kanji, kana and romaji.

Source: JIS X 0401 都道府県コード, the first two digits of e-Stat's area codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

_TABLE = """
01 北海道 ほっかいどう Hokkaido
02 青森県 あおもりけん Aomori
03 岩手県 いわてけん Iwate
04 宮城県 みやぎけん Miyagi
05 秋田県 あきたけん Akita
06 山形県 やまがたけん Yamagata
07 福島県 ふくしまけん Fukushima
08 茨城県 いばらきけん Ibaraki
09 栃木県 とちぎけん Tochigi
10 群馬県 ぐんまけん Gunma
11 埼玉県 さいたまけん Saitama
12 千葉県 ちばけん Chiba
13 東京都 とうきょうと Tokyo
14 神奈川県 かながわけん Kanagawa
15 新潟県 にいがたけん Niigata
16 富山県 とやまけん Toyama
17 石川県 いしかわけん Ishikawa
18 福井県 ふくいけん Fukui
19 山梨県 やまなしけん Yamanashi
20 長野県 ながのけん Nagano
21 岐阜県 ぎふけん Gifu
22 静岡県 しずおかけん Shizuoka
23 愛知県 あいちけん Aichi
24 三重県 みえけん Mie
25 滋賀県 しがけん Shiga
26 京都府 きょうとふ Kyoto
27 大阪府 おおさかふ Osaka
28 兵庫県 ひょうごけん Hyogo
29 奈良県 ならけん Nara
30 和歌山県 わかやまけん Wakayama
31 鳥取県 とっとりけん Tottori
32 島根県 しまねけん Shimane
33 岡山県 おかやまけん Okayama
34 広島県 ひろしまけん Hiroshima
35 山口県 やまぐちけん Yamaguchi
36 徳島県 とくしまけん Tokushima
37 香川県 かがわけん Kagawa
38 愛媛県 えひめけん Ehime
39 高知県 こうちけん Kochi
40 福岡県 ふくおかけん Fukuoka
41 佐賀県 さがけん Saga
42 長崎県 ながさきけん Nagasaki
43 熊本県 くまもとけん Kumamoto
44 大分県 おおいたけん Oita
45 宮崎県 みやざきけん Miyazaki
46 鹿児島県 かごしまけん Kagoshima
47 沖縄県 おきなわけん Okinawa
"""
_SUFFIXES = {"都": ("と", "to"), "府": ("ふ", "fu"), "県": ("けん", "ken"), "道": ("", "")}


@dataclass(frozen=True)
class Prefecture:
    """A prefecture: five-digit area code, kanji, kana, and romaji without `-to`, `-fu`, `-ken`."""

    code: str
    kanji: str
    kana: str
    romaji: str

    @property
    def short_kanji(self) -> str:
        """The kanji without 都, 府 or 県; 北海道 keeps its 道."""
        return self.kanji if self.kanji.endswith("道") else self.kanji[:-1]

    @property
    def short_kana(self) -> str:
        """The kana without と, ふ or けん."""
        return self.kana.removesuffix(_SUFFIXES[self.kanji[-1]][0])

    @property
    def romaji_suffix(self) -> str:
        """What romaji leave out: to, fu, ken; nothing in Hokkaido."""
        return _SUFFIXES[self.kanji[-1]][1]


@lru_cache(maxsize=1)
def prefectures() -> tuple[Prefecture, ...]:
    """Return all of them, in the order of their codes."""
    lines = (line.split() for line in _TABLE.strip().splitlines())
    return tuple(Prefecture(f"{number}000", kanji, kana, romaji) for number, kanji, kana, romaji in lines)


def by_code(code: str) -> Prefecture | None:
    """Return the prefecture of a five-digit area code, None for any other code."""
    return _codes().get(code)


@lru_cache(maxsize=1)
def _codes() -> dict[str, Prefecture]:
    return {found.code: found for found in prefectures()}
