"""Which of the citizen's sentences ask for something that a person or an article has to answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from speech.conversation import CITIZEN, Sentence

_ASKS = re.compile(
    r"(?:(?:です|ます|でした|ました|ません|でしょう|だろう|ない|ある|いる|る|た|い|ん|の|よい|いい)(?:ん)?(?:です|でしょう)?か(?:ね|な|ねえ|しら)?"
    r"|[?？]|(?:でし|でしたっ|まし|だ|た|る|す)っけ|たっけ|かな|なの|ですよね|ますよね|でしょうね|んですね"
    r"|んでしょう)[?？。]*$"
)
_ASKS_INSIDE = re.compile(
    r"(?:教えて(?:もら|いただ|ほし|くださ|欲し)|(?:お聞き|お伺い|お尋ね|聞き|知り|伺い|確認し)たい|(?:分|わ)からなく[てて]|(?:分|わ)からないん|どうしてかと"
    r"|どうしたら|どうすれば|いつまで(?:です|でしょう)|いくら(?:です|でしょう)|だめなら)"
)
_OPEN = re.compile(r"(?:^|、)(?:じゃあ|では|それ|あと).{0,8}(?:は|も|とか|だめなら)$")
_NOT = re.compile(
    r"^(?:ああ|あ|まあ|へえ|えっ|え)?[、]?(?:そう(?:なん)?です(?:か|よね|ね)|そうなんですね?|そんなのがあるんですか|本当ですか|いいですか$|よろしいですか$|別なんですね)"
    r"|(?:お願い|予約|追加|変更|電話)(?:でき|して)(?:ます|もらえます|いただけます)かと"
)
_RHETORICAL = re.compile(
    r"どうしてくれる|冗談|いい加減にし|おかしく(?:ない|ありません)|おかしいでしょ|(?:じゃ|では)ないですか$"
    r"|何のための|あるわけ|ってことですよね|でしたよね|じゃないか$"
)


def questions(conversation: Sequence[Sentence]) -> list[int]:
    """Places of the citizen's questions, spoken straight or round about (教えてほしい, 分からなくて)."""
    return [
        place
        for place, sentence in enumerate(conversation)
        if sentence.side == CITIZEN and is_question(sentence.bare)
    ]


def is_question(text: str) -> bool:
    """Whether a sentence without fillers asks; reproaches in the form of a question (どうしてくれるんですか) do not."""
    if _NOT.search(text) or _RHETORICAL.search(text):
        return False
    return bool(_ASKS.search(text) or _ASKS_INSIDE.search(text) or _OPEN.search(text))
