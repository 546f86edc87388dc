"""English for `lang=E`: 0003005798 and 0000010101 whole, 9900000002 without the ages from 80 on, no other table.

The words of published tables are our own, near to what e-Stat shows. Years are put into English by `english`.
"""

from __future__ import annotations

from estat_dagster.sandbox.tables.axes import PREFECTURE_NAMES

_ROMAN = (
    "Hokkaido Aomori-ken Iwate-ken Miyagi-ken Akita-ken Yamagata-ken Fukushima-ken Ibaraki-ken Tochigi-ken Gumma-ken "
    "Saitama-ken Chiba-ken Tokyo-to Kanagawa-ken Niigata-ken Toyama-ken Ishikawa-ken Fukui-ken Yamanashi-ken "
    "Nagano-ken Gifu-ken Shizuoka-ken Aichi-ken Mie-ken Shiga-ken Kyoto-fu Osaka-fu Hyogo-ken Nara-ken Wakayama-ken "
    "Tottori-ken Shimane-ken Okayama-ken Hiroshima-ken Yamaguchi-ken Tokushima-ken Kagawa-ken Ehime-ken Kochi-ken "
    "Fukuoka-ken Saga-ken Nagasaki-ken Kumamoto-ken Oita-ken Miyazaki-ken Kagoshima-ken Okinawa-ken"
)
_COMMON = {
    "全国": "Japan",
    "都道府県": "Prefectures",
    "地域": "Area",
    "人": "person",
    "年次": "Annual",
    "年度次": "Fiscal year",
    "月次": "Monthly",
    "総数": "Total",
    "男": "Male",
    "女": "Female",
    "総務省": "Ministry of Internal Affairs and Communications",
    "人口・世帯": "Population and Households",
    "人口": "Population",
    "その他": "Others",
} | dict(zip(PREFECTURE_NAMES, _ROMAN.split(), strict=True))

SYSTEM = _COMMON | {
    "社会・人口統計体系": "System of Social and Demographic Statistics",
    "都道府県データ 基礎データ": "Prefectural Data Basic Data",
    "都道府県データ": "Prefectural Data",
    "基礎データ": "Basic Data",
    "Ａ　人口・世帯": "A Population and Households",
    "観測値": "Observed value",
    "A1101_総人口": "A1101_Total population",
    "調査年": "Survey year",
    "調査又は集計していないもの": "Not surveyed or tabulated",
    "データが得られないもの": "Not available",
    "数値が秘匿されているもの": "Suppressed",
}
LABOUR_FORCE = _COMMON | {
    "労働力調査": "Labour Force Survey",
    "労働力調査 基本集計　全都道府県 全国 月次": "Labour Force Survey Basic Tabulation Whole Japan Monthly",
    "基本集計　全都道府県": "Basic Tabulation All Prefectures",
    "就業状態別15歳以上人口（2000年1月～）": "Population aged 15 years old and over by labour force status",
    "労働・賃金": "Labour and Wages",
    "労働力": "Labour force",
    "表章項目": "Tabulated variable",
    "実数(人口)": "Number (population)",
    "万人": "10 thousand persons",
    "産業": "Industry",
    "全産業": "All industries",
    "就業状態": "Labour force status",
    "15歳以上人口": "Population aged 15 years old and over",
    "労働力人口": "Labour force",
    "就業者": "Employed person",
    "完全失業者": "Unemployed person",
    "非労働力人口": "Not in labour force",
    "性別": "Sex",
    "時間軸（月次）": "Time (monthly)",
    "2024年1月": "Jan. 2024",
    "分母が小さいため比率を計算していない。": "Not calculated, as the base is small.",
    "該当数値がないもの　又は　集計していないもの(2002年２月以降)。": "Not applicable or not tabulated.",
    "数値が表章単位に満たないもの(2002年２月以降)。": "Less than the unit.",
    "東日本大震災の影響により、調査の実施が困難となったため掲載していません。": "Not surveyed after the earthquake.",
}
AGE_AND_SEX = (
    _COMMON
    | {
        "人口の調査【生成データ】": "Survey of Population [generated data]",
        "生成データ": "Generated data",
        "年齢（5歳階級），男女別人口－全国，都道府県【生成データ】": "Population by age and sex [generated data]",
        "男女": "Sex",
        "年齢（5歳階級）": "Age (five-year groups)",
        "表章項目": "Tabulated variable",
        "全国・都道府県": "Japan and prefectures",
        "時間軸（年次）": "Time (annual)",
        "該当数値がないもの": "Not applicable",
    }
    | {f"{first}～{first + 4}歳": f"{first} to {first + 4} years old" for first in range(0, 80, 5)}
)
