"""Codes and names on the axes of a table, both ways, with their tree; prefectures however a person writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import ApiError, ValidationError
from estat_dagster.estat.codes import CodeMatch, Parent, find_codes, match_codes
from estat_dagster.estat.models import Axis, ClassItem, Metadata, TableInfo
from estat_dagster.estat.prefectures import by_name, by_part
from estat_dagster.prefectures import Prefecture, by_code, prefectures
from estat_dagster.sandbox.server import Sandbox
from tests.estat.answers import real_metadata
from tests.estat.small_table import client_of

AREAS = Axis(
    "area",
    "地域",
    (
        ClassItem("00000", "全国", "1"),
        ClassItem("13000", "東京都", "2", "00000"),
        ClassItem("13101", "東京都 千代田区", "3", "13000"),
        ClassItem("13201", "東京都 八王子市", "3", "13000"),
        ClassItem("27100", "大阪府 大阪市", "3", "27000"),
        ClassItem("27102", "大阪市 都島区", "4", "27100"),
        ClassItem("26100", "京都府 京都市", "3", "26000"),
    ),
)
ITEMS = Axis(
    "cat01",
    "項目",
    (
        ClassItem("A1101", "総人口（男女計）", "1", unit="人"),
        ClassItem("A110101", "総人口（男）", "2", "A1101", "人"),
        ClassItem("B1", "トマトの収穫量", "1", description="２０２０年に定義を変更"),
        ClassItem("X", "自分自身", "1", "Y"),
        ClassItem("Y", "環", "1", "X"),
    ),
)
METADATA = Metadata(TableInfo("0000000001", "表"), (ITEMS, AREAS))


def codes(words: str = "", **options: str) -> list[str]:
    return [match.code for match in match_codes(METADATA, words, **options)]


def match(words: str) -> CodeMatch:
    [found] = match_codes(METADATA, words)
    return found


@pytest.mark.parametrize(
    "written", ["東京都", "東京", "とうきょう", "トウキョウト", "Tokyo", "tokyo-to", "TŌKYŌ", "ﾄｳｷｮｳ", "toukyou"]
)
def test_tokyo_is_found_however_it_is_written_and_comes_first(written: str):
    first, *rest = match_codes(METADATA, written, axis="area")
    assert (first.code, first.name, first.axis) == ("13000", "東京都", "area")
    assert {found.code for found in rest} == {"13101", "13201"}


def test_a_name_is_found_by_its_part_and_a_code_by_itself():
    assert codes("総人口") == ["A1101", "A110101"]
    assert codes("千代田") == ["13101"]
    assert codes("とまと") == ["B1"]
    assert codes("a1101") == ["A1101"]
    assert codes("2020年") == ["B1"]
    assert codes("東京都千代田") == []
    assert codes("京都") == ["26100", "13000", "13101", "13201"]


def test_the_reason_of_each_match_is_told():
    assert match("A1101").why == "the code"
    assert match("全国").why == "the name"
    assert match("八王子").why == "in the name"
    assert match("トマト").why == "begins the name"
    assert match("定義").why == "in the description"
    assert "とうきょうと, Tokyo" in match_codes(METADATA, "tokyo")[0].why


def test_the_way_from_the_top_is_given_also_where_the_axis_lacks_a_parent():
    assert match("千代田").path == (Parent("00000", "全国"), Parent("13000", "東京都"))
    assert match("都島").path == (Parent("27000", "大阪府"), Parent("27100", "大阪府 大阪市"))
    assert match("自分自身").path == (Parent("Y", "環"),)
    assert (match("A110101").unit, match("A110101").level, match("A110101").axis_name) == ("人", "2", "項目")


def test_the_children_of_a_code_or_a_name_are_found_and_searched():
    for name in ("13000", "東京都", "とうきょう", "tokyo"):
        assert codes(children_of=name) == ["13101", "13201"]
    assert codes("千代田", children_of="13000") == ["13101"]
    assert codes(children_of="27000") == codes(children_of="大阪府") == ["27100"]
    assert codes(children_of="A1101") == ["A110101"]
    assert codes(children_of="全国", axis="area") == ["13000"]
    assert match_codes(METADATA, children_of="00000")[0].children == 2


def test_all_codes_of_an_axis_come_in_their_order():
    assert codes(axis="area") == [item.code for item in AREAS.classes]
    assert len(codes()) == len(AREAS.classes) + len(ITEMS.classes)


def test_what_is_not_there_is_told():
    assert codes("火星") == []
    with pytest.raises(ValidationError, match="no axis 'time'") as caught:
        codes("x", axis="time")
    assert "cat01 項目, area 地域" in caught.value.hint
    with pytest.raises(ValidationError, match="Nothing stands below '八王子'"):
        codes(children_of="八王子")


def test_codes_of_a_table_are_found_through_the_api_page_by_page():
    with Sandbox() as sandbox:
        client = client_of(sandbox.base_url)
        found = find_codes(client, "0000010101", "とうきょう")
        asked = [request.path.rsplit("/", 1)[-1] for request in sandbox.requests]
        page = find_codes(client, "9900000014", children_of="東京都", offset=20, most=10)
        with pytest.raises(ApiError, match="300"):
            find_codes(client, "0009999999", "x")
    assert asked == ["getMetaInfo"]
    assert ([hit.code for hit in found.matches], found.total) == (["13000"], 1)
    assert "社会・人口統計体系" in found.credit
    assert (page.total, len(page.matches), page.offset) == (22, 2, 20)
    assert {hit.path for hit in page.matches} == {(Parent("13000", "東京都"),)}


def test_a_table_labelled_in_english_is_searched_in_japanese_readings_too():
    english = Axis("area", "Area", (ClassItem("13000", "Tokyo-to"), ClassItem("27000", "Osaka-fu")))
    metadata = Metadata(TableInfo("0000000001", "Population"), (english,))
    for written in ("大阪", "大阪府", "おおさか"):
        assert match_codes(Metadata(metadata.table, (_nameless(english),)), written)[0].code == "27000"
    for written in ("東京都", "とうきょう", "TOKYO", "tokyo-to"):
        assert match_codes(metadata, written)[0].code == "13000"


def _nameless(axis: Axis) -> Axis:
    return Axis(axis.id, axis.name, tuple(ClassItem(item.code, "") for item in axis.classes))


classes = st.lists(
    st.builds(
        ClassItem,
        st.sampled_from([f"{number:02}" for number in range(20)]),
        st.text(alphabet="アあAａ東京都", min_size=1, max_size=4),
        st.just("1"),
        st.none() | st.sampled_from([f"{number:02}" for number in range(25)]),
    ),
    unique_by=lambda item: item.code,
    max_size=20,
)


@given(classes)
def test_every_class_is_found_by_its_own_code_and_name_in_any_tree(items: list[ClassItem]):
    metadata = Metadata(TableInfo("0000000001", "表"), (Axis("cat01", "項目", tuple(items)),))
    for item in items:
        assert match_codes(metadata, item.code)[0].code == item.code
        [found] = [hit for hit in match_codes(metadata, item.name.swapcase()) if hit.code == item.code]
        above = [parent.code for parent in found.path]
        assert item.code not in above
        assert len(set(above)) == len(above)
        below = [each.code for each in items if each.parent_code == item.code]
        assert found.children == len(below)
        if below:
            assert [hit.code for hit in match_codes(metadata, children_of=item.code)][: len(below)] == below


def test_the_prefectures_are_those_of_a_real_table():
    axis = real_metadata("getMetaInfo_ssds_prefecture_0000010101.json").axis("area")
    assert axis
    real = {item.code: item.name for item in axis.classes if item.code != "00000"}
    assert {found.code: found.kanji for found in prefectures()} == real


_SYLLABLES = """
あa いi うu えe おo かka きki くku けke こko がga ぎgi ぐgu げge ごgo さsa しshi すsu せse そso ざza じji ずzu ぜze ぞzo
たta ちchi つtsu てte とto だda でde どdo なna にni ぬnu ねne のno はha ひhi ふfu へhe ほho ばba びbi ぶbu べbe ぼbo
まma みmi むmu めme もmo やya ゆyu よyo らra りri るru れre ろro わwa んn
"""
SYLLABLES = {pair[0]: pair[1:] for pair in _SYLLABLES.split()}


def romaji(kana: str) -> str:
    """Return kana in Hepburn's letters, syllable by syllable."""
    text, double = "", False
    for char in kana:
        if char == "っ":
            double = True
        elif char in "ょゅゃ":
            text = (
                text[:-1]
                + ("" if text.endswith(("shi", "chi", "ji")) else "y")
                + {"ょ": "o", "ゅ": "u", "ゃ": "a"}[char]
            )
        else:
            text += (SYLLABLES[char][0] if double else "") + SYLLABLES[char]
            double = False
    return text


