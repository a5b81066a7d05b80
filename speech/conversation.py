"""A call's transcript as sentences of two sides, which the analyses of this context rest their results on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CITIZEN, LINE = "citizen", "line"

_END = re.compile(r"(?<=[。？！?!])")
_FILLER = re.compile(r"^(?:あの[ーう]?|えー?っ?と|えー|あ|はい|ええ|その|もしもし|すみません)[、,\s]+")
_NOTHING = re.compile(
    r"^(?:はい|ええ|うん|あ|あの|えっと|もしもし|そう(?:です(?:か|ね)?|なんです(?:か|ね))?|なるほど|わ?かりました|分かりました"
    r"|ありがとうございま(?:す|した)|お願いします|どうも|失礼(?:いた)?します|かしこまりました|すみません"
    r"|お待たせ(?:いた)?しました"
    r"|少々お待ちください|はいはい|大丈夫です|いえ|じゃあ?それでお願いします"
    r"|承知(?:いた)?しました)(?:[、。！!ねよ]|$)*$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence as the transcript has it: masked."""

    side: str
    """`citizen` or `line`."""
    text: str
    start_s: float = 0.0
    end_s: float = 0.0

    @property
    def bare(self) -> str:
        """Without leading fillers and signs at the end."""
        text = self.text.strip()
        while (shorter := _FILLER.sub("", text)) != text:
            text = shorter
        return text.rstrip("。、.,! ！")

    @property
    def says_something(self) -> bool:
        """Whether it is more than a nod."""
        parts = [part for part in re.split(r"[、。\s]+", self.bare) if part]
        return len(self.bare) >= 4 and not all(_NOTHING.match(part) for part in parts)


def sentences(segments: Iterable[tuple[str, str, float, float]]) -> Iterator[Sentence]:
    """Segments (side, text, start, end) as sentences; a segment of several is cut, its time shared by length."""
    for side, text, start, end in segments:
        parts = [part for part in _END.split(text) if part.strip()]
        total = sum(map(len, parts)) or 1
        at = start
        for part in parts:
            until = at + (end - start) * len(part) / total
            yield Sentence(side=side, text=part.strip(), start_s=round(at, 2), end_s=round(until, 2))
            at = until
