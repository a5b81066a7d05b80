"""What citizens and operators say: a fixed script by topic, so that recordings and transcripts are real speech.

Speech is made elsewhere, once, from `script_lines`; people get it back as sound by the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class Role(StrEnum):
    CITIZEN = "citizen"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance. `name` is its key everywhere: ASCII, usable as a file name."""

    name: str
    text: str
    language: str
    role: Role


GREETING = "greeting"
"""Topic of the words that every operator begins with."""

_GREETINGS: Mapping[str, str] = {
    "ja": "お電話ありがとうございます。{centre}です。",
    "en": "Thank you for calling {centre}.",
}

# Citizen and operator in turn; the citizen begins, and the last line is the citizen's goodbye.
# About seven seconds a side: a day of twelve calls has to fit into two minutes.
_TALKS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("book", "ja"): (
        "マイナンバーカードの受け取りの、予約をお願いします。",
        "かしこまりました。ご希望の日時をお聞かせください。",
        "来週水曜日の、午後二時でお願いします。",
        "はい、お取りしました。通知書をお持ちください。",
        "ありがとうございました。",
    ),
    ("change", "ja"): (
        "予約の日を、変更したいのですが。",
        "承知いたしました。いつがよろしいでしょうか。",
        "金曜日の午前中がいいです。",
        "では、金曜日の午前十時に変更いたしました。",
        "助かりました。失礼します。",
    ),
    ("status", "ja"): (
        "予約がいつだったか、確認したいのですが。",
        "ご予約は、木曜日の午後三時でございます。",
        "場所はどこですか。",
        "市役所一階の、交付窓口へお越しください。",
        "わかりました。失礼します。",
    ),
    ("certificate", "ja"): (
        "カードの暗証番号を、忘れてしまいました。",
        "窓口で、再設定ができます。ご本人がお越しください。",
        "カードを持っていけばいいですか。",
        "はい、マイナンバーカードをお持ちください。",
        "わかりました。失礼します。",
    ),
    ("portal", "ja"): (
        "保険証として使うには、どうすればいいですか。",
        "マイナポータルで、お申し込みをお願いします。",
        "スマートフォンがなくても、できますか。",
        "はい、市役所の窓口でもお手伝いいたします。",
        "ありがとうございました。",
    ),
    ("ask", "ja"): (
        "マイナンバーカードのことで、教えてください。",
        "はい、どのようなことでしょうか。",
        "引っ越しをしたら、手続きがいりますか。",
        "はい、カードをお持ちになって、窓口へお越しください。",
        "わかりました。失礼します。",
    ),
    ("ask", "en"): (
        "Hello. I would like to pick up my card. Do I need a booking?",
        "Yes, a booking is needed. Which day would you like?",
        "Next Wednesday at two o'clock, please.",
        "It is booked. Please bring your notification letter and your passport.",
        "Thank you very much. Goodbye.",
    ),
}


def _line_name(topic: str, language: str, role: Role, number: int) -> str:
    return f"{topic}_{language}_{role.value}_{number}"


def greeting_name(language: str) -> str:
    """Name of the operator's first words."""
    return _line_name(GREETING, language, Role.OPERATOR, 1)


def greeting_names() -> tuple[str, ...]:
    return tuple(greeting_name(language) for language in _GREETINGS)


def dialogue(topic: str, language: str) -> tuple[Line, ...]:
    """The lines of a talk after the operator's greeting, citizen first, in turn.

    A topic or language without a script of its own gets the general one.
    """
    key = (topic, language)
    if key not in _TALKS:
        key = ("ask", language if ("ask", language) in _TALKS else "ja")
    roles = (Role.CITIZEN, Role.OPERATOR)
    return tuple(
        Line(_line_name(*key, roles[index % 2], index // 2 + 1), text, key[1], roles[index % 2])
        for index, text in enumerate(_TALKS[key])
    )


def all_lines(centre_ja: str, centre_en: str) -> tuple[Line, ...]:
    """Every line of the script for the centre of these names."""
    centres = {"ja": centre_ja, "en": centre_en}
    greetings = tuple(
        Line(greeting_name(language), text.format(centre=centres[language]), language, Role.OPERATOR)
        for language, text in _GREETINGS.items()
    )
    return greetings + tuple(line for topic, language in _TALKS for line in dialogue(topic, language))


def script_lines(
    centre_ja: str = "松阪市マイナンバーカード予約センター",
    centre_en: str = "the Matsusaka City My Number Card centre",
) -> dict[str, tuple[str, str, str]]:
    """Name to (text, language, role) of everything that must be synthesised."""
    lines = all_lines(centre_ja, centre_en)
    return {line.name: (line.text, line.language, line.role.value) for line in lines}
