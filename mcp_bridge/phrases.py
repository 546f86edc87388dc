"""What people ask in Japanese, as words that a search of titles can find: 東京都の人口の推移 is 東京都 and 人口."""

from __future__ import annotations

import re

from estat_dagster.estat.words import OPERATORS

_ASKING = re.compile(r"(?<=[^ぁ-ん\s])[はがを][ぁ-んー]*[?？。、]*$")
_BETWEEN = re.compile(
    r"(?<=\S\S)(?:における|に関する|に対する|についての|ごとの|の)(?=\S)"
    r"|(?<=[^ぁ-ん\s])(?:から|まで|[をはがとにでへや])(?=[^ぁ-ん\s])"
)
_GENERAL = re.compile(
    r"(推移|変化|動向|傾向|比較|一覧|データ|統計|統計表|数字|最新|状況|こと|もの)(は|を|が)?"
    r"|[をはがの]?(教え|調べ|知り|見せ|探し|比べ)\S*|[ぁ-ん]|について\S*",
)


def keywords(question: str) -> str:
    """Return the words of a question, without particles and without what every table is about.

    A query with e-Stat's operators is one already, and stays as it is; so does one of which nothing would be left.
    """
    if OPERATORS & set(question.split()):
        return question
    parts = [_ASKING.sub("", part.strip("?？。、,!！「」『』")) for part in question.split()]
    words = [word for part in parts for word in _BETWEEN.sub(" ", part).split()]
    return " ".join(word for word in words if not _GENERAL.fullmatch(word)) or question
