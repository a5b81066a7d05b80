"""Names and addresses are found where the words around them agree, and nowhere else."""

from __future__ import annotations

import pytest

from speech.people import addresses, names
from speech.redact import Turn, find_secrets, redact_text, redact_turns

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("鈴木と申します", ["鈴木"]),
        ("お名前は山田太郎様でしょうか", ["山田太郎"]),
        ("旧姓は遠藤です", ["遠藤"]),
        ("夫がマイケル・スミスといいます", ["マイケル・スミス"]),
        ("息子の翔太のカードです", ["翔太"]),
        ("はい、松本です。", ["松本"]),
        ("My name is John Baker.", ["John Baker"]),
        ("担当の佐藤でございます", []),
        ("林の中の道をまっすぐです", []),
        ("松本市から来ました", []),
        ("市民課の職員がお伺いします", []),
        ("名前が変わったんですけど", []),
    ],
)
def test_names(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in names(text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("住所は印西市大塚1丁目1番地3です", ["印西市大塚1丁目1番地3"]),
        ("上尾市本町4丁目7番2号コーポ上尾203に越しました", ["上尾市本町4丁目7番2号コーポ上尾203"]),
        ("千葉県印西市瀬戸702です", ["千葉県印西市瀬戸702"]),
        ("松阪市殿町一丁目二番地の三です", ["松阪市殿町一丁目二番地の三"]),
        ("印西市から来ました", []),
        ("東京まで30分です", []),
        ("印西市の2番窓口です", []),
        ("千葉ニュータウン中央駅の近くです", []),
    ],
)
def test_addresses(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in addresses(text)] == found


def test_the_masks_of_names_and_addresses() -> None:
    told = "山本和也と申します。住所は印西市高花5丁目3番です。"
    assert redact_text(told) == "［氏名］と申します。住所は［住所］です。"


def test_a_digit_taken_for_a_word_does_not_open_a_number() -> None:
    assert redact_text("番号は1234 後678 9018です") == "番号は［マイナンバー］です"
    assert redact_text("15日の後2時に伺います") == "15日の後2時に伺います"


def test_the_state_s_public_number_stays() -> None:
    assert redact_text("0120-95-0178におかけください") == "0120-95-0178におかけください"


def test_a_part_of_a_my_number_is_told_by_the_words_beside_it() -> None:
    assert redact_text("マイナンバーの下4桁は9018です") == "マイナンバーの下4桁は［12桁の番号］です"
    assert redact_text("マイナンバーカードの窓口は3042です") == "マイナンバーカードの窓口は3042です"


def test_spans_lie_in_the_turn_s_own_text_and_say_what_goes_on() -> None:
    turns = [
        Turn(side="citizen", text="番号は1234"),
        Turn(side="line", text="はい"),
        Turn(side="citizen", text="5678 9018です"),
    ]
    spans = find_secrets(turns)
    assert [[(turns[n].text[s.start : s.end], s.first) for s in each] for n, each in enumerate(spans)] == [
        [("1234", True)],
        [],
        [("5678 9018", False)],
    ]
    assert redact_turns(turns) == ["番号は［マイナンバー］", "はい", "です"]


def test_a_number_read_back_is_found_though_it_was_heard_as_a_date() -> None:
    turns = [
        Turn(side="citizen", text="マイナンバーは、4はちみ1、0937、5号1に、です。"),
        Turn(side="line", text="番号を少々いたします。4月21日、0937、ご1日、です"),
        Turn(side="line", text="4月21日の10時でお取りします。"),
    ]
    assert redact_turns(turns) == [
        "マイナンバーは、［番号］に、です。",
        "番号を少々いたします。［番号］日、です",
        "4月21日の10時でお取りします。",
    ]


def test_a_very_long_text_is_no_trouble() -> None:
    told = "お待ちください。" * 5000 + "鈴木と申します。"
    assert redact_text(told).endswith("［氏名］と申します。")
