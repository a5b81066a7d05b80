"""`[speech.quality]` of a profile: what a good call has in it."""

from __future__ import annotations

import re
from enum import StrEnum, unique
from typing import Annotated

from pydantic import Field, field_validator

from core.profile_file import Section, Text

_ID = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


@unique
class Where(StrEnum):
    """In which part of the call something has to be said."""

    START = "start"
    """Within the operator's first three sentences."""
    END = "end"
    """Within the operator's last four, the first one left out."""
    ANYWHERE = "anywhere"


class ChecklistItem(Section):
    """One thing that the operator has to say, or must not."""

    id: _ID
    name_ja: Text
    words: Annotated[tuple[str, ...], Field(min_length=1)]
    """Regular expressions, one of which has to be found in a sentence of the operator."""
    never: bool = False
    """Turns it round: none of them may be found."""
    where: Where = Where.ANYWHERE
    tags: tuple[str, ...] = ()
    """Only in calls with one of these tags (`speech.topics.TAG_NAMES`); empty: in all."""
    when: tuple[str, ...] = ()
    """Only when the citizen said one of these (regular expressions)."""
    weight: Annotated[int, Field(ge=1, le=100)] = 10
    theme_ja: str = ""
    """What to train when it is missing often; empty for its name."""

    @field_validator("words", "when")
    @classmethod
    def _readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"正規表現として読めません: {pattern} ({error})") from error
        return value


class Limits(Section):
    """Measures that cost points when they are passed. Seconds, or a share of the talk."""

    silence_s: Annotated[float, Field(ge=3, le=600)] = 20.0
    """The longest silence of both sides together, holds left out."""
    hold_s: Annotated[float, Field(ge=10, le=3600)] = 120.0
    """The longest hold."""
    overlap_share: Annotated[float, Field(ge=0.01, le=1.0)] = 0.10
    """Both talking at once, of all talk."""
    operator_share: Annotated[float, Field(ge=0.3, le=1.0)] = 0.80
    """The operator's part of all talk."""
    weight: Annotated[int, Field(ge=1, le=100)] = 5
    """Of each measure."""


DEFAULT_ITEMS = (
    ChecklistItem(
        id="greeting", name_ja="最初の名乗り", where=Where.START, weight=10,
        words=(r"お電話ありがとう", r"コールセンター", r"(?:が|で)?(?:承り|ござい)ます"),
        theme_ja="名乗りと最初のあいさつ",
    ),
    ChecklistItem(
        id="confirmation", name_ja="用件の確認", weight=15,
        words=(r"(?:です|ござい)ますね", r"ですね", r"とのこと", r"でよろしい(?:です|でしょう)か", r"お間違いない"),
        theme_ja="用件を言い返して確かめる",
    ),
    ChecklistItem(
        id="read_back", name_ja="予約の復唱", tags=("booking",), weight=20,
        when=(r"それで|そこで|その(?:日|時間)で|(?:日|時|半|曜日?)でお願い",),
        words=(r"[0-9０-９一二三四五六七八九十]+(?:日|時|曜).{0,30}(?:承りました|お取り(?:し|いた)|変更(?:し|いた)|ですね|でござい)",),
        theme_ja="予約の日時を復唱する",
    ),
    ChecklistItem(
        id="closing", name_ja="結びの確認", where=Where.END, weight=10,
        words=(r"ほかに(?:ご不明|ご用件|何か)", r"お電話ありがとう", r"失礼(?:いた)?します", r"承りました"),
        theme_ja="ほかの用件の確認と結びの言葉",
    ),
    ChecklistItem(
        id="term", name_ja="「マイナンバーカード」と呼ぶ", never=True, weight=10,
        words=(r"個人番号カード",), theme_ja="呼び名は「マイナンバーカード」",
    ),
    ChecklistItem(
        id="no_number", name_ja="マイナンバーを尋ねない", never=True, weight=20,
        words=(r"(?:マイナンバー(?!カード)|個人番号|12桁の番号)を?.{0,6}(?:教えて|おっしゃって|お願い|お聞かせ|お伺い)",),
        theme_ja="電話でマイナンバーを尋ねない",
    ),
)  # fmt: skip
"""想定: no specification lists them; a city puts its own in their place."""


class QualitySection(Section):
    """`[speech.quality]`."""

    items: Annotated[tuple[ChecklistItem, ...], Field(min_length=1)] = DEFAULT_ITEMS
    limits: Limits = Limits()
