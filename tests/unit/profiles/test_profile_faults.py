"""A wrong profile is told in words that a clerk can act on."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ToritsugiError
from core.profile_file import PROFILES, ProfileInvalid
from services.city import check_city, load_city

pytestmark = pytest.mark.unit

GOOD = (PROFILES / "ageo.toml").read_text(encoding="utf-8")


def faults(folder: Path, old: str, new: str) -> list[str]:
    """The faults of the good profile with one thing changed."""
    assert old in GOOD
    path = folder / "ageo.toml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    return [str(problem) for problem in check_city(path)]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seats = 6", "seats = 0", ["[acd.seats]"]),
        ("seats = 6", "seets = 6", ["[acd.seats]", "項目がありません", "[acd.seets]", "知らない項目です"]),
        ("answer_rate = 0.90", "answer_rate = 90", ["[acd.targets.answer_rate]", "90"]),
        ("08:30-20:00", "20:00-08:30", ["[hours.phone.0.times.0]", "09:00-17:15 のように書く"]),
        ("08:30-20:00", "8時半から", ["時間帯として読めません"]),
        ('["08:30-20:00"]', '["08:30-13:00", "12:00-20:00"]', ["重なっています"]),
        ('holidays = "open"', 'holidays = "maybe"', ["[hours.holidays]"]),
        ('year_end_from = "12-29"', 'year_end_from = "12-32"', ["月日として読めません"]),
        ('year_end_to = "01-03" # 同上', "", ["年末年始の片方がありません"]),
        ('fallback_line = "card"', 'fallback_line = "cards"', ["[ivr.fallback_line]", "ない回線です: cards"]),
        ('2 = { line = "card"', '2 = { line = "cart"', ["[ivr.menus.0.choices.2]", "ない回線です: cart"]),
        ('1 = { menu = "booking"', '1 = { menu = "bookings"', ["行き先のメニューがありません: bookings"]),
        ('1 = { menu = "booking"', '1 = { line = "booking"', ["たどり着けないメニューです: booking"]),
        ('1 = { menu = "booking"', '1 = { line = "card", menu = "booking"', ["行き先は一つだけです"]),
        ('1 = { menu = "booking"', '12 = { menu = "booking"', ["[ivr.menus.0.choices.12"]),
        ('prompt = "menu_main"', 'prompt = "menu_mein"', ["[prompts.ja.menu_mein]", "[prompts.en.menu_mein]"]),
        ('languages = ["ja", "en"] # 想定\nlanguage_keys', 'languages = ["ja"] # 想定\nlanguage_keys',
         ["languages にない言語です: en"]),
        ("{desk_hours}", "{opening}", ["[prompts.ja.info_desk]", "差し込みが違います: opening"]),
        ("マイナンバー制度や通知カードは", "個人番号カードは", ["「マイナンバーカード」と書く"]),
        ('extension = "702"', 'extension = "701"', ["内線番号が重なっています: 701"]),
        ('endpoint = "manager1" # 想定\n', "", ["[acd.directory.0]", "つなぎ先が一つではありません"]),
        ('deputy = "701"', 'deputy = "799"', ["[acd]", "702 の deputy にない内線番号です: 799"]),
        ('deputy = "701"', 'deputy = "702"', ["deputy が堂々めぐりです: 702"]),
        ('deputy = "701"', 'receives = ["mistake", "cards"]',
         ["[acd.directory.1.receives]", "ない回線・分類です: cards"]),
        ('deputy = "701"', 'direct = "0480-00-0001"', ["[acd.directory.1]", "direct には受付時間と回線が要ります"]),
        ('deputy = "701"', 'direct_line = "card"', ["direct_line は direct と使います"]),
        ('deputy = "701"', 'direct = "0480-00-0001"\ndirect_line = "cards"',
         ["[acd.directory.1.direct_line]", "ない回線です: cards"]),
        ('deputy = "701"', 'direct = "0120-000-291"\ndirect_line = "card"',
         ["[acd.directory.1.direct]", "番号が重なっています: 0120000291"]),
        ('times = ["08:30-17:15"] }]', 'times = ["08:30-12:00", "11:00-17:15"] }]',
         ["[acd.directory.1]", "月曜日の時間帯が重なっています"]),
        ('extension = "791"', 'extension = "702"', ["内線番号が重なっています: 702"]),
        ('number = "0120-95-0178"', 'number = "110"', ["[acd.referrals.0.number]", "0120-95-0178 のように書く"]),
        ('number = "0120-95-0178"', 'hand_over = true\nnumber = "0120-95-0178"',
         ["[acd]", "市が転送を認めていない番号です: 0120-95-0178", "handover_numbers"]),
        ('3 = { line = "card"', '3 = { refer = "nation"',
         ["[ivr.menus.0.choices.3]", "ない案内先です: nation", "national"]),
        ('3 = { line = "card"', '3 = { staff = "799"', ["[ivr.menus.0.choices.3]", "ない転送先です: 799", "701, 702"]),
        ('3 = { line = "card"', '3 = { staff = "701", line = "cart"', ["ない回線です: cart"]),
        ('3 = { line = "card"', '3 = { staff = "701", tell = "info_desk"', ["行き先は一つだけです"]),
        ('service = ["0120-000-201"]', 'service = ["12"]', ["[numbers.service.0]", "電話番号として読めません"]),
        ('test = ["0120-000-291"]', 'test = ["0120-000-201"]', ["番号が重なっています: 0120000201"]),
        ('id = "ageo"', 'id = "agio"', ["[city.id]", "ageo にする"]),
        ("date = 2026-10-13", "date = 2028-10-13", ["[demo.date]", "契約期間の外です"]),
        ("hour_weights = { 8 = 1.0", "hour_weights = { 7 = 1.0", ["開いていない時間です: 7時"]),
        ('keys = "11"', 'keys = "19"', ["メニューで行き先のないキーです: 19"]),
        ("lines = { booking = 5", "lines = { bookings = 5", ["[demo.operators.0.lines]", "bookings"]),
        ('line = "portal"\n', 'line = "portals"\n', ["[interactions.categories.2.line]", "分類のない回線です: portal"]),
        ("[reports]\n", "[report]\nx = 1\n[reports]\n", ["[report]", "知らない節です"]),
        (GOOD[GOOD.index("[reports]\n") : GOOD.index("[demo]\n")], "", ["[reports]", "節がありません"]),
        ("[acd]\n", "[acd.long_call]\nafter_min = [20, 10]\n[acd]\n", ["[acd.long_call]", "小さい順に並べ直す"]),
        ("[acd]\n", "[acd.long_call]\nafter_min = [0]\n[acd]\n", ["[acd.long_call.after_min.0]"]),
        ("[acd]\n", '[acd.long_call]\nrelay = ["+8150"]\n[acd]\n', ["[acd.long_call.relay.0]"]),
        ("[reports]\n", "[reports]\nshowy = true\n", ["[reports.showy]", "知らない項目です"]),
    ],
)  # fmt: skip
def test_each_fault_is_found_and_named(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    told = "\n".join(faults(tmp_path, old, new))
    for word in ["ageo.toml", *words]:
        assert word in told


def test_the_line_number_is_the_keys_own(tmp_path: Path) -> None:
    number = 1 + GOOD[: GOOD.index('extension = "702"')].count("\n")
    told = faults(tmp_path, 'extension = "702"', 'extension = "7"')
    assert told[0].startswith(f"ageo.toml:{number} [acd.directory.1.extension]")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ageo.toml"
    path.write_text(
        GOOD.replace("seats = 6", "seats = 0").replace("max_steps = 10", "max_steps = 0"), "utf-8"
    )
    with pytest.raises(ProfileInvalid) as caught:
        load_city(path)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[city\n", b""])
def test_a_file_that_is_no_profile(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ageo.toml"
    path.write_bytes(content)
    problems = check_city(path)
    assert problems
    assert all("ageo.toml" in problem.where for problem in problems)


def test_an_unknown_city_lists_the_known_ones() -> None:
    with pytest.raises(ToritsugiError, match="matsusaka"):
        load_city("tsu")
    assert "知らない市です" in str(check_city("tsu")[0])


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "プロファイルがありません" in str(check_city(tmp_path / "none.toml")[0])


def test_a_special_day_must_lie_in_the_contract_and_stand_once(tmp_path: Path) -> None:
    day = '\n[[hours.special_days]]\ndate = {}\nname = "点検"\n\n[acd]\n'
    assert not faults(tmp_path, "\n[acd]\n", day.format("2026-11-01"))
    assert "契約期間の外" in faults(tmp_path, "\n[acd]\n", day.format("2029-11-01"))[0]
    twice = day.format("2026-11-01").replace("\n[acd]\n", "") + day.format("2026-11-01")
    assert "特定日が重なっています" in faults(tmp_path, "\n[acd]\n", twice)[0]


def test_a_city_may_have_emergency_texts_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "ageo.toml"
    text = GOOD.replace(
        "[prompts.ja]\n", '[prompts.ja]\nemergency_typhoon = "台風のため、休止しております。"\n'
    )
    path.write_text(text, "utf-8")
    assert load_city(path).emergency_messages == ("emergency_closed",)
    text = text.replace("[prompts.en]\n", '[prompts.en]\nemergency_typhoon = "Closed for a typhoon."\n')
    path.write_text(text, "utf-8")
    assert load_city(path).emergency_messages == ("emergency_closed", "emergency_typhoon")


def test_a_city_may_have_notices_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "ageo.toml"
    text = GOOD.replace("[prompts.ja]\n", '[prompts.ja]\nnotice_flood = "大雨のお知らせです。"\n')
    text = text.replace("[prompts.en]\n", '[prompts.en]\nnotice_flood = "Heavy rain."\n')
    path.write_text(text, "utf-8")
    assert load_city(path).notices == ("notice_emergency", "notice_flood")