@pytest.mark.parametrize("prefecture", prefectures(), ids=lambda prefecture: prefecture.romaji)
def test_kana_and_romaji_of_a_prefecture_are_the_same_name(prefecture: Prefecture):
    short = romaji(prefecture.short_kana)
    assert short.replace("ou", "o").replace("oo", "o") == prefecture.romaji.lower()
    suffix = {"都": "と", "府": "ふ", "県": "けん", "道": "どう"}[prefecture.kanji[-1]]
    assert prefecture.kana.endswith(suffix)
    assert by_name(short) == by_name(romaji(prefecture.kana)) == prefecture


@given(st.sampled_from(prefectures()), st.sampled_from(["-{}", " {}", "{}", "", " Prefecture", " pref."]), st.data())
def test_every_spelling_of_a_name_means_one_prefecture(found: Prefecture, ending: str, data: st.DataObject):
    suffix = {"都": "to", "府": "fu", "県": "ken", "道": "do"}[found.kanji[-1]]
    spell = data.draw(st.sampled_from([str, str.upper, str.lower, str.title]))
    assert by_name(spell(found.romaji)) == found
    if found.code != "01000":
        assert by_name(spell(found.romaji + ending.format(suffix))) == found
    katakana = "".join(chr(ord(char) + 0x60) for char in found.kana)
    for written in (found.kanji, found.short_kanji, found.kana, found.short_kana, katakana):
        assert by_name(written) == found
    assert by_code(found.code) == found


def test_what_is_no_prefecture_is_none_and_short_parts_find_nothing():
    for name in ("", "県", "ken", "to", "東", "千代田区", "00000", "東京都千代田区", "kyo"):
        assert by_name(name) is None
    assert by_code("13101") is None
    assert by_part("to") == by_part("と") == by_part("") == by_part("けん") == by_part("ken") == ()
    assert [found.kanji for found in by_part("shima")] == ["福島県", "島根県", "広島県", "徳島県", "鹿児島県"]
    assert [found.kanji for found in by_part("やま")] == ["山形県", "富山県", "山梨県", "和歌山県", "岡山県", "山口県"]
    assert by_name("Gumma") == by_name("gunma")
    assert by_name("Ōsaka") == by_name("oosaka") == by_name("Osaka-fu")
