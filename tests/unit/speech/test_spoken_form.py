"""Written text in the form a voice reads right, checked by what the dictionary then says."""

from __future__ import annotations

import pytest

from speech.kana import katakana, pronounced, reading
from speech.spoken import spoken_text

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("受付時間は8:30~17:15です", "ウケツケジカンワハチジサンジュップンカラジューシチジジューゴフンデス"),
        ("明日、午前８時３０分から", "アシタゴゼンハチジサンジュップンカラ"),
        ("9時から", "クジカラ"),
        ("4月7日", "シガツナノカ"),
        ("0120-95-0178", "ゼロイチニーゼロノキューゴーノゼロイチナナハチ"),
        ("受付番号は1234567です", "ウケツケバンゴーワイチニーサンヨンゴーロクナナデス"),
        ("12000円です", "イチマンニセンエンデス"),
        ("受付時間内におかけください", "ウケツケジカンナイニオカケクダサイ"),
        ("#を押してください", "シャープヲオシテクダサイ"),
        ("FAQとQRコード", "エフエーキュートキューアールコード"),
        ("印西市、上尾市、宇部市、松阪市", "インザイシアゲオシウベシマツサカシ"),
        ("公金受取口座", "コーキンウケトリコーザ"),
    ],
)
def test_japanese_is_heard_as_meant(text: str, heard: str) -> None:
    assert reading(spoken_text(text, "ja")) == heard.replace("ヲ", "オ")


def test_a_citys_reading_wins_and_only_where_the_dictionary_is_wrong() -> None:
    readings = {"松阪市": "まつさかし", "日本橋": "にっぽんばし"}
    assert spoken_text("松阪市の日本橋", "ja", readings) == "松阪市のニッポンバシ"


def test_longer_words_win() -> None:
    readings = {"一二": "かずじ", "一二三町": "ひふみちょう"}
    assert "ヒフミチョー" in spoken_text("一二三町です", "ja", readings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Call 0120-95-0178.", "Call zero one two zero, nine five, zero one seven eight."),
        ("From 8:30 to 17:15.", "From 8 30 a m to 5 15 p m."),
        ("At 9:00 a.m. sharp", "At 9 a.m. sharp"),
        ("Press 1, then #", "Press 1, then hash"),
    ],
)
def test_english(text: str, said: str) -> None:
    assert spoken_text(text, "en") == said


def test_kana_as_they_sound() -> None:
    assert pronounced("こうきんうけとりこうざ") == "コーキンウケトリコーザ"
    assert pronounced("えいご") == "エーゴ"
    assert katakana("まつさか市") == "マツサカ市"
