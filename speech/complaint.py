"""Whether a citizen complains, told from what both sides say: reproaches of the one, apologies of the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from speech.conversation import CITIZEN, LINE, Sentence

ENOUGH = 2.0
"""Points from which a conversation counts as a complaint."""

Cues = Sequence[tuple[re.Pattern[str], float]]


def _cues(*table: tuple[float, str]) -> Cues:
    return tuple((re.compile(pattern), points) for points, pattern in table)


REPROACHES: Cues = _cues(
    # demands and threats
    (
        2.0,
        r"どうしてくれる|どうなってる(?:んです|の)|責任(?:者|を|取)|上の(?:人|方)|訴え|謝って|謝罪|弁償"
        r"|補償|市長|議員",
    ),
    (
        1.2,
        r"返してほし|出してほしい(?:くらい|ぐらい|です)|返してもらえ|約束(?:ですよ|が違)"
        r"|ちゃんと(?:して|電話|説明|指導)|指導して",
    ),
    # anger
    (
        2.0,
        r"冗談じゃ|ふざけ|いい加減に|ばかに|馬鹿に|腹が立|頭に(?:き|来)|不愉快|むか(?:つ|っ)|怒って|許せ"
        r"|あり得|ありえ|信じられ",
    ),
    (
        1.5,
        r"ひどい|ひどかった|最低|最悪|呆れ|あきれ|がっかり|失望|うんざり|たくさんです|もういい(?:よ|です)"
        r"|勘弁|話にな",
    ),
    # how somebody was treated
    (
        2.0,
        r"態度|失礼(?:な|じゃ|です(?:よ|ね))|感じ(?:が)?悪|気分(?:が)?悪|応対(?:は|が)"
        r"|対応(?:が|は).{0,4}(?:悪|遅|ひど|お粗末)|不親切|冷た|笑われ|怒鳴|無視",
    ),
    (
        1.5,
        r"待たされ|待たせ(?:る|てお)|追い返|追い出|たらい回し|回らされ|回され|放ってお|放置|ほったらかし"
        r"|切られ|返され(?:て|た)|やらされ|させられ",
    ),
    (
        0.8,
        r"何(?:回|度|遍)(?:も|かけても|やっても|電話して|言え)|(?:[二三四2-4])(?:回|度)も|[二三四2-4]回目"
        r"|また(?:行かなきゃ|ロック|です)|毎回|同じこと|前(?:に)?も",
    ),
    (
        0.8,
        r"[三二四2-4]か月です|か月待って|[三四五3-5]日(?:経|たつ|も)|時間(?:半)?も|分も待|遅すぎ"
        r"|いつまで(?:待|かか)|いつになったら",
    ),
    # somebody else is to blame
    (
        1.2,
        r"言うことが違|話が違|聞いてない|説明(?:が|も)(?:ない|なかった|なく)|言われた(?:通り|とおり)"
        r"|違う(?:こと|案内)を|って言われ(?:て|た)んです(?:よ|$)",
    ),
    (
        1.5,
        r"そちらの(?:ミス|間違い|手違い|せい)|そっちの|間違え(?:られ|たのは)|手違い|無責任|適当な|嘘|騙"
        r"|だまされ|無駄足|二度手間",
    ),
    (
        1.5,
        r"おかしく?(?:ない|いでしょ|ありません|いです)|じゃないですか|こんなこと(?:が)?あって|信用でき"
        r"|納得(?:い|でき)|何のため|なんで.{2,20}(?:んですか|の)$",
    ),
    (
        1.5,
        r"苦情(?!という)|クレーム(?!と)|文句|抗議|迷惑(?!を?お)",
    ),
    (
        1.2,
        r"無駄遣い|税金|やめろ|言っといて|二度と|怖くて|漏れ|こたえ(?:ます|る)|困るんです",
    ),
    (
        0.25,
        r"(?:です|ます|た|だ|ない)(?:よ|よね)$|のに(?:$|、)",
    ),
)
APOLOGIES: Cues = _cues(
    (
        1.5,
        r"(?:誠に|大変)申し訳|不快な思い|お詫び|誤ったご案内|不十分で|行き届か",
    ),
    (
        0.7,
        r"(?:申し訳ございません|ご迷惑|ご不便)(?!.*(?:できません|専用))",
    ),
    (
        1.0,
        r"申し伝え|ご意見(?:として|を)|課長に報告|責任者(?:に|から)|報告の上|必ず(?:本日|お電話|ご連絡)",
    ),
)
_DENIALS = re.compile(
    r"(?:苦情|クレーム)(?:とか|という(?:ほど|わけ))?(?:では|じゃ)|怒って(?:る|いる)(?:わけ|の)(?:では|じゃ)|文句(?:では|じゃ)"
)
_DENIED = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintSigns:
    """What speaks for a complaint."""

    complaint: bool
    points: float
    sentences: tuple[int, ...]
    """Places of the sentences that gave points, in order."""


def complaint_signs(
    conversation: Sequence[Sentence], reproaches: Cues = REPROACHES, apologies: Cues = APOLOGIES
) -> ComplaintSigns:
    """The signs of a complaint in a conversation. An apology alone never makes one: operators are polite."""
    points, places, reproached = 0.0, [], False
    tables = {CITIZEN: reproaches, LINE: apologies}
    for place, sentence in enumerate(conversation):
        table = tables.get(sentence.side, ())
        here = sum(each for pattern, each in table if pattern.search(sentence.bare))
        if sentence.side == CITIZEN and _DENIALS.search(sentence.bare):
            here -= _DENIED
        if here >= 0.5:
            places.append(place)
            reproached = reproached or sentence.side == CITIZEN
        points += here
    return ComplaintSigns(
        complaint=reproached and points >= ENOUGH, points=round(points, 2), sentences=tuple(places)
    )
