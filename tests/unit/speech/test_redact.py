"""No number that identifies or opens something survives; times, dates and prices do."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.digits import digit_runs, fold, my_number_is_valid
from speech.redact import Secret, Turn, redact_text, redact_turns

pytestmark = pytest.mark.unit

unhurried = settings(deadline=None)
"""The first text loads a dictionary, which takes longer than a deadline on a busy machine."""

KANA = ["ゼロ", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう"]
KATAKANA = ["マル", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "シチ", "ハチ", "キュー"]
ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
KANJI = "〇一二三四五六七八九"
WIDE = "０１２３４５６７８９"
NOTATIONS = {
    "ascii": ("", list("0123456789")),
    "wide": ("", list(WIDE)),
    "kanji": ("", list(KANJI)),
    "spaced": (" ", list("0123456789")),
    "kanji spaced": (" ", list(KANJI)),
    "hyphens": ("-", list("0123456789")),
    "kana": ("", KANA),
    "kana with commas": ("、", KANA),
    "katakana": (" ", KATAKANA),
    "english": (" ", ENGLISH),
    "english with oh": (" ", ["oh", *ENGLISH[1:]]),
}
GROUPS = ["", " ", "-", "、", "の", "－", "、えーと、", " ですね ", "。"]
digits12 = st.text("0123456789", min_size=12, max_size=12)


def written(digits: str, notation: str, group: str = "") -> str:
    between, names = NOTATIONS[notation]
    parts = [digits[n : n + 4] for n in range(0, len(digits), 4)]
    return (group or between).join(between.join(names[int(d)] for d in part) for part in parts)


@unhurried
@given(digits12, st.sampled_from(list(NOTATIONS)), st.sampled_from(GROUPS))
def test_no_twelve_digits_survive_in_any_notation(digits: str, notation: str, group: str) -> None:
    text = f"番号を申し上げます。{written(digits, notation, group)}。以上でございます。"
    masked = redact_text(text)
    assert "桁の番号］" in masked or "［マイナンバー］" in masked
    assert "番号を申し上げます" in masked
    assert "以上でございます" in masked
    left = [run for run in digit_runs(re.sub("［[^］]*］", "", masked)) if len(run.digits) > 1]
    assert left == []


@unhurried
@given(digits12, st.lists(st.sampled_from(list(NOTATIONS)), min_size=3, max_size=3))
def test_not_even_when_every_group_is_written_otherwise(digits: str, notations: list[str]) -> None:
    groups = [written(digits[n * 4 : n * 4 + 4], notation) for n, notation in enumerate(notations)]
    masked = redact_text(" ".join(groups))
    assert [run for run in digit_runs(re.sub("［[^］]*］", "", masked)) if len(run.digits) > 1] == []


@unhurried
@given(digits12, st.integers(1, 11), st.integers(1, 11))
def test_nor_when_it_is_said_over_several_turns_and_read_back(digits: str, one: int, two: int) -> None:
    cuts = sorted({0, one, two, 12})
    parts = [digits[a:b] for a, b in pairwise(cuts)]
    turns = []
    for part in parts:
        turns += [Turn(side="citizen", text=part), Turn(side="line", text=f"はい、{part}ですね")]
    masked = redact_turns(turns)
    assert all(not re.search(r"\d{3}", re.sub("［[^］]*］", "", text)) for text in masked)


KEPT = [
    "10時30分に11月25日の予約です",
    "午前九時から午後五時まで、平日にお越しください",
    "手数料は1,000円です。合計で1,234,567円になります",
    "十一月二十五日の午後二時三十分でお取りいたします",
    "2025-11-25の10時でお願いします",
    "令和7年12月29日から令和8年1月3日まではお休みです",
    "3番目にお待ちいただいております。約5分の見込みです",
    "暗証番号は4桁または6桁から16桁です",
    "マイナンバーカードは2016年1月に始まりました",
    "人口は123456人です",
    "ご一緒に、お二人で、四つの書類をご用意ください",
    "Please come at ten thirty on November twenty fifth. It takes one or two minutes.",
    "It costs 1,200 yen, and we open at 8:30 a.m.",
]


@pytest.mark.parametrize("text", KEPT)
def test_times_dates_prices_and_counts_survive(text: str) -> None:
    assert redact_text(text) == text


@unhurried
@given(
    st.integers(1, 12), st.integers(1, 28), st.integers(0, 23), st.integers(0, 59), st.integers(1, 99_999_999)
)
def test_every_time_date_and_price_survives(month: int, day: int, hour: int, minute: int, yen: int) -> None:
    text = f"{month}月{day}日の{hour}時{minute:02d}分に、{yen:,}円をお支払いください。"
    assert redact_text(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("電話番号は零九零の一二三四の五六七八です。", "電話番号は［電話番号］です。"),
        ("0598-53-4071におかけください", "［電話番号］におかけください"),
        ("市内なので電話番号は53-4071です", "市内なので電話番号は［電話番号］です"),
        ("0598-53-4071にご連絡ください", "［電話番号］にご連絡ください"),
        ("受付番号は一二三四五です", "受付番号は［受付番号］です"),
        ("暗証番号は1234です", "暗証番号は［暗証番号］です"),
        ("暗証番号はいちにさんよんです", "暗証番号は［暗証番号］です"),
        ("署名用パスワードはABC123DEです", "署名用パスワードは［暗証番号］です"),
        ("my PIN is four oh seven one", "my PIN is ［暗証番号］"),
        ("call me on zero nine zero, double five three one, two two one one", "call me on ［電話番号］"),
        ("郵便番号は515-8515です", "郵便番号は［番号］です"),
        ("千二百三十四、五千六百七十八、九千十二", "［12桁の番号］"),
    ],
)
def test_known_answers(text: str, masked: str) -> None:
    assert redact_text(text) == masked


def test_a_question_of_one_side_explains_the_answer_of_the_other() -> None:
    asked = [
        Turn(side="line", text="暗証番号をお願いします"),
        Turn(side="citizen", text="えっと、4071です"),
    ]
    assert redact_turns(asked)[1] == "えっと、［暗証番号］です"
    other = [
        Turn(side="line", text="ご用件をお願いします"),
        Turn(side="citizen", text="えっと、4071です"),
    ]
    assert redact_turns(other)[1] == "えっと、4071です"


def test_a_right_check_digit_is_told_from_a_wrong_one() -> None:
    valid = "123456789018"  # 6·8 + … by the ordinance's formula, counted by hand
    assert my_number_is_valid(valid)
    assert redact_text(valid) == Secret.MY_NUMBER.mask
    assert redact_text(valid[:-1] + "1") == Secret.TWELVE_DIGITS.mask
    assert [d for d in range(10) if my_number_is_valid(f"{valid[:11]}{d}")] == [8]


@unhurried
@given(st.text(max_size=60))
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    assert len(fold(text)) == len(text)


@unhurried
@given(
    st.lists(
        st.text("あいう0123456789一二 、。\n", max_size=20).map(lambda t: t.replace("\n", "")), max_size=6
    )
)
def test_turns_stay_turns(texts: list[str]) -> None:
    turns = [Turn(side="citizen" if n % 2 else "line", text=text) for n, text in enumerate(texts)]
    assert len(redact_turns(turns)) == len(turns)


@unhurried
@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_every_turn_comes_back_whatever_it_holds(texts: list[str]) -> None:
    sides = ("citizen", "line")
    turns = [Turn(side=sides[number % 2], text=text) for number, text in enumerate(texts)]
    assert len(redact_turns(turns)) == len(turns)


@pytest.mark.parametrize(
    ("heard", "shown"),
    [
        ("暗証番号は、3、待ち、1、6です。", "暗証番号は、［暗証番号］です。"),
        ("暗証番号は、3は216です。", "暗証番号は、［暗証番号］です。"),
        ("暗証番号は、長々194だと思う", "暗証番号は、長々［暗証番号］だと思う"),
        ("暗証番号は3回、間違えると", "暗証番号は3回、間違えると"),
        ("暗証番号は4桁と6桁の2つです", "暗証番号は4桁と6桁の2つです"),
        ("暗証番号も四二一七で同じにしました", "暗証番号も［暗証番号］で同じにしました"),
    ],
)
def test_a_pin_of_which_a_digit_was_misheard_is_masked(heard: str, shown: str) -> None:
    assert redact_text(heard) == shown
